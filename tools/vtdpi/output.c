/* SPDX-License-Identifier: BSD-2-Clause */
/* Results as JSON or text, and messages. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tool.h"

struct style style = {.width = 80};

static void json_print(const json_t *result)
{
    (void)json_dumpf(result, stdout, JSON_INDENT(2));
    (void)putchar('\n');
}

int result_print(json_t *result, void (*text)(const json_t *result), int status)
{
    if (result == NULL)
        return complain(STATUS_INPUT, "no memory");
    if (style.json)
        json_print(result);
    else
        text(result);
    json_decref(result);
    return output_flush() ? status : STATUS_INPUT;
}

bool output_flush(void)
{
    static bool failed;

    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    if (!failed)
        (void)complain(STATUS_INPUT, "the output cannot be written: %s",
                       strerror(errno));
    failed = true;
    return false;
}

const char *tint(enum tint tint)
{
    static const char *const codes[] = {
        [TINT_NONE] = "\033[0m",  [TINT_GOOD] = "\033[32m",
        [TINT_WARN] = "\033[33m", [TINT_BAD] = "\033[31m",
        [TINT_BOLD] = "\033[1m",
    };

    return style.color ? codes[tint] : "";
}

int complain(int status, const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    (void)fputs("vtdpi: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return status;
}

json_t *json_word(uint64_t word)
{
    return json_sprintf("0x%" PRIx64, word);
}

json_int_t member_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

const char *member_string(const json_t *object, const char *name)
{
    const char *const text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

bool member_boolean(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}
