/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about caps.h: registers and options. */
#include "src/caps.c"

#include "proof.h"

/* Every field is where the registers have it; all ones, and nothing but zeros,
 * are refused. */
void proof_caps_decode(void)
{
    const uint32_t ver = nondet_u32();
    const uint64_t cap = nondet_u64();
    const uint64_t ecap = nondet_u64();
    struct vtdpi_caps c;
    const int rc = vtdpi_caps_decode(ver, cap, ecap, &c);

    CLAIM((rc == 0) ==
          (ver != UINT32_MAX && cap != UINT64_MAX && ecap != UINT64_MAX &&
           (ver != 0 || cap != 0 || ecap != 0)));
    /* The verdict knows a unit that does not answer by that. */
    CLAIM((rc == 0) == (c.register_bytes != 0));
    if (rc != 0) {
        CLAIM(!c.qi && !c.ir && !c.pi && c.fault_count == 0);
        return;
    }
    CLAIM(c.cap == cap && c.ecap == ecap);
    CLAIM(c.version_major == bits(ver, 7, 4));
    CLAIM(c.version_minor == bits(ver, 3, 0));
    CLAIM(c.nd == bits(cap, 2, 0) && c.rwbf == bits(cap, 4, 4));
    CLAIM(c.cm == bits(cap, 7, 7) && c.sagaw == bits(cap, 12, 8));
    CLAIM(c.guest_width == bits(cap, 21, 16) + 1);
    CLAIM(c.fault_offset == bits(cap, 33, 24) * 16);
    CLAIM(c.fault_count == bits(cap, 47, 40) + 1);
    CLAIM(c.pi == bits(cap, 59, 59) && c.fl5lp == bits(cap, 60, 60));
    CLAIM(c.esirtps == bits(cap, 62, 62) && c.esrtps == bits(cap, 63, 63));
    CLAIM(c.coherent == bits(ecap, 0, 0) && c.qi == bits(ecap, 1, 1));
    CLAIM(c.dt == bits(ecap, 2, 2) && c.ir == bits(ecap, 3, 3));
    CLAIM(c.eim == bits(ecap, 4, 4) && c.pt == bits(ecap, 6, 6));
    CLAIM(c.sc == bits(ecap, 7, 7) && c.mhmv == bits(ecap, 23, 20));
    CLAIM(c.iotlb_offset == bits(ecap, 17, 8) * 16);
    CLAIM(c.smts == bits(ecap, 43, 43));
}

/* The window that the host maps holds every record and the IOTLB registers, and
 * is no larger than that needs. */
void proof_caps_window(void)
{
    const uint64_t cap = nondet_u64();
    const uint64_t ecap = nondet_u64();
    const uint32_t faults =
        (uint32_t)(bits(cap, 33, 24) * 16 + (bits(cap, 47, 40) + 1) * 16);
    const uint32_t iotlb = (uint32_t)(bits(ecap, 17, 8) * 16 + 16);
    struct vtdpi_caps c;

    ASSUME(vtdpi_caps_decode(0x10, cap, ecap, &c) == 0);
    CLAIM(c.register_bytes >= 4096 && c.register_bytes % 4096 == 0);
    CLAIM(c.register_bytes >= faults && c.register_bytes >= iotlb);
    CLAIM(c.register_bytes == 4096 || c.register_bytes - 4096 < faults ||
          c.register_bytes - 4096 < iotlb);
    REACH(c.register_bytes > 4096);
}

/* Whether a window that somebody else names holds every record and the IOTLB registers,
 * and neither lies among the fixed registers. */
