/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: whole lives of two units beside changes of their table. One thread
 * suspends and resumes the units, disables and enables them, with DMA translation
 * on or off, and now and then finds one enabled by another kernel, or one that
 * does not answer for a moment.
 * Changers set entries, post and unpost interrupts; a device raises them all the
 * time.
 *
 * A change returns success, or VTDPI_EQOFF or VTDPI_EIO and is repeated. After
 * success no unit may deliver by an older entry, whatever happened to the unit
 * during the change. A unit may deliver nothing, or not remap at all.
 */
#include "rig.h"
#include "vtdpi/irq.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    CHANGERS = 3,
    HOST_VECTOR = 0x40,
    VECTORS = 64, /* from HOST_VECTOR on */
    GUEST_VECTOR = 0xa0,
    /* Of one change. A unit is off for some hundred steps. */
    TRIES_MAX = 1 << 20,
};

struct race {
    struct machine *rig;
    uint64_t ops;
    uint64_t changing; /* changers that are at work */
    uint64_t cycles;   /* that the units have been through */
};

struct changer {
    struct race *race;
    struct race_rng rng;
    uint32_t index; /* changed by vtdpi_table_set() */
    uint8_t vector; /* what its entry holds; 0: not present */
    struct vtdpi_irq irq;
    struct vtdpi_vcpu vcpu;
    uint64_t changes;
    uint64_t met_off;
};

struct life {
    struct race *race;
    struct race_rng rng;
    struct rig_foreign other; /* what another kernel makes of a unit */
    uint64_t suspended;
    uint64_t disabled;
    uint64_t taken_over;
    uint64_t gone;
};

struct device {
    struct race *race;
    struct race_rng rng;
    uint64_t raised;
};

/* Changers. */

/* Nothing is remapped, or the unit does not answer, or the table is another
 * kernel's, which is empty. */
static bool is_nowhere(const struct vtdpi_model_result *x)
{
    return x->outcome == VTDPI_MODEL_PASSED ||
           x->outcome == VTDPI_MODEL_DROPPED ||
           (x->outcome == VTDPI_MODEL_BLOCKED &&
            x->reason == VTDPI_FR_NOT_PRESENT);
}

static void check_entry(struct changer *c)
{
    for (uint32_t u = 0; u < UNITS; u++) {
        const struct vtdpi_model_result x =
            machine_send(c->race->rig, u, c->index);

        race_check(is_nowhere(&x) || (x.outcome == VTDPI_MODEL_REMAPPED &&
                                      x.vector == c->vector));
    }
}

/* @p rc of a change that is @p repeat-ed until no unit is on its way. */
static void finish(struct changer *c, int rc, int (*repeat)(struct changer *c))
{
    for (uint32_t i = 0; rc == VTDPI_EQOFF || rc == VTDPI_EIO; i++) {
        race_check(i < TRIES_MAX);
        c->met_off++;
        race_yield();
        rc = repeat(c);
    }
    if (rc != 0)
        race_fail("a change ended with %d", rc);
    c->changes++;
}

static int set(struct changer *c)
{
    struct vtdpi_irte entry = {0, 0};

    if (c->vector != 0) {
        entry.lo = (uint64_t)HOST_APIC_ID << 32 | (uint64_t)c->vector << 16 | 1;
        entry.hi = UINT64_C(0x40000) | SID;
    }
    return vtdpi_table_set(&c->race->rig->table, c->index, &entry);
}

static void change_entry(struct changer *c)
{
    c->vector = race_one_in(&c->rng, 4)
                    ? 0
                    : (uint8_t)(HOST_VECTOR + race_below(&c->rng, VECTORS));
    finish(c, set(c), set);
    check_entry(c);
}

static int flush(struct changer *c)
{
    return vtdpi_irq_flush(&c->irq);
}

/* What was posted has landed, and nothing is posted any more. */
static void check_unposted(struct changer *c)
{
    struct vtdpi_pid *pid = vtdpi_vcpu_pid(&c->vcpu);
    uint64_t pir[VTDPI_PIR_WORDS];
    int rc;

    race_check(vtdpi_vcpu_refs(&c->vcpu) == 0);
    (void)vtdpi_pid_harvest(pid, pir);
    for (uint32_t u = 0; u < UNITS; u++) {
        const struct vtdpi_model_result x =
            machine_send(c->race->rig, u, vtdpi_irq_index(&c->irq));

        race_check(is_nowhere(&x));
        rc = vtdpi_unit_drain(&c->race->rig->unit[u]);
        race_check(rc == 0 || rc == VTDPI_EIO); /* gone for a moment */
    }
    race_check(!vtdpi_pid_pending(pid));
}

