/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_PLATFORM_H
#define VTDPI_PLATFORM_H

/**
 * @file
 * @brief What the library asks of its host: callbacks and their contracts.
 *
 * One constant struct vtdpi_platform_ops serves any number of objects; each
 * object (a unit, a queue, a scheduling instance) carries its own context
 * pointer. A zeroed structure is valid to start from. Each layer's init
 * function checks the members which that layer calls, and no others:
 *
 * | layer   | required                                        | optional |
 * |---------|-------------------------------------------------|----------|
 * | sched.h | send_ipi, wake                                  | relax    |
 * | qi.h    | read32, write32, read64, write64, now_us, lock, unlock | clean, relax, log |
 * | unit.h  | as qi.h                                         | clean, relax, log |
 * | table.h | as qi.h                                         | clean    |
 * | fault.h | as qi.h                                         |          |
 *
 * No callback may call back into the library, unless its text says so.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/pid.h"

VTDPI_BEGIN_DECLS

struct vtdpi_irte;

/** @brief Levels of struct vtdpi_platform_ops.log. */
enum vtdpi_log_level {
    VTDPI_LOG_ERROR = 1,
    VTDPI_LOG_WARNING = 2,
    VTDPI_LOG_INFO = 3,
};

/** @brief The host's callbacks. */
struct vtdpi_platform_ops {
    /**
     * Read a 32-bit register of a remapping unit.
     *
     * @p off is relative to the unit's register base and 4-byte aligned. One
     * access of exactly this width: never split, merged, repeated or delayed;
     * in program order with all other accesses to the unit. Called by unit.h,
     * qi.h and fault.h in the context of their caller, with or without the
     * unit's lock held. Must not sleep. A unit that is gone reads as all ones.
     */
    uint32_t (*read32)(void *ctx, uint32_t off);

    /** Write a 32-bit register; as read32. All earlier stores of this CPU are
     *  visible to the unit before the write is. */
    void (*write32)(void *ctx, uint32_t off, uint32_t value);

    /** Read a 64-bit register, @p off 8-byte aligned; as read32. */
    uint64_t (*read64)(void *ctx, uint32_t off);

    /** Write a 64-bit register, @p off 8-byte aligned; as write32. */
    void (*write64)(void *ctx, uint32_t off, uint64_t value);

    /**
     * Microseconds since any fixed point; never goes back. May be coarse.
     * Called from polling loops, with or without the unit's lock held,
     * interrupts off or on. Must not sleep.
     */
    uint64_t (*now_us)(void *ctx);

    /**
     * Enter the critical section of one unit: excludes other CPUs and
     * interrupts on this one. Returns a token for unlock. Never called while
     * the same lock is held, and never while another unit's is. Held for a
     * bounded number of register accesses, except by unit.h's commands, which
     * hold it up to VTDPI_CMD_TIMEOUT_US. Must not sleep or fail.
     */
    uintptr_t (*lock)(void *ctx);

    /** Leave the critical section; @p token is what lock returned. */
    void (*unlock)(void *ctx, uintptr_t token);

    /**
     * Write the cache lines of [p, p + len) back to memory and wait until that
     * is done, for units that do not snoop (ECAP.C = 0). Called with no
     * lock of a unit held. Must not sleep or fail. NULL: every unit is
     * coherent; a unit that is not is then refused.
     */
    void (*clean)(void *ctx, const void *p, size_t len);

    /** Pause between two polls. Must not sleep. NULL: nothing. */
    void (*relax)(void *ctx);

    /**
     * Send a fixed-mode interrupt, @p vector, to the processor with the local
     * APIC id @p apic_id (decoded: the id itself, not a register image).
     *
     * All earlier stores of this CPU are visible before the interrupt arrives;
     * WRMSR to the x2APIC ICR does not do that by itself, so put the fences
     * that the SDM asks for before it. Called by vtdpi_vcpu_post(), _notify(),
     * _send() and _block_committed() in their caller's context, nothing of the
     * library held. Must not sleep or fail. An interrupt for a processor that
     * is offline may be dropped.
     */
    void (*send_ipi)(void *ctx, uint32_t apic_id, uint8_t vector);

    /**
     * Make a vCPU runnable and mark it woken. @p cookie is the one that it was
     * attached with.
     *
     * Called by vtdpi_pcpu_handle_wakeup() with interrupts off, and by
     * vtdpi_pcpu_offline() and vtdpi_pcpu_rescan() in their caller's context;
     * nothing of the library is held. Must not sleep or fail. May be called for
     * a vCPU that runs already: spurious wakes happen, lost ones do not.
     *
     * wake may call vtdpi_vcpu_post() and vtdpi_vcpu_notify() for any vCPU, and
     * vtdpi_vcpu_run(), vtdpi_vcpu_preempt(), vtdpi_vcpu_sync() and
     * vtdpi_vcpu_merge() for a vCPU that it owns (rule S of sched.h); it calls
     * nothing else of the library. In particular it must not detach a vCPU nor
     * wait for a detach, which waits for this scan; and it must not handle a
     * wakeup vector, which would nest in this scan. A vector that a post from
     * within wake sends to this processor stays pending until the scan is over.
     */
    void (*wake)(void *ctx, void *cookie);

    /**
     * A line of diagnostics without a line end. May drop it. Never called on a
     * hot path nor with a lock held. NULL: silent.
     */
    void (*log)(void *ctx, enum vtdpi_log_level level, const char *text);
};

/** @brief Consecutive indexes of an interrupt-remapping table. */
struct vtdpi_flush_range {
    uint32_t first; /**< First index. */
    uint32_t count; /**< Number of indexes, not 0. */
};

