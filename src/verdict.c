/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict over a machine. One table has what each reason leaves possible,
 * what its number names and its text; the rest of the file finds reasons. Pure;
 * caps.c decodes what it judges.
 */
#include "vtdpi/verdict.h"

#include "internal.h"
#include "vtdpi/config.h"

/* What is known about each reason; indexed by code. */
static const struct {
    enum vtdpi_verdict limit;
    enum vtdpi_verdict_where where;
    const char *text;
} verdict_reasons[] = {
    [VTDPI_VERDICT_REASON_INTREMAP_OFF] = {VTDPI_VERDICT_NONE,
                                           VTDPI_VERDICT_WHERE_HOST,
                                           "switched off by intremap=off"},
    [VTDPI_VERDICT_REASON_FIRMWARE] =
        {VTDPI_VERDICT_NONE, VTDPI_VERDICT_WHERE_HOST,
         "firmware does not offer interrupt remapping "
         "(DMAR flag INTR_REMAP is clear)"},
    [VTDPI_VERDICT_REASON_X2APIC_OPTOUT] =
        {VTDPI_VERDICT_NONE, VTDPI_VERDICT_WHERE_HOST,
         "CPUs are in x2APIC mode, but firmware "
         "asked to avoid it (X2APIC_OPT_OUT)"},
    [VTDPI_VERDICT_REASON_NO_UNIT] = {VTDPI_VERDICT_NONE,
                                      VTDPI_VERDICT_WHERE_HOST,
                                      "no remapping unit"},
    [VTDPI_VERDICT_REASON_UNIT_UNREADABLE] =
        {VTDPI_VERDICT_NONE, VTDPI_VERDICT_WHERE_UNIT,
         "does not answer (registers read as all "
         "ones or as zeros)"},
    [VTDPI_VERDICT_REASON_UNIT_NO_QI] = {VTDPI_VERDICT_NONE,
                                         VTDPI_VERDICT_WHERE_UNIT,
                                         "no queued invalidation (ECAP.QI)"},
    [VTDPI_VERDICT_REASON_UNIT_NO_IR] = {VTDPI_VERDICT_NONE,
                                         VTDPI_VERDICT_WHERE_UNIT,
                                         "no interrupt remapping (ECAP.IR)"},
    [VTDPI_VERDICT_REASON_UNIT_NO_EIM] =
        {VTDPI_VERDICT_NONE, VTDPI_VERDICT_WHERE_UNIT,
         "no extended interrupt mode (ECAP.EIM), but "
         "CPUs are in x2APIC mode"},
    [VTDPI_VERDICT_REASON_UNIT_EIME] =
        {VTDPI_VERDICT_NONE, VTDPI_VERDICT_WHERE_UNIT,
         "runs with an interrupt mode (IRTA.EIME) "
         "that is not the CPUs'"},
    [VTDPI_VERDICT_REASON_IOAPIC] = {VTDPI_VERDICT_NONE,
                                     VTDPI_VERDICT_WHERE_IOAPIC,
                                     "no unit covers this IOAPIC"},
    [VTDPI_VERDICT_REASON_INTPOST_OFF] = {VTDPI_VERDICT_REMAPPING,
                                          VTDPI_VERDICT_WHERE_HOST,
                                          "switched off by intpost=off"},
    [VTDPI_VERDICT_REASON_NO_CX16] =
        {VTDPI_VERDICT_REMAPPING, VTDPI_VERDICT_WHERE_HOST,
         "no 16-byte compare-and-swap (CMPXCHG16B)"},
    [VTDPI_VERDICT_REASON_UNIT_NO_PI] = {VTDPI_VERDICT_REMAPPING,
                                         VTDPI_VERDICT_WHERE_UNIT,
                                         "no posted interrupts (CAP.PI)"},
    [VTDPI_VERDICT_REASON_UNIT_REGISTERS] =
        {VTDPI_VERDICT_NONE, VTDPI_VERDICT_WHERE_UNIT,
         "registers (CAP.FRO, ECAP.IRO) inside the fixed "
         "ones or outside the window"},
};

static bool reason_known(enum vtdpi_verdict_reason_code code)
{
    const size_t i = (size_t)code;

    return i < sizeof(verdict_reasons) / sizeof(*verdict_reasons) &&
           verdict_reasons[i].text != NULL;
}

/* The list that vtdpi_verdict_decide() fills. */
struct verdict {
    struct vtdpi_verdict_reason *list;
    size_t capacity;
    size_t count;
    enum vtdpi_verdict level;
};

static void verdict_add_if(struct verdict *v, bool condition,
                           enum vtdpi_verdict_reason_code code, size_t where)
{
    if (!condition)
        return;
    if (v->count < v->capacity)
        v->list[v->count] =
            (struct vtdpi_verdict_reason){code, (uint32_t)where};
    v->count++;
    if (v->level > verdict_reasons[code].limit)
        v->level = verdict_reasons[code].limit;
}

