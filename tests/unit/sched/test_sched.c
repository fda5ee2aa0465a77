/* SPDX-License-Identifier: BSD-2-Clause */
#include "atomic_hook.h"
#include "test.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static uint64_t control(const struct world_vcpu *v)
{
    return ((const struct vtdpi_pid *)v->w->memory)[v->v.slot].control;
}

static uint64_t control_word(const struct world *w, bool on, bool sn,
                             uint8_t nv, unsigned int pcpu)
{
    return (uint64_t)host_ndst(&w->names, pcpu) << 32 | (uint64_t)nv << 16 |
           (sn ? 2u : 0u) | (on ? 1u : 0u);
}

/* Init and its errors. */

struct init_case {
    struct vtdpi_sched_params params;
    int want;
};

static void test_sched_init_bad_params_refused(void **state)
{
    struct world *w = *state;
    const struct vtdpi_platform_ops no_wake = {.send_ipi = w->ops.send_ipi};
    const struct vtdpi_sched_params good = {
        &w->ops, w, w->page_slots, 1, w->pcpu_slots, 1, VTDPI_XAPIC, 32,
        {33},    1, NULL,          0, NULL,          0};
    struct init_case cases[18];
    unsigned int n = 0;
    struct vtdpi_sched s;

    for (; n < 18; n++)
        cases[n] = (struct init_case){good, VTDPI_EINVAL};
    cases[0].params.ops = NULL;
    cases[1].params.ops = &no_wake;
    cases[2].params.ops = &no_wake;
    cases[2].params.wnv[0] = 0;
    cases[2].params.wnv_count = 1;
    cases[3].params.pages = NULL;
    cases[4].params.pcpus = NULL;
    cases[5].params.max_pages = 0;
    cases[6].params.max_pages = VTDPI_PAGES_MAX + 1;
    cases[7].params.max_pcpus = 0;
    cases[8].params.wnv[0] = 32;
    cases[9].params.anv = 15;
    cases[9].want = VTDPI_EVECTOR;
    cases[10].params.wnv[0] = 15;
    cases[10].want = VTDPI_EVECTOR;
    cases[11].want = 0;
    cases[12].params.wnv_count = 3;
    cases[13].params.wnv_count = 128;
    cases[14].params.wnv_count = 2;
    cases[14].want = VTDPI_EVECTOR; /* the second is 0 */
    cases[15].params.wnv_count = 2;
    cases[15].params.wnv[1] = 33;
    cases[16].params.wnv_count = 2;
    cases[16].params.wnv[1] = 32;
    cases[17].params.wnv[0] = 0;
    cases[17].params.wnv_count = 0;
    cases[17].want = VTDPI_EVECTOR; /* wake, and no vector for it */
    for (unsigned int i = 0; i < n; i++)
        assert_int_equal(vtdpi_sched_init(&s, &cases[i].params), cases[i].want);
    assert_int_equal(vtdpi_sched_init(NULL, &good), VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_init(&s, NULL), VTDPI_EINVAL);
}

