/* SPDX-License-Identifier: BSD-2-Clause */
/* vtdpi dmar: the command. dmar_file.c reads, dmar_report.c makes the JSON,
 * dmar_text.c prints it. */
#include "dmar_file.h"
#include "dmar_text.h"
#include "problem.h"
#include "tool.h"

static error_t dmar_option(int key, char *argument, struct argp_state *state)
{
    const char **const name = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (*name != NULL)
            argp_error(state, "more than one file");
        *name = argument;
        return 0;
    case ARGP_KEY_END:
        if (*name == NULL)
            argp_error(state, "no file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int dmar_command(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = dmar_option,
        .args_doc = "FILE",
        .doc =
            "Print an ACPI DMAR table and all that is wrong with it. FILE is "
            "the table as it is, or a dump of acpidump, iasl, xxd or "
            "hexdump -C; \"-\" is standard input.",
    };
    struct dmar_file file;
    const char *name = NULL;
    json_t *report;
    int status;

    command_parse(&argp, argc, argv, &name);
    status = dmar_load(name, &file);
    if (status != 0)
        return status;
    report = dmar_report(&file);
    status = problems_status(json_object_get(report, "problems"));
    dmar_drop(&file);
    return result_print(report, dmar_print, status);
}
