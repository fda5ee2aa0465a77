/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONTEXTS_MAX = 64,
    /* In lockstep another context goes first once in this many steps. */
    SWITCH_IN = 6,
    /* With all of them running, the processor is given away once in so many. */
    YIELD_IN = 32,
    STACK_BYTES = 512 * 1024,
    /* Turns in lockstep after which a run is not taken to come to an end. */
    TURNS_MAX = 300000,
};

enum ctx_state {
    CTX_READY, /* runs, or in lockstep: would run */
    CTX_PARKED,
    CTX_ENDED,
};

struct host_ctx {
    pthread_t thread;
    pthread_cond_t cond;
    void (*run)(void *arg);
    void *arg;
    void *private_;
    enum ctx_state state;
    bool permit;
    uint64_t random;
};

static struct {
    struct host_options options;
    pthread_mutex_t lock; /* of what follows */
    pthread_mutex_t user; /* host_lock() */
    struct host_ctx ctx[CONTEXTS_MAX];
    unsigned int count;
    unsigned int ready;
    struct host_ctx *current; /* in lockstep */
    uint64_t random;
    uint64_t serial;
    uint64_t turns;
} h = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .user = PTHREAD_MUTEX_INITIALIZER,
};

static _Thread_local struct host_ctx *self;

/* For ThreadSanitizer, if this is linked with it: an end is not delayed. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "atexit_sleep_ms=0";
}

void host_fail(const char *format, ...)
{
    static int failed;
    va_list args;

    /* The first one speaks. */
    if (__atomic_exchange_n(&failed, 1, __ATOMIC_SEQ_CST) != 0) {
        for (;;)
            (void)pause();
    }
    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    fflush(stderr);
    _exit(1);
}

static void must(bool ok, const char *what)
{
    if (!ok)
        host_fail("shim: %s failed", what);
}

/* Steele and Vigna's splitmix64. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t host_random(uint32_t n)
{
    return (uint32_t)((draw(&self->random) >> 32) * n >> 32);
}

/* The lock is held. Waits until it is the caller's turn. */
static void await_turn(void)
{
    while (self->state != CTX_READY ||
           (h.options.lockstep && h.current != self))
        must(pthread_cond_wait(&self->cond, &h.lock) == 0, "wait");
}

/* The lock is held. Somebody else who is ready gets the turn, if any is. */
static void pass_turn(void)
{
    unsigned int n = 0;
    unsigned int i;

    if (!h.options.lockstep)
        return;
    if (++h.turns > TURNS_MAX)
        host_fail("shim: the run goes on and on");
    h.current = NULL;
    for (i = 0; i < h.count; i++)
        n += h.ctx[i].state == CTX_READY && &h.ctx[i] != self;
    if (n == 0) {
        if (self->state == CTX_READY)
            h.current = self;
        return;
    }
    n = (unsigned int)(draw(&h.random) % n);
    for (i = 0;; i++) {
        if (h.ctx[i].state != CTX_READY || &h.ctx[i] == self)
            continue;
        if (n-- == 0)
            break;
    }
    h.current = &h.ctx[i];
    must(pthread_cond_signal(&h.ctx[i].cond) == 0, "signal");
}

static void take(pthread_mutex_t *m)
{
    must(pthread_mutex_lock(m) == 0, "lock");
}

static void give(pthread_mutex_t *m)
{
    must(pthread_mutex_unlock(m) == 0, "unlock");
}

void host_lock(void)
{
    take(&h.user);
}

void host_unlock(void)
{
    give(&h.user);
}

/*
 * The lock is held; the caller is the last that is ready, and is about to wait
 * or to end. It stays ready during the call, so that no other context gets here.
 */
static void ask_idle(void)
{
    bool more;

    give(&h.lock);
    more = h.options.idle != NULL && h.options.idle();
    take(&h.lock);
    if (!more) {
        give(&h.lock);
        if (h.options.dump != NULL)
            h.options.dump();
        host_fail("shim: deadlock: every thread waits, and none has a timeout");
    }
}

