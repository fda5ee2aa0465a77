/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE(name) (1u << VTDPI_UNIT_##name)
#define ANY_STATE   0xffu
#define SAME        0x100u /* the state of before */
#define CODES(...)               \
    (const int[])                \
    {                            \
        __VA_ARGS__, END_OF_LIST \
    }

enum {
    END_OF_LIST = 1000000,
    RULE_STATES = 8,
    SETTLE_TICKS = 300, /* a command that is not lost is done after that */
};

/* What the codes of a call leave; the first group that has the code counts. */
struct outcome {
    const int *codes;
    unsigned int states; /* one of them afterwards; 0: not looked at */
};

struct rule {
    const char *name;
    unsigned int states; /* in which the unit accepts the call; 0: no matter */
    int refused;         /* the code in all other states */
    unsigned int deadlines;
    struct outcome outcomes[4];
};

/* Errors of a configuration. */
#define CONFIG_CODES VTDPI_EINVAL, VTDPI_EALIGN, VTDPI_ENOSPC, VTDPI_EOPNOTSUPP
/* Errors of a wait, and of a submission. */
#define QUEUE_CODES \
    VTDPI_ETIMEDOUT, VTDPI_EIQE, VTDPI_EQFULL, VTDPI_EQOFF, VTDPI_EIO
#define TICKET_CODES                                                     \
    0, VTDPI_ETIMEDOUT, VTDPI_EIQE, VTDPI_EITE, VTDPI_EICE, VTDPI_EQOFF, \
        VTDPI_EIO, VTDPI_EQFULL, VTDPI_EINVAL, VTDPI_ERANGE, VTDPI_EALIGN
#define HOST_FORM_CODES \
    0, VTDPI_EINFLIGHT, VTDPI_ESTATE, VTDPI_EDIRTY, QUEUE_CODES
#define POST_CODES HOST_FORM_CODES, VTDPI_ENOPI, VTDPI_ECLOSED, VTDPI_EMODE

static const struct rule rules[CALLS] = {
    [CALL_UNIT_PROBE] = {"vtdpi_unit_probe",
                         STATE(OFF) | STATE(FORSAKEN),
                         0,
                         0,
                         {{CODES(0), STATE(OFF) | STATE(FOREIGN)},
                          {CODES(VTDPI_EIO), 0}}},
    [CALL_UNIT_ENABLE] =
        {"vtdpi_unit_enable",
         STATE(OFF) | STATE(FOREIGN) | STATE(QUEUE),
         VTDPI_ESTATE,
         20,
         {{CODES(0), STATE(ON)},
          {CODES(VTDPI_ESTATE, VTDPI_ENOTABLE, CONFIG_CODES), SAME},
          {CODES(VTDPI_EFOREIGN), STATE(FOREIGN)},
          {CODES(VTDPI_EIO, VTDPI_ETIMEDOUT, VTDPI_EIQE, VTDPI_ECFIS),
           STATE(OFF) | STATE(QUEUE) | STATE(GONE) | STATE(FAILED)}}},
    [CALL_UNIT_OPEN_QUEUE] = {"vtdpi_unit_open_queue",
                              STATE(OFF) | STATE(FOREIGN),
                              VTDPI_ESTATE,
                              12,
                              {{CODES(0), STATE(QUEUE)},
                               {CODES(VTDPI_ESTATE, CONFIG_CODES), SAME},
                               {CODES(VTDPI_EFOREIGN), STATE(FOREIGN)},
                               {CODES(VTDPI_EIO, VTDPI_ETIMEDOUT),
                                STATE(OFF) | STATE(GONE) | STATE(FAILED)}}},
    [CALL_UNIT_DISABLE] = {"vtdpi_unit_disable",
                           STATE(ON) | STATE(QUEUE) | STATE(FAILED) |
                               STATE(GONE),
                           VTDPI_ESTATE,
                           9,
                           {{CODES(0, VTDPI_EQFULL, VTDPI_EIQE), STATE(OFF)},
                            {CODES(VTDPI_ESTATE), SAME},
                            {CODES(VTDPI_EBUSY), STATE(QUEUE)},
                            {CODES(VTDPI_EIO, VTDPI_ETIMEDOUT),
                             /* QUEUE: with DMA translation on */
                             STATE(OFF) | STATE(QUEUE) | STATE(FAILED) |
                                 STATE(GONE)}}},
    [CALL_UNIT_FORSAKE] = {"vtdpi_unit_forsake",
                           STATE(FAILED) | STATE(GONE),
                           VTDPI_ESTATE,
                           0,
                           {{CODES(0), STATE(FORSAKEN)},
                            {CODES(VTDPI_ESTATE, VTDPI_EBUSY), SAME}}},
    [CALL_UNIT_SUSPEND] = {"vtdpi_unit_suspend",
                           STATE(ON),
                           VTDPI_ESTATE,
                           9,
                           {{CODES(0, VTDPI_EQFULL, VTDPI_EIQE),
                             STATE(SUSPENDED)},
                            {CODES(VTDPI_ESTATE), SAME},
                            {CODES(VTDPI_EIO, VTDPI_ETIMEDOUT),
                             STATE(SUSPENDED) | STATE(FAILED) | STATE(GONE)}}},
    [CALL_UNIT_RESUME] =
        {"vtdpi_unit_resume",
         STATE(SUSPENDED) | STATE(FAILED) | STATE(GONE),
         VTDPI_ESTATE,
         20,
         {{CODES(0), STATE(ON)},
          {CODES(VTDPI_ESTATE, VTDPI_ENOTABLE), SAME},
          {CODES(VTDPI_EFOREIGN), STATE(FOREIGN)},
          {CODES(VTDPI_EIO, VTDPI_ETIMEDOUT, VTDPI_EIQE, VTDPI_ECFIS),
           STATE(OFF) | STATE(QUEUE) | STATE(GONE) | STATE(FAILED)}}},
    [CALL_UNIT_COMMAND] = {"vtdpi_unit_command",
                           0,
                           0,
                           2,
                           {{CODES(0, VTDPI_EINVAL, VTDPI_ETIMEDOUT, VTDPI_EIO),
                             SAME}}},
    [CALL_UNIT_FLUSH_WRITE_BUFFER] = {"vtdpi_unit_flush_write_buffer",
                                      0,
                                      0,
                                      2,
                                      {{CODES(0, VTDPI_ETIMEDOUT, VTDPI_EIO),
                                        SAME}}},
    [CALL_UNIT_DRAIN] =
        {"vtdpi_unit_drain", 0, 0, 0, {{CODES(0, VTDPI_EIO), SAME}}},
    [CALL_UNIT_SUBMIT_IEC] = {"vtdpi_unit_submit_iec",
                              0,
                              0,
                              0,
                              {{CODES(0, VTDPI_ERANGE, VTDPI_EALIGN,
                                      VTDPI_EQOFF, VTDPI_EQFULL, VTDPI_EIO),
                                SAME}}},
    [CALL_UNIT_SUBMIT_IEC_GLOBAL] =
        {"vtdpi_unit_submit_iec_global",
         0,
         0,
         0,
         {{CODES(0, VTDPI_EQOFF, VTDPI_EQFULL, VTDPI_EIO), SAME}}},
    [CALL_UNIT_WAIT] =
        {"vtdpi_unit_wait", 0, 0, 4, {{CODES(TICKET_CODES), SAME}}},
    [CALL_QI_SUBMIT] = {"vtdpi_qi_submit",
                        0,
                        0,
                        0,
                        {{CODES(0, VTDPI_EINVAL, VTDPI_ERANGE, VTDPI_EQOFF,
                                VTDPI_EQFULL, VTDPI_EIO),
                          SAME}}},
    [CALL_QI_POLL] =
        {"vtdpi_qi_poll", 0, 0, 0, {{CODES(TICKET_CODES, VTDPI_EBUSY), SAME}}},
    [CALL_QI_WAIT] = {"vtdpi_qi_wait", 0, 0, 4, {{CODES(TICKET_CODES), SAME}}},
    [CALL_QI_GIVE_UP] =
        {"vtdpi_qi_give_up", 0, 0, 0, {{CODES(TICKET_CODES), SAME}}},
    [CALL_QI_RECOVER] = {"vtdpi_qi_recover",
                         0,
                         0,
                         0,
                         {{CODES(0, VTDPI_EIQE, VTDPI_EITE, VTDPI_EICE,
                                 VTDPI_EQOFF, VTDPI_EIO),
                           SAME}}},
    [CALL_TABLE_ADD_UNIT] =
        {"vtdpi_table_add_unit",
         0,
         0,
         0,
         {{CODES(0, VTDPI_EATTACHED, VTDPI_ESTATE, VTDPI_EBUSY), SAME}}},
    [CALL_TABLE_REMOVE_UNIT] = {"vtdpi_table_remove_unit",
                                STATE(OFF) | STATE(QUEUE) | STATE(FORSAKEN) |
                                    STATE(FOREIGN),
                                VTDPI_EBUSY,
                                0,
                                {{CODES(0, VTDPI_EBUSY), SAME}}},
    [CALL_TABLE_ALLOC] =
        {"vtdpi_table_alloc", 0, 0, 0, {{CODES(0, VTDPI_ENOSPC), 0}}},
    [CALL_TABLE_RESERVE] = {"vtdpi_table_reserve",
                            0,
                            0,
                            0,
                            {{CODES(0, VTDPI_EINDEX, VTDPI_EBUSY), 0}}},
    [CALL_TABLE_FREE] =
        {"vtdpi_table_free",
         0,
         0,
         0,
         {{CODES(0, VTDPI_EINDEX, VTDPI_EFREE, VTDPI_EBUSY, VTDPI_EDIRTY), 0}}},
    [CALL_TABLE_SET] = {"vtdpi_table_set",
                        0,
                        0,
                        5,
                        {{CODES(0, VTDPI_EINDEX, VTDPI_EFREE, QUEUE_CODES),
                          0}}},
    [CALL_TABLE_FLUSH] =
        {"vtdpi_table_flush", 0, 0, 5, {{CODES(0, QUEUE_CODES), 0}}},
    [CALL_TABLE_FLUSH_ALL] =
        {"vtdpi_table_flush_all", 0, 0, 5, {{CODES(0, QUEUE_CODES), 0}}},
    [CALL_IRQ_SET_HOST] = {"vtdpi_irq_set_host",
                           0,
                           0,
                           10,
                           {{CODES(0, VTDPI_IRQ_DEFERRED, VTDPI_ESTATE,
                                   VTDPI_EDIRTY, QUEUE_CODES),
                             0}}},
    [CALL_IRQ_POST] = {"vtdpi_irq_post", 0, 0, 10, {{CODES(POST_CODES), 0}}},
    [CALL_IRQ_UNPOST] =
        {"vtdpi_irq_unpost", 0, 0, 10, {{CODES(HOST_FORM_CODES), 0}}},
    [CALL_IRQ_TEARDOWN] = {"vtdpi_irq_teardown",
                           0,
                           0,
                           5,
                           {{CODES(0, VTDPI_EINFLIGHT, QUEUE_CODES), 0}}},
    [CALL_IRQ_FLUSH] = {"vtdpi_irq_flush",
                        0,
                        0,
                        5,
                        {{CODES(0, VTDPI_EINFLIGHT, QUEUE_CODES), 0}}},
    [CALL_IRQ_MARK_FLUSHED] =
        {"vtdpi_irq_mark_flushed", 0, 0, 0, {{CODES(0), 0}}},
    [CALL_BATCH_SET_HOST] = {"vtdpi_irq_batch_set_host",
                             0,
                             0,
                             0,
                             {{CODES(0, VTDPI_ESTATE, VTDPI_EDIRTY), 0}}},
    [CALL_BATCH_POST] = {"vtdpi_irq_batch_post",
                         0,
                         0,
                         0,
                         {{CODES(0, VTDPI_ESTATE, VTDPI_EDIRTY, VTDPI_ENOPI,
                                 VTDPI_ECLOSED, VTDPI_EMODE),
                           0}}},
    [CALL_BATCH_UNPOST] = {"vtdpi_irq_batch_unpost",
                           0,
                           0,
                           0,
                           {{CODES(0, VTDPI_ESTATE, VTDPI_EDIRTY), 0}}},
    [CALL_BATCH_TEARDOWN] =
        {"vtdpi_irq_batch_teardown", 0, 0, 0, {{CODES(0), 0}}},
    [CALL_BATCH_FLUSH] = {"vtdpi_irq_batch_flush", 0, 0, 0, {{CODES(0), 0}}},
    [CALL_BATCH_COMMIT] =
        {"vtdpi_irq_batch_commit", 0, 0, 5, {{CODES(0, QUEUE_CODES), 0}}},
    [CALL_FAULT_HANDLE] =
        {"vtdpi_fault_handle", 0, 0, 0, {{CODES(0, VTDPI_EIO), SAME}}},
    [CALL_FAULT_CLEAR_ALL] = {"vtdpi_fault_clear_all",
                              0,
                              0,
                              0,
                              {{CODES(0, VTDPI_EBUSY, VTDPI_EIO), SAME}}},
    [CALL_FAULT_EVENT_ENABLE] =
        {"vtdpi_fault_event_enable", 0, 0, 0, {{CODES(0, VTDPI_EIO), SAME}}},
    [CALL_FAULT_EVENT_MASK] =
        {"vtdpi_fault_event_mask", 0, 0, 0, {{CODES(0, VTDPI_EIO), SAME}}},
    [CALL_FAULT_EVENT_UNMASK] = {"vtdpi_fault_event_unmask",
                                 0,
                                 0,
                                 0,
                                 {{CODES(0, VTDPI_ESTATE, VTDPI_EIO), SAME}}},
    [CALL_FAULT_EVENT_DISABLE] =
        {"vtdpi_fault_event_disable", 0, 0, 0, {{CODES(0, VTDPI_EIO), SAME}}},
    [CALL_VCPU_ATTACH] = {"vtdpi_vcpu_attach", 0, 0, 0, {{CODES(0), 0}}},
    [CALL_VCPU_DETACH] =
        {"vtdpi_vcpu_detach", 0, 0, 0, {{CODES(0, VTDPI_EBUSY), 0}}},
};

static enum call current;

const char *call_name(void)
{
    return rules[current].name;
}

static bool has(const int *codes, int code)
{
    while (*codes != END_OF_LIST && *codes != code)
        codes++;
    return *codes == code;
}

/* Codes after which nothing has changed, whatever the call. */
static bool is_refusal(const struct before *b, int rc)
{
    static const int always[] = {
        CONFIG_CODES, VTDPI_ESTATE, VTDPI_ENOTABLE, VTDPI_EATTACHED,
        VTDPI_EINDEX, VTDPI_EFREE,  VTDPI_ERANGE,   END_OF_LIST,
    };

    if (rc == VTDPI_EINFLIGHT)
        return true;
    if (rc == VTDPI_EBUSY)
        return b->call != CALL_UNIT_DISABLE && b->call != CALL_QI_POLL &&
               b->call != CALL_FAULT_CLEAR_ALL;
    return has(always, rc) ||
           (b->call == CALL_TABLE_FREE && rc == VTDPI_EDIRTY);
}

static uint32_t bits_of(const struct vtdpi_table *t,
                        bool (*ask)(const struct vtdpi_table *, uint32_t))
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < ENTRIES; i++)
        bits |= (uint32_t)ask(t, i) << i;
    return bits;
}

