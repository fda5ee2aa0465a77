/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BIND_H
#define VTDPI_BIND_H

/**
 * @file
 * @brief The interrupts of a VM: from the guest's messages to the entries.
 *
 * A **binding** ties a device interrupt (irq.h) to the message that the guest
 * has programmed for it. route.h decides where that message goes; this header
 * makes the entry follow, and decides again when something has changed that the
 * decision rests on. There are two steps, with different locks.
 *
 * **Recording** a change marks the bindings that the change concerns. That touches no
 * hardware, calls no backend and does not sleep. The host has one lock for each VM, the
 * *decide lock*, which may be a spin lock:
 *
 * | the host traps, or does                   | call, with the decide lock held |
 * |-------------------------------------------|---------------------------------|
 * | guest writes an MSI or MSI-X message      | vtdpi_binding_set_message()     |
 * | guest enables multi-message MSI           | vtdpi_binding_set_block()       |
 * | guest disables MSI                        | vtdpi_binding_set_message(NULL) |
 * | guest masks, unmasks                      | vtdpi_binding_mask(), _unmask() |
 * | guest writes id, LDR, DFR, SVR, APIC mode | vtdpi_vm_set_apic()             |
 * | vCPU gets its slot; is about to lose it   | vtdpi_vm_attach(), _detach()    |
 * | posting is inhibited, or allowed again    | vtdpi_vm_set_posting()          |
 * | host form is set, or taken away           | vtdpi_binding_set_host()        |
 * | device is assigned; taken away            | vtdpi_vm_bind(), _unbind()      |
 * | a unit works again, or was given up       | vtdpi_vm_retry()                |
 *
 * **Applying** decides anew for what is marked, and changes the entries. This is the
 * whole of a guest's trap:
 *
 * @code
 * lock(vm);
 * rc = vtdpi_binding_set_message(b, &msi);
 * if (rc == 0)
 *     rc = vtdpi_vm_begin(vm, &work, &b, 1);
 * unlock(vm);
 * while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) {
 *     if (rc > 0)
 *         vtdpi_vm_apply(&work);
 *     else
 *         yield();
 *     lock(vm);
 *     rc = rc > 0 ? vtdpi_vm_end(vm, &work) : vtdpi_vm_begin_again(vm, &work);
 *     unlock(vm);
 * }
 * @endcode
 *
 * vtdpi_vm_begin() decides for the bindings that it is called for, and takes
 * those whose entry has to change: they are **in flight** until vtdpi_vm_end().
 * Only vtdpi_vm_apply() calls backends; it runs without the decide lock and may
 * sleep. Several changes under one hold of the lock are one begin: one flush and
 * one wait for each table, however many entries change.
 *
 * **POST** makes the posted form. **REMAP** and **REJECT** take it away: the
 * entry goes back to the host form, whose handler injects in software
 * (vtdpi_vm_deliver()), or drops. Without a host form the entry is not present;
 * VTDPI_ENOHOST tells the host, which can then allocate a vector.
 *
 * **Nobody waits in the library.** A binding that is in flight is not taken a
 * second time. A change that concerns the binding marks it, and the CPU that has
 * the binding in flight takes it once more in vtdpi_vm_end(). The CPU that made the
 * change gets VTDPI_EINFLIGHT. Some callers must not go on before their change is in
 * force: the guest's write of a message or of an APIC register, the unmask of the
 * device, and a detach. Such a caller drops the lock, yields, and calls
 * vtdpi_vm_begin_again(). Of several results the first of this list is returned:
 * EINFLIGHT, EDUE, an error, ENOHOST.
 *
 * **Failure.** Where an entry does not follow, since the backend refused or a
 * flush failed, the binding has **failed**. Its decision stands, no reference is
 * lost, and what was posted stays deliverable; until a flush has succeeded, units
 * may use the old entry. vtdpi_binding_error() says why. Only a begin that names
 * the binding, a new change that concerns it, or vtdpi_vm_retry() tries again: a
 * unit that is dead costs no other call anything. The guest's write completes.
 *
 * **Refused for good.** A table that cannot post (VTDPI_ENOPI), or cannot reach
 * the PID (VTDPI_EIRTE_PDA_WIDTH), is no failure. The interrupt goes to the host
 * form, and the reason of the decision says why. Each later decision asks the
 * table again.
 *
 * **What a change concerns.** Bindings are kept by destination. A change of a vCPU's
 * APIC looks at the bindings whose message names that APIC, before the change or after
 * it, and at the bindings of the same logical cluster. It looks at no other binding;
 * vtdpi_vm_get_stats() counts. If there are fewer buckets than destinations in use,
 * some destinations share a bucket, and their bindings are looked at together.
 *
 * **Retargeting** from vCPU A to B: an interrupt that is raised at that time is
 * recorded once, in A's PID or in B's. What A got stays in A's PIR and is
 * delivered there, as if it had been accepted before the guest wrote its
 * message. After success nothing more goes to A.
 *
 * **vCPUs.** The VM has a hold on each vCPU that it knows, from
 * vtdpi_vm_attach() to vtdpi_vm_detach(), and a binding in flight has one on
 * the vCPU that it is to be posted to. Until all are given back
 * vtdpi_vcpu_detach() says VTDPI_EBUSY, so no delivery and no entry can reach a
 * slot that is somebody else's.
 *
 * **Masked.** A masked device sends nothing, so an entry stays as it is, posted
 * or not. A message that is written under the mask is kept until the unmask and
 * decided on then: a guest that masks, writes three registers and unmasks costs
 * one change, and no decision is made on half a message. Other changes treat the
 * binding as if it were not masked, by the message in force.
 *
 * **Locks.** These need the decide lock: the calls of the table above,
 * vtdpi_vm_begin(), vtdpi_vm_end() and queries. vtdpi_vm_apply() needs no lock, and
 * different works of one VM run side by side. vtdpi_irq_set_host() needs no lock of the
 * VM, so affinity code calls it at any time. vtdpi_vm_deliver() only reads the APICs
 * and vCPUs of the VM: its contract says what has to exclude their changes. Different
 * VMs are independent.
 *
 * Memory is the caller's: a pointer for each vCPU and bucket, the map's
 * (route.h), 2 KiB, and a struct vtdpi_binding for each interrupt.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/irq.h"
#include "vtdpi/msi.h"
#include "vtdpi/route.h"
#include "vtdpi/sched.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

struct vtdpi_binding;

/** Heads of lists besides the buckets: one for each logical destination of 8
 *  bits, one for broadcasts, one for bindings that no APIC concerns. */
