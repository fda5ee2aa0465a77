/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <vtdpi/vtdpi.h>

static _Alignas(4096) uint8_t memory[4096]; /* descriptors of 64 vCPUs */
static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx; /* a real host writes the ICR */
    (void)printf("vector %#x goes to APIC %u\n", vector, apic_id);
}
static void wake(void *ctx, void *cookie)
{
    (void)ctx; /* a real host makes the thread runnable */
    (void)printf("wake %s\n", (const char *)cookie);
}
int main(void)
{
    const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi, .wake = wake};
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)], vectors[VTDPI_PIR_WORDS];
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = (struct vtdpi_page_ref[1]){{0}},
        .max_pages = 1,
        .pcpus = (struct vtdpi_pcpu *[1]){NULL},
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };
    struct vtdpi_vcpu vcpu = {0};
    struct vtdpi_pcpu pcpu;
    struct vtdpi_sched sched;
    struct vtdpi_pid_page page;
    if (vtdpi_sched_init(&sched, &params) ||
        vtdpi_sched_add_page(&sched, 0, &page, memory, 0x1000) ||
        vtdpi_pcpu_init(&sched, &pcpu, 0, 7, bitmap) ||
        vtdpi_vcpu_attach(&sched, &vcpu, 0, "vCPU 0"))
        return 1;
    vtdpi_pcpu_online(&pcpu);
    if (vtdpi_vcpu_block(&vcpu, &pcpu) == VTDPI_BLOCKED)
        vtdpi_vcpu_post(&vcpu, 0x41, false); /* what a device does */
    vtdpi_pcpu_handle_wakeup(&pcpu, 0xf1);   /* the interrupt arrives */
    vtdpi_vcpu_run(&vcpu, &pcpu);
    return !vtdpi_vcpu_sync(&vcpu, vectors) || vectors[1] != 2;
}
