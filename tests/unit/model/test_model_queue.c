/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

#define FSTS     0x34
#define IQH      0x80
#define IQER     0xb0

#define IQE      0x10

/* A unit with scalable mode, page requests and device TLBs. */
#define BIG_ECAP (RIG_ECAP | 1ull << 43 | 1ull << 42)

static uint32_t fsts(struct rig *rig)
{
    return vtdpi_model_read32(&rig->m, FSTS);
}

static uint64_t iqh(struct rig *rig)
{
    return vtdpi_model_read64(&rig->m, IQH);
}

static void test_wait_writes_status_and_moves_head(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    *rig_status(rig, 1) = 0x55555555;
    rig_put_wait(rig, 0, 0xcafef00d);
    assert_int_equal(*rig_status(rig, 0), 0);
    rig_kick(rig);
    assert_int_equal(*rig_status(rig, 0), 0xcafef00d);
    assert_int_equal(*rig_status(rig, 1), 0x55555555);
    assert_int_equal(iqh(rig), 16);
    assert_int_equal(fsts(rig), 0);
    assert_int_equal(rig_count(rig).waits_completed, 1);
    assert_int_equal(rig_count(rig).status_writes, 1);
    assert_int_equal(rig_count(rig).descriptors[5], 1);
    rig_expect_none(rig);
}

static void test_wait_without_sw_writes_nothing(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    rig_put(rig, 0x0000000100000045, RIG_STATUS); /* FN alone */
    rig_kick(rig);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(rig_count(rig).waits_completed, 1);
    assert_int_equal(rig_count(rig).status_writes, 0);
    assert_int_equal(fsts(rig), 0);
}

static void test_wait_status_address_unmapped_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    rig_put(rig, 0x0000000100000025, 0x1000);
    rig_kick(rig);
    rig_expect(rig, VTDPI_MODEL_STATUS_ADDRESS, 0);
    assert_int_equal(rig_count(rig).status_writes, 0);
}

static void test_wait_if_sends_completion_event(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_write32(&rig->m, 0xa4, 0x4051);
    vtdpi_model_write32(&rig->m, 0xa8, 0xfee02000);
    vtdpi_model_write32(&rig->m, 0xac, 0x3);
    rig_put(rig, 0x15, 0);
    rig_kick(rig); /* Masked after reset. */
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x9c), 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0xa0), 0xc0000000);
    assert_int_equal(rig_count(rig).completion_events, 0);
    vtdpi_model_write32(&rig->m, 0xa0, 0);
    assert_int_equal(rig_count(rig).completion_events, 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0xa0), 0);
    assert_int_equal(rig->event, VTDPI_MODEL_EVENT_COMPLETION);
    assert_true(rig->event_address == 0x3fee02000);
    assert_int_equal(rig->event_data, 0x4051);
    rig_put(rig, 0x15, 0);
    rig_kick(rig); /* IWC still set: no second event. */
    assert_int_equal(rig_count(rig).completion_events, 1);
    vtdpi_model_write32(&rig->m, 0x9c, 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x9c), 0);
    rig_put(rig, 0x15, 0);
    rig_kick(rig);
    assert_int_equal(rig_count(rig).completion_events, 2);
    rig_expect_none(rig);
}

static void test_ics_clear_drops_pending_event(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    rig_put(rig, 0x15, 0);
    rig_kick(rig);
    vtdpi_model_write32(&rig->m, 0x9c, 1);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0xa0), 0x80000000);
    vtdpi_model_write32(&rig->m, 0xa0, 0);
    assert_int_equal(rig_count(rig).completion_events, 0);
}

static void test_ring_wraps_at_its_size(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    for (uint32_t i = 1; i <= 600; i++) {
        rig_put(rig, 0x04, 0);
        rig_put_wait(rig, 0, i);
        rig_kick(rig);
        assert_int_equal(*rig_status(rig, 0), i);
        assert_int_equal(iqh(rig), i * 32 % 4096);
    }
    assert_int_equal(rig_count(rig).iec_global, 600);
    rig_expect_none(rig);
}

