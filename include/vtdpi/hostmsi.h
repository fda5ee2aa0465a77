/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_HOSTMSI_H
#define VTDPI_HOSTMSI_H

/**
 * @file
 * @brief A host takes its own MSIs through a descriptor for each pCPU.
 *
 * The entry of such an interrupt is in posted format and names the descriptor of a
 * pCPU. The unit records the interrupt there, and sends one notification vector for
 * all that comes until the handler has cleared ON. So a burst of interrupts costs one
 * interrupt of the CPU, or a few. Linux calls this "posted MSI".
 *
 * Entries are changed by irq.h: vtdpi_irq_set_host_posted() with
 * vtdpi_hostmsi_target(). This layer is what the pCPU does.
 * docs/host-msi.md has all calls in order.
 *
 * **The consumer.** One CPU at a time takes vectors out of a descriptor, with
 * interrupts off. That CPU is the descriptor's pCPU. When the pCPU runs no more, one
 * other CPU takes its place. Only the consumer calls vtdpi_hostmsi_online(), _offline(),
 * _handle(), _next() and _harvest(), and no such call interrupts another one: interrupts
 * stay off while the host's handler handles what these functions took. Any CPU may call
 * the other functions.
 *
 * **EOI.** The notification vector has one EOI, after vtdpi_hostmsi_handle(). The vectors
 * in the descriptor were never in the local APIC: they have no EOI, no priority
 * and no bit in its IRR.
 *
 * **A lost notification.** ON is set until the handler clears it, and while ON is set no
 * unit notifies. So a pCPU whose local APIC may have lost an interrupt calls
 * vtdpi_hostmsi_handle() once: after vtdpi_hostmsi_online(), and after a resume from S3
 * on the pCPU that never went offline.
 *
 * **Affinity.** To move an interrupt from one pCPU to another:
 *
 * 1. vtdpi_irq_set_host_posted() with the new pCPU's target, until it returns 0; then
 *    vtdpi_irq_flush(), until that returns 0. Nothing more is posted to the old pCPU, and
 *    what was posted has landed in its descriptor.
 * 2. On the old pCPU, not inside its handler: vtdpi_hostmsi_harvest(), and
 *    vtdpi_hostmsi_dispatch() of what that returns. Before this the old vector may wait
 *    in the descriptor; after this it is free. vtdpi_hostmsi_pending() there is for
 *    hosts that would rather wait.
 *
 * Under a guest's posted form step 1 only stores the new form, and the old vector is
 * free after the same steps. An interrupt that gets a remapped form, or none, leaves the
 * pCPU by the same steps, with vtdpi_irq_set_host() or vtdpi_irq_teardown() in step 1.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/pid.h"
#include "vtdpi/sched.h"

VTDPI_BEGIN_DECLS

/**
 * How often a handler looks at PIR at most, unless the host has measured another
 * number: twice with ON set, and once after ON was cleared.
 */
#define VTDPI_HOSTMSI_LOOKS 3

/**
 * @brief The descriptor of a pCPU, and what names it. In memory that is 64-byte aligned
 *        and write-back, and zeroed before the first vtdpi_hostmsi_init().
 */
struct vtdpi_hostmsi {
    /* private: */
    struct vtdpi_pid pid; /* a line of its own: units write there */
    struct vtdpi_target target;
};

/**
 * @brief Handle an interrupt of the host.
 *
 * Called by vtdpi_hostmsi_handle() and vtdpi_hostmsi_dispatch() in their caller's
 * context, nothing of the library held. Interrupts stay off until the return. Sends no
 * EOI. May call everything that is allowed in that context, except what is for the
 * consumer of the same descriptor.
 *
 * @param ctx     As given to the caller.
 * @param vector  What the entry named. A vector that no interrupt of this pCPU has is
 *                possible after a move; the host ignores it.
 */
typedef void (*vtdpi_hostmsi_handler)(void *ctx, uint8_t vector);

