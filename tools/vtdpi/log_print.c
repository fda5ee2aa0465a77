/* SPDX-License-Identifier: BSD-2-Clause */
/* The result of vtdpi log as text: the verdict, why, what next, then the details. */
#include <stdarg.h>
#include <string.h>

#include "log.h"
#include "tool.h"

enum {
    INDENT = 2,
    DEEPER = 4,
    PARAGRAPH_BYTES = 1024,
};

static const char *string_of(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s == NULL ? "?" : s;
}

static bool has(const json_t *o, const char *key)
{
    return !json_is_null(json_object_get(o, key));
}

static void blanks(unsigned int count)
{
    for (; count > 0; count--)
        (void)putchar(' ');
}

/* A paragraph in the width of the terminal, which goes on @indent columns in. */
static void __attribute__((__format__(__printf__, 2, 3)))
paragraph(unsigned int indent, const char *format, ...)
{
    char text[PARAGRAPH_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    blanks(indent);
    print_wrapped(text, indent, indent + 2);
}

/* file:line: text, as it is in the log. */
static void quote(const json_t *result, const json_t *o, unsigned int indent)
{
    if (!has(o, "line") || !has(o, "text"))
        return;
    blanks(indent);
    printf("%s:%lld: %s\n", string_of(result, "file"),
           (long long)member_integer(o, "line"), string_of(o, "text"));
}

static void heading(const char *text)
{
    printf("\n%s%s:%s\n", tint(TINT_BOLD), text, tint(TINT_NONE));
}

static const char *tint_of(const char *word)
{
    if (strcmp(word, "on") == 0)
        return tint(TINT_GOOD);
    return tint(strcmp(word, "unknown") == 0 ? TINT_WARN : TINT_BAD);
}

static void verdict_print(const json_t *result)
{
    const json_t *const v = json_object_get(result, "verdict");
    const char *const remapping = string_of(v, "remapping");
    const char *const posting = string_of(v, "posting");

    printf("interrupt remapping: %s%s%s; mode: %s; posting: %s%s%s\n",
           tint_of(remapping), remapping, tint(TINT_NONE), string_of(v, "mode"),
           tint_of(posting), posting, tint(TINT_NONE));
}

static void why_print(const json_t *result)
{
    const json_t *const list = json_object_get(result, "why");
    const json_t *o;
    size_t i;

    heading("Why");
    json_array_foreach(list, i, o)
    {
        paragraph(INDENT, "%s", string_of(o, "says"));
        quote(result, o, DEEPER);
    }
}

static void next_print(const json_t *result)
{
    const json_t *const list = json_object_get(result, "next");
    const json_t *o;
    size_t i;

    heading("Next");
    json_array_foreach(list, i, o)
        paragraph(INDENT, "%s", json_string_value(o));
}

static const char *mark(const json_t *o, const char *key)
{
    const json_t *const value = json_object_get(o, key);

    if (json_is_null(value))
        return "?";
    return json_is_true(value) ? "1" : "0";
}

static void unit_print(const json_t *u)
{
    char number[16] = "?";

    if (has(u, "number"))
        (void)snprintf(number, sizeof(number), "%lld",
                       (long long)member_integer(u, "number"));
    printf("  %4s  %-14s %-5s %2s %2s %3s %2s  %-18s %s", number,
           string_of(u, "base"), string_of(u, "version"), mark(u, "QI"),
           mark(u, "IR"), mark(u, "EIM"), mark(u, "PI"), string_of(u, "cap"),
           string_of(u, "ecap"));
    if (json_is_false(json_object_get(u, "answers")))
        printf("  %sdoes not answer%s", tint(TINT_BAD), tint(TINT_NONE));
    (void)putchar('\n');
}

static void names_print(const json_t *list)
{
    const json_t *o;
    size_t i;

    json_array_foreach(list, i, o)
        printf("%s%s", i == 0 ? "" : ", ", json_string_value(o));
}

static void units_print(const json_t *result)
{
    const json_t *const units = json_object_get(result, "units");
    const json_t *const differences = json_object_get(result, "differences");
    const json_t *u;
    size_t i;

    if (json_array_size(units) == 0)
        return;
    heading("Units");
    printf("  %4s  %-14s %-5s %2s %2s %3s %2s  %-18s %s\n", "unit", "base",
           "ver", "QI", "IR", "EIM", "PI", "cap", "ecap");
    json_array_foreach(units, i, u) unit_print(u);
    if (member_integer(result, "units_more") > 0)
        printf("  and %lld more\n",
               (long long)member_integer(result, "units_more"));
    if (json_array_size(differences) == 0)
        return;
    printf("  %sunits differ in:%s ", tint(TINT_WARN), tint(TINT_NONE));
    names_print(differences);
    (void)putchar('\n');
}

static void scopes_print(const json_t *result)
{
    const json_t *const list = json_object_get(result, "scopes");
    const json_t *o;
    size_t i;

    json_array_foreach(list, i, o)
    {
        printf("  %s", string_of(o, "kind"));
        if (has(o, "id"))
            printf(" %lld", (long long)member_integer(o, "id"));
        if (has(o, "device"))
            printf(" %s", string_of(o, "device"));
        printf(" belongs to the unit at %s\n", string_of(o, "base"));
    }
}

static void notes_print(const json_t *result)
{
    const json_t *const list = json_object_get(result, "notes");
    const json_t *const options = json_object_get(result, "options");
    const json_t *o;
    size_t i;

    if (json_array_size(list) + json_array_size(options) == 0)
        return;
    heading("Also");
    json_array_foreach(list, i, o)
    {
        paragraph(INDENT, "%s", string_of(o, "says"));
        quote(result, o, DEEPER);
    }
    json_array_foreach(options, i, o)
    {
        const json_t *const says = json_object_get(o, "says");

        printf("  option %s (line %lld)%s", string_of(o, "text"),
               (long long)member_integer(o, "line"),
               json_array_size(says) == 0 ? "" : ": ");
        names_print(says);
        (void)putchar('\n');
    }
}

static void sentences_print(const json_t *o, const char *key, const char *name)
{
    const json_t *const list = json_object_get(o, key);
    const json_t *text;
    size_t i;

    printf("    %s:\n", name);
    json_array_foreach(list, i, text)
        paragraph(DEEPER + 2, "%s", json_string_value(text));
}

static void fault_print(const json_t *result, const json_t *o)
{
    printf("  %s%s%s", tint(TINT_BAD),
           has(o, "device") ? string_of(o, "device") : "device not in the log",
           tint(TINT_NONE));
    if (has(o, "is"))
        printf(" (%s)", string_of(o, "is"));
    if (has(o, "unit"))
        printf(", unit %lld", (long long)member_integer(o, "unit"));
    if (has(o, "index") && json_is_true(json_object_get(o, "index_counts")))
        printf(", index %s", string_of(o, "index"));
    printf(": reason %s, %s\n", string_of(o, "reason"),
           string_of(o, "reason_text"));
    printf("    %lld %s, line %lld", (long long)member_integer(o, "count"),
           member_integer(o, "count") == 1 ? "time" : "times",
           (long long)member_integer(o, "first"));
    if (member_integer(o, "last") != member_integer(o, "first"))
        printf(" to %lld", (long long)member_integer(o, "last"));
    if (member_integer(result, "boots") > 1)
        printf(", last in boot %lld",
               (long long)member_integer(o, "last_boot"));
    (void)putchar('\n');
    printf("    %s:%lld: %s\n", string_of(result, "file"),
           (long long)member_integer(o, "first"), string_of(o, "text"));
}

/* Causes stand once, behind the last group of a reason. */
static bool reason_again(const json_t *list, size_t after, const char *reason)
{
    for (size_t i = after + 1; i < json_array_size(list); i++) {
        if (strcmp(string_of(json_array_get(list, i), "reason"), reason) == 0)
            return true;
    }
    return false;
}

static void faults_print(const json_t *result)
{
    const json_t *const list = json_object_get(result, "faults");
    const json_t *const others = json_object_get(result, "faults_others");
    const json_t *const dma = json_object_get(result, "faults_dma");
    const json_t *o;
    size_t i;

    if (member_integer(result, "faults_total") > 0) {
        heading("Faults of interrupts");
        json_array_foreach(list, i, o) fault_print(result, o);
        if (member_integer(others, "count") > 0)
            printf("  and %lld others, line %lld to %lld\n",
                   (long long)member_integer(others, "count"),
                   (long long)member_integer(others, "first"),
                   (long long)member_integer(others, "last"));
        json_array_foreach(list, i, o)
        {
            if (reason_again(list, i, string_of(o, "reason")))
                continue;
            printf("\n  reason %s, %s\n", string_of(o, "reason"),
                   string_of(o, "reason_text"));
            sentences_print(o, "causes", "usual causes");
            sentences_print(o, "check", "to check");
        }
    }
    if (member_integer(dma, "count") > 0)
        printf("\nFaults of DMA, not of interrupts: %lld (line %lld to "
               "%lld).\n",
               (long long)member_integer(dma, "count"),
               (long long)member_integer(dma, "first"),
               (long long)member_integer(dma, "last"));
    if (member_integer(result, "suppressed") > 0)
        printf("\nThe kernel left %lld fault lines out.\n",
               (long long)member_integer(result, "suppressed"));
}

static void queue_print(const json_t *result)
{
    const json_t *const list = json_object_get(result, "queue_errors");
    const json_t *o;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    heading("Errors of invalidation queues");
    json_array_foreach(list, i, o)
    {
        printf("  %s: %lld %s, line %lld to %lld\n    %s:%lld: %s\n",
               string_of(o, "kind"), (long long)member_integer(o, "count"),
               member_integer(o, "count") == 1 ? "time" : "times",
               (long long)member_integer(o, "first"),
               (long long)member_integer(o, "last"), string_of(result, "file"),
               (long long)member_integer(o, "first"), string_of(o, "text"));
    }
}

static void lines_print(const json_t *result)
{
    const json_t *const lines = json_object_get(result, "lines");

    printf("\n%lld lines read, %lld understood, %lld about VT-d and not known",
           (long long)member_integer(lines, "read"),
           (long long)member_integer(lines, "understood"),
           (long long)member_integer(lines, "unknown"));
    if (has(lines, "unknown_line"))
        printf(" (the first: line %lld)",
               (long long)member_integer(lines, "unknown_line"));
    printf(".\n");
    if (member_integer(lines, "cut") > 0)
        printf("%lld lines were longer than %d bytes; their ends were not "
               "looked at.\n",
               (long long)member_integer(lines, "cut"), LINE_BYTES);
    if (member_integer(result, "boots") > 1)
        printf("The log has %lld boots. What is said here is of the last one, "
               "from line %lld; faults are of all.\n",
               (long long)member_integer(result, "boots"),
               (long long)member_integer(result, "boot_line"));
}

void log_print(const json_t *result)
{
    verdict_print(result);
    why_print(result);
    next_print(result);
    units_print(result);
    scopes_print(result);
    notes_print(result);
    faults_print(result);
    queue_print(result);
    lines_print(result);
}
