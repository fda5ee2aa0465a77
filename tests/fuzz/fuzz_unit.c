/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: bytes as a sequence of calls on units, queues, tables and interrupts,
 * over modelled hardware that fails, answers late, goes and comes back. After each
 * call the promises of the headers are checked (unit_rules.c, unit_world.c). At the
 * end of each input the hardware is healed, and the documented ways out have to
 * lead out: all units come on or are given up, and everything is freed.
 *
 * With FUZZ_UNIT_TRACE in the environment each call is printed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit_calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void support_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: after %s: %s\n", file, line, call_name(), what);
    abort();
}

/*
 * The end: nothing is wrong with the hardware any more.
 */

/* A unit without CAP.PI cannot join while an interrupt is posted; nothing is
 * posted in the second table. */
static void unit_join(struct fuzz *f, uint32_t u)
{
    const int rc = call_add(f, u, 0);

    if (rc == VTDPI_EBUSY)
        support_check(call_add(f, u, 1) == 0);
    else
        support_check(rc == 0);
}

/* Others left the unit on, which may have cached entries of a table whose adoption
 * is over without the unit. */
static bool unit_is_too_late(struct fuzz *f, uint32_t u)
{
    return is_in(f, u, VTDPI_UNIT_FOREIGN) && f->units[u].table == NOWHERE &&
           f->tables[0].adoption_over;
}

/* One step on the way out of a state. */
static void unit_step_out(struct fuzz *f, uint32_t u)
{
    int rc;

    switch (vtdpi_unit_state(unit_of(f, u))) {
    case VTDPI_UNIT_SUSPENDED:
        rc = call_resume(f, u);
        support_check(rc == 0 || (rc == VTDPI_EFOREIGN) || f->units[u].gone);
        break;
    case VTDPI_UNIT_FAILED:
    case VTDPI_UNIT_GONE:
        if (f->units[u].gone)
            support_check(call_forsake(f, u) == 0);
        else if (f->units[u].table != NOWHERE && u == 0)
            support_check(call_resume(f, u) == 0);
        else
            (void)call_disable(f, u);
        break;
    case VTDPI_UNIT_OFF:
    case VTDPI_UNIT_FOREIGN:
    case VTDPI_UNIT_QUEUE:
        if (f->units[u].table == NOWHERE && !unit_is_too_late(f, u))
            unit_join(f, u);
        rc = unit_is_too_late(f, u) ? call_open_queue(f, u)
                                    : call_enable(f, u, true);
        support_check(rc == 0 || f->units[u].gone);
        break;
    case VTDPI_UNIT_ON:
        /* The host has noticed what happened to the unit. */
        if (f->units[u].off_by_host)
            (void)call_disable(f, u);
        break;
    case VTDPI_UNIT_FORSAKEN:
        break;
    }
}

static bool unit_is_out(struct fuzz *f, uint32_t u)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(unit_of(f, u));

    return (state == VTDPI_UNIT_ON && !f->units[u].off_by_host) ||
           state == VTDPI_UNIT_FORSAKEN;
}

static void unit_bring(struct fuzz *f, uint32_t u)
{
    enum {
        STEPS_MAX = 3,
    };

    for (int i = 0; i < STEPS_MAX && !unit_is_out(f, u); i++)
        unit_step_out(f, u);
    support_check(unit_is_out(f, u));
}

/* A unit that is off when it goes, and that nobody needs, just stays away. */
static bool unit_needs_nothing(struct fuzz *f, uint32_t u)
{
    return f->units[u].gone &&
           vtdpi_unit_state(unit_of(f, u)) == VTDPI_UNIT_OFF;
}

static void units_heal(struct fuzz *f)
{
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        hardware_heal(f, u);
        /* What a lost command did, and a queue that stood still, is seen. */
        vtdpi_model_tick(model_of(f, u), 1);
        vtdpi_model_advance_clock(model_of(f, u), VTDPI_QI_TIMEOUT_US);
    }
}

static void tickets_end(struct fuzz *f, uint32_t u)
{
    for (uint32_t i = 0; i < TICKETS; i++) {
        if (f->units[u].tickets[i].in_flight)
            (void)call_wait(f, u, &f->units[u].tickets[i], 0);
    }
    /* One of them may have been lost, by a head that lied. */
    vtdpi_model_advance_clock(model_of(f, u), VTDPI_QI_TIMEOUT_US);
}

static void interrupts_end(struct fuzz *f)
{
    for (uint32_t i = 0; i < IRQS; i++) {
        struct fuzz_irq *q = &f->irqs[i];

        if (!q->used)
            continue;
        support_check(call_teardown(f, q) == 0);
        support_check(call_free_irq(f, q) == 0);
    }
}

static void plain_entries_end(struct fuzz *f, uint32_t table)
{
    const struct vtdpi_irte zero = {0, 0};

    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (!f->tables[table].plain[i])
            continue;
        support_check(call_set(f, table, i, &zero) == 0);
        support_check(call_free_plain(f, table, i) == 0);
    }
}

static void unit_end(struct fuzz *f, uint32_t u)
{
    if (vtdpi_unit_state(unit_of(f, u)) == VTDPI_UNIT_ON &&
        call_disable(f, u) == VTDPI_EBUSY) {
        support_check(call_command(f, u, VTDPI_GCMD_TE, false) == 0);
        support_check(call_disable(f, u) == 0);
    }
    if (f->units[u].table != NOWHERE)
        support_check(call_remove(f, u) == 0);
}

/* The host has an adopted table without a unit: the library cannot know that no
 * unit uses the table, so what is dirty stays so. */
static bool is_adopted_for_nobody(struct fuzz *f)
{
    if (!f->tables[0].adopted || table_has_units(f, 0))
        return false;
    support_check(call_flush_all(f, 0) == VTDPI_EQOFF);
    return true;
}

static void vcpus_end(struct fuzz *f)
{
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++) {
        if (f->attached[v])
            support_check(call_detach(f, v) == 0);
    }
}

static void world_end(struct fuzz *f)
{
    units_heal(f);
    if (f->batch_table != NOWHERE)
        (void)call_commit(f);
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        if (!unit_needs_nothing(f, u))
            unit_bring(f, u);
        tickets_end(f, u);
    }
    world_raise_all(f);
    if (is_adopted_for_nobody(f))
        return;
    /* Ends the adoption, without which no interrupt is let go. */
    support_check(call_flush_all(f, 0) == 0);
    interrupts_end(f);
    for (uint32_t t = 0; t < TABLES; t++) {
        plain_entries_end(f, t);
        support_check(call_flush_all(f, t) == 0);
    }
    vcpus_end(f);
    world_raise_all(f);
    for (uint32_t u = 0; u < f->m->params.units; u++)
        unit_end(f, u);
    world_check(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;

    world_up(&f, data, size);
    call_first(&f);
    while (f.in.left > 0)
        call_next(&f);
    world_end(&f);
    world_down(&f);
    return 0;
}
