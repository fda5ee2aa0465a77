/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_VM_VM_H
#define SHIM_VM_VM_H

#include <sys/types.h>
#include <machine/param.h>

#endif
