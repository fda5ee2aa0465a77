/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue: submission, waiting, life. Read qi_ring.h first: it
 * has the ring, tickets and their words, and what is done under the lock.
 * qi_recover.c makes a queue go on that an error has stopped.
 */
#include "qi_ring.h"

/* What the user of before may have left in FSTS, of the bits that are cleared by
 * writing one. A bit that stays set can keep the unit from telling of the next
 * fault. */
#define FSTS_LEFT                                                    \
    (VTDPI_QI_ERRORS_ | (uint32_t)(VTDPI_FSTS_PFO | VTDPI_FSTS_AFO | \
                                   VTDPI_FSTS_APF | VTDPI_FSTS_PRO))

/* Slots that are looked at in one hold of the lock. */
#define LOOK_AHEAD_SLOTS 64

/*
 * Resolve what has completed, oldest first. So the slots of a submission become free
 * although its owner sleeps or never polls, and an owner that polls later finds the
 * result without the lock.
 */
static void tickets_sweep(struct vtdpi_qi *qi)
{
    while (qi->oldest != NULL &&
           word_is_complete(qi, vtdpi_atomic_load64_relaxed(&qi->oldest->word)))
        ticket_complete(qi, qi->oldest);
}

/* Find room for @p n slots. Registers are used only if nothing else helps:
 * what was given up is free once the head has passed it. */
static int ring_make_room(struct vtdpi_qi *qi, uint32_t n)
{
    tickets_sweep(qi);
    if (ring_free(qi) >= n)
        return 0;
    /* A unit that did not answer for a while has missed writes of the tail. Nothing
     * is submitted to a full ring, so no later write would make up for them. A unit
     * that knows the tail already ignores this write. */
    ring_publish_tail(qi);
    if (ring_read_head(qi) == HEAD_GONE)
        return VTDPI_EIO;
    return ring_free(qi) >= n ? 0 : VTDPI_EQFULL;
}

static int batch_submit(struct vtdpi_qi *qi, const struct vtdpi_qi_desc *descs,
                        uint32_t count, struct vtdpi_qi_ticket *t)
{
    const int rc = ring_make_room(qi, count + 1);

    if (rc != 0)
        return rc;
    t->first = qi->tail;
    t->count = count;
    for (uint32_t i = 0; i < count; i++)
        slot_write(qi, ring_advance(qi, t->first, i), &descs[i]);
    batch_seal(qi, t);
    ring_publish_tail(qi);
    qi->stats.submissions++;
    return 0;
}

/* What is wrong with a submission, whatever is in the queue. */
static int batch_check(const struct vtdpi_qi *qi,
                       const struct vtdpi_qi_desc *descs, uint32_t count)
{
    /* One slot for the wait, and one that stays free. */
    if (count > qi->slots - 2)
        return VTDPI_EINVAL;
    for (uint32_t i = 0; qi->words == 2 && i < count; i++) {
        if ((descs[i].qw[2] | descs[i].qw[3]) != 0)
            return VTDPI_ERANGE;
    }
    return 0;
}

void vtdpi_qi_reject_(struct vtdpi_qi_ticket *ticket, int code)
{
    vtdpi_atomic_store64_release(&ticket->word, word_resolved(code));
}

int vtdpi_qi_submit(struct vtdpi_qi *qi, const struct vtdpi_qi_desc *descs,
                    uint32_t count, struct vtdpi_qi_ticket *ticket)
{
    int rc;

    VTDPI_ASSERT(ticket != NULL && (descs != NULL || count == 0));
    rc = batch_check(qi, descs, count);
    if (rc == 0) {
        const uintptr_t token = qi->ops->lock(qi->ctx);

        rc = qi->open ? batch_submit(qi, descs, count, ticket) : VTDPI_EQOFF;
        qi->ops->unlock(qi->ctx, token);
    }
    if (rc != 0)
        vtdpi_qi_reject_(ticket, rc);
    return rc;
}

