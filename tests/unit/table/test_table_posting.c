/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h and irq.h where a unit cannot post: the second one of the machine. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "machine_fixture.h"

/* vCPU 0 and 1: PIDs at 5_2000_0000h and 5_2000_0040h, vector 61h. */
static const struct vtdpi_irte post0 = {UINT64_C(0x2000000000618001),
                                        UINT64_C(0x0000000500040310)};
static const struct vtdpi_irte post1 = {UINT64_C(0x2000004000618001),
                                        UINT64_C(0x0000000500040310)};
static const struct vtdpi_irte none = {0, 0};
/* Posted format, and not present. */
static const struct vtdpi_irte absent = {UINT64_C(0x8000), 0};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

/* The first unit is on, the second one cannot post and is not on the list. */
static int setup(void **state)
{
    struct machine *m = machine_new(0, 15);

    machine_without_pi(m, 1);
    machine_add(m, 0);
    machine_enable(m, 0);
    *state = m;
    return 0;
}

static int join(struct machine *m)
{
    return vtdpi_table_add_unit(&m->table, &m->link[1], &m->unit[1]);
}

static void assert_set(struct machine *m, uint32_t index,
                       const struct vtdpi_irte *irte, int rc)
{
    assert_int_equal(vtdpi_table_set(&m->table, index, irte), rc);
}

/* An interrupt with a host form of vector 51h. */
static void irq_new(struct machine *m, struct vtdpi_irq *irq)
{
    const struct vtdpi_irte_remapped h = fields_remapped(0x51);

    assert_int_equal(vtdpi_irq_init(irq, vtdpi_table_backend(&m->table),
                                    machine_index(m), &source, NULL),
                     0);
    assert_int_equal(vtdpi_irq_set_host(irq, &h), 0);
}

static void test_post_beside_unit_without_pi_keeps_host_form(void **state)
{
    struct machine *m = *state;
    struct vtdpi_irq irq = {0};

    assert_int_equal(join(m), 0);
    machine_enable(m, 1);
    irq_new(m, &irq);
    assert_int_equal(vtdpi_irq_post(&irq, &m->vcpu[0], 0x61), VTDPI_ENOPI);
    assert_false(vtdpi_irq_is_dirty(&irq));
    assert_null(vtdpi_irq_vcpu(&irq));
    assert_int_equal(vtdpi_vcpu_refs(&m->vcpu[0]), 0);
    assert_remapped(m, 0, vtdpi_irq_index(&irq), 0x51);
    assert_remapped(m, 1, vtdpi_irq_index(&irq), 0x51);
    assert_int_equal(vtdpi_irq_teardown(&irq), 0);
}

static void test_set_posted_beside_unit_without_pi_is_unchanged(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const uint32_t index = machine_index(m);

    assert_int_equal(join(m), 0);
    machine_enable(m, 1);
    assert_set(m, index, &irte, 0);
    assert_set(m, index, &post0, VTDPI_ENOPI);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_remapped(m, 0, index, 0x51);
    assert_remapped(m, 1, index, 0x51);
    assert_set(m, index, &absent, 0); /* posts nothing */
}

/* Nothing of the unit that is refused is on the list or in the unit. */
static void test_join_of_a_table_that_posts_returns_ebusy(void **state)
{
    struct machine *m = *state;
    struct vtdpi_irq irq = {0};

    irq_new(m, &irq);
    assert_int_equal(vtdpi_irq_post(&irq, &m->vcpu[0], 0x61), 0);
    assert_int_equal(join(m), VTDPI_EBUSY);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]),
                     VTDPI_ENOENT);
    assert_posted(m, 0, vtdpi_irq_index(&irq), 0, 0x61);
    /* And posting goes on. */
    assert_int_equal(vtdpi_irq_post(&irq, &m->vcpu[1], 0x61), 0);
    assert_posted(m, 0, vtdpi_irq_index(&irq), 1, 0x61);
    assert_int_equal(vtdpi_irq_unpost(&irq), 0);
    assert_int_equal(join(m), 0);
    machine_enable(m, 1);
    assert_remapped(m, 1, vtdpi_irq_index(&irq), 0x51);
    assert_int_equal(vtdpi_irq_teardown(&irq), 0);
}

static void test_posting_stays_off_when_the_unit_has_left(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_index(m);

    assert_int_equal(join(m), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]), 0);
    assert_set(m, index, &post0, VTDPI_ENOPI);
    assert_int_equal(join(m), 0);
}

static void flush_fails(struct machine *m, uint32_t index,
                        const struct vtdpi_irte *irte)
{
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_IQE, 0);
    assert_set(m, index, irte, VTDPI_EIQE);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
}

/* By every kind of change: an entry that posts counts once, others do not. */
static void test_each_change_keeps_the_count(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_backend *b = vtdpi_table_backend(&m->table);
    const struct vtdpi_irte host = entry_remapped(0x51);
    const uint32_t index = machine_index(m);
    struct vtdpi_flush f;

    vtdpi_flush_init(&f, NULL, 0);
    assert_set(m, index, &post0, 0); /* none, posted */
    assert_set(m, index, &post0, 0); /* the same */
    assert_set(m, index, &post1, 0); /* another */
    assert_int_equal(join(m), VTDPI_EBUSY);
    flush_fails(m, index, &host); /* host: back to 0 */
    flush_fails(m, index, &post0);
    assert_set(m, index, &absent, 0);
    /* A change that finds something else. */
    assert_int_equal(b->ops->replace(b->ctx, &f, index, &host, &post0),
                     VTDPI_EAGAIN);
    assert_int_equal(b->ops->replace(b->ctx, &f, index, &post1, &post0),
                     VTDPI_EAGAIN);
    assert_int_equal(b->ops->replace(b->ctx, &f, index + 1, &none, &post0),
                     VTDPI_EFREE);
    /* Whatever is there. */
    assert_int_equal(b->ops->replace(b->ctx, &f, index, NULL, &post0), 0);
    assert_int_equal(b->ops->replace(b->ctx, &f, index, NULL, &post1), 0);
    assert_int_equal(join(m), VTDPI_EBUSY);
    assert_int_equal(b->ops->replace(b->ctx, &f, index, NULL, &none), 0);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
    assert_int_equal(join(m), 0);
}

static void test_join_of_an_adopted_table_counts_what_posts(void **state)
{
    struct machine *m = machine_new(0, 15);
    struct vtdpi_table_params p = m->table_params;

    (void)state;
    machine_without_pi(m, 1);
    m->entries[3] = post0;
    m->entries[4] = absent;
    m->entries[5] = post1;
    m->entries[6] = entry_remapped(0x51);
    p.adopt = true;
    assert_int_equal(vtdpi_table_init(&m->table, &p), 0);
    machine_add(m, 0);
    assert_int_equal(join(m), VTDPI_EBUSY);
    assert_set(m, 3, &none, VTDPI_EQOFF);
    assert_int_equal(join(m), VTDPI_EBUSY);
    assert_set(m, 5, &none, VTDPI_EQOFF);
    assert_int_equal(join(m), 0);
    machine_free(m);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_post_beside_unit_without_pi_keeps_host_form),
        TEST(test_set_posted_beside_unit_without_pi_is_unchanged),
        TEST(test_join_of_a_table_that_posts_returns_ebusy),
        TEST(test_posting_stays_off_when_the_unit_has_left),
        TEST(test_each_change_keeps_the_count),
        cmocka_unit_test(test_join_of_an_adopted_table_counts_what_posts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
