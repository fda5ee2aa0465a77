/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EMULATED_RUNTIME_H
#define EMULATED_RUNTIME_H

/*
 * What a small 64-bit kernel needs under QEMU and Bochs, and nothing else.
 *
 * The kernel is one flat binary that is loaded at 1 MiB, by a multiboot loader
 * (QEMU's -kernel) or from a raw disk by mbr.S. Memory below 4 GiB is mapped
 * to itself, so a pointer is a physical address; from 3 GiB up it is uncached.
 * main() runs on the boot processor with interrupts off, the legacy interrupt
 * controllers masked, and serial output, exceptions and the clock working:
 *
 *     int main(const char *command_line)
 *     {
 *         apic_start(APIC_X2APIC);
 *         cpus_start();
 *         interrupts_on();
 *         check(cpu_count() >= 2, "two CPUs at least");
 *         return 0;
 *     }
 *
 * After it returns the number of checks that passed and failed is printed, and
 * the machine switches itself off. Nothing is allocated; where a fixed limit
 * is exceeded, the kernel panics. Unless said otherwise a function may be
 * called on any CPU, also by interrupt handlers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "x86.h"

/* ---- Text and verdict: console.c ---- */

/* Print a line, or a part of one, on the first serial port. Knows %s %c %d %u
 * %x with the modifiers l, ll and z, a width, and 0 to pad with zeros. Lines
 * of several CPUs do not mix if each is one call. */
__attribute__((__format__(__printf__, 1, 2))) void print(const char *format,
                                                         ...);

/* Print on the debug console (port e9h), which emulators can have written to a
 * file: for what a program reads. Fast: one instruction for a line. */
__attribute__((__format__(__printf__, 1, 2))) void
debug_print(const char *format, ...);

/* One result: prints "PASS ..." or "FAIL ..." and counts it. Returns ok. */
__attribute__((__format__(__printf__, 2, 3))) bool
check(bool ok, const char *format, ...);

/* From now on the first check that fails ends the run. */
void check_strictly(bool on);

/* Print "PANIC ..." and end with failure, from any state. */
__attribute__((__format__(__printf__, 1, 2), __noreturn__)) void
panic(const char *format, ...);

/* Print "N passed, N failed" and switch the machine off: with a status that
 * says which under QEMU (isa-debug-exit at port f4h), without one in Bochs.
 * A run without any result has failed. */
__attribute__((__noreturn__)) void finish(void);

/* ---- Time: clock.c ---- */

/* Microseconds since the start; the same on all CPUs, never goes back. */
uint64_t now_us(void);

/* What a wait may take at most. Emulated CPUs run when the machine below has
 * time for them, so nothing shorter proves that something will not come. */
#ifndef PATIENCE_US
#define PATIENCE_US UINT64_C(10000000)
#endif

/* Poll until cond(arg) is true; false if it is not after PATIENCE_US. */
bool wait_until(bool (*cond)(void *arg), void *arg);

/* ---- Interrupts and exceptions: trap.c ---- */

/* What a handler finds on the stack. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error; /* 0 if the exception has none */
    uint64_t rip, cs, rflags, rsp, ss;
};

typedef void (*trap_handler)(struct trap_frame *frame, void *arg);

/* Call handler(frame, arg) for a vector, on every CPU, with interrupts off. It
 * may change the frame. An interrupt's handler calls apic_eoi() itself. NULL
 * for handler: back to the default, which is a panic. */
void trap_handle(uint8_t vector, trap_handler handler, void *arg);

/* A handler that does nothing but apic_eoi(): for tests that only count. */
void trap_count_only(struct trap_frame *frame, void *arg);

/* How often a vector was taken on a CPU since the start, exceptions too. */
uint32_t trap_count(unsigned int cpu, uint8_t vector);

/* Where the interrupt descriptor table is, for hosts of guests: a VM exit
 * restores the base from what the host says. */
uint64_t trap_table(void);

/* Vectors that the runtime itself uses. */
#define VECTOR_WORK     0xf0 /* cpu_run() wakes an idle CPU */
#define VECTOR_SPURIOUS 0xff /* of the local APIC */

/* ---- CPUs: cpu.c ---- */

#define CPU_MAX         8

/* Selectors of every CPU's descriptor table. */
#define SELECTOR_CODE   0x08
#define SELECTOR_DATA   0x10
#define SELECTOR_TSS    0x18

/* Bring up all processors of the MADT, local APIC and x2APIC entries both.
 * Boot processor only, after apic_start(). Panics if one does not come up. */
