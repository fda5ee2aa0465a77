/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows from what was found. vtdpi_verdict_decide() of the library judges units,
 * firmware and options; what is not known is taken for good there, so that an obstacle
 * is one whatever the unknown is. What the running kernel shows by itself (rows of
 * /proc/interrupts, registers, its log) says what works now.
 */
#define _GNU_SOURCE
#include <string.h>

#include "host.h"
#include "tool.h"
#include "vtdpi/verdict.h"

const char *const answer_names[ANSWER_COUNT] = {
    [ANSWER_REMAPPING] = "remapping",
    [ANSWER_X2APIC] = "x2apic",
    [ANSWER_POSTING] = "posting",
};

enum {
    REASONS_MAX = HOST_UNITS * 8 + HOST_IOAPICS + 8,
    WHERE_BYTES = 256,
};

struct judge {
    const struct host *h;
    struct judgement *j;
    struct vtdpi_verdict_reason reason[REASONS_MAX];
    size_t reason_count;
    struct vtdpi_verdict_unit unit[HOST_UNITS];
    bool complete;    /* nothing that decides is unknown */
    bool units_known; /* the capabilities of all units are */
};

static void why(struct judge *g, int about, const char *where, const char *what)
{
    (void)json_array_append_new(
        g->j->why, json_pack("{s:s, s:s?, s:s}", "about", answer_names[about],
                             "where", where, "what", what));
}

static void next(struct judge *g, const char *what)
{
    json_t *have;
    size_t i;

    json_array_foreach(g->j->next, i, have)
    {
        if (strcmp(json_string_value(have), what) == 0)
            return;
    }
    (void)json_array_append_new(g->j->next, json_string(what));
}

const char *answer_word(const struct answer *a)
{
    if (a->works == FACT_YES)
        return "yes";
    if (a->works == FACT_UNKNOWN)
        return "unknown";
    return a->possible == FACT_NO ? "no" : "off";
}

/* A unit that can do everything, in place of one that is not known. */
static const struct vtdpi_caps *any_caps(void)
{
    static struct vtdpi_caps caps;

    if (caps.register_bytes == 0)
        (void)!vtdpi_caps_decode(0x10, UINT64_C(0x08d2078c106f0466),
                                 UINT64_C(0xf020df), &caps);
    return &caps;
}

static enum vtdpi_verdict_eime unit_eime(const struct host_unit *u)
{
    if (u->running != FACT_YES || u->eime == FACT_UNKNOWN)
        return VTDPI_VERDICT_EIME_FREE;
    return u->eime == FACT_YES ? VTDPI_VERDICT_EIME_SET
                               : VTDPI_VERDICT_EIME_CLEAR;
}

static size_t units_fill(struct judge *g)
{
    const struct host *const h = g->h;

    g->units_known = h->unit_count > 0;
    for (size_t i = 0; i < h->unit_count; i++) {
        const struct host_unit *const u = &h->unit[i];

        g->units_known &= u->caps_from != NULL;
        g->unit[i] = (struct vtdpi_verdict_unit){
            .caps = u->caps_from == NULL ? any_caps()
                    : u->silent          ? NULL
                                         : &u->caps,
            .eime = unit_eime(u),
            .window_bytes = u->caps_from == NULL ? 0 : u->window_bytes,
        };
    }
    if (h->unit_count > 0 || h->has_flags)
        return h->unit_count;
    g->unit[0] = (struct vtdpi_verdict_unit){.caps = any_caps()};
    return 1;
}

