/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FAULT_HELP_H
#define FAULT_HELP_H

/*
 * What is usually behind a fault of interrupt remapping, and what to look at: one table
 * for vtdpi fault, vtdpi explain and vtdpi log.
 */

#include <stdint.h>

enum {
    FAULT_HELP_LINES = 6,   /* of a list; the last one is NULL */
    FAULT_HELP_BYTES = 640, /* of a list as a sentence */
};

struct fault_help {
    const char *causes[FAULT_HELP_LINES];
    const char *checks[FAULT_HELP_LINES];
};

/* NULL: the reason is none of interrupt remapping. */
const struct fault_help *fault_help(uint64_t reason);

/* "Usual causes: one; another." and "To check: one; another." */
struct fault_help_text {
    char causes[FAULT_HELP_BYTES];
    char checks[FAULT_HELP_BYTES];
};
void fault_help_write(struct fault_help_text *text,
                      const struct fault_help *help);

#endif