#define VTDPI_VM_LISTS          258

/** Default of struct vtdpi_vm_params.part. */
#define VTDPI_VM_PART           256

/** Pointers that the lists of a VM with @p buckets buckets need. */
#define VTDPI_VM_HEADS(buckets) (VTDPI_VM_LISTS + VTDPI_CAST_(size_t, buckets))

/** @brief What vtdpi_vm_init() needs. All memory stays as long as the VM. */
struct vtdpi_vm_params {
    /** For the map of the APICs: @p vcpu_count elements. */
    struct vtdpi_guest_apic *apics;
    /** The same: VTDPI_ROUTE_MAP_KEYS(@p vcpu_count) words. */
    uint64_t *keys;
    /** @p vcpu_count pointers. */
    struct vtdpi_vcpu **vcpus;
    uint32_t
        vcpu_count; /**< vCPU numbers are below; 1 to VTDPI_ROUTE_MAP_MAX. */
    /** VTDPI_VM_HEADS(@p buckets) pointers. */
    struct vtdpi_binding **heads;
    /** A power of two, 1 to 2^31. For most guests take the number of vCPUs. If
     *  there are fewer buckets than destinations in use, destinations share. */
    uint32_t buckets;
    /** Most bindings that one vtdpi_vm_begin() or vtdpi_vm_end() decides for: the
     *  number limits the time for which the decide lock is held. Each such part
     *  has a flush of its own. 0: VTDPI_VM_PART. */
    uint32_t part;
    enum vtdpi_compat_dest form; /**< Where this guest puts the destination. */
    bool posting;                /**< Posting is on at first. */
    uint8_t vector_min; /**< As in struct vtdpi_route_options; 0: 16. */
};

