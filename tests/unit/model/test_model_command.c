/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

static void test_gcmd_sticky_bits_follow_and_stay(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 0x80000000); /* TE */
    assert_int_equal(rig_gsts(rig), 0x80000000);
    vtdpi_model_write32(&rig->m, 0x18, 0x84000000); /* + QIE */
    assert_int_equal(rig_gsts(rig), 0x84000000);
    vtdpi_model_write32(&rig->m, 0x18, 0x84800000); /* + CFI */
    assert_int_equal(rig_gsts(rig), 0x84800000);
    vtdpi_model_write32(&rig->m, 0x18, 0x84000000); /* - CFI */
    assert_int_equal(rig_gsts(rig), 0x84000000);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000); /* - QIE */
    assert_int_equal(rig_gsts(rig), 0x80000000);
    rig_expect_none(rig);
}

static void test_gcmd_one_shot_status_stays_without_its_bit(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x20, 0x7000);
    assert_int_equal(vtdpi_model_latched_rtaddr(&rig->m), 0);
    vtdpi_model_write32(&rig->m, 0x18, 0x40000000); /* SRTP */
    assert_int_equal(rig_gsts(rig), 0x40000000);
    assert_int_equal(vtdpi_model_latched_rtaddr(&rig->m), 0x7000);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000); /* TE, no echo of RTPS */
    assert_int_equal(rig_gsts(rig), 0xc0000000);
    vtdpi_model_write64(&rig->m, 0x20, 0x8000);
    assert_int_equal(vtdpi_model_latched_rtaddr(&rig->m), 0x7000);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x20), 0x8000);
    rig_expect_none(rig);
}

static void test_gcmd_two_changes_are_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 0x84000000);
    rig_expect(rig, VTDPI_MODEL_MULTI_COMMAND, 0x18);
    assert_int_equal(rig_gsts(rig), 0x84000000);
    vtdpi_model_write32(&rig->m, 0x18, 0); /* Both off at once, too. */
    rig_expect(rig, VTDPI_MODEL_MULTI_COMMAND, 0x18);
}

static void test_gcmd_one_shot_echo_is_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 0x40000000);
    rig_expect_none(rig);
    vtdpi_model_write32(&rig->m, 0x18, 0x44000000); /* QIE with RTPS echoed */
    rig_expect(rig, VTDPI_MODEL_ONE_SHOT_ECHO, 0x18);
    vtdpi_model_write32(&rig->m, 0x18, 0x44000000); /* SRTP again, on purpose */
    rig_expect_none(rig);
}

static void test_gcmd_reserved_bits_are_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 0x00000001);
    rig_expect(rig, VTDPI_MODEL_RESERVED_BITS, 0x18);
    vtdpi_model_write32(&rig->m, 0x18, 0x00400000);
    rig_expect(rig, VTDPI_MODEL_RESERVED_BITS, 0x18);
    assert_int_equal(rig_gsts(rig), 0);
}

static void test_gcmd_unsupported_is_refused(void **state)
{
    static const struct {
        uint64_t cap;
        uint64_t ecap;
        uint32_t command;
    } t[] = {
        {RIG_CAP, RIG_ECAP & ~2ull, 0x04000000}, /* QIE without QI */
        {RIG_CAP, RIG_ECAP & ~8ull, 0x02000000}, /* IRE without IR */
        {RIG_CAP, RIG_ECAP & ~8ull, 0x01000000}, /* SIRTP */
        {RIG_CAP, RIG_ECAP & ~8ull, 0x00800000}, /* CFI */
        {RIG_CAP, RIG_ECAP, 0x20000000},         /* SFL without AFL */
        {RIG_CAP, RIG_ECAP, 0x10000000},         /* EAFL */
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        rig->params.cap = t[i].cap;
        rig->params.ecap = t[i].ecap;
        rig_reset(rig);
        vtdpi_model_write32(&rig->m, 0x18, t[i].command);
        rig_expect(rig, VTDPI_MODEL_UNSUPPORTED, 0x18);
        assert_int_equal(rig_gsts(rig), 0);
    }
    rig->params.cap = RIG_CAP | 8; /* AFL */
    rig_reset(rig);
    vtdpi_model_write32(&rig->m, 0x18, 0x10000000);
    assert_int_equal(rig_gsts(rig), 0x10000000);
    rig_expect_none(rig);
}

static void test_gcmd_wbf_status_is_progress(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 0x08000000);
    assert_int_equal(rig_gsts(rig), 0);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE, 3);
    vtdpi_model_write32(&rig->m, 0x18, 0x08000000);
    assert_int_equal(rig_gsts(rig), 0x08000000);
    assert_int_equal(rig_gsts(rig), 0x08000000);
    assert_int_equal(rig_gsts(rig), 0);
    rig_expect_none(rig);
}

static void test_gcmd_sirtp_latches_irta(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0xb8, 0x500008807);
    assert_int_equal(vtdpi_model_latched_irta(&rig->m), 0);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    assert_true(vtdpi_model_latched_irta(&rig->m) == 0x500008807);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500009007);
    assert_true(vtdpi_model_latched_irta(&rig->m) == 0x500008807);
    assert_true(vtdpi_model_read64(&rig->m, 0xb8) == 0x500009007);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    assert_true(vtdpi_model_latched_irta(&rig->m) == 0x500009007);
    rig_expect_none(rig);
}

