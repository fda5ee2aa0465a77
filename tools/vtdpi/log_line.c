/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done with a line: a boot's begin, a command line, an error of a queue, a
 * fault, a unit, and what the rules know, in that order.
 */
#include <string.h>

#include "log_words.h"
#include "tool.h"

static void boot_init(struct log_boot *b)
{
    memset(b, 0, sizeof(*b));
    b->current_unit = -1;
    b->uncovered_ioapic = -1;
}

void log_init(struct log_facts *f)
{
    memset(f, 0, sizeof(*f));
    boot_init(&f->boot);
    f->boots = 1;
    log_fault_flush(f); /* sets the pending fault up */
}

/* A new boot has new facts. The faults of all boots stay. */
static void boot_begin(struct log_facts *f, bool again, unsigned long number)
{
    if (again) {
        log_fault_flush(f);
        boot_init(&f->boot);
        f->boots++;
    }
    if (f->boot.line == 0)
        f->boot.line = number;
}

/* "Linux version 6.1.0-13-amd64 ...". Kernels of RHEL have parts of later ones. */
static void kernel_take(struct log_boot *b, struct log_span line)
{
    static const char mark[] = "linux version";
    struct log_number major;
    struct log_number minor;

    line.begin = log_find_word(line, mark) + strlen(mark);
    if (!log_number(line, &major) || !major.is_decimal ||
        major.decimal > UINT16_MAX || major.end == line.end ||
        *major.end != '.')
        return;
    line.begin = major.end + 1;
    (void)log_number(line, &minor);
    if (minor.end == line.begin || !minor.is_decimal ||
        minor.decimal > UINT16_MAX)
        return;
    b->kernel_major = (unsigned int)major.decimal;
    b->kernel_minor = (unsigned int)minor.decimal;
    b->kernel_is_mixed = log_find(line, ".el") != NULL;
}

static bool marker_line(struct log_facts *f, struct log_span line,
                        struct log_words words, unsigned long number)
{
    struct log_boot *const b = &f->boot;

    if ((words.more & M(FREEBSD)) != 0 &&
        log_find(line, "freebsd is a registered trademark") != NULL) {
        boot_begin(f, b->any || b->freebsd, number);
        b->freebsd = true;
        return true;
    }
    if ((words.more & M(VERSION)) == 0)
        return false;
    /* A hypervisor and its first guest are one boot, whose log comes first does not
     * matter. */
    if (b->xen && log_find(line, "(xen) xen version") != NULL) {
        boot_begin(f, b->xen_version || (b->any && !b->linux_version), number);
        b->xen = true;
        b->xen_version = true;
        return true;
    }
    if (log_find_word(line, "linux version") == NULL)
        return false;
    boot_begin(f, b->linux_version || (b->any && !b->xen), number);
    b->linux_version = true;
    kernel_take(b, line);
    return true;
}

/* Options that matter here, by their names. */
static const char *const option_names[] = {
    "intel_iommu",
    "intremap",
    "iommu",
    "nointremap",
    "nox2apic",
    "x2apic",
    "noapic",
    "nolapic",
    "x2apic_phys",
    "x2apic-mode",
    "apicv",
    "allow_unsafe_interrupts",
    "enable_apicv",
    "posted_msi",
    "acpi",
    "vtd",
    "allow_unsafe_assigned_interrupts",
    "iommu_inclusive_mapping",
};

static bool option_is_ours(const char *text, size_t length)
{
    const char *const equals = memchr(text, '=', length);
    const size_t name = equals == NULL ? length : (size_t)(equals - text);
    const char *begin = text;

    /* A module's option has its module in front: kvm_intel.enable_apicv=0. */
    for (const char *p = text; p < text + name; p++) {
        if (*p == '.')
            begin = p + 1;
    }
    for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]);
         i++) {
        if (strlen(option_names[i]) == (size_t)(text + name - begin) &&
            memcmp(option_names[i], begin, strlen(option_names[i])) == 0)
            return true;
    }
    return false;
}

static void option_add(struct log_boot *b, struct log_span option,
                       unsigned long number)
{
    struct log_place kept;

    log_keep(&kept, option, number);
    for (unsigned int i = 0; i < b->option_count; i++) {
        if (strcmp(b->options[i].text, kept.text) == 0)
            return;
    }
    if (b->option_count < LOG_OPTIONS_MAX)
        b->options[b->option_count++] = kept;
}

bool log_command_line(struct log_boot *b, struct log_span line,
                      unsigned long number)
{
    const char *at = log_find_word(line, "command line");

    if (at == NULL)
        return false;
    at += strlen("command line");
    if (at == line.end || *at != ':')
        return false;
    b->command_line = number;
    for (at++; at < line.end; at++) {
        struct log_span option = {at, at};

        while (option.end < line.end && *option.end != ' ' &&
               *option.end != '\t')
            option.end++;
        if (option.end > at && option_is_ours(at, (size_t)(option.end - at)))
            option_add(b, option, number);
        at = option.end;
    }
    return true;
}

