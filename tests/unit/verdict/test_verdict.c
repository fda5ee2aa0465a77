/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.h: every obstacle, alone and together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/verdict.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A Xeon-SP unit that does not snoop: everything that posting needs. */
#define CAP_POSTING  UINT64_C(0x08d2078c106f0466)
#define ECAP_POSTING UINT64_C(0x0000000000f020de)

#define UNITS        3
#define REASONS      32

/* A machine that can post; tests take things away from it. */
struct machine {
    struct vtdpi_caps caps[UNITS];
    struct vtdpi_verdict_unit units[UNITS];
    uint8_t ioapics[2];
    struct vtdpi_verdict_facts facts;
    struct vtdpi_caps_options options;
    struct vtdpi_verdict_reason reasons[REASONS];
    size_t count;
};

static void machine_init(struct machine *m)
{
    memset(m, 0, sizeof(*m));
    for (size_t i = 0; i < UNITS; i++) {
        assert_int_equal(
            vtdpi_caps_decode(0x10, CAP_POSTING, ECAP_POSTING, &m->caps[i]), 0);
        m->units[i].caps = &m->caps[i];
    }
    m->ioapics[0] = 8;
    m->ioapics[1] = 255;
    m->facts.units = m->units;
    m->facts.unit_count = UNITS;
    m->facts.uncovered_ioapics = m->ioapics;
    m->facts.firmware_intr_remap = true;
    m->facts.cpu_x2apic = true;
    m->facts.cpu_cx16 = true;
    vtdpi_caps_options_init(&m->options);
}

static enum vtdpi_verdict decide(struct machine *m)
{
    return vtdpi_verdict_decide(&m->facts, &m->options, m->reasons, REASONS,
                                &m->count);
}

static void assert_sole_reason(struct machine *m, enum vtdpi_verdict verdict,
                               enum vtdpi_verdict_reason_code code,
                               uint32_t where)
{
    assert_int_equal(decide(m), verdict);
    assert_int_equal(m->count, 1);
    assert_int_equal(m->reasons[0].code, code);
    assert_int_equal(m->reasons[0].where, where);
}

static void test_verdict_decide_nothing_missing_is_posting(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
    assert_int_equal(m.count, 0);

    /* Firmware's wish is no obstacle to CPUs that are not in x2APIC mode. */
    m.facts.firmware_x2apic_optout = true;
    m.facts.cpu_x2apic = false;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);

    /* Nor is a unit without EIM, or one that runs without it. */
    m.caps[1].eim = false;
    m.units[0].eime = VTDPI_VERDICT_EIME_CLEAR;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
    assert_int_equal(m.count, 0);
}

static void test_verdict_decide_each_host_obstacle_is_its_reason(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    m.options.intremap = false;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                       VTDPI_VERDICT_REASON_INTREMAP_OFF, 0);

    machine_init(&m);
    m.options.intpost = false;
    assert_sole_reason(&m, VTDPI_VERDICT_REMAPPING,
                       VTDPI_VERDICT_REASON_INTPOST_OFF, 0);

    machine_init(&m);
    m.facts.firmware_intr_remap = false;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_VERDICT_REASON_FIRMWARE,
                       0);

    machine_init(&m);
    m.facts.firmware_x2apic_optout = true;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                       VTDPI_VERDICT_REASON_X2APIC_OPTOUT, 0);
    m.options.ignore_x2apic_optout = true;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);

    machine_init(&m);
    m.facts.unit_count = 0;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_VERDICT_REASON_NO_UNIT, 0);

    machine_init(&m);
    m.facts.cpu_cx16 = false;
    assert_sole_reason(&m, VTDPI_VERDICT_REMAPPING,
                       VTDPI_VERDICT_REASON_NO_CX16, 0);
}