struct before call_begin(struct fuzz *f, enum call call, uint32_t u)
{
    struct before b = {.call = call, .u = u};

    current = call;
    for (uint32_t i = 0; i < f->m->params.units; i++) {
        b.state[i] = vtdpi_unit_state(&f->m->unit[i]);
        b.writes[i] = machine_count(f->m, i).writes;
        b.now[i] = f->m->ops.now_us(model_of(f, i));
    }
    for (uint32_t i = 0; i < TABLES; i++) {
        const struct fuzz_table *t = &f->tables[i];

        memcpy(b.entries[i], t->entries, sizeof(b.entries[i]));
        b.allocated[i] = bits_of(t->t, vtdpi_table_is_allocated);
        b.dirty[i] = bits_of(t->t, vtdpi_table_is_dirty);
    }
    if (u < UNITS)
        b.unit = f->m->unit[u];
    return b;
}

/* Of a ticket that was resolved before, the call returns what it likes. */
static bool is_ticket_call(enum call call)
{
    return call == CALL_QI_POLL || call == CALL_QI_WAIT ||
           call == CALL_QI_GIVE_UP || call == CALL_UNIT_WAIT;
}

static void check_refused(struct fuzz *f, const struct before *b)
{
    for (uint32_t i = 0; i < TABLES; i++) {
        const struct fuzz_table *t = &f->tables[i];

        support_check(
            memcmp(b->entries[i], t->entries, sizeof(b->entries[i])) == 0);
        support_check(b->allocated[i] ==
                      bits_of(t->t, vtdpi_table_is_allocated));
        support_check(b->dirty[i] == bits_of(t->t, vtdpi_table_is_dirty));
    }
    for (uint32_t i = 0; i < f->m->params.units; i++) {
        support_check(b->state[i] == vtdpi_unit_state(&f->m->unit[i]));
        support_check(b->writes[i] == machine_count(f->m, i).writes);
    }
    if (b->u < UNITS && b->call <= CALL_UNIT_RESUME)
        support_check(memcmp(&b->unit, &f->m->unit[b->u], sizeof(b->unit)) ==
                      0);
}

