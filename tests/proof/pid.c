/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about pid.h, one operation at a time, for all descriptors. */
#include "vtdpi/pid.h"

#include "proof.h"

static struct vtdpi_pid any_pid(void)
{
    struct vtdpi_pid pid;

    for (int i = 0; i < 4; i++)
        pid.pir[i] = nondet_u64();
    pid.control = nondet_u64();
    for (int i = 0; i < 3; i++)
        pid.reserved[i] = nondet_u64();
    return pid;
}

static bool same_pir(const struct vtdpi_pid *a, const struct vtdpi_pid *b)
{
    return a->pir[0] == b->pir[0] && a->pir[1] == b->pir[1] &&
           a->pir[2] == b->pir[2] && a->pir[3] == b->pir[3];
}

static bool same_reserved(const struct vtdpi_pid *a, const struct vtdpi_pid *b)
{
    return a->reserved[0] == b->reserved[0] &&
           a->reserved[1] == b->reserved[1] && a->reserved[2] == b->reserved[2];
}

/* NDST both ways, in both modes. */
void proof_pid_ndst(void)
{
    const uint32_t id = nondet_u32();
    const uint32_t x2apic = vtdpi_ndst_from_apic_id(VTDPI_X2APIC, id);
    const uint32_t xapic = vtdpi_ndst_from_apic_id(VTDPI_XAPIC, id);

    CLAIM(x2apic == id && xapic == (id & 0xff) << 8);
    CLAIM(vtdpi_apic_id_from_ndst(VTDPI_X2APIC, id) == id);
    CLAIM(vtdpi_apic_id_from_ndst(VTDPI_X2APIC, x2apic) == id);
    CLAIM(vtdpi_apic_id_from_ndst(VTDPI_XAPIC, id) == bits(id, 15, 8));
    CLAIM(vtdpi_apic_id_from_ndst(VTDPI_XAPIC, xapic) == (id & 0xff));
}

/* A new descriptor: nothing posted, ON = 0, SN = 1, nothing reserved set. */
void proof_pid_init(void)
{
    struct vtdpi_pid pid = any_pid();
    const uint8_t nv = nondet_u8();
    const uint32_t ndst = nondet_u32();
    struct vtdpi_pid zero = {0};

    vtdpi_pid_init(&pid, nv, ndst);
    CLAIM(same_pir(&pid, &zero) && same_reserved(&pid, &zero));
    CLAIM(pid.control == (2 | (uint64_t)nv << 16 | (uint64_t)ndst << 32));
}

void proof_pid_control(void)
{
    const uint64_t word = nondet_u64();
    const struct vtdpi_pid_control c = vtdpi_pid_control_decode(word);

    CLAIM(c.on == (word & 1) && c.sn == (word >> 1 & 1));
    CLAIM(c.nv == (word >> 16 & 0xff) && c.ndst == word >> 32);
    CLAIM(vtdpi_pid_control_encode(&c) ==
          (word & UINT64_C(0xffffffff00ff0003)));
}

/* A post sets its bit and at most ON, and tells what it did, and where. */
void proof_pid_post(void)
{
    const struct vtdpi_pid before = any_pid();
    const uint8_t vector = nondet_u8();
    const bool urgent = nondet_bool();
    const bool on = before.control & 1;
    const bool sn = before.control >> 1 & 1;
    struct vtdpi_pid pid = before;
    struct vtdpi_notification n;

    ASSUME(vector >= 16);
    n = vtdpi_pid_post(&pid, vector, urgent);
    for (unsigned int i = 0; i < 4; i++) {
        const uint64_t bit = vector / 64 == i ? UINT64_C(1) << vector % 64 : 0;

        CLAIM(pid.pir[i] == (before.pir[i] | bit));
    }
    CLAIM((n.result == VTDPI_POST_SUPPRESSED) == (sn && !urgent));
    CLAIM((n.result == VTDPI_POST_ALREADY) == (on && (!sn || urgent)));
    CLAIM((n.result == VTDPI_POST_NOTIFY) == (!on && (!sn || urgent)));
    CLAIM(pid.control ==
          (before.control | (n.result == VTDPI_POST_NOTIFY ? 1 : 0)));
    CLAIM(n.nv == (before.control >> 16 & 0xff));
    CLAIM(n.ndst == before.control >> 32);
    CLAIM(same_reserved(&pid, &before));
}

/* A harvest takes every bit, once, and clears nothing but ON. */
void proof_pid_harvest(void)
{
    const struct vtdpi_pid before = any_pid();
    struct vtdpi_pid pid = before;
    uint64_t out[4] = {nondet_u64(), nondet_u64(), nondet_u64(), nondet_u64()};
    const bool any = vtdpi_pid_harvest(&pid, out);
    uint64_t all = 0;

    for (unsigned int i = 0; i < 4; i++) {
        CLAIM(out[i] == before.pir[i] && pid.pir[i] == 0);
        all |= out[i];
    }
    CLAIM(any == (all != 0));
    CLAIM(pid.control == (before.control & ~UINT64_C(1)));
    CLAIM(!vtdpi_pid_pending(&pid));
}

