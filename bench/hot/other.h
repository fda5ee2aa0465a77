/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_OTHER_H
#define BENCH_OTHER_H

/*
 * The other CPU: does one thing again and again, back to back or with a pause
 * in between, while the first CPU measures.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct other {
    pthread_t thread;
    void *subject;
    void (*job)(void *subject); /* what it is told to do; NULL: nothing */
    uint64_t order;             /* number of the latest order */
    uint64_t obeyed;            /* of the latest one it knows */
    uint64_t passes;            /* jobs done so far */
    uint64_t lost;              /* times switched out, up to the last pause */
    uint64_t gap;               /* ticks between two jobs */
};

/* Whether there is another CPU at all. */
bool other_possible(void);

/* Start it, doing nothing; pins the caller to one CPU and it to another. */
void other_start(struct other *o, void *subject, uint64_t gap_ns);
void other_stop(struct other *o);

/* Give an order, and wait until it is obeyed and once carried out. */
void other_do(struct other *o, void (*job)(void *subject));

uint64_t other_passes(const struct other *o);
uint64_t other_lost(const struct other *o);

#endif
