/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_FAULT_RIG_H
#define VTDPI_TEST_FAULT_RIG_H

/*
 * What the tests of fault.h share beside unit_rig.h: an enabled unit whose
 * table is empty, devices that are blocked, and who writes down what the
 * reader delivers. CAP has 8 records, from offset 100h on.
 */

#include "vtdpi/fault.h"

#include "unit_rig.h"

#define SEEN_MAX 1024u

struct fault_rig {
    struct vtdpi_fault_reader reader;
    struct vtdpi_fault seen[SEEN_MAX];
    uint32_t seen_count;
    /* Called by the callback, after the fault was written down. */
    void (*after_report)(const struct vtdpi_fault *fault);
    uint32_t raised; /* faults raised by fault_raise(): their indexes */
    /* Fault events that arrived, and the last message. */
    uint32_t events;
    uint64_t event_address;
    uint32_t event_data;
};

extern struct fault_rig faults;

/* A unit with that CAP, probed; and enabled, nothing pending. */
void fault_power_up(uint64_t cap);
void fault_enable(void);

/* A device of its own asks for an entry that is not present: reason 22h. The
 * n-th has index 16 + n and source id 100h + n. */
void fault_raise(void);
void fault_raise_many(uint32_t n);

/* One call of vtdpi_fault_handle() that succeeds; what it delivered replaces
 * what was seen. Returns @p more. */
bool fault_handle(uint32_t max);

/* The seen record number @p i is the @p nth fault that was raised. */
void assert_seen(uint32_t i, uint32_t nth);

/* CMocka's setup: fault_power_up(CAP) and fault_enable(). */
int fault_setup(void **state);

#endif
