/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SCHED_H
#define VTDPI_SCHED_H

/**
 * @file
 * @brief vCPUs that run, are preempted, block and wake while interrupts are
 *        posted to them.
 *
 * A host calls, from its scheduler and its run loop:
 *
 * | when                                        | call                         |
 * |---------------------------------------------|------------------------------|
 * | scheduled in on a pCPU                      | vtdpi_vcpu_run()             |
 * | before every VM entry, interrupts off       | vtdpi_vcpu_sync() or _merge()|
 * | the same, for guests with a private APIC    | vtdpi_vcpu_notify_self()     |
 * | scheduled out, paused, halted with IF = 0   | vtdpi_vcpu_preempt()         |
 * | halted, interrupts enabled, none deliverable| vtdpi_vcpu_block()           |
 * | between VTDPI_BLOCKED and the sleep         | no run, no preempt           |
 * | a wakeup vector arrives                     | vtdpi_pcpu_handle_wakeup()   |
 * | the active vector arrives in host mode      | EOI, see below               |
 *
 * **Between a block and its sleep.** After a vtdpi_vcpu_block() that returned
 * VTDPI_BLOCKED, the host calls neither vtdpi_vcpu_run() nor
 * vtdpi_vcpu_preempt() before the thread sleeps, unless the host calls the sleep
 * off: it sets its woken mark. Both calls take the wakeup vector out of the
 * PID, and a thread that sleeps after that is woken by no post. A kernel whose
 * entry code runs once more on the way to the scheduler has its run behind that
 * point. Where VTDPI_ASSERT is on, vtdpi_vcpu_run() asks the host's will_sleep.
 *
 * **The active vector in host mode.** Its handler does EOI and nothing else if
 * the host harvests with interrupts off, and they stay off until the entry. If
 * the host harvests earlier, with interrupts on, an ANV may come between harvest
 * and entry. Its handler then does EOI and makes the entry code harvest once
 * more before the entry, by a softirq or a mark that the entry code looks at
 * with interrupts off. With EOI alone the vector would stay in PIR until the
 * next exit.
 *
 * **Rule S, the single writer.** A vCPU's destination (NV, NDST and SN of its
 * PID) and its blocked bit are changed only by its owner: its own thread, or
 * the code that holds the thread stopped. Calls marked "owner" are never made
 * concurrently for one vCPU, and are not interrupted by another owner call for
 * the same vCPU: on a preemptible host, with preemption off. Posters change only
 * PIR and ON. The wakeup handler, offline and rescan change nothing of that, and
 * call wake. The handler also sets the vCPU's wake mark, which only its owner
 * clears, in block.
 *
 * **Invariant I.** NV other than ANV implies that NV is the vCPU's own WNV, and
 * that its bit is set in the bitmap of the pCPU whose id is NDST.
 *
 * @picture{sched-states.dot,The transitions of the owner and the notifications}
 *
 * Nothing here takes a lock, allocates or sleeps. Four callbacks are called: send_ipi
 * (by post, notify, notify_self, send and block_committed), wake (by the handler,
 * offline and rescan), relax (by detach) and will_sleep (by run, in builds with
 * asserts). The text of struct vtdpi_platform_ops.wake says what wake itself may call.
 * docs/memory-ordering.md holds the proof that no vector is lost.
 *
 * **One wake for each block.** A handler wakes a vCPU at most once for each block,
 * however many notifications come. (A slow handler may add one wake, for the block
 * before.)
 * Offline and rescan always wake. Two duties of the host follow. Once wake was called
 * for a vCPU, the host does not put the vCPU to sleep before a new vtdpi_vcpu_block(),
 * also if the vCPU found nothing to do. And the host clears its sticky "woken" mark
 * before a block and nowhere else. A vCPU that went back to sleep under the same block
 * would not be woken by the next post.
 *
 * **Objects.** The host embeds or allocates them; members are private unless
 * documented.
 *
 * **Balance.** A wakeup handler's time grows with the number of vCPUs that are
 * blocked on its pCPU. That number is small where vCPUs are spread, and large
 * where many are packed on few pCPUs. A vCPU can block on any online pCPU, not only on
 * its own. vtdpi_pcpu_choose() chooses a pCPU so that no list grows long. It chooses
 * from all pCPUs or from a set that the host gives: a NUMA node, a pool, or the pCPUs
 * that are not isolated.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/config.h"
#include "vtdpi/pid.h"
#include "vtdpi/platform.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** PIDs, and so slots, in one PID page. */
#define VTDPI_PAGE_SLOTS    64

/** Bytes of a PID page; its memory is aligned to that. */
#define VTDPI_PAGE_SIZE     4096

/** Most PID pages of an instance, those of all chunks included. */
#define VTDPI_PAGES_MAX     65536

/** For vtdpi_vcpu_attach(): the first free slot of the instance. */
#define VTDPI_SLOT_ANY      UINT32_MAX

/** For vtdpi_vcpu_attach(): the first free slot of page @p page, which is below
 *  VTDPI_PAGES_MAX: one on the vCPU's NUMA node, or one that only its VM uses. */
#define VTDPI_SLOT_IN(page) (UINT32_C(0x80000000) + (page))

/** Most wakeup notification vectors of an instance. */
#define VTDPI_WNV_MAX       VTDPI_PAGE_SLOTS

/** Words of 64 bits in a pCPU's bitmap, for an instance with @p pages pages:
 *  blocked bits and wake marks, and a summary. A host whose instance grows
 *  asks vtdpi_sched_bitmap_words() instead. */
#define VTDPI_BITMAP_WORDS(pages) \
    (VTDPI_CAST_(size_t, pages) * 2 + (VTDPI_CAST_(size_t, pages) + 63) / 64)

/** PID pages in a chunk, by which an instance grows. */
#define VTDPI_CHUNK_PAGES 64

/** Words of 64 bits in a pCPU's part of a chunk: blocked bits and wake marks. */
#define VTDPI_CHUNK_WORDS (2 * VTDPI_CHUNK_PAGES)

/** @brief What vtdpi_vcpu_block() found. */
enum vtdpi_block_result {
    /** Armed: sleep unless marked woken, and once only; then run, preempt or
     *  block again. */
    VTDPI_BLOCKED = 0,
    /** Something is posted: sync, look whether it is deliverable, and block
     *  again if it is not. No VM entry without vtdpi_vcpu_run(). */
    VTDPI_BLOCK_PENDING = 1,
    /** That pCPU is offline: choose another. Nothing has changed, but that
     *  a vCPU which was blocked is preempted. */
    VTDPI_BLOCK_OFFLINE = 2,
    /** The instance has no wakeup vector. Nothing has changed. */
    VTDPI_BLOCK_NOVECTOR = 3,
};

