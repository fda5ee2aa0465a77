/* SPDX-License-Identifier: BSD-2-Clause */
#include "atomic_hook.h"
#include "replay.h"
#include "test.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* References, detach, and offline, beside scans that are under way. */

static void test_vcpu_detach_referenced_busy(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;

    assert_int_equal(vtdpi_vcpu_ref(v), 0);
    assert_int_equal(vtdpi_vcpu_ref(v), 0);
    assert_int_equal(vtdpi_vcpu_refs(v), 2);
    assert_int_equal(vtdpi_vcpu_detach_begin(v), VTDPI_EBUSY);
    vtdpi_vcpu_unref(v);
    assert_int_equal(vtdpi_vcpu_detach(v), VTDPI_EBUSY);
    assert_true(vtdpi_vcpu_attached(v));
    vtdpi_vcpu_unref(v);
    assert_int_equal(vtdpi_vcpu_detach_begin(v), 0);
    assert_int_equal(vtdpi_vcpu_ref(v), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_vcpu_detach_begin(v), VTDPI_ECLOSED);
    assert_true(vtdpi_vcpu_detach_poll(v));
    assert_true(vtdpi_vcpu_detach_poll(v));
    assert_false(vtdpi_vcpu_attached(v));
    assert_int_equal(vtdpi_vcpu_detach_begin(v), VTDPI_EDETACHED);
    assert_int_equal(vtdpi_vcpu_detach(v), VTDPI_EDETACHED);
    assert_int_equal(vtdpi_vcpu_ref(v), VTDPI_ECLOSED);
}

/* Each kind keeps the vCPU, and neither is taken for the other. */
static void test_vcpu_detach_held_busy(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;

    assert_int_equal(vtdpi_vcpu_hold(v), 0);
    assert_int_equal(vtdpi_vcpu_hold(v), 0);
    assert_int_equal(vtdpi_vcpu_holds(v), 2);
    assert_int_equal(vtdpi_vcpu_refs(v), 0);
    assert_int_equal(vtdpi_vcpu_ref(v), 0);
    vtdpi_vcpu_unhold(v);
    vtdpi_vcpu_unhold(v);
    assert_int_equal(vtdpi_vcpu_holds(v), 0);
    assert_int_equal(vtdpi_vcpu_refs(v), 1);
    assert_int_equal(vtdpi_vcpu_detach_begin(v), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vcpu_hold(v), 0);
    vtdpi_vcpu_unref(v);
    assert_int_equal(vtdpi_vcpu_detach_begin(v), VTDPI_EBUSY);
    vtdpi_vcpu_unhold(v);
    assert_int_equal(vtdpi_vcpu_detach(v), 0);
    assert_int_equal(vtdpi_vcpu_hold(v), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_vcpu_holds(v), 0);
}

static void test_vcpu_detach_blocked_leaves_nothing(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    world_device_post(&w->vcpu[0], 0x40, false);
    assert_int_equal(vtdpi_vcpu_detach(&w->vcpu[0].v), 0);
    w->vcpu[0].gone = true;
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), VCPUS - 1);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], WNV), 0);
    assert_int_equal(vtdpi_pcpu_offline(&w->pcpu[2]), VCPUS - 1);
}

/* A scan is under way on each of the sequences in turn: detach waits. */
static void test_vcpu_detach_poll_waits_for_every_scan(void **state)
{
    struct world *w = *state;
    uint64_t *const seqs[] = {&w->pcpu[0].scan, &w->pcpu[1].scan,
                              &w->pcpu[2].scan, &w->s.scan};

    for (unsigned int i = 0; i < 4; i++) {
        struct world_vcpu *v = &w->vcpu[0];

        *seqs[i] = 7;
        assert_int_equal(vtdpi_vcpu_detach_begin(&v->v), 0);
        assert_false(vtdpi_vcpu_detach_poll(&v->v));
        assert_false(vtdpi_vcpu_detach_poll(&v->v));
        assert_int_equal(vtdpi_vcpu_attach(&w->s, &(struct vtdpi_vcpu){0},
                                           world_slots[0], w),
                         VTDPI_ESLOTBUSY);
        /* It has ended, and another one has begun. */
        *seqs[i] = 9;
        assert_true(vtdpi_vcpu_detach_poll(&v->v));
        *seqs[i] = 10;
        assert_int_equal(vtdpi_vcpu_attach(&w->s, &v->v, world_slots[0], v), 0);
    }
}

static unsigned int relaxed;

static void end_the_scan(void *ctx)
{
    struct world *w = ctx;

    if (++relaxed == 3)
        w->pcpu[1].scan++;
}

static void test_vcpu_detach_relaxes_while_it_waits(void **state)
{
    struct world *w = *state;

    relaxed = 0;
    w->ops.relax = end_the_scan;
    w->pcpu[1].scan = 1;
    assert_int_equal(vtdpi_vcpu_detach(&w->vcpu[0].v), 0);
    assert_int_equal(relaxed, 3);
}

