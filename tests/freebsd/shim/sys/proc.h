/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_PROC_H
#define SHIM_SYS_PROC_H

#include <sys/types.h>
#include <sys/pcpu.h>

struct trapframe;
struct shim_thread;

struct thread {
    const char *td_name;
    u_int td_critnest;
    int td_pinned;
    u_char td_owepreempt;
    u_char td_intr_nesting_level;
    struct trapframe *td_intr_frame;
    struct shim_thread *shim; /* what is none of a driver's business */
};

#define PRI_USER (-2)

void kern_yield(int prio);

#endif