static void check_code(const struct fuzz *f, const struct before *b, int rc)
{
    const struct rule *rule = &rules[b->call];
    const struct outcome *o = rule->outcomes;
    unsigned int state;

    while (o < &rule->outcomes[4] && o->codes != NULL && !has(o->codes, rc))
        o++;
    support_check(o < &rule->outcomes[4] && o->codes != NULL);
    if (b->u >= UNITS)
        return;
    state = 1u << vtdpi_unit_state(&f->m->unit[b->u]);
    if (rule->states != 0 && (1u << b->state[b->u] & rule->states) == 0)
        support_check(rc == rule->refused);
    else if (rule->refused == VTDPI_ESTATE)
        support_check(rc != VTDPI_ESTATE);
    if ((o->states & SAME) != 0)
        support_check(state == 1u << b->state[b->u]);
    else if (o->states != 0)
        support_check((state & o->states) != 0);
}

static void check_time(struct fuzz *f, const struct before *b)
{
    const uint64_t deadline = VTDPI_CMD_TIMEOUT_US + 2 * CLOCK_STEP_US;
    const unsigned int n = rules[b->call].deadlines;
    const uint64_t device = n >= 4 ? DEVICE_TIMEOUT_US + deadline : 0;

    for (uint32_t i = 0; i < f->m->params.units; i++) {
        const uint64_t took = f->m->ops.now_us(model_of(f, i)) - b->now[i];

        support_check(took <= n * deadline + device + CLOCK_STEP_US);
    }
}

