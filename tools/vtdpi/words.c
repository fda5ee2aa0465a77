/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words as people paste them: in hexadecimal with or without 0x, with commas, by
 * place (0x40510 200300001) or by name (hi=0x40510, lo = 0x200300001).
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decode.h"
#include "input_fault.h"

enum {
    DIGITS_MAX = 128, /* of a token that is kept as it is */
    INPUT_MAX = 65536,
};

struct reader {
    struct words *words;
    const struct words_form *form;
    const char *text;   /* from its begin, */
    const char *at;     /* and what is left */
    unsigned int taken; /* words without a name */
    int name; /* of the next word: its place, NAME_NONE or NAME_SKIP */
};

enum {
    NAME_NONE = -1,
    NAME_SKIP = -2,
};

bool words_all(const uint64_t *words, unsigned int count, uint64_t value)
{
    for (unsigned int i = 0; i < count; i++) {
        if (words[i] != value)
            return false;
    }
    return count != 0;
}

static bool wrong(struct reader *r, const char *format, const char *at,
                  unsigned int length)
{
    /* A token may be of any length. */
    const int shown = length > 60 ? 60 : (int)length;

    (void)snprintf(r->words->wrong, sizeof(r->words->wrong), format, shown, at);
    r->words->line = 1;
    for (const char *c = r->text; c < r->at; c++)
        r->words->line += *c == '\n';
    return false;
}

/* Whether the text is one of the names in "hi|high". */
static bool is_name(const char *names, const char *at, unsigned int length)
{
    while (names != NULL) {
        const size_t n = strcspn(names, "|");

        if (n == length && strncasecmp(names, at, n) == 0)
            return true;
        names = names[n] == '|' ? names + n + 1 : NULL;
    }
    return false;
}

static int name_find(const struct words_form *form, const char *at,
                     unsigned int length)
{
    if (is_name(form->skip, at, length))
        return NAME_SKIP;
    for (unsigned int i = 0; i < form->max; i++) {
        if (is_name(form->name[i], at, length))
            return (int)i;
    }
    return NAME_NONE;
}

static bool is_digits(const char *at, unsigned int length)
{
    for (unsigned int i = 0; i < length; i++) {
        if (!isxdigit((unsigned char)at[i]))
            return false;
    }
    return length != 0;
}

/* Without 0x in front, and without the suffix that a constant of C has. */
static struct words_token token_strip(const char *at, unsigned int length)
{
    if (length > 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        at += 2;
        length -= 2;
    }
    while (length > 1 &&
           ((at[length - 1] | 0x20) == 'u' || (at[length - 1] | 0x20) == 'l'))
        length--;
    return (struct words_token){at, length};
}

static uint64_t digits_value(const char *at, unsigned int length)
{
    char text[17] = "";
    uint64_t value = 0;

    memcpy(text, at, length);
    (void)word_parse(text, &value);
    return value;
}

/* Why the next word has no place, or NULL. */
static const char *place_wrong(const struct reader *r, unsigned int place)
{
    if (place >= r->form->max)
        return "one word too many: %.*s";
    if (r->form->repeat)
        return NULL;
    if (r->name == NAME_NONE && r->words->named != 0)
        return "this word has no name, and others have one: %.*s";
    if (r->name != NAME_NONE && r->taken != 0)
        return "this word has a name, and others have none: %.*s";
    if ((r->words->named >> place & 1) != 0)
        return "a second word with the same name: %.*s";
    return NULL;
}

static bool word_store(struct reader *r, struct words_token token)
{
    struct words *const w = r->words;
    const unsigned int place = r->name == NAME_NONE || r->form->repeat
                                   ? w->count
                                   : (unsigned int)r->name;
    const char *const why = place_wrong(r, place);

    if (why != NULL)
        return wrong(r, why, token.digits, token.length);
    if (r->name == NAME_NONE)
        r->taken++;
    else
        w->named |= UINT64_C(1) << place;
    w->token[place] = token;
    if (token.length <= 16)
        w->word[place] = digits_value(token.digits, token.length);
    w->count++;
    r->name = NAME_NONE;
    return true;
}

