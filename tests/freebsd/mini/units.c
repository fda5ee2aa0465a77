/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's units: their numbers have holes, and not all of them post. */
#include "play.h"

enum {
    VECTOR = 0x61,
};

struct stage {
    struct vm *vm;
    struct mini_device dev[MINI_UNITS]; /* one on each unit */
};

static void stage_begin(struct stage *s, const struct mini_run *run)
{
    static const char *const names[MINI_UNITS] = {"ppt0", "ppt1"};

    play_begin(run, 0);
    s->vm = mini_vm_create(2, true);
    for (u_int i = 0; i < MINI_UNITS; i++) {
        mini_ppt_attach(&s->dev[i], names[i], i, 0x0300 + 8 * i, false);
        mini_ppt_assign(&s->dev[i], s->vm);
        mini_ppt_setup(&s->dev[i], 0, mini_msi_addr(i), VECTOR, false);
    }
    mini_vm_start(s->vm);
}

static void stage_end(struct stage *s)
{
    mini_vm_stop(s->vm);
    for (u_int i = 0; i < MINI_UNITS; i++) {
        mini_ppt_unassign(&s->dev[i]);
        play_add_device(&s->dev[i]);
        mini_ppt_detach(&s->dev[i]);
    }
    play_add_vm(s->vm);
    mini_vm_destroy(s->vm);
    play_end();
}

/* Each device interrupts the vCPU of its own number, and once more after the
 * kernel has moved its host interrupt. */
static void raise_all(struct stage *s)
{
    for (u_int i = 0; i < MINI_UNITS; i++) {
        for (u_int n = 1; n <= 2; n++) {
            mini_check(mini_device_raise(&s->dev[i], 0));
            shim_quiesce();
            mini_check(play_delivered(&s->vm->vcpu[i], VECTOR) == n);
            mini_irq_rebind(s->dev[i].msg[0].irq, mp_maxid);
        }
    }
}

/* Before the first unit, and before the last. */
void mini_hole(const struct mini_run *run)
{
    for (u_int place = 0; place < MINI_UNITS; place++) {
        struct stage s;

        mini_dmar_hole(place);
        stage_begin(&s, run);
        raise_all(&s);
        for (u_int i = 0; i < MINI_UNITS; i++)
            mini_check(s.dev[i].posted == 2 && s.dev[i].remapped == 0);
        mini_check(play_count("rebinds") >= 2 * MINI_UNITS);
        stage_end(&s);
    }
    mini_dmar_hole(MINI_UNITS);
}

/* The unit behind the hole is judged, too: it does not post, so nothing does.
 * The reason names the driver's number of it. */
void mini_behind_hole(const struct mini_run *run)
{
    struct stage s;
    char text[512];

    mini_dmar_hole(MINI_UNITS - 1);
    mini_dmar_without_pi(MINI_UNITS - 1);
    stage_begin(&s, run);
    raise_all(&s);
    for (u_int i = 0; i < MINI_UNITS; i++)
        mini_check(s.dev[i].posted == 0 && s.dev[i].remapped == 2);
    mini_check(shim_sysctl_text("hw.vmm.vtdpi.reasons", text, sizeof(text)));
    if (strstr(text, "(unit 2)") == NULL)
        shim_fail("unit 2 is not among the reasons: %s", text);
    stage_end(&s);
    mini_dmar_without_pi(MINI_UNITS);
    mini_dmar_hole(MINI_UNITS);
}

/* Without the question before a re-bind, and with descriptors below 4 GiB, where
 * the kernel's assertion does not see it: the move of a host interrupt ends
 * posting. No interrupt is lost, and the port finds out when it changes the
 * entry next. */
void mini_unhooked(const struct mini_run *run)
{
    struct mini_device *dev;
    struct stage s;

    play_low_memory(true);
    mini_dmar_unhook(true);
    stage_begin(&s, run);
    dev = &s.dev[0];
    mini_check(s.vm->vcpu[0].pid_pa <= UINT32_MAX);
    mini_irq_rebind(dev->msg[0].irq, mp_maxid);
    mini_check(mini_device_raise(dev, 0));
    shim_quiesce();
    mini_check(dev->posted == 0 && dev->handled == 1);
    mini_check(play_delivered(&s.vm->vcpu[0], VECTOR) == 1);
    mini_check(play_count("posted") == MINI_UNITS);
    mini_check(play_count("overwritten") == 0);
    play_program(dev, 0, VECTOR + 1);
    mini_check(play_count("overwritten") == 1);
    mini_check(mini_device_raise(dev, 0));
    shim_quiesce();
    mini_check(dev->posted == 0 && dev->handled == 2);
    mini_check(play_delivered(&s.vm->vcpu[0], VECTOR + 1) == 1);
    mini_ppt_setup(dev, 0, 0, 0, true);
    mini_check(play_count("overwritten") == 2);
    mini_check(play_count("posted") == MINI_UNITS - 1);
    stage_end(&s);
    mini_dmar_unhook(false);
    play_low_memory(false);
}
