/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bind.h over table.h on two modelled units. Two threads are CPUs of one VM: the
 * guest's messages, masks and APICs change, vCPUs are unplugged and come back.
 * Each decides under the lock of the VM and applies without that lock, so works
 * of both run side by side, and each marks what the other has in flight. Devices
 * raise whatever there is, and take what is not posted to the guest by software,
 * as a host's handler does: under the lock, which no work takes. The owner runs,
 * preempts and harvests the vCPUs. Affinity code changes host forms at any time,
 * with no lock in common with the others.
 *
 * A binding that is not pending is delivered by every unit as decided. A PID that
 * belongs to nobody is poisoned: a unit that posts to it faults, and the poison
 * shows the damage.
 */
#include "rig.h"
#include "vtdpi/bind.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    IRQS = 12,
    DEVICES = 2,
    VCPUS = 6,
    BUCKETS = 4,
    CPUS = 2, /* each changes its share of the messages and plugs its vCPUs */
    HOST_VECTOR = 0x90,
    OTHER_VECTOR = 0x20, /* above that one: the other host form */
};

struct vcpu {
    struct vtdpi_vcpu lib;
    uint64_t lock; /* of the owner, or of the thread that unplugs it */
};

struct race {
    struct machine *rig;
    struct vcpu vcpu[VCPUS];
    uint64_t lock; /* the decide lock, which deliveries take, too */
    struct vtdpi_vm vm;
    struct vtdpi_guest_apic apics[VCPUS];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VCPUS)];
    struct vtdpi_vcpu *vcpus[VCPUS];
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(BUCKETS)];
    struct vtdpi_binding b[IRQS];
    struct vtdpi_irq irq[IRQS];
    struct vtdpi_msi msi[IRQS]; /* by the lock, too */
    uint64_t ops;
    uint64_t seed;
    uint64_t running; /* CPUs of the VM that are at work, a bit each */
    uint64_t owned;   /* what the owner has done */
};

struct vm_thread {
    struct race *race;
    struct race_rng rng;
    uint32_t cpu;
    uint64_t checked;
    uint64_t waited; /* for a work of the other CPU */
    uint64_t harvested;
    uint64_t unplugged;
    uint64_t posted; /* times that a decision was to post */
};

struct device {
    struct race *race;
    struct race_rng rng;
    uint64_t raised;
    uint64_t by_software; /* posts */
    uint64_t injected;
};

/* The host's affinity code. */
struct affinity {
    struct race *race;
    struct race_rng rng;
    uint8_t vector[IRQS]; /* of the latest host form */
    uint64_t set;
    uint64_t deferred;
};

struct owner {
    struct race *race;
    struct race_rng rng;
    uint64_t harvested;
};

static void lock(uint64_t *word)
{
    uint64_t free = 0;

    while (!vtdpi_atomic_cas64(word, &free, 1)) {
        free = 0;
        race_yield();
    }
}

static void unlock(uint64_t *word)
{
    (void)vtdpi_atomic_xchg64(word, 0);
}

static uint64_t harvest(const struct vcpu *v)
{
    return rig_harvest(vtdpi_vcpu_pid(&v->lib));
}

/* The VM. */

static struct vtdpi_pid *pid_of(const struct race *r, uint32_t vcpu)
{
    return &r->rig->pids[vcpu];
}

/* Where the interrupt goes, as the device behind each unit sees it. Nothing can
 * change that, as long as the lock is held and no work has the binding. */
static void check_delivery_locked(struct vm_thread *t, unsigned int i)
{
    struct race *r = t->race;
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);

    t->checked++;
    t->posted += d.kind == VTDPI_ROUTE_POST;
    for (uint32_t u = 0; u < UNITS; u++) {
        const struct vtdpi_model_result res =
            machine_send(r->rig, u, vtdpi_irq_index(&r->irq[i]));

        if (d.kind == VTDPI_ROUTE_POST) {
            race_check(res.outcome == VTDPI_MODEL_POSTED ||
                       res.outcome == VTDPI_MODEL_IN_FLIGHT);
            race_check(res.pda == vtdpi_vcpu_pda(&r->vcpu[d.vcpu].lib));
            race_check(res.vector == d.vector);
        } else {
            race_check(res.outcome == VTDPI_MODEL_REMAPPED);
            race_check(res.vector % OTHER_VECTOR ==
                       (HOST_VECTOR + i) % OTHER_VECTOR);
        }
    }
}

static void check_delivery(struct vm_thread *t, unsigned int i)
{
    struct race *r = t->race;

    lock(&r->lock);
    if (!vtdpi_binding_is_pending(&r->b[i]))
        check_delivery_locked(t, i);
    unlock(&r->lock);
}

