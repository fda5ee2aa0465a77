/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs on a pCPU, or for one: the wakeup handler, offline, online and
 * rescan. All of them read who is blocked where, which owners alone change
 * (sched_vcpu.c), and call wake; the handler also sets wake marks. Read
 * vtdpi/sched.h and sched_blocked.h first.
 *
 * Why the handler finds everyone: a vCPU's bit is set before a notification
 * with its WNV can be sent, and ON is set before it is sent; so the handler
 * that the notification starts finds bit and ON. It clears neither: a bit
 * cleared late would be that of a vCPU which has run and blocked again
 * since then, and that vCPU would lose its next wakeup. A wake for nothing is allowed.
 *
 * Why each vCPU is woken once for a block: bit and ON stay until the vCPU's
 * owner has run, and passes for other vCPUs would find them again. So a handler
 * wakes those whose wake mark it has changed from 0 to 1, and skips those who
 * are marked before it looks at their PIDs. Offline and rescan wake everyone
 * and do not look at marks.
 *
 * Why no wake comes after detach: a scan makes its sequence odd, then reads the
 * bitmap; detach withdraws the vCPU, then reads the sequences, and waits while
 * one that may have found the vCPU is odd.
 */
#include "vtdpi/sched.h"
#include "sched_blocked.h"
#include "sched_internal.h"

/*
 * Odd before the bitmap is read. An exchange, since a plain store could sit in
 * the store buffer while the bitmap is loaded; then detach, which clears the
 * bit and the cookie before it reads the sequence, would see an even value and
 * go ahead while this scan still holds the vCPU.
 */
static void scan_begin(uint64_t *seq)
{
    const uint64_t s = vtdpi_atomic_load64_relaxed(seq);

    VTDPI_ASSERT(s % 2 == 0);
    (void)vtdpi_atomic_xchg64(seq, s + 1);
}

/* Release: the last wake happens before detach sees the sequence change. */
static void scan_end(uint64_t *seq)
{
    vtdpi_atomic_store64_release(seq, vtdpi_atomic_load64_relaxed(seq) + 1);
}

/*
 * Those of @bits whose PID has ON. All loads are independent and none depends
 * on a branch, so that misses overlap; the cookies, of which one or two will
 * be needed, are on their way at that time.
 */
static uint64_t slots_notified(const struct vtdpi_page_ref *ref, uint64_t bits)
{
    /* Acquire: pairs with vtdpi_sched_add_page(), which publishes both before
     * any bit of the page can be set; else they could be read as absent. */
    const struct vtdpi_pid *const pids = page_pids(ref);
    const struct vtdpi_pid_page *const page = page_found(ref);
    uint64_t on = 0;

    for (uint64_t b = bits; b != 0; b &= b - 1) {
        const size_t i = (unsigned int)__builtin_ctzll(b);

        VTDPI_PREFETCH(&page->cookie[i]);
        on |= (vtdpi_pid_snapshot(&pids[i]) & VTDPI_PID_ON) << i;
    }
    return on;
}

static uint32_t slots_wake(const struct vtdpi_sched *s,
                           const struct vtdpi_pid_page *page, uint64_t bits)
{
    uint32_t woken = 0;

    for (uint64_t b = bits; b != 0; b &= b - 1) {
        /* NULL: detach has withdrawn the vCPU since the bitmap was read. */
        void *const cookie =
            vtdpi_atomic_load_ptr_acquire(&page->cookie[__builtin_ctzll(b)]);

        if (cookie != NULL) {
            s->ops->wake(s->ctx, cookie);
            woken++;
        }
    }
    return woken;
}

/* The number of a wakeup vector; wnv_count for any other. */
static uint32_t sched_wnv_number(const struct vtdpi_sched *s, uint8_t vector)
{
    uint32_t i = 0;

    while (i < s->wnv_count && s->wnv[i] != vector)
        i++;
    return i;
}

