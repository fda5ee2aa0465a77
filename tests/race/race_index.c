/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index allocator of table.h: threads allocate, reserve and free runs of
 * all lengths. No index has two owners, none is lost: at the end the whole
 * table can be allocated one by one, and in the longest runs.
 */
#include "race.h"
#include "vtdpi/table.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    THREADS = 6,
    HELD_MAX = 48,
    /* One table that is nearly full all the time, one with two groups of leaf
     * words. */
    SMALL = 256,
    LARGE = 8192,
};

struct race {
    struct vtdpi_table table;
    uint64_t *holder; /* by index: number of the thread; 0: none */
    uint32_t count;
    uint64_t ops;
};

struct run {
    uint32_t first;
    uint32_t count;
};

struct thread {
    struct race *race;
    struct race_rng rng;
    uint64_t number;
    struct run held[HELD_MAX];
    uint32_t held_count;
    uint64_t full;
    uint64_t taken;
};

static void claim(struct thread *t, struct run r)
{
    race_check(r.first % r.count == 0);
    race_check(r.first + r.count <= t->race->count);
    for (uint32_t i = r.first; i < r.first + r.count; i++) {
        const uint64_t before =
            vtdpi_atomic_xchg64(&t->race->holder[i], t->number);

        if (before != 0)
            race_fail("index %" PRIu32 " given to two", i);
        race_check(vtdpi_table_is_allocated(&t->race->table, i));
        race_check(vtdpi_table_owner(&t->race->table, i) == t);
    }
    t->held[t->held_count++] = r;
    t->taken += r.count;
}

static void give_back(struct thread *t, uint32_t which)
{
    struct run r = t->held[which];

    t->held[which] = t->held[--t->held_count];
    for (uint32_t i = r.first; i < r.first + r.count; i++)
        race_check(vtdpi_atomic_xchg64(&t->race->holder[i], 0) == t->number);
    /* In one piece, or in two halves. */
    if (r.count > 1 && race_one_in(&t->rng, 2)) {
        r.count /= 2;
        race_check(
            vtdpi_table_free(&t->race->table, r.first + r.count, r.count) == 0);
    }
    race_check(vtdpi_table_free(&t->race->table, r.first, r.count) == 0);
}

static void allocate(struct thread *t)
{
    struct run r = {0, UINT32_C(1) << race_below(&t->rng, 7)};
    int rc;

    /* Short ones mostly. */
    if (race_one_in(&t->rng, 2))
        r.count = 1;
    if (race_one_in(&t->rng, 8)) {
        r.first = race_below(&t->rng, t->race->count) / r.count * r.count;
        rc = vtdpi_table_reserve(&t->race->table, r.first, r.count, t);
        race_check(rc == 0 || rc == VTDPI_EBUSY);
    } else {
        rc = vtdpi_table_alloc(&t->race->table, r.count, t, &r.first);
        race_check(rc == 0 || rc == VTDPI_ENOSPC);
    }
    if (rc == 0)
        claim(t, r);
    else
        t->full++;
}

static void thread_main(void *arg)
{
    struct thread *t = arg;

    for (uint64_t i = 0; i < t->race->ops; i++) {
        /* Mostly more than half of what one may hold. */
        if (race_below(&t->rng, HELD_MAX) >= t->held_count)
            allocate(t);
        else
            give_back(t, race_below(&t->rng, t->held_count));
        if (race_one_in(&t->rng, 64))
            race_yield();
    }
    while (t->held_count > 0)
        give_back(t, 0);
}

/* Everything is free, and can be found. */
static void check_whole(struct race *r, uint32_t length)
{
    uint32_t first;

    for (uint32_t n = 0; n < r->count / length; n++) {
        if (vtdpi_table_alloc(&r->table, length, r, &first) != 0)
            race_fail("%" PRIu32 " of %" PRIu32 " runs of %" PRIu32 " are lost",
                      r->count / length - n, r->count / length, length);
    }
    race_check(vtdpi_table_alloc(&r->table, length, r, &first) == VTDPI_ENOSPC);
    for (uint32_t i = 0; i < r->count; i += length)
        race_check(vtdpi_table_free(&r->table, i, length) == 0);
}

static void race_new(struct race *r, uint32_t count, uint64_t ops)
{
    const size_t size = vtdpi_table_storage_size(count);
    const struct vtdpi_table_params params = {
        .entries = race_memory(count * sizeof(struct vtdpi_irte)),
        .phys = UINT64_C(0x510000000),
        .count = count,
        .storage = race_memory(size),
        .storage_size = size,
        .owners = race_memory(count * sizeof(void *)),
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    r->holder = race_memory(count * sizeof(uint64_t));
    r->count = count;
    r->ops = ops;
    race_check(vtdpi_table_init(&r->table, &params) == 0);
}

static void hammer(uint32_t count, const struct race_options *o)
{
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));
    struct thread *t = race_memory(THREADS * sizeof(*t));
    uint64_t taken = 0, full = 0;

    race_new(r, count, o->ops);
    for (uint32_t i = 0; i < THREADS; i++) {
        t[i].race = r;
        t[i].number = i + 1;
        t[i].rng = race_rng(o->seed, i);
        race_start(threads, thread_main, &t[i]);
    }
    race_join(threads);
    for (uint32_t i = 0; i < THREADS; i++) {
        taken += t[i].taken;
        full += t[i].full;
    }
    for (uint32_t length = 1; length <= VTDPI_TABLE_RUN_MAX; length *= 2)
        check_whole(r, length);
    printf("%" PRIu32 " entries: operations %" PRIu64 ", indexes taken %" PRIu64
           ", none to be had %" PRIu64 "; lost: 0\n",
           count, o->ops * THREADS, taken, full);
    race_check(o->ops < 1000 || (taken > 0 && (count > SMALL || full > 0)));
}

static void play(const struct race_options *o)
{
    hammer(SMALL, o);
    hammer(LARGE, o);
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 100000, play);
}
