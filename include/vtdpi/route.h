/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_ROUTE_H
#define VTDPI_ROUTE_H

/**
 * @file
 * @brief Where a guest's interrupt goes: post it to one vCPU, leave it in
 *        remapped form, or refuse it, and why.
 *
 * Pure: a decision follows from the guest's message and the state of the
 * guest's local APICs, and changes nothing. Three steps, each of use alone:
 *
 *     message --vtdpi_route_decode()--> parts
 *     parts + APICs --vtdpi_route_walk_next()--> who takes it
 *     who takes it --vtdpi_route_decide()--> POST, REMAP or REJECT
 *
 * The walk serves software delivery, too, so that an emulated device and a
 * posted one reach the same vCPU with the same message.
 *
 * **Who matches.** The SDM has the rules for destinations. Where the SDM leaves
 * room, or where a narrow destination meets a wide APIC, these rules hold here:
 *
 * - All ones is the broadcast, to every APIC in any mode; except a logical
 *   destination to an APIC in xAPIC flat mode, see there. In the 8-bit form
 *   all ones is FFh: vtdpi_route_decode() widens it to FFFFFFFFh. (KVM does
 *   so, too, unless its user disables that quirk; Xen takes FFh for a
 *   broadcast in physical mode only, and only to an APIC in xAPIC mode.)
 * - In the wider forms FFh is all ones for an APIC in xAPIC mode only; one in
 *   x2APIC mode reads it as id 255, or as members 0 to 7 of cluster 0.
 * - Physical: the destination is the id, all 32 bits. A destination above FFh
 *   never matches an xAPIC id by its low byte, as it may on a processor: that
 *   would hit a vCPU nobody meant. (KVM and Xen: the same.)
 * - Logical, xAPIC: a destination above FFh matches none unless it is all ones.
 *   Flat: some bit is set in both destination and LDR 31:24. So all ones
 *   reaches every APIC whose LDR is not 0, and is a set like any other. (Xen:
 *   the same; KVM also reaches APICs whose LDR is 0.) Cluster: bits 7:4 are equal
 *   and some bit of 3:0 is set in both. Cluster 15 is not special, unless the
 *   members are 15 as well, which is the broadcast.
 * - Logical, x2APIC: bits 31:16 are the cluster, bits 15:0 the members. The LDR
 *   follows from the id (cluster = id 19:4, member = id 3:0), as on a processor;
 *   or the host gives the LDR (ldr_given of struct vtdpi_guest_apic).
 * - APICs in different modes are asked each by the rules of its own mode.
 * - Two APICs with one id both match.
 *
 * **Who takes it.** A disabled APIC (IA32_APIC_BASE.EN = 0) takes nothing. A
 * software-disabled one (SVR bit 8 clear) takes SMI, NMI and INIT only. A
 * message is *arbitrated* if its delivery mode is lowest priority, or if it
 * has the redirection hint and a logical destination. Of all vCPUs that could take
 * an arbitrated message, one takes it: vtdpi_route_hash() chooses among them in
 * ascending order of APIC id, equal ids by vCPU number. The priorities of the APICs do
 * not count: chipsets stopped comparing priorities long ago, and a unit that posts
 * cannot compare them. No vCPU takes a level-triggered message that deasserts.
 *
 * **Broadcast.** A message is a broadcast if one of those that take it reads
 * its destination as the broadcast. To several vCPUs it is never posted,
 * arbitrated or not: the SDM forbids the redirection hint with all ones in
 * physical mode and in the cluster model. All ones in the flat model is posted
 * like any other set.
 *
 * docs/routing.md is the guide to "why is this interrupt not posted".
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/irte.h"
#include "vtdpi/msi.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Destination that every APIC takes for its own. */
#define VTDPI_DEST_ALL          UINT32_MAX

/** Most vCPUs that a map can hold. */
#define VTDPI_ROUTE_MAP_MAX     32768

/** Words of sorted keys that a map of @p n vCPUs needs. */
#define VTDPI_ROUTE_MAP_KEYS(n) (2 * VTDPI_CAST_(size_t, n))

