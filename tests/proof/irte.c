/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about irte.h, for all fields and all 2^128 entries. */
#include "vtdpi/irte.h"

#include "proof.h"

/* Reserved bits of present entries; literals, not the library's masks. */
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

/* decode(encode(x)) = x, and nothing reserved is ever set. */
void proof_irte_remapped_fields(void)
{
    const struct vtdpi_irte_remapped x = any_remapped();
    const struct vtdpi_irte before = any_irte();
    struct vtdpi_irte e = before;
    struct vtdpi_irte_remapped y;

    if (vtdpi_irte_encode_remapped(&x, &e) != 0) {
        CLAIM(e.lo == before.lo && e.hi == before.hi);
        return;
    }
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

void proof_irte_posted_fields(void)
{
    const struct vtdpi_irte_posted x = any_posted();
    const struct vtdpi_irte before = any_irte();
    struct vtdpi_irte e = before;
    struct vtdpi_irte_posted y;

    if (vtdpi_irte_encode_posted(&x, &e) != 0) {
        CLAIM(e.lo == before.lo && e.hi == before.hi);
        return;
    }
    CLAIM((e.lo & POSTED_LO_RESERVED) == 0);
    CLAIM((e.hi & POSTED_HI_RESERVED) == 0);
    CLAIM(vtdpi_irte_validate(&e, VTDPI_XAPIC, 64) == 0);
    CLAIM(vtdpi_irte_decode_posted(&e, &y) == 0);
    CLAIM(y.present == x.present && y.fpd == x.fpd && y.avail == x.avail);
    CLAIM(y.urgent == x.urgent && y.vector == x.vector && y.pda == x.pda);
    CLAIM(same_source(&y.source, &x.source));
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

/* A valid entry is safe to give to a unit: what is claimed here is read off
 * the raw words. */
void proof_irte_validate_means(void)
{
    const struct vtdpi_irte e = any_irte();
    const enum vtdpi_apic_mode mode = (enum vtdpi_apic_mode)nondet_u32();
    const uint32_t haw = nondet_u32();
    const uint64_t pda = (e.lo >> 32 & UINT64_C(0xffffffc0)) |
                         (e.hi & UINT64_C(0xffffffff00000000));
    const uint64_t svt = e.hi >> 18 & 3;
    const uint64_t vector = e.lo >> 16 & 0xff;
    const uint64_t dlm = e.lo >> 5 & 7;

    ASSUME(vtdpi_irte_validate(&e, mode, haw) == 0);
    CLAIM(mode == VTDPI_XAPIC || mode == VTDPI_X2APIC);
    CLAIM(haw >= 1 && haw <= 64);
    if ((e.lo & 1) == 0) {
        CLAIM((e.lo & ~UINT64_C(0x8f02)) == 0 && e.hi == 0);
        return;
    }
    CLAIM(svt != 3 && (svt == 1 || (e.hi >> 16 & 3) == 0));
    CLAIM(svt != 2 || (e.hi >> 8 & 0xff) <= (e.hi & 0xff));
    if ((e.lo & 0x8000) != 0) {
        CLAIM((e.lo & POSTED_LO_RESERVED) == 0);
        CLAIM((e.hi & POSTED_HI_RESERVED) == 0);
        CLAIM(vector >= 16);
        CLAIM(haw == 64 || pda >> haw == 0);
        return;
    }
    CLAIM((e.lo & REMAPPED_LO_RESERVED) == 0);
    CLAIM((e.hi & REMAPPED_HI_RESERVED) == 0);
    CLAIM(dlm != 3 && dlm != 6);
    CLAIM(dlm > 1 || vector >= 16);
    CLAIM(dlm != 1 || (e.lo & 8) != 0);
    CLAIM(mode == VTDPI_X2APIC || (e.lo & UINT64_C(0xffff00ff00000000)) == 0);
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