void proof_caps_check_window(void)
{
    struct vtdpi_caps c = {0};
    const uint32_t window = nondet_u32();
    bool faults;
    bool iotlb;
    int rc;

    /* As wide as the fields of CAP and ECAP. */
    c.fault_offset = (nondet_u32() & 0x3ff) * 16;
    c.fault_count = (uint16_t)(nondet_u8() + 1);
    c.iotlb_offset = (nondet_u32() & 0x3ff) * 16;
    faults = c.fault_offset >= 0xc0 &&
             c.fault_offset + c.fault_count * 16u <= window;
    iotlb = c.iotlb_offset >= 0xc0 && c.iotlb_offset + 16u <= window;
    rc = vtdpi_caps_check_window_(&c, window);
    CLAIM((rc == VTDPI_EFRO) == !faults);
    CLAIM((rc == VTDPI_EIRO) == (faults && !iotlb));
    CLAIM((rc == 0) == (faults && iotlb));
    REACH(rc == 0);
    REACH(rc == VTDPI_EIRO);
}

static bool same_options(const struct vtdpi_caps_options *a,
                         const struct vtdpi_caps_options *b)
{
    return a->intremap == b->intremap && a->intpost == b->intpost &&
           a->ignore_x2apic_optout == b->ignore_x2apic_optout;
}

/* Any text of up to @p max characters; it ends with its object, so that a read
 * beyond the zero is one out of bounds. */
static const char *any_text(char *room, size_t max, size_t *length)
{
    *length = nondet_u32();
    ASSUME(*length <= max);
    for (size_t i = 0; i < max; i++) {
        room[i] = (char)nondet_u8();
        ASSUME(i < max - *length || room[i] != '\0');
    }
    room[max] = '\0';
    return room + max - *length;
}

/* How far a name or a value reaches, in any text of up to 24 characters: not
 * beyond the zero, to the first character that ends it. */
void proof_caps_span(void) /* unwind 26 */
{
    char room[25];
    size_t length;
    const char *const text = any_text(room, 24, &length);
    const char stop = nondet_bool() ? '=' : ',';
    const size_t n = option_span(text, stop);
    const size_t i = nondet_u32();

    CLAIM(n <= length);
    CLAIM(text[n] == stop || text[n] == ',' || text[n] == '\0');
    ASSUME(i < n);
    CLAIM(text[i] != stop && text[i] != ',' && text[i] != '\0');
    REACH(n == 24);
}

/* A word is compared within its length and the text's, and found if and only if
 * all of it is there. */
void proof_caps_word(void) /* unwind 18 */
{
    char room[17];
    size_t length;
    const char *const text = any_text(room, 16, &length);
    const size_t len = nondet_u32();
    const size_t i = nondet_u32();

    ASSUME(len <= length && i < 13);
    if (option_is_word(text, len, "x2apic_optout"))
        CLAIM(len == 13 && text[i] == "x2apic_optout"[i]);
    else
        CLAIM(len != 13 || text[0] != 'x' || text[1] != '2' || text[2] != 'a' ||
              text[3] != 'p' || text[4] != 'i' || text[5] != 'c' ||
              text[6] != '_' || text[7] != 'o' || text[8] != 'p' ||
              text[9] != 't' || text[10] != 'o' || text[11] != 'u' ||
              text[12] != 't');
}

/* One item at the start of any text of up to 12 characters: what is used of it
 * ends at the zero or at a comma, and what is wrong with it lies within it. So
 * texts are read in bounds, item by item. */
void proof_caps_option(void) /* unwind 15 */
{
    struct vtdpi_caps_options o = {nondet_bool(), nondet_bool(), nondet_bool()};
    const struct vtdpi_caps_options before = o;
    char room[13];
    size_t length;
    const char *const text = any_text(room, 12, &length);
    size_t used;
    const int rc = option_apply(text, &o, &used);

    CLAIM(rc == 0 || rc == VTDPI_EOPTION);
    CLAIM(used <= length);
    if (rc != 0) {
        CLAIM(same_options(&o, &before));
        return;
    }
    /* "intpost=on" is the shortest item. */
    CLAIM(used >= 10 && (used == length || text[used] == ','));
    REACH(used == 12);
    REACH(!same_options(&o, &before));
}
