/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: each command of each call is executed late: within the deadline after its
 * own, after the call, or in the middle of the disable that follows. States are
 * true whenever a call returns, and no state is a dead end.
 */
#include "unit_lives.h"

#define DEADLINE VTDPI_CMD_TIMEOUT_US
#define NEVER    VTDPI_MODEL_NEVER

/* The write of GCMD in the call whose command is late; the first is number 1. */
static unsigned int late_write;
static unsigned int writes;
static uint32_t late_us;

static void delay_nth(struct rig *r, uint32_t off, uint64_t value)
{
    (void)value;
    if (off == 0x18 && ++writes == late_write)
        vtdpi_model_set_fault(&r->m, VTDPI_MODEL_FAULT_COMMAND_LATE,
                              VTDPI_MODEL_LATE(UINT32_MAX, late_us));
}

/* One call with its command number @p nth late. Returns whether it had so many. */
static bool call_with_late(const struct life *life, unsigned int nth,
                           uint32_t us)
{
    rig_power_up(CAP | 0x10, ECAP); /* RWBF */
    rig_gcmd(0x00800000);           /* firmware has left CFIS set */
    probe();
    life->begin();
    late_write = nth;
    late_us = us;
    writes = 0;
    rig.before_write = delay_nth;
    (void)life->call();
    rig.before_write = NULL;
    assert_state_is_true();
    return writes >= nth;
}

/* Everything that is late is executed. */
static void execute_late(void)
{
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_COMMAND_LATE);
}

/* Within the deadline that the next command gives it: nothing is written over
 * it, and what the call says holds for good. */
static void test_late_within_two_deadlines_is_awaited(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIVES; i++) {
        unsigned int n = 1;

        while (call_with_late(&lives[i], n, DEADLINE * 3 / 2)) {
            rig_assert_clean();
            execute_late();
            assert_state_is_true();
            assert_lives_on();
            rig_assert_clean();
            n++;
        }
        assert_true(n > 3);
    }
}

/* After the call: the host has an error, or the state does not depend on it. */
static void test_late_after_the_call_is_no_surprise(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIVES; i++) {
        unsigned int n = 1;

        while (call_with_late(&lives[i], n, NEVER)) {
            rig_assert_clean();
            execute_late();
            assert_state_is_true();
            assert_lives_on();
            rig_assert_clean();
            n++;
        }
        assert_true(n > 3);
    }
}

static uint64_t execute_at;

static void execute_when_due(struct rig *r)
{
    (void)r;
    if (rig_now() >= execute_at)
        execute_late();
}

/* From whatever the call has left; what is late is executed @p us later. */
static void disable_if_not_off(uint64_t us)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(&rig.u);

    execute_at = rig_now() + us;
    rig.before_now = execute_when_due;
    if (state != VTDPI_UNIT_OFF && state != VTDPI_UNIT_SUSPENDED)
        assert_int_equal(call_disable(), 0);
    rig.before_now = NULL;
    assert_state_is_true();
    /* Nothing was written over it, unless enable has given it up already: with
     * EIME set nobody needs CFI to go off. */
    if (state == VTDPI_UNIT_FAILED)
        rig_assert_clean();
    vtdpi_model_clear_violations(&rig.m);
}

/* In the middle of the disable that follows, which gives it one more deadline. */
static void test_late_within_the_next_disable_is_awaited(void **state)
{
    (void)state;
    for (uint64_t us = 0; us < DEADLINE; us += DEADLINE / 4) {
        for (size_t i = 0; i < LIVES; i++) {
            unsigned int n = 1;

            while (call_with_late(&lives[i], n, NEVER)) {
                disable_if_not_off(us);
                execute_late();
                assert_state_is_true();
                assert_lives_on();
                rig_assert_clean();
                n++;
            }
            assert_true(n > 3);
        }
    }
}

/* After register read number reads_left from execute_at on. */
static unsigned int reads_left;

static void execute_at_read(void *ctx, struct vtdpi_model *m,
                            enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind != VTDPI_MODEL_STEP_READ || reads_left == 0 ||
        rig_now() < execute_at)
        return;
    if (--reads_left == 0)
        vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_COMMAND_LATE);
}

/* The command is executed after disable has given it up. Returns false if disable
 * had returned by then. */
static bool disable_with_late_at_read(unsigned int nth)
{
    uint64_t gsts;

    execute_at = rig_now() + DEADLINE;
    reads_left = nth;
    vtdpi_model_set_step_hook(&rig.m, execute_at_read);
    (void)call_disable();
    vtdpi_model_set_step_hook(&rig.m, NULL);
    assert_state_is_true();
    gsts = vtdpi_model_peek(&rig.m, 0x1c);
    execute_late();
    return reads_left == 0 && vtdpi_model_peek(&rig.m, 0x1c) == gsts;
}

/* What was given up is executed on the way to off: a last read finds it. */
static void test_late_within_disable_that_gave_it_up_is_found(void **state)
{
    unsigned int found = 0;

    (void)state;
    for (size_t i = 0; i < LIVES; i++) {
        for (unsigned int n = 1; call_with_late(&lives[i], n, NEVER); n++) {
            for (unsigned int read = 1;
                 vtdpi_unit_state(&rig.u) == VTDPI_UNIT_FAILED &&
                 disable_with_late_at_read(read);
                 read++) {
                found += vtdpi_unit_state(&rig.u) == VTDPI_UNIT_FAILED;
                assert_lives_on();
                vtdpi_model_clear_violations(&rig.m);
                (void)call_with_late(&lives[i], n, NEVER);
            }
        }
    }
    assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_within_two_deadlines_is_awaited),
        cmocka_unit_test(test_late_after_the_call_is_no_surprise),
        cmocka_unit_test(test_late_within_the_next_disable_is_awaited),
        cmocka_unit_test(test_late_within_disable_that_gave_it_up_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
