/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first sector of a raw disk: read the kernel from the sectors behind it,
 * enter protected mode and jump to the kernel's first byte at 1 MiB. mkdisk.sh
 * fills in the number of sectors, run-kernel.sh the command line.
 */

#define BUFFER  0x10000
#define KERNEL  0x100000
#define CODE32  0x08
#define DATA    0x10
#define LOADER  0x6b736964          /* start.c: ebx is the command line */

    .code16
    .globl _start
_start:
    cli
    xorw    %ax, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    %ax, %ss
    movw    $_start, %sp
    ljmp    $0, $1f
1:  sti
    /* One sector a call: no limit of any BIOS is met. dl is the disk. */
    movw    sectors, %cx
2:  movw    $packet, %si
    movb    $0x42, %ah
    pushw   %cx
    int     $0x13
    popw    %cx
    jc      failed
    addw    $512 / 16, packet_segment
    incl    packet_sector
    loop    2b

    cli
    inb     $0x92, %al              /* address line 20, without a reset */
    orb     $2, %al
    andb    $0xfe, %al
    outb    %al, $0x92
    lgdtl   gdt_pointer
    movl    %cr0, %eax
    orl     $1, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $3f

    .code32
3:  movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    cld
    movzwl  sectors, %ecx
    shll    $7, %ecx
    movl    $BUFFER, %esi
    movl    $KERNEL, %edi
    rep movsl
    movl    $LOADER, %eax           /* not a multiboot loader */
    movl    $command_line, %ebx
    movl    $KERNEL, %ecx
    jmp     *%ecx

    .code16
failed:
    movw    $message, %si
4:  lodsb
    testb   %al, %al
    jz      5f
    movb    $0x0e, %ah
    int     $0x10
    jmp     4b
5:  hlt
    jmp     5b

message:
    .asciz  "disk error"

    .balign 4
packet:
    .byte   16, 0
    .word   1, 0
packet_segment:
    .word   BUFFER >> 4
packet_sector:
    .long   1, 0

    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff
    .quad   0x00cf93000000ffff
gdt_end:
gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt

    .org    384
command_line:
    .byte   0

    .org    508
sectors:
    .word   0
    .byte   0x55, 0xaa

    .section .note.GNU-stack, "", @progbits
