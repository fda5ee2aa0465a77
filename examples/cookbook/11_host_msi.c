/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own devices interrupt in bursts: how does a CPU take a burst with one
 * interrupt, and how does an interrupt move to another CPU?
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

static struct memory { /* all that there is, from address 0 on */
    _Alignas(4096) struct vtdpi_irte table[256];
    _Alignas(4096) uint8_t queue[4096];
    uint32_t status[256];
    struct vtdpi_hostmsi cpu[2];
} ram;
static struct vtdpi_model chip;
static struct vtdpi_model_iec_entry cache[256]; /* of the chip */
static uint64_t storage[64];                    /* of the library */
static struct vtdpi_table_unit member;
static struct vtdpi_table table;
static struct vtdpi_unit unit;

#define PHYS(member) offsetof(struct memory, member)

static unsigned int notified[2]; /* interrupts of each CPU */

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    return phys <= sizeof(ram) - len ? (uint8_t *)&ram + phys : NULL;
}

static void notify(void *ctx, const struct vtdpi_model_notification *n)
{
    (void)ctx;
    notified[n->apic_id]++;
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
                                            .notify = notify};
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
    NV = 0xeb,
    SID = 0x0310,
    QUEUES = 4,
    VECTOR = 0x41
};

static uint32_t first;       /* index of the four queues of a device */
static unsigned int handled; /* queues */

/* Of one queue. Sends no EOI: the notification vector has the only one. */
static void queue(void *ctx, uint8_t vector)
{
    (void)ctx;
    handled |= 1u << (vector - VECTOR);
}

static bool device_sends(uint32_t i)
{
    struct vtdpi_model_result r;
    struct vtdpi_msi msi;

    return !vtdpi_msi_encode_block(first, QUEUES, &msi) &&
           vtdpi_model_msi(&chip, SID, msi.address_lo, msi.data + i, &r) ==
               VTDPI_MODEL_POSTED;
}

/* The handler of NV on a CPU, interrupts off; then EOI. */
static uint32_t interrupt(unsigned int cpu)
{
    handled = 0;
    return vtdpi_hostmsi_handle(&ram.cpu[cpu], VTDPI_HOSTMSI_LOOKS, queue,
                                NULL);
}

int main(void)
{
    const struct vtdpi_source device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    const struct vtdpi_backend *const backend = vtdpi_table_backend(&table);
    static struct vtdpi_irq irq[QUEUES];
    struct vtdpi_target *const to_1 = vtdpi_hostmsi_target(&ram.cpu[1]);
    uint64_t left[VTDPI_PIR_WORDS];
    bool good =
        start_unit() && !vtdpi_table_alloc(&table, QUEUES, NULL, &first);

    for (uint32_t i = 0; good && i < 2; i++) {
        good =
            !vtdpi_hostmsi_init(&ram.cpu[i], PHYS(cpu) + i * sizeof(ram.cpu[0]),
                                VTDPI_X2APIC, i, NV);
        vtdpi_hostmsi_online(&ram.cpu[i]);
        (void)interrupt(i); /* a notification of before may be lost */
    }
    for (uint32_t i = 0; good && i < QUEUES; i++)
        good = !vtdpi_irq_init(&irq[i], backend, first + i, &device, NULL) &&
               !vtdpi_irq_set_host_posted(&irq[i],
                                          vtdpi_hostmsi_target(&ram.cpu[0]),
                                          (uint8_t)(VECTOR + i));
    for (uint32_t i = 0; good && i < QUEUES; i++)
        good = device_sends(i);
    claim(good && notified[0] == 1,
          "a burst of four queues, one interrupt of CPU 0");
    claim(interrupt(0) == 4 && handled == 0xf, "its handler finds all four");
    claim(device_sends(2) && notified[0] == 2,
          "what comes after the handler interrupts again");

    /* CPU 0 has not handled that one, and queue 2 moves: the entry, the flush, then
     * the last harvest of the old CPU. */
    good = !vtdpi_irq_set_host_posted(&irq[2], to_1, VECTOR + 2) &&
           !vtdpi_irq_flush(&irq[2]);
    claim(good && device_sends(2) && notified[1] == 1 && interrupt(1) == 1,
          "queue 2 moves: it interrupts CPU 1");
    claim(vtdpi_hostmsi_harvest(&ram.cpu[0], left) &&
              vtdpi_hostmsi_dispatch(left, queue, NULL) == 1,
          "what came before the move waits on CPU 0");
    claim(vtdpi_hostmsi_offline(&ram.cpu[0], left) == VTDPI_EBUSY,
          "CPU 0 cannot go: three queues are still there");
    return vtdpi_model_violations(&chip) != 0;
}
