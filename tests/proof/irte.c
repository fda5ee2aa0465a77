/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about irte.h, for all fields and all 2^128 entries. */
#include "src/irte.c"

#include "proof.h"

/*
 * Where each bit sits is written out here once more, with numbers: a round trip
 * alone holds for any two functions that are wrong in the same way.
 */
#define REMAPPED_LO_RESERVED UINT64_C(0x00000000ff007000)
#define REMAPPED_HI_RESERVED UINT64_C(0xfffffffffff00000)
#define POSTED_LO_RESERVED   UINT64_C(0x0000003fff0030fc)
#define POSTED_HI_RESERVED   UINT64_C(0x00000000fff00000)

static struct vtdpi_source any_source(void)
{
    struct vtdpi_source s;

    s.kind = (enum vtdpi_source_kind)nondet_u32();
    s.sid = nondet_u16();
    s.sq = nondet_u8();
    return s;
}

static struct vtdpi_irte_remapped any_remapped(void)
{
    struct vtdpi_irte_remapped f;

    f.present = nondet_bool();
    f.fpd = nondet_bool();
    f.dm = nondet_bool();
    f.rh = nondet_bool();
    f.tm = nondet_bool();
    f.avail = nondet_u8();
    f.vector = nondet_u8();
    f.dlm = (enum vtdpi_dlm)nondet_u32();
    f.mode = (enum vtdpi_apic_mode)nondet_u32();
    f.dst = nondet_u32();
    f.source = any_source();
    return f;
}

static struct vtdpi_irte_posted any_posted(void)
{
    struct vtdpi_irte_posted f;

    f.present = nondet_bool();
    f.fpd = nondet_bool();
    f.urgent = nondet_bool();
    f.avail = nondet_u8();
    f.vector = nondet_u8();
    f.pda = nondet_u64();
    f.source = any_source();
    return f;
}

static struct vtdpi_irte any_irte(void)
{
    struct vtdpi_irte e;

    e.lo = nondet_u64();
    e.hi = nondet_u64();
    return e;
}

static bool same_source(const struct vtdpi_source *a,
                        const struct vtdpi_source *b)
{
    return a->kind == b->kind && a->sid == b->sid && a->sq == b->sq;
}

/* SVT, SQ and SID as the second word holds them. */
static uint64_t source_bits(const struct vtdpi_source *s)
{
    const uint64_t svt = s->kind == VTDPI_SOURCE_EXACT       ? 1
                         : s->kind == VTDPI_SOURCE_BUS_RANGE ? 2
                                                             : 0;

    return s->sid | (uint64_t)s->sq << 16 | svt << 18;
}

/* A source that an entry may name. */
static bool source_ok(const struct vtdpi_source *s)
{
    switch (s->kind) {
    case VTDPI_SOURCE_ANY:
        return s->sq == 0;
    case VTDPI_SOURCE_EXACT:
        return s->sq <= 3;
    case VTDPI_SOURCE_BUS_RANGE:
        return s->sq == 0 && s->sid >> 8 <= (s->sid & 0xff);
    default:
        return false;
    }
}

static bool source_zero(const struct vtdpi_source *s)
{
    return s->kind == VTDPI_SOURCE_UNSET && s->sid == 0 && s->sq == 0;
}

/* What there is an entry for, in remapped format. */
static bool remapped_ok(const struct vtdpi_irte_remapped *x)
{
    if ((x->mode != VTDPI_XAPIC && x->mode != VTDPI_X2APIC) || x->avail > 15)
        return false;
    if (!x->present)
        return !x->dm && !x->rh && !x->tm && x->vector == 0 && x->dlm == 0 &&
               x->dst == 0 && source_zero(&x->source);
    if (x->mode == VTDPI_XAPIC && x->dst > 255)
        return false;
    switch ((uint32_t)x->dlm) {
    case 0: /* fixed */
        return x->vector >= 16 && source_ok(&x->source);
    case 1: /* lowest priority */
        return x->vector >= 16 && x->rh && source_ok(&x->source);
    case 2: /* SMI */
    case 4: /* NMI */
    case 5: /* INIT */
    case 7: /* ExtINT */
        return !x->tm && source_ok(&x->source);
    default:
        return false;
    }
}

