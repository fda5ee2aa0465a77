/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/msi.h"

#include "shared_data.h"

/* Expected words are literals and use no mask or shift of the library. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
static const struct {
    uint32_t index;
    uint32_t address;
} msi_table[] = {
    {0x0000, 0xfee00018}, {0x0001, 0xfee00038}, {0x0002, 0xfee00058},
    {0x0004, 0xfee00098}, {0x0008, 0xfee00118}, {0x0010, 0xfee00218},
    {0x0020, 0xfee00418}, {0x0040, 0xfee00818}, {0x0080, 0xfee01018},
    {0x0100, 0xfee02018}, {0x0200, 0xfee04018}, {0x0400, 0xfee08018},
    {0x0800, 0xfee10018}, {0x1000, 0xfee20018}, {0x2000, 0xfee40018},
    {0x4000, 0xfee80018}, {0x8000, 0xfee0001c}, {0x7fff, 0xfeeffff8},
    {0xffff, 0xfeeffffc}, {0x0019, 0xfee00338}, {0x8001, 0xfee0003c},
};
/* clang-format on */

static void assert_msi(const struct vtdpi_msi *msi, uint32_t lo, uint32_t hi,
                       uint32_t data)
{
    assert_int_equal(msi->address_lo, lo);
    assert_int_equal(msi->address_hi, hi);
    assert_int_equal(msi->data, data);
}

static void assert_request(const struct vtdpi_msi_request *r, uint32_t index,
                           uint32_t handle, uint32_t subhandle, bool shv)
{
    assert_int_equal(r->index, index);
    assert_int_equal(r->handle, handle);
    assert_int_equal(r->subhandle, subhandle);
    assert_int_equal(r->shv, shv);
}

static void test_msi_encode_each_index_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(msi_table); i++) {
        struct vtdpi_msi msi = {7, 7, 7};

        assert_int_equal(vtdpi_msi_encode(msi_table[i].index, &msi), 0);
        assert_msi(&msi, msi_table[i].address, 0, 0);
    }
}

static void test_msi_decode_each_index_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(msi_table); i++) {
        const struct vtdpi_msi msi = {msi_table[i].address, 0, 0};
        struct vtdpi_msi_request r;

        memset(&r, 0xff, sizeof(r));
        assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
        assert_request(&r, msi_table[i].index, msi_table[i].index, 0, true);
    }
}

static void test_msi_encode_every_index_decodes_to_itself(void **state)
{
    (void)state;
    for (uint32_t index = 0; index <= 0xffff; index++) {
        struct vtdpi_msi msi;
        struct vtdpi_msi_request r;

        assert_int_equal(vtdpi_msi_encode(index, &msi), 0);
        assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
        assert_int_equal(r.index, index);
    }
}

static void test_msi_encode_bad_arguments_untouched(void **state)
{
    struct vtdpi_msi msi = {7, 8, 9};

    (void)state;
    assert_int_equal(vtdpi_msi_encode(0x10000, &msi), VTDPI_EINDEX);
    assert_int_equal(vtdpi_msi_encode(0xffffffff, &msi), VTDPI_EINDEX);
    assert_int_equal(vtdpi_msi_encode(1, NULL), VTDPI_EINVAL);
    assert_msi(&msi, 7, 8, 9);
}

static void test_msi_encode_block_device_adds_subhandle(void **state)
{
    static const uint32_t sizes[] = {1, 2, 4, 8, 16, 32};

    (void)state;
    for (size_t s = 0; s < COUNT(sizes); s++) {
        struct vtdpi_msi msi = {7, 7, 7};
        struct vtdpi_msi_request r;

        assert_int_equal(vtdpi_msi_encode_block(0x8020, sizes[s], &msi), 0);
        assert_msi(&msi, 0xfee0041c, 0, 0);
        for (uint32_t i = 0; i < sizes[s]; i++) {
            msi.data = i;
            assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
            assert_request(&r, 0x8020 + i, 0x8020, i, true);
        }
    }
}

static void test_msi_encode_block_at_the_end_of_the_table(void **state)
{
    struct vtdpi_msi msi;
    struct vtdpi_msi_request r;

    (void)state;
    assert_int_equal(vtdpi_msi_encode_block(0xffe0, 32, &msi), 0);
    msi.data = 31;
    assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
    assert_int_equal(r.index, 0xffff);
}

