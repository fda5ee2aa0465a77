/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Posting into a descriptor, at once or in flight, and notifications. Read the
 * order of files in internal.h first.
 */
#include "internal.h"

#define CONTROL_WORD 4 /* Bits 319:256. */
#define PID_SIZE     64

/* Bits of NDST that an xAPIC id does not use. */
#define NDST_XAPIC   0xff00u

/* Descriptor address of a posted entry: PDA[63:32] and PDA[31:6]. */
static uint64_t descriptor_address(const uint64_t irte[2])
{
    return VTDPI_FIELD_GET(irte[1], VTDPI_IRTE_HI_PDA) << 32 |
           VTDPI_FIELD_GET(irte[0], VTDPI_IRTE_LO_PDA) << 6;
}

static bool pid_reserved_set(const uint64_t *pid)
{
    uint64_t bits =
        vtdpi_atomic_load64(&pid[CONTROL_WORD]) & VTDPI_PID_RESERVED;

    for (unsigned int i = CONTROL_WORD + 1; i < PID_SIZE / 8; i++)
        bits |= vtdpi_atomic_load64(&pid[i]);
    return bits != 0;
}

static void post_notify(struct vtdpi_model *m, struct vtdpi_model_result *r,
                        uint64_t control)
{
    struct vtdpi_model_notification *n = &r->notification;

    n->pda = r->pda;
    n->nv = (uint8_t)VTDPI_FIELD_GET(control, VTDPI_PID_NV);
    n->ndst = (uint32_t)VTDPI_FIELD_GET(control, VTDPI_PID_NDST);
    n->apic_id = n->ndst;
    if (!extended_mode(m)) {
        n->apic_id = (n->ndst & NDST_XAPIC) >> 8;
        if ((n->ndst & ~NDST_XAPIC) != 0)
            vtdpi_model_violate_(m, VTDPI_MODEL_NDST_FORMAT, r->index, n->ndst);
    }
    if (n->nv < 16)
        vtdpi_model_violate_(m, VTDPI_MODEL_VECTOR, r->index, n->nv);

    r->notified = true;
    m->counters.notified++;
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_NOTIFY);
    if (m->params.notify != NULL)
        m->params.notify(m->params.ctx, n);
    else if (m->notification_count < m->params.notification_slots)
        m->params.notifications[m->notification_count++] = *n;
    else
        vtdpi_model_violate_(m, VTDPI_MODEL_NOTIFICATION_LOST, r->index,
                             n->ndst);
}

/* ON clear, and SN clear or the entry urgent: set ON and notify, by NV and
 * NDST of the very word in which ON was set. */
static void pid_update_control(struct vtdpi_model *m,
                               struct vtdpi_model_result *r, uint64_t *control)
{
    uint64_t old = vtdpi_atomic_load64(control);

    do {
        if ((old & VTDPI_PID_ON) != 0) {
            m->counters.outstanding++;
            return;
        }
        if ((old & VTDPI_PID_SN) != 0 && !r->urgent) {
            m->counters.suppressed++;
            return;
        }
    } while (!vtdpi_atomic_cas64(control, &old, old | VTDPI_PID_ON));
    post_notify(m, r, old);
}

static void post_arrive(struct vtdpi_model *m, uint16_t sid,
                        struct vtdpi_model_result *r)
{
    const uint64_t bit = VTDPI_BIT64(r->vector % 64);
    uint64_t *pid = NULL;
    uint64_t old;

    vtdpi_model_step_(m, VTDPI_MODEL_STEP_PID);
    if (!fault_on(m, VTDPI_MODEL_FAULT_PID_ACCESS))
        pid = vtdpi_model_map_(m, r->pda, PID_SIZE);
    if (pid == NULL || pid_reserved_set(pid)) {
        m->counters.pid_faults++;
        vtdpi_model_block_(m, sid, r,
                           pid == NULL ? VTDPI_FR_PID_ACCESS
                                       : VTDPI_FR_PID_RESERVED);
        return;
    }
    old = vtdpi_atomic_or64(&pid[r->vector / 64], bit);
    r->outcome = VTDPI_MODEL_POSTED;
    r->merged = (old & bit) != 0;
    m->counters.posted++;
    if (r->merged)
        m->counters.merged++;
    if (m->params.split_post)
        vtdpi_model_step_(m, VTDPI_MODEL_STEP_CONTROL);
    pid_update_control(m, r, &pid[CONTROL_WORD]);
}

/* The oldest post in flight arrives. */
static void flight_land(struct vtdpi_model *m)
{
    struct vtdpi_model_result r = {0};
    const uint16_t sid = m->flight[0].sid;

    r.index = m->flight[0].index;
    r.irte[0] = m->flight[0].irte[0];
    r.irte[1] = m->flight[0].irte[1];
    r.vector = (uint8_t)VTDPI_FIELD_GET(r.irte[0], VTDPI_IRTE_LO_VECTOR);
    r.urgent = (r.irte[0] & VTDPI_IRTE_LO_URG) != 0;
    r.pda = descriptor_address(r.irte);
    m->flight_count--;
    for (uint32_t i = 0; i < m->flight_count; i++)
        m->flight[i] = m->flight[i + 1];
    post_arrive(m, sid, &r);
}

static void flight_depart(struct vtdpi_model *m, uint16_t sid,
                          struct vtdpi_model_result *r)
{
    uint32_t i;

    /* A hook may send another one while this one lands. */
    while (m->flight_count == VTDPI_MODEL_POST_MAX)
        flight_land(m);
    i = m->flight_count++;
    m->flight[i].irte[0] = r->irte[0];
    m->flight[i].irte[1] = r->irte[1];
    m->flight[i].index = r->index;
    m->flight[i].sid = sid;
    r->outcome = VTDPI_MODEL_IN_FLIGHT;
}

void vtdpi_model_post_(struct vtdpi_model *m, uint16_t sid,
                       struct vtdpi_model_result *r)
{
    r->pda = descriptor_address(r->irte);
    r->urgent = (r->irte[0] & VTDPI_IRTE_LO_URG) != 0;
    m->counters.raised++;
    if (fault_on(m, VTDPI_MODEL_FAULT_POST_LATE))
        flight_depart(m, sid, r);
    else
        post_arrive(m, sid, r);
}

uint32_t vtdpi_model_drain_(struct vtdpi_model *m)
{
    const uint32_t n = m->flight_count;

    /* Only those that are there now: a hook may start others. Or a
     * callback has them land, by clearing the fault mode. */
    for (uint32_t i = 0; i < n && m->flight_count != 0; i++)
        flight_land(m);
    return n;
}

uint32_t vtdpi_model_drain(struct vtdpi_model *m)
{
    uint32_t n;

    vtdpi_model_enter_(m);
    n = vtdpi_model_drain_(m);
    vtdpi_model_leave_(m);
    return n;
}

uint32_t vtdpi_model_in_flight(const struct vtdpi_model *m)
{
    return m->flight_count;
}

uint32_t vtdpi_model_notifications(const struct vtdpi_model *m)
{
    return m->notification_count;
}

bool vtdpi_model_take_notification(struct vtdpi_model *m, uint32_t i,
                                   struct vtdpi_model_notification *out)
{
    bool found;

    vtdpi_model_enter_(m);
    found = i < m->notification_count;
    if (found) {
        *out = m->params.notifications[i];
        m->notification_count--;
        for (; i < m->notification_count; i++)
            m->params.notifications[i] = m->params.notifications[i + 1];
    }
    vtdpi_model_leave_(m);
    return found;
}
