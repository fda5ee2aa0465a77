/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/msi.h"

/*
 * Compatibility-format messages of guests. Messages are literals and use no
 * mask or shift of the library.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct compat_row {
    enum vtdpi_compat_dest form;
    struct vtdpi_msi msi;
    struct vtdpi_compat_msi want;
};

#define D8  VTDPI_COMPAT_DEST_8
#define D15 VTDPI_COMPAT_DEST_15
#define D32 VTDPI_COMPAT_DEST_32

/* clang-format off */
static const struct compat_row compat_table[] = {
    {D8, {0xfee00000, 0, 0x0000}, {.dest = 0}},
    {D8, {0xfee01000, 0, 0x0000}, {.dest = 0x01}},
    {D8, {0xfee80000, 0, 0x0000}, {.dest = 0x80}},
    {D8, {0xfeeff000, 0, 0x0000}, {.dest = 0xff}},
    {D8, {0xfee00008, 0, 0x0000}, {.rh = true}},
    {D8, {0xfee00004, 0, 0x0000}, {.dm = true}},
    {D8, {0xfee00003, 0, 0x0000}, {.dest = 0}}, /* bits 1:0 mean nothing */
    {D8, {0xfee00000, 0, 0x0001}, {.vector = 0x01}},
    {D8, {0xfee00000, 0, 0x0080}, {.vector = 0x80}},
    {D8, {0xfee00000, 0, 0x00ff}, {.vector = 0xff}},
    {D8, {0xfee00000, 0, 0x0100}, {.dlm = VTDPI_DLM_LOWEST}},
    {D8, {0xfee00000, 0, 0x0200}, {.dlm = VTDPI_DLM_SMI}},
    {D8, {0xfee00000, 0, 0x0300}, {.dlm = (enum vtdpi_dlm)3}},
    {D8, {0xfee00000, 0, 0x0400}, {.dlm = VTDPI_DLM_NMI}},
    {D8, {0xfee00000, 0, 0x0500}, {.dlm = VTDPI_DLM_INIT}},
    {D8, {0xfee00000, 0, 0x0600}, {.dlm = (enum vtdpi_dlm)6}},
    {D8, {0xfee00000, 0, 0x0700}, {.dlm = VTDPI_DLM_EXTINT}},
    {D8, {0xfee00000, 0, 0x4000}, {.assert_level = true}},
    {D8, {0xfee00000, 0, 0x8000}, {.level = true}},
    {D8, {0xfeeff00f, 0, 0xc7ff},
     {.dest = 0xff, .vector = 0xff, .dlm = VTDPI_DLM_EXTINT, .rh = true,
      .dm = true, .level = true, .assert_level = true}},
    /* A Linux guest: logical, lowest priority, and a plain one. */
    {D8, {0xfeeff00c, 0, 0x4151},
     {.dest = 0xff, .vector = 0x51, .dlm = VTDPI_DLM_LOWEST, .rh = true,
      .dm = true, .assert_level = true}},
    {D8, {0xfee02004, 0, 0x0022}, {.dest = 2, .vector = 0x22, .dm = true}},
    {D15, {0xfee00000, 0, 0x0041}, {.dest = 0, .vector = 0x41}},
    {D15, {0xfeeff000, 0, 0x0041}, {.dest = 0xff, .vector = 0x41}},
    {D15, {0xfee00020, 0, 0x0041}, {.dest = 0x0100, .vector = 0x41}},
    {D15, {0xfee00800, 0, 0x0041}, {.dest = 0x4000, .vector = 0x41}},
    {D15, {0xfeefffec, 0, 0x0041},
     {.dest = 0x7fff, .vector = 0x41, .rh = true, .dm = true}},
    {D32, {0xfee00000, 0, 0x0041}, {.dest = 0, .vector = 0x41}},
    {D32, {0xfee03000, 0x00000100, 0x0041}, {.dest = 0x103, .vector = 0x41}},
    {D32, {0xfee00000, 0x80000000, 0x0041},
     {.dest = 0x80000000, .vector = 0x41}},
    {D32, {0xfeeff000, 0xffffff00, 0x0041},
     {.dest = 0xffffffff, .vector = 0x41}},
};

