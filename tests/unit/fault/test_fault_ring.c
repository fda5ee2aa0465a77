/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.h: the ring of records, overflow, and units that misbehave. */
#include "fault_rig.h"
#include "replay.h"

#define F     UINT64_C(0x8000000000000000)
#define NFR_1 (CAP & ~UINT64_C(0x0000ff0000000000))

static uint32_t fsts(void)
{
    return (uint32_t)vtdpi_model_peek(&rig.m, 0x34);
}

/* Plain. */

static void test_handle_nothing_pending_reads_no_record(void **state)
{
    const uint64_t before = rig_counters().reads;

    (void)state;
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 0);
    assert_int_equal(rig_counters().reads - before, rig_count(false, 0x34));
    assert_int_equal(rig_count(false, 0x34), 2);
    rig_assert_writes(NULL, 0);
}

static void test_handle_one_record_is_cleared_and_delivered(void **state)
{
    (void)state;
    fault_raise();
    assert_int_equal(fsts(), 0x2);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
    assert_seen(0, 0);
    assert_int_equal(faults.seen[0].record, 0);
    assert_true(faults.seen[0].lo == UINT64_C(0x0010000000000000));
    assert_true(faults.seen[0].hi == UINT64_C(0x8000002200000100));
    assert_true(vtdpi_model_peek(&rig.m, 0x108) ==
                UINT64_C(0x0000002200000100));
    assert_int_equal(fsts(), 0);
    rig_assert_writes(NULL, 0); /* only the record was written, see write64 */
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 0);
}

static void test_handle_wraps_modulo_number_of_records(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 40; first += 5) {
        fault_raise_many(5);
        assert_int_equal(fsts(), (first % 8) << 8 | 0x2);
        assert_false(fault_handle(0));
        assert_int_equal(faults.seen_count, 5);
        for (uint32_t i = 0; i < 5; i++) {
            assert_seen(i, first + i);
            assert_int_equal(faults.seen[i].record, (first + i) % 8);
        }
    }
}

static void test_handle_any_number_of_records(void **state)
{
    (void)state;
    for (uint32_t nfr = 0; nfr < 256; nfr += nfr == 0 ? 1 : 127) {
        fault_power_up(NFR_1 | (uint64_t)nfr << 40);
        fault_enable();
        for (uint32_t round = 0; round < 3; round++) {
            const uint32_t first = faults.raised;

            fault_raise_many(nfr + 1);
            assert_false(fault_handle(0));
            assert_int_equal(faults.seen_count, nfr + 1);
            for (uint32_t i = 0; i <= nfr; i++)
                assert_seen(i, first + i);
        }
    }
}

/* A reader that starts in the middle of another's work. */
static void test_handle_first_call_finds_records_behind_a_gap(void **state)
{
    (void)state;
    fault_raise_many(6);
    for (uint32_t off = 0x108; off <= 0x128; off += 0x10)
        vtdpi_model_write64(&rig.m, off, F); /* 0, 1 and 2 are taken */
    assert_int_equal(fsts(), 0x2);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 3);
    assert_seen(0, 3);
    assert_seen(2, 5);
}

/* Nor does it begin with record 0 when that is not the oldest. */
static void test_handle_first_call_begins_at_fri(void **state)
{
    const struct vtdpi_fault_params p = faults.reader.params;

    (void)state;
    assert_int_equal(vtdpi_fault_init(&faults.reader, &p), 0);
    fault_raise_many(5);
    for (uint32_t off = 0x108; off <= 0x148; off += 0x10)
        vtdpi_model_write64(&rig.m, off, F);
    fault_raise_many(5);
    assert_int_equal(fsts(), 0x502);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_seen(i, 5 + i);
}

static void test_handle_fri_beyond_the_records_is_survived(void **state)
{
    (void)state;
    fault_raise();
    rig.m.fsts |= 0xf900; /* 249 */
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
    assert_seen(0, 0);
}

/* Overflow. */

static void test_handle_overflow_is_reported_once_and_cleared(void **state)
{
    (void)state;
    fault_raise_many(11);
    assert_int_equal(fsts(), 0x3);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 9);
    assert_seen(0, 0);
    assert_seen(7, 7);
    assert_int_equal(faults.seen[8].kind, VTDPI_FAULT_OVERFLOW);
    assert_true(faults.seen[8].hi == 0);
    assert_int_equal(fsts() & 0x3, 0);
    fault_raise(); /* recorded again */
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
    assert_seen(0, 11);
}

