/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FORMAT_H
#define VTDPI_FORMAT_H

/**
 * @file
 * @brief Text of every structure, into a caller's buffer.
 *
 * One line for each structure, of fields `name=value` with a blank between two of
 * them. Names are the specification's (P, FPD, DST, V, PDA, SID, SVT, SQ, ON, SN,
 * NV, NDST). A field of one bit is 0 or 1, and any other number is hexadecimal with
 * 0x. BDF is the source id once more, as bus:device.function. Raw words follow the
 * fields. A line ends with `wrong: ` and a phrase if something is wrong with the
 * structure: the first thing that is. A line has no line feed.
 *
 * **Like snprintf.** Each function returns the length of the whole text, without
 * its terminator, whether the text fits or not. At most @p size bytes are written,
 * the terminator included, and with a @p size that is not 0 the text in the buffer
 * is always terminated. With @p size 0 nothing is written and @p buf may be NULL.
 * VTDPI_FORMAT_MAX bytes are enough for any line.
 *
 * **From a panic.** No function takes a lock, calls a callback, reads a register,
 * writes to anything but @p buf and a cursor, or loops longer than is said here.
 * Words that others change are read by atomic loads, each word once, or a few times
 * for an entry. So a line may have words of different moments.
 *
 * **Dumps.** vtdpi_format_table_next(), vtdpi_format_blocked_next() and
 * vtdpi_format_vm_next() give one line in each call, from where a cursor stands:
 *
 * @code
 * struct vtdpi_format_cursor c = {0};
 * char line[VTDPI_FORMAT_MAX];
 *
 * while (!c.done) {
 *     if (vtdpi_format_table_next(line, sizeof(line), table, &c) != 0)
 *         print(line);
 * }
 * @endcode
 *
 * A call looks at no more than VTDPI_FORMAT_STEP places. If it finds nothing there
 * its text is empty and the next call goes on. What comes or goes while a dump runs
 * is shown or not.
 *
 * docs/debugging.md shows lines and explains them. docs/architecture.md explains the
 * words that have a meaning of their own.
 */

#include "vtdpi/bind.h"
#include "vtdpi/compiler.h"
#include "vtdpi/fault.h"
#include "vtdpi/irte.h"
#include "vtdpi/msi.h"
#include "vtdpi/pid.h"
#include "vtdpi/qi.h"
#include "vtdpi/route.h"
#include "vtdpi/sched.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"

VTDPI_BEGIN_DECLS

/** Bytes that are enough for any line and its terminator. */
#define VTDPI_FORMAT_MAX  512

/** Places that one call of a dump looks at, at most: rows of a table, words of a
 *  bitmap, lists of a VM. */
#define VTDPI_FORMAT_STEP 256

/** @brief Where a dump stands. Zeroed before the first call. */
struct vtdpi_format_cursor {
    bool done; /**< The dump has come to its end. */
    /* private: */
    uint64_t list;
    uint64_t at;
};

/**
 * @brief Text of a PID.
 *
 * `vectors` names the vectors that PIR has, the first eight of them.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param pid   The PID; others may change it during the call. Not NULL.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree @order{none}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_pid(char *buf, size_t size,
                                             const struct vtdpi_pid *pid);

/**
 * @brief Text of an entry in either format, and what vtdpi_irte_validate() says.
 *
 * An entry with P = 0 has P, FPD, AVAIL, IM and the raw words. `changing=1` at the end
 * says that the entry was changed each time it was read, so that the two words may
 * belong to different values.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param irte  The entry, live or a copy. Not NULL.
 * @param mode  How the unit takes destinations.
 * @param haw   Host address width in bits, 1 to 64.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree @order{none}
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_irte(char *buf, size_t size,
                                              const struct vtdpi_irte *irte,
                                              enum vtdpi_apic_mode mode,
                                              unsigned int haw);

/**
 * @brief Text of a message, in remappable format or in compatibility format.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param msi   The message. Not NULL.
 * @param form  Where a message in compatibility format has its destination.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Requests in Remappable Format}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_msi(char *buf, size_t size,
                                             const struct vtdpi_msi *msi,
                                             enum vtdpi_compat_dest form);

/**
 * @brief Text of an IOAPIC redirection table entry, in either format.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param rte   The entry: low word in bits 31:0.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 * @spec{VT-d, I/OxAPIC Programming}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_rte(char *buf, size_t size,
                                             uint64_t rte);

/**
 * @brief Text of a Capability Register.
 *
 * Numbers are as the register has them: MGAW and NFR are one less than what they say.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param cap   The register.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Capability Register}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_cap(char *buf, size_t size,
                                             uint64_t cap);

/**
 * @brief Text of an Extended Capability Register.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param ecap  The register.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Extended Capability Register}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_ecap(char *buf, size_t size,
                                              uint64_t ecap);

/**
 * @brief Text of what vtdpi_fault_handle() reports, with the reason.
 *
 * @param buf    Receives the text.
 * @param size   Its size in bytes.
 * @param fault  What was reported, or vtdpi_fault_decode() of a record. Not NULL.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Fault Recording Registers}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_fault(char *buf, size_t size,
                                               const struct vtdpi_fault *fault);

/**
 * @brief Text of an invalidation descriptor.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param desc  The descriptor; the upper two words of one of 128 bits are zero. Not
 *              NULL.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Invalidation Descriptors}
 */
