/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINIVISOR_H
#define MINIVISOR_H

/*
 * The minivisor: a hypervisor on bare metal with 2 pCPUs, 4 vCPUs and 2
 * assigned devices, and what its files share. Read vcpu.c first: it is the run
 * loop. Then scheduler.c (who runs where, who is woken), interrupts.c (the
 * remapping unit, the devices' interrupts), vm.c (the guest's side of these) and
 * vmx.c (what a VMCS holds). The rest plays the devices and the guest, and keeps
 * the account.
 *
 * What each CPU does:
 *
 *     CPU 0         set-up, an emulated device, the account
 *     CPU 1, CPU 2  p1 and p2: they run vCPUs
 *     CPU 3         the remapping unit (the library's model of one) and the
 *                   devices behind it; hypervisor code never runs there
 *
 * The host runs with interrupts off, but where a pCPU that has nothing to do
 * waits for one. So "with interrupts off" and "with preemption off" in the
 * library's contracts are met everywhere.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime.h"
#include "vmx.h"
#include "vtdpi/bind.h"
#include "vtdpi/irq.h"
#include "vtdpi/model.h"
#include "vtdpi/msi.h"
#include "vtdpi/sched.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"

enum {
    PCPUS = 2,
    VCPUS = 4,
    DEVICES = 2,
    MESSAGES = 2, /* of each device: one MSI block */
    INTERRUPTS = DEVICES * MESSAGES,
    /* Bochs 3.0 enters a guest only if its descriptor is aligned to 4 KiB (64
     * bytes are enough for a processor), so each vCPU takes the first slot of
     * a page of its own. */
    PID_PAGES = VCPUS,
    TABLE_ENTRIES = 256,

    CPU_MAIN = 0,
    CPU_FIRST = 1, /* p1; then p2 */
    CPU_HOTPLUGGED = CPU_FIRST + PCPUS - 1,
    CPU_UNIT = CPU_FIRST + PCPUS,
    CPUS = CPU_UNIT + 1,

    /* Vectors of the host. */
    HOST_VECTOR = 0x31, /* of device interrupt 0 in remapped form; and up */
    WNV = 0xf1,         /* wakeup notification vector */
    ANV = 0xf2,         /* active notification vector, in every VMCS */
    KICK = 0xf3,        /* an idle pCPU has something to do */

    /* Vectors of the guest. Device interrupt n: 16 from here + 16 * n, one
     * after the other as the guest moves it. */
    VECTOR_DEVICE = 0x30,
    VECTOR_EMULATED = 0x80, /* from the emulated device, one per vCPU */
    VECTOR_IPI = 0x90,      /* from vCPU 0; and up */
    /* Bochs 3.0 delivers this one when ANV meets an empty PIR. */
    VECTOR_BOCHS = 0xff,
    VECTORS = 256,

    /* Who raises interrupts: device interrupts, the emulated device's vectors,
     * the vCPUs' IPIs. */
    SOURCE_EMULATED = INTERRUPTS,
    SOURCE_IPI = SOURCE_EMULATED + VCPUS,
    SOURCES = SOURCE_IPI + VCPUS,
};

/* ---- The guest: guest.c, guest_entry.S ---- */

/* What the guest and its devices share. The guest's handlers write it, in the
 * guest, without the host's knowledge. */
struct guest {
    /* Per vCPU and vector: handlers run. */
    atomic_ulong received[VCPUS][VECTORS];
    /* Per source, like head and tail of a device's ring: how many events there
     * have been, and how many of them a handler has seen. */
    atomic_ulong events[SOURCES];
    atomic_ulong seen[SOURCES];
    atomic_bool quiet; /* to the guest: raise no more, move no more, halt */
};

extern struct guest guest;

/* Guest code, for struct vmx_start. */
uint64_t guest_gates(void); /* its interrupt descriptor table */
uint64_t guest_stack(unsigned int vcpu);
void guest_main(uint64_t vcpu);

/* The source of a guest vector; SOURCES: none. */
unsigned int guest_source(uint8_t vector);

