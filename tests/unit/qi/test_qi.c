/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h: descriptors, setting up, submissions, what completes them. Slots and
 * deadlines are test_qi_slots.c's, errors of the unit test_qi_errors.c's.
 */
#include "qi_open_fixture.h"

/* Descriptors. */

static void test_qi_slots_each_order_and_width_counts(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_qi_slots(0, VTDPI_QI_128), 256);
    assert_int_equal(vtdpi_qi_slots(0, VTDPI_QI_256), 128);
    assert_int_equal(vtdpi_qi_slots(7, VTDPI_QI_128), 32768);
    assert_int_equal(vtdpi_qi_slots(7, VTDPI_QI_256), 16384);
}

static void test_qi_encode_iec_blocks_match_literals(void **state)
{
    struct vtdpi_qi_desc d;

    (void)state;
    vtdpi_qi_encode_iec_global(&d);
    assert_int_equal(d.qw[0], 0x4);
    assert_int_equal(d.qw[1] | d.qw[2] | d.qw[3], 0);
    assert_int_equal(vtdpi_qi_encode_iec(&d, 0xffff, 0), 0);
    assert_int_equal(d.qw[0], 0x0000ffff00000014);
    assert_int_equal(vtdpi_qi_encode_iec(&d, 0x1230, 4), 0);
    assert_int_equal(d.qw[0], 0x0000123020000014);
    assert_int_equal(vtdpi_qi_encode_iec(&d, 0x8000, 15), 0);
    assert_int_equal(d.qw[0], 0x0000800078000014);
    assert_int_equal(d.qw[1] | d.qw[2] | d.qw[3], 0);
}

static void test_qi_encode_iec_bad_block_is_refused(void **state)
{
    struct vtdpi_qi_desc d = {{1, 2, 3, 4}};

    (void)state;
    assert_int_equal(vtdpi_qi_encode_iec(&d, 0, 16), VTDPI_ERANGE);
    assert_int_equal(vtdpi_qi_encode_iec(&d, 0x1238, 4), VTDPI_EALIGN);
    assert_int_equal(vtdpi_qi_encode_iec(&d, 1, 1), VTDPI_EALIGN);
    assert_int_equal(d.qw[0], 1);
    assert_int_equal(d.qw[3], 4);
}

static void test_qi_encode_wait_matches_literal(void **state)
{
    struct vtdpi_qi_desc d = {{1, 2, 3, 4}};

    (void)state;
    assert_int_equal(vtdpi_qi_encode_wait(&d, 0x123456782, 1), VTDPI_EALIGN);
    assert_int_equal(d.qw[0], 1);
    assert_int_equal(vtdpi_qi_encode_wait(&d, 0x123456784, 0xdeadbeef), 0);
    assert_int_equal(d.qw[0], 0xdeadbeef00000065);
    assert_int_equal(d.qw[1], 0x123456784);
    assert_int_equal(d.qw[2] | d.qw[3], 0);
}

/* Setting up. */

static void test_qi_init_missing_callback_returns_einval(void **state)
{
    const struct vtdpi_qi_params p = rig_qi_params();
    const size_t required[] = {
        offsetof(struct vtdpi_platform_ops, read32),
        offsetof(struct vtdpi_platform_ops, write32),
        offsetof(struct vtdpi_platform_ops, read64),
        offsetof(struct vtdpi_platform_ops, write64),
        offsetof(struct vtdpi_platform_ops, now_us),
        offsetof(struct vtdpi_platform_ops, lock),
        offsetof(struct vtdpi_platform_ops, unlock),
    };
    struct vtdpi_qi qi;

    (void)state;
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        struct vtdpi_platform_ops ops = rig.ops;

        memset((char *)&ops + required[i], 0, sizeof(void (*)(void)));
        assert_int_equal(vtdpi_qi_init(&qi, &ops, &rig.m, &p), VTDPI_EINVAL);
    }
    assert_int_equal(vtdpi_qi_init(&qi, NULL, &rig.m, &p), VTDPI_EINVAL);
    assert_int_equal(vtdpi_qi_init(NULL, &rig.ops, &rig.m, &p), VTDPI_EINVAL);
    assert_int_equal(vtdpi_qi_init(&qi, &rig.ops, &rig.m, NULL), VTDPI_EINVAL);
}

static int init_with(const struct vtdpi_qi_params *p)
{
    struct vtdpi_qi qi;

    return vtdpi_qi_init(&qi, &rig.ops, &rig.m, p);
}