/* What is merged is in IRR, IRR loses nothing, and the highest is right. */
void proof_pid_merge(void)
{
    static uint32_t vapic[1024];
    struct vtdpi_pid pid = any_pid();
    const struct vtdpi_pid before = pid;
    uint32_t irr[8];
    uint8_t highest;

    for (unsigned int i = 0; i < 8; i++) {
        irr[i] = nondet_u32();
        vapic[0x80 + 4 * i] = irr[i];
        irr[i] |= (uint32_t)(before.pir[i / 2] >> (i % 2 != 0 ? 32 : 0));
    }
    highest = vtdpi_pid_merge(&pid, vapic);
    for (int i = 0; i < 8; i++) {
        CLAIM(vapic[0x80 + 4 * i] == irr[i]);
        /* The bit of the highest is set, none above it is; 0 if none is set. */
        if (highest / 32 == i)
            CLAIM(irr[i] >> highest % 32 == 1 || (highest | irr[i]) == 0);
        else
            CLAIM(irr[i] == 0 || i < highest / 32);
    }
}

/* Only the bits of the mask change. */
void proof_pid_replace(void)
{
    const struct vtdpi_pid before = any_pid();
    const uint64_t mask = nondet_u64();
    const uint64_t value = nondet_u64() & mask;
    struct vtdpi_pid pid = before;

    CLAIM(vtdpi_pid_replace(&pid, mask, value) == before.control);
    CLAIM(pid.control == ((before.control & ~mask) | value));
    CLAIM(same_pir(&pid, &before) && same_reserved(&pid, &before));
}

/* NV and NDST, nothing else; ON, SN and reserved bits stay. */
void proof_pid_retarget(void)
{
    const struct vtdpi_pid before = any_pid();
    const uint8_t nv = nondet_u8();
    const uint32_t ndst = nondet_u32();
    struct vtdpi_pid pid = before;

    vtdpi_pid_retarget(&pid, nv, ndst);
    CLAIM(pid.control == ((before.control & UINT64_C(0xff00ffff)) |
                          (uint64_t)nv << 16 | (uint64_t)ndst << 32));
    CLAIM(same_pir(&pid, &before) && same_reserved(&pid, &before));
}

/* One bit each, and its old value. */
void proof_pid_bits(void)
{
    const struct vtdpi_pid before = any_pid();
    const bool on = before.control & 1;
    const bool sn = before.control >> 1 & 1;
    const uint64_t word = before.control;
    struct vtdpi_pid pid = before;

    CLAIM(vtdpi_pid_test_and_set_on(&pid) == on && pid.control == (word | 1));
    pid = before;
    CLAIM(vtdpi_pid_test_and_clear_on(&pid) == on &&
          pid.control == (word & ~UINT64_C(1)));
    pid = before;
    CLAIM(vtdpi_pid_test_and_set_sn(&pid) == sn && pid.control == (word | 2));
    pid = before;
    CLAIM(vtdpi_pid_test_and_clear_sn(&pid) == sn &&
          pid.control == (word & ~UINT64_C(2)));
    CLAIM(same_pir(&pid, &before) && same_reserved(&pid, &before));
}

/* What a look says, and that it changes nothing. */
void proof_pid_looks(void)
{
    const struct vtdpi_pid pid = any_pid();
    const bool any = (pid.pir[0] | pid.pir[1] | pid.pir[2] | pid.pir[3]) != 0;
    const int highest = vtdpi_pir_highest(pid.pir);
    const struct vtdpi_pid before = pid;
    const uint8_t vector = nondet_u8();
    uint64_t out[4];

    CLAIM(vtdpi_pid_peek(&pid, out) == any);
    CLAIM(out[0] == pid.pir[0] && out[1] == pid.pir[1] &&
          out[2] == pid.pir[2] && out[3] == pid.pir[3]);
    CLAIM(vtdpi_pid_highest(&pid) == highest);
    CLAIM(vtdpi_pid_test(&pid, vector) ==
          (pid.pir[vector / 64] >> vector % 64 & 1));
    CLAIM(same_pir(&pid, &before) && pid.control == before.control);
    CLAIM(vtdpi_pid_snapshot(&pid) == pid.control);
    CLAIM(vtdpi_pid_pir_pending(&pid) == any);
    CLAIM(vtdpi_pid_pending(&pid) == (any || (pid.control & 1) != 0));
    CLAIM(highest >= -1 && highest <= 255 && (highest >= 0) == any);
    for (int i = 0; i < 4; i++) {
        if (highest >= 0 && highest / 64 == i)
            CLAIM(pid.pir[i] >> highest % 64 == 1);
        else
            CLAIM(pid.pir[i] == 0 || i < highest / 64);
    }
}

/* Everything posted is dropped; ON, too. */
void proof_pid_discard(void)
{
    const struct vtdpi_pid before = any_pid();
    struct vtdpi_pid pid = before;

    vtdpi_pid_discard(&pid);
    CLAIM((pid.pir[0] | pid.pir[1] | pid.pir[2] | pid.pir[3]) == 0);
    CLAIM(pid.control == (before.control & ~UINT64_C(1)));
    CLAIM(same_reserved(&pid, &before));
}
