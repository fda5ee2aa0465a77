/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/caps.h"

#include "shared_data.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A Xeon-SP unit that does not snoop: everything that posting needs. */
#define CAP_POSTING  UINT64_C(0x08d2078c106f0466)
#define ECAP_POSTING UINT64_C(0x0000000000f020de)

/* The one-bit members, so that a table can name them. */
#define FLAG(member) offsetof(struct vtdpi_caps, member)

static const struct {
    const char *name; /* as the shared data prints it */
    size_t member;
    int cap_bit;  /* -1: not in CAP */
    int ecap_bit; /* -1: not in ECAP */
} flags[] = {
    {"RWBF", FLAG(rwbf), 4, -1},
    {"CM", FLAG(cm), 7, -1},
    {"PI", FLAG(pi), 59, -1},
    {"FL5LP", FLAG(fl5lp), 60, -1},
    {"ESIRTPS", FLAG(esirtps), 62, -1},
    {"ESRTPS", FLAG(esrtps), 63, -1},
    {"C", FLAG(coherent), -1, 0},
    {"QI", FLAG(qi), -1, 1},
    {"DT", FLAG(dt), -1, 2},
    {"IR", FLAG(ir), -1, 3},
    {"EIM", FLAG(eim), -1, 4},
    {"PT", FLAG(pt), -1, 6},
    {"SC", FLAG(sc), -1, 7},
    {"SMTS", FLAG(smts), -1, 43},
};

static bool flag_of(const struct vtdpi_caps *caps, size_t i)
{
    return *(const bool *)((const unsigned char *)caps + flags[i].member);
}

/* --- vtdpi_caps_decode --- */

static void test_caps_decode_each_bit_alone_sets_its_flag(void **state)
{
    struct vtdpi_caps caps;

    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        assert_int_equal(vtdpi_caps_decode(0x10, UINT64_C(1) << bit, 0, &caps),
                         0);
        for (size_t i = 0; i < COUNT(flags); i++)
            assert_int_equal(flag_of(&caps, i), flags[i].cap_bit == bit);
        assert_int_equal(vtdpi_caps_decode(0x10, 0, UINT64_C(1) << bit, &caps),
                         0);
        for (size_t i = 0; i < COUNT(flags); i++)
            assert_int_equal(flag_of(&caps, i), flags[i].ecap_bit == bit);
    }
}

/* Each field of more than one bit: alone, and with all other bits set. */
static const struct {
    uint64_t cap;
    uint64_t ecap;
    uint16_t nd, sagaw, guest_width, fault_offset, fault_count;
    uint16_t iotlb_offset, mhmv;
} fields[] = {
    {0, 0, 0, 0, 1, 0, 1, 0, 0},
    {UINT64_C(0x0000000000000007), 0, 7, 0, 1, 0, 1, 0, 0},
    {UINT64_C(0x0000000000001f00), 0, 0, 31, 1, 0, 1, 0, 0},
    {UINT64_C(0x00000000003f0000), 0, 0, 0, 64, 0, 1, 0, 0},
    {UINT64_C(0x0000000001000000), 0, 0, 0, 1, 16, 1, 0, 0},
    {UINT64_C(0x00000003ff000000), 0, 0, 0, 1, 16368, 1, 0, 0},
    {UINT64_C(0x0000010000000000), 0, 0, 0, 1, 0, 2, 0, 0},
    {UINT64_C(0x0000ff0000000000), 0, 0, 0, 1, 0, 256, 0, 0},
    {0, UINT64_C(0x0000000000000100), 0, 0, 1, 0, 1, 16, 0},
    {0, UINT64_C(0x000000000003ff00), 0, 0, 1, 0, 1, 16368, 0},
    {0, UINT64_C(0x0000000000100000), 0, 0, 1, 0, 1, 0, 1},
    {0, UINT64_C(0x0000000000f00000), 0, 0, 1, 0, 1, 0, 15},
    {UINT64_C(0xffff00fc00c0e0f8), UINT64_C(0xffffffffff0c00ff), 0, 0, 1, 0, 1,
     0, 0},
    {UINT64_C(0xfffffffffffffffe), UINT64_C(0xfffffffffffffffe), 6, 31, 64,
     16368, 256, 16368, 15},
};

