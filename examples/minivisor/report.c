/* SPDX-License-Identifier: BSD-2-Clause */

/* The account, added up and printed; and whether it balances. */

#include "minivisor.h"

#include "vtdpi/format.h"

struct sums {
    uint64_t raised, merged, merged_irr, risked, delivered;
    uint64_t lost, twice;
    uint64_t unsettled; /* sleeping vCPUs that could miss an interrupt */
};

static void sum_pair(struct sums *s, unsigned int vcpu, unsigned int vector)
{
    const struct account_pair *const p = &account_pairs[vcpu][vector];
    const uint64_t risked = p->risked - p->merged_irr;
    const int64_t left = (int64_t)account_missing(vcpu, vector);

    if (vector == VECTOR_BOCHS)
        return;
    s->raised += p->raised;
    s->merged += p->merged;
    s->risked += p->risked;
    s->delivered += guest.received[vcpu][vector];
    s->merged_irr += p->merged_irr;
    if (left < 0)
        s->twice += (uint64_t)-left;
    else if ((uint64_t)left <= risked)
        s->merged_irr += (uint64_t)left;
    else
        s->lost += (uint64_t)left;
}

/* In the end every vCPU sleeps. Its descriptor has to say so, read here with
 * plain words: nothing posted, ON and SN clear, NV is the wakeup vector, and
 * NDST a pCPU, which has to count the vCPU among its blocked ones. */
static bool is_settled(const struct vcpu *v)
{
    const uint64_t *const word = (const uint64_t *)(uintptr_t)v->pda;
    const uint64_t pir = word[0] | word[1] | word[2] | word[3];
    const uint64_t control = word[4];

    return v->state == ASLEEP && pir == 0 && (control & 3) == 0 &&
           (control >> 16 & 0xff) == WNV &&
           control >> 32 >= cpu_apic_id(CPU_FIRST) &&
           control >> 32 <= cpu_apic_id(CPU_FIRST + PCPUS - 1);
}

static void sum_all(struct sums *s)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        for (unsigned int v = 0; v < VECTORS; v++)
            sum_pair(s, i, v);
        s->unsettled += !is_settled(&host.vcpu[i]);
    }
}

/* Print. */

static void print_raised(const struct sums *s)
{
    const uint64_t by_unit = counts.by_unit;
    const uint64_t by_software = counts.by_software + counts.relayed;
    const uint64_t by_guest = counts.by_guest;

    print("Interrupts posted                        by unit  by host  by guest"
          "      all\n");
    print("  raised                              %10lu %8lu %9lu %8lu\n",
          by_unit, by_software, by_guest, s->raised);
    print("  merged in PIR                       %10lu %8lu %9u %8lu\n",
          counts.merged_unit, counts.merged_software, 0u, s->merged);
    print("  merged in a virtual IRR (at most %5lu could)                  "
          "%8lu\n",
          s->risked, s->merged_irr);
    print("  delivered, as the guest's handlers counted                    "
          "%8lu\n",
          s->delivered);
    print("  raised = delivered + merged: %lu = %lu + %lu; lost: %lu\n",
          s->raised, s->delivered, s->merged + s->merged_irr, s->lost);
}

/* A counter of both pCPUs. */
#define ROW(what, member) \
    print("  " what " %7lu %7lu\n", host.pcpu[0].member, host.pcpu[1].member)

static uint64_t relay_exits(const struct pcpu *p)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < INTERRUPTS; i++)
        sum += p->exit_interrupts[HOST_VECTOR + i];
    return sum;
}

static void print_exits(void)
{
    print("\nVM exits                                                 p1      "
          "p2\n");
    ROW("the guest halts                                ", exits[VMX_EXIT_HLT]);
    ROW("end of a time slice                            ",
        exits[VMX_EXIT_PREEMPTION_TIMER]);
    ROW("the guest sends an IPI                         ",
        exits[VMX_EXIT_WRMSR]);
    ROW("the guest moves or unposts a device interrupt  ",
        exits[VMX_EXIT_VMCALL]);
    ROW("external interrupts                            ",
        exits[VMX_EXIT_EXTERNAL_INTERRUPT]);
    ROW("  WNV, to wake another vCPU                    ",
        exit_interrupts[WNV]);
    ROW("  KICK, when a vCPU had become ready           ",
        exit_interrupts[KICK]);
    print("    device interrupts in remapped form             %7lu %7lu\n",
          relay_exits(&host.pcpu[0]), relay_exits(&host.pcpu[1]));
    ROW("  ANV: a vCPU's own posted interrupts          ",
        exit_interrupts[ANV]);
}

