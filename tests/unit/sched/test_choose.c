/* SPDX-License-Identifier: BSD-2-Clause */
#include "atomic_hook.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "vtdpi/sched.h"

enum {
    PCPUS = 10,
    PRESENT = 8, /* the first ones */
    PAGES = 70,  /* two summary words */
    BACKED = 3,  /* pages 0 and 1, and the last */
    SLOTS = BACKED * 64,
};

struct host {
    struct vtdpi_sched s;
    struct vtdpi_page_ref pages[PAGES];
    struct vtdpi_pid_page page[BACKED];
    struct vtdpi_pcpu *pcpus[PCPUS + 1]; /* behind the last one: stray */
    struct vtdpi_pcpu pcpu[PCPUS];
    struct vtdpi_pcpu stray; /* online, and not the instance's */
    uint64_t bitmap[PCPUS][VTDPI_BITMAP_WORDS(PAGES)];
    struct vtdpi_vcpu vcpu[SLOTS];
    uint32_t used; /* vCPUs that are blocked */
    void *memory;
};

static const struct vtdpi_platform_ops ops = {
    .send_ipi = host_drop_ipi,
    .wake = host_drop_wake,
};

static void add_page(struct host *h, uint32_t i, uint32_t number)
{
    uint8_t *const memory = (uint8_t *)h->memory + i * 4096;

    assert_int_equal(
        vtdpi_sched_add_page(&h->s, number, &h->page[i], memory, i * 4096), 0);
    for (uint32_t k = 0; k < 64; k++)
        assert_int_equal(
            vtdpi_vcpu_attach(&h->s, &h->vcpu[i * 64 + k], number * 64 + k, h),
            0);
}

static int set_up(void **state)
{
    struct host *const h = calloc(1, sizeof(*h));
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = h->pages,
        .max_pages = PAGES,
        .pcpus = h->pcpus,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    hook_reset();
    h->memory = aligned_alloc(4096, BACKED * 4096);
    assert_non_null(h->memory);
    assert_int_equal(vtdpi_sched_init(&h->s, &params), 0);
    add_page(h, 0, 0);
    add_page(h, 1, 1);
    add_page(h, 2, PAGES - 1);
    for (uint32_t i = 0; i < PRESENT; i++) {
        assert_int_equal(
            vtdpi_pcpu_init(&h->s, &h->pcpu[i], i, i, h->bitmap[i]), 0);
        vtdpi_pcpu_online(&h->pcpu[i]);
    }
    h->stray = h->pcpu[1];
    h->pcpus[PCPUS] = &h->stray;
    *state = h;
    return 0;
}

static int tear_down(void **state)
{
    struct host *const h = *state;

    hook_reset();
    free(h->memory);
    free(h);
    return 0;
}

/* From all pages in turn. */
static struct vtdpi_vcpu *nth(struct host *h, uint32_t n)
{
    return &h->vcpu[n % BACKED * 64 + n / BACKED];
}

static void block_on(struct host *h, struct vtdpi_pcpu *p)
{
    assert_int_equal(vtdpi_vcpu_block(nth(h, h->used++), p), VTDPI_BLOCKED);
}

static void fill(struct host *h, uint32_t pcpu, uint32_t n)
{
    for (; n > 0; n--)
        block_on(h, &h->pcpu[pcpu]);
}

/* The last @n that have blocked. */
static void unblock(struct host *h, uint32_t n)
{
    for (; n > 0; n--)
        vtdpi_vcpu_preempt(nth(h, --h->used));
}

static void test_pcpu_choose_until_bound_here(void **state)
{
    struct host *h = *state;

    for (unsigned int i = 0; i < 24; i++) {
        struct vtdpi_pcpu *const p = vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL);

        assert_ptr_equal(p, &h->pcpu[2]);
        block_on(h, p);
    }
    assert_int_equal(vtdpi_pcpu_blocked(&h->pcpu[2]), 24);
    /* Another pCPU: for this call, and for an eighth of the bound. */
    for (unsigned int i = 0; i < 4; i++)
        assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL),
                             &h->pcpu[2]);
}

static void test_pcpu_choose_what_is_there_already_counts(void **state)
{
    struct host *h = *state;

    fill(h, 2, 20);
    for (unsigned int i = 0; i < 4; i++)
        assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL), &h->pcpu[2]);
    fill(h, 2, 4);
    assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL), &h->pcpu[2]);
}

