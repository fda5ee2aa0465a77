/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: which units join and leave a table, and with what configuration. */
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
    const uint32_t te = (uint32_t)VTDPI_GCMD_TE;

    assert_stays(m, 0, VTDPI_UNIT_ON);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 0, index, 0x52);
    assert_remapped(m, 1, index, 0x52);

    assert_int_equal(vtdpi_unit_suspend(&m->unit[0]), 0);
    assert_stays(m, 0, VTDPI_UNIT_SUSPENDED);
    assert_int_equal(vtdpi_unit_resume(&m->unit[0]), 0);

    assert_int_equal(vtdpi_unit_command(&m->unit[0], te, true), 0);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EBUSY);
    assert_stays(m, 0, VTDPI_UNIT_QUEUE);
    assert_int_equal(vtdpi_unit_command(&m->unit[0], te, false), 0);

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

static struct vtdpi_unit_config config_of(const struct machine *m)
{
    struct vtdpi_unit_config c = *vtdpi_unit_last_config(&m->unit[0]);

    c.irt_phys = TABLE_PHYS;
    c.irt_order = 8;
    c.eime = true;
    return c;
}

/* Every way to say something else than the table does. */
static void each_other_config(struct machine *m,
                              void (*then)(struct machine *m,
                                           const struct vtdpi_unit_config *c))
{
    struct vtdpi_unit_config c = config_of(m);

    c.irt_phys = TABLE_PHYS + 0x1000;
    then(m, &c);
    c = config_of(m);
    c.irt_order = 7;
    then(m, &c);
    c.irt_order = 9;
    c.irt_phys = TABLE_PHYS;
    then(m, &c);
    c = config_of(m);
    c.eime = false;
    c.accept_cfi = true;
    then(m, &c);
}

static void enable_is_refused(struct machine *m,
                              const struct vtdpi_unit_config *c)
{
    const uint64_t accesses = machine_accesses(m);

    assert_int_equal(vtdpi_unit_enable(&m->unit[0], c), VTDPI_ETABLE);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_OFF);
    assert_int_equal(machine_accesses(m), accesses);
}

static void test_enable_for_another_table_returns_etable(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_unit_config good = config_of(m);

    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    each_other_config(m, enable_is_refused);
    assert_int_equal(vtdpi_unit_enable(&m->unit[0], &good), 0);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
}

static void join_is_refused(struct machine *m, enum vtdpi_unit_state state)
{
    struct vtdpi_unit *u = &m->unit[0];

    assert_int_equal(vtdpi_unit_state(u), state);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &m->link[0], u),
                     VTDPI_ESTATE);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, u), VTDPI_ENOENT);
}

/* A unit without a table is enabled with anything; so is one that left it. What
 * changes then does not reach the unit's cache and counts as flushed. */
static void test_add_unit_that_is_not_off_returns_estate(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_unit_config good = config_of(m);
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_unit *u = &m->unit[0];

    assert_int_equal(vtdpi_unit_disable(u), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, u), 0);
    assert_int_equal(vtdpi_unit_enable(u, &good), 0);
    assert_remapped(m, 0, index, 0x51);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    join_is_refused(m, VTDPI_UNIT_ON);
    assert_remapped(m, 0, index, 0x51); /* stale */

    assert_int_equal(vtdpi_unit_suspend(u), 0);
    join_is_refused(m, VTDPI_UNIT_SUSPENDED);
    assert_int_equal(vtdpi_unit_resume(u), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(u), VTDPI_EIO);
    join_is_refused(m, VTDPI_UNIT_GONE);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);

    assert_int_equal(vtdpi_unit_disable(u), 0);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &m->link[0], u), 0);
    assert_int_equal(vtdpi_unit_enable(u, &good), 0);
    assert_remapped(m, 0, index, 0x52);
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
        TEST(test_remove_unit_that_is_not_off_returns_ebusy),
        TEST(test_enable_for_another_table_returns_etable),
        TEST(test_add_unit_that_is_not_off_returns_estate),
        TEST(test_add_unit_of_another_table_returns_eattached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
