/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON of host_json.c as text: the verdict, why, what to do, the facts, and the
 * units side by side. */
#define _GNU_SOURCE
#include <string.h>

#include "host.h"
#include "tool.h"

enum {
    LABEL = 22, /* columns of a fact's name */
    UNIT_LABEL = 10,
    UNIT_CELL = 20,
};

static const char *string_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const char *yes_no(const json_t *value)
{
    return json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "?";
}

static void verdict_print(const json_t *verdict)
{
    static const struct {
        const char *name;
        const char *text;
    } parts[] = {
        {"remapping", "Interrupt remapping"},
        {"x2apic", "x2APIC"},
        {"posting", "Posting"},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        const json_t *const a = json_object_get(verdict, parts[i].name);
        const char *const answer = string_of(a, "answer");
        const bool yes = strcmp(answer, "yes") == 0;
        const bool off = strcmp(answer, "off") == 0;
        const bool hope = json_is_true(json_object_get(a, "possible"));

        printf("%s%s: %s%s%s", i == 0 ? "" : ". ", parts[i].text,
               tint(yes                         ? TINT_GOOD
                    : strcmp(answer, "no") == 0 ? TINT_BAD
                                                : TINT_WARN),
               off ? hope ? "possible, but off" : "off" : answer,
               tint(TINT_NONE));
    }
    puts(".");
}

static void heading(const char *text)
{
    printf("\n%s%s%s\n", tint(TINT_BOLD), text, tint(TINT_NONE));
}

static const char *about_text(const char *about)
{
    return strcmp(about, "x2apic") == 0 ? "x2APIC" : about;
}

static void why_print(const json_t *whys)
{
    const json_t *why;
    size_t i;

    if (json_array_size(whys) == 0)
        return;
    heading("Why");
    json_array_foreach(whys, i, why)
    {
        const char *const where = string_of(why, "where");
        char text[1024];

        (void)snprintf(text, sizeof(text), "%s: %s%s%s",
                       about_text(string_of(why, "about")),
                       where == NULL ? "" : where, where == NULL ? "" : ": ",
                       string_of(why, "what"));
        printf("  ");
        print_wrapped(text, 2, 4);
    }
}

static void next_print(const json_t *steps)
{
    const json_t *step;
    size_t i;

    if (json_array_size(steps) == 0)
        return;
    heading("Next");
    json_array_foreach(steps, i, step)
    {
        printf("  ");
        print_wrapped(json_string_value(step), 2, 4);
    }
}

static void fact(const char *name, const char *value)
{
    printf("  %-*s ", LABEL, name);
    print_wrapped(value, LABEL + 3, LABEL + 3);
}

static void fact_flag(const char *name, const json_t *object, const char *key)
{
    fact(name, yes_no(json_object_get(object, key)));
}

static void dmar_print(const json_t *dmar, size_t units)
{
    const char *const problem = string_of(dmar, "problem");
    const char *const oem = string_of(dmar, "oem_id");
    const char *const table = string_of(dmar, "table");
    char text[256];

    (void)snprintf(text, sizeof(text), "%s%s%s%s%s",
                   strcmp(table, "good") == 0      ? "readable"
                   : strcmp(table, "absent") == 0  ? "there is none"
                   : strcmp(table, "refused") == 0 ? "there, but not readable"
                   : strcmp(table, "bad") == 0     ? "malformed"
                                                   : "?",
                   oem == NULL ? "" : ", of ", oem == NULL ? "" : oem,
                   problem == NULL ? "" : ", ", problem == NULL ? "" : problem);
    fact("DMAR table (VT-d)", text);
    fact_flag("DMAR flag INTR_REMAP", dmar, "intr_remap");
    fact_flag("DMAR X2APIC_OPT_OUT", dmar, "x2apic_opt_out");
    if (json_is_false(json_object_get(dmar, "checksum_ok")))
        fact("DMAR checksum", "wrong");
    (void)snprintf(text, sizeof(text), "%zu", units);
    fact("units", text);
}

