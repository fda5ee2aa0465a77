/* SPDX-License-Identifier: BSD-2-Clause */
#include "perturb.h"

#include <sched.h>
#include <stdint.h>

/* Once in this many accesses. */
#define ONE_IN 24

/* Each thread has its own generator. Its start value does not matter, because what
 * other threads do at the same time is not repeatable. */
static _Thread_local uint32_t state;

void perturb(void)
{
    if (state == 0)
        state = (uint32_t)((uintptr_t)&state >> 4) | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    if (state % ONE_IN == 0)
        (void)sched_yield();
}