static void test_msi_encode_block_bad_arguments_untouched(void **state)
{
    static const uint32_t bad_counts[] = {0, 3, 5, 31, 33, 64, 0x80000000};
    struct vtdpi_msi msi = {7, 8, 9};

    (void)state;
    for (size_t i = 0; i < COUNT(bad_counts); i++)
        assert_int_equal(vtdpi_msi_encode_block(0, bad_counts[i], &msi),
                         VTDPI_EINVAL);
    assert_int_equal(vtdpi_msi_encode_block(0, 1, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_msi_encode_block(0x10000, 2, &msi), VTDPI_EINDEX);
    assert_int_equal(vtdpi_msi_encode_block(0x0001, 2, &msi), VTDPI_EALIGN);
    assert_int_equal(vtdpi_msi_encode_block(0x0010, 32, &msi), VTDPI_EALIGN);
    assert_int_equal(vtdpi_msi_encode_block(0xffff, 2, &msi), VTDPI_EALIGN);
    assert_msi(&msi, 7, 8, 9);
}

static void test_msi_decode_drops_what_hardware_ignores(void **state)
{
    struct vtdpi_msi msi = {0xfee0033b, 0, 0}; /* address bits 1:0 */
    struct vtdpi_msi_request r;

    (void)state;
    assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
    assert_request(&r, 25, 25, 0, true);
    msi.address_lo = 0xfee00330; /* SHV = 0: no subhandle */
    msi.data = 0xffff;
    assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
    assert_request(&r, 25, 25, 0, false);
}

static void test_msi_decode_subhandle_all_bits(void **state)
{
    const struct vtdpi_msi msi = {0xfee00018, 0, 0xffff};
    struct vtdpi_msi_request r;

    (void)state;
    assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
    assert_request(&r, 0xffff, 0, 0xffff, true);
}

static const struct {
    struct vtdpi_msi msi;
    int rc;
} msi_errors[] = {
    {{0x00000000, 0, 0}, VTDPI_EMSI_ADDRESS},
    {{0xfed00018, 0, 0}, VTDPI_EMSI_ADDRESS},
    {{0xfef00018, 0, 0}, VTDPI_EMSI_ADDRESS},
    {{0x7ee00018, 0, 0}, VTDPI_EMSI_ADDRESS},
    {{0xfee00018, 1, 0}, VTDPI_EMSI_ADDRESS},
    {{0xfee00018, 0x80000000, 0}, VTDPI_EMSI_ADDRESS},
    {{0xfee00008, 0, 0}, VTDPI_EMSI_FORMAT},
    {{0xfee00000, 0, 0x41}, VTDPI_EMSI_FORMAT},
    {{0xfee00018, 0, 0x00010000}, VTDPI_EMSI_RESERVED},
    {{0xfee00018, 0, 0x80000000}, VTDPI_EMSI_RESERVED},
    {{0xfee00010, 0, 0x00010000}, VTDPI_EMSI_RESERVED},
    {{0xfee0003c, 0, 0x7fff}, VTDPI_EINDEX}, /* 8001h + 7fffh */
    {{0xfeeffffc, 0, 0x0001}, VTDPI_EINDEX},
};

static void test_msi_decode_bad_request_untouched(void **state)
{
    const struct vtdpi_msi good = {0xfee00018, 0, 0};
    struct vtdpi_msi_request r = {1, 2, 3, false};

    (void)state;
    for (size_t i = 0; i < COUNT(msi_errors); i++) {
        assert_int_equal(vtdpi_msi_decode(&msi_errors[i].msi, &r),
                         msi_errors[i].rc);
        assert_request(&r, 1, 2, 3, false);
    }
    assert_int_equal(vtdpi_msi_decode(NULL, &r), VTDPI_EINVAL);
    assert_int_equal(vtdpi_msi_decode(&good, NULL), VTDPI_EINVAL);
}

/* clang-format off */
static const struct {
    struct vtdpi_msi_rte f;
    uint64_t word;
} rte_table[] = {
    {{.index = 0x0000}, UINT64_C(0x0001000000000000)},
    {{.index = 0x0001}, UINT64_C(0x0003000000000000)},
    {{.index = 0x0002}, UINT64_C(0x0005000000000000)},
    {{.index = 0x4000}, UINT64_C(0x8001000000000000)},
    {{.index = 0x7fff}, UINT64_C(0xffff000000000000)},
    {{.index = 0x8000}, UINT64_C(0x0001000000000800)},
    {{.index = 0xffff}, UINT64_C(0xffff000000000800)},
    {{.vector = 0x01}, UINT64_C(0x0001000000000001)},
    {{.vector = 0x80}, UINT64_C(0x0001000000000080)},
    {{.vector = 0xff}, UINT64_C(0x00010000000000ff)},
    {{.active_low = true}, UINT64_C(0x0001000000002000)},
    {{.level = true}, UINT64_C(0x0001000000008000)},
    {{.masked = true}, UINT64_C(0x0001000000010000)},
    {{.index = 0xffff, .vector = 0xff, .active_low = true, .level = true,
      .masked = true}, UINT64_C(0xffff00000001a8ff)},
    /* Pin 16, level, active low, entry 5. */
    {{.index = 5, .vector = 16, .active_low = true, .level = true},
     UINT64_C(0x000b00000000a010)},
};
/* clang-format on */

static void assert_rte(const struct vtdpi_msi_rte *f,
                       const struct vtdpi_msi_rte *want)
{
    assert_int_equal(f->index, want->index);
    assert_int_equal(f->vector, want->vector);
    assert_int_equal(f->active_low, want->active_low);
    assert_int_equal(f->level, want->level);
    assert_int_equal(f->masked, want->masked);
    assert_int_equal(f->delivery_status, want->delivery_status);
    assert_int_equal(f->remote_irr, want->remote_irr);
}

static void test_rte_encode_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rte_table); i++) {
        uint64_t word = 7;

        assert_int_equal(vtdpi_msi_rte_encode(&rte_table[i].f, &word), 0);
        assert_int_equal(word, rte_table[i].word);
    }
}

