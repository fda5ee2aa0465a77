/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: commands that take effect after their deadline, or never. None is
 * written over another that may still be executing, but by a call of the host's
 * that follows.
 */
#include "unit_fixture.h"

#define RWBF UINT64_C(0x10)

/* IRE takes effect only after its deadline, but within a second one. */
static void delay_ire(struct rig *r, uint32_t off, uint64_t value)
{
    if (off != 0x18)
        return;
    /* Not clear_fault(): it would complete the command that is pending. */
    vtdpi_model_set_fault(&r->m, VTDPI_MODEL_FAULT_GSTS_LATE,
                          (value & 0x02000000) != 0 ? 45000 : 0);
}

static void test_unit_enable_ire_later_than_deadline_ends_off(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    probe();
    rig.before_write = delay_ire;
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x02000000);
    assert_off();
    vtdpi_model_tick(&rig.m, 100000);
    assert_off();
}

/* So late is the command of the test only. */
static void delay_more(struct rig *r, uint32_t off, uint64_t value)
{
    const uint32_t *bit = r->arg;

    if (off == 0x18)
        vtdpi_model_set_fault(&r->m, VTDPI_MODEL_FAULT_GSTS_LATE,
                              (value & *bit) != 0 ? 400000 : 0);
}

/* The command is not done within a second deadline either. It may still be executing,
 * whatever GSTS shows, so nothing is written over it. @p writes: how often GCMD is
 * written, that command included. */
static void expect_later_than_two_deadlines(uint32_t bit, uint32_t writes)
{
    const struct vtdpi_unit_config c = rig_config();
    uint64_t begin;

    rig_power_up(CAP | RWBF, ECAP);
    probe();
    rig.before_write = delay_more;
    rig.arg = &bit;
    begin = rig_now();
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, 2 * VTDPI_CMD_TIMEOUT_US,
                    2 * VTDPI_CMD_TIMEOUT_US + 10000);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), bit);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    /* A command of the host is not written either. */
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true),
                     VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), bit);
    assert_int_equal(rig_count(true, 0x18), writes);
    rig_assert_clean();

    vtdpi_model_tick(&rig.m, 400000); /* done at last */
    rig.before_write = NULL;
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
    rig_assert_clean();
}

static void
test_unit_enable_later_than_two_deadlines_is_not_written_over(void **state)
{
    (void)state;
    expect_later_than_two_deadlines(0x04000000, 1); /* QIE */
    expect_later_than_two_deadlines(0x08000000, 2); /* WBF */
    expect_later_than_two_deadlines(0x01000000, 3); /* SIRTP */
    expect_later_than_two_deadlines(0x02000000, 4); /* IRE */
}

/* A command that never ends: disable gives it one more deadline, then writes its own
 * command. */
static void test_unit_disable_takes_a_command_for_lost(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    uint32_t bit = 0x08000000;

    (void)state;
    rig_power_up(CAP | RWBF, ECAP);
    probe();
    rig.before_write = delay_more;
    rig.arg = &bit;
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE, UINT32_MAX);
    rig.before_write = NULL;
    rig_assert_clean();
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    rig_assert_violation(VTDPI_MODEL_COMMAND_PENDING);
    vtdpi_model_clear_violations(&rig.m);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
}

/* A SIRTP that is lost. */
static void lose_sirtp(struct rig *r, uint32_t off, uint64_t value)
{
    if (off != 0x18 || (value & 0x01000000) == 0)
        return;
    r->m.gsts &= ~UINT32_C(0x01000000); /* of the SIRTP before */
    vtdpi_model_set_fault(&r->m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x01000000);
}

/* The SIRTP that clears EIME is lost: the next disable issues it again. */
static void test_unit_disable_again_clears_eime(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    probe();
    assert_int_equal(enable(&c), 0);
    rig.before_write = lose_sirtp;
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_model_latched_irta(&rig.m) & 0x800, 0x800);
    rig.before_write = NULL;
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    vtdpi_model_set_clock_step(&rig.m, 5000); /* few polls in a deadline */
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(rig_count(true, 0xb8), 1);
    assert_int_equal(rig_count(true, 0x18), 2); /* SIRTP, QIE off */
    assert_off();
}

/* The next command with @p bit is executed when the fault mode is cleared. */
static void put_aside(uint32_t bit)
{
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_COMMAND_LATE,
                          VTDPI_MODEL_LATE(bit, VTDPI_MODEL_NEVER));
}

static void execute_now(void)
{
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_COMMAND_LATE);
}

/* A command that switches on was taken for lost by disable, and is executed after
 * all: @p call refuses the unit, and take_over goes on. */
static void expect_on_after_off(uint32_t bit,
                                int (*call)(struct vtdpi_unit *,
                                            const struct vtdpi_unit_config *))
{
    struct vtdpi_unit_config c = rig_config();

    rig_power_up(CAP, ECAP);
    probe();
    put_aside(bit);
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), bit);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
    vtdpi_model_clear_violations(&rig.m); /* written over what was lost */
    execute_now();
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, bit);

    rig_clear_trace();
    assert_int_equal(call(&rig.u, &c), VTDPI_EFOREIGN);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FOREIGN);
    assert_int_equal(rig_count(true, 0x18), 0);
    c.take_over = true;
    assert_int_equal(enable(&c), 0);
    rig_assert_clean();
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
}

static void test_unit_off_comes_on_late_is_foreign(void **state)
{
    (void)state;
    expect_on_after_off(0x04000000, vtdpi_unit_enable); /* QIE */
    expect_on_after_off(0x04000000, vtdpi_unit_open_queue);
    expect_on_after_off(0x02000000, vtdpi_unit_enable); /* IRE */
    expect_on_after_off(0x02000000, vtdpi_unit_open_queue);
}

static void assert_probes_clean(void)
{
    const struct vtdpi_unit_config c = rig_config();

    assert_int_equal(rig_leave(&rig.u), 0);
    probe();
    assert_int_equal(enable(&c), 0);
    rig_assert_clean();
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
}

/* A command of the host on a unit that is OFF is late: the same call tells when
 * it is done, and nothing is written over it after the probe. */
static void test_unit_command_again_before_probe(void **state)
{
    (void)state;
    probe();
    put_aside(0x40000000); /* SRTP */
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true),
                     VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true),
                     VTDPI_ETIMEDOUT);
    assert_int_equal(rig_count(true, 0x18), 1);
    execute_now();
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_probes_clean();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unit_enable_ire_later_than_deadline_ends_off),
        TEST(test_unit_enable_later_than_two_deadlines_is_not_written_over),
        TEST(test_unit_disable_takes_a_command_for_lost),
        TEST(test_unit_disable_again_clears_eime),
        TEST(test_unit_off_comes_on_late_is_foreign),
        TEST(test_unit_command_again_before_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