/** @brief A page of 64 PIDs and what belongs to its slots. */
struct vtdpi_pid_page {
    /* private: */
    struct vtdpi_pid *pids;
    uint64_t phys;
    uint64_t claimed; /* bit i: slot i has a vCPU, or is held */
    uint64_t held;    /* bit i: slot i was adopted, and has no vCPU yet */
    void *cookie[VTDPI_PAGE_SLOTS];
};

/**
 * @brief Where a PID page is found: memory that the host gives to the
 *        instance, one for each page that it has room for.
 *
 * Both pointers are what a wakeup handler needs first, so they lie in one line
 * and neither has to be fetched before the other can be used.
 */
struct vtdpi_page_ref {
    /* private: */
    struct vtdpi_pid *pids;      /* the page itself */
    struct vtdpi_pid_page *page; /* NULL while absent */
};

struct vtdpi_pcpu;

/** @brief A scheduling instance; the host embeds or allocates it. */
struct vtdpi_sched {
    /* private: */
    const struct vtdpi_platform_ops *ops;
    void *ctx;
    struct vtdpi_page_ref *pages; /* of the pages that it starts with */
    struct vtdpi_pcpu **pcpus;    /* NULL while absent */
    uint64_t room;                /* pages that there is memory for */
    uint32_t first_pages;
    enum vtdpi_apic_mode apic_mode;
    uint8_t anv;
    uint8_t wnv_count; /* divides 64 */
    uint8_t wnv[VTDPI_WNV_MAX];
    uint64_t stripe; /* the bits of a summary word that belong to wnv[0] */
    uint64_t scan;   /* sequence of offline and rescan; odd while one reads */
    struct vtdpi_pcpu **apic_map; /* chains of pCPUs, by a hash of the id */
    uint32_t apic_map_size;       /* 0: there is none */
    uint32_t max_pcpus;
    struct vtdpi_page_ref **chunks; /* page references of each that came */
    uint32_t max_chunks;
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
    uint64_t *leaf;    /* two words per PID page: blocked bits, wake marks */
    uint64_t *summary; /* bit per leaf word, of all chunks that may come */
    uint64_t *chunks;  /* addresses of what leaf is for pages that came later */
    uint64_t online;
    uint32_t apic_id;
    uint32_t ndst;
    uint32_t number;
    uint32_t first_chunks;   /* summary words whose leaf words are in leaf */
    struct vtdpi_pcpu *next; /* with the same hash of the APIC id */
};

/**
 * @brief What posted forms name: a descriptor, and how many refer to it.
 *
 * Each vCPU has one (vtdpi_vcpu_target()), from attach to detach. A descriptor that
 * is no vCPU's gets one by vtdpi_target_init(): for a host that posts its own
 * interrupts, or that keeps the descriptors of its vCPUs elsewhere. Zeroed before it
 * is initialised.
 */
struct vtdpi_target {
    /* private: */
    uint64_t pda;
    uint64_t refs;             /* OPEN | refs << 1 | holds << 32; 0: closed */
    struct vtdpi_vcpu *vcpu;   /* whose it is; NULL: the host's own */
    enum vtdpi_apic_mode mode; /* of NDST */
};

/** @brief A virtual CPU; the host embeds it. Zeroed before the first attach. */
struct vtdpi_vcpu {
    /* private: */
    struct vtdpi_sched *sched;
    struct vtdpi_pid *pid;
    struct vtdpi_pcpu *blocked_on; /* owner only; NULL: no bit is set */
    uint64_t detach_seq;           /* the odd value waited for, or 0 */
    uint32_t detach_next;          /* the sequence to look at next */
    uint32_t slot;
    struct vtdpi_target target;
};

/** @brief What vtdpi_sched_init() needs. */
struct vtdpi_sched_params {
    /** Callbacks: wake is needed if there are wakeup vectors, and must be NULL
     *  if there are none; the others may be NULL. */
    const struct vtdpi_platform_ops *ops;
    void *ctx; /**< First argument of every callback. */
    /** Memory for @p max_pages of these, as long as the instance lives. */
    struct vtdpi_page_ref *pages;
    /** 1 to VTDPI_PAGES_MAX. For an instance that grows, the pages that it
     *  starts with: a multiple of VTDPI_CHUNK_PAGES. */
    uint32_t max_pages;
    /** Memory for @p max_pcpus pointers, as long as the instance lives. */
    struct vtdpi_pcpu **pcpus;
    uint32_t max_pcpus;             /**< At least 1. */
    enum vtdpi_apic_mode apic_mode; /**< How the CPUs' APICs are addressed. */
    /** Active notification vector, in every VMCS; 16 to 255. */
    uint8_t anv;
    /**
     * Wakeup notification vectors, ordinary ones, the same on every pCPU; each
     * 16 to 255, no two the same, none of them ANV. A vCPU is woken by the
     * vector number (its page) % wnv_count, its page being slot / 64. A host
     * that never blocks a vCPU leaves wake NULL, and this and the count 0.
     */
    uint8_t wnv[VTDPI_WNV_MAX];
    /**
     * How many: 1, 2, 4, 8, 16, 32 or 64; 0 means 1, and none if wake is NULL.
     * A handler looks only at the vCPUs blocked on its pCPU whose page has the
     * vector. That is one in wnv_count of the pages. It is one in wnv_count of
     * the vCPUs only if the vCPUs are spread over pages.
     */
    uint8_t wnv_count;
    /**
     * Memory for @p apic_map_size pointers, as long as the instance lives, for
     * vtdpi_pcpu_find(); NULL if the host does not call that.
     */
    struct vtdpi_pcpu **apic_map;
    /** Any number; max_pcpus or more gives each pCPU about one pointer. */
    uint32_t apic_map_size;
    /**
     * Memory for @p max_chunks pointers, as long as the instance lives; NULL
     * for an instance that does not grow.
     */
    struct vtdpi_page_ref **chunks;
    /**
     * How many times vtdpi_sched_grow() can succeed; 0: the instance does not
     * grow. With the pages that it starts with, up to VTDPI_PAGES_MAX pages.
     */
    uint32_t max_chunks;
};

