/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMAR tables out of files; read dmar_file.h first.
 *
 * A dump as text is a run of lines: an offset, bytes in hexadecimal, and perhaps the
 * bytes once more as characters. acpidump, iasl, xxd, hexdump -C and od -A x -t x1 write
 * such lines. A line with offset 0 begins a table, and so does a heading. The first
 * table with the right signature is taken. dmar_bare.c reads bytes without offsets.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dmar_file.h"
#include "tool.h"

enum {
    SIGNATURE_BYTES = 4,
    HEADER_BYTES = 48,
    LENGTH_AT = 4,
    LINE_MAX_BYTES = 16, /* of a table, in one line of a dump */
    HEXDUMP_GAP = 8,     /* bytes before the gap in a line of hexdump -C */
    FILE_MAX = 64 * 1024 * 1024,
};

static const char signature[] = "DMAR";

struct dump {
    unsigned char *bytes; /* of the table that is read now */
    size_t have;
    unsigned long line; /* where the text stands, from 1 */
    bool squeezed;      /* the line before was "*" */
    bool heading;       /* the heading before says DMAR */
    bool taken;         /* the table is in bytes, and complete */
    char others[64]; /* signatures of other tables, with a blank before each */
    unsigned long tables;
    struct input_fault *fault;
};

static bool is_signature(const unsigned char *bytes)
{
    for (int i = 0; i < SIGNATURE_BYTES; i++) {
        if (!isupper(bytes[i]) && !isdigit(bytes[i]) && bytes[i] != '_')
            return false;
    }
    return true;
}

/* The table that was read ends here: it is the right one, or another one. */
static void dump_finish(struct dump *d)
{
    const size_t used = strlen(d->others);

    if (d->taken || d->have < SIGNATURE_BYTES) {
        d->have = d->taken ? d->have : 0;
        return;
    }
    if (memcmp(d->bytes, signature, SIGNATURE_BYTES) == 0) {
        d->taken = true;
        return;
    }
    if (memcmp(d->bytes, "MDRA", SIGNATURE_BYTES) == 0)
        (void)fault_set(d->fault, d->line,
                        "a dump of words of 16 bits; `hexdump -C` or `xxd` "
                        "dumps bytes");
    else if (d->heading)
        (void)fault_set(d->fault, d->line,
                        "the bytes below the heading DMAR are another table");
    d->tables++;
    if (is_signature(d->bytes) && used + 6 < sizeof(d->others)) {
        d->others[used] = ' ';
        memcpy(d->others + used + 1, d->bytes, SIGNATURE_BYTES);
        d->others[used + 1 + SIGNATURE_BYTES] = '\0';
    }
    d->have = 0;
}

int dmar_byte_at(const char *text)
{
    char pair[3] = {0};

    if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
        return -1;
    memcpy(pair, text, 2);
    return (int)strtoul(pair, NULL, 16);
}

/*
 * The bytes behind the offset. Between bytes there is a blank or nothing. Two blanks
 * come before the characters, and in hexdump's form in the middle.
 */
static unsigned int line_bytes(const char *text, bool colon,
                               unsigned char bytes[LINE_MAX_BYTES])
{
    unsigned int count = 0;

    text += strspn(text, " \t");
    while (count < LINE_MAX_BYTES) {
        const size_t digits = strncmp(text, "0x", 2) == 0 ? 2 : 0;
        const int byte = dmar_byte_at(text + digits);
        size_t gap;

        if (byte < 0 || text[digits + 2] == ':')
            break;
        bytes[count++] = (unsigned char)byte;
        text += digits + 2;
        gap = strspn(text, " \t");
        if (gap > 1 && !(gap == 2 && !colon && count == HEXDUMP_GAP))
            break;
        /* "DE ADxy": a word, not a byte. */
        if (gap == 0 && *text != '\0' && !isxdigit((unsigned char)*text))
            break;
        text += gap;
    }
    return count;
}

/* Passes over what mail and logs put in front of a line: "> > ", "[   12.345] ". */
static const char *line_begin(const char *text)
{
    for (;;) {
        const size_t quotes = strspn(text, " \t>");
        const char *const stamp = text + quotes;
        const size_t time =
            stamp[0] == '[' ? strspn(stamp + 1, " .0123456789") : 0;

        if (time == 0 || stamp[1 + time] != ']')
            return stamp;
        text = stamp + time + 2;
    }
}

/* A line of a dump: its offset, and where the bytes begin; NULL: another line. */
static const char *line_offset(const char *text, uint64_t *offset, bool *colon)
{
    const char *end;
    char digits[17] = {0};
    size_t count;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    count = strspn(text, "0123456789abcdefABCDEF");
    end = text + count;
    *colon = *end == ':';
    /* Without a colon, less would be a number in prose. */
    if (count < (*colon ? 2u : 6u) || count >= sizeof(digits) ||
        (!*colon && *end != ' ' && *end != '\0'))
        return NULL;
    memcpy(digits, text, count);
    return word_parse(digits, offset) ? end + *colon : NULL;
}

