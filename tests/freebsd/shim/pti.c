/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table isolation. While user code runs, only the kernel's own text is
 * mapped of all code. An interrupt then begins at its entry with these page
 * tables, so an entry in a module's text must have been added to them. On a
 * real machine a missing page is a triple fault.
 */
#include "internal.h"

#include <machine/md_var.h>
#include <machine/segments.h>
#include <vm/pmap.h>

enum {
    PAGES = 16,
};

int pti;

static struct {
    vm_offset_t page; /* 0: free */
    bool exec;
} added[PAGES]; /* host_lock() */

/* host_lock(). The place of a page, or PAGES. */
static u_int find(vm_offset_t page)
{
    u_int i = 0;

    while (i < PAGES && added[i].page != page)
        i++;
    return i;
}

static void check_range(const char *what, vm_offset_t sva, vm_offset_t eva)
{
    if (sva % PAGE_SIZE != 0 || eva % PAGE_SIZE != 0 || sva >= eva)
        panic("%s from %lx to %lx, which are no pages", what,
              (unsigned long)sva, (unsigned long)eva);
    shim_may_sleep(what, NULL);
}

static void add(vm_offset_t page, bool exec)
{
    u_int i;

    host_lock();
    i = find(page) < PAGES ? PAGES : find(0);
    if (i < PAGES) {
        added[i].page = page;
        added[i].exec = exec;
    }
    host_unlock();
    if (i == PAGES)
        panic("pmap_pti_add_kva of a page that was added before");
}

void pmap_pti_add_kva(vm_offset_t sva, vm_offset_t eva, bool exec)
{
    check_range("pmap_pti_add_kva", sva, eva);
    for (vm_offset_t page = sva; pti != 0 && page < eva; page += PAGE_SIZE)
        add(page, exec);
}

static void drop(vm_offset_t page)
{
    u_int i;

    host_lock();
    i = find(page);
    if (i < PAGES)
        added[i].page = 0;
    host_unlock();
    if (i == PAGES)
        panic("pmap_pti_remove_kva of a page that was not added");
}

void pmap_pti_remove_kva(vm_offset_t sva, vm_offset_t eva)
{
    const int v = shim_vector_within(sva, eva);

    check_range("pmap_pti_remove_kva", sva, eva);
    if (pti != 0 && v >= 0)
        panic("pmap_pti_remove_kva of the entry of vector %d, which is in use",
              v);
    for (vm_offset_t page = sva; pti != 0 && page < eva; page += PAGE_SIZE)
        drop(page);
}

/* Whatever the kernel itself does not define is of a module. */
static bool is_kernels(inthand_t *entry)
{
    return entry == &IDTVEC(justreturn) || entry == &IDTVEC(justreturn1_pti);
}

void shim_pti_check_entry(inthand_t *entry)
{
    u_int i;
    bool reached;

    if (pti == 0 || is_kernels(entry))
        return;
    host_lock();
    i = find(trunc_page(entry));
    reached = i < PAGES && added[i].exec;
    host_unlock();
    if (!reached)
        panic("an interrupt entry of a module is not mapped in user mode");
}

void shim_pti_reset(bool on)
{
    memset(added, 0, sizeof(added));
    pti = on;
}

void shim_pti_check_end(void)
{
    for (u_int i = 0; i < PAGES; i++)
        if (added[i].page != 0)
            panic("a page was not removed by pmap_pti_remove_kva");
}
