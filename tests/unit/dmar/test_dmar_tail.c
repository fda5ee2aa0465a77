/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes behind the last structure of a DMAR table. */
#include "test.h"

#include <string.h>

#include "vtdpi/dmar.h"

#include "dmar_build.h"
#include "dmar_support.h"

#define TAIL_BYTES 12

struct tailed {
    struct dmar_build b;
    size_t scope; /* offset of the last scope, 8 bytes */
    size_t end;   /* offset behind the last structure */
    struct vtdpi_dmar d;
};

/* Two units, then @p extra bytes of which the last is @p last. */
static void open_with_tail(struct tailed *t, size_t extra, uint8_t last)
{
    uint8_t tail[TAIL_BYTES] = {0};

    tail[extra - 1] = last;
    dmar_begin(&t->b, 0x01, 39);
    dmar_drhd(&t->b, 0, 0, 1, 0xfed80000);
    dmar_drhd(&t->b, DMAR_ALL, 0, 0, 0xfed90000);
    t->scope = dmar_scope(&t->b, DMAR_ENDPOINT, 0, 0, 2, 0);
    t->end = dmar_raw(&t->b, tail, extra);
    dmar_end(&t->b);
    assert_int_equal(vtdpi_dmar_open(t->b.bytes, t->b.length, 0, &t->d, NULL),
                     0);
}

static void test_dmar_next_bytes_left_over_return_their_offset(void **state)
{
    struct tailed t;
    struct vtdpi_dmar_problem at;

    (void)state;
    for (size_t extra = 1; extra <= TAIL_BYTES; extra++) {
        open_with_tail(&t, extra, 1);
        assert_int_equal(vtdpi_dmar_check(&t.d, &at), VTDPI_EDMAR_STRUCT);
        assert_int_equal(at.offset, t.end);
    }
}

static void test_dmar_next_zeros_left_over_end_the_walk(void **state)
{
    static const struct vtdpi_source_pci_ops pci = {dmar_any_bridge};
    struct tailed t;
    struct vtdpi_dmar_drhd drhd;
    struct vtdpi_dmar_problem at;

    (void)state;
    for (size_t extra = 1; extra <= TAIL_BYTES; extra++) {
        struct vtdpi_dmar_struct s = {0};
        unsigned int n = 0;

        open_with_tail(&t, extra, 0);
        while (vtdpi_dmar_next(&t.d, &s) > 0)
            n++;
        assert_int_equal(s.offset, 0);
        assert_int_equal(n, 2);
        assert_int_equal(vtdpi_dmar_check(&t.d, &at), VTDPI_EDMAR_TAIL);
        assert_int_equal(at.offset, t.end);
        assert_int_equal(vtdpi_dmar_check(&t.d, NULL), VTDPI_EDMAR_TAIL);
        assert_int_equal(vtdpi_dmar_find_pci(&t.d, &pci, NULL, 0, 0x310, &drhd),
                         0);
        assert_int_equal(drhd.index, 1);
        assert_true(dmar_walk(t.b.bytes, t.b.length));
    }
}

/* What else is wrong is reported first. */
static void test_dmar_check_zeros_left_over_come_last(void **state)
{
    struct tailed t;
    struct vtdpi_dmar_problem at;

    (void)state;
    open_with_tail(&t, TAIL_BYTES, 0);
    t.b.bytes[t.scope + 1] = 6; /* the last scope has no path */
    assert_int_equal(vtdpi_dmar_check(&t.d, &at), VTDPI_EDMAR_SCOPE);
    assert_int_equal(at.offset, t.scope);
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
