/* SPDX-License-Identifier: BSD-2-Clause */
#include "golden.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/format.h"

enum {
    GUARD = 8,
    GUARD_BYTE = 0xa5,
};

static void assert_guard(const char *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal((unsigned char)from[i], GUARD_BYTE);
}

static void assert_line_in(golden_text text, const void *what, const char *line,
                           size_t size)
{
    const size_t length = strlen(line);
    const size_t fits = size == 0 ? 0 : length < size ? length : size - 1;
    char *const buf = malloc(size + GUARD);

    assert_non_null(buf);
    memset(buf, GUARD_BYTE, size + GUARD);
    assert_int_equal(text(buf, size, what), length);
    if (size != 0) {
        assert_memory_equal(buf, line, fits);
        assert_int_equal(buf[fits], '\0');
        assert_guard(buf + fits + 1, size + GUARD - fits - 1);
    } else {
        assert_guard(buf, GUARD);
    }
    free(buf);
}

void assert_line(golden_text text, const void *what, const char *line)
{
    const size_t length = strlen(line);
    char whole[VTDPI_FORMAT_MAX];

    /* First for a failure that shows both lines. */
    (void)text(whole, sizeof(whole), what);
    assert_string_equal(whole, line);
    assert_int_equal(text(NULL, 0, what), length);
    for (size_t size = 0; size <= length + 2; size++)
        assert_line_in(text, what, line, size);
}
