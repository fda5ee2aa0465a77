/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: changes beside a flush of everything, and beside a unit that is
 * being enabled; what a new owner finds. */
#include "test.h"

#include "machine_fixture.h"

static const struct vtdpi_irte none = {0, 0};

/* Another CPU, which gets its turn inside a callback of the one under test. */
static struct {
    struct machine *m;
    void (*turn)(struct machine *m, uint32_t index);
    uint32_t index;
} other;

static void other_cpu(void)
{
    void (*const turn)(struct machine *, uint32_t) = other.turn;

    other.turn = NULL;
    if (turn != NULL)
        turn(other.m, other.index);
}

/* The draining read: descriptors are executed, marks not cleared yet. */
static uint32_t read32(void *ctx, uint32_t off)
{
    if (off == VTDPI_GSTS_REG)
        other_cpu();
    return vtdpi_model_platform_ops.read32(ctx, off);
}

/* The entry is written; its flush comes next. */
static void clean(void *ctx, const void *p, size_t len)
{
    vtdpi_model_platform_ops.clean(ctx, p, len);
    other_cpu();
}

/* Remapping has come on; vtdpi_unit_enable() has not returned. */
static uintptr_t lock(void *ctx)
{
    if ((vtdpi_model_peek(ctx, VTDPI_GSTS_REG) & VTDPI_GSTS_IRES) != 0)
        other_cpu();
    return vtdpi_model_platform_ops.lock(ctx);
}

/* Retires the entry, and its flush fails on unit 1. */
static void retire_in_vain(struct machine *m, uint32_t index)
{
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK);
}

/* In time before unit 1 gets stuck. */
static void flush_all(struct machine *m, uint32_t index)
{
    (void)index;
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
}

static void flush_all_refused(struct machine *m, uint32_t index)
{
    (void)index;
    assert_int_equal(vtdpi_table_flush_all(&m->table), VTDPI_EBUSY);
}

static void arm(struct machine *m, uint32_t index,
                void (*turn)(struct machine *, uint32_t))
{
    other.m = m;
    other.index = index;
    other.turn = turn;
}

static void assert_kept_until_flushed(struct machine *m, uint32_t index)
{
    assert_null(other.turn);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), VTDPI_EDIRTY);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_blocked(m, 1, index, VTDPI_FR_NOT_PRESENT);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), 0);
}

static void test_flush_all_change_behind_it_stays_dirty(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);

    m->ops.read32 = read32;
    arm(m, index, retire_in_vain);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_kept_until_flushed(m, index);
}

/* More indexes than one word has marks for. */
static void test_dirty_is_one_index_alone(void **state)
{
    enum {
        COUNT = 40
    };
    struct machine *m = *state;
    uint32_t index[COUNT];

    for (unsigned int i = 0; i < COUNT; i++)
        index[i] = machine_cached(m, 0x51);
    for (unsigned int i = 0; i < COUNT; i++) {
        retire_in_vain(m, index[i]);
        for (unsigned int k = 0; k < COUNT; k++)
            assert_int_equal(vtdpi_table_is_dirty(&m->table, index[k]), k == i);
        assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
        assert_false(vtdpi_table_is_dirty(&m->table, index[i]));
    }
}

/* A mark that says no more than "dirty" would be cleared. */
static void test_flush_all_second_change_behind_it_stays_dirty(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte irte = entry_remapped(0x52);
    const uint32_t index = machine_cached(m, 0x51);
    const uint32_t neighbour = machine_cached(m, 0x51);

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_set(&m->table, neighbour, &irte),
                     VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER);

    m->ops.read32 = read32;
    arm(m, index, retire_in_vain);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, neighbour));
    assert_kept_until_flushed(m, index);
}

/* The mark is set before the entry is written; a flush in between has not
 * covered what comes after it. */
static void test_flush_all_between_mark_and_flush_is_not_enough(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);

    m->ops.clean = clean;
    arm(m, index, flush_all);
    retire_in_vain(m, index);
    assert_kept_until_flushed(m, index);
}

