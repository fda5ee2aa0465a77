/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of irq.h over a backend that writes down what it is asked for, and
 * refuses one call if told so. Of script.h only the vCPUs and forms are used.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

enum {
    IRQS = 4,
    FIRST = 1, /* index of the first */
    TEXT = 512
};

struct world {
    struct fixture *f; /* two vCPUs */
    struct vtdpi_backend backend;
    struct vtdpi_backend_ops ops;
    struct vtdpi_irq irq[IRQS];
    struct vtdpi_irq_batch batch;
    struct vtdpi_flush_range ranges[IRQS];
    struct vtdpi_irte entry[FIRST + IRQS];
    bool settled[FIRST + IRQS]; /* since it was replaced last */
    unsigned int calls;
    unsigned int refuse; /* number of the call that fails; 0: none */
    char text[TEXT];
};

/* The backend. "B" begin, "R1" replace of index 1, "I1" invalidate, "C" commit
 * ("CD": with drain, "CG": global), "S1" settled; "!" when refused. */

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
    const int rc = note(w, "R", index);

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
    return note(ctx, flush->drain ? "CD" : flush->global ? "CG" : "C", 0);
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

/* The calls since the last time. */
static void assert_calls(struct world *w, const char *text)
{
    assert_string_equal(w->text, text);
    w->text[0] = '\0';
}

static void begin_batch(struct world *w)
{
    assert_int_equal(
        vtdpi_irq_batch_begin(&w->batch, &w->backend, w->ranges, IRQS), 0);
}

static int world_setup(void **state)
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

static int world_teardown(void **state)
{
    struct world *w = *state;
    void *f = w->f;

    free(w);
    return teardown(&f);
}

static void end_batch(struct world *w, int rc)
{
    assert_int_equal(vtdpi_irq_batch_commit(&w->batch), rc);
}

/* With vector 41h. */
static void post(struct world *w, unsigned int i, struct vtdpi_vcpu *v, int rc)
{
    assert_int_equal(vtdpi_irq_batch_post(&w->batch, &w->irq[i], v, 0x41), rc);
}

static void set_host(struct world *w, unsigned int i,
                     const struct vtdpi_irte_remapped *host, int rc)
{
    assert_int_equal(vtdpi_irq_batch_set_host(&w->batch, &w->irq[i], host), rc);
}

static void unpost(struct world *w, unsigned int i, int rc)
{
    assert_int_equal(vtdpi_irq_batch_unpost(&w->batch, &w->irq[i]), rc);
}

static void tear_down(struct world *w, unsigned int i)
{
    assert_int_equal(vtdpi_irq_batch_teardown(&w->batch, &w->irq[i]), 0);
}

/* The first @p n posted to A over a host form. */
static void posted_n(struct world *w, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        assert_int_equal(vtdpi_irq_set_host(&w->irq[i], &fields1), 0);
        assert_int_equal(vtdpi_irq_post(&w->irq[i], A(w->f), 0x41), 0);
    }
    w->text[0] = '\0';
}

static void assert_entry(const struct world *w, unsigned int i,
                         const struct vtdpi_irte *irte)
{
    const struct vtdpi_irte live = vtdpi_irq_live(&w->irq[i]);

    assert_memory_equal(&w->entry[FIRST + i], irte, sizeof(*irte));
    assert_memory_equal(&live, irte, sizeof(*irte));
}

static void assert_dirty(const struct world *w, const char *which)
{
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_irq_is_dirty(&w->irq[i]), which[i] == 'd');
}

/* What a batch calls. */

static void test_commit_of_nothing_calls_nothing(void **state)
{
    struct world *w = *state;

    end_batch(w, 0);
    assert_calls(w, "");
    posted_n(w, 1);
    begin_batch(w);
    post(w, 0, A(w->f), 0);
    set_host(w, 0, &fields2, 0);
    assert_int_equal(vtdpi_irq_batch_set_host(&w->batch, &w->irq[1], NULL), 0);
    unpost(w, 1, 0);
    assert_int_equal(vtdpi_irq_batch_flush(&w->batch, &w->irq[0]), 0);
    tear_down(w, 2);
    end_batch(w, 0);
    assert_calls(w, "");
}

