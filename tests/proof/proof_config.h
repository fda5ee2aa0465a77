/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROOF_CONFIG_H
#define TESTS_PROOF_CONFIG_H

/* A precondition of the library's own functions is one more claim. */
#include "proof.h"

#ifdef PROBE
#define VTDPI_ASSERT(expr) ((void)(expr))
#else
#define VTDPI_ASSERT(expr) CLAIM(expr)
#endif

/*
 * The proofs are of sequential code: atomic accesses are plain ones. CBMC does
 * not read the inline assembly and the builtins of atomic.h.
 */
#define VTDPI_ATOMIC_LOAD(p, order)     (*(p))
#define VTDPI_ATOMIC_STORE(p, v, order) ((void)(*(p) = (v)))

#define PLAIN_exchange_n(old, v)        (v)
#define PLAIN_fetch_or(old, v)          ((old) | (v))
#define PLAIN_fetch_and(old, v)         ((old) & (v))
#define VTDPI_ATOMIC_RMW(op, p, v)    \
    ({                                \
        __typeof__(*(p)) old_ = *(p); \
        *(p) = PLAIN_##op(old_, v);   \
        old_;                         \
    })

#define VTDPI_ATOMIC_CAS(p, expected, desired)      \
    (*(p) == *(expected) ? (*(p) = (desired), true) \
                         : (*(expected) = *(p), false))
#define VTDPI_ATOMIC_CAS128(p, expected, desired)          \
    ((p)[0] == (expected)[0] && (p)[1] == (expected)[1] && \
     ((p)[0] = (desired)[0], (p)[1] = (desired)[1], true))

#endif