/* A host that never blocks, and sends what a post returns: no callback. */
static void test_sched_init_without_callbacks(void **state)
{
    struct world *w = *state;
    const struct vtdpi_platform_ops none = {0};
    struct vtdpi_page_ref pages[1];
    struct vtdpi_pcpu *pcpus[1];
    const struct vtdpi_sched_params params = {
        &none, NULL, pages, 1,    pcpus, 1,    VTDPI_XAPIC,
        ANV,   {0},  0,     NULL, 0,     NULL, 0};
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_pid_page page;
    struct vtdpi_notification n;
    struct vtdpi_vcpu v = {0};
    struct vtdpi_pcpu p;
    struct vtdpi_sched s;

    assert_int_equal(vtdpi_sched_init(&s, &params), 0);
    memset(&page, 0xa5, sizeof(page)); /* memory need not be cleared */
    assert_int_equal(vtdpi_sched_add_page(&s, 0, &page, w->memory, 0), 0);
    for (unsigned int i = 0; i < VTDPI_PAGE_SLOTS; i++)
        assert_null(page.cookie[i]);
    assert_int_equal(vtdpi_pcpu_init(&s, &p, 0, 0x12, bitmap), 0);
    vtdpi_pcpu_online(&p);
    assert_int_equal(vtdpi_vcpu_attach(&s, &v, 0, w), 0);
    vtdpi_vcpu_run(&v, &p);
    n = vtdpi_pid_post(vtdpi_vcpu_pid(&v), 0x41, false);
    assert_int_equal(n.result, VTDPI_POST_NOTIFY);
    assert_int_equal(n.nv, ANV);
    assert_int_equal(vtdpi_apic_id_from_ndst(VTDPI_XAPIC, n.ndst), 0x12);
    assert_int_equal(vtdpi_vcpu_block(&v, &p), VTDPI_BLOCK_NOVECTOR);
    assert_int_equal(vtdpi_vcpu_block_committed(&v, &p), VTDPI_BLOCK_NOVECTOR);
    assert_false(vtdpi_vcpu_is_blocked(&v));
    assert_int_equal(vtdpi_vcpu_pid(&v)->control,
                     (uint64_t)0x1200 << 32 | (uint64_t)ANV << 16 | 1);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&p, 0), 0);
    assert_int_equal(vtdpi_pcpu_rescan(&p), 0);
    assert_int_equal(vtdpi_pcpu_offline(&p), 0);
    expect_assert_failure(vtdpi_vcpu_send(&v, &n));
    assert_int_equal(vtdpi_vcpu_detach(&v), 0);
}

static void test_sched_add_page_bad_arguments_refused(void **state)
{
    struct world *w = *state;
    struct vtdpi_pid_page *page = &w->page[2];
    uint8_t *memory = (uint8_t *)w->memory + 2 * 4096;

    assert_int_equal(vtdpi_sched_add_page(NULL, 2, page, memory, 0),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_add_page(&w->s, 2, NULL, memory, 0),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_add_page(&w->s, 2, page, NULL, 0),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_add_page(&w->s, PAGES, page, memory, 0),
                     VTDPI_EPAGE);
    assert_int_equal(vtdpi_sched_add_page(&w->s, 2, page, memory + 64, 0),
                     VTDPI_EALIGN);
    assert_int_equal(vtdpi_sched_add_page(&w->s, 2, page, memory, 64),
                     VTDPI_EALIGN);
    assert_int_equal(vtdpi_sched_add_page(&w->s, 1, page, memory, 0),
                     VTDPI_EPAGEBUSY);
    /* None of them has put anything there. */
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &(struct vtdpi_vcpu){0}, 128, w),
                     VTDPI_ENOPAGE);
    assert_int_equal(vtdpi_sched_add_page(&w->s, 2, page, memory, 0), 0);
}

static void test_sched_add_page_later_attach_works(void **state)
{
    struct world *w = *state;
    uint8_t *memory = (uint8_t *)w->memory + 2 * 4096;
    struct vtdpi_vcpu v = {0};
    const struct vtdpi_pid *pid = (struct vtdpi_pid *)(void *)memory;

    memset(memory, 0xff, 4096);
    assert_int_equal(
        vtdpi_sched_add_page(&w->s, 2, &w->page[2], memory, 0x5000), 0);
    for (unsigned int i = 0; i < 64; i++) {
        assert_int_equal(pid[i].control, (uint64_t)ANV << 16 | 2);
        assert_int_equal(
            pid[i].pir[0] | pid[i].pir[1] | pid[i].pir[2] | pid[i].pir[3], 0);
        assert_int_equal(
            pid[i].reserved[0] | pid[i].reserved[1] | pid[i].reserved[2], 0);
    }
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, 2 * 64 + 3, w), 0);
    assert_int_equal(vtdpi_vcpu_pda(&v), 0x5000 + 3 * 64);
    assert_ptr_equal(vtdpi_vcpu_pid(&v), memory + 3 * 64);
}

