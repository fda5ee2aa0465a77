/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_PID_H
#define VTDPI_PID_H

/**
 * @file
 * @brief The posted-interrupt descriptor (PID) and its atomic operations.
 *
 * A PID is written by remapping units, by CPUs that post in software, by the
 * CPU that processes posted interrupts, and by the hypervisor, all at once.
 * Two rules make that work:
 *
 * - **PIR is the truth, ON is only the doorbell.** ON = 0 never means that PIR
 *   is empty: with SN = 1 hardware records without setting ON.
 * - Every change of the control word is one compare-and-swap from one snapshot.
 *
 * All functions are inline and lock-free; this header needs nothing linked.
 * docs/memory-ordering.md holds the whole argument about their order.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/config.h"
#include "vtdpi/regs.h"

VTDPI_BEGIN_DECLS

/** Words of PIR. */
#define VTDPI_PIR_WORDS  4

/** Lowest vector that can be an interrupt. */
#define VTDPI_VECTOR_MIN 16

/**
 * @brief Posted-interrupt descriptor, as hardware reads and writes it.
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
struct vtdpi_pid {
    VTDPI_ALIGNAS(64) uint64_t pir[VTDPI_PIR_WORDS]; /**< Bits 255:0. */
    uint64_t control;     /**< Bits 319:256: ON, SN, NV, NDST. */
    uint64_t reserved[3]; /**< Bits 511:320, zero. */
};

VTDPI_STATIC_ASSERT(sizeof(struct vtdpi_pid) == 64, "a PID is 64 bytes");
VTDPI_STATIC_ASSERT(offsetof(struct vtdpi_pid, control) == 256 / 8,
                    "ON is bit 256");
VTDPI_STATIC_ASSERT(offsetof(struct vtdpi_pid, reserved) == 320 / 8,
                    "NDST ends at bit 319");

/** @brief How local APICs are addressed. */
enum vtdpi_apic_mode {
    VTDPI_XAPIC = 0,  /**< 8-bit ids. */
    VTDPI_X2APIC = 1, /**< 32-bit ids. */
};

/** @brief What a post by software came to. */
enum vtdpi_post_result {
    /** ON was clear and this post has set it. vtdpi_vcpu_post() and
     *  vtdpi_vcpu_notify() of sched.h have sent the notification; after
     *  vtdpi_pid_post() and vtdpi_pid_notify() their caller sends it. */
    VTDPI_POST_NOTIFY = 0,
    /** ON was set already: the notification was sent by the poster that set
     *  ON, or that poster is about to send it. */
    VTDPI_POST_ALREADY = 1,
    /** SN was set, with ON or without, and the post is not urgent: nobody is
     *  notified. The vector waits in PIR for the next entry. A host whose vCPU
     *  threads sleep without a block wakes the thread in its own way. */
    VTDPI_POST_SUPPRESSED = 2,
};

/** @brief What a post by software came to, and where the vCPU was. */
struct vtdpi_notification {
    enum vtdpi_post_result result; /**< VTDPI_POST_NOTIFY: to be sent. */
    uint8_t nv;                    /**< NV when @p result was decided. */
    uint32_t ndst;                 /**< NDST, encoded, at the same moment. */
};

/** @brief The fields of a control word, taken apart. */
struct vtdpi_pid_control {
    bool on;       /**< Outstanding notification. */
    bool sn;       /**< Suppress notification. */
    uint8_t nv;    /**< Notification vector. */
    uint32_t ndst; /**< Notification destination, encoded. */
};

