/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory models of the explorer, by litmus tests: what may come out of each is
 * known for sequentially consistent memory (SC), and for the store buffers of x86
 * (TSO). What comes out under SC also comes out under TSO with as many preemptions.
 */
#include "engine.h"

#include <string.h>

enum {
    FIBERS = 4,
    OPS = 9,
    OUTCOMES = 10000, /* four digits */
};

enum word {
    X,
    Y,
    Z,
    WORDS
};

struct op {
    enum {
        END,
        LOAD,
        STORE,
        LOCKED,
        HOST
    } what;
    enum word word;
    uint64_t value;
};

#define LD(word)      \
    {                 \
        LOAD, word, 0 \
    }
#define ST(word, value)    \
    {                      \
        STORE, word, value \
    }
#define LCK(word, value)    \
    {                       \
        LOCKED, word, value \
    }

/* An outcome is a number whose digits are the values that were loaded, in the order of
 * this text, and behind them the last values of the words @last. */
struct litmus {
    const char *name;
    struct op fiber[FIBERS][OPS];
    const char *last;
    int sc[16];   /* the outcomes, up to -1 */
    int more[16]; /* what TSO has besides */
    int free[4];  /* under TSO without a preemption, among others */
};

static const struct litmus tests[] = {
    {.name = "store, then load of the other's word",
     .fiber = {{ST(X, 1), LD(Y)}, {ST(Y, 1), LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {0, -1},
     .free = {-1}},
    {.name = "the same with locked operations",
     .fiber = {{LCK(X, 1), LD(Y)}, {LCK(Y, 1), LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "the same with an action of the host in between",
     .fiber = {{ST(X, 1), {HOST, X, 0}, LD(Y)},
               {ST(Y, 1), {HOST, X, 0}, LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "the same with a locked operation in between",
     .fiber = {{ST(X, 1), LCK(Z, 1), LD(Y)}, {ST(Y, 1), LCK(Z, 1), LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "the same, each with a word of its own",
     .fiber = {{ST(X, 1), LCK(Z, 1), LD(Y)}, {LCK(Y, 1), LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {-1},
     .free = {-1}},
    /* The seventh store makes the first one visible. */
    {.name = "more stores than a buffer has entries",
     .fiber = {{ST(X, 1), ST(Z, 1), ST(Z, 2), ST(Z, 3), ST(Z, 4), ST(Z, 5),
                ST(Z, 6), LD(Y)},
               {LCK(Y, 1), LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "the same with a barrier on one side only",
     .fiber = {{LCK(X, 1), LD(Y)}, {ST(Y, 1), LD(X)}},
     .sc = {1, 10, 11, -1},
     .more = {0, -1},
     .free = {-1}},
    {.name = "one's own store is seen from the buffer",
     .fiber = {{ST(X, 1), LD(X), LD(Y)}, {ST(Y, 1), LD(Y), LD(X)}},
     .sc = {1011, 1110, 1111, -1},
     .more = {1010, -1},
     .free = {-1}},
    {.name = "stores become visible in order",
     .fiber = {{ST(X, 1), ST(Y, 1)}, {LD(Y), LD(X)}},
     .sc = {0, 1, 11, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "a store does not overtake a load",
     .fiber = {{LD(X), ST(Y, 1)}, {LD(Y), ST(X, 1)}},
     .sc = {0, 1, 10, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "a word has one order of values",
     .fiber = {{ST(X, 1), ST(X, 2)}, {LD(X), LD(X)}},
     .sc = {0, 1, 2, 11, 12, 22, -1},
     .more = {-1},
     .free = {1, 12, 2, -1}},
    {.name = "two words, stored in both orders",
     .fiber = {{ST(X, 1), ST(Y, 2)}, {ST(Y, 1), ST(X, 2)}},
     .last = "xy",
     .sc = {12, 21, 22, -1},
     .more = {-1},
     .free = {-1}},
    {.name = "a store that is last, before a load",
     .fiber = {{ST(X, 1), ST(Y, 1)}, {ST(Y, 2), LD(X)}},
     .last = "y",
     .sc = {1, 11, 12, -1},
     .more = {2, -1},
     .free = {-1}},
    {.name = "all see two stores in the same order",
     .fiber = {{ST(X, 1)}, {ST(Y, 1)}, {LD(X), LD(Y)}, {LD(Y), LD(X)}},
     .sc = {0, 1, 10, 11, 100, 101, 110, 111, 1000, 1001, 1011, 1100, 1101,
            1110, 1111, -1},
     .more = {-1},
     .free = {-1}},
    /* With one preemption 11 needs the flush of the first store, the preemption, and
     * no more: fibers are under way, so a flush that cost a preemption is found. */
    {.name = "a store is seen before the next",
     .fiber = {{LCK(Z, 1), ST(X, 1), LD(Y), ST(X, 2)},
               {LCK(Z, 1), LD(X), ST(Y, 1)}},
     .sc = {0, 1, 2, 10, 11, -1},
     .more = {-1},
     .free = {-1}},
};

static struct {
    uint64_t word[WORDS];
    uint64_t loaded[FIBERS][OPS];
} shared;

static const struct litmus *litmus;
static bool *outcomes; /* that are reached */
static struct ex_result result;
static unsigned int reports;
static bool failed;

static void report(bool good, const char *what)
{
    printf("%s %u - %s: %s\n", good ? "ok" : "not ok", ++reports, litmus->name,
           what);
    failed = failed || !good;
}

static void run_fiber(void *arg)
{
    const unsigned int n = *(const unsigned int *)arg;

    for (unsigned int i = 0; i < OPS; i++) {
        const struct op *const op = &litmus->fiber[n][i];
        uint64_t *const p = &shared.word[op->word];

        if (op->what == LOAD)
            shared.loaded[n][i] = ex_load(p);
        else if (op->what == LOCKED)
            (void)ex_exchange(p, op->value);
        else if (op->what == STORE)
            ex_store(p, op->value);
        else if (op->what == HOST)
            ex_host(NULL, NULL);
    }
}

static void setup(void *ctx)
{
    static unsigned int number[FIBERS] = {0, 1, 2, 3};

    (void)ctx;
    memset(&shared, 0, sizeof shared);
    ex_range(&shared, sizeof shared);
    for (unsigned int i = 0; i < FIBERS; i++)
        (void)ex_spawn("fiber", run_fiber, &number[i]);
}

static void check(void *ctx)
{
    (void)ctx;
}

static void check_final(void *ctx)
{
    unsigned int outcome = 0;

    (void)ctx;
    for (unsigned int n = 0; n < FIBERS; n++) {
        for (unsigned int i = 0; i < OPS; i++) {
            if (litmus->fiber[n][i].what == LOAD)
                outcome = outcome * 10 + (unsigned int)shared.loaded[n][i];
        }
    }
    for (const char *p = litmus->last; p != NULL && *p != '\0'; p++)
        outcome = outcome * 10 + (unsigned int)shared.word[*p - 'x'];
    outcomes[outcome % OUTCOMES] = true;
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

static bool explore(bool *into, const struct ex_limits *limits)
{
    memset(into, 0, OUTCOMES * sizeof *into);
    outcomes = into;
    ex_explore(&world, limits, &result);
    return result.complete;
}

static bool is_listed(const int *list, int outcome)
{
    while (*list != -1 && *list != outcome)
        list++;
    return *list != -1;
}

/* All interleavings, with and without each reduction. */
static void test_outcomes(bool tso)
{
    static bool reached[OUTCOMES];
    bool good = true;

    for (unsigned int i = 0; i < 4; i++) {
        const struct ex_limits limits = {tso, (i & 1) != 0, (i & 2) != 0,
                                         EX_UNBOUNDED, 0};

        good = explore(reached, &limits) && good;
        for (int n = 0; n < OUTCOMES; n++) {
            if (reached[n] != (is_listed(litmus->sc, n) ||
                               (tso && is_listed(litmus->more, n))))
                good = false;
        }
    }
    report(good, tso ? "TSO" : "SC");
}

static void test_bounded(void)
{
    static bool sc[OUTCOMES];
    static bool tso[OUTCOMES];
    bool good = true;

    for (unsigned int i = 0; i < 8; i++) {
        struct ex_limits limits = {false, true, (i & 1) != 0, (int)(i / 2), 0};

        good = explore(sc, &limits) && good;
        limits.tso = true;
        good = explore(tso, &limits) && good;
        for (int n = 0; n < OUTCOMES; n++)
            good = good && (tso[n] || !sc[n]);
        for (const int *n = litmus->free; *n != -1; n++)
            good = good && tso[*n];
    }
    report(good, "TSO has what SC has, with 0 to 3 preemptions");
}

int main(void)
{
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        litmus = &tests[i];
        test_outcomes(false);
        test_outcomes(true);
        test_bounded();
    }
    printf("1..%u\n", reports);
    return failed;
}
