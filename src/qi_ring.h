/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_QI_RING_H
#define VTDPI_QI_RING_H

/*
 * The ring of a queue and the tickets of what is in it: what submission
 * (qi.c) and recovery (qi_recover.c) share. All of it is called with the
 * unit's lock held, except what looks at a ticket's word only.
 */

#include "internal.h"
#include "vtdpi/atomic.h"
#include "vtdpi/qi.h"

/*
 * Positions. A slot number says nothing about age, its distance to the tail
 * does: the ring always has one free slot, so distances below the number of
 * slots are unambiguous. Everything here is called with the lock held.
 */

static inline uint32_t ring_distance(const struct vtdpi_qi *qi, uint32_t from,
                                     uint32_t to)
{
    return (to - from) & (qi->slots - 1);
}

static inline uint32_t ring_advance(const struct vtdpi_qi *qi, uint32_t slot,
                                    uint32_t n)
{
    return (slot + n) & (qi->slots - 1);
}

/* Slot of a ticket's wait descriptor. */
static inline uint32_t ticket_wait_slot(const struct vtdpi_qi *qi,
                                        const struct vtdpi_qi_ticket *t)
{
    return ring_advance(qi, t->first, t->count);
}

/* Whether @p slot, one that is in use, is older than @p head. */
static inline bool slot_is_behind(const struct vtdpi_qi *qi, uint32_t slot,
                                  uint32_t head)
{
    return ring_distance(qi, slot, qi->tail) >
           ring_distance(qi, head, qi->tail);
}

/* Slots that may not be written: from what hardware may still fetch, or from
 * the oldest ticket, whose descriptors a time-out would have written again. */
static inline uint32_t ring_used(const struct vtdpi_qi *qi)
{
    uint32_t used = ring_distance(qi, qi->head, qi->tail);

    if (qi->oldest != NULL && slot_is_behind(qi, qi->oldest->first, qi->head))
        used = ring_distance(qi, qi->oldest->first, qi->tail);
    return used;
}

static inline uint32_t ring_free(const struct vtdpi_qi *qi)
{
    return qi->slots - 1 - ring_used(qi);
}

/*
 * The ring. Hardware reads it while we write, so words are accessed one by
 * one; that is all which relaxed gives. The order is IQT's: hardware reads a
 * slot only after the write of IQT, and write64 makes earlier stores visible
 * before it.
 */

static inline void slot_write(const struct vtdpi_qi *qi, uint32_t slot,
                              const struct vtdpi_qi_desc *desc)
{
    uint64_t *word = &qi->ring[(size_t)slot * qi->words];

    vtdpi_atomic_store64_relaxed(&word[0], desc->qw[0]);
    vtdpi_atomic_store64_relaxed(&word[1], desc->qw[1]);
    if (qi->words == 2)
        return;
    vtdpi_atomic_store64_relaxed(&word[2], desc->qw[2]);
    vtdpi_atomic_store64_relaxed(&word[3], desc->qw[3]);
}

static inline void slot_read(const struct vtdpi_qi *qi, uint32_t slot,
                             struct vtdpi_qi_desc *desc)
{
    const uint64_t *word = &qi->ring[(size_t)slot * qi->words];
    const bool wide = qi->words != 2;

    desc->qw[0] = vtdpi_atomic_load64_relaxed(&word[0]);
    desc->qw[1] = vtdpi_atomic_load64_relaxed(&word[1]);
    desc->qw[2] = wide ? vtdpi_atomic_load64_relaxed(&word[2]) : 0;
    desc->qw[3] = wide ? vtdpi_atomic_load64_relaxed(&word[3]) : 0;
}

static inline void slot_write_wait(const struct vtdpi_qi *qi, uint32_t slot,
                                   uint32_t data)
{
    const uint64_t at = qi->status_phys + (uint64_t)slot * sizeof(uint32_t);
    struct vtdpi_qi_desc desc;

    /* Always: init has checked that the first status word is aligned. */
    if (vtdpi_qi_encode_wait(&desc, at, data) == 0)
        slot_write(qi, slot, &desc);
}

/* What IQT is to hold. */
static inline uint64_t iqt_value(const struct vtdpi_qi *qi)
{
    return (uint64_t)qi->tail * qi->words * sizeof(uint64_t);
}

static inline void ring_publish_tail(const struct vtdpi_qi *qi)
{
    vtdpi_wr64_(qi->ops, qi->ctx, VTDPI_IQT_REG, iqt_value(qi));
}

