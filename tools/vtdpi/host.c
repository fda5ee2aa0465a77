/* SPDX-License-Identifier: BSD-2-Clause */
/* vtdpi host: whether posting works on a machine, and if not, why. */
#include "host.h"
#include "tool.h"

enum {
    OPTION_ROOT = 1
};

static error_t host_parse(int key, char *argument, struct argp_state *state)
{
    const char **const root = state->input;

    if (key != OPTION_ROOT)
        return ARGP_ERR_UNKNOWN;
    *root = argument;
    return 0;
}

static int host_status(const struct judgement *j)
{
    const struct answer *const a = &j->answer[ANSWER_POSTING];

    if (a->works == FACT_UNKNOWN)
        return STATUS_UNKNOWN;
    return a->works == FACT_YES ? STATUS_GOOD : STATUS_WRONG;
}

int host_main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"root", OPTION_ROOT, "DIR", 0,
         "judge the files below DIR, a saved tree (vtdpi collect)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = host_parse,
        .doc = "Say whether interrupt remapping, x2APIC mode and posting work "
               "on this machine, why, and what to do.",
    };
    const char *name = NULL;
    struct judgement j;
    struct host *h;
    struct root r;
    int status;

    command_parse(&argp, argc, argv, &name);
    status = root_open(&r, name);
    if (status != 0)
        return status;
    h = host_gather(&r);
    if (h == NULL)
        return complain(STATUS_INPUT, "no memory");
    host_judge(h, &j);
    status = result_print(host_json(h, &j, &r), host_text, host_status(&j));
    host_free(h);
    root_close(&r);
    return status;
}
