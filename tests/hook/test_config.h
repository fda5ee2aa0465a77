/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_CONFIG_H
#define VTDPI_TEST_CONFIG_H

#include "atomic_hook.h"

/*
 * The config header of the test build: atomic accesses are hooked, and a broken
 * precondition goes to CMocka, so that expect_assert_failure() can require it
 * and anything else fails.
 * The prototype is repeated because cmocka.h needs a hosted environment.
 */
void mock_assert(const int result, const char *const expression,
                 const char *const file, const int line);

#define VTDPI_ASSERT(expr) \
    mock_assert((expr) ? 1 : 0, #expr, __FILE__, __LINE__)

#endif
