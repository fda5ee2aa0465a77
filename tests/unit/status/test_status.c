/* SPDX-License-Identifier: BSD-2-Clause */
/* status.h: texts of error codes. */
#include <string.h>

#include "vtdpi/status.h"

#include "test.h"

static const char *const unknown = "unknown error";

static void test_strerror_text_is_that_of_the_code(void **state)
{
    (void)state;
    assert_string_equal(vtdpi_strerror(0), "success");
    assert_string_equal(vtdpi_strerror(-22),
                        "an argument is NULL or outside its documented range");
    assert_string_equal(
        vtdpi_strerror(VTDPI_EBUG),
        "an internal invariant does not hold: a bug, report it");
}

static void test_strerror_other_number_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(vtdpi_strerror(1), unknown);
    assert_string_equal(vtdpi_strerror(-1), unknown);
    assert_string_equal(vtdpi_strerror(-999), unknown);
    assert_string_equal(vtdpi_strerror(INT32_MIN), unknown);
    assert_string_equal(vtdpi_strerror(INT32_MAX), unknown);
}

/* Two codes with one text could not be told apart in a log. */
static void test_strerror_texts_differ(void **state)
{
    static const char *texts[128];
    size_t count = 0;

    (void)state;
    for (int err = -2100; err <= 0; err++) {
        const char *const text = vtdpi_strerror(err);

        if (strcmp(text, unknown) == 0)
            continue;
        assert_true(count < sizeof(texts) / sizeof(texts[0]));
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(text, texts[i]);
        texts[count++] = text;
    }
    assert_true(count > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strerror_text_is_that_of_the_code),
        cmocka_unit_test(test_strerror_other_number_is_unknown),
        cmocka_unit_test(test_strerror_texts_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
