/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_BINDINGS_H
#define VTDPI_EXPLORE_BINDINGS_H

/*
 * One VM with two vCPUs and one binding: begin, apply and end of bind.c on two CPUs.
 * The decide lock is a step of the host: a CPU takes the lock when the lock is free.
 * The backend is scripted: the replacement of the entry is a step, and the end of the
 * flush is one. Neither needs the lock.
 */

#include "engine.h"

enum {
    BINDINGS_CPUS = 2,
    BINDINGS_OPS = 2,
};

/* Changes. A CPU makes one and has it applied. */
enum bindings_op {
    BINDINGS_END,
    BINDINGS_MESSAGE, /* another message; the begin names the binding */
    BINDINGS_LEAVE, /* the APIC of vCPU 0 gets another id; nobody waits for it */
    BINDINGS_COME,  /* the APIC of vCPU 1 gets the id that vCPU 0 had */
    BINDINGS_DETACH, /* of vCPU 0, which then belongs to somebody else */
    BINDINGS_UNBIND  /* the begin names the binding; no message after it */
};

struct bindings {
    uint32_t from; /* destination of the message at first: vCPU 0 or 1 */
    uint32_t to;   /* and after BINDINGS_MESSAGE */
    enum bindings_op op[BINDINGS_CPUS][BINDINGS_OPS + 1];
};

/* The world for the engine; valid until the next call. With @later a begin without
 * names has a hold of the lock for itself, after the one of the change. */
const struct ex_world *bindings_new(const struct bindings *script, bool later);

/* For traces, as those of world.h. */
void bindings_print(FILE *out);
void bindings_print_name(FILE *out, const uint64_t *addr);
const char *bindings_doing(unsigned int fiber);

#endif
