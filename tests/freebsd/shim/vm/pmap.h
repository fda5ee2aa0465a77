/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_VM_PMAP_H
#define SHIM_VM_PMAP_H

#include <sys/types.h>

/* Only for memory of malloc(9) and contigmalloc(9). */
vm_paddr_t pmap_kextract(vm_offset_t va);
#define vtophys(va) pmap_kextract((vm_offset_t)(va))

/* With page-table isolation: what user mode has mapped, too. Without: nothing
 * happens. May sleep. */
void pmap_pti_add_kva(vm_offset_t sva, vm_offset_t eva, bool exec);
void pmap_pti_remove_kva(vm_offset_t sva, vm_offset_t eva);

#endif