/* What the running kernel shows about remapping, best source first. */
static void os_remapping(const struct host *h, struct answer *a)
{
    size_t on = 0;
    size_t off = 0;

    for (size_t i = 0; i < h->unit_count; i++) {
        on += h->unit[i].running == FACT_YES;
        off += h->unit[i].running == FACT_NO;
    }
    if (on + off > 0 && (on == 0 || off == 0)) {
        a->works = on > 0 ? FACT_YES : FACT_NO;
        a->from = on > 0 ? "GSTS.IRES is set (debugfs)"
                         : "remapping is off in the units (debugfs)";
    } else if (h->interrupts.remapped > 0) {
        a->works = FACT_YES;
        a->from = "/proc/interrupts has chips with IR- in their names";
    } else if (h->interrupts.plain > 0) {
        a->works = FACT_NO;
        a->from = "no chip in /proc/interrupts has IR- in its name";
    } else if (h->log.remapping != FACT_UNKNOWN) {
        a->works = h->log.remapping;
        a->from = a->works == FACT_YES
                      ? "the kernel's log says that remapping is on"
                      : "the kernel's log says that remapping is off";
    }
}

static void os_x2apic(const struct host *h, struct answer *a)
{
    size_t set = 0;
    size_t clear = 0;

    for (size_t i = 0; i < h->unit_count; i++) {
        if (h->unit[i].running == FACT_YES) {
            set += h->unit[i].eime == FACT_YES;
            clear += h->unit[i].eime == FACT_NO;
        }
    }
    if (set + clear > 0 && (set == 0 || clear == 0)) {
        a->works = set > 0 ? FACT_YES : FACT_NO;
        a->from = set > 0 ? "IRTA.EIME is set (debugfs)"
                          : "IRTA.EIME is clear (debugfs)";
    } else if (h->log.x2apic != FACT_UNKNOWN) {
        a->works = h->log.x2apic;
        a->from = a->works == FACT_YES
                      ? "the kernel's log says that the mode is on"
                      : "the kernel's log says that the mode is off";
    }
}

static void decide(struct judge *g)
{
    const struct host *const h = g->h;
    const bool x2apic = g->j->answer[ANSWER_X2APIC].works == FACT_YES;
    struct vtdpi_caps_options options;
    struct vtdpi_verdict_facts facts = {
        .units = g->unit,
        .unit_count = units_fill(g),
        .uncovered_ioapics = h->uncovered,
        .uncovered_ioapic_count = h->uncovered_count,
        .firmware_intr_remap =
            !h->has_flags || (h->dmar_flags & VTDPI_DMAR_INTR_REMAP) != 0,
        .firmware_x2apic_optout =
            h->has_flags && (h->dmar_flags & VTDPI_DMAR_X2APIC_OPT_OUT) != 0,
        .cpu_x2apic = x2apic,
        .cpu_cx16 = h->cpu.cx16 != FACT_NO,
    };
    size_t kept = 0;

    vtdpi_caps_options_init(&options);
    options.intremap = h->options.intremap != FACT_NO;
    options.intpost = !h->options.nopost;
    /* A kernel that runs in x2APIC mode has made this decision already. */
    options.ignore_x2apic_optout = h->options.no_x2apic_optout || x2apic;
    (void)vtdpi_verdict_decide(&facts, &options, g->reason, REASONS_MAX,
                               &g->reason_count);
    for (size_t i = 0; i < g->reason_count; i++) {
        /* The library of this tool may lack the instruction; the machine has it. */
        if (g->reason[i].code == VTDPI_VERDICT_REASON_NO_CX16 && facts.cpu_cx16)
            continue;
        g->reason[kept++] = g->reason[i];
    }
    g->reason_count = kept;
    g->complete =
        g->units_known && h->dmar == ACPI_GOOD && h->madt == ACPI_GOOD;
}

static bool has_reason(const struct judge *g, enum vtdpi_verdict limit,
                       bool options)
{
    for (size_t i = 0; i < g->reason_count; i++) {
        const enum vtdpi_verdict_reason_code code = g->reason[i].code;
        const bool option = code == VTDPI_VERDICT_REASON_INTREMAP_OFF ||
                            code == VTDPI_VERDICT_REASON_INTPOST_OFF;

        if (option == options && vtdpi_verdict_reason_limit(code) == limit)
            return true;
    }
    return false;
}

/* How much is left to hope for when one condition is impossible or not known. */
static enum fact both(enum fact a, enum fact b)
{
    if (a == FACT_NO || b == FACT_NO)
        return FACT_NO;
    return a == FACT_YES && b == FACT_YES ? FACT_YES : FACT_UNKNOWN;
}