/* What is not ours in the register is not written. */
static void test_handle_overflow_clears_only_pfo(void **state)
{
    const struct access want[] = {{true, 0x34, 0x1}};

    (void)state;
    fault_raise_many(9);
    assert_false(fault_handle(0));
    rig_assert_writes(want, 1);
}

/* Recording goes on as soon as a record is free, not when all are. */
static void test_handle_bounded_overflow_lets_recording_go_on(void **state)
{
    (void)state;
    fault_raise_many(9);
    assert_true(fault_handle(2));
    assert_int_equal(faults.seen_count, 3);
    assert_int_equal(faults.seen[2].kind, VTDPI_FAULT_OVERFLOW);
    fault_raise_many(2);
    assert_int_equal(rig_counters().faults_lost, 1);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 8);
    for (uint32_t i = 0; i < 6; i++)
        assert_seen(i, 2 + i);
    assert_seen(6, 9);
    assert_seen(7, 10);
}

/* Bounds. */

static void test_handle_max_is_kept_and_more_is_said(void **state)
{
    (void)state;
    fault_raise_many(7);
    assert_true(fault_handle(3));
    assert_int_equal(faults.seen_count, 3);
    assert_seen(0, 0);
    assert_true(fault_handle(3));
    assert_int_equal(faults.seen_count, 3);
    assert_seen(0, 3);
    assert_false(fault_handle(3));
    assert_int_equal(faults.seen_count, 1);
    assert_seen(0, 6);
}

/* FRI stays behind when not all records are taken. The order is kept nevertheless,
 * and no record is looked at without need. */
static void test_handle_bounded_keeps_order_over_the_wrap(void **state)
{
    uint32_t next = 0;

    (void)state;
    fault_raise_many(6);
    for (uint32_t round = 0; round < 30; round++) {
        const uint64_t before = rig_counters().reads;

        assert_true(fault_handle(2));
        assert_int_equal(faults.seen_count, 2);
        assert_seen(0, next++);
        assert_seen(1, next++);
        /* Status twice, the first record once more, two words each. */
        assert_true(rig_counters().reads - before <= 2 + 1 + 4);
        fault_raise_many(2);
    }
    assert_int_equal(rig_counters().faults_lost, 0);
}

static void raise_another(const struct vtdpi_fault *fault)
{
    (void)fault;
    fault_raise();
}

/* A device that faults as fast as it is read. */
static void test_handle_storm_ends_after_all_records(void **state)
{
    (void)state;
    fault_raise();
    faults.after_report = raise_another;
    assert_true(fault_handle(0));
    assert_int_equal(faults.seen_count, 8);
    assert_true(fault_handle(100));
    assert_int_equal(faults.seen_count, 8);
    assert_seen(7, 15);
    faults.after_report = NULL;
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
}

/* The other CPU's handler runs in the middle of this one. */
static void handle_inside(const struct vtdpi_fault *fault)
{
    bool more;

    (void)fault;
    faults.after_report = NULL;
    assert_int_equal(vtdpi_fault_handle(&faults.reader, 3, &more), 0);
}

static void test_handle_two_cpus_deliver_each_record_once(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= 8; n++) {
        const uint32_t first = faults.raised;

        fault_raise_many(n);
        faults.after_report = handle_inside;
        assert_false(fault_handle(0));
        assert_int_equal(faults.seen_count, n);
        for (uint32_t i = 0; i < n; i++)
            assert_seen(i, first + i);
    }
}

/* Nothing gets lost: a fault, or enough for an overflow, at any moment. */

static struct {
    uint64_t at; /* number of the step at which they come */
    uint64_t step;
    uint32_t faults;
} strike;

static void strike_hook(void *ctx, struct vtdpi_model *m,
                        enum vtdpi_model_step kind)
{
    (void)ctx;
    (void)m;
    if (kind != VTDPI_MODEL_STEP_READ && kind != VTDPI_MODEL_STEP_WRITE)
        return;
    if (strike.step++ == strike.at)
        fault_raise_many(strike.faults);
}

/* As a host does: while there is more, or an event has come. */
static void handle_all(void)
{
    uint32_t events;
    bool more;

    do {
        events = faults.events;
        assert_int_equal(vtdpi_fault_handle(&faults.reader, 3, &more), 0);
    } while (more || faults.events != events);
}

