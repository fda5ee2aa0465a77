/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs about route.h. What a message goes to is any set of up to 3 vCPUs,
 * behind a callback that sees to what it is promised: the contract of
 * struct vtdpi_apic_set_ops holds both ways. Numbers are those of the SDM and
 * of route.h, not its names.
 */
#include "src/msi.c"
#include "src/route.c"

#include "proof.h"

#define MOST 3

/* Those whom the message under proof is for. */
struct matches {
    struct vtdpi_route_candidate one[MOST];
    uint32_t count;
    struct vtdpi_compat_msi msg;
    uint32_t at;
    bool ended;
    bool broken; /* The caller has not kept the contract. */
};

static struct vtdpi_route_candidate any_candidate(void)
{
    return (struct vtdpi_route_candidate){
        nondet_u32(), (enum vtdpi_guest_apic_mode)(nondet_u8() % 3 + 1),
        nondet_bool(), nondet_bool()};
}

static bool next_match(void *ctx, const struct vtdpi_compat_msi *msg,
                       struct vtdpi_route_cursor *cursor,
                       struct vtdpi_route_candidate *out)
{
    struct matches *const m = ctx;
    const uint32_t at = cursor->word[3];

    m->broken = m->broken || msg->dest != m->msg.dest || msg->dm != m->msg.dm ||
                (at != 0 && (at != m->at || m->ended)) ||
                cursor->word[0] != 0 || cursor->word[1] != 0 ||
                cursor->word[2] != 0;
    *out = any_candidate();
    m->ended = at >= m->count;
    if (m->ended)
        return false;
    *out = m->one[at];
    m->at = cursor->word[3] = at + 1;
    return true;
}

static const struct vtdpi_apic_set_ops match_ops = {next_match};

static struct vtdpi_msi any_msi(void)
{
    return (struct vtdpi_msi){nondet_u32(), nondet_u32(), nondet_u32()};
}

/* What vtdpi_route_decode() can make of some message. */
static struct vtdpi_compat_msi any_parts(void)
{
    struct vtdpi_compat_msi c;

    c.dest = nondet_u32();
    c.vector = nondet_u8();
    c.dlm = (enum vtdpi_dlm)(nondet_u8() & 7);
    c.rh = nondet_bool();
    c.dm = nondet_bool();
    c.level = nondet_bool();
    c.assert_level = nondet_bool();
    return c;
}

static struct matches any_matches(void)
{
    struct matches m = {0};

    for (int i = 0; i < MOST; i++)
        m.one[i] = any_candidate();
    m.count = nondet_u8() & 3;
    m.msg = any_parts();
    return m;
}

static struct vtdpi_route_options any_options(void)
{
    struct vtdpi_route_options o = {(enum vtdpi_compat_dest)(nondet_u8() % 3),
                                    nondet_bool(), nondet_u8()};

    return o;
}

/* How many of them are not software-disabled. */
static uint32_t enabled_among(const struct matches *m)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->count; i++)
        n += m->one[i].enabled ? 1 : 0;
    return n;
}

/* The enabled one that @p skip enabled ones come before. */
static struct vtdpi_route_candidate enabled_at(const struct matches *m,
                                               uint32_t skip)
{
    struct vtdpi_route_candidate found = {0};

    for (uint32_t i = 0; i < m->count; i++) {
        if (!m->one[i].enabled)
            continue;
        if (skip == 0) {
            found = m->one[i];
            break;
        }
        skip--;
    }
    return found;
}

static bool same_candidate(const struct vtdpi_route_candidate *a,
                           const struct vtdpi_route_candidate *b)
{
    return a->vcpu == b->vcpu && a->mode == b->mode &&
           a->enabled == b->enabled && a->attached == b->attached;
}

/* Whether the destination is the broadcast: to an xAPIC (1: flat, 2: cluster)
 * and to an x2APIC (3). */
static bool broadcast_to(unsigned int mode, uint32_t dest, bool logical)
{
    switch (mode) {
    case 1:
        return !logical && (dest == 0xff || dest == 0xffffffff);
    case 2:
        return dest == 0xff || dest == 0xffffffff;
    default:
        return dest == 0xffffffff;
    }
}

