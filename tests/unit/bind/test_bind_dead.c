/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM with interrupts in two tables of one modelled unit each, of which one unit
 * dies. The platform's callbacks are counted: a guest that rewrites its messages
 * pays for the dead unit once. After that, what concerns only the healthy table
 * does not touch the dead unit and does not wait. When the unit is healed or given
 * up, everything gets to where it belongs.
 */
#include "test.h"

#include <string.h>

#include "apply.h"
#include "machine_fixture.h"
#include "machine_vm.h"
#include "random.h"

enum {
    HEALTHY = 0, /* the number of the unit, and of its table */
    DEAD = 1,
    PART = 256, /* entries of a table: one page */
    IRQS = 8,   /* interrupt i is in table i % UNITS */
    HOST_VECTOR = 0x51,
    GUEST_VECTOR = 0x61,
    NOBODY = 7, /* the id of no APIC */
    STEPS = 1500,
    CLOCK_STEP = 1000,
    DEADLINE = VTDPI_QI_TIMEOUT_US / CLOCK_STEP, /* calls of now_us */
    /* Of a change that does not wait: a batch that finds dirty entries, one that
     * flushes these, and one for the change. */
    QUICK_CLOCK = 9,
    QUICK_ACCESSES = 12,
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

/* What the unit was asked so far. */
struct asked {
    uint64_t accesses; /* to registers */
    uint64_t locks;
    uint64_t heads; /* reads of IQH */
    uint64_t clock; /* calls of now_us */
};

struct dying {
    struct machine *m;
    uint64_t seed;
    struct vtdpi_vm vm;
    struct machine_vm vm_memory;
    struct vtdpi_binding b[IRQS];
    struct vtdpi_irq irq[IRQS];
    bool gone[MACHINE_VCPUS]; /* the slot is nobody's, the PID poisoned */
    bool given_up;            /* no device is behind the dead unit any more */
    unsigned int waits;       /* calls of the loop that have had a deadline */
    unsigned int pauses;      /* the loop has let a deadline pass */
    unsigned int dead_traps;
    unsigned int busy; /* vCPUs that could not be detached */
};

/* Counting. */

static struct {
    uint64_t heads;
    uint64_t clock;
} counted[UNITS];

static const struct vtdpi_model *first_model;

static unsigned int unit_of(const void *ctx)
{
    return (unsigned int)((const struct vtdpi_model *)ctx - first_model);
}

static uint64_t counting_read64(void *ctx, uint32_t off)
{
    counted[unit_of(ctx)].heads += off == VTDPI_IQH_REG;
    return vtdpi_model_platform_ops.read64(ctx, off);
}

static uint64_t counting_now_us(void *ctx)
{
    counted[unit_of(ctx)].clock++;
    return vtdpi_model_platform_ops.now_us(ctx);
}

static struct asked asked(const struct dying *d, unsigned int unit)
{
    const struct vtdpi_model_counters c = machine_count(d->m, unit);
    const struct asked a = {c.reads + c.writes, c.locks, counted[unit].heads,
                            counted[unit].clock};

    return a;
}

static struct asked asked_since(const struct dying *d, unsigned int unit,
                                const struct asked *before)
{
    struct asked a = asked(d, unit);

    a.accesses -= before->accesses;
    a.locks -= before->locks;
    a.heads -= before->heads;
    a.clock -= before->clock;
    return a;
}

static void assert_untouched(const struct dying *d, const struct asked *before)
{
    const struct asked a = asked_since(d, DEAD, before);

    assert_int_equal(a.accesses, 0);
    assert_int_equal(a.locks, 0);
    assert_int_equal(a.clock, 0);
}

static void assert_quick(const struct dying *d, unsigned int unit,
                         const struct asked *before)
{
    const struct asked a = asked_since(d, unit, before);

    assert_in_range(a.clock, 0, QUICK_CLOCK);
    assert_in_range(a.accesses, 0, QUICK_ACCESSES);
}

/* One deadline, and no second one. */
static void assert_one_deadline(const struct dying *d,
                                const struct asked *before)
{
    assert_in_range(asked_since(d, DEAD, before).clock, 0,
                    DEADLINE + QUICK_CLOCK);
}

/* The guest. */

static struct vtdpi_msi message(uint32_t dest, unsigned int i)
{
    const struct vtdpi_msi msi = {UINT32_C(0xfee00000) | dest << 12, 0,
                                  GUEST_VECTOR + i};

