/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_IRQ_H
#define VTDPI_IRQ_H

/**
 * @file
 * @brief One device interrupt: its host form, its posted form, its entry.
 *
 * An interrupt has an index in an interrupt-remapping table and up to two
 * forms, which are stored side by side:
 *
 * - the **host form**, from the host's affinity code: which pCPU, which vector. Its
 *   entry is remapped (vtdpi_irq_set_host()); or posted, for hosts that take their
 *   own interrupts through a descriptor for each pCPU
 *   (vtdpi_irq_set_host_posted());
 * - the **posted form**, while a guest owns the interrupt and it can be posted:
 *   which target, mostly that of a vCPU, and which guest vector.
 *
 * The entry in the table follows from the forms. If there is a posted form, the
 * entry has that form. If there is only a host form, the entry has the host form. If
 * there is neither, the entry is not present. A host affinity change under a posted
 * form changes only the stored host form. When the posted form goes, the entry
 * changes to the host form in one step, whatever the host form's format is.
 *
 * **References.** A posted form holds a reference on its target, so that the vCPU
 * cannot be detached while a unit may write its PID. The reference of a form
 * that is replaced is given back when a flush has retired the old entry and
 * postings in flight have landed, not earlier. A host form that is posted holds a
 * reference on its target as long as it is stored, and one more while a unit may
 * use it.
 *
 * **Dirty.** When an entry was changed and its flush failed, a unit may still
 * use the old entry. The interrupt is dirty from then on, and keeps the references
 * of all entries that a unit may hold. Every further change repeats the flush first.
 * If the flush fails again, the change returns VTDPI_EDIRTY and has changed nothing.
 * In a batch a further change is refused at once. Teardown is not refused: it clears
 * the entry in any case.
 *
 * **Pinned.** An interrupt is pinned when it was torn down and its flush failed. The
 * host gives the index to nobody else. The references stay, so detaching the vCPUs
 * that they name returns VTDPI_EBUSY. vtdpi_irq_flush() repeats the flush of one
 * interrupt, and vtdpi_irq_batch_flush() the flush of many. A host that has flushed
 * in another way calls vtdpi_irq_mark_flushed().
 *
 * **Batches.** Every change is one of a batch: begin, any number of changes,
 * commit. The functions for one interrupt are batches of one. A change in a
 * batch writes the entry; the commit flushes all of them together, with one
 * wait per unit, and then gives the references of old entries back. An open
 * batch belongs to one thread, and so do the interrupts in the batch. Until the commit
 * these interrupts are dirty, their memory stays where it is, and any other call that
 * changes one of them returns VTDPI_EINFLIGHT. Interrupts of several tables need a
 * batch for each table.
 *
 * **Twice in a batch.** An interrupt that was changed in the batch is dirty. The
 * batch refuses a further change of that interrupt (VTDPI_EDIRTY), except a teardown
 * and a new host form under the posted form. So when both forms change, set the host
 * form first.
 *
 * Entries are written through a struct vtdpi_backend: table.h's, or the host's
 * own. No lock of the library is held while a backend is called, so all
 * functions below that call one may sleep if that one does. Different interrupts are
 * independent. URG is never set.
 *
 * **Claims.** A call that changes an interrupt holds the interrupt until its flush has
 * ended; in a batch, until the commit. No call waits for another one. Of two calls at
 * the same time one returns VTDPI_EINFLIGHT and has changed nothing; its caller calls
 * again. vtdpi_irq_set_host() instead leaves its form to the call that holds the
 * interrupt (VTDPI_IRQ_DEFERRED), and that call sets the form before it returns. So
 * affinity code never waits for a flush of somebody else, and needs no lock in common
 * with bind.h. Calls of vtdpi_irq_set_host() for one interrupt are serialised by the
 * host. Queries are made while no call changes the interrupt.
 *
 * **The old host vector.** After a retarget the host wants to give the vector of the
 * old host form to something else. Two things must hold first.
 *
 * 1. No unit sends the vector any more. The host calls vtdpi_irq_set_host() with the
 *    new form until the call returns 0, and then vtdpi_irq_flush() until that returns
 *    0. VTDPI_IRQ_DEFERRED and VTDPI_EINFLIGHT mean that another call holds the
 *    interrupt: the host calls again later. The second call with the same form also
 *    tells whether a form that was left to a holder came into force; if the backend
 *    has refused the form, the old one stays and the call tries again. Under a posted
 *    form vtdpi_irq_set_host() flushes nothing. The vector of the form that the posted
 *    form replaced is free when vtdpi_irq_flush() has returned 0.
 * 2. No interrupt of that vector waits in the old CPU. One that was sent before may
 *    be pending in that CPU's IRR: a flush does not take it back. So the handler
 *    of the old vector stays on the old CPU until that CPU has had interrupts
 *    enabled after step 1 and has then found the vector's bit of its IRR clear. Hosts do this
 *    with an IPI to the old CPU of a vector with lower priority, or in the handler of
 *    the first interrupt that arrives on the new vector. A CPU that goes offline
 *    looks at its IRR itself and raises what is pending on the new CPU. The vector of a
 *    host form in posted format waits in PIR and not in the IRR: "Affinity" of hostmsi.h.
 *
 * **Before a vCPU goes** nothing may be posted to it. vtdpi_vm_detach() of bind.h
 * unposts all interrupts of a vCPU. A host without bind.h keeps a list of the
 * interrupts that it has posted to each vCPU, and calls vtdpi_irq_unpost() for
 * each, in one batch, before vtdpi_vcpu_detach(). This holds also for hosts that
 * destroy vCPUs before the interrupts of the VM: vtdpi_vcpu_detach() says VTDPI_EBUSY
 * as long as a posted form names the vCPU.
 *
 * **Masked pins.** A host masks IOAPIC pins whose vector is 0, and an entry with
 * vector 0 is refused (VTDPI_EIRTE_VECTOR). Such a pin has no host form:
 * vtdpi_irq_set_host() with NULL. The entry is not present then, which is what a
 * masked pin needs. Set the form before the pin is unmasked.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/backend.h"
#include "vtdpi/compiler.h"
#include "vtdpi/irte.h"
#include "vtdpi/sched.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** How many references of old entries an interrupt keeps at most: one of an entry
 *  that a failed flush left, and one of an entry that was torn down after that. */
