/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROOF_H
#define TESTS_PROOF_H

/*
 * What the harnesses for CBMC share. A function proof_<name>() is one proof:
 * its inputs are nondet_*(), so it holds for all of them at once. CBMC adds its
 * own checks (bounds, pointers, shifts, overflow) to the claims.
 */

#include <stdbool.h>
#include <stdint.h>

void __CPROVER_assume(_Bool);
void __CPROVER_assert(_Bool, const char *);

/* To CBMC a function without a body that is called nondet_* returns anything. */
bool nondet_bool(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);

#define ASSUME(expr) __CPROVER_assume(expr)
#define CLAIM(expr)  __CPROVER_assert(expr, #expr)

#endif
