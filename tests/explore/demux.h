/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_DEMUX_H
#define VTDPI_EXPLORE_DEMUX_H

/*
 * A host that takes its own MSIs through a descriptor for each pCPU: hostmsi.c over
 * irq.c. A unit posts at any moment, in two steps: it reads the entry, and the post
 * lands. An administrator moves the interrupt, and pCPUs go and come.
 */

#include "engine.h"
#include "vtdpi/hostmsi.h"

enum {
    DEMUX_CPUS = 2,
    DEMUX_OPS = 5,
    DEMUX_POSTS = 3,
};

/* What the administrator does; pCPU 0 unless the name says more. */
enum demux_op {
    DEMUX_END,
    DEMUX_MOVE,    /* the interrupt goes to pCPU 1; flushed */
    DEMUX_BACK,    /* to pCPU 0 again, unless that has gone */
    DEMUX_HARVEST, /* the last harvest after a move: the old vector is free */
    DEMUX_OFFLINE, /* once no interrupt names it; what is left is posted to
                    * pCPU 1 by software */
    DEMUX_DIE,     /* goes although interrupts name its descriptor */
    DEMUX_ONLINE,
    DEMUX_GUEST, /* the guest's form lies over the host's */
    DEMUX_HOST,  /* and goes; then nothing reaches the guest any more */
};

/* What devices and software raise. */
enum demux_post {
    DEMUX_NONE,
    DEMUX_X, /* the interrupt, wherever its entry says */
    DEMUX_Y, /* another one of pCPU 0, which never moves */
    DEMUX_Z, /* one of pCPU 0 in the same word of PIR, by software */
};

struct demux {
    enum demux_post post[DEMUX_POSTS + 1];  /* of one unit */
    enum demux_post other[DEMUX_POSTS + 1]; /* beside it */
    enum demux_op op[DEMUX_OPS + 1];
    enum demux_op affinity[DEMUX_OPS + 1]; /* beside that */
    bool starts_on_1;                      /* X: on pCPU 1 at first */
};

/* The world for the engine; valid until the next call. @looks: of the handler. @bug: an
 * enum host_bug. */
const struct ex_world *demux_new(const struct demux *script, uint32_t looks,
                                 unsigned int bug);

/* For traces, as those of world.h. */
void demux_print(FILE *out);
void demux_print_name(FILE *out, const uint64_t *addr);
const char *demux_doing(unsigned int fiber);

/* subject_hostmsi.c: the inline functions of hostmsi.h that a host calls. */
bool subject_hostmsi_harvest(struct vtdpi_hostmsi *h,
                             uint64_t out[VTDPI_PIR_WORDS]);
struct vtdpi_notification subject_hostmsi_post(struct vtdpi_hostmsi *h,
                                               uint8_t vector);

#endif
