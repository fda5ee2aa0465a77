/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: which units join and leave a table, and in which state. */
#include <stdlib.h>

#include "test.h"

#include "machine_fixture.h"

static void test_units_are_added_and_removed(void **state)
{
    struct machine *m = machine_new(0, 15);
    struct vtdpi_table_unit link;

    (void)state;
    machine_add(m, 0);
    machine_add(m, 1);
    assert_int_equal(vtdpi_table_add_unit(NULL, &link, &m->unit[0]),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_add_unit(&m->table, NULL, &m->unit[0]),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &link, NULL),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &link, &m->unit[0]),
                     VTDPI_EATTACHED);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &link, &m->unit[1]),
                     VTDPI_EATTACHED);
    assert_int_equal(vtdpi_table_remove_unit(NULL, &m->unit[0]), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]),
                     VTDPI_ENOENT);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]), 0);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &link, &m->unit[1]), 0);
    machine_free(m);
}

/* The host has taken its callback back since the probe, which asks for it. */
static void test_add_unit_that_cannot_be_cleaned_for_is_refused(void **state)
{
    struct machine *m = machine_new(0, 15);
    struct vtdpi_table_unit link;

    (void)state;
    m->ops.clean = NULL;
    assert_int_equal(vtdpi_table_add_unit(&m->table, &link, &m->unit[1]),
                     VTDPI_EOPNOTSUPP);
    machine_add(m, 0); /* coherent */
    machine_free(m);
}

/* The unit would go on delivering from its cache, or come back with the
 * table, and no change would reach it. */
static void assert_stays(struct machine *m, unsigned int unit,
                         enum vtdpi_unit_state state)
{
    struct vtdpi_table_unit link;

    assert_int_equal(vtdpi_unit_state(&m->unit[unit]), state);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[unit]),
                     VTDPI_EBUSY);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &link, &m->unit[unit]),
                     VTDPI_EATTACHED);
}

static void test_remove_unit_that_is_not_off_returns_ebusy(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    assert_stays(m, 0, VTDPI_UNIT_ON);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 0, index, 0x52);
    assert_remapped(m, 1, index, 0x52);

    assert_int_equal(vtdpi_unit_suspend(&m->unit[0]), 0);
    assert_stays(m, 0, VTDPI_UNIT_SUSPENDED);
    assert_int_equal(vtdpi_unit_resume(&m->unit[0]), 0);

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK,
                          VTDPI_GCMD_QIE);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_ETIMEDOUT);
    assert_stays(m, 0, VTDPI_UNIT_FAILED);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_STUCK);

    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]),
                     VTDPI_ENOENT);
}

/* With DMA translation on the queue stays, and the unit changes its table. What
 * changes without it is not in its cache after the next enable. */
static void test_unit_with_its_queue_open_leaves_and_joins(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_unit_config config = machine_config(m, 0);
    const uint32_t te = (uint32_t)VTDPI_GCMD_TE;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_unit *u = &m->unit[0];

    assert_int_equal(vtdpi_unit_command(u, te, true), 0);
    assert_int_equal(vtdpi_unit_disable(u), VTDPI_EBUSY);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, u), 0);
    assert_int_equal(vtdpi_unit_enable(u, &config), VTDPI_ENOTABLE);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    machine_add(m, 0);
    assert_int_equal(vtdpi_unit_state(u), VTDPI_UNIT_QUEUE);
    machine_enable(m, 0);
    assert_remapped(m, 0, index, 0x52);
    assert_int_equal(vtdpi_unit_command(u, te, false), 0);
}

/* The queue is opened first. A change after the join is flushed on it. */
static void test_add_unit_whose_queue_is_open_is_flushed(void **state)
{
    struct machine *m = machine_new(0, 15);
    const struct vtdpi_unit_config config = machine_config(m, 0);
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const struct vtdpi_irte zero = {0, 0};
    const uint32_t index = machine_index(m);

    (void)state;
    assert_int_equal(vtdpi_unit_open_queue(&m->unit[0], &config), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &zero), 0);
    assert_int_equal(machine_count(m, 0).descriptors[4], 0);
    machine_add(m, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &zero), 0);
    assert_int_equal(machine_count(m, 0).descriptors[4], 1);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    machine_enable(m, 0);
    assert_remapped(m, 0, index, 0x51);
    assert_no_violation(m);
    machine_free(m);
}

/* Destinations of the table's entries are x2APIC ids. */
static void test_add_unit_without_eim_returns_enoeim(void **state)
{
    struct machine *m = machine_new(0, 15);
    const uint64_t ecap = MACHINE_ECAP & ~VTDPI_ECAP_EIM;
    struct vtdpi_table_params p = m->table_params;

    (void)state;
    machine_replace_unit(m, 0, MACHINE_CAP, ecap);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &m->link[0], &m->unit[0]),
                     VTDPI_ENOEIM);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]),
                     VTDPI_ENOENT);
    p.mode = VTDPI_XAPIC;
    assert_int_equal(vtdpi_table_init(&m->table, &p), 0);
    machine_add(m, 0);
    machine_enable(m, 0);
    assert_int_equal(vtdpi_model_latched_irta(&m->model[0]), TABLE_PHYS | 7);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    machine_free(m);
}

static void test_add_unit_that_does_not_answer_returns_estate(void **state)
{
    struct machine *m = machine_new(0, 15);
    const struct vtdpi_unit_config config = machine_config(m, 0);

    (void)state;
    assert_int_equal(vtdpi_unit_open_queue(&m->unit[0], &config), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &m->link[0], &m->unit[0]),
                     VTDPI_ESTATE);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]),
                     VTDPI_ENOENT);
    machine_free(m);
}

static void test_add_unit_of_another_table_returns_eattached(void **state)
{
    struct machine *m = *state;
    struct vtdpi_table_params p = m->table_params;
    struct vtdpi_table_unit link;
    struct vtdpi_table other;

    p.storage = malloc(p.storage_size);
    assert_int_equal(vtdpi_table_init(&other, &p), 0);
    assert_int_equal(vtdpi_table_add_unit(&other, &link, &m->unit[0]),
                     VTDPI_EATTACHED);
    free(p.storage);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_units_are_added_and_removed),
        cmocka_unit_test(test_add_unit_that_cannot_be_cleaned_for_is_refused),
        TEST(test_remove_unit_that_is_not_off_returns_ebusy),
        TEST(test_unit_with_its_queue_open_leaves_and_joins),
        TEST(test_add_unit_whose_queue_is_open_is_flushed),
        TEST(test_add_unit_without_eim_returns_enoeim),
        TEST(test_add_unit_that_does_not_answer_returns_estate),
        TEST(test_add_unit_of_another_table_returns_eattached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