static void test_rte_decode_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rte_table); i++) {
        struct vtdpi_msi_rte f;

        memset(&f, 0xff, sizeof(f));
        assert_int_equal(vtdpi_msi_rte_decode(rte_table[i].word, &f), 0);
        assert_rte(&f, &rte_table[i].f);
    }
}

static void test_rte_status_bits_decoded_not_encoded(void **state)
{
    const struct vtdpi_msi_rte pending = {.delivery_status = true};
    const struct vtdpi_msi_rte irr = {.remote_irr = true};
    struct vtdpi_msi_rte f;
    uint64_t word = 7;

    (void)state;
    assert_int_equal(vtdpi_msi_rte_decode(UINT64_C(0x0001000000001000), &f), 0);
    assert_rte(&f, &pending);
    assert_int_equal(vtdpi_msi_rte_decode(UINT64_C(0x0001000000004000), &f), 0);
    assert_rte(&f, &irr);
    assert_int_equal(vtdpi_msi_rte_encode(&pending, &word), 0);
    assert_int_equal(word, UINT64_C(0x0001000000000000));
    assert_int_equal(vtdpi_msi_rte_encode(&irr, &word), 0);
    assert_int_equal(word, UINT64_C(0x0001000000000000));
}

static void test_rte_decode_each_reserved_bit_refused(void **state)
{
    /* 10:8 and 47:17. */
    const uint64_t reserved = UINT64_C(0x0000fffffffe0700);

    (void)state;
    for (unsigned int n = 0; n < 64; n++) {
        const uint64_t bit = UINT64_C(1) << n;
        struct vtdpi_msi_rte f = {.index = 7};

        assert_int_equal(
            vtdpi_msi_rte_decode(UINT64_C(0x0001000000000000) | bit, &f),
            (reserved & bit) != 0 ? VTDPI_ERTE_RESERVED : 0);
        if ((reserved & bit) != 0)
            assert_int_equal(f.index, 7);
    }
}

