/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DMAR_TEXT_H
#define DMAR_TEXT_H

#include "dmar_file.h"
#include "tool.h"

/* A table as JSON (schema/dmar.json), and that JSON as text. */
json_t *dmar_report(const struct dmar_file *file);
void dmar_print(const json_t *report);

#endif