    return msi;
}

static int set_message(struct dying *d, unsigned int i, uint32_t dest)
{
    const struct vtdpi_msi msi = message(dest, i);

    return vm_apply_one(&d->b[i], vtdpi_binding_set_message(&d->b[i], &msi));
}

static int set_apic(struct dying *d, uint32_t vcpu, uint32_t id)
{
    const struct vtdpi_guest_apic apic = {
        .id = id,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    return vm_apply_all(&d->vm, vtdpi_vm_set_apic(&d->vm, vcpu, &apic));
}

/* The interrupt arrives where it is decided that it goes. */
static void assert_arrives(struct dying *d, unsigned int i)
{
    const struct vtdpi_route_decision to = vtdpi_binding_decision(&d->b[i]);
    const uint32_t index = vtdpi_irq_index(&d->irq[i]);

    if (to.kind == VTDPI_ROUTE_POST)
        assert_posted(d->m, i % UNITS, index, to.vcpu, to.vector);
    else
        assert_remapped(d->m, i % UNITS, index, (uint8_t)(HOST_VECTOR + i));
}

static void assert_table_arrives(struct dying *d, unsigned int unit)
{
    for (unsigned int i = unit; i < IRQS; i += UNITS) {
        assert_int_equal(vtdpi_binding_error(&d->b[i]), 0);
        assert_arrives(d, i);
    }
}

/* Life and death of the unit. */

static const enum vtdpi_model_fault faults[] = {
    VTDPI_MODEL_FAULT_ALL_ONES,
    VTDPI_MODEL_FAULT_QUEUE_STUCK,
    VTDPI_MODEL_FAULT_STATUS_NEVER,
};
enum {
    FAULTS = sizeof(faults) / sizeof(faults[0])
};

static int error_of(enum vtdpi_model_fault fault)
{
    return fault == VTDPI_MODEL_FAULT_ALL_ONES ? VTDPI_EIO : VTDPI_ETIMEDOUT;
}

/* The ring of a queue that is stuck gets full in the end. */
static void assert_is_told(int rc, enum vtdpi_model_fault fault)
{
    if (fault != VTDPI_MODEL_FAULT_QUEUE_STUCK || rc != VTDPI_EQFULL)
        assert_int_equal(rc, error_of(fault));
}

static void die(struct dying *d, enum vtdpi_model_fault fault)
{
    struct vtdpi_model *model = &d->m->model[DEAD];

    if (fault == VTDPI_MODEL_FAULT_ALL_ONES)
        vtdpi_model_vanish(model);
    else
        vtdpi_model_set_fault(model, fault, 0);
}

/* The unit goes on from where it was. */
static void heal_kept(struct dying *d, enum vtdpi_model_fault fault)
{
    struct vtdpi_model *model = &d->m->model[DEAD];

    if (fault == VTDPI_MODEL_FAULT_ALL_ONES)
        vtdpi_model_return_kept(model);
    else
        vtdpi_model_clear_fault(model, fault);
}

/* The model complains of a queue that is switched off before it is empty. One that
 * is stuck never is. */
static void switch_off(struct dying *d, enum vtdpi_model_fault fault)
{
    assert_is_told(vtdpi_unit_disable(&d->m->unit[DEAD]), fault);
    if (fault == VTDPI_MODEL_FAULT_QUEUE_STUCK)
        vtdpi_model_clear_violations(&d->m->model[DEAD]);
}

/* The host switches the unit off and on again. */
static void heal_restart(struct dying *d, enum vtdpi_model_fault fault)
{
    struct vtdpi_unit *unit = &d->m->unit[DEAD];

    switch_off(d, fault);
    if (fault == VTDPI_MODEL_FAULT_ALL_ONES) {
        assert_int_equal(vtdpi_unit_state(unit), VTDPI_UNIT_GONE);
        vtdpi_model_return_reset(&d->m->model[DEAD]);
        assert_int_equal(vtdpi_unit_resume(unit), 0);
    } else {
        assert_int_equal(vtdpi_unit_state(unit), VTDPI_UNIT_OFF);
        vtdpi_model_clear_fault(&d->m->model[DEAD], fault);
        machine_enable(d->m, DEAD);
    }
}

/* The host goes on without the unit. */
static void give_up(struct dying *d, enum vtdpi_model_fault fault)
{
    switch_off(d, fault);
    if (fault == VTDPI_MODEL_FAULT_ALL_ONES)
        assert_int_equal(vtdpi_unit_forsake(&d->m->unit[DEAD]), 0);
    d->given_up = true;
}

static void (*const endings[])(struct dying *d,
                               enum vtdpi_model_fault fault) = {
    heal_kept, heal_restart, give_up};
enum {
    ENDINGS = sizeof(endings) / sizeof(endings[0])
};

/* Set up and take down. */

static void irq_up(struct dying *d, unsigned int i)
{
    const struct vtdpi_irte_remapped host =
        fields_remapped((uint8_t)(HOST_VECTOR + i));
    struct vtdpi_table *table = &d->m->own[i % UNITS];
    uint32_t index;

    assert_int_equal(vtdpi_table_alloc(table, 1, NULL, &index), 0);
    assert_int_equal(vtdpi_irq_init(&d->irq[i], vtdpi_table_backend(table),
                                    index, &source, NULL),
                     0);
    assert_int_equal(vtdpi_irq_set_host(&d->irq[i], &host), 0);
    assert_int_equal(vtdpi_vm_bind(&d->vm, &d->b[i], &d->irq[i], true), 0);
}

/* All to vCPU 0, and cached. */
static void start(struct dying *d)
{
    const struct machine_params params = {
        .units = UNITS,
        .entries = UNITS * PART,
        .submitters = 4,
        .vcpus = MACHINE_VCPUS,
        .clock_step = CLOCK_STEP,
        .model = {{.cap = MACHINE_CAP, .ecap = MACHINE_ECAP},
                  {.cap = MACHINE_CAP, .ecap = MACHINE_ECAP2}},
    };

    memset(d, 0, sizeof(*d));
    d->m = machine_power_up(&params);
    first_model = d->m->model;
    d->m->ops.read64 = counting_read64;
    d->m->ops.now_us = counting_now_us;
    machine_own_tables(d->m);
    assert_int_equal(machine_vm_init(&d->vm, &d->vm_memory), 0);
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++) {
        assert_int_equal(vtdpi_vm_attach(&d->vm, v, &d->m->vcpu[v]), 0);
        assert_int_equal(set_apic(d, v, v), 0);
    }
    for (unsigned int i = 0; i < IRQS; i++) {
        irq_up(d, i);
        assert_int_equal(set_message(d, i, 0), 0);
        assert_arrives(d, i);
    }
}

/* The guest's next message for the dead table: the one call that may wait. */
static void fail_first(struct dying *d, enum vtdpi_model_fault fault)
{
    const struct asked before = asked(d, DEAD);

    die(d, fault);
    assert_int_equal(set_message(d, DEAD, 1), error_of(fault));
    assert_int_equal(vtdpi_binding_error(&d->b[DEAD]), error_of(fault));
    assert_one_deadline(d, &before);
}

/* After the unit was healed or given up nothing is left of its death. */
static void assert_whole(struct dying *d)
{
    struct vtdpi_vm_stats stats;

    vtdpi_vm_retry(&d->vm);
    assert_int_equal(vm_apply(&d->vm, NULL, 0), 0);
    vtdpi_vm_get_stats(&d->vm, &stats);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.due, 0);
    assert_table_arrives(d, HEALTHY);
    if (!d->given_up)
        assert_table_arrives(d, DEAD);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_false(vtdpi_irq_is_dirty(&d->irq[i]));
}

