/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support.h"

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "%s: %s\n", bench_name, what);
    exit(1);
}

void support_fail(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s: %s:%d: %s is false\n", bench_name, file, line,
                  what);
    exit(1);
}

uint32_t chance(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % n);
}

void chance_start(uint64_t seed)
{
    state = seed;
}

double seconds(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "clock");
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

void sort_values(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
}

double median(double *values, uint32_t count)
{
    sort_values(values, count);
    return values[count / 2];
}
