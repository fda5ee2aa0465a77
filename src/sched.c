/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduling protocol. The order of the steps is the protocol: see
 * docs/memory-ordering.md before you move one. Read-modify-writes are
 * sequentially consistent and full barriers; that is said once, here, and the
 * comments name what each pairs with.
 */
#include "vtdpi/sched.h"
#include "sched_slots.h"

/* The fields that belong to the owner (rule S). */
#define PLACE (VTDPI_PID_SN | VTDPI_PID_NV | VTDPI_PID_NDST)

static uint64_t place(uint8_t nv, uint32_t ndst)
{
    return VTDPI_FIELD_PUT(nv, VTDPI_PID_NV) |
           VTDPI_FIELD_PUT(ndst, VTDPI_PID_NDST);
}

static uint8_t wnv_of(const struct vtdpi_vcpu *v)
{
    return v->sched->wnv[wnv_index(v->sched, v->slot)];
}

/* 0, or what is wrong with the vectors. */
static VTDPI_COLD int check_vectors(const struct vtdpi_sched_params *params)
{
    const uint32_t count = params->wnv_count == 0 ? 1 : params->wnv_count;

    if (VTDPI_PAGE_SLOTS % count != 0)
        return VTDPI_EINVAL;
    if (params->anv < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    for (uint32_t i = 0; i < count; i++) {
        if (params->wnv[i] < VTDPI_VECTOR_MIN)
            return VTDPI_EVECTOR;
        if (params->wnv[i] == params->anv)
            return VTDPI_EINVAL;
        for (uint32_t k = 0; k < i; k++) {
            if (params->wnv[k] == params->wnv[i])
                return VTDPI_EINVAL;
        }
    }
    return 0;
}

static VTDPI_COLD void set_vectors(struct vtdpi_sched *s,
                                   const struct vtdpi_sched_params *params)
{
    s->anv = params->anv;
    s->wnv_count = params->wnv_count == 0 ? 1 : params->wnv_count;
    /* The first of every wnv_count bits: all ones, by wnv_count ones. As
     * wnv_count divides 64, it is the same for each summary word. */
    s->stripe = UINT64_MAX / (UINT64_MAX >> (VTDPI_PAGE_SLOTS - s->wnv_count));
    for (uint32_t i = 0; i < s->wnv_count; i++)
        s->wnv[i] = params->wnv[i];
}

int vtdpi_sched_init(struct vtdpi_sched *s,
                     const struct vtdpi_sched_params *params)
{
    int err;

    if (s == NULL || params == NULL || params->ops == NULL ||
        params->ops->send_ipi == NULL || params->ops->wake == NULL ||
        params->pages == NULL || params->pcpus == NULL)
        return VTDPI_EINVAL;
    if (params->max_pages == 0 || params->max_pages > VTDPI_PAGES_MAX ||
        params->max_pcpus == 0)
        return VTDPI_EINVAL;
    err = check_vectors(params);
    if (err != 0)
        return err;

    s->ops = params->ops;
    s->ctx = params->ctx;
    s->pages = params->pages;
    s->pcpus = params->pcpus;
    s->max_pages = params->max_pages;
    s->max_pcpus = params->max_pcpus;
    s->apic_mode = params->apic_mode;
    set_vectors(s, params);
    vtdpi_atomic_store64_relaxed(&s->scan, 0);
    for (uint32_t i = 0; i < s->max_pages; i++)
        page_publish(&s->pages[i], NULL, NULL);
    for (uint32_t i = 0; i < s->max_pcpus; i++)
        pcpu_publish(s, i, NULL);
    return 0;
}

int vtdpi_sched_add_page(struct vtdpi_sched *s, uint32_t number,
                         struct vtdpi_pid_page *page, void *memory,
                         uint64_t phys)
{
    if (s == NULL || page == NULL || memory == NULL)
        return VTDPI_EINVAL;
    if (number >= s->max_pages)
        return VTDPI_EPAGE;
    if ((uintptr_t)memory % VTDPI_PAGE_SIZE != 0 || phys % VTDPI_PAGE_SIZE != 0)
        return VTDPI_EALIGN;
    if (page_found(&s->pages[number]) != NULL)
        return VTDPI_EPAGEBUSY;

    page->pids = memory;
    page->phys = phys;
    vtdpi_atomic_store64_relaxed(&page->claimed, 0);
    for (uint32_t i = 0; i < VTDPI_PAGE_SLOTS; i++) {
        vtdpi_atomic_store_ptr_release(&page->cookie[i], NULL);
        vtdpi_pid_init(&page->pids[i], s->anv, 0);
    }
    /*
     * Release: whoever finds the page finds it initialised. Pairs with the
     * acquire of attach; a handler finds a bit of this page only after that.
     */
    page_publish(&s->pages[number], page, page->pids);
    return 0;
}

int vtdpi_pcpu_init(struct vtdpi_sched *s, struct vtdpi_pcpu *p,
                    uint32_t number, uint32_t apic_id, uint64_t *bitmap)
{
    if (s == NULL || p == NULL || bitmap == NULL)
        return VTDPI_EINVAL;
    if (number >= s->max_pcpus)
        return VTDPI_EPCPU;
    if (apic_id == UINT32_MAX ||
        (s->apic_mode == VTDPI_XAPIC && apic_id >= 0xff))
        return VTDPI_ERANGE;
    if (pcpu_found(s, number) != NULL)
        return VTDPI_EATTACHED;

    for (size_t i = 0; i < VTDPI_BITMAP_WORDS(s->max_pages); i++)
        vtdpi_atomic_store64_relaxed(&bitmap[i], 0);
    p->sched = s;
    p->leaf = bitmap;
    p->summary = bitmap + s->max_pages;
    p->apic_id = apic_id;
    p->ndst = vtdpi_ndst_from_apic_id(s->apic_mode, apic_id);
    vtdpi_atomic_store64_relaxed(&p->scan, 0);
    vtdpi_atomic_store64_relaxed(&p->here_left, 0);
    vtdpi_atomic_store64_relaxed(&p->away_left, 0);
    /* Not the same sequence for any two. */
    vtdpi_atomic_store64_relaxed(&p->random, (number + UINT64_C(1)) *
                                                 UINT64_C(0x9e3779b97f4a7c15));
    vtdpi_atomic_store64_relaxed(&p->online, 0);
    /* Release: pairs with the acquire of detach. */
    pcpu_publish(s, number, p);
    return 0;
}

/* The blocked bitmap. */

/*
 * Leaf before summary, both before the control word: when a notification is
 * sent with a WNV the handler finds the vCPU (invariant I). The summary is
 * tested after the leaf is set; pairs with clear_summary(), which clears the
 * summary bit before it reads the leaf again: one of the two sees the other.
 */
static void mark(const struct vtdpi_pcpu *p, uint32_t slot)
{
    const uint32_t leaf = page_of_slot(slot);
    uint64_t *const summary = &p->summary[leaf / 64];

    (void)vtdpi_atomic_or64(&p->leaf[leaf], bit_of(slot));
    if ((vtdpi_atomic_load64(summary) & bit_of(leaf)) == 0)
        (void)vtdpi_atomic_or64(summary, bit_of(leaf));
}

/*
 * Only the leaf: an owner that cleared the summary would need to look at the
 * other 63 slots, which belong to other owners.
 */
static void unmark(const struct vtdpi_pcpu *p, uint32_t slot)
{
    (void)vtdpi_atomic_and64(&p->leaf[page_of_slot(slot)], ~bit_of(slot));
}

/* Transitions of the owner. */

/* After NV is ANV again, so that invariant I holds throughout. */
static void leave_blocked(struct vtdpi_vcpu *v)
{
    if (v->blocked_on == NULL)
        return;
    unmark(v->blocked_on, v->slot);
    v->blocked_on = NULL;
}

void vtdpi_vcpu_run(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p)
{
    VTDPI_ASSERT(v->sched != NULL && p->sched == v->sched);
    /*
     * One step: no poster ever sees ANV with another pCPU's id. It clears SN
     * before the harvest that precedes VM entry reads PIR; pairs with
     * vtdpi_pid_record(): a post that still sees SN set has its bit harvested.
     */
    (void)vtdpi_pid_replace(v->pid, PLACE, place(v->sched->anv, p->ndst));
    leave_blocked(v);
}

void vtdpi_vcpu_preempt(struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(v->sched != NULL);
    (void)vtdpi_pid_replace(v->pid, VTDPI_PID_SN | VTDPI_PID_NV,
                            VTDPI_PID_SN | place(v->sched->anv, 0));
    leave_blocked(v);
}

/* The bit, then the flag; see vtdpi_pcpu_offline(). */
static bool mark_online(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p)
{
    VTDPI_ASSERT(v->sched != NULL && p->sched == v->sched);
    if (v->blocked_on != NULL)
        vtdpi_vcpu_preempt(v);
    mark(p, v->slot);
    if (vtdpi_atomic_load64(&p->online) != 0)
        return true;
    unmark(p, v->slot);
    return false;
}

/*
 * NV = its WNV, NDST = p, SN = 0, unless ON is set: then the notification has
 * gone to the old place and nobody would send another one. The test and the
 * change are one compare-and-swap, so there is no moment in between.
 */
static bool arm(struct vtdpi_vcpu *v, const struct vtdpi_pcpu *p)
{
    const uint64_t new_place = place(wnv_of(v), p->ndst);
    uint64_t old = vtdpi_atomic_load64_relaxed(&v->pid->control);

    do {
        if ((old & VTDPI_PID_ON) != 0)
            return false;
    } while (!vtdpi_atomic_cas64(&v->pid->control, &old,
                                 (old & ~PLACE) | new_place));
    return true;
}

enum vtdpi_block_result vtdpi_vcpu_block(struct vtdpi_vcpu *v,
                                         struct vtdpi_pcpu *p)
{
    if (!mark_online(v, p))
        return VTDPI_BLOCK_OFFLINE;
    if (!arm(v, p)) {
        unmark(p, v->slot);
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

    if (!mark_online(v, p))
        return VTDPI_BLOCK_OFFLINE;
    old = vtdpi_pid_replace(v->pid, PLACE, place(wnv_of(v), p->ndst));
    v->blocked_on = p;
    /*
     * ON was set: its notification went to the old place. PIR not empty: it
     * was posted with SN set (as in vtdpi_vcpu_block()). In both cases this
     * call is the one that notifies; ON is set first, since the handler looks
     * at nothing else.
     */
    if ((old & VTDPI_PID_ON) != 0 || vtdpi_pid_pir_pending(v->pid)) {
        (void)vtdpi_pid_test_and_set_on(v->pid);
        v->sched->ops->send_ipi(v->sched->ctx, p->apic_id, wnv_of(v));
    }
    return VTDPI_BLOCKED;
}

/* Posting by software. */

void vtdpi_vcpu_send(const struct vtdpi_vcpu *v,
                     const struct vtdpi_notification *n)
{
    const struct vtdpi_sched *const s = v->sched;

    VTDPI_ASSERT(s != NULL && n->needed);
    s->ops->send_ipi(s->ctx, vtdpi_apic_id_from_ndst(s->apic_mode, n->ndst),
                     n->nv);
}

bool vtdpi_vcpu_notify(struct vtdpi_vcpu *v, bool urgent)
{
    const struct vtdpi_notification n =
        vtdpi_pid_notify(vtdpi_vcpu_pid(v), urgent);

    if (n.needed)
        vtdpi_vcpu_send(v, &n);
    return n.needed;
}

bool vtdpi_vcpu_post(struct vtdpi_vcpu *v, uint8_t vector, bool urgent)
{
    (void)vtdpi_pid_record(vtdpi_vcpu_pid(v), vector);
    return vtdpi_vcpu_notify(v, urgent);
}

/* Attach, references. */

int vtdpi_vcpu_attach(struct vtdpi_sched *s, struct vtdpi_vcpu *v,
                      uint32_t slot, void *cookie)
{
    struct vtdpi_pid_page *page;

    if (s == NULL || v == NULL || cookie == NULL)
        return VTDPI_EINVAL;
    if (v->sched != NULL)
        return VTDPI_EATTACHED;
    if (page_of_slot(slot) >= s->max_pages)
        return VTDPI_ESLOT;
    page = page_found(&s->pages[page_of_slot(slot)]);
    if (page == NULL)
        return VTDPI_ENOPAGE;
    if ((vtdpi_atomic_or64(&page->claimed, bit_of(slot)) & bit_of(slot)) != 0)
        return VTDPI_ESLOTBUSY;

    v->sched = s;
    v->pid = &page->pids[slot % VTDPI_PAGE_SLOTS];
    v->blocked_on = NULL;
    v->detach_seq = 0;
    v->detach_next = 0;
    v->slot = slot;
    vtdpi_pid_init(v->pid, s->anv, 0);
    /* Release: pairs with the handler, which reads the cookie after the bit
     * that the first block sets. */
    vtdpi_atomic_store_ptr_release(&page->cookie[slot % VTDPI_PAGE_SLOTS],
                                   cookie);
    /* Release: whoever takes a reference finds all of the above. */
    vtdpi_atomic_store64_release(&v->refs, REFS_OPEN);
    return 0;
}

uint64_t vtdpi_vcpu_pda(const struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(v->sched != NULL);
    return page_of_vcpu(v)->phys +
           v->slot % VTDPI_PAGE_SLOTS * sizeof(struct vtdpi_pid);
}

/*
 * The closed state is part of the counter, so that "nobody refers to it" and
 * "nobody will" are one step: a check and a later close would let a posted
 * entry in between, naming a PID that is about to be reused.
 */
int vtdpi_vcpu_ref(struct vtdpi_vcpu *v)
{
    uint64_t old = vtdpi_atomic_load64_acquire(&v->refs);

    do {
        if ((old & REFS_OPEN) == 0)
            return VTDPI_ECLOSED;
    } while (!vtdpi_atomic_cas64(&v->refs, &old, old + REFS_ONE));
    return 0;
}

void vtdpi_vcpu_unref(struct vtdpi_vcpu *v)
{
    uint64_t old = vtdpi_atomic_load64_relaxed(&v->refs);

    do {
        VTDPI_ASSERT(old > REFS_OPEN);
    } while (!vtdpi_atomic_cas64(&v->refs, &old, old - REFS_ONE));
}

uint32_t vtdpi_vcpu_refs(const struct vtdpi_vcpu *v)
{
    return (uint32_t)(vtdpi_atomic_load64(&v->refs) / REFS_ONE);
}
