/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people write around the lines of a log: sentences, subjects of patches and
 * source code have the words of the rules, too, and say nothing of a machine.
 */
#include <ctype.h>
#include <string.h>

#include "log_words.h"

enum {
    STAMP_MAX = 40, /* bytes between the brackets of a time */
    FRONT_MAX = 40, /* bytes in front of it: "kern  :warn  :" */
};

static bool begins(struct log_span at, const char *text)
{
    const size_t length = strlen(text);

    return (size_t)(at.end - at.begin) >= length &&
           memcmp(at.begin, text, length) == 0;
}

struct log_span log_unquoted(struct log_span line)
{
    static const char *const marks[] = {" ", "\t",   ">",
                                        "|", "&gt;", "\xc2\xa0"};
    size_t i = 0;

    while (i < sizeof(marks) / sizeof(marks[0])) {
        if (begins(line, marks[i])) {
            line.begin += strlen(marks[i]);
            i = 0;
        } else {
            i++;
        }
    }
    return line;
}

/* "[    0.123456]", "[Thu Oct 22 08:54:51 2020]", but neither "[1/2]" nor a device. */
static bool is_time(struct log_span at)
{
    struct log_span inside = {at.begin + 1, at.begin + 1};
    bool digit = false;
    bool mark = false;
    uint16_t segment;
    uint16_t sid;

    while (inside.end < at.end && *inside.end != ']' &&
           inside.end - inside.begin < STAMP_MAX) {
        digit = digit || isdigit((unsigned char)*inside.end);
        mark = mark || strchr(".:,", *inside.end) != NULL;
        inside.end++;
    }
    return inside.end < at.end && *inside.end == ']' && digit && mark &&
           !log_device(inside, &segment, &sid);
}

static bool has_time(struct log_span line)
{
    const char *stop;

    line = log_unquoted(line);
    stop =
        line.end - line.begin > FRONT_MAX ? line.begin + FRONT_MAX : line.end;
    if (line.end - line.begin > 2 && line.begin[0] == '<' &&
        isdigit((unsigned char)line.begin[1]))
        return true;
    for (; line.begin < stop; line.begin++) {
        if (*line.begin == '[' && is_time(line))
            return true;
    }
    return false;
}

bool log_has_mark(struct log_span line)
{
    static const char *const marks[] = {"kernel:", "(xen)",    "[vt-d]",
                                        "dmar:",   "dmar-ir:", "x2apic:",
                                        "apic:",   "iommu:"};

    if (has_time(line))
        return true;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (log_find(line, marks[i]) != NULL)
            return true;
    }
    return false;
}

/* A format, a string of C, or "iommu/vt-d: Do that". */
static bool is_source(struct log_span line)
{
    const char *at = log_unquoted(line).begin;
    bool slash = false;

    if (memchr(line.begin, '%', (size_t)(line.end - line.begin)) != NULL ||
        log_find(line, "\\n\"") != NULL || log_find(line, "(\"") != NULL ||
        log_find(line, "()") != NULL)
        return true;
    while (at < line.end && (log_is_name(*at) || *at == '-' || *at == '/')) {
        slash = slash || *at == '/';
        at++;
    }
    return slash && at < line.end && *at == ':';
}

/* Words of sentences that no kernel's line about VT-d has. */
static const char *const sentence_words[] = {
    "add",        "adds",   "allow",   "allowing", "allows",    "also",
    "any",        "code",   "cover",   "covers",   "create",    "currently",
    "doing",      "ergo",   "even",    "fix",      "fixes",     "going",
    "he",         "helps",  "how",     "if",       "introduce", "introduced",
    "introduces", "it's",   "just",    "means",    "might",     "my",
    "need",       "needed", "needs",   "of",       "or",        "ought",
    "our",        "patch",  "patches", "really",   "require",   "required",
    "requires",   "series", "should",  "since",    "so",        "spec",
    "than",       "the",    "then",    "there",    "they",      "we",
    "what",       "when",   "where",   "whether",  "which",     "while",
    "who",        "would",  "you",     NULL,
};

static bool has_sentence_word(struct log_span line)
{
    char word[12];

    while (line.begin < line.end) {
        size_t length = 0;

        while (line.begin < line.end &&
               (log_is_name(*line.begin) || *line.begin == '\'')) {
            if (length < sizeof(word))
                word[length++] = (char)(*line.begin | 0x20);
            line.begin++;
        }
        line.begin += line.begin < line.end;
        if (length == 0 || length == sizeof(word))
            continue;
        word[length] = '\0';
        if (log_is_listed(word, sentence_words))
            return true;
    }
    return false;
}

bool log_is_prose(struct log_span line)
{
    return is_source(line) ||
           (!log_has_mark(line) &&
            (has_sentence_word(line) ||
             memchr(line.begin, '?', (size_t)(line.end - line.begin)) != NULL));
}
