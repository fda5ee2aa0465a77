/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.c"
#include "sched_vcpu.c"
#include "sched_pcpu.c"
#include "sched_choose.c"

#include "subject.h"

bool subject_sync(struct vtdpi_vcpu *v, uint64_t out[VTDPI_PIR_WORDS])
{
    return vtdpi_vcpu_sync(v, out);
}

uint8_t subject_merge(struct vtdpi_vcpu *v, uint32_t *vapic)
{
    return vtdpi_vcpu_merge(v, vapic);
}

void subject_discard(struct vtdpi_vcpu *v)
{
    vtdpi_pid_discard(vtdpi_vcpu_pid(v));
}
