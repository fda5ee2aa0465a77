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
