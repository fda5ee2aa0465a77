/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h: which slots are used again when, deadlines, closing.
 */
#include "qi_open_fixture.h"

static void test_qi_submit_ring_goes_round(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        submit(&t);
        assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    }
    assert_int_equal(rig_counters().iec_index, 1000);
    assert_int_equal(rig_counters().waits_completed, 1000);
    assert_int_equal(rig_count(false, 0x80), 0); /* IQH is never needed */
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x88), 2000 % 256 * 16);
}

/* A submitter that sleeps, or never looks, does not stop the others. */
static void test_qi_submit_unlooked_tickets_keep_no_slots(void **state)
{
    static struct vtdpi_qi_ticket sleepers[100];
    struct vtdpi_qi_ticket t;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        submit(&sleepers[i]);
    for (uint32_t i = 0; i < 1000; i++) {
        submit(&t);
        assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    }
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(vtdpi_qi_poll(&rig.qi, &sleepers[i]), 0);
}

static void test_qi_submit_as_many_as_submitters_fit(void **state)
{
    static struct vtdpi_qi_ticket t[128];
    const struct vtdpi_qi_desc d = iec(9);

    (void)state;
    rig_set_manual(true);
    for (size_t i = 0; i < 127; i++)
        submit(&t[i]);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &t[127]), VTDPI_EQFULL);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t[127]), VTDPI_EQFULL);
    /* A lone wait would fill the last free slot: tail == head is "empty". */
    assert_int_equal(vtdpi_qi_submit(&rig.qi, NULL, 0, &t[127]), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, NULL, 0, &t[127]), VTDPI_EQFULL);
}

static void test_qi_submit_full_ring_never_spins(void **state)
{
    static struct vtdpi_qi_ticket t[127];
    const struct vtdpi_qi_desc d = iec(9);
    struct vtdpi_qi_ticket more;

    (void)state;
    rig_set_manual(true);
    for (size_t i = 0; i < 127; i++)
        submit(&t[i]);
    rig_clear_trace();
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
    assert_int_equal(rig.traced, 2); /* IQT once more, and one look at IQH */
    assert_int_equal(rig_count(true, 0x88), 1);
    assert_int_equal(rig_count(false, 0x80), 1);
    vtdpi_model_fetch(&rig.m, 2);
    /* Fetched is not done: its descriptors may have to be written again. */
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
    vtdpi_model_complete(&rig.m, 2);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), 0);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t[0]), 0);
}

/* The unit has missed every write of the tail, and a full ring brings no new one:
 * the tail is written again. */
static void test_qi_submit_unit_returns_to_a_full_ring(void **state)
{
    const struct vtdpi_qi_desc d = iec(9);
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_vanish(&rig.m);
    for (size_t i = 0; i < 127; i++) {
        submit(&t);
        assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), VTDPI_EIO);
    }
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &t), VTDPI_EIO);
    vtdpi_model_return_kept(&rig.m);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &t), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x80), 0); /* 128 times 2 slots */
}

/* Deadlines. */

static void test_qi_wait_stuck_queue_times_out_as_given(void **state)
{
    struct vtdpi_qi_ticket t;
    uint64_t begin;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    submit(&t);
    begin = rig_now();
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, 5000, 6000);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_ETIMEDOUT);
    submit(&t);
    begin = rig_now();
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, VTDPI_QI_TIMEOUT_US,
                    VTDPI_QI_TIMEOUT_US + 1000);
}

static void test_qi_wait_late_status_is_waited_for(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 500);
    submit(&t);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EBUSY);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(*rig_status(1), 1);
}

/* The clock stands, the queue does its work, and then a second has passed. */
static void preempt(struct rig *r)
{
    uint32_t *countdown = r->arg;

    if (--*countdown != 0)
        return;
    r->before_now = NULL;
    r->before_relax = NULL;
    vtdpi_model_fetch(&r->m, 2);
    vtdpi_model_complete(&r->m, 2);
    vtdpi_model_advance_clock(&r->m, 10 * VTDPI_QI_TIMEOUT_US);
}

static void test_qi_wait_preempted_caller_gets_no_false_timeout(void **state)
{
    (void)state;
    rig_set_manual(true);
    for (uint32_t when = 1; when < 8; when++) {
        for (int relax = 0; relax < 2; relax++) {
            uint32_t countdown = when;
            struct vtdpi_qi_ticket t;

            rig.arg = &countdown;
            submit(&t);
            if (relax != 0)
                rig.before_relax = preempt;
            else
                rig.before_now = preempt;
            assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
        }
    }
}

static void test_qi_give_up_of_a_completed_one_returns_0(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_set_manual(true);
    submit(&t);
    vtdpi_model_fetch(&rig.m, 2);
    vtdpi_model_complete(&rig.m, 2);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t), 0);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t), 0);
    submit(&t);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t), VTDPI_ETIMEDOUT);
}

/* Slots that were given up. */

static void fill_and_give_up(struct vtdpi_qi_ticket t[127])
{
    for (size_t i = 0; i < 127; i++)
        submit(&t[i]);
    for (size_t i = 0; i < 127; i++)
        assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t[i]), VTDPI_ETIMEDOUT);
}

