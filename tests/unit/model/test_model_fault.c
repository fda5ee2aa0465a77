/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

#define FSTS  0x34
#define FECTL 0x38
#define PFO   0x01
#define PPF   0x02
#define IQE   0x10

static uint32_t fsts(struct rig *rig)
{
    return vtdpi_model_read32(&rig->m, FSTS);
}

static uint64_t low(struct rig *rig, uint32_t i)
{
    return vtdpi_model_read64(&rig->m, 0x100 + 16 * i);
}

static uint64_t high(struct rig *rig, uint32_t i)
{
    return vtdpi_model_read64(&rig->m, 0x108 + 16 * i);
}

static void clear(struct rig *rig, uint32_t i)
{
    vtdpi_model_write64(&rig->m, 0x108 + 16 * i, 0x8000000000000000);
}

/* A fault 22h of requester @p sid at index @p index. */
static void fault(struct rig *rig, uint16_t sid, uint32_t index)
{
    assert_int_equal(vtdpi_model_msi(&rig->m, sid, RIG_MSI(index), 0, &rig->r),
                     VTDPI_MODEL_BLOCKED);
}

static void test_record_fields_and_clearing(void **state)
{
    struct rig *rig = *state;

    fault(rig, 0x1234, 0xab);
    assert_int_equal(fsts(rig), PPF);
    assert_true(low(rig, 0) == 0x00ab000000000000);
    assert_true(high(rig, 0) == 0x8000002200001234);
    clear(rig, 0);
    assert_true(high(rig, 0) == 0x0000002200001234);
    assert_int_equal(fsts(rig) & 0xff, 0);
    rig_expect_none(rig);
}

static void test_record_write_zero_clears_nothing(void **state)
{
    struct rig *rig = *state;

    fault(rig, 0x1234, 1);
    vtdpi_model_write64(&rig->m, 0x108, 0x7fffffffffffffff);
    assert_true(high(rig, 0) == 0x8000002200001234);
    assert_int_equal(fsts(rig), PPF);
}

static void test_record_halves(void **state)
{
    struct rig *rig = *state;

    rig->params.allow_halves = true;
    rig_reset(rig);
    rig_on(rig, true);
    fault(rig, 0x1234, 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x10c), 0x80000022);
    vtdpi_model_write32(&rig->m, 0x108, 0x80000000);
    assert_int_equal(fsts(rig), PPF);
    vtdpi_model_write32(&rig->m, 0x10c, 0x80000000);
    assert_int_equal(fsts(rig), 0);
    rig_expect_none(rig);
}

static void test_fsts_ppf_not_writable(void **state)
{
    struct rig *rig = *state;

    fault(rig, 1, 1);
    vtdpi_model_write32(&rig->m, FSTS, 0xffff);
    assert_int_equal(fsts(rig), PPF);
}

static void test_ring_wraps_and_fri_names_the_first(void **state)
{
    struct rig *rig = *state;

    for (uint32_t i = 0; i < 6; i++) {
        fault(rig, (uint16_t)i, i);
        assert_int_equal(fsts(rig), PPF); /* FRI stays 0. */
    }
    for (uint32_t i = 0; i < 6; i++)
        clear(rig, i);
    for (uint32_t i = 0; i < 4; i++)
        fault(rig, (uint16_t)(0x10 + i), i);
    assert_int_equal(fsts(rig), PPF | 6 << 8);
    assert_true(high(rig, 6) == 0x8000002200000010);
    assert_true(high(rig, 7) == 0x8000002200000011);
    assert_true(high(rig, 0) == 0x8000002200000012);
    assert_true(high(rig, 1) == 0x8000002200000013);
    assert_true(high(rig, 2) == 0x0000002200000002);
    clear(rig, 6); /* One served, others pending: FRI does not move. */
    assert_int_equal(fsts(rig), PPF | 6 << 8);
}

static void test_overflow_stops_recording_until_cleared(void **state)
{
    struct rig *rig = *state;

    for (uint32_t i = 0; i < 8; i++)
        fault(rig, (uint16_t)i, i);
    assert_int_equal(fsts(rig), PPF);
    fault(rig, 0x99, 9);
    assert_int_equal(fsts(rig), PPF | PFO);
    assert_true(high(rig, 0) == 0x8000002200000000);
    assert_int_equal(rig_count(rig).faults_lost, 1);
    for (uint32_t i = 0; i < 8; i++)
        clear(rig, i);
    assert_int_equal(fsts(rig), PFO);
    fault(rig, 0x99, 9); /* Room, but PFO is still set. */
    assert_int_equal(fsts(rig), PFO);
    assert_int_equal(rig_count(rig).faults_lost, 2);
    vtdpi_model_write32(&rig->m, FSTS, PFO);
    assert_int_equal(fsts(rig), 0);
    fault(rig, 0x99, 9);
    assert_int_equal(fsts(rig), PPF);
    assert_true(high(rig, 0) == 0x8000002200000099);
    assert_int_equal(rig_count(rig).faults_recorded, 9);
}

