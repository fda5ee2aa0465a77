/* SPDX-License-Identifier: BSD-2-Clause */
/* Dumps of interrupt remapping tables as units and entries; table_rows.c has the rows. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_dump.h"
#include "table_rows.h"
#include "tool.h"

enum {
    ENTRY_BYTES = 16,
    LINE_MAX_BYTES = 1024
};

struct reader {
    struct table_dump *dump;
    struct input_fault *fault;
    struct layouts layouts;
    size_t unit;                /* that rows belong to */
    size_t room;                /* for entries */
    enum table_section section; /* of Linux's dump */
};

/* The unit of that name, new or known; rows belong to it from now on. A damaged name may
 * not be text. */
static void unit_enter(struct reader *r, const char *text)
{
    struct table_dump *const d = r->dump;
    struct table_unit *u;
    char name[sizeof(u->name)];

    (void)snprintf(name, sizeof(name), "%s", text);
    for (char *c = name; *c != '\0'; c++) {
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    }

    for (r->unit = 0; r->unit < d->unit_count; r->unit++) {
        if (strcmp(d->units[r->unit].name, name) == 0)
            return;
    }
    if (d->unit_count == TABLE_UNITS_MAX) {
        r->unit = 0;
        (void)fault_set(r->fault, d->lines, "more than %d units",
                        TABLE_UNITS_MAX);
        return;
    }
    u = &d->units[d->unit_count++];
    *u = (struct table_unit){.line = d->lines};
    (void)snprintf(u->name, sizeof(u->name), "%s", name);
}

/* The unit of the row. A dump that begins with rows names none. */
static struct table_unit *unit_now(struct reader *r)
{
    if (r->dump->unit_count == 0) {
        unit_enter(r, "table");
        r->dump->units[0].line = 0;
    }
    return &r->dump->units[r->unit];
}

static bool entries_grow(struct reader *r)
{
    struct table_entry *more;

    r->room = r->room == 0 ? 256 : 2 * r->room;
    more = realloc(r->dump->entries, r->room * sizeof(more[0]));
    if (more == NULL)
        return fault_set(r->fault, 0, "no memory");
    r->dump->entries = more;
    return true;
}

static void entry_add(struct reader *r, struct table_entry *e)
{
    struct table_dump *const d = r->dump;
    struct table_unit *const u = unit_now(r);

    if (u->count == TABLE_UNIT_ENTRIES) {
        (void)fault_set(r->fault, d->lines,
                        "%s has more than %d entries, which is all that a "
                        "table can have",
                        u->name, TABLE_UNIT_ENTRIES);
        return;
    }
    if (d->entry_count == TABLE_ENTRIES_MAX) {
        (void)fault_set(r->fault, d->lines, "more than %d entries",
                        TABLE_ENTRIES_MAX);
        return;
    }
    if (d->entry_count == r->room && !entries_grow(r))
        return;
    e->unit = (uint16_t)r->unit;
    e->section = (uint8_t)r->section;
    u->count++;
    d->entries[d->entry_count++] = *e;
}

/* The text behind @mark, up to a blank; false if there is no mark. */
static bool word_behind(const char *line, const char *mark, char word[24])
{
    const char *const at = strstr(line, mark);
    const char *begin;
    size_t length;

    if (at == NULL)
        return false;
    begin = at + strlen(mark);
    begin += strspn(begin, " \t");
    length = strcspn(begin, " \t:,.)");
    if (length > 23)
        length = 23;
    memcpy(word, begin, length);
    word[length] = '\0';
    return true;
}

static bool line_is_linux(struct reader *r, const char *line)
{
    char word[24];
    uint64_t address;

    if (word_behind(line, "Interrupt supported on IOMMU:", word)) {
        r->section = strstr(line, "Posted Interrupt") != NULL
                         ? SECTION_POSTED
                         : SECTION_REMAPPED;
        unit_enter(r, word[0] != '\0' ? word : "unnamed");
        return true;
    }
    if (word_behind(line, "IR table address:", word)) {
        if (word_parse(word, &address))
            unit_now(r)->address = address;
        return true;
    }
    if (strstr(line, "Interrupt Remapping is not enabled") != NULL) {
        r->dump->off_line = r->dump->lines;
        return true;
    }
    return strcmp(line, "****") == 0;
}

static bool xen_unit(struct reader *r, const char *line)
{
    const char *const mark = strstr(line, ": nr_pt_levels");
    const char *at = mark;
    char name[24];

    if (mark == NULL)
        return false;
    while (at > line && at[-1] != ' ' && at[-1] != '\t')
        at--;
    (void)snprintf(name, sizeof(name), "iommu %.*s",
                   mark - at < 16 ? (int)(mark - at) : 16, at);
    r->section = SECTION_NONE;
    unit_enter(r, name);
    return true;
}

static bool line_is_xen(struct reader *r, const char *line)
{
    static const char posting[] = "Interrupt Posting:";
    const char *const at = strstr(line, posting);
    char word[24];
    uint64_t size;

    if (xen_unit(r, line))
        return true;
    if (at != NULL) {
        unit_now(r)->posting =
            strstr(at, "not supported") != NULL ? KNOWN_NO : KNOWN_YES;
        return true;
    }
    if (word_behind(line, "(nr_entry=", word)) {
        if (word_parse(word, &size) && size <= TABLE_UNIT_ENTRIES)
            unit_now(r)->size = (uint32_t)size;
        return true;
    }
    if (strstr(line, "Warning: Print") != NULL &&
        strstr(line, "IRTE (actually have") != NULL) {
        r->dump->short_line = r->dump->lines;
        return true;
    }
    return strstr(line, "Queued Invalidation:") != NULL ||
           strstr(line, "Interrupt Remapping:") != NULL ||
           strstr(line, "R means remapped format") != NULL;
}

