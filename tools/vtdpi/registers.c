/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CAP and ECAP of one unit or of several: the library's line, what the fields mean for
 * interrupts, and where units differ.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* A field that matters for interrupts. */
struct meaning {
    uint64_t mask;
    const char *name;
    const char *set; /* a number's: with %u for what the number says */
    const char *clear;
    /* For colour: whether a clear bit is an obstacle. */
    bool needed;
    /* A number in the register n says scale * n + offset. */
    unsigned int scale;
    unsigned int offset;
};

struct register_kind {
    struct words_form form;
    const char *doc;
    const char *zero;
    size_t (*format)(char *buf, size_t size, uint64_t value);
    const struct meaning *meanings;
    size_t meaning_count;
};

static const struct meaning cap_meanings[] = {
    {VTDPI_CAP_PI, "PI", "the unit can post interrupts",
     "the unit cannot post. One such unit turns posting off on the whole "
     "machine.",
     true, 0, 0},
    {VTDPI_CAP_ESIRTPS, "ESIRTPS",
     "the command SIRTP, which sets the table's address, also flushes the "
     "interrupt entry cache",
     "after the command SIRTP, which sets the table's address, software has to "
     "flush the interrupt entry cache",
     false, 0, 0},
    {VTDPI_CAP_CM, "CM",
     "caching mode: an emulated unit. Software has to flush also after it has "
     "made an entry present.",
     "an entry that was not present needs no flush when it becomes present",
     false, 0, 0},
    {VTDPI_CAP_RWBF, "RWBF",
     "the chipset's write buffer has to be flushed before the unit sees what "
     "software wrote",
     "no write buffer has to be flushed", false, 0, 0},
    {VTDPI_CAP_NFR, "NFR", "fault records: %u", NULL, false, 1, 1},
    {VTDPI_CAP_FRO, "FRO", "the first fault record is at offset %#x", NULL,
     false, 16, 0},
};

static const struct meaning ecap_meanings[] = {
    {VTDPI_ECAP_QI, "QI", "queued invalidation, which remapping needs",
     "no queued invalidation: this unit's interrupts cannot be remapped", true,
     0, 0},
    {VTDPI_ECAP_IR, "IR", "the unit can remap interrupts",
     "the unit cannot remap interrupts, and so cannot post them", true, 0, 0},
    {VTDPI_ECAP_EIM, "EIM", "destinations of 32 bits: CPUs may use x2APIC mode",
     "destinations of 8 bits: if CPUs use x2APIC mode, this unit cannot remap",
     true, 0, 0},
    {VTDPI_ECAP_C, "C", "the unit snoops caches when it reads tables",
     "the unit does not snoop caches: software has to write table entries back "
     "to memory",
     false, 0, 0},
    {VTDPI_ECAP_MHMV, "MHMV", "one flush covers up to 2^%u entries", NULL,
     false, 1, 0},
    {VTDPI_ECAP_IRO, "IRO", "the IOTLB registers are at offset %#x", NULL,
     false, 16, 0},
};

static bool one_bit(uint64_t mask)
{
    return (mask & (mask - 1)) == 0;
}

static json_t *meaning_json(const struct meaning *m, uint64_t value)
{
    const unsigned int n =
        (unsigned int)((value & m->mask) >> __builtin_ctzll(m->mask));
    const char *const phrase = one_bit(m->mask) && n == 0 ? m->clear : m->set;
    const char *const rest = strchr(phrase, '%');
    char text[256];

    /* The phrases have "%u" or "%#x" at most once. */
    if (rest == NULL)
        (void)snprintf(text, sizeof(text), "%s", phrase);
    else if (rest[1] == 'u')
        (void)snprintf(text, sizeof(text), "%.*s%u%s", (int)(rest - phrase),
                       phrase, m->scale * n + m->offset, rest + 2);
    else
        (void)snprintf(text, sizeof(text), "%.*s%#x%s", (int)(rest - phrase),
                       phrase, m->scale * n + m->offset, rest + 3);
    return json_pack("{s:s, s:i, s:s, s:b}", "field", m->name, "value", (int)n,
                     "text", text, "obstacle", m->needed && n == 0);
}

/* Words that no register of a unit that answers has. */
static const char *nothing_there(const struct register_kind *kind,
                                 uint64_t value)
{
    if (value == UINT64_MAX)
        return "All ones: the unit does not answer. It is gone, has no power, "
               "or nothing decodes the address.";
    return value == 0 ? kind->zero : NULL;
}

static json_t *register_json(const struct register_kind *kind, uint64_t value)
{
    const char *const nothing = nothing_there(kind, value);
    char line[VTDPI_FORMAT_MAX];
    json_t *const meaning = json_array();
    json_t *const notes = json_array();
    json_t *result;

    (void)kind->format(line, sizeof(line), value);
    result = line_json(line);
    if (nothing != NULL)
        (void)json_array_append_new(notes, json_string(nothing));
    for (size_t i = 0; nothing == NULL && i < kind->meaning_count; i++)
        (void)json_array_append_new(meaning,
                                    meaning_json(&kind->meanings[i], value));
    (void)json_object_set_new(result, "meaning", meaning);
    (void)json_object_set_new(result, "notes", notes);
    return result;
}

/* A register of a unit that does not answer is compared with nothing. */
static bool answers(const json_t *one)
{
    return json_array_size(json_object_get(one, "meaning")) != 0;
}

