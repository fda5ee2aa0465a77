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

void proof_pid_control(void)
{
    const uint64_t word = nondet_u64();
    const struct vtdpi_pid_control c = vtdpi_pid_control_decode(word);

    CLAIM(c.on == (word & 1) && c.sn == (word >> 1 & 1));
    CLAIM(c.nv == (word >> 16 & 0xff) && c.ndst == word >> 32);
    CLAIM(vtdpi_pid_control_encode(&c) ==
          (word & UINT64_C(0xffffffff00ff0003)));
}

/* A post sets its bit and at most ON, and tells whom to notify. */
void proof_pid_post(void)
{
    const struct vtdpi_pid before = any_pid();
    const uint8_t vector = nondet_u8();
    const bool urgent = nondet_bool();
    const bool on = before.control & 1;
    const bool sn = before.control >> 1 & 1;
    struct vtdpi_pid pid = before;
    const struct vtdpi_notification n = vtdpi_pid_post(&pid, vector, urgent);

    for (unsigned int i = 0; i < 4; i++) {
        const uint64_t bit = vector / 64 == i ? UINT64_C(1) << vector % 64 : 0;

        CLAIM(pid.pir[i] == (before.pir[i] | bit));
    }
    CLAIM(n.needed == (!on && (!sn || urgent)));
    CLAIM(pid.control == (before.control | (n.needed ? 1 : 0)));
    CLAIM(n.nv == (n.needed ? before.control >> 16 & 0xff : 0));
    CLAIM(n.ndst == (n.needed ? before.control >> 32 : 0));
    CLAIM(pid.reserved[0] == before.reserved[0]);
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
    int highest;

    for (unsigned int i = 0; i < 8; i++) {
        irr[i] = nondet_u32();
        vapic[0x80 + 4 * i] = irr[i];
        irr[i] |= (uint32_t)(before.pir[i / 2] >> (i % 2 != 0 ? 32 : 0));
    }
    highest = vtdpi_pid_merge(&pid, vapic);
    CLAIM(highest >= -1 && highest <= 255);
    for (int i = 0; i < 8; i++) {
        CLAIM(vapic[0x80 + 4 * i] == irr[i]);
        /* The bit of the highest is set, none above it is. */
        if (highest / 32 == i && highest >= 0)
            CLAIM(irr[i] >> highest % 32 == 1);
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
}
