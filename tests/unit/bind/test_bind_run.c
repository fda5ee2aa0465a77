/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest on two modelled units that reprograms its MSIs all the time, while
 * its vCPUs run, halt, migrate, are unplugged and come back, and devices raise
 * interrupts before any step of what is done about it. Every interrupt is
 * accounted for.
 */
#include "test.h"

#include <string.h>

#include "apply.h"
#include "machine_fixture.h"
#include "machine_vm.h"
#include "random.h"

enum {
    STEPS = 20000,
    IRQS = 16,
    HOST_VECTOR = 0x51,
    ANV = 0xf2,
    WNV = 0xf1,
    DURING = 64, /* interrupts noted during one event */
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

enum vcpu_state {
    OUT,      /* not in the guest, not asleep */
    GUEST,    /* in the guest, on a pCPU */
    SLEEPING, /* until woken */
    GONE,     /* its slot is nobody's, its PID poisoned */
};

struct guest_vcpu {
    enum vcpu_state state;
    unsigned int on;
    bool woken;
};

struct raised {
    unsigned int irq;
    struct vtdpi_model_result result;
};

struct run {
    struct machine *m;
    uint64_t seed;
    struct vtdpi_pcpu pcpu[MACHINE_PCPUS];
    uint64_t bitmap[MACHINE_PCPUS][VTDPI_BITMAP_WORDS(1)];
    bool anv[MACHINE_PCPUS]; /* pending */
    bool wnv[MACHINE_PCPUS];
    struct guest_vcpu vcpu[MACHINE_VCPUS];

    struct vtdpi_vm vm;
    struct machine_vm vm_memory;
    struct vtdpi_binding b[IRQS];
    struct vtdpi_irq irq[IRQS];
    struct vtdpi_msi msi[IRQS]; /* in force */
    bool posting;

    /* An event is under way. */
    bool armed;
    struct vtdpi_route_decision before[IRQS];
    struct raised during[DURING];
    unsigned int n;

    /* The account. */
    uint64_t at_host;     /* arrived in remapped form */
    uint64_t by_software; /* PIR bits that the host's handler set */
    uint64_t taken;       /* PIR bits that vCPUs took */
    uint64_t raises;
    uint64_t moved; /* raised during an event that moved the interrupt */
    uint64_t failed;
    uint64_t woken;
};

static uint32_t below(struct run *x, uint32_t n)
{
    return random_below(&x->seed, n);
}

static bool one_in(struct run *x, uint32_t n)
{
    return below(x, n) == 0;
}

/* The host. */

static struct run *run_of(const struct machine *m)
{
    return m->step_ctx;
}

static unsigned int pcpu_of(uint32_t apic_id)
{
    assert_in_range(apic_id, 0x300, 0x300 + MACHINE_PCPUS - 1);
    return apic_id - 0x300;
}

static void arrive(struct run *x, uint32_t apic_id, uint8_t vector)
{
    const unsigned int p = pcpu_of(apic_id);

    assert_true(vector == ANV || vector == WNV);
    if (vector == ANV)
        x->anv[p] = true;
    else
        x->wnv[p] = true;
}

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    arrive(run_of(ctx), apic_id, vector);
}

static void wake(void *ctx, void *cookie)
{
    struct run *x = run_of(ctx);

    x->vcpu[(struct vtdpi_vcpu *)cookie - x->m->vcpu].woken = true;
}

static unsigned int bits(const uint64_t pir[VTDPI_PIR_WORDS])
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        n += (unsigned int)__builtin_popcountll(pir[i]);
    return n;
}

static void take(struct run *x, unsigned int v)
{
    uint64_t pir[VTDPI_PIR_WORDS];

    (void)vtdpi_vcpu_sync(&x->m->vcpu[v], pir);
    x->taken += bits(pir);
}

static void enter(struct run *x, unsigned int v)
{
    const unsigned int p = below(x, MACHINE_PCPUS);

    for (unsigned int i = 0; i < MACHINE_VCPUS; i++) {
        if (x->vcpu[i].state == GUEST && x->vcpu[i].on == p) {
            vtdpi_vcpu_preempt(&x->m->vcpu[i]);
            x->vcpu[i].state = OUT;
        }
    }
    vtdpi_vcpu_run(&x->m->vcpu[v], &x->pcpu[p]);
    take(x, v);
    x->vcpu[v].state = GUEST;
    x->vcpu[v].on = p;
}

