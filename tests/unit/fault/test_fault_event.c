/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.h: the fault event, and errors of the queue by the same path. */
#include "fault_rig.h"

/* The event. */

static int setup_probed(void **state)
{
    (void)state;
    fault_power_up(CAP);
    return 0;
}

static void test_event_enable_programs_masked_then_unmasks(void **state)
{
    const struct access want[] = {
        {true, 0x38, 0x80000000}, /* FECTL: masked */
        {true, 0x3c, 0x000000d1}, /* FEDATA */
        {true, 0x40, 0xfee78000}, /* FEADDR */
        {true, 0x44, 0x12345600}, /* FEUADDR */
        {true, 0x38, 0x00000000},
    };

    (void)state;
    rig_clear_trace();
    assert_int_equal(
        vtdpi_fault_event_enable(&rig.u, VTDPI_X2APIC, 0x12345678, 0xd1), 0);
    rig_assert_writes(want, 5);
}

static void test_event_enable_xapic_id_is_in_address(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_fault_event_enable(&rig.u, VTDPI_XAPIC, 254, 16), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x3c), 0x10);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x40), 0xfeefe000);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x44), 0);
    assert_int_equal(vtdpi_fault_event_enable(&rig.u, VTDPI_X2APIC, 0xff, 255),
                     0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x3c), 0xff);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x40), 0xfeeff000);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x44), 0);
}

static int enable_event(enum vtdpi_apic_mode mode, uint32_t id, uint8_t vector)
{
    return vtdpi_fault_event_enable(&rig.u, mode, id, vector);
}

static void test_event_enable_bad_parameter_writes_nothing(void **state)
{
    (void)state;
    rig_clear_trace();
    assert_int_equal(enable_event((enum vtdpi_apic_mode)2, 1, 0x41),
                     VTDPI_EINVAL);
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 15), VTDPI_EVECTOR);
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0), VTDPI_EVECTOR);
    assert_int_equal(enable_event(VTDPI_XAPIC, 255, 0x41), VTDPI_ERANGE);
    assert_int_equal(enable_event(VTDPI_XAPIC, 256, 0x41), VTDPI_ERANGE);
    assert_int_equal(enable_event(VTDPI_X2APIC, UINT32_MAX, 0x41),
                     VTDPI_ERANGE);
    rig_assert_writes(NULL, 0);
    assert_int_equal(enable_event(VTDPI_X2APIC, UINT32_MAX - 1, 0x41), 0);
}

static void test_event_enable_wide_id_needs_eim(void **state)
{
    (void)state;
    rig_power_up(CAP, ECAP & ~UINT64_C(0x10));
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW), 0);
    assert_int_equal(enable_event(VTDPI_X2APIC, 256, 0x41), VTDPI_ENOEIM);
    assert_int_equal(enable_event(VTDPI_X2APIC, 255, 0x41), 0);
}

static void test_event_fault_arrives_at_x2apic_id_above_255(void **state)
{
    (void)state;
    assert_int_equal(enable_event(VTDPI_X2APIC, 0x103, 0x61), 0);
    assert_int_equal(faults.events, 0);
    fault_raise();
    fault_raise(); /* the first is pending: no second event */
    assert_int_equal(faults.events, 1);
    assert_true(faults.event_address == UINT64_C(0x00000100fee03000));
    assert_int_equal(faults.event_data, 0x61);
    assert_false(fault_handle(0));
    fault_raise();
    assert_int_equal(faults.events, 2);
}

/* The write has arrived when the call returns. */
static void test_event_mask_is_read_back(void **state)
{
    const struct access want[] = {{true, 0x38, 0x80000000}};

    (void)state;
    rig_clear_trace();
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), 0);
    rig_assert_writes(want, 1);
    assert_false(rig.trace[rig.traced - 1].write);
    assert_int_equal(rig.trace[rig.traced - 1].off, 0x38);
}

static void test_event_masked_is_held_back_and_sent_later(void **state)
{
    (void)state;
    assert_false(vtdpi_fault_event_pending(&rig.u));
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), 0);
    fault_raise();
    assert_int_equal(faults.events, 0);
    assert_true(vtdpi_fault_event_pending(&rig.u));
    assert_int_equal(vtdpi_fault_event_unmask(&rig.u), 0);
    assert_int_equal(faults.events, 1);
    assert_false(vtdpi_fault_event_pending(&rig.u));
}

static void test_event_masked_and_handled_is_not_sent(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), 0);
    fault_raise();
    assert_false(fault_handle(0));
    assert_false(vtdpi_fault_event_pending(&rig.u));
    assert_int_equal(vtdpi_fault_event_unmask(&rig.u), 0);
    assert_int_equal(faults.events, 0);
}

