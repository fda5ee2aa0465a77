/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the owner of a vCPU does with it, from attach to detach (rule S of
 * vtdpi/sched.h, which is to be read first; then sched_blocked.h). The order of
 * the steps is the protocol: see docs/memory-ordering.md before you move one.
 *
 * Why a block loses no vector: the vCPU's bit is set; then, in one
 * compare-and-swap that fails if ON is set, notifications are directed to this
 * pCPU with the vCPU's WNV and SN is cleared; then PIR is read. A post sets its
 * PIR bit, then looks at ON and SN. So a post either has its bit seen here, and
 * the vCPU does not sleep, or the post finds the new destination and SN clear,
 * and sends a WNV whose handler finds the bit. The handler wakes the vCPU if
 * its wake mark is clear: block clears it between the bit and the
 * compare-and-swap (wake_mark_clear()), and nothing else does.
 */
#include "vtdpi/sched.h"
#include "internal.h"
#include "sched_blocked.h"
#include "sched_internal.h"

/* The fields that belong to the owner (rule S). */
#define PID_OWNED (VTDPI_PID_SN | VTDPI_PID_NV | VTDPI_PID_NDST)

static uint64_t pid_destination(uint8_t nv, uint32_t ndst)
{
    return VTDPI_FIELD_PUT(nv, VTDPI_PID_NV) |
           VTDPI_FIELD_PUT(ndst, VTDPI_PID_NDST);
}

static uint8_t vcpu_wnv(const struct vtdpi_vcpu *v)
{
    return v->sched->wnv[wnv_index(v->sched, v->slot)];
}

/* Attach, references. */

/*
 * Claims the first free slot of those in @among, or returns VTDPI_PAGE_SLOTS.
 * One compare-and-swap: of two callers that see the same slot free, one fails
 * and looks at what the other has left. Orders nothing but the claims; pairs
 * with the release in vtdpi_vcpu_detach_poll(), so that what the last owner of
 * the slot did happens before.
 */
static VTDPI_COLD uint32_t page_claim(struct vtdpi_pid_page *page,
                                      uint64_t among)
{
    uint64_t claimed = vtdpi_atomic_load64(&page->claimed);
    uint64_t left;

    do {
        left = among & ~claimed;
        if (left == 0)
            return VTDPI_PAGE_SLOTS;
    } while (!vtdpi_atomic_cas64(&page->claimed, &claimed,
                                 claimed | (left & (0 - left))));
    return (unsigned int)__builtin_ctzll(left);
}

/* Claims what @slot asks for, and puts it there; or says why not. */
static VTDPI_COLD int slot_claim(struct vtdpi_sched *s, uint32_t *slot)
{
    const bool any = *slot >= VTDPI_SLOT_IN(0);
    const uint32_t pages = sched_room(s);
    const uint32_t first = any ? *slot - VTDPI_SLOT_IN(0) : page_of_slot(*slot);
    uint32_t i = first;

    if (*slot == VTDPI_SLOT_ANY)
        i = 0;
    else if (first >= pages)
        return VTDPI_ESLOT;
    else if (page_found(vtdpi_sched_page_ref(s, first)) == NULL)
        return VTDPI_ENOPAGE;
    for (; i <= first && i < pages; i++) {
        struct vtdpi_pid_page *const page =
            page_found(vtdpi_sched_page_ref(s, i));
        const uint32_t n =
            page == NULL ? VTDPI_PAGE_SLOTS
                         : page_claim(page, any ? UINT64_MAX : slot_bit(*slot));

        if (n != VTDPI_PAGE_SLOTS) {
            *slot = i * VTDPI_PAGE_SLOTS + n;
            return 0;
        }
    }
    return any ? VTDPI_ENOSPC : VTDPI_ESLOTBUSY;
}

