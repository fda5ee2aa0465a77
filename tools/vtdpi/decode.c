/* SPDX-License-Identifier: BSD-2-Clause */
/* One structure, from words on the command line: the text is the library's (format.h),
 * and the JSON is made of that text. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "vtdpi/format.h"

enum {
    WORDS_MAX = 8,
    OPTION_HAW = 1,
    OPTION_XAPIC,
    HAW_MAX = 64,
};

struct decode {
    uint64_t word[WORDS_MAX];
    unsigned int count;
    unsigned int wanted;
    unsigned int haw;
    enum vtdpi_apic_mode mode;
};

static void decode_word(struct decode *d, const char *text,
                        struct argp_state *state)
{
    if (d->count == d->wanted)
        argp_error(state, "more than %u words", d->wanted);
    if (!word_parse(text, &d->word[d->count]))
        argp_error(state, "no word of at most 64 bits, in hexadecimal: %s",
                   text);
    d->count++;
}

static error_t words_parse(int key, char *argument, struct argp_state *state)
{
    struct decode *const d = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        decode_word(d, argument, state);
        return 0;
    case ARGP_KEY_END:
        if (d->count < d->wanted)
            argp_error(state, "%u words of %u", d->count, d->wanted);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One field `name=value` of a line. */
static void field_add(json_t *fields, char *field)
{
    char *const value = strchr(field, '=');

    if (value == NULL)
        return;
    *value = '\0';
    (void)json_object_set_new(fields, field, json_string(value + 1));
}

/* {"text": line, "fields": {...}, "wrong": phrase or null}. */
static json_t *line_json(const char *line)
{
    static const char mark[] = "wrong: ";
    const char *const wrong = strstr(line, mark);
    char *const copy = strdup(line);
    json_t *const fields = json_object();
    char *place = NULL;

    if (copy == NULL)
        return NULL;
    if (wrong != NULL)
        copy[wrong - line] = '\0';
    for (char *f = strtok_r(copy, " ", &place); f != NULL;
         f = strtok_r(NULL, " ", &place))
        field_add(fields, f);
    free(copy);
    return json_pack("{s:s, s:o, s:s?}", "text", line, "fields", fields,
                     "wrong", wrong == NULL ? NULL : wrong + strlen(mark));
}

static void line_print(const json_t *result)
{
    puts(json_string_value(json_object_get(result, "text")));
}

static int line_report(const char *line)
{
    return result_print(line_json(line), line_print,
                        strstr(line, "wrong: ") == NULL ? STATUS_GOOD
                                                        : STATUS_WRONG);
}

static error_t irte_parse(int key, char *argument, struct argp_state *state)
{
    struct decode *const d = state->input;

    switch (key) {
    case OPTION_HAW:
        d->haw = option_number(argument, 1, HAW_MAX, state);
        return 0;
    case OPTION_XAPIC:
        d->mode = VTDPI_XAPIC;
        return 0;
    default:
        return words_parse(key, argument, state);
    }
}

int decode_irte(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"haw", OPTION_HAW, "BITS", 0,
         "host address width, for the address of a PID (64)", 0},
        {"xapic", OPTION_XAPIC, NULL, 0,
         "destinations are of xAPIC mode, not of x2APIC mode", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = irte_parse,
        .args_doc = "HIGH LOW",
        .doc = "Decode an entry of an interrupt remapping table.",
    };
    struct decode d = {.wanted = 2, .haw = HAW_MAX, .mode = VTDPI_X2APIC};
    struct vtdpi_irte irte;
    char line[VTDPI_FORMAT_MAX];

    command_parse(&argp, argc, argv, &d);
    irte.hi = d.word[0];
    irte.lo = d.word[1];
    (void)vtdpi_format_irte(line, sizeof(line), &irte, d.mode, d.haw);
    return line_report(line);
}