static void all_print(const json_t *all)
{
    fact_flag("QI in every unit", all, "qi");
    fact_flag("IR in every unit", all, "ir");
    fact_flag("EIM in every unit", all, "eim");
    fact_flag("PI in every unit", all, "pi");
}

static void cpu_print(const json_t *cpu, const json_t *kvm)
{
    fact_flag("CPU: VMX", cpu, "vmx");
    fact_flag("CPU: x2APIC", cpu, "x2apic");
    fact_flag("CPU: CMPXCHG16B", cpu, "cx16");
    fact_flag("CPU: posted interrupts", cpu, "posted_interrupts");
    fact_flag("CPU: APICv", cpu, "apicv");
    fact_flag("kvm_intel is loaded", kvm, "loaded");
    fact_flag("KVM: enable_apicv", kvm, "enable_apicv");
    if (!json_is_null(json_object_get(kvm, "enable_device_posted_irqs")))
        fact_flag("KVM: posts for devices", kvm, "enable_device_posted_irqs");
}

static void os_print(const json_t *os)
{
    const json_t *const line = json_object_get(os, "command_line");
    const json_t *word;
    char text[1024] = "";
    size_t i;

    fact_flag("OS: remapping is on", os, "remapping");
    fact_flag("OS: x2APIC is on", os, "x2apic");
    json_array_foreach(line, i, word)
    {
        const size_t used = strlen(text);

        (void)snprintf(text + used, sizeof(text) - used, "%s%s",
                       i == 0 ? "" : " ", json_string_value(word));
    }
    fact("command line", text[0] == '\0' ? "nothing about this" : text);
}

static void facts_print(const json_t *result)
{
    heading("Facts");
    dmar_print(json_object_get(result, "dmar"),
               json_array_size(json_object_get(result, "units")));
    all_print(json_object_get(result, "all_units"));
    cpu_print(json_object_get(result, "cpu"), json_object_get(result, "kvm"));
    os_print(json_object_get(result, "os"));
}

/* Rows of the table of units. */
static const struct {
    const char *label;
    const char *key;
    bool compared; /* a difference between units is marked */
} unit_rows[] = {
    {"base", "base", false},
    {"version", "version", true},
    {"CAP", "cap", true},
    {"ECAP", "ecap", true},
    {"QI", "qi", true},
    {"IR", "ir", true},
    {"EIM", "eim", true},
    {"PI", "pi", true},
    {"on", "on", true},
    {"EIME", "eime", true},
    {"remapped", "remapped", false},
    {"posted", "posted", false},
    {"sysfs", "in_sysfs", true},
    {"read from", "from", true},
};

static bool row_differs(const json_t *units, const char *key)
{
    const json_t *const first = json_object_get(json_array_get(units, 0), key);
    const json_t *unit;
    size_t i;

    json_array_foreach(units, i, unit)
    {
        if (!json_equal(first, json_object_get(unit, key)))
            return true;
    }
    return false;
}

static bool row_empty(const json_t *units, const char *key)
{
    const json_t *unit;
    size_t i;

    json_array_foreach(units, i, unit)
    {
        if (!json_is_null(json_object_get(unit, key)))
            return false;
    }
    return true;
}

static void cell_print(const json_t *value, bool last)
{
    char number[24];
    const char *text = yes_no(value);

    if (json_is_string(value))
        text = json_string_value(value);
    if (json_is_integer(value)) {
        (void)snprintf(number, sizeof(number), "%lld",
                       (long long)json_integer_value(value));
        text = number;
    }
    printf("%-*s%s", last ? 0 : UNIT_CELL - 1, text, last ? "\n" : " ");
}