static void test_qi_submit_given_up_slots_wait_for_head(void **state)
{
    static struct vtdpi_qi_ticket t[127];
    const struct vtdpi_qi_desc d = iec(9);
    struct vtdpi_qi_ticket more;

    (void)state;
    rig_set_manual(true);
    fill_and_give_up(t);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
    /* One slot was free already; one more is enough. */
    vtdpi_model_fetch(&rig.m, 1);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
}

static void test_qi_poll_late_write_for_earlier_owner_is_not_ours(void **state)
{
    static struct vtdpi_qi_ticket t[127];
    struct vtdpi_qi_ticket first;
    struct vtdpi_qi_ticket second;

    (void)state;
    rig_set_manual(true);
    fill_and_give_up(t);
    /* The waits in slots 1 and 3 are fetched, not completed. */
    assert_int_equal(vtdpi_model_fetch(&rig.m, 4), 4);
    submit(&first);  /* slots 254, 255 */
    submit(&second); /* slots 0, 1 */
    assert_int_equal(rig_ring(1, 0) >> 32, 129);
    assert_int_equal(vtdpi_model_complete(&rig.m, 4), 4);
    assert_int_equal(*rig_status(1), 1); /* for the one that gave up */
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &second), VTDPI_EBUSY);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &first), VTDPI_EBUSY);
    rig_set_manual(false);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &first, 0), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &second, 0), 0);
}

/* Interrupts. */

static void interrupt(struct rig *r)
{
    uint32_t *depth = r->arg;
    struct vtdpi_qi_ticket t;

    if (*depth == 0)
        return;
    --*depth;
    submit(&t);
    assert_int_equal(vtdpi_qi_wait(&r->qi, &t, 0), 0);
}

static void test_qi_wait_interrupted_by_another_submitter_works(void **state)
{
    struct vtdpi_qi_ticket t;
    uint32_t depth = 20;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 30);
    rig.arg = &depth;
    rig.before_relax = interrupt;
    submit(&t);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(depth, 0);
    assert_int_equal(rig_counters().iec_index, 21);
}

/* Slow device-TLB invalidations of the host. */

static void submit_device_flush(struct vtdpi_qi_ticket *t, uint64_t type)
{
    const struct vtdpi_qi_desc d = {{type | UINT64_C(0x1234) << 32, 0, 0, 0}};

    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, t), 0);
}

static void test_qi_wait_device_flush_ahead_stops_the_clock(void **state)
{
    struct vtdpi_qi_ticket slow;
    struct vtdpi_qi_ticket t;
    uint64_t begin;

    (void)state;
    rig_set_manual(true);
    submit_device_flush(&slow, 3);
    submit(&t);
    begin = rig_now();
    /* The flush takes ten times the deadline, then all is done at once. */
    rig.qi.device_timeout_us = 50000;
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, 50000, 56000);
    /* Behind: no allowance. */
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &slow), VTDPI_ETIMEDOUT);
    rig_set_manual(false);
    vtdpi_model_tick(&rig.m, 1);
    rig_set_manual(true);
    submit(&t);
    submit_device_flush(&slow, 3);
    begin = rig_now();
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, 5000, 6000);
}

static void finish_after_20ms(struct rig *r)
{
    if (rig_now() < *(uint64_t *)r->arg)
        return;
    r->before_relax = NULL;
    rig_set_manual(false);
}

static void test_qi_wait_device_flush_done_lets_clock_run(void **state)
{
    struct vtdpi_qi_ticket slow;
    struct vtdpi_qi_ticket t;
    uint64_t until;

    (void)state;
    rig_set_manual(true);
    submit_device_flush(&slow, 3);
    submit(&t);
    until = rig_now() + 20000;
    rig.arg = &until;
    rig.before_relax = finish_after_20ms;
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &slow, 0), 0);
    /* Without one ahead, 5 ms is 5 ms. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    submit(&t);
    until = rig_now();
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - until, 5000, 6000);
}

static uint32_t holds;

static uintptr_t count_holds(void *ctx)
{
    holds++;
    return vtdpi_model_platform_ops.lock(ctx);
}

/* The longest ring, full except for a few slots: the search for a flush does not
 * keep interrupts off for the whole ring. */
/* The host's own wait, behind the flush: its data is what our status word of that slot
 * holds since the ring was there before, but it writes elsewhere. Its flush is not
 * done. */
static void test_qi_wait_hosts_own_wait_ahead_is_not_ours(void **state)
{
    const struct vtdpi_qi_desc slow[] = {
        {{3 | UINT64_C(0x1234) << 32, 0, 0, 0}},
        {{0x25 | UINT64_C(1) << 32, PHYS + 0x1ff000, 0, 0}},
    };
    struct vtdpi_qi_ticket ahead;
    struct vtdpi_qi_ticket t;
    uint64_t until;

    (void)state;
    for (unsigned int i = 0; i < 128; i++) {
        submit(&t);
        assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    }
    assert_int_equal(*rig_status(1), 1);
    rig_set_manual(true);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, slow, 2, &ahead), 0);
    assert_int_equal(rig_ring(1, 1), PHYS + 0x1ff000);
    /* Our wait in slot 2 is looked at first. */
    submit(&t);
    until = rig_now() + 20000;
    rig.arg = &until;
    rig.before_relax = finish_after_20ms;
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &ahead, 0), 0);
}

