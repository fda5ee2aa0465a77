/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance that grows by chunks while vCPUs are blocked. No memory that is
 * given to it is zero before, and nothing behind that memory is written.
 */
#include "atomic_hook.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/sched.h"

enum {
    PCPUS = 3, /* the last one comes late */
    FIRST = 64,
    CHUNKS = 2,
    PAGES = 4, /* with memory: three numbers that a test chooses, and page 0 */
    WORDS_MAX = 2 * (FIRST + CHUNKS * VTDPI_CHUNK_PAGES) + 16,
    BEHIND = 4,
    VCPUS = 4,
    ANV = 0xf2,
    WNV = 0xf1,
    WNV_ODD = 0x31, /* of pages with an odd number */
};

struct part {
    uint64_t word[VTDPI_CHUNK_WORDS + BEHIND];
};

struct refs {
    struct vtdpi_page_ref page[VTDPI_CHUNK_PAGES];
};

/* What is filled with ones before anything is initialised. */
struct memory {
    struct vtdpi_sched s;
    struct vtdpi_page_ref pages[FIRST];
    struct vtdpi_page_ref *chunks[CHUNKS + 1]; /* one behind */
    struct vtdpi_pcpu *pcpus[PCPUS];
    struct vtdpi_pcpu pcpu[PCPUS];
    struct vtdpi_pid_page page[PAGES];
    struct refs refs[CHUNKS];
    struct part part[CHUNKS][PCPUS];
    uint64_t bitmap[PCPUS][WORDS_MAX];
};

struct host {
    struct memory m;
    struct vtdpi_vcpu v[VCPUS]; /* zeroed: attach says so */
    uint8_t *pids;
    uint32_t pages; /* added */
    uint32_t grown; /* times */
    unsigned int wakes[VCPUS];
    uint8_t sent;
};

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    struct host *h = ctx;

    (void)apic_id;
    h->sent = vector;
}

static void wake(void *ctx, void *cookie)
{
    struct host *h = ctx;

    h->wakes[(struct vtdpi_vcpu *)cookie - h->v]++;
}

static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                              .wake = wake};

static struct vtdpi_sched_params params_of(struct host *h)
{
    return (struct vtdpi_sched_params){
        .ops = &ops,
        .ctx = h,
        .pages = h->m.pages,
        .max_pages = FIRST,
        .pcpus = h->m.pcpus,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV, WNV_ODD},
        .wnv_count = 2,
        .chunks = h->m.chunks,
        .max_chunks = CHUNKS,
    };
}

static int page_add(struct host *h, uint32_t number)
{
    const uint32_t i = h->pages;
    const int err =
        vtdpi_sched_add_page(&h->m.s, number, &h->m.page[i],
                             h->pids + i * VTDPI_PAGE_SIZE, number * 4096);

    if (err == 0)
        h->pages++;
    return err;
}

static void pcpu_add(struct host *h, uint32_t n)
{
    const size_t words = vtdpi_sched_bitmap_words(&h->m.s);

    assert_in_range(words, 1, WORDS_MAX - BEHIND);
    assert_int_equal(
        vtdpi_pcpu_init(&h->m.s, &h->m.pcpu[n], n, n + 7, h->m.bitmap[n]), 0);
    for (size_t i = 0; i < WORDS_MAX; i++)
        assert_int_equal(h->m.bitmap[n][i], i < words ? 0 : UINT64_MAX);
    vtdpi_pcpu_online(&h->m.pcpu[n]);
}

/* Page 0 is there, and all pCPUs but the last. */
static struct host *host_new(void)
{
    struct host *h = calloc(1, sizeof(*h));
    struct vtdpi_sched_params params;

    assert_non_null(h);
    params = params_of(h);
    h->pids = aligned_alloc(VTDPI_PAGE_SIZE, PAGES * VTDPI_PAGE_SIZE);
    assert_non_null(h->pids);
    memset(h->pids, 0xff, PAGES * VTDPI_PAGE_SIZE);
    memset(&h->m, 0xff, sizeof(h->m));
    assert_int_equal(vtdpi_sched_init(&h->m.s, &params), 0);
    assert_int_equal(page_add(h, 0), 0);
    for (uint32_t i = 0; i < PCPUS - 1; i++)
        pcpu_add(h, i);
    return h;
}