/*
 * Waiting.
 */

/* Resolve a ticket with what is known, else with @p code; EBUSY leaves it in
 * flight. Returns its code. */
static int ticket_settle(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t,
                         int code)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);
    uint64_t word = vtdpi_atomic_load64_relaxed(&t->word);

    if (!word_is_resolved(word)) {
        if (word_is_complete(qi, word)) {
            ticket_complete(qi, t);
        } else if (code != VTDPI_EBUSY) {
            ticket_resolve(qi, t, code);
            qi->stats.given_up += code == VTDPI_ETIMEDOUT;
        }
        word = vtdpi_atomic_load64_relaxed(&t->word);
    }
    qi->ops->unlock(qi->ctx, token);
    return word_is_resolved(word) ? word_code(word) : VTDPI_EBUSY;
}

int vtdpi_qi_poll(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket)
{
    uint64_t word = vtdpi_atomic_load64_acquire(&ticket->word);
    uint32_t fsts;

    if (word_is_resolved(word))
        return word_code(word);
    if (word_is_complete(qi, word))
        return ticket_settle(qi, ticket, VTDPI_EBUSY);
    fsts = vtdpi_rd32_(qi->ops, qi->ctx, VTDPI_FSTS_REG);
    if (fsts == VTDPI_ALL_ONES32_)
        return ticket_settle(qi, ticket, VTDPI_EIO);
    if ((fsts & VTDPI_QI_ERRORS_) == 0)
        return VTDPI_EBUSY;
    (void)vtdpi_qi_recover(qi);
    word = vtdpi_atomic_load64_acquire(&ticket->word);
    return word_is_resolved(word) ? word_code(word) : VTDPI_EBUSY;
}

VTDPI_COLD int vtdpi_qi_give_up(struct vtdpi_qi *qi,
                                struct vtdpi_qi_ticket *ticket)
{
    const uint64_t word = vtdpi_atomic_load64_acquire(&ticket->word);

    if (word_is_resolved(word))
        return word_code(word);
    return ticket_settle(qi, ticket, VTDPI_ETIMEDOUT);
}

/* Whether the slot holds one of our waits, and it has completed. */
static VTDPI_COLD bool slot_is_completed_wait(const struct vtdpi_qi *qi,
                                              uint32_t slot)
{
    struct vtdpi_qi_desc d;
    uint64_t word;

    slot_read(qi, slot, &d);
    word = word_in_flight(slot, (uint32_t)(d.qw[0] >> 32));
    return VTDPI_FIELD_GET(d.qw[0], VTDPI_QI_TYPE) == VTDPI_QI_WAIT &&
           d.qw[1] == qi->status_phys + (uint64_t)slot * sizeof(uint32_t) &&
           !word_is_resolved(word) && word_is_complete(qi, word);
}

/* What is in the slots ahead of a submission. */
enum ahead {
    AHEAD_UNKNOWN, /* look at the next ones */
    AHEAD_DEVICE,
    AHEAD_NOTHING,
};

/* Look at some of the slots ahead of @p t, the nearest first; @p seen of them
 * have been looked at. With the lock held. */
static VTDPI_COLD enum ahead ticket_look_ahead(struct vtdpi_qi *qi,
                                               const struct vtdpi_qi_ticket *t,
                                               uint32_t *seen)
{
    const uint32_t last = *seen + LOOK_AHEAD_SLOTS;
    uint32_t behind;

    tickets_sweep(qi);
    if (word_is_resolved(vtdpi_atomic_load64_relaxed(&t->word)))
        return AHEAD_NOTHING;
    behind = ring_distance(qi, t->first, qi->tail);
    while (*seen < last) {
        uint32_t slot;
        uint64_t sid;

        if (behind + *seen >= ring_used(qi))
            return AHEAD_NOTHING;
        (*seen)++;
        slot = ring_advance(qi, t->first, qi->slots - *seen);
        if (slot_is_device_flush(qi, slot, &sid))
            return AHEAD_DEVICE;
        if (slot_is_completed_wait(qi, slot)) /* and so is all before it */
            return AHEAD_NOTHING;
    }
    return AHEAD_UNKNOWN;
}

