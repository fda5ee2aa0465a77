/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: changes while a unit is off, suspended, gone or not known to be off. */
#include "test.h"

#include "machine_fixture.h"

static void test_set_unit_suspended_then_resumed(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    assert_int_equal(vtdpi_unit_suspend(&m->unit[1]), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_remapped(m, 0, index, 0x52);
    assert_int_equal(vtdpi_unit_resume(&m->unit[1]), 0);
    assert_remapped(m, 1, index, 0x52);
}

/* It does not answer while it is disabled, so it may still remap when it does
 * again: nothing that is changed until then counts as flushed. */
static void test_set_unit_gone_while_disabled_is_dirty(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte none = {0, 0};

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), VTDPI_EIO);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_remapped(m, 0, index, 0x51); /* from the cache */
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), VTDPI_EIO);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), VTDPI_EDIRTY);

    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), 0);
}

/* Another kernel's remapping is stuck on. */
static void test_set_unit_not_taken_over_is_dirty(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte before = entry_remapped(0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_unit_config config = *vtdpi_unit_last_config(&m->unit[0]);
    uint32_t index;

    machine_find_foreign(m, false);
    index = machine_index(m);
    assert_int_equal(vtdpi_table_set(&m->table, index, &before), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK,
                          UINT64_C(1) << 25); /* IRES */
    config.take_over = true;
    assert_int_equal(vtdpi_unit_enable(&m->unit[0], &config), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EQOFF);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
}

/* Not even its write buffer, which would wait behind the command that is stuck. */
static void test_set_unit_failed_without_queue_fails_at_once(void **state)
{
    struct machine *m = machine_new(VTDPI_CAP_RWBF, 15);
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const uint32_t index = machine_index(m);
    uint64_t accesses;

    (void)state;
    machine_add(m, 0);
    machine_enable(m, 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK,
                          VTDPI_GCMD_QIE);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_FAILED);
    accesses = machine_accesses(m);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EQOFF);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EQOFF);
    assert_int_equal(machine_accesses(m), accesses);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    machine_free(m);
}

/* The next change finds out; the state is the host's to find. */
static void test_set_unit_that_vanishes_stays_on(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EIO);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_ON);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_GONE);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_unit_resume(&m->unit[0]), 0);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
}

static void test_set_unit_disabled_is_not_waited_for(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    machine_enable(m, 1);
    assert_remapped(m, 1, index, 0x52);
}

/* Remapping could not be switched off, so the queue is still on, and used. */
static void test_set_unit_still_remapping_is_flushed(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_GSTS_STUCK,
                          UINT64_C(1) << 25); /* IRES */
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&m->unit[1]), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 1, index, 0x52);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
}

/* The queue is closed and the unit is not known to be off: nothing may be
 * taken for flushed. */
static void test_set_unit_failed_without_queue_is_dirty(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_GSTS_STUCK,
                          UINT64_C(1) << 26); /* QIES */
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&m->unit[1]), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EQOFF);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
}

/* A unit that does not answer is not asked. */
static void test_set_unit_gone_costs_no_register(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    uint64_t accesses;

    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_GONE);
    accesses = machine_accesses(m);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EIO);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), VTDPI_EIO);
    assert_int_equal(machine_accesses(m), accesses);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
}

/* The unit reads another kernel's table, so its cache has none of ours. */
static void test_set_foreign_unit_is_skipped(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte irte = entry_remapped(0x52);
    uint32_t index;

    machine_find_foreign(m, false);
    index = machine_index(m);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]), 0);
}

static void reset_model(struct machine *m, unsigned int unit)
{
    const struct vtdpi_model_params p = m->model[unit].params;

    assert_int_equal(vtdpi_model_init(&m->model[unit], &p), 0);
}

static uint64_t accesses_of(const struct machine *m, unsigned int unit)
{
    const struct vtdpi_model_counters c = machine_count(m, unit);

    return c.reads + c.writes;
}

/* Dead for good: the table goes on without the unit. */
static void test_set_unit_forsaken_is_skipped(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    uint64_t accesses;

    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), VTDPI_ESTATE);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), VTDPI_ESTATE);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EIO);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]),
                     VTDPI_EBUSY);
    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), 0);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_FORSAKEN);
    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), VTDPI_ESTATE);
    accesses = accesses_of(m, 0);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(accesses_of(m, 0), accesses);
    assert_remapped(m, 1, index, 0x52);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]), 0);

    /* Another one in its place. */
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    reset_model(m, 0);
    assert_int_equal(
        vtdpi_unit_probe(&m->unit[0], &m->ops, &m->model[0], MACHINE_WINDOW),
        0);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &m->link[0], &m->unit[0]),
                     0);
    machine_enable(m, 0);
    assert_remapped(m, 0, index, 0x52);
}

/* What answers and remaps is not given up. */
static void test_forsake_unit_that_remaps_returns_ebusy(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_qi_ticket t;

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK,
                          UINT64_C(1) << 25); /* IRES */
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), VTDPI_EBUSY);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 0, index, 0x52);

    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), VTDPI_EBUSY);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_GONE);

    /* Reset behind our back: it answers, and remaps nothing. */
    reset_model(m, 0);
    assert_int_equal(vtdpi_unit_forsake(&m->unit[0]), 0);
    assert_int_equal(vtdpi_unit_submit_iec_global(&m->unit[0], &t),
                     VTDPI_EQOFF);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_set_unit_suspended_then_resumed),
        TEST(test_set_unit_gone_while_disabled_is_dirty),
        TEST(test_set_unit_not_taken_over_is_dirty),
        TEST(test_set_unit_failed_without_queue_fails_at_once),
        TEST(test_set_unit_that_vanishes_stays_on),
        TEST(test_set_unit_disabled_is_not_waited_for),
        TEST(test_set_unit_still_remapping_is_flushed),
        TEST(test_set_unit_failed_without_queue_is_dirty),
        TEST(test_set_unit_gone_costs_no_register),
        TEST(test_set_foreign_unit_is_skipped),
        TEST(test_set_unit_forsaken_is_skipped),
        TEST(test_forsake_unit_that_remaps_returns_ebusy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
