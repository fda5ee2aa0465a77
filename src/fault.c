/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of a unit: decoding, records, errors of the queue, and the event. Read
 * fault.h first: why nothing may be left behind, and the order of set-up.
 *
 * Two holds of the unit's lock decide. record_fetch() reads and clears a record
 * in one hold, so each is delivered once. fsts_finish() looks at the status
 * after the last write, so what arises later sends an event.
 */
#include "vtdpi/fault.h"

#include "internal.h"

/* The status bits under names that fit a 32-bit register. */
#define FSTS_PFO ((uint32_t)VTDPI_FSTS_PFO)
#define FSTS_PPF ((uint32_t)VTDPI_FSTS_PPF)

/* What is cleared by writing one and is not an error of the queue. */
#define FSTS_CLEARABLE                                             \
    ((uint32_t)(VTDPI_FSTS_PFO | VTDPI_FSTS_AFO | VTDPI_FSTS_APF | \
                VTDPI_FSTS_PRO))

/* What a call serves in any case. PPF follows the records. */
#define FSTS_SERVED          (FSTS_CLEARABLE | FSTS_PPF)

#define FECTL_IM             ((uint32_t)VTDPI_FECTL_IM)
#define FECTL_IP             ((uint32_t)VTDPI_FECTL_IP)

#define EVENT_XAPIC_ID_MAX   254u
#define EVENT_X2APIC_ID_MAX  (UINT32_MAX - 1)

/* Where the bits of an address above 20 are FEEh, it is an interrupt's. */
#define EVENT_ADDRESS_PREFIX ((uint32_t)(VTDPI_MSI_ADDR_BASE >> 20))

/* Reasons of interrupt remapping: the first, and one text each. */
#define REASON_FIRST         0x20u

static const char *const reason_texts[] = {
    "reserved field set in the interrupt request",
    "interrupt index beyond the table",
    "table entry not present",
    "table could not be read",
    "reserved field set in the table entry",
    "compatibility-format request blocked",
    "source id refused by the table entry",
    "posted-interrupt descriptor could not be accessed",
    "reserved field set in the posted-interrupt descriptor",
};

#define REASON_COUNT (sizeof(reason_texts) / sizeof(reason_texts[0]))

static VTDPI_COLD bool reason_is_interrupt(uint8_t reason)
{
    return reason >= REASON_FIRST && reason - REASON_FIRST < REASON_COUNT;
}

const char *vtdpi_fault_reason_text(uint8_t reason)
{
    if (!reason_is_interrupt(reason))
        return "not an interrupt-remapping fault";
    return reason_texts[reason - REASON_FIRST];
}

/* FPD is in the entry, so it counts only once the entry was read. */
static VTDPI_COLD bool reason_is_hideable(uint8_t reason)
{
    switch (reason) {
    case VTDPI_FR_NOT_PRESENT:
    case VTDPI_FR_IRTE_RESERVED:
    case VTDPI_FR_SOURCE_ID:
    case VTDPI_FR_PID_ACCESS:
    case VTDPI_FR_PID_RESERVED:
        return true;
    default:
        return false;
    }
}

void vtdpi_fault_decode(uint64_t lo, uint64_t hi, struct vtdpi_fault *out)
{
    const struct vtdpi_fault zero = {0};

    *out = zero;
    out->kind = VTDPI_FAULT_DMA;
    out->lo = lo;
    out->hi = hi;
    out->sid = (uint16_t)VTDPI_FIELD_GET(hi, VTDPI_FRCD_HI_SID);
    out->reason = (uint8_t)VTDPI_FIELD_GET(hi, VTDPI_FRCD_HI_FR);
    if (!reason_is_interrupt(out->reason))
        return;
    out->kind = VTDPI_FAULT_INTERRUPT;
    out->hideable = reason_is_hideable(out->reason);
    /* A request in compatibility format names no entry. */
    out->has_index = out->reason != VTDPI_FR_COMPAT_BLOCKED;
    if (out->has_index)
        out->index = (uint16_t)VTDPI_FIELD_GET(lo, VTDPI_FRCD_LO_IINDEX);
}

