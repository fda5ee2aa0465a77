/* SPDX-License-Identifier: BSD-2-Clause */
/* format.h: entries, descriptors, requests, registers and decisions. Lines are
 * worked out by hand from the tables of the specification. */
#include "golden.h"
#include "test.h"

#include <string.h>

#include "vtdpi/format.h"

/* Entries. */

struct entry {
    struct vtdpi_irte irte;
    enum vtdpi_apic_mode mode;
    unsigned int haw;
};

static size_t text_irte(char *buf, size_t size, const void *what)
{
    const struct entry *const e = what;

    return vtdpi_format_irte(buf, size, &e->irte, e->mode, e->haw);
}

static void assert_irte(uint64_t hi, uint64_t lo, const char *line)
{
    const struct entry e = {{.lo = lo, .hi = hi}, VTDPI_X2APIC, 46};

    assert_line(text_irte, &e, line);
}

/* From the table that Linux shows in debugfs. */
static void test_irte_remapped_names_each_field(void **state)
{
    (void)state;
    assert_irte(UINT64_C(0x40100), UINT64_C(0x10024000d),
                "P=1 FPD=0 DM=1 RH=1 TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x24 "
                "DST=0x1 SID=0x100 BDF=01:00.0 SQ=0x0 SVT=0x1 hi=0x40100 "
                "lo=0x10024000d");
    /* Every field other than above: level-triggered, lowest priority. */
    assert_irte(UINT64_C(0x7fffd), UINT64_C(0xfeedbeef00310f3b),
                "P=1 FPD=1 DM=0 RH=1 TM=1 DLM=0x1 AVAIL=0xf IM=0 V=0x31 "
                "DST=0xfeedbeef SID=0xfffd BDF=ff:1f.5 SQ=0x3 SVT=0x1 "
                "hi=0x7fffd lo=0xfeedbeef00310f3b");
}

static void test_irte_posted_names_each_field(void **state)
{
    (void)state;
    assert_irte(UINT64_C(0xf00044300), UINT64_C(0xff76598000418001),
                "P=1 FPD=0 AVAIL=0x0 URG=0 IM=1 V=0x41 PDA=0xfff765980 "
                "SID=0x4300 BDF=43:00.0 SQ=0x0 SVT=0x1 hi=0xf00044300 "
                "lo=0xff76598000418001");
    assert_irte(UINT64_C(0x80310), UINT64_C(0x4000ffc703),
                "P=1 FPD=1 AVAIL=0x7 URG=1 IM=1 V=0xff PDA=0x40 SID=0x310 "
                "buses=03-10 SQ=0x0 SVT=0x2 hi=0x80310 lo=0x4000ffc703");
}

static void test_irte_xapic_shows_the_short_destination(void **state)
{
    struct entry e = {
        {.lo = UINT64_C(0xfe0000310001), .hi = 0}, VTDPI_XAPIC, 46};

    (void)state;
    assert_line(text_irte, &e,
                "P=1 FPD=0 DM=0 RH=0 TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x31 "
                "DST=0xfe SID=0x0 BDF=00:00.0 SQ=0x0 SVT=0x0 hi=0x0 "
                "lo=0xfe0000310001");
    e.irte.lo |= UINT64_C(1) << 32;
    assert_line(text_irte, &e,
                "P=1 FPD=0 DM=0 RH=0 TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x31 "
                "DST=0xfe SID=0x0 BDF=00:00.0 SQ=0x0 SVT=0x0 hi=0x0 "
                "lo=0xfe0100310001 wrong: destination does not fit the "
                "interrupt mode");
}

static void test_irte_absent_is_short(void **state)
{
    (void)state;
    assert_irte(0, 0, "P=0 FPD=0 AVAIL=0x0 IM=0 hi=0x0 lo=0x0");
    assert_irte(0, UINT64_C(0x8302),
                "P=0 FPD=1 AVAIL=0x3 IM=1 hi=0x0 lo=0x8302");
    assert_irte(UINT64_C(0x40100), UINT64_C(0x310000),
                "P=0 FPD=0 AVAIL=0x0 IM=0 hi=0x40100 lo=0x310000 wrong: fields "
                "are set in an entry that is not present");
}