/**
 * @brief Initialise an instance: no page, no pCPU, no vCPU.
 *
 * @p s and the arrays that @p params names may hold anything before; the call
 * initialises them.
 *
 * @param s       The instance. Not NULL.
 * @param params  See there; may be temporary, except for what it points to.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     A pointer is NULL, a maximum is out of range, the
 *                          number of WNVs does not divide 64, two vectors are
 *                          the same, or there are WNVs without wake; or the
 *                          instance grows and max_pages is no multiple of
 *                          VTDPI_CHUNK_PAGES. Nothing has changed.
 * @retval VTDPI_EVECTOR    ANV or a WNV is below 16; also if wake is not NULL
 *                          and there is no WNV. Nothing has changed.
 *
 * @thread @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_sched_init(struct vtdpi_sched *s,
                 const struct vtdpi_sched_params *params);

/**
 * @brief Add a PID page, at init or at any later time.
 *
 * All 64 PIDs are initialised with SN = 1; @p page and @p memory may hold
 * anything before. The page is never given back nor unmapped before
 * vtdpi_sched_fini(): a reader with an older bitmap may still look at it
 * (type-stable memory).
 *
 * @param s       The instance. Not NULL.
 * @param number  Page number; its slots are 64 * number to 64 * number + 63.
 * @param page    Book-keeping of the page, as long as the instance lives.
 * @param memory  4 KiB of write-back memory, 4 KiB aligned. Any NUMA node.
 * @param phys    Its physical address, 4 KiB aligned.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     A pointer is NULL.
 * @retval VTDPI_EPAGE      The instance has no room for a page with that
 *                          number: it is not below max_pages, to which each
 *                          vtdpi_sched_grow() has added VTDPI_CHUNK_PAGES.
 * @retval VTDPI_EALIGN     @p memory or @p phys is not 4 KiB aligned.
 * @retval VTDPI_EPAGEBUSY  A page with that number is present.
 *
 * Nothing has changed after an error. Calls for one instance are serialised by
 * the caller, also against vtdpi_sched_grow().
 *
 * @thread @waitfree @order{release: contents before the page's presence}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_sched_add_page(struct vtdpi_sched *s, uint32_t number,
                     struct vtdpi_pid_page *page, void *memory, uint64_t phys);

/**
 * @brief Take a PID page over from another kernel, while units post to the page.
 *
 * For live update and kexec: the table entries of before still name the PIDs. PIR and
 * ON stay as they are found. Each PID gets SN = 1 and NV = ANV, by a compare-and-swap,
 * so no post is lost. All 64 slots are **held**: vtdpi_vcpu_attach() takes none of
 * them. For each slot the host calls vtdpi_vcpu_adopt(), or, when no entry of any table
 * names the slot's PID, vtdpi_sched_release_slot(). docs/live-update.md has the whole
 * sequence.
 *
 * @param s       As vtdpi_sched_add_page().
 * @param number  The number may differ from the page's number in the other kernel.
 * @param page    As vtdpi_sched_add_page().
 * @param memory  The page, as the other kernel left it. 4 KiB aligned.
 * @param phys    Its physical address, the same as before. 4 KiB aligned.
 *
 * @pre The other kernel does not run any more. Until this call returns, a unit may send
 *      the notifications that the other kernel has asked for: with its ANV and its
 *      WNVs, to the APIC ids of its pCPUs. In this kernel these vectors have handlers
 *      that do EOI and nothing else.
 * @pre All memory of the page is a PID page's: bits of the control word that are
 *      reserved are zero.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     As vtdpi_sched_add_page().
 * @retval VTDPI_EPAGE      As vtdpi_sched_add_page().
 * @retval VTDPI_EALIGN     As vtdpi_sched_add_page().
 * @retval VTDPI_EPAGEBUSY  As vtdpi_sched_add_page().
 *
 * Nothing has changed after an error. Calls are serialised as those of
 * vtdpi_sched_add_page().
 *
 * @thread @lockfree @order{release: contents before the page's presence}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_sched_adopt_page(struct vtdpi_sched *s, uint32_t number,
                       struct vtdpi_pid_page *page, void *memory,
                       uint64_t phys);

/**
 * @brief Give a held slot back: it is free from now on.
 *
 * @param s     The instance. Not NULL.
 * @param slot  The slot.
 *
 * @pre No table entry names the slot's PID, and no unit has a post to the PID in
 *      flight: the entries were changed, flushed and drained. What the PID holds is
 *      lost.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     @p s is NULL.
 * @retval VTDPI_ESLOT      The instance has no room for a page with that slot.
 * @retval VTDPI_ENOPAGE    The page of the slot is not present.
 * @retval VTDPI_ESLOTBUSY  The slot is not held: it has a vCPU, or was given back.
 *
 * Nothing has changed after an error.
 *
 * @thread @lockfree @order{SC: the caller's flush before the slot's next owner}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_sched_release_slot(struct vtdpi_sched *s, uint32_t slot);

/**
 * @brief Grow, for one pCPU: give it the memory for the next chunk.
 *
 * An instance grows by chunks of VTDPI_CHUNK_PAGES pages, at any time, while
 * vCPUs run, block and are woken. Growing has three steps, in this order: this call
 * gives each pCPU that is set up its part of the chunk; vtdpi_sched_grow() makes room
 * for the pages; vtdpi_sched_add_page() adds them. vCPUs on the pages that the
 * instance starts with cost no more than in an instance that does not grow.
 *
 * @param p      The pCPU, online or not. Not NULL.
 * @param chunk  VTDPI_CHUNK_WORDS words, until vtdpi_pcpu_fini(), best on the
 *               pCPU's own node. They may hold anything before.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     A pointer is NULL.
 * @retval VTDPI_ENOSPC     The instance has grown max_chunks times.
 * @retval VTDPI_EATTACHED  @p p has its part of the next chunk.
 *
 * Nothing has changed after an error, and the memory is the caller's. A host
 * that runs out of memory between two pCPUs may give the rest at any later time.
 *
 * @pre Calls for one instance are serialised by the caller, also against
 *      vtdpi_sched_grow(), vtdpi_pcpu_init() and vtdpi_pcpu_fini().
 *
 * @thread @waitfree @order{release; read by nobody before the instance grows}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_pcpu_grow(struct vtdpi_pcpu *p,
                                                          uint64_t *chunk);

/**
 * @brief Grow: make room for VTDPI_CHUNK_PAGES more pages.
 *
 * The first of the new pages has the number max_pages, plus VTDPI_CHUNK_PAGES
 * for each time that the instance has grown before.
 *
 * @param s     The instance. Not NULL.
 * @param refs  VTDPI_CHUNK_PAGES of these, as long as the instance lives. They
 *              may hold anything before.
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL.
 * @retval VTDPI_ENOSPC  The instance has grown max_chunks times.
 * @retval VTDPI_EPCPU   A pCPU that is set up has no part of this chunk:
 *                       vtdpi_pcpu_grow() first.
 *
 * Nothing has changed after an error.
 *
 * @pre Calls for one instance are serialised by the caller, also against
 *      vtdpi_pcpu_grow(), vtdpi_pcpu_init(), vtdpi_pcpu_fini() and
 *      vtdpi_sched_add_page(). Nobody else has to stop.
 *
 * @thread @waitfree @order{SC: every pCPU's part and @p refs before the room}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_sched_grow(struct vtdpi_sched *s, struct vtdpi_page_ref *refs);

/**
 * @brief How large the bitmap has to be for a pCPU that is set up now.
 *
 * For a host whose instance grows. All other hosts take
 * VTDPI_BITMAP_WORDS(max_pages). The bitmap has room for the pages of all chunks
 * that are there, and 16 bytes for each chunk that may come. When a chunk comes,
 * vtdpi_pcpu_grow() brings the rest of its memory.
 *
 * @param s  The instance. Not NULL.
 *
 * @return Words of 64 bits; valid until the next vtdpi_sched_grow().
 *
 * @thread @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK size_t
vtdpi_sched_bitmap_words(const struct vtdpi_sched *s);

/**
 * @brief End an instance: it has no page any more, as after
 *        vtdpi_sched_init().
 *
 * @p s, all memory that was given to the instance, and its pages may be freed
 * or used again afterwards; a module may be unloaded.
 *
 * @param s  The instance. Not NULL.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     @p s is NULL.
 * @retval VTDPI_EATTACHED  A pCPU is left: vtdpi_pcpu_fini() first.
 * @retval VTDPI_EBUSY      A slot belongs to a vCPU, or to one whose detach is
 *                          not done.
 *
 * Nothing has changed after an error.
 *
 * @pre No other call for the instance runs or begins, and no wakeup vector
 *      arrives any more: the host has given the vectors back.
 *
 * @thread @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_sched_fini(struct vtdpi_sched *s);

/**
 * @brief Set up a pCPU, offline, with no vCPU blocked on it.
 *
 * @p p and @p bitmap may hold anything before; the call initialises both.
 *
 * @param s        The instance. Not NULL.
 * @param p        The pCPU; stays until vtdpi_pcpu_fini().
 * @param number   Its number, 0 to max_pcpus - 1, of which no pCPU is present.
 * @param apic_id  Its local APIC id, decoded; not the broadcast id.
 * @param bitmap   VTDPI_BITMAP_WORDS(max_pages) words, or if the instance grows
 *                 vtdpi_sched_bitmap_words(), until vtdpi_pcpu_fini(), best on
 *                 the pCPU's own node.
 *
 * @retval 0                Done; vtdpi_pcpu_online() comes next.
 * @retval VTDPI_EINVAL     A pointer is NULL.
 * @retval VTDPI_EPCPU      @p number is not below max_pcpus.
 * @retval VTDPI_ERANGE     @p apic_id is above 254 in xAPIC mode, or is
 *                          FFFFFFFFh.
 * @retval VTDPI_EATTACHED  A pCPU with that number is present.
 *
 * Nothing has changed after an error. Calls for one instance are serialised by
 * the caller, also against vtdpi_sched_grow().
 *
 * @thread @waitfree @order{release: contents before the pCPU's presence}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_pcpu_init(struct vtdpi_sched *s, struct vtdpi_pcpu *p, uint32_t number,
                uint32_t apic_id, uint64_t *bitmap);

/**
 * @brief Find a pCPU by its APIC id.
 *
 * For a host that knows no CPU by its APIC id and sends interrupts by a number
 * of its own: its send_ipi finds the pCPU, which is embedded in what the host
 * keeps for the CPU. Constant time on average, if apic_map_size is max_pcpus or
 * more.
 *
 * @param s        The instance, which has an apic_map. Not NULL.
 * @param apic_id  Decoded.
 *
 * @return The pCPU, online or not; NULL if none with that id is set up.
 *
 * @anyctx @waitfree @order{acquire: the pCPU is found initialised}
 */