int vtdpi_fault_init(struct vtdpi_fault_reader *reader,
                     const struct vtdpi_fault_params *params)
{
    const struct vtdpi_fault_reader zero = {0};

    if (reader == NULL || params == NULL || params->unit == NULL ||
        params->report == NULL)
        return VTDPI_EINVAL;
    if (!vtdpi_ops_ok_(params->unit->ops) ||
        params->unit->caps.fault_count == 0)
        return VTDPI_EINVAL;
    *reader = zero;
    reader->params = *params;
    reader->next = params->unit->caps.fault_count;
    return 0;
}

/*
 * Registers.
 */

static VTDPI_COLD uint32_t fsts_read(const struct vtdpi_unit *u)
{
    return vtdpi_rd32_(u->ops, u->ctx, VTDPI_FSTS_REG);
}

/* Offset of a record's first word; the second is 8 bytes on. */
static VTDPI_COLD uint32_t record_offset(const struct vtdpi_unit *u, uint32_t i)
{
    return u->caps.fault_offset + i * VTDPI_FRCD_SIZE;
}

static VTDPI_COLD uint64_t record_read_hi(const struct vtdpi_unit *u,
                                          uint32_t i)
{
    return u->ops->read64(u->ctx, record_offset(u, i) + 8);
}

static VTDPI_COLD uint64_t record_read_lo(const struct vtdpi_unit *u,
                                          uint32_t i)
{
    return u->ops->read64(u->ctx, record_offset(u, i));
}

/* The other bits are read-only. */
static VTDPI_COLD void record_clear(const struct vtdpi_unit *u, uint32_t i)
{
    u->ops->write64(u->ctx, record_offset(u, i) + 8, VTDPI_FRCD_HI_F);
}

static VTDPI_COLD uint32_t record_after(const struct vtdpi_unit *u, uint32_t i)
{
    return (i + 1) % u->caps.fault_count;
}

/*
 * Records. A record's words are valid from when its F is seen until F is
 * cleared, so the first word is read second. All three accesses are in one
 * hold of the lock: between them another CPU could clear the record, and the
 * unit write the next fault into it, which would be cleared unread.
 */

enum record_fetched {
    FETCH_NOTHING, /* F is clear */
    FETCH_DONE,
    FETCH_UNIT_GONE, /* the unit does not answer; all ones is no record */
};

static VTDPI_COLD enum record_fetched record_fetch(struct vtdpi_fault_reader *r,
                                                   uint32_t i, uint64_t *lo,
                                                   uint64_t *hi)
{
    const struct vtdpi_unit *u = r->params.unit;
    const uintptr_t token = u->ops->lock(u->ctx);
    enum record_fetched result = FETCH_NOTHING;

    *lo = 0;
    *hi = record_read_hi(u, i);
    if ((*hi & VTDPI_FRCD_HI_F) != 0) {
        *lo = record_read_lo(u, i);
        result = *hi == VTDPI_ALL_ONES64_ || *lo == VTDPI_ALL_ONES64_
                     ? FETCH_UNIT_GONE
                     : FETCH_DONE;
    }
    if (result == FETCH_DONE) {
        record_clear(u, i);
        r->next = record_after(u, i);
    }
    u->ops->unlock(u->ctx, token);
    return result;
}

/* The record has only 16 bits of an index beyond the table (VTDPI_FR_INDEX). These
 * bits may be the index of another owner, so no owner is looked up. */
static VTDPI_COLD void record_deliver(const struct vtdpi_fault_reader *r,
                                      uint32_t i, uint64_t lo, uint64_t hi)
{
    struct vtdpi_fault fault;

    vtdpi_fault_decode(lo, hi, &fault);
    fault.record = (uint16_t)i;
    if (r->params.table != NULL && fault.has_index &&
        fault.reason != VTDPI_FR_INDEX)
        fault.owner = vtdpi_table_owner(r->params.table, fault.index);
    r->params.report(r->params.ctx, &fault);
}

/*
 * The unit uses records in turn, so the one after the last that was taken is
 * next, on whichever CPU that was fetched. Returns whether it is there.
 */
static VTDPI_COLD bool record_find_next(const struct vtdpi_fault_reader *r,
                                        uint32_t *i)
{
    const struct vtdpi_unit *u = r->params.unit;
    const uintptr_t token = u->ops->lock(u->ctx);
    const uint32_t next = r->next;
    const bool found = next < u->caps.fault_count &&
                       (record_read_hi(u, next) & VTDPI_FRCD_HI_F) != 0;

    u->ops->unlock(u->ctx, token);
    if (found)
        *i = next;
    return found;
}

