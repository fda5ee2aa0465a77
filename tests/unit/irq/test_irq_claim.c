/* SPDX-License-Identifier: BSD-2-Clause */
/* irq.h: host forms that are set while another call holds the interrupt. */
#include "test.h"

#include "recorder.h"

/* Affinity code, while a commit waits. */

static void during_host2(struct world *w)
{
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2),
                     VTDPI_IRQ_DEFERRED);
}

static void during_host2_and_back(struct world *w)
{
    during_host2(w);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields1),
                     VTDPI_IRQ_DEFERRED);
}

static void during_three(struct world *w)
{
    during_host2_and_back(w);
    during_host2(w);
}

static void during_none(struct world *w)
{
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], NULL), VTDPI_IRQ_DEFERRED);
}

static void during_bad(struct world *w)
{
    struct vtdpi_irte_remapped bad = fields2;

    bad.present = false;
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &bad), VTDPI_EINVAL);
}

static void during_other_calls(struct world *w)
{
    assert_int_equal(vtdpi_irq_post(&w->irq[0], A(w->f), 0x41),
                     VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_flush(&w->irq[0]), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_mark_flushed(&w->irq[0]), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_irq_teardown(&w->irq[0]), VTDPI_EINFLIGHT);
}

/* The host form in force afterwards: what unpost brings back. */
static void assert_host_form(struct world *w, const struct vtdpi_irte *irte)
{
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_entry(w, 0, irte);
}

static void test_claim_under_a_posted_form_is_only_stored(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_host2;
    assert_int_equal(vtdpi_irq_post(&w->irq[0], B(w->f), 0x41), 0);
    assert_calls(w, "B R1 I1 CD S1");
    assert_entry(w, 0, &post_b);
    assert_host_form(w, &host2);
}

/* The form left beside comes into force before the call returns. */
static void test_claim_holder_sets_the_form(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_host2;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_calls(w, "B R1 I1 CD S1 B R1 I1 C S1");
    assert_entry(w, 0, &host2);
    assert_dirty(w, "....");
}

static void test_claim_latest_form_wins(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_host2_and_back;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_calls(w, "B R1 I1 CD S1"); /* back to what is there */
    assert_entry(w, 0, &host1);
    assert_int_equal(vtdpi_irq_post(&w->irq[0], B(w->f), 0x41), 0);
    w->text[0] = '\0';
    w->during = during_three;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_entry(w, 0, &host2);
}

/* A form that is left while the holder sets one that was left before. */
static void during_first_of_two(struct world *w)
{
    during_host2(w);
    w->during = during_none;
}

static void test_claim_form_left_while_one_is_set(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_first_of_two;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_calls(w, "B R1 I1 CD S1 B R1 I1 C S1 B R1 I1 C S1");
    assert_entry(w, 0, &none);
}

static void test_claim_of_a_batch_lasts_until_its_commit(void **state)
{
    struct world *w = *state;

    posted_n(w, 2);
    unpost(w, 0, 0);
    unpost(w, 1, 0);
    during_host2(w);
    assert_calls(w, "B R1 I1 R2 I2");
    end_batch(w, 0);
    assert_calls(w, "CD S2 S1 B R1 I1 C S1");
    assert_entry(w, 0, &host2);
    assert_entry(w, 1, &host1);
}

/* A call of a batch that changes nothing does not keep the interrupt. */
static void test_claim_ends_with_a_change_that_is_none(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    post(w, 0, A(w->f), 0);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2), 0);
    unpost(w, 0, 0);
    end_batch(w, 0);
    assert_entry(w, 0, &host2);
}

static void test_claim_torn_down_needs_no_form(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_host2;
    assert_int_equal(vtdpi_irq_teardown(&w->irq[0]), 0);
    assert_calls(w, "B R1 I1 CD S1");
    assert_entry(w, 0, &none);
}

/* A change of an open batch is refused while a form is left: the form waits for the
 * commit, so that no batch of the backend begins inside of another one. */
