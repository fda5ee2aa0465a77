/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about msi.h, for all indexes and all messages. */
#include "src/msi.c"

#include "proof.h"

static struct vtdpi_msi any_msi(void)
{
    struct vtdpi_msi m;

    m.address_lo = nondet_u32();
    m.address_hi = nondet_u32();
    m.data = nondet_u32();
    return m;
}

/* Where a handle sits in the address; numbers, not the library's masks. */
static uint32_t address_of(uint32_t handle)
{
    return UINT32_C(0xfee00018) | (handle & 0x7fff) << 5 | handle >> 15 << 2;
}

static bool same_msi(const struct vtdpi_msi *a, const struct vtdpi_msi *b)
{
    return a->address_lo == b->address_lo && a->address_hi == b->address_hi &&
           a->data == b->data;
}

/* Exactly the aligned blocks of a power of two are encoded, and message i
 * selects the i-th index of its block. */
void proof_msi_block(void)
{
    const uint32_t base = nondet_u32();
    const uint32_t count = nondet_u32();
    const uint32_t i = nondet_u32();
    const struct vtdpi_msi before = any_msi();
    const bool ok = (count == 1 || count == 2 || count == 4 || count == 8 ||
                     count == 16 || count == 32) &&
                    base <= 0xffff && base % count == 0;
    struct vtdpi_msi m = before;
    struct vtdpi_msi_request r;
    const int rc = vtdpi_msi_encode_block(base, count, &m);

    CLAIM((rc == 0) == ok);
    if (rc != 0) {
        CLAIM(same_msi(&m, &before));
        return;
    }
    ASSUME(i < count);
    CLAIM(m.address_lo == address_of(base));
    CLAIM(m.address_hi == 0 && m.data == 0);
    m.data += i;
    CLAIM(vtdpi_msi_decode(&m, &r) == 0);
    CLAIM(r.index == base + i && r.index <= 0xffff);
    CLAIM(r.shv && r.handle == base && r.subhandle == i);
}

/* Every index can be encoded, and comes back. */
void proof_msi_index(void)
{
    const uint32_t index = nondet_u32();
    struct vtdpi_msi m;
    struct vtdpi_msi_request r;
    const int rc = vtdpi_msi_encode(index, &m);

    CLAIM(rc == (index <= 0xffff ? 0 : VTDPI_EINDEX));
    if (rc != 0)
        return;
    CLAIM(m.address_lo == address_of(index));
    CLAIM(m.address_hi == 0 && m.data == 0);
    CLAIM(vtdpi_msi_decode(&m, &r) == 0 && r.index == index);
}

/* Exactly what a unit takes as remappable is decoded. The parts are what the bits
 * say. Encoding them gives the message again, except bits that hardware ignores. */
void proof_msi_decode(void)
{
    const struct vtdpi_msi m = any_msi();
    const uint32_t handle =
        (uint32_t)(bits(m.address_lo, 19, 5) | bits(m.address_lo, 2, 2) << 15);
    const bool shv = bits(m.address_lo, 3, 3);
    const uint32_t subhandle = shv ? m.data & 0xffff : 0;
    struct vtdpi_msi_request r;
    struct vtdpi_msi again;
    const int rc = vtdpi_msi_decode(&m, &r);

    CLAIM((rc == 0) == (m.address_lo >> 20 == 0xfee && m.address_hi == 0 &&
                        bits(m.address_lo, 4, 4) && m.data >> 16 == 0 &&
                        handle + subhandle <= 0xffff));
    if (rc != 0)
        return;
    CLAIM(r.handle == handle && r.index == handle + subhandle);
    CLAIM(r.shv == shv && r.subhandle == subhandle);
    CLAIM(vtdpi_msi_encode(r.handle, &again) == 0);
    CLAIM(again.address_lo == ((m.address_lo & ~UINT32_C(3)) | 8));
}

