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
 * Every function below consists of two macros: VTDPI_ATOMIC_POINT(), then one
 * of VTDPI_ATOMIC_LOAD(), VTDPI_ATOMIC_STORE(), VTDPI_ATOMIC_RMW(),
 * VTDPI_ATOMIC_CAS() and VTDPI_ATOMIC_CAS128(). A header named by
 * VTDPI_CONFIG_HEADER may define any of the six; a macro that is not defined
 * there gets its default here. A host needs none of them. They are for tests:
 * to count accesses, to act between any two of them, to run them on a
 * simulated memory.
 *
 * The macros are used for three types of words: uint64_t, uint32_t and
 * `void *`. Each macro evaluates every argument once, except that a macro need
 * not evaluate an argument it has no use for; the arguments are parameters of
 * the functions below and have no side effects.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/config.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VTDPI_TSAN_ 1
#endif
#endif

VTDPI_BEGIN_DECLS

/** Linkage of the functions below: never a symbol, not even at -O0. */
#define VTDPI_ATOMIC_FN \
    static inline __attribute__((__unused__, __always_inline__))

/**
 * What happens directly before each access; an expression. @p kind is the bare
 * word LOAD, STORE or RMW, to be pasted into a name of your own; a
 * compare-and-swap is an RMW, also when it fails. @p p is the address of the
 * word. Default: nothing.
 */
#ifndef VTDPI_ATOMIC_POINT
#define VTDPI_ATOMIC_POINT(kind, p) ((void)0)
#endif

/**
 * Reads the word at @p p; an expression of the type of the word. @p order is
 * __ATOMIC_RELAXED, __ATOMIC_ACQUIRE or __ATOMIC_SEQ_CST. Must not tear, and
 * must give the order that @p order names.
 */
#ifndef VTDPI_ATOMIC_LOAD
#define VTDPI_ATOMIC_LOAD(p, order) __atomic_load_n(p, order)
#endif

/**
 * Writes @p v to the word at @p p; an expression, whose value is not used.
 * @p order is __ATOMIC_RELAXED or __ATOMIC_RELEASE. Must not tear, and must
 * give the order that @p order names.
 */
#ifndef VTDPI_ATOMIC_STORE
#define VTDPI_ATOMIC_STORE(p, v, order) __atomic_store_n(p, v, order)
#endif

/**
 * Changes the word at @p p in one step; an expression, whose value is the word
 * before. @p op is the bare word exchange_n, fetch_or or fetch_and, as in the
 * compiler's __atomic_ functions. It is always SC and a full barrier.
 */
#ifndef VTDPI_ATOMIC_RMW
#define VTDPI_ATOMIC_RMW(op, p, v) __atomic_##op(p, v, __ATOMIC_SEQ_CST)
#endif

/**
 * If the 64-bit word at @p p is @p *expected, writes @p desired there. If it
 * is not, writes the word found to @p *expected. An expression: whether the
 * word was swapped. It is SC and a full barrier also when it fails, and it
 * never fails spuriously.
 */
#ifndef VTDPI_ATOMIC_CAS
#define VTDPI_ATOMIC_CAS(p, expected, desired)                             \
    __atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_SEQ_CST, \
                                __ATOMIC_SEQ_CST)
#endif

/**
 * If the two 64-bit words at @p p, which is 16-byte aligned, are those of
 * @p expected, replaces both by those of @p desired in one step. An
 * expression: whether the words were replaced. @p expected does not change. It
 * is SC and a full barrier also when it fails. Not used with
 * VTDPI_HAVE_CX16 = 0.
 */
#ifndef VTDPI_ATOMIC_CAS128
#define VTDPI_ATOMIC_CAS128(p, expected, desired) \
    vtdpi_atomic_cx16_(p, expected, desired)

#if VTDPI_HAVE_CX16
VTDPI_ATOMIC_FN bool vtdpi_atomic_cx16_(uint64_t *p, const uint64_t expected[2],
                                        const uint64_t desired[2])
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
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
#endif /* VTDPI_HAVE_CX16 */
#endif /* VTDPI_ATOMIC_CAS128 */

