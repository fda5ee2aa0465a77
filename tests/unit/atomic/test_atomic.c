/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of atomic.h over the macros of a config header (seam.h): built
 * once for each macro alone and once for all of them.
 */
#include "test.h"

#include "vtdpi/pid.h"

struct seam seam;

static int setup(void **state)
{
    (void)state;
    seam = (struct seam){0};
    return 0;
}

/* What is counted of @n accesses if the config header defines @macro. */
static unsigned int seen(int macro, unsigned int n)
{
    return (SEAM_REPLACES & macro) != 0 ? n : 0;
}

static unsigned int points(void)
{
    return seam.points[SEAM_AT_LOAD] + seam.points[SEAM_AT_STORE] +
           seam.points[SEAM_AT_RMW];
}

static void assert_points(unsigned int loads, unsigned int stores,
                          unsigned int rmws)
{
    assert_int_equal(seam.points[SEAM_AT_LOAD], seen(SEAM_POINT, loads));
    assert_int_equal(seam.points[SEAM_AT_STORE], seen(SEAM_POINT, stores));
    assert_int_equal(seam.points[SEAM_AT_RMW], seen(SEAM_POINT, rmws));
}

/* The last access was that of the word at @p. */
static void assert_at(const void *p)
{
    assert_ptr_equal(seam.at, (SEAM_REPLACES & SEAM_POINT) != 0 ? p : NULL);
}

static void test_loads_each_order_is_seen_and_the_word_is_read(void **state)
{
    uint64_t word = UINT64_C(0x8000000000000001);
    uint32_t half = 0x80000001;
    void *pointer = &word;

    (void)state;
    assert_true(vtdpi_atomic_load64_relaxed(&word) == word);
    assert_int_equal(seam.loads[__ATOMIC_RELAXED], seen(SEAM_LOAD, 1));
    assert_at(&word);
    assert_true(vtdpi_atomic_load64_acquire(&word) == word);
    assert_int_equal(seam.loads[__ATOMIC_ACQUIRE], seen(SEAM_LOAD, 1));
    assert_true(vtdpi_atomic_load64(&word) == word);
    assert_int_equal(seam.loads[__ATOMIC_SEQ_CST], seen(SEAM_LOAD, 1));
    assert_true(vtdpi_atomic_load32_acquire(&half) == half);
    assert_int_equal(seam.loads[__ATOMIC_ACQUIRE], seen(SEAM_LOAD, 2));
    assert_at(&half);
    assert_ptr_equal(vtdpi_atomic_load_ptr_acquire(&pointer), &word);
    assert_int_equal(seam.loads[__ATOMIC_ACQUIRE], seen(SEAM_LOAD, 3));
    assert_at(&pointer);
    assert_points(5, 0, 0);
}

static void test_stores_each_order_is_seen_and_the_word_is_written(void **state)
{
    uint64_t word = 0;
    uint32_t half = 0;
    void *pointer = NULL;

    (void)state;
    vtdpi_atomic_store64_relaxed(&word, UINT64_C(0x8000000000000001));
    assert_true(word == UINT64_C(0x8000000000000001));
    assert_int_equal(seam.stores[__ATOMIC_RELAXED], seen(SEAM_STORE, 1));
    assert_at(&word);
    vtdpi_atomic_store64_release(&word, 2);
    assert_true(word == 2);
    assert_int_equal(seam.stores[__ATOMIC_RELEASE], seen(SEAM_STORE, 1));
    vtdpi_atomic_store32_release(&half, 0x80000001);
    assert_true(half == 0x80000001);
    assert_int_equal(seam.stores[__ATOMIC_RELEASE], seen(SEAM_STORE, 2));
    assert_at(&half);
    vtdpi_atomic_store_ptr_release(&pointer, &word);
    assert_ptr_equal(pointer, &word);
    assert_int_equal(seam.stores[__ATOMIC_RELEASE], seen(SEAM_STORE, 3));
    assert_at(&pointer);
    assert_points(0, 4, 0);
}

