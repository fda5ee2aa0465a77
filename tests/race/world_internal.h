/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_WORLD_INTERNAL_H
#define VTDPI_RACE_WORLD_INTERNAL_H

#include "world.h"

/* The pCPU whose handler runs on this thread, or NULL. */
extern _Thread_local struct pcpu *host_handling;

static inline struct pcpu *host_pcpu(struct vtdpi_pcpu *lib)
{
    return (struct pcpu *)lib;
}

/* The first in the queue, now the caller's; NULL if there is none. */
struct vcpu *host_dequeue(struct world *w);

/* Put aside a vCPU that is the caller's and preempted. */
void host_pause(struct world *w, struct vcpu *v);

/* Sleeps. False: the vCPU was woken before, and is still the caller's. */
bool host_sleep(struct vcpu *v);

#endif
