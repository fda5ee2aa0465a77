/* SPDX-License-Identifier: BSD-2-Clause */
/* irq.h over a scripted backend: init, host form, posted form. */
#include "test.h"

#include "script.h"

/* init */

static void test_init_bad_argument_returns_einval(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_backend_ops ops = script_ops;
    struct vtdpi_backend b = f->backend;
    struct vtdpi_irq irq = {0};

    assert_int_equal(vtdpi_irq_init(NULL, &b, 0, &source, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_init(&irq, NULL, 0, &source, NULL),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, NULL, NULL), VTDPI_EINVAL);
    b.haw = 0;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
    b.haw = 65;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
    b.haw = 64;
    b.mode = (enum vtdpi_apic_mode)2;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
    b.mode = VTDPI_XAPIC;
    b.ops = NULL;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
    b.ops = &ops;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), 0);
    ops.replace = NULL;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
    ops = script_ops;
    ops.invalidate = NULL;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
    ops = script_ops;
    ops.commit = NULL;
    assert_int_equal(vtdpi_irq_init(&irq, &b, 0, &source, NULL), VTDPI_EINVAL);
}

static void test_init_bad_source_says_what(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_source s = {0};
    struct vtdpi_irq irq = {0};

    assert_int_equal(vtdpi_irq_init(&irq, &f->backend, 0, &s, NULL),
                     VTDPI_EIRTE_SOURCE);
    s = vtdpi_source_exact(1, (enum vtdpi_sq)4);
    assert_int_equal(vtdpi_irq_init(&irq, &f->backend, 0, &s, NULL),
                     VTDPI_ERANGE);
    s = vtdpi_source_bus_range(3, 2);
    assert_int_equal(vtdpi_irq_init(&irq, &f->backend, 0, &s, NULL),
                     VTDPI_EIRTE_BUS);
    s = vtdpi_source_bus_range(2, 3);
    s.sq = 1;
    assert_int_equal(vtdpi_irq_init(&irq, &f->backend, 0, &s, NULL),
                     VTDPI_EIRTE_SQ);
    s = (struct vtdpi_source){VTDPI_SOURCE_RESERVED, 0, 0};
    assert_int_equal(vtdpi_irq_init(&irq, &f->backend, 0, &s, NULL),
                     VTDPI_EIRTE_SVT);
}

static void test_init_fresh_has_no_form(void **state)
{
    struct fixture *f = *state;

    assert_null(vtdpi_irq_vcpu(&f->irq));
    assert_int_equal(vtdpi_irq_vector(&f->irq), 0);
    assert_int_equal(vtdpi_irq_index(&f->irq), INDEX);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_false(vtdpi_irq_is_pinned(&f->irq));
    assert_live(f, &none);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, NULL), 0);
    played(f);
}

static void test_init_live_remapped_becomes_host_form(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, &host1), 0);
    PLAY(f, begin(1, 0), replace(host1, post_a, 1, 0), invalidate(1, 0),
         commit(false, 1, 0), settled(1, 0), begin(1, 0),
         replace(post_a, host1, 1, 0), invalidate(1, 0), commit(true, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0); /* no call */
    played(f);
}

static void test_init_live_posted_is_drained_when_replaced(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, &post_b), 0);
    assert_null(vtdpi_irq_vcpu(&f->irq));
    PLAY(f, begin(0, 0), replace(post_b, host1, 0, 0), invalidate(0, 0),
         commit(true, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0);
    played(f);
}

static void test_init_live_posted_is_no_host_form(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, &post_b), 0);
    PLAY(f, begin(1, 0), replace(post_b, post_a, 1, 0), invalidate(1, 0),
         commit(true, 1, 0), settled(1, 0), begin(1, 0),
         replace(post_a, none, 1, 0), invalidate(1, 0), commit(true, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
}

static void test_init_live_not_present_is_no_host_form(void **state)
{
    struct fixture *f = *state;
    const struct vtdpi_irte fpd_only = {UINT64_C(2), 0};

    assert_int_equal(
        vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, &fpd_only), 0);
    PLAY(f, begin(1, 0), replace(fpd_only, post_a, 1, 0), commit(false, 1, 0),
         settled(1, 0), begin(1, 0), replace(post_a, none, 1, 0),
         invalidate(1, 0), commit(true, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
}

/* set_host */

static void test_set_host_first_writes_without_invalidation(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    assert_live(f, &host1);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
}

static void test_set_host_same_costs_nothing(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0);
    played(f);
}

static void test_set_host_other_invalidates(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    PLAY(f, begin(0, 0), replace(host1, host2, 0, 0), invalidate(0, 0),
         commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), 0);
    played(f);
    assert_live(f, &host2);
}

