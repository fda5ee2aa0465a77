/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_JUDGE_H
#define VTDPI_RACE_JUDGE_H

#include "sources.h"

/* All threads rest: every vCPU is as sched.h promises, and every bit that was
 * newly set was delivered or is still in PIR. Ends the program if not. */
void judge(const struct world *w, const struct source *sources, uint32_t count);

#endif
