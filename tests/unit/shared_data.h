/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SHARED_DATA_H
#define TESTS_SHARED_DATA_H

/*
 * Machine output that is kept beside the source tree, not in it: the folder
 * named by the environment variable VTDPI_SHARED_DATA, else ../shared/data of
 * the source tree. Tests that need it skip where it is absent.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest line of the index files, with room to spare. */
#define SHARED_LINE_MAX 2048

static inline FILE *shared_data_open(const char *name)
{
    const char *dir = getenv("VTDPI_SHARED_DATA");
    char path[4096];
    FILE *file;

    if (dir == NULL)
        dir = TESTS_SHARED_DATA;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
        sizeof(path))
        return NULL;
    file = fopen(path, "rb");
    if (file == NULL)
        (void)fprintf(stderr, "# no %s in the shared data folder\n", name);
    return file;
}

/* Field n (from 0) of a line of tab-separated values, into text. */
static inline const char *shared_data_field(const char *line, unsigned int n,
                                            char *text, size_t size)
{
    size_t len;

    while (n-- > 0) {
        line = strchr(line, '\t');
        if (line == NULL)
            return NULL;
        line++;
    }
    len = strcspn(line, "\t\r\n");
    if (len >= size)
        return NULL;
    memcpy(text, line, len);
    text[len] = '\0';
    return text;
}

#endif