/* One number that fills all words. */
static bool whole_store(struct reader *r, struct words_token token)
{
    const unsigned int words = token.length / 16;

    for (unsigned int i = 0; i < words; i++) {
        if (!word_store(r, (struct words_token){token.digits + 16 * i, 16}))
            return false;
    }
    return true;
}

static bool value_take(struct reader *r, const char *at, unsigned int length)
{
    const struct words_token token = token_strip(at, length);

    if (!is_digits(token.digits, token.length))
        return wrong(r, "not a hexadecimal word: %.*s", at, length);
    if (r->name == NAME_SKIP) {
        r->name = NAME_NONE;
        return true;
    }
    if (token.length == r->form->whole_digits && r->name == NAME_NONE)
        return whole_store(r, token);
    if (token.length > (r->form->dump ? DIGITS_MAX : 16))
        return wrong(r, "too many digits: %.*s", at, length);
    return word_store(r, token);
}

/* A run of characters that ends at a separator. */
static bool run_take(struct reader *r, const char *at, unsigned int length)
{
    const char *after = r->at + strspn(r->at, " \t");
    const int name = name_find(r->form, at, length);
    const bool assigned = *after == '=' || *r->at == ':';

    if (name != NAME_NONE) {
        if (r->name != NAME_NONE)
            return wrong(r, "the name before %.*s has no word", at, length);
        r->name = name;
        r->at = assigned ? after + 1 : after;
        return true;
    }
    if (*r->at == ':' && r->form->dump) {
        const struct words_token address = token_strip(at, length);

        r->at++;
        return is_digits(address.digits, address.length) ||
               wrong(r, "not an address: %.*s", at, length);
    }
    if (assigned)
        return wrong(r, "no word here has the name %.*s", at, length);
    return value_take(r, at, length);
}

bool words_read(struct words *words, const char *text,
                const struct words_form *form)
{
    struct reader r = {words, form, text, text, 0, NAME_NONE};

    memset(words, 0, sizeof(*words));
    for (;;) {
        const char *at;

        r.at += strspn(r.at, " \t\r\n,;");
        if (*r.at == '\0')
            break;
        at = r.at;
        r.at += strcspn(r.at, " \t\r\n,;=:");
        if (r.at == at)
            return wrong(&r, "no name before %.*s", at, 1);
        if (!run_take(&r, at, (unsigned int)(r.at - at)))
            return false;
    }
    if (r.name != NAME_NONE)
        return wrong(&r, "the last name has no word%.*s", "", 0);
    return true;
}

int words_complain(const struct words *words, bool from_input,
                   const char *command)
{
    struct input_fault fault = {0};

    if (!from_input)
        return complain(STATUS_USAGE, "%s (%s --help)", words->wrong, command);
    (void)fault_set(&fault, words->line, "%s", words->wrong);
    return fault_complain(&fault, "-");
}

/* What standard input has, as text. */
static char *input_join(void)
{
    struct input_fault fault = {0};
    size_t size;
    unsigned char *const bytes = file_read("-", INPUT_MAX, &size);
    const char *form;
    char *text = NULL;

    if (bytes == NULL)
        return NULL;
    form = not_text(bytes, size);
    if (form == NULL) {
        const size_t mark = text_mark(bytes, size);

        text = strndup((const char *)bytes + mark, size - mark);
    } else {
        (void)fault_set(&fault, 1, "no words: the input is %s", form);
        (void)fault_complain(&fault, "-");
    }
    free(bytes);
    return text;
}

bool arguments_are_input(char **arguments, int count)
{
    return count == 1 && strcmp(arguments[0], "-") == 0;
}

char *arguments_join(char **arguments, int count)
{
    size_t size = 1;
    char *text;

    if (arguments_are_input(arguments, count))
        return input_join();
    for (int i = 0; i < count; i++)
        size += strlen(arguments[i]) + 1;
    text = calloc(size, 1);
    if (text == NULL)
        return NULL;
    for (int i = 0; i < count; i++) {
        if (i > 0)
            strcat(text, " ");
        strcat(text, arguments[i]);
    }
    return text;
}
