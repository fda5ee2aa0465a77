/* SPDX-License-Identifier: BSD-2-Clause */
/* index.h: allocation of indexes, against an oracle that is an array. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/index.h"

enum {
    COUNT_MAX = 65536,
    RUNS = 7,
    BEHIND = 8 /* words behind the storage */
};

/* An allocator, and the truth about its indexes. */
struct world {
    struct vtdpi_index index;
    uint64_t *storage;
    bool used[COUNT_MAX];
    uint32_t count;
};

static void world_init(struct world *w, uint32_t count)
{
    /* What lies behind the storage must stay as it is. */
    memset(w->storage, 0xa5, vtdpi_index_storage_size(count) + BEHIND * 8);
    memset(w->used, 0, sizeof(w->used));
    w->count = count;
    assert_int_equal(vtdpi_index_init(&w->index, w->storage, count), 0);
    assert_int_equal(vtdpi_index_count(&w->index), count);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->storage = malloc(vtdpi_index_storage_size(COUNT_MAX) + BEHIND * 8);
    assert_non_null(w->storage);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    free(w->storage);
    free(w);
    return 0;
}

static void assert_storage_kept(const struct world *w)
{
    const size_t words = vtdpi_index_storage_size(w->count) / 8;

    for (size_t i = words; i < words + BEHIND; i++)
        assert_int_equal(w->storage[i], UINT64_C(0xa5a5a5a5a5a5a5a5));
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
        assert_int_equal(vtdpi_index_is_allocated(&w->index, i), w->used[i]);
        assert_int_equal(vtdpi_index_check(&w->index, i, 1),
                         w->used[i] ? 0 : VTDPI_EFREE);
    }
    assert_false(vtdpi_index_is_allocated(&w->index, w->count));
}

/* Allocates, and checks the answer. Returns whether there was one. */
static bool checked_alloc(struct world *w, uint32_t n, uint32_t *first)
{
    const int rc = vtdpi_index_alloc(&w->index, n, first);

    assert_int_equal(rc, oracle_has(w, n) ? 0 : VTDPI_ENOSPC);
    if (rc != 0)
        return false;
    assert_int_equal(*first % n, 0);
    assert_true(*first + n <= w->count);
    assert_true(oracle_free(w, *first, n));
    oracle_mark(w, *first, n, true);
    return true;
}

static void checked_free(struct world *w, uint32_t first, uint32_t n)
{
    const bool ok = oracle_used(w, first, n);

    assert_int_equal(vtdpi_index_check(&w->index, first, n),
                     ok ? 0 : VTDPI_EFREE);
    assert_int_equal(vtdpi_index_free(&w->index, first, n),
                     ok ? 0 : VTDPI_EFREE);
    if (ok)
        oracle_mark(w, first, n, false);
}

static void checked_reserve(struct world *w, uint32_t first, uint32_t n)
{
    const bool ok = oracle_free(w, first, n);

    assert_int_equal(vtdpi_index_reserve(&w->index, first, n),
                     ok ? 0 : VTDPI_EBUSY);
    if (ok)
        oracle_mark(w, first, n, true);
}

/* Storage. */

static void test_storage_size_is_an_eighth_of_a_byte_an_index(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= COUNT_MAX; n *= 2)
        assert_true(vtdpi_index_storage_size(n) <= 136 + n / 8 + n / 60);
    assert_int_equal(vtdpi_index_storage_size(2), 136);
    assert_int_equal(vtdpi_index_storage_size(COUNT_MAX), 9280);
    assert_int_equal(vtdpi_index_storage_size(0), 0);
    assert_int_equal(vtdpi_index_storage_size(1), 0);
    assert_int_equal(vtdpi_index_storage_size(3), 0);
    assert_int_equal(vtdpi_index_storage_size(65535), 0);
    assert_int_equal(vtdpi_index_storage_size(131072), 0);
}

static void test_init_bad_argument_writes_nothing(void **state)
{
    struct world *w = *state;

    world_init(w, 64);
    checked_reserve(w, 8, 8);
    assert_int_equal(vtdpi_index_init(NULL, w->storage, 64), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_init(&w->index, NULL, 64), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_init(&w->index, w->storage, 1), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_init(&w->index, w->storage, 96), VTDPI_EINVAL);
    assert_agrees(w);
}

/* Every set of used indexes of a table of 8, and from there every operation.
 * A set is reached by reserving, in ascending or in descending order. */
static void reach(struct world *w, uint32_t count, uint32_t set, bool down)
{
    world_init(w, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t index = down ? count - 1 - i : i;

        if ((set >> index & 1) != 0)
            checked_reserve(w, index, 1);
    }
}

static void small_operations(struct world *w, uint32_t count, uint32_t set,
                             bool down)
{
    uint32_t first;

    for (uint32_t n = 1; n <= VTDPI_INDEX_RUN_MAX; n *= 2) {
        reach(w, count, set, down);
        (void)checked_alloc(w, n, &first);
        assert_agrees(w);
        for (first = 0; first + n <= count; first += n) {
            reach(w, count, set, down);
            checked_free(w, first, n);
            assert_agrees(w);
            (void)checked_alloc(w, n, &(uint32_t){0});
            reach(w, count, set, down);
            checked_reserve(w, first, n);
            assert_agrees(w);
        }
    }
}

