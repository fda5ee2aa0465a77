/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINI_ATOMIC_H
#define MINI_ATOMIC_H

/*
 * Atomic accesses of the library, its model and the port, as built for the
 * miniature bhyve. Before each of them another thread may run, an interrupt
 * may arrive and the caller may be preempted, if that is allowed where it is.
 * account.c hears of what was OR-ed into a word: only the access itself knows
 * whether a vector was there already.
 */

#include <stdint.h>

#include "../../../tests/race/perturb.h"

/* Both return @old. */
uint64_t mini_saw_or64(const uint64_t *p, uint64_t bits, uint64_t old);
uint32_t mini_saw_or32(const uint32_t *p, uint32_t bits, uint32_t old);

/* clang-format off */
#define MINI_exchange_n(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define MINI_fetch_and(p, v)  __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define MINI_fetch_or(p, v)                                              \
    _Generic((p), uint64_t *: mini_saw_or64, uint32_t *: mini_saw_or32)( \
        p, v, __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
/* clang-format on */

#define VTDPI_ATOMIC_RMW(op, p, v) MINI_##op(p, v)

#endif
