/* SPDX-License-Identifier: BSD-2-Clause */
/* What else a log says, in a sentence for each fact, and what to do next. */
#include "log_json.h"

struct note {
    enum log_fact fact;
    const char *says;
};

static const struct note notes[] = {
    {LOG_OPT_OUT,
     "firmware asks the system to stay out of x2APIC mode (DMAR flag "
     "X2APIC_OPT_OUT); remapping and posting work in xAPIC mode, too"},
    {LOG_NO_X2APIC,
     "x2APIC mode is not used; this line alone does not say whether remapping "
     "is on"},
    {LOG_NO_EIM, "a unit does not take x2APIC ids (ECAP.EIM = 0)"},
    {LOG_ERRATUM,
     "the chipset has an erratum (5500, 5520, X58: numbers 47 and 53) that "
     "makes remapping unstable, so the system switches it off"},
    {LOG_ALL_ONES,
     "a unit's registers read as all ones: there is no unit, or firmware did "
     "not switch it on"},
    {LOG_BASE_ZERO, "the DMAR table has a unit at address zero"},
    {LOG_BIOS_BROKEN, "the kernel calls the firmware's DMAR table broken"},
    {LOG_TABLE_BAD, "the DMAR table is malformed"},
    {LOG_IOAPIC_UNCOVERED,
     "no unit of the DMAR table claims an IOAPIC; remapping would block its "
     "interrupts, so the system leaves remapping off"},
    {LOG_IOAPIC_SKIPPED, "the kernel set up no IOAPIC"},
    {LOG_COMPAT_OPEN,
     "a unit goes on to take messages in compatibility format (CFIS = 1): "
     "a device can forge interrupts"},
    {LOG_COPIED,
     "this kernel took the table of the kernel before (kdump): entries may be "
     "stale"},
    {LOG_COPY_FAILED, "the table of the kernel before could not be copied"},
    {LOG_PRE_ENABLED,
     "remapping was on when this kernel began: firmware or another kernel had "
     "set it up"},
    {LOG_QI_FAILED, "queued invalidation, which remapping needs, failed"},
    {LOG_POST_FAILED, "an interrupt could not be posted"},
    {LOG_POST_NO_CPU, "the CPUs cannot take posted interrupts, or may not"},
    {LOG_OPT_IN, "firmware asks for protection from DMA (DMAR flag "
                 "DMA_CTRL_PLATFORM_OPT_IN)"},
    {LOG_TXT, "a trusted boot (TXT) is at work; it owns the DMAR table"},
    {LOG_INCONSISTENT,
     "the units differ in features, which is usual on machines with a unit of "
     "its own for graphics"},
    {LOG_GRAPHICS_OFF,
     "the unit of the graphics device does not translate DMA; remapping is "
     "another matter"},
    {LOG_DMA_ON,
     "this line is about DMA alone; it does not say that interrupts are "
     "remapped"},
    {LOG_MALFUNCTION, "a unit does not carry out a command"},
    {LOG_NO_ENTRY, "a table has no free entry"},
    {LOG_FAULT_OVERFLOW,
     "fault records overflowed: there were more faults than lines"},
    {LOG_SUPPRESSED, "the kernel left fault lines out"},
    {LOG_AMD, "the log is of an AMD machine, or has lines of one"},
    {LOG_ARM, "the log is of an ARM machine, or has lines of one"},
    {LOG_GUEST,
     "the kernel runs in a virtual machine, or in Xen's domain 0; what is said "
     "here is not about the host"},
};

json_t *log_notes_json(const struct log_facts *f)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        const struct log_seen *const s = &f->boot.seen[notes[i].fact];

        /* Xen's own lines are about the host. */
        if (notes[i].fact == LOG_GUEST && f->boot.xen)
            continue;
        if (s->count != 0)
            (void)json_array_append_new(
                list,
                json_pack("{s:s, s:I, s:I, s:s}", "says", notes[i].says,
                          "count", (json_int_t)s->count, "line",
                          (json_int_t)s->first.line, "text", s->first.text));
    }
    return list;
}

struct option_note {
    const char *name;
    const char *value;
    const char *says;
};

