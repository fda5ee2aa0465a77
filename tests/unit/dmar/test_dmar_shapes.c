/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmar.h on the tables of tests/support/dmar_shapes.c: each is opened, checked,
 * walked, damaged and looked up. Results are literals, worked out by hand from the
 * shape. The look-ups of the shape "bridges" are in test_dmar_find.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/dmar.h"
#include "vtdpi/irte.h"

#include "dmar_shapes.h"
#include "dmar_support.h"
#include "model_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A shape in memory of its own length: ASan sees a read beyond it. */
struct table {
    uint8_t *bytes;
    size_t length;
    struct vtdpi_dmar dmar;
    int rc; /* of vtdpi_dmar_open() */
    size_t at;
};

static struct table table_open(const char *shape)
{
    struct table t = {.at = 777};
    struct dmar_build b;

    dmar_shape_build(shape, &b);
    t.length = b.length;
    t.bytes = malloc(b.length);
    assert_non_null(t.bytes);
    memcpy(t.bytes, b.bytes, b.length);
    t.rc = vtdpi_dmar_open(t.bytes, t.length, 0, &t.dmar, &t.at);
    return t;
}

static void table_close(struct table *t)
{
    free(t->bytes);
}

/* Buses behind the bridges that the shapes name. */
static bool bridge_buses(void *ctx, uint16_t segment, uint16_t sid,
                         uint8_t *secondary, uint8_t *subordinate)
{
    static const struct {
        uint16_t segment, sid;
        uint8_t secondary, subordinate;
    } bridges[] = {
        {0, 0x0038, 0x01, 0x2a}, /* 00:07.0 */
        {0, 0x0039, 0x2b, 0x54}, /* 00:07.1 */
        {0, 0x00e0, 0x01, 0x02}, /* 00:1c.0 */
        {0, 0x1700, 0x18, 0x1b}, /* 17:00.0 */
        {0, 0x8010, 0x81, 0x85}, /* 80:02.0 */
        {0, 0x8018, 0x86, 0x86}, /* 80:03.0 */
        {0xffff, 0x00e0, 0x01, 0x03},
    };

    (void)ctx;
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

/* --- open, check, walk --- */

/* What is in each shape, and what is wrong with it; sorted as the shapes. */
static const struct {
    const char *shape;
    int open, check;
    size_t at; /* where open or check fails */
    /* Structures of each type, and of unknown types. */
    uint8_t drhd, rmrr, atsr, rhsa, andd, satc, sidp, unknown;
    uint8_t scopes, hops;
} expected[] = {
    {"all_first", 0, 0, 777, 2, 0, 0, 0, 0, 0, 0, 0, 3, 3},
    {"all_last", 0, 0, 777, 2, 0, 0, 0, 0, 0, 0, 0, 3, 3},
    {"base_unaligned", 0, VTDPI_EDMAR_BASE, 56, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"base_zero", 0, VTDPI_EDMAR_BASE, 104, 3, 1, 0, 0, 0, 0, 0, 0, 3, 3},
    {"bridges", 0, 0, 777, 6, 0, 0, 0, 0, 0, 0, 0, 22, 31},
    {"cut_short", VTDPI_EDMAR_LENGTH, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"desktop", 0, 0, 777, 2, 2, 0, 0, 3, 0, 0, 0, 8, 8},
    {"every_type", 0, 0, 777, 2, 1, 1, 1, 1, 1, 1, 1, 8, 9},
    {"hpet_functions", 0, 0, 777, 1, 1, 0, 0, 0, 0, 0, 0, 10, 10},
    {"hundred_units", 0, 0, 777, 100, 0, 0, 0, 0, 0, 0, 0, 100, 100},
    {"ioapics", 0, VTDPI_EDMAR_ID, 106, 3, 0, 0, 0, 0, 0, 0, 0, 4, 5},
    {"laptop", 0, 0, 777, 4, 1, 0, 0, 0, 0, 0, 0, 6, 6},
    {"narrow", 0, 0, 777, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"no_remapping", 0, 0, 777, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"no_unit", 0, 0, 777, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"one_device", 0, 0, 777, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1},
    {"other_signature", VTDPI_EDMAR_SIGNATURE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
     0},
    {"scope_too_long", 0, VTDPI_EDMAR_SCOPE, 64, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    {"segments", 0, 0, 777, 4, 0, 0, 0, 0, 0, 0, 0, 4, 4},
    {"server", 0, 0, 777, 4, 2, 2, 4, 0, 0, 0, 0, 21, 21},
    {"soc", 0, 0, 777, 2, 0, 0, 0, 0, 1, 1, 0, 7, 7},
    {"unit_length_zero", 0, VTDPI_EDMAR_STRUCT, 64, 1, 0, 0, 0, 0, 0, 0, 0, 0,
     0},
    {"unknown_types", 0, 0, 777, 2, 0, 0, 0, 0, 0, 0, 4, 3, 3},
    {"wrong_checksum", VTDPI_EDMAR_CHECKSUM, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0,
     0},
    {"zero_tail", 0, VTDPI_EDMAR_TAIL, 104, 2, 0, 0, 0, 0, 0, 0, 0, 3, 3},
};

static void test_shapes_open_and_check_say_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(COUNT(expected), dmar_shape_count);
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct table t = table_open(expected[i].shape);
        struct vtdpi_dmar_problem at = {.offset = t.at};

        assert_string_equal(dmar_shapes[i].name, expected[i].shape);
        assert_int_equal(t.rc, expected[i].open);
        if (t.rc == 0)
            assert_int_equal(vtdpi_dmar_check(&t.dmar, &at), expected[i].check);
        assert_int_equal(at.offset, expected[i].at);
        assert_true(dmar_walk(t.bytes, t.length));
        table_close(&t);
    }
}