/** Bytes of all memory of a map of @p n vCPUs: 32 for each. */
#define VTDPI_ROUTE_MAP_BYTES(n)                                \
    (VTDPI_CAST_(size_t, n) * sizeof(struct vtdpi_guest_apic) + \
     VTDPI_ROUTE_MAP_KEYS(n) * sizeof(uint64_t))

/** @brief How a guest's local APIC reads destinations. */
enum vtdpi_guest_apic_mode {
    /** Not there: no such vCPU, or IA32_APIC_BASE.EN = 0. */
    VTDPI_GUEST_APIC_DISABLED = 0,
    VTDPI_GUEST_XAPIC_FLAT = 1,    /**< xAPIC mode, DFR bits 31:28 all ones. */
    VTDPI_GUEST_XAPIC_CLUSTER = 2, /**< xAPIC mode, DFR bits 31:28 zero. */
    VTDPI_GUEST_X2APIC = 3,        /**< x2APIC mode. */
};

/**
 * @brief What routing needs to know of one vCPU.
 *
 * All zero: not there.
 */
struct vtdpi_guest_apic {
    /** APIC id, decoded: bits 31:24 of an xAPIC's register, all of an
     *  x2APIC's. A vCPU in xAPIC mode may have an id above 254 that it will
     *  show in x2APIC mode; wide destinations reach it then, as in KVM. */
    uint32_t id;
    uint32_t ldr; /**< LDR as the register holds it. xAPIC mode: bits 31:24
                       count. x2APIC mode: all bits count if @p ldr_given is set,
                       else none. */
    enum vtdpi_guest_apic_mode mode; /**< How it reads destinations. */
    bool enabled;                    /**< SVR bit 8. */
    bool attached; /**< Can be posted to: has a PID (vtdpi_vcpu_attach()). Does
                        not change who an interrupt is for. */
    /** x2APIC mode: the guest reads @p ldr, and not what follows from @p id. For
     *  guests that were migrated from a hypervisor that numbered otherwise. Xen
     *  once derived LDRs from vCPU numbers while ids were twice these. */
    bool ldr_given;
};

VTDPI_STATIC_ASSERT(sizeof(struct vtdpi_guest_apic) == 16,
                    "VTDPI_ROUTE_MAP_BYTES() says 32 bytes for each vCPU");

/** @brief What to do with an interrupt. */
enum vtdpi_route_kind {
    VTDPI_ROUTE_REMAP = 0,  /**< Keep it in remapped form: the host takes it
                                 and delivers it by software. */
    VTDPI_ROUTE_POST = 1,   /**< Post it to one vCPU. */
    VTDPI_ROUTE_REJECT = 2, /**< Not an interrupt message: nothing to deliver
                                 either. */
};

/**
 * @brief Why a decision is what it is.
 *
 * If several reasons hold, the decision has the first one of this list. So a reason
 * also says that no reason above it holds. Reasons of the message come first, then
 * reasons of its destination, then of the vCPU, then of the VM.
 */
enum vtdpi_route_reason {
    VTDPI_ROUTE_POSTABLE = 0, /**< Nothing stands in the way: POST. */

    /* REJECT: the message is malformed. */

    VTDPI_ROUTE_ADDRESS = 1,  /**< VTDPI_EMSI_ADDRESS: not an interrupt. */
    VTDPI_ROUTE_FORMAT = 2,   /**< VTDPI_EMSI_FORMAT: remappable format; the
                                   guest's own remapping comes first. */
    VTDPI_ROUTE_RESERVED = 3, /**< VTDPI_EMSI_RESERVED: reserved bits. */

    /* REMAP: the message cannot be posted to anyone. */

    VTDPI_ROUTE_SMI = 4,          /**< Delivery mode SMI. */
    VTDPI_ROUTE_NMI = 5,          /**< Delivery mode NMI. */
    VTDPI_ROUTE_INIT = 6,         /**< Delivery mode INIT. */
    VTDPI_ROUTE_EXTINT = 7,       /**< Delivery mode ExtINT. */
    VTDPI_ROUTE_RESERVED_DLM = 8, /**< Reserved delivery mode, 3 or 6. */
    VTDPI_ROUTE_LEVEL = 9,        /**< Level-triggered: its EOI matters. */
    VTDPI_ROUTE_VECTOR = 10,      /**< Vector below 16, or below vector_min. */