/* A change was made under the lock: bring it into force. */
static void apply(struct vm_thread *t, struct vtdpi_binding *const *b,
                  uint32_t count)
{
    struct race *r = t->race;
    struct vtdpi_vm_work work;
    int rc = vtdpi_vm_begin(&r->vm, &work, b, count);

    unlock(&r->lock);
    while (rc != 0) {
        if (rc > 0) {
            vtdpi_vm_apply(&work);
            lock(&r->lock);
            rc = vtdpi_vm_end(&r->vm, &work);
        } else {
            race_check(rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE);
            t->waited++;
            race_yield();
            lock(&r->lock);
            rc = vtdpi_vm_begin_again(&r->vm, &work);
        }
        unlock(&r->lock);
    }
}

static void reprogram(struct vm_thread *t)
{
    struct race *r = t->race;
    const uint32_t i = race_below(&t->rng, IRQS / CPUS) * CPUS + t->cpu;
    struct vtdpi_binding *const b = &r->b[i];
    struct vtdpi_msi msi = {UINT32_C(0xfee00000) |
                                race_below(&t->rng, VCPUS + 1) << 12,
                            0, 0x20 + race_below(&t->rng, 0xe0)};

    if (race_one_in(&t->rng, 4)) { /* one of several */
        msi.address_lo |= 4;
        msi.data |= 0x100;
    }
    if (race_one_in(&t->rng, 10))
        msi.address_lo |= UINT32_C(0xff) << 12;
    lock(&r->lock);
    if (race_one_in(&t->rng, 2))
        vtdpi_binding_mask(b);
    r->msi[i] = msi;
    race_check(vtdpi_binding_set_message(b, &msi) == 0);
    race_check(vtdpi_binding_unmask(b) == 0);
    apply(t, &b, 1);
    check_delivery(t, i);
}

static void change_apic(struct vm_thread *t)
{
    struct race *r = t->race;
    const struct vtdpi_guest_apic apic = {
        .id = race_below(&t->rng, VCPUS + 2),
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = !race_one_in(&t->rng, 8),
    };

    lock(&r->lock);
    race_check(vtdpi_vm_set_apic(&r->vm, race_below(&t->rng, VCPUS), &apic) ==
               0);
    apply(t, NULL, 0);
    for (unsigned int i = 0; i < IRQS; i++)
        check_delivery(t, i);
}

/* With no entry left nothing is posted any more, not even what was in flight
 * when the entries were changed; nor by software, since the lock was taken. */
static void unplug(struct vm_thread *t, uint32_t vcpu)
{
    struct race *r = t->race;
    struct vcpu *v = &r->vcpu[vcpu];

    lock(&r->lock);
    race_check(vtdpi_vm_detach(&r->vm, vcpu) == 0);
    apply(t, NULL, 0);
    t->harvested += harvest(v);
    race_check(vtdpi_vcpu_detach(&v->lib) == 0);
    rig_poison(pid_of(r, vcpu));
    t->unplugged++;
}

static void plug(struct vm_thread *t, uint32_t vcpu)
{
    struct race *r = t->race;
    struct vcpu *v = &r->vcpu[vcpu];

    rig_check_poison(pid_of(r, vcpu));
    race_check(vtdpi_vcpu_attach(&r->rig->sched, &v->lib, vcpu, v) == 0);
    lock(&r->lock);
    race_check(vtdpi_vm_attach(&r->vm, vcpu, &v->lib) == 0);
    apply(t, NULL, 0);
}

static void turn(struct vm_thread *t)
{
    const uint32_t v = race_below(&t->rng, VCPUS / CPUS) * CPUS + t->cpu;

    lock(&t->race->vcpu[v].lock);
    if (vtdpi_vcpu_attached(&t->race->vcpu[v].lib))
        unplug(t, v);
    else
        plug(t, v);
    unlock(&t->race->vcpu[v].lock);
}

static void switch_posting(struct vm_thread *t)
{
    struct race *r = t->race;

    for (int on = 0; on < 2; on++) {
        lock(&r->lock);
        race_check(vtdpi_vm_set_posting(&r->vm, on != 0) == 0);
        apply(t, NULL, 0);
        for (unsigned int i = 0; i < IRQS; i++)
            check_delivery(t, i);
    }
}

static void vm_main(void *arg)
{
    struct vm_thread *t = arg;
    struct race *r = t->race;

    for (uint64_t i = 0;
         i < r->ops || vtdpi_atomic_load64(&r->owned) < r->ops / 8; i++) {
        /* The owner must have had its share. */
        if (i >= r->ops)
            race_yield();
        switch (race_below(&t->rng, 16)) {
        case 0:
            switch_posting(t);
            break;
        case 1:
        case 2:
        case 3:
            change_apic(t);
            break;
        case 4:
        case 5:
        case 6:
            turn(t);
            break;
        default:
            reprogram(t);
            break;
        }
    }
    (void)vtdpi_atomic_and64(&r->running, ~(UINT64_C(1) << t->cpu));
}