/* Structures by type, unknown ones last; scopes and hops. */
struct totals {
    unsigned int types[8], scopes, hops;
};

static struct totals walk(const struct vtdpi_dmar *d)
{
    struct vtdpi_dmar_struct s = {0};
    struct totals n = {0};

    while (vtdpi_dmar_next(d, &s) > 0) {
        struct vtdpi_dmar_scope scope = {0};

        n.types[s.type < 7 ? s.type : 7]++;
        while (vtdpi_dmar_next_scope(d, &s, &scope) > 0) {
            n.scopes++;
            n.hops += scope.hop_count;
        }
    }
    return n;
}

static void test_shapes_walk_meets_every_structure_and_scope(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct table t = table_open(expected[i].shape);
        const struct totals n = t.rc == 0 ? walk(&t.dmar) : (struct totals){0};

        assert_int_equal(n.types[VTDPI_DMAR_DRHD], expected[i].drhd);
        assert_int_equal(n.types[VTDPI_DMAR_RMRR], expected[i].rmrr);
        assert_int_equal(n.types[VTDPI_DMAR_ATSR], expected[i].atsr);
        assert_int_equal(n.types[VTDPI_DMAR_RHSA], expected[i].rhsa);
        assert_int_equal(n.types[VTDPI_DMAR_ANDD], expected[i].andd);
        assert_int_equal(n.types[VTDPI_DMAR_SATC], expected[i].satc);
        assert_int_equal(n.types[VTDPI_DMAR_SIDP], expected[i].sidp);
        assert_int_equal(n.types[7], expected[i].unknown);
        assert_int_equal(n.scopes, expected[i].scopes);
        assert_int_equal(n.hops, expected[i].hops);
        table_close(&t);
    }
}

/* --- damaged tables --- */

/* The first bytes of a table: as they are, and with a length that fits. */
static void assert_cut_stays_inside(const struct table *t, size_t size)
{
    uint8_t *const exact = malloc(size == 0 ? 1 : size);
    struct vtdpi_dmar d;
    size_t at;

    assert_non_null(exact);
    memcpy(exact, t->bytes, size);
    assert_int_equal(vtdpi_dmar_open(exact, size, 0, &d, &at),
                     VTDPI_EDMAR_LENGTH);
    assert_int_equal(at, size < 48 ? size : 4);
    if (size >= 48) {
        dmar_seal(exact, size);
        assert_true(dmar_walk(exact, size));
    }
    free(exact);
}

/* A table of many units is only cut in the first of them: it takes long. */
static void test_shapes_every_truncation_stays_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < dmar_shape_count; i++) {
        struct table t = table_open(dmar_shapes[i].name);

        for (size_t size = 0; size < t.length && size < 512; size++) {
            if (t.rc != VTDPI_EDMAR_SIGNATURE)
                assert_cut_stays_inside(&t, size);
        }
        table_close(&t);
    }
}

