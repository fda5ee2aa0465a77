/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups over a table and lists that are linked. A shape is cut between two
 * structures, the rest becomes a list, and every look-up has to give what it gives
 * in the whole table.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/dmar.h"

#include "dmar_shapes.h"
#include "dmar_support.h"

#define HEADER    48
#define PARTS     3
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define SOME_SIDS 0x10000u

static const struct vtdpi_source_pci_ops pci = {dmar_any_bridge};

/* A shape, and the same in parts: a table, and lists behind it. */
struct chain {
    struct dmar_build b;
    struct vtdpi_dmar whole;
    struct dmar_build head; /* the table of the first part */
    struct vtdpi_dmar part[PARTS];
    uint32_t units[PARTS]; /* in the parts before */
};

static uint32_t count_units(const struct vtdpi_dmar *d)
{
    struct vtdpi_dmar_struct s = {0};
    uint32_t n = 0;

    while (vtdpi_dmar_next(d, &s) > 0)
        n += s.type == VTDPI_DMAR_DRHD;
    return n;
}

static void chain_build(struct chain *c, const char *shape)
{
    dmar_shape_build(shape, &c->b);
    assert_int_equal(
        vtdpi_dmar_open(c->b.bytes, c->b.length, 0, &c->whole, NULL), 0);
}

/* Cuts at two offsets. */
static void chain_cut(struct chain *c, size_t first, size_t second)
{
    c->head = c->b;
    c->head.length = first;
    dmar_end(&c->head);
    assert_int_equal(
        vtdpi_dmar_open(c->head.bytes, first, 0, &c->part[0], NULL), 0);
    assert_int_equal(
        vtdpi_dmar_open_list(c->b.bytes + first, second - first, &c->part[1]),
        0);
    assert_int_equal(vtdpi_dmar_open_list(c->b.bytes + second,
                                          c->b.length - second, &c->part[2]),
                     0);
    c->units[0] = 0;
    for (unsigned int i = 1; i < PARTS; i++) {
        assert_null(c->part[i - 1].next);
        c->part[i - 1].next = &c->part[i];
        c->units[i] = c->units[i - 1] + count_units(&c->part[i - 1]);
    }
}

/* What was found: the same unit, said to be where it is. */
static void assert_same_unit(const struct chain *c,
                             const struct vtdpi_dmar_drhd *whole,
                             const struct vtdpi_dmar_drhd *found)
{
    size_t i = 0;

    while (i < PARTS && found->table != &c->part[i])
        i++;
    assert_true(i < PARTS);
    assert_ptr_equal(whole->table, &c->whole);
    assert_int_equal(c->units[i] + found->index, whole->index);
    assert_true(found->base == whole->base);
    assert_int_equal(found->include_all, whole->include_all);
}

static void assert_find_pci_is_same(const struct chain *c, uint16_t segment,
                                    unsigned int step)
{
    for (unsigned int sid = 0; sid < SOME_SIDS; sid += step) {
        struct vtdpi_dmar_drhd whole;
        struct vtdpi_dmar_drhd found;
        const int rc = vtdpi_dmar_find_pci(&c->whole, &pci, NULL, segment,
                                           (uint16_t)sid, &whole);

        assert_int_equal(vtdpi_dmar_find_pci(&c->part[0], &pci, NULL, segment,
                                             (uint16_t)sid, &found),
                         rc);
        if (rc == 0)
            assert_same_unit(c, &whole, &found);
    }
}

static void assert_find_id_is_same(const struct chain *c,
                                   enum vtdpi_dmar_scope_type type)
{
    for (unsigned int id = 0; id < 16; id++) {
        const uint8_t one = (uint8_t)id;
        struct vtdpi_dmar_drhd whole;
        struct vtdpi_dmar_drhd found;
        uint8_t none;
        uint16_t sids[2];
        const int rc = vtdpi_dmar_find_id(&c->whole, &pci, NULL, type, one,
                                          &whole, &sids[0]);

        assert_int_equal(vtdpi_dmar_find_id(&c->part[0], &pci, NULL, type, one,
                                            &found, &sids[1]),
                         rc);
        if (type == VTDPI_DMAR_SCOPE_IOAPIC)
            assert_int_equal(vtdpi_dmar_uncovered_ioapics(&c->part[0], &pci,
                                                          NULL, &one, 1, &none),
                             rc != 0);
        if (rc != 0)
            continue;
        assert_same_unit(c, &whole, &found);
        assert_int_equal(sids[1], sids[0]);
    }
}