static void test_qi_wait_long_ring_is_searched_in_parts(void **state)
{
    enum {
        MANY = 32000
    };
    static struct vtdpi_qi_desc many[MANY];
    struct vtdpi_qi_params params = rig_qi_params();
    struct vtdpi_qi_ticket full;
    struct vtdpi_qi_ticket slow;
    struct vtdpi_qi_ticket t;
    uint64_t begin;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        many[i] = iec(5);
    params.order = 7;
    rig_power_up(CAP, ECAP);
    rig_open_queue(&params);
    rig_set_manual(true);
    rig.ops.lock = count_holds;
    submit_device_flush(&slow, 3);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, many, MANY, &full), 0);
    submit(&t);
    holds = 0;
    begin = rig_now();
    rig.qi.device_timeout_us = 12000;
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 5000), VTDPI_ETIMEDOUT);
    /* Twice the flush was found, at the far end. */
    assert_in_range(rig_now() - begin, 12000, 16000);
    assert_in_range(holds, 2 * MANY / 100, 2 * MANY / 20);
}

/* Closing. */

static void test_qi_close_drains_what_is_in_flight(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 50);
    submit(&t);
    assert_int_equal(vtdpi_qi_close(&rig.qi, 0), 0);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
    rig_gcmd(0);
    vtdpi_qi_abort(&rig.qi);
}

static void test_qi_close_stuck_queue_then_abort_resolves(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    submit(&a);
    submit(&b);
    assert_int_equal(vtdpi_qi_close(&rig.qi, 1000), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &a), VTDPI_EBUSY);
    rig_gcmd(0);
    rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);
    vtdpi_qi_abort(&rig.qi);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &a), VTDPI_EQOFF);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &b, 0), VTDPI_EQOFF);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EQOFF);
}

/* The unit refuses the wait that close() has submitted. */
static void test_qi_close_tells_of_a_refused_wait(void **state)
{
    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    assert_int_equal(vtdpi_qi_close(&rig.qi, 0), VTDPI_EIQE);
    rig_gcmd(0);
    vtdpi_qi_abort(&rig.qi);
}

/* Off and on again: the ring starts over, the numbers go on. */
static void test_qi_program_again_starts_over(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    submit(&t);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(vtdpi_qi_close(&rig.qi, 0), 0);
    rig_gcmd(0);
    vtdpi_qi_abort(&rig.qi);
    vtdpi_qi_program(&rig.qi);
    rig_gcmd(0x04000000);
    vtdpi_qi_open(&rig.qi);
    submit(&t);
    assert_int_equal(rig_ring(1, 0), 0x0000000300000065);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
}

static void test_qi_report_counts(void **state)
{
    struct vtdpi_qi_stats s;
    struct vtdpi_qi_error e;
    struct vtdpi_qi_ticket t;

    (void)state;
    submit(&t);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    submit(&t);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 100), VTDPI_ETIMEDOUT);
    vtdpi_qi_report(&rig.qi, &s, &e);
    assert_int_equal(s.submissions, 2);
    assert_int_equal(s.given_up, 1);
    assert_int_equal(s.iqe + s.ite + s.ice + s.resubmitted, 0);
    assert_int_equal(e.fsts, 0);
    vtdpi_qi_report(&rig.qi, NULL, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_qi_submit_ring_goes_round),
        TEST(test_qi_submit_unlooked_tickets_keep_no_slots),
        TEST(test_qi_submit_as_many_as_submitters_fit),
        TEST(test_qi_submit_full_ring_never_spins),
        TEST(test_qi_submit_unit_returns_to_a_full_ring),
        TEST(test_qi_wait_stuck_queue_times_out_as_given),
        TEST(test_qi_wait_late_status_is_waited_for),
        TEST(test_qi_wait_preempted_caller_gets_no_false_timeout),
        TEST(test_qi_give_up_of_a_completed_one_returns_0),
        TEST(test_qi_submit_given_up_slots_wait_for_head),
        TEST(test_qi_poll_late_write_for_earlier_owner_is_not_ours),
        TEST(test_qi_wait_interrupted_by_another_submitter_works),
        TEST(test_qi_wait_device_flush_ahead_stops_the_clock),
        TEST(test_qi_wait_device_flush_done_lets_clock_run),
        TEST(test_qi_wait_hosts_own_wait_ahead_is_not_ours),
        TEST(test_qi_wait_long_ring_is_searched_in_parts),
        TEST(test_qi_close_drains_what_is_in_flight),
        TEST(test_qi_close_stuck_queue_then_abort_resolves),
        TEST(test_qi_close_tells_of_a_refused_wait),
        TEST(test_qi_program_again_starts_over),
        TEST(test_qi_report_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
