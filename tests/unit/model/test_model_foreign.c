/* SPDX-License-Identifier: BSD-2-Clause */
/* The model as a judge of drivers that are not this library's. */
#include "model_rig.h"

static int setup_foreign(void **state)
{
    struct rig *rig;

    if (rig_setup(state) != 0)
        return -1;
    rig = *state;
    rig->params.foreign = true;
    return vtdpi_model_init(&rig->m, &rig->params);
}

/*
 * Registers.
 */

static void test_kept_registers_only_for_foreign(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x70, 0x123456789000);
    rig_expect(rig, VTDPI_MODEL_NO_REGISTER, 0x70);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x70), 0);
    rig_expect(rig, VTDPI_MODEL_NO_REGISTER, 0x70);
}

static void test_kept_registers_hold_what_is_written(void **state)
{
    static const uint32_t narrow[] = {0x68, 0x6c, 0xdc, 0xe0, 0xe4, 0xe8, 0xec};
    static const uint32_t wide[] = {0x58, 0x70, 0x78, 0xc0, 0xc8, 0xd0};
    struct rig *rig = *state;

    for (uint32_t i = 0; i < 7; i++)
        vtdpi_model_write32(&rig->m, narrow[i], 0xa0000000u + i);
    for (uint32_t i = 0; i < 6; i++)
        vtdpi_model_write64(&rig->m, wide[i], 0xb00000000000ull + i);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(vtdpi_model_read32(&rig->m, narrow[i]),
                         0xa0000000u + i);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(vtdpi_model_read64(&rig->m, wide[i]),
                         0xb00000000000ull + i);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x74), 0xb000);
    rig_expect_none(rig);
}

/* PRS follows EPM; nothing else can be set. */
static void test_protected_memory_status_follows(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x64, 0x80000000);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x64), 0x80000001);
    vtdpi_model_write32(&rig->m, 0x64, 0x00000001);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x64), 0);
    rig_expect_none(rig);
}

/* Version and the register behind that does not exist; FSTS and FECTL. */
static void test_wide_access_is_reported_and_answered(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_read64(&rig->m, 0x00), 0x10);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x00);
    vtdpi_model_write64(&rig->m, 0x40, 0x00000005fee00000ull);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x40);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x40), 0x00000005fee00000ull);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x40);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x40), 0xfee00000);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x44), 0x5);
    rig_expect_none(rig);
    /* What cannot be read answers nothing. */
    vtdpi_model_write32(&rig->m, 0x18, 0x00800000);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x18), 0);
    rig_expect(rig, VTDPI_MODEL_WRITE_ONLY, 0x18);
}

static void test_wide_access_of_our_own_does_nothing(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x40, 0x00000005fee00000ull);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x40);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x40), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x44), 0);
}

static void test_foreign_allows_halves_and_no_lock(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0xb8, (uint32_t)RIG_TABLE);
    vtdpi_model_write32(&rig->m, 0xbc, (uint32_t)(RIG_TABLE >> 32));
    assert_int_equal(vtdpi_model_read64(&rig->m, 0xb8), RIG_TABLE);
    vtdpi_model_platform_ops.write32(&rig->m, 0x18, 1u << 23);
    rig_expect_none(rig);
}

/* 512 entries, 8 KiB, on an odd page. */
static void latch_odd_table(struct rig *rig)
{
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE2 | 8);
    vtdpi_model_write32(&rig->m, 0x18, 1u << 24);
}

static void test_large_table_needs_its_size(void **state)
{
    struct rig *rig = *state;

    latch_odd_table(rig);
    rig_expect(rig, VTDPI_MODEL_TABLE_ALIGNMENT, 0xb8);
}

/* A register of 32 bits holds no more. */
static void test_kept_register_is_cut(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x68, 0x1234567800005000ull);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x68);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x68), 0x5000);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x6c), 0x12345678);
}

/*
 * Commands.
 */

