/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

/* What all benchmarks share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The program's name, for what must() says; each program defines it. */
extern const char *const bench_name;

/* Ends the program if @ok is not so: a bug, here or in the library. */
void must(bool ok, const char *what);

/* Numbers without end, the same in every run: 0 to n - 1. */
uint32_t chance(uint32_t n);
/* The numbers start over, with those of that seed. */
void chance_start(uint64_t seed);

/* Time of this process: others that use the machine do not count. */
double seconds(void);

/* Sorts the values in ascending order. */
void sort_values(double *values, size_t count);
/* Sorts the values; the one in the middle. */
double median(double *values, uint32_t count);

#endif
