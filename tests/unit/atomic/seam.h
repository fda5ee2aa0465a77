/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_SEAM_H
#define VTDPI_TEST_SEAM_H

/*
 * The config header of test_atomic.c: defines the macros of atomic.h that
 * SEAM_REPLACES names. Each of them counts, then does what the default does.
 */

#include <stdbool.h>
#include <stdint.h>

#define SEAM_POINT  1
#define SEAM_LOAD   2
#define SEAM_STORE  4
#define SEAM_RMW    8
#define SEAM_CAS    16
#define SEAM_CAS128 32
#define SEAM_ALL    63

struct seam {
    unsigned int points[3];                    /* by kind */
    unsigned int loads[__ATOMIC_SEQ_CST + 1];  /* by order */
    unsigned int stores[__ATOMIC_SEQ_CST + 1]; /* by order */
    unsigned int rmws;
    unsigned int cas;
    unsigned int cas128;
    const void *at; /* of the last point */
};

extern struct seam seam;

enum seam_kind {
    SEAM_AT_LOAD,
    SEAM_AT_STORE,
    SEAM_AT_RMW
};

#if SEAM_REPLACES & SEAM_POINT
#define VTDPI_ATOMIC_POINT(kind, p) \
    ((void)seam.points[SEAM_AT_##kind]++, (void)(seam.at = (p)))
#endif

#if SEAM_REPLACES & SEAM_LOAD
#define VTDPI_ATOMIC_LOAD(p, order) \
    (seam.loads[order]++, __atomic_load_n(p, order))
#endif

#if SEAM_REPLACES & SEAM_STORE
#define VTDPI_ATOMIC_STORE(p, v, order) \
    (seam.stores[order]++, __atomic_store_n(p, v, order))
#endif

#if SEAM_REPLACES & SEAM_RMW
#define VTDPI_ATOMIC_RMW(op, p, v) \
    (seam.rmws++, __atomic_##op(p, v, __ATOMIC_SEQ_CST))
#endif

#if SEAM_REPLACES & SEAM_CAS
#define VTDPI_ATOMIC_CAS(p, expected, desired)                              \
    (seam.cas++,                                                            \
     __atomic_compare_exchange_n(p, expected, desired, 0, __ATOMIC_SEQ_CST, \
                                 __ATOMIC_SEQ_CST))
#endif

#if SEAM_REPLACES & SEAM_CAS128
/* Not in one step: the test has one thread. */
static inline bool seam_cas128(uint64_t *p, const uint64_t expected[2],
                               const uint64_t desired[2])
{
    seam.cas128++;
    if (p[0] != expected[0] || p[1] != expected[1])
        return false;
    p[0] = desired[0];
    p[1] = desired[1];
    return true;
}

#define VTDPI_ATOMIC_CAS128(p, expected, desired) \
    seam_cas128(p, expected, desired)
#endif

#endif