static void test_qi_init_bad_params_each_has_its_code(void **state)
{
    struct vtdpi_qi_params p = rig_qi_params();

    (void)state;
#define REFUSED(member, value, code)             \
    do {                                         \
        p = rig_qi_params();                     \
        p.member = (value);                      \
        assert_int_equal(init_with(&p), (code)); \
    } while (0)
    REFUSED(ring, NULL, VTDPI_EINVAL);
    REFUSED(status, NULL, VTDPI_EINVAL);
    REFUSED(order, 8, VTDPI_EINVAL);
    REFUSED(submitters, 0, VTDPI_EINVAL);
    REFUSED(width, (enum vtdpi_qi_width)2, VTDPI_EINVAL);
    REFUSED(ring, rig_mem + 2048, VTDPI_EALIGN);
    REFUSED(ring_phys, RING + 2048, VTDPI_EALIGN);
    REFUSED(status, (uint32_t *)(void *)(rig_mem + STATUS_AT + 2),
            VTDPI_EALIGN);
    REFUSED(status_phys, STATUS + 2, VTDPI_EALIGN);
    /* 256 slots: 2 * 127 + 1 fit, 2 * 128 + 1 do not. */
    REFUSED(submitters, 128, VTDPI_ENOSPC);
    REFUSED(submitters, UINT32_MAX, VTDPI_ENOSPC);
#undef REFUSED
    p = rig_qi_params();
    p.width = VTDPI_QI_256;
    assert_int_equal(init_with(&p), VTDPI_ENOSPC);
    p.submitters = 63;
    assert_int_equal(init_with(&p), 0);
}

/* The last byte is that of the last physical address, or one step behind. */
static void test_qi_init_memory_that_wraps_returns_erange(void **state)
{
    struct vtdpi_qi_params p = rig_qi_params();

    (void)state;
    p.ring_phys = UINT64_C(0xfffffffffffff000);
    assert_int_equal(init_with(&p), 0);
    p.order = 1;
    assert_int_equal(init_with(&p), VTDPI_ERANGE);
    p.ring_phys = UINT64_C(0xfffffffffff80000);
    p.order = 7;
    assert_int_equal(init_with(&p), 0);
    p.ring_phys += 4096;
    assert_int_equal(init_with(&p), VTDPI_ERANGE);

    p = rig_qi_params();
    p.status_phys = UINT64_C(0xfffffffffffffc00); /* 256 words */
    assert_int_equal(init_with(&p), 0);
    p.status_phys += 4;
    assert_int_equal(init_with(&p), VTDPI_ERANGE);
    p.submitters = 63;
    p.width = VTDPI_QI_256; /* 128 words */
    assert_int_equal(init_with(&p), 0);
}

static void test_qi_program_writes_tail_and_address(void **state)
{
    struct vtdpi_qi_params p = rig_qi_params();
    const struct access want[] = {{true, 0x88, 0}, {true, 0x90, RING | 3}};
    const struct access want_wide[] = {{true, 0x88, 0},
                                       {true, 0x90, RING | 0x802}};

    (void)state;
    rig_power_up(CAP, ECAP | UINT64_C(1) << 43);
    p.order = 3;
    assert_int_equal(vtdpi_qi_init(&rig.qi, &rig.ops, &rig.m, &p), 0);
    assert_int_equal(rig.traced, 0);
    vtdpi_qi_program(&rig.qi);
    rig_assert_writes(want, 2);

    rig_clear_trace();
    p.order = 2;
    p.width = VTDPI_QI_256;
    assert_int_equal(vtdpi_qi_init(&rig.qi, &rig.ops, &rig.m, &p), 0);
    vtdpi_qi_program(&rig.qi);
    rig_assert_writes(want_wide, 2);
}

/* Submitting. */

static void test_qi_submit_one_iec_is_one_tail_write(void **state)
{
    const struct access want[] = {{true, 0x88, 0x20}};
    struct vtdpi_qi_ticket t;

    (void)state;
    submit(&t);
    rig_assert_writes(want, 1);
    assert_int_equal(rig.traced, 1); /* and no read */
    assert_int_equal(rig_ring(0, 0), 0x0000000500000014);
    assert_int_equal(rig_ring(0, 1), 0);
    assert_int_equal(rig_ring(1, 0), 0x0000000100000065);
    assert_int_equal(rig_ring(1, 1), STATUS + 4);
    assert_int_equal(*rig_status(1), 1);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(rig.traced, 1); /* the status word was enough */
    assert_int_equal(rig_counters().iec_index, 1);
}

static void test_qi_submit_batch_has_one_wait(void **state)
{
    const struct vtdpi_qi_desc d[3] = {iec(1), iec(2), iec(3)};
    const struct access want[] = {{true, 0x88, 0x40}};
    struct vtdpi_qi_ticket t;

    (void)state;
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 3, &t), 0);
    rig_assert_writes(want, 1);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
    assert_int_equal(rig_counters().descriptors[4], 3);
    assert_int_equal(rig_counters().descriptors[5], 1);
}

static void test_qi_submit_nothing_waits_for_what_is_before(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    rig_set_manual(true);
    submit(&a);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, NULL, 0, &b), 0);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 3), 3);
    assert_int_equal(vtdpi_model_complete(&rig.m, 2), 2);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &a), 0);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &b), VTDPI_EBUSY);
    assert_int_equal(vtdpi_model_complete(&rig.m, 1), 1);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &b), 0);
}

static void test_qi_submit_all_zero_ticket_is_resolved(void **state)
{
    struct vtdpi_qi_ticket t = {0};

    (void)state;
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t), 0);
    assert_int_equal(rig.traced, 0);
}

