/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

/*
 * A pCPU with vCPUs of each side: the library's, with slots and cookies, and
 * the peers', with an embedded PID. vCPU i of either side is woken by writing
 * to a line of its own, and which of them a walk meets when is random: slots
 * are given out in random order, and vCPUs block in random order.
 */

#include "peers.h"
#include "vtdpi/sched.h"

enum {
    WNV_FIRST = 0xa0,
    ANV = 0xf2,
    APIC_ID = 2,
};

/* A vCPU of the library's side: what the host embeds, and what wake writes. */
struct our_vcpu {
    _Alignas(64) uint64_t woken;
    char state[192];
    _Alignas(64) struct vtdpi_vcpu vcpu;
};

struct world {
    uint32_t slots;   /* of the instance */
    uint32_t blocked; /* that many vCPUs block on the pCPU */
    uint32_t vectors; /* wakeup vectors */

    struct vtdpi_platform_ops ops;
    struct vtdpi_sched sched;
    struct vtdpi_pcpu *pcpu;
    struct vtdpi_pid_page *pages;
    struct vtdpi_pid *pids;
    uint64_t *bitmap;
    uint32_t *notified; /* the pages of those who have ON */
    uint32_t notified_count;
    struct our_vcpu *ours; /* one more than slots are blocked: the spare */
    struct our_vcpu *spare;

    size_t stride;
    char *peers;
    struct peer_list *list;
    struct peer_vcpu *peer_spare;
};

/*
 * @slots of the instance, of which @blocked are in use; peers @stride bytes
 * apart. The @spare vCPU of each side is not blocked.
 */
struct world_params {
    uint32_t slots;
    uint32_t blocked;
    uint32_t vectors;
    size_t stride;
    bool spare;
};

struct world *world_up(const struct world_params *params);
void world_down(struct world *w);

struct peer_vcpu *world_peer(const struct world *w, uint32_t i);

/* Raise ON for @count of the blocked vCPUs, the same on both sides. With
 * several vectors all of them belong to the first. */
void world_notify(struct world *w, uint32_t count);
void world_quiet(struct world *w);

/* As if those who have ON had blocked again: the next scan wakes them. */
void world_unmark(const struct world *w);

/* Drop from all caches what a scan of either side reads or writes. */
void world_flush_ours(const struct world *w);
void world_flush_peers(const struct world *w);

/* One pass of the handler, with the first vector. */
uint32_t world_scan(struct world *w);

#endif
