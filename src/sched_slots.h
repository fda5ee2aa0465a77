/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SCHED_SLOTS_H
#define VTDPI_SCHED_SLOTS_H

/*
 * Where a slot is found, for the files of sched.h. A slot's PID page, and the
 * leaf word of a pCPU's bitmap that has its bit, have the same number.
 */

#include "vtdpi/sched.h"

/* A vCPU's references: OPEN | count * ONE, or 0 when closed. */
#define REFS_OPEN UINT64_C(1)
#define REFS_ONE  UINT64_C(2)

static inline uint32_t page_of_slot(uint32_t slot)
{
    return slot / VTDPI_PAGE_SLOTS;
}

static inline uint64_t bit_of(uint32_t n)
{
    return VTDPI_BIT64(n % 64);
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

static inline struct vtdpi_pid_page *page_of_vcpu(const struct vtdpi_vcpu *v)
{
    return vtdpi_atomic_load_ptr_acquire(
        &v->sched->pages[page_of_slot(v->slot)].page);
}

#endif