static void finish(struct dying *d)
{
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vm_unbind(&d->b[i]), 0);
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        assert_int_equal(vm_apply_all(&d->vm, vtdpi_vm_detach(&d->vm, v)), 0);
        assert_int_equal(vtdpi_vcpu_detach(&d->m->vcpu[v]),
                         d->gone[v] ? VTDPI_EDETACHED : 0);
    }
    (void)machine_teardown(&(void *){d->m});
}

/* Runs a test for each way to die and each end of it. */
static void for_each_death(void (*test)(struct dying *d,
                                        enum vtdpi_model_fault fault))
{
    static struct dying d;

    for (unsigned int f = 0; f < FAULTS; f++) {
        for (unsigned int e = 0; e < ENDINGS; e++) {
            uint32_t refs;

            start(&d);
            d.seed = 1 + f * ENDINGS + e;
            test(&d, faults[f]);
            refs = vtdpi_vcpu_refs(&d.m->vcpu[0]);
            endings[e](&d, faults[f]);
            /* Only a flush gives back what a failed change has kept. */
            assert_int_equal(vtdpi_vcpu_refs(&d.m->vcpu[0]), refs);
            assert_whole(&d);
            finish(&d);
        }
    }
}

/* What concerns the healthy table only. */

static void healthy_goes_on(struct dying *d, enum vtdpi_model_fault fault)
{
    const struct vtdpi_msi msi = message(2, DEAD);
    struct asked before;
    struct asked own;

    fail_first(d, fault);
    before = asked(d, DEAD);
    assert_int_equal(vm_apply(&d->vm, NULL, 0), 0);
    for (uint32_t dest = 1; dest <= MACHINE_VCPUS; dest++) {
        own = asked(d, HEALTHY);
        assert_int_equal(set_message(d, HEALTHY, dest), 0);
        assert_quick(d, HEALTHY, &own);
        assert_arrives(d, HEALTHY);
    }
    /* vCPU 2 is named by a healthy entry only. */
    assert_int_equal(set_message(d, HEALTHY, 2), 0);
    assert_int_equal(set_apic(d, 2, NOBODY), 0);
    assert_arrives(d, HEALTHY);
    /* What is due behind the dead unit is not taken by name of another. */
    assert_int_equal(vtdpi_binding_set_message(&d->b[DEAD], &msi), 0);
    assert_int_equal(set_message(d, HEALTHY, 1), 0);
    assert_arrives(d, HEALTHY);
    assert_untouched(d, &before);
}

