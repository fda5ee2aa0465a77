/* SPDX-License-Identifier: BSD-2-Clause */
/* PIR is read before ON is cleared: a post between the two loses its doorbell.
 */
#include "vtdpi/sched.h"

static inline bool mutant_sync(struct vtdpi_vcpu *v,
                               uint64_t out[VTDPI_PIR_WORDS])
{
    struct vtdpi_pid *const pid = vtdpi_vcpu_pid(v);
    uint64_t any = 0;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        out[i] = vtdpi_atomic_xchg64(&pid->pir[i], 0);
        any |= out[i];
    }
    (void)vtdpi_pid_test_and_clear_on(pid);
    return any != 0;
}

#define vtdpi_vcpu_sync mutant_sync
