/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

#define FSTS 0x34
#define IQH  0x80
#define IQER 0xb0

#define IQE  0x10
#define ICE  0x20
#define ITE  0x40

static uint32_t fsts(struct rig *rig)
{
    return vtdpi_model_read32(&rig->m, FSTS);
}

static uint64_t iqh(struct rig *rig)
{
    return vtdpi_model_read64(&rig->m, IQH);
}

static void test_iqe_injected_once(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_IQE, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    assert_int_equal(fsts(rig), IQE);
    assert_int_equal(iqh(rig), 0);
    assert_false(vtdpi_model_fault_is_on(&rig->m, VTDPI_MODEL_FAULT_IQE));
    vtdpi_model_write32(&rig->m, FSTS, IQE);
    assert_int_equal(*rig_status(rig, 0), 1);
}

static void test_iqer_zero_hides_reason(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_IQER_ZERO, 0);
    rig_put(rig, 0, 0);
    rig_kick(rig);
    assert_int_equal(fsts(rig), IQE);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 0);
    assert_int_equal(vtdpi_model_peek(&rig->m, IQER), 3);
}

static void test_ite_aborts_fetched_wait_for_good(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_ITE, 0x1234);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 0, 1);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 1, 2);
    rig_kick(rig);
    assert_int_equal(fsts(rig), ITE);
    assert_true(vtdpi_model_read64(&rig->m, IQER) == 0x0000123400000000);
    assert_int_equal(iqh(rig), 32);
    assert_int_equal(rig_count(rig).waits_aborted, 1);
    vtdpi_model_tick(&rig->m, 10);
    assert_int_equal(iqh(rig), 32);
    vtdpi_model_write32(&rig->m, FSTS, ITE);
    assert_int_equal(fsts(rig), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 0);
    assert_int_equal(*rig_status(rig, 0), 0); /* Has to be submitted again. */
    assert_int_equal(*rig_status(rig, 1), 2);
    assert_int_equal(iqh(rig), 64);
}

static void test_ite_unfetched_wait_is_fetched_again(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_ITE_UNFETCHED, 0x88);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    assert_int_equal(fsts(rig), ITE);
    assert_true(vtdpi_model_read64(&rig->m, IQER) == 0x0000008800000000);
    assert_int_equal(iqh(rig), 16);
    assert_int_equal(rig_count(rig).waits_aborted, 0);
    vtdpi_model_write32(&rig->m, FSTS, ITE);
    assert_int_equal(*rig_status(rig, 0), 1);
}

static void test_ite_aborts_waits_in_flight_only(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE, 100);
    rig_put_wait(rig, 0, 1);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 1, 2);
    rig_kick(rig);
    assert_int_equal(iqh(rig), 48);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_ITE_UNFETCHED, 0);
    rig_put_wait(rig, 2, 3);
    rig_kick(rig);
    assert_int_equal(fsts(rig), ITE);
    assert_int_equal(rig_count(rig).waits_aborted, 2);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE);
    assert_int_equal(rig_count(rig).iec_global, 1);
    vtdpi_model_write32(&rig->m, FSTS, ITE);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(*rig_status(rig, 1), 0);
    assert_int_equal(*rig_status(rig, 2), 3);
}

static void test_ice_does_not_stop_the_queue(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_ICE, 0xabcd);
    rig_put_wait(rig, 0, 1);
    rig_put_wait(rig, 1, 2);
    rig_kick(rig);
    assert_int_equal(fsts(rig), ICE);
    assert_true(vtdpi_model_read64(&rig->m, IQER) == 0xabcd000000000000);
    assert_int_equal(*rig_status(rig, 0), 1);
    assert_int_equal(*rig_status(rig, 1), 2);
    vtdpi_model_write32(&rig->m, FSTS, ICE);
    assert_int_equal(fsts(rig), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 0);
}