/*
 * Whether somebody's device-TLB invalidation is ahead of @p t in the queue and
 * may still be executing, that of a submission that was given up included. The
 * ring may be long, so the lock is let go now and then. If @p t is written
 * again in between, some slots may be missed or looked at twice: a deadline is
 * then early or late by a little.
 */
static VTDPI_COLD bool ticket_is_behind_device(struct vtdpi_qi *qi,
                                               const struct vtdpi_qi_ticket *t)
{
    enum ahead ahead = AHEAD_UNKNOWN;
    uint32_t seen = 0;

    while (ahead == AHEAD_UNKNOWN) {
        const uintptr_t token = qi->ops->lock(qi->ctx);

        ahead = ticket_look_ahead(qi, t, &seen);
        qi->ops->unlock(qi->ctx, token);
    }
    return ahead == AHEAD_DEVICE;
}

/*
 * Whether the queue is stalled, see qi.h. Each call looks at the status word and at
 * the last known head. The register is read once in a deadline.
 *
 * Relaxed: the word says only how long to wait. A CPU that misses a stall waits
 * for a deadline. A CPU that sees a stall that has ended fails once more than
 * needed.
 */
static VTDPI_COLD bool queue_is_stalled(struct vtdpi_qi *qi, uint64_t now)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    if (now - qi->stall_seen >= VTDPI_QI_TIMEOUT_US) {
        qi->stall_seen = now;
        (void)ring_read_head(qi);
    }
    if (word_is_complete(qi, qi->stall) || qi->head != qi->stall_head)
        vtdpi_atomic_store64_relaxed(&qi->stall, 0);
    qi->ops->unlock(qi->ctx, token);
    return vtdpi_atomic_load64_relaxed(&qi->stall) != 0;
}

/* Give up a wait whose deadline has passed. The head is read now, because only a
 * head that moves after this shows that the unit works again. Relaxed: see
 * queue_is_stalled(). */
static VTDPI_COLD int ticket_give_up_late(struct vtdpi_qi *qi,
                                          struct vtdpi_qi_ticket *t,
                                          uint64_t now)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);
    const uint64_t word = vtdpi_atomic_load64_relaxed(&t->word);

    (void)ring_read_head(qi);
    qi->stall_head = qi->head;
    qi->stall_seen = now;
    vtdpi_atomic_store64_relaxed(&qi->stall, word_is_resolved(word) ? 0 : word);
    qi->ops->unlock(qi->ctx, token);
    return vtdpi_qi_give_up(qi, t);
}

int vtdpi_qi_wait(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket,
                  uint64_t timeout_us)
{
    const uint64_t begin = qi->ops->now_us(qi->ctx);
    const uint64_t budget = timeout_us != 0 ? timeout_us : VTDPI_QI_TIMEOUT_US;
    uint64_t start = begin;
    bool stalled = vtdpi_atomic_load64_relaxed(&qi->stall) != 0 &&
                   queue_is_stalled(qi, begin);

    for (;;) {
        /* Before the poll: a caller that is preempted between the two polls once
         * more after the clock has run out, and sees what was done by then. */
        const uint64_t now = qi->ops->now_us(qi->ctx);
        const int rc = vtdpi_qi_poll(qi, ticket);

        if (rc != VTDPI_EBUSY)
            return rc;
        if (stalled) {
            if (vtdpi_atomic_load64_relaxed(&qi->stall) != 0)
                return vtdpi_qi_give_up(qi, ticket);
            stalled = false; /* the poll has recovered the queue */
        }
        if (now - start >= budget) {
            if (now - begin >= qi->device_timeout_us ||
                !ticket_is_behind_device(qi, ticket))
                return budget < VTDPI_QI_TIMEOUT_US
                           ? vtdpi_qi_give_up(qi, ticket)
                           : ticket_give_up_late(qi, ticket, now);
            start = now;
        }
        vtdpi_relax_(qi->ops, qi->ctx);
    }
}