/* A message without address would be written to memory at 0. */
static void test_event_unmask_without_address_returns_estate(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_fault_event_unmask(&rig.u), VTDPI_ESTATE);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x38), 0x80000000);
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0x41), 0);
    assert_int_equal(vtdpi_fault_event_unmask(&rig.u), 0);
    assert_int_equal(vtdpi_fault_event_disable(&rig.u), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x38), 0x80000000);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x3c), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x40), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x44), 0);
    assert_int_equal(vtdpi_fault_event_unmask(&rig.u), VTDPI_ESTATE);
}

static void test_event_disabled_sends_nothing(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_fault_event_disable(&rig.u), 0);
    fault_raise();
    assert_int_equal(faults.events, 0);
}

static void test_event_gone_unit_returns_eio(void **state)
{
    (void)state;
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0x41), 0);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0x41), VTDPI_EIO);
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), VTDPI_EIO);
    assert_int_equal(vtdpi_fault_event_unmask(&rig.u), VTDPI_EIO);
    assert_int_equal(vtdpi_fault_event_disable(&rig.u), VTDPI_EIO);
    assert_false(vtdpi_fault_event_pending(&rig.u));
}

static void go_at_fectl(struct rig *r, uint32_t off, uint64_t value)
{
    (void)value;
    if (off == 0x38)
        vtdpi_model_set_fault(&r->m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
}

/* The write may be lost, and with it the promise that no event follows. */
static void test_event_gone_at_the_mask_returns_eio(void **state)
{
    (void)state;
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0x41), 0);
    rig.before_write = go_at_fectl;
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), VTDPI_EIO);
}

/* FECTL's other bits are reserved, and to be left as they are. */

static uint32_t written;
static bool blink;

static uint32_t read32_reserved(void *ctx, uint32_t off)
{
    const uint32_t v = vtdpi_model_platform_ops.read32(ctx, off);

    if (blink) {
        blink = false;
        return UINT32_MAX;
    }
    return off == 0x38 ? v | 0x40000005 : v;
}

static void write32_reserved(void *ctx, uint32_t off, uint32_t value)
{
    if (off == 0x38)
        written = value;
    vtdpi_model_platform_ops.write32(ctx, off,
                                     off == 0x38 ? value & ~5u : value);
}

static void test_event_control_keeps_reserved_bits(void **state)
{
    (void)state;
    rig.ops.read32 = read32_reserved;
    rig.ops.write32 = write32_reserved;
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0x41), 0);
    assert_int_equal(written, 0x00000005);
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), 0);
    assert_int_equal(written, 0x80000005);
    /* Nothing is learnt from a read that nothing answers, nor written. */
    written = 0;
    blink = true;
    assert_int_equal(vtdpi_fault_event_mask(&rig.u), VTDPI_EIO);
    assert_int_equal(written, 0);
}

/* An event that is moved is sent to one place or the other, once. */

static uint64_t strike_at;
static uint64_t strike_step;

static void fault_hook(void *ctx, struct vtdpi_model *m,
                       enum vtdpi_model_step kind)
{
    (void)ctx;
    (void)m;
    if (kind != VTDPI_MODEL_STEP_READ && kind != VTDPI_MODEL_STEP_WRITE)
        return;
    if (strike_step++ == strike_at)
        fault_raise();
}

static void test_event_moved_under_a_fault_is_sent_once(void **state)
{
    strike_at = 0;
    do {
        assert_int_equal(fault_setup(state), 0);
        strike_step = 0;
        vtdpi_model_set_step_hook(&rig.m, fault_hook);
        assert_int_equal(enable_event(VTDPI_X2APIC, 0x20301, 0x52), 0);
        vtdpi_model_set_step_hook(&rig.m, NULL);
        if (strike_step <= strike_at)
            fault_raise();
        assert_int_equal(faults.events, 1);
        if (faults.event_data == 0x41)
            assert_true(faults.event_address == UINT64_C(0x00000100fee05000));
        else
            assert_true(faults.event_data == 0x52 &&
                        faults.event_address == UINT64_C(0x00020300fee01000));
    } while (strike_step > strike_at++);
    assert_true(strike_at > 5);
}

/* What firmware left is no event: it would never be told of again. */
static void test_event_enable_after_clear_all_tells_of_the_next(void **state)
{
    (void)state;
    vtdpi_model_dma_fault(&rig.m, 0x8, 5, 0x1000, false);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    assert_int_equal(enable_event(VTDPI_X2APIC, 1, 0x41), 0);
    assert_int_equal(faults.events, 0);
    vtdpi_model_dma_fault(&rig.m, 0x8, 5, 0x1000, false);
    assert_int_equal(faults.events, 1);
}

/* Errors of the queue. */

static void submit_flush(struct vtdpi_qi_ticket *ticket)
{
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, ticket), 0);
}

