/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups of dmar.h. Walks are in test_dmar.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/dmar.h"

#include "dmar_shapes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- vtdpi_dmar_find_pci --- */

/* What is behind the bridges of the shape "bridges", as it says. */
static const struct {
    uint16_t segment, sid;
    uint8_t secondary, subordinate;
} bridges[] = {
    {0, 0x00e0, 2, 6}, {0, 0x0200, 3, 4},  {0, 0x0208, 0, 0}, {0, 0x00e8, 7, 9},
    {1, 0x00e0, 2, 6}, {0, 0x00f0, 10, 9}, {1, 0x0048, 0, 0}, {1, 0x0208, 0, 0},
};

static bool bridge_buses(void *ctx, uint16_t segment, uint16_t sid,
                         uint8_t *secondary, uint8_t *subordinate)
{
    ++*(unsigned int *)ctx;
    for (size_t i = 0; i < COUNT(bridges); i++) {
        if (bridges[i].segment == segment && bridges[i].sid == sid) {
            *secondary = bridges[i].secondary;
            *subordinate = bridges[i].subordinate;
            return true;
        }
    }
    return false;
}

static const struct vtdpi_source_pci_ops pci = {bridge_buses};

/* The shape "bridges". */
static uint8_t machine[338];

static int build_machine(void **state)
{
    struct dmar_build b;

    (void)state;
    dmar_shape_build("bridges", &b);
    assert_int_equal(b.length, sizeof(machine));
    memcpy(machine, b.bytes, sizeof(machine));
    return 0;
}

static struct vtdpi_dmar open_machine(uint8_t *bytes)
{
    struct vtdpi_dmar d;

    memcpy(bytes, machine, sizeof(machine));
    assert_int_equal(vtdpi_dmar_open(bytes, sizeof(machine), 0, &d, NULL), 0);
    return d;
}

static void test_dmar_find_pci_most_specific_claim_wins(void **state)
{
    static const struct {
        uint16_t segment, sid;
        int unit; /* or an error */
    } table[] = {
        {0, 0x0010, 2}, /* 00:02.0 named by units 2 and 5: the first */
        {0, 0x0011, 0}, /* 00:02.1 is another function */
        {0, 0x00e0, 1}, /* the bridge itself */
        {0, 0x0200, 2}, /* a bridge below, named itself */
        {0, 0x0208, 5}, /* its neighbour, named itself, not set up */
        {0, 0x0210, 1}, /* 02:02.0, behind 00:1c.0 only */
        {0, 0x0300, 2}, /* 03:00.0, the inner bridge */
        {0, 0x0400, 2}, /* last bus of the inner bridge */
        {0, 0x0500, 1}, /* behind it */
        {0, 0x06ff, 1}, /* last bus of the outer bridge */
        {0, 0x0700, 0}, /* behind a bridge nobody names */
        {0, 0x0329, 3}, /* 03:05.1 named through two bridges */
        {0, 0x0328, 2}, /* its other function */
        {0, 0x0000, 0}, /* bus 0 is not behind 02:01.0 */
        {0, 0x0048, 5}, /* 00:09.0, a bridge scope that is an endpoint */
        {0, 0x0a00, 0}, /* bus ranges turned round claim nothing */
        {0, 0x0900, 0},
        {0, 0x00e8, 3}, /* an endpoint scope that is a bridge */
        {0, 0x0730, 0}, /* an IOAPIC's path is no claim to a function */
        {1, 0x0010, 4},
        {1, 0x0000, VTDPI_ENOENT}, /* bus 0 is not behind any bridge */
        {1, 0x0300, VTDPI_ENOENT},
        {2, 0x0010, VTDPI_ENOENT},
        {256, 0x0010, VTDPI_ENOENT},
    };
    uint8_t bytes[sizeof(machine)];
    const struct vtdpi_dmar d = open_machine(bytes);

    (void)state;
    assert_int_equal(vtdpi_dmar_check(&d, NULL), 0);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_dmar_drhd drhd = {.index = 77};
        unsigned int calls = 0;
        const int rc = vtdpi_dmar_find_pci(&d, &pci, &calls, table[i].segment,
                                           table[i].sid, &drhd);

        if (table[i].unit < 0) {
            assert_int_equal(rc, table[i].unit);
            assert_int_equal(drhd.index, 77);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_int_equal(drhd.index, table[i].unit);
        assert_true(drhd.base ==
                    UINT64_C(0xfe001000) + 4096u * (unsigned)table[i].unit);
        assert_int_equal(drhd.segment, table[i].segment);
    }
}

