/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux says about the CPU, its command line, interrupts, tables and modules. */
#include <string.h>

#include "host_parse.h"

const char *const host_row_names[ROW_COUNT] = {"PIN", "PIW", "NPI", "PMN"};

static void name_copy(char *to, size_t size, struct span from)
{
    const size_t n = from.length < size ? from.length : size - 1;

    for (size_t i = 0; i < n; i++)
        to[i] =
            (char)(from.at[i] > ' ' && from.at[i] < 0x7f ? from.at[i] : '?');
    to[n] = '\0';
}

static enum fact has_flag(struct span flags, const char *name)
{
    struct span word;

    while (span_word(&flags, &word)) {
        if (span_is(word, name))
            return FACT_YES;
    }
    return FACT_NO;
}

/* The key of "key<tabs>: value"; @value receives the rest. */
static struct span split(struct span line, struct span *value)
{
    struct span key = line;

    *value = span_after(line, ":");
    key.length = 0;
    while (key.length < line.length && line.at[key.length] != ':')
        key.length++;
    while (key.length > 0 &&
           (line.at[key.length - 1] == ' ' || line.at[key.length - 1] == '\t'))
        key.length--;
    return key;
}

static void cpu_line(struct span line, struct host_cpu *cpu)
{
    struct span value;
    const struct span key = split(line, &value);
    struct span word;

    if (span_is(key, "vendor_id") && span_word(&value, &word))
        name_copy(cpu->vendor, sizeof(cpu->vendor), word);
    if (span_is(key, "flags")) {
        cpu->vmx = has_flag(value, "vmx");
        cpu->x2apic = has_flag(value, "x2apic");
        cpu->cx16 = has_flag(value, "cx16");
        cpu->hypervisor = has_flag(value, "hypervisor");
    }
    if (span_is(key, "vmx flags")) {
        cpu->posted_interrupts = has_flag(value, "posted_intr");
        cpu->apicv = has_flag(value, "apicv");
    }
}

void host_parse_cpuinfo(struct span text, struct host_cpu *cpu)
{
    struct span line;

    memset(cpu, 0, sizeof(*cpu));
    while (span_line(&text, &line)) {
        /* An empty line ends a processor. */
        if (line.length == 0 && cpu->vendor[0] != '\0')
            return;
        cpu_line(line, cpu);
    }
}

/* The next of several values with commas between. */
static bool next_value(struct span *rest, struct span *value)
{
    if (rest->length == 0)
        return false;
    *value = *rest;
    for (value->length = 0; value->length < rest->length; value->length++) {
        if (rest->at[value->length] == ',')
            break;
    }
    *rest = span_after(*rest, ",");
    return true;
}

static void intremap_value(struct span value, struct host_options *o)
{
    if (span_is(value, "on"))
        o->intremap = FACT_YES;
    else if (span_is(value, "off"))
        o->intremap = FACT_NO;
    o->nopost |= span_is(value, "nopost");
    o->no_x2apic_optout |= span_is(value, "no_x2apic_optout");
    o->posted_msi |= span_is(value, "posted_msi");
    o->nosid |= span_is(value, "nosid");
}

static void iommu_value(struct span value, struct host_options *o)
{
    if (span_is(value, "on"))
        o->intel_iommu = FACT_YES;
    else if (span_is(value, "off"))
        o->intel_iommu = FACT_NO;
}

/* A parameter of a module may be written with - or with _. */
static bool is_apicv(struct span word)
{
    return span_begins(word, "kvm_intel.enable_apicv=") ||
           span_begins(word, "kvm-intel.enable_apicv=");
}

static void argument(struct span word, struct host_options *o)
{
    struct span rest = span_after(word, "=");
    struct span value;

    if (is_apicv(word))
        o->apicv = host_parse_bool(rest);
    if (span_begins(word, "iommu="))
        o->iommu_off |= span_is(rest, "off");
    if (span_is(word, "nointremap"))
        o->intremap = FACT_NO;
    o->nox2apic |= span_is(word, "nox2apic");
    o->noapic |= span_is(word, "noapic") || span_is(word, "nolapic") ||
                 span_is(word, "disableapic");
    if (!span_begins(word, "intremap=") && !span_begins(word, "intel_iommu="))
        return;
    while (next_value(&rest, &value)) {
        if (span_begins(word, "intremap="))
            intremap_value(value, o);
        else
            iommu_value(value, o);
    }
}

