/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding and options of caps.h; the verdict is in test_verdict.c. */
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
            vtdpi_caps_decode(0x10, fields[i].cap, fields[i].ecap, &caps), 0);
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

static void test_caps_decode_all_words_zero_returns_eio(void **state)
{
    struct vtdpi_caps caps;

    (void)state;
    memset(&caps, 0xa5, sizeof(caps));
    assert_int_equal(vtdpi_caps_decode(0, 0, 0, &caps), VTDPI_EIO);
    assert_int_equal(caps.register_bytes, 0);
    assert_int_equal(caps.fault_count, 0);

    /* A single zero may be what a unit answers. */
    assert_int_equal(vtdpi_caps_decode(0x10, 0, 0, &caps), 0);
    assert_int_equal(vtdpi_caps_decode(0, CAP_POSTING, 0, &caps), 0);
    assert_int_equal(vtdpi_caps_decode(0, 0, ECAP_POSTING, &caps), 0);
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
    struct vtdpi_caps_options o;

    (void)state;
    memset(&o, 0, sizeof(o));
    o.ignore_x2apic_optout = true;
    vtdpi_caps_options_init(&o);
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
        struct vtdpi_caps_options o;
        size_t at = 77;

        vtdpi_caps_options_init(&o);
        assert_int_equal(vtdpi_caps_options_parse(table[i].text, &o, &at), 0);
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
        struct vtdpi_caps_options o;
        size_t at = 77;

        vtdpi_caps_options_init(&o);
        assert_int_equal(vtdpi_caps_options_parse(table[i].text, &o, &at),
                         VTDPI_EOPTION);
        assert_int_equal(at, table[i].at);
        assert_true(o.intremap && o.intpost && !o.ignore_x2apic_optout);
        assert_int_equal(vtdpi_caps_options_parse(table[i].text, &o, NULL),
                         VTDPI_EOPTION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps_decode_each_bit_alone_sets_its_flag),
        cmocka_unit_test(test_caps_decode_each_field_alone_gives_its_value),
        cmocka_unit_test(test_caps_decode_version_splits_nibbles),
        cmocka_unit_test(test_caps_decode_window_covers_placed_registers),
        cmocka_unit_test(test_caps_decode_any_word_all_ones_returns_eio),
        cmocka_unit_test(test_caps_decode_all_words_zero_returns_eio),
        cmocka_unit_test(test_caps_decode_real_triples_match_their_columns),
        cmocka_unit_test(test_options_init_sets_documented_defaults),
        cmocka_unit_test(test_options_parse_known_text_applies),
        cmocka_unit_test(test_options_parse_unknown_text_returns_its_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
