/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The guest's interrupt entry points, one per vector and 16 bytes apart. They
 * save what a C function may change. In the guest, so by its own descriptor
 * table: the host is not involved.
 */

    .text
    .balign 16
    .globl guest_stubs
guest_stubs:
vector = 0
    .rept 256
    .balign 16
    push    %rax
    mov     $vector, %eax
    jmp     common
vector = vector + 1
    .endr

/* The processor has aligned RSP to 16 and pushed five words, the stub one; with
 * the nine below and the return address it is right for a C function. */
    .balign 16
common:
    push    %rcx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    cld
    mov     %eax, %edi
    call    guest_interrupt
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rdx
    pop     %rcx
    pop     %rax
    iretq

    .section .note.GNU-stack, "", @progbits