static void test_ring_of_two_pages_is_8_kib(void **state)
{
    struct rig *rig = *state;
    uint64_t *d = rig_words(rig, RIG_QUEUE + 8192 - 16);

    vtdpi_model_write64(&rig->m, 0x90, RIG_QUEUE | 1);
    rig_command(rig, 0x04000000);
    for (uint32_t i = 0; i < 511; i++)
        rig_words(rig, RIG_QUEUE + i * 16)[0] = 0x04;
    d[0] = 0x0000000900000025;
    d[1] = RIG_STATUS;
    vtdpi_model_write64(&rig->m, 0x88, 8192 - 16);
    assert_int_equal(*rig_status(rig, 0), 0);
    vtdpi_model_write64(&rig->m, 0x88, 0);
    assert_int_equal(*rig_status(rig, 0), 9);
    assert_int_equal(iqh(rig), 0);
    rig_expect_none(rig);
}

static void test_wide_descriptors_are_32_bytes(void **state)
{
    struct rig *rig = *state;
    uint64_t *d = rig_words(rig, RIG_QUEUE);

    rig->params.ecap = BIG_ECAP;
    rig_reset(rig);
    vtdpi_model_write64(&rig->m, 0x90, RIG_QUEUE | 0x800 | 1);
    rig_command(rig, 0x04000000);
    d[0] = 0x04;
    d[4] = 0x0000000700000025;
    d[5] = RIG_STATUS;
    vtdpi_model_write64(&rig->m, 0x88, 64);
    assert_int_equal(*rig_status(rig, 0), 7);
    assert_int_equal(iqh(rig), 64);
    assert_int_equal(rig_count(rig).iec_global, 1);
    rig_expect_none(rig);
}

static void test_wide_tail_between_descriptors_is_iqe(void **state)
{
    struct rig *rig = *state;

    rig->params.ecap = BIG_ECAP;
    rig_reset(rig);
    vtdpi_model_write64(&rig->m, 0x90, RIG_QUEUE | 0x800);
    rig_command(rig, 0x04000000);
    vtdpi_model_write64(&rig->m, 0x88, 16);
    assert_int_equal(fsts(rig), IQE);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 6);
}

static void test_wide_upper_words_not_zero_are_iqe(void **state)
{
    struct rig *rig = *state;
    uint64_t *d = rig_words(rig, RIG_QUEUE);

    rig->params.ecap = BIG_ECAP;
    rig_reset(rig);
    vtdpi_model_write64(&rig->m, 0x90, RIG_QUEUE | 0x800);
    rig_command(rig, 0x04000000);
    d[0] = 0x04;
    d[3] = 1;
    vtdpi_model_write64(&rig->m, 0x88, 32);
    assert_int_equal(fsts(rig), IQE);
    assert_int_equal(iqh(rig), 0);
}

static void test_dma_descriptors_are_counted(void **state)
{
    static const uint64_t words[] = {0x11, 0x12, 0x03, 0x26, 0x07, 0x08, 0x09};
    struct rig *rig = *state;

    rig->params.ecap = BIG_ECAP;
    rig_reset(rig);
    rig_queue_on(rig);
    for (size_t i = 0; i < 7; i++)
        rig_put(rig, words[i], 0);
    rig_kick(rig);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(rig_count(rig).descriptors[words[i] & 15], 1);
    assert_int_equal(iqh(rig), 7 * 16);
    assert_int_equal(fsts(rig), 0);
}