static void change_irq(struct changer *c)
{
    if (vtdpi_irq_vcpu(&c->irq) == NULL) {
        finish(c, vtdpi_irq_post(&c->irq, &c->vcpu, GUEST_VECTOR), flush);
        return;
    }
    finish(c, vtdpi_irq_unpost(&c->irq), flush);
    check_unposted(c);
}

/* What a host reports of its units, at any time. */
static void look(struct changer *c)
{
    struct vtdpi_unit *u = &c->race->rig->unit[race_below(&c->rng, UNITS)];
    struct vtdpi_qi_stats stats;

    race_check(vtdpi_unit_stuck(u) == 0);
    race_check(vtdpi_unit_state(u) != VTDPI_UNIT_FAILED);
    vtdpi_qi_report(vtdpi_unit_qi(u), &stats, NULL);
    race_check(stats.given_up == 0 && stats.iqe == 0);
}

static void changer_begin(struct changer *c, uint32_t number)
{
    const struct vtdpi_source source = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    struct machine *r = c->race->rig;
    uint32_t index;

    race_check(vtdpi_table_alloc(&r->table, 1, c, &c->index) == 0);
    race_check(vtdpi_table_alloc(&r->table, 1, c, &index) == 0);
    race_check(vtdpi_irq_init(&c->irq, vtdpi_table_backend(&r->table), index,
                              &source, NULL) == 0);
    race_check(vtdpi_vcpu_attach(&r->sched, &c->vcpu, number, c) == 0);
    vtdpi_vcpu_run(&c->vcpu, &r->pcpu);
}

static void changer_done(struct race *r)
{
    uint64_t n = vtdpi_atomic_load64(&r->changing);

    while (!vtdpi_atomic_cas64(&r->changing, &n, n - 1)) {
    }
}

static void changer_main(void *arg)
{
    struct changer *c = arg;

    /* The units must have had their lives, however threads are scheduled. */
    for (uint64_t i = 0;
         i < c->race->ops ||
         vtdpi_atomic_load64(&c->race->cycles) < c->race->ops / 8;
         i++) {
        if (race_one_in(&c->rng, 3))
            change_irq(c);
        else
            change_entry(c);
        if (race_one_in(&c->rng, 4))
            look(c);
    }
    if (vtdpi_irq_vcpu(&c->irq) != NULL)
        change_irq(c);
    changer_done(c->race);
}

/* Lives. */

/* Now and then another kernel has had the unit while it was off. */
static void maybe_other_kernel(struct life *l, uint32_t u)
{
    if (!race_one_in(&l->rng, 4))
        return;
    rig_foreign_enable(&l->other, l->race->rig, u);
    l->taken_over++;
}

/* TE on or off; a life goes on with either. */
static bool switch_dma(struct life *l, uint32_t u)
{
    struct vtdpi_unit *unit = &l->race->rig->unit[u];
    const bool on = race_one_in(&l->rng, 2);

    race_check(vtdpi_unit_command(unit, (uint32_t)VTDPI_GCMD_SRTP, true) == 0);
    race_check(vtdpi_unit_command(unit, (uint32_t)VTDPI_GCMD_TE, on) == 0);
    return on;
}

static void enable(struct life *l, uint32_t u)
{
    struct vtdpi_unit_config config = machine_config(l->race->rig, u);

    config.take_over = true;
    config.force_wbf = race_one_in(&l->rng, 2);
    race_check(vtdpi_unit_enable(&l->race->rig->unit[u], &config) == 0);
}

static void suspend(struct life *l, uint32_t u)
{
    struct vtdpi_unit *unit = &l->race->rig->unit[u];
    const bool dma = switch_dma(l, u);
    int rc;

    race_check(vtdpi_unit_suspend(unit) == 0);
    if (!dma)
        maybe_other_kernel(l, u);
    rc = vtdpi_unit_resume(unit);
    race_check(rc == 0 || rc == VTDPI_EFOREIGN);
    if (rc == VTDPI_EFOREIGN)
        enable(l, u);
    l->suspended++;
}