/* Devices. */

static void handle(struct device *d, uint32_t i)
{
    struct race *r = d->race;
    struct vtdpi_vm_delivery out;

    lock(&r->lock);
    race_check(vtdpi_vm_deliver(&r->vm, &r->msi[i], NULL, NULL, &out) == 0);
    unlock(&r->lock);
    d->by_software += out.posted;
    d->injected += out.injected;
}

static void device_main(void *arg)
{
    struct device *d = arg;
    struct race *r = d->race;

    while (vtdpi_atomic_load64(&r->running) != 0) {
        const uint32_t i = race_below(&d->rng, IRQS);
        const struct vtdpi_model_result res = machine_send(
            r->rig, race_below(&d->rng, UNITS), vtdpi_irq_index(&r->irq[i]));

        race_check(res.outcome == VTDPI_MODEL_POSTED ||
                   res.outcome == VTDPI_MODEL_IN_FLIGHT ||
                   res.outcome == VTDPI_MODEL_REMAPPED);
        d->raised++;
        if (res.outcome == VTDPI_MODEL_REMAPPED)
            handle(d, i);
        if (race_one_in(&d->rng, 2))
            race_yield();
    }
}

/* The owner of all vCPUs. */

static void own(struct owner *o)
{
    struct machine *rig = o->race->rig;
    struct vcpu *v = &o->race->vcpu[race_below(&o->rng, VCPUS)];
    struct vtdpi_model *m = &rig->model[race_below(&o->rng, UNITS)];

    lock(&v->lock);
    if (vtdpi_vcpu_attached(&v->lib)) {
        if (race_one_in(&o->rng, 2))
            vtdpi_vcpu_run(&v->lib, &rig->pcpu);
        o->harvested += harvest(v);
        if (race_one_in(&o->rng, 2))
            vtdpi_vcpu_preempt(&v->lib);
    }
    unlock(&v->lock);
    if (race_one_in(&o->rng, 8))
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    if (race_one_in(&o->rng, 16))
        vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_POST_LATE);
    if (race_one_in(&o->rng, 16))
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_STATUS_LATE,
                              race_below(&o->rng, 8));
    race_yield();
}

static void owner_main(void *arg)
{
    struct owner *o = arg;

    for (uint64_t n = 1; vtdpi_atomic_load64(&o->race->running) != 0; n++) {
        own(o);
        (void)vtdpi_atomic_xchg64(&o->race->owned, n);
    }
}

static void affinity_main(void *arg)
{
    struct affinity *a = arg;

    while (vtdpi_atomic_load64(&a->race->running) != 0) {
        const uint32_t i = race_below(&a->rng, IRQS);
        const uint8_t vector =
            (uint8_t)(HOST_VECTOR + i +
                      (race_one_in(&a->rng, 2) ? OTHER_VECTOR : 0));
        const struct vtdpi_irte_remapped host = fields_remapped(vector);
        const int rc = vtdpi_irq_set_host(&a->race->irq[i], &host);

        race_check(rc == 0 || rc == VTDPI_IRQ_DEFERRED);
        a->vector[i] = vector;
        a->set++;
        a->deferred += rc != 0;
        race_yield();
    }
}

/* Before, and after all threads but main have ended. */

static void begin(struct race *r, struct vm_thread *t)
{
    const struct vtdpi_source source = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    const struct vtdpi_vm_params params = {
        .apics = r->apics,
        .keys = r->keys,
        .vcpus = r->vcpus,
        .vcpu_count = VCPUS,
        .heads = r->heads,
        .buckets = BUCKETS,
        .posting = true,
    };

    race_check(vtdpi_vm_init(&r->vm, &params) == 0);
    for (uint32_t v = 0; v < VCPUS; v++) {
        const struct vtdpi_guest_apic apic = {
            .id = v,
            .mode = VTDPI_GUEST_X2APIC,
            .enabled = true,
        };

        rig_poison(pid_of(r, v));
        race_check(vtdpi_vm_set_apic(&r->vm, v, &apic) == 0);
        plug(t, v);
    }
    for (unsigned int i = 0; i < IRQS; i++) {
        const struct vtdpi_irte_remapped host =
            fields_remapped((uint8_t)(HOST_VECTOR + i));
        uint32_t index;

        race_check(vtdpi_table_alloc(&r->rig->table, 1, r, &index) == 0);
        race_check(vtdpi_irq_init(&r->irq[i],
                                  vtdpi_table_backend(&r->rig->table), index,
                                  &source, NULL) == 0);
        race_check(vtdpi_irq_set_host(&r->irq[i], &host) == 0);
        race_check(vtdpi_vm_bind(&r->vm, &r->b[i], &r->irq[i], true) == 0);
        r->msi[i] = (struct vtdpi_msi){0xfee00000, 0, 0x41};
        lock(&r->lock);
        race_check(vtdpi_binding_set_message(&r->b[i], &r->msi[i]) == 0);
        apply(t, NULL, 0);
    }
}