static void test_late_status_comes_after_its_ticks(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE, 5);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_tick(&rig->m, 4);
    assert_int_equal(vtdpi_model_peek(&rig->m, IQH), 32); /* Fetched ... */
    assert_int_equal(*rig_status(rig, 0), 0); /* ... and not done. */
    assert_int_equal(rig_count(rig).iec_global, 0);
    vtdpi_model_tick(&rig->m, 1);
    assert_int_equal(*rig_status(rig, 0), 1);
    assert_int_equal(rig_count(rig).iec_global, 1);
}

static void test_late_fetch_stops_at_its_limit(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE, UINT64_MAX);
    for (uint32_t i = 0; i < 40; i++)
        rig_put_wait(rig, i, i + 1);
    rig_kick(rig);
    vtdpi_model_tick(&rig->m, 1000);
    assert_int_equal(iqh(rig), 32 * 16);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE);
    assert_int_equal(iqh(rig), 40 * 16);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(*rig_status(rig, i), i + 1);
}

static void test_status_never_moves_head_only(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_tick(&rig->m, 100);
    assert_int_equal(iqh(rig), 16);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(fsts(rig), 0);
}

static void test_queue_stuck_fetches_nothing(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_tick(&rig->m, 100);
    assert_int_equal(iqh(rig), 0);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(fsts(rig), 0);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(*rig_status(rig, 0), 1);
}

static void test_iqh_stuck_reads_as_told(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_IQH_STUCK, 0x40);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    assert_int_equal(iqh(rig), 0x40);
    assert_int_equal(*rig_status(rig, 0), 1);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_IQH_STUCK);
    assert_int_equal(iqh(rig), 16);
}

static void test_manual_queue_moves_by_hand(void **state)
{
    struct rig *rig = *state;

    rig->params.manual = true;
    rig_reset(rig);
    rig_queue_on(rig);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_tick(&rig->m, 100);
    assert_int_equal(iqh(rig), 0);
    assert_int_equal(vtdpi_model_complete(&rig->m, 9), 0);
    assert_int_equal(vtdpi_model_fetch(&rig->m, 1), 1);
    assert_int_equal(iqh(rig), 16);
    assert_int_equal(vtdpi_model_fetch(&rig->m, 9), 1);
    assert_int_equal(rig_count(rig).iec_global, 0);
    assert_int_equal(vtdpi_model_complete(&rig->m, 1), 1);
    assert_int_equal(rig_count(rig).iec_global, 1);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(vtdpi_model_complete(&rig->m, 9), 1);
    assert_int_equal(*rig_status(rig, 0), 1);
}

static unsigned int fail_at;

static void break_queue(void *ctx, struct vtdpi_model *m,
                        enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind == VTDPI_MODEL_STEP_FETCH && fail_at-- == 0)
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_IQE, 0);
}

static void test_step_hook_fails_the_kth_fetch(void **state)
{
    struct rig *rig = *state;

    for (unsigned int k = 0; k < 4; k++) {
        rig_reset(rig);
        rig_queue_on(rig);
        vtdpi_model_set_step_hook(&rig->m, break_queue);
        fail_at = k;
        for (uint32_t i = 0; i < 4; i++) {
            *rig_status(rig, i) = 0;
            rig_put_wait(rig, i, 1);
        }
        rig_kick(rig);
        assert_int_equal(vtdpi_model_peek(&rig->m, IQH), k * 16);
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(*rig_status(rig, i), i < k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_iqe_injected_once),
        rig_test(test_iqer_zero_hides_reason),
        rig_test(test_ite_aborts_fetched_wait_for_good),
        rig_test(test_ite_unfetched_wait_is_fetched_again),
        rig_test(test_ite_aborts_waits_in_flight_only),
        rig_test(test_ice_does_not_stop_the_queue),
        rig_test(test_late_status_comes_after_its_ticks),
        rig_test(test_late_fetch_stops_at_its_limit),
        rig_test(test_status_never_moves_head_only),
        rig_test(test_queue_stuck_fetches_nothing),
        rig_test(test_iqh_stuck_reads_as_told),
        rig_test(test_manual_queue_moves_by_hand),
        rig_test(test_step_hook_fails_the_kth_fetch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