static void test_claim_form_waits_for_the_commit_of_an_open_batch(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[1], &fields1), 0);
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    w->text[0] = '\0';
    post(w, 1, A(w->f), 0);
    w->refuse = w->calls + 1;
    w->in_replace = during_host2;
    post(w, 0, A(w->f), FAILURE);
    assert_calls(w, "B R2 I2 R1!");
    assert_entry(w, 0, &host1);
    assert_int_equal(vtdpi_irq_post(&w->irq[0], A(w->f), 0x41),
                     VTDPI_EINFLIGHT);
    end_batch(w, 0);
    assert_calls(w, "C S1 S2 B R1 I1 C S1");
    assert_entry(w, 0, &host2);
    assert_dirty(w, "....");
}

/* The same of a dirty interrupt: the commit flushes it. */
static void test_claim_form_over_a_dirty_one_waits_for_the_commit(void **state)
{
    struct world *w = *state;

    posted_n(w, 2);
    w->refuse = w->calls + 4;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), FAILURE);
    assert_dirty(w, "d...");
    w->text[0] = '\0';
    unpost(w, 1, 0);
    w->refuse = w->calls + 1;
    w->in_replace = during_host2;
    assert_int_equal(vtdpi_irq_batch_teardown(&w->batch, &w->irq[0]), FAILURE);
    assert_calls(w, "B R2 I2 R1! I1");
    end_batch(w, 0);
    assert_calls(w, "CD S1 S2");
    assert_true(vtdpi_irq_is_pinned(&w->irq[0]));
    assert_int_equal(vtdpi_irq_teardown(&w->irq[0]), 0);
    assert_entry(w, 0, &none);
}

/* The form cannot be set: the holder's own change is done, and affinity code, which
 * asks again, is told. */
static void test_claim_failure_is_told_to_affinity_code(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->calls = 0;
    w->refuse = 8; /* B R1 I1 C, B R1 I1 C */
    w->during = during_host2;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_calls(w, "B R1 I1 CD S1 B R1 I1 C!");
    assert_entry(w, 0, &host2);
    assert_dirty(w, "d...");
    w->refuse = w->calls + 2;
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2), VTDPI_EDIRTY);
    w->write_buffer = true;
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2), 0);
    assert_dirty(w, "....");
    /* The unit does that before it invalidates. A command could be stuck. */
    assert_false(w->write_buffer);
}

/* The table refuses the form: the old one stays, until affinity code asks again. */
static void test_claim_refused_form_is_told_to_affinity_code(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->calls = 0;
    w->refuse = 6; /* B R1 I1 C, B R1 */
    w->during = during_host2;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_entry(w, 0, &host1);
    w->refuse = w->calls + 2;
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2), FAILURE);
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2), 0);
    assert_entry(w, 0, &host2);
}

static void test_claim_bad_form_is_refused_at_once(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_bad;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_entry(w, 0, &host1);
}

static void test_claim_keeps_other_calls_out(void **state)
{
    struct world *w = *state;

    posted_n(w, 1);
    w->during = during_other_calls;
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    assert_int_equal(vtdpi_irq_post(&w->irq[0], A(w->f), 0x41), 0);
    w->during = during_other_calls;
    /* Of affinity code, which holds the interrupt as any other call does. */
    assert_int_equal(vtdpi_irq_unpost(&w->irq[0]), 0);
    w->during = during_other_calls;
    assert_int_equal(vtdpi_irq_set_host(&w->irq[0], &fields2), 0);
    assert_entry(w, 0, &host2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CLAIM_TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
        CLAIM_TEST(test_claim_under_a_posted_form_is_only_stored),
        CLAIM_TEST(test_claim_holder_sets_the_form),
        CLAIM_TEST(test_claim_latest_form_wins),
        CLAIM_TEST(test_claim_form_left_while_one_is_set),
        CLAIM_TEST(test_claim_of_a_batch_lasts_until_its_commit),
        CLAIM_TEST(test_claim_ends_with_a_change_that_is_none),
        CLAIM_TEST(test_claim_torn_down_needs_no_form),
        CLAIM_TEST(test_claim_form_waits_for_the_commit_of_an_open_batch),
        CLAIM_TEST(test_claim_form_over_a_dirty_one_waits_for_the_commit),
        CLAIM_TEST(test_claim_failure_is_told_to_affinity_code),
        CLAIM_TEST(test_claim_refused_form_is_told_to_affinity_code),
        CLAIM_TEST(test_claim_bad_form_is_refused_at_once),
        CLAIM_TEST(test_claim_keeps_other_calls_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