static void test_verdict_decide_each_unit_obstacle_names_unit(void **state)
{
    struct machine m;

    (void)state;
    for (uint32_t i = 0; i < UNITS; i++) {
        machine_init(&m);
        m.units[i].caps = NULL;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                           VTDPI_VERDICT_REASON_UNIT_UNREADABLE, i);
        machine_init(&m);
        assert_int_equal(vtdpi_caps_decode(0, 0, 0, &m.caps[i]), VTDPI_EIO);
        assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                           VTDPI_VERDICT_REASON_UNIT_UNREADABLE, i);
        machine_init(&m);
        m.caps[i].qi = false;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                           VTDPI_VERDICT_REASON_UNIT_NO_QI, i);
        machine_init(&m);
        m.caps[i].ir = false;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                           VTDPI_VERDICT_REASON_UNIT_NO_IR, i);
        machine_init(&m);
        m.caps[i].eim = false;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                           VTDPI_VERDICT_REASON_UNIT_NO_EIM, i);
        machine_init(&m);
        m.caps[i].pi = false;
        assert_sole_reason(&m, VTDPI_VERDICT_REMAPPING,
                           VTDPI_VERDICT_REASON_UNIT_NO_PI, i);
    }
}

/* A unit that vtdpi_unit_probe() refuses is not usable. */
static void test_verdict_decide_registers_must_fit(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    m.units[1].window_bytes = 4096;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
    m.caps[1].fault_offset = 0xb0;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                       VTDPI_VERDICT_REASON_UNIT_REGISTERS, 1);
    m.caps[1].fault_offset = 0xc0;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
    m.caps[1].iotlb_offset = 0x20;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                       VTDPI_VERDICT_REASON_UNIT_REGISTERS, 1);
    m.caps[1].iotlb_offset = 4096;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                       VTDPI_VERDICT_REASON_UNIT_REGISTERS, 1);
    /* The window is not known, so it is not judged. */
    m.units[1].window_bytes = 0;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
}

static void test_verdict_decide_eime_must_equal_cpu_mode(void **state)
{
    static const struct {
        bool x2apic;
        enum vtdpi_verdict_eime eime;
        bool fits;
    } table[] = {
        {false, VTDPI_VERDICT_EIME_FREE, true},
        {true, VTDPI_VERDICT_EIME_FREE, true},
        {false, VTDPI_VERDICT_EIME_CLEAR, true},
        {true, VTDPI_VERDICT_EIME_CLEAR, false},
        {false, VTDPI_VERDICT_EIME_SET, false},
        {true, VTDPI_VERDICT_EIME_SET, true},
    };
    struct machine m;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        machine_init(&m);
        m.facts.cpu_x2apic = table[i].x2apic;
        m.units[2].eime = table[i].eime;
        if (table[i].fits)
            assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
        else
            assert_sole_reason(&m, VTDPI_VERDICT_NONE,
                               VTDPI_VERDICT_REASON_UNIT_EIME, 2);
    }
}

static void test_verdict_decide_uncovered_ioapics_are_named(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    m.facts.uncovered_ioapic_count = 1;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_VERDICT_REASON_IOAPIC, 8);
    m.facts.uncovered_ioapic_count = 2;
    assert_int_equal(decide(&m), VTDPI_VERDICT_NONE);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.reasons[1].code, VTDPI_VERDICT_REASON_IOAPIC);
    assert_int_equal(m.reasons[1].where, 255);
}

static void test_verdict_decide_worst_reason_counts(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    m.facts.firmware_intr_remap = false;
    m.caps[2].pi = false; /* listed last, and the lesser one */
    assert_int_equal(decide(&m), VTDPI_VERDICT_NONE);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.reasons[1].code, VTDPI_VERDICT_REASON_UNIT_NO_PI);
}

static void machine_break_everything(struct machine *m)
{
    machine_init(m);
    m->options.intremap = false;
    m->options.intpost = false;
    m->facts.firmware_intr_remap = false;
    m->facts.firmware_x2apic_optout = true;
    m->facts.cpu_cx16 = false;
    m->units[0].caps = NULL;
    m->units[0].eime = VTDPI_VERDICT_EIME_CLEAR; /* not known of a dead unit */
    /* A unit that answers, and can do nothing. */
    assert_int_equal(vtdpi_caps_decode(0x10, 0, 0, &m->caps[1]), 0);
    m->units[1].eime = VTDPI_VERDICT_EIME_CLEAR;
    m->caps[2].pi = false;
    m->facts.uncovered_ioapic_count = 2;
}

