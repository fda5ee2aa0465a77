/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words, fields, reasons, faults and errors explained. The words are the glossary's of
 * docs/architecture.md, and the codes those of the headers (explain_table.py); their
 * texts are the library's.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decode.h"
#include "explain.h"
#include "fault_help.h"
#include "vtdpi/verdict.h"

enum {
    OPTION_LIST = 1,
    NEAR_MAX = 5,
    NAME_MAX_BYTES = 64,
    DMA_REASON_MAX = 0xff,
};

static const char *const kind_names[] = {
    [EXPLAIN_GLOSSARY] = "word",        [EXPLAIN_ERROR] = "error",
    [EXPLAIN_ROUTE] = "routing reason", [EXPLAIN_VERDICT] = "verdict reason",
    [EXPLAIN_FAULT] = "fault reason",
};

/* What was asked for. */
struct question {
    char *text;
    bool list;
    bool is_hex; /* a number that can be a fault reason */
    uint64_t hex;
    bool is_error; /* a number that can be an error code */
    int error;
};

/* The library's text of a code; NULL for a word. */
static const char *phrase_of(const struct explain_entry *e)
{
    switch (e->kind) {
    case EXPLAIN_ERROR:
        return vtdpi_strerror(e->value);
    case EXPLAIN_ROUTE:
        return vtdpi_route_reason_text((enum vtdpi_route_reason)e->value);
    case EXPLAIN_VERDICT:
        return vtdpi_verdict_reason_text(
            (enum vtdpi_verdict_reason_code)e->value);
    case EXPLAIN_FAULT:
        return vtdpi_fault_reason_text((uint8_t)e->value);
    default:
        return NULL;
    }
}

static bool same(const char *a, const char *b)
{
    return b != NULL && *b != '\0' && strcasecmp(a, b) == 0;
}

/* "post" is the word of "post (PID)". */
static bool same_word(const char *asked, const char *name)
{
    const char *const bracket = strstr(name, " (");
    const size_t length =
        bracket != NULL ? (size_t)(bracket - name) : strlen(name);

    return strlen(asked) == length && strncasecmp(asked, name, length) == 0;
}

static bool entry_matches(const struct explain_entry *e,
                          const struct question *q)
{
    static const char library[] = "VTDPI_";

    if (e->kind == EXPLAIN_FAULT && q->is_hex && q->hex == (uint64_t)e->value)
        return true;
    if (e->kind == EXPLAIN_ERROR && q->is_error && q->error == e->value)
        return true;
    return same(q->text, e->name) || same_word(q->text, e->name) ||
           same(q->text, e->alias) || same(q->text, phrase_of(e)) ||
           (e->kind != EXPLAIN_GLOSSARY &&
            same(q->text, e->name + strlen(library)));
}

static bool field_matches(const struct field_text *f, const char *asked)
{
    const size_t where = strlen(f->where);

    return same(asked, f->name) ||
           (strncasecmp(asked, f->where, where) == 0 && asked[where] == '.' &&
            same(asked + where + 1, f->name));
}

/* A comment that says what the library's text says, except for a capital letter and
 * a full stop, says nothing more. */
static const char *text_beyond(const struct explain_entry *e)
{
    const char *const phrase = phrase_of(e);
    const size_t length = phrase == NULL ? 0 : strlen(phrase);

    if (length != 0 && strncasecmp(e->text, phrase, length) == 0 &&
        strcmp(e->text + length, ".\n") == 0)
        return "";
    return e->text;
}

/* {"kind", "name", "number", "phrase", "text"}; @number NULL: the entry has none. */
static json_t *entry_json(const char *kind, const char *name, json_t *number,
                          const char *phrase, const char *text)
{
    return json_pack("{s:s, s:s, s:o?, s:s?, s:s}", "kind", kind, "name", name,
                     "number", number, "phrase", phrase, "text", text);
}

