/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From facts to a verdict. A line that says remapping is on or off decides; the later
 * of two such lines, Xen's before those of its guest. Without one, options, units and
 * faults decide as far as they can. Each step leaves a reason with the line that said
 * so.
 */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "tool.h"

enum {
    SAYS_ON_MAJOR = 3, /* "Enabled IRQ remapping" */
    POSTING_MAJOR = 4, /* Linux posts since 4.4 */
    POSTING_MINOR = 4,
};

static void __attribute__((__format__(__printf__, 3, 4)))
why_add(struct log_verdict *v, const struct log_place *place,
        const char *format, ...)
{
    struct log_why *w;
    va_list args;

    if (v->why_count == LOG_WHY_MAX)
        return;
    w = &v->why[v->why_count++];
    w->place = place;
    va_start(args, format);
    (void)vsnprintf(w->says, sizeof(w->says), format, args);
    va_end(args);
}

static const struct log_place *place_of(const struct log_facts *f,
                                        enum log_fact fact)
{
    const struct log_seen *const s = &f->boot.seen[fact];

    return s->count == 0 ? NULL : &s->first;
}

static bool seen(const struct log_facts *f, enum log_fact fact)
{
    return f->boot.seen[fact].count != 0;
}

/* Of two facts that contradict each other, whether the first one counts: it stands in
 * the later line. */
static bool counts(const struct log_facts *f, enum log_fact fact,
                   enum log_fact other)
{
    return seen(f, fact) && (!seen(f, other) || f->boot.seen[other].last <
                                                    f->boot.seen[fact].last);
}

/* Names of a unit in sentences: "dmar1", or by its base. */
static const char *unit_name(const struct log_unit *u, char *text, size_t size)
{
    if (u->number >= 0)
        (void)snprintf(text, size, "unit %d", u->number);
    else
        (void)snprintf(text, size, "the unit at 0x%llx",
                       (unsigned long long)u->base);
    return text;
}

/* Of the units of which @what says @said, the one with the lowest number or base. */
static const struct log_unit *
unit_that(const struct log_facts *f,
          enum log_said (*what)(const struct log_unit *), enum log_said said)
{
    const struct log_unit *first = NULL;

    for (unsigned int i = 0; i < f->boot.unit_count; i++) {
        const struct log_unit *const u = &f->boot.units[i];

        if (what(u) == said && (first == NULL || log_unit_order(u, first) < 0))
            first = u;
    }
    return first;
}

/* A line says it. */
static bool remap_by_line(const struct log_facts *f, struct log_verdict *v)
{
    const bool xen = seen(f, LOG_XEN_REMAP_ON) || seen(f, LOG_XEN_REMAP_OFF);
    const enum log_fact on = xen ? LOG_XEN_REMAP_ON : LOG_REMAP_ON;
    const enum log_fact off = xen ? LOG_XEN_REMAP_OFF : LOG_REMAP_OFF;
    const bool is_on = counts(f, on, off);
    const char *const who = xen ? "Xen says: " : "";

    if (!seen(f, on) && !seen(f, off))
        return false;
    v->said = true;
    v->remapping = is_on ? LOG_REMAPPING_ON : LOG_REMAPPING_OFF;
    why_add(v, place_of(f, is_on ? on : off), "%sinterrupt remapping is %s",
            who, is_on ? "on" : "off");
    if (seen(f, on) && seen(f, off))
        why_add(v, place_of(f, is_on ? off : on),
                "another line says that remapping is %s; the later line counts",
                is_on ? "off" : "on");
    return true;
}

static const struct log_place *option_off(const struct log_boot *b)
{
    static const char *const options[][2] = {
        {"intremap", "off"},       {"intremap", "0"},
        {"nointremap", NULL},      {"iommu", "no-intremap"},
        {"iommu", "intremap=off"},
    };

    for (unsigned int i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const struct log_place *const o =
            log_option_find(b, options[i][0], options[i][1]);

        if (o != NULL)
            return o;
    }
    return NULL;
}

/* The line that makes Linux and Xen pass over the DMAR table as a whole, or NULL. */
static const struct log_seen *bad_table(const struct log_facts *f)
{
    static const enum log_fact facts[] = {LOG_BASE_ZERO, LOG_ALL_ONES,
                                          LOG_TABLE_BAD};

    for (unsigned int i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (seen(f, facts[i]))
            return &f->boot.seen[facts[i]];
    }
    return NULL;
}

/* A fault, or what is said just before remapping is set up, shows the contrary. */
static bool no_unit_is_taken(const struct log_facts *f)
{
    return bad_table(f) != NULL && !f->boot.freebsd && !f->boot.jailhouse &&
           !seen(f, LOG_QI_WILL);
}

/* The boot's begin and the line that ends the set-up of the units are there. In between
 * Linux says that remapping is on, unless it was built without. */
