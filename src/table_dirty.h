/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TABLE_DIRTY_H
#define VTDPI_TABLE_DIRTY_H

/*
 * Which indexes of a table are dirty: changed, and not flushed since. All code
 * that reads or writes the marks is here; table.c is its only user.
 *
 * Each index has two bits, side by side in one word:
 *
 *   0         clean
 *   CHANGED   the entry was changed, or is about to be
 *   FLUSHING  the entry was changed before the flush of everything that is
 *             under way, or before the last one if that failed
 *
 * Why two bits. A flush of everything turns CHANGED into FLUSHING, flushes, and
 * clears FLUSHING. An entry that is changed in between is CHANGED again, so it
 * stays dirty if its own flush fails. With one bit the flush of everything
 * would clear the mark of a change that it did not cover. Every step is one
 * atomic operation on the word, so an index that a unit may still use never
 * looks clean, not even for a moment.
 *
 * Why the order holds. A change sets CHANGED, writes the entry, and looks at
 * CHANGED again (dirty_set_again()). A flush of everything takes CHANGED away
 * (dirty_flush_begin()), then submits its descriptors. All of these are
 * sequentially consistent. If the change finds its mark, the flush takes the
 * mark later, and the descriptors that follow find the new entry. If it does
 * not, the flush may have executed before the entry was written, and the change
 * sets CHANGED once more.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/table.h"

#define DIRTY_CHANGED        1u
#define DIRTY_FLUSHING       2u
#define DIRTY_BOTH           (DIRTY_CHANGED | DIRTY_FLUSHING)
#define DIRTY_PER_WORD       32 /* indexes */
#define DIRTY_CHANGED_EVERY  UINT64_C(0x5555555555555555)
#define DIRTY_FLUSHING_EVERY (DIRTY_CHANGED_EVERY << 1)

static inline uint32_t dirty_words(uint32_t count)
{
    return (count + DIRTY_PER_WORD - 1) / DIRTY_PER_WORD;
}

static inline uint64_t *dirty_word(const struct vtdpi_table *t, uint32_t index)
{
    return &t->dirty[index / DIRTY_PER_WORD];
}

static inline uint64_t dirty_bits(uint32_t index, unsigned int state)
{
    return (uint64_t)state << index % DIRTY_PER_WORD * 2;
}

static inline bool dirty_get(const struct vtdpi_table *t, uint32_t index)
{
    return (vtdpi_atomic_load64(dirty_word(t, index)) &
            dirty_bits(index, DIRTY_BOTH)) != 0;
}

/* Before the entry is written. Returns whether it was dirty before. */
static inline bool dirty_set(struct vtdpi_table *t, uint32_t index)
{
    const uint64_t old = vtdpi_atomic_or64(dirty_word(t, index),
                                           dirty_bits(index, DIRTY_CHANGED));

    return (old & dirty_bits(index, DIRTY_BOTH)) != 0;
}

/* After the entry was written: pairs with dirty_flush_begin(). Left out, the
 * index could be clean while a unit uses its old entry. */
static inline void dirty_set_again(struct vtdpi_table *t, uint32_t index)
{
    uint64_t *const word = dirty_word(t, index);
    const uint64_t bit = dirty_bits(index, DIRTY_CHANGED);

    if ((vtdpi_atomic_load64(word) & bit) == 0)
        (void)vtdpi_atomic_or64(word, bit);
}

/* After a flush that covers every change of the index has succeeded. */
static inline void dirty_clear(struct vtdpi_table *t, uint32_t index)
{
    (void)vtdpi_atomic_and64(dirty_word(t, index),
                             ~dirty_bits(index, DIRTY_BOTH));
}

/* Before a flush of everything: CHANGED becomes FLUSHING, for each index of the
 * word. One CAS, since between two steps a dirty index would look clean. */
static inline void dirty_flush_begin(uint64_t *word)
{
    uint64_t old = vtdpi_atomic_load64(word);

    while ((old & DIRTY_CHANGED_EVERY) != 0 &&
           !vtdpi_atomic_cas64(word, &old,
                               (old & DIRTY_FLUSHING_EVERY) |
                                   (old & DIRTY_CHANGED_EVERY) << 1))
        ;
}

/* After a flush of everything has succeeded. What was changed since its begin
 * keeps CHANGED. */
static inline void dirty_flush_done(uint64_t *word)
{
    if ((vtdpi_atomic_load64(word) & DIRTY_FLUSHING_EVERY) != 0)
        (void)vtdpi_atomic_and64(word, ~DIRTY_FLUSHING_EVERY);
}

#endif
