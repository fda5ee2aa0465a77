/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of vtdpi table as text. */
#include <inttypes.h>
#include <string.h>

#include "problem.h"
#include "table_text.h"

static void unit_print(const json_t *u)
{
    const char *const address = member_string(u, "address");

    printf("%s%s%s", tint(TINT_BOLD), member_string(u, "name"),
           tint(TINT_NONE));
    if (*address != '\0')
        printf(", table at %s", address);
    if (member_integer(u, "size") != 0)
        printf(", %" JSON_INTEGER_FORMAT " entries", member_integer(u, "size"));
    if (strcmp(member_string(u, "posting"), "no") == 0)
        printf(", no posting");
    printf("\n%7s  %-12s %-8s  %-6s  %s\n", "index", "source", "format",
           "vector", "where to");
}

static void entry_print(const json_t *e)
{
    const bool posted = strcmp(member_string(e, "format"), "posted") == 0;

    printf("%7" JSON_INTEGER_FORMAT "  ", member_integer(e, "index"));
    if (!member_boolean(e, "present")) {
        printf("%-12s %-8s  %-6s  high %s, low %s\n", "", "absent", "",
               member_string(e, "high"), member_string(e, "low"));
        return;
    }
    printf("%-12s %-8s  0x%02" PRIx64 "    ", member_string(e, "source"),
           member_string(e, "format"), (uint64_t)member_integer(e, "vector"));
    if (posted)
        printf("descriptor %s%s\n", member_string(e, "pda"),
               member_boolean(e, "urgent") ? ", urgent" : "");
    else
        printf("%s %s, %s%s\n",
               member_boolean(e, "logical") ? "logical" : "APIC id",
               member_string(e, "destination"), member_string(e, "delivery"),
               member_boolean(e, "level") ? ", level" : "");
}

/* Rows of one unit follow each other; Linux's dump comes to a unit twice. */
static void entries_print(const json_t *report)
{
    const json_t *const units = json_object_get(report, "units");
    const json_t *const entries = json_object_get(report, "entries");

    for (size_t u = 0; u < json_array_size(units); u++) {
        const json_t *const unit = json_array_get(units, u);
        const char *const name = member_string(unit, "name");

        unit_print(unit);
        for (size_t i = 0; i < json_array_size(entries); i++) {
            const json_t *const e = json_array_get(entries, i);

            if (strcmp(member_string(e, "unit"), name) == 0)
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
               member_string(d, "unit"), member_string(d, "source"),
               member_integer(d, "remapped"), member_integer(d, "posted"));
    }
    (void)putchar('\n');
}

static void totals_print(const json_t *report)
{
    const json_t *const t = json_object_get(report, "totals");

    if (member_integer(t, "present") == 0)
        printf("no entry is present\n");
    else
        printf("%" JSON_INTEGER_FORMAT " present: %" JSON_INTEGER_FORMAT
               " remapped, %" JSON_INTEGER_FORMAT
               " posted; destinations of %s mode%s\n",
               member_integer(t, "present"), member_integer(t, "remapped"),
               member_integer(t, "posted"), member_string(report, "mode"),
               member_boolean(report, "mode_given") ? "" : ", by their looks");
    if (member_integer(t, "other_lines") != 0)
        printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
               " lines are no part of the dump\n",
               member_integer(t, "other_lines"), member_integer(t, "lines"));
}

void table_print_problems(const json_t *report)
{
    const json_t *const problems = json_object_get(report, "problems");

    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *const p = json_array_get(problems, i);
        char place[80] = "the dump:";

        if (json_object_get(p, "index") != NULL)
            (void)snprintf(
                place, sizeof(place), "%s entry %" JSON_INTEGER_FORMAT ":",
                member_string(p, "unit"), member_integer(p, "index"));
        else if (json_object_get(p, "line") != NULL)
            (void)snprintf(place, sizeof(place),
                           "line %" JSON_INTEGER_FORMAT ":",
                           member_integer(p, "line"));
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
