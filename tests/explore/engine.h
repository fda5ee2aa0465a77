/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_ENGINE_H
#define VTDPI_EXPLORE_ENGINE_H

/*
 * The explorer: runs fibers over a shared arena through every interleaving of
 * their steps, or through all with a bounded number of preemptions.
 *
 * A step is one atomic access of the code under test, one atomic action of the
 * modelled host, or the flush of one entry of a store buffer. The state after
 * each step is the shared words, and for each fiber where it is and what it
 * has read since it last forgot (ex_start()): code is deterministic, so that
 * is all that its future depends on. It is sound as long as every shared word
 * is read and written through this header, which access.c checks as far as it
 * can: what it is not told about must not be touched. Words that the code under
 * test reads without atomics are named by ex_plain().
 *
 * Reductions: states seen are not explored again; an access to a word that,
 * in this scenario, nobody else writes (or only its writer touches) is taken
 * at once, since it commutes with every step of the others. Which words these
 * are is found while exploring: when one turns out to be shared, the search
 * begins anew (conflict.c). Both can be switched off, and a test compares.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    EX_FIBERS = 12,
    EX_STACK = 16384,
    EX_BUFFER = 6,              /* entries of a store buffer */
    EX_STEPS = 4096,            /* longest execution */
    EX_PLAIN_ACCESSES = 100000, /* of one step */
    EX_RANGES = 64,             /* parts of the arenas that are state */
    EX_ARENAS = 8,              /* besides the first */
    EX_UNBOUNDED = 1000,        /* preemptions */
};

/* What a fiber does next, or has done. */
enum ex_kind {
    EX_START, /* begins an operation: remembers nothing */
    EX_HOST,  /* an action of the host, once it is ready */
    EX_LOAD,
    EX_STORE,
    EX_LOCKED, /* a read-modify-write: also empties the store buffer */
    EX_PAUSE,  /* in a loop that waits: once another fiber has done something */
    EX_DONE,
};

struct ex_entry {
    uint64_t *addr;
    uint64_t value;
    uint64_t mask; /* bits that are stored */
};

/* The future of a fiber depends on what precedes `sp`, and on nothing else. */
struct ex_fiber {
    enum ex_kind kind;
    uint32_t stored; /* entries in use, oldest first */
    struct ex_entry buffer[EX_BUFFER];
    uint64_t history[2];
    bool (*ready)(void *arg); /* of EX_HOST; NULL: always */
    void *ready_arg;
    void *sp;
    const void *addr; /* of the access to come */
    bool fresh;       /* its first access belongs to the step before it */
    bool paused;      /* at EX_PAUSE, and nothing has happened since */
    const char *name;
    void (*entry)(void *arg);
    void *arg;
};

struct ex_range {
    void *addr;
    size_t size;
};

/* What is explored. */
struct ex_world {
    /* Arenas: all shared words are in these; `ranges` are the parts that change,
     * all of it in units of 8 bytes. */
    void *arena;
    size_t arena_size;
    struct ex_range more[EX_ARENAS]; /* size 0: no further one */
    /* Build the initial state, with ex_spawn() for each fiber. */
    void (*setup)(void *ctx);
    /* Look at the state after each step; ex_fail() if it must not be. */
    void (*check)(void *ctx);
    /* Nothing can move any more. */
    void (*check_final)(void *ctx);
    /* A change of a word of an arena by the running fiber. */
    void (*written)(void *ctx, const uint64_t *addr, uint64_t old,
                    uint64_t value);
    /* Whether a fiber cannot go on: its CPU is in an interrupt. NULL: never. */
    bool (*held)(void *ctx, unsigned int fiber);
    void *ctx;
};

struct ex_limits {
    bool tso;        /* store buffers */
    bool cache;      /* cut states that were seen */
    bool eager;      /* take accesses to unshared words at once */
    int preemptions; /* EX_UNBOUNDED: all interleavings */
    uint64_t states; /* stop after that many; 0: never */
};

struct ex_schedule {
    uint32_t length;
    uint8_t step[EX_STEPS]; /* fiber; EX_FIBERS + fiber: flush */
};

struct ex_result {
    uint64_t executions; /* paths, to an end or to a state seen before */
    uint64_t states;
    uint64_t steps;
    uint64_t finals;    /* distinct final states */
    uint64_t final_set; /* order-independent digest of them */
    unsigned int rounds;
    uint32_t depth; /* longest path */
    bool complete;
    double seconds;
    bool failed;
    char failure[256];
    struct ex_schedule schedule; /* that failed */
};

/* engine.c */
void ex_explore(const struct ex_world *world, const struct ex_limits *limits,
                struct ex_result *result);
