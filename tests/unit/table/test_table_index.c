/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h: its indexes and their owners, against an oracle that is an array. The
 * allocator itself is tested in test_index.c. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/table.h"

enum {
    COUNT_MAX = 65536,
    RUNS = 7
};

/* A table, and the truth about its indexes. */
struct world {
    struct vtdpi_table table;
    struct vtdpi_irte *entries;
    uint8_t *storage;
    void *owners[COUNT_MAX];
    bool used[COUNT_MAX];
    uint32_t count;
};

static void world_init(struct world *w, uint32_t count)
{
    const struct vtdpi_table_params params = {
        .entries = w->entries,
        .phys = UINT64_C(0x10000000),
        .count = count,
        .storage = w->storage,
        .storage_size = vtdpi_table_storage_size(count),
        .owners = w->owners,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    /* What lies behind the storage must stay as it is. */
    memset(w->storage, 0xa5, params.storage_size + 64);
    memset(w->used, 0, sizeof(w->used));
    w->count = count;
    assert_int_equal(vtdpi_table_init(&w->table, &params), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->entries = aligned_alloc(4096, sizeof(*w->entries) * COUNT_MAX);
    assert_non_null(w->entries);
    w->storage = malloc(vtdpi_table_storage_size(COUNT_MAX) + 64);
    assert_non_null(w->storage);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    free(w->storage);
    free(w->entries);
    free(w);
    return 0;
}

static void assert_storage_kept(const struct world *w)
{
    const size_t size = vtdpi_table_storage_size(w->count);

    for (size_t i = size; i < size + 64; i++)
        assert_int_equal(w->storage[i], 0xa5);
}

static bool oracle_free(const struct world *w, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        if (w->used[i])
            return false;
    return true;
}

static bool oracle_used(const struct world *w, uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++)
        if (!w->used[i])
            return false;
    return true;
}

static bool oracle_has(const struct world *w, uint32_t n)
{
    for (uint32_t first = 0; first + n <= w->count; first += n)
        if (oracle_free(w, first, n))
            return true;
    return false;
}

static void oracle_mark(struct world *w, uint32_t first, uint32_t n, bool used)
{
    for (uint32_t i = first; i < first + n; i++)
        w->used[i] = used;
}

static void assert_agrees(const struct world *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        assert_int_equal(vtdpi_table_is_allocated(&w->table, i), w->used[i]);
        assert_int_equal(vtdpi_table_owner(&w->table, i) != NULL, w->used[i]);
    }
    assert_false(vtdpi_table_is_allocated(&w->table, w->count));
}

/* Allocates, and checks the answer. Returns whether there was one. */
static bool checked_alloc(struct world *w, uint32_t n, uint32_t *first)
{
    const int rc = vtdpi_table_alloc(&w->table, n, w, first);

    assert_int_equal(rc, oracle_has(w, n) ? 0 : VTDPI_ENOSPC);
    if (rc != 0)
        return false;
    assert_int_equal(*first % n, 0);
    assert_true(*first + n <= w->count);
    assert_true(oracle_free(w, *first, n));
    assert_ptr_equal(vtdpi_table_owner(&w->table, *first + n - 1), w);
    oracle_mark(w, *first, n, true);
    return true;
}

static void checked_free(struct world *w, uint32_t first, uint32_t n)
{
    const bool ok = oracle_used(w, first, n);

    assert_int_equal(vtdpi_table_free(&w->table, first, n),
                     ok ? 0 : VTDPI_EFREE);
    if (ok)
        oracle_mark(w, first, n, false);
}

static void checked_reserve(struct world *w, uint32_t first, uint32_t n)
{
    const bool ok = oracle_free(w, first, n);

    assert_int_equal(vtdpi_table_reserve(&w->table, first, n, w),
                     ok ? 0 : VTDPI_EBUSY);
    if (ok)
        oracle_mark(w, first, n, true);
}

/* Storage. */

static void test_storage_size_is_about_three_bits_an_entry(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= COUNT_MAX; n *= 2)
        assert_true(vtdpi_table_storage_size(n) <= 144 + n * 3 / 8 + n / 60);
    assert_int_equal(vtdpi_table_storage_size(2), 144);
    assert_int_equal(vtdpi_table_storage_size(COUNT_MAX), 25664);
    assert_int_equal(vtdpi_table_storage_size(0), 0);
    assert_int_equal(vtdpi_table_storage_size(1), 0);
    assert_int_equal(vtdpi_table_storage_size(3), 0);
    assert_int_equal(vtdpi_table_storage_size(65535), 0);
    assert_int_equal(vtdpi_table_storage_size(131072), 0);
}

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Fills and empties in turns, so that all fills are visited. */
static void random_run(struct world *w, uint32_t count, uint32_t steps)
{
    uint64_t seed = count;
    uint32_t first;

    world_init(w, count);
    for (uint32_t i = 0; i < steps; i++) {
        const uint32_t n = UINT32_C(1) << random_next(&seed) % RUNS;
        const bool filling = (i / 500 & 1) == 0;
        const uint32_t at = random_next(&seed) % count / n * n;

        if (random_next(&seed) % 8 < (filling ? 6u : 1u))
            (void)checked_alloc(w, n, &first);
        else if (random_next(&seed) % 16 == 0 && at + n <= count)
            checked_reserve(w, at, n);
        else if (at + n <= count)
            checked_free(w, at, n);
    }
    assert_agrees(w);
    assert_int_equal(vtdpi_table_flush_all(&w->table), 0); /* of no unit */
    assert_storage_kept(w);
}

