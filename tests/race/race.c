/* SPDX-License-Identifier: BSD-2-Clause */
#include "race.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

/* Builds that are slow do less, unless told. */
#ifndef RACE_DIVISOR
#define RACE_DIVISOR 1
#endif

enum {
    THREADS_MAX = 32,
    MEMORIES_MAX = 64,
};

struct thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
};

struct race_threads {
    struct thread thread[THREADS_MAX];
    unsigned int count;
};

static void *memories[MEMORIES_MAX];
static unsigned int memory_count;
static const char *program = "race";

static uint64_t number(const char *text)
{
    char *end;
    const uint64_t n = strtoull(text, &end, 0);

    if (*text == '\0' || *end != '\0')
        race_fail("'%s' is not a number", text);
    return n;
}

static void usage(const char *name)
{
    fprintf(stderr, "usage: %s [--ops N] [--seed N] [--seconds N]\n", name);
    exit(2);
}

static void free_memories(void)
{
    while (memory_count > 0)
        free(memories[--memory_count]);
}

/* An option, its default, and the variable that overrides the default. */
static uint64_t option(int argc, char **argv, const char *name,
                       const char *variable, uint64_t otherwise)
{
    const char *env = variable == NULL ? NULL : getenv(variable);
    uint64_t value = env == NULL ? otherwise : number(env);

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0)
            value = number(argv[i + 1]);
    }
    return value;
}

static void check_usage(int argc, char **argv)
{
    if (argc % 2 == 0)
        usage(program);
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--ops") != 0 && strcmp(argv[i], "--seed") != 0 &&
            strcmp(argv[i], "--seconds") != 0)
            usage(program);
    }
}

static uint64_t clock_seconds(void)
{
    struct timespec now;

    race_check(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec;
}

int race_main(int argc, char **argv, uint64_t ops,
              void (*round)(const struct race_options *o))
{
    const uint64_t begin = clock_seconds();
    const char *slash = strrchr(argv[0], '/');
    struct race_options o;
    uint64_t seconds;

    program = slash == NULL ? argv[0] : slash + 1;
    check_usage(argc, argv);
    o.ops = option(argc, argv, "--ops", "RACE_OPS", ops / RACE_DIVISOR);
    o.seed = option(argc, argv, "--seed", NULL, 1);
    seconds = option(argc, argv, "--seconds", "RACE_SECONDS", 0);
    do {
        printf("%s: ops %" PRIu64 ", seed %" PRIu64 "\n", program, o.ops,
               o.seed);
        fflush(stdout);
        round(&o);
        free_memories();
        o.seed++;
    } while (clock_seconds() - begin < seconds);
    return 0;
}

void race_fail(const char *format, ...)
{
    static uint64_t failed;
    va_list args;

    /* The first one speaks; others would only bury it. */
    if (vtdpi_atomic_xchg64(&failed, 1) != 0) {
        for (;;)
            (void)pause();
    }
    fflush(stdout);
    fprintf(stderr, "%s: FAILED: ", program);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(1);
}

void support_fail(const char *file, int line, const char *what)
{
    race_fail("%s:%d: %s is false", file, line, what);
}

/* Steele and Vigna's splitmix64. */
uint64_t race_random(struct race_rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct race_rng race_rng(uint64_t seed, uint64_t stream)
{
    struct race_rng r = {seed + (stream << 32)};

    r.state = race_random(&r);
    return r;
}

uint32_t race_below(struct race_rng *r, uint32_t n)
{
    return (uint32_t)((race_random(r) >> 32) * n >> 32);
}

bool race_one_in(struct race_rng *r, uint32_t n)
{
    return race_below(r, n) == 0;
}

void race_yield(void)
{
    (void)sched_yield();
}

struct race_threads *race_threads_new(void)
{
    return race_memory(sizeof(struct race_threads));
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;

    t->run(t->arg);
    return NULL;
}

void race_start(struct race_threads *t, void (*run)(void *arg), void *arg)
{
    struct thread *th = &t->thread[t->count++];

    race_check(t->count <= THREADS_MAX);
    th->run = run;
    th->arg = arg;
    race_check(pthread_create(&th->id, NULL, thread_main, th) == 0);
}

void race_join(struct race_threads *t)
{
    for (unsigned int i = 0; i < t->count; i++)
        race_check(pthread_join(t->thread[i].id, NULL) == 0);
    t->count = 0;
}

void *race_memory(size_t size)
{
    void *p = support_memory(size);

    race_check(memory_count < MEMORIES_MAX);
    memories[memory_count++] = p;
    return p;
}