static void leave(struct run *x, unsigned int v)
{
    vtdpi_vcpu_preempt(&x->m->vcpu[v]);
    x->vcpu[v].state = OUT;
}

static void halt(struct run *x, unsigned int v)
{
    struct vtdpi_vcpu *const lib = &x->m->vcpu[v];

    x->vcpu[v].state = OUT;
    x->vcpu[v].woken = false;
    if (vtdpi_vcpu_block(lib, &x->pcpu[below(x, MACHINE_PCPUS)]) ==
        VTDPI_BLOCKED) {
        x->vcpu[v].state = SLEEPING;
        return;
    }
    take(x, v);
    vtdpi_vcpu_preempt(lib);
}

static void notifications(struct run *x)
{
    for (unsigned int u = 0; u < UNITS; u++) {
        struct vtdpi_model *m = &x->m->model[u];
        uint32_t n;

        while ((n = vtdpi_model_notifications(m)) != 0) {
            struct vtdpi_model_notification note;

            assert_true(vtdpi_model_take_notification(m, below(x, n), &note));
            arrive(x, note.apic_id, note.nv);
        }
    }
}

static void interrupts(struct run *x, unsigned int p)
{
    if (x->wnv[p]) {
        x->wnv[p] = false;
        (void)vtdpi_pcpu_handle_wakeup(&x->pcpu[p], WNV);
    }
    if (!x->anv[p])
        return;
    x->anv[p] = false;
    /* Processing by the CPU, if a vCPU is in the guest here. */
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        if (x->vcpu[v].state == GUEST && x->vcpu[v].on == p)
            take(x, v);
    }
}

/* Everything under way arrives: then a sleeper has nothing to wake for, and
 * nothing is kept from a vCPU in the guest. */
static void settle(struct run *x)
{
    for (unsigned int u = 0; u < UNITS; u++)
        (void)vtdpi_model_drain(&x->m->model[u]);
    notifications(x);
    for (unsigned int p = 0; p < MACHINE_PCPUS; p++)
        interrupts(x, p);
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        if (x->vcpu[v].state == SLEEPING && x->vcpu[v].woken) {
            x->woken++;
            enter(x, v);
        }
    }
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        if (x->vcpu[v].state == SLEEPING || x->vcpu[v].state == GUEST)
            assert_int_equal(bits(vtdpi_vcpu_pid(&x->m->vcpu[v])->pir), 0);
    }
}

/* Devices. */

static bool goes(const struct vtdpi_model_result *res,
                 const struct vtdpi_route_decision *d)
{
    if (d->kind != VTDPI_ROUTE_POST)
        return res->outcome == VTDPI_MODEL_REMAPPED;
    return (res->outcome == VTDPI_MODEL_POSTED ||
            res->outcome == VTDPI_MODEL_IN_FLIGHT) &&
           res->pda == PIDS_PHYS + UINT64_C(64) * d->vcpu &&
           res->vector == d->vector;
}

/* The host form's handler: the same message, by software. */
static void handle(struct run *x, unsigned int i)
{
    unsigned int before = 0;
    unsigned int after = 0;
    struct vtdpi_vm_delivery out;
    int rc;

    x->at_host++;
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++)
        before += x->vcpu[v].state == GONE ? 0 : bits(x->m->pids[v].pir);
    rc = vtdpi_vm_deliver(&x->vm, &x->msi[i], NULL, NULL, &out);
    /* Of a device that is not programmed yet: the host drops it. */
    assert_int_equal(rc, x->msi[i].address_lo == 0 ? VTDPI_EMSI_ADDRESS : 0);
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++)
        after += x->vcpu[v].state == GONE ? 0 : bits(x->m->pids[v].pir);
    x->by_software += after - before;
}

static struct vtdpi_model_result raise(struct run *x, unsigned int i)
{
    x->raises++;
    return machine_raise(x->m, below(x, UNITS), vtdpi_irq_index(&x->irq[i]));
}

static void raise_now(struct run *x, unsigned int i)
{
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&x->b[i]);
    const struct vtdpi_model_result res = raise(x, i);

    assert_true(goes(&res, &d));
    if (res.outcome == VTDPI_MODEL_REMAPPED)
        handle(x, i);
}

static void on_step(struct machine *m, struct vtdpi_model *at,
                    enum vtdpi_model_step kind)
{
    struct run *x = run_of(m);
    struct raised *q;

