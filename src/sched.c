/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instance, its PID pages, and the set-up of pCPUs: what is there before
 * the first vCPU and after the last. sched_vcpu.c has what a vCPU's owner does,
 * sched_pcpu.c what runs on a pCPU, sched_choose.c which pCPU a vCPU blocks on;
 * sched_blocked.h has the bitmap between them. Read the top of vtdpi/sched.h
 * first.
 *
 * Orders, in all of these files: read-modify-writes are sequentially consistent
 * and full barriers. The comments name what each access pairs with;
 * docs/memory-ordering.md has the whole argument.
 */
#include "vtdpi/sched.h"
#include "sched_blocked.h"
#include "sched_internal.h"

/* Wakeup vectors: 0 stands for one, where the host can wake at all. */
static VTDPI_COLD uint32_t
sched_wnv_count(const struct vtdpi_sched_params *params)
{
    return params->wnv_count == 0 && params->ops->wake != NULL
               ? 1
               : params->wnv_count;
}

/* 0, or what is wrong with the vectors. */
static VTDPI_COLD int
sched_check_vectors(const struct vtdpi_sched_params *params)
{
    const uint32_t count = sched_wnv_count(params);

    if (params->ops->wake == NULL && (count | params->wnv[0]) != 0)
        return VTDPI_EINVAL;
    if (count != 0 && VTDPI_PAGE_SLOTS % count != 0)
        return VTDPI_EINVAL;
    if (params->anv < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    for (uint32_t i = 0; i < count; i++) {
        if (params->wnv[i] < VTDPI_VECTOR_MIN)
            return VTDPI_EVECTOR;
        if (params->wnv[i] == params->anv)
            return VTDPI_EINVAL;
        for (uint32_t k = 0; k < i; k++) {
            if (params->wnv[k] == params->wnv[i])
                return VTDPI_EINVAL;
        }
    }
    return 0;
}

static VTDPI_COLD void
sched_set_vectors(struct vtdpi_sched *s,
                  const struct vtdpi_sched_params *params)
{
    s->anv = params->anv;
    s->wnv_count = (uint8_t)sched_wnv_count(params);
    s->stripe = 0;
    /* The first of every wnv_count bits: all ones, by wnv_count ones. As
     * wnv_count divides 64, it is the same for each summary word. */
    if (s->wnv_count != 0)
        s->stripe =
            UINT64_MAX / (UINT64_MAX >> (VTDPI_PAGE_SLOTS - s->wnv_count));
    for (uint32_t i = 0; i < s->wnv_count; i++)
        s->wnv[i] = params->wnv[i];
}

static VTDPI_COLD VTDPI_NOINLINE void refs_clear(struct vtdpi_page_ref *refs,
                                                 uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        page_publish(&refs[i], NULL, NULL);
}

static VTDPI_COLD VTDPI_NOINLINE void pcpus_clear(struct vtdpi_pcpu **at,
                                                  uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pcpu_publish(&at[i], NULL);
}

/* Whether the pages, with those of all chunks, are as many as may be. */
static VTDPI_COLD bool sched_pages_fit(const struct vtdpi_sched_params *params)
{
    if (params->max_pages == 0 || params->max_pages > VTDPI_PAGES_MAX)
        return false;
    if (params->max_chunks == 0)
        return true;
    return params->chunks != NULL &&
           params->max_pages % VTDPI_CHUNK_PAGES == 0 &&
           params->max_chunks <=
               (VTDPI_PAGES_MAX - params->max_pages) / VTDPI_CHUNK_PAGES;
}

int vtdpi_sched_init(struct vtdpi_sched *s,
                     const struct vtdpi_sched_params *params)
{
    int err;

    if (s == NULL || params == NULL || params->ops == NULL ||
        params->pages == NULL || params->pcpus == NULL)
        return VTDPI_EINVAL;
    if (!sched_pages_fit(params) || params->max_pcpus == 0)
        return VTDPI_EINVAL;
    err = sched_check_vectors(params);
    if (err != 0)
        return err;

    s->ops = params->ops;
    s->ctx = params->ctx;
    s->pages = params->pages;
    s->pcpus = params->pcpus;
    s->chunks = params->chunks;
    s->first_pages = params->max_pages;
    s->max_chunks = params->max_chunks;
    vtdpi_atomic_store64_relaxed(&s->room, s->first_pages);
    s->max_pcpus = params->max_pcpus;
    s->apic_mode = params->apic_mode;
    sched_set_vectors(s, params);
    vtdpi_atomic_store64_relaxed(&s->scan, 0);
    refs_clear(s->pages, s->first_pages);
    s->apic_map = params->apic_map;
    s->apic_map_size = params->apic_map == NULL ? 0 : params->apic_map_size;
    pcpus_clear(s->pcpus, s->max_pcpus);
    pcpus_clear(s->apic_map, s->apic_map_size);
    return 0;
}

/* What is wrong with a page that is to come. */
static VTDPI_COLD int page_check(const struct vtdpi_sched *s, uint32_t number,
                                 const struct vtdpi_pid_page *page,
                                 const void *memory, uint64_t phys)
{
    if (s == NULL || page == NULL || memory == NULL)
        return VTDPI_EINVAL;
    if (number >= sched_room(s))
        return VTDPI_EPAGE;
    if ((uintptr_t)memory % VTDPI_PAGE_SIZE != 0 || phys % VTDPI_PAGE_SIZE != 0)
        return VTDPI_EALIGN;
    return page_found(vtdpi_sched_page_ref(s, number)) != NULL ? VTDPI_EPAGEBUSY
                                                               : 0;
}

/*
 * The book-keeping; slots that are held are claimed, too. Relaxed: page_publish(),
 * whose release comes later, orders all of this before an attach or an adopt that
 * finds the page.
 */
static VTDPI_COLD void page_open(struct vtdpi_pid_page *page, void *memory,
                                 uint64_t phys, uint64_t held)
{
    page->pids = memory;
    page->phys = phys;
    vtdpi_atomic_store64_relaxed(&page->claimed, held);
    vtdpi_atomic_store64_relaxed(&page->held, held);
    for (uint32_t i = 0; i < VTDPI_PAGE_SLOTS; i++)
        vtdpi_atomic_store_ptr_release(&page->cookie[i], NULL);
}

int vtdpi_sched_add_page(struct vtdpi_sched *s, uint32_t number,
                         struct vtdpi_pid_page *page, void *memory,
                         uint64_t phys)
{
    const int err = page_check(s, number, page, memory, phys);

    if (err != 0)
        return err;
    page_open(page, memory, phys, 0);
    for (uint32_t i = 0; i < VTDPI_PAGE_SLOTS; i++)
        vtdpi_pid_init(&page->pids[i], s->anv, 0);
    /*
     * Release: a reader who finds the page finds it initialised. Pairs with the
     * acquire of attach; a handler finds a bit of this page only after that.
     */
    page_publish(vtdpi_sched_page_ref(s, number), page, page->pids);
    return 0;
}

int vtdpi_sched_adopt_page(struct vtdpi_sched *s, uint32_t number,
                           struct vtdpi_pid_page *page, void *memory,
                           uint64_t phys)
{
    const int err = page_check(s, number, page, memory, phys);

    if (err != 0)
        return err;
    page_open(page, memory, phys, UINT64_MAX);
    /*
     * As a preempt. By a compare-and-swap, since a unit may be setting ON: with a
     * plain store its ON, and by that the notification of the vCPU's next block,
     * would be lost. PIR is not touched at all.
     */
    for (uint32_t i = 0; i < VTDPI_PAGE_SLOTS; i++)
        (void)vtdpi_pid_replace(&page->pids[i], VTDPI_PID_SN | VTDPI_PID_NV,
                                VTDPI_PID_SN |
                                    VTDPI_FIELD_PUT(s->anv, VTDPI_PID_NV));
    /* Release: as in vtdpi_sched_add_page(). */
    page_publish(vtdpi_sched_page_ref(s, number), page, page->pids);
    return 0;
}

/* Acquire: pairs with vtdpi_sched_grow(), which has cleared the references. */
VTDPI_COLD struct vtdpi_page_ref *
vtdpi_sched_page_ref(const struct vtdpi_sched *s, uint32_t number)
{
    struct vtdpi_page_ref *refs = s->pages;

    if (number >= s->first_pages) {
        number -= s->first_pages;
        refs = vtdpi_atomic_load_ptr_acquire(
            (void *const *)&s->chunks[number / VTDPI_CHUNK_PAGES]);
        number %= VTDPI_CHUNK_PAGES;
    }
    return &refs[number];
}

static VTDPI_COLD bool sched_is_full(const struct vtdpi_sched *s)
{
    return chunks_of(sched_room(s) - s->first_pages) == s->max_chunks;
}

/* Where the address of a pCPU's part of the next chunk is to stand. */
static VTDPI_COLD uint64_t *pcpu_next_chunk(const struct vtdpi_pcpu *p)
{
    return &p->chunks[chunks_of(sched_room(p->sched)) - p->first_chunks];
}

static VTDPI_COLD VTDPI_NOINLINE void words_clear(uint64_t *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        vtdpi_atomic_store64_relaxed(&at[i], 0);
}

int vtdpi_pcpu_grow(struct vtdpi_pcpu *p, uint64_t *chunk)
{
    uint64_t *at;

    if (p == NULL || chunk == NULL)
        return VTDPI_EINVAL;
    if (sched_is_full(p->sched))
        return VTDPI_ENOSPC;
    at = pcpu_next_chunk(p);
    if (vtdpi_atomic_load64_relaxed(at) != 0)
        return VTDPI_EATTACHED;
    words_clear(chunk, VTDPI_CHUNK_WORDS);
    /* Release: the words are zero for who finds them. Pairs with the acquire
     * of blocked_chunk(). */
    vtdpi_atomic_store64_release(at, (uintptr_t)chunk);
    return 0;
}

int vtdpi_sched_grow(struct vtdpi_sched *s, struct vtdpi_page_ref *refs)
{
    uint32_t room;

    if (s == NULL || refs == NULL)
        return VTDPI_EINVAL;
    if (sched_is_full(s))
        return VTDPI_ENOSPC;
    for (uint32_t i = 0; i < s->max_pcpus; i++) {
        const struct vtdpi_pcpu *const p = pcpu_found(&s->pcpus[i]);

        if (p != NULL && vtdpi_atomic_load64_relaxed(pcpu_next_chunk(p)) == 0)
            return VTDPI_EPCPU;
    }
    refs_clear(refs, VTDPI_CHUNK_PAGES);
    room = sched_room(s);
    vtdpi_atomic_store_ptr_release(
        (void **)&s->chunks[chunks_of(room - s->first_pages)], refs);
    /*
     * The room after all that lies in it: pairs with sched_room(), whose callers
     * go on to the references and to any pCPU's part of the chunk. The other way
     * round attach would follow a pointer that is not there yet. An exchange:
     * an offline that reads the old room, behind its exchange of the flag, comes
     * before this, and so before any block on a new page, which finds the flag
     * clear.
     */
    (void)vtdpi_atomic_xchg64(&s->room, room + VTDPI_CHUNK_PAGES);
    return 0;
}

/* Summary words: of the pages that the instance starts with, and one for each
 * chunk that may come, so that they lie side by side. */
static VTDPI_COLD uint32_t summary_words(const struct vtdpi_sched *s)
{
    return chunks_of(s->first_pages) + s->max_chunks;
}

/* Two words for each page that there is room for; the summary; the addresses
 * of the chunks that may come. */
size_t vtdpi_sched_bitmap_words(const struct vtdpi_sched *s)
{
    const size_t room = sched_room(s);

    return 2 * room + 2 * (size_t)summary_words(s) - chunks_of((uint32_t)room);
}

/* The chain of an APIC id; NULL: the instance has no map. */
static struct vtdpi_pcpu **apic_chain(const struct vtdpi_sched *s,
                                      uint32_t apic_id)
{
    /* Ids differ in a few bits anywhere; the product's high bits in many. */
    const uint32_t hash = apic_id * UINT32_C(0x9e3779b1);

    if (s->apic_map_size == 0)
        return NULL;
    return &s->apic_map[(uint64_t)hash * s->apic_map_size >> 32];
}

struct vtdpi_pcpu *vtdpi_pcpu_find(const struct vtdpi_sched *s,
                                   uint32_t apic_id)
{
    struct vtdpi_pcpu **link = apic_chain(s, apic_id);
    struct vtdpi_pcpu *p = NULL;

    for (; link != NULL; link = &p->next) {
        p = pcpu_found(link);
        if (p == NULL || p->apic_id == apic_id)
            break;
    }
    return p;
}

/* In front, so that a find beside it meets the chain as it was, or with @p. */
static VTDPI_COLD void apic_map_add(struct vtdpi_pcpu *p)
{
    struct vtdpi_pcpu **const link = apic_chain(p->sched, p->apic_id);

    if (link == NULL)
        return;
    pcpu_publish(&p->next, pcpu_found(link));
    pcpu_publish(link, p);
}

/* @p keeps its own link: a find beside this may stand there, and goes on. */
static VTDPI_COLD void apic_map_remove(struct vtdpi_pcpu *p)
{
    struct vtdpi_pcpu **link = apic_chain(p->sched, p->apic_id);

    if (link == NULL)
        return;
    while (pcpu_found(link) != p)
        link = &pcpu_found(link)->next;
    pcpu_publish(link, pcpu_found(&p->next));
}

int vtdpi_pcpu_init(struct vtdpi_sched *s, struct vtdpi_pcpu *p,
                    uint32_t number, uint32_t apic_id, uint64_t *bitmap)
{
    if (s == NULL || p == NULL || bitmap == NULL)
        return VTDPI_EINVAL;
    if (number >= s->max_pcpus)
        return VTDPI_EPCPU;
    if (apic_id == UINT32_MAX ||
        (s->apic_mode == VTDPI_XAPIC && apic_id >= 0xff))
        return VTDPI_ERANGE;
    if (pcpu_found(&s->pcpus[number]) != NULL)
        return VTDPI_EATTACHED;

    words_clear(bitmap, vtdpi_sched_bitmap_words(s));
    p->sched = s;
    p->leaf = bitmap;
    p->first_chunks = chunks_of(sched_room(s));
    p->summary = &bitmap[2 * (size_t)sched_room(s)];
    p->chunks = &p->summary[summary_words(s)];
    p->number = number;
    p->apic_id = apic_id;
    p->ndst = vtdpi_ndst_from_apic_id(s->apic_mode, apic_id);
    vtdpi_atomic_store64_relaxed(&p->scan, 0);
    vtdpi_atomic_store64_relaxed(&p->here_left, 0);
    vtdpi_atomic_store64_relaxed(&p->away_left, 0);
    /* Not the same sequence for any two. */
    vtdpi_atomic_store64_relaxed(&p->random, (number + UINT64_C(1)) *
                                                 UINT64_C(0x9e3779b97f4a7c15));
    vtdpi_atomic_store64_relaxed(&p->online, 0);
    /* Release: pairs with the acquire of detach, choose and find. */
    apic_map_add(p);
    pcpu_publish(&s->pcpus[number], p);
    return 0;
}

int vtdpi_pcpu_fini(struct vtdpi_pcpu *p)
{
    if (p == NULL)
        return VTDPI_EINVAL;
    /* Not a second time: another pCPU may have the number by now. */
    if (pcpu_found(&p->sched->pcpus[p->number]) != p)
        return VTDPI_EPCPU;
    /*
     * Offline has cleared the flag by an exchange before the leaves are read
     * here. Pairs with blocked_set_online(): a block whose bit is not seen here
     * finds the flag clear, and takes its bit back. Otherwise a vCPU could
     * sleep on a pCPU that is gone.
     */
    if (vtdpi_atomic_load64(&p->online) != 0 || vtdpi_pcpu_blocked(p) != 0 ||
        vtdpi_atomic_load64(&p->scan) % 2 != 0)
        return VTDPI_EBUSY;
    apic_map_remove(p);
    pcpu_publish(&p->sched->pcpus[p->number], NULL);
    return 0;
}

int vtdpi_sched_fini(struct vtdpi_sched *s)
{
    if (s == NULL)
        return VTDPI_EINVAL;
    for (uint32_t i = 0; i < s->max_pcpus; i++) {
        if (pcpu_found(&s->pcpus[i]) != NULL)
            return VTDPI_EATTACHED;
    }
    for (uint32_t i = 0; i < sched_room(s); i++) {
        const struct vtdpi_pid_page *const page =
            page_found(vtdpi_sched_page_ref(s, i));

        if (page != NULL && vtdpi_atomic_load64(&page->claimed) != 0)
            return VTDPI_EBUSY;
    }
    refs_clear(s->pages, s->first_pages);
    vtdpi_atomic_store64_relaxed(&s->room, s->first_pages);
    return 0;
}
