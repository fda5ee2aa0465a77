/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, and one child process for each phase. */
#define _GNU_SOURCE
#include <argp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"

enum {
    STATUS_PASSED = 0,
    STATUS_FAILED = 1,
    STATUS_UNFIT = 2, /* command line, driver or host */
    OPTION_NO_TRAPS = 256,
    OPTION_COLOR,
    OPTION_SECONDS,
    SECONDS_MAX = 3600,
    PHASES_MAX = 64,
};

struct options {
    bool list;
    bool no_traps;
    enum format format;
    bool color;
    bool chosen[PHASES_MAX];
    bool any_chosen;
};

static const struct argp_option argp_options[] = {
    {"list", 'l', NULL, 0, "print the phases and their questions", 0},
    {"format", 'f', "FORMAT", 0, "text (the default), json or tap", 0},
    {"phase", 'p', "PHASE", 0, "as a PHASE without the option", 0},
    {"seconds", OPTION_SECONDS, "N", 0,
     "real time that a call of the driver may take (30)", 0},
    {"verbose", 'v', NULL, 0,
     "show register accesses, and what the driver logs and prints", 0},
    {"no-traps", OPTION_NO_TRAPS, NULL, 0,
     "registers by vtdpi_conform_read32() and the like only", 0},
    {"color", OPTION_COLOR, "WHEN", 0, "auto (the default), always or never",
     0},
    {0},
};

static void choose_format(struct options *o, const char *name,
                          struct argp_state *state)
{
    if (strcmp(name, "text") == 0)
        o->format = FORMAT_TEXT;
    else if (strcmp(name, "json") == 0)
        o->format = FORMAT_JSON;
    else if (strcmp(name, "tap") == 0)
        o->format = FORMAT_TAP;
    else
        argp_error(state, "no such format: %s", name);
}

static void choose_color(struct options *o, const char *when,
                         struct argp_state *state)
{
    if (strcmp(when, "always") == 0)
        o->color = true;
    else if (strcmp(when, "never") == 0)
        o->color = false;
    else if (strcmp(when, "auto") != 0)
        argp_error(state, "no such time for color: %s", when);
}

static void choose_phase(struct options *o, const char *name,
                         struct argp_state *state)
{
    for (unsigned int i = 0; i < phase_count; i++) {
        if (strcmp(phases[i].name, name) == 0) {
            o->chosen[i] = true;
            o->any_chosen = true;
            return;
        }
    }
    argp_error(state, "no such phase: %s (--list prints them)", name);
}

static void choose_seconds(const char *text, struct argp_state *state)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || n == 0 || n > SECONDS_MAX)
        argp_error(state, "no number of seconds: %s (1 to %d)", text,
                   (int)SECONDS_MAX);
    call_seconds = (unsigned int)n;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'l':
        o->list = true;
        return 0;
    case 'f':
        choose_format(o, argument, state);
        return 0;
    case 'v':
        verbose = true;
        return 0;
    case OPTION_NO_TRAPS:
        o->no_traps = true;
        return 0;
    case OPTION_COLOR:
        choose_color(o, argument, state);
        return 0;
    case OPTION_SECONDS:
        choose_seconds(argument, state);
        return 0;
    case 'p':
    case ARGP_KEY_ARG:
        choose_phase(o, argument, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* On a unit with nothing wrong: every phase would find the same. */
static bool dies_at_start;

/* What the phase needs and the driver or the host lacks; NULL: nothing. */
static const char *lacking(unsigned int needs)
{
    if ((needs & NEEDS_CHANGE) != 0 && driver->change == NULL)
        return "the driver has no change()";
    if ((needs & NEEDS_FREE) != 0 && driver->free == NULL)
        return "the driver has no free()";
    if ((needs & NEEDS_RESUME) != 0 && driver->resume == NULL)
        return "the driver has no resume()";
    if ((needs & NEEDS_FAULT) != 0 && driver->fault == NULL)
        return "the driver has no fault()";
    if ((needs & NEEDS_TABLE) != 0 && driver->table == NULL)
        return "the driver has no table()";
    if ((needs & NEEDS_POST) != 0 &&
        (driver->post == NULL || driver->unpost == NULL))
        return "the driver has no post() and unpost()";
    if ((needs & NEEDS_TRAPS) != 0 && !with_traps)
        return "stores to the table cannot be trapped here";
    if ((needs & NEEDS_NO_START) == 0 && dies_at_start)
        return "the driver hangs or dies in init or map; deliver tells where";
    return NULL;
}

/* What the driver prints is not the report. */
static void redirect_output(void)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (!verbose && null >= 0) {
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
    } else {
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    }
}

