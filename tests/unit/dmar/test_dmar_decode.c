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

#include "dmar_shapes.h"
#include "dmar_support.h"
#include "shared_data.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Seals the table and opens it. */
static struct vtdpi_dmar open_built(struct dmar_build *b)
{
    struct vtdpi_dmar d;

    dmar_end(b);
    assert_int_equal(vtdpi_dmar_open(b->bytes, b->length, 0, &d, NULL), 0);
    return d;
}

/* The same, of a copy that is as long as the table: ASan sees a read beyond it.
 * The caller frees *bytes. */
static struct vtdpi_dmar open_exact(struct dmar_build *b, uint8_t **bytes)
{
    struct vtdpi_dmar d;

    dmar_end(b);
    *bytes = malloc(b->length);
    assert_non_null(*bytes);
    memcpy(*bytes, b->bytes, b->length);
    assert_int_equal(vtdpi_dmar_open(*bytes, b->length, 0, &d, NULL), 0);
    return d;
}

/* The only structure of a table. */
static struct vtdpi_dmar_struct first_of(const struct vtdpi_dmar *d)
{
    struct vtdpi_dmar_struct s = {0};

    assert_int_equal(vtdpi_dmar_next(d, &s), 1);
    return s;
}

static int find_ioapic_0(const struct vtdpi_dmar *d)
{
    struct vtdpi_dmar_drhd drhd;
    uint16_t sid;

    return vtdpi_dmar_find_id(d, NULL, NULL, VTDPI_DMAR_SCOPE_IOAPIC, 0, &drhd,
                              &sid);
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
        struct vtdpi_dmar_drhd drhd;
        struct vtdpi_dmar_struct s;
        struct vtdpi_dmar d;
        struct dmar_build b;

        dmar_begin(&b, 1, 39);
        (void)dmar_drhd(&b, table[i].flags, table[i].size, 0x1234,
                        0xef123456789ab000);
        d = open_built(&b);
        s = first_of(&d);
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
    static const struct {
        uint8_t size;
        uint64_t base;
    } table[] = {
        {0, 0},
        {0, 0x1001},
        {0, 0x1800},
        {1, 0xfffffffffffff000},
        {15, 0xffffffffff000000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_dmar_struct s = {.offset = 52, .type = 0, .length = 16};
        struct vtdpi_dmar_drhd drhd = {.base = 77};
        struct vtdpi_dmar d;
        struct dmar_build b;
        struct vtdpi_dmar_problem at = {.offset = 777};

        dmar_begin(&b, 1, 39);
        (void)dmar_other(&b, 0x77, 4);
        (void)dmar_drhd(&b, 0, table[i].size, 0, table[i].base);
        d = open_built(&b);
        assert_int_equal(vtdpi_dmar_get_drhd(&d, &s, &drhd), VTDPI_EDMAR_BASE);
        assert_int_equal(drhd.base, 77);
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_BASE);
        assert_int_equal(at.offset, 60);
        assert_int_equal(find_ioapic_0(&d), VTDPI_EDMAR_BASE);
    }
}

static void test_dmar_get_drhd_last_window_is_good(void **state)
{
    struct dmar_build b;
    struct vtdpi_dmar d;

    (void)state;
    dmar_begin(&b, 1, 39);
    (void)dmar_drhd(&b, 0, 0, 0, 0xfffffffffffff000);
    d = open_built(&b);
    assert_int_equal(vtdpi_dmar_check(&d, NULL), 0);
}

/* Bytes that no field covers are all ones. */
static void test_dmar_get_other_structures_decode(void **state)
{
    struct vtdpi_dmar_struct s;
    struct vtdpi_dmar_rmrr region;
    struct vtdpi_dmar_rhsa near;
    struct dmar_build b;
    struct vtdpi_dmar d;

    (void)state;
    dmar_begin(&b, 1, 39);
    dmar_put(&b,
             dmar_rmrr(&b, 0x1234, 0x0102030405060708, 0x1112131415161718) + 4,
             0xffff, 2);
    dmar_put(&b, dmar_rhsa(&b, 0x0102030405060708, 0x25262728) + 4, 0xffffffff,
             4);
    d = open_built(&b);
    s = first_of(&d);
    assert_int_equal(vtdpi_dmar_get_rmrr(&d, &s, &region), 0);
    assert_true(region.base == UINT64_C(0x0102030405060708));
    assert_true(region.limit == UINT64_C(0x1112131415161718));
    assert_int_equal(region.segment, 0x1234);
    assert_int_equal(vtdpi_dmar_next(&d, &s), 1);
    assert_int_equal(vtdpi_dmar_get_rhsa(&d, &s, &near), 0);
    assert_true(near.base == UINT64_C(0x0102030405060708));
    assert_int_equal(near.domain, 0x25262728);
}

