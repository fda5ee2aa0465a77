/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest halts: how does its thread sleep, and how does a device wake it, with no
 * wakeup lost and no wakeup twice?
 */
#include "start_vcpus.h"

static struct vtdpi_vcpu vcpu;
static bool woken;      /* the mark of the vCPU's thread: do not sleep */
static uint8_t pending; /* vector in the IRR of the pCPU */

/* A host writes the ICR. The vector arrives when the pCPU has interrupts enabled. */
static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    if (apic_id == APIC_ID)
        pending = vector;
}

/* A host makes the thread runnable, too. */
static void wake(void *ctx, void *cookie)
{
    (void)ctx, (void)cookie;
    woken = true;
}

/* The interrupt of the pCPU, after EOI. Returns the number of wake calls. */
static uint32_t interrupt(void)
{
    const uint8_t vector = pending;

    pending = 0;
    return vector == WNV ? vtdpi_pcpu_handle_wakeup(&pcpu, vector) : 0;
}

/* HLT with interrupts enabled, preemption off. Returns whether the thread sleeps. */
static bool halt(void)
{
    woken = false; /* here and nowhere else: once woken, a thread blocks anew */
    /* PENDING: something is posted, so go back to the run loop. OFFLINE: choose
     * another pCPU. BLOCKED: a wake may have come already. */
    return vtdpi_vcpu_block(&vcpu, &pcpu) == VTDPI_BLOCKED && !woken;
}

/* The run loop up to the VM entry. Returns the vector that the guest takes. */
static int enter(void)
{
    uint64_t taken[VTDPI_PIR_WORDS];

    vtdpi_vcpu_run(&vcpu, &pcpu);
    return vtdpi_vcpu_sync(&vcpu, taken) ? vtdpi_pir_highest(taken) : -1;
}

/* What the unit does with a posted entry. */
static void device(uint8_t vector)
{
    (void)vtdpi_vcpu_post(&vcpu, vector, false);
}

int main(void)
{
    static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                                  .wake = wake};

    start_vcpus(&ops);
    must(vtdpi_vcpu_attach(&sched, &vcpu, VTDPI_SLOT_ANY, &vcpu), "vCPU");

    claim(enter() < 0 && halt(), "nothing is posted: the thread sleeps");
    device(0x41);
    claim(pending == WNV && !woken, "a post sends the wakeup vector");
    claim(interrupt() == 1 && woken, "its handler wakes the thread");
    device(0x52);
    claim(pending == 0, "ON is set: another post sends nothing");
    pending = WNV; /* late or doubled: the handler may run at any time */
    claim(interrupt() == 0, "one block, one wake");
    claim(enter() == 0x52, "the guest takes 52h, the higher of the two");

    device(0x61);
    claim(pending == ANV && !halt(), "a post while the vCPU runs: no sleep");
    claim(enter() == 0x61, "the guest takes 61h");
    pending = 0;
    vtdpi_vcpu_preempt(&vcpu); /* the thread loses the pCPU on its way */
    device(0x62);
    claim(pending == 0 && !halt(), "a post under SN tells nobody: no sleep");
    claim(enter() == 0x62, "the guest takes 62h");

    claim(halt() && vtdpi_pcpu_offline(&pcpu) == 1 && woken,
          "the pCPU goes offline, which wakes the thread");
    claim(!halt(), "no thread sleeps there any more");
    return 0;
}
