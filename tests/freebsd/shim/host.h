/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_HOST_H
#define SHIM_HOST_H

/*
 * What the shim needs of the system it runs on: contexts of execution, memory,
 * random numbers, output. The only part that sees a C library; the rest is
 * built like a kernel, against the headers below include/ alone.
 *
 * A context is a thread of the host. It is parked or it runs. In lockstep one
 * context runs at a time, and which one goes on is drawn from the seed, so that
 * a run can be repeated exactly; else all of them run as the host likes.
 *
 * When every context is parked nothing can happen any more by itself. Then the
 * idle function is asked: it unparks somebody (time goes by), or there is a
 * deadlock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_ctx;

struct host_options {
    uint64_t seed;
    bool lockstep;
    /* Called when all are parked; false: it unparked nobody. */
    bool (*idle)(void);
    /* Describes the state of the world, for a run that is stuck. */
    void (*dump)(void);
};

/* The caller becomes the first context. */
void host_begin(const struct host_options *options);

/* All other contexts have ended; the caller is no context any more. */
void host_end(void);

/* Starts a context, which is in *ctx before it runs. */
void host_spawn(struct host_ctx **ctx, void (*run)(void *arg), void *arg);

struct host_ctx *host_self(void);

/* A pointer for the layer above contexts. */
void host_set_private(void *p);
void *host_private(void);

/* A place at which others may go first. */
void host_step(void);

/* Others must go first, if there are any: a pause in a polling loop. */
void host_relax(void);

/* Waits for a permit, which it takes. At most one is kept. */
void host_park(void);
void host_unpark(struct host_ctx *ctx);

/* One lock for all that is not a hot path; no park, step or relax within. */
void host_lock(void);
void host_unlock(void);

/* Random numbers of this context: 0 to n - 1. */
uint32_t host_random(uint32_t n);

void *host_alloc(size_t size, size_t align);
void host_free(void *p);

/* A line for people, to the standard error; ends the program. */
_Noreturn void host_fail(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));

#endif
