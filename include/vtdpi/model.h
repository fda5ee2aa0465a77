/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_MODEL_H
#define VTDPI_MODEL_H

/**
 * @file
 * @brief A software model of a remapping unit (library vtdpi-model).
 *
 * Registers with their write semantics, the invalidation queue, the interrupt
 * entry cache, remapping and source-id checks, posting, fault recording: what
 * a driver of such a unit can be tested against, without one. It shares no
 * code with the library but register names and atomic operations, so that it
 * can judge the library.
 *
 * The model also checks its user: an access of the wrong width, two commands
 * in one GCMD write, a misaligned table, a nested lock and the like are
 * counted as violations, see enum vtdpi_model_violation_kind. A good driver
 * causes none.
 *
 * Freestanding; no globals; any number of models; all memory is the caller's.
 * Deterministic: the same calls with the same seed do the same.
 *
 * Shortest use:
 * @code
 * struct vtdpi_model m;
 * const struct vtdpi_model_params params = {
 *     .ver = 0x10, .cap = 0x08d2078c106f0466, .ecap = 0xf020df,
 *     .map = my_map, .iec = cache, .iec_slots = 256,
 *     .notifications = queue, .notification_slots = 64,
 * };
 * vtdpi_model_init(&m, &params);
 * ... a driver, with vtdpi_model_platform_ops and &m as its context ...
 * vtdpi_model_msi(&m, sid, address, data, &result);
 * @endcode
 *
 * **Who may call what when.** Functions on one model are called by one thread
 * at a time. With vtdpi_model_params.concurrent the model takes a spin lock of
 * its own and may be called by several CPUs, with interrupts off on each or
 * from one context only; callbacks must then not call back into the model.
 * Functions that take a const model are queries and take no lock: call them
 * when no other call is running.
 * Without it callbacks may call vtdpi_model_msi(), vtdpi_model_rte(), the
 * fault-mode functions and all queries; a step hook is not called again while
 * it runs.
 *
 * **Memory.** All memory that the unit reads or writes is reached through
 * vtdpi_model_params.map. The queue, status words and posted-interrupt
 * descriptors are always coherent, as in real systems. Interrupt-remapping
 * tables are, too, if ECAP.C = 1; else the unit sees a struct vtdpi_model_view
 * of them, which only changes when the driver cleans cache lines.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/model_types.h"
#include "vtdpi/platform.h"

VTDPI_BEGIN_DECLS

/**
 * @brief Power up a model.
 *
 * Registers have their reset values, caches are empty, all fault modes off.
 *
 * @param m       Model. Not NULL.
 * @param params  Copied. Not NULL.
 *
 * @retval 0             Ready.
 * @retval VTDPI_EINVAL  @p m, @p params or map is NULL; an array is NULL with
 *                       a length other than 0, or the other way round; or the
 *                       fault recording registers that @p params->cap names
 *                       overlap others. @p m is unchanged.
 */
VTDPI_MUST_CHECK VTDPI_API int
vtdpi_model_init(struct vtdpi_model *m,
                 const struct vtdpi_model_params *params);

/**
 * @brief Declare memory that a unit without snooping sees through a view.
 *
 * The view starts as if nothing had ever been cleaned: filled with a pattern
 * that is present and has reserved bits set, so its use ends in fault 24h.
 *
 * @param v       View. Not NULL.
 * @param phys    Physical address; a multiple of 64.
 * @param cpu     The same memory as the CPU writes it. Not NULL.
 * @param shadow  Storage of @p size bytes, 16-byte aligned. Not NULL.
 * @param size    Bytes; a multiple of 64.
 */
VTDPI_API void vtdpi_model_view_init(struct vtdpi_model_view *v, uint64_t phys,
                                     const void *cpu, void *shadow,
                                     size_t size);

/* Registers. */

/**
 * @brief Access a register as a driver does.
 *
 * What the access breaks is recorded as a violation; a write that the unit
 * cannot take is then ignored, and a read that it cannot answer returns 0.
 * A half of a 64-bit register is accessed all the same.
 *
 * @param m    Model. Not NULL.
 * @param off  Offset from the register base, in bytes.
 *
 * @return The value read; all ones with VTDPI_MODEL_FAULT_ALL_ONES.
 */
VTDPI_API uint32_t vtdpi_model_read32(struct vtdpi_model *m, uint32_t off);

