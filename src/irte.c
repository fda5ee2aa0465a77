/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of an interrupt-remapping table. Pure, except vtdpi_irte_replace().
 * Read irte.h first: what an entry that is not present may hold, and what is
 * refused beyond what hardware refuses.
 *
 * Encoders pack first and then run the same check on the words that
 * vtdpi_irte_validate() runs, so that what can be encoded and what is valid
 * cannot drift apart. What has no representation is refused while packing.
 */
#include "vtdpi/irte.h"

#include "internal.h"

#define IRTE_AVAIL_MAX     15
#define IRTE_SQ_MAX        3
#define IRTE_DLM_MAX       7
#define IRTE_XAPIC_DST_MAX 255

/* Source validation types (SVT). */
enum {
    SVT_NONE = 0,
    SVT_SID_SQ = 1,
    SVT_BUS_RANGE = 2,
};

static bool source_is_empty(const struct vtdpi_source *s)
{
    return s->kind == VTDPI_SOURCE_UNSET && s->sid == 0 && s->sq == 0;
}

static int pack_source(const struct vtdpi_source *s, uint64_t *hi)
{
    uint64_t svt;

    switch (s->kind) {
    case VTDPI_SOURCE_UNSET:
        return VTDPI_EIRTE_SOURCE;
    case VTDPI_SOURCE_ANY:
        svt = SVT_NONE;
        break;
    case VTDPI_SOURCE_EXACT:
        svt = SVT_SID_SQ;
        break;
    case VTDPI_SOURCE_BUS_RANGE:
        svt = SVT_BUS_RANGE;
        break;
    case VTDPI_SOURCE_RESERVED:
    default:
        return VTDPI_EIRTE_SVT;
    }
    if (s->sq > IRTE_SQ_MAX)
        return VTDPI_ERANGE;
    *hi = VTDPI_FIELD_PUT(s->sid, VTDPI_IRTE_HI_SID) |
          VTDPI_FIELD_PUT(s->sq, VTDPI_IRTE_HI_SQ) |
          VTDPI_FIELD_PUT(svt, VTDPI_IRTE_HI_SVT);
    return 0;
}

static VTDPI_COLD struct vtdpi_source
unpack_source(const struct vtdpi_irte *irte)
{
    struct vtdpi_source s;

    s.sid = (uint16_t)VTDPI_FIELD_GET(irte->hi, VTDPI_IRTE_HI_SID);
    s.sq = (uint8_t)VTDPI_FIELD_GET(irte->hi, VTDPI_IRTE_HI_SQ);
    switch (VTDPI_FIELD_GET(irte->hi, VTDPI_IRTE_HI_SVT)) {
    case SVT_NONE:
        /* An entry that is not present accepts nobody. */
        s.kind = (irte->lo & VTDPI_IRTE_LO_P) != 0 ? VTDPI_SOURCE_ANY
                                                   : VTDPI_SOURCE_UNSET;
        break;
    case SVT_SID_SQ:
        s.kind = VTDPI_SOURCE_EXACT;
        break;
    case SVT_BUS_RANGE:
        s.kind = VTDPI_SOURCE_BUS_RANGE;
        break;
    default:
        s.kind = VTDPI_SOURCE_RESERVED;
        break;
    }
    return s;
}

static uint64_t pda_of(const struct vtdpi_irte *irte)
{
    return VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_PDA) << 6 |
           VTDPI_FIELD_GET(irte->hi, VTDPI_IRTE_HI_PDA) << 32;
}

static int check_absent(const struct vtdpi_irte *irte)
{
    const uint64_t allowed =
        VTDPI_IRTE_LO_FPD | VTDPI_IRTE_LO_AVAIL | VTDPI_IRTE_LO_IM;

    if ((irte->lo & ~allowed) != 0 || irte->hi != 0)
        return VTDPI_EIRTE_ABSENT;
    return 0;
}

static int check_source(uint64_t hi)
{
    const uint64_t svt = VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SVT);
    const uint64_t sid = VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SID);

    if (svt > SVT_BUS_RANGE)
        return VTDPI_EIRTE_SVT;
    if (svt != SVT_SID_SQ && (hi & VTDPI_IRTE_HI_SQ) != 0)
        return VTDPI_EIRTE_SQ;
    if (svt == SVT_BUS_RANGE && sid >> 8 > (sid & 0xff))
        return VTDPI_EIRTE_BUS;
    return 0;
}

static int check_vector(uint64_t lo)
{
    if (VTDPI_FIELD_GET(lo, VTDPI_IRTE_LO_VECTOR) < VTDPI_VECTOR_MIN)
        return VTDPI_EIRTE_VECTOR;
    return 0;
}

