/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index allocator. Read the comment of index.h on leaves and hints first.
 * All of it comes with the set-up of a device, so it is compiled for size.
 *
 * The argument that decides is at hint_top_clear() and hint_clear(). A free
 * changes the leaf, then loads the hint. An allocator that clears the hint loads
 * the leaf once more. One of the two sees the other's write.
 */
#include "vtdpi/index.h"

#include "internal.h"

#define INDEX_ORDERS      7
/* Words of a group of hints: one for each order, padded to 64 bytes. */
#define INDEX_GROUP_WORDS 8

static uint32_t leaf_count(uint32_t count)
{
    return (count + 63) / 64;
}

static uint32_t group_count(uint32_t count)
{
    return (leaf_count(count) + 63) / 64;
}

static uint32_t lowest_bit(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

/*
 * @p starts marks where the free aligned runs of 2^order begin in a leaf; for order 0
 * that is the leaf itself. Returns where the runs of twice that length begin: two runs
 * follow each other, and the first begins at a multiple of the new length.
 */
static uint64_t run_pairs(uint64_t starts, unsigned int order)
{
    static const uint64_t pair_starts[INDEX_ORDERS - 1] = {
        UINT64_C(0x5555555555555555), UINT64_C(0x1111111111111111),
        UINT64_C(0x0101010101010101), UINT64_C(0x0001000100010001),
        UINT64_C(0x0000000100000001), UINT64_C(0x0000000000000001),
    };

    return starts & starts >> (1u << order) & pair_starts[order];
}

/* Starts of the free aligned runs of 2^order in a leaf. */
static VTDPI_COLD uint64_t run_starts(uint64_t leaf, unsigned int order)
{
    for (unsigned int k = 0; k < order; k++)
        leaf = run_pairs(leaf, k);
    return leaf;
}

/* The number of orders of which the leaf has a free run. A leaf that has a run of one
 * order has runs of all lower orders. */
static VTDPI_COLD unsigned int run_orders(uint64_t leaf)
{
    unsigned int n = 0;

    while (leaf != 0) {
        n++;
        leaf = n < INDEX_ORDERS ? run_pairs(leaf, n - 1) : 0;
    }
    return n;
}

static uint64_t *hint_word(const struct vtdpi_index *x, uint32_t leaf,
                           unsigned int order)
{
    return &x->hints[leaf / 64 * INDEX_GROUP_WORDS + order];
}

static bool leaf_has_run(const struct vtdpi_index *x, uint32_t leaf,
                         unsigned int order)
{
    return run_starts(vtdpi_atomic_load64(&x->leaves[leaf]), order) != 0;
}

/* Sets bits that read clear: two words that are mostly set already are only
 * read. Callers have changed what is below with a read-modify-write before. */
static void set_if_clear(uint64_t *word, uint64_t bit)
{
    if ((vtdpi_atomic_load64(word) & bit) == 0)
        (void)vtdpi_atomic_or64(word, bit);
}

static VTDPI_COLD void hint_set(const struct vtdpi_index *x, uint32_t leaf,
                                unsigned int order)
{
    set_if_clear(hint_word(x, leaf, order), VTDPI_BIT64(leaf % 64));
    set_if_clear(&x->top[order], VTDPI_BIT64(leaf / 64));
}

/*
 * Clears a bit of the top word, then looks again at the word below: a CPU that
 * set a hint there in between has seen the top bit set and left it. One of the
 * two sees the other's write, since all accesses are sequentially consistent.
 */
static VTDPI_COLD void hint_top_clear(const struct vtdpi_index *x,
                                      uint32_t group, unsigned int order)
{
    (void)vtdpi_atomic_and64(&x->top[order], ~VTDPI_BIT64(group));
    if (vtdpi_atomic_load64(hint_word(x, group * 64, order)) != 0)
        set_if_clear(&x->top[order], VTDPI_BIT64(group));
}

/* The same one level below: clear the hint, then look again at the leaf. */
static VTDPI_COLD void hint_clear(const struct vtdpi_index *x, uint32_t leaf,
                                  unsigned int order)
{
    uint64_t *word = hint_word(x, leaf, order);
    const uint64_t bit = VTDPI_BIT64(leaf % 64);

    if ((vtdpi_atomic_and64(word, ~bit) & ~bit) == 0)
        hint_top_clear(x, leaf / 64, order);
    if (leaf_has_run(x, leaf, order))
        hint_set(x, leaf, order);
}

/*
 * After a leaf went from @p before to @p after: clears the hints of the orders
 * that it has no longer, or sets those of the orders that are new. An order
 * that it had already needs no look: its hint is set, or an allocator that has
 * just cleared it is about to look again at the leaf.
 */
static VTDPI_COLD void hints_update(const struct vtdpi_index *x, uint32_t leaf,
                                    uint64_t before, uint64_t after)
{
    const unsigned int had = run_orders(before);
    const unsigned int has = run_orders(after);

    for (unsigned int k = has; k < had; k++)
        hint_clear(x, leaf, k);
    for (unsigned int k = had; k < has; k++)
        hint_set(x, leaf, k);
}

static size_t word_count(uint32_t count)
{
    return (size_t)leaf_count(count) +
           ((size_t)group_count(count) + 1) * INDEX_GROUP_WORDS;
}

size_t vtdpi_index_storage_size(uint32_t count)
{
    if (count < VTDPI_INDEX_COUNT_MIN || count > VTDPI_INDEX_COUNT_MAX ||
        !vtdpi_is_power_of_2_(count))
        return 0;
    return word_count(count) * sizeof(uint64_t);
}

int vtdpi_index_init(struct vtdpi_index *x, uint64_t *storage, uint32_t count)
{
    const size_t words = vtdpi_index_storage_size(count) / sizeof(uint64_t);
    const uint64_t free_leaf =
        count < 64 ? VTDPI_BIT64(count) - 1 : ~UINT64_C(0);

    if (x == NULL || storage == NULL || words == 0)
        return VTDPI_EINVAL;
    x->count = count;
    x->top = storage;
    x->hints = storage + INDEX_GROUP_WORDS;
    x->leaves = x->hints + group_count(count) * INDEX_GROUP_WORDS;
    for (size_t i = 0; i < words; i++)
        vtdpi_atomic_store64_relaxed(&storage[i], 0);
    for (uint32_t leaf = 0; leaf < leaf_count(count); leaf++) {
        vtdpi_atomic_store64_relaxed(&x->leaves[leaf], free_leaf);
        hints_update(x, leaf, 0, free_leaf);
    }
    return 0;
}

/* The bits of an aligned run of @p n that starts at @p first. */
static uint64_t run_bits(uint32_t first, uint32_t n)
{
    return (n == 64 ? ~UINT64_C(0) : VTDPI_BIT64(n) - 1) << first % 64;
}

/* Takes the lowest_bit run of a leaf that has one. */
static VTDPI_COLD bool leaf_alloc(struct vtdpi_index *x, uint32_t leaf,
                                  unsigned int order, uint32_t *first)
{
    uint64_t old = vtdpi_atomic_load64(&x->leaves[leaf]);

    for (;;) {
        const uint64_t starts = run_starts(old, order);
        uint64_t left;

        if (starts == 0)
            return false;
        left = old & ~run_bits(lowest_bit(starts), 1u << order);
        if (vtdpi_atomic_cas64(&x->leaves[leaf], &old, left)) {
            *first = leaf * 64 + lowest_bit(starts);
            hints_update(x, leaf, old, left);
            return true;
        }
    }
}

/*
 * Follows the hints. Each pass takes a run or clears a hint that was wrong, so
 * this ends unless others free and allocate all the time.
 */
static VTDPI_COLD bool hints_alloc(struct vtdpi_index *x, unsigned int order,
                                   uint32_t *first)
{
    for (;;) {
        const uint64_t top = vtdpi_atomic_load64(&x->top[order]);
        uint32_t group, leaf;
        uint64_t hints;

        if (top == 0)
            return false;
        group = lowest_bit(top);
        hints = vtdpi_atomic_load64(hint_word(x, group * 64, order));
        if (hints == 0) {
            hint_top_clear(x, group, order);
            continue;
        }
        leaf = group * 64 + lowest_bit(hints);
        if (leaf_alloc(x, leaf, order, first))
            return true;
        hint_clear(x, leaf, order);
    }
}

static bool run_ok(uint32_t count)
{
    return count <= VTDPI_INDEX_RUN_MAX && vtdpi_is_power_of_2_(count);
}

static VTDPI_COLD int run_check(const struct vtdpi_index *x, uint32_t first,
                                uint32_t count)
{
    if (x == NULL || !run_ok(count))
        return VTDPI_EINVAL;
    if (first % count != 0)
        return VTDPI_EALIGN;
    if (first >= x->count || count > x->count - first)
        return VTDPI_EINDEX;
    return 0;
}

int vtdpi_index_alloc(struct vtdpi_index *x, uint32_t count, uint32_t *first)
{
    unsigned int order;

    if (x == NULL || first == NULL || !run_ok(count))
        return VTDPI_EINVAL;
    order = lowest_bit(count);
    if (hints_alloc(x, order, first))
        return 0;
    for (uint32_t leaf = 0; leaf < leaf_count(x->count); leaf++) {
        if (leaf_alloc(x, leaf, order, first))
            return 0;
    }
    return VTDPI_ENOSPC;
}

/*
 * Allocates a run that is free, or frees one that is allocated: @p was is what
 * each of its bits has to be, all zeros or all ones. One CAS for the whole run,
 * so that of two callers that want one index one fails. It orders what this CPU
 * wrote before a free before what the next owner of the run does.
 */
static VTDPI_COLD int run_flip(struct vtdpi_index *x, uint32_t first,
                               uint32_t count, uint64_t was, int error)
{
    int rc = run_check(x, first, count);
    uint64_t *leaf;
    uint64_t bits;
    uint64_t old;

    if (rc != 0)
        return rc;
    leaf = &x->leaves[first / 64];
    bits = run_bits(first, count);
    old = vtdpi_atomic_load64(leaf);
    do {
        if (((old ^ was) & bits) != 0)
            return error;
    } while (!vtdpi_atomic_cas64(leaf, &old, old ^ bits));
    hints_update(x, first / 64, old, old ^ bits);
    return 0;
}

int vtdpi_index_reserve(struct vtdpi_index *x, uint32_t first, uint32_t count)
{
    return run_flip(x, first, count, ~UINT64_C(0), VTDPI_EBUSY);
}

int vtdpi_index_free(struct vtdpi_index *x, uint32_t first, uint32_t count)
{
    return run_flip(x, first, count, 0, VTDPI_EFREE);
}

int vtdpi_index_check(const struct vtdpi_index *x, uint32_t first,
                      uint32_t count)
{
    int rc = run_check(x, first, count);

    if (rc == 0 && (vtdpi_atomic_load64(&x->leaves[first / 64]) &
                    run_bits(first, count)) != 0)
        rc = VTDPI_EFREE;
    return rc;
}
