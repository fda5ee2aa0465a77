/* SPDX-License-Identifier: BSD-2-Clause */
/* A program of CMocka for check.sh: one case of each kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *mode = "";

static void test_good(void **state)
{
    (void)state;
    (void)printf("printed\n");
}

static void test_skipped(void **state)
{
    (void)state;
    skip();
}

static void test_as_told(void **state)
{
    (void)state;
    if (strcmp(mode, "fail") == 0) {
        fail();
    } else if (strcmp(mode, "abort") == 0) {
        abort();
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_as_told),
    };

    mode = argc > 1 ? argv[1] : "";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
