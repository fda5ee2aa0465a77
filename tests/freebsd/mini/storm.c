/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything at once: devices, guests that do as they like, and an
 * administrator who changes all that can be changed. */
#include "play.h"

enum {
    DEVICES = 3,
    RAISES = 160,
    CHANGES = 60,
};

struct storm {
    const struct mini_run *run;
    struct vm *vm[2];
    struct mini_device dev[DEVICES];
    bool no_rebinds;
};

static u_int scaled(const struct storm *s, u_int n)
{
    return MAX(n * s->run->scale / 100, 1);
}

static struct vm *vm_of(const struct storm *s, u_int dev)
{
    return s->vm[dev == DEVICES - 1];
}

static void begin(struct storm *s, const struct mini_run *run, bool games,
                  u_int taken)
{
    static const char *const names[DEVICES] = {"ppt0", "ppt1", "ppt2"};

    play_begin(run, taken);
    memset(s, 0, sizeof(*s));
    s->run = run;
    s->vm[0] = mini_vm_create(3, true);
    s->vm[1] = mini_vm_create(2, false);
    for (u_int i = 0; i < 2; i++) {
        s->vm[i]->storm = 4;
        s->vm[i]->apic_games = games && i == 0;
    }
    for (u_int i = 0; i < DEVICES; i++) {
        mini_ppt_attach(&s->dev[i], names[i], i % MINI_UNITS, 0x0300 + 8 * i,
                        i == 0);
        mini_ppt_assign(&s->dev[i], vm_of(s, i));
    }
}

static void program_any(struct storm *s, u_int dev)
{
    struct vm *vm = vm_of(s, dev);
    const u_int vector =
        MINI_VECTOR_MIN + shim_random(MINI_VECTOR_MAX - MINI_VECTOR_MIN + 1);
    uint64_t addr = mini_msi_addr(shim_random(vm->vcpus));
    uint32_t data = vector;

    switch (shim_random(10)) {
    case 0: /* to all */
        addr = mini_msi_addr(0xff);
        break;
    case 1: /* logical, to one or to several */
        addr = mini_msi_addr(1 + shim_random((1u << vm->vcpus) - 1)) | 0x4;
        break;
    case 2: /* logical, to any of them */
        addr = mini_msi_addr((1u << vm->vcpus) - 1) | 0x4;
        data |= 1u << 8;
        break;
    default:
        break;
    }
    mini_ppt_setup(&s->dev[dev], shim_random(MINI_MSGS), addr, data,
                   shim_random(8) == 0);
}

static void rebind_any(struct storm *s, u_int dev)
{
    u_int n = shim_random((uint32_t)mp_ncpus);
    u_int cpu;

    CPU_FOREACH(cpu)
    {
        if (n-- == 0)
            break;
    }
    if (s->dev[dev].msgs > 0)
        mini_irq_rebind(s->dev[dev].msg[shim_random(MINI_MSGS)].irq, cpu);
}

static void administer(struct storm *s, u_int changes)
{
    for (u_int i = 0; i < changes; i++) {
        const u_int dev = shim_random(DEVICES);

        if (!s->no_rebinds && shim_random(3) == 0)
            rebind_any(s, dev);
        else
            program_any(s, dev);
        for (u_int j = shim_random(16); j > 0; j--)
            shim_relax();
    }
}

static void start(struct storm *s)
{
    for (u_int i = 0; i < DEVICES; i++)
        for (u_int j = 0; j < MINI_MSGS; j++)
            mini_ppt_setup(&s->dev[i], j, mini_msi_addr(j % vm_of(s, i)->vcpus),
                           MINI_VECTOR_MIN + 0x20 * j + i, false);
    for (u_int i = 0; i < 2; i++)
        mini_vm_start(s->vm[i]);
    for (u_int i = 0; i < DEVICES; i++)
        play_source(&s->dev[i], scaled(s, RAISES));
}

