/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bind.h on two tables of one modelled unit each, of which one unit dies while the
 * threads run. Two threads are CPUs of a guest that rewrites its messages in a loop,
 * while its vCPUs change their APIC ids, go and come back. Each decides under the lock
 * of the VM and applies without that lock. Devices raise behind both units.
 *
 * Every CPU counts its own callbacks. An apply for messages behind the healthy unit
 * only makes none to the dead unit, whatever the other CPU has in flight. No apply
 * waits for more than one deadline, and all together wait no more often than the
 * dead unit's clock has had deadlines. Interrupts behind the healthy unit are
 * delivered as decided at any time; those behind the dead unit, once that works again.
 * A PID without an owner is poisoned, as in race_bind.c.
 */
#include "machine_vm.h"
#include "rig.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    HEALTHY = 0, /* the number of the unit, and of its table */
    DEAD = 1,
    IRQS = 8, /* interrupt i is behind unit i % UNITS */
    CPUS = 2,
    HOST_VECTOR = 0x51,
    GUEST_VECTOR = 0x61,
    CLOCK_STEP = 1000,
    DEADLINE = VTDPI_QI_TIMEOUT_US / CLOCK_STEP, /* calls of now_us */
    /* Of an apply that does not wait: three batches, see test_bind_dead.c. */
    QUICK_CLOCK = 9,
    /* An apply that calls now_us so often has waited. */
    WAIT_CLOCK = DEADLINE / 2,
    ROUND_OF_RING = 32, /* applies; a ring that has gone round is asked */
};

/* Register accesses, locks and looks at the clock of the calling thread. */
struct calls {
    uint64_t all;
    uint64_t clock;
};

static _Thread_local struct calls calls[UNITS];
static const struct vtdpi_model *first_model;

struct race {
    struct machine *m;
    uint64_t lock; /* the decide lock */
    struct vtdpi_vm vm;
    struct machine_vm vm_memory;
    struct vtdpi_binding b[IRQS];
    struct vtdpi_irq irq[IRQS];
    enum vtdpi_model_fault fault;
    uint64_t ops;
    uint64_t running; /* CPUs that are at work, a bit each */
};

struct cpu {
    struct race *race;
    struct race_rng rng;
    uint32_t number;
    uint64_t applies; /* that the dead unit has had to do with */
    uint64_t waits;
    uint64_t told;    /* errors of the dead unit */
    uint64_t checked; /* deliveries behind the healthy unit */
    uint64_t posted;
    uint64_t gone; /* vCPUs that were detached, and that could not be */
    uint64_t busy;
};

struct device {
    struct race *race;
    struct race_rng rng;
    uint64_t raised;
};

static void lock(struct race *r)
{
    uint64_t free = 0;

    while (!vtdpi_atomic_cas64(&r->lock, &free, 1)) {
        free = 0;
        race_yield();
    }
}

static void unlock(struct race *r)
{
    (void)vtdpi_atomic_xchg64(&r->lock, 0);
}

/*
 * Counting.
 */

static struct calls *calls_of(const void *ctx)
{
    return &calls[(const struct vtdpi_model *)ctx - first_model];
}

static uint32_t counting_read32(void *ctx, uint32_t off)
{
    calls_of(ctx)->all++;
    return vtdpi_model_platform_ops.read32(ctx, off);
}

static uint64_t counting_read64(void *ctx, uint32_t off)
{
    calls_of(ctx)->all++;
    return vtdpi_model_platform_ops.read64(ctx, off);
}

static void counting_write32(void *ctx, uint32_t off, uint32_t value)
{
    calls_of(ctx)->all++;
    vtdpi_model_platform_ops.write32(ctx, off, value);
}

static void counting_write64(void *ctx, uint32_t off, uint64_t value)
{
    calls_of(ctx)->all++;
    vtdpi_model_platform_ops.write64(ctx, off, value);
}

static uintptr_t counting_lock(void *ctx)
{
    calls_of(ctx)->all++;
    return vtdpi_model_platform_ops.lock(ctx);
}

static uint64_t counting_now_us(void *ctx)
{
    calls_of(ctx)->all++;
    calls_of(ctx)->clock++;
    return vtdpi_model_platform_ops.now_us(ctx);
}

