/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TABLE_TEXT_H
#define TABLE_TEXT_H

#include "table_lint.h"
#include "tool.h"

/* A dump as JSON (schema/table.json), and that JSON as text. */
json_t *table_report(const struct table_dump *dump,
                     const struct table_rules *rules);
void table_print(const json_t *report);

/* Without the entries. */
void table_print_problems(const json_t *report);

#endif
