/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue. A descriptor is first fetched, which moves IQH, and
 * takes effect later, in order; by default at once. What software sees of IQH
 * says nothing about effects, as in hardware: only a wait descriptor does. Read
 * the order of files in internal.h first.
 */
#include "internal.h"

/* A type extension, zero for all types here. */
#define TYPE_HIGH VTDPI_BITS64(11, 9)

static bool queue_is_wide(const struct vtdpi_model *m)
{
    return (m->iqa & VTDPI_IQA_DW) != 0;
}

static uint32_t descriptor_size(const struct vtdpi_model *m)
{
    return queue_is_wide(m) ? 32 : 16;
}

uint64_t vtdpi_model_queue_size_(const struct vtdpi_model *m)
{
    return UINT64_C(4096) << VTDPI_FIELD_GET(m->iqa, VTDPI_IQA_QS);
}

void vtdpi_model_queue_drop_(struct vtdpi_model *m)
{
    m->fetched_first = 0;
    m->fetched_count = 0;
}

static bool descriptor_is_wait(uint64_t qw0)
{
    return (qw0 & VTDPI_QI_TYPE) == VTDPI_QI_WAIT;
}

static bool queue_can_fetch(const struct vtdpi_model *m)
{
    return (m->gsts & VTDPI_GSTS_QIES) != 0 &&
           (m->fsts & (VTDPI_FSTS_IQE | VTDPI_FSTS_ITE)) == 0 &&
           !fault_on(m, VTDPI_MODEL_FAULT_QUEUE_STUCK) &&
           !fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES) &&
           m->fetched_count < VTDPI_MODEL_FETCH_MAX && m->iqh != m->iqt;
}

/* IQH stays at the descriptor; nothing is fetched until IQE is cleared. */
static void queue_refuse(struct vtdpi_model *m, enum iqei why)
{
    m->iqer = (m->iqer & ~VTDPI_IQER_IQEI) | why;
    vtdpi_model_status_set_(m, (uint32_t)VTDPI_FSTS_IQE);
}

static enum iqei descriptor_check_iec(const struct vtdpi_model *m,
                                      const uint64_t qw[2])
{
    const uint64_t largest = VTDPI_FIELD_GET(m->params.ecap, VTDPI_ECAP_MHMV);

    if ((qw[0] & VTDPI_IEC_RESERVED) != 0 || qw[1] != 0)
        return IQEI_RESERVED;
    if ((qw[0] & VTDPI_IEC_G) != 0 &&
        VTDPI_FIELD_GET(qw[0], VTDPI_IEC_IM) > largest)
        return IQEI_RESERVED;
    return IQEI_NONE;
}

static enum iqei descriptor_check_wait(const struct vtdpi_model *m,
                                       const uint64_t qw[2])
{
    uint64_t reserved = VTDPI_WAIT_RESERVED;

    if ((m->params.ecap & ECAP_PDS) == 0)
        reserved |= VTDPI_WAIT_PD;
    return (qw[0] & reserved) != 0 || qw[1] % 4 != 0 ? IQEI_RESERVED
                                                     : IQEI_NONE;
}

/* What the other types look like. */
struct form {
    uint64_t reserved;    /* bits of the first word that must be zero */
    uint64_t reserved_hi; /* of the second word */
    uint32_t granularity; /* values that bits 5:4 may have, a mask */
};

/* clang-format off */
static const struct form forms[] = {
    [VTDPI_QI_CONTEXT] =
        {VTDPI_CONTEXT_RESERVED, ~UINT64_C(0), 0xe},
    [VTDPI_QI_IOTLB] =
        {VTDPI_IOTLB_RESERVED, VTDPI_IOTLB_HI_RESERVED, 0xe},
    [VTDPI_QI_DEV_TLB] =
        {VTDPI_DEV_TLB_RESERVED, VTDPI_DEV_TLB_HI_RESERVED, 0xf},
    [VTDPI_QI_PASID_IOTLB] =
        {VTDPI_PASID_CACHE_RESERVED, VTDPI_IOTLB_HI_RESERVED, 0xc},
    [VTDPI_QI_PASID_CACHE] =
        {VTDPI_PASID_CACHE_RESERVED, ~UINT64_C(0), 0xb},
    [VTDPI_QI_PASID_DEV_TLB] =
        {VTDPI_PASID_DEV_TLB_RESERVED, VTDPI_PASID_DEV_TLB_HI_RESERVED, 0xf},
    [VTDPI_QI_PAGE_GROUP_RESPONSE] =
        {0, 0, 0xf},
};
/* clang-format on */

