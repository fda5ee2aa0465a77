/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_WORLD_H
#define VTDPI_TEST_WORLD_H

/*
 * A small host for the tests of sched.h: pCPUs with pending interrupts, vCPUs
 * that run, sleep and take vectors, a device that posts as hardware does, and
 * an account of every vector. The PID is written here with plain words and
 * literal bits: the device shares nothing with pid.h.
 */

#include "host.h"
#include "vtdpi/sched.h"

enum {
    PCPUS = 4,
    VCPUS = 3,
    PAGES = 66,  /* two summary words */
    PRESENT = 4, /* pages 0, 1, 2 (left to the test) and the last */
    ANV = 0xf2,
    WNV = 0xf1,
};

enum vcpu_state {
    OUT,      /* not in the guest, not asleep */
    GUEST,    /* in the guest on world_vcpu.on */
    SLEEPING, /* asleep; woken ends it */
};

struct world_vcpu {
    struct vtdpi_vcpu v; /* first: the cookie is the world_vcpu */
    struct world *w;
    enum vcpu_state state;
    unsigned int on;
    bool woken;
    bool gone;         /* detach is done: wake must not come */
    bool private_apic; /* the host cannot harvest: only an ANV moves PIR */
    bool posted[256];
    struct host_account taken;
    unsigned int wakes;
};

struct world {
    struct vtdpi_sched s;
    struct vtdpi_platform_ops ops;
    struct vtdpi_page_ref page_slots[PAGES];
    struct vtdpi_pcpu *pcpu_slots[PCPUS];
    struct vtdpi_pid_page page[PRESENT];
    struct vtdpi_pcpu pcpu[PCPUS];
    /* Blocked bits and wake marks of each page, then the summary. */
    uint64_t bitmap[PCPUS][VTDPI_BITMAP_WORDS(PAGES)];
    bool pending[PCPUS][256];
    bool irqs_off[PCPUS];
    bool dead[PCPUS]; /* the local APIC loses what it gets */
    struct world_vcpu vcpu[VCPUS];
    unsigned int ipis;
    struct host_names names;
    void *memory; /* the present PID pages */
};

/* The wakeup vectors, in no order; the first is WNV. */
uint8_t world_wnv(unsigned int n);

/* All pCPUs online, pages 0, 1 and 65 present, VCPUS vCPUs attached to the
 * slots given; with x2APIC ids and one wakeup vector, or as told. */
struct world *world_new(const uint32_t slots[VCPUS]);
struct world *world_new_as(const uint32_t slots[VCPUS], uint8_t wnv_count,
                           enum vtdpi_apic_mode mode);
void world_free(struct world *w);

/* The same as a CMocka fixture, with these slots. */
extern const uint32_t world_slots[VCPUS];
int world_set_up(void **state);
int world_tear_down(void **state);

/* Every vCPU goes to sleep. */
void world_block_all(struct world *w, unsigned int pcpu);

/* Post as the remapping unit does: one atomic step. */
void world_device_post(struct world_vcpu *v, uint8_t vector, bool urgent);
/* Post by vtdpi_vcpu_post(), accounted for. */
void world_software_post(struct world_vcpu *v, uint8_t vector, bool urgent);

/* What a host does around the transitions. */
void world_enter(struct world_vcpu *v, unsigned int pcpu);
void world_leave(struct world_vcpu *v);
void world_halt(struct world_vcpu *v, unsigned int pcpu, bool committed);
/* Sync; whether there was anything. */
bool world_take(struct world_vcpu *v);

/* Offline, and from then on its local APIC loses what it has and gets. */
void world_offline(struct world *w, unsigned int pcpu);

/* Take the pending interrupts of one pCPU, or of all. */
void world_interrupts(struct world *w, unsigned int pcpu);

/* Everything in flight arrives, woken vCPUs run, until nothing changes. */
void world_settle(struct world *w);

/* What holds at every step: NV other than ANV is the vCPU's own wakeup vector,
 * and implies the bit on NDST's pCPU. */
void world_check_never(const struct world *w);

/* What holds for every vCPU when nothing is under way; and no vector is lost. */
void world_check(const struct world *w);

/* Everything in flight arrives. vCPUs that are out come back, every vCPU gets
 * one more post, and that arrives too. Checked before and after. */
void world_finish(struct world *w);

#endif