/* The guest's hypercall, by VMCALL: what a guest's write to its device's MSI
 * registers is to a hypervisor that traps it. */
enum {
    CALL_MOVE,   /* RBX: interrupt, RCX: vCPU, RDX: vector */
    CALL_UNPOST, /* RBX: interrupt; level-triggered, so not posted, for a while */
};

/* ---- The host ---- */

enum vcpu_state {
    READY,
    RUNNING,
    ASLEEP,
};

struct pcpu {
    struct vtdpi_pcpu pi; /* the library's part */
    uint64_t bitmap[VTDPI_BITMAP_WORDS(PID_PAGES)];
    unsigned int number; /* 1 and up: its CPU */
    bool idle;           /* under the scheduler's lock: KICK it */
    bool offline;        /* its local APIC takes no notification */
    struct vcpu *vcpu;   /* that it runs */
    uint64_t random;
    /* Counted by this pCPU. */
    uint64_t exits[VMX_EXITS];         /* by reason */
    uint64_t exit_interrupts[VECTORS]; /* external interrupts, by vector */
    uint64_t idle_interrupts[VECTORS]; /* taken while idle */
    uint64_t runs, migrations, preempts, halts, stays, refusals, offlines;
};

struct vcpu {
    struct vmx vmx;
    struct vtdpi_vcpu pi; /* the library's part */
    unsigned int number;
    uint64_t pda;    /* where its descriptor is */
    bool halted;     /* it waits for an interrupt, whatever state it is in */
    uint8_t highest; /* vector in its virtual IRR, or 0 */
    struct pcpu *last;
    atomic_ulong crossings; /* entries and exits: odd while in the guest */
    /* Under the scheduler's lock. */
    enum vcpu_state state;
    bool woken; /* sticky: a wake came since the halt began */
    struct vcpu *next;
};

/* An interrupt of an assigned device. */
struct interrupt {
    struct vtdpi_irq pi;          /* the library's part: the entry ... */
    struct vtdpi_binding binding; /* ... and what the guest makes of it */
    unsigned int number;
    uint16_t rid; /* of its device */
    struct vtdpi_msi msi;
    /* Odd while the entry is being changed; else it says what follows. */
    atomic_uint generation;
    /* Where the guest wants it, see ROUTE(); one word, since others read it. */
    atomic_uint route;
};

#define ROUTE(posted, vcpu, vector) \
    ((unsigned int)(posted) << 16 | (vcpu) << 8 | (vector))
#define ROUTE_IS_POSTED(route) (((route) >> 16 & 1) != 0)
#define ROUTE_VCPU(route)      (&host.vcpu[(route) >> 8 & 0xff])
#define ROUTE_VECTOR(route)    ((uint8_t)(route))

struct host {
    uint64_t seed; /* the same seed gives the same run */
    struct pcpu pcpu[PCPUS];
    struct vcpu vcpu[VCPUS];
    struct interrupt interrupts[INTERRUPTS];

    struct vtdpi_sched sched;
    struct vtdpi_table table;
    struct vtdpi_unit unit;   /* the library's driver ... */
    struct vtdpi_model model; /* ... and the hardware that it drives */

    atomic_bool stop_pcpus;
    atomic_bool start_devices;
    atomic_bool stop_unit;
};

extern struct host host;

/* vcpu.c */
void vcpu_run(struct pcpu *p, struct vcpu *v);
void vcpu_start(struct vcpu *v, unsigned int number);

/* scheduler.c */
void scheduler_start(void);
void scheduler_stop(void);      /* all vCPUs give their slots back */
void scheduler_loop(void *arg); /* what a pCPU does: arg is a struct pcpu */
void scheduler_ready(struct vcpu *v);
void scheduler_arm(struct vcpu *v); /* it halts: from now on a wake counts */
void scheduler_sleep(struct vcpu *v);
bool scheduler_has_waiting(void);
bool scheduler_is_asleep(const struct vcpu *v);
bool scheduler_all_asleep(void *arg);
void scheduler_interrupt(struct pcpu *p, uint8_t vector);
struct pcpu *scheduler_pcpu(uint32_t apic_id);

