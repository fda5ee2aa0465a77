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
    vtdpi_model_write32(&rig->m, 0x18, 0); /* One of them is dropped. */
    rig_expect(rig, VTDPI_MODEL_COMMAND_DROPS, 0x18);
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

/* Commands that are executed long after the driver has gone on. */

static void set_late(struct rig *rig, uint32_t bits, uint32_t us)
{
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_COMMAND_LATE,
                          VTDPI_MODEL_LATE(bits, us));
}

/* Let @p us pass; what is due then happens. */
static void pass(struct rig *rig, uint64_t us)
{
    vtdpi_model_advance_clock(&rig->m, us);
    vtdpi_model_tick(&rig->m, 1);
}

static uint32_t peek_gsts(const struct rig *rig)
{
    return (uint32_t)vtdpi_model_peek(&rig->m, 0x1c);
}

static void test_late_command_is_executed_after_another(void **state)
{
    static const struct {
        uint32_t bit;
        uint32_t other;
    } t[] = {
        {0x80000000, 0x04000000}, {0x40000000, 0x80000000},
        {0x20000000, 0x80000000}, {0x10000000, 0x80000000},
        {0x04000000, 0x80000000}, {0x01000000, 0x80000000},
        {0x00800000, 0x80000000},
    };
    struct rig *rig = *state;

    rig->params.cap |= 8; /* AFL */
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        rig_reset(rig);
        set_late(rig, t[i].bit, 100);
        vtdpi_model_write32(&rig->m, 0x18, t[i].bit);
        assert_false(
            vtdpi_model_fault_is_on(&rig->m, VTDPI_MODEL_FAULT_COMMAND_LATE));
        rig_expect_none(rig);
        pass(rig, 99);
        assert_int_equal(rig_gsts(rig), 0);
        vtdpi_model_write32(&rig->m, 0x18, t[i].other);
        rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
        assert_int_equal(rig_gsts(rig), t[i].other);
        pass(rig, 1);
        assert_int_equal(rig_gsts(rig), t[i].bit | t[i].other);
        /* Only once, and none after it is late. */
        vtdpi_model_write32(&rig->m, 0x18, 0);
        vtdpi_model_clear_violations(&rig->m);
        pass(rig, 1000);
        assert_int_equal(rig_gsts(rig) & 0x94800000, 0);
    }
}

/* The driver believes that the command was lost, and has the opposite. */
static void test_late_command_is_executed_over_the_opposite(void **state)
{
    struct rig *rig = *state;

    rig_on(rig, true);
    set_late(rig, 0x02000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000); /* IRE off, late */
    assert_int_equal(rig_gsts(rig), 0x07000000);
    vtdpi_model_write32(&rig->m, 0x18, 0x06000000);
    rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
    assert_int_equal(rig_gsts(rig), 0x07000000);
    pass(rig, 50);
    assert_int_equal(rig_gsts(rig), 0x05000000);

    set_late(rig, 0x04000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0); /* QIE off, on time */
    assert_int_equal(rig_gsts(rig), 0x05000000);
    pass(rig, 50);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    vtdpi_model_write64(&rig->m, 0x88, 0);
    set_late(rig, 0x04000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000); /* on again, late */
    vtdpi_model_write32(&rig->m, 0x18, 0);
    rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    pass(rig, 50);
    assert_int_equal(rig_gsts(rig), 0x05000000);
    rig_expect_none(rig);
}

