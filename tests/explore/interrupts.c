/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APICs and what pCPUs do with the notification vectors. A pending
 * interrupt may be taken at any later time at which the pCPU accepts one; a
 * handler runs beside the thread that it interrupts, which is more than can
 * happen.
 */
#include "world_internal.h"

void interrupt_deliver(uint32_t ndst, uint8_t nv)
{
    const unsigned int cpu = cpu_of_ndst(ndst);

    /* An urgent post before the first run: ANV, for the NDST of attach. */
    if (ndst == 0 && nv == ANV)
        return;
    if (cpu == CPUS) {
        ex_fail("E: a notification for NDST %x, which is nobody", ndst);
        return;
    }
    if (host.cpu[cpu].dead)
        return;
    if (nv == ANV)
        host.cpu[cpu].irr |= IRR_ANV;
    else if (nv == WNV || (nv == WNV_OTHER && wnvs() == 2))
        host.cpu[cpu].irr |= IRR_WNV(nv != WNV);
    else
        ex_fail("E: a notification with vector %x", nv);
}

void interrupt_send(uint32_t apic, uint8_t vector)
{
    ex_host(NULL, NULL);
    interrupt_deliver(apic << 8, vector);
}

void wake_vcpu(unsigned int vcpu)
{
    struct host_vcpu *const v = &host.vcpu[vcpu];

    ex_host(NULL, NULL);
    if (!v->attached)
        ex_fail("D: wake of %c, which is detached", (char)('A' + vcpu));
    hooks->check_wake(vcpu);
    v->woken = 1;
}

static bool accepts(const struct host_cpu *cpu, uint64_t irr)
{
    if (hooks->may_interrupt != NULL &&
        !hooks->may_interrupt((unsigned int)(cpu - host.cpu)))
        return false;
    return (cpu->irr & irr) != 0 && !cpu->irqs_off && !cpu->busy;
}

static bool accepts_anv(void *cpu)
{
    return accepts(cpu, IRR_ANV);
}

/* The handlers of all wakeup vectors exclude one another. */
static bool accepts_wnv(const struct host_cpu *cpu, unsigned int n)
{
    if (world.bug == HOST_HANDLERS_OVERLAP)
        return (cpu->irr & IRR_WNV(n)) != 0 && !cpu->irqs_off &&
               (cpu->busy & ~IRR_WNVS) == 0;
    return accepts(cpu, IRR_WNV(n));
}

static bool accepts_first(void *cpu)
{
    return accepts_wnv(cpu, 0);
}

static bool accepts_other(void *cpu)
{
    return accepts_wnv(cpu, 1);
}

/*
 * Posted-interrupt processing as the processor does it: clear ON, then take
 * PIR. It is hardware: written here with host actions, not with pid.h.
 */
static void process(struct host_cpu *cpu)
{
    struct vtdpi_pid *const pid = pid_of((unsigned int)cpu->guest - 1);
    struct host_vcpu *const v = &host.vcpu[cpu->guest - 1];
    uint64_t taken[VTDPI_PIR_WORDS] = {0, 0, 0, 0};

    ex_host(NULL, NULL);
    ex_touch(&pid->control, true);
    pid->control &= ~CTL_ON;
    for (unsigned int i = 1; i < VTDPI_PIR_WORDS; i += 2) {
        ex_host(NULL, NULL);
        ex_touch(&pid->pir[i], true);
        taken[i] = pid->pir[i];
        pid->pir[i] = 0;
        v->owed |= vectors_in(taken);
        account(v, taken);
        taken[i] = 0;
    }
}

/* In the guest it is processed; in host mode its handler does EOI only. */
void interrupt_anv(void *arg)
{
    struct host_cpu *const cpu = arg;

    for (;;) {
        ex_forget(0);
        ex_host(accepts_anv, cpu);
        cpu->irr &= ~IRR_ANV;
        ex_observe(cpu->guest);
        if (cpu->guest == 0 && hooks->notified == NULL)
            continue;
        cpu->busy |= IRR_ANV;
        if (cpu->guest == 0)
            hooks->notified((unsigned int)(cpu - host.cpu));
        else
            process(cpu);
        ex_host(NULL, NULL);
        cpu->busy &= ~IRR_ANV;
    }
}

/* Wakeup vector n of a pCPU, each time it comes. */
static void handle(struct host_cpu *cpu, unsigned int n,
                   bool (*accepted)(void *cpu))
{
    const uint8_t vector = wnv(world.bug == HOST_HANDLER_TOLD_FIRST ? 0 : n);

    for (;;) {
        ex_forget(0);
        ex_host(accepted, cpu);
        cpu->irr &= ~IRR_WNV(n);
        cpu->busy |= IRR_WNV(n);
        hooks->handle_wakeup((unsigned int)(cpu - host.cpu), vector);
        ex_host(NULL, NULL);
        cpu->to_wake = 0; /* what is left was detached: no cookie */
        cpu->busy &= ~IRR_WNV(n);
    }
}

void interrupt_wnv(void *cpu)
{
    handle(cpu, 0, accepts_first);
}

void interrupt_wnv_other(void *cpu)
{
    handle(cpu, 1, accepts_other);
}
