/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROOF_H
#define TESTS_PROOF_H

/*
 * What the harnesses for CBMC share. A function proof_<name>() is one proof:
 * its inputs are nondet_*(), so it holds for all of them at once. CBMC adds its
 * own checks (bounds, pointers, shifts, overflow, no loop longer than said) to
 * the claims.
 *
 * A harness includes the source that it is about, so that it can reach what is
 * static in it. The last comment of its first line may give the bound of its
 * loops, and leave the harness to the longer run: "unwind 7, longer run only".
 *
 * Compiled with PROBE each claim is replaced by one that cannot hold, so that
 * CBMC has to find an input that gets there: behind an assumption that nothing
 * satisfies, everything would be proved.
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

#ifdef PROBE
#define CLAIM(expr)                          \
    do {                                     \
        if (expr) {                          \
        }                                    \
        __CPROVER_assert(0, "probe " #expr); \
    } while (0)
#define REACH(expr) __CPROVER_assert(!(expr), "probe " #expr)
#else
/* Holds for all inputs. */
#define CLAIM(expr) __CPROVER_assert(expr, #expr)
/* Is true for some input: the case is not assumed away. */
#define REACH(expr) ((void)(expr))
#endif

/* Bits hi down to lo of a word; on purpose not the library's macro. */
static inline uint64_t bits(uint64_t word, unsigned int hi, unsigned int lo)
{
    return word >> lo & (~UINT64_C(0) >> (63 - (hi - lo)));
}

#endif
