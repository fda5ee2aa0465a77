/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_SUBJECT_H
#define VTDPI_EXPLORE_SUBJECT_H

/*
 * The code under test: src/sched.c, src/sched_vcpu.c, src/sched_pcpu.c and pid.h
 * in one translation unit, which is all that is compiled anew for a mutant. The
 * inline functions that a host calls are reached through here, so that a mutant
 * of pid.h is seen.
 */

#include "vtdpi/sched.h"

bool subject_sync(struct vtdpi_vcpu *v, uint64_t out[VTDPI_PIR_WORDS]);
void subject_discard(struct vtdpi_vcpu *v);

#endif