/** Load without ordering: a snapshot that a compare-and-swap will check, or a
 *  word that only the caller writes. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_load64_relaxed(const uint64_t *p)
{
    VTDPI_ATOMIC_POINT(LOAD, p);
    return VTDPI_ATOMIC_LOAD(p, __ATOMIC_RELAXED);
}

/** Load; later accesses of this CPU stay behind it. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_load64_acquire(const uint64_t *p)
{
    VTDPI_ATOMIC_POINT(LOAD, p);
    return VTDPI_ATOMIC_LOAD(p, __ATOMIC_ACQUIRE);
}

/** Load, in the one total order of all SC operations. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_load64(const uint64_t *p)
{
    VTDPI_ATOMIC_POINT(LOAD, p);
    return VTDPI_ATOMIC_LOAD(p, __ATOMIC_SEQ_CST);
}

/** Store without ordering: for memory that is published later. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store64_relaxed(uint64_t *p, uint64_t v)
{
    VTDPI_ATOMIC_POINT(STORE, p);
    VTDPI_ATOMIC_STORE(p, v, __ATOMIC_RELAXED);
}

/** Store; earlier accesses of this CPU stay before it. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store64_release(uint64_t *p, uint64_t v)
{
    VTDPI_ATOMIC_POINT(STORE, p);
    VTDPI_ATOMIC_STORE(p, v, __ATOMIC_RELEASE);
}

/** Exchange, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_xchg64(uint64_t *p, uint64_t v)
{
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_RMW(exchange_n, p, v);
}

/** OR, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_or64(uint64_t *p, uint64_t bits)
{
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_RMW(fetch_or, p, bits);
}

/** AND, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint64_t vtdpi_atomic_and64(uint64_t *p, uint64_t bits)
{
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_RMW(fetch_and, p, bits);
}

/**
 * Compare-and-swap, SC whether it succeeds or not: notify decides on the value
 * that a failed attempt found. On failure @p expected receives that value,
 * which is the snapshot for the next attempt. Never fails spuriously.
 */
VTDPI_ATOMIC_FN bool vtdpi_atomic_cas64(uint64_t *p, uint64_t *expected,
                                        uint64_t desired)
{
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_CAS(p, expected, desired);
}

/** Load of a 32-bit word, acquire. */
VTDPI_ATOMIC_FN uint32_t vtdpi_atomic_load32_acquire(const uint32_t *p)
{
    VTDPI_ATOMIC_POINT(LOAD, p);
    return VTDPI_ATOMIC_LOAD(p, __ATOMIC_ACQUIRE);
}

/** Store of a 32-bit word; earlier accesses of this CPU stay before it. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store32_release(uint32_t *p, uint32_t v)
{
    VTDPI_ATOMIC_POINT(STORE, p);
    VTDPI_ATOMIC_STORE(p, v, __ATOMIC_RELEASE);
}

/** OR into a 32-bit word, SC. Returns the old value. */
VTDPI_ATOMIC_FN uint32_t vtdpi_atomic_or32(uint32_t *p, uint32_t bits)
{
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_RMW(fetch_or, p, bits);
}

/** Load of a pointer; what it points to is read after it. */
VTDPI_ATOMIC_FN void *vtdpi_atomic_load_ptr_acquire(void *const *p)
{
    VTDPI_ATOMIC_POINT(LOAD, p);
    return VTDPI_ATOMIC_LOAD(p, __ATOMIC_ACQUIRE);
}

/** Store of a pointer; what it points to was written before it. */
VTDPI_ATOMIC_FN void vtdpi_atomic_store_ptr_release(void **p, void *v)
{
    VTDPI_ATOMIC_POINT(STORE, p);
    VTDPI_ATOMIC_STORE(p, v, __ATOMIC_RELEASE);
}

/** Exchange of a pointer, SC. Returns the old value. */
VTDPI_ATOMIC_FN void *vtdpi_atomic_xchg_ptr(void **p, void *v)
{
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_RMW(exchange_n, p, v);
}

/**
 * 16-byte compare-and-swap, SC. @p p is 16-byte aligned. Returns whether the
 * two words at @p p were @p expected and are @p desired now; the words found
 * are not reported. With VTDPI_HAVE_CX16 = 0 nothing is accessed and the
 * result is false.
 */
VTDPI_ATOMIC_FN bool vtdpi_atomic_cas128(uint64_t *p,
                                         const uint64_t expected[2],
                                         const uint64_t desired[2])
{
#if VTDPI_HAVE_CX16
    VTDPI_ATOMIC_POINT(RMW, p);
    return VTDPI_ATOMIC_CAS128(p, expected, desired);
#else
    (void)p;
    (void)expected;
    (void)desired;
    return false;
#endif
}

VTDPI_END_DECLS

#endif
