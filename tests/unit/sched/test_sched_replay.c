/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step replay: each operation of sched.h is run again and again with one or
 * two events injected before its k-th atomic access, for every k. Afterwards
 * everything in flight arrives, and no vector may be lost nor any vCPU deaf.
 */
#include "atomic_hook.h"
#include "replay.h"
#include "test.h"
#include "world.h"

/* Slots in one leaf word, and in another leaf and summary word. */
static const uint32_t near_slots[VCPUS] = {5, 6, 63};
static const uint32_t far_slots[VCPUS] = {5, 70, 65 * 64 + 7};

typedef void event_fn(struct world *w);

static void post_hw_low(struct world *w)
{
    world_device_post(&w->vcpu[0], 0x31, false);
}

static void post_hw_high(struct world *w)
{
    world_device_post(&w->vcpu[0], 0xe5, false);
}

static void post_sw(struct world *w)
{
    world_software_post(&w->vcpu[0], 0x71, false);
}

static void post_urgent(struct world *w)
{
    world_device_post(&w->vcpu[0], 0xa2, true);
}

static void post_neighbour(struct world *w)
{
    world_device_post(&w->vcpu[1], 0x45, false);
}

static void interrupts(struct world *w)
{
    /* The handler does not nest: a pCPU that is in one defers the vector. */
    for (unsigned int p = 0; p < PCPUS - 1; p++) {
        if (w->pcpu[p].scan % 2 == 0)
            world_interrupts(w, p);
    }
}

static void offline_1(struct world *w)
{
    if (!w->dead[1] && w->s.scan % 2 == 0)
        world_offline(w, 1);
}

static void rescan_1(struct world *w)
{
    if (w->s.scan % 2 == 0)
        (void)vtdpi_pcpu_rescan(&w->pcpu[1]);
}

/* Another owner is at work at the same time. */
static void third_moves(struct world *w)
{
    struct world_vcpu *v = &w->vcpu[2];

    if (v->state == SLEEPING)
        world_enter(v, 2);
    else
        world_halt(v, 1, false);
}

static void take_while_blocked(struct world *w)
{
    /* A guest that got something goes on. */
    if (world_take(&w->vcpu[0]))
        w->vcpu[0].woken = true;
}

/* The owner of vCPU 0, while somebody else is at work on it. */
static void owner_leaves_or_enters(struct world *w)
{
    if (w->vcpu[0].state == GUEST)
        world_leave(&w->vcpu[0]);
    else
        world_enter(&w->vcpu[0], 2);
}

static void owner_blocks_or_runs(struct world *w)
{
    if (w->vcpu[0].state == SLEEPING)
        world_enter(&w->vcpu[0], 2);
    else
        world_halt(&w->vcpu[0], 1, false);
}

static void owner_harvests(struct world *w)
{
    if (w->vcpu[0].state != GUEST)
        take_while_blocked(w);
}

static const struct {
    const char *name;
    event_fn *fn;
    bool by_owner; /* only while an operation of somebody else is replayed */
} events[] = {
    {"hardware post", post_hw_low, false},
    {"hardware post, last word", post_hw_high, false},
    {"software post", post_sw, false},
    {"urgent hardware post", post_urgent, false},
    {"post to the neighbour", post_neighbour, false},
    {"interrupts arrive", interrupts, false},
    {"offline", offline_1, false},
    {"rescan", rescan_1, false},
    {"another vCPU blocks or runs", third_moves, false},
    {"the owner leaves or enters", owner_leaves_or_enters, true},
    {"the owner blocks or runs", owner_blocks_or_runs, true},
    {"the owner harvests", owner_harvests, true},
};
enum {
    EVENTS = sizeof(events) / sizeof(events[0])
};

/* An operation: what comes before, unhooked; and what is replayed. */
struct operation {
    const char *name;
    event_fn *before;
    event_fn *run;
    bool by_others; /* not by the owner of vCPU 0 */
};

static void in_guest_0(struct world *w)
{
    world_enter(&w->vcpu[0], 0);
    world_enter(&w->vcpu[1], 2);
    world_halt(&w->vcpu[1], 2, false);
}

static void preempted_with_posts(struct world *w)
{
    in_guest_0(w);
    world_leave(&w->vcpu[0]);
    world_device_post(&w->vcpu[0], 0x99, false);
}

