/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DMAR_LINT_H
#define DMAR_LINT_H

/* All that is wrong with a DMAR table, where vtdpi_dmar_check() gives the first. */

#include <jansson.h>

#include "dmar_file.h"

/* An array of problems (problem.h), each with its offset in the table and, if it
 * contradicts another place, other_offset. In the order of offsets. */
json_t *dmar_lint(const struct dmar_file *file);

/* A scope's path as text: 00:1c.0, and /00.0 for each hop behind. Empty if the path is
 * not in the table. */
#define DMAR_PATH_MAX 1024
void dmar_path(const struct vtdpi_dmar *dmar,
               const struct vtdpi_dmar_scope *scope, char text[DMAR_PATH_MAX]);

/* Names for people. NULL: not known. */
const char *dmar_type_name(unsigned int type);
const char *dmar_scope_name(unsigned int type);

#endif
