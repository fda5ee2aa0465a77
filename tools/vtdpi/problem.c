/* SPDX-License-Identifier: BSD-2-Clause */
/* Problems as JSON and as text. */
#include <stdarg.h>
#include <string.h>

#include "problem.h"

static const char *const names[] = {
    [SEVERITY_NOTE] = "note",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
};

static const enum tint tints[] = {
    [SEVERITY_NOTE] = TINT_BOLD,
    [SEVERITY_WARNING] = TINT_WARN,
    [SEVERITY_ERROR] = TINT_BAD,
};

json_t *problem_add(json_t *problems, enum severity severity, const char *what,
                    const char *format, ...)
{
    json_t *problem;
    va_list args;

    va_start(args, format);
    problem = json_pack("{s:s, s:s, s:o}", "severity", names[severity], "what",
                        what, "text", json_vsprintf(format, args));
    va_end(args);
    (void)json_array_append_new(problems, problem);
    return problem;
}

static enum severity severity_of(const json_t *problem)
{
    const char *const name =
        json_string_value(json_object_get(problem, "severity"));

    for (unsigned int s = SEVERITY_NOTE; s < SEVERITY_ERROR; s++) {
        if (name != NULL && strcmp(name, names[s]) == 0)
            return (enum severity)s;
    }
    return SEVERITY_ERROR;
}

size_t problems_count(const json_t *problems, enum severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(problems); i++)
        count += severity_of(json_array_get(problems, i)) == severity;
    return count;
}

int problems_status(const json_t *problems)
{
    return json_array_size(problems) > problems_count(problems, SEVERITY_NOTE)
               ? STATUS_WRONG
               : STATUS_GOOD;
}

json_t *problems_counts(const json_t *problems)
{
    json_t *const counts = json_object();

    for (unsigned int s = SEVERITY_NOTE; s <= SEVERITY_ERROR; s++)
        (void)json_object_set_new(counts, names[s],
                                  json_integer((json_int_t)problems_count(
                                      problems, (enum severity)s)));
    return counts;
}

void counts_print(const json_t *counts)
{
    for (int s = SEVERITY_ERROR; s >= SEVERITY_NOTE; s--) {
        const json_int_t n =
            json_integer_value(json_object_get(counts, names[s]));

        printf("%s%" JSON_INTEGER_FORMAT " %s%s",
               s == SEVERITY_ERROR ? "" : ", ", n, names[s], n == 1 ? "" : "s");
    }
    (void)putchar('\n');
}

void problem_print(const json_t *problem, const char *place)
{
    const enum severity severity = severity_of(problem);
    const unsigned int begin = 10 + (unsigned int)strlen(place);

    printf("%s%-7s%s  %s ", tint(tints[severity]), names[severity],
           tint(TINT_NONE), place);
    print_wrapped(json_string_value(json_object_get(problem, "text")), begin,
                  10);
}