VTDPI_API struct vtdpi_pcpu *vtdpi_pcpu_find(const struct vtdpi_sched *s,
                                             uint32_t apic_id);

/**
 * @brief Take a pCPU away that is offline: its package is removed or replaced,
 *        or the instance ends.
 *
 * vtdpi_pcpu_init() may then set up a pCPU with that number again, with any
 * APIC id, in the same memory or in other memory. PIDs of preempted vCPUs may
 * keep the old APIC id until their next run. An urgent post sends ANV there,
 * which is lost without harm.
 *
 * @param p  The pCPU. Not NULL.
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  @p p is NULL.
 * @retval VTDPI_EPCPU   @p p is not set up in its instance, or not any more.
 * @retval VTDPI_EBUSY   @p p is online, or a vCPU is blocked on it, or a
 *                       wakeup handler runs there. Nothing has changed.
 *
 * @pre No vCPU runs on @p p (each was preempted, or runs on another pCPU). No
 *      wakeup vector is handled for @p p any more: its local APIC is masked or the
 *      vectors were given back, and handling that was put off has ended. A handler
 *      that begins later would not be seen by a detach.
 *      Calls for one instance are serialised by the caller, also against init,
 *      online, offline and rescan.
 * @post @p p, its bitmap and its parts of chunks may be freed or used again as soon as
 *       no other CPU can still use @p p. That is so when three things have ended: every
 *       call for the instance that had begun before the return; every block whose
 *       vtdpi_pcpu_choose() had returned @p p; and every use of @p p after
 *       vtdpi_pcpu_find(). Keep a choose and its block in one section that the host can
 *       wait for (RCU; stopping all CPUs).
 *
 * @thread @waitfree @order{SC: after offline has cleared the flag}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_pcpu_fini(struct vtdpi_pcpu *p);

/**
 * @brief Let vCPUs block on a pCPU.
 *
 * @param p  A pCPU that was set up and takes the wakeup vectors. Not NULL.
 *
 * @thread @waitfree @order{SC}
 */
VTDPI_API VTDPI_COLD void vtdpi_pcpu_online(struct vtdpi_pcpu *p);

/**
 * @brief Take a pCPU offline: no vCPU blocks on it any more, and those that do
 *        are woken.
 *
 * Wakes also the vCPUs that a handler has woken since they blocked, and sets no
 * wake mark. The call moves no vCPU: the owner of each woken vCPU leaves by run or
 * preempt, and blocks elsewhere. From the return on, the local APIC of @p p may
 * lose notifications.
 *
 * @param p  The pCPU. Not NULL.
 *
 * @return Number of wake calls.
 *
 * @pre The host has moved vCPU threads off @p p. One offline or rescan at a
 *      time per instance.
 *
 * @thread @waitfree @order{SC: the flag before the bitmap is read}
 */
VTDPI_API VTDPI_COLD uint32_t vtdpi_pcpu_offline(struct vtdpi_pcpu *p);