static void test_irte_names_the_first_wrong_thing(void **state)
{
    (void)state;
    /* A reserved bit, and a vector below 16: the first counts. */
    assert_irte(UINT64_C(0x40100), UINT64_C(0x1000001),
                "P=1 FPD=0 DM=0 RH=0 TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x0 DST=0x0 "
                "SID=0x100 BDF=01:00.0 SQ=0x0 SVT=0x1 hi=0x40100 lo=0x1000001 "
                "wrong: a reserved bit is set");
    /* Above the host address width of 46 bits. */
    assert_irte(UINT64_C(0x400000040100), UINT64_C(0x418001),
                "P=1 FPD=0 AVAIL=0x0 URG=0 IM=1 V=0x41 PDA=0x400000000000 "
                "SID=0x100 BDF=01:00.0 SQ=0x0 SVT=0x1 hi=0x400000040100 "
                "lo=0x418001 wrong: descriptor address above the host address "
                "width");
}

/* Descriptors. */

static size_t text_pid(char *buf, size_t size, const void *what)
{
    return vtdpi_format_pid(buf, size, what);
}

static void test_pid_names_each_field(void **state)
{
    struct vtdpi_pid pid = {.control = UINT64_C(0x0000030000f20001)};

    (void)state;
    assert_line(text_pid, &pid,
                "ON=1 SN=0 NV=0xf2 NDST=0x300 PIR=0x0 control=0x30000f20001");
    pid.control = UINT64_C(0xffffffff00f10002);
    pid.pir[1] = 2;
    assert_line(text_pid, &pid,
                "ON=0 SN=1 NV=0xf1 NDST=0xffffffff PIR=0x20000000000000000 "
                "vectors=0x41 control=0xffffffff00f10002");
    pid.pir[3] = UINT64_C(0x8000000000000000);
    pid.pir[0] = UINT64_C(0x10000);
    assert_line(text_pid, &pid,
                "ON=0 SN=1 NV=0xf1 NDST=0xffffffff PIR=0x8000000000000000"
                "000000000000000000000000000000020000000000010000 "
                "vectors=0x10,0x41,0xff control=0xffffffff00f10002");
}

static void test_pid_names_eight_vectors(void **state)
{
    struct vtdpi_pid pid = {.pir = {0, 0xff, 0, 0}, .control = 0xf20000};

    (void)state;
    assert_line(text_pid, &pid,
                "ON=0 SN=0 NV=0xf2 NDST=0x0 PIR=0xff0000000000000000 "
                "vectors=0x40,0x41,0x42,0x43,0x44,0x45,0x46,0x47 "
                "control=0xf20000");
    pid.pir[2] = 1;
    assert_line(text_pid, &pid,
                "ON=0 SN=0 NV=0xf2 NDST=0x0 "
                "PIR=0x100000000000000ff0000000000000000 "
                "vectors=0x40,0x41,0x42,0x43,0x44,0x45,0x46,0x47,... "
                "control=0xf20000");
}

static void test_pid_names_the_first_wrong_thing(void **state)
{
    struct vtdpi_pid pid = {.control = 0};

    (void)state;
    assert_line(text_pid, &pid,
                "ON=0 SN=0 NV=0x0 NDST=0x0 PIR=0x0 control=0x0 wrong: NV below "
                "0x10, which cannot be an interrupt");
    pid.control = UINT64_C(0x100000); /* the least vector */
    assert_line(text_pid, &pid,
                "ON=0 SN=0 NV=0x10 NDST=0x0 PIR=0x0 control=0x100000");
    pid.control = UINT64_C(0xf20000);
    pid.pir[0] = 4;
    assert_line(text_pid, &pid,
                "ON=0 SN=0 NV=0xf2 NDST=0x0 PIR=0x4 vectors=0x2 "
                "control=0xf20000 wrong: vector below 0x10 in PIR");
    pid.pir[0] = 0;
    pid.control = UINT64_C(0x1f2000c);
    assert_line(text_pid, &pid,
                "ON=0 SN=0 NV=0xf2 NDST=0x0 PIR=0x0 control=0x1f2000c wrong: "
                "reserved bits 0x100000c in control");
    pid.control = UINT64_C(0xf20000);
    for (unsigned int i = 0; i < 3; i++) {
        pid.reserved[i] = 1;
        assert_line(text_pid, &pid,
                    "ON=0 SN=0 NV=0xf2 NDST=0x0 PIR=0x0 control=0xf20000 "
                    "wrong: reserved bits behind NDST");
        pid.reserved[i] = 0;
    }
}

