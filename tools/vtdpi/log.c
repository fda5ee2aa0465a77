/* SPDX-License-Identifier: BSD-2-Clause */
/* vtdpi log: the command. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "tool.h"

enum {
    OPTION_DMAR = 1,
};

struct arguments {
    const char *file;
    const char *dmar;
};

static error_t log_parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *const a = state->input;

    switch (key) {
    case OPTION_DMAR:
        a->dmar = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "more than one file");
        a->file = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* All lines of the file; an exit status if it cannot be read. */
static int log_read(struct log_facts *f, const char *file)
{
    struct lines l;
    const int status = lines_open(&l, file);

    if (status != 0)
        return status;
    while (lines_next(&l)) {
        f->cut += l.cut;
        log_line(f, l.text, l.length, l.number);
    }
    log_end(f);
    lines_close(&l);
    if (l.error != 0 && l.number == 0)
        return complain(STATUS_INPUT, "%s: %s", l.name, strerror(l.error));
    if (l.error != 0)
        return complain(STATUS_INPUT, "%s: after line %lu: %s", l.name,
                        l.number, strerror(l.error));
    /* Binary rubbish may stand in front of a log, as after a crash. */
    if (l.not_text != NULL && f->about + f->unknown == 0)
        return complain(STATUS_INPUT, "%s:1: no log: the file is %s", l.name,
                        l.not_text);
    return 0;
}

static int log_report(const struct log_facts *f, const char *file,
                      const struct log_dmar *d)
{
    struct log_verdict v;

    log_judge(f, &v);
    return result_print(
        log_json(f, &v, strcmp(file, "-") == 0 ? "standard input" : file, d),
        log_print, log_status(f, &v));
}

int log_command(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dmar", OPTION_DMAR, "FILE", 0,
         "a DMAR table, which tells what a faulting device is", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = log_parse,
        .args_doc = "[FILE]",
        .doc = "Tell from a kernel's or a hypervisor's log whether interrupts "
               "are remapped and posted, and which faults there were.",
    };
    struct arguments a = {.file = "-"};
    struct log_facts *f;
    struct log_dmar *d = NULL;
    int status;

    command_parse(&argp, argc, argv, &a);
    if (a.dmar != NULL) {
        d = log_dmar_open(a.dmar);
        if (d == NULL)
            return STATUS_INPUT;
    }
    f = malloc(sizeof(*f));
    if (f == NULL) {
        log_dmar_close(d);
        return complain(STATUS_INPUT, "no memory");
    }
    log_init(f);
    status = log_read(f, a.file);
    if (status == 0)
        status = log_report(f, a.file, d);
    free(f);
    log_dmar_close(d);
    return status;
}
