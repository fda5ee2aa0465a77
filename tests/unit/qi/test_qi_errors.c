/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h when the unit reports errors, or does not answer: who gets which, that
 * all others go on, and that nothing waits for ever. Time-outs of devices (ITE)
 * are test_qi_ite.c's.
 */
#include "qi_fixture.h"

/* IQE. */

static void test_qi_poll_iqe_fails_only_its_owner(void **state)
{
    /* QEMU's unit goes on when the tail is written, and not before. */
    const struct access want[] = {{true, 0x34, 0x10}, {true, 0x88, 0x70}};
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;
    struct vtdpi_qi_error e;

    (void)state;
    submit(&a, 1); /* slots 0, 1 */
    submit(&b, 2); /* 2, 3, 4 */
    submit(&c, 1); /* 5, 6 */
    assert_int_equal(vtdpi_model_fetch(&rig.m, 3), 3);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 0);
    rig_clear_trace();
    /* The caller that polls repairs the queue; here not the owner of the error. */
    assert_int_equal(poll(&c), VTDPI_EBUSY);
    rig_assert_writes(want, 2);
    assert_int_equal(poll(&a), VTDPI_EBUSY);
    assert_int_equal(poll(&b), VTDPI_EIQE);
    assert_int_equal(poll(&b), VTDPI_EIQE);
    assert_int_equal(wait(&b), VTDPI_EIQE);
    /* A wait with SW that writes 0 to its own slot's word. */
    assert_int_equal(rig_ring(3, 0), 0x65);
    assert_int_equal(rig_ring(3, 1), STATUS + 4 * 3);
    vtdpi_qi_report(&rig.qi, NULL, &e);
    assert_int_equal(e.fsts, 0x10);
    assert_int_equal(e.slot, 3);
    assert_int_equal(e.desc.qw[0], 0x0000001100000014);
    assert_int_equal(e.desc.qw[2], 0);
    assert_int_equal(e.desc.qw[3], 0);
    assert_int_equal(VTDPI_FIELD_GET(e.iqer, 0xf), 4);

    run();
    assert_int_equal(poll(&a), 0);
    assert_int_equal(poll(&c), 0);
    assert_int_equal(poll(&b), VTDPI_EIQE);
    assert_int_equal(stats().iqe, 1);
    assert_int_equal(stats().resubmitted, 0);
    assert_int_equal(rig.logs, 1);
}

/* All four words of a wide descriptor go to the ring, and to the report. The narrow
 * ones of the test above have two: the report has zeros behind them. */
static void test_qi_report_has_all_of_a_wide_descriptor(void **state)
{
    const struct vtdpi_qi_desc bad = {{0xf, 0x11, 0x22, 0x33}};
    struct vtdpi_qi_params p = rig_qi_params();
    struct vtdpi_qi_error e;
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_power_up(CAP, ECAP | UINT64_C(1) << 43);
    p.width = VTDPI_QI_256;
    p.submitters = 63;
    rig_open_queue(&p);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &bad, 1, &t), 0);
    assert_int_equal(wait(&t), VTDPI_EIQE);
    vtdpi_qi_report(&rig.qi, NULL, &e);
    assert_memory_equal(&e.desc, &bad, sizeof(bad));
}

static void test_qi_wait_ill_formed_descriptor_returns_eiqe(void **state)
{
    const struct vtdpi_qi_desc bad[] = {
        {{0x4, 1, 0, 0}},  /* IEC: second word */
        {{0x24, 0, 0, 0}}, /* IEC: reserved bit 5 */
        {{0x0, 0, 0, 0}},  /* no such type */
        {{0xf, 0, 0, 0}},
    };
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_set_manual(false);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(vtdpi_qi_submit(&rig.qi, &bad[i], 1, &t), 0);
        assert_int_equal(wait(&t), VTDPI_EIQE);
        assert_int_equal(fsts(), 0);
        submit(&t, 1);
        assert_int_equal(wait(&t), 0);
    }
    assert_int_equal(stats().iqe, 4);
}

