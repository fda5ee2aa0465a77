/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TOOLS_PHASES_H
#define VTDPI_TOOLS_PHASES_H

/* What the phases share; phases.c has the list of all. */

#include "conform.h"

#define KIND(kind) (UINT64_C(1) << VTDPI_MODEL_##kind)

enum {
    INDEXES = 256, /* that are tried where any may be in use */
};

/* The unit, and the driver on it with one interrupt mapped; else the phase ends. */
void begin(const struct hardware *hw);
/* The same without the interrupt. */
void begin_unmapped(const struct hardware *hw);

/* The message with that index in the place of the interrupt's own. */
struct vtdpi_model_result fire_index(uint16_t sid, uint32_t index);
/* The interrupt of a device is let through, to wherever. */
bool passes(const struct vtdpi_model_result *r);
/* Suspend, if the driver has it; then the registers have their reset values, on a unit with
 * nothing wrong. If suspend fails the phase ends. */
void sleep_over(void);

/* For phases in which the end of init is judged: a driver whose init fails on a unit with
 * nothing wrong is skipped. Before init is called otherwise. */
void needs_init(void);

/* How many indexes let the requester through. */
unsigned int passing_indexes(uint16_t sid);

/* Both are delivered in the same way. */
bool same_delivery(const struct vtdpi_model_result *a,
                   const struct vtdpi_model_result *b);

/* Invalidations of the entry cache that the unit has fetched but not executed. */
uint64_t flushes_unfinished(void);

/* A descriptor, at the start of a page that the driver may use. */
extern uint8_t pid_page[4096];

/* A call of the driver. */
struct operation {
    const char *name;
    bool (*exists)(void);
    void (*prepare)(void); /* powers the unit up, and does what comes before */
    int (*call)(void);
    bool flushes; /* makes units forget what they know of the entry */
    bool enables; /* remapping is on afterwards */
};

/* Runs @p run in a child, with the operation prepared. False: skipped. */
bool prepared(const struct operation *op,
              void (*run)(const struct operation *op));
/* ... for each operation that the driver has, and for each that flushes. */
void for_each_operation(void (*run)(const struct operation *op));
void for_each_flushing(void (*run)(const struct operation *op));

void phase_deliver(void);
void phase_source_id(void);
void phase_upper_first(void);
void phase_one_step(void);
void phase_clean_first(void);
void phase_flush(void);
void phase_caching_mode(void);
void phase_free_flush(void);

void phase_cfi(void);
void phase_eim(void);
void phase_sirtp_flush(void);
void phase_one_shot(void);
void phase_foreign_bits(void);
void phase_slow_commands(void);
void phase_stuck_command(void);
void phase_firmware_queue(void);
void phase_firmware_remapping(void);
void phase_resume(void);

void phase_wait(void);
void phase_late_status(void);
void phase_tail_wrap(void);
void phase_stuck_queue(void);
void phase_refused(void);
void phase_aborted(void);
void phase_gone(void);

void phase_fault_event(void);
void phase_fault_records(void);
void phase_fault_overflow(void);

void phase_post_one_step(void);
void phase_post_flush(void);
void phase_post_drain(void);
void phase_post_affinity(void);

void phase_accesses(void);

#endif
