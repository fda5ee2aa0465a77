/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new hypervisor takes over while devices go on posting: what does it keep, and in
 * which order? Table and descriptors stay where they are; all else is its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

/* What the old kernel writes down for the new one. */
enum {
    SID = 0x0310,
    SLOT = 3,
    INDEX = 6
};

/* Handed over. The queue of the old kernel is needed until the take-over is done. */
static struct memory {
    _Alignas(4096) struct vtdpi_irte table[256];
    _Alignas(4096) struct vtdpi_pid pids[VTDPI_PAGE_SLOTS];
    _Alignas(4096) uint8_t queue[2][4096];
    uint32_t status[2][256];
} ram;
static struct kernel { /* lost with the old kernel */
    struct vtdpi_page_ref pages[1];
    struct vtdpi_pcpu *pcpus[1];
    struct vtdpi_pid_page page;
    struct vtdpi_sched sched;
    struct vtdpi_vcpu vcpu;
    struct vtdpi_table table;
    struct vtdpi_table_unit member;
    struct vtdpi_unit unit;
    struct vtdpi_irq irq[2];
    uint64_t storage[64];
} k;
static struct vtdpi_model chip;
static struct vtdpi_model_iec_entry cache[256]; /* of the chip */

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

static bool boot(bool adopt)
{
    static const struct vtdpi_platform_ops ops; /* no vCPU sleeps here */
    const struct vtdpi_sched_params host = {.ops = &ops,
                                            .pages = k.pages,
                                            .max_pages = 1,
                                            .pcpus = k.pcpus,
                                            .max_pcpus = 1,
                                            .apic_mode = VTDPI_X2APIC,
                                            .anv = 0xf2};
    const struct vtdpi_table_params rows = {.entries = ram.table,
                                            .phys = PHYS(table),
                                            .count = 256,
                                            .storage = k.storage,
                                            .storage_size = sizeof(k.storage),
                                            .mode = VTDPI_X2APIC,
                                            .haw = 46,
                                            .adopt = adopt};
    const struct vtdpi_unit_config config = {
        .adopt = adopt,
        .qi = {.ring = ram.queue[adopt],
               .ring_phys = PHYS(queue[adopt]),
               .status = ram.status[adopt],
               .status_phys = PHYS(status[adopt]),
               .submitters = 1}};

    return !vtdpi_sched_init(&k.sched, &host) &&
           !(adopt ? vtdpi_sched_adopt_page : vtdpi_sched_add_page)(
               &k.sched, 0, &k.page, ram.pids, PHYS(pids)) &&
           !vtdpi_table_init(&k.table, &rows) &&
           !vtdpi_unit_probe(&k.unit, &vtdpi_model_platform_ops, &chip, 4096) &&
           !vtdpi_table_add_unit(&k.table, &k.member, &k.unit) &&
           !vtdpi_unit_enable(&k.unit, &config) &&
           (!adopt || !vtdpi_table_flush_all(&k.table));
}

/* Both interrupts of the device: made, or taken over as they are. */
static bool interrupts(bool adopt)
{
    const struct vtdpi_backend *const backend = vtdpi_table_backend(&k.table);
    const struct vtdpi_source device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    bool good = adopt || !vtdpi_table_reserve(&k.table, INDEX, 2, NULL);

    for (uint32_t i = 0; good && i < 2; i++) {
        struct vtdpi_irte live;

        if (adopt)
            good = !vtdpi_table_read(&k.table, INDEX + i, &live) &&
                   !vtdpi_irq_adopt(&k.irq[i], backend, INDEX + i, &device,
                                    &live, &k.vcpu);
        else
            good =
                !vtdpi_irq_init(&k.irq[i], backend, INDEX + i, &device, NULL) &&
                !vtdpi_irq_post(&k.irq[i], &k.vcpu, (uint8_t)(0x41 + i));
    }
    return good;
}

static bool device_posts(uint32_t i)
{
    struct vtdpi_model_result r;
    struct vtdpi_msi msi;

    return !vtdpi_msi_encode(INDEX + i, &msi) &&
           vtdpi_model_msi(&chip, SID, msi.address_lo, msi.data, &r) ==
               VTDPI_MODEL_POSTED;
}

int main(void)
{
    const struct vtdpi_model_params xeon = {.cap = 0x08d2078c106f0466,
                                            .ecap = 0xf020df,
                                            .map = map,
                                            .iec = cache,
                                            .iec_slots = 256};
    uint64_t taken[VTDPI_PIR_WORDS];
    uint32_t released = 0;

    claim(!vtdpi_model_init(&chip, &xeon) && boot(false) &&
              !vtdpi_vcpu_attach(&k.sched, &k.vcpu, SLOT, &k) &&
              interrupts(false) && device_posts(0),
          "the old kernel runs: 41h is posted");
    vtdpi_vcpu_preempt(&k.vcpu); /* from here on nobody is notified */
    k = (struct kernel){0};
    claim(device_posts(1), "no kernel runs: 42h is posted");

    claim(boot(true) && vtdpi_table_posted(&k.table) == 2,
          "the new kernel has the unit and both entries");
    claim(!vtdpi_vcpu_adopt(&k.sched, &k.vcpu, SLOT, &k) && interrupts(true),
          "the new kernel has the vCPU and its interrupts");
    for (uint32_t slot = 0; slot < VTDPI_PAGE_SLOTS; slot++)
        released += !vtdpi_sched_release_slot(&k.sched, slot);
    claim(released == VTDPI_PAGE_SLOTS - 1,
          "slots that no entry names are free");

    claim(vtdpi_vcpu_sync(&k.vcpu, taken) && taken[1] == 6,
          "the vCPU takes 41h and 42h");
    /* Without a host form the entry is not present then: set one before. */
    claim(!vtdpi_irq_unpost(&k.irq[0]) && !device_posts(0) && device_posts(1),
          "an entry is changed as any other");
    return 0;
}
