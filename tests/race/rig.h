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

/* Both units disabled; the models found nothing to complain of. Frees @p m. */
void rig_end(struct machine *m);

#endif