/* Whether @value is one of those between commas behind the equals sign of @text. */
static bool value_in(const char *text, const char *value)
{
    const size_t length = strlen(value);
    const char *at = strchr(text, '=');

    while (at != NULL) {
        at++;
        if (strncmp(at, value, length) == 0 &&
            (at[length] == '\0' || at[length] == ','))
            return true;
        at = strchr(at, ',');
    }
    return false;
}

const struct log_place *log_option_find(const struct log_boot *b,
                                        const char *name, const char *value)
{
    const size_t length = strlen(name);

    for (unsigned int i = 0; i < b->option_count; i++) {
        const char *const text = b->options[i].text;
        const char *const dot = strrchr(text, '.');
        const char *const own = dot == NULL ? text : dot + 1;

        if (strncmp(own, name, length) != 0 ||
            (own[length] != '=' && own[length] != '\0'))
            continue;
        if (value == NULL || value_in(own, value))
            return &b->options[i];
    }
    return NULL;
}

static void fact_add(struct log_boot *b, enum log_fact fact,
                     struct log_span line, unsigned long number)
{
    struct log_seen *const s = &b->seen[fact];

    if (s->count++ == 0)
        log_keep(&s->first, line, number);
    s->last = number;
    b->any = true;
}

/* What Xen says of remapping counts, whatever its first guest says. */
static bool is_xen_line(struct log_span line)
{
    return log_find(line, "(xen)") != NULL ||
           log_find(line, "intel vt-d") != NULL;
}

static void remap_on(struct log_facts *f, struct log_span line,
                     struct log_words words, unsigned long number)
{
    struct log_boot *const b = &f->boot;

    fact_add(b, is_xen_line(line) ? LOG_XEN_REMAP_ON : LOG_REMAP_ON, line,
             number);
    if ((words.more & M(X2APIC)) != 0)
        fact_add(b, LOG_MODE_X2APIC, line, number);
    else if ((words.more & M(XAPIC)) != 0)
        fact_add(b, LOG_MODE_XAPIC, line, number);
}

/* Facts that have a number, or that are two facts. */
static void fact_more(struct log_facts *f, enum log_fact fact,
                      struct log_span line, struct log_words words,
                      unsigned long number)
{
    struct log_boot *const b = &f->boot;
    unsigned int value;
    uint64_t status;

    switch (fact) {
    case LOG_IOAPIC_UNCOVERED:
        if (log_decimal(line, "ioapic", &value))
            b->uncovered_ioapic = (int)value;
        if ((words.set & W(REMAP)) != 0)
            fact_add(b, is_xen_line(line) ? LOG_XEN_REMAP_OFF : LOG_REMAP_OFF,
                     line, number);
        break;
    case LOG_IOAPIC_SKIPPED:
    case LOG_ERRATUM:
        fact_add(b, is_xen_line(line) ? LOG_XEN_REMAP_OFF : LOG_REMAP_OFF, line,
                 number);
        break;
    case LOG_SUPPRESSED:
        if (log_decimal(line, "dmar_fault:", &value))
            f->suppressed += value;
        break;
    case LOG_FAULT_STATUS:
        if (log_value(line, "reg", &status) && (status & 1) != 0)
            fact_add(b, LOG_FAULT_OVERFLOW, line, number);
        break;
    default:
        break;
    }
}

/* Whether a line that switches something off means VT-d, and not a part that only the
 * mark [VT-D] in front belongs to. */
static bool names_vtd(struct log_span line)
{
    static const char mark[] = "[vt-d]";
    const char *const at = log_find(line, mark);

    if (at == NULL)
        return true;
    line.begin = at + strlen(mark);
    return log_find_word(line, "vt-d") != NULL ||
           log_find_word(line, "iommu") != NULL ||
           log_find(line, "virtuali") != NULL;
}

/* What a number in the line makes of a fact. */
static enum log_fact fact_of(enum log_fact fact, struct log_span line)
{
    uint64_t value;

    if (fact == LOG_VTD_OFF && !names_vtd(line))
        return LOG_KNOWN;
    /* A name of a file. */
    if (fact == LOG_TXT && log_find(line, ".txt") != NULL)
        return LOG_FACTS;
    /* The driver of AMD's second version begins on each machine, and says that the
     * functionality is not available. */
    if (fact == LOG_AMD && log_find(line, "iommuv2") != NULL)
        return LOG_KNOWN;
    /* "Try booting with x2apic and interrupt-remapping disabled in the bios." */
    if (fact == LOG_REMAP_OFF && log_find_word(line, "try") != NULL)
        return LOG_KNOWN;
    /* OpenBSD: "x2apic_opt_out:0". */
    if (fact == LOG_OPT_OUT && log_value(line, "x2apic_opt_out", &value) &&
        value == 0)
        return LOG_KNOWN;
    /* "Hypervisor detected: KVM", and FreeBSD: "Hypervisor: Origin = ...". */
    if (fact == LOG_GUEST && log_find(line, "hypervisor detected:") == NULL &&
        log_find(line, "hypervisor: origin") == NULL)
        return log_find(line, "activating hypervisor") == NULL ? LOG_FACTS
                                                               : LOG_ACTIVATED;
    if (fact == LOG_BIOS_BROKEN && log_value(line, "address", &value) &&
        value == 0)
        return LOG_BASE_ZERO;
    return fact;
}

