/* SPDX-License-Identifier: BSD-2-Clause */
#include "index.h"
#include "vtdpi/atomic.h"
#include "vtdpi/regs.h"
#include "vtdpi/status.h"

static uint32_t leaves_of(uint32_t count)
{
    return (count + 63) / 64;
}

static uint32_t groups_of(uint32_t count)
{
    return (leaves_of(count) + 63) / 64;
}

static uint32_t lowest(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

/*
 * From the starts of the free aligned runs of 2^order in a leaf to those of
 * the runs twice as long: where two of them follow each other, the first at a
 * multiple of the new length. Order 0 is the leaf itself.
 */
static uint64_t pairs(uint64_t starts, unsigned int order)
{
    static const uint64_t run_starts[VTDPI_INDEX_ORDERS_ - 1] = {
        UINT64_C(0x5555555555555555), UINT64_C(0x1111111111111111),
        UINT64_C(0x0101010101010101), UINT64_C(0x0001000100010001),
        UINT64_C(0x0000000100000001), UINT64_C(0x0000000000000001),
    };

    return starts & starts >> (1u << order) & run_starts[order];
}

/* Starts of the free aligned runs of 2^order in a leaf. */
static VTDPI_COLD uint64_t runs(uint64_t leaf, unsigned int order)
{
    for (unsigned int k = 0; k < order; k++)
        leaf = pairs(leaf, k);
    return leaf;
}

/* How many orders a leaf has a run of; those below come with each. */
static VTDPI_COLD unsigned int orders(uint64_t leaf)
{
    unsigned int n = 0;

    while (leaf != 0) {
        n++;
        leaf = n < VTDPI_INDEX_ORDERS_ ? pairs(leaf, n - 1) : 0;
    }
    return n;
}

static uint64_t *hint_word(const struct vtdpi_index *x, uint32_t leaf,
                           unsigned int order)
{
    return &x->hints[leaf / 64 * VTDPI_INDEX_GROUP_ + order];
}

static bool leaf_has(const struct vtdpi_index *x, uint32_t leaf,
                     unsigned int order)
{
    return runs(vtdpi_atomic_load64(&x->leaves[leaf]), order) != 0;
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
 * Clears a bit of the top word, then looks again at the word below: whoever
 * set a hint there in between has seen the top bit set and left it. One of the
 * two sees the other's write, since all accesses are sequentially consistent.
 */
static VTDPI_COLD void top_clear(const struct vtdpi_index *x, uint32_t group,
                                 unsigned int order)
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
        top_clear(x, leaf / 64, order);
    if (leaf_has(x, leaf, order))
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
    const unsigned int had = orders(before);
    const unsigned int has = orders(after);

    for (unsigned int k = has; k < had; k++)
        hint_clear(x, leaf, k);
    for (unsigned int k = had; k < has; k++)
        hint_set(x, leaf, k);
}

size_t vtdpi_index_words_(uint32_t count)
{
    return (size_t)leaves_of(count) +
           ((size_t)groups_of(count) + 1) * VTDPI_INDEX_GROUP_;
}

void vtdpi_index_init_(struct vtdpi_index *x, uint64_t *words, uint32_t count)
{
    const uint64_t free_leaf =
        count < 64 ? VTDPI_BIT64(count) - 1 : ~UINT64_C(0);

    x->count = count;
    x->top = words;
    x->hints = words + VTDPI_INDEX_GROUP_;
    x->leaves = x->hints + groups_of(count) * VTDPI_INDEX_GROUP_;
    for (size_t i = 0; i < vtdpi_index_words_(count); i++)
        vtdpi_atomic_store64_relaxed(&words[i], 0);
    for (uint32_t leaf = 0; leaf < leaves_of(count); leaf++) {
        vtdpi_atomic_store64_relaxed(&x->leaves[leaf], free_leaf);
        hints_update(x, leaf, 0, free_leaf);
    }
}

/* The bits of an aligned run of @p n that starts at @p first. */
static uint64_t run_bits(uint32_t first, uint32_t n)
{
    return (n == 64 ? ~UINT64_C(0) : VTDPI_BIT64(n) - 1) << first % 64;
}

/* Takes the lowest run of a leaf that has one. */
static VTDPI_COLD bool take_any(struct vtdpi_index *x, uint32_t leaf,
                                unsigned int order, uint32_t *first)
{
    uint64_t old = vtdpi_atomic_load64(&x->leaves[leaf]);

    for (;;) {
        const uint64_t starts = runs(old, order);
        uint64_t left;

        if (starts == 0)
            return false;
        left = old & ~run_bits(lowest(starts), 1u << order);
        if (vtdpi_atomic_cas64(&x->leaves[leaf], &old, left)) {
            *first = leaf * 64 + lowest(starts);
            hints_update(x, leaf, old, left);
            return true;
        }
    }
}

/*
 * Follows the hints. Each pass takes a run or clears a hint that was wrong, so
 * this ends unless others free and allocate all the time.
 */
static VTDPI_COLD bool alloc_by_hints(struct vtdpi_index *x, unsigned int order,
                                      uint32_t *first)
{
    for (;;) {
        const uint64_t top = vtdpi_atomic_load64(&x->top[order]);
        uint32_t group, leaf;
        uint64_t hints;

        if (top == 0)
            return false;
        group = lowest(top);
        hints = vtdpi_atomic_load64(hint_word(x, group * 64, order));
        if (hints == 0) {
            top_clear(x, group, order);
            continue;
        }
        leaf = group * 64 + lowest(hints);
        if (take_any(x, leaf, order, first))
            return true;
        hint_clear(x, leaf, order);
    }
}

int vtdpi_index_alloc_(struct vtdpi_index *x, uint32_t n, uint32_t *first)
{
    const unsigned int order = lowest(n);

    if (alloc_by_hints(x, order, first))
        return 0;
    for (uint32_t leaf = 0; leaf < leaves_of(x->count); leaf++) {
        if (take_any(x, leaf, order, first))
            return 0;
    }
    return VTDPI_ENOSPC;
}

int vtdpi_index_take_(struct vtdpi_index *x, uint32_t first, uint32_t n)
{
    uint64_t *leaf = &x->leaves[first / 64];
    const uint64_t bits = run_bits(first, n);
    uint64_t old = vtdpi_atomic_load64(leaf);

    do {
        if ((old & bits) != bits)
            return VTDPI_EBUSY;
    } while (!vtdpi_atomic_cas64(leaf, &old, old & ~bits));
    hints_update(x, first / 64, old, old & ~bits);
    return 0;
}

int vtdpi_index_free_(struct vtdpi_index *x, uint32_t first, uint32_t n)
{
    uint64_t *leaf = &x->leaves[first / 64];
    const uint64_t bits = run_bits(first, n);
    uint64_t old = vtdpi_atomic_load64(leaf);

    do {
        if ((old & bits) != 0)
            return VTDPI_EFREE;
    } while (!vtdpi_atomic_cas64(leaf, &old, old | bits));
    hints_update(x, first / 64, old, old | bits);
    return 0;
}

bool vtdpi_index_allocated_(const struct vtdpi_index *x, uint32_t first,
                            uint32_t n)
{
    return (vtdpi_atomic_load64(&x->leaves[first / 64]) & run_bits(first, n)) ==
           0;
}
