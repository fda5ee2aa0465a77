/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BACKEND_H
#define VTDPI_BACKEND_H

/**
 * @file
 * @brief Who changes entries of an interrupt-remapping table for irq.h: a
 *        backend, and the description of what it has to flush.
 *
 * table.h has the backend for units that the library drives
 * (vtdpi_table_backend()). A host whose kernel owns the units and the table
 * writes its own struct vtdpi_backend_ops, and then needs neither table.h nor
 * unit.h nor qi.h. The functions of this header collect what a change flushes;
 * they touch nothing else.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/pid.h"

VTDPI_BEGIN_DECLS

struct vtdpi_irte;

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
 * If the indexes lie within a range that is there, or next to one, that range grows.
 * Otherwise they become a new range. A host that adds each block of indexes in
 * ascending or in descending order gets one range for each block, also if it adds to
 * several blocks by turns. All ranges are looked at, newest first. When the storage is
 * full the flush becomes global.
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
     * Finish. After a return of 0 three things hold: no unit uses an old entry
     * of an index that was invalidated; every new entry is visible to every
     * unit; and if flush->drain is set, what was posted through old entries has
     * landed. Undoes begin, also when it fails. Failure: the entries are changed,
     * and a unit may still use any of the old entries. Then irq.h calls the
     * entries dirty, keeps the references of the old entries, and repeats the
     * flush before it does anything else with these indexes.
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
