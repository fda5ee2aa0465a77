/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_INTERNAL_H
#define VTDPI_EXPLORE_INTERNAL_H

/* What the files of the explorer share among themselves. */

#include "engine.h"

enum {
    EX_NOBODY = EX_FIBERS,
    EX_WORDS = 4096, /* of all arenas together */
};

/* The execution that is going on. */
struct ex_state {
    struct ex_fiber fiber[EX_FIBERS];
    unsigned int fibers;
    unsigned int running; /* EX_NOBODY: the engine itself, or setup */
    bool tso;
    bool failed;
    char failure[256];
    const struct ex_world *world;
    struct ex_range range[EX_RANGES];
    unsigned int ranges;
    struct ex_range plain; /* size 0: none */
};

extern struct ex_state ex;

/* fiber.c: switch stacks. */
void ex_fiber_prepare(unsigned int n);
void ex_fiber_resume(unsigned int n); /* until its next step */
extern uint64_t ex_resumed;           /* how often: the watchdog looks at it */
void ex_fiber_yield(void);
bool ex_fiber_owns(uintptr_t addr);   /* on the stack of the one that runs */
size_t ex_fiber_used(unsigned int n); /* bytes of its stack in use */

/* access.c: store buffers. */
void ex_flush_one(struct ex_fiber *f);
void ex_flush(struct ex_fiber *f);
/* All fibers but @n, if they are paused, go on. */
void ex_unpause(unsigned int n);

/* conflict.c: which words are shared. */
void ex_conflict_reset(void);             /* before the first search */
void ex_conflict_ranges(void);            /* the ranges are known now */
size_t ex_word(const void *addr);         /* index in the arena; fails if not */
bool ex_is_shared_memory(uintptr_t addr); /* part of an arena */
bool ex_is_state(size_t word);            /* part of a range */
bool ex_shared(const void *addr);         /* more than one fiber, one writes */
void ex_accessed(size_t word, bool write);
bool ex_conflict_new(void); /* since the last call */

/* snapshot.c: states and where to go back to. */
struct ex_digest {
    uint64_t a;
    uint64_t b;
};

void ex_snapshot_reset(void);
void ex_snapshot_save(unsigned int depth);
void ex_snapshot_restore(unsigned int depth);
/* All that the future depends on; @extra is part of it. */
struct ex_digest ex_digest_state(uint64_t extra);
/* The shared words alone: what final states are compared by. */
struct ex_digest ex_digest_words(void);
void ex_mix(uint64_t h[2], uint64_t value);

/* seen.c: a set of digests, each with the least cost it was seen at. */
struct ex_seen {
    struct ex_digest *slot;
    size_t size;
    size_t used;
};

/* True if it is new, or was dearer before. */
bool ex_seen_add(struct ex_seen *seen, struct ex_digest digest,
                 unsigned int cost);
void ex_seen_clear(struct ex_seen *seen);

#endif