/* interrupts.c */
void interrupts_power_up(void);
void interrupts_start(void);
void interrupts_stop(void);

/* vm.c */
void vm_start(void);
void vm_stop(void);
void vm_bind(struct interrupt *i);
void vm_unbind(struct interrupt *i);
void vm_move(struct interrupt *i, struct vcpu *v, uint8_t vector);
void vm_unpost(struct interrupt *i);
void vm_relay(unsigned int number);

/* devices.c */
void devices_loop(void *arg); /* CPU_UNIT */
void emulated_loop(void);     /* CPU_MAIN, until there is nothing more to do */
bool devices_done(void *arg);

/* splitmix64; a number below a bound. Everyone who needs chance has a state of
 * their own, made from the seed and a number that nobody else uses. */
uint64_t chance_start(unsigned int number);
uint32_t chance(uint64_t *state, uint32_t below);
/* Waste some microseconds, where others could get in between. */
void dawdle(uint64_t *state);

/* A call that cannot fail here. */
void must(int rc, const char *what);

/* ---- The account: account.c ---- */

/* Whether everything that was raised for this vCPU and vector was received. Called by
 * the source of the vector. */
bool account_is_even(const struct vcpu *v, uint8_t vector);
void account_raised(const struct vcpu *v, uint8_t vector, bool merged,
                    bool even);
void account_sent(uint8_t vector); /* a notification */
void account_stale(void);
void account_watch(const struct vcpu *v); /* called again and again */
void account_late(unsigned int source);
/* Has a handler seen a source's last event; and every source's? */
bool account_is_seen(unsigned int source);
bool account_all_seen(void *arg);
/* Raised, and neither delivered nor known to have merged. */
unsigned long account_missing(unsigned int vcpu, unsigned int vector);

struct account_pair {
    atomic_ulong raised;
    atomic_ulong merged;     /* in PIR */
    atomic_ulong risked;     /* may have merged in the virtual IRR */
    atomic_ulong merged_irr; /* of those, the ones that turned out to have */
};

extern struct account_pair account_pairs[VCPUS][VECTORS];

struct account_counts {
    atomic_ulong by_unit, by_software, by_guest; /* posted */
    atomic_ulong merged_unit, merged_software;
    atomic_ulong remapped, relayed;
    atomic_ulong wakes, moves, unposts;
    atomic_ulong sent[VECTORS]; /* notifications */
    /* Wrong, each of them. */
    atomic_ulong stale;         /* delivered by an entry that was replaced */
    atomic_ulong misdirected;   /* a running vCPU's descriptor says otherwise */
    atomic_ulong overlooked;    /* posted to a sleeping vCPU, which slept on */
    atomic_ulong late[SOURCES]; /* waited in vain */
};

extern struct account_counts counts;

/* report.c: print it; true if all of it is as it has to be. */
bool report(void);

/* ---- The timeline: timeline.c ---- */

enum event {
    EVENT_RUNS,
    EVENT_PREEMPTED,
    EVENT_HALTS,
    EVENT_STAYS,
    EVENT_POSTS,
    EVENT_REMAPPED,
    EVENT_WAKES,
    EVENT_MOVES,
    EVENT_UNPOSTED,
    EVENT_OFFLINE,
};

/* What a post led to, beside the vector of a notification. */
enum {
    NONE_ON = 1, /* none, since one is outstanding */
    NONE_SN = 2, /* none, since SN is set */
    SENT = 3,    /* one of the two vectors */
};

/* One event on the timeline; numbers as timeline.c prints them. */
void timeline(enum event what, unsigned int who, unsigned int a, unsigned int b,
              unsigned int c);
unsigned int timeline_why_none(const struct vcpu *v); /* NONE_ON or NONE_SN */
/* What a post by software came to: @sent, or NONE_ON or NONE_SN. */
unsigned int timeline_post(enum vtdpi_post_result result, unsigned int sent);
void timeline_print(void);

#endif