static void test_dmar_find_pci_without_bridges_returns_einval(void **state)
{
    static const struct vtdpi_source_pci_ops none = {NULL};
    uint8_t bytes[sizeof(machine)];
    const struct vtdpi_dmar d = open_machine(bytes);
    struct vtdpi_dmar_drhd drhd;

    (void)state;
    assert_int_equal(vtdpi_dmar_find_pci(&d, NULL, NULL, 0, 0x10, &drhd),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_dmar_find_pci(&d, &none, NULL, 0, 0x10, &drhd),
                     VTDPI_EINVAL);
}

static void test_dmar_find_pci_malformed_table_makes_no_guess(void **state)
{
    uint8_t bytes[sizeof(machine)];
    struct vtdpi_dmar d = open_machine(bytes);
    struct vtdpi_dmar_drhd drhd = {.index = 77};
    unsigned int calls = 0;

    (void)state;
    bytes[sizeof(machine) - 7] = 6; /* last scope of the last unit */
    assert_int_equal(vtdpi_dmar_find_pci(&d, &pci, &calls, 0, 0x10, &drhd),
                     VTDPI_EDMAR_SCOPE);
    d = open_machine(bytes);
    bytes[sizeof(machine) - 84 + 2]--; /* last unit: a byte is left over */
    assert_int_equal(vtdpi_dmar_find_pci(&d, &pci, &calls, 0, 0x10, &drhd),
                     VTDPI_EDMAR_SCOPE);
    d = open_machine(bytes);
    bytes[sizeof(machine) - 84 + 2]++; /* it reaches beyond the table */
    assert_int_equal(vtdpi_dmar_find_pci(&d, &pci, &calls, 0, 0x10, &drhd),
                     VTDPI_EDMAR_STRUCT);
    assert_int_equal(drhd.index, 77);
}

static void test_dmar_get_drhd_index_counts_units(void **state)
{
    uint8_t bytes[sizeof(machine)];
    const struct vtdpi_dmar d = open_machine(bytes);
    struct vtdpi_dmar_struct s = {0};
    struct vtdpi_dmar_drhd drhd;
    uint32_t index = 0;

    (void)state;
    while (vtdpi_dmar_next(&d, &s) > 0) {
        assert_int_equal(vtdpi_dmar_get_drhd(&d, &s, &drhd), 0);
        assert_int_equal(drhd.index, index++);
    }
    assert_int_equal(index, 6);
    /* Something in the midst of a structure is none. */
    s = (struct vtdpi_dmar_struct){.offset = 49, .type = 0, .length = 16};
    assert_int_equal(vtdpi_dmar_get_drhd(&d, &s, &drhd), VTDPI_EDMAR_STRUCT);
}

/* --- vtdpi_dmar_find_id --- */

/* With the bridges of the machine. */
static size_t uncovered(const struct vtdpi_dmar *d, const uint8_t *ids,
                        size_t count, uint8_t *list)
{
    unsigned int calls = 0;

    return vtdpi_dmar_uncovered_ioapics(d, &pci, &calls, ids, count, list);
}

