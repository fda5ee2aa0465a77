/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/irte.h"

/*
 * Encoding and decoding. Expected words are literals, worked out from the
 * table of the entry's bits, and use no mask or shift of the library.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ANY                                              \
    {                                                    \
        .kind = VTDPI_SOURCE_ANY, .sid = 0x0000, .sq = 0 \
    }

struct remapped_row {
    struct vtdpi_irte_remapped f;
    uint64_t lo;
    uint64_t hi;
};

/* Present, vector 10h, x2APIC, any source; then one field more each. */
#define R(...)                                                            \
    {                                                                     \
        .present = true, .mode = VTDPI_X2APIC, .source = ANY, __VA_ARGS__ \
    }
/* The same with an xAPIC destination. */
#define X(...)                                                           \
    {                                                                    \
        .present = true, .mode = VTDPI_XAPIC, .source = ANY, __VA_ARGS__ \
    }
/* The same with a source. */
#define S(kind_, sid_, sq_)                                                \
    {                                                                      \
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x10, .source = { \
            .kind = kind_,                                                 \
            .sid = sid_,                                                   \
            .sq = sq_                                                      \
        }                                                                  \
    }

/* clang-format off */
static const struct remapped_row remapped_table[] = {
    {{.mode = VTDPI_XAPIC}, 0, 0},
    {{.mode = VTDPI_X2APIC}, 0, 0},
    {{.fpd = true}, UINT64_C(0x0000000000000002), 0},
    {{.avail = 15}, UINT64_C(0x0000000000000f00), 0},
    {R(.vector = 0x10), UINT64_C(0x0000000000100001), 0},
    {R(.vector = 0x11), UINT64_C(0x0000000000110001), 0},
    {R(.vector = 0x20), UINT64_C(0x0000000000200001), 0},
    {R(.vector = 0x40), UINT64_C(0x0000000000400001), 0},
    {R(.vector = 0x80), UINT64_C(0x0000000000800001), 0},
    {R(.vector = 0xff), UINT64_C(0x0000000000ff0001), 0},
    {R(.vector = 0x10, .fpd = true), UINT64_C(0x0000000000100003), 0},
    {R(.vector = 0x10, .dm = true), UINT64_C(0x0000000000100005), 0},
    {R(.vector = 0x10, .rh = true), UINT64_C(0x0000000000100009), 0},
    {R(.vector = 0x10, .tm = true), UINT64_C(0x0000000000100011), 0},
    {R(.vector = 0x10, .rh = true, .dlm = VTDPI_DLM_LOWEST),
     UINT64_C(0x0000000000100029), 0},
    {R(.dlm = VTDPI_DLM_SMI), UINT64_C(0x0000000000000041), 0},
    {R(.dlm = VTDPI_DLM_NMI), UINT64_C(0x0000000000000081), 0},
    {R(.dlm = VTDPI_DLM_INIT), UINT64_C(0x00000000000000a1), 0},
    {R(.dlm = VTDPI_DLM_EXTINT), UINT64_C(0x00000000000000e1), 0},
    {R(.dlm = VTDPI_DLM_NMI, .vector = 0x02), UINT64_C(0x0000000000020081), 0},
    {R(.vector = 0x10, .avail = 1), UINT64_C(0x0000000000100101), 0},
    {R(.vector = 0x10, .avail = 2), UINT64_C(0x0000000000100201), 0},
    {R(.vector = 0x10, .avail = 4), UINT64_C(0x0000000000100401), 0},
    {R(.vector = 0x10, .avail = 8), UINT64_C(0x0000000000100801), 0},
    {R(.vector = 0x10, .dst = 0x1), UINT64_C(0x0000000100100001), 0},
    {R(.vector = 0x10, .dst = 0x103), UINT64_C(0x0000010300100001), 0},
    {R(.vector = 0x10, .dst = 0x80000000), UINT64_C(0x8000000000100001), 0},
    {R(.vector = 0x10, .dst = 0xffffffff), UINT64_C(0xffffffff00100001), 0},
    {X(.vector = 0x10, .dst = 0x01), UINT64_C(0x0000010000100001), 0},
    {X(.vector = 0x10, .dst = 0x80), UINT64_C(0x0000800000100001), 0},
    {X(.vector = 0x10, .dst = 0xff), UINT64_C(0x0000ff0000100001), 0},
    {S(VTDPI_SOURCE_ANY, 0x3a5c, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000003a5c)},
    {S(VTDPI_SOURCE_EXACT, 0x0000, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000040000)},
    {S(VTDPI_SOURCE_EXACT, 0x0001, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000040001)},
    {S(VTDPI_SOURCE_EXACT, 0x8000, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000048000)},
    {S(VTDPI_SOURCE_EXACT, 0xffff, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x000000000004ffff)},
    {S(VTDPI_SOURCE_EXACT, 0x0000, 1), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000050000)},
    {S(VTDPI_SOURCE_EXACT, 0x0000, 2), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000060000)},
    {S(VTDPI_SOURCE_EXACT, 0xf0f8, 3), UINT64_C(0x0000000000100001),
     UINT64_C(0x000000000007f0f8)},
    {S(VTDPI_SOURCE_BUS_RANGE, 0x00ff, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x00000000000800ff)},
    {S(VTDPI_SOURCE_BUS_RANGE, 0x3a3a, 0), UINT64_C(0x0000000000100001),
     UINT64_C(0x0000000000083a3a)},
    /* All that can be one at once. */
    {{.present = true, .fpd = true, .dm = true, .rh = true, .tm = true,
      .dlm = VTDPI_DLM_LOWEST, .avail = 15, .vector = 0xff,
      .mode = VTDPI_X2APIC, .dst = 0xffffffff,
      .source = {VTDPI_SOURCE_EXACT, 0xffff, 3}},
     UINT64_C(0xffffffff00ff0f3f), UINT64_C(0x000000000007ffff)},
    /* As Linux programs a device: RH, physical, fixed, exact source. */
    {{.present = true, .rh = true, .vector = 0x24, .mode = VTDPI_X2APIC,
      .dst = 0x2c, .source = {VTDPI_SOURCE_EXACT, 0x3b00, 0}},
     UINT64_C(0x0000002c00240009), UINT64_C(0x0000000000043b00)},
};

