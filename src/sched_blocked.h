/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SCHED_BLOCKED_H
#define VTDPI_SCHED_BLOCKED_H

/*
 * The blocked bitmap of a pCPU: a leaf bit for each slot, a leaf word for each
 * PID page, a summary bit for each leaf word; and beside each leaf word a word
 * of wake marks. What lies under one summary word is a chunk: the chunks that
 * were there when the pCPU was set up lie one behind the other, each later one
 * has memory of its own. Owners set and clear leaf bits and clear wake marks
 * (sched_vcpu.c); the wakeup handler looks at leaf bits and sets wake marks;
 * offline and rescan look at leaf bits (sched_pcpu.c). Both sides of each
 * ordering pair of the bitmap stand here.
 *
 * - Leaf against summary: an owner sets the leaf bit, then looks at the summary
 *   bit, and sets it if clear. A handler that finds an empty leaf clears the
 *   summary bit, then looks at the leaf again. One of the two sees the other,
 *   so no vCPU stays blocked under a clear summary bit. Between the handler's
 *   two steps the summary may be clear over a bit: a notification that arrives
 *   then is for this same pCPU, and its handler begins after these steps.
 * - Bit against destination: the bit is set before NV is the vCPU's WNV, and
 *   cleared after NV is ANV again (sched_vcpu.c). So the handler that a WNV
 *   starts finds the bit (invariant I).
 * - Bit against the online flag: see blocked_set_online().
 * - Wake mark: a handler wakes a vCPU only if it has set the vCPU's mark, which
 *   block has cleared; so wakes by the handlers of a pCPU are at most one more than
 *   the blocks there. See
 *   wake_mark_set() and wake_mark_clear().
 *
 * docs/memory-ordering.md, section 6, has the proof.
 */

#include "sched_internal.h"
#include "vtdpi/sched.h"

/* Not within a loop that has to be small, and not in each file. */
#define BLOCKED_RARE VTDPI_NOINLINE __attribute__((__unused__))

static inline uint64_t slot_bit(uint32_t slot)
{
    return VTDPI_BIT64(slot % VTDPI_PAGE_SLOTS);
}

static inline uint64_t leaf_bit(uint32_t page)
{
    return VTDPI_BIT64(page % 64);
}

/* Acquire: pairs with vtdpi_pcpu_grow(), so that the words are found zeroed. */
static inline uint64_t *blocked_chunk(const struct vtdpi_pcpu *p,
                                      uint32_t chunk)
{
    if (VTDPI_LIKELY(chunk < p->first_chunks))
        return &p->leaf[VTDPI_CHUNK_WORDS * (size_t)chunk];
    return (uint64_t *)(uintptr_t)vtdpi_atomic_load64_acquire(
        &p->chunks[chunk - p->first_chunks]);
}

/* A PID page's two words, side by side: one cache line has both. */
static inline uint64_t *chunk_leaf(uint64_t *chunk, uint32_t leaf)
{
    return &chunk[2 * (size_t)(leaf % VTDPI_CHUNK_PAGES)];
}

/* What the functions below call @leaf: a page's leaf word on a pCPU. Looked up
 * once for each block or pass, since each look-up asks for the chunk. */
static inline uint64_t *blocked_leaf(const struct vtdpi_pcpu *p, uint32_t page)
{
    return chunk_leaf(blocked_chunk(p, page / VTDPI_CHUNK_PAGES), page);
}

static inline uint64_t *wake_marks(uint64_t *leaf)
{
    return leaf + 1;
}

/*
 * Leaf before summary, both before the control word: when a notification is
 * sent with a WNV the handler finds the vCPU (invariant I). The summary is
 * tested after the leaf is set; pairs with blocked_clear_summary().
 */
static inline void blocked_set(const struct vtdpi_pcpu *p, uint64_t *leaf,
                               uint32_t slot)
{
    const uint32_t page = page_of_slot(slot);
    uint64_t *const summary = &p->summary[page / 64];

    (void)vtdpi_atomic_or64(leaf, slot_bit(slot));
    if ((vtdpi_atomic_load64(summary) & leaf_bit(page)) == 0)
        (void)vtdpi_atomic_or64(summary, leaf_bit(page));
}

/*
 * Only the leaf: an owner that cleared the summary would need to look at the
 * other 63 slots, which belong to other owners.
 */
static inline void blocked_clear(uint64_t *leaf, uint32_t slot)
{
    (void)vtdpi_atomic_and64(leaf, ~slot_bit(slot));
}