/* One apply, whose callbacks are bounded. */
static void apply_counted(struct cpu *c, struct vtdpi_vm_work *work,
                          bool healthy_only)
{
    struct calls before[UNITS];
    uint64_t clock;

    for (uint32_t u = 0; u < UNITS; u++)
        before[u] = calls[u];
    vtdpi_vm_apply(work);
    race_check(calls[HEALTHY].clock - before[HEALTHY].clock <= QUICK_CLOCK);
    if (healthy_only)
        race_check(calls[DEAD].all == before[DEAD].all);
    clock = calls[DEAD].clock - before[DEAD].clock;
    race_check(clock <= DEADLINE + QUICK_CLOCK);
    c->applies += calls[DEAD].all != before[DEAD].all;
    c->waits += clock >= WAIT_CLOCK;
}

/* The whole of a trap whose change was recorded; leaves the lock. */
static int trap(struct cpu *c, struct vtdpi_binding *const *b, uint32_t count,
                bool healthy_only)
{
    struct race *r = c->race;
    struct vtdpi_vm_work work;
    int rc = vtdpi_vm_begin(&r->vm, &work, b, count);

    unlock(r);
    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) {
        if (rc > 0)
            apply_counted(c, &work, healthy_only);
        else
            race_yield();
        lock(r);
        rc = rc > 0 ? vtdpi_vm_end(&r->vm, &work)
                    : vtdpi_vm_begin_again(&r->vm, &work);
        unlock(r);
    }
    race_check(rc == 0 || rc == VTDPI_EIO || rc == VTDPI_ETIMEDOUT ||
               rc == VTDPI_EQFULL);
    c->told += rc != 0;
    return rc;
}

/*
 * The guest.
 */

/* Nothing can change where the interrupt goes, as long as the lock is held and no
 * work has the binding. */
static void check_arrives_locked(struct cpu *c, unsigned int i)
{
    struct race *r = c->race;
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);
    const struct vtdpi_model_result res =
        machine_send(r->m, i % UNITS, vtdpi_irq_index(&r->irq[i]));

    c->checked++;
    if (d.kind != VTDPI_ROUTE_POST) {
        race_check(res.outcome == VTDPI_MODEL_REMAPPED);
        race_check(res.vector == HOST_VECTOR + i);
        return;
    }
    c->posted++;
    race_check(res.outcome == VTDPI_MODEL_POSTED);
    race_check(res.pda == vtdpi_vcpu_pda(&r->m->vcpu[d.vcpu]));
    race_check(res.vector == d.vector);
}

static void check_healthy(struct cpu *c, unsigned int i)
{
    struct race *r = c->race;

    lock(r);
    if (!vtdpi_binding_is_pending(&r->b[i])) {
        race_check(vtdpi_binding_error(&r->b[i]) == 0);
        check_arrives_locked(c, i);
    }
    unlock(r);
}

static void check_all_healthy(struct cpu *c)
{
    for (unsigned int i = HEALTHY; i < IRQS; i += UNITS)
        check_healthy(c, i);
}

/* Both CPUs rewrite every message. */
static int rewrite(struct cpu *c, unsigned int i)
{
    struct race *r = c->race;
    struct vtdpi_binding *const b = &r->b[i];
    const struct vtdpi_msi msi = {
        UINT32_C(0xfee00000) | race_below(&c->rng, MACHINE_VCPUS + 1) << 12, 0,
        GUEST_VECTOR + race_below(&c->rng, 4)};

    lock(r);
    race_check(vtdpi_binding_set_message(b, &msi) == 0);
    return trap(c, &b, 1, i % UNITS == HEALTHY);
}

static void rewrite_any(struct cpu *c)
{
    const unsigned int i = race_below(&c->rng, IRQS);
    const int rc = rewrite(c, i);

    if (i % UNITS != HEALTHY)
        return;
    race_check(rc == 0);
    check_healthy(c, i);
}