static void end(struct storm *s)
{
    for (u_int i = 0; i < 2; i++)
        mini_vm_stop(s->vm[i]);
    for (u_int i = 0; i < DEVICES; i++) {
        mini_ppt_unassign(&s->dev[i]);
        play_add_device(&s->dev[i]);
        mini_ppt_detach(&s->dev[i]);
    }
    for (u_int i = 0; i < 2; i++) {
        play_add_vm(s->vm[i]);
        mini_vm_destroy(s->vm[i]);
    }
    play_end();
}

/* Devices end by themselves; what they have sent is then delivered. */
static void settle(struct storm *s)
{
    shim_quiesce();
    for (u_int i = 0; i < 2; i++)
        mini_vm_settle(s->vm[i]);
}

static void play(struct storm *s)
{
    start(s);
    administer(s, scaled(s, CHANGES));
    settle(s);
    end(s);
}

void mini_storm(const struct mini_run *run)
{
    struct storm s;

    begin(&s, run, true, 0);
    play(&s);
}

static void check_remapped(const struct storm *s, const char *reason)
{
    char text[512];

    for (u_int i = 0; i < DEVICES; i++)
        mini_check(s->dev[i].posted == 0);
    mini_check(shim_sysctl_text("hw.vmm.vtdpi.reasons", text, sizeof(text)));
    if (strstr(text, reason) == NULL)
        shim_fail("'%s' is not among the reasons: %s", reason, text);
}

/* Other drivers have the last vector, or more: devices stay remapped, all else
 * works; without bhyve's own vectors, too. */
void mini_storm_vectors_gone(const struct mini_run *run)
{
    const u_int taken = 1 + (u_int)run->seed % 3;
    struct storm s;

    begin(&s, run, true, taken);
    start(&s);
    administer(&s, scaled(&s, CHANGES));
    settle(&s);
    mini_check(play_count("wakeup_vector") == UINT32_MAX);
    check_remapped(&s, taken == 1 ? "no vector" : "use_apic_pir");
    end(&s);
}

/* The administrator does not want it. */
void mini_storm_off(const struct mini_run *run)
{
    struct storm s;

    shim_setenv("hw.vmm.vtdpi.options", "intpost=off");
    begin(&s, run, true, 0);
    start(&s);
    administer(&s, scaled(&s, CHANGES / 2));
    settle(&s);
    check_remapped(&s, "intpost");
    end(&s);
}

/* VMs that go while their devices interrupt; the devices get new ones. */
void mini_storm_destroy(const struct mini_run *run)
{
    struct storm s;

    begin(&s, run, false, 0);
    start(&s);
    for (u_int i = 0; i < scaled(&s, 6); i++) {
        const u_int n = i % 2;

        administer(&s, 6);
        mini_vm_stop(s.vm[n]);
        for (u_int d = 0; d < DEVICES; d++)
            if (vm_of(&s, d) == s.vm[n])
                mini_ppt_unassign(&s.dev[d]);
        play_add_vm(s.vm[n]);
        mini_vm_destroy(s.vm[n]);
        s.vm[n] = mini_vm_create(3 - n, n == 0);
        s.vm[n]->storm = 4;
        for (u_int d = 0; d < DEVICES; d++)
            if (vm_of(&s, d) == s.vm[n])
                mini_ppt_assign(&s.dev[d], s.vm[n]);
        mini_vm_start(s.vm[n]);
    }
    settle(&s);
    end(&s);
}

/* Invalidations fail now and then. An old entry may then be in use for a while,
 * but nothing that it names may go. (The kernel, which gives the old vector of
 * a re-bound interrupt away at once, does not expect that.) */
void mini_storm_failures(const struct mini_run *run)
{
    struct storm s;

    begin(&s, run, false, 0);
    s.no_rebinds = true;
    for (u_int i = 0; i < DEVICES; i++)
        s.dev[i].lenient = true;
    start(&s);
    for (u_int i = 0; i < scaled(&s, 8); i++) {
        mini_dmar_fail(shim_random(MINI_UNITS), 1 + shim_random(4));
        administer(&s, 6);
    }
    settle(&s);
    mini_check(play_count("failures") > 0);
    end(&s);
}
