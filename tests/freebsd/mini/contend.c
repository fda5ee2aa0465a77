/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads at one entry: what one changes while the other is changing the
 * entry is in force before its caller goes on. */
#include "play.h"

enum {
    VECTOR = 0x61,
    /* Turns in which another thread gets anywhere that it can. */
    TURNS = 300,
};

/* A VM of two vCPUs that do not run, and a device on unit 0 that interrupts
 * the vCPU that has logical id 1. */
struct stage {
    struct vm *vm;
    struct mini_device dev;
    u_int left;     /* flushes that are still to be disturbed */
    uint32_t begun; /* atomic: the other thread is about to change something */
    uint32_t returned; /* atomic */
};

static void stage_begin(struct stage *s, const struct mini_run *run)
{
    play_begin(run, 0);
    memset(s, 0, sizeof(*s));
    s->vm = mini_vm_create(2, true);
    mini_ppt_attach(&s->dev, "ppt0", 0, 0x0310, false);
    mini_ppt_assign(&s->dev, s->vm);
}

static void stage_end(struct stage *s)
{
    mini_ppt_unassign(&s->dev);
    play_add_device(&s->dev);
    play_add_vm(s->vm);
    mini_ppt_detach(&s->dev);
    mini_vm_destroy(s->vm);
    play_end();
}

static void turns(void)
{
    for (u_int i = 0; i < TURNS; i++)
        shim_relax();
}

/* vCPU @v has logical id 1 from now on, and no other one. */
static void give_id(struct stage *s, u_int v)
{
    for (u_int i = 0; i < s->vm->vcpus; i++) {
        __atomic_store_n(&s->vm->vcpu[i].apic[APIC_LDR_REG],
                         (i == v ? 1u : 2u) << 24, __ATOMIC_RELAXED);
        vtdpi_bhyve_apic_changed(s->vm->vcpu[i].pi, 0xfee00800);
    }
}

/* The next interrupt is posted to vCPU @v. */
static void check_posted(struct stage *s, u_int v)
{
    const uint64_t *raised = &s->vm->vcpu[v].account[VECTOR].raised;
    const uint64_t before = __atomic_load_n(raised, __ATOMIC_RELAXED);
    const uint64_t posted = s->dev.posted;

    mini_check(mini_device_raise(&s->dev, 0));
    mini_check(s->dev.posted == posted + 1);
    mini_check(__atomic_load_n(raised, __ATOMIC_RELAXED) == before + 1);
}

/* In the middle of a flush. */
static void move_id(void *arg)
{
    struct stage *s = arg;

    if (s->left > 0)
        give_id(s, s->left-- % 2);
}

/* The id moves while the entry is being changed, more often than one work takes
 * the entry. */
void mini_overtaken(const struct mini_run *run)
{
    struct stage s;

    stage_begin(&s, run);
    give_id(&s, 0);
    mini_dmar_at(MINI_AT_FLUSH, move_id, &s);
    mini_ppt_setup(&s.dev, 0, mini_msi_addr(1) | 0x4, VECTOR, false);
    for (u_int i = 1; i <= 5; i++) {
        s.left = i;
        mini_ppt_setup(&s.dev, 0, mini_msi_addr(1 - i % 2), VECTOR + 1, false);
        mini_ppt_setup(&s.dev, 0, mini_msi_addr(1) | 0x4, VECTOR, false);
        mini_check(s.left == 0);
        check_posted(&s, 1);
    }
    mini_dmar_at(MINI_AT_FLUSH, NULL, NULL);
    stage_end(&s);
}

/* The flush lasts until the other thread would have gone on. */
static void hold_flush(void *arg)
{
    struct stage *s = arg;

    if (s->left == 0)
        return;
    s->left--;
    while (__atomic_load_n(&s->begun, __ATOMIC_SEQ_CST) == 0)
        shim_relax();
    turns();
    mini_check(__atomic_load_n(&s->returned, __ATOMIC_SEQ_CST) == 0);
}

static void apply_other(void *arg)
{
    struct stage *s = arg;

    vtdpi_bhyve_reroute(s->vm->vcpu[0].pi);
}

/* Both APICs have changed, and another thread of the VM is applying that: the vCPU
 * does not go on before the entry has followed. */
void mini_waits(const struct mini_run *run)
{
    struct thread *td;
    struct stage s;

    stage_begin(&s, run);
    give_id(&s, 0);
    mini_ppt_setup(&s.dev, 0, mini_msi_addr(1) | 0x4, VECTOR, false);
    for (u_int i = 1; i <= 4; i++) {
        vtdpi_bhyve_reroute(s.vm->vcpu[0].pi);
        vtdpi_bhyve_reroute(s.vm->vcpu[1].pi);
        __atomic_store_n(&s.begun, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&s.returned, 0, __ATOMIC_SEQ_CST);
        s.left = 1;
        mini_dmar_at(MINI_AT_FLUSH, hold_flush, &s);
        give_id(&s, i % 2);
        td = shim_thread_create("other", apply_other, &s);
        turns();
        __atomic_store_n(&s.begun, 1, __ATOMIC_SEQ_CST);
        vtdpi_bhyve_reroute(s.vm->vcpu[1].pi);
        __atomic_store_n(&s.returned, 1, __ATOMIC_SEQ_CST);
        check_posted(&s, i % 2);
        shim_thread_join(td);
        mini_dmar_at(MINI_AT_FLUSH, NULL, NULL);
    }
    stage_end(&s);
}

static void rebind(void *arg)
{
    struct stage *s = arg;

    mini_irq_rebind(s->dev.msg[0].irq, mp_maxid);
}

/* The driver has its lock and is about to ask; the other thread comes as far as
 * it can without that lock. */
static void hold_question(void *arg)
{
    struct stage *s = arg;

    __atomic_store_n(&s->begun, 1, __ATOMIC_SEQ_CST);
    turns();
}

/* The host form is written, the new one or still the old one; a device sends by
 * it. */
static void raise_in_flush(void *arg)
{
    struct stage *s = arg;

    if (__atomic_load_n(&s->begun, __ATOMIC_SEQ_CST) == 0)
        return;
    turns();
    mini_check(mini_device_raise(&s->dev, 0));
}

/* The kernel moves the host interrupt just when the posted form is taken away, and
 * gives the old vector to somebody else at once. */
void mini_rebind_waits(const struct mini_run *run)
{
    struct thread *td;
    struct stage s;

    stage_begin(&s, run);
    for (u_int i = 1; i <= 4; i++) {
        play_program(&s.dev, 1, VECTOR);
        check_posted(&s, 1);
        __atomic_store_n(&s.begun, 0, __ATOMIC_SEQ_CST);
        mini_dmar_at(MINI_AT_QUESTION, hold_question, &s);
        mini_dmar_at(MINI_AT_FLUSH, raise_in_flush, &s);
        td = shim_thread_create("rebind", rebind, &s);
        while (__atomic_load_n(&s.begun, __ATOMIC_SEQ_CST) == 0)
            shim_relax();
        play_program(&s.dev, 0xff, VECTOR);
        shim_thread_join(td);
        mini_dmar_at(MINI_AT_QUESTION, NULL, NULL);
        mini_dmar_at(MINI_AT_FLUSH, NULL, NULL);
        mini_check(mini_device_raise(&s.dev, 0));
        shim_quiesce();
    }
    stage_end(&s);
}