static void test_healthy_goes_on(void **state)
{
    (void)state;
    for_each_death(healthy_goes_on);
}

/* What concerns the dead table. */

/* How often IQH is read within a deadline that begins with a stalled queue. If only
 * status words are missing, the head has moved: then a wait gets a whole deadline, and
 * reads IQH once more at its end. */
static uint64_t looks_at_head(enum vtdpi_model_fault fault)
{
    switch (fault) {
    case VTDPI_MODEL_FAULT_QUEUE_STUCK:
        return 1;
    case VTDPI_MODEL_FAULT_STATUS_NEVER:
        return 2;
    default: /* nothing is waited for: FSTS says that the unit is gone */
        return 0;
    }
}

static void dead_is_bounded(struct dying *d, enum vtdpi_model_fault fault)
{
    const struct asked first = asked(d, DEAD);
    struct asked all;

    fail_first(d, fault);
    all = asked(d, DEAD);
    for (uint32_t n = 0; n < 40; n++) {
        const struct asked before = asked(d, DEAD);
        const struct asked healthy = asked(d, HEALTHY);

        assert_int_equal(set_message(d, DEAD + n % 2 * UNITS, n % 3),
                         error_of(fault));
        assert_quick(d, DEAD, &before);
        assert_int_equal(asked_since(d, HEALTHY, &healthy).accesses, 0);
    }
    assert_int_equal(asked_since(d, DEAD, &all).heads, 0);
    assert_in_range(asked_since(d, DEAD, &first).heads, 0, 1);
    /* A deadline later the head is looked at once. */
    all = asked(d, DEAD);
    vtdpi_model_advance_clock(&d->m->model[DEAD], VTDPI_QI_TIMEOUT_US);
    for (uint32_t n = 0; n < 3; n++) {
        const struct asked before = asked(d, DEAD);

        assert_int_equal(set_message(d, DEAD, n), error_of(fault));
        /* A queue that moves is asked again, for one deadline. */
        if (fault == VTDPI_MODEL_FAULT_STATUS_NEVER && n == 0)
            assert_one_deadline(d, &before);
        else
            assert_quick(d, DEAD, &before);
    }
    assert_int_equal(asked_since(d, DEAD, &all).heads, looks_at_head(fault));
}