/* Of a fault also its causes, and what to check. */
static json_t *code_json(const struct explain_entry *e)
{
    const struct fault_help *const help =
        e->kind == EXPLAIN_FAULT ? fault_help((uint64_t)e->value) : NULL;
    struct fault_help_text more = {0};
    json_t *const number =
        e->kind == EXPLAIN_GLOSSARY ? NULL : json_integer(e->value);
    char *text = NULL;
    json_t *entry;

    if (help != NULL)
        fault_help_write(&more, help);
    if (asprintf(&text, "%s%s%s%s%s", text_beyond(e), more.causes,
                 help != NULL ? "\n" : "", more.checks,
                 help != NULL ? "\n" : "") < 0) {
        json_decref(number);
        return NULL;
    }
    entry =
        entry_json(kind_names[e->kind], e->name, number, phrase_of(e), text);
    free(text);
    return entry;
}

static json_t *dma_json(const struct question *q)
{
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), "fault reason 0x%x",
                   (unsigned int)q->hex);
    return entry_json("fault reason", name, json_integer((json_int_t)q->hex),
                      vtdpi_fault_reason_text((uint8_t)q->hex),
                      "The unit refused a DMA access of a device. Interrupts "
                      "are not concerned: their reasons are 0x20 to 0x28.\n");
}

static json_t *entries_json(const struct question *q)
{
    json_t *const entries = json_array();

    for (size_t i = 0; i < explain_entry_count; i++) {
        if (entry_matches(&explain_entries[i], q))
            (void)json_array_append_new(entries,
                                        code_json(&explain_entries[i]));
    }
    for (size_t i = 0; i < field_text_count; i++) {
        const struct field_text *const f = &field_texts[i];

        if (field_matches(f, q->text))
            (void)json_array_append_new(
                entries, entry_json("field", f->name, NULL, f->where, f->text));
    }
    if (json_array_size(entries) == 0 && q->is_hex && q->hex <= DMA_REASON_MAX)
        (void)json_array_append_new(entries, dma_json(q));
    return entries;
}

/*
 * Near words.
 */

/* Letters to insert, remove or replace to make one of the other. */
static unsigned int distance(const char *a, const char *b)
{
    unsigned int row[NAME_MAX_BYTES + 1];
    const size_t width = strlen(b);

    if (width > NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    for (unsigned int i = 0; i <= width; i++)
        row[i] = i;
    for (unsigned int k = 1; *a != '\0'; a++, k++) {
        unsigned int corner = row[0];

        row[0] = k;
        for (unsigned int i = 1; i <= width; i++) {
            const bool equal =
                tolower((unsigned char)*a) == tolower((unsigned char)b[i - 1]);
            unsigned int best = corner + !equal;

            if (row[i] + 1 < best)
                best = row[i] + 1;
            if (row[i - 1] + 1 < best)
                best = row[i - 1] + 1;
            corner = row[i];
            row[i] = best;
        }
    }
    return row[width];
}

struct near {
    const char *name[NEAR_MAX];
    unsigned int distance[NEAR_MAX];
    unsigned int count;
};

static void near_insert(struct near *near, const char *name, unsigned int far)
{
    unsigned int at = near->count;

    while (at > 0 && near->distance[at - 1] > far)
        at--;
    if (at == NEAR_MAX)
        return;
    if (near->count < NEAR_MAX)
        near->count++;
    for (unsigned int i = near->count - 1; i > at; i--) {
        near->name[i] = near->name[i - 1];
        near->distance[i] = near->distance[i - 1];
    }
    near->name[at] = name;
    near->distance[at] = far;
}

static void near_offer(struct near *near, const char *asked, const char *name)
{
    const size_t length = strlen(asked);
    const bool part = length >= 3 && strcasestr(name, asked) != NULL;
    unsigned int far = distance(asked, name);

    for (unsigned int i = 0; i < near->count; i++) {
        if (strcasecmp(near->name[i], name) == 0)
            return;
    }
    if (part)
        far = 1;
    if (far <= 1 + length / 4 && far < strlen(name))
        near_insert(near, name, far);
}

static json_t *near_json(const char *asked)
{
    json_t *const names = json_array();
    struct near near = {.count = 0};

    for (size_t i = 0; i < explain_entry_count; i++) {
        const struct explain_entry *const e = &explain_entries[i];

        near_offer(&near, asked, *e->alias != '\0' ? e->alias : e->name);
    }
    for (size_t i = 0; i < field_text_count; i++)
        near_offer(&near, asked, field_texts[i].name);
    for (unsigned int i = 0; i < near.count; i++)
        (void)json_array_append_new(names, json_string(near.name[i]));
    return names;
}

/*
 * Text.
 */

static void paragraphs_print(const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        char *const one = strndup(text, length);

        printf("    ");
        print_wrapped(one == NULL ? "" : one, 4, 4);
        free(one);
        text += length + (text[length] == '\n');
    }
}

