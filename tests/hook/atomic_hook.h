/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_ATOMIC_HOOK_H
#define VTDPI_TEST_ATOMIC_HOOK_H

/*
 * The atomics header of the test build: counts accesses, and calls a hook
 * before each of them, so that a test can act between any two steps of the
 * library. Single-threaded tests only.
 */

#include <stdbool.h>
#include <stdint.h>

enum hook_kind {
    HOOK_LOAD,
    HOOK_STORE,
    HOOK_LOCKED, /* read-modify-write: a locked instruction on x86 */
};

struct hook {
    /* Called before each access, unless one is being hooked already. */
    void (*before)(void *ctx, enum hook_kind kind, const void *addr);
    void *ctx;
    bool inside;
    unsigned int loads;
    unsigned int stores;
    unsigned int locked;
};

extern struct hook hook;

void hook_access(enum hook_kind kind, const void *addr);
void hook_reset(void);

#define HOOK_FN static inline __attribute__((__unused__))

HOOK_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    hook_access(HOOK_LOAD, p);
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

HOOK_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    hook_access(HOOK_LOAD, p);
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

HOOK_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    hook_access(HOOK_LOAD, p);
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

HOOK_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    hook_access(HOOK_STORE, p);
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

HOOK_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    hook_access(HOOK_STORE, p);
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

HOOK_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    hook_access(HOOK_LOCKED, p);
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

HOOK_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    hook_access(HOOK_LOCKED, p);
    return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

HOOK_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    hook_access(HOOK_LOCKED, p);
    return __atomic_fetch_and(p, bits, __ATOMIC_SEQ_CST);
}

HOOK_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                uint64_t desired)
{
    hook_access(HOOK_LOCKED, p);
    return __atomic_compare_exchange_n(p, expected, desired, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

HOOK_FN uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    hook_access(HOOK_LOAD, p);
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

HOOK_FN void vtdpi_atomic_store32_release(uint32_t *p, uint32_t v)
{
    hook_access(HOOK_STORE, p);
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

HOOK_FN uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    hook_access(HOOK_LOCKED, p);
    return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

HOOK_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    hook_access(HOOK_LOAD, p);
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

HOOK_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    hook_access(HOOK_STORE, p);
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

HOOK_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    hook_access(HOOK_LOCKED, p);
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

/* Not atomic for real: the tests that use this header have one thread. */
HOOK_FN bool vtdpi_atomic_cas128(uint64_t *p, const uint64_t expected[2],
                                 const uint64_t desired[2])
{
    hook_access(HOOK_LOCKED, p);
    if (p[0] != expected[0] || p[1] != expected[1])
        return false;
    p[0] = desired[0];
    p[1] = desired[1];
    return true;
}

#endif