/**
 * @brief Encode an APIC id for NDST.
 *
 * @param mode     How the CPUs' local APICs are addressed.
 * @param apic_id  The id; at most 255 in xAPIC mode (the rest is dropped).
 *
 * @return The id in x2APIC mode, the id in bits 15:8 in xAPIC mode.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE uint32_t vtdpi_ndst_from_apic_id(enum vtdpi_apic_mode mode,
                                              uint32_t apic_id)
{
    return mode == VTDPI_X2APIC ? apic_id : (apic_id & 0xff) << 8;
}

/**
 * @brief Decode NDST.
 *
 * @param mode  How the CPUs' local APICs are addressed.
 * @param ndst  As in the descriptor.
 *
 * @return The APIC id.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE uint32_t vtdpi_apic_id_from_ndst(enum vtdpi_apic_mode mode,
                                              uint32_t ndst)
{
    return mode == VTDPI_X2APIC ? ndst : (ndst >> 8) & 0xff;
}

/**
 * @brief Take a control word apart.
 *
 * @param word  As from vtdpi_pid_snapshot().
 *
 * @return Its fields.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE struct vtdpi_pid_control vtdpi_pid_control_decode(uint64_t word)
{
    struct vtdpi_pid_control c;

    c.on = (word & VTDPI_PID_ON) != 0;
    c.sn = (word & VTDPI_PID_SN) != 0;
    c.nv = VTDPI_CAST_(uint8_t, VTDPI_FIELD_GET(word, VTDPI_PID_NV));
    c.ndst = VTDPI_CAST_(uint32_t, VTDPI_FIELD_GET(word, VTDPI_PID_NDST));
    return c;
}

/**
 * @brief Put a control word together.
 *
 * @param c  Its fields. Not NULL.
 *
 * @return The word; reserved bits are zero.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE uint64_t
vtdpi_pid_control_encode(const struct vtdpi_pid_control *c)
{
    return (c->on ? VTDPI_PID_ON : 0) | (c->sn ? VTDPI_PID_SN : 0) |
           VTDPI_FIELD_PUT(c->nv, VTDPI_PID_NV) |
           VTDPI_FIELD_PUT(c->ndst, VTDPI_PID_NDST);
}

/**
 * @brief Initialise a descriptor that nobody else can see yet.
 *
 * PIR empty, ON = 0, SN = 1 (nothing is notified before the first run),
 * reserved bits zero.
 *
 * @param pid   Descriptor; 64-byte aligned. Not NULL.
 * @param nv    Notification vector.
 * @param ndst  Destination, as from vtdpi_ndst_from_apic_id().
 *
 * @pre No unit, VMCS or other CPU knows the descriptor.
 *
 * @anyctx @waitfree
 * @order{none; publication of the address orders it}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE void vtdpi_pid_init(struct vtdpi_pid *pid, uint8_t nv,
                                 uint32_t ndst)
{
    const struct vtdpi_pid_control c = {false, true, nv, ndst};

    VTDPI_ASSERT(VTDPI_ADDRESS_(pid) % 64 == 0 && pid != VTDPI_NULL_);
    /*
     * Relaxed: unpublished. They are atomic nevertheless, since a wakeup
     * handler that still walks an older bitmap may load the control word of a
     * slot that is being reused; it must see one word or the other.
     */
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        vtdpi_atomic_store64_relaxed(&pid->pir[i], 0);
    for (unsigned int i = 0; i < 3; i++)
        vtdpi_atomic_store64_relaxed(&pid->reserved[i], 0);
    vtdpi_atomic_store64_relaxed(&pid->control, vtdpi_pid_control_encode(&c));
}

/**
 * @brief The control word at one moment.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return The word, for vtdpi_pid_control_decode(); stale at once, unless only
 *         the caller changes what it looks at.
 *
 * @anyctx @waitfree @order{SC load}
 */
VTDPI_INLINE uint64_t vtdpi_pid_snapshot(const struct vtdpi_pid *pid)
{
    return vtdpi_atomic_load64(&pid->control);
}

/**
 * @brief Record a vector in PIR; the first half of a post.
 *
 * @param pid     Descriptor. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 *
 * @return Whether the bit was set already (the posts merge into one).
 *
 * @post vtdpi_pid_notify() is due, by this CPU or another, unless somebody is
 *       known to harvest.
 *
 * @anyctx @waitfree @order{full barrier after PIR}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE bool vtdpi_pid_record(struct vtdpi_pid *pid, uint8_t vector)
{
    const uint64_t bit = VTDPI_BIT64(vector % 64);

    VTDPI_ASSERT(vector >= VTDPI_VECTOR_MIN);
    /*
     * Full barrier (the locked OR): the PIR bit is visible before
     * vtdpi_pid_notify() looks at control. Pairs with vtdpi_pid_harvest(),
     * which clears ON before it reads PIR, and with block and run of sched.h,
     * which clear SN before they read PIR. Otherwise each side can miss the
     * other: the poster sees ON or SN set and leaves, the consumer sees an
     * empty PIR, and the vector waits for the next notification.
     */
    return (vtdpi_atomic_or64(&pid->pir[vector / 64], bit) & bit) != 0;
}

