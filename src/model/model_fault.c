/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault status, fault recording, and the events that tell of them. Read the
 * order of files in internal.h first; a write to FSTS arrives from model_registers.c.
 */
#include "internal.h"

/* What software clears by writing one. */
#define FSTS_CLEARABLE                                             \
    ((uint32_t)(VTDPI_FSTS_PFO | VTDPI_FSTS_AFO | VTDPI_FSTS_APF | \
                VTDPI_FSTS_IQE | VTDPI_FSTS_ICE | VTDPI_FSTS_ITE | \
                VTDPI_FSTS_PRO))

/* While any of these is set, no condition is a new one: no event is sent. */
#define FSTS_PENDING (FSTS_CLEARABLE | (uint32_t)VTDPI_FSTS_PPF)

/* Conditions of the fault event. The overflows are none: they tell more of a
 * condition that is pending, or have an event of their own. */
#define FSTS_CONDITIONS                                            \
    ((uint32_t)(VTDPI_FSTS_PPF | VTDPI_FSTS_APF | VTDPI_FSTS_IQE | \
                VTDPI_FSTS_ICE | VTDPI_FSTS_ITE))

#define EVENT_IM ((uint32_t)VTDPI_FECTL_IM)
#define EVENT_IP ((uint32_t)VTDPI_FECTL_IP)

uint32_t vtdpi_model_frcd_base_(const struct vtdpi_model *m)
{
    return (uint32_t)VTDPI_FIELD_GET(m->params.cap, VTDPI_CAP_FRO) * 16;
}

uint32_t vtdpi_model_frcd_count_(const struct vtdpi_model *m)
{
    return (uint32_t)VTDPI_FIELD_GET(m->params.cap, VTDPI_CAP_NFR) + 1;
}

static void event_send(struct vtdpi_model *m, enum event_block block)
{
    const uint32_t *reg = m->event[block];

    vtdpi_model_step_(m, VTDPI_MODEL_STEP_EVENT);
    if (block == EVENT_FAULT)
        m->counters.fault_events++;
    else
        m->counters.completion_events++;
    if (m->params.event != NULL)
        m->params.event(m->params.ctx,
                        block == EVENT_FAULT ? VTDPI_MODEL_EVENT_FAULT
                                             : VTDPI_MODEL_EVENT_COMPLETION,
                        (uint64_t)reg[3] << 32 | reg[2], reg[1]);
}

/* An interrupt condition arose: send the message, or keep it pending. */
void vtdpi_model_event_(struct vtdpi_model *m, enum event_block block)
{
    if ((m->event[block][0] & EVENT_IM) != 0)
        m->event[block][0] |= EVENT_IP;
    else
        event_send(m, block);
}

/* Unmasking sends what is pending. IP itself is read-only. */
void vtdpi_model_event_control_(struct vtdpi_model *m, enum event_block block,
                                uint32_t value)
{
    const bool pending = (m->event[block][0] & EVENT_IP) != 0;

    m->event[block][0] = (m->event[block][0] & EVENT_IP) | (value & EVENT_IM);
    if (pending && (value & EVENT_IM) == 0) {
        m->event[block][0] &= ~EVENT_IP;
        event_send(m, block);
    }
}

/* A condition on top of a status bit that is set sends no message. */
void vtdpi_model_status_set_(struct vtdpi_model *m, uint32_t bits)
{
    const bool quiet = (m->fsts & FSTS_PENDING) == 0;

    m->fsts |= bits;
    if (quiet && (bits & FSTS_CONDITIONS) != 0)
        vtdpi_model_event_(m, EVENT_FAULT);
}

/* Status bits of features that this unit lacks: they read as zero. */
uint32_t vtdpi_model_status_absent_(const struct vtdpi_model *m)
{
    uint64_t bits = 0;

    if ((m->params.cap & CAP_AFL) == 0)
        bits |= VTDPI_FSTS_AFO | VTDPI_FSTS_APF;
    if ((m->params.ecap & ECAP_PRS) == 0)
        bits |= VTDPI_FSTS_PRO;
    return (uint32_t)bits;
}

uint32_t vtdpi_model_raise_status(struct vtdpi_model *m, uint32_t bits)
{
    vtdpi_model_enter_(m);
    bits &= FSTS_CLEARABLE & ~vtdpi_model_status_absent_(m);
    vtdpi_model_status_set_(m, bits);
    vtdpi_model_leave_(m);
    return bits;
}

static void status_serviced(struct vtdpi_model *m)
{
    if ((m->fsts & FSTS_PENDING) == 0)
        m->event[EVENT_FAULT][0] &= ~EVENT_IP;
}

