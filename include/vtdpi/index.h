/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_INDEX_H
#define VTDPI_INDEX_H

/**
 * @file
 * @brief The index allocator: which of up to 65536 indexes are free.
 *
 * table.h allocates the indexes of its table with it. A host whose kernel owns
 * the table can use it alone. It touches nothing but its own memory, takes no
 * lock and needs no callback.
 *
 * A run is a power of two of consecutive indexes, the first of which is a
 * multiple of their number. That is what the messages of one MSI capability
 * need.
 *
 * **Dirty.** The allocator knows nothing of entries and flushes. An index that is
 * freed may be given away at once, so its entry is not present, and that change
 * is flushed, before it is freed.
 *
 * **Order.** What was written before vtdpi_index_free() is visible to the call
 * that allocates the index next: both are a compare-and-swap on one word.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

/*
 * How it works. A leaf word holds 64 indexes, bit set = free. For each order k,
 * 0 to 6, there is a hint bit per leaf that says "this leaf may hold a free
 * aligned run of 2^k", and above it one bit per word of hints. So an allocation
 * of any order looks at three words, whatever is allocated, and a run, which
 * never leaves its leaf, is allocated and freed with one compare-and-swap.
 *
 * Only the leaves are always right. A hint can be wrong in two ways:
 *  - A hint is set, and its leaf has no such run. The next allocator that comes
 *    there clears the hint.
 *  - A hint is clear, and its leaf has such a run. That lasts from the moment in
 *    which an allocator clears the hint until that allocator has looked at the leaf
 *    again. No caller sees that: before an allocation returns VTDPI_ENOSPC, it looks
 *    at all leaves.
 *
 * All orders of one leaf's hints share a cache line.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/compiler.h"
#include "vtdpi/regs.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Fewest indexes. */
#define VTDPI_INDEX_COUNT_MIN 2

/** Most indexes: as many as a request can name. */
#define VTDPI_INDEX_COUNT_MAX 65536

/** Longest run that is allocated at once; MSI needs 32. */
#define VTDPI_INDEX_RUN_MAX   64

/** @brief An allocator; the host embeds or allocates it. */
struct vtdpi_index {
    /* private: */
    uint64_t *top;    /* a word for each order: groups that may have a run */
    uint64_t *hints;  /* for each group of 64 leaves: a word for each order */
    uint64_t *leaves; /* a word for 64 indexes; set: free */
    uint32_t count;
};

/**
 * @brief Bytes of memory that an allocator needs.
 *
 * @param count  Number of indexes, a power of two, VTDPI_INDEX_COUNT_MIN to
 *               VTDPI_INDEX_COUNT_MAX.
 *
 * @return About an eighth of a byte for each index; 0 if @p count is not as
 *         above.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD size_t vtdpi_index_storage_size(uint32_t count);

/**
 * @brief Set up an allocator: every index is free.
 *
 * @param x        The allocator. Not NULL.
 * @param storage  vtdpi_index_storage_size() bytes of any contents, which are
 *                 the allocator's as long as it is used. Not NULL.
 * @param count    Number of indexes, a power of two, VTDPI_INDEX_COUNT_MIN to
 *                 VTDPI_INDEX_COUNT_MAX.
 *
 * @thread
 *
 * @retval 0             Set up.
 * @retval VTDPI_EINVAL  A pointer is NULL, or @p count is not as above.
 *                       Nothing was written.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_index_init(struct vtdpi_index *x, uint64_t *storage, uint32_t count);

/**
 * @brief Allocate a run.
 *
 * In a constant number of steps unless others allocate and free at the same
 * time. Only when nothing seems left are all words looked at, so VTDPI_ENOSPC
 * is the truth.
 *
 * @param x      The allocator, set up. Not NULL.
 * @param count  How many: a power of two, 1 to VTDPI_INDEX_RUN_MAX.
 * @param first  Receives the first index, a multiple of @p count. Not NULL.
 *               Unchanged on failure.
 *
 * @anyctx @lockfree @order{SC}
 *
 * @retval 0             Allocated.
 * @retval VTDPI_EINVAL  A pointer is NULL, or @p count is not as above.
 * @retval VTDPI_ENOSPC  No such run is free.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_index_alloc(struct vtdpi_index *x, uint32_t count, uint32_t *first);

/**
 * @brief Allocate a certain run, as for a request that is programmed already.
 *
 * @param x      The allocator, set up. Not NULL.
 * @param first  First index, a multiple of @p count.
 * @param count  How many: a power of two, 1 to VTDPI_INDEX_RUN_MAX.
 *
 * @anyctx @lockfree @order{SC}
 *
 * @retval 0             Allocated.
 * @retval VTDPI_EINVAL  @p x is NULL, or @p count is not as above.
 * @retval VTDPI_EALIGN  @p first is not a multiple of @p count.
 * @retval VTDPI_EINDEX  Some of them do not exist.
 * @retval VTDPI_EBUSY   Some of them are allocated. None was allocated.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_index_reserve(struct vtdpi_index *x, uint32_t first, uint32_t count);

/**
 * @brief Whether a run can be freed.
 *
 * @param x      The allocator, set up. Not NULL.
 * @param first  First index, a multiple of @p count.
 * @param count  How many: a power of two, 1 to VTDPI_INDEX_RUN_MAX.
 *
 * @anyctx @waitfree @order{SC}
 *
 * @retval 0             All of them are allocated.
 * @retval VTDPI_EINVAL  @p x is NULL, or @p count is not as above.
 * @retval VTDPI_EALIGN  @p first is not a multiple of @p count.
 * @retval VTDPI_EINDEX  Some of them do not exist.
 * @retval VTDPI_EFREE   Some of them are free.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_index_check(const struct vtdpi_index *x, uint32_t first, uint32_t count);

/**
 * @brief Free a run as it was allocated, or an aligned part of it.
 *
 * @param x      The allocator, set up. Not NULL.
 * @param first  First index, a multiple of @p count.
 * @param count  How many: a power of two, 1 to VTDPI_INDEX_RUN_MAX.
 *
 * @pre No unit uses the entries of these indexes: they are not present, and
 *      flushed.
 *
 * @anyctx @lockfree @order{SC}
 *
 * @retval 0  Free.
 * @return Any other value is an error of vtdpi_index_check(). Nothing was freed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_index_free(struct vtdpi_index *x, uint32_t first, uint32_t count);

/**
 * @brief Number of indexes.
 *
 * @param x  The allocator, set up. Not NULL.
 *
 * @return The count that it was set up with.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_index_count(const struct vtdpi_index *x)
{
    return x->count;
}

/**
 * @brief Whether an index is allocated.
 *
 * @param x      The allocator, set up. Not NULL.
 * @param index  Any number.
 *
 * @return False also for an index that does not exist.
 *
 * @anyctx @waitfree @order{SC}
 */
VTDPI_INLINE bool vtdpi_index_is_allocated(const struct vtdpi_index *x,
                                           uint32_t index)
{
    return index < x->count && (vtdpi_atomic_load64(&x->leaves[index / 64]) &
                                VTDPI_BIT64(index % 64)) == 0;
}

VTDPI_END_DECLS

#endif