/**
 * @brief Decide on the notification; the second half of a post.
 *
 * If ON is clear, and SN is clear or the post is @p urgent, sets ON and tells
 * the caller to send the notification. Otherwise changes nothing.
 *
 * @param pid     Descriptor. Not NULL.
 * @param urgent  Notify even when SN is set, as a unit does for an entry with
 *                URG.
 *
 * @return What happened. Result, NV and NDST come from one snapshot of the
 *         control word: the one in which ON was set, or the one that was left
 *         as it was.
 *
 * @pre The vector was recorded by vtdpi_pid_record() before.
 * @post If a notification is needed, nobody else sends one until ON is
 *       cleared: keep preemption off from this call until it is sent.
 *
 * @anyctx @lockfree @order{SC; no locked operation when ON is set}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE struct vtdpi_notification vtdpi_pid_notify(struct vtdpi_pid *pid,
                                                        bool urgent)
{
    struct vtdpi_notification n = {VTDPI_POST_NOTIFY, 0, 0};
    /*
     * SC load, behind the locked OR of vtdpi_pid_record(): ON = 1 read here
     * means that the consumer's clearing of ON, and so its read of PIR, is
     * still to come and will find the bit.
     */
    uint64_t old = vtdpi_atomic_load64(&pid->control);

    do {
        if ((old & VTDPI_PID_SN) != 0 && !urgent)
            n.result = VTDPI_POST_SUPPRESSED;
        else if ((old & VTDPI_PID_ON) != 0)
            n.result = VTDPI_POST_ALREADY;
        /* One snapshot per attempt: a second load could pair an old NV with a
         * new NDST, or write back an SN that was cleared in between. */
    } while (n.result == VTDPI_POST_NOTIFY &&
             !vtdpi_atomic_cas64(&pid->control, &old, old | VTDPI_PID_ON));

    n.nv = VTDPI_CAST_(uint8_t, VTDPI_FIELD_GET(old, VTDPI_PID_NV));
    n.ndst = VTDPI_CAST_(uint32_t, VTDPI_FIELD_GET(old, VTDPI_PID_NDST));
    return n;
}

/**
 * @brief Post a vector by software: vtdpi_pid_record(), vtdpi_pid_notify().
 *
 * @param pid     Descriptor. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 * @param urgent  As for vtdpi_pid_notify().
 *
 * @return What happened, as from vtdpi_pid_notify(). After VTDPI_POST_NOTIFY
 *         the caller sends, with preemption off until then.
 *
 * @anyctx @lockfree @order{SC; one locked operation when ON is set, else two}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE struct vtdpi_notification
vtdpi_pid_post(struct vtdpi_pid *pid, uint8_t vector, bool urgent)
{
    (void)vtdpi_pid_record(pid, vector);
    return vtdpi_pid_notify(pid, urgent);
}

/**
 * @brief Take everything out of PIR, and leave ON as it is.
 *
 * While ON is set nobody is notified of a post. So a caller that takes without clearing ON
 * looks again: vtdpi_pid_harvest() comes last.
 *
 * @param pid  Descriptor. Not NULL.
 * @param out  As for vtdpi_pid_harvest(). Not NULL.
 *
 * @return Whether any vector was taken.
 *
 * @anyctx @waitfree @order{SC; no locked operation when PIR is empty}
 */