static void test_small_tables_every_state_and_operation(void **state)
{
    struct world *w = *state;

    for (uint32_t count = 2; count <= 8; count *= 2) {
        for (uint32_t set = 0; set < UINT32_C(1) << count; set++) {
            small_operations(w, count, set, false);
            small_operations(w, count, set, true);
            assert_storage_kept(w);
        }
    }
}

static void test_alloc_every_size_until_full_and_back(void **state)
{
    struct world *w = *state;
    uint32_t first;

    for (uint32_t count = 2; count <= COUNT_MAX; count *= 2) {
        for (uint32_t n = 1; n <= VTDPI_INDEX_RUN_MAX && n <= count; n *= 8) {
            uint32_t got = 0;

            world_init(w, count);
            while (vtdpi_index_alloc(&w->index, n, &first) == 0) {
                assert_int_equal(first % n, 0);
                assert_true(oracle_free(w, first, n));
                oracle_mark(w, first, n, true);
                got += n;
            }
            assert_int_equal(got, count);
            assert_int_equal(vtdpi_index_alloc(&w->index, 1, &first),
                             VTDPI_ENOSPC);
            assert_agrees(w);
            checked_free(w, count - n, n);
            assert_true(checked_alloc(w, n, &first));
            assert_int_equal(first, count - n);
            for (first = 0; first < count; first += n)
                checked_free(w, first, n);
            assert_agrees(w);
        }
        assert_storage_kept(w);
    }
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
    assert_storage_kept(w);
}

static void test_random_operations_agree_with_oracle(void **state)
{
    struct world *w = *state;

    random_run(w, 64, 20000);
    random_run(w, 128, 20000);
    random_run(w, 1024, 20000);
    random_run(w, 8192, 4000); /* two groups of hints */
}

/* What another CPU leaves that takes the last run between two loads of an allocator:
 * a bit of the top word above a hint word that is empty. */
static void test_alloc_follows_no_empty_hint_word(void **state)
{
    struct world *w = *state;
    uint32_t first;

    world_init(w, COUNT_MAX); /* bits that a stray leaf would be taken from */
    world_init(w, 2);
    assert_int_equal(w->index.top[2], 0); /* no run of 4 */
    checked_reserve(w, 0, 2);
    assert_int_equal(w->index.top[0], 0);
    w->index.top[0] = 1;
    assert_false(checked_alloc(w, 1, &first));
    assert_int_equal(w->index.top[0], 0);
    assert_storage_kept(w);
}

static void test_alloc_bad_argument_is_refused(void **state)
{
    struct world *w = *state;
    uint32_t first = 77;

    world_init(w, 64);
    assert_int_equal(vtdpi_index_alloc(NULL, 1, &first), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_alloc(&w->index, 1, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_alloc(&w->index, 0, &first), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_alloc(&w->index, 3, &first), VTDPI_EINVAL);
    assert_int_equal(vtdpi_index_alloc(&w->index, 128, &first), VTDPI_EINVAL);
    assert_int_equal(first, 77);
    assert_agrees(w);
}

typedef int call_fn(struct vtdpi_index *x, uint32_t first, uint32_t count);

static int check_call(struct vtdpi_index *x, uint32_t first, uint32_t count)
{
    return vtdpi_index_check(x, first, count);
}

static void test_calls_on_a_bad_run_are_refused(void **state)
{
    static call_fn *const calls[] = {vtdpi_index_reserve, vtdpi_index_free,
                                     check_call};
    struct world *w = *state;

    for (unsigned int i = 0; i < 3; i++) {
        world_init(w, 64);
        checked_reserve(w, 32, 8);
        assert_int_equal(calls[i](NULL, 32, 1), VTDPI_EINVAL);
        assert_int_equal(calls[i](&w->index, 32, 0), VTDPI_EINVAL);
        assert_int_equal(calls[i](&w->index, 32, 6), VTDPI_EINVAL);
        assert_int_equal(calls[i](&w->index, 0, 128), VTDPI_EINVAL);
        assert_int_equal(calls[i](&w->index, 33, 2), VTDPI_EALIGN);
        assert_int_equal(calls[i](&w->index, 64, 1), VTDPI_EINDEX);
        assert_int_equal(calls[i](&w->index, UINT32_MAX, 1), VTDPI_EINDEX);
        assert_agrees(w);
        world_init(w, 16); /* smaller than the longest run */
        assert_int_equal(calls[i](&w->index, 0, 32), VTDPI_EINDEX);
    }
}

static void test_free_twice_is_detected(void **state)
{
    struct world *w = *state;
    uint32_t first;

    world_init(w, 64);
    assert_true(checked_alloc(w, 4, &first));
    checked_free(w, first + 2, 2); /* a part */
    checked_free(w, first, 4);
    checked_free(w, first, 2);
    checked_free(w, first, 2);
    assert_agrees(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_storage_size_is_an_eighth_of_a_byte_an_index),
        TEST(test_init_bad_argument_writes_nothing),
        TEST(test_small_tables_every_state_and_operation),
        TEST(test_alloc_every_size_until_full_and_back),
        TEST(test_random_operations_agree_with_oracle),
        TEST(test_alloc_follows_no_empty_hint_word),
        TEST(test_alloc_bad_argument_is_refused),
        TEST(test_calls_on_a_bad_run_are_refused),
        TEST(test_free_twice_is_detected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