static struct vtdpi_irte remapped_by_hand(const struct vtdpi_irte_remapped *x)
{
    struct vtdpi_irte e;

    e.lo = (uint64_t)x->fpd << 1 | (uint64_t)x->avail << 8;
    e.hi = 0;
    if (!x->present)
        return e;
    e.lo |= 1 | (uint64_t)x->dm << 2 | (uint64_t)x->rh << 3 |
            (uint64_t)x->tm << 4 | (uint64_t)x->dlm << 5 |
            (uint64_t)x->vector << 16 |
            (uint64_t)x->dst << (x->mode == VTDPI_X2APIC ? 32 : 40);
    e.hi = source_bits(&x->source);
    return e;
}

/* decode(encode(x)) = x; exactly what has an entry is encoded; each bit is
 * where it belongs, and nothing reserved is ever set. */
void proof_irte_remapped_fields(void)
{
    const struct vtdpi_irte_remapped x = any_remapped();
    const struct vtdpi_irte before = any_irte();
    const struct vtdpi_irte wanted = remapped_by_hand(&x);
    struct vtdpi_irte e = before;
    struct vtdpi_irte_remapped y;
    const int rc = vtdpi_irte_encode_remapped(&x, &e);

    CLAIM((rc == 0) == remapped_ok(&x));
    if (rc != 0) {
        CLAIM(e.lo == before.lo && e.hi == before.hi);
        return;
    }
    REACH(!x.present);
    REACH(x.mode == VTDPI_X2APIC && x.dst == UINT32_MAX);
    CLAIM(e.lo == wanted.lo && e.hi == wanted.hi);
    CLAIM((e.lo & REMAPPED_LO_RESERVED) == 0);
    CLAIM((e.hi & REMAPPED_HI_RESERVED) == 0);
    CLAIM(vtdpi_irte_validate(&e, x.mode, 64) == 0);
    CLAIM(vtdpi_irte_decode_remapped(&e, x.mode, &y) == 0);
    CLAIM(y.present == x.present && y.fpd == x.fpd && y.avail == x.avail);
    CLAIM(y.dm == x.dm && y.rh == x.rh && y.tm == x.tm);
    CLAIM(y.dlm == x.dlm && y.vector == x.vector);
    CLAIM(y.mode == x.mode && y.dst == x.dst);
    CLAIM(same_source(&y.source, &x.source));
}

static bool posted_ok(const struct vtdpi_irte_posted *x)
{
    if (x->avail > 15)
        return false;
    if (!x->present)
        return !x->urgent && x->vector == 0 && x->pda == 0 &&
               source_zero(&x->source);
    return x->vector >= 16 && x->pda % 64 == 0 && source_ok(&x->source);
}

static struct vtdpi_irte posted_by_hand(const struct vtdpi_irte_posted *x)
{
    struct vtdpi_irte e;

    e.lo = UINT64_C(0x8000) | (uint64_t)x->fpd << 1 | (uint64_t)x->avail << 8;
    e.hi = 0;
    if (!x->present)
        return e;
    /* The address is split: bits 31:6 to 63:38, and 63:32 to 127:96. */
    e.lo |= 1 | (uint64_t)x->urgent << 14 | (uint64_t)x->vector << 16 |
            bits(x->pda, 31, 6) << 38;
    e.hi = source_bits(&x->source) | bits(x->pda, 63, 32) << 32;
    return e;
}