static VTDPI_COLD void target_open(struct vtdpi_target *t, uint64_t pda,
                                   enum vtdpi_apic_mode mode,
                                   struct vtdpi_vcpu *v)
{
    t->pda = pda;
    t->vcpu = v;
    t->mode = mode;
    /* Release: pairs with refs_take(), so that the taker of a reference finds the
     * target, and the vCPU, initialised. With a plain store an entry could be made
     * with the address of before. */
    vtdpi_atomic_store64_release(&t->refs, REFS_OPEN);
}

static VTDPI_COLD int vcpu_check(const struct vtdpi_sched *s,
                                 const struct vtdpi_vcpu *v, const void *cookie)
{
    if (s == NULL || v == NULL || cookie == NULL)
        return VTDPI_EINVAL;
    return v->sched != NULL ? VTDPI_EATTACHED : 0;
}

/* The slot is the caller's. A reference that is taken from now on lets units post to the
 * PID. */
static VTDPI_COLD void vcpu_open(struct vtdpi_sched *s, struct vtdpi_vcpu *v,
                                 uint32_t slot, void *cookie, bool adopted)
{
    struct vtdpi_pid_page *const page =
        page_found(vtdpi_sched_page_ref(s, page_of_slot(slot)));

    v->sched = s;
    v->pid = &page->pids[slot % VTDPI_PAGE_SLOTS];
    v->blocked_on = NULL;
    v->detach_seq = 0;
    v->detach_next = 0;
    v->slot = slot;
    if (!adopted)
        vtdpi_pid_init(v->pid, s->anv, 0);
    /* Release: pairs with the handler, which reads the cookie after the bit
     * that the first block sets. */
    vtdpi_atomic_store_ptr_release(&page->cookie[slot % VTDPI_PAGE_SLOTS],
                                   cookie);
    target_open(&v->target,
                page->phys + slot % VTDPI_PAGE_SLOTS * sizeof(struct vtdpi_pid),
                s->apic_mode, v);
}

int vtdpi_vcpu_attach(struct vtdpi_sched *s, struct vtdpi_vcpu *v,
                      uint32_t slot, void *cookie)
{
    int err = vcpu_check(s, v, cookie);

    if (err == 0)
        err = slot_claim(s, &slot);
    if (err == 0)
        vcpu_open(s, v, slot, cookie, false);
    return err;
}

/*
 * Takes a held slot. One step: of two callers, adopt or release, one finds the bit clear.
 * With a load and a store both would take the slot, and two vCPUs one PID. The slot
 * stays claimed, so page_claim() beside this does not get the slot. Orders nothing
 * more: the page was found by acquire, see page_publish().
 */
static VTDPI_COLD int slot_unhold(const struct vtdpi_sched *s, uint32_t slot)
{
    struct vtdpi_pid_page *page;

    if (page_of_slot(slot) >= sched_room(s))
        return VTDPI_ESLOT;
    page = page_found(vtdpi_sched_page_ref(s, page_of_slot(slot)));
    if (page == NULL)
        return VTDPI_ENOPAGE;
    if ((vtdpi_atomic_and64(&page->held, ~slot_bit(slot)) & slot_bit(slot)) ==
        0)
        return VTDPI_ESLOTBUSY;
    return 0;
}

int vtdpi_vcpu_adopt(struct vtdpi_sched *s, struct vtdpi_vcpu *v, uint32_t slot,
                     void *cookie)
{
    int err = vcpu_check(s, v, cookie);

    if (err == 0)
        err = slot_unhold(s, slot);
    if (err == 0)
        vcpu_open(s, v, slot, cookie, true);
    return err;
}

int vtdpi_sched_release_slot(struct vtdpi_sched *s, uint32_t slot)
{
    int err;

    if (s == NULL)
        return VTDPI_EINVAL;
    err = slot_unhold(s, slot);
    /* SC, so release: pairs with page_claim(). The caller's flush comes before the
     * attach that takes the slot next and initialises the PID; otherwise a unit could
     * still post into the PID of the next owner. */
    if (err == 0)
        (void)vtdpi_atomic_and64(
            &page_found(vtdpi_sched_page_ref(s, page_of_slot(slot)))->claimed,
            ~slot_bit(slot));
    return err;
}

