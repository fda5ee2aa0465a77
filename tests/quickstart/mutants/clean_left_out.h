/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries are not written back for the unit that does not snoop. */
#include "vtdpi/model.h"

static inline void mutant_clean(void *ctx, const void *p, size_t len)
{
    (void)ctx;
    (void)p;
    (void)len;
}

static inline const struct vtdpi_platform_ops *mutant_ops(void)
{
    static struct vtdpi_platform_ops ops;

    ops = vtdpi_model_platform_ops;
    ops.clean = mutant_clean;
    return &ops;
}

#define vtdpi_model_platform_ops (*mutant_ops())