/* The unit has come to rest, and said so. */
static void check_rest(struct fuzz *f, const struct before *b)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(&f->m->unit[b->u]);
    uint32_t on = (uint32_t)VTDPI_GSTS_IRES;

    if (state != VTDPI_UNIT_OFF && state != VTDPI_UNIT_SUSPENDED)
        return;
    if (state == VTDPI_UNIT_OFF)
        on |= (uint32_t)VTDPI_GSTS_QIES;
    support_check((gsts_of(f, b->u) & on) == 0);
    /* No command under way changes that either, unless a command was lost. */
    if (f->units[b->u].lost)
        return;
    vtdpi_model_tick(model_of(f, b->u), SETTLE_TICKS);
    support_check((gsts_of(f, b->u) & on) == 0);
}

static void check_on(const struct fuzz *f, const struct before *b)
{
    const uint32_t on = (uint32_t)(VTDPI_GSTS_IRES | VTDPI_GSTS_QIES);
    const struct fuzz_unit *unit = &f->units[b->u];
    const uint64_t irta = vtdpi_model_latched_irta(&f->m->model[b->u]);
    const struct vtdpi_table *t;

    if (unit->lost)
        return;
    support_check(unit->table != NOWHERE);
    t = f->tables[unit->table].t;
    support_check((gsts_of(f, b->u) & on) == on);
    support_check((irta & VTDPI_IRTA_BASE) == vtdpi_table_phys(t));
    support_check(VTDPI_FIELD_GET(irta, VTDPI_IRTA_S) + 1 ==
                  vtdpi_table_order(t));
    support_check(((irta & VTDPI_IRTA_EIME) != 0) ==
                  (vtdpi_table_backend(t)->mode == VTDPI_X2APIC));
}