/**
 * @brief Wake everyone who is blocked on a pCPU, which stays online.
 *
 * Mandatory after a resume from S3 on the pCPU that never went offline: its
 * local APIC has forgotten pending notifications.
 *
 * @param p  The pCPU. Not NULL.
 *
 * @return Number of wake calls.
 *
 * @pre One offline or rescan at a time per instance.
 *
 * @thread @waitfree @order{SC}
 */
VTDPI_API VTDPI_COLD uint32_t vtdpi_pcpu_rescan(struct vtdpi_pcpu *p);

/**
 * @brief Handle a wakeup vector: wake every vCPU that is blocked on this pCPU,
 *        has that vector and ON set, and was not woken by a handler of this
 *        pCPU since it blocked.
 *
 * Clears neither bits nor ON, and sets the wake mark of each vCPU that it
 * wakes. Wakes may be spurious: for one pCPU and one vCPU there is at most one
 * wake more than there were blocks. EOI before or after; a
 * host that defers the work to a later context clears its own pending mark of
 * that vector before it calls.
 *
 * @param p       The pCPU on which the vector arrived. Not NULL.
 * @param vector  The vector.
 *
 * @return Number of wake calls; a vCPU that was woken before does not count
 *         again. 0, and nothing is read, for a vector that is none of the
 *         instance's WNVs.
 *
 * @pre The handlers of all wakeup vectors of one pCPU exclude one another: not
 *      nested, not concurrent. One that arrives during the call stays pending.
 *
 * @irqsoff @waitfree @order{SC}
 */
VTDPI_API uint32_t vtdpi_pcpu_handle_wakeup(struct vtdpi_pcpu *p,
                                            uint8_t vector);

/**
 * @brief How many vCPUs are blocked on a pCPU.
 *
 * @param p  The pCPU. Not NULL.
 *
 * @return The number of bits in its bitmap, stale at once. Reads one word per
 *         PID page.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD uint32_t vtdpi_pcpu_blocked(const struct vtdpi_pcpu *p);

/**
 * @brief Give a vCPU a slot.
 *
 * Initialises the PID with NV = ANV and SN = 1 and opens the vCPU for
 * references. A host whose vCPU may already sleep wakes it once afterwards, so
 * that it blocks through vtdpi_vcpu_block(). NDST is 0 until the first run: an
 * urgent post before it sends ANV to APIC id 0, which is harmless.
 *
 * @param s       The instance. Not NULL.
 * @param v       The vCPU, zeroed before its first attach. Not NULL.
 * @param slot    The number of a slot, VTDPI_SLOT_IN() or VTDPI_SLOT_ANY.
 *                vtdpi_vcpu_slot() says which slot it became.
 * @param cookie  What wake receives. Not NULL.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     A pointer is NULL.
 * @retval VTDPI_EATTACHED  @p v has a slot.
 * @retval VTDPI_ESLOT      @p slot names a page that the instance has no room
 *                          for; see vtdpi_sched_add_page().
 * @retval VTDPI_ENOPAGE    The page that @p slot names is not present.
 * @retval VTDPI_ESLOTBUSY  The slot belongs to another vCPU, or to one whose
 *                          detach is not done.
 * @retval VTDPI_ENOSPC     No slot of that page, or of any page, was free when
 *                          the call looked at it; add a page.
 *
 * Nothing has changed after an error.
 *
 * @thread @lockfree @order{release: the cookie before any bit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vcpu_attach(struct vtdpi_sched *s, struct vtdpi_vcpu *v, uint32_t slot,
                  void *cookie);

/**
 * @brief Give a vCPU a held slot, whose PID units may be posting to.
 *
 * As vtdpi_vcpu_attach(), but the PID stays as it is: with SN = 1, and with the vectors
 * that were posted to the vCPU before and since. The interrupts of the vCPU follow by
 * vtdpi_irq_adopt(). Then the host wakes the vCPU once, so that the vCPU harvests.
 *
 * @param s       The instance. Not NULL.
 * @param v       The vCPU, zeroed before its first attach. Not NULL.
 * @param slot    The number of a slot of a page that vtdpi_sched_adopt_page() took over.
 * @param cookie  What wake receives. Not NULL.
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     A pointer is NULL.
 * @retval VTDPI_EATTACHED  @p v has a slot.
 * @retval VTDPI_ESLOT      The instance has no room for a page with that slot.
 * @retval VTDPI_ENOPAGE    The page of the slot is not present.
 * @retval VTDPI_ESLOTBUSY  The slot is not held: it has a vCPU, or was given back.
 *
 * Nothing has changed after an error.
 *
 * @thread @lockfree @order{release: the cookie before any bit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vcpu_adopt(struct vtdpi_sched *s, struct vtdpi_vcpu *v, uint32_t slot,
                 void *cookie);

/**
 * @brief Scheduled in: notifications go to @p p with ANV.
 *
 * Owner call. The vCPU stays on @p p until its next run, preempt or block.
 * Legal from any state, but not between a block that returned VTDPI_BLOCKED and
 * a sleep that is not called off. Before every VM entry, with interrupts off until the
 * entry, vtdpi_vcpu_sync() or vtdpi_vcpu_merge() follows: what was posted
 * while SN was set has set no ON.
 *
 * @param v  An attached vCPU. Not NULL.
 * @param p  The pCPU it runs on. Not NULL.
 *
 * @anyctx @lockfree @order{SC; nothing at all if v runs on p already}
 */
VTDPI_API void vtdpi_vcpu_run(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p);

/**
 * @brief Scheduled out, paused, sleeping with guest interrupts disabled, or
 *        leaving the blocked state without running.
 *
 * Owner call. Posts accumulate in PIR without a notification; none is lost.
 * Legal where vtdpi_vcpu_run() is.
 *
 * @param v  An attached vCPU. Not NULL.
 *
 * @anyctx @lockfree @order{SC; nothing at all if v is preempted already}
 */
VTDPI_API void vtdpi_vcpu_preempt(struct vtdpi_vcpu *v);

/**
 * @brief Halted with interrupts enabled and nothing deliverable: arm the
 *        vCPU's wakeup vector, for @p p.
 *
 * Owner call, with preemption off. Legal from any state; a vCPU that is
 * blocked already is preempted first.
 *
 * @param v  An attached vCPU. Not NULL.
 * @param p  This pCPU or another one, chosen for balance. Not NULL.
 *
 * @return See enum vtdpi_block_result. After VTDPI_BLOCK_PENDING the control
 *         word is as before, or preempted; after VTDPI_BLOCK_OFFLINE as before
 *         (preempted, if v was blocked).
 *
 * @pre The host has armed its sticky "woken" mark: a wake from now on ends or
 *      prevents the sleep. A run or preempt between the return and the sleep
 *      sets that mark, too. The host clears the mark only before a block: after
 *      a wake there is no sleep before the next block.
 *
 * @thread @lockfree @order{SC}
 */