static void test_pcpu_init_bad_arguments_refused(void **state)
{
    struct world *w = *state;
    struct vtdpi_pcpu p;
    uint64_t *bitmap = w->bitmap[3];

    assert_int_equal(vtdpi_pcpu_init(NULL, &p, 3, 1, bitmap), VTDPI_EINVAL);
    assert_int_equal(vtdpi_pcpu_init(&w->s, NULL, 3, 1, bitmap), VTDPI_EINVAL);
    assert_int_equal(vtdpi_pcpu_init(&w->s, &p, 3, 1, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_pcpu_init(&w->s, &p, PCPUS, 1, bitmap), VTDPI_EPCPU);
    assert_int_equal(vtdpi_pcpu_init(&w->s, &p, 3, UINT32_MAX, bitmap),
                     VTDPI_ERANGE);
    assert_int_equal(vtdpi_pcpu_init(&w->s, &p, 0, 1, bitmap), VTDPI_EATTACHED);
}

static void test_pcpu_init_xapic_limits_and_encoding(void **state)
{
    struct world *w = *state;
    struct vtdpi_page_ref pages[1];
    struct vtdpi_pcpu *pcpus[3];
    const struct vtdpi_sched_params params = {
        &w->ops, w,     pages, 1,    pcpus, 3,    VTDPI_XAPIC,
        ANV,     {WNV}, 0,     NULL, 0,     NULL, 0};
    struct vtdpi_sched s;
    struct vtdpi_pcpu p[2];
    uint64_t bitmap[2][VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_pid_page page;
    struct vtdpi_vcpu v = {0};

    assert_int_equal(vtdpi_sched_init(&s, &params), 0);
    assert_int_equal(vtdpi_pcpu_init(&s, &p[0], 0, 0xff, bitmap[0]),
                     VTDPI_ERANGE);
    assert_int_equal(vtdpi_pcpu_init(&s, &p[0], 0, 0x100, bitmap[0]),
                     VTDPI_ERANGE);
    assert_int_equal(vtdpi_pcpu_init(&s, &p[0], 0, 0xfe, bitmap[0]), 0);
    assert_int_equal(vtdpi_sched_add_page(&s, 0, &page, w->memory, 0), 0);
    assert_int_equal(vtdpi_vcpu_attach(&s, &v, 0, w), 0);
    vtdpi_vcpu_run(&v, &p[0]);
    assert_int_equal(vtdpi_vcpu_pid(&v)->control,
                     (uint64_t)0xfe00 << 32 | (uint64_t)ANV << 16);
}

static void test_vcpu_attach_bad_arguments_refused(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu v = {0};

    assert_int_equal(vtdpi_vcpu_attach(NULL, &v, 9, w), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, NULL, 9, w), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, 9, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, PAGES * 64, w), VTDPI_ESLOT);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, UINT32_MAX - 1, w),
                     VTDPI_ESLOT);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, VTDPI_SLOT_IN(PAGES), w),
                     VTDPI_ESLOT);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, UINT32_MAX / 2, w),
                     VTDPI_ESLOT);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, 128, w), VTDPI_ENOPAGE);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, VTDPI_SLOT_IN(2), w),
                     VTDPI_ENOPAGE);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, 5, w), VTDPI_ESLOTBUSY);
    assert_false(vtdpi_vcpu_attached(&v));
    assert_int_equal(vtdpi_vcpu_ref(&v), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, 9, w), 0);
    assert_true(vtdpi_vcpu_attached(&v));
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v, 10, w), VTDPI_EATTACHED);
}

static void test_vcpu_attach_reused_slot_starts_empty(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];
    uint64_t out[VTDPI_PIR_WORDS];

    vtdpi_vcpu_run(&v->v, &w->pcpu[0]);
    world_device_post(v, 0x55, false);
    assert_int_equal(vtdpi_vcpu_detach(&v->v), 0);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v->v, world_slots[0], v), 0);
    assert_int_equal(control(v), (uint64_t)ANV << 16 | 2);
    assert_false(vtdpi_vcpu_sync(&v->v, out));
}

