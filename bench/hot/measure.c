/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

const char *const bench_name = "bench-hot";

unsigned int measure_rounds;

static uint64_t nanoseconds(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "no clock");
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t ticks(void)
{
#ifdef __x86_64__
    unsigned int aux;
    /* Waits for what is before it; what follows waits for it. */
    const uint64_t t = __builtin_ia32_rdtscp(&aux);

    __builtin_ia32_lfence();
    return t;
#else
    return nanoseconds();
#endif
}

double ticks_ns(uint64_t n)
{
    static double per_tick;

    if (per_tick == 0.0) {
        const uint64_t begin_ns = nanoseconds();
        const uint64_t begin = ticks();

        while (nanoseconds() - begin_ns < UINT64_C(20000000))
            continue;
        per_tick =
            (double)(nanoseconds() - begin_ns) / (double)(ticks() - begin);
    }
    return (double)n * per_tick;
}

uint64_t ticks_empty(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 1000; i++) {
        const uint64_t begin = ticks();
        const uint64_t n = ticks() - begin;

        least = n < least ? n : least;
    }
    return least;
}

long switches(void)
{
    struct rusage usage;

    must(getrusage(RUSAGE_THREAD, &usage) == 0, "no resource usage");
    return usage.ru_nivcsw + usage.ru_nvcsw;
}

void *memory(size_t size)
{
    const size_t large = (size_t)2 << 20;
    void *p;

    size = (size + large - 1) / large * large;
    p = aligned_alloc(large, size);
    must(p != NULL, "out of memory");
    (void)madvise(p, size, MADV_HUGEPAGE); /* as a kernel's own memory is */
    memset(p, 0, size);
    return p;
}

bool flush_possible(void)
{
#ifdef __x86_64__
    return true;
#else
    return false;
#endif
}

void flush_line(const void *p)
{
#ifdef __x86_64__
    __builtin_ia32_clflush(p);
#else
    (void)p;
#endif
}

void flush_range(const void *p, size_t size)
{
    for (size_t i = 0; i < size; i += 64)
        flush_line((const char *)p + i);
}

void flush_done(void)
{
#ifdef __x86_64__
    __builtin_ia32_mfence();
#endif
}

void shuffle(uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t j = chance(i + 1);

        out[i] = out[j];
        out[j] = i;
    }
}

static double quantile(const double *sorted, size_t count, double q)
{
    return sorted[(size_t)((double)(count - 1) * q + 0.5)];
}

void measure_header(void)
{
    printf("experiment\tvariant\tn\tdesign\tmedian\tp10\tp90\tp99\tkept\t"
           "dropped\n");
}

void measure_print(const struct series *s, const char *design, double *values,
                   size_t count, size_t dropped)
{
    /* Every round was disturbed: no figure is better than a wrong one. */
    if (count == 0)
        return;
    sort_values(values, count);
    printf("%s\t%s\t%" PRIu64 "\t%s\t%.3f\t%.3f\t%.3f\t%.3f\t%zu\t%zu\n",
           s->experiment, s->variant, s->n, design,
           quantile(values, count, 0.5), quantile(values, count, 0.1),
           quantile(values, count, 0.9), quantile(values, count, 0.99), count,
           dropped);
    (void)fflush(stdout);
}

/* Rounds of all series, and the loop's times in some of them. */
static struct {
    double loop[16384];
    size_t count;
    size_t dropped;
    volatile uint64_t result;
} machine;

/* Some microseconds of arithmetic: each step waits for the last one, and the
 * compiler cannot join two. */
static double fixed_loop(void)
{
    const uint64_t begin = ticks();
    uint64_t x = begin | 1;

    for (int i = 0; i < 10000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1;
        __asm__("" : "+r"(x));
    }
    machine.result = x;
    return ticks_ns(ticks() - begin);
}

static void look_at_machine(void)
{
    if (machine.count < sizeof(machine.loop) / sizeof(machine.loop[0]))
        machine.loop[machine.count++] = fixed_loop();
}

void measure_machine(void)
{
    const struct series series = {.experiment = "machine", .variant = "-"};

    measure_print(&series, "fixed loop", machine.loop, machine.count,
                  machine.dropped);
}

/* One sample of each design; whether none was disturbed. */
static bool one_round(const struct series *s, unsigned int first, double *out)
{
    const long before = switches();
    bool good = true;

    for (unsigned int i = 0; i < s->count; i++) {
        const unsigned int d = (first + i) % s->count;

        out[d] = s->designs[d].sample(s->designs[d].subject);
        good = good && out[d] >= 0.0;
    }
    return good && switches() == before;
}

void measure(const struct series *s)
{
    static double values[DESIGNS_MAX][ROUNDS_MAX];
    const unsigned int rounds =
        measure_rounds != 0 ? measure_rounds : s->rounds;
    double out[DESIGNS_MAX];
    size_t kept = 0;
    size_t dropped = 0;

    must(s->count <= DESIGNS_MAX && rounds <= ROUNDS_MAX, "series too large");
    (void)one_round(s, 0, out); /* into the caches, and pages mapped */
    for (unsigned int r = 0; kept < rounds && r < 8 * rounds; r++) {
        look_at_machine();
        if (!one_round(s, r, out)) {
            dropped++;
            machine.dropped++;
            continue;
        }
        for (unsigned int d = 0; d < s->count; d++)
            values[d][kept] = out[d];
        kept++;
    }
    for (unsigned int d = 0; d < s->count; d++)
        measure_print(s, s->designs[d].name, values[d], kept, dropped);
}