void cpus_start(void);

/* CPUs that are up, the boot processor being number 0. */
unsigned int cpu_count(void);

/* The CPU this is called on. Kept in GS.base: a host of guests restores it. */
unsigned int cpu_self(void);

/* The local APIC id of a CPU. */
uint32_t cpu_apic_id(unsigned int cpu);

/* Where a CPU's task state segment and descriptor table are: a VM exit
 * restores their bases from what the host says. */
uint64_t cpu_tss(unsigned int cpu);
uint64_t cpu_gdt(unsigned int cpu);

/* Start fn(arg) on another CPU that is idle; it is called with interrupts on
 * and may switch them. Called by one CPU only, not by handlers. */
void cpu_run(unsigned int cpu, void (*fn)(void *arg), void *arg);

/* Wait until that has returned; false after PATIENCE_US. */
bool cpu_wait(unsigned int cpu);

/* ---- Local APIC and IOAPIC: apic.c ---- */

enum apic_mode {
    APIC_XAPIC,
    APIC_X2APIC,
};

/* Switch this CPU's local APIC on; cpus_start() does the same on all others. In
 * xAPIC mode the logical id is 1 << the number of the CPU, flat model. Panics if the CPU has no x2APIC mode and that was asked for. */
void apic_start(enum apic_mode mode);

/* What apic_start() was told first. */
enum apic_mode apic_mode(void);

/* Has the CPU x2APIC mode? */
bool apic_has_x2apic(void);

/* This CPU's id, as the local APIC says it. */
uint32_t apic_id(void);

/* End of interrupt. */
void apic_eoi(void);

/* Send a fixed interrupt, INIT or start-up. All earlier stores of this CPU are
 * visible before it arrives. */
void apic_ipi(uint32_t apic_id, uint8_t vector);
void apic_init_ipi(uint32_t apic_id);
void apic_startup_ipi(uint32_t apic_id, uint8_t page);

/* Is a vector being serviced, or waiting, on this CPU? */
bool apic_in_service(uint8_t vector);
bool apic_requested(uint8_t vector);

/* The first IOAPIC: where it is, its id of the MADT, its number of pins. */
struct ioapic {
    uint64_t base;
    uint8_t id;
    unsigned int pins;
};

/* False if there is none. */
bool ioapic_find(struct ioapic *out);

/* A redirection table entry, low word in bits 31:0. The pin is masked during the
 * write, and the high word is written first. */
uint64_t ioapic_read(const struct ioapic *io, unsigned int pin);
void ioapic_write(const struct ioapic *io, unsigned int pin, uint64_t rte);

/* The pin that a legacy (ISA) interrupt is wired to. */
unsigned int ioapic_pin_of_isa(uint8_t irq);

/* ---- Firmware tables: acpi.c ---- */

/* A table by its signature, header included; NULL if there is none. The
 * length is that of its header. */
const void *acpi_find(const char *signature, size_t *length);

/* Step through the structures of the MADT: NULL to start with, then what was
 * returned; NULL at the end. Byte 0 is the type, byte 1 the length. */
const uint8_t *acpi_madt_next(const uint8_t *entry);

/* Unaligned little-endian words of firmware tables. */
uint32_t acpi_u32(const void *at);
uint64_t acpi_u64(const void *at);

/* ---- PCI configuration: pci.c ---- */

/* Functions are named by their requester id, bus << 8 | device << 3 | function;
 * bus 0 to 255 of segment 0. Offsets are aligned to the width. */
uint32_t pci_read32(uint16_t rid, uint8_t offset);
uint16_t pci_read16(uint16_t rid, uint8_t offset);
uint8_t pci_read8(uint16_t rid, uint8_t offset);
void pci_write32(uint16_t rid, uint8_t offset, uint32_t value);
void pci_write16(uint16_t rid, uint8_t offset, uint16_t value);

/* The first function on bus 0 with these ids; false if there is none. */
bool pci_find(uint16_t vendor, uint16_t device, uint16_t *rid);

/* Offset of a capability; 0 if the function has none of that id. */
uint8_t pci_capability(uint16_t rid, uint8_t id);

#define PCI_CAP_MSI 0x05

/* ---- Memory: string.c; compilers emit calls to them, too ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* ---- The kernel's own ---- */

/* command_line: what the loader was given, the file's name included; the empty
 * text from disk. The value returned is ignored: checks decide. */
int main(const char *command_line);

/* Does the command line have this word? */
bool command_line_has(const char *command_line, const char *word);

#endif
