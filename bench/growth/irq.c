/* SPDX-License-Identifier: BSD-2-Clause */
#include "growth.h"

#include <stdlib.h>

#include "../hot/measure.h"
#include "../hot/world.h"
#include "vtdpi/irq.h"
#include "vtdpi/table.h"

/* A table without a unit: what is counted is the library's own work, not the
 * accesses to registers, which bench/irte.c counts. */
struct irqs {
    struct vtdpi_table table;
    struct world *w;
    struct vtdpi_irq *irq;
};

static void *table_up(uint32_t n)
{
    struct irqs *const s = calloc(1, sizeof(*s));
    const uint32_t count = n * 2;
    const size_t size = vtdpi_table_storage_size(count);
    struct vtdpi_table_params params = {
        .entries = memory(count * sizeof(struct vtdpi_irte)),
        .phys = UINT64_C(0x10000000),
        .count = count,
        .storage = memory(size),
        .storage_size = size,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };
    const struct world_params vcpus = {64, 1, 1, 4416, true};

    must(s != NULL && vtdpi_table_init(&s->table, &params) == 0, "table");
    s->w = world_up(&vcpus);
    s->irq = calloc(n, sizeof(*s->irq));
    must(s->irq != NULL, "out of memory");
    return s;
}

static void *posted(uint32_t n)
{
    struct irqs *const s = table_up(n);
    const struct vtdpi_source source = vtdpi_source_any_unverified();

    for (uint32_t i = 0; i < n; i++) {
        uint32_t index;

        must(vtdpi_table_alloc(&s->table, 1, NULL, &index) == 0, "alloc");
        must(vtdpi_irq_init(&s->irq[i], vtdpi_table_backend(&s->table), index,
                            &source, NULL) == 0,
             "irq");
        must(vtdpi_irq_post(&s->irq[i], &s->w->ours[0].vcpu, 33) == 0, "post");
    }
    return s;
}

static void alloc_free(void *subject, uint32_t n)
{
    struct irqs *const s = subject;

    (void)n;
    for (int i = 0; i < REPEATS; i++) {
        uint32_t index;

        must(vtdpi_table_alloc(&s->table, 1, NULL, &index) == 0, "alloc");
        must(vtdpi_table_free(&s->table, index, 1) == 0, "free");
    }
}

static struct vtdpi_vcpu *other(const struct irqs *s, int turn)
{
    return turn % 2 != 0 ? &s->w->ours[0].vcpu : &s->w->spare->vcpu;
}

static void retarget_one(void *subject, uint32_t n)
{
    struct irqs *const s = subject;

    for (int i = 0; i < REPEATS; i++)
        must(vtdpi_irq_post(&s->irq[n / 2], other(s, i), 33) == 0, "post");
}

/* All in one batch, so the cost is that of N changes. */
static void retarget_all(void *subject, uint32_t n)
{
    struct irqs *const s = subject;
    struct vtdpi_irq_batch batch;
    struct vtdpi_flush_range ranges[16];

    must(vtdpi_irq_batch_begin(&batch, vtdpi_table_backend(&s->table), ranges,
                               16) == 0,
         "begin");
    for (uint32_t i = 0; i < n; i++)
        must(vtdpi_irq_batch_post(&batch, &s->irq[i], other(s, 0), 34) == 0,
             "post");
    must(vtdpi_irq_batch_commit(&batch) == 0, "commit");
}

const struct op growth_irq[] = {
    {"allocate and free an index", "interrupts", 0, posted, alloc_free},
    {"retarget one interrupt", "interrupts", 0, posted, retarget_one},
    {"retarget all in one batch", "interrupts", 1, posted, retarget_all},
    {0},
};
