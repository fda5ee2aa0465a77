/* SPDX-License-Identifier: BSD-2-Clause */
/* PID pages that another kernel has left, and their slots. */
#include "atomic_hook.h"
#include "test.h"

#include <string.h>

#include "world.h"

enum {
    NUMBER = 2, /* the page that the world leaves to the test */
    SLOT = NUMBER * 64 + 7,
    OLD_NV = 0x33,
};
#define PHYS UINT64_C(0x700000000)

static _Alignas(4096) struct vtdpi_pid old[VTDPI_PAGE_SLOTS];
static struct vtdpi_pid_page book;
static struct vtdpi_vcpu vcpu[2];

/* As the other kernel left it: posted to, running on another APIC. */
static int set_up(void **state)
{
    memset(vcpu, 0, sizeof(vcpu));
    memset(old, 0, sizeof(old));
    memset(&book, 0xff, sizeof(book));
    for (unsigned int i = 0; i < VTDPI_PAGE_SLOTS; i++) {
        old[i].pir[i / 16] = UINT64_C(1) << i;
        old[i].control = (uint64_t)(i % 2) | (uint64_t)OLD_NV << 16 |
                         (uint64_t)(i + 9) << 32;
    }
    return world_set_up(state);
}

static int adopt_page(struct world *w)
{
    return vtdpi_sched_adopt_page(&w->s, NUMBER, &book, old, PHYS);
}

static int adopt(struct world *w, unsigned int n, uint32_t slot)
{
    return vtdpi_vcpu_adopt(&w->s, &vcpu[n], slot, &w->vcpu[0]);
}

static int attach(struct world *w, unsigned int n, uint32_t slot)
{
    return vtdpi_vcpu_attach(&w->s, &vcpu[n], slot, &w->vcpu[0]);
}

/* PIR, ON and NDST stay; SN is set, and NV is ours. */
static void test_adopt_page_keeps_what_was_posted(void **state)
{
    struct world *w = *state;

    assert_int_equal(adopt_page(w), 0);
    for (unsigned int i = 0; i < VTDPI_PAGE_SLOTS; i++) {
        for (unsigned int k = 0; k < 4; k++)
            assert_int_equal(old[i].pir[k], k == i / 16 ? UINT64_C(1) << i : 0);
        assert_int_equal(old[i].control, (uint64_t)(i % 2) | 2 |
                                             (uint64_t)ANV << 16 |
                                             (uint64_t)(i + 9) << 32);
    }
}

/* A unit sets ON of each PID just before the library writes it. */
static void post_before(void *ctx, enum hook_kind kind, const void *address)
{
    (void)ctx;
    if (kind == HOOK_RMW && (const uint8_t *)address >= (uint8_t *)old &&
        (const uint8_t *)address < (uint8_t *)old + sizeof(old)) {
        struct vtdpi_pid *pid =
            &old[((const uint8_t *)address - (uint8_t *)old) / 64];

        pid->pir[3] |= UINT64_C(1) << 63;
        pid->control |= 1;
    }
}

static void test_adopt_page_loses_no_post(void **state)
{
    struct world *w = *state;

    hook.before = post_before;
    assert_int_equal(adopt_page(w), 0);
    hook.before = NULL;
    for (unsigned int i = 0; i < VTDPI_PAGE_SLOTS; i++) {
        assert_int_equal(old[i].pir[3] >> 63, 1);
        assert_int_equal(old[i].control & 3, 3);
    }
}

static void test_held_slots_are_not_attached(void **state)
{
    struct world *w = *state;

    assert_int_equal(adopt_page(w), 0);
    assert_int_equal(attach(w, 0, SLOT), VTDPI_ESLOTBUSY);
    assert_int_equal(attach(w, 0, VTDPI_SLOT_IN(NUMBER)), VTDPI_ENOSPC);
    assert_int_equal(old[7].pir[0], UINT64_C(1) << 7);
}

static void test_adopt_takes_a_held_slot_once(void **state)
{
    struct world *w = *state;
    const uint64_t control = old[7].control;

    assert_int_equal(adopt_page(w), 0);
    assert_int_equal(adopt(w, 0, SLOT), 0);
    assert_int_equal(vtdpi_vcpu_slot(&vcpu[0]), SLOT);
    assert_int_equal(vtdpi_vcpu_pda(&vcpu[0]), PHYS + 7 * 64);
    assert_int_equal(old[7].pir[0], UINT64_C(1) << 7);
    assert_int_equal(old[7].control & 1, control & 1);
    assert_int_equal(vtdpi_vcpu_ref(&vcpu[0]), 0);
    vtdpi_vcpu_unref(&vcpu[0]);
    assert_int_equal(adopt(w, 0, SLOT + 1), VTDPI_EATTACHED);
    assert_int_equal(adopt(w, 1, SLOT), VTDPI_ESLOTBUSY);
    assert_int_equal(vtdpi_sched_release_slot(&w->s, SLOT), VTDPI_ESLOTBUSY);
    assert_int_equal(attach(w, 1, SLOT), VTDPI_ESLOTBUSY);
    /* From now on a slot like any other. */
    assert_int_equal(vtdpi_vcpu_detach(&vcpu[0]), 0);
    assert_int_equal(adopt(w, 1, SLOT), VTDPI_ESLOTBUSY);
    assert_int_equal(attach(w, 1, SLOT), 0);
    assert_int_equal(old[7].pir[0], 0);
    assert_int_equal(vtdpi_vcpu_detach(&vcpu[1]), 0);
}

