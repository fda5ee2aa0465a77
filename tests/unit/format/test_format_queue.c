/* SPDX-License-Identifier: BSD-2-Clause */
/* format.h: faults and invalidation descriptors. Words are literals. */
#include "golden.h"
#include "test.h"

#include "vtdpi/format.h"

static size_t text_fault(char *buf, size_t size, const void *what)
{
    return vtdpi_format_fault(buf, size, what);
}

static void test_fault_interrupt_has_its_reason(void **state)
{
    struct vtdpi_fault f;

    (void)state;
    vtdpi_fault_decode(UINT64_C(0x0028000000000000),
                       UINT64_C(0x800000260000fffd), &f);
    f.record = 3;
    assert_line(text_fault, &f,
                "fault=interrupt record=0x3 SID=0xfffd BDF=ff:1f.5 FR=0x26 "
                "IINDEX=0x28 hi=0x800000260000fffd lo=0x28000000000000 reason: "
                "source id refused by the table entry");
    f.owner = (void *)(uintptr_t)0xffff800012345678;
    assert_line(text_fault, &f,
                "fault=interrupt record=0x3 SID=0xfffd BDF=ff:1f.5 FR=0x26 "
                "IINDEX=0x28 owner=0xffff800012345678 hi=0x800000260000fffd "
                "lo=0x28000000000000 reason: source id refused by the table "
                "entry");
    /* A request in compatibility format has no index. */
    vtdpi_fault_decode(0, UINT64_C(0x800000250000f0f8), &f);
    assert_line(text_fault, &f,
                "fault=interrupt record=0x0 SID=0xf0f8 BDF=f0:1f.0 FR=0x25 "
                "hi=0x800000250000f0f8 lo=0x0 reason: compatibility-format "
                "request blocked");
}

static void test_fault_of_other_kinds(void **state)
{
    struct vtdpi_fault f;

    (void)state;
    vtdpi_fault_decode(UINT64_C(0x12345000), UINT64_C(0xc00000060000001a), &f);
    assert_line(text_fault, &f,
                "fault=DMA record=0x0 SID=0x1a BDF=00:03.2 FR=0x6 T=1 "
                "FI=0x12345 hi=0xc00000060000001a lo=0x12345000 reason: not an "
                "interrupt-remapping fault");
    vtdpi_fault_decode(UINT64_C(0x12345000), UINT64_C(0x800000050000001a), &f);
    assert_line(text_fault, &f,
                "fault=DMA record=0x0 SID=0x1a BDF=00:03.2 FR=0x5 T=0 "
                "FI=0x12345 hi=0x800000050000001a lo=0x12345000 reason: not an "
                "interrupt-remapping fault");
    f = (struct vtdpi_fault){.kind = VTDPI_FAULT_OVERFLOW, .status = 1};
    assert_line(text_fault, &f,
                "fault=overflow FSTS=0x1 PFO=1 PPF=0 AFO=0 APF=0 IQE=0 ICE=0 "
                "ITE=0 PRO=0");
    f = (struct vtdpi_fault){.kind = VTDPI_FAULT_STATUS, .status = 0x8c};
    assert_line(text_fault, &f,
                "fault=status FSTS=0x8c PFO=0 PPF=0 AFO=1 APF=1 IQE=0 ICE=0 "
                "ITE=0 PRO=1");
    f = (struct vtdpi_fault){.kind = (enum vtdpi_fault_kind)77};
    assert_line(text_fault, &f, "fault=unknown");
}

static void test_fault_of_the_queue_has_the_descriptor(void **state)
{
    const struct vtdpi_fault f = {
        .kind = VTDPI_FAULT_QUEUE,
        .queue =
            {
                .iqe = 2,
                .ite = 1,
                .code = VTDPI_EIQE,
                .iqei = 5,
                .ite_sid = 0x310,
                .ice_sid = 0x311,
                .error =
                    {
                        .fsts = 0x10,
                        .slot = 0x2a,
                        .iqer = UINT64_C(0x0311031000000005),
                        .desc = {{UINT64_C(0x18f8000014), 0, 0, 0}},
                    },
            },
    };

    (void)state;
    assert_line(text_fault, &f,
                "fault=queue IQE=0x2 ITE=0x1 ICE=0x0 IQEI=0x5 ITESID=0x310 "
                "ICESID=0x311 FSTS=0x10 IQER=0x311031000000005 slot=0x2a "
                "reason: invalidation queue error: a descriptor was refused; "
                "desc=IEC TYPE=0x4 G=1 IM=0x1f IIDX=0x18 qw0=0x18f8000014 "
                "qw1=0x0");
}

static size_t text_qi(char *buf, size_t size, const void *what)
{
    return vtdpi_format_qi_desc(buf, size, what);
}

