/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APICs and what pCPUs do with the two notification vectors. A pending
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
        ex_fail("a notification for NDST %x, which is nobody", ndst);
        return;
    }
    if (host.cpu[cpu].dead)
        return;
    if (nv == ANV)
        host.cpu[cpu].irr |= IRR_ANV;
    else if (nv == WNV)
        host.cpu[cpu].irr |= IRR_WNV;
    else
        ex_fail("a notification with vector %x", nv);
}

static bool accepts(const struct host_cpu *cpu, uint64_t irr)
{
    return (cpu->irr & irr) != 0 && !cpu->irqs_off && !cpu->busy;
}

static bool accepts_anv(void *cpu)
{
    return accepts(cpu, IRR_ANV);
}

static bool accepts_wnv(void *cpu)
{
    return accepts(cpu, IRR_WNV);
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
        if (cpu->guest == 0)
            continue;
        cpu->busy = 1;
        process(cpu);
        ex_host(NULL, NULL);
        cpu->busy = 0;
    }
}

void interrupt_wnv(void *arg)
{
    struct host_cpu *const cpu = arg;

    for (;;) {
        ex_forget(0);
        ex_host(accepts_wnv, cpu);
        cpu->irr &= ~IRR_WNV;
        cpu->busy = 1;
        (void)vtdpi_pcpu_handle_wakeup(&cpu->pcpu, WNV);
        ex_host(NULL, NULL);
        cpu->busy = 0;
    }
}
