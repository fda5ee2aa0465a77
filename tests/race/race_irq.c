/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.h over table.h on two modelled units. Changers post, retarget and unpost
 * their interrupts, tear them down and take other indexes; devices raise
 * whatever there is; the owner harvests the vCPUs, detaches them and attaches
 * them in other slots. A PID that belongs to nobody is poisoned: a unit that
 * posts to it faults, and the poison shows the damage.
 *
 * Some host forms are posted, too: to a vCPU, so that detaching meets their
 * references as well.
 *
 * Posts stay in flight for a while, so a driver that does not drain is caught.
 */
#include "rig.h"
#include "vtdpi/irq.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    CHANGERS = 3,
    IRQS = 3, /* of each changer */
    DEVICES = 2,
    VCPUS = 6,
    /* Guest and host vectors of interrupt n. */
    GUEST_VECTOR = 0x40,
    HOST_VECTOR = 0x90,
};

struct vcpu {
    struct vtdpi_vcpu lib;
    uint32_t slot;
};

struct irq {
    struct vtdpi_irq lib;
    uint32_t number;
    uint8_t host; /* vector; 0: no host form in remapped format */
    const struct vtdpi_vcpu
        *taken_by; /* the host form posts to it; NULL: none */
};

struct race {
    struct machine *rig;
    struct vcpu vcpu[VCPUS];
    uint64_t ops;
    uint64_t seed;
    uint64_t changing; /* changers that are at work */
    uint64_t owned;    /* what the owner has done */
};

struct changer {
    struct race *race;
    struct race_rng rng;
    struct irq irq[IRQS];
    struct irq shared; /* with affinity code */
    uint32_t number;
    uint64_t changes;
    uint64_t refused;
};

/* Sets host forms of interrupts that changers post and unpost at the same time. */
struct affinity {
    struct race *race;
    struct changer *changers;
    struct race_rng rng;
    uint64_t set;
    uint64_t deferred;
};

struct device {
    struct race *race;
    struct race_rng rng;
    uint64_t raised;
};

struct owner {
    struct race *race;
    struct race_rng rng;
    uint64_t slots_used; /* by slot */
    uint64_t harvested;
    uint64_t detached;
    uint64_t busy;
};

/* Changers. */

/* Where the interrupt goes now, as the device behind each unit sees it. Nobody
 * else changes it, so this is exact: a unit that still has an older entry is
 * wrong. */
static void check_delivery(struct changer *c, const struct irq *q)
{
    const struct vtdpi_vcpu *v = vtdpi_irq_vcpu(&q->lib);

    if (v == NULL)
        v = q->taken_by;
    for (uint32_t u = 0; u < UNITS; u++) {
        const struct vtdpi_model_result r =
            machine_send(c->race->rig, u, vtdpi_irq_index(&q->lib));

        if (v != NULL) {
            race_check(r.outcome == VTDPI_MODEL_POSTED ||
                       r.outcome == VTDPI_MODEL_IN_FLIGHT);
            race_check(r.pda == vtdpi_vcpu_pda(v));
            race_check(r.vector == GUEST_VECTOR + q->number);
        } else if (q->host != 0) {
            race_check(r.outcome == VTDPI_MODEL_REMAPPED);
            race_check(r.vector == q->host && r.dest == HOST_APIC_ID);
        } else {
            race_check(r.outcome == VTDPI_MODEL_BLOCKED);
            race_check(r.reason == VTDPI_FR_NOT_PRESENT);
        }
    }
}

static void irq_begin(struct changer *c, struct irq *q)
{
    const struct vtdpi_source source = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    struct vtdpi_table *t = &c->race->rig->table;
    uint32_t index;

    race_check(vtdpi_table_alloc(t, 1, q, &index) == 0);
    race_check(vtdpi_table_owner(t, index) == q);
    race_check(vtdpi_irq_init(&q->lib, vtdpi_table_backend(t), index, &source,
                              NULL) == 0);
    q->host = 0;
    q->taken_by = NULL;
}