struct posted_row {
    struct vtdpi_irte_posted f;
    uint64_t lo;
    uint64_t hi;
};

/* Present, vector 10h, any source, PID at 0; then one field more each. */
#define P(...)                                                          \
    {                                                                   \
        .present = true, .source = ANY, __VA_ARGS__                     \
    }
#define V10 .vector = 0x10

static const struct posted_row posted_table[] = {
    {{.present = false}, UINT64_C(0x0000000000008000), 0},
    {{.fpd = true}, UINT64_C(0x0000000000008002), 0},
    {{.avail = 15}, UINT64_C(0x0000000000008f00), 0},
    {P(.vector = 0x10), UINT64_C(0x0000000000108001), 0},
    {P(.vector = 0x20), UINT64_C(0x0000000000208001), 0},
    {P(.vector = 0x40), UINT64_C(0x0000000000408001), 0},
    {P(.vector = 0x80), UINT64_C(0x0000000000808001), 0},
    {P(.vector = 0xff), UINT64_C(0x0000000000ff8001), 0},
    {P(V10, .fpd = true), UINT64_C(0x0000000000108003), 0},
    {P(V10, .urgent = true), UINT64_C(0x000000000010c001), 0},
    {P(V10, .avail = 1), UINT64_C(0x0000000000108101), 0},
    {P(V10, .avail = 8), UINT64_C(0x0000000000108801), 0},
    {P(V10, .pda = UINT64_C(0x40)), UINT64_C(0x0000004000108001), 0},
    {P(V10, .pda = UINT64_C(0x80)), UINT64_C(0x0000008000108001), 0},
    {P(V10, .pda = UINT64_C(0x80000000)), UINT64_C(0x8000000000108001), 0},
    {P(V10, .pda = UINT64_C(0x100000000)), UINT64_C(0x0000000000108001),
     UINT64_C(0x0000000100000000)},
    {P(V10, .pda = UINT64_C(0x8000000000000000)), UINT64_C(0x0000000000108001),
     UINT64_C(0x8000000000000000)},
    {P(V10, .pda = UINT64_C(0x0000001234567fc0)), UINT64_C(0x34567fc000108001),
     UINT64_C(0x0000001200000000)},
    {P(V10, .pda = UINT64_C(0xffffffffffffffc0)), UINT64_C(0xffffffc000108001),
     UINT64_C(0xffffffff00000000)},
    {{.present = true, V10, .source = {VTDPI_SOURCE_ANY, 0x3a5c, 0}},
     UINT64_C(0x0000000000108001), UINT64_C(0x0000000000003a5c)},
    {{.present = true, V10, .source = {VTDPI_SOURCE_EXACT, 0xffff, 0}},
     UINT64_C(0x0000000000108001), UINT64_C(0x000000000004ffff)},
    {{.present = true, V10, .source = {VTDPI_SOURCE_EXACT, 0x0000, 3}},
     UINT64_C(0x0000000000108001), UINT64_C(0x0000000000070000)},
    {{.present = true, V10, .source = {VTDPI_SOURCE_BUS_RANGE, 0x0205, 0}},
     UINT64_C(0x0000000000108001), UINT64_C(0x0000000000080205)},
    /* All that can be one at once. */
    {{.present = true, .fpd = true, .urgent = true, .avail = 15,
      .vector = 0xff, .pda = UINT64_C(0xffffffffffffffc0),
      .source = {VTDPI_SOURCE_EXACT, 0xffff, 3}},
     UINT64_C(0xffffffc000ffcf03), UINT64_C(0xffffffff0007ffff)},
    /* A posted interrupt of an assigned device. */
    {{.present = true, .vector = 0x41, .pda = UINT64_C(0x000000105cb4e7c0),
      .source = {VTDPI_SOURCE_EXACT, 0x3b00, 0}},
     UINT64_C(0x5cb4e7c000418001), UINT64_C(0x0000001000043b00)},
};
/* clang-format on */