static void test_pcpu_choose_room_again_here_again(void **state)
{
    struct host *h = *state;

    fill(h, 2, 24);
    assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL), &h->pcpu[2]);
    unblock(h, 2);
    /* Not counted for an eighth of the bound; then there is room for two. */
    for (unsigned int i = 0; i < 3; i++)
        assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL),
                             &h->pcpu[2]);
    for (unsigned int i = 0; i < 2; i++) {
        assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL), &h->pcpu[2]);
        fill(h, 2, 1);
    }
    assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL), &h->pcpu[2]);
}

static void test_pcpu_choose_no_bound_always_here(void **state)
{
    struct host *h = *state;

    fill(h, 2, 100);
    for (unsigned int i = 0; i < 300; i++)
        assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[2], UINT32_MAX, NULL),
                         &h->pcpu[2]);
}

/* Choices that a call with a larger bound has left do not count for a call with a
 * smaller bound. */
static void test_pcpu_choose_smaller_bound_holds_at_once(void **state)
{
    struct host *h = *state;

    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[2], UINT32_MAX, NULL),
                     &h->pcpu[2]);
    fill(h, 2, 24);
    assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[2], 24, NULL), &h->pcpu[2]);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL), &h->pcpu[0]);
    fill(h, 0, 1);
    assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[0], 0, NULL), &h->pcpu[0]);
}

static void offline_from(struct host *h, uint32_t first)
{
    for (uint32_t i = first; i < PRESENT; i++)
        (void)vtdpi_pcpu_offline(&h->pcpu[i]);
}

static void test_pcpu_choose_full_shorter_of_two(void **state)
{
    struct host *h = *state;
    unsigned int chosen[PRESENT] = {0};

    offline_from(h, 3);
    fill(h, 0, 10);
    fill(h, 1, 3);
    fill(h, 2, 17);
    for (unsigned int i = 0; i < 400; i++)
        chosen[vtdpi_pcpu_choose(&h->pcpu[0], 0, NULL) - h->pcpu]++;
    /* pCPU 2, whose list is longer than the own one, is never chosen. The own
     * pCPU is chosen only if both draws were pCPU 2. */
    assert_int_equal(chosen[2], 0);
    assert_in_range(chosen[1], 200, 399);
    assert_int_equal(chosen[0] + chosen[1], 400);
}

static void test_pcpu_choose_full_longer_than_full_stays(void **state)
{
    struct host *h = *state;

    for (uint32_t i = 0; i < PRESENT; i++)
        fill(h, i, i == 5 ? 6 : 7);
    for (unsigned int i = 0; i < 100; i++)
        assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[5], 0, NULL), &h->pcpu[5]);
}

static void test_pcpu_choose_everybody_is_drawn(void **state)
{
    struct host *h = *state;
    bool chosen[PRESENT] = {false};
    unsigned int same = 0;

    fill(h, 0, 1);
    fill(h, 1, 1);
    for (unsigned int i = 0; i < 200; i++) {
        const ptrdiff_t a = vtdpi_pcpu_choose(&h->pcpu[0], 0, NULL) - h->pcpu;
        const ptrdiff_t b = vtdpi_pcpu_choose(&h->pcpu[1], 0, NULL) - h->pcpu;

        chosen[a] = true;
        same += a == b;
    }
    for (unsigned int i = 2; i < PRESENT; i++)
        assert_true(chosen[i]);
    /* Not in step with one another. */
    assert_in_range(same, 1, 100);
}

static void test_pcpu_choose_never_offline_nor_absent(void **state)
{
    struct host *h = *state;

    fill(h, 0, 8);
    (void)vtdpi_pcpu_offline(&h->pcpu[1]);
    (void)vtdpi_pcpu_offline(&h->pcpu[7]);
    for (unsigned int i = 0; i < 300; i++) {
        const ptrdiff_t n = vtdpi_pcpu_choose(&h->pcpu[0], 8, NULL) - h->pcpu;

        assert_in_range(n, 2, 6);
    }
}

static void test_pcpu_choose_here_offline_elsewhere(void **state)
{
    struct host *h = *state;

    /* With room left from before. */
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 8, NULL), &h->pcpu[0]);
    (void)vtdpi_pcpu_offline(&h->pcpu[0]);
    for (unsigned int i = 0; i < 20; i++)
        assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[0], 8, NULL),
                             &h->pcpu[0]);
    vtdpi_pcpu_online(&h->pcpu[0]);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 8, NULL), &h->pcpu[0]);
}

