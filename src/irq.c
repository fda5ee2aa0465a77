/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device interrupt with its host form and its posted form. Read irq.h first
 * (forms, dirty, pinned), and the backend's contract in backend.h.
 *
 * Every change is one of a batch, in this order: claim, reference on the new vCPU,
 * entry, invalidation, commit, then irq_settle(), which gives references of old
 * entries back, and last irq_release(). Before a flush has completed a unit may
 * still write to the descriptor of the old vCPU, so the reference keeps that one
 * attached.
 *
 * All members of struct vtdpi_irq but the claim and the deferred host forms belong
 * to the call that holds the claim.
 */
#include "vtdpi/irq.h"

#include "internal.h"

static const struct vtdpi_irte irte_none = {0, 0};
static const struct vtdpi_irq_form form_none;

static VTDPI_COLD void target_unref(struct vtdpi_target *t)
{
    if (t != NULL)
        vtdpi_target_unref(t);
}

static bool irte_present(const struct vtdpi_irte *irte)
{
    return (irte->lo & VTDPI_IRTE_LO_P) != 0;
}

/* The source is judged where the entries are made: by an encoder. */
static VTDPI_COLD int source_check(const struct vtdpi_source *source)
{
    const struct vtdpi_irte_posted probe = {
        .present = true,
        .vector = VTDPI_VECTOR_MIN,
        .source = *source,
    };
    struct vtdpi_irte encoded;

    return vtdpi_irte_encode_posted(&probe, &encoded);
}

static VTDPI_COLD bool backend_ok(const struct vtdpi_backend *b)
{
    return b != NULL && b->ops != NULL && b->ops->replace != NULL &&
           b->ops->invalidate != NULL && b->ops->commit != NULL &&
           vtdpi_apic_mode_ok_(b->mode) && vtdpi_haw_ok_(b->haw);
}

VTDPI_COLD int vtdpi_irq_init(struct vtdpi_irq *irq,
                              const struct vtdpi_backend *backend,
                              uint32_t index, const struct vtdpi_source *source,
                              const struct vtdpi_irte *live)
{
    int rc;

    if (irq == NULL || source == NULL || !backend_ok(backend))
        return VTDPI_EINVAL;
    /* The references that an interrupt in use holds would be lost. */
    VTDPI_ASSERT(irq->target == NULL && irq->host.target == NULL &&
                 !irq->dirty && !vtdpi_irq_is_pinned(irq));
    rc = source_check(source);
    if (rc != 0)
        return rc;

    *irq = (struct vtdpi_irq){
        .backend = backend,
        .source = *source,
        .index = index,
    };
    if (live != NULL) {
        irq->live.irte = *live;
        if (irte_present(live) && !vtdpi_irte_is_posted(live))
            irq->host.irte = *live;
    }
    return 0;
}

/* Needs a reference on @p t. */
static VTDPI_COLD int adopt_check(const struct vtdpi_irq *irq,
                                  const struct vtdpi_irte_posted *fields,
                                  const struct vtdpi_target *t)
{
    if (t->mode != irq->backend->mode)
        return VTDPI_EMODE;
    return t->pda != fields->pda ? VTDPI_EIRTE_PDA : 0;
}

VTDPI_COLD int
vtdpi_irq_adopt(struct vtdpi_irq *irq, const struct vtdpi_backend *backend,
                uint32_t index, const struct vtdpi_source *source,
                const struct vtdpi_irte *live, struct vtdpi_vcpu *v)
{
    struct vtdpi_irte_posted fields;
    struct vtdpi_target *t;
    int rc = v == NULL ? VTDPI_EINVAL : vtdpi_irte_decode_posted(live, &fields);

    if (rc == 0 && !fields.present)
        rc = VTDPI_EIRTE_ABSENT;
    if (rc == 0)
        rc = vtdpi_irq_init(irq, backend, index, source, live);
    if (rc != 0)
        return rc;
    t = vtdpi_vcpu_target(v);
    rc = vtdpi_target_ref(t);
    if (rc != 0)
        return rc;
    rc = adopt_check(irq, &fields, t);
    if (rc != 0) {
        vtdpi_target_unref(t);
        return rc;
    }
    irq->live.target = t;
    irq->target = t;
    irq->vector = fields.vector;
    return 0;
}