static void assert_look_ups_are_same(const struct chain *c)
{
    assert_find_pci_is_same(c, 0, 8);
    assert_find_pci_is_same(c, 1, 64);
    assert_find_id_is_same(c, VTDPI_DMAR_SCOPE_IOAPIC);
    assert_find_id_is_same(c, VTDPI_DMAR_SCOPE_HPET);
    assert_find_id_is_same(c, VTDPI_DMAR_SCOPE_ACPI);
}

/* Every two cuts, equal ones too: empty parts are no end. */
static void test_dmar_chain_every_cut_finds_as_the_whole_table(void **state)
{
    static const char *const shapes[] = {
        "all_first", "all_last", "bridges", "every_type",
        "ioapics",   "laptop",   "no_unit", "segments",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        size_t cuts[32] = {HEADER};
        struct vtdpi_dmar_struct s = {0};
        struct chain c;
        size_t n = 1;

        chain_build(&c, shapes[i]);
        while (vtdpi_dmar_next(&c.whole, &s) > 0)
            cuts[n++] = s.offset + s.length;
        for (size_t first = 0; first < n; first++) {
            for (size_t second = first; second < n; second++) {
                chain_cut(&c, cuts[first], cuts[second]);
                assert_look_ups_are_same(&c);
            }
        }
    }
}

/* Units of the table alone, as before a bridge was added: 00:02.0 has its own one,
 * and the rest comes with the list. */
static void test_dmar_chain_starts_where_the_caller_says(void **state)
{
    struct vtdpi_dmar_drhd drhd;
    struct chain c;

    (void)state;
    chain_build(&c, "all_last");
    chain_cut(&c, HEADER + 32, HEADER + 32);
    assert_int_equal(
        vtdpi_dmar_find_pci(&c.part[0], &pci, NULL, 0, 0x0018, &drhd), 0);
    assert_ptr_equal(drhd.table, &c.part[2]);
    assert_int_equal(drhd.index, 0);
    assert_int_equal(
        vtdpi_dmar_find_pci(&c.part[2], &pci, NULL, 0, 0x0010, &drhd), 0);
    assert_true(drhd.include_all); /* the unit of 00:02.0 is not in the list */
    c.part[1].next = NULL;
    assert_int_equal(
        vtdpi_dmar_find_pci(&c.part[0], &pci, NULL, 0, 0x0018, &drhd),
        VTDPI_ENOENT);
}

/* A list that is wrong is no list less: what it claims is not known. */
static void test_dmar_chain_malformed_list_makes_no_guess(void **state)
{
    struct vtdpi_dmar_drhd drhd = {.index = 777};
    uint16_t sid = 0x7777;
    struct chain c;

    (void)state;
    chain_build(&c, "all_last");
    chain_cut(&c, HEADER + 32, HEADER + 32);
    c.b.bytes[HEADER + 32 + 2]--; /* a byte of the last scope is left over */
    assert_int_equal(
        vtdpi_dmar_find_pci(&c.part[0], &pci, NULL, 0, 0x0010, &drhd),
        VTDPI_EDMAR_SCOPE);
    assert_int_equal(vtdpi_dmar_find_id(&c.part[0], &pci, NULL,
                                        VTDPI_DMAR_SCOPE_IOAPIC, 4, &drhd,
                                        &sid),
                     VTDPI_EDMAR_SCOPE);
    assert_int_equal(drhd.index, 777);
    assert_int_equal(sid, 0x7777);
}

static void assert_check(const struct vtdpi_dmar *first, int rc,
                         const struct vtdpi_dmar *table, size_t offset)
{
    struct vtdpi_dmar_problem at = {0};

    assert_int_equal(vtdpi_dmar_check(first, &at), rc);
    assert_int_equal(vtdpi_dmar_check(first, NULL), rc);
    assert_ptr_equal(at.table, table);
    assert_int_equal(at.offset, offset);
}

