/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: a unit vanishes at any step of a call and returns as it was or after a
 * reset. It is never called off or on unless it is, and can be used again.
 */
#include "unit_lives.h"

/* At which step of the call the unit vanishes; the first is number 1. */
static unsigned int vanish_at;
static unsigned int steps;

static void vanish_at_step(void *ctx, struct vtdpi_model *m,
                           enum vtdpi_model_step kind)
{
    (void)ctx;
    (void)kind;
    if (++steps == vanish_at)
        vtdpi_model_vanish(m);
}

static void (*const returns[])(struct vtdpi_model *m) = {
    vtdpi_model_return_kept,
    vtdpi_model_return_reset,
};

#define RETURNS (sizeof(returns) / sizeof(returns[0]))

/* The state does not claim what the registers deny. A unit that vanished after
 * the last read of a call that succeeded is ON, and nobody can know better. */
static void assert_not_called_off(bool reset)
{
    if (vtdpi_unit_state(&rig.u) != VTDPI_UNIT_ON || !reset)
        assert_state_is_true();
}

/* Returns whether the call has that many steps. */
static bool expect_vanishing(const struct life *life, size_t how,
                             unsigned int step)
{
    const bool reset = how != 0;
    int rc;

    rig_power_up(CAP, ECAP);
    probe();
    life->begin();
    steps = 0;
    vanish_at = step;
    vtdpi_model_set_step_hook(&rig.m, vanish_at_step);
    rc = life->call();
    vtdpi_model_set_step_hook(&rig.m, NULL);
    if (steps < step)
        return false;
    if (vtdpi_unit_state(&rig.u) == VTDPI_UNIT_GONE)
        assert_int_equal(rc, VTDPI_EIO);
    returns[how](&rig.m);
    assert_not_called_off(reset);
    if (vtdpi_unit_state(&rig.u) != VTDPI_UNIT_OFF &&
        vtdpi_unit_state(&rig.u) != VTDPI_UNIT_SUSPENDED) {
        (void)call_disable();
        assert_int_not_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_GONE);
        assert_state_is_true();
    }
    assert_lives_on();
    /* A unit that was not drained when the queue goes off breaks a rule. */
    if (vtdpi_model_violations(&rig.m) != 0)
        rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);
    return true;
}

static void test_unit_vanishes_at_every_step_and_returns(void **state)
{
    (void)state;
    for (size_t how = 0; how < RETURNS; how++) {
        for (size_t i = 0; i < LIVES; i++) {
            unsigned int step = 1;

            while (expect_vanishing(&lives[i], how, step))
                step++;
            assert_true(step > 10);
        }
    }
}

/* S3: the unit loses what it had. */
static void test_suspended_unit_is_reset_and_resumes(void **state)
{
    (void)state;
    probe();
    begin_suspended();
    vtdpi_model_vanish(&rig.m);
    vtdpi_model_return_reset(&rig.m);
    assert_int_equal(fire(), VTDPI_MODEL_PASSED);
    assert_int_equal(call_resume(), 0);
    assert_state_is_true();
    assert_int_equal(fire(), VTDPI_MODEL_REMAPPED);
}

/* A reset that nobody has announced: the next disable reads what is so. */
static void test_unit_that_was_reset_behind_our_back_is_read(void **state)
{
    (void)state;
    probe();
    begin_on();
    assert_int_equal(fire(), VTDPI_MODEL_REMAPPED);
    vtdpi_model_return_reset(&rig.m);
    assert_int_equal(fire(), VTDPI_MODEL_PASSED);
    (void)call_disable();
    assert_state_is_true();
    assert_lives_on();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unit_vanishes_at_every_step_and_returns),
        TEST(test_suspended_unit_is_reset_and_resumes),
        TEST(test_unit_that_was_reset_behind_our_back_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