static void assert_source(const struct vtdpi_source *s,
                          const struct vtdpi_source *want)
{
    assert_int_equal(s->kind, want->kind);
    assert_int_equal(s->sid, want->sid);
    assert_int_equal(s->sq, want->sq);
}

static void assert_remapped(const struct vtdpi_irte_remapped *f,
                            const struct vtdpi_irte_remapped *want)
{
    assert_int_equal(f->present, want->present);
    assert_int_equal(f->fpd, want->fpd);
    assert_int_equal(f->dm, want->dm);
    assert_int_equal(f->rh, want->rh);
    assert_int_equal(f->tm, want->tm);
    assert_int_equal(f->avail, want->avail);
    assert_int_equal(f->vector, want->vector);
    assert_int_equal(f->dlm, want->dlm);
    assert_int_equal(f->mode, want->mode);
    assert_int_equal(f->dst, want->dst);
    assert_source(&f->source, &want->source);
}

static void assert_posted(const struct vtdpi_irte_posted *f,
                          const struct vtdpi_irte_posted *want)
{
    assert_int_equal(f->present, want->present);
    assert_int_equal(f->fpd, want->fpd);
    assert_int_equal(f->urgent, want->urgent);
    assert_int_equal(f->avail, want->avail);
    assert_int_equal(f->vector, want->vector);
    assert_int_equal(f->pda, want->pda);
    assert_source(&f->source, &want->source);
}

static void test_irte_layout_is_two_words(void **state)
{
    struct vtdpi_irte e = {UINT64_C(0x8000000000000001), UINT64_C(0x02)};
    const unsigned char *const bytes = (const unsigned char *)&e;

    (void)state;
    assert_int_equal(sizeof(e), 16);
    assert_int_equal(_Alignof(struct vtdpi_irte), 16);
    assert_int_equal(bytes[0], 0x01); /* bit 0 */
    assert_int_equal(bytes[7], 0x80); /* bit 63 */
    assert_int_equal(bytes[8], 0x02); /* bit 65 */
}

