/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer checked against itself: on small scenarios the reduced search
 * and the full one, which follows every execution to its end, reach the same
 * set of final states; and schedules survive being written and read.
 */
#include "engine.h"
#include "hooks.h"
#include "scenarios.h"

#include <string.h>

/* Few enough executions to follow each to its end. */
static const struct scenario small[] = {
    {.name = "software post, run and sync",
     .script = {VCPU("A", RUN(A, 0), SYNC(A)), POSTER("cpu", POST(A, V209))}},
    {.name = "preempt and rescan",
     .script = {VCPU("A", PREEMPT(A)), ADMIN("admin", RESCAN(0))}},
    {.name = "unit's post, run and preempt",
     .script = {VCPU("A", RUN(A, 0), PREEMPT(A)),
                POSTER("unit", UNIT(A, V65))}},
};

/* Here the states are few, but not the executions. */
static const struct scenario medium[] = {
    {.name = "unit's post and block",
     .script = {VCPU("A", BLOCK(A, 0), SLEEP(A)),
                POSTER("unit", UNIT(A, V65))}},
    {.name = "detach and the slot's next vCPU",
     .script = {VCPU("A", DETACH(A)), VCPU("C", ATTACH(C), BLOCK(C, 0)),
                ADMIN("noise", SPURIOUS(0))}},
    {.name = "block and offline",
     .script = {VCPU("A", BLOCK(A, 0), SLEEP(A)), ADMIN("admin", OFFLINE(0)),
                POSTER("cpu", POST(A, V65))}},
};

static unsigned int tests;
static bool failed;

static void report(bool good, const char *what)
{
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++tests, what);
    failed = failed || !good;
}

static struct ex_result result;

/* The final states with or without one reduction each. */
static uint64_t finals(const struct scenario *s, unsigned int leaves, bool tso,
                       bool cache, bool eager)
{
    const struct world_options options = {s, leaves, HOST_OK};
    const struct ex_limits limits = {tso, cache, eager, EX_UNBOUNDED, 0};

    ex_explore(world_new(&options), &limits, &result);
    return result.complete ? result.final_set : 0;
}

/* @full: compare with no reduction at all, else with the cache alone. */
static void test_reductions(const struct scenario *s, unsigned int leaves,
                            bool tso, bool full)
{
    const uint64_t all = finals(s, leaves, tso, !full, false);
    const uint64_t states = result.states;
    const bool same = (!full || (finals(s, leaves, tso, true, false) == all &&
                                 finals(s, leaves, tso, false, true) == all)) &&
                      finals(s, leaves, tso, true, true) == all;
    char what[128];

    (void)snprintf(
        what, sizeof what,
        "%s, %u leaf words, %s: %llu final states, from %llu states"
        " instead of %llu",
        s->name, leaves, tso ? "TSO" : "SC", (unsigned long long)result.finals,
        (unsigned long long)result.states, (unsigned long long)states);
    report(all != 0 && same && result.states < states, what);
}

static void test_group(const struct scenario *s, size_t n, bool full)
{
    for (size_t i = 0; i < n; i++) {
        for (unsigned int leaves = 1; leaves <= 2; leaves++) {
            test_reductions(&s[i], leaves, false, full);
            test_reductions(&s[i], leaves, true, full);
        }
    }
}

/* Words that are read without atomics are part of what a fiber remembers. */
static void test_plain(bool posted)
{
    static const struct claims script = {1, {CLAIMS_POST}};
    struct ex_limits limits = {false, false, false, EX_UNBOUNDED, 0};
    uint64_t all;
    char what[128];

    ex_explore(claims_new(&script, posted), &limits, &result);
    all = result.complete ? result.final_set : 0;
    limits.cache = true;
    ex_explore(claims_new(&script, posted), &limits, &result);
    (void)snprintf(
        what, sizeof what, "claims, host form in %s format: %llu final states",
        posted ? "posted" : "remapped", (unsigned long long)result.finals);
    report(all != 0 && result.complete && result.final_set == all, what);
}

static void test_schedules(void)
{
    static struct ex_schedule s;
    char text[64];
    FILE *const out = tmpfile();
    size_t n;

    report(!ex_schedule_parse(&s, "1*") && !ex_schedule_parse(&s, "99") &&
               !ex_schedule_parse(&s, "1;2") &&
               !ex_schedule_parse(&s, "1*100000"),
           "what is not a schedule is refused");
    if (out == NULL || !ex_schedule_parse(&s, "0*3,12,1,0*2")) {
        report(false, "a schedule is read");
        return;
    }
    ex_schedule_print(&s, out);
    rewind(out);
    n = fread(text, 1, sizeof text - 1, out);
    text[n] = '\0';
    (void)fclose(out);
    report(s.length == 7 && s.step[3] == 12 &&
               strcmp(text, "0*3,12,1,0*2") == 0,
           "a schedule is written as it is read");
}

/* A failure is found, its schedule fails again, and no step is left over. */
static void test_minimised(void)
{
    const struct world_options options = {&medium[0], 1, HOST_MARK_AFTER_BLOCK};
    const struct ex_limits limits = {false, true, true, EX_UNBOUNDED, 0};
    const struct ex_world *const w = world_new(&options);
    static struct ex_schedule best;
    bool shortest = true;

    ex_explore(w, &limits, &result);
    report(result.failed && result.failure[0] == 'L',
           "a lost wakeup is found when the host arms its mark too late");
    best = result.schedule;
    ex_minimise(w, false, &best);
    report(best.length <= result.schedule.length,
           "its schedule gets no longer");
    for (uint32_t i = 0; i < best.length; i++) {
        static struct ex_schedule less;

        less = best;
        memmove(&less.step[i], &less.step[i + 1], best.length - i - 1);
        less.length--;
        if (ex_replay(w, false, &less, NULL) && less.length < best.length)
            shortest = false;
    }
    report(ex_replay(w, false, &best, NULL) && shortest,
           "minimised, it still fails, and no step of it can be dropped");
}

int main(void)
{
    hooks = &library_hooks;
    test_group(small, sizeof small / sizeof small[0], true);
    test_group(medium, sizeof medium / sizeof medium[0], false);
    test_plain(false);
    test_plain(true);
    test_schedules();
    test_minimised();
    printf("1..%u\n", tests);
    return failed;
}
