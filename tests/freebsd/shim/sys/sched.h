/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_SCHED_H
#define SHIM_SYS_SCHED_H

#include <sys/types.h>

void sched_pin(void);
void sched_unpin(void);
/* Of the caller: to a CPU for good, until unbound. */
struct thread;
void sched_bind(struct thread *td, int cpu);
void sched_unbind(struct thread *td);

#endif