/* A device-TLB invalidation for requester @p sid. */
static void submit_device(struct vtdpi_qi_ticket *ticket, uint16_t sid)
{
    const struct vtdpi_qi_desc d = {{3 | (uint64_t)sid << 32, 0, 0, 0}};

    assert_int_equal(vtdpi_qi_submit(vtdpi_unit_qi(&rig.u), &d, 1, ticket), 0);
}

static const struct vtdpi_fault_queue *seen_queue(void)
{
    assert_int_equal(faults.seen_count, 1);
    assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_QUEUE);
    assert_int_equal(faults.seen[0].hi, 0);
    return &faults.seen[0].queue;
}

static void test_handle_iqe_is_recovered_and_reported(void **state)
{
    struct vtdpi_qi_ticket bad;
    struct vtdpi_qi_ticket good;
    const struct vtdpi_fault_queue *q;
    uint64_t iqer;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_int_equal(faults.events, 1);
    iqer = vtdpi_model_peek(&rig.m, 0xb0);
    assert_true((iqer & 0xf) != 0);
    assert_false(fault_handle(0));
    q = seen_queue();
    assert_int_equal(q->code, VTDPI_EIQE);
    assert_int_equal(q->iqe, 1);
    assert_int_equal(q->ite, 0);
    assert_int_equal(q->ice, 0);
    assert_int_equal(q->iqei, iqer & 0xf);
    assert_int_equal(q->ite_sid, 0);
    assert_int_equal(q->error.fsts, 0x10);
    assert_true(q->error.iqer == iqer);
    assert_true(q->error.desc.qw[0] == 0x4);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    submit_flush(&good);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &good, 0), 0);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 0);
}

/* A poller has recovered the queue before the event; the error is reported. */
static void test_handle_error_that_a_poller_recovered_is_reported(void **state)
{
    struct vtdpi_qi_ticket bad;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
        submit_flush(&bad);
        assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
        assert_int_equal(vtdpi_model_peek(&rig.m, 0x34), 0);
    }
    assert_int_equal(faults.events, 3);
    assert_false(fault_handle(0));
    assert_int_equal(seen_queue()->iqe, 3);
    assert_int_equal(seen_queue()->code, VTDPI_EIQE);
}

static void test_handle_ite_names_the_device(void **state)
{
    struct vtdpi_qi_ticket device;
    struct vtdpi_qi_ticket other;
    const struct vtdpi_fault_queue *q;

    (void)state;
    submit_flush(&other);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ITE, 0x0310);
    submit_device(&device, 0x0310);
    assert_false(fault_handle(0));
    q = seen_queue();
    assert_int_equal(q->code, VTDPI_EITE);
    assert_int_equal(q->ite, 1);
    assert_int_equal(q->iqe, 0);
    assert_int_equal(q->ite_sid, 0x0310);
    assert_int_equal(q->ice_sid, 0);
    assert_int_equal(q->iqei, 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &device, 0), VTDPI_EITE);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &other, 0), 0);
}

static void test_handle_ice_names_the_device(void **state)
{
    struct vtdpi_qi_ticket device;
    const struct vtdpi_fault_queue *q;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ICE, 0x0420);
    submit_device(&device, 0x0420);
    assert_false(fault_handle(0));
    q = seen_queue();
    assert_int_equal(q->code, VTDPI_EICE);
    assert_int_equal(q->ice, 1);
    assert_int_equal(q->ite, 0);
    assert_int_equal(q->ice_sid, 0x0420);
    assert_int_equal(q->ite_sid, 0);
    (void)vtdpi_qi_give_up(vtdpi_unit_qi(&rig.u), &device);
}

static void test_handle_queue_and_records_come_in_one_call(void **state)
{
    struct vtdpi_qi_ticket bad;

    (void)state;
    fault_raise_many(2);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_int_equal(faults.events, 1);
    assert_true(fault_handle(1)); /* the queue's does not count */
    assert_int_equal(faults.seen_count, 2);
    assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_QUEUE);
    assert_seen(1, 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    assert_false(fault_handle(1));
    assert_int_equal(faults.seen_count, 1);
}

/* At any access, beside an overflow that is being cleared. */
static void error_hook(void *ctx, struct vtdpi_model *m,
                       enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind != VTDPI_MODEL_STEP_READ && kind != VTDPI_MODEL_STEP_WRITE)
        return;
    if (strike_step++ == strike_at)
        m->fsts |= 0x20;
}