/*
 * A flush that covers every change of the interrupt has completed, so no unit
 * reaches a PID through an old entry any more. Only now may the references go:
 * with the last one the PID can be reused.
 */
static VTDPI_COLD void irq_settle(struct vtdpi_irq *irq)
{
    irq->dirty = false;
    irq->drain = false;
    if (irq->backend->ops->settled != NULL)
        irq->backend->ops->settled(irq->backend->ctx, irq->index);
    for (size_t i = 0; i < VTDPI_IRQ_STALE_MAX; i++) {
        target_unref(irq->stale[i]);
        irq->stale[i] = NULL;
    }
}

/*
 * Claims. A call that changes an interrupt claims the interrupt first, by one CAS on
 * one word, and releases it when its flush has ended. A call that finds a claim does
 * not wait: VTDPI_EINFLIGHT. vtdpi_irq_set_host() alone leaves its form beside, and the
 * holder takes the form over before it lets go.
 *
 * One writer (calls of set_host are serialised by the host) and one reader (the
 * holder) share two places for a form. The writer never writes the place that is
 * published, and each publication has a new number, so the CAS with which the reader
 * takes a form fails if the writer was in both places since. A form's reference goes
 * with the form: to the reader that takes it, or back by the writer that replaces it.
 */
#define CLAIM_HELD     UINT64_C(1)
#define CLAIM_DEFERRED UINT64_C(2) /* a form is published */
#define CLAIM_PLACE    UINT64_C(4) /* where: the second place */
#define CLAIM_NUMBER   UINT64_C(8) /* added with each publication */

/*
 * The CAS orders what the holder before has written (its CAS in irq_release()) before
 * what this call reads. Without that order this call could act on a live entry, or
 * on references, of before.
 */
static VTDPI_COLD bool irq_claim(struct vtdpi_irq *irq)
{
    uint64_t w = vtdpi_atomic_load64_relaxed(&irq->claim);

    while ((w & CLAIM_HELD) == 0) {
        if (vtdpi_atomic_cas64(&irq->claim, &w, w | CLAIM_HELD))
            return true;
    }
    return false;
}

/* Relaxed: a holder may read the place during the write. That holder finds another
 * number in the claim afterwards, and drops what it has read. */
static void place_write(struct vtdpi_irq_form *place,
                        const struct vtdpi_irq_form *form)
{
    vtdpi_atomic_store64_relaxed(&place->irte.lo, form->irte.lo);
    vtdpi_atomic_store64_relaxed(&place->irte.hi, form->irte.hi);
    vtdpi_atomic_store_ptr_release((void **)&place->target, form->target);
}

static struct vtdpi_irq_form place_read(const struct vtdpi_irq_form *place)
{
    struct vtdpi_irq_form form;

    form.irte.lo = vtdpi_atomic_load64_relaxed(&place->irte.lo);
    form.irte.hi = vtdpi_atomic_load64_relaxed(&place->irte.hi);
    form.target = vtdpi_atomic_load_ptr_acquire((void *const *)&place->target);
    return form;
}

static uint32_t claim_place(uint64_t w)
{
    return (w & CLAIM_PLACE) != 0 ? 1 : 0;
}

/*
 * Publishes a host form to the holder, with its reference. False if there is no holder
 * any more. The CAS orders the stores to the place before the number; the holder's
 * load of the word pairs with it. With a plain store of the word the form would be lost
 * if the holder let go at that moment. It fails if the holder has taken the form of
 * before, so that form's reference is given back exactly once: here or by the holder.
 */
