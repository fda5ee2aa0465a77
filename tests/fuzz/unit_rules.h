/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FUZZ_UNIT_RULES_H
#define VTDPI_FUZZ_UNIT_RULES_H

/*
 * What the headers say of each call that fuzz_unit.c makes: in which states of the
 * unit, which codes, which state afterwards, how many deadlines it may take.
 *
 *     const struct before b = call_begin(f, CALL_UNIT_DISABLE, u);
 *     call_end(f, &b, vtdpi_unit_disable(unit));
 */

#include "unit_world.h"

enum call {
    CALL_UNIT_PROBE,
    CALL_UNIT_ENABLE,
    CALL_UNIT_OPEN_QUEUE,
    CALL_UNIT_DISABLE,
    CALL_UNIT_FORSAKE,
    CALL_UNIT_SUSPEND,
    CALL_UNIT_RESUME,
    CALL_UNIT_COMMAND,
    CALL_UNIT_FLUSH_WRITE_BUFFER,
    CALL_UNIT_DRAIN,
    CALL_UNIT_SUBMIT_IEC,
    CALL_UNIT_SUBMIT_IEC_GLOBAL,
    CALL_UNIT_WAIT,
    CALL_QI_SUBMIT,
    CALL_QI_POLL,
    CALL_QI_WAIT,
    CALL_QI_GIVE_UP,
    CALL_QI_RECOVER,
    CALL_TABLE_ADD_UNIT,
    CALL_TABLE_REMOVE_UNIT,
    CALL_TABLE_ALLOC,
    CALL_TABLE_RESERVE,
    CALL_TABLE_FREE,
    CALL_TABLE_SET,
    CALL_TABLE_FLUSH,
    CALL_TABLE_FLUSH_ALL,
    CALL_IRQ_SET_HOST,
    CALL_IRQ_POST,
    CALL_IRQ_UNPOST,
    CALL_IRQ_TEARDOWN,
    CALL_IRQ_FLUSH,
    CALL_IRQ_MARK_FLUSHED,
    CALL_BATCH_SET_HOST,
    CALL_BATCH_POST,
    CALL_BATCH_UNPOST,
    CALL_BATCH_TEARDOWN,
    CALL_BATCH_FLUSH,
    CALL_BATCH_COMMIT,
    CALL_FAULT_HANDLE,
    CALL_FAULT_CLEAR_ALL,
    CALL_FAULT_EVENT_ENABLE,
    CALL_FAULT_EVENT_MASK,
    CALL_FAULT_EVENT_UNMASK,
    CALL_FAULT_EVENT_DISABLE,
    CALL_VCPU_ATTACH,
    CALL_VCPU_DETACH,
    CALLS,
};

/* What was so before a call. */
struct before {
    enum call call;
    uint32_t u; /* the unit; UNITS: none, or all of a table */
    enum vtdpi_unit_state state[UNITS];
    uint64_t writes[UNITS]; /* of registers */
    uint64_t now[UNITS];
    struct vtdpi_irte entries[TABLES][ENTRIES];
    uint32_t allocated[TABLES];
    uint32_t dirty[TABLES];
    struct vtdpi_unit unit; /* if there is one */
};

struct before call_begin(struct fuzz *f, enum call call, uint32_t u);

/* Judges @p rc, and everything that world_check() does. Returns @p rc. */
int call_end(struct fuzz *f, const struct before *b, int rc);

/* The call under way, for messages. */
const char *call_name(void);

/* Prints, if that is asked for. */
void call_trace(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));

#endif
