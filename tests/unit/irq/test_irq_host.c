/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.h: host forms in posted format, and targets that are no vCPU's. In most tests
 * the host takes its interrupts through B, and the guest's vCPU is A. A host form in
 * force counts twice: it is stored, and a unit uses it.
 */
#include "test.h"

#include "recorder.h"

static struct vtdpi_target *target(struct fixture *f)
{
    return vtdpi_vcpu_target(B(f));
}

/* Posted to B for the host. */
static void hosted_by_b(struct fixture *f)
{
    PLAY(f, begin(0, 2), replace(none, post_b, 0, 2), commit(false, 0, 2),
         settled(0, 2));
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x41), 0);
    played(f);
    assert_live(f, &post_b);
    assert_refs(f, 0, 2);
    assert_null(vtdpi_irq_target(&f->irq));
    assert_null(vtdpi_irq_vcpu(&f->irq));
}

/* The guest's form to A lies over it. */
static void posted_over_b(struct fixture *f)
{
    hosted_by_b(f);
    PLAY(f, begin(1, 2), replace(post_b, post_a, 1, 2), invalidate(1, 2),
         commit(true, 1, 2), settled(1, 2));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
    assert_refs(f, 1, 1);
    assert_ptr_equal(vtdpi_irq_vcpu(&f->irq), A(f));
    assert_ptr_equal(vtdpi_irq_target(&f->irq), vtdpi_vcpu_target(A(f)));
}

static void test_host_posted_comes_back_in_one_step(void **state)
{
    struct fixture *f = *state;

    posted_over_b(f);
    PLAY(f, begin(1, 2), replace(post_a, post_b, 1, 2), invalidate(1, 2),
         commit(true, 1, 2), settled(1, 2));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
    assert_live(f, &post_b);
    assert_refs(f, 0, 2);
}

static void test_host_posted_same_form_costs_nothing(void **state)
{
    struct fixture *f = *state;

    hosted_by_b(f);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x41), 0);
    played(f);
    assert_refs(f, 0, 2);
}

static void test_host_posted_is_only_stored_under_a_posted_form(void **state)
{
    struct fixture *f = *state;

    posted_over_b(f);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0);
    assert_refs(f, 1, 0);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x41), 0);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x41), 0);
    played(f);
    assert_refs(f, 1, 1);
    assert_int_equal(vtdpi_vcpu_detach_begin(B(f)), VTDPI_EBUSY);
    PLAY(f, begin(1, 2), replace(post_a, post_b, 1, 2), invalidate(1, 2),
         commit(true, 1, 2), settled(1, 2));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
}

/* The stored form goes at once, the reference of the entry after the flush. */
static void test_host_posted_reference_waits_for_the_flush(void **state)
{
    struct fixture *f = *state;

    hosted_by_b(f);
    PLAY(f, begin(0, 2), replace(post_b, host1, 0, 2), invalidate(0, 2),
         fails(commit(true, 0, 1), FAILURE));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), FAILURE);
    played(f);
    assert_refs(f, 0, 1);
    assert_int_equal(vtdpi_vcpu_detach_begin(B(f)), VTDPI_EBUSY);
    PLAY(f, begin(0, 1), invalidate(0, 1), commit(true, 0, 1), settled(0, 1));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
    assert_refs(f, 0, 0);
}

/* Dirty: a unit may still use the host's entry that the guest's form replaced. */
static void test_host_posted_replaced_while_dirty_keeps_its_entry(void **state)
{
    struct fixture *f = *state;

    hosted_by_b(f);
    PLAY(f, begin(1, 2), replace(post_b, post_a, 1, 2), invalidate(1, 2),
         fails(commit(true, 1, 2), FAILURE));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), FAILURE);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0);
        assert_refs(f, 1, 1);
        assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x42),
                         0);
        assert_refs(f, 1, 2);
    }
    assert_int_equal(vtdpi_irq_set_host(&f->irq, NULL), 0);
    PLAY(f, begin(1, 1), invalidate(1, 1), commit(true, 1, 1), settled(1, 1));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    played(f);
    assert_refs(f, 1, 0);
}

