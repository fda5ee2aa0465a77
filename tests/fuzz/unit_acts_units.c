/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of unit.h and qi.h. */
#include "unit_acts.h"

#include <string.h>

enum {
    DESCS_MAX = 5,
    BAD_TYPE = 0xe,
};

/*
 * Units.
 */

static struct vtdpi_unit_config config_of(struct fuzz *f, uint32_t u,
                                          bool take_over, uint32_t bits)
{
    struct vtdpi_unit_config c = machine_config(f->m, u);
    const uint64_t irta = vtdpi_model_latched_irta(model_of(f, u));

    if (vtdpi_unit_caps(unit_of(f, u))->smts)
        c.qi.width = VTDPI_QI_256;
    c.qi.device_timeout_us = DEVICE_TIMEOUT_US;
    c.take_over = take_over;
    /* The host knows whose table it is. */
    c.adopt = (bits & 1) != 0 && f->units[u].table == 0 &&
              f->tables[0].adopted && (irta & VTDPI_IRTA_BASE) == TABLE_PHYS;
    c.accept_cfi = (bits & 2) != 0;
    c.force_wbf = (bits & 4) != 0;
    return c;
}

/* One thing wrong. */
static void config_spoil(struct vtdpi_unit_config *c, uint32_t how)
{
    switch (how) {
    case 0:
        c->qi.order = 8;
        break;
    case 1:
        c->qi.ring_phys += 8;
        break;
    default:
        c->qi.submitters = 200;
        break;
    }
}

/* What is in flight ends when the queue is off, or is not ours any more. */
static void tickets_check(struct fuzz *f, uint32_t u)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(unit_of(f, u));

    if (state != VTDPI_UNIT_OFF && state != VTDPI_UNIT_GONE &&
        state != VTDPI_UNIT_FORSAKEN && state != VTDPI_UNIT_FOREIGN)
        return;
    for (uint32_t i = 0; i < TICKETS; i++) {
        struct fuzz_ticket *t = &f->units[u].tickets[i];

        if (t->in_flight)
            support_check(vtdpi_qi_poll(queue_of(f, u), &t->ticket) !=
                          VTDPI_EBUSY);
        t->in_flight = false;
    }
}

static int unit_end(struct fuzz *f, const struct before *b, int rc)
{
    (void)call_end(f, b, rc);
    tickets_check(f, b->u);
    return rc;
}

static int enable_with(struct fuzz *f, uint32_t u, enum call call,
                       const struct vtdpi_unit_config *c)
{
    const struct before b = call_begin(f, call, u);
    int rc;

    rc = call == CALL_UNIT_ENABLE ? vtdpi_unit_enable(unit_of(f, u), c)
                                  : vtdpi_unit_open_queue(unit_of(f, u), c);
    if (rc != VTDPI_ESTATE)
        f->units[u].off_by_host = false;
    if (rc == 0)
        f->units[u].set_up = true;
    return unit_end(f, &b, rc);
}

int call_enable(struct fuzz *f, uint32_t u, bool take_over)
{
    const struct vtdpi_unit_config c = config_of(f, u, take_over, 0);

    return enable_with(f, u, CALL_UNIT_ENABLE, &c);
}

/* Takes over what others left on. */
int call_open_queue(struct fuzz *f, uint32_t u)
{
    const struct vtdpi_unit_config c = config_of(f, u, true, 0);

    return enable_with(f, u, CALL_UNIT_OPEN_QUEUE, &c);
}

static void do_enable(struct fuzz *f, uint32_t u)
{
    const uint32_t bits = input_byte(&f->in);
    struct vtdpi_unit_config c;

    c = config_of(f, u, (bits & 8) != 0, bits);
    if ((bits & 0xe0) == 0xe0)
        config_spoil(&c, input_below(&f->in, 3));
    (void)enable_with(
        f, u, (bits & 0x10) != 0 ? CALL_UNIT_OPEN_QUEUE : CALL_UNIT_ENABLE, &c);
}

int call_disable(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_UNIT_DISABLE, u);

    return unit_end(f, &b, vtdpi_unit_disable(unit_of(f, u)));
}

static void do_disable(struct fuzz *f, uint32_t u)
{
    (void)call_disable(f, u);
}

static void do_suspend(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_UNIT_SUSPEND, u);

    (void)unit_end(f, &b, vtdpi_unit_suspend(unit_of(f, u)));
}

int call_resume(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_UNIT_RESUME, u);
    const int rc = vtdpi_unit_resume(unit_of(f, u));

    if (rc != VTDPI_ESTATE) {
        f->units[u].off_by_host = false;
        f->units[u].asleep = false;
    }
    return unit_end(f, &b, rc);
}

static void do_resume(struct fuzz *f, uint32_t u)
{
    (void)call_resume(f, u);
}

int call_forsake(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_UNIT_FORSAKE, u);

    return unit_end(f, &b, vtdpi_unit_forsake(unit_of(f, u)));
}

