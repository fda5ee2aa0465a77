/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUICKSTART_ATOMIC_H
#define QUICKSTART_ATOMIC_H

/*
 * The atomic operations that libvtdpi is built with here, in place of its own
 * (VTDPI_ATOMIC_HEADER). The demo has one thread, so plain accesses are atomic;
 * and before each of them the rest of the world may move: a device posts, a
 * vCPU elsewhere halts, a wakeup arrives. This is how events come between the
 * steps of vtdpi_vcpu_block() and all the others. A host needs none of this.
 */

#include "vtdpi/compiler.h"

/* world.c: perhaps lets something happen elsewhere. */
void world_step(void);

#define WORLD_FN static inline __attribute__((__unused__))

WORLD_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    world_step();
    return *p;
}

WORLD_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    world_step();
    return *p;
}

WORLD_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    world_step();
    return *p;
}

WORLD_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    world_step();
    *p = v;
}

WORLD_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    world_step();
    *p = v;
}

WORLD_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    uint64_t old;

    world_step();
    old = *p;
    *p = v;
    return old;
}

WORLD_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    uint64_t old;

    world_step();
    old = *p;
    *p = old | bits;
    return old;
}

WORLD_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    uint64_t old;

    world_step();
    old = *p;
    *p = old & bits;
    return old;
}

WORLD_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                 uint64_t desired)
{
    world_step();
    if (*p != *expected) {
        *expected = *p;
        return false;
    }
    *p = desired;
    return true;
}

WORLD_FN uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    world_step();
    return *p;
}

WORLD_FN uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    uint32_t old;

    world_step();
    old = *p;
    *p = old | bits;
    return old;
}

WORLD_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    world_step();
    return *p;
}

WORLD_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    world_step();
    *p = v;
}

WORLD_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    void *old;

    world_step();
    old = *p;
    *p = v;
    return old;
}

WORLD_FN bool vtdpi_atomic_cas128(uint64_t *p, const uint64_t expected[2],
                                  const uint64_t desired[2])
{
    world_step();
    if (p[0] != expected[0] || p[1] != expected[1])
        return false;
    p[0] = desired[0];
    p[1] = desired[1];
    return true;
}

#endif
