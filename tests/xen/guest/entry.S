/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From Xen's PVH entry (32-bit protected mode, paging off) to guest_main() in long
 * mode, and the same way for the second vCPU, which begins in real mode. Then the
 * entries of three interrupts, and the page of hypercalls.
 */
#define CODE64          0x08
#define DATA            0x10
#define CODE32          0x18
#define TRAMPOLINE      0x8000
#define IN_PAGE(label)  TRAMPOLINE + label - trampoline

    .section .note.Xen, "a", @note
    .balign 4
    .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz  "Xen"
    .long   entry

    .text
    .code32
    .globl entry
entry:
    cli
    cld
    movl    $bss_start, %edi
    movl    $bss_end, %ecx
    subl    %edi, %ecx
    xorl    %eax, %eax
    rep stosb
    /* 512 pages of 2 MiB, each address mapped to itself. */
    movl    $directory, %edi
    movl    $0x83, %eax
1:  movl    %eax, (%edi)
    addl    $8, %edi
    addl    $0x200000, %eax
    cmpl    $0x40000083, %eax
    jne     1b
    movl    $directory + 3, pointers
    movl    $pointers + 3, root
    lgdt    gdt_pointer
    movl    $stack0_end, %esp
    call    long_mode
    ljmp    $CODE64, $1f
    .code64
1:  call    segments
    call    guest_main
2:  hlt
    jmp     2b

    .code32
long_mode:
    movl    $1 << 5, %eax           /* PAE */
    movl    %eax, %cr4
    movl    $root, %eax
    movl    %eax, %cr3
    movl    $0xc0000080, %ecx       /* EFER.LME */
    rdmsr
    orl     $1 << 8, %eax
    wrmsr
    movl    $0x80000033, %eax       /* PG, NE, ET, MP, PE */
    movl    %eax, %cr0
    ret

    .code64
segments:
    movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    ret

second64:
    call    segments
    movq    $stack1_end, %rsp
    call    guest_second
3:  hlt
    jmp     3b

    .code16
    .globl trampoline, trampoline_end
trampoline:
    cli
    xorw    %ax, %ax
    movw    %ax, %ds
    lgdtl   IN_PAGE(trampoline_gdt_pointer)
    movl    $0x31, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $IN_PAGE(4f)
    .code32
4:  movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    $stack1_end, %esp
    movl    $long_mode, %eax
    call    *%eax
    ljmp    $CODE64, $second64
    .balign 4
trampoline_gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt
trampoline_end:

    .code64
    .macro  interrupt number
    .globl  interrupt_\number
interrupt_\number:
    pushq   %rdi
    movl    $\number, %edi
    jmp     common
    .endm
    interrupt 0
    interrupt 1
    interrupt 2
common:
    pushq   %rax
    pushq   %rcx
    pushq   %rdx
    pushq   %rsi
    pushq   %r8
    pushq   %r9
    pushq   %r10
    pushq   %r11
    call    guest_interrupt
    popq    %r11
    popq    %r10
    popq    %r9
    popq    %r8
    popq    %rsi
    popq    %rdx
    popq    %rcx
    popq    %rax
    popq    %rdi
    iretq

    .globl  exception
exception:
    movq    (%rsp), %rdi
    movq    8(%rsp), %rsi
    call    guest_exception

    .balign 8
gdt:
    .quad   0
    .quad   0x00af9b000000ffff      /* CODE64 */
    .quad   0x00cf93000000ffff      /* DATA */
    .quad   0x00cf9b000000ffff      /* CODE32 */
gdt_end:
gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt

    .bss
    .balign 4096
    .globl  hypercalls
hypercalls:
    .skip   4096
root:
    .skip   4096
pointers:
    .skip   4096
directory:
    .skip   4096
stack0:
    .skip   8192
stack0_end:
stack1:
    .skip   8192
stack1_end:

    .section .note.GNU-stack, "", @progbits
