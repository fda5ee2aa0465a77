/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_PSL_H
#define SHIM_MACHINE_PSL_H

#define PSL_I 0x00000200

#endif