/* Detach before step k of a scan, for every k and both kinds of scan: wake
 * never comes after detach is done. */

struct detach_at {
    uint32_t (*scan)(struct vtdpi_pcpu *p);
    struct world *w;
    unsigned int step;
    unsigned int at;
};

static void poll_detach(struct world_vcpu *v)
{
    if (!v->gone && vtdpi_vcpu_detach_poll(&v->v))
        v->gone = true;
}

static void detach_at_step(void *ctx, enum hook_kind kind, const void *addr)
{
    struct detach_at *d = ctx;
    struct world_vcpu *v = &d->w->vcpu[0];

    (void)kind;
    (void)addr;
    d->step++;
    if (d->step == d->at)
        assert_int_equal(vtdpi_vcpu_detach_begin(&v->v), 0);
    if (d->step >= d->at)
        poll_detach(v);
}

static bool detach_during(void *ctx, unsigned int at)
{
    struct world *w = world_new(world_slots);
    struct detach_at *d = ctx;

    d->w = w;
    d->step = 0;
    d->at = at;
    world_block_all(w, 2);
    for (unsigned int i = 0; i < VCPUS; i++)
        world_device_post(&w->vcpu[i], 0x40, false);
    hook.before = detach_at_step;
    hook.ctx = d;
    (void)d->scan(&w->pcpu[2]);
    hook_reset();
    assert_int_equal(w->vcpu[1].wakes, 1);
    if (d->step >= at) {
        poll_detach(&w->vcpu[0]);
        assert_true(w->vcpu[0].gone);
    }
    world_free(w);
    return d->step >= at;
}

static uint32_t handle(struct vtdpi_pcpu *p)
{
    return vtdpi_pcpu_handle_wakeup(p, WNV);
}

static void test_vcpu_detach_during_handler_no_wake_after(void **state)
{
    struct detach_at d = {.scan = handle};

    (void)state;
    (void)replay_every_step(detach_during, &d, 1);
}

static void test_vcpu_detach_during_offline_no_wake_after(void **state)
{
    struct detach_at d = {.scan = vtdpi_pcpu_offline};

    (void)state;
    (void)replay_every_step(detach_during, &d, 1);
}

/* Offline while the handler has a summary bit clear over a leaf that is not
 * empty: a vCPU blocks after the handler read its leaf empty, and offline
 * comes at each later step. */

struct brief {
    struct world *w;
    unsigned int step;
    unsigned int block_at;
    unsigned int offline_at;
    bool was_clear;
};

static void block_then_offline(void *ctx, enum hook_kind kind, const void *addr)
{
    struct brief *b = ctx;
    struct world *w = b->w;

    (void)kind;
    (void)addr;
    b->step++;
    if (b->step == b->block_at)
        world_halt(&w->vcpu[0], 2, false);
    if (b->step == b->offline_at) {
        if (b->step > b->block_at && (w->bitmap[2][2 * PAGES] & 1) == 0)
            b->was_clear = true;
        world_offline(w, 2);
    }
}

static bool brief_once(void *ctx, unsigned int offline_at)
{
    struct world *w = world_new(world_slots);
    struct brief *b = ctx;

    /* A summary bit over an empty leaf. */
    world_halt(&w->vcpu[0], 2, false);
    world_enter(&w->vcpu[0], 0);
    b->w = w;
    b->step = 0;
    b->offline_at = offline_at;
    hook.before = block_then_offline;
    hook.ctx = b;
    (void)vtdpi_pcpu_handle_wakeup(&w->pcpu[2], WNV);
    hook_reset();
    world_settle(w);
    world_check(w);
    world_device_post(&w->vcpu[0], 0x40, false);
    world_settle(w);
    world_check(w);
    assert_int_equal(w->vcpu[0].state, GUEST);
    world_free(w);
    return b->step >= b->offline_at;
}

static void test_pcpu_offline_summary_briefly_clear_wakes(void **state)
{
    struct brief b = {0};

    (void)state;
    for (b.block_at = 1; b.block_at < 20; b.block_at++)
        (void)replay_every_step(brief_once, &b, b.block_at);
    /* The case that this test is about did occur. */
    assert_true(b.was_clear);
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_vcpu_detach_referenced_busy),
        TEST(test_vcpu_detach_held_busy),
        TEST(test_vcpu_detach_blocked_leaves_nothing),
        TEST(test_vcpu_detach_poll_waits_for_every_scan),
        TEST(test_vcpu_detach_relaxes_while_it_waits),
        TEST(test_vcpu_detach_during_handler_no_wake_after),
        TEST(test_vcpu_detach_during_offline_no_wake_after),
        TEST(test_pcpu_offline_summary_briefly_clear_wakes),
    };

    return cmocka_run_group_tests_name("sched_detach", tests, NULL, NULL);
}
