/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: what is flushed with what, and flushes that fail. */
#include "test.h"

#include "machine_fixture.h"

/* All entries allocated, present, and in both caches. */
static void fill(struct machine *m)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        const struct vtdpi_irte irte = entry_remapped((uint8_t)(i | 0x80));

        assert_int_equal(vtdpi_table_reserve(&m->table, i, 1, NULL), 0);
        assert_int_equal(vtdpi_table_set(&m->table, i, &irte), 0);
    }
}

static void cache_all(struct machine *m)
{
    for (uint32_t i = 0; i < ENTRIES; i++)
        for (unsigned int u = 0; u < UNITS; u++)
            assert_true(vtdpi_model_iec_prefetch(&m->model[u], i));
}

static uint32_t cached(const struct machine *m, unsigned int unit)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < ENTRIES; i++)
        n += vtdpi_model_iec_lookup(&m->model[unit], i, NULL) ? 1 : 0;
    return n;
}

/* which descriptors */

struct blocks {
    uint64_t index;
    uint64_t global;
};

/* Flushes a range; whatever else happens, nothing of it stays cached. */
static struct blocks flush(struct machine *m, unsigned int unit, uint32_t first,
                           uint32_t count)
{
    const struct vtdpi_model_counters before = machine_count(m, unit);
    struct vtdpi_model_counters after;

    cache_all(m);
    assert_int_equal(vtdpi_table_flush(&m->table, first, count), 0);
    for (uint32_t i = first; i < first + count; i++)
        assert_false(vtdpi_model_iec_lookup(&m->model[unit], i, NULL));
    after = machine_count(m, unit);
    assert_int_equal(after.waits_completed - before.waits_completed, 1);
    return (struct blocks){after.iec_index - before.iec_index,
                           after.iec_global - before.iec_global};
}

static void test_flush_any_range_needs_at_most_two_blocks(void **state)
{
    struct machine *m = *state;

    fill(m);
    for (uint32_t first = 0; first < ENTRIES; first += 7) {
        for (uint32_t count = 1; first + count <= ENTRIES; count += 5) {
            const struct blocks b = flush(m, 0, first, count);

            assert_in_range(b.index, 1, 2);
            assert_int_equal(b.global, 0);
        }
    }
}

static void test_flush_aligned_block_covers_nothing_else(void **state)
{
    struct machine *m = *state;

    fill(m);
    for (uint32_t n = 1; n <= ENTRIES; n *= 2) {
        assert_int_equal(flush(m, 0, ENTRIES - n, n).index, 1);
        assert_int_equal(cached(m, 0), ENTRIES - n);
    }
}

static void test_flush_unaligned_takes_two_small_blocks(void **state)
{
    struct machine *m = *state;

    fill(m);
    assert_int_equal(flush(m, 0, 7, 2).index, 2); /* 6-7 and 8-9 */
    assert_int_equal(cached(m, 0), ENTRIES - 4);
}

static void test_flush_respects_mhmv_then_goes_global(void **state)
{
    struct machine *m = machine_new(0, 1); /* second unit: pairs at most */
    struct blocks b;

    (void)state;
    for (unsigned int u = 0; u < UNITS; u++) {
        machine_add(m, u);
        machine_enable(m, u);
    }
    fill(m);
    b = flush(m, 1, 64, 32);
    assert_int_equal(b.index, 16);
    assert_int_equal(b.global, 0);
    assert_int_equal(cached(m, 1), ENTRIES - 32);
    b = flush(m, 1, 64, 33);
    assert_int_equal(b.index, 0);
    assert_int_equal(b.global, 1);
    assert_int_equal(flush(m, 0, 64, 33).index, 1);
    assert_no_violation(m);
    machine_free(m);
}

static void test_flush_all_is_one_global_block(void **state)
{
    struct machine *m = *state;
    struct vtdpi_model_counters before, after;

    fill(m);
    cache_all(m);
    before = machine_count(m, 1);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    after = machine_count(m, 1);
    assert_int_equal(after.iec_global - before.iec_global, 1);
    assert_int_equal(after.iec_index, before.iec_index);
    assert_int_equal(cached(m, 0), 0);
    assert_int_equal(cached(m, 1), 0);
}