static void test_caps_decode_each_field_alone_gives_its_value(void **state)
{
    struct vtdpi_caps caps;

    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        assert_int_equal(
            vtdpi_caps_decode(0, fields[i].cap, fields[i].ecap, &caps), 0);
        assert_true(caps.cap == fields[i].cap);
        assert_true(caps.ecap == fields[i].ecap);
        assert_int_equal(caps.nd, fields[i].nd);
        assert_int_equal(caps.sagaw, fields[i].sagaw);
        assert_int_equal(caps.guest_width, fields[i].guest_width);
        assert_int_equal(caps.fault_offset, fields[i].fault_offset);
        assert_int_equal(caps.fault_count, fields[i].fault_count);
        assert_int_equal(caps.iotlb_offset, fields[i].iotlb_offset);
        assert_int_equal(caps.mhmv, fields[i].mhmv);
    }
}

static void test_caps_decode_version_splits_nibbles(void **state)
{
    struct vtdpi_caps caps;

    (void)state;
    assert_int_equal(vtdpi_caps_decode(0xffffff6a, 0, 0, &caps), 0);
    assert_int_equal(caps.version_major, 6);
    assert_int_equal(caps.version_minor, 10);
}

static void test_caps_decode_window_covers_placed_registers(void **state)
{
    static const struct {
        uint64_t cap;
        uint64_t ecap;
        uint32_t bytes;
    } table[] = {
        {0, 0, 4096},
        /* FRO f00h, 16 records: up to the last byte of the page; then 17. */
        {UINT64_C(0x00000f00f0000000), 0, 4096},
        {UINT64_C(0x00001000f0000000), 0, 8192},
        {UINT64_C(0x0000ff03ff000000), 0, 20480},
        /* IRO ff0h: two registers of 8 bytes end the page; then 1000h. */
        {0, UINT64_C(0x000000000000ff00), 4096},
        {0, UINT64_C(0x0000000000010000), 8192},
        {0, UINT64_C(0x000000000003ff00), 16384},
        /* The larger of both, either way round. */
        {UINT64_C(0x0000000100000000), UINT64_C(0x0000000000020000), 12288},
        {UINT64_C(0x0000000200000000), UINT64_C(0x0000000000010000), 12288},
    };
    struct vtdpi_caps caps;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(
            vtdpi_caps_decode(0x10, table[i].cap, table[i].ecap, &caps), 0);
        assert_int_equal(caps.register_bytes, table[i].bytes);
    }
}

static void test_caps_decode_any_word_all_ones_returns_eio(void **state)
{
    const uint64_t ones = UINT64_MAX;
    const struct vtdpi_caps zero = {0};
    struct vtdpi_caps caps;

    (void)state;
    for (int i = 0; i < 3; i++) {
        memset(&caps, 0xa5, sizeof(caps));
        assert_int_equal(vtdpi_caps_decode(i == 0 ? UINT32_MAX : 0x10,
                                           i == 1 ? ones : CAP_POSTING,
                                           i == 2 ? ones : ECAP_POSTING, &caps),
                         VTDPI_EIO);
        assert_int_equal(caps.register_bytes, zero.register_bytes);
        assert_true(caps.cap == 0 && caps.ecap == 0);
        assert_int_equal(caps.guest_width, 0);
        for (size_t f = 0; f < COUNT(flags); f++)
            assert_false(flag_of(&caps, f));
    }
}

/* --- triples of real machines --- */

