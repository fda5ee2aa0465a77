/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: a unit that another kernel left remapping is adopted, with devices
 * that go on interrupting; and a life on a unit of version 6.
 */
#include "unit_rig.h"

enum {
    INDEX = 3,
    SID = 0x0310,
    OLD_TABLE_AT = TABLE_AT + 0x80000
};

/* Vector 51h to x2APIC id 103h, source 03:02.0, exact. */
static const uint64_t entry[2] = {UINT64_C(0x0000010300510001),
                                  UINT64_C(0x0000000000040310)};

static struct vtdpi_unit old_owner;
static unsigned int raised;

/* The other kernel's unit: a table of 2^4 entries, one of them in use, and in
 * the entry cache. */
static int setup(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    raised = 0;
    rig_power_up(CAP, ECAP);
    c.qi.ring = rig_mem + RING_AT + 0x10000;
    c.qi.ring_phys += 0x10000;
    assert_int_equal(vtdpi_unit_probe(&old_owner, &rig.ops, &rig.m, RIG_WINDOW),
                     0);
    rig_join(&old_owner, OLD_TABLE_AT, 4, VTDPI_X2APIC);
    memcpy(rig_mem + OLD_TABLE_AT + INDEX * 16, entry, sizeof(entry));
    assert_int_equal(vtdpi_unit_enable(&old_owner, &c), 0);
    rig_probe();
    rig_clear_trace();
    return 0;
}

static struct vtdpi_model_result raise_msi(void)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&rig.m, SID,
                          UINT64_C(0xfee00010) | (uint64_t)INDEX << 5, 0, &r);
    return r;
}

static void raise_before_write(struct rig *r, uint32_t off, uint64_t value)
{
    (void)r;
    (void)off;
    (void)value;
    raised++;
    assert_int_equal(raise_msi().outcome, VTDPI_MODEL_REMAPPED);
}

/* A table of ours, with the same entry; what adopting needs. */
static struct vtdpi_unit_config adopting_with(uint32_t at, unsigned int order,
                                              enum vtdpi_apic_mode mode)
{
    struct vtdpi_unit_config c = rig_config();

    rig_join(&rig.u, at, order, mode);
    memcpy(rig_mem + at + INDEX * 16, entry, sizeof(entry));
    c.adopt = true;
    return c;
}

static struct vtdpi_unit_config adopting(void)
{
    return adopting_with(TABLE_AT, 4, VTDPI_X2APIC);
}

static void assert_works(void)
{
    struct vtdpi_qi_ticket t;

    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
}

/* The queue was off for a moment with remapping on, once, which the model points
 * out: there is no other way to give the unit another ring. */
static void assert_queue_exchanged(void)
{
    const struct vtdpi_model_violation v = vtdpi_model_first_violation(&rig.m);

    rig_assert_violation(VTDPI_MODEL_COMMAND_ORDER);
    assert_int_equal(v.value, 0x04000000);
    assert_int_equal(vtdpi_model_violations(&rig.m), 1);
    vtdpi_model_clear_violations(&rig.m);
}

static void test_adopt_never_stops_remapping(void **state)
{
    const struct vtdpi_unit_config c = adopting();
    const struct access want[] = {
        {true, 0x18, 0x02000000},    {true, 0x88, 0},
        {true, 0x90, RING},          {true, 0x18, 0x06000000},
        {true, 0xb8, TABLE | 0x803}, {true, 0x18, 0x07000000},
        {true, 0x88, 0x20},
    };

    (void)state;
    rig.before_write = raise_before_write;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig.before_write = NULL;
    assert_queue_exchanged();
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(raised, 7);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
    assert_int_equal(vtdpi_model_latched_irta(&rig.m), TABLE | 0x803);
    assert_works();
}

/* Nothing that was cached from the old table is used. */
static void test_adopt_drops_the_cache(void **state)
{
    const struct vtdpi_unit_config c = adopting();
    const uint64_t other = UINT64_C(0x0000010300610001);

    (void)state;
    assert_int_equal(raise_msi().vector, 0x51);
    memcpy(rig_mem + TABLE_AT + INDEX * 16, &other, sizeof(other));
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_queue_exchanged();
    assert_int_equal(raise_msi().vector, 0x61);
}

static void test_adopt_the_very_same_table(void **state)
{
    const struct vtdpi_unit_config c =
        adopting_with(OLD_TABLE_AT, 4, VTDPI_X2APIC);

    (void)state;
    rig.before_write = raise_before_write;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig.before_write = NULL;
    assert_queue_exchanged();
    assert_works();
}

