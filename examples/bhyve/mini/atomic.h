/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINI_ATOMIC_H
#define MINI_ATOMIC_H

/*
 * Atomic accesses of the library, its model and the port, as built for the
 * miniature bhyve. Before each of them another thread may run, an interrupt
 * may arrive and the caller may be preempted, if that is allowed where it is.
 * And whoever accounts for interrupts hears of what was OR-ed into a word: only
 * the access itself knows whether a vector was there already.
 */

#include <stdbool.h>
#include <stdint.h>

void shim_point(void);
void mini_saw_or64(const uint64_t *p, uint64_t bits, uint64_t old);
void mini_saw_or32(const uint32_t *p, uint32_t bits, uint32_t old);

#define MINI_FN static inline __attribute__((__unused__))

MINI_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    shim_point();
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

MINI_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    shim_point();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

MINI_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    shim_point();
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

MINI_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    shim_point();
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

MINI_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    shim_point();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

MINI_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    shim_point();
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

MINI_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    uint64_t old;

    shim_point();
    old = __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
    mini_saw_or64(p, bits, old);
    return old;
}

MINI_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    shim_point();
    return __atomic_fetch_and(p, bits, __ATOMIC_SEQ_CST);
}

MINI_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                uint64_t desired)
{
    shim_point();
    return __atomic_compare_exchange_n(p, expected, desired, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

MINI_FN uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    shim_point();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

MINI_FN void vtdpi_atomic_store32_release(uint32_t *p, uint32_t v)
{
    shim_point();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

MINI_FN uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    uint32_t old;

    shim_point();
    old = __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
    mini_saw_or32(p, bits, old);
    return old;
}

MINI_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    shim_point();
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

MINI_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    shim_point();
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

MINI_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    shim_point();
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Watomic-alignment"
#endif
/* In libatomic, which uses the instruction where there is one. */
MINI_FN bool vtdpi_atomic_cas128(uint64_t *p, const uint64_t expected[2],
                                 const uint64_t desired[2])
{
    __extension__ typedef unsigned __int128 u128;
    u128 old = ((u128)expected[1] << 64) | expected[0];
    const u128 val = ((u128)desired[1] << 64) | desired[0];

    shim_point();
    return __atomic_compare_exchange_n((u128 *)(void *)p, &old, val, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

#endif
