/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h on modelled units: what a change does, and what it spares. */
#include <stdlib.h>

#include "test.h"

#include "machine_fixture.h"

/* init */

static void test_init_good_parameters_zeroes_table(void **state)
{
    struct machine *m = *state;

    m->entries[7].lo = 1;
    m->owners[7] = m;
    assert_int_equal(vtdpi_table_init(&m->table, &m->table_params), 0);
    assert_int_equal(m->entries[7].lo, 0);
    assert_null(vtdpi_table_owner(&m->table, 7));
    assert_false(vtdpi_table_is_allocated(&m->table, 7));
    assert_int_equal(vtdpi_table_count(&m->table), ENTRIES);
    assert_int_equal(vtdpi_table_order(&m->table), 8);
    assert_true(vtdpi_table_phys(&m->table) == TABLE_PHYS);
}

static int init_with(struct machine *m, const struct vtdpi_table_params *p)
{
    struct vtdpi_table t;

    (void)m;
    return vtdpi_table_init(&t, p);
}

static void test_init_bad_parameter_is_refused(void **state)
{
    struct machine *m = *state;
    struct vtdpi_table_params p = m->table_params;

    assert_int_equal(vtdpi_table_init(NULL, &p), VTDPI_EINVAL);
    assert_int_equal(init_with(m, NULL), VTDPI_EINVAL);
    p.entries = NULL;
    assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
    p = m->table_params;
    p.storage = NULL;
    assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
    p = m->table_params;
    p.mode = (enum vtdpi_apic_mode)2;
    assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
    p = m->table_params;
    p.haw = 0;
    assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
    p.haw = 65;
    assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
    for (uint32_t count = 0; count < 300; count++) {
        p = m->table_params;
        p.count = count;
        if (count < 2 || (count & (count - 1)) != 0)
            assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
    }
    p.count = 131072;
    assert_int_equal(init_with(m, &p), VTDPI_EINVAL);
}

static void test_init_alignment_is_checked(void **state)
{
    struct machine *m = *state;
    struct vtdpi_table_params p = m->table_params;

    p.entries = (struct vtdpi_irte *)(void *)((uint8_t *)m->entries + 8);
    assert_int_equal(init_with(m, &p), VTDPI_EALIGN);
    p = m->table_params;
    p.storage = (uint8_t *)p.storage + 4;
    assert_int_equal(init_with(m, &p), VTDPI_EALIGN);
    p = m->table_params;
    p.count = 2; /* a small table is page-aligned, too */
    p.phys = TABLE_PHYS + 2048;
    assert_int_equal(init_with(m, &p), VTDPI_EALIGN);
    p.count = 512; /* 8 KiB */
    p.phys = TABLE_PHYS + 4096;
    assert_int_equal(init_with(m, &p), VTDPI_EALIGN);
}

static void test_init_size_and_width_are_checked(void **state)
{
    struct machine *m = *state;
    struct vtdpi_table_params p = m->table_params;

    p.storage_size--;
    assert_int_equal(init_with(m, &p), VTDPI_ENOSPC);
    p = m->table_params;
    p.haw = 34; /* 4_0000_0000h */
    assert_int_equal(init_with(m, &p), VTDPI_ERANGE);
    p.haw = 35;
    assert_int_equal(init_with(m, &p), 0);
    p.haw = 34; /* the last table below 16 GiB */
    p.phys = UINT64_C(0x400000000) - 4096;
    assert_int_equal(init_with(m, &p), 0);
    p.haw = 64;
    p.phys = UINT64_MAX - 4095;
    assert_int_equal(init_with(m, &p), 0);
}

static void test_init_adopt_keeps_entries_and_takes_indexes(void **state)
{
    struct machine *m = *state;
    struct vtdpi_table_params p = m->table_params;
    uint32_t index;

    m->entries[0] = entry_remapped(0x30);
    m->entries[2] = entry_remapped(0x32);
    m->entries[3].lo = UINT64_C(2); /* not present */
    p.adopt = true;
    assert_int_equal(vtdpi_table_init(&m->table, &p), 0);
    assert_true(vtdpi_table_is_allocated(&m->table, 0));
    assert_false(vtdpi_table_is_allocated(&m->table, 1));
    assert_true(vtdpi_table_is_allocated(&m->table, 2));
    assert_false(vtdpi_table_is_allocated(&m->table, 3));
    assert_int_equal(m->entries[2].lo, UINT64_C(0x0000010300320001));
    assert_int_equal(vtdpi_table_alloc(&m->table, 2, NULL, &index), 0);
    assert_int_equal(index, 4);
}

/* units */

static void test_add_unit_cleans_what_was_written_before(void **state)
{
    struct machine *m = machine_new(0, 15);
    const struct vtdpi_irte irte = entry_remapped(0x44);
    const uint32_t index = machine_index(m);

    (void)state;
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    machine_add(m, 1);
    machine_enable(m, 1);
    assert_remapped(m, 1, index, 0x44);
    assert_blocked(m, 1, ENTRIES - 1, VTDPI_FR_NOT_PRESENT);
    assert_no_violation(m);
    machine_free(m);
}

