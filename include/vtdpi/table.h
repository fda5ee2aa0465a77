/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TABLE_H
#define VTDPI_TABLE_H

/**
 * @file
 * @brief An interrupt-remapping table: its memory, its indexes, the units that
 *        use it, and changes of entries that hold when they return.
 *
 * A table is used by one unit or by several. An entry is changed by one
 * 16-byte compare-and-swap, then flushed from the interrupt entry cache of
 * every unit of the table and waited for, with a deadline. What is flushed is
 * the least that is right:
 *
 * - the line is cleaned if a unit of the table does not snoop (ECAP.C = 0);
 * - an entry that was not present is not invalidated, unless a unit may cache
 *   such entries (CAP.CM = 1); write buffers are flushed on units that need it
 *   (CAP.RWBF = 1, or forced by the host);
 * - after a posted form was retired one register of each unit is read, which
 *   makes postings in flight land;
 * - the same value again costs nothing, unless the entry is dirty.
 *
 * **Dirty.** An entry is dirty from its change until a flush that covers it has
 * succeeded: units may use its old value. A dirty index cannot be freed, so it
 * is never given to another device while a unit may still deliver for the old
 * one. The mark is kept per index in the table and is queryable.
 *
 * **Units that are off.** A unit that is off or suspended needs no flush, since
 * enabling drops all that it has cached. It has to be on the list before it is
 * enabled (VTDPI_ENOTABLE). Entries may be changed while it is. A change that meets a unit
 * on its way to off, or one that failed there, returns VTDPI_EQOFF and leaves
 * the entry dirty; repeated when the unit is off, it succeeds.
 *
 * **Adoption.** Units may have entries of an adopted table in their caches, and
 * only a flush of everything drops them. Until the first vtdpi_table_flush_all()
 * that succeeds, all entries that were present are dirty, and every other flush
 * of the table returns VTDPI_EQOFF, whatever units are on the list: changes are
 * written, stay dirty, and no index is freed. After that flush the table is like
 * any other. What was changed before that flush is clean then. The order:
 *
 *     vtdpi_unit_read_table()     address, size and mode of each unit's table
 *     vtdpi_table_init()          with adopt
 *     vtdpi_table_add_unit()      all units that use the table
 *     vtdpi_unit_enable()         all of them, with adopt or take_over
 *     vtdpi_table_flush_all()     the adoption is over
 *     vtdpi_table_posted()        how many entries post
 *
 * The library cannot see a unit that uses the table and is not on the list at
 * that flush: such a unit goes on delivering by old entries. An entry that posts
 * names a descriptor in memory of the old kernel. If that memory was not handed
 * over, the unit may already have written there, so the old kernel unposts such
 * entries before the new one starts. Nothing that is done later repairs it.
 * A table whose units have all left before that flush stays in adoption until
 * vtdpi_table_init(); its interrupts keep their references until
 * vtdpi_irq_mark_flushed().
 *
 * **Posting only where it works.** A unit without CAP.PI blocks every request
 * that a posted entry is for. A table has posted entries, or such a unit on its
 * list, never both. When such a unit joins, posting is off for this table until
 * vtdpi_table_init(), also after the unit was removed: a change that would make
 * an entry posted returns VTDPI_ENOPI.
 *
 * **Whom to call.** irq.h changes entries through vtdpi_table_backend(). A host
 * that wants an entry without a posted form (an IOAPIC pin, its own MSI) may
 * call vtdpi_table_set() directly. Calls that change one index are serialised
 * by the caller; different indexes are independent. No function here holds a lock
 * while it waits, and none holds two locks at a time: the index allocator is
 * lock-free, and a submission takes the lock of its unit alone.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/backend.h"
#include "vtdpi/compiler.h"
#include "vtdpi/index.h"
#include "vtdpi/irte.h"
#include "vtdpi/status.h"
#include "vtdpi/unit.h"

VTDPI_BEGIN_DECLS

/** Fewest entries of a table: IRTA.S is 0. */
#define VTDPI_TABLE_COUNT_MIN VTDPI_INDEX_COUNT_MIN

