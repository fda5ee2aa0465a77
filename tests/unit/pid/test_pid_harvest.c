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

static void test_pid_harvest_each_vector_alone(void **state)
{
    (void)state;
    for (unsigned int v = 0; v < 256; v++) {
        struct vtdpi_pid pid = pid_with(RUNNING);
        unsigned char want[32] = {0};
        uint64_t out[4] = {7, 7, 7, 7};

        ((unsigned char *)&pid)[v / 8] = (unsigned char)(1u << v % 8);
        want[v / 8] = (unsigned char)(1u << v % 8);
        assert_true(vtdpi_pid_harvest(&pid, out));
        assert_memory_equal(out, want, 32);
        assert_pir(&pid, 0, 0, 0, 0);
        assert_int_equal(pid.control, RUNNING);
    }
}

static void test_pid_harvest_everything_clears_on_only(void **state)
{
    struct vtdpi_pid pid;
    uint64_t out[4];

    (void)state;
    memset(&pid, 0xff, sizeof(pid));
    assert_true(vtdpi_pid_harvest(&pid, out));
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(out[i], UINT64_C(0xffffffffffffffff));
    assert_pir(&pid, 0, 0, 0, 0);
    assert_int_equal(pid.control, UINT64_C(0xfffffffffffffffe));
    assert_int_equal(pid.reserved[0], UINT64_C(0xffffffffffffffff));
    assert_int_equal(pid.reserved[2], UINT64_C(0xffffffffffffffff));
}

static void test_pid_harvest_on_clear_takes_pir_all_the_same(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_SN);
    uint64_t out[4];

    (void)state;
    pid.pir[3] = UINT64_C(0x0000100000000000);
    assert_true(vtdpi_pid_harvest(&pid, out));
    assert_int_equal(out[3], UINT64_C(0x0000100000000000));
    assert_pir(&pid, 0, 0, 0, 0);
    assert_int_equal(pid.control, RUNNING_SN);
}

static void test_pid_harvest_on_set_pir_empty_clears_on(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_ON);
    uint64_t out[4] = {7, 7, 7, 7};

    (void)state;
    assert_false(vtdpi_pid_harvest(&pid, out));
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(pid.control, RUNNING);
}

static void test_pid_harvest_idle_writes_nothing(void **state)
{
    const struct vtdpi_pid content = pid_with(RUNNING_SN);
    struct vtdpi_pid *pid = read_only_pid(&content);
    uint64_t out[4] = {7, 7, 7, 7};

    (void)state;
    assert_false(vtdpi_pid_harvest(pid, out));
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(out[i], 0);
    vtdpi_pid_discard(pid);
    free_read_only_pid(pid);
}

static void test_pid_take_leaves_on(void **state)
{
    struct vtdpi_pid pid;
    uint64_t out[4] = {~UINT64_C(0), 1, 2, 3};

    (void)state;
    vtdpi_pid_init(&pid, 0xf2, 3);
    (void)vtdpi_pid_test_and_clear_sn(&pid);
    assert_false(vtdpi_pid_take(&pid, out));
    assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
    for (unsigned int v = 16; v < 256; v++) {
        const struct vtdpi_notification n =
            vtdpi_pid_post(&pid, (uint8_t)v, false);

        assert_int_equal(n.result,
                         v == 16 ? VTDPI_POST_NOTIFY : VTDPI_POST_ALREADY);
        assert_true(vtdpi_pid_take(&pid, out));
        for (unsigned int i = 0; i < 4; i++)
            assert_int_equal(out[i], i == v / 64 ? UINT64_C(1) << v % 64 : 0);
        assert_false(vtdpi_pid_pir_pending(&pid));
        assert_true((vtdpi_pid_snapshot(&pid) & VTDPI_PID_ON) != 0);
    }
}

static void test_pid_post_after_harvest_notifies_again(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING);
    uint64_t out[4];

    (void)state;
    assert_post(vtdpi_pid_post(&pid, 0x51, false), VTDPI_POST_NOTIFY);
    assert_true(vtdpi_pid_harvest(&pid, out));
    assert_post(vtdpi_pid_post(&pid, 0x51, false), VTDPI_POST_NOTIFY);
}