static void test_qi_wait_own_wait_refused_returns_eiqe(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    submit(&a, 1);
    submit(&b, 1);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    run();
    assert_int_equal(wait(&b), 0);
    assert_int_equal(wait(&a), VTDPI_EIQE);
    assert_int_equal(rig_ring(1, 0), 0x65);
    /* Slots 0 and 1 are free again, round and round. */
    for (int i = 0; i < 500; i++) {
        submit(&a, 1);
        assert_int_equal(wait(&a), 0);
    }
}

static void test_qi_recover_iqe_of_given_up_submission_goes_on(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit(&a, 1);
    submit(&b, 1);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &a), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 0);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EIQE);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), 0);
    run();
    assert_int_equal(poll(&b), 0);
    assert_int_equal(poll(&a), VTDPI_ETIMEDOUT);
}

/* Refused every time it is fetched, and nobody's: the others go on. */
static void test_qi_poll_iqe_of_nobody_stops_nobody(void **state)
{
    const struct vtdpi_qi_desc bad = {{0xe, 0, 0, 0}};
    struct vtdpi_qi_ticket before;
    struct vtdpi_qi_ticket given_up;
    struct vtdpi_qi_ticket after;

    (void)state;
    submit(&before, 1);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &bad, 1, &given_up), 0);
    submit(&after, 1);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &given_up), VTDPI_ETIMEDOUT);
    run();
    assert_int_equal(fsts(), 0x10);
    assert_int_equal(wait(&before), 0);
    assert_int_equal(wait(&after), 0);
    assert_int_equal(fsts(), 0);
    assert_int_equal(wait(&given_up), VTDPI_ETIMEDOUT);
    assert_int_equal(stats().iqe, 1);
    /* Its slots are used again. */
    for (int i = 0; i < 500; i++) {
        submit(&after, 1);
        assert_int_equal(wait(&after), 0);
    }
}

static void test_qi_recover_leaves_other_status_bits(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    /* A fault record is pending, and more came than there is room for. */
    for (uint32_t i = 0; i < 20; i++)
        vtdpi_model_dma_fault(&rig.m, (uint16_t)(i + 1), 5, 0x1000, true);
    assert_int_equal(fsts() & 0xff, 0x3);
    submit(&t, 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    run();
    assert_int_equal(wait(&t), VTDPI_EIQE);
    assert_int_equal(fsts() & 0xff, 0x3);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), 0);
}

/* An IQE without end: IQH reads as something that cannot be. */
static void test_qi_recover_iqe_with_impossible_head_touches_nothing(void **s)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    uint64_t begin;

    (void)s;
    submit(&a, 1);
    submit(&b, 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQH_STUCK, 0x500);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    vtdpi_model_fetch(&rig.m, 1);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EIQE);
    assert_int_equal(rig_ring(0, 0), 0x0000001000000014);
    assert_int_equal(rig_ring(0x50, 0), 0);
    assert_int_equal(poll(&a), VTDPI_EBUSY);
    begin = rig_now();
    assert_int_equal(wait(&b), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, 1000000, 1010000);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_IQH_STUCK);
    run();
    assert_int_equal(poll(&a), 0);
}

/* The same error over and over: deadlines hold, and the log is not flooded. */
static void rearm(struct rig *r, uint32_t off, uint64_t value)
{
    if (off == 0x34 && (value & 0x10) != 0)
        vtdpi_model_set_fault(&r->m, VTDPI_MODEL_FAULT_IQE, 0);
}

static void test_qi_wait_endless_iqe_times_out_quietly(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    submit(&a, 1);
    submit(&b, 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    rig.before_write = rearm;
    rig_set_manual(false);
    assert_int_equal(wait(&b), VTDPI_ETIMEDOUT);
    assert_int_equal(wait(&a), VTDPI_EIQE);
    assert_true(stats().iqe > 100);
    assert_int_equal(rig.logs, 1);
    /* With another submission behind it the error counts as another one. */
    submit(&b, 1);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EIQE);
    assert_int_equal(rig.logs, 2);
    rig.before_write = NULL;
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_IQE);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EIQE);
    submit(&a, 1);
    assert_int_equal(wait(&a), 0);
}

/* ICE. */