    (void)at;
    (void)kind;
    if (!x->armed || x->n == DURING || !one_in(x, 3))
        return;
    q = &x->during[x->n++];
    q->irq = below(x, IRQS);
    x->armed = false; /* the other unit's hook may be called by this */
    q->result = raise(x, q->irq);
    x->armed = true;
}

/* Events. */

static void event_begin(struct run *x)
{
    for (unsigned int i = 0; i < IRQS; i++)
        x->before[i] = vtdpi_binding_decision(&x->b[i]);
    x->n = 0;
    x->armed = true;
    if (one_in(x, 20))
        vtdpi_model_set_fault(&x->m->model[below(x, UNITS)],
                              VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
}

static void event_end(struct run *x, int rc)
{
    for (unsigned int u = 0; u < UNITS; u++)
        vtdpi_model_clear_fault(&x->m->model[u],
                                VTDPI_MODEL_FAULT_STATUS_NEVER);
    if (rc != 0) {
        x->failed++;
        vtdpi_vm_retry(&x->vm);
        assert_int_equal(vm_apply(&x->vm, NULL, 0), 0);
    }
    x->armed = false;
    for (unsigned int k = 0; k < x->n; k++) {
        const unsigned int i = x->during[k].irq;
        const struct vtdpi_route_decision d = vtdpi_binding_decision(&x->b[i]);
        const struct vtdpi_model_result *res = &x->during[k].result;

        assert_true(goes(res, &x->before[i]) || goes(res, &d));
        x->moved += !goes(res, &x->before[i]) || !goes(res, &d);
        if (res->outcome == VTDPI_MODEL_REMAPPED)
            handle(x, i);
    }
}

static struct vtdpi_msi some_message(struct run *x)
{
    struct vtdpi_msi msi = {UINT32_C(0xfee00000) | below(x, 8) << 12, 0,
                            0x20 + below(x, 0xe0)};

    if (one_in(x, 3)) {
        msi.address_lo |= 4;
        msi.data |= one_in(x, 2) ? 0x100 : 0;
    }
    if (one_in(x, 16))
        msi.address_lo |= UINT32_C(0xff) << 12;
    if (one_in(x, 16))
        msi.data |= 0x400;
    return msi;
}

static int reprogram(struct run *x)
{
    const unsigned int i = below(x, IRQS);
    struct vtdpi_binding *b = &x->b[i];

    x->msi[i] = some_message(x);
    if (one_in(x, 2)) {
        vtdpi_binding_mask(b);
        assert_int_equal(vtdpi_binding_set_message(b, &x->msi[i]), 0);
        return vm_apply_one(b, vtdpi_binding_unmask(b));
    }
    return vm_apply_one(b, vtdpi_binding_set_message(b, &x->msi[i]));
}

static int change_apic(struct run *x)
{
    const unsigned int v = below(x, MACHINE_VCPUS);
    const struct vtdpi_guest_apic apic = {
        .id = below(x, 4),
        .ldr = UINT32_C(0x1000000) << below(x, 3),
        .mode = one_in(x, 2) ? VTDPI_GUEST_X2APIC : VTDPI_GUEST_XAPIC_FLAT,
        .enabled = !one_in(x, 8),
    };

    return vm_apply_all(&x->vm, vtdpi_vm_set_apic(&x->vm, v, &apic));
}

/* Unplug: after the event there is a last harvest, and then nobody writes the
 * PID any more. */
static void unplug(struct run *x, unsigned int v)
{
    struct vtdpi_vcpu *const lib = &x->m->vcpu[v];

    leave(x, v);
    event_begin(x);
    event_end(x, vm_apply_all(&x->vm, vtdpi_vm_detach(&x->vm, v)));
    take(x, v);
    assert_int_equal(vtdpi_vcpu_detach(lib), 0);
    x->vcpu[v].state = GONE;
    memset(&x->m->pids[v], 0x5a, sizeof(x->m->pids[v]));
}

static void plug(struct run *x, unsigned int v)
{
    struct vtdpi_vcpu *const lib = &x->m->vcpu[v];

    for (size_t i = 0; i < sizeof(x->m->pids[v]); i++)
        assert_int_equal(((const uint8_t *)&x->m->pids[v])[i], 0x5a);
    assert_int_equal(vtdpi_vcpu_attach(&x->m->sched, lib, v, lib), 0);
    x->vcpu[v].state = OUT;
    event_begin(x);
    event_end(x, vm_apply_all(&x->vm, vtdpi_vm_attach(&x->vm, v, lib)));
}

static void live(struct run *x, unsigned int v)
{
    if (x->vcpu[v].state == GONE) {
        plug(x, v);
        return;
    }
    if (x->vcpu[v].state == SLEEPING && !one_in(x, 8))
        return; /* a wake is what ends it */
    switch (below(x, 5)) {
    case 0:
    case 1:
        enter(x, v);
        break;
    case 2:
        leave(x, v);
        break;
    case 3:
        halt(x, v);
        break;
    default:
        unplug(x, v);
        break;
    }
}

static void event(struct run *x)
{
    int rc;

    event_begin(x);
    switch (below(x, 12)) {
    case 0:
        x->posting = !x->posting;
        rc = vm_apply_all(&x->vm, vtdpi_vm_set_posting(&x->vm, x->posting));
        break;
    case 1:
    case 2:
    case 3:
        rc = change_apic(x);
        break;
    default:
        rc = reprogram(x);
        break;
    }
    event_end(x, rc);
}

static void step(struct run *x)
{
    struct vtdpi_model *m = &x->m->model[below(x, UNITS)];

    switch (below(x, 8)) {
    case 0:
    case 1:
        live(x, below(x, MACHINE_VCPUS));
        break;
    case 2:
    case 3:
        event(x);
        break;
    case 4:
        settle(x);
        break;
    case 5: /* posts take their time */
        if (one_in(x, 2))
            vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_POST_LATE, 0);
        else
            vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_POST_LATE);
        break;
    default:
        raise_now(x, below(x, IRQS));
        break;
    }
    notifications(x);
}

