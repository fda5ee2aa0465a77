/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h: a table that another kernel left in use, from vtdpi_table_init() with
 * adopt to the flush that ends the adoption.
 */
#include "test.h"

#include "machine_fixture.h"

static const struct vtdpi_irte none = {0, 0};
static const struct vtdpi_irte post = {UINT64_C(0x2000000000618001),
                                       UINT64_C(0x0000000500040310)};

static struct vtdpi_unit_config config_of(struct machine *m, unsigned int u)
{
    struct vtdpi_unit_config c = machine_config(m, u);

    c.take_over = true;
    return c;
}

static void enable(struct machine *m, unsigned int u)
{
    const struct vtdpi_unit_config c = config_of(m, u);

    assert_int_equal(vtdpi_unit_enable(&m->unit[u], &c), 0);
}

static void set(struct machine *m, uint32_t index, struct vtdpi_irte irte,
                int rc)
{
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), rc);
}

static int flush_all(struct machine *m)
{
    return vtdpi_table_flush_all(&m->table);
}

/* Every flush but that of everything. */
static void assert_adopting(struct machine *m, uint32_t index)
{
    const struct vtdpi_backend *b = vtdpi_table_backend(&m->table);
    struct vtdpi_flush_range range;
    struct vtdpi_flush f;
    const uint64_t accesses = machine_accesses(m);

    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), VTDPI_EQOFF);
    vtdpi_flush_init(&f, &range, 1);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, index, 1), 0);
    assert_int_equal(b->ops->commit(b->ctx, &f), VTDPI_EQOFF);
    f.global = true;
    assert_int_equal(b->ops->commit(b->ctx, &f), VTDPI_EQOFF);
    assert_int_equal(machine_accesses(m), accesses);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
}

/* Whatever units are on the list: none, FOREIGN ones, or ones that are ON. */
static void test_adopted_table_changes_are_dirty_until_the_flush(void **state)
{
    struct machine *m = *state;
    const uint32_t kept = machine_cached(m, 0x50);
    const uint32_t retired = machine_cached(m, 0x51);
    const uint32_t changed = machine_cached(m, 0x52);
    uint32_t fresh;

    machine_find_foreign(m, true);
    assert_true(vtdpi_table_is_dirty(&m->table, kept));
    set(m, kept, entry_remapped(0x50), VTDPI_EQOFF); /* the same value */
    set(m, retired, none, VTDPI_EQOFF);
    assert_adopting(m, retired);
    assert_int_equal(vtdpi_table_free(&m->table, retired, 1), VTDPI_EDIRTY);
    fresh = machine_index(m);
    assert_false(vtdpi_table_is_dirty(&m->table, fresh));
    set(m, fresh, entry_remapped(0x53), VTDPI_EQOFF);
    assert_int_equal(flush_all(m), VTDPI_EQOFF);
    enable(m, 0);
    /* The other one may still deliver by the old entry. */
    assert_adopting(m, retired);
    assert_int_equal(flush_all(m), VTDPI_EQOFF);
    assert_adopting(m, retired);
    enable(m, 1);
    set(m, changed, entry_remapped(0x62), VTDPI_EQOFF);
    assert_adopting(m, changed);

    assert_int_equal(flush_all(m), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, kept));
    assert_false(vtdpi_table_is_dirty(&m->table, changed));
    assert_false(vtdpi_table_is_dirty(&m->table, fresh));
    assert_int_equal(vtdpi_table_free(&m->table, retired, 1), 0);
    for (unsigned int u = 0; u < UNITS; u++) {
        assert_remapped(m, u, kept, 0x50);
        assert_blocked(m, u, retired, VTDPI_FR_NOT_PRESENT);
        assert_remapped(m, u, changed, 0x62);
        assert_remapped(m, u, fresh, 0x53);
    }
    /* Like any other table. */
    set(m, kept, entry_remapped(0x70), 0);
    assert_remapped(m, 0, kept, 0x70);
    assert_remapped(m, 1, kept, 0x70);
}

/* A unit that was forgotten, or comes later, is not there to be flushed. */
static void test_adopted_table_without_units_is_not_flushed(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);

    machine_find_foreign(m, true);
    enable(m, 0);
    enable(m, 1);
    for (unsigned int u = 0; u < UNITS; u++) {
        assert_int_equal(vtdpi_unit_disable(&m->unit[u]), 0);
        assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[u]), 0);
    }
    assert_int_equal(flush_all(m), VTDPI_EQOFF);
    set(m, index, none, VTDPI_EQOFF);
    assert_adopting(m, index);
    machine_add(m, 0);
    machine_enable(m, 0);
    assert_adopting(m, index);
    assert_int_equal(flush_all(m), 0);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), 0);
}

/* The flush of everything fails on a unit: the adoption goes on. */
static void test_adopted_table_flush_that_fails_ends_nothing(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);

    machine_find_foreign(m, true);
    enable(m, 0);
    enable(m, 1);
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_IQE, 0);
    assert_int_equal(flush_all(m), VTDPI_EIQE);
    set(m, index, entry_remapped(0x52), VTDPI_EQOFF);
    assert_adopting(m, index);
    assert_int_equal(flush_all(m), 0);
    assert_remapped(m, 1, index, 0x52);
}