static VTDPI_COLD bool irq_defer(struct vtdpi_irq *irq,
                                 const struct vtdpi_irq_form *host)
{
    uint64_t w = vtdpi_atomic_load64_acquire(&irq->claim);
    const bool again = (w & CLAIM_DEFERRED) != 0;
    const uint32_t old = claim_place(w);
    const bool second = again && old == 0;
    uint64_t next;

    if ((w & CLAIM_HELD) == 0)
        return false;
    place_write(&irq->deferred[second ? 1 : 0], host);
    next = (w & ~CLAIM_PLACE) + CLAIM_NUMBER;
    next |= CLAIM_DEFERRED | (second ? CLAIM_PLACE : 0);
    if (!vtdpi_atomic_cas64(&irq->claim, &w, next))
        return false;
    if (again)
        target_unref(place_read(&irq->deferred[old]).target);
    return true;
}

static VTDPI_COLD int irq_set_host_claimed(struct vtdpi_irq *irq,
                                           struct vtdpi_irq_form *host);

/*
 * Lets go, unless a form was published. The CAS orders everything that the holder wrote
 * before the next claim, see irq_claim(); it fails if a form was published since, so
 * none is left behind.
 */
static VTDPI_COLD bool irq_let_go(struct vtdpi_irq *irq)
{
    uint64_t w = vtdpi_atomic_load64_acquire(&irq->claim);

    while ((w & CLAIM_DEFERRED) == 0) {
        if (vtdpi_atomic_cas64(&irq->claim, &w, w & ~CLAIM_HELD))
            return true;
    }
    return false;
}

/*
 * Lets go. A form that was published is taken over first, each in a batch of its own,
 * so no batch of the caller is open. What comes of the form is no concern of the
 * holder: the caller of set_host asks again, and is told.
 *
 * The CAS orders what the holder wrote as in irq_let_go().
 */
static VTDPI_COLD void irq_release(struct vtdpi_irq *irq)
{
    uint64_t w = vtdpi_atomic_load64_acquire(&irq->claim);

    for (;;) {
        const bool deferred = (w & CLAIM_DEFERRED) != 0;
        struct vtdpi_irq_form host = place_read(&irq->deferred[claim_place(w)]);

        if (!vtdpi_atomic_cas64(&irq->claim, &w,
                                w & ~(deferred ? CLAIM_DEFERRED : CLAIM_HELD)))
            continue;
        if (!deferred)
            return;
        (void)irq_set_host_claimed(irq, &host);
        w = vtdpi_atomic_load64_acquire(&irq->claim);
    }
}

/* Atomic, since calls that do not hold the claim compare the member with a batch of
 * their own. It orders nothing. */
static void irq_set_batch(struct vtdpi_irq *irq, struct vtdpi_irq_batch *b)
{
    vtdpi_atomic_store_ptr_release(&irq->batch, b);
}

/*
 * Batches. Every change is one of a batch; the functions for a single
 * interrupt make a batch of one.
 */

static VTDPI_COLD void batch_begin(struct vtdpi_irq_batch *b,
                                   const struct vtdpi_backend *backend,
                                   struct vtdpi_flush_range *ranges,
                                   uint32_t capacity)
{
    b->backend = backend;
    b->first = NULL;
    b->rc = 0;
    b->open = false;
    vtdpi_flush_init(&b->flush, ranges, capacity);
}

VTDPI_COLD int vtdpi_irq_batch_begin(struct vtdpi_irq_batch *batch,
                                     const struct vtdpi_backend *backend,
                                     struct vtdpi_flush_range *ranges,
                                     uint32_t capacity)
{
    if (batch == NULL || !backend_ok(backend) ||
        (ranges == NULL && capacity != 0))
        return VTDPI_EINVAL;
    batch_begin(batch, backend, ranges, capacity);
    return 0;
}

/* The backend is asked to begin when there is something to do. */
static VTDPI_COLD int batch_open(struct vtdpi_irq_batch *b)
{
    int rc = 0;

    if (!b->open && b->backend->ops->begin != NULL)
        rc = b->backend->ops->begin(b->backend->ctx, &b->flush);
    b->open = rc == 0;
    return rc;
}

/*
 * Has the commit flush the interrupt, and settle it. What may have been posted
 * through an old entry is drained, in a repeated flush as well. If the backend
 * refuses, nothing of the batch can be called flushed.
 */