static void preempted_after_on(struct world *w)
{
    in_guest_0(w);
    world_device_post(&w->vcpu[0], 0x99, false);
    world_leave(&w->vcpu[0]);
}

static void blocked_on_1(struct world *w)
{
    in_guest_0(w);
    world_halt(&w->vcpu[0], 1, false);
}

static void blocked_and_posted(struct world *w)
{
    blocked_on_1(w);
    world_device_post(&w->vcpu[0], 0x99, false);
}

static void both_blocked_on_1(struct world *w)
{
    blocked_on_1(w);
    world_halt(&w->vcpu[1], 1, false);
    world_device_post(&w->vcpu[1], 0x99, false);
}

static void stale_summary_on_1(struct world *w)
{
    blocked_on_1(w);
    world_enter(&w->vcpu[0], 0);
    w->pending[1][WNV] = true;
}

/* The handler of the neighbour's vector looks at a leaf that has vCPU 0. */
static void other_vector_on_1(struct world *w)
{
    blocked_on_1(w);
    w->pending[1][WNV] = true;
}

static void block_on_1(struct world *w)
{
    world_halt(&w->vcpu[0], 1, false);
}

static void block_on_0(struct world *w)
{
    world_halt(&w->vcpu[0], 0, false);
}

static void block_committed_on_1(struct world *w)
{
    world_halt(&w->vcpu[0], 1, true);
}

static void enter_on_2(struct world *w)
{
    world_enter(&w->vcpu[0], 2);
}

static void leave_and_enter(struct world *w)
{
    world_leave(&w->vcpu[0]);
    world_enter(&w->vcpu[0], 2);
}

static void leave_and_block(struct world *w)
{
    world_leave(&w->vcpu[0]);
    world_halt(&w->vcpu[0], 1, false);
}

static void wake_up(struct world *w)
{
    world_leave(&w->vcpu[0]);
}

static void handle_on_1(struct world *w)
{
    world_interrupts(w, 1);
}

static void take_offline(struct world *w)
{
    offline_1(w);
}

static void run_and_block_again(struct world *w)
{
    world_enter(&w->vcpu[0], 0);
    world_halt(&w->vcpu[0], 1, false);
}

static const struct operation operations[] = {
    {"block", in_guest_0, block_on_1, false},
    {"block, own pCPU", in_guest_0, block_on_0, false},
    {"block, posts before", preempted_with_posts, block_on_1, false},
    {"block, ON before", preempted_after_on, block_on_1, false},
    {"block when blocked", blocked_on_1, block_on_1, false},
    {"block when blocked elsewhere", blocked_on_1, block_on_0, false},
    {"block_committed", in_guest_0, block_committed_on_1, false},
    {"block_committed, posts before", preempted_with_posts,
     block_committed_on_1, false},
    {"block_committed, ON before", preempted_after_on, block_committed_on_1,
     false},
    {"run, blocked before", blocked_on_1, enter_on_2, false},
    {"run, blocked and posted before", blocked_and_posted, enter_on_2, false},
    {"run, posts before", preempted_with_posts, enter_on_2, false},
    {"preempt, run", in_guest_0, leave_and_enter, false},
    {"preempt, block", in_guest_0, leave_and_block, false},
    {"preempt, blocked before", blocked_on_1, wake_up, false},
    {"sync while blocked", blocked_on_1, take_while_blocked, false},
    {"handler", both_blocked_on_1, handle_on_1, true},
    {"handler over an empty leaf", stale_summary_on_1, handle_on_1, true},
    {"handler of another vector", other_vector_on_1, handle_on_1, true},
    {"offline", both_blocked_on_1, take_offline, true},
    {"run, block again", blocked_and_posted, run_and_block_again, false},
    {"software post", in_guest_0, post_sw, true},
    {"software post, preempted", preempted_with_posts, post_sw, true},
    {"software post, blocked", blocked_on_1, post_sw, true},
};

/* Where the vCPUs are, how many wakeup vectors there are, and how pCPUs are
 * named. */
struct layout {
    const uint32_t *slots;
    uint8_t wnv_count;
    enum vtdpi_apic_mode mode;
};

