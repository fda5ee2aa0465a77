/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt does not arrive: which device was blocked, and why? The fault event, its
 * handler, and a line of text for each record.
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

static bool event;        /* the vector of the event waits in the IRR */
static unsigned int seen; /* reasons: bit n for reason 20h + n */

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    return phys <= sizeof(ram) - len ? (uint8_t *)&ram + phys : NULL;
}

static void send_event(void *ctx, enum vtdpi_model_event which,
                       uint64_t address, uint32_t data)
{
    (void)ctx, (void)address;
    event = which == VTDPI_MODEL_EVENT_FAULT && data == 0xf5;
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
                                            .iec_slots = 256,
                                            .event = send_event};
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

static void report(void *ctx, const struct vtdpi_fault *fault)
{
    char line[VTDPI_FORMAT_MAX];

    (void)ctx; /* from here a host goes to the driver of the device */
    (void)vtdpi_format_fault(line, sizeof(line), fault);
    (void)printf("%s\n", line);
    if (fault->kind == VTDPI_FAULT_INTERRUPT)
        seen |= 1u << (fault->reason - 0x20);
}

/* A device sends a message, and the event's handler runs if there is an event. */
static bool faults(struct vtdpi_fault_reader *reader, uint16_t sid,
                   uint32_t address, uint32_t data)
{
    struct vtdpi_model_result r;
    bool more = false;

    event = false;
    (void)vtdpi_model_msi(&chip, sid, address, data, &r);
    /* EOI; then a bounded number of records. A host whose more is true goes on from
     * a timer: no further event comes while a record is left. */
    return event && !vtdpi_fault_handle(reader, 4, &more) && !more;
}

int main(void)
{
    const struct vtdpi_fault_params params = {
        .unit = &unit, .table = &table, .report = report};
    struct vtdpi_irte_remapped form = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};
    struct vtdpi_fault_reader reader;
    struct vtdpi_irte entry;
    struct vtdpi_msi msi;
    uint32_t index;

    form.source = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    if (!start_unit() || vtdpi_fault_init(&reader, &params) ||
        vtdpi_fault_clear_all(&reader) ||
        vtdpi_fault_event_enable(&unit, VTDPI_X2APIC, 0, 0xf5) ||
        vtdpi_table_alloc(&table, 1, NULL, &index) ||
        vtdpi_irte_encode_remapped(&form, &entry) ||
        vtdpi_table_set(&table, index, &entry) || vtdpi_msi_encode(index, &msi))
        return 1;
    claim(!faults(&reader, 0x0310, msi.address_lo, msi.data),
          "03:02.0 sends its message: no fault");
    claim(faults(&reader, 0x0400, msi.address_lo, msi.data) && (seen & 1u << 6),
          "26h: 04:00.0 has sent the message of 03:02.0");
    claim(faults(&reader, 0x0310, msi.address_lo, msi.data + 1) &&
              (seen & 1u << 2),
          "22h: 03:02.0 has a message for an entry that is not there");
    claim(faults(&reader, 0x0310, 0xfee00000, 0x41) && (seen & 1u << 5),
          "25h: 03:02.0 has a message that names no entry");
    return vtdpi_model_violations(&chip) != 0;
}
