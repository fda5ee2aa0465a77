/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_GOLDEN_H
#define VTDPI_TEST_GOLDEN_H

/*
 * A line of format.h against the line that a person wrote, into buffers of every
 * size: what is there is the beginning of the line, it is terminated, nothing behind
 * the size is written, and the length is always that of the whole line.
 */
#include <stddef.h>

/* Writes the text of @p what. */
typedef size_t (*golden_text)(char *buf, size_t size, const void *what);

void assert_line(golden_text text, const void *what, const char *line);

#endif