static void test_host_posted_refused_entry_changes_nothing(void **state)
{
    struct fixture *f = *state;

    hosted_by_b(f);
    PLAY(f, begin(2, 2), fails(replace(post_b, post_a, 2, 2), FAILURE),
         commit(false, 1, 2));
    assert_int_equal(
        vtdpi_irq_set_host_posted(&f->irq, vtdpi_vcpu_target(A(f)), 0x41),
        FAILURE);
    played(f);
    assert_refs(f, 0, 2);
    assert_live(f, &post_b);
}

static void test_host_posted_teardown_gives_all_back(void **state)
{
    struct fixture *f = *state;

    posted_over_b(f);
    PLAY(f, begin(1, 0), clear(1, 0), invalidate(1, 0), commit(true, 1, 0),
         settled(1, 0));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    played(f);
    assert_refs(f, 0, 0);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x41),
                     VTDPI_ESTATE);
    assert_refs(f, 0, 0);
}

static void test_host_posted_teardown_in_force_waits_for_the_flush(void **state)
{
    struct fixture *f = *state;

    hosted_by_b(f);
    PLAY(f, begin(0, 1), clear(0, 1), invalidate(0, 1),
         fails(commit(true, 0, 1), FAILURE));
    assert_int_equal(vtdpi_irq_teardown(&f->irq), FAILURE);
    played(f);
    assert_refs(f, 0, 1);
    PLAY(f, begin(0, 1), invalidate(0, 1), commit(true, 0, 1), settled(0, 1));
    assert_int_equal(vtdpi_irq_flush(&f->irq), 0);
    assert_refs(f, 0, 0);
}

static void test_host_posted_bad_arguments_say_what(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_target own = {0};

    assert_int_equal(vtdpi_irq_set_host_posted(NULL, target(f), 0x41),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, NULL, 0x41),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_post_target(&f->irq, NULL, 0x41), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 15),
                     VTDPI_EVECTOR);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, &own, 0x41),
                     VTDPI_ECLOSED);
    assert_int_equal(vtdpi_target_init(&own, 0x1000, VTDPI_XAPIC), 0);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, &own, 0x41),
                     VTDPI_EMODE);
    assert_int_equal(vtdpi_target_refs(&own), 0);
    assert_int_equal(vtdpi_target_close(&own), 0);
    assert_int_equal(
        vtdpi_target_init(&own, UINT64_C(0x400000000000), VTDPI_X2APIC), 0);
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, &own, 0x41),
                     VTDPI_EIRTE_PDA_WIDTH);
    assert_int_equal(vtdpi_target_refs(&own), 0);
    f->backend.no_posting = true;
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq, target(f), 0x41),
                     VTDPI_ENOPI);
    assert_refs(f, 0, 0);
}

/* Targets of the host's own. */

static void test_target_init_bad_arguments_say_what(void **state)
{
    struct vtdpi_target own = {0};

    (void)state;
    assert_int_equal(vtdpi_target_ref(&own), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_target_close(&own), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_target_init(NULL, 0x1000, VTDPI_X2APIC),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_target_init(&own, 0x1000, (enum vtdpi_apic_mode)2),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_target_init(&own, 0x1020, VTDPI_X2APIC),
                     VTDPI_EALIGN);
    assert_int_equal(vtdpi_target_ref(&own), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_target_init(&own, 0x1040, VTDPI_X2APIC), 0);
    assert_int_equal(vtdpi_target_init(&own, 0x1080, VTDPI_X2APIC),
                     VTDPI_EBUSY);
    assert_int_equal(vtdpi_target_ref(&own), 0);
    assert_int_equal(vtdpi_target_refs(&own), 1);
    assert_int_equal(vtdpi_target_close(&own), VTDPI_EBUSY);
    vtdpi_target_unref(&own);
    assert_int_equal(vtdpi_target_close(&own), 0);
    assert_int_equal(vtdpi_target_ref(&own), VTDPI_ECLOSED);
}