static bool linux_left_it_off(const struct log_facts *f)
{
    return f->boot.linux_version && f->boot.kernel_major >= SAYS_ON_MAJOR &&
           !f->boot.xen && f->boot.unit_count > 0 && seen(f, LOG_DMA_SET_UP) &&
           !seen(f, LOG_QI_WILL) && !seen(f, LOG_COPIED) &&
           !seen(f, LOG_PRE_ENABLED);
}

/* No line says it, but another fact leaves no choice. */
static void remap_by_facts(const struct log_facts *f, struct log_verdict *v)
{
    const struct log_unit *const without =
        unit_that(f, log_unit_ir, LOG_SAID_NO);
    const struct log_place *const off = option_off(&f->boot);
    char name[40];

    if (off != NULL) {
        v->remapping = LOG_REMAPPING_OFF;
        why_add(v, off, "an option switches remapping off");
    } else if (seen(f, LOG_VTD_OFF)) {
        v->remapping = LOG_REMAPPING_OFF;
        why_add(v, place_of(f, LOG_VTD_OFF), "VT-d as a whole is off");
    } else if (without != NULL) {
        v->remapping = LOG_REMAPPING_OFF;
        why_add(v, &without->place,
                "%s has no interrupt remapping (ECAP.IR = 0), and all units "
                "have to have it",
                unit_name(without, name, sizeof(name)));
    } else if (f->fault_total > 0 && f->fault_count > 0) {
        v->remapping = LOG_REMAPPING_ON;
        why_add(v, &f->faults[0].first,
                "a unit reports faults of interrupts, which happens only "
                "while remapping is on");
    } else if (no_unit_is_taken(f)) {
        v->remapping = LOG_REMAPPING_OFF;
        why_add(v, &bad_table(f)->first,
                "the kernel does not take the DMAR table, and so has no unit");
    } else if (f->boot.jailhouse && seen(f, LOG_ACTIVATED)) {
        v->remapping = LOG_REMAPPING_ON;
        why_add(v, place_of(f, LOG_ACTIVATED),
                "Jailhouse takes over only if each of its units remaps");
    } else if (linux_left_it_off(f)) {
        v->remapping = LOG_REMAPPING_OFF;
        why_add(v, place_of(f, LOG_DMA_SET_UP),
                "the units are set up by here, and no line in front says that "
                "remapping is on, which Linux never leaves out");
    } else if (seen(f, LOG_AMD) || seen(f, LOG_ARM)) {
        why_add(v, place_of(f, seen(f, LOG_AMD) ? LOG_AMD : LOG_ARM),
                "the machine is one of %s, and VT-d is Intel's",
                seen(f, LOG_AMD) ? "AMD" : "ARM");
    } else if (seen(f, LOG_QI_WILL)) {
        why_add(v, place_of(f, LOG_QI_WILL),
                "remapping was about to be set up, and no line says that it "
                "was");
    } else {
        why_add(v, NULL,
                "no line says whether interrupt remapping is on or off");
    }
}

struct mode_fact {
    enum log_fact fact;
    enum log_mode mode;
    const char *says;
};

/* The first that was seen decides. */
static const struct mode_fact mode_facts[] = {
    {LOG_MODE_X2APIC, LOG_MODE_IS_X2APIC, NULL},
    {LOG_MODE_XAPIC, LOG_MODE_IS_XAPIC, NULL},
    {LOG_OPT_OUT, LOG_MODE_IS_XAPIC,
     "firmware asks to stay out of x2APIC mode"},
    {LOG_NO_X2APIC, LOG_MODE_IS_XAPIC, "the kernel does not use x2APIC mode"},
    {LOG_NO_EIM, LOG_MODE_IS_XAPIC, "a unit does not take x2APIC ids (EIM)"},
    {LOG_CPU_X2APIC, LOG_MODE_IS_X2APIC, "the CPUs run in x2APIC mode"},
    {LOG_QI_WILL, LOG_MODE_IS_X2APIC,
     "this line is printed only for x2APIC mode"},
    {LOG_CPU_XAPIC, LOG_MODE_IS_XAPIC, "the CPUs run in xAPIC mode"},
};

static void mode_judge(const struct log_facts *f, struct log_verdict *v)
{
    for (unsigned int i = 0; i < sizeof(mode_facts) / sizeof(mode_facts[0]);
         i++) {
        const struct mode_fact *const m = &mode_facts[i];

        if (!seen(f, m->fact) ||
            (m->fact == LOG_QI_WILL && v->remapping != LOG_REMAPPING_ON))
            continue;
        v->mode = m->mode;
        if (m->says != NULL)
            why_add(v, place_of(f, m->fact), "%s", m->says);
        return;
    }
}

