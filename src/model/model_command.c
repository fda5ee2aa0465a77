/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global commands: GCMD to GSTS. A command is checked when GCMD is written, and
 * executed when it is due: by default at once. One that is put aside does not
 * keep the unit from executing others before it. Read the order of files in
 * internal.h first.
 */
#include "internal.h"

#define GCMD_STICKY                                                \
    ((uint32_t)(VTDPI_GCMD_TE | VTDPI_GCMD_EAFL | VTDPI_GCMD_QIE | \
                VTDPI_GCMD_IRE | VTDPI_GCMD_CFI))
#define GCMD_ONE_SHOT ((uint32_t)VTDPI_GCMD_ONE_SHOT)

/* Commands that this unit does not have. WBF is ignored, not refused, by
 * units that do not need it. */
static uint32_t command_unsupported(const struct vtdpi_model *m)
{
    uint64_t bits = 0;

    if ((m->params.ecap & VTDPI_ECAP_QI) == 0)
        bits |= VTDPI_GCMD_QIE;
    if ((m->params.ecap & VTDPI_ECAP_IR) == 0)
        bits |= VTDPI_GCMD_IRE | VTDPI_GCMD_SIRTP | VTDPI_GCMD_CFI;
    if ((m->params.cap & CAP_AFL) == 0)
        bits |= VTDPI_GCMD_SFL | VTDPI_GCMD_EAFL;
    return (uint32_t)bits;
}

/* What a driver may not ask in this state. The unit does it nevertheless. */
static bool command_order_broken(const struct vtdpi_model *m, uint32_t bit,
                                 bool on)
{
    const uint64_t ready = VTDPI_GSTS_IRTPS | VTDPI_GSTS_QIES;

    if (bit == VTDPI_GCMD_IRE && on)
        return (m->gsts & ready) != ready;
    if (bit == VTDPI_GCMD_QIE && !on)
        return (m->gsts & VTDPI_GSTS_IRES) != 0;
    return false;
}

/* Judged when the driver asks: what has become of the unit when a late command
 * is executed is not the driver's doing. */
static void command_check_state(struct vtdpi_model *m, uint32_t bit, bool on)
{
    if (command_order_broken(m, bit, on))
        vtdpi_model_violate_(m, VTDPI_MODEL_COMMAND_ORDER, VTDPI_GCMD_REG, bit);
    if (bit == VTDPI_GCMD_IRE && on && m->iec_unflushed)
        vtdpi_model_violate_(m, VTDPI_MODEL_STALE_CACHE, VTDPI_GCMD_REG, bit);
    if (bit != VTDPI_GCMD_QIE)
        return;
    if (on && m->iqt != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_QUEUE_TAIL, VTDPI_IQT_REG, m->iqt);
    if (!on && (m->iqh != m->iqt || m->fetched_count != 0))
        vtdpi_model_violate_(m, VTDPI_MODEL_QUEUE_BUSY, VTDPI_GCMD_REG, m->iqh);
}

static void latch_table(struct vtdpi_model *m)
{
    const uint64_t base = m->irta & VTDPI_IRTA_BASE;
    const uint64_t size = UINT64_C(32)
                          << VTDPI_FIELD_GET(m->irta, VTDPI_IRTA_S);

    if ((base & (size - 1)) != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_TABLE_ALIGNMENT, VTDPI_IRTA_REG,
                             m->irta);
    m->irta_latched = m->irta;
    m->stored = 0; /* an entry of the table of before */
    /* With ESIRTPS the command invalidates. Without, the unit goes on using what
     * it has cached of the old table. */
    if ((m->params.cap & VTDPI_CAP_ESIRTPS) != 0)
        vtdpi_model_iec_invalidate_all_(m);
    else
        m->iec_unflushed = true;
}

static void command_execute(struct vtdpi_model *m, uint32_t bit, bool on)
{
    /* Another command may have come to the same while this one was put aside. */
    if ((bit & GCMD_STICKY) != 0 && ((m->gsts & bit) != 0) == on)
        return;
    if (bit == VTDPI_GCMD_SIRTP)
        latch_table(m);
    if (bit == VTDPI_GCMD_SRTP)
        m->rtaddr_latched = m->rtaddr;
    if (bit == VTDPI_GCMD_QIE) {
        m->iqh = 0;
        vtdpi_model_queue_drop_(m);
    }

    /* WBFS shows a flush in progress, all others that the thing is so. */
    if (bit != VTDPI_GCMD_WBF && on)
        m->gsts |= bit;
    else
        m->gsts &= ~bit;
    if (bit == VTDPI_GCMD_QIE && on && !m->params.manual)
        vtdpi_model_queue_run_(m);
}

