/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The run loop of a vCPU: what a hypervisor does around VM entry and exit, and
 * where it calls the library. In a run, with interrupts off all the time:
 *
 *     vtdpi_vcpu_run       notifications come to this pCPU, as ANV
 *       vtdpi_vcpu_merge   what is posted goes into the virtual IRR
 *       VM entry
 *         ...              ANV: the processor itself moves PIR to the virtual
 *         ...              IRR, and the guest takes the vector; no exit
 *       VM exit
 *       ... and again
 *     vtdpi_vcpu_preempt   notifications are suppressed; or
 *     vtdpi_vcpu_block     they come as WNV, and wake the vCPU
 */

#include "minivisor.h"

/* Time slices, by chance up to so many ticks of the time stamp counter. */
#define SLICE_TSC  20000

/* More than block can find something pending, one after the other. */
#define HALT_TRIES 64

/* The virtual APIC's processor-priority register, as an index of words. */
#define APIC_PPR   (0xa0 / 4)

/* The guest's x2APIC interrupt command register. */
#define X2APIC_ICR 0x830u

/* How a run goes on. */
enum next {
    ENTER,
    LEAVE_PREEMPTED,
    LEAVE_BLOCKED,
};

/* What was posted goes into the virtual IRR. Remember the highest vector there:
 * it is what RVI has to be. */
static void take(struct vcpu *v)
{
    v->highest = vtdpi_vcpu_merge(&v->pi, v->vmx.apic);
}

/* Would the guest, interrupts enabled, take something now? */
static bool is_deliverable(const struct vcpu *v)
{
    return v->highest >> 4 > (int)(v->vmx.apic[APIC_PPR] >> 4 & 0xf);
}

/* Halted, interrupts enabled, nothing deliverable: arm the wakeup vector, of this
 * pCPU or, for balance, of another one. */
static enum next halt(struct pcpu *p, struct vcpu *v)
{
    struct pcpu *where = &host.pcpu[chance(&p->random, PCPUS)];

    scheduler_arm(v); /* before block: from now on a wake counts */
    /* A host whose threads can be preempted may be so here. SN is set for a
     * while, and what is posted then is recorded and nothing else: block finds
     * it. */
    if (chance(&p->random, 2) == 0) {
        vtdpi_vcpu_preempt(&v->pi);
        dawdle(&p->random);
    }
    for (unsigned int tries = 0; tries < HALT_TRIES; tries++) {
        switch (vtdpi_vcpu_block(&v->pi, &where->pi)) {
        case VTDPI_BLOCKED:
            timeline(EVENT_HALTS, v->number, p->number, where->number, 0);
            return LEAVE_BLOCKED;
        case VTDPI_BLOCK_PENDING:
            take(v);
            if (is_deliverable(v))
                return ENTER;
            break; /* ON without a vector: block again */
        case VTDPI_BLOCK_OFFLINE:
            p->refusals++;
            where = p; /* the one that this runs on is online */
            break;
        case VTDPI_BLOCK_NOVECTOR:
            panic("v%u cannot halt: no wakeup vector", v->number);
        }
    }
    panic("v%u cannot halt: PENDING each time, over an empty PIR", v->number);
}

/* In the guest's HLT, before the first halt or after a wake: go on behind it if
 * there is anything to take, else sleep. */
static enum next halt_or_go_on(struct pcpu *p, struct vcpu *v)
{
    enum next next = ENTER;

    take(v);
    if (!is_deliverable(v))
        next = halt(p, v);
    v->halted = next != ENTER;
    if (next == ENTER)
        vtdpi_vcpu_run(&v->pi, &p->pi);
    return next;
}

/* The guest sends an IPI to another vCPU: posted by this CPU, delivered by the
 * other one, which does not leave its guest. */
static void send_ipi(struct vcpu *v, uint32_t dest, uint8_t vector)
{
    struct vcpu *const to = &host.vcpu[dest % VCPUS];
    const bool even = account_is_even(to, vector);
    enum vtdpi_post_result result;

    /* The guest waits for the last IPI to arrive before it sends another one,
     * so this one merges with none. */
    result = vtdpi_vcpu_post(&to->pi, vector, false);
    account_raised(to, vector, false, even);
    atomic_fetch_add(&counts.by_guest, 1);
    timeline(EVENT_POSTS, SOURCE_IPI + v->number, vector, to->number,
             timeline_post(result, SENT));
}

static enum next on_wrmsr(struct vcpu *v)
{
    const struct vmx_registers *const r = &v->vmx.registers;

    if ((uint32_t)r->rcx != X2APIC_ICR)
        panic("v%u: WRMSR of %x", v->number, (uint32_t)r->rcx);
    send_ipi(v, (uint32_t)r->rdx, (uint8_t)r->rax);
    vmx_skip_instruction();
    return ENTER;
}

static enum next on_vmcall(struct vcpu *v)
{
    const struct vmx_registers *const r = &v->vmx.registers;
    struct interrupt *const i = &host.interrupts[r->rbx % INTERRUPTS];