VTDPI_API VTDPI_COLD size_t
vtdpi_format_qi_desc(char *buf, size_t size, const struct vtdpi_qi_desc *desc);

/**
 * @brief Text of a decision, with its reason.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param d     The decision. Not NULL.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_decision(
    char *buf, size_t size, const struct vtdpi_route_decision *d);

/**
 * @brief Text of a vCPU's place, its references and its PID.
 *
 * The place is what the PID says: running or blocked on the pCPU with that APIC id,
 * preempted, or detached.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param v     The vCPU, zeroed before its first attach. Not NULL.
 *
 * @pre No attach and no detach of the vCPU runs beside the call, or the CPU on which
 *      one runs is stopped.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree @order{none}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_vcpu(char *buf, size_t size,
                                              const struct vtdpi_vcpu *v);

/**
 * @brief Text of a pCPU.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param p     The pCPU, set up. Not NULL.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree @order{none}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_pcpu(char *buf, size_t size,
                                              const struct vtdpi_pcpu *p);

/**
 * @brief The next vCPU that is blocked on a pCPU: its slot, its cookie and its PID.
 *
 * The order is that of the slots. `mark` is the wake mark: 1 says that a handler has
 * woken the vCPU since it blocked. A line with ON=1 and mark=0 that stays for long is a
 * wakeup that got lost.
 *
 * @param buf     Receives the text.
 * @param size    Its size in bytes.
 * @param p       The pCPU, set up. Not NULL.
 * @param cursor  Where the dump stands. Not NULL.
 *
 * @return Length of the whole text; 0 if this call has found none.
 *
 * @anyctx @waitfree @order{acquire: what was stored before a blocked bit}
 */
VTDPI_API VTDPI_COLD size_t
vtdpi_format_blocked_next(char *buf, size_t size, const struct vtdpi_pcpu *p,
                          struct vtdpi_format_cursor *cursor);

/**
 * @brief Text of a unit: its state, its table, and what it can do.
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param unit  The unit, probed. Not NULL.
 *
 * @pre Neither a probe nor a join or leave of a table runs beside the call, or the CPU
 *      on which one runs is stopped.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree @order{none}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_unit(char *buf, size_t size,
                                              const struct vtdpi_unit *unit);

/**
 * @brief Text of a row of a table: whether the index is allocated and dirty, its owner,
 *        and its entry.
 *
 * @param buf    Receives the text.
 * @param size   Its size in bytes.
 * @param t      The table, initialised. Not NULL.
 * @param index  The index; any number.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree @order{none}
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_table_row(char *buf, size_t size,
                                                   const struct vtdpi_table *t,
                                                   uint32_t index);

/**
 * @brief The next row of a table that is allocated, dirty or present.
 *
 * @param buf     Receives the text.
 * @param size    Its size in bytes.
 * @param t       The table, initialised. Not NULL.
 * @param cursor  Where the dump stands. Not NULL.
 *
 * @return Length of the whole text; 0 if this call has found none.
 *
 * @anyctx @waitfree @order{none}
 */
VTDPI_API VTDPI_COLD size_t
vtdpi_format_table_next(char *buf, size_t size, const struct vtdpi_table *t,
                        struct vtdpi_format_cursor *cursor);

/**
 * @brief Text of a binding: its state, the guest's message, and the latest decision.
 *
 * `wrong: ` is the error of the latest work on the binding (vtdpi_binding_error()).
 *
 * @param buf   Receives the text.
 * @param size  Its size in bytes.
 * @param b     The binding, bound or zeroed. Not NULL.
 *
 * @pre The decide lock is held, or all other CPUs are stopped.
 *
 * @return Length of the whole text.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD size_t vtdpi_format_binding(char *buf, size_t size,
                                                 const struct vtdpi_binding *b);

/**
 * @brief The next binding of a VM.
 *
 * The decide lock may be given back between two calls. A binding whose message changes
 * between them may be left out or come twice.
 *
 * A call follows as many links as there are bindings, besides VTDPI_FORMAT_STEP lists:
 * bindings of one destination are one list, which each call walks from its beginning.
 *
 * @param buf     Receives the text.
 * @param size    Its size in bytes.
 * @param vm      The VM, initialised. Not NULL.
 * @param cursor  Where the dump stands. Not NULL.
 *
 * @pre As vtdpi_format_binding(). If a CPU was stopped in a change of the VM's lists, a
 *      binding may be left out.
 *
 * @return Length of the whole text; 0 if this call has found none.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD size_t
vtdpi_format_vm_next(char *buf, size_t size, const struct vtdpi_vm *vm,
                     struct vtdpi_format_cursor *cursor);

VTDPI_END_DECLS

#endif
