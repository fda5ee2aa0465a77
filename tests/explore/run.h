/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_RUN_H
#define VTDPI_EXPLORE_RUN_H

/* The command line of a program that explores scenarios. */

#include "scenarios.h"

/* How the traces of a scenario are printed. */
struct printers {
    void (*state)(FILE *out);
    void (*name)(FILE *out, const uint64_t *addr); /* of a word */
    const char *(*doing)(unsigned int fiber);
};

/* What is explored. */
struct suite {
    const char *program; /* its name, for messages */
    const struct scenario *const *groups;
    size_t group_count;
    unsigned int layouts; /* of the subject's words: 1 or 2 */
    bool plainly;         /* the subject reads words without atomics */
    struct printers (*printers_of)(const struct scenario *s);
    /* A word's value in a trace; NULL: as a number. */
    void (*print_value)(FILE *out, uint64_t value);
    void (*print_bounds)(const struct scenario *s);
    bool (*has_own_world)(const struct scenario *s); /* not that of world.h */
    const struct ex_world *(*world_of)(const struct scenario *s,
                                       unsigned int leaves, enum host_bug bug);
    /* Why a scenario cannot be played, or NULL; may be NULL. */
    const char *(*cannot)(const struct scenario *s);
};

/* The exit status of the program: 0, 1 if a scenario fails, 2 if nothing was run. */
int run(const struct suite *suite, int argc, char **argv);

#endif