static void test_flush_bad_range_is_refused(void **state)
{
    struct machine *m = *state;
    const uint64_t before = machine_accesses(m);

    assert_int_equal(vtdpi_table_flush(NULL, 0, 1), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_flush_all(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_flush(&m->table, 0, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_flush(&m->table, ENTRIES, 1), VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_flush(&m->table, ENTRIES - 1, 2),
                     VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_flush(&m->table, 1, UINT32_MAX), VTDPI_EINDEX);
    assert_int_equal(machine_accesses(m), before);
}

/* the backend, as irq.h sees it */

static void test_backend_ranges_are_collected_and_flushed_once(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_backend *b = vtdpi_table_backend(&m->table);
    struct vtdpi_flush_range ranges[2];
    struct vtdpi_model_counters before, after;
    struct vtdpi_flush f;

    fill(m);
    cache_all(m);
    before = machine_count(m, 0);
    vtdpi_flush_init(&f, ranges, 2);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, 10, 1), 0);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, 11, 1), 0);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, 200, 8), 0);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, ENTRIES, 1), VTDPI_EINDEX);
    after = machine_count(m, 0);
    assert_int_equal(after.iec_index, before.iec_index);
    assert_int_equal(b->ops->commit(b->ctx, &f), 0);
    after = machine_count(m, 0);
    assert_int_equal(after.iec_index - before.iec_index, 2);
    assert_int_equal(after.waits_completed - before.waits_completed, 1);
    assert_int_equal(cached(m, 0), ENTRIES - 10);
}

static void test_backend_too_many_ranges_become_global(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_backend *b = vtdpi_table_backend(&m->table);
    struct vtdpi_flush_range range;
    struct vtdpi_flush f;

    fill(m);
    cache_all(m);
    vtdpi_flush_init(&f, &range, 1);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, 10, 1), 0);
    assert_int_equal(b->ops->invalidate(b->ctx, &f, 100, 1), 0);
    assert_int_equal(b->ops->commit(b->ctx, &f), 0);
    assert_int_equal(cached(m, 0), 0);
    assert_int_equal(cached(m, 1), 0);
}

static void test_backend_stale_old_value_returns_eagain(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_backend *b = vtdpi_table_backend(&m->table);
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte wrong = entry_remapped(0x50);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_flush f;

    vtdpi_flush_init(&f, NULL, 0);
    assert_int_equal(b->ops->replace(b->ctx, &f, index, &wrong, &irte),
                     VTDPI_EAGAIN);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(b->ops->replace(b->ctx, &f, index, NULL, &irte), 0);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(b->ops->replace(b->ctx, &f, index, &wrong, &irte),
                     VTDPI_EAGAIN);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    b->ops->settled(b->ctx, index);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(b->ops->replace(b->ctx, &f, ENTRIES, NULL, &irte),
                     VTDPI_EINDEX);
    assert_int_equal(b->ops->replace(b->ctx, &f, index + 1, NULL, &irte),
                     VTDPI_EFREE);
}

/* Ten units on one table: those of five machines. */
static void test_set_flushes_any_number_of_units(void **state)
{
    struct machine *m = machine_new(0, 15);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_table_unit link[4][UNITS];
    struct machine *other[4];
    uint32_t index;

    (void)state;
    machine_add(m, 0);
    for (int i = 0; i < 4; i++) {
        other[i] = machine_new(0, 15);
        for (unsigned int u = 0; u < UNITS; u++) {
            assert_int_equal(vtdpi_table_add_unit(&m->table, &link[i][u],
                                                  &other[i]->unit[u]),
                             0);
            machine_enable(other[i], u);
        }
    }
    /* Lines are cleaned by the first unit that asks for it; the memory is that
     * of this machine. */
    machine_add(m, 1);
    machine_enable(m, 0);
    machine_enable(m, 1);
    index = machine_cached(m, 0x51);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    for (unsigned int u = 0; u < UNITS; u++) {
        assert_remapped(m, u, index, 0x52);
        for (int i = 0; i < 4; i++)
            assert_int_equal(machine_count(other[i], u).iec_index, 1);
    }
    /* The last one walked, in the second wave, fails. */
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_IQE, 0);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), VTDPI_EIQE);
    for (int i = 0; i < 4; i++)
        (void)machine_teardown(&(void *){other[i]});
    machine_free(m);
}

