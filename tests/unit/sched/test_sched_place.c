/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has a place in an instance: slots that the library finds, pCPUs that
 * come, go and come back with another APIC id, and the end of all.
 */
#include "atomic_hook.h"
#include "test.h"

#include <string.h>

#include "world.h"

enum {
    LAST = PAGES - 1, /* the last page that is present */
    EXTRA = 3 * 64,   /* as many as there are slots */
};

static struct vtdpi_vcpu extra[EXTRA];

static int set_up(void **state)
{
    memset(extra, 0, sizeof(extra));
    return world_set_up(state);
}

static int attach(struct world *w, uint32_t n, uint32_t where)
{
    return vtdpi_vcpu_attach(&w->s, &extra[n], where, &w->vcpu[0]);
}

/* Slots. The world's vCPUs have 5, 63 and 70. */

static void test_vcpu_attach_any_first_free_slot(void **state)
{
    static const uint32_t there[] = {0, 1, 2, 3, 4, 6};
    struct world *w = *state;

    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(attach(w, i, VTDPI_SLOT_ANY), 0);
        assert_int_equal(vtdpi_vcpu_slot(&extra[i]), there[i]);
    }
    assert_int_equal(vtdpi_vcpu_slot(&w->vcpu[1].v), 70);
    /* A slot that is given back is free again. */
    assert_int_equal(vtdpi_vcpu_detach(&extra[3]), 0);
    assert_int_equal(attach(w, 6, VTDPI_SLOT_ANY), 0);
    assert_int_equal(vtdpi_vcpu_slot(&extra[6]), 3);
    assert_int_equal(vtdpi_vcpu_pda(&extra[6]), 0x100000000 + 3 * 64);
}

/* Only when it is done: a handler may still read the slot. */
static void test_vcpu_attach_any_not_before_detach_is_done(void **state)
{
    struct world *w = *state;

    assert_int_equal(attach(w, 0, VTDPI_SLOT_ANY), 0);
    assert_int_equal(vtdpi_vcpu_detach_begin(&extra[0]), 0);
    assert_int_equal(attach(w, 1, VTDPI_SLOT_ANY), 0);
    assert_int_equal(vtdpi_vcpu_slot(&extra[1]), 1);
    assert_true(vtdpi_vcpu_detach_poll(&extra[0]));
    assert_int_equal(attach(w, 2, VTDPI_SLOT_ANY), 0);
    assert_int_equal(vtdpi_vcpu_slot(&extra[2]), 0);
}

/* A page is a node's: its slots, and no other's. */
static void test_vcpu_attach_in_page_until_it_is_full(void **state)
{
    struct world *w = *state;

    for (uint32_t i = 0; i < 63; i++) {
        assert_int_equal(attach(w, i, VTDPI_SLOT_IN(1)), 0);
        assert_int_equal(vtdpi_vcpu_slot(&extra[i]) / 64, 1);
    }
    assert_int_equal(attach(w, 63, VTDPI_SLOT_IN(1)), VTDPI_ENOSPC);
    assert_false(vtdpi_vcpu_attached(&extra[63]));
    assert_int_equal(attach(w, 63, VTDPI_SLOT_IN(LAST)), 0);
    assert_int_equal(vtdpi_vcpu_slot(&extra[63]), LAST * 64);
    assert_int_equal(vtdpi_vcpu_detach(&extra[9]), 0);
    assert_int_equal(attach(w, 9, VTDPI_SLOT_IN(1)), 0);
}

/* All three pages; those between that are absent are passed over. */
static void test_vcpu_attach_any_full_is_said(void **state)
{
    struct world *w = *state;
    uint32_t n = 0;

    while (attach(w, n, VTDPI_SLOT_ANY) == 0)
        n++;
    assert_int_equal(n, EXTRA - VCPUS);
    assert_int_equal(vtdpi_vcpu_slot(&extra[n - 1]), LAST * 64 + 63);
    assert_int_equal(attach(w, n, VTDPI_SLOT_ANY), VTDPI_ENOSPC);
    assert_false(vtdpi_vcpu_attached(&extra[n]));
    assert_int_equal(vtdpi_vcpu_detach(&w->vcpu[0].v), 0);
    assert_int_equal(attach(w, n, VTDPI_SLOT_ANY), 0);
    assert_int_equal(vtdpi_vcpu_slot(&extra[n]), world_slots[0]);
}