static int check_delivery(uint64_t lo)
{
    switch (VTDPI_FIELD_GET(lo, VTDPI_IRTE_LO_DLM)) {
    case VTDPI_DLM_FIXED:
        return check_vector(lo);
    case VTDPI_DLM_LOWEST:
        return (lo & VTDPI_IRTE_LO_RH) != 0 ? check_vector(lo) : VTDPI_EIRTE_RH;
    case VTDPI_DLM_SMI:
    case VTDPI_DLM_NMI:
    case VTDPI_DLM_INIT:
    case VTDPI_DLM_EXTINT:
        return (lo & VTDPI_IRTE_LO_TM) != 0 ? VTDPI_EIRTE_TM : 0;
    default:
        return VTDPI_EIRTE_DLM;
    }
}

static int check_remapped(const struct vtdpi_irte *irte,
                          enum vtdpi_apic_mode mode)
{
    const uint64_t not_xapic = VTDPI_IRTE_LO_DST & ~VTDPI_IRTE_LO_DST_XAPIC;
    int rc;

    if ((irte->lo & VTDPI_IRTE_LO_RSVD_REMAP) != 0 ||
        (irte->hi & VTDPI_IRTE_HI_RSVD_REMAP) != 0)
        return VTDPI_EIRTE_RESERVED;
    rc = check_source(irte->hi);
    if (rc != 0)
        return rc;
    rc = check_delivery(irte->lo);
    if (rc != 0)
        return rc;
    if (mode == VTDPI_XAPIC && (irte->lo & not_xapic) != 0)
        return VTDPI_EIRTE_DST;
    return 0;
}

static int check_posted(const struct vtdpi_irte *irte)
{
    int rc;

    if ((irte->lo & VTDPI_IRTE_LO_RSVD_POST) != 0 ||
        (irte->hi & VTDPI_IRTE_HI_RSVD_POST) != 0)
        return VTDPI_EIRTE_RESERVED;
    rc = check_source(irte->hi);
    if (rc != 0)
        return rc;
    return check_vector(irte->lo);
}

static bool remapped_is_empty(const struct vtdpi_irte_remapped *f)
{
    return !f->dm && !f->rh && !f->tm && f->vector == 0 &&
           f->dlm == VTDPI_DLM_FIXED && f->dst == 0 &&
           source_is_empty(&f->source);
}

static bool posted_is_empty(const struct vtdpi_irte_posted *f)
{
    return !f->urgent && f->vector == 0 && f->pda == 0 &&
           source_is_empty(&f->source);
}

static int pack_remapped(const struct vtdpi_irte_remapped *f,
                         struct vtdpi_irte *e)
{
    const bool x2apic = f->mode == VTDPI_X2APIC;

    if ((unsigned int)f->dlm > IRTE_DLM_MAX)
        return VTDPI_EIRTE_DLM;
    if (!x2apic && f->dst > IRTE_XAPIC_DST_MAX)
        return VTDPI_EIRTE_DST;
    e->lo |= VTDPI_IRTE_LO_P | (f->dm ? VTDPI_IRTE_LO_DM : 0) |
             (f->rh ? VTDPI_IRTE_LO_RH : 0) | (f->tm ? VTDPI_IRTE_LO_TM : 0) |
             VTDPI_FIELD_PUT(f->dlm, VTDPI_IRTE_LO_DLM) |
             VTDPI_FIELD_PUT(f->vector, VTDPI_IRTE_LO_VECTOR) |
             (x2apic ? VTDPI_FIELD_PUT(f->dst, VTDPI_IRTE_LO_DST)
                     : VTDPI_FIELD_PUT(f->dst, VTDPI_IRTE_LO_DST_XAPIC));
    return pack_source(&f->source, &e->hi);
}

static int pack_posted(const struct vtdpi_irte_posted *f, struct vtdpi_irte *e)
{
    int rc;

    if (f->pda % sizeof(struct vtdpi_pid) != 0)
        return VTDPI_EIRTE_PDA_ALIGN;
    rc = pack_source(&f->source, &e->hi);
    if (rc != 0)
        return rc;
    e->lo |= VTDPI_IRTE_LO_P | (f->urgent ? VTDPI_IRTE_LO_URG : 0) |
             VTDPI_FIELD_PUT(f->vector, VTDPI_IRTE_LO_VECTOR) |
             VTDPI_FIELD_PUT(f->pda >> 6, VTDPI_IRTE_LO_PDA);
    e->hi |= VTDPI_FIELD_PUT(f->pda >> 32, VTDPI_IRTE_HI_PDA);
    return 0;
}

VTDPI_COLD int
vtdpi_irte_encode_remapped(const struct vtdpi_irte_remapped *fields,
                           struct vtdpi_irte *out)
{
    struct vtdpi_irte e = {0, 0};
    int rc;

    if (fields == NULL || out == NULL || !vtdpi_apic_mode_ok_(fields->mode))
        return VTDPI_EINVAL;
    if (fields->avail > IRTE_AVAIL_MAX)
        return VTDPI_ERANGE;
    e.lo = (fields->fpd ? VTDPI_IRTE_LO_FPD : 0) |
           VTDPI_FIELD_PUT(fields->avail, VTDPI_IRTE_LO_AVAIL);
    if (fields->present) {
        rc = pack_remapped(fields, &e);
        if (rc == 0)
            rc = check_remapped(&e, fields->mode);
    } else {
        rc = remapped_is_empty(fields) ? 0 : VTDPI_EIRTE_ABSENT;
    }
    if (rc == 0)
        *out = e;
    return rc;
}

