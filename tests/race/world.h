/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_RACE_WORLD_H
#define VTDPI_RACE_WORLD_H

/*
 * A host for sched.h, in threads: each pCPU is a thread with a local APIC (a
 * set of pending vectors), vCPUs move between them through one run queue.
 *
 * Time is cut into rounds. In the storm the sources (posters, a device, pCPUs
 * going offline, vCPUs attached and detached) and the pCPUs do as they like.
 * When the sources have done their share, the pCPUs go on until nothing is
 * left to do: no vector pending, nobody to be run. Then everything is judged
 * by design: who sleeps over a posted vector will sleep for ever.
 */

#include "host.h"
#include "race.h"
#include "vtdpi/sched.h"

enum {
    PCPUS = 4,
    /* vCPUs that stay, and that posters know; in several leaf words. */
    VCPUS = 12,
    /* vCPUs that come and go, all owned by one thread. */
    GUESTS = 4,
    PAGES = 8,
    ROOM = VTDPI_CHUNK_PAGES, /* for pages, before the instance grows */
    CHUNKS = 6,
    ANV = 0xf2,
    WNVS_MAX = 4,
};

/* Who may touch a vCPU. */
enum vcpu_state {
    VCPU_OWNED,  /* the thread that has it */
    VCPU_ASLEEP, /* nobody: the next wake queues it */
    VCPU_QUEUED, /* the run queue */
    VCPU_PAUSED, /* the list of the paused */
};

struct vcpu {
    struct vtdpi_vcpu lib;
    uint64_t state; /* enum vcpu_state */
    uint64_t woken; /* sticky */
    /* Plain, on purpose: ThreadSanitizer sees a wake that is not ordered
     * before the end of a detach. */
    bool alive;
    struct vcpu *next;
    struct host_account got; /* the owner's */
};

/* What pCPU and the thread that takes it offline say to each other. */
enum pcpu_mode {
    PCPU_UP,
    PCPU_LEAVING,  /* asked: move your vCPU away */
    PCPU_EMPTY,    /* answered; interrupts are still taken */
    PCPU_DYING,    /* asked: the local APIC goes off */
    PCPU_DEAD,     /* answered; what is sent here is lost */
    PCPU_STARTING, /* asked: be up, and take interrupts again */
};

struct pcpu {
    struct vtdpi_pcpu lib; /* first: see host_pcpu() */
    uint64_t bitmap[VTDPI_BITMAP_WORDS(ROOM) + 2 * CHUNKS];
    uint64_t part[CHUNKS][VTDPI_CHUNK_WORDS];
    uint64_t pending[4]; /* of the local APIC */
    uint64_t mode;       /* enum pcpu_mode */
    struct world *w;
    uint32_t number;
    struct race_rng rng;
    struct vcpu *current;
    bool in_guest; /* while the world settles */
    bool worked;   /* in the last sweep */
    /* What happened. */
    uint64_t entries;
    uint64_t processed; /* ANV taken in the guest */
    uint64_t handled;   /* WNVs */
    uint64_t blocks;
    uint64_t sleeps;
    /* Of each vCPU that stays: its blocks on this pCPU, counted by its owner,
     * and the wakes of this pCPU's handlers. */
    uint64_t blocks_of[VCPUS];
    uint64_t wakes_of[VCPUS];
};

struct world {
    struct vtdpi_sched sched;
    struct vtdpi_platform_ops ops;
    struct vtdpi_page_ref pages[ROOM];
    struct vtdpi_page_ref *chunks[CHUNKS];
    struct vtdpi_page_ref refs[CHUNKS][VTDPI_CHUNK_PAGES];
    uint32_t grown; /* times; the thread's that makes it grow */
    struct vtdpi_pcpu *pcpus[PCPUS];
    struct vtdpi_pid_page page[PAGES + CHUNKS];
    struct pcpu pcpu[PCPUS];
    struct vcpu vcpu[VCPUS];
    struct vcpu guest[GUESTS];
    struct host_names names;
    uint64_t sources; /* that have work left in this round */
    struct run_queue *queue;
};

/* Sets up all of it, with the stable vCPUs queued; @p wnvs wakeup vectors, up
 * to WNVS_MAX. */
struct world *host_new(uint64_t seed, uint32_t wnvs, enum vtdpi_apic_mode mode);

/* Grows by a chunk, and adds the first page of the chunk. By one thread. */
void host_grow(struct world *w);

/* One step of a pCPU in the storm. */
void host_storm(struct pcpu *p);

/* After the storm: some pCPUs stay in the guest, which takes what comes. */
void host_settle_begin(struct pcpu *p);

/* One sweep. Returns whether there was anything to do. */
bool host_settle(struct pcpu *p);

/* Queue a vCPU that is owned by the caller and preempted. */
void host_queue(struct world *w, struct vcpu *v);

/* Let one of the paused run. */
void host_resume_one(struct world *w);

/* Local APICs. */
void host_send(struct world *w, uint32_t apic_id, uint8_t vector);
void host_forget(struct pcpu *p, uint8_t vector);
void host_forget_wakeups(struct pcpu *p);

#endif
