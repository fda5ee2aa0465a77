/* SPDX-License-Identifier: BSD-2-Clause */
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

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

/* A table with every type of structure, without length and checksum; offsets
 * stand on the right. The builder of tests/support is held against these bytes.
 */
/* clang-format off */
static const uint8_t literal[] = {
    'D', 'M', 'A', 'R', 0, 0, 0, 0, 1, 0, 'V', 'T', 'D', 'P', 'I', ' ',
    'T', 'e', 's', 't', ' ', 't', 'a', 'b', 0x44, 0x33, 0x22, 0x11,
    'M', 'A', 'K', 'E', 1, 0, 0, 0, 38, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* DRHD, segment 1, base fed90000h, window 4 KiB */
    0, 0, 32, 0, 0x00, 0, 1, 0,                         /* 48 */
    0x00, 0x00, 0xd9, 0xfe, 0, 0, 0, 0,
        1, 8, 0, 0, 0, 0, 2, 0,                         /* 64 00:02.0 */
        2, 8, 0x1f, 0, 0, 0x80, 3, 1,                   /* 72 80:03.1 */
    /* DRHD, INCLUDE_PCI_ALL, base 2fed91000h, window 2^3 pages */
    0, 0, 34, 0, 0x01, 0xf3, 0, 0,                      /* 80 */
    0x00, 0x10, 0xd9, 0xfe, 0x02, 0, 0, 0,
        3, 8, 0, 0, 2, 0xf0, 0x1f, 7,                   /* 96 IOAPIC 2 */
        4, 10, 0, 0, 0, 0, 0x1c, 0, 0x00, 1,            /* 104 HPET 0 */
    /* RMRR, segment 2 */
    1, 0, 32, 0, 0, 0, 2, 0,                            /* 114 */
    0x00, 0x80, 0, 0, 1, 0, 0, 0,
    0xff, 0xff, 0x87, 0, 1, 0, 0, 0,
        1, 8, 0, 0, 0, 0, 0x14, 0,                      /* 138 00:14.0 */
    /* ATSR, all ports */
    2, 0, 16, 0, 0x01, 0, 3, 0,                         /* 146 */
        2, 8, 0, 0, 0, 0, 1, 0,                         /* 154 00:01.0 */
    /* RHSA */
    3, 0, 20, 0, 0, 0, 0, 0,                            /* 162 */
    0x00, 0x00, 0xd9, 0xfe, 0, 0, 0, 0, 0x78, 0x56, 0x34, 0x12,
    /* ANDD, device 5 */
    4, 0, 16, 0, 0, 0, 0, 5,                            /* 182 */
    '\\', '_', 'S', 'B', '.', 'I', '2', 0,
    /* a type that does not exist yet */
    0x34, 0x12, 6, 0, 0xff, 0xff,                       /* 198 */
    /* SATC, ATC required */
    5, 0, 16, 0, 0x01, 0, 4, 0,                         /* 204 */
        1, 8, 0, 0, 0, 0, 0x0b, 0,                      /* 212 00:0b.0 */
    /* SIDP */
    6, 0, 16, 0, 0xff, 0xff, 5, 0,                      /* 220 */
        1, 8, 0x1c, 0, 0, 0, 5, 0,                      /* 228 00:05.0 */
    /* 236: the end */
};
/* clang-format on */

#define LITERAL_BYTES sizeof(literal)

/* The literal table with its header filled in, and opened. */
struct copy {
    uint8_t bytes[LITERAL_BYTES];
    struct vtdpi_dmar dmar;
};

static void copy_open(struct copy *c)
{
    assert_int_equal(vtdpi_dmar_open(c->bytes, sizeof(c->bytes),
                                     VTDPI_DMAR_ACCEPT_BAD_CHECKSUM, &c->dmar,
                                     NULL),
                     0);
}

static void copy_init(struct copy *c)
{
    memcpy(c->bytes, literal, LITERAL_BYTES);
    dmar_seal(c->bytes, LITERAL_BYTES);
    copy_open(c);
}

/* As copy_init(), with one byte changed. */
static void copy_init_with(struct copy *c, size_t at, uint8_t value)
{
    copy_init(c);
    c->bytes[at] = value;
    copy_open(c);
}

/* Steps to the structure at an offset. */
static struct vtdpi_dmar_struct struct_at(const struct copy *c, size_t offset)
{
    struct vtdpi_dmar_struct s = {0};