static void test_gcmd_sirtp_misaligned_table_is_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0xb8, 0x500009008); /* 512 entries, 8 KiB */
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    rig_expect(rig, VTDPI_MODEL_TABLE_ALIGNMENT, 0xb8);
    vtdpi_model_write64(&rig->m, 0xb8, 0x50000a008);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    rig_expect_none(rig);
}

static void test_irta_eime_without_eim_is_violation(void **state)
{
    struct rig *rig = *state;

    rig->params.ecap = RIG_ECAP & ~0x10ull;
    rig_reset(rig);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008807);
    rig_expect(rig, VTDPI_MODEL_UNSUPPORTED, 0xb8);
    assert_true(vtdpi_model_peek(&rig->m, 0xb8) == 0x500008007);
}

static void test_gcmd_ire_needs_table_and_queue(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 0x02000000); /* Neither. */
    rig_expect(rig, VTDPI_MODEL_COMMAND_ORDER, 0x18);
    rig_reset(rig);
    rig_queue_on(rig);
    rig_command(rig, 0x02000000); /* No table. */
    rig_expect(rig, VTDPI_MODEL_COMMAND_ORDER, 0x18);
    rig_reset(rig);
    rig->params.cap |= 1ull << 62; /* ESIRTPS: no flush needed. */
    rig_reset(rig);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    rig_command(rig, 0x01000000);
    rig_command(rig, 0x02000000); /* No queue. */
    rig_expect(rig, VTDPI_MODEL_COMMAND_ORDER, 0x18);
    rig_reset(rig);
    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    rig_command(rig, 0x01000000);
    rig_command(rig, 0x02000000);
    rig_expect_none(rig);
    assert_int_equal(rig_gsts(rig), 0x07000000);
}

static void test_gcmd_ire_without_flush_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    rig_command(rig, 0x01000000);
    rig_put(rig, 0x14, 0); /* IEC by index is not enough. */
    rig_kick(rig);
    rig_command(rig, 0x02000000);
    rig_expect(rig, VTDPI_MODEL_STALE_CACHE, 0x18);
}

static void test_gcmd_queue_off_under_remapping_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_on(rig, false);
    vtdpi_model_write32(&rig->m, 0x18, 0x02000000);
    rig_expect(rig, VTDPI_MODEL_COMMAND_ORDER, 0x18);
}

static void test_gcmd_late_command_shows_late(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE, 4);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_gsts(rig), 0);
        assert_int_equal(vtdpi_model_latched_irta(&rig->m), 0);
    }
    assert_int_equal(rig_gsts(rig), 0x01000000);
    assert_true(vtdpi_model_latched_irta(&rig->m) == 0x500008007);
}

static void test_gcmd_one_shot_again_shows_progress(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE, 2);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    assert_int_equal(rig_gsts(rig), 0);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    rig_expect_none(rig);
}

static void test_gcmd_before_status_is_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE, UINT64_MAX);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000);
    vtdpi_model_tick(&rig->m, 1000);
    assert_int_equal(rig_gsts(rig), 0);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000);
    rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE);
    assert_int_equal(rig_gsts(rig), 0x80000000);
}

static void test_gcmd_stuck_bit_keeps_value(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x01000000);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    assert_int_equal(rig_gsts(rig), 0);
    assert_int_equal(vtdpi_model_latched_irta(&rig->m), 0);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000);
    assert_int_equal(rig_gsts(rig), 0x04000000);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x04000000);
    vtdpi_model_write32(&rig->m, 0x18, 0);
    assert_int_equal(rig_gsts(rig), 0x04000000);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    vtdpi_model_write32(&rig->m, 0x18, 0);
    assert_int_equal(rig_gsts(rig), 0);
}

static void test_all_ones_unit_is_gone(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_true(vtdpi_model_fault_is_on(&rig->m, VTDPI_MODEL_FAULT_ALL_ONES));
    assert_int_equal(rig_gsts(rig), 0xffffffff);
    assert_true(vtdpi_model_read64(&rig->m, 0x08) == UINT64_MAX);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x04), 0xffffffff);
    rig_put_wait(rig, 0, 7);
    rig_kick(rig);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x88), 0);
    assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_DROPPED);
    rig_expect_none(rig);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(rig_gsts(rig), 0x04000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_gcmd_sticky_bits_follow_and_stay),
        rig_test(test_gcmd_one_shot_status_stays_without_its_bit),
        rig_test(test_gcmd_two_changes_are_violation),
        rig_test(test_gcmd_one_shot_echo_is_violation),
        rig_test(test_gcmd_reserved_bits_are_violation),
        rig_test(test_gcmd_unsupported_is_refused),
        rig_test(test_gcmd_wbf_status_is_progress),
        rig_test(test_gcmd_sirtp_latches_irta),
        rig_test(test_gcmd_sirtp_misaligned_table_is_violation),
        rig_test(test_irta_eime_without_eim_is_violation),
        rig_test(test_gcmd_ire_needs_table_and_queue),
        rig_test(test_gcmd_ire_without_flush_is_violation),
        rig_test(test_gcmd_queue_off_under_remapping_is_violation),
        rig_test(test_gcmd_late_command_shows_late),
        rig_test(test_gcmd_one_shot_again_shows_progress),
        rig_test(test_gcmd_before_status_is_violation),
        rig_test(test_gcmd_stuck_bit_keeps_value),
        rig_test(test_all_ones_unit_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