static void irq_end(struct changer *c, struct irq *q)
{
    race_check(vtdpi_irq_teardown(&q->lib) == 0);
    race_check(!vtdpi_irq_is_pinned(&q->lib));
    q->host = 0;
    q->taken_by = NULL;
    check_delivery(c, q);
    race_check(vtdpi_table_free(&c->race->rig->table, vtdpi_irq_index(&q->lib),
                                1) == 0);
}

static void irq_post(struct changer *c, struct irq *q)
{
    struct vcpu *v = &c->race->vcpu[race_below(&c->rng, VCPUS)];
    const int rc =
        vtdpi_irq_post(&q->lib, &v->lib, (uint8_t)(GUEST_VECTOR + q->number));

    race_check(rc == 0 || rc == VTDPI_ECLOSED);
    c->refused += rc != 0;
}

static void irq_host(struct changer *c, struct irq *q)
{
    const uint8_t vector =
        (uint8_t)(HOST_VECTOR + q->number + 16 * race_below(&c->rng, 4));
    const struct vtdpi_irte_remapped form = fields_remapped(vector);
    const bool none = race_one_in(&c->rng, 4);

    race_check(vtdpi_irq_set_host(&q->lib, none ? NULL : &form) == 0);
    q->host = none ? 0 : vector;
    q->taken_by = NULL;
}

/* The host takes the interrupt through a descriptor as well. */
static void irq_host_posted(struct changer *c, struct irq *q)
{
    struct vcpu *v = &c->race->vcpu[race_below(&c->rng, VCPUS)];
    const int rc =
        vtdpi_irq_set_host_posted(&q->lib, vtdpi_vcpu_target(&v->lib),
                                  (uint8_t)(GUEST_VECTOR + q->number));

    race_check(rc == 0 || rc == VTDPI_ECLOSED);
    c->refused += rc != 0;
    if (rc != 0)
        return;
    q->host = 0;
    q->taken_by = &v->lib;
}

/* Affinity code may hold the interrupt. Where it goes is not known here. */
static void change_shared(struct changer *c)
{
    struct vcpu *v = &c->race->vcpu[race_below(&c->rng, VCPUS)];
    const bool post = race_one_in(&c->rng, 2);
    const int rc = post ? vtdpi_irq_post(&c->shared.lib, &v->lib, GUEST_VECTOR)
                        : vtdpi_irq_unpost(&c->shared.lib);

    race_check(rc == 0 || rc == VTDPI_EINFLIGHT ||
               (post && rc == VTDPI_ECLOSED));
}

static void change(struct changer *c)
{
    struct irq *q = &c->irq[race_below(&c->rng, IRQS)];

    switch (race_below(&c->rng, 16)) {
    case 0:
        irq_end(c, q);
        irq_begin(c, q);
        break;
    case 1:
        irq_host(c, q);
        break;
    case 2:
        irq_host_posted(c, q);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        race_check(vtdpi_irq_unpost(&q->lib) == 0);
        break;
    default:
        irq_post(c, q);
        break;
    }
    if (race_one_in(&c->rng, 2))
        check_delivery(c, q);
    if (race_one_in(&c->rng, 4))
        race_yield();
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

    for (uint32_t i = 0; i < IRQS; i++) {
        c->irq[i].number = c->number * IRQS + i;
        irq_begin(c, &c->irq[i]);
    }
    /* The owner must have had its share, however threads are scheduled. */
    for (uint64_t i = 0;
         i < c->race->ops ||
         vtdpi_atomic_load64(&c->race->owned) < c->race->ops / 8;
         i++) {
        change(c);
        if (race_one_in(&c->rng, 4))
            change_shared(c);
        c->changes++;
    }
    for (uint32_t i = 0; i < IRQS; i++)
        irq_end(c, &c->irq[i]);
    changer_done(c->race);
}

/* Affinity code. */

static int affinity_set(struct affinity *a, struct vtdpi_irq *irq)
{
    struct vcpu *v = &a->race->vcpu[race_below(&a->rng, VCPUS)];
    const struct vtdpi_irte_remapped form = fields_remapped(HOST_VECTOR);

    switch (race_below(&a->rng, 4)) {
    case 0:
        return vtdpi_irq_set_host(irq, &form);
    case 1:
        return vtdpi_irq_set_host(irq, NULL);
    default:
        return vtdpi_irq_set_host_posted(irq, vtdpi_vcpu_target(&v->lib),
                                         GUEST_VECTOR + 1);
    }
}