static void test_changes_are_written_first_and_flushed_once(void **state)
{
    struct world *w = *state;

    for (unsigned int i = 0; i < 3; i++)
        set_host(w, i, &fields1, 0);
    assert_calls(w, "B R1 R2 R3"); /* not present before: in no cache */
    end_batch(w, 0);
    assert_calls(w, "C S3 S2 S1");
    assert_entry(w, 2, &host1);

    begin_batch(w);
    post(w, 0, A(w->f), 0);
    post(w, 1, B(w->f), 0);
    set_host(w, 2, &fields2, 0);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 R2 I2 R3 I3 C S3 S2 S1");
    assert_entry(w, 0, &post_a);
    assert_entry(w, 1, &post_b);
    assert_entry(w, 2, &host2);

    begin_batch(w);
    unpost(w, 0, 0);
    tear_down(w, 1);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 R2 I2 CD S2 S1");
    assert_entry(w, 0, &host1);
    assert_entry(w, 1, &none);
    assert_refs(w->f, 0, 0);
    end_batch(w, 0); /* it has ended: nothing is left in it */
    assert_calls(w, "");
}

/* The interrupt that retires a posted form may be the first or the last. */
static void test_drain_of_any_change_is_kept(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[1], &fields1), 0);
    w->text[0] = '\0';
    begin_batch(w);
    unpost(w, 0, 0);
    set_host(w, 1, &fields2, 0);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 R2 I2 CD S2 S1");
    begin_batch(w); /* and is not asked for again */
    set_host(w, 0, &fields2, 0);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 C S1");
}

static void test_storage_too_small_is_a_global_flush(void **state)
{
    struct world *w = *state;
    struct vtdpi_flush_range one;

    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(vtdpi_irq_set_host(&w->irq[i], &fields1), 0);
    w->text[0] = '\0';
    assert_int_equal(vtdpi_irq_batch_begin(&w->batch, &w->backend, &one, 1), 0);
    set_host(w, 0, &fields2, 0);
    set_host(w, 2, &fields2, 0);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 R3 I3 CG S3 S1");

    assert_int_equal(vtdpi_irq_batch_begin(&w->batch, &w->backend, NULL, 0), 0);
    set_host(w, 0, &fields1, 0);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 CG S1");
}

/* References. */

static void test_references_are_held_until_the_commit(void **state)
{
    struct world *w = *state;

    posted_n(w, 3);
    begin_batch(w);
    unpost(w, 0, 0);
    post(w, 1, B(w->f), 0);
    tear_down(w, 2);
    assert_refs(w->f, 3, 1);
    assert_dirty(w, "ddd-");
    assert_true(vtdpi_irq_is_pinned(&w->irq[2]));
    assert_int_equal(vtdpi_vcpu_detach_begin(A(w->f)), VTDPI_EBUSY);
    end_batch(w, 0);
    assert_refs(w->f, 0, 1);
    assert_dirty(w, "----");
    assert_false(vtdpi_irq_is_pinned(&w->irq[2]));
    assert_int_equal(vtdpi_vcpu_detach_begin(A(w->f)), 0);
}

