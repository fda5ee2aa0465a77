/* SPDX-License-Identifier: BSD-2-Clause */
/* irq.h over a scripted backend: failed flushes and teardown. */
#include "test.h"

#include "script.h"

/* dirty */

static void test_dirty_keeps_reference_of_old_entry(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    assert_refs(f, 1, 1);
    assert_int_equal(vtdpi_vcpu_detach_begin(A(f)), VTDPI_EBUSY);
    assert_false(vtdpi_irq_is_pinned(&f->irq));
}

static void test_dirty_change_flushes_first_then_changes(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, begin(1, 1), invalidate(1, 1), commit(true, 1, 1), settled(1, 1),
         begin(1, 1), replace(post_b, post_a, 1, 1), invalidate(1, 1),
         commit(true, 1, 1), settled(1, 1));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
    assert_refs(f, 1, 0);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
}

static void test_dirty_change_flush_fails_returns_edirty_unchanged(void **state)
{
    struct fixture *f = *state;
    const struct call retry[] = {
        begin(1, 1),
        invalidate(1, 1),
        fails(commit(true, 1, 1), FAILURE),
    };

    dirty(f);
    play(f, retry, 3);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), VTDPI_EDIRTY);
    played(f);
    play(f, retry, 3);
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), VTDPI_EDIRTY);
    played(f);
    play(f, retry, 3);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), VTDPI_EDIRTY);
    played(f);
    play(f, retry, 1); /* begin fails, for a change */
    f->script[0].result = FAILURE;
    assert_int_equal(vtdpi_irq_unpost(&f->irq), VTDPI_EDIRTY);
    played(f);
    play(f, retry, 3);
    assert_int_equal(vtdpi_irq_flush(&f->irq), FAILURE);
    played(f);
    assert_refs(f, 1, 1);
    assert_live(f, &post_b);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
}

static void test_dirty_same_value_flushes(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, begin(1, 1), invalidate(1, 1), commit(true, 1, 1), settled(1, 1));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), 0);
    played(f);
    assert_refs(f, 0, 1);
}

static void test_dirty_invalidate_fails_stays_dirty(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, begin(1, 1), fails(invalidate(1, 1), FAILURE), commit(true, 1, 1));
    assert_int_equal(vtdpi_irq_flush(&f->irq), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
    assert_refs(f, 1, 1);
}

static void test_dirty_host_change_under_posted_form_calls_nothing(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), 0);
    played(f);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
}

static void test_dirty_mark_flushed_releases(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, settled(1, 1));
    assert_int_equal(vtdpi_irq_mark_flushed(&f->irq), 0);
    played(f);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_refs(f, 0, 1);
    assert_int_equal(vtdpi_irq_mark_flushed(&f->irq), 0); /* and no call */
    played(f);
}

static void test_dirty_then_unpost_is_not_drained_twice(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, begin(1, 1), invalidate(1, 1), commit(true, 1, 1), settled(1, 1),
         begin(0, 1), replace(post_b, host1, 0, 1), invalidate(0, 1),
         commit(true, 0, 1), settled(0, 1), begin(0, 0),
         replace(host1, host2, 0, 0), invalidate(0, 0), commit(false, 0, 0),
         settled(0, 0));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), 0);
    played(f);
}

/* teardown */

static void assert_ended(struct fixture *f)
{
    assert_false(vtdpi_irq_is_pinned(&f->irq));
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_null(vtdpi_irq_vcpu(&f->irq));
    assert_live(f, &none);
    assert_refs(f, 0, 0);
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), VTDPI_ESTATE);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), VTDPI_ESTATE);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), VTDPI_ESTATE);
    played(f);
}

static void test_teardown_clears_whatever_is_there(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, begin(1, 0), clear(1, 0), invalidate(1, 0), commit(true, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    played(f);
    assert_ended(f);
    assert_int_equal(vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, NULL),
                     0);
    hosted(f);
}

