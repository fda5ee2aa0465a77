/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of fields, by the library's encoders. The output is in the form that the
 * decoders take, so that `vtdpi irte $(vtdpi encode irte ...)` works.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

enum {
    OPTION_VECTOR = 1,
    OPTION_DEST,
    OPTION_DLM,
    OPTION_LOGICAL,
    OPTION_RH,
    OPTION_LEVEL,
    OPTION_AVAIL,
    OPTION_FPD,
    OPTION_URGENT,
    OPTION_PDA,
    OPTION_SID,
    OPTION_SQ,
    OPTION_BUSES,
    OPTION_ANY_SOURCE,
    OPTION_XAPIC,
    OPTION_HAW,
    OPTION_INDEX,
    OPTION_COUNT,
    OPTION_ACTIVE_LOW,
    OPTION_MASKED,
    OPTION_NV,
    OPTION_ON,
    OPTION_SN,
    OPTION_PIR,
    OPTION_END,
    PID_WORDS = 8,
    INDEX_MAX = 0xffff,
    HAW_MAX = 64,
};

/* What the options said. */
struct encode {
    uint64_t number[OPTION_END]; /* values of options that have one */
    bool given[OPTION_END];
    struct vtdpi_source source;
    uint64_t pir[VTDPI_PIR_WORDS];
};

/* What comes out: words, each with a name or without, and the decoder's line. */
struct encoded {
    const char *name[PID_WORDS];
    uint64_t word[PID_WORDS];
    unsigned int count;
    char line[VTDPI_FORMAT_MAX];
};

struct encode_kind {
    const char *name;
    const char *doc;
    const struct argp_option *options;
    /* What is needed, up to a 0. */
    int needed[4];
    /* 0 or an error of the library. */
    int (*encode)(const struct encode *e, struct encoded *out);
};

static const struct {
    int key;
    const char *name;
    uint64_t min;
    uint64_t max;
} ranges[] = {
    {OPTION_VECTOR, "--vector", 0, 0xff},
    {OPTION_DEST, "--dest", 0, UINT32_MAX},
    {OPTION_AVAIL, "--avail", 0, 15},
    {OPTION_PDA, "--pda", 0, UINT64_MAX},
    {OPTION_SQ, "--sq", 0, 3},
    {OPTION_HAW, "--haw", 1, HAW_MAX},
    {OPTION_INDEX, "--index", 0, INDEX_MAX},
    {OPTION_COUNT, "--count", 1, VTDPI_MSI_BLOCK_MAX},
    {OPTION_NV, "--nv", VTDPI_VECTOR_MIN, 0xff},
    {OPTION_PIR, "--pir", VTDPI_VECTOR_MIN, 0xff},
};

/* Which option has to change after an error of an encoder, and how. */
static const struct {
    int err;
    const char *text;
} remedies[] = {
    {VTDPI_EIRTE_VECTOR, "--vector: from 16 to 255 (0xff)"},
    {VTDPI_EIRTE_DST, "--dest: from 0 to 255 with --xapic"},
    {VTDPI_EIRTE_RH, "--dlm lowest needs --rh"},
    {VTDPI_EIRTE_TM, "--level is for --dlm fixed and lowest"},
    {VTDPI_EIRTE_SQ, "--sq is for --sid"},
    {VTDPI_EIRTE_BUS, "--buses: the first bus is above the last one"},
    {VTDPI_EIRTE_SOURCE, "one of --sid, --buses and --any-source is needed"},
    {VTDPI_EIRTE_PDA_ALIGN, "--pda: a multiple of 64"},
    {VTDPI_EIRTE_PDA_WIDTH, "--pda: below 2 to the power of --haw"},
    {VTDPI_EALIGN, "--index: a multiple of --count"},
    {VTDPI_EINVAL, "--count: a power of two from 1 to 32"},
    {VTDPI_EINDEX, "--index: from 0 to 65535"},
};

static const char *remedy_of(int err)
{
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        if (remedies[i].err == err)
            return remedies[i].text;
    }
    return "";
}

static uint64_t number_option(int key, const char *text,
                              struct argp_state *state)
{
    uint64_t number = 0;
    const bool good = number_parse(text, &number);

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ranges[i].key == key &&
            (!good || number < ranges[i].min || number > ranges[i].max))
            argp_error(state,
                       "%s: from %" PRIu64 " to %" PRIu64 " (0x%" PRIx64
                       "), decimal or with 0x, not %s",
                       ranges[i].name, ranges[i].min, ranges[i].max,
                       ranges[i].max, text);
    }
    return number;
}