/* The leaf words under one summary word, of those whose bits are in @own. */
static uint32_t handle_summary_word(const struct vtdpi_pcpu *p, uint32_t word,
                                    uint64_t own)
{
    const struct vtdpi_sched *const s = p->sched;
    uint64_t w = vtdpi_atomic_load64(&p->summary[word]) & own;
    const struct vtdpi_page_ref *refs;
    uint64_t *chunk;
    uint32_t woken = 0;

    if (w == 0)
        return 0;
    chunk = blocked_chunk(p, word);
    refs = page_ref(s, word * VTDPI_CHUNK_PAGES);
    for (; w != 0; w &= w - 1) {
        const uint32_t i = (unsigned int)__builtin_ctzll(w);
        uint64_t *const leaf = chunk_leaf(chunk, i);
        uint64_t bits = blocked_look(leaf);

        if (VTDPI_UNLIKELY(bits == 0))
            bits = blocked_clear_summary(&p->summary[word], leaf, leaf_bit(i));
        bits = wake_unmarked(leaf, bits);
        bits = slots_notified(&refs[i], bits);
        if (bits != 0)
            woken +=
                slots_wake(s, page_found(&refs[i]), wake_mark_set(leaf, bits));
    }
    return woken;
}

/* No bit, no ON and no mark is cleared here: see the top of this file. */
uint32_t vtdpi_pcpu_handle_wakeup(struct vtdpi_pcpu *p, uint8_t vector)
{
    const uint32_t index = sched_wnv_number(p->sched, vector);
    const uint64_t own = p->sched->stripe << (index % 64);
    uint32_t words;
    uint32_t woken = 0;

    if (index == p->sched->wnv_count)
        return 0;
    words = chunks_of(sched_room(p->sched));
    /* What is read first, while the exchange keeps later loads waiting. */
    VTDPI_PREFETCH(&p->summary[0]);
    VTDPI_PREFETCH(&p->leaf[0]);
    VTDPI_PREFETCH(&p->sched->pages[0]);
    scan_begin(&p->scan);
    for (uint32_t i = 0; i < words; i++)
        woken += handle_summary_word(p, i, own);
    scan_end(&p->scan);
    return woken;
}

/*
 * Everyone, whatever ON says: notifications may be lost from now on or have
 * been lost already. The leaves, never the summary: the handler may have it
 * briefly clear over a leaf that is not empty.
 *
 * How many pages there are is read here, behind the exchange of the flag in
 * offline. A block on a page that came since finds the flag clear.
 */
static VTDPI_COLD uint32_t wake_all_blocked(struct vtdpi_pcpu *p)
{
    struct vtdpi_sched *const s = p->sched;
    const uint32_t pages = sched_room(s);
    uint32_t woken = 0;

    scan_begin(&s->scan);
    for (uint32_t i = 0; i < pages; i++) {
        const uint64_t bits = blocked_look(blocked_leaf(p, i));

        if (bits != 0)
            woken +=
                slots_wake(s, page_found(vtdpi_sched_page_ref(s, i)), bits);
    }
    scan_end(&s->scan);
    return woken;
}

void vtdpi_pcpu_online(struct vtdpi_pcpu *p)
{
    (void)vtdpi_atomic_xchg64(&p->online, 1);
}

uint32_t vtdpi_pcpu_offline(struct vtdpi_pcpu *p)
{
    /*
     * The flag before the leaves are read: an exchange. Pairs with block,
     * which sets its bit before it loads the flag: either it sees offline, or
     * its bit is seen and it is woken.
     */
    (void)vtdpi_atomic_xchg64(&p->online, 0);
    return wake_all_blocked(p);
}

uint32_t vtdpi_pcpu_rescan(struct vtdpi_pcpu *p)
{
    return wake_all_blocked(p);
}

uint32_t vtdpi_pcpu_blocked(const struct vtdpi_pcpu *p)
{
    const uint32_t pages = sched_room(p->sched);
    uint32_t n = 0;

    for (uint32_t i = 0; i < pages; i++)
        n += blocked_count_bits(blocked_look(blocked_leaf(p, i)));
    return n;
}
