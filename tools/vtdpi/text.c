/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of format.h, of which JSON is made. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* One field `name=value` of a line. */
static void field_add(json_t *fields, char *field)
{
    char *const value = strchr(field, '=');

    if (value == NULL)
        return;
    *value = '\0';
    (void)json_object_set_new(fields, field, json_string(value + 1));
}

/* The fields of a line come before the first phrase. */
static size_t fields_length(const char *line)
{
    const char *const reason = strstr(line, " reason: ");
    const char *const wrong = strstr(line, " wrong: ");
    size_t length = strlen(line);

    if (reason != NULL)
        length = (size_t)(reason - line);
    if (wrong != NULL && (size_t)(wrong - line) < length)
        length = (size_t)(wrong - line);
    return length;
}

json_t *line_json(const char *line)
{
    static const char mark[] = "wrong: ";
    const char *const wrong = strstr(line, mark);
    char *const copy = strndup(line, fields_length(line));
    json_t *const fields = json_object();
    char *place = NULL;

    if (copy == NULL) {
        json_decref(fields);
        return NULL;
    }
    for (char *f = strtok_r(copy, " ", &place); f != NULL;
         f = strtok_r(NULL, " ", &place))
        field_add(fields, f);
    free(copy);
    return json_pack("{s:s, s:o, s:s?}", "text", line, "fields", fields,
                     "wrong", wrong == NULL ? NULL : wrong + strlen(mark));
}

void line_print(const json_t *line)
{
    const char *const text = json_string_value(json_object_get(line, "text"));
    const char *const wrong = strstr(text, "wrong: ");

    if (wrong == NULL)
        printf("%s\n", text);
    else
        printf("%.*s%s%s%s\n", (int)(wrong - text), text, tint(TINT_BAD), wrong,
               tint(TINT_NONE));
}