static void host_free(struct host *h)
{
    free(h->pids);
    free(h);
}

static struct part *part_of(struct host *h, uint32_t pcpu)
{
    return &h->m.part[h->grown][pcpu];
}

static void check_part(const struct part *part)
{
    for (size_t i = 0; i < VTDPI_CHUNK_WORDS + BEHIND; i++)
        assert_int_equal(part->word[i], i < VTDPI_CHUNK_WORDS ? 0 : UINT64_MAX);
}

/* By one chunk, for the first @p pcpus pCPUs. */
static void grow(struct host *h, uint32_t pcpus)
{
    for (uint32_t i = 0; i < pcpus; i++) {
        struct part *part = part_of(h, i);

        assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[i], part->word), 0);
        check_part(part);
    }
    assert_int_equal(vtdpi_sched_grow(&h->m.s, h->m.refs[h->grown].page), 0);
    h->grown++;
}

static void attach(struct host *h, unsigned int v, uint32_t slot)
{
    assert_int_equal(vtdpi_vcpu_attach(&h->m.s, &h->v[v], slot, &h->v[v]), 0);
}

static void block(struct host *h, unsigned int v, unsigned int pcpu)
{
    assert_int_equal(vtdpi_vcpu_block(&h->v[v], &h->m.pcpu[pcpu]),
                     VTDPI_BLOCKED);
}

/* A post sends the vector of the vCPU's page, whose handler wakes the vCPU and
 * nobody else. */
static void check_woken(struct host *h, unsigned int v, unsigned int pcpu)
{
    const uint32_t page = vtdpi_vcpu_slot(&h->v[v]) / VTDPI_PAGE_SLOTS;
    const unsigned int before = h->wakes[v];

    h->sent = 0;
    assert_int_equal(vtdpi_vcpu_post(&h->v[v], 0x41, false), VTDPI_POST_NOTIFY);
    assert_int_equal(h->sent, page % 2 == 0 ? WNV : WNV_ODD);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->m.pcpu[pcpu], h->sent), 1);
    assert_int_equal(h->wakes[v], before + 1);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&h->m.pcpu[pcpu], h->sent), 0);
}

/* Blocks again after that, is found by a rescan, and leaves no bit behind. */
static void check_life(struct host *h, unsigned int v, unsigned int pcpu)
{
    struct vtdpi_pcpu *p = &h->m.pcpu[pcpu];
    const uint32_t others =
        vtdpi_pcpu_blocked(p) - vtdpi_vcpu_is_blocked(&h->v[v]);
    uint64_t out[VTDPI_PIR_WORDS];

    check_woken(h, v, pcpu);
    vtdpi_vcpu_run(&h->v[v], p);
    assert_true(vtdpi_vcpu_sync(&h->v[v], out));
    assert_int_equal(vtdpi_pcpu_blocked(p), others);
    block(h, v, pcpu);
    assert_int_equal(vtdpi_pcpu_blocked(p), others + 1);
    assert_int_equal(vtdpi_pcpu_rescan(p), others + 1);
    check_woken(h, v, pcpu);
    vtdpi_vcpu_preempt(&h->v[v]);
    assert_true(vtdpi_vcpu_sync(&h->v[v], out));
    assert_int_equal(vtdpi_pcpu_blocked(p), others);
}

/* Blocked before; the first and the last page of the first chunk. */
static void test_sched_grow_while_vcpus_are_blocked(void **state)
{
    struct host *h = host_new();

    (void)state;
    attach(h, 0, 5);
    block(h, 0, 0);
    grow(h, PCPUS - 1);
    assert_int_equal(vtdpi_pcpu_blocked(&h->m.pcpu[0]), 1);
    assert_int_equal(page_add(h, FIRST), 0);
    assert_int_equal(page_add(h, FIRST + 63), 0);
    attach(h, 1, FIRST * 64);
    attach(h, 2, (FIRST + 63) * 64 + 63);
    block(h, 1, 0);
    block(h, 2, 0);
    assert_int_equal(vtdpi_pcpu_blocked(&h->m.pcpu[0]), 3);
    assert_int_equal(vtdpi_pcpu_blocked(&h->m.pcpu[1]), 0);
    check_woken(h, 0, 0);
    check_life(h, 1, 0);
    check_life(h, 2, 0);
    block(h, 1, 1);
    assert_int_equal(vtdpi_pcpu_offline(&h->m.pcpu[1]), 1);
    assert_int_equal(vtdpi_vcpu_block(&h->v[2], &h->m.pcpu[1]),
                     VTDPI_BLOCK_OFFLINE);
    assert_int_equal(vtdpi_vcpu_pda(&h->v[2]), (FIRST + 63) * 4096 + 63 * 64);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(vtdpi_vcpu_detach(&h->v[i]), 0);
    attach(h, 1, FIRST * 64);
    host_free(h);
}