static void test_dead_is_bounded(void **state)
{
    (void)state;
    for_each_death(dead_is_bounded);
}

/* What concerns both. */

static void both_are_told_apart(struct dying *d, enum vtdpi_model_fault fault)
{
    static const uint32_t ids[] = {NOBODY, 0, NOBODY};

    die(d, fault);
    for (unsigned int n = 0; n < sizeof(ids) / sizeof(ids[0]); n++) {
        const struct asked before = asked(d, DEAD);
        const struct asked own = asked(d, HEALTHY);

        assert_int_equal(set_apic(d, 0, ids[n]), error_of(fault));
        if (n == 0)
            assert_one_deadline(d, &before);
        else
            assert_quick(d, DEAD, &before);
        assert_quick(d, HEALTHY, &own);
        assert_table_arrives(d, HEALTHY);
        for (unsigned int i = DEAD; i < IRQS; i += UNITS)
            assert_int_equal(vtdpi_binding_error(&d->b[i]), error_of(fault));
    }
}

static void test_both_are_told_apart(void **state)
{
    (void)state;
    for_each_death(both_are_told_apart);
}

/* A vCPU that an entry of the dead table names stays until that entry is flushed,
 * or the unit is given up. */
static void vcpu_stays(struct dying *d, enum vtdpi_model_fault fault)
{
    die(d, fault);
    assert_int_equal(vm_apply_all(&d->vm, vtdpi_vm_detach(&d->vm, 0)),
                     error_of(fault));
    assert_table_arrives(d, HEALTHY);
    assert_int_equal(vm_apply(&d->vm, NULL, 0), 0);
    assert_int_equal(vtdpi_vcpu_detach(&d->m->vcpu[0]), VTDPI_EBUSY);
    vtdpi_vm_retry(&d->vm);
    assert_int_equal(vm_apply(&d->vm, NULL, 0), error_of(fault));
    assert_int_equal(vtdpi_vcpu_detach(&d->m->vcpu[0]), VTDPI_EBUSY);
}

static void test_vcpu_stays(void **state)
{
    (void)state;
    for_each_death(vcpu_stays);
}

/* A guest that does all of that in a loop. */

static uint32_t below(struct dying *d, uint32_t n)
{
    return random_below(&d->seed, n);
}

static void loop_message(struct dying *d, enum vtdpi_model_fault fault)
{
    const unsigned int i = below(d, IRQS);
    const struct asked before = asked(d, DEAD);
    const struct asked own = asked(d, HEALTHY);
    const int rc = set_message(d, i, below(d, MACHINE_VCPUS + 1));

    assert_int_equal(rc, vtdpi_binding_error(&d->b[i]));
    if (i % UNITS == HEALTHY) {
        assert_int_equal(rc, 0);
        assert_untouched(d, &before);
        assert_quick(d, HEALTHY, &own);
        return;
    }
    if (rc == 0)
        assert_untouched(d, &before);
    else
        assert_is_told(rc, fault);
}

