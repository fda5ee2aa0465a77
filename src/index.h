/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_INDEX_H
#define VTDPI_INDEX_H

/*
 * The index allocator of a table: which of up to 65536 indexes are free.
 *
 * A leaf word holds 64 indexes, bit set = free. For each order k, 0 to 6, there
 * is a hint bit per leaf that says "this leaf may hold a free aligned run of
 * 2^k", and above it one bit per word of hints. So an allocation of any order
 * looks at three words, whatever the table holds, and a run, which never
 * leaves its leaf, is taken and given back with one compare-and-swap.
 *
 * No lock. Leaves are the truth; hints are hints:
 *  - a hint may be set over a leaf that has no such run: whoever meets that
 *    clears it;
 *  - it is clear over one that has only for the moment between an
 *    allocator's clearing it and its second look at the leaf. When the hints
 *    say that nothing is left, the leaves are asked before VTDPI_ENOSPC is
 *    returned, so that moment cannot be seen.
 *
 * All orders of one leaf's hints share a cache line.
 */

#include "vtdpi/table.h"

#define VTDPI_INDEX_ORDERS_  7
#define VTDPI_INDEX_RUN_MAX_ 64

/* Words of a group of hints: one for each order, padded to 64 bytes. */
#define VTDPI_INDEX_GROUP_   8

/*
 * struct vtdpi_index (table.h embeds it):
 *   top     VTDPI_INDEX_GROUP_ words; bit g of word k: group g may have a run
 *   hints   as many words per group of 64 leaves
 *   leaves  a word per 64 indexes
 *   count   indexes, a power of two, 2 to 65536
 */

/* All of it comes with the set-up of a device, so it is compiled for size. */

/* Words of storage for @p count indexes. */
VTDPI_COLD size_t vtdpi_index_words_(uint32_t count);

/* All free. @p words has vtdpi_index_words_(count) words. */
VTDPI_COLD void vtdpi_index_init_(struct vtdpi_index *x, uint64_t *words,
                                  uint32_t count);

/* Takes an aligned run of @p n, a power of two, 1 to 64. 0, VTDPI_ENOSPC. */
VTDPI_COLD int vtdpi_index_alloc_(struct vtdpi_index *x, uint32_t n,
                                  uint32_t *first);

/* Takes [first, first + n), which is an aligned run. 0, VTDPI_EBUSY. */
VTDPI_COLD int vtdpi_index_take_(struct vtdpi_index *x, uint32_t first,
                                 uint32_t n);

/* Gives it back; 0, or VTDPI_EFREE and unchanged if some of it is free. */
VTDPI_COLD int vtdpi_index_free_(struct vtdpi_index *x, uint32_t first,
                                 uint32_t n);

/* Whether all of [first, first + n), an aligned run, is allocated. */
bool vtdpi_index_allocated_(const struct vtdpi_index *x, uint32_t first,
                            uint32_t n);

#endif
