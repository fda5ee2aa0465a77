/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about msi.h, for all indexes and all messages. */
#include "vtdpi/msi.h"

#include "proof.h"

static struct vtdpi_msi any_msi(void)
{
    struct vtdpi_msi m;

    m.address_lo = nondet_u32();
    m.address_hi = nondet_u32();
    m.data = nondet_u32();
    return m;
}

/* Message i of a block selects the i-th index of it. */
void proof_msi_block(void)
{
    const uint32_t base = nondet_u32();
    const uint32_t count = nondet_u32();
    const uint32_t i = nondet_u32();
    struct vtdpi_msi m;
    struct vtdpi_msi_request r;

    if (vtdpi_msi_encode_block(base, count, &m) != 0)
        return;
    ASSUME(i < count);
    CLAIM(m.address_lo >> 20 == 0xfee && m.address_hi == 0 && m.data == 0);
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
    CLAIM(vtdpi_msi_decode(&m, &r) == 0 && r.index == index);
}

/* What decodes is what the bits say, and encodes to itself but for the bits
 * that hardware ignores. */
void proof_msi_decode(void)
{
    const struct vtdpi_msi m = any_msi();
    struct vtdpi_msi_request r;
    struct vtdpi_msi again;
    uint32_t handle;

    if (vtdpi_msi_decode(&m, &r) != 0)
        return;
    handle = (m.address_lo >> 5 & 0x7fff) | (m.address_lo << 13 & 0x8000);
    CLAIM(r.handle == handle && r.index <= 0xffff);
    CLAIM(r.index == handle + ((m.address_lo & 8) != 0 ? m.data & 0xffff : 0));
    CLAIM((m.address_lo & 0xfff00010) == 0xfee00010 && m.address_hi == 0);
    CLAIM(m.data >> 16 == 0);
    CLAIM(vtdpi_msi_encode(r.handle, &again) == 0);
    CLAIM(again.address_lo == ((m.address_lo & ~UINT32_C(3)) | 8));
}

void proof_rte_fields(void)
{
    struct vtdpi_rte x;
    struct vtdpi_rte y;
    uint64_t word = 0;

    x.index = nondet_u32();
    x.vector = nondet_u8();
    x.active_low = nondet_bool();
    x.level = nondet_bool();
    x.masked = nondet_bool();
    x.delivery_status = nondet_bool();
    x.remote_irr = nondet_bool();
    if (vtdpi_rte_encode(&x, &word) != 0) {
        CLAIM(x.index > 0xffff && word == 0);
        return;
    }
    CLAIM((word & UINT64_C(0x0000fffffffe5700)) == 0);
    CLAIM(vtdpi_rte_decode(word, &y) == 0);
    CLAIM(y.index == x.index && y.vector == x.vector);
    CLAIM(y.active_low == x.active_low && y.level == x.level);
    CLAIM(y.masked == x.masked && !y.delivery_status && !y.remote_irr);
}

/* encode(decode(word)) = word but for the read-only bits. */
void proof_rte_word(void)
{
    const uint64_t word = nondet_u64();
    struct vtdpi_rte f;
    uint64_t again;

    if (vtdpi_rte_decode(word, &f) != 0) {
        CLAIM((word >> 48 & 1) == 0 ||
              (word & UINT64_C(0x0000fffffffe0700)) != 0);
        return;
    }
    CLAIM(f.delivery_status == (word >> 12 & 1));
    CLAIM(f.remote_irr == (word >> 14 & 1));
    CLAIM(vtdpi_rte_encode(&f, &again) == 0);
    CLAIM(again == (word & ~UINT64_C(0x5000)));
}

/* The message put together again from the fields, by hand. */
void proof_compat_msi(void)
{
    const struct vtdpi_msi m = any_msi();
    const enum vtdpi_compat_dest form = (enum vtdpi_compat_dest)nondet_u32();
    struct vtdpi_compat_msi c;
    uint32_t lo;

    ASSUME(vtdpi_compat_msi_decode(&m, form, &c) == 0);
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