/* A vCPU whose descriptor is where B's is, and that the library does not know. */
static void test_post_target_posts_to_a_descriptor_of_the_host(void **state)
{
    struct fixture *f = *state;
    struct vtdpi_target own = {0};

    hosted(f);
    assert_int_equal(
        vtdpi_target_init(&own, UINT64_C(0x123456080), VTDPI_X2APIC), 0);
    PLAY(f, begin(0, 0), replace(host1, post_b, 0, 0), invalidate(0, 0),
         commit(false, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_post_target(&f->irq, &own, 0x41), 0);
    played(f);
    assert_ptr_equal(vtdpi_irq_target(&f->irq), &own);
    assert_null(vtdpi_irq_vcpu(&f->irq));
    assert_int_equal(vtdpi_irq_vector(&f->irq), 0x41);
    assert_int_equal(vtdpi_target_refs(&own), 1);
    assert_int_equal(vtdpi_target_close(&own), VTDPI_EBUSY);
    PLAY(f, begin(0, 0), replace(post_b, host1, 0, 0), invalidate(0, 0),
         commit(true, 0, 0), settled(0, 0));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    assert_int_equal(vtdpi_target_close(&own), 0);
}

/* Entries that another kernel has posted. */

static int adopt(struct fixture *f, const struct vtdpi_irte *live,
                 struct vtdpi_vcpu *v)
{
    f->irq = (struct vtdpi_irq){0};
    return vtdpi_irq_adopt(&f->irq, &f->backend, INDEX, &source, live, v);
}

static void test_adopt_takes_the_posted_form_and_a_reference(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(adopt(f, &post_a42, A(f)), 0);
    assert_refs(f, 1, 0);
    assert_ptr_equal(vtdpi_irq_vcpu(&f->irq), A(f));
    assert_int_equal(vtdpi_irq_vector(&f->irq), 0x42);
    assert_live(f, &post_a42);
    assert_false(vtdpi_irq_is_dirty(&f->irq));
    /* As if this kernel had posted it. */
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x42), 0);
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0);
    PLAY(f, begin(1, 0), replace(post_a42, host1, 1, 0), invalidate(1, 0),
         commit(true, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    played(f);
    assert_refs(f, 0, 0);
}

static void test_adopt_refused_takes_no_reference(void **state)
{
    struct fixture *f = *state;
    const struct vtdpi_irte absent = {post_a.lo & ~UINT64_C(1), post_a.hi};
    struct vtdpi_vcpu detached = {0};

    assert_int_equal(adopt(f, &post_a, B(f)), VTDPI_EIRTE_PDA);
    assert_int_equal(adopt(f, &host1, A(f)), VTDPI_EIRTE_FORMAT);
    assert_int_equal(adopt(f, &absent, A(f)), VTDPI_EIRTE_ABSENT);
    assert_int_equal(adopt(f, &post_a, &detached), VTDPI_ECLOSED);
    assert_int_equal(adopt(f, &post_a, NULL), VTDPI_EINVAL);
    assert_int_equal(adopt(f, NULL, A(f)), VTDPI_EINVAL);
    f->backend.mode = VTDPI_XAPIC;
    assert_int_equal(adopt(f, &post_a, A(f)), VTDPI_EMODE);
    f->backend.haw = 0;
    assert_int_equal(adopt(f, &post_a, A(f)), VTDPI_EINVAL);
    assert_int_equal(
        vtdpi_irq_adopt(NULL, &f->backend, INDEX, &source, &post_a, A(f)),
        VTDPI_EINVAL);
    assert_refs(f, 0, 0);
}

/* Affinity code, while another call holds the interrupt. */

static void during_posted(struct world *w)
{
    assert_int_equal(
        vtdpi_irq_set_host_posted(&w->irq[0], vtdpi_vcpu_target(B(w->f)), 0x41),
        VTDPI_IRQ_DEFERRED);
    assert_refs(w->f, 1, 1);
}

static void during_posted_thrice(struct world *w)
{
    during_posted(w);
    during_posted(w);
    during_posted(w);
}

static void during_posted_and_back(struct world *w)
{
    during_posted(w);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2),
                     VTDPI_IRQ_DEFERRED);
    assert_refs(w->f, 1, 0);
}

