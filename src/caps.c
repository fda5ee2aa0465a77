/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a unit can do, decoded from three registers, and the options of a user.
 * Pure. The verdict that follows from both is in verdict.c.
 */
#include "vtdpi/caps.h"

#include "internal.h"

static bool word_has(uint64_t word, uint64_t bit)
{
    return (word & bit) != 0;
}

/* The first page holds every register at a fixed offset. */
static uint32_t register_bytes(const struct vtdpi_caps *caps)
{
    const uint32_t faults =
        caps->fault_offset + (uint32_t)caps->fault_count * VTDPI_FRCD_SIZE;
    const uint32_t iotlb = caps->iotlb_offset + VTDPI_IOTLB_REGISTERS_BYTES_;
    const uint32_t page = (uint32_t)VTDPI_PAGE_BYTES_;
    uint32_t end = page;

    if (end < faults)
        end = faults;
    if (end < iotlb)
        end = iotlb;
    return (end + page - 1) & ~(page - 1);
}

static void decode_cap(struct vtdpi_caps *c, uint64_t cap)
{
    c->cap = cap;
    c->nd = (uint8_t)VTDPI_FIELD_GET(cap, VTDPI_CAP_ND);
    c->rwbf = word_has(cap, VTDPI_CAP_RWBF);
    c->cm = word_has(cap, VTDPI_CAP_CM);
    c->sagaw = (uint8_t)VTDPI_FIELD_GET(cap, VTDPI_CAP_SAGAW);
    c->guest_width = (uint8_t)(VTDPI_FIELD_GET(cap, VTDPI_CAP_MGAW) + 1);
    c->fault_offset = (uint16_t)(VTDPI_FIELD_GET(cap, VTDPI_CAP_FRO) * 16);
    c->fault_count = (uint16_t)(VTDPI_FIELD_GET(cap, VTDPI_CAP_NFR) + 1);
    c->pi = word_has(cap, VTDPI_CAP_PI);
    c->fl5lp = word_has(cap, VTDPI_CAP_FL5LP);
    c->esirtps = word_has(cap, VTDPI_CAP_ESIRTPS);
    c->esrtps = word_has(cap, VTDPI_CAP_ESRTPS);
}

static void decode_ecap(struct vtdpi_caps *c, uint64_t ecap)
{
    c->ecap = ecap;
    c->coherent = word_has(ecap, VTDPI_ECAP_C);
    c->qi = word_has(ecap, VTDPI_ECAP_QI);
    c->dt = word_has(ecap, VTDPI_ECAP_DT);
    c->ir = word_has(ecap, VTDPI_ECAP_IR);
    c->eim = word_has(ecap, VTDPI_ECAP_EIM);
    c->pt = word_has(ecap, VTDPI_ECAP_PT);
    c->sc = word_has(ecap, VTDPI_ECAP_SC);
    c->iotlb_offset = (uint16_t)(VTDPI_FIELD_GET(ecap, VTDPI_ECAP_IRO) * 16);
    c->mhmv = (uint8_t)VTDPI_FIELD_GET(ecap, VTDPI_ECAP_MHMV);
    c->smts = word_has(ecap, VTDPI_ECAP_SMTS);
}

/*
 * Each register has reserved bits that read as zero, so one word of all ones is
 * enough: a unit may vanish between two reads. A word of zeros is legal, but no
 * unit has three of them: VER then names no version.
 */
static bool unit_answers(uint32_t ver, uint64_t cap, uint64_t ecap)
{
    return ver != VTDPI_ALL_ONES32_ && cap != VTDPI_ALL_ONES64_ &&
           ecap != VTDPI_ALL_ONES64_ && (ver | cap | ecap) != 0;
}

int vtdpi_caps_decode(uint32_t ver, uint64_t cap, uint64_t ecap,
                      struct vtdpi_caps *out)
{
    *out = (struct vtdpi_caps){0};
    if (!unit_answers(ver, cap, ecap))
        return VTDPI_EIO;