static void test_command_that_drops_another_bit(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x18, 1u << 30);
    vtdpi_model_write32(&rig->m, 0x18, 1u << 31);
    rig_expect_none(rig);
    /* The queue comes on, and translation goes off. */
    vtdpi_model_write32(&rig->m, 0x18, 1u << 26);
    rig_expect(rig, VTDPI_MODEL_COMMAND_DROPS, 0x18);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x1c) & 1u << 31, 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x1c) & 1u << 26, 1u << 26);
    /* Of two that go off one was dropped; two that come on are two commands. */
    vtdpi_model_write32(&rig->m, 0x18, 1u << 31 | 1u << 26);
    vtdpi_model_write32(&rig->m, 0x18, 0);
    rig_expect(rig, VTDPI_MODEL_COMMAND_DROPS, 0x18);
    vtdpi_model_write32(&rig->m, 0x18, 1u << 31 | 1u << 26);
    rig_expect(rig, VTDPI_MODEL_MULTI_COMMAND, 0x18);
}

/*
 * Memory that has died, and stores to the table.
 */

static void test_status_in_dead_memory_is_not_written(void **state)
{
    struct rig *rig = *state;
    uint64_t *status = rig_words(rig, RIG_STATUS);

    rig_queue_on(rig);
    vtdpi_model_retire(&rig->m, RIG_STATUS, 4);
    rig_put(rig, 0x0000000700000025, RIG_STATUS);
    rig_kick(rig);
    rig_expect(rig, VTDPI_MODEL_STATUS_DEAD, 0);
    assert_int_equal(*status & 0xffffffff, 0);
    /* In part, too. */
    vtdpi_model_retire(&rig->m, RIG_STATUS + 2, 4);
    rig_put(rig, 0x0000000700000025, RIG_STATUS);
    rig_kick(rig);
    rig_expect(rig, VTDPI_MODEL_STATUS_DEAD, 1);
    vtdpi_model_retire(&rig->m, RIG_STATUS, 4);
    rig_put(rig, 0x0000000800000025, RIG_STATUS + 4);
    rig_kick(rig);
    assert_int_equal(*status >> 32, 8);
    vtdpi_model_retire(&rig->m, RIG_STATUS, 0);
    rig_put(rig, 0x0000000900000025, RIG_STATUS);
    rig_kick(rig);
    assert_int_equal(*status & 0xffffffff, 9);
    rig_expect_none(rig);
}

static void store(struct rig *rig, uint32_t index, uint64_t lo, uint64_t hi)
{
    uint64_t *entry = rig_words(rig, RIG_TABLE) + 2 * (size_t)index;
    const uint64_t before[2] = {entry[0], entry[1]};

    entry[0] = lo;
    entry[1] = hi;
    vtdpi_model_table_stored(&rig->m, index, before);
}

static void table_on(struct rig *rig)
{
    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE | 7);
    vtdpi_model_write32(&rig->m, 0x18, 1u << 26 | 1u << 24);
    rig_expect_none(rig);
}

static void test_stores_that_are_one_step_are_fine(void **state)
{
    struct rig *rig = *state;

    table_on(rig);
    /* Upper word, then P; then one change, and a flush of the index. */
    store(rig, 3, 0, 0x40a10);
    store(rig, 3, 0x510001, 0x40a10);
    store(rig, 3, 0x620001, 0x40a10);
    rig_put(rig, 0x0000000300000014, 0);
    rig_kick(rig);
    store(rig, 3, 0x630001, 0x40a10);
    /* Absent in between, and then in pieces. */
    store(rig, 3, 0x630000, 0x40a10);
    store(rig, 3, 0x640000, 0x40a11);
    store(rig, 3, 0x640001, 0x40a11);
    store(rig, 3, 0x650001, 0x40a11);
    /* What changes nothing is no step, and another entry is another matter. */
    store(rig, 3, 0x650001, 0x40a11);
    store(rig, 4, 0x510001, 0x40a10);
    rig_expect_none(rig);
}

static void test_second_store_before_a_flush_is_told(void **state)
{
    struct rig *rig = *state;

    table_on(rig);
    store(rig, 3, 0x510001, 0x40a10);
    store(rig, 3, 0x520001, 0x40a10);
    store(rig, 3, 0x520001, 0x40a11);
    rig_expect(rig, VTDPI_MODEL_TABLE_STORE, 3);
    /* A flush of another index changes nothing, one of everything does. */
    rig_put(rig, 0x0000000400000014, 0);
    rig_kick(rig);
    store(rig, 3, 0x530001, 0x40a11);
    rig_expect(rig, VTDPI_MODEL_TABLE_STORE, 3);
    rig_put(rig, 0x0000000000000004, 0);
    rig_kick(rig);
    store(rig, 3, 0x540001, 0x40a11);
    rig_expect_none(rig);
}