/* The same to a decision: of the mode only the reading of all ones counts. */
static bool same_taker(const struct vtdpi_route_candidate *a,
                       const struct vtdpi_route_candidate *b,
                       const struct vtdpi_compat_msi *msg)
{
    return a->vcpu == b->vcpu && a->enabled == b->enabled &&
           a->attached == b->attached &&
           broadcast_to((unsigned int)a->mode, msg->dest, msg->dm) ==
               broadcast_to((unsigned int)b->mode, msg->dest, msg->dm);
}

static bool same_decision(const struct vtdpi_route_decision *a,
                          const struct vtdpi_route_decision *b)
{
    return a->kind == b->kind && a->reason == b->reason && a->vcpu == b->vcpu &&
           a->vector == b->vector;
}

/* The status that the first thing wrong with a message has, 0 if nothing is. */
static int message_status(const struct vtdpi_msi *m, unsigned int form)
{
    if (m->address_lo >> 20 != 0xfee ||
        (form == 2 ? bits(m->address_hi, 7, 0) : m->address_hi) != 0)
        return VTDPI_EMSI_ADDRESS;
    if (bits(m->address_lo, 4, 4) != 0)
        return VTDPI_EMSI_FORMAT;
    if ((form != 1 && bits(m->address_lo, 11, 5) != 0) ||
        bits(m->data, 13, 11) != 0 || bits(m->data, 31, 16) != 0)
        return VTDPI_EMSI_RESERVED;
    return 0;
}

/* Each part from its place; FFh becomes the broadcast in the 8-bit form, and
 * in no other; a refusal writes nothing. */
void proof_route_decode(void)
{
    const struct vtdpi_msi m = any_msi();
    const unsigned int form = nondet_u32();
    const struct vtdpi_compat_msi before = any_parts();
    struct vtdpi_compat_msi c = before;
    const int rc = vtdpi_route_decode(&m, (enum vtdpi_compat_dest)form, &c);
    uint64_t dest = bits(m.address_lo, 19, 12);

    CLAIM(rc == (form > 2 ? VTDPI_EINVAL : message_status(&m, form)));
    if (rc != 0) {
        CLAIM(c.dest == before.dest && c.vector == before.vector &&
              c.dlm == before.dlm && c.rh == before.rh && c.dm == before.dm &&
              c.level == before.level && c.assert_level == before.assert_level);
        return;
    }
    if (form == 0 && dest == 0xff)
        dest = 0xffffffff;
    if (form == 1)
        dest |= bits(m.address_lo, 11, 5) << 8;
    if (form == 2)
        dest |= bits(m.address_hi, 31, 8) << 8;
    CLAIM(c.dest == dest);
    CLAIM(c.vector == bits(m.data, 7, 0) &&
          (unsigned int)c.dlm == bits(m.data, 10, 8));
    CLAIM(c.rh == bits(m.address_lo, 3, 3) && c.dm == bits(m.address_lo, 2, 2));
    CLAIM(c.level == bits(m.data, 15, 15) &&
          c.assert_level == bits(m.data, 14, 14));
    REACH(form == 0 && c.dest == 0xffffffff);
    REACH(form == 1 && c.dest == 0x7fff);
    REACH(form == 2 && c.dest == 0xff);
}

static struct vtdpi_guest_apic any_apic(void)
{
    struct vtdpi_guest_apic a;

    a.id = nondet_u32();
    a.ldr = nondet_u32();
    a.mode = (enum vtdpi_guest_apic_mode)(nondet_u8() & 3);
    a.enabled = nondet_bool();
    a.attached = nondet_bool();
    a.ldr_given = nondet_bool();
    return a;
}

