/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about verdict.h. */
#include "src/caps.c"
#include "src/verdict.c"

#include "proof.h"

/* 0: any window. proof_caps_check_window() has what the function says. */
static bool fits(const struct vtdpi_caps *caps, uint32_t window_bytes)
{
    return vtdpi_caps_check_window_(caps, window_bytes != 0 ? window_bytes
                                                            : 0xffffffff) == 0;
}

/* What a unit lacks for remapping, and for posting. */
static bool unit_remaps(const struct vtdpi_verdict_unit *u, bool x2apic)
{
    return u->caps != NULL && u->caps->register_bytes != 0 && u->caps->qi &&
           u->caps->ir && (u->caps->eim || !x2apic) &&
           fits(u->caps, u->window_bytes) &&
           u->eime !=
               (x2apic ? VTDPI_VERDICT_EIME_CLEAR : VTDPI_VERDICT_EIME_SET);
}

/* Up to 2 units and 2 uncovered IOAPICs: the verdict is what follows from the
 * conditions written out, there is a reason exactly if it is not posting, and
 * the list is never written beyond its room. */
void proof_verdict_decide(void)
{
    struct vtdpi_caps caps[2] = {0};
    struct vtdpi_verdict_unit units[2];
    const uint8_t ids[2] = {nondet_u8(), nondet_u8()};
    struct vtdpi_verdict_facts f = {0};
    const struct vtdpi_caps_options o = {nondet_bool(), nondet_bool(),
                                         nondet_bool()};
    struct vtdpi_verdict_reason room[3];
    const size_t capacity = nondet_u8() & 3;
    enum vtdpi_verdict v;
    bool remaps;
    bool posts;
    size_t count;

    for (int i = 0; i < 2; i++) {
        caps[i].qi = nondet_bool();
        caps[i].ir = nondet_bool();
        caps[i].eim = nondet_bool();
        caps[i].pi = nondet_bool();
        caps[i].register_bytes = nondet_bool() ? 4096 : 0;
        /* As wide as the fields of CAP and ECAP. */
        caps[i].fault_offset = (nondet_u32() & 0x3ff) * 16;
        caps[i].fault_count = (uint16_t)(nondet_u8() + 1);
        caps[i].iotlb_offset = (nondet_u32() & 0x3ff) * 16;
        units[i].window_bytes = nondet_u32();
        units[i].caps = nondet_bool() ? &caps[i] : NULL;
        units[i].eime = (enum vtdpi_verdict_eime)(nondet_u8() % 3);
    }
    f.units = units;
    f.unit_count = nondet_u8() % 3;
    f.uncovered_ioapics = ids;
    f.uncovered_ioapic_count = nondet_u8() % 3;
    f.firmware_intr_remap = nondet_bool();
    f.firmware_x2apic_optout = nondet_bool();
    f.cpu_x2apic = nondet_bool();
    f.cpu_cx16 = nondet_bool();
    /* The room ends with its object. */
    v = vtdpi_verdict_decide(&f, &o, room + 3 - capacity, capacity, &count);

    remaps =
        f.unit_count > 0 && f.uncovered_ioapic_count == 0 &&
        f.firmware_intr_remap && o.intremap &&
        (!f.cpu_x2apic || !f.firmware_x2apic_optout || o.ignore_x2apic_optout);
    posts = f.cpu_cx16 && o.intpost;
    for (size_t i = 0; i < f.unit_count; i++) {
        remaps = remaps && unit_remaps(&units[i], f.cpu_x2apic);
        posts = posts && units[i].caps != NULL &&
                units[i].caps->register_bytes != 0 && units[i].caps->pi;
    }
    CLAIM((v == VTDPI_VERDICT_NONE) == !remaps);
    CLAIM((v == VTDPI_VERDICT_POSTING) == (remaps && posts));
    CLAIM((count == 0) == (v == VTDPI_VERDICT_POSTING) && count <= 19);
    if (count > 0 && capacity > 0)
        CLAIM(vtdpi_verdict_reason_limit(room[3 - capacity].code) <
              VTDPI_VERDICT_POSTING);
    REACH(count == 19);
    REACH(v == VTDPI_VERDICT_REMAPPING && f.unit_count == 2);
}

/* Every value has a text. */
void proof_verdict_texts(void)
{
    const enum vtdpi_verdict_reason_code code =
        (enum vtdpi_verdict_reason_code)nondet_u32();
    const uint32_t n = (uint32_t)code;

    CLAIM(vtdpi_verdict_reason_text(code)[0] != '\0');
    CLAIM((vtdpi_verdict_reason_text(code)[0] == 'u' &&
           vtdpi_verdict_reason_text(code)[1] == 'n' &&
           vtdpi_verdict_reason_text(code)[2] == 'k') == (n < 1 || n > 14));
    CLAIM(vtdpi_verdict_reason_limit(code) <= VTDPI_VERDICT_REMAPPING);
    CLAIM(vtdpi_verdict_reason_where(code) <= VTDPI_VERDICT_WHERE_IOAPIC);
    CLAIM(vtdpi_verdict_text((enum vtdpi_verdict)nondet_u32())[0] != '\0');
}
