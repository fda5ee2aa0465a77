/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life of a model, and its fault modes, which reach into all other files: when
 * one goes off, what it has put off becomes due. Read vtdpi/model.h first.
 */
#include "internal.h"
#include "vtdpi/status.h"

static bool params_array_bad(const void *array, uint32_t length)
{
    return (array == NULL) != (length == 0);
}

static void model_zero(void *p, size_t size)
{
    uint8_t *bytes = p;

    for (size_t i = 0; i < size; i++)
        bytes[i] = 0;
}

/* Registers and caches as after power-up. What the unit was at is forgotten. */
static void unit_reset(struct vtdpi_model *m)
{
    m->gsts = 0;
    m->command = 0;
    m->aside = 0;
    m->fsts = 0;
    m->ics = 0;
    model_zero(m->event, sizeof(m->event));
    m->event[EVENT_FAULT][0] = VTDPI_FECTL_IM;
    m->event[EVENT_COMPLETION][0] = VTDPI_FECTL_IM;
    m->rtaddr = 0;
    m->rtaddr_latched = 0;
    m->ccmd = 0;
    m->iotlb = 0;
    m->iqa = 0;
    m->iqh = 0;
    m->iqt = 0;
    m->iqer = 0;
    m->irta = 0;
    m->irta_latched = 0;
    model_zero(m->frcd, sizeof(m->frcd));
    m->frcd_next = 0;
    m->iec_unflushed = false;
    m->stored = 0;
    model_zero(m->kept, sizeof(m->kept));
    vtdpi_model_queue_drop_(m);
    vtdpi_model_iec_invalidate_all_(m);
}

int vtdpi_model_init(struct vtdpi_model *m,
                     const struct vtdpi_model_params *params)
{
    if (m == NULL || params == NULL || params->map == NULL ||
        params_array_bad(params->iec, params->iec_slots) ||
        params_array_bad(params->notifications, params->notification_slots) ||
        params_array_bad(params->views, params->view_count))
        return VTDPI_EINVAL;

    model_zero(m, sizeof(*m));
    m->params = *params;
    if (m->params.ver == 0)
        m->params.ver = 0x10;
    if (m->params.host_address_width == 0)
        m->params.host_address_width = 64;
    if (m->params.window_bytes == 0)
        m->params.window_bytes = vtdpi_model_register_bytes_(m);
    if (m->params.concurrent)
        m->params.split_post = true;
    if (m->params.foreign) {
        m->params.allow_halves = true;
        m->params.allow_unlocked = true;
    }
    m->clock_step = 1;
    m->random = params->seed;
    unit_reset(m);
    return VTDPI_OK;
}

void vtdpi_model_set_fault(struct vtdpi_model *m, enum vtdpi_model_fault fault,
                           uint64_t arg)
{
    vtdpi_model_enter_(m);
    m->fault_on |= 1u << fault;
    m->fault_arg[fault] = arg;
    vtdpi_model_leave_(m);
}

/* What a fault mode has put off becomes due. Not from within a hook, where
 * the queue may be at work already; the next tick does it then. */
static void fault_resume(struct vtdpi_model *m, enum vtdpi_model_fault fault)
{
    if (fault == VTDPI_MODEL_FAULT_GSTS_LATE)
        m->command_due = 0;
    if (fault == VTDPI_MODEL_FAULT_COMMAND_LATE) {
        for (uint32_t i = 0; i < COMMAND_COUNT; i++)
            m->aside_due[i] = 0;
    }
    if (fault == VTDPI_MODEL_FAULT_STATUS_LATE) {
        for (uint32_t i = 0; i < VTDPI_MODEL_FETCH_MAX; i++)
            m->fetched[i].due = 0;
    }
    if (m->in_hook)
        return;
    vtdpi_model_command_due_(m);
    if (!m->params.manual)
        vtdpi_model_queue_run_(m);
    if (fault == VTDPI_MODEL_FAULT_POST_LATE)
        (void)vtdpi_model_drain_(m);
}

void vtdpi_model_clear_fault(struct vtdpi_model *m,
                             enum vtdpi_model_fault fault)
{
    vtdpi_model_enter_(m);
    /* One that went off by itself may still hold something up. */
    if (fault_on(m, fault) || fault == VTDPI_MODEL_FAULT_COMMAND_LATE) {
        m->fault_on &= ~(1u << fault);
        fault_resume(m, fault);
    }
    vtdpi_model_leave_(m);
}

void vtdpi_model_vanish(struct vtdpi_model *m)
{
    vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
}

void vtdpi_model_return_kept(struct vtdpi_model *m)
{
    vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_ALL_ONES);
}

void vtdpi_model_return_reset(struct vtdpi_model *m)
{
    vtdpi_model_enter_(m);
    unit_reset(m);
    m->counters.posts_lost += m->flight_count;
    m->flight_count = 0;
    m->fault_on &= ~(1u << VTDPI_MODEL_FAULT_ALL_ONES);
    vtdpi_model_leave_(m);
}

bool vtdpi_model_fault_is_on(const struct vtdpi_model *m,
                             enum vtdpi_model_fault fault)
{
    return fault_on(m, fault);
}

uint64_t vtdpi_model_latched_irta(const struct vtdpi_model *m)
{
    return m->irta_latched;
}

uint64_t vtdpi_model_latched_rtaddr(const struct vtdpi_model *m)
{
    return m->rtaddr_latched;
}
