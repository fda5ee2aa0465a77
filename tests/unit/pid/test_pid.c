/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/pid.h"

#include "pid_fixture.h"

static void test_pid_layout_is_that_of_the_descriptor(void **state)
{
    struct vtdpi_pid pid;
    unsigned char *const bytes = (unsigned char *)&pid;

    (void)state;
    assert_int_equal(sizeof(pid), 64);
    assert_int_equal(_Alignof(struct vtdpi_pid), 64);
    memset(&pid, 0, sizeof(pid));
    pid.control = UINT64_C(0x8765432100ab0003);
    assert_int_equal(bytes[31], 0x00);
    assert_int_equal(bytes[32], 0x03); /* ON, SN: bits 256, 257 */
    assert_int_equal(bytes[33], 0x00);
    assert_int_equal(bytes[34], 0xab); /* NV: bits 279:272 */
    assert_int_equal(bytes[35], 0x00);
    assert_int_equal(bytes[36], 0x21); /* NDST: bits 319:288 */
    assert_int_equal(bytes[37], 0x43);
    assert_int_equal(bytes[38], 0x65);
    assert_int_equal(bytes[39], 0x87);
    assert_int_equal(bytes[40], 0x00);
}

static const struct {
    enum vtdpi_apic_mode mode;
    uint32_t id;
    uint32_t ndst;
} ndst_table[] = {
    {VTDPI_XAPIC, 0x00, 0x00000000},   {VTDPI_XAPIC, 0x01, 0x00000100},
    {VTDPI_XAPIC, 0x80, 0x00008000},   {VTDPI_XAPIC, 0xff, 0x0000ff00},
    {VTDPI_X2APIC, 0x00, 0x00000000},  {VTDPI_X2APIC, 0x01, 0x00000001},
    {VTDPI_X2APIC, 0xff, 0x000000ff},  {VTDPI_X2APIC, 0x100, 0x00000100},
    {VTDPI_X2APIC, 0x103, 0x00000103}, {VTDPI_X2APIC, ~0u, 0xffffffff},
};

static void test_ndst_from_apic_id_both_modes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ndst_table) / sizeof(ndst_table[0]); i++)
        assert_int_equal(
            vtdpi_ndst_from_apic_id(ndst_table[i].mode, ndst_table[i].id),
            ndst_table[i].ndst);
}

static void test_ndst_from_apic_id_xapic_keeps_8_bits(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ndst_from_apic_id(VTDPI_XAPIC, 0x1ff), 0xff00);
    assert_int_equal(vtdpi_ndst_from_apic_id(VTDPI_XAPIC, ~0u), 0xff00);
}

static void test_apic_id_from_ndst_both_modes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ndst_table) / sizeof(ndst_table[0]); i++)
        assert_int_equal(
            vtdpi_apic_id_from_ndst(ndst_table[i].mode, ndst_table[i].ndst),
            ndst_table[i].id);
    assert_int_equal(vtdpi_apic_id_from_ndst(VTDPI_XAPIC, 0xffffffff), 0xff);
    assert_int_equal(vtdpi_apic_id_from_ndst(VTDPI_XAPIC, 0xffff00ff), 0);
}

static const struct {
    struct vtdpi_pid_control c;
    uint64_t word;
} control_table[] = {
    {{false, false, 0x00, 0x00000000}, UINT64_C(0x0000000000000000)},
    {{true, false, 0x00, 0x00000000}, UINT64_C(0x0000000000000001)},
    {{false, true, 0x00, 0x00000000}, UINT64_C(0x0000000000000002)},
    {{false, false, 0x01, 0x00000000}, UINT64_C(0x0000000000010000)},
    {{false, false, 0x80, 0x00000000}, UINT64_C(0x0000000000800000)},
    {{false, false, 0xff, 0x00000000}, UINT64_C(0x0000000000ff0000)},
    {{false, false, 0x00, 0x00000001}, UINT64_C(0x0000000100000000)},
    {{false, false, 0x00, 0x0000ff00}, UINT64_C(0x0000ff0000000000)},
    {{false, false, 0x00, 0x80000000}, UINT64_C(0x8000000000000000)},
    {{false, false, 0x00, 0xffffffff}, UINT64_C(0xffffffff00000000)},
    {{true, true, 0xff, 0xffffffff}, UINT64_C(0xffffffff00ff0003)},
    {{true, false, 0xf2, 0x00000103}, UINT64_C(0x0000010300f20001)},
};

static void test_pid_control_encode_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(control_table) / sizeof(control_table[0]);
         i++)
        assert_int_equal(vtdpi_pid_control_encode(&control_table[i].c),
                         control_table[i].word);
}

