/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

/*
 * Measuring designs side by side: in every round each design takes a sample,
 * the order of the designs turning from round to round, so that whatever the
 * machine does in that time meets all of them. A sample during which the thread
 * was switched out is dropped, together with the samples of the other designs
 * of that round, and counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"

enum {
    DESIGNS_MAX = 8,
    ROUNDS_MAX = 2048,
};

/* One design: takes one sample and returns its time in nanoseconds per
 * operation, or a negative number if the sample is void. */
struct design {
    const char *name;
    double (*sample)(void *subject);
    void *subject;
};

/* What is compared, under what name. */
struct series {
    const char *experiment;
    const char *variant;
    uint64_t n; /* size, 0 if there is none */
    const struct design *designs;
    unsigned int count;
    unsigned int rounds;
};

/* Run the series, and print one line of figures for each design. */
void measure(const struct series *s);

/* How many rounds instead of those asked for, for short runs; 0: as asked. */
extern unsigned int measure_rounds;

/* Print the figures of one design: median, 10 %, 90 % and 99 % of @values;
 * nothing if there are none. */
void measure_print(const struct series *s, const char *design, double *values,
                   size_t count, size_t dropped);

/* Print how evenly this machine has worked: the times of a loop that always
 * does the same, run once a round. Far apart: others used the processor. */
void measure_machine(void);

/* The line that says what the columns of the other lines are. */
void measure_header(void);

/* A clock, in ticks of its own. */
uint64_t ticks(void);
double ticks_ns(uint64_t ticks);

/* What reading the clock twice costs, in ticks. */
uint64_t ticks_empty(void);

/* How often this thread was switched out so far. */
long switches(void);

/* Memory, zeroed, 2 MiB aligned and in large pages if the system likes. */
void *memory(size_t size);

/* Make @p's line, or all lines of a range, absent from all caches. */
void flush_line(const void *p);
void flush_range(const void *p, size_t size);
void flush_done(void);

/* Whether flushing works here. */
bool flush_possible(void);

/* Put @p n different numbers below @p n into @p out, in random order. */
void shuffle(uint32_t *out, uint32_t n);

#endif
