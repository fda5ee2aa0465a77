/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_CONFIG_H
#define VTDPI_CONFIG_H

/**
 * @file
 * @brief The knobs of the library, all with a default.
 *
 * Define VTDPI_CONFIG_HEADER to the name of your own header (with its quotes)
 * to override any of the knobs; every header of the library includes that
 * header first. The library and everything that includes its headers must be
 * compiled with the same values. These are the knobs of a host:
 *
 * | knob                 | default          | what it sets                     |
 * |----------------------|------------------|----------------------------------|
 * | VTDPI_TYPES_HEADER   | the C standard's | the host's header for the types  |
 * | VTDPI_BY_POINTER     | nothing          | attribute for a landing pad      |
 * | VTDPI_COLD_SECTION   | the compiler's   | section of code off hot paths    |
 * | VTDPI_ASSERT         | nothing          | what a broken precondition does  |
 * | VTDPI_LOG_LEVEL      | 2                | what is passed to the log call   |
 * | VTDPI_CACHELINE      | 64               | padding of the library's objects |
 * | VTDPI_HAVE_CX16      | 1                | 16-byte compare-and-swap         |
 * | VTDPI_CMD_TIMEOUT_US | 1000000          | deadline of a global command     |
 * | VTDPI_QI_TIMEOUT_US  | 1000000          | deadline of a wait descriptor    |
 *
 * For tests the same header may also define the macros that atomic.h is
 * written over: VTDPI_ATOMIC_POINT, VTDPI_ATOMIC_LOAD, VTDPI_ATOMIC_STORE,
 * VTDPI_ATOMIC_RMW, VTDPI_ATOMIC_CAS and VTDPI_ATOMIC_CAS128; atomic.h
 * documents them. VTDPI_SIMULATION, with VTDPI_HAVE_CX16 = 0, lets pid.h and
 * sched.h compile for a machine with 32-bit pointers: a simulation, in which one
 * thread plays all processors and no hardware reads the descriptors. The playground
 * of the site is such a program. There are no others.
 *
 * VTDPI_TYPES_HEADER is for kernels that have no stdint.h, stdbool.h and
 * stddef.h. Define it to the name of a header of your kernel, with quotes: gcc's
 * GNU modes replace the word linux within angle brackets. The library then
 * includes that header and no other. The header provides
 *
 * - uint8_t, uint16_t, uint32_t, uint64_t, int32_t, uintptr_t and size_t;
 *   uint64_t may be unsigned long or unsigned long long;
 * - bool, true and false, as macros or as an enumeration;
 * - NULL and offsetof().
 *
 * UINT32_C(), UINT64_C(), UINT32_MAX and UINT64_MAX come from the header, too,
 * if your kernel has them anywhere. The library defines those that the header
 * does not define.
 *
 * VTDPI_COLD_SECTION is the name of a section for functions that are off every hot
 * path (set-up, tables, reports), as a string: ".text.cold". Without it gcc puts
 * them into .text.unlikely and clang into .text.unlikely. with a dot. The library
 * calls these functions as long as it is used, so a kernel does not free the
 * section after boot.
 */

#include "vtdpi/compiler.h"

/**
 * Attribute of each function that the library calls by pointer. With most
 * compilers the default is right: they find these functions themselves. A
 * kernel that marks its landing pads by hand (gcc's -mmanual-endbr, as Xen)
 * defines the macro as __attribute__((__cf_check__)). Without the mark an
 * indirect call to such a function raises a control-protection exception on a
 * CPU with indirect branch tracking.
 */
#ifndef VTDPI_BY_POINTER
#define VTDPI_BY_POINTER
#endif

/**
 * What happens when a caller breaks a documented precondition on a hot path.
 * Receives an expression without side effects. Default: nothing is evaluated.
 * A debug build of a hypervisor maps it to its own panic.
 */
#ifndef VTDPI_ASSERT
#define VTDPI_ASSERT(expr) ((void)sizeof(!(expr)))
#endif

/**
 * Highest level that is passed to the log callback: 0 nothing, 1 errors,
 * 2 also warnings, 3 also information.
 */
#ifndef VTDPI_LOG_LEVEL
#define VTDPI_LOG_LEVEL 2
#endif
VTDPI_STATIC_ASSERT(VTDPI_LOG_LEVEL >= 0 && VTDPI_LOG_LEVEL <= 3,
                    "VTDPI_LOG_LEVEL is 0 to 3");

/**
 * Bytes that keep two objects from sharing a cache line. Only used for
 * padding of the library's own objects; hardware formats do not change.
 */
#ifndef VTDPI_CACHELINE
#define VTDPI_CACHELINE 64
#endif
VTDPI_STATIC_ASSERT(VTDPI_CACHELINE >= 16 && VTDPI_CACHELINE <= 256 &&
                        (VTDPI_CACHELINE & (VTDPI_CACHELINE - 1)) == 0,
                    "VTDPI_CACHELINE is a power of two, 16 to 256");

/**
 * 1 if a 16-byte compare-and-swap can be issued. It is needed to change a live
 * interrupt-remapping-table entry; with 0 vtdpi_irte_replace() refuses and the
 * verdict of verdict.h is "no posting". Every x86-64 processor with posted
 * interrupts has CMPXCHG16B. On other machines, where only the library's tests
 * and the model run, it is the compiler's builtin.
 */
#ifndef VTDPI_HAVE_CX16
#define VTDPI_HAVE_CX16 1
#endif
VTDPI_STATIC_ASSERT(VTDPI_HAVE_CX16 == 0 || VTDPI_HAVE_CX16 == 1,
                    "VTDPI_HAVE_CX16 is 0 or 1");

/** Deadline of one global command (GCMD to GSTS), in microseconds. */
#ifndef VTDPI_CMD_TIMEOUT_US
#define VTDPI_CMD_TIMEOUT_US 1000000
#endif
VTDPI_STATIC_ASSERT(VTDPI_CMD_TIMEOUT_US > 0, "a deadline is never zero");

/** Deadline of one wait descriptor of the invalidation queue, in us. */
#ifndef VTDPI_QI_TIMEOUT_US
#define VTDPI_QI_TIMEOUT_US 1000000
#endif
VTDPI_STATIC_ASSERT(VTDPI_QI_TIMEOUT_US > 0, "a deadline is never zero");

#endif