/* The values of a field, null where there is none to compare; NULL: all are equal. */
static json_t *values_json(const json_t *registers, const char *name)
{
    json_t *const values = json_array();
    const json_t *first = NULL;
    bool differ = false;
    const json_t *one;
    size_t i;

    json_array_foreach(registers, i, one)
    {
        json_t *const value =
            json_object_get(json_object_get(one, "fields"), name);

        if (!answers(one)) {
            (void)json_array_append_new(values, json_null());
            continue;
        }
        if (first == NULL)
            first = value;
        differ |= !json_equal(first, value);
        (void)json_array_append(values, value);
    }
    if (differ)
        return values;
    json_decref(values);
    return NULL;
}

/* {"field", "values"} for each field that is not the same in all registers. */
static json_t *differences_json(const json_t *registers)
{
    json_t *const fields =
        json_object_get(json_array_get(registers, 0), "fields");
    json_t *const differences = json_array();
    const char *name;
    json_t *value;

    json_object_foreach(fields, name, value)
    {
        /* The register itself is the first field. */
        json_t *const values =
            strstr(name, "CAP") == NULL ? values_json(registers, name) : NULL;

        if (values != NULL)
            (void)json_array_append_new(
                differences,
                json_pack("{s:s, s:o}", "field", name, "values", values));
    }
    return differences;
}

static void meaning_print(const json_t *m)
{
    const char *const name = json_string_value(json_object_get(m, "field"));
    const bool bad = json_is_true(json_object_get(m, "obstacle"));
    const int column = printf("  %s=%" JSON_INTEGER_FORMAT, name,
                              json_integer_value(json_object_get(m, "value")));

    printf("%*s%s", 14 - column, "", bad ? tint(TINT_BAD) : "");
    print_wrapped(json_string_value(json_object_get(m, "text")), 14, 14);
    printf("%s", bad ? tint(TINT_NONE) : "");
}

static void difference_print(const json_t *d)
{
    const json_t *const values = json_object_get(d, "values");
    const json_t *value;
    size_t i;

    printf("%sdiffers: %s=%s", tint(TINT_WARN),
           json_string_value(json_object_get(d, "field")), tint(TINT_NONE));
    json_array_foreach(values, i, value)
        printf("%s%s", i == 0 ? "" : ", ",
               json_is_string(value) ? json_string_value(value) : "-");
    printf("\n");
}

static void registers_print(const json_t *result)
{
    const json_t *one;
    const json_t *m;
    size_t i;
    size_t k;

    json_array_foreach(json_object_get(result, "registers"), i, one)
    {
        line_print(one);
        json_array_foreach(json_object_get(one, "meaning"), k, m)
            meaning_print(m);
        json_array_foreach(json_object_get(one, "notes"), k, m)
        {
            printf("note: ");
            print_wrapped(json_string_value(m), 6, 6);
        }
    }
    json_array_foreach(json_object_get(result, "differences"), i, one)
        difference_print(one);
}

static int registers_report(const struct register_kind *kind,
                            const struct words *words)
{
    json_t *const registers = json_array();
    bool wrong = false;

    for (unsigned int i = 0; i < words->count; i++) {
        wrong |= nothing_there(kind, words->word[i]) != NULL;
        (void)json_array_append_new(registers,
                                    register_json(kind, words->word[i]));
    }
    return result_print(json_pack("{s:o, s:o}", "registers", registers,
                                  "differences", differences_json(registers)),
                        registers_print, wrong ? STATUS_WRONG : STATUS_GOOD);
}

struct registers_input {
    char *text;
    bool from_input;
};

static error_t registers_parse(int key, char *argument,
                               struct argp_state *state)
{
    struct registers_input *const in = state->input;
    char **const arguments = state->argv + state->next;

    (void)argument;
    switch (key) {
    case ARGP_KEY_ARGS:
        in->from_input =
            arguments_are_input(arguments, state->argc - state->next);
        in->text = arguments_join(arguments, state->argc - state->next);
        if (in->text == NULL)
            exit(STATUS_INPUT);
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no word");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int registers_run(const struct register_kind *kind, int argc,
                         char **argv)
{
    const struct argp argp = {
        .parser = registers_parse,
        .args_doc = "WORD...",
        .doc = kind->doc,
    };
    struct registers_input in = {NULL, false};
    struct words words;
    bool good;

    command_parse(&argp, argc, argv, &in);
    good = words_read(&words, in.text, &kind->form);
    free(in.text);
    if (good && words.count == 0) {
        (void)snprintf(words.wrong, sizeof(words.wrong), "no word");
        good = false;
    }
    if (!good)
        return words_complain(&words, in.from_input, argv[0]);
    return registers_report(kind, &words);
}

int decode_cap(int argc, char **argv)
{
    static const struct register_kind kind = {
        .form = {.name = {"cap"},
                 .max = WORDS_MAX,
                 .repeat = true,
                 .skip = "ecap"},
        .doc = "Decode Capability Registers, and say what matters for "
               "interrupts. Of several units, say where they differ.",
        .zero = "All zero: nothing decodes the address, or the unit has no "
                "power.",
        .format = vtdpi_format_cap,
        .meanings = cap_meanings,
        .meaning_count = sizeof(cap_meanings) / sizeof(cap_meanings[0]),
    };

    return registers_run(&kind, argc, argv);
}

int decode_ecap(int argc, char **argv)
{
    static const struct register_kind kind = {
        .form = {.name = {"ecap"},
                 .max = WORDS_MAX,
                 .repeat = true,
                 .skip = "cap"},
        .doc = "Decode Extended Capability Registers, and say what matters for "
               "interrupts. Of several units, say where they differ.",
        .zero = "All zero: nothing decodes the address, or the unit has no "
                "power. (A unit that answers has its IOTLB registers "
                "somewhere: IRO is not 0.)",
        .format = vtdpi_format_ecap,
        .meanings = ecap_meanings,
        .meaning_count = sizeof(ecap_meanings) / sizeof(ecap_meanings[0]),
    };

    return registers_run(&kind, argc, argv);
}
