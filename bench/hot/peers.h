/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

/*
 * What the library is measured against: the peers' designs, written here from
 * a description of what they do (not from their sources) and compiled with the
 * same flags. They are user-space code, so neither side disables interrupts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtdpi/pid.h"

/* A fair spinlock: the ticket that is served, and the next one to draw, as
 * halves of one word. */
struct ticket_lock {
    _Alignas(4) uint16_t served;
    uint16_t next;
};

struct node {
    struct node *next;
    struct node *prev;
};

/*
 * A peer's vCPU: its PID is a member, among much else. The three parts that
 * count here are on lines of their own.
 */
struct peer_vcpu {
    _Alignas(64) uint64_t woken;
    char state[192];
    _Alignas(64) struct node node;
    uint32_t cpu; /* where it ran last */
    char more[188];
    struct vtdpi_pid pid;
};

/* The list of a pCPU's blocked vCPUs. */
struct peer_list {
    _Alignas(64) struct ticket_lock lock;
    struct node head;
};

void peer_list_init(struct peer_list *l);

/* The handler of the wakeup vector: the whole list under its lock. Returns how
 * many were woken. */
uint32_t peer_list_scan(struct peer_list *l);

/* The same as Xen does it: who is woken leaves the list. */
uint32_t peer_list_scan_unlink(struct peer_list *l);

/* Into the list, then the control word. Returns whether ON was set. */
bool peer_block(struct peer_list *l, struct peer_vcpu *v, uint8_t wnv,
                uint32_t ndst);

/* Out of the list, then the control word. */
void peer_unblock(struct peer_list *l, struct peer_vcpu *v, uint8_t anv,
                  uint32_t ndst);

/* Linux's way to schedule in where the vCPU ran last: NV and the pCPU are
 * compared, and SN is tested and cleared. Whether that was all. */
bool peer_run_same(struct peer_vcpu *v, uint8_t wnv, uint32_t cpu);

/* Single operations are inline, as the library's are. */

/* A host's own primitives: these are not the library's. */
#define BENCH_READ(p)        __atomic_load_n(p, __ATOMIC_RELAXED)
#define BENCH_OR(p, v)       __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define BENCH_AND(p, v)      __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define BENCH_EXCHANGE(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* Post: the PIR bit with an early end if it is set, then ON; both locked bit
 * operations. Returns whether to notify. */
static inline bool peer_post_two_rmw(struct vtdpi_pid *pid, uint8_t vector)
{
    const uint64_t bit = UINT64_C(1) << (vector % 64);

    if ((BENCH_OR(&pid->pir[vector / 64], bit) & bit) != 0)
        return false;
    return (BENCH_OR(&pid->control, VTDPI_PID_ON) & VTDPI_PID_ON) == 0;
}

/* Harvest by exchanging all four words. */
static inline void peer_harvest_xchg_all(struct vtdpi_pid *pid, uint64_t out[4])
{
    if ((BENCH_READ(&pid->control) & VTDPI_PID_ON) != 0)
        (void)BENCH_AND(&pid->control, ~VTDPI_PID_ON);
    for (unsigned int i = 0; i < 4; i++)
        out[i] = BENCH_EXCHANGE(&pid->pir[i], 0);
}

/* Harvest by loading all words first, exchanging those that are not zero. */
static inline void peer_harvest_load_first(struct vtdpi_pid *pid,
                                           uint64_t out[4])
{
    if ((BENCH_READ(&pid->control) & VTDPI_PID_ON) != 0)
        (void)BENCH_AND(&pid->control, ~VTDPI_PID_ON);
    for (unsigned int i = 0; i < 4; i++)
        out[i] = BENCH_READ(&pid->pir[i]);
    if ((out[0] | out[1] | out[2] | out[3]) == 0)
        return;
    for (unsigned int i = 0; i < 4; i++) {
        if (out[i] != 0)
            out[i] = BENCH_EXCHANGE(&pid->pir[i], 0);
    }
}

/* Schedule in with one update for each of NV, NDST and SN: locked ones... */
static inline void peer_run_three_rmw(struct vtdpi_pid *pid, uint8_t nv,
                                      uint32_t ndst)
{
    char *const control = (char *)&pid->control;

    (void)BENCH_EXCHANGE((uint8_t *)(control + 2), nv);
    (void)BENCH_EXCHANGE((uint32_t *)(void *)(control + 4), ndst);
    (void)BENCH_AND(&pid->control, ~VTDPI_PID_SN);
}

/* ... and plain stores of NV and NDST, then a locked clear of SN. */
static inline void peer_run_stores(struct vtdpi_pid *pid, uint8_t nv,
                                   uint32_t ndst)
{
    char *const control = (char *)&pid->control;

    __atomic_store_n((uint8_t *)(control + 2), nv, __ATOMIC_RELAXED);
    __atomic_store_n((uint32_t *)(void *)(control + 4), ndst, __ATOMIC_RELAXED);
    (void)BENCH_AND(&pid->control, ~VTDPI_PID_SN);
}

/* One compare-and-swap of the control word: the unit of the table. */
static inline void peer_one_cas(struct vtdpi_pid *pid)
{
    uint64_t old = BENCH_READ(&pid->control);

    (void)__atomic_compare_exchange_n(&pid->control, &old, old ^ VTDPI_PID_SN,
                                      false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_RELAXED);
}

#endif
