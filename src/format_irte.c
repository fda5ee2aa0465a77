/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of an interrupt-remapping table entry, in both formats. */
#include "vtdpi/format.h"

#include "format_sink.h"

static const struct vtdpi_sink_field_ remapped_fields[] = {
    {VTDPI_IRTE_LO_P, "P"},         {VTDPI_IRTE_LO_FPD, "FPD"},
    {VTDPI_IRTE_LO_DM, "DM"},       {VTDPI_IRTE_LO_RH, "RH"},
    {VTDPI_IRTE_LO_TM, "TM"},       {VTDPI_IRTE_LO_DLM, "DLM"},
    {VTDPI_IRTE_LO_AVAIL, "AVAIL"}, {VTDPI_IRTE_LO_IM, "IM"},
    {VTDPI_IRTE_LO_VECTOR, "V"},
};

static const struct vtdpi_sink_field_ posted_fields[] = {
    {VTDPI_IRTE_LO_P, "P"},         {VTDPI_IRTE_LO_FPD, "FPD"},
    {VTDPI_IRTE_LO_AVAIL, "AVAIL"}, {VTDPI_IRTE_LO_URG, "URG"},
    {VTDPI_IRTE_LO_IM, "IM"},       {VTDPI_IRTE_LO_VECTOR, "V"},
};

/* Of an entry that is not present hardware reads nothing else but FPD. */
static const struct vtdpi_sink_field_ absent_fields[] = {
    {VTDPI_IRTE_LO_P, "P"},
    {VTDPI_IRTE_LO_FPD, "FPD"},
    {VTDPI_IRTE_LO_AVAIL, "AVAIL"},
    {VTDPI_IRTE_LO_IM, "IM"},
};

static VTDPI_COLD void source_fields(struct vtdpi_sink_ *s, uint64_t hi)
{
    static const struct vtdpi_sink_field_ fields[] = {
        {VTDPI_IRTE_HI_SQ, "SQ"},
        {VTDPI_IRTE_HI_SVT, "SVT"},
    };
    const uint64_t sid = VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SID);

    if (VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SVT) == 2) {
        vtdpi_sink_number_(s, "SID", sid);
        vtdpi_sink_name_(s, "buses");
        vtdpi_sink_digits_(s, sid >> 8, 2);
        vtdpi_sink_char_(s, '-');
        vtdpi_sink_digits_(s, sid & 0xff, 2);
    } else {
        vtdpi_sink_sid_(s, "SID", (uint16_t)sid);
    }
    vtdpi_sink_fields_(s, hi, fields, VTDPI_SINK_COUNT_(fields));
}

static VTDPI_COLD void remapped_put(struct vtdpi_sink_ *s,
                                    const struct vtdpi_irte *irte,
                                    enum vtdpi_apic_mode mode)
{
    vtdpi_sink_fields_(s, irte->lo, remapped_fields,
                       VTDPI_SINK_COUNT_(remapped_fields));
    vtdpi_sink_number_(s, "DST",
                       mode == VTDPI_XAPIC
                           ? VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_DST_XAPIC)
                           : VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_DST));
    source_fields(s, irte->hi);
}

static VTDPI_COLD void posted_put(struct vtdpi_sink_ *s,
                                  const struct vtdpi_irte *irte)
{
    vtdpi_sink_fields_(s, irte->lo, posted_fields,
                       VTDPI_SINK_COUNT_(posted_fields));
    vtdpi_sink_number_(s, "PDA",
                       VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_PDA) << 6 |
                           VTDPI_FIELD_GET(irte->hi, VTDPI_IRTE_HI_PDA) << 32);
    source_fields(s, irte->hi);
}

VTDPI_COLD void vtdpi_format_irte_fields_(struct vtdpi_sink_ *s,
                                          const struct vtdpi_irte *irte,
                                          enum vtdpi_apic_mode mode)
{
    if ((irte->lo & VTDPI_IRTE_LO_P) == 0)
        vtdpi_sink_fields_(s, irte->lo, absent_fields,
                           VTDPI_SINK_COUNT_(absent_fields));
    else if (vtdpi_irte_is_posted(irte))
        posted_put(s, irte);
    else
        remapped_put(s, irte, mode);
    vtdpi_sink_number_(s, "hi", irte->hi);
    vtdpi_sink_number_(s, "lo", irte->lo);
}

enum {
    /* How often an entry that changes is read again. */
    READ_TRIES = 4,
};

/*
 * Two reads that agree: then the words were an entry of one moment. Acquire, so
 * that a later load is not done before an earlier one. That is not a proof: an
 * entry can change twice and come back in between. A text may be wrong then, and
 * a table is changed by vtdpi_irte_replace(), which compares all 16 bytes.
 */
VTDPI_COLD bool vtdpi_format_irte_read_(const struct vtdpi_irte *entry,
                                        struct vtdpi_irte *out)
{
    for (unsigned int i = 0; i < READ_TRIES; i++) {
        out->lo = vtdpi_atomic_load64_acquire(&entry->lo);
        out->hi = vtdpi_atomic_load64_acquire(&entry->hi);
        if (vtdpi_atomic_load64_acquire(&entry->lo) == out->lo &&
            vtdpi_atomic_load64_acquire(&entry->hi) == out->hi)
            return true;
    }
    return false;
}

VTDPI_COLD size_t vtdpi_format_irte(char *buf, size_t size,
                                    const struct vtdpi_irte *irte,
                                    enum vtdpi_apic_mode mode, unsigned int haw)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    struct vtdpi_irte copy;
    const bool whole = vtdpi_format_irte_read_(irte, &copy);

    vtdpi_format_irte_fields_(&s, &copy, mode);
    if (whole)
        vtdpi_sink_error_(&s, vtdpi_irte_validate(&copy, mode, haw));
    else
        vtdpi_sink_bit_(&s, "changing", true);
    return vtdpi_sink_end_(&s);
}