    /* REMAP: not one destination. */

    VTDPI_ROUTE_NO_MATCH = 11,  /**< No APIC has that destination. */
    VTDPI_ROUTE_DISABLED = 12,  /**< Those that have are software-disabled. */
    VTDPI_ROUTE_BROADCAST = 13, /**< Broadcast, and several take it. All ones
                                     in the flat model is none. */
    VTDPI_ROUTE_SEVERAL = 14,   /**< Several take it. */

    /* REMAP: it has one destination, and only this prevents posting. */

    VTDPI_ROUTE_DETACHED = 15,    /**< The vCPU has no PID. */
    VTDPI_ROUTE_POSTING_OFF = 16, /**< Posting is off for the VM. */

    /* REMAP: given by bind.h only. */

    VTDPI_ROUTE_NO_POSTING = 17,  /**< The interrupt's table cannot post:
                                       VTDPI_ENOPI. */
    VTDPI_ROUTE_UNREACHABLE = 18, /**< The PID is above the table's host
                                       address width. */
    VTDPI_ROUTE_NO_MESSAGE = 19,  /**< The guest has programmed none, or has
                                       disabled MSI. */
};

/** Number of reasons, for an array of counters. */
#define VTDPI_ROUTE_REASONS 20

/** @brief A decision. */
struct vtdpi_route_decision {
    enum vtdpi_route_kind kind;     /**< What to do. */
    enum vtdpi_route_reason reason; /**< Why. */
    uint32_t vcpu;  /**< POST, DETACHED, POSTING_OFF, NO_POSTING, UNREACHABLE:
                         the one vCPU that takes it. Else 0. */
    uint8_t vector; /**< Guest vector of the message; REJECT: 0. */
};

/** @brief What a decision depends on besides the message and the APICs. All
 *         zero: 8-bit destinations, nothing is posted. */
struct vtdpi_route_options {
    enum vtdpi_compat_dest form; /**< Where this guest was told to put the
                                      destination. */
    bool posting;                /**< Posting is on for this VM. */
    /** Vectors below are not posted (VTDPI_ROUTE_VECTOR). Below 16 it counts as 16,
     *  so 0 is the default. A trust domain takes 31 and above. */
    uint8_t vector_min;
};

/** @brief A vCPU that a message is for. */
struct vtdpi_route_candidate {
    uint32_t vcpu;                   /**< Its number. */
    enum vtdpi_guest_apic_mode mode; /**< As in struct vtdpi_guest_apic. */
    bool enabled;                    /**< The same. */
    bool attached;                   /**< The same. */
};

/** @brief Where a walk is. For implementations of vtdpi_apic_set_ops.next. */
struct vtdpi_route_cursor {
    uint32_t word[4]; /**< Zero when a walk begins; then the set's own. */
};

/**
 * @brief How routing asks for the APICs of a guest.
 *
 * vtdpi_route_map_apics() implements it with an index. A host that has its own
 * may implement it instead.
 */
struct vtdpi_apic_set_ops {
    /**
     * Find the next vCPU for which vtdpi_guest_apic_matches() would be true,
     * in ascending order of APIC id, equal ids in ascending order of vCPU
     * number. Enabled or not, attached or not.
     *
     * @p cursor is zero for the first one, and is then as the last call left
     * it. Returns false, with @p out unspecified, when there is none left;
     * after that it is called only to begin anew, with @p cursor zero. Called
     * from the walk and decide functions in their callers' context, with
     * nothing of the library held; must not fail. The set must not change
     * between the calls of one walk.
     */
    bool (*next)(void *ctx, const struct vtdpi_compat_msi *msg,
                 struct vtdpi_route_cursor *cursor,
                 struct vtdpi_route_candidate *out);
};

