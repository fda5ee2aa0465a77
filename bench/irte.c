/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to retarget N posted interrupts to another vCPU, one by one
 * and in one batch: register accesses, descriptors and waits, counted by the
 * model of the units. Accesses are what costs on real hardware (an uncached
 * read is about a microsecond); no time is measured here.
 *
 * The latency of the units is in ticks of the model: one register access, one
 * look at the clock, or one pause between two polls is a tick.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "machine.h"

enum {
    INTERRUPTS = 2048,
    COUNT = 4096, /* entries of the table */
    FIRST = 5,    /* index of the first interrupt: not aligned */
    RANGES = 16,
};

const char *const bench_name = "bench-irte";

static struct machine *m;
static struct vtdpi_irq irq[INTERRUPTS];

/* All interrupts, posted to vCPU 0. */
static void interrupts_up(void)
{
    const struct vtdpi_source source = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    const struct vtdpi_backend *b = vtdpi_table_backend(&m->table);
    struct vtdpi_irq_batch batch;

    must(vtdpi_irq_batch_begin(&batch, b, NULL, 0) == 0, "begin");
    for (uint32_t i = 0; i < INTERRUPTS; i++) {
        must(vtdpi_table_reserve(&m->table, FIRST + i, 1, NULL) == 0, "index");
        must(vtdpi_irq_init(&irq[i], b, FIRST + i, &source, NULL) == 0, "irq");
        must(vtdpi_irq_batch_post(&batch, &irq[i], &m->vcpu[0], 0x41) == 0,
             "post");
    }
    must(vtdpi_irq_batch_commit(&batch) == 0, "commit");
}

static void machine_up(uint64_t latency)
{
    const struct machine_params params = {
        .units = UNITS,
        .entries = COUNT,
        .submitters = 16,
        .vcpus = 2,
        .model =
            {
                {.cap = MACHINE_CAP, .ecap = MACHINE_ECAP},
                {.cap = MACHINE_CAP, .ecap = MACHINE_ECAP},
            },
    };

    m = machine_power_up(&params);
    for (unsigned int u = 0; u < UNITS; u++) {
        machine_add(m, u);
        machine_enable(m, u);
    }
    interrupts_up();
    for (unsigned int u = 0; u < UNITS && latency != 0; u++)
        vtdpi_model_set_fault(&m->model[u], VTDPI_MODEL_FAULT_STATUS_LATE,
                              latency);
}

/* What happened on both units. */
struct cost {
    uint64_t reads;
    uint64_t writes;
    uint64_t flushes; /* IEC descriptors */
    uint64_t waits;
    uint64_t locks;
};

static struct cost counted(void)
{
    struct cost sum = {0};

    for (unsigned int u = 0; u < UNITS; u++) {
        const struct vtdpi_model_counters c = machine_count(m, u);

        sum.reads += c.reads;
        sum.writes += c.writes;
        sum.flushes += c.iec_index + c.iec_global;
        sum.waits += c.waits_completed;
        sum.locks += c.locks;
    }
    return sum;
}

static void one_by_one(uint32_t n, struct vtdpi_vcpu *v)
{
    for (uint32_t i = 0; i < n; i++)
        must(vtdpi_irq_post(&irq[i], v, 0x41) == 0, "post");
}

static void batched(uint32_t n, struct vtdpi_vcpu *v)
{
    struct vtdpi_flush_range ranges[RANGES];
    struct vtdpi_irq_batch batch;

    must(vtdpi_irq_batch_begin(&batch, vtdpi_table_backend(&m->table), ranges,
                               RANGES) == 0,
         "begin");
    for (uint32_t i = 0; i < n; i++)
        must(vtdpi_irq_batch_post(&batch, &irq[i], v, 0x41) == 0, "post");
    must(vtdpi_irq_batch_commit(&batch) == 0, "commit");
}

static struct cost measure(void (*way)(uint32_t n, struct vtdpi_vcpu *v),
                           uint32_t n, struct vtdpi_vcpu *v)
{
    const struct cost before = counted();
    struct cost after;

    way(n, v);
    after = counted();
    after.reads -= before.reads;
    after.writes -= before.writes;
    after.flushes -= before.flushes;
    after.waits -= before.waits;
    after.locks -= before.locks;
    return after;
}

static void print(uint32_t n, const char *how, const struct cost *c,
                  double ratio)
{
    printf("%6" PRIu32 "  %-10s  %9" PRIu64 "  %9" PRIu64 "  %9" PRIu64
           "  %9" PRIu64 "  %9" PRIu64 "  %10.3f  %9.1f\n",
           n, how, c->reads, c->writes, c->flushes, c->waits, c->locks,
           (double)(c->reads + c->writes) / n, ratio);
}

/* What must hold on any machine: counts, never time. */
static bool check(uint32_t n, const struct cost *one, const struct cost *many,
                  const struct cost *smallest)
{
    return one->waits == (uint64_t)n * UNITS && many->waits == UNITS &&
           many->flushes <= (uint64_t)2 * UNITS &&
           many->reads == smallest->reads && many->writes == smallest->writes;
}

static bool run(uint64_t latency)
{
    static const uint32_t sizes[] = {1, 16, 256, 2048};
    struct cost smallest = {0};
    bool ok = true;

    printf("retarget N posted interrupts, contiguous indexes, %d units, "
           "latency %" PRIu64 " ticks\n\n"
           "     N  how             reads     writes  IEC descr.      waits"
           "      locks  accesses/N      ratio\n",
           UNITS, latency);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct cost one = measure(one_by_one, sizes[i], &m->vcpu[1]);
        const struct cost many = measure(batched, sizes[i], &m->vcpu[0]);

        if (i == 0)
            smallest = many;
        print(sizes[i], "one by one", &one, 1.0);
        print(sizes[i], "batched", &many,
              (double)(one.reads + one.writes) /
                  (double)(many.reads + many.writes));
        ok = check(sizes[i], &one, &many, &smallest) && ok;
    }
    printf("\nratio: accesses one by one / accesses batched\n%s\n",
           ok ? "batched: one wait and at most 2 IEC descriptors a unit; "
                "accesses do not depend on N"
              : "FAILED: a batch costs more than it may");
    return ok;
}

static void usage(FILE *to)
{
    (void)fputs("usage: irte [--latency TICKS]\n"
                "TICKS: how late a unit completes a descriptor; default 300\n",
                to);
}

int main(int argc, char **argv)
{
    uint64_t latency = 300;
    char *end = NULL;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--latency") == 0)
        latency = strtoull(argv[2], &end, 10);
    if (argc != 1 && (end == NULL || end == argv[2] || *end != '\0')) {
        usage(stderr);
        return 2;
    }
    machine_up(latency);
    return run(latency) ? 0 : 1;
}