static void test_set_host_none_clears_entry(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    PLAY(f, begin(0, 0), replace(host1, none, 0, 0), invalidate(0, 0),
         commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, NULL), 0);
    played(f);
    assert_live(f, &none);
}

static void test_set_host_bad_form_is_refused_unchanged(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_irte_remapped h = fields2;

    hosted(f);
    assert_int_equal(vtdpi_irq_set_host(NULL, &h), VTDPI_EINVAL);
    h.present = false;
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EINVAL);
    h = fields2;
    h.mode = VTDPI_XAPIC;
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EINVAL);
    h = fields2;
    h.source = vtdpi_source_exact(0x0311, VTDPI_SQ_ALL);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EINVAL);
    h.source = vtdpi_source_exact(0x0310, VTDPI_SQ_IGNORE_2);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EINVAL);
    h.source = vtdpi_source_bus_range(0x03, 0x10); /* the same bits */
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EINVAL);
    h.source = vtdpi_source_any_unverified();
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EINVAL);
    h = fields2;
    h.vector = 15;
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), VTDPI_EIRTE_VECTOR);
    played(f);
    assert_live(f, &host1);

    h = fields1;
    h.source = source; /* spelled out, and the same */
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), 0);
    played(f);
}

static void test_set_host_under_posted_form_is_only_stored(void **state)
{
    struct fixture *f = *state;

    posted(f);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), 0);
    played(f);
    assert_live(f, &post_a);
    PLAY(f, begin(1, 0), replace(post_a, host2, 1, 0), invalidate(1, 0),
         commit(true, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
}

/* Which host form is stored: it shows when a posted form goes. */
static void assert_unposts_to(struct fixture *f, const struct vtdpi_irte *host)
{
    PLAY(f, begin(1, 0), replace(*host, post_a, 1, 0), invalidate(1, 0),
         commit(false, 1, 0), settled(1, 0), begin(1, 0),
         replace(post_a, *host, 1, 0), invalidate(1, 0), commit(true, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
}

static void test_set_host_commit_fails_is_set_and_dirty(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    PLAY(f, begin(0, 0), replace(host1, host2, 0, 0), invalidate(0, 0),
         fails(commit(false, 0, 0), FAILURE));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
    assert_live(f, &host2);

    PLAY(f, begin(0, 0), invalidate(0, 0), commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_unposts_to(f, &host2);
}

static void test_set_host_invalidate_fails_is_set_and_dirty(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    PLAY(f, begin(0, 0), replace(host1, host2, 0, 0),
         fails(invalidate(0, 0), FAILURE), commit(false, 0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
    assert_live(f, &host2);

    PLAY(f, begin(0, 0), invalidate(0, 0), commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
    assert_unposts_to(f, &host2);
}

static void test_set_host_same_but_dirty_is_flushed(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    PLAY(f, begin(0, 0), replace(host1, host2, 0, 0), invalidate(0, 0),
         fails(commit(false, 0, 0), FAILURE), begin(0, 0), invalidate(0, 0),
         commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), FAILURE);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), 0);
    played(f);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
}

static void test_set_host_first_commit_fails_retry_invalidates(void **state)
{
    struct fixture *f = *state;

    PLAY(f, begin(0, 0), replace(none, host1, 0, 0),
         fails(commit(false, 0, 0), FAILURE));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), FAILURE);
    played(f);
    PLAY(f, begin(0, 0), invalidate(0, 0), commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
}

static void test_set_host_replace_fails_is_unchanged(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    PLAY(f, begin(0, 0), fails(replace(host1, host2, 0, 0), FAILURE),
         commit(false, 0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields2), FAILURE);
    played(f);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_live(f, &host1);

    assert_unposts_to(f, &host1);
}

/* post */

static void test_post_takes_reference_before_entry(void **state)
{
    struct fixture *f = *state;

    posted(f);
    assert_live(f, &post_a);
    assert_ptr_equal(vtdpi_irq_vcpu(&f->irq), A(f));
    assert_int_equal(vtdpi_irq_vector(&f->irq), 0x41);
    assert_refs(f, 1, 0);
    assert_int_equal(vtdpi_vcpu_detach_begin(A(f)), VTDPI_EBUSY);
}

static void test_post_without_host_form_needs_none(void **state)
{
    struct fixture *f = *state;

    PLAY(f, begin(1, 0), replace(none, post_a, 1, 0), commit(false, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
    PLAY(f, begin(1, 0), replace(post_a, none, 1, 0), invalidate(1, 0),
         commit(true, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
}

static void test_post_same_costs_nothing(void **state)
{
    struct fixture *f = *state;

    posted(f);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
    assert_refs(f, 1, 0);
}

static void test_post_retarget_keeps_old_reference_until_flushed(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, begin(1, 1), replace(post_a, post_b, 1, 1), invalidate(1, 1),
         commit(true, 1, 1), settled(1, 1));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), 0);
    played(f);
    assert_refs(f, 0, 1);
    assert_live(f, &post_b);
}

static void test_post_other_vector_same_vcpu(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, begin(2, 0), replace(post_a, post_a42, 2, 0), invalidate(2, 0),
         commit(true, 2, 0), settled(2, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x42), 0);
    played(f);
    assert_refs(f, 1, 0);
    assert_int_equal(vtdpi_irq_vector(&f->irq), 0x42);
}

static void test_post_bad_argument_is_refused_unchanged(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(vtdpi_irq_post(NULL, A(f), 0x41), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_post(&f->irq, NULL, 0x41), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 15), VTDPI_EVECTOR);
    played(f);
    assert_refs(f, 0, 0);
}

static void test_post_lowest_vector_is_accepted(void **state)
{
    struct fixture *f = *state;
    const struct vtdpi_irte entry = {UINT64_C(0x2345604000108001),
                                     UINT64_C(0x0000000100040310)};

    PLAY(f, begin(1, 0), replace(none, entry, 1, 0), commit(false, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 16), 0);
    played(f);
}

static void test_post_closed_vcpu_returns_eclosed(void **state)
{
    struct fixture *f = *state;

    hosted(f);
    assert_int_equal(vtdpi_vcpu_detach_begin(A(f)), 0);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), VTDPI_ECLOSED);
    while (!vtdpi_vcpu_detach_poll(A(f)))
        ;
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), VTDPI_ECLOSED);
    played(f);
    assert_live(f, &host1);
}

