/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoders of dmar.h, and real tables. Walks: test_dmar.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/dmar.h"

#include "dmar_support.h"
#include "shared_data.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Seals a table of the test and opens it. */
static struct vtdpi_dmar open_sealed(uint8_t *table, size_t length)
{
    struct vtdpi_dmar d;

    dmar_seal(table, length);
    assert_int_equal(vtdpi_dmar_open(table, length, 0, &d, NULL), 0);
    return d;
}

/* The only structure of a table. */
static struct vtdpi_dmar_struct first_of(const struct vtdpi_dmar *d)
{
    struct vtdpi_dmar_struct s = {0};

    assert_int_equal(vtdpi_dmar_next(d, &s), 1);
    return s;
}

/* --- decoders --- */

static void test_dmar_get_drhd_fields_decode(void **state)
{
    static const struct {
        uint8_t flags, size;
        uint32_t window;
        bool all;
    } table[] = {
        {0x00, 0x00, 4096, false},      {0x01, 0x00, 4096, true},
        {0xfe, 0xf0, 4096, false},      {0xff, 0x01, 8192, true},
        {0x00, 0x0f, 134217728, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        uint8_t bytes[] = {
            DMAR_HEADER(1), 0,    0,    16,   0,    table[i].flags,
            table[i].size,  0x34, 0x12, 0x00, 0xb0, 0x9a,
            0x78,           0x56, 0x34, 0x12, 0xef,
        };
        const struct vtdpi_dmar d = open_sealed(bytes, sizeof(bytes));
        const struct vtdpi_dmar_struct s = first_of(&d);
        struct vtdpi_dmar_drhd drhd;

        assert_int_equal(vtdpi_dmar_get_drhd(&d, &s, &drhd), 0);
        assert_true(drhd.base == UINT64_C(0xef123456789ab000));
        assert_int_equal(drhd.window_bytes, table[i].window);
        assert_int_equal(drhd.segment, 0x1234);
        assert_int_equal(drhd.include_all, table[i].all);
        assert_int_equal(drhd.index, 0);
    }
}

static void test_dmar_get_drhd_bad_base_returns_its_offset(void **state)
{
    static const uint8_t bases[][9] = {
        /* window, base */
        {0, 0, 0, 0, 0, 0, 0, 0, 0},
        {0, 0x01, 0x10, 0, 0, 0, 0, 0, 0},
        {0, 0x00, 0x18, 0, 0, 0, 0, 0, 0},
        {1, 0x00, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {15, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bases); i++) {
        uint8_t bytes[] = {
            DMAR_HEADER(1),
            3,
            0,
            4,
            0,
            0,
            0,
            16,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        };
        struct vtdpi_dmar_struct s = {.offset = 52, .type = 0, .length = 16};
        struct vtdpi_dmar_drhd drhd = {.base = 77};
        struct vtdpi_dmar d;
        size_t at = 777;

        bytes[48] = 0x77; /* some unknown type first */
        bytes[57] = bases[i][0];
        memcpy(bytes + 60, bases[i] + 1, 8);
        d = open_sealed(bytes, sizeof(bytes));
        assert_int_equal(vtdpi_dmar_get_drhd(&d, &s, &drhd), VTDPI_EDMAR_BASE);
        assert_int_equal(drhd.base, 77);
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_BASE);
        assert_int_equal(at, 60);
        assert_int_equal(vtdpi_dmar_find_id(&d, NULL, NULL,
                                            VTDPI_DMAR_SCOPE_IOAPIC, 0, &drhd,
                                            &(uint16_t){0}),
                         VTDPI_EDMAR_BASE);
    }
}

static void test_dmar_get_drhd_last_window_is_good(void **state)
{
    uint8_t bytes[] = {
        DMAR_HEADER(1), 0,    0,    16,   0,    0,    0,    0,    0,
        0x00,           0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    const struct vtdpi_dmar d = open_sealed(bytes, sizeof(bytes));

    (void)state;
    assert_int_equal(vtdpi_dmar_check(&d, NULL), 0);
}

static void test_dmar_get_other_structures_decode(void **state)
{
    uint8_t rmrr[] = {
        DMAR_HEADER(1), 1,    0,    24,   0,    0xff, 0xff, 0x34, 0x12,
        0x08,           0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0x18,
        0x17,           0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
    };
    uint8_t rhsa[] = {
        DMAR_HEADER(1), 3,    0,    20,   0,    0xff, 0xff,
        0xff,           0xff, 0x08, 0x07, 0x06, 0x05, 0x04,
        0x03,           0x02, 0x01, 0x28, 0x27, 0x26, 0x25,
    };
    struct vtdpi_dmar d = open_sealed(rmrr, sizeof(rmrr));
    struct vtdpi_dmar_struct s = first_of(&d);
    struct vtdpi_dmar_rmrr region;
    struct vtdpi_dmar_rhsa near;

    (void)state;
    assert_int_equal(vtdpi_dmar_get_rmrr(&d, &s, &region), 0);
    assert_true(region.base == UINT64_C(0x0102030405060708));
    assert_true(region.limit == UINT64_C(0x1112131415161718));
    assert_int_equal(region.segment, 0x1234);
    d = open_sealed(rhsa, sizeof(rhsa));
    s = first_of(&d);
    assert_int_equal(vtdpi_dmar_get_rhsa(&d, &s, &near), 0);
    assert_true(near.base == UINT64_C(0x0102030405060708));
    assert_int_equal(near.domain, 0x25262728);
}

static void test_dmar_get_devices_flags_are_those_of_the_type(void **state)
{
    static const struct {
        uint8_t type, flags;
    } table[] = {
        {VTDPI_DMAR_ATSR, 0x81}, {VTDPI_DMAR_SATC, 0x81}, {VTDPI_DMAR_SIDP, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        uint8_t bytes[] = {DMAR_HEADER(1), table[i].type, 0,    8,   0,
                           0x81,           0xff,          0x34, 0x12};
        const struct vtdpi_dmar d = open_sealed(bytes, sizeof(bytes));
        const struct vtdpi_dmar_struct s = first_of(&d);
        struct vtdpi_dmar_devices devices;

        assert_int_equal(vtdpi_dmar_get_devices(&d, &s, &devices), 0);
        assert_int_equal(devices.flags, table[i].flags);
        assert_int_equal(devices.segment, 0x1234);
    }
}

static void test_dmar_get_andd_name_ends_at_zero_or_structure(void **state)
{
    static const struct {
        uint8_t length;
        uint16_t name;
    } table[] = {{8, 0}, {9, 1}, {11, 3}, {12, 3}, {13, 3}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        uint8_t bytes[] = {DMAR_HEADER(1),
                           4,
                           0,
                           table[i].length,
                           0,
                           1,
                           2,
                           3,
                           9,
                           '\\',
                           'A',
                           'B',
                           0,
                           'C'};
        const struct vtdpi_dmar d =
            open_sealed(bytes, 48 + (size_t)table[i].length);
        const struct vtdpi_dmar_struct s = first_of(&d);
        struct vtdpi_dmar_andd andd;

        assert_int_equal(vtdpi_dmar_get_andd(&d, &s, &andd), 0);
        assert_int_equal(andd.device_number, 9);
        assert_int_equal(andd.name_offset, 56);
        assert_int_equal(andd.name_length, table[i].name);
    }
}

static void test_dmar_check_short_structure_returns_its_offset(void **state)
{
    static const uint8_t shortest[] = {16, 24, 8, 20, 8, 8, 8, 4};

    (void)state;
    for (uint8_t type = 0; type < COUNT(shortest); type++) {
        for (uint8_t length = 4; length <= shortest[type]; length++) {
            uint8_t bytes[48 + 24] = {DMAR_HEADER(1), type, 0, length, 0};
            const bool whole = length == shortest[type];
            struct vtdpi_dmar d;
            size_t at = 777;

            bytes[57 + 4] = 0x10; /* a DRHD's base, if one gets so far */
            d = open_sealed(bytes, 48 + (size_t)length);
            assert_int_equal(vtdpi_dmar_check(&d, &at),
                             whole ? 0 : VTDPI_EDMAR_STRUCT);
            assert_int_equal(at, whole ? 777 : 48);
            assert_true(dmar_walk(bytes, 48 + (size_t)length));
        }
    }
}

static void test_dmar_find_short_unit_is_refused(void **state)
{
    (void)state;
    for (uint8_t length = 4; length < 16; length++) {
        static const uint8_t header[] = {DMAR_HEADER(1)};
        uint8_t *const exact = calloc(1, 48 + (size_t)length);
        struct vtdpi_dmar_drhd drhd;
        struct vtdpi_dmar d;
        uint16_t rid;

        assert_non_null(exact);
        memcpy(exact, header, sizeof(header));
        exact[50] = length;
        d = open_sealed(exact, 48 + (size_t)length);
        assert_int_equal(vtdpi_dmar_find_id(&d, NULL, NULL,
                                            VTDPI_DMAR_SCOPE_IOAPIC, 0, &drhd,
                                            &rid),
                         VTDPI_EDMAR_STRUCT);
        free(exact);
    }
}

static void test_dmar_check_bytes_after_scopes_stay_inside(void **state)
{
    (void)state;
    for (size_t extra = 1; extra <= 7; extra++) {
        static const uint8_t start[] = {
            DMAR_HEADER(1), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0};
        const size_t length = sizeof(start) + extra;
        uint8_t *const exact = malloc(length);
        struct vtdpi_dmar d;
        size_t at = 777;

        assert_non_null(exact);
        memset(exact, 8, length); /* as if a scope began there */
        memcpy(exact, start, sizeof(start));
        exact[50] = (uint8_t)(16 + extra);
        d = open_sealed(exact, length);
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_SCOPE);
        assert_int_equal(at, 64);
        free(exact);
    }
}

/* --- tables of real machines --- */

struct totals {
    unsigned int types[7], unknown;
    unsigned int ioapics, hpets, multi_hop;
};

static void count_scopes(const struct vtdpi_dmar *d,
                         const struct vtdpi_dmar_struct *s, struct totals *t)
{
    struct vtdpi_dmar_scope scope = {0};
    int rc;

    while ((rc = vtdpi_dmar_next_scope(d, s, &scope)) > 0) {
        t->ioapics += scope.type == VTDPI_DMAR_SCOPE_IOAPIC;
        t->hpets += scope.type == VTDPI_DMAR_SCOPE_HPET;
        t->multi_hop += scope.hop_count > 1;
    }
    assert_int_equal(rc, 0);
}

static unsigned int number(const char *line, unsigned int field)
{
    char text[32];

    assert_non_null(shared_data_field(line, field, text, sizeof(text)));
    return (unsigned int)strtoul(text, NULL, 0);
}

/* Fields of the index, in its order. */
enum {
    FILE_NAME,
    LENGTH,
    REVISION,
    WIDTH,
    FLAGS,
    FLAG_NAMES,
    FIRST_TYPE,
    IOAPICS = FIRST_TYPE + 7,
    HPETS,
    MULTI_HOP,
    UNKNOWN,
    ODDITIES,
    OEM_ID,
};

static void compare_with_index(const struct vtdpi_dmar *d, const char *line)
{
    struct vtdpi_dmar_struct s = {0};
    struct totals t = {0};
    char oem[16];
    size_t len = strlen(d->oem_id);

    while (vtdpi_dmar_next(d, &s) > 0) {
        if (s.type < COUNT(t.types))
            t.types[s.type]++;
        else
            t.unknown++;
        count_scopes(d, &s, &t);
    }
    assert_int_equal(d->length, number(line, LENGTH));
    assert_int_equal(d->revision, number(line, REVISION));
    assert_int_equal(d->host_address_width, number(line, WIDTH));
    assert_int_equal(d->flags, number(line, FLAGS));
    for (unsigned int i = 0; i < COUNT(t.types); i++)
        assert_int_equal(t.types[i], number(line, FIRST_TYPE + i));
    assert_int_equal(t.ioapics, number(line, IOAPICS));
    assert_int_equal(t.hpets, number(line, HPETS));
    assert_int_equal(t.multi_hop, number(line, MULTI_HOP));
    assert_non_null(shared_data_field(line, UNKNOWN, oem, sizeof(oem)));
    assert_int_equal(t.unknown != 0, strcmp(oem, "-") != 0);
    /* The index has the OEM id without the blanks that fill it up. */
    assert_non_null(shared_data_field(line, OEM_ID, oem, sizeof(oem)));
    while (len > 0 && d->oem_id[len - 1] == ' ')
        len--;
    assert_int_equal(strlen(oem), len);
    assert_memory_equal(d->oem_id, oem, len);
}

/* Each IOAPIC of a real table resolves to a unit of the table. */
static void find_all_ioapics(const struct vtdpi_dmar *d, unsigned int expected)
{
    struct vtdpi_dmar_drhd drhd;
    unsigned int found = 0;
    uint16_t rid;

    for (unsigned int id = 0; id < 256; id++) {
        const uint8_t one = (uint8_t)id;
        uint8_t none;
        const int rc = vtdpi_dmar_find_id(
            d, NULL, NULL, VTDPI_DMAR_SCOPE_IOAPIC, one, &drhd, &rid);

        assert_int_equal(rc == VTDPI_ENOENT,
                         vtdpi_dmar_uncovered_ioapics(d, &one, 1, &none));
        found += rc == 0;
    }
    /* Several scopes may name one, and only the host knows its bridges. */
    assert_true(found <= expected);
    assert_int_equal(found == 0, expected == 0);
}

static void check_real_table(const char *line)
{
    char name[64];
    char path[80];
    struct vtdpi_dmar d;
    size_t length = number(line, LENGTH);
    uint8_t *const bytes = malloc(length);
    size_t at = 0;
    FILE *file;
    int rc;

    assert_non_null(bytes);
    assert_non_null(shared_data_field(line, FILE_NAME, name, sizeof(name)));
    (void)snprintf(path, sizeof(path), "dmar/%s", name);
    file = shared_data_open(path);
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, length, file), length);
    (void)fclose(file);

    assert_int_equal(vtdpi_dmar_open(bytes, length, 0, &d, NULL), 0);
    rc = vtdpi_dmar_check(&d, &at);
    if (rc == VTDPI_EDMAR_BASE) {
        /* Firmware that lists a unit without an address exists. */
        assert_memory_equal(bytes + at, "\0\0\0\0\0\0\0", 8);
    } else {
        assert_int_equal(rc, 0);
        find_all_ioapics(&d, number(line, IOAPICS));
    }
    compare_with_index(&d, line);
    assert_true(dmar_walk(bytes, length));
    free(bytes);
}