/* Somebody else claims the slot that was found, before each locked step. */
struct rival {
    struct world *w;
    uint32_t used;
};

static void take_one(void *ctx, enum hook_kind kind, const void *addr)
{
    struct rival *const r = ctx;

    if (kind == HOOK_RMW && addr == &r->w->page[0].claimed && r->used < 3)
        assert_int_equal(attach(r->w, r->used++, VTDPI_SLOT_ANY), 0);
}

static void test_vcpu_attach_any_two_at_once(void **state)
{
    struct rival r = {.w = *state};

    hook.before = take_one;
    hook.ctx = &r;
    assert_int_equal(attach(r.w, 10, VTDPI_SLOT_ANY), 0);
    hook_reset();
    assert_int_equal(r.used, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(vtdpi_vcpu_slot(&extra[i]), i);
    assert_int_equal(vtdpi_vcpu_slot(&extra[10]), 3);
}

/* pCPUs that go, and come back. */

static void test_pcpu_fini_in_use_refused(void **state)
{
    struct world *w = *state;
    struct vtdpi_pcpu *const p = &w->pcpu[1];

    assert_int_equal(vtdpi_pcpu_fini(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_pcpu_fini(p), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vcpu_block(&w->vcpu[1].v, p), VTDPI_BLOCKED);
    assert_int_equal(vtdpi_pcpu_offline(p), 1);
    assert_int_equal(vtdpi_pcpu_fini(p), VTDPI_EBUSY);
    assert_int_equal(vtdpi_pcpu_init(&w->s, p, 1, 7, w->bitmap[1]),
                     VTDPI_EATTACHED);
    vtdpi_vcpu_run(&w->vcpu[1].v, &w->pcpu[0]);
    assert_int_equal(vtdpi_pcpu_fini(p), 0);
}

/* On any page: the last one has a leaf word of its own. */
static void test_pcpu_fini_every_page_counts(void **state)
{
    struct world *w = *state;
    struct vtdpi_pcpu *const p = &w->pcpu[1];

    assert_int_equal(attach(w, 0, LAST * 64 + 63), 0);
    assert_int_equal(vtdpi_vcpu_block(&extra[0], p), VTDPI_BLOCKED);
    assert_int_equal(vtdpi_pcpu_offline(p), 1);
    assert_int_equal(vtdpi_pcpu_fini(p), VTDPI_EBUSY);
    vtdpi_vcpu_preempt(&extra[0]);
    assert_int_equal(vtdpi_pcpu_fini(p), 0);
}

struct ending {
    struct vtdpi_pcpu *p;
    unsigned int tries;
};

static void end_it(void *ctx, enum hook_kind kind, const void *addr)
{
    struct ending *const e = ctx;

    if (kind != HOOK_LOAD || addr != &e->p->summary[0])
        return;
    e->tries++;
    assert_int_equal(vtdpi_pcpu_fini(e->p), VTDPI_EBUSY);
}

static void test_pcpu_fini_handler_runs_refused(void **state)
{
    struct world *w = *state;
    struct ending e = {.p = &w->pcpu[2]};

    (void)vtdpi_pcpu_offline(e.p);
    hook.before = end_it;
    hook.ctx = &e;
    assert_int_equal(vtdpi_pcpu_handle_wakeup(e.p, WNV), 0);
    hook_reset();
    assert_int_equal(e.tries, 1);
    assert_int_equal(vtdpi_pcpu_fini(e.p), 0);
}

/*
 * One goes offline and away at any step of a block, or a block comes at any
 * step of that: no vCPU is blocked on a pCPU that is gone.
 */
struct meeting {
    struct world *w;
    unsigned int steps; /* before the other comes */
    bool came;
    enum vtdpi_block_result block;
    int fini;
};

static void go_away(struct meeting *m)
{
    (void)vtdpi_pcpu_offline(&m->w->pcpu[1]);
    m->fini = vtdpi_pcpu_fini(&m->w->pcpu[1]);
}

static void go_to_sleep(struct meeting *m)
{
    m->block = vtdpi_vcpu_block(&m->w->vcpu[0].v, &m->w->pcpu[1]);
}

static void come_going(void *ctx, enum hook_kind kind, const void *addr)
{
    struct meeting *const m = ctx;

    (void)kind;
    (void)addr;
    if (m->came || m->steps-- != 0)
        return;
    m->came = true;
    go_away(m);
}

static void come_to_sleep(void *ctx, enum hook_kind kind, const void *addr)
{
    struct meeting *const m = ctx;

    (void)kind;
    (void)addr;
    if (m->came || m->steps-- != 0)
        return;
    m->came = true;
    go_to_sleep(m);
}

static void meet(struct meeting *m, unsigned int steps,
                 void (*first)(struct meeting *m),
                 void (*other)(void *, enum hook_kind, const void *))
{
    *m = (struct meeting){.w = world_new(world_slots), .steps = steps};
    hook_reset();
    hook.before = other;
    hook.ctx = m;
    first(m);
    hook_reset();
    if (!m->came) {
        world_free(m->w);
        return;
    }
    /* The sleeper, if there is one, was woken: offline has seen the bit. */
    if (m->block == VTDPI_BLOCKED)
        assert_true(m->w->vcpu[0].woken);
    assert_true(m->fini == 0 || m->fini == VTDPI_EBUSY);
    if (m->fini == 0)
        assert_int_equal(m->block, VTDPI_BLOCK_OFFLINE);
    vtdpi_vcpu_preempt(&m->w->vcpu[0].v);
    assert_int_equal(vtdpi_pcpu_blocked(&m->w->pcpu[1]), 0);
    world_free(m->w);
}

static void test_pcpu_fini_beside_block_at_every_step(void **state)
{
    struct meeting m;

    (void)state;
    for (unsigned int i = 0;; i++) {
        meet(&m, i, go_to_sleep, come_going);
        if (!m.came)
            break;
    }
    for (unsigned int i = 0;; i++) {
        meet(&m, i, go_away, come_to_sleep);
        if (!m.came)
            break;
    }
}

/* Its package is another one: the number is the same, the APIC id is not. */
static void test_pcpu_init_again_with_another_id(void **state)
{
    static const int fill[] = {0, 0xff, 0x55};
    struct world *w = *state;
    struct world_vcpu *const v = &w->vcpu[0];
    struct vtdpi_pcpu *const p = &w->pcpu[1];

    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t id = 0x2000 + i;

        (void)vtdpi_pcpu_offline(p);
        assert_int_equal(vtdpi_pcpu_fini(p), 0);
        assert_int_equal(vtdpi_pcpu_fini(p), VTDPI_EPCPU);
        memset(p, fill[i], sizeof(*p));
        memset(w->bitmap[1], fill[i], sizeof(w->bitmap[1]));
        assert_int_equal(vtdpi_pcpu_init(&w->s, p, 1, id, w->bitmap[1]), 0);
        assert_int_equal(vtdpi_vcpu_block(&v->v, p), VTDPI_BLOCK_OFFLINE);
        vtdpi_pcpu_online(p);
        assert_int_equal(vtdpi_vcpu_block(&v->v, p), VTDPI_BLOCKED);
        assert_int_equal(vtdpi_vcpu_pid(&v->v)->control >> 32, id);
        (void)vtdpi_pid_test_and_set_on(vtdpi_vcpu_pid(&v->v));
        assert_int_equal(vtdpi_pcpu_handle_wakeup(p, WNV), 1);
        vtdpi_vcpu_run(&v->v, &w->pcpu[0]);
        (void)vtdpi_pid_test_and_clear_on(vtdpi_vcpu_pid(&v->v));
    }
}

/* By the APIC id: in three chains, where most ids share one, or in many. */

enum {
    IDS = 40,
    CHAINS = 3,
};

struct mapped {
    struct vtdpi_sched s;
    struct vtdpi_page_ref page;
    struct vtdpi_pcpu *pcpus[IDS];
    struct vtdpi_pcpu *map[IDS + 1];
    struct vtdpi_pcpu pcpu[IDS];
    uint64_t bitmap[IDS][VTDPI_BITMAP_WORDS(1)];
    bool there[IDS];
};

static uint32_t id_of(uint32_t n)
{
    return n == 0 ? 0 : n < 20 ? n << 4 : UINT32_C(0xfffffffe) - n * n;
}

static void mapped_init(struct mapped *m, const struct world *w,
                        uint32_t chains)
{
    const struct vtdpi_sched_params params = {
        .ops = &w->ops,
        .pages = &m->page,
        .max_pages = 1,
        .pcpus = m->pcpus,
        .max_pcpus = IDS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
        .apic_map = chains == 0 ? NULL : m->map,
        .apic_map_size = chains == 0 ? 9 : chains,
    };

    memset(m, 0xff, sizeof(*m));
    memset(m->there, 0, sizeof(m->there));
    assert_int_equal(vtdpi_sched_init(&m->s, &params), 0);
}

static void come(struct mapped *m, uint32_t n)
{
    assert_int_equal(
        vtdpi_pcpu_init(&m->s, &m->pcpu[n], n, id_of(n), m->bitmap[n]), 0);
    m->there[n] = true;
}

static void go(struct mapped *m, uint32_t n)
{
    assert_int_equal(vtdpi_pcpu_fini(&m->pcpu[n]), 0);
    memset(&m->pcpu[n], 0xff, sizeof(m->pcpu[n]));
    m->there[n] = false;
}

static void check_found(struct mapped *m)
{
    for (uint32_t n = 0; n < IDS; n++)
        assert_ptr_equal(vtdpi_pcpu_find(&m->s, id_of(n)),
                         m->there[n] ? &m->pcpu[n] : NULL);
    assert_null(vtdpi_pcpu_find(&m->s, 3));
    assert_true(m->map[CHAINS] == (void *)UINTPTR_MAX);
}

static void test_pcpu_find_those_that_are_there(void **state)
{
    static struct mapped m;

    mapped_init(&m, *state, CHAINS);
    check_found(&m);
    for (uint32_t n = 0; n < IDS; n++) {
        come(&m, n);
        check_found(&m);
    }
    /* In another order; some of them come back. */
    for (uint32_t i = 0; i < 2 * IDS; i++) {
        const uint32_t n = i * 7 % IDS;

        if (m.there[n])
            go(&m, n);
        else if (i % 3 == 0)
            come(&m, n);
        check_found(&m);
    }
}

static void test_pcpu_find_no_map_none(void **state)
{
    static struct mapped m;

    mapped_init(&m, *state, 0);
    come(&m, 1);
    assert_null(vtdpi_pcpu_find(&m.s, id_of(1)));
    go(&m, 1);
}

/* A pointer for each pCPU: a load or two for each find. */
static void test_pcpu_find_constant_time(void **state)
{
    static struct mapped m;

    mapped_init(&m, *state, IDS);
    for (uint32_t n = 0; n < IDS; n++)
        come(&m, n);
    hook_reset();
    for (uint32_t n = 0; n < IDS; n++)
        assert_ptr_equal(vtdpi_pcpu_find(&m.s, id_of(n)), &m.pcpu[n]);
    assert_in_range(hook.loads, IDS, 2 * IDS);
}

/* The other pCPUs of a chain are found at every step of one that goes. */
static void find_others(void *ctx, enum hook_kind kind, const void *addr)
{
    struct mapped *const m = ctx;

    (void)kind;
    (void)addr;
    for (uint32_t n = 0; n < IDS; n += 2)
        assert_ptr_equal(vtdpi_pcpu_find(&m->s, id_of(n)), &m->pcpu[n]);
}

static void test_pcpu_find_while_others_come_and_go(void **state)
{
    static struct mapped m;

    mapped_init(&m, *state, CHAINS);
    for (uint32_t n = 0; n < IDS; n++)
        come(&m, n);
    hook.before = find_others;
    hook.ctx = &m;
    for (uint32_t n = 1; n < IDS; n += 2)
        assert_int_equal(vtdpi_pcpu_fini(&m.pcpu[n]), 0);
    for (uint32_t n = 1; n < IDS; n += 2)
        come(&m, n);
    hook_reset();
    check_found(&m);
}

/* The end. */

static void all_pcpus_gone(struct world *w, bool down)
{
    for (uint32_t i = 0; i < PCPUS - 1; i++) {
        struct vtdpi_pcpu *const p = &w->pcpu[down ? PCPUS - 2 - i : i];

        assert_int_equal(vtdpi_sched_fini(&w->s), VTDPI_EATTACHED);
        (void)vtdpi_pcpu_offline(p);
        assert_int_equal(vtdpi_pcpu_fini(p), 0);
    }
}

static void test_sched_fini_in_use_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(vtdpi_sched_fini(NULL), VTDPI_EINVAL);
    assert_int_equal(attach(w, 0, LAST * 64 + 63), 0);
    all_pcpus_gone(w, false);
    for (uint32_t i = 0; i < VCPUS; i++) {
        assert_int_equal(vtdpi_sched_fini(&w->s), VTDPI_EBUSY);
        assert_int_equal(vtdpi_vcpu_detach(&w->vcpu[i].v), 0);
    }
    assert_int_equal(vtdpi_sched_fini(&w->s), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vcpu_detach_begin(&extra[0]), 0);
    assert_int_equal(vtdpi_sched_fini(&w->s), VTDPI_EBUSY);
    assert_true(vtdpi_vcpu_detach_poll(&extra[0]));
    assert_int_equal(vtdpi_sched_fini(&w->s), 0);
}