void host_parse_cmdline(struct span text, struct host_options *o)
{
    struct span word;

    memset(o, 0, sizeof(*o));
    /* What follows "--" is for the first process. */
    while (span_argument(&text, &word) && !span_is(word, "--"))
        argument(word, o);
}

bool host_argument_matters(struct span word)
{
    static const char *const begins[] = {
        "intremap=",
        "intel_iommu=",
        "iommu=",
        "iommu.passthrough=",
        "iommu.strict=",
        "x2apic_phys",
        "kvm_intel.enable_apicv=",
        "kvm-intel.enable_apicv=",
        "kvm_intel.enable_ipiv=",
        "kvm-intel.enable_ipiv=",
        "kvm_intel.enable_device_posted_irqs=",
        "kvm-intel.enable_device_posted_irqs=",
        "vfio_iommu_type1.allow_unsafe_interrupts=",
        "vfio-iommu-type1.allow_unsafe_interrupts=",
    };
    static const char *const whole[] = {
        "nointremap", "nox2apic", "noapic", "nolapic", "disableapic",
    };

    /* A value in quotes may have anything in it. */
    if (span_has(word, "\""))
        return false;
    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
        if (span_begins(word, begins[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
        if (span_is(word, whole[i]))
            return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number in decimal; false if @s is none. One that is too large is the largest. */
static bool decimal(struct span s, uint64_t *value)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.length; i++) {
        const unsigned int d = (unsigned int)(s.at[i] - '0');

        if (!is_digit(s.at[i]))
            return false;
        v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : 10 * v + d;
    }
    *value = v;
    return s.length > 0;
}

static void device_row(struct span chip, struct host_interrupts *i)
{
    if (span_begins(chip, "IR-"))
        i->remapped++;
    else if (span_begins(chip, "IO-APIC") || span_begins(chip, "PCI-MSI"))
        i->plain++;
    else if (span_begins(chip, "xen-"))
        i->xen = true;
}

static void interrupt_row(struct span line, struct host_interrupts *i)
{
    struct span rest;
    struct span label = split(line, &rest);
    struct span word = {line.at, 0};
    uint64_t sum = 0;
    uint64_t count;

    (void)span_word(&label, &label);
    while (span_word(&rest, &word) && decimal(word, &count))
        sum = sum > UINT64_MAX - count ? UINT64_MAX : sum + count;
    if (label.length > 0 && is_digit(*label.at))
        device_row(word, i);
    for (size_t r = 0; r < ROW_COUNT; r++) {
        if (span_is(label, host_row_names[r])) {
            i->has[r] = true;
            i->sum[r] = sum;
        }
    }
}

void host_parse_interrupts(struct span text, struct host_interrupts *i)
{
    struct span line;

    memset(i, 0, sizeof(*i));
    while (span_line(&text, &line)) {
        if (span_has(line, ":"))
            interrupt_row(line, i);
    }
}

bool host_parse_version(struct span text, uint32_t *version)
{
    struct span word;
    struct span minor;
    uint64_t a;
    uint64_t b;

    if (!span_word(&text, &word))
        return false;
    minor = span_after(word, ":");
    if (minor.length == 0)
        return false;
    word.length -= minor.length + 1;
    if (!decimal(word, &a) || !decimal(minor, &b) || a > 15 || b > 15)
        return false;
    *version = (uint32_t)(a << 4 | b);
    return true;
}

enum fact host_parse_bool(struct span text)
{
    struct span word;

    if (!span_word(&text, &word))
        return FACT_UNKNOWN;
    if (span_is(word, "Y") || span_is(word, "y") || span_is(word, "1"))
        return FACT_YES;
    if (span_is(word, "N") || span_is(word, "n") || span_is(word, "0"))
        return FACT_NO;
    return FACT_UNKNOWN;
}

/* Bits of registers, as the specification has them. */
#define GSTS_IRES (UINT64_C(1) << 25)
#define IRTA_EIME (UINT64_C(1) << 11)

static void regset_row(struct span line, struct host_register_set *set)
{
    struct span name;
    struct span word;
    struct span last = {line.at, 0};
    uint64_t value;

    if (!span_word(&line, &name))
        return;
    while (span_word(&line, &word))
        last = word;
    if (!span_hex(last, &value))
        return;
    if (span_is(name, "GSTS"))
        set->running = (value & GSTS_IRES) != 0 ? FACT_YES : FACT_NO;
    if (span_is(name, "IRTA"))
        set->eime = (value & IRTA_EIME) != 0 ? FACT_YES : FACT_NO;
}

size_t host_parse_regset(struct span text, struct host_register_set *set,
                         size_t capacity)
{
    size_t count = 0;
    struct span line;

    while (span_line(&text, &line)) {
        struct span rest = span_after(line, "IOMMU: ");
        struct span name;
        struct span base;
        uint64_t value;

        if (!span_word(&rest, &name)) {
            if (count > 0)
                regset_row(line, &set[count - 1]);
            continue;
        }
        rest = span_after(rest, "Address:");
        if (!span_word(&rest, &base) || !span_hex(base, &value))
            continue;
        if (count == capacity)
            break;
        memset(&set[count], 0, sizeof(*set));
        name_copy(set[count].name, HOST_NAME, name);
        set[count++].base = value;
    }
    return count;
}

/* The unit of that name, which may be new; NULL if there is no room. */
static struct host_table *table_find(struct host_table *table, size_t capacity,
                                     size_t *count, struct span name)
{
    char text[HOST_NAME];

    name_copy(text, sizeof(text), name);
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(table[i].name, text) == 0)
            return &table[i];
    }
    if (*count == capacity)
        return NULL;
    memset(&table[*count], 0, sizeof(*table));
    memcpy(table[*count].name, text, sizeof(text));
    return &table[(*count)++];
}