static void test_sched_grow_refused_leaves_all_as_it_was(void **state)
{
    struct host *h = host_new();
    struct part *part = part_of(h, 0);
    struct vtdpi_page_ref *refs = h->m.refs[0].page;

    (void)state;
    assert_int_equal(vtdpi_pcpu_grow(NULL, part->word), VTDPI_EINVAL);
    assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[0], NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_grow(NULL, refs), VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, refs), VTDPI_EPCPU);
    assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[1], part_of(h, 1)->word), 0);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, refs), VTDPI_EPCPU);
    assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[1], part->word),
                     VTDPI_EATTACHED);
    assert_int_equal(part->word[0], UINT64_MAX);
    assert_int_equal(page_add(h, FIRST), VTDPI_EPAGE);
    assert_int_equal(vtdpi_vcpu_attach(&h->m.s, &h->v[0], FIRST * 64, &h->v[0]),
                     VTDPI_ESLOT);
    assert_int_equal(
        vtdpi_vcpu_attach(&h->m.s, &h->v[0], VTDPI_SLOT_IN(FIRST), &h->v[0]),
        VTDPI_ESLOT);
    assert_ptr_equal(h->m.chunks[0], (void *)UINTPTR_MAX);
    assert_ptr_equal(refs[0].page, (void *)UINTPTR_MAX);

    assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[0], part->word), 0);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, refs), 0);
    assert_int_equal(vtdpi_vcpu_attach(&h->m.s, &h->v[0], FIRST * 64, &h->v[0]),
                     VTDPI_ENOPAGE);
    assert_int_equal(page_add(h, FIRST + 64), VTDPI_EPAGE);
    assert_int_equal(page_add(h, FIRST), 0);
    assert_int_equal(page_add(h, FIRST), VTDPI_EPAGEBUSY);
    host_free(h);
}

static void test_sched_grow_up_to_the_maximum(void **state)
{
    struct host *h = host_new();
    struct part part;
    struct refs refs;

    (void)state;
    grow(h, PCPUS - 1);
    grow(h, PCPUS - 1);
    assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[0], part.word), VTDPI_ENOSPC);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, refs.page), VTDPI_ENOSPC);
    assert_ptr_equal(h->m.chunks[CHUNKS], (void *)UINTPTR_MAX);
    assert_int_equal(page_add(h, FIRST + 128), VTDPI_EPAGE);
    assert_int_equal(page_add(h, FIRST + 127), 0);
    assert_int_equal(page_add(h, FIRST + 64), 0);
    attach(h, 0, (FIRST + 127) * 64 + 63);
    attach(h, 1, (FIRST + 64) * 64);
    block(h, 0, 1);
    block(h, 1, 1);
    check_life(h, 0, 1);
    check_life(h, 1, 1);
    host_free(h);
}

/* Its bitmap has room for what came before; then it grows with the others. */
static void test_pcpu_init_after_growth(void **state)
{
    struct host *h = host_new();
    const size_t words = vtdpi_sched_bitmap_words(&h->m.s);

    (void)state;
    assert_int_equal(words, VTDPI_BITMAP_WORDS(FIRST) + 2 * CHUNKS);
    grow(h, PCPUS - 1);
    assert_int_equal(vtdpi_sched_bitmap_words(&h->m.s),
                     words + VTDPI_CHUNK_WORDS - 1);
    pcpu_add(h, PCPUS - 1);
    assert_int_equal(page_add(h, FIRST + 1), 0);
    attach(h, 0, 0);
    attach(h, 1, (FIRST + 1) * 64 + 7);
    block(h, 0, PCPUS - 1);
    block(h, 1, PCPUS - 1);
    assert_int_equal(vtdpi_pcpu_blocked(&h->m.pcpu[PCPUS - 1]), 2);
    check_woken(h, 0, PCPUS - 1);
    check_life(h, 1, PCPUS - 1);

    grow(h, PCPUS);
    assert_int_equal(page_add(h, FIRST + 64), 0);
    attach(h, 2, (FIRST + 64) * 64 + 1);
    block(h, 2, PCPUS - 1);
    check_life(h, 2, PCPUS - 1);
    block(h, 2, 0);
    check_life(h, 2, 0);
    host_free(h);
}