static void test_reset_forgets_kept_registers_and_stores(void **state)
{
    struct rig *rig = *state;

    table_on(rig);
    store(rig, 3, 0x510001, 0x40a10);
    store(rig, 3, 0x520001, 0x40a10);
    vtdpi_model_write64(&rig->m, 0x70, 0x1000);
    vtdpi_model_vanish(&rig->m);
    vtdpi_model_return_reset(&rig->m);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x70), 0);
    rig->tail = 0;
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE | 7);
    store(rig, 3, 0x530001, 0x40a10);
    rig_expect_none(rig);
}

static void test_another_table_has_no_stores(void **state)
{
    struct rig *rig = *state;

    table_on(rig);
    store(rig, 3, 0x510001, 0x40a10);
    store(rig, 3, 0x520001, 0x40a10);
    vtdpi_model_write32(&rig->m, 0x18, 1u << 26 | 1u << 24);
    store(rig, 3, 0x530001, 0x40a10);
    rig_expect_none(rig);
    /* What a cache forgets by itself is no invalidation. */
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_IEC_EVICT, 1);
    (void)vtdpi_model_iec_prefetch(&rig->m, 3);
    vtdpi_model_write32(&rig->m, 0x18, 1u << 26 | 1u << 25);
    vtdpi_model_clear_violations(&rig->m);
    (void)rig_fire(rig, 3);
    store(rig, 3, 0x540001, 0x40a10);
    rig_expect(rig, VTDPI_MODEL_TABLE_STORE, 3);
}

/*
 * Severities.
 */

static void test_every_kind_has_a_name_and_a_severity(void **state)
{
    unsigned int of[4] = {0};

    (void)state;
    for (unsigned int k = 1; k < VTDPI_MODEL_VIOLATIONS; k++) {
        const enum vtdpi_model_violation_kind kind =
            (enum vtdpi_model_violation_kind)k;

        assert_string_not_equal(vtdpi_model_violation_name(kind), "unknown");
        of[vtdpi_model_violation_severity(kind)]++;
    }
    assert_string_equal(
        vtdpi_model_violation_name(
            (enum vtdpi_model_violation_kind)VTDPI_MODEL_VIOLATIONS),
        "unknown");
    for (unsigned int s = 0; s < 4; s++) {
        assert_true(of[s] > 0);
        assert_string_not_equal(
            vtdpi_model_severity_name((enum vtdpi_model_severity)s), "unknown");
    }
    assert_string_equal(vtdpi_model_severity_name((enum vtdpi_model_severity)4),
                        "unknown");
    /* None falls through the switch to the harmless ones. */
    assert_int_equal(of[VTDPI_MODEL_HARMLESS], 6);
    assert_int_equal(vtdpi_model_violation_severity(VTDPI_MODEL_STALE_CACHE),
                     VTDPI_MODEL_ISOLATION);
    assert_int_equal(vtdpi_model_violation_severity(VTDPI_MODEL_TABLE_STORE),
                     VTDPI_MODEL_INTERRUPT);
    assert_int_equal(vtdpi_model_violation_severity(VTDPI_MODEL_BAD_WIDTH),
                     VTDPI_MODEL_ROBUSTNESS);
    assert_int_equal(vtdpi_model_violation_severity(VTDPI_MODEL_NO_REGISTER),
                     VTDPI_MODEL_HARMLESS);
}

#define FOREIGN_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup_foreign, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_kept_registers_only_for_foreign),
        FOREIGN_TEST(test_kept_registers_hold_what_is_written),
        FOREIGN_TEST(test_protected_memory_status_follows),
        FOREIGN_TEST(test_wide_access_is_reported_and_answered),
        rig_test(test_wide_access_of_our_own_does_nothing),
        FOREIGN_TEST(test_foreign_allows_halves_and_no_lock),
        FOREIGN_TEST(test_large_table_needs_its_size),
        FOREIGN_TEST(test_kept_register_is_cut),
        FOREIGN_TEST(test_command_that_drops_another_bit),
        FOREIGN_TEST(test_status_in_dead_memory_is_not_written),
        FOREIGN_TEST(test_stores_that_are_one_step_are_fine),
        FOREIGN_TEST(test_second_store_before_a_flush_is_told),
        FOREIGN_TEST(test_reset_forgets_kept_registers_and_stores),
        FOREIGN_TEST(test_another_table_has_no_stores),
        cmocka_unit_test(test_every_kind_has_a_name_and_a_severity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