/* A unit works with the table that it has joined, or not at all. */
static void check_joined(const struct fuzz *f, const struct before *b, int rc)
{
    if (b->call != CALL_UNIT_ENABLE && b->call != CALL_UNIT_RESUME)
        return;
    if (rc == VTDPI_ENOTABLE)
        support_check(f->units[b->u].table == NOWHERE);
    else if (f->units[b->u].table == NOWHERE)
        support_check(rc == VTDPI_ESTATE);
}

static void check_unit_moved(struct fuzz *f, const struct before *b, int rc)
{
    check_joined(f, b, rc);
    if (b->call < CALL_UNIT_ENABLE || b->call > CALL_UNIT_RESUME ||
        is_refusal(b, rc))
        return;
    check_rest(f, b);
    if (rc == 0 && vtdpi_unit_state(&f->m->unit[b->u]) == VTDPI_UNIT_ON)
        check_on(f, b);
    /* With EIME set the unit would misread the destinations of its next user. */
    if (rc == 0 && b->call == CALL_UNIT_DISABLE && !f->units[b->u].lost)
        support_check((vtdpi_model_latched_irta(model_of(f, b->u)) &
                       VTDPI_IRTA_EIME) == 0);
}

/* Before the flush of everything that ends an adoption, nothing counts as
 * flushed. */
