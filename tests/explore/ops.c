/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU's thread does, and how it calls the subject. */
#include "world_internal.h"

static unsigned int index_of(const struct host_vcpu *v)
{
    return (unsigned int)(v - host.vcpu);
}

static bool cpu_free(void *cpu)
{
    return ((struct host_cpu *)cpu)->current == 0;
}

static bool cpu_idle(void *cpu)
{
    return !((struct host_cpu *)cpu)->busy;
}

static bool is_woken(void *v)
{
    return ((struct host_vcpu *)v)->woken != 0;
}

static bool has_gone(void *v)
{
    return !((struct host_vcpu *)v)->attached;
}

/* Attached once, and detached. */
static bool came_and_went(void *v)
{
    const struct host_vcpu *const h = v;

    return h->came && !h->attached;
}

/* No script has a post to it left: posters have finished. */
static bool posters_done(void *arg)
{
    const unsigned int vcpu =
        (unsigned int)((struct host_vcpu *)arg - host.vcpu);

    for (unsigned int i = 0; i < THREADS; i++) {
        const struct script *const s = &world.scenario->script[i];

        for (uint64_t n = host.thread[i].next;
             s->role == ROLE_POSTER && s->op[n].kind != OP_END; n++) {
            if (s->op[n].kind != OP_DEVICE && s->op[n].vcpu == vcpu)
                return false;
        }
    }
    return true;
}

static struct host_cpu *cpu_of(const struct host_vcpu *v)
{
    return v->cpu == 0 ? NULL : &host.cpu[v->cpu - 1];
}

static bool in_guest(const struct host_vcpu *v)
{
    return v->cpu != 0 && cpu_of(v)->guest == index_of(v) + 1;
}

static void leave_guest(struct host_vcpu *v)
{
    if (!in_guest(v))
        return;
    ex_host(cpu_idle, cpu_of(v));
    cpu_of(v)->guest = 0;
    if (hooks->leave != NULL)
        hooks->leave(index_of(v));
}

/* In a host action. */
static void release_cpu(struct host_vcpu *v)
{
    if (v->cpu != 0)
        cpu_of(v)->current = 0;
    v->cpu = 0;
}

static void take_cpu(struct host_vcpu *v, unsigned int cpu)
{
    if (v->cpu == cpu + 1)
        return;
    if (v->cpu != 0) {
        ex_host(NULL, NULL);
        release_cpu(v);
    }
    /* A guest may stay there for ever. */
    if (hooks->foreign)
        op_idle(cpu_free, &host.cpu[cpu]);
    else
        ex_host(cpu_free, &host.cpu[cpu]);
    host.cpu[cpu].current = index_of(v) + 1;
    v->cpu = cpu + 1;
}

void schedule_in(struct host_vcpu *v, unsigned int cpu)
{
    take_cpu(v, cpu);
    ex_observe(host.cpu[cpu].closed);
    if (host.cpu[cpu].closed) {
        cpu = 1 - cpu;
        take_cpu(v, cpu);
    }
    if (world.bug == HOST_MOVES_WITHOUT_RUN && !hooks->blocked(index_of(v)))
        return;
    hooks->run(index_of(v), cpu);
}

/* The harvest; what was taken reaches the guest at the next host action. */
static bool sync_vcpu(struct host_vcpu *v)
{
    struct host_thread *const t = &host.thread[ex_running()];
    uint64_t taken[VTDPI_PIR_WORDS];
    bool any;

    t->harvests = 1;
    any = hooks->sync(index_of(v), taken);
    t->harvests = 0;
    account(v, taken);
    return any;
}

static void enter(struct host_vcpu *v)
{
    struct host_cpu *const cpu = cpu_of(v);

    ex_host(cpu_idle, cpu);
    cpu->irqs_off = 1;
    if (hooks->enter != NULL)
        hooks->enter(index_of(v));
    (void)sync_vcpu(v);
    ex_host(NULL, NULL);
    cpu->guest = index_of(v) + 1;
    cpu->irqs_off = 0;
}

static void op_preempt(struct host_vcpu *v)
{
    leave_guest(v);
    hooks->preempt(index_of(v));
    ex_host(NULL, NULL);
    release_cpu(v);
}

/* A plain store may wait in the store buffer up to block's first locked
 * operation. */
static void arm_mark(struct host_vcpu *v)
{
    if (world.bug == HOST_ARMS_PLAINLY) {
        ex_store(&v->woken, 0);
        return;
    }
    ex_host(NULL, NULL);
    v->woken = 0;
}

static enum block_result call_block(struct host_vcpu *v, unsigned int cpu,
                                    bool committed)
{
    struct host_thread *const t = &host.thread[ex_running()];
    enum block_result result;

    t->unmarks = 1;
    result = hooks->block(index_of(v), cpu, committed);
    t->unmarks = 0;
    return result;
}

/*
 * Block on @cpu, or on the other while that is offline. False if there is
 * something for the guest, so that it need not sleep.
 */
static bool block(struct host_vcpu *v, unsigned int cpu, bool committed)
{
    enum block_result result;

    /* A caller names a pCPU only after it was told that the pCPU is there. */
    hooks->await_pcpu(cpu);
    if (world.bug != HOST_MARK_AFTER_BLOCK)
        arm_mark(v);
    for (;;) {
        op_phase(1 + cpu);
        result = call_block(v, cpu, committed);
        if (result == BLOCK_BLOCKED)
            break;
        if (result == BLOCK_IS_OFFLINE) {
            cpu = 1 - cpu;
            continue;
        }
        if (committed)
            ex_fail("X: block_committed returns PENDING");
        if (world.bug == HOST_ENTERS_AFTER_PENDING || sync_vcpu(v))
            return false;
    }
    if (world.bug == HOST_MARK_AFTER_BLOCK)
        arm_mark(v);
    return true;
}