static void tokens_split(char *line, struct tokens *t)
{
    char *place = NULL;

    t->count = 0;
    for (char *token = strtok_r(line, " \t", &place); token != NULL;
         token = strtok_r(NULL, " \t", &place)) {
        if (t->count == TOKENS_MAX) {
            /* No row is that long. */
            t->count = 0;
            return;
        }
        t->token[t->count++] = token;
    }
}

static void row_add(struct reader *r, enum row row, struct table_entry *e)
{
    struct table_dump *const d = r->dump;

    if (row == ROW_BAD) {
        if (d->bad_count < TABLE_BAD_MAX)
            d->bad[d->bad_count] = d->lines;
        d->bad_count++;
        return;
    }
    if (d->form == NULL)
        d->form = row == ROW_XEN ? "Xen" : "Linux";
    if (row == ROW_XEN)
        r->section = SECTION_NONE;
    e->line = d->lines;
    entry_add(r, e);
}

static void line_read(struct reader *r, char *line)
{
    struct table_entry e = {0};
    struct tokens t;
    enum row row;

    if (line_is_linux(r, line)) {
        r->dump->form = "Linux";
        return;
    }
    if (line_is_xen(r, line)) {
        r->dump->form = "Xen";
        return;
    }
    tokens_split(line, &t);
    if (layouts_heading(&r->layouts, &t))
        return;
    row = row_read(&r->layouts, &t, &e);
    if (row != ROW_NONE)
        row_add(r, row, &e);
    else if (t.count > 0)
        r->dump->other_lines++;
}

static void text_read(struct reader *r, const unsigned char *bytes, size_t size)
{
    char line[LINE_MAX_BYTES];
    size_t at = 0;

    while (at < size && r->fault->text[0] == '\0') {
        const unsigned char *const feed = memchr(bytes + at, '\n', size - at);
        const size_t end = feed != NULL ? (size_t)(feed - bytes) : size;
        size_t length = end - at;

        if (length > sizeof(line) - 1)
            length = sizeof(line) - 1;
        memcpy(line, bytes + at, length);
        while (length > 0 && line[length - 1] == '\r')
            length--;
        line[length] = '\0';
        r->dump->lines++;
        line_read(r, line);
        at = end + 1;
    }
    /* Rows that cannot be read, or no row at all, below a heading. */
    if (r->dump->form == NULL &&
        (r->layouts.heading || r->dump->bad_count != 0))
        r->dump->form = "unknown";
}

static bool all_ones(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xff)
            return false;
    }
    return true;
}

static uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word = 0;

    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
}

static void raw_read(struct reader *r, const unsigned char *bytes, size_t size)
{
    r->dump->form = "binary";
    r->dump->rows = size / ENTRY_BYTES;
    unit_enter(r, "table");
    r->dump->units[0].size = (uint32_t)r->dump->rows;
    for (size_t i = 0; i < r->dump->rows; i++) {
        struct table_entry e = {.index = (uint32_t)i};

        e.irte.lo = word_at(bytes + i * ENTRY_BYTES);
        e.irte.hi = word_at(bytes + i * ENTRY_BYTES + 8);
        /* Free entries are zero; there are many. */
        if (e.irte.lo != 0 || e.irte.hi != 0)
            entry_add(r, &e);
    }
}

/* Bytes that cannot be a table. */
static bool raw_fault(const unsigned char *bytes, size_t size,
                      struct input_fault *fault)
{
    if (size > 4 && memcmp(bytes, "DMAR", 4) == 0)
        return fault_set(fault, 0,
                         "an ACPI table DMAR, which `vtdpi dmar` reads");
    if (size % ENTRY_BYTES != 0)
        return fault_set(fault, 0,
                         "%zu bytes, which is no whole number of entries of "
                         "%d bytes",
                         size, ENTRY_BYTES);
    if (size / ENTRY_BYTES > TABLE_UNIT_ENTRIES)
        return fault_set(fault, 0, "%zu entries; a table has at most %d",
                         size / ENTRY_BYTES, TABLE_UNIT_ENTRIES);
    return true;
}

bool table_parse(const unsigned char *bytes, size_t size, bool raw,
                 struct table_dump *dump, struct input_fault *fault)
{
    struct reader r = {.dump = dump, .fault = fault};

    *dump = (struct table_dump){0};
    *fault = (struct input_fault){0};
    if (size == 0)
        return fault_set(fault, 0, "empty");
    if (all_ones(bytes, size))
        return fault_set(fault, 0,
                         "all bytes are 0xff, as where nothing answers");
    if (!raw && foreign_form(bytes, size) != NULL)
        return fault_set(fault, 0, "no dump: the file is %s",
                         foreign_form(bytes, size));
    raw = raw || not_text(bytes, size) != NULL;
    if (raw && !raw_fault(bytes, size, fault))
        return false;
    layouts_init(&r.layouts);
    dump->units = calloc(TABLE_UNITS_MAX, sizeof(dump->units[0]));
    if (dump->units == NULL)
        return fault_set(fault, 0, "no memory");
    if (raw)
        raw_read(&r, bytes, size);
    else
        text_read(&r, bytes + text_mark(bytes, size),
                  size - text_mark(bytes, size));
    if (fault->text[0] == '\0' && dump->form != NULL)
        return true;
    table_drop(dump);
    return fault_set(fault, 0, "no dump of an interrupt remapping table in it");
}

void table_drop(struct table_dump *dump)
{
    free(dump->units);
    free(dump->entries);
    *dump = (struct table_dump){0};
}
