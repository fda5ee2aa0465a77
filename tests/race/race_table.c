/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index allocator with real threads: no index is given out twice, and none
 * gets lost. For ThreadSanitizer, and for machines with several CPUs.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "vtdpi/atomic.h"
#include "vtdpi/table.h"

enum {
    THREADS = 4,
    STEPS = 20000,
    COUNT = 128,
    HELD = 16
};

struct shared {
    struct vtdpi_table table;
    struct vtdpi_irte *entries;
    uint64_t storage[64];
    uint64_t taken[COUNT]; /* 1 while somebody has the index */
    uint64_t errors;
};

struct thread {
    pthread_t id;
    struct shared *s;
    uint64_t seed;
    uint32_t first[HELD];
    uint32_t n[HELD]; /* 0: nothing */
};

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void mark(struct shared *s, uint32_t first, uint32_t n, uint64_t was)
{
    for (uint32_t i = first; i < first + n; i++)
        if (vtdpi_atomic_xchg64(&s->taken[i], was ^ 1) != was)
            (void)vtdpi_atomic_or64(&s->errors, 1);
}

static void give(struct thread *t, uint32_t slot)
{
    mark(t->s, t->first[slot], t->n[slot], 1);
    if (vtdpi_table_free(&t->s->table, t->first[slot], t->n[slot]) != 0)
        (void)vtdpi_atomic_or64(&t->s->errors, 2);
    t->n[slot] = 0;
}

static void take(struct thread *t, uint32_t slot)
{
    const uint32_t n = UINT32_C(1) << random_next(&t->seed) % 5;

    if (vtdpi_table_alloc(&t->s->table, n, NULL, &t->first[slot]) != 0)
        return;
    t->n[slot] = n;
    mark(t->s, t->first[slot], n, 0);
}

static void *run(void *arg)
{
    struct thread *t = arg;

    for (int i = 0; i < STEPS; i++) {
        const uint32_t slot = random_next(&t->seed) % HELD;

        if (t->n[slot] != 0)
            give(t, slot);
        else
            take(t, slot);
    }
    for (uint32_t slot = 0; slot < HELD; slot++)
        if (t->n[slot] != 0)
            give(t, slot);
    return NULL;
}

int main(void)
{
    static struct shared s;
    static struct thread threads[THREADS];
    struct vtdpi_table_params params = {
        .count = COUNT,
        .storage_size = sizeof(s.storage),
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };
    uint32_t first;

    s.entries = aligned_alloc(4096, 4096);
    params.entries = s.entries;
    params.storage = s.storage;
    if (s.entries == NULL || vtdpi_table_init(&s.table, &params) != 0)
        return 2;
    for (int i = 0; i < THREADS; i++) {
        threads[i].s = &s;
        threads[i].seed = (uint64_t)i;
        if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
            return 2;
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i].id, NULL);
    /* Everything is back, in whole runs. */
    for (int i = 0; i < COUNT / 64; i++)
        if (vtdpi_table_alloc(&s.table, 64, NULL, &first) != 0)
            s.errors |= 4;
    free(s.entries);
    printf("%s: errors %u\n", s.errors == 0 ? "ok" : "FAIL",
           (unsigned int)s.errors);
    return s.errors == 0 ? 0 : 1;
}