/* Whether the unit has @p type, one of forms[]. */
static bool type_is_known(const struct vtdpi_model *m, uint64_t type)
{
    if (type == VTDPI_QI_DEV_TLB)
        return (m->params.ecap & VTDPI_ECAP_DT) != 0;
    return type == VTDPI_QI_CONTEXT || type == VTDPI_QI_IOTLB ||
           (type >= VTDPI_QI_PASID_IOTLB &&
            type <= VTDPI_QI_PAGE_GROUP_RESPONSE &&
            (m->params.ecap & VTDPI_ECAP_SMTS) != 0);
}

/* What the other types do is not the model's business: where the unit has them
 * their form is judged, and they are counted. */
static enum iqei descriptor_check_other(const struct vtdpi_model *m,
                                        const uint64_t qw[2])
{
    const uint64_t type = qw[0] & VTDPI_QI_TYPE;
    const struct form *form;
    uint64_t reserved = 0;

    if (!type_is_known(m, type) || (qw[0] & TYPE_HIGH) != 0)
        return IQEI_TYPE;
    form = &forms[type];
    if ((type == VTDPI_QI_DEV_TLB || type == VTDPI_QI_PASID_DEV_TLB) &&
        (m->params.ecap & ECAP_DIT) == 0)
        reserved = VTDPI_DEV_TLB_PFSID_15_4 | VTDPI_DEV_TLB_PFSID_3_0;
    if ((qw[0] & (form->reserved | reserved)) != 0 ||
        (qw[1] & form->reserved_hi) != 0 ||
        (form->granularity >> (qw[0] >> 4 & 3) & 1) == 0)
        return IQEI_RESERVED;
    return IQEI_NONE;
}

static enum iqei descriptor_check(const struct vtdpi_model *m,
                                  const uint64_t qw[4])
{
    const uint64_t type = qw[0] & VTDPI_QI_TYPE;

    if ((qw[2] | qw[3]) != 0 && type != VTDPI_QI_PAGE_GROUP_RESPONSE)
        return IQEI_RESERVED;
    if (type == VTDPI_QI_IEC)
        return descriptor_check_iec(m, qw);
    if (type == VTDPI_QI_WAIT)
        return descriptor_check_wait(m, qw);
    return descriptor_check_other(m, qw);
}

/* Read the descriptor at IQH. */
static enum iqei descriptor_load(const struct vtdpi_model *m, uint64_t qw[4])
{
    const uint32_t size = descriptor_size(m);
    const uint64_t *from;

    if (m->iqt >= vtdpi_model_queue_size_(m))
        return IQEI_TAIL;
    if (m->iqt % size != 0)
        return IQEI_ALIGNMENT;
    from = vtdpi_model_map_(m, (m->iqa & VTDPI_IQA_BASE) + m->iqh, size);
    if (from == NULL)
        return IQEI_FETCH;
    for (uint32_t i = 0; i < 4; i++)
        qw[i] = i < size / 8 ? vtdpi_atomic_load64_acquire(&from[i]) : 0;
    return descriptor_check(m, qw);
}

/* All waits that are fetched are forgotten; what else is fetched is not. */
static void queue_abort_waits(struct vtdpi_model *m)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < m->fetched_count; i++) {
        const uint32_t from = (m->fetched_first + i) % VTDPI_MODEL_FETCH_MAX;
        const uint32_t to = (m->fetched_first + kept) % VTDPI_MODEL_FETCH_MAX;

        if (descriptor_is_wait(m->fetched[from].qw[0])) {
            m->counters.waits_aborted++;
        } else {
            m->fetched[to] = m->fetched[from];
            kept++;
        }
    }
    m->fetched_count = kept;
}

