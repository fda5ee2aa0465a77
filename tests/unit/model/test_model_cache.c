/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

/* Remapped entries with vector 51h and 52h to APIC id 3. */
#define OLD 0x0000000300510001ull
#define NEW 0x0000000300520001ull

static uint8_t vector_of(struct rig *rig, uint32_t index)
{
    assert_int_equal(rig_fire(rig, index), VTDPI_MODEL_REMAPPED);
    return rig->r.vector;
}

static bool cached(struct rig *rig, uint32_t index)
{
    return vtdpi_model_iec_lookup(&rig->m, index, NULL);
}

static void invalidate(struct rig *rig, uint32_t index, uint32_t mask)
{
    rig_put(rig, (uint64_t)index << 32 | (uint64_t)mask << 27 | 0x14, 0);
    rig_kick(rig);
}

static void test_change_without_invalidation_is_stale(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 1, OLD, 0);
    assert_int_equal(vector_of(rig, 1), 0x51);
    assert_false(rig->r.from_cache);
    rig_entry(rig, 1, NEW, 0);
    assert_int_equal(vector_of(rig, 1), 0x51);
    assert_true(rig->r.from_cache);
    invalidate(rig, 1, 0);
    assert_int_equal(vector_of(rig, 1), 0x52);
    assert_false(rig->r.from_cache);
    assert_int_equal(rig_count(rig).iec_hits, 1);
    assert_int_equal(rig_count(rig).iec_misses, 2);
}

static void test_removal_without_invalidation_still_delivers(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 1, OLD, 0);
    (void)vector_of(rig, 1);
    rig_entry(rig, 1, 0, 0);
    assert_int_equal(vector_of(rig, 1), 0x51);
    invalidate(rig, 1, 0);
    rig_expect_blocked(rig, 1, 0x22);
}

static void test_stale_until_wait_is_complete(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 1, OLD, 0);
    (void)vector_of(rig, 1);
    rig_entry(rig, 1, NEW, 0);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE, 50);
    invalidate(rig, 1, 0);
    assert_true(vtdpi_model_read64(&rig->m, 0x80) ==
                vtdpi_model_read64(&rig->m, 0x88)); /* IQH says nothing. */
    assert_int_equal(vector_of(rig, 1), 0x51);
    vtdpi_model_tick(&rig->m, 50);
    assert_int_equal(vector_of(rig, 1), 0x52);
}

static void test_invalidate_index_leaves_others(void **state)
{
    struct rig *rig = *state;

    for (uint32_t i = 0; i < 20; i++) {
        rig_entry(rig, i, OLD, 0);
        (void)vector_of(rig, i);
    }
    invalidate(rig, 8, 0);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(cached(rig, i), i != 8);
    invalidate(rig, 12, 2);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(cached(rig, i), i != 8 && (i < 12 || i > 15));
    rig_invalidate_all(rig);
    for (uint32_t i = 0; i < 20; i++)
        assert_false(cached(rig, i));
}

static void test_invalidate_largest_mask_covers_all(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 0, OLD, 0);
    rig_entry(rig, 255, OLD, 0);
    (void)vector_of(rig, 0);
    (void)vector_of(rig, 255);
    invalidate(rig, 0, 15);
    assert_false(cached(rig, 0));
    assert_false(cached(rig, 255));
}

static void test_invalidate_misaligned_covers_aligned_block(void **state)
{
    struct rig *rig = *state;

    for (uint32_t i = 4; i < 12; i++) {
        rig_entry(rig, i, OLD, 0);
        (void)vector_of(rig, i);
    }
    invalidate(rig, 6, 2);
    for (uint32_t i = 4; i < 12; i++)
        assert_int_equal(cached(rig, i), i >= 8);
}

static void test_not_present_cached_in_caching_mode_only(void **state)
{
    struct rig *rig = *state;

    rig_expect_blocked(rig, 1, 0x22);
    assert_false(cached(rig, 1));
    rig_entry(rig, 1, OLD, 0);
    assert_int_equal(vector_of(rig, 1), 0x51);

    rig->params.cap = RIG_CAP | 0x80; /* CM */
    rig_reset(rig);
    rig_on(rig, true);
    rig_expect_blocked(rig, 2, 0x22);
    assert_true(cached(rig, 2));
    rig_entry(rig, 2, OLD, 0);
    rig_expect_blocked(rig, 2, 0x22);
    assert_true(rig->r.from_cache);
    invalidate(rig, 2, 0);
    assert_int_equal(vector_of(rig, 2), 0x51);
}

static void test_ill_formed_not_cached(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 1, OLD | 0x1000, 0);
    rig_expect_blocked(rig, 1, 0x24);
    assert_false(cached(rig, 1));
}

