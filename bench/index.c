/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to allocate and to free an index of a table of 65536, against
 * how full the table is. Indexes that are free are scattered: the table was
 * filled, and then random ones were freed.
 *
 * Built twice. With BENCH_COUNTED the library's atomic accesses are counted
 * (one thread, so the counts are exact); without, time is measured: each fill
 * has a table of its own, all take turns within each round, and the medians
 * over the rounds are compared. A plain first-fit search over a bitmap, from
 * its start and a word at a time, is measured beside it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "support.h"
#include "vtdpi/index.h"
#include "vtdpi/table.h"

#ifdef BENCH_COUNTED
#include "atomic_hook.h"
#endif

enum {
    COUNT = 65536,
    WORDS = COUNT / 64,
    FILLS = 8,
    ROUNDS_MAX = 101,
};

const char *const bench_name = "bench-index";

static const unsigned int fills[FILLS] = {1, 10, 25, 50, 75, 90, 95, 99};

/* A table that is full to some degree, and the first-fit allocator beside. */
struct subject {
    struct vtdpi_table table;
    struct vtdpi_irte *entries;
    uint16_t *used; /* the indexes that are allocated, in any order */
    uint32_t n;
    struct vtdpi_index bare; /* the allocator by itself */
    uint16_t *bare_used;
    uint64_t bitmap[WORDS]; /* first fit: bit set = free */
    uint16_t *fit_used;
    uint64_t looked_at; /* words */
};

/* First fit. */

static uint32_t fit_alloc(struct subject *s)
{
    uint32_t word = 0;
    uint32_t bit;

    while (s->bitmap[word] == 0)
        word++;
    s->looked_at += word + 1;
    bit = (uint32_t)__builtin_ctzll(s->bitmap[word]);
    s->bitmap[word] &= ~(UINT64_C(1) << bit);
    return word * 64 + bit;
}

static void fit_free(struct subject *s, uint32_t index)
{
    s->bitmap[index / 64] |= UINT64_C(1) << (index % 64);
}

/* Set up. */

static void table_up(struct subject *s)
{
    const size_t size = vtdpi_table_storage_size(COUNT);
    struct vtdpi_table_params params = {
        .phys = UINT64_C(0x10000000),
        .count = COUNT,
        .storage_size = size,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    s->entries = support_memory(sizeof(*s->entries) * COUNT);
    params.entries = s->entries;
    params.storage = support_memory(size);
    must(vtdpi_table_init(&s->table, &params) == 0, "table");
}

static void subject_up(struct subject *s, unsigned int percent)
{
    table_up(s);
    s->used = support_memory(sizeof(*s->used) * COUNT);
    s->bare_used = support_memory(sizeof(*s->bare_used) * COUNT);
    s->fit_used = support_memory(sizeof(*s->fit_used) * COUNT);
    must(vtdpi_index_init(&s->bare,
                          support_memory(vtdpi_index_storage_size(COUNT)),
                          COUNT) == 0,
         "index");
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t index;

        must(vtdpi_table_alloc(&s->table, 1, NULL, &index) == 0, "fill");
        s->used[i] = (uint16_t)index;
        must(vtdpi_index_alloc(&s->bare, 1, &index) == 0, "fill");
        s->bare_used[i] = (uint16_t)index;
        s->fit_used[i] = (uint16_t)i;
    }
    s->n = COUNT;
    while (s->n > COUNT / 100 * percent) {
        const uint32_t i = chance(s->n--);

        must(vtdpi_table_free(&s->table, s->used[i], 1) == 0, "free");
        must(vtdpi_index_free(&s->bare, s->bare_used[i], 1) == 0, "free");
        fit_free(s, s->fit_used[i]);
        s->used[i] = s->used[s->n];
        s->bare_used[i] = s->bare_used[s->n];
        s->fit_used[i] = s->fit_used[s->n];
    }
}

/* @p n times: free one that is allocated, by chance, and allocate one. */

static void turn(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        const uint32_t i = chance(s->n);
        uint32_t index = s->used[i];

        must(vtdpi_table_free(&s->table, index, 1) == 0, "free");
        must(vtdpi_table_alloc(&s->table, 1, NULL, &index) == 0, "alloc");
        s->used[i] = (uint16_t)index;
    }
}

static void fit_turn(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        const uint32_t i = chance(s->n);

        fit_free(s, s->fit_used[i]);
        s->fit_used[i] = (uint16_t)fit_alloc(s);
    }
}

#ifdef BENCH_COUNTED

static double per(uint64_t count, uint32_t n)
{
    return (double)count / n;
}