static void assert_control(uint64_t word, const struct vtdpi_pid_control *want)
{
    const struct vtdpi_pid_control c = vtdpi_pid_control_decode(word);

    assert_int_equal(c.on, want->on);
    assert_int_equal(c.sn, want->sn);
    assert_int_equal(c.nv, want->nv);
    assert_int_equal(c.ndst, want->ndst);
}

static void test_pid_control_decode_each_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(control_table) / sizeof(control_table[0]);
         i++)
        assert_control(control_table[i].word, &control_table[i].c);
}

static void test_pid_control_decode_ignores_reserved(void **state)
{
    const struct vtdpi_pid_control zero = {false, false, 0, 0};

    (void)state;
    /* Bits 15:2 and 31:24. */
    assert_control(UINT64_C(0x00000000ff00fffc), &zero);
}

static void test_pid_init_sets_sn_and_clears_the_rest(void **state)
{
    struct vtdpi_pid pid;

    (void)state;
    memset(&pid, 0xff, sizeof(pid));
    vtdpi_pid_init(&pid, WNV, 0x3400);
    assert_pir(&pid, 0, 0, 0, 0);
    assert_int_equal(pid.control, UINT64_C(0x0000340000f10002));
    assert_int_equal(pid.reserved[0], 0);
    assert_int_equal(pid.reserved[1], 0);
    assert_int_equal(pid.reserved[2], 0);
}

static void test_pid_snapshot_returns_the_word(void **state)
{
    const struct vtdpi_pid pid = pid_with(UINT64_C(0x0123456789abcdef));

    (void)state;
    assert_int_equal(vtdpi_pid_snapshot(&pid), UINT64_C(0x0123456789abcdef));
}

static void test_pid_record_each_vector_alone(void **state)
{
    (void)state;
    for (unsigned int v = VTDPI_VECTOR_MIN; v < 256; v++) {
        struct vtdpi_pid pid = pid_with(RUNNING);
        unsigned char want[64] = {0};

        memcpy(want, &pid, sizeof(want));
        want[v / 8] = (unsigned char)(1u << v % 8);
        assert_false(vtdpi_pid_record(&pid, (uint8_t)v));
        assert_memory_equal(&pid, want, 64);
        assert_true(vtdpi_pid_record(&pid, (uint8_t)v));
        assert_memory_equal(&pid, want, 64);
    }
}

static void test_pid_record_literal_words(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);

    (void)state;
    (void)vtdpi_pid_record(&pid, 16);
    assert_pir(&pid, UINT64_C(0x0000000000010000), 0, 0, 0);
    (void)vtdpi_pid_record(&pid, 63);
    assert_pir(&pid, UINT64_C(0x8000000000010000), 0, 0, 0);
    (void)vtdpi_pid_record(&pid, 64);
    (void)vtdpi_pid_record(&pid, 127);
    (void)vtdpi_pid_record(&pid, 128);
    (void)vtdpi_pid_record(&pid, 0xec);
    (void)vtdpi_pid_record(&pid, 255);
    assert_pir(&pid, UINT64_C(0x8000000000010000), UINT64_C(0x8000000000000001),
               UINT64_C(0x0000000000000001), UINT64_C(0x8000100000000000));
    assert_int_equal(pid.control, RUNNING);
}

static void test_pid_record_only_says_whether_that_bit_was_set(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);

    (void)state;
    (void)vtdpi_pid_record(&pid, 0x41);
    assert_false(vtdpi_pid_record(&pid, 0x40));
    assert_false(vtdpi_pid_record(&pid, 0x81));
}

static void test_pid_notify_sets_on_and_returns_nv_and_ndst(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);
    const struct vtdpi_notification n = vtdpi_pid_notify(&pid, false);

    (void)state;
    assert_post(n, VTDPI_POST_NOTIFY);
    assert_int_equal(pid.control, RUNNING_ON);
    assert_pir(&pid, 0, 0, 0, 0);
}

static void test_pid_notify_keeps_foreign_bits(void **state)
{
    struct vtdpi_pid pid = pid_with(UINT64_C(0xfedcba98fff1fffc));
    const struct vtdpi_notification n = vtdpi_pid_notify(&pid, false);

    (void)state;
    assert_int_equal(n.result, VTDPI_POST_NOTIFY);
    assert_int_equal(n.nv, WNV);
    assert_int_equal(n.ndst, 0xfedcba98);
    assert_int_equal(pid.control, UINT64_C(0xfedcba98fff1fffd));
}