/** Most entries of a table: IRTA.S is 15. */
#define VTDPI_TABLE_COUNT_MAX VTDPI_INDEX_COUNT_MAX

/** Longest run of indexes that is allocated at once; MSI needs 32. */
#define VTDPI_TABLE_RUN_MAX   VTDPI_INDEX_RUN_MAX

/** @brief A unit on a table's list: memory that the host gives. */
struct vtdpi_table_unit {
    /* private: */
    struct vtdpi_table_unit *next; /* changed beside readers: atomic */
    struct vtdpi_unit *unit;
};

/** @brief A table; the host embeds or allocates it. */
struct vtdpi_table {
    /* private: */
    struct vtdpi_backend backend;
    struct vtdpi_irte *entries;
    uint64_t phys;
    uint64_t *dirty;   /* two bits per index */
    uint64_t flushing; /* a flush of everything is under way */
    uint64_t posted;   /* entries that post; all ones: there will be none */
    void **owners;     /* NULL: none are kept */
    struct vtdpi_index index;
    struct vtdpi_table_unit *units; /* likewise */
    uint64_t adopted; /* whether caches may have entries; likewise */
};

/** @brief What vtdpi_table_init() needs. */
struct vtdpi_table_params {
    /** The entries: write-back memory, 16-byte aligned. */
    struct vtdpi_irte *entries;
    /** Its physical address: 4 KiB aligned, and aligned to the size of the
     *  table if that is larger. */
    uint64_t phys;
    /** Number of entries, a power of two, 2 to 65536. */
    uint32_t count;
    /** Memory for the library's own account, 8-byte aligned, of
     *  vtdpi_table_storage_size() bytes. */
    void *storage;
    size_t storage_size; /**< Its size in bytes. */
    /** Optional: memory for one pointer per entry, see vtdpi_table_owner(). */
    void **owners;
    enum vtdpi_apic_mode mode; /**< IRTA.EIME of all units of the table. */
    unsigned int haw;          /**< Host address width in bits, 1 to 64. */
    /** Adopt a table that another kernel left in use, or a copy of it: keep the
     *  entries that are present, and take their indexes for allocated. All others
     *  are zeroed. See "Adoption" above. */
    bool adopt;
};

