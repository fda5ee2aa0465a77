/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_X86_APICVAR_H
#define SHIM_X86_APICVAR_H

#include <sys/types.h>
#include <machine/segments.h>

#define APIC_LOCAL_INTS   240
#define APIC_IPI_INTS     (APIC_LOCAL_INTS + 3)
#define IPI_RENDEZVOUS    (APIC_IPI_INTS)
#define IPI_BITMAP_VECTOR (APIC_IPI_INTS + 5)
#define IPI_AST           0
#define IPI_PREEMPT       1
#define IPI_BITMAP_LAST   3
#define IPI_DYN_FIRST     (APIC_IPI_INTS + 9)
#define IPI_DYN_LAST      254

extern int x2apic_mode;

int lapic_ipi_alloc(inthand_t *ipifunc);
void lapic_ipi_free(int vector);
void lapic_eoi(void);
u_int apic_cpuid(u_int apic_id);

#endif
