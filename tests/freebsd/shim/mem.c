/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc(9), contigmalloc(9) and physical addresses.
 *
 * Nothing of what is not promised is given: memory of malloc(9) is aligned to
 * 16 bytes and no more, full of rubbish, and its pages lie anywhere; only what
 * contigmalloc(9) gives is contiguous. All of it is above 4 GB, unless asked
 * for otherwise.
 */
#include "internal.h"

#include <vm/pmap.h>

enum {
    PAGES_MAX = 1 << 14,
    MIN_ALIGN = 16,
    GUARD = 0xdb,   /* around a block */
    RUBBISH = 0xa5, /* in a new one */
    DEAD = 0xdf,    /* in one that was freed */
};

/* Physical page numbers: those above 4 GB, then a few below. */
#define HIGH_PAGE UINT64_C(0x123456)
#define LOW_PAGE  UINT64_C(0x100)
#define LOW_PAGES 256

struct block {
    struct block *next;
    struct malloc_type *type;
    uint8_t *pages; /* of the host, aligned to pages */
    size_t page_count;
    uint8_t *start;
    size_t size;
    uint64_t *pfn; /* of each page */
    bool contiguous;
};

MALLOC_DEFINE(M_DEVBUF, "devbuf", "drivers");
MALLOC_DEFINE(M_TEMP, "temp", "for a while");

static struct {
    struct block *blocks;
    struct malloc_type *types;
    uint64_t high; /* pages given out */
    uint64_t low;
    bool low_only; /* of what is contiguous */
} g;               /* host_lock() */

static void check_context(const char *what, int flags)
{
    const struct shim_thread *t = shim_self();

    if (((flags & M_WAITOK) != 0) == ((flags & M_NOWAIT) != 0))
        panic("%s: one of M_WAITOK and M_NOWAIT is needed", what);
    if (t == NULL || t->cpu == NULL)
        panic("%s by somebody without a CPU", what);
    if (t->td.td_critnest != 0 || t->in_intr != 0)
        panic("%s in a critical section, with a spin lock or in an interrupt",
              what);
    if ((flags & M_WAITOK) != 0)
        shim_may_sleep(what, NULL);
}

/* host_lock(). Contiguous, aligned to @align pages. */
static uint64_t take_pages(size_t count, uint64_t high, uint64_t align)
{
    const bool low = high < HIGH_PAGE + PAGES_MAX;
    uint64_t *next = low ? &g.low : &g.high;
    const uint64_t base = low ? LOW_PAGE : HIGH_PAGE;
    const uint64_t first = roundup2(base + *next, align);

    *next = first + count - base;
    if (low && *next > LOW_PAGES)
        shim_fail("shim: out of memory below 4 GB");
    return first;
}

static void place(struct block *b, size_t align)
{
    const size_t bytes = b->page_count * PAGE_SIZE;
    size_t off = 0;

    /* Small and of no promised alignment: at an odd multiple of 16. */
    if (align == 0 && b->size + 3 * MIN_ALIGN <= PAGE_SIZE)
        off = (bytes - b->size - MIN_ALIGN) / (2 * MIN_ALIGN) * 2 * MIN_ALIGN -
              MIN_ALIGN;
    else if (align != 0 && align < PAGE_SIZE && b->size + align < PAGE_SIZE)
        off = align;
    b->start = b->pages + off;
}

static struct block *new_block(size_t size, size_t align, bool contiguous,
                               uint64_t high_page, uint64_t page_align)
{
    struct block *b = host_alloc(sizeof(*b), 16);

    memset(b, 0, sizeof(*b));
    b->size = size;
    b->contiguous = contiguous;
    b->page_count = howmany(size == 0 ? 1 : size, PAGE_SIZE);
    b->pages = host_alloc(b->page_count * PAGE_SIZE, PAGE_SIZE);
    b->pfn = host_alloc(b->page_count * sizeof(uint64_t), 16);
    memset(b->pages, GUARD, b->page_count * PAGE_SIZE);
    place(b, align);
    host_lock();
    if (contiguous) {
        const uint64_t first = take_pages(b->page_count, high_page, page_align);

        for (size_t i = 0; i < b->page_count; i++)
            b->pfn[i] = first + i;
    } else {
        /* Backwards, so that no two neighbours are neighbours. */
        for (size_t i = b->page_count; i-- > 0;)
            b->pfn[i] = take_pages(1, UINT64_MAX, 1);
    }
    host_unlock();
    return b;
}

static void add_block(struct block *b, struct malloc_type *type, int flags)
{
    memset(b->start, (flags & M_ZERO) != 0 ? 0 : RUBBISH, b->size);
    b->type = type;
    host_lock();
    b->next = g.blocks;
    g.blocks = b;
    if (!type->shim_known) {
        type->shim_known = true;
        type->shim_next = g.types;
        g.types = type;
    }
    type->shim_blocks++;
    host_unlock();
}

void *shim_malloc(size_t size, size_t align, struct malloc_type *type,
                  int flags)
{
    struct block *b;

    check_context("malloc", flags);
    if (!powerof2(align) || align > PAGE_SIZE)
        panic("malloc_aligned to %zu bytes", align);
    shim_point();
    b = new_block(size, align, false, 0, 1);
    add_block(b, type, flags);
    return b->start;
}