/**
 * @brief What a commit has to flush.
 *
 * One object accompanies the calls from begin to commit. irq.h makes it,
 * usually on its stack; a backend adds to it and reads it. It describes, it
 * does nothing by itself. Storage for ranges may be of any size: what does not
 * fit makes the flush global.
 */
struct vtdpi_flush {
    struct vtdpi_flush_range *ranges; /**< Storage for ranges. */
    uint32_t capacity;                /**< Ranges that fit. */
    uint32_t used;                    /**< Ranges that are there. */
    bool global;       /**< The ranges are not all: flush every index. */
    bool write_buffer; /**< An entry became present (CAP.RWBF). */
    bool drain;        /**< A posted form was retired: after the wait, read one
                            register of every unit, so that postings in flight
                            have landed. */
};

/**
 * @brief Begin a description: nothing to flush.
 *
 * @param flush     The description. Not NULL.
 * @param ranges    Storage, which lives until commit has returned; may be NULL
 *                  if @p capacity is 0.
 * @param capacity  Ranges that fit.
 *
 * @anyctx @waitfree
 */
VTDPI_API void vtdpi_flush_init(struct vtdpi_flush *flush,
                                struct vtdpi_flush_range *ranges,
                                uint32_t capacity);

/**
 * @brief Add indexes to a description.
 *
 * Indexes next to, or within, a range that is there extend it: it takes as many
 * ranges as there are gaps, if each block is added in ascending or descending
 * order, several blocks by turns included. All ranges are looked at, newest
 * first. When the storage is full the flush becomes global.
 *
 * @param flush  The description. Not NULL.
 * @param first  First index.
 * @param count  Number of indexes; 0 adds nothing.
 *
 * @anyctx @waitfree
 */
VTDPI_API void vtdpi_flush_add(struct vtdpi_flush *flush, uint32_t first,
                               uint32_t count);

/**
 * @brief How irq.h changes entries of an interrupt-remapping table.
 *
 * table.h implements it on units that the library drives. A host whose kernel
 * owns the unit and the table writes its own. The library calls, in this
 * order and in one thread: begin once; replace, and invalidate where needed,
 * for each change; commit once, also when a replace or an invalidate failed;
 * then settled for each index whose change is complete.
 *
 * All are called in the context of the caller of the vtdpi_irq_*() function,
 * with nothing of the library held. They may sleep, and take the host's locks,
 * if the host calls those functions only where that is allowed. Calls for
 * different indexes may run concurrently; for one index they are serialised by
 * the caller. A backend does not call back into irq.h. An error is passed on
 * to the caller unchanged.
 */
struct vtdpi_backend_ops {
    /**
     * Start a change. A place to take a lock or to get memory that commit
     * gives back. @p flush is empty. Failure: nothing has changed, and no
     * other call follows; another change may begin anew. NULL: nothing to do.
     */
    int (*begin)(void *ctx, struct vtdpi_flush *flush);

    /**
     * Make entry @p index read @p replacement in one 16-byte step, and make
     * that visible to units that do not snoop.
     *
     * @p old is what irq.h takes the entry to hold; a backend that finds
     * something else changes nothing and returns VTDPI_EAGAIN. NULL: whatever
     * it holds is to be replaced, which happens only when an interrupt is torn
     * down. @p replacement has passed vtdpi_irte_validate().
     *
     * Entries that were not present are not named in an invalidate call. A
     * backend with a unit that may cache those (CAP.CM = 1) invalidates them
     * on its own account, and one with a unit that needs its write buffers
     * flushed (CAP.RWBF = 1) sets flush->write_buffer.
     *
     * Failure: the entry is unchanged.
     */
    int (*replace)(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                   const struct vtdpi_irte *old,
                   const struct vtdpi_irte *replacement);

    /**
     * Have indexes @p first to @p first + @p count - 1 invalidated in the
     * interrupt entry cache of every unit that uses the table, by the commit
     * that follows or at once. Comes after the replace of these indexes, or
     * without one to repeat a flush that failed. Failure: the entries are
     * changed, and a unit may still use the old ones.
     */
    int (*invalidate)(void *ctx, struct vtdpi_flush *flush, uint32_t first,
                      uint32_t count);

    /**
     * Finish: when it returns 0, no unit uses an old entry of an index that
     * was invalidated, every new entry is visible to every unit, and, if
     * flush->drain is set, what was posted through old entries has landed.
     * Undoes begin, also when it fails. Failure: the entries are changed, and
     * a unit may still use any of the old ones; irq.h calls the entries dirty,
     * keeps the references of the old ones, and repeats the flush before
     * anything else is done with these indexes.
     */
    int (*commit)(void *ctx, struct vtdpi_flush *flush);

    /**
     * All that was ever done to @p index has been flushed. For a backend that
     * keeps account of what is dirty. Must not fail. NULL: nothing to do.
     */
    void (*settled)(void *ctx, uint32_t index);
};

/**
 * @brief One interrupt-remapping table, as irq.h sees it. Constant once in
 *        use.
 */
struct vtdpi_backend {
    const struct vtdpi_backend_ops *ops; /**< The calls. */
    void *ctx;                           /**< Their first argument. */
    enum vtdpi_apic_mode mode; /**< How destinations are read (IRTA.EIME). */
    unsigned int haw;          /**< Host address width in bits, 1 to 64. */
    /** A unit that uses the table has no CAP.PI: vtdpi_irq_post() returns
     *  VTDPI_ENOPI. A backend that learns this later has its replace return
     *  VTDPI_ENOPI for an entry in posted format. */
    bool no_posting;
};

VTDPI_END_DECLS

#endif