/* What the registers say, in their own places. */
void proof_route_registers(void)
{
    const uint64_t base = nondet_u64();
    const uint32_t id = nondet_u32();
    const uint32_t ldr = nondet_u32();
    const uint32_t dfr = nondet_u32();
    const uint32_t svr = nondet_u32();
    const struct vtdpi_guest_apic a =
        vtdpi_guest_apic_from_registers(base, id, ldr, dfr, svr);
    const uint64_t model = bits(dfr, 31, 28);

    CLAIM((a.mode == 0) == !bits(base, 11, 11));
    CLAIM((a.mode == 3) == (bits(base, 11, 11) && bits(base, 10, 10)));
    CLAIM((a.mode == 2) ==
          (bits(base, 11, 11) && !bits(base, 10, 10) && model == 0));
    CLAIM(a.id == id && a.enabled == bits(svr, 8, 8) && !a.attached);
    CLAIM(a.ldr == ldr || (a.mode == 1 && a.ldr == 0 && model != 15));
    CLAIM(a.mode != 1 || model == 15 || a.ldr == 0);
}

/* The rules at the top of route.h, for an xAPIC. */
static bool xapic_has(const struct vtdpi_guest_apic *a, uint32_t dest,
                      bool logical)
{
    const uint32_t own = (uint32_t)bits(a->ldr, 31, 24);

    if (broadcast_to((unsigned int)a->mode, dest, logical))
        return true;
    if (!logical)
        return a->id == dest;
    if (a->mode == 1 && dest == 0xffffffff)
        return own != 0;
    if (dest >= 0x100)
        return false;
    if (a->mode == 1)
        return (own & dest) > 0;
    return bits(own, 7, 4) == bits(dest, 7, 4) &&
           (bits(own, 3, 0) & bits(dest, 3, 0)) > 0;
}

/* The same for an x2APIC: its logical id is put together, if it is not given, and
 * compared. */
static bool x2apic_has(const struct vtdpi_guest_apic *a, uint32_t dest,
                       bool logical)
{
    const uint64_t own = a->ldr_given ? a->ldr
                                      : bits(a->id, 19, 4) << 16 |
                                            UINT64_C(1) << bits(a->id, 3, 0);

    if (dest == 0xffffffff)
        return true;
    if (!logical)
        return a->id == dest;
    return bits(own, 31, 16) == bits(dest, 31, 16) &&
           (bits(own, 15, 0) & bits(dest, 15, 0)) != 0;
}

/* Any APIC, any message: it matches exactly by those rules. */
void proof_route_matches(void)
{
    const struct vtdpi_guest_apic a = any_apic();
    const struct vtdpi_compat_msi msg = any_parts();
    const bool rc = vtdpi_guest_apic_matches(&a, &msg);

    switch ((unsigned int)a.mode) {
    case 0:
        CLAIM(!rc);
        break;
    case 3:
        CLAIM(rc == x2apic_has(&a, msg.dest, msg.dm));
        REACH(rc && msg.dm && msg.dest >> 16 == 0xffff && msg.dest + 1 != 0);
        REACH(rc && msg.dm && a.id == 2 && msg.dest == 2);
        break;
    default:
        CLAIM(rc == xapic_has(&a, msg.dest, msg.dm));
        REACH(rc && msg.dm && msg.dest == 0x88);
        REACH(!rc && msg.dm && msg.dest == 0xffffffff);
        break;
    }
}

/* Below the count, and by the formula. */
void proof_route_hash(void)
{
    const uint8_t vector = nondet_u8();
    const uint32_t count = nondet_u32();
    uint32_t i;

    ASSUME(count != 0);
    i = vtdpi_route_hash(vector, count);
    CLAIM(i < count && i <= vector);
    CLAIM(count > vector ? i == vector : (vector - i) % count == 0);
}

/* The whole walk: those who take the message, in the set's order, once each;
 * one of them if it is arbitrated; nobody behind the last. */
