/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_ATOMIC_H
#define SHIM_MACHINE_ATOMIC_H

#include <sys/types.h>

/* Something else may happen before any of these accesses. */
void shim_point(void);

#define SHIM_ATOMIC(NAME, TYPE)                                                \
    static inline __unused void atomic_set_##NAME(volatile TYPE *p, TYPE v)    \
    {                                                                          \
        shim_point();                                                          \
        (void)__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                       \
    }                                                                          \
    static inline __unused void atomic_clear_##NAME(volatile TYPE *p, TYPE v)  \
    {                                                                          \
        shim_point();                                                          \
        (void)__atomic_fetch_and(p, (TYPE)~v, __ATOMIC_SEQ_CST);               \
    }                                                                          \
    static inline __unused void atomic_add_##NAME(volatile TYPE *p, TYPE v)    \
    {                                                                          \
        shim_point();                                                          \
        (void)__atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                      \
    }                                                                          \
    static inline __unused void atomic_subtract_##NAME(volatile TYPE *p,       \
                                                       TYPE v)                 \
    {                                                                          \
        shim_point();                                                          \
        (void)__atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);                      \
    }                                                                          \
    static inline __unused TYPE atomic_fetchadd_##NAME(volatile TYPE *p,       \
                                                       TYPE v)                 \
    {                                                                          \
        shim_point();                                                          \
        return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                     \
    }                                                                          \
    static inline __unused TYPE atomic_swap_##NAME(volatile TYPE *p, TYPE v)   \
    {                                                                          \
        shim_point();                                                          \
        return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                    \
    }                                                                          \
    static inline __unused TYPE atomic_readandclear_##NAME(volatile TYPE *p)   \
    {                                                                          \
        return atomic_swap_##NAME(p, 0);                                       \
    }                                                                          \
    static inline __unused int atomic_cmpset_##NAME(volatile TYPE *p,          \
                                                    TYPE old, TYPE v)          \
    {                                                                          \
        shim_point();                                                          \
        return __atomic_compare_exchange_n(                                    \
            p, &old, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);            \
    }                                                                          \
    static inline __unused int atomic_fcmpset_##NAME(volatile TYPE *p,         \
                                                     TYPE *old, TYPE v)        \
    {                                                                          \
        shim_point();                                                          \
        return __atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST, \
                                           __ATOMIC_SEQ_CST);                  \
    }                                                                          \
    static inline __unused int atomic_testandset_##NAME(volatile TYPE *p,      \
                                                        u_int v)               \
    {                                                                          \
        const TYPE bit = (TYPE)1 << (v % (8 * sizeof(TYPE)));                  \
                                                                               \
        shim_point();                                                          \
        return (__atomic_fetch_or(p, bit, __ATOMIC_SEQ_CST) & bit) != 0;       \
    }                                                                          \
    static inline __unused int atomic_testandclear_##NAME(volatile TYPE *p,    \
                                                          u_int v)             \
    {                                                                          \
        const TYPE bit = (TYPE)1 << (v % (8 * sizeof(TYPE)));                  \
                                                                               \
        shim_point();                                                          \
        return (__atomic_fetch_and(p, (TYPE)~bit, __ATOMIC_SEQ_CST) & bit) !=  \
               0;                                                              \
    }                                                                          \
    static inline __unused TYPE atomic_load_##NAME(const volatile TYPE *p)     \
    {                                                                          \
        shim_point();                                                          \
        return __atomic_load_n(p, __ATOMIC_RELAXED);                           \
    }                                                                          \
    static inline __unused TYPE atomic_load_acq_##NAME(const volatile TYPE *p) \
    {                                                                          \
        shim_point();                                                          \
        return __atomic_load_n(p, __ATOMIC_ACQUIRE);                           \
    }                                                                          \
    static inline __unused void atomic_store_##NAME(volatile TYPE *p, TYPE v)  \
    {                                                                          \
        shim_point();                                                          \
        __atomic_store_n(p, v, __ATOMIC_RELAXED);                              \
    }                                                                          \
    static inline __unused void atomic_store_rel_##NAME(volatile TYPE *p,      \
                                                        TYPE v)                \
    {                                                                          \
        shim_point();                                                          \
        __atomic_store_n(p, v, __ATOMIC_RELEASE);                              \
    }                                                                          \
    struct shim_atomic_##NAME##_is_complete

SHIM_ATOMIC(int, u_int);
SHIM_ATOMIC(long, u_long);
SHIM_ATOMIC(32, uint32_t);
SHIM_ATOMIC(64, uint64_t);

#endif
