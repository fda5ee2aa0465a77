/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "vtdpi/version.h"

static void test_version_linked_equals_headers(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_version(), VTDPI_VERSION);
}

static void test_version_text_equals_numbers(void **state)
{
    char text[32];

    (void)state;
    (void)snprintf(text, sizeof(text), "%d.%d.%d", VTDPI_VERSION_MAJOR,
                   VTDPI_VERSION_MINOR, VTDPI_VERSION_PATCH);
    assert_string_equal(text, VTDPI_VERSION_TEXT);
}

static void test_version_number_keeps_parts_apart(void **state)
{
    (void)state;
    assert_int_equal(VTDPI_VERSION >> 16, VTDPI_VERSION_MAJOR);
    assert_int_equal((VTDPI_VERSION >> 8) & 0xff, VTDPI_VERSION_MINOR);
    assert_int_equal(VTDPI_VERSION & 0xff, VTDPI_VERSION_PATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_linked_equals_headers),
        cmocka_unit_test(test_version_text_equals_numbers),
        cmocka_unit_test(test_version_number_keeps_parts_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