static void test_post_pid_above_width_gives_reference_back(void **state)
{
    struct fixture *f = *state;

    f->backend.haw = 32;
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41),
                     VTDPI_EIRTE_PDA_WIDTH);
    played(f);
    assert_refs(f, 0, 0);
    assert_null(vtdpi_irq_vcpu(&f->irq));
}

static void test_post_backend_without_posting_returns_enopi(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_irq_batch batch;

    f->backend.no_posting = true;
    hosted(f);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), VTDPI_ENOPI);
    assert_int_equal(vtdpi_irq_batch_begin(&batch, &f->backend, NULL, 0), 0);
    assert_int_equal(vtdpi_irq_batch_post(&batch, &f->irq, A(f), 0x41),
                     VTDPI_ENOPI);
    assert_int_equal(vtdpi_irq_batch_commit(&batch), 0);
    played(f);
    assert_refs(f, 0, 0);
    assert_live(f, &host1);
}

/* The PID names the APIC to notify in the instance's mode; the unit reads that
 * in the table's. */
static void test_post_other_apic_mode_gives_reference_back(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_irq_batch batch;

    hosted(f);
    f->backend.mode = VTDPI_XAPIC;
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), VTDPI_EMODE);
    assert_int_equal(vtdpi_irq_batch_begin(&batch, &f->backend, NULL, 0), 0);
    assert_int_equal(vtdpi_irq_batch_post(&batch, &f->irq, A(f), 0x41),
                     VTDPI_EMODE);
    assert_int_equal(vtdpi_irq_batch_commit(&batch), 0);
    played(f);
    assert_refs(f, 0, 0);
    assert_live(f, &host1);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
}

static void test_post_carries_fpd_and_avail_of_host_form(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_irte_remapped h = fields1;
    const struct vtdpi_irte host = {UINT64_C(0x0000010300510903), host1.hi};
    const struct vtdpi_irte post = {UINT64_C(0x2345604000418903), post_a.hi};

    h.fpd = true;
    h.avail = 9;
    PLAY(f, begin(0, 0), replace(none, host, 0, 0), commit(false, 0, 0),
         settled(0, 0), begin(1, 0), replace(host, post, 1, 0),
         invalidate(1, 0), commit(false, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), 0);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
}