void proof_irte_posted_fields(void)
{
    const struct vtdpi_irte_posted x = any_posted();
    const struct vtdpi_irte before = any_irte();
    const struct vtdpi_irte wanted = posted_by_hand(&x);
    struct vtdpi_irte e = before;
    struct vtdpi_irte_posted y;
    const int rc = vtdpi_irte_encode_posted(&x, &e);

    CLAIM((rc == 0) == posted_ok(&x));
    if (rc != 0) {
        CLAIM(e.lo == before.lo && e.hi == before.hi);
        return;
    }
    REACH(!x.present);
    REACH(x.present && x.pda == ~UINT64_C(63));
    CLAIM(e.lo == wanted.lo && e.hi == wanted.hi);
    CLAIM((e.lo & POSTED_LO_RESERVED) == 0);
    CLAIM((e.hi & POSTED_HI_RESERVED) == 0);
    CLAIM(vtdpi_irte_validate(&e, VTDPI_XAPIC, 64) == 0);
    CLAIM(vtdpi_irte_decode_posted(&e, &y) == 0);
    CLAIM(y.present == x.present && y.fpd == x.fpd && y.avail == x.avail);
    CLAIM(y.urgent == x.urgent && y.vector == x.vector && y.pda == x.pda);
    CLAIM(same_source(&y.source, &x.source));
}

/* Decoders read each field from its place, whatever else is set. */
void proof_irte_decode_raw(void)
{
    const struct vtdpi_irte e = any_irte();
    const enum vtdpi_apic_mode mode =
        nondet_bool() ? VTDPI_X2APIC : VTDPI_XAPIC;
    const bool posted = bits(e.lo, 15, 15);
    struct vtdpi_irte_remapped r;
    struct vtdpi_irte_posted p;

    CLAIM(vtdpi_irte_is_posted(&e) == posted);
    CLAIM((vtdpi_irte_decode_remapped(&e, mode, &r) == 0) == !posted);
    CLAIM((vtdpi_irte_decode_posted(&e, &p) == 0) == posted);
    if (posted) {
        CLAIM(p.present == bits(e.lo, 0, 0) && p.fpd == bits(e.lo, 1, 1));
        CLAIM(p.urgent == bits(e.lo, 14, 14) && p.avail == bits(e.lo, 11, 8));
        CLAIM(p.vector == bits(e.lo, 23, 16));
        CLAIM(p.pda == (bits(e.lo, 63, 38) << 6 | bits(e.hi, 63, 32) << 32));
        r.source = p.source;
    } else {
        CLAIM(r.present == bits(e.lo, 0, 0) && r.fpd == bits(e.lo, 1, 1));
        CLAIM(r.dm == bits(e.lo, 2, 2) && r.rh == bits(e.lo, 3, 3));
        CLAIM(r.tm == bits(e.lo, 4, 4) && r.dlm == bits(e.lo, 7, 5));
        CLAIM(r.avail == bits(e.lo, 11, 8) && r.vector == bits(e.lo, 23, 16));
        CLAIM(r.dst ==
              (mode == VTDPI_X2APIC ? bits(e.lo, 63, 32) : bits(e.lo, 47, 40)));
    }
    CLAIM(r.source.sid == bits(e.hi, 15, 0) &&
          r.source.sq == bits(e.hi, 17, 16));
    CLAIM((r.source.kind == VTDPI_SOURCE_EXACT) == (bits(e.hi, 19, 18) == 1));
    CLAIM((r.source.kind == VTDPI_SOURCE_BUS_RANGE) ==
          (bits(e.hi, 19, 18) == 2));
    CLAIM((r.source.kind == VTDPI_SOURCE_RESERVED) ==
          (bits(e.hi, 19, 18) == 3));
}

/* Whether decode and encode give the same entry again. */
static bool survives(const struct vtdpi_irte *e, enum vtdpi_apic_mode mode)
{
    struct vtdpi_irte again = {0, 0};
    struct vtdpi_irte_remapped r;
    struct vtdpi_irte_posted p;
    int rc;

    if (vtdpi_irte_is_posted(e)) {
        CLAIM(vtdpi_irte_decode_posted(e, &p) == 0);
        rc = vtdpi_irte_encode_posted(&p, &again);
    } else {
        CLAIM(vtdpi_irte_decode_remapped(e, mode, &r) == 0);
        rc = vtdpi_irte_encode_remapped(&r, &again);
    }
    return rc == 0 && again.lo == e->lo && again.hi == e->hi;
}