static void test_rmws_each_is_seen_and_returns_the_old_word(void **state)
{
    uint64_t word = 0xf0;
    uint32_t half = 0xf0;
    void *pointer = &half;

    (void)state;
    assert_true(vtdpi_atomic_xchg64(&word, 0xcc) == 0xf0);
    assert_at(&word);
    assert_true(vtdpi_atomic_or64(&word, 0x11) == 0xcc);
    assert_true(vtdpi_atomic_and64(&word, 0x55) == 0xdd);
    assert_true(word == 0x55);
    assert_true(vtdpi_atomic_or32(&half, 0x0f) == 0xf0);
    assert_true(half == 0xff);
    assert_at(&half);
    assert_ptr_equal(vtdpi_atomic_xchg_ptr(&pointer, &word), &half);
    assert_ptr_equal(pointer, &word);
    assert_at(&pointer);
    assert_int_equal(seam.rmws, seen(SEAM_RMW, 5));
    assert_points(0, 0, 5);
}

static void test_cas_success_and_failure_are_seen(void **state)
{
    uint64_t word = 1;
    uint64_t expected = 1;

    (void)state;
    assert_true(vtdpi_atomic_cas64(&word, &expected, 2));
    assert_true(word == 2 && expected == 1);
    assert_at(&word);
    assert_false(vtdpi_atomic_cas64(&word, &expected, 3));
    assert_true(word == 2 && expected == 2);
    assert_int_equal(seam.cas, seen(SEAM_CAS, 2));
    assert_points(0, 0, 2);
}

static void test_cas128_success_and_failure_are_seen(void **state)
{
    VTDPI_ALIGNAS(16) uint64_t words[2] = {1, 2};
    const uint64_t first[2] = {1, 2};
    const uint64_t second[2] = {3, 4};

    (void)state;
    assert_true(vtdpi_atomic_cas128(words, first, second));
    assert_true(words[0] == 3 && words[1] == 4);
    assert_at(words);
    assert_false(vtdpi_atomic_cas128(words, first, second));
    assert_true(words[0] == 3 && words[1] == 4);
    assert_int_equal(seam.cas128, seen(SEAM_CAS128, 2));
    assert_points(0, 0, 2);
}

static void
test_pid_every_access_is_seen_by_its_macro_and_by_point(void **state)
{
    struct vtdpi_pid pid;
    uint64_t out[VTDPI_PIR_WORDS];

    (void)state;
    vtdpi_pid_init(&pid, 0xf2, 0x1200); /* 8 stores; sets SN */
    vtdpi_pid_test_and_clear_sn(&pid);  /* 1 and */
    vtdpi_pid_post(&pid, 0x31, false);  /* 1 or, 1 load, 1 swap */
    vtdpi_pid_post(&pid, 0xc1, false);  /* 1 or, 1 load: ON is set */
    vtdpi_pid_harvest(&pid, out);       /* 5 loads, 1 and, 2 exchanges */
    assert_true(out[0] == UINT64_C(1) << 49 && out[3] == 2);

    assert_points(7, 8, 7);
    assert_int_equal(seam.loads[__ATOMIC_SEQ_CST], seen(SEAM_LOAD, 7));
    assert_int_equal(seam.stores[__ATOMIC_RELAXED], seen(SEAM_STORE, 8));
    assert_int_equal(seam.rmws, seen(SEAM_RMW, 6));
    assert_int_equal(seam.cas, seen(SEAM_CAS, 1));
    assert_int_equal(seam.cas128, 0);
    assert_int_equal(points(), seen(SEAM_POINT, 7 + 8 + 6 + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            test_loads_each_order_is_seen_and_the_word_is_read, setup),
        cmocka_unit_test_setup(
            test_stores_each_order_is_seen_and_the_word_is_written, setup),
        cmocka_unit_test_setup(test_rmws_each_is_seen_and_returns_the_old_word,
                               setup),
        cmocka_unit_test_setup(test_cas_success_and_failure_are_seen, setup),
        cmocka_unit_test_setup(test_cas128_success_and_failure_are_seen, setup),
        cmocka_unit_test_setup(
            test_pid_every_access_is_seen_by_its_macro_and_by_point, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
