/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_MACHINE_H
#define VTDPI_TEST_MACHINE_H

/*
 * A machine for the tests of table.h and irq.h: two modelled units on one
 * table, the first coherent, the second not; three vCPUs in one PID page.
 * Entries and messages are literal words.
 */

#include "vtdpi/irq.h"
#include "vtdpi/model.h"
#include "vtdpi/table.h"

#ifndef MACHINE_ENTRIES
#define MACHINE_ENTRIES 256
#endif

enum {
    UNITS = 2,
    ENTRIES = MACHINE_ENTRIES,
    MACHINE_VCPUS = 3,
    MACHINE_PCPUS = 2,
    /* Source id of the device in the tests: 03:02.0. */
    SID = 0x0310,
};

/* What a real posting-capable machine has. */
#define MACHINE_CAP   UINT64_C(0x08d2078c106f0466)
#define MACHINE_ECAP  UINT64_C(0xf020df) /* coherent */
#define MACHINE_ECAP2 UINT64_C(0xf020de) /* not */

/* Physical addresses. */
#define TABLE_PHYS    UINT64_C(0x510000000)
#define PIDS_PHYS     UINT64_C(0x520000000)

struct machine {
    struct vtdpi_platform_ops ops;
    struct vtdpi_model model[UNITS];
    struct vtdpi_model_iec_entry iec[UNITS][ENTRIES];
    struct vtdpi_model_notification notes[UNITS][64];
    struct vtdpi_model_view view;
    struct vtdpi_unit unit[UNITS];
    struct vtdpi_table_unit link[UNITS];
    struct vtdpi_table table;
    struct vtdpi_table_params table_params;
    void *owners[ENTRIES];
    struct vtdpi_irte *entries; /* the table's memory */
    uint8_t *shadow;            /* what the second unit sees of it */
    uint8_t *ring[UNITS];
    uint32_t *status[UNITS];
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slots[MACHINE_PCPUS]; /* left to the test */
    struct vtdpi_pid_page page;
    struct vtdpi_pid *pids;
    struct vtdpi_vcpu vcpu[MACHINE_VCPUS]; /* vCPU i has slot i */
    void (*step)(struct machine *m, struct vtdpi_model *at,
                 enum vtdpi_model_step kind);
    void *step_ctx;
};

/* Power on; the table is set up, the units are probed, nothing is enabled.
 * @p cap is ORed into both units' CAP; the second unit's MHMV is @p mhmv2. */
struct machine *machine_new(uint64_t cap, unsigned int mhmv2);
void machine_free(struct machine *m);

/* Exchange a unit that is not on the list for one without CAP.PI. */
void machine_without_pi(struct machine *m, unsigned int unit);

/* Put a unit on the table's list, and enable it. */
void machine_add(struct machine *m, unsigned int unit);
void machine_enable(struct machine *m, unsigned int unit);

/* Both done for both units: CMocka's setup and teardown. */
int machine_setup(void **state);
int machine_teardown(void **state);

/* The device behind @p unit sends the message of @p index. */
struct vtdpi_model_result machine_raise(struct machine *m, unsigned int unit,
                                        uint32_t index);

/* It is delivered with that host vector; or posted to that vCPU. */
void assert_remapped(struct machine *m, unsigned int unit, uint32_t index,
                     uint8_t vector);
void assert_posted(struct machine *m, unsigned int unit, uint32_t index,
                   unsigned int vcpu, uint8_t vector);
void assert_blocked(struct machine *m, unsigned int unit, uint32_t index,
                    uint8_t reason);

struct vtdpi_model_counters machine_count(const struct machine *m,
                                          unsigned int unit);
/* Register accesses of both units so far. */
uint64_t machine_accesses(const struct machine *m);

/* The models found nothing to complain of. */
void assert_no_violation(const struct machine *m);

/* Fixed, physical, to x2APIC id 0x103, source SID exact. */
struct vtdpi_irte entry_remapped(uint8_t vector);
struct vtdpi_irte_remapped fields_remapped(uint8_t vector);

/* An allocated index. */
uint32_t machine_index(struct machine *m);

#endif