/* The value of NAME in text such as "PI=1 FRO=0x100"; -1 if not there. */
static long value_of(const char *text, const char *name)
{
    const size_t len = strlen(name);
    const char *at = text;

    while (at != NULL) {
        at += strspn(at, " ");
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return strtol(at + len + 1, NULL, 0);
        at = strchr(at, ' ');
    }
    return -1;
}

/* Compares if printed; returns how many values that were. */
static unsigned int check_value(const char *text, const char *name,
                                unsigned int value)
{
    const long printed = value_of(text, name);

    if (printed == -1)
        return 0;
    assert_int_equal(printed, value);
    return 1;
}

static void check_triple(const char *line)
{
    struct vtdpi_caps caps;
    char ver[16];
    char word[32];
    char text[512];
    unsigned int major;
    unsigned int minor;
    uint64_t cap;
    uint64_t ecap;
    unsigned int seen = 0;

    assert_non_null(shared_data_field(line, 1, ver, sizeof(ver)));
    assert_int_equal(sscanf(ver, "%u:%u", &major, &minor), 2);
    assert_non_null(shared_data_field(line, 2, word, sizeof(word)));
    cap = strtoull(word, NULL, 16);
    assert_non_null(shared_data_field(line, 3, word, sizeof(word)));
    ecap = strtoull(word, NULL, 16);
    assert_int_equal(vtdpi_caps_decode(major << 4 | minor, cap, ecap, &caps),
                     0);
    assert_int_equal(caps.version_major, major);
    assert_int_equal(caps.version_minor, minor);

    assert_non_null(shared_data_field(line, 4, text, sizeof(text)));
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (flags[i].cap_bit >= 0)
            seen += check_value(text, flags[i].name, flag_of(&caps, i));
    }
    seen += check_value(text, "MGAW", caps.guest_width);
    seen += check_value(text, "FRO", caps.fault_offset);
    seen += check_value(text, "NFR", caps.fault_count);

    assert_non_null(shared_data_field(line, 5, text, sizeof(text)));
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (flags[i].ecap_bit >= 0)
            seen += check_value(text, flags[i].name, flag_of(&caps, i));
    }
    seen += check_value(text, "IRO", caps.iotlb_offset);
    seen += check_value(text, "MHMV", caps.mhmv);
    assert_true(seen >= 18); /* of PI FL5LP ... SMTS, RWBF is not printed */
}

static void test_caps_decode_real_triples_match_their_columns(void **state)
{
    FILE *const file = shared_data_open("dmesg/triples.tsv");
    char line[SHARED_LINE_MAX];
    unsigned int seen = 0;

    (void)state;
    if (file == NULL)
        skip();
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#')
            continue;
        check_triple(line);
        seen++;
    }
    (void)fclose(file);
    assert_true(seen > 0);
}

/* --- options --- */

static void test_options_init_sets_documented_defaults(void **state)
{
    struct vtdpi_options o;

    (void)state;
    memset(&o, 0, sizeof(o));
    o.ignore_x2apic_optout = true;
    vtdpi_options_init(&o);
    assert_true(o.intremap);
    assert_true(o.intpost);
    assert_false(o.ignore_x2apic_optout);
}