/* set: delivery */

static void test_set_present_entry_is_delivered_by_all_units(void **state)
{
    struct machine *m = *state;

    (void)machine_cached(m, 0x51);
}

static void test_set_other_value_reaches_all_caches(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_remapped(m, 0, index, 0x52);
    assert_remapped(m, 1, index, 0x52);
}

/* The halves of an entry differ by themselves, too: here in SID, in the upper one. */
static void test_set_other_source_reaches_all_caches(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    struct vtdpi_irte irte = entry_remapped(0x51);

    irte.hi++;
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_blocked(m, 0, index, VTDPI_FR_SOURCE_ID);
    assert_blocked(m, 1, index, VTDPI_FR_SOURCE_ID);
}

/* The first unit has joined another table over the same memory: what a missing invalidation
 * looks like. The model must show it, or the test above shows nothing. */
static void test_set_without_a_unit_leaves_it_stale(void **state)
{
    struct machine *m = machine_new(0, 15);
    struct vtdpi_table_params p = m->table_params;
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_table other;
    uint32_t index;

    (void)state;
    p.storage = malloc(p.storage_size);
    assert_int_equal(vtdpi_table_init(&other, &p), 0);
    assert_int_equal(vtdpi_table_add_unit(&other, &m->link[0], &m->unit[0]), 0);
    machine_add(m, 1);
    machine_enable(m, 0);
    machine_enable(m, 1);
    index = machine_cached(m, 0x51);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 1, index, 0x52);
    assert_remapped(m, 0, index, 0x51); /* stale */
    assert_true(machine_raise(m, 0, index).from_cache);
    free(p.storage);
    machine_free(m);
}

static void no_clean(void *ctx, const void *p, size_t len)
{
    (void)ctx;
    (void)p;
    (void)len;
}

/* The same for the cleaning of lines: without it the unit that does not snoop
 * invalidates its cache, and then reads the old memory. */
static void test_set_without_clean_leaves_non_coherent_unit_stale(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);

    m->ops.clean = no_clean;
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 0, index, 0x52);
    assert_false(vtdpi_model_iec_lookup(&m->model[1], index, NULL));
    assert_remapped(m, 1, index, 0x51); /* stale, and from memory */
}

static void test_set_wrong_source_is_blocked(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&m->model[0], SID + 1,
                          UINT64_C(0xfee00010) | (uint64_t)index << 5, 0, &r);
    assert_int_equal(r.outcome, VTDPI_MODEL_BLOCKED);
    assert_int_equal(r.reason, VTDPI_FR_SOURCE_ID);
}

static void test_set_not_present_blocks(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte none = {0, 0};

    assert_int_equal(vtdpi_table_set(&m->table, index, &none), 0);
    assert_blocked(m, 0, index, VTDPI_FR_NOT_PRESENT);
    assert_blocked(m, 1, index, VTDPI_FR_NOT_PRESENT);
}

/* set: cost */

static void test_set_same_value_touches_nothing(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const uint64_t before = machine_accesses(m);

    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(machine_accesses(m), before);
}

static void test_set_from_not_present_needs_no_register(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const uint32_t index = machine_index(m);
    uint64_t before;

    assert_blocked(m, 0, index, VTDPI_FR_NOT_PRESENT);
    before = machine_accesses(m);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(machine_accesses(m), before);
    assert_remapped(m, 0, index, 0x51);
    assert_remapped(m, 1, index, 0x51);
}

static void test_set_change_costs_one_descriptor_and_wait(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_model_counters before[UNITS];

    for (unsigned int u = 0; u < UNITS; u++)
        before[u] = machine_count(m, u);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    for (unsigned int u = 0; u < UNITS; u++) {
        const struct vtdpi_model_counters after = machine_count(m, u);

        assert_int_equal(after.iec_index - before[u].iec_index, 1);
        assert_int_equal(after.iec_global, before[u].iec_global);
        assert_int_equal(after.waits_completed - before[u].waits_completed, 1);
    }
}

static void test_set_caching_mode_invalidates_not_present(void **state)
{
    struct machine *m = machine_new(UINT64_C(1) << 7, 15); /* CAP.CM */
    const struct vtdpi_irte irte = entry_remapped(0x51);
    const uint32_t index = machine_index(m);

    (void)state;
    for (unsigned int u = 0; u < UNITS; u++) {
        machine_add(m, u);
        machine_enable(m, u);
        assert_blocked(m, u, index, VTDPI_FR_NOT_PRESENT);
    }
    assert_true(vtdpi_model_iec_lookup(&m->model[0], index, NULL));
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 0, index, 0x51);
    assert_remapped(m, 1, index, 0x51);
    assert_no_violation(m);
    machine_free(m);
}

static unsigned int wbf_writes;

