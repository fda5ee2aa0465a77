/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BIND_H
#define VTDPI_BIND_H

/**
 * @file
 * @brief The interrupts of a VM: from the guest's messages to the entries.
 *
 * A **binding** ties a device interrupt (irq.h) to the message that the guest
 * has programmed for it. route.h decides where that message goes; this header
 * makes the entry follow, and looks again whenever something has changed that
 * the decision rests on:
 *
 * | the host traps, or does                   | call                           |
 * |-------------------------------------------|--------------------------------|
 * | guest writes an MSI or MSI-X message      | vtdpi_binding_set_message()    |
 * | guest enables multi-message MSI           | vtdpi_binding_set_block()      |
 * | guest disables MSI                        | vtdpi_binding_set_message(NULL)|
 * | guest masks, unmasks                      | vtdpi_binding_mask(), _unmask()|
 * | guest writes id, LDR, DFR, SVR, APIC mode | vtdpi_vm_set_apic()            |
 * | vCPU gets its slot; is about to lose it   | vtdpi_vm_attach(), _detach()   |
 * | posting is inhibited, or allowed again    | vtdpi_vm_set_posting()         |
 * | device is assigned; taken away            | vtdpi_vm_bind(), _unbind()     |
 *
 * **POST** makes the posted form. **REMAP** and **REJECT** take it away: the
 * entry goes back to the host form, whose handler injects in software
 * (vtdpi_vm_deliver()), or drops; without a host form it is not present.
 *
 * **One update.** Each call marks the bindings that its change can affect,
 * decides anew for them, and changes those entries whose decision has changed,
 * in one batch: one flush and one wait, however many there are (one for each
 * table, if the VM's interrupts are in several). A decision that comes out as
 * before costs no write and no flush. Between vtdpi_vm_hold() and
 * vtdpi_vm_update() calls only mark; so any number of them is one update.
 *
 * **What is affected.** Bindings are kept by destination: a change of a vCPU's
 * APIC looks at those whose message names it, before or after, and at those of
 * the same logical cluster; not at the others (vtdpi_vm_get_stats() counts).
 * With fewer buckets than destinations in use some share one.
 *
 * **No failure.** A table that cannot post (VTDPI_ENOPI), or cannot reach the
 * PID (VTDPI_EIRTE_PDA_WIDTH), changes the decision: the interrupt goes to the
 * host form, and the reason says why. Each later decision asks the table again.
 *
 * **Failure.** Where an entry does not follow, because the backend refused or
 * a flush failed, the binding is **pending**. Its decision stands, no reference
 * is lost, and what was posted stays deliverable; until a flush has succeeded,
 * units may use the old entry. Every later call, and vtdpi_vm_update(), tries
 * all pending bindings again. So each call that returns int, but for errors
 * that are listed as having changed nothing, tells of the whole VM: 0 if no
 * binding is pending when it returns.
 *
 * **Retargeting** from vCPU A to B: an interrupt that is raised meanwhile is
 * recorded once, in A's PID or in B's. What A got stays in A's PIR and is
 * delivered there, as if it had been accepted before the guest wrote its
 * message. After success nothing more goes to A.
 *
 * **vCPUs.** The VM has a hold on each vCPU that it knows, from
 * vtdpi_vm_attach() to vtdpi_vm_detach(): until then vtdpi_vcpu_detach() says
 * VTDPI_EBUSY, and no delivery can reach a slot that is somebody else's.
 *
 * **Masked.** A masked device sends nothing, so an entry stays as it is, posted
 * or not. A message that is written under the mask is kept until the unmask and
 * decided on then: a guest that masks, writes three registers and unmasks costs
 * one update, and no decision is made on half a message. Other events treat the
 * binding as if it were not masked, by the message in force.
 *
 * All calls for one VM, its bindings and their interrupts are serialised by the
 * caller, queries included; different VMs are independent. No lock of the
 * library is held while a backend is called. Memory is the caller's: a pointer
 * for each vCPU and bucket, the map's (route.h), 2 KiB, and a struct
 * vtdpi_binding for each interrupt.
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
    /** A power of two, 1 to 2^31; for most as many as there are vCPUs. With
     *  fewer than destinations in use, some share one. */
    uint32_t buckets;
    enum vtdpi_compat_dest form; /**< Where this guest puts the destination. */
    bool posting;                /**< Posting is on at first. */
};

