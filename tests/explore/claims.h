/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_CLAIMS_H
#define VTDPI_EXPLORE_CLAIMS_H

/*
 * One interrupt, its owner and affinity code: the claims of irq.c. The backend is
 * scripted: the replacement of the entry is a step, and the end of the flush is one.
 */

#include "engine.h"

enum {
    CLAIMS_FORMS = 3, /* host forms that affinity code can set */
    CLAIMS_OPS = 3,
};

/* Calls of the owner. */
enum claims_op {
    CLAIMS_END,
    CLAIMS_POST,
    CLAIMS_UNPOST
};

struct claims {
    unsigned int forms; /* affinity code sets that many, one after the other */
    enum claims_op op[CLAIMS_OPS + 1];
};

/* The world for the engine; valid until the next call. With @posted the host forms
 * are in posted format, with a target each. */
const struct ex_world *claims_new(const struct claims *script, bool posted);

/* For traces, as those of world.h. */
void claims_print(FILE *out);
void claims_print_name(FILE *out, const uint64_t *addr);
const char *claims_doing(unsigned int fiber);

#endif
