/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_SPECIALREG_H
#define SHIM_MACHINE_SPECIALREG_H

#define CPUID2_CX16 0x00002000

#endif