static void test_options_parse_known_text_applies(void **state)
{
    static const struct {
        const char *text;
        bool intremap, intpost, ignore;
    } table[] = {
        {"", true, true, false},
        {"intremap=on", true, true, false},
        {"intremap=off", false, true, false},
        {"intpost=off", true, false, false},
        {"intpost=on", true, true, false},
        {"x2apic_optout=ignore", true, true, true},
        {"x2apic_optout=honour", true, true, false},
        {"intremap=off,intpost=off,x2apic_optout=ignore", false, false, true},
        {"intpost=off,intpost=on", true, true, false},
        {"intpost=on,intremap=on,intpost=off", true, false, false},
        {"x2apic_optout=ignore,x2apic_optout=honour", true, true, false},
        {"intremap=off,intremap=on", true, true, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_options o;
        size_t at = 77;

        vtdpi_options_init(&o);
        assert_int_equal(vtdpi_options_parse(table[i].text, &o, &at), 0);
        assert_int_equal(at, 77);
        assert_int_equal(o.intremap, table[i].intremap);
        assert_int_equal(o.intpost, table[i].intpost);
        assert_int_equal(o.ignore_x2apic_optout, table[i].ignore);
    }
}

static void test_options_parse_unknown_text_returns_its_offset(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } table[] = {
        {",", 0},
        {"intpost", 0},
        {"intpost,intremap=on", 0},
        {"=on", 0},
        {"=", 0},
        {"posting=on", 0},
        {"Intpost=on", 0},
        {" intpost=on", 0},
        {"intpos=on", 0},
        {"intposts=on", 0},
        {"intpost=", 8},
        {"intpost=yes", 8},
        {"intpost=o", 8},
        {"intpost=onn", 8},
        {"intpost=ON", 8},
        {"intpost==on", 8},
        {"intpost=on ", 8},
        {"intpost=on=on", 8},
        {"intpost=honour", 8},
        {"intpost=off,", 12},
        {"intpost=off,,intremap=on", 12},
        {"intpost=off,sid=off", 12},
        {"intpost=off,intremap=maybe", 21},
        {"intpost=off,x2apic_optout=on", 26},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_options o;
        size_t at = 77;

        vtdpi_options_init(&o);
        assert_int_equal(vtdpi_options_parse(table[i].text, &o, &at),
                         VTDPI_EOPTION);
        assert_int_equal(at, table[i].at);
        assert_true(o.intremap && o.intpost && !o.ignore_x2apic_optout);
        assert_int_equal(vtdpi_options_parse(table[i].text, &o, NULL),
                         VTDPI_EOPTION);
    }
}

/* --- verdict --- */

#define UNITS   3
#define REASONS 32

/* A machine that can post; tests take things away from it. */
struct machine {
    struct vtdpi_caps caps[UNITS];
    struct vtdpi_unit_facts units[UNITS];
    uint8_t ioapics[2];
    struct vtdpi_facts facts;
    struct vtdpi_options options;
    struct vtdpi_reason reasons[REASONS];
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
    vtdpi_options_init(&m->options);
}

static enum vtdpi_verdict decide(struct machine *m)
{
    return vtdpi_verdict_decide(&m->facts, &m->options, m->reasons, REASONS,
                                &m->count);
}

static void assert_sole_reason(struct machine *m, enum vtdpi_verdict verdict,
                               enum vtdpi_reason_code code, uint32_t where)
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
    m.units[0].eime = VTDPI_EIME_CLEAR;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);
    assert_int_equal(m.count, 0);
}

static void test_verdict_decide_each_host_obstacle_is_its_reason(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    m.options.intremap = false;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_INTREMAP_OFF, 0);

    machine_init(&m);
    m.options.intpost = false;
    assert_sole_reason(&m, VTDPI_VERDICT_REMAPPING, VTDPI_REASON_INTPOST_OFF,
                       0);

    machine_init(&m);
    m.facts.firmware_intr_remap = false;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_FIRMWARE, 0);

    machine_init(&m);
    m.facts.firmware_x2apic_optout = true;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_X2APIC_OPTOUT, 0);
    m.options.ignore_x2apic_optout = true;
    assert_int_equal(decide(&m), VTDPI_VERDICT_POSTING);

    machine_init(&m);
    m.facts.unit_count = 0;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_NO_UNIT, 0);

    machine_init(&m);
    m.facts.cpu_cx16 = false;
    assert_sole_reason(&m, VTDPI_VERDICT_REMAPPING, VTDPI_REASON_NO_CX16, 0);
}