    do {
        assert_int_equal(vtdpi_dmar_next(&c->dmar, &s), 1);
    } while (s.offset != offset);
    return s;
}

/* --- the builder --- */

static void test_dmar_build_gives_the_literal_bytes(void **state)
{
    struct dmar_build b;
    struct copy c;

    (void)state;
    copy_init(&c);
    dmar_shape_build("every_type", &b);
    assert_int_equal(b.length, LITERAL_BYTES);
    assert_memory_equal(b.bytes, c.bytes, LITERAL_BYTES);
}

/* --- vtdpi_dmar_open --- */

static void assert_open_fails(const void *table, size_t size, int rc,
                              size_t offset)
{
    struct vtdpi_dmar dmar;
    size_t at = 777;

    memset(&dmar, 0xa5, sizeof(dmar));
    assert_int_equal(vtdpi_dmar_open(table, size, 0, &dmar, &at), rc);
    assert_int_equal(at, offset);
    assert_int_equal(dmar.length, 0);
    assert_null(dmar.table_);
    assert_int_equal(vtdpi_dmar_open(table, size, 0, &dmar, NULL), rc);
}

static void test_dmar_open_good_table_decodes_header(void **state)
{
    struct copy c;
    struct vtdpi_dmar d;
    size_t at = 777;

    (void)state;
    copy_init(&c);
    assert_int_equal(vtdpi_dmar_open(c.bytes, LITERAL_BYTES, 0, &d, &at), 0);
    assert_int_equal(at, 777);
    assert_int_equal(d.length, 236);
    assert_int_equal(d.revision, 1);
    assert_int_equal(d.host_address_width, 39);
    assert_int_equal(d.flags, VTDPI_DMAR_INTR_REMAP |
                                  VTDPI_DMAR_DMA_CTRL_PLATFORM_OPT_IN);
    assert_int_equal(d.oem_revision, 0x11223344);
    assert_string_equal(d.oem_id, "VTDPI ");
    assert_string_equal(d.oem_table_id, "Test tab");
    assert_true(d.checksum_ok);
}

/* The bits as firmware stores them. */
static void test_dmar_open_every_flag_has_its_name(void **state)
{
    static const struct {
        uint8_t stored;
        unsigned int name;
    } table[] = {
        {0x01, VTDPI_DMAR_INTR_REMAP},
        {0x02, VTDPI_DMAR_X2APIC_OPT_OUT},
        {0x04, VTDPI_DMAR_DMA_CTRL_PLATFORM_OPT_IN},
        {0x08, VTDPI_DMAR_DMA_REMAP_OPT_OUT},
    };
    struct copy c;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        copy_init_with(&c, 37, table[i].stored);
        assert_int_equal(c.dmar.flags, table[i].name);
    }
}

static void test_dmar_open_widest_address_is_256(void **state)
{
    struct copy c;

    (void)state;
    copy_init_with(&c, 36, 0xff);
    assert_int_equal(c.dmar.host_address_width, 256);
    assert_false(c.dmar.checksum_ok);
}

static void test_dmar_open_bad_argument_returns_einval(void **state)
{
    struct copy c;
    struct vtdpi_dmar d;
    size_t at = 777;

    (void)state;
    copy_init(&c);
    assert_open_fails(NULL, 100, VTDPI_EINVAL, 0);
    assert_int_equal(vtdpi_dmar_open(c.bytes, LITERAL_BYTES, 0, NULL, &at),
                     VTDPI_EINVAL);
    assert_int_equal(at, 0);
    assert_int_equal(vtdpi_dmar_open(c.bytes, LITERAL_BYTES, 2, &d, NULL),
                     VTDPI_EINVAL);
}

static void test_dmar_open_other_signature_returns_its_offset(void **state)
{
    struct copy c;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        copy_init(&c);
        c.bytes[i] ^= 0x20;
        assert_open_fails(c.bytes, LITERAL_BYTES, VTDPI_EDMAR_SIGNATURE, 0);
        /* Also of a table too short to be any. */
        assert_open_fails(c.bytes, i + 1, VTDPI_EDMAR_SIGNATURE, 0);
    }
}

