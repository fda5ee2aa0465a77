/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PROBLEM_H
#define PROBLEM_H

/*
 * Problems that a command has found: a JSON array of objects with severity, what (a name
 * for scripts) and text, and with members that say the place.
 */

#include "tool.h"

enum severity {
    SEVERITY_NOTE,    /* worth to know; nothing is wrong */
    SEVERITY_WARNING, /* against the specification, or a risk; systems go on */
    SEVERITY_ERROR,   /* something does not work, or not as it seems to */
};

/* The problem, for members that say the place; it belongs to @problems. */
json_t *problem_add(json_t *problems, enum severity severity, const char *what,
                    const char *format, ...)
    __attribute__((__format__(__printf__, 4, 5)));

/* How many have that severity. */
size_t problems_count(const json_t *problems, enum severity severity);

/* STATUS_WRONG if there is an error or a warning. */
int problems_status(const json_t *problems);

/* {"error": count, "warning": count, "note": count} */
json_t *problems_counts(const json_t *problems);

/* "2 errors, 1 warning, 3 notes", from what problems_counts() gave. */
void counts_print(const json_t *counts);

/* Prints a problem, broken into lines; @place comes behind the severity. */
void problem_print(const json_t *problem, const char *place);

#endif