static void test_dmar_find_id_gives_unit_and_requester(void **state)
{
    static const struct {
        enum vtdpi_dmar_scope_type type;
        uint8_t id;
        int rc;
        uint32_t unit;
        uint16_t sid;
    } table[] = {
        {VTDPI_DMAR_SCOPE_IOAPIC, 8, 0, 0, 0xf0ff},
        {VTDPI_DMAR_SCOPE_HPET, 0, 0, 0, 0x00fe},
        {VTDPI_DMAR_SCOPE_IOAPIC, 9, 0, 3, 0x0730},
        {VTDPI_DMAR_SCOPE_ACPI, 3, 0, 4, 0x0122},
        {VTDPI_DMAR_SCOPE_IOAPIC, 0, VTDPI_ENOENT, 0, 0},
        {VTDPI_DMAR_SCOPE_HPET, 8, VTDPI_ENOENT, 0, 0},
        {VTDPI_DMAR_SCOPE_ACPI, 0, VTDPI_ENOENT, 0, 0},
        {VTDPI_DMAR_SCOPE_IOAPIC, 10, VTDPI_ERANGE, 0, 0}, /* device 32 */
        {VTDPI_DMAR_SCOPE_IOAPIC, 11, VTDPI_ERANGE, 0, 0}, /* function 8 */
        {VTDPI_DMAR_SCOPE_IOAPIC, 12, VTDPI_ERANGE, 0, 0}, /* no bridge */
        {VTDPI_DMAR_SCOPE_IOAPIC, 13, VTDPI_ERANGE, 0, 0}, /* no range */
        {VTDPI_DMAR_SCOPE_ENDPOINT, 0, VTDPI_EINVAL, 0, 0},
        {VTDPI_DMAR_SCOPE_BRIDGE, 0, VTDPI_EINVAL, 0, 0},
        {(enum vtdpi_dmar_scope_type)6, 0, VTDPI_EINVAL, 0, 0},
        {(enum vtdpi_dmar_scope_type)0x103, 8, VTDPI_EINVAL, 0, 0},
    };
    uint8_t bytes[sizeof(machine)];
    const struct vtdpi_dmar d = open_machine(bytes);

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_dmar_drhd drhd = {.index = 77};
        unsigned int calls = 0;
        uint16_t sid = 0x7777;

        assert_int_equal(vtdpi_dmar_find_id(&d, &pci, &calls, table[i].type,
                                            table[i].id, &drhd, &sid),
                         table[i].rc);
        assert_int_equal(drhd.index, table[i].rc == 0 ? table[i].unit : 77);
        assert_int_equal(sid, table[i].rc == 0 ? table[i].sid : 0x7777);
    }
}

static void test_dmar_find_id_without_bridges_takes_short_paths(void **state)
{
    static const struct vtdpi_source_pci_ops none = {NULL};
    uint8_t bytes[sizeof(machine)];
    const struct vtdpi_dmar d = open_machine(bytes);
    struct vtdpi_dmar_drhd drhd;
    uint16_t sid;

    (void)state;
    assert_int_equal(vtdpi_dmar_find_id(&d, NULL, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                                        8, &drhd, &sid),
                     0);
    assert_int_equal(sid, 0xf0ff);
    assert_int_equal(vtdpi_dmar_find_id(&d, NULL, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                                        9, &drhd, &sid),
                     VTDPI_ERANGE);
    assert_int_equal(vtdpi_dmar_find_id(&d, &none, NULL,
                                        VTDPI_DMAR_SCOPE_IOAPIC, 9, &drhd,
                                        &sid),
                     VTDPI_ERANGE);
}

static void test_dmar_find_id_malformed_table_makes_no_guess(void **state)
{
    uint8_t bytes[sizeof(machine)];
    struct vtdpi_dmar d = open_machine(bytes);
    struct vtdpi_dmar_drhd drhd;
    uint8_t id = 9;
    uint16_t sid;

    (void)state;
    bytes[48 + 24 + 1] = 6; /* unit 0's second scope; unit 3 has the IOAPIC */
    assert_int_equal(vtdpi_dmar_find_id(&d, NULL, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                                        id, &drhd, &sid),
                     VTDPI_EDMAR_SCOPE);
    assert_int_equal(uncovered(&d, &id, 1, &id), 1);
}