static const struct {
    enum vtdpi_compat_dest form;
    struct vtdpi_msi msi;
    int rc;
} compat_errors[] = {
    {D8, {0x00000000, 0, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D8, {0xfed00000, 0, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D8, {0xfef00000, 0, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D8, {0xfee00000, 0x00000001, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D8, {0xfee00000, 0x00000100, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D15, {0xfee00000, 0x80000000, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D32, {0xfee00000, 0x00000001, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D32, {0xfee00000, 0x00000080, 0x0041}, VTDPI_EMSI_ADDRESS},
    {D8, {0xfee00010, 0, 0x0041}, VTDPI_EMSI_FORMAT},
    {D15, {0xfee00010, 0, 0x0041}, VTDPI_EMSI_FORMAT},
    {D32, {0xfee00010, 0, 0x0041}, VTDPI_EMSI_FORMAT},
    {D8, {0xfee00020, 0, 0x0041}, VTDPI_EMSI_RESERVED},
    {D8, {0xfee00800, 0, 0x0041}, VTDPI_EMSI_RESERVED},
    {D32, {0xfee00020, 0, 0x0041}, VTDPI_EMSI_RESERVED},
};
/* clang-format on */

static void assert_compat(const struct vtdpi_compat_msi *c,
                          const struct vtdpi_compat_msi *want)
{
    assert_int_equal(c->dest, want->dest);
    assert_int_equal(c->vector, want->vector);
    assert_int_equal(c->dlm, want->dlm);
    assert_int_equal(c->rh, want->rh);
    assert_int_equal(c->dm, want->dm);
    assert_int_equal(c->level, want->level);
    assert_int_equal(c->assert_level, want->assert_level);
}

static void test_compat_msi_decode_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(compat_table); i++) {
        const struct compat_row *const row = &compat_table[i];
        struct vtdpi_compat_msi c;

        memset(&c, 0xff, sizeof(c));
        assert_int_equal(vtdpi_compat_msi_decode(&row->msi, row->form, &c), 0);
        assert_compat(&c, &row->want);
    }
}

static void test_compat_msi_decode_bad_message_untouched(void **state)
{
    const struct vtdpi_compat_msi before = {.dest = 7, .vector = 7};
    struct vtdpi_compat_msi c = before;

    (void)state;
    for (size_t i = 0; i < COUNT(compat_errors); i++) {
        assert_int_equal(vtdpi_compat_msi_decode(&compat_errors[i].msi,
                                                 compat_errors[i].form, &c),
                         compat_errors[i].rc);
        assert_compat(&c, &before);
    }
}

static void test_compat_msi_decode_each_reserved_data_bit(void **state)
{
    /* 13:11 and 31:16. */
    const uint32_t reserved = 0xffff3800;

    (void)state;
    for (unsigned int n = 0; n < 32; n++) {
        const uint32_t bit = UINT32_C(1) << n;
        const struct vtdpi_msi msi = {0xfee00000, 0, bit};
        struct vtdpi_compat_msi c;

        assert_int_equal(vtdpi_compat_msi_decode(&msi, D8, &c),
                         (reserved & bit) != 0 ? VTDPI_EMSI_RESERVED : 0);
    }
}

static void test_compat_msi_decode_bad_arguments_refused(void **state)
{
    const struct vtdpi_msi msi = {0xfee00000, 0, 0x41};
    struct vtdpi_compat_msi c;

    (void)state;
    assert_int_equal(vtdpi_compat_msi_decode(NULL, D8, &c), VTDPI_EINVAL);
    assert_int_equal(vtdpi_compat_msi_decode(&msi, D8, NULL), VTDPI_EINVAL);
    assert_int_equal(
        vtdpi_compat_msi_decode(&msi, (enum vtdpi_compat_dest)3, &c),
        VTDPI_EINVAL);
}

/* Words of the entry, by hand: destination, vector, delivery mode, trigger, hint,
 * logical, present. */
static const struct {
    enum vtdpi_compat_dest form;
    enum vtdpi_apic_mode mode;
    struct vtdpi_msi msi;
    uint64_t lo;
} host_table[] = {
    {D8, VTDPI_XAPIC, {0xfee03000, 0, 0x0041}, UINT64_C(0x0000030000410001)},
    {D8, VTDPI_X2APIC, {0xfee03000, 0, 0x0041}, UINT64_C(0x0000000300410001)},
    {D8, VTDPI_X2APIC, {0xfee0f004, 0, 0x0022}, UINT64_C(0x0000000f00220005)},
    {D8, VTDPI_X2APIC, {0xfee0f00c, 0, 0x4151}, UINT64_C(0x0000000f0051002d)},
    {D8, VTDPI_X2APIC, {0xfee02008, 0, 0x0032}, UINT64_C(0x0000000200320009)},
    {D8, VTDPI_X2APIC, {0xfee02000, 0, 0xc032}, UINT64_C(0x0000000200320011)},
    {D8, VTDPI_X2APIC, {0xfee02000, 0, 0x8032}, UINT64_C(0x0000000200320011)},
    {D8, VTDPI_X2APIC, {0xfee02000, 0, 0x0400}, UINT64_C(0x0000000200000081)},
    {D15, VTDPI_X2APIC, {0xfee01020, 0, 0x0041}, UINT64_C(0x0000010100410001)},
    {D32,
     VTDPI_X2APIC,
     {0xfee03000, 0x80000100, 0x00ff},
     UINT64_C(0x8000010300ff0001)},
};

static void test_compat_msi_to_remapped_makes_the_entry(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(host_table); i++) {
        struct vtdpi_irte_remapped fields;
        struct vtdpi_irte irte;

        memset(&fields, 0xff, sizeof(fields));
        assert_int_equal(
            vtdpi_compat_msi_to_remapped(&host_table[i].msi, host_table[i].form,
                                         host_table[i].mode, &fields),
            0);
        assert_int_equal(fields.source.kind, VTDPI_SOURCE_UNSET);
        fields.source = vtdpi_source_exact(0x0310, 0);
        assert_int_equal(vtdpi_irte_encode_remapped(&fields, &irte), 0);
        assert_int_equal(irte.lo, host_table[i].lo);
        assert_int_equal(irte.hi, 0x40310);
    }
}

/* A destination that the host keeps beside the message. */
static void test_compat_msi_to_remapped_takes_a_wide_destination(void **state)
{
    const struct vtdpi_msi msi = {0xfee03000, 0, 0x41};
    struct vtdpi_irte_remapped fields;
    struct vtdpi_irte irte;

    (void)state;
    assert_int_equal(
        vtdpi_compat_msi_to_remapped(&msi, D8, VTDPI_X2APIC, &fields), 0);
    fields.dst = 0x12345;
    fields.source = vtdpi_source_exact(0x0310, 0);
    assert_int_equal(vtdpi_irte_encode_remapped(&fields, &irte), 0);
    assert_int_equal(irte.lo, UINT64_C(0x0001234500410001));
}

static void test_compat_msi_to_remapped_bad_message_untouched(void **state)
{
    const struct vtdpi_msi msi = {0xfee00000, 0, 0x41};
    struct vtdpi_irte_remapped fields = {.dst = 7, .vector = 7};

    (void)state;
    for (size_t i = 0; i < COUNT(compat_errors); i++) {
        assert_int_equal(vtdpi_compat_msi_to_remapped(&compat_errors[i].msi,
                                                      compat_errors[i].form,
                                                      VTDPI_X2APIC, &fields),
                         compat_errors[i].rc);
        assert_int_equal(fields.dst, 7);
        assert_int_equal(fields.vector, 7);
        assert_false(fields.present);
    }
    assert_int_equal(
        vtdpi_compat_msi_to_remapped(NULL, D8, VTDPI_X2APIC, &fields),
        VTDPI_EINVAL);
    assert_int_equal(vtdpi_compat_msi_to_remapped(&msi, D8, VTDPI_X2APIC, NULL),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_compat_msi_to_remapped(&msi,
                                                  (enum vtdpi_compat_dest)3,
                                                  VTDPI_X2APIC, &fields),
                     VTDPI_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compat_msi_decode_each_field),
        cmocka_unit_test(test_compat_msi_decode_bad_message_untouched),
        cmocka_unit_test(test_compat_msi_decode_each_reserved_data_bit),
        cmocka_unit_test(test_compat_msi_decode_bad_arguments_refused),
        cmocka_unit_test(test_compat_msi_to_remapped_makes_the_entry),
        cmocka_unit_test(test_compat_msi_to_remapped_takes_a_wide_destination),
        cmocka_unit_test(test_compat_msi_to_remapped_bad_message_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
