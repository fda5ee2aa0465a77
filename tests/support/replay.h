/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_REPLAY_H
#define VTDPI_SUPPORT_REPLAY_H

/*
 * Step replay: a run is repeated from its beginning, and each time something is
 * done before another of its steps, until a run ends before that step comes.
 */

#include <stdbool.h>

/* Counts the steps of one run, and says before which of them to act. A step
 * counts while the counter is armed. */
struct replay_step {
    unsigned int at;    /* act before this step, from 0 on */
    unsigned int steps; /* that came so far */
    bool armed;
    bool done; /* the step came */
};

/* Called before each step. True exactly once: before step @p at. */
static inline bool replay_now(struct replay_step *s)
{
    if (!s->armed || s->done || s->steps++ != s->at)
        return false;
    s->done = true;
    return true;
}

/* One run with an act before step @p step. False ends the replay: the step did
 * not come, or the run knows that no later step comes. */
typedef bool replay_run(void *ctx, unsigned int step);

/* Runs for step @p first, @p first + 1, ... until a run returns false; returns
 * the step of that run. From 0 on, with runs that return whether their step
 * came, that is the number of steps that a run without an act has. */
unsigned int replay_every_step(replay_run *run, void *ctx, unsigned int first);

#endif