/* The transitions, each by the words it leaves. */

static void test_vcpu_run_sets_active_here(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    assert_int_equal(control(v), control_word(w, false, false, ANV, 1));
    vtdpi_vcpu_run(&v->v, &w->pcpu[2]);
    assert_int_equal(control(v), control_word(w, false, false, ANV, 2));
}

static void test_vcpu_run_keeps_on(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[0]);
    world_device_post(v, 0x40, false);
    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    assert_int_equal(control(v), control_word(w, true, false, ANV, 1));
}

/* A virtual-APIC page; words of its IRR are 16 bytes apart from 200h. */
struct vapic_page {
    _Alignas(4096) uint32_t words[1024];
};

static bool irr_has(const struct vapic_page *page, unsigned int vector)
{
    return (page->words[0x80 + vector / 32 * 4] >> vector % 32 & 1) != 0;
}

/*
 * RVI is what merge returns, whatever RVI was: after a reset the old RVI is a
 * vector that nobody has posted to the new guest, and the larger of both would
 * have the processor deliver it.
 */
static void test_vcpu_merge_after_reset_is_the_new_rvi(void **state)
{
    static struct vapic_page page;
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;
    unsigned int rvi;

    memset(&page, 0, sizeof(page));
    vtdpi_vcpu_run(v, &w->pcpu[0]);
    world_device_post(&w->vcpu[0], 0x91, false);
    rvi = vtdpi_vcpu_merge(v, page.words);
    assert_int_equal(rvi, 0x91);

    /* Reset, with another vector still in PIR: discard, then the APIC. */
    vtdpi_vcpu_preempt(v);
    world_device_post(&w->vcpu[0], 0xa2, false);
    vtdpi_pid_discard(vtdpi_vcpu_pid(v));
    memset(&page, 0, sizeof(page));
    vtdpi_vcpu_run(v, &w->pcpu[0]);
    rvi = vtdpi_vcpu_merge(v, page.words);
    assert_int_equal(rvi, 0); /* nothing to deliver, so no ghost either */

    world_device_post(&w->vcpu[0], 0x45, false);
    rvi = vtdpi_vcpu_merge(v, page.words);
    assert_int_equal(rvi, 0x45);
    assert_true(irr_has(&page, rvi));

    /* Restore: the state that is loaded names a vector of its own. */
    vtdpi_pid_discard(vtdpi_vcpu_pid(v));
    memset(&page, 0, sizeof(page));
    page.words[0x80 + 4] = 2; /* vector 33 */
    rvi = vtdpi_vcpu_merge(v, page.words);
    assert_int_equal(rvi, 33);
}

static void test_vcpu_preempt_suppresses(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    vtdpi_vcpu_preempt(&v->v);
    assert_int_equal(control(v), control_word(w, false, true, ANV, 1));
    assert_int_equal(vtdpi_vcpu_post(&v->v, 0x40, false),
                     VTDPI_POST_SUPPRESSED);
    assert_int_equal(w->ipis, 0);
    assert_int_equal(vtdpi_vcpu_post(&v->v, 0x41, true), VTDPI_POST_NOTIFY);
    assert_true(w->pending[1][ANV]);
}

static void test_vcpu_block_arms_wakeup(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    assert_int_equal(vtdpi_vcpu_block(&v->v, &w->pcpu[2]), VTDPI_BLOCKED);
    assert_true(vtdpi_vcpu_is_blocked(&v->v));
    assert_int_equal(control(v), control_word(w, false, false, WNV, 2));
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), 1);
    assert_int_equal(w->bitmap[2][0], UINT64_C(1) << 5);
    assert_int_equal(w->bitmap[2][2 * PAGES], 1);

    vtdpi_vcpu_preempt(&v->v);
    assert_false(vtdpi_vcpu_is_blocked(&v->v));
    assert_int_equal(control(v), control_word(w, false, true, ANV, 2));
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), 0);
}