static void affinity_main(void *arg)
{
    struct affinity *a = arg;

    while (vtdpi_atomic_load64(&a->race->changing) != 0) {
        struct changer *c = &a->changers[race_below(&a->rng, CHANGERS)];
        const int rc = affinity_set(a, &c->shared.lib);

        race_check(rc == 0 || rc == VTDPI_IRQ_DEFERRED || rc == VTDPI_ECLOSED);
        a->set++;
        a->deferred += rc == VTDPI_IRQ_DEFERRED;
        if (race_one_in(&a->rng, 2))
            race_yield();
    }
}

/* Devices. */

static void device_main(void *arg)
{
    struct device *d = arg;

    while (vtdpi_atomic_load64(&d->race->changing) != 0) {
        const uint32_t index = race_below(&d->rng, CHANGERS * (IRQS + 1) + 2);
        const struct vtdpi_model_result r =
            machine_send(d->race->rig, race_below(&d->rng, UNITS), index);

        race_check(r.outcome == VTDPI_MODEL_POSTED ||
                   r.outcome == VTDPI_MODEL_IN_FLIGHT ||
                   r.outcome == VTDPI_MODEL_REMAPPED ||
                   (r.outcome == VTDPI_MODEL_BLOCKED &&
                    r.reason == VTDPI_FR_NOT_PRESENT));
        d->raised++;
        if (race_one_in(&d->rng, 2))
            race_yield();
    }
}

/* The owner of all vCPUs. */

static void attach(struct owner *o, struct vcpu *v)
{
    struct machine *r = o->race->rig;

    do
        v->slot = race_below(&o->rng, VCPUS + 2);
    while ((o->slots_used & (UINT64_C(1) << v->slot)) != 0);
    o->slots_used |= UINT64_C(1) << v->slot;
    rig_check_poison(&r->pids[v->slot]);
    race_check(vtdpi_vcpu_attach(&r->sched, &v->lib, v->slot, v) == 0);
    vtdpi_vcpu_run(&v->lib, &r->pcpu);
}

/* With no reference left nothing is posted any more, not even what was in
 * flight when the last entry was changed. */
static bool detach(struct owner *o, struct vcpu *v)
{
    struct vtdpi_pid *pid = &o->race->rig->pids[v->slot];
    const int rc = vtdpi_vcpu_detach_begin(&v->lib);

    if (rc == VTDPI_EBUSY) {
        o->busy++;
        return false;
    }
    race_check(rc == 0);
    o->harvested += rig_harvest(pid);
    while (!vtdpi_vcpu_detach_poll(&v->lib))
        race_yield();
    rig_poison(pid);
    o->slots_used &= ~(UINT64_C(1) << v->slot);
    o->detached++;
    return true;
}

static void own(struct owner *o)
{
    struct vcpu *v = &o->race->vcpu[race_below(&o->rng, VCPUS)];
    struct vtdpi_model *m = &o->race->rig->model[race_below(&o->rng, UNITS)];

    if (!vtdpi_vcpu_attached(&v->lib)) {
        attach(o, v);
        return;
    }
    switch (race_below(&o->rng, 8)) {
    case 0:
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_POST_LATE, 0);
        break;
    case 1:
        if (race_one_in(&o->rng, 4))
            vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_POST_LATE);
        break;
    case 2:
        vtdpi_vcpu_preempt(&v->lib);
        /* Invalidations take effect, and are reported, later. */
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_STATUS_LATE,
                              race_below(&o->rng, 8));
        break;
    case 3:
        vtdpi_vcpu_run(&v->lib, &o->race->rig->pcpu);
        o->harvested += rig_harvest(vtdpi_vcpu_pid(&v->lib));
        break;
    case 4:
        o->harvested += rig_harvest(vtdpi_vcpu_pid(&v->lib));
        break;
    default:
        (void)detach(o, v);
        break;
    }
    race_yield();
}

