/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_BUS_H
#define SHIM_SYS_BUS_H

#include <sys/types.h>

/* The real machine/smp.h needs it; nothing of it is used here. */

#endif
