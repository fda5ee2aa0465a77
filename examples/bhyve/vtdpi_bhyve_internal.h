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
 * | vtdpi_bhyve.lock    | sx   | the list of VMs, the PID pool               |
 * | device              | sx   | the set-up of one device; ppt.c takes it    |
 * | kernel's interrupts | -    | taken below bus_setup_intr()                |
 * | unit (DMAR_LOCK)    | mtx  | entries; who uses an index                  |
 * | VM, decide          | spin | messages, APICs, bindings: bind.h's decide  |
 * |                     |      | lock                                        |
 * | VM, APICs           | spin | what a delivery reads: APICs and vCPUs      |
 * | vCPU (bhyve's)      | spin | its state; vcpu_notify_event() takes it     |
 *
 * APICs and vCPUs of a VM change with both spin locks of the VM held; each of
 * them is enough to read. Entries are changed with neither: vtdpi_vm_apply() takes
 * the unit's lock by itself, in the backend. The decide lock is taken inside a
 * unit's lock only where an entry is adopted. Under a vCPU's lock only lock-free
 * calls are made (block, unblock, pending).
 */

#include "vtdpi/bind.h"
#include "vtdpi/format.h"
#include "vtdpi/irq.h"
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
    /** Who has the unit's lock already, inside rebind(). */
    volatile u_long rebinder;
    u_int rebinds; /* calls of rebind() under way; under the unit's lock */
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
    /** Its APIC has changed, and that was not applied yet: since this flight. Both
     *  are written under the decide lock. */
    volatile u_int stale;
    uint64_t since;
};

/** @brief A VM. */
struct vtdpi_bhyve_vm {
    LIST_ENTRY(vtdpi_bhyve_vm) link;
    struct vm *vm;
    u_int maxcpus;
    volatile u_int devs;  /* assigned */
    volatile u_int stale; /* an APIC has changed, and nobody applies that yet */
    struct mtx lock;      /* bind.h's decide lock */
    struct mtx apics_lock;
    struct vtdpi_vm pi;
    struct vtdpi_bhyve_vcpu **vcpus; /* by number */
    /* Memory of pi. */
    struct vtdpi_guest_apic *apics;
    uint64_t *keys;
    struct vtdpi_vcpu **slots;
    struct vtdpi_binding **heads;
};

/** @brief A message of a device. Under the device's lock, except guest. */
struct vtdpi_bhyve_msg {
    struct vtdpi_irq irq;
    struct vtdpi_binding binding;  /* under the decide lock */
    struct vtdpi_bhyve_unit *unit; /* NULL: the index is not ours */
    /** The guest's message, address above data, in one word: pptintr() reads
     *  it at any time. 0: none. */
    volatile uint64_t guest;
    bool set;
};

/** @brief A passed-through device. */
struct vtdpi_bhyve_dev {
    struct sx lock;
    const char *name;
    /** The filter reads it, which runs only while a message is set up. */
    struct vtdpi_bhyve_vm *gvm;
    struct vtdpi_bhyve_msg *msgs;
    u_int count;
};

/** Counters of hw.vmm.vtdpi; name and description are in vtdpi_bhyve.c. */
enum vtdpi_bhyve_count {
    VTDPI_COUNT_SETUPS,
    VTDPI_COUNT_CHANGES,
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
/** @brief Adopt the entry of a host interrupt and bind it to the VM, or leave
 *         msg->unit NULL. */
void vtdpi_bhyve_dmar_adopt(struct vtdpi_bhyve_vm *gvm,
                            struct vtdpi_bhyve_msg *msg, u_int irq);
/** @brief Take the posted form away, whatever it takes, unbind and let go. */
void vtdpi_bhyve_dmar_release(struct vtdpi_bhyve_vm *gvm,
                              struct vtdpi_bhyve_msg *msg);

/* vtdpi_bhyve_vm.c. */

/** @brief The VM that bhyve calls @p vm; NULL: none. Thread context. */
struct vtdpi_bhyve_vm *vtdpi_bhyve_vm_find(const struct vm *vm);
/** @brief How many messages of all VMs are posted. Thread context. */
uint64_t vtdpi_bhyve_vm_posted(void);
/** @brief A vCPU is there; messages that wait for it are posted. Thread
 *         context. */
void vtdpi_bhyve_vm_join(struct vtdpi_bhyve_vm *gvm,
                         struct vtdpi_bhyve_vcpu *v);
/** @brief It goes: none of its messages is posted any more, unless that fails.
 *         Thread context. */
void vtdpi_bhyve_vm_leave(struct vtdpi_bhyve_vm *gvm,
                          struct vtdpi_bhyve_vcpu *v);
/** @brief Try again what has failed. Thread context. */
void vtdpi_bhyve_vm_retry(struct vtdpi_bhyve_vm *gvm);
/** @brief Make all vCPUs look whether they have to block. */
void vtdpi_bhyve_vm_notify(struct vtdpi_bhyve_vm *gvm);

/**
 * @brief Bring what was decided into force. Thread context; the decide lock is
 *        held, and released on return.
 *
 * @param b  The bindings that have changed, as for vtdpi_vm_begin().
 *
 * @return 0, or what vtdpi_vm_end() says of a change that has failed.
 */
int vtdpi_bhyve_apply(struct vtdpi_bhyve_vm *gvm,
                      struct vtdpi_binding *const *b, u_int count);

/** @brief The same, for changes that the guest waits for: a flush that failed is
 *         repeated once, and what fails then is reported. */
void vtdpi_bhyve_follow(struct vtdpi_bhyve_vm *gvm,
                        struct vtdpi_binding *const *b, u_int count);

#endif