static void queue_time_out(struct vtdpi_model *m, enum vtdpi_model_fault mode)
{
    const uint64_t sid = m->fault_arg[mode];

    m->fault_on &= ~(1u << mode);
    queue_abort_waits(m);
    m->iqer = (m->iqer & ~VTDPI_IQER_ITE_SID) |
              VTDPI_FIELD_PUT(sid, VTDPI_IQER_ITE_SID);
    vtdpi_model_status_set_(m, (uint32_t)VTDPI_FSTS_ITE);
}

static void descriptor_enqueue(struct vtdpi_model *m, const uint64_t qw[4])
{
    const uint32_t size = descriptor_size(m);
    const uint32_t i =
        (m->fetched_first + m->fetched_count++) % VTDPI_MODEL_FETCH_MAX;

    m->fetched[i].qw[0] = qw[0];
    m->fetched[i].qw[1] = qw[1];
    m->fetched[i].slot = (uint32_t)(m->iqh / size);
    m->fetched[i].due = fault_due(m, VTDPI_MODEL_FAULT_STATUS_LATE);
    m->counters.descriptors[qw[0] & VTDPI_QI_TYPE]++;
    m->iqh = (m->iqh + size) % vtdpi_model_queue_size_(m);
}

static bool descriptor_fetch(struct vtdpi_model *m)
{
    uint64_t qw[4] = {0};
    enum iqei why;

    if (!queue_can_fetch(m))
        return false;
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_FETCH);
    if (!queue_can_fetch(m))
        return false; /* The hook broke something. */

    why = descriptor_load(m, qw);
    if (fault_on(m, VTDPI_MODEL_FAULT_IQE)) {
        m->fault_on &= ~(1u << VTDPI_MODEL_FAULT_IQE);
        why = IQEI_RESERVED;
    }
    if (why != IQEI_NONE) {
        queue_refuse(m, why);
        return false;
    }
    if (descriptor_is_wait(qw[0]) &&
        fault_on(m, VTDPI_MODEL_FAULT_ITE_UNFETCHED)) {
        queue_time_out(m, VTDPI_MODEL_FAULT_ITE_UNFETCHED);
        return false;
    }
    descriptor_enqueue(m, qw);
    if (descriptor_is_wait(qw[0]) && fault_on(m, VTDPI_MODEL_FAULT_ITE))
        queue_time_out(m, VTDPI_MODEL_FAULT_ITE);
    return true;
}

static void descriptor_invalidate(struct vtdpi_model *m, uint64_t qw0,
                                  uint32_t slot)
{
    const uint32_t index = (uint32_t)VTDPI_FIELD_GET(qw0, VTDPI_IEC_IIDX);
    const uint32_t count = 1u << VTDPI_FIELD_GET(qw0, VTDPI_IEC_IM);

    if ((qw0 & VTDPI_IEC_G) == 0) {
        m->counters.iec_global++;
        m->iec_unflushed = false;
        m->stored = 0;
        vtdpi_model_iec_invalidate_all_(m);
        return;
    }
    /* The unit compares only the index bits above the mask. */
    if ((index & (count - 1)) != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_IEC_ALIGNMENT, slot, qw0);
    m->counters.iec_index++;
    if (m->stored - 1 - (index & ~(count - 1)) < count)
        m->stored = 0;
    vtdpi_model_iec_invalidate_(m, index & ~(count - 1), count);
}

void vtdpi_model_retire(struct vtdpi_model *m, uint64_t phys, uint64_t bytes)
{
    vtdpi_model_enter_(m);
    m->retired_phys = phys;
    m->retired_bytes = bytes;
    vtdpi_model_leave_(m);
}

