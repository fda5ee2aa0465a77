/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DMAR table as bytes without offsets: what xxd -p and xxd -i print, arrays of C, and
 * strings of escapes. The run begins with the table's signature and ends with anything
 * that is neither a byte nor between two bytes.
 */
#include <ctype.h>
#include <string.h>

#include "dmar_file.h"

enum {
    COMMENT_MOST = 256, /* bytes */
};

/* In front of two digits: 0x44, 0X44, \x44. */
static size_t prefix_of(const unsigned char *text, size_t size)
{
    return size > 2 && (text[0] == '0' || text[0] == '\\') &&
                   (text[1] == 'x' || text[1] == 'X')
               ? 2
               : 0;
}

/* How much of the text is one byte; 0: none. */
static size_t byte_take(const unsigned char *text, size_t size,
                        unsigned char *byte)
{
    const size_t at = prefix_of(text, size);
    const int value =
        size < at + 2 ? -1 : dmar_byte_at((const char *)text + at);

    *byte = (unsigned char)value;
    return value < 0 ? 0 : at + 2;
}

/* How much of the text is a comment of C. */
static size_t comment_of(const unsigned char *text, size_t size)
{
    static const char *const ends[] = {"*/", "\n"};
    const char *end;

    if (size < 2 || text[0] != '/' || (text[1] != '*' && text[1] != '/'))
        return 0;
    end = ends[text[1] == '/'];
    /* A longer one is none, so that a bad file takes no longer than a good one. */
    if (size > COMMENT_MOST)
        size = COMMENT_MOST;
    for (size_t at = 2; at + strlen(end) <= size; at++) {
        if (memcmp(text + at, end, strlen(end)) == 0)
            return at + strlen(end);
    }
    return 0;
}

/* How much of the text is between two bytes. */
static size_t gap_of(const unsigned char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        const size_t comment = comment_of(text + at, size - at);

        if (comment == 0 &&
            (text[at] == '\0' || strchr(" \t\r\n,;\"'>|", text[at]) == NULL))
            break;
        at += comment == 0 ? 1 : comment;
    }
    return at;
}

/* The bytes of a run that begins with the signature. */
static size_t run_take(const unsigned char *text, size_t size,
                       unsigned char *bytes)
{
    size_t have = 0;
    size_t at = 0;

    while (have < DMAR_BYTES_MAX) {
        const size_t taken = byte_take(text + at, size - at, bytes + have);

        if (taken == 0)
            break;
        at += taken;
        if (++have == 4 && memcmp(bytes, "DMAR", 4) != 0)
            return 0;
        at += gap_of(text + at, size - at);
    }
    return have;
}

size_t dmar_bare(const unsigned char *text, size_t size, unsigned char *bytes)
{
    unsigned char first;

    for (size_t at = 0; at + 8 <= size; at++) {
        size_t have;

        if ((at > 0 && isalnum(text[at - 1])) ||
            byte_take(text + at, size - at, &first) == 0 || first != 'D')
            continue;
        have = run_take(text + at, size - at, bytes);
        if (have >= 8)
            return have;
    }
    return 0;
}
