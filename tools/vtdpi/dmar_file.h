/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DMAR_FILE_H
#define DMAR_FILE_H

/*
 * DMAR tables in files: the bytes themselves, or a dump of them as text. What a file
 * is tells its content, not its name.
 */

#include <stdbool.h>
#include <stddef.h>

#include "input_fault.h"
#include "vtdpi/dmar.h"

/* A larger table is not read: checks compare every two units. */
#define DMAR_BYTES_MAX (128u * 1024)

struct dmar_file {
    struct vtdpi_dmar dmar;
    unsigned char *bytes; /* of the table, and what came behind */
    size_t size;          /* at least dmar.length */
    const char *form;     /* "binary", "hexadecimal dump" */
};

/* The table in @size bytes. A wrong checksum is accepted. False: @fault says why, and
 * there is nothing to drop. */
bool dmar_parse(const unsigned char *bytes, size_t size, struct dmar_file *file,
                struct input_fault *fault);

/* The table in a file, "-": in standard input. Returns 0, or an exit status having
 * complained. */
int dmar_load(const char *name, struct dmar_file *file);

/* Two hexadecimal digits at @text, or -1. */
int dmar_byte_at(const char *text);

/* The first table in text that has bytes without offsets; @bytes has room for
 * DMAR_BYTES_MAX. Returns how many bytes there are, 0: none. */
size_t dmar_bare(const unsigned char *text, size_t size, unsigned char *bytes);

void dmar_drop(struct dmar_file *file);

#endif