void *mallocarray(size_t nmemb, size_t size, struct malloc_type *type,
                  int flags)
{
    if (size != 0 && nmemb > SIZE_MAX / size)
        panic("mallocarray: %zu times %zu", nmemb, size);
    return shim_malloc(nmemb * size, 0, type, flags);
}

void *contigmalloc(unsigned long size, struct malloc_type *type, int flags,
                   vm_paddr_t low, vm_paddr_t high, unsigned long alignment,
                   vm_paddr_t boundary)
{
    const uint64_t align = MAX(alignment, PAGE_SIZE);
    struct block *b;

    check_context("contigmalloc", flags);
    if (size == 0 || alignment == 0 || !powerof2(alignment) ||
        !powerof2(boundary) || low > high)
        panic("contigmalloc: size %lu, alignment %lu", size, alignment);
    /* A boundary is kept by aligning to the size. */
    b = new_block(size, PAGE_SIZE, true, g.low_only ? 0 : high / PAGE_SIZE,
                  boundary == 0
                      ? align / PAGE_SIZE
                      : MAX(align, roundup2(size, align)) / PAGE_SIZE);
    add_block(b, type, flags);
    return b->start;
}

/* host_lock(). The block that begins there. */
static struct block **find_start(const void *p)
{
    struct block **at;

    for (at = &g.blocks; *at != NULL; at = &(*at)->next)
        if ((*at)->start == p)
            break;
    return at;
}

/* host_lock(). The block that holds these bytes. */
static struct block **find(const void *p, size_t len)
{
    struct block **at;

    for (at = &g.blocks; *at != NULL; at = &(*at)->next)
        if ((uintptr_t)p >= (uintptr_t)(*at)->start &&
            (uintptr_t)p + len <= (uintptr_t)(*at)->start + (*at)->size)
            break;
    return at;
}

static void check_guard(const struct block *b)
{
    const uint8_t *end = b->pages + b->page_count * PAGE_SIZE;

    for (const uint8_t *p = b->pages; p < end; p++)
        if ((p < b->start || p >= b->start + b->size) && *p != GUARD)
            panic("write beside a block of %s of %zu bytes, at %td",
                  b->type->ks_shortdesc, b->size, p - b->start);
}

static void release(void *addr, struct malloc_type *type, bool contiguous,
                    const char *what)
{
    const struct shim_thread *t = shim_self();
    struct block **at;
    struct block *b;

    if (t == NULL || t->td.td_critnest != 0 || t->in_intr != 0)
        panic("%s in a critical section, with a spin lock or in an interrupt",
              what);
    host_lock();
    at = find_start(addr);
    b = *at;
    if (b != NULL && b->type == type && b->contiguous == contiguous) {
        *at = b->next;
        type->shim_blocks--;
        host_unlock();
    } else {
        host_unlock();
        panic("%s of what is no such block of %s", what, type->ks_shortdesc);
    }
    check_guard(b);
    shim_lock_check_range(b->start, b->size);
    memset(b->pages, DEAD, b->page_count * PAGE_SIZE);
    host_free(b->pfn);
    host_free(b->pages);
    host_free(b);
}

void shim_free(void *addr, struct malloc_type *type)
{
    if (addr != NULL)
        release(addr, type, false, "free");
}

void contigfree(void *addr, unsigned long size, struct malloc_type *type)
{
    struct block *b;

    host_lock();
    b = *find_start(addr);
    host_unlock();
    if (b != NULL && b->size != size)
        panic("contigfree of %lu bytes, but there are %zu", size, b->size);
    release(addr, type, true, "contigfree");
}

vm_paddr_t pmap_kextract(vm_offset_t va)
{
    const struct block *b;
    uint64_t off;

    host_lock();
    b = *find((const void *)va, 1);
    host_unlock();
    if (b == NULL)
        panic("vtophys of what no allocation has given");
    off = va - (uintptr_t)b->pages;
    return b->pfn[off / PAGE_SIZE] * PAGE_SIZE + off % PAGE_SIZE;
}

/* host_lock(). */
static uint8_t *page_of(const struct block *b, uint64_t pfn)
{
    for (size_t i = 0; i < b->page_count; i++)
        if (b->pfn[i] == pfn)
            return b->pages + i * PAGE_SIZE;
    return NULL;
}

void *shim_phys_to_virt(uint64_t phys, size_t len)
{
    uint8_t *page = NULL;
    const struct block *b;

    if (phys % PAGE_SIZE + len > PAGE_SIZE)
        return NULL;
    host_lock();
    for (b = g.blocks; b != NULL && page == NULL; b = b->next) {
        page = page_of(b, phys / PAGE_SIZE);
        if (page != NULL &&
            (page + phys % PAGE_SIZE < b->start ||
             page + phys % PAGE_SIZE + len > b->start + b->size))
            page = NULL;
    }
    host_unlock();
    return page == NULL ? NULL : page + phys % PAGE_SIZE;
}

void shim_mem_reset(bool low)
{
    memset(&g, 0, sizeof(g));
    g.low_only = low;
}

void shim_mem_check_end(void)
{
    for (struct malloc_type *t = g.types; t != NULL; t = t->shim_next) {
        if (t->shim_blocks != 0)
            panic("%llu blocks of malloc type %s were not freed",
                  (unsigned long long)t->shim_blocks, t->ks_shortdesc);
        t->shim_known = false;
    }
}
