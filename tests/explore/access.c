/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the code under test calls instead of atomic instructions: a scheduling
 * point, then the access. With store buffering as on x86 (TSO) a plain store
 * waits in the fiber's buffer; its own loads see it there, others only after
 * a flush, which is a step of its own. Locked operations and host actions
 * find the buffer empty.
 */
#include "internal.h"

void (*ex_on_access)(const struct ex_access *access);

static struct ex_fiber *self(void)
{
    return ex.running == EX_NOBODY ? NULL : &ex.fiber[ex.running];
}

/* The same, or NULL if @addr is a local variable of the fiber: nobody else's business. */
static struct ex_fiber *sharer(const uint64_t *addr)
{
    return ex_fiber_owns((uintptr_t)addr) ? NULL : self();
}

static void report(enum ex_kind kind, const uint64_t *addr, uint64_t old,
                   uint64_t value, bool buffered)
{
    const struct ex_access access = {kind, addr, old, value, buffered};

    if (ex_on_access != NULL && ex.running != EX_NOBODY)
        ex_on_access(&access);
}

/* Until its next step the fiber reads the plain words as they are now. */
static void remember_plain(struct ex_fiber *f)
{
    const uint64_t *const p = ex.plain.addr;

    for (size_t i = 0; i < ex.plain.size / 8; i++)
        ex_mix(f->history, p[i]);
}

/* Let the engine decide who goes on. */
static void point(struct ex_fiber *f, enum ex_kind kind, const uint64_t *addr)
{
    f->kind = kind;
    f->addr = addr;
    if (f->fresh)
        f->fresh = false;
    else
        ex_fiber_yield();
    remember_plain(f);
}

static void write_word(uint64_t *p, uint64_t value)
{
    const size_t word = ex_word(p);
    const uint64_t old = *p;

    if (!ex_is_state(word) && old != value)
        ex_fail("E: a write outside the state of the world");
    if (ex.running != EX_NOBODY)
        ex_accessed(word, true);
    *p = value;
    if (ex.running != EX_NOBODY && old != value)
        ex.world->written(ex.world->ctx, p, old, value);
}

static uint64_t read_word(const uint64_t *p)
{
    if (ex.running != EX_NOBODY)
        ex_accessed(ex_word(p), false);
    return *p;
}

void ex_flush_one(struct ex_fiber *f)
{
    const struct ex_entry e = f->buffer[0];
    uint64_t value;

    f->stored--;
    for (uint32_t i = 0; i < f->stored; i++)
        f->buffer[i] = f->buffer[i + 1];
    f->buffer[f->stored] = (struct ex_entry){NULL, 0, 0};
    value = (*e.addr & ~e.mask) | e.value;
    report(EX_STORE, e.addr, *e.addr, value, false);
    write_word(e.addr, value);
}

void ex_flush(struct ex_fiber *f)
{
    while (f->stored != 0)
        ex_flush_one(f);
}

uint64_t ex_load(const uint64_t *p)
{
    struct ex_fiber *const f = sharer(p);
    bool buffered = false;
    uint64_t value;

    if (f == NULL)
        return *p;
    point(f, EX_LOAD, p);
    value = read_word(p);
    for (uint32_t i = 0; i < f->stored; i++) {
        if (f->buffer[i].addr == p) {
            value = (value & ~f->buffer[i].mask) | f->buffer[i].value;
            buffered = true;
        }
    }
    report(EX_LOAD, p, value, value, buffered);
    ex_mix(f->history, value);
    return value;
}

void ex_store_part(uint64_t *p, uint64_t mask, uint64_t value)
{
    struct ex_fiber *const f = sharer(p);

    if (f == NULL) {
        *p = (*p & ~mask) | value;
        return;
    }
    point(f, EX_STORE, p);
    ex_mix(f->history, 1);
    if (!ex.tso) {
        value |= *p & ~mask;
        report(EX_STORE, p, *p, value, false);
        write_word(p, value);
        return;
    }
    if (f->stored == EX_BUFFER)
        ex_flush_one(f);
    report(EX_STORE, p, *p, (*p & ~mask) | value, true);
    f->buffer[f->stored] = (struct ex_entry){p, value, mask};
    f->stored++;
}

void ex_store(uint64_t *p, uint64_t value)
{
    ex_store_part(p, ~UINT64_C(0), value);
}

/* A read-modify-write is about to be made: the word before. */
static uint64_t lock_word(struct ex_fiber *f, uint64_t *p)
{
    uint64_t old;

    if (f == NULL)
        return *p;
    point(f, EX_LOCKED, p);
    ex_flush(f);
    old = read_word(p);
    ex_mix(f->history, old);
    return old;
}

static void change_word(const struct ex_fiber *f, uint64_t *p, uint64_t old,
                        uint64_t value)
{
    if (f == NULL) {
        *p = value;
        return;
    }
    report(EX_LOCKED, p, old, value, false);
    write_word(p, value);
}