static void test_bad_descriptor_is_iqe(void **state)
{
    static const struct {
        uint64_t ecap;
        uint64_t qw0;
        uint64_t qw1;
        uint64_t iqei;
    } t[] = {
        {RIG_ECAP, 0x00, 0, 3}, /* Type 0 */
        {RIG_ECAP, 0x0a, 0, 3}, /* Unknown type */
        {RIG_ECAP, 0x0f, 0, 3},
        {RIG_ECAP & ~4ull, 0x03, 0, 3}, /* Device TLB without DT */
        {RIG_ECAP, 0x06, 0, 3},         /* PASID without scalable mode */
        {RIG_ECAP, 0x201, 0, 3},        /* Extended type */
        {RIG_ECAP, 0x24, 0, 4},         /* IEC: bits 26:5 */
        {RIG_ECAP, 0x4000004, 0, 4},
        {RIG_ECAP, 0x0001000000000004, 0, 4}, /* IEC: bits 63:48 */
        {RIG_ECAP, 0x8000000000000014, 0, 4},
        {RIG_ECAP, 0x04, 1, 4},
        {RIG_ECAP, 0x80000014, 0, 4},     /* IM = 16 above MHMV = 15 */
        {RIG_ECAP, 0x125, RIG_STATUS, 4}, /* Wait: bits 31:8 */
        {RIG_ECAP, 0x80000025, RIG_STATUS, 4},
        {RIG_ECAP, 0xa5, RIG_STATUS, 4}, /* PD without PDS */
        {RIG_ECAP, 0x25, RIG_STATUS | 2, 4},
        {RIG_ECAP, 0x01, 0, 4}, /* Context: granularity 0 */
        {RIG_ECAP, 0x51, 0, 4}, /* Context: bits 8:6, 15:12, 63:50 */
        {RIG_ECAP, 0x1011, 0, 4},
        {RIG_ECAP, 0x0004000000000011, 0, 4},
        {RIG_ECAP, 0x11, 1, 4},
        {RIG_ECAP, 0x02, 0, 4},  /* IOTLB: granularity 0 */
        {RIG_ECAP, 0x112, 0, 4}, /* IOTLB: bits 8, 63:32; second word 11:7 */
        {RIG_ECAP, 0x0000000100000012, 0, 4},
        {RIG_ECAP, 0x32, 0x80, 4},
        {RIG_ECAP, 0x13, 0, 4}, /* Device TLB: bits 8:4, 31:21, 51:48, 11:1 */
        {RIG_ECAP, 0x200003, 0, 4},
        {RIG_ECAP, 0x0001000000000003, 0, 4},
        {RIG_ECAP, 0x03, 0x2, 4},
        {RIG_ECAP, 0x1003, 0, 4}, /* Device TLB: PFSID without DIT */
        {RIG_ECAP, 0x0010000000000003, 0, 4},
        {BIG_ECAP, 0x16, 0, 4}, /* PASID IOTLB: granularity 1 */
        {BIG_ECAP, 0x66, 0, 4}, /* PASID IOTLB: bits 8:6, 63:52, 11:7 */
        {BIG_ECAP, 0x0010000000000026, 0, 4},
        {BIG_ECAP, 0x36, 0x800, 4},
        {BIG_ECAP, 0x27, 0, 4}, /* PASID cache: granularity 2 */
        {BIG_ECAP, 0x47, 0, 4}, /* PASID cache: bits 8:6, second word */
        {BIG_ECAP, 0x07, 0x1000, 4},
        {BIG_ECAP, 0x08, 0x400, 4}, /* PASID device TLB: second word 10:1 */
        {BIG_ECAP, 0x1008, 0, 4},   /* PASID device TLB: PFSID without DIT */
        {BIG_ECAP, 0x0208, 0, 3},   /* PASID device TLB: extended type */
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        memset(rig->memory, 0, 64);
        rig->params.ecap = t[i].ecap;
        rig_reset(rig);
        rig_queue_on(rig);
        rig_put(rig, 0x04, 0);
        rig_put(rig, t[i].qw0, t[i].qw1);
        rig_put_wait(rig, 1, 3);
        rig_kick(rig);
        assert_int_equal(fsts(rig), IQE);
        assert_int_equal(vtdpi_model_read64(&rig->m, IQER), t[i].iqei);
        assert_int_equal(iqh(rig), 16);
        assert_int_equal(rig_count(rig).iec_global, 1);
        assert_int_equal(*rig_status(rig, 1), 0);
        rig_expect_none(rig);
    }
}

static void test_page_drain_with_pds_is_accepted(void **state)
{
    struct rig *rig = *state;

    rig->params.ecap = BIG_ECAP;
    rig_reset(rig);
    rig_queue_on(rig);
    rig_put(rig, 0x00000001000000a5, RIG_STATUS);
    rig_kick(rig);
    assert_int_equal(*rig_status(rig, 0), 1);
}

static void test_iqe_replaced_and_cleared_goes_on(void **state)
{
    struct rig *rig = *state;
    uint64_t *bad = rig_words(rig, RIG_QUEUE + 16);

    rig_queue_on(rig);
    rig_put_wait(rig, 0, 1);
    rig_put(rig, 0, 0);
    rig_put_wait(rig, 1, 2);
    rig_kick(rig);
    assert_int_equal(*rig_status(rig, 0), 1);
    assert_int_equal(*rig_status(rig, 1), 0);
    rig_put_wait(rig, 2, 3);
    rig_kick(rig); /* Nothing is fetched while IQE is set. */
    assert_int_equal(*rig_status(rig, 2), 0);
    bad[0] = 0x0000000500000025;
    bad[1] = RIG_STATUS + 12;
    vtdpi_model_write32(&rig->m, FSTS, IQE);
    assert_int_equal(fsts(rig), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 0);
    assert_int_equal(*rig_status(rig, 3), 5);
    assert_int_equal(*rig_status(rig, 1), 2);
    assert_int_equal(*rig_status(rig, 2), 3);
    rig_expect_none(rig);
}