static void test_qi_submit_too_many_returns_einval(void **state)
{
    static struct vtdpi_qi_desc d[255];
    struct vtdpi_qi_ticket t;

    (void)state;
    for (size_t i = 0; i < 255; i++)
        d[i] = iec((uint16_t)i);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 255, &t), VTDPI_EINVAL);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EINVAL);
    assert_int_equal(rig.traced, 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 254, &t), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(rig_counters().iec_index, 254);
}

static void test_qi_submit_wide_desc_on_narrow_queue_is_erange(void **state)
{
    struct vtdpi_qi_desc d[2] = {iec(1), iec(2)};
    struct vtdpi_qi_ticket t;

    (void)state;
    d[1].qw[2] = 1;
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 2, &t), VTDPI_ERANGE);
    d[1].qw[2] = 0;
    d[1].qw[3] = 1;
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 2, &t), VTDPI_ERANGE);
    assert_int_equal(rig.traced, 0);
}

static void test_qi_submit_wide_queue_uses_32_byte_slots(void **state)
{
    struct vtdpi_qi_params p = rig_qi_params();
    const struct access want[] = {{true, 0x88, 0x40}};
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_power_up(CAP, ECAP | UINT64_C(1) << 43);
    p.width = VTDPI_QI_256;
    p.submitters = 63;
    memset(rig_mem + RING_AT, 0xff, 4096);
    rig_open_queue(&p);
    submit(&t);
    rig_assert_writes(want, 1);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    for (int i = 0; i < 200; i++) { /* 128 slots: goes round */
        submit(&t);
        assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    }
    assert_int_equal(rig_counters().iec_index, 201);
}

static void test_qi_submit_closed_queue_returns_eqoff(void **state)
{
    const struct vtdpi_qi_params p = rig_qi_params();
    const struct vtdpi_qi_desc d = iec(1);
    struct vtdpi_qi_ticket t;

    (void)state;
    assert_int_equal(vtdpi_qi_close(&rig.qi, 0), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &t), VTDPI_EQOFF);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EQOFF);
    assert_int_equal(vtdpi_qi_close(&rig.qi, 0), VTDPI_EQOFF);

    assert_int_equal(vtdpi_qi_init(&rig.qi, &rig.ops, &rig.m, &p), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &t), VTDPI_EQOFF);
}

/* Completion. */

static void test_qi_poll_fetched_only_is_busy(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_set_manual(true);
    submit(&t);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EBUSY);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 2), 2);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x80), 0x20); /* IQH == IQT */
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EBUSY);
    assert_int_equal(vtdpi_model_complete(&rig.m, 1), 1);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EBUSY);
    assert_int_equal(vtdpi_model_complete(&rig.m, 1), 1);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
}

static void test_qi_poll_status_equal_before_submit_is_busy(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_set_manual(true);
    /* What the first, and then the second, number would be. */
    for (uint32_t i = 0; i < 256; i++)
        *rig_status(i) = 1;
    submit(&t);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EBUSY);
    vtdpi_model_fetch(&rig.m, 2);
    vtdpi_model_complete(&rig.m, 2);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
}

static void test_qi_submit_sequence_wraps_past_zero(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    /* Four thousand million submissions later. */
    rig.qi.sequence = UINT32_MAX - 1;
    submit(&t);
    assert_int_equal(*rig_status(1), UINT32_MAX);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    rig_set_manual(true);
    *rig_status(3) = 7; /* anything but 0 */
    submit(&t);
    assert_int_equal(rig_ring(3, 0) >> 32, 1); /* not 0 */
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), VTDPI_EBUSY);
    vtdpi_model_fetch(&rig.m, 2);
    vtdpi_model_complete(&rig.m, 2);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_qi_slots_each_order_and_width_counts),
        TEST(test_qi_encode_iec_blocks_match_literals),
        TEST(test_qi_encode_iec_bad_block_is_refused),
        TEST(test_qi_encode_wait_matches_literal),
        TEST(test_qi_init_missing_callback_returns_einval),
        TEST(test_qi_init_bad_params_each_has_its_code),
        TEST(test_qi_init_memory_that_wraps_returns_erange),
        TEST(test_qi_program_writes_tail_and_address),
        TEST(test_qi_submit_one_iec_is_one_tail_write),
        TEST(test_qi_submit_batch_has_one_wait),
        TEST(test_qi_submit_nothing_waits_for_what_is_before),
        TEST(test_qi_submit_all_zero_ticket_is_resolved),
        TEST(test_qi_submit_too_many_returns_einval),
        TEST(test_qi_submit_wide_desc_on_narrow_queue_is_erange),
        TEST(test_qi_submit_wide_queue_uses_32_byte_slots),
        TEST(test_qi_submit_closed_queue_returns_eqoff),
        TEST(test_qi_poll_fetched_only_is_busy),
        TEST(test_qi_poll_status_equal_before_submit_is_busy),
        TEST(test_qi_submit_sequence_wraps_past_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
