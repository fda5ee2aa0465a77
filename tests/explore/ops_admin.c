/* SPDX-License-Identifier: BSD-2-Clause */
/* What posters and the administrator do. */
#include "world_internal.h"

static bool is_open(void *v)
{
    return ((struct host_vcpu *)v)->open != 0;
}

static bool naps(void *v)
{
    return ((struct host_vcpu *)v)->asleep == ASLEEP_NAP;
}

static bool empty(void *cpu)
{
    return ((struct host_cpu *)cpu)->current == 0;
}

static bool no_interrupt(void *cpu)
{
    return !((struct host_cpu *)cpu)->busy;
}

static bool drained(void *arg)
{
    (void)arg;
    return host.inflight == 0;
}

/*
 * A post by a unit: PIR and control in one step, as the specification has it,
 * written with literal bits. Within a host action. Returns the word before,
 * or 0 if nothing is to be sent.
 */
static uint64_t unit_record(unsigned int vcpu, uint8_t vector, bool urgent)
{
    struct vtdpi_pid *const pid = pid_of(vcpu);
    uint64_t *const word = &pid->pir[vector / 64];
    const uint64_t old = pid->control;

    ex_touch(word, true);
    ex_touch(&pid->control, true);
    *word |= UINT64_C(1) << vector % 64;
    if ((old & CTL_ON) != 0 || ((old & CTL_SN) != 0 && !urgent)) {
        ex_observe(0);
        return 0;
    }
    pid->control = old | CTL_ON;
    ex_observe(old);
    return old;
}

static void unit_send(uint64_t control)
{
    if (control == 0)
        return;
    ex_host(NULL, NULL);
    interrupt_deliver((uint32_t)(control >> 32), (uint8_t)(control >> 16));
}

static void op_unit(const struct op *op)
{
    uint64_t control;

    op_idle(is_open, &host.vcpu[op->vcpu]);
    host.vcpu[op->vcpu].posted |= UINT64_C(1) << op->cpu;
    control =
        unit_record(op->vcpu, vector_of(op->cpu), op->kind == OP_UNIT_URGENT);
    unit_send(control);
}

/* An interrupt whose entry may be changing: read, then posted. */
static void op_device(const struct op *op)
{
    uint64_t control;
    uint64_t target;

    ex_host(NULL, NULL);
    target = host.entry;
    ex_observe(target);
    if (target == 0)
        return; /* goes to the host */
    host.inflight++;
    ex_host(NULL, NULL);
    if (!host.vcpu[target - 1].attached && host.vcpu[target - 1].held != HELD)
        ex_fail("D: a post to %c, which is detached", (char)('A' + target - 1));
    host.vcpu[target - 1].posted |= UINT64_C(1) << op->cpu;
    control = unit_record((unsigned int)target - 1, vector_of(op->cpu), false);
    host.inflight--;
    unit_send(control);
}

static void op_post(const struct op *op)
{
    op_idle(is_open, &host.vcpu[op->vcpu]);
    hooks->post(op->vcpu, vector_of(op->cpu), op->kind == OP_POST_URGENT);
}

/* A vector of the host's own, beside those that are merged. */
static void op_emulate(const struct op *op)
{
    const uint8_t vector = vector_of(op->cpu);
    uint64_t *const word = irr_word(op->vcpu, vector);

    ex_host(NULL, NULL);
    ex_touch(word, true);
    *word |= UINT64_C(1) << vector % 32;
    host.vcpu[op->vcpu].posted |= UINT64_C(1) << op->cpu;
}

void op_poster(const struct op *op)
{
    switch (op->kind) {
    case OP_UNIT:
    case OP_UNIT_URGENT:
        op_unit(op);
        break;
    case OP_POST:
    case OP_POST_URGENT:
        op_post(op);
        break;
    case OP_DEVICE:
        op_device(op);
        break;
    case OP_EMULATE:
        op_emulate(op);
        break;
    default:
        ex_fail("not an operation of a poster");
    }
}

/* vCPU threads are moved off first; the local APIC loses what comes later. */
static void op_offline(struct host_cpu *cpu)
{
    op_idle(empty, cpu);
    cpu->closed = 1;
    hooks->offline((unsigned int)(cpu - host.cpu));
    ex_host(no_interrupt, cpu);
    cpu->dead = 1;
    cpu->irr = 0;
}

static void op_online(struct host_cpu *cpu)
{
    ex_host(NULL, NULL);
    cpu->dead = 0;
    hooks->online((unsigned int)(cpu - host.cpu));
    ex_host(NULL, NULL);
    cpu->closed = 0;
}

/* Flushed and drained before the reference goes back. */
static void drop_entry(uint64_t old)
{
    bool held; /* another kernel has made the entry: no reference */

    if (old == 0)
        return;
    held = host.vcpu[old - 1].held != 0;
    if (world.bug !=
        (held ? HOST_RELEASE_BEFORE_FLUSH : HOST_UNREF_BEFORE_FLUSH))
        ex_host(drained, NULL);
    if (!held)
        hooks->unref((unsigned int)old - 1);
}

static void op_bind(unsigned int vcpu)
{
    uint64_t old;

    if (!hooks->ref(vcpu))
        return; /* its detach has begun: the entry stays as it is */
    ex_host(NULL, NULL);
    old = host.entry;
    ex_observe(old);
    host.entry = vcpu + 1U;
    drop_entry(old);
}

static void op_unbind(void)
{
    uint64_t old;

    ex_host(NULL, NULL);
    old = host.entry;
    ex_observe(old);
    host.entry = 0;
    drop_entry(old);
}

static void op_attach_napping(struct host_vcpu *v)
{
    ex_host(NULL, NULL);
    v->attached = 1;
    v->came = 1;
    host.thread[ex_running()].owner = (uint64_t)(v - host.vcpu) + 1;
    host.thread[ex_running()].harvests = 1;
    if (!hooks->attach((unsigned int)(v - host.vcpu)))
        ex_fail("X: the slot cannot be attached");
    ex_host(NULL, NULL);
    host.thread[ex_running()].owner = 0;
    host.thread[ex_running()].harvests = 0;
    v->open = 1;
    if (world.bug != HOST_NO_KICK_ON_ATTACH && !hooks->foreign)
        v->woken = 1;
}

void op_admin(const struct op *op)
{
    struct host_cpu *const cpu = &host.cpu[op->cpu];
    struct host_vcpu *const v = &host.vcpu[op->vcpu];

    switch (op->kind) {
    case OP_OFFLINE:
        op_offline(cpu);
        break;
    case OP_ONLINE:
        op_online(cpu);
        break;
    case OP_SPURIOUS:
        ex_host(NULL, NULL);
        cpu->irr |= cpu->dead ? 0 : IRR_WNV(wnv_number(op->vcpu));
        break;
    case OP_BIND:
        op_bind(op->vcpu);
        break;
    case OP_UNBIND:
        op_unbind();
        break;
    case OP_ATTACH:
        op_attach_napping(v);
        break;
    case OP_AWAIT_NAP:
        op_idle(naps, v);
        break;
    default:
        hooks->own(op);
    }
}