VTDPI_API VTDPI_MUST_CHECK enum vtdpi_block_result
vtdpi_vcpu_block(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p);

/**
 * @brief As vtdpi_vcpu_block(), for hosts that can no longer cancel the sleep.
 *
 * Owner call, with preemption off, from a scheduler's switch-out path. If
 * something is posted, @p p is sent the vCPU's wakeup vector, and the handler
 * wakes the vCPU as for any other post.
 *
 * @param v  An attached vCPU. Not NULL.
 * @param p  The pCPU that shall take the wakeup. Not NULL.
 *
 * @return See enum vtdpi_block_result; never VTDPI_BLOCK_PENDING.
 *
 * @pre As vtdpi_vcpu_block(). The instance has send_ipi.
 *
 * @irqsoff @lockfree @order{SC}
 */
VTDPI_API VTDPI_MUST_CHECK enum vtdpi_block_result
vtdpi_vcpu_block_committed(struct vtdpi_vcpu *v, struct vtdpi_pcpu *p);

/**
 * @brief Post a vector by software and send the notification.
 *
 * The same rules as hardware's, so a blocked vCPU is woken by the same path.
 * A post from the pCPU on which the vCPU runs sends ANV to that pCPU itself; see
 * vtdpi_pcpu_is_target() for a host that saves this interrupt.
 *
 * @param v       An attached vCPU. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 * @param urgent  Notify even when SN is set.
 *
 * @return What happened; after VTDPI_POST_NOTIFY the notification is sent.
 *         vtdpi_pid_post() also returns the place, and sends nothing.
 *
 * @pre Preemption off until the return: between setting ON and sending, nobody
 *      else notifies this vCPU. The instance has send_ipi.
 *
 * @anyctx @lockfree @order{SC; one locked operation if ON is set, else two}
 */
VTDPI_API enum vtdpi_post_result vtdpi_vcpu_post(struct vtdpi_vcpu *v,
                                                 uint8_t vector, bool urgent);

/**
 * @brief The second half of vtdpi_vcpu_post(), for vectors that somebody
 *        recorded who could not keep preemption off.
 *
 * A user-level monitor records with vtdpi_pid_record(), and has this called
 * where preemption is off.
 *
 * @param v       An attached vCPU. Not NULL.
 * @param urgent  Notify even when SN is set.
 *
 * @return What happened; after VTDPI_POST_NOTIFY the notification is sent.
 *
 * @pre Preemption off until the return. The instance has send_ipi.
 *
 * @anyctx @lockfree @order{SC}
 */
VTDPI_API enum vtdpi_post_result vtdpi_vcpu_notify(struct vtdpi_vcpu *v,
                                                   bool urgent);

/**
 * @brief Send a notification that vtdpi_pid_post() or vtdpi_pid_notify() asked
 *        for on this vCPU's PID.
 *
 * For hosts that look whether the target is outside the guest before they
 * send, and wake it in their own way instead.
 *
 * @param v  The vCPU it is for. Not NULL.
 * @param n  What was returned, with VTDPI_POST_NOTIFY. Not NULL.
 *
 * @pre Preemption has been off since ON was set. The instance has send_ipi.
 *
 * @anyctx @waitfree
 */
VTDPI_API void vtdpi_vcpu_send(const struct vtdpi_vcpu *v,
                               const struct vtdpi_notification *n);

/**
 * @brief Whether a post found its vCPU on this pCPU: NDST names @p p.
 *
 * A host that posts from the vCPU's own pCPU saves the interrupt to itself:
 *
 *     n = vtdpi_pid_post(vtdpi_vcpu_pid(v), vector, false);
 *     if (n.result == VTDPI_POST_NOTIFY &&
 *         !(n.nv == anv && vtdpi_pcpu_is_target(here, &n)))
 *         vtdpi_vcpu_send(v, &n);
 *
 * The vCPU is not in the guest while its pCPU runs this code, and the harvest
 * before its next entry takes the vector. So the caller is not between that
 * harvest and the entry: it is no NMI handler. A WNV is always sent.
 *
 * @param p  The pCPU on which the caller runs. Not NULL.
 * @param n  What the post returned, of a vCPU of the same instance. Not NULL.
 *
 * @return Whether the vCPU ran here last, or is blocked here, by the snapshot
 *         that @p n was taken from.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE bool vtdpi_pcpu_is_target(const struct vtdpi_pcpu *p,
                                       const struct vtdpi_notification *n)
{
    return n->ndst == p->ndst;
}

/**
 * @brief The vCPU's PID, for the operations of pid.h.
 *
 * @param v  An attached vCPU. Not NULL.
 *
 * @return The descriptor.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_pid *vtdpi_vcpu_pid(const struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(v->sched != VTDPI_NULL_);
    return v->pid;
}

/**
 * @brief The vCPU's slot: its page is slot / VTDPI_PAGE_SLOTS.
 *
 * @param v  An attached vCPU. Not NULL.
 *
 * @return The number that attach was given, or the slot that it found.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_vcpu_slot(const struct vtdpi_vcpu *v)
{
    VTDPI_ASSERT(v->sched != VTDPI_NULL_);
    return v->slot;
}

/**
 * @brief Take what is posted: vtdpi_pid_harvest() on the vCPU's PID.
 *
 * Owner call: before every VM entry, with interrupts off from here until the
 * entry; and at any other time while the vCPU is not in the guest, blocked or
 * not. If something is taken from a vCPU that is blocked, the host makes the vCPU
 * runnable and sets its woken mark: the harvest has cleared ON, so the handler whose
 * notification is on its way does not wake the vCPU.
 *
 * @param v    An attached vCPU. Not NULL.
 * @param out  Receives the vectors. Not NULL.
 *
 * @return Whether any vector was taken.
 *
 * @anyctx @waitfree @order{as vtdpi_pid_harvest()}
 */
VTDPI_INLINE bool vtdpi_vcpu_sync(struct vtdpi_vcpu *v,
                                  uint64_t out[VTDPI_PIR_WORDS])
{
    return vtdpi_pid_harvest(vtdpi_vcpu_pid(v), out);
}

/**
 * @brief Take what is posted into a virtual-APIC page: vtdpi_pid_merge() on
 *        the vCPU's PID.
 *
 * Owner call; as vtdpi_vcpu_sync().
 *
 * @param v      An attached vCPU. Not NULL.
 * @param vapic  Its virtual-APIC page. Not NULL.
 *
 * @return The highest vector in the virtual IRR afterwards, 0 if the IRR is
 *         empty. The host sets RVI to exactly this value.
 *
 * @anyctx @waitfree @order{as vtdpi_pid_merge()}
 */