static void test_one_record_unit(void **state)
{
    struct rig *rig = *state;

    rig->params.cap = 0x08d20000226f0466ull; /* One, at 220h. */
    rig_reset(rig);
    rig_on(rig, true);
    fault(rig, 1, 1);
    assert_true(vtdpi_model_read64(&rig->m, 0x228) == 0x8000002200000001);
    fault(rig, 2, 2);
    assert_int_equal(fsts(rig), PPF | PFO);
    rig_expect_none(rig);
    (void)vtdpi_model_read64(&rig->m, 0x238);
    rig_expect(rig, VTDPI_MODEL_NO_REGISTER, 0x238);
}

static void test_collapse_same_requester(void **state)
{
    struct rig *rig = *state;

    rig->params.collapse_faults = true;
    rig_reset(rig);
    rig_on(rig, true);
    fault(rig, 1, 1);
    fault(rig, 1, 2);
    fault(rig, 2, 3);
    assert_true(high(rig, 1) == 0x8000002200000002);
    assert_int_equal(rig_count(rig).faults_collapsed, 1);
    clear(rig, 0);
    fault(rig, 1, 4);
    assert_true(low(rig, 2) == 0x0004000000000000);
}

static void test_no_collapse_by_default(void **state)
{
    struct rig *rig = *state;

    fault(rig, 1, 1);
    fault(rig, 1, 1);
    assert_true(high(rig, 1) == 0x8000002200000001);
}

static void test_compatibility_and_request_faults_have_index(void **state)
{
    struct rig *rig = *state;

    (void)vtdpi_model_msi(&rig->m, 0x77, 0xfee01000, 0x41, &rig->r);
    assert_true(low(rig, 0) == 0);
    assert_true(high(rig, 0) == 0x8000002500000077);
    (void)vtdpi_model_msi(&rig->m, 0x77, RIG_MSI(3), 0x10000, &rig->r);
    assert_true(low(rig, 1) == 0x0003000000000000);
    assert_true(high(rig, 1) == 0x8000002000000077);
}

static void test_dma_fault_is_recorded_raw(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_dma_fault(&rig->m, 0x0b08, 0x06, 0x123456789abc, true);
    assert_true(low(rig, 0) == 0x123456789000);
    assert_true(high(rig, 0) == 0xc000000600000b08);
    vtdpi_model_dma_fault(&rig->m, 0x0b08, 0x05, 0x1000, false);
    assert_true(high(rig, 1) == 0x8000000500000b08);
}

/* The fault event. */

static void program(struct rig *rig)
{
    vtdpi_model_write32(&rig->m, 0x3c, 0x4030);
    vtdpi_model_write32(&rig->m, 0x40, 0xfee03000);
    vtdpi_model_write32(&rig->m, 0x44, 0x12);
}

static void test_event_sent_once_while_pending(void **state)
{
    struct rig *rig = *state;

    program(rig);
    vtdpi_model_write32(&rig->m, FECTL, 0);
    fault(rig, 1, 1);
    assert_int_equal(rig_count(rig).fault_events, 1);
    assert_int_equal(rig->event, VTDPI_MODEL_EVENT_FAULT);
    assert_true(rig->event_address == 0x12fee03000);
    assert_int_equal(rig->event_data, 0x4030);
    fault(rig, 2, 2);
    rig_put(rig, 0, 0);
    rig_kick(rig); /* IQE on top of PPF. */
    assert_int_equal(rig_count(rig).fault_events, 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0);
    clear(rig, 0);
    clear(rig, 1);
    fault(rig, 3, 3); /* IQE is still pending. */
    assert_int_equal(rig_count(rig).fault_events, 1);
    clear(rig, 2);
    rig_words(rig, RIG_QUEUE + rig->tail - 16)[0] = 4;
    vtdpi_model_write32(&rig->m, FSTS, IQE);
    fault(rig, 4, 4);
    assert_int_equal(rig_count(rig).fault_events, 2);
}

static void test_event_masked_is_pending_until_unmasked(void **state)
{
    struct rig *rig = *state;

    program(rig);
    fault(rig, 1, 1);
    assert_int_equal(rig_count(rig).fault_events, 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0xc0000000);
    vtdpi_model_write32(&rig->m, FECTL, 0xc0000000); /* IP is read-only. */
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0xc0000000);
    vtdpi_model_write32(&rig->m, FECTL, 0);
    assert_int_equal(rig_count(rig).fault_events, 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0);
    vtdpi_model_write32(&rig->m, FECTL, 0x40000000);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0);
    assert_int_equal(rig_count(rig).fault_events, 1);
    rig_expect_none(rig);
}

static void test_event_masked_and_served_sends_nothing(void **state)
{
    struct rig *rig = *state;

    fault(rig, 1, 1);
    clear(rig, 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0x80000000);
    vtdpi_model_write32(&rig->m, FECTL, 0);
    assert_int_equal(rig_count(rig).fault_events, 0);
    vtdpi_model_write32(&rig->m, FECTL, 0x80000000);
    rig_put(rig, 0, 0);
    rig_kick(rig);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0xc0000000);
    rig_words(rig, RIG_QUEUE + rig->tail - 16)[0] = 4;
    vtdpi_model_write32(&rig->m, FSTS, IQE);
    assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0x80000000);
}

