/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Before posting: an interrupt in remapped form, and what the flush is for.
 * The entry is changed through a backend that forgets the flush; the unit goes
 * on delivering by the entry that it has cached, until the flush is made up
 * for. This is also how a host puts a backend of its own under irq.h.
 */

#include "demo.h"

#include <stdio.h>

/* The table's backend, with or without the second half of its work. */
struct forgetful {
    const struct vtdpi_backend *table;
    bool forget;
};

static int forgetful_replace(void *ctx, struct vtdpi_flush *flush,
                             uint32_t index, const struct vtdpi_irte *old,
                             const struct vtdpi_irte *replacement)
{
    const struct forgetful *const f = ctx;

    return f->table->ops->replace(f->table->ctx, flush, index, old,
                                  replacement);
}

static int forgetful_invalidate(void *ctx, struct vtdpi_flush *flush,
                                uint32_t first, uint32_t count)
{
    const struct forgetful *const f = ctx;

    if (f->forget)
        return 0; /* the lie: irq.h believes that it is done */
    return f->table->ops->invalidate(f->table->ctx, flush, first, count);
}

static int forgetful_commit(void *ctx, struct vtdpi_flush *flush)
{
    const struct forgetful *const f = ctx;

    return f->table->ops->commit(f->table->ctx, flush);
}

static void forgetful_settled(void *ctx, uint32_t index)
{
    const struct forgetful *const f = ctx;

    if (!f->forget)
        f->table->ops->settled(f->table->ctx, index);
}

static const struct vtdpi_backend_ops forgetful_ops = {
    .replace = forgetful_replace,
    .invalidate = forgetful_invalidate,
    .commit = forgetful_commit,
    .settled = forgetful_settled,
};

static void send_to(struct vtdpi_irq *irq, unsigned int pcpu)
{
    const struct vtdpi_irte_remapped form = {
        .present = true,
        .dlm = VTDPI_DLM_FIXED,
        .mode = VTDPI_X2APIC,
        .vector = (uint8_t)(HOST_VECTOR + pcpu),
        .dst = machine_apic_id(pcpu),
    };

    must(vtdpi_irq_set_host(irq, &form), "vtdpi_irq_set_host");
}

/* What is in the table, and what was done about it. */
static void print_row(struct demo *d, const struct vtdpi_irq *irq,
                      const char *what)
{
    char line[VTDPI_FORMAT_MAX];

    (void)vtdpi_format_table_row(line, sizeof(line), &d->table,
                                 vtdpi_irq_index(irq));
    printf("  %s:\n", what);
    put_fields(line);
}

/* The device writes its message; whether that arrives at a pCPU. */
static bool arrives_at(struct demo *d, const struct vtdpi_irq *irq,
                       unsigned int pcpu)
{
    const struct device *const device = &d->devices[0];
    struct vtdpi_model *const hardware = &d->units[device->unit].hardware;
    struct vtdpi_model_result r;
    struct vtdpi_msi msi;

    printf("    arrives at ");
    must(vtdpi_msi_encode(vtdpi_irq_index(irq), &msi), "vtdpi_msi_encode");
    if (vtdpi_model_msi(hardware, device->sid,
                        (uint64_t)msi.address_hi << 32 | msi.address_lo,
                        msi.data, &r) != VTDPI_MODEL_REMAPPED) {
        printf("none: blocked, reason %02xh\n", r.reason);
        return false;
    }
    d->account.prologue++;
    printf("p%u, vector %02x   %s\n",
           (unsigned int)(machine_pcpu(d, r.dest) - d->pcpu), r.vector,
           r.from_cache ? "by the cached entry" : "entry read from the table");
    return r.dest == machine_apic_id(pcpu) && r.vector == HOST_VECTOR + pcpu;
}

static bool show(struct demo *d, struct forgetful *f, struct vtdpi_irq *irq)
{
    const uint32_t index = vtdpi_irq_index(irq);
    bool good;

    send_to(irq, 0);
    print_row(d, irq, "to p0, vector 31");
    good = arrives_at(d, irq, 0);

    f->forget = true;
    send_to(irq, 3);
    f->forget = false;
    print_row(d, irq, "to p3, vector 34, flush left out");
    good &= arrives_at(d, irq, 0);
    puts(good ? "    stale: the unit has not heard of the change"
              : "    NOT stale, although no unit was told");
    good &= vtdpi_table_is_dirty(&d->table, index);

    must(vtdpi_table_flush(&d->table, index, 1), "vtdpi_table_flush");
    print_row(d, irq, "the same, flushed");
    good &= arrives_at(d, irq, 3);
    good &= !vtdpi_table_is_dirty(&d->table, index);
    return good;
}

bool prologue(struct demo *d)
{
    struct forgetful f = {vtdpi_table_backend(&d->table), false};
    struct vtdpi_backend backend = *f.table;
    const struct vtdpi_source source =
        vtdpi_source_exact(d->devices[0].sid, VTDPI_SQ_ALL);
    struct vtdpi_irq irq = {0};
    uint32_t index;
    bool good;

    backend.ops = &forgetful_ops;
    backend.ctx = &f;
    must(vtdpi_table_alloc(&d->table, 1, NULL, &index), "vtdpi_table_alloc");
    must(vtdpi_irq_init(&irq, &backend, index, &source, NULL),
         "vtdpi_irq_init");
    put_heading(d, "A remapped interrupt, and what the flush is for");
    good = show(d, &f, &irq);
    must(vtdpi_irq_teardown(&irq), "vtdpi_irq_teardown");
    /* Nobody told the table what settled, since forgetful_ops has no such
     * call: its index may still be dirty. */
    must(vtdpi_table_flush(&d->table, index, 1), "vtdpi_table_flush");
    must(vtdpi_table_free(&d->table, index, 1), "vtdpi_table_free");
    return good;
}