static void test_flush_all_twice_at_once_is_refused(void **state)
{
    struct machine *m = *state;

    m->ops.read32 = read32;
    arm(m, 0, flush_all_refused);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_null(other.turn);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
}

static void test_flush_all_after_failed_ones_covers_all(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const uint32_t neighbour = machine_cached(m, 0x51);

    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_flush_all(&m->table), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_set(&m->table, neighbour, &none),
                     VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_flush_all(&m->table), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_true(vtdpi_table_is_dirty(&m->table, neighbour));
    assert_kept_until_flushed(m, index);
    assert_int_equal(vtdpi_table_free(&m->table, neighbour, 1), 0);
}

/* What the index's own flush has covered is clean, taken or not. */
static void test_flush_after_a_failed_flush_all_is_enough(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);

    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_flush_all(&m->table), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), 0);
}

static void cache_and_change(struct machine *m, uint32_t index)
{
    const struct vtdpi_irte irte = entry_remapped(0x52);

    assert_remapped(m, 0, index, 0x51);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
}

static void test_set_beside_enable_is_flushed(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);

    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    arm(m, index, cache_and_change);
    m->ops.lock = lock;
    machine_enable(m, 0);
    assert_null(other.turn);
    assert_remapped(m, 0, index, 0x52);
    assert_no_violation(m);
}

static void set_entry(struct machine *m, uint32_t index)
{
    const struct vtdpi_irte irte = entry_remapped(0x52);

    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
}

/* The clean of the whole table is done, adding the unit is not: an entry that
 * is changed now is cleaned by its own change. */
static void test_set_beside_add_unit_is_cleaned(void **state)
{
    struct machine *m = machine_new(0, 15);
    const uint32_t index = machine_index(m);

    (void)state;
    m->ops.clean = clean;
    arm(m, index, set_entry);
    machine_add(m, 1);
    assert_null(other.turn);
    machine_enable(m, 1);
    assert_remapped(m, 1, index, 0x52);
    assert_no_violation(m);
    machine_free(m);
}

static void assert_zero(struct machine *m, uint32_t index)
{
    struct vtdpi_irte irte;

    assert_int_equal(vtdpi_table_read(&m->table, index, &irte), 0);
    assert_int_equal(irte.lo, 0);
    assert_int_equal(irte.hi, 0);
}

static void test_free_of_an_absent_entry_with_fpd_zeroes_it(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte fpd = {2, 0};
    const uint32_t index = machine_index(m);

    assert_int_equal(vtdpi_table_set(&m->table, index, &fpd), 0);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), 0);
    assert_int_equal(machine_index(m), index);
    assert_zero(m, index);
}

static void test_reserve_in_an_adopted_table_is_zero(void **state)
{
    struct machine *m = *state;
    struct vtdpi_table_params params = m->table_params;

    m->entries[5] = (struct vtdpi_irte){UINT64_C(0x510000), 0x40310};
    params.adopt = true;
    assert_int_equal(vtdpi_table_init(&m->table, &params), 0);
    assert_int_equal(vtdpi_table_reserve(&m->table, 5, 1, NULL), 0);
    assert_zero(m, 5);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_flush_all_change_behind_it_stays_dirty),
        TEST(test_dirty_is_one_index_alone),
        TEST(test_flush_all_second_change_behind_it_stays_dirty),
        TEST(test_flush_all_between_mark_and_flush_is_not_enough),
        TEST(test_flush_all_twice_at_once_is_refused),
        TEST(test_flush_all_after_failed_ones_covers_all),
        TEST(test_flush_after_a_failed_flush_all_is_enough),
        TEST(test_set_beside_enable_is_flushed),
        cmocka_unit_test(test_set_beside_add_unit_is_cleaned),
        TEST(test_free_of_an_absent_entry_with_fpd_zeroes_it),
        TEST(test_reserve_in_an_adopted_table_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
