/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes a queue go on that has stopped: IQE, ITE and ICE. Read qi_ring.h
 * first. recover_locked() has the order that decides: read the head and IQER,
 * resolve what is done, replace what was refused, clear the error, submit again
 * what was aborted.
 */
#include "qi_ring.h"

/* Whether a batch has sent, or may have sent, the request that device @p sid
 * failed on. 0: the unit did not say which device. */
static VTDPI_COLD bool ticket_is_suspect(const struct vtdpi_qi *qi,
                                         const struct vtdpi_qi_ticket *t,
                                         uint64_t sid)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const uint32_t slot = ring_advance(qi, t->first, i);
        uint64_t target = 0;

        if (!slot_is_behind(qi, slot, qi->head))
            return false;
        if (slot_is_device_flush(qi, slot, &target) &&
            (sid == 0 || sid == target))
            return true;
    }
    return false;
}

static VTDPI_COLD void tickets_fail_suspects(struct vtdpi_qi *qi, uint64_t sid,
                                             int code)
{
    struct vtdpi_qi_ticket *t = qi->oldest;

    while (t != NULL) {
        struct vtdpi_qi_ticket *const next = t->next;

        if (ticket_is_suspect(qi, t, sid))
            ticket_resolve(qi, t, code);
        t = next;
    }
}

/*
 * IQE: the head is at the descriptor that was refused, and stays there. Replace the
 * descriptor by one without effect: a wait that writes 0, which is no sequence
 * number, to the status word of its own slot. (A wait that writes nothing, SW = 0,
 * would be refused, too.) The submission of that descriptor fails. The unit still
 * executes the rest of that submission. If the head is at the tail, this writes to
 * the slot that is always free, without harm.
 */
static VTDPI_COLD void ring_repair_iqe(struct vtdpi_qi *qi)
{
    struct vtdpi_qi_ticket *t = qi->oldest;

    while (t != NULL && (slot_is_behind(qi, qi->head, t->first) ||
                         slot_is_behind(qi, ticket_wait_slot(qi, t), qi->head)))
        t = t->next;
    if (t != NULL)
        ticket_resolve(qi, t, VTDPI_EIQE);
    slot_write_wait(qi, qi->head, 0);
}

/* Write the oldest batch again, at the tail. */
static VTDPI_COLD void ticket_move_to_tail(struct vtdpi_qi *qi,
                                           struct vtdpi_qi_ticket *t)
{
    ticket_unlink(qi, t);
    for (uint32_t i = 0; i < t->count; i++) {
        struct vtdpi_qi_desc desc;

        /* The two ranges may overlap: the copy lands before the original,
         * seen along the ring, so ascending order destroys nothing. */
        slot_read(qi, ring_advance(qi, t->first, i), &desc);
        slot_write(qi, ring_advance(qi, qi->tail, i), &desc);
    }
    t->first = qi->tail;
    batch_seal(qi, t);
    qi->stats.resubmitted++;
}

/*
 * ITE: the unit has dropped the waits that it had fetched and not completed. Waits
 * from the head on will be fetched as usual. Tickets are in ring order, so the
 * dropped ones are the oldest. All other slots that are older than the head are
 * free, and moving the oldest ticket never needs more room than it gives up.
 */
static VTDPI_COLD void tickets_resubmit_aborted(struct vtdpi_qi *qi)
{
    bool moved = false;

    /* A ticket that was moved is not older than the head any more, so this ends. */
    while (qi->oldest != NULL &&
           slot_is_behind(qi, ticket_wait_slot(qi, qi->oldest), qi->head)) {
        ticket_move_to_tail(qi, qi->oldest);
        moved = true;
    }
    if (moved)
        ring_publish_tail(qi);
}

/* Resolve what has completed, whatever is ahead of it: what remains is in
 * flight. */
static VTDPI_COLD void tickets_sweep_all(struct vtdpi_qi *qi)
{
    struct vtdpi_qi_ticket *t = qi->oldest;

    while (t != NULL) {
        struct vtdpi_qi_ticket *const next = t->next;

        if (word_is_complete(qi, vtdpi_atomic_load64_relaxed(&t->word)))
            ticket_complete(qi, t);
        t = next;
    }
}