/* Returns whether the strike happened. */
static bool handle_with_strike(void *ctx, unsigned int at)
{
    const uint32_t before = *(const uint32_t *)ctx;
    uint32_t lost = 0;
    uint32_t records = 0;
    uint32_t nth = 0;

    fault_power_up(CAP);
    fault_enable();
    fault_raise_many(before);
    strike.at = at;
    strike.step = 0;
    vtdpi_model_set_step_hook(&rig.m, strike_hook);
    handle_all();
    vtdpi_model_set_step_hook(&rig.m, NULL);
    if (strike.step <= at)
        return false;

    for (uint32_t i = 0; i < faults.seen_count; i++) {
        if (faults.seen[i].kind == VTDPI_FAULT_OVERFLOW) {
            lost++;
            continue;
        }
        /* In order, and what is missing in it was lost. */
        nth = faults.seen[i].sid - 0x100u;
        assert_seen(i, nth);
        assert_true(records == 0 ||
                    nth > (uint32_t)(faults.seen[i - 1].sid) - 0x100u ||
                    faults.seen[i - 1].kind == VTDPI_FAULT_OVERFLOW);
        records++;
    }
    assert_int_equal(records, rig_counters().faults_recorded);
    assert_int_equal(lost != 0, rig_counters().faults_lost != 0);
    assert_int_equal(fsts() & 0x3, 0);
    return true;
}

static void test_handle_fault_before_each_access_is_delivered(void **state)
{
    static const uint32_t sizes[] = {1, 2, 5, 12};
    static const uint32_t befores[] = {0, 1, 4, 8, 9};

    (void)state;
    for (size_t b = 0; b < sizeof(befores) / sizeof(befores[0]); b++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            uint32_t before = befores[b];

            strike.faults = sizes[s];
            assert_true(replay_every_step(handle_with_strike, &before, 0) >= 2);
        }
    }
}

/* Units that misbehave. */

static void test_handle_stuck_record_does_not_spin(void **state)
{
    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FRCD_STUCK, 1);
    fault_raise_many(3);
    assert_true(fault_handle(0));
    assert_int_equal(faults.seen_count, 3);
    assert_true(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
    assert_seen(0, 1);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_FRCD_STUCK);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
}

/* Not even with one record for each call: the stuck record is not the first one in
 * every call. */
static void test_handle_stuck_record_starves_no_other(void **state)
{
    uint32_t others = 0;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FRCD_STUCK, 0);
    fault_raise_many(4);
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(fault_handle(1));
        assert_int_equal(faults.seen_count, 1);
        others += faults.seen[0].record != 0;
    }
    assert_int_equal(others, 3);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x118) & F, 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x138) & F, 0);
}

static void test_handle_stuck_overflow_does_not_spin(void **state)
{
    const uint64_t reads = rig_counters().reads;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK, 0x1);
    fault_raise_many(9);
    assert_true(fault_handle(0));
    assert_true(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
    assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_OVERFLOW);
    assert_true(rig_counters().reads - reads < 40);
}

static void test_handle_gone_unit_returns_eio(void **state)
{
    uint64_t reads;
    bool more = true;

    (void)state;
    fault_raise();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    reads = rig_counters().reads;
    assert_int_equal(vtdpi_fault_handle(&faults.reader, 0, &more), VTDPI_EIO);
    assert_int_equal(rig_counters().reads - reads, 1);
    assert_false(more);
    assert_int_equal(faults.seen_count, 0);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), VTDPI_EIO);
}

static void gone_hook(void *ctx, struct vtdpi_model *m,
                      enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind != VTDPI_MODEL_STEP_READ && kind != VTDPI_MODEL_STEP_WRITE)
        return;
    if (strike.step++ == strike.at)
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
}

/* Surprise removal before any access: what is delivered is true. */
static void unit_goes(uint32_t pending)
{
    int rc = VTDPI_EIO;

    for (strike.at = 0; rc != 0; strike.at++) {
        uint32_t overflows = 0;
        bool more;

        fault_power_up(CAP);
        fault_enable();
        fault_raise_many(pending);
        strike.step = 0;
        vtdpi_model_set_step_hook(&rig.m, gone_hook);
        rc = vtdpi_fault_handle(&faults.reader, 0, &more);
        assert_true(rc == 0 || rc == VTDPI_EIO);
        assert_int_equal(rc == 0, strike.step <= strike.at);
        assert_int_equal(more, false);
        /* Each access may take long when nothing answers. */
        assert_true(strike.step <= strike.at + 6);
        for (uint32_t i = 0; i < faults.seen_count; i++) {
            if (faults.seen[i].kind == VTDPI_FAULT_OVERFLOW)
                overflows++;
            else
                assert_seen(i, i);
        }
        assert_true(overflows <= (pending > 8));
    }
    assert_true(strike.at > 3 * pending / 2);
}

