/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS__CPUSET_H
#define SHIM_SYS__CPUSET_H

#include <sys/types.h>
#include <machine/param.h>

typedef struct {
    long __bits[MAXCPU / 64];
} cpuset_t;

#endif