static void judge_remapping(struct judge *g)
{
    struct answer *const a = &g->j->answer[ANSWER_REMAPPING];
    const struct host *const h = g->h;

    if (a->works == FACT_YES)
        a->possible = FACT_YES;
    else if (has_reason(g, VTDPI_VERDICT_NONE, false) ||
             h->dmar == ACPI_ABSENT || h->log.erratum ||
             h->log.ioapic_uncovered)
        a->possible = FACT_NO;
    else
        a->possible = g->complete ? FACT_YES : FACT_UNKNOWN;
    if (a->works == FACT_UNKNOWN &&
        (a->possible == FACT_NO || h->options.intremap == FACT_NO))
        a->works = FACT_NO;
}

static bool lacks_eim(const struct host_unit *u)
{
    return u->caps_from != NULL && !u->silent && !u->caps.eim;
}

static bool some_lacks_eim(const struct host *h)
{
    for (size_t i = 0; i < h->unit_count; i++) {
        if (lacks_eim(&h->unit[i]))
            return true;
    }
    return false;
}

static bool opted_out(const struct host *h)
{
    return h->log.optout ||
           (h->has_flags && (h->dmar_flags & VTDPI_DMAR_X2APIC_OPT_OUT) != 0 &&
            !h->options.no_x2apic_optout);
}

/* Outside virtual machines Linux needs remapping for x2APIC mode. In a virtual machine
 * the hypervisor may allow the mode without. */
static bool x2apic_needs_remapping(const struct judge *g)
{
    return g->h->cpu.hypervisor == FACT_NO ||
           g->j->answer[ANSWER_REMAPPING].works == FACT_YES;
}

static void judge_x2apic(struct judge *g)
{
    const struct answer *const remapping = &g->j->answer[ANSWER_REMAPPING];
    struct answer *const a = &g->j->answer[ANSWER_X2APIC];
    const bool needs = x2apic_needs_remapping(g);
    const struct host *const h = g->h;

    if (a->works == FACT_YES)
        a->possible = FACT_YES;
    else if (h->cpu.x2apic == FACT_NO && !h->options.nox2apic)
        a->possible = FACT_NO;
    else if (needs && (some_lacks_eim(h) || remapping->possible == FACT_NO))
        a->possible = FACT_NO;
    else if (needs && g->units_known && h->cpu.x2apic == FACT_YES)
        a->possible = remapping->possible;
    if (a->works == FACT_UNKNOWN &&
        (a->possible == FACT_NO || opted_out(h) || h->options.nox2apic ||
         (needs && remapping->works == FACT_NO)))
        a->works = FACT_NO;
}

static unsigned long posted_rows(const struct host *h)
{
    unsigned long rows = 0;

    for (size_t i = 0; i < h->unit_count; i++)
        rows += h->unit[i].posted;
    return rows;
}

/* Whether the CPU can take posted interrupts into a guest. */
static enum fact cpu_posting(const struct host *h)
{
    if (h->enable_apicv == FACT_YES || h->cpu.posted_interrupts == FACT_YES)
        return FACT_YES;
    if (h->cpu.posted_interrupts == FACT_NO || h->cpu.vmx == FACT_NO)
        return FACT_NO;
    return FACT_UNKNOWN;
}

static enum fact unit_posting(const struct judge *g)
{
    if (has_reason(g, VTDPI_VERDICT_REMAPPING, false))
        return FACT_NO;
    return g->units_known && g->h->has_cpu ? FACT_YES : FACT_UNKNOWN;
}

static void judge_posting(struct judge *g)
{
    const struct answer *const remapping = &g->j->answer[ANSWER_REMAPPING];
    struct answer *const a = &g->j->answer[ANSWER_POSTING];
    const struct host *const h = g->h;

    a->possible =
        both(both(remapping->possible, unit_posting(g)), cpu_posting(h));
    if (posted_rows(h) > 0) {
        a->works = FACT_YES;
        a->from = "entries in posted format (debugfs)";
    } else if (h->device_posting == FACT_YES) {
        a->works = FACT_YES;
        a->from = "kvm_intel's enable_device_posted_irqs is Y";
    } else if (a->possible == FACT_NO || remapping->works == FACT_NO ||
               h->options.nopost || h->enable_apicv == FACT_NO ||
               h->options.apicv == FACT_NO || h->device_posting == FACT_NO) {
        a->works = FACT_NO;
    } else {
        a->works = both(remapping->works, a->possible);
    }
    if (a->works == FACT_YES)
        a->possible = FACT_YES;
}

