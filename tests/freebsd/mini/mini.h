/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINI_H
#define MINI_H

/*
 * A miniature bhyve: virtual CPUs, their virtual APICs, passed-through devices
 * and the DMAR driver below them, in the shapes of FreeBSD's vmm.ko as far as
 * the port touches it. All in our own words.
 *
 * Every interrupt is accounted for. Of a vector that was posted to a vCPU, in
 * whatever way, one of these becomes: it was there already, in PIR or in the
 * IRR; it was taken by the guest; it waits; it went with a reset.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/sx.h>

#include <machine/atomic.h>
#include <machine/segments.h>
#include <machine/vmm.h>
#include <x86/apicvar.h>

#include "shim.h"
#include "vtdpi/pid.h"
#include "vtdpi_bhyve.h"

struct mini_device;

MALLOC_DECLARE(M_MINI);

enum {
    MINI_UNITS = 2,
    MINI_VCPUS = 4, /* most of a VM */
    MINI_MSGS = 4,  /* of most devices */
    MINI_MSGS_MAX = 40,
    MINI_IRQS = 48,     /* of the host */
    MINI_ENTRIES = 256, /* of a table */
    MINI_REGISTRY = 32, /* vCPUs of all VMs */

    /* Vectors of guests. */
    MINI_VECTOR_MIN = 0x30,
    MINI_VECTOR_MAX = 0xdf,
    MINI_TPR_MAX = 0x90,
    /* Tells a guest to look at what the host wants of it. */
    MINI_VECTOR_SETTLE = 0xef,
};

