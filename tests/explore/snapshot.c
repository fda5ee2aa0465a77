/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States: a digest of 128 bits, to know one again (a collision would hide
 * states; with 10^8 of them its probability is below 10^-22), and a copy, to
 * go back to.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = EX_STEPS,
    POOL = 64 << 20, /* at first */
    KEYS = 1024,
    SNAPSHOT_MAX =
        EX_WORDS * 8 + EX_FIBERS * (EX_STACK + (int)sizeof(struct ex_fiber)),
};

static unsigned char *pool;
static size_t pool_size;
static size_t begin[DEPTH_MAX + 1]; /* of the copy at each depth */

void ex_mix(uint64_t h[2], uint64_t value)
{
    const uint64_t x = (h[0] ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t y = (h[1] + value) * UINT64_C(0xd6e8feb86659fd93);

    h[0] = (x ^ (x >> 29)) + (y << 17 | y >> 47);
    h[1] = (y ^ (y >> 32)) * UINT64_C(0xff51afd7ed558ccd) ^ x;
}

/*
 * NH, a universal hash: the sum of 128-bit products of pairs of words, each
 * word masked by a key. Products do not wait for one another.
 */
__extension__ typedef unsigned __int128 u128;

static uint64_t key[KEYS];

static void make_keys(void)
{
    uint64_t x = 1;

    for (unsigned int i = 0; i < KEYS; i++) {
        uint64_t z = x += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        key[i] = z ^ (z >> 31);
    }
}

static u128 product(uint64_t x, uint64_t y, size_t i)
{
    return (u128)(x + key[i % KEYS]) * (y + key[(i + 1) % KEYS]);
}

static u128 hash_words(void)
{
    u128 sum = 0;
    size_t n = 0;

    for (unsigned int i = 0; i < ex.ranges; i++) {
        const uint64_t *const p = ex.range[i].addr;
        const size_t words = ex.range[i].size / 8;

        for (size_t w = 0; w + 1 < words; w += 2, n += 2)
            sum += product(p[w], p[w + 1], n);
        if (words % 2 != 0) {
            sum += product(p[words - 1], 0, n);
            n += 2;
        }
    }
    return sum;
}

static u128 hash_fiber(const struct ex_fiber *f, size_t n)
{
    const uint64_t place =
        (uint64_t)f->kind << 32 | (uint64_t)f->paused << 31 | f->stored;
    u128 sum = product(place, f->history[0], n);

    sum += product(f->history[1], 0, n + 2);
    for (uint32_t i = 0; i < f->stored; i++)
        sum += product((uintptr_t)f->buffer[i].addr, f->buffer[i].value,
                       n + 4 + 2 * i);
    for (uint32_t i = 0; i < f->stored; i++) {
        if (~f->buffer[i].mask != 0)
            sum += product(f->buffer[i].mask, 1, n + 18 + 2 * i);
    }
    return sum;
}

static struct ex_digest finish(u128 sum, uint64_t extra)
{
    uint64_t h[2] = {extra, ~extra};

    ex_mix(h, (uint64_t)sum);
    ex_mix(h, (uint64_t)(sum >> 64));
    return (struct ex_digest){h[0], h[1]};
}

struct ex_digest ex_digest_state(uint64_t extra)
{
    u128 sum = hash_words();

    for (unsigned int i = 0; i < ex.fibers; i++)
        sum += hash_fiber(&ex.fiber[i], KEYS / 2 + 32 * i);
    return finish(sum, extra);
}

struct ex_digest ex_digest_words(void)
{
    return finish(hash_words(), 1);
}

static void grow_pool(size_t size)
{
    unsigned char *const larger = realloc(pool, size);

    if (larger == NULL) {
        (void)fputs("out of memory\n", stderr);
        exit(2);
    }
    pool = larger;
    pool_size = size;
}

void ex_snapshot_reset(void)
{
    if (pool == NULL) {
        grow_pool(POOL);
        make_keys();
    }
    begin[0] = 0;
}

/* Each part of a state: the ranges, the fibers, their stacks in use. */
void ex_snapshot_save(unsigned int depth)
{
    unsigned char *p;

    if (depth >= DEPTH_MAX)
        abort();
    if (begin[depth] + SNAPSHOT_MAX > pool_size)
        grow_pool(pool_size * 2);
    p = pool + begin[depth];
    memcpy(p, ex.fiber, sizeof ex.fiber[0] * ex.fibers);
    p += sizeof ex.fiber[0] * ex.fibers;
    for (unsigned int i = 0; i < ex.ranges; i++) {
        memcpy(p, ex.range[i].addr, ex.range[i].size);
        p += ex.range[i].size;
    }
    for (unsigned int i = 0; i < ex.fibers; i++) {
        const size_t used = ex_fiber_used(i);

        memcpy(p, ex.fiber[i].sp, used);
        p += used;
    }
    begin[depth + 1] = (size_t)(p - pool);
}

void ex_snapshot_restore(unsigned int depth)
{
    const unsigned char *p = pool + begin[depth];

    memcpy(ex.fiber, p, sizeof ex.fiber[0] * ex.fibers);
    p += sizeof ex.fiber[0] * ex.fibers;
    for (unsigned int i = 0; i < ex.ranges; i++) {
        memcpy(ex.range[i].addr, p, ex.range[i].size);
        p += ex.range[i].size;
    }
    for (unsigned int i = 0; i < ex.fibers; i++) {
        const size_t used = ex_fiber_used(i);

        memcpy(ex.fiber[i].sp, p, used);
        p += used;
    }
}