/*
 * The bit, then the flag: pairs with vtdpi_pcpu_offline(), which clears the
 * flag, then looks at the leaves. Either the flag is found clear here, and the
 * bit is taken back, or offline sees the bit and wakes the vCPU. The other way
 * round a vCPU could sleep on a pCPU that takes no interrupt any more.
 */
static inline bool blocked_set_online(const struct vtdpi_pcpu *p,
                                      uint64_t *leaf, uint32_t slot)
{
    blocked_set(p, leaf, slot);
    if (vtdpi_atomic_load64(&p->online) != 0)
        return true;
    blocked_clear(leaf, slot);
    return false;
}

/* Those of one page who are blocked on the pCPU. */
static inline uint64_t blocked_look(const uint64_t *leaf)
{
    return vtdpi_atomic_load64(leaf);
}

/*
 * From here on handlers of @p wake the vCPU again. By its owner, in block:
 *
 * - Behind blocked_set(), whose locked operation makes what the host stored
 *   before, its own woken mark, visible first, and keeps this load behind that.
 *   A handler that sets the wake mark after this load calls wake after the host
 *   armed its woken mark, so the host sees that wake. Were this load done
 *   earlier, the wake could come before the woken mark is armed, be forgotten
 *   with it, and leave the wake mark set over a vCPU that goes to sleep.
 * - Before the control word names the WNV: the handler that this block's
 *   notification starts finds the wake mark clear, or set by a handler that
 *   calls wake from now on.
 *
 * A locked AND, since other bits of the word change at the same time: a plain
 * store would take back what others have cleared or set.
 */
static inline void wake_mark_clear(uint64_t *leaf, uint32_t slot)
{
    uint64_t *const word = wake_marks(leaf);

    if ((vtdpi_atomic_load64(word) & slot_bit(slot)) != 0)
        (void)vtdpi_atomic_and64(word, ~slot_bit(slot));
}

/* Those of @bits whom a handler has not woken since they blocked. */
static inline uint64_t wake_unmarked(uint64_t *leaf, uint64_t bits)
{
    return bits & ~vtdpi_atomic_load64(wake_marks(leaf));
}

/*
 * Mark @bits; returns those that were not marked, whom the caller has to wake
 * from now on. The mark before the wake: a mark that is set after it could be
 * that of a vCPU which was woken, has run and has blocked again, and whose next
 * wakeup would be skipped. Pairs with wake_mark_clear(). A locked OR, since
 * owners clear other bits of the word at the same time.
 */
static inline uint64_t wake_mark_set(uint64_t *leaf, uint64_t bits)
{
    return bits & ~vtdpi_atomic_or64(wake_marks(leaf), bits);
}

/*
 * The summary bit stood over an empty leaf: clear it. Locked, since other bits
 * of the word change at any time; then the leaf again. Pairs with blocked_set(),
 * which sets the leaf before it tests the summary: either it finds the bit
 * clear and sets it, or the leaf is seen here. Without the second look a vCPU
 * would stay blocked under a clear summary bit, and no notification would ever
 * find it. Returns the leaf.
 */
static BLOCKED_RARE uint64_t blocked_clear_summary(uint64_t *summary,
                                                   const uint64_t *leaf,
                                                   uint64_t leaf_bit)
{
    uint64_t bits;

    (void)vtdpi_atomic_and64(summary, ~leaf_bit);
    bits = blocked_look(leaf);
    if (bits != 0)
        (void)vtdpi_atomic_or64(summary, leaf_bit);
    return bits;
}

static inline uint32_t blocked_count_bits(uint64_t bits)
{
    uint32_t n = 0;

    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

/*
 * How many vCPUs are blocked on a pCPU; or no less than @limit. An estimate,
 * for which relaxed loads do: the bitmap changes at any time, and the summary may
 * be briefly clear.
 */
static BLOCKED_RARE uint32_t blocked_estimate(const struct vtdpi_pcpu *p,
                                              uint32_t limit)
{
    const uint32_t words = chunks_of(sched_room(p->sched));
    uint32_t n = 0;

    for (uint32_t i = 0; i < words && n < limit; i++) {
        uint64_t leaves = vtdpi_atomic_load64_relaxed(&p->summary[i]);

        for (; leaves != 0 && n < limit; leaves &= leaves - 1) {
            const uint32_t leaf =
                i * 64 + (unsigned int)__builtin_ctzll(leaves);

            n += blocked_count_bits(
                vtdpi_atomic_load64_relaxed(blocked_leaf(p, leaf)));
        }
    }
    return n;
}

#endif
