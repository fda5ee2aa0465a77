/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of most programs: a remapping unit and its table, from power on to the state
 * ON. First what plays the machine, then what a host has, too.
 */
#ifndef START_UNIT_H
#define START_UNIT_H
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

/* Physical memory, from address 0 on. The unit reads and writes nothing else. */
static struct memory {
    _Alignas(4096) struct vtdpi_irte table[256];
    _Alignas(4096) uint64_t queue[2][256][2]; /* program 10 needs a second */
    _Alignas(4096) struct vtdpi_pid pids[VTDPI_PAGE_SLOTS]; /* of vCPUs */
    struct vtdpi_hostmsi cpus[2];                           /* for program 11 */
    uint32_t status[2][256];
} ram;

static inline uint64_t phys(const void *p)
{
    return (uint64_t)((const uint8_t *)p - (const uint8_t *)&ram);
}

/* What the unit finds at an address. */
static inline void *map(void *ctx, uint64_t address, size_t len)
{
    (void)ctx;
    return address <= sizeof(ram) - len ? (uint8_t *)&ram + address : NULL;
}

/* The unit: a model. A program that wants more of its callbacks sets them. */
static struct vtdpi_model chip;
static struct vtdpi_model_iec_entry cache[256];
static struct vtdpi_model_params chip_params = {.cap = 0x08d2078c106f0466,
                                                .ecap = 0xf020df,
                                                .map = map,
                                                .iec = cache,
                                                .iec_slots = 256};

/* What becomes of a message. A device adds the number of the message to the data. */
static inline struct vtdpi_model_result
device_sends(uint16_t sid, const struct vtdpi_msi *msi, uint32_t number)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&chip, sid, msi->address_lo, msi->data + number, &r);
    return r;
}

/* Prints a line. Ends the program if the line is not so. */
static inline void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

/* Ends the program if a call fails. A host has a way back instead. */
static inline void must(int rc, const char *what)
{
    if (rc != 0) {
        (void)printf("%s: %s\n", what, vtdpi_strerror(rc));
        exit(1);
    }
}

/* The host. On hardware it gives the probe callbacks of its own: vtdpi/platform.h. */
static struct vtdpi_unit unit;
static struct vtdpi_unit_config unit_config = {
    .qi = {.ring = ram.queue[0],
           .ring_phys = offsetof(struct memory, queue),
           .status = ram.status[0],
           .status_phys = offsetof(struct memory, status),
           .submitters = 1}}; /* CPUs that can wait for the queue at once */
static struct vtdpi_table table;
static struct vtdpi_table_unit member; /* the unit, as a member of the table */
static uint64_t storage[64];           /* which indexes are in use */
static struct vtdpi_table_params table_params = {
    .entries = ram.table,
    .phys = offsetof(struct memory, table),
    .count = 256,
    .storage = storage,
    .storage_size = sizeof(storage),
    .mode = VTDPI_X2APIC,
    .haw = 46}; /* bits of a physical address */

static inline void start_unit(void)
{
    must(vtdpi_model_init(&chip, &chip_params), "power");
    must(vtdpi_unit_probe(&unit, &vtdpi_model_platform_ops, &chip, 4096),
         "probe");
    must(vtdpi_table_init(&table, &table_params), "table");
    /* First a member of the table, then on: so no change of an entry misses the unit. */
    must(vtdpi_table_add_unit(&table, &member, &unit), "join");
    must(vtdpi_unit_enable(&unit, &unit_config), "enable");
}
#endif
