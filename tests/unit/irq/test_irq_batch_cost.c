/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of irq.h over table.h on two modelled units: what they cost.
 */
#include "test.h"

#include <stdlib.h>

#include "machine_fixture.h"

enum {
    MANY = 2048,
    RANGES = 16,
    HOST_VECTOR = 0x51,
    GUEST_VECTOR = 0x61
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

struct many {
    struct machine *m;
    struct vtdpi_irq irq[MANY];
    struct vtdpi_flush_range ranges[RANGES];
    unsigned int n;
};

/* @p n interrupts, posted to vCPU 0, at @p first, @p first + @p stride, ... */
static struct many *many_new(struct machine *m, unsigned int n, uint32_t first,
                             uint32_t stride)
{
    const struct vtdpi_irte_remapped host = fields_remapped(HOST_VECTOR);
    struct many *x = calloc(1, sizeof(*x));
    struct vtdpi_irq_batch b;

    assert_non_null(x);
    x->m = m;
    x->n = n;
    assert_int_equal(vtdpi_irq_batch_begin(&b, vtdpi_table_backend(&m->table),
                                           x->ranges, RANGES),
                     0);
    for (unsigned int i = 0; i < n; i++) {
        const uint32_t index = first + i * stride;

        assert_int_equal(vtdpi_table_reserve(&m->table, index, 1, x), 0);
        assert_int_equal(
            vtdpi_irq_init(&x->irq[i], b.backend, index, &source, NULL), 0);
        assert_int_equal(vtdpi_irq_batch_set_host(&b, &x->irq[i], &host), 0);
    }
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    for (unsigned int i = 0; i < n; i++)
        assert_int_equal(vtdpi_irq_post(&x->irq[i], &m->vcpu[0], GUEST_VECTOR),
                         0);
    return x;
}

/* Posts all of them to a vCPU, in the order of their indexes, or the second
 * half and the first by turns. */
static void retarget(struct many *x, unsigned int vcpu, bool by_turns)
{
    struct vtdpi_irq_batch b;

    assert_int_equal(vtdpi_irq_batch_begin(&b,
                                           vtdpi_table_backend(&x->m->table),
                                           x->ranges, RANGES),
                     0);
    for (unsigned int i = 0; i < x->n; i++) {
        const unsigned int at = by_turns ? i / 2 + (i % 2) * x->n / 2 : i;

        assert_int_equal(vtdpi_irq_batch_post(&b, &x->irq[at],
                                              &x->m->vcpu[vcpu], GUEST_VECTOR),
                         0);
    }
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    for (unsigned int u = 0; u < UNITS; u++) {
        assert_posted(x->m, u, vtdpi_irq_index(&x->irq[0]), vcpu, GUEST_VECTOR);
        assert_posted(x->m, u, vtdpi_irq_index(&x->irq[x->n - 1]), vcpu,
                      GUEST_VECTOR);
    }
}

/* What one retarget of all of them cost on a unit. */
struct cost {
    uint64_t accesses;
    uint64_t waits;
    uint64_t by_index;
    uint64_t global;
};

static struct cost cost(struct many *x, unsigned int unit, bool by_turns)
{
    const struct vtdpi_model_counters before = machine_count(x->m, unit);
    struct vtdpi_model_counters after;

    retarget(x, 1, by_turns);
    after = machine_count(x->m, unit);
    return (struct cost){
        .accesses = after.reads + after.writes - before.reads - before.writes,
        .waits = after.waits_completed - before.waits_completed,
        .by_index = after.iec_index - before.iec_index,
        .global = after.iec_global - before.iec_global,
    };
}

static struct machine *machine_on(unsigned int mhmv2)
{
    struct machine *m = machine_new(0, mhmv2);

    for (unsigned int u = 0; u < UNITS; u++) {
        machine_add(m, u);
        machine_enable(m, u);
    }
    return m;
}

static struct cost cost_on(unsigned int mhmv2, unsigned int n, uint32_t first,
                           uint32_t stride, bool by_turns)
{
    struct machine *m = machine_on(mhmv2);
    struct many *x = many_new(m, n, first, stride);
    const struct cost c = cost(x, 1, by_turns);

    assert_no_violation(m);
    free(x);
    machine_free(m);
    return c;
}

static void test_contiguous_needs_two_descriptors_and_a_wait(void **state)
{
    const unsigned int n[] = {1, 2, 16, 256, MANY};

    (void)state;
    for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
        const struct cost c = cost_on(15, n[i], 5, 1, false);

        assert_int_equal(c.waits, 1);
        assert_int_equal(c.global, 0);
        assert_int_equal(c.by_index, n[i] == 1 ? 1 : 2);
        assert_int_equal(c.accesses, 2); /* IQT, and the draining read */
    }
}

static void test_aligned_block_needs_one_descriptor(void **state)
{
    struct cost c;

    (void)state;
    c = cost_on(15, MANY, 2048, 1, false);
    assert_int_equal(c.by_index, 1);
    assert_int_equal(c.waits, 1);
    c = cost_on(15, 33, 64, 1, false); /* over-covering */
    assert_int_equal(c.by_index, 1);
}

static void test_order_of_changes_does_not_matter(void **state)
{
    const struct cost c = cost_on(15, 256, 512, 1, true);

    (void)state;
    assert_int_equal(c.global, 0);
    assert_in_range(c.by_index, 1, 2);
    assert_int_equal(c.waits, 1);
}