static void test_dmar_real_tables_match_their_index(void **state)
{
    FILE *const file = shared_data_open("dmar/index.tsv");
    char line[SHARED_LINE_MAX];
    unsigned int seen = 0;

    (void)state;
    if (file == NULL)
        skip();
    assert_non_null(fgets(line, sizeof(line), file)); /* names of columns */
    while (fgets(line, sizeof(line), file) != NULL) {
        check_real_table(line);
        seen++;
    }
    (void)fclose(file);
    assert_true(seen > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_get_drhd_fields_decode),
        cmocka_unit_test(test_dmar_get_drhd_bad_base_returns_its_offset),
        cmocka_unit_test(test_dmar_get_drhd_last_window_is_good),
        cmocka_unit_test(test_dmar_get_other_structures_decode),
        cmocka_unit_test(test_dmar_get_devices_flags_are_those_of_the_type),
        cmocka_unit_test(test_dmar_get_andd_name_ends_at_zero_or_structure),
        cmocka_unit_test(test_dmar_check_short_structure_returns_its_offset),
        cmocka_unit_test(test_dmar_find_short_unit_is_refused),
        cmocka_unit_test(test_dmar_check_bytes_after_scopes_stay_inside),
        cmocka_unit_test(test_dmar_real_tables_match_their_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