static void test_irte_encode_remapped_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(remapped_table); i++) {
        struct vtdpi_irte e = {~UINT64_C(0), ~UINT64_C(0)};

        assert_int_equal(vtdpi_irte_encode_remapped(&remapped_table[i].f, &e),
                         0);
        assert_int_equal(e.lo, remapped_table[i].lo);
        assert_int_equal(e.hi, remapped_table[i].hi);
    }
}

static void test_irte_decode_remapped_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(remapped_table); i++) {
        const struct remapped_row *const row = &remapped_table[i];
        const struct vtdpi_irte e = {row->lo, row->hi};
        struct vtdpi_irte_remapped f;

        memset(&f, 0xff, sizeof(f));
        assert_int_equal(vtdpi_irte_decode_remapped(&e, row->f.mode, &f), 0);
        assert_remapped(&f, &row->f);
        assert_int_equal(vtdpi_irte_validate(&e, row->f.mode, 64), 0);
    }
}

static void test_irte_encode_posted_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(posted_table); i++) {
        struct vtdpi_irte e = {~UINT64_C(0), ~UINT64_C(0)};

        assert_int_equal(vtdpi_irte_encode_posted(&posted_table[i].f, &e), 0);
        assert_int_equal(e.lo, posted_table[i].lo);
        assert_int_equal(e.hi, posted_table[i].hi);
    }
}

static void test_irte_decode_posted_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(posted_table); i++) {
        const struct posted_row *const row = &posted_table[i];
        const struct vtdpi_irte e = {row->lo, row->hi};
        struct vtdpi_irte_posted f;

        memset(&f, 0xff, sizeof(f));
        assert_int_equal(vtdpi_irte_decode_posted(&e, &f), 0);
        assert_posted(&f, &row->f);
        assert_int_equal(vtdpi_irte_validate(&e, VTDPI_XAPIC, 64), 0);
    }
}

static void test_irte_decode_all_ones_judges_nothing(void **state)
{
    const struct vtdpi_irte_remapped want_r = {
        true,
        true,
        true,
        true,
        true,
        15,
        0xff,
        (enum vtdpi_dlm)7,
        VTDPI_X2APIC,
        0xffffffff,
        {VTDPI_SOURCE_RESERVED, 0xffff, 3}};
    const struct vtdpi_irte_posted want_p = {
        true,
        true,
        true,
        15,
        0xff,
        UINT64_C(0xffffffffffffffc0),
        {VTDPI_SOURCE_RESERVED, 0xffff, 3}};
    struct vtdpi_irte e = {UINT64_C(0xffffffffffff7fff), ~UINT64_C(0)};
    struct vtdpi_irte_remapped r;
    struct vtdpi_irte_posted p;

    (void)state;
    assert_int_equal(vtdpi_irte_decode_remapped(&e, VTDPI_X2APIC, &r), 0);
    assert_remapped(&r, &want_r);
    assert_int_equal(vtdpi_irte_decode_remapped(&e, VTDPI_XAPIC, &r), 0);
    assert_int_equal(r.dst, 0xff);
    e.lo = ~UINT64_C(0);
    assert_int_equal(vtdpi_irte_decode_posted(&e, &p), 0);
    assert_posted(&p, &want_p);
}

static void test_irte_decode_xapic_takes_bits_47_40_only(void **state)
{
    const struct vtdpi_irte e = {UINT64_C(0xffff00ff00100001), 0};
    struct vtdpi_irte_remapped f;

    (void)state;
    assert_int_equal(vtdpi_irte_decode_remapped(&e, VTDPI_XAPIC, &f), 0);
    assert_int_equal(f.dst, 0);
}