static enum vtdpi_dlm dlm_option(const char *text, struct argp_state *state)
{
    static const char *const names[] = {"fixed", "lowest", "smi", NULL,
                                        "nmi",   "init",   NULL,  "extint"};

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i] != NULL && strcmp(text, names[i]) == 0)
            return (enum vtdpi_dlm)i;
    }
    argp_error(state, "--dlm: fixed, lowest, smi, nmi, init or extint, not %s",
               text);
    return VTDPI_DLM_FIXED;
}

/* A number in hexadecimal of at most @max that ends at @end; then @text is behind
 * the end. */
static bool part_read(const char **text, char end, unsigned long max,
                      unsigned long *number)
{
    char *after;

    if (strspn(*text, "0123456789abcdefABCDEF") == 0)
        return false;
    *number = strtoul(*text, &after, 16);
    if (*after != end || *number > max)
        return false;
    *text = after + (end != '\0');
    return true;
}

static bool bdf_read(const char *text, uint16_t *sid)
{
    unsigned long bus;
    unsigned long device;
    unsigned long function;

    if (!part_read(&text, ':', 0xff, &bus) ||
        !part_read(&text, '.', 31, &device) ||
        !part_read(&text, '\0', 7, &function))
        return false;
    *sid = VTDPI_SID(bus, device, function);
    return true;
}

static struct vtdpi_source sid_option(const char *text,
                                      struct argp_state *state)
{
    uint64_t number = 0;
    uint16_t sid = 0;

    if (!bdf_read(text, &sid)) {
        if (!number_parse(text, &number) || number > UINT16_MAX)
            argp_error(state,
                       "--sid: bus:device.function in hexadecimal (00:00.0 to "
                       "ff:1f.7), or a number from 0 to 65535, not %s",
                       text);
        sid = (uint16_t)number;
    }
    return vtdpi_source_exact(sid, VTDPI_SQ_ALL);
}

static struct vtdpi_source buses_option(const char *text,
                                        struct argp_state *state)
{
    const char *at = text;
    unsigned long first = 0;
    unsigned long last = 0;

    if (!part_read(&at, '-', 0xff, &first) ||
        !part_read(&at, '\0', 0xff, &last))
        argp_error(state,
                   "--buses: FIRST-LAST in hexadecimal, from 00 to ff, not %s",
                   text);
    return vtdpi_source_bus_range((uint8_t)first, (uint8_t)last);
}

static void source_option(struct encode *e, int key, const char *text,
                          struct argp_state *state)
{
    if (e->source.kind != VTDPI_SOURCE_UNSET)
        argp_error(state, "only one of --sid, --buses and --any-source");
    if (key == OPTION_SID)
        e->source = sid_option(text, state);
    else if (key == OPTION_BUSES)
        e->source = buses_option(text, state);
    else
        e->source = vtdpi_source_any_unverified();
}

static error_t encode_parse(int key, char *argument, struct argp_state *state)
{
    struct encode *const e = state->input;

    if (key <= 0 || key >= OPTION_END)
        return ARGP_ERR_UNKNOWN;
    e->given[key] = true;
    if (key == OPTION_SID || key == OPTION_BUSES || key == OPTION_ANY_SOURCE)
        source_option(e, key, argument, state);
    else if (key == OPTION_DLM)
        e->number[key] = dlm_option(argument, state);
    else
        e->number[key] =
            argument != NULL ? number_option(key, argument, state) : 1;
    if (key == OPTION_PIR)
        e->pir[e->number[key] / 64] |= VTDPI_BIT64(e->number[key] % 64);
    return 0;
}

/*
 * Structures.
 */

static struct vtdpi_source source_of(const struct encode *e)
{
    struct vtdpi_source source = e->source;

    source.sq = (uint8_t)e->number[OPTION_SQ];
    return source;
}

static enum vtdpi_apic_mode mode_of(const struct encode *e)
{
    return e->given[OPTION_XAPIC] ? VTDPI_XAPIC : VTDPI_X2APIC;
}

static void word_add(struct encoded *out, const char *name, uint64_t word)
{
    out->name[out->count] = name;
    out->word[out->count++] = word;
}

