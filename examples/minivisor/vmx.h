/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINIVISOR_VMX_H
#define MINIVISOR_VMX_H

/*
 * VT-x, as much of it as this host needs: one kind of guest, in the host's own
 * address space. Nothing here knows the library; what posting needs of a VMCS
 * is in struct vmx_posting.
 */

#include <stdbool.h>
#include <stdint.h>

#define PAGE 4096

/* VMCS fields that the run loop reads or writes; the rest are in vmx.c. */
enum vmx_field {
    VMX_GUEST_INTERRUPT_STATUS = 0x0810, /* RVI 7:0, SVI 15:8 */
    VMX_INSTRUCTION_ERROR = 0x4400,
    VMX_EXIT_REASON = 0x4402,
    VMX_EXIT_INTERRUPT = 0x4404, /* vector 7:0, if acknowledged on exit */
    VMX_EXIT_INSTRUCTION_LENGTH = 0x440c,
    VMX_GUEST_INTERRUPTIBILITY = 0x4824, /* blocking by STI 0, by MOV SS 1 */
    VMX_EXIT_QUALIFICATION = 0x6400,
    VMX_GUEST_RIP = 0x681e,
};

/* Basic exit reasons. Any other one ends the run: the guest does nothing that
 * leads to it. */
enum vmx_exit {
    VMX_EXIT_EXCEPTION = 0,
    VMX_EXIT_EXTERNAL_INTERRUPT = 1,
    VMX_EXIT_HLT = 12,
    VMX_EXIT_VMCALL = 18,
    VMX_EXIT_WRMSR = 32,
    VMX_EXIT_PREEMPTION_TIMER = 52,
    VMX_EXITS = 70,
};

/* The guest's general registers, as vmx_entry.S stores them. */
struct vmx_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

/* A virtual processor. */
struct vmx {
    _Alignas(PAGE) uint8_t vmcs[PAGE];
    /* The virtual-APIC page: registers of the guest's local APIC, at their
     * offsets of the xAPIC, as 32-bit words. */
    _Alignas(PAGE) uint32_t apic[PAGE / 4];
    struct vmx_registers registers;
    bool launched; /* since its VMCS was loaded last: resume, else launch */
};

/* What posted-interrupt processing is told, once. */
struct vmx_posting {
    uint64_t pid; /* physical address of the descriptor */
    uint8_t anv;  /* the vector that the processor takes itself */
};

/* The guest starts here, interrupts off, with argument in RDI. */
struct vmx_start {
    uint64_t rip;
    uint64_t rsp;
    uint64_t argument;
    uint64_t idt; /* base of 256 gates */
};

/* Switch VMX on and off on this CPU. Panics if a feature is missing. */
void vmx_on(void);
void vmx_off(void);

/* Fill a VMCS. On any CPU with VMX on; the VMCS is not loaded afterwards. */
void vmx_init(struct vmx *x, const struct vmx_posting *posting,
              const struct vmx_start *start);

/* Load: fields can be accessed and the guest can be entered on this CPU. Clear:
 * all of it is back in memory, so that another CPU can load it. */
void vmx_load(struct vmx *x);
void vmx_clear(struct vmx *x);

uint64_t vmx_read(uint64_t field);
void vmx_write(uint64_t field, uint64_t value);

/* Into the guest, with interrupts off, and back at the next exit. Panics if
 * the entry fails. Returns the exit reason. */
uint32_t vmx_run(struct vmx *x);

/* Go on behind the instruction that led to the exit. */
void vmx_skip_instruction(void);

/* Leave the guest after so many ticks of the time stamp counter, about. */
void vmx_set_timer(uint32_t tsc_ticks);

#endif