/* What units recorded was harvested; and nothing else but what was posted by
 * software, which may have merged. */
static void account(struct race *r, struct vm_thread *t, const struct owner *o,
                    const struct affinity *a, uint64_t by_software)
{
    uint64_t recorded = 0;
    uint64_t harvested;

    for (uint32_t v = 0; v < VCPUS; v++) {
        if (vtdpi_vcpu_attached(&r->vcpu[v].lib))
            unplug(t, v);
        rig_check_poison(pid_of(r, v));
    }
    for (uint32_t u = 0; u < UNITS; u++) {
        struct vtdpi_model_counters c;

        race_check(vtdpi_model_in_flight(&r->rig->model[u]) == 0);
        vtdpi_model_get_counters(&r->rig->model[u], &c);
        race_check(c.pid_faults == 0 && c.blocked == 0);
        recorded += c.posted - c.merged;
    }
    harvested = t[0].harvested + t[1].harvested + o->harvested;
    if (harvested < recorded || harvested > recorded + by_software)
        race_fail("%" PRIu64 " recorded, %" PRIu64 " posted by software, "
                  "%" PRIu64 " delivered",
                  recorded, by_software, harvested);
    for (unsigned int i = 0; i < IRQS; i++) {
        struct vtdpi_irte live;

        lock(&r->lock);
        race_check(vtdpi_vm_unbind(&r->b[i]) == 0);
        apply(t, NULL, 0);
        race_check(vtdpi_vm_unbind_end(&r->b[i]) == 0);
        /* Of several host forms the latest is in force. */
        live = vtdpi_irq_live(&r->irq[i]);
        race_check(a->vector[i] == 0 || (live.lo >> 16 & 0xff) == a->vector[i]);
        race_check(vtdpi_irq_teardown(&r->irq[i]) == 0);
    }
}

static void play(const struct race_options *opt)
{
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));
    struct vm_thread *t = race_memory(CPUS * sizeof(*t));
    struct device *d = race_memory(DEVICES * sizeof(*d));
    struct owner *o = race_memory(sizeof(*o));
    struct affinity *a = race_memory(sizeof(*a));

    r->rig = rig_new(opt->seed);
    r->ops = opt->ops;
    r->seed = opt->seed;
    r->running = (1u << CPUS) - 1;
    o->race = r;
    o->rng = race_rng(opt->seed, 2);
    for (uint32_t i = 0; i < CPUS; i++) {
        t[i].race = r;
        t[i].cpu = i;
        t[i].rng = race_rng(opt->seed, 20 + i);
    }
    begin(r, t);
    for (uint32_t i = 0; i < CPUS; i++)
        race_start(threads, vm_main, &t[i]);
    race_start(threads, owner_main, o);
    a->race = r;
    a->rng = race_rng(opt->seed, 3);
    race_start(threads, affinity_main, a);
    for (uint32_t i = 0; i < DEVICES; i++) {
        d[i].race = r;
        d[i].rng = race_rng(opt->seed, 10 + i);
        race_start(threads, device_main, &d[i]);
    }
    race_join(threads);
    account(r, t, o, a, d[0].by_software + d[1].by_software);
    rig_end(r->rig);
    printf("raised by devices %" PRIu64 ", by software %" PRIu64
           " posted and %" PRIu64 " injected, delivered %" PRIu64
           ", unplugged %" PRIu64 ", checked %" PRIu64 ", waited %" PRIu64
           ", host forms %" PRIu64 " (%" PRIu64 " deferred); lost: 0\n",
           d[0].raised + d[1].raised, d[0].by_software + d[1].by_software,
           d[0].injected + d[1].injected,
           t[0].harvested + t[1].harvested + o->harvested,
           t[0].unplugged + t[1].unplugged, t[0].checked + t[1].checked,
           t[0].waited + t[1].waited, a->set, a->deferred);
    race_check(opt->ops < 1000 ||
               (t[0].unplugged > 0 && t[0].posted > 0 && t[1].checked > 0));
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 8000, play);
}