/** @brief The local APICs of one guest. Small: passed around by value. */
struct vtdpi_apic_set {
    const struct vtdpi_apic_set_ops *ops; /**< The call. */
    void *ctx;                            /**< Its first argument. */
};

/** @brief A walk over those who take one message. */
struct vtdpi_route_walk {
    /* private: */
    struct vtdpi_apic_set set;
    struct vtdpi_compat_msi msg;
    struct vtdpi_route_cursor cursor;
    uint32_t left;
    bool disabled;
};

/**
 * @brief An index over a guest's APICs: who has a destination is found without
 *        looking at all vCPUs.
 *
 * Every APIC has a key under its id and, if it has a logical destination, one
 * under its cluster (xAPIC flat is a cluster by itself); all keys are in one
 * sorted array. So a look-up is a binary search, or not even that if ids are
 * the numbers 0 to n - 1, and an update moves at most 2 n words. A guest that
 * chooses ids and LDRs cannot make a look-up worse: there is nothing to
 * collide. What a message costs beyond the search is a step for each APIC of
 * its clusters; for a broadcast, a step for each APIC.
 *
 * 32 bytes for each vCPU (VTDPI_ROUTE_MAP_BYTES()), all given by the caller.
 *
 * Look-ups do not change the map, and may run concurrently. Updates exclude
 * look-ups and each other: that lock is the host's, who has one already where
 * APIC registers are written. A map and its memory do not move while in use.
 */
struct vtdpi_route_map {
    /* private: */
    struct vtdpi_guest_apic *apics;
    uint64_t *keys;
    uint32_t count;
    uint32_t present;
    uint32_t xapics;
    uint32_t used;
};

/**
 * @brief A guest's APIC as its registers describe it.
 *
 * @param apic_base  IA32_APIC_BASE.
 * @param id         APIC id, decoded (struct vtdpi_guest_apic).
 * @param ldr        LDR. In x2APIC mode the LDR follows from @p id; a caller that
 *                   wants @p ldr to count sets ldr_given in the result.
 * @param dfr        DFR. Not looked at in x2APIC mode. With a model that the
 *                   SDM does not define the result matches no logical
 *                   destination (Xen: the same).
 * @param svr        Spurious-interrupt vector register.
 *
 * @return The state, not attached.
 *
 * @anyctx @waitfree
 * @spec{SDM, Local APIC}
 */
VTDPI_API VTDPI_COLD struct vtdpi_guest_apic
vtdpi_guest_apic_from_registers(uint64_t apic_base, uint32_t id, uint32_t ldr,
                                uint32_t dfr, uint32_t svr);

/**
 * @brief Whether a message has an APIC among its destinations.
 *
 * By the rules at the top of this file. Looks at id, ldr, ldr_given and mode only;
 * whether the APIC takes the message is the walk's question.
 *
 * @param apic  The APIC. Not NULL.
 * @param msg   The message, as from vtdpi_route_decode(). Not NULL. Only dest
 *              and dm count.
 *
 * @return Whether it has.
 *
 * @anyctx @waitfree
 * @spec{SDM, Determining IPI Destination}
 */
VTDPI_API bool vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                        const struct vtdpi_compat_msi *msg);

/**
 * @brief The LDR of an APIC in x2APIC mode.
 *
 * @param apic  The APIC. Not NULL. Its mode is not looked at.
 *
 * @return The LDR as given if ldr_given is set, else what follows from the id: the
 *         cluster (id 19:4) in bits 31:16, and bit (id 3:0).
 *
 * @anyctx @waitfree
 * @spec{SDM, Deriving Logical x2APIC ID from the Local x2APIC ID}
 */
VTDPI_INLINE uint32_t
vtdpi_guest_x2apic_ldr(const struct vtdpi_guest_apic *apic)
{
    if (apic->ldr_given)
        return apic->ldr;
    return (apic->id >> 4 & 0xffff) << 16 | UINT32_C(1) << (apic->id & 0xf);
}