static void test_qi_desc_of_each_type(void **state)
{
    static const struct {
        struct vtdpi_qi_desc desc;
        const char *line;
    } cases[] = {
        {{{UINT64_C(0x2001a12340031), 0, 0, 0}},
         "desc=context-cache TYPE=0x1 G=0x3 DID=0x1234 SID=0x1a FM=0x2 "
         "qw0=0x2001a12340031 qw1=0x0"},
        {{{UINT64_C(0x123400f2), UINT64_C(0x7fff049), 0, 0}},
         "desc=IOTLB TYPE=0x2 G=0x3 DW=1 DR=1 DID=0x1234 AM=0x9 IH=1 "
         "ADDR[63:12]=0x7fff qw0=0x123400f2 qw1=0x7fff049"},
        {{{UINT64_C(0xabc0031000119003), UINT64_C(0x7fff001), 0, 0}},
         "desc=device-TLB TYPE=0x3 PFSID[3:0]=0x9 MIP=0x11 SID=0x310 "
         "PFSID[15:4]=0xabc S=1 ADDR[63:12]=0x7fff qw0=0xabc0031000119003 "
         "qw1=0x7fff001"},
        {{{UINT64_C(0x4), 0, 0, 0}},
         "desc=IEC TYPE=0x4 G=0 IM=0x0 IIDX=0x0 qw0=0x4 qw1=0x0"},
        {{{UINT64_C(0xfeedbeef00000065), UINT64_C(0x540000010), 0, 0}},
         "desc=wait TYPE=0x5 IF=0 SW=1 FN=1 PD=0 DATA=0xfeedbeef "
         "ADDR[63:2]=0x150000004 qw0=0xfeedbeef00000065 qw1=0x540000010"},
        {{{UINT64_C(0xabcde12340036), UINT64_C(0x7fff042), 0, 0}},
         "desc=PASID-IOTLB TYPE=0x6 G=0x3 DID=0x1234 PASID=0xabcde AM=0x2 IH=1 "
         "ADDR[63:12]=0x7fff qw0=0xabcde12340036 qw1=0x7fff042"},
        {{{UINT64_C(0xabcde12340017), 0, 0, 0}},
         "desc=PASID-cache TYPE=0x7 G=0x1 DID=0x1234 PASID=0xabcde "
         "qw0=0xabcde12340017 qw1=0x0"},
        {{{UINT64_C(0x123abcde03104118), UINT64_C(0x7fff801), 0, 0}},
         "desc=PASID-device-TLB TYPE=0x8 MIP=0x11 PFSID[3:0]=0x4 SID=0x310 "
         "PASID=0xabcde PFSID[15:4]=0x123 G=1 S=1 ADDR[63:12]=0x7fff "
         "qw0=0x123abcde03104118 qw1=0x7fff801"},
        {{{UINT64_C(0x9), 1, 2, 3}},
         "desc=page-group-response TYPE=0x9 qw0=0x9 qw1=0x1 qw2=0x2 qw3=0x3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_line(text_qi, &cases[i].desc, cases[i].line);
}

static void test_qi_desc_names_the_first_wrong_thing(void **state)
{
    struct vtdpi_qi_desc d = {{UINT64_C(0x1000000000000024), 1, 0, 0}};

    (void)state;
    assert_line(text_qi, &d,
                "desc=IEC TYPE=0x4 G=0 IM=0x0 IIDX=0x0 qw0=0x1000000000000024 "
                "qw1=0x1 wrong: reserved bits 0x1000000000000020 in qw0");
    d.qw[0] = 4;
    assert_line(text_qi, &d,
                "desc=IEC TYPE=0x4 G=0 IM=0x0 IIDX=0x0 qw0=0x4 qw1=0x1 wrong: "
                "reserved bits 0x1 in qw1");
    d = (struct vtdpi_qi_desc){{UINT64_C(0x25), 3, 0, 0}};
    assert_line(text_qi, &d,
                "desc=wait TYPE=0x5 IF=0 SW=1 FN=0 PD=0 DATA=0x0 "
                "ADDR[63:2]=0x0 qw0=0x25 qw1=0x3 wrong: reserved bits 0x3 in "
                "qw1");
    d = (struct vtdpi_qi_desc){{0, 0, 0, 0}};
    assert_line(text_qi, &d, "TYPE=0x0 qw0=0x0 qw1=0x0 wrong: unknown type");
    d.qw[0] = 0xfa;
    d.qw[3] = 1;
    assert_line(
        text_qi, &d,
        "TYPE=0xa qw0=0xfa qw1=0x0 qw2=0x0 qw3=0x1 wrong: unknown type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_interrupt_has_its_reason),
        cmocka_unit_test(test_fault_of_other_kinds),
        cmocka_unit_test(test_fault_of_the_queue_has_the_descriptor),
        cmocka_unit_test(test_qi_desc_of_each_type),
        cmocka_unit_test(test_qi_desc_names_the_first_wrong_thing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