/* Begin an execution by hand: the initial state of @world. */
void ex_begin(const struct ex_world *world, bool tso);
/* Take a step; false if it is not possible now. */
bool ex_step(uint8_t step);
/* Bit mask of the steps that are possible. */
uint32_t ex_possible(void);
/* Look at a state that ex_step() reached; true if it is a final one. */
bool ex_look(void);
/* The execution has got as long as it may. */
void ex_fail_endless(void);
/* What failed in the running execution, or NULL. */
const char *ex_failure(void);
const struct ex_fiber *ex_fiber(unsigned int n);
unsigned int ex_running(void);

/* For setup. */
void ex_range(void *addr, size_t size);
/* The check after each step looks at this word: always shared. */
void ex_visible(const void *addr, size_t size);
/* A part of a range that the code under test reads and writes without atomics. What
 * a fiber may have read there is part of its history. Not with ex_limits.eager, which
 * does not see these accesses. */
void ex_plain(void *addr, size_t size);
unsigned int ex_spawn(const char *name, void (*entry)(void *arg), void *arg);

/* For fibers. Outside of a fiber (in setup) they do nothing. */

/* A new operation: what the fiber read before plays no part any more. @where
 * tells this place from all others of the fiber. */
void ex_start(uint64_t where);
/* The same without a step of its own. */
void ex_forget(uint64_t where);
/* Wait until ready(arg); up to the next step, all that follows is one atomic
 * action with full barriers on both sides. */
void ex_host(bool (*ready)(void *arg), void *arg);
/* A step of the fiber's own CPU, which is no barrier. */
void ex_local(void);
/* In a loop that waits for another fiber. A step, and no barrier: the fiber goes on once
 * another one has made a step that is more than a load. Waits that nobody ends so have an
 * end, and waits that somebody ends have no schedule in which they last for ever. What
 * was read before plays no part any more, except for what the fiber's stack holds. */
void ex_pause(void);
/* Part of a step: the code under test is about to read or write @size bytes without
 * atomics. What is read becomes part of the fiber's history; the stores before become
 * visible, if this is a store, or reads what is still in the buffer. Not with
 * ex_limits.eager. */
void ex_plain_read(const void *p, size_t size);
void ex_plain_write(const void *p);
/* A host action has read @value and what follows depends on it. */
void ex_observe(uint64_t value);
/* A host action reads or writes a word that code under test uses, too. */
void ex_touch(const uint64_t *addr, bool write);
/* A property does not hold. */
void ex_fail(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));
/* ... if a call that prepares a schedule has failed. */
void ex_require(int rc);

/* access.c: the accesses of the code under test. */
uint64_t ex_load(const uint64_t *p);
void ex_store(uint64_t *p, uint64_t value);
uint64_t ex_exchange(uint64_t *p, uint64_t value);
uint64_t ex_or(uint64_t *p, uint64_t bits);
uint64_t ex_and(uint64_t *p, uint64_t bits);
bool ex_cas(uint64_t *p, uint64_t *expected, uint64_t desired);
/* The same for some bits of a word: a store of those in @mask; the bits in @keep kept
 * and those in @set set; @n added modulo @mask; a comparison of those in @mask. All but
 * the store return the word before. */
void ex_store_part(uint64_t *p, uint64_t mask, uint64_t value);
uint64_t ex_change(uint64_t *p, uint64_t keep, uint64_t set);
uint64_t ex_add(uint64_t *p, uint64_t mask, uint64_t n);
uint64_t ex_cas_part(uint64_t *p, uint64_t mask, uint64_t expected,
                     uint64_t desired);
/* A spin lock: a word, 0 if free, else its holder + 1. To take it is a step that can be
 * made once the lock is free; it is given back by a plain store. */
void ex_lock(uint64_t *p);
void ex_unlock(uint64_t *p);

/* trace.c */
struct ex_access {
    enum ex_kind kind;
    const uint64_t *addr;
    uint64_t old;
    uint64_t value;
    bool buffered; /* a store into the buffer, or a load from it */
};

/* Called for each access of an execution by hand; NULL: none. */
extern void (*ex_on_access)(const struct ex_access *access);

/* Drop steps from a schedule that fails, as long as it fails. */
void ex_minimise(const struct ex_world *world, bool tso,
                 struct ex_schedule *schedule);
/* "0*5,3,12*2": step and how often. */
void ex_schedule_print(const struct ex_schedule *schedule, FILE *out);
bool ex_schedule_parse(struct ex_schedule *schedule, const char *text);
/* Run @schedule, then whatever is possible in a fixed order until something
 * fails or nothing moves; @each is called after each step and may be NULL.
 * @schedule becomes what was run. True if it failed. */
bool ex_replay(const struct ex_world *world, bool tso,
               struct ex_schedule *schedule, void (*each)(uint8_t step));

#endif