/* Flat: the most that any fill costs is not twice what the first does. */
static bool report(struct subject *subjects, uint32_t n, uint32_t rounds)
{
    double first = 0;
    double worst = 0;

    (void)rounds;
    printf("atomic accesses of one allocate and one free, %d entries\n\n"
           "  fill      loads     stores     locked      total"
           "   first fit: words looked at\n",
           COUNT);
    for (unsigned int f = 0; f < FILLS; f++) {
        struct subject *s = &subjects[f];
        double total;

        turn(s, n); /* leave the state that filling made */
        hook_reset();
        turn(s, n);
        s->looked_at = 0;
        fit_turn(s, n);
        total = per((uint64_t)hook.loads + hook.stores + hook.locked, n);
        printf("%5u%%  %9.2f  %9.2f  %9.2f  %9.2f  %27.2f\n", fills[f],
               per(hook.loads, n), per(hook.stores, n), per(hook.locked, n),
               total, per(s->looked_at, n));
        if (f == 0)
            first = total;
        worst = total > worst ? total : worst;
    }
    printf("\nmost / at %u%%: %.2f\n", fills[0], worst / first);
    return worst < 2 * first;
}

#else

/* The same without the table around: no look at the entry, which must not be
 * present when its index is freed, nor at the dirty bit. */
static void bare_turn(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        const uint32_t i = chance(s->n);
        uint32_t index = s->bare_used[i];

        must(vtdpi_index_free(&s->bare, index, 1) == 0, "free");
        must(vtdpi_index_alloc(&s->bare, 1, &index) == 0, "alloc");
        s->bare_used[i] = (uint16_t)index;
    }
}

/* Nanoseconds of an allocate and a free. */
static double timed(void (*what)(struct subject *s, uint32_t n),
                    struct subject *s, uint32_t n)
{
    const double begin = seconds();

    what(s, n);
    return (seconds() - begin) * 1e9 / n;
}

/* What is timed; all take turns. */
static void (*const ways[])(struct subject *s, uint32_t n) = {
    turn,
    bare_turn,
    fit_turn,
};
enum {
    TABLE,
    BARE,
    FIT,
    WAYS
};

static bool report(struct subject *subjects, uint32_t n, uint32_t rounds)
{
    static double ns[WAYS][FILLS][ROUNDS_MAX];
    double first[WAYS];

    for (unsigned int f = 0; f < FILLS; f++)
        turn(&subjects[f], n);
    for (uint32_t r = 0; r < rounds; r++) {
        for (unsigned int f = 0; f < FILLS; f++) {
            for (unsigned int w = 0; w < WAYS; w++) {
                ways[w](&subjects[f], n); /* into the caches */
                ns[w][f][r] = timed(ways[w], &subjects[f], n);
            }
        }
    }
    printf("time of one allocate and one free in ns, and the ratio to that at "
           "%u%%,\n%d entries, medians of %" PRIu32 " rounds\n\n"
           "  fill             table         allocator         first fit\n",
           fills[0], COUNT, rounds);
    for (unsigned int f = 0; f < FILLS; f++) {
        printf("%5u%%", fills[f]);
        for (unsigned int w = 0; w < WAYS; w++) {
            const double t = median(ns[w][f], rounds);

            if (f == 0)
                first[w] = t;
            printf("  %9.1f %6.2f", t, t / first[w]);
        }
        printf("\n");
    }
    printf("\ntable: vtdpi_table_alloc() and _free(), which look at the entry: "
           "a megabyte,\nso caches count. allocator: src/index.c alone, 9 KiB. "
           "first fit: 8 KiB.\n");
    return true; /* time proves nothing */
}

#endif

/* What was allocated is allocated, and no more than that. */
static void audit(const struct subject *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < COUNT; i++)
        n += vtdpi_table_is_allocated(&s->table, i);
    must(n == s->n, "indexes leaked");
}

int main(int argc, char **argv)
{
    static struct subject subjects[FILLS];
    const bool smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t n = smoke ? 500 : 20000;
    const uint32_t rounds = smoke ? 3 : 31;
    bool ok;

    if (argc > 1 && !smoke) {
        (void)fputs("usage: index [--smoke]\n", stderr);
        return 2;
    }
    for (unsigned int f = 0; f < FILLS; f++)
        subject_up(&subjects[f], fills[f]);
    ok = report(subjects, n, rounds);
    for (unsigned int f = 0; f < FILLS; f++)
        audit(&subjects[f]);
    return ok ? 0 : 1;
}
