/* SPDX-License-Identifier: BSD-2-Clause */
/* backend.h: what a flush description collects. */
#include "test.h"

#include "vtdpi/backend.h"

enum {
    CAPACITY = 2
};

struct fixture {
    struct vtdpi_flush_range ranges[CAPACITY];
    struct vtdpi_flush flush;
};

static void begin(struct fixture *f)
{
    vtdpi_flush_init(&f->flush, f->ranges, CAPACITY);
}

static void assert_range(const struct fixture *f, uint32_t i, uint32_t first,
                         uint32_t count)
{
    assert_true(i < f->flush.used);
    assert_int_equal(f->ranges[i].first, first);
    assert_int_equal(f->ranges[i].count, count);
}

static void test_flush_init_describes_nothing(void **state)
{
    struct fixture f;

    (void)state;
    f.flush.global = f.flush.drain = f.flush.write_buffer = true;
    f.flush.used = 9;
    begin(&f);
    assert_int_equal(f.flush.used, 0);
    assert_int_equal(f.flush.capacity, CAPACITY);
    assert_ptr_equal(f.flush.ranges, f.ranges);
    assert_false(f.flush.global);
    assert_false(f.flush.drain);
    assert_false(f.flush.write_buffer);
}

static void test_flush_add_ascending_and_descending_extend(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    vtdpi_flush_add(&f.flush, 10, 1);
    vtdpi_flush_add(&f.flush, 11, 1);
    vtdpi_flush_add(&f.flush, 12, 4);
    assert_int_equal(f.flush.used, 1);
    assert_range(&f, 0, 10, 6);
    vtdpi_flush_add(&f.flush, 9, 1);
    vtdpi_flush_add(&f.flush, 5, 4);
    assert_int_equal(f.flush.used, 1);
    assert_range(&f, 0, 5, 11);
}

static void test_flush_add_overlap_is_joined(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    vtdpi_flush_add(&f.flush, 10, 10);
    vtdpi_flush_add(&f.flush, 12, 3); /* within */
    assert_range(&f, 0, 10, 10);
    vtdpi_flush_add(&f.flush, 15, 10); /* out at the end */
    assert_range(&f, 0, 10, 15);
    vtdpi_flush_add(&f.flush, 8, 4); /* out at the start */
    assert_range(&f, 0, 8, 17);
    vtdpi_flush_add(&f.flush, 0, 100); /* around */
    assert_range(&f, 0, 0, 100);
    assert_int_equal(f.flush.used, 1);
}

static void test_flush_add_gap_needs_a_range_then_is_global(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    vtdpi_flush_add(&f.flush, 10, 1);
    vtdpi_flush_add(&f.flush, 12, 1);
    assert_int_equal(f.flush.used, 2);
    assert_range(&f, 0, 10, 1);
    assert_range(&f, 1, 12, 1);
    vtdpi_flush_add(&f.flush, 13, 1); /* fits the last one */
    assert_false(f.flush.global);
    vtdpi_flush_add(&f.flush, 15, 1);
    assert_true(f.flush.global);
    assert_int_equal(f.flush.used, 2);
    assert_range(&f, 1, 12, 2);
}

static void test_flush_add_nothing_changes_nothing(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f);
    vtdpi_flush_add(&f.flush, 10, 0);
    assert_int_equal(f.flush.used, 0);
    assert_false(f.flush.global);
}

static void test_flush_add_without_storage_is_global(void **state)
{
    struct vtdpi_flush flush;

    (void)state;
    vtdpi_flush_init(&flush, NULL, 0);
    assert_false(flush.global);
    vtdpi_flush_add(&flush, 0, 1);
    assert_true(flush.global);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_flush_init_describes_nothing),
        TEST(test_flush_add_ascending_and_descending_extend),
        TEST(test_flush_add_overlap_is_joined),
        TEST(test_flush_add_gap_needs_a_range_then_is_global),
        TEST(test_flush_add_nothing_changes_nothing),
        TEST(test_flush_add_without_storage_is_global),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
