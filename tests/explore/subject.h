/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_SUBJECT_H
#define VTDPI_EXPLORE_SUBJECT_H

/*
 * The code under test: the source files of sched.h, and pid.h, in one
 * translation unit. It, subject_irq.c and subject_bind.c are all that is compiled anew for a
 * mutant. The inline functions that a host calls are reached through here, so that a mutant
 * of pid.h is seen.
 */

#include "vtdpi/sched.h"

bool subject_sync(struct vtdpi_vcpu *v, uint64_t out[VTDPI_PIR_WORDS]);
uint8_t subject_merge(struct vtdpi_vcpu *v, uint32_t *vapic);
void subject_discard(struct vtdpi_vcpu *v);

#endif