static void owner_main(void *arg)
{
    struct owner *o = arg;

    for (uint64_t n = 1; vtdpi_atomic_load64(&o->race->changing) != 0; n++) {
        own(o);
        (void)vtdpi_atomic_xchg64(&o->race->owned, n);
    }
}

/* After all threads but main have ended. */
static void account(struct race *r, struct owner *o, uint64_t *posted)
{
    uint64_t merged = 0, raised = 0;

    *posted = 0;
    for (uint32_t u = 0; u < UNITS; u++) {
        struct vtdpi_model_counters c;

        (void)vtdpi_model_drain(&r->rig->model[u]);
        vtdpi_model_get_counters(&r->rig->model[u], &c);
        *posted += c.posted;
        merged += c.merged;
        raised += c.raised;
        if (c.pid_faults != 0)
            race_fail("%" PRIu64 " posts to PIDs of nobody", c.pid_faults);
    }
    race_check(raised == *posted);
    for (uint32_t i = 0; i < VCPUS; i++) {
        struct vcpu *v = &r->vcpu[i];

        if (!vtdpi_vcpu_attached(&v->lib))
            continue;
        race_check(vtdpi_vcpu_refs(&v->lib) == 0);
        race_check(detach(o, v));
    }
    for (uint32_t i = 0; i < VCPUS + 2; i++)
        rig_check_poison(&r->rig->pids[i]);
    if (*posted - merged != o->harvested)
        race_fail("%" PRIu64 " posted and not merged, %" PRIu64 " delivered",
                  *posted - merged, o->harvested);
}

static void owner_begin(struct race *r, struct owner *o)
{
    o->race = r;
    o->rng = race_rng(r->seed, 1);
    for (uint32_t i = 0; i < SLOTS; i++)
        rig_poison(&r->rig->pids[i]);
    for (uint32_t i = 0; i < VCPUS; i++)
        attach(o, &r->vcpu[i]);
}

static void play(const struct race_options *opt)
{
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));
    struct changer *c = race_memory(CHANGERS * sizeof(*c));
    struct device *d = race_memory(DEVICES * sizeof(*d));
    struct owner *o = race_memory(sizeof(*o));
    struct affinity *a = race_memory(sizeof(*a));
    uint64_t posted;

    r->rig = rig_new(opt->seed);
    r->ops = opt->ops;
    r->seed = opt->seed;
    r->changing = CHANGERS;
    owner_begin(r, o);
    race_start(threads, owner_main, o);
    for (uint32_t i = 0; i < CHANGERS; i++) {
        c[i].race = r;
        c[i].number = i;
        c[i].rng = race_rng(opt->seed, 10 + i);
        irq_begin(&c[i], &c[i].shared);
    }
    for (uint32_t i = 0; i < CHANGERS; i++)
        race_start(threads, changer_main, &c[i]);
    a->race = r;
    a->changers = c;
    a->rng = race_rng(opt->seed, 30);
    race_start(threads, affinity_main, a);
    for (uint32_t i = 0; i < DEVICES; i++) {
        d[i].race = r;
        d[i].rng = race_rng(opt->seed, 20 + i);
        race_start(threads, device_main, &d[i]);
    }
    race_join(threads);
    for (uint32_t i = 0; i < CHANGERS; i++)
        irq_end(&c[i], &c[i].shared);
    account(r, o, &posted);
    rig_end(r->rig);
    printf("changes %" PRIu64 " (%" PRIu64 " refused: detaching), raised by "
           "devices %" PRIu64 ", posted %" PRIu64 ", delivered %" PRIu64
           ", detached %" PRIu64 " (%" PRIu64 " busy), host forms %" PRIu64
           " (%" PRIu64 " deferred); lost: 0\n",
           c[0].changes + c[1].changes + c[2].changes,
           c[0].refused + c[1].refused + c[2].refused,
           d[0].raised + d[1].raised, posted, o->harvested, o->detached,
           o->busy, a->set, a->deferred);
    race_check(opt->ops < 1000 || (o->detached > 0 && o->busy > 0));
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 40000, play);
}
