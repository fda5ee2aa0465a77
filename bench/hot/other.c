/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "other.h"

#include <sched.h>
#include <stddef.h>
#include <unistd.h>

#include "measure.h"

static uint64_t load(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static void pin(unsigned int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)sched_setaffinity(0, sizeof(set), &set); /* else wherever it runs */
}

bool other_possible(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) >= 2;
}

static void stop_here(void *subject)
{
    (void)subject;
}

static void pause_for(uint64_t n)
{
    const uint64_t begin = ticks();

    while (n != 0 && ticks() - begin < n)
        continue;
}

/* One order: until there is another one. Nothing but the job between two jobs:
 * time that passes there is time in which the first CPU is alone. */
static void obey(struct other *o, uint64_t order, void (*job)(void *subject))
{
    store(&o->obeyed, order);
    while (load(&o->order) == order) {
        if (job != NULL)
            job(o->subject);
        store(&o->passes, o->passes + 1);
        pause_for(o->gap);
    }
    store(&o->lost, (uint64_t)switches());
}

static void *other_main(void *arg)
{
    struct other *const o = arg;

    pin(1);
    for (;;) {
        const uint64_t order = load(&o->order);
        void (*const job)(void *subject) =
            __atomic_load_n(&o->job, __ATOMIC_ACQUIRE);

        if (job == stop_here)
            return NULL;
        if (order == load(&o->order))
            obey(o, order, job);
    }
}

void other_start(struct other *o, void *subject, uint64_t gap_ns)
{
    *o = (struct other){
        .subject = subject,
        .gap = (uint64_t)((double)gap_ns * 1e6 / ticks_ns(1000000)),
    };
    pin(0);
    must(pthread_create(&o->thread, NULL, other_main, o) == 0, "thread");
}

static void give(struct other *o, void (*job)(void *subject))
{
    __atomic_store_n(&o->job, job, __ATOMIC_RELEASE);
    store(&o->order, o->order + 1);
}

void other_do(struct other *o, void (*job)(void *subject))
{
    uint64_t seen;

    give(o, job);
    while (load(&o->obeyed) != o->order)
        continue;
    seen = load(&o->passes);
    while (load(&o->passes) < seen + 2)
        continue;
}

void other_stop(struct other *o)
{
    give(o, stop_here);
    must(pthread_join(o->thread, NULL) == 0, "thread");
}

uint64_t other_passes(const struct other *o)
{
    return load(&o->passes);
}

uint64_t other_lost(const struct other *o)
{
    return load(&o->lost);
}
