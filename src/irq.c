/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device interrupt with its host form and its posted form. Read irq.h first
 * (forms, dirty, pinned), and the backend's contract in backend.h.
 *
 * Every change is one of a batch, in this order: reference on the new vCPU,
 * entry, invalidation, commit, and last irq_settle(), which gives references of
 * old entries back. Before a flush has completed a unit may still write to the
 * descriptor of the old vCPU, so the reference keeps that one attached.
 */
#include "vtdpi/irq.h"

#include "internal.h"

static const struct vtdpi_irte irte_none = {0, 0};

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
    rc = source_check(source);
    if (rc != 0)
        return rc;

    *irq = (struct vtdpi_irq){
        .backend = backend,
        .source = *source,
        .index = index,
    };
    if (live != NULL) {
        irq->live = *live;
        if (irte_present(live) && !vtdpi_irte_is_posted(live))
            irq->host = *live;
    }
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
        if (irq->stale[i] != NULL)
            vtdpi_vcpu_unref(irq->stale[i]);
        irq->stale[i] = NULL;
    }
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

    if (irq->batch == NULL) {
        irq->batch = b;
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

VTDPI_COLD int vtdpi_irq_batch_commit(struct vtdpi_irq_batch *batch)
{
    struct vtdpi_irq *next;
    int rc = 0;

    if (batch == NULL)
        return VTDPI_EINVAL;
    if (batch->open)
        rc = batch->backend->ops->commit(batch->backend->ctx, &batch->flush);
    if (batch->rc != 0)
        rc = batch->rc;
    for (struct vtdpi_irq *irq = batch->first; irq != NULL; irq = next) {
        next = irq->next;
        irq->batch = NULL;
        if (rc == 0)
            irq_settle(irq);
    }
    batch->first = NULL;
    batch->open = false;
    return rc;
}

/*
 * The entry was replaced: move the posted form's reference to those that wait
 * for a flush, and put the new form in its place. There is always room: a
 * change that starts dirty is the last one, by teardown.
 */
static VTDPI_COLD void irq_forms_replaced(struct vtdpi_irq *irq,
                                          const struct vtdpi_irte *live,
                                          struct vtdpi_vcpu *v, uint8_t vector)
{
    if (irq->vcpu != NULL)
        irq->stale[irq->stale[0] == NULL ? 0 : 1] = irq->vcpu;
    if (vtdpi_irte_is_posted(&irq->live))
        irq->drain = true;
    irq->live = *live;
    irq->vcpu = v;
    irq->vector = vector;
    irq->dirty = true;
}

/*
 * Makes @p live the entry, and @p v and @p vector its posted form. The order
 * is the point: entry, invalidation, wait, and the old reference last.
 *
 * An entry that was not present is in no cache (or the backend knows better),
 * so it needs no invalidation; unless it is torn down, when nobody can say what
 * was there, or whether the change before was flushed.
 */
static VTDPI_COLD int irq_change(struct vtdpi_irq_batch *b,
                                 struct vtdpi_irq *irq,
                                 const struct vtdpi_irte *old,
                                 const struct vtdpi_irte *live,
                                 struct vtdpi_vcpu *v, uint8_t vector)
{
    const bool cached = old == NULL || irte_present(&irq->live);
    int rc = batch_open(b);

    if (rc == 0)
        rc = b->backend->ops->replace(b->backend->ctx, &b->flush, irq->index,
                                      old, live);
    if (rc != 0)
        return rc;
    if (b->flush.drain) /* the backend may have found a posted form */
        irq->drain = true;
    irq_forms_replaced(irq, live, v, vector);
    return batch_join(b, irq, cached);
}

/* Encodes a host form; zero for none. */
static VTDPI_COLD int host_encode(const struct vtdpi_irq *irq,
                                  const struct vtdpi_irte_remapped *host,
                                  struct vtdpi_irte *out)
{
    const struct vtdpi_source *own = &irq->source;
    struct vtdpi_irte_remapped fields;

    *out = irte_none;
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
    return vtdpi_irte_encode_remapped(&fields, out);
}

/*
 * Encodes the posted form. FPD and AVAIL are the host's choice for this
 * interrupt, for every vCPU. Needs a reference on @p v. A unit reads NDST in the
 * PID as it reads destinations in the table.
 */
static VTDPI_COLD int posted_encode(const struct vtdpi_irq *irq,
                                    const struct vtdpi_vcpu *v, uint8_t vector,
                                    struct vtdpi_irte *out)
{
    const struct vtdpi_irte_posted fields = {
        .present = true,
        .fpd = (irq->host.lo & VTDPI_IRTE_LO_FPD) != 0,
        .avail = (uint8_t)VTDPI_FIELD_GET(irq->host.lo, VTDPI_IRTE_LO_AVAIL),
        .vector = vector,
        .pda = vtdpi_vcpu_pda(v),
        .source = irq->source,
    };
    int rc;

    if (v->sched->apic_mode != irq->backend->mode)
        return VTDPI_EMODE;
    rc = vtdpi_irte_encode_posted(&fields, out);
    if (rc != 0)
        return rc;
    return vtdpi_irte_validate(out, irq->backend->mode, irq->backend->haw);
}

/* Whether the entry is what posting to @p v would make it; not so if the host
 * form has another FPD or AVAIL since. */
static VTDPI_COLD bool irq_is_posted_to(const struct vtdpi_irq *irq,
                                        const struct vtdpi_vcpu *v,
                                        uint8_t vector)
{
    struct vtdpi_irte irte;

    return irq->vcpu == v && posted_encode(irq, v, vector, &irte) == 0 &&
           vtdpi_irte_equal_(&irte, &irq->live);
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

static VTDPI_COLD int irq_do_set_host(struct vtdpi_irq_batch *b,
                                      struct vtdpi_irq *irq,
                                      const struct vtdpi_irte_remapped *host)
{
    struct vtdpi_irte irte;
    int rc = host_encode(irq, host, &irte);

    if (rc != 0)
        return rc;
    if (irq->vcpu == NULL || irq->down) {
        rc = irq_check_idle(irq);
        if (rc != 0)
            return rc;
        if (!vtdpi_irte_equal_(&irte, &irq->live)) {
            rc = irq_change(b, irq, &irq->live, &irte, NULL, 0);
            if (rc != 0 && !irq->dirty)
                return rc;
        }
    }
    irq->host = irte;
    return rc;
}

static VTDPI_COLD int irq_do_post(struct vtdpi_irq_batch *b,
                                  struct vtdpi_irq *irq, struct vtdpi_vcpu *v,
                                  uint8_t vector)
{
    struct vtdpi_irte irte;
    int rc;

    if (v == NULL)
        return VTDPI_EINVAL;
    if (vector < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    if (irq->backend->no_posting)
        return VTDPI_ENOPI;
    rc = irq_check_idle(irq);
    if (rc != 0 || irq_is_posted_to(irq, v, vector))
        return rc;

    /* Before the entry names the PID, so that a detach sees it in time. */
    rc = vtdpi_vcpu_ref(v);
    if (rc != 0)
        return rc;
    rc = posted_encode(irq, v, vector, &irte);
    if (rc == 0)
        rc = irq_change(b, irq, &irq->live, &irte, v, vector);
    if (rc != 0 && !irq->dirty)
        vtdpi_vcpu_unref(v);
    return rc;
}

static VTDPI_COLD int irq_do_unpost(struct vtdpi_irq_batch *b,
                                    struct vtdpi_irq *irq)
{
    const int rc = irq_check_idle(irq);

    if (rc != 0 || irq->vcpu == NULL)
        return rc;
    return irq_change(b, irq, &irq->live, &irq->host, NULL, 0);
}

static VTDPI_COLD int irq_do_flush(struct vtdpi_irq_batch *b,
                                   struct vtdpi_irq *irq)
{
    int rc;

    if (irq->down && !vtdpi_irte_equal_(&irq->live, &irte_none))
        return irq_change(b, irq, NULL, &irte_none, NULL, 0);
    if (!irq->dirty || irq->batch != NULL)
        return 0;
    rc = batch_open(b);
    return rc != 0 ? rc : batch_join(b, irq, true);
}

/* Does @p verb; @p host belongs to SET_HOST, @p v and @p vector to POST. */
static VTDPI_COLD int batch_apply(struct vtdpi_irq_batch *b,
                                  struct vtdpi_irq *irq, enum irq_verb verb,
                                  const struct vtdpi_irte_remapped *host,
                                  struct vtdpi_vcpu *v, uint8_t vector)
{
    if (b == NULL || irq == NULL || irq->backend != b->backend)
        return VTDPI_EINVAL;
    if (irq->batch != NULL && irq->batch != b)
        return VTDPI_EBUSY;
    switch (verb) {
    case VERB_SET_HOST:
        return irq_do_set_host(b, irq, host);
    case VERB_POST:
        return irq_do_post(b, irq, v, vector);
    case VERB_UNPOST:
        return irq_do_unpost(b, irq);
    case VERB_TEARDOWN:
        irq->down = true;
        break;
    case VERB_FLUSH:
        break;
    }
    return irq_do_flush(b, irq);
}

/* A batch of one. An interrupt that is dirty is flushed before it is changed,
 * in a batch of its own. */
static VTDPI_COLD int irq_apply_single(struct vtdpi_irq *irq,
                                       enum irq_verb verb,
                                       const struct vtdpi_irte_remapped *host,
                                       struct vtdpi_vcpu *v, uint8_t vector)
{
    struct vtdpi_flush_range range;
    struct vtdpi_irq_batch b;
    int rc_commit;
    int rc;

    if (irq == NULL)
        return VTDPI_EINVAL;
    batch_begin(&b, irq->backend, &range, 1);
    rc = batch_apply(&b, irq, verb, host, v, vector);
    rc_commit = vtdpi_irq_batch_commit(&b);
    return rc != 0 ? rc : rc_commit;
}

static VTDPI_COLD int irq_apply_clean(struct vtdpi_irq *irq, enum irq_verb verb,
                                      const struct vtdpi_irte_remapped *host,
                                      struct vtdpi_vcpu *v, uint8_t vector)
{
    int rc = irq_apply_single(irq, verb, host, v, vector);

    if (rc == VTDPI_EDIRTY) {
        /* It goes on saying that if this fails. */
        (void)irq_apply_single(irq, VERB_FLUSH, NULL, NULL, 0);
        rc = irq_apply_single(irq, verb, host, v, vector);
    }
    return rc;
}

int vtdpi_irq_batch_set_host(struct vtdpi_irq_batch *batch,
                             struct vtdpi_irq *irq,
                             const struct vtdpi_irte_remapped *host)
{
    return batch_apply(batch, irq, VERB_SET_HOST, host, NULL, 0);
}

int vtdpi_irq_batch_post(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq,
                         struct vtdpi_vcpu *v, uint8_t vector)
{
    return batch_apply(batch, irq, VERB_POST, NULL, v, vector);
}

int vtdpi_irq_batch_unpost(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq)
{
    return batch_apply(batch, irq, VERB_UNPOST, NULL, NULL, 0);
}

int vtdpi_irq_batch_teardown(struct vtdpi_irq_batch *batch,
                             struct vtdpi_irq *irq)
{
    return batch_apply(batch, irq, VERB_TEARDOWN, NULL, NULL, 0);
}

int vtdpi_irq_batch_flush(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq)
{
    return batch_apply(batch, irq, VERB_FLUSH, NULL, NULL, 0);
}

int vtdpi_irq_set_host(struct vtdpi_irq *irq,
                       const struct vtdpi_irte_remapped *host)
{
    return irq_apply_clean(irq, VERB_SET_HOST, host, NULL, 0);
}

int vtdpi_irq_post(struct vtdpi_irq *irq, struct vtdpi_vcpu *v, uint8_t vector)
{
    return irq_apply_clean(irq, VERB_POST, NULL, v, vector);
}

int vtdpi_irq_unpost(struct vtdpi_irq *irq)
{
    return irq_apply_clean(irq, VERB_UNPOST, NULL, NULL, 0);
}

int vtdpi_irq_flush(struct vtdpi_irq *irq)
{
    return irq_apply_single(irq, VERB_FLUSH, NULL, NULL, 0);
}

int vtdpi_irq_teardown(struct vtdpi_irq *irq)
{
    return irq_apply_single(irq, VERB_TEARDOWN, NULL, NULL, 0);
}

VTDPI_COLD int vtdpi_irq_mark_flushed(struct vtdpi_irq *irq)
{
    if (irq == NULL)
        return VTDPI_EINVAL;
    if (irq->down && !vtdpi_irte_equal_(&irq->live, &irte_none))
        return VTDPI_EBUSY;
    if (irq->dirty)
        irq_settle(irq);
    return 0;
}