static void test_rte_bad_arguments_untouched(void **state)
{
    const struct vtdpi_msi_rte bad = {.index = 0x10000};
    const struct vtdpi_msi_rte good = {.index = 1};
    struct vtdpi_msi_rte f = {.index = 7};
    uint64_t word = 7;

    (void)state;
    assert_int_equal(vtdpi_msi_rte_encode(&bad, &word), VTDPI_EINDEX);
    assert_int_equal(vtdpi_msi_rte_encode(NULL, &word), VTDPI_EINVAL);
    assert_int_equal(vtdpi_msi_rte_encode(&good, NULL), VTDPI_EINVAL);
    assert_int_equal(word, 7);
    assert_int_equal(vtdpi_msi_rte_decode(UINT64_C(0xfffe00000000a010), &f),
                     VTDPI_EMSI_FORMAT);
    assert_int_equal(vtdpi_msi_rte_decode(0, &f), VTDPI_EMSI_FORMAT);
    assert_int_equal(vtdpi_msi_rte_decode(UINT64_C(0x0001000000000000), NULL),
                     VTDPI_EINVAL);
    assert_int_equal(f.index, 7);
}

/* The lines of lspci: "Address: <hex>  Data: <hex>", and what they mean. */
static bool check_line(const char *line)
{
    char text[256];
    char want[256];
    char got[256];
    unsigned long long address;
    struct vtdpi_msi msi;
    struct vtdpi_msi_request r;
    struct vtdpi_compat_msi c;

    if (shared_data_field(line, 0, text, sizeof(text)) == NULL ||
        shared_data_field(line, 3, want, sizeof(want)) == NULL ||
        sscanf(text, "Address: %llx Data: %x", &address, &msi.data) != 2)
        return false;
    msi.address_lo = (uint32_t)(address & 0xffffffff);
    msi.address_hi = (uint32_t)(address >> 32);
    if (strncmp(want, "remappable", 10) == 0) {
        assert_int_equal(vtdpi_msi_decode(&msi, &r), 0);
        (void)snprintf(got, sizeof(got),
                       "remappable handle=%u (0x%x) SHV=%u subhandle=%u -> "
                       "index %u",
                       r.handle, r.handle, r.shv, r.subhandle, r.index);
        assert_int_equal(vtdpi_compat_msi_decode(&msi, VTDPI_COMPAT_DEST_8, &c),
                         VTDPI_EMSI_FORMAT);
    } else {
        assert_int_equal(vtdpi_compat_msi_decode(&msi, VTDPI_COMPAT_DEST_8, &c),
                         0);
        (void)snprintf(got, sizeof(got),
                       "compatibility dest=0x%02x RH=%u DM=%u vector=0x%02x "
                       "delivery=%u",
                       (unsigned int)c.dest, c.rh, c.dm, c.vector,
                       (unsigned int)c.dlm);
        assert_int_equal(vtdpi_msi_decode(&msi, &r), VTDPI_EMSI_FORMAT);
    }
    assert_string_equal(got, want);
    return true;
}

static void test_msi_decode_real_machines(void **state)
{
    FILE *file = shared_data_open("msi.tsv");
    char line[SHARED_LINE_MAX];
    unsigned int lines = 0;
    unsigned int checked = 0;

    (void)state;
    if (file == NULL)
        skip();
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        lines++;
        checked += check_line(line);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(checked > 0);
    assert_int_equal(checked, lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_msi_encode_each_index_bit),
        cmocka_unit_test(test_msi_decode_each_index_bit),
        cmocka_unit_test(test_msi_encode_every_index_decodes_to_itself),
        cmocka_unit_test(test_msi_encode_bad_arguments_untouched),
        cmocka_unit_test(test_msi_encode_block_device_adds_subhandle),
        cmocka_unit_test(test_msi_encode_block_at_the_end_of_the_table),
        cmocka_unit_test(test_msi_encode_block_bad_arguments_untouched),
        cmocka_unit_test(test_msi_decode_drops_what_hardware_ignores),
        cmocka_unit_test(test_msi_decode_subhandle_all_bits),
        cmocka_unit_test(test_msi_decode_bad_request_untouched),
        cmocka_unit_test(test_rte_encode_each_field),
        cmocka_unit_test(test_rte_decode_each_field),
        cmocka_unit_test(test_rte_status_bits_decoded_not_encoded),
        cmocka_unit_test(test_rte_decode_each_reserved_bit_refused),
        cmocka_unit_test(test_rte_bad_arguments_untouched),
        cmocka_unit_test(test_msi_decode_real_machines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