static const struct vtdpi_verdict_reason everything[] = {
    {VTDPI_VERDICT_REASON_INTREMAP_OFF, 0},
    {VTDPI_VERDICT_REASON_FIRMWARE, 0},
    {VTDPI_VERDICT_REASON_X2APIC_OPTOUT, 0},
    {VTDPI_VERDICT_REASON_INTPOST_OFF, 0},
    {VTDPI_VERDICT_REASON_NO_CX16, 0},
    {VTDPI_VERDICT_REASON_UNIT_UNREADABLE, 0},
    {VTDPI_VERDICT_REASON_UNIT_NO_QI, 1},
    {VTDPI_VERDICT_REASON_UNIT_NO_IR, 1},
    {VTDPI_VERDICT_REASON_UNIT_NO_EIM, 1},
    {VTDPI_VERDICT_REASON_UNIT_EIME, 1},
    {VTDPI_VERDICT_REASON_UNIT_NO_PI, 1},
    {VTDPI_VERDICT_REASON_UNIT_REGISTERS, 1},
    {VTDPI_VERDICT_REASON_UNIT_NO_PI, 2},
    {VTDPI_VERDICT_REASON_IOAPIC, 8},
    {VTDPI_VERDICT_REASON_IOAPIC, 255},
};

static void test_verdict_decide_everything_missing_lists_all(void **state)
{
    struct machine m;

    (void)state;
    machine_break_everything(&m);
    assert_int_equal(decide(&m), VTDPI_VERDICT_NONE);
    assert_int_equal(m.count, COUNT(everything));
    for (size_t i = 0; i < COUNT(everything); i++) {
        assert_int_equal(m.reasons[i].code, everything[i].code);
        assert_int_equal(m.reasons[i].where, everything[i].where);
    }
}

static void test_verdict_decide_short_list_still_counts_all(void **state)
{
    struct machine m;

    (void)state;
    machine_break_everything(&m);
    for (size_t room = 0; room <= COUNT(everything) + 1; room++) {
        memset(m.reasons, 0, sizeof(m.reasons));
        assert_int_equal(vtdpi_verdict_decide(&m.facts, &m.options, m.reasons,
                                              room, &m.count),
                         VTDPI_VERDICT_NONE);
        assert_int_equal(m.count, COUNT(everything));
        for (size_t i = 0; i < REASONS; i++)
            assert_int_equal(m.reasons[i].code,
                             i < room && i < m.count ? everything[i].code : 0);
    }
    assert_int_equal(vtdpi_verdict_decide(&m.facts, &m.options, NULL, 0, NULL),
                     VTDPI_VERDICT_NONE);
}

/* --- texts --- */

static void test_reason_text_every_code_has_its_own(void **state)
{
    (void)state;
    for (int a = VTDPI_VERDICT_REASON_INTREMAP_OFF;
         a <= VTDPI_VERDICT_REASON_UNIT_REGISTERS; a++) {
        const char *const text =
            vtdpi_verdict_reason_text((enum vtdpi_verdict_reason_code)a);

        assert_string_not_equal(text, "unknown reason");
        for (int b = VTDPI_VERDICT_REASON_INTREMAP_OFF; b < a; b++)
            assert_string_not_equal(
                text,
                vtdpi_verdict_reason_text((enum vtdpi_verdict_reason_code)b));
    }
}

static void test_reason_text_unknown_code_is_harmless(void **state)
{
    static const int codes[] = {0, VTDPI_VERDICT_REASON_UNIT_REGISTERS + 1,
                                1000000, -1};

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        const enum vtdpi_verdict_reason_code code =
            (enum vtdpi_verdict_reason_code)codes[i];

        assert_string_equal(vtdpi_verdict_reason_text(code), "unknown reason");
        assert_int_equal(vtdpi_verdict_reason_limit(code), VTDPI_VERDICT_NONE);
        assert_int_equal(vtdpi_verdict_reason_where(code),
                         VTDPI_VERDICT_WHERE_HOST);
    }
}