static void status_write(struct vtdpi_model *m, const uint64_t qw[2],
                         uint32_t slot)
{
    uint32_t *status;

    /* One of its bytes; without a sum that may go round. */
    if (m->retired_bytes != 0 && qw[1] + sizeof(*status) - 1 - m->retired_phys <
                                     m->retired_bytes + sizeof(*status) - 1) {
        vtdpi_model_violate_(m, VTDPI_MODEL_STATUS_DEAD, slot, qw[0]);
        return;
    }
    status = vtdpi_model_map_(m, qw[1], sizeof(*status));
    if (status == NULL) {
        vtdpi_model_violate_(m, VTDPI_MODEL_STATUS_ADDRESS, slot, qw[0]);
        return;
    }
    /* Release: a CPU that reads the status with acquire finds the invalidations
     * before it done. Pairs with the wait of the driver, which would otherwise
     * go on while a table entry is still read from a cache. */
    vtdpi_atomic_store32_release(
        status, (uint32_t)VTDPI_FIELD_GET(qw[0], VTDPI_WAIT_DATA));
    m->counters.status_writes++;
}

static void descriptor_complete_wait(struct vtdpi_model *m,
                                     const uint64_t qw[2], uint32_t slot)
{
    m->counters.waits_completed++;
    if (fault_on(m, VTDPI_MODEL_FAULT_STATUS_NEVER))
        return;
    if ((qw[0] & VTDPI_WAIT_SW) != 0)
        status_write(m, qw, slot);
    if ((qw[0] & VTDPI_WAIT_IF) != 0 && (m->ics & ICS_IWC) == 0) {
        m->ics |= ICS_IWC;
        vtdpi_model_event_(m, EVENT_COMPLETION);
    }
    if (fault_on(m, VTDPI_MODEL_FAULT_ICE)) {
        m->fault_on &= ~(1u << VTDPI_MODEL_FAULT_ICE);
        m->iqer = (m->iqer & ~VTDPI_IQER_ICE_SID) |
                  VTDPI_FIELD_PUT(m->fault_arg[VTDPI_MODEL_FAULT_ICE],
                                  VTDPI_IQER_ICE_SID);
        vtdpi_model_status_set_(m, (uint32_t)VTDPI_FSTS_ICE);
    }
}

static bool descriptor_writes_status(const struct vtdpi_model *m, uint64_t qw0)
{
    return descriptor_is_wait(qw0) && (qw0 & VTDPI_WAIT_SW) != 0 &&
           !fault_on(m, VTDPI_MODEL_FAULT_STATUS_NEVER);
}

static bool queue_can_complete(const struct vtdpi_model *m)
{
    return m->fetched_count != 0 && !fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES);
}

static bool descriptor_complete(struct vtdpi_model *m, bool due_only)
{
    uint32_t i = m->fetched_first;
    uint64_t qw[2];

    if (!queue_can_complete(m) || (due_only && m->fetched[i].due > m->ticks))
        return false;
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_COMPLETE);
    qw[0] = m->fetched[i].qw[0];
    qw[1] = m->fetched[i].qw[1];
    if (queue_can_complete(m) && descriptor_writes_status(m, qw[0]))
        vtdpi_model_step_(m, VTDPI_MODEL_STEP_STATUS);
    if (!queue_can_complete(m))
        return false; /* A hook had the unit vanish, or reset it. */
    m->fetched_first = (i + 1) % VTDPI_MODEL_FETCH_MAX;
    m->fetched_count--;
    if (descriptor_is_wait(qw[0]))
        descriptor_complete_wait(m, qw, m->fetched[i].slot);
    else if ((qw[0] & VTDPI_QI_TYPE) == VTDPI_QI_IEC)
        descriptor_invalidate(m, qw[0], m->fetched[i].slot);
    return true;
}

void vtdpi_model_queue_run_(struct vtdpi_model *m)
{
    while (descriptor_complete(m, true) || descriptor_fetch(m))
        ;
}

uint32_t vtdpi_model_fetch(struct vtdpi_model *m, uint32_t max)
{
    uint32_t n = 0;

    vtdpi_model_enter_(m);
    while (n < max && descriptor_fetch(m))
        n++;
    vtdpi_model_leave_(m);
    return n;
}

uint32_t vtdpi_model_complete(struct vtdpi_model *m, uint32_t max)
{
    uint32_t n = 0;

    vtdpi_model_enter_(m);
    while (n < max && descriptor_complete(m, false))
        n++;
    vtdpi_model_leave_(m);
    return n;
}