/**
 * @brief Size of the library's account of a table: about three bits an entry.
 *
 * @param count  Number of entries.
 *
 * @return Bytes; 0 if @p count is not a power of two from 2 to 65536.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD size_t vtdpi_table_storage_size(uint32_t count);

/**
 * @brief Set up a table. No unit uses it yet.
 *
 * @param t       The table. Not NULL.
 * @param params  See there; may be temporary, except for what it points to.
 *
 * @thread
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A required pointer is NULL, or count, mode or haw is
 *                       out of range.
 * @retval VTDPI_EALIGN  Entries, physical address or storage not aligned.
 * @retval VTDPI_ENOSPC  The storage is too small.
 * @retval VTDPI_ERANGE  The table does not lie below the host address width.
 *
 * Nothing has changed after an error.
 *
 * @spec{VT-d, Interrupt Remapping Table Address Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_init(struct vtdpi_table *t,
                 const struct vtdpi_table_params *params);

/**
 * @brief Put a unit on the list of the table: the unit joins the table.
 *
 * vtdpi_unit_enable() enables a unit only with the table that it has joined, so
 * no change misses the unit. That call takes address, size and interrupt mode
 * from here. If the unit does not snoop, the whole table is cleaned. Entries may
 * be changed during the call.
 *
 * @param t     The table. Not NULL.
 * @param link  Memory that stays until the unit is removed. Not NULL.
 * @param unit  The unit, probed: VTDPI_UNIT_OFF, VTDPI_UNIT_QUEUE or
 *              VTDPI_UNIT_FOREIGN. Not NULL.
 *
 * @pre No call that enables, disables, suspends or resumes the unit is under
 *      way. A unit that uses a table which is being adopted joins before the
 *      vtdpi_table_flush_all() that ends the adoption.
 *
 * @thread
 *
 * @retval 0                 Done.
 * @retval VTDPI_EINVAL      A pointer is NULL.
 * @retval VTDPI_EATTACHED   The unit is on the list of this table, or of another
 *                           one.
 * @retval VTDPI_ENOEIM      The table is in x2APIC mode, and ECAP.EIM of the
 *                           unit is 0.
 * @retval VTDPI_EOPNOTSUPP  The unit does not snoop and its platform has no
 *                           clean.
 * @retval VTDPI_ESTATE      The unit is in another state; or it is
 *                           VTDPI_UNIT_FOREIGN and the adoption of the table is
 *                           over. It may have cached entries of the table that
 *                           were changed without it. A unit that is FOREIGN joins
 *                           after vtdpi_unit_open_queue() with take_over.
 * @retval VTDPI_EBUSY       The unit has no CAP.PI, and an entry of the table is
 *                           posted. Unpost all interrupts of the table first,
 *                           or give the unit a table of its own.
 *
 * Nothing has changed after an error. Calls that add or remove are serialised
 * by the caller.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_add_unit(struct vtdpi_table *t, struct vtdpi_table_unit *link,
                     struct vtdpi_unit *unit);

/**
 * @brief Take a unit off the list: it does not use the table any more.
 *
 * @param t     The table. Not NULL.
 * @param unit  The unit, VTDPI_UNIT_OFF, VTDPI_UNIT_QUEUE or
 *              VTDPI_UNIT_FORSAKEN; or VTDPI_UNIT_FOREIGN, if the table is not
 *              being adopted. A unit that is QUEUE keeps its queue, so a host with DMA
 *              translation on can give the unit another table.
 *
 * @pre No change of the table is under way, and no call that enables, disables,
 *      suspends or resumes the unit.
 *
 * @thread
 *
 * @retval 0             Done; its link is the caller's again.
 * @retval VTDPI_EINVAL  A pointer is NULL.
 * @retval VTDPI_ENOENT  The unit is not on the list.
 * @retval VTDPI_EBUSY   The unit is in another state. It reads the table, may
 *                       have entries of it in its cache, or comes back with it
 *                       after a suspend. Call
 *                       vtdpi_unit_disable() first, and vtdpi_unit_resume()
 *                       before that for a suspended unit.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_remove_unit(struct vtdpi_table *t, struct vtdpi_unit *unit);

/**
 * @brief Allocate consecutive indexes.
 *
 * Lock-free, and in a constant number of steps unless others allocate and free
 * at the same time. Only when nothing seems left are all words of the bitmap
 * looked at, so VTDPI_ENOSPC is the truth.
 *
 * @param t      The table. Not NULL.
 * @param count  How many: a power of two, 1 to VTDPI_TABLE_RUN_MAX.
 * @param owner  Kept for each index, if the table keeps owners.
 * @param first  Receives the first index, a multiple of @p count. Not NULL.
 *
 * @anyctx @lockfree
 *
 * @retval 0             Allocated; their entries are zero.
 * @retval VTDPI_EINVAL  @p t or @p first is NULL, or @p count is not as above.
 * @retval VTDPI_ENOSPC  No such run is free.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_alloc(struct vtdpi_table *t, uint32_t count, void *owner,
                  uint32_t *first);

/**
 * @brief Allocate certain indexes, as for a request that is programmed already.
 *
 * @param t      The table. Not NULL.
 * @param first  First index, a multiple of @p count.
 * @param count  How many: a power of two, 1 to VTDPI_TABLE_RUN_MAX.
 * @param owner  Kept for each index, if the table keeps owners.
 *
 * @anyctx @lockfree
 *
 * @retval 0             Allocated; their entries are zero.
 * @retval VTDPI_EINVAL  @p t is NULL, or @p count is not as above.
 * @retval VTDPI_EALIGN  @p first is not a multiple of @p count.
 * @retval VTDPI_EINDEX  Some of them are outside the table.
 * @retval VTDPI_EBUSY   Some of them are allocated. None was taken.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_reserve(struct vtdpi_table *t, uint32_t first, uint32_t count,
                    void *owner);

/**
 * @brief Free indexes: a run as allocated, or an aligned part of it.
 *
 * @param t      The table. Not NULL.
 * @param first  First index, a multiple of @p count.
 * @param count  How many: a power of two, 1 to VTDPI_TABLE_RUN_MAX.
 *
 * @anyctx @lockfree
 *
 * @retval 0             Free.
 * @retval VTDPI_EINVAL  @p t is NULL, or @p count is not as above.
 * @retval VTDPI_EALIGN  @p first is not a multiple of @p count.
 * @retval VTDPI_EINDEX  Some of them are outside the table.
 * @retval VTDPI_EFREE   Some of them are free already.
 * @retval VTDPI_EBUSY   The entry of one of them is present.
 * @retval VTDPI_EDIRTY  The entry of one of them is dirty: flush first.
 *
 * After an error none was freed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_free(struct vtdpi_table *t, uint32_t first, uint32_t count);

/**
 * @brief Change one entry, flush it, and wait: a batch of one.
 *
 * For entries that no struct vtdpi_irq stands for. The value that is there
 * already costs nothing, unless dirty.
 *
 * @param t      The table. Not NULL.
 * @param index  An allocated index.
 * @param irte   What the entry shall hold. Not NULL.
 *
 * @thread @waits{VTDPI_QI_TIMEOUT_US a unit} @locks{unit}
 *
 * @retval 0                 Done.
 * @retval VTDPI_EINVAL      A pointer is NULL.
 * @retval VTDPI_EINDEX      @p index is outside the table.
 * @retval VTDPI_EFREE       @p index is not allocated.
 * @retval VTDPI_ENOPI       @p irte is posted, the entry is not, and a unit
 *                           without CAP.PI has joined the table. Nothing has
 *                           changed.
 * @retval VTDPI_EAGAIN      Somebody else changed the entry first.
 * @retval VTDPI_EOPNOTSUPP  Built without a 16-byte compare-and-swap.
 * @return Any other error is one of vtdpi_irte_validate(), and nothing has changed;
 *         or one of the flush, as for vtdpi_table_flush(), and the entry is written
 *         and dirty. vtdpi_table_is_dirty() tells which.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_set(struct vtdpi_table *t, uint32_t index,
                const struct vtdpi_irte *irte);

/**
 * @brief Flush entries, dirty or not, on all units, drain, and wait.
 *
 * @param t      The table. Not NULL.
 * @param first  First index.
 * @param count  How many; nobody changes them during the call.
 *
 * @thread @waits{VTDPI_QI_TIMEOUT_US a unit} @locks{unit}
 *
 * @retval 0                Done; none of them is dirty.
 * @retval VTDPI_EINVAL     @p t is NULL, or @p count is 0.
 * @retval VTDPI_EINDEX     Some of them are outside the table.
 * @retval VTDPI_ETIMEDOUT  A unit did not answer in time.
 * @retval VTDPI_EIQE       A unit refused the descriptor.
 * @retval VTDPI_EQFULL     A unit's queue is full.
 * @retval VTDPI_EQOFF      A unit's queue is off, or the table is being adopted.
 * @retval VTDPI_EIO        A unit reads as all ones.
 *
 * Of several units that failed the first one's error is returned; the others
 * were flushed. After an error they are as dirty as before.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_flush(struct vtdpi_table *t, uint32_t first, uint32_t count);

/**
 * @brief Flush all entries with one global invalidation on each unit.
 *
 * Entries may be changed during the call; what is dirty because of such a change
 * stays so until its own flush has succeeded.
 *
 * @param t  The table. Not NULL.
 *
 * @thread @waits{VTDPI_QI_TIMEOUT_US a unit} @locks{unit}
 *
 * @retval 0             Done: each change that was made before the call is
 *                       flushed. An interrupt of irq.h that was dirty does not
 *                       know that yet: call vtdpi_irq_mark_flushed() for it.
 * @retval VTDPI_EINVAL  @p t is NULL.
 * @retval VTDPI_EBUSY   Another such call is under way on this table.
 * @retval VTDPI_EQOFF   The table is being adopted, and its list has no unit, or
 *                       has a unit that is VTDPI_UNIT_FOREIGN. Or as
 *                       vtdpi_table_flush().
 * @return Any other error is one of vtdpi_table_flush(). All indexes are as dirty as
 *         before.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_table_flush_all(struct vtdpi_table *t);

/**
 * @brief The table as irq.h wants it.
 *
 * @param t  An initialised table. Not NULL.
 *
 * @return Constant; valid as long as the table.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE const struct vtdpi_backend *
vtdpi_table_backend(const struct vtdpi_table *t)
{
    return &t->backend;
}

/**
 * @brief Number of entries.
 *
 * @param t  An initialised table. Not NULL.
 *
 * @return 2 to 65536.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_table_count(const struct vtdpi_table *t)
{
    return t->index.count;
}

/**
 * @brief Size of the table as a power of two.
 *
 * @param t  An initialised table. Not NULL.
 *
 * @return Binary logarithm of the number of entries, 1 to 16.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE unsigned int vtdpi_table_order(const struct vtdpi_table *t)
{
    return VTDPI_CAST_(unsigned int, __builtin_ctz(t->index.count));
}

/**
 * @brief Physical address of the table.
 *
 * @param t  An initialised table. Not NULL.
 *
 * @return The address of entry 0.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint64_t vtdpi_table_phys(const struct vtdpi_table *t)
{
    return t->phys;
}

/**
 * @brief How many entries post.
 *
 * After vtdpi_table_init() with adopt: how many the kernel before has left.
 *
 * @param t  An initialised table. Not NULL.
 *
 * @return Their number; 0 also if posting is closed, see "Posting only where it
 *         works".
 *
 * @anyctx @waitfree
 */