/* Status bits of features that are not modelled. */

#define AFL (UINT64_C(1) << 3)  /* CAP */
#define PRS (UINT64_C(1) << 29) /* ECAP */

static void on_with_all_status_bits(struct rig *rig)
{
    rig->params.cap |= AFL;
    rig->params.ecap |= PRS;
    rig_reset(rig);
    rig_on(rig, true);
    program(rig);
    vtdpi_model_write32(&rig->m, FECTL, 0);
}

static void test_status_bits_are_cleared_by_writing_one(void **state)
{
    struct rig *rig = *state;

    on_with_all_status_bits(rig);
    assert_int_equal(vtdpi_model_raise_status(&rig->m, 0xffffffff), 0xfd);
    assert_int_equal(fsts(rig), 0xfd);
    for (uint32_t bit = 0x80; bit != 0; bit >>= 1) {
        const uint32_t before = fsts(rig);

        vtdpi_model_write32(&rig->m, FSTS, 0);
        assert_int_equal(fsts(rig), before);
        vtdpi_model_write32(&rig->m, FSTS, bit);
        assert_int_equal(fsts(rig), before & ~bit);
    }
    assert_int_equal(fsts(rig), 0);
    rig_expect_none(rig);
}

static void test_status_bits_of_absent_features_are_reserved(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_raise_status(&rig->m, 0xffffffff), 0x71);
    assert_int_equal(fsts(rig), 0x71);
    for (uint32_t bit = 1; bit < 0x100; bit <<= 1) {
        vtdpi_model_write32(&rig->m, FSTS, bit);
        if ((bit & 0x8c) != 0)
            rig_expect(rig, VTDPI_MODEL_RESERVED_BITS, FSTS);
        rig_expect_none(rig);
    }
    assert_int_equal(fsts(rig), 0);
}

/* Whether a fault sends the event while @p bits are left set. */
static bool event_passes(struct rig *rig, uint32_t bits)
{
    uint64_t before;

    on_with_all_status_bits(rig);
    (void)vtdpi_model_raise_status(&rig->m, bits);
    before = rig_count(rig).fault_events;
    fault(rig, 1, 1);
    return rig_count(rig).fault_events != before;
}

static void test_status_bit_left_set_suppresses_the_event(void **state)
{
    struct rig *rig = *state;

    assert_true(event_passes(rig, 0));
    for (uint32_t bit = 1; bit < 0x100; bit <<= 1) {
        if (bit == PPF)
            continue;
        assert_false(event_passes(rig, bit));
        clear(rig, 0);
        vtdpi_model_write32(&rig->m, FSTS, bit);
        assert_int_equal(fsts(rig) & 0xff, 0);
        fault(rig, 2, 2);
        assert_int_equal(rig_count(rig).fault_events,
                         (bit & 0x78) != 0 ? 2 : 1);
    }
}

static void test_status_overflows_send_no_event(void **state)
{
    struct rig *rig = *state;

    for (uint32_t bit = 1; bit < 0x100; bit <<= 1) {
        on_with_all_status_bits(rig);
        (void)vtdpi_model_raise_status(&rig->m, bit);
        assert_int_equal(rig_count(rig).fault_events, (bit & 0x78) != 0);
        rig_reset(rig); /* masked */
        (void)vtdpi_model_raise_status(&rig->m, bit);
        assert_int_equal(vtdpi_model_read32(&rig->m, FECTL),
                         (bit & 0x78) != 0 ? 0xc0000000 : 0x80000000);
        vtdpi_model_write32(&rig->m, FSTS, bit);
        assert_int_equal(vtdpi_model_read32(&rig->m, FECTL), 0x80000000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test_on(test_record_fields_and_clearing),
        rig_test_on(test_record_write_zero_clears_nothing),
        rig_test(test_record_halves),
        rig_test_on(test_fsts_ppf_not_writable),
        rig_test_on(test_ring_wraps_and_fri_names_the_first),
        rig_test_on(test_overflow_stops_recording_until_cleared),
        rig_test(test_one_record_unit),
        rig_test(test_collapse_same_requester),
        rig_test_on(test_no_collapse_by_default),
        rig_test_on(test_compatibility_and_request_faults_have_index),
        rig_test_on(test_dma_fault_is_recorded_raw),
        rig_test_on(test_event_sent_once_while_pending),
        rig_test_on(test_event_masked_is_pending_until_unmasked),
        rig_test_on(test_event_masked_and_served_sends_nothing),
        rig_test(test_status_bits_are_cleared_by_writing_one),
        rig_test_on(test_status_bits_of_absent_features_are_reserved),
        rig_test(test_status_bit_left_set_suppresses_the_event),
        rig_test(test_status_overflows_send_no_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
