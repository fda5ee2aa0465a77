/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which words are shared: touched by several fibers, one of which writes, or
 * looked at by the check after each step.
 *
 * An access to any other word commutes with all steps of the other fibers and
 * changes nothing that a check sees, so taking it at once loses no final
 * state and no failure. A word counts as unshared until it is seen to be
 * shared. Let a full search find a word shared that the reduced one did not:
 * take the first such access in an execution; what precedes it can be
 * reordered into an execution of the reduced search, which then ends with
 * that access. So a search that ends with no new shared word is complete.
 */
#include "internal.h"

#include <string.h>

static struct {
    uint16_t readers[EX_WORDS]; /* bit per fiber */
    uint16_t writers[EX_WORDS];
    bool shared[EX_WORDS];
    bool state[EX_WORDS];
    bool fresh;
} conflict;

void ex_conflict_reset(void)
{
    memset(&conflict, 0, sizeof conflict);
}

/* The words of the arenas are counted through. */
static size_t further_word(uintptr_t addr)
{
    size_t before = ex.world->arena_size;

    for (unsigned int i = 0; i < EX_ARENAS; i++) {
        const struct ex_range *const r = &ex.world->more[i];
        const uintptr_t at = addr - (uintptr_t)r->addr;

        if (at < r->size && before + at < (size_t)EX_WORDS * 8)
            return (before + at) / 8;
        before += r->size;
    }
    ex_fail("E: an access outside of the memory that is named");
    return 0;
}

bool ex_is_shared_memory(uintptr_t addr)
{
    if (addr - (uintptr_t)ex.world->arena < ex.world->arena_size)
        return true;
    for (unsigned int i = 0; i < EX_ARENAS; i++) {
        if (addr - (uintptr_t)ex.world->more[i].addr < ex.world->more[i].size)
            return true;
    }
    return false;
}

size_t ex_word(const void *addr)
{
    const uintptr_t at = (uintptr_t)addr - (uintptr_t)ex.world->arena;

    if (at % 8 != 0) {
        ex_fail("E: an access that is not aligned");
        return 0;
    }
    return at < ex.world->arena_size ? at / 8 : further_word((uintptr_t)addr);
}

void ex_conflict_ranges(void)
{
    memset(conflict.state, 0, sizeof conflict.state);
    for (unsigned int i = 0; i < ex.ranges; i++) {
        const size_t first = ex_word(ex.range[i].addr);

        for (size_t w = 0; w < ex.range[i].size / 8; w++)
            conflict.state[first + w] = true;
    }
}

bool ex_is_state(size_t word)
{
    return conflict.state[word];
}

bool ex_shared(const void *addr)
{
    return conflict.shared[ex_word(addr)];
}

void ex_visible(const void *addr, size_t size)
{
    const size_t first = ex_word(addr);

    for (size_t w = 0; w < size / 8; w++)
        conflict.shared[first + w] = true;
}

void ex_accessed(size_t word, bool write)
{
    const unsigned int bit = 1U << ex.running;
    unsigned int all;

    if (conflict.shared[word])
        return;
    if (write)
        conflict.writers[word] |= (uint16_t)bit;
    else
        conflict.readers[word] |= (uint16_t)bit;
    all = conflict.writers[word] | conflict.readers[word];
    if (conflict.writers[word] != 0 && (all & (all - 1)) != 0) {
        conflict.shared[word] = true;
        conflict.fresh = true;
    }
}

bool ex_conflict_new(void)
{
    const bool fresh = conflict.fresh;

    conflict.fresh = false;
    return fresh;
}