/**
 * @brief Prepare the descriptor of a pCPU, at boot or before the pCPU comes with another
 *        APIC id. No interrupt can name it yet.
 *
 * @param h        Zeroed memory, or a descriptor that is offline. 64-byte aligned.
 * @param phys     Physical address of @p h, 64-byte aligned.
 * @param mode     How the CPUs' local APICs are addressed.
 * @param apic_id  The pCPU's local APIC id, decoded; not the broadcast id.
 * @param nv       Notification vector, 16 to 255. Neither ANV nor a WNV of sched.h.
 *
 * @anyctx @waitfree
 *
 * @retval 0              Done; vtdpi_hostmsi_online() comes next.
 * @retval VTDPI_EINVAL   @p h is NULL, or @p mode is unknown.
 * @retval VTDPI_ERANGE   @p apic_id is above 254 in xAPIC mode, or is 0xffffffff.
 * @retval VTDPI_EVECTOR  @p nv is below 16.
 * @retval VTDPI_EALIGN   @p h or @p phys is not 64-byte aligned.
 * @retval VTDPI_EBUSY    The descriptor is online.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_hostmsi_init(struct vtdpi_hostmsi *h, uint64_t phys,
                   enum vtdpi_apic_mode mode, uint32_t apic_id, uint8_t nv);

/**
 * @brief The pCPU takes its notification vector from now on; interrupts may name the
 *        descriptor.
 *
 * Also for a pCPU that went while vtdpi_hostmsi_offline() said VTDPI_EBUSY: the
 * descriptor was never closed.
 *
 * @param h  A descriptor that is initialised. Not NULL.
 *
 * @pre  Called by the consumer.
 * @post The consumer calls vtdpi_hostmsi_handle() once before it enables interrupts. A
 *       notification that was sent before may be lost.
 *
 * @irqsoff @lockfree @order{SC: before the first entry that names it}
 */
VTDPI_API VTDPI_COLD void vtdpi_hostmsi_online(struct vtdpi_hostmsi *h);

/**
 * @brief Close the descriptor and take out what is left, before the pCPU goes.
 *
 * All interrupts of the pCPU were moved before, with step 1 of "Affinity" above. What
 * comes out here was recorded before that. The host handles each vector here. Or the host
 * looks up which interrupt had the vector on this pCPU, and raises that interrupt on its
 * new pCPU by vtdpi_hostmsi_post(), with the vector that the interrupt has there.
 *
 * @param h    A descriptor that is online. Not NULL.
 * @param out  Receives the vectors that were left. Not NULL.
 *
 * @pre  Called by the consumer. No vtdpi_hostmsi_post() for @p h is under way or comes.
 *
 * @irqsoff @lockfree
 * @order{closed before PIR is taken}
 *
 * @retval 0              Closed. Nothing is recorded any more; @p out has the rest. A
 *                        notification may still be on its way: the memory is free when
 *                        the pCPU does not take the notification vector any more.
 * @retval VTDPI_EBUSY    Interrupts name the descriptor. Nothing has changed, and @p out
 *                        was not written. The pCPU can go; the memory stays, and
 *                        one other CPU is the consumer. Notifications still go to the
 *                        pCPU that went, so the consumer calls vtdpi_hostmsi_handle()
 *                        now and then.
 * @retval VTDPI_ECLOSED  Offline already, or never online. Nothing has changed, and
 *                        @p out was not written.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_hostmsi_offline(struct vtdpi_hostmsi *h, uint64_t out[VTDPI_PIR_WORDS]);

/**
 * @brief The next vectors to handle, for a handler with a loop of its own.
 *
 *     uint32_t looks = VTDPI_HOSTMSI_LOOKS;
 *
 *     while (vtdpi_hostmsi_next(h, &looks, set))
 *         handle all of set
 *     EOI of the notification vector
 *
 * Looks at PIR with ON set as long as there is something, at most *@p looks - 1 times;
 * then clears ON and looks once more. While ON is set no unit notifies, so what comes
 * then costs no interrupt.
 *
 * @param h      The descriptor. Not NULL.
 * @param looks  How often PIR is looked at in all; changed by each call. With 1, ON is
 *               cleared first. 0 ends the loop: nothing is done. Not NULL.
 * @param out    Receives the vectors, bit v of the 256 for vector v. Not NULL.
 *
 * @return True: @p out is not empty; handle it and call again. False: the loop is over.
 *
 * @pre  Called by the consumer, with *@p looks 1 or more at first, until the call
 *       returns false.
 * @post After false every vector that was recorded before the notification was handed
 *       out, and a later post notifies.
 *
 * @irqsoff @waitfree
 * @order{ON is cleared before PIR is read for the last time}
 */
VTDPI_API VTDPI_MUST_CHECK bool
vtdpi_hostmsi_next(struct vtdpi_hostmsi *h, uint32_t *looks,
                   uint64_t out[VTDPI_PIR_WORDS]);

