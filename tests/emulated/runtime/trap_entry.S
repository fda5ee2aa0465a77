/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 256 entries of 16 bytes: each pushes an error code, unless the CPU has, and
 * its vector, and goes on to the common part, which lays out a struct
 * trap_frame.
 */

/* Exceptions with an error code: 8, 10-14, 17, 21, 29, 30. */
#define HAS_ERROR 0x60227d00

    .text
    .balign 16
    .globl trap_entries
trap_entries:
    .set vector, 0
    .rept 32
    .balign 16
    .if ((HAS_ERROR >> vector) & 1) == 0
    pushq   $0
    .endif
    pushq   $vector
    jmp     common
    .set vector, vector + 1
    .endr
    .rept 224
    .balign 16
    pushq   $0
    pushq   $vector
    jmp     common
    .set vector, vector + 1
    .endr

common:
    pushq   %rax
    pushq   %rbx
    pushq   %rcx
    pushq   %rdx
    pushq   %rsi
    pushq   %rdi
    pushq   %rbp
    pushq   %r8
    pushq   %r9
    pushq   %r10
    pushq   %r11
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    cld
    movq    %rsp, %rdi
    /* The CPU aligned the stack before it pushed; what was pushed since is 22
     * words. */
    call    trap_dispatch
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %r11
    popq    %r10
    popq    %r9
    popq    %r8
    popq    %rbp
    popq    %rdi
    popq    %rsi
    popq    %rdx
    popq    %rcx
    popq    %rbx
    popq    %rax
    addq    $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
