/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_H
#define VTDPI_SUPPORT_H

/*
 * What the code that tests and benchmarks share needs from the program that
 * uses it. The shared code knows nothing of CMocka, threads or benchmarks.
 */

#include <stddef.h>

/* Ends the test or the program. Each program defines this function: the unit
 * tests fail the running test, the others print and exit. */
_Noreturn void support_fail(const char *file, int line, const char *what);

#define support_check(expr) \
    ((expr) ? (void)0 : support_fail(__FILE__, __LINE__, #expr))

/* Zeroed memory in whole pages, aligned to a page; free() frees the memory. */
void *support_memory(size_t size);

#endif
