/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_UNIT_RIG_H
#define VTDPI_TEST_UNIT_RIG_H

/*
 * What the tests of qi.h and unit.h share: a model of a unit, memory for it,
 * and a platform in front of it that writes down every register access.
 */

#include <string.h>

#include "vtdpi/model.h"
#include "vtdpi/qi.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"

#include "test.h"

/* A Xeon-SP's unit: version 1.0, posting, RWBF = 0, ESIRTPS = 0. */
#define CAP        UINT64_C(0x08d2078c106f0466)
#define ECAP       UINT64_C(0xf020df)

/* Memory: physical address, and where things are in it. */
#define PHYS       UINT64_C(0x1230000000)
#define RING_AT    0x000000u
#define STATUS_AT  0x080000u
#define TABLE_AT   0x100000u
#define MEM_SIZE   0x200000u
#define RING       (PHYS + RING_AT)
#define STATUS     (PHYS + STATUS_AT)
#define TABLE      (PHYS + TABLE_AT)

#define TRACE_SIZE 4096u

/* Bytes of registers: all that any CAP and ECAP can place. */
#define RIG_WINDOW 0x5000u

/* A register access. Values and offsets in tests are literals. */
struct access {
    bool write;
    uint32_t off;
    uint64_t value;
};

struct rig {
    struct vtdpi_model m;
    struct vtdpi_model_params params;
    struct vtdpi_platform_ops ops;
    struct vtdpi_qi qi;
    struct vtdpi_unit u;
    struct access trace[TRACE_SIZE];
    uint32_t traced;
    uint32_t logs;
    /* Called before the clock is read, between two polls, and before a
     * register is written. */
    void (*before_now)(struct rig *r);
    void (*before_relax)(struct rig *r);
    void (*before_write)(struct rig *r, uint32_t off, uint64_t value);
    void *arg;
    struct vtdpi_model_iec_entry iec[256];
    struct vtdpi_model_notification notifications[4];
};

/* The rig, and the memory behind PHYS. */
extern struct rig rig;
extern uint8_t *const rig_mem;

/* Start over with a unit that is not programmed. */
void rig_power_up(uint64_t cap, uint64_t ecap);
/* The same, and the queue of @p params on, as a host with its own unit does. */
void rig_open_queue(const struct vtdpi_qi_params *params);
/* One page of 128-bit descriptors, as many submitters as fit. */
struct vtdpi_qi_params rig_qi_params(void);
struct vtdpi_unit_config rig_config(void);
/* Probe rig.u, which joins a table of 256 entries at TABLE: in extended interrupt
 * mode, if it has that. */
void rig_probe(void);
/* A unit joins a table of 2^order zero entries at @p at of rig_mem, and leaves
 * the table that it has joined before. */
void rig_join(struct vtdpi_unit *u, uint32_t at, unsigned int order,
              enum vtdpi_apic_mode mode);
/* The same, and the code that comes of it. */
int rig_try_join(struct vtdpi_unit *u, uint32_t at, unsigned int order,
                 enum vtdpi_apic_mode mode);
/* vtdpi_table_remove_unit() of the table that the unit has joined. */
int rig_leave(struct vtdpi_unit *u);
/* The unit's table, empty, is in xAPIC mode from now on. */
void rig_use_xapic(void);
/* The model fetches and completes only when told to, from now on. */
void rig_set_manual(bool manual);
/* Write GCMD past the library, as firmware or the host does. */
void rig_gcmd(uint32_t value);
/* Forget the accesses so far. */
void rig_clear_trace(void);
/* Number of accesses to @p off. */
uint32_t rig_count(bool write, uint32_t off);
/* The accesses that are writes, in order, are exactly @p want. */
void rig_assert_writes(const struct access *want, size_t n);
/* Word @p word of ring slot @p slot, 128-bit descriptors. */
uint64_t rig_ring(uint32_t slot, uint32_t word);
uint32_t *rig_status(uint32_t slot);
struct vtdpi_model_counters rig_counters(void);
/* Microseconds of the model's clock. */
uint64_t rig_now(void);

/* CMocka's teardown: nothing that is not a test of a violation causes one. */
int rig_teardown(void **state);

#define rig_assert_clean()                                                    \
    assert_string_equal(                                                      \
        vtdpi_model_violation_name(vtdpi_model_first_violation(&rig.m).kind), \
        vtdpi_model_violation_name(VTDPI_MODEL_OK))

#define rig_assert_violation(k)                                               \
    assert_string_equal(                                                      \
        vtdpi_model_violation_name(vtdpi_model_first_violation(&rig.m).kind), \
        vtdpi_model_violation_name(k))

#endif