uint64_t vtdpi_vcpu_pda(const struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(v->sched != NULL);
    return v->target.pda;
}

int vtdpi_target_init(struct vtdpi_target *t, uint64_t pda,
                      enum vtdpi_apic_mode mode)
{
    if (t == NULL || !vtdpi_apic_mode_ok_(mode))
        return VTDPI_EINVAL;
    if (pda % sizeof(struct vtdpi_pid) != 0)
        return VTDPI_EALIGN;
    if (vtdpi_atomic_load64(&t->refs) != 0)
        return VTDPI_EBUSY;
    target_open(t, pda, mode, NULL);
    return 0;
}

/*
 * Both counts and the closed state are one word, so that "nobody refers to the
 * target" and "nobody will" are one step of vtdpi_target_close(): its
 * compare-and-swap takes OPEN without a count to closed. The compare-and-swap
 * here adds to a word that is open, so it comes before that step, which then
 * fails, or finds the word closed. A check and a later close, or a word for
 * each count, would let a posted entry or a map in between that names a PID
 * which is about to be reused.
 */
static int refs_take(struct vtdpi_target *t, uint64_t one)
{
    /* Acquire: pairs with target_open(), which opens the word last. */
    uint64_t old = vtdpi_atomic_load64_acquire(&t->refs);

    do {
        if ((old & REFS_OPEN) == 0)
            return VTDPI_ECLOSED;
    } while (!vtdpi_atomic_cas64(&t->refs, &old, old + one));
    return 0;
}

/* The caller's flush, or its change of the map, comes before the count falls,
 * and so before detach finds no count: a compare-and-swap is a full barrier.
 * Otherwise detach could free a slot to which a unit still posts. */
static void refs_give(struct vtdpi_target *t, uint64_t one)
{
    uint64_t old = vtdpi_atomic_load64_relaxed(&t->refs);

    while (!vtdpi_atomic_cas64(&t->refs, &old, old - one))
        ;
}

/* What takes a reference later than this finds the word closed, see refs_take(). */
int vtdpi_target_close(struct vtdpi_target *t)
{
    uint64_t none = REFS_OPEN;

    if (!vtdpi_atomic_cas64(&t->refs, &none, 0))
        return none == 0 ? VTDPI_ECLOSED : VTDPI_EBUSY;
    return 0;
}

int vtdpi_target_ref(struct vtdpi_target *t)
{
    return refs_take(t, REFS_POST);
}

void vtdpi_target_unref(struct vtdpi_target *t)
{
    VTDPI_ASSERT(vtdpi_target_refs(t) != 0);
    refs_give(t, REFS_POST);
}

uint32_t vtdpi_target_refs(const struct vtdpi_target *t)
{
    return (uint32_t)vtdpi_atomic_load64(&t->refs) / (uint32_t)REFS_POST;
}

int vtdpi_vcpu_ref(struct vtdpi_vcpu *v)
{
    return vtdpi_target_ref(&v->target);
}

void vtdpi_vcpu_unref(struct vtdpi_vcpu *v)
{
    vtdpi_target_unref(&v->target);
}

uint32_t vtdpi_vcpu_refs(const struct vtdpi_vcpu *v)
{
    return vtdpi_target_refs(&v->target);
}

int vtdpi_vcpu_hold(struct vtdpi_vcpu *v)
{
    return refs_take(&v->target, REFS_HOLD);
}

void vtdpi_vcpu_unhold(struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(vtdpi_vcpu_holds(v) != 0);
    refs_give(&v->target, REFS_HOLD);
}

uint32_t vtdpi_vcpu_holds(const struct vtdpi_vcpu *v)
{
    return (uint32_t)(vtdpi_atomic_load64(&v->target.refs) / REFS_HOLD);
}

/* Transitions of the owner. */

static VTDPI_NOINLINE void blocked_take_back(const struct vtdpi_pcpu *p,
                                             uint32_t slot)
{
    blocked_clear(blocked_leaf(p, page_of_slot(slot)), slot);
}

