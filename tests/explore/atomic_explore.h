/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_ATOMIC_H
#define VTDPI_EXPLORE_ATOMIC_H

/*
 * The config header of the explored build: each atomic access is a scheduling
 * point of the explorer. Release and relaxed stores are plain stores on x86,
 * and the store buffer keeps their order; loads are in order. The order names
 * differ in nothing else here.
 */

#include "engine.h"

/*
 * The 16-byte operation is of interrupt entries, and no store of 32 bits is
 * explored: declared and not defined, so that a use does not link.
 */
void ex_store_32(uint32_t *p, uint32_t value);
bool ex_cas128(uint64_t *p, const uint64_t expected[2],
               const uint64_t desired[2]);

/* Of vtdpi_pid_merge(): words of a virtual-APIC page, each of which has an
 * explored word to itself. */
static inline uint32_t ex_load_32(const uint32_t *p)
{
    return (uint32_t)ex_load((const uint64_t *)(const void *)p);
}

static inline uint32_t ex_or_32(uint32_t *p, uint32_t bits)
{
    return (uint32_t)ex_or((uint64_t *)(void *)p, bits);
}

static inline void *ex_load_ptr(void *const *p)
{
    return (void *)(uintptr_t)ex_load((const uint64_t *)(const void *)p);
}

static inline void ex_store_ptr(void **p, void *value)
{
    ex_store((uint64_t *)(void *)p, (uintptr_t)value);
}

static inline void *ex_exchange_ptr(void **p, void *value)
{
    return (void *)(uintptr_t)ex_exchange((uint64_t *)(void *)p,
                                          (uintptr_t)value);
}

#define EX_exchange_n ex_exchange
#define EX_fetch_or   ex_or
#define EX_fetch_and  ex_and

/* The function for the type of the word at @p. */
/* clang-format off */
#define EX_FOR(p, word, pointer, half) \
    _Generic((p),                      \
        uint64_t *: word,              \
        const uint64_t *: word,        \
        void **: pointer,              \
        void *const *: pointer,        \
        uint32_t *: half,              \
        const uint32_t *: half)
/* clang-format on */

#define VTDPI_ATOMIC_LOAD(p, order) \
    EX_FOR(p, ex_load, ex_load_ptr, ex_load_32)(p)
#define VTDPI_ATOMIC_STORE(p, v, order) \
    EX_FOR(p, ex_store, ex_store_ptr, ex_store_32)(p, v)
#define VTDPI_ATOMIC_RMW(op, p, v) \
    EX_FOR(p, EX_##op, ex_exchange_ptr, ex_or_32)(p, v)
#define VTDPI_ATOMIC_CAS(p, expected, desired) ex_cas(p, expected, desired)
#define VTDPI_ATOMIC_CAS128(p, expected, desired) \
    ex_cas128(p, expected, desired)

#endif