/** @brief A VM; the host embeds it. It does not move. */
struct vtdpi_vm {
    /* private: */
    struct vtdpi_route_map map;
    struct vtdpi_route_options options;
    struct vtdpi_vcpu **vcpus; /* NULL: not attached */
    struct vtdpi_binding **heads;
    struct vtdpi_binding *due;    /* marked, oldest first */
    struct vtdpi_binding **last;  /* where the next one is put */
    struct vtdpi_binding *flying; /* in flight */
    struct vtdpi_binding *failed;
    uint64_t marks;         /* made so far: the number of the latest */
    uint64_t flights;       /* begun so far: the number of the latest */
    uint64_t failed_flight; /* the latest that has failed */
    uint64_t visited;
    uint64_t decided;
    uint32_t count[VTDPI_ROUTE_REASONS]; /* bindings, by their decision */
    uint32_t due_count;
    uint32_t part;
    uint32_t vcpu_count;
    uint32_t shift; /* of a product of 32 bits, to the number of a bucket */
};

/** @brief An interrupt of a VM; the host embeds it. Zeroed before it is bound
 *         first. It does not move. */
struct vtdpi_binding {
    /* private: */
    struct vtdpi_vm *vm; /* NULL: not bound */
    struct vtdpi_irq *irq;
    /* Of the list by destination. */
    struct vtdpi_binding *next;
    struct vtdpi_binding **link; /* what points here */
    /* Of those that are due, in flight or failed, as state says. */
    struct vtdpi_binding *next_state;
    struct vtdpi_binding **link_state;
    uint64_t mark; /* number of the oldest that no flight has copied; 0: none */
    struct vtdpi_route_decision decision;
    struct vtdpi_route_decision unrouted; /* the next one, unless routed */
    struct vtdpi_msi message;             /* the latest, be it under the mask */
    struct vtdpi_compat_msi msg;          /* in force, if routed */
    /* What the entry holds, if known. */
    struct vtdpi_vcpu *vcpu; /* NULL: the host form */
    uint8_t vector;
    bool known;
    bool written; /* there is a message */
    bool routed;  /* msg counts: a message, and well-formed */
    bool masked;
    bool host;    /* there is a host form */
    bool leaving; /* vtdpi_vm_unbind() was called */
    uint8_t state;
    int error; /* of the last work */
    /* The copy of the decision that is in flight. */
    struct {
        struct vtdpi_binding *next; /* of the same work */
        struct vtdpi_vcpu *vcpu;    /* referenced; NULL: the host form */
        uint64_t mark;              /* the oldest that it brings into force */
        uint64_t number;            /* of the flight */
        int rc;
        uint8_t vector;
        uint8_t refusal; /* enum vtdpi_route_reason */
        uint8_t stage;
        uint8_t tries;
        bool joined; /* the commit concerns it */
    } flight;
};

/** @brief Bindings that one caller has in flight; on the caller's stack. */
struct vtdpi_vm_work {
    /* private: */
    struct vtdpi_binding *first;       /* of those in flight */
    struct vtdpi_binding **last;       /* where the next one is put */
    struct vtdpi_binding *const *only; /* NULL: what is due */
    uint32_t count;                    /* of only, or of those that were due */
    uint32_t at;                       /* of them looked at */
    uint64_t mark;                     /* the latest when the work began */
    uint64_t flight;                   /* the same */
    int error;
    bool again;     /* not the first begin */
    bool due;       /* marked more often than this work takes a binding */
    bool in_flight; /* another work has one that this one needs */
    bool no_host;
};