/* Taken away and set up again between growths: its parts are forgotten. */
static void test_pcpu_fini_and_init_between_growths(void **state)
{
    struct host *h = host_new();
    struct vtdpi_pcpu *p = &h->m.pcpu[1];

    (void)state;
    assert_int_equal(vtdpi_pcpu_grow(p, part_of(h, 1)->word), 0);
    assert_int_equal(vtdpi_pcpu_offline(p), 0);
    assert_int_equal(vtdpi_pcpu_fini(p), 0);
    assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[0], part_of(h, 0)->word), 0);
    memset(h->m.bitmap[1], 0xff, sizeof(h->m.bitmap[1]));
    pcpu_add(h, 1);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, h->m.refs[0].page), VTDPI_EPCPU);
    assert_int_equal(vtdpi_pcpu_grow(p, part_of(h, 1)->word), 0);
    assert_int_equal(vtdpi_sched_grow(&h->m.s, h->m.refs[0].page), 0);
    assert_int_equal(page_add(h, FIRST), 0);
    attach(h, 0, FIRST * 64);
    block(h, 0, 1);
    check_life(h, 0, 1);
    host_free(h);
}

static void test_vcpu_attach_finds_a_slot_in_a_new_chunk(void **state)
{
    struct host *h = host_new();
    struct vtdpi_vcpu *all = calloc(VTDPI_PAGE_SLOTS, sizeof(*all));

    (void)state;
    assert_non_null(all);
    for (uint32_t i = 0; i < VTDPI_PAGE_SLOTS; i++)
        assert_int_equal(
            vtdpi_vcpu_attach(&h->m.s, &all[i], VTDPI_SLOT_ANY, all), 0);
    grow(h, PCPUS - 1);
    assert_int_equal(
        vtdpi_vcpu_attach(&h->m.s, &h->v[0], VTDPI_SLOT_ANY, &h->v[0]),
        VTDPI_ENOSPC);
    assert_int_equal(page_add(h, FIRST + 2), 0);
    attach(h, 0, VTDPI_SLOT_ANY);
    assert_int_equal(vtdpi_vcpu_slot(&h->v[0]), (FIRST + 2) * 64);
    attach(h, 1, VTDPI_SLOT_IN(FIRST + 2));
    assert_int_equal(vtdpi_vcpu_slot(&h->v[1]), (FIRST + 2) * 64 + 1);
    free(all);
    host_free(h);
}

static void test_pcpu_choose_counts_a_new_chunk(void **state)
{
    struct host *h = host_new();

    (void)state;
    grow(h, PCPUS - 1);
    assert_int_equal(page_add(h, FIRST + 63), 0);
    attach(h, 0, (FIRST + 63) * 64);
    block(h, 0, 0);
    assert_ptr_equal(vtdpi_pcpu_choose(&h->m.pcpu[0], 1, NULL), &h->m.pcpu[1]);
    host_free(h);
}

static void test_sched_fini_after_growth(void **state)
{
    struct host *h = host_new();

    (void)state;
    grow(h, PCPUS - 1);
    assert_int_equal(page_add(h, FIRST), 0);
    attach(h, 0, FIRST * 64 + 1);
    for (uint32_t i = 0; i < PCPUS - 1; i++) {
        (void)vtdpi_pcpu_offline(&h->m.pcpu[i]);
        assert_int_equal(vtdpi_pcpu_fini(&h->m.pcpu[i]), 0);
    }
    assert_int_equal(vtdpi_sched_fini(&h->m.s), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vcpu_detach(&h->v[0]), 0);
    assert_int_equal(vtdpi_sched_fini(&h->m.s), 0);
    assert_int_equal(page_add(h, FIRST), VTDPI_EPAGE);
    assert_int_equal(page_add(h, FIRST - 1), 0);
    host_free(h);
}

