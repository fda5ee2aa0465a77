/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hot.h"
#include "measure.h"

static const struct {
    const char *name;
    void (*run)(void);
} experiments[] = {
    {"scan", hot_scan},
    {"storm", hot_storm},
    {"pair", hot_pair},
    {"post", hot_post},
    {"harvest", hot_harvest},
    {"run", hot_run},
    {"neighbours", hot_neighbours},
};

enum {
    EXPERIMENTS = sizeof(experiments) / sizeof(experiments[0])
};

static int usage(void)
{
    (void)fputs(
        "usage: hot [--rounds N] [scan | storm | pair | post | harvest | "
        "run | neighbours] ...\n",
        stderr);
    return 2;
}

static bool run(const char *name)
{
    bool found = false;

    for (size_t i = 0; i < EXPERIMENTS; i++) {
        if (name == NULL || strcmp(name, experiments[i].name) == 0) {
            experiments[i].run();
            found = true;
        }
    }
    return found;
}

int main(int argc, char **argv)
{
    int i = 1;

    if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
        char *end;
        const unsigned long n = strtoul(argv[2], &end, 10);

        if (*end != '\0' || n == 0 || n > ROUNDS_MAX)
            return usage();
        measure_rounds = (unsigned int)n;
        i = 3;
    }
    measure_header();
    if (i == argc)
        (void)run(NULL);
    for (; i < argc; i++) {
        if (!run(argv[i]))
            return usage();
    }
    measure_machine();
    return 0;
}