/* Requests. */

struct message {
    struct vtdpi_msi msi;
    enum vtdpi_compat_dest form;
};

static size_t text_msi(char *buf, size_t size, const void *what)
{
    const struct message *const m = what;

    return vtdpi_format_msi(buf, size, &m->msi, m->form);
}

static void test_msi_remappable_names_each_field(void **state)
{
    struct message m = {{0xfee00338, 0, 0}, VTDPI_COMPAT_DEST_8};

    (void)state;
    assert_line(text_msi, &m,
                "format=remappable SHV=1 handle=0x19 subhandle=0x0 index=0x19 "
                "address=0xfee00338 data=0x0");
    /* Handle 15, no subhandle; then one that goes beyond the largest index. */
    m.msi = (struct vtdpi_msi){0xfeefff14 | 0xe0, 0, 0x12};
    assert_line(text_msi, &m,
                "format=remappable SHV=0 handle=0xffff subhandle=0x12 "
                "index=0xffff address=0xfeeffff4 data=0x12");
    m.msi.address_lo |= 8;
    assert_line(text_msi, &m,
                "format=remappable SHV=1 handle=0xffff subhandle=0x12 "
                "index=0x10011 address=0xfeeffffc data=0x12 wrong: interrupt "
                "index outside the table");
}

static void test_msi_compatibility_names_each_field(void **state)
{
    struct message m = {{0xfee0300c, 0, 0xc141}, VTDPI_COMPAT_DEST_8};

    (void)state;
    assert_line(text_msi, &m,
                "format=compatibility DST=0x3 RH=1 DM=1 TM=1 level=1 DLM=0x1 "
                "V=0x41 address=0xfee0300c data=0xc141");
    m = (struct message){{0xfee03020, 0, 0x41}, VTDPI_COMPAT_DEST_15};
    assert_line(text_msi, &m,
                "format=compatibility DST=0x103 RH=0 DM=0 TM=0 level=0 DLM=0x0 "
                "V=0x41 address=0xfee03020 data=0x41");
    m = (struct message){{0xfee03000, 0x12345600, 0x41}, VTDPI_COMPAT_DEST_32};
    assert_line(text_msi, &m,
                "format=compatibility DST=0x12345603 RH=0 DM=0 TM=0 level=0 "
                "DLM=0x0 V=0x41 address=0x12345600fee03000 data=0x41");
}

static void test_msi_names_the_first_wrong_thing(void **state)
{
    struct message m = {{0xfed03000, 0, 0x41}, VTDPI_COMPAT_DEST_8};

    (void)state;
    assert_line(text_msi, &m,
                "format=compatibility DST=0x3 RH=0 DM=0 TM=0 level=0 DLM=0x0 "
                "V=0x41 address=0xfed03000 data=0x41 wrong: not an interrupt "
                "address (FEExxxxxh)");
    m = (struct message){{0xfee00338, 0, 0x10000}, VTDPI_COMPAT_DEST_8};
    assert_line(
        text_msi, &m,
        "format=remappable SHV=1 handle=0x19 subhandle=0x0 index=0x19 "
        "address=0xfee00338 data=0x10000 wrong: a reserved field of the "
        "request is not zero");
}

static size_t text_rte(char *buf, size_t size, const void *what)
{
    return vtdpi_format_rte(buf, size, *(const uint64_t *)what);
}

static void test_rte_names_each_field(void **state)
{
    uint64_t rte = UINT64_C(0x003300000001e831);

    (void)state;
    /* Index 8019h: bit 15 is bit 11 of the entry. */
    assert_line(text_rte, &rte,
                "format=remappable index=0x8019 V=0x31 DS=0 POL=1 RIRR=1 TM=1 "
                "MASK=1 rte=0x3300000001e831");
    rte = UINT64_C(0x0033000000021731);
    assert_line(text_rte, &rte,
                "format=remappable index=0x19 V=0x31 DS=1 POL=0 RIRR=0 TM=0 "
                "MASK=0 rte=0x33000000021731 wrong: reserved bits 0x20700");
    rte = UINT64_C(0x0300000000000931);
    assert_line(text_rte, &rte,
                "format=compatibility DST=0x3 DM=1 DLM=0x1 V=0x31 DS=0 POL=0 "
                "RIRR=0 TM=0 MASK=0 rte=0x300000000000931");
}

