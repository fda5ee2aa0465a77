/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that a host gives: bitmaps of any number of pages, and none of it
 * zeroed.
 */
#include "atomic_hook.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/sched.h"

enum {
    PCPUS = 6,
    PAGES_MAX = 129,
    WORDS_MAX = VTDPI_BITMAP_WORDS(PAGES_MAX),
    BEHIND = 64, /* words behind a bitmap that is filled in part only */
    ANV = 0xf2,
    WNV = 0xf1,
};

/* What is filled with one word before anything is initialised. */
struct memory {
    struct vtdpi_sched s;
    struct vtdpi_page_ref pages[PAGES_MAX];
    struct vtdpi_pcpu *pcpus[PCPUS];
    struct vtdpi_pid_page page[PAGES_MAX];
    struct vtdpi_pcpu pcpu[PCPUS];
    uint64_t bitmap[PCPUS][WORDS_MAX + BEHIND];
};

struct host {
    struct memory m;
    struct vtdpi_vcpu v[2]; /* zeroed: attach says so */
    uint8_t *pids;
    uint64_t fill;
    uint32_t pages;
    unsigned int wakes;
};

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

static void wake(void *ctx, void *cookie)
{
    struct host *h = ctx;

    assert_ptr_equal(cookie, &h->v[0]);
    h->wakes++;
}

static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                              .wake = wake};

static void fill_words(void *memory, size_t bytes, uint64_t word)
{
    for (size_t i = 0; i < bytes / sizeof(word); i++)
        memcpy((uint8_t *)memory + i * sizeof(word), &word, sizeof(word));
}

/* All pages present, all pCPUs but the last set up, none online. */
static struct host *host_new(uint32_t pages, uint64_t fill)
{
    struct host *h = calloc(1, sizeof(*h));
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .ctx = h,
        .pages = h->m.pages,
        .max_pages = pages,
        .pcpus = h->m.pcpus,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
    };

    assert_non_null(h);
    h->pids = aligned_alloc(4096, pages * UINT64_C(4096));
    assert_non_null(h->pids);
    h->fill = fill;
    h->pages = pages;
    fill_words(&h->m, sizeof(h->m), fill);
    fill_words(h->pids, pages * UINT64_C(4096), fill);
    assert_int_equal(vtdpi_sched_init(&h->m.s, &params), 0);
    for (uint32_t i = 0; i < pages; i++)
        assert_int_equal(vtdpi_sched_add_page(&h->m.s, i, &h->m.page[i],
                                              h->pids + i * UINT64_C(4096),
                                              i * UINT64_C(4096)),
                         0);
    for (uint32_t i = 0; i < PCPUS - 1; i++)
        assert_int_equal(
            vtdpi_pcpu_init(&h->m.s, &h->m.pcpu[i], i, i + 5, h->m.bitmap[i]),
            0);
    return h;
}

static void host_free(struct host *h)
{
    free(h->pids);
    free(h);
}

/* Zeros as far as the bitmap goes, except for these wake marks of each page;
 * and what was there before behind it. */
static void check_bitmap(const struct host *h, uint32_t pcpu, uint64_t marks)
{
    for (size_t i = 0; i < WORDS_MAX + BEHIND; i++) {
        uint64_t want = i < VTDPI_BITMAP_WORDS(h->pages) ? 0 : h->fill;

        if (i < 2 * (size_t)h->pages && i % 2 == 1)
            want = marks;
        assert_int_equal(h->m.bitmap[pcpu][i], want);
    }
}

/* Block, post, be found; by the handler and by the scan of everyone. */
static void check_found(struct host *h, uint32_t slot)
{
    struct vtdpi_pcpu *p = &h->m.pcpu[1];

    h->wakes = 0;
    assert_int_equal(vtdpi_vcpu_attach(&h->m.s, &h->v[0], slot, &h->v[0]), 0);
    assert_int_equal(vtdpi_vcpu_block(&h->v[0], p), VTDPI_BLOCKED);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(p, WNV), 0);
    assert_int_equal(vtdpi_vcpu_post(&h->v[0], 0x41, false), VTDPI_POST_NOTIFY);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(p, WNV), 1);
    assert_int_equal(vtdpi_pcpu_rescan(p), 1);
    assert_int_equal(vtdpi_pcpu_offline(p), 1);
    assert_int_equal(h->wakes, 3);
    assert_int_equal(vtdpi_vcpu_detach(&h->v[0]), 0);
    vtdpi_pcpu_online(p);
}

static void check_every_page(uint32_t pages)
{
    struct host *h = host_new(pages, UINT64_MAX);

    vtdpi_pcpu_online(&h->m.pcpu[1]);
    for (uint32_t page = 0; page < pages; page++) {
        check_found(h, page * 64);
        check_found(h, page * 64 + 63);
    }
    /* The bits that detach leaves in the summary go with the next handler. */
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->m.pcpu[1], WNV), 0);
    check_bitmap(h, 1, UINT64_C(1) << 63 | 1);
    host_free(h);
}

