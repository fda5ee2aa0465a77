/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_SOURCES_H
#define VTDPI_RACE_SOURCES_H

/* The sources of events of race_sched. Each has a thread of its own and does
 * a share of its operations in every round. */

#include "world.h"

/* Posted through vtdpi_vcpu_post(), which does not say whether it merged. */
#define WHOLE_VECTOR 0xee

struct source {
    struct world *w;
    struct race_rng rng;
    void (*act)(struct source *s); /* one operation */
    uint32_t share;                /* operations a round */
    uint32_t number;
    uint64_t done;
    uint64_t merged; /* posts whose bit was set already */
    uint64_t busy;   /* operations that were not possible just then */
    /* Bits newly set, by vCPU and vector. */
    uint32_t fresh[VCPUS][256];
    struct vtdpi_pid_page *page; /* the churner's */
};

/* Posts by software, in all the ways that sched.h and pid.h offer. */
void source_post(struct source *s);

/* A device: its unit does PIR, then the control word. */
void source_device(struct source *s);

/* Takes a pCPU offline, or brings it back, or has one scanned again. */
void source_offline(struct source *s);

/* Attaches, blocks, posts to and detaches vCPUs of its own; slots are given
 * to another one at once. */
void source_churn(struct source *s);

#endif
