/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_ATOMIC_H
#define VTDPI_ATOMIC_H

/**
 * @file
 * @brief The atomic operations of the library, and nothing else.
 *
 * The only file that names a compiler atomic. Every word that hardware,
 * another CPU or an interrupt handler can touch is read and written through
 * it and in no other way.
 *
 * The order is in the name. Read-modify-writes and loads and stores without a
 * suffix are sequentially consistent (SC); on x86 a read-modify-write is a
 * locked instruction, so it is a full barrier for the device as well as for
 * other CPUs. There is no fence function: where a full barrier is needed the
 * library uses a read-modify-write that it needs anyway (ThreadSanitizer does
 * not model fences).
 *
 * Why not stdatomic.h: `_Atomic` objects do not compile as C++, and layouts
 * shared with hardware must be plain words.
 *
 * Replaceable: define VTDPI_ATOMIC_HEADER to the name of a header (with its
 * quotes) that declares the functions below with the same meaning, as
 * `static inline`. The library's own tests do so to count accesses and to act
 * between any two of them.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/config.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VTDPI_TSAN_ 1
#endif
#endif

#ifdef VTDPI_ATOMIC_HEADER
#include VTDPI_ATOMIC_HEADER
#else

/** Linkage of the functions below: never a symbol, not even at -O0. */
#define VTDPI_ATOMIC_FN \
    static inline __attribute__((__unused__, __always_inline__))

/** Load without ordering: a snapshot that a compare-and-swap will check, or a
 *  word that only the caller writes. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/** Load; later accesses of this CPU stay behind it. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/** Load, in the one total order of all SC operations. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

/** Store without ordering: for memory that is published later. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/** Store; earlier accesses of this CPU stay before it. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/** Exchange, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

/** OR, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

/** AND, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    return __atomic_fetch_and(p, bits, __ATOMIC_SEQ_CST);
}

/**
 * Compare-and-swap, SC whether it succeeds or not: notify decides on the value
 * that a failed attempt found. On failure @p expected receives that value,
 * which is the snapshot for the next attempt. Never fails spuriously.
 */
VTDPI_ATOMIC_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                        uint64_t desired)
{
    return __atomic_compare_exchange_n(p, expected, desired, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/** Load of a 32-bit word, acquire. */
VTDPI_ATOMIC_FN uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/** Store of a 32-bit word; earlier accesses of this CPU stay before it. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store32_release(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/** OR into a 32-bit word, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

/** Load of a pointer; what it points to is read after it. */
VTDPI_ATOMIC_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/** Store of a pointer; what it points to was written before it. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/** Exchange of a pointer, SC. Returns the old value. */
VTDPI_ATOMIC_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

/**
 * 16-byte compare-and-swap, SC. @p p is 16-byte aligned. Returns whether the
 * two words at @p p were @p expected and are @p desired now; the words found
 * are not reported.
 */
VTDPI_ATOMIC_FN bool vtdpi_atomic_cas128(uint64_t *p,
                                         const uint64_t expected[2],
                                         const uint64_t desired[2])
{
#if !VTDPI_HAVE_CX16
    (void)p;
    (void)expected;
    (void)desired;
    return false;
#elif defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
    !defined(VTDPI_TSAN_)
    /*
     * Inline, since both compilers turn the 16-byte builtin into a call into
     * libatomic, which a kernel does not have.
     */
    uint64_t lo = expected[0];
    uint64_t hi = expected[1];
    bool swapped;

    __asm__ volatile("lock cmpxchg16b %[mem]"
                     : "=@ccz"(swapped), [mem] "+m"(p[0]), "+m"(p[1]), "+a"(lo),
                       "+d"(hi)
                     : "b"(desired[0]), "c"(desired[1])
                     : "memory");
    return swapped;
#else
    /* ThreadSanitizer does not see through the assembly. */
    __extension__ typedef unsigned __int128 vtdpi_u128;
    vtdpi_u128 old = VTDPI_CAST_(vtdpi_u128, expected[1]) << 64 | expected[0];
    vtdpi_u128 val = VTDPI_CAST_(vtdpi_u128, desired[1]) << 64 | desired[0];

    return __atomic_compare_exchange_n(
        VTDPI_CAST_(vtdpi_u128 *, VTDPI_CAST_(void *, p)), &old, val, false,
        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
#endif
}

#endif /* VTDPI_ATOMIC_HEADER */

#endif