static void test_random_operations_agree_with_oracle(void **state)
{
    struct world *w = *state;

    random_run(w, 64, 20000);
    random_run(w, 1024, 20000);
}

static void test_alloc_bad_argument_is_refused(void **state)
{
    struct world *w = *state;
    uint32_t first = 77;

    world_init(w, 64);
    assert_int_equal(vtdpi_table_alloc(NULL, 1, w, &first), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_alloc(&w->table, 1, w, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_alloc(&w->table, 0, w, &first), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_alloc(&w->table, 3, w, &first), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_alloc(&w->table, 128, w, &first),
                     VTDPI_EINVAL);
    assert_int_equal(first, 77);
    assert_agrees(w);
}

static void test_reserve_and_free_bad_argument_is_refused(void **state)
{
    struct world *w = *state;

    world_init(w, 64);
    checked_reserve(w, 32, 8);
    assert_int_equal(vtdpi_table_free(NULL, 32, 1), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_free(&w->table, 32, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_free(&w->table, 32, 6), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_free(&w->table, 33, 2), VTDPI_EALIGN);
    assert_int_equal(vtdpi_table_free(&w->table, 64, 1), VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_free(&w->table, UINT32_MAX, 1), VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_free(&w->table, 0, 64), VTDPI_EFREE);
    assert_int_equal(vtdpi_table_reserve(NULL, 0, 1, w), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_reserve(&w->table, 0, 65, w), VTDPI_EINVAL);
    assert_int_equal(vtdpi_table_reserve(&w->table, 2, 4, w), VTDPI_EALIGN);
    assert_int_equal(vtdpi_table_reserve(&w->table, 64, 1, w), VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_reserve(&w->table, 32, 16, w), VTDPI_EBUSY);
    assert_agrees(w);
    world_init(w, 16); /* smaller than the longest run */
    assert_int_equal(vtdpi_table_reserve(&w->table, 0, 32, w), VTDPI_EINDEX);
    assert_int_equal(vtdpi_table_free(&w->table, 0, 32), VTDPI_EINDEX);
}

static void test_free_twice_is_detected(void **state)
{
    struct world *w = *state;
    uint32_t first;

    world_init(w, 64);
    assert_true(checked_alloc(w, 4, &first));
    checked_free(w, first + 2, 2); /* a part */
    assert_int_equal(vtdpi_table_free(&w->table, first, 4), VTDPI_EFREE);
    assert_ptr_equal(vtdpi_table_owner(&w->table, first), w); /* kept */
    checked_free(w, first, 2);
    assert_int_equal(vtdpi_table_free(&w->table, first, 2), VTDPI_EFREE);
    assert_agrees(w);
}

static void test_free_present_or_dirty_entry_is_refused(void **state)
{
    struct world *w = *state;
    const struct vtdpi_backend *b;
    const struct vtdpi_irte irte = {UINT64_C(0x0000010300510001),
                                    UINT64_C(0x0000000000040310)};
    const struct vtdpi_irte none = {0, 0};
    struct vtdpi_flush f;
    uint32_t first;

    world_init(w, 64);
    b = vtdpi_table_backend(&w->table);
    vtdpi_flush_init(&f, NULL, 0);
    assert_true(checked_alloc(w, 4, &first));
    assert_int_equal(vtdpi_table_set(&w->table, first + 3, &irte), 0);
    assert_int_equal(vtdpi_table_free(&w->table, first, 4), VTDPI_EBUSY);
    assert_int_equal(b->ops->replace(b->ctx, &f, first + 3, &irte, &none), 0);
    assert_int_equal(vtdpi_table_free(&w->table, first, 4), VTDPI_EDIRTY);
    assert_true(vtdpi_table_is_dirty(&w->table, first + 3));
    assert_false(vtdpi_table_is_dirty(&w->table, first + 2));
    assert_agrees(w);
    assert_int_equal(vtdpi_table_flush(&w->table, first + 3, 1), 0);
    checked_free(w, first, 4);
    assert_agrees(w);
}

static void test_owner_without_storage_is_null(void **state)
{
    struct world *w = *state;
    struct vtdpi_table_params params = {
        .entries = w->entries,
        .count = 64,
        .storage = w->storage,
        .storage_size = vtdpi_table_storage_size(64),
        .mode = VTDPI_XAPIC,
        .haw = 39,
    };
    uint32_t first;

    assert_int_equal(vtdpi_table_init(&w->table, &params), 0);
    assert_int_equal(vtdpi_table_alloc(&w->table, 2, w, &first), 0);
    assert_null(vtdpi_table_owner(&w->table, first));
    assert_null(vtdpi_table_owner(&w->table, 64));
    assert_int_equal(vtdpi_table_free(&w->table, first, 2), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_storage_size_is_about_three_bits_an_entry),
        TEST(test_random_operations_agree_with_oracle),
        TEST(test_alloc_bad_argument_is_refused),
        TEST(test_reserve_and_free_bad_argument_is_refused),
        TEST(test_free_twice_is_detected),
        TEST(test_free_present_or_dirty_entry_is_refused),
        TEST(test_owner_without_storage_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
