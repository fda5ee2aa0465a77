/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How do I change many interrupts with one flush? In a batch: begin, any number of
 * changes, commit. One by one, each change waits for the unit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

static struct memory { /* all that there is, from address 0 on */
    _Alignas(4096) struct vtdpi_irte table[256];
    _Alignas(4096) uint8_t queue[4096];
    uint32_t status[256];
} ram;
static struct vtdpi_model chip;
static struct vtdpi_model_iec_entry cache[256]; /* of the chip */
static uint64_t storage[64];                    /* of the library */
static struct vtdpi_table_unit member;
static struct vtdpi_table table;
static struct vtdpi_unit unit;

#define PHYS(member) offsetof(struct memory, member)

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    return phys <= sizeof(ram) - len ? (uint8_t *)&ram + phys : NULL;
}

static void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

/* A unit, and the table that it has joined: 02_own_unit.c in short. */
static bool start_unit(void)
{
    const struct vtdpi_model_params xeon = {.cap = 0x08d2078c106f0466,
                                            .ecap = 0xf020df,
                                            .map = map,
                                            .iec = cache,
                                            .iec_slots = 256};
    const struct vtdpi_table_params rows = {.entries = ram.table,
                                            .phys = PHYS(table),
                                            .count = 256,
                                            .storage = storage,
                                            .storage_size = sizeof(storage),
                                            .mode = VTDPI_X2APIC,
                                            .haw = 46};
    const struct vtdpi_unit_config config = {.qi = {.ring = ram.queue,
                                                    .ring_phys = PHYS(queue),
                                                    .status = ram.status,
                                                    .status_phys = PHYS(status),
                                                    .submitters = 1}};

    return !vtdpi_model_init(&chip, &xeon) &&
           !vtdpi_unit_probe(&unit, &vtdpi_model_platform_ops, &chip, 4096) &&
           !vtdpi_table_init(&table, &rows) &&
           !vtdpi_table_add_unit(&table, &member, &unit) &&
           !vtdpi_unit_enable(&unit, &config);
}

enum {
    MESSAGES = 32, /* of the device */
    SID = 0x0310
};

static struct vtdpi_irq irqs[MESSAGES];
static uint32_t first; /* index */

/* The device sends all its messages. The unit has entries in its cache. */
static bool all_arrive_at(uint32_t apic_id)
{
    struct vtdpi_model_result r = {.dest = apic_id};
    struct vtdpi_msi msi;

    if (vtdpi_msi_encode_block(first, MESSAGES, &msi))
        return false;
    for (uint32_t i = 0; i < MESSAGES && r.dest == apic_id; i++)
        (void)vtdpi_model_msi(&chip, SID, msi.address_lo, msi.data + i, &r);
    return r.outcome == VTDPI_MODEL_REMAPPED && r.dest == apic_id;
}

/* Host forms for this CPU, in a batch or one by one. */
static bool move(uint32_t apic_id, struct vtdpi_irq_batch *batch)
{
    struct vtdpi_irte_remapped form = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x40, .dst = apic_id};
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < MESSAGES; i++, form.vector++)
        rc = batch != NULL ? vtdpi_irq_batch_set_host(batch, &irqs[i], &form)
                           : vtdpi_irq_set_host(&irqs[i], &form);
    return rc == 0;
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
    struct vtdpi_flush_range range; /* indexes in a row need one */
    struct vtdpi_irq_batch batch;
    bool good =
        start_unit() && !vtdpi_table_alloc(&table, MESSAGES, NULL, &first);

    for (uint32_t i = 0; good && i < MESSAGES; i++)
        good = !vtdpi_irq_init(&irqs[i], vtdpi_table_backend(&table), first + i,
                               &device, NULL);
    good = good && move(7, NULL);
    claim(good && all_arrive_at(7), "32 interrupts arrive at APIC 7");
    (void)waits();

    claim(move(8, NULL) && all_arrive_at(8) && waits() == MESSAGES,
          "moved one by one: 32 waits for the unit");

    if (vtdpi_irq_batch_begin(&batch, vtdpi_table_backend(&table), &range, 1))
        return 1;
    good = move(9, &batch);
    /* Also after an error: what was written before that has to be flushed. */
    good = !vtdpi_irq_batch_commit(&batch) && good;
    claim(good && all_arrive_at(9) && waits() == 1,
          "moved in a batch: 1 wait for the unit");
    return vtdpi_model_violations(&chip) != 0;
}
