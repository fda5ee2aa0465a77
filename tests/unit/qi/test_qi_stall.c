/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h: a queue that stands still costs one deadline, not one for each wait, and
 * one late answer heals it.
 */
#include "qi_open_fixture.h"

/* Submits and waits; returns how long that took. */
static uint64_t flush(int code)
{
    struct vtdpi_qi_ticket t;
    uint64_t begin;

    submit(&t);
    begin = rig_now();
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), code);
    return rig_now() - begin;
}

static void stick(bool on)
{
    if (on)
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    else
        vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK);
}

#define AT_ONCE (VTDPI_QI_TIMEOUT_US / 100)

static void test_stall_costs_one_deadline(void **state)
{
    (void)state;
    stick(true);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    rig_clear_trace();
    for (int i = 0; i < 50; i++)
        assert_true(flush(VTDPI_ETIMEDOUT) < AT_ONCE);
    assert_int_equal(rig_count(false, 0x80), 0);
    assert_int_equal(rig_count(false, 0x34), 50); /* a poll each */

    /* IQH is read again after a deadline, once. */
    vtdpi_model_advance_clock(&rig.m, VTDPI_QI_TIMEOUT_US);
    rig_clear_trace();
    for (int i = 0; i < 50; i++)
        assert_true(flush(VTDPI_ETIMEDOUT) < AT_ONCE);
    assert_int_equal(rig_count(false, 0x80), 1);
    stick(false);
}

/* The unit goes on and executes what it has. */
static void test_stall_is_healed_by_one_late_answer(void **state)
{
    (void)state;
    stick(true);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    stick(false);
    vtdpi_model_write64(&rig.m, 0x88, 0x20); /* as it is: the model goes on */
    rig_clear_trace();
    /* Healed, so a slow answer is waited for. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 2000);
    assert_true(flush(0) > AT_ONCE);
    assert_int_equal(rig_count(false, 0x80), 0);
}

/* The status word of the wait is lost; the head says that the unit goes on. */
static void test_stall_is_healed_by_the_head(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    submit(&t);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 2000);
    assert_true(flush(VTDPI_ETIMEDOUT) < AT_ONCE);
    vtdpi_model_advance_clock(&rig.m, VTDPI_QI_TIMEOUT_US);
    assert_true(flush(0) > AT_ONCE);
    assert_int_not_equal(vtdpi_qi_give_up(&rig.qi, &t), 0);
}

/* A caller that is in a hurry says nothing of the queue. */
static void test_stall_is_not_a_short_deadline(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    stick(true);
    submit(&t);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 10), VTDPI_ETIMEDOUT);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    stick(false);
}

/* The queue stood still because of an error that was repaired since. */
static void test_stall_ends_with_a_recovery(void **state)
{
    (void)state;
    stick(true);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    rig.m.fsts |= 0x20; /* ICE: no descriptor is replaced */
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EICE);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    stick(false);
}

/* And if the first wait that is told so repairs it. */
static void test_stall_ends_with_a_recovery_by_the_wait(void **state)
{
    (void)state;
    stick(true);
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    rig.m.fsts |= 0x20; /* ICE: no descriptor is replaced */
    assert_true(flush(VTDPI_ETIMEDOUT) >= VTDPI_QI_TIMEOUT_US);
    stick(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stall_costs_one_deadline),
        TEST(test_stall_is_healed_by_one_late_answer),
        TEST(test_stall_is_healed_by_the_head),
        TEST(test_stall_is_not_a_short_deadline),
        TEST(test_stall_ends_with_a_recovery),
        TEST(test_stall_ends_with_a_recovery_by_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
