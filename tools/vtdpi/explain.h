/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EXPLAIN_H
#define EXPLAIN_H

/* The table that explain_table.py writes. */
#include <stddef.h>

enum explain_kind {
    EXPLAIN_GLOSSARY,
    EXPLAIN_ERROR,   /* enum vtdpi_err */
    EXPLAIN_ROUTE,   /* enum vtdpi_route_reason */
    EXPLAIN_VERDICT, /* enum vtdpi_verdict_reason_code */
    EXPLAIN_FAULT,   /* enum vtdpi_fault_reason */
};

struct explain_entry {
    enum explain_kind kind;
    const char *name; /* a word, which may have a second one in brackets, or a
                          constant */
    const char
        *alias; /* of a constant: its name without what all of the kind have
                          in front */
    int value;  /* of a constant */
    const char *text; /* paragraphs, each with a line feed behind it */
};

extern const struct explain_entry explain_entries[];
extern const size_t explain_entry_count;

#endif
