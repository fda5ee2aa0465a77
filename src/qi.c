/* SPDX-License-Identifier: BSD-2-Clause */
#include "vtdpi/qi.h"

#include "internal.h"
#include "vtdpi/atomic.h"

#define PAGE_BYTES UINT64_C(4096)

/* The errors that stop or concern the queue; all cleared by writing 1. */
#define QUEUE_ERRORS \
    ((uint32_t)(VTDPI_FSTS_IQE | VTDPI_FSTS_ITE | VTDPI_FSTS_ICE))

/* Requester id of a device-TLB invalidation, without and with PASID. */
#define DEV_TLB_SID       VTDPI_BITS64(47, 32)
#define PASID_DEV_TLB_SID VTDPI_BITS64(31, 16)

/*
 * Positions. A slot number says nothing about age, its distance to the tail
 * does: the ring always has one free slot, so distances below the number of
 * slots are unambiguous. Everything here is called with the lock held.
 */

static uint32_t distance(const struct vtdpi_qi *qi, uint32_t from, uint32_t to)
{
    return (to - from) & (qi->slots - 1);
}

static uint32_t advance(const struct vtdpi_qi *qi, uint32_t slot, uint32_t n)
{
    return (slot + n) & (qi->slots - 1);
}

/* Slot of a ticket's wait descriptor. */
static uint32_t wait_slot(const struct vtdpi_qi *qi,
                          const struct vtdpi_qi_ticket *t)
{
    return advance(qi, t->first, t->count);
}

/* Whether @p slot, one that is in use, is older than @p head. */
static bool is_behind(const struct vtdpi_qi *qi, uint32_t slot, uint32_t head)
{
    return distance(qi, slot, qi->tail) > distance(qi, head, qi->tail);
}

/* Slots that may not be written: from what hardware may still fetch, or from
 * the oldest ticket, whose descriptors a time-out would have written again. */
static uint32_t used_slots(const struct vtdpi_qi *qi)
{
    uint32_t used = distance(qi, qi->head, qi->tail);

    if (qi->oldest != NULL && is_behind(qi, qi->oldest->first, qi->head))
        used = distance(qi, qi->oldest->first, qi->tail);
    return used;
}

static uint32_t free_slots(const struct vtdpi_qi *qi)
{
    return qi->slots - 1 - used_slots(qi);
}

/*
 * The ring. Hardware reads it while we write, so words are accessed one by
 * one; that is all which relaxed gives. The order is IQT's: hardware reads a
 * slot only after the write of IQT, and write64 makes earlier stores visible
 * before it.
 */

static void write_slot(const struct vtdpi_qi *qi, uint32_t slot,
                       const struct vtdpi_qi_desc *desc)
{
    uint64_t *word = &qi->ring[(size_t)slot * qi->words];

    for (uint32_t i = 0; i < qi->words; i++)
        vtdpi_atomic_store64_relaxed(&word[i], desc->qw[i]);
}

static void read_slot(const struct vtdpi_qi *qi, uint32_t slot,
                      struct vtdpi_qi_desc *desc)
{
    const uint64_t *word = &qi->ring[(size_t)slot * qi->words];
    const struct vtdpi_qi_desc zero = {{0, 0, 0, 0}};

    *desc = zero;
    for (uint32_t i = 0; i < qi->words; i++)
        desc->qw[i] = vtdpi_atomic_load64_relaxed(&word[i]);
}

static void write_wait(const struct vtdpi_qi *qi, uint32_t slot, uint32_t data)
{
    const uint64_t at = qi->status_phys + (uint64_t)slot * sizeof(uint32_t);
    struct vtdpi_qi_desc desc;

    /* Always: init has checked that the first status word is aligned. */
    if (vtdpi_qi_encode_wait(&desc, at, data) == 0)
        write_slot(qi, slot, &desc);
}

static void publish_tail(const struct vtdpi_qi *qi)
{
    vtdpi_wr64_(qi->ops, qi->ctx, VTDPI_IQT_REG,
                (uint64_t)qi->tail * qi->words * sizeof(uint64_t));
}

