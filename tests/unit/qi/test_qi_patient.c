/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h: a wait that does not give up, but tells its host how long it takes.
 */
#include "qi_open_fixture.h"

#define PERIOD 1000u /* of the model's clock ten looks */

/* What tell() is asked to do at which call, and what it has been told. */
struct host {
    uint32_t at;
    void (*act)(struct vtdpi_qi_ticket *t);
    struct vtdpi_qi_ticket *ticket;
    uint64_t period;
    uint32_t told;
};

static void tell(void *ctx, uint64_t waited_us)
{
    struct host *h = ctx;

    h->told++;
    assert_int_equal(waited_us, h->told * h->period);
    if (h->told == h->at)
        h->act(h->ticket);
}

static int wait_for(struct host *h, struct vtdpi_qi_ticket *t)
{
    h->ticket = t;
    h->period = PERIOD;
    return vtdpi_qi_wait_until_done(&rig.qi, t, PERIOD, tell, h);
}

static void stick(void)
{
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
}

static void go_on(struct vtdpi_qi_ticket *t)
{
    (void)t;
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK);
    vtdpi_model_write64(&rig.m, 0x88, vtdpi_model_peek(&rig.m, 0x88));
}

static void vanish(struct vtdpi_qi_ticket *t)
{
    (void)t;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
}

static void switch_off(struct vtdpi_qi_ticket *t)
{
    (void)t;
    rig_gcmd(0);
    vtdpi_qi_abort(&rig.qi);
}

static void give_up(struct vtdpi_qi_ticket *t)
{
    assert_int_equal(vtdpi_qi_give_up(&rig.qi, t), VTDPI_ETIMEDOUT);
}

static void test_qi_wait_until_done_at_once_tells_nothing(void **state)
{
    struct vtdpi_qi_ticket t;
    struct vtdpi_qi_ticket zero = {0};
    struct host h = {0};

    (void)state;
    submit(&t);
    assert_int_equal(wait_for(&h, &t), 0);
    assert_int_equal(wait_for(&h, &zero), 0);
    assert_int_equal(h.told, 0);
}

/* The status word is written late: later than any deadline. */
static void test_qi_wait_until_done_late_status_tells_each_period(void **state)
{
    struct vtdpi_qi_ticket t;
    struct host h = {0};
    uint64_t begin;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 60000);
    submit(&t);
    begin = rig_now();
    assert_int_equal(wait_for(&h, &t), 0);
    assert_true(rig_now() - begin > VTDPI_QI_TIMEOUT_US);
    /* Each period, and no more. */
    assert_int_equal(h.told, (rig_now() - begin - 100) / PERIOD);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), 0);
}

static void test_qi_wait_until_done_period_of_0_is_a_deadline(void **state)
{
    struct vtdpi_qi_ticket t;
    struct host h = {2, go_on, NULL, VTDPI_QI_TIMEOUT_US, 0};

    (void)state;
    stick();
    submit(&t);
    assert_int_equal(vtdpi_qi_wait_until_done(&rig.qi, &t, 0, tell, &h), 0);
    assert_int_equal(h.told, 2);
}

/* Other waits fail at once on this queue. */
static void test_qi_wait_until_done_stalled_queue_is_polled(void **state)
{
    struct vtdpi_qi_ticket t;
    struct host h = {3, go_on, NULL, 0, 0};

    (void)state;
    stick();
    submit(&t);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), VTDPI_ETIMEDOUT);
    submit(&t);
    assert_int_equal(wait_for(&h, &t), 0);
    assert_int_equal(h.told, 3);
}

/* Others' device-TLB invalidations stop the clock of a deadline, not this one. */
static void test_qi_wait_until_done_device_ahead_is_told(void **state)
{
    const struct vtdpi_qi_device device = {0x1234, 0, 0};
    struct vtdpi_qi_desc d;
    struct vtdpi_qi_ticket ahead;
    struct vtdpi_qi_ticket t;
    struct host h = {2, go_on, NULL, 0, 0};

    (void)state;
    stick();
    assert_int_equal(vtdpi_qi_encode_dev_tlb(&d, &device, 0, 52), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, &ahead), 0);
    submit(&t);
    assert_int_equal(wait_for(&h, &t), 0);
    assert_int_equal(h.told, 2);
    assert_int_equal(vtdpi_qi_poll(&rig.qi, &ahead), 0);
}

/* Nothing was executed, and each of these ends the wait. */
static void test_qi_wait_until_done_each_end_has_its_code(void **state)
{
    static const struct {
        void (*act)(struct vtdpi_qi_ticket *t);
        int code;
    } end[] = {
        {vanish, VTDPI_EIO},
        {switch_off, VTDPI_EQOFF},
        {give_up, VTDPI_ETIMEDOUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++) {
        struct vtdpi_qi_ticket t;
        struct host h = {2, end[i].act, NULL, 0, 0};

        (void)setup(NULL);
        stick();
        submit(&t);
        assert_int_equal(wait_for(&h, &t), end[i].code);
        assert_int_equal(h.told, 2);
        assert_int_equal(rig_counters().iec_index, 0);
        assert_int_equal(vtdpi_qi_poll(&rig.qi, &t), end[i].code);
    }
}

/* A refused descriptor is repaired, and its owner hears of it. */
static void test_qi_wait_until_done_iqe_fails_its_owner(void **state)
{
    const struct vtdpi_qi_desc bad = {{0xf, 0, 0, 0}};
    struct vtdpi_qi_ticket t;
    struct host h = {0};

    (void)state;
    assert_int_equal(vtdpi_qi_submit(&rig.qi, &bad, 1, &t), 0);
    assert_int_equal(wait_for(&h, &t), VTDPI_EIQE);
    submit(&t);
    assert_int_equal(wait_for(&h, &t), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_qi_wait_until_done_at_once_tells_nothing),
        TEST(test_qi_wait_until_done_late_status_tells_each_period),
        TEST(test_qi_wait_until_done_period_of_0_is_a_deadline),
        TEST(test_qi_wait_until_done_stalled_queue_is_polled),
        TEST(test_qi_wait_until_done_device_ahead_is_told),
        TEST(test_qi_wait_until_done_each_end_has_its_code),
        TEST(test_qi_wait_until_done_iqe_fails_its_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