/** @brief A VM; the host embeds it. It does not move. */
struct vtdpi_vm {
    /* private: */
    struct vtdpi_route_map map;
    struct vtdpi_route_options options;
    struct vtdpi_vcpu **vcpus; /* NULL: not attached */
    struct vtdpi_binding **heads;
    struct vtdpi_binding *due; /* those that the next update looks at */
    uint64_t visited;
    uint64_t decided;
    uint32_t count[VTDPI_ROUTE_REASONS]; /* bindings, by their decision */
    uint32_t vcpu_count;
    uint32_t shift; /* of a product of 32 bits, to the number of a bucket */
    bool held;
};

/** @brief An interrupt of a VM; the host embeds it. Zeroed before it is bound
 *         first. It does not move. */
struct vtdpi_binding {
    /* private: */
    struct vtdpi_vm *vm; /* NULL: not bound */
    struct vtdpi_irq *irq;
    struct vtdpi_binding *next;  /* of the same list */
    struct vtdpi_binding **link; /* what points here */
    struct vtdpi_binding *next_due;
    struct vtdpi_route_decision decision;
    struct vtdpi_route_decision unrouted; /* the next one, unless routed */
    struct vtdpi_msi message;             /* the latest, be it under the mask */
    struct vtdpi_compat_msi msg;          /* in force, if routed */
    bool written;                         /* there is a message */
    bool routed; /* msg counts: a message, and well-formed */
    bool masked;
    bool due; /* on the VM's list: the next update looks at it */
};

