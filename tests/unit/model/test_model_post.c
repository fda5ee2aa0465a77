/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include "model_rig.h"
#include "vtdpi/atomic.h"

/* Posted to the descriptor at 5_00010000h; vector 41h, and with URG. */
#define POSTED     0x0001000000418001ull
#define POSTED_URG 0x000100000041c001ull
/* To the next descriptor, vector 80h. */
#define POSTED2    0x0001004000808001ull
#define PDA_HIGH   0x0000000500000000ull

/* NV = f2h, NDST = 12345678h; ON is bit 0, SN bit 1. */
#define CONTROL    0x1234567800f20000ull

static uint64_t *pid(struct rig *rig)
{
    return rig_words(rig, RIG_PID);
}

static void setup_posted(struct rig *rig, uint64_t lo, uint64_t control)
{
    rig_entry(rig, 0, lo, PDA_HIGH);
    rig_invalidate_all(rig);
    memset(pid(rig), 0, 64);
    pid(rig)[4] = control;
}

static void test_post_rule_all_eight(void **state)
{
    static const struct {
        bool on;
        bool sn;
        bool urg;
        bool notified;
        bool on_after;
    } t[] = {
        {false, false, false, true, true},  {false, false, true, true, true},
        {false, true, false, false, false}, {false, true, true, true, true},
        {true, false, false, false, true},  {true, false, true, false, true},
        {true, true, false, false, true},   {true, true, true, false, true},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < 8; i++) {
        const uint64_t sn = t[i].sn ? 2 : 0;
        struct vtdpi_model_notification n;

        setup_posted(rig, t[i].urg ? POSTED_URG : POSTED,
                     CONTROL | sn | t[i].on);
        assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_POSTED);
        assert_int_equal(rig->r.notified, t[i].notified);
        assert_int_equal(rig->r.urgent, t[i].urg);
        assert_false(rig->r.merged);
        assert_true(pid(rig)[0] == 0 && pid(rig)[2] == 0 && pid(rig)[3] == 0);
        assert_true(pid(rig)[1] == 2); /* Vector 41h. */
        assert_true(pid(rig)[4] == (CONTROL | sn | t[i].on_after));
        assert_int_equal(vtdpi_model_notifications(&rig->m), t[i].notified);
        if (t[i].notified)
            assert_true(vtdpi_model_take_notification(&rig->m, 0, &n));
    }
    assert_int_equal(rig_count(rig).raised, 8);
    assert_int_equal(rig_count(rig).posted, 8);
    assert_int_equal(rig_count(rig).merged, 0);
    assert_int_equal(rig_count(rig).notified, 3);
    assert_int_equal(rig_count(rig).suppressed, 1);
    assert_int_equal(rig_count(rig).outstanding, 4);
    rig_expect_none(rig);
}

static void test_post_each_vector_has_its_bit(void **state)
{
    struct rig *rig = *state;

    for (uint32_t v = 16; v < 256; v++) {
        setup_posted(rig, (POSTED & ~0xff0000ull) | v << 16, CONTROL | 3);
        assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_POSTED);
        assert_int_equal(rig->r.vector, v);
        assert_true(rig->r.pda == RIG_PID);
        for (uint32_t w = 0; w < 4; w++)
            assert_true(pid(rig)[w] == (w == v / 64 ? 1ull << v % 64 : 0));
    }
}

static void test_post_twice_merges(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, CONTROL);
    (void)rig_fire(rig, 0);
    assert_false(rig->r.merged);
    (void)rig_fire(rig, 0);
    assert_true(rig->r.merged);
    assert_false(rig->r.notified);
    assert_int_equal(rig_count(rig).posted, 2);
    assert_int_equal(rig_count(rig).merged, 1);
    assert_int_equal(rig_count(rig).notified, 1);
}

static void test_post_merge_after_on_cleared_notifies_again(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, CONTROL);
    (void)rig_fire(rig, 0);
    pid(rig)[4] = CONTROL;
    (void)rig_fire(rig, 0);
    assert_true(rig->r.merged);
    assert_true(rig->r.notified);
}

static void test_notification_carries_descriptor_fields(void **state)
{
    struct rig *rig = *state;
    struct vtdpi_model_notification n;

    setup_posted(rig, POSTED, CONTROL);
    (void)rig_fire(rig, 0);
    assert_true(vtdpi_model_take_notification(&rig->m, 0, &n));
    assert_int_equal(n.nv, 0xf2);
    assert_true(n.ndst == 0x12345678);
    assert_true(n.apic_id == 0x12345678);
    assert_true(n.pda == RIG_PID);
    assert_int_equal(rig->r.notification.nv, 0xf2);
    assert_false(vtdpi_model_take_notification(&rig->m, 0, &n));
}