void proof_rte_fields(void)
{
    struct vtdpi_msi_rte x;
    struct vtdpi_msi_rte y;
    uint64_t word = 0;
    int rc;

    x.index = nondet_u32();
    x.vector = nondet_u8();
    x.active_low = nondet_bool();
    x.level = nondet_bool();
    x.masked = nondet_bool();
    x.delivery_status = nondet_bool();
    x.remote_irr = nondet_bool();
    rc = vtdpi_msi_rte_encode(&x, &word);
    CLAIM((rc == 0) == (x.index <= 0xffff));
    if (rc != 0) {
        CLAIM(word == 0);
        return;
    }
    CLAIM(word ==
          (UINT64_C(1) << 48 | x.vector | (uint64_t)(x.index & 0x7fff) << 49 |
           (uint64_t)(x.index >> 15) << 11 | (uint64_t)x.active_low << 13 |
           (uint64_t)x.level << 15 | (uint64_t)x.masked << 16));
    CLAIM((word & UINT64_C(0x0000fffffffe5700)) == 0);
    CLAIM(vtdpi_msi_rte_decode(word, &y) == 0);
    CLAIM(y.index == x.index && y.vector == x.vector);
    CLAIM(y.active_low == x.active_low && y.level == x.level);
    CLAIM(y.masked == x.masked && !y.delivery_status && !y.remote_irr);
}

/* Exactly the well-formed remappable entries are decoded, and
 * encode(decode(word)) = word, except the read-only bits. */
void proof_rte_word(void)
{
    const uint64_t word = nondet_u64();
    struct vtdpi_msi_rte f;
    uint64_t again;
    const int rc = vtdpi_msi_rte_decode(word, &f);

    CLAIM((rc == 0) == (bits(word, 48, 48) == 1 &&
                        (word & UINT64_C(0x0000fffffffe0700)) == 0));
    if (rc != 0)
        return;
    CLAIM(f.index == (bits(word, 63, 49) | bits(word, 11, 11) << 15));
    CLAIM(f.vector == bits(word, 7, 0) && f.active_low == bits(word, 13, 13));
    CLAIM(f.level == bits(word, 15, 15) && f.masked == bits(word, 16, 16));
    CLAIM(f.delivery_status == bits(word, 12, 12));
    CLAIM(f.remote_irr == bits(word, 14, 14));
    CLAIM(vtdpi_msi_rte_encode(&f, &again) == 0);
    CLAIM(again == (word & ~UINT64_C(0x5000)));
}

/* What a compatibility-format message may have set, in each form. */
static bool compat_ok(const struct vtdpi_msi *m, uint32_t form)
{
    const bool lo_ok =
        m->address_lo >> 20 == 0xfee && !bits(m->address_lo, 4, 4);
    const bool data_ok = (m->data & UINT32_C(0xffff3800)) == 0;

    switch (form) {
    case VTDPI_COMPAT_DEST_8:
        return lo_ok && data_ok && m->address_hi == 0 &&
               bits(m->address_lo, 11, 5) == 0;
    case VTDPI_COMPAT_DEST_15:
        return lo_ok && data_ok && m->address_hi == 0;
    case VTDPI_COMPAT_DEST_32:
        return lo_ok && data_ok && bits(m->address_hi, 7, 0) == 0 &&
               bits(m->address_lo, 11, 5) == 0;
    default:
        return false;
    }
}

/* Exactly those are decoded; the message put together again from the fields, by
 * hand. */
void proof_compat_msi(void)
{
    const struct vtdpi_msi m = any_msi();
    const enum vtdpi_compat_dest form = (enum vtdpi_compat_dest)nondet_u32();
    struct vtdpi_compat_msi c;
    const int rc = vtdpi_compat_msi_decode(&m, form, &c);
    uint32_t lo;

    CLAIM((rc == 0) == compat_ok(&m, (uint32_t)form));
    if (rc != 0)
        return;
    REACH(form == VTDPI_COMPAT_DEST_15 && c.dest > 0xff);
    REACH(form == VTDPI_COMPAT_DEST_32 && c.dest > 0xff);
    lo = UINT32_C(0xfee00000) | (c.dest & 0xff) << 12 | (c.rh ? 8 : 0) |
         (c.dm ? 4 : 0) | (m.address_lo & 3);
    if (form == VTDPI_COMPAT_DEST_15)
        lo |= c.dest >> 8 << 5;
    CLAIM(m.address_lo == lo);
    CLAIM(m.address_hi ==
          (form == VTDPI_COMPAT_DEST_32 ? c.dest & 0xffffff00 : 0));
    CLAIM(form == VTDPI_COMPAT_DEST_32 || c.dest <= 0x7fff);
    CLAIM(form != VTDPI_COMPAT_DEST_8 || c.dest <= 0xff);
    CLAIM(m.data == (c.vector | (uint32_t)c.dlm << 8 |
                     (c.assert_level ? 0x4000 : 0) | (c.level ? 0x8000 : 0)));
}
