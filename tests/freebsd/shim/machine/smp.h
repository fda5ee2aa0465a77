/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_SMP_H
#define SHIM_MACHINE_SMP_H

#include <x86/x86_smp.h>

#endif
