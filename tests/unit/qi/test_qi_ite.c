/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h when a device does not answer (ITE): its owner fails, the waits that
 * were aborted are submitted again, whatever room there is.
 */
#include "qi_fixture.h"

/* ITE. */

/* a and c: IEC; b: device flush. All of a and b are fetched when b's wait is
 * aborted, and a's with it; c is not fetched. */
static void time_out(struct vtdpi_qi_ticket *a, struct vtdpi_qi_ticket *b,
                     struct vtdpi_qi_ticket *c)
{
    submit(a, 2);
    submit_device(b, SID_A);
    submit(c, 1);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 4), 4);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 2), 1);
    assert_int_equal(fsts(), 0x40);
    rig_clear_trace();
}

static void test_qi_poll_ite_fails_its_owner_resubmits_others(void **state)
{
    /* Five slots behind c's two, then a's three again. */
    const struct access want[] = {{true, 0x34, 0x40}, {true, 0x88, 0xa0}};
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;

    (void)state;
    time_out(&a, &b, &c);
    assert_int_equal(poll(&c), VTDPI_EBUSY);
    rig_assert_writes(want, 2);
    assert_int_equal(poll(&b), VTDPI_EITE);
    assert_int_equal(poll(&a), VTDPI_EBUSY);
    assert_int_equal(rig_ring(7, 0), 0x0000001000000014);
    assert_int_equal(rig_ring(8, 0), 0x0000001100000014);
    assert_int_equal(rig_ring(9, 0), 0x0000000400000065);
    assert_int_equal(rig_ring(9, 1), STATUS + 4 * 9);
    run();
    assert_int_equal(poll(&a), 0);
    assert_int_equal(poll(&c), 0);
    assert_int_equal(poll(&b), VTDPI_EITE);
    assert_int_equal(stats().ite, 1);
    assert_int_equal(stats().resubmitted, 1);
    assert_int_equal(rig_counters().waits_aborted, 2);
}

/* IQER is valid, and IQH stands still, only until ITE is cleared. */
static void test_qi_recover_ite_reads_before_it_clears(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;
    bool cleared = false;
    uint32_t reads = 0;

    (void)state;
    time_out(&a, &b, &c);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EITE);
    for (uint32_t i = 0; i < rig.traced; i++) {
        const struct access *x = &rig.trace[i];

        if (x->write && x->off == 0x34)
            cleared = true;
        if (!x->write && (x->off == 0xb0 || x->off == 0x80)) {
            assert_false(cleared);
            reads++;
        }
    }
    assert_int_equal(reads, 2);
    assert_true(cleared);
}

static void test_qi_poll_ite_other_device_is_resubmitted(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;

    (void)state;
    submit_device(&a, SID_B);
    submit_device(&b, SID_A);
    submit_device(&c, SID_A); /* not fetched: not guilty yet */
    assert_int_equal(vtdpi_model_fetch(&rig.m, 3), 3);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    assert_int_equal(poll(&b), VTDPI_EITE);
    assert_int_equal(poll(&a), VTDPI_EBUSY);
    assert_int_equal(poll(&c), VTDPI_EBUSY);
    run();
    assert_int_equal(poll(&a), 0);
    assert_int_equal(poll(&c), 0);
}

static void test_qi_poll_ite_unnamed_device_fails_all_suspects(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;
    struct vtdpi_qi_ticket d;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQER_ZERO, 0);
    submit_device(&a, SID_A);
    submit(&b, 1);
    submit_device(&c, SID_B);
    submit_device(&d, SID_B);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 5), 5);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    assert_int_equal(poll(&a), VTDPI_EITE);
    assert_int_equal(poll(&c), VTDPI_EITE);
    assert_int_equal(poll(&b), VTDPI_EBUSY);
    assert_int_equal(poll(&d), VTDPI_EBUSY);
    run();
    assert_int_equal(poll(&b), 0);
    assert_int_equal(poll(&d), 0);
}

/* PASID-based device-TLB invalidations hold the device elsewhere. */
static void test_qi_poll_ite_pasid_flush_is_recognised(void **state)
{
    struct vtdpi_qi_params p = rig_qi_params();
    const struct vtdpi_qi_desc d = {{8 | (uint64_t)SID_A << 16, 0, 0, 0}};
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    rig_power_up(CAP, ECAP | UINT64_C(1) << 43);
    p.width = VTDPI_QI_256;
    p.submitters = 63;
    rig_open_queue(&p);
    rig_set_manual(true);
    submit(&b, 1);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &a), 0);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 3), 3);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    assert_int_equal(poll(&a), VTDPI_EITE);
    run();
    assert_int_equal(poll(&b), 0);
}

/* The wait was not fetched: it will be, and completes. But the flush before
 * it was, so its owner must not hear of success. */
