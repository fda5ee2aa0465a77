/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_MD_VAR_H
#define SHIM_MACHINE_MD_VAR_H

#include <sys/types.h>

extern int pti;
extern u_int cpu_feature2;

#endif