static const struct option_note option_notes[] = {
    {"intremap", "off", "switches interrupt remapping off"},
    {"nointremap", NULL, "switches interrupt remapping off"},
    {"intremap", "nosid", "switches the check of source ids off"},
    {"intremap", "no_x2apic_optout", "overrides firmware's x2APIC opt-out"},
    {"intremap", "nopost", "switches posting off"},
    {"intremap", "posted_msi",
     "posts the host's own MSIs: posted entries may be the host's"},
    {"intel_iommu", "off",
     "switches translation of DMA off; remapping is another switch"},
    {"intel_iommu", "on", "switches translation of DMA on"},
    {"iommu", "no-intremap", "Xen: switches interrupt remapping off"},
    {"iommu", "no-intpost", "Xen: switches posting off"},
    {"iommu", "intpost", "Xen: asks for posting"},
    {"iommu", "off", "switches the IOMMU off"},
    {"iommu", "no", "Xen: switches the IOMMU off"},
    {"iommu", "pt", "the host's own DMA is not translated"},
    {"nox2apic", NULL, "keeps the CPUs in xAPIC mode"},
    {"x2apic", "off", "Xen: keeps the CPUs in xAPIC mode"},
    {"noapic", NULL, "no IOAPIC is set up, and remapping stays off"},
    {"nolapic", NULL, "no local APIC is set up, and remapping stays off"},
    {"enable_apicv", "0", "KVM: the CPUs take no posted interrupts"},
    {"enable_apicv", "N", "KVM: the CPUs take no posted interrupts"},
    {"apicv", "0", "Xen: the CPUs take no posted interrupts"},
    {"apicv", "off", "Xen: the CPUs take no posted interrupts"},
    {"allow_unsafe_interrupts", "1",
     "allows devices in guests without remapping; not needed where remapping "
     "is on"},
    {"allow_unsafe_interrupts", "Y",
     "allows devices in guests without remapping; not needed where remapping "
     "is on"},
};

json_t *log_options_json(const struct log_boot *b)
{
    json_t *const list = json_array();

    for (unsigned int i = 0; i < b->option_count; i++) {
        json_t *const says = json_array();

        for (size_t n = 0; n < sizeof(option_notes) / sizeof(option_notes[0]);
             n++) {
            const struct option_note *const o = &option_notes[n];
            const struct log_boot one = {.options = {b->options[i]},
                                         .option_count = 1};

            if (log_option_find(&one, o->name, o->value) != NULL)
                (void)json_array_append_new(says, json_string(o->says));
        }
        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:I, s:o}", "text", b->options[i].text, "line",
                      (json_int_t)b->options[i].line, "says", says));
    }
    return list;
}

static bool seen(const struct log_facts *f, enum log_fact fact)
{
    return f->boot.seen[fact].count != 0;
}

static void next_add(json_t *list, bool when, const char *text)
{
    if (when)
        (void)json_array_append_new(list, json_string(text));
}

static bool has_unit_without(const struct log_facts *f)
{
    for (unsigned int i = 0; i < f->boot.unit_count; i++) {
        if (log_unit_ir(&f->boot.units[i]) == LOG_SAID_NO)
            return true;
    }
    return false;
}

static void next_off(const struct log_facts *f, const struct log_verdict *v,
                     json_t *list)
{
    const bool option = f->boot.option_count > 0 &&
                        (log_option_find(&f->boot, "intremap", "off") != NULL ||
                         log_option_find(&f->boot, "iommu", "no-intremap") ||
                         log_option_find(&f->boot, "nointremap", NULL));

    next_add(list, option,
             "Take the option that switches remapping off from "
             "the command line.");
    next_add(list, seen(f, LOG_ERRATUM),
             "The hardware cannot be helped. Do not give devices to guests "
             "that you do not trust.");
    next_add(list, has_unit_without(f),
             "A unit without interrupt remapping is a property of the "
             "hardware: no setting changes that.");
    next_add(list,
             seen(f, LOG_DMA_SET_UP) && f->boot.linux_version && !v->said &&
                 json_array_size(list) == 0,
             "Take a kernel that is built with CONFIG_IRQ_REMAP.");
    next_add(list, seen(f, LOG_IOAPIC_SKIPPED),
             "Boot without noapic and nolapic, and give a virtual machine an "
             "IOAPIC.");
    next_add(list, json_array_size(list) == 0,
             "Look whether VT-d is on in the firmware's set-up, and whether "
             "the hardware has interrupt remapping (vtdpi host).");
}

/* The log has the begin of the boot, where firmware's tables are listed. */
static bool has_no_vtd(const struct log_facts *f)
{
    return (f->boot.linux_version || f->boot.freebsd) &&
           f->boot.unit_count == 0 && !seen(f, LOG_TABLE) &&
           !seen(f, LOG_DMA_ON) && !seen(f, LOG_QI_WILL) &&
           !seen(f, LOG_COPIED);
}

