/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The account. On one side is what was raised: by devices, as the model of their
 * unit says, and by software. On the other side is what the guests have received.
 * For every vCPU and vector:
 *
 *     raised = delivered + merged into a PIR bit already set
 *
 * What is missing on the right side is lost. After every event one more thing is
 * checked: if something is posted to a vCPU that runs or sleeps, a notification is
 * on its way.
 */

#include "demo.h"

#include <inttypes.h>
#include <stdio.h>

void account_raised(struct demo *d, const struct vcpu *v, uint8_t vector,
                    bool merged)
{
    d->account.raised[v->number][vector]++;
    d->account.merged[v->number][vector] += merged;
}

/* What must be so if something is posted. The vCPU runs: ANV is pending on its pCPU.
 * It sleeps: WNV is pending on the pCPU where it is blocked. It is ready: nothing, since
 * its next entry looks at PIR. The descriptor is read here with plain words and literal
 * bits, not by the library. */
static bool is_overlooked(struct demo *d, const struct vcpu *v)
{
    const struct vtdpi_pid *const pid = machine_pid(d, v->pda);
    const uint32_t ndst = (uint32_t)(pid->control >> 32);

    if ((pid->pir[0] | pid->pir[1] | pid->pir[2] | pid->pir[3]) == 0)
        return false;
    switch (v->state) {
    case RUNNING:
        return !d->pcpu[v->last].pending[ANV];
    case ASLEEP:
        return !machine_pcpu(d, ndst)->pending[WNV];
    case READY:
    default:
        return false;
    }
}

void account_check(struct demo *d)
{
    struct account *const a = &d->account;

    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct vcpu *const v = &d->vcpu[i];

        if (!is_overlooked(d, v))
            continue;
        if (a->overlooked++ == 0)
            (void)snprintf(a->first_overlooked, sizeof(a->first_overlooked),
                           "first after event %" PRIu64
                           ": v%u is %s, its PIR is not empty",
                           d->timeline.events, v->number,
                           v->state == ASLEEP ? "asleep" : "in the guest");
    }
}

/* Sums and the closing page. */

struct sums {
    uint64_t posted; /* by the units' own count */
    uint64_t merged;
    uint64_t remapped;
    uint64_t faults;
    uint64_t violations;
    uint64_t delivered; /* by the guests' count */
    uint64_t handled;
    uint64_t coalesced;
    uint64_t lost;
    uint64_t twice;
    uint64_t asleep;  /* vCPUs, in the end */
    uint64_t blocked; /* bits, by the library's count */
};

static void sum_units(const struct demo *d, struct sums *s)
{
    for (unsigned int i = 0; i < d->unit_count; i++) {
        struct vtdpi_model_counters c;

        vtdpi_model_get_counters(&d->units[i].hardware, &c);
        s->posted += c.posted;
        s->merged += c.merged;
        s->remapped += c.remapped;
        s->faults += c.blocked;
        s->violations += c.violations;
    }
}

static void sum_guests(const struct demo *d, struct sums *s)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct guest *const g = &d->vcpu[i].guest;

        s->handled += g->handled;
        s->coalesced += g->coalesced;
        s->asleep += d->vcpu[i].state == ASLEEP;
        for (unsigned int v = 0; v < VECTORS; v++) {
            const uint64_t due =
                d->account.raised[i][v] - d->account.merged[i][v];

            s->delivered += g->received[v];
            s->lost += due > g->received[v] ? due - g->received[v] : 0;
            s->twice += due < g->received[v] ? g->received[v] - due : 0;
        }
    }
}

static void sum_pcpus(const struct demo *d, struct sums *s)
{
    for (unsigned int i = 0; i < PCPUS; i++)
        s->blocked += vtdpi_pcpu_blocked(&d->pcpu[i].pi);
}

static bool row(const char *what, uint64_t count)
{
    printf("  %-52s %9" PRIu64 "\n", what, count);
    return count == 0;
}