static void test_commit_fails_leaves_all_dirty_until_flushed(void **state)
{
    struct world *w = *state;

    posted_n(w, 3);
    begin_batch(w);
    w->refuse = w->calls + 8;
    unpost(w, 0, 0);
    post(w, 1, B(w->f), 0);
    tear_down(w, 2);
    end_batch(w, FAILURE);
    assert_calls(w, "B R1 I1 R2 I2 R3 I3 CD!");
    assert_refs(w->f, 3, 1);
    assert_dirty(w, "ddd-");
    assert_true(vtdpi_irq_is_pinned(&w->irq[2]));
    assert_entry(w, 0, &host1);
    assert_entry(w, 1, &post_b);
    assert_entry(w, 2, &none);

    begin_batch(w);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_irq_batch_flush(&w->batch, &w->irq[i]), 0);
    assert_int_equal(vtdpi_irq_batch_flush(&w->batch, &w->irq[0]), 0);
    end_batch(w, 0);
    assert_calls(w, "B I1 I2 I3 CD S3 S2 S1");
    assert_refs(w->f, 0, 1);
    assert_dirty(w, "----");
}

/* One that had a posted form and one that had not, from separate failures. */
static void test_flush_of_several_drains_if_one_needs_it(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[1], &fields1), 0);
    w->refuse = w->calls + 4;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), FAILURE);
    w->refuse = w->calls + 4;
    assert_int_equal(vtdpi_irq_set_host(&w->irq[1], &fields2), FAILURE);
    w->text[0] = '\0';
    begin_batch(w);
    assert_int_equal(vtdpi_irq_batch_flush(&w->batch, &w->irq[0]), 0);
    assert_int_equal(vtdpi_irq_batch_flush(&w->batch, &w->irq[1]), 0);
    end_batch(w, 0);
    assert_calls(w, "B I1 I2 CD S2 S1");
}

/* From an earlier failure: alone it is flushed first, in a batch refused. */
static void test_dirty_before_the_batch_takes_no_change(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->refuse = w->calls + 4;
    assert_int_equal(vtdpi_irq_post(&w->irq[0], B(w->f), 0x41), FAILURE);
    assert_calls(w, "B R1 I1 CD!");
    begin_batch(w);
    post(w, 0, A(w->f), VTDPI_EDIRTY);
    post(w, 0, B(w->f), VTDPI_EDIRTY);
    unpost(w, 0, VTDPI_EDIRTY);
    assert_calls(w, "");
    assert_refs(w->f, 1, 1);
    tear_down(w, 0);
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 CD S1");
    assert_refs(w->f, 0, 0);
}

static void test_twice_in_a_batch_is_refused_but_for_teardown(void **state)
{
    struct world *w = *state;

    posted_n(w, 2);
    begin_batch(w);
    post(w, 0, B(w->f), 0);
    assert_int_equal(vtdpi_irq_batch_post(&w->batch, &w->irq[0], A(w->f), 0x42),
                     VTDPI_EDIRTY);
    unpost(w, 0, VTDPI_EDIRTY);
    set_host(w, 0, &fields2, 0); /* only stored */
    assert_int_equal(vtdpi_irq_batch_flush(&w->batch, &w->irq[0]), 0);
    set_host(w, 1, &fields2, 0); /* first the host form, ... */
    unpost(w, 1, 0);
    set_host(w, 1, &fields1, VTDPI_EDIRTY); /* ... not after */
    assert_calls(w, "B R1 I1 R2 I2");
    assert_entry(w, 0, &post_b);
    assert_entry(w, 1, &host2);
    assert_refs(w->f, 2, 1);
    tear_down(w, 0);
    tear_down(w, 0);
    assert_refs(w->f, 2, 1);
    end_batch(w, 0);
    assert_calls(w, "R1 I1 CD S2 S1"); /* settled once */
    assert_entry(w, 0, &none);
    assert_refs(w->f, 0, 0);
}

/* Whom a batch takes. */