#define VTDPI_IRQ_STALE_MAX 2

/** @brief What an entry can hold, with a reference on what the entry posts to. */
struct vtdpi_irq_form {
    /* private: */
    struct vtdpi_irte irte;
    struct vtdpi_target *target; /* of a form in posted format, if known */
};

/** @brief A device interrupt; the host embeds it beside its own data. Zeroed
 *         before vtdpi_irq_init() is called first. */
struct vtdpi_irq {
    /* private: */
    const struct vtdpi_backend *backend;
    struct vtdpi_target *target; /* the posted form's; NULL: none */
    struct vtdpi_target *stale[VTDPI_IRQ_STALE_MAX];
    struct vtdpi_irq_form host; /* zero: none */
    struct vtdpi_irq_form live; /* what the entry holds */
    struct vtdpi_source source;
    uint32_t index;
    uint8_t vector;         /* the posted form's */
    bool dirty;             /* a unit may hold something other than live */
    bool drain;             /* and it may be in posted format */
    bool down;              /* torn down */
    void *batch;            /* struct vtdpi_irq_batch: not committed; atomic */
    struct vtdpi_irq *next; /* of the same batch */
    uint64_t claim;         /* who may touch all the above; atomic */
    struct vtdpi_irq_form deferred[2]; /* left to the holder; atomic */
};

/** vtdpi_irq_set_host(): the form is left to the call that holds the interrupt. Once
 *  the same call returns 0, the form is set. */
#define VTDPI_IRQ_DEFERRED 1

/** @brief Changes that are flushed together; the caller's memory. */
struct vtdpi_irq_batch {
    /* private: */
    const struct vtdpi_backend *backend;
    struct vtdpi_irq *first; /* those that the commit settles */
    struct vtdpi_flush flush;
    int rc;    /* an invalidate that failed */
    bool open; /* the backend has begun */
};