static void test_pcpu_choose_nobody_else_here(void **state)
{
    struct host *h = *state;

    offline_from(h, 1);
    fill(h, 0, 8);
    for (unsigned int i = 0; i < 20; i++)
        assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 8, NULL), &h->pcpu[0]);
    offline_from(h, 0);
    assert_null(vtdpi_pcpu_choose(&h->pcpu[0], 8, NULL));
}

/* Sets. A mask's second word is behind the last pCPU, and is never read. */

static uint64_t mask_of(const struct host *h, const struct vtdpi_pcpu *p)
{
    return UINT64_C(1) << (p - h->pcpu);
}

/* Two NUMA nodes; a vCPU of the other one blocks from everywhere. */
static void test_pcpu_choose_outside_set_never(void **state)
{
    struct host *h = *state;
    const uint64_t node[2] = {0x0f, 0xf0};

    for (unsigned int i = 0; i < 3000; i++) {
        const uint64_t *const set = &node[i / 24 % 2];
        struct vtdpi_pcpu *const here = &h->pcpu[i % PRESENT];
        struct vtdpi_pcpu *const p = vtdpi_pcpu_choose(here, i % 3, set);

        assert_true((*set & mask_of(h, p)) != 0);
        if (h->used == SLOTS)
            unblock(h, SLOTS);
        block_on(h, p);
    }
}

/* The pCPU of the caller has room, and is not in the set. */
static void test_pcpu_choose_here_outside_set_elsewhere(void **state)
{
    struct host *h = *state;
    const uint64_t others = 0xfe;
    const uint64_t one = 0x20;

    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL), &h->pcpu[0]);
    for (unsigned int i = 0; i < 100; i++)
        assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, &others),
                             &h->pcpu[0]);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, &one), &h->pcpu[5]);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL), &h->pcpu[0]);
}

/* Far apart or side by side, all have the same chance. */
static void test_pcpu_choose_set_drawn_evenly(void **state)
{
    struct host *h = *state;
    const uint64_t set = 0xc4; /* 2, 6, 7 */
    unsigned int chosen[PRESENT] = {0};

    for (unsigned int i = 0; i < 3000; i++)
        chosen[vtdpi_pcpu_choose(&h->pcpu[0], 0, &set) - h->pcpu]++;
    assert_in_range(chosen[2], 900, 1100);
    assert_in_range(chosen[6], 900, 1100);
    assert_in_range(chosen[7], 900, 1100);
}

/* Nobody is in the set, or only the absent, the offline, or no pCPU at all. */
static void test_pcpu_choose_empty_set_none(void **state)
{
    struct host *h = *state;
    const uint64_t sets[] = {0, 0x300, 0x80, UINT64_C(1) << PCPUS};

    (void)vtdpi_pcpu_offline(&h->pcpu[7]);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        assert_null(vtdpi_pcpu_choose(&h->pcpu[0], 8, &sets[i]));
        assert_null(vtdpi_pcpu_choose(&h->pcpu[7], 0, &sets[i]));
    }
}

