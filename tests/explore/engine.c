/* SPDX-License-Identifier: BSD-2-Clause */
/* The search: depth first over the steps that are possible in each state. */
#include "internal.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

struct ex_state ex = {.running = EX_NOBODY};

/* A state on the path of the search, with what is left to try in it. */
struct node {
    uint32_t left;     /* bit mask of steps */
    uint32_t path;     /* length of the schedule that leads here */
    unsigned int last; /* fiber that took the last step */
    unsigned int cost; /* preemptions so far */
    bool midway;       /* `last` could go on */
    bool moved;        /* the execution has gone on from here */
};

static struct {
    struct node node[EX_STEPS];
    unsigned int depth;
    struct ex_schedule path;
    unsigned int last;
    unsigned int cost;
    struct ex_seen seen;
    struct ex_seen finals;
    const struct ex_limits *limits;
    struct ex_result *result;
} search;

void ex_fail(const char *format, ...)
{
    va_list args;

    if (ex.failed)
        return;
    ex.failed = true;
    va_start(args, format);
    (void)vsnprintf(ex.failure, sizeof ex.failure, format, args);
    va_end(args);
}

void ex_require(int rc)
{
    if (rc != 0)
        ex_fail("setup: error %d", rc);
}

void ex_fail_endless(void)
{
    ex_fail("X: more than %d steps: a loop that does not end, or waits without "
            "cpu_relax()",
            EX_STEPS);
}

const char *ex_failure(void)
{
    return ex.failed ? ex.failure : NULL;
}

const struct ex_fiber *ex_fiber(unsigned int n)
{
    return n < ex.fibers ? &ex.fiber[n] : NULL;
}

unsigned int ex_running(void)
{
    return ex.running;
}

void ex_range(void *addr, size_t size)
{
    if (ex.ranges == EX_RANGES || size % 8 != 0) {
        ex_fail("range %u does not fit", ex.ranges);
        return;
    }
    ex.range[ex.ranges].addr = addr;
    ex.range[ex.ranges].size = size;
    ex.ranges++;
}

void ex_plain(void *addr, size_t size)
{
    ex.plain.addr = addr;
    ex.plain.size = size;
}

unsigned int ex_spawn(const char *name, void (*entry)(void *arg), void *arg)
{
    struct ex_fiber *const f = &ex.fiber[ex.fibers];

    if (ex.fibers == EX_FIBERS) {
        ex_fail("too many fibers");
        return 0;
    }
    memset(f, 0, sizeof *f);
    f->name = name;
    f->entry = entry;
    f->arg = arg;
    /* Not zeros: a zero that is read has to leave a trace. */
    f->history[0] = 1;
    return ex.fibers++;
}

/* Fibers stop before their first step. */
void ex_begin(const struct ex_world *world, bool tso)
{
    memset(&ex, 0, sizeof ex);
    ex.world = world;
    ex.tso = tso;
    ex.running = EX_NOBODY;
    world->setup(world->ctx);
    ex_conflict_ranges();
    for (unsigned int i = 0; i < ex.fibers; i++) {
        ex_fiber_prepare(i);
        ex_fiber_resume(i);
    }
}

static bool able(unsigned int n)
{
    const struct ex_fiber *const f = &ex.fiber[n];

    if (f->kind == EX_DONE ||
        (ex.world->held != NULL && ex.world->held(ex.world->ctx, n)))
        return false;
    if (f->kind == EX_PAUSE)
        return !f->paused;
    return f->kind != EX_HOST || f->ready == NULL || f->ready(f->ready_arg);
}

uint32_t ex_possible(void)
{
    uint32_t mask = 0;

    for (unsigned int i = 0; i < ex.fibers; i++) {
        if (able(i))
            mask |= 1U << i;
        if (ex.fiber[i].stored != 0)
            mask |= 1U << (EX_FIBERS + i);
    }
    return mask;
}

static void take(uint8_t step)
{
    const struct ex_fiber *const f = &ex.fiber[step % EX_FIBERS];

    if (step >= EX_FIBERS || (f->kind != EX_LOAD && f->kind != EX_PAUSE))
        ex_unpause(step % EX_FIBERS);
    if (step < EX_FIBERS) {
        ex_fiber_resume(step);
        return;
    }
    /* The store is the fiber's own, whenever it becomes visible. */
    ex.running = step - EX_FIBERS;
    ex_flush_one(&ex.fiber[ex.running]);
    ex.running = EX_NOBODY;
}

bool ex_step(uint8_t step)
{
    if (step >= 2 * EX_FIBERS || (ex_possible() & (1U << step)) == 0)
        return false;
    take(step);
    return true;
}

/* Judge the present state; the steps that are possible in it. */
static uint32_t look(void)
{
    const uint32_t possible = ex_possible();

    if (!ex.failed)
        ex.world->check(ex.world->ctx);
    if (!ex.failed && possible == 0)
        ex.world->check_final(ex.world->ctx);
    return possible;
}

bool ex_look(void)
{
    return look() == 0;
}

static void record(uint8_t step)
{
    if (search.path.length == EX_STEPS) {
        ex_fail_endless();
        return;
    }
    search.path.step[search.path.length++] = step;
    search.result->steps++;
    if (search.path.length > search.result->depth)
        search.result->depth = search.path.length;
}

/* Whether the next step of fiber @n may be taken before all others. */
static bool commutes(unsigned int n)
{
    const struct ex_fiber *const f = &ex.fiber[n];

    switch (f->kind) {
    case EX_LOAD:
        return !ex_shared(f->addr);
    case EX_STORE:
        /* Into the buffer: nobody sees it. */
        return ex.tso ? f->stored < EX_BUFFER : !ex_shared(f->addr);
    case EX_LOCKED:
        return f->stored == 0 && !ex_shared(f->addr);
    default:
        return false;
    }
}