static void test_teardown_unused_calls_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(vtdpi_irq_teardown(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_flush(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_unpost(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_mark_flushed(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    played(f);
    assert_ended(f);
}

/* The entry may have held something else than irq.h takes it to hold. */
static void test_teardown_invalidates_what_looks_not_present(void **state)
{
    struct fixture *f = *state;
    const struct vtdpi_irte fpd_only = {UINT64_C(2), 0};

    assert_int_equal(
        vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, &fpd_only), 0);
    PLAY(f, begin(0, 0), clear(0, 0), invalidate(0, 0), commit(false, 0, 0),
         settled(0, 0));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    played(f);
    assert_ended(f);
}

static void test_teardown_flush_fails_pins_until_flushed(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, begin(1, 0), clear(1, 0), invalidate(1, 0),
         fails(commit(true, 1, 0), FAILURE));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_pinned(&f->irq));
    assert_null(vtdpi_irq_vcpu(&f->irq));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), VTDPI_ESTATE);
    assert_int_equal(vtdpi_vcpu_detach_begin(A(f)), VTDPI_EBUSY);

    /* Drained even in the repetition: postings may be in flight still. */
    PLAY(f, begin(1, 0), invalidate(1, 0), commit(true, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    played(f);
    assert_ended(f);
    assert_int_equal(vtdpi_vcpu_detach_begin(A(f)), 0);
}

static void test_teardown_of_dirty_goes_ahead_and_releases_both(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, begin(1, 1), clear(1, 1), invalidate(1, 1), commit(true, 1, 1),
         settled(1, 1));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    played(f);
    assert_ended(f);
}

static void test_teardown_of_dirty_fails_pins_both(void **state)
{
    struct fixture *f = *state;

    dirty(f);
    PLAY(f, begin(1, 1), clear(1, 1), invalidate(1, 1),
         fails(commit(true, 1, 1), FAILURE));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), FAILURE);
    played(f);
    assert_refs(f, 1, 1);
    PLAY(f, settled(1, 1));
    assert_int_equal(vtdpi_irq_mark_flushed(&f->irq), 0);
    played(f);
    assert_ended(f);
}

static void test_teardown_refused_is_repeated_by_flush(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, fails(begin(1, 0), FAILURE));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_pinned(&f->irq));
    assert_ptr_equal(vtdpi_irq_vcpu(&f->irq), A(f));

    PLAY(f, begin(1, 0), fails(clear(1, 0), FAILURE), commit(false, 1, 0));
    assert_int_equal(vtdpi_irq_flush(&f->irq), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_pinned(&f->irq));
    assert_int_equal(vtdpi_irq_mark_flushed(&f->irq), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), VTDPI_ESTATE);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), VTDPI_ESTATE);
    assert_refs(f, 1, 0);

    PLAY(f, begin(1, 0), clear(1, 0), invalidate(1, 0), commit(true, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
    assert_ended(f);
}

static int drain_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                         const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement)
{
    flush->drain = true; /* found a posted form that nobody told irq.h of */
    return script_replace(ctx, flush, index, old, replacement);
}

static void test_teardown_backend_asks_for_drain_is_kept(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_backend_ops ops = script_ops;

    hosted(f);
    ops.replace = drain_replace;
    f->backend.ops = &ops;
    PLAY(f, begin(0, 0), clear(0, 0), invalidate(0, 0),
         fails(commit(true, 0, 0), FAILURE));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), FAILURE);
    played(f);
    PLAY(f, begin(0, 0), invalidate(0, 0), commit(true, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dirty_keeps_reference_of_old_entry),
        TEST(test_dirty_change_flushes_first_then_changes),
        TEST(test_dirty_change_flush_fails_returns_edirty_unchanged),
        TEST(test_dirty_same_value_flushes),
        TEST(test_dirty_invalidate_fails_stays_dirty),
        TEST(test_dirty_host_change_under_posted_form_calls_nothing),
        TEST(test_dirty_mark_flushed_releases),
        TEST(test_dirty_then_unpost_is_not_drained_twice),
        TEST(test_teardown_clears_whatever_is_there),
        TEST(test_teardown_unused_calls_nothing),
        TEST(test_teardown_invalidates_what_looks_not_present),
        TEST(test_teardown_flush_fails_pins_until_flushed),
        TEST(test_teardown_of_dirty_goes_ahead_and_releases_both),
        TEST(test_teardown_of_dirty_fails_pins_both),
        TEST(test_teardown_refused_is_repeated_by_flush),
        TEST(test_teardown_backend_asks_for_drain_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