static void test_late_sirtp_latches_what_irta_holds_then(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    set_late(rig, 0x01000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500009807);
    pass(rig, 49);
    assert_int_equal(vtdpi_model_latched_irta(&rig->m), 0);
    pass(rig, 1);
    assert_true(vtdpi_model_latched_irta(&rig->m) == 0x500009807);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    /* Its status shows progress, and turns with another one's. */
    set_late(rig, 0x01000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    assert_int_equal(rig_gsts(rig), 0);
    vtdpi_model_write32(&rig->m, 0x18, 0x01000000);
    rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
    assert_int_equal(rig_gsts(rig), 0x01000000);
    vtdpi_model_write64(&rig->m, 0xb8, 0x500008007);
    pass(rig, 50);
    assert_true(vtdpi_model_latched_irta(&rig->m) == 0x500008007);
}

static void test_late_wbf_status_is_progress(void **state)
{
    struct rig *rig = *state;

    set_late(rig, 0x08000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x08000000);
    pass(rig, 49);
    assert_int_equal(rig_gsts(rig), 0x08000000);
    pass(rig, 1);
    assert_int_equal(rig_gsts(rig), 0);
    rig_expect_none(rig);
}

/* The driver has the queue on again by itself: its head is not reset. */
static void test_late_command_that_is_so_already_does_nothing(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x90, RIG_QUEUE);
    set_late(rig, 0x04000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000);
    rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
    rig_invalidate_all(rig);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x80), 0x10);
    pass(rig, 50);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x80), 0x10);
    assert_int_equal(rig_count(rig).iec_global, 1); /* not fetched again */
    assert_int_equal(rig_gsts(rig), 0x04000000);
    rig_expect_none(rig);
}

static void test_late_commands_have_their_own_times(void **state)
{
    struct rig *rig = *state;

    set_late(rig, 0x00800000, 80);
    vtdpi_model_write32(&rig->m, 0x18, 0x00800000);
    set_late(rig, 0x80000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000);
    rig_expect(rig, VTDPI_MODEL_COMMAND_PENDING, 0x18);
    pass(rig, 50);
    assert_int_equal(rig_gsts(rig), 0x80000000);
    pass(rig, 30);
    assert_int_equal(rig_gsts(rig), 0x80800000);
}

static void test_late_command_waits_for_clearing(void **state)
{
    struct rig *rig = *state;

    set_late(rig, 0xffffffff, VTDPI_MODEL_NEVER);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000);
    pass(rig, UINT64_C(1) << 40);
    assert_int_equal(rig_gsts(rig), 0);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_COMMAND_LATE);
    assert_int_equal(peek_gsts(rig), 0x80000000);
}

/* At the third read of a register from the hook's setting on. */
static unsigned int reads_left;

static void release_at_read(void *ctx, struct vtdpi_model *m,
                            enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind == VTDPI_MODEL_STEP_READ && --reads_left == 0)
        vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_COMMAND_LATE);
}

static void test_late_command_by_a_count_of_reads(void **state)
{
    struct rig *rig = *state;

    set_late(rig, 0x80000000, VTDPI_MODEL_NEVER);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000);
    reads_left = 3;
    vtdpi_model_set_step_hook(&rig->m, release_at_read);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_gsts(rig), 0);
    vtdpi_model_set_step_hook(&rig->m, NULL);
    assert_int_equal(rig_gsts(rig), 0x80000000);
}

static void test_late_command_of_another_bit_is_on_time(void **state)
{
    struct rig *rig = *state;

    set_late(rig, 0x04000000, 50);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000);
    assert_int_equal(rig_gsts(rig), 0x80000000);
    assert_true(
        vtdpi_model_fault_is_on(&rig->m, VTDPI_MODEL_FAULT_COMMAND_LATE));
    rig_expect_none(rig);
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
        rig_test(test_late_command_is_executed_after_another),
        rig_test(test_late_command_is_executed_over_the_opposite),
        rig_test(test_late_sirtp_latches_what_irta_holds_then),
        rig_test(test_late_wbf_status_is_progress),
        rig_test(test_late_command_that_is_so_already_does_nothing),
        rig_test(test_late_commands_have_their_own_times),
        rig_test(test_late_command_waits_for_clearing),
        rig_test(test_late_command_by_a_count_of_reads),
        rig_test(test_late_command_of_another_bit_is_on_time),
        rig_test(test_all_ones_unit_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