/* After NV is ANV again, so that invariant I holds throughout. */
static void blocked_leave(struct vtdpi_vcpu *v)
{
    const struct vtdpi_pcpu *const p = v->blocked_on;

    if (p == NULL)
        return;
    v->blocked_on = NULL;
    blocked_take_back(p, v->slot);
}

void vtdpi_vcpu_run(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p)
{
    VTDPI_ASSERT(v->sched != NULL && p->sched == v->sched);
    VTDPI_ASSERT(!vcpu_will_sleep(v));
    /*
     * One step: no poster ever sees ANV with another pCPU's id. It clears SN
     * before the harvest that precedes VM entry reads PIR; pairs with
     * vtdpi_pid_record(): a post that still sees SN set has its bit harvested.
     */
    (void)vtdpi_pid_replace(v->pid, PID_OWNED,
                            pid_destination(v->sched->anv, p->ndst));
    blocked_leave(v);
}

void vtdpi_vcpu_preempt(struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(v->sched != NULL);
    (void)vtdpi_pid_replace(v->pid, VTDPI_PID_SN | VTDPI_PID_NV,
                            VTDPI_PID_SN | pid_destination(v->sched->anv, 0));
    blocked_leave(v);
}

/* A host that gave no send_ipi sends what vtdpi_pid_post() returns, and makes
 * none of the calls that come here. */
static void ipi_send(const struct vtdpi_sched *s, uint32_t apic_id,
                     uint8_t vector)
{
    VTDPI_ASSERT(s->ops->send_ipi != NULL);
    s->ops->send_ipi(s->ctx, apic_id, vector);
}

/* Sets the bit and clears the wake mark, unless @p is offline. One copy for
 * both kinds of block. */
static VTDPI_NOINLINE bool blocked_enter(struct vtdpi_vcpu *v,
                                         const struct vtdpi_pcpu *p)
{
    uint64_t *leaf;

    VTDPI_ASSERT(v->sched != NULL && p->sched == v->sched);
    if (v->blocked_on != NULL)
        vtdpi_vcpu_preempt(v);
    leaf = blocked_leaf(p, page_of_slot(v->slot));
    if (!blocked_set_online(p, leaf, v->slot))
        return false;
    wake_mark_clear(leaf, v->slot);
    return true;
}

/*
 * NV = its WNV, NDST = p, SN = 0, unless ON is set: then the notification has
 * gone to the old destination and nobody would send another one. The test and
 * the change are one compare-and-swap, so there is no moment in between.
 */
static bool destination_set_wakeup(struct vtdpi_vcpu *v,
                                   const struct vtdpi_pcpu *p)
{
    const uint64_t destination = pid_destination(vcpu_wnv(v), p->ndst);
    uint64_t old = vtdpi_atomic_load64_relaxed(&v->pid->control);

    do {
        if ((old & VTDPI_PID_ON) != 0)
            return false;
    } while (!vtdpi_atomic_cas64(&v->pid->control, &old,
                                 (old & ~PID_OWNED) | destination));
    return true;
}

enum vtdpi_block_result vtdpi_vcpu_block(struct vtdpi_vcpu *v,
                                         struct vtdpi_pcpu *p)
{
    if (v->sched->wnv_count == 0)
        return VTDPI_BLOCK_NOVECTOR;
    if (!blocked_enter(v, p))
        return VTDPI_BLOCK_OFFLINE;
    if (!destination_set_wakeup(v, p)) {
        blocked_take_back(p, v->slot);
        return VTDPI_BLOCK_PENDING;
    }
    v->blocked_on = p;
    /*
     * What was posted while SN was set has set no ON. Pairs with
     * vtdpi_pid_record(): PIR is read after SN is clear, so either the bit is
     * seen here, or the poster sees SN clear and notifies with WNV.
     */
    if (vtdpi_pid_pir_pending(v->pid)) {
        vtdpi_vcpu_preempt(v);
        return VTDPI_BLOCK_PENDING;
    }
    return VTDPI_BLOCKED;
}

