/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SCHED_BLOCKED_H
#define VTDPI_SCHED_BLOCKED_H

/*
 * The blocked bitmap of a pCPU: a leaf bit for each slot, a leaf word for each
 * PID page, a summary bit for each leaf word. Owners set and clear leaf bits
 * (sched_vcpu.c); the wakeup handler, offline and rescan look at them
 * (sched_pcpu.c). Both sides of each ordering pair of the bitmap stand here.
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

static inline uint64_t leaf_bit(uint32_t leaf)
{
    return VTDPI_BIT64(leaf % 64);
}

/*
 * Leaf before summary, both before the control word: when a notification is
 * sent with a WNV the handler finds the vCPU (invariant I). The summary is
 * tested after the leaf is set; pairs with blocked_clear_summary().
 */
static inline void blocked_set(const struct vtdpi_pcpu *p, uint32_t slot)
{
    const uint32_t leaf = page_of_slot(slot);
    uint64_t *const summary = &p->summary[leaf / 64];

    (void)vtdpi_atomic_or64(&p->leaf[leaf], slot_bit(slot));
    if ((vtdpi_atomic_load64(summary) & leaf_bit(leaf)) == 0)
        (void)vtdpi_atomic_or64(summary, leaf_bit(leaf));
}

/*
 * Only the leaf: an owner that cleared the summary would need to look at the
 * other 63 slots, which belong to other owners.
 */
static inline void blocked_clear(const struct vtdpi_pcpu *p, uint32_t slot)
{
    (void)vtdpi_atomic_and64(&p->leaf[page_of_slot(slot)], ~slot_bit(slot));
}

/*
 * The bit, then the flag: pairs with vtdpi_pcpu_offline(), which clears the
 * flag, then looks at the leaves. Either the flag is found clear here, and the
 * bit is taken back, or offline sees the bit and wakes the vCPU. The other way
 * round a vCPU could sleep on a pCPU that takes no interrupt any more.
 */
static inline bool blocked_set_online(const struct vtdpi_pcpu *p, uint32_t slot)
{
    blocked_set(p, slot);
    if (vtdpi_atomic_load64(&p->online) != 0)
        return true;
    blocked_clear(p, slot);
    return false;
}

/* Those blocked on the pCPU that has these leaf words, of one page. */
static inline uint64_t blocked_look(const uint64_t *leaves, uint32_t leaf)
{
    return vtdpi_atomic_load64(&leaves[leaf]);
}

/*
 * The summary bit stood over an empty leaf: clear it. Locked, since other bits
 * of the word change meanwhile; then the leaf again. Pairs with blocked_set(),
 * which sets the leaf before it tests the summary: either it finds the bit
 * clear and sets it, or the leaf is seen here. Without the second look a vCPU
 * would stay blocked under a clear summary bit, and no notification would ever
 * find it. Returns the leaf.
 */
static BLOCKED_RARE uint64_t blocked_clear_summary(const struct vtdpi_pcpu *p,
                                                   uint32_t leaf)
{
    uint64_t *const summary = &p->summary[leaf / 64];
    uint64_t bits;

    (void)vtdpi_atomic_and64(summary, ~leaf_bit(leaf));
    bits = blocked_look(p->leaf, leaf);
    if (bits != 0)
        (void)vtdpi_atomic_or64(summary, leaf_bit(leaf));
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
 * for which relaxed loads do: the bitmap changes meanwhile, and the summary may
 * be briefly clear.
 */
static BLOCKED_RARE uint32_t blocked_estimate(const struct vtdpi_pcpu *p,
                                              uint32_t limit)
{
    const uint32_t words = (p->sched->max_pages + 63) / 64;
    uint32_t n = 0;

    for (uint32_t i = 0; i < words && n < limit; i++) {
        uint64_t leaves = vtdpi_atomic_load64_relaxed(&p->summary[i]);

        for (; leaves != 0 && n < limit; leaves &= leaves - 1) {
            const uint32_t leaf =
                i * 64 + (unsigned int)__builtin_ctzll(leaves);

            n +=
                blocked_count_bits(vtdpi_atomic_load64_relaxed(&p->leaf[leaf]));
        }
    }
    return n;
}

#endif