static void test_deferred_host_posted_is_set_by_the_holder(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_posted_thrice;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_entry(w, 0, &post_b);
    assert_refs(w->f, 0, 2);
    assert_int_equal(vtdpi_irq_teardown(&w->irq[0]), 0);
    assert_refs(w->f, 0, 0);
}

static void test_deferred_host_posted_overwritten_is_given_back(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_posted_and_back;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_entry(w, 0, &host2);
    assert_refs(w->f, 0, 0);
}

static void
test_deferred_host_posted_over_a_teardown_is_given_back(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_posted;
    assert_int_equal(vtdpi_irq_teardown(&w->irq[0]), 0);
    assert_entry(w, 0, &none);
    assert_refs(w->f, 0, 0);
}

static void test_batch_host_posted_and_back(void **state)
{
    struct world *w = *state;
    struct vtdpi_target *const b = vtdpi_vcpu_target(B(w->f));
    struct vtdpi_target *const a = vtdpi_vcpu_target(A(w->f));

    assert_int_equal(
        vtdpi_irq_batch_set_host_posted(&w->batch, &w->irq[0], b, 0x41), 0);
    assert_int_equal(
        vtdpi_irq_batch_set_host_posted(&w->batch, &w->irq[0], b, 0x42),
        VTDPI_EDIRTY);
    assert_int_equal(
        vtdpi_irq_batch_set_host_posted(&w->batch, &w->irq[0], b, 15),
        VTDPI_EVECTOR);
    assert_int_equal(vtdpi_irq_batch_set_host_posted(NULL, &w->irq[0], b, 0x42),
                     VTDPI_EINVAL);
    assert_refs(w->f, 0, 2);
    end_batch(w, 0);
    assert_entry(w, 0, &post_b);
    begin_batch(w);
    assert_int_equal(
        vtdpi_irq_batch_post_target(&w->batch, &w->irq[0], a, 0x41), 0);
    /* Stored under it, in the same batch. */
    assert_int_equal(
        vtdpi_irq_batch_set_host_posted(&w->batch, &w->irq[0], b, 0x41), 0);
    assert_refs(w->f, 1, 2);
    end_batch(w, 0);
    assert_entry(w, 0, &post_a);
    assert_refs(w->f, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define WORLD_TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        HOST_TEST(test_host_posted_comes_back_in_one_step),
        HOST_TEST(test_host_posted_same_form_costs_nothing),
        HOST_TEST(test_host_posted_is_only_stored_under_a_posted_form),
        HOST_TEST(test_host_posted_reference_waits_for_the_flush),
        HOST_TEST(test_host_posted_replaced_while_dirty_keeps_its_entry),
        HOST_TEST(test_host_posted_refused_entry_changes_nothing),
        HOST_TEST(test_host_posted_teardown_gives_all_back),
        HOST_TEST(test_host_posted_teardown_in_force_waits_for_the_flush),
        HOST_TEST(test_host_posted_bad_arguments_say_what),
        cmocka_unit_test(test_target_init_bad_arguments_say_what),
        HOST_TEST(test_post_target_posts_to_a_descriptor_of_the_host),
        HOST_TEST(test_adopt_takes_the_posted_form_and_a_reference),
        HOST_TEST(test_adopt_refused_takes_no_reference),
        WORLD_TEST(test_deferred_host_posted_is_set_by_the_holder),
        WORLD_TEST(test_deferred_host_posted_overwritten_is_given_back),
        WORLD_TEST(test_deferred_host_posted_over_a_teardown_is_given_back),
        WORLD_TEST(test_batch_host_posted_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