static void test_released_slot_is_free(void **state)
{
    struct world *w = *state;

    assert_int_equal(adopt_page(w), 0);
    assert_int_equal(vtdpi_sched_release_slot(&w->s, SLOT), 0);
    assert_int_equal(vtdpi_sched_release_slot(&w->s, SLOT), VTDPI_ESLOTBUSY);
    assert_int_equal(adopt(w, 0, SLOT), VTDPI_ESLOTBUSY);
    assert_int_equal(attach(w, 0, VTDPI_SLOT_IN(NUMBER)), 0);
    assert_int_equal(vtdpi_vcpu_slot(&vcpu[0]), SLOT);
    assert_int_equal(old[7].pir[0], 0);
    assert_int_equal(old[8].pir[0], UINT64_C(1) << 8);
    assert_int_equal(vtdpi_vcpu_detach(&vcpu[0]), 0);
}

/* The book-keeping was filled with ones before. A bit without a vCPU, over a PID with
 * ON, must not make a cookie of what was there. */
static void test_slot_without_a_vcpu_wakes_nobody(void **state)
{
    struct world *w = *state;

    assert_int_equal(adopt_page(w), 0);
    w->bitmap[0][2 * (size_t)NUMBER] = UINT64_MAX;
    w->bitmap[0][2 * PAGES] |= UINT64_C(1) << NUMBER;
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[0], WNV), 0);
    w->bitmap[0][2 * (size_t)NUMBER] = 0;
}

/* The world's slots are attached or free, never held. */
static void test_adopt_needs_an_adopted_page(void **state)
{
    struct world *w = *state;

    assert_int_equal(adopt(w, 0, 6), VTDPI_ESLOTBUSY);
    assert_int_equal(adopt(w, 0, 5), VTDPI_ESLOTBUSY);
    assert_int_equal(vtdpi_sched_release_slot(&w->s, 5), VTDPI_ESLOTBUSY);
    assert_int_equal(attach(w, 0, 6), 0);
    assert_int_equal(vtdpi_vcpu_detach(&vcpu[0]), 0);
}

static void test_adopt_errors(void **state)
{
    struct world *w = *state;
    void *const memory = old;

    assert_int_equal(vtdpi_sched_adopt_page(NULL, NUMBER, &book, memory, PHYS),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_adopt_page(&w->s, NUMBER, NULL, memory, PHYS),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_adopt_page(&w->s, NUMBER, &book, NULL, PHYS),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_adopt_page(&w->s, PAGES, &book, memory, PHYS),
                     VTDPI_EPAGE);
    assert_int_equal(
        vtdpi_sched_adopt_page(&w->s, NUMBER, &book, memory, PHYS + 64),
        VTDPI_EALIGN);
    assert_int_equal(vtdpi_sched_adopt_page(&w->s, 0, &book, memory, PHYS),
                     VTDPI_EPAGEBUSY);
    assert_int_equal(old[1].control & 2, 0); /* nothing has changed */
    assert_int_equal(adopt(w, 0, SLOT), VTDPI_ENOPAGE);
    assert_int_equal(vtdpi_sched_release_slot(&w->s, SLOT), VTDPI_ENOPAGE);
    assert_int_equal(adopt(w, 0, PAGES * 64), VTDPI_ESLOT);
    assert_int_equal(vtdpi_sched_release_slot(&w->s, PAGES * 64), VTDPI_ESLOT);
    assert_int_equal(vtdpi_sched_release_slot(NULL, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vcpu_adopt(NULL, &vcpu[0], SLOT, w), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vcpu_adopt(&w->s, NULL, SLOT, w), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vcpu_adopt(&w->s, &vcpu[0], SLOT, NULL),
                     VTDPI_EINVAL);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_adopt_page_keeps_what_was_posted),
        TEST(test_adopt_page_loses_no_post),
        TEST(test_held_slots_are_not_attached),
        TEST(test_adopt_takes_a_held_slot_once),
        TEST(test_released_slot_is_free),
        TEST(test_slot_without_a_vcpu_wakes_nobody),
        TEST(test_adopt_needs_an_adopted_page),
        TEST(test_adopt_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