static void move(struct cpu *c, uint32_t vcpu, uint32_t id)
{
    struct race *r = c->race;
    const struct vtdpi_guest_apic apic = {
        .id = id,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    lock(r);
    race_check(vtdpi_vm_set_apic(&r->vm, vcpu, &apic) == 0);
    if (race_one_in(&c->rng, 2)) {
        /* A begin that names other messages must not take what is due now. */
        unlock(r);
        race_yield();
        lock(r);
    }
    (void)trap(c, NULL, 0, false);
}

static void attach(struct cpu *c, uint32_t vcpu)
{
    struct race *r = c->race;

    lock(r);
    race_check(vtdpi_vm_attach(&r->vm, vcpu, &r->m->vcpu[vcpu]) == 0);
    (void)trap(c, NULL, 0, false);
}

/* An entry behind the dead unit may still name the vCPU, which stays then. */
static void go_and_come_back(struct cpu *c, uint32_t vcpu)
{
    struct race *r = c->race;
    struct vtdpi_vcpu *v = &r->m->vcpu[vcpu];
    int rc;

    lock(r);
    race_check(vtdpi_vm_detach(&r->vm, vcpu) == 0);
    (void)trap(c, NULL, 0, false);
    rc = vtdpi_vcpu_detach(v);
    race_check(rc == 0 || rc == VTDPI_EBUSY);
    c->busy += rc != 0;
    if (rc == 0) {
        rig_poison(&r->m->pids[vcpu]);
        check_all_healthy(c);
        rig_check_poison(&r->m->pids[vcpu]);
        c->gone++;
        race_check(vtdpi_vcpu_attach(&r->m->sched, v, vcpu, v) == 0);
    }
    attach(c, vcpu);
}

static void die(struct race *r)
{
    if (r->fault == VTDPI_MODEL_FAULT_ALL_ONES)
        vtdpi_model_vanish(&r->m->model[DEAD]);
    else
        vtdpi_model_set_fault(&r->m->model[DEAD], r->fault, 0);
}

static void cpu_main(void *arg)
{
    struct cpu *c = arg;
    struct race *r = c->race;

    for (uint64_t i = 0; i < r->ops; i++) {
        const uint32_t v = race_below(&c->rng, MACHINE_VCPUS);

        if (c->number == 0 && i == r->ops / 4)
            die(r);
        switch (race_below(&c->rng, 8)) {
        case 0:
            move(c, v, race_below(&c->rng, MACHINE_VCPUS + 1));
            check_all_healthy(c);
            break;
        case 1:
            if (v % CPUS == c->number)
                go_and_come_back(c, v);
            break;
        default:
            rewrite_any(c);
            break;
        }
    }
    (void)vtdpi_atomic_and64(&r->running, ~(UINT64_C(1) << c->number));
}

static void device_main(void *arg)
{
    struct device *d = arg;
    struct race *r = d->race;

    while (vtdpi_atomic_load64(&r->running) != 0) {
        const uint32_t i = race_below(&d->rng, IRQS);

        (void)machine_send(r->m, i % UNITS, vtdpi_irq_index(&r->irq[i]));
        d->raised++;
        race_yield();
    }
}

/*
 * Before and after.
 */

static void relax(void *ctx)
{
    (void)ctx;
    race_yield();
}

static struct machine *power_up(uint64_t seed)
{
    struct machine_params params = {
        .units = UNITS,
        .entries = UNITS * ENTRIES,
        .submitters = 4,
        .vcpus = MACHINE_VCPUS,
        .clock_step = CLOCK_STEP,
    };
    struct machine *m;

    for (uint32_t u = 0; u < UNITS; u++)
        params.model[u] = (struct vtdpi_model_params){
            .cap = MACHINE_CAP,
            .ecap = u == 0 ? MACHINE_ECAP : MACHINE_ECAP2,
            .relax = relax,
            .seed = seed + u,
            .concurrent = true,
        };
    m = machine_power_up(&params);
    first_model = m->model;
    m->ops.read32 = counting_read32;
    m->ops.read64 = counting_read64;
    m->ops.write32 = counting_write32;
    m->ops.write64 = counting_write64;
    m->ops.lock = counting_lock;
    m->ops.now_us = counting_now_us;
    machine_own_tables(m);
    return m;
}

static void irq_up(struct cpu *c, unsigned int i)
{
    const struct vtdpi_source source = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    const struct vtdpi_irte_remapped host =
        fields_remapped((uint8_t)(HOST_VECTOR + i));
    struct race *r = c->race;
    struct vtdpi_table *table = &r->m->own[i % UNITS];
    uint32_t index;

    race_check(vtdpi_table_alloc(table, 1, NULL, &index) == 0);
    race_check(vtdpi_irq_init(&r->irq[i], vtdpi_table_backend(table), index,
                              &source, NULL) == 0);
    race_check(vtdpi_irq_set_host(&r->irq[i], &host) == 0);
    race_check(vtdpi_vm_bind(&r->vm, &r->b[i], &r->irq[i], true) == 0);
    race_check(rewrite(c, i) == 0);
}

static void begin(struct race *r, struct cpu *c)
{
    race_check(machine_vm_init(&r->vm, &r->vm_memory) == 0);
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++) {
        attach(c, v);
        move(c, v, v);
    }
    for (unsigned int i = 0; i < IRQS; i++)
        irq_up(c, i);
}