static void test_batch_rejects_what_is_not_its_own(void **state)
{
    struct world *w = *state;
    const struct vtdpi_backend other = w->backend;
    struct vtdpi_irq_batch b2;
    struct vtdpi_irq *irq = &w->irq[0];

    posted_n(w, 1);
    assert_int_equal(vtdpi_irq_batch_begin(&b2, &other, w->ranges, IRQS), 0);
    assert_int_equal(vtdpi_irq_batch_unpost(&b2, irq), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_teardown(&b2, irq), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_commit(&b2), 0);
    assert_int_equal(vtdpi_irq_batch_begin(&b2, &w->backend, NULL, 0), 0);
    begin_batch(w);
    assert_int_equal(vtdpi_irq_batch_post(&w->batch, irq, B(w->f), 0x41), 0);
    assert_int_equal(vtdpi_irq_batch_teardown(&b2, irq), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_batch_flush(&b2, irq), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_post(irq, A(w->f), 0x41), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_set_host(irq, NULL), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_unpost(irq), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_flush(irq), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_teardown(irq), VTDPI_EBUSY);
    assert_calls(w, "B R1 I1");
    end_batch(w, 0);
    assert_int_equal(vtdpi_irq_unpost(irq), 0); /* free again, and not down */
}

static void test_batch_bad_arguments(void **state)
{
    struct world *w = *state;
    struct vtdpi_irq_batch *b = &w->batch;
    struct vtdpi_irq *irq = &w->irq[0];
    struct vtdpi_backend bad = w->backend;

    bad.haw = 65;
    assert_int_equal(vtdpi_irq_batch_begin(NULL, &w->backend, NULL, 0),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_begin(b, NULL, NULL, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_begin(b, &bad, NULL, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_begin(b, &w->backend, NULL, 1),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_commit(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_set_host(NULL, irq, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_set_host(b, NULL, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_post(b, irq, NULL, 0x41), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_post(b, irq, A(w->f), 15), VTDPI_EVECTOR);
    assert_int_equal(vtdpi_irq_batch_unpost(b, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_flush(NULL, irq), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_teardown(NULL, irq), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_batch_teardown(b, irq), 0);
    assert_int_equal(vtdpi_irq_batch_post(b, irq, A(w->f), 0x41), VTDPI_ESTATE);
    assert_int_equal(vtdpi_irq_batch_unpost(b, irq), VTDPI_ESTATE);
    assert_int_equal(vtdpi_irq_batch_commit(b), 0);
    assert_calls(w, "");
    assert_refs(w->f, 0, 0);
}

/* A backend that refuses. */

static void test_begin_refused_is_asked_again_for_the_next(void **state)
{
    struct world *w = *state;

    w->refuse = 1;
    post(w, 0, A(w->f), FAILURE);
    assert_refs(w->f, 0, 0);
    end_batch(w, 0);
    assert_calls(w, "B!");

    begin_batch(w);
    w->refuse = w->calls + 1;
    post(w, 0, A(w->f), FAILURE);
    post(w, 1, A(w->f), 0);
    end_batch(w, 0);
    assert_calls(w, "B! B R2 C S2");
}

static void test_replace_refused_leaves_the_others(void **state)
{
    struct world *w = *state;

    posted_n(w, 3);
    begin_batch(w);
    w->refuse = w->calls + 4;
    for (unsigned int i = 0; i < 3; i++)
        post(w, i, B(w->f), i == 1 ? FAILURE : 0);
    assert_dirty(w, "d-d-");
    end_batch(w, 0);
    assert_calls(w, "B R1 I1 R2! R3 I3 CD S3 S1");
    assert_refs(w->f, 1, 2);
    assert_entry(w, 1, &post_a);
}

/* What was not named to the backend is not flushed by its commit. */
static void test_invalidate_refused_fails_the_commit(void **state)
{
    struct world *w = *state;

    posted_n(w, 3);
    begin_batch(w);
    w->refuse = w->calls + 5;
    for (unsigned int i = 0; i < 3; i++)
        post(w, i, B(w->f), i == 1 ? FAILURE : 0);
    end_batch(w, FAILURE);
    assert_calls(w, "B R1 I1 R2 I2! R3 I3 CD");
    assert_dirty(w, "ddd-");
    assert_refs(w->f, 3, 3);
}

static int commit_refused(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    (void)flush;
    return FAILURE - 1;
}

static void test_first_error_of_a_commit_is_returned(void **state)
{
    struct world *w = *state;

    posted_n(w, 2);
    begin_batch(w);
    w->ops.commit = commit_refused;
    w->refuse = w->calls + 3;
    post(w, 0, B(w->f), FAILURE);
    end_batch(w, FAILURE);
    assert_dirty(w, "d---");
    begin_batch(w);
    post(w, 1, B(w->f), 0);
    end_batch(w, FAILURE - 1);
    assert_dirty(w, "dd--");
}

/* Every call refused in turn: nothing is lost, and everything can be ended. */

static int try_all(struct world *w)
{
    int first = 0;
    const int rc[] = {
        vtdpi_irq_batch_post(&w->batch, &w->irq[0], B(w->f), 0x41),
        vtdpi_irq_batch_unpost(&w->batch, &w->irq[1]),
        vtdpi_irq_batch_teardown(&w->batch, &w->irq[2]),
        vtdpi_irq_batch_post(&w->batch, &w->irq[3], A(w->f), 0x42),
        vtdpi_irq_batch_commit(&w->batch),
    };

    for (size_t i = 0; i < sizeof(rc) / sizeof(rc[0]); i++) {
        if (first == 0)
            first = rc[i];
    }
    return first;
}

static void end_all(struct world *w)
{
    begin_batch(w);
    for (unsigned int i = 0; i < IRQS; i++)
        tear_down(w, i);
    end_batch(w, 0);
    assert_refs(w->f, 0, 0);
    for (unsigned int i = 0; i < IRQS; i++) {
        assert_entry(w, i, &none);
        assert_false(vtdpi_irq_is_pinned(&w->irq[i]));
    }
}

static void test_replay_every_call_refused(void **state)
{
    unsigned int k = 1;
    int rc;

    (void)state;
    do {
        void *s;
        struct world *w;

        assert_int_equal(world_setup(&s), 0);
        w = s;
        posted_n(w, 3);
        begin_batch(w);
        w->refuse = w->calls + k++;
        rc = try_all(w);
        w->refuse = 0;
        /* Dirty is what was replaced and not settled: nothing else. */
        for (unsigned int i = 0; i < IRQS; i++) {
            const struct vtdpi_irte live = vtdpi_irq_live(&w->irq[i]);

            assert_memory_equal(&live, &w->entry[FIRST + i], sizeof(live));
            assert_int_equal(
                vtdpi_irq_is_dirty(&w->irq[i]),
                w->settled[FIRST + i] || (live.lo == 0 && i == 3) ? 0 : 1);
        }
        end_all(w);
        assert_int_equal(world_teardown(&s), 0);
    } while (rc != 0);
    assert_int_equal(k, 11); /* begin, 4 replaces, 3 invalidates, commit */
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commit_of_nothing_calls_nothing),
        TEST(test_changes_are_written_first_and_flushed_once),
        TEST(test_drain_of_any_change_is_kept),
        TEST(test_storage_too_small_is_a_global_flush),
        TEST(test_references_are_held_until_the_commit),
        TEST(test_commit_fails_leaves_all_dirty_until_flushed),
        TEST(test_flush_of_several_drains_if_one_needs_it),
        TEST(test_dirty_before_the_batch_takes_no_change),
        TEST(test_twice_in_a_batch_is_refused_but_for_teardown),
        TEST(test_batch_rejects_what_is_not_its_own),
        TEST(test_batch_bad_arguments),
        TEST(test_begin_refused_is_asked_again_for_the_next),
        TEST(test_replace_refused_leaves_the_others),
        TEST(test_invalidate_refused_fails_the_commit),
        TEST(test_first_error_of_a_commit_is_returned),
        cmocka_unit_test(test_replay_every_call_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