/* The scopes of the second unit are those of the list. */
static void test_dmar_chain_check_names_the_table(void **state)
{
    struct chain c;

    (void)state;
    chain_build(&c, "zero_tail");
    chain_cut(&c, HEADER + 32, HEADER + 56);
    assert_check(&c.part[0], VTDPI_EDMAR_TAIL, &c.part[2], 0);
    c.part[1].next = NULL;
    assert_check(&c.part[0], 0, NULL, 0);
    c.b.bytes[HEADER + 32 + 16 + 1] = 6; /* the scope of the list */
    assert_check(&c.part[0], VTDPI_EDMAR_SCOPE, &c.part[1], 16);
    c.part[1].next = &c.part[2];
    assert_check(&c.part[0], VTDPI_EDMAR_SCOPE, &c.part[1], 16);
    c.b.bytes[HEADER + 32 + 8 + 1] = 1; /* and the base before it */
    assert_check(&c.part[0], VTDPI_EDMAR_BASE, &c.part[1], 8);
}

/* The first of several tables with zeros; what is wrong behind them comes first. */
static void test_dmar_chain_check_reports_tails_last(void **state)
{
    static const uint8_t zeros[8];
    struct vtdpi_dmar bad;
    struct chain c;

    (void)state;
    chain_build(&c, "zero_tail");
    chain_cut(&c, HEADER + 32, HEADER + 56);
    assert_int_equal(vtdpi_dmar_open_list(zeros, 8, &c.part[0]), 0);
    c.part[0].next = &c.part[1];
    assert_check(&c.part[0], VTDPI_EDMAR_TAIL, &c.part[0], 0);
    assert_int_equal(vtdpi_dmar_open_list("\1\0\4", 4, &bad), 0);
    c.part[2].next = &bad;
    assert_check(&c.part[0], VTDPI_EDMAR_STRUCT, &bad, 0);
}

/* Two lists with a unit for the same function. */
static void test_dmar_chain_first_of_equal_claims_wins(void **state)
{
    struct vtdpi_dmar_drhd drhd;
    struct vtdpi_dmar a;
    struct vtdpi_dmar b;
    struct dmar_build x;
    struct dmar_build y;

    (void)state;
    dmar_shape_build("one_device", &x);
    dmar_shape_build("all_last", &y);
    assert_int_equal(vtdpi_dmar_open(x.bytes, x.length, 0, &a, NULL), 0);
    assert_int_equal(vtdpi_dmar_open(y.bytes, y.length, 0, &b, NULL), 0);
    a.next = &b;
    assert_int_equal(vtdpi_dmar_find_pci(&a, &pci, NULL, 0, 0x0010, &drhd), 0);
    assert_ptr_equal(drhd.table, &a);
    a.next = NULL;
    b.next = &a;
    assert_int_equal(vtdpi_dmar_find_pci(&b, &pci, NULL, 0, 0x0010, &drhd), 0);
    assert_ptr_equal(drhd.table, &b);
}

/* Walks and decoders stay in their table. */
static void test_dmar_chain_walk_stays_in_its_table(void **state)
{
    struct vtdpi_dmar_struct s = {0};
    struct vtdpi_dmar_drhd drhd;
    unsigned int n = 0;
    struct chain c;

    (void)state;
    chain_build(&c, "segments");
    chain_cut(&c, HEADER + 24, HEADER + 48);
    while (vtdpi_dmar_next(&c.part[1], &s) > 0) {
        assert_int_equal(vtdpi_dmar_get_drhd(&c.part[1], &s, &drhd), 0);
        assert_ptr_equal(drhd.table, &c.part[1]);
        assert_int_equal(drhd.index, n++);
    }
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_chain_every_cut_finds_as_the_whole_table),
        cmocka_unit_test(test_dmar_chain_starts_where_the_caller_says),
        cmocka_unit_test(test_dmar_chain_malformed_list_makes_no_guess),
        cmocka_unit_test(test_dmar_chain_check_names_the_table),
        cmocka_unit_test(test_dmar_chain_check_reports_tails_last),
        cmocka_unit_test(test_dmar_chain_first_of_equal_claims_wins),
        cmocka_unit_test(test_dmar_chain_walk_stays_in_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