static void print_events(void)
{
    print("\nvCPUs                                                    p1      "
          "p2\n");
    ROW("runs                                           ", runs);
    ROW("  of a vCPU that ran elsewhere before          ", migrations);
    ROW("preemptions                                    ", preempts);
    ROW("halts                                          ", halts);
    ROW("  but something was posted, so it goes on      ", stays);
    ROW("  where WNV would go to is offline: elsewhere  ", refusals);
    ROW("times offline                                  ", offlines);
    ROW("WNV taken while idle                           ",
        idle_interrupts[WNV]);
    ROW("ANV taken while idle: EOI, nothing else        ",
        idle_interrupts[ANV]);
    print("\nNotifications: %lu ANV, %lu WNV. Wakes: %lu.\n", counts.sent[ANV],
          counts.sent[WNV], counts.wakes);
    print("Device interrupts: %lu moved, %lu went to remapped form; there %lu "
          "raised = %lu relayed.\n",
          counts.moves, counts.unposts, counts.remapped, counts.relayed);
}

static bool row(const char *what, uint64_t count)
{
    print("  %s %7lu\n", what, count);
    return count == 0;
}

static uint64_t spurious(void)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < VCPUS; i++)
        sum += guest.received[i][VECTOR_BOCHS];
    return sum;
}

static uint64_t sum_late(void)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < SOURCES; i++)
        sum += counts.late[i] != 0 || !account_is_seen(i);
    return sum;
}

static uint64_t difference_blocked(void)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < PCPUS; i++)
        sum += vtdpi_pcpu_blocked(&host.pcpu[i].pi);
    return sum > VCPUS ? sum - VCPUS : VCPUS - sum;
}

static bool print_wrong(const struct sums *s)
{
    struct vtdpi_model_counters unit;
    bool good = true;

    vtdpi_model_get_counters(&host.model, &unit);
    print("\nMust be 0\n");
    good &= row("lost                                           ", s->lost);
    good &= row("delivered twice                                ", s->twice);
    good &= row("sources whose last event no handler has seen   ", sum_late());
    good &= row("VM exits for a running vCPU's posted interrupts",
                host.pcpu[0].exit_interrupts[ANV] +
                    host.pcpu[1].exit_interrupts[ANV]);
    good &= row("notifications that would miss a running vCPU   ",
                counts.misdirected);
    good &= row("posted to a sleeping vCPU, which slept on      ",
                counts.overlooked);
    good &=
        row("delivered by an entry that had been replaced   ", counts.stale);
    good &=
        row("sleeping vCPUs that a post would not wake      ", s->unsettled);
    good &= row("sleeping vCPUs and blocked bits, difference    ",
                difference_blocked());
    good &= row("remapped form: raised, and not relayed         ",
                counts.remapped - counts.relayed);
    good &= row("posted, by the unit's count and by ours: diff. ",
                unit.posted - counts.by_unit);
    good &=
        row("interrupts refused by the unit                 ", unit.blocked);
    good &=
        row("rules of the hardware broken by the driver     ", unit.violations);
    print("  Vector ff, which Bochs delivers when ANV meets an empty PIR, is "
          "not counted: %lu.\n",
          spurious());
    return good;
}

/* If something is wrong: what is where. */
static void explain(void)
{
    char line[VTDPI_FORMAT_MAX];

    print(
        "\n  Each vCPU's state (0 ready, 1 running, 2 asleep) and place; what "
        "is not seen:\n");
    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct vcpu *const v = &host.vcpu[i];

        (void)vtdpi_format_vcpu(line, sizeof(line), &v->pi);
        print("  v%u  %u  %s\n", i, (unsigned int)v->state, line);
    }
    for (unsigned int i = 0; i < SOURCES; i++) {
        if (!account_is_seen(i))
            print("  source %u: %lu events, %lu seen\n", i, guest.events[i],
                  guest.seen[i]);
    }
}

bool report(void)
{
    struct sums s = {0};
    bool good;

    sum_all(&s);
    print_raised(&s);
    print_exits();
    print_events();
    good = print_wrong(&s);
    good &= s.raised == counts.by_unit + counts.by_software + counts.relayed +
                            counts.by_guest;
    good &= s.raised == s.delivered + s.merged + s.merged_irr;
    if (!good)
        explain();
    return good;
}
