/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_INTR_MACHDEP_H
#define SHIM_MACHINE_INTR_MACHDEP_H

#include <sys/types.h>

#define IDT_IO_INTS 32

#endif