static void run_phase(void)
{
    redirect_output();
    phase->run();
    (void)fflush(NULL);
}

static void (*set_up)(void);

static void run_set_up(void)
{
    redirect_output();
    set_up();
}

static enum verdict tried(void (*what)(void))
{
    static const struct phase none = {.name = "set-up"};

    phase = &none;
    set_up = what;
    memset(record, 0, sizeof(*record));
    run_child(run_set_up);
    return record_verdict(record);
}

/* One result, by way of the shared record. */
static void run(const struct phase *p, struct result *result)
{
    const char *missing = lacking(p->needs);

    phase = p;
    memset(record, 0, sizeof(*record));
    if (missing != NULL) {
        record->skipped = true;
        (void)snprintf(record->reason, sizeof(record->reason), "%s", missing);
    } else {
        (void)fflush(NULL);
        run_child(run_phase);
    }
    result->phase = p;
    result->record = *record;
}

static int list_print(void)
{
    for (unsigned int i = 0; i < phase_count; i++)
        printf("%-20s %s\n", phases[i].name, phases[i].question);
    return STATUS_PASSED;
}

static bool driver_is_fit(void)
{
    if (driver == NULL || driver->name == NULL || driver->init == NULL ||
        driver->map == NULL) {
        fprintf(stderr, "vtdpi-conform: the driver needs a name, init() and "
                        "map()\n");
        return false;
    }
    return true;
}

static bool record_is_shared(void)
{
    void *const shared = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        fprintf(stderr, "vtdpi-conform: no memory\n");
        return false;
    }
    record = shared;
    return true;
}

static int trial(const struct options *o)
{
    static struct result results[PHASES_MAX];
    size_t count = 0;
    bool failed = false;

    dies_at_start = tried(try_start) == VERDICT_FAIL;
    has_neighbor = !dies_at_start && tried(try_neighbor) == VERDICT_PASS;
    for (unsigned int i = 0; i < phase_count; i++) {
        if (o->any_chosen && !o->chosen[i])
            continue;
        run(&phases[i], &results[count]);
        failed |= record_verdict(&results[count++].record) == VERDICT_FAIL;
    }
    if (!report_print(stdout, o->format, o->color, driver->name, results,
                      count)) {
        fprintf(stderr, "vtdpi-conform: the report cannot be written\n");
        return STATUS_UNFIT;
    }
    return failed ? STATUS_FAILED : STATUS_PASSED;
}

int vtdpi_conform_main(int argc, char **argv,
                       const struct vtdpi_conform_driver *under_trial)
{
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse,
        .args_doc = "[PHASE...]",
        .doc = "Put a driver of VT-d interrupt remapping on trial, or ask it "
               "only the PHASEs named.",
    };
    struct options o = {.color = isatty(STDOUT_FILENO) == 1};

    argp_err_exit_status = STATUS_UNFIT;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return STATUS_UNFIT;
    driver = under_trial;
    if (o.list)
        return list_print();
    if (!driver_is_fit() || !record_is_shared())
        return STATUS_UNFIT;
    with_traps = traps_exist() && !o.no_traps;
    if (with_traps && !traps_have_room()) {
        fprintf(stderr,
                "vtdpi-conform: no page can be mapped at %#x (with "
                "AddressSanitizer there never can); a driver that "
                "calls functions for registers needs --no-traps\n",
                VTDPI_CONFORM_REGISTERS);
        return STATUS_UNFIT;
    }
    return trial(&o);
}
