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

#include "vtdpi/irq.h"
#include "vtdpi/model.h"
#include "vtdpi/table.h"

enum {
    UNITS = 2,
    INTERRUPTS = 2048,
    COUNT = 4096, /* entries of the table */
    FIRST = 5,    /* index of the first interrupt: not aligned */
    RANGES = 16,
};

#define CAP    UINT64_C(0x08d2078c106f0466)
#define ECAP   UINT64_C(0xf020df)
#define MEMORY UINT64_C(0x100000000)

/* Where things are in the machine's memory. */
enum {
    TABLE_AT = 0,
    PIDS_AT = COUNT * 16,
    UNIT_AT = PIDS_AT + 4096, /* a ring and status words for each */
    UNIT_SIZE = 8192,
    MEMORY_SIZE = UNIT_AT + UNITS * UNIT_SIZE
};

static struct {
    uint8_t *memory;
    struct vtdpi_model model[UNITS];
    struct vtdpi_unit unit[UNITS];
    struct vtdpi_table_unit link[UNITS];
    struct vtdpi_table table;
    struct vtdpi_sched sched;
    struct vtdpi_platform_ops ops;
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slot;
    struct vtdpi_pid_page page;
    struct vtdpi_vcpu vcpu[2];
    struct vtdpi_irq irq[INTERRUPTS];
} m;

/* Ends the program: a failed call is a bug, here or in the library. */
static void must(int rc, const char *what)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "bench-irte: %s: %s\n", what, vtdpi_strerror(rc));
    exit(1);
}

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    if (phys < MEMORY || phys - MEMORY > MEMORY_SIZE - len)
        return NULL;
    return m.memory + (phys - MEMORY);
}

static void drop_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

static void drop_wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
}

static void vcpus_up(void)
{
    const struct vtdpi_sched_params params = {
        .ops = &m.ops,
        .pages = &m.page_slot,
        .max_pages = 1,
        .pcpus = &m.pcpu_slot,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    must(vtdpi_sched_init(&m.sched, &params), "sched");
    must(vtdpi_sched_add_page(&m.sched, 0, &m.page, m.memory + PIDS_AT,
                              MEMORY + PIDS_AT),
         "PID page");
    for (uint32_t i = 0; i < 2; i++)
        must(vtdpi_vcpu_attach(&m.sched, &m.vcpu[i], i, &m.vcpu[i]), "vCPU");
}

static void table_up(void)
{
    const size_t size = vtdpi_table_storage_size(COUNT);
    const struct vtdpi_table_params params = {
        .entries = (struct vtdpi_irte *)(void *)(m.memory + TABLE_AT),
        .phys = MEMORY + TABLE_AT,
        .count = COUNT,
        .storage = calloc(1, size),
        .storage_size = size,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    must(vtdpi_table_init(&m.table, &params), "table");
}

static void unit_up(unsigned int u)
{
    const uint32_t at = UNIT_AT + u * UNIT_SIZE;
    const struct vtdpi_model_params params = {
        .cap = CAP,
        .ecap = ECAP,
        .map = map,
    };
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = m.memory + at,
                .ring_phys = MEMORY + at,
                .status = (uint32_t *)(void *)(m.memory + at + 4096),
                .status_phys = MEMORY + at + 4096,
                .submitters = 16,
            },
        .irt_phys = vtdpi_table_phys(&m.table),
        .irt_order = vtdpi_table_order(&m.table),
        .eime = true,
    };

    must(vtdpi_model_init(&m.model[u], &params), "model");
    must(vtdpi_unit_probe(&m.unit[u], &vtdpi_model_platform_ops, &m.model[u]),
         "probe");
    must(vtdpi_table_add_unit(&m.table, &m.link[u], &m.unit[u]), "add unit");
    must(vtdpi_unit_enable(&m.unit[u], &config), "enable");
}

/* All interrupts, posted to vCPU 0. */
static void interrupts_up(void)
{
    const struct vtdpi_source source = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    const struct vtdpi_backend *b = vtdpi_table_backend(&m.table);
    struct vtdpi_irq_batch batch;

    must(vtdpi_irq_batch_begin(&batch, b, NULL, 0), "begin");
    for (uint32_t i = 0; i < INTERRUPTS; i++) {
        must(vtdpi_table_reserve(&m.table, FIRST + i, 1, NULL), "index");
        must(vtdpi_irq_init(&m.irq[i], b, FIRST + i, &source, NULL), "irq");
        must(vtdpi_irq_batch_post(&batch, &m.irq[i], &m.vcpu[0], 0x41), "post");
    }
    must(vtdpi_irq_batch_commit(&batch), "commit");
}

static void machine_up(uint64_t latency)
{
    m.memory = aligned_alloc(65536, (MEMORY_SIZE + 65535) / 65536 * 65536);
    if (m.memory == NULL)
        exit(1);
    memset(m.memory, 0, MEMORY_SIZE);
    m.ops.send_ipi = drop_ipi;
    m.ops.wake = drop_wake;
    vcpus_up();
    table_up();
    for (unsigned int u = 0; u < UNITS; u++)
        unit_up(u);
    interrupts_up();
    for (unsigned int u = 0; u < UNITS && latency != 0; u++)
        vtdpi_model_set_fault(&m.model[u], VTDPI_MODEL_FAULT_STATUS_LATE,
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
        struct vtdpi_model_counters c;

        vtdpi_model_get_counters(&m.model[u], &c);
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
        must(vtdpi_irq_post(&m.irq[i], v, 0x41), "post");
}

static void batched(uint32_t n, struct vtdpi_vcpu *v)
{
    struct vtdpi_flush_range ranges[RANGES];
    struct vtdpi_irq_batch batch;

    must(vtdpi_irq_batch_begin(&batch, vtdpi_table_backend(&m.table), ranges,
                               RANGES),
         "begin");
    for (uint32_t i = 0; i < n; i++)
        must(vtdpi_irq_batch_post(&batch, &m.irq[i], v, 0x41), "post");
    must(vtdpi_irq_batch_commit(&batch), "commit");
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
        const struct cost one = measure(one_by_one, sizes[i], &m.vcpu[1]);
        const struct cost many = measure(batched, sizes[i], &m.vcpu[0]);

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