VTDPI_INLINE bool vtdpi_pid_take(struct vtdpi_pid *pid,
                                 uint64_t out[VTDPI_PIR_WORDS])
{
    uint64_t any = 0;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        /* SC loads keep their place behind the clearing of ON, in harvest. Words
         * that read empty are not exchanged, so an idle line stays shared. */
        out[i] = vtdpi_atomic_load64(&pid->pir[i]);
        /* What counts is what the exchange returned: more may have come. */
        if (out[i] != 0)
            out[i] = vtdpi_atomic_xchg64(&pid->pir[i], 0);
        any |= out[i];
    }
    return any != 0;
}

/**
 * @brief Take everything out of PIR.
 *
 * Clears ON if it is set, then takes PIR, whatever ON said.
 *
 * @param pid  Descriptor. Not NULL.
 * @param out  Receives the vectors taken, bit v of the 256 for vector v; what
 *             was there before is overwritten. Not NULL.
 *
 * @return Whether any vector was taken. ON set with PIR empty is normal: a
 *         software poster is between its two steps.
 *
 * @post Every vector recorded before the call is in @p out or was taken by an
 *       earlier harvest; a later one finds ON clear and is notified.
 *
 * @anyctx @waitfree
 * @order{ON is cleared before PIR is read; no locked operation when ON is clear
 * and PIR empty}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE bool vtdpi_pid_harvest(struct vtdpi_pid *pid,
                                    uint64_t out[VTDPI_PIR_WORDS])
{
    /*
     * ON before PIR. Pairs with vtdpi_pid_record() and with the unit: a post
     * that this harvest misses comes after ON was cleared, so it sets ON
     * again and notifies. The other way round, a post between the two steps
     * would lose its doorbell and its vector would stay in PIR.
     *
     * The load may be old. If it misses an ON that is being set, that post's
     * notification is on its way, which is the same as a post after harvest.
     */
    if ((vtdpi_atomic_load64(&pid->control) & VTDPI_PID_ON) != 0)
        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);

    return vtdpi_pid_take(pid, out);
}

/**
 * @brief Highest vector in a 256-bit set.
 *
 * @param set  Four words, as vtdpi_pid_harvest() fills. Not NULL.
 *
 * @return 0 to 255, or -1 if the set is empty.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE int vtdpi_pir_highest(const uint64_t set[VTDPI_PIR_WORDS])
{
    for (int i = VTDPI_PIR_WORDS - 1; i >= 0; i--) {
        if (set[i] != 0)
            return i * 64 + 63 - __builtin_clzll(set[i]);
    }
    return -1;
}

/** Offset of the virtual IRR in a virtual-APIC page, in 32-bit words. */
#define VTDPI_VAPIC_IRR_WORD   (0x200 / 4)

/** Distance of two IRR words in a virtual-APIC page, in 32-bit words. */
#define VTDPI_VAPIC_IRR_STRIDE (0x10 / 4)

/**
 * @brief Harvest into the virtual IRR of a virtual-APIC page.
 *
 * @param pid    Descriptor. Not NULL.
 * @param vapic  The 4 KiB virtual-APIC page of the vCPU, 4-byte aligned at
 *               least. Not NULL.
 *
 * @return The highest vector set in that IRR afterwards, 0 if the IRR is empty;
 *         also when nothing was harvested. The host sets RVI to exactly this
 *         value.
 *
 * The host does not compare the result with the old RVI. The IRR holds each
 * vector that waits; an old RVI that is larger names a vector that left the
 * IRR, for example because the vCPU was reset. The guest would take that vector
 * although nobody posted it. A host that sets bits of the IRR itself sets them
 * before this call.
 *
 * @pre The vCPU is not in the guest.
 *
 * @anyctx @waitfree @order{as vtdpi_pid_harvest(); IRR by locked OR}
 * @spec{SDM, Virtual-Interrupt Delivery}
 */