static void test_sched_init_bad_chunks_refused(void **state)
{
    struct host *h = host_new();
    const struct vtdpi_sched_params good = params_of(h);
    struct vtdpi_sched_params params = good;
    struct vtdpi_sched s;

    (void)state;
    params.chunks = NULL;
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params = good;
    params.max_pages = FIRST - 1;
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params = good;
    params.max_chunks = VTDPI_PAGES_MAX / 64;
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params.max_chunks = UINT32_MAX / 64 + 1;
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params.max_chunks = VTDPI_PAGES_MAX / 64 - 1;
    assert_int_equal(vtdpi_sched_init(&s, &params), 0);
    /* Without chunks any number of pages, and no growth. */
    params.chunks = NULL;
    params.max_chunks = 0;
    params.max_pages = FIRST - 1;
    assert_int_equal(vtdpi_sched_init(&s, &params), 0);
    assert_int_equal(vtdpi_sched_bitmap_words(&s),
                     VTDPI_BITMAP_WORDS(FIRST - 1));
    assert_int_equal(vtdpi_sched_grow(&s, h->m.refs[0].page), VTDPI_ENOSPC);
    host_free(h);
}

/* As many pages as may be: a vCPU on the last one, and one on the first. */
static void test_sched_grow_to_the_largest_instance(void **state)
{
    const uint32_t chunks = VTDPI_PAGES_MAX / VTDPI_CHUNK_PAGES - 1;
    struct host *h = host_new();
    struct vtdpi_sched_params params = params_of(h);
    struct part *parts = malloc(chunks * sizeof(*parts));
    struct refs *refs = malloc(chunks * sizeof(*refs));
    uint64_t *bitmap;

    (void)state;
    params.max_chunks = chunks;
    params.chunks = malloc(chunks * sizeof(struct vtdpi_page_ref *));
    assert_true(parts != NULL && refs != NULL && params.chunks != NULL);
    assert_int_equal(vtdpi_sched_init(&h->m.s, &params), 0);
    bitmap = malloc(vtdpi_sched_bitmap_words(&h->m.s) * sizeof(*bitmap));
    assert_non_null(bitmap);
    assert_int_equal(vtdpi_pcpu_init(&h->m.s, &h->m.pcpu[0], 0, 7, bitmap), 0);
    vtdpi_pcpu_online(&h->m.pcpu[0]);
    for (uint32_t i = 0; i < chunks; i++) {
        memset(&parts[i], 0xff, sizeof(parts[i]));
        memset(&refs[i], 0xff, sizeof(refs[i]));
        assert_int_equal(vtdpi_pcpu_grow(&h->m.pcpu[0], parts[i].word), 0);
        assert_int_equal(vtdpi_sched_grow(&h->m.s, refs[i].page), 0);
    }
    assert_int_equal(page_add(h, VTDPI_PAGES_MAX), VTDPI_EPAGE);
    assert_int_equal(page_add(h, VTDPI_PAGES_MAX - 1), 0);
    assert_int_equal(page_add(h, 0), 0);
    attach(h, 0, VTDPI_PAGES_MAX * 64 - 1);
    attach(h, 1, VTDPI_SLOT_ANY);
    block(h, 0, 0);
    block(h, 1, 0);
    check_life(h, 0, 0);
    check_life(h, 1, 0);
    free(bitmap);
    free(params.chunks);
    free(refs);
    free(parts);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sched_grow_while_vcpus_are_blocked),
        cmocka_unit_test(test_sched_grow_refused_leaves_all_as_it_was),
        cmocka_unit_test(test_sched_grow_up_to_the_maximum),
        cmocka_unit_test(test_pcpu_init_after_growth),
        cmocka_unit_test(test_pcpu_fini_and_init_between_growths),
        cmocka_unit_test(test_vcpu_attach_finds_a_slot_in_a_new_chunk),
        cmocka_unit_test(test_pcpu_choose_counts_a_new_chunk),
        cmocka_unit_test(test_sched_fini_after_growth),
        cmocka_unit_test(test_sched_init_bad_chunks_refused),
        cmocka_unit_test(test_sched_grow_to_the_largest_instance),
    };

    hook_reset();
    return cmocka_run_group_tests_name("sched_grow", tests, NULL, NULL);
}
