/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom a guest's message is for: one APIC against one message, then a walk over
 * a guest's APICs, then the decision whether the message can be posted, and why
 * not. A walk asks the set for those that match; arbitration (lowest priority,
 * redirection hint) counts them first and stops at the one that the hash
 * chooses. Read the top of vtdpi/route.h first; route_map.c has the set that
 * the library offers.
 */
#include "vtdpi/route.h"

#include "vtdpi/pid.h"

/* IA32_APIC_BASE, DFR and SVR. */
#define GUEST_APIC_EXTD (UINT64_C(1) << 10)
#define GUEST_APIC_EN   (UINT64_C(1) << 11)
#define DFR_CLUSTER     0x0
#define DFR_FLAT        0xf
#define SVR_ENABLE      (UINT32_C(1) << 8)

/* All ones to an APIC that has 8-bit destinations. */
#define XAPIC_ALL       0xff

static VTDPI_COLD enum vtdpi_guest_apic_mode apic_mode_of(uint64_t apic_base,
                                                          uint32_t dfr)
{
    if ((apic_base & GUEST_APIC_EN) == 0)
        return VTDPI_GUEST_APIC_DISABLED;
    if ((apic_base & GUEST_APIC_EXTD) != 0)
        return VTDPI_GUEST_X2APIC;
    return dfr >> 28 == DFR_CLUSTER ? VTDPI_GUEST_XAPIC_CLUSTER
                                    : VTDPI_GUEST_XAPIC_FLAT;
}

struct vtdpi_guest_apic
vtdpi_guest_apic_from_registers(uint64_t apic_base, uint32_t id, uint32_t ldr,
                                uint32_t dfr, uint32_t svr)
{
    struct vtdpi_guest_apic apic = {0};

    apic.id = id;
    apic.ldr = ldr;
    apic.mode = apic_mode_of(apic_base, dfr);
    apic.enabled = (svr & SVR_ENABLE) != 0;
    /* In flat mode without an LDR no logical destination is left. */
    if (apic.mode == VTDPI_GUEST_XAPIC_FLAT && dfr >> 28 != DFR_FLAT)
        apic.ldr = 0;
    return apic;
}

static bool x2apic_matches(const struct vtdpi_guest_apic *apic, uint32_t dest,
                           bool logical)
{
    const uint32_t ldr = vtdpi_guest_x2apic_ldr(apic);

    if (!logical)
        return apic->id == dest;
    return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff) != 0;
}

static bool xapic_matches(const struct vtdpi_guest_apic *apic, uint32_t dest,
                          bool logical)
{
    const uint32_t ldr = apic->ldr >> 24;

    if (!logical)
        return dest == apic->id;
    if (dest > XAPIC_ALL && dest != VTDPI_DEST_ALL)
        return false;
    if (apic->mode == VTDPI_GUEST_XAPIC_FLAT)
        return (dest & ldr) != 0;
    return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf) != 0;
}

/* Whether an APIC in @p mode reads the destination as the broadcast. In the
 * flat model all ones are a set like any other. */
static bool dest_is_broadcast(enum vtdpi_guest_apic_mode mode,
                              const struct vtdpi_compat_msi *msg)
{
    if (mode == VTDPI_GUEST_XAPIC_FLAT && msg->dm)
        return false;
    return msg->dest == VTDPI_DEST_ALL ||
           (msg->dest == XAPIC_ALL && mode != VTDPI_GUEST_X2APIC);
}

bool vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                              const struct vtdpi_compat_msi *msg)
{
    if (apic->mode == VTDPI_GUEST_APIC_DISABLED)
        return false;
    if (dest_is_broadcast(apic->mode, msg))
        return true;
    return apic->mode == VTDPI_GUEST_X2APIC
               ? x2apic_matches(apic, msg->dest, msg->dm)
               : xapic_matches(apic, msg->dest, msg->dm);
}

int vtdpi_route_decode(const struct vtdpi_msi *msi, enum vtdpi_compat_dest form,
                       struct vtdpi_compat_msi *out)
{
    const int rc = vtdpi_compat_msi_decode(msi, form, out);

    if (rc == 0 && form == VTDPI_COMPAT_DEST_8 && out->dest == XAPIC_ALL)
        out->dest = VTDPI_DEST_ALL;
    return rc;
}

