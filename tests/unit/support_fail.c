/* SPDX-License-Identifier: BSD-2-Clause */
/* What the shared code finds wrong fails the test that runs. */
#include "support.h"

#include "test.h"

void support_fail(const char *file, int line, const char *what)
{
    print_error("%s:%d: %s is false\n", file, line, what);
    _fail(file, line);
    __builtin_unreachable();
}
