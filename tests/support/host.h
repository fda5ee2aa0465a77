/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_HOST_H
#define VTDPI_SUPPORT_HOST_H

/*
 * The parts of a host that mean the same in every test of sched.h: how pCPUs
 * and wakeup vectors are named, who is behind an NDST, an instance with its
 * pages and pCPUs, and the account of a vCPU's vectors. Code here is written
 * with plain numbers: it shares nothing with pid.h.
 *
 * What the hosts do with these parts stays with them, as it differs:
 *  - tests/unit/sched/world.h is one thread, and an interrupt is taken when the
 *    test says so; its account also says what may not be lost at each step.
 *  - tests/race/world.h runs a thread for each pCPU, its local APICs and its run
 *    queue are atomic.
 *  - tests/explore/world.h keeps its state in words of an arena that the
 *    explorer snapshots and compares. Its account is a set of four vectors
 *    instead of 256 counters, or there would be too many states.
 *  - bench/hot/world.h has one pCPU, and lays out memory for cache misses.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vtdpi/sched.h"

/* pCPU n has APIC id first_id + n * stride. */
struct host_names {
    enum vtdpi_apic_mode mode;
    uint32_t first_id;
    uint32_t stride;
    uint32_t pcpus;
    uint8_t anv;
    uint8_t wnv_count; /* at least 1 */
    uint8_t wnv[VTDPI_WNV_MAX];
};

/* The APIC id of a pCPU, and the same as NDST holds the id. */
uint32_t host_id(const struct host_names *n, uint32_t pcpu);
uint32_t host_ndst(const struct host_names *n, uint32_t pcpu);

/* The pCPU of an APIC id, or of an NDST; the number of pCPUs if there is none. */
uint32_t host_of_id(const struct host_names *n, uint32_t id);
uint32_t host_of_ndst(const struct host_names *n, uint32_t ndst);

/* The wakeup vector of a slot: by page, the same on every pCPU. */
uint8_t host_wnv_of(const struct host_names *n, uint32_t slot);
bool host_is_wnv(const struct host_names *n, uint8_t vector);

/* An instance for these names, over the caller's memory. The operations,
 * context, pages and pCPUs of @p params are the caller's, and so is the number
 * of wakeup vectors, as 0 and 1 mean the same; the rest is set. */
void host_sched_init(struct vtdpi_sched *s, const struct host_names *n,
                     struct vtdpi_sched_params params);

/* pCPU @p number under its name, online. */
void host_pcpu_up(struct vtdpi_sched *s, const struct host_names *n,
                  struct vtdpi_pcpu *p, uint32_t number, uint64_t *bitmap);

/* How often a vCPU got each vector. */
struct host_account {
    uint32_t delivered[256];
};

/* Adds what a harvest has found. Returns whether that was anything. */
bool host_deliver(struct host_account *a, const uint64_t pir[VTDPI_PIR_WORDS]);

/* Callbacks of a platform on which nobody is interrupted or woken. */
void host_drop_ipi(void *ctx, uint32_t apic_id, uint8_t vector);
void host_drop_wake(void *ctx, void *cookie);

#endif