/** @brief What there is and what was done. */
struct vtdpi_vm_stats {
    uint32_t bindings; /**< Bindings of the VM. */
    uint32_t pending;  /**< Of them pending: held back, or failed. */
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
 * illegal vector". Called with nothing of the library held, in the context of
 * the caller of vtdpi_vm_deliver(); must not change the VM, must not fail.
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
 * @brief Put an interrupt under the VM's control. Calls no backend.
 *
 * From here to vtdpi_vm_unbind() only the host form is changed otherwise, with
 * vtdpi_irq_set_host(), and it may be flushed or torn down.
 *
 * @param vm   The VM. Not NULL.
 * @param b    The binding: no message, not masked. Not NULL.
 * @param irq  The interrupt; stays until the binding has gone.
 *
 * @thread @waitfree
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL.
 * @retval VTDPI_EBUSY   @p b is bound, or the interrupt has a posted form.
 * @retval VTDPI_ESTATE  The interrupt is torn down.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_vm_bind(struct vtdpi_vm *vm,
                                                        struct vtdpi_binding *b,
                                                        struct vtdpi_irq *irq);

/**
 * @brief Give an interrupt back: its posted form is taken away.
 *
 * An update, also between vtdpi_vm_hold() and vtdpi_vm_update(). For many at
 * once first take their messages away under one hold; then this has nothing
 * left to change. An interrupt that was torn down (vtdpi_irq_teardown(),
 * pinned or not) is given back at once: what it still holds,
 * it holds itself.
 *
 * @param b  The binding. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Not bound any more; the VM holds no reference through
 *                       it. Other bindings may be pending.
 * @retval VTDPI_EINVAL  @p b is NULL or not bound.
 * @return Else an error of the backend: still bound, pending, without a
 *         message. Call again, or tear the interrupt down first.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_vm_unbind(struct vtdpi_binding *b);

/**
 * @brief The guest has written a message, or disabled MSI.
 *
 * The host's own message in the device stays. Under the mask only stored.
 *
 * @param b    The binding. Not NULL.
 * @param msi  The message, well-formed or not. NULL: none; comes into force
 *             under the mask, too.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Stored, and no binding of the VM is pending but for
 *                       vtdpi_vm_hold().
 * @retval VTDPI_EINVAL  @p b is NULL or not bound. Nothing has changed.
 * @return Else the first error of the update, as vtdpi_vm_update(). The
 *         message is stored in any case.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_binding_set_message(struct vtdpi_binding *b, const struct vtdpi_msi *msi);

/**
 * @brief The guest has enabled MSI with several messages, or disabled it.
 *
 * Message i has the number i in the low bits of its data, as the device would
 * put it there: data + i, for a base that is aligned as it has to be. All
 * change in one update.
 *
 * @param b      The bindings, by the number of the message; one VM, one
 *               table, indexes one after the other
 *               (vtdpi_msi_encode_block()).
 * @param count  Their number: a power of two, 1 to VTDPI_MSI_BLOCK_MAX.
 * @param msi    The guest's message. NULL: none.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             As vtdpi_binding_set_message().
 * @retval VTDPI_EINVAL  A binding is NULL or not bound, of another VM or table,
 *                       or @p count is not as above. Nothing has changed.
 * @retval VTDPI_EINDEX  Indexes are not one after the other. Nothing has
 *                       changed.
 * @return Else the first error of the update, as vtdpi_vm_update(). The
 *         messages are stored in any case.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_binding_set_block(struct vtdpi_binding *const *b, uint32_t count,
                        const struct vtdpi_msi *msi);

/**
 * @brief The guest has masked the interrupt: MSI-X entry, function, or MSI
 *        per-vector mask.
 *
 * Changes no entry. The host has masked the device before.
 *
 * @param b  The binding. Not NULL.
 *
 * @thread @waitfree
 */
VTDPI_API void vtdpi_binding_mask(struct vtdpi_binding *b);

/**
 * @brief The guest has unmasked the interrupt: the latest message comes into
 *        force.
 *
 * The host unmasks the device after the return. After an error it may do so as
 * well: what the device sends goes where the old entry or the new one says.
 *
 * @param b  The binding. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             As vtdpi_binding_set_message().
 * @retval VTDPI_EINVAL  @p b is NULL or not bound. Nothing has changed.
 * @return Else the first error of the update, as vtdpi_vm_update(). The message
 *         is in force in any case.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_binding_unmask(struct vtdpi_binding *b);

/**
 * @brief The state of a guest's APIC has changed: id, LDR, DFR, mode, enable.
 *
 * Also when a vCPU is plugged, and all zero when it is unplugged (after
 * vtdpi_vm_detach(), or under one hold with it).
 *
 * @param vm    The VM. Not NULL.
 * @param vcpu  The vCPU's number.
 * @param apic  The state from now on; attached is not looked at. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Recorded, and no binding of the VM is pending but for
 *                       vtdpi_vm_hold().
 * @retval VTDPI_EINVAL  A pointer is NULL, @p vcpu is out of range, or the mode
 *                       is unknown. Nothing has changed.
 * @return Else the first error of the update, as vtdpi_vm_update(). The state
 *         is recorded in any case.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_vm_set_apic(struct vtdpi_vm *vm, uint32_t vcpu,
                  const struct vtdpi_guest_apic *apic);

/**
 * @brief A vCPU has its slot: from now on it can be posted to.
 *
 * Takes a hold on @p v for the VM (vtdpi_vcpu_hold()), which vtdpi_vm_detach()
 * gives back.
 *
 * @param vm    The VM. Not NULL.
 * @param vcpu  The vCPU's number.
 * @param v     After vtdpi_vcpu_attach(). Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0                Recorded, and no binding of the VM is pending but
 *                          for vtdpi_vm_hold().
 * @retval VTDPI_EINVAL     A pointer is NULL, or @p vcpu is out of range.
 * @retval VTDPI_EDETACHED  @p v has no slot.
 * @retval VTDPI_EATTACHED  That number has its vCPU.
 * @retval VTDPI_ECLOSED    The detach of @p v has begun
 *                          (vtdpi_vcpu_detach_begin()).
 * @return Else the first error of the update, as vtdpi_vm_update(). The vCPU is
 *         recorded and the hold is taken. After the errors listed nothing has
 *         changed and no hold is taken.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_vm_attach(struct vtdpi_vm *vm, uint32_t vcpu, struct vtdpi_vcpu *v);

/**
 * @brief A vCPU is about to lose its slot: nothing is posted to it any more.
 *
 * Its interrupts go to the host form, so that no entry of the VM refers to it:
 * after success it can be harvested for the last time, and vtdpi_vcpu_detach()
 * does not say VTDPI_EBUSY on account of this VM; but for interrupts that are
 * pinned (irq.h), which keep their references. For saving the vCPU, too.
 *
 * Gives the VM's own hold back in any case, under vtdpi_vm_hold() and after an
 * error of the update as well: vtdpi_vm_deliver() does not reach the vCPU any
 * more. Entries that still refer to the vCPU have references of their own.
 * Before a VM's memory is freed or initialised again, each of its vCPUs must
 * have been detached from the VM.
 *
 * @param vm    The VM. Not NULL.
 * @param vcpu  The vCPU's number; one without a vCPU is left so.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             As above, but for vtdpi_vm_hold(); and no binding of
 *                       the VM is pending.
 * @retval VTDPI_EINVAL  @p vm is NULL, or @p vcpu is out of range. Nothing has
 *                       changed.
 * @return Else the first error of the update, as vtdpi_vm_update(). Nothing is
 *         decided for the vCPU any more, but entries may still refer to it;
 *         then vtdpi_vcpu_detach() says VTDPI_EBUSY. Call again.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_vm_detach(struct vtdpi_vm *vm,
                                               uint32_t vcpu);

/**
 * @brief Switch posting on or off for the VM.
 *
 * Off while something inhibits it for the whole guest, say a feature of the
 * virtual APIC that the processor cannot provide: all goes to the host form.
 * Decides on every binding that has a message.
 *
 * @param vm  The VM. Not NULL.
 * @param on  Whether its interrupts may be posted.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Recorded, and no binding of the VM is pending but for
 *                       vtdpi_vm_hold().
 * @retval VTDPI_EINVAL  @p vm is NULL.
 * @return Else the first error of the update, as vtdpi_vm_update(). Recorded
 *         in any case.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_vm_set_posting(struct vtdpi_vm *vm,
                                                    bool on);

/**
 * @brief Calls that follow only mark what they affect, until
 *        vtdpi_vm_update().
 *
 * For a guest that is restored, a device with many messages, or a change of
 * several vCPUs' APICs. Nor do those calls wait for anything then: a host whose
 * map is read from interrupt context (vtdpi_vm_deliver()) makes them with a
 * spinlock held, and the update without. Entries, decisions and counters stay
 * as they were; vtdpi_vm_unbind() is an update nevertheless.
 *
 * @param vm  The VM. Not NULL.
 *
 * @anyctx @waitfree
 */
VTDPI_API void vtdpi_vm_hold(struct vtdpi_vm *vm);

/**
 * @brief Bring every pending binding up to date: those that were held back, and
 *        those that have failed. Ends a hold.
 *
 * For each table one batch; and before it another one that flushes what an
 * earlier failure has left dirty, if anything is. Costs nothing if no binding
 * is pending.
 *
 * @param vm  The VM. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             No binding is pending: every entry is as decided, and
 *                       no unit uses an older one.
 * @retval VTDPI_EINVAL  @p vm is NULL.
 * @return Else the first error of irq.h or the backend. Each binding either has
 *         its entry written and flushed, or is pending: then its entry is the
 *         old one, or the new one but not flushed. All others are as decided.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_vm_update(struct vtdpi_vm *vm);

/**
 * @brief Deliver a message by software: of an emulated device, or of an
 *        interrupt that is not posted and has arrived at the host.
 *
 * Whoever the message is for by route.h takes it, the same vCPU that it would
 * be posted to. Those that can take it through their PID have it posted
 * (vtdpi_vcpu_post()), in ascending order of APIC id; @p inject is called for
 * the others.
 *
 * May run concurrently with itself and with all calls for the VM but
 * vtdpi_vm_set_apic(), _attach(), _detach() and _set_posting(); see
 * vtdpi_vm_hold().
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
 * @return Bindings whose latest decision gives it; 0 if it is not one.
 *
 * @thread @waitfree
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
 * @thread @waitfree
 */
VTDPI_API VTDPI_COLD void vtdpi_vm_get_stats(const struct vtdpi_vm *vm,
                                             struct vtdpi_vm_stats *out);

/**
 * @brief Where an interrupt goes, and why.
 *
 * @param b  A binding that is bound. Not NULL.
 *
 * @return The latest decision; the entry follows unless the binding is pending.
 *
 * @thread @waitfree
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
 * @return True if the next update looks at it: held back, or failed.
 *
 * @thread @waitfree
 */
VTDPI_INLINE bool vtdpi_binding_is_pending(const struct vtdpi_binding *b)
{
    return b->due;
}

VTDPI_END_DECLS

#endif