/** @brief 64-bit read; see vtdpi_model_read32(). */
VTDPI_API uint64_t vtdpi_model_read64(struct vtdpi_model *m, uint32_t off);

/** @brief 32-bit write; see vtdpi_model_read32(). */
VTDPI_API void vtdpi_model_write32(struct vtdpi_model *m, uint32_t off,
                                   uint32_t value);

/** @brief 64-bit write; see vtdpi_model_read32(). */
VTDPI_API void vtdpi_model_write64(struct vtdpi_model *m, uint32_t off,
                                   uint64_t value);

/**
 * @brief A register without side effects: nothing is counted, checked, hooked
 *        or faked.
 *
 * @param m    Model. Not NULL.
 * @param off  Offset of a register, or of the upper half of a 64-bit one.
 *
 * @return 64 bits for 64-bit registers (32 from an upper half), else 32; 0 if
 *         there is no such register.
 */
VTDPI_API uint64_t vtdpi_model_peek(const struct vtdpi_model *m, uint32_t off);

/**
 * @brief The interrupt-remapping table in use: what SIRTP latched from IRTA.
 *
 * @param m  Model. Not NULL.
 *
 * @return IRTA's format; 0 before the first SIRTP.
 */
VTDPI_API uint64_t vtdpi_model_latched_irta(const struct vtdpi_model *m);

/** @brief The root table in use: what SRTP latched from RTADDR. */
VTDPI_API uint64_t vtdpi_model_latched_rtaddr(const struct vtdpi_model *m);

/**
 * The model as a platform; the context is the struct vtdpi_model. read32 to
 * write64 are registers, now_us is a virtual clock, lock and unlock check
 * nesting (and exclude, if the model is concurrent), clean updates the views,
 * relax is a tick, log is counted and passed on. send_ipi and wake are NULL:
 * copy the structure and fill them in where they are needed.
 */
VTDPI_API extern const struct vtdpi_platform_ops vtdpi_model_platform_ops;

/**
 * @brief Set the virtual clock's pace.
 *
 * @param m   Model. Not NULL.
 * @param us  Microseconds by which each now_us advances it; 1 after init.
 */
VTDPI_API void vtdpi_model_set_clock_step(struct vtdpi_model *m, uint64_t us);

/** @brief Advance the virtual clock by @p us microseconds. */
VTDPI_API void vtdpi_model_advance_clock(struct vtdpi_model *m, uint64_t us);

/** @brief Let @p n ticks pass, and do what is due. */
VTDPI_API void vtdpi_model_tick(struct vtdpi_model *m, uint32_t n);

/* Invalidation queue, by hand (vtdpi_model_params.manual). */

/**
 * @brief Fetch descriptors.
 *
 * @param m    Model. Not NULL.
 * @param max  How many at most.
 *
 * @return How many were fetched; less than @p max when the queue is empty, in
 *         error, off or stuck, or when VTDPI_MODEL_FETCH_MAX wait to complete.
 */
VTDPI_API uint32_t vtdpi_model_fetch(struct vtdpi_model *m, uint32_t max);

/**
 * @brief Let fetched descriptors take effect, oldest first.
 *
 * @param m    Model. Not NULL.
 * @param max  How many at most.
 *
 * @return How many did, whether or not they were due.
 */
VTDPI_API uint32_t vtdpi_model_complete(struct vtdpi_model *m, uint32_t max);

/* Interrupts. */

/**
 * @brief A device writes a message.
 *
 * @param m        Model. Not NULL.
 * @param sid      Requester id that the unit sees.
 * @param address  Address of the write.
 * @param data     Data of the write.
 * @param result   Receives what became of it. Not NULL.
 *
 * @return @p result->outcome.
 */
VTDPI_API enum vtdpi_model_outcome
vtdpi_model_msi(struct vtdpi_model *m, uint16_t sid, uint64_t address,
                uint32_t data, struct vtdpi_model_result *result);

/**
 * @brief An IOAPIC pin fires.
 *
 * @param m       Model. Not NULL.
 * @param sid     Source id of the IOAPIC.
 * @param rte     Redirection table entry, either format.
 * @param result  Receives what became of it. Not NULL.
 *
 * @return @p result->outcome.
 */
VTDPI_API enum vtdpi_model_outcome
vtdpi_model_rte(struct vtdpi_model *m, uint16_t sid, uint64_t rte,
                struct vtdpi_model_result *result);

/**
 * @brief Let the posts in flight reach their descriptors.
 *
 * @param m  Model. Not NULL.
 *
 * @return How many there were.
 */