static void run_new(struct run *x)
{
    const struct vtdpi_irte_remapped host = fields_remapped(HOST_VECTOR);

    x->m->step_ctx = x;
    x->m->step = on_step;
    x->m->ops.send_ipi = send_ipi;
    x->m->ops.wake = wake;
    x->posting = true;
    for (unsigned int p = 0; p < MACHINE_PCPUS; p++) {
        assert_int_equal(vtdpi_pcpu_init(&x->m->sched, &x->pcpu[p], p,
                                         0x300 + p, x->bitmap[p]),
                         0);
        vtdpi_pcpu_online(&x->pcpu[p]);
    }
    assert_int_equal(machine_vm_init(&x->vm, &x->vm_memory), 0);
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++)
        assert_int_equal(vtdpi_vm_attach(&x->vm, v, &x->m->vcpu[v]), 0);
    for (unsigned int i = 0; i < IRQS; i++) {
        assert_int_equal(vtdpi_irq_init(&x->irq[i],
                                        vtdpi_table_backend(&x->m->table),
                                        machine_index(x->m), &source, NULL),
                         0);
        assert_int_equal(vtdpi_irq_set_host(&x->irq[i], &host), 0);
        assert_int_equal(vtdpi_vm_bind(&x->vm, &x->b[i], &x->irq[i], true), 0);
    }
}

static void account(struct run *x)
{
    uint64_t posted = 0;
    uint64_t merged = 0;
    uint64_t remapped = 0;

    settle(x);
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        if (x->vcpu[v].state != GONE)
            unplug(x, v);
    }
    for (unsigned int u = 0; u < UNITS; u++) {
        const struct vtdpi_model_counters c = machine_count(x->m, u);

        assert_int_equal(vtdpi_model_in_flight(&x->m->model[u]), 0);
        assert_int_equal(c.pid_faults, 0);
        assert_int_equal(c.blocked, 0);
        posted += c.posted;
        merged += c.merged;
        remapped += c.remapped;
    }
    assert_int_equal(posted + remapped, x->raises);
    assert_int_equal(remapped, x->at_host);
    assert_int_equal(posted - merged + x->by_software, x->taken);
    /* It was a run that shows something. */
    assert_true(posted > STEPS / 10);
    assert_true(x->by_software > 0);
    assert_true(x->moved > STEPS / 50);
    assert_true(x->failed > 0);
    assert_true(x->woken > STEPS / 200);
}

static void test_guest_that_reprograms_all_the_time_loses_nothing(void **state)
{
    for (unsigned int i = 0; i < 4; i++) {
        struct run x;

        memset(&x, 0, sizeof(x));
        (void)machine_setup(state);
        x.m = *state;
        x.seed = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        run_new(&x);
        for (unsigned int n = 0; n < STEPS; n++)
            step(&x);
        account(&x);
        (void)machine_teardown(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_that_reprograms_all_the_time_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