static void test_dmar_get_devices_flags_are_those_of_the_type(void **state)
{
    static const uint8_t flags[] = {
        0x80 | VTDPI_DMAR_ATSR_ALL_PORTS, 0x80 | VTDPI_DMAR_SATC_ATC_REQUIRED,
        0, /* SIDP */
    };
    struct vtdpi_dmar_struct s = {0};
    struct dmar_build b;
    struct vtdpi_dmar d;

    (void)state;
    dmar_begin(&b, 1, 39);
    dmar_put(&b, dmar_atsr(&b, 0, 0x1234) + 4, 0xff81, 2);
    dmar_put(&b, dmar_satc(&b, 0, 0x1234) + 4, 0xff81, 2);
    dmar_put(&b, dmar_sidp(&b, 0x1234) + 4, 0xff81, 2);
    d = open_built(&b);
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct vtdpi_dmar_devices devices;

        assert_int_equal(vtdpi_dmar_next(&d, &s), 1);
        assert_int_equal(vtdpi_dmar_get_devices(&d, &s, &devices), 0);
        assert_int_equal(devices.flags, flags[i]);
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
        struct vtdpi_dmar_struct s;
        struct vtdpi_dmar_andd andd;
        struct dmar_build b;
        struct vtdpi_dmar d;

        dmar_begin(&b, 1, 39);
        dmar_put(&b, dmar_andd(&b, 9, "\\AB") + 2, table[i].length, 2);
        (void)dmar_raw(&b, "C", 1);
        b.length = 48 + (size_t)table[i].length;
        d = open_built(&b);
        s = first_of(&d);
        assert_int_equal(vtdpi_dmar_get_andd(&d, &s, &andd), 0);
        assert_int_equal(andd.device_number, 9);
        assert_int_equal(andd.name_offset, 56);
        assert_int_equal(andd.name_length, table[i].name);
    }
}

static void test_dmar_get_hop_outside_returns_erange(void **state)
{
    struct vtdpi_dmar_scope scope = {.offset = 228, .hop_count = 1};
    struct dmar_build b;
    struct vtdpi_dmar d;
    uint8_t device;
    uint8_t function;

    (void)state;
    dmar_shape_build("every_type", &b);
    d = open_built(&b);
    assert_int_equal(vtdpi_dmar_get_hop(&d, &scope, 0, &device, &function), 0);
    assert_int_equal(vtdpi_dmar_get_hop(&d, &scope, 1, &device, &function),
                     VTDPI_ERANGE);
    scope.hop_count = 255;
    assert_int_equal(vtdpi_dmar_get_hop(&d, &scope, 1, &device, &function),
                     VTDPI_ERANGE);
    scope.offset = 229;
    assert_int_equal(vtdpi_dmar_get_hop(&d, &scope, 0, &device, &function),
                     VTDPI_ERANGE);
    scope.offset = 47;
    assert_int_equal(vtdpi_dmar_get_hop(&d, &scope, 0, &device, &function),
                     VTDPI_ERANGE);
    scope.offset = SIZE_MAX;
    assert_int_equal(vtdpi_dmar_get_hop(&d, &scope, 0, &device, &function),
                     VTDPI_ERANGE);
}

static void test_dmar_check_short_structure_returns_its_offset(void **state)
{
    static const uint8_t shortest[] = {16, 24, 8, 20, 8, 8, 8, 4};

    (void)state;
    for (uint8_t type = 0; type < COUNT(shortest); type++) {
        for (uint8_t length = 4; length <= shortest[type]; length++) {
            const bool whole = length == shortest[type];
            struct vtdpi_dmar d;
            struct dmar_build b;
            struct vtdpi_dmar_problem at = {.offset = 777};

            dmar_begin(&b, 1, 39);
            (void)dmar_other(&b, type, length);
            if (type == VTDPI_DMAR_DRHD && whole)
                dmar_put(&b, 48 + 8, 0x1000, 8); /* its base */
            d = open_built(&b);
            assert_int_equal(vtdpi_dmar_check(&d, &at),
                             whole ? 0 : VTDPI_EDMAR_STRUCT);
            assert_int_equal(at.offset, whole ? 777 : 48);
            assert_true(dmar_walk(b.bytes, b.length));
        }
    }
}

static void test_dmar_find_short_unit_is_refused(void **state)
{
    (void)state;
    for (uint8_t length = 4; length < 16; length++) {
        struct dmar_build b;
        struct vtdpi_dmar d;
        uint8_t *exact;

        dmar_begin(&b, 1, 39);
        (void)dmar_other(&b, VTDPI_DMAR_DRHD, length);
        d = open_exact(&b, &exact);
        assert_int_equal(find_ioapic_0(&d), VTDPI_EDMAR_STRUCT);
        free(exact);
    }
}

static void test_dmar_check_bytes_after_scopes_stay_inside(void **state)
{
    static const uint8_t begun[7] = {8, 8, 8, 8, 8, 8, 8}; /* of a scope */

    (void)state;
    for (uint8_t extra = 1; extra <= sizeof(begun); extra++) {
        struct dmar_build b;
        struct vtdpi_dmar d;
        struct vtdpi_dmar_problem at = {.offset = 777};
        uint8_t *exact;

        dmar_begin(&b, 1, 39);
        dmar_put(&b, dmar_drhd(&b, 0, 0, 0, 0x1000) + 2, 16u + extra, 2);
        (void)dmar_raw(&b, begun, extra);
        d = open_exact(&b, &exact);
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_SCOPE);
        assert_int_equal(at.offset, 64);
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
    uint16_t sid;

    for (unsigned int id = 0; id < 256; id++) {
        const uint8_t one = (uint8_t)id;
        uint8_t none;
        const int rc = vtdpi_dmar_find_id(
            d, NULL, NULL, VTDPI_DMAR_SCOPE_IOAPIC, one, &drhd, &sid);

        assert_int_equal(rc != 0, vtdpi_dmar_uncovered_ioapics(d, NULL, NULL,
                                                               &one, 1, &none));
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
    struct vtdpi_dmar_problem at = {0};
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
        assert_memory_equal(bytes + at.offset, "\0\0\0\0\0\0\0", 8);
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
        cmocka_unit_test(test_dmar_get_hop_outside_returns_erange),
        cmocka_unit_test(test_dmar_check_short_structure_returns_its_offset),
        cmocka_unit_test(test_dmar_find_short_unit_is_refused),
        cmocka_unit_test(test_dmar_check_bytes_after_scopes_stay_inside),
        cmocka_unit_test(test_dmar_real_tables_match_their_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