void proof_route_walk(void) /* unwind 4 */
{
    struct matches m = any_matches();
    const struct vtdpi_apic_set set = {&match_ops, &m};
    const unsigned int dlm = (unsigned int)m.msg.dlm;
    const bool always = dlm == 2 || dlm == 4 || dlm == 5;
    const bool arbitrated = dlm == 1 || (m.msg.rh && m.msg.dm);
    struct vtdpi_route_candidate expected;
    struct vtdpi_route_candidate got;
    struct vtdpi_route_walk walk;
    uint32_t takers;

    if (always) {
        for (uint32_t i = 0; i < MOST; i++)
            m.one[i].enabled = true;
    }
    takers = enabled_among(&m);
    if (dlm == 3 || dlm == 6 || (m.msg.level && !m.msg.assert_level))
        takers = 0;
    vtdpi_route_walk_begin(&walk, &set, &m.msg);
    for (uint32_t i = 0; i < (arbitrated && takers > 0 ? 1 : takers); i++) {
        expected = enabled_at(&m, arbitrated ? m.msg.vector % takers : i);
        CLAIM(vtdpi_route_walk_next(&walk, &got));
        CLAIM(same_candidate(&got, &expected));
        REACH(i == 2);
    }
    CLAIM(!vtdpi_route_walk_next(&walk, &got));
    CLAIM(!m.broken);
    REACH(arbitrated && takers == 3);
}

/* An NMI and its like reach those who are software-disabled, too; nothing else
 * does. */
void proof_route_walk_disabled(void) /* unwind 4 */
{
    struct matches m = any_matches();
    const struct vtdpi_apic_set set = {&match_ops, &m};
    const unsigned int dlm = (unsigned int)m.msg.dlm;
    struct vtdpi_route_candidate got;
    struct vtdpi_route_walk walk;

    vtdpi_route_walk_begin(&walk, &set, &m.msg);
    if (!vtdpi_route_walk_next(&walk, &got))
        return;
    CLAIM(got.enabled || dlm == 2 || dlm == 4 || dlm == 5);
    REACH(!got.enabled);
}

/* What of the message stands in the way, as route.h numbers it; 0: nothing. */
static unsigned int message_reason(const struct vtdpi_compat_msi *msg,
                                   unsigned int least)
{
    /* SMI, NMI, INIT, ExtINT, and two that are reserved. */
    static const uint8_t by_dlm[8] = {0, 0, 4, 8, 5, 6, 8, 7};

    if (by_dlm[msg->dlm] != 0)
        return by_dlm[msg->dlm];
    if (msg->level)
        return 9;
    return msg->vector <= 15 || least > msg->vector ? 10 : 0;
}

/* Whether one of those who take the message reads a broadcast. */
static bool broadcast_among(const struct matches *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->one[i].enabled &&
            broadcast_to((unsigned int)m->one[i].mode, m->msg.dest, m->msg.dm))
            return true;
    }
    return false;
}

/* The decision is what the conditions written out say. */
void proof_route_decide_decoded(void) /* unwind 4 */
{
    struct matches m = any_matches();
    const struct vtdpi_compat_msi msg = m.msg;
    const struct vtdpi_apic_set set = {&match_ops, &m};
    const struct vtdpi_route_options o = any_options();
    const struct vtdpi_route_decision d =
        vtdpi_route_decide_decoded(&set, &msg, &o);
    const uint32_t takers = enabled_among(&m);
    const bool all = broadcast_among(&m);
    const bool one_of =
        !all && ((unsigned int)msg.dlm == 1 || (msg.rh && msg.dm));
    const bool found = takers == 1 || (takers > 1 && one_of);
    const struct vtdpi_route_candidate to =
        enabled_at(&m, found ? msg.vector % takers : 0);
    unsigned int reason = message_reason(&msg, o.vector_min);

    if (reason == 0 && takers == 0)
        reason = m.count == 0 ? 11 : 12;
    if (reason == 0 && !found)
        reason = all ? 13 : 14;
    if (reason == 0 && !to.attached)
        reason = 15;
    if (reason == 0 && !o.posting)
        reason = 16;
    CLAIM((unsigned int)d.reason == reason);
    CLAIM((unsigned int)d.kind == (reason == 0 ? 1u : 0u));
    CLAIM(d.vector == msg.vector);
    CLAIM(d.vcpu ==
          (reason == 0 || reason == 15 || reason == 16 ? to.vcpu : 0));
    CLAIM(!m.broken);
    REACH(reason == 0 && takers == 3);
    REACH(reason == 10 && msg.vector >= 16);
    REACH(reason == 0 && all);
    REACH(reason == 0 && takers == 3 && msg.dest == 0xffffffff);
    REACH(reason == 13 && msg.dest == 0xff);
    REACH(reason == 14 && msg.dest == 0xffffffff);
    REACH(reason == 12 && m.count == 3);
    /* Said again on its own: nothing is posted that is not for exactly one. */
    if (d.kind != VTDPI_ROUTE_POST)
        return;
    CLAIM(d.vector >= 16 && msg.dlm <= 1 && !msg.level && o.posting);
    CLAIM(takers == 1 || (!all && one_of));
}

