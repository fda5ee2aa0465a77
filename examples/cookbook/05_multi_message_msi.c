/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device has multi-message MSI: one address, one data value, and it adds the number
 * of the message. How does each message get a vCPU and a vector of its own?
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

static struct memory { /* all that there is, from address 0 on */
    _Alignas(4096) struct vtdpi_irte table[256];
    _Alignas(4096) uint8_t queue[4096];
    uint32_t status[256];
    struct vtdpi_pid pid[2]; /* of two vCPUs */
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
    MESSAGES = 8,
    SID = 0x0310
};

static struct vtdpi_msi msi; /* what the device is programmed with, once */

/* Message i is recorded in the descriptor of this vCPU. */
static bool arrives(uint32_t i, unsigned int vcpu, uint32_t vector)
{
    struct vtdpi_model_result r;
    uint64_t taken[VTDPI_PIR_WORDS];

    return vtdpi_model_msi(&chip, SID, msi.address_lo, msi.data + i, &r) ==
               VTDPI_MODEL_POSTED &&
           vtdpi_pid_harvest(&ram.pid[vcpu], taken) &&
           vtdpi_pir_highest(taken) == (int)vector;
}

int main(void)
{
    const struct vtdpi_source device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    static struct vtdpi_target vcpu[2]; /* sched.h has one for each vCPU */
    static struct vtdpi_irq irqs[MESSAGES];
    uint32_t first;
    bool good = start_unit();

    vtdpi_pid_init(&ram.pid[0], 0xf2, 0);
    vtdpi_pid_init(&ram.pid[1], 0xf2, 0);
    /* Indexes of a run are aligned to its length, so the unit can add. */
    good = good && !vtdpi_target_init(&vcpu[0], PHYS(pid[0]), VTDPI_X2APIC) &&
           !vtdpi_target_init(&vcpu[1], PHYS(pid[1]), VTDPI_X2APIC) &&
           !vtdpi_table_alloc(&table, MESSAGES, NULL, &first) &&
           !vtdpi_msi_encode_block(first, MESSAGES, &msi);
    for (uint32_t i = 0; good && i < MESSAGES; i++)
        good = !vtdpi_irq_init(&irqs[i], vtdpi_table_backend(&table), first + i,
                               &device, NULL) &&
               !vtdpi_irq_post_target(&irqs[i], &vcpu[0], (uint8_t)(0x40 + i));
    claim(good, "8 indexes in a row, one message for the device");
    for (uint32_t i = 0; i < MESSAGES; i++)
        good = good && arrives(i, 0, 0x40 + i);
    claim(good, "message i arrives at vCPU 0 as vector 40h + i");
    claim(!vtdpi_irq_post_target(&irqs[3], &vcpu[1], 0x91) &&
              arrives(3, 1, 0x91),
          "message 3 moves to vCPU 1, vector 91h");
    claim(arrives(2, 0, 0x42) && arrives(4, 0, 0x44),
          "its neighbours stay where they were");
    claim(!arrives(MESSAGES, 0, 0), "a ninth message is blocked");
    return vtdpi_model_violations(&chip) != 0;
}
