/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All scenarios, or some, in all layouts and memory models. Prints a line (or a TAP
 * line) each, and for a failure the shortest schedule found.
 */
#include "run.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

struct options {
    const char *only;    /* scenario, or NULL */
    const char *replay;  /* schedule, or NULL */
    unsigned int leaves; /* 0: one and two */
    bool sc;             /* without store buffers */
    bool tso;            /* with them */
    int bound;           /* -1: the scenario's own */
    uint64_t states;
    enum host_bug bug;
    unsigned int part; /* of @parts, from 1; 0: all */
    unsigned int parts;
    bool tap;
    bool brief; /* no trace */
    bool first; /* stop at the first failure */
    bool deep;  /* two preemptions more than by default */
    bool list;
};

static struct ex_result result;
static unsigned int runs;
static unsigned int failures;

static const struct suite *suite;
static struct printers printers;

/* Of one fiber: more is a loop that does not end. */
enum {
    IN_A_ROW = 200,
};

static uint8_t last_step;
static unsigned int in_a_row;

static void print_value(uint64_t value)
{
    if (suite->print_value != NULL)
        suite->print_value(stdout, value);
    else
        printf("%llx", (unsigned long long)value);
}

static void print_access(const struct ex_access *a)
{
    static const char *const kinds[] = {
        [EX_LOAD] = "load", [EX_STORE] = "store", [EX_LOCKED] = "locked"};

    if (in_a_row > IN_A_ROW)
        return;
    printf("        %-6s ", kinds[a->kind]);
    printers.name(stdout, a->addr);
    putchar(' ');
    print_value(a->old);
    if (a->old != a->value) {
        printf(" -> ");
        print_value(a->value);
    }
    puts(a->buffered ? " (store buffer)" : "");
}

static void print_step(uint8_t step)
{
    const unsigned int fiber = step % EX_FIBERS;

    in_a_row = step == last_step ? in_a_row + 1 : 0;
    last_step = step;
    if (in_a_row > IN_A_ROW) {
        if (in_a_row == IN_A_ROW + 1)
            printf("    %-6s and so on\n", ex_fiber(fiber)->name);
        return;
    }
    printf("    %-6s %s%s\n       ", ex_fiber(fiber)->name,
           printers.doing(fiber), step < EX_FIBERS ? "" : ": store visible");
    printers.state(stdout);
}

/* Run a schedule with a trace; true if it fails. */
static bool trace(const struct ex_world *w, bool tso, struct ex_schedule *s)
{
    bool failed;

    in_a_row = 0;
    ex_on_access = print_access;
    failed = ex_replay(w, tso, s, print_step);
    ex_on_access = NULL;
    if (failed)
        printf("    %s\n", ex_failure());
    else
        printf("    nothing fails\n");
    return failed;
}

static void print_failure(const struct ex_world *w, const char *spec, bool tso)
{
    ex_minimise(w, tso, &result.schedule);
    printf("  a shortest schedule that fails:\n");
    (void)trace(w, tso, &result.schedule);
    printf("  again: %s --scenario %s --replay ", suite->program, spec);
    ex_schedule_print(&result.schedule, stdout);
    printf("\n");
}

static bool large_enough(const struct scenario *s)
{
    return s->extra || suite->has_own_world(s) || bounds_met(s);
}

static void name_bound(char how[32], int bound)
{
    if (bound == EX_UNBOUNDED)
        (void)snprintf(how, 32, "all interleavings");
    else
        (void)snprintf(how, 32, "<= %d preemptions", bound);
}

static void print_result(const char *spec, const struct scenario *s, int bound)
{
    char how[32];

    name_bound(how, bound);
    printf("%-14s %-17s %9llu states %9llu executions %8.2f s  %s\n", spec,
           result.complete ? how
           : result.failed ? "FAILED"
                           : "NOT COMPLETE",
           (unsigned long long)result.states,
           (unsigned long long)result.executions, result.seconds,
           result.failed ? result.failure : s->what);
    if (!large_enough(s))
        printf("  smaller than the bounds of a scenario\n");
}

static void replay(const char *text, const struct ex_world *w, bool tso)
{
    static struct ex_schedule schedule;

    if (!ex_schedule_parse(&schedule, text)) {
        (void)fprintf(stderr, "%s: not a schedule: %s\n", suite->program, text);
        exit(2);
    }
    failures += trace(w, tso, &schedule);
}