/*
 * The unit writes FRI when PPF turns on: the number of the oldest record. FRI stays
 * while any record is pending, so after a call that did not take all records FRI
 * names one that was taken already.
 *
 * One round at most: a record whose F does not clear, or a device that causes
 * faults all the time, cannot keep us here. Whether the unit is gone fsts_finish()
 * finds out.
 */
static VTDPI_COLD void records_report(struct vtdpi_fault_reader *r,
                                      uint32_t fsts, uint32_t max)
{
    const struct vtdpi_unit *u = r->params.unit;
    const uint32_t count = u->caps.fault_count;
    uint32_t i = (uint32_t)VTDPI_FIELD_GET(fsts, VTDPI_FSTS_FRI) % count;
    uint32_t left = max != 0 ? max : count;

    (void)record_find_next(r, &i);
    for (uint32_t n = 0; n < count && left > 0; n++) {
        uint64_t lo;
        uint64_t hi;
        const enum record_fetched fetched = record_fetch(r, i, &lo, &hi);

        if (fetched == FETCH_UNIT_GONE)
            return;
        if (fetched == FETCH_DONE) {
            record_deliver(r, i, lo, hi);
            left--;
            i = record_after(u, i);
            continue;
        }
        if ((fsts_read(u) & FSTS_PPF) == 0)
            return;
        /* It was filled just now, another CPU is ahead of us, or there is a
         * gap, as when FRI is behind. */
        if (!record_find_next(r, &i))
            i = record_after(u, i);
    }
}

/*
 * Errors of the queue. A CPU that waits for a submission finds and repairs most
 * of them before the event arrives. The queue counts all of them. What it has
 * counted since the last report is reported.
 */

/* NULL before the first vtdpi_unit_enable(). */
static VTDPI_COLD struct vtdpi_qi *
reader_queue(const struct vtdpi_fault_reader *r)
{
    struct vtdpi_qi *qi = vtdpi_unit_qi(r->params.unit);

    return qi->ops != NULL ? qi : NULL;
}

/* How many errors were counted and not reported yet. Another CPU may have reported
 * more than @p now already: then there are none. */
static VTDPI_COLD uint64_t queue_newly_counted(uint64_t *reported, uint64_t now)
{
    const uint64_t before = *reported;

    if (now <= before)
        return 0;
    *reported = now;
    return now - before;
}

static VTDPI_COLD void queue_decode(struct vtdpi_fault_queue *q)
{
    const uint32_t fsts = q->error.fsts;
    const uint64_t iqer = q->error.iqer;

    q->code = vtdpi_qi_error_code_(fsts);
    /* Each field counts only with its error. */
    if ((fsts & VTDPI_FSTS_IQE) != 0)
        q->iqei = (uint8_t)VTDPI_FIELD_GET(iqer, VTDPI_IQER_IQEI);
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        q->ite_sid = (uint16_t)VTDPI_FIELD_GET(iqer, VTDPI_IQER_ITE_SID);
    if ((fsts & VTDPI_FSTS_ICE) != 0)
        q->ice_sid = (uint16_t)VTDPI_FIELD_GET(iqer, VTDPI_IQER_ICE_SID);
}

static VTDPI_COLD void queue_report(struct vtdpi_fault_reader *r,
                                    struct vtdpi_qi *qi)
{
    const struct vtdpi_unit *u = r->params.unit;
    struct vtdpi_fault fault = {0};
    struct vtdpi_qi_stats stats;
    uintptr_t token;

    vtdpi_qi_report(qi, &stats, &fault.queue.error);
    token = u->ops->lock(u->ctx);
    fault.queue.iqe = queue_newly_counted(&r->iqe, stats.iqe);
    fault.queue.ite = queue_newly_counted(&r->ite, stats.ite);
    fault.queue.ice = queue_newly_counted(&r->ice, stats.ice);
    u->ops->unlock(u->ctx, token);
    if ((fault.queue.iqe | fault.queue.ite | fault.queue.ice) == 0)
        return;
    fault.kind = VTDPI_FAULT_QUEUE;
    queue_decode(&fault.queue);
    r->params.report(r->params.ctx, &fault);
}

/* Returns the status bits that can be served: not the errors of a queue that is
 * not ours. */