static void test_handle_unit_goes_before_each_access(void **state)
{
    (void)state;
    unit_goes(3);
    unit_goes(9);
}

/* One access that nothing answers, as on a link that is retrained. */
static void blink_hook(void *ctx, struct vtdpi_model *m,
                       enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind != VTDPI_MODEL_STEP_READ && kind != VTDPI_MODEL_STEP_WRITE)
        return;
    if (strike.step++ == strike.at)
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    else
        vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_ALL_ONES);
}

static void test_handle_unit_blinks_at_each_access(void **state)
{
    (void)state;
    strike.at = 0;
    do {
        uint32_t calls = 0;
        bool more = true;
        int rc = VTDPI_EIO;

        fault_power_up(CAP);
        fault_enable();
        fault_raise_many(4);
        strike.step = 0;
        vtdpi_model_set_step_hook(&rig.m, blink_hook);
        for (; rc != 0 || more; calls++)
            rc = vtdpi_fault_handle(&faults.reader, 0, &more);
        assert_true(calls <= 2);
        assert_int_equal(fsts(), 0);
        /* One may come twice: its clearing was lost. */
        assert_true(faults.seen_count == 4 || faults.seen_count == 5);
        for (uint32_t i = 0; i < faults.seen_count; i++)
            assert_seen(i, faults.seen[i].sid - 0x100u);
    } while (strike.step > strike.at++);
    assert_true(strike.at > 12);
}

/* Bring-up. */

static void test_clear_all_forgets_everything(void **state)
{
    (void)state;
    fault_raise_many(3);
    assert_false(fault_handle(0));
    fault_raise_many(9);
    assert_int_equal(fsts(), 0x303);
    faults.seen_count = 0;
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    assert_int_equal(faults.seen_count, 0);
    assert_int_equal(fsts() & 0x3, 0);
    for (uint32_t off = 0x108; off < 0x180; off += 0x10)
        assert_true((vtdpi_model_peek(&rig.m, off) & F) == 0);
    /* The next is record 3, and all that was known of the ring is stale. */
    fault_raise_many(7);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 7);
    for (uint32_t i = 0; i < 7; i++)
        assert_seen(i, 12 + i);
}

static void test_clear_all_stuck_returns_ebusy(void **state)
{
    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FRCD_STUCK, 2);
    fault_raise_many(9);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), VTDPI_EBUSY);
    assert_int_equal(fsts() & 0x3, 0x2);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_FRCD_STUCK);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
}

/* A unit that was never enabled has no queue to look at. */
static void test_handle_unit_never_enabled_works(void **state)
{
    (void)state;
    fault_power_up(CAP);
    (void)vtdpi_model_raise_status(&rig.m, 0x10); /* somebody's queue error */
    vtdpi_model_dma_fault(&rig.m, 0x8, 5, 0x1000, false);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 2);
    assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_DMA);
    assert_int_equal(faults.seen[1].kind, VTDPI_FAULT_STATUS);
    assert_int_equal(faults.seen[1].status, 0x10);
    assert_int_equal(fsts() & 0xff, 0);
}

/* Clearing an error of a queue that is not ours lets the unit fetch from it. */
static void test_foreign_queue_error_stays(void **state)
{
    (void)state;
    fault_power_up(CAP);
    rig_gcmd(0x04000000);
    assert_int_equal(vtdpi_model_raise_status(&rig.m, 0x11), 0x11);
    assert_false(fault_handle(0));
    assert_int_equal(faults.seen_count, 1);
    assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_OVERFLOW);
    assert_int_equal(faults.seen[0].status, 1);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    assert_int_equal(fsts(), 0x10);
}

/* A unit that has AFO, APF and PRO, with CAP.AFL and ECAP.PRS. */
static void power_up_with_all_status_bits(void)
{
    struct vtdpi_fault_params p;

    fault_power_up(CAP | UINT64_C(0x8));
    p = faults.reader.params;
    rig.m.params.ecap |= UINT64_C(0x20000000);
    rig_probe();
    assert_int_equal(vtdpi_fault_init(&faults.reader, &p), 0);
    fault_enable();
}

