/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_PERTURB_H
#define VTDPI_RACE_PERTURB_H

/*
 * Before each atomic access another thread may run. Two processors do not
 * interleave the steps of a protocol in many ways by themselves: a window of
 * two instructions is hit once in millions of attempts. With this it is hit
 * once in some hundred.
 *
 * A broken precondition ends the program.
 */

/* The program's own: decides whether somebody else runs first. */
void perturb(void);

#define VTDPI_ATOMIC_POINT(kind, p) perturb()
#define VTDPI_ASSERT(expr)          ((expr) ? (void)0 : __builtin_trap())

#endif