static void entry_print(const json_t *e)
{
    const json_t *const number = json_object_get(e, "number");
    const char *const kind = json_string_value(json_object_get(e, "kind"));
    const char *const phrase = json_string_value(json_object_get(e, "phrase"));

    printf("%s%s%s (", tint(TINT_BOLD),
           json_string_value(json_object_get(e, "name")), tint(TINT_NONE));
    if (strcmp(kind, "field") == 0)
        printf("%s of %s)\n", kind, phrase);
    else if (!json_is_integer(number))
        printf("%s)\n", kind);
    else if (strcmp(kind, "fault reason") == 0)
        printf("%s 0x%x, in decimal %u): %s\n", kind,
               (unsigned int)json_integer_value(number),
               (unsigned int)json_integer_value(number), phrase);
    else
        printf("%s %d): %s\n", kind, (int)json_integer_value(number), phrase);
    paragraphs_print(json_string_value(json_object_get(e, "text")));
}

static void answer_print(const json_t *result)
{
    const json_t *const near = json_object_get(result, "near");
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(result, "entries"), i, one)
        entry_print(one);
    if (json_array_size(json_object_get(result, "entries")) != 0)
        return;
    printf("%s is not known here.",
           json_string_value(json_object_get(result, "asked")));
    json_array_foreach(near, i, one)
        printf("%s%s", i == 0 ? " Near: " : ", ", json_string_value(one));
    printf("%s\n", json_array_size(near) == 0
                       ? " vtdpi explain --list has all names."
                       : ".");
}

static void list_print(const json_t *result)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(result, "names"), i, one)
        printf("%s\n", json_string_value(one));
}

static int list_report(void)
{
    json_t *const names = json_array();

    for (size_t i = 0; i < explain_entry_count; i++)
        (void)json_array_append_new(names,
                                    json_string(explain_entries[i].name));
    for (size_t i = 0; i < field_text_count; i++) {
        json_t *const name =
            json_sprintf("%s.%s", field_texts[i].where, field_texts[i].name);

        (void)json_array_append_new(names, name);
    }
    return result_print(json_pack("{s:o}", "names", names), list_print,
                        STATUS_GOOD);
}

/*
 * A number without 0x may be of either base: Xen prints reasons in hexadecimal, and
 * Linux did in decimal. Reasons of interrupts are 20h to 28h, which is 32 to 40 in
 * decimal, so only one of the two readings is a reason of interrupts.
 */
static uint64_t reason_read(const char *word, uint64_t hex)
{
    char *end;
    const unsigned long decimal = strtoul(word, &end, 10);
    const bool either = *end == '\0' && fault_help(hex) == NULL;

    return either && decimal <= DMA_REASON_MAX && fault_help(decimal) != NULL
               ? decimal
               : hex;
}

/* The number in a text: behind "reason", wherever that stands in a line of a log, or
 * behind what else is put in front of it. */
static const char *number_find(const char *text)
{
    static const char *const heads[] = {"fault ", "FR=", "error "};
    const char *const reason = strcasestr(text, "reason ");

    if (reason != NULL)
        return reason + strlen("reason ");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        if (strncasecmp(text, heads[i], strlen(heads[i])) == 0)
            return text + strlen(heads[i]);
    }
    return text;
}