/** @brief What there is and what was done. */
struct vtdpi_vm_stats {
    uint32_t bindings; /**< Bindings of the VM. */
    uint32_t due;      /**< Of them marked, and not in flight. */
    uint32_t failed;   /**< Of them failed. */
    uint64_t visited;  /**< Bindings looked at since init because an APIC had
                            changed. */
    uint64_t decided;  /**< Decisions made since init. */
};

/** @brief What a delivery by software came to. */
struct vtdpi_vm_delivery {
    uint32_t posted;   /**< vCPUs that it was posted to. */
    uint32_t notified; /**< Of them, those that needed a notification. */
    /** Of them, those whose SN was set, so that nobody was notified. A host
     *  whose vCPU threads sleep without a block wakes those of the VM. */
    uint32_t suppressed;
    uint32_t injected; /**< vCPUs that were left to the host. */
};

/**
 * @brief Have a vCPU take what cannot be posted to it: the host sets its
 *        virtual IRR, or injects an NMI, SMI, INIT or ExtINT, and kicks it.
 *
 * What @p msg says counts: delivery mode, vector, trigger. A vector below 16 in
 * a fixed or lowest-priority message is only recorded, as the error "received
 * illegal vector". Called inside vtdpi_vm_deliver(), in the context of its
 * caller and with the locks of its caller. Must not take the decide lock, must
 * not change the VM, must not fail.
 *
 * @param ctx   As given to vtdpi_vm_deliver().
 * @param vcpu  The vCPU's number.
 * @param msg   The message. Valid during the call.
 */
typedef void (*vtdpi_vm_inject)(void *ctx, uint32_t vcpu,
                                const struct vtdpi_compat_msi *msg);

