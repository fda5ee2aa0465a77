/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_RIG_H
#define VTDPI_RACE_RIG_H

/*
 * Two modelled units, the first coherent and the second not, on one table, and
 * a page of PIDs. The models lock themselves, so that devices, drivers and
 * vCPUs may use them from any thread.
 */

#include "race.h"
#include "vtdpi/model.h"
#include "vtdpi/sched.h"
#include "vtdpi/table.h"

enum {
    UNITS = 2,
    ENTRIES = 256,
    SLOTS = 64,
    /* Source id of all devices. */
    SID = 0x0310,
    HOST_APIC_ID = 0x103,
};

#define PIDS_PHYS UINT64_C(0x520000000)

struct rig {
    struct vtdpi_platform_ops ops;
    struct vtdpi_model model[UNITS];
    struct vtdpi_model_iec_entry iec[UNITS][ENTRIES];
    struct vtdpi_model_view view;
    struct vtdpi_unit unit[UNITS];
    struct vtdpi_table_unit link[UNITS];
    struct vtdpi_table table;
    struct vtdpi_sched sched;
    struct vtdpi_pid_page page;
    struct vtdpi_pcpu pcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slot;
    void *owners[ENTRIES];
    struct vtdpi_irte *entries;
    uint8_t *shadow;
    struct vtdpi_pid *pids;
    uint8_t *ring[UNITS];
    uint32_t *status[UNITS];
    uint8_t *foreign; /* ring, status words and table of another kernel */
};

/* What @p unit is enabled with. The second is what another kernel enables it
 * with: other memory, and a table without entries. */
struct vtdpi_unit_config rig_config(struct rig *r, uint32_t unit);
struct vtdpi_unit_config rig_foreign_config(struct rig *r);

/* Powered up, and both units enabled. */
struct rig *rig_new(uint64_t seed);

/* Both units disabled; the models found nothing to complain of. */
void rig_end(struct rig *r);

/* A device behind @p unit sends the message of @p index. */
struct vtdpi_model_result rig_raise(struct rig *r, uint32_t unit,
                                    uint32_t index);

/* Fixed, physical, to HOST_APIC_ID. */
struct vtdpi_irte_remapped rig_host_form(uint8_t vector);

#endif