static uint32_t status_writes(uint32_t *last)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rig.traced; i++) {
        if (!rig.trace[i].write || rig.trace[i].off != 0x34)
            continue;
        *last = (uint32_t)rig.trace[i].value;
        n++;
    }
    return n;
}

static void test_handle_clears_other_status_bits_and_says_so(void **state)
{
    static const uint32_t left[] = {0x4, 0x8, 0x80, 0x8c};

    (void)state;
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        uint32_t written = 0;

        power_up_with_all_status_bits();
        (void)vtdpi_model_raise_status(&rig.m, left[i]);
        assert_false(fault_handle(0));
        assert_int_equal(faults.seen_count, 1);
        assert_int_equal(faults.seen[0].kind, VTDPI_FAULT_STATUS);
        assert_int_equal(faults.seen[0].status, left[i]);
        assert_int_equal(status_writes(&written), 1);
        assert_int_equal(written, left[i]);
        assert_int_equal(fsts(), 0);
        rig_assert_clean();
    }
}

/* The unit sends no event while a status bit is set. */
static void test_event_after_other_status_bits_is_not_lost(void **state)
{
    uint32_t events;

    (void)state;
    for (uint32_t bit = 1; bit < 0x100; bit <<= 1) {
        power_up_with_all_status_bits();
        if (vtdpi_model_raise_status(&rig.m, bit) == 0)
            continue;
        events = faults.events;
        fault_raise();
        assert_int_equal(faults.events, events); /* suppressed */
        assert_false(fault_handle(0));
        fault_raise();
        assert_int_equal(faults.events, events + 1);
    }
}

static void test_clear_all_leaves_no_status_bit(void **state)
{
    (void)state;
    for (uint32_t bit = 1; bit < 0x100; bit <<= 1) {
        power_up_with_all_status_bits();
        (void)vtdpi_model_raise_status(&rig.m, bit);
        assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
        assert_int_equal(faults.seen_count, 0);
        assert_int_equal(fsts(), 0);
        faults.events = 0;
        fault_raise();
        assert_int_equal(faults.events, 1);
        rig_assert_clean();
    }
}

static void test_clear_all_stuck_status_bit_returns_ebusy(void **state)
{
    (void)state;
    power_up_with_all_status_bits();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK, 0x80);
    (void)vtdpi_model_raise_status(&rig.m, 0x80);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), VTDPI_EBUSY);
    assert_true(fault_handle(0));
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_FSTS_STUCK);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    assert_int_equal(fsts(), 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, fault_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_handle_nothing_pending_reads_no_record),
        TEST(test_handle_one_record_is_cleared_and_delivered),
        TEST(test_handle_wraps_modulo_number_of_records),
        TEST(test_handle_any_number_of_records),
        TEST(test_handle_first_call_finds_records_behind_a_gap),
        TEST(test_handle_first_call_begins_at_fri),
        TEST(test_handle_fri_beyond_the_records_is_survived),
        TEST(test_handle_overflow_is_reported_once_and_cleared),
        TEST(test_handle_overflow_clears_only_pfo),
        TEST(test_handle_bounded_overflow_lets_recording_go_on),
        TEST(test_handle_max_is_kept_and_more_is_said),
        TEST(test_handle_bounded_keeps_order_over_the_wrap),
        TEST(test_handle_storm_ends_after_all_records),
        TEST(test_handle_two_cpus_deliver_each_record_once),
        TEST(test_handle_fault_before_each_access_is_delivered),
        TEST(test_handle_stuck_record_does_not_spin),
        TEST(test_handle_stuck_record_starves_no_other),
        TEST(test_handle_stuck_overflow_does_not_spin),
        TEST(test_handle_gone_unit_returns_eio),
        TEST(test_handle_unit_goes_before_each_access),
        TEST(test_handle_unit_blinks_at_each_access),
        TEST(test_clear_all_forgets_everything),
        TEST(test_clear_all_stuck_returns_ebusy),
        TEST(test_handle_unit_never_enabled_works),
        TEST(test_foreign_queue_error_stays),
        TEST(test_handle_clears_other_status_bits_and_says_so),
        TEST(test_event_after_other_status_bits_is_not_lost),
        TEST(test_clear_all_leaves_no_status_bit),
        TEST(test_clear_all_stuck_status_bit_returns_ebusy),
    };

    return cmocka_run_group_tests_name("fault_ring", tests, NULL, NULL);
}