/* Registers. */

static size_t text_cap(char *buf, size_t size, const void *what)
{
    return vtdpi_format_cap(buf, size, *(const uint64_t *)what);
}

static size_t text_ecap(char *buf, size_t size, const void *what)
{
    return vtdpi_format_ecap(buf, size, *(const uint64_t *)what);
}

/* Of a server that can post. */
static void test_cap_names_each_field(void **state)
{
    uint64_t cap = UINT64_C(0x08d2078c106f0466);

    (void)state;
    assert_line(
        text_cap, &cap,
        "CAP=0x8d2078c106f0466 ND=0x6 AFL=0 RWBF=0 PLMR=1 PHMR=1 CM=0 "
        "SAGAW=0x4 MGAW=0x2f ZLR=1 FRO=0x10 SLLPS=0x3 PSI=1 NFR=0x7 "
        "MAMV=0x12 DWD=1 DRD=1 FL1GP=0 PI=1 FL5LP=0 ESIRTPS=0 ESRTPS=0");
    cap = UINT64_MAX;
    assert_line(text_cap, &cap,
                "CAP=0xffffffffffffffff ND=0x7 AFL=1 RWBF=1 PLMR=1 PHMR=1 CM=1 "
                "SAGAW=0x1f MGAW=0x3f ZLR=1 FRO=0x3ff SLLPS=0xf PSI=1 NFR=0xff "
                "MAMV=0x3f DWD=1 DRD=1 FL1GP=1 PI=1 FL5LP=1 ESIRTPS=1 ESRTPS=1 "
                "wrong: hardware does not answer: it is gone or not decoded");
}

static void test_ecap_names_each_field(void **state)
{
    uint64_t ecap = UINT64_C(0xf020df);

    (void)state;
    assert_line(text_ecap, &ecap,
                "ECAP=0xf020df C=1 QI=1 DT=1 IR=1 EIM=1 PT=1 SC=1 IRO=0x20 "
                "MHMV=0xf NEST=0 PRS=0 ERS=0 SRS=0 NWFS=0 EAFS=0 PSS=0x0 "
                "PASID=0 DIT=0 PDS=0 SMTS=0 VCS=0 SLADS=0 SLTS=0 FLTS=0 "
                "SMPWCS=0 RPS=0");
    ecap = UINT64_MAX;
    assert_line(text_ecap, &ecap,
                "ECAP=0xffffffffffffffff C=1 QI=1 DT=1 IR=1 EIM=1 PT=1 SC=1 "
                "IRO=0x3ff MHMV=0xf NEST=1 PRS=1 ERS=1 SRS=1 NWFS=1 EAFS=1 "
                "PSS=0x1f PASID=1 DIT=1 PDS=1 SMTS=1 VCS=1 SLADS=1 SLTS=1 "
                "FLTS=1 SMPWCS=1 RPS=1 wrong: hardware does not answer: it is "
                "gone or not decoded");
}

struct place {
    unsigned int bit;
    const char *field;
};

/* Fields of one bit that are 1. */
static unsigned int count_set(const char *text)
{
    unsigned int n = 0;

    for (const char *at = text; (at = strstr(at, "=1")) != NULL; at += 2)
        n += at[2] == ' ' || at[2] == '\0';
    return n;
}

/* With only that bit only that field is 1. */
static void assert_place(golden_text text, const struct place *place)
{
    const uint64_t value = UINT64_C(1) << place->bit;
    char line[VTDPI_FORMAT_MAX];

    (void)text(line, sizeof(line), &value);
    assert_non_null(strstr(line, place->field));
    assert_int_equal(count_set(line), 1);
}

