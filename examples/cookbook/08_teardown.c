/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order does a VM end, and what does the library say to another order? A call
 * in the wrong place is refused, and changes nothing.
 */
#include "start_vcpus.h"

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

/* An interrupt that is posted to the one vCPU. */
static void start(void)
{
    static const struct vtdpi_platform_ops ops; /* no vCPU sleeps here */
    const struct vtdpi_source device = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);

    start_unit();
    start_vcpus(&ops);
    must(vtdpi_vcpu_attach(&sched, &vcpu, VTDPI_SLOT_ANY, &vcpu), "vCPU");
    vtdpi_vcpu_run(&vcpu, &pcpu);
    must(vtdpi_table_alloc(&table, 1, NULL, &index), "index");
    must(
        vtdpi_irq_init(&irq, vtdpi_table_backend(&table), index, &device, NULL),
        "interrupt");
    must(vtdpi_irq_post(&irq, &vcpu, 0x41), "post");
}

int main(void)
{
    uint64_t last[VTDPI_PIR_WORDS];

    start();
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
    /* What is left is saved with the vCPU, or dropped. */
    (void)vtdpi_vcpu_sync(&vcpu, last);
    expect(0, vtdpi_vcpu_detach(&vcpu), "  3. the vCPU");
    (void)vtdpi_pcpu_offline(&pcpu); /* then the vectors are given back */
    expect(0, vtdpi_pcpu_fini(&pcpu), "  4. the pCPU");
    expect(0, vtdpi_sched_fini(&sched), "  5. the instance");

    (void)printf("Twice:\n");
    expect(VTDPI_EFREE, vtdpi_table_free(&table, index, 1), "  the index");
    expect(VTDPI_EDETACHED, vtdpi_vcpu_detach(&vcpu), "  the vCPU");
    return 0;
}