static void commands_execute(struct vtdpi_model *m, uint32_t bits,
                             uint32_t value)
{
    for (uint32_t bit = COMMAND_LOWEST; bit != 0; bit <<= 1) {
        if ((bits & bit) != 0)
            command_execute(m, bit, (value & bit) != 0);
    }
}

/* The commands that were put aside and are due; they no longer are aside. */
static uint32_t aside_take_due(struct vtdpi_model *m)
{
    uint32_t due = 0;

    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        if (m->clock_us >= m->aside_due[i])
            due |= COMMAND_LOWEST << i;
    }
    due &= m->aside;
    m->aside &= ~due;
    return due;
}

void vtdpi_model_command_due_(struct vtdpi_model *m)
{
    const uint32_t bits = m->command;

    if (fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES))
        return;
    if (bits != 0 && m->ticks >= m->command_due) {
        m->command = 0;
        commands_execute(m, bits, m->command_value);
    }
    if (m->aside != 0)
        commands_execute(m, aside_take_due(m), m->aside_value);
}

/* Put those of @p changed aside that are to be late; return the others. */
static uint32_t command_put_aside(struct vtdpi_model *m, uint32_t value,
                                  uint32_t changed)
{
    const uint64_t arg = m->fault_arg[VTDPI_MODEL_FAULT_COMMAND_LATE];
    const uint32_t late = changed & (uint32_t)arg;
    const uint64_t us = arg >> 32;

    if (!fault_on(m, VTDPI_MODEL_FAULT_COMMAND_LATE) || late == 0)
        return changed;
    m->fault_on &= ~(1u << VTDPI_MODEL_FAULT_COMMAND_LATE);
    m->aside |= late;
    m->aside_value = (m->aside_value & ~late) | (value & late);
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        if ((late & COMMAND_LOWEST << i) != 0)
            m->aside_due[i] =
                us == VTDPI_MODEL_NEVER ? UINT64_MAX : m->clock_us + us;
    }
    return changed & ~late;
}

/* Which violation a command is that changes more than one bit. */
static enum vtdpi_model_violation_kind
command_judge(const struct vtdpi_model *m, uint32_t value, uint32_t changed)
{
    if ((value & GCMD_ONE_SHOT & m->gsts) != 0)
        return VTDPI_MODEL_ONE_SHOT_ECHO;
    /* At most one of those that go off is what the command is about. */
    return (changed & ~value) != 0 ? VTDPI_MODEL_COMMAND_DROPS
                                   : VTDPI_MODEL_MULTI_COMMAND;
}

/* Record what is wrong with a command, and return what the unit takes. */
static uint32_t command_check(struct vtdpi_model *m, uint32_t value,
                              uint32_t changed)
{
    if ((value & ~(GCMD_STICKY | GCMD_ONE_SHOT)) != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_RESERVED_BITS, VTDPI_GCMD_REG,
                             value);
    if ((changed & (changed - 1)) != 0)
        vtdpi_model_violate_(m, command_judge(m, value, changed),
                             VTDPI_GCMD_REG, value);
    if ((changed & command_unsupported(m)) != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_UNSUPPORTED, VTDPI_GCMD_REG, value);
    return changed & ~command_unsupported(m);
}

void vtdpi_model_command_(struct vtdpi_model *m, uint32_t value)
{
    uint32_t changed =
        ((value ^ m->gsts) & GCMD_STICKY) | (value & GCMD_ONE_SHOT);

    if ((m->command | m->aside) != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_COMMAND_PENDING, VTDPI_GCMD_REG,
                             value);
    if (m->command != 0)
        return;
    changed = command_check(m, value, changed);
    if (fault_on(m, VTDPI_MODEL_FAULT_GSTS_STUCK))
        changed &= ~(uint32_t)m->fault_arg[VTDPI_MODEL_FAULT_GSTS_STUCK];

    for (uint32_t bit = COMMAND_LOWEST; bit != 0; bit <<= 1) {
        if ((changed & bit) != 0)
            command_check_state(m, bit, (value & bit) != 0);
    }
    /* A one-shot command is running until its status turns: WBFS from 1 to 0,
     * the others from 0 to 1. */
    m->gsts &= ~(changed & GCMD_ONE_SHOT);
    m->gsts |= changed & (uint32_t)VTDPI_GCMD_WBF;
    m->command = command_put_aside(m, value, changed);
    m->command_value = value;
    m->command_due = fault_due(m, VTDPI_MODEL_FAULT_GSTS_LATE);
    vtdpi_model_command_due_(m);
}