static void verdict_judge_host(struct verdict *v,
                               const struct vtdpi_verdict_facts *f,
                               const struct vtdpi_caps_options *o)
{
    verdict_add_if(v, !o->intremap, VTDPI_VERDICT_REASON_INTREMAP_OFF, 0);
    verdict_add_if(v, !f->firmware_intr_remap, VTDPI_VERDICT_REASON_FIRMWARE,
                   0);
    verdict_add_if(v,
                   f->cpu_x2apic && f->firmware_x2apic_optout &&
                       !o->ignore_x2apic_optout,
                   VTDPI_VERDICT_REASON_X2APIC_OPTOUT, 0);
    verdict_add_if(v, f->unit_count == 0, VTDPI_VERDICT_REASON_NO_UNIT, 0);
    verdict_add_if(v, !o->intpost, VTDPI_VERDICT_REASON_INTPOST_OFF, 0);
    verdict_add_if(v, !f->cpu_cx16 || VTDPI_HAVE_CX16 == 0,
                   VTDPI_VERDICT_REASON_NO_CX16, 0);
}

static void verdict_judge_unit(struct verdict *v,
                               const struct vtdpi_verdict_facts *f, size_t i)
{
    const struct vtdpi_caps *const caps = f->units[i].caps;
    const enum vtdpi_verdict_eime other =
        f->cpu_x2apic ? VTDPI_VERDICT_EIME_CLEAR : VTDPI_VERDICT_EIME_SET;
    /* Every unit that was decoded has registers. */
    const bool silent = caps == NULL || caps->register_bytes == 0;

    verdict_add_if(v, silent, VTDPI_VERDICT_REASON_UNIT_UNREADABLE, i);
    if (silent)
        return;
    verdict_add_if(v, !caps->qi, VTDPI_VERDICT_REASON_UNIT_NO_QI, i);
    verdict_add_if(v, !caps->ir, VTDPI_VERDICT_REASON_UNIT_NO_IR, i);
    verdict_add_if(v, f->cpu_x2apic && !caps->eim,
                   VTDPI_VERDICT_REASON_UNIT_NO_EIM, i);
    verdict_add_if(v, f->units[i].eime == other, VTDPI_VERDICT_REASON_UNIT_EIME,
                   i);
    verdict_add_if(v, !caps->pi, VTDPI_VERDICT_REASON_UNIT_NO_PI, i);
    verdict_add_if(v,
                   vtdpi_caps_check_window_(caps, f->units[i].window_bytes != 0
                                                      ? f->units[i].window_bytes
                                                      : UINT32_MAX) != 0,
                   VTDPI_VERDICT_REASON_UNIT_REGISTERS, i);
}

enum vtdpi_verdict
vtdpi_verdict_decide(const struct vtdpi_verdict_facts *facts,
                     const struct vtdpi_caps_options *options,
                     struct vtdpi_verdict_reason *list, size_t capacity,
                     size_t *count)
{
    struct verdict v = {list, capacity, 0, VTDPI_VERDICT_POSTING};

    verdict_judge_host(&v, facts, options);
    for (size_t i = 0; i < facts->unit_count; i++)
        verdict_judge_unit(&v, facts, i);
    for (size_t i = 0; i < facts->uncovered_ioapic_count; i++)
        verdict_add_if(&v, true, VTDPI_VERDICT_REASON_IOAPIC,
                       facts->uncovered_ioapics[i]);
    if (count != NULL)
        *count = v.count;
    return v.level;
}

enum vtdpi_verdict
vtdpi_verdict_reason_limit(enum vtdpi_verdict_reason_code code)
{
    return reason_known(code) ? verdict_reasons[code].limit
                              : VTDPI_VERDICT_NONE;
}

enum vtdpi_verdict_where
vtdpi_verdict_reason_where(enum vtdpi_verdict_reason_code code)
{
    return reason_known(code) ? verdict_reasons[code].where
                              : VTDPI_VERDICT_WHERE_HOST;
}

const char *vtdpi_verdict_reason_text(enum vtdpi_verdict_reason_code code)
{
    return reason_known(code) ? verdict_reasons[code].text : "unknown reason";
}

const char *vtdpi_verdict_text(enum vtdpi_verdict verdict)
{
    switch (verdict) {
    case VTDPI_VERDICT_NONE:
        return "no interrupt remapping";
    case VTDPI_VERDICT_REMAPPING:
        return "interrupt remapping without posting";
    case VTDPI_VERDICT_POSTING:
        return "interrupt remapping with posting";
    }
    return "unknown verdict";
}