static void test_pir_highest_each_vector(void **state)
{
    (void)state;
    for (unsigned int v = 0; v < 256; v++) {
        uint64_t set[4] = {0, 0, 0, 0};

        ((unsigned char *)set)[v / 8] = (unsigned char)(1u << v % 8);
        assert_int_equal(vtdpi_pir_highest(set), v);
        set[0] |= 1; /* a lower one does not matter */
        assert_int_equal(vtdpi_pir_highest(set), v);
    }
}

static void test_pir_highest_empty_returns_minus_1(void **state)
{
    const uint64_t set[4] = {0, 0, 0, 0};

    (void)state;
    assert_int_equal(vtdpi_pir_highest(set), -1);
}

/* A virtual-APIC page; words of its IRR are 16 bytes apart from 200h. */
struct vapic_page {
    _Alignas(4096) uint32_t words[1024];
};

static const unsigned int irr_word[8] = {0x80, 0x84, 0x88, 0x8c,
                                         0x90, 0x94, 0x98, 0x9c};

static void test_pid_merge_each_vector_alone(void **state)
{
    static struct vapic_page page;
    static struct vapic_page want;

    (void)state;
    for (unsigned int v = 0; v < 256; v++) {
        struct vtdpi_pid pid = pid_with(RUNNING_ON);

        memset(&page, 0, sizeof(page));
        memset(&want, 0, sizeof(want));
        ((unsigned char *)&pid)[v / 8] = (unsigned char)(1u << v % 8);
        want.words[irr_word[v / 32]] = UINT32_C(1) << v % 32;
        assert_int_equal(vtdpi_pid_merge(&pid, page.words), v);
        assert_memory_equal(&page, &want, sizeof(page));
        assert_pir(&pid, 0, 0, 0, 0);
        assert_int_equal(pid.control, RUNNING);
    }
}

static void test_pid_merge_adds_to_what_is_in_irr(void **state)
{
    static struct vapic_page page;
    struct vtdpi_pid pid = pid_with(RUNNING);

    (void)state;
    memset(&page, 0, sizeof(page));
    page.words[0x84] = 0x00000001;             /* vector 32 */
    page.words[0x8c] = 0x80000000;             /* vector 127 */
    pid.pir[0] = UINT64_C(0x0000000200010000); /* vectors 16 and 33 */
    pid.pir[1] = UINT64_C(0x0000000100000000); /* vector 96 */
    assert_int_equal(vtdpi_pid_merge(&pid, page.words), 127);
    assert_int_equal(page.words[0x80], 0x00010000);
    assert_int_equal(page.words[0x84], 0x00000003);
    assert_int_equal(page.words[0x88], 0);
    assert_int_equal(page.words[0x8c], 0x80000001);
    assert_int_equal(page.words[0x90], 0);
}

static void test_pid_merge_all_vectors_fills_irr_alone(void **state)
{
    static struct vapic_page page;
    struct vtdpi_pid pid;

    (void)state;
    memset(&page, 0, sizeof(page));
    memset(&pid, 0xff, sizeof(pid));
    assert_int_equal(vtdpi_pid_merge(&pid, page.words), 255);
    for (unsigned int i = 0; i < 1024; i++) {
        const bool irr = i >= 0x80 && i <= 0x9c && i % 4 == 0;

        assert_int_equal(page.words[i], irr ? 0xffffffff : 0);
    }
}

static void test_pid_merge_nothing_harvested_returns_highest(void **state)
{
    static struct vapic_page page;
    struct vtdpi_pid pid = pid_with(RUNNING);

    (void)state;
    memset(&page, 0, sizeof(page));
    page.words[0x88] = 0x00020000; /* vector 51h */
    assert_int_equal(vtdpi_pid_merge(&pid, page.words), 0x51);
    pid.control = RUNNING_ON;
    assert_int_equal(vtdpi_pid_merge(&pid, page.words), 0x51);
    assert_int_equal(pid.control, RUNNING);
    assert_int_equal(page.words[0x88], 0x00020000);
}

static void test_pid_merge_irr_empty_returns_0(void **state)
{
    static struct vapic_page page;
    struct vtdpi_pid pid = pid_with(RUNNING_ON);

    (void)state;
    /* Everything but IRR set: neighbours are not taken for it. */
    memset(&page, 0xff, sizeof(page));
    for (unsigned int i = 0; i < 8; i++)
        page.words[irr_word[i]] = 0;
    assert_int_equal(vtdpi_pid_merge(&pid, page.words), 0);
}