static VTDPI_COLD int batch_join(struct vtdpi_irq_batch *b,
                                 struct vtdpi_irq *irq, bool invalidate)
{
    const struct vtdpi_backend_ops *ops = b->backend->ops;
    int rc = 0;

    if (!vtdpi_irq_batch_has(b, irq)) {
        irq_set_batch(irq, b);
        irq->next = b->first;
        b->first = irq;
    }
    if (irq->drain)
        b->flush.drain = true;
    if (invalidate)
        rc = ops->invalidate(b->backend->ctx, &b->flush, irq->index, 1);
    if (b->rc == 0)
        b->rc = rc;
    return rc;
}

/* Flushes, and settles what was flushed. Returns the interrupts of the batch, which
 * are still claimed, by @p first. */
static VTDPI_COLD int batch_flush(struct vtdpi_irq_batch *b,
                                  struct vtdpi_irq **first)
{
    int rc = 0;

    if (b->open)
        rc = b->backend->ops->commit(b->backend->ctx, &b->flush);
    if (b->rc != 0)
        rc = b->rc;
    for (struct vtdpi_irq *irq = b->first; irq != NULL; irq = irq->next) {
        irq_set_batch(irq, NULL);
        if (rc == 0)
            irq_settle(irq);
    }
    *first = b->first;
    b->first = NULL;
    b->open = false;
    return rc;
}

VTDPI_COLD int vtdpi_irq_batch_commit(struct vtdpi_irq_batch *batch)
{
    struct vtdpi_irq *irq;
    int rc;

    if (batch == NULL)
        return VTDPI_EINVAL;
    rc = batch_flush(batch, &irq);
    while (irq != NULL) {
        struct vtdpi_irq *const next = irq->next;

        irq_release(irq);
        irq = next;
    }
    return rc;
}

/*
 * The entry was replaced: move the reference of the old entry to those that wait
 * for a flush, and put the new form in its place. There is always room: a
 * change that starts dirty is the last one, by teardown.
 */
static VTDPI_COLD void irq_forms_replaced(struct vtdpi_irq *irq,
                                          const struct vtdpi_irq_form *live,
                                          uint8_t vector)
{
    if (irq->live.target != NULL)
        irq->stale[irq->stale[0] == NULL ? 0 : 1] = irq->live.target;
    if (vtdpi_irte_is_posted(&irq->live.irte))
        irq->drain = true;
    irq->live = *live;
    irq->target = vector != 0 ? live->target : NULL;
    irq->vector = vector;
    irq->dirty = true;
}

/*
 * Makes @p live the entry: the posted form with @p vector, or, if that is 0, the host
 * form or none. The order matters: entry, invalidation, wait, and last the reference
 * of the old entry. The caller has taken a reference on the target before, because a
 * detach or a close has to see it in time. The entry takes that reference over; if
 * the entry is not written, the reference is given back here.
 *
 * An entry that was not present is in no cache, so it needs no invalidation. (A
 * backend whose unit caches such entries invalidates by itself.) A teardown always
 * invalidates: what the entry held, and whether the change before was flushed, may
 * be unknown.
 */
static VTDPI_COLD int irq_change(struct vtdpi_irq_batch *b,
                                 struct vtdpi_irq *irq,
                                 const struct vtdpi_irte *old,
                                 const struct vtdpi_irq_form *live,
                                 uint8_t vector)
{
    const bool cached = old == NULL || irte_present(&irq->live.irte);
    int rc = batch_open(b);

    if (rc == 0)
        rc = b->backend->ops->replace(b->backend->ctx, &b->flush, irq->index,
                                      old, &live->irte);
    if (rc != 0) {
        target_unref(live->target);
        return rc;
    }
    if (b->flush.drain) /* the backend may have found a posted form */
        irq->drain = true;
    irq_forms_replaced(irq, live, vector);
    return batch_join(b, irq, cached);
}

/*
 * Makes the host form the entry. The entry has a reference besides that of the form
 * that is stored. So the stored form can be replaced at any time, and its reference
 * given back, whatever units still use.
 */
