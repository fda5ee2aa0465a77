/* SPDX-License-Identifier: BSD-2-Clause */
/* What vtdpi_dmar_check() says of units that contradict each other. */
#include "test.h"

#include <string.h>

#include "vtdpi/dmar.h"

#include "dmar_build.h"
#include "dmar_support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BASE     UINT64_C(0xfed90000)

static const struct vtdpi_source_pci_ops pci = {dmar_any_bridge};

/* Two units, each behind an RHSA, with what the test adds in between. */
struct pair {
    struct dmar_build b;
    struct vtdpi_dmar d;
    size_t first, second; /* offsets of the DRHDs */
};

static void pair_begin(struct pair *p)
{
    dmar_begin(&p->b, 0x01, 39);
    (void)dmar_rhsa(&p->b, BASE, 0);
}

static void pair_open(struct pair *p)
{
    dmar_end(&p->b);
    assert_int_equal(vtdpi_dmar_open(p->b.bytes, p->b.length, 0, &p->d, NULL),
                     0);
}

static void assert_check(const struct vtdpi_dmar *d, int rc, size_t offset,
                         size_t other)
{
    struct vtdpi_dmar_problem at = {.offset = 777};

    assert_int_equal(vtdpi_dmar_check(d, &at), rc);
    assert_int_equal(vtdpi_dmar_check(d, NULL), rc);
    if (rc == 0) {
        assert_int_equal(at.offset, 777);
        return;
    }
    assert_int_equal(at.offset, offset);
    assert_int_equal(at.other_offset, other);
    assert_ptr_equal(at.table, d);
    assert_ptr_equal(at.other_table, other == 0 ? NULL : d);
}

static void test_dmar_check_windows_that_meet_are_told(void **state)
{
    static const struct {
        uint8_t size, other_size;
        uint64_t base, other_base;
        int rc;
    } table[] = {
        {0, 0, BASE, BASE, VTDPI_EDMAR_TWICE},
        {0, 3, BASE, BASE, VTDPI_EDMAR_TWICE},
        {0, 0, BASE, BASE + 0x1000, 0},
        {1, 0, BASE, BASE + 0x1000, VTDPI_EDMAR_OVERLAP},
        {1, 0, BASE, BASE + 0x2000, 0},
        {0, 1, BASE + 0x1000, BASE, VTDPI_EDMAR_OVERLAP},
        {0, 1, BASE + 0x2000, BASE, 0},
        {15, 0, BASE, BASE + 0x7fff000, VTDPI_EDMAR_OVERLAP},
        {15, 0, BASE, BASE + 0x8000000, 0},
        /* The last bytes of all: sums must not wrap. */
        {0, 0, UINT64_MAX - 0xfff, 0x1000, 0},
        {1, 0, UINT64_MAX - 0x1fff, UINT64_MAX - 0xfff, VTDPI_EDMAR_OVERLAP},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct pair p;

        pair_begin(&p);
        p.first = dmar_drhd(&p.b, 0, table[i].size, 0, table[i].base);
        (void)dmar_rmrr(&p.b, 0, 0, 0xfff);
        p.second =
            dmar_drhd(&p.b, 0, table[i].other_size, 1, table[i].other_base);
        pair_open(&p);
        assert_check(&p.d, table[i].rc, p.second, p.first);
        assert_true(dmar_walk(p.b.bytes, p.b.length));
    }
}

/* The one that comes first serves the rest of the segment. */
static void test_dmar_check_two_units_for_the_rest_are_told(void **state)
{
    static const struct {
        uint8_t flags, other_flags;
        uint16_t segment, other_segment;
        int rc;
    } table[] = {
        {DMAR_ALL, DMAR_ALL, 3, 3, VTDPI_EDMAR_ALL},
        {DMAR_ALL, DMAR_ALL, 3, 0x103, 0},
        {DMAR_ALL, 0, 3, 3, 0},
        {0, DMAR_ALL, 3, 3, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_dmar_drhd drhd;
        struct pair p;

        pair_begin(&p);
        p.first = dmar_drhd(&p.b, table[i].flags, 0, table[i].segment, BASE);
        p.second = dmar_drhd(&p.b, table[i].other_flags, 0,
                             table[i].other_segment, BASE + 0x1000);
        pair_open(&p);
        assert_check(&p.d, table[i].rc, p.second, p.first);
        assert_int_equal(vtdpi_dmar_find_pci(&p.d, &pci, NULL, 3, 0x10, &drhd),
                         0);
        assert_int_equal(drhd.index, table[i].flags == 0 ? 1 : 0);
    }
}

/* A look-up takes the first, whose offset is the other one. */
static void test_dmar_check_one_id_under_two_units_is_told(void **state)
{
    static const enum dmar_kind kinds[] = {DMAR_IOAPIC, DMAR_HPET, DMAR_ACPI};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct vtdpi_dmar_drhd drhd;
        struct pair p;
        size_t one;
        size_t two;
        uint16_t sid;

        pair_begin(&p);
        (void)dmar_drhd(&p.b, 0, 0, 0, BASE);
        (void)dmar_scope(&p.b, DMAR_ENDPOINT, 7, 0, 1, 0);
        one = dmar_scope(&p.b, kinds[i], 7, 0xf0, 31, 0);
        (void)dmar_scope(&p.b, kinds[i], 7, 0xf0, 31, 1);
        (void)dmar_drhd(&p.b, 0, 0, 1, BASE + 0x1000);
        (void)dmar_scope(&p.b, kinds[i], 6, 0xf0, 31, 0);
        (void)dmar_scope(&p.b, DMAR_BRIDGE, 7, 0xf0, 31, 0);
        pair_open(&p);
        assert_check(&p.d, 0, 0, 0);

        two = dmar_scope(&p.b, kinds[i], 7, 0xf1, 31, 0);
        pair_open(&p);
        assert_check(&p.d, VTDPI_EDMAR_ID, two, one);
        assert_int_equal(
            vtdpi_dmar_find_id(&p.d, NULL, NULL,
                               (enum vtdpi_dmar_scope_type)kinds[i], 7, &drhd,
                               &sid),
            0);
        assert_int_equal(drhd.index, 0);
        assert_int_equal(sid, 0xf0f8);
    }
}