VTDPI_INLINE uint8_t vtdpi_vcpu_merge(struct vtdpi_vcpu *v, uint32_t *vapic)
{
    return vtdpi_pid_merge(vtdpi_vcpu_pid(v), vapic);
}

/**
 * @brief For hosts that do not harvest: before a VM entry, have the processor
 *        take what is posted.
 *
 * The virtual APIC of some guests is not the host's to write (a trust domain's
 * is private), and some hosts leave PIR to the processor altogether. If ON is
 * set or PIR is not empty, whatever the other says, sends ANV to @p p, which is
 * this processor. With interrupts off ANV stays pending until the entry; then
 * the processor clears ON and moves PIR to the virtual IRR. Posts made under SN
 * have set no ON, and an ANV that came in host mode has moved nothing, so
 * without this call such vectors wait for the next post that notifies, or for
 * ever.
 *
 * Owner call, in place of vtdpi_vcpu_sync(), before every VM entry. After
 * VTDPI_BLOCK_PENDING such a host calls vtdpi_vcpu_run() and enters: it cannot
 * see what is deliverable, and the guest halts once more if nothing is. A host
 * without send_ipi asks vtdpi_pid_pending() and sends ANV itself.
 *
 * @param v  An attached vCPU that runs on @p p. Not NULL.
 * @param p  The pCPU on which the caller runs. Not NULL.
 *
 * @return Whether ANV was sent.
 *
 * @pre Interrupts are off from before the call until the entry. The instance
 *      has send_ipi.
 *
 * @irqsoff @waitfree @order{SC loads, behind the clearing of SN by run}
 */
VTDPI_API bool vtdpi_vcpu_notify_self(struct vtdpi_vcpu *v,
                                      const struct vtdpi_pcpu *p);

/**
 * @brief Whether a vCPU has a slot.
 *
 * @param v  A vCPU that was zeroed once. Not NULL.
 *
 * @return False before attach and after detach is done.
 *
 * @thread @waitfree
 */
VTDPI_INLINE bool vtdpi_vcpu_attached(const struct vtdpi_vcpu *v)
{
    return v->sched != VTDPI_NULL_;
}

/**
 * @brief Whether a vCPU's bit is set on some pCPU. Owner call.
 *
 * @param v  An attached vCPU. Not NULL.
 *
 * @return True from a vtdpi_vcpu_block() that returned VTDPI_BLOCKED to the
 *         next run or preempt.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE bool vtdpi_vcpu_is_blocked(const struct vtdpi_vcpu *v)
{
    return v->blocked_on != VTDPI_NULL_;
}

/**
 * @brief Physical address of the vCPU's PID: for the VMCS and for PDA.
 *
 * @param v  An attached vCPU. Not NULL.
 *
 * @return The address, 64-byte aligned.
 *
 * @anyctx @waitfree
 */
VTDPI_API uint64_t vtdpi_vcpu_pda(const struct vtdpi_vcpu *v);

/**
 * @brief Make a target of a descriptor that is no vCPU's.
 *
 * The host writes the descriptor itself: vtdpi_pid_init(), then NV and NDST.
 *
 * @param t     The target: zeroed memory, or a target that was closed.
 * @param pda   Physical address of the descriptor.
 * @param mode  How its NDST is written.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Open: posted forms can name the target.
 * @retval VTDPI_EINVAL  @p t is NULL, or @p mode is unknown.
 * @retval VTDPI_EALIGN  @p pda is not 64-byte aligned.
 * @retval VTDPI_EBUSY   @p t is open already.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_target_init(struct vtdpi_target *t,
                                                 uint64_t pda,
                                                 enum vtdpi_apic_mode mode);

/**
 * @brief Close a target of vtdpi_target_init(): no posted form names it, and none
 *        will. What vtdpi_vcpu_detach() does to that of a vCPU.
 *
 * @param t  The target. Not NULL.
 *
 * @anyctx @lockfree @order{SC: after the flush of the last entry that named it}
 *
 * @retval 0              Closed: the memory of the descriptor and of the target is
 *                        free. What was posted has landed.
 * @retval VTDPI_EBUSY    Posted forms name the target. Nothing has changed.
 * @retval VTDPI_ECLOSED  Closed already.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_target_close(struct vtdpi_target *t);

/**
 * @brief vtdpi_vcpu_ref() of a target.
 *
 * @param t  A target that was zeroed once. Not NULL.
 *
 * @retval 0              Taken; the target cannot be closed until it is given back.
 * @retval VTDPI_ECLOSED  The target is not open. Nothing has changed.
 *
 * @anyctx @lockfree @order{SC: taken before the entry names it}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_target_ref(struct vtdpi_target *t);

/**
 * @brief vtdpi_vcpu_unref() of a target.
 *
 * @param t  The target. Not NULL. The caller has a reference.
 *
 * @anyctx @lockfree @order{SC: given back after the flush}
 */
VTDPI_API void vtdpi_target_unref(struct vtdpi_target *t);

/**
 * @brief vtdpi_vcpu_refs() of a target.
 *
 * @param t  A target that was zeroed once. Not NULL.
 *
 * @return Number of references; stale at once.
 *
 * @anyctx @waitfree @order{SC load}
 */
VTDPI_API uint32_t vtdpi_target_refs(const struct vtdpi_target *t);

/**
 * @brief What posted forms name to post to a vCPU.
 *
 * @param v  A vCPU that was zeroed once. Not NULL.
 *
 * @return The target; open from attach to detach.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_target *vtdpi_vcpu_target(struct vtdpi_vcpu *v)
{
    return &v->target;
}

/**
 * @brief Take a reference: an interrupt-remapping-table entry is about to name
 *        this vCPU's PID.
 *
 * @param v  A vCPU that was zeroed once. Not NULL.
 *
 * @retval 0              Taken; detach fails until it is given back.
 * @retval VTDPI_ECLOSED  The vCPU is not attached, or its detach has begun.
 *                        Nothing has changed.
 *
 * @anyctx @lockfree @order{SC: taken before the entry names it}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_vcpu_ref(struct vtdpi_vcpu *v);

/**
 * @brief Give a reference back: no unit can reach the PID through that entry
 *        any more (invalidated, waited for, drained).
 *
 * @param v  The vCPU. Not NULL. The caller has a reference.
 *
 * @anyctx @lockfree @order{SC: given back after the flush}
 */
VTDPI_API void vtdpi_vcpu_unref(struct vtdpi_vcpu *v);

