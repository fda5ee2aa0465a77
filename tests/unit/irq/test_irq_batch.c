/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of irq.h: which calls of the backend they make, which references they hold,
 * and which interrupts they accept. */
#include "test.h"

#include "recorder.h"

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
    assert_int_equal(vtdpi_irq_batch_teardown(&b2, irq), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_batch_flush(&b2, irq), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_post(irq, A(w->f), 0x41), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_unpost(irq), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_flush(irq), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_teardown(irq), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_mark_flushed(irq), VTDPI_EINFLIGHT);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
