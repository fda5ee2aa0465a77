/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: a unit that reads as all ones, for good or for one read, while it is
 * enabled, disabled, suspended or resumed. It is never called off unless a read
 * has shown it off, and a later disable finds out.
 */
#include "unit_lives.h"

/* The read that fails: the first is number 1. */
static unsigned int failing;
static unsigned int reads;

static bool fails(void)
{
    return ++reads == failing;
}

static uint32_t read32(void *ctx, uint32_t off)
{
    const uint32_t v = vtdpi_model_platform_ops.read32(ctx, off);

    return fails() ? UINT32_MAX : v;
}

static uint64_t read64(void *ctx, uint32_t off)
{
    const uint64_t v = vtdpi_model_platform_ops.read64(ctx, off);

    return fails() ? UINT64_MAX : v;
}

static void fail_at(unsigned int read)
{
    reads = 0;
    failing = read;
    rig.ops.read32 = read32;
    rig.ops.read64 = read64;
}

/* A unit that is gone for one read of the probe is not taken for a good one. */
static void test_unit_probe_one_read_gone_returns_eio(void **state)
{
    unsigned int read = 0;
    int rc;

    (void)state;
    do {
        rig_power_up(CAP, ECAP);
        fail_at(++read);
        rc = vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW);
        assert_int_equal(rc, reads < read ? 0 : VTDPI_EIO);
    } while (rc != 0);
    assert_true(read > 4);
}

static bool is_off(void)
{
    return (vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000) == 0;
}

/* From whatever the call has left. */
static void assert_can_be_enabled(void)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(&rig.u);

    if (state == VTDPI_UNIT_SUSPENDED)
        assert_int_equal(call_resume(), 0);
    else if (state != VTDPI_UNIT_OFF)
        assert_int_equal(call_disable(), 0);
    if (vtdpi_unit_state(&rig.u) == VTDPI_UNIT_OFF) {
        assert_off();
        assert_int_equal(call_enable(), 0);
    }
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
}

static void test_unit_gone_is_never_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIVES; i++) {
        struct vtdpi_qi_ticket t;

        rig_power_up(CAP, ECAP);
        probe();
        lives[i].begin();
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
        rig_clear_trace();
        assert_int_equal(lives[i].call(), VTDPI_EIO);
        assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_GONE);
        assert_int_equal(rig_count(true, 0x18), 0);
        assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), VTDPI_EQOFF);
        assert_int_equal(call_disable(), VTDPI_EIO);
        assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_GONE);
        vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES);
        assert_can_be_enabled();
        rig_assert_clean();
    }
}

/* A submission is in flight when the unit goes. */
static void test_unit_gone_resolves_tickets(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    probe();
    begin_on();
    rig_set_manual(true);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(call_disable(), VTDPI_EIO);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), VTDPI_EQOFF);
    assert_int_equal(vtdpi_unit_drain(&rig.u), VTDPI_EIO);
}

/* What a read of all ones gave is not written back. */
static void assert_irta_writes(void)
{
    for (uint32_t i = 0; i < rig.traced; i++) {
        if (rig.trace[i].write && rig.trace[i].off == 0xb8)
            assert_int_equal(rig.trace[i].value & ~UINT64_C(0x800), TABLE | 7);
    }
}

/* Returns whether the call makes that many reads. */
static bool expect_one_read_failing(const struct life *life, unsigned int read)
{
    enum vtdpi_unit_state state;
    int rc;

    rig_power_up(CAP, ECAP);
    probe();
    life->begin();
    /* So late that waits look at the registers. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 5);
    fail_at(read);
    rc = life->call();
    failing = 0;
    state = vtdpi_unit_state(&rig.u);
    if (state == VTDPI_UNIT_OFF || state == VTDPI_UNIT_SUSPENDED)
        assert_true(is_off());
    else if (state != VTDPI_UNIT_ON)
        assert_int_equal(state, VTDPI_UNIT_GONE);
    if (rc == 0)
        assert_int_not_equal(state, VTDPI_UNIT_GONE);
    if (life->call == call_disable || life->call == call_suspend)
        assert_int_equal(state == VTDPI_UNIT_GONE, rc == VTDPI_EIO);
    assert_can_be_enabled();
    assert_irta_writes();
    /* A queue that was not drained breaks a rule, and nothing else does. */
    if (vtdpi_model_violations(&rig.m) != 0)
        rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);
    return reads >= read;
}

static void test_unit_one_read_of_all_ones_at_every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIVES; i++) {
        unsigned int read = 1;

        while (expect_one_read_failing(&lives[i], read))
            read++;
        assert_true(read > 5);
    }
}

/* With DMA translation on the queue is kept over a suspend: a resume reads whether it
 * is still as it was left, and a unit that is gone at that moment is not foreign. */
static void test_resume_one_read_of_the_kept_queue_gone(void **state)
{
    unsigned int refused = 0;
    unsigned int read = 0;
    int rc;

    (void)state;
    do {
        rig_power_up(CAP, ECAP);
        probe();
        begin_on();
        assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
        assert_int_equal(call_suspend(), 0);
        fail_at(++read);
        rc = call_resume();
        failing = 0;
        if (rc != 0) {
            assert_int_equal(rc, VTDPI_EIO);
            refused++;
        }
        assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
        assert_can_be_enabled();
    } while (reads >= read);
    assert_true(refused > 4); /* GSTS, IQA, IQT and IQH, and a command */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unit_probe_one_read_gone_returns_eio),
        TEST(test_unit_gone_is_never_off),
        TEST(test_unit_gone_resolves_tickets),
        TEST(test_unit_one_read_of_all_ones_at_every_place),
        TEST(test_resume_one_read_of_the_kept_queue_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