    out->version_major = (uint8_t)VTDPI_FIELD_GET(ver, VTDPI_VER_MAJOR);
    out->version_minor = (uint8_t)VTDPI_FIELD_GET(ver, VTDPI_VER_MINOR);
    decode_cap(out, cap);
    decode_ecap(out, ecap);
    out->register_bytes = register_bytes(out);
    return 0;
}

void vtdpi_caps_options_init(struct vtdpi_caps_options *options)
{
    *options = (struct vtdpi_caps_options){.intremap = true, .intpost = true};
}

/* One accepted NAME=VALUE: the member that it sets, and to what. */
struct option_item {
    const char *name;
    const char *value;
    size_t member;
    bool to;
};

#define OPTION_MEMBER(m) offsetof(struct vtdpi_caps_options, m)

static const struct option_item option_items[] = {
    {"intremap", "on", OPTION_MEMBER(intremap), true},
    {"intremap", "off", OPTION_MEMBER(intremap), false},
    {"intpost", "on", OPTION_MEMBER(intpost), true},
    {"intpost", "off", OPTION_MEMBER(intpost), false},
    {"x2apic_optout", "honour", OPTION_MEMBER(ignore_x2apic_optout), false},
    {"x2apic_optout", "ignore", OPTION_MEMBER(ignore_x2apic_optout), true},
};

/* Whether the len bytes at text are exactly the word. */
static bool option_is_word(const char *text, size_t len, const char *word)
{
    size_t i = 0;

    while (i < len && word[i] != '\0' && text[i] == word[i])
        i++;
    return i == len && word[i] == '\0';
}

/* Bytes up to the end of the text, a comma, or the character stop. */
static size_t option_span(const char *text, char stop)
{
    size_t n = 0;

    while (text[n] != '\0' && text[n] != ',' && text[n] != stop)
        n++;
    return n;
}

/*
 * Applies the item at text and sets *used to its length. On failure *used is
 * the offset of what is wrong within it.
 */
static int option_apply(const char *text, struct vtdpi_caps_options *options,
                        size_t *used)
{
    const size_t name = option_span(text, '=');
    const char *const value_text = text + name + 1;
    bool name_known = false;
    size_t value;

    *used = 0;
    if (text[name] != '=')
        return VTDPI_EOPTION;
    value = option_span(value_text, ',');

    for (size_t i = 0; i < sizeof(option_items) / sizeof(*option_items); i++) {
        const struct option_item *const item = &option_items[i];

        if (!option_is_word(text, name, item->name))
            continue;
        name_known = true;
        if (!option_is_word(value_text, value, item->value))
            continue;
        *(bool *)((unsigned char *)options + item->member) = item->to;
        *used = name + 1 + value;
        return 0;
    }
    if (name_known)
        *used = name + 1;
    return VTDPI_EOPTION;
}

int vtdpi_caps_options_parse(const char *text,
                             struct vtdpi_caps_options *options,
                             size_t *error_offset)
{
    struct vtdpi_caps_options parsed = *options;
    size_t at = 0;
    size_t used;
    int rc;

    if (text[0] == '\0')
        return 0;
    for (;;) {
        rc = option_apply(text + at, &parsed, &used);
        at += used;
        if (rc != 0)
            break;
        if (text[at] == '\0') {
            *options = parsed;
            return 0;
        }
        at++; /* the comma; an item must follow */
    }
    if (error_offset != NULL)
        *error_offset = at;
    return rc;
}

static VTDPI_COLD bool registers_fit(uint32_t at, uint32_t bytes,
                                     uint32_t window_bytes)
{
    return at >= VTDPI_FIXED_REGISTERS_END_ && at + bytes <= window_bytes;
}

VTDPI_COLD int vtdpi_caps_check_window_(const struct vtdpi_caps *caps,
                                        uint32_t window_bytes)
{
    if (!registers_fit(caps->fault_offset, caps->fault_count * VTDPI_FRCD_SIZE,
                       window_bytes))
        return VTDPI_EFRO;
    return registers_fit(caps->iotlb_offset, VTDPI_IOTLB_REGISTERS_BYTES_,
                         window_bytes)
               ? 0
               : VTDPI_EIRO;
}
