/* SPDX-License-Identifier: BSD-2-Clause */
#include "recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static int note(struct world *w, const char *what, unsigned int index)
{
    const size_t n = strlen(w->text);
    const bool refused = ++w->calls == w->refuse;

    assert_true(n + 16 < TEXT);
    if (index != 0)
        (void)snprintf(w->text + n, TEXT - n, "%s%s%u%s", n == 0 ? "" : " ",
                       what, index, refused ? "!" : "");
    else
        (void)snprintf(w->text + n, TEXT - n, "%s%s%s", n == 0 ? "" : " ", what,
                       refused ? "!" : "");
    return refused ? FAILURE : 0;
}

static int on_begin(void *ctx, struct vtdpi_flush *flush)
{
    struct world *w = ctx;

    assert_int_equal(flush->used, 0);
    return note(w, "B", 0);
}

static int on_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                      const struct vtdpi_irte *old,
                      const struct vtdpi_irte *replacement)
{
    struct world *w = ctx;
    void (*const during)(struct world * w) = w->in_replace;
    const int rc = note(w, "R", index);

    w->in_replace = NULL;
    if (during != NULL)
        during(w);
    assert_non_null(flush);
    if (rc != 0)
        return rc;
    if (old != NULL)
        assert_memory_equal(old, &w->entry[index], sizeof(*old));
    w->entry[index] = *replacement;
    w->settled[index] = false;
    return 0;
}

static int on_invalidate(void *ctx, struct vtdpi_flush *flush, uint32_t first,
                         uint32_t count)
{
    const int rc = note(ctx, "I", first);

    assert_int_equal(count, 1);
    if (rc == 0)
        vtdpi_flush_add(flush, first, count);
    return rc;
}

static int on_commit(void *ctx, struct vtdpi_flush *flush)
{
    struct world *w = ctx;
    void (*const during)(struct world * w) = w->during;
    const int rc = note(w, flush->drain ? "CD" : flush->global ? "CG" : "C", 0);

    w->write_buffer = flush->write_buffer;
    w->during = NULL;
    if (during != NULL)
        during(w);
    return rc;
}

static void on_settled(void *ctx, uint32_t index)
{
    struct world *w = ctx;

    w->calls--; /* cannot fail, so it has no number */
    w->settled[index] = true;
    (void)note(w, "S", index);
}

static const struct vtdpi_backend_ops recorder = {
    .begin = on_begin,
    .replace = on_replace,
    .invalidate = on_invalidate,
    .commit = on_commit,
    .settled = on_settled,
};

void assert_calls(struct world *w, const char *text)
{
    assert_string_equal(w->text, text);
    w->text[0] = '\0';
}

void begin_batch(struct world *w)
{
    assert_int_equal(
        vtdpi_irq_batch_begin(&w->batch, &w->backend, w->ranges, IRQS), 0);
}

int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    void *f;

    assert_non_null(w);
    assert_int_equal(setup(&f), 0);
    w->f = f;
    w->backend = w->f->backend;
    w->backend.ctx = w;
    w->ops = recorder;
    w->backend.ops = &w->ops;
    for (uint32_t i = 0; i < IRQS; i++)
        assert_int_equal(
            vtdpi_irq_init(&w->irq[i], &w->backend, FIRST + i, &source, NULL),
            0);
    begin_batch(w);
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;
    void *f = w->f;

    free(w);
    return teardown(&f);
}

void end_batch(struct world *w, int rc)
{
    assert_int_equal(vtdpi_irq_batch_commit(&w->batch), rc);
}

void post(struct world *w, unsigned int i, struct vtdpi_vcpu *v, int rc)
{
    assert_int_equal(vtdpi_irq_batch_post(&w->batch, &w->irq[i], v, 0x41), rc);
}

void set_host(struct world *w, unsigned int i,
              const struct vtdpi_irte_remapped *host, int rc)
{
    assert_int_equal(vtdpi_irq_batch_set_host(&w->batch, &w->irq[i], host), rc);
}

void unpost(struct world *w, unsigned int i, int rc)
{
    assert_int_equal(vtdpi_irq_batch_unpost(&w->batch, &w->irq[i]), rc);
}

void tear_down(struct world *w, unsigned int i)
{
    assert_int_equal(vtdpi_irq_batch_teardown(&w->batch, &w->irq[i]), 0);
}

void posted_n(struct world *w, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        assert_int_equal(vtdpi_irq_set_host(&w->irq[i], &fields1), 0);
        assert_int_equal(vtdpi_irq_post(&w->irq[i], A(w->f), 0x41), 0);
    }
    w->text[0] = '\0';
}

void assert_entry(const struct world *w, unsigned int i,
                  const struct vtdpi_irte *irte)
{
    const struct vtdpi_irte live = vtdpi_irq_live(&w->irq[i]);

    assert_memory_equal(&w->entry[FIRST + i], irte, sizeof(*irte));
    assert_memory_equal(&live, irte, sizeof(*irte));
}

void assert_dirty(const struct world *w, const char *which)
{
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_irq_is_dirty(&w->irq[i]), which[i] == 'd');
}
