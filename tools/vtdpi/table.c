/* SPDX-License-Identifier: BSD-2-Clause */
/* vtdpi table: the command. table_dump.c reads, table_report.c makes the JSON,
 * table_text.c prints it. */
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "table_dump.h"
#include "table_text.h"
#include "tool.h"

enum {
    FILE_MAX = 64 * 1024 * 1024,
    HAW_MAX = 64,
    OPTION_HAW = 1,
    OPTION_XAPIC,
    OPTION_X2APIC,
    OPTION_RAW,
    OPTION_PROBLEMS
};

struct options {
    const char *name;
    struct table_rules rules;
    bool raw;
    bool problems;
};

static error_t table_option(int key, char *argument, struct argp_state *state)
{
    struct options *const o = state->input;

    switch (key) {
    case OPTION_HAW:
        o->rules.haw = option_number("haw", argument, 1, HAW_MAX, state);
        return 0;
    case OPTION_XAPIC:
        o->rules.mode = MODE_XAPIC;
        return 0;
    case OPTION_X2APIC:
        o->rules.mode = MODE_X2APIC;
        return 0;
    case OPTION_RAW:
        o->raw = true;
        return 0;
    case OPTION_PROBLEMS:
        o->problems = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->name != NULL)
            argp_error(state, "more than one file");
        o->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (o->name == NULL)
            argp_error(state, "no file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int table_load(const struct options *o, struct table_dump *dump)
{
    size_t size = 0;
    unsigned char *const bytes = file_read(o->name, FILE_MAX, &size);
    struct input_fault fault;
    bool good;

    if (bytes == NULL)
        return STATUS_INPUT;
    good = table_parse(bytes, size, o->raw, dump, &fault);
    free(bytes);
    if (good)
        return 0;
    return fault_complain(&fault, o->name);
}

int table_command(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"haw", OPTION_HAW, "BITS", 0,
         "host address width, for the addresses of descriptors (64)", 0},
        {"xapic", OPTION_XAPIC, NULL, 0, "destinations are of xAPIC mode", 0},
        {"x2apic", OPTION_X2APIC, NULL, 0,
         "destinations are of x2APIC mode; without both options the entries "
         "tell",
         0},
        {"raw", OPTION_RAW, NULL, 0, "the file is the table itself", 0},
        {"problems", OPTION_PROBLEMS, NULL, 0,
         "print what is wrong, and not the entries", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = table_option,
        .args_doc = "FILE",
        .doc =
            "Check the dump of an interrupt remapping table. FILE is Linux's "
            "ir_translation_struct of debugfs, what Xen prints at key V, or "
            "the table itself; \"-\" is standard input.",
    };
    struct options o = {.rules = {MODE_AUTO, HAW_MAX}};
    struct table_dump dump;
    json_t *report;
    int status;

    command_parse(&argp, argc, argv, &o);
    status = table_load(&o, &dump);
    if (status != 0)
        return status;
    report = table_report(&dump, &o.rules);
    status = problems_status(json_object_get(report, "problems"));
    if (status == STATUS_GOOD && dump.entry_count == 0)
        status = STATUS_UNKNOWN;
    table_drop(&dump);
    return result_print(report, o.problems ? table_print_problems : table_print,
                        status);
}