static void test_adopted_table_keeps_foreign_units(void **state)
{
    struct machine *m = *state;

    machine_find_foreign(m, true);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[0]),
                     VTDPI_EBUSY);
    enable(m, 0);
    enable(m, 1);
    assert_int_equal(flush_all(m), 0);
}

/* A unit whose queue is ours goes on reading the other kernel's table until ours is
 * latched: an invalidation in that time ends nothing. */
static void test_adopted_table_is_not_flushed_before_the_latch(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    struct vtdpi_unit_config c;

    machine_find_foreign(m, true);
    enable(m, 1);
    c = config_of(m, 0);
    c.adopt = true;
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_COMMAND_LATE,
                          VTDPI_MODEL_LATE(0x01000000, VTDPI_MODEL_NEVER));
    assert_int_equal(vtdpi_unit_enable(&m->unit[0], &c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&m->unit[0]), VTDPI_UNIT_FAILED);
    assert_int_equal(flush_all(m), VTDPI_EQOFF);
    assert_adopting(m, index);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_COMMAND_LATE);
    /* Remapping goes off, so nothing is read any more. */
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(flush_all(m), 0);
    machine_enable(m, 0);
    assert_remapped(m, 0, index, 0x51);
    vtdpi_model_clear_violations(&m->model[0]); /* the command that was lost */
}

/* Its cache was not flushed when the adoption ended. */
static void test_adopted_table_takes_no_foreign_unit_afterwards(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    struct vtdpi_table_params p = m->table_params;
    struct vtdpi_unit_config c;

    p.adopt = true;
    assert_int_equal(vtdpi_table_init(&m->table, &p), 0);
    for (unsigned int u = 0; u < UNITS; u++)
        assert_int_equal(vtdpi_unit_probe(&m->unit[u], &m->ops, &m->model[u],
                                          MACHINE_WINDOW),
                         0);
    machine_add(m, 0);
    enable(m, 0);
    assert_int_equal(flush_all(m), 0);
    assert_int_equal(vtdpi_table_add_unit(&m->table, &m->link[1], &m->unit[1]),
                     VTDPI_ESTATE);
    set(m, index, entry_remapped(0x52), 0);
    assert_remapped(m, 1, index, 0x51); /* stale */

    /* Switched off first, it can join. */
    c = config_of(m, 1);
    assert_int_equal(vtdpi_unit_open_queue(&m->unit[1], &c), 0);
    machine_add(m, 1);
    machine_enable(m, 1);
    assert_remapped(m, 1, index, 0x52);
}

static void test_adopted_table_counts_what_posts(void **state)
{
    struct machine *m = *state;
    const uint32_t first = machine_index(m);
    const uint32_t second = machine_index(m);

    assert_int_equal(vtdpi_table_posted(&m->table), 0);
    set(m, first, post, 0);
    set(m, second, post, 0);
    (void)machine_cached(m, 0x51);
    machine_find_foreign(m, true);
    assert_int_equal(vtdpi_table_posted(&m->table), 2);
    set(m, first, none, VTDPI_EQOFF);
    assert_int_equal(vtdpi_table_posted(&m->table), 1);
    enable(m, 0);
    enable(m, 1);
    assert_int_equal(flush_all(m), 0);
    set(m, second, none, 0);
    assert_int_equal(vtdpi_table_posted(&m->table), 0);
}

static void test_posted_is_zero_where_posting_is_closed(void **state)
{
    struct machine *m = machine_new(0, 15);

    (void)state;
    machine_without_pi(m, 0);
    machine_add(m, 0);
    assert_int_equal(vtdpi_table_posted(&m->table), 0);
    machine_free(m);
}

/* What a kernel that adopts asks first. */
static void test_unit_says_which_table_it_uses(void **state)
{
    struct machine *m = *state;
    struct vtdpi_unit_irt irt = {0};

    machine_find_foreign(m, true);
    assert_int_equal(vtdpi_unit_read_table(&m->unit[0], &irt), 0);
    assert_int_equal(irt.phys, TABLE_PHYS);
    assert_int_equal(irt.order, 8);
    assert_int_equal(irt.mode, VTDPI_X2APIC);
    assert_int_equal(vtdpi_table_phys(&m->table), irt.phys);

    vtdpi_model_write64(&m->model[0], VTDPI_IRTA_REG,
                        UINT64_C(0xfedcba987654300f));
    assert_int_equal(vtdpi_unit_read_table(&m->unit[0], &irt), 0);
    assert_int_equal(irt.phys, UINT64_C(0xfedcba9876543000));
    assert_int_equal(irt.order, 16);
    assert_int_equal(irt.mode, VTDPI_XAPIC);

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    irt.order = 3;
    assert_int_equal(vtdpi_unit_read_table(&m->unit[0], &irt), VTDPI_EIO);
    assert_int_equal(irt.order, 3);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_adopted_table_changes_are_dirty_until_the_flush),
        TEST(test_adopted_table_without_units_is_not_flushed),
        TEST(test_adopted_table_flush_that_fails_ends_nothing),
        TEST(test_adopted_table_keeps_foreign_units),
        TEST(test_adopted_table_is_not_flushed_before_the_latch),
        TEST(test_adopted_table_takes_no_foreign_unit_afterwards),
        TEST(test_adopted_table_counts_what_posts),
        cmocka_unit_test(test_posted_is_zero_where_posting_is_closed),
        TEST(test_unit_says_which_table_it_uses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