/* What a read of the head found. */
enum head {
    HEAD_GONE,    /* the unit does not answer */
    HEAD_INVALID, /* it never goes back, nor beyond the tail */
    HEAD_VALID,
};

/* Bring our idea of hardware's head up to date, if the register has a new one
 * that can be true. */
static enum head read_head(struct vtdpi_qi *qi)
{
    const uint64_t iqh = vtdpi_rd64_(qi->ops, qi->ctx, VTDPI_IQH_REG);
    const uint64_t slot =
        (iqh & VTDPI_IQ_OFFSET) / (qi->words * sizeof(uint64_t));

    if (iqh == VTDPI_ALL_ONES64_)
        return HEAD_GONE;
    if (slot >= qi->slots || is_behind(qi, (uint32_t)slot, qi->head))
        return HEAD_INVALID;
    qi->head = (uint32_t)slot;
    return HEAD_VALID;
}

/*
 * Tickets. The word is read without the lock by its owner, and written under
 * the lock by whoever finds out. Sequence 0 is never used, so it marks a
 * resolved ticket.
 */

static uint64_t word_in_flight(uint32_t slot, uint32_t sequence)
{
    return (uint64_t)slot << 32 | sequence;
}

static uint64_t word_resolved(int code)
{
    return (uint64_t)(uint32_t)code << 32;
}

static bool is_resolved(uint64_t word)
{
    return (uint32_t)word == 0;
}

static int word_code(uint64_t word)
{
    return (int)(int32_t)(uint32_t)(word >> 32);
}

/* Acquire: who sees the wait's status also sees what hardware did before. */
static bool is_complete(const struct vtdpi_qi *qi, uint64_t word)
{
    return vtdpi_atomic_load32_acquire(&qi->status[word >> 32]) ==
           (uint32_t)word;
}

static void link_ticket(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    t->next = NULL;
    t->prev = qi->youngest;
    if (qi->youngest != NULL)
        qi->youngest->next = t;
    else
        qi->oldest = t;
    qi->youngest = t;
}

static void unlink_ticket(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        qi->oldest = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    else
        qi->youngest = t->prev;
}

/* The last thing done to a ticket: its owner may free it at once. */
static void resolve(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t, int code)
{
    unlink_ticket(qi, t);
    vtdpi_atomic_store64_release(&t->word, word_resolved(code));
}

/* A wait that has completed was fetched, and so was all before it. */
static void complete(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    const uint32_t after = advance(qi, wait_slot(qi, t), 1);

    if (is_behind(qi, qi->head, after))
        qi->head = after;
    resolve(qi, t, VTDPI_OK);
}

/*
 * Resolve what has completed, oldest first. An owner that sleeps, or that
 * never looks, thus keeps no slots; nor does it need the lock when it looks.
 */
static void sweep(struct vtdpi_qi *qi)
{
    while (qi->oldest != NULL &&
           is_complete(qi, vtdpi_atomic_load64_relaxed(&qi->oldest->word)))
        complete(qi, qi->oldest);
}

/*
 * The next sequence number for the wait in @p slot. Not what the status word
 * holds already: that would read as completed before anything happened.
 */
static uint32_t next_sequence(struct vtdpi_qi *qi, uint32_t slot)
{
    do {
        qi->sequence++;
    } while (qi->sequence == 0 ||
             is_complete(qi, word_in_flight(slot, qi->sequence)));
    return qi->sequence;
}

/* Finish a batch whose descriptors are in @p t->first and after. */
static void seal(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    const uint32_t slot = wait_slot(qi, t);
    const uint32_t sequence = next_sequence(qi, slot);

    write_wait(qi, slot, sequence);
    qi->tail = advance(qi, slot, 1);
    vtdpi_atomic_store64_release(&t->word, word_in_flight(slot, sequence));
    link_ticket(qi, t);
}

/* Find room for @p n slots. The register is read only if nothing else helps:
 * what was given up is free once the head has passed it. */