static bool reason_names(const struct judge *g,
                         enum vtdpi_verdict_reason_code code, char *text,
                         size_t size)
{
    const enum vtdpi_verdict_where where = vtdpi_verdict_reason_where(code);
    size_t used = 0;
    size_t count = 0;

    text[0] = '\0';
    for (size_t i = 0; i < g->reason_count; i++) {
        const uint32_t n = g->reason[i].where;

        if (g->reason[i].code != code)
            continue;
        count++;
        if (where == VTDPI_VERDICT_WHERE_HOST || used + HOST_NAME + 8 > size)
            continue;
        if (where == VTDPI_VERDICT_WHERE_UNIT)
            used += (size_t)snprintf(text + used, size - used, "%s%s",
                                     used == 0 ? "" : ", ", g->h->unit[n].name);
        else
            used += (size_t)snprintf(text + used, size - used, "%s%u",
                                     used == 0 ? "IOAPIC " : ", ", n);
    }
    if (where == VTDPI_VERDICT_WHERE_UNIT && count > 1 &&
        count == g->h->unit_count)
        (void)snprintf(text, size, "every unit");
    return count > 0;
}

/* What to do about the library's reasons. */
static const char *reason_advice(enum vtdpi_verdict_reason_code code)
{
    switch (code) {
    case VTDPI_VERDICT_REASON_INTREMAP_OFF:
        return "Remove intremap=off (or nointremap) from the kernel's command "
               "line.";
    case VTDPI_VERDICT_REASON_INTPOST_OFF:
        return "Remove nopost from intremap= on the kernel's command line.";
    case VTDPI_VERDICT_REASON_FIRMWARE:
        return "Look in the firmware's setup for VT-d and for interrupt "
               "remapping, and for an update of the firmware: the flag is the "
               "firmware's.";
    case VTDPI_VERDICT_REASON_NO_UNIT:
        return "The DMAR table lists no unit: look for an update of the "
               "firmware, and switch VT-d on in its setup.";
    case VTDPI_VERDICT_REASON_UNIT_UNREADABLE:
        return "A unit does not answer: the firmware has left the unit off or "
               "its address is wrong; look for an update of the firmware.";
    case VTDPI_VERDICT_REASON_IOAPIC:
        return "The DMAR table lacks an IOAPIC (or has another id for it) than "
               "the MADT: a bug of the firmware; look for an update.";
    default:
        return NULL;
    }
}

static void explain_reasons(struct judge *g)
{
    char where[WHERE_BYTES];

    if (g->h->dmar == ACPI_ABSENT && g->h->unit_count == 0)
        return;
    for (int code = VTDPI_VERDICT_REASON_INTREMAP_OFF;
         code <= VTDPI_VERDICT_REASON_UNIT_REGISTERS; code++) {
        const enum vtdpi_verdict_reason_code c =
            (enum vtdpi_verdict_reason_code)code;
        const bool posting =
            vtdpi_verdict_reason_limit(c) == VTDPI_VERDICT_REMAPPING;
        const char *const advice = reason_advice(c);

        if (!reason_names(g, c, where, sizeof(where)))
            continue;
        why(g, posting ? ANSWER_POSTING : ANSWER_REMAPPING,
            where[0] == '\0' ? NULL : where, vtdpi_verdict_reason_text(c));
        if (advice != NULL)
            next(g, advice);
        else if (vtdpi_verdict_reason_where(c) == VTDPI_VERDICT_WHERE_UNIT)
            next(g, "What a unit cannot do is a property of the hardware: no "
                    "setting changes that.");
    }
}

