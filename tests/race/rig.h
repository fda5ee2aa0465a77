/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_RIG_H
#define VTDPI_RACE_RIG_H

/*
 * The machine of the race tests: two modelled units, the first coherent and the
 * second not, on one table. The models lock themselves, so that devices,
 * drivers and vCPUs may use them from any thread. Nobody is ever blocked: vCPUs
 * are harvested by who owns them.
 */

#include "machine.h"
#include "race.h"

enum {
    ENTRIES = 256,
    SLOTS = 64,
};

/* What another kernel enables a unit with: other memory, and a table without
 * entries. */
struct vtdpi_unit_config rig_foreign_config(struct machine *m);

/* Powered up, and both units enabled. */
struct machine *rig_new(uint64_t seed);

/* Takes what a PID holds; how many vectors that was. */
uint64_t rig_harvest(struct vtdpi_pid *pid);

/* A PID that is nobody's: plain accesses, as nobody else may have the line, and
 * reserved bits, so that a unit that posts here faults. */
void rig_poison(struct vtdpi_pid *pid);
void rig_check_poison(const struct vtdpi_pid *pid);

/* Both units disabled; the models found nothing to complain of. Frees @p m. */
void rig_end(struct machine *m);

#endif