static int make_room(struct vtdpi_qi *qi, uint32_t n)
{
    sweep(qi);
    if (free_slots(qi) >= n)
        return 0;
    if (read_head(qi) == HEAD_GONE)
        return VTDPI_EIO;
    return free_slots(qi) >= n ? 0 : VTDPI_EQFULL;
}

static int submit_locked(struct vtdpi_qi *qi, const struct vtdpi_qi_desc *descs,
                         uint32_t count, struct vtdpi_qi_ticket *t)
{
    const int rc = make_room(qi, count + 1);

    if (rc != 0)
        return rc;
    t->first = qi->tail;
    t->count = count;
    for (uint32_t i = 0; i < count; i++)
        write_slot(qi, advance(qi, t->first, i), &descs[i]);
    seal(qi, t);
    publish_tail(qi);
    qi->stats.submissions++;
    return 0;
}

/* What can be said of a submission without looking at the queue. */
static int check_batch(const struct vtdpi_qi *qi,
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
    int rc = check_batch(qi, descs, count);

    VTDPI_ASSERT(ticket != NULL && (descs != NULL || count == 0));
    if (rc == 0) {
        const uintptr_t token = qi->ops->lock(qi->ctx);

        rc = qi->open ? submit_locked(qi, descs, count, ticket) : VTDPI_EQOFF;
        qi->ops->unlock(qi->ctx, token);
    }
    if (rc != 0)
        vtdpi_qi_reject_(ticket, rc);
    return rc;
}

/*
 * Recovery.
 */

/* Whether a descriptor makes the unit talk to a device, and to which. */
static bool is_device_flush(const struct vtdpi_qi *qi, uint32_t slot,
                            uint64_t *sid)
{
    struct vtdpi_qi_desc d;

    read_slot(qi, slot, &d);
    switch (VTDPI_FIELD_GET(d.qw[0], VTDPI_QI_TYPE)) {
    case VTDPI_QI_DEV_TLB:
        *sid = VTDPI_FIELD_GET(d.qw[0], DEV_TLB_SID);
        return true;
    case VTDPI_QI_PASID_DEV_TLB:
        *sid = VTDPI_FIELD_GET(d.qw[0], PASID_DEV_TLB_SID);
        return true;
    default:
        return false;
    }
}

/* Whether a batch has sent, or may have sent, the request that device @p sid
 * failed on. 0: the unit did not say which device. */
static bool is_suspect(const struct vtdpi_qi *qi,
                       const struct vtdpi_qi_ticket *t, uint64_t sid)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const uint32_t slot = advance(qi, t->first, i);
        uint64_t target = 0;

        if (!is_behind(qi, slot, qi->head))
            return false;
        if (is_device_flush(qi, slot, &target) && (sid == 0 || sid == target))
            return true;
    }
    return false;
}

static void fail_suspects(struct vtdpi_qi *qi, uint64_t sid, int code)
{
    struct vtdpi_qi_ticket *t = qi->oldest;

    while (t != NULL) {
        struct vtdpi_qi_ticket *const next = t->next;

        if (is_suspect(qi, t, sid))
            resolve(qi, t, code);
        t = next;
    }
}

/*
 * IQE: the head is at the descriptor that was refused, and stays there. Replace
 * it by one without effect: a wait that writes 0, which is no sequence number,
 * to the status word of its own slot. Not one without SW: it is refused, too.
 * Its owner fails; what the owner has behind it is executed, to no purpose.
 */
static void repair_iqe(struct vtdpi_qi *qi)
{
    struct vtdpi_qi_ticket *t = qi->oldest;

    if (qi->head == qi->tail)
        return;
    while (t != NULL && (is_behind(qi, qi->head, t->first) ||
                         is_behind(qi, wait_slot(qi, t), qi->head)))
        t = t->next;
    if (t != NULL)
        resolve(qi, t, VTDPI_EIQE);
    write_wait(qi, qi->head, 0);
}

/* Write the oldest batch again, at the tail. */
static void move_to_tail(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    unlink_ticket(qi, t);
    for (uint32_t i = 0; i < t->count; i++) {
        struct vtdpi_qi_desc desc;

        /* The two ranges may overlap: the copy lands before the original,
         * seen along the ring, so ascending order destroys nothing. */
        read_slot(qi, advance(qi, t->first, i), &desc);
        write_slot(qi, advance(qi, qi->tail, i), &desc);
    }
    t->first = qi->tail;
    seal(qi, t);
    qi->stats.resubmitted++;
}

