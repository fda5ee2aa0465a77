/* SPDX-License-Identifier: BSD-2-Clause */
/* At most one wake for each block, however many notifications come. */
#include "atomic_hook.h"
#include "test.h"

#include <stdlib.h>

#include "vtdpi/sched.h"

enum {
    PCPUS = 2,
    PAGES = 64,
    SLEEPERS = PAGES * VTDPI_PAGE_SLOTS,
    ANV = 0xf2,
    WNV = 0xf1,
};

struct sleeper {
    struct vtdpi_vcpu v;
    unsigned int wakes;
};

struct host {
    struct vtdpi_sched s;
    struct vtdpi_page_ref pages[PAGES];
    struct vtdpi_pcpu *pcpus[PCPUS];
    struct vtdpi_pid_page page[PAGES];
    struct vtdpi_pcpu pcpu[PCPUS];
    uint64_t bitmap[PCPUS][VTDPI_BITMAP_WORDS(PAGES)];
    struct sleeper sleeper[SLEEPERS];
    struct vtdpi_pid *pids;
    unsigned int wakes;
    unsigned int pids_read;
};

/* The handler is called where a test wants it. */
static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

static void wake(void *ctx, void *cookie)
{
    struct host *h = ctx;

    h->wakes++;
    ((struct sleeper *)cookie)->wakes++;
}

static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                              .wake = wake};

static void attach(struct host *h, uint32_t slot)
{
    assert_int_equal(
        vtdpi_vcpu_attach(&h->s, &h->sleeper[slot].v, slot, &h->sleeper[slot]),
        0);
}

static int set_up(void **state)
{
    struct host *h = calloc(1, sizeof(*h));
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .ctx = h,
        .pages = h->pages,
        .max_pages = PAGES,
        .pcpus = h->pcpus,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
    };

    hook_reset();
    assert_non_null(h);
    h->pids = aligned_alloc(VTDPI_PAGE_SIZE, PAGES * VTDPI_PAGE_SIZE);
    assert_non_null(h->pids);
    assert_int_equal(vtdpi_sched_init(&h->s, &params), 0);
    for (uint32_t i = 0; i < PAGES; i++)
        assert_int_equal(
            vtdpi_sched_add_page(&h->s, i, &h->page[i],
                                 h->pids + (size_t)i * VTDPI_PAGE_SLOTS,
                                 i * UINT64_C(4096)),
            0);
    for (uint32_t i = 0; i < PCPUS; i++) {
        assert_int_equal(
            vtdpi_pcpu_init(&h->s, &h->pcpu[i], i, i + 5, h->bitmap[i]), 0);
        vtdpi_pcpu_online(&h->pcpu[i]);
    }
    for (uint32_t i = 0; i < SLEEPERS; i++)
        attach(h, i);
    *state = h;
    return 0;
}

static int tear_down(void **state)
{
    struct host *h = *state;

    hook_reset();
    free(h->pids);
    free(h);
    return 0;
}

static void block(struct host *h, uint32_t slot, uint32_t pcpu)
{
    assert_int_equal(vtdpi_vcpu_block(&h->sleeper[slot].v, &h->pcpu[pcpu]),
                     VTDPI_BLOCKED);
}

/* Post, and take the wakeup vector; the number of wake calls. */
static uint32_t post(struct host *h, uint32_t slot, uint32_t pcpu)
{
    const unsigned int before = h->wakes;
    uint32_t woken;

    (void)vtdpi_vcpu_post(&h->sleeper[slot].v, 0x41, false);
    woken = vtdpi_pcpu_handle_wakeup(&h->pcpu[pcpu], WNV);
    assert_int_equal(h->wakes - before, woken);
    return woken;
}

static void take(struct host *h, uint32_t slot)
{
    uint64_t out[VTDPI_PIR_WORDS];

    assert_true(vtdpi_vcpu_sync(&h->sleeper[slot].v, out));
}

/* Nobody is scheduled before all are woken: with ON and the bit still set, a
 * pass for one would wake everyone before it again. */
static void check_storm(struct host *h, uint32_t sleepers, uint32_t stride)
{
    h->wakes = 0;
    for (uint32_t i = 0; i < sleepers; i++)
        block(h, i * stride, 0);
    for (uint32_t i = 0; i < sleepers; i++) {
        assert_int_equal(post(h, i * stride, 0), 1);
        assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->pcpu[0], WNV), 0);
    }
    assert_int_equal(h->wakes, sleepers);
    for (uint32_t i = 0; i < sleepers; i++) {
        assert_int_equal(h->sleeper[i * stride].wakes, 1);
        h->sleeper[i * stride].wakes = 0;
        vtdpi_vcpu_run(&h->sleeper[i * stride].v, &h->pcpu[1]);
        take(h, i * stride);
    }
}

/* Twice: the second time the marks of the first are there. */
static void test_handle_wakeup_storm_one_wake_for_each_sleeper(void **state)
{
    struct host *h = *state;

    for (unsigned int i = 0; i < 2; i++) {
        check_storm(h, 16, 1);
        check_storm(h, 16, VTDPI_PAGE_SLOTS);
        check_storm(h, 64, 1);
        check_storm(h, 256, 4);
        check_storm(h, 1024, 1);
        check_storm(h, SLEEPERS, 1);
    }
}