static int bound_of(const struct options *o, const struct scenario *s)
{
    if (o->bound > 0)
        return o->bound;
    if (o->bound == 0 || s->bound == 0)
        return EX_UNBOUNDED;
    return (int)s->bound + (o->deep ? 2 : 0);
}

static void name_run(char spec[64], const struct scenario *s,
                     unsigned int leaves, bool tso)
{
    char layout[4] = "";

    if (suite->layouts > 1)
        (void)snprintf(layout, sizeof layout, "/%u", leaves);
    (void)snprintf(spec, 64, "%s%s/%s", s->name, layout, tso ? "tso" : "sc");
}

static void explore(const struct options *o, const struct scenario *s,
                    unsigned int leaves, bool tso)
{
    const struct ex_world *const w = suite->world_of(s, leaves, o->bug);
    const bool eager = !suite->plainly && !suite->has_own_world(s);
    struct ex_limits limits = {tso, true, eager, bound_of(o, s), o->states};
    char spec[64];
    bool bad;

    if (o->first && failures != 0)
        return;
    name_run(spec, s, leaves, tso);
    runs++;
    printers = suite->printers_of(s);
    if (o->replay != NULL) {
        replay(o->replay, w, tso);
        return;
    }
    ex_explore(w, &limits, &result);
    bad = result.failed || (!result.complete && o->states == 0) ||
          !large_enough(s);
    failures += bad;
    if (o->tap)
        printf("%s %u - ", bad ? "not ok" : "ok", runs);
    print_result(spec, s, limits.preemptions);
    if (result.failed && !o->brief)
        print_failure(w, spec, tso);
    (void)fflush(stdout);
}

/* "5a", "5a/2", "5a/tso" or "5a/2/tso"; without "/2" if there is one layout. */
static bool selected(const char *only, const char *name)
{
    const size_t n = strcspn(only, "/");

    return strlen(name) == n && strncmp(only, name, n) == 0;
}

/* One part of the specification behind the name; false if it is none. */
static bool narrow_by(struct options *o, const char *part, size_t length)
{
    if (length == 1 && *part >= '1' && *part <= '2' && suite->layouts > 1)
        o->leaves = *part == '2' ? 2 : 1;
    else if (length == 2 && strncmp(part, "sc", length) == 0)
        o->tso = false;
    else if (length == 3 && strncmp(part, "tso", length) == 0)
        o->sc = false;
    else
        return false;
    return true;
}

/*
 * One scenario, and --deep, run in both memory models. A run of all scenarios has TSO
 * alone: a schedule without store buffers is one with them in which each store is
 * flushed at once, and a flush is no preemption. test_reductions compares.
 */
static void narrow(struct options *o)
{
    const char *part = o->only == NULL ? NULL : strchr(o->only, '/');

    o->tso = true;
    o->sc = o->deep || o->only != NULL;
    while (part != NULL) {
        const size_t length = strcspn(part + 1, "/");

        if (!narrow_by(o, part + 1, length)) {
            (void)fprintf(stderr,
                          "%s: not a scenario's layout or memory: '%s'\n",
                          suite->program, o->only);
            exit(2);
        }
        part = part[length + 1] == '/' ? part + length + 1 : NULL;
    }
}

static void list(const struct options *o, const struct scenario *s)
{
    char how[32];

    name_bound(how, bound_of(o, s));
    printf("%s\t%s%s\t", s->name, how, s->longer ? ", longer run only" : "");
    suite->print_bounds(s);
    printf("\t%s\n", s->what);
}

/* Named, so that nobody takes it for explored. */
static void skip(const struct options *o, const struct scenario *s)
{
    if (o->first && failures != 0)
        return;
    if (o->tap)
        printf("ok %u - %s # SKIP %s\n", ++runs, s->name, suite->cannot(s));
    else
        printf("%-14s skipped: %s (%s)\n", s->name, suite->cannot(s), s->what);
}

static void each(const struct options *o, const struct scenario *s)
{
    static unsigned int number;

    if (o->only != NULL && !selected(o->only, s->name))
        return;
    if (s->longer && !o->deep && o->only == NULL && !o->list)
        return;
    if (o->parts != 0 && number++ % o->parts != o->part - 1)
        return;
    if (o->list) {
        list(o, s);
        return;
    }
    if (suite->cannot != NULL && suite->cannot(s) != NULL) {
        skip(o, s);
        return;
    }
    for (unsigned int leaves = 1; leaves <= suite->layouts; leaves++) {
        if (o->leaves != 0 && o->leaves != leaves)
            continue;
        if (o->sc)
            explore(o, s, leaves, false);
        if (o->tso)
            explore(o, s, leaves, true);
    }
}

