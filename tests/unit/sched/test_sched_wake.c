/* SPDX-License-Identifier: BSD-2-Clause */
/* What wake may call, from within each scan that calls wake. */
#include "atomic_hook.h"
#include "test.h"
#include "world.h"

/* What platform.h lets wake call. */
enum in_wake {
    MARK_ONLY,
    RUN,     /* and sync */
    PREEMPT, /* paused: somebody resumes it later */
    POST,    /* to itself, and to the next */
    ACTS,
};

static enum in_wake in_wake[VCPUS];

/* A vCPU that sleeps is owned by the code that wakes it. */
static void wake_and_act(void *ctx, void *cookie)
{
    struct world *w = ctx;
    struct world_vcpu *v = cookie;
    const unsigned int n = (unsigned int)(v - w->vcpu);

    v->woken = true;
    v->wakes++;
    if (in_wake[n] == RUN && v->state == SLEEPING)
        world_enter(v, 0);
    if (in_wake[n] == PREEMPT && v->state == SLEEPING)
        world_leave(v);
    if (in_wake[n] == POST) {
        world_software_post(v, 0x60, false);
        world_software_post(&w->vcpu[(n + 1) % VCPUS], 0x61, false);
    }
}

static void scan_by_handler(struct world *w)
{
    world_interrupts(w, 1);
}

static void scan_by_offline(struct world *w)
{
    world_offline(w, 1);
}

static void scan_by_rescan(struct world *w)
{
    (void)vtdpi_pcpu_rescan(&w->pcpu[1]);
}

/* Two of three have a post when the scan finds them. */
static void wake_acts(void (*scan)(struct world *w))
{
    struct world *w = world_new(world_slots);

    w->ops.wake = wake_and_act;
    world_block_all(w, 1);
    world_device_post(&w->vcpu[0], 0x40, false);
    world_device_post(&w->vcpu[1], 0x41, false);
    scan(w);
    assert_true(w->vcpu[0].wakes > 0 && w->vcpu[1].wakes > 0);
    world_finish(w);
    world_free(w);
}

static void test_wake_calls_what_it_may_nothing_lost(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ACTS * ACTS * ACTS; i++) {
        in_wake[0] = (enum in_wake)(i % ACTS);
        in_wake[1] = (enum in_wake)(i / ACTS % ACTS);
        in_wake[2] = (enum in_wake)(i / ACTS / ACTS);
        wake_acts(scan_by_handler);
        wake_acts(scan_by_offline);
        wake_acts(scan_by_rescan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wake_calls_what_it_may_nothing_lost),
    };

    hook_reset();
    return cmocka_run_group_tests_name("sched_wake", tests, NULL, NULL);
}