int vtdpi_irte_encode_posted(const struct vtdpi_irte_posted *fields,
                             struct vtdpi_irte *out)
{
    struct vtdpi_irte e = {0, 0};
    int rc;

    if (fields == NULL || out == NULL)
        return VTDPI_EINVAL;
    if (fields->avail > IRTE_AVAIL_MAX)
        return VTDPI_ERANGE;
    e.lo = VTDPI_IRTE_LO_IM | (fields->fpd ? VTDPI_IRTE_LO_FPD : 0) |
           VTDPI_FIELD_PUT(fields->avail, VTDPI_IRTE_LO_AVAIL);
    if (fields->present) {
        rc = pack_posted(fields, &e);
        if (rc == 0)
            rc = check_posted(&e);
    } else {
        rc = posted_is_empty(fields) ? 0 : VTDPI_EIRTE_ABSENT;
    }
    if (rc == 0)
        *out = e;
    return rc;
}

VTDPI_COLD int vtdpi_irte_decode_remapped(const struct vtdpi_irte *irte,
                                          enum vtdpi_apic_mode mode,
                                          struct vtdpi_irte_remapped *out)
{
    const uint64_t dst_mask =
        mode == VTDPI_X2APIC ? VTDPI_IRTE_LO_DST : VTDPI_IRTE_LO_DST_XAPIC;

    if (irte == NULL || out == NULL || !vtdpi_apic_mode_ok_(mode))
        return VTDPI_EINVAL;
    if (vtdpi_irte_is_posted(irte))
        return VTDPI_EIRTE_FORMAT;
    out->present = (irte->lo & VTDPI_IRTE_LO_P) != 0;
    out->fpd = (irte->lo & VTDPI_IRTE_LO_FPD) != 0;
    out->dm = (irte->lo & VTDPI_IRTE_LO_DM) != 0;
    out->rh = (irte->lo & VTDPI_IRTE_LO_RH) != 0;
    out->tm = (irte->lo & VTDPI_IRTE_LO_TM) != 0;
    out->avail = (uint8_t)VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_AVAIL);
    out->vector = (uint8_t)VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_VECTOR);
    out->dlm = (enum vtdpi_dlm)VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_DLM);
    out->mode = mode;
    out->dst = (uint32_t)VTDPI_FIELD_GET(irte->lo, dst_mask);
    out->source = unpack_source(irte);
    return 0;
}

VTDPI_COLD int vtdpi_irte_decode_posted(const struct vtdpi_irte *irte,
                                        struct vtdpi_irte_posted *out)
{
    if (irte == NULL || out == NULL)
        return VTDPI_EINVAL;
    if (!vtdpi_irte_is_posted(irte))
        return VTDPI_EIRTE_FORMAT;
    out->present = (irte->lo & VTDPI_IRTE_LO_P) != 0;
    out->fpd = (irte->lo & VTDPI_IRTE_LO_FPD) != 0;
    out->urgent = (irte->lo & VTDPI_IRTE_LO_URG) != 0;
    out->avail = (uint8_t)VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_AVAIL);
    out->vector = (uint8_t)VTDPI_FIELD_GET(irte->lo, VTDPI_IRTE_LO_VECTOR);
    out->pda = pda_of(irte);
    out->source = unpack_source(irte);
    return 0;
}

VTDPI_COLD int vtdpi_irte_validate(const struct vtdpi_irte *irte,
                                   enum vtdpi_apic_mode mode, unsigned int haw)
{
    int rc;

    if (irte == NULL || !vtdpi_apic_mode_ok_(mode) || !vtdpi_haw_ok_(haw))
        return VTDPI_EINVAL;
    if ((irte->lo & VTDPI_IRTE_LO_P) == 0)
        return check_absent(irte);
    if (!vtdpi_irte_is_posted(irte))
        return check_remapped(irte, mode);
    rc = check_posted(irte);
    if (rc == 0 && haw < 64 && pda_of(irte) >> haw != 0)
        rc = VTDPI_EIRTE_PDA_WIDTH;
    return rc;
}

int vtdpi_irte_replace(struct vtdpi_irte *entry, const struct vtdpi_irte *old,
                       const struct vtdpi_irte *replacement)
{
    uint64_t expected[2];
    uint64_t desired[2];

    if (entry == NULL || old == NULL || replacement == NULL)
        return VTDPI_EINVAL;
    if (!vtdpi_is_aligned_(entry, sizeof(*entry)))
        return VTDPI_EALIGN;
    if (!VTDPI_HAVE_CX16)
        return VTDPI_EOPNOTSUPP;
    expected[0] = old->lo;
    expected[1] = old->hi;
    desired[0] = replacement->lo;
    desired[1] = replacement->hi;
    if (!vtdpi_atomic_cas128((uint64_t *)(void *)entry, expected, desired))
        return VTDPI_EAGAIN;
    return 0;
}
