/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-flight rule of bind.h on two modelled units: a device interrupt before
 * every step of every event, at the units and between the calls of the table.
 * It is recorded once, where the interrupt went before or where it goes after;
 * and what a vCPU got stays with it.
 */
#include "test.h"

#include <string.h>

#include "apply.h"
#include "machine_fixture.h"
#include "machine_replay.h"
#include "machine_vm.h"

enum {
    IRQS = 6,
    HOST_VECTOR = 0x51,
    GUEST_VECTOR = 0x61,
    HOST = -1, /* instead of a vCPU */
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

struct replay {
    struct machine_replay by;
    struct machine *m;
    struct vtdpi_vm vm;
    struct machine_vm vm_memory;
    struct vtdpi_binding b[IRQS];
    struct vtdpi_irq irq[IRQS];
    bool unbound; /* the first */
};

/* The VM: two interrupts to vCPU 0, one to each other, one that is hashed, and
 * one for all. */

static struct vtdpi_msi message(uint32_t dest, unsigned int i)
{
    const struct vtdpi_msi msi = {UINT32_C(0xfee00000) | (dest & 0xff) << 12, 0,
                                  GUEST_VECTOR + i};

    return msi;
}

static struct vtdpi_guest_apic apic_of(uint32_t id)
{
    const struct vtdpi_guest_apic apic = {
        .id = id,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    return apic;
}

static int set_apic(struct replay *r, uint32_t vcpu, uint32_t id)
{
    const struct vtdpi_guest_apic apic = apic_of(id);

    return vm_apply_all(&r->vm, vtdpi_vm_set_apic(&r->vm, vcpu, &apic));
}

static void vm_new(struct replay *r)
{
    assert_int_equal(machine_vm_init(&r->vm, &r->vm_memory), 0);
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++) {
        assert_int_equal(set_apic(r, v, v), 0);
        assert_int_equal(vtdpi_vm_attach(&r->vm, v, &r->m->vcpu[v]), 0);
        assert_int_equal(vm_apply(&r->vm, NULL, 0), 0);
    }
}

static int set_message(struct replay *r, unsigned int i,
                       const struct vtdpi_msi *msi)
{
    return vm_apply_one(&r->b[i], vtdpi_binding_set_message(&r->b[i], msi));
}

static void irq_new(struct replay *r, unsigned int i)
{
    const struct vtdpi_irte_remapped host =
        fields_remapped((uint8_t)(HOST_VECTOR + i));
    static const uint32_t dest[IRQS] = {0, 0, 1, 2, 3, 0xff};
    struct vtdpi_msi msi = message(dest[i], i);

    if (i == 4) { /* lowest priority, logical: vCPU 0 or 1 */
        msi.address_lo |= 4;
        msi.data |= 0x100;
    }
    assert_int_equal(vtdpi_irq_init(&r->irq[i], &r->by.backend,
                                    machine_index(r->m), &source, NULL),
                     0);
    assert_int_equal(vtdpi_irq_set_host(&r->irq[i], &host), 0);
    assert_int_equal(vtdpi_vm_bind(&r->vm, &r->b[i], &r->irq[i], true), 0);
    assert_int_equal(set_message(r, i, &msi), 0);
}

/* The events; what they need comes before. */

struct event {
    void (*prepare)(struct replay *r);
    int (*run)(struct replay *r);
};

static int event_message(struct replay *r)
{
    const struct vtdpi_msi msi = message(2, 0);

    return set_message(r, 0, &msi);
}

static int event_block(struct replay *r)
{
    const struct vtdpi_msi msi = message(1, GUEST_VECTOR % 2);
    struct vtdpi_binding *b[2] = {&r->b[0], &r->b[1]};

    const int rc = vtdpi_binding_set_block(b, 2, &msi);

    return rc != 0 ? rc : vm_apply(&r->vm, b, 2);
}

static int event_disable(struct replay *r)
{
    return set_message(r, 0, NULL);
}

static int event_swap(struct replay *r)
{
    const struct vtdpi_guest_apic one = apic_of(1);
    const struct vtdpi_guest_apic zero = apic_of(0);

    assert_int_equal(vtdpi_vm_set_apic(&r->vm, 0, &one), 0);
    assert_int_equal(vtdpi_vm_set_apic(&r->vm, 1, &zero), 0);
    return vm_apply(&r->vm, NULL, 0);
}

static int event_leave(struct replay *r)
{
    return set_apic(r, 0, 9);
}

static int event_double(struct replay *r)
{
    return set_apic(r, 1, 0);
}

static int event_detach(struct replay *r)
{
    return vm_apply_all(&r->vm, vtdpi_vm_detach(&r->vm, 0));
}

static void before_attach(struct replay *r)
{
    assert_int_equal(event_detach(r), 0);
}

static int event_attach(struct replay *r)
{
    return vm_apply_all(&r->vm, vtdpi_vm_attach(&r->vm, 0, &r->m->vcpu[0]));
}

static int event_off(struct replay *r)
{
    return vm_apply_all(&r->vm, vtdpi_vm_set_posting(&r->vm, false));
}

static void before_on(struct replay *r)
{
    assert_int_equal(event_off(r), 0);
}

static int event_on(struct replay *r)
{
    return vm_apply_all(&r->vm, vtdpi_vm_set_posting(&r->vm, true));
}

static int event_unbind(struct replay *r)
{
    const int rc = vm_unbind(&r->b[0]);

    r->unbound = rc == 0;
    return rc;
}

static const struct event events[] = {
    {NULL, event_message}, {NULL, event_block},           {NULL, event_disable},
    {NULL, event_swap},    {NULL, event_leave},           {NULL, event_double},
    {NULL, event_detach},  {before_attach, event_attach}, {NULL, event_off},
    {before_on, event_on}, {NULL, event_unbind},
};
enum {
    EVENTS = sizeof(events) / sizeof(events[0])
};

/* Where an interrupt goes: as decided, and as the device sees it. */

struct place {
    int vcpu;
    uint8_t vector;
};

static bool same(const struct place *a, const struct place *b)
{
    return a->vcpu == b->vcpu && a->vector == b->vector;
}

static struct place decided(const struct replay *r, unsigned int i)
{
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);
    struct place p = {HOST, (uint8_t)(HOST_VECTOR + i)};

