/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Into the guest and back. RSP and RIP of the host are in the VMCS; all other
 * general registers are swapped here. The guest uses no others.
 */

#define HOST_RSP 0x6c14

    .text

/* uint64_t vmx_enter(struct vmx_registers *r, uint64_t resume)
 * 1: the guest was entered, and has exited; 0: the entry failed. */
    .globl vmx_enter
vmx_enter:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    push    %rdi
    mov     $HOST_RSP, %eax
    vmwrite %rsp, %rax
    test    %rsi, %rsi              /* no instruction up to jnz changes ZF */

    mov     0x00(%rdi), %rax
    mov     0x08(%rdi), %rbx
    mov     0x10(%rdi), %rcx
    mov     0x18(%rdi), %rdx
    mov     0x20(%rdi), %rsi
    mov     0x30(%rdi), %rbp
    mov     0x38(%rdi), %r8
    mov     0x40(%rdi), %r9
    mov     0x48(%rdi), %r10
    mov     0x50(%rdi), %r11
    mov     0x58(%rdi), %r12
    mov     0x60(%rdi), %r13
    mov     0x68(%rdi), %r14
    mov     0x70(%rdi), %r15
    mov     0x28(%rdi), %rdi
    jnz     1f
    vmlaunch
    jmp     2f
1:  vmresume
2:  add     $8, %rsp                /* both fall through only if they fail */
    xor     %eax, %eax
    jmp     3f

/* The RIP of the host in every VMCS: RSP is as at the vmwrite. */
    .globl vmx_exit
vmx_exit:
    push    %rdi
    mov     8(%rsp), %rdi
    mov     %rax, 0x00(%rdi)
    mov     %rbx, 0x08(%rdi)
    mov     %rcx, 0x10(%rdi)
    mov     %rdx, 0x18(%rdi)
    mov     %rsi, 0x20(%rdi)
    pop     0x28(%rdi)
    mov     %rbp, 0x30(%rdi)
    mov     %r8,  0x38(%rdi)
    mov     %r9,  0x40(%rdi)
    mov     %r10, 0x48(%rdi)
    mov     %r11, 0x50(%rdi)
    mov     %r12, 0x58(%rdi)
    mov     %r13, 0x60(%rdi)
    mov     %r14, 0x68(%rdi)
    mov     %r15, 0x70(%rdi)
    add     $8, %rsp
    mov     $1, %eax
3:  pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret

    .section .note.GNU-stack, "", @progbits