static void test_dmar_open_bad_length_returns_its_offset(void **state)
{
    static const uint32_t lengths[] = {0,   36,    47,        LITERAL_BYTES + 1,
                                       256, 65536, UINT32_MAX};
    struct copy c;

    (void)state;
    copy_init(&c);
    for (size_t size = 0; size < 48; size++)
        assert_open_fails(c.bytes, size, VTDPI_EDMAR_LENGTH, size);
    assert_open_fails(c.bytes, LITERAL_BYTES - 1, VTDPI_EDMAR_LENGTH, 4);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        copy_init(&c);
        for (unsigned int b = 0; b < 4; b++)
            c.bytes[4 + b] = (uint8_t)(lengths[i] >> 8 * b);
        assert_open_fails(c.bytes, LITERAL_BYTES, VTDPI_EDMAR_LENGTH, 4);
    }
}

static void test_dmar_open_bad_checksum_is_refused_unless_accepted(void **state)
{
    struct copy c;
    struct vtdpi_dmar d;

    (void)state;
    copy_init(&c);
    c.bytes[9]++;
    assert_open_fails(c.bytes, LITERAL_BYTES, VTDPI_EDMAR_CHECKSUM, 9);
    assert_int_equal(vtdpi_dmar_open(c.bytes, LITERAL_BYTES,
                                     VTDPI_DMAR_ACCEPT_BAD_CHECKSUM, &d, NULL),
                     0);
    assert_false(d.checksum_ok);
    assert_int_equal(d.length, 236);
    /* Nothing else is accepted with it. */
    c.bytes[0] = 'd';
    assert_int_equal(vtdpi_dmar_open(c.bytes, LITERAL_BYTES,
                                     VTDPI_DMAR_ACCEPT_BAD_CHECKSUM, &d, NULL),
                     VTDPI_EDMAR_SIGNATURE);
}

static void test_dmar_open_any_alignment_and_bytes_behind_are_fine(void **state)
{
    uint8_t room[LITERAL_BYTES + 16];
    struct vtdpi_dmar d;

    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        memset(room, 0xff, sizeof(room));
        memcpy(room + shift, literal, LITERAL_BYTES);
        dmar_seal(room + shift, LITERAL_BYTES);
        assert_int_equal(
            vtdpi_dmar_open(room + shift, sizeof(room) - shift, 0, &d, NULL),
            0);
        assert_int_equal(d.length, 236);
        assert_int_equal(vtdpi_dmar_check(&d, NULL), 0);
    }
}

/* --- vtdpi_dmar_next --- */

static void test_dmar_next_good_table_gives_every_structure(void **state)
{
    static const struct vtdpi_dmar_struct expected[] = {
        {48, 0, 32},      {80, 0, 34},  {114, 1, 32},
        {146, 2, 16},     {162, 3, 20}, {182, 4, 16},
        {198, 0x1234, 6}, {204, 5, 16}, {220, 6, 16},
    };
    struct copy c;
    struct vtdpi_dmar_struct s = {0};

    (void)state;
    copy_init(&c);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(expected); i++) {
            assert_int_equal(vtdpi_dmar_next(&c.dmar, &s), 1);
            assert_int_equal(s.offset, expected[i].offset);
            assert_int_equal(s.type, expected[i].type);
            assert_int_equal(s.length, expected[i].length);
        }
        /* The end; after it the walk starts over. */
        assert_int_equal(vtdpi_dmar_next(&c.dmar, &s), 0);
        assert_int_equal(s.offset, 0);
    }
}

static void test_dmar_next_empty_table_ends_at_once(void **state)
{
    struct vtdpi_dmar_struct s = {0};
    struct dmar_build b;
    struct vtdpi_dmar d;

    (void)state;
    dmar_shape_build("no_unit", &b);
    assert_int_equal(vtdpi_dmar_open(b.bytes, b.length, 0, &d, NULL), 0);
    assert_int_equal(vtdpi_dmar_next(&d, &s), 0);
    assert_int_equal(vtdpi_dmar_check(&d, NULL), 0);
}

static void assert_check_fails(const struct copy *c, int rc, size_t offset)
{
    struct vtdpi_dmar_problem at;

    assert_int_equal(vtdpi_dmar_check(&c->dmar, &at), rc);
    assert_ptr_equal(at.table, &c->dmar);
    assert_int_equal(at.offset, offset);
    assert_int_equal(vtdpi_dmar_check(&c->dmar, NULL), rc);
}

