/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The account. Devices and CPUs that raise interrupts count on one side, the
 * guest's handlers on the other. For every vCPU and vector:
 *
 *     raised = delivered + merged
 *
 * An interrupt merges into one that waits already. If that one waits in PIR, the
 * poster sees and counts the merge. If it waits in the virtual IRR, only the
 * processor sees the merge. A merge of the second kind needs an interrupt that was
 * raised before and not delivered yet. So "raised" may be larger than "delivered"
 * plus the merges in PIR, but not by more than the number of such interrupts. What
 * is missing beyond that number is lost.
 *
 * A loss cannot hide behind that number: a source goes on only when a handler that
 * began after its last event has run (devices.c).
 */

#include "minivisor.h"

/* For how long, in microseconds, a vCPU may sleep on with something in PIR. With ON
 * set: longer than a pCPU has interrupts off. With ON clear: longer than a poster
 * takes between record and notify. */
#define OVERLOOKED_US 600
#define UNNOTIFIED_US 250

struct account_counts counts;

struct account_pair account_pairs[VCPUS][VECTORS];

unsigned long account_missing(unsigned int vcpu, unsigned int vector)
{
    const struct account_pair *const p = &account_pairs[vcpu][vector];

    return p->raised - p->merged - p->merged_irr - guest.received[vcpu][vector];
}

/* A vCPU that sleeps has nothing deliverable in its virtual IRR. If the vector
 * is not in PIR either, and the vCPU sleeps still and has not been in the guest
 * since then, no notification of that vector is on its way. */
static bool has_none_waiting(const struct vcpu *v, uint8_t vector)
{
    const volatile uint64_t *const pir =
        (const volatile uint64_t *)(uintptr_t)v->pda;
    const unsigned long before = atomic_load(&v->crossings);

    return scheduler_is_asleep(v) &&
           (pir[vector / 64] >> vector % 64 & 1) == 0 &&
           scheduler_is_asleep(v) && atomic_load(&v->crossings) == before;
}

/* Called by the source of the vector, before it raises. */
bool account_is_even(const struct vcpu *v, uint8_t vector)
{
    struct account_pair *const p = &account_pairs[v->number][vector];
    unsigned long n = account_missing(v->number, vector);

    if (n != 0 && n <= p->risked - p->merged_irr &&
        has_none_waiting(v, vector)) {
        n = account_missing(v->number, vector);
        atomic_fetch_add(&p->merged_irr, n);
        n = 0;
    }
    return n == 0;
}

/* As long as a vCPU is in the guest its descriptor says: ANV, to the pCPU that
 * it is on, not suppressed. Read here with a plain word and literal bits, not by
 * the library. Without this a notification that is not sent, or goes elsewhere,
 * would only make an interrupt late: the next entry takes it. */
static void judge(const struct vcpu *v)
{
    const unsigned long before = atomic_load(&v->crossings);
    const struct pcpu *const p = v->last;
    const uint64_t control = ((const volatile uint64_t *)(uintptr_t)v->pda)[4];

    if (before % 2 == 0 || atomic_load(&v->crossings) != before)
        return; /* not in the guest all the time */
    if ((control >> 16 & 0xff) != ANV || (control & 2) != 0 ||
        control >> 32 != cpu_apic_id(p->number))
        atomic_fetch_add(&counts.misdirected, 1);
}

void account_raised(const struct vcpu *v, uint8_t vector, bool merged,
                    bool even)
{
    struct account_pair *const p = &account_pairs[v->number][vector];

    atomic_fetch_add(&p->raised, 1);
    atomic_fetch_add(&p->merged, merged);
    atomic_fetch_add(&p->risked, !merged && !even);
    judge(v);
}

void account_sent(uint8_t vector)
{
    atomic_fetch_add(&counts.sent[vector], 1);
}

/* A vCPU that sleeps while something is posted to it, and goes on sleeping: its
 * wakeup was lost, even if a later interrupt wakes it. By CPU_UNIT only. */
void account_watch(const struct vcpu *v)
{
    static uint64_t since[VCPUS];
    static unsigned long crossings[VCPUS];
    const volatile uint64_t *const word =
        (const volatile uint64_t *)(uintptr_t)v->pda;
    const uint64_t patience =
        (word[4] & 1) != 0 ? OVERLOOKED_US : UNNOTIFIED_US;
    const unsigned long entries = atomic_load(&v->crossings);

    if ((word[0] | word[1] | word[2] | word[3]) == 0 ||
        !scheduler_is_asleep(v)) {
        since[v->number] = 0;
    } else if (since[v->number] == 0 || crossings[v->number] != entries) {
        since[v->number] = now_us();
        crossings[v->number] = entries;
    } else if (now_us() > since[v->number] + patience) {
        since[v->number] = UINT64_MAX / 2; /* count it once */
        atomic_fetch_add(&counts.overlooked, 1);
    }
}

void account_stale(void)
{
    atomic_fetch_add(&counts.stale, 1);
}

void account_late(unsigned int source)
{
    atomic_fetch_add(&counts.late[source], 1);
}

bool account_is_seen(unsigned int source)
{
    return atomic_load(&guest.seen[source]) ==
           atomic_load(&guest.events[source]);
}

bool account_all_seen(void *arg)
{
    bool all = true;

    (void)arg;
    for (unsigned int i = 0; i < SOURCES; i++)
        all &= account_is_seen(i);
    return all;
}