/* A unit that takes only small blocks: 16 of them, then a global one. */
static void test_blocks_obey_mhmv_up_to_the_threshold(void **state)
{
    struct cost c;

    (void)state;
    c = cost_on(4, 256, 256, 1, false);
    assert_int_equal(c.by_index, 16);
    assert_int_equal(c.global, 0);
    assert_int_equal(c.waits, 1);
    c = cost_on(4, 257, 256, 1, false);
    assert_int_equal(c.by_index, 0);
    assert_int_equal(c.global, 1);
    assert_int_equal(c.waits, 1);
    assert_int_equal(c.accesses, 2);
}

static void test_scattered_needs_one_each_up_to_the_threshold(void **state)
{
    struct cost c;

    (void)state;
    c = cost_on(15, 16, 1, 7, false);
    assert_int_equal(c.by_index, 16);
    assert_int_equal(c.global, 0);
    c = cost_on(15, 17, 1, 7, false);
    assert_int_equal(c.by_index, 0);
    assert_int_equal(c.global, 1);
    assert_int_equal(c.waits, 1);
}

/* MSI with several messages: one run of indexes, sub-handles from the device,
 * one descriptor, one end. */
static void test_block_of_messages_is_handled_as_one(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte_remapped host = fields_remapped(HOST_VECTOR);
    struct vtdpi_flush_range range;
    struct vtdpi_irq_batch b;
    struct vtdpi_irq irq[8] = {{0}};
    struct vtdpi_model_counters before;
    uint32_t first;

    assert_int_equal(vtdpi_table_alloc(&m->table, 8, m, &first), 0);
    assert_int_equal(first % 8, 0);
    assert_int_equal(
        vtdpi_irq_batch_begin(&b, vtdpi_table_backend(&m->table), &range, 1),
        0);
    for (uint32_t i = 0; i < 8; i++) {
        struct vtdpi_irte_remapped h = host;

        h.vector = (uint8_t)(host.vector + i);
        assert_int_equal(
            vtdpi_irq_init(&irq[i], b.backend, first + i, &source, NULL), 0);
        assert_int_equal(vtdpi_irq_batch_set_host(&b, &irq[i], &h), 0);
    }
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    for (uint32_t i = 0; i < 8; i++) {
        struct vtdpi_model_result r;

        /* SHV is bit 3 of the address; the sub-handle is in the data. */
        (void)vtdpi_model_msi(&m->model[0], SID,
                              UINT64_C(0xfee00018) | (uint64_t)first << 5, i,
                              &r);
        assert_int_equal(r.outcome, VTDPI_MODEL_REMAPPED);
        assert_int_equal(r.index, first + i);
        assert_int_equal(r.vector, HOST_VECTOR + i);
    }
    assert_int_equal(vtdpi_table_free(&m->table, first, 8), VTDPI_EBUSY);

    before = machine_count(m, 0);
    assert_int_equal(
        vtdpi_irq_batch_begin(&b, vtdpi_table_backend(&m->table), &range, 1),
        0);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(vtdpi_irq_batch_teardown(&b, &irq[i]), 0);
    assert_int_equal(vtdpi_table_free(&m->table, first, 8), VTDPI_EDIRTY);
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    assert_int_equal(machine_count(m, 0).iec_index - before.iec_index, 1);
    assert_int_equal(vtdpi_table_free(&m->table, first, 8), 0);
    for (unsigned int u = 0; u < UNITS; u++)
        assert_blocked(m, u, first + 7, VTDPI_FR_NOT_PRESENT);
}

/* One unit of two fails: which are dirty, and nothing is released. */
static void test_unit_gone_leaves_dirty_until_it_is_off(void **state)
{
    struct machine *m = *state;
    struct many *x = many_new(m, 8, 40, 1);
    struct vtdpi_irq_batch b;

    assert_int_equal(vtdpi_irq_batch_begin(&b, vtdpi_table_backend(&m->table),
                                           x->ranges, RANGES),
                     0);
    for (unsigned int i = 0; i < 7; i++)
        assert_int_equal(vtdpi_irq_batch_unpost(&b, &x->irq[i]), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_irq_batch_commit(&b), VTDPI_EIO);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(vtdpi_irq_is_dirty(&x->irq[i]), i < 7);
    assert_int_equal(vtdpi_vcpu_refs(&m->vcpu[0]), 8);
    assert_int_equal(vtdpi_vcpu_detach_begin(&m->vcpu[0]), VTDPI_EBUSY);
    /* The other unit was flushed. */
    assert_remapped(m, 1, 40, HOST_VECTOR);

    /* It is not off before it has answered and a read has shown it. */
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), VTDPI_EIO);
    assert_int_equal(vtdpi_irq_flush(&x->irq[0]), VTDPI_EIO);
    assert_true(vtdpi_irq_is_dirty(&x->irq[0]));
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_unit_disable(&m->unit[0]), 0);
    assert_int_equal(vtdpi_irq_batch_begin(&b, vtdpi_table_backend(&m->table),
                                           x->ranges, RANGES),
                     0);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(vtdpi_irq_batch_teardown(&b, &x->irq[i]), 0);
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    assert_int_equal(vtdpi_vcpu_refs(&m->vcpu[0]), 0);
    for (uint32_t i = 40; i < 48; i++)
        assert_int_equal(vtdpi_table_free(&m->table, i, 1), 0);
    assert_int_equal(vtdpi_vcpu_detach(&m->vcpu[0]), 0);
    free(x);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contiguous_needs_two_descriptors_and_a_wait),
        cmocka_unit_test(test_aligned_block_needs_one_descriptor),
        cmocka_unit_test(test_order_of_changes_does_not_matter),
        cmocka_unit_test(test_blocks_obey_mhmv_up_to_the_threshold),
        cmocka_unit_test(test_scattered_needs_one_each_up_to_the_threshold),
        TEST(test_block_of_messages_is_handled_as_one),
        TEST(test_unit_gone_leaves_dirty_until_it_is_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