/* Requests in devices would mean something else. */
static void test_adopt_other_size_or_mode_is_taken_down_or_refused(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct vtdpi_unit_config c;

        (void)setup(state);
        c = i == 0 ? adopting_with(TABLE_AT, 5, VTDPI_X2APIC)
                   : adopting_with(TABLE_AT, 4, VTDPI_XAPIC);
        assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_EFOREIGN);
        assert_int_equal(rig_count(true, 0x18), 0);
        c.take_over = true;
        assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
        assert_int_equal(vtdpi_model_latched_irta(&rig.m),
                         i == 0 ? (TABLE | 0x804) : (TABLE | 3));
        assert_works();
    }
}

/* IRE is switched off first: GCMD is written as 04000000h before all else. */
static void test_adopt_not_asked_for_takes_down(void **state)
{
    struct vtdpi_unit_config c = adopting();

    (void)state;
    c.adopt = false;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_EFOREIGN);
    c.take_over = true;
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    for (uint32_t i = 0; i < rig.traced; i++) {
        if (!rig.trace[i].write)
            continue;
        assert_int_equal(rig.trace[i].off, 0x18);
        assert_int_equal(rig.trace[i].value, 0x04000000);
        break;
    }
}

static void test_adopt_only_a_queue_is_refused(void **state)
{
    struct vtdpi_unit_config c;

    (void)state;
    rig_power_up(CAP, ECAP);
    rig_gcmd(0x04000000);
    rig_probe();
    c = adopting();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_EFOREIGN);
    /* Even with a table that would fit, but is not in use. */
    vtdpi_model_write64(&rig.m, 0xb8, (PHYS + OLD_TABLE_AT) | 0x803);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_EFOREIGN);
}

static void test_adopt_failure_ends_off(void **state)
{
    const struct vtdpi_unit_config c = adopting();

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_ETIMEDOUT);
    assert_queue_exchanged();
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0);
}

/* Their queue does not go off under a unit that is remapping. */
static void test_adopt_queue_stuck_is_failed(void **state)
{
    const struct vtdpi_unit_config c = adopting();

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x04000000);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
}

/* Remapping is off in state QUEUE, so it cannot be adopted there. */
static void test_open_queue_never_adopts(void **state)
{
    struct vtdpi_unit_config c = adopting();

    (void)state;
    assert_int_equal(vtdpi_unit_open_queue(&rig.u, &c), VTDPI_EFOREIGN);
    c.take_over = true;
    assert_int_equal(vtdpi_unit_open_queue(&rig.u, &c), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_QUEUE);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0x04000000);
    assert_works();
}

/* What firmware left on the way is not what we adopted once. */
static void test_resume_never_adopts(void **state)
{
    struct vtdpi_unit_config c = adopting();
    struct vtdpi_unit_config theirs;

    (void)state;
    c.take_over = true;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_queue_exchanged();
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    theirs = *vtdpi_unit_last_config(&old_owner);
    assert_int_equal(vtdpi_unit_probe(&old_owner, &rig.ops, &rig.m, RIG_WINDOW),
                     0);
    rig_join(&old_owner, OLD_TABLE_AT, 4, VTDPI_X2APIC);
    assert_int_equal(vtdpi_unit_enable(&old_owner, &theirs), 0);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_int_equal(rig_count(true, 0x18), 5); /* IRE, QIE, QIE, SIRTP, IRE */
    assert_works();
}

/* Version 6 and later: no register-based invalidation. The model objects to
 * any; here is the whole life of a unit, and no access to CCMD. */
static void test_version_6_lives_without_register_invalidation(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    rig_power_up(CAP, ECAP);
    rig.params.ver = 0x60;
    assert_int_equal(vtdpi_model_init(&rig.m, &rig.params), 0);
    rig_probe();
    assert_int_equal(vtdpi_unit_caps(&rig.u)->version_major, 6);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_works();
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(rig_count(true, 0x28) + rig_count(false, 0x28), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_adopt_never_stops_remapping),
        TEST(test_adopt_drops_the_cache),
        TEST(test_adopt_the_very_same_table),
        TEST(test_adopt_other_size_or_mode_is_taken_down_or_refused),
        TEST(test_adopt_not_asked_for_takes_down),
        TEST(test_adopt_only_a_queue_is_refused),
        TEST(test_adopt_failure_ends_off),
        TEST(test_adopt_queue_stuck_is_failed),
        TEST(test_open_queue_never_adopts),
        TEST(test_resume_never_adopts),
        TEST(test_version_6_lives_without_register_invalidation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
