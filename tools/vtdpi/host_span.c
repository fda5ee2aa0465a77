/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of text: lines, words, and what is in them. */
#define _GNU_SOURCE
#include <string.h>

#include "host_parse.h"

static struct span span_cut(struct span *rest, size_t length, size_t skip)
{
    const struct span s = {rest->at, length};

    rest->at += length + skip;
    rest->length -= length + skip;
    return s;
}

bool span_line(struct span *rest, struct span *line)
{
    const char *feed;

    if (rest->length == 0)
        return false;
    feed = memchr(rest->at, '\n', rest->length);
    if (feed == NULL)
        *line = span_cut(rest, rest->length, 0);
    else
        *line = span_cut(rest, (size_t)(feed - rest->at), 1);
    while (line->length > 0 && line->at[line->length - 1] == '\r')
        line->length--;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool skip_blanks(struct span *rest)
{
    while (rest->length > 0 && is_blank(*rest->at))
        (void)span_cut(rest, 1, 0);
    return rest->length > 0;
}

bool span_word(struct span *rest, struct span *word)
{
    size_t n = 0;

    if (!skip_blanks(rest))
        return false;
    while (n < rest->length && !is_blank(rest->at[n]))
        n++;
    *word = span_cut(rest, n, 0);
    return true;
}

bool span_argument(struct span *rest, struct span *word)
{
    bool quoted = false;
    size_t n = 0;

    if (!skip_blanks(rest))
        return false;
    while (n < rest->length && (quoted || !is_blank(rest->at[n]))) {
        quoted ^= rest->at[n] == '"';
        n++;
    }
    *word = span_cut(rest, n, 0);
    return true;
}

bool span_begins(struct span s, const char *text)
{
    const size_t length = strlen(text);

    return s.length >= length && memcmp(s.at, text, length) == 0;
}

bool span_is(struct span s, const char *text)
{
    return s.length == strlen(text) && span_begins(s, text);
}

struct span span_after(struct span s, const char *text)
{
    const size_t length = strlen(text);
    const char *const at =
        s.length == 0 ? NULL : memmem(s.at, s.length, text, length);
    struct span rest = {s.at, 0};

    if (at != NULL) {
        rest.at = at + length;
        rest.length = s.length - (size_t)(rest.at - s.at);
    }
    return rest;
}

bool span_has(struct span s, const char *text)
{
    return s.length != 0 && memmem(s.at, s.length, text, strlen(text)) != NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool span_hex(struct span s, uint64_t *value)
{
    uint64_t v = 0;

    if (span_begins(s, "0x") || span_begins(s, "0X"))
        (void)span_cut(&s, 2, 0);
    if (s.length == 0)
        return false;
    for (size_t i = 0; i < s.length; i++) {
        const int d = hex_digit(s.at[i]);

        if (d < 0 || v >> 60 != 0)
            return false;
        v = v << 4 | (uint64_t)d;
    }
    *value = v;
    return true;
}
