/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_ROOT_H
#define HOST_ROOT_H

/*
 * Files of the running machine, or of a tree that was saved from one.
 *
 * A saved tree comes from somebody else. So no name leads out of it: a link is followed
 * as if the tree were the whole file system (an absolute link begins at the tree's top,
 * and .. ends there), a loop of links is an error, and only regular files are read, up
 * to a size. Kernels without openat2(), which is what does this, follow no link at all.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "host_parse.h"

enum root_state {
    ROOT_READ,    /* read */
    ROOT_ABSENT,  /* there is no such file */
    ROOT_REFUSED, /* the user may not read the file */
    ROOT_FAILED,  /* the file cannot be read for another reason */
};

struct root {
    int fd;
    bool live;       /* the machine that this runs on */
    json_t *files;   /* what was asked for: path, state and reason */
    json_t *refused; /* paths that the tree's maker could not read */
};

/* The list of files that were not readable, in a tree of `vtdpi collect`. */
#define ROOT_REFUSED_LIST "vtdpi-not-readable"

/* Returns 0 or an exit status, having complained. @name NULL: the running machine. */
int root_open(struct root *r, const char *name);
void root_close(struct root *r);

/* A file's bytes, at most @max of them and the last ones of a log, to be freed. NULL
 * with a state that is not ROOT_READ. The file is noted in r->files unless it is
 * absent and @optional. */
char *root_read(struct root *r, const char *path, size_t max, size_t *size,
                enum root_state *state, bool optional);

/* Whether a directory of that name can be listed. */
enum root_state root_look(struct root *r, const char *path);
/* Names in a directory that are @prefix and a number (or @prefix alone), sorted, as an
 * array of strings; empty if there is no such directory. */
json_t *root_list(struct root *r, const char *path, const char *prefix);

/* The running kernel's log; of a saved tree, the first that is there of several files
 * with a log. As root_read(). */
char *root_log(struct root *r, size_t max, size_t *size,
               enum root_state *state);

/* The name of a state in JSON. */
const char *root_state_name(enum root_state state);

#endif
