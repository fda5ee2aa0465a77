/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the tables of dmar_shapes.h into files, for programs that read files.
 *
 * usage: dmar_write FOLDER NAME.dmar...
 *
 * The names are those of all shapes, in their order: a build description that
 * lists others does not build.
 */
#include <stdio.h>
#include <string.h>

#include "dmar_shapes.h"

static int fail(const char *what, const char *name)
{
    (void)fprintf(stderr, "dmar_write: %s: %s\n", what, name);
    return 1;
}

static int write_shape(const char *folder, const char *shape)
{
    struct dmar_build b;
    char path[4096];
    FILE *file;
    size_t written;

    dmar_shape_build(shape, &b);
    (void)snprintf(path, sizeof(path), "%s/%s.dmar", folder, shape);
    file = fopen(path, "wb");
    if (file == NULL)
        return fail("cannot write", path);
    written = fwrite(b.bytes, 1, b.length, file);
    if (fclose(file) != 0 || written != b.length)
        return fail("cannot write", path);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2 || (size_t)argc - 2 != dmar_shape_count)
        return fail("wants a folder and a file for every shape", argv[0]);
    for (size_t i = 0; i < dmar_shape_count; i++) {
        const char *const shape = dmar_shapes[i].name;
        const size_t length = strlen(shape);

        if (strncmp(argv[i + 2], shape, length) != 0 ||
            strcmp(argv[i + 2] + length, ".dmar") != 0)
            return fail("another shape is expected here", argv[i + 2]);
        if (write_shape(argv[1], shape) != 0)
            return 1;
    }
    return 0;
}