/**
 * @brief Which of several candidates takes an arbitrated interrupt.
 *
 * The only place that says so, for posting and for software delivery. KVM, and
 * Xen for posting, have the same formula over candidates of their own
 * (docs/routing.md).
 *
 * @param vector  Vector of the message.
 * @param count   Candidates, in ascending order of APIC id. Not 0.
 *
 * @return Index of the one, below @p count.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_route_hash(uint8_t vector, uint32_t count)
{
    return vector % count;
}

/**
 * @brief Whether a message goes to one of its destinations instead of to all.
 *
 * @param msg  The message. Not NULL.
 *
 * @return Whether its delivery mode is lowest priority, or it has the
 *         redirection hint and a logical destination.
 *
 * @anyctx @waitfree
 * @spec{SDM, Message Signalled Interrupts}
 */
VTDPI_INLINE bool vtdpi_route_is_arbitrated(const struct vtdpi_compat_msi *msg)
{
    return msg->dlm == VTDPI_DLM_LOWEST || (msg->rh && msg->dm);
}

/**
 * @brief Whether a message can be posted in a VM: fixed or lowest priority,
 *        edge-triggered, vector 16 or above and not below the VM's least.
 *
 * The only place that says so, for posting and for software delivery.
 *
 * @param msg      The message. Not NULL. The destination does not count.
 * @param options  See there; form and posting are not looked at. Not NULL.
 *
 * @return Whether it can.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Posting}
 */
VTDPI_API bool
vtdpi_route_is_postable(const struct vtdpi_compat_msi *msg,
                        const struct vtdpi_route_options *options);

/**
 * @brief Take a guest's message apart, for the functions below.
 *
 * As vtdpi_compat_msi_decode(), and in the 8-bit form the destination FFh
 * becomes VTDPI_DEST_ALL: from here on no form matters.
 *
 * @param msi   The message as the guest programmed it.
 * @param form  Where this guest was told to put the destination.
 * @param out   Receives the parts. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                    Decoded.
 * @retval VTDPI_EINVAL         An argument is NULL, or @p form is unknown.
 * @retval VTDPI_EMSI_ADDRESS   Not an interrupt address.
 * @retval VTDPI_EMSI_FORMAT    Remappable format.
 * @retval VTDPI_EMSI_RESERVED  Reserved bits are not zero.
 *
 * @spec{SDM, Message Signalled Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_route_decode(const struct vtdpi_msi *msi,
                                                  enum vtdpi_compat_dest form,
                                                  struct vtdpi_compat_msi *out);

/**
 * @brief Begin a walk over the vCPUs that take a message.
 *
 * What they are to be given follows from the message: delivery mode, vector,
 * trigger. A vector below 16 is not an interrupt: an APIC that takes such a
 * fixed or lowest-priority message records a receive-illegal-vector error and
 * nothing else. Reserved delivery modes are taken by nobody.
 *
 * @param walk  The walk. Not NULL.
 * @param set   The guest's APICs. Must not change during the walk. Not NULL.
 * @param msg   The message, as from vtdpi_route_decode(). Not NULL.
 *
 * @anyctx
 * @spec{SDM, Lowest Priority Delivery Mode}
 */
VTDPI_API void vtdpi_route_walk_begin(struct vtdpi_route_walk *walk,
                                      const struct vtdpi_apic_set *set,
                                      const struct vtdpi_compat_msi *msg);

/**
 * @brief The next vCPU that takes the message, in ascending order of APIC id.
 *
 * One in all for an arbitrated message.
 *
 * @param walk  A walk that has begun. Not NULL.
 * @param out   Receives the vCPU. Unspecified after false. Not NULL.
 *
 * @return False if there is none left.
 *
 * @anyctx
 */
VTDPI_API bool vtdpi_route_walk_next(struct vtdpi_route_walk *walk,
                                     struct vtdpi_route_candidate *out);

