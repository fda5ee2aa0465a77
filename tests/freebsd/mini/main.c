/* SPDX-License-Identifier: BSD-2-Clause */
/* usage: minibhyve [--seed N] [--runs N] [--scale PERCENT] [--threads]
 *                  [SCENARIO...]
 *
 * Plays the scenarios named, or all, with as many seeds as runs. In lockstep,
 * so that a seed repeats a run exactly; --threads: with real concurrency. */
#include "scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct mini_run run;
    uint64_t runs;
    char **names;
    int name_count;
};

static void usage(void)
{
    fputs("usage: minibhyve [--seed N] [--runs N] [--scale PERCENT] "
          "[--threads] [SCENARIO...]\nscenarios:",
          stderr);
    for (unsigned int i = 0; i < mini_scenario_count; i++)
        fprintf(stderr, " %s", mini_scenarios[i].name);
    fputc('\n', stderr);
    exit(2);
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t n;

    if (text == NULL)
        usage();
    n = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0')
        usage();
    return n;
}

static bool is_scenario(const char *name)
{
    for (unsigned int i = 0; i < mini_scenario_count; i++)
        if (strcmp(mini_scenarios[i].name, name) == 0)
            return true;
    return false;
}

static struct options parse(char **argv)
{
    struct options o = {.run = {1, true, 100}, .runs = 1};

    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--seed") == 0)
            o.run.seed = number(*++argv);
        else if (strcmp(*argv, "--runs") == 0)
            o.runs = number(*++argv);
        else if (strcmp(*argv, "--scale") == 0)
            o.run.scale = (unsigned int)number(*++argv);
        else if (strcmp(*argv, "--threads") == 0)
            o.run.lockstep = false;
        else
            break;
    }
    o.names = argv;
    for (; *argv != NULL; argv++) {
        if (!is_scenario(*argv))
            usage();
        o.name_count++;
    }
    return o;
}

static bool chosen(const struct options *o, const char *name)
{
    for (int i = 0; i < o->name_count; i++)
        if (strcmp(o->names[i], name) == 0)
            return true;
    return o->name_count == 0;
}

static void print_totals(void)
{
    const struct mini_totals *t = &mini_totals;

    printf("devices raised %" PRIu64 ": posted %" PRIu64 ", remapped %" PRIu64
           "\nguests took %" PRIu64 ", merged %" PRIu64
           "\nin the guest %" PRIu64 ", sleeps %" PRIu64 ", blocks %" PRIu64
           ", wakeups %" PRIu64 "\nmoves %" PRIu64 ", re-binds %" PRIu64
           ", reroutes %" PRIu64 ", failed flushes %" PRIu64
           "\nmigrations %" PRIu64 ", preemptions %" PRIu64
           ", sleeps that time ended %" PRIu64 "\n",
           t->raised, t->posted, t->remapped, t->delivered, t->merged,
           t->in_guest, t->sleeps, t->blocks, t->wakeups, t->moves, t->rebinds,
           t->reroutes, t->failures, t->migrations, t->preemptions, t->capped);
}

/* All of it has to happen somewhere, if all is played. */
static bool all_happened(void)
{
    const struct mini_totals *t = &mini_totals;

    return t->posted != 0 && t->remapped != 0 && t->merged != 0 &&
           t->in_guest != 0 && t->sleeps != 0 && t->blocks != 0 &&
           t->wakeups != 0 && t->moves != 0 && t->rebinds != 0 &&
           t->reroutes != 0 && t->failures != 0 && t->migrations != 0 &&
           t->preemptions != 0;
}

int main(int argc, char **argv)
{
    struct options o = parse(argv + 1);

    (void)argc;
    for (uint64_t i = 0; i < o.runs; i++) {
        struct mini_run run = o.run;

        run.seed += i;
        for (unsigned int j = 0; j < mini_scenario_count; j++) {
            const struct mini_scenario *s = &mini_scenarios[j];

            if (!chosen(&o, s->name))
                continue;
            printf("%s, seed %" PRIu64 "%s\n", s->name, run.seed,
                   run.lockstep ? "" : ", threads");
            fflush(stdout);
            mini_play(s, &run);
        }
    }
    print_totals();
    if (o.name_count == 0 && !all_happened()) {
        fputs("something of that never happened\n", stderr);
        return 1;
    }
    return 0;
}