/* The host promises that the unit is off, or the unit says that it is not. */
static void do_forsake(struct fuzz *f, uint32_t u)
{
    const bool remaps =
        !reads_all_ones(f, u) && (gsts_of(f, u) & VTDPI_GSTS_IRES) != 0;

    if (f->units[u].gone || f->units[u].off_by_host || remaps)
        (void)call_forsake(f, u);
}

static void unit_made_new(struct fuzz *f, uint32_t u)
{
    struct fuzz_unit *unit = &f->units[u];

    memset(f->m->status[u], 0,
           sizeof(*f->m->status[u]) * vtdpi_qi_slots(0, VTDPI_QI_128));
    memset(unit->tickets, 0, sizeof(unit->tickets));
    unit->set_up = false;
}

/* A unit that is on no list, when the memory of its queue may be freed. */
static void do_probe(struct fuzz *f, uint32_t u)
{
    struct before b;

    if (f->units[u].table != NOWHERE ||
        (!is_in(f, u, VTDPI_UNIT_OFF) && !is_in(f, u, VTDPI_UNIT_FORSAKEN)))
        return;
    /* Another one in its place. */
    if (is_in(f, u, VTDPI_UNIT_FORSAKEN) || f->units[u].gone) {
        f->units[u].gone = false;
        hardware_reset(f, u);
    }
    vtdpi_model_advance_clock(model_of(f, u), DEVICE_TIMEOUT_US);
    /* A command of the host that timed out is done, too: the new object does not
     * know of the command. */
    vtdpi_model_tick(model_of(f, u), 2 * LATE_TICKS_MAX);
    unit_made_new(f, u);
    b = call_begin(f, CALL_UNIT_PROBE, u);
    if (call_end(f, &b,
                 vtdpi_unit_probe(unit_of(f, u), &f->m->ops, model_of(f, u),
                                  MACHINE_WINDOW)) == 0)
        return;
    /* No other call may follow one that failed. */
    hardware_heal(f, u);
    support_check(vtdpi_unit_probe(unit_of(f, u), &f->m->ops, model_of(f, u),
                                   MACHINE_WINDOW) == 0);
}

int call_command(struct fuzz *f, uint32_t u, uint64_t bit, bool on)
{
    const struct before b = call_begin(f, CALL_UNIT_COMMAND, u);

    return call_end(f, &b,
                    vtdpi_unit_command(unit_of(f, u), (uint32_t)bit, on));
}

static void do_command(struct fuzz *f, uint32_t u)
{
    static const uint64_t bits[] = {VTDPI_GCMD_TE, VTDPI_GCMD_TE,
                                    VTDPI_GCMD_SRTP, VTDPI_GCMD_WBF,
                                    VTDPI_GCMD_IRE};
    const uint64_t bit = bits[input_below(&f->in, 5)];

    (void)call_command(f, u, bit, (input_byte(&f->in) & 1) != 0);
}

static void do_flush_write_buffer(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_UNIT_FLUSH_WRITE_BUFFER, u);

    (void)call_end(f, &b, vtdpi_unit_flush_write_buffer(unit_of(f, u)));
}

static void do_drain(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_UNIT_DRAIN, u);

    if (call_end(f, &b, vtdpi_unit_drain(unit_of(f, u))) == 0)
        support_check(vtdpi_model_in_flight(model_of(f, u)) == 0);
}

/*
 * The queue.
 */

/* A ticket that is not in flight, on a queue that takes submissions. */
static struct fuzz_ticket *ticket_to_submit(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = &f->units[u].tickets[input_below(&f->in, TICKETS)];

    if (!f->units[u].set_up || t->in_flight || f->units[u].asleep)
        return NULL;
    t->global = false;
    t->globals = machine_count(f->m, u).iec_global;
    return t;
}

static void submitted(struct fuzz *f, const struct before *b,
                      struct fuzz_ticket *t, int rc)
{
    (void)call_end(f, b, rc);
    t->in_flight = rc == 0;
    if (rc != 0)
        support_check(vtdpi_qi_poll(queue_of(f, b->u), &t->ticket) == rc);
}

static void desc_choose(struct input *in, struct vtdpi_qi_desc *d)
{
    const uint32_t byte = input_byte(in);

    *d = (struct vtdpi_qi_desc){{0}};
    switch (byte % 6) {
    case 0:
        d->qw[0] = VTDPI_QI_DEV_TLB | (uint64_t)(byte >> 4) << 32;
        break;
    case 1:
        d->qw[0] = BAD_TYPE;
        break;
    case 2:
        d->qw[0] = VTDPI_QI_IOTLB;
        break;
    case 3:
        support_check(vtdpi_qi_encode_iec(d, (uint16_t)(byte >> 4), 0) == 0);
        break;
    default:
        vtdpi_qi_encode_iec_global(d);
        break;
    }
}