static void test_dmar_next_bad_length_returns_its_offset(void **state)
{
    static const struct {
        size_t at; /* of the length's low byte */
        uint8_t low, high;
        size_t offset;
    } table[] = {
        {200, 0, 0, 198},     {200, 1, 0, 198},  {200, 2, 0, 198},
        {200, 3, 0, 198},     {200, 39, 0, 198}, {200, 0, 1, 198},
        {200, 255, 255, 198}, {222, 17, 0, 220}, {222, 0, 0, 220},
        {50, 0, 0, 48},
    };
    struct copy c;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_dmar_struct s = {0};
        int rc;

        copy_init_with(&c, table[i].at + 1, table[i].high);
        c.bytes[table[i].at] = table[i].low;
        while ((rc = vtdpi_dmar_next(&c.dmar, &s)) > 0)
            assert_true(s.offset < table[i].offset);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(rc, VTDPI_EDMAR_STRUCT);
            assert_int_equal(s.offset, table[i].offset);
            rc = vtdpi_dmar_next(&c.dmar, &s);
        }
        assert_check_fails(&c, VTDPI_EDMAR_STRUCT, table[i].offset);
    }
}

static void test_dmar_next_foreign_structure_is_refused(void **state)
{
    static const struct vtdpi_dmar_struct foreign[] = {
        {233, 0, 0},      {236, 0, 1},     {300, 0, 0},
        {SIZE_MAX, 0, 0}, {200, 0, 65535}, {SIZE_MAX - 8, 0, 4},
    };
    struct copy c;

    (void)state;
    copy_init(&c);
    for (size_t i = 0; i < COUNT(foreign); i++) {
        struct vtdpi_dmar_struct s = foreign[i];

        assert_int_equal(vtdpi_dmar_next(&c.dmar, &s), VTDPI_EDMAR_STRUCT);
    }
}

/* --- vtdpi_dmar_next_scope --- */

static void test_dmar_next_scope_gives_every_scope_and_path(void **state)
{
    static const struct {
        size_t parent;
        struct vtdpi_dmar_scope scope;
        uint8_t path[4];
    } expected[] = {
        {48, {64, 1, 8, 0, 0, 0, 1}, {2, 0}},
        {48, {72, 2, 8, 0x1f, 0, 0x80, 1}, {3, 1}},
        {80, {96, 3, 8, 0, 2, 0xf0, 1}, {0x1f, 7}},
        {80, {104, 4, 10, 0, 0, 0, 2}, {0x1c, 0, 0x00, 1}},
        {114, {138, 1, 8, 0, 0, 0, 1}, {0x14, 0}},
        {146, {154, 2, 8, 0, 0, 0, 1}, {1, 0}},
        {204, {212, 1, 8, 0, 0, 0, 1}, {0x0b, 0}},
        {220, {228, 1, 8, 0x1c, 0, 0, 1}, {5, 0}},
    };
    struct vtdpi_dmar_struct s = {0};
    size_t seen = 0;
    struct copy c;

    (void)state;
    copy_init(&c);
    while (vtdpi_dmar_next(&c.dmar, &s) > 0) {
        struct vtdpi_dmar_scope scope = {0};

        while (vtdpi_dmar_next_scope(&c.dmar, &s, &scope) > 0) {
            assert_true(seen < COUNT(expected));
            assert_int_equal(s.offset, expected[seen].parent);
            assert_int_equal(scope.offset, expected[seen].scope.offset);
            assert_int_equal(scope.type, expected[seen].scope.type);
            assert_int_equal(scope.length, expected[seen].scope.length);
            assert_int_equal(scope.flags, expected[seen].scope.flags);
            assert_int_equal(scope.enumeration_id,
                             expected[seen].scope.enumeration_id);
            assert_int_equal(scope.start_bus, expected[seen].scope.start_bus);
            assert_int_equal(scope.hop_count, expected[seen].scope.hop_count);
            for (unsigned int i = 0; i < scope.hop_count; i++) {
                uint8_t device;
                uint8_t function;

                assert_int_equal(
                    vtdpi_dmar_get_hop(&c.dmar, &scope, i, &device, &function),
                    0);
                assert_int_equal(device, expected[seen].path[2 * i]);
                assert_int_equal(function, expected[seen].path[2 * i + 1]);
            }
            seen++;
        }
        assert_int_equal(scope.offset, 0); /* ready to start over */
    }
    assert_int_equal(seen, COUNT(expected));
}

