/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_VMM_H
#define SHIM_MACHINE_VMM_H

#include <sys/types.h>

/* Of vmm.ko itself; what the miniature bhyve defines. */
struct vcpu;
struct vm;

void vcpu_notify_event(struct vcpu *vcpu, bool lapic_intr);

#endif
