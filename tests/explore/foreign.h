/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_FOREIGN_H
#define VTDPI_EXPLORE_FOREIGN_H

/* Somebody else's scheduling hooks as the subject; see vtdpi/explore.h. */

#include "hooks.h"
#include "world_internal.h"

#include "vtdpi/explore.h"

/* foreign.c */
extern const struct hooks foreign_hooks;
extern const struct vtdpi_explore_subject *foreign;

/* The pCPU whose interrupt the running fiber is, or on which its vCPU is scheduled;
 * CPUS: elsewhere. */
unsigned int foreign_cpu(void);

/* The value of a word: a pointer to memory that is named by name, since its number is
 * another in each run. */
void foreign_print_value(FILE *out, uint64_t value);

/* Why the subject cannot play a scenario, or NULL. */
const char *foreign_cannot(const struct scenario *s);

/* What is wrong with the memory that the subject names, or NULL. */
const char *foreign_bad_memory(void);

/* foreign_crash.c: false if signals cannot be caught. */
bool foreign_catch_crashes(void);

/* foreign_plain.c: whether the hooks were compiled as they have to be. */
bool foreign_is_instrumented(void);

#endif