static void check_adopted(const struct fuzz *f, const struct before *b)
{
    for (uint32_t i = 0; i < TABLES; i++) {
        const struct fuzz_table *t = &f->tables[i];

        if (t->adopted)
            support_check(
                (b->dirty[i] & ~bits_of(t->t, vtdpi_table_is_dirty)) == 0);
    }
}

static bool was_posted(const struct vtdpi_irte *irte)
{
    return (irte->lo & VTDPI_IRTE_LO_P) != 0 && vtdpi_irte_is_posted(irte);
}

/* Whether the call has retired a posted form of the table. */
static bool has_retired(const struct fuzz *f, const struct before *b,
                        uint32_t table)
{
    const struct fuzz_table *t = &f->tables[table];

    for (uint32_t i = 0; i < ENTRIES; i++) {
        const struct vtdpi_irte *old = &b->entries[table][i];

        if (was_posted(old) && !vtdpi_table_is_dirty(t->t, i) &&
            (old->lo != t->entries[i].lo || old->hi != t->entries[i].hi))
            return true;
    }
    return false;
}

/* What was posted by an entry that is retired has landed. */
static void check_landed(struct fuzz *f, const struct before *b)
{
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        if (f->units[u].table != NOWHERE &&
            has_retired(f, b, f->units[u].table))
            support_check(vtdpi_model_in_flight(model_of(f, u)) == 0);
    }
}

void call_trace(const char *format, ...)
{
    va_list arguments;

    if (getenv("FUZZ_UNIT_TRACE") == NULL)
        return;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
}

static void trace_call(const struct fuzz *f, const struct before *b, int rc)
{
    static const char *const names[RULE_STATES] = {
        "OFF",    "ON",      "QUEUE", "SUSPENDED",
        "FAILED", "FOREIGN", "GONE",  "FORSAKEN",
    };

    call_trace("    %s, unit %u: %d (%s);", rules[b->call].name, b->u, rc,
               vtdpi_strerror(rc));
    for (uint32_t i = 0; i < f->m->params.units; i++)
        call_trace(" %s, GSTS %x", names[vtdpi_unit_state(&f->m->unit[i])],
                   gsts_of(f, i));
    call_trace("\n");
}

int call_end(struct fuzz *f, const struct before *b, int rc)
{
    trace_call(f, b, rc);
    /* First, since time goes on with every look at the clock. */
    if (b->u < UNITS)
        check_unit_moved(f, b, rc);
    check_landed(f, b);
    check_time(f, b);
    check_code(f, b, rc);
    check_adopted(f, b);
    if (is_refusal(b, rc) && !is_ticket_call(b->call))
        check_refused(f, b);
    world_check(f);
    return rc;
}
