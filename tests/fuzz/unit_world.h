/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FUZZ_UNIT_WORLD_H
#define VTDPI_FUZZ_UNIT_WORLD_H

/*
 * What fuzz_unit.c plays with: a machine (tests/support/machine.h) of one or two
 * units with different capabilities, two tables, vCPUs and interrupts. Here are
 * also the promises that hold between any two calls:
 *
 *  - A request is delivered as its entry says. An older value of the entry is used
 *    only if the index is dirty, and no value of an index that is free.
 *  - A descriptor is written only while its vCPU is attached.
 *  - No lock is held, and the model has seen nothing that a driver must not do.
 *
 * unit_calls.c makes the calls and judges what each returns.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtdpi/fault.h"
#include "vtdpi/irq.h"

#include "machine.h"
#include "support.h"

enum {
    ENTRIES = 32,
    TABLES = 2,
    OLD_VALUES =
        8, /* that an index can have while it is dirty; else it is any */
    IRQS = 6,
    TICKETS = 4,
    NOWHERE = TABLES, /* the table of a unit that is on no list */
    CLOCK_STEP_US = 50000,
    /* A command is late by so much at most, which is less than two deadlines;
     * one that is later is lost. */
    LATE_TICKS_MAX = 110,
    LOST_TICKS = 120,
    DEVICE_TIMEOUT_US = 2000000,
};

/* The bytes of an input; zero when there are no more. */
struct input {
    const uint8_t *at;
    size_t left;
};

uint32_t input_byte(struct input *in);
uint32_t input_below(struct input *in, uint32_t n);

/* What an entry was since its index was clean last. */
struct values {
    struct vtdpi_irte now;
    struct vtdpi_irte old[OLD_VALUES];
    uint32_t count;
};

struct fuzz_table {
    struct vtdpi_table *t;
    struct vtdpi_irte *entries;
    struct values values[ENTRIES];
    bool plain[ENTRIES]; /* allocated, and no interrupt's */
    bool adopted;        /* and no flush of everything has succeeded since */
    bool adoption_over;  /* one has */
    bool closed;         /* a unit without CAP.PI has joined */
};

struct fuzz_irq {
    struct vtdpi_irq irq;
    uint32_t table;
    uint32_t index;
    bool used;
    bool in_batch;
    bool deferred; /* a host form was left to the batch */
};

struct fuzz_ticket {
    struct vtdpi_qi_ticket ticket;
    bool in_flight;
    bool global;      /* one global invalidation of the entry cache */
    uint64_t globals; /* that the unit had executed when it was submitted */
};

struct fuzz_unit {
    struct vtdpi_table_unit link;
    struct vtdpi_fault_reader reader;
    struct fuzz_ticket tickets[TICKETS];
    uint32_t table;   /* whose list the unit is on */
    bool set_up;      /* it has a queue since it was probed */
    bool undrained;   /* the memory of the queue may not be used again yet */
    bool gone;        /* removed for good: reads as all ones */
    bool off_by_host; /* was reset and not enabled since */
    bool asleep;      /* lost its power when suspended, and was not resumed */
    bool lost;        /* commands may take effect after both deadlines */
    bool harmed;      /* its fault modes may break rules by themselves */
};

struct fuzz {
    struct machine *m;
    struct input in;
    struct vtdpi_table second;
    void *second_storage;
    void *second_owners[ENTRIES];
    struct fuzz_table tables[TABLES];
    struct fuzz_unit units[UNITS];
    struct fuzz_irq irqs[IRQS];
    bool attached[MACHINE_VCPUS];
    struct vtdpi_irq_batch batch;
    struct vtdpi_flush_range ranges[3];
    uint32_t batch_table; /* NOWHERE: no batch is open */
};

/* From the first bytes of the input: the machine, its units, their hardware as
 * somebody left it. */
void world_up(struct fuzz *f, const uint8_t *data, size_t size);
void world_down(struct fuzz *f);

struct vtdpi_unit *unit_of(struct fuzz *f, uint32_t u);
struct vtdpi_qi *queue_of(struct fuzz *f, uint32_t u);
bool is_in(struct fuzz *f, uint32_t u, enum vtdpi_unit_state state);
/* Whether a unit is on the list of a table. */
bool table_has_units(const struct fuzz *f, uint32_t table);

/* The hardware of a unit. */
struct vtdpi_model *model_of(struct fuzz *f, uint32_t u);
uint32_t gsts_of(const struct fuzz *f, uint32_t u);
bool reads_all_ones(const struct fuzz *f, uint32_t u);
void hardware_reset(struct fuzz *f, uint32_t u);
/* Another kernel, or firmware, switches an idle unit on for itself. */
void hardware_take(struct fuzz *f, uint32_t u);
/* Every fault mode off, and what was late is done. */
void hardware_heal(struct fuzz *f, uint32_t u);
/* Posts reach their descriptors late. */
void hardware_post_late(struct fuzz *f, uint32_t u);

/* After each call: look at entries, descriptors, locks and the model. */
void world_check(struct fuzz *f);

/* Every request through every unit. */
void world_raise_all(struct fuzz *f);
void world_raise(struct fuzz *f, uint32_t u, uint32_t index);

#endif