/* Take all steps that commute with those of others. */
static void settle(void)
{
    for (unsigned int i = 0; i < ex.fibers && !ex.failed;) {
        struct ex_fiber *const f = &ex.fiber[i];

        if (f->stored != 0 && !ex_shared(f->buffer[0].addr)) {
            record((uint8_t)(EX_FIBERS + i));
            take((uint8_t)(EX_FIBERS + i));
        } else if (commutes(i)) {
            record((uint8_t)i);
            take((uint8_t)i);
        } else {
            i++;
        }
    }
}

static bool bounded(void)
{
    return search.limits->preemptions != EX_UNBOUNDED;
}

/* Leaving a fiber that could go on is a preemption. */
static unsigned int cost_of(const struct node *node, unsigned int step)
{
    return node->midway && step < EX_FIBERS && step != node->last;
}

static void final_state(void)
{
    const struct ex_digest d = ex_digest_words();

    if (!ex_seen_add(&search.finals, d, 0))
        return;
    search.result->finals++;
    search.result->final_set += d.a ^ (d.b << 1);
}

/* The steps to try in the present state. With no preemption left only the
 * last fiber goes on, if it can. */
static uint32_t allowed(uint32_t possible, bool midway)
{
    const uint32_t flushes = possible & ~((1U << EX_FIBERS) - 1);

    if (midway && search.cost == (unsigned int)search.limits->preemptions)
        return (1U << search.last) | flushes;
    return possible;
}

static void take_recorded(uint8_t step)
{
    if (step < EX_FIBERS)
        search.last = step;
    record(step);
    take(step);
}

/* To go on from here later. */
static void push(uint32_t left, bool midway)
{
    struct node *const node = &search.node[search.depth];

    search.result->states++;
    if (search.depth == EX_STEPS) {
        ex_fail_endless();
        return;
    }
    node->left = left;
    node->path = search.path.length;
    node->last = search.last;
    node->cost = search.cost;
    node->midway = midway;
    node->moved = false;
    ex_snapshot_save(search.depth);
    search.depth++;
}

/* Whether the present state was expanded before, at no higher cost. */
static bool seen_before(void)
{
    return search.limits->cache &&
           !ex_seen_add(&search.seen,
                        ex_digest_state(bounded() ? search.last : 0),
                        search.cost);
}

/*
 * A state was reached: judge it, and go on from it unless it was seen. Where
 * only one step can follow it is taken at once, and the state is not kept.
 */
static void arrive(void)
{
    for (;;) {
        uint32_t possible;
        uint32_t left;
        bool midway;

        if (search.limits->eager)
            settle();
        possible = look();
        if (possible == 0 || ex.failed)
            break;
        midway = bounded() && search.last != EX_NOBODY &&
                 (possible & (1U << search.last)) != 0;
        left = allowed(possible, midway);
        if ((left & (left - 1)) != 0) {
            if (seen_before())
                break;
            push(left, midway);
            return;
        }
        take_recorded((uint8_t)__builtin_ctz(left));
    }
    search.result->executions++;
    if (!ex.failed && ex_possible() == 0)
        final_state();
}

/* The last fiber first: the first execution has no preemption. */
static unsigned int choose(struct node *node)
{
    unsigned int step;

    if (node->last != EX_NOBODY && (node->left & (1U << node->last)) != 0)
        step = node->last;
    else
        step = (unsigned int)__builtin_ctz(node->left);
    node->left &= ~(1U << step);
    return step;
}

static void advance(void)
{
    struct node *const node = &search.node[search.depth - 1];
    unsigned int step;
    unsigned int cost;

    if (node->left == 0) {
        search.depth--;
        return;
    }
    step = choose(node);
    cost = node->cost + cost_of(node, step);
    if (bounded() && cost > (unsigned int)search.limits->preemptions)
        return;
    if (node->moved)
        ex_snapshot_restore(search.depth - 1);
    node->moved = true;
    search.path.length = node->path;
    search.cost = cost;
    search.last = node->last;
    take_recorded((uint8_t)step);
    arrive();
}

/* One search, until it is done, fails, or a word turns out to be shared. */
static bool round_done(const struct ex_world *world)
{
    struct ex_result *const r = search.result;

    ex_begin(world, search.limits->tso);
    ex_seen_clear(&search.seen);
    ex_seen_clear(&search.finals);
    ex_snapshot_reset();
    r->executions = r->states = r->steps = r->finals = r->final_set = 0;
    r->depth = 0;
    search.depth = 0;
    search.path.length = 0;
    search.cost = 0;
    search.last = EX_NOBODY;
    r->rounds++;
    arrive();
    while (search.depth != 0 && !ex.failed) {
        if (search.limits->eager && ex_conflict_new())
            return false;
        if (search.limits->states != 0 && r->states >= search.limits->states)
            return true;
        advance();
    }
    return ex.failed || !search.limits->eager || !ex_conflict_new();
}

/* Of this process, not of the machine. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

void ex_explore(const struct ex_world *world, const struct ex_limits *limits,
                struct ex_result *result)
{
    const double start = seconds();

    memset(result, 0, sizeof *result);
    search.limits = limits;
    search.result = result;
    ex_conflict_reset();
    while (!round_done(world))
        ;
    result->complete = search.depth == 0 && !ex.failed;
    result->failed = ex.failed;
    if (ex.failed) {
        memcpy(result->failure, ex.failure, sizeof result->failure);
        result->schedule = search.path;
    }
    ex_seen_clear(&search.seen);
    ex_seen_clear(&search.finals);
    result->seconds = seconds() - start;
}