    if (d.kind == VTDPI_ROUTE_POST) {
        p.vcpu = (int)d.vcpu;
        p.vector = d.vector;
    }
    return p;
}

static struct place place_of(const struct vtdpi_model_result *res)
{
    struct place p = {HOST, res->vector};

    if (res->outcome == VTDPI_MODEL_POSTED ||
        res->outcome == VTDPI_MODEL_IN_FLIGHT)
        p.vcpu = (int)((res->pda - PIDS_PHYS) / 64);
    else
        assert_int_equal(res->outcome, VTDPI_MODEL_REMAPPED);
    return p;
}

/* Each vCPU has what it should, and nothing else: @p p, if not the host's. */
static void assert_recorded(struct replay *r, const struct place *p)
{
    for (int v = 0; v < MACHINE_VCPUS; v++) {
        uint64_t pir[VTDPI_PIR_WORDS];
        unsigned int n = 0;

        (void)vtdpi_vcpu_sync(&r->m->vcpu[v], pir);
        for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
            n += (unsigned int)__builtin_popcountll(pir[i]);
        assert_int_equal(n, p != NULL && p->vcpu == v ? 1 : 0);
        if (n != 0)
            assert_true((pir[p->vector / 64] >> p->vector % 64 & 1) != 0);
    }
}

static void assert_goes(struct replay *r, unsigned int i)
{
    const struct place want = decided(r, i);

    for (unsigned int u = 0; u < UNITS; u++) {
        const struct vtdpi_model_result res =
            machine_raise(r->m, u, vtdpi_irq_index(&r->irq[i]));
        const struct place p = place_of(&res);

        assert_true(same(&p, &want));
        (void)vtdpi_model_drain(&r->m->model[u]);
        assert_recorded(r, &p);
    }
}

static void start(struct replay *r, const struct event *e)
{
    void *state;

    (void)machine_setup(&state);
    memset(r, 0, sizeof(*r));
    r->m = state;
    machine_replay_init(&r->by, r->m);
    vm_new(r);
    for (unsigned int i = 0; i < IRQS; i++)
        irq_new(r, i);
    if (e->prepare != NULL)
        e->prepare(r);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_goes(r, i); /* cached, too */
}

static void finish(struct replay *r)
{
    for (unsigned int i = 0; i < IRQS; i++) {
        assert_goes(r, i);
        assert_int_equal(vm_unbind(&r->b[i]),
                         i == 0 && r->unbound ? VTDPI_EINVAL : 0);
    }
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        assert_int_equal(vm_apply_all(&r->vm, vtdpi_vm_detach(&r->vm, v)), 0);
        assert_int_equal(vtdpi_vcpu_detach(&r->m->vcpu[v]), 0);
    }
    (void)machine_teardown(&(void *){r->m});
}

