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
    return vtdpi_vcpu_attach(&w->s, &extra[n], where, w);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_vcpu_attach_any_first_free_slot),
        TEST(test_vcpu_attach_any_not_before_detach_is_done),
        TEST(test_vcpu_attach_in_page_until_it_is_full),
        TEST(test_vcpu_attach_any_full_is_said),
        TEST(test_vcpu_attach_any_two_at_once),
    };

    return cmocka_run_group_tests_name("sched_place", tests, NULL, NULL);
}
