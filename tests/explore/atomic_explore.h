/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_ATOMIC_H
#define VTDPI_EXPLORE_ATOMIC_H

/*
 * The atomics header of the explored build: each access is a scheduling point
 * of the explorer. Release and relaxed stores are plain stores on x86, and the
 * store buffer keeps their order; loads are in order. The order names differ
 * in nothing else here.
 */

#include "engine.h"

#define EX_FN static inline __attribute__((__unused__))

EX_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    return ex_load(p);
}

EX_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    return ex_load(p);
}

EX_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    return ex_load(p);
}

EX_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    ex_store(p, v);
}

EX_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    ex_store(p, v);
}

EX_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    return ex_exchange(p, v);
}

EX_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    return ex_or(p, bits);
}

EX_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    return ex_and(p, bits);
}

EX_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected, uint64_t desired)
{
    return ex_cas(p, expected, desired);
}

EX_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    return (void *)(uintptr_t)ex_load((const uint64_t *)(const void *)p);
}

EX_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    ex_store((uint64_t *)(void *)p, (uintptr_t)v);
}

EX_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    return (void *)(uintptr_t)ex_exchange((uint64_t *)(void *)p, (uintptr_t)v);
}

/*
 * The 32-bit and 16-byte operations are of vtdpi_pid_merge() and of interrupt
 * entries, which are not explored: declared and not defined, so that a use
 * does not link.
 */
uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p);
uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits);
bool vtdpi_atomic_cas128(uint64_t *p, const uint64_t expected[2],
                         const uint64_t desired[2]);

#endif