static void test_verdict_decide_each_unit_obstacle_names_unit(void **state)
{
    struct machine m;

    (void)state;
    for (uint32_t i = 0; i < UNITS; i++) {
        machine_init(&m);
        m.units[i].caps = NULL;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_UNIT_UNREADABLE,
                           i);
        machine_init(&m);
        m.caps[i].qi = false;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_UNIT_NO_QI, i);
        machine_init(&m);
        m.caps[i].ir = false;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_UNIT_NO_IR, i);
        machine_init(&m);
        m.caps[i].eim = false;
        assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_UNIT_NO_EIM, i);
        machine_init(&m);
        m.caps[i].pi = false;
        assert_sole_reason(&m, VTDPI_VERDICT_REMAPPING, VTDPI_REASON_UNIT_NO_PI,
                           i);
    }
}

static void test_verdict_decide_eime_must_equal_cpu_mode(void **state)
{
    static const struct {
        bool x2apic;
        enum vtdpi_eime eime;
        bool fits;
    } table[] = {
        {false, VTDPI_EIME_FREE, true},  {true, VTDPI_EIME_FREE, true},
        {false, VTDPI_EIME_CLEAR, true}, {true, VTDPI_EIME_CLEAR, false},
        {false, VTDPI_EIME_SET, false},  {true, VTDPI_EIME_SET, true},
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
            assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_UNIT_EIME,
                               2);
    }
}

static void test_verdict_decide_uncovered_ioapics_are_named(void **state)
{
    struct machine m;

    (void)state;
    machine_init(&m);
    m.facts.uncovered_ioapic_count = 1;
    assert_sole_reason(&m, VTDPI_VERDICT_NONE, VTDPI_REASON_IOAPIC, 8);
    m.facts.uncovered_ioapic_count = 2;
    assert_int_equal(decide(&m), VTDPI_VERDICT_NONE);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.reasons[1].code, VTDPI_REASON_IOAPIC);
    assert_int_equal(m.reasons[1].where, 255);
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
    m->units[0].eime = VTDPI_EIME_CLEAR; /* not known of a dead unit */
    memset(&m->caps[1], 0, sizeof(m->caps[1]));
    m->units[1].eime = VTDPI_EIME_CLEAR;
    m->caps[2].pi = false;
    m->facts.uncovered_ioapic_count = 2;
}

static const struct vtdpi_reason everything[] = {
    {VTDPI_REASON_INTREMAP_OFF, 0},  {VTDPI_REASON_FIRMWARE, 0},
    {VTDPI_REASON_X2APIC_OPTOUT, 0}, {VTDPI_REASON_INTPOST_OFF, 0},
    {VTDPI_REASON_NO_CX16, 0},       {VTDPI_REASON_UNIT_UNREADABLE, 0},
    {VTDPI_REASON_UNIT_NO_QI, 1},    {VTDPI_REASON_UNIT_NO_IR, 1},
    {VTDPI_REASON_UNIT_NO_EIM, 1},   {VTDPI_REASON_UNIT_EIME, 1},
    {VTDPI_REASON_UNIT_NO_PI, 1},    {VTDPI_REASON_UNIT_NO_PI, 2},
    {VTDPI_REASON_IOAPIC, 8},        {VTDPI_REASON_IOAPIC, 255},
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
    for (int a = VTDPI_REASON_INTREMAP_OFF; a <= VTDPI_REASON_UNIT_NO_PI; a++) {
        const char *const text = vtdpi_reason_text((enum vtdpi_reason_code)a);

        assert_string_not_equal(text, "unknown reason");
        for (int b = VTDPI_REASON_INTREMAP_OFF; b < a; b++)
            assert_string_not_equal(
                text, vtdpi_reason_text((enum vtdpi_reason_code)b));
    }
}

static void test_reason_text_unknown_code_is_harmless(void **state)
{
    static const int codes[] = {0, VTDPI_REASON_UNIT_NO_PI + 1, 1000000, -1};

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        const enum vtdpi_reason_code code = (enum vtdpi_reason_code)codes[i];

        assert_string_equal(vtdpi_reason_text(code), "unknown reason");
        assert_int_equal(vtdpi_reason_limit(code), VTDPI_VERDICT_NONE);
        assert_int_equal(vtdpi_reason_place(code), VTDPI_PLACE_HOST);
    }
}

