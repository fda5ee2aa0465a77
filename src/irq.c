/* SPDX-License-Identifier: BSD-2-Clause */
#include "vtdpi/irq.h"

static const struct vtdpi_irte irte_none = {0, 0};

static bool irte_equal(const struct vtdpi_irte *a, const struct vtdpi_irte *b)
{
    return a->lo == b->lo && a->hi == b->hi;
}

static bool irte_present(const struct vtdpi_irte *irte)
{
    return (irte->lo & VTDPI_IRTE_LO_P) != 0;
}

/* The source is judged where the entries are made: by an encoder. */
static int source_check(const struct vtdpi_source *source)
{
    const struct vtdpi_irte_posted probe = {
        .present = true,
        .vector = VTDPI_VECTOR_MIN,
        .source = *source,
    };
    struct vtdpi_irte unused;

    return vtdpi_irte_encode_posted(&probe, &unused);
}

static bool backend_ok(const struct vtdpi_backend *b)
{
    return b != NULL && b->ops != NULL && b->ops->replace != NULL &&
           b->ops->invalidate != NULL && b->ops->commit != NULL &&
           (b->mode == VTDPI_XAPIC || b->mode == VTDPI_X2APIC) && b->haw >= 1 &&
           b->haw <= 64;
}

int vtdpi_irq_init(struct vtdpi_irq *irq, const struct vtdpi_backend *backend,
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
static void settle(struct vtdpi_irq *irq)
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

static int begin(const struct vtdpi_irq *irq, struct vtdpi_flush *flush)
{
    if (irq->backend->ops->begin == NULL)
        return 0;
    return irq->backend->ops->begin(irq->backend->ctx, flush);
}

/*
 * The entry was replaced: move the posted form's reference to those that wait
 * for a flush, and put the new form in its place. There is always room: a
 * change that starts dirty is the last one, by teardown.
 */
static void forms_replaced(struct vtdpi_irq *irq, const struct vtdpi_irte *live,
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
 * Invalidates if asked to and commits. What may have been posted through an
 * old entry is drained, in a repeated flush as well.
 */
static int finish(struct vtdpi_irq *irq, struct vtdpi_flush *flush,
                  bool invalidate)
{
    const struct vtdpi_backend *b = irq->backend;
    int rc = 0;
    int rc_commit;

    if (irq->drain)
        flush->drain = true;
    if (invalidate)
        rc = b->ops->invalidate(b->ctx, flush, irq->index, 1);
    rc_commit = b->ops->commit(b->ctx, flush);
    if (rc == 0)
        rc = rc_commit;
    if (rc == 0)
        settle(irq);
    return rc;
}

/*
 * Makes @p live the entry, and @p v and @p vector its posted form. The order
 * is the point: entry, invalidation, wait, and the old reference last.
 *
 * An entry that was not present is in no cache (or the backend knows better),
 * so it needs no invalidation; unless it is torn down, when nobody can say what
 * was there, or whether the change before was flushed.
 */
static int change(struct vtdpi_irq *irq, const struct vtdpi_irte *old,
                  const struct vtdpi_irte *live, struct vtdpi_vcpu *v,
                  uint8_t vector)
{
    const struct vtdpi_backend *b = irq->backend;
    const bool cached = old == NULL || irte_present(&irq->live);
    struct vtdpi_flush_range range;
    struct vtdpi_flush flush;
    int rc;

    vtdpi_flush_init(&flush, &range, 1);
    rc = begin(irq, &flush);
    if (rc != 0)
        return rc;
    rc = b->ops->replace(b->ctx, &flush, irq->index, old, live);
    if (rc != 0) {
        (void)b->ops->commit(b->ctx, &flush);
        return rc;
    }
    if (flush.drain) /* the backend found a posted form */
        irq->drain = true;
    forms_replaced(irq, live, v, vector);
    return finish(irq, &flush, cached);
}

/* What every change starts with: nothing of an earlier one is left over. */
static int start(struct vtdpi_irq *irq)
{
    if (irq->down)
        return VTDPI_ESTATE;
    if (irq->dirty && vtdpi_irq_flush(irq) != 0)
        return VTDPI_EDIRTY;
    return 0;
}

/* Encodes a host form; zero for none. */
static int host_encode(const struct vtdpi_irq *irq,
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

int vtdpi_irq_set_host(struct vtdpi_irq *irq,
                       const struct vtdpi_irte_remapped *host)
{
    struct vtdpi_irte irte;
    int rc;

    if (irq == NULL)
        return VTDPI_EINVAL;
    rc = host_encode(irq, host, &irte);
    if (rc != 0)
        return rc;

    if (irq->vcpu == NULL || irq->down) {
        rc = start(irq);
        if (rc != 0)
            return rc;
        if (!irte_equal(&irte, &irq->live)) {
            rc = change(irq, &irq->live, &irte, NULL, 0);
            if (rc != 0 && !irq->dirty)
                return rc;
        }
    }
    irq->host = irte;
    return rc;
}

/*
 * Encodes the posted form. FPD and AVAIL are the host's choice for this
 * interrupt, whoever it goes to. Needs a reference on @p v.
 */
static int posted_encode(const struct vtdpi_irq *irq,
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
    const int rc = vtdpi_irte_encode_posted(&fields, out);

    if (rc != 0)
        return rc;
    return vtdpi_irte_validate(out, irq->backend->mode, irq->backend->haw);
}

/* Posts with the caller's reference, which is used up if the entry changes. */
static int post_referenced(struct vtdpi_irq *irq, struct vtdpi_vcpu *v,
                           uint8_t vector)
{
    struct vtdpi_irte irte;
    int rc = posted_encode(irq, v, vector, &irte);

    if (rc == 0)
        rc = change(irq, &irq->live, &irte, v, vector);
    if (rc != 0 && !irq->dirty)
        vtdpi_vcpu_unref(v);
    return rc;
}

int vtdpi_irq_post(struct vtdpi_irq *irq, struct vtdpi_vcpu *v, uint8_t vector)
{
    int rc;

    if (irq == NULL || v == NULL)
        return VTDPI_EINVAL;
    if (vector < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    rc = start(irq);
    if (rc != 0)
        return rc;
    if (irq->vcpu == v && irq->vector == vector)
        return 0;

    /* Before the entry names the PID, so that a detach sees it in time. */
    rc = vtdpi_vcpu_ref(v);
    if (rc != 0)
        return rc;
    return post_referenced(irq, v, vector);
}

int vtdpi_irq_unpost(struct vtdpi_irq *irq)
{
    int rc;

    if (irq == NULL)
        return VTDPI_EINVAL;
    rc = start(irq);
    if (rc != 0 || irq->vcpu == NULL)
        return rc;
    return change(irq, &irq->live, &irq->host, NULL, 0);
}

int vtdpi_irq_flush(struct vtdpi_irq *irq)
{
    struct vtdpi_flush_range range;
    struct vtdpi_flush flush;
    int rc;

    if (irq == NULL)
        return VTDPI_EINVAL;
    if (irq->down && !irte_equal(&irq->live, &irte_none))
        return change(irq, NULL, &irte_none, NULL, 0);
    if (!irq->dirty)
        return 0;

    vtdpi_flush_init(&flush, &range, 1);
    rc = begin(irq, &flush);
    if (rc != 0)
        return rc;
    return finish(irq, &flush, true);
}

int vtdpi_irq_teardown(struct vtdpi_irq *irq)
{
    if (irq == NULL)
        return VTDPI_EINVAL;
    irq->down = true;
    return vtdpi_irq_flush(irq);
}

int vtdpi_irq_mark_flushed(struct vtdpi_irq *irq)
{
    if (irq == NULL)
        return VTDPI_EINVAL;
    if (irq->down && !irte_equal(&irq->live, &irte_none))
        return VTDPI_EBUSY;
    if (irq->dirty)
        settle(irq);
    return 0;
}