static enum host_bug bug_named(const char *name)
{
    for (unsigned int i = 0; i < HOST_BUGS; i++) {
        if (strcmp(host_bug_names[i], name) == 0)
            return (enum host_bug)i;
    }
    (void)fprintf(stderr, "%s: no host bug '%s'\n", suite->program, name);
    exit(2);
}

static const char usage[] =
    "usage: %s [OPTION...]\n"
    "  --help              this text\n"
    "  --list              scenarios: name, how far, how large, what\n"
    "  --scenario SPEC     only this one: 1c, or as in its line of the output: "
    "1c/sc\n"
    "  --part I/N          the Ith of N parts of all scenarios\n"
    "  --bound N           at most N preemptions; 0: all interleavings\n"
    "  --states N          give up after N states\n"
    "  --bug NAME          with an error of the host\n"
    "  --replay SCHEDULE   run one schedule and print its trace\n"
    "  --deep              two preemptions more, up to 40 million states; the\n"
    "                      scenarios of the longer run; each also with memory\n"
    "                      without store buffers (sc)\n"
    "  --brief             no trace of a failure\n"
    "  --first             stop at the first failure\n"
    "  --tap               Test Anything Protocol\n";

/* The value of option @name at argv[*i], or NULL if it is another option. */
static const char *value(const char *name, int argc, char **argv, int *i)
{
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
        return NULL;
    return argv[++*i];
}

/* Not every number is one: atoi("x") would explore all interleavings. */
static unsigned long long number(const char *text)
{
    char *end;
    const unsigned long long n = strtoull(text, &end, 10);

    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= INT_MAX)
        return n;
    (void)fprintf(stderr, "%s: not a number: '%s'\n", suite->program, text);
    exit(2);
}

static void set_part(struct options *o, const char *v)
{
    if (sscanf(v, "%u/%u", &o->part, &o->parts) == 2 && o->part != 0 &&
        o->part <= o->parts)
        return;
    (void)fprintf(stderr, "%s: not a part: '%s'\n", suite->program, v);
    exit(2);
}

static void parse(struct options *o, int argc, char **argv)
{
    const char *v;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            printf(usage, suite->program);
            exit(0);
        } else if (strcmp(argv[i], "--list") == 0)
            o->list = true;
        else if (strcmp(argv[i], "--tap") == 0)
            o->tap = true;
        else if (strcmp(argv[i], "--brief") == 0)
            o->brief = true;
        else if (strcmp(argv[i], "--deep") == 0) {
            o->deep = true;
            o->states = 40000000;
        } else if (strcmp(argv[i], "--first") == 0)
            o->first = true;
        else if ((v = value("--scenario", argc, argv, &i)) != NULL)
            o->only = v;
        else if ((v = value("--part", argc, argv, &i)) != NULL)
            set_part(o, v);
        else if ((v = value("--replay", argc, argv, &i)) != NULL)
            o->replay = v;
        else if ((v = value("--bound", argc, argv, &i)) != NULL)
            o->bound = (int)number(v);
        else if ((v = value("--states", argc, argv, &i)) != NULL)
            o->states = number(v);
        else if ((v = value("--bug", argc, argv, &i)) != NULL)
            o->bug = bug_named(v);
        else {
            (void)fprintf(stderr, usage, suite->program);
            exit(2);
        }
    }
}

int run(const struct suite *what, int argc, char **argv)
{
    struct options o = {.bound = -1};

    suite = what;
    parse(&o, argc, argv);
    narrow(&o);
    for (size_t g = 0; g < suite->group_count; g++) {
        for (const struct scenario *s = suite->groups[g]; s->name != NULL; s++)
            each(&o, s);
    }
    if (o.list)
        return 0;
    if (runs == 0) {
        (void)fprintf(stderr, "%s: no scenario%s%s could be run\n",
                      suite->program, o.only == NULL ? "" : " ",
                      o.only == NULL ? "" : o.only);
        return 2;
    }
    if (o.tap)
        printf("1..%u\n", runs);
    return failures != 0;
}