enum vtdpi_block_result vtdpi_vcpu_block_committed(struct vtdpi_vcpu *v,
                                                   struct vtdpi_pcpu *p)
{
    uint64_t old;

    if (v->sched->wnv_count == 0)
        return VTDPI_BLOCK_NOVECTOR;
    if (!blocked_enter(v, p))
        return VTDPI_BLOCK_OFFLINE;
    old = vtdpi_pid_replace(v->pid, PID_OWNED,
                            pid_destination(vcpu_wnv(v), p->ndst));
    v->blocked_on = p;
    /*
     * ON was set: its notification went to the old destination. PIR not empty:
     * it was posted with SN set (as in vtdpi_vcpu_block()). In both cases this
     * call is the one that notifies; ON is set first, since the handler looks
     * at nothing else.
     */
    if ((old & VTDPI_PID_ON) != 0 || vtdpi_pid_pir_pending(v->pid)) {
        (void)vtdpi_pid_test_and_set_on(v->pid);
        ipi_send(v->sched, p->apic_id, vcpu_wnv(v));
    }
    return VTDPI_BLOCKED;
}

/* Posting by software. */

void vtdpi_vcpu_send(const struct vtdpi_vcpu *v,
                     const struct vtdpi_notification *n)
{
    const struct vtdpi_sched *const s = v->sched;

    VTDPI_ASSERT(s != NULL && n->result == VTDPI_POST_NOTIFY);
    ipi_send(s, vtdpi_apic_id_from_ndst(s->apic_mode, n->ndst), n->nv);
}

enum vtdpi_post_result vtdpi_vcpu_notify(struct vtdpi_vcpu *v, bool urgent)
{
    const struct vtdpi_notification n =
        vtdpi_pid_notify(vtdpi_vcpu_pid(v), urgent);

    if (n.result == VTDPI_POST_NOTIFY)
        vtdpi_vcpu_send(v, &n);
    return n.result;
}

enum vtdpi_post_result vtdpi_vcpu_post(struct vtdpi_vcpu *v, uint8_t vector,
                                       bool urgent)
{
    (void)vtdpi_pid_record(vtdpi_vcpu_pid(v), vector);
    return vtdpi_vcpu_notify(v, urgent);
}

/*
 * PIR is read after SN was cleared, by the run that came before: a post that saw
 * SN set is found here. One that comes later sends ANV to this processor, where
 * ANV stays pending until the entry like the one that is sent here.
 */
bool vtdpi_vcpu_notify_self(struct vtdpi_vcpu *v, const struct vtdpi_pcpu *p)
{
    VTDPI_ASSERT(v->sched != NULL && p->sched == v->sched);
    if (!vtdpi_pid_pending(v->pid))
        return false;
    ipi_send(v->sched, p->apic_id, v->sched->anv);
    return true;
}

/* Detach. */

int vtdpi_vcpu_detach_begin(struct vtdpi_vcpu *v)
{
    struct vtdpi_pid_page *page;
    int err;

    if (v->sched == NULL)
        return VTDPI_EDETACHED;
    err = vtdpi_target_close(&v->target);
    if (err != 0)
        return err;

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

/* The sequence of pCPU @n, or the scanner's behind the last; NULL: no such pCPU
 * yet, or no longer. vtdpi_pcpu_fini() has found its sequence even, and no handler
 * begins there afterwards. */
static const uint64_t *scan_sequence(const struct vtdpi_sched *s, uint32_t n)
{
    const struct vtdpi_pcpu *p;

    if (n == s->max_pcpus)
        return &s->scan;
    p = pcpu_found(&s->pcpus[n]);
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
    VTDPI_ASSERT(vtdpi_atomic_load64(&v->target.refs) == 0);
    for (; v->detach_next <= s->max_pcpus; v->detach_next++) {
        if (!scan_passed(v, scan_sequence(s, v->detach_next)))
            return false;
    }
    /* SC, so release: the next owner of the slot comes after all of this. */
    (void)vtdpi_atomic_and64(&page_of_vcpu(v)->claimed, ~slot_bit(v->slot));
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