static void test_dmar_next_scope_bad_length_returns_its_offset(void **state)
{
    /* The HPET scope at 104, the last 10 bytes of the DRHD at 80; and the
     * IOAPIC scope before it, which may eat into it. */
    static const struct {
        size_t at;
        uint8_t length;
        size_t offset;
    } table[] = {
        {105, 0, 104},   {105, 1, 104}, {105, 5, 104},  {105, 6, 104},
        {105, 7, 104},   {105, 9, 104}, {105, 11, 104}, {105, 12, 104},
        {105, 255, 104}, {97, 0, 96},   {97, 19, 96},   {97, 20, 96},
        {105, 8, 112},   {97, 14, 110}, {97, 16, 112},  {97, 12, 108},
    };
    struct copy c;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_dmar_struct s;
        struct vtdpi_dmar_scope scope = {0};
        int rc;

        copy_init_with(&c, table[i].at, table[i].length);
        s = struct_at(&c, 80);
        while ((rc = vtdpi_dmar_next_scope(&c.dmar, &s, &scope)) > 0)
            assert_true(scope.offset < table[i].offset);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(rc, VTDPI_EDMAR_SCOPE);
            assert_int_equal(scope.offset, table[i].offset);
            rc = vtdpi_dmar_next_scope(&c.dmar, &s, &scope);
        }
        assert_check_fails(&c, VTDPI_EDMAR_SCOPE, table[i].offset);
        /* What comes behind is still reached. */
        assert_int_equal(struct_at(&c, 220).type, VTDPI_DMAR_SIDP);
    }
}

static void test_dmar_next_scope_foreign_structure_is_refused(void **state)
{
    static const struct vtdpi_dmar_struct foreign[] = {
        {0, 0, 32},   {47, 0, 32},       {220, 0, 17},          {236, 0, 16},
        {237, 0, 16}, {SIZE_MAX, 0, 16}, {SIZE_MAX - 8, 0, 16}, {221, 0, 16},
    };
    struct copy c;

    (void)state;
    copy_init(&c);
    for (size_t i = 0; i < COUNT(foreign); i++) {
        struct vtdpi_dmar_scope scope = {0};
        struct vtdpi_dmar_drhd drhd;

        assert_int_equal(vtdpi_dmar_next_scope(&c.dmar, &foreign[i], &scope),
                         VTDPI_EDMAR_STRUCT);
        assert_int_equal(vtdpi_dmar_get_drhd(&c.dmar, &foreign[i], &drhd),
                         VTDPI_EDMAR_STRUCT);
    }
}

static void test_dmar_next_scope_foreign_scope_is_refused(void **state)
{
    static const size_t offsets[] = {1, 63, 81, SIZE_MAX, SIZE_MAX - 7};
    struct vtdpi_dmar_struct s;
    struct copy c;

    (void)state;
    copy_init(&c);
    s = struct_at(&c, 48);
    for (size_t i = 0; i < COUNT(offsets); i++) {
        struct vtdpi_dmar_scope scope = {.offset = offsets[i]};

        assert_int_equal(vtdpi_dmar_next_scope(&c.dmar, &s, &scope),
                         VTDPI_EDMAR_SCOPE);
    }
    /* Good scopes, but of other structures. */
    s = struct_at(&c, 80);
    for (size_t at = 64; at < 240; at += 74) {
        struct vtdpi_dmar_scope scope = {.offset = at};

        assert_int_equal(vtdpi_dmar_next_scope(&c.dmar, &s, &scope),
                         VTDPI_EDMAR_SCOPE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_build_gives_the_literal_bytes),
        cmocka_unit_test(test_dmar_open_good_table_decodes_header),
        cmocka_unit_test(test_dmar_open_every_flag_has_its_name),
        cmocka_unit_test(test_dmar_open_widest_address_is_256),
        cmocka_unit_test(test_dmar_open_bad_argument_returns_einval),
        cmocka_unit_test(test_dmar_open_other_signature_returns_its_offset),
        cmocka_unit_test(test_dmar_open_bad_length_returns_its_offset),
        cmocka_unit_test(
            test_dmar_open_bad_checksum_is_refused_unless_accepted),
        cmocka_unit_test(
            test_dmar_open_any_alignment_and_bytes_behind_are_fine),
        cmocka_unit_test(test_dmar_next_good_table_gives_every_structure),
        cmocka_unit_test(test_dmar_next_empty_table_ends_at_once),
        cmocka_unit_test(test_dmar_next_bad_length_returns_its_offset),
        cmocka_unit_test(test_dmar_next_foreign_structure_is_refused),
        cmocka_unit_test(test_dmar_next_scope_gives_every_scope_and_path),
        cmocka_unit_test(test_dmar_next_scope_bad_length_returns_its_offset),
        cmocka_unit_test(test_dmar_next_scope_foreign_structure_is_refused),
        cmocka_unit_test(test_dmar_next_scope_foreign_scope_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
