/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine_replay.h"

#include <string.h>

#include "support.h"

static void act(struct machine_replay *r)
{
    if (!replay_now(&r->step))
        return;
    if (r->fail) {
        vtdpi_model_set_fault(&r->m->model[r->unit], r->fault, 0);
        return;
    }
    r->result = machine_send(r->m, r->unit, r->index);
    support_check(r->result.index == r->index);
}

static void on_step(struct machine *m, struct vtdpi_model *at,
                    enum vtdpi_model_step kind)
{
    (void)at;
    (void)kind;
    act(m->step_ctx);
}

/* Between two calls of the backend, too. */
static const struct vtdpi_backend *table_of(const struct machine_replay *r)
{
    return vtdpi_table_backend(&r->m->table);
}

static int step_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                        const struct vtdpi_irte *old,
                        const struct vtdpi_irte *replacement)
{
    const struct vtdpi_backend *t = table_of(ctx);

    act(ctx);
    return t->ops->replace(t->ctx, flush, index, old, replacement);
}

static int step_invalidate(void *ctx, struct vtdpi_flush *flush, uint32_t first,
                           uint32_t count)
{
    const struct vtdpi_backend *t = table_of(ctx);

    act(ctx);
    return t->ops->invalidate(t->ctx, flush, first, count);
}

static int step_commit(void *ctx, struct vtdpi_flush *flush)
{
    const struct vtdpi_backend *t = table_of(ctx);
    int rc;

    act(ctx);
    rc = t->ops->commit(t->ctx, flush);
    act(ctx);
    return rc;
}

static void step_settled(void *ctx, uint32_t index)
{
    const struct vtdpi_backend *t = table_of(ctx);

    act(ctx);
    t->ops->settled(t->ctx, index);
}

static const struct vtdpi_backend_ops step_ops = {
    .replace = step_replace,
    .invalidate = step_invalidate,
    .commit = step_commit,
    .settled = step_settled,
};

void machine_replay_init(struct machine_replay *r, struct machine *m)
{
    memset(r, 0, sizeof(*r));
    r->m = m;
    r->backend = *table_of(r);
    r->backend.ops = &step_ops;
    r->backend.ctx = r;
}

void machine_replay_begin(struct machine_replay *r)
{
    r->m->step_ctx = r;
    r->m->step = on_step;
    r->step.armed = true;
}

void machine_replay_end(struct machine_replay *r)
{
    r->step.armed = false;
    r->m->step = NULL;
}