VTDPI_COLD int
vtdpi_qi_wait_until_done(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket,
                         uint64_t period_us,
                         void (*tell)(void *ctx, uint64_t waited_us), void *ctx)
{
    const uint64_t period = period_us != 0 ? period_us : VTDPI_QI_TIMEOUT_US;
    const uint64_t begin = qi->ops->now_us(qi->ctx);
    uint64_t told = begin;
    int rc;

    while ((rc = vtdpi_qi_poll(qi, ticket)) == VTDPI_EBUSY) {
        const uint64_t now = qi->ops->now_us(qi->ctx);

        if (now - told >= period) {
            told = now;
            tell(ctx, now - begin);
        }
        vtdpi_relax_(qi->ops, qi->ctx);
    }
    return rc;
}

/*
 * Life.
 */

static VTDPI_COLD bool memory_wraps(uint64_t phys, uint64_t bytes)
{
    return phys + (bytes - 1) < phys;
}

static VTDPI_COLD int params_check(const struct vtdpi_qi_params *p)
{
    uint32_t slots;

    if (p == NULL || p->ring == NULL || p->status == NULL ||
        p->order > VTDPI_QI_ORDER_MAX || p->submitters == 0)
        return VTDPI_EINVAL;
    if (p->width != VTDPI_QI_128 && p->width != VTDPI_QI_256)
        return VTDPI_EINVAL;
    if (!vtdpi_is_aligned_(p->ring, VTDPI_PAGE_BYTES_) ||
        p->ring_phys % VTDPI_PAGE_BYTES_ != 0 ||
        !vtdpi_is_aligned_(p->status, 4) || p->status_phys % 4 != 0)
        return VTDPI_EALIGN;
    slots = vtdpi_qi_slots(p->order, p->width);
    if (memory_wraps(p->ring_phys, VTDPI_PAGE_BYTES_ << p->order) ||
        memory_wraps(p->status_phys, (uint64_t)slots * sizeof(*p->status)))
        return VTDPI_ERANGE;
    /* Two slots each, and the one that is always free. */
    return p->submitters > (slots - 1) / 2 ? VTDPI_ENOSPC : 0;
}

VTDPI_COLD int vtdpi_qi_init(struct vtdpi_qi *qi,
                             const struct vtdpi_platform_ops *ops, void *ctx,
                             const struct vtdpi_qi_params *params)
{
    const struct vtdpi_qi zero = {0};
    int rc;

    if (qi == NULL || !vtdpi_ops_ok_(ops))
        return VTDPI_EINVAL;
    rc = params_check(params);
    if (rc != 0)
        return rc;
    *qi = zero;
    qi->ops = ops;
    qi->ctx = ctx;
    qi->ring = params->ring;
    qi->ring_phys = params->ring_phys;
    qi->status = params->status;
    qi->status_phys = params->status_phys;
    qi->device_timeout_us = params->device_timeout_us != 0
                                ? params->device_timeout_us
                                : VTDPI_QI_DEVICE_TIMEOUT_US;
    qi->slots = vtdpi_qi_slots(params->order, params->width);
    qi->words = params->width == VTDPI_QI_256 ? 4 : 2;
    qi->order = params->order;
    return 0;
}

/* Only bits that read as one are written: a unit without the feature reserves
 * the bit. */