static void test_wrong_source_is_cached(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 1, OLD, 0x4ffff);
    rig_expect_blocked(rig, 1, 0x26);
    assert_true(cached(rig, 1));
}

static void test_slots_collide_and_replace(void **state)
{
    struct rig *rig = *state;

    rig->params.iec_slots = 4;
    rig_reset(rig);
    rig_on(rig, true);
    rig_entry(rig, 1, OLD, 0);
    rig_entry(rig, 5, NEW, 0);
    (void)vector_of(rig, 1);
    assert_true(cached(rig, 1));
    assert_int_equal(vector_of(rig, 5), 0x52);
    assert_true(cached(rig, 5));
    assert_false(cached(rig, 1));
    invalidate(rig, 1, 0); /* Not this one's index. */
    assert_true(cached(rig, 5));
}

static void test_sticky_keeps_the_first(void **state)
{
    struct rig *rig = *state;

    rig->params.iec_slots = 4;
    rig_reset(rig);
    rig_on(rig, true);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_IEC_STICKY, 0);
    rig_entry(rig, 1, OLD, 0);
    rig_entry(rig, 5, OLD, 0);
    (void)vector_of(rig, 1);
    (void)vector_of(rig, 5);
    assert_true(cached(rig, 1));
    assert_false(cached(rig, 5));
}

static void test_no_cache_is_never_stale(void **state)
{
    struct rig *rig = *state;

    rig->params.iec = NULL;
    rig->params.iec_slots = 0;
    rig_reset(rig);
    rig_on(rig, true);
    rig_entry(rig, 1, OLD, 0);
    assert_int_equal(vector_of(rig, 1), 0x51);
    rig_entry(rig, 1, NEW, 0);
    assert_int_equal(vector_of(rig, 1), 0x52);
    assert_false(cached(rig, 1));
}

static uint64_t hits_with_seed(struct rig *rig, uint64_t seed, uint64_t period)
{
    rig->params.seed = seed;
    rig_reset(rig);
    rig_on(rig, true);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_IEC_EVICT, period);
    rig_entry(rig, 1, OLD, 0);
    for (int i = 0; i < 1000; i++)
        (void)vector_of(rig, 1);
    return rig_count(rig).iec_hits;
}

static void test_evict_by_seed(void **state)
{
    struct rig *rig = *state;
    const uint64_t a = hits_with_seed(rig, 1, 4);

    assert_in_range(a, 650, 850);
    assert_int_equal(hits_with_seed(rig, 1, 4), a);
    assert_int_not_equal(hits_with_seed(rig, 2, 4), a);
    assert_int_equal(hits_with_seed(rig, 1, 1), 0);
}

static void test_prefetch_caches_ahead_of_use(void **state)
{
    struct rig *rig = *state;
    uint64_t words[2];

    rig_entry(rig, 1, OLD, 0x77);
    assert_true(vtdpi_model_iec_prefetch(&rig->m, 1));
    assert_true(vtdpi_model_iec_lookup(&rig->m, 1, words));
    assert_true(words[0] == OLD && words[1] == 0x77);
    rig_entry(rig, 1, NEW, 0);
    assert_true(vtdpi_model_iec_prefetch(&rig->m, 1)); /* Has it already. */
    assert_int_equal(vector_of(rig, 1), 0x51);
    assert_false(vtdpi_model_iec_prefetch(&rig->m, 2)); /* Not present. */
    assert_false(vtdpi_model_iec_prefetch(&rig->m, 256));
}

static void test_new_table_keeps_stale_entries_without_esirtps(void **state)
{
    struct rig *rig = *state;
    uint64_t *second = rig_words(rig, RIG_TABLE2);

    rig_entry(rig, 0, OLD, 0);
    second[0] = NEW;
    (void)vector_of(rig, 0);
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE2 | 0x807);
    rig_command(rig, 0x01000000);
    assert_int_equal(vector_of(rig, 0), 0x51);
    rig_invalidate_all(rig);
    assert_int_equal(vector_of(rig, 0), 0x52);
}

static void test_new_table_flushes_with_esirtps(void **state)
{
    struct rig *rig = *state;
    uint64_t *second = rig_words(rig, RIG_TABLE2);

    rig->params.cap = RIG_CAP | 1ull << 62;
    rig_reset(rig);
    rig_on(rig, true);
    rig_entry(rig, 0, OLD, 0);
    second[0] = NEW;
    (void)vector_of(rig, 0);
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE2 | 0x807);
    rig_command(rig, 0x01000000);
    assert_int_equal(vector_of(rig, 0), 0x52);
}

/* Memory that is not snooped. */

struct shadow {
    struct vtdpi_model_view view;
    uint64_t *words;
};

