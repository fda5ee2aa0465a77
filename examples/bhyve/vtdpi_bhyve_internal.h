/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BHYVE_INTERNAL_H
#define VTDPI_BHYVE_INTERNAL_H

/**
 * @file
 * @brief What the files of the port share.
 *
 * Locks, outermost first:
 *
 * | lock                | kind | guards                                      |
 * |---------------------|------|---------------------------------------------|
 * | vtdpi_bhyve.lock    | sx   | lists of VMs and devices, the PID pool      |
 * | device              | sx   | the set-up of one device; ppt.c takes it    |
 * | kernel's interrupts | -    | taken below bus_setup_intr()                |
 * | unit (DMAR_LOCK)    | mtx  | entries, and the struct vtdpi_irq of each   |
 *
 * and by itself, never with a unit's lock: the VM's mtx, over its route map.
 * bhyve's vCPU spin locks have no place in this order: under one of them only
 * lock-free calls are made (block, unblock, pending).
 */

#include "vtdpi/irq.h"
#include "vtdpi/route.h"
#include "vtdpi/sched.h"
#include "vtdpi/verdict.h"

#include "vtdpi_bhyve.h"
#include "vtdpi_dmar.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bus.h>
#include <sys/counter.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/smp.h>
#include <sys/sx.h>

#include <machine/smp.h>
#include <x86/apicvar.h>

MALLOC_DECLARE(M_VTDPI);

/** @brief A remapping unit of the DMAR driver. */
struct vtdpi_bhyve_unit {
    struct vtdpi_backend backend;
    u_int number; /* of the driver; its place in units is another */
    u_int irte_cnt;
    bool usable; /* entries can be replaced in one step */
    /** Who uses an index; NULL: nobody of ours. Under the unit's lock. */
    struct vtdpi_bhyve_msg **adopted;
};

/** @brief A vCPU. */
struct vtdpi_bhyve_vcpu {
    struct vtdpi_vcpu pi;
    struct vtdpi_bhyve_vm *gvm;
    struct vcpu *vcpu;
    uint32_t *apic; /* its virtual-APIC page */
    u_int vcpuid;
    volatile uint64_t apic_base; /* as last told; its thread writes it */
};

/** @brief A VM. */
struct vtdpi_bhyve_vm {
    LIST_ENTRY(vtdpi_bhyve_vm) link;
    LIST_HEAD(, vtdpi_bhyve_dev) devs; /* under vtdpi_bhyve.lock */
    struct vm *vm;
    u_int maxcpus;
    volatile u_int stale; /* an APIC has changed since the map was made */
    struct mtx lock;      /* over what follows */
    struct vtdpi_route_map map;
    struct vtdpi_guest_apic *apics;
    uint64_t *keys;
    struct vtdpi_bhyve_vcpu **vcpus;
};

/** @brief A message of a device. Under the device's lock, but for guest. */
struct vtdpi_bhyve_msg {
    struct vtdpi_irq irq;          /* under the unit's lock, too */
    struct vtdpi_bhyve_unit *unit; /* NULL: the index is not ours */
    /** The guest's message, address above data, in one word: pptintr() reads
     *  it at any time. 0: none. */
    volatile uint64_t guest;
    struct vtdpi_bhyve_vcpu *target; /* decided: post there; NULL: do not */
    struct vtdpi_bhyve_vcpu *posted; /* done, and accounted for */
    uint8_t vector;
    bool set;
    bool named; /* the entry names target; if not, no vCPU */
};

/** @brief A passed-through device. */
struct vtdpi_bhyve_dev {
    LIST_ENTRY(vtdpi_bhyve_dev) link; /* in its VM, under vtdpi_bhyve.lock */
    struct sx lock;
    const char *name;
    struct vtdpi_bhyve_vm *gvm; /* written with both sx held */
    struct vtdpi_bhyve_msg *msgs;
    u_int count;
};

