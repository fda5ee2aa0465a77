/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_H
#define VTDPI_RACE_H

/*
 * What the race tests share: options, seeds, threads, failure.
 *
 * usage: race_x [--ops N] [--seed N] [--seconds N]
 *
 * A round is N operations of each source of events, in all, with one seed. With
 * --seconds rounds follow one another, each with the next seed, until that many
 * seconds have passed; the last one is finished. The environment's
 * RACE_OPS and RACE_SECONDS do the same for all programs of a run of
 * Meson. Within a round no test looks at a clock: what has to happen has to
 * happen within a number of steps. A seed fixes what each thread does, not how
 * threads interleave.
 *
 * Threads count in their own memory, which is added up after they were joined:
 * a shared counter would order what is to be raced.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vtdpi/atomic.h"

struct race_options {
    uint64_t ops;
    uint64_t seed;
};

/* main(): parses the command line, ends the program if it is wrong, and calls
 * @p round once or for as long as was asked for, @p ops being the default.
 * Prints the name, the operations and the seed of each round. */
int race_main(int argc, char **argv, uint64_t ops,
              void (*round)(const struct race_options *o));

/* Reports and ends the program at once, from any thread. */
_Noreturn void race_fail(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));

#define race_check(expr)                                                \
    do {                                                                \
        if (!(expr))                                                    \
            race_fail("%s:%d: %s is false", __FILE__, __LINE__, #expr); \
    } while (0)

/* Random numbers of one thread. */
struct race_rng {
    uint64_t state;
};

struct race_rng race_rng(uint64_t seed, uint64_t stream);
uint64_t race_random(struct race_rng *r);
/* 0 to n - 1. */
uint32_t race_below(struct race_rng *r, uint32_t n);
/* True once in n. */
bool race_one_in(struct race_rng *r, uint32_t n);

/* Lets another thread run. */
void race_yield(void);

/* Threads are started together with their number, and joined in one call. */
struct race_threads;
struct race_threads *race_threads_new(void);
void race_start(struct race_threads *t, void (*run)(void *arg), void *arg);
void race_join(struct race_threads *t);

/* Zeroed memory for the whole round, aligned to a page; freed after it. */
void *race_memory(size_t size);

#endif