/* The ring is sized for submissions of one descriptor. What does not fit with
 * sixteen is flushed with one. */
static void test_flush_ring_too_full_goes_global(void **state)
{
    struct machine *m = machine_new(0, 1); /* second unit: pairs at most */
    struct vtdpi_model_counters before;

    (void)state;
    machine_add(m, 1);
    machine_enable(m, 1);
    fill(m);
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    for (int i = 0; i < 120; i++) /* 240 of 256 slots */
        assert_int_equal(vtdpi_table_flush(&m->table, 0, 1), VTDPI_ETIMEDOUT);
    before = machine_count(m, 1);
    assert_int_equal(vtdpi_table_flush(&m->table, 64, 32), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(machine_count(m, 1).iec_global - before.iec_global, 1);
    assert_no_violation(m);
    machine_free(m);
}

/* flushes that fail */

/* A change that fails with @p rc while @p fault is on in unit 1 of 2, and what
 * that leaves: unit 0 flushed, the entry written and dirty, the index pinned;
 * after the fault a flush makes it clean. */
static void fails_then_heals(struct machine *m, enum vtdpi_model_fault fault,
                             int rc)
{
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    const struct vtdpi_irte none = {0, 0};

    vtdpi_model_set_fault(&m->model[1], fault, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), rc);
    assert_remapped(m, 0, index, 0x52);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), VTDPI_EBUSY);

    vtdpi_model_clear_fault(&m->model[1], fault);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_remapped(m, 1, index, 0x52);

    vtdpi_model_set_fault(&m->model[1], fault, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), rc);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), VTDPI_EDIRTY);
    vtdpi_model_clear_fault(&m->model[1], fault);
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
    assert_blocked(m, 1, index, VTDPI_FR_NOT_PRESENT);
    assert_int_equal(vtdpi_table_free(&m->table, index, 1), 0);
}

static void test_set_status_never_written_times_out(void **state)
{
    fails_then_heals(*state, VTDPI_MODEL_FAULT_STATUS_NEVER, VTDPI_ETIMEDOUT);
}

static void test_set_queue_stuck_times_out(void **state)
{
    fails_then_heals(*state, VTDPI_MODEL_FAULT_QUEUE_STUCK, VTDPI_ETIMEDOUT);
}

static void test_set_descriptor_refused_returns_eiqe(void **state)
{
    fails_then_heals(*state, VTDPI_MODEL_FAULT_IQE, VTDPI_EIQE);
}

static void test_set_unit_gone_returns_eio(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EIO);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_remapped(m, 0, index, 0x52);
    /* It may remap again, so it stays on the list until a read shows it off. */
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), VTDPI_EIO);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]),
                     VTDPI_EBUSY);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
}

static void test_set_first_error_is_returned(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    /* Units are walked from the one that was added last. */
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_IQE, 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_EIQE);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
}

static void test_flush_all_failing_leaves_all_dirty(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_table_flush_all(&m->table), VTDPI_ETIMEDOUT);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), VTDPI_ETIMEDOUT);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
}

/* From not present, the write buffer flush stuck: the retry invalidates. */
static void test_set_write_buffer_stuck_is_dirty(void **state)
{
    struct machine *m = machine_new(UINT64_C(1) << 4, 15); /* CAP.RWBF */
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const uint32_t index = machine_index(m);

    (void)state;
    machine_add(m, 0);
    machine_enable(m, 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_LATE, 1000000);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_ETIMEDOUT);
    assert_true(vtdpi_table_is_dirty(&m->table, index));
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_GSTS_LATE);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(machine_count(m, 0).iec_index, 1);
    machine_free(m);
}

/* Not present, but a unit has what was there before: to be flushed, though
 * an entry that was not present needs none. */
static void test_set_after_failed_clearing_flushes(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    const struct vtdpi_irte none = {0, 0};

    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_IQE, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), VTDPI_EIQE);
    assert_remapped(m, 1, index, 0x51); /* stale */
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 1, index, 0x52);
}

static void test_dirty_is_kept_per_index(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const uint32_t other = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER);
    assert_int_equal(vtdpi_table_set(&m->table, other, &irte), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, other));
    assert_true(vtdpi_table_is_dirty(&m->table, index));
}

