/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_PERTURB_H
#define VTDPI_RACE_PERTURB_H

/*
 * An atomics header that now and then lets another thread run before an
 * access. Two processors do not interleave the steps of a protocol in many
 * ways by themselves: a window of two instructions is hit once in millions of
 * attempts. With this it is hit once in some hundred.
 *
 * Apart from that each function is that of vtdpi/atomic.h.
 */

#include <stdbool.h>
#include <stdint.h>

/* perturb.c */
void perturb(void);

#define PERTURB_FN static inline __attribute__((__unused__))

PERTURB_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    perturb();
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

PERTURB_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    perturb();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

PERTURB_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    perturb();
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

PERTURB_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    perturb();
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

PERTURB_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    perturb();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

PERTURB_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    perturb();
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

PERTURB_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    perturb();
    return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

PERTURB_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    perturb();
    return __atomic_fetch_and(p, bits, __ATOMIC_SEQ_CST);
}

PERTURB_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                   uint64_t desired)
{
    perturb();
    return __atomic_compare_exchange_n(p, expected, desired, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

PERTURB_FN uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    perturb();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

PERTURB_FN void vtdpi_atomic_store32_release(uint32_t *p, uint32_t v)
{
    perturb();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

PERTURB_FN uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    perturb();
    return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

PERTURB_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    perturb();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

PERTURB_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    perturb();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

PERTURB_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    perturb();
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Watomic-alignment"
#endif
/* In libatomic, which uses the instruction where there is one. */
PERTURB_FN bool vtdpi_atomic_cas128(uint64_t *p, const uint64_t expected[2],
                                    const uint64_t desired[2])
{
    __extension__ typedef unsigned __int128 u128;
    u128 old = ((u128)expected[1] << 64) | expected[0];
    const u128 val = ((u128)desired[1] << 64) | desired[0];

    perturb();
    return __atomic_compare_exchange_n((u128 *)(void *)p, &old, val, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

#endif
