/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader's 32-bit protected mode to runtime_main() in long mode, and
 * the same way for the other processors, which begin in real mode.
 *
 * The entry point is the first byte of the file, for mbr.S. A multiboot loader
 * finds the header behind it; with the addresses in it (flag bit 16) it takes
 * the file as a flat binary.
 */

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003 /* modules aligned, memory map, addresses */

#define CODE64          0x08
#define DATA            0x10
#define CODE32          0x18

#define CR0_PE          (1 << 0)
#define CR0_MP_ET_NE    (1 << 1 | 1 << 4 | 1 << 5)
#define CR0_WP_PG       (1 << 16 | 1 << 31)
#define CR4_PAE         (1 << 5)
#define MSR_EFER        0xc0000080
#define EFER_LME        (1 << 8)

#define PAGE_TABLE      0x03 /* present, writable */
#define PAGE_2M         0x83
#define PAGE_2M_UC      0x9b /* and neither cached nor written through */
#define UNCACHED_FROM   0xc0000000

/* Where the other processors begin: a page below 1 MiB, see cpu.c. */
#define TRAMPOLINE      0x8000
#define IN_PAGE(label)  TRAMPOLINE + label - trampoline

    .section .boot, "ax"
    .code32
    .globl start
start:
    jmp     entry

    .balign 4
multiboot:
    .long   MULTIBOOT_MAGIC
    .long   MULTIBOOT_FLAGS
    .long   -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
    .long   multiboot               /* header */
    .long   start                   /* load */
    .long   image_end               /* load end */
    .long   bss_end
    .long   entry

/* eax: 2badb002h from a multiboot loader, then ebx: its information. */
entry:
    cli
    cld
    movl    %eax, %ebp
    movl    $bss_start, %edi
    movl    $bss_end, %ecx
    subl    %edi, %ecx
    shrl    $2, %ecx
    xorl    %eax, %eax
    rep stosl
    movl    %ebp, loader_magic
    movl    %ebx, loader_information

    /* 2048 pages of 2 MiB, every address mapped to itself. */
    movl    $page_directories, %edi
    movl    $PAGE_2M, %eax
1:  cmpl    $UNCACHED_FROM + PAGE_2M, %eax
    jne     2f
    addl    $PAGE_2M_UC - PAGE_2M, %eax
2:  movl    %eax, (%edi)
    addl    $8, %edi
    addl    $0x200000, %eax
    jnc     1b

    movl    $page_directories + PAGE_TABLE, %eax
    movl    $pdpt, %edi
    movl    $4, %ecx
3:  movl    %eax, (%edi)
    addl    $8, %edi
    addl    $0x1000, %eax
    loop    3b
    movl    $pdpt + PAGE_TABLE, pml4

    lgdt    gdt_pointer
    movl    $boot_stack_end, %esp
    call    long_mode
    ljmp    $CODE64, $entry64

/* Paging and long mode on; still 32-bit code afterwards. */
long_mode:
    movl    $CR4_PAE, %eax
    movl    %eax, %cr4
    movl    $pml4, %eax
    movl    %eax, %cr3
    movl    $MSR_EFER, %ecx
    rdmsr
    orl     $EFER_LME, %eax
    wrmsr
    movl    $CR0_PE | CR0_MP_ET_NE | CR0_WP_PG, %eax
    movl    %eax, %cr0
    ret

    .code64
entry64:
    call    load_segments
    movq    $boot_stack_end, %rsp
    xorl    %ebp, %ebp
    movl    loader_magic, %edi
    movl    loader_information, %esi
    call    runtime_main
1:  hlt
    jmp     1b

load_segments:
    movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    %eax, %fs
    movl    %eax, %gs
    ret

ap_entry64:
    call    load_segments
    movq    ap_stack, %rsp
    xorl    %ebp, %ebp
    call    cpu_main
1:  hlt
    jmp     1b

/* Copied to TRAMPOLINE. Real mode, cs = TRAMPOLINE >> 4. */
    .section .rodata
    .code16
    .globl trampoline, trampoline_end
trampoline:
    cli
    cld
    xorw    %ax, %ax
    movw    %ax, %ds
    lgdtl   IN_PAGE(trampoline_gdt_pointer)
    movl    $CR0_PE | CR0_MP_ET_NE, %eax
    movl    %eax, %cr0
    ljmpl   $CODE32, $IN_PAGE(1f)
    .code32
1:  movl    $DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    /* One processor at a time starts: it may use its own stack at once. */
    movl    ap_stack, %esp
    movl    $long_mode, %eax
    call    *%eax
    ljmp    $CODE64, $ap_entry64
    .balign 4
trampoline_gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt
trampoline_end:

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
    .globl pml4
pml4:
    .skip   4096
pdpt:
    .skip   4096
page_directories:
    .skip   4 * 4096
boot_stack:
    .skip   16384
boot_stack_end:
loader_magic:
    .skip   4
loader_information:
    .skip   4
    .globl ap_stack
ap_stack:
    .skip   8

    .section .note.GNU-stack, "", @progbits