static void do_qi_submit(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = ticket_to_submit(f, u);
    const uint32_t n = input_below(&f->in, DESCS_MAX + 1);
    struct vtdpi_qi_desc descs[DESCS_MAX];
    struct before b;

    if (t == NULL)
        return;
    for (uint32_t i = 0; i < n; i++)
        desc_choose(&f->in, &descs[i]);
    b = call_begin(f, CALL_QI_SUBMIT, u);
    submitted(f, &b, t, vtdpi_qi_submit(queue_of(f, u), descs, n, &t->ticket));
}

static void do_submit_global(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = ticket_to_submit(f, u);
    struct before b;

    if (t == NULL)
        return;
    t->global = true;
    b = call_begin(f, CALL_UNIT_SUBMIT_IEC_GLOBAL, u);
    submitted(f, &b, t,
              vtdpi_unit_submit_iec_global(unit_of(f, u), &t->ticket));
}

static void do_submit_iec(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = ticket_to_submit(f, u);
    const uint32_t order = input_below(&f->in, 17);
    const uint16_t first = (uint16_t)input_below(&f->in, ENTRIES);
    struct before b;
    int rc;

    if (t == NULL)
        return;
    b = call_begin(f, CALL_UNIT_SUBMIT_IEC, u);
    rc = vtdpi_unit_submit_iec(unit_of(f, u), first, order, &t->ticket);
    if (order > vtdpi_unit_caps(unit_of(f, u))->mhmv)
        support_check(rc == VTDPI_ERANGE);
    submitted(f, &b, t, rc);
}

/* What is resolved stays so, and success means that it was executed. */
static int resolved(struct fuzz *f, uint32_t u, struct fuzz_ticket *t, int rc)
{
    support_check(vtdpi_qi_poll(queue_of(f, u), &t->ticket) == rc);
    if (t->in_flight && t->global && rc == 0)
        support_check(machine_count(f->m, u).iec_global > t->globals);
    t->in_flight = false;
    return rc;
}

int call_wait(struct fuzz *f, uint32_t u, struct fuzz_ticket *t, uint64_t us)
{
    const enum call call = us % 2 == 0 ? CALL_QI_WAIT : CALL_UNIT_WAIT;
    const struct before b = call_begin(f, call, u);
    int rc;

    rc = call == CALL_QI_WAIT ? vtdpi_qi_wait(queue_of(f, u), &t->ticket, us)
                              : vtdpi_unit_wait(unit_of(f, u), &t->ticket, us);
    return resolved(f, u, t, call_end(f, &b, rc));
}

static void do_wait(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = &f->units[u].tickets[input_below(&f->in, TICKETS)];
    const uint64_t us = input_byte(&f->in) * UINT64_C(3999);

    if (f->units[u].set_up)
        (void)call_wait(f, u, t, us);
}

static void do_poll(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = &f->units[u].tickets[input_below(&f->in, TICKETS)];
    struct before b;
    int rc;

    if (!f->units[u].set_up)
        return;
    b = call_begin(f, CALL_QI_POLL, u);
    rc = call_end(f, &b, vtdpi_qi_poll(queue_of(f, u), &t->ticket));
    if (rc != VTDPI_EBUSY)
        (void)resolved(f, u, t, rc);
}

static void do_give_up(struct fuzz *f, uint32_t u)
{
    struct fuzz_ticket *t = &f->units[u].tickets[input_below(&f->in, TICKETS)];
    struct before b;

    if (!f->units[u].set_up)
        return;
    b = call_begin(f, CALL_QI_GIVE_UP, u);
    (void)resolved(
        f, u, t, call_end(f, &b, vtdpi_qi_give_up(queue_of(f, u), &t->ticket)));
}

static void do_recover(struct fuzz *f, uint32_t u)
{
    struct vtdpi_qi_stats stats;
    struct vtdpi_qi_error error;
    struct before b;

    if (!f->units[u].set_up)
        return;
    b = call_begin(f, CALL_QI_RECOVER, u);
    (void)call_end(f, &b, vtdpi_qi_recover(queue_of(f, u)));
    vtdpi_qi_report(queue_of(f, u), &stats, &error);
}

const struct act acts_on_units[ACTS_ON_UNITS] = {
    {"enable", do_enable, 12, false},
    {"disable", do_disable, 5, false},
    {"suspend", do_suspend, 5, false},
    {"resume", do_resume, 5, false},
    {"forsake", do_forsake, 2, false},
    {"probe", do_probe, 2, true},
    {"command", do_command, 4, false},
    {"flush_write_buffer", do_flush_write_buffer, 2, false},
    {"drain", do_drain, 2, false},
    {"qi_submit", do_qi_submit, 6, false},
    {"submit_global", do_submit_global, 4, false},
    {"submit_iec", do_submit_iec, 3, false},
    {"wait", do_wait, 6, false},
    {"poll", do_poll, 4, false},
    {"give_up", do_give_up, 2, false},
    {"recover", do_recover, 3, false},
};
