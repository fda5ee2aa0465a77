/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_FRAME_H
#define SHIM_MACHINE_FRAME_H

#include <sys/types.h>

struct trapframe {
    register_t tf_rip;
    register_t tf_rflags;
};

#endif