/*
 * ITE: the waits that were fetched and not completed are gone for good, those
 * from the head on will be fetched as usual. Tickets are in ring order, so the
 * aborted ones are the oldest. All that is older than the head is free, but
 * for them; moving the oldest never needs more room than it gives up.
 */
static void resubmit_aborted(struct vtdpi_qi *qi)
{
    const struct vtdpi_qi_ticket *const last = qi->youngest;
    bool moved = false;
    bool more = last != NULL;

    while (more && is_behind(qi, wait_slot(qi, qi->oldest), qi->head)) {
        more = qi->oldest != last;
        move_to_tail(qi, qi->oldest);
        moved = true;
    }
    if (moved)
        publish_tail(qi);
}

/* Resolve what has completed, whatever is ahead of it: what remains is in
 * flight. */
static void sweep_all(struct vtdpi_qi *qi)
{
    struct vtdpi_qi_ticket *t = qi->oldest;

    while (t != NULL) {
        struct vtdpi_qi_ticket *const next = t->next;

        if (is_complete(qi, vtdpi_atomic_load64_relaxed(&t->word)))
            complete(qi, t);
        t = next;
    }
}

/* Returns whether the error is another one than the last. */
static bool note_error(struct vtdpi_qi *qi, uint32_t fsts, uint64_t iqer)
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
        read_slot(qi, qi->head, &qi->error.desc);
    }
    return fresh;
}

/* What recovery found. */
struct recovery {
    uint32_t fsts; /* the queue's errors that were dealt with */
    bool gone;     /* the unit does not answer */
    bool fresh;    /* not the error of the last time, still there */
};

/*
 * The queue stands still while IQE or ITE is set, so the head is read and the
 * descriptor replaced before they are cleared; IQER is valid only so long, too.
 * Submissions that were aborted are written again afterwards. With a head that
 * cannot be true nobody knows which descriptor was refused: nothing is
 * replaced, and deadlines decide.
 */
static struct recovery recover_locked(struct vtdpi_qi *qi)
{
    struct recovery r = {0, false, false};
    const uint32_t all = vtdpi_rd32_(qi->ops, qi->ctx, VTDPI_FSTS_REG);
    const uint32_t fsts = all & QUEUE_ERRORS;
    enum head head;
    uint64_t iqer;

    r.gone = all == VTDPI_ALL_ONES32_;
    if (r.gone || fsts == 0)
        return r;
    iqer = vtdpi_rd64_(qi->ops, qi->ctx, VTDPI_IQER_REG);
    head = read_head(qi);
    r.gone = head == HEAD_GONE;
    if (r.gone)
        return r;
    /* Status words written before the error are visible by now: a register
     * read does not overtake them. What is done is not in flight. */
    sweep_all(qi);
    r.fsts = fsts;
    r.fresh = note_error(qi, fsts, iqer);
    if ((fsts & VTDPI_FSTS_IQE) != 0 && head == HEAD_VALID)
        repair_iqe(qi);
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        fail_suspects(qi, VTDPI_FIELD_GET(iqer, VTDPI_IQER_ITE_SID),
                      VTDPI_EITE);
    if ((fsts & VTDPI_FSTS_ICE) != 0)
        fail_suspects(qi, VTDPI_FIELD_GET(iqer, VTDPI_IQER_ICE_SID),
                      VTDPI_EICE);
    vtdpi_wr32_(qi->ops, qi->ctx, VTDPI_FSTS_REG, fsts);
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        resubmit_aborted(qi);
    return r;
}

/* What an error is called; the gravest wins. */
static int recovery_code(uint32_t fsts)
{
    if ((fsts & VTDPI_FSTS_IQE) != 0)
        return VTDPI_EIQE;
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        return VTDPI_EITE;
    return (fsts & VTDPI_FSTS_ICE) != 0 ? VTDPI_EICE : 0;
}

