/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops that wait: they end if somebody ends them, and are told of if nobody does. */
#include "engine.h"

#include <string.h>

/* What the fibers share. */
static struct {
    uint64_t flag;
    uint64_t steps;
    uint64_t waited[2];
} shared;

/* How the waits go wrong. */
static enum {
    SOUND,
    NOBODY_SETS,
    NO_PAUSE,
} mode;

static unsigned int tests;
static bool failed;
static struct ex_result result;

static void report(bool good, const char *what)
{
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++tests, what);
    failed = failed || !good;
}

static void setter(void *arg)
{
    (void)arg;
    for (uint64_t i = 1; i < 4; i++)
        ex_store(&shared.steps, i);
    if (mode != NOBODY_SETS)
        ex_store(&shared.flag, 1);
}

/* Two of these read at once: a load of another fiber ends no pause. */
static void waiter(void *arg)
{
    while (ex_load(&shared.flag) == 0) {
        if (mode != NO_PAUSE)
            ex_pause();
    }
    ex_store(arg, ex_load(&shared.steps));
}

static void setup(void *ctx)
{
    (void)ctx;
    memset(&shared, 0, sizeof shared);
    ex_range(&shared, sizeof shared);
    (void)ex_spawn("setter", setter, NULL);
    for (unsigned int i = 0; i < 2; i++)
        (void)ex_spawn("waiter", waiter, &shared.waited[i]);
}

static void check(void *ctx)
{
    (void)ctx;
}

static void check_final(void *ctx)
{
    (void)ctx;
    for (unsigned int i = 0; i < 3; i++) {
        if (ex_fiber(i)->kind != EX_DONE)
            ex_fail("X: %s waits for ever", ex_fiber(i)->name);
    }
    if (shared.waited[0] != 3 || shared.waited[1] != 3)
        ex_fail("V: stores out of order");
}

static void written(void *ctx, const uint64_t *addr, uint64_t old,
                    uint64_t value)
{
    (void)ctx;
    (void)addr;
    (void)old;
    (void)value;
}

static const struct ex_world world = {
    .arena = &shared,
    .arena_size = sizeof shared,
    .setup = setup,
    .check = check,
    .check_final = check_final,
    .written = written,
};

static void test_wait(bool tso, bool eager, int preemptions)
{
    const struct ex_limits limits = {tso, true, eager, preemptions, 0};
    char what[100];

    (void)snprintf(what, sizeof what, "%s, %s, %s", tso ? "tso" : "sc",
                   eager ? "eager" : "plain",
                   preemptions == EX_UNBOUNDED ? "all interleavings"
                                               : "bounded");
    mode = SOUND;
    ex_explore(&world, &limits, &result);
    report(result.complete && !result.failed, what);
    mode = NOBODY_SETS;
    ex_explore(&world, &limits, &result);
    report(result.failed && strstr(result.failure, "waits for ever") != NULL,
           "a flag that nobody sets is waited for in vain");
}

/* Without a pause a loop that waits has a schedule in which it does not end. */
static void test_endless(void)
{
    const struct ex_limits limits = {false, true, false, 2, 0};
    static struct ex_schedule again;

    mode = NO_PAUSE;
    ex_explore(&world, &limits, &result);
    report(result.failed && strstr(result.failure, "cpu_relax") != NULL,
           "a loop without a pause is told of");
    again = result.schedule;
    ex_minimise(&world, false, &again);
    report(ex_replay(&world, false, &again, NULL),
           "and its schedule, minimised, fails again");
}

int main(void)
{
    for (unsigned int i = 0; i < 8; i++)
        test_wait((i & 1) != 0, (i & 2) != 0, (i & 4) != 0 ? 2 : EX_UNBOUNDED);
    test_endless();
    printf("1..%u\n", tests);
    return failed;
}