/**
 * @brief Initialise a VM: no APIC, no vCPU attached, no binding.
 *
 * A VM that was in use must have no vCPU attached and no binding any more: the
 * references on its vCPUs would never be given back.
 *
 * @param vm      The VM. Not NULL.
 * @param params  See there; may be temporary, except for what it points to.
 *
 * @thread @waitfree
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL, or a number is out of range. The VM
 *                       must not be used.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_init(struct vtdpi_vm *vm, const struct vtdpi_vm_params *params);

/**
 * @brief Put an interrupt under the VM's control.
 *
 * From here to vtdpi_vm_unbind_end() the host changes only the host form, with
 * vtdpi_irq_set_host(), and may flush the interrupt or tear it down.
 *
 * The interrupt may have a posted form already, from vtdpi_irq_adopt(). Then the binding
 * is marked. The host sets the guest's message before it lets go of the decide lock. If
 * that message says what the entry says, nothing is written and nothing is flushed.
 *
 * @param vm    The VM. Not NULL.
 * @param b     The binding: no message, not masked. Not NULL.
 * @param irq   The interrupt; stays until the binding has gone.
 * @param host  Whether the interrupt has a host form.
 *
 * @pre The decide lock is held. No call for the interrupt is under way.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL.
 * @retval VTDPI_EBUSY   @p b is bound, or the interrupt has a posted form whose
 *                       target is no vCPU's.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_vm_bind(struct vtdpi_vm *vm,
                                                        struct vtdpi_binding *b,
                                                        struct vtdpi_irq *irq,
                                                        bool host);

/**
 * @brief Decide to give an interrupt back: its message is taken away.
 *
 * The first of two steps. A vtdpi_vm_begin() that names the binding and its work
 * take the posted form away, then vtdpi_vm_unbind_end() ends the binding. An
 * interrupt that was torn down (vtdpi_irq_teardown(), pinned or not) takes the
 * same way: its work changes nothing and succeeds.
 *
 * @param b  The binding. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 0             The binding takes no message any more.
 * @retval VTDPI_EINVAL  @p b is NULL or not bound.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_unbind(struct vtdpi_binding *b);

/**
 * @brief End a binding.
 *
 * @param b  The binding, after vtdpi_vm_unbind(). Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Not bound any more. The memory of the binding is the
 *                       host's again, and the interrupt has no posted form.
 * @retval VTDPI_EINVAL  @p b is NULL or not bound, or vtdpi_vm_unbind() was not
 *                       called.
 * @retval VTDPI_EBUSY   The binding is due, in flight or failed. Apply it first;
 *                       if that fails, tear the interrupt down before.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_unbind_end(struct vtdpi_binding *b);

/**
 * @brief The guest has written a message, or disabled MSI.
 *
 * The host's own message in the device stays. Under the mask the message is only
 * stored.
 *
 * @param b    The binding. Not NULL.
 * @param msi  The message, well-formed or not. NULL: none; comes into force
 *             under the mask, too.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Stored, and marked unless masked.
 * @retval VTDPI_EINVAL  @p b is NULL or not bound. Nothing has changed.
 * @retval VTDPI_ESTATE  vtdpi_vm_unbind() was called. Nothing has changed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_binding_set_message(struct vtdpi_binding *b, const struct vtdpi_msi *msi);

/**
 * @brief The guest has enabled MSI with several messages, or disabled it.
 *
 * Message i has the number i in the low bits of its data, as the device would
 * put it there: data + i, for a base that is aligned as it has to be. A
 * vtdpi_vm_begin() that names all of them changes all in one flush.
 *
 * @param b      The bindings, by the number of the message; one VM, one
 *               table, indexes one after the other
 *               (vtdpi_msi_encode_block()).
 * @param count  Their number: a power of two, 1 to VTDPI_MSI_BLOCK_MAX.
 * @param msi    The guest's message. NULL: none.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 0             As vtdpi_binding_set_message().
 * @retval VTDPI_EINVAL  A binding is NULL or not bound, of another VM or table,
 *                       or @p count is not as above.
 * @retval VTDPI_EINDEX  Indexes are not one after the other.
 * @retval VTDPI_ESTATE  vtdpi_vm_unbind() was called for one of them.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_binding_set_block(struct vtdpi_binding *const *b, uint32_t count,
                        const struct vtdpi_msi *msi);

/**
 * @brief The guest has masked the interrupt: MSI-X entry, function, or MSI
 *        per-vector mask.
 *
 * Changes no entry and marks nothing. The host has masked the device before.
 *
 * @param b  The binding. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD void vtdpi_binding_mask(struct vtdpi_binding *b);

/**
 * @brief The guest has unmasked the interrupt: the latest message comes into
 *        force.
 *
 * The host unmasks the device after the change was applied. After an error it may
 * do so as well: what the device sends goes where the old entry or the new one
 * says.
 *
 * @param b  The binding. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Marked.
 * @retval VTDPI_EINVAL  @p b is NULL or not bound. Nothing has changed.
 * @retval VTDPI_ESTATE  vtdpi_vm_unbind() was called. Nothing has changed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_binding_unmask(struct vtdpi_binding *b);

/**
 * @brief Say whether the interrupt has a host form.
 *
 * The host says so after vtdpi_irq_set_host(). The VM keeps it as a flag of the
 * binding and does not look into the interrupt, which affinity code may change at
 * any time. The flag decides only whether VTDPI_ENOHOST is returned.
 *
 * @param b     The binding. Not NULL.
 * @param host  Whether there is a host form now.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD void vtdpi_binding_set_host(struct vtdpi_binding *b,
                                                 bool host);

/**
 * @brief The state of a guest's APIC has changed: id, LDR, DFR, mode, enable.
 *
 * Also when a vCPU is plugged, and all zero when it is unplugged (after
 * vtdpi_vm_detach(), or under one hold of the lock with it).
 *
 * @param vm    The VM. Not NULL.
 * @param vcpu  The vCPU's number.
 * @param apic  The state from now on; attached is not looked at. Not NULL.
 *
 * @pre The decide lock is held, and no vtdpi_vm_deliver() of the VM runs.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Recorded; the bindings that it concerns are marked.
 * @retval VTDPI_EINVAL  A pointer is NULL, @p vcpu is out of range, or the mode
 *                       is unknown. Nothing has changed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_set_apic(struct vtdpi_vm *vm, uint32_t vcpu,
                  const struct vtdpi_guest_apic *apic);

/**
 * @brief A vCPU has its slot: from now on it can be posted to.
 *
 * Takes a hold on @p v for the VM (vtdpi_vcpu_hold()), which vtdpi_vm_detach() gives back.
 *
 * @param vm    The VM. Not NULL.
 * @param vcpu  The vCPU's number.
 * @param v     After vtdpi_vcpu_attach(). Not NULL.
 *
 * @pre As vtdpi_vm_set_apic().
 *
 * @anyctx @lockfree
 *
 * @retval 0                Recorded; the bindings that it concerns are marked.
 * @retval VTDPI_EINVAL     A pointer is NULL, or @p vcpu is out of range.
 * @retval VTDPI_EDETACHED  @p v has no slot.
 * @retval VTDPI_EATTACHED  That number has its vCPU.
 * @retval VTDPI_ECLOSED    The detach of @p v has begun
 *                          (vtdpi_vcpu_detach_begin()).
 *
 * After an error nothing has changed and no hold is taken.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_attach(struct vtdpi_vm *vm, uint32_t vcpu, struct vtdpi_vcpu *v);

/**
 * @brief A vCPU is about to lose its slot: nothing is decided for it any more.
 *
 * Gives the VM's own hold back: vtdpi_vm_deliver() does not reach the vCPU
 * any more. When the change was applied (vtdpi_vm_begin() without names) its
 * interrupts are in the host form, the vCPU can be harvested for the last time,
 * and vtdpi_vcpu_detach() does not say VTDPI_EBUSY on account of this VM. The
 * exception is interrupts whose binding has failed and those that are pinned
 * (irq.h): they keep their references.
 *
 * For saving a vCPU, too. Before the memory of a VM is freed or initialised again,
 * each of its vCPUs must have been detached from the VM.
 *
 * @param vm    The VM. Not NULL.
 * @param vcpu  The vCPU's number; one without a vCPU is left so.
 *
 * @pre As vtdpi_vm_set_apic().
 *
 * @anyctx @lockfree
 *
 * @retval 0             Recorded; the bindings that it concerns are marked.
 * @retval VTDPI_EINVAL  @p vm is NULL, or @p vcpu is out of range. Nothing has
 *                       changed.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_vm_detach(struct vtdpi_vm *vm,
                                                          uint32_t vcpu);

/**
 * @brief Switch posting on or off for the VM.
 *
 * Off while something inhibits posting for the whole guest, say a feature of the
 * virtual APIC that the processor cannot provide: all goes to the host form.
 * Marks every binding that has a message.
 *
 * @param vm  The VM. Not NULL.
 * @param on  Whether its interrupts may be posted.
 *
 * @pre As vtdpi_vm_set_apic().
 *
 * @anyctx @waitfree
 *
 * @retval 0             Recorded.
 * @retval VTDPI_EINVAL  @p vm is NULL.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_set_posting(struct vtdpi_vm *vm, bool on);

/**
 * @brief Mark all bindings that have failed: the next vtdpi_vm_begin() without
 *        names takes them.
 *
 * After a unit was repaired, enabled again or forsaken.
 *
 * @param vm  The VM. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD void vtdpi_vm_retry(struct vtdpi_vm *vm);

/**
 * @brief Decide, and take what has to be changed.
 *
 * Under the same hold of the decide lock as the changes that are to be applied;
 * vtdpi_vm_begin_since() is for a later one.
 * A binding whose decision comes out as before costs nothing and is not taken.
 *
 * @param vm     The VM. Not NULL.
 * @param work   Receives the work. Stays until vtdpi_vm_end() has returned
 *               anything but 1. Not NULL.
 * @param b      The bindings whose change is to be in force, all of this VM; they
 *               are taken even if they have failed. Stays as long as @p work.
 *               NULL: whatever is marked.
 * @param count  Their number; 0 with NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 1                 There is work: drop the lock, call vtdpi_vm_apply(),
 *                           take the lock and call vtdpi_vm_end().
 * @retval 0                 Every entry is as decided.
 * @retval VTDPI_EINFLIGHT   Another work has a binding in flight that this one is
 *                           to bring into force. See vtdpi_vm_begin_again().
 * @retval VTDPI_ENOHOST     As vtdpi_vm_end().
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_begin(struct vtdpi_vm *vm, struct vtdpi_vm_work *work,
               struct vtdpi_binding *const *b, uint32_t count);

/**
 * @brief Flights that have begun since init: a point in time, for
 *        vtdpi_vm_begin_since().
 *
 * @param vm  The VM. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @return The number of the latest flight.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint64_t vtdpi_vm_flights(const struct vtdpi_vm *vm)
{
    return vm->flights;
}

/**
 * @brief vtdpi_vm_begin() without names, for changes that were recorded under an
 *        earlier hold of the decide lock.
 *
 * For a host that records a change where nothing may sleep, and applies it later.
 * Another work may have taken the change in between. vtdpi_vm_begin() takes such a
 * work for one that is no concern of the caller; this call waits for it.
 *
 * @param vm     The VM. Not NULL.
 * @param work   As for vtdpi_vm_begin().
 * @param since  vtdpi_vm_flights() under the hold of the lock under which the first
 *               of these changes was recorded.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 1                There is work, as vtdpi_vm_begin().
 * @retval 0                Every entry is as decided.
 * @retval VTDPI_EINFLIGHT  Another work has a binding in flight that this one is
 *                          to bring into force.
 * @retval VTDPI_ENOHOST    As vtdpi_vm_end().
 * @return Any other value is an error, as for vtdpi_vm_end().
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_begin_since(struct vtdpi_vm *vm, struct vtdpi_vm_work *work,
                     uint64_t since);

/**
 * @brief Go on with a work that has ended with VTDPI_EINFLIGHT or VTDPI_EDUE.
 *
 * Looks at the same bindings again. The caller has dropped the lock in between, so
 * that the other work could end.
 *
 * @param vm    The VM. Not NULL.
 * @param work  The work. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 1                As vtdpi_vm_begin().
 * @retval 0                As vtdpi_vm_begin().
 * @retval VTDPI_EINFLIGHT  As vtdpi_vm_begin().
 * @retval VTDPI_ENOHOST    As vtdpi_vm_end().
 * @return Any other value is an error that vtdpi_vm_end() would return. What has
 *         failed in this work is not tried again.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_begin_again(struct vtdpi_vm *vm, struct vtdpi_vm_work *work);

/**
 * @brief Change and flush the entries of what was taken.
 *
 * For each table one batch; if an earlier failure has left entries dirty, another
 * one before that flushes these.
 *
 * @param work  After vtdpi_vm_begin() or vtdpi_vm_end() has returned 1. Not NULL.
 *
 * @thread @waits{the backend's}
 */
