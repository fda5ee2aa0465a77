/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_MACHINE_H
#define VTDPI_SUPPORT_MACHINE_H

/*
 * One modelled machine for tests and benchmarks: one or two modelled units with
 * their queues on one table, one page of PIDs, vCPUs and a pCPU. What differs
 * is said in struct machine_params. machine.c maps the memory and sets up the
 * parts; a user adds fixtures and checks of its own.
 *
 * These look alike and stay apart:
 *  - tests/unit/unit_rig.h is one unit without a table whose register accesses
 *    are all traced; the tests of qi.h, unit.h and fault.h name places in its
 *    memory by literal numbers, and queues of every size must fit.
 *  - tests/unit/model_rig.h tests the model with literal numbers, and must
 *    not go through the library that is set up here.
 *  - tests/unit/irq/script.h, irq/recorder.h, bind/bind_rig.h, and the table of
 *    bench/bind.c, are backends that play a script: they have no unit at all.
 *  - examples/quickstart/machine.c is an example that must be readable alone.
 *  - the miniature bhyve is FreeBSD's driver, written as FreeBSD writes it.
 *  - tests/emulated uses an emulated unit that is not ours.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vtdpi/irq.h"
#include "vtdpi/model.h"
#include "vtdpi/table.h"

enum {
    UNITS = 2, /* the most that a machine has */
    MACHINE_VCPUS = 3,
    MACHINE_PCPUS = 2,
    /* Source id of every device: 03:02.0. */
    SID = 0x0310,
    /* Where host forms go; also the id of the pCPU. */
    HOST_APIC_ID = 0x103,
};

/* What a real posting-capable machine has. */
#define MACHINE_CAP        UINT64_C(0x08d2078c106f0466)
#define MACHINE_ECAP       UINT64_C(0xf020df) /* coherent */
#define MACHINE_ECAP2      UINT64_C(0xf020de) /* not */

/* Bytes of registers. */
#define MACHINE_WINDOW     4096u

/* Physical addresses. */
#define TABLE_PHYS         UINT64_C(0x510000000)
#define PIDS_PHYS          UINT64_C(0x520000000)
#define MACHINE_EXTRA_PHYS UINT64_C(0x550000000)

struct machine_params {
    uint32_t units;
    uint32_t entries;    /* of the table */
    uint32_t submitters; /* of each queue */
    uint32_t vcpus;      /* attached: vCPU i has slot i */
    bool pcpu;           /* one pCPU is online; false: none, left to the user */
    uint64_t clock_step; /* of an enabled unit's clock; 0: the model's own */
    uint32_t extra;      /* bytes of other memory, at MACHINE_EXTRA_PHYS */
    /* Each unit's: cap, ecap, and what else differs from zero. Memory, views,
     * cache, step hook and, without .notify, notifications are filled in; the
     * callbacks get the machine. */
    struct vtdpi_model_params model[UNITS];
};

struct machine {
    struct machine_params params;
    struct vtdpi_platform_ops
        ops; /* of all units; IPIs and wakes are dropped */
    struct vtdpi_model model[UNITS];
    struct vtdpi_model_iec_entry *iec[UNITS];
    struct vtdpi_model_notification notes[UNITS][64];
    struct vtdpi_model_view view;
    struct vtdpi_unit unit[UNITS];
    struct vtdpi_table_unit link[UNITS];
    struct vtdpi_table table;
    struct vtdpi_table_params table_params;
    struct vtdpi_table own[UNITS]; /* see machine_own_tables() */
    void *own_storage[UNITS];
    void **owners;
    struct vtdpi_irte *entries; /* the table's memory */
    uint8_t *shadow;            /* what a unit that does not snoop sees of it */
    uint8_t *ring[UNITS];
    uint32_t *status[UNITS];
    uint8_t *extra;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slots[MACHINE_PCPUS];
    struct vtdpi_pid_page page;
    struct vtdpi_pid *pids;
    struct vtdpi_pcpu pcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_vcpu vcpu[MACHINE_VCPUS];
    void (*step)(struct machine *m, struct vtdpi_model *at,
                 enum vtdpi_model_step kind);
    void *step_ctx;
};

/* What a machine is without its units: the table is set up, the vCPUs are
 * attached, the units are probed, nothing is enabled. */
struct machine *machine_power_up(const struct machine_params *params);
void machine_free(struct machine *m);

/* Another model in the place of a unit that is not on the list, probed. */
void machine_replace_unit(struct machine *m, uint32_t unit, uint64_t cap,
                          uint64_t ecap);

/* Put a unit on the table's list, and enable it with its configuration. */
void machine_add(struct machine *m, uint32_t unit);
void machine_enable(struct machine *m, uint32_t unit);
/* Each unit gets a table of its own, in its share of the entries, and is enabled. The
 * table of all units stays without one. */
void machine_own_tables(struct machine *m);
struct vtdpi_unit_config machine_config(const struct machine *m, uint32_t unit);

/* The device behind @p unit sends the message of @p index. */
struct vtdpi_model_result machine_send(struct machine *m, uint32_t unit,
                                       uint32_t index);

struct vtdpi_model_counters machine_count(const struct machine *m,
                                          uint32_t unit);

/* Fixed, physical, to HOST_APIC_ID. */
struct vtdpi_irte_remapped fields_remapped(uint8_t vector);

#endif