struct replay {
    const struct layout *layout;
    const struct operation *op;
    struct world *w;
    unsigned int step;
    unsigned int at[2];
    unsigned int event[2];
};

static void on_access(void *ctx, enum hook_kind kind, const void *addr)
{
    struct replay *r = ctx;

    (void)kind;
    (void)addr;
    r->step++;
    world_check_never(r->w);
    for (unsigned int i = 0; i < 2; i++) {
        if (r->at[i] == r->step)
            events[r->event[i]].fn(r->w);
    }
}

static void finish(struct world *w)
{
    world_finish(w);
    for (unsigned int i = 0; i < VCPUS; i++)
        assert_int_equal(w->vcpu[i].state, GUEST);
}

/* The world that is being replayed, so that a failure can be named. */
static struct replay now;

/* One run; returns the number of steps of the operation. */
static unsigned int replay_once(void)
{
    const struct layout *l = now.layout;

    now.w = world_new_as(l->slots, l->wnv_count, l->mode);
    now.step = 0;
    now.op->before(now.w);
    hook.before = on_access;
    hook.ctx = &now;
    now.op->run(now.w);
    hook_reset();
    finish(now.w);
    world_free(now.w);
    now.w = NULL;
    return now.step;
}

static int name_failure(void **state)
{
    (void)state;
    hook_reset();
    if (now.w == NULL)
        return 0;
    print_error("replayed: %s; %s before step %u, %s before step %u\n",
                now.op->name, events[now.event[0]].name, now.at[0],
                events[now.event[1]].name, now.at[1]);
    world_free(now.w);
    now.w = NULL;
    return 0;
}

/* Who may act while the operation is replayed. */
static bool allowed(unsigned int event)
{
    return now.op->by_others || !events[event].by_owner;
}

/* The first event before step @p step, counted from 1 on. */
static bool replay_first(void *ctx, unsigned int step)
{
    (void)ctx;
    now.at[0] = step;
    return step < replay_once();
}

static bool replay_second(void *ctx, unsigned int step)
{
    (void)ctx;
    now.at[1] = step;
    return step < replay_once();
}

static void replay_one_event(void)
{
    now.at[1] = 0;
    for (unsigned int i = 0; i < EVENTS; i++) {
        if (!allowed(i))
            continue;
        now.event[0] = i;
        (void)replay_every_step(replay_first, NULL, 1);
    }
}

/* The first event before step @p step, the second before each from there. */
static bool replay_both(void *ctx, unsigned int step)
{
    now.at[0] = step;
    (void)replay_every_step(replay_second, ctx, step);
    return step <= now.step;
}

static void replay_two_events(void)
{
    for (unsigned int i = 0; i < EVENTS * EVENTS; i++) {
        now.event[0] = i / EVENTS;
        now.event[1] = i % EVENTS;
        if (!allowed(now.event[0]) || !allowed(now.event[1]))
            continue;
        (void)replay_every_step(replay_both, NULL, 1);
    }
}

static void replay_all(const struct layout *l, void (*replay)(void))
{
    now.layout = l;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        now.op = &operations[i];
        replay();
    }
}

static void test_sched_two_events_at_any_step_nothing_lost(void **state)
{
    const struct layout l = {near_slots, 1, VTDPI_X2APIC};

    (void)state;
    replay_all(&l, replay_two_events);
}

/* With two wakeup vectors: vCPU 0 has one, 1 and 2 share the other. */
static void test_sched_two_events_two_words_nothing_lost(void **state)
{
    const struct layout l = {far_slots, 2, VTDPI_X2APIC};

    (void)state;
    replay_all(&l, replay_two_events);
}

/* NDST is not the APIC id; the orders are the same, so one event will do. */
static void test_sched_one_event_xapic_nothing_lost(void **state)
{
    const struct layout l = {far_slots, 1, VTDPI_XAPIC};

    (void)state;
    replay_all(&l, replay_one_event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_sched_one_event_xapic_nothing_lost,
                                  name_failure),
        cmocka_unit_test_teardown(
            test_sched_two_events_at_any_step_nothing_lost, name_failure),
        cmocka_unit_test_teardown(test_sched_two_events_two_words_nothing_lost,
                                  name_failure),
    };

    return cmocka_run_group_tests_name("sched_replay", tests, NULL, NULL);
}