static void test_pid_pir_pending_each_word(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_ON);

    (void)state;
    assert_false(vtdpi_pid_pir_pending(&pid)); /* ON alone is not PIR */
    for (unsigned int i = 0; i < 4; i++) {
        pid = pid_with(RUNNING);
        pid.pir[i] = UINT64_C(0x8000000000000000);
        assert_true(vtdpi_pid_pir_pending(&pid));
    }
}

static void test_pid_pending_on_or_pir(void **state)
{
    struct vtdpi_pid pid = pid_with(RUNNING_SN);

    (void)state;
    assert_false(vtdpi_pid_pending(&pid));
    pid.control = RUNNING_ON;
    assert_true(vtdpi_pid_pending(&pid));
    for (unsigned int i = 0; i < 4; i++) {
        pid = pid_with(RUNNING_SN);
        pid.pir[i] = 1;
        assert_true(vtdpi_pid_pending(&pid));
    }
}

static void test_pid_discard_drops_everything(void **state)
{
    struct vtdpi_pid pid;

    (void)state;
    memset(&pid, 0xff, sizeof(pid));
    pid.control = RUNNING_ALL;
    vtdpi_pid_discard(&pid);
    assert_pir(&pid, 0, 0, 0, 0);
    assert_int_equal(pid.control, RUNNING_SN);
}

/* Looking changes nothing: the descriptor cannot even be written. */
static void test_pid_looks_take_nothing(void **state)
{
    struct vtdpi_pid content = pid_with(RUNNING_ON);
    struct vtdpi_pid *pid;
    uint64_t out[VTDPI_PIR_WORDS] = {1, 1, 1, 1};

    (void)state;
    content.pir[1] = UINT64_C(0x0000000000020001);
    content.pir[3] = UINT64_C(0x0000100000000000);
    pid = read_only_pid(&content);
    assert_true(vtdpi_pid_peek(pid, out));
    assert_int_equal(out[0], 0);
    assert_int_equal(out[1], UINT64_C(0x0000000000020001));
    assert_int_equal(out[2], 0);
    assert_int_equal(out[3], UINT64_C(0x0000100000000000));
    for (unsigned int i = 0; i < 256; i++)
        assert_int_equal(vtdpi_pid_test(pid, (uint8_t)i),
                         i == 0x40 || i == 0x51 || i == 0xec);
    assert_int_equal(vtdpi_pid_highest(pid), 0xec);
    free_read_only_pid(pid);
}

static void test_pid_looks_at_empty_pir(void **state)
{
    const struct vtdpi_pid pid = pid_with(RUNNING_ON);
    uint64_t out[VTDPI_PIR_WORDS] = {1, 1, 1, 1};

    (void)state;
    assert_false(vtdpi_pid_peek(&pid, out));
    assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
    assert_false(vtdpi_pid_test(&pid, 0));
    assert_int_equal(vtdpi_pid_highest(&pid), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pid_harvest_each_vector_alone),
        cmocka_unit_test(test_pid_harvest_everything_clears_on_only),
        cmocka_unit_test(test_pid_harvest_on_clear_takes_pir_all_the_same),
        cmocka_unit_test(test_pid_harvest_on_set_pir_empty_clears_on),
        cmocka_unit_test(test_pid_harvest_idle_writes_nothing),
        cmocka_unit_test(test_pid_take_leaves_on),
        cmocka_unit_test(test_pid_post_after_harvest_notifies_again),
        cmocka_unit_test(test_pir_highest_each_vector),
        cmocka_unit_test(test_pir_highest_empty_returns_minus_1),
        cmocka_unit_test(test_pid_merge_each_vector_alone),
        cmocka_unit_test(test_pid_merge_adds_to_what_is_in_irr),
        cmocka_unit_test(test_pid_merge_all_vectors_fills_irr_alone),
        cmocka_unit_test(test_pid_merge_nothing_harvested_returns_highest),
        cmocka_unit_test(test_pid_merge_irr_empty_returns_0),
        cmocka_unit_test(test_pid_pir_pending_each_word),
        cmocka_unit_test(test_pid_pending_on_or_pir),
        cmocka_unit_test(test_pid_discard_drops_everything),
        cmocka_unit_test(test_pid_looks_take_nothing),
        cmocka_unit_test(test_pid_looks_at_empty_pir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