/* The next one that takes the message, were it not arbitrated. */
static VTDPI_NOINLINE bool walk_next_taker(struct vtdpi_route_walk *walk,
                                           struct vtdpi_route_candidate *out)
{
    const enum vtdpi_dlm dlm = walk->msg.dlm;
    const bool always =
        dlm == VTDPI_DLM_SMI || dlm == VTDPI_DLM_NMI || dlm == VTDPI_DLM_INIT;

    while (walk->set.ops->next(walk->set.ctx, &walk->msg, &walk->cursor, out)) {
        if (out->enabled || always)
            return true;
        walk->disabled = true;
    }
    return false;
}

static void walk_rewind(struct vtdpi_route_walk *walk)
{
    walk->cursor = (struct vtdpi_route_cursor){{0}};
}

/* Leave the walk where its next step finds the one that the hash chose. */
static void walk_arbitrate(struct vtdpi_route_walk *walk)
{
    struct vtdpi_route_candidate skipped;
    uint32_t count = 0;

    while (walk_next_taker(walk, &skipped))
        count++;
    walk->left = 0;
    if (count == 0)
        return;
    walk->left = 1;
    walk_rewind(walk);
    for (uint32_t i = vtdpi_route_hash(walk->msg.vector, count); i > 0; i--)
        (void)walk_next_taker(walk, &skipped);
}

static bool dlm_is_reserved(enum vtdpi_dlm dlm)
{
    return (unsigned int)dlm == 3 || (unsigned int)dlm == 6;
}

void vtdpi_route_walk_begin(struct vtdpi_route_walk *walk,
                            const struct vtdpi_apic_set *set,
                            const struct vtdpi_compat_msi *msg)
{
    walk->set = *set;
    walk->msg = *msg;
    walk->left = UINT32_MAX;
    walk->disabled = false;
    walk_rewind(walk);
    if (dlm_is_reserved(msg->dlm) || (msg->level && !msg->assert_level))
        walk->left = 0;
    else if (vtdpi_route_is_arbitrated(msg))
        walk_arbitrate(walk);
}

bool vtdpi_route_walk_next(struct vtdpi_route_walk *walk,
                           struct vtdpi_route_candidate *out)
{
    if (walk->left == 0)
        return false;
    walk->left--;
    if (walk_next_taker(walk, out))
        return true;
    walk->left = 0;
    return false;
}

/* What of the message alone rules posting out. */
static enum vtdpi_route_reason
message_judge(const struct vtdpi_compat_msi *msg,
              const struct vtdpi_route_options *options)
{
    switch (msg->dlm) {
    case VTDPI_DLM_FIXED:
    case VTDPI_DLM_LOWEST:
        break;
    case VTDPI_DLM_SMI:
        return VTDPI_ROUTE_SMI;
    case VTDPI_DLM_NMI:
        return VTDPI_ROUTE_NMI;
    case VTDPI_DLM_INIT:
        return VTDPI_ROUTE_INIT;
    case VTDPI_DLM_EXTINT:
        return VTDPI_ROUTE_EXTINT;
    default:
        return VTDPI_ROUTE_RESERVED_DLM;
    }
    if (msg->level)
        return VTDPI_ROUTE_LEVEL;
    if (msg->vector < VTDPI_VECTOR_MIN || msg->vector < options->vector_min)
        return VTDPI_ROUTE_VECTOR;
    return VTDPI_ROUTE_POSTABLE;
}

bool vtdpi_route_is_postable(const struct vtdpi_compat_msi *msg,
                             const struct vtdpi_route_options *options)
{
    return message_judge(msg, options) == VTDPI_ROUTE_POSTABLE;
}

/* Whether any APIC that takes the message reads its destination as the broadcast.
 * @p all is the message without arbitration, so that the walk comes to all of them. */
static bool dest_is_broadcast_to_any(const struct vtdpi_apic_set *set,
                                     const struct vtdpi_compat_msi *all)
{
    struct vtdpi_route_candidate c;
    struct vtdpi_route_walk walk;

    if (all->dest != VTDPI_DEST_ALL && all->dest != XAPIC_ALL)
        return false;
    vtdpi_route_walk_begin(&walk, set, all);
    while (vtdpi_route_walk_next(&walk, &c)) {
        if (dest_is_broadcast(c.mode, all))
            return true;
    }
    return false;
}

/* POSTABLE if exactly one vCPU takes the message, which @p one receives; otherwise
 * why not. */
static enum vtdpi_route_reason
walk_find_only(const struct vtdpi_apic_set *set,
               const struct vtdpi_compat_msi *msg,
               struct vtdpi_route_candidate *one)
{
    struct vtdpi_compat_msi all = *msg;
    struct vtdpi_route_walk walk;
    struct vtdpi_route_candidate second;
    bool broadcast;