/* Posted to vCPU 1, vector 61h: PID at 5_2000_0040h. In unit 0's cache. */
static uint32_t posted_entry(struct machine *m)
{
    const struct vtdpi_irte post = {UINT64_C(0x2000004000618001),
                                    UINT64_C(0x0000000500040310)};
    const uint32_t index = machine_index(m);

    assert_int_equal(vtdpi_table_set(&m->table, index, &post), 0);
    assert_posted(m, 0, index, 1, 0x61);
    return index;
}

/* A posted form was retired, its flush failed, and a device used it again.
 * Leaves a post in flight, and the entry not present and dirty. */
static uint32_t retired_in_flight(struct machine *m)
{
    const struct vtdpi_irte none = {0, 0};
    uint32_t index;

    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_POST_LATE);
    index = posted_entry(m);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), VTDPI_ETIMEDOUT);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_POST_LATE, 0);
    assert_int_equal(machine_raise(m, 0, index).outcome, VTDPI_MODEL_IN_FLIGHT);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(vtdpi_model_in_flight(&m->model[0]), 1);
    return index;
}

static void test_repeated_flushes_drain(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte irte = entry_remapped(0x52);
    uint32_t index = retired_in_flight(m);

    assert_int_equal(vtdpi_table_flush(&m->table, index, 1), 0);
    assert_int_equal(vtdpi_model_in_flight(&m->model[0]), 0);
    (void)retired_in_flight(m);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_int_equal(vtdpi_model_in_flight(&m->model[0]), 0);
    index = retired_in_flight(m);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(vtdpi_model_in_flight(&m->model[0]), 0);
}

/* The unit executes between two polls of the waiter. The last thing before that
 * is an interrupt, which still goes by the old entry. */
static struct {
    struct machine *m;
    uint32_t index;
} late;

static void raise_then_execute(void *ctx)
{
    struct vtdpi_model *model = ctx;

    if (model == &late.m->model[0] && model->params.manual) {
        assert_int_equal(machine_raise(late.m, 0, late.index).outcome,
                         VTDPI_MODEL_IN_FLIGHT);
        assert_int_equal(vtdpi_model_fetch(model, 2), 2);
        assert_int_equal(vtdpi_model_complete(model, 2), 2);
        model->params.manual = false;
    }
    vtdpi_model_platform_ops.relax(ctx);
}

/* A read before the wait would leave that interrupt in flight: the poll that
 * finds the status word reads no register. */
static void test_set_drains_after_it_has_waited(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte none = {0, 0};
    const uint32_t index = posted_entry(m);

    late.m = m;
    late.index = index;
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_POST_LATE, 0);
    m->model[0].params.manual = true;
    m->ops.relax = raise_then_execute;
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), 0);
    assert_false(m->model[0].params.manual);
    assert_int_equal(vtdpi_model_in_flight(&m->model[0]), 0);
    assert_int_equal(machine_count(m, 0).posted, 2);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_flush_any_range_needs_at_most_two_blocks),
        TEST(test_flush_aligned_block_covers_nothing_else),
        TEST(test_flush_unaligned_takes_two_small_blocks),
        TEST(test_flush_respects_mhmv_then_goes_global),
        TEST(test_flush_all_is_one_global_block),
        TEST(test_flush_bad_range_is_refused),
        TEST(test_backend_ranges_are_collected_and_flushed_once),
        TEST(test_backend_too_many_ranges_become_global),
        TEST(test_backend_stale_old_value_returns_eagain),
        TEST(test_set_flushes_any_number_of_units),
        TEST(test_flush_ring_too_full_goes_global),
        TEST(test_set_status_never_written_times_out),
        TEST(test_set_queue_stuck_times_out),
        TEST(test_set_descriptor_refused_returns_eiqe),
        TEST(test_set_unit_gone_returns_eio),
        TEST(test_set_first_error_is_returned),
        TEST(test_flush_all_failing_leaves_all_dirty),
        TEST(test_set_write_buffer_stuck_is_dirty),
        TEST(test_set_after_failed_clearing_flushes),
        TEST(test_dirty_is_kept_per_index),
        TEST(test_repeated_flushes_drain),
        TEST(test_set_drains_after_it_has_waited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