void host_park(void)
{
    take(&h.lock);
    while (!self->permit && h.ready == 1)
        ask_idle();
    if (!self->permit) {
        self->state = CTX_PARKED;
        h.ready--;
        pass_turn();
    }
    await_turn();
    self->permit = false;
    give(&h.lock);
}

void host_unpark(struct host_ctx *ctx)
{
    take(&h.lock);
    ctx->permit = true;
    if (ctx->state == CTX_PARKED) {
        ctx->state = CTX_READY;
        h.ready++;
        /* In lockstep it waits for its turn. */
        must(pthread_cond_signal(&ctx->cond) == 0, "signal");
    }
    give(&h.lock);
}

void host_relax(void)
{
    if (!h.options.lockstep) {
        (void)sched_yield();
        return;
    }
    take(&h.lock);
    pass_turn();
    await_turn();
    give(&h.lock);
}

void host_step(void)
{
    if (host_random(h.options.lockstep ? SWITCH_IN : YIELD_IN) == 0)
        host_relax();
}

/* The place of one that has ended is taken again. */
static struct host_ctx *new_ctx(void)
{
    struct host_ctx *c = h.ctx;

    while (c < h.ctx + h.count && c->state != CTX_ENDED)
        c++;
    must(c < h.ctx + CONTEXTS_MAX, "one context more");
    if (c < h.ctx + h.count) {
        /* It needs nothing any more that the caller has. */
        must(pthread_join(c->thread, NULL) == 0, "join");
    } else {
        must(pthread_cond_init(&c->cond, NULL) == 0, "condition");
        h.count++;
    }
    c->random = h.options.seed + (++h.serial << 32);
    c->random = draw(&c->random);
    c->private_ = NULL;
    c->permit = false;
    c->state = CTX_READY;
    h.ready++;
    return c;
}

/* The lock is held. */
static bool any_parked(void)
{
    for (unsigned int i = 0; i < h.count; i++)
        if (h.ctx[i].state == CTX_PARKED)
            return true;
    return false;
}

static void end_self(void)
{
    take(&h.lock);
    while (h.ready == 1 && any_parked())
        ask_idle();
    self->state = CTX_ENDED;
    h.ready--;
    pass_turn();
    give(&h.lock);
}

static void *ctx_main(void *arg)
{
    self = arg;
    take(&h.lock);
    await_turn();
    give(&h.lock);
    self->run(self->arg);
    end_self();
    return NULL;
}

void host_spawn(struct host_ctx **ctx, void (*run)(void *arg), void *arg)
{
    struct host_ctx *c;
    pthread_attr_t attr;

    take(&h.lock);
    c = new_ctx();
    c->run = run;
    c->arg = arg;
    *ctx = c;
    must(pthread_attr_init(&attr) == 0 &&
             pthread_attr_setstacksize(&attr, STACK_BYTES) == 0,
         "stack size");
    must(pthread_create(&c->thread, &attr, ctx_main, c) == 0, "new thread");
    (void)pthread_attr_destroy(&attr);
    give(&h.lock);
}

void host_begin(const struct host_options *options)
{
    take(&h.lock);
    h.options = *options;
    h.random = options->seed;
    self = new_ctx();
    h.current = self;
    give(&h.lock);
}

void host_end(void)
{
    end_self();
    for (unsigned int i = 0; i < h.count; i++)
        if (&h.ctx[i] != self)
            must(pthread_join(h.ctx[i].thread, NULL) == 0, "join");
    for (unsigned int i = 0; i < h.count; i++) {
        must(pthread_cond_destroy(&h.ctx[i].cond) == 0, "condition");
        h.ctx[i] = (struct host_ctx){0};
    }
    h.count = 0;
    h.ready = 0;
    h.serial = 0;
    h.turns = 0;
    self = NULL;
}

struct host_ctx *host_self(void)
{
    return self;
}

void host_set_private(void *p)
{
    self->private_ = p;
}

void *host_private(void)
{
    return self == NULL ? NULL : self->private_;
}

void *host_alloc(size_t size, size_t align)
{
    void *p = aligned_alloc(align, (size + align - 1) / align * align);

    must(p != NULL, "allocation");
    return p;
}

void host_free(void *p)
{
    free(p);
}