static void block_row(const json_t *units, size_t from, size_t to, size_t row)
{
    const bool marked =
        unit_rows[row].compared && row_differs(units, unit_rows[row].key);

    printf("%s%c %-*s", marked ? tint(TINT_WARN) : "", marked ? '*' : ' ',
           UNIT_LABEL, unit_rows[row].label);
    for (size_t i = from; i < to; i++)
        cell_print(
            json_object_get(json_array_get(units, i), unit_rows[row].key),
            i + 1 == to);
    printf("%s", marked ? tint(TINT_NONE) : "");
}

/* Units from @from up to @to in columns. */
static void block_print(const json_t *units, size_t from, size_t to)
{
    printf("  %-*s", UNIT_LABEL, "");
    for (size_t i = from; i < to; i++)
        cell_print(json_object_get(json_array_get(units, i), "name"),
                   i + 1 == to);
    for (size_t row = 0; row < sizeof(unit_rows) / sizeof(*unit_rows); row++) {
        if (!row_empty(units, unit_rows[row].key))
            block_row(units, from, to, row);
    }
}

static bool any_differs(const json_t *units)
{
    for (size_t row = 0; row < sizeof(unit_rows) / sizeof(*unit_rows); row++) {
        if (unit_rows[row].compared && row_differs(units, unit_rows[row].key))
            return true;
    }
    return false;
}

static void units_print(const json_t *units)
{
    const size_t count = json_array_size(units);
    const size_t room = style.width > UNIT_LABEL + 2u
                            ? (style.width - UNIT_LABEL - 1u) / UNIT_CELL
                            : 0;
    const size_t columns = room == 0 ? 1 : room;

    if (count == 0)
        return;
    heading("Units");
    for (size_t i = 0; i < count; i += columns) {
        if (i > 0)
            (void)putchar('\n');
        block_print(units, i, i + columns < count ? i + columns : count);
    }
    if (any_differs(units))
        print_wrapped(
            "* differs between units; that is usual where a unit of the "
            "graphics is by itself",
            0, 2);
}

static void rows_print(const json_t *rows)
{
    static const char *const meanings[ROW_COUNT] = {
        [ROW_PIN] = "notifications for a vCPU that the host took, since the "
                    "vCPU had left the guest (those taken in a guest are not "
                    "counted)",
        [ROW_PIW] = "wake-ups of blocked vCPUs by a posted interrupt",
        [ROW_NPI] = "notifications for guests of guests",
        [ROW_PMN] = "notifications for the host's own posted MSIs",
    };

    if (json_object_size(rows) == 0)
        return;
    heading("/proc/interrupts, sums over all CPUs");
    for (size_t r = 0; r < ROW_COUNT; r++) {
        const json_t *const sum = json_object_get(rows, host_row_names[r]);

        if (sum == NULL)
            continue;
        printf("  %s %10lld  ", host_row_names[r],
               (long long)json_integer_value(sum));
        print_wrapped(meanings[r], 18, 18);
    }
}

static void files_print(const json_t *files)
{
    bool first = true;
    const json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        const char *const state = string_of(file, "state");
        const char *const reason = string_of(file, "reason");
        char text[1024];

        if (strcmp(state, "read") == 0 || reason == NULL)
            continue;
        if (first)
            heading("Not read");
        first = false;
        (void)snprintf(text, sizeof(text), "%s: %s", string_of(file, "path"),
                       reason);
        printf("  ");
        print_wrapped(text, 2, 4);
    }
}

void host_text(const json_t *result)
{
    const char *const headline = string_of(result, "headline");
    const json_t *const machine = json_object_get(result, "machine");

    if (headline != NULL)
        print_wrapped(headline, 0, 0);
    else
        verdict_print(json_object_get(result, "verdict"));
    if (json_is_true(json_object_get(machine, "virtual")))
        print_wrapped(
            "This is a virtual machine: the answers are about the machine "
            "that its hypervisor shows.",
            0, 0);
    why_print(json_object_get(result, "why"));
    next_print(json_object_get(result, "next"));
    facts_print(result);
    units_print(json_object_get(result, "units"));
    rows_print(json_object_get(result, "interrupts"));
    files_print(json_object_get(result, "files"));
}