static VTDPI_COLD void fsts_clear(const struct vtdpi_qi *qi)
{
    const uint32_t fsts = vtdpi_rd32_(qi->ops, qi->ctx, VTDPI_FSTS_REG);

    if (fsts != VTDPI_ALL_ONES32_ && (fsts & FSTS_LEFT) != 0)
        vtdpi_wr32_(qi->ops, qi->ctx, VTDPI_FSTS_REG, fsts & FSTS_LEFT);
}

/* What IQA is to hold. */
static VTDPI_COLD uint64_t iqa_value(const struct vtdpi_qi *qi)
{
    return qi->ring_phys | (qi->words == 4 ? VTDPI_IQA_DW : 0) |
           VTDPI_FIELD_PUT(qi->order, VTDPI_IQA_QS);
}

VTDPI_COLD void vtdpi_qi_program(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    VTDPI_ASSERT(!qi->live && qi->oldest == NULL);
    qi->head = 0;
    qi->tail = 0;
    vtdpi_atomic_store64_relaxed(&qi->stall, 0);
    /* The sequence goes on: status writes of an earlier life may be late. */
    fsts_clear(qi);
    ring_publish_tail(qi);
    vtdpi_wr64_(qi->ops, qi->ctx, VTDPI_IQA_REG, iqa_value(qi));
    qi->ops->unlock(qi->ctx, token);
}

/* The head goes on from where it is, so what was not fetched yet is executed, and
 * its slots stay in use until then. */
VTDPI_COLD int vtdpi_qi_keep_(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);
    const uint64_t address = vtdpi_rd64_(qi->ops, qi->ctx, VTDPI_IQA_REG);
    const uint64_t tail = vtdpi_rd64_(qi->ops, qi->ctx, VTDPI_IQT_REG);
    enum head head = HEAD_INVALID;
    int rc = VTDPI_EFOREIGN;

    if (address == iqa_value(qi) && tail == iqt_value(qi))
        head = ring_read_head(qi);
    if (address == VTDPI_ALL_ONES64_ || tail == VTDPI_ALL_ONES64_ ||
        head == HEAD_GONE) {
        rc = VTDPI_EIO;
    } else if (head == HEAD_VALID) {
        qi->live = true;
        qi->open = true;
        rc = 0;
    }
    qi->ops->unlock(qi->ctx, token);
    return rc;
}

VTDPI_COLD void vtdpi_qi_open(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    qi->live = true;
    qi->open = true;
    qi->ops->unlock(qi->ctx, token);
}

VTDPI_COLD bool vtdpi_qi_is_open_(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);
    const bool open = qi->open;

    qi->ops->unlock(qi->ctx, token);
    return open;
}

VTDPI_COLD int vtdpi_qi_close(struct vtdpi_qi *qi, uint64_t timeout_us)
{
    struct vtdpi_qi_ticket last = {0};
    const uintptr_t token = qi->ops->lock(qi->ctx);
    int rc = VTDPI_EQOFF;

    /* In one hold: nothing can be submitted behind the last wait. */
    if (qi->open) {
        qi->open = false;
        rc = batch_submit(qi, NULL, 0, &last);
    }
    qi->ops->unlock(qi->ctx, token);
    return rc != 0 ? rc : vtdpi_qi_wait(qi, &last, timeout_us);
}

VTDPI_COLD void vtdpi_qi_abort(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    qi->open = false;
    qi->live = false;
    while (qi->oldest != NULL) {
        const uint64_t word = vtdpi_atomic_load64_relaxed(&qi->oldest->word);

        ticket_resolve(qi, qi->oldest,
                       word_is_complete(qi, word) ? 0 : VTDPI_EQOFF);
    }
    qi->ops->unlock(qi->ctx, token);
}

VTDPI_COLD void vtdpi_qi_report(struct vtdpi_qi *qi,
                                struct vtdpi_qi_stats *stats,
                                struct vtdpi_qi_error *error)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    if (stats != NULL)
        *stats = qi->stats;
    if (error != NULL)
        *error = qi->error;
    qi->ops->unlock(qi->ctx, token);
}