static void test_qi_poll_ice_fails_the_device_in_flight(void **state)
{
    const struct access want[] = {{true, 0x34, 0x20}};
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;

    (void)state;
    submit(&a, 1);
    submit_device(&b, SID_A);
    submit_device(&c, SID_B);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ICE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 6), 6);
    assert_int_equal(vtdpi_model_complete(&rig.m, 2), 2);
    assert_int_equal(fsts(), 0x20);
    rig_clear_trace();
    assert_int_equal(poll(&c), VTDPI_EBUSY);
    rig_assert_writes(want, 1);
    assert_int_equal(poll(&a), 0);
    assert_int_equal(poll(&b), VTDPI_EICE);
    run();
    assert_int_equal(poll(&c), 0);
    assert_int_equal(stats().ice, 1);
    assert_int_equal(stats().resubmitted, 0);
}

/* Without device-TLB invalidations in flight nobody is to blame. */
static void test_qi_recover_ice_without_suspect_fails_nobody(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    submit(&a, 1);
    submit(&b, 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ICE, 0);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 4), 4);
    assert_int_equal(vtdpi_model_complete(&rig.m, 2), 2);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EICE);
    assert_int_equal(fsts(), 0);
    run();
    assert_int_equal(poll(&a), 0);
    assert_int_equal(poll(&b), 0);
}

/* No answer. */

static void test_qi_wait_status_never_written_times_out(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_set_manual(false);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    /* Head passes them, so slots never run out. */
    for (int i = 0; i < 300; i++) {
        submit(&t, 1);
        assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 200), VTDPI_ETIMEDOUT);
    }
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER);
    submit(&t, 1);
    assert_int_equal(wait(&t), 0);
    assert_int_equal(stats().given_up, 300);
}

static void test_qi_wait_gone_unit_returns_eio(void **state)
{
    static struct vtdpi_qi_ticket t[127];
    const struct vtdpi_qi_desc d = {{4, 0, 0, 0}};
    struct vtdpi_qi_ticket more;

    (void)state;
    for (size_t i = 0; i < 127; i++)
        submit(&t[i], 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EIO);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EIO);
    rig_clear_trace();
    for (size_t i = 0; i < 127; i++)
        assert_int_equal(wait(&t[i]), VTDPI_EIO);
    assert_int_equal(rig.traced, 127); /* at once */
    assert_int_equal(stats().iqe + stats().ite + stats().ice, 0);
}

static void test_qi_submit_impossible_head_frees_nothing(void **state)
{
    static struct vtdpi_qi_ticket t[127];
    const struct vtdpi_qi_desc d = {{4, 0, 0, 0}};
    struct vtdpi_qi_ticket more;

    (void)state;
    rig_set_manual(false);
    for (int i = 0; i < 10; i++) {
        submit(&more, 1);
        assert_int_equal(wait(&more), 0);
    }
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    for (size_t i = 0; i < 127; i++)
        submit(&t[i], 1); /* slots 20 to 255, 0 to 17; 18 is next */
    for (size_t i = 0; i < 127; i++)
        assert_int_equal(vtdpi_qi_give_up(&rig.qi, &t[i]), VTDPI_ETIMEDOUT);
    /* 19: the free slot between tail and head. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQH_STUCK, 19 * 16);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQH_STUCK, 0x1000);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQH_STUCK, 0x7fff0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &more), VTDPI_EQFULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_qi_poll_iqe_fails_only_its_owner),
        TEST(test_qi_report_has_all_of_a_wide_descriptor),
        TEST(test_qi_wait_ill_formed_descriptor_returns_eiqe),
        TEST(test_qi_wait_own_wait_refused_returns_eiqe),
        TEST(test_qi_recover_iqe_of_given_up_submission_goes_on),
        TEST(test_qi_poll_iqe_of_nobody_stops_nobody),
        TEST(test_qi_recover_leaves_other_status_bits),
        TEST(test_qi_recover_iqe_with_impossible_head_touches_nothing),
        TEST(test_qi_wait_endless_iqe_times_out_quietly),
        TEST(test_qi_poll_ice_fails_the_device_in_flight),
        TEST(test_qi_recover_ice_without_suspect_fails_nobody),
        TEST(test_qi_wait_status_never_written_times_out),
        TEST(test_qi_wait_gone_unit_returns_eio),
        TEST(test_qi_submit_impossible_head_frees_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