uint64_t ex_change(uint64_t *p, uint64_t keep, uint64_t set)
{
    struct ex_fiber *const f = sharer(p);
    const uint64_t old = lock_word(f, p);

    change_word(f, p, old, (old & keep) | set);
    return old;
}

uint64_t ex_add(uint64_t *p, uint64_t mask, uint64_t n)
{
    struct ex_fiber *const f = sharer(p);
    const uint64_t old = lock_word(f, p);

    change_word(f, p, old, (old & ~mask) | ((old + n) & mask));
    return old;
}

uint64_t ex_cas_part(uint64_t *p, uint64_t mask, uint64_t expected,
                     uint64_t desired)
{
    struct ex_fiber *const f = sharer(p);
    const uint64_t old = lock_word(f, p);

    if ((old & mask) == expected)
        change_word(f, p, old, (old & ~mask) | desired);
    else if (f != NULL)
        report(EX_LOCKED, p, old, old, false);
    return old;
}

uint64_t ex_exchange(uint64_t *p, uint64_t value)
{
    return ex_change(p, 0, value);
}

uint64_t ex_or(uint64_t *p, uint64_t bits)
{
    return ex_change(p, ~UINT64_C(0), bits);
}

uint64_t ex_and(uint64_t *p, uint64_t bits)
{
    return ex_change(p, bits, 0);
}

bool ex_cas(uint64_t *p, uint64_t *expected, uint64_t desired)
{
    const uint64_t old = ex_cas_part(p, ~UINT64_C(0), *expected, desired);
    const bool same = old == *expected;

    *expected = old;
    return same;
}

static bool is_free(void *lock)
{
    return *(const uint64_t *)lock == 0;
}

void ex_lock(uint64_t *p)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    ex_host(is_free, p);
    (void)read_word(p);
    report(EX_LOCKED, p, 0, ex.running + 1, false);
    write_word(p, ex.running + 1);
}

void ex_unlock(uint64_t *p)
{
    if (self() != NULL)
        ex_store(p, 0);
}

void ex_forget(uint64_t where)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    f->history[0] = where;
    f->history[1] = ~where;
}

void ex_start(uint64_t where)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    ex_forget(where);
    f->fresh = false;
    point(f, EX_START, NULL);
    f->fresh = true;
}

void ex_host(bool (*ready)(void *arg), void *arg)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    f->ready = ready;
    f->ready_arg = arg;
    /* A condition has to be seen by the engine before it is acted on. */
    if (ready != NULL)
        f->fresh = false;
    point(f, EX_HOST, NULL);
    ex_flush(f);
    ex_mix(f->history, 2);
}

void ex_local(void)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    f->ready = NULL;
    point(f, EX_HOST, NULL);
    ex_mix(f->history, 3);
}

void ex_pause(void)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    f->fresh = false;
    f->paused = true;
    point(f, EX_PAUSE, NULL);
}

void ex_unpause(unsigned int n)
{
    for (unsigned int i = 0; i < ex.fibers; i++) {
        if (i != n)
            ex.fiber[i].paused = false;
    }
}

void ex_observe(uint64_t value)
{
    struct ex_fiber *const f = self();

    if (f != NULL)
        ex_mix(f->history, value);
}

/* A turn of a loop has at least one; a step has at most some thousand. */
static void count_plain(void)
{
    static uint64_t resumed;
    static uint32_t accesses;

    if (resumed != ex_resumed)
        accesses = 0;
    resumed = ex_resumed;
    if (++accesses < EX_PLAIN_ACCESSES)
        return;
    ex_fail("X: a loop that does not end, without an atomic access in it");
    ex_fiber_yield();
}

void ex_plain_read(const void *p, size_t size)
{
    struct ex_fiber *const f = self();

    if (f == NULL)
        return;
    count_plain();
    for (uintptr_t at = (uintptr_t)p & ~(uintptr_t)7; at < (uintptr_t)p + size;
         at += 8) {
        if (!ex_is_shared_memory(at))
            continue;
        for (uint32_t i = 0; i < f->stored; i++) {
            if ((uintptr_t)f->buffer[i].addr == at)
                ex_flush(f);
        }
        ex_mix(f->history, *(const uint64_t *)at);
    }
}

void ex_plain_write(const void *p)
{
    if (self() == NULL)
        return;
    count_plain();
    if (ex_fiber_owns((uintptr_t)p))
        return;
    if (!ex_is_shared_memory((uintptr_t)p)) {
        ex_fail("E: a store to memory that is not named");
        return;
    }
    ex_flush(self());
    ex_unpause(ex.running);
}

void ex_touch(const uint64_t *addr, bool write)
{
    if (ex.running != EX_NOBODY)
        ex_accessed(ex_word(addr), write);
}
