/* SPDX-License-Identifier: BSD-2-Clause */
/* vtdpi: the command line. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"
#include "vtdpi/version.h"

const struct command commands[] = {
    {"host", "say whether posting works on this machine, and why", host_main},
    {"collect", "make an archive of what host reads, for others to judge",
     collect_main},
    {"log", "remapping, posting and faults, from a log", log_command},
    {"dmar", "print and check an ACPI DMAR table", dmar_command},
    {"table", "check the dump of an interrupt remapping table", table_command},
    {"irte", "decode an interrupt remapping table entry", decode_irte},
    {"pid", "decode a posted-interrupt descriptor", decode_pid},
    {"msi", "decode a message-signalled interrupt", decode_msi},
    {"rte", "decode an IOAPIC redirection table entry", decode_rte},
    {"cap", "decode Capability Registers", decode_cap},
    {"ecap", "decode Extended Capability Registers", decode_ecap},
    {"fault", "decode a fault recording register", decode_fault},
    {"qi", "decode a descriptor of the invalidation queue", decode_qi},
    {"encode", "make words of fields", encode},
    {"explain", "explain a word, a reason, a fault or an error", explain},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

enum {
    OPTION_JSON = 1000,
    OPTION_COLOR,
    OPTION_WIDTH
};
enum {
    WIDTH_MIN = 20,
    WIDTH_MAX = 1000
};

static void choose_color(const char *when, struct argp_state *state)
{
    if (strcmp(when, "always") == 0)
        style.color = true;
    else if (strcmp(when, "never") == 0)
        style.color = false;
    else if (strcmp(when, "auto") != 0)
        argp_error(state, "--color: auto, always or never, not %s", when);
}

unsigned int option_number(const char *name, const char *text, unsigned int min,
                           unsigned int max, struct argp_state *state)
{
    uint64_t n;

    if (!number_parse(text, &n) || n < min || n > max)
        argp_error(state, "--%s: from %u to %u, decimal or with 0x, not %s",
                   name, min, max, text);
    return (unsigned int)n;
}

static error_t common_parse(int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case OPTION_JSON:
        style.json = true;
        return 0;
    case OPTION_COLOR:
        choose_color(argument, state);
        return 0;
    case OPTION_WIDTH:
        style.width =
            option_number("width", argument, WIDTH_MIN, WIDTH_MAX, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option common_options[] = {
    {"json", OPTION_JSON, NULL, 0, "print JSON", -1},
    {"color", OPTION_COLOR, "WHEN", 0, "auto (the default), always or never",
     -1},
    {"width", OPTION_WIDTH, "COLUMNS", 0,
     "width of text (that of the terminal, or 80)", -1},
    {0},
};

static const struct argp common_argp = {
    .options = common_options,
    .parser = common_parse,
};

void command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
    struct argp whole = *argp;

    whole.children = children;
    if (argp_parse(&whole, argc, argv, 0, NULL, input) != 0)
        exit(STATUS_USAGE);
}

/* Colour and width of a terminal. */
static void style_look(void)
{
    struct winsize size;

    style.color = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col >= WIDTH_MIN)
        style.width = size.ws_col;
}

static void usage(FILE *to)
{
    fprintf(to, "usage: vtdpi COMMAND [OPTION...] [ARGUMENT...]\n\n"
                "Does interrupt posting (Intel VT-d) work here, and if not, "
                "why not?\n\n");
    for (size_t i = 0; i < command_count; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\nvtdpi COMMAND --help tells the options of a command; "
                "vtdpi --version the version.\n");
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* @argv[1] names the command; its messages are to have both names. */
static int command_run(const struct command *c, int argc, char **argv)
{
    char *name = NULL;
    int status;

    if (asprintf(&name, "vtdpi %s", c->name) < 0)
        return complain(STATUS_INPUT, "no memory");
    argv[1] = name;
    status = c->run(argc - 1, argv + 1);
    free(name);
    return status;
}

/* At the end of the process: --help and --version print, too. */
static void output_end(void)
{
    if (!output_flush())
        _exit(STATUS_INPUT);
}

int main(int argc, char **argv)
{
    const struct command *c;

    /* A reader that has gone is an error of a write, with a message. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)atexit(output_end);
    argp_err_exit_status = STATUS_USAGE;
    style_look();
    if (argc < 2) {
        usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return STATUS_GOOD;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("vtdpi %d.%d.%d\n", VTDPI_VERSION_MAJOR, VTDPI_VERSION_MINOR,
               VTDPI_VERSION_PATCH);
        return STATUS_GOOD;
    }
    c = command_find(argv[1]);
    if (c == NULL)
        return complain(STATUS_USAGE, "no such command: %s (vtdpi help)",
                        argv[1]);
    return command_run(c, argc, argv);
}
