/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_SMP_H
#define SHIM_SYS_SMP_H

#include <sys/types.h>
#include <sys/cpuset.h>
#include <sys/pcpu.h>
#include <machine/smp.h>

extern u_int mp_maxid;
extern int mp_ncpus;
extern volatile int smp_started;
extern cpuset_t all_cpus;

#define CPU_ABSENT(x) (!CPU_ISSET((x), &all_cpus))
#define CPU_FOREACH(i)                    \
    for ((i) = 0; (i) <= mp_maxid; (i)++) \
        if (!CPU_ABSENT(i))

#endif