int vtdpi_qi_recover(struct vtdpi_qi *qi)
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
    rc = recovery_code(r.fsts);
    /* An error that does not go away is polled for all the time. */
    if (r.fresh)
        vtdpi_log_(qi->ops, qi->ctx, VTDPI_LOG_ERROR, vtdpi_strerror(rc));
    return rc;
}

/*
 * Waiting.
 */

/* Resolve a ticket with what is known, else with @p code; EBUSY leaves it in
 * flight. Returns its code. */
static int settle(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t, int code)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);
    uint64_t word = vtdpi_atomic_load64_relaxed(&t->word);

    if (!is_resolved(word)) {
        if (is_complete(qi, word)) {
            complete(qi, t);
        } else if (code != VTDPI_EBUSY) {
            resolve(qi, t, code);
            qi->stats.given_up += code == VTDPI_ETIMEDOUT;
        }
        word = vtdpi_atomic_load64_relaxed(&t->word);
    }
    qi->ops->unlock(qi->ctx, token);
    return is_resolved(word) ? word_code(word) : VTDPI_EBUSY;
}

int vtdpi_qi_poll(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket)
{
    uint64_t word = vtdpi_atomic_load64_acquire(&ticket->word);
    uint32_t fsts;

    if (is_resolved(word))
        return word_code(word);
    if (is_complete(qi, word))
        return settle(qi, ticket, VTDPI_EBUSY);
    fsts = vtdpi_rd32_(qi->ops, qi->ctx, VTDPI_FSTS_REG);
    if (fsts == VTDPI_ALL_ONES32_)
        return settle(qi, ticket, VTDPI_EIO);
    if ((fsts & QUEUE_ERRORS) == 0)
        return VTDPI_EBUSY;
    (void)vtdpi_qi_recover(qi);
    word = vtdpi_atomic_load64_acquire(&ticket->word);
    return is_resolved(word) ? word_code(word) : VTDPI_EBUSY;
}

int vtdpi_qi_give_up(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket)
{
    const uint64_t word = vtdpi_atomic_load64_acquire(&ticket->word);

    if (is_resolved(word))
        return word_code(word);
    return settle(qi, ticket, VTDPI_ETIMEDOUT);
}

/* Whether the slot holds one of our waits, and it has completed. */
static bool is_completed_wait(const struct vtdpi_qi *qi, uint32_t slot)
{
    struct vtdpi_qi_desc d;
    uint64_t word;

    read_slot(qi, slot, &d);
    word = word_in_flight(slot, (uint32_t)(d.qw[0] >> 32));
    return VTDPI_FIELD_GET(d.qw[0], VTDPI_QI_TYPE) == VTDPI_QI_WAIT &&
           d.qw[1] == qi->status_phys + (uint64_t)slot * sizeof(uint32_t) &&
           !is_resolved(word) && is_complete(qi, word);
}

/* Whether somebody's device-TLB invalidation is ahead of @p t in the queue and
 * may still be executing, that of a submission that was given up included. */
static bool is_device_ahead(struct vtdpi_qi *qi,
                            const struct vtdpi_qi_ticket *t)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);
    bool found = false;

    sweep(qi);
    if (!is_resolved(vtdpi_atomic_load64_relaxed(&t->word))) {
        uint32_t slot = advance(qi, qi->tail, qi->slots - used_slots(qi));

        for (; slot != t->first; slot = advance(qi, slot, 1)) {
            uint64_t sid;

            if (is_device_flush(qi, slot, &sid))
                found = true;
            else if (is_completed_wait(qi, slot))
                found = false;
        }
    }
    qi->ops->unlock(qi->ctx, token);
    return found;
}