/* The unit does not answer for a moment, and comes back. */
static void hiccup(struct life *l, uint32_t u)
{
    struct vtdpi_unit *unit = &l->race->rig->unit[u];
    struct vtdpi_model *m = &l->race->rig->model[u];

    vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    race_check(vtdpi_unit_disable(unit) == VTDPI_EIO);
    race_check(vtdpi_unit_state(unit) == VTDPI_UNIT_GONE);
    vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_ALL_ONES);
    race_check(vtdpi_unit_resume(unit) == 0);
    l->gone++;
}

static void disable(struct life *l, uint32_t u)
{
    const bool dma = switch_dma(l, u);

    race_check(vtdpi_unit_disable(&l->race->rig->unit[u]) ==
               (dma ? VTDPI_EBUSY : 0));
    if (!dma)
        maybe_other_kernel(l, u);
    enable(l, u);
    l->disabled++;
}

static void life_main(void *arg)
{
    struct life *l = arg;

    for (uint64_t n = 1; vtdpi_atomic_load64(&l->race->changing) != 0; n++) {
        const uint32_t u = race_below(&l->rng, UNITS);

        if (race_one_in(&l->rng, 8))
            hiccup(l, u);
        else if (race_one_in(&l->rng, 2))
            suspend(l, u);
        else
            disable(l, u);
        (void)vtdpi_atomic_xchg64(&l->race->cycles, n);
        if (race_one_in(&l->rng, 2))
            race_yield();
    }
}

/* The device. */

static void device_main(void *arg)
{
    struct device *d = arg;

    while (vtdpi_atomic_load64(&d->race->changing) != 0) {
        (void)machine_send(d->race->rig, race_below(&d->rng, UNITS),
                           race_below(&d->rng, 2 * CHANGERS));
        d->raised++;
        if (race_one_in(&d->rng, 2))
            race_yield();
    }
}

static void report(const struct race *r, const struct changer *c,
                   const struct life *l, const struct device *d)
{
    uint64_t changes = 0, met_off = 0;

    for (uint32_t i = 0; i < CHANGERS; i++) {
        changes += c[i].changes;
        met_off += c[i].met_off;
    }
    printf("changes %" PRIu64 " (%" PRIu64 " times a queue was off), suspended "
           "%" PRIu64 ", disabled %" PRIu64 ", taken over %" PRIu64
           ", gone %" PRIu64 ", raised %" PRIu64 "\n",
           changes, met_off, l->suspended, l->disabled, l->taken_over, l->gone,
           d->raised);
    race_check(r->ops < 1000 || (l->suspended > 0 && l->disabled > 0 &&
                                 l->taken_over > 0 && l->gone > 0));
}

static void play(const struct race_options *o)
{
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));
    struct changer *c = race_memory(CHANGERS * sizeof(*c));
    struct life *l = race_memory(sizeof(*l));
    struct device *d = race_memory(sizeof(*d));

    r->rig = rig_new(o->seed);
    r->ops = o->ops;
    r->changing = CHANGERS;
    for (uint32_t u = 0; u < UNITS; u++)
        vtdpi_model_set_fault(&r->rig->model[u], VTDPI_MODEL_FAULT_POST_LATE,
                              0);
    for (uint32_t i = 0; i < CHANGERS; i++) {
        c[i].race = r;
        c[i].rng = race_rng(o->seed, 10 + i);
        changer_begin(&c[i], i);
    }
    l->race = d->race = r;
    l->rng = race_rng(o->seed, 1);
    d->rng = race_rng(o->seed, 2);
    for (uint32_t i = 0; i < CHANGERS; i++)
        race_start(threads, changer_main, &c[i]);
    race_start(threads, life_main, l);
    race_start(threads, device_main, d);
    race_join(threads);
    for (uint32_t u = 0; u < UNITS; u++)
        race_check(vtdpi_unit_command(&r->rig->unit[u], (uint32_t)VTDPI_GCMD_TE,
                                      false) == 0);
    report(r, c, l, d);
    rig_end(r->rig);
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 12000, play);
}
