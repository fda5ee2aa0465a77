/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new hypervisor takes over while devices go on posting: what does it keep, and in
 * which order? Table and descriptors stay where they are; all else is its own.
 */
#include "start_vcpus.h"

/* What the old kernel writes down for the new one, beside where its memory is. */
enum {
    SID = 0x0310, /* of the device */
    SLOT = 3,     /* of the vCPU */
    INDEX = 6     /* of the first of two interrupts */
};

static const struct vtdpi_platform_ops ops; /* no vCPU sleeps here */
static struct vtdpi_source device;
static struct vtdpi_vcpu vcpu;
static struct vtdpi_msi msi;
static struct vtdpi_irq irq[2];

static void start_old(void)
{
    start_unit();
    start_vcpus(&ops);
    must(vtdpi_vcpu_attach(&sched, &vcpu, SLOT, &vcpu), "vCPU");
    must(vtdpi_table_reserve(&table, INDEX, 2, NULL), "indexes");
    must(vtdpi_msi_encode_block(INDEX, 2, &msi), "message");
    for (uint32_t i = 0; i < 2; i++) {
        must(vtdpi_irq_init(&irq[i], vtdpi_table_backend(&table), INDEX + i,
                            &device, NULL),
             "interrupt");
        must(vtdpi_irq_post(&irq[i], &vcpu, (uint8_t)(0x41 + i)), "post");
    }
}

/* The queue is another: the unit reads the old one until it has the new one. */
static void take_over(void)
{
    struct vtdpi_irte live;

    table_params.adopt = true;
    unit_config.adopt = true;
    unit_config.qi.ring = ram.queue[1];
    unit_config.qi.ring_phys = phys(ram.queue[1]);
    unit_config.qi.status = ram.status[1];
    unit_config.qi.status_phys = phys(ram.status[1]);

    must(vtdpi_sched_init(&sched, &sched_params), "scheduler");
    must(vtdpi_sched_adopt_page(&sched, 0, &page, ram.pids, phys(ram.pids)),
         "page");
    must(vtdpi_table_init(&table, &table_params), "table");
    must(vtdpi_unit_probe(&unit, &vtdpi_model_platform_ops, &chip, 4096),
         "probe");
    must(vtdpi_table_add_unit(&table, &member, &unit), "join");
    must(vtdpi_unit_enable(&unit, &unit_config), "unit");
    must(vtdpi_table_flush_all(&table), "flush");
    must(vtdpi_vcpu_adopt(&sched, &vcpu, SLOT, &vcpu), "vCPU");
    for (uint32_t i = 0; i < 2; i++) {
        must(vtdpi_table_read(&table, INDEX + i, &live), "entry");
        must(vtdpi_irq_adopt(&irq[i], vtdpi_table_backend(&table), INDEX + i,
                             &device, &live, &vcpu),
             "interrupt");
    }
    for (uint32_t slot = 0; slot < VTDPI_PAGE_SLOTS; slot++)
        if (slot != SLOT) /* no entry names its descriptor */
            must(vtdpi_sched_release_slot(&sched, slot), "slot");
}

static bool device_posts(uint32_t i)
{
    return device_sends(SID, &msi, i).outcome == VTDPI_MODEL_POSTED;
}

int main(void)
{
    uint64_t taken[VTDPI_PIR_WORDS];

    device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    start_old();
    claim(device_posts(0), "the old kernel runs: 41h is posted");
    vtdpi_vcpu_preempt(&vcpu); /* from here on nobody is notified */
    /* Nothing that the old kernel knew is left. */
    unit = (struct vtdpi_unit){0};
    table = (struct vtdpi_table){0};
    sched = (struct vtdpi_sched){0};
    vcpu = (struct vtdpi_vcpu){0};
    irq[0] = irq[1] = (struct vtdpi_irq){0};
    claim(device_posts(1), "no kernel runs: 42h is posted");

    take_over();
    claim(vtdpi_table_posted(&table) == 2,
          "the new kernel has unit, entries, vCPU and interrupts");
    claim(vtdpi_vcpu_sync(&vcpu, taken) && taken[1] == 6,
          "the vCPU takes 41h and 42h");
    /* Without a host form the entry is not present then: set one before. */
    must(vtdpi_irq_unpost(&irq[0]), "unpost");
    claim(!device_posts(0) && device_posts(1),
          "an entry is changed as any other");
    return 0;
}