/* Exactly the messages that are malformed are rejected, with the first thing
 * that is wrong; all others are decided on as taken apart (here: for one vCPU
 * at most). */
void proof_route_decide(void) /* unwind 3 */
{
    const struct vtdpi_msi msi = any_msi();
    const struct vtdpi_route_options o = any_options();
    const int status = message_status(&msi, (unsigned int)o.form);
    struct matches m = {0};
    const struct vtdpi_apic_set set = {&match_ops, &m};
    struct vtdpi_compat_msi parts;
    struct vtdpi_route_decision expected;
    struct vtdpi_route_decision d;

    m.one[0] = any_candidate();
    m.count = nondet_bool() ? 1 : 0;
    if (vtdpi_route_decode(&msi, o.form, &parts) == 0)
        m.msg = parts;
    d = vtdpi_route_decide(&set, &msi, &o);
    CLAIM((d.kind == VTDPI_ROUTE_REJECT) == (status != 0));
    if (status != 0) {
        CLAIM((unsigned int)d.reason == (status == VTDPI_EMSI_ADDRESS  ? 1u
                                         : status == VTDPI_EMSI_FORMAT ? 2u
                                                                       : 3u));
        CLAIM(d.vcpu == 0 && d.vector == 0);
        REACH(d.reason == 3);
        return;
    }
    expected = vtdpi_route_decide_decoded(&set, &parts, &o);
    CLAIM(same_decision(&d, &expected) && !m.broken);
    REACH(d.kind == VTDPI_ROUTE_POST);
}

/* Two APICs as a guest has them, those that match in the order of their ids. */
static struct matches of_apics(const struct vtdpi_guest_apic *apic,
                               const struct vtdpi_compat_msi *msg)
{
    const uint32_t lower = apic[1].id < apic[0].id ? 1 : 0;
    struct matches m = {0};

    m.msg = *msg;
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t vcpu = i ^ lower;
        const struct vtdpi_guest_apic *const a = &apic[vcpu];

        if (vtdpi_guest_apic_matches(a, msg)) {
            m.one[m.count] = (struct vtdpi_route_candidate){
                vcpu, a->mode, a->enabled, a->attached};
            m.count++;
        }
    }
    return m;
}

/* One of two APICs changes in any way. Where that is said to affect nothing,
 * the vCPUs that the message is for are the same, in the same order. */
void proof_route_affects(void)
{
    const struct vtdpi_compat_msi msg = any_parts();
    const uint32_t which = nondet_bool() ? 1 : 0;
    struct vtdpi_guest_apic apic[2] = {any_apic(), any_apic()};
    const struct vtdpi_guest_apic before = apic[which];
    const struct vtdpi_guest_apic after = any_apic();
    const struct matches was = of_apics(apic, &msg);
    struct matches is;

    apic[which] = after;
    is = of_apics(apic, &msg);
    if (vtdpi_route_affects(&before, &after, &msg)) {
        REACH(was.count != is.count);
        return;
    }
    CLAIM(was.count == is.count);
    for (uint32_t i = 0; i < 2; i++)
        CLAIM(i >= is.count || same_taker(&was.one[i], &is.one[i], &msg));
    REACH(is.count == 2 && before.ldr != after.ldr);
    REACH(before.mode != after.mode && before.mode != 0 && after.mode != 0);
}

/* Every value has a text, and those beyond the last are unknown. */
void proof_route_text(void)
{
    const unsigned int n = nondet_u32();
    const char *const text =
        vtdpi_route_reason_text((enum vtdpi_route_reason)n);

    CLAIM(text != NULL && text[0] != '\0');
    CLAIM((text[0] == 'u') == (n > 19));
}