static int entry_finish(const struct encode *e, const struct vtdpi_irte *irte,
                        struct encoded *out)
{
    const unsigned int haw =
        e->given[OPTION_HAW] ? (unsigned int)e->number[OPTION_HAW] : HAW_MAX;
    const int rc = vtdpi_irte_validate(irte, mode_of(e), haw);

    word_add(out, "hi", irte->hi);
    word_add(out, "lo", irte->lo);
    (void)vtdpi_format_irte(out->line, sizeof(out->line), irte, mode_of(e),
                            haw);
    return rc;
}

static int remapped_encode(const struct encode *e, struct encoded *out)
{
    const struct vtdpi_irte_remapped fields = {
        .present = true,
        .fpd = e->given[OPTION_FPD],
        .dm = e->given[OPTION_LOGICAL],
        .rh = e->given[OPTION_RH],
        .tm = e->given[OPTION_LEVEL],
        .avail = (uint8_t)e->number[OPTION_AVAIL],
        .vector = (uint8_t)e->number[OPTION_VECTOR],
        .dlm = (enum vtdpi_dlm)e->number[OPTION_DLM],
        .mode = mode_of(e),
        .dst = (uint32_t)e->number[OPTION_DEST],
        .source = source_of(e),
    };
    struct vtdpi_irte irte;
    const int rc = vtdpi_irte_encode_remapped(&fields, &irte);

    return rc != 0 ? rc : entry_finish(e, &irte, out);
}

static int posted_encode(const struct encode *e, struct encoded *out)
{
    const struct vtdpi_irte_posted fields = {
        .present = true,
        .fpd = e->given[OPTION_FPD],
        .urgent = e->given[OPTION_URGENT],
        .avail = (uint8_t)e->number[OPTION_AVAIL],
        .vector = (uint8_t)e->number[OPTION_VECTOR],
        .pda = e->number[OPTION_PDA],
        .source = source_of(e),
    };
    struct vtdpi_irte irte;
    const int rc = vtdpi_irte_encode_posted(&fields, &irte);

    return rc != 0 ? rc : entry_finish(e, &irte, out);
}

static int msi_encode(const struct encode *e, struct encoded *out)
{
    const uint32_t index = (uint32_t)e->number[OPTION_INDEX];
    struct vtdpi_msi msi;
    const int rc = e->given[OPTION_COUNT]
                       ? vtdpi_msi_encode_block(
                             index, (uint32_t)e->number[OPTION_COUNT], &msi)
                       : vtdpi_msi_encode(index, &msi);

    if (rc != 0)
        return rc;
    word_add(out, "address", (uint64_t)msi.address_hi << 32 | msi.address_lo);
    word_add(out, "data", msi.data);
    (void)vtdpi_format_msi(out->line, sizeof(out->line), &msi,
                           VTDPI_COMPAT_DEST_8);
    return 0;
}

static int rte_encode(const struct encode *e, struct encoded *out)
{
    const struct vtdpi_msi_rte fields = {
        .index = (uint32_t)e->number[OPTION_INDEX],
        .vector = (uint8_t)e->number[OPTION_VECTOR],
        .active_low = e->given[OPTION_ACTIVE_LOW],
        .level = e->given[OPTION_LEVEL],
        .masked = e->given[OPTION_MASKED],
    };
    uint64_t rte;
    const int rc = vtdpi_msi_rte_encode(&fields, &rte);

    if (rc != 0)
        return rc;
    word_add(out, "hi", rte >> 32);
    word_add(out, "lo", rte & UINT32_MAX);
    (void)vtdpi_format_rte(out->line, sizeof(out->line), rte);
    return 0;
}

static int pid_encode(const struct encode *e, struct encoded *out)
{
    const struct vtdpi_pid_control control = {
        .on = e->given[OPTION_ON],
        .sn = e->given[OPTION_SN],
        .nv = (uint8_t)e->number[OPTION_NV],
        .ndst = vtdpi_ndst_from_apic_id(mode_of(e),
                                        (uint32_t)e->number[OPTION_DEST]),
    };
    struct vtdpi_pid pid;

    /* The library's function drops what does not fit. */
    if (mode_of(e) == VTDPI_XAPIC && e->number[OPTION_DEST] > 0xff)
        return VTDPI_EIRTE_DST;
    memset(&pid, 0, sizeof(pid));
    memcpy(pid.pir, e->pir, sizeof(pid.pir));
    pid.control = vtdpi_pid_control_encode(&control);
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        word_add(out, NULL, pid.pir[i]);
    word_add(out, NULL, pid.control);
    for (unsigned int i = VTDPI_PIR_WORDS + 1; i < PID_WORDS; i++)
        word_add(out, NULL, 0);
    (void)vtdpi_format_pid(out->line, sizeof(out->line), &pid);
    return 0;
}

