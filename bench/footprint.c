/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of memory for each object that a host has many of, and what they come
 * to. All of it is the host's own, in place; the library allocates nothing.
 */
#include <stdio.h>

#include "vtdpi/vtdpi.h"

static void line(const char *what, size_t bytes)
{
    printf("  %-52s %10zu\n", what, bytes);
}

static size_t pages(size_t vcpus)
{
    return (vcpus + VTDPI_PAGE_SLOTS - 1) / VTDPI_PAGE_SLOTS;
}

static size_t per_page(void)
{
    return VTDPI_PAGE_SIZE + sizeof(struct vtdpi_pid_page) +
           sizeof(struct vtdpi_page_ref);
}

static size_t per_pcpu(size_t vcpus)
{
    return sizeof(struct vtdpi_pcpu) + sizeof(void *) +
           VTDPI_BITMAP_WORDS(pages(vcpus)) * sizeof(uint64_t);
}

static size_t per_vcpu(void)
{
    return sizeof(struct vtdpi_vcpu) + per_page() / VTDPI_PAGE_SLOTS;
}

/* Beside a list and a lock: two pointers a vCPU, a line a pCPU, and the PID. */
static void host(size_t pcpus, size_t vcpus)
{
    const size_t ours = pages(vcpus) * per_page() +
                        vcpus * sizeof(struct vtdpi_vcpu) +
                        pcpus * per_pcpu(vcpus);
    const size_t list =
        vcpus * (2 * sizeof(void *) + sizeof(struct vtdpi_pid)) + pcpus * 64;

    printf("  %5zu pCPUs, %6zu vCPUs %16zu %12zu %10.2f\n", pcpus, vcpus, ours,
           list, (double)ours / (double)list);
}

int main(void)
{
    printf("bytes each\n");
    line("vCPU: struct vtdpi_vcpu, PID, cookie, its part of a page",
         per_vcpu());
    line("pCPU, 64 slots", per_pcpu(64));
    line("pCPU, 16,384 slots", per_pcpu(16384));
    line("interrupt: struct vtdpi_irq", sizeof(struct vtdpi_irq));
    line("bound interrupt: with struct vtdpi_binding",
         sizeof(struct vtdpi_irq) + sizeof(struct vtdpi_binding));
    line("change of a VM: struct vtdpi_vm_work, on the stack",
         sizeof(struct vtdpi_vm_work));
    line("table of 65,536 entries: beside the entries",
         vtdpi_table_storage_size(65536));
    line("unit: struct vtdpi_unit, without ring and status words",
         sizeof(struct vtdpi_unit));
    line("guest APIC in a map of routes", VTDPI_ROUTE_MAP_BYTES(1024) / 1024);
    printf(
        "\nscheduling as a whole              ours     list+lock    ratio\n");
    host(4, 64);
    host(64, 64);
    host(256, 16384);
    return 0;
}
