/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BIND_STATE_H
#define VTDPI_BIND_STATE_H

/* The states of a binding, which bind.c moves and format_bind.c prints. The top
 * of bind.c has the picture. */

enum binding_state {
    STATE_DONE = 0, /* the entry is as decided */
    STATE_DUE,      /* marked, and on the list of those that are due */
    STATE_FLYING,   /* a work has it; marked or not */
    STATE_FAILED,   /* the last work did not succeed; not marked since */
};

#endif