static void incoherent(struct rig *rig, struct shadow *s)
{
    s->words = aligned_alloc(64, 4096);
    assert_non_null(s->words);
    vtdpi_model_view_init(&s->view, RIG_TABLE, rig_at(rig, RIG_TABLE), s->words,
                          4096);
    rig->params.ecap = RIG_ECAP & ~1ull;
    rig->params.views = &s->view;
    rig->params.view_count = 1;
    rig_reset(rig);
    rig_on(rig, true);
}

static void clean(struct rig *rig, uint64_t phys, size_t len)
{
    vtdpi_model_platform_ops.clean(&rig->m, rig_at(rig, phys), len);
}

static void test_view_never_cleaned_is_24h(void **state)
{
    struct rig *rig = *state;
    struct shadow s;

    incoherent(rig, &s);
    rig_entry(rig, 1, OLD, 0);
    rig_expect_blocked(rig, 1, 0x24);
    assert_false(rig->r.hidden);
    free(s.words);
}

static void test_view_changes_by_clean_only(void **state)
{
    struct rig *rig = *state;
    struct shadow s;

    incoherent(rig, &s);
    rig_entry(rig, 1, OLD, 0);
    clean(rig, RIG_TABLE + 16, 16);
    assert_int_equal(vector_of(rig, 1), 0x51);
    rig_entry(rig, 1, NEW, 0);
    rig_invalidate_all(rig);
    assert_int_equal(vector_of(rig, 1), 0x51); /* Not cleaned. */
    clean(rig, RIG_TABLE + 16, 16);
    rig_invalidate_all(rig);
    assert_int_equal(vector_of(rig, 1), 0x52);
    free(s.words);
}

static void test_view_clean_covers_whole_lines(void **state)
{
    struct rig *rig = *state;
    struct shadow s;

    incoherent(rig, &s);
    for (uint32_t i = 0; i < 256; i++)
        rig_entry(rig, i, OLD, 0);
    clean(rig, RIG_TABLE + 7 * 16 + 15, 2); /* Lines of 4 to 7, 8 to 11. */
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(rig_fire(rig, i), i >= 4 && i < 12
                                               ? VTDPI_MODEL_REMAPPED
                                               : VTDPI_MODEL_BLOCKED);
    clean(rig, RIG_TABLE - 64, 64);   /* Before ... */
    clean(rig, RIG_TABLE + 4096, 64); /* ... and behind. */
    rig_expect_blocked(rig, 0, 0x24);
    rig_expect_blocked(rig, 255, 0x24);
    clean(rig, RIG_TABLE - 4096, 3 * 4096);
    assert_int_equal(vector_of(rig, 0), 0x51);
    assert_int_equal(vector_of(rig, 255), 0x51);
    free(s.words);
}

static void test_view_ignored_by_coherent_unit(void **state)
{
    struct rig *rig = *state;
    struct shadow s;

    incoherent(rig, &s);
    rig->params.ecap = RIG_ECAP;
    rig_reset(rig);
    rig_on(rig, true);
    rig_entry(rig, 1, OLD, 0);
    assert_int_equal(vector_of(rig, 1), 0x51);
    free(s.words);
}

static void test_view_outside_is_coherent(void **state)
{
    struct rig *rig = *state;
    struct shadow s;
    uint64_t *second = rig_words(rig, RIG_TABLE2);

    incoherent(rig, &s);
    second[0] = NEW;
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE2 | 0x807);
    rig_command(rig, 0x01000000);
    rig_invalidate_all(rig);
    assert_int_equal(vector_of(rig, 0), 0x52);
    free(s.words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test_on(test_change_without_invalidation_is_stale),
        rig_test_on(test_removal_without_invalidation_still_delivers),
        rig_test_on(test_stale_until_wait_is_complete),
        rig_test_on(test_invalidate_index_leaves_others),
        rig_test_on(test_invalidate_largest_mask_covers_all),
        rig_test_on(test_invalidate_misaligned_covers_aligned_block),
        rig_test_on(test_not_present_cached_in_caching_mode_only),
        rig_test_on(test_ill_formed_not_cached),
        rig_test_on(test_wrong_source_is_cached),
        rig_test(test_slots_collide_and_replace),
        rig_test(test_sticky_keeps_the_first),
        rig_test(test_no_cache_is_never_stale),
        rig_test(test_evict_by_seed),
        rig_test_on(test_prefetch_caches_ahead_of_use),
        rig_test_on(test_new_table_keeps_stale_entries_without_esirtps),
        rig_test(test_new_table_flushes_with_esirtps),
        rig_test(test_view_never_cleaned_is_24h),
        rig_test(test_view_changes_by_clean_only),
        rig_test(test_view_clean_covers_whole_lines),
        rig_test(test_view_ignored_by_coherent_unit),
        rig_test(test_view_outside_is_coherent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
