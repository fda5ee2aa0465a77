/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's IPI without a VM exit: the PID-pointer table of a VM with two vCPUs. The
 * processor is played by cpu_sends_ipi(); nothing here has run on hardware.
 */
#include <stdio.h>
#include <vtdpi/vtdpi.h>

enum {
    IDS = 2,
    VECTOR = 0x41
};

static _Alignas(4096) uint8_t pids[4096];
static _Alignas(4096) uint64_t entries[512];

/* What the processor does with a write of ICR. False: a VM exit, and the host
 * delivers. */
static bool cpu_sends_ipi(uint32_t to, uint8_t vector, uint64_t pids_phys)
{
    struct vtdpi_pid *pid;

    if (to >= IDS || (entries[to] & VTDPI_IPIV_VALID) == 0)
        return false;
    pid = (void *)(pids + (entries[to] - VTDPI_IPIV_VALID - pids_phys));
    (void)vtdpi_pid_post(pid, vector, false);
    return true;
}

int main(void)
{
    struct vtdpi_target *targets[IDS];
    const struct vtdpi_ipiv_params params = {
        .entries = entries,
        .phys = 0x2000,
        .targets = targets,
        .count = IDS,
        .width = 46,
        .mode = VTDPI_X2APIC,
    };
    const struct vtdpi_platform_ops ops = {0};
    const struct vtdpi_sched_params sched_params = {
        .ops = &ops,
        .pages = (struct vtdpi_page_ref[1]){{0}},
        .max_pages = 1,
        .pcpus = (struct vtdpi_pcpu *[1]){NULL},
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
    };
    uint64_t vectors[VTDPI_PIR_WORDS];
    struct vtdpi_vcpu vcpu[IDS] = {0};
    struct vtdpi_pid_page page;
    struct vtdpi_sched sched;
    struct vtdpi_ipiv table;

    if (vtdpi_sched_init(&sched, &sched_params) ||
        vtdpi_sched_add_page(&sched, 0, &page, pids, 0x1000) ||
        vtdpi_ipiv_init(&table, &params))
        return 1;
    for (uint32_t id = 0; id < IDS; id++) {
        if (vtdpi_vcpu_attach(&sched, &vcpu[id], id, &vcpu[id]) ||
            vtdpi_ipiv_set(&table, id, vtdpi_vcpu_target(&vcpu[id])))
            return 1;
    }
    (void)printf("VMCS: table at %#llx, last index %u\n",
                 (unsigned long long)vtdpi_ipiv_phys(&table),
                 (unsigned int)vtdpi_ipiv_last(&table));

    if (!cpu_sends_ipi(1, VECTOR, 0x1000) ||
        !vtdpi_vcpu_sync(&vcpu[1], vectors) || vectors[1] != 2)
        return 1;
    (void)printf("an IPI to vCPU 1, without a VM exit\n");

    /* vCPU 1 is unplugged. The host makes vCPU 0 exit between clear and settled. */
    if (vtdpi_vcpu_detach(&vcpu[1]) != VTDPI_EBUSY ||
        vtdpi_ipiv_clear(&table, 1) || cpu_sends_ipi(1, VECTOR, 0x1000) ||
        vtdpi_ipiv_settled(&table, 1) || vtdpi_vcpu_detach(&vcpu[1]))
        return 1;
    (void)printf("vCPU 1 is detached: an IPI to it is a VM exit\n");
    return 0;
}
