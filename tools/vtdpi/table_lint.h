/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TABLE_LINT_H
#define TABLE_LINT_H

/* What is wrong in the dump of an interrupt remapping table. */

#include <jansson.h>

#include "table_dump.h"

/* How destinations are taken; AUTO: as the entries look. */
enum table_mode {
    MODE_AUTO,
    MODE_XAPIC,
    MODE_X2APIC
};

struct table_rules {
    enum table_mode mode;
    unsigned int haw; /* bits, 1 to 64 */
};

/* The mode that the entries look like; X2APIC if they tell nothing. */
enum table_mode table_mode_guess(const struct table_dump *dump);

/* Problems (problem.h), with unit, index and line of the entry where there is one. The
 * mode of @rules is not AUTO. */
json_t *table_lint(const struct table_dump *dump,
                   const struct table_rules *rules);

bool table_is_present(const struct table_entry *e);
uint64_t table_pda(const struct table_entry *e);

/* The devices that may use an entry: 01:00.0, buses 02-05, or any. */
#define TABLE_SOURCE_MAX 24
void table_source(const struct table_entry *e, char text[TABLE_SOURCE_MAX]);

#endif