static VTDPI_COLD int irq_change_to_host(struct vtdpi_irq_batch *b,
                                         struct vtdpi_irq *irq,
                                         const struct vtdpi_irq_form *host)
{
    /* Not refused: the form has a reference, so the target is open. */
    const int rc = host->target != NULL ? vtdpi_target_ref(host->target) : 0;

    return rc != 0 ? rc : irq_change(b, irq, &irq->live.irte, host, 0);
}

/* Encodes a host form in remapped format; zero for none. */
static VTDPI_COLD int host_encode(const struct vtdpi_irq *irq,
                                  const struct vtdpi_irte_remapped *host,
                                  struct vtdpi_irq_form *out)
{
    const struct vtdpi_source *own = &irq->source;
    struct vtdpi_irte_remapped fields;

    *out = form_none;
    if (host == NULL)
        return 0;
    if (!host->present || host->mode != irq->backend->mode)
        return VTDPI_EINVAL;
    fields = *host;
    if (fields.source.kind == VTDPI_SOURCE_UNSET)
        fields.source = *own;
    else if (fields.source.kind != own->kind || fields.source.sid != own->sid ||
             fields.source.sq != own->sq)
        return VTDPI_EINVAL;
    return vtdpi_irte_encode_remapped(&fields, &out->irte);
}

/*
 * Encodes a form in posted format, with FPD and AVAIL of @p like. Needs a reference on
 * @p t. A unit reads NDST in the PID as it reads destinations in the table.
 */
static VTDPI_COLD int posted_encode(const struct vtdpi_irq *irq,
                                    struct vtdpi_target *t, uint8_t vector,
                                    const struct vtdpi_irte *like,
                                    struct vtdpi_irq_form *out)
{
    const struct vtdpi_irte_posted fields = {
        .present = true,
        .fpd = (like->lo & VTDPI_IRTE_LO_FPD) != 0,
        .avail = (uint8_t)VTDPI_FIELD_GET(like->lo, VTDPI_IRTE_LO_AVAIL),
        .vector = vector,
        .pda = t->pda,
        .source = irq->source,
    };
    int rc;

    if (t->mode != irq->backend->mode)
        return VTDPI_EMODE;
    rc = vtdpi_irte_encode_posted(&fields, &out->irte);
    if (rc != 0)
        return rc;
    out->target = t;
    return vtdpi_irte_validate(&out->irte, irq->backend->mode,
                               irq->backend->haw);
}

/*
 * Makes a form in posted format, with a reference on its target. The reference is taken
 * first: what is read of the target is that of before its detach or close.
 */
static VTDPI_COLD int posted_make(const struct vtdpi_irq *irq,
                                  struct vtdpi_target *t, uint8_t vector,
                                  const struct vtdpi_irte *like,
                                  struct vtdpi_irq_form *out)
{
    int rc = vtdpi_target_ref(t);

    if (rc != 0)
        return rc;
    rc = posted_encode(irq, t, vector, like, out);
    if (rc != 0)
        vtdpi_target_unref(t);
    return rc;
}

