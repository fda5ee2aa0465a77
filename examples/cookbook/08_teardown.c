/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order does a VM end, and what does the library say to another order? A call
 * in the wrong place is refused, and changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/vtdpi.h>

static _Alignas(4096) struct vtdpi_irte entries[256];
static _Alignas(4096) uint8_t pids[4096];
static uint64_t storage[64], bitmap[VTDPI_BITMAP_WORDS(1)];
static struct vtdpi_page_ref pages[1];
static struct vtdpi_pcpu *pcpus[1], pcpu;
static struct vtdpi_pid_page page;
static struct vtdpi_sched sched;
static struct vtdpi_table table;
static struct vtdpi_vcpu vcpu;
static struct vtdpi_irq irq;
static uint32_t index;

/* A call and what it has to return. */
static void expect(int expected, int rc, const char *what)
{
    (void)printf("%-27s %s\n", what, vtdpi_strerror(rc));
    if (rc != expected)
        exit(1);
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx, (void)cookie; /* no vCPU sleeps here */
}

/* An interrupt that is posted to the one vCPU. Units join the table as in
 * 02_own_unit.c. */
static bool start(void)
{
    static const struct vtdpi_platform_ops ops = {.wake = wake};
    const struct vtdpi_sched_params host = {.ops = &ops,
                                            .pages = pages,
                                            .max_pages = 1,
                                            .pcpus = pcpus,
                                            .max_pcpus = 1,
                                            .apic_mode = VTDPI_X2APIC,
                                            .anv = 0xf2,
                                            .wnv = {0xf1}};
    const struct vtdpi_table_params rows = {.entries = entries,
                                            .phys = 0x100000,
                                            .count = 256,
                                            .storage = storage,
                                            .storage_size = sizeof(storage),
                                            .mode = VTDPI_X2APIC,
                                            .haw = 46};
    const struct vtdpi_source device = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);

    if (vtdpi_sched_init(&sched, &host) ||
        vtdpi_sched_add_page(&sched, 0, &page, pids, 0x200000) ||
        vtdpi_pcpu_init(&sched, &pcpu, 0, 7, bitmap) ||
        vtdpi_vcpu_attach(&sched, &vcpu, VTDPI_SLOT_ANY, &vcpu) ||
        vtdpi_table_init(&table, &rows) ||
        vtdpi_table_alloc(&table, 1, NULL, &index) ||
        vtdpi_irq_init(&irq, vtdpi_table_backend(&table), index, &device,
                       NULL) ||
        vtdpi_irq_post(&irq, &vcpu, 0x41))
        return false;
    vtdpi_pcpu_online(&pcpu);
    vtdpi_vcpu_run(&vcpu, &pcpu);
    return true;
}

int main(void)
{
    uint64_t last[VTDPI_PIR_WORDS];

    if (!start())
        return 1;
    (void)printf("The wrong order:\n");
    expect(VTDPI_EBUSY, vtdpi_vcpu_detach(&vcpu), "  the vCPU first");
    expect(VTDPI_EBUSY, vtdpi_table_free(&table, index, 1),
           "  the index first");
    expect(VTDPI_EBUSY, vtdpi_pcpu_fini(&pcpu), "  the pCPU first");
    expect(VTDPI_EATTACHED, vtdpi_sched_fini(&sched), "  the instance first");

    /* The device is quiet (bus master off), and the vCPU's thread has stopped. */
    (void)printf("The right order:\n");
    vtdpi_vcpu_preempt(&vcpu);
    expect(0, vtdpi_irq_teardown(&irq), "  1. the interrupt");
    expect(0, vtdpi_table_free(&table, index, 1), "  2. its index");
    (void)vtdpi_vcpu_sync(&vcpu,
                          last); /* to be saved with the vCPU, or dropped */
    expect(0, vtdpi_vcpu_detach(&vcpu), "  3. the vCPU");
    (void)vtdpi_pcpu_offline(&pcpu); /* then the vectors are given back */
    expect(0, vtdpi_pcpu_fini(&pcpu), "  4. the pCPU");
    expect(0, vtdpi_sched_fini(&sched), "  5. the instance");

    (void)printf("Twice:\n");
    expect(VTDPI_EFREE, vtdpi_table_free(&table, index, 1), "  the index");
    expect(VTDPI_EDETACHED, vtdpi_vcpu_detach(&vcpu), "  the vCPU");
    return 0;
}