VTDPI_INLINE uint8_t vtdpi_pid_merge(struct vtdpi_pid *pid, uint32_t *vapic)
{
    uint32_t *const irr = vapic + VTDPI_VAPIC_IRR_WORD;
    uint64_t taken[VTDPI_PIR_WORDS];

    if (vtdpi_pid_harvest(pid, taken)) {
        for (unsigned int i = 0; i < 8; i++) {
            const uint32_t bits =
                VTDPI_CAST_(uint32_t, taken[i / 2] >> (i % 2 * 32));

            /* Locked: the host's virtual APIC may be setting other bits. */
            if (bits != 0)
                (void)vtdpi_atomic_or32(&irr[i * VTDPI_VAPIC_IRR_STRIDE], bits);
        }
    }
    for (int i = 7; i >= 0; i--) {
        const uint32_t word =
            vtdpi_atomic_load32_acquire(&irr[i * VTDPI_VAPIC_IRR_STRIDE]);

        if (word != 0)
            return VTDPI_CAST_(uint8_t, i * 32 + 31 - __builtin_clz(word));
    }
    return 0;
}

/**
 * @brief Copy PIR and leave it as it is: for nested guests, for debuggers.
 *
 * @param pid  Descriptor. Not NULL.
 * @param out  Receives the vectors, as from vtdpi_pid_harvest(); what was there
 *             before is overwritten. Not NULL.
 *
 * @return Whether any vector is recorded. Each word is read at one moment, the
 *         four at four moments; all are stale at once.
 *
 * @post Nothing has changed: ON stays as it is, and the vectors are still to be
 *       harvested.
 *
 * @anyctx @waitfree @order{SC loads}
 */
VTDPI_INLINE bool vtdpi_pid_peek(const struct vtdpi_pid *pid,
                                 uint64_t out[VTDPI_PIR_WORDS])
{
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        out[i] = vtdpi_atomic_load64(&pid->pir[i]);
    return (out[0] | out[1] | out[2] | out[3]) != 0;
}

/**
 * @brief Whether one vector is recorded in PIR.
 *
 * @param pid     Descriptor. Not NULL.
 * @param vector  The vector, any.
 *
 * @return Its bit; stale at once.
 *
 * @anyctx @waitfree @order{SC load}
 */
VTDPI_INLINE bool vtdpi_pid_test(const struct vtdpi_pid *pid, uint8_t vector)
{
    return (vtdpi_atomic_load64(&pid->pir[vector / 64]) &
            VTDPI_BIT64(vector % 64)) != 0;
}

/**
 * @brief The highest vector that is recorded in PIR.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return 0 to 255, or -1 if PIR is empty, as vtdpi_pir_highest() of what
 *         vtdpi_pid_peek() reads; stale at once.
 *
 * @anyctx @waitfree @order{SC loads}
 */
VTDPI_INLINE int vtdpi_pid_highest(const struct vtdpi_pid *pid)
{
    uint64_t set[VTDPI_PIR_WORDS];

    (void)vtdpi_pid_peek(pid, set);
    return vtdpi_pir_highest(set);
}

/**
 * @brief Whether PIR holds anything.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return True if a word of PIR is not zero. False is stale at once unless a
 *         later post is known to notify.
 *
 * @anyctx @waitfree @order{SC loads}
 */
VTDPI_INLINE bool vtdpi_pid_pir_pending(const struct vtdpi_pid *pid)
{
    uint64_t any = 0;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        any |= vtdpi_atomic_load64(&pid->pir[i]);
    return any != 0;
}

/**
 * @brief Whether there is something to harvest: ON, or PIR not empty.
 *
 * For halt polling and schedulers. May be true with nothing to harvest (a
 * software poster is between its two steps).
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return See above.
 *
 * @anyctx @waitfree @order{SC loads}
 */
VTDPI_INLINE bool vtdpi_pid_pending(const struct vtdpi_pid *pid)
{
    return (vtdpi_pid_snapshot(pid) & VTDPI_PID_ON) != 0 ||
           vtdpi_pid_pir_pending(pid);
}

/**
 * @brief Harvest and drop, for a vCPU that is reset or restored.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @pre Called BEFORE the new APIC state is loaded: what is posted while it is
 *      being loaded belongs to the new state.
 *
 * @anyctx @waitfree @order{as vtdpi_pid_harvest()}
 */
VTDPI_INLINE void vtdpi_pid_discard(struct vtdpi_pid *pid)
{
    uint64_t dropped[VTDPI_PIR_WORDS];

    (void)vtdpi_pid_harvest(pid, dropped);
}