static VTDPI_COLD uint32_t queue_handle(struct vtdpi_fault_reader *r,
                                        uint32_t fsts)
{
    struct vtdpi_qi *qi = reader_queue(r);
    uint32_t served = FSTS_SERVED | VTDPI_QI_ERRORS_;

    if (qi == NULL)
        return FSTS_SERVED;
    if ((fsts & VTDPI_QI_ERRORS_) != 0 && vtdpi_qi_recover(qi) == VTDPI_EQOFF)
        served = FSTS_SERVED;
    queue_report(r, qi);
    return served;
}

/* The errors of a queue that is off stop nobody. While the queue is on, they are
 * its owner's: clearing one lets the unit go on fetching. */
static VTDPI_COLD bool queue_is_off(const struct vtdpi_unit *u)
{
    return (vtdpi_rd32_(u->ops, u->ctx, VTDPI_GSTS_REG) &
            (uint32_t)VTDPI_GSTS_QIES) == 0;
}

/*
 * Clear what is left in the status, and look once more. Only bits that read as
 * one are written: a unit without the feature reserves the bit. The last look
 * comes after the last write: what arises later finds all clear and sends an
 * event. Returns what was cleared.
 */
static VTDPI_COLD uint32_t fsts_finish(const struct vtdpi_unit *u,
                                       uint32_t *fsts)
{
    const uintptr_t token = u->ops->lock(u->ctx);
    uint32_t cleared = 0;

    *fsts = fsts_read(u);
    if (*fsts != VTDPI_ALL_ONES32_)
        cleared = *fsts & (FSTS_CLEARABLE | VTDPI_QI_ERRORS_);
    if ((cleared & VTDPI_QI_ERRORS_) != 0 && !queue_is_off(u))
        cleared &= FSTS_CLEARABLE;
    if (cleared != 0) {
        vtdpi_wr32_(u->ops, u->ctx, VTDPI_FSTS_REG, cleared);
        *fsts = fsts_read(u);
    }
    u->ops->unlock(u->ctx, token);
    return cleared;
}

static VTDPI_COLD void status_report(const struct vtdpi_fault_reader *r,
                                     enum vtdpi_fault_kind kind,
                                     uint32_t status)
{
    struct vtdpi_fault fault = {0};

    if (status == 0)
        return;
    fault.kind = kind;
    fault.status = status;
    r->params.report(r->params.ctx, &fault);
}

