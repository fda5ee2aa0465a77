/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TABLE_DUMP_H
#define TABLE_DUMP_H

/*
 * Dumps of interrupt remapping tables: that of Linux in debugfs
 * (ir_translation_struct), that of Xen's key V, and the bytes themselves. What a dump is
 * tells its content.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input_fault.h"
#include "vtdpi/irte.h"

enum {
    TABLE_UNIT_ENTRIES = 65536, /* the largest table that hardware knows */
    TABLE_ENTRIES_MAX = 2 * 65536,
    TABLE_UNITS_MAX = 256,
    TABLE_BAD_MAX = 16, /* lines that are told of */
};

/* What a dump says in columns, beside the words or instead of them. */
enum table_column {
    COLUMN_INDEX,
    COLUMN_SID,
    COLUMN_DST,
    COLUMN_VECTOR,
    COLUMN_PDA,
    COLUMN_PDA_HIGH,
    COLUMN_PDA_LOW,
    COLUMN_HIGH,
    COLUMN_LOW,
    COLUMN_SVT,
    COLUMN_SQ,
    COLUMN_AVL,
    COLUMN_FPD,
    COLUMN_DLM,
    COLUMN_TM,
    COLUMN_RH,
    COLUMN_DM,
    COLUMN_P,
    COLUMN_URG,
    COLUMN_COUNT
};

enum table_section {
    SECTION_NONE,
    SECTION_REMAPPED,
    SECTION_POSTED
};

enum table_known {
    KNOWN_NOT,
    KNOWN_NO,
    KNOWN_YES
};

struct table_unit {
    char name[24];
    unsigned long line;       /* 0: the dump does not name the unit */
    uint64_t address;         /* of the table; 0: not known */
    uint32_t size;            /* entries; 0: not known */
    uint32_t count;           /* entries in the dump */
    enum table_known posting; /* whether the unit supports posting */
};

struct table_entry {
    struct vtdpi_irte irte; /* composed of the columns if there are no words */
    unsigned long line;     /* 0: of a dump of bytes */
    uint32_t index;
    uint16_t unit;
    uint8_t section;  /* enum table_section */
    uint32_t columns; /* bits: which of those below the dump has */
    uint32_t sid;
    uint32_t dst;
    uint32_t vector;
    uint64_t pda;
};

struct table_dump {
    const char *form; /* "Linux", "Xen" or "binary" */
    struct table_unit *units;
    size_t unit_count;
    struct table_entry *entries; /* in the order of the dump */
    size_t entry_count;
    unsigned long lines;
    unsigned long other_lines; /* with text, and no part of a dump */
    unsigned long bad_count;   /* rows that cannot be read */
    unsigned long bad[TABLE_BAD_MAX];
    unsigned long off_line;   /* says that remapping is off; 0: none */
    unsigned long short_line; /* says that rows are missing; 0: none */
    size_t rows;              /* bytes: entries, also those of zeros */
};

/* False: @fault says why, and there is nothing to drop. @raw: the bytes are a table. */
bool table_parse(const unsigned char *bytes, size_t size, bool raw,
                 struct table_dump *dump, struct input_fault *fault);

void table_drop(struct table_dump *dump);

#endif
