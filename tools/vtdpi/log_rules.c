/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the words of a line say. A rule names words that have to be in the line and
 * words that must not be. The first rule that fits counts, so a rule for a special
 * line stands above the rule for what the line looks like: "this BIOS has enabled
 * interrupt remapping on a chipset with an erratum" does not say that remapping is on.
 */
#include "log_words.h"

struct rule {
    enum log_fact fact;
    uint64_t all;
    uint64_t any; /* one of them at least; 0: no matter */
    uint64_t none;
    uint32_t more;      /* all of them */
    uint32_t more_none; /* none of them */
};

/* Words that turn a sentence around. */
#define NEGATIVE (W(NOT) | W(DISABLE) | W(FAIL) | W(BAD))
/* Words for VT-d as such. */
#define SUBJECT  (W(DMAR) | W(IOMMU) | W(DRHD))

/* What "invalid" and "failed" are also said of. */
#define NOT_OF_TABLE \
    (W(INVALIDATION) | W(COPY) | W(REQUEST) | W(FAULT) | W(DETAIL))

static const struct rule rules[] = {
    {LOG_AMD, W(AMD), 0, W(DMAR), 0, 0},
    {LOG_ARM, 0, 0, W(DMAR), M(SMMU), 0},
    {LOG_ERRATUM, W(BIOS) | W(REMAP) | W(ENABLED), 0, W(NOT), 0, 0},
    {LOG_ERRATUM, W(ERRATUM), W(REMAP) | W(IOMMU), 0, 0, 0},
    {LOG_OPT_OUT, W(OPT) | W(OUT), 0, 0, M(X2APIC), 0},
    {LOG_OPT_OUT, W(OPTOUT), 0, 0, M(X2APIC), 0},
    {LOG_OPT_OUT, W(OPTOUT) | W(OVERRIDE), 0, 0, 0, 0},
    {LOG_OPT_OUT, W(FIRMWARE) | W(REQUEST) | W(NOT), 0, 0, M(X2APIC), 0},
    {LOG_OPT_OUT, W(DISABLE) | W(DMAR) | W(TABLE), 0, 0, M(X2APIC), 0},
    {LOG_COMPAT_OPEN, W(COMPAT) | W(ENABLED) | W(DESPITE), 0, 0, 0, 0},
    {LOG_COMPAT_OPEN, W(COMPAT) | W(IRQ), 0, 0, M(PERMITTED), 0},
    {LOG_PRE_ENABLED, W(REMAP) | W(ENABLED) | W(KDUMP), 0, 0, 0, 0},
    /* The same line, broken in front of "kdump". */
    {LOG_PRE_ENABLED, W(REMAP) | W(ENABLED) | W(DMAR), 0, 0, M(WAS), 0},
    {LOG_COPY_FAILED, W(COPY) | W(IR) | W(TABLE) | W(FAIL), 0, 0, 0, 0},
    {LOG_COPIED, W(COPY) | W(IR) | W(TABLE), 0, 0, 0, 0},
    {LOG_QI_WILL, W(QUEUE) | W(REMAP), 0, NEGATIVE, M(WILL), 0},
    {LOG_QI_FAILED, W(QUEUE) | W(INVALIDATION) | W(FAIL), 0, 0, 0, 0},
    {LOG_IOAPIC_UNCOVERED, W(IOAPIC) | W(NOT) | W(MAPPING), 0, 0, 0, 0},
    {LOG_IOAPIC_UNCOVERED, W(IOAPIC) | W(NOT) | W(DRHD), 0, 0, 0, 0},
    {LOG_IOAPIC_SKIPPED, W(SKIPPED) | W(REMAP), 0, 0, 0, 0},
    {LOG_CPU_X2APIC, 0, 0, 0, M(X2APIC) | M(FORCING), 0},
    {LOG_NO_X2APIC, W(REMAP) | W(NOT) | W(SUPPORT), 0, 0, M(X2APIC), 0},
    {LOG_NO_EIM, W(EIM) | W(NOT), 0, 0, 0, M(X2APIC)},
    {LOG_NO_X2APIC, W(NOT) | W(ENABLE), 0, W(REMAP), M(X2APIC), 0},
    {LOG_NO_X2APIC, W(DISABLE), 0, W(REMAP) | W(ENABLED) | W(NOT), M(X2APIC),
     0},
    {LOG_ALL_ONES, W(ALL) | W(ONES), SUBJECT, 0, 0, 0},
    {LOG_BASE_ZERO, W(DMAR) | W(ADDRESS), 0, 0, M(ZERO), 0},
    {LOG_BIOS_BROKEN, W(BIOS) | W(BROKEN), 0, 0, 0, 0},
    {LOG_BIOS_BROKEN, W(FIRMWARE) | W(BUG), SUBJECT, W(REMAP), 0, 0},
    {LOG_BIOS_BROKEN, W(DMAR) | W(CHECKSUM), 0, 0, 0, 0},
    /* Something that the table names is not there. */
    {LOG_BIOS_BROKEN, W(DMAR) | W(FAIL) | W(ACPI), 0, W(TABLE), 0, 0},
    {LOG_POST_FAILED, W(POST) | W(FAIL), 0, 0, 0, 0},
    {LOG_POST_NO_CPU, W(POST) | W(CPU), NEGATIVE, 0, 0, 0},
    {LOG_POST_NO_UNIT, W(POST) | W(NOT) | W(SUPPORT), 0, 0, 0, 0},
    {LOG_POST_OFF, W(POST) | W(IRQ), NEGATIVE, 0, 0, 0},
    {LOG_POST_ON, W(POST) | W(IRQ) | W(ENABLED), 0, 0, 0, 0},
    {LOG_REMAP_OFF, W(REMAP) | W(IRQ), NEGATIVE, W(FAULT), 0, 0},
    {LOG_REMAP_ON, W(REMAP) | W(IRQ) | W(ENABLED), 0, W(FAULT), 0, M(WILL)},
    {LOG_REMAP_OFF, W(REMAP) | W(IRQ) | W(SUPPORT), 0, W(ENABLED), 0, 0},
    /* FreeBSD, which says so only while remapping is on. */
    {LOG_REMAP_ON, W(ENTRY) | W(DMAR), 0, NEGATIVE, M(PROGRAMMING), 0},
    {LOG_VTD_OFF, W(DMAR) | W(NOT) | W(DEVICE), 0, W(DETAIL), M(FOUND), 0},
    {LOG_VTD_OFF, W(DISABLE), 0, W(POST) | W(GRAPHICS) | W(QUEUE), M(VTD), 0},
    {LOG_VTD_OFF, W(DISABLE), 0, W(AMD), M(VIRTUAL) | M(XEN), 0},
    {LOG_CPU_X2APIC, W(ROUTING), 0, W(NOT), M(X2APIC), 0},
    {LOG_CPU_X2APIC, W(SWITCHED), 0, W(NOT), M(X2APIC), 0},
    {LOG_CPU_X2APIC, W(ENABLED), 0, NEGATIVE | W(REMAP), M(X2APIC), 0},
    {LOG_CPU_XAPIC, W(ROUTING) | W(APIC), 0, W(NOT), 0, M(X2APIC)},
    {LOG_TABLE_BAD, W(DMAR) | W(TABLE), W(BAD) | W(FAIL), NOT_OF_TABLE, 0, 0},
    {LOG_MALFUNCTION, W(MALFUNCTION), SUBJECT, 0, 0, 0},
    {LOG_NO_ENTRY, W(ENTRY) | W(NOT) | W(IR), 0, W(FAULT), 0, 0},
    {LOG_OPT_IN, W(PLATFORM) | W(OPT) | W(IN), 0, 0, 0, 0},
    {LOG_TXT, 0, 0, W(NOT), M(TBOOT), 0},
    {LOG_KNOWN, W(NOT), 0, 0, M(TBOOT), 0},
    {LOG_INCONSISTENT, W(FEATURE) | W(INCONSISTENT), SUBJECT, 0, 0, 0},
    {LOG_GRAPHICS_OFF, W(GRAPHICS) | W(DISABLE), SUBJECT, W(SKIPPED), 0, 0},
    {LOG_GRAPHICS_OFF, W(GRAPHICS) | W(DISABLE), 0, 0, M(VTD), 0},
    {LOG_SUPPRESSED, W(CALLBACKS) | W(SUPPRESSED) | W(DMAR), 0, 0, 0, 0},
    {LOG_FAULT_OVERFLOW, W(FAULT), 0, 0, M(OVERFLOW) | M(VTD), 0},
    {LOG_FAULT_STATUS, W(DRHD) | W(FAULT) | W(STATUS), 0, 0, 0, 0},
    {LOG_DMA_ON, W(ENABLED), SUBJECT, NEGATIVE | W(REMAP) | W(QUEUE), 0, 0},
    {LOG_TABLE, W(ACPI) | W(DMAR), 0, 0, 0, 0},
    {LOG_TABLE, W(TABLE) | W(DMAR), 0, NEGATIVE, M(VTD), 0},
    {LOG_KNOWN, W(IOMMU) | W(FAULT), 0, 0, M(VTD), 0},
    {LOG_DMA_SET_UP, W(QUEUE) | W(INVALIDATION), SUBJECT,
     NEGATIVE | W(REMAP) | W(ENABLED) | W(CLEARED), 0, 0},
    {LOG_KNOWN, W(CLEARED) | W(INVALIDATION), 0, 0, 0, 0},
    {LOG_KNOWN, W(GRAPHICS), 0, 0, M(VTD), 0},
    {LOG_KNOWN, W(DMAR), 0, 0, M(FORCING), 0},
    {LOG_KNOWN, W(IOMMU) | W(MAPPING), 0, W(NOT), M(DMA), 0},
    {LOG_KNOWN, W(DETAIL), SUBJECT, 0, 0, 0},
    {LOG_KNOWN, W(DETAIL), 0, 0, M(VTD), 0},
    {LOG_KNOWN, W(QUEUE), SUBJECT | W(INVALIDATION), 0, 0, 0},
    {LOG_KNOWN, W(QUEUE), 0, 0, M(VTD), 0},
    {LOG_GUEST, 0, 0, 0, M(HYPERVISOR), 0},
};

enum {
    RULES = sizeof(rules) / sizeof(rules[0])
};

static bool fits(const struct rule *r, struct log_words w)
{
    return (w.set & r->all) == r->all && (w.set & r->none) == 0 &&
           (r->any == 0 || (w.set & r->any) != 0) &&
           (w.more & r->more) == r->more && (w.more & r->more_none) == 0;
}

enum log_fact log_rule(struct log_words words)
{
    for (unsigned int i = 0; i < RULES; i++) {
        if (fits(&rules[i], words))
            return rules[i].fact;
    }
    return LOG_FACTS;
}