/**
 * @brief The handler of the notification vector: vtdpi_hostmsi_next() until that returns
 *        false, with vtdpi_hostmsi_dispatch() of each set.
 *
 * A call without a notification is allowed.
 *
 * @param h       The descriptor. Not NULL.
 * @param looks   As for vtdpi_hostmsi_next(). 0 counts as 1.
 * @param handle  Called for each vector. Not NULL.
 * @param ctx     First argument of @p handle.
 *
 * @return Number of calls of @p handle; 0 is normal, if a harvest was faster than the
 *         notification.
 *
 * @pre  Called by the consumer.
 *
 * @irqsoff @waits{looks times 256 calls of @p handle}
 * @order{as vtdpi_hostmsi_next()}
 */
VTDPI_API uint32_t vtdpi_hostmsi_handle(struct vtdpi_hostmsi *h, uint32_t looks,
                                        vtdpi_hostmsi_handler handle,
                                        void *ctx);

/**
 * @brief Call the host for each vector of a set, the highest first.
 *
 * @param set     As from vtdpi_hostmsi_next(), _harvest() or _offline(). Not NULL.
 * @param handle  Called for each vector. Not NULL.
 * @param ctx     First argument of @p handle.
 *
 * @return Number of calls of @p handle.
 *
 * @anyctx @waits{256 calls of @p handle}
 */
VTDPI_API uint32_t vtdpi_hostmsi_dispatch(const uint64_t set[VTDPI_PIR_WORDS],
                                          vtdpi_hostmsi_handler handle,
                                          void *ctx);

/**
 * @brief Clear ON and take everything out, outside of the handler: the last harvest of
 *        the old pCPU after a move.
 *
 * @param h    The descriptor. Not NULL.
 * @param out  Receives the vectors. Not NULL.
 *
 * @return Whether any vector was taken.
 *
 * @pre  Called by the consumer, and not inside vtdpi_hostmsi_handle(): what that has
 *       taken out is in nobody's sight.
 * @post No vector that was recorded before the call is in the descriptor. So no vector
 *       of an interrupt that was moved and flushed before comes from this pCPU after
 *       this set. The notification of what was taken may still come; it finds nothing.
 *
 * @irqsoff @waitfree @order{as vtdpi_pid_harvest()}
 */
VTDPI_INLINE bool vtdpi_hostmsi_harvest(struct vtdpi_hostmsi *h,
                                        uint64_t out[VTDPI_PIR_WORDS])
{
    return vtdpi_pid_harvest(&h->pid, out);
}

/**
 * @brief Raise an interrupt of the host by software, to repeat one or to hand one on.
 *
 * An IPI of the vector itself would need an EOI of its own, which the interrupt's
 * handler does not send.
 *
 * @param h       The descriptor of the pCPU. Not NULL.
 * @param vector  The vector, 16 to 255.
 *
 * @return What happened. After VTDPI_POST_NOTIFY the caller sends NV to NDST, decoded by
 *         vtdpi_apic_id_from_ndst(), with preemption off until then.
 *
 * @pre  The host form of an interrupt names the descriptor, or a reference on its
 *       target is held, until the return.
 *
 * @anyctx @lockfree @order{as vtdpi_pid_post()}
 */
VTDPI_INLINE struct vtdpi_notification
vtdpi_hostmsi_post(struct vtdpi_hostmsi *h, uint8_t vector)
{
    return vtdpi_pid_post(&h->pid, vector, false);
}

/**
 * @brief Whether a vector waits in the descriptor.
 *
 * What a host asks beside the IRR of the local APIC before it gives a vector to another
 * interrupt. The answer says that the vector is free only to the consumer outside of the
 * handler, and after the interrupt was moved and flushed.
 *
 * @param h       The descriptor. Not NULL.
 * @param vector  The vector, any.
 *
 * @return Its bit in PIR; stale at once for everybody else.
 *
 * @anyctx @waitfree @order{SC load}
 */
VTDPI_INLINE bool vtdpi_hostmsi_pending(const struct vtdpi_hostmsi *h,
                                        uint8_t vector)
{
    return vtdpi_pid_test(&h->pid, vector);
}

/**
 * @brief What interrupts name: for vtdpi_irq_set_host_posted().
 *
 * @param h  A descriptor that is initialised. Not NULL.
 *
 * @return The target; open from vtdpi_hostmsi_online() to vtdpi_hostmsi_offline().
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_target *vtdpi_hostmsi_target(struct vtdpi_hostmsi *h)
{
    return &h->target;
}

VTDPI_END_DECLS

#endif
