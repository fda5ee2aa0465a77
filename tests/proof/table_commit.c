/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about table_commit.c: the blocks that a flush is cut into. */
#include "src/table_commit.c"

#include "proof.h"

/* First index and size of what a descriptor covers, read off its bits. */
static uint32_t block_first(const struct vtdpi_qi_desc *d)
{
    return (uint32_t)bits(d->qw[0], 47, 32);
}

static uint32_t block_size(const struct vtdpi_qi_desc *d)
{
    return UINT32_C(1) << bits(d->qw[0], 31, 27);
}

/* A range of a table of @p limit entries. */
static struct vtdpi_flush_range any_range(uint32_t limit)
{
    struct vtdpi_flush_range r;

    r.first = nondet_u16();
    r.count = nondet_u16() + UINT32_C(1);
    ASSUME(r.first < limit && r.count <= limit - r.first);
    return r;
}

/*
 * The blocks d[from] to d[to - 1] cover every index of @p r: they are aligned,
 * follow each other without a gap, begin at or before its first index and end
 * at or behind its last. None is larger than the unit takes, or not needed.
 */
static void claim_cover(const struct vtdpi_flush_range *r,
                        const struct vtdpi_qi_desc *d, uint32_t from,
                        uint32_t to, unsigned int order_max)
{
    const uint32_t end = r->first + r->count;
    uint32_t at = 0;

    for (uint32_t i = 0; i < COMMIT_DESCS_MAX; i++) {
        if (i < from || i >= to)
            continue;
        CLAIM((d[i].qw[0] & UINT64_C(0xffff000007ffffff)) == 0x14);
        CLAIM(bits(d[i].qw[0], 31, 27) <= order_max);
        CLAIM((block_first(&d[i]) & (block_size(&d[i]) - 1)) == 0);
        if (i == from)
            CLAIM(block_first(&d[i]) <= r->first &&
                  r->first < block_first(&d[i]) + block_size(&d[i]));
        else
            CLAIM(block_first(&d[i]) == at && at < end);
        at = block_first(&d[i]) + block_size(&d[i]);
    }
    CLAIM(at >= end);
}

/* Every range, for every unit: covered by two blocks, or by blocks of the
 * largest size that the unit takes if two of those do not suffice. 12 of the 16
 * descriptors are taken already, so more than 4 blocks are given up. */
void proof_commit_range(void) /* unwind 18 */
{
    const struct vtdpi_flush_range r = any_range(0x10000);
    const unsigned int order_max = nondet_u8() & 15;
    struct vtdpi_qi_desc d[COMMIT_DESCS_MAX] = {0};
    const uint32_t n = commit_encode_range(&r, order_max, d, 12);

    CLAIM(n > 12 && n <= COMMIT_DESCS_MAX + 1);
    CLAIM(n <= 14 || (UINT32_C(1) << order_max) < r.count);
    for (uint32_t i = 0; i < 12; i++)
        CLAIM(d[i].qw[0] == 0);
    REACH(n > COMMIT_DESCS_MAX);
    if (n > COMMIT_DESCS_MAX)
        return;
    claim_cover(&r, d, 12, n, order_max);
    REACH(n == 16);
    REACH(n == 14 && block_size(&d[12]) == 0x8000);
}

/* The same with all 16 descriptors, for the ranges within 32 indexes. */
void proof_commit_blocks(void) /* unwind 18 */
{
    const struct vtdpi_flush_range r = any_range(32);
    const unsigned int order_max = nondet_u8() & 15;
    struct vtdpi_qi_desc d[COMMIT_DESCS_MAX] = {0};
    const uint32_t n = commit_encode_range(&r, order_max, d, 0);

    CLAIM(n > 0 && n <= COMMIT_DESCS_MAX + 1);
    if (n > COMMIT_DESCS_MAX) {
        CLAIM(r.count > UINT32_C(15) << order_max);
        return;
    }
    claim_cover(&r, d, 0, n, order_max);
    REACH(n == 16);
}
