/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How do I bring up a remapping unit that my kernel does not drive yet? From the probe
 * to the first interrupt, and off again. The chip is a model. For hardware only the
 * callbacks differ: see vtdpi/platform.h.
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

static void must(int rc, const char *what)
{
    if (rc != 0) {
        (void)printf("%s: %s\n", what, vtdpi_strerror(rc));
        exit(1);
    }
}

static void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

static void bring_up(void)
{
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

    must(vtdpi_unit_probe(&unit, &vtdpi_model_platform_ops, &chip, 4096),
         "probe");
    claim(vtdpi_unit_state(&unit) == VTDPI_UNIT_OFF &&
              vtdpi_unit_caps(&unit)->pi,
          "the unit is off, and can post");
    must(vtdpi_table_init(&table, &rows), "table");
    /* First a member of the table, then on: so no change of an entry misses the unit. */
    must(vtdpi_table_add_unit(&table, &member, &unit), "join");
    must(vtdpi_unit_enable(&unit, &config), "enable");
    claim(vtdpi_unit_state(&unit) == VTDPI_UNIT_ON, "the unit remaps");
}

/* What becomes of a message of this device. */
static struct vtdpi_model_result sent_by(uint16_t sid,
                                         const struct vtdpi_msi *msi)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&chip, sid, msi->address_lo, msi->data, &r);
    return r;
}

int main(void)
{
    const struct vtdpi_model_params xeon = {.cap = 0x08d2078c106f0466,
                                            .ecap = 0xf020df,
                                            .map = map,
                                            .iec = cache,
                                            .iec_slots = 256};
    struct vtdpi_irte_remapped form = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};
    struct vtdpi_model_result r;
    struct vtdpi_irte entry;
    struct vtdpi_msi msi;
    uint32_t index;

    must(vtdpi_model_init(&chip, &xeon), "power");
    bring_up();

    /* An interrupt of device 03:02.0, and the message that the device is given. */
    form.source = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    must(vtdpi_irte_encode_remapped(&form, &entry), "entry");
    must(vtdpi_table_alloc(&table, 1, NULL, &index), "index");
    must(vtdpi_table_set(&table, index, &entry), "change");
    must(vtdpi_msi_encode(index, &msi), "message");
    r = sent_by(0x0310, &msi);
    claim(r.outcome == VTDPI_MODEL_REMAPPED && r.dest == 7 && r.vector == 0x31,
          "03:02.0 raises vector 31h of APIC 7");
    r = sent_by(0x0318, &msi);
    claim(r.outcome == VTDPI_MODEL_BLOCKED && r.reason == VTDPI_FR_SOURCE_ID,
          "03:03.0 with the same message is blocked");

    /* Back: the entry, its index, the unit, the list. Then the memory is free. */
    must(vtdpi_table_set(&table, index, &(struct vtdpi_irte){0}), "clear");
    claim(sent_by(0x0310, &msi).outcome == VTDPI_MODEL_BLOCKED,
          "the entry is gone, for the unit, too");
    must(vtdpi_table_free(&table, index, 1), "free");
    must(vtdpi_unit_disable(&unit), "disable");
    must(vtdpi_table_remove_unit(&table, &unit), "leave");
    claim(vtdpi_model_violations(&chip) == 0, "no rule of the unit was broken");
    return 0;
}
