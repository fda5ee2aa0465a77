/* SPDX-License-Identifier: BSD-2-Clause */
/* What `vtdpi collect` keeps of files with text; see collect_keep.h. Lists say what is
 * kept, not what is dropped: a line that nobody thought of stays at home. */
#include "collect_keep.h"

static void put(struct span s, FILE *to)
{
    if (s.length > 0)
        (void)fwrite(s.at, s.length, 1, to);
}

static void put_line(struct span s, FILE *to)
{
    put(s, to);
    (void)fputc('\n', to);
}

void keep_all(struct span text, FILE *to)
{
    put(text, to);
}

void keep_cpuinfo(struct span text, FILE *to)
{
    static const char *const keys[] = {
        "processor\t", "vendor_id\t",  "cpu family\t",
        "model\t",     "model name\t", "stepping\t",
        "microcode\t", "flags\t",      "vmx flags\t",
    };
    struct span line;

    while (span_line(&text, &line) && line.length > 0) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
            if (span_begins(line, keys[i]))
                put_line(line, to);
        }
    }
}

void keep_cmdline(struct span text, FILE *to)
{
    struct span word;

    while (span_argument(&text, &word) && !span_is(word, "--")) {
        if (!host_argument_matters(word))
            continue;
        put(word, to);
        (void)fputc(' ', to);
    }
    (void)fputc('\n', to);
}

static bool is_number(struct span s)
{
    for (size_t i = 0; i < s.length; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    }
    return s.length > 0;
}

/* A chip's name, or an empty one if the word is no chip that is known. */
static bool is_chip(struct span word)
{
    static const char *const begins[] = {
        "IR-",      "IO-APIC", "PCI-MSI", "DMAR-MSI", "HPET-MSI",
        "HPET_MSI", "XT-PIC",  "xen-",    "VMD-MSI",  "dummy",
    };

    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
        if (span_begins(word, begins[i]))
            return true;
    }
    return false;
}

/* One row: label, counts, and a chip or the text of one of the rows that count. */
static void keep_row(struct span line, FILE *to)
{
    const struct span whole = line;
    struct span label;
    struct span word;
    bool device;

    if (!span_word(&line, &label) || label.at[label.length - 1] != ':')
        return;
    label.length--;
    device = is_number(label);
    if (!device) {
        for (size_t r = 0; r < ROW_COUNT; r++) {
            if (span_is(label, host_row_names[r]))
                put_line(whole, to);
        }
        return;
    }
    put(label, to);
    (void)fputc(':', to);
    while (span_word(&line, &word) && (is_number(word) || is_chip(word))) {
        (void)fputc(' ', to);
        put(word, to);
        if (!is_number(word))
            break;
    }
    (void)fputc('\n', to);
}

void keep_interrupts(struct span text, FILE *to)
{
    struct span line;

    while (span_line(&text, &line))
        keep_row(line, to);
}

static struct span without_blanks(struct span s)
{
    while (s.length > 0 && (*s.at == ' ' || *s.at == '\t')) {
        s.at++;
        s.length--;
    }
    return s;
}

/* Without the time and without the prefix of "dmesg -x". */
static struct span unstamped(struct span rest)
{
    rest = without_blanks(rest);
    if (span_begins(rest, "kern "))
        rest = without_blanks(span_after(span_after(rest, ":"), ":"));
    if (span_begins(rest, "<") && span_has(rest, ">"))
        rest = without_blanks(span_after(rest, ">"));
    while (span_begins(rest, "[") && span_has(rest, "] "))
        rest = without_blanks(span_after(rest, "] "));
    return rest;
}

static bool log_matters(struct span message)
{
    static const char *const begins[] = {
        "Linux version ",
        "DMAR: ",
        "DMAR-IR: ",
        "DMAR:[",
        "dmar: ",
        "IOMMU ",
        "IOMMU: ",
        "INTR-REMAP: ",
        "iommu: ",
        "x2apic",
        "IOAPIC id ",
        "HPET id ",
        "Enabled x2apic",
        "Enabling x2apic",
        "Enabled IRQ remapping",
        "Enabled Interrupt-remapping",
        "Not enabl",
        "Failed to enable irq",
        "Switched APIC routing to",
        "APIC: Switched APIC routing to",
        "Setting APIC routing to",
        "kvm: ",
        "kvm_intel: ",
        "kvm-intel: ",
        "[Firmware Bug]: ioapic",
        "Intel(R) Virtualization Technology for",
        "on a chipset that contains an erratum",
        "feature unstable.  To maintain system stability",
        "interrupt remapping is being disabled",
        "This system BIOS has enabled interrupt remapping",
        "(XEN) [VT-D]",
        "(XEN) Intel VT-d ",
        "(XEN) Interrupt",
        "(XEN) Switched to APIC driver ",
        "(XEN) I/O virtualisation ",
    };

    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
        if (span_begins(message, begins[i]))
            return true;
    }
    /* "pci 0000:00:02.0: DMAR: Skip IOMMU disabling for graphics" */
    return span_begins(message, "pci ") && span_has(message, ": DMAR: ");
}

void keep_log(struct span text, FILE *to)
{
    struct span line;

    while (span_line(&text, &line)) {
        struct span message = unstamped(line);

        /* Perhaps a logger has put its own prefix in front. */
        if (!log_matters(message))
            message = unstamped(span_after(line, "kernel:"));
        if (!log_matters(message))
            continue;
        /* Only the last boot of a file counts. The version itself may name the
         * person who built the kernel. */
        if (span_begins(message, "Linux version "))
            message.length = sizeof("Linux version ") - 1;
        put_line(message, to);
    }
}
