/* SPDX-License-Identifier: BSD-2-Clause */
/* Results as JSON or text, and messages. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
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

static bool is_utf8(const char *text)
{
    json_t *const string = json_string(text);

    json_decref(string);
    return string != NULL;
}

void text_clean(char *text)
{
    const bool utf8 = is_utf8(text);
    unsigned char before = 0;

    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        /* In UTF-8, control characters above 7Fh are C2h and a byte below A0h. */
        if (before == 0xc2 && c < 0xa0)
            text[-1] = *text = '?';
        else if (c < ' ' || c == 0x7f || (c > 0x7f && !utf8))
            *text = '?';
        before = c;
    }
}

int complain(int status, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    (void)fflush(stdout);
    if (length >= 0) {
        text_clean(text);
        (void)fprintf(stderr, "vtdpi: %s\n", text);
        free(text);
    }
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