static void loop_apic(struct dying *d)
{
    (void)set_apic(d, below(d, MACHINE_VCPUS), below(d, MACHINE_VCPUS + 1));
}

static void loop_vcpu(struct dying *d)
{
    const unsigned int v = below(d, MACHINE_VCPUS);
    struct vtdpi_vcpu *const lib = &d->m->vcpu[v];
    struct vtdpi_pid *pid = &d->m->pids[v];

    if (d->gone[v]) {
        for (size_t i = 0; i < sizeof(*pid); i++)
            assert_int_equal(((const uint8_t *)pid)[i], 0x5a);
        assert_int_equal(vtdpi_vcpu_attach(&d->m->sched, lib, v, lib), 0);
        d->gone[v] = false;
    } else {
        (void)vm_apply_all(&d->vm, vtdpi_vm_detach(&d->vm, v));
        d->gone[v] = vtdpi_vcpu_detach(lib) == 0;
        d->busy += !d->gone[v];
    }
    if (d->gone[v])
        memset(pid, 0x5a, sizeof(*pid));
    else
        (void)vm_apply_all(&d->vm, vtdpi_vm_attach(&d->vm, v, lib));
}

/* The dead unit may still use old entries: never for a vCPU that has gone. */
static void loop_raise(struct dying *d)
{
    const unsigned int i = DEAD + UNITS * below(d, IRQS / UNITS);
    const struct vtdpi_model_result r =
        machine_send(d->m, DEAD, vtdpi_irq_index(&d->irq[i]));

    if (r.outcome == VTDPI_MODEL_POSTED)
        assert_false(d->gone[(r.pda - PIDS_PHYS) / sizeof(struct vtdpi_pid)]);
}

static void loop_step(struct dying *d, enum vtdpi_model_fault fault)
{
    switch (below(d, 32)) {
    case 0:
        d->pauses++;
        vtdpi_model_advance_clock(&d->m->model[DEAD], VTDPI_QI_TIMEOUT_US);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        loop_apic(d);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        loop_vcpu(d);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        loop_raise(d);
        break;
    default:
        loop_message(d, fault);
        break;
    }
}

static void guest_rewrites(struct dying *d, enum vtdpi_model_fault fault)
{
    fail_first(d, fault);
    for (unsigned int n = 0; n < STEPS; n++) {
        const struct asked before = asked(d, DEAD);
        const struct asked own = asked(d, HEALTHY);
        struct asked a;

        loop_step(d, fault);
        assert_table_arrives(d, HEALTHY);
        /* A vCPU that comes back is two changes. */
        assert_in_range(asked_since(d, HEALTHY, &own).clock, 0,
                        2 * QUICK_CLOCK);
        a = asked_since(d, DEAD, &before);
        d->dead_traps += a.accesses != 0;
        assert_in_range(a.clock, 0, DEADLINE + 2 * QUICK_CLOCK);
        d->waits += a.clock > 2 * QUICK_CLOCK;
    }
    assert_true(d->dead_traps > STEPS / 4);
    assert_true(d->busy > 0);
    /* A queue that moves is asked again once in a deadline, and when its ring
     * has gone round; each time for one deadline. One that does not move never. */
    assert_in_range(d->waits, 0,
                    fault == VTDPI_MODEL_FAULT_STATUS_NEVER
                        ? d->pauses + d->dead_traps / 32
                        : 0);
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        if (d->gone[v])
            loop_vcpu(d);
    }
}

static void test_guest_rewrites(void **state)
{
    (void)state;
    for_each_death(guest_rewrites);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy_goes_on),
        cmocka_unit_test(test_dead_is_bounded),
        cmocka_unit_test(test_both_are_told_apart),
        cmocka_unit_test(test_vcpu_stays),
        cmocka_unit_test(test_guest_rewrites),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