/* What was sent to where the interrupt has left is there when the event is
 * over, and not still on its way. */
static void assert_landed(struct replay *r, const struct place *sent,
                          const struct place *now)
{
    struct vtdpi_model *m = &r->m->model[r->by.unit];

    if (sent->vcpu != HOST && !same(sent, now))
        assert_int_equal(vtdpi_model_in_flight(m), 0);
    (void)vtdpi_model_drain(m);
}

/* What one replay is about. */
struct subject {
    const struct event *event;
    unsigned int unit;
    unsigned int which;
    bool late;
    enum vtdpi_model_fault fault;
    unsigned int failed;
};

/* The event, with the act before its step. */
static int run_event(struct replay *r, const struct event *e)
{
    int rc;

    machine_replay_begin(&r->by);
    rc = e->run(r);
    machine_replay_end(&r->by);
    return rc;
}

static bool replay(void *ctx, unsigned int step)
{
    const struct subject *s = ctx;
    struct replay r;
    struct place before;
    struct place after;

    start(&r, s->event);
    r.by.unit = s->unit;
    r.by.index = vtdpi_irq_index(&r.irq[s->which]);
    r.by.step.at = step;
    before = decided(&r, s->which);
    if (s->late)
        vtdpi_model_set_fault(&r.m->model[s->unit], VTDPI_MODEL_FAULT_POST_LATE,
                              0);
    assert_int_equal(run_event(&r, s->event), 0);
    after = decided(&r, s->which);
    if (r.by.step.done) {
        const struct place p = place_of(&r.by.result);

        assert_true(same(&p, &before) || same(&p, &after));
        assert_landed(&r, &p, &after);
        assert_recorded(&r, &p);
    } else {
        assert_recorded(&r, NULL);
    }
    vtdpi_model_clear_fault(&r.m->model[s->unit], VTDPI_MODEL_FAULT_POST_LATE);
    finish(&r);
    return r.by.step.done;
}

static void replay_all(bool late)
{
    for (unsigned int e = 0; e < EVENTS; e++) {
        for (unsigned int which = 0; which < IRQS; which++) {
            for (unsigned int unit = 0; unit < UNITS; unit++) {
                struct subject s = {&events[e], unit, which, late, 0, 0};

                assert_true(replay_every_step(replay, &s, 0) > 6);
            }
        }
    }
}

static void test_replay_interrupt_before_every_step(void **state)
{
    (void)state;
    replay_all(false);
}

static void test_replay_late_post_before_every_step(void **state)
{
    (void)state;
    replay_all(true);
}

/* A unit fails before a step, the units in turn: the call says so, or nothing was left to fail.
 * Afterwards one update brings everything to where it belongs. */
static bool replay_failure(void *ctx, unsigned int step)
{
    struct subject *s = ctx;
    const unsigned int unit = step % UNITS;
    struct vtdpi_vm_stats stats;
    struct replay r;
    int rc;

    start(&r, s->event);
    r.by.fail = true;
    r.by.unit = unit;
    r.by.fault = s->fault;
    r.by.step.at = step / UNITS;
    rc = run_event(&r, s->event);
    vtdpi_model_clear_fault(&r.m->model[unit], s->fault);
    vtdpi_vm_get_stats(&r.vm, &stats);
    assert_int_equal(stats.due, 0);
    assert_int_equal(stats.failed != 0, rc != 0);
    s->failed += rc != 0;
    vtdpi_vm_retry(&r.vm);
    assert_int_equal(vm_apply(&r.vm, NULL, 0), 0);
    finish(&r);
    return r.by.step.done;
}

static void test_replay_failure_before_every_step(void **state)
{
    static const enum vtdpi_model_fault faults[] = {
        VTDPI_MODEL_FAULT_STATUS_NEVER,
        VTDPI_MODEL_FAULT_QUEUE_STUCK,
        VTDPI_MODEL_FAULT_IQE,
    };

    (void)state;
    for (unsigned int e = 0; e < EVENTS; e++) {
        for (unsigned int f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
            struct subject s = {.event = &events[e], .fault = faults[f]};

            (void)replay_every_step(replay_failure, &s, 0);
            assert_true(s.failed > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay_interrupt_before_every_step),
        cmocka_unit_test(test_replay_late_post_before_every_step),
        cmocka_unit_test(test_replay_failure_before_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
