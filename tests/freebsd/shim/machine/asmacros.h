/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_ASMACROS_H
#define SHIM_MACHINE_ASMACROS_H

/* Only for assembly, and only if it says so. What INTR_HANDLER makes is enough
 * to see that the stub assembles: the two entries, and numbers of assym.inc and
 * machine/psl.h. */
#ifdef LOCORE
/* clang-format off */

#define SUPERALIGN_TEXT .p2align 4, 0x90

    .macro  INTR_HANDLER name
    .globl  X\name\()_pti
X\name\()_pti:
    swapgs
    .globl  X\name
X\name:
    subq    $TF_RIP, %rsp
    testl   $PSL_I, TF_RFLAGS(%rsp)
    .endm

/* clang-format on */

#endif

#endif