/* The same vCPU and vector, but not the same entry. */
static void test_post_again_takes_over_new_fpd_and_avail(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_irte_remapped h = fields1;
    const struct vtdpi_irte post = {UINT64_C(0x2345604000418903), post_a.hi};

    posted(f);
    h.fpd = true;
    h.avail = 9;
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &h), 0);
    played(f);
    PLAY(f, begin(2, 0), replace(post_a, post, 2, 0), invalidate(2, 0),
         commit(true, 2, 0), settled(2, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
    assert_refs(f, 1, 0);
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
}

static void test_post_begin_fails_is_unchanged(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, fails(begin(1, 1), FAILURE));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), FAILURE);
    played(f);
    assert_refs(f, 1, 0);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_ptr_equal(vtdpi_irq_vcpu(&f->irq), A(f));
}

static void test_post_replace_fails_is_unchanged_and_committed(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, begin(1, 1), fails(replace(post_a, post_b, 1, 1), VTDPI_EAGAIN),
         commit(false, 1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), VTDPI_EAGAIN);
    played(f);
    assert_refs(f, 1, 0);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    assert_live(f, &post_a);
}

static void test_post_invalidate_fails_is_dirty_and_committed(void **state)
{
    struct fixture *f = *state;

    posted(f);
    PLAY(f, begin(1, 1), replace(post_a, post_b, 1, 1),
         fails(invalidate(1, 1), FAILURE), commit(true, 1, 1));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
    assert_refs(f, 1, 1);
    assert_live(f, &post_b);
}

static void test_backend_without_optional_calls(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_backend_ops ops = script_ops;

    ops.begin = NULL;
    ops.settled = NULL;
    f->backend.ops = &ops;
    PLAY(f, replace(none, post_a, 1, 0), commit(false, 1, 0),
         replace(post_a, post_b, 1, 1), invalidate(1, 1), commit(true, 1, 1));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), 0);
    played(f);
    assert_refs(f, 0, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_init_bad_argument_returns_einval),
        TEST(test_init_bad_source_says_what),
        TEST(test_init_fresh_has_no_form),
        TEST(test_init_live_remapped_becomes_host_form),
        TEST(test_init_live_posted_is_drained_when_replaced),
        TEST(test_init_live_posted_is_no_host_form),
        TEST(test_init_live_not_present_is_no_host_form),
        TEST(test_set_host_first_writes_without_invalidation),
        TEST(test_set_host_same_costs_nothing),
        TEST(test_set_host_other_invalidates),
        TEST(test_set_host_none_clears_entry),
        TEST(test_set_host_bad_form_is_refused_unchanged),
        TEST(test_set_host_under_posted_form_is_only_stored),
        TEST(test_set_host_commit_fails_is_set_and_dirty),
        TEST(test_set_host_invalidate_fails_is_set_and_dirty),
        TEST(test_set_host_same_but_dirty_is_flushed),
        TEST(test_set_host_first_commit_fails_retry_invalidates),
        TEST(test_set_host_replace_fails_is_unchanged),
        TEST(test_post_takes_reference_before_entry),
        TEST(test_post_without_host_form_needs_none),
        TEST(test_post_same_costs_nothing),
        TEST(test_post_retarget_keeps_old_reference_until_flushed),
        TEST(test_post_other_vector_same_vcpu),
        TEST(test_post_bad_argument_is_refused_unchanged),
        TEST(test_post_lowest_vector_is_accepted),
        TEST(test_post_closed_vcpu_returns_eclosed),
        TEST(test_post_pid_above_width_gives_reference_back),
        TEST(test_post_backend_without_posting_returns_enopi),
        TEST(test_post_other_apic_mode_gives_reference_back),
        TEST(test_post_carries_fpd_and_avail_of_host_form),
        TEST(test_post_again_takes_over_new_fpd_and_avail),
        TEST(test_post_begin_fails_is_unchanged),
        TEST(test_post_replace_fails_is_unchanged_and_committed),
        TEST(test_post_invalidate_fails_is_dirty_and_committed),
        TEST(test_backend_without_optional_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