static void explain_dmar(struct judge *g)
{
    const struct host *const h = g->h;

    if (h->dmar == ACPI_ABSENT) {
        why(g, ANSWER_REMAPPING, NULL,
            "there is no DMAR table: the firmware does not show VT-d");
        if (h->cpu.hypervisor == FACT_YES)
            next(g, "Give the virtual machine an IOMMU (QEMU: -device "
                    "intel-iommu,intremap=on), if it is to have one.");
        else
            next(g, "Switch VT-d on in the firmware's setup. VT-x (the CPU's "
                    "flag vmx) is another thing.");
    } else if (h->dmar == ACPI_REFUSED) {
        why(g, ANSWER_REMAPPING, NULL, "only root may read the DMAR table");
        next(g, "Run vtdpi host as root: the DMAR table and the kernel's log "
                "are readable for root only.");
    } else if (h->dmar == ACPI_UNKNOWN) {
        why(g, ANSWER_REMAPPING, NULL,
            "there is no folder of ACPI tables (" PATH_TABLES ")");
    } else if (h->dmar == ACPI_BAD) {
        why(g, ANSWER_REMAPPING, NULL, "the DMAR table is malformed");
        next(g, "See what is wrong with the table: vtdpi dmar /" PATH_DMAR);
    }
}

static void explain_units(struct judge *g)
{
    const struct host *const h = g->h;
    const bool off = h->options.intel_iommu == FACT_NO || h->options.iommu_off;

    if (h->sysfs_units > 0 || h->unit_count == 0 || !h->has_flags)
        return;
    why(g, ANSWER_REMAPPING, NULL,
        off ? "the DMAR table lists units and /sys/class/iommu has none: the "
              "kernel's IOMMU driver is switched off (intel_iommu=off or "
              "iommu=off)"
            : "the DMAR table lists units and /sys/class/iommu has none: the "
              "kernel's IOMMU driver is off by its default, or not built in");
    if (!g->units_known)
        next(g, "What the units can do is not known without the driver: boot "
                "with intel_iommu=on, or give the log of the boot to vtdpi "
                "log.");
}

static void explain_remapping(struct judge *g)
{
    const struct answer *const a = &g->j->answer[ANSWER_REMAPPING];
    const struct host *const h = g->h;

    if (a->from != NULL && a->works != FACT_UNKNOWN)
        why(g, ANSWER_REMAPPING, NULL, a->from);
    if (a->works == FACT_YES && has_reason(g, VTDPI_VERDICT_NONE, false))
        why(g, ANSWER_REMAPPING, NULL,
            "the kernel runs remapping although something is in the way");
    if (h->log.erratum) {
        why(g, ANSWER_REMAPPING, NULL,
            "the chipset (5500, 5520 or X58) has an erratum, and the kernel "
            "switched remapping off");
        next(g, "Remapping stays off on chipsets with this erratum.");
    }
    if (h->log.ioapic_uncovered)
        why(g, ANSWER_REMAPPING, NULL,
            "the kernel's log names an IOAPIC that no unit covers");
    if (h->log.bad_table)
        why(g, ANSWER_REMAPPING, NULL,
            "the kernel's log says that the DMAR table is malformed");
    if (a->works == FACT_NO && a->possible == FACT_YES &&
        h->options.intremap != FACT_NO) {
        why(g, ANSWER_REMAPPING, NULL,
            "the kernel does not use what units and firmware offer");
        next(g, "See the kernel's log for DMAR-IR, and its configuration for "
                "CONFIG_IRQ_REMAP: dmesg | vtdpi log -");
    }
}