static void print_raised(const struct demo *d, const struct sums *s)
{
    const struct account *const a = &d->account;

    put_heading(d, "Interrupts posted                          by units by "
                   "software       all");
    printf("  %-39s %9" PRIu64 " %11" PRIu64 " %9" PRIu64 "\n", "raised",
           s->posted, a->by_software, s->posted + a->by_software);
    printf("  %-39s %9" PRIu64 " %11" PRIu64 " %9" PRIu64 "\n",
           "merged into a PIR bit already set", s->merged,
           a->by_software_merged, s->merged + a->by_software_merged);
    printf("  %-61s %9" PRIu64 "\n", "delivered, as the guests counted",
           s->delivered);
    printf("  raised = delivered + merged: %" PRIu64 " = %" PRIu64 " + %" PRIu64
           "; lost: %" PRIu64 "\n",
           s->posted + a->by_software, s->delivered,
           s->merged + a->by_software_merged, s->lost);
    printf("  of those delivered, handled %" PRIu64
           ", coalesced in a virtual IRR %" PRIu64 "\n",
           s->handled, s->coalesced);
}

static void print_events(const struct demo *d)
{
    const struct account *const a = &d->account;

    putchar('\n');
    put_heading(d, "Events");
    printf("  vCPUs: %" PRIu64 " runs (%" PRIu64 " on another pCPU than last), "
           "%" PRIu64 " preemptions, %" PRIu64 " halts, %" PRIu64 " wakes\n",
           a->runs, a->migrations, a->preempts, a->halts, a->wakes);
    printf("  interrupts: %" PRIu64 " moved to another vCPU, %" PRIu64
           " fell back to the remapped form\n",
           a->retargets, a->falls);
    printf("  pCPUs: %" PRIu64 " times offline\n", a->offlines);
    printf("  hypervisor: %" PRIu64 " times replaced, %" PRIu64
           " device interrupts in that time\n",
           a->replacements, a->while_replaced);
    printf("  notifications: %" PRIu64 " ANV (%" PRIu64
           " taken in the guest, %" PRIu64 " in the host), %" PRIu64 " WNV\n",
           a->sent[ANV], a->anv_in_guest, a->anv_in_host, a->sent[WNV]);
    printf("  between two atomic steps of the library: %" PRIu64 "\n",
           a->between);
    printf("  remapped form: %" PRIu64 " raised = %" PRIu64
           " relayed by software + %" PRIu64 " merged in a local APIC\n",
           a->remapped, a->relayed, a->remapped_merged);
}

static void print_exits(const struct demo *d)
{
    const struct account *const a = &d->account;

    putchar('\n');
    put_heading(d, "External-interrupt exits");
    printf("  this run: %" PRIu64 " (%" PRIu64 " wakeups, %" PRIu64
           " interrupts in remapped form)\n",
           a->exits_wake + a->exits_relay, a->exits_wake, a->exits_relay);
    printf("  with remapping only: %" PRIu64 "\n", a->exits_remapping_only);
    puts("  Rule of the latter: one for each device interrupt that hits a pCPU "
         "in guest mode\n"
         "  (the pCPU that its host form names), nothing else.");
}

static bool print_wrong(const struct demo *d, const struct sums *s)
{
    const struct account *const a = &d->account;
    bool good = true;

    putchar('\n');
    put_heading(d, "Must be 0");
    good &= row("lost", s->lost);
    good &= row("delivered twice", s->twice);
    good &= row("posted, and no notification on its way", a->overlooked);
    good &= row("delivered by an entry that had been replaced", a->stale);
    good &= row("vCPUs awake, with nothing left to do", VCPUS - s->asleep);
    good &= row("sleeping vCPUs and blocked bits, difference",
                s->blocked > s->asleep ? s->blocked - s->asleep
                                       : s->asleep - s->blocked);
    good &= row("interrupts refused by a unit", a->blocked + s->faults);
    good &= row("rules of the hardware broken by the driver", s->violations);
    if (a->overlooked != 0)
        printf("  %s\n", a->first_overlooked);
    return good;
}

bool account_print(const struct demo *d)
{
    const struct account *const a = &d->account;
    struct sums s = {0};
    bool good;

    sum_units(d, &s);
    sum_guests(d, &s);
    sum_pcpus(d, &s);
    print_raised(d, &s);
    print_events(d);
    print_exits(d);
    good = print_wrong(d, &s);
    good &= s.posted + a->by_software ==
            s.delivered + s.merged + a->by_software_merged;
    good &= s.delivered == s.handled + s.coalesced;
    good &= s.remapped == a->prologue + a->remapped;
    good &= a->remapped == a->relayed + a->remapped_merged;
    putchar('\n');
    put_result(d, good,
               good ? "The account balances."
                    : "THE ACCOUNT DOES NOT BALANCE.");
    return good;
}