/**
 * @brief Number of references.
 *
 * @param v  A vCPU that was zeroed once. Not NULL.
 *
 * @return Posted forms that name the vCPU, pinned ones included, and entries of
 *         ipiv.h; stale at once. 0 means that no device and no IPI of a processor can
 *         post to the vCPU. A host that then lets the vCPU sleep without a block wakes
 *         the vCPU once after the first form is posted, or the first entry is set.
 *
 * @anyctx @waitfree @order{SC load}
 */
VTDPI_API uint32_t vtdpi_vcpu_refs(const struct vtdpi_vcpu *v);

/**
 * @brief Hold a vCPU: a map by which software delivers (bind.h, or the host's
 *        own) is about to name the vCPU.
 *
 * Holds are counted apart from references: a vCPU that is held and not
 * referenced is one to which no device posts.
 *
 * @param v  A vCPU that was zeroed once. Not NULL.
 *
 * @retval 0              Held; detach fails until the hold is given back.
 * @retval VTDPI_ECLOSED  The vCPU is not attached, or its detach has begun.
 *                        Nothing has changed.
 *
 * @anyctx @lockfree @order{SC: taken before the map names the vCPU}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_vcpu_hold(struct vtdpi_vcpu *v);

/**
 * @brief Give a hold back: nobody finds the vCPU by that map any more.
 *
 * @param v  The vCPU. Not NULL. The caller has a hold.
 *
 * @anyctx @lockfree @order{SC: given back after the map has forgotten the vCPU}
 */
VTDPI_API void vtdpi_vcpu_unhold(struct vtdpi_vcpu *v);

/**
 * @brief Number of holds.
 *
 * @param v  A vCPU that was zeroed once. Not NULL.
 *
 * @return One for each VM that the vCPU is attached to (vtdpi_vm_attach()), and
 *         the host's own; stale at once.
 *
 * @anyctx @waitfree @order{SC load}
 */
VTDPI_API uint32_t vtdpi_vcpu_holds(const struct vtdpi_vcpu *v);

/**
 * @brief Begin to detach: no reference can be taken any more, the vCPU is
 *        preempted, its cookie withdrawn.
 *
 * Owner call. vtdpi_vcpu_detach_poll() finishes it. wake may be called for the
 * vCPU until then.
 *
 * @param v  The vCPU. Not NULL.
 *
 * @retval 0                Begun.
 * @retval VTDPI_EBUSY      Entries refer to it (vtdpi_vcpu_refs()), or a map
 *                          holds it (vtdpi_vcpu_holds()). Nothing has changed.
 * @retval VTDPI_EDETACHED  It has no slot. Nothing has changed.
 * @retval VTDPI_ECLOSED    Begun already. Nothing has changed.
 *
 * @pre The vCPU is stopped, software posters have finished.
 *
 * @thread @lockfree @order{SC}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vcpu_detach_begin(struct vtdpi_vcpu *v);

/**
 * @brief Go on with a detach.
 *
 * Done when every wakeup handler, offline and rescan that was reading since
 * the vCPU was withdrawn has ended: one of them may hold it from an older
 * bitmap. Remembers how far it got.
 *
 * @param v  A vCPU whose detach has begun. Not NULL.
 *
 * @return True when done, and from then on: wake is not called for the vCPU
 *         any more, the slot is free, @p v may be attached again or freed.
 *
 * @pre Not from within wake, nor holding a lock that wake takes.
 *
 * @thread @waitfree @order{SC}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK bool
vtdpi_vcpu_detach_poll(struct vtdpi_vcpu *v);

/**
 * @brief Detach: vtdpi_vcpu_detach_begin(), then polls with relax in between.
 *
 * @param v  The vCPU. Not NULL.
 *
 * @retval 0                Done, as vtdpi_vcpu_detach_poll() says.
 * @retval VTDPI_EBUSY      Entries refer to it (vtdpi_vcpu_refs()), or a map
 *                          holds it (vtdpi_vcpu_holds()). Nothing has changed.
 * @retval VTDPI_EDETACHED  It has no slot. Nothing has changed.
 * @retval VTDPI_ECLOSED    Begun already. Nothing has changed.
 *
 * @pre As for begin and poll; no handler is preempted by the caller.
 *
 * @thread @waits{one handler pass, or one offline or rescan}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vcpu_detach(struct vtdpi_vcpu *v);

/**
 * @brief Choose the pCPU for a vtdpi_vcpu_block() from a set: this one, until
 *        about @p bound vCPUs are blocked here; then the one of two random
 *        others on which fewer are.
 *
 * The set is a mask, bit n % 64 of word n / 64 for the pCPU with number n. A
 * host with CPU masks of 64-bit words passes those. The common set is the NUMA
 * node of the VM:
 *
 * @code
 * p = vtdpi_pcpu_choose(here, 64, vm->node_mask);
 * @endcode
 *
 * A pCPU that is not in the set is never chosen, @p here included. So no
 * wakeup interrupt comes to isolated pCPUs or to those of another pool.
 *
 * **Cost.** A call counts the vCPUs that are blocked on @p here. It subtracts that
 * number from @p bound, and so many calls in a row choose @p here without counting
 * again. Such a call reads and writes plain words of @p here alone. While @p here is
 * full, each call counts the lists of two other pCPUs, and every @p bound / 8 calls the
 * list of @p here once more. A count reads the summary and the leaf words that are not
 * empty. A choice among others also reads the words of the set.
 *
 * **The bound.** Blocks that come from @p here keep the bound. Blocks that other pCPUs
 * send to @p here are seen at the next count only. A bound that is smaller than at the
 * call before holds at once. Use about the same bound on all pCPUs: the number of vCPUs
 * that a handler may look at, times the number of wakeup vectors. With bound 0 each call
 * chooses the shortest of three lists. With UINT32_MAX it always chooses @p here.
 *
 * @param here   The pCPU on which the caller runs. Not NULL.
 * @param bound  How many vCPUs may be blocked here before others are asked.
 * @param set    A word for each 64 of max_pcpus, which the host may change at
 *               any time by whole words. NULL: all pCPUs.
 *
 * @return An online pCPU of the set; NULL if none was found. The pCPU may be
 *         offline by the time of the block, which then says
 *         VTDPI_BLOCK_OFFLINE; choose again.
 *
 * @pre Preemption off: calls for one @p here do not overlap. If they do, a
 *      count is wrong by one or two, and no more.
 *
 * @anyctx @waitfree @order{none: the counts are estimates}
 */
VTDPI_API VTDPI_MUST_CHECK struct vtdpi_pcpu *
vtdpi_pcpu_choose(struct vtdpi_pcpu *here, uint32_t bound, const uint64_t *set);

VTDPI_END_DECLS

#endif