/* validate accepts exactly what can be encoded, and encode(decode(e)) = e. */
void proof_irte_validate_is_encodable(void)
{
    const struct vtdpi_irte e = any_irte();
    const enum vtdpi_apic_mode mode =
        nondet_bool() ? VTDPI_X2APIC : VTDPI_XAPIC;

    CLAIM((vtdpi_irte_validate(&e, mode, 64) == 0) == survives(&e, mode));
}

/* What a unit takes without a fault, read off the raw words. */
static bool raw_source_ok(uint64_t hi)
{
    switch (bits(hi, 19, 18)) {
    case 0:
        return bits(hi, 17, 16) == 0;
    case 1:
        return true;
    case 2:
        return bits(hi, 17, 16) == 0 && bits(hi, 15, 8) <= bits(hi, 7, 0);
    default:
        return false;
    }
}

static bool raw_remapped_ok(const struct vtdpi_irte *e,
                            enum vtdpi_apic_mode mode)
{
    const bool vector_ok = bits(e->lo, 23, 16) >= 16;
    const bool level = bits(e->lo, 4, 4);

    if ((e->lo & REMAPPED_LO_RESERVED) != 0 ||
        (e->hi & REMAPPED_HI_RESERVED) != 0 || !raw_source_ok(e->hi))
        return false;
    if (mode == VTDPI_XAPIC && (e->lo & UINT64_C(0xffff00ff00000000)) != 0)
        return false;
    switch (bits(e->lo, 7, 5)) {
    case 0:
        return vector_ok;
    case 1:
        return vector_ok && bits(e->lo, 3, 3);
    case 2:
    case 4:
    case 5:
    case 7:
        return !level;
    default:
        return false;
    }
}

static bool raw_posted_ok(const struct vtdpi_irte *e, uint32_t haw)
{
    const uint64_t pda = bits(e->lo, 63, 38) << 6 | bits(e->hi, 63, 32) << 32;

    return (e->lo & POSTED_LO_RESERVED) == 0 &&
           (e->hi & POSTED_HI_RESERVED) == 0 && raw_source_ok(e->hi) &&
           bits(e->lo, 23, 16) >= 16 && (haw == 64 || pda >> haw == 0);
}

/* validate accepts exactly that. */
void proof_irte_validate_means(void)
{
    const struct vtdpi_irte e = any_irte();
    const enum vtdpi_apic_mode mode = (enum vtdpi_apic_mode)nondet_u32();
    const uint32_t haw = nondet_u32();
    const bool valid = vtdpi_irte_validate(&e, mode, haw) == 0;

    if (((uint32_t)mode != 0 && (uint32_t)mode != 1) || haw < 1 || haw > 64)
        CLAIM(!valid);
    else if (!bits(e.lo, 0, 0))
        CLAIM(valid == ((e.lo & ~UINT64_C(0x8f02)) == 0 && e.hi == 0));
    else if (bits(e.lo, 15, 15))
        CLAIM(valid == raw_posted_ok(&e, haw));
    else
        CLAIM(valid == raw_remapped_ok(&e, mode));
    REACH(valid && bits(e.lo, 15, 15) && bits(e.lo, 0, 0));
    REACH(valid && !bits(e.lo, 15, 15) && bits(e.lo, 0, 0));
}

/* Both words or none. */
void proof_irte_replace(void)
{
    const struct vtdpi_irte before = any_irte();
    const struct vtdpi_irte old = any_irte();
    const struct vtdpi_irte new = any_irte();
    struct vtdpi_irte e = before;
    const bool same = before.lo == old.lo && before.hi == old.hi;
    const int rc = vtdpi_irte_replace(&e, &old, &new);

    CLAIM(rc == (same ? 0 : VTDPI_EAGAIN));
    CLAIM(e.lo == (same ? new.lo : before.lo));
    CLAIM(e.hi == (same ? new.hi : before.hi));
}