static void test_vcpu_block_on_set_pending_untouched(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    world_device_post(v, 0x40, false);
    assert_int_equal(vtdpi_vcpu_block(&v->v, &w->pcpu[2]), VTDPI_BLOCK_PENDING);
    assert_int_equal(control(v), control_word(w, true, false, ANV, 1));
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), 0);
}

static void test_vcpu_block_pir_set_pending_preempted(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    vtdpi_vcpu_preempt(&v->v);
    world_device_post(v, 0x40, false);
    assert_int_equal(vtdpi_vcpu_block(&v->v, &w->pcpu[2]), VTDPI_BLOCK_PENDING);
    assert_int_equal(control(v), control_word(w, false, true, ANV, 2));
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), 0);
    assert_false(vtdpi_vcpu_is_blocked(&v->v));
}

static void test_vcpu_block_pcpu_offline_untouched(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    assert_int_equal(vtdpi_pcpu_offline(&w->pcpu[2]), 0);
    assert_int_equal(vtdpi_vcpu_block(&v->v, &w->pcpu[2]), VTDPI_BLOCK_OFFLINE);
    assert_int_equal(vtdpi_vcpu_block_committed(&v->v, &w->pcpu[2]),
                     VTDPI_BLOCK_OFFLINE);
    assert_int_equal(control(v), control_word(w, false, false, ANV, 1));
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), 0);
    vtdpi_pcpu_online(&w->pcpu[2]);
    assert_int_equal(vtdpi_vcpu_block(&v->v, &w->pcpu[2]), VTDPI_BLOCKED);
}

static void test_vcpu_block_committed_posted_notifies_itself(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    vtdpi_vcpu_preempt(&v->v);
    world_device_post(v, 0x40, false);
    assert_int_equal(vtdpi_vcpu_block_committed(&v->v, &w->pcpu[2]),
                     VTDPI_BLOCKED);
    assert_int_equal(control(v), control_word(w, true, false, WNV, 2));
    assert_true(w->pending[2][WNV]);
    assert_int_equal(w->ipis, 1);
}

/* A poster was overtaken by a harvest between its two steps: ON is set over an
 * empty PIR. Asleep like that the vCPU would be deaf. */
static void on_over_empty_pir(struct world_vcpu *v)
{
    vtdpi_vcpu_run(&v->v, &v->w->pcpu[1]);
    (void)vtdpi_pid_record(vtdpi_vcpu_pid(&v->v), 0x40);
    assert_true(world_take(v));
    assert_int_equal(vtdpi_vcpu_notify(&v->v, false), VTDPI_POST_NOTIFY);
    assert_int_equal(control(v), control_word(v->w, true, false, ANV, 1));
}

static void test_vcpu_block_on_over_empty_pir_pending(void **state)
{
    struct world *w = *state;

    on_over_empty_pir(&w->vcpu[0]);
    assert_int_equal(vtdpi_vcpu_block(&w->vcpu[0].v, &w->pcpu[2]),
                     VTDPI_BLOCK_PENDING);
    assert_false(world_take(&w->vcpu[0]));
    assert_int_equal(vtdpi_vcpu_block(&w->vcpu[0].v, &w->pcpu[2]),
                     VTDPI_BLOCKED);
}

static void test_vcpu_block_committed_on_over_empty_pir_notifies(void **state)
{
    struct world *w = *state;

    on_over_empty_pir(&w->vcpu[0]);
    assert_int_equal(vtdpi_vcpu_block_committed(&w->vcpu[0].v, &w->pcpu[2]),
                     VTDPI_BLOCKED);
    assert_true(w->pending[2][WNV]);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], WNV), 1);
}

