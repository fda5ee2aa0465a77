/* SPDX-License-Identifier: BSD-2-Clause */
/* Misuses of page-table isolation: entries that user mode does not reach. */
#include "shim_locks.h"

static vm_offset_t gate_page(void)
{
    return trunc_page((vm_offset_t)&shim_case_gate);
}

static void entry_not_mapped(void)
{
    pti = 1;
    (void)lapic_ipi_alloc(shim_case_gate);
}

static void entry_not_executable(void)
{
    pti = 1;
    pmap_pti_add_kva(gate_page(), gate_page() + PAGE_SIZE, false);
    (void)lapic_ipi_alloc(shim_case_gate);
}

static void entry_removed_in_use(void)
{
    pti = 1;
    pmap_pti_add_kva(gate_page(), gate_page() + PAGE_SIZE, true);
    (void)lapic_ipi_alloc(shim_case_gate);
    pmap_pti_remove_kva(gate_page(), gate_page() + PAGE_SIZE);
}

static void page_added_twice(void)
{
    pti = 1;
    pmap_pti_add_kva(gate_page(), gate_page() + PAGE_SIZE, true);
    pmap_pti_add_kva(gate_page(), gate_page() + PAGE_SIZE, true);
}

static void page_not_added(void)
{
    pti = 1;
    pmap_pti_remove_kva(gate_page(), gate_page() + PAGE_SIZE);
}

static void page_left(void)
{
    pti = 1;
    pmap_pti_add_kva(gate_page(), gate_page() + PAGE_SIZE, true);
}

static void part_of_a_page(void)
{
    pmap_pti_add_kva(gate_page() + 16, gate_page() + PAGE_SIZE, true);
}

#define CASE(name, message)  \
    {                        \
#name, name, message \
    }

const struct shim_case shim_pti[] = {
    CASE(entry_not_mapped, "is not mapped in user mode"),
    CASE(entry_not_executable, "is not mapped in user mode"),
    CASE(entry_removed_in_use, "entry of vector 252, which is in use"),
    CASE(page_added_twice, "of a page that was added before"),
    CASE(page_not_added, "of a page that was not added"),
    CASE(page_left, "was not removed by pmap_pti_remove_kva"),
    CASE(part_of_a_page, "which are no pages"),
};

const unsigned int shim_pti_count = nitems(shim_pti);