static void test_reason_limit_and_place_follow_the_code(void **state)
{
    static const struct {
        enum vtdpi_reason_code code;
        enum vtdpi_verdict limit;
        enum vtdpi_place place;
    } table[] = {
        {VTDPI_REASON_INTREMAP_OFF, VTDPI_VERDICT_NONE, VTDPI_PLACE_HOST},
        {VTDPI_REASON_FIRMWARE, VTDPI_VERDICT_NONE, VTDPI_PLACE_HOST},
        {VTDPI_REASON_X2APIC_OPTOUT, VTDPI_VERDICT_NONE, VTDPI_PLACE_HOST},
        {VTDPI_REASON_NO_UNIT, VTDPI_VERDICT_NONE, VTDPI_PLACE_HOST},
        {VTDPI_REASON_UNIT_UNREADABLE, VTDPI_VERDICT_NONE, VTDPI_PLACE_UNIT},
        {VTDPI_REASON_UNIT_NO_QI, VTDPI_VERDICT_NONE, VTDPI_PLACE_UNIT},
        {VTDPI_REASON_UNIT_NO_IR, VTDPI_VERDICT_NONE, VTDPI_PLACE_UNIT},
        {VTDPI_REASON_UNIT_NO_EIM, VTDPI_VERDICT_NONE, VTDPI_PLACE_UNIT},
        {VTDPI_REASON_UNIT_EIME, VTDPI_VERDICT_NONE, VTDPI_PLACE_UNIT},
        {VTDPI_REASON_IOAPIC, VTDPI_VERDICT_NONE, VTDPI_PLACE_IOAPIC},
        {VTDPI_REASON_INTPOST_OFF, VTDPI_VERDICT_REMAPPING, VTDPI_PLACE_HOST},
        {VTDPI_REASON_NO_CX16, VTDPI_VERDICT_REMAPPING, VTDPI_PLACE_HOST},
        {VTDPI_REASON_UNIT_NO_PI, VTDPI_VERDICT_REMAPPING, VTDPI_PLACE_UNIT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(vtdpi_reason_limit(table[i].code), table[i].limit);
        assert_int_equal(vtdpi_reason_place(table[i].code), table[i].place);
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
        cmocka_unit_test(test_caps_decode_each_bit_alone_sets_its_flag),
        cmocka_unit_test(test_caps_decode_each_field_alone_gives_its_value),
        cmocka_unit_test(test_caps_decode_version_splits_nibbles),
        cmocka_unit_test(test_caps_decode_window_covers_placed_registers),
        cmocka_unit_test(test_caps_decode_any_word_all_ones_returns_eio),
        cmocka_unit_test(test_caps_decode_real_triples_match_their_columns),
        cmocka_unit_test(test_options_init_sets_documented_defaults),
        cmocka_unit_test(test_options_parse_known_text_applies),
        cmocka_unit_test(test_options_parse_unknown_text_returns_its_offset),
        cmocka_unit_test(test_verdict_decide_nothing_missing_is_posting),
        cmocka_unit_test(test_verdict_decide_each_host_obstacle_is_its_reason),
        cmocka_unit_test(test_verdict_decide_each_unit_obstacle_names_unit),
        cmocka_unit_test(test_verdict_decide_eime_must_equal_cpu_mode),
        cmocka_unit_test(test_verdict_decide_uncovered_ioapics_are_named),
        cmocka_unit_test(test_verdict_decide_everything_missing_lists_all),
        cmocka_unit_test(test_verdict_decide_short_list_still_counts_all),
        cmocka_unit_test(test_reason_text_every_code_has_its_own),
        cmocka_unit_test(test_reason_text_unknown_code_is_harmless),
        cmocka_unit_test(test_reason_limit_and_place_follow_the_code),
        cmocka_unit_test(test_verdict_text_every_verdict_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
