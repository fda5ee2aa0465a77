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

/* Another kernel, which enables a unit of the machine with other memory, and with
 * a table without entries. */
struct rig_foreign {
    struct vtdpi_unit unit;
    struct vtdpi_table table;
    struct vtdpi_table_unit link;
    uint64_t storage[ENTRIES];
};

void rig_foreign_enable(struct rig_foreign *f, struct machine *m, uint32_t u);

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