/* What is wrong with a form in posted format before anything is looked up. */
static VTDPI_COLD int posted_check(const struct vtdpi_irq *irq,
                                   const struct vtdpi_target *t, uint8_t vector)
{
    if (irq == NULL || t == NULL)
        return VTDPI_EINVAL;
    if (vector < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    return irq->backend->no_posting ? VTDPI_ENOPI : 0;
}

/* What is asked of an interrupt. */
enum irq_verb {
    VERB_SET_HOST,
    VERB_POST,
    VERB_UNPOST,
    VERB_TEARDOWN,
    VERB_FLUSH
};

static VTDPI_COLD int irq_check_idle(const struct vtdpi_irq *irq)
{
    if (irq->down)
        return VTDPI_ESTATE;
    return irq->dirty ? VTDPI_EDIRTY : 0;
}

static VTDPI_COLD bool form_equal(const struct vtdpi_irq_form *a,
                                  const struct vtdpi_irq_form *b)
{
    return a->target == b->target && vtdpi_irte_equal_(&a->irte, &b->irte);
}

/* Puts another host form in the place of the one that is stored. A reference moves
 * with the form. */
static VTDPI_COLD void irq_store_host(struct vtdpi_irq *irq,
                                      struct vtdpi_irq_form *host)
{
    struct vtdpi_target *const old = irq->host.target;

    irq->host = *host;
    host->target = NULL;
    target_unref(old);
}

static VTDPI_COLD int irq_do_set_host(struct vtdpi_irq_batch *b,
                                      struct vtdpi_irq *irq,
                                      struct vtdpi_irq_form *host)
{
    int rc = 0;

    if (irq->target == NULL || irq->down) {
        rc = irq_check_idle(irq);
        if (rc != 0)
            return rc;
        if (!form_equal(host, &irq->live)) {
            rc = irq_change_to_host(b, irq, host);
            if (rc != 0 && !irq->dirty)
                return rc;
        }
    }
    irq_store_host(irq, host);
    return rc;
}

static VTDPI_COLD int irq_do_post(struct vtdpi_irq_batch *b,
                                  struct vtdpi_irq *irq, struct vtdpi_target *t,
                                  uint8_t vector)
{
    struct vtdpi_irq_form form;
    int rc = posted_check(irq, t, vector);

    if (rc == 0)
        rc = irq_check_idle(irq);
    if (rc != 0)
        return rc;
    /* FPD and AVAIL are the host's choice for this interrupt, for every target. */
    rc = posted_make(irq, t, vector, &irq->host.irte, &form);
    if (rc != 0)
        return rc;
    if (irq->target == NULL || !form_equal(&form, &irq->live))
        return irq_change(b, irq, &irq->live.irte, &form, vector);
    vtdpi_target_unref(t);
    return 0;
}

static VTDPI_COLD int irq_do_unpost(struct vtdpi_irq_batch *b,
                                    struct vtdpi_irq *irq)
{
    const int rc = irq_check_idle(irq);

    if (rc != 0 || irq->target == NULL)
        return rc;
    return irq_change_to_host(b, irq, &irq->host);
}

static VTDPI_COLD int irq_do_flush(struct vtdpi_irq_batch *b,
                                   struct vtdpi_irq *irq)
{
    int rc;

    if (irq->down && !vtdpi_irte_equal_(&irq->live.irte, &irte_none))
        return irq_change(b, irq, NULL, &form_none, 0);
    if (!irq->dirty || vtdpi_irq_batch_has(b, irq))
        return 0;
    /* No write buffer to flush, whatever the failed flush has left in one: a unit
     * flushes its write buffers itself before it executes an invalidation. */
    rc = batch_open(b);
    return rc != 0 ? rc : batch_join(b, irq, true);
}

/* What is asked of an interrupt. */
struct irq_order {
    enum irq_verb verb;
    struct vtdpi_irq_form *host; /* of SET_HOST; its target NULL once stored */
    struct vtdpi_target *target; /* of POST, and the vector */
    uint8_t vector;
};

static VTDPI_COLD int irq_do(struct vtdpi_irq_batch *b, struct vtdpi_irq *irq,
                             const struct irq_order *order)
{
    switch (order->verb) {
    case VERB_SET_HOST:
        return irq_do_set_host(b, irq, order->host);
    case VERB_POST:
        return irq_do_post(b, irq, order->target, order->vector);
    case VERB_UNPOST:
        return irq_do_unpost(b, irq);
    case VERB_TEARDOWN:
        irq->down = true;
        irq_store_host(irq, &(struct vtdpi_irq_form){.target = NULL});
        break;
    case VERB_FLUSH:
        break;
    }
    return irq_do_flush(b, irq);
}

/*
 * In a batch. If the commit concerns the interrupt, the claim lasts until the commit;
 * otherwise it ends with this call. A host form that was left to this claim waits for
 * the commit, too: setting that form now would begin a second batch of the backend
 * while one is open.
 */
static VTDPI_COLD int batch_apply(struct vtdpi_irq_batch *b,
                                  struct vtdpi_irq *irq,
                                  const struct irq_order *order)
{
    int rc;

    if (b == NULL || irq == NULL || irq->backend != b->backend)
        return VTDPI_EINVAL;
    if (!vtdpi_irq_batch_has(b, irq) && !irq_claim(irq))
        return VTDPI_EINFLIGHT;
    rc = irq_do(b, irq, order);
    if (vtdpi_irq_batch_has(b, irq))
        return rc;
    if (!b->open)
        irq_release(irq);
    else if (!irq_let_go(irq))
        (void)batch_join(b, irq, irq->dirty); /* the commit tells its error */
    return rc;
}

/* A batch of one, of an interrupt that is claimed and stays so. */
static VTDPI_COLD int irq_do_single(struct vtdpi_irq *irq,
                                    const struct irq_order *order)
{
    struct vtdpi_flush_range range;
    struct vtdpi_irq_batch b;
    struct vtdpi_irq *first;
    int rc_flush;
    int rc;

    batch_begin(&b, irq->backend, &range, 1);
    rc = irq_do(&b, irq, order);
    rc_flush = batch_flush(&b, &first);
    return rc != 0 ? rc : rc_flush;
}

/* An interrupt that is dirty is flushed before it is changed, in a batch of its
 * own. */
static VTDPI_COLD int irq_do_clean(struct vtdpi_irq *irq,
                                   const struct irq_order *order)
{
    static const struct irq_order flush = {.verb = VERB_FLUSH};
    int rc = irq_do_single(irq, order);

    if (rc == VTDPI_EDIRTY) {
        /* The interrupt stays dirty if this fails. */
        (void)irq_do_single(irq, &flush);
        rc = irq_do_single(irq, order);
    }
    return rc;
}

/* Also gives the form's reference back, if the form is not stored. */
static VTDPI_COLD int irq_set_host_claimed(struct vtdpi_irq *irq,
                                           struct vtdpi_irq_form *host)
{
    const struct irq_order order = {.verb = VERB_SET_HOST, .host = host};
    const int rc = irq_do_clean(irq, &order);

    target_unref(host->target);
    return rc;
}

/* One of the verbs but SET_HOST; target and vector of POST. */
static VTDPI_COLD VTDPI_NOINLINE int irq_ask(struct vtdpi_irq *irq,
                                             enum irq_verb verb,
                                             struct vtdpi_target *t,
                                             uint8_t vector)
{
    const struct irq_order order = {
        .verb = verb, .target = t, .vector = vector};
    int rc;

    if (irq == NULL)
        return VTDPI_EINVAL;
    if (!irq_claim(irq))
        return VTDPI_EINFLIGHT;
    rc = irq_do_clean(irq, &order);
    irq_release(irq);
    return rc;
}

/* The same in a batch. */
static VTDPI_COLD VTDPI_NOINLINE int
batch_ask(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq,
          enum irq_verb verb, struct vtdpi_target *t, uint8_t vector)
{
    const struct irq_order order = {
        .verb = verb, .target = t, .vector = vector};

    return batch_apply(batch, irq, &order);
}

/* The host form as it is asked for; with a reference if it is posted. */
static VTDPI_COLD int host_make_posted(const struct vtdpi_irq *irq,
                                       struct vtdpi_target *t, uint8_t vector,
                                       struct vtdpi_irq_form *out)
{
    const int rc = posted_check(irq, t, vector);

    return rc != 0 ? rc : posted_make(irq, t, vector, &irte_none, out);
}

static VTDPI_COLD int batch_set_host(struct vtdpi_irq_batch *batch,
                                     struct vtdpi_irq *irq,
                                     struct vtdpi_irq_form *host)
{
    const struct irq_order order = {.verb = VERB_SET_HOST, .host = host};
    const int rc = batch_apply(batch, irq, &order);

    target_unref(host->target);
    return rc;
}

int vtdpi_irq_batch_set_host(struct vtdpi_irq_batch *batch,
                             struct vtdpi_irq *irq,
                             const struct vtdpi_irte_remapped *host)
{
    struct vtdpi_irq_form form;
    const int rc = irq == NULL ? VTDPI_EINVAL : host_encode(irq, host, &form);

    return rc != 0 ? rc : batch_set_host(batch, irq, &form);
}

int vtdpi_irq_batch_set_host_posted(struct vtdpi_irq_batch *batch,
                                    struct vtdpi_irq *irq,
                                    struct vtdpi_target *target, uint8_t vector)
{
    struct vtdpi_irq_form form;
    const int rc = host_make_posted(irq, target, vector, &form);

    return rc != 0 ? rc : batch_set_host(batch, irq, &form);
}

static struct vtdpi_target *target_of(struct vtdpi_vcpu *v)
{
    return v != NULL ? vtdpi_vcpu_target(v) : NULL;
}

int vtdpi_irq_batch_post(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq,
                         struct vtdpi_vcpu *v, uint8_t vector)
{
    return vtdpi_irq_batch_post_target(batch, irq, target_of(v), vector);
}

int vtdpi_irq_batch_post_target(struct vtdpi_irq_batch *batch,
                                struct vtdpi_irq *irq,
                                struct vtdpi_target *target, uint8_t vector)
{
    return batch_ask(batch, irq, VERB_POST, target, vector);
}

int vtdpi_irq_batch_unpost(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq)
{
    return batch_ask(batch, irq, VERB_UNPOST, NULL, 0);
}

int vtdpi_irq_batch_teardown(struct vtdpi_irq_batch *batch,
                             struct vtdpi_irq *irq)
{
    return batch_ask(batch, irq, VERB_TEARDOWN, NULL, 0);
}

int vtdpi_irq_batch_flush(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq)
{
    return batch_ask(batch, irq, VERB_FLUSH, NULL, 0);
}

/* Affinity code does not wait: it claims, or leaves the form to who has claimed. */
static VTDPI_COLD int irq_set_host(struct vtdpi_irq *irq,
                                   struct vtdpi_irq_form *host)
{
    int rc;

    while (!irq_claim(irq)) {
        if (irq_defer(irq, host))
            return VTDPI_IRQ_DEFERRED;
    }
    rc = irq_set_host_claimed(irq, host);
    irq_release(irq);
    return rc;
}

int vtdpi_irq_set_host(struct vtdpi_irq *irq,
                       const struct vtdpi_irte_remapped *host)
{
    struct vtdpi_irq_form form;
    const int rc = irq == NULL ? VTDPI_EINVAL : host_encode(irq, host, &form);

    return rc != 0 ? rc : irq_set_host(irq, &form);
}

int vtdpi_irq_set_host_posted(struct vtdpi_irq *irq,
                              struct vtdpi_target *target, uint8_t vector)
{
    struct vtdpi_irq_form form;
    const int rc = host_make_posted(irq, target, vector, &form);

    return rc != 0 ? rc : irq_set_host(irq, &form);
}

int vtdpi_irq_post(struct vtdpi_irq *irq, struct vtdpi_vcpu *v, uint8_t vector)
{
    return vtdpi_irq_post_target(irq, target_of(v), vector);
}

int vtdpi_irq_post_target(struct vtdpi_irq *irq, struct vtdpi_target *target,
                          uint8_t vector)
{
    return irq_ask(irq, VERB_POST, target, vector);
}

int vtdpi_irq_unpost(struct vtdpi_irq *irq)
{
    return irq_ask(irq, VERB_UNPOST, NULL, 0);
}

int vtdpi_irq_flush(struct vtdpi_irq *irq)
{
    return irq_ask(irq, VERB_FLUSH, NULL, 0);
}

int vtdpi_irq_teardown(struct vtdpi_irq *irq)
{
    return irq_ask(irq, VERB_TEARDOWN, NULL, 0);
}

VTDPI_COLD int vtdpi_irq_mark_flushed(struct vtdpi_irq *irq)
{
    int rc = 0;

    if (irq == NULL)
        return VTDPI_EINVAL;
    if (!irq_claim(irq))
        return VTDPI_EINFLIGHT;
    if (irq->down && !vtdpi_irte_equal_(&irq->live.irte, &irte_none))
        rc = VTDPI_EBUSY;
    else if (irq->dirty)
        irq_settle(irq);
    irq_release(irq);
    return rc;
}
