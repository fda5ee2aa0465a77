/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_IPIS_H
#define VTDPI_EXPLORE_IPIS_H

/*
 * A VM whose vCPUs send IPIs by IPI virtualization, and the PID-pointer table of
 * ipiv.c. The processor is modelled: it reads the entry, sets the bit in PIR, then
 * sets ON and sends the notification, each at any later time. An IPI that finds no
 * valid entry is a VM exit, and the host posts it.
 */

#include "engine.h"

enum {
    IPIS_SENDERS = 2,
    IPIS_OPS = 12,
};

/* Calls of the administrator, for one entry, that of vCPU 0 at first. */
enum ipis_op {
    IPIS_END,
    IPIS_SET,           /* to vCPU 0 */
    IPIS_SET_OTHER,     /* to vCPU 1 */
    IPIS_SET_TAKEN,     /* the same, refused: the entry is set */
    IPIS_SET_UNSETTLED, /* the same, refused: the entry is not settled */
    IPIS_CLEAR,
    IPIS_EXITS, /* waits until each sender has been out of the guest once */
    IPIS_SETTLED,
    IPIS_SETTLED_SET,   /* the same, refused: the entry is set */
    IPIS_SETTLED_TWICE, /* the same, refused: no reference is left */
    IPIS_JOIN,          /* waits for the thread of vCPU 0 */
    IPIS_DETACH,        /* of vCPU 0; its slot has the next owner at once */
    IPIS_DETACH_BUSY,   /* the same, refused */
};

struct ipis {
    unsigned int stays[IPIS_SENDERS]; /* in the guest, of each sender */
    unsigned int each;                /* IPIs of each stay */
    bool halts; /* vCPU 0 halts until each IPI has arrived; or does not run */
    bool
        sleeps; /* without a block as long as no entry names it; none does at first */
    enum ipis_op op[IPIS_OPS + 1];
};

/* The world for the engine; valid until the next call. With @beside the entry is
 * set beside the senders, and not before. @bug is an enum host_bug. */
const struct ex_world *ipis_new(const struct ipis *script, bool beside,
                                unsigned int bug);

/* For traces, as those of world.h. */
void ipis_print(FILE *out);
void ipis_print_name(FILE *out, const uint64_t *addr);
const char *ipis_doing(unsigned int fiber);

#endif