int vtdpi_qi_wait(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket,
                  uint64_t timeout_us)
{
    const uint64_t budget = timeout_us != 0 ? timeout_us : VTDPI_QI_TIMEOUT_US;
    const uint64_t begin = qi->ops->now_us(qi->ctx);
    uint64_t start = begin;

    for (;;) {
        /* Before the poll: who is preempted between the two polls once more
         * after the clock has run out, and sees what was done meanwhile. */
        const uint64_t now = qi->ops->now_us(qi->ctx);
        const int rc = vtdpi_qi_poll(qi, ticket);

        if (rc != VTDPI_EBUSY)
            return rc;
        if (now - start >= budget) {
            if (now - begin >= qi->device_timeout_us ||
                !is_device_ahead(qi, ticket))
                return vtdpi_qi_give_up(qi, ticket);
            start = now;
        }
        vtdpi_relax_(qi->ops, qi->ctx);
    }
}

/*
 * Life.
 */

static int check_params(const struct vtdpi_qi_params *p)
{
    if (p == NULL || p->ring == NULL || p->status == NULL ||
        p->order > VTDPI_QI_ORDER_MAX || p->submitters == 0)
        return VTDPI_EINVAL;
    if (p->width != VTDPI_QI_128 && p->width != VTDPI_QI_256)
        return VTDPI_EINVAL;
    if ((uintptr_t)p->ring % PAGE_BYTES != 0 ||
        p->ring_phys % PAGE_BYTES != 0 || (uintptr_t)p->status % 4 != 0 ||
        p->status_phys % 4 != 0)
        return VTDPI_EALIGN;
    /* Two slots each, and the one that is always free. */
    if (p->submitters > (vtdpi_qi_slots(p->order, p->width) - 1) / 2)
        return VTDPI_ENOSPC;
    return 0;
}

int vtdpi_qi_init(struct vtdpi_qi *qi, const struct vtdpi_platform_ops *ops,
                  void *ctx, const struct vtdpi_qi_params *params)
{
    const struct vtdpi_qi zero = {0};
    int rc;

    if (qi == NULL || !vtdpi_ops_ok_(ops))
        return VTDPI_EINVAL;
    rc = check_params(params);
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

void vtdpi_qi_program(struct vtdpi_qi *qi)
{
    const uint64_t width = qi->words == 4 ? VTDPI_IQA_DW : 0;
    const uintptr_t token = qi->ops->lock(qi->ctx);

    VTDPI_ASSERT(!qi->live && qi->oldest == NULL);
    qi->head = 0;
    qi->tail = 0;
    /* The sequence goes on: status writes of an earlier life may be late. */
    vtdpi_wr32_(qi->ops, qi->ctx, VTDPI_FSTS_REG, QUEUE_ERRORS);
    publish_tail(qi);
    vtdpi_wr64_(qi->ops, qi->ctx, VTDPI_IQA_REG,
                qi->ring_phys | width |
                    VTDPI_FIELD_PUT(qi->order, VTDPI_IQA_QS));
    qi->ops->unlock(qi->ctx, token);
}

void vtdpi_qi_open(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    qi->live = true;
    qi->open = true;
    qi->ops->unlock(qi->ctx, token);
}

int vtdpi_qi_close(struct vtdpi_qi *qi, uint64_t timeout_us)
{
    struct vtdpi_qi_ticket last = {0};
    const uintptr_t token = qi->ops->lock(qi->ctx);
    int rc = VTDPI_EQOFF;

    /* In one hold: nothing can be submitted behind the last wait. */
    if (qi->open) {
        qi->open = false;
        rc = submit_locked(qi, NULL, 0, &last);
    }
    qi->ops->unlock(qi->ctx, token);
    return rc != 0 ? rc : vtdpi_qi_wait(qi, &last, timeout_us);
}

void vtdpi_qi_abort(struct vtdpi_qi *qi)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    qi->open = false;
    qi->live = false;
    while (qi->oldest != NULL)
        resolve(qi, qi->oldest, VTDPI_EQOFF);
    qi->ops->unlock(qi->ctx, token);
}

void vtdpi_qi_report(struct vtdpi_qi *qi, struct vtdpi_qi_stats *stats,
                     struct vtdpi_qi_error *error)
{
    const uintptr_t token = qi->ops->lock(qi->ctx);

    if (stats != NULL)
        *stats = qi->stats;
    if (error != NULL)
        *error = qi->error;
    qi->ops->unlock(qi->ctx, token);
}
