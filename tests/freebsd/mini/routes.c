/* SPDX-License-Identifier: BSD-2-Clause */
/* What a message means changes although the guest does not write it: an APIC
 * has another logical id, is switched off, or is not there yet. */
#include "play.h"

#define VECTOR        0x51
#define APIC_BASE_ON  0xfee00800
#define APIC_BASE_OFF 0xfee00000

/* A VM of two vCPUs that halt, and a device on unit 1. */
struct stage {
    struct vm *vm;
    struct mini_device dev;
};

static void stage_begin(struct stage *s, const struct mini_run *run,
                        u_int vcpus)
{
    play_begin(run, 0);
    s->vm = mini_vm_create_part(2, vcpus, true);
    mini_ppt_attach(&s->dev, "ppt1", 1, 0x0418, false);
    mini_ppt_assign(&s->dev, s->vm);
}

static void stage_end(struct stage *s)
{
    mini_vm_stop(s->vm);
    mini_ppt_unassign(&s->dev);
    play_add_device(&s->dev);
    play_add_vm(s->vm);
    mini_ppt_detach(&s->dev);
    mini_vm_destroy(s->vm);
    play_end();
}

/* The descriptor's owner says who would get it; NULL: the host. */
static const struct vcpu *posted_to(struct stage *s)
{
    const uint64_t before = s->dev.posted;
    uint64_t delivered[MINI_VCPUS];

    for (u_int i = 0; i < s->vm->vcpus; i++)
        delivered[i] = play_delivered(&s->vm->vcpu[i], VECTOR);
    mini_check(mini_device_raise(&s->dev, 0));
    shim_quiesce();
    if (s->dev.posted == before)
        return NULL;
    for (u_int i = 0; i < s->vm->vcpus; i++)
        if (play_delivered(&s->vm->vcpu[i], VECTOR) == delivered[i] + 1)
            return &s->vm->vcpu[i];
    return NULL;
}

/* The guest writes its APIC when it runs next; that is now. */
static void change(struct vcpu *v, uint32_t ldr, uint64_t base)
{
    __atomic_store_n(&v->want_ldr, ldr, __ATOMIC_RELAXED);
    __atomic_store_n(&v->want_base, base, __ATOMIC_SEQ_CST);
    mini_vcpu_nmi(v);
    shim_quiesce();
    mini_check(__atomic_load_n(&v->want_base, __ATOMIC_SEQ_CST) == 0);
}

/* Logical ids change hands. Each change takes effect before the guest goes on:
 * it halts right after it. */
void mini_logical(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *a;
    struct vcpu *b;

    stage_begin(&s, run, 2);
    a = &s.vm->vcpu[0];
    b = &s.vm->vcpu[1];
    mini_vm_start(s.vm);
    /* Logical, to the vCPUs that have bit 1. */
    mini_ppt_setup(&s.dev, 0, mini_msi_addr(0x02) | 0x4, VECTOR, false);
    mini_check(posted_to(&s) == b);
    change(a, 0x02000000, APIC_BASE_ON); /* now both have it */
    mini_check(posted_to(&s) == NULL);
    mini_check(s.dev.handled == 1);
    change(b, 0x01000000, APIC_BASE_ON);
    mini_check(posted_to(&s) == a);
    change(a, 0x04000000, APIC_BASE_ON); /* nobody has */
    mini_check(posted_to(&s) == NULL);
    change(b, 0x02000000, APIC_BASE_ON);
    mini_check(posted_to(&s) == b);
    mini_check(play_count("reroutes") >= 4 && play_count("changes") == 0);
    stage_end(&s);
}

/* A local APIC that is off takes nothing, so nothing is posted to it. */
void mini_apic_off(const struct mini_run *run)
{
    struct stage s;
    struct vcpu *v;

    stage_begin(&s, run, 2);
    v = &s.vm->vcpu[1];
    mini_vm_start(s.vm);
    play_program(&s.dev, 1, VECTOR);
    mini_check(posted_to(&s) == v);
    change(v, 0x02000000, APIC_BASE_OFF);
    mini_check(posted_to(&s) == NULL);
    change(v, 0x02000000, APIC_BASE_ON);
    mini_check(posted_to(&s) == v);
    stage_end(&s);
}

/* bhyve makes a vCPU when it is first used; its interrupts may be there. */
void mini_late(const struct mini_run *run)
{
    struct stage s;
    const struct vcpu *v;

    stage_begin(&s, run, 1);
    v = &s.vm->vcpu[1];
    play_program(&s.dev, 1, VECTOR);
    mini_check(play_count("posted") == 0);
    mini_vm_make(s.vm);
    mini_check(play_count("posted") == 1);
    mini_vm_start(s.vm);
    mini_check(posted_to(&s) == v);
    stage_end(&s);
}

/* A vCPU goes while a device interrupts it: its interrupts have left its descriptor
 * by then, and nothing has to wait. Another one comes in its place. */
void mini_gone(const struct mini_run *run)
{
    struct stage s;
    uint64_t timeouts;

    stage_begin(&s, run, 2);
    play_program(&s.dev, 1, VECTOR);
    mini_check(play_count("posted") == 1);
    timeouts = shim_counters().timeouts;
    mini_vm_unmake(s.vm);
    mini_check(shim_counters().timeouts == timeouts);
    mini_check(play_count("posted") == 0);
    mini_check(mini_device_raise(&s.dev, 0));
    shim_quiesce();
    mini_check(s.dev.handled == 1);
    mini_vm_make(s.vm);
    mini_check(play_count("posted") == 1);
    mini_vm_start(s.vm);
    mini_check(posted_to(&s) == &s.vm->vcpu[1]);
    stage_end(&s);
}