/* Each unit that the log names is known, and has PI. */
static bool all_post(const struct log_facts *f)
{
    for (unsigned int i = 0; i < f->boot.unit_count; i++) {
        if (log_unit_pi(&f->boot.units[i]) != LOG_SAID_YES)
            return false;
    }
    return f->boot.unit_count > 0 && f->boot.unit_more == 0;
}

/* A unit without PI rules posting out, whatever else is on. */
static bool post_by_unit(const struct log_facts *f, struct log_verdict *v)
{
    const struct log_unit *const without =
        unit_that(f, log_unit_pi, LOG_SAID_NO);
    char name[40];

    if (without != NULL)
        why_add(v, &without->place,
                "%s cannot post (CAP.PI = 0), and all units have to",
                unit_name(without, name, sizeof(name)));
    else if (seen(f, LOG_POST_NO_UNIT))
        why_add(v, place_of(f, LOG_POST_NO_UNIT), "a unit cannot post");
    else
        return false;
    v->posting = LOG_POSTING_NOT_POSSIBLE;
    return true;
}

static bool post_by_line(const struct log_facts *f, struct log_verdict *v)
{
    const enum log_fact off =
        seen(f, LOG_POST_NO_CPU) ? LOG_POST_NO_CPU : LOG_POST_OFF;
    const bool is_on = counts(f, LOG_POST_ON, off);

    if (!seen(f, LOG_POST_ON) && !seen(f, off))
        return false;
    v->posting = is_on ? LOG_POSTING_ON : LOG_POSTING_OFF;
    why_add(v, place_of(f, is_on ? LOG_POST_ON : off), "posting is %s",
            is_on ? "on" : "off");
    return true;
}

static bool kernel_is_old(const struct log_boot *b)
{
    return b->kernel_major != 0 && (b->kernel_major < POSTING_MAJOR ||
                                    (b->kernel_major == POSTING_MAJOR &&
                                     b->kernel_minor < POSTING_MINOR));
}

/* Linux prints no line: it posts if remapping is on and each unit can. */
static void post_of_linux(const struct log_facts *f, struct log_verdict *v)
{
    const struct log_place *const no =
        log_option_find(&f->boot, "intremap", "nopost");

    if (no != NULL) {
        v->posting = LOG_POSTING_OFF;
        why_add(v, no, "an option switches posting off");
    } else if (kernel_is_old(&f->boot) && f->boot.kernel_is_mixed) {
        why_add(v, NULL,
                "Linux 4.4 is the first that can post, and kernels of RHEL "
                "have parts of later ones");
    } else if (kernel_is_old(&f->boot)) {
        v->posting = LOG_POSTING_OFF;
        why_add(v, NULL, "Linux %u.%u cannot post; 4.4 is the first that can",
                f->boot.kernel_major, f->boot.kernel_minor);
    } else if (all_post(f)) {
        v->posting = LOG_POSTING_ON;
        why_add(v, &f->boot.units[0].place,
                "each unit can post (CAP.PI = 1), and Linux then posts for "
                "guests without a line of its own; whether the CPUs can "
                "(APICv) is not in these lines");
    } else {
        why_add(v, NULL, "the log does not have the registers of each unit");
    }
}

static void post_judge(const struct log_facts *f, struct log_verdict *v)
{
    const struct log_boot *const b = &f->boot;

    if (post_by_unit(f, v) || post_by_line(f, v))
        return;
    if (v->remapping == LOG_REMAPPING_OFF) {
        v->posting = LOG_POSTING_OFF;
        why_add(v, NULL, "posting needs remapping");
    } else if (b->freebsd || b->jailhouse) {
        v->posting = LOG_POSTING_OFF;
        why_add(v, NULL, "%s does not post the interrupts of devices",
                b->freebsd ? "FreeBSD" : "Jailhouse");
    } else if (v->remapping == LOG_REMAPPING_ON && !b->xen) {
        post_of_linux(f, v);
    }
}

void log_judge(const struct log_facts *f, struct log_verdict *v)
{
    *v = (struct log_verdict){0};
    if (!remap_by_line(f, v))
        remap_by_facts(f, v);
    mode_judge(f, v);
    post_judge(f, v);
}

int log_status(const struct log_facts *f, const struct log_verdict *v)
{
    bool wrong = v->remapping == LOG_REMAPPING_OFF || f->fault_total > 0 ||
                 seen(f, LOG_ALL_ONES) || seen(f, LOG_MALFUNCTION);

    for (unsigned int i = 0; i < LOG_QUEUE_KINDS; i++)
        wrong = wrong || f->queue[i].count > 0;
    for (unsigned int i = 0; i < f->boot.unit_count; i++)
        wrong = wrong || log_unit_dead(&f->boot.units[i]);
    if (wrong)
        return STATUS_WRONG;
    return v->remapping == LOG_REMAPPING_ON ? STATUS_GOOD : STATUS_UNKNOWN;
}
