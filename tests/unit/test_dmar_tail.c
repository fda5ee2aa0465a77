/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes behind the last structure of a DMAR table. */
#include "test.h"

#include <string.h>

#include "vtdpi/dmar.h"

#include "dmar_support.h"

/* clang-format off */
static const uint8_t literal[] = {
    DMAR_HEADER(1),
    0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0xd8, 0xfe, 0, 0, 0, 0, /* segment 1 */
    0, 0, 24, 0, 1, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, /* segment 0 */
        1, 8, 0, 0, 0, 0, 2, 0,                            /* 00:02.0 */
};
/* clang-format on */

#define LITERAL_BYTES sizeof(literal)
#define TAIL_BYTES    12

/* The literal table, then @p extra bytes of which the last is @p last. */
static struct vtdpi_dmar open_with_tail(uint8_t *table, size_t extra,
                                        uint8_t last)
{
    struct vtdpi_dmar d;

    memset(table, 0, LITERAL_BYTES + TAIL_BYTES);
    memcpy(table, literal, LITERAL_BYTES);
    table[LITERAL_BYTES + extra - 1] = last;
    dmar_seal(table, LITERAL_BYTES + extra);
    assert_int_equal(vtdpi_dmar_open(table, LITERAL_BYTES + extra, 0, &d, NULL),
                     0);
    return d;
}

static void test_dmar_next_bytes_left_over_return_their_offset(void **state)
{
    uint8_t table[LITERAL_BYTES + TAIL_BYTES];
    size_t at;

    (void)state;
    for (size_t extra = 1; extra <= TAIL_BYTES; extra++) {
        const struct vtdpi_dmar d = open_with_tail(table, extra, 1);

        at = 777;
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_STRUCT);
        assert_int_equal(at, LITERAL_BYTES);
    }
}

static void test_dmar_next_zeros_left_over_end_the_walk(void **state)
{
    static const struct vtdpi_pci_ops pci = {dmar_any_bridge};
    uint8_t table[LITERAL_BYTES + TAIL_BYTES];
    struct vtdpi_dmar_drhd drhd;
    size_t at;

    (void)state;
    for (size_t extra = 1; extra <= TAIL_BYTES; extra++) {
        const struct vtdpi_dmar d = open_with_tail(table, extra, 0);
        struct vtdpi_dmar_struct s = {0};
        unsigned int n = 0;

        while (vtdpi_dmar_next(&d, &s) > 0)
            n++;
        assert_int_equal(s.offset, 0);
        assert_int_equal(n, 2);
        at = 777;
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_TAIL);
        assert_int_equal(at, LITERAL_BYTES);
        assert_int_equal(vtdpi_dmar_check(&d, NULL), VTDPI_EDMAR_TAIL);
        assert_int_equal(vtdpi_dmar_find_pci(&d, &pci, NULL, 0, 0x310, &drhd),
                         0);
        assert_int_equal(drhd.index, 1);
        assert_true(dmar_walk(table, LITERAL_BYTES + extra));
    }
}

/* What else is wrong is reported first. */
static void test_dmar_check_zeros_left_over_come_last(void **state)
{
    uint8_t table[LITERAL_BYTES + TAIL_BYTES];
    const struct vtdpi_dmar d = open_with_tail(table, TAIL_BYTES, 0);
    size_t at = 777;

    (void)state;
    table[LITERAL_BYTES - 7] = 6; /* the last scope has no path */
    assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_SCOPE);
    assert_int_equal(at, LITERAL_BYTES - 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_next_bytes_left_over_return_their_offset),
        cmocka_unit_test(test_dmar_next_zeros_left_over_end_the_walk),
        cmocka_unit_test(test_dmar_check_zeros_left_over_come_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
