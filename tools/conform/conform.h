/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TOOLS_CONFORM_H
#define VTDPI_TOOLS_CONFORM_H

/*
 * Between the engine (trial.c, trap*.c, report*.c) and the phases (phases_*.c).
 *
 * A phase runs in a child process. It powers a model up, calls the driver, raises
 * interrupts, and records findings. No finding: the phase has passed. Findings
 * live in memory that parent and child share, so they outlive a crash of the driver.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "vtdpi/conform.h"
#include "vtdpi/model.h"

enum {
    OWNER = 0x0310,    /* the requester id of the device that is mapped */
    STRANGER = 0x0420, /* and that of another one */
    NEIGHBOR = 0x0208, /* of one that is mapped before the owner */
    VECTOR_NEIGHBOR = 0x43,
    VECTOR = 0x51, /* as mapped, and as changed */
    VECTOR_NEW = 0xb2,
    APIC = 2,
    APIC_NEW = 3,
};

/* One question. */
struct phase {
    const char *name; /* for the command line and docs/your-driver.md: a-z, - */
    const char *question; /* one line, as in docs/your-driver.md */
    const char *rule;    /* the specification's section or register, by title */
    uint64_t violations; /* 1 << kind: those that are findings of this phase */
    unsigned int needs;  /* NEEDS_* */
    void (*run)(void);
};

enum {
    NEEDS_CHANGE = 1 << 0,
    NEEDS_FREE = 1 << 1,
    NEEDS_RESUME = 1 << 2, /* suspend may be absent */
    NEEDS_FAULT = 1 << 3,
    NEEDS_TABLE = 1 << 4,
    NEEDS_POST = 1 << 5,  /* and unpost */
    NEEDS_TRAPS = 1 << 6, /* stores into the table must trap: Linux on x86-64 */
    NEEDS_NO_START = 1 << 7, /* asked also if init or map dies */
};

extern const struct phase phases[];
extern const unsigned int phase_count;

enum {
    FRAMES_MAX = 8,
};

/* A line of the driver, and its callers, the nearest first: addresses; 0: none. */
struct trace {
    uintptr_t frames[FRAMES_MAX];
};

/* What a unit is made of, besides what every one has. All zero: snoops, caches entries,
 * has EIM, QI and posting. */
struct hardware {
    uint64_t cap_set;
    uint64_t cap_clear;
    uint64_t ecap_set;
    uint64_t ecap_clear;
    bool no_cache; /* each look-up reads memory */
};

/* In the child: the unit of the phase, and the driver. */
extern struct vtdpi_model model;
extern const struct vtdpi_conform_driver *driver;
extern struct vtdpi_conform_message
    message; /* of the interrupt that is mapped */
/* The driver maps a second interrupt beside the first: found out before the phases. */
extern bool has_neighbor;

/* Powers a unit up, also once more after suspend. The driver's registers answer. */
void power_up(const struct hardware *hw);

/* Calls of the driver. Each begins with a fresh budget of accesses and time; a driver
 * that exhausts the budget waits for ever, and that is a finding: the child ends. So
 * does one that crashes or aborts. call_map() and the others use OWNER and message. */
int call_init(void);
int call_map(uint8_t vector, uint32_t apic_id);
int call_map_neighbor(void);
int call_change(uint8_t vector, uint32_t apic_id);
int call_free(void);
int call_suspend(void);
int call_resume(void);
void call_fault(void);
int call_post(uint8_t vector, void *pid);
int call_unpost(void);

/* Init and map, for phases that are about what comes after. If one of them fails, the
 * phase is skipped. Violations before the return are no findings. The neighbor is mapped
 * first, so that the index of the interrupt is not 0. */
void bring_up(void);

/* Runs a part of the phase in a child of its own, which can bring the driver up anew.
 * The findings of the child are the phase's. False: the child was skipped. If all parts
 * of a phase are, so is the phase. */
bool apart(void (*run)(void));

/* Whether a driver that exhausts its budget is a finding. Starts true. If not, the child
 * is skipped. */
void hangs_are_findings(bool on);

/* Model violations are findings of the phase (by its mask) or not at all. Starts true. */
void watch_violations(bool on);

/* In the next call of the driver, the unit vanishes before register access @p n, counted
 * from 0. */
void vanish_before(unsigned int n);
/* Register accesses of the latest call, also of one that a part has made. */
unsigned int accesses_made(void);
/* The phase has failed already. */
bool has_failed(void);
/* Findings of the phase so far, and notes. */
unsigned int findings_made(void);

/* What the unit reads next from the queue. False: no memory is there. */
bool descriptor_at_head(uint64_t words[2]);

/* A device sends the message. */
struct vtdpi_model_result fire(uint16_t sid);
/* The neighbor sends its own. */
struct vtdpi_model_result fire_neighbor(void);
/* ... which is delivered as asked: fixed, to that vector and APIC id (the id is not
 * compared if the driver's is logical). */
bool delivers(const struct vtdpi_model_result *r, uint8_t vector,
              uint32_t apic_id);
/* In words; of the last few calls. */
const char *words(const struct vtdpi_model_result *r);

/* Calls @p stored after each store into the table that the unit has latched. For phases
 * whose unit caches nothing: an entry that is read between two stores must not stay.
 * NULL ends that. False: there is no table yet, or this host cannot trap stores. */
bool watch_table(void (*stored)(void));

/* From now on the driver's own CLFLUSH, CLFLUSHOPT and CLWB on the table that it has named
 * clean as vtdpi_conform_clean() does. For phases whose unit does not snoop. Nothing
 * happens on a host that cannot trap. */
void watch_cleans(void);

/* The driver has returned: the memory of its stack is dead, and a status word that the
 * unit writes there is a finding. */
void stack_is_dead(void);

/* Records a finding. Every finding fails the phase, whatever its severity. What the phase
 * has found before, with the same callers, is not recorded again. */
void find(enum vtdpi_model_severity severity, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));
/* The same of a line of the driver; 0: the one that a signal has interrupted. If that line
 * runs, its callers are told, too. */
void find_where(uintptr_t where, enum vtdpi_model_severity severity,
                const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
/* The same of a line that the driver has left. */
void find_trace(const struct trace *t, enum vtdpi_model_severity severity,
                const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
/* Where the driver is, by its latest access or watched store. */
void trace_take(struct trace *t);
/* Where in the driver the latest access, pause, look at the clock or watched store is. */
uintptr_t driver_was_at(void);
/* What is worth knowing and no fault. */
void note(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));
/* The phase says nothing of this driver: ends the child. */
_Noreturn void skip(const char *format, ...)
    __attribute__((__format__(__printf__, 1, 2)));

#endif
