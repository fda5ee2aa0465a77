/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The guest: one kernel on all vCPUs, which knows nothing of the host. It
 * works, sends IPIs, moves its devices' interrupts from vCPU to vCPU, halts;
 * and counts what its handlers receive. What leaves the guest is HLT, the
 * write of ICR and VMCALL; taking an interrupt and its EOI do not.
 */

#include "minivisor.h"

#define STACK_SIZE 8192

/* x2APIC registers. */
#define X2APIC_ID  0x802u
#define X2APIC_EOI 0x80bu
#define X2APIC_ICR 0x830u

/* One round of work, in turns of a loop, at most. */
#define WORK_TURNS 4000

struct guest guest;

static _Alignas(16) uint8_t stacks[VCPUS][STACK_SIZE];

/* guest_entry.S: an entry point per vector, 16 bytes apart. */
extern const uint8_t guest_stubs[];

void guest_interrupt(uint64_t vector);

/* Interrupts. */

unsigned int guest_source(uint8_t vector)
{
    if (vector >= VECTOR_DEVICE && vector < VECTOR_DEVICE + 16 * INTERRUPTS)
        return (vector - VECTOR_DEVICE) / 16u;
    if (vector >= VECTOR_EMULATED && vector < VECTOR_EMULATED + VCPUS)
        return SOURCE_EMULATED + vector - VECTOR_EMULATED;
    if (vector >= VECTOR_IPI && vector < VECTOR_IPI + VCPUS)
        return SOURCE_IPI + vector - VECTOR_IPI;
    return SOURCES;
}

/* What a driver's handler does: look how far its device is. Handlers of one
 * device can run on two vCPUs at a time, just after it was moved. */
static void see(unsigned int source)
{
    const unsigned long events = atomic_load(&guest.events[source]);
    unsigned long seen = atomic_load(&guest.seen[source]);

    while (seen < events &&
           !atomic_compare_exchange_weak(&guest.seen[source], &seen, events)) {
    }
}

/* Called by the stubs, interrupts off. */
void guest_interrupt(uint64_t vector)
{
    const uint64_t vcpu = rdmsr(X2APIC_ID);
    const unsigned int source = guest_source((uint8_t)vector);

    atomic_fetch_add(&guest.received[vcpu][vector], 1);
    if (source != SOURCES)
        see(source);
    wrmsr(X2APIC_EOI, 0);
}

/* What the guest does. */

static void hypercall(uint64_t call, uint64_t interrupt, uint64_t vcpu,
                      uint64_t vector)
{
    __asm__ volatile("vmcall"
                     :
                     : "a"(call), "b"(interrupt), "c"(vcpu), "d"(vector)
                     : "memory");
}

static void work(uint64_t *random)
{
    for (uint32_t n = chance(random, WORK_TURNS); n != 0; n--)
        __asm__ volatile("");
}

/* One at a time: the last one must have arrived. */
static void send_ipi(uint64_t self, uint64_t *random)
{
    const unsigned int source = SOURCE_IPI + (unsigned int)self;
    const uint64_t to = (self + 1 + chance(random, VCPUS - 1)) % VCPUS;

    if (atomic_load(&guest.seen[source]) != atomic_load(&guest.events[source]))
        return;
    atomic_fetch_add(&guest.events[source], 1);
    wrmsr(X2APIC_ICR, to << 32 | (VECTOR_IPI + self));
}

/* vCPU n's driver owns interrupt n. Each move takes the next of 16 vectors, so
 * that one that comes late is told from one that was moved. */
static void move(uint64_t self, uint64_t *random, unsigned int *step)
{
    if (chance(random, 4) == 0) {
        hypercall(CALL_UNPOST, self, 0, 0);
        return;
    }
    *step = (*step + 1) % 16;
    hypercall(CALL_MOVE, self, chance(random, VCPUS),
              VECTOR_DEVICE + 16 * self + *step);
}

/* Interrupts are off between the decision and HLT, and STI lets none through
 * before HLT. (Bochs 3.0 can deliver one with interrupts off, when a second
 * ANV meets one that is pending. Then this HLT sleeps until the next one, which
 * does no harm: the handlers do all that the guest does about an interrupt.) */
static void halt(void)
{
    __asm__ volatile("cli\n\t"
                     "sti\n\t"
                     "hlt" ::
                         : "memory");
}

void guest_main(uint64_t vcpu)
{
    uint64_t random = chance_start(200 + (unsigned int)vcpu);
    unsigned int step = 0;

    interrupts_on();
    for (;;) {
        work(&random);
        if (!atomic_load(&guest.quiet)) {
            if (chance(&random, 4) == 0)
                send_ipi(vcpu, &random);
            if (chance(&random, 8) == 0)
                move(vcpu, &random, &step);
        }
        if (chance(&random, 3) == 0 || atomic_load(&guest.quiet))
            halt();
    }
}

/* What the host needs to start it. */

uint64_t guest_stack(unsigned int vcpu)
{
    /* As after a call: RSP + 8 is aligned to 16. */
    return (uintptr_t)stacks[vcpu] + STACK_SIZE - 8;
}

/* 256 interrupt gates; vectors below 32 exit before they get here. */
static _Alignas(16) uint64_t gates[2 * VECTORS];

uint64_t guest_gates(void)
{
    for (unsigned int v = 0; v < VECTORS; v++) {
        const uint64_t at = (uintptr_t)guest_stubs + 16 * (uint64_t)v;

        gates[2 * v] = (at & 0xffff) | SELECTOR_CODE << 16 |
                       UINT64_C(0x8e00) << 32 | (at >> 16 & 0xffff) << 48;
        gates[2 * v + 1] = at >> 32;
    }
    return (uintptr_t)gates;
}
