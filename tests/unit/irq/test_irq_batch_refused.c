/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of irq.h over a backend that refuses. */
#include "test.h"

#include "recorder.h"

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
        TEST(test_begin_refused_is_asked_again_for_the_next),
        TEST(test_replace_refused_leaves_the_others),
        TEST(test_invalidate_refused_fails_the_commit),
        TEST(test_first_error_of_a_commit_is_returned),
        cmocka_unit_test(test_replay_every_call_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
