/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TABLE_ROWS_H
#define TABLE_ROWS_H

/* Rows of the dumps of table_dump.h: between table_rows.c and table_dump.c. */

#include "table_dump.h"

enum {
    TOKENS_MAX = 64
};

/* Words of a line, in place. */
struct tokens {
    char *token[TOKENS_MAX];
    unsigned int count;
};

/* The columns of a row, in order. */
struct layout {
    uint8_t column[COLUMN_COUNT];
    unsigned int count;
};

/* The layouts that are in force: as the latest headings say, or as usual. */
struct layouts {
    struct layout remapped; /* Linux */
    struct layout posted;
    struct layout xen_remapped; /* rows R: */
    struct layout xen_posted;   /* rows P: */
    struct layout xen_old;      /* rows without a letter */
    bool heading;               /* one was seen */
    bool linux_heading;         /* one of Linux was seen */
};

void layouts_init(struct layouts *l);

/* Whether the line is a heading; then the layout is in force. */
bool layouts_heading(struct layouts *l, const struct tokens *t);

enum row {
    ROW_NONE, /* another line */
    ROW_LINUX,
    ROW_XEN,
    ROW_BAD, /* a row that cannot be read */
};

/* A row, whatever precedes it in the line. */
enum row row_read(const struct layouts *l, const struct tokens *t,
                  struct table_entry *e);

#endif