/* A heading: "DMAR @ 0x..." of acpidump. */
static bool line_is_heading(const char *text)
{
    static const char at[] = " @ 0x";

    return strlen(text) > SIGNATURE_BYTES + strlen(at) &&
           strncmp(text + SIGNATURE_BYTES, at, strlen(at)) == 0;
}

/* hexdump leaves out lines that repeat the line before. */
static bool dump_repeat(struct dump *d, uint64_t to)
{
    if (d->have < LINE_MAX_BYTES || to > DMAR_BYTES_MAX)
        return false;
    for (; d->have < to; d->have++)
        d->bytes[d->have] = d->bytes[d->have - LINE_MAX_BYTES];
    return true;
}

/* Whether the digits are the offset that is due, in octal. */
static bool offset_is_octal(uint64_t offset, size_t due)
{
    uint64_t value = 0;
    unsigned int shift = 0;

    for (; offset != 0; offset >>= 4, shift += 3) {
        if (shift > 60 || (offset & 0xf) > 7)
            return false;
        value |= (offset & 0xf) << shift;
    }
    return value == due;
}

/* Whether the table that is read now is the one that is looked for. */
static bool dump_is_dmar(const struct dump *d)
{
    return d->have >= SIGNATURE_BYTES &&
           memcmp(d->bytes, signature, SIGNATURE_BYTES) == 0;
}

/* The length that a table claims. */
static size_t length_of(const unsigned char *bytes)
{
    size_t length = 0;

    for (int i = 3; i >= 0; i--)
        length = length << 8 | bytes[LENGTH_AT + i];
    return length;
}

static bool dump_is_whole(const struct dump *d)
{
    return dump_is_dmar(d) && d->have >= HEADER_BYTES &&
           d->have >= length_of(d->bytes);
}

static bool dump_offset(struct dump *d, uint64_t offset, bool colon)
{
    if (offset == 0)
        dump_finish(d);
    if (d->taken)
        return false;
    if (d->squeezed && offset > d->have && !dump_repeat(d, offset))
        return fault_set(d->fault, d->line, "a repetition without end");
    if (offset == d->have)
        return true;
    if (dump_is_whole(d))
        dump_finish(d);
    else if (dump_is_dmar(d))
        (void)fault_set(
            d->fault, d->line, "offset 0x%llx where 0x%zx is next: %s",
            (unsigned long long)offset, d->have,
            !colon && offset_is_octal(offset, d->have)
                ? "a line is missing, or offsets are octal, as without -A x"
                : "lines are missing");
    d->have = d->taken ? d->have : 0;
    return false;
}

static void dump_line(struct dump *d, const char *text)
{
    unsigned char bytes[LINE_MAX_BYTES];
    unsigned int count;
    uint64_t offset;
    bool colon;

    text = line_begin(text);
    if (line_is_heading(text) || strstr(text, "Raw Table Data") != NULL) {
        dump_finish(d);
        d->heading = strncmp(text, signature, SIGNATURE_BYTES) == 0;
        return;
    }
    if (strcmp(text, "*") == 0) {
        d->squeezed = true;
        return;
    }
    text = line_offset(text, &offset, &colon);
    if (text != NULL) {
        count = line_bytes(text, colon, bytes);
        /* Prose: a word of hexadecimal digits, and no bytes behind it. */
        if (count == 0 && text[strspn(text, " \t")] != '\0')
            return;
        if (dump_offset(d, offset, colon) &&
            d->have + count <= DMAR_BYTES_MAX) {
            memcpy(d->bytes + d->have, bytes, count);
            d->have += count;
        }
    }
    d->squeezed = false;
}

/* Every line, as text that ends with a zero; a longer line than any dump has is cut. */
static void dump_read(struct dump *d, const unsigned char *bytes, size_t size)
{
    char text[256];
    size_t at = 0;

    while (at < size && !d->taken && d->fault->text[0] == '\0') {
        const unsigned char *const feed = memchr(bytes + at, '\n', size - at);
        const size_t end = feed != NULL ? (size_t)(feed - bytes) : size;
        size_t length = end - at;

        if (length > sizeof(text) - 1)
            length = sizeof(text) - 1;
        memcpy(text, bytes + at, length);
        while (length > 0 && text[length - 1] == '\r')
            length--;
        text[length] = '\0';
        d->line++;
        dump_line(d, text);
        at = end + 1;
    }
    if (d->fault->text[0] == '\0')
        dump_finish(d);
}