/* Sets of two words: numbers of the second one, and none that only looks like them. */
static void test_pcpu_choose_set_of_two_words(void **state)
{
    static const uint32_t numbers[] = {63, 64, 66, 68};
    struct vtdpi_pcpu *pcpus[69];
    uint64_t bitmap[4][VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_page_ref page;
    struct vtdpi_pcpu pcpu[4];
    struct vtdpi_sched s;
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = &page,
        .max_pages = 1,
        .pcpus = pcpus,
        .max_pcpus = 69,
        .anv = 0xf2,
        .wnv = {0xf1},
        .apic_mode = VTDPI_X2APIC,
    };

    (void)state;
    assert_int_equal(vtdpi_sched_init(&s, &params), 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(
            vtdpi_pcpu_init(&s, &pcpu[i], numbers[i], i, bitmap[i]), 0);
        vtdpi_pcpu_online(&pcpu[i]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t set[] = {0, 0};

        set[numbers[i] / 64] = UINT64_C(1) << numbers[i] % 64;
        for (uint32_t k = 0; k < 4; k++)
            assert_ptr_equal(vtdpi_pcpu_choose(&pcpu[k], 8, set), &pcpu[i]);
    }
}

/* What is touched. */

struct touched {
    const struct host *h;
    const struct vtdpi_pcpu *here;
    unsigned int foreign; /* outside of here's own structure */
    unsigned int foreign_writes;
    unsigned int own_counts;   /* how often the own list was counted */
    unsigned int other_leaves; /* words read of pCPU 1 */
};

static void touch(void *ctx, enum hook_kind kind, const void *addr)
{
    struct touched *const t = ctx;
    const uintptr_t at = (uintptr_t)addr;
    const bool own = at >= (uintptr_t)t->here && at < (uintptr_t)(t->here + 1);

    t->foreign += !own;
    t->foreign_writes += !own && kind != HOOK_LOAD;
    t->own_counts += addr == &t->here->summary[0];
    t->other_leaves += at >= (uintptr_t)&t->h->bitmap[1][0] &&
                       at < (uintptr_t)&t->h->bitmap[1][2 * PAGES];
}

static void watch(struct touched *t, struct host *h, uint32_t pcpu)
{
    *t = (struct touched){.h = h, .here = &h->pcpu[pcpu]};
    hook_reset();
    hook.before = touch;
    hook.ctx = t;
}

static void test_pcpu_choose_local_touches_own_words_only(void **state)
{
    struct host *h = *state;
    struct touched t;

    fill(h, 0, 10);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL), &h->pcpu[0]);
    watch(&t, h, 0);
    for (unsigned int i = 0; i < 53; i++)
        assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL), &h->pcpu[0]);
    assert_int_equal(t.foreign, 0);
    assert_int_equal(hook.locked, 0);
    assert_int_equal(hook.loads, 53 * 2);
    assert_int_equal(hook.stores, 53);
    /* Used up: counted once more, still with no locked operation. */
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL), &h->pcpu[0]);
    assert_int_equal(t.own_counts, 1);
    assert_int_equal(t.foreign_writes, 0);
    assert_int_equal(hook.locked, 0);
}

static void test_pcpu_choose_full_reads_others_counts_self_seldom(void **state)
{
    struct host *h = *state;
    struct touched t;

    fill(h, 0, 64);
    watch(&t, h, 0);
    for (unsigned int i = 0; i < 90; i++)
        assert_ptr_not_equal(vtdpi_pcpu_choose(&h->pcpu[0], 64, NULL),
                             &h->pcpu[0]);
    assert_int_equal(t.own_counts, 10);
    assert_int_equal(t.foreign_writes, 0);
    assert_int_equal(hook.locked, 0);
}

/* Of two lists, the longer one is not counted to its end. */
static void test_pcpu_choose_counts_no_further_than_needed(void **state)
{
    struct host *h = *state;
    struct touched t;

    offline_from(h, 2);
    fill(h, 0, 1);
    fill(h, 1, 60);
    watch(&t, h, 0);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->pcpu[0], 0, NULL), &h->pcpu[0]);
    /* Its first leaf word has more than one, twice. */
    assert_int_equal(t.other_leaves, 2);
}

static void test_pcpu_choose_all_from_one_spreads(void **state)
{
    struct host *h = *state;

    for (unsigned int i = 0; i < 96; i++)
        block_on(h, vtdpi_pcpu_choose(&h->pcpu[3], 0, NULL));
    for (unsigned int i = 0; i < PRESENT; i++)
        assert_in_range(vtdpi_pcpu_blocked(&h->pcpu[i]), 10, 14);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pcpu_choose_until_bound_here),
        TEST(test_pcpu_choose_what_is_there_already_counts),
        TEST(test_pcpu_choose_room_again_here_again),
        TEST(test_pcpu_choose_no_bound_always_here),
        TEST(test_pcpu_choose_smaller_bound_holds_at_once),
        TEST(test_pcpu_choose_full_shorter_of_two),
        TEST(test_pcpu_choose_full_longer_than_full_stays),
        TEST(test_pcpu_choose_everybody_is_drawn),
        TEST(test_pcpu_choose_never_offline_nor_absent),
        TEST(test_pcpu_choose_here_offline_elsewhere),
        TEST(test_pcpu_choose_nobody_else_here),
        TEST(test_pcpu_choose_outside_set_never),
        TEST(test_pcpu_choose_here_outside_set_elsewhere),
        TEST(test_pcpu_choose_set_drawn_evenly),
        TEST(test_pcpu_choose_empty_set_none),
        TEST(test_pcpu_choose_set_of_two_words),
        TEST(test_pcpu_choose_local_touches_own_words_only),
        TEST(test_pcpu_choose_full_reads_others_counts_self_seldom),
        TEST(test_pcpu_choose_counts_no_further_than_needed),
        TEST(test_pcpu_choose_all_from_one_spreads),
    };

    return cmocka_run_group_tests_name("choose", tests, NULL, NULL);
}