size_t host_parse_table(struct span text, struct host_table *table,
                        size_t capacity)
{
    struct host_table *unit = NULL;
    bool posted = false;
    size_t count = 0;
    struct span line;

    while (span_line(&text, &line)) {
        struct span name = span_after(line, "on IOMMU: ");
        struct span word;
        uint64_t index;

        if (span_word(&name, &word)) {
            unit = table_find(table, capacity, &count, word);
            posted =
                span_begins(line, "Posted") || span_begins(line, " Posted");
        } else if (unit != NULL && span_has(line, "not enabled")) {
            unit->off = true;
        } else if (unit != NULL && span_word(&line, &word) &&
                   decimal(word, &index)) {
            unit->remapped += !posted;
            unit->posted += posted;
        }
    }
    return count;
}

enum {
    ACPI_HEADER = 36,
    MADT_FIRST = 44,
    MADT_IOAPIC = 1,
    MADT_IOAPIC_LENGTH = 12,
};

bool host_parse_madt(const unsigned char *table, size_t size, uint8_t *ids,
                     size_t capacity, size_t *count)
{
    size_t length;
    size_t at = MADT_FIRST;

    *count = 0;
    if (size < MADT_FIRST || memcmp(table, "APIC", 4) != 0)
        return false;
    length = (size_t)table[4] | (size_t)table[5] << 8 | (size_t)table[6] << 16 |
             (size_t)table[7] << 24;
    if (length < MADT_FIRST || length > size)
        return false;
    while (length - at >= 2 && table[at + 1] >= 2 &&
           table[at + 1] <= length - at) {
        if (table[at] == MADT_IOAPIC && table[at + 1] >= MADT_IOAPIC_LENGTH &&
            *count < capacity)
            ids[(*count)++] = table[at + 2];
        at += table[at + 1];
    }
    /* A structure that does not fit hides what follows. */
    return at == length;
}