static void test_notification_xapic_destination(void **state)
{
    struct rig *rig = *state;

    rig_on(rig, false);
    setup_posted(rig, POSTED, 0x0000070000f20000ull);
    (void)rig_fire(rig, 0);
    assert_int_equal(rig->r.notification.apic_id, 7);
    assert_int_equal(rig->r.notification.ndst, 0x700);
    rig_expect_none(rig);
    setup_posted(rig, POSTED, 0x0000000700f20000ull); /* Not shifted. */
    (void)rig_fire(rig, 0);
    rig_expect(rig, VTDPI_MODEL_NDST_FORMAT, 0);
    setup_posted(rig, POSTED, 0x0001070000f20000ull);
    (void)rig_fire(rig, 0);
    assert_int_equal(rig->r.notification.apic_id, 7);
    rig_expect(rig, VTDPI_MODEL_NDST_FORMAT, 0);
}

static void test_notification_vector_too_low_is_violation(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, 0x00000001000f0000ull);
    (void)rig_fire(rig, 0);
    rig_expect(rig, VTDPI_MODEL_VECTOR, 0);
}

static void test_notifications_taken_in_any_order(void **state)
{
    struct rig *rig = *state;
    struct vtdpi_model_notification n;

    for (uint64_t i = 0; i < 4; i++) {
        setup_posted(rig, POSTED, i << 32 | 0xf20000);
        (void)rig_fire(rig, 0);
    }
    assert_int_equal(vtdpi_model_notifications(&rig->m), 4);
    assert_true(vtdpi_model_take_notification(&rig->m, 2, &n));
    assert_int_equal(n.apic_id, 2);
    assert_true(vtdpi_model_take_notification(&rig->m, 2, &n));
    assert_int_equal(n.apic_id, 3);
    assert_false(vtdpi_model_take_notification(&rig->m, 2, &n));
    assert_true(vtdpi_model_take_notification(&rig->m, 0, &n));
    assert_int_equal(n.apic_id, 0);
    assert_true(vtdpi_model_take_notification(&rig->m, 0, &n));
    assert_int_equal(n.apic_id, 1);
    assert_int_equal(vtdpi_model_notifications(&rig->m), 0);
}

static void test_notification_without_room_is_violation(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 5; i++) {
        setup_posted(rig, POSTED, CONTROL);
        (void)rig_fire(rig, 0);
    }
    assert_int_equal(vtdpi_model_notifications(&rig->m), 4);
    rig_expect(rig, VTDPI_MODEL_NOTIFICATION_LOST, 0);
}

static struct vtdpi_model_notification sent;
static unsigned int sent_count;

static void send(void *ctx, const struct vtdpi_model_notification *n)
{
    (void)ctx;
    sent = *n;
    sent_count++;
}

static void test_notify_callback_replaces_queue(void **state)
{
    struct rig *rig = *state;

    rig->params.notify = send;
    rig_reset(rig);
    rig_on(rig, true);
    sent_count = 0;
    setup_posted(rig, POSTED, CONTROL);
    (void)rig_fire(rig, 0);
    assert_int_equal(sent_count, 1);
    assert_int_equal(sent.nv, 0xf2);
    assert_int_equal(vtdpi_model_notifications(&rig->m), 0);
}

/* Faults of the descriptor. */

static void test_descriptor_unreachable_is_27h(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 0, POSTED, 0); /* PDA 10000h */
    rig_expect_blocked(rig, 0, 0x27);
    assert_true(rig->r.pda == 0x10000);
    rig_entry(rig, 1, POSTED, PDA_HIGH);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_PID_ACCESS, 0);
    rig_expect_blocked(rig, 1, 0x27);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_PID_ACCESS);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_POSTED);
    assert_int_equal(rig_count(rig).raised, 3);
    assert_int_equal(rig_count(rig).posted, 1);
    assert_int_equal(rig_count(rig).pid_faults, 2);
}

static void test_descriptor_each_reserved_bit_is_28h(void **state)
{
    struct rig *rig = *state;
    unsigned int faults = 0;

    for (unsigned int bit = 256; bit < 512; bit++) {
        const bool defined = bit <= 257 || (bit >= 272 && bit <= 279) ||
                             (bit >= 288 && bit <= 319);

        setup_posted(rig, POSTED, CONTROL | 3);
        pid(rig)[bit / 64] |= 1ull << bit % 64;
        if (defined) {
            assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_POSTED);
        } else {
            rig_expect_blocked(rig, 0, 0x28);
            assert_true(pid(rig)[1] == 0);
            faults++;
        }
    }
    assert_int_equal(faults, 14 + 8 + 192);
}

