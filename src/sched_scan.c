/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What reads the blocked bitmaps: the wakeup handler, offline and rescan; and
 * detach, which waits until none of them can hold the vCPU any more. Orders as
 * in sched.c.
 */
#include "vtdpi/sched.h"
#include "sched_slots.h"

/* Scans read, and call wake. */

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
 * be needed, are on their way meanwhile.
 */
static uint64_t notified(const struct vtdpi_page_ref *ref, uint64_t bits)
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

static uint32_t wake_slots(const struct vtdpi_sched *s,
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

/*
 * The summary bit stood over an empty leaf: clear it. Locked, since other bits
 * of the word change meanwhile; then the leaf again. Pairs with mark(), which
 * sets the leaf before it tests the summary: either it finds the bit clear and
 * sets it, or the leaf is seen here. Without the second look a vCPU would stay
 * blocked under a clear summary bit, and no notification would ever find it.
 * Returns the leaf.
 */
static VTDPI_NOINLINE uint64_t clear_summary(const struct vtdpi_pcpu *p,
                                             uint32_t leaf)
{
    uint64_t *const summary = &p->summary[leaf / 64];
    uint64_t bits;

    (void)vtdpi_atomic_and64(summary, ~bit_of(leaf));
    bits = vtdpi_atomic_load64(&p->leaf[leaf]);
    if (bits != 0)
        (void)vtdpi_atomic_or64(summary, bit_of(leaf));
    return bits;
}

/* The number of a wakeup vector; wnv_count for any other. */
static uint32_t index_of(const struct vtdpi_sched *s, uint8_t vector)
{
    uint32_t i = 0;

    while (i < s->wnv_count && s->wnv[i] != vector)
        i++;
    return i;
}

/* The leaf words under one summary word, of those whose bits are in @own. */
static uint32_t handle_word(const struct vtdpi_pcpu *p, uint32_t word,
                            uint64_t own)
{
    const struct vtdpi_sched *const s = p->sched;
    const struct vtdpi_page_ref *const pages = s->pages;
    const uint64_t *const leaves = p->leaf;
    uint32_t woken = 0;

    for (uint64_t w = vtdpi_atomic_load64(&p->summary[word]) & own; w != 0;
         w &= w - 1) {
        const uint32_t leaf = word * 64 + (unsigned int)__builtin_ctzll(w);
        uint64_t bits = vtdpi_atomic_load64(&leaves[leaf]);

        if (VTDPI_UNLIKELY(bits == 0))
            bits = clear_summary(p, leaf);
        bits = notified(&pages[leaf], bits);
        if (bits != 0)
            woken += wake_slots(s, page_found(&pages[leaf]), bits);
    }
    return woken;
}

/*
 * Neither bits nor ON are cleared here: a bit cleared late would be that of a
 * vCPU which has run and blocked again meanwhile, and would lose its next
 * wakeup.
 */
uint32_t vtdpi_pcpu_handle_wakeup(struct vtdpi_pcpu *p, uint8_t vector)
{
    const uint32_t index = index_of(p->sched, vector);
    const uint64_t own = p->sched->stripe << (index % 64);
    const uint32_t words = (p->sched->max_pages + 63) / 64;
    uint32_t woken = 0;

    if (index == p->sched->wnv_count)
        return 0;
    /* What is read first, while the exchange keeps later loads waiting. */
    VTDPI_PREFETCH(&p->summary[0]);
    VTDPI_PREFETCH(&p->leaf[0]);
    VTDPI_PREFETCH(&p->sched->pages[0]);
    scan_begin(&p->scan);
    for (uint32_t i = 0; i < words; i++)
        woken += handle_word(p, i, own);
    scan_end(&p->scan);
    return woken;
}

/*
 * Everyone, whatever ON says: notifications may be lost from now on or have
 * been lost already. The leaves, never the summary: the handler may have it
 * briefly clear over a leaf that is not empty.
 */
static uint32_t wake_all(struct vtdpi_pcpu *p)
{
    struct vtdpi_sched *const s = p->sched;
    uint32_t woken = 0;

    scan_begin(&s->scan);
    for (uint32_t i = 0; i < s->max_pages; i++) {
        const uint64_t bits = vtdpi_atomic_load64(&p->leaf[i]);

        if (bits != 0)
            woken += wake_slots(s, page_found(&s->pages[i]), bits);
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
    return wake_all(p);
}

uint32_t vtdpi_pcpu_rescan(struct vtdpi_pcpu *p)
{
    return wake_all(p);
}

uint32_t vtdpi_pcpu_blocked(const struct vtdpi_pcpu *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->sched->max_pages; i++) {
        uint64_t w = vtdpi_atomic_load64(&p->leaf[i]);

        for (; w != 0; w &= w - 1)
            n++;
    }
    return n;
}

/* Detach. */

int vtdpi_vcpu_detach_begin(struct vtdpi_vcpu *v)
{
    uint64_t none = REFS_OPEN;
    struct vtdpi_pid_page *page;

    if (v->sched == NULL)
        return VTDPI_EDETACHED;
    if (!vtdpi_atomic_cas64(&v->refs, &none, 0))
        return none == 0 ? VTDPI_ECLOSED : VTDPI_EBUSY;

    vtdpi_vcpu_preempt(v);
    page = page_of_vcpu(v);
    /*
     * The exchange is the full barrier between withdrawing the vCPU (bit and
     * cookie) and reading the sequences. Pairs with scan_begin(): a scan that
     * is not seen as odd reads the bitmap afterwards, and finds nothing.
     */
    (void)vtdpi_atomic_xchg_ptr(&page->cookie[v->slot % VTDPI_PAGE_SLOTS],
                                NULL);
    v->detach_next = 0;
    v->detach_seq = 0;
    return 0;
}

/* The sequence of pCPU @n, or the scanner's behind the last; NULL: no such
 * pCPU yet, so it has never scanned. */
static const uint64_t *sequence(const struct vtdpi_sched *s, uint32_t n)
{
    const struct vtdpi_pcpu *p;

    if (n == s->max_pcpus)
        return &s->scan;
    p = pcpu_found(s, n);
    return p == NULL ? NULL : &p->scan;
}

/* Whether the scan that may hold the vCPU, if there is one, has ended. */
static bool scan_passed(struct vtdpi_vcpu *v, const uint64_t *seq)
{
    /* SC: behind the withdrawal in vtdpi_vcpu_detach_begin(); and acquire:
     * what a scan did happens before the slot is reused. */
    const uint64_t now = seq == NULL ? 0 : vtdpi_atomic_load64(seq);

    if (now % 2 == 0 || (v->detach_seq != 0 && now != v->detach_seq)) {
        v->detach_seq = 0;
        return true;
    }
    v->detach_seq = now;
    return false;
}

bool vtdpi_vcpu_detach_poll(struct vtdpi_vcpu *v)
{
    struct vtdpi_sched *const s = v->sched;

    if (s == NULL)
        return true;
    VTDPI_ASSERT(vtdpi_atomic_load64(&v->refs) == 0);
    for (; v->detach_next <= s->max_pcpus; v->detach_next++) {
        if (!scan_passed(v, sequence(s, v->detach_next)))
            return false;
    }
    /* SC, so release: the next owner of the slot comes after all of this. */
    (void)vtdpi_atomic_and64(&page_of_vcpu(v)->claimed, ~bit_of(v->slot));
    v->sched = NULL;
    return true;
}

int vtdpi_vcpu_detach(struct vtdpi_vcpu *v)
{
    const struct vtdpi_sched *const s = v->sched;
    const int err = vtdpi_vcpu_detach_begin(v);

    if (err != 0)
        return err;
    while (!vtdpi_vcpu_detach_poll(v)) {
        if (s->ops->relax != NULL)
            s->ops->relax(s->ctx);
    }
    return 0;
}
