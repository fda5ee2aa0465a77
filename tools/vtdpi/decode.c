/* SPDX-License-Identifier: BSD-2-Clause */
/* One structure, from words on the command line: the text is the library's (format.h),
 * with notes on what the line alone does not say. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "fault_help.h"

enum {
    OPTION_HAW = 1,
    OPTION_XAPIC,
    OPTION_FORM,
    HAW_MAX = 64,
    NOTES_MAX = 4,
};

/* What a command makes of its words. */
struct decoded {
    char line[VTDPI_FORMAT_MAX];
    const char *note[NOTES_MAX];
    unsigned int notes;
    bool wrong; /* although the line does not say so */
    struct fault_help_text help;
};

struct decode;

/* One of the commands. */
struct decode_kind {
    struct words_form form;
    unsigned int min; /* words */
    const char *ones; /* what all ones mean */
    const char *zero; /* what all zero means; NULL: a value like others */
    bool zero_good;
    const struct argp_option *options;
    const char *args_doc;
    const char *doc;
    /* False: see words.wrong. */
    bool (*decode)(struct decode *d, struct decoded *out);
};

/* A command at work. */
struct decode {
    const struct decode_kind *kind;
    struct words words;
    char *text;
    bool from_input;
    unsigned int haw;
    enum vtdpi_apic_mode mode;
    enum vtdpi_compat_dest form;
};

static void decoded_print(const json_t *result)
{
    const json_t *const notes = json_object_get(result, "notes");
    const json_t *note;
    size_t i;

    line_print(result);
    json_array_foreach(notes, i, note)
    {
        printf("note: ");
        print_wrapped(json_string_value(note), 6, 6);
    }
}

static int decoded_report(const struct decoded *d)
{
    json_t *const result = line_json(d->line);
    json_t *const notes = json_array();
    const bool wrong = d->wrong || strstr(d->line, "wrong: ") != NULL;

    for (unsigned int i = 0; i < d->notes; i++)
        (void)json_array_append_new(notes, json_string(d->note[i]));
    (void)json_object_set_new(result, "notes", notes);
    return result_print(result, decoded_print,
                        wrong ? STATUS_WRONG : STATUS_GOOD);
}

static void note_add(struct decoded *d, const char *note)
{
    if (d->notes < NOTES_MAX)
        d->note[d->notes++] = note;
}

/* All ones and all zero mostly say something about who was asked. */
static void note_plain(const struct decode *d, struct decoded *out)
{
    const unsigned int count = d->words.count;

    if (words_all(d->words.word, count, UINT64_MAX)) {
        note_add(out, d->kind->ones);
        out->wrong = true;
    }
    if (d->kind->zero != NULL && words_all(d->words.word, count, 0)) {
        note_add(out, d->kind->zero);
        out->wrong |= !d->kind->zero_good;
    }
}

static enum vtdpi_compat_dest form_option(const char *text,
                                          struct argp_state *state)
{
    if (strcmp(text, "8") == 0)
        return VTDPI_COMPAT_DEST_8;
    if (strcmp(text, "15") == 0)
        return VTDPI_COMPAT_DEST_15;
    if (strcmp(text, "32") != 0)
        argp_error(state, "--dest-bits: 8, 15 or 32, not %s", text);
    return VTDPI_COMPAT_DEST_32;
}

static void arguments_take(struct decode *d, struct argp_state *state)
{
    char **const arguments = state->argv + state->next;
    const int count = state->argc - state->next;

    d->from_input = arguments_are_input(arguments, count);
    d->text = arguments_join(arguments, count);
    if (d->text == NULL)
        exit(STATUS_INPUT);
    state->next = state->argc;
}

