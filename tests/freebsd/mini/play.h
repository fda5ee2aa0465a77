/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINI_PLAY_H
#define MINI_PLAY_H

/* What scenarios share (play.c). */

#include "mini.h"
#include "scenario.h"

/* DMAR driver and module; tunables were set before. @taken vectors for IPIs
 * belong to somebody else. */
void play_begin(const struct mini_run *run, u_int taken);
void play_end(void);

/* From now on the port's set-up fails, since a CPU has an id that no entry can
 * name; or no more. */
void play_fail_init(bool fail);

/* From the next power-on, memory lies below 4 GB; or no more. */
void play_low_memory(bool low);

/* Module and driver alone, to be loaded a second time. */
void play_load(const struct mini_run *run);
void play_unload(void);

/* A thread that raises messages of a device at random; it ends by itself. */
void play_source(struct mini_device *dev, u_int raises);

/* Checks, and adds to the totals: at rest. */
void play_add_device(const struct mini_device *dev);
void play_add_vm(const struct vm *vm);

/* A counter of the port. */
uint64_t play_count(const char *name);

/* Message 0 of @dev: fixed, to one vCPU. */
void play_program(struct mini_device *dev, u_int dest, u_int vector);

uint64_t play_delivered(const struct vcpu *v, u_int vector);

#endif
