/* SPDX-License-Identifier: BSD-2-Clause */
/* A few facts from a kernel's log. A fact is found by the words that carry it, wherever
 * they stand in a line, since wordings and prefixes changed over the years. */
#include <string.h>

#include "host_parse.h"

static void log_name(char *name, struct span line)
{
    struct span rest = span_after(line, "dmar");
    size_t n = 0;

    /* Old kernels number units by another word. */
    if (rest.length == 0 || *rest.at < '0' || *rest.at > '9')
        rest = span_after(line, "IOMMU ");
    memcpy(name, "dmar", 4);
    while (n < rest.length && n < 6 && rest.at[n] >= '0' && rest.at[n] <= '9') {
        name[4 + n] = rest.at[n];
        n++;
    }
    if (n == 0)
        name[0] = '\0';
    else
        name[4 + n] = '\0';
}

/* "reg_base_addr fed90000 ver 1:0 cap 1c0000c40660462 ecap 7e3ff0501e" */
static void log_unit(struct span line, struct host_log *log)
{
    struct host_register_set *const u = &log->unit[log->unit_count];
    struct span rest = span_after(line, "reg_base_addr");
    struct span word;
    bool has_ecap = false;

    if (log->unit_count == HOST_UNITS || !span_word(&rest, &word))
        return;
    memset(u, 0, sizeof(*u));
    if (!span_hex(word, &u->base))
        return;
    while (span_word(&rest, &word)) {
        struct span value;

        if (!span_word(&rest, &value))
            break;
        if (span_is(word, "ver"))
            (void)host_parse_version(value, &u->version);
        else if (span_is(word, "cap"))
            u->has_caps = span_hex(value, &u->cap);
        else if (span_is(word, "ecap"))
            has_ecap = span_hex(value, &u->ecap);
    }
    u->has_caps &= has_ecap;
    log_name(u->name, line);
    if (u->has_caps)
        log->unit_count++;
}

static void log_remapping(struct span line, struct host_log *log)
{
    if (span_has(line, "Enabled IRQ remapping") ||
        span_has(line, "Enabled Interrupt-remapping"))
        log->remapping = FACT_YES;
    if (span_has(line, "Not enabling interrupt remapping") ||
        span_has(line, "Not enable interrupt remapping") ||
        span_has(line, "Failed to enable irq remapping"))
        log->remapping = FACT_NO;
    if (span_has(line, "BIOS has enabled interrupt remapping")) {
        log->remapping = FACT_NO;
        log->erratum = true;
    }
    if (span_has(line, "interrupt remapping will be disabled") ||
        span_has(line, "no mapping iommu")) {
        log->remapping = FACT_NO;
        log->ioapic_uncovered = true;
    }
    log->broken_table |= span_has(line, "Failed to parse ACPI DMAR") ||
                         span_has(line, "parse DMAR table failure") ||
                         span_has(line, "Invalid DMAR");
}

static void log_x2apic(struct span line, struct host_log *log)
{
    if (span_has(line, "remapping in x2apic mode") ||
        span_has(line, "x2apic enabled") || span_has(line, "Enabled x2apic"))
        log->x2apic = FACT_YES;
    if (span_has(line, "remapping in xapic mode") ||
        span_has(line, "doesn't support X2APIC mode"))
        log->x2apic = FACT_NO;
    if (span_has(line, "APIC routing to")) {
        if (span_has(line, "x2apic"))
            log->x2apic = FACT_YES;
        else if (span_has(line, "flat"))
            log->x2apic = FACT_NO;
    }
    log->optout |= span_has(line, "x2apic opt out bit");
}

void host_parse_log(struct span text, struct host_log *log)
{
    struct span line;

    memset(log, 0, sizeof(*log));
    while (span_line(&text, &line)) {
        if (span_has(line, "Linux version "))
            memset(log, 0, sizeof(*log));
        if (span_has(line, "reg_base_addr"))
            log_unit(line, log);
        log_remapping(line, log);
        log_x2apic(line, log);
    }
}