static void explain_x2apic(struct judge *g)
{
    const struct answer *const a = &g->j->answer[ANSWER_X2APIC];
    const struct host *const h = g->h;
    char where[WHERE_BYTES];

    if (a->from != NULL)
        why(g, ANSWER_X2APIC, NULL, a->from);
    if (a->works == FACT_UNKNOWN)
        why(g, ANSWER_X2APIC, NULL,
            "nothing that can be read says in which mode the CPUs run");
    if (a->works == FACT_NO && a->from == NULL &&
        g->j->answer[ANSWER_REMAPPING].works == FACT_NO)
        why(g, ANSWER_X2APIC, NULL,
            "Linux takes the mode only with interrupt remapping");
    if (h->options.nox2apic)
        why(g, ANSWER_X2APIC, NULL, "switched off by nox2apic");
    else if (h->cpu.x2apic == FACT_NO)
        why(g, ANSWER_X2APIC, NULL, "the CPU has no flag x2apic");
    if (a->works != FACT_YES && opted_out(h)) {
        why(g, ANSWER_X2APIC, NULL,
            "firmware asked to avoid x2APIC mode (X2APIC_OPT_OUT). Remapping "
            "and posting work in xAPIC mode, too");
        if (!h->options.no_x2apic_optout)
            next(g, "x2APIC mode is needed for APIC ids above 254 only. "
                    "intremap=no_x2apic_optout overrides the firmware.");
    }
    where[0] = '\0';
    for (size_t i = 0; i < h->unit_count; i++) {
        const size_t used = strlen(where);

        if (lacks_eim(&h->unit[i]) && used + HOST_NAME + 4 < sizeof(where))
            (void)snprintf(where + used, sizeof(where) - used, "%s%s",
                           used == 0 ? "" : ", ", h->unit[i].name);
    }
    if (where[0] != '\0')
        why(g, ANSWER_X2APIC, where, "no extended interrupt mode (ECAP.EIM)");
}

static void explain_kvm(struct judge *g)
{
    const struct host *const h = g->h;

    if (h->options.apicv == FACT_NO || h->enable_apicv == FACT_NO) {
        why(g, ANSWER_POSTING, NULL,
            h->options.apicv == FACT_NO
                ? "KVM's APICv is switched off (kvm_intel.enable_apicv=0)"
                : "KVM's APICv is off (enable_apicv is N)");
        if (cpu_posting(h) != FACT_NO)
            next(g, "Load kvm_intel with enable_apicv=1.");
    } else if (h->device_posting == FACT_NO) {
        why(g, ANSWER_POSTING, NULL,
            "KVM does not post for devices (enable_device_posted_irqs is N)");
    } else if (h->kvm == FACT_NO &&
               g->j->answer[ANSWER_POSTING].works == FACT_YES) {
        why(g, ANSWER_POSTING, NULL,
            "kvm_intel is not loaded: nothing is posted to a guest yet");
    }
}

static void explain_posting(struct judge *g)
{
    const struct answer *const a = &g->j->answer[ANSWER_POSTING];
    const struct host *const h = g->h;

    if (a->from != NULL)
        why(g, ANSWER_POSTING, NULL, a->from);
    if (a->works == FACT_YES && has_reason(g, VTDPI_VERDICT_REMAPPING, false))
        why(g, ANSWER_POSTING, NULL,
            "the kernel posts although something is in the way");
    if (h->cpu.vmx == FACT_NO && h->cpu.hypervisor == FACT_YES) {
        why(g, ANSWER_POSTING, NULL,
            "the CPU has no flag vmx: the hypervisor does not show VT-x");
        next(g, "Let the hypervisor show VT-x to the virtual machine (nested "
                "virtualization), if guests are to run in it.");
    } else if (h->cpu.vmx == FACT_NO) {
        why(g, ANSWER_POSTING, NULL,
            "the CPU has no flag vmx: VT-x is off in the firmware or absent");
        next(g, "Switch VT-x on in the firmware's setup.");
    } else if (h->cpu.posted_interrupts == FACT_NO &&
               h->enable_apicv != FACT_YES) {
        why(g, ANSWER_POSTING, NULL,
            "the CPU cannot take posted interrupts (no posted_intr in its vmx "
            "flags), whatever the units can do");
    } else if (cpu_posting(h) == FACT_UNKNOWN && h->has_cpu) {
        why(g, ANSWER_POSTING, NULL,
            "this kernel does not print the CPU's vmx flags, and kvm_intel, "
            "which knows them, is not loaded");
        next(g, "modprobe kvm_intel, and run vtdpi host once more.");
    }
    explain_kvm(g);
    if (h->options.posted_msi)
        why(g, ANSWER_POSTING, NULL,
            "intremap=posted_msi: entries in posted format may be the host's "
            "own, and need no guest");
    if (g->j->answer[ANSWER_REMAPPING].works == FACT_NO)
        why(g, ANSWER_POSTING, NULL, "posting needs interrupt remapping");
    if (!g->units_known && h->unit_count > 0)
        why(g, ANSWER_POSTING, NULL,
            "it is not known what every unit can do (CAP.PI)");
}