/* A summary word that is full, one with a single page, and one page less. */
static void test_pcpu_handle_wakeup_any_number_of_pages(void **state)
{
    static const uint32_t pages[] = {1, 2, 63, 64, 65, 127, 128, 129};

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        check_every_page(pages[i]);
}

/* One is blocked here, on the last page, which is as many as may be. */
static void test_pcpu_choose_any_number_of_pages(void **state)
{
    static const uint32_t pages[] = {1, 64, 65, 128, 129};

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct host *h = host_new(pages[i], 0);
        struct vtdpi_pcpu *here = &h->m.pcpu[0];
        const uint32_t slot = pages[i] * 64 - 1;

        vtdpi_pcpu_online(here);
        vtdpi_pcpu_online(&h->m.pcpu[1]);
        assert_int_equal(vtdpi_vcpu_attach(&h->m.s, &h->v[0], slot, &h->v[0]),
                         0);
        assert_int_equal(vtdpi_vcpu_block(&h->v[0], here), VTDPI_BLOCKED);
        assert_ptr_equal(vtdpi_pcpu_choose(here, 1, NULL), &h->m.pcpu[1]);
        host_free(h);
    }
}

static void check_fresh(uint64_t fill)
{
    struct host *h = host_new(65, fill);
    struct vtdpi_pcpu *p = &h->m.pcpu[1];

    check_bitmap(h, 0, 0);
    check_bitmap(h, 1, 0);
    assert_int_equal(vtdpi_pcpu_blocked(p), 0);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(p, WNV), 0);
    assert_int_equal(vtdpi_pcpu_rescan(p), 0);
    assert_int_equal(vtdpi_vcpu_attach(&h->m.s, &h->v[0], 64 * 64, &h->v[0]),
                     0);
    /* Offline until it is said to be online. */
    assert_int_equal(vtdpi_vcpu_block(&h->v[0], p), VTDPI_BLOCK_OFFLINE);
    /* No scan is under way, on it or anywhere else. */
    assert_int_equal(vtdpi_vcpu_detach_begin(&h->v[0]), 0);
    assert_true(vtdpi_vcpu_detach_poll(&h->v[0]));
    vtdpi_pcpu_online(p);
    check_found(h, 64 * 64);
    host_free(h);
}

static void test_sched_memory_of_any_content_starts_empty(void **state)
{
    static const uint64_t fill[] = {0, UINT64_MAX, 1, 2,
                                    UINT64_C(0x5555555555555555)};

    (void)state;
    for (size_t i = 0; i < sizeof(fill) / sizeof(fill[0]); i++)
        check_fresh(fill[i]);
}

/* Two are blocked on the first pCPU, so the others are better, all alike. */
static struct host *host_with_choice(uint64_t fill)
{
    struct host *h = host_new(2, fill);

    for (uint32_t i = 0; i < PCPUS - 1; i++)
        vtdpi_pcpu_online(&h->m.pcpu[i]);
    for (uint32_t i = 0; i < 2; i++) {
        struct vtdpi_vcpu *v = &h->v[i];

        assert_int_equal(vtdpi_vcpu_attach(&h->m.s, v, 64 * i, v), 0);
        assert_int_equal(vtdpi_vcpu_block(v, &h->m.pcpu[0]), VTDPI_BLOCKED);
    }
    return h;
}

/* The counts and the random numbers of choose start alike. */
static void test_pcpu_choose_memory_of_any_content_chooses_alike(void **state)
{
    static const uint32_t bound[] = {2, 0, UINT32_MAX, 1, 3, 16};

    (void)state;
    for (size_t k = 0; k < sizeof(bound) / sizeof(bound[0]); k++) {
        struct host *a = host_with_choice(0);
        struct host *b = host_with_choice(1);

        for (unsigned int i = 0; i < 40; i++)
            assert_int_equal(
                vtdpi_pcpu_choose(&a->m.pcpu[0], bound[k], NULL) - a->m.pcpu,
                vtdpi_pcpu_choose(&b->m.pcpu[0], bound[k], NULL) - b->m.pcpu);
        host_free(a);
        host_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcpu_handle_wakeup_any_number_of_pages),
        cmocka_unit_test(test_pcpu_choose_any_number_of_pages),
        cmocka_unit_test(test_sched_memory_of_any_content_starts_empty),
        cmocka_unit_test(test_pcpu_choose_memory_of_any_content_chooses_alike),
    };

    hook_reset();
    return cmocka_run_group_tests_name("sched_memory", tests, NULL, NULL);
}