static void count_wbf(void *ctx, uint32_t off, uint32_t value)
{
    if (off == VTDPI_GCMD_REG && (value & (UINT32_C(1) << 27)) != 0)
        wbf_writes++;
    vtdpi_model_platform_ops.write32(ctx, off, value);
}

static void test_set_write_buffers_are_flushed_where_needed(void **state)
{
    struct machine *m = machine_new(UINT64_C(1) << 4, 15); /* CAP.RWBF */
    struct vtdpi_irte irte = entry_remapped(0x51);
    const struct vtdpi_irte none = {0, 0};
    const uint32_t index = machine_index(m);

    (void)state;
    m->ops.write32 = count_wbf;
    wbf_writes = 0;
    machine_add(m, 0);
    machine_add(m, 1);
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), 0);
    assert_int_equal(wbf_writes, 0); /* both are off */
    machine_enable(m, 0);
    machine_enable(m, 1);
    wbf_writes = 0;
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(wbf_writes, UNITS);
    irte = entry_remapped(0x52); /* the invalidation does that by itself */
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_int_equal(wbf_writes, UNITS);
    assert_no_violation(m);
    machine_free(m);
}

static void test_set_retiring_posted_form_drains(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_index(m);
    const struct vtdpi_irte none = {0, 0};
    /* vCPU 1: PID at 5_2000_0040h, vector 61h */
    const struct vtdpi_irte post = {UINT64_C(0x2000004000618001),
                                    UINT64_C(0x0000000500040310)};

    assert_int_equal(vtdpi_table_set(&m->table, index, &post), 0);
    assert_posted(m, 0, index, 1, 0x61);
    for (unsigned int u = 0; u < UNITS; u++) {
        vtdpi_model_set_fault(&m->model[u], VTDPI_MODEL_FAULT_POST_LATE, 0);
        assert_int_equal(machine_raise(m, u, index).outcome,
                         VTDPI_MODEL_IN_FLIGHT);
    }
    assert_int_equal(vtdpi_table_set(&m->table, index, &none), 0);
    for (unsigned int u = 0; u < UNITS; u++)
        assert_int_equal(vtdpi_model_in_flight(&m->model[u]), 0);
    assert_true((m->pids[1].pir[1] & UINT64_C(0x200000000)) != 0);
}

/* set: bad input */

static void test_set_bad_argument_is_refused_unchanged(void **state)
{
    struct machine *m = *state;
    const uint32_t index = machine_cached(m, 0x51);
    const struct vtdpi_irte none = {0, 0}; /* what is there */
    struct vtdpi_irte irte = entry_remapped(0x52);
    struct vtdpi_irte found;

    assert_int_equal(vtdpi_table_set(NULL, index, &irte), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_set(&m->table, index, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_set(&m->table, ENTRIES, &irte), VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_set(&m->table, index + 1, &irte), VTDPI_EFREE);
    assert_int_equal(vtdpi_table_set(&m->table, index + 1, &none), VTDPI_EFREE);
    irte.lo |= UINT64_C(1) << 12;
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte),
                     VTDPI_EIRTE_RESERVED);
    /* A PID at 2^46: above the host address width. */
    irte = (struct vtdpi_irte){UINT64_C(0x0000000000618001),
                               UINT64_C(0x0000400000040310)};
    assert_int_equal(vtdpi_table_set(&m->table, index, &irte),
                     VTDPI_EIRTE_PDA_WIDTH);
    assert_remapped(m, 0, index, 0x51);
    assert_int_equal(vtdpi_table_read(&m->table, index, &found), 0);
    assert_int_equal(found.lo, UINT64_C(0x0000010300510001));
    assert_int_equal(vtdpi_table_read(&m->table, ENTRIES, &found),
                     VTDPI_EINDEX);
    assert_false(vtdpi_table_is_dirty(&m->table, index));
    assert_false(vtdpi_table_is_dirty(&m->table, ENTRIES));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_init_good_parameters_zeroes_table),
        TEST(test_init_bad_parameter_is_refused),
        TEST(test_init_alignment_is_checked),
        TEST(test_init_size_and_width_are_checked),
        TEST(test_init_adopt_keeps_entries_and_takes_indexes),
        TEST(test_add_unit_cleans_what_was_written_before),
        TEST(test_set_present_entry_is_delivered_by_all_units),
        TEST(test_set_other_value_reaches_all_caches),
        TEST(test_set_other_source_reaches_all_caches),
        TEST(test_set_without_a_unit_leaves_it_stale),
        TEST(test_set_without_clean_leaves_non_coherent_unit_stale),
        TEST(test_set_wrong_source_is_blocked),
        TEST(test_set_not_present_blocks),
        TEST(test_set_same_value_touches_nothing),
        TEST(test_set_from_not_present_needs_no_register),
        TEST(test_set_change_costs_one_descriptor_and_wait),
        TEST(test_set_caching_mode_invalidates_not_present),
        TEST(test_set_write_buffers_are_flushed_where_needed),
        TEST(test_set_retiring_posted_form_drains),
        TEST(test_set_bad_argument_is_refused_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
