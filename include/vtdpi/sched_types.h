/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SCHED_TYPES_H
#define VTDPI_SCHED_TYPES_H

/**
 * @file
 * @brief The objects of sched.h: instance, PID page, pCPU, vCPU.
 *
 * The host embeds or allocates them; members are private unless documented.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/config.h"
#include "vtdpi/pid.h"
#include "vtdpi/platform.h"

VTDPI_BEGIN_DECLS

/** PIDs, and so slots, in one PID page. */
#define VTDPI_PAGE_SLOTS 64

/** Bytes of a PID page; its memory is aligned to that. */
#define VTDPI_PAGE_SIZE  4096

/** Most PID pages of an instance. */
#define VTDPI_PAGES_MAX  65536

/** Most wakeup notification vectors of an instance. */
#define VTDPI_WNV_MAX    VTDPI_PAGE_SLOTS

/** Words of 64 bits in a pCPU's bitmap, for an instance with @p pages pages. */
#define VTDPI_BITMAP_WORDS(pages) \
    (VTDPI_CAST_(size_t, pages) + (VTDPI_CAST_(size_t, pages) + 63) / 64)

/** @brief What vtdpi_vcpu_block() found. */
enum vtdpi_block_result {
    /** Armed: sleep unless marked woken; then run or preempt. */
    VTDPI_BLOCKED = 0,
    /** Something is posted: sync, look whether it is deliverable, and block
     *  again if it is not. No VM entry without vtdpi_vcpu_run(). */
    VTDPI_BLOCK_PENDING = 1,
    /** That pCPU is offline: choose another. Nothing has changed, but that
     *  a vCPU which was blocked is preempted. */
    VTDPI_BLOCK_OFFLINE = 2,
};

/** @brief A page of 64 PIDs and what belongs to its slots. */
struct vtdpi_pid_page {
    /* private: */
    struct vtdpi_pid *pids;
    uint64_t phys;
    uint64_t claimed; /* bit i: slot i has a vCPU */
    void *cookie[VTDPI_PAGE_SLOTS];
};

/**
 * @brief Where a PID page is found: memory that the host gives to the
 *        instance, one for each page that it may have.
 *
 * Both pointers are what a wakeup handler needs first, so they lie in one line
 * and neither has to be fetched before the other can be used.
 */
struct vtdpi_page_ref {
    /* private: */
    void *pids; /* struct vtdpi_pid *, the page itself */
    void *page; /* struct vtdpi_pid_page *, NULL while absent */
};

/** @brief A scheduling instance; the host embeds or allocates it. */
struct vtdpi_sched {
    /* private: */
    const struct vtdpi_platform_ops *ops;
    void *ctx;
    struct vtdpi_page_ref *pages;
    void **pcpus; /* struct vtdpi_pcpu *, NULL while absent */
    uint32_t max_pages;
    uint32_t max_pcpus;
    enum vtdpi_apic_mode apic_mode;
    uint8_t anv;
    uint8_t wnv_count; /* divides 64 */
    uint8_t wnv[VTDPI_WNV_MAX];
    uint64_t stripe; /* the bits of a summary word that belong to wnv[0] */
    uint64_t scan;   /* sequence of offline and rescan; odd while one reads */
};

/** @brief A physical CPU; the host embeds it in its per-CPU data. */
struct vtdpi_pcpu {
    /* private: */
    uint64_t scan; /* sequence of the handlers; odd while one reads */
    /* Of vtdpi_pcpu_choose(): */
    uint64_t here_left; /* choices of this pCPU before its list is counted */
    uint64_t away_left; /* choices of others before that */
    uint64_t random;    /* never 0 */
    /* Other pCPUs read what follows whenever they block a vCPU here; this
     * one's writes to the above do not take that line away from them. */
    uint8_t pad[VTDPI_CACHELINE - sizeof(uint64_t)];
    struct vtdpi_sched *sched;
    uint64_t *leaf;    /* bit per slot, a word per PID page */
    uint64_t *summary; /* bit per leaf word */
    uint64_t online;
    uint32_t apic_id;
    uint32_t ndst;
};

/** @brief A virtual CPU; the host embeds it. Zeroed before the first attach. */
struct vtdpi_vcpu {
    /* private: */
    struct vtdpi_sched *sched;
    struct vtdpi_pid *pid;
    struct vtdpi_pcpu *blocked_on; /* owner only; NULL: no bit is set */
    uint64_t refs;                 /* OPEN | count << 1; 0: closed */
    uint64_t detach_seq;           /* the odd value waited for, or 0 */
    uint32_t detach_next;          /* the sequence to look at next */
    uint32_t slot;
};

/** @brief What vtdpi_sched_init() needs. */
struct vtdpi_sched_params {
    /** Callbacks: send_ipi and wake are needed, relax is used if present. */
    const struct vtdpi_platform_ops *ops;
    void *ctx; /**< First argument of every callback. */
    /** Memory for @p max_pages of these, as long as the instance lives. */
    struct vtdpi_page_ref *pages;
    uint32_t max_pages; /**< 1 to VTDPI_PAGES_MAX. */
    /** Memory for @p max_pcpus pointers, as long as the instance lives. */
    void **pcpus;
    uint32_t max_pcpus;             /**< At least 1. */
    enum vtdpi_apic_mode apic_mode; /**< How the CPUs' APICs are addressed. */
    /** Active notification vector, in every VMCS; 16 to 255. */
    uint8_t anv;
    /**
     * Wakeup notification vectors, ordinary ones, the same on every pCPU; each
     * 16 to 255, no two the same, none of them ANV. A vCPU is woken by the
     * vector number (its page) % wnv_count, its page being slot / 64.
     */
    uint8_t wnv[VTDPI_WNV_MAX];
    /**
     * How many: 1, 2, 4, 8, 16, 32 or 64; 0 means 1. A handler looks at those
     * blocked on its pCPU whose page has the vector: one in wnv_count of the
     * pages, so of the vCPUs only if they are spread over pages.
     */
    uint8_t wnv_count;
};

VTDPI_END_DECLS

#endif