static const struct argp_option irte_options[] = {
    {"vector", OPTION_VECTOR, "VECTOR", 0, "V, 0x10 to 0xff", 0},
    {"avail", OPTION_AVAIL, "BITS", 0, "AVAIL, 0 to 15 (0)", 0},
    {"fpd", OPTION_FPD, NULL, 0, "FPD: faults are not recorded", 0},
    {"sid", OPTION_SID, "BUS:DEVICE.FUNCTION", 0,
     "SID: the requester that is accepted", 0},
    {"sq", OPTION_SQ, "SQ", 0, "bits of SID that are not compared, 0 to 3 (0)",
     0},
    {"buses", OPTION_BUSES, "FIRST-LAST", 0,
     "requesters on these buses are accepted", 0},
    {"any-source", OPTION_ANY_SOURCE, NULL, 0, "every requester is accepted",
     0},
    {"dest", OPTION_DEST, "ID", 0, "DST: an APIC id, or a logical destination",
     0},
    {"dlm", OPTION_DLM, "MODE", 0,
     "DLM: fixed (the default), lowest, smi, nmi, init or extint", 0},
    {"logical", OPTION_LOGICAL, NULL, 0, "DM: the destination is logical", 0},
    {"rh", OPTION_RH, NULL, 0, "RH: redirection hint", 0},
    {"level", OPTION_LEVEL, NULL, 0, "TM: level-triggered", 0},
    {"xapic", OPTION_XAPIC, NULL, 0,
     "destinations are of xAPIC mode, not of x2APIC mode", 0},
    {0},
};

static const struct argp_option posted_options[] = {
    {"vector", OPTION_VECTOR, "VECTOR", 0, "V, 0x10 to 0xff", 0},
    {"avail", OPTION_AVAIL, "BITS", 0, "AVAIL, 0 to 15 (0)", 0},
    {"fpd", OPTION_FPD, NULL, 0, "FPD: faults are not recorded", 0},
    {"sid", OPTION_SID, "BUS:DEVICE.FUNCTION", 0,
     "SID: the requester that is accepted", 0},
    {"sq", OPTION_SQ, "SQ", 0, "bits of SID that are not compared, 0 to 3 (0)",
     0},
    {"buses", OPTION_BUSES, "FIRST-LAST", 0,
     "requesters on these buses are accepted", 0},
    {"any-source", OPTION_ANY_SOURCE, NULL, 0, "every requester is accepted",
     0},
    {"pda", OPTION_PDA, "ADDRESS", 0,
     "PDA: address of the descriptor, a multiple of 64", 0},
    {"urgent", OPTION_URGENT, NULL, 0, "URG: notify even if SN is set", 0},
    {"haw", OPTION_HAW, "BITS", 0, "host address width, 1 to 64 (64)", 0},
    {0},
};

static const struct argp_option msi_options[] = {
    {"index", OPTION_INDEX, "INDEX", 0, "the entry, 0 to 65535", 0},
    {"count", OPTION_COUNT, "MESSAGES", 0,
     "messages of a multi-message MSI: 1, 2, 4, 8, 16 or 32", 0},
    {0},
};

static const struct argp_option rte_options[] = {
    {"index", OPTION_INDEX, "INDEX", 0, "the entry, 0 to 65535", 0},
    {"vector", OPTION_VECTOR, "VECTOR", 0,
     "V, with which an EOI is compared, 0 to 0xff", 0},
    {"active-low", OPTION_ACTIVE_LOW, NULL, 0, "POL: active low", 0},
    {"level", OPTION_LEVEL, NULL, 0, "TM: level-triggered", 0},
    {"masked", OPTION_MASKED, NULL, 0, "MASK: masked", 0},
    {0},
};

static const struct argp_option pid_options[] = {
    {"nv", OPTION_NV, "VECTOR", 0, "NV, 0x10 to 0xff", 0},
    {"dest", OPTION_DEST, "ID", 0, "the APIC id of which NDST is made", 0},
    {"on", OPTION_ON, NULL, 0, "ON", 0},
    {"sn", OPTION_SN, NULL, 0, "SN", 0},
    {"pir", OPTION_PIR, "VECTOR", 0,
     "a vector in PIR, 0x10 to 0xff; may be given again", 0},
    {"xapic", OPTION_XAPIC, NULL, 0,
     "destinations are of xAPIC mode, not of x2APIC mode", 0},
    {0},
};