/**
 * @brief Decide what to do with a guest's interrupt.
 *
 * @param set      The guest's APICs. Not NULL.
 * @param msi      The message as the guest programmed it. Not NULL.
 * @param options  See there. Not NULL; form is known.
 *
 * @return The decision. Valid until the message, the options, or an APIC that
 *         vtdpi_route_affects() it changes.
 *
 * @anyctx
 * @spec{VT-d, Interrupt Posting}
 */
VTDPI_API struct vtdpi_route_decision
vtdpi_route_decide(const struct vtdpi_apic_set *set,
                   const struct vtdpi_msi *msi,
                   const struct vtdpi_route_options *options);

/**
 * @brief As vtdpi_route_decide(), for a message that is taken apart.
 *
 * Never REJECT.
 *
 * @param set      The guest's APICs. Not NULL.
 * @param msg      The message, as from vtdpi_route_decode(). Not NULL.
 * @param options  See there; form is not looked at. Not NULL.
 *
 * @return The decision.
 *
 * @anyctx
 * @spec{VT-d, Interrupt Posting}
 */
VTDPI_API struct vtdpi_route_decision
vtdpi_route_decide_decoded(const struct vtdpi_apic_set *set,
                           const struct vtdpi_compat_msi *msg,
                           const struct vtdpi_route_options *options);

/**
 * @brief Whether the change of one APIC can change where a message goes.
 *
 * It cannot if the message is not for that APIC, neither before nor after, or
 * if all that the decision looks at is the same.
 *
 * @param before  The APIC as it was. Not NULL.
 * @param after   The APIC as it is. Not NULL.
 * @param msg     The message, as from vtdpi_route_decode(). Not NULL.
 *
 * @return False only if every decision is the same before and after, and every
 *         walk names the same vCPUs in the same order, enabled and attached as
 *         before.
 *
 * @anyctx @waitfree
 */
VTDPI_API bool vtdpi_route_affects(const struct vtdpi_guest_apic *before,
                                   const struct vtdpi_guest_apic *after,
                                   const struct vtdpi_compat_msi *msg);

/**
 * @brief Text of a reason.
 *
 * @param reason  A reason.
 *
 * @return A phrase without a full stop; never NULL. "unknown reason" for a
 *         value that is not one.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD const char *
vtdpi_route_reason_text(enum vtdpi_route_reason reason);

/**
 * @brief Initialise a map: no APIC is there.
 *
 * @param map    The map. Not NULL.
 * @param apics  @p count elements, as long as the map is used. Need not be
 *               initialised.
 * @param keys   VTDPI_ROUTE_MAP_KEYS(@p count) words, the same.
 * @param count  vCPU numbers are 0 to @p count - 1.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL, or @p count is 0 or above
 *                       VTDPI_ROUTE_MAP_MAX. Nothing has changed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_route_map_init(struct vtdpi_route_map *map,
                     struct vtdpi_guest_apic *apics, uint64_t *keys,
                     uint32_t count);

/**
 * @brief Record the state of one vCPU's APIC.
 *
 * At the guest's change of its APIC id, LDR, DFR, SVR or mode, at reset, when
 * the vCPU is attached or detached, plugged or unplugged (all zero).
 *
 * @param map   The map. Not NULL.
 * @param vcpu  The vCPU's number.
 * @param apic  Its state from now on. Not NULL.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL, @p vcpu is not in the map, or the
 *                       mode is unknown. Nothing has changed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_route_map_update(struct vtdpi_route_map *map, uint32_t vcpu,
                       const struct vtdpi_guest_apic *apic);

/**
 * @brief The state of a vCPU's APIC as last recorded.
 *
 * @param map   The map. Not NULL.
 * @param vcpu  The vCPU's number, below the map's count.
 *
 * @return The state.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_guest_apic
vtdpi_route_map_apic(const struct vtdpi_route_map *map, uint32_t vcpu)
{
    return map->apics[vcpu];
}

/**
 * @brief A map as the set of APICs that routing asks.
 *
 * @param map  An initialised map, which stays as long as the result is used.
 *             Not NULL.
 *
 * @return The set.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD struct vtdpi_apic_set
vtdpi_route_map_apics(struct vtdpi_route_map *map);

VTDPI_END_DECLS

#endif
