/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt does not arrive: which device was blocked, and why? The fault event, its
 * handler, and a line of text for each record.
 */
#include "start_unit.h"

static struct vtdpi_fault_reader reader;
static bool event;         /* the vector of the event waits in the IRR */
static unsigned int found; /* the reason of the last record */

static void send_event(void *ctx, enum vtdpi_model_event which,
                       uint64_t address, uint32_t data)
{
    (void)ctx, (void)address;
    event = which == VTDPI_MODEL_EVENT_FAULT && data == 0xf5;
}

static void report(void *ctx, const struct vtdpi_fault *fault)
{
    char line[VTDPI_FORMAT_MAX];

    (void)ctx; /* from here a host goes to the driver of the device */
    (void)vtdpi_format_fault(line, sizeof(line), fault);
    (void)printf("%s\n", line);
    if (fault->kind == VTDPI_FAULT_INTERRUPT)
        found = fault->reason;
}

/* A device sends a message, and the event's handler runs if there is an event. Returns
 * the reason that was reported. */
static unsigned int fault(uint16_t sid, const struct vtdpi_msi *msi,
                          uint32_t number)
{
    bool more = false;

    event = false;
    found = 0;
    (void)device_sends(sid, msi, number);
    /* After EOI, a bounded number of records. A host whose more is true goes on from
     * a timer: no further event comes while a record is left. */
    if (event)
        must(vtdpi_fault_handle(&reader, 4, &more), "records");
    return more ? 0 : found;
}

int main(void)
{
    const struct vtdpi_fault_params params = {
        .unit = &unit, .table = &table, .report = report};
    const struct vtdpi_msi plain = {.address_lo = 0xfee00000, .data = 0x41};
    struct vtdpi_irte_remapped form = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};
    struct vtdpi_irte entry;
    struct vtdpi_msi msi;
    uint32_t index;

    chip_params.event = send_event;
    start_unit();
    must(vtdpi_fault_init(&reader, &params), "reader");
    must(vtdpi_fault_clear_all(&reader), "old records");
    must(vtdpi_fault_event_enable(&unit, VTDPI_X2APIC, 0, 0xf5), "event");

    form.source = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    must(vtdpi_table_alloc(&table, 1, NULL, &index), "index");
    must(vtdpi_irte_encode_remapped(&form, &entry), "entry");
    must(vtdpi_table_set(&table, index, &entry), "change");
    must(vtdpi_msi_encode(index, &msi), "message");
    claim(!fault(0x0310, &msi, 0), "03:02.0 sends its message: no fault");
    claim(fault(0x0400, &msi, 0) == VTDPI_FR_SOURCE_ID,
          "26h: 04:00.0 has sent the message of 03:02.0");
    claim(fault(0x0310, &msi, 1) == VTDPI_FR_NOT_PRESENT,
          "22h: 03:02.0 has a message for an entry that is not there");
    claim(fault(0x0310, &plain, 0) == VTDPI_FR_COMPAT_BLOCKED,
          "25h: 03:02.0 has a message that names no entry");
    return vtdpi_model_violations(&chip) != 0;
}