/* What is checked of the port itself. */
#define mini_check(expr)                                                \
    do {                                                                \
        if (!(expr))                                                    \
            shim_fail("%s:%d: %s is false", __FILE__, __LINE__, #expr); \
    } while (0)

/* A virtual APIC (apic.c). */

enum {
    APIC_ID_REG = 0x20 / 4,
    APIC_TPR_REG = 0x80 / 4,
    APIC_PPR_REG = 0xa0 / 4,
    APIC_LDR_REG = 0xd0 / 4,
    APIC_DFR_REG = 0xe0 / 4,
    APIC_SVR_REG = 0xf0 / 4,
    APIC_ISR_REG = 0x100 / 4,
    APIC_IRR_REG = 0x200 / 4,
};

/* One vector's account. */
struct mini_account {
    uint64_t raised;     /* atomic */
    uint64_t pir_merged; /* atomic */
    uint64_t irr_merged; /* the owner's, as the rest */
    uint64_t delivered;
    uint64_t dropped; /* by a reset, or with the vCPU */
};

enum mini_vcpu_state {
    MINI_IDLE,
    MINI_FROZEN,
    MINI_RUNNING,
    MINI_SLEEPING,
};

/* What the guest is at; its thread's. */
struct mini_guest {
    bool interrupts; /* IF */
    bool halted;
    bool deaf;  /* it halts with interrupts off, once */
    bool quiet; /* it does nothing any more but take interrupts */
    u_int nested;
};

struct vm;

struct vcpu {
    struct vm *vm;
    u_int id;
    struct mtx mtx;
    enum mini_vcpu_state state;   /* mtx */
    u_int hostcpu;                /* mtx */
    uint32_t nmi;                 /* atomic */
    uint32_t want_ldr;            /* atomic: what the guest writes next, */
    uint64_t want_base;           /* and its IA32_APIC_BASE; 0: nothing */
    struct vtdpi_bhyve_vcpu *pi;  /* NULL: without the port */
    struct mini_device *at_block; /* atomic: it sends before the next block */
    uint32_t *apic;
    uint64_t pid_pa; /* of the VMCS */
    int rvi;         /* of the VMCS, which a reset leaves; -1: none */
    struct mini_guest guest;
    struct thread *td;
    struct mini_account account[256];
    /* What happened; its thread's. */
    uint64_t entries;
    uint64_t processed; /* notifications taken in the guest */
    uint64_t sleeps;
    uint64_t capped;      /* ended by the cap of a sleep */
    uint64_t blind_wakes; /* woken with nothing to take */
};

struct vm {
    u_int vcpus;
    u_int made;     /* of them */
    bool halt_exit; /* bhyve -H */
    /* What guests do of their own accord; 0: only take interrupts. */
    u_int storm;      /* one in so many steps is a deed */
    bool apic_games;  /* they change LDR and DFR */
    uint32_t suspend; /* atomic: leave vm_run() for good */
    uint32_t settle;  /* atomic: take what there is, and rest */
    struct vtdpi_bhyve_vm *pi;
    struct vcpu vcpu[MINI_VCPUS];
};

/* The module (vmm.c). */
void mini_modinit(void);
void mini_modcleanup(void);

struct vm *mini_vm_create(u_int vcpus, bool halt_exit);
/* Only some of the vCPUs, and the others later. */
struct vm *mini_vm_create_part(u_int vcpus, u_int made, bool halt_exit);
void mini_vm_make(struct vm *vm);
/* The last vCPU goes, and no other; no thread runs. */
void mini_vm_unmake(struct vm *vm);
void mini_vm_start(struct vm *vm); /* threads of all vCPUs */
void mini_vm_stop(struct vm *vm);  /* they leave, and are joined */
/* @between runs when the old descriptors have gone. */
void mini_vm_reinit(struct vm *vm, void (*between)(void *arg), void *arg);
void mini_vm_destroy(struct vm *vm);
void mini_vcpu_reset(struct vcpu *v);
/* Snapshots of a vCPU whose thread does not run: the page, then the rest. A restore
 * may take the rest first. */
struct mini_snapshot {
    uint32_t page[PAGE_SIZE / 4];
    struct vtdpi_bhyve_saved pi;
};
void mini_vcpu_save(const struct vcpu *v, struct mini_snapshot *s);
void mini_vcpu_restore(struct vcpu *v, const struct mini_snapshot *s,
                       bool page_last);
/* All guests take what there is, and rest; the caller waits for that. */
void mini_vm_settle(struct vm *vm);
void mini_vcpu_nmi(struct vcpu *v);

/* The part of vmx.c. @nothing is an interrupt entry that only sends the EOI. */
void mini_vmx_modinit(inthand_t *nothing);
void mini_vmx_modcleanup(void);
extern int mini_pirvec; /* -1: none */
/* Interrupts are delivered virtually, with the port. If not, bhyve injects them
 * by itself, and no hook of a VM or a vCPU is called. */
extern bool mini_vid;

/* Running (vmx.c): why it came back. */
enum mini_exit {
    MINI_EXIT_HLT,
    MINI_EXIT_USER,
    MINI_EXIT_YIELD,
    MINI_EXIT_SUSPEND,
};
enum mini_exit mini_vmx_run(struct vcpu *v);

/* Guests (guest.c). */
enum mini_step {
    MINI_STEP_ON,
    MINI_STEP_HLT,
    MINI_STEP_USER,
    MINI_STEP_EXIT, /* handled at once */
};
enum mini_step mini_guest_step(struct vcpu *v);

/* Virtual APICs (apic.c). */
void mini_apic_reset(struct vcpu *v);
void mini_apic_set_priority(struct vcpu *v, uint32_t tpr);
bool mini_apic_deliverable(const struct vcpu *v);
void mini_apic_deliver(struct vcpu *v);
void mini_apic_eoi(struct vcpu *v);
int mini_apic_requested(const struct vcpu *v); /* highest, or -1 */
bool mini_apic_unmasked(const struct vcpu *v, int vector);
/* The registers that decide on destinations have changed. */
void mini_apic_changed(struct vcpu *v, uint64_t base);
bool mini_apic_in_service(const struct vcpu *v);
void mini_apic_inject(struct vcpu *v);
bool mini_apic_pending(struct vcpu *v);
void mini_apic_process_posted(struct vcpu *v);
/* By software, any context: vmx_set_intr_ready(). */
void mini_apic_post(struct vcpu *v, uint8_t vector);
/* A message that has arrived at the host, by the port. */
bool mini_apic_deliver_msg(const struct mini_device *dev, u_int msg);
/* A guest's message, bhyve's own way: lapic_intr_msi(). */
void mini_apic_msi(struct vm *vm, uint64_t addr, uint32_t data);

/* Accounts (account.c). */
void mini_account_reset(void);
void mini_register(struct vcpu *v);
void mini_unregister(struct vcpu *v);
struct vcpu *mini_vcpu_of(uint64_t pid_pa); /* NULL: nobody's */
void mini_account_check(const struct vcpu *v);
/* What waits goes: by a reset, or with the vCPU. */
void mini_account_drop(struct vcpu *v);
/* What waits was there before this vCPU: it has been restored. */
void mini_account_restored(struct vcpu *v);
/* What was posted since the last call, over all vCPUs; for reports. */
uint64_t mini_account_sum(const struct vm *vm, size_t offset);
void mini_irr_or(struct vcpu *v, const uint64_t pir[4]);

/* DMAR (dmar.c). A unit is meant by its place, 0 to MINI_UNITS - 1; the port
 * is told the driver's number of it. */
struct vtdpi_model;
void mini_dmar_start(uint64_t seed);
void mini_dmar_stop(void);
u_int mini_dmar_alloc(u_int unit, u_int count); /* contiguous, aligned */
void mini_dmar_program(u_int unit, u_int index, u_int sid, u_int cpu,
                       uint8_t vector);
void mini_dmar_free(u_int unit, u_int index);
bool mini_dmar_is_posted(u_int unit, u_int index);
struct vtdpi_model *mini_dmar_model(u_int unit);
/* Unit @place and those behind it have a number one higher, so that a hole is
 * before them; MINI_UNITS: no hole. Before the driver starts. */
void mini_dmar_hole(u_int place);
/* The driver says that unit @place does not post; MINI_UNITS: none. */
void mini_dmar_without_pi(u_int place);
/* The kernel was built without the question before a re-bind, or with it. */
void mini_dmar_unhook(bool unhook);
/* @f is called at the end of every invalidation of the port's, or before every
 * question of the driver's, in that thread and with the unit's lock held; NULL:
 * nothing. */
enum mini_dmar_place {
    MINI_AT_FLUSH,
    MINI_AT_QUESTION,
    MINI_DMAR_PLACES,
};
void mini_dmar_at(enum mini_dmar_place place, void (*f)(void *arg), void *arg);
/* The next @n invalidations fail. */
void mini_dmar_fail(u_int unit, u_int n);

/* Host interrupts (msi.c). */
u_int mini_irq_alloc(u_int unit, u_int count, u_int sid);
void mini_irq_free(u_int irq);
bool mini_irq_entry(u_int irq, u_int *unit, u_int *index);
void mini_irq_setup(u_int irq, struct mini_device *dev, u_int msg,
                    void (*filter)(void *arg), void *arg);
void mini_irq_teardown(u_int irq, struct mini_device *dev, u_int msg);
void mini_irq_rebind(u_int irq, u_int cpu); /* cpuset -x */

/* Devices (device.c), and what bhyve makes of them (ppt.c). */
struct mini_message {
    uint32_t busy; /* atomic: a raise or a change is under way */
    bool enabled;  /* busy */
    uint64_t addr; /* of the device: remappable format; busy */
    uint32_t data;
    uint32_t seq;      /* atomic; odd while the guest's message changes */
    struct vcpu *want; /* atomic: who must get it, if that is sure */
    uint32_t want_vector;
    u_int irq;
    bool set; /* the device's lock, as irq */
};

struct mini_device {
    struct vtdpi_bhyve_dev *pi;
    const char *name;
    u_int unit;
    u_int sid;
    bool msi;     /* messages share one address */
    bool lenient; /* an old entry may be used: invalidations fail */
    struct vm *vm;
    u_int msgs;  /* allocated */
    u_int count; /* that it has */
    struct mini_message msg[MINI_MSGS_MAX];
    struct mini_ppt_arg {
        struct mini_device *dev;
        u_int msg;
    } arg[MINI_MSGS_MAX];
    uint64_t raised; /* its thread's */
    uint64_t posted;
    uint64_t remapped;
    uint64_t merged_host; /* a host vector that was pending already */
    uint64_t masked;
    uint64_t handled; /* pptintr(); atomic */
};

/* False: the message is masked. */
bool mini_device_raise(struct mini_device *dev, u_int msg);
void mini_device_mask(struct mini_device *dev, u_int msg);
/* What the device has sent before is at the CPUs. */
void mini_device_settle(struct mini_device *dev, u_int msg);
void mini_device_unmask(struct mini_device *dev, u_int msg, uint64_t addr,
                        uint32_t data);

void mini_ppt_start(bool locked);
void mini_ppt_stop(void);
void mini_ppt_attach(struct mini_device *dev, const char *name, u_int unit,
                     u_int sid, bool msi);
void mini_ppt_detach(struct mini_device *dev);
void mini_ppt_assign(struct mini_device *dev, struct vm *vm);
void mini_ppt_unassign(struct mini_device *dev);
/* The guest writes entry @msg of its MSI-X table. */
void mini_ppt_setup(struct mini_device *dev, u_int msg, uint64_t addr,
                    uint32_t data, bool masked);
/* A message for one vCPU, physical and fixed. */
uint64_t mini_msi_addr(u_int dest);

#endif