/* Returns whether the error is another one than the last. */
static VTDPI_COLD bool error_note(struct vtdpi_qi *qi, uint32_t fsts,
                                  uint64_t iqer)
{
    const bool fresh = qi->error.fsts != fsts || qi->error.slot != qi->head ||
                       qi->error_tail != qi->tail;

    qi->stats.iqe += (fsts & VTDPI_FSTS_IQE) != 0;
    qi->stats.ite += (fsts & VTDPI_FSTS_ITE) != 0;
    qi->stats.ice += (fsts & VTDPI_FSTS_ICE) != 0;
    if (fresh) {
        qi->error.fsts = fsts;
        qi->error.iqer = iqer;
        qi->error.slot = qi->head;
        qi->error_tail = qi->tail;
        slot_read(qi, qi->head, &qi->error.desc);
    }
    return fresh;
}

/* What recovery found. */
struct recovery {
    uint32_t fsts; /* the queue's errors that were dealt with */
    bool gone;     /* the unit does not answer */
    bool fresh;    /* false: the error of the last time is still there */
};

/*
 * The order: read the head and IQER, replace the descriptor, clear the bits, write
 * aborted submissions again. While IQE or ITE is set the queue stands still and IQER
 * is valid, so the bits are cleared after the first two steps. If the head that was
 * read cannot be true, it is not known which descriptor was refused. Then nothing is
 * replaced, and the waits end with their deadlines.
 */
static VTDPI_COLD struct recovery recover_locked(struct vtdpi_qi *qi)
{
    struct recovery r = {0, false, false};
    const uint32_t fsts =
        vtdpi_rd32_(qi->ops, qi->ctx, VTDPI_FSTS_REG) & VTDPI_QI_ERRORS_;
    enum head head;
    uint64_t iqer;

    if (fsts == 0)
        return r;
    iqer = vtdpi_rd64_(qi->ops, qi->ctx, VTDPI_IQER_REG);
    head = ring_read_head(qi);
    r.gone = head == HEAD_GONE; /* then FSTS was all ones, too */
    if (r.gone)
        return r;
    /* Status words written before the error are visible by now: a register
     * read does not overtake them. What is done is not in flight. */
    tickets_sweep_all(qi);
    r.fsts = fsts;
    r.fresh = error_note(qi, fsts, iqer);
    if ((fsts & VTDPI_FSTS_IQE) != 0 && head == HEAD_VALID)
        ring_repair_iqe(qi);
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        tickets_fail_suspects(qi, VTDPI_FIELD_GET(iqer, VTDPI_IQER_ITE_SID),
                              VTDPI_EITE);
    if ((fsts & VTDPI_FSTS_ICE) != 0)
        tickets_fail_suspects(qi, VTDPI_FIELD_GET(iqer, VTDPI_IQER_ICE_SID),
                              VTDPI_EICE);
    vtdpi_wr32_(qi->ops, qi->ctx, VTDPI_FSTS_REG, fsts);
    /* Relaxed: see queue_is_stalled(). */
    vtdpi_atomic_store64_relaxed(&qi->stall, 0);
    /* Hardware goes on by itself now. QEMU (10.0) only when the tail is
     * written, which changes nothing otherwise. */
    if ((fsts & VTDPI_FSTS_IQE) != 0)
        ring_publish_tail(qi);
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        tickets_resubmit_aborted(qi);
    return r;
}

VTDPI_COLD int vtdpi_qi_recover(struct vtdpi_qi *qi)
{
    struct recovery r = {0, false, false};
    const uintptr_t token = qi->ops->lock(qi->ctx);
    const bool live = qi->live;
    int rc;

    if (live)
        r = recover_locked(qi);
    qi->ops->unlock(qi->ctx, token);
    if (!live)
        return VTDPI_EQOFF;
    if (r.gone)
        return VTDPI_EIO;
    rc = vtdpi_qi_error_code_(r.fsts);
    /* An error that does not go away is polled for all the time. */
    if (r.fresh)
        vtdpi_log_(qi->ops, qi->ctx, VTDPI_LOG_ERROR, vtdpi_strerror(rc));
    return rc;
}