static bool all_are(const unsigned char *bytes, size_t size,
                    unsigned char value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

static bool fault_of_binary(const unsigned char *bytes, size_t size,
                            struct input_fault *fault)
{
    const char *const form = foreign_form(bytes, size);

    if (all_are(bytes, size, 0))
        return fault_set(fault, 0, "no DMAR table: all bytes are zero");
    if (size > HEADER_BYTES && is_signature(bytes))
        return fault_set(fault, 0, "no DMAR table, but a table %.4s",
                         (const char *)bytes);
    if (form != NULL)
        return fault_set(fault, 0, "no DMAR table: the file is %s", form);
    return fault_set(fault, 0, "no DMAR table, nor text with a dump of it");
}

/* The table out of text. */
static bool parse_text(const unsigned char *bytes, size_t size,
                       struct dmar_file *file, struct input_fault *fault)
{
    struct dump d = {.bytes = malloc(DMAR_BYTES_MAX), .fault = fault};

    if (d.bytes == NULL)
        return fault_set(fault, 0, "no memory");
    dump_read(&d, bytes + text_mark(bytes, size),
              size - text_mark(bytes, size));
    if (fault->text[0] == '\0' && !d.taken && d.others[0] == '\0') {
        d.have = dmar_bare(bytes, size, d.bytes);
        d.taken = d.have != 0;
    }
    if (fault->text[0] == '\0' && d.taken) {
        file->bytes = d.bytes;
        file->size = d.have;
        file->form = "hexadecimal dump";
        return true;
    }
    free(d.bytes);
    if (d.others[0] != '\0')
        return fault_set(fault, 0, "no table DMAR; %lu of other names:%s",
                         d.tables, d.others);
    return fault_set(fault, 0, "text without a dump of a table");
}

static bool parse_binary(const unsigned char *bytes, size_t size,
                         struct dmar_file *file, struct input_fault *fault)
{
    if (size > DMAR_BYTES_MAX)
        size = DMAR_BYTES_MAX;
    file->bytes = malloc(size);
    if (file->bytes == NULL)
        return fault_set(fault, 0, "no memory");
    memcpy(file->bytes, bytes, size);
    file->size = size;
    file->form = "binary";
    return true;
}

/* Opens what was read; says how much of it is missing. */
static bool file_open(struct dmar_file *file, struct input_fault *fault)
{
    size_t length;

    if (file->size < HEADER_BYTES)
        return fault_set(fault, 0,
                         "the table is cut short: %zu bytes, and its header "
                         "alone has %d",
                         file->size, HEADER_BYTES);
    length = length_of(file->bytes);
    if (length > DMAR_BYTES_MAX)
        return fault_set(fault, 0,
                         "the table claims %zu bytes; more than %u are not "
                         "read",
                         length, DMAR_BYTES_MAX);
    if (length > file->size)
        return fault_set(fault, 0, "the table is cut short: %zu bytes of %zu",
                         file->size, length);
    if (vtdpi_dmar_open(file->bytes, file->size, VTDPI_DMAR_ACCEPT_BAD_CHECKSUM,
                        &file->dmar, NULL) != 0)
        return fault_set(fault, 0,
                         "the table claims %zu bytes, less than its "
                         "header has",
                         length);
    return true;
}

bool dmar_parse(const unsigned char *bytes, size_t size, struct dmar_file *file,
                struct input_fault *fault)
{
    bool read;

    *file = (struct dmar_file){0};
    *fault = (struct input_fault){0};
    if (size == 0)
        return fault_set(fault, 0, "empty");
    if (all_are(bytes, size, 0xff))
        return fault_set(fault, 0,
                         "no DMAR table: all bytes are 0xff, as where nothing "
                         "answers");
    if (not_text(bytes, size) == NULL)
        read = parse_text(bytes, size, file, fault);
    else if (size < SIGNATURE_BYTES ||
             memcmp(bytes, signature, SIGNATURE_BYTES) != 0)
        return fault_of_binary(bytes, size, fault);
    else
        read = parse_binary(bytes, size, file, fault);
    if (read && file_open(file, fault))
        return true;
    dmar_drop(file);
    return false;
}

int dmar_load(const char *name, struct dmar_file *file)
{
    size_t size = 0;
    unsigned char *const bytes = file_read(name, FILE_MAX, &size);
    struct input_fault fault;
    bool good;

    if (bytes == NULL)
        return STATUS_INPUT;
    good = dmar_parse(bytes, size, file, &fault);
    free(bytes);
    if (good)
        return 0;
    return fault_complain(&fault, name);
}

void dmar_drop(struct dmar_file *file)
{
    free(file->bytes);
    *file = (struct dmar_file){0};
}