VTDPI_API uint32_t vtdpi_table_posted(const struct vtdpi_table *t);

/**
 * @brief Whether an index is allocated.
 *
 * @param t      An initialised table. Not NULL.
 * @param index  Any number.
 *
 * @return False also if @p index is outside the table.
 *
 * @anyctx @waitfree
 */
VTDPI_API bool vtdpi_table_is_allocated(const struct vtdpi_table *t,
                                        uint32_t index);

/**
 * @brief Whether units may still use an old value of an entry.
 *
 * @param t      An initialised table. Not NULL.
 * @param index  Any number.
 *
 * @return False also if @p index is outside the table.
 *
 * @anyctx @waitfree
 */
VTDPI_API bool vtdpi_table_is_dirty(const struct vtdpi_table *t,
                                    uint32_t index);

/**
 * @brief Read an entry, as it is in memory.
 *
 * @param t      An initialised table. Not NULL.
 * @param index  Any number.
 * @param out    Receives a copy; if the entry is being changed, perhaps halves
 *               of two values. Not NULL.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Read.
 * @retval VTDPI_EINDEX  @p index is outside the table.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_table_read(const struct vtdpi_table *t,
                                                uint32_t index,
                                                struct vtdpi_irte *out);

/**
 * @brief Whom an index was allocated for; for fault handlers.
 *
 * @param t      An initialised table. Not NULL.
 * @param index  Any number.
 *
 * @return The owner given to vtdpi_table_alloc(); NULL if the index is free or
 *         outside the table, or if the table keeps no owners. The host sees to
 *         it that the owner outlives the use of this pointer.
 *
 * @anyctx @waitfree @order{acquire: what the owner held when it allocated}
 */
VTDPI_API void *vtdpi_table_owner(const struct vtdpi_table *t, uint32_t index);

VTDPI_END_DECLS

#endif
