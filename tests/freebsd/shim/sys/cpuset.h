/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_CPUSET_H
#define SHIM_SYS_CPUSET_H

#include <sys/_cpuset.h>

#define CPU_SETSIZE     MAXCPU
#define CPU_WORD_(n)    ((unsigned int)(n) / 64)
#define CPU_BIT_(n)     ((long)(1ul << ((unsigned int)(n) % 64)))
#define CPU_SET(n, p)   ((p)->__bits[CPU_WORD_(n)] |= CPU_BIT_(n))
#define CPU_CLR(n, p)   ((p)->__bits[CPU_WORD_(n)] &= ~CPU_BIT_(n))
#define CPU_ISSET(n, p) (((p)->__bits[CPU_WORD_(n)] & CPU_BIT_(n)) != 0)
#define CPU_ZERO(p)     (*(p) = (cpuset_t){{0}})
#define CPU_SETOF(n, p) (CPU_ZERO(p), CPU_SET(n, p))
#define CPU_FOREACH_ISSET(i, p)        \
    for ((i) = 0; (i) < MAXCPU; (i)++) \
        if (CPU_ISSET((i), (p)))

#endif