static void test_dmar_uncovered_ioapics_are_those_not_found(void **state)
{
    static const uint8_t ids[] = {7, 8, 0, 9, 255};
    uint8_t bytes[sizeof(machine)];
    struct vtdpi_dmar d = open_machine(bytes);
    uint8_t list[COUNT(ids)];

    (void)state;
    memset(list, 0xee, sizeof(list));
    assert_int_equal(uncovered(&d, ids, COUNT(ids), list), 3);
    assert_int_equal(list[0], 7);
    assert_int_equal(list[1], 0);
    assert_int_equal(list[2], 255);
    assert_int_equal(list[3], 0xee);

    memcpy(list, ids, sizeof(ids)); /* in place */
    assert_int_equal(uncovered(&d, list, COUNT(ids), list), 3);
    assert_int_equal(list[2], 255);
    assert_int_equal(uncovered(&d, NULL, 0, NULL), 0);

    bytes[49] = 0xff; /* unit 0 is none any more: nobody names IOAPIC 8 */
    assert_int_equal(uncovered(&d, ids, COUNT(ids), list), 4);
}

/* Without the source of its requests an IOAPIC cannot be remapped. */
static void test_dmar_uncovered_ioapics_have_impossible_paths(void **state)
{
    /* Device 32, function 8, no bridge, no range; 9 is behind a bridge. */
    static const uint8_t ids[] = {10, 11, 12, 13, 9};
    uint8_t bytes[sizeof(machine)];
    const struct vtdpi_dmar d = open_machine(bytes);
    uint8_t list[COUNT(ids)];

    (void)state;
    assert_int_equal(uncovered(&d, ids, COUNT(ids), list), 4);
    assert_memory_equal(list, ids, 4);

    /* The host knows no bridges. */
    assert_int_equal(
        vtdpi_dmar_uncovered_ioapics(&d, NULL, NULL, ids, COUNT(ids), list), 5);
}

/* Paths that are no paths: the walk stops, so nobody behind is found. */
static void
test_dmar_uncovered_ioapics_bad_scope_length_is_not_found(void **state)
{
    static const uint8_t lengths[] = {6, 7, 9, 0xff}; /* good: 8 */
    static const uint8_t ids[] = {8, 9};

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        uint8_t bytes[sizeof(machine)];
        const struct vtdpi_dmar d = open_machine(bytes);
        struct vtdpi_dmar_drhd drhd;
        uint8_t list[COUNT(ids)];
        uint16_t sid;

        bytes[48 + 16 + 1] = lengths[i];
        assert_int_equal(vtdpi_dmar_find_id(&d, NULL, NULL,
                                            VTDPI_DMAR_SCOPE_IOAPIC, 8, &drhd,
                                            &sid),
                         VTDPI_EDMAR_SCOPE);
        assert_int_equal(uncovered(&d, ids, COUNT(ids), list), 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_find_pci_most_specific_claim_wins),
        cmocka_unit_test(test_dmar_find_pci_without_bridges_returns_einval),
        cmocka_unit_test(test_dmar_find_pci_malformed_table_makes_no_guess),
        cmocka_unit_test(test_dmar_get_drhd_index_counts_units),
        cmocka_unit_test(test_dmar_find_id_gives_unit_and_requester),
        cmocka_unit_test(test_dmar_find_id_without_bridges_takes_short_paths),
        cmocka_unit_test(test_dmar_find_id_malformed_table_makes_no_guess),
        cmocka_unit_test(test_dmar_uncovered_ioapics_are_those_not_found),
        cmocka_unit_test(test_dmar_uncovered_ioapics_have_impossible_paths),
        cmocka_unit_test(
            test_dmar_uncovered_ioapics_bad_scope_length_is_not_found),
    };

    return cmocka_run_group_tests(tests, build_machine, NULL);
}