/**
 * @brief Replace fields of the control word in one compare-and-swap.
 *
 * The one writer's tool: sched.h uses it for all transitions. Bits outside
 * @p mask, above all ON, keep what others give them concurrently.
 *
 * @param pid    Descriptor. Not NULL.
 * @param mask   Bits to replace; a union of VTDPI_PID_SN, _NV and _NDST.
 * @param value  Their new values; no bit outside @p mask.
 *
 * @return The word before. If the bits had these values already nothing was
 *         written, and no barrier was executed.
 *
 * @anyctx @lockfree @order{SC when it writes}
 */
VTDPI_INLINE uint64_t vtdpi_pid_replace(struct vtdpi_pid *pid, uint64_t mask,
                                        uint64_t value)
{
    /* Relaxed: the compare-and-swap checks it. Where nothing is to be
     * written, the bits are the owner's, and the owner reads what it wrote
     * last, also after it moved to another CPU (its scheduler orders that);
     * ON is not looked at. */
    uint64_t old = vtdpi_atomic_load64_relaxed(&pid->control);

    VTDPI_ASSERT((value & ~mask) == 0);
    do {
        if ((old & mask) == value)
            return old;
    } while (!vtdpi_atomic_cas64(&pid->control, &old, (old & ~mask) | value));
    return old;
}

/**
 * @brief Retarget notifications to another processor: NV and NDST in one step.
 *
 * For those who port existing code; sched.h does not need it.
 *
 * @param pid   Descriptor in use. Not NULL.
 * @param nv    New notification vector.
 * @param ndst  New destination, as from vtdpi_ndst_from_apic_id().
 *
 * @post A post that begins after return uses the new NV and NDST. ON and SN
 *       keep whatever others give them concurrently.
 *
 * @anyctx @lockfree @order{SC when it writes}
 * @spec{VT-d, Posted Interrupt Descriptor}
 */
VTDPI_INLINE void vtdpi_pid_retarget(struct vtdpi_pid *pid, uint8_t nv,
                                     uint32_t ndst)
{
    (void)vtdpi_pid_replace(pid, VTDPI_PID_NV | VTDPI_PID_NDST,
                            VTDPI_FIELD_PUT(nv, VTDPI_PID_NV) |
                                VTDPI_FIELD_PUT(ndst, VTDPI_PID_NDST));
}

/**
 * @brief Set ON.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return The old ON. If false the caller owes the notification.
 *
 * @anyctx @waitfree @order{SC}
 */
VTDPI_INLINE bool vtdpi_pid_test_and_set_on(struct vtdpi_pid *pid)
{
    return (vtdpi_atomic_or64(&pid->control, VTDPI_PID_ON) & VTDPI_PID_ON) != 0;
}

/**
 * @brief Clear ON.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return The old ON.
 *
 * @post PIR is to be read after this, whatever was returned.
 *
 * @anyctx @waitfree @order{SC}
 */
VTDPI_INLINE bool vtdpi_pid_test_and_clear_on(struct vtdpi_pid *pid)
{
    return (vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON) & VTDPI_PID_ON) !=
           0;
}

/**
 * @brief Set SN: posts are recorded, none is notified unless urgent.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return The old SN.
 *
 * @anyctx @waitfree @order{SC}
 */
VTDPI_INLINE bool vtdpi_pid_test_and_set_sn(struct vtdpi_pid *pid)
{
    return (vtdpi_atomic_or64(&pid->control, VTDPI_PID_SN) & VTDPI_PID_SN) != 0;
}

/**
 * @brief Clear SN.
 *
 * @param pid  Descriptor. Not NULL.
 *
 * @return The old SN.
 *
 * @post PIR is to be read after this: what was posted while SN was set has set
 *       no ON and nobody will notify it.
 *
 * @anyctx @waitfree @order{SC}
 */
VTDPI_INLINE bool vtdpi_pid_test_and_clear_sn(struct vtdpi_pid *pid)
{
    return (vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_SN) & VTDPI_PID_SN) !=
           0;
}

VTDPI_END_DECLS

#endif