/* Two steps, and posts in flight. */

static uint64_t pir_seen;
static uint64_t on_seen;

static void look_between(void *ctx, struct vtdpi_model *m,
                         enum vtdpi_model_step kind)
{
    struct rig *rig = ctx;

    (void)m;
    if (kind != VTDPI_MODEL_STEP_CONTROL)
        return;
    pir_seen = pid(rig)[1];
    on_seen = pid(rig)[4] & 1;
    pid(rig)[4] |= 2; /* SN: suppressed at the last moment. */
}

static void expect_two_steps(struct rig *rig)
{
    rig->params.step = look_between;
    rig_reset(rig);
    rig_on(rig, true);
    setup_posted(rig, POSTED, CONTROL);
    pir_seen = 0;
    assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_POSTED);
    assert_true(pir_seen == 2);
    assert_int_equal(on_seen, 0);
    assert_false(rig->r.notified);
    assert_true(pid(rig)[4] == (CONTROL | 2));
}

static void test_split_post_lets_others_in_between(void **state)
{
    struct rig *rig = *state;

    rig->params.split_post = true;
    expect_two_steps(rig);
}

static void test_concurrent_posts_in_two_steps(void **state)
{
    struct rig *rig = *state;

    rig->params.concurrent = true;
    expect_two_steps(rig);
}

static void test_post_late_lands_at_register_read(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, CONTROL);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_IN_FLIGHT);
    assert_true(rig->r.pda == RIG_PID);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 1);
    rig_entry(rig, 0, 0, 0);
    rig_invalidate_all(rig);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    assert_int_equal(*rig_status(rig, 0), 1);
    assert_true(pid(rig)[1] == 0); /* The wait does not drain it ... */
    (void)rig_gsts(rig);
    assert_true(pid(rig)[1] == 2); /* ... a read does. */
    assert_true(pid(rig)[4] == (CONTROL | 1));
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 0);
    assert_int_equal(rig_count(rig).raised, 1);
    assert_int_equal(rig_count(rig).posted, 1);
}

static void test_post_late_drained_by_hand_in_order(void **state)
{
    struct rig *rig = *state;
    struct vtdpi_model_notification n;

    setup_posted(rig, POSTED, 0x0000000100f20000);
    rig_entry(rig, 1, POSTED2, PDA_HIGH);
    rig_words(rig, RIG_PID2)[4] = 0x0000000200f20000;
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    (void)rig_fire(rig, 1);
    (void)rig_fire(rig, 0);
    assert_int_equal(vtdpi_model_drain(&rig->m), 2);
    assert_int_equal(vtdpi_model_drain(&rig->m), 0);
    assert_true(rig_words(rig, RIG_PID2)[2] == 1);
    assert_true(vtdpi_model_take_notification(&rig->m, 0, &n));
    assert_int_equal(n.apic_id, 2);
    assert_true(vtdpi_model_take_notification(&rig->m, 0, &n));
    assert_int_equal(n.apic_id, 1);
}

static void test_post_late_full_pushes_out_the_oldest(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, CONTROL);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    for (int i = 0; i < 16; i++)
        (void)rig_fire(rig, 0);
    assert_int_equal(rig_count(rig).posted, 0);
    (void)rig_fire(rig, 0);
    assert_int_equal(rig_count(rig).posted, 1);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 16);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 0);
    assert_int_equal(rig_count(rig).posted, 17);
}

static bool sent_between;

static void send_between(void *ctx, struct vtdpi_model *m,
                         enum vtdpi_model_step kind)
{
    struct vtdpi_model_result r;

    (void)ctx;
    if (kind != VTDPI_MODEL_STEP_CONTROL || sent_between)
        return;
    sent_between = true;
    (void)vtdpi_model_msi(m, RIG_SID, RIG_MSI(0), 0, &r);
    assert_int_equal(r.outcome, VTDPI_MODEL_IN_FLIGHT);
}

/* The place that the oldest has left is taken before the new one gets it. */
static void
test_post_late_full_and_filled_by_a_hook_pushes_out_two(void **state)
{
    struct rig *rig = *state;

    rig->params.split_post = true;
    rig->params.step = send_between;
    rig_reset(rig);
    rig_on(rig, true);
    setup_posted(rig, POSTED, CONTROL);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    for (int i = 0; i < 16; i++)
        (void)rig_fire(rig, 0);
    sent_between = false;
    (void)rig_fire(rig, 0);
    assert_true(sent_between);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 16);
    assert_int_equal(rig_count(rig).posted, 2);
}

