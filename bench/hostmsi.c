/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own MSIs: notifications for each interrupt, against the length of a burst.
 * Beside it, in the same run and with the same arrivals, remapped entries: one interrupt
 * of the CPU each.
 *
 * What is counted is simulated, so it is the same on every machine. Devices send
 * messages to the modelled unit, whose table holds what irq.h wrote; the CPU is a clock
 * that stands still except in the entry of an interrupt and in the handler of a vector.
 * What a message does while the CPU is busy, the unit and hostmsi.h decide.
 *
 * Then what the handler costs on this machine, in nanoseconds. What the interrupt itself
 * costs a CPU is not measured: that needs a kernel.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "machine.h"
#include "support.h"
#include "vtdpi/hostmsi.h"

enum {
    BURST_MAX = 128,
    BURSTS = 400,
    BURSTS_SMOKE = 40,
    FIRST_VECTOR = 0x40,
    NV = 0xeb,
    /* Of the simulated CPU, in nanoseconds. */
    ENTRY_NS = 800, /* from the notification to the first look, and out again */
    HANDLE_NS = 500, /* the handler of one interrupt */
    TIMED = 128,     /* descriptors */
    ROUNDS = 501,
};

const char *const bench_name = "bench-hostmsi";

/* How often PIR is looked at; 0: remapped entries, and no descriptor. */
static const uint32_t ways[] = {0, 1, VTDPI_HOSTMSI_LOOKS, 8};

enum {
    WAYS = sizeof ways / sizeof ways[0]
};

struct rig {
    struct machine *m;
    struct vtdpi_hostmsi *h;
    struct vtdpi_irq irq[BURST_MAX];
    uint32_t looks;

    /* The burst. */
    uint64_t arrival[BURST_MAX];
    uint32_t length;
    uint32_t sent;

    /* The CPU. */
    uint64_t now;
    bool notified;
    uint64_t irr[4]; /* remapped */

    /* What is counted. */
    uint64_t interrupts; /* of the CPU */
    uint64_t messages;
    uint64_t handled;
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

/* All that has arrived by now goes through the unit. */
static void arrive(struct rig *r)
{
    while (r->sent < r->length && r->arrival[r->sent] <= r->now) {
        const struct vtdpi_model_result result =
            machine_send(r->m, 0, vtdpi_irq_index(&r->irq[r->sent]));
        const uint8_t vector = (uint8_t)(FIRST_VECTOR + r->sent);

        must(result.vector == vector, "another vector");
        if (r->looks == 0) {
            must(result.outcome == VTDPI_MODEL_REMAPPED, "not remapped");
            r->irr[vector / 64] |= UINT64_C(1) << vector % 64;
        } else {
            must(result.outcome == VTDPI_MODEL_POSTED, "not posted");
            r->notified = r->notified || result.notified;
        }
        r->messages++;
        r->sent++;
    }
}

static void pass(struct rig *r, uint64_t ns)
{
    r->now += ns;
    arrive(r);
}

static void handle(void *ctx, uint8_t vector)
{
    struct rig *const r = ctx;

    must(vector >= FIRST_VECTOR, "a strange vector");
    r->handled++;
    pass(r, HANDLE_NS);
}

static void take_posted(struct rig *r)
{
    r->notified = false;
    r->interrupts++;
    pass(r, ENTRY_NS);
    (void)vtdpi_hostmsi_handle(r->h, r->looks, handle, r);
}

static void take_remapped(struct rig *r)
{
    const int vector = vtdpi_pir_highest(r->irr);

    r->irr[vector / 64] &= ~(UINT64_C(1) << vector % 64);
    r->interrupts++;
    pass(r, ENTRY_NS);
    handle(r, (uint8_t)vector);
}

/* One burst, each interrupt from a device of its own; the CPU is idle before. */
static void run_burst(struct rig *r, uint32_t length, uint32_t gap_ns)
{
    r->length = length;
    r->sent = 0;
    r->now = 0;
    for (uint32_t i = 0; i < length; i++)
        r->arrival[i] =
            (i == 0 ? 0 : r->arrival[i - 1]) + chance(2 * gap_ns + 1);
    arrive(r);
    for (;;) {
        if (r->notified)
            take_posted(r);
        else if (vtdpi_pir_highest(r->irr) >= 0)
            take_remapped(r);
        else if (r->sent < r->length)
            pass(r, r->arrival[r->sent] - r->now);
        else
            break;
    }
}

static void set_up_irqs(struct rig *r)
{
    struct vtdpi_target *const t = vtdpi_hostmsi_target(r->h);

    for (uint32_t i = 0; i < BURST_MAX; i++) {
        const uint8_t vector = (uint8_t)(FIRST_VECTOR + i);
        const struct vtdpi_irte_remapped fields = fields_remapped(vector);

        must((r->looks == 0
                  ? vtdpi_irq_set_host(&r->irq[i], &fields)
                  : vtdpi_irq_set_host_posted(&r->irq[i], t, vector)) == 0,
             "host form");
    }
}

/* Interrupts of the CPU for each message. */
static double ratio(struct rig *r, uint32_t way, uint32_t length,
                    uint32_t gap_ns, uint32_t bursts)
{
    r->looks = ways[way];
    set_up_irqs(r);
    r->interrupts = 0;
    r->messages = 0;
    r->handled = 0;
    chance_start(length * UINT64_C(1000003) + gap_ns);
    for (uint32_t i = 0; i < bursts; i++)
        run_burst(r, length, gap_ns);
    must(r->messages == (uint64_t)length * bursts, "a message is missing");
    must(r->handled == r->messages, "an interrupt is lost, or came twice");
    must(r->interrupts <= r->messages, "more interrupts than messages");
    return (double)r->interrupts / (double)r->messages;
}

static void count(struct rig *r, uint32_t gap_ns, uint32_t bursts)
{
    printf("\na message each %" PRIu32
           " ns: interrupts of the CPU for each message\n"
           "  %-8s %9s %9s %9s %9s\n",
           gap_ns, "burst", "remapped", "1 look", "3 looks", "8 looks");
    for (uint32_t length = 1; length <= BURST_MAX; length *= 2) {
        double of[WAYS];

        printf("  %-8" PRIu32, length);
        for (uint32_t way = 0; way < WAYS; way++) {
            of[way] = ratio(r, way, length, gap_ns, bursts);
            printf(" %9.3f", of[way]);
        }
        printf("\n");
        must(of[0] == 1, "remapped: not one each");
        must(length != 1 || of[2] == 1, "a single message needs its interrupt");
        must(of[2] <= of[1] && of[3] <= of[2], "more looks, more interrupts");
        must(length < 64 || gap_ns > HANDLE_NS || of[2] < 0.2,
             "a long burst is not joined");
    }
}

/* Time of this machine. */

static void nothing(void *ctx, uint8_t vector)
{
    *(uint64_t *)ctx += vector;
}

/* Many descriptors, so that reading the clock does not count. Posts by software take
 * the place of the unit's, outside of the time. */
static double handler_ns(struct vtdpi_hostmsi *h, uint32_t looks,
                         uint32_t length)
{
    double ns[ROUNDS];
    uint64_t sum = 0;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        double begin;

        for (uint32_t i = 0; i < TIMED; i++) {
            for (uint32_t v = 0; v < length; v++)
                (void)vtdpi_hostmsi_post(
                    &h[i], (uint8_t)(FIRST_VECTOR + v * 37 % BURST_MAX));
        }
        begin = seconds();
        for (uint32_t i = 0; i < TIMED; i++)
            (void)vtdpi_hostmsi_handle(&h[i], looks, nothing, &sum);
        ns[round] = (seconds() - begin) * 1e9 / TIMED;
    }
    must((sum != 0) == (length != 0), "no vector, or one too many");
    return median(ns, ROUNDS);
}