/* Ids of another type are no business of this one. */
static void test_dmar_check_ids_of_other_types_are_no_clash(void **state)
{
    static const uint8_t types[] = {0, 1, 2, 3, 4, 5, 6, 255};

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        for (size_t j = 0; j < COUNT(types); j++) {
            const bool clash = i == j && types[i] >= 3 && types[i] <= 5;
            struct pair p;
            size_t one;
            size_t two;

            pair_begin(&p);
            (void)dmar_drhd(&p.b, 0, 0, 0, BASE);
            one = dmar_scope(&p.b, (enum dmar_kind)types[i], 0, 0, 1, 0);
            (void)dmar_drhd(&p.b, 0, 0, 0, BASE + 0x1000);
            two = dmar_scope(&p.b, (enum dmar_kind)types[j], 0, 0, 2, 0);
            pair_open(&p);
            assert_check(&p.d, clash ? VTDPI_EDMAR_ID : 0, two, one);
        }
    }
}

/* Units in their order; what is malformed comes before, zeros come after. */
static void test_dmar_check_tells_one_thing_in_order(void **state)
{
    static const uint8_t zeros[4];
    size_t units[3];
    struct pair p;

    (void)state;
    pair_begin(&p);
    units[0] = dmar_drhd(&p.b, DMAR_ALL, 0, 0, BASE);
    units[1] = dmar_drhd(&p.b, 0, 0, 0, BASE + 0x1000);
    units[2] = dmar_drhd(&p.b, DMAR_ALL, 0, 0, BASE + 0x1000);
    (void)dmar_raw(&p.b, zeros, sizeof(zeros));
    pair_open(&p);
    assert_check(&p.d, VTDPI_EDMAR_ALL, units[2], units[0]);
    p.b.bytes[units[2] + 4] = 0;
    assert_check(&p.d, VTDPI_EDMAR_TWICE, units[2], units[1]);
    p.b.bytes[units[2] + 9] += 0x10;
    assert_check(&p.d, VTDPI_EDMAR_TAIL, units[2] + 16, 0);
    p.b.bytes[units[2] + 9] -= 0x10;
    p.b.bytes[units[2] + 8] = 1;
    assert_check(&p.d, VTDPI_EDMAR_BASE, units[2] + 8, 0);
}

/* A bridge that is added again, or whose list repeats the table. */
static void test_dmar_check_compares_units_of_two_tables(void **state)
{
    struct vtdpi_dmar_problem at = {0};
    struct vtdpi_dmar list;
    struct pair p;

    (void)state;
    pair_begin(&p);
    p.first = dmar_drhd(&p.b, 0, 0, 0, BASE);
    (void)dmar_drhd(&p.b, 0, 0, 0, BASE + 0x1000);
    p.second = dmar_rmrr(&p.b, 0, 0, 0xfff);
    (void)dmar_drhd(&p.b, 0, 1, 0, BASE - 0x1000);
    pair_open(&p);
    assert_int_equal(vtdpi_dmar_open_list(p.b.bytes + p.second,
                                          p.b.length - p.second, &list),
                     0);
    assert_int_equal(vtdpi_dmar_check(&list, NULL), 0);
    p.b.length = p.second;
    pair_open(&p);
    assert_check(&p.d, 0, 0, 0);

    p.d.next = &list;
    assert_int_equal(vtdpi_dmar_check(&p.d, &at), VTDPI_EDMAR_OVERLAP);
    assert_true(at.note);
    assert_ptr_equal(at.table, &list);
    assert_int_equal(at.offset, 24); /* behind the RMRR */
    assert_ptr_equal(at.other_table, &p.d);
    assert_int_equal(at.other_offset, p.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_check_windows_that_meet_are_told),
        cmocka_unit_test(test_dmar_check_two_units_for_the_rest_are_told),
        cmocka_unit_test(test_dmar_check_one_id_under_two_units_is_told),
        cmocka_unit_test(test_dmar_check_ids_of_other_types_are_no_clash),
        cmocka_unit_test(test_dmar_check_tells_one_thing_in_order),
        cmocka_unit_test(test_dmar_check_compares_units_of_two_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
