/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mail does to long lines: "quoted-printable" breaks them anywhere, with a sign of
 * equality at the end, and programs that write plain text wrap them between words.
 */
#include <string.h>

#include "log_words.h"
#include "tool.h"

/* Mail in "quoted-printable" breaks lines of more than 76 bytes behind a "=", and some
 * programs write "=0A=" at the end of each. */
enum {
    MAIL_LEAST = 60, /* of a line that is broken */
    MAIL_MOST = 76,
};

/* The line with what was held in front, in memory of this function. */
static struct log_span held_join(struct log_facts *f, struct log_span line)
{
    static char joined[LOG_HELD_BYTES + LINE_BYTES];
    size_t length = (size_t)(line.end - line.begin);

    if (length > LINE_BYTES)
        length = LINE_BYTES;
    memcpy(joined, f->held, f->held_length);
    memcpy(joined + f->held_length, line.begin, length);
    length += f->held_length;
    f->held_length = 0;
    return (struct log_span){joined, joined + length};
}

bool log_mail_line(struct log_facts *f, struct log_span *line)
{
    static const char feed[] = "=0A=";
    const size_t mark = sizeof(feed) - 1;
    const size_t own = (size_t)(line->end - line->begin);
    size_t length;

    if (f->held_length != 0)
        *line = held_join(f, *line);
    if (line->begin == line->end || line->end[-1] != '=')
        return true;
    length = (size_t)(line->end - line->begin);
    if (length >= mark && memcmp(line->end - mark, feed, mark) == 0) {
        line->end -= mark;
        return true;
    }
    if (own < MAIL_LEAST || own > MAIL_MOST || length > LOG_HELD_BYTES)
        return true;
    memcpy(f->held, line->begin, length);
    f->held_length = length - 1;
    return false;
}

bool log_mail_end(struct log_facts *f, struct log_span *line)
{
    if (f->held_length == 0)
        return false;
    /* Nothing follows: the sign of equality is a part of the line. */
    f->held_length++;
    *line = held_join(f, (struct log_span){f->held, f->held});
    return true;
}

enum {
    WORD_MOST = 16,
    GOES_ON_MOST = 120, /* of a line that is the rest of a wrapped one */
};

/* The last words of lines that cannot end there. */
static const char *const last_words[] = {
    "a",       "addr",  "and",    "are",    "base",   "be",
    "because", "but",   "by",     "cap",    "device", "dmar",
    "drhd",    "due",   "ecap",   "fault",  "for",    "from",
    "hpet",    "id",    "in",     "index",  "intr",   "ioapic",
    "iommu",   "irq",   "is",     "not",    "of",     "on",
    "opt",     "pasid", "queued", "reason", "reg",    "reg_base_addr",
    "the",     "to",    "under",  "ver",    "was",    "we",
    "will",    "with",  NULL,
};

bool log_is_unfinished(struct log_span line)
{
    char word[WORD_MOST];
    const char *at;
    size_t length;

    /* Linux tells the registers of a unit in one line, and ECAP comes last. */
    if (log_find(line, "reg_base_addr") != NULL &&
        log_find(line, "ecap") == NULL)
        return true;
    /* A command line may end with any word. Where lines are marked, the next one that
     * is not belongs to it. */
    if (log_find(line, "command line:") != NULL && log_has_mark(line))
        return true;

    while (line.begin < line.end &&
           (line.end[-1] == ' ' || line.end[-1] == '\t'))
        line.end--;
    at = line.end;
    while (line.begin < at && at[-1] != ' ' && at[-1] != '\t' && at[-1] != '[')
        at--;
    length = (size_t)(line.end - at);
    if (at == line.begin || length == 0 || length >= sizeof(word))
        return false;
    for (size_t i = 0; i < length; i++)
        word[i] = (char)(at[i] >= 'A' && at[i] <= 'Z' ? at[i] | 0x20 : at[i]);
    word[length] = '\0';
    return log_is_listed(word, last_words);
}

bool log_goes_on(struct log_span held, struct log_span line)
{
    const struct log_span text = log_unquoted(line);

    return text.begin < text.end && line.end - line.begin <= GOES_ON_MOST &&
           (size_t)(held.end - held.begin + 1 + text.end - text.begin) <=
               LOG_HELD_BYTES &&
           !log_has_mark(text) && log_find(text, "linux version") == NULL;
}

struct log_span log_wrap_join(struct log_facts *f, struct log_span line)
{
    static char joined[LOG_HELD_BYTES];
    const struct log_span text = log_unquoted(line);
    size_t length = f->wrapped_length;

    memcpy(joined, f->wrapped, length);
    joined[length++] = ' ';
    memcpy(joined + length, text.begin, (size_t)(text.end - text.begin));
    length += (size_t)(text.end - text.begin);
    return (struct log_span){joined, joined + length};
}