static void test_caps_each_bit_has_its_field(void **state)
{
    static const struct place cap[] = {
        {3, " AFL=1 "},      {4, " RWBF=1 "},   {5, " PLMR=1 "},
        {6, " PHMR=1 "},     {7, " CM=1 "},     {22, " ZLR=1 "},
        {39, " PSI=1 "},     {54, " DWD=1 "},   {55, " DRD=1 "},
        {56, " FL1GP=1 "},   {59, " PI=1 "},    {60, " FL5LP=1 "},
        {62, " ESIRTPS=1 "}, {63, " ESRTPS=1"},
    };
    static const struct place ecap[] = {
        {0, " C=1 "},       {1, " QI=1 "},     {2, " DT=1 "},
        {3, " IR=1 "},      {4, " EIM=1 "},    {6, " PT=1 "},
        {7, " SC=1 "},      {26, " NEST=1 "},  {29, " PRS=1 "},
        {30, " ERS=1 "},    {31, " SRS=1 "},   {33, " NWFS=1 "},
        {34, " EAFS=1 "},   {40, " PASID=1 "}, {41, " DIT=1 "},
        {42, " PDS=1 "},    {43, " SMTS=1 "},  {44, " VCS=1 "},
        {45, " SLADS=1 "},  {46, " SLTS=1 "},  {47, " FLTS=1 "},
        {48, " SMPWCS=1 "}, {49, " RPS=1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cap) / sizeof(cap[0]); i++)
        assert_place(text_cap, &cap[i]);
    for (size_t i = 0; i < sizeof(ecap) / sizeof(ecap[0]); i++)
        assert_place(text_ecap, &ecap[i]);
}

/* Decisions. */

static size_t text_decision(char *buf, size_t size, const void *what)
{
    return vtdpi_format_decision(buf, size, what);
}

static void test_decision_has_its_reason(void **state)
{
    struct vtdpi_route_decision d = {VTDPI_ROUTE_POST, VTDPI_ROUTE_POSTABLE, 3,
                                     0x41};

    (void)state;
    assert_line(text_decision, &d,
                "decision=post vCPU=0x3 V=0x41 reason: posted");
    d = (struct vtdpi_route_decision){VTDPI_ROUTE_REMAP, VTDPI_ROUTE_LEVEL, 0,
                                      0x41};
    assert_line(text_decision, &d,
                "decision=remap V=0x41 reason: level-triggered");
    d = (struct vtdpi_route_decision){VTDPI_ROUTE_REJECT, VTDPI_ROUTE_FORMAT, 0,
                                      0};
    assert_line(text_decision, &d,
                "decision=reject V=0x0 reason: remappable format");
    d = (struct vtdpi_route_decision){(enum vtdpi_route_kind)9,
                                      (enum vtdpi_route_reason)99, 0, 0};
    assert_line(text_decision, &d,
                "decision=unknown V=0x0 reason: unknown reason");
}

/* The reasons that name the vCPU that takes the message, and no others. */
static void test_decision_names_the_vcpu_where_there_is_one(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < VTDPI_ROUTE_REASONS; i++) {
        const struct vtdpi_route_decision d = {
            VTDPI_ROUTE_REMAP, (enum vtdpi_route_reason)i, 7, 0x41};
        const bool named = i == 0 || (i >= 15 && i <= 18);
        char text[VTDPI_FORMAT_MAX];

        (void)vtdpi_format_decision(text, sizeof(text), &d);
        assert_int_equal(strstr(text, " vCPU=0x7 ") != NULL, named);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_irte_remapped_names_each_field),
        cmocka_unit_test(test_irte_posted_names_each_field),
        cmocka_unit_test(test_irte_xapic_shows_the_short_destination),
        cmocka_unit_test(test_irte_absent_is_short),
        cmocka_unit_test(test_irte_names_the_first_wrong_thing),
        cmocka_unit_test(test_pid_names_each_field),
        cmocka_unit_test(test_pid_names_eight_vectors),
        cmocka_unit_test(test_pid_names_the_first_wrong_thing),
        cmocka_unit_test(test_msi_remappable_names_each_field),
        cmocka_unit_test(test_msi_compatibility_names_each_field),
        cmocka_unit_test(test_msi_names_the_first_wrong_thing),
        cmocka_unit_test(test_rte_names_each_field),
        cmocka_unit_test(test_cap_names_each_field),
        cmocka_unit_test(test_ecap_names_each_field),
        cmocka_unit_test(test_caps_each_bit_has_its_field),
        cmocka_unit_test(test_decision_has_its_reason),
        cmocka_unit_test(test_decision_names_the_vcpu_where_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