static void test_irte_decode_absent_with_contents_shows_them(void **state)
{
    /* Not valid, but a dump has to show it. */
    const struct vtdpi_irte e = {UINT64_C(0x0000000100200000),
                                 UINT64_C(0x0000000000040001)};
    struct vtdpi_irte_remapped f;

    (void)state;
    assert_int_equal(vtdpi_irte_decode_remapped(&e, VTDPI_X2APIC, &f), 0);
    assert_false(f.present);
    assert_int_equal(f.vector, 0x20);
    assert_int_equal(f.dst, 1);
    assert_int_equal(f.source.kind, VTDPI_SOURCE_EXACT);
    assert_int_equal(f.source.sid, 1);
}

static void test_irte_decode_other_format_refused_untouched(void **state)
{
    const struct vtdpi_irte remapped = {UINT64_C(0x0000000000100001), 0};
    const struct vtdpi_irte posted = {UINT64_C(0x0000000000108001), 0};
    struct vtdpi_irte_remapped r = {.vector = 0x55};
    struct vtdpi_irte_posted p = {.vector = 0x55};

    (void)state;
    assert_int_equal(vtdpi_irte_decode_remapped(&posted, VTDPI_XAPIC, &r),
                     VTDPI_EIRTE_FORMAT);
    assert_int_equal(vtdpi_irte_decode_posted(&remapped, &p),
                     VTDPI_EIRTE_FORMAT);
    assert_int_equal(r.vector, 0x55);
    assert_int_equal(p.vector, 0x55);
}

static void test_irte_is_posted_looks_at_im(void **state)
{
    struct vtdpi_irte e = {UINT64_C(0x0000000000008000), 0};

    (void)state;
    assert_true(vtdpi_irte_is_posted(&e));
    e.lo = UINT64_C(0xffffffffffff7fff);
    assert_false(vtdpi_irte_is_posted(&e));
}

static void test_irte_decode_bad_arguments_refused(void **state)
{
    const struct vtdpi_irte e = {0, 0};
    struct vtdpi_irte_remapped r;
    struct vtdpi_irte_posted p;

    (void)state;
    assert_int_equal(vtdpi_irte_decode_remapped(NULL, VTDPI_XAPIC, &r),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_irte_decode_remapped(&e, VTDPI_XAPIC, NULL),
                     VTDPI_EINVAL);
    assert_int_equal(
        vtdpi_irte_decode_remapped(&e, (enum vtdpi_apic_mode)2, &r),
        VTDPI_EINVAL);
    assert_int_equal(vtdpi_irte_decode_posted(NULL, &p), VTDPI_EINVAL);
    assert_int_equal(vtdpi_irte_decode_posted(&e, NULL), VTDPI_EINVAL);
}

static void test_irte_read_copies_both_words(void **state)
{
    const struct vtdpi_irte entry = {UINT64_C(0x0123456789abcdef),
                                     UINT64_C(0xfedcba9876543210)};
    struct vtdpi_irte copy = {0, 0};

    (void)state;
    vtdpi_irte_read(&entry, &copy);
    assert_int_equal(copy.lo, UINT64_C(0x0123456789abcdef));
    assert_int_equal(copy.hi, UINT64_C(0xfedcba9876543210));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_irte_layout_is_two_words),
        cmocka_unit_test(test_irte_encode_remapped_each_field),
        cmocka_unit_test(test_irte_decode_remapped_each_field),
        cmocka_unit_test(test_irte_encode_posted_each_field),
        cmocka_unit_test(test_irte_decode_posted_each_field),
        cmocka_unit_test(test_irte_decode_all_ones_judges_nothing),
        cmocka_unit_test(test_irte_decode_xapic_takes_bits_47_40_only),
        cmocka_unit_test(test_irte_decode_absent_with_contents_shows_them),
        cmocka_unit_test(test_irte_decode_other_format_refused_untouched),
        cmocka_unit_test(test_irte_is_posted_looks_at_im),
        cmocka_unit_test(test_irte_decode_bad_arguments_refused),
        cmocka_unit_test(test_irte_read_copies_both_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