int vtdpi_fault_handle(struct vtdpi_fault_reader *reader, uint32_t max,
                       bool *more)
{
    const struct vtdpi_unit *u = reader->params.unit;
    uint32_t fsts = fsts_read(u);
    uint32_t served;
    uint32_t cleared;

    *more = false;
    if (fsts == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    served = queue_handle(reader, fsts);
    if ((fsts & FSTS_PPF) != 0)
        records_report(reader, fsts, max);
    cleared = fsts_finish(u, &fsts);
    status_report(reader, VTDPI_FAULT_OVERFLOW, cleared & FSTS_PFO);
    status_report(reader, VTDPI_FAULT_STATUS, cleared & ~FSTS_PFO);
    if (fsts == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    *more = (fsts & served) != 0;
    return 0;
}

/* The queue's account starts anew with each enabling; what it shows now is
 * counted as known. */
static VTDPI_COLD uint32_t queue_settle(struct vtdpi_fault_reader *r)
{
    const struct vtdpi_unit *u = r->params.unit;
    struct vtdpi_qi *qi = reader_queue(r);
    struct vtdpi_qi_stats stats = {0};
    uint32_t served = FSTS_SERVED;
    uintptr_t token;

    if (qi != NULL) {
        if (vtdpi_qi_recover(qi) != VTDPI_EQOFF)
            served |= VTDPI_QI_ERRORS_;
        vtdpi_qi_report(qi, &stats, NULL);
    }
    token = u->ops->lock(u->ctx);
    r->iqe = stats.iqe;
    r->ite = stats.ite;
    r->ice = stats.ice;
    r->next = u->caps.fault_count;
    u->ops->unlock(u->ctx, token);
    return served;
}

int vtdpi_fault_clear_all(struct vtdpi_fault_reader *reader)
{
    const struct vtdpi_unit *u = reader->params.unit;
    uint32_t served;
    uint32_t fsts;

    for (uint32_t i = 0; i < u->caps.fault_count; i++) {
        uint64_t lo;
        uint64_t hi;

        (void)record_fetch(reader, i, &lo, &hi);
    }
    served = queue_settle(reader);
    (void)fsts_finish(u, &fsts);
    if (fsts == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    return (fsts & served) != 0 ? VTDPI_EBUSY : 0;
}

/*
 * The event. FECTL has reserved bits that software leaves as they are.
 */

/* With the lock held. Masking is read back: what the unit sends after that it
 * sends unmasked. */
static VTDPI_COLD int event_set_mask(const struct vtdpi_unit *u, bool masked)
{
    const uint32_t old = vtdpi_rd32_(u->ops, u->ctx, VTDPI_FECTL_REG);
    const uint32_t rest = old & ~(FECTL_IM | FECTL_IP);

    if (old == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FECTL_REG,
                masked ? rest | FECTL_IM : rest);
    if (masked &&
        vtdpi_rd32_(u->ops, u->ctx, VTDPI_FECTL_REG) == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    return 0;
}

/* A message must not be sent half old and half new, so the event is masked. */
static VTDPI_COLD int event_set_message(const struct vtdpi_unit *u,
                                        uint32_t address, uint32_t upper,
                                        uint32_t data)
{
    const int rc = event_set_mask(u, true);

    if (rc != 0)
        return rc;
    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FEDATA_REG, data);
    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FEADDR_REG, address);
    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FEUADDR_REG, upper);
    return 0;
}

static VTDPI_COLD int event_check(const struct vtdpi_unit *u,
                                  enum vtdpi_apic_mode mode, uint32_t apic_id,
                                  uint8_t vector)
{
    if (!vtdpi_apic_mode_ok_(mode))
        return VTDPI_EINVAL;
    if (vector < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    if (apic_id >
        (mode == VTDPI_XAPIC ? EVENT_XAPIC_ID_MAX : EVENT_X2APIC_ID_MAX))
        return VTDPI_ERANGE;
    if (apic_id > 0xff && !u->caps.eim)
        return VTDPI_ENOEIM;
    return 0;
}

int vtdpi_fault_event_enable(struct vtdpi_unit *unit, enum vtdpi_apic_mode mode,
                             uint32_t apic_id, uint8_t vector)
{
    /* Fixed, edge, physical. Bits 31:8 of the id are where they are in it. */
    const uint64_t address =
        VTDPI_MSI_ADDR_BASE | VTDPI_FIELD_PUT(apic_id, VTDPI_COMPAT_ADDR_DEST);
    const uint64_t upper = apic_id & VTDPI_COMPAT_HI_DEST;
    uintptr_t token;
    int rc = event_check(unit, mode, apic_id, vector);

    if (rc != 0)
        return rc;
    token = unit->ops->lock(unit->ctx);
    rc = event_set_message(unit, (uint32_t)address, (uint32_t)upper, vector);
    if (rc == 0)
        rc = event_set_mask(unit, false);
    unit->ops->unlock(unit->ctx, token);
    return rc;
}

int vtdpi_fault_event_mask(struct vtdpi_unit *unit)
{
    const uintptr_t token = unit->ops->lock(unit->ctx);
    const int rc = event_set_mask(unit, true);

    unit->ops->unlock(unit->ctx, token);
    return rc;
}

int vtdpi_fault_event_unmask(struct vtdpi_unit *unit)
{
    const uintptr_t token = unit->ops->lock(unit->ctx);
    const uint32_t address =
        vtdpi_rd32_(unit->ops, unit->ctx, VTDPI_FEADDR_REG);
    int rc;

    if (address == VTDPI_ALL_ONES32_)
        rc = VTDPI_EIO;
    else if (address >> 20 != EVENT_ADDRESS_PREFIX)
        rc = VTDPI_ESTATE;
    else
        rc = event_set_mask(unit, false);
    unit->ops->unlock(unit->ctx, token);
    return rc;
}

bool vtdpi_fault_event_pending(const struct vtdpi_unit *unit)
{
    const uint32_t fectl = vtdpi_rd32_(unit->ops, unit->ctx, VTDPI_FECTL_REG);

    return fectl != VTDPI_ALL_ONES32_ && (fectl & FECTL_IP) != 0;
}

int vtdpi_fault_event_disable(struct vtdpi_unit *unit)
{
    const uintptr_t token = unit->ops->lock(unit->ctx);
    const int rc = event_set_message(unit, 0, 0, 0);

    unit->ops->unlock(unit->ctx, token);
    return rc;
}