/** Counters of hw.vmm.vtdpi; name and description are in vtdpi_bhyve.c. */
enum vtdpi_bhyve_count {
    VTDPI_COUNT_SETUPS,
    VTDPI_COUNT_CHANGES,
    VTDPI_COUNT_POSTED,
    VTDPI_COUNT_MOVES,
    VTDPI_COUNT_REROUTES,
    VTDPI_COUNT_REBINDS,
    VTDPI_COUNT_OVERWRITTEN,
    VTDPI_COUNT_FAILURES,
    VTDPI_COUNT_SOFT_POSTS,
    VTDPI_COUNT_SOFT_IPIS,
    VTDPI_COUNT_BLOCKS,
    VTDPI_COUNT_WAKEUP_INTRS,
    VTDPI_COUNT_WAKEUPS,
    VTDPI_COUNTS
};

/** @brief The instance; one a kernel. */
struct vtdpi_bhyve {
    struct sx lock;
    struct vtdpi_sched sched;
    struct vtdpi_pcpu *pcpus;       /* by CPU id */
    struct vtdpi_bhyve_unit *units; /* without the holes of their numbers */
    u_int unit_count;
    uint8_t anv;
    bool active;  /* anv is a vector that processors know */
    int wnv;      /* -1: none was to be had */
    bool up;      /* vtdpi_bhyve_modinit() has succeeded */
    bool posting; /* devices may post */
    LIST_HEAD(, vtdpi_bhyve_vm) vms;
    counter_u64_t counts[VTDPI_COUNTS];
};

extern struct vtdpi_bhyve vtdpi_bhyve;

/** @brief Count. Any context. */
static inline void vtdpi_bhyve_count(enum vtdpi_bhyve_count which, int64_t n)
{
    if (vtdpi_bhyve.up)
        counter_u64_add(vtdpi_bhyve.counts[which], n);
}

/** @brief How the host's local APICs are addressed. */
static inline enum vtdpi_apic_mode vtdpi_bhyve_mode(void)
{
    return (x2apic_mode != 0 ? VTDPI_X2APIC : VTDPI_XAPIC);
}

/* vtdpi_bhyve_pool.c: the scheduling instance. Thread context. */

/** @brief Make it, with all CPUs. @p wnv is negative if there is none. */
int vtdpi_bhyve_pool_init(const struct vtdpi_platform_ops *ops, uint8_t anv,
                          int wnv);
void vtdpi_bhyve_pool_fini(void);
/** @brief Attach a vCPU to any free slot; sleeps until there is one. */
void vtdpi_bhyve_pool_attach(struct vtdpi_bhyve_vcpu *v);

/* vtdpi_bhyve_vcpu.c */

/** @brief The vCPU may have something to do: as for an interrupt that bhyve
 *         itself has made pending. Takes the vCPU's lock. */
void vtdpi_bhyve_notify(struct vtdpi_bhyve_vcpu *v);

/* vtdpi_bhyve_dmar.c: the DMAR driver. Thread context. */

/** @brief Ask the driver for its units and reach the verdict. */
void vtdpi_bhyve_dmar_init(void);
void vtdpi_bhyve_dmar_fini(void);
/** @brief Adopt the entry of a host interrupt, or leave msg->unit NULL. */
void vtdpi_bhyve_dmar_adopt(struct vtdpi_bhyve_msg *msg, u_int irq);
/** @brief Take the posted form away, whatever it takes, and let go. */
void vtdpi_bhyve_dmar_release(struct vtdpi_bhyve_msg *msg);
/** @brief Make the entries of @p n messages follow their targets: one flush.
 *         Those that are not adopted are passed over. */
void vtdpi_bhyve_dmar_follow(struct vtdpi_bhyve_msg *msgs, u_int n);

/* vtdpi_bhyve_vm.c. Thread context. */

/** @brief A vCPU is there; messages that wait for it are posted. */
void vtdpi_bhyve_vm_join(struct vtdpi_bhyve_vm *gvm,
                         struct vtdpi_bhyve_vcpu *v);
/** @brief It goes. */
void vtdpi_bhyve_vm_leave(struct vtdpi_bhyve_vm *gvm,
                          struct vtdpi_bhyve_vcpu *v);

/** @brief Decide where a message goes: sets target and vector. */
void vtdpi_bhyve_decide(struct vtdpi_bhyve_vm *gvm,
                        struct vtdpi_bhyve_msg *msg);

/* vtdpi_bhyve_ppt.c */

/** @brief Look at the routes of all devices of a VM again. Takes their
 *         locks. */
void vtdpi_bhyve_reroute_devs(struct vtdpi_bhyve_vm *gvm);

#endif