static void count_pids(void *ctx, enum hook_kind kind, const void *addr)
{
    struct host *h = ctx;
    const uintptr_t at = (uintptr_t)addr;

    (void)kind;
    h->pids_read +=
        at >= (uintptr_t)h->pids && at < (uintptr_t)(h->pids + SLEEPERS);
}

/* A pass reads the PIDs of those who have not been woken, and no others. */
static void test_handle_wakeup_skips_pids_of_the_woken(void **state)
{
    struct host *h = *state;

    for (uint32_t i = 0; i < SLEEPERS; i++)
        block(h, i, 0);
    for (uint32_t i = 0; i < SLEEPERS - 2; i++)
        (void)vtdpi_vcpu_post(&h->sleeper[i].v, 0x41, false);
    hook.before = count_pids;
    hook.ctx = h;
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->pcpu[0], WNV), SLEEPERS - 2);
    assert_int_equal(h->pids_read, SLEEPERS);
    h->pids_read = 0;
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->pcpu[0], WNV), 0);
    hook_reset();
    assert_int_equal(h->pids_read, 2);
}

/* Each block can be woken again: by its own post, after run or preempt. */
static void test_block_again_is_woken_again(void **state)
{
    struct host *h = *state;
    struct vtdpi_vcpu *v = &h->sleeper[70].v;

    for (unsigned int i = 0; i < 4; i++) {
        if (i % 2 == 0)
            block(h, 70, 0);
        else
            assert_int_equal(vtdpi_vcpu_block_committed(v, &h->pcpu[0]),
                             VTDPI_BLOCKED);
        assert_int_equal(post(h, 70, 0), 1);
        assert_int_equal(post(h, 70, 0), 0);
        take(h, 70);
        assert_int_equal(post(h, 70, 0), 0); /* the same block still */
        if (i < 2)
            vtdpi_vcpu_run(v, &h->pcpu[0]);
        else
            vtdpi_vcpu_preempt(v);
        take(h, 70);
    }
    /* A block of a vCPU that is blocked already is a new block, too. */
    block(h, 70, 0);
    assert_int_equal(post(h, 70, 0), 1);
    take(h, 70);
    block(h, 70, 0);
    assert_int_equal(post(h, 70, 0), 1);
    assert_int_equal(h->sleeper[70].wakes, 6);
}

/* block_committed sends a notification for what was posted before it. */
static void test_block_committed_pending_is_woken(void **state)
{
    struct host *h = *state;
    struct vtdpi_vcpu *v = &h->sleeper[3].v;

    block(h, 3, 0);
    assert_int_equal(post(h, 3, 0), 1);
    assert_int_equal(vtdpi_vcpu_block_committed(v, &h->pcpu[0]), VTDPI_BLOCKED);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->pcpu[0], WNV), 1);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->pcpu[0], WNV), 0);
}

/* Marks belong to a pCPU: what was woken on one is woken on the next. */
static void test_block_elsewhere_is_woken_there(void **state)
{
    struct host *h = *state;

    for (uint32_t i = 0; i < 6; i++) {
        block(h, 5, i % 2);
        assert_int_equal(post(h, 5, i % 2), 1);
        take(h, 5);
    }
}

static void test_offline_and_rescan_wake_the_marked(void **state)
{
    struct host *h = *state;

    block(h, 5, 0);
    assert_int_equal(vtdpi_pcpu_rescan(&h->pcpu[0]), 1);
    assert_int_equal(post(h, 5, 0), 1); /* rescan sets no mark */
    assert_int_equal(vtdpi_pcpu_rescan(&h->pcpu[0]), 1);
    assert_int_equal(vtdpi_pcpu_rescan(&h->pcpu[0]), 1);
    assert_int_equal(vtdpi_pcpu_offline(&h->pcpu[0]), 1);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->pcpu[0], WNV), 0);
}

/* The slot's last vCPU was woken, and left its mark. */
static void test_attach_slot_with_a_mark_is_woken(void **state)
{
    struct host *h = *state;

    block(h, 9, 0);
    assert_int_equal(post(h, 9, 0), 1);
    assert_int_equal(vtdpi_vcpu_detach(&h->sleeper[9].v), 0);
    attach(h, 9);
    block(h, 9, 0);
    assert_int_equal(post(h, 9, 0), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_handle_wakeup_storm_one_wake_for_each_sleeper),
        TEST(test_handle_wakeup_skips_pids_of_the_woken),
        TEST(test_block_again_is_woken_again),
        TEST(test_block_committed_pending_is_woken),
        TEST(test_block_elsewhere_is_woken_there),
        TEST(test_offline_and_rescan_wake_the_marked),
        TEST(test_attach_slot_with_a_mark_is_woken),
    };

    return cmocka_run_group_tests_name("sched_once", tests, NULL, NULL);
}