static void test_pid_notify_on_set_writes_nothing(void **state)
{
    const struct vtdpi_pid content = pid_with(RUNNING_ON);
    struct vtdpi_pid *pid = read_only_pid(&content);

    (void)state;
    assert_post(vtdpi_pid_notify(pid, false), VTDPI_POST_ALREADY);
    assert_post(vtdpi_pid_notify(pid, true), VTDPI_POST_ALREADY);
    free_read_only_pid(pid);
}

static void test_pid_notify_sn_set_writes_nothing(void **state)
{
    const struct vtdpi_pid content = pid_with(RUNNING_SN);
    struct vtdpi_pid *pid = read_only_pid(&content);

    (void)state;
    assert_post(vtdpi_pid_notify(pid, false), VTDPI_POST_SUPPRESSED);
    free_read_only_pid(pid);
}

/* SN says more than ON: a sleeper may need a kick for each such post. */
static void test_pid_notify_on_and_sn_set_writes_nothing(void **state)
{
    const struct vtdpi_pid content = pid_with(RUNNING_ALL);
    struct vtdpi_pid *pid = read_only_pid(&content);

    (void)state;
    assert_post(vtdpi_pid_notify(pid, false), VTDPI_POST_SUPPRESSED);
    assert_post(vtdpi_pid_notify(pid, true), VTDPI_POST_ALREADY);
    free_read_only_pid(pid);
}

static void test_pid_notify_sn_set_urgent_notifies(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_SN);
    const struct vtdpi_notification n = vtdpi_pid_notify(&pid, true);

    (void)state;
    assert_post(n, VTDPI_POST_NOTIFY);
    assert_int_equal(pid.control, RUNNING_ALL);
}

static void test_pid_post_records_and_notifies_once(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);
    struct vtdpi_notification n = vtdpi_pid_post(&pid, 0x51, false);

    (void)state;
    assert_post(n, VTDPI_POST_NOTIFY);
    n = vtdpi_pid_post(&pid, 0xec, false);
    assert_post(n, VTDPI_POST_ALREADY);
    assert_int_equal(pid.control, RUNNING_ON);
    assert_pir(&pid, 0, UINT64_C(0x0000000000020000), 0,
               UINT64_C(0x0000100000000000));
}

static void test_pid_post_merged_vector_still_notifies(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);

    (void)state;
    /* Recorded while SN was set: the bit is there, the doorbell is not. */
    (void)vtdpi_pid_record(&pid, 0x51);
    assert_post(vtdpi_pid_post(&pid, 0x51, false), VTDPI_POST_NOTIFY);
    assert_int_equal(pid.control, RUNNING_ON);
}

static void test_pid_post_sn_set_records_silently(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_SN);

    (void)state;
    assert_post(vtdpi_pid_post(&pid, 0x51, false), VTDPI_POST_SUPPRESSED);
    assert_int_equal(pid.control, RUNNING_SN);
    assert_pir(&pid, 0, UINT64_C(0x0000000000020000), 0, 0);
}

static void test_pid_post_sn_set_urgent_notifies(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_SN);

    (void)state;
    assert_post(vtdpi_pid_post(&pid, 0x51, true), VTDPI_POST_NOTIFY);
    assert_int_equal(pid.control, RUNNING_ALL);
    assert_pir(&pid, 0, UINT64_C(0x0000000000020000), 0, 0);
}

static void test_pid_replace_only_what_the_mask_says(void **state)
{
    struct vtdpi_pid pid = pid_with(UINT64_C(0xffffffffffffffff));

    (void)state;
    assert_int_equal(vtdpi_pid_replace(&pid, UINT64_C(0xffffffff00ff0002), 0),
                     UINT64_C(0xffffffffffffffff));
    assert_int_equal(pid.control, UINT64_C(0x00000000ff00fffd));
    assert_int_equal(vtdpi_pid_replace(&pid, UINT64_C(0xffffffff00ff0002),
                                       UINT64_C(0x0000340000f10002)),
                     UINT64_C(0x00000000ff00fffd));
    assert_int_equal(pid.control, UINT64_C(0x00003400fff1ffff));
}

static void test_pid_replace_equal_writes_nothing(void **state)
{
    const struct vtdpi_pid content = pid_with(RUNNING_ON);
    struct vtdpi_pid *pid = read_only_pid(&content);

    (void)state;
    assert_int_equal(vtdpi_pid_replace(pid, UINT64_C(0xffffffff00ff0002),
                                       UINT64_C(0x0000120000f20000)),
                     RUNNING_ON);
    vtdpi_pid_retarget(pid, ANV, 0x1200);
    free_read_only_pid(pid);
}