static void next_unknown(const struct log_facts *f, json_t *list)
{
    if (seen(f, LOG_AMD) || seen(f, LOG_ARM)) {
        next_add(list, true,
                 "VT-d is Intel's. The IOMMUs of other makers are not judged "
                 "here; AMD's way of posting is AVIC (kvm_amd's parameter "
                 "avic).");
        return;
    }
    if (has_no_vtd(f) && seen(f, LOG_GUEST)) {
        next_add(list, true,
                 "A virtual machine has VT-d only if its host gives it one "
                 "(QEMU: -device intel-iommu,intremap=on). Of the host the "
                 "host's own log tells (under Xen: xl dmesg).");
        return;
    }
    if (has_no_vtd(f) && f->boot.freebsd) {
        next_add(list, true,
                 "The log has the begin of the boot, and no line of a unit. "
                 "FreeBSD leaves VT-d alone unless hw.dmar.enable=1 is in "
                 "loader.conf.");
        return;
    }
    if (has_no_vtd(f)) {
        next_add(list, true,
                 "The log has the begin of the boot, and no line of a unit or "
                 "a DMAR table: look whether VT-d is on in the firmware's "
                 "set-up, or ask the running system (vtdpi host).");
        return;
    }
    next_add(list, seen(f, LOG_COPIED) || seen(f, LOG_QI_WILL),
             "The log ends while remapping is set up. If the machine hung "
             "there, try intremap=off for that kernel.");
    next_add(list, true,
             "Take the whole log from the begin of the boot (journalctl -k -b, "
             "xl dmesg), not an excerpt, or ask the running system (vtdpi "
             "host).");
}

static void next_posting(const struct log_facts *f, const struct log_verdict *v,
                         json_t *list)
{
    const bool xen = f->boot.xen;

    next_add(list, v->posting == LOG_POSTING_OFF && xen,
             "Xen leaves posting off unless iommu=intpost is given.");
    next_add(list, v->posting == LOG_POSTING_OFF && !xen,
             "Take away what switches posting off, or use a system that can.");
    next_add(list, v->posting == LOG_POSTING_NOT_POSSIBLE,
             "Posting needs other hardware. Remapping is not affected.");
    next_add(list, v->posting == LOG_POSTING_UNKNOWN,
             "For posting, ask the running system (vtdpi host).");
    next_add(list, v->posting == LOG_POSTING_ON,
             "To see posting at work, look for posted entries (vtdpi table) "
             "and whether the CPUs can (vtdpi host).");
}

static bool firmware_is_wrong(const struct log_facts *f)
{
    bool wrong = seen(f, LOG_IOAPIC_UNCOVERED) || seen(f, LOG_ALL_ONES) ||
                 seen(f, LOG_BASE_ZERO) || seen(f, LOG_TABLE_BAD) ||
                 seen(f, LOG_BIOS_BROKEN);

    for (unsigned int i = 0; i < f->boot.unit_count; i++)
        wrong = wrong || log_unit_dead(&f->boot.units[i]);
    return wrong;
}

json_t *log_next_json(const struct log_facts *f, const struct log_verdict *v)
{
    json_t *const list = json_array();

    next_add(list, firmware_is_wrong(f),
             "Update the firmware, and check its DMAR table (vtdpi dmar).");

    if (v->remapping == LOG_REMAPPING_OFF)
        next_off(f, v, list);
    else if (v->remapping == LOG_REMAPPING_UNKNOWN)
        next_unknown(f, list);
    else
        next_posting(f, v, list);
    next_add(list, f->fault_total > 0,
             "Go through the faults below: each is an interrupt that was "
             "lost.");
    next_add(list,
             v->mode == LOG_MODE_IS_XAPIC && seen(f, LOG_OPT_OUT) &&
                 !f->boot.xen && !f->boot.freebsd &&
                 v->remapping == LOG_REMAPPING_ON,
             "Only for more than 255 CPUs: intremap=no_x2apic_optout overrides "
             "firmware's wish.");
    next_add(list,
             v->remapping == LOG_REMAPPING_ON &&
                 log_option_find(&f->boot, "allow_unsafe_interrupts", NULL),
             "allow_unsafe_interrupts is not needed. Take it away.");
    return list;
}
