/* SPDX-License-Identifier: BSD-2-Clause */
/* Before one VM entry in eight nothing is taken. */
#include "vtdpi/sched.h"

static inline bool mutant_sync(struct vtdpi_vcpu *v,
                               uint64_t out[VTDPI_PIR_WORDS])
{
    static unsigned int n;

    return ++n % 8 != 0 && vtdpi_vcpu_sync(v, out);
}

#define vtdpi_vcpu_sync mutant_sync