static const struct encode_kind kinds[] = {
    {"irte",
     "Make an entry in remapped format.",
     irte_options,
     {OPTION_DEST},
     remapped_encode},
    {"posted",
     "Make an entry in posted format.",
     posted_options,
     {OPTION_VECTOR, OPTION_PDA},
     posted_encode},
    {"msi",
     "Make a message in remappable format.",
     msi_options,
     {OPTION_INDEX},
     msi_encode},
    {"rte",
     "Make an IOAPIC redirection table entry in remappable format.",
     rte_options,
     {OPTION_INDEX, OPTION_VECTOR},
     rte_encode},
    {"pid",
     "Make a posted-interrupt descriptor.",
     pid_options,
     {OPTION_NV, OPTION_DEST},
     pid_encode},
};

enum {
    KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]),
};

/*
 * The command.
 */

static json_t *encoded_json(const struct encode_kind *kind,
                            const struct encoded *out)
{
    json_t *const words = json_array();

    for (unsigned int i = 0; i < out->count; i++)
        (void)json_array_append_new(words, json_pack("{s:s?, s:o}", "name",
                                                     out->name[i], "word",
                                                     json_word(out->word[i])));
    return json_pack("{s:s, s:o, s:s}", "kind", kind->name, "words", words,
                     "text", out->line);
}

static void encoded_print(const json_t *result)
{
    const json_t *word;
    size_t i;

    json_array_foreach(json_object_get(result, "words"), i, word)
    {
        const char *const name =
            json_string_value(json_object_get(word, "name"));

        printf("%s%s%s%s", i == 0 ? "" : " ", name == NULL ? "" : name,
               name == NULL ? "" : "=",
               json_string_value(json_object_get(word, "word")));
    }
    printf("\n");
}

/* Which option that is needed was not given; NULL: none. */
static const char *option_missing(const struct encode_kind *kind,
                                  const struct encode *e)
{
    for (size_t i = 0; i < sizeof(kind->needed) / sizeof(*kind->needed); i++) {
        const int key = kind->needed[i];

        for (size_t k = 0; key != 0 && kind->options[k].name != NULL; k++) {
            if (kind->options[k].key == key && !e->given[key])
                return kind->options[k].name;
        }
    }
    return NULL;
}

static int encode_run(const struct encode_kind *kind, int argc, char **argv)
{
    const struct argp argp = {
        .options = kind->options,
        .parser = encode_parse,
        .doc = kind->doc,
    };
    struct encode e = {.given = {false}};
    struct encoded out = {.count = 0};
    const char *missing;
    int rc;

    command_parse(&argp, argc, argv, &e);
    missing = option_missing(kind, &e);
    if (missing != NULL)
        return complain(STATUS_USAGE, "--%s is needed (%s --help)", missing,
                        argv[0]);
    rc = kind->encode(&e, &out);
    if (rc != 0)
        return complain(STATUS_USAGE, "%s (%s)", remedy_of(rc),
                        vtdpi_strerror(rc));
    return result_print(encoded_json(kind, &out), encoded_print, STATUS_GOOD);
}

static void encode_usage(FILE *to)
{
    (void)fprintf(to, "usage: vtdpi encode KIND [OPTION...]\n\n"
                      "Makes words in the form that the decoders take.\n\n");
    for (size_t i = 0; i < KIND_COUNT; i++)
        (void)fprintf(to, "  %-8s %s\n", kinds[i].name, kinds[i].doc);
    (void)fprintf(to, "\nNumbers are decimal, or hexadecimal with 0x. vtdpi "
                      "encode KIND --help tells the\noptions of a kind.\n");
}

int encode(int argc, char **argv)
{
    static char name[64];

    if (argc < 2) {
        encode_usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        encode_usage(stdout);
        return STATUS_GOOD;
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            (void)snprintf(name, sizeof(name), "%s %s", argv[0], kinds[i].name);
            argv[1] = name;
            return encode_run(&kinds[i], argc - 1, argv + 1);
        }
    }
    return complain(STATUS_USAGE,
                    "nothing to encode has the name %s (%s --help)", argv[1],
                    argv[0]);
}