static void test_pid_retarget_keeps_on_and_sn(void **state)
{
    static const struct {
        uint64_t before;
        uint64_t after;
    } table[] = {
        {RUNNING, UINT64_C(0x0000340000f10000)},
        {RUNNING_ON, UINT64_C(0x0000340000f10001)},
        {RUNNING_SN, UINT64_C(0x0000340000f10002)},
        {RUNNING_ALL, UINT64_C(0x0000340000f10003)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct vtdpi_pid pid = pid_with(table[i].before);

        pid.pir[2] = 1;
        vtdpi_pid_retarget(&pid, WNV, 0x3400);
        assert_int_equal(pid.control, table[i].after);
        assert_pir(&pid, 0, 0, 1, 0);
    }
}

static void test_pid_retarget_one_field_only(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);

    (void)state;
    vtdpi_pid_retarget(&pid, WNV, 0x1200);
    assert_int_equal(pid.control, UINT64_C(0x0000120000f10000));
    vtdpi_pid_retarget(&pid, WNV, 0xffffffff);
    assert_int_equal(pid.control, UINT64_C(0xffffffff00f10000));
}

static void test_pid_test_and_set_on_returns_old(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_SN);

    (void)state;
    assert_false(vtdpi_pid_test_and_set_on(&pid));
    assert_int_equal(pid.control, RUNNING_ALL);
    assert_true(vtdpi_pid_test_and_set_on(&pid));
    assert_int_equal(pid.control, RUNNING_ALL);
}

static void test_pid_test_and_clear_on_returns_old(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_ALL);

    (void)state;
    assert_true(vtdpi_pid_test_and_clear_on(&pid));
    assert_int_equal(pid.control, RUNNING_SN);
    assert_false(vtdpi_pid_test_and_clear_on(&pid));
    assert_int_equal(pid.control, RUNNING_SN);
}

static void test_pid_test_and_set_sn_returns_old(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_ON);

    (void)state;
    assert_false(vtdpi_pid_test_and_set_sn(&pid));
    assert_int_equal(pid.control, RUNNING_ALL);
    assert_true(vtdpi_pid_test_and_set_sn(&pid));
    assert_int_equal(pid.control, RUNNING_ALL);
}

static void test_pid_test_and_clear_sn_returns_old(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_ALL);

    (void)state;
    assert_true(vtdpi_pid_test_and_clear_sn(&pid));
    assert_int_equal(pid.control, RUNNING_ON);
    assert_false(vtdpi_pid_test_and_clear_sn(&pid));
    assert_int_equal(pid.control, RUNNING_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pid_layout_is_that_of_the_descriptor),
        cmocka_unit_test(test_ndst_from_apic_id_both_modes),
        cmocka_unit_test(test_ndst_from_apic_id_xapic_keeps_8_bits),
        cmocka_unit_test(test_apic_id_from_ndst_both_modes),
        cmocka_unit_test(test_pid_control_encode_each_field),
        cmocka_unit_test(test_pid_control_decode_each_field),
        cmocka_unit_test(test_pid_control_decode_ignores_reserved),
        cmocka_unit_test(test_pid_init_sets_sn_and_clears_the_rest),
        cmocka_unit_test(test_pid_snapshot_returns_the_word),
        cmocka_unit_test(test_pid_record_each_vector_alone),
        cmocka_unit_test(test_pid_record_literal_words),
        cmocka_unit_test(test_pid_record_only_says_whether_that_bit_was_set),
        cmocka_unit_test(test_pid_notify_sets_on_and_returns_nv_and_ndst),
        cmocka_unit_test(test_pid_notify_keeps_foreign_bits),
        cmocka_unit_test(test_pid_notify_on_set_writes_nothing),
        cmocka_unit_test(test_pid_notify_sn_set_writes_nothing),
        cmocka_unit_test(test_pid_notify_on_and_sn_set_writes_nothing),
        cmocka_unit_test(test_pid_notify_sn_set_urgent_notifies),
        cmocka_unit_test(test_pid_post_records_and_notifies_once),
        cmocka_unit_test(test_pid_post_merged_vector_still_notifies),
        cmocka_unit_test(test_pid_post_sn_set_records_silently),
        cmocka_unit_test(test_pid_post_sn_set_urgent_notifies),
        cmocka_unit_test(test_pid_replace_only_what_the_mask_says),
        cmocka_unit_test(test_pid_replace_equal_writes_nothing),
        cmocka_unit_test(test_pid_retarget_keeps_on_and_sn),
        cmocka_unit_test(test_pid_retarget_one_field_only),
        cmocka_unit_test(test_pid_test_and_set_on_returns_old),
        cmocka_unit_test(test_pid_test_and_clear_on_returns_old),
        cmocka_unit_test(test_pid_test_and_set_sn_returns_old),
        cmocka_unit_test(test_pid_test_and_clear_sn_returns_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