static void test_handle_queue_error_at_each_access_is_reported(void **state)
{
    strike_at = 0;
    do {
        uint32_t reports = 0;
        bool more = true;

        assert_int_equal(fault_setup(state), 0);
        fault_raise_many(9);
        strike_step = 0;
        vtdpi_model_set_step_hook(&rig.m, error_hook);
        while (more)
            assert_int_equal(vtdpi_fault_handle(&faults.reader, 0, &more), 0);
        vtdpi_model_set_step_hook(&rig.m, NULL);
        for (uint32_t i = 0; i < faults.seen_count; i++)
            reports += faults.seen[i].kind == VTDPI_FAULT_QUEUE &&
                       faults.seen[i].queue.code == VTDPI_EICE;
        assert_int_equal(reports, strike_step > strike_at);
        assert_int_equal(faults.seen_count, 9 + reports);
        assert_int_equal(vtdpi_model_peek(&rig.m, 0x34) & 0x7f, 0);
    } while (strike_step > strike_at++);
    assert_true(strike_at > 20);
}

static void test_handle_stuck_queue_error_does_not_spin(void **state)
{
    struct vtdpi_qi_ticket bad;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK, 0x10);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_true(fault_handle(0));
    assert_int_equal(seen_queue()->iqe, 1);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    assert_true(fault_handle(0));
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK);
    assert_false(fault_handle(0));
}

/* A queue that is off: its errors are no reports of the queue, but would
 * suppress the event. */
static void test_handle_queue_off_clears_its_errors(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_model_raise_status(&rig.m, 0x40), 0x40);
    vtdpi_model_dma_fault(&rig.m, 0x8, 5, 0x1000, false);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 2);
    assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_DMA);
    assert_int_equal(faults.seen[1].kind, VTDPI_FAULT_STATUS);
    assert_int_equal(faults.seen[1].status, 0x40);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x34) & 0xff, 0);
}

/* The same stuck error is the business of the queue's owner: no queue, nothing that
 * clear_all waits for. */
static void test_clear_all_queue_off_leaves_its_errors(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK, 0x40);
    assert_int_equal(vtdpi_model_raise_status(&rig.m, 0x40), 0x40);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK);
}

/* Enabling begins a new account; as many errors as before are new ones. */
static void test_handle_error_after_resume_is_reported(void **state)
{
    struct vtdpi_qi_ticket bad;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_false(fault_handle(0));
    assert_int_equal(seen_queue()->iqe, 1);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_false(fault_handle(0)); /* fewer than before is not news */
    assert_int_equal(faults.seen_count, 0);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    assert_false(fault_handle(0));
    assert_int_equal(seen_queue()->iqe, 1);
}

static void test_clear_all_stuck_queue_error_returns_ebusy(void **state)
{
    struct vtdpi_qi_ticket bad;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK, 0x10);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), VTDPI_EBUSY);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
}

static void test_clear_all_recovers_the_queue_without_report(void **state)
{
    struct vtdpi_qi_ticket bad;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    submit_flush(&bad);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x34), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &bad, 0), VTDPI_EIQE);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, fault_setup, rig_teardown)
#define PROBED(name) \
    cmocka_unit_test_setup_teardown(name, setup_probed, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBED(test_event_enable_programs_masked_then_unmasks),
        PROBED(test_event_enable_xapic_id_is_in_address),
        PROBED(test_event_enable_bad_parameter_writes_nothing),
        PROBED(test_event_enable_wide_id_needs_eim),
        TEST(test_event_fault_arrives_at_x2apic_id_above_255),
        TEST(test_event_mask_is_read_back),
        TEST(test_event_masked_is_held_back_and_sent_later),
        TEST(test_event_masked_and_handled_is_not_sent),
        PROBED(test_event_unmask_without_address_returns_estate),
        TEST(test_event_disabled_sends_nothing),
        PROBED(test_event_gone_unit_returns_eio),
        PROBED(test_event_gone_at_the_mask_returns_eio),
        PROBED(test_event_control_keeps_reserved_bits),
        TEST(test_event_moved_under_a_fault_is_sent_once),
        PROBED(test_event_enable_after_clear_all_tells_of_the_next),
        TEST(test_handle_iqe_is_recovered_and_reported),
        TEST(test_handle_error_that_a_poller_recovered_is_reported),
        TEST(test_handle_ite_names_the_device),
        TEST(test_handle_ice_names_the_device),
        TEST(test_handle_queue_and_records_come_in_one_call),
        TEST(test_handle_queue_error_at_each_access_is_reported),
        TEST(test_handle_stuck_queue_error_does_not_spin),
        TEST(test_handle_queue_off_clears_its_errors),
        TEST(test_clear_all_queue_off_leaves_its_errors),
        TEST(test_handle_error_after_resume_is_reported),
        TEST(test_clear_all_stuck_queue_error_returns_ebusy),
        TEST(test_clear_all_recovers_the_queue_without_report),
    };

    return cmocka_run_group_tests_name("fault_event", tests, NULL, NULL);
}