/* The unit works again, and nothing is left of its death. */
static void heal(struct race *r, struct cpu *c)
{
    struct vtdpi_model *model = &r->m->model[DEAD];
    struct vtdpi_vm_stats stats;

    if (r->fault == VTDPI_MODEL_FAULT_ALL_ONES)
        vtdpi_model_return_kept(model);
    else
        vtdpi_model_clear_fault(model, r->fault);
    vtdpi_model_advance_clock(model, VTDPI_QI_TIMEOUT_US);
    lock(r);
    vtdpi_vm_retry(&r->vm);
    race_check(trap(c, NULL, 0, false) == 0);
    vtdpi_vm_get_stats(&r->vm, &stats);
    race_check(stats.failed == 0 && stats.due == 0);
    lock(r);
    for (unsigned int i = 0; i < IRQS; i++) {
        race_check(!vtdpi_irq_is_dirty(&r->irq[i]));
        check_arrives_locked(c, i);
    }
    unlock(r);
}

static void end(struct race *r, struct cpu *c)
{
    for (unsigned int i = 0; i < IRQS; i++) {
        lock(r);
        race_check(vtdpi_vm_unbind(&r->b[i]) == 0);
        race_check(trap(c, NULL, 0, false) == 0);
        race_check(vtdpi_vm_unbind_end(&r->b[i]) == 0);
        race_check(vtdpi_irq_teardown(&r->irq[i]) == 0);
    }
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++) {
        lock(r);
        race_check(vtdpi_vm_detach(&r->vm, v) == 0);
        race_check(trap(c, NULL, 0, false) == 0);
        race_check(vtdpi_vcpu_detach(&r->m->vcpu[v]) == 0);
    }
    rig_end(r->m);
}

/* A queue that stands still is waited for once by each CPU that was at work when the
 * unit died. One that moves without an answer is asked again after each deadline
 * of its clock, and when its ring has gone round. */
static uint64_t waits_max(struct race *r, uint64_t applies)
{
    uint64_t deadlines = 0;

    if (r->fault == VTDPI_MODEL_FAULT_STATUS_NEVER)
        deadlines = vtdpi_model_platform_ops.now_us(&r->m->model[DEAD]) /
                        VTDPI_QI_TIMEOUT_US +
                    applies / ROUND_OF_RING;
    return CPUS * (1 + deadlines);
}

static void play(const struct race_options *opt)
{
    static const enum vtdpi_model_fault faults[] = {
        VTDPI_MODEL_FAULT_ALL_ONES,
        VTDPI_MODEL_FAULT_QUEUE_STUCK,
        VTDPI_MODEL_FAULT_STATUS_NEVER,
    };
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));
    struct cpu *c = race_memory(CPUS * sizeof(*c));
    struct device *d = race_memory(sizeof(*d));

    r->m = power_up(opt->seed);
    r->ops = opt->ops;
    r->fault = faults[opt->seed % 3];
    r->running = (1u << CPUS) - 1;
    for (uint32_t i = 0; i < CPUS; i++) {
        c[i].race = r;
        c[i].number = i;
        c[i].rng = race_rng(opt->seed, 20 + i);
    }
    begin(r, c);
    for (uint32_t i = 0; i < CPUS; i++)
        race_start(threads, cpu_main, &c[i]);
    d->race = r;
    d->rng = race_rng(opt->seed, 10);
    race_start(threads, device_main, d);
    race_join(threads);
    race_check(c[0].waits + c[1].waits <=
               waits_max(r, c[0].applies + c[1].applies));
    heal(r, c);
    end(r, c);
    printf("fault %d, raised %" PRIu64 ", checked %" PRIu64 " (%" PRIu64
           " posted), applies to the dead unit %" PRIu64 ", waits %" PRIu64
           ", errors %" PRIu64 ", vCPUs gone %" PRIu64 ", busy %" PRIu64 "\n",
           (int)r->fault, d->raised, c[0].checked + c[1].checked,
           c[0].posted + c[1].posted, c[0].applies + c[1].applies,
           c[0].waits + c[1].waits, c[0].told + c[1].told,
           c[0].gone + c[1].gone, c[0].busy + c[1].busy);
    race_check(opt->ops < 1000 ||
               (c[0].told > 0 && c[1].posted > 0 && c[0].gone + c[1].gone > 0));
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 6000, play);
}
