/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * IDT entry of the wakeup vector. lapic_ipi_alloc() wants an entry point, not
 * a C function. The kernel's macro makes two of them, the second for page-table
 * isolation: Xvtdpi_wakeup and Xvtdpi_wakeup_pti. Interrupts are off in the C
 * function, which sends the EOI, and until doreti gives them back.
 */

/* Before the macros, which use the numbers of these two. */
#include "assym.inc"
#include <machine/psl.h>

#include <machine/asmacros.h>
#include <machine/specialreg.h>

    .text
    /* So that no page ends within: see entry_map() in vtdpi_bhyve.c. */
    .p2align 9, 0x90
    INTR_HANDLER    vtdpi_wakeup
    movq    %rsp, %rdi              /* struct trapframe * */
    call    vtdpi_bhyve_wakeup_handler
    jmp     doreti
