/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_GROWTH_H
#define BENCH_GROWTH_H

#include <stdint.h>

/*
 * One operation whose cost is counted, in instructions, for several sizes of
 * its world. Only measured() is counted: see growth.py.
 */
enum {
    REPEATS = 64, /* operations in one call of an op */
};

struct op {
    const char *name;
    const char *what; /* what N is */
    double most;      /* largest exponent that N may have in the cost */
    void *(*set_up)(uint32_t n);
    void (*measured)(void *world, uint32_t n);
};

extern const struct op growth_sched[];
extern const struct op growth_irq[];
extern const struct op growth_route[];

#endif
