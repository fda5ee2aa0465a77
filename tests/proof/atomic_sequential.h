/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROOF_ATOMIC_H
#define TESTS_PROOF_ATOMIC_H

/*
 * The atomics for proofs of sequential code: plain accesses. CBMC does not
 * read the inline assembly and the builtins of atomic.h.
 */

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    return *p;
}

static inline uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    return *p;
}

static inline uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    return *p;
}

static inline void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    *p = v;
}

static inline void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    *p = v;
}

static inline uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    const uint64_t old = *p;

    *p = v;
    return old;
}

static inline uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    const uint64_t old = *p;

    *p = old | bits;
    return old;
}

static inline uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    const uint64_t old = *p;

    *p = old & bits;
    return old;
}

static inline bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                      uint64_t desired)
{
    const uint64_t old = *p;

    if (old != *expected) {
        *expected = old;
        return false;
    }
    *p = desired;
    return true;
}

static inline uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    return *p;
}

static inline void vtdpi_atomic_store32_release(uint32_t *p, uint32_t v)
{
    *p = v;
}

static inline uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    const uint32_t old = *p;

    *p = old | bits;
    return old;
}

static inline void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    return *p;
}

static inline void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    *p = v;
}

static inline void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    void *const old = *p;

    *p = v;
    return old;
}

static inline bool vtdpi_atomic_cas128(uint64_t *p, const uint64_t expected[2],
                                       const uint64_t desired[2])
{
    if (p[0] != expected[0] || p[1] != expected[1])
        return false;
    p[0] = desired[0];
    p[1] = desired[1];
    return true;
}

#endif
