/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOG_JSON_H
#define LOG_JSON_H

/* Parts of the result; see log_json(). */

#include "log.h"

json_t *log_notes_json(const struct log_facts *f);
json_t *log_options_json(const struct log_boot *b);
json_t *log_next_json(const struct log_facts *f, const struct log_verdict *v);

#endif