VTDPI_API VTDPI_COLD void vtdpi_vm_apply(struct vtdpi_vm_work *work);

/**
 * @brief Record what vtdpi_vm_apply() has done.
 *
 * Gives the holds of the work back. A binding that was marked while it was in
 * flight is taken once more; if that happens a second time, the binding stays
 * due.
 *
 * @param vm    The VM. Not NULL.
 * @param work  The work. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 *
 * @retval 1                There is more work, as vtdpi_vm_begin().
 * @retval 0                Done: the entries are as decided, and no unit uses an
 *                          older one.
 * @retval VTDPI_EDUE       A binding is due again: it was marked twice while it was in
 *                          flight, or another call held its interrupt
 *                          (vtdpi_irq_set_host()). See vtdpi_vm_begin_again().
 * @retval VTDPI_EINFLIGHT  As vtdpi_vm_begin(). Everything else is done.
 * @retval VTDPI_ENOHOST    Done, but a binding is left to its host form and has
 *                          none: its entry is not present. A host that gives out
 *                          vectors late does so now, and calls
 *                          vtdpi_irq_set_host().
 * @return Any other value is the first error of irq.h or of the backend. The bindings
 *         of the entries with an error have failed, see vtdpi_binding_error(): their
 *         entry is the old one, or the new one and not flushed. All other bindings
 *         are as decided.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_end(struct vtdpi_vm *vm, struct vtdpi_vm_work *work);

/**
 * @brief Deliver a message by software: of an emulated device, or of an
 *        interrupt that is not posted and has arrived at the host.
 *
 * route.h finds the vCPUs that take the message, so a message that could be posted
 * reaches the same vCPU by this call. In ascending order of APIC id, the call posts to
 * each vCPU that can take the message through its PID (vtdpi_vcpu_post()), and calls
 * @p inject for each other vCPU. No hardware is touched.
 *
 * Runs beside itself and beside all calls for the VM except vtdpi_vm_set_apic(),
 * _attach(), _detach() and _set_posting(). A host whose devices deliver in
 * interrupt context guards these four calls by a lock that readers share.
 *
 * @param vm      The VM. Not NULL.
 * @param msi     The message as the guest programmed it.
 * @param inject  See there. NULL: they are only counted.
 * @param ctx     Its first argument.
 * @param out     What it came to. Zero after an error. Not NULL.
 *
 * @pre Preemption off until the return. The instances of the vCPUs have
 *      send_ipi.
 *
 * @anyctx
 *
 * @retval 0                    Delivered to everyone it is for: none, perhaps.
 * @retval VTDPI_EINVAL         A pointer is NULL.
 * @retval VTDPI_EMSI_ADDRESS   Not an interrupt address.
 * @retval VTDPI_EMSI_FORMAT    Remappable format.
 * @retval VTDPI_EMSI_RESERVED  Reserved bits are not zero.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_vm_deliver(struct vtdpi_vm *vm,
                                                const struct vtdpi_msi *msi,
                                                vtdpi_vm_inject inject,
                                                void *ctx,
                                                struct vtdpi_vm_delivery *out);

/**
 * @brief How many interrupts of the VM have this reason: are posted
 *        (VTDPI_ROUTE_POSTABLE), or why not.
 *
 * @param vm      The VM. Not NULL.
 * @param reason  The reason.
 *
 * @pre The decide lock is held.
 *
 * @return Bindings whose latest decision gives it; 0 if it is not one.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_vm_count(const struct vtdpi_vm *vm,
                                     enum vtdpi_route_reason reason)
{
    return VTDPI_CAST_(uint32_t, reason) < VTDPI_ROUTE_REASONS
               ? vm->count[reason]
               : 0;
}

/**
 * @brief What there is and what was done.
 *
 * @param vm   The VM. Not NULL.
 * @param out  Receives it. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD void vtdpi_vm_get_stats(const struct vtdpi_vm *vm,
                                             struct vtdpi_vm_stats *out);

/**
 * @brief Where an interrupt goes, and why.
 *
 * @param b  A binding that is bound. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @return The latest decision. The entry follows unless the binding is pending.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_route_decision
vtdpi_binding_decision(const struct vtdpi_binding *b)
{
    return b->decision;
}

/**
 * @brief Whether the entry may be other than decided.
 *
 * @param b  A binding that is bound. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @return True if the binding is due, in flight or failed.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE bool vtdpi_binding_is_pending(const struct vtdpi_binding *b)
{
    return b->state != 0;
}

/**
 * @brief Why the entry did not follow.
 *
 * @param b  A binding that is bound. Not NULL.
 *
 * @pre The decide lock is held.
 *
 * @return The error of the latest work on this binding, of irq.h or the backend; 0
 *         if it succeeded.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE int vtdpi_binding_error(const struct vtdpi_binding *b)
{
    return b->error;
}

VTDPI_END_DECLS

#endif
