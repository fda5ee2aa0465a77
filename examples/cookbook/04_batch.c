/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How do I change many interrupts with one flush? In a batch: begin, any number of
 * changes, commit. One by one, each change waits for the unit.
 */
#include "start_unit.h"

enum {
    MESSAGES = 32, /* of the device */
    SID = 0x0310
};

static struct vtdpi_irq irqs[MESSAGES];
static struct vtdpi_msi msi;

/* The device sends all its messages. The unit has entries in its cache. */
static bool all_arrive_at(uint32_t apic_id)
{
    uint32_t arrived = 0;

    for (uint32_t i = 0; i < MESSAGES; i++)
        arrived += device_sends(SID, &msi, i).dest == apic_id;
    return arrived == MESSAGES;
}

/* Host forms for this CPU, in a batch or one by one. */
static int move(uint32_t apic_id, struct vtdpi_irq_batch *batch)
{
    struct vtdpi_irte_remapped form = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x40, .dst = apic_id};
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < MESSAGES; i++, form.vector++)
        rc = batch != NULL ? vtdpi_irq_batch_set_host(batch, &irqs[i], &form)
                           : vtdpi_irq_set_host(&irqs[i], &form);
    return rc;
}

/* How often the unit was waited for since the last call. */
static uint64_t waits(void)
{
    static uint64_t before;
    struct vtdpi_model_counters now;
    const uint64_t since = before;

    vtdpi_model_get_counters(&chip, &now);
    before = now.waits_completed;
    return before - since;
}

int main(void)
{
    const struct vtdpi_source device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    const struct vtdpi_backend *const backend = vtdpi_table_backend(&table);
    struct vtdpi_flush_range range; /* indexes in a row need one */
    struct vtdpi_irq_batch batch;
    uint32_t first;
    int rc;

    start_unit();
    must(vtdpi_table_alloc(&table, MESSAGES, NULL, &first), "indexes");
    must(vtdpi_msi_encode_block(first, MESSAGES, &msi), "message");
    for (uint32_t i = 0; i < MESSAGES; i++)
        must(vtdpi_irq_init(&irqs[i], backend, first + i, &device, NULL),
             "interrupt");
    must(move(7, NULL), "host forms");
    claim(all_arrive_at(7), "32 interrupts arrive at APIC 7");
    (void)waits();

    must(move(8, NULL), "move");
    claim(all_arrive_at(8) && waits() == MESSAGES,
          "moved one by one: 32 waits for the unit");

    must(vtdpi_irq_batch_begin(&batch, backend, &range, 1), "begin");
    rc = move(9, &batch);
    /* Also after an error: what was written before that has to be flushed. */
    must(vtdpi_irq_batch_commit(&batch), "commit");
    must(rc, "move in a batch");
    claim(all_arrive_at(9) && waits() == 1,
          "moved in a batch: 1 wait for the unit");
    return vtdpi_model_violations(&chip) != 0;
}