static void test_shapes_every_corrupt_byte_stays_inside(void **state)
{
    struct table t = table_open("every_type");

    (void)state;
    for (size_t at = 0; at < t.length; at++) {
        const uint8_t good = t.bytes[at];

        for (unsigned int change = 1; change < 256; change++) {
            struct vtdpi_dmar d;

            t.bytes[at] = (uint8_t)(good ^ change);
            /* One byte does not get past the checksum (but a shorter table
             * may have the right one by chance)... */
            if (at < 4 || at > 7)
                assert_true(vtdpi_dmar_open(t.bytes, t.length, 0, &d, NULL) <
                            0);
            /* ...and, let through, does no harm. */
            assert_true(dmar_walk(t.bytes, t.length));
        }
        t.bytes[at] = good;
    }
    table_close(&t);
}

/* --- look-ups --- */

static void test_shapes_find_pci_gives_the_unit(void **state)
{
    static const struct {
        const char *shape;
        uint16_t segment, sid;
        int unit; /* or an error */
    } table[] = {
        {"laptop", 0, 0x0010, 0}, /* graphics */
        {"laptop", 0, 0x0011, 3}, /* its other function is not listed */
        {"laptop", 0, 0x0038, 1}, /* a Thunderbolt port itself */
        {"laptop", 0, 0x0100, 1}, /* first and last bus behind it */
        {"laptop", 0, 0x2aff, 1},
        {"laptop", 0, 0x2b00, 2}, /* behind the other one */
        {"laptop", 0, 0x54ff, 2},
        {"laptop", 0, 0x5500, 3},
        {"laptop", 0, 0x00a0, 3},
        {"laptop", 1, 0x0010, VTDPI_ENOENT},
        {"desktop", 0, 0x0010, 0},
        {"desktop", 0, 0x00a8, 1}, /* an ACPI scope makes no PCI claim */
        {"desktop", 0, 0x0100, 1},
        {"soc", 0, 0x0010, 0},
        {"soc", 0, 0x0058, 1}, /* 00:0b.0: SATC and SIDP make no claim */
        {"server", 0, 0x8010, 0},
        {"server", 0, 0x81ff, 0},
        {"server", 0, 0x8500, 0},
        {"server", 0, 0x8600, 0},
        {"server", 0, 0x8700, 3},
        {"server", 0, 0x8020, 1}, /* 80:04.0 to 80:04.7 */
        {"server", 0, 0x8027, 1},
        {"server", 0, 0x802c, 3}, /* the IOAPIC's function as PCI device */
        {"server", 0, 0x1700, 2},
        {"server", 0, 0x1801, 2},
        {"server", 0, 0x1c00, 3},
        {"server", 0, 0x00fa, 3},
        {"hpet_functions", 0, 0xf078, 0},
        {"unknown_types", 0, 0x0010, 0},
        {"unknown_types", 0, 0x0018, 1},
        {"segments", 0, 0x0010, 0},
        {"segments", 0, 0x0018, 2},
        {"segments", 0, 0x0100, 2}, /* the bridge is in another segment */
        {"segments", 1, 0x0010, 1},
        {"segments", 2, 0x0010, VTDPI_ENOENT},
        {"segments", 0xffff, 0x0010, 3},
        {"segments", 0xffff, 0x0300, 3},
        {"segments", 0xffff, 0x0400, VTDPI_ENOENT},
        {"all_first", 0, 0x0010, 1},
        {"all_first", 0, 0x0200, 1},
        {"all_first", 0, 0x0300, 0},
        {"all_last", 0, 0x0010, 0},
        {"all_last", 0, 0x0200, 0},
        {"all_last", 0, 0x0300, 1},
        {"ioapics", 0, 0xf0ff, 2}, /* an IOAPIC scope is no PCI claim */
        {"hundred_units", 0, 0x0000, 0},
        {"hundred_units", 0, 0x001b, 99}, /* 99 = 3 * 32 + 3: 00:03.3 */
        {"hundred_units", 0, 0x0023, VTDPI_ENOENT},
        {"one_device", 0, 0x0018, VTDPI_ENOENT},
        {"no_unit", 0, 0x0010, VTDPI_ENOENT},
        {"base_zero", 0, 0x0010, VTDPI_EDMAR_BASE},
        {"scope_too_long", 0, 0x0010, VTDPI_EDMAR_SCOPE},
        {"unit_length_zero", 0, 0x0010, VTDPI_EDMAR_STRUCT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct table t = table_open(table[i].shape);
        struct vtdpi_dmar_drhd drhd = {.index = 777};
        const int rc = vtdpi_dmar_find_pci(
            &t.dmar, &pci, NULL, table[i].segment, table[i].sid, &drhd);

        assert_int_equal(rc, table[i].unit < 0 ? table[i].unit : 0);
        assert_int_equal(drhd.index, rc < 0 ? 777 : table[i].unit);
        table_close(&t);
    }
}

static void test_shapes_find_id_gives_unit_and_requester(void **state)
{
    static const struct {
        const char *shape;
        enum vtdpi_dmar_scope_type type;
        uint8_t id;
        int unit; /* or an error */
        uint16_t sid;
    } table[] = {
        {"laptop", VTDPI_DMAR_SCOPE_IOAPIC, 2, 3, 0x00f7},
        {"laptop", VTDPI_DMAR_SCOPE_HPET, 0, 3, 0x00f6},
        {"laptop", VTDPI_DMAR_SCOPE_IOAPIC, 0, VTDPI_ENOENT, 0},
        {"laptop", VTDPI_DMAR_SCOPE_ACPI, 0, VTDPI_ENOENT, 0},
        {"desktop", VTDPI_DMAR_SCOPE_IOAPIC, 2, 1, 0xf0f8},
        {"desktop", VTDPI_DMAR_SCOPE_HPET, 0, 1, 0x00f8},
        {"desktop", VTDPI_DMAR_SCOPE_ACPI, 1, 1, 0x00a8},
        {"desktop", VTDPI_DMAR_SCOPE_ACPI, 2, 1, 0x00a9},
        {"desktop", VTDPI_DMAR_SCOPE_ACPI, 9, 1, 0x00f0},
        {"desktop", VTDPI_DMAR_SCOPE_ACPI, 3, VTDPI_ENOENT, 0},
        {"soc", VTDPI_DMAR_SCOPE_IOAPIC, 2, 1, 0x00f7},
        {"server", VTDPI_DMAR_SCOPE_IOAPIC, 8, 3, 0xf0f8},
        {"server", VTDPI_DMAR_SCOPE_IOAPIC, 9, 2, 0x172c},
        {"server", VTDPI_DMAR_SCOPE_IOAPIC, 10, 0, 0x802c},
        {"server", VTDPI_DMAR_SCOPE_HPET, 0, 3, 0xf078},
        {"server", VTDPI_DMAR_SCOPE_HPET, 8, VTDPI_ENOENT, 0},
        {"unknown_types", VTDPI_DMAR_SCOPE_IOAPIC, 2, 1, 0xf0ff},
        {"segments", VTDPI_DMAR_SCOPE_IOAPIC, 1, 1, 0xf1f8},
        {"all_first", VTDPI_DMAR_SCOPE_IOAPIC, 4, 0, 0xf0ff},
        {"all_last", VTDPI_DMAR_SCOPE_IOAPIC, 4, 1, 0xf0ff},
        {"ioapics", VTDPI_DMAR_SCOPE_IOAPIC, 1, 0, 0xf0ff}, /* the first */
        {"ioapics", VTDPI_DMAR_SCOPE_IOAPIC, 2, 0, 0x0100}, /* two hops */
        {"ioapics", VTDPI_DMAR_SCOPE_IOAPIC, 3, 1, 0xf100},
        {"ioapics", VTDPI_DMAR_SCOPE_IOAPIC, 4, VTDPI_ENOENT, 0},
        {"no_unit", VTDPI_DMAR_SCOPE_IOAPIC, 0, VTDPI_ENOENT, 0},
        {"base_zero", VTDPI_DMAR_SCOPE_IOAPIC, 0, VTDPI_EDMAR_BASE, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct table t = table_open(table[i].shape);
        struct vtdpi_dmar_drhd drhd = {.index = 777};
        uint16_t sid = 0;
        const int rc = vtdpi_dmar_find_id(&t.dmar, &pci, NULL, table[i].type,
                                          table[i].id, &drhd, &sid);

        assert_int_equal(rc, table[i].unit < 0 ? table[i].unit : 0);
        assert_int_equal(drhd.index, rc < 0 ? 777 : table[i].unit);
        assert_int_equal(sid, table[i].sid);
        table_close(&t);
    }
}

/* --- fields that only some tables have --- */

/* The first structure of a type. */
static struct vtdpi_dmar_struct first_of(const struct table *t, uint16_t type)
{
    struct vtdpi_dmar_struct s = {0};

    do {
        assert_int_equal(vtdpi_dmar_next(&t->dmar, &s), 1);
    } while (s.type != type);
    return s;
}

static void test_shapes_desktop_names_its_acpi_devices(void **state)
{
    struct table t = table_open("desktop");
    struct vtdpi_dmar_struct s = first_of(&t, VTDPI_DMAR_ANDD);
    struct vtdpi_dmar_andd andd;

    (void)state;
    assert_int_equal(vtdpi_dmar_get_andd(&t.dmar, &s, &andd), 0);
    assert_int_equal(andd.device_number, 1);
    assert_int_equal(andd.name_length, 14);
    assert_memory_equal(t.bytes + andd.name_offset, "\\_SB.BUS0.TWI0", 14);
    table_close(&t);
}

static void test_shapes_soc_has_flags_of_lists_and_scopes(void **state)
{
    static const uint8_t flags[] = {0x31, 0x28};
    struct table t = table_open("soc");
    struct vtdpi_dmar_struct s = first_of(&t, VTDPI_DMAR_SATC);
    struct vtdpi_dmar_scope scope = {0};
    struct vtdpi_dmar_devices devices;

    (void)state;
    assert_int_equal(vtdpi_dmar_get_devices(&t.dmar, &s, &devices), 0);
    assert_int_equal(devices.flags, 1);
    s = first_of(&t, VTDPI_DMAR_SIDP);
    for (size_t i = 0; i < COUNT(flags); i++) {
        assert_int_equal(vtdpi_dmar_next_scope(&t.dmar, &s, &scope), 1);
        assert_int_equal(scope.flags, flags[i]);
    }
    table_close(&t);
}

static void test_shapes_server_says_where_units_are_near(void **state)
{
    struct table t = table_open("server");
    struct vtdpi_dmar_struct s = first_of(&t, VTDPI_DMAR_RHSA);
    static const uint32_t bases[] = {0xe0000000, 0xe0001000, 0xe1000000,
                                     0xe1001000};

    (void)state;
    for (size_t i = 0; i < COUNT(bases); i++) {
        struct vtdpi_dmar_rhsa near;

        assert_int_equal(vtdpi_dmar_get_rhsa(&t.dmar, &s, &near), 0);
        assert_int_equal(near.base, bases[i]);
        assert_int_equal(near.domain, i / 2);
        assert_int_equal(vtdpi_dmar_next(&t.dmar, &s), i < 3);
    }
    table_close(&t);
}

/* --- an HPET with a function for each comparator --- */

/* How many of functions f0:0f.0 to f0:0f.7 an entry with that source accepts,
 * as the model of a unit judges. */
static unsigned int accepted_functions(struct rig *rig,
                                       struct vtdpi_source source)
{
    const struct vtdpi_irte_remapped fields = {
        .present = true,
        .vector = 0x41,
        .mode = VTDPI_X2APIC,
        .source = source,
    };
    struct vtdpi_irte irte;
    unsigned int accepted = 0;

    assert_int_equal(vtdpi_irte_encode_remapped(&fields, &irte), 0);
    rig_entry(rig, 0, irte.lo, irte.hi);
    rig_invalidate_all(rig);
    for (uint16_t sid = 0xf078; sid <= 0xf07f; sid++)
        accepted += vtdpi_model_msi(&rig->m, sid, RIG_MSI(0), 0, &rig->r) ==
                    VTDPI_MODEL_REMAPPED;
    return accepted;
}

static void test_shapes_hpet_functions_are_all_accepted(void **state)
{
    struct rig *const rig = *state;
    struct table t = table_open("hpet_functions");
    struct vtdpi_dmar_drhd drhd;
    uint16_t sid = 0;

    assert_int_equal(vtdpi_dmar_find_id(&t.dmar, NULL, NULL,
                                        VTDPI_DMAR_SCOPE_HPET, 0, &drhd, &sid),
                     0);
    assert_int_equal(sid, 0xf078);
    assert_int_equal(
        accepted_functions(rig, vtdpi_source_exact(sid, VTDPI_SQ_IGNORE_2_0)),
        8);
    assert_int_equal(
        accepted_functions(rig, vtdpi_source_exact(sid, VTDPI_SQ_ALL)), 1);
    table_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_open_and_check_say_what_is_wrong),
        cmocka_unit_test(test_shapes_walk_meets_every_structure_and_scope),
        cmocka_unit_test(test_shapes_every_truncation_stays_inside),
        cmocka_unit_test(test_shapes_every_corrupt_byte_stays_inside),
        cmocka_unit_test(test_shapes_find_pci_gives_the_unit),
        cmocka_unit_test(test_shapes_find_id_gives_unit_and_requester),
        cmocka_unit_test(test_shapes_desktop_names_its_acpi_devices),
        cmocka_unit_test(test_shapes_soc_has_flags_of_lists_and_scopes),
        cmocka_unit_test(test_shapes_server_says_where_units_are_near),
        rig_test_on(test_shapes_hpet_functions_are_all_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