static void explain_rest(struct judge *g)
{
    const struct host *const h = g->h;
    const enum fact remapping = g->j->answer[ANSWER_REMAPPING].works;

    if (h->log_state == ROOT_REFUSED)
        next(g, "Run vtdpi host as root: the DMAR table and the kernel's log "
                "are readable for root only.");
    if (h->unsafe_interrupts == FACT_YES && remapping == FACT_YES)
        next(g, "Remove allow_unsafe_interrupts of vfio_iommu_type1: with "
                "remapping on there is no need for it.");
    else if (h->unsafe_interrupts == FACT_YES && remapping == FACT_NO)
        next(g, "allow_unsafe_interrupts lets a guest with a device send any "
                "interrupt to the host.");
    if (g->j->answer[ANSWER_POSTING].works == FACT_YES)
        next(g, "Nothing has to be done. Whether a device's interrupts are "
                "posted: vtdpi table /" PATH_ENTRIES);
}

/* Machines whose answer is not in these files. */
static bool judge_foreign(struct judge *g)
{
    const struct host *const h = g->h;
    const bool amd = strcmp(h->cpu.vendor, "AuthenticAMD") == 0 ||
                     strcmp(h->cpu.vendor, "HygonGenuine") == 0;

    /* An emulator may combine AMD's CPU with Intel's IOMMU. */
    if ((amd || h->ivrs) && h->unit_count == 0 &&
        (h->dmar == ACPI_ABSENT || h->dmar == ACPI_UNKNOWN)) {
        g->j->headline =
            "Not judged: AMD's IOMMU (AMD-Vi) is another thing than Intel's "
            "VT-d, with another way of posting (AVIC).";
        next(g, "See the kernel's log for AMD-Vi, and kvm_amd's parameter "
                "avic.");
        return true;
    }
    if (h->xen || h->interrupts.xen) {
        g->j->headline = "Not judged: Xen owns the units of this machine, and "
                         "this kernel does not see them.";
        next(g, "In dom0: xl dmesg | vtdpi log -");
        return true;
    }
    return false;
}

/* Causes of one answer together, in the order of the answers. */
static void why_sort(struct judgement *j)
{
    json_t *const sorted = json_array();
    json_t *cause;
    size_t i;

    for (size_t a = 0; a < ANSWER_COUNT; a++) {
        json_array_foreach(j->why, i, cause)
        {
            const char *const about =
                json_string_value(json_object_get(cause, "about"));

            if (strcmp(about, answer_names[a]) == 0)
                (void)json_array_append(sorted, cause);
        }
    }
    json_decref(j->why);
    j->why = sorted;
}

void host_judge(const struct host *h, struct judgement *j)
{
    /* Large, and there is one. */
    static struct judge judge;
    struct judge *const g = &judge;

    memset(g, 0, sizeof(*g));
    memset(j, 0, sizeof(*j));
    j->why = json_array();
    j->next = json_array();
    g->h = h;
    g->j = j;
    if (judge_foreign(g))
        return;
    os_remapping(h, &j->answer[ANSWER_REMAPPING]);
    os_x2apic(h, &j->answer[ANSWER_X2APIC]);
    decide(g);
    judge_remapping(g);
    judge_x2apic(g);
    judge_posting(g);
    explain_dmar(g);
    explain_reasons(g);
    explain_units(g);
    explain_remapping(g);
    explain_x2apic(g);
    explain_posting(g);
    explain_rest(g);
    why_sort(j);
}