static void test_iqe_cleared_without_repair_comes_back(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    rig_put(rig, 0, 0);
    rig_kick(rig);
    vtdpi_model_write32(&rig->m, FSTS, IQE);
    assert_int_equal(fsts(rig), IQE);
}

static void test_iqe_queue_memory_unmapped(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x90, 0x1000);
    rig_command(rig, 0x04000000);
    vtdpi_model_write64(&rig->m, 0x88, 16);
    assert_int_equal(fsts(rig), IQE);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 2);
}

static void test_iqe_tail_beyond_ring(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0x88, 4096);
    assert_int_equal(fsts(rig), IQE);
    assert_int_equal(vtdpi_model_read64(&rig->m, IQER), 1);
}

static void test_queue_off_discards_and_resets_head(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_write32(&rig->m, 0x18, 0);
    rig_expect_none(rig);
    assert_int_equal(iqh(rig), 0);
    rig_put_wait(rig, 1, 2);
    rig_kick(rig); /* Off: only stored. */
    assert_int_equal(*rig_status(rig, 1), 0);
    vtdpi_model_write32(&rig->m, 0x18, 0x04000000); /* IQT is not 0. */
    rig_expect(rig, VTDPI_MODEL_QUEUE_TAIL, 0x88);
}

static void test_queue_off_while_busy_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE, 100);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_write32(&rig->m, 0x18, 0);
    rig_expect(rig, VTDPI_MODEL_QUEUE_BUSY, 0x18);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE);
    assert_int_equal(*rig_status(rig, 0), 0);

    rig_reset(rig);
    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    vtdpi_model_write32(&rig->m, 0x18, 0);
    rig_expect(rig, VTDPI_MODEL_QUEUE_BUSY, 0x18);
}

static void test_tail_moved_back_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    rig_put_wait(rig, 0, 1);
    rig_put_wait(rig, 1, 2);
    rig_kick(rig);
    rig_expect_none(rig);
    vtdpi_model_write64(&rig->m, 0x88, 16);
    rig_expect(rig, VTDPI_MODEL_QUEUE_TAIL, 0x88);
}

static void test_iec_index_not_aligned_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    rig_put(rig, 0x0000000600000014 | 2u << 27, 0); /* Index 6, 4 entries. */
    rig_kick(rig);
    rig_expect(rig, VTDPI_MODEL_IEC_ALIGNMENT, 0);
    rig_put(rig, 0x0000000800000014 | 2u << 27, 0);
    rig_kick(rig);
    rig_expect_none(rig);
    assert_int_equal(rig_count(rig).iec_index, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_wait_writes_status_and_moves_head),
        rig_test(test_wait_without_sw_writes_nothing),
        rig_test(test_wait_status_address_unmapped_is_violation),
        rig_test(test_wait_if_sends_completion_event),
        rig_test(test_ics_clear_drops_pending_event),
        rig_test(test_ring_wraps_at_its_size),
        rig_test(test_ring_of_two_pages_is_8_kib),
        rig_test(test_wide_descriptors_are_32_bytes),
        rig_test(test_wide_tail_between_descriptors_is_iqe),
        rig_test(test_wide_upper_words_not_zero_are_iqe),
        rig_test(test_dma_descriptors_are_counted),
        rig_test(test_bad_descriptor_is_iqe),
        rig_test(test_page_drain_with_pds_is_accepted),
        rig_test(test_iqe_replaced_and_cleared_goes_on),
        rig_test(test_iqe_cleared_without_repair_comes_back),
        rig_test(test_iqe_queue_memory_unmapped),
        rig_test(test_iqe_tail_beyond_ring),
        rig_test(test_queue_off_discards_and_resets_head),
        rig_test(test_queue_off_while_busy_is_violation),
        rig_test(test_tail_moved_back_is_violation),
        rig_test(test_iec_index_not_aligned_is_violation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
