/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAR_H
#define TAR_H

/*
 * Writes files and folders as an archive of POSIX's format ustar. Owner, group and time
 * of each are 0, so that the archive says nothing of its maker and two archives of the
 * same files are equal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* False if the name is too long for the format or something cannot be written. */
bool tar_folder(FILE *to, const char *name);
bool tar_file(FILE *to, const char *name, const char *bytes, size_t size);
bool tar_end(FILE *to);

#endif
