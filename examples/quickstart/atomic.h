/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUICKSTART_ATOMIC_H
#define QUICKSTART_ATOMIC_H

/*
 * Included before everything else of the demo and of its copy of libvtdpi.
 * Before each atomic access the rest of the world may move: a device posts, a
 * vCPU elsewhere halts, a wakeup arrives. This is how events come between the
 * steps of vtdpi_vcpu_block() and all the others. A host needs none of this.
 */

/* world.c: perhaps lets something happen elsewhere. */
void world_step(void);

#define VTDPI_ATOMIC_POINT(kind, p) world_step()

#endif
