/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay.h"

unsigned int replay_every_step(replay_run *run, void *ctx, unsigned int first)
{
    while (run(ctx, first))
        first++;
    return first;
}