static void test_qi_poll_ite_before_wait_fails_owner_all_the_same(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    struct vtdpi_qi_ticket c;

    (void)state;
    submit(&a, 1);
    submit_device(&b, SID_A);
    submit(&c, 1);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 3), 3);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE_UNFETCHED, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 0);
    assert_int_equal(poll(&b), VTDPI_EITE);
    run();
    assert_int_equal(poll(&a), 0); /* its wait was aborted */
    assert_int_equal(poll(&c), 0);
    assert_int_equal(stats().resubmitted, 1);
}

/* The worst case for room: the ring is full, and half of it is aborted. */
static void test_qi_recover_ite_full_ring_loses_nothing(void **state)
{
    static struct vtdpi_qi_ticket t[127];
    struct vtdpi_qi_ticket skew;

    (void)state;
    for (uint32_t offset = 0; offset < 40; offset += 13) {
        assert_int_equal(setup(state), 0);
        rig_set_manual(false);
        for (uint32_t i = 0; i < offset; i++) { /* start anywhere */
            submit(&skew, 0);
            assert_int_equal(wait(&skew), 0);
        }
        rig_set_manual(true);
        for (size_t i = 0; i < 127; i++)
            submit(&t[i], 1);
        assert_int_equal(vtdpi_model_fetch(&rig.m, 31), 31);
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, 0);
        assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
        assert_int_equal(rig_counters().waits_aborted, 16);
        assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EITE);
        assert_int_equal(stats().resubmitted, 16);
        run();
        for (size_t i = 0; i < 127; i++)
            assert_int_equal(poll(&t[i]), 0);
        assert_int_equal(rig_counters().iec_index, 127 + 16);
        rig_assert_clean();
    }
}

/* A batch that is written again over its own old place. */
static void test_qi_recover_ite_full_ring_keeps_descriptors(void **state)
{
    static struct vtdpi_qi_ticket t[125];
    struct vtdpi_qi_ticket big;

    (void)state;
    submit(&big, 4); /* slots 0 to 4 */
    for (size_t i = 0; i < 125; i++)
        submit(&t[i], 1); /* 5 to 254; 255 is next */
    assert_int_equal(vtdpi_model_fetch(&rig.m, 4), 4);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, 0);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EITE);
    assert_int_equal(rig_ring(255, 0), 0x0000001000000014);
    assert_int_equal(rig_ring(0, 0), 0x0000001100000014);
    assert_int_equal(rig_ring(1, 0), 0x0000001200000014);
    assert_int_equal(rig_ring(2, 0), 0x0000001300000014);
    assert_int_equal(rig_ring(3, 0), 0x0000007f00000065);
    run();
    assert_int_equal(poll(&big), 0);
    assert_int_equal(poll(&t[124]), 0);
}

/* Everything is aborted, the youngest as well. */
static void test_qi_recover_ite_whole_queue_is_resubmitted_once(void **state)
{
    struct vtdpi_qi_ticket t[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        submit(&t[i], 1);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 5), 5);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, 0);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EITE);
    assert_int_equal(stats().resubmitted, 3);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x88), 12 * 16);
    run();
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(poll(&t[i]), 0);
}

/* What had completed before the error is neither failed nor repeated. */
static void test_qi_recover_ite_completed_is_not_resubmitted(void **state)
{
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;

    (void)state;
    submit_device(&a, SID_A);
    submit(&b, 1);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 2), 2);
    assert_int_equal(vtdpi_model_complete(&rig.m, 2), 2);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EITE);
    assert_int_equal(poll(&a), 0);
    assert_int_equal(stats().resubmitted, 1);
    run();
    assert_int_equal(poll(&b), 0);
}

/* What was given up is not written again: nobody waits for it. */
static void test_qi_recover_ite_given_up_is_not_resubmitted(void **state)
{
    struct vtdpi_qi_ticket a;

    (void)state;
    submit(&a, 1);
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, &a), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, SID_A);
    assert_int_equal(vtdpi_model_fetch(&rig.m, 1), 1);
    rig_clear_trace();
    assert_int_equal(vtdpi_qi_recover(&rig.qi), VTDPI_EITE);
    assert_int_equal(stats().resubmitted, 0);
    assert_int_equal(rig_count(true, 0x88), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_qi_poll_ite_fails_its_owner_resubmits_others),
        TEST(test_qi_recover_ite_reads_before_it_clears),
        TEST(test_qi_poll_ite_other_device_is_resubmitted),
        TEST(test_qi_poll_ite_unnamed_device_fails_all_suspects),
        TEST(test_qi_poll_ite_pasid_flush_is_recognised),
        TEST(test_qi_poll_ite_before_wait_fails_owner_all_the_same),
        TEST(test_qi_recover_ite_full_ring_loses_nothing),
        TEST(test_qi_recover_ite_full_ring_keeps_descriptors),
        TEST(test_qi_recover_ite_whole_queue_is_resubmitted_once),
        TEST(test_qi_recover_ite_completed_is_not_resubmitted),
        TEST(test_qi_recover_ite_given_up_is_not_resubmitted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