/* The memory is the host's again; the instance is as after its init. */
static void test_sched_fini_then_used_again(void **state)
{
    struct world *w = *state;

    all_pcpus_gone(w, true);
    for (uint32_t i = 0; i < VCPUS; i++) {
        assert_int_equal(vtdpi_sched_fini(&w->s), VTDPI_EBUSY); /* page 0 */
        assert_int_equal(vtdpi_vcpu_detach(&w->vcpu[i].v), 0);
    }
    assert_int_equal(vtdpi_sched_fini(&w->s), 0);
    memset(w->memory, 0xff, PRESENT * 4096);
    memset(w->page, 0xff, sizeof(w->page));
    assert_int_equal(attach(w, 0, 0), VTDPI_ENOPAGE);
    assert_int_equal(attach(w, 0, VTDPI_SLOT_IN(LAST)), VTDPI_ENOPAGE);
    assert_int_equal(attach(w, 0, VTDPI_SLOT_ANY), VTDPI_ENOSPC);
    assert_int_equal(
        vtdpi_sched_add_page(&w->s, LAST, &w->page[0], w->memory, 0), 0);
    assert_int_equal(attach(w, 0, VTDPI_SLOT_ANY), 0);
    assert_int_equal(vtdpi_vcpu_slot(&extra[0]), LAST * 64);
    host_pcpu_up(&w->s, &w->names, &w->pcpu[0], 0, w->bitmap[0]);
    assert_int_equal(vtdpi_vcpu_block(&extra[0], &w->pcpu[0]), VTDPI_BLOCKED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_vcpu_attach_any_first_free_slot),
        TEST(test_vcpu_attach_any_not_before_detach_is_done),
        TEST(test_vcpu_attach_in_page_until_it_is_full),
        TEST(test_vcpu_attach_any_full_is_said),
        TEST(test_vcpu_attach_any_two_at_once),
        TEST(test_pcpu_fini_in_use_refused),
        TEST(test_pcpu_fini_every_page_counts),
        TEST(test_pcpu_fini_handler_runs_refused),
        TEST(test_pcpu_fini_beside_block_at_every_step),
        TEST(test_pcpu_init_again_with_another_id),
        TEST(test_pcpu_find_those_that_are_there),
        TEST(test_pcpu_find_no_map_none),
        TEST(test_pcpu_find_constant_time),
        TEST(test_pcpu_find_while_others_come_and_go),
        TEST(test_sched_fini_in_use_refused),
        TEST(test_sched_fini_then_used_again),
    };

    return cmocka_run_group_tests_name("sched_place", tests, NULL, NULL);
}