/* The mode of the CPUs that a guest has: Xen's is another. */
static const enum log_fact guest_facts[] = {LOG_CPU_X2APIC, LOG_CPU_XAPIC,
                                            LOG_NO_X2APIC};

static bool is_guest_fact(enum log_fact fact)
{
    for (size_t i = 0; i < sizeof(guest_facts) / sizeof(guest_facts[0]); i++) {
        if (guest_facts[i] == fact)
            return true;
    }
    return false;
}

/* The first line of Xen: what was said before was said by a guest. */
static void xen_begin(struct log_boot *b)
{
    for (size_t i = 0;
         !b->xen && i < sizeof(guest_facts) / sizeof(guest_facts[0]); i++)
        b->seen[guest_facts[i]] = (struct log_seen){0};
    b->xen = true;
}

static bool rule_line(struct log_facts *f, struct log_span line,
                      struct log_words words, unsigned long number)
{
    const enum log_fact fact = fact_of(log_rule(words), line);
    const bool guest = f->boot.xen && !is_xen_line(line);

    if (fact == LOG_FACTS || log_is_prose(line))
        return false;
    if (guest && is_guest_fact(fact))
        return true;
    if (fact == LOG_REMAP_ON)
        remap_on(f, line, words, number);
    else if (fact == LOG_REMAP_OFF && is_xen_line(line))
        fact_add(&f->boot, LOG_XEN_REMAP_OFF, line, number);
    else if (fact != LOG_IOAPIC_SKIPPED || !guest)
        fact_add(&f->boot, fact, line, number);
    fact_more(f, fact, line, words, number);
    return true;
}

/* A line that no rule knows, of VT-d by its words. */
static void unknown_line(struct log_facts *f, struct log_span line,
                         struct log_words words, unsigned long number)
{
    if ((words.set & (W(DMAR) | W(DRHD) | W(IOMMU) | W(REMAP))) == 0 &&
        (words.more & M(VTD)) == 0)
        return;
    if (f->unknown++ == 0)
        log_keep(&f->unknown_first, line, number);
}

static void line_take(struct log_facts *f, struct log_span line,
                      unsigned long number)
{
    const struct log_words words = log_words_of(line);

    if ((words.more & M(XEN)) != 0 && log_find(line, "(xen)") != NULL)
        xen_begin(&f->boot);
    if (marker_line(f, line, words, number) ||
        ((words.more & M(COMMAND)) != 0 &&
         log_command_line(&f->boot, line, number)) ||
        ((words.more & M(BRIDGE)) != 0 && log_bridge_line(&f->boot, line)))
        return;
    if (log_queue_line(f, line, words, number) ||
        log_fault_line(f, line, words, number) ||
        log_unit_line(&f->boot, line, words, number) ||
        rule_line(f, line, words, number))
        f->about++;
    else
        unknown_line(f, line, words, number);
}

/* Takes what is held, or joins it with the line that goes on. */
static void wrapped_end(struct log_facts *f, struct log_span *line,
                        unsigned long *number)
{
    const struct log_span held = {f->wrapped, f->wrapped + f->wrapped_length};

    if (log_goes_on(held, *line)) {
        *line = log_wrap_join(f, *line);
        *number = f->wrapped_number;
    } else {
        line_take(f, held, f->wrapped_number);
    }
    f->wrapped_length = 0;
}

/* A line that mail has wrapped waits for the line behind it. */
static void wrap_line(struct log_facts *f, struct log_span line,
                      unsigned long number)
{
    size_t length;

    if (f->wrapped_length != 0)
        wrapped_end(f, &line, &number);
    length = (size_t)(line.end - line.begin);
    if (!log_filter(line.begin, length))
        return;
    if (length <= sizeof(f->wrapped) && log_is_unfinished(line)) {
        memcpy(f->wrapped, line.begin, length);
        f->wrapped_length = length;
        f->wrapped_number = number;
        return;
    }
    line_take(f, line, number);
}

void log_line(struct log_facts *f, const char *text, size_t length,
              unsigned long number)
{
    struct log_span line = {text, text + length};

    f->lines++;
    if (log_mail_line(f, &line))
        wrap_line(f, line, number);
}

void log_end(struct log_facts *f)
{
    struct log_span last;

    if (log_mail_end(f, &last))
        wrap_line(f, last, f->lines);
    if (f->wrapped_length != 0)
        line_take(f,
                  (struct log_span){f->wrapped, f->wrapped + f->wrapped_length},
                  f->wrapped_number);
    log_fault_flush(f);
}