VTDPI_API uint32_t vtdpi_model_drain(struct vtdpi_model *m);

/** @brief Posts in flight (VTDPI_MODEL_FAULT_POST_LATE). */
VTDPI_API uint32_t vtdpi_model_in_flight(const struct vtdpi_model *m);

/**
 * @brief Notifications sent and not taken, when params.notify is NULL.
 *
 * @param m  Model. Not NULL.
 *
 * @return How many; they are numbered from 0, oldest first.
 */
VTDPI_API uint32_t vtdpi_model_notifications(const struct vtdpi_model *m);

/**
 * @brief Take a notification, in any order: it is delivered now.
 *
 * @param m    Model. Not NULL.
 * @param i    Which; those behind it move up by one.
 * @param out  Receives it. Not NULL.
 *
 * @return False if there is no such notification; @p out is then unchanged.
 */
VTDPI_MUST_CHECK VTDPI_API bool
vtdpi_model_take_notification(struct vtdpi_model *m, uint32_t i,
                              struct vtdpi_model_notification *out);

/* Interrupt entry cache. */

/**
 * @brief Whether the cache holds an entry.
 *
 * @param m      Model. Not NULL.
 * @param index  Interrupt index.
 * @param out    Receives the two words if it does; may be NULL.
 *
 * @return Whether it does.
 */
VTDPI_API bool vtdpi_model_iec_lookup(const struct vtdpi_model *m,
                                      uint32_t index, uint64_t out[2]);

/**
 * @brief Read an entry into the cache, as a unit may do at any time.
 *
 * Nothing is cached that the unit would not cache at use: an entry beyond the
 * table, unreadable, or (CAP.CM = 0) not present or ill-formed.
 *
 * @param m      Model. Not NULL.
 * @param index  Interrupt index.
 *
 * @return Whether the cache holds it now.
 */
VTDPI_API bool vtdpi_model_iec_prefetch(struct vtdpi_model *m, uint32_t index);

/* Faults, misbehaviour, hooks. */

/**
 * @brief Record a DMA fault, for hosts whose fault handler gets both kinds.
 *
 * @param m        Model. Not NULL.
 * @param sid      Requester id.
 * @param reason   Fault reason.
 * @param address  Fault address; bits 11:0 are dropped.
 * @param read     T: a read request, else a write.
 */
VTDPI_API void vtdpi_model_dma_fault(struct vtdpi_model *m, uint16_t sid,
                                     uint8_t reason, uint64_t address,
                                     bool read);

/**
 * @brief Turn a fault mode on, or change its argument.
 *
 * @param m      Model. Not NULL.
 * @param fault  Which.
 * @param arg    See enum vtdpi_model_fault; 0 where none is named.
 */
VTDPI_API void vtdpi_model_set_fault(struct vtdpi_model *m,
                                     enum vtdpi_model_fault fault,
                                     uint64_t arg);

/** @brief Turn a fault mode off. What it held up goes on. */
VTDPI_API void vtdpi_model_clear_fault(struct vtdpi_model *m,
                                       enum vtdpi_model_fault fault);

/** @brief Whether a fault mode is on. */
VTDPI_API bool vtdpi_model_fault_is_on(const struct vtdpi_model *m,
                                       enum vtdpi_model_fault fault);

/** @brief Replace the step hook; NULL removes it. The context is params.ctx. */
VTDPI_API void vtdpi_model_set_step_hook(struct vtdpi_model *m,
                                         vtdpi_model_step_hook step);

/* What happened. */

/** @brief Copy the counters to @p out. */
VTDPI_API void vtdpi_model_get_counters(const struct vtdpi_model *m,
                                        struct vtdpi_model_counters *out);

/** @brief Number of violations so far. */
VTDPI_API uint64_t vtdpi_model_violations(const struct vtdpi_model *m);

/** @brief The first violation; kind VTDPI_MODEL_OK if there is none. */
VTDPI_API struct vtdpi_model_violation
vtdpi_model_first_violation(const struct vtdpi_model *m);

/** @brief Forget the violations seen, for a test that caused one. */
VTDPI_API void vtdpi_model_clear_violations(struct vtdpi_model *m);

/** @brief Name of a kind of violation; never NULL. */
VTDPI_API const char *
vtdpi_model_violation_name(enum vtdpi_model_violation_kind kind);

VTDPI_END_DECLS

#endif