    if (r->rax == CALL_MOVE)
        vm_move(i, &host.vcpu[r->rcx % VCPUS], (uint8_t)r->rdx);
    else
        vm_unpost(i);
    vmx_skip_instruction();
    return ENTER;
}

static enum next on_timer(void)
{
    if (!scheduler_has_waiting())
        return ENTER;
    return LEAVE_PREEMPTED;
}

static enum next on_hlt(struct pcpu *p, struct vcpu *v)
{
    enum next next;

    vmx_skip_instruction();
    p->halts++;
    next = halt_or_go_on(p, v);
    if (next == ENTER) {
        p->stays++;
        timeline(EVENT_STAYS, v->number, p->number, v->highest, 0);
    }
    return next;
}

static enum next on_exit(struct pcpu *p, struct vcpu *v, uint32_t reason)
{
    uint8_t vector;

    switch (reason) {
    case VMX_EXIT_EXTERNAL_INTERRUPT:
        vector = (uint8_t)vmx_read(VMX_EXIT_INTERRUPT);
        p->exit_interrupts[vector]++;
        scheduler_interrupt(p, vector);
        return ENTER;
    case VMX_EXIT_HLT:
        return on_hlt(p, v);
    case VMX_EXIT_PREEMPTION_TIMER:
        return on_timer();
    case VMX_EXIT_VMCALL:
        return on_vmcall(v);
    case VMX_EXIT_WRMSR:
        return on_wrmsr(v);
    default:
        panic("v%u: exit %x, qualification %lx, interrupt %lx, at %lx",
              v->number, reason, vmx_read(VMX_EXIT_QUALIFICATION),
              vmx_read(VMX_EXIT_INTERRUPT), vmx_read(VMX_GUEST_RIP));
    }
}

/* RVI follows from the virtual IRR, which is the truth; SVI stays. An old RVI
 * that is larger counts for nothing: here it would be the vector that Bochs makes
 * up, in other hosts a vector from before a reset. */
static void set_rvi(const struct vcpu *v)
{
    const uint64_t status = vmx_read(VMX_GUEST_INTERRUPT_STATUS);

    vmx_write(VMX_GUEST_INTERRUPT_STATUS, (status & 0xff00) | v->highest);
}

static enum next enter(struct pcpu *p, struct vcpu *v)
{
    uint32_t reason;

    /* Interrupts are off from here to the entry. A notification that comes
     * in between waits in the local APIC, and the entry lets the processor act
     * on it. */
    take(v);
    set_rvi(v);
    vmx_set_timer(1 + chance(&p->random, SLICE_TSC));
    atomic_fetch_add(&v->crossings, 1);
    reason = vmx_run(&v->vmx);
    atomic_fetch_add(&v->crossings, 1);
    if (reason >= VMX_EXITS)
        panic("v%u: entry refused, reason %x", v->number, reason);
    p->exits[reason]++;
    return on_exit(p, v, reason);
}

/* Scheduled in: a new vCPU, one that was preempted, or one that was woken. The
 * last may find that it has taken already what it was woken for; then it blocks
 * anew, since no handler wakes it twice for one block. */
static enum next schedule_in(struct pcpu *p, struct vcpu *v)
{
    p->runs++;
    p->migrations += v->last != NULL && v->last != p;
    timeline(EVENT_RUNS, v->number, p->number,
             v->last == NULL ? 0 : v->last->number, 0);
    v->last = p;
    p->vcpu = v;
    vmx_load(&v->vmx);
    if (v->halted)
        return halt_or_go_on(p, v);
    vtdpi_vcpu_run(&v->pi, &p->pi);
    return ENTER;
}

static void schedule_out(struct pcpu *p, struct vcpu *v, enum next how)
{
    /* Before another pCPU can get hold of it. */
    vmx_clear(&v->vmx);
    p->vcpu = NULL;
    if (how == LEAVE_PREEMPTED) {
        vtdpi_vcpu_preempt(&v->pi);
        p->preempts++;
        timeline(EVENT_PREEMPTED, v->number, p->number, 0, 0);
        scheduler_ready(v);
    } else {
        /* Wakes that come before it sleeps are not lost, either. */
        if (chance(&p->random, 2) == 0)
            dawdle(&p->random);
        scheduler_sleep(v);
    }
}

void vcpu_run(struct pcpu *p, struct vcpu *v)
{
    enum next next = schedule_in(p, v);

    while (next == ENTER)
        next = enter(p, v);
    schedule_out(p, v, next);
}

void vcpu_start(struct vcpu *v, unsigned int number)
{
    const struct vmx_posting posting = {.pid = vtdpi_vcpu_pda(&v->pi),
                                        .anv = ANV};
    const struct vmx_start start = {
        .rip = (uintptr_t)guest_main,
        .rsp = guest_stack(number),
        .argument = number,
        .idt = guest_gates(),
    };

    v->number = number;
    v->pda = posting.pid;
    v->vmx.apic[0x20 / 4] = number; /* its x2APIC id */
    vmx_init(&v->vmx, &posting, &start);
}