static void test_vcpu_block_committed_idle_sends_nothing(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
    assert_int_equal(vtdpi_vcpu_block_committed(&v->v, &w->pcpu[2]),
                     VTDPI_BLOCKED);
    assert_int_equal(w->ipis, 0);
}

/* The handler, offline, rescan. */

static void test_pcpu_handle_wakeup_wakes_those_with_on(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    world_device_post(&w->vcpu[1], 0x40, false);
    assert_true(w->pending[2][WNV]);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], WNV), 1);
    assert_int_equal(w->vcpu[0].wakes, 0);
    assert_int_equal(w->vcpu[1].wakes, 1);
    assert_int_equal(w->vcpu[2].wakes, 0);
    /* It only reads: ON and the bit belong to the owner. */
    assert_int_equal(control(&w->vcpu[1]),
                     control_word(w, true, false, WNV, 2));
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[2]), VCPUS);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[1], WNV), 0);
}

static void test_pcpu_handle_wakeup_clears_stale_summary_only(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    assert_int_equal(w->bitmap[2][2 * PAGES], 3); /* leaves 0 and 1 */
    world_enter(&w->vcpu[1], 0);
    assert_int_equal(w->bitmap[2][2 * PAGES], 3);
    (void)vtdpi_pcpu_handle_wakeup(&w->pcpu[2], WNV);
    assert_int_equal(w->bitmap[2][2 * PAGES], 1);
}

static void test_pcpu_offline_and_rescan_wake_everyone(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    assert_int_equal(vtdpi_pcpu_rescan(&w->pcpu[2]), VCPUS);
    assert_int_equal(vtdpi_pcpu_offline(&w->pcpu[2]), VCPUS);
    for (unsigned int i = 0; i < VCPUS; i++)
        assert_int_equal(w->vcpu[i].wakes, 2);
    assert_int_equal(vtdpi_pcpu_rescan(&w->pcpu[1]), 0);
}

/* What the hot paths cost, in locked operations. */

static unsigned int locked_by(void)
{
    const unsigned int n = hook.locked;

    hook_reset();
    return n;
}

static void test_vcpu_run_unchanged_no_locked_operation(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;

    vtdpi_vcpu_run(v, &w->pcpu[0]);
    hook_reset();
    vtdpi_vcpu_run(v, &w->pcpu[0]);
    assert_int_equal(hook.stores, 0);
    assert_int_equal(locked_by(), 0);
    vtdpi_vcpu_run(v, &w->pcpu[1]);
    assert_int_equal(locked_by(), 1);
    vtdpi_vcpu_preempt(v);
    assert_int_equal(locked_by(), 1);
    vtdpi_vcpu_preempt(v);
    assert_int_equal(locked_by(), 0);
}

static void test_vcpu_post_locked_operations(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;

    vtdpi_vcpu_run(v, &w->pcpu[0]);
    hook_reset();
    assert_int_equal(vtdpi_vcpu_post(v, 0x40, false), VTDPI_POST_NOTIFY);
    assert_int_equal(locked_by(), 2);
    assert_int_equal(vtdpi_vcpu_post(v, 0x41, false), VTDPI_POST_ALREADY);
    assert_int_equal(locked_by(), 1);
    vtdpi_vcpu_preempt(v);
    (void)world_take(&w->vcpu[0]);
    hook_reset();
    assert_int_equal(vtdpi_vcpu_post(v, 0x41, false), VTDPI_POST_SUPPRESSED);
    assert_int_equal(locked_by(), 1);
}

static void test_vcpu_sync_idle_no_locked_operation(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[0]);
    hook_reset();
    assert_false(world_take(v));
    assert_int_equal(hook.stores, 0);
    assert_int_equal(locked_by(), 0);
    world_device_post(v, 0x40, false);
    assert_true(world_take(v));
    assert_int_equal(locked_by(), 2); /* ON, and one word of PIR */
}