    all.dlm = VTDPI_DLM_FIXED;
    all.rh = false;
    broadcast = dest_is_broadcast_to_any(set, &all);
    /* A broadcast to several vCPUs is not posted, arbitrated or not: the SDM
     * allows no arbitration of a broadcast, so the host has to choose. */
    vtdpi_route_walk_begin(&walk, set, broadcast ? &all : msg);
    if (!vtdpi_route_walk_next(&walk, one))
        return walk.disabled ? VTDPI_ROUTE_DISABLED : VTDPI_ROUTE_NO_MATCH;
    if (!vtdpi_route_walk_next(&walk, &second))
        return VTDPI_ROUTE_POSTABLE;
    return broadcast ? VTDPI_ROUTE_BROADCAST : VTDPI_ROUTE_SEVERAL;
}

struct vtdpi_route_decision
vtdpi_route_decide_decoded(const struct vtdpi_apic_set *set,
                           const struct vtdpi_compat_msi *msg,
                           const struct vtdpi_route_options *options)
{
    struct vtdpi_route_decision d = {
        VTDPI_ROUTE_REMAP, message_judge(msg, options), 0, msg->vector};
    struct vtdpi_route_candidate one;

    if (d.reason == VTDPI_ROUTE_POSTABLE)
        d.reason = walk_find_only(set, msg, &one);
    if (d.reason != VTDPI_ROUTE_POSTABLE)
        return d;
    d.vcpu = one.vcpu;
    if (!one.attached)
        d.reason = VTDPI_ROUTE_DETACHED;
    else if (!options->posting)
        d.reason = VTDPI_ROUTE_POSTING_OFF;
    else
        d.kind = VTDPI_ROUTE_POST;
    return d;
}

struct vtdpi_route_decision
vtdpi_route_decide(const struct vtdpi_apic_set *set,
                   const struct vtdpi_msi *msi,
                   const struct vtdpi_route_options *options)
{
    struct vtdpi_route_decision d = {VTDPI_ROUTE_REJECT, VTDPI_ROUTE_ADDRESS, 0,
                                     0};
    struct vtdpi_compat_msi msg;

    switch (vtdpi_route_decode(msi, options->form, &msg)) {
    case 0:
        return vtdpi_route_decide_decoded(set, &msg, options);
    case VTDPI_EMSI_FORMAT:
        d.reason = VTDPI_ROUTE_FORMAT;
        break;
    case VTDPI_EMSI_RESERVED:
        d.reason = VTDPI_ROUTE_RESERVED;
        break;
    default:
        break;
    }
    return d;
}

/* Once an APIC matches, this is all that a walk and a decision look at. */
static bool apic_same_to_walk(const struct vtdpi_guest_apic *a,
                              const struct vtdpi_guest_apic *b,
                              const struct vtdpi_compat_msi *msg)
{
    return a->id == b->id && a->enabled == b->enabled &&
           a->attached == b->attached &&
           dest_is_broadcast(a->mode, msg) == dest_is_broadcast(b->mode, msg);
}

bool vtdpi_route_affects(const struct vtdpi_guest_apic *before,
                         const struct vtdpi_guest_apic *after,
                         const struct vtdpi_compat_msi *msg)
{
    const bool was = vtdpi_guest_apic_matches(before, msg);
    const bool is = vtdpi_guest_apic_matches(after, msg);

    return was != is || (is && !apic_same_to_walk(before, after, msg));
}

const char *vtdpi_route_reason_text(enum vtdpi_route_reason reason)
{
    static const char *const text[VTDPI_ROUTE_REASONS] = {
        "posted",
        "not an interrupt address",
        "remappable format",
        "reserved bits are set",
        "delivery mode SMI",
        "delivery mode NMI",
        "delivery mode INIT",
        "delivery mode ExtINT",
        "reserved delivery mode",
        "level-triggered",
        "vector below 16, or below the least of the VM",
        "no APIC has this destination",
        "its destinations are software-disabled",
        "broadcast to several vCPUs",
        "several destinations",
        "the vCPU has no descriptor",
        "posting is off for the VM",
        "the interrupt's table cannot post",
        "the descriptor is above the host address width",
        "no message is programmed",
    };

    return (unsigned int)reason < VTDPI_ROUTE_REASONS ? text[reason]
                                                      : "unknown reason";
}
