/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about fault.h: records, texts, and the message of the fault event. */
#include "src/fault.c"

#include "proof.h"

/* Every record decodes to what its bits say; F and the rest do not matter. */
void proof_fault_decode(void)
{
    const uint64_t lo = nondet_u64();
    const uint64_t hi = nondet_u64();
    const uint64_t reason = bits(hi, 39, 32);
    const bool interrupt = reason >= 0x20 && reason <= 0x28;
    struct vtdpi_fault f;

    vtdpi_fault_decode(lo, hi, &f);
    CLAIM(f.lo == lo && f.hi == hi && f.reason == reason);
    CLAIM(f.sid == bits(hi, 15, 0));
    CLAIM(f.kind == (interrupt ? VTDPI_FAULT_INTERRUPT : VTDPI_FAULT_DMA));
    CLAIM(f.has_index == (interrupt && reason != 0x25));
    CLAIM(f.index == (f.has_index ? bits(lo, 63, 48) : 0));
    CLAIM(f.hideable == (reason == 0x22 || reason == 0x24 || reason == 0x26 ||
                         reason == 0x27 || reason == 0x28));
    CLAIM(f.record == 0 && f.owner == NULL);
    REACH(interrupt && f.index == 0xffff);
}

/* Every reason has a text, of its own if it is one of interrupts. */
void proof_fault_text(void)
{
    const uint8_t reason = nondet_u8();
    const uint8_t other = nondet_u8();
    const char *const text = vtdpi_fault_reason_text(reason);
    const bool interrupt = reason >= 0x20 && reason <= 0x28;

    CLAIM(text[0] != '\0');
    CLAIM((text == vtdpi_fault_reason_text(0)) == !interrupt);
    ASSUME(interrupt && other != reason);
    CLAIM(text != vtdpi_fault_reason_text(other));
}

/* Registers that remember the last write to each of the event's. */
static uint32_t fectl;
static uint32_t fedata;
static uint32_t feaddr;
static uint32_t feuaddr;
static bool half_sent; /* the message was changed unmasked */

static uint32_t read32_event(void *ctx, uint32_t at)
{
    (void)ctx;
    return at == 0x38 ? fectl : nondet_u32();
}

static void write32_event(void *ctx, uint32_t at, uint32_t value)
{
    (void)ctx;
    if (at == 0x38) {
        fectl = value;
        return;
    }
    half_sent = half_sent || (fectl & UINT32_C(0x80000000)) == 0;
    if (at == 0x3c)
        fedata = value;
    else if (at == 0x40)
        feaddr = value;
    else if (at == 0x44)
        feuaddr = value;
    else
        CLAIM(0);
}

static uintptr_t lock_event(void *ctx)
{
    (void)ctx;
    return 0;
}

static void unlock_event(void *ctx, uintptr_t token)
{
    (void)ctx;
    (void)token;
}

/* Exactly the processors that can be addressed are accepted; the message is a
 * fixed, edge, physical one to that processor; it is changed only while masked,
 * and FECTL's reserved bits stay. */
void proof_fault_event(void)
{
    static const struct vtdpi_platform_ops ops = {
        .read32 = read32_event,
        .write32 = write32_event,
        .lock = lock_event,
        .unlock = unlock_event,
    };
    struct vtdpi_unit unit = {0};
    const uint32_t mode = nondet_u32();
    const uint32_t id = nondet_u32();
    const uint8_t vector = nondet_u8();
    const uint32_t before = nondet_u32();
    int rc;

    unit.ops = &ops;
    unit.caps.eim = nondet_bool();
    fectl = before;
    rc =
        vtdpi_fault_event_enable(&unit, (enum vtdpi_apic_mode)mode, id, vector);
    CLAIM((rc == 0) == (mode <= 1 && vector >= 16 &&
                        id <= (mode == 1 ? UINT32_MAX - 1 : 254) &&
                        (id <= 255 || unit.caps.eim) && before != UINT32_MAX));
    if (rc != 0)
        return;
    CLAIM(feaddr == (UINT32_C(0xfee00000) | (id & 0xff) << 12));
    CLAIM(feuaddr == (id & ~UINT32_C(0xff)) && fedata == vector);
    CLAIM(fectl == (before & UINT32_C(0x3fffffff)));
    CLAIM(!half_sent);
    REACH(id > 255);
}

static uint32_t cleared_at;
static uint64_t cleared_by;

static void write64_record(void *ctx, uint32_t at, uint64_t value)
{
    (void)ctx;
    cleared_at = at;
    cleared_by = value;
}

/* A record is cleared by F alone, in its second word, wherever CAP puts it. */
void proof_fault_clear(void)
{
    static const struct vtdpi_platform_ops ops = {.write64 = write64_record};
    struct vtdpi_unit unit = {0};
    const uint8_t i = nondet_u8();

    unit.ops = &ops;
    unit.caps.fault_offset = nondet_u16();
    record_clear(&unit, i);
    CLAIM(cleared_at == (uint32_t)unit.caps.fault_offset + i * 16u + 8);
    CLAIM(cleared_by == UINT64_C(1) << 63);
}