static void test_vcpu_block_and_run_locked_operations(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;

    /* The first one also sets the summary bit. */
    assert_int_equal(vtdpi_vcpu_block(v, &w->pcpu[0]), VTDPI_BLOCKED);
    vtdpi_vcpu_run(v, &w->pcpu[0]);
    hook_reset();
    assert_int_equal(vtdpi_vcpu_block(v, &w->pcpu[0]), VTDPI_BLOCKED);
    assert_int_equal(locked_by(), 2);
    vtdpi_vcpu_run(v, &w->pcpu[0]);
    assert_int_equal(locked_by(), 2);
}

/* What a post from the vCPU's own pCPU can save, and what it cannot. */
static void test_pcpu_is_target_tells_own_pcpu(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu *v = &w->vcpu[0].v;
    struct vtdpi_notification n;

    vtdpi_vcpu_run(v, &w->pcpu[1]);
    n = vtdpi_pid_post(vtdpi_vcpu_pid(v), 0x40, false);
    assert_int_equal(n.result, VTDPI_POST_NOTIFY);
    assert_int_equal(n.nv, ANV);
    assert_true(vtdpi_pcpu_is_target(&w->pcpu[1], &n));
    assert_false(vtdpi_pcpu_is_target(&w->pcpu[0], &n));
    assert_int_equal(w->ipis, 0);

    /* Nothing was sent, and the harvest before the entry takes it. */
    assert_true(world_take(&w->vcpu[0]));
    assert_int_equal(vtdpi_vcpu_block(v, &w->pcpu[2]), VTDPI_BLOCKED);
    n = vtdpi_pid_post(vtdpi_vcpu_pid(v), 0x41, false);
    assert_int_equal(n.nv, WNV);
    assert_true(vtdpi_pcpu_is_target(&w->pcpu[2], &n));
    vtdpi_vcpu_send(v, &n);
    assert_true(w->pending[2][WNV]);
    vtdpi_vcpu_preempt(v);
    n = vtdpi_pid_post(vtdpi_vcpu_pid(v), 0x42, false);
    assert_int_equal(n.result, VTDPI_POST_SUPPRESSED);
    assert_true(vtdpi_pcpu_is_target(&w->pcpu[2], &n));
}

/* Takes the result of a call that does not return. */
static void drop(int result)
{
    (void)result;
}

/* Broken preconditions end in VTDPI_ASSERT. */

/* A host whose threads sleep or not, and the vCPU that it was asked for last. */
static bool sleeps;
static const void *asked;

static bool will_sleep(void *ctx, void *cookie)
{
    assert_non_null(ctx);
    asked = cookie;
    return sleeps;
}

static void run_of_a_sleeper_asserts(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p)
{
    asked = NULL;
    vtdpi_vcpu_run(v, p);
    assert_null(asked);
    assert_int_equal(vtdpi_vcpu_block(v, p), VTDPI_BLOCKED);
    expect_assert_failure(vtdpi_vcpu_run(v, p));
    assert_ptr_equal(asked, v);
}

static void test_sched_run_of_a_thread_that_will_sleep_asserts(void **state)
{
    struct world *w = *state;

    w->ops.will_sleep = will_sleep;
    sleeps = true;
    for (unsigned int i = 0; i < VCPUS; i++)
        run_of_a_sleeper_asserts(&w->vcpu[i].v, &w->pcpu[0]);
    sleeps = false;
    for (unsigned int i = 0; i < VCPUS; i++)
        vtdpi_vcpu_run(&w->vcpu[i].v, &w->pcpu[1]);
    assert_ptr_equal(asked, &w->vcpu[VCPUS - 1].v);
}