static void test_reason_limit_and_place_follow_the_code(void **state)
{
    static const struct {
        enum vtdpi_verdict_reason_code code;
        enum vtdpi_verdict limit;
        enum vtdpi_verdict_where place;
    } table[] = {
        {VTDPI_VERDICT_REASON_INTREMAP_OFF, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_HOST},
        {VTDPI_VERDICT_REASON_FIRMWARE, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_HOST},
        {VTDPI_VERDICT_REASON_X2APIC_OPTOUT, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_HOST},
        {VTDPI_VERDICT_REASON_NO_UNIT, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_HOST},
        {VTDPI_VERDICT_REASON_UNIT_UNREADABLE, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_UNIT},
        {VTDPI_VERDICT_REASON_UNIT_NO_QI, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_UNIT},
        {VTDPI_VERDICT_REASON_UNIT_NO_IR, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_UNIT},
        {VTDPI_VERDICT_REASON_UNIT_NO_EIM, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_UNIT},
        {VTDPI_VERDICT_REASON_UNIT_EIME, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_UNIT},
        {VTDPI_VERDICT_REASON_UNIT_REGISTERS, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_UNIT},
        {VTDPI_VERDICT_REASON_IOAPIC, VTDPI_VERDICT_NONE,
         VTDPI_VERDICT_WHERE_IOAPIC},
        {VTDPI_VERDICT_REASON_INTPOST_OFF, VTDPI_VERDICT_REMAPPING,
         VTDPI_VERDICT_WHERE_HOST},
        {VTDPI_VERDICT_REASON_NO_CX16, VTDPI_VERDICT_REMAPPING,
         VTDPI_VERDICT_WHERE_HOST},
        {VTDPI_VERDICT_REASON_UNIT_NO_PI, VTDPI_VERDICT_REMAPPING,
         VTDPI_VERDICT_WHERE_UNIT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(vtdpi_verdict_reason_limit(table[i].code),
                         table[i].limit);
        assert_int_equal(vtdpi_verdict_reason_where(table[i].code),
                         table[i].place);
    }
}

static void test_verdict_text_every_verdict_has_its_own(void **state)
{
    (void)state;
    assert_string_equal(vtdpi_verdict_text(VTDPI_VERDICT_NONE),
                        "no interrupt remapping");
    assert_string_equal(vtdpi_verdict_text(VTDPI_VERDICT_REMAPPING),
                        "interrupt remapping without posting");
    assert_string_equal(vtdpi_verdict_text(VTDPI_VERDICT_POSTING),
                        "interrupt remapping with posting");
    assert_string_equal(vtdpi_verdict_text((enum vtdpi_verdict)3),
                        "unknown verdict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict_decide_nothing_missing_is_posting),
        cmocka_unit_test(test_verdict_decide_each_host_obstacle_is_its_reason),
        cmocka_unit_test(test_verdict_decide_each_unit_obstacle_names_unit),
        cmocka_unit_test(test_verdict_decide_registers_must_fit),
        cmocka_unit_test(test_verdict_decide_eime_must_equal_cpu_mode),
        cmocka_unit_test(test_verdict_decide_uncovered_ioapics_are_named),
        cmocka_unit_test(test_verdict_decide_worst_reason_counts),
        cmocka_unit_test(test_verdict_decide_everything_missing_lists_all),
        cmocka_unit_test(test_verdict_decide_short_list_still_counts_all),
        cmocka_unit_test(test_reason_text_every_code_has_its_own),
        cmocka_unit_test(test_reason_text_unknown_code_is_harmless),
        cmocka_unit_test(test_reason_limit_and_place_follow_the_code),
        cmocka_unit_test(test_verdict_text_every_verdict_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