/* What a read of the head found. */
enum head {
    HEAD_GONE,    /* the unit does not answer */
    HEAD_INVALID, /* it never goes back, nor beyond the tail */
    HEAD_VALID,
};

/* Bring our idea of hardware's head up to date, if the register has a new one
 * that can be true. */
static VTDPI_COLD VTDPI_NOINLINE enum head ring_read_head(struct vtdpi_qi *qi)
{
    const uint64_t iqh = vtdpi_rd64_(qi->ops, qi->ctx, VTDPI_IQH_REG);
    const uint64_t slot =
        (iqh & VTDPI_IQ_OFFSET) / (qi->words * sizeof(uint64_t));

    if (iqh == VTDPI_ALL_ONES64_)
        return HEAD_GONE;
    if (slot >= qi->slots || slot_is_behind(qi, (uint32_t)slot, qi->head))
        return HEAD_INVALID;
    qi->head = (uint32_t)slot;
    return HEAD_VALID;
}

/*
 * Tickets. The word is read without the lock by its owner, and written under
 * the lock by the CPU that finds out. Sequence 0 is never used, so it marks a
 * resolved ticket.
 */

static inline uint64_t word_in_flight(uint32_t slot, uint32_t sequence)
{
    return (uint64_t)slot << 32 | sequence;
}

static inline uint64_t word_resolved(int code)
{
    return (uint64_t)(uint32_t)code << 32;
}

static inline bool word_is_resolved(uint64_t word)
{
    return (uint32_t)word == 0;
}

static inline int word_code(uint64_t word)
{
    return (int)(int32_t)(uint32_t)(word >> 32);
}

/* Acquire: who sees the wait's status also sees what hardware did before. */
static inline bool word_is_complete(const struct vtdpi_qi *qi, uint64_t word)
{
    return vtdpi_atomic_load32_acquire(&qi->status[word >> 32]) ==
           (uint32_t)word;
}

static inline void ticket_link(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    t->next = NULL;
    t->prev = qi->youngest;
    if (qi->youngest != NULL)
        qi->youngest->next = t;
    else
        qi->oldest = t;
    qi->youngest = t;
}

static inline void ticket_unlink(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
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
static VTDPI_NOINLINE void ticket_resolve(struct vtdpi_qi *qi,
                                          struct vtdpi_qi_ticket *t, int code)
{
    ticket_unlink(qi, t);
    vtdpi_atomic_store64_release(&t->word, word_resolved(code));
}

/* A wait that has completed was fetched, and so was all before it. */
static VTDPI_NOINLINE void ticket_complete(struct vtdpi_qi *qi,
                                           struct vtdpi_qi_ticket *t)
{
    const uint32_t after = ring_advance(qi, ticket_wait_slot(qi, t), 1);

    if (slot_is_behind(qi, qi->head, after))
        qi->head = after;
    ticket_resolve(qi, t, VTDPI_OK);
}

/*
 * The next sequence number for the wait in @p slot. Not what the status word
 * holds already: that would read as completed before anything happened.
 */
static inline uint32_t ring_next_sequence(struct vtdpi_qi *qi, uint32_t slot)
{
    do {
        qi->sequence++;
    } while (qi->sequence == 0 ||
             word_is_complete(qi, word_in_flight(slot, qi->sequence)));
    return qi->sequence;
}

/* Finish a batch whose descriptors are in @p t->first and after. */
static inline void batch_seal(struct vtdpi_qi *qi, struct vtdpi_qi_ticket *t)
{
    const uint32_t slot = ticket_wait_slot(qi, t);
    const uint32_t sequence = ring_next_sequence(qi, slot);

    slot_write_wait(qi, slot, sequence);
    qi->tail = ring_advance(qi, slot, 1);
    vtdpi_atomic_store64_release(&t->word, word_in_flight(slot, sequence));
    ticket_link(qi, t);
}

/* Whether a descriptor makes the unit talk to a device, and to which. */
static inline bool slot_is_device_flush(const struct vtdpi_qi *qi,
                                        uint32_t slot, uint64_t *sid)
{
    struct vtdpi_qi_desc d;

    slot_read(qi, slot, &d);
    switch (VTDPI_FIELD_GET(d.qw[0], VTDPI_QI_TYPE)) {
    case VTDPI_QI_DEV_TLB:
        *sid = VTDPI_FIELD_GET(d.qw[0], VTDPI_DEV_TLB_SID);
        return true;
    case VTDPI_QI_PASID_DEV_TLB:
        *sid = VTDPI_FIELD_GET(d.qw[0], VTDPI_PASID_DEV_TLB_SID);
        return true;
    default:
        return false;
    }
}

#endif