/**
 * @brief Take charge of an index. Calls no backend.
 *
 * The memory of the interrupt is zeroed before the first init. A later init is for
 * an interrupt that was torn down and is not pinned. Over an interrupt that is in
 * use the references that it holds would never be given back, and its vCPU could
 * not be detached any more: VTDPI_ASSERT() sees a posted form, a dirty interrupt
 * and a pinned one.
 *
 * @param irq      The interrupt. Not NULL.
 * @param backend  The table; stays as long as the interrupt is in use.
 * @param index    An index that the caller has allocated and that nobody else
 *                 changes until the interrupt is torn down and not pinned.
 * @param source   Who may raise it; used in both forms.
 * @param live     What the entry holds: NULL for a zero entry, as allocated.
 *                 For any other entry a copy of what was found there. If that copy is
 *                 present and in remapped format, it becomes the host form.
 *
 * @anyctx @waitfree
 *
 * @retval 0                   Done. No posted form.
 * @retval VTDPI_EINVAL        A pointer other than @p live, or the backend's
 *                             replace, invalidate or commit is NULL, or its
 *                             mode or host address width is out of range.
 * @retval VTDPI_ERANGE        SQ of @p source is above 3.
 * @retval VTDPI_EIRTE_SOURCE  @p source is unset.
 * @retval VTDPI_EIRTE_SVT     Unknown kind of source.
 * @retval VTDPI_EIRTE_SQ      SQ set, and the source is not an exact one.
 * @retval VTDPI_EIRTE_BUS     First bus above the last.
 *
 * Nothing has changed after an error.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_init(struct vtdpi_irq *irq, const struct vtdpi_backend *backend,
               uint32_t index, const struct vtdpi_source *source,
               const struct vtdpi_irte *live);

/**
 * @brief vtdpi_irq_init() of an entry that is posted already, for a kernel that
 *        takes over a running table (live update, kexec). Calls no backend.
 *
 * The entry becomes the posted form, and the form takes its reference on @p v. There
 * is no host form yet: set one before vtdpi_irq_unpost(), or the entry is not present
 * after it. A host that takes over a host form in posted format calls
 * vtdpi_irq_init() and vtdpi_irq_set_host_posted().
 *
 * @param irq      The interrupt, as for vtdpi_irq_init(). Not NULL.
 * @param backend  The table; stays as long as the interrupt is in use.
 * @param index    The index, as for vtdpi_irq_init().
 * @param source   Who may raise the interrupt; used by later changes.
 * @param live     A copy of what the entry holds. Not NULL.
 * @param v        The vCPU whose descriptor the entry names. Not NULL.
 *
 * @pre Units may hold no other entry of this index: all were flushed since the entry
 *      was made (vtdpi_table_flush_all()).
 *
 * @anyctx @lockfree
 *
 * @retval 0                   Done: posted to @p v, not dirty.
 * @retval VTDPI_EINVAL        @p live or @p v is NULL, or as vtdpi_irq_init().
 * @retval VTDPI_ERANGE        As vtdpi_irq_init().
 * @retval VTDPI_EIRTE_SOURCE  The same.
 * @retval VTDPI_EIRTE_SVT     The same.
 * @retval VTDPI_EIRTE_SQ      The same.
 * @retval VTDPI_EIRTE_BUS     The same.
 * @retval VTDPI_EIRTE_FORMAT  The entry is in remapped format.
 * @retval VTDPI_EIRTE_ABSENT  The entry is not present.
 * @retval VTDPI_ECLOSED       @p v is not attached, or its detach has begun.
 * @retval VTDPI_EMODE         The instance of @p v has another APIC mode than the
 *                             backend.
 * @retval VTDPI_EIRTE_PDA     The entry names another descriptor.
 *
 * After an error no reference is taken, and the interrupt is not initialised.
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_irq_adopt(struct vtdpi_irq *irq, const struct vtdpi_backend *backend,
                uint32_t index, const struct vtdpi_source *source,
                const struct vtdpi_irte *live, struct vtdpi_vcpu *v);

/**
 * @brief Set the host form: first activation, affinity change, deactivation.
 *
 * Without a posted form the call changes the entry and flushes. Under a posted form
 * the call only stores the host form: it calls no backend, also if the interrupt is
 * dirty. A stored host form comes into effect when the posted form goes. Its FPD and
 * AVAIL come into effect with the next vtdpi_irq_post(), also one to the same vCPU.
 * Setting the form that is there already does nothing, unless the interrupt is dirty.
 *
 * @param irq   The interrupt. Not NULL.
 * @param host  The form. It is present, has the backend's mode, and has the source of
 *              the interrupt, or VTDPI_SOURCE_UNSET in place of that source. NULL
 *              means: no host form, for example for an IOAPIC pin that is masked and
 *              has no vector.
 *
 * @post After 0 no unit sends the vector of the old host form, unless the interrupt is
 *       dirty. One may be pending in the old CPU: see "The old host vector" above.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0                   Done.
 * @retval VTDPI_IRQ_DEFERRED  Another call holds the interrupt. That call sets the
 *                             form before it ends, and its own result says nothing
 *                             of the form. Call again to learn what came of it.
 * @retval VTDPI_EINVAL  @p irq is NULL, or @p host is not as above.
 * @retval VTDPI_ESTATE  The interrupt was torn down.
 * @retval VTDPI_EDIRTY  The interrupt was dirty, and repeating its
 *                       flush failed. Nothing has changed.
 * @return Any other error is one of vtdpi_irte_encode_remapped() or of the
 *         backend. If vtdpi_irq_is_dirty() is true after that error, the form is
 *         set and the entry is written, but not flushed. If it is false, and
 *         after each error listed above, nothing has changed.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_set_host(struct vtdpi_irq *irq,
                   const struct vtdpi_irte_remapped *host);

/**
 * @brief vtdpi_irq_set_host(), of a host form in posted format.
 *
 * All that vtdpi_irq_set_host() says holds. FPD and AVAIL of the form are 0. The form
 * holds a reference on @p target from a return of 0 or VTDPI_IRQ_DEFERRED until
 * another host form, or none, has taken its place and was flushed, or the interrupt is
 * torn down.
 *
 * @param irq     The interrupt. Not NULL.
 * @param target  An open target, of a descriptor that the host handles. Not NULL.
 * @param vector  The bit of PIR to set, 16 to 255.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0                      Done.
 * @retval VTDPI_IRQ_DEFERRED     As vtdpi_irq_set_host().
 * @retval VTDPI_EINVAL           @p irq or @p target is NULL.
 * @retval VTDPI_EVECTOR          @p vector is below 16.
 * @retval VTDPI_ENOPI            The backend cannot post.
 * @retval VTDPI_ECLOSED          @p target is not open.
 * @retval VTDPI_EMODE            @p target has another APIC mode than the backend.
 * @retval VTDPI_EIRTE_PDA_WIDTH  The descriptor is above the host address width.
 * @retval VTDPI_ESTATE           The interrupt was torn down.
 * @retval VTDPI_EDIRTY           The interrupt was dirty, and repeating its
 *                                flush failed. Nothing has changed.
 * @return Any other error is one of the backend, as for vtdpi_irq_set_host().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_set_host_posted(struct vtdpi_irq *irq, struct vtdpi_target *target,
                          uint8_t vector);

/**
 * @brief Post the interrupt to a vCPU: set or replace the posted form.
 *
 * Takes a reference on @p v. When the form that was there before is flushed, gives the
 * reference of that form back. Until the return, postings in flight may still reach
 * the old vCPU. Setting the form that is there already does nothing, unless the
 * interrupt is dirty.
 *
 * @param irq     The interrupt. Not NULL.
 * @param v       An attached vCPU. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0                      Done.
 * @retval VTDPI_EINVAL           @p irq or @p v is NULL.
 * @retval VTDPI_EINFLIGHT        Another call holds the interrupt.
 * @retval VTDPI_EVECTOR          @p vector is below 16.
 * @retval VTDPI_ESTATE           The interrupt was torn down.
 * @retval VTDPI_EDIRTY           The interrupt was dirty, and repeating its
 *                                flush failed. Nothing has changed.
 * @retval VTDPI_ENOPI            The backend cannot post (no_posting), or a unit
 *                                without CAP.PI uses the table. The host form
 *                                goes on delivering.
 * @retval VTDPI_ECLOSED          @p v is not attached, or its detach has begun.
 * @retval VTDPI_EMODE            The instance of @p v has another APIC mode than
 *                                the backend: a unit would misread NDST.
 * @retval VTDPI_EIRTE_PDA_WIDTH  The PID is above the host address width.
 * @return Any other error is one of the backend. If vtdpi_irq_is_dirty() is true
 *         after that error, the form is set, the entry is written but not
 *         flushed, and both references are kept. If it is false, and after each
 *         error listed above, nothing has changed.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_post(struct vtdpi_irq *irq, struct vtdpi_vcpu *v, uint8_t vector);

/**
 * @brief vtdpi_irq_post() to a target, for hosts whose descriptors are not in the
 *        pages of sched.h.
 *
 * @param irq     The interrupt. Not NULL.
 * @param target  An open target. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0                      Done.
 * @retval VTDPI_EINVAL           @p irq or @p target is NULL.
 * @retval VTDPI_EINFLIGHT        Another call holds the interrupt.
 * @retval VTDPI_EVECTOR          @p vector is below 16.
 * @retval VTDPI_ESTATE           The interrupt was torn down.
 * @retval VTDPI_EDIRTY           The interrupt was dirty, and repeating its
 *                                flush failed. Nothing has changed.
 * @retval VTDPI_ENOPI            As vtdpi_irq_post().
 * @retval VTDPI_ECLOSED          @p target is not open.
 * @retval VTDPI_EMODE            @p target has another APIC mode than the backend.
 * @retval VTDPI_EIRTE_PDA_WIDTH  The descriptor is above the host address width.
 * @return Any other error is one of the backend, as for vtdpi_irq_post().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_post_target(struct vtdpi_irq *irq, struct vtdpi_target *target,
                      uint8_t vector);

/**
 * @brief Take the posted form away: back to the host form, or to an entry that
 *        is not present if there is none.
 *
 * After success no unit uses the PID on behalf of this interrupt, and what was
 * posted has landed: the vCPU can be harvested for the last time.
 *
 * @param irq  The interrupt. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Done, or there was no posted form.
 * @retval VTDPI_EINVAL  @p irq is NULL.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @retval VTDPI_ESTATE  The interrupt was torn down.
 * @retval VTDPI_EDIRTY  The interrupt was dirty, and repeating its
 *                       flush failed. Nothing has changed.
 * @return Any other error is one of the backend. If vtdpi_irq_is_dirty() is true
 *         after that error, the form is gone, the entry is written but not
 *         flushed, and the reference is kept. If it is false, and after each
 *         error listed above, nothing has changed.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_irq_unpost(struct vtdpi_irq *irq);

/**
 * @brief Clear the entry and end the interrupt.
 *
 * Needs nothing but the interrupt itself. Clears whatever the entry holds,
 * dirty or not, and flushes once. After success the index may be freed, the
 * references are given back, and the interrupt may be initialised again. May
 * be called again: it then does what vtdpi_irq_flush() does.
 *
 * @param irq  The interrupt. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  @p irq is NULL.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt; not torn down.
 * @return Any other error is one of the backend. The interrupt is torn down also
 *         after that error: it accepts no further change, and is pinned.
 *         vtdpi_irq_vcpu() still names a vCPU only if the backend refused to
 *         write the entry.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_irq_teardown(struct vtdpi_irq *irq);

/**
 * @brief Repeat a flush that failed, and for an interrupt that is pinned, the
 *        clearing of its entry if the backend had refused even that.
 *
 * @param irq  The interrupt. Not NULL.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             The interrupt is neither dirty nor pinned, and the
 *                       references of old entries are given back. If it was
 *                       neither before the call, no backend was called.
 * @retval VTDPI_EINVAL  @p irq is NULL.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @return Any other error is one of the backend. The interrupt is dirty or
 *         pinned, as before.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_irq_flush(struct vtdpi_irq *irq);

/**
 * @brief Begin a batch. Calls no backend: that happens with the first change
 *        which has anything to write or to flush.
 *
 * @param batch     The batch. Not NULL.
 * @param backend   The table of all interrupts of the batch.
 * @param ranges    Storage for what is to be flushed, which lives until the
 *                  commit; may be NULL if @p capacity is 0. Indexes next to
 *                  each other share a range.
 * @param capacity  Ranges that fit. Any number of interrupts can be changed:
 *                  what does not fit makes the flush global. table.h makes it
 *                  global above 16 descriptors in any case.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Begun. Must be committed once a change was made.
 * @retval VTDPI_EINVAL  @p batch is NULL, @p ranges is NULL and @p capacity is
 *                       not 0, or the backend is not as for vtdpi_irq_init().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_begin(struct vtdpi_irq_batch *batch,
                      const struct vtdpi_backend *backend,
                      struct vtdpi_flush_range *ranges, uint32_t capacity);

/**
 * @brief vtdpi_irq_set_host() in a batch.
 *
 * @param batch  A batch that has begun. Not NULL.
 * @param irq    An interrupt of the same backend. Not NULL.
 * @param host   As vtdpi_irq_set_host().
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0             Set; the entry, if it changed, is written and dirty.
 * @retval VTDPI_EINVAL  @p batch or @p irq is NULL, the interrupt has another
 *                       backend, or @p host is not as there.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @retval VTDPI_ESTATE  The interrupt was torn down.
 * @retval VTDPI_EDIRTY  The interrupt is dirty, by an earlier
 *                       failure or by this batch.
 * @return Any other error is one of vtdpi_irte_encode_remapped() or of the
 *         backend. If vtdpi_irq_is_dirty() is true after that error, the form is
 *         set, and the commit will fail with this error. If it is false, and
 *         after each error listed above, nothing has changed for this
 *         interrupt. In both cases the batch goes on.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_set_host(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq,
                         const struct vtdpi_irte_remapped *host);

/**
 * @brief vtdpi_irq_post() in a batch.
 *
 * @param batch   A batch that has begun. Not NULL.
 * @param irq     An interrupt of the same backend. Not NULL.
 * @param v       An attached vCPU. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0                      The form is set. The entry is written and dirty,
 *                                unless it had this form and was flushed.
 * @retval VTDPI_EINVAL           A pointer is NULL, or the interrupt has
 *                                another backend.
 * @retval VTDPI_EINFLIGHT        Another call holds the interrupt.
 * @retval VTDPI_EVECTOR          @p vector is below 16.
 * @retval VTDPI_ESTATE           The interrupt was torn down.
 * @retval VTDPI_EDIRTY           The interrupt is dirty, by an earlier
 *                                failure or by this batch.
 * @retval VTDPI_ENOPI            The backend cannot post (no_posting), or a unit
 *                                without CAP.PI uses the table. The host form
 *                                goes on delivering.
 * @retval VTDPI_ECLOSED          @p v is not attached, or its detach has begun.
 * @retval VTDPI_EMODE            The instance of @p v has another APIC mode than
 *                                the backend: a unit would misread NDST.
 * @retval VTDPI_EIRTE_PDA_WIDTH  The PID is above the host address width.
 * @return Any other error is one of the backend, as for
 *         vtdpi_irq_batch_set_host().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_post(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq,
                     struct vtdpi_vcpu *v, uint8_t vector);

/**
 * @brief vtdpi_irq_post_target() in a batch.
 *
 * @param batch   A batch that has begun. Not NULL.
 * @param irq     An interrupt of the same backend. Not NULL.
 * @param target  An open target. Not NULL.
 * @param vector  Guest vector, 16 to 255.
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0                      The form is set. The entry is written and dirty,
 *                                unless it had this form and was flushed.
 * @retval VTDPI_EINVAL           A pointer is NULL, or the interrupt has
 *                                another backend.
 * @retval VTDPI_EINFLIGHT        Another call holds the interrupt.
 * @retval VTDPI_EVECTOR          @p vector is below 16.
 * @retval VTDPI_ESTATE           The interrupt was torn down.
 * @retval VTDPI_EDIRTY           The interrupt is dirty, by an earlier
 *                                failure or by this batch.
 * @retval VTDPI_ENOPI            As vtdpi_irq_batch_post().
 * @retval VTDPI_ECLOSED          @p target is not open.
 * @retval VTDPI_EMODE            @p target has another APIC mode than the backend.
 * @retval VTDPI_EIRTE_PDA_WIDTH  The descriptor is above the host address width.
 * @return Any other error is one of the backend, as for
 *         vtdpi_irq_batch_set_host().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_post_target(struct vtdpi_irq_batch *batch,
                            struct vtdpi_irq *irq, struct vtdpi_target *target,
                            uint8_t vector);

/**
 * @brief vtdpi_irq_set_host_posted() in a batch.
 *
 * @param batch   A batch that has begun. Not NULL.
 * @param irq     An interrupt of the same backend. Not NULL.
 * @param target  An open target. Not NULL.
 * @param vector  The bit of PIR to set, 16 to 255.
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0                      Set; the entry, if it changed, is written and dirty.
 * @retval VTDPI_EINVAL           A pointer is NULL, or the interrupt has
 *                                another backend.
 * @retval VTDPI_EINFLIGHT        Another call holds the interrupt.
 * @retval VTDPI_EVECTOR          @p vector is below 16.
 * @retval VTDPI_ESTATE           The interrupt was torn down.
 * @retval VTDPI_EDIRTY           The interrupt is dirty, by an earlier
 *                                failure or by this batch.
 * @retval VTDPI_ENOPI            The backend cannot post.
 * @retval VTDPI_ECLOSED          @p target is not open.
 * @retval VTDPI_EMODE            @p target has another APIC mode than the backend.
 * @retval VTDPI_EIRTE_PDA_WIDTH  The descriptor is above the host address width.
 * @return Any other error is one of the backend, as for
 *         vtdpi_irq_batch_set_host().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_set_host_posted(struct vtdpi_irq_batch *batch,
                                struct vtdpi_irq *irq,
                                struct vtdpi_target *target, uint8_t vector);

/**
 * @brief vtdpi_irq_unpost() in a batch.
 *
 * @param batch  A batch that has begun. Not NULL.
 * @param irq    An interrupt of the same backend. Not NULL.
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0             Written and dirty, or there was no posted form.
 * @retval VTDPI_EINVAL  A pointer is NULL, or the interrupt has another
 *                       backend.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @retval VTDPI_ESTATE  The interrupt was torn down.
 * @retval VTDPI_EDIRTY  The interrupt is dirty, by an earlier
 *                       failure or by this batch.
 * @return Any other error is one of the backend, as for
 *         vtdpi_irq_batch_set_host().
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_unpost(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq);

/**
 * @brief vtdpi_irq_teardown() in a batch.
 *
 * @param batch  A batch that has begun. Not NULL.
 * @param irq    An interrupt of the same backend. It may be dirty, changed in
 *               this batch, or torn down before. Not NULL.
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0             Torn down; pinned until the commit has succeeded,
 *                       unless the entry was cleared and flushed before.
 * @retval VTDPI_EINVAL  A pointer is NULL, or the interrupt has another
 *                       backend.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @return Any other error is one of the backend. The interrupt is torn down also
 *         after that error, and is pinned. Another batch or vtdpi_irq_flush()
 *         tries again.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_teardown(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq);

/**
 * @brief vtdpi_irq_flush() in a batch: how the interrupts that a failed commit
 *        left dirty are flushed together.
 *
 * @param batch  A batch that has begun. Not NULL.
 * @param irq    An interrupt of the same backend. Not NULL.
 *
 * @thread @waits{the backend's begin and replace}
 *
 * @retval 0             The commit flushes it; or it was neither dirty nor
 *                       pinned, which costs nothing.
 * @retval VTDPI_EINVAL  A pointer is NULL, or the interrupt has another
 *                       backend.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @return Any other error is one of the backend. The interrupt is dirty or
 *         pinned, as before.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_flush(struct vtdpi_irq_batch *batch, struct vtdpi_irq *irq);

/**
 * @brief Flush what was changed in a batch, wait, and end the batch.
 *
 * On each unit of a table of table.h: one submission of the fewest IEC
 * descriptors, one wait, and one register read if a posted form was retired,
 * for any number of interrupts. All units work at the same time. Nothing to
 * flush costs nothing.
 *
 * **After a failure** of one unit or of several, the others were flushed. Each
 * interrupt that was changed, torn down or flushed in the batch is dirty, or
 * pinned, and keeps its references; vtdpi_irq_is_dirty() and
 * vtdpi_irq_is_pinned() say so one by one. Their new forms are in the table.
 * Put them into another batch with vtdpi_irq_batch_flush(), or go on with the
 * functions for one interrupt. No other interrupt is affected.
 *
 * @param batch  A batch that has begun. Not NULL.
 *
 * @post The batch has ended, whatever is returned.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Done: what the batch changed is neither dirty nor pinned. A host
 *                       form that was left to the batch (VTDPI_IRQ_DEFERRED) is set
 *                       after that, and can leave its interrupt dirty again; never one
 *                       that was torn down.
 * @retval VTDPI_EINVAL  @p batch is NULL.
 * @return Any other error is one of the backend: that of the first invalidate
 *         that failed, or that of its commit if no invalidate failed.
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irq_batch_commit(struct vtdpi_irq_batch *batch);

/**
 * @brief The host has flushed in another way: make a dirty interrupt clean and
 *        give references of old entries back. Calls only the backend's settled; and,
 *        if a host form was left to this call, what setting that form calls.
 *
 * @param irq  The interrupt. Not NULL.
 *
 * @pre Since the last change of this interrupt every unit that uses the table
 *      has completed a global invalidation of its interrupt entry cache, or
 *      had interrupt remapping off; and what it had posted has landed.
 *
 * @thread @waits{the backend's}
 *
 * @retval 0             Neither dirty nor pinned.
 * @retval VTDPI_EINVAL  @p irq is NULL.
 * @retval VTDPI_EINFLIGHT  Another call holds the interrupt.
 * @retval VTDPI_EBUSY   Pinned, and the entry itself is not cleared, since the
 *                       backend had refused that: vtdpi_irq_flush() first.
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_irq_mark_flushed(struct vtdpi_irq *irq);

/**
 * @brief The vCPU that the interrupt is posted to.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return The posted form's vCPU; NULL if there is no posted form, or if its target
 *         is no vCPU's.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_vcpu *vtdpi_irq_vcpu(const struct vtdpi_irq *irq)
{
    return irq->target != VTDPI_NULL_ ? irq->target->vcpu : VTDPI_NULL_;
}

/**
 * @brief The target that the interrupt is posted to.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return The posted form's target; NULL if there is no posted form, be the host form
 *         in posted format or not.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_target *vtdpi_irq_target(const struct vtdpi_irq *irq)
{
    return irq->target;
}

/**
 * @brief The guest vector of the posted form.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return The vector, or 0 if there is no posted form.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint8_t vtdpi_irq_vector(const struct vtdpi_irq *irq)
{
    return irq->vector;
}

/**
 * @brief The backend of the interrupt.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return The backend, as given to vtdpi_irq_init().
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE const struct vtdpi_backend *
vtdpi_irq_backend(const struct vtdpi_irq *irq)
{
    return irq->backend;
}

/**
 * @brief Whether the commit of a batch concerns an interrupt.
 *
 * @param batch  A batch that has begun. Not NULL.
 * @param irq    An interrupt. Not NULL.
 *
 * @return True if the interrupt was changed, torn down or flushed in this batch.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE bool vtdpi_irq_batch_has(const struct vtdpi_irq_batch *batch,
                                      const struct vtdpi_irq *irq)
{
    return vtdpi_atomic_load_ptr_acquire(&irq->batch) == batch;
}

/**
 * @brief The index of the interrupt.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return The index, as given to vtdpi_irq_init().
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_irq_index(const struct vtdpi_irq *irq)
{
    return irq->index;
}

/**
 * @brief What the entry in the table holds.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return A copy; units may hold an older one if the interrupt is dirty.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_irte vtdpi_irq_live(const struct vtdpi_irq *irq)
{
    return irq->live.irte;
}

/**
 * @brief Whether a change was written and its flush has not succeeded yet.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return True if a unit may use an entry other than vtdpi_irq_live().
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE bool vtdpi_irq_is_dirty(const struct vtdpi_irq *irq)
{
    return irq->dirty;
}

/**
 * @brief Whether the interrupt is torn down and a unit may still use its
 *        index.
 *
 * @param irq  An initialised interrupt. Not NULL.
 *
 * @return True if its index must not be freed, nor the object go away.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE bool vtdpi_irq_is_pinned(const struct vtdpi_irq *irq)
{
    return irq->down &&
           (irq->dirty || irq->live.irte.lo != 0 || irq->live.irte.hi != 0);
}

VTDPI_END_DECLS

#endif