static void measure(void)
{
    static struct vtdpi_hostmsi h[TIMED];

    for (uint32_t i = 0; i < TIMED; i++) {
        must(vtdpi_hostmsi_init(&h[i], 0, VTDPI_X2APIC, i, NV) == 0, "init");
        vtdpi_hostmsi_online(&h[i]);
    }
    printf("\nthe handler on this machine, first-level cache, nanoseconds\n"
           "  %-8s %9s %9s %9s\n",
           "burst", "1 look", "3 looks", "each");
    for (uint32_t length = 0; length <= BURST_MAX;
         length = length == 0 ? 1 : 4 * length) {
        const double one = handler_ns(h, 1, length);
        const double three = handler_ns(h, VTDPI_HOSTMSI_LOOKS, length);

        printf("  %-8" PRIu32 " %9.0f %9.0f %9.1f\n", length, one, three,
               length == 0 ? 0 : three / length);
    }
}

static struct rig *rig_new(void)
{
    static struct rig r;
    const struct machine_params params = {
        .units = 1,
        .entries = 256,
        .submitters = 4,
        .extra = 4096,
        .model = {{.cap = MACHINE_CAP, .ecap = MACHINE_ECAP}},
    };

    r.m = machine_power_up(&params);
    r.h = (void *)r.m->extra;
    machine_add(r.m, 0);
    machine_enable(r.m, 0);
    must(vtdpi_hostmsi_init(r.h, MACHINE_EXTRA_PHYS, VTDPI_X2APIC, 1, NV) == 0,
         "init");
    vtdpi_hostmsi_online(r.h);
    for (uint32_t i = 0; i < BURST_MAX; i++) {
        uint32_t index;

        must(vtdpi_table_alloc(&r.m->table, 1, NULL, &index) == 0 &&
                 vtdpi_irq_init(&r.irq[i], vtdpi_table_backend(&r.m->table),
                                index, &source, NULL) == 0,
             "an interrupt");
    }
    return &r;
}

int main(int argc, char **argv)
{
    static const uint32_t gaps[] = {50, HANDLE_NS, 2 * HANDLE_NS,
                                    8 * HANDLE_NS};
    const bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    struct rig *const r = rig_new();

    printf("simulated: %d ns for each interrupt of the CPU, %d ns for each "
           "handler\n",
           ENTRY_NS, HANDLE_NS);
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++)
        count(r, gaps[i], smoke ? BURSTS_SMOKE : BURSTS);
    if (!smoke)
        measure();
    machine_free(r->m);
    return 0;
}