void vtdpi_model_status_clear_(struct vtdpi_model *m, uint32_t bits)
{
    bits &= m->fsts & FSTS_CLEARABLE;
    if (fault_on(m, VTDPI_MODEL_FAULT_FSTS_STUCK))
        bits &= ~(uint32_t)m->fault_arg[VTDPI_MODEL_FAULT_FSTS_STUCK];
    m->fsts &= ~bits;
    if ((bits & VTDPI_FSTS_IQE) != 0)
        m->iqer &= ~VTDPI_IQER_IQEI;
    if ((bits & VTDPI_FSTS_ITE) != 0)
        m->iqer &= ~VTDPI_IQER_ITE_SID;
    if ((bits & VTDPI_FSTS_ICE) != 0)
        m->iqer &= ~VTDPI_IQER_ICE_SID;
    status_serviced(m);
}

void vtdpi_model_frcd_clear_(struct vtdpi_model *m, uint32_t i)
{
    uint64_t any = 0;

    if (fault_on(m, VTDPI_MODEL_FAULT_FRCD_STUCK) &&
        m->fault_arg[VTDPI_MODEL_FAULT_FRCD_STUCK] == i)
        return;
    m->frcd[i][1] &= ~VTDPI_FRCD_HI_F;
    for (uint32_t k = 0; k < vtdpi_model_frcd_count_(m); k++)
        any |= m->frcd[k][1];
    if ((any & VTDPI_FRCD_HI_F) == 0) {
        m->fsts &= ~(uint32_t)VTDPI_FSTS_PPF;
        status_serviced(m);
    }
}

static bool record_collapses(const struct vtdpi_model *m, uint16_t sid)
{
    if (!m->params.collapse_faults)
        return false;
    for (uint32_t i = 0; i < vtdpi_model_frcd_count_(m); i++) {
        if ((m->frcd[i][1] & VTDPI_FRCD_HI_F) != 0 &&
            VTDPI_FIELD_GET(m->frcd[i][1], VTDPI_FRCD_HI_SID) == sid)
            return true;
    }
    return false;
}

/*
 * Into the next record of the ring, with F. A record that software has not
 * freed yet means overflow: PFO, and nothing is recorded until it is cleared.
 * FRI is set when PPF turns on and stays as it is while records are pending.
 */
static void record_add(struct vtdpi_model *m, uint64_t lo, uint64_t hi)
{
    const uint32_t i = m->frcd_next;

    if (record_collapses(m, (uint16_t)VTDPI_FIELD_GET(hi, VTDPI_FRCD_HI_SID))) {
        m->counters.faults_collapsed++;
        return;
    }
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_FAULT);
    if ((m->fsts & VTDPI_FSTS_PFO) != 0 ||
        (m->frcd[i][1] & VTDPI_FRCD_HI_F) != 0) {
        m->counters.faults_lost++;
        vtdpi_model_status_set_(m, (uint32_t)VTDPI_FSTS_PFO);
        return;
    }
    m->frcd[i][0] = lo;
    m->frcd[i][1] = hi | VTDPI_FRCD_HI_F;
    m->frcd_next = (i + 1) % vtdpi_model_frcd_count_(m);
    m->counters.faults_recorded++;
    if ((m->fsts & VTDPI_FSTS_PPF) == 0)
        m->fsts = (m->fsts & ~(uint32_t)VTDPI_FSTS_FRI) | i << 8;
    vtdpi_model_status_set_(m, (uint32_t)VTDPI_FSTS_PPF);
}

/*
 * FPD hides what is wrong with the entry, its source and its descriptor. What
 * is wrong with the request or the table shows always: no entry was read, so
 * result->irte is zero.
 */
void vtdpi_model_block_(struct vtdpi_model *m, uint16_t sid,
                        struct vtdpi_model_result *result, uint8_t reason)
{
    result->outcome = VTDPI_MODEL_BLOCKED;
    result->reason = reason;
    result->hidden = (result->irte[0] & VTDPI_IRTE_LO_FPD) != 0;
    m->counters.blocked++;
    if (result->hidden) {
        m->counters.faults_hidden++;
        return;
    }
    record_add(m, VTDPI_FIELD_PUT(result->index, VTDPI_FRCD_LO_IINDEX),
               VTDPI_FIELD_PUT(sid, VTDPI_FRCD_HI_SID) |
                   VTDPI_FIELD_PUT(reason, VTDPI_FRCD_HI_FR));
}

void vtdpi_model_dma_fault(struct vtdpi_model *m, uint16_t sid, uint8_t reason,
                           uint64_t address, bool read)
{
    vtdpi_model_enter_(m);
    if (!fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES))
        record_add(m, address & VTDPI_FRCD_LO_FI,
                   VTDPI_FIELD_PUT(sid, VTDPI_FRCD_HI_SID) |
                       VTDPI_FIELD_PUT(reason, VTDPI_FRCD_HI_FR) |
                       (read ? VTDPI_FRCD_HI_T : 0));
    vtdpi_model_leave_(m);
}