static void test_sched_broken_preconditions_assert(void **state)
{
    struct world *w = *state;
    struct vtdpi_vcpu none = {0};
    struct vtdpi_pcpu foreign = {0};
    const struct vtdpi_notification nothing = {VTDPI_POST_ALREADY, 0, 0};
    struct vtdpi_pid *misaligned =
        (struct vtdpi_pid *)(void *)((uint8_t *)w->memory + 8);

    expect_assert_failure((void)vtdpi_vcpu_post(&w->vcpu[0].v, 15, false));
    expect_assert_failure((void)vtdpi_vcpu_post(&none, 0x40, false));
    expect_assert_failure(vtdpi_vcpu_run(&none, &w->pcpu[0]));
    expect_assert_failure(vtdpi_vcpu_run(&w->vcpu[0].v, &foreign));
    expect_assert_failure(vtdpi_vcpu_preempt(&none));
    expect_assert_failure(drop((int)vtdpi_vcpu_block(&w->vcpu[0].v, &foreign)));
    expect_assert_failure((void)vtdpi_vcpu_pda(&none));
    expect_assert_failure(vtdpi_vcpu_unref(&w->vcpu[0].v));
    expect_assert_failure(vtdpi_vcpu_unhold(&w->vcpu[0].v));
    /* A hold is no reference, and a reference is no hold. */
    assert_int_equal(vtdpi_vcpu_hold(&w->vcpu[1].v), 0);
    expect_assert_failure(vtdpi_vcpu_unref(&w->vcpu[1].v));
    assert_int_equal(vtdpi_vcpu_ref(&w->vcpu[0].v), 0);
    expect_assert_failure(vtdpi_vcpu_unhold(&w->vcpu[0].v));
    vtdpi_vcpu_unref(&w->vcpu[0].v);
    vtdpi_vcpu_unhold(&w->vcpu[1].v);
    expect_assert_failure(drop(vtdpi_vcpu_detach_poll(&w->vcpu[0].v)));
    expect_assert_failure(vtdpi_vcpu_send(&w->vcpu[0].v, &nothing));
    expect_assert_failure(vtdpi_pid_init(misaligned, ANV, 0));
    w->pcpu[0].scan = 1;
    expect_assert_failure((void)vtdpi_pcpu_handle_wakeup(&w->pcpu[0], WNV));
    w->s.scan = 1;
    expect_assert_failure((void)vtdpi_pcpu_rescan(&w->pcpu[1]));
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sched_init_bad_params_refused),
        TEST(test_sched_init_without_callbacks),
        TEST(test_sched_add_page_bad_arguments_refused),
        TEST(test_sched_add_page_later_attach_works),
        TEST(test_pcpu_init_bad_arguments_refused),
        TEST(test_pcpu_init_xapic_limits_and_encoding),
        TEST(test_vcpu_attach_bad_arguments_refused),
        TEST(test_vcpu_attach_reused_slot_starts_empty),
        TEST(test_vcpu_run_sets_active_here),
        TEST(test_vcpu_run_keeps_on),
        TEST(test_vcpu_merge_after_reset_is_the_new_rvi),
        TEST(test_vcpu_preempt_suppresses),
        TEST(test_vcpu_block_arms_wakeup),
        TEST(test_vcpu_block_on_set_pending_untouched),
        TEST(test_vcpu_block_pir_set_pending_preempted),
        TEST(test_vcpu_block_pcpu_offline_untouched),
        TEST(test_vcpu_block_committed_posted_notifies_itself),
        TEST(test_vcpu_block_on_over_empty_pir_pending),
        TEST(test_vcpu_block_committed_on_over_empty_pir_notifies),
        TEST(test_vcpu_block_committed_idle_sends_nothing),
        TEST(test_pcpu_handle_wakeup_wakes_those_with_on),
        TEST(test_pcpu_handle_wakeup_clears_stale_summary_only),
        TEST(test_pcpu_offline_and_rescan_wake_everyone),
        TEST(test_vcpu_run_unchanged_no_locked_operation),
        TEST(test_vcpu_post_locked_operations),
        TEST(test_vcpu_sync_idle_no_locked_operation),
        TEST(test_vcpu_block_and_run_locked_operations),
        TEST(test_pcpu_is_target_tells_own_pcpu),
        TEST(test_sched_run_of_a_thread_that_will_sleep_asserts),
        TEST(test_sched_broken_preconditions_assert),
    };

    return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
