/* SPDX-License-Identifier: BSD-2-Clause */
#include "demo.h"

static void (*mutant_send)(void *ctx, const struct vtdpi_model_notification *n);

static inline void mutant_notify(void *ctx,
                                 const struct vtdpi_model_notification *n)
{
    static unsigned int count;

    if (n->nv != MUTANT_VECTOR || ++count % 8 != 0)
        mutant_send(ctx, n);
}

static inline int mutant_init(struct vtdpi_model *m,
                              const struct vtdpi_model_params *params)
{
    struct vtdpi_model_params changed = *params;

    mutant_send = params->notify;
    changed.notify = mutant_notify;
    return vtdpi_model_init(m, &changed);
}

#define vtdpi_model_init mutant_init