/* Something is posted; within a host action. */
static bool has_reason(const struct host_vcpu *v)
{
    const struct vtdpi_pid *const pid = pid_of(index_of(v));
    bool any = (pid->control & CTL_ON) != 0;

    ex_touch(&pid->control, false);
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        ex_touch(&pid->pir[i], false);
        any |= pid->pir[i] != 0;
    }
    ex_observe(any);
    return any;
}

static void sleep_until_woken(struct host_vcpu *v)
{
    /* It was switched in after the block, and its mark ends the sleep at once. */
    if (hooks->foreign && !hooks->blocked(index_of(v)))
        hooks->preempt(index_of(v));
    ex_host(NULL, NULL);
    release_cpu(v);
    v->asleep = ASLEEP_BLOCKED;
    op_phase(8);
    ex_host(is_woken, v);
    while (world.bug == HOST_SLEEPS_AGAIN && !has_reason(v)) {
        v->woken = 0;
        op_phase(8);
        ex_host(is_woken, v);
    }
    v->asleep = 0;
}

static void op_halt(struct host_vcpu *v, const struct op *op)
{
    leave_guest(v);
    if (block(v, op->cpu, op->kind == OP_HALT_COMMITTED))
        sleep_until_woken(v);
    else if (world.bug == HOST_ENTERS_AFTER_PENDING) {
        enter(v);
        return;
    }
    op_phase(9);
    schedule_in(v, op->back);
    op_phase(10);
    enter(v);
}

/* Block now; the sleep is an operation of its own, perhaps later. If the block says
 * that there is to be no sleep, the woken mark says so to the sleep. */
void op_block(struct host_vcpu *v, const struct op *op)
{
    leave_guest(v);
    if (!block(v, op->cpu, op->kind == OP_BLOCK_COMMITTED)) {
        ex_host(NULL, NULL);
        v->woken = 1;
    }
}

/* The scheduler takes the thread off and lets it go on, before it sleeps. */
static void op_switch(struct host_vcpu *v, const struct op *op)
{
    op_preempt(v);
    op_phase(1);
    schedule_in(v, op->cpu);
    ex_host(NULL, NULL);
    if (world.bug != HOST_SWITCH_UNMARKED)
        v->woken = 1;
}

static void op_sync(struct host_vcpu *v)
{
    if (sync_vcpu(v)) {
        ex_host(NULL, NULL);
        v->woken = 1;
    }
}

static void op_reset(struct host_vcpu *v)
{
    struct host_thread *const t = &host.thread[ex_running()];

    t->discards = t->harvests = 1;
    hooks->discard(index_of(v));
    t->discards = t->harvests = 0;
}

static void op_attach(struct host_vcpu *v)
{
    struct host_thread *const t = &host.thread[ex_running()];

    const bool waited = hooks->await_slot(index_of(v));

    if (!waited && v == &host.vcpu[C])
        op_idle(has_gone, &host.vcpu[A]);
    else if (!waited && v == &host.vcpu[A])
        op_idle(came_and_went, &host.vcpu[C]);
    ex_host(NULL, NULL);
    hooks->check_free(index_of(v));
    v->attached = 1;
    v->came = 1;
    t->forgets = t->harvests = 1;
    if (!hooks->attach(index_of(v)))
        ex_fail("X: the slot cannot be attached");
    /* Handing the vCPU over is a barrier. */
    ex_host(NULL, NULL);
    t->forgets = t->harvests = 0;
    v->open = 1;
}

static void op_detach(struct host_vcpu *v)
{
    uint64_t left[VTDPI_PIR_WORDS];

    leave_guest(v);
    ex_host(posters_done, v);
    hooks->detach(index_of(v));
    ex_host(NULL, NULL);
    release_cpu(v);
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        left[i] = pid_of(index_of(v))->pir[i];
    v->dropped |= vectors_in(left);
    hooks->check_free(index_of(v));
    v->attached = 0;
    v->open = 0;
}

static void op_nap(struct host_vcpu *v)
{
    ex_host(NULL, NULL);
    v->asleep = ASLEEP_NAP;
    op_phase(1);
    ex_host(is_woken, v);
    v->asleep = 0;
}

void op_vcpu(const struct op *op)
{
    struct host_vcpu *const v = &host.vcpu[op->vcpu];

    host.thread[ex_running()].owner = op->vcpu + 1U;
    switch (op->kind) {
    case OP_RUN:
        schedule_in(v, op->cpu);
        break;
    case OP_ENTER:
        enter(v);
        break;
    case OP_PREEMPT:
        op_preempt(v);
        break;
    case OP_HALT:
    case OP_HALT_COMMITTED:
        op_halt(v, op);
        break;
    case OP_BLOCK:
    case OP_BLOCK_COMMITTED:
        op_block(v, op);
        break;
    case OP_SLEEP:
        sleep_until_woken(v);
        break;
    case OP_SWITCH:
        op_switch(v, op);
        break;
    case OP_SYNC:
        op_sync(v);
        break;
    case OP_RESET:
        op_reset(v);
        break;
    case OP_ATTACH:
        op_attach(v);
        break;
    case OP_DETACH:
        op_detach(v);
        break;
    case OP_NAP:
        op_nap(v);
        break;
    default:
        hooks->own(op);
    }
}
