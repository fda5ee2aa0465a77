/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of vtdpi table as text. */
#include <inttypes.h>
#include <string.h>

#include "problem.h"
#include "table_text.h"

static json_int_t integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *string(const json_t *object, const char *name)
{
    const char *const text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static bool boolean(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static void unit_print(const json_t *u)
{
    const char *const address = string(u, "address");

    printf("%s%s%s", tint(TINT_BOLD), string(u, "name"), tint(TINT_NONE));
    if (*address != '\0')
        printf(", table at %s", address);
    if (integer(u, "size") != 0)
        printf(", %" JSON_INTEGER_FORMAT " entries", integer(u, "size"));
    if (strcmp(string(u, "posting"), "no") == 0)
        printf(", no posting");
    printf("\n%7s  %-12s %-8s  %-6s  %s\n", "index", "source", "format",
           "vector", "where to");
}

static void entry_print(const json_t *e)
{
    const bool posted = strcmp(string(e, "format"), "posted") == 0;

    printf("%7" JSON_INTEGER_FORMAT "  ", integer(e, "index"));
    if (!boolean(e, "present")) {
        printf("%-12s %-8s  %-6s  high %s, low %s\n", "", "absent", "",
               string(e, "high"), string(e, "low"));
        return;
    }
    printf("%-12s %-8s  0x%02" PRIx64 "    ", string(e, "source"),
           string(e, "format"), (uint64_t)integer(e, "vector"));
    if (posted)
        printf("descriptor %s%s\n", string(e, "pda"),
               boolean(e, "urgent") ? ", urgent" : "");
    else
        printf("%s %s, %s%s\n", boolean(e, "logical") ? "logical" : "APIC id",
               string(e, "destination"), string(e, "delivery"),
               boolean(e, "level") ? ", level" : "");
}

/* Rows of one unit follow each other; Linux's dump comes to a unit twice. */
static void entries_print(const json_t *report)
{
    const json_t *const units = json_object_get(report, "units");
    const json_t *const entries = json_object_get(report, "entries");

    for (size_t u = 0; u < json_array_size(units); u++) {
        const json_t *const unit = json_array_get(units, u);
        const char *const name = string(unit, "name");

        unit_print(unit);
        for (size_t i = 0; i < json_array_size(entries); i++) {
            const json_t *const e = json_array_get(entries, i);

            if (strcmp(string(e, "unit"), name) == 0)
                entry_print(e);
        }
        (void)putchar('\n');
    }
}

static void devices_print(const json_t *devices)
{
    if (json_array_size(devices) == 0)
        return;
    printf("%-10s %-12s %8s  %8s\n", "unit", "source", "remapped", "posted");
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *const d = json_array_get(devices, i);

        printf("%-10s %-12s %8" JSON_INTEGER_FORMAT "  %8" JSON_INTEGER_FORMAT
               "\n",
               string(d, "unit"), string(d, "source"), integer(d, "remapped"),
               integer(d, "posted"));
    }
    (void)putchar('\n');
}

static void totals_print(const json_t *report)
{
    const json_t *const t = json_object_get(report, "totals");

    if (integer(t, "present") == 0)
        printf("no entry is present\n");
    else
        printf("%" JSON_INTEGER_FORMAT " present: %" JSON_INTEGER_FORMAT
               " remapped, %" JSON_INTEGER_FORMAT
               " posted; destinations of %s mode%s\n",
               integer(t, "present"), integer(t, "remapped"),
               integer(t, "posted"), string(report, "mode"),
               boolean(report, "mode_given") ? "" : ", by their looks");
    if (integer(t, "other_lines") != 0)
        printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
               " lines are no part of the dump\n",
               integer(t, "other_lines"), integer(t, "lines"));
}

void table_print_problems(const json_t *report)
{
    const json_t *const problems = json_object_get(report, "problems");

    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *const p = json_array_get(problems, i);
        char place[80] = "the dump:";

        if (json_object_get(p, "index") != NULL)
            (void)snprintf(place, sizeof(place),
                           "%s entry %" JSON_INTEGER_FORMAT ":",
                           string(p, "unit"), integer(p, "index"));
        else if (json_object_get(p, "line") != NULL)
            (void)snprintf(place, sizeof(place),
                           "line %" JSON_INTEGER_FORMAT ":",
                           integer(p, "line"));
        problem_print(p, place);
    }
    totals_print(report);
    counts_print(json_object_get(report, "counts"));
}

void table_print(const json_t *report)
{
    entries_print(report);
    devices_print(json_object_get(report, "devices"));
    table_print_problems(report);
}