/* "26h", "0x26", "-1024"; "FR=0x26" and "[fault reason 38]" as logs say it. */
static void question_number(struct question *q)
{
    const char *const text = number_find(q->text);
    const size_t length = strcspn(text, "] \t:,;");
    char word[NAME_MAX_BYTES];
    char *end;
    long error;

    /* A number at the beginning of a longer text is part of that text. */
    if (length == 0 || length >= sizeof(word) ||
        (text == q->text && text[length] != '\0'))
        return;
    memcpy(word, text, length);
    word[length] = '\0';
    errno = 0;
    error = strtol(word, &end, 10);
    q->is_error = *end == '\0' && errno == 0 && error < 0 && error > -100000;
    q->error = q->is_error ? (int)error : 0;
    if ((word[length - 1] | 0x20) == 'h')
        word[length - 1] = '\0';
    q->is_hex =
        strpbrk(word, "0123456789") != NULL && word_parse(word, &q->hex);
    if (q->is_hex && word[length - 1] != '\0')
        q->hex = reason_read(word, q->hex);
}

static error_t explain_parse(int key, char *argument, struct argp_state *state)
{
    struct question *const q = state->input;

    (void)argument;
    switch (key) {
    case OPTION_LIST:
        q->list = true;
        return 0;
    case ARGP_KEY_ARGS:
        q->text = arguments_join(state->argv + state->next,
                                 state->argc - state->next);
        if (q->text == NULL)
            exit(STATUS_INPUT);
        q->text[strcspn(q->text, "\r\n")] = '\0';
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        if (!q->list)
            argp_error(state, "no word");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_code(const char *argument)
{
    return argument[0] == '-' && isdigit((unsigned char)argument[1]);
}

/* An error code looks like an option. The codes go to the end, with "--" in front of
 * them, unless the caller has written that. */
static void arguments_protect(int argc, char **argv, char **out)
{
    static char dashes[] = "--";
    bool codes = false;
    int n = 0;

    for (int i = 0; i < argc; i++)
        codes |= is_code(argv[i]);
    for (int i = 0; i < argc; i++)
        codes &= strcmp(argv[i], dashes) != 0;
    for (int i = 0; i < argc; i++) {
        if (!codes || !is_code(argv[i]))
            out[n++] = argv[i];
    }
    if (codes)
        out[n++] = dashes;
    for (int i = 0; i < argc; i++) {
        if (codes && is_code(argv[i]))
            out[n++] = argv[i];
    }
    out[n] = NULL;
}

static int answer(struct question *q)
{
    json_t *asked;
    json_t *entries;
    json_t *near;
    bool found;

    if (q->list)
        return list_report();
    text_clean(q->text);
    asked = json_string(q->text);
    question_number(q);
    entries = entries_json(q);
    found = json_array_size(entries) != 0;
    near = found ? json_array() : near_json(q->text);
    return result_print(json_pack("{s:o, s:o, s:o}", "asked", asked, "entries",
                                  entries, "near", near),
                        answer_print, found ? STATUS_GOOD : STATUS_WRONG);
}

int explain(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"list", OPTION_LIST, NULL, 0, "print the names that are known", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = explain_parse,
        .args_doc = "WORD|REASON|FAULT|ERROR\n--list",
        .doc =
            "Explain a word of the glossary, a field, the reason of a fault "
            "(0x26, 26h), of a routing decision or of a verdict, or an error "
            "code (EIRTE_SVT, -1024).",
    };
    char **const arguments = calloc((size_t)argc + 2, sizeof(*arguments));
    struct question q = {.text = NULL};
    int status;

    if (arguments == NULL)
        return complain(STATUS_INPUT, "no memory");
    arguments_protect(argc, argv, arguments);
    for (argc = 0; arguments[argc] != NULL; argc++)
        continue;
    command_parse(&argp, argc, arguments, &q);
    status = answer(&q);
    free(q.text);
    free(arguments);
    return status;
}
