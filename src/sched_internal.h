/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SCHED_INTERNAL_H
#define VTDPI_SCHED_INTERNAL_H

/*
 * What the files of sched.h share: where a slot is found, a vCPU's references,
 * and the pages and pCPUs of an instance. Read the top of vtdpi/sched.h first.
 *
 * A slot's PID page, and the leaf word of a pCPU's bitmap that has its bit,
 * have the same number.
 */

#include "vtdpi/sched.h"

/* A target's references: 0 when closed; else OPEN, posted forms in bits 31:1,
 * holds in bits 63:32. */
#define REFS_OPEN UINT64_C(1)
#define REFS_POST UINT64_C(2)
#define REFS_HOLD (UINT64_C(1) << 32)

static inline uint32_t page_of_slot(uint32_t slot)
{
    return slot / VTDPI_PAGE_SLOTS;
}

/*
 * Which of the wakeup vectors is a slot's: that of its page, so that a handler
 * reads whole pages, line after line, and leaf words that no other handler
 * reads. wnv_count is a power of two.
 */
static inline uint32_t wnv_index(const struct vtdpi_sched *s, uint32_t slot)
{
    return page_of_slot(slot) & (s->wnv_count - 1U);
}

/*
 * Pages and pCPUs that came later than the instance: published by a release
 * store, found by an acquire load, so that a reader who finds a page or a pCPU
 * finds it initialised. The atomics of pointers take void *.
 */
static inline struct vtdpi_pid *page_pids(const struct vtdpi_page_ref *ref)
{
    return vtdpi_atomic_load_ptr_acquire((void *const *)&ref->pids);
}

static inline struct vtdpi_pid_page *
page_found(const struct vtdpi_page_ref *ref)
{
    return vtdpi_atomic_load_ptr_acquire((void *const *)&ref->page);
}

/* The PIDs first: attach looks at the page. */
static inline void page_publish(struct vtdpi_page_ref *ref,
                                struct vtdpi_pid_page *page,
                                struct vtdpi_pid *pids)
{
    vtdpi_atomic_store_ptr_release((void **)&ref->pids, pids);
    vtdpi_atomic_store_ptr_release((void **)&ref->page, page);
}

/*
 * Growing is published by one word, the number of pages that there is room for:
 * behind every pCPU's part of the chunk and behind its page references. All of
 * that lies below any number that is read here, and stays where it is. So
 * only who counts up to a page number reads this word first; who has a slot, or
 * a bit of one, has it from attach, which did.
 */
static inline uint32_t sched_room(const struct vtdpi_sched *s)
{
    return (uint32_t)vtdpi_atomic_load64(&s->room);
}

/* The chunks, and so the summary words, of that many pages. */
static inline uint32_t chunks_of(uint32_t pages)
{
    return (pages + VTDPI_CHUNK_PAGES - 1) / VTDPI_CHUNK_PAGES;
}

/* Where page @number is found; it is below sched_room(). sched.c */
struct vtdpi_page_ref *vtdpi_sched_page_ref(const struct vtdpi_sched *s,
                                            uint32_t number);

/* The same, in a line for the pages that the instance starts with. */
static inline struct vtdpi_page_ref *page_ref(const struct vtdpi_sched *s,
                                              uint32_t number)
{
    if (VTDPI_LIKELY(number < s->first_pages))
        return &s->pages[number];
    return vtdpi_sched_page_ref(s, number);
}

static inline struct vtdpi_pcpu *pcpu_found(struct vtdpi_pcpu *const *at)
{
    return vtdpi_atomic_load_ptr_acquire((void *const *)at);
}

static inline void pcpu_publish(struct vtdpi_pcpu **at, struct vtdpi_pcpu *p)
{
    vtdpi_atomic_store_ptr_release((void **)at, p);
}

static inline struct vtdpi_pid_page *page_of_vcpu(const struct vtdpi_vcpu *v)
{
    return page_found(vtdpi_sched_page_ref(v->sched, page_of_slot(v->slot)));
}

/* For VTDPI_ASSERT: whether the host says that nothing but wake ends a sleep of
 * this vCPU, which a run takes away from the wakeup vector. */
static inline bool vcpu_will_sleep(const struct vtdpi_vcpu *v)
{
    const struct vtdpi_sched *const s = v->sched;

    if (v->blocked_on == NULL || s->ops->will_sleep == NULL)
        return false;
    return s->ops->will_sleep(
        s->ctx, vtdpi_atomic_load_ptr_acquire(
                    &page_of_vcpu(v)->cookie[v->slot % VTDPI_PAGE_SLOTS]));
}

#endif