static void *map_and_land(void *ctx, uint64_t phys, size_t len)
{
    struct rig *rig = ctx;

    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE);
    return rig_map(ctx, phys, len);
}

/* A callback has all others land while the first does. */
static void test_post_late_drained_inside_a_drain_lands_once(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, CONTROL);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    for (int i = 0; i < 3; i++)
        (void)rig_fire(rig, 0);
    rig->m.params.map = map_and_land;
    assert_int_equal(vtdpi_model_drain(&rig->m), 3);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 0);
    assert_int_equal(rig_count(rig).posted, 3);
}

static void test_post_late_fault_is_recorded_late(void **state)
{
    struct rig *rig = *state;

    setup_posted(rig, POSTED, CONTROL);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    (void)rig_fire(rig, 0);
    pid(rig)[5] = 1;
    assert_int_equal(rig_count(rig).blocked, 0);
    (void)vtdpi_model_drain(&rig->m);
    assert_int_equal(rig_count(rig).pid_faults, 1);
    assert_int_equal(rig_count(rig).blocked, 1);
    assert_true(vtdpi_model_peek(&rig->m, 0x108) == 0x8000002800000a10);
}

/* Real CPUs beside the model: a device thread, a consumer that harvests. */

#define POSTS 20000

struct device {
    struct rig *rig;
    uint64_t done;
};

static void *run_device(void *arg)
{
    struct device *d = arg;
    struct vtdpi_model_result r;

    for (int i = 0; i < POSTS; i++)
        (void)vtdpi_model_msi(&d->rig->m, RIG_SID, RIG_MSI(0), 0, &r);
    vtdpi_atomic_store64_release(&d->done, 1);
    return NULL;
}

static uint64_t harvest(uint64_t *p)
{
    (void)vtdpi_atomic_and64(&p[4], ~1ull);
    return vtdpi_atomic_xchg64(&p[1], 0) != 0;
}

static bool driver_works(struct rig *rig)
{
    const uintptr_t token = vtdpi_model_platform_ops.lock(&rig->m);
    const bool good = vtdpi_model_read32(&rig->m, 0x1c) == 0x07000000;

    vtdpi_model_platform_ops.unlock(&rig->m, token);
    return good;
}

static void test_concurrent_posts_all_accounted(void **state)
{
    struct rig *rig = *state;
    struct device d[2] = {{rig, 0}, {rig, 0}};
    struct vtdpi_model_counters c;
    pthread_t thread[2];
    uint64_t taken = 0;
    bool good = true;

    rig->params.concurrent = true;
    rig->params.notify = send;
    rig_reset(rig);
    rig_on(rig, true);
    setup_posted(rig, POSTED, CONTROL);
    sent_count = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run_device, &d[i]),
                         0);
    while (vtdpi_atomic_load64_acquire(&d[0].done) == 0 ||
           vtdpi_atomic_load64_acquire(&d[1].done) == 0) {
        good = driver_works(rig) && good;
        taken += harvest(pid(rig));
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    taken += harvest(pid(rig));
    c = rig_count(rig);
    assert_true(good);
    assert_int_equal(c.posted, 2 * POSTS);
    assert_int_equal(c.posted - c.merged, taken);
    assert_int_equal(c.notified, sent_count);
    assert_int_equal(c.notified + c.outstanding, c.posted);
    rig_expect_none(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test_on(test_post_rule_all_eight),
        rig_test_on(test_post_each_vector_has_its_bit),
        rig_test_on(test_post_twice_merges),
        rig_test_on(test_post_merge_after_on_cleared_notifies_again),
        rig_test_on(test_notification_carries_descriptor_fields),
        rig_test(test_notification_xapic_destination),
        rig_test_on(test_notification_vector_too_low_is_violation),
        rig_test_on(test_notifications_taken_in_any_order),
        rig_test_on(test_notification_without_room_is_violation),
        rig_test(test_notify_callback_replaces_queue),
        rig_test_on(test_descriptor_unreachable_is_27h),
        rig_test_on(test_descriptor_each_reserved_bit_is_28h),
        rig_test(test_split_post_lets_others_in_between),
        rig_test(test_concurrent_posts_in_two_steps),
        rig_test_on(test_post_late_lands_at_register_read),
        rig_test_on(test_post_late_drained_by_hand_in_order),
        rig_test_on(test_post_late_full_pushes_out_the_oldest),
        rig_test_on(test_post_late_full_and_filled_by_a_hook_pushes_out_two),
        rig_test_on(test_post_late_drained_inside_a_drain_lands_once),
        rig_test_on(test_post_late_fault_is_recorded_late),
        rig_test(test_concurrent_posts_all_accounted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