static error_t decode_parse(int key, char *argument, struct argp_state *state)
{
    struct decode *const d = state->input;

    switch (key) {
    case OPTION_HAW:
        d->haw = option_number("haw", argument, 1, HAW_MAX, state);
        return 0;
    case OPTION_XAPIC:
        d->mode = VTDPI_XAPIC;
        return 0;
    case OPTION_FORM:
        d->form = form_option(argument, state);
        return 0;
    case ARGP_KEY_ARGS:
        arguments_take(d, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no word");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool words_complete(struct words *w, unsigned int min)
{
    if (w->count >= min)
        return true;
    (void)snprintf(w->wrong, sizeof(w->wrong), "%u %s where %u are needed",
                   w->count, w->count == 1 ? "word" : "words", min);
    return false;
}

static int decode_run(const struct decode_kind *kind, int argc, char **argv)
{
    const struct argp argp = {
        .options = kind->options,
        .parser = decode_parse,
        .args_doc = kind->args_doc,
        .doc = kind->doc,
    };
    struct decode d = {.kind = kind, .haw = HAW_MAX, .mode = VTDPI_X2APIC};
    struct decoded out = {.line = ""};
    bool good;

    command_parse(&argp, argc, argv, &d);
    good = words_read(&d.words, d.text, &kind->form) &&
           words_complete(&d.words, kind->min) && kind->decode(&d, &out);
    free(d.text);
    if (!good)
        return words_complain(&d.words, d.from_input, argv[0]);
    note_plain(&d, &out);
    return decoded_report(&out);
}

static bool irte_decode(struct decode *d, struct decoded *out)
{
    const struct vtdpi_irte irte = {.hi = d->words.word[0],
                                    .lo = d->words.word[1]};
    const bool shown = (irte.lo & VTDPI_IRTE_LO_P) != 0;

    (void)vtdpi_format_irte(out->line, sizeof(out->line), &irte, d->mode,
                            d->haw);
    if (shown && VTDPI_FIELD_GET(irte.hi, VTDPI_IRTE_HI_SVT) == 0)
        note_add(out, "SVT=0: the unit does not check who sends the request. "
                      "Any device can raise this interrupt.");
    if ((irte.lo & VTDPI_IRTE_LO_FPD) != 0)
        note_add(out, "FPD=1: the unit does not record most faults of this "
                      "entry. That no fault is seen proves nothing.");
    return true;
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
    static const struct decode_kind kind = {
        .form = {.name = {"hi|high", "lo|low"}, .max = 2, .whole_digits = 32},
        .min = 2,
        .ones = "All ones: the unit does not answer, or the table's memory "
                "cannot be read.",
        .zero = "All zero: the entry is not in use.",
        .zero_good = true,
        .options = options,
        .args_doc = "HIGH LOW",
        .doc = "Decode an entry of an interrupt remapping table.",
        .decode = irte_decode,
    };

    return decode_run(&kind, argc, argv);
}

static bool msi_decode(struct decode *d, struct decoded *out)
{
    const uint64_t address = d->words.word[0];
    const uint64_t data = d->words.word[1];
    const struct vtdpi_msi msi = {.address_lo = (uint32_t)address,
                                  .address_hi = (uint32_t)(address >> 32),
                                  .data = (uint32_t)data};

    if (data > UINT32_MAX) {
        (void)snprintf(d->words.wrong, sizeof(d->words.wrong),
                       "the data of a message has 32 bits at most");
        return false;
    }
    (void)vtdpi_format_msi(out->line, sizeof(out->line), &msi, d->form);
    if (address >> 32 == 0 && address == UINT32_MAX && data == UINT32_MAX) {
        note_add(out, d->kind->ones);
        out->wrong = true;
    } else if ((address & VTDPI_MSI_ADDR_FORMAT) == 0 && address != 0) {
        note_add(out, "Compatibility format: no entry of a table is used. A "
                      "unit that remaps and does not let such requests pass "
                      "blocks the message with fault reason 0x25.");
    }
    return true;
}

int decode_msi(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dest-bits", OPTION_FORM, "BITS", 0,
         "destination in compatibility format: 8 bits (the default), 15 or 32",
         0},
        {0},
    };
    static const struct decode_kind kind = {
        .form = {.name = {"address|addr", "data"}, .max = 2},
        .min = 2,
        .ones = "All ones: the device does not answer.",
        .zero = "All zero: no message has been programmed.",
        .options = options,
        .args_doc = "ADDRESS DATA",
        .doc = "Decode a message-signalled interrupt.",
        .decode = msi_decode,
    };

    return decode_run(&kind, argc, argv);
}

static bool rte_word(struct words *w, uint64_t *rte)
{
    const bool halves = w->named == 0 ? w->count == 2 : w->named == 3;

    if (w->named > 4 || w->named == 1 || w->named == 2) {
        (void)snprintf(w->wrong, sizeof(w->wrong),
                       "either one word, or both halves");
        return false;
    }
    *rte = w->named == 4 ? w->word[2] : w->word[0];
    if (!halves)
        return true;
    if ((w->word[0] | w->word[1]) > UINT32_MAX) {
        (void)snprintf(w->wrong, sizeof(w->wrong),
                       "the halves of an entry have 32 bits each");
        return false;
    }
    *rte = w->word[0] << 32 | w->word[1];
    return true;
}

static bool rte_decode(struct decode *d, struct decoded *out)
{
    uint64_t rte;

    if (d->words.named == 0 && d->words.count > 2) {
        (void)snprintf(d->words.wrong, sizeof(d->words.wrong),
                       "one word too many");
        return false;
    }
    if (!rte_word(&d->words, &rte))
        return false;
    /* From here on it is one word. */
    d->words.word[0] = rte;
    d->words.count = 1;
    (void)vtdpi_format_rte(out->line, sizeof(out->line), rte);
    if (rte != 0 && (rte & (VTDPI_RTE_FORMAT | VTDPI_RTE_MASK)) == 0)
        note_add(out, "Compatibility format, not masked: a unit that remaps "
                      "and does not let such requests pass blocks the pin's "
                      "interrupts with fault reason 0x25.");
    return true;
}

int decode_rte(int argc, char **argv)
{
    static const struct decode_kind kind = {
        .form = {.name = {"hi|high", "lo|low", "rte"}, .max = 3},
        .min = 1,
        .ones = "All ones: the IOAPIC does not answer.",
        .zero = "All zero: vector 0 and not masked. After reset an entry is "
                "0x10000, so these registers were hardly read from an IOAPIC.",
        .args_doc = "ENTRY\nHIGH LOW",
        .doc = "Decode an IOAPIC redirection table entry.",
        .decode = rte_decode,
    };

    return decode_run(&kind, argc, argv);
}

/* Bytes of memory, as they lie there. */
static bool pid_from_bytes(const struct words *w, struct vtdpi_pid *pid)
{
    unsigned char bytes[sizeof(*pid)];
    size_t have = 0;

    for (unsigned int i = 0; i < w->count; i++) {
        const struct words_token *const t = &w->token[i];

        if (t->length % 2 != 0 || have + t->length / 2 > sizeof(bytes))
            return false;
        for (unsigned int k = 0; k < t->length; k += 2) {
            char two[3] = {t->digits[k], t->digits[k + 1], '\0'};

            bytes[have++] = (unsigned char)strtoul(two, NULL, 16);
        }
    }
    if (have != sizeof(bytes))
        return false;
    memset(pid, 0, sizeof(*pid));
    for (unsigned int i = 0; i < sizeof(bytes); i++) {
        const uint64_t byte = (uint64_t)bytes[i] << i % 8 * 8;

        if (i < 32)
            pid->pir[i / 8] |= byte;
        else if (i < 40)
            pid->control |= byte;
        else
            pid->reserved[(i - 40) / 8] |= byte;
    }
    return true;
}

static bool pid_from_words(const struct words *w, struct vtdpi_pid *pid)
{
    const unsigned int each = w->count == 8 ? 1 : 2;
    uint64_t word[8];

    for (unsigned int i = 0; i < w->count; i++) {
        if (w->token[i].length > 16 || (each == 2 && w->word[i] > UINT32_MAX))
            return false;
    }
    for (unsigned int i = 0; i < 8; i++)
        word[i] =
            each == 1 ? w->word[i] : w->word[2 * i] | w->word[2 * i + 1] << 32;
    memcpy(pid->pir, word, sizeof(pid->pir));
    pid->control = word[4];
    memcpy(pid->reserved, word + 5, sizeof(pid->reserved));
    return true;
}

static bool pid_decode(struct decode *d, struct decoded *out)
{
    struct words *const w = &d->words;
    struct vtdpi_pid pid;
    const bool good = w->count == 8 || w->count == 16 ? pid_from_words(w, &pid)
                                                      : pid_from_bytes(w, &pid);

    if (!good) {
        (void)snprintf(w->wrong, sizeof(w->wrong),
                       "a descriptor is 8 words of 64 bits, 16 of 32 bits, or "
                       "64 bytes of two digits each");
        return false;
    }
    /* From here on it is eight words. */
    memcpy(w->word, pid.pir, sizeof(pid.pir));
    w->word[4] = pid.control;
    memcpy(w->word + 5, pid.reserved, sizeof(pid.reserved));
    w->count = 8;
    (void)vtdpi_format_pid(out->line, sizeof(out->line), &pid);
    if ((pid.control & VTDPI_PID_ON) == 0 && vtdpi_pid_pir_pending(&pid))
        note_add(out, (pid.control & VTDPI_PID_SN) != 0
                          ? "SN=1: vectors wait in PIR, and nobody was "
                            "notified. The next entry of the vCPU takes them."
                          : "ON=0 and SN=0, but PIR is not empty: a poster is "
                            "between its two steps, or a notification is "
                            "missing.");
    return true;
}

int decode_pid(int argc, char **argv)
{
    static const struct decode_kind kind = {
        .form = {.max = WORDS_MAX, .dump = true},
        .min = 1,
        .ones = "All ones: the memory of the descriptor cannot be read.",
        .zero = "All zero: the descriptor has not been set up.",
        .args_doc = "WORD...",
        .doc =
            "Decode a posted-interrupt descriptor: 8 words of 64 bits, 16 of "
            "32 bits, or 64 bytes as they lie in memory. Addresses with a "
            "colon in front of them are passed over.",
        .decode = pid_decode,
    };

    return decode_run(&kind, argc, argv);
}

static bool fault_decode(struct decode *d, struct decoded *out)
{
    const uint64_t hi = d->words.word[0];
    const struct fault_help *help = NULL;
    struct vtdpi_fault fault;

    vtdpi_fault_decode(d->words.word[1], hi, &fault);
    (void)vtdpi_format_fault(out->line, sizeof(out->line), &fault);
    if (fault.kind == VTDPI_FAULT_INTERRUPT)
        help = fault_help(fault.reason);
    if (help != NULL) {
        fault_help_write(&out->help, help);
        note_add(out, out->help.causes);
        note_add(out, out->help.checks);
    }
    if ((hi & VTDPI_FRCD_HI_F) == 0 && (hi | d->words.word[1]) != 0)
        note_add(out, "F=0: the record was cleared, so what it says may be of "
                      "a fault that was handled.");
    return true;
}

int decode_fault(int argc, char **argv)
{
    static const struct decode_kind kind = {
        .form = {.name = {"hi|high", "lo|low"}, .max = 2, .whole_digits = 32},
        .min = 2,
        .ones = "All ones: the unit does not answer.",
        .zero = "All zero: the record has no fault.",
        .args_doc = "HIGH LOW",
        .doc = "Decode a fault recording register.",
        .decode = fault_decode,
    };

    return decode_run(&kind, argc, argv);
}

static bool qi_decode(struct decode *d, struct decoded *out)
{
    struct words *const w = &d->words;
    struct vtdpi_qi_desc desc;
    const uint64_t named = w->named;

    if (w->count == 3 || (named != 0 && named != 3 && named != 15)) {
        (void)snprintf(w->wrong, sizeof(w->wrong),
                       "a descriptor has 2 words or 4");
        return false;
    }
    memcpy(desc.qw, w->word, sizeof(desc.qw));
    (void)vtdpi_format_qi_desc(out->line, sizeof(out->line), &desc);
    return true;
}

int decode_qi(int argc, char **argv)
{
    static const struct decode_kind kind = {
        .form = {.name = {"qw0|lo|low", "qw1|hi|high", "qw2", "qw3"}, .max = 4},
        .min = 2,
        .ones = "All ones: the memory of the queue cannot be read.",
        .zero = "All zero: nothing was written to this slot of the queue.",
        .args_doc = "WORD0 WORD1 [WORD2 WORD3]",
        .doc =
            "Decode a descriptor of the invalidation queue. The first word is "
            "the one with the type.",
        .decode = qi_decode,
    };

    return decode_run(&kind, argc, argv);
}
