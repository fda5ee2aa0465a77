/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of irq.h over table.h on two modelled units: what devices get while one is
 * under way, with a device interrupt, or a failure, before every step.
 */
#include "test.h"

#include <string.h>

#include "machine_fixture.h"
#include "machine_replay.h"

enum {
    RANGES = 16,
    HOST_VECTOR = 0x51,
    GUEST_VECTOR = 0x61
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

/* Step replay. One batch makes every kind of change. */

enum goes {
    NOWHERE,
    TO_HOST,
    TO_HOST2,
    TO_A,
    TO_B
};

static const struct {
    enum goes from;
    enum goes to;
} plan[] = {
    {TO_HOST, TO_HOST2}, {TO_HOST, TO_A}, {TO_A, TO_B},
    {TO_A, TO_HOST},     {TO_B, NOWHERE}, {NOWHERE, TO_A},
};
enum {
    IRQS = sizeof(plan) / sizeof(plan[0])
};

struct replay {
    struct machine_replay by;
    struct machine *m;
    struct vtdpi_irq irq[IRQS];
    struct vtdpi_flush_range ranges[RANGES];
    uint32_t index[IRQS];
    unsigned int which; /* the interrupt that is sent */
};

static int go(struct replay *r, struct vtdpi_irq_batch *b, unsigned int i,
              enum goes to)
{
    const struct vtdpi_irte_remapped host =
        fields_remapped(HOST_VECTOR + (to == TO_HOST2 ? 1 : 0));

    switch (to) {
    case TO_HOST:
    case TO_HOST2:
        return vtdpi_irq_vcpu(&r->irq[i]) == NULL
                   ? vtdpi_irq_batch_set_host(b, &r->irq[i], &host)
                   : vtdpi_irq_batch_unpost(b, &r->irq[i]);
    case TO_A:
    case TO_B:
        return vtdpi_irq_batch_post(b, &r->irq[i],
                                    &r->m->vcpu[to == TO_A ? 0 : 1],
                                    (uint8_t)(GUEST_VECTOR + i));
    case NOWHERE:
        break;
    }
    return vtdpi_irq_batch_teardown(b, &r->irq[i]);
}

static void begin_batch(struct replay *r, struct vtdpi_irq_batch *b)
{
    assert_int_equal(
        vtdpi_irq_batch_begin(b, &r->by.backend, r->ranges, RANGES), 0);
}

static void assert_goes(struct replay *r, unsigned int i, enum goes to)
{
    for (unsigned int u = 0; u < UNITS; u++) {
        if (to == NOWHERE)
            assert_blocked(r->m, u, r->index[i], VTDPI_FR_NOT_PRESENT);
        else if (to == TO_HOST || to == TO_HOST2)
            assert_remapped(r->m, u, r->index[i],
                            HOST_VECTOR + (to == TO_HOST2 ? 1 : 0));
        else
            assert_posted(r->m, u, r->index[i], to == TO_A ? 0 : 1,
                          (uint8_t)(GUEST_VECTOR + i));
    }
}

static void start(struct replay *r)
{
    struct vtdpi_irq_batch b;
    void *state;

    (void)machine_setup(&state);
    memset(r, 0, sizeof(*r));
    r->m = state;
    machine_replay_init(&r->by, r->m);
    for (unsigned int i = 0; i < IRQS; i++) {
        r->index[i] = machine_index(r->m);
        assert_int_equal(vtdpi_irq_init(&r->irq[i], &r->by.backend, r->index[i],
                                        &source, NULL),
                         0);
    }
    begin_batch(r, &b);
    for (unsigned int i = 0; i < IRQS; i++) {
        if (plan[i].from != NOWHERE)
            assert_int_equal(go(r, &b, i, plan[i].from), 0);
    }
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    /* Over a host form, and cached. */
    for (unsigned int i = 0; i < IRQS; i++) {
        const struct vtdpi_irte_remapped host = fields_remapped(HOST_VECTOR);

        if (vtdpi_irq_vcpu(&r->irq[i]) != NULL)
            assert_int_equal(vtdpi_irq_set_host(&r->irq[i], &host), 0);
        assert_goes(r, i, plan[i].from);
    }
}

/* The batch, with the injection. */
static int run_batch(struct replay *r)
{
    struct vtdpi_irq_batch b;
    int rc;

    begin_batch(r, &b);
    machine_replay_begin(&r->by);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(go(r, &b, i, plan[i].to), 0);
    rc = vtdpi_irq_batch_commit(&b);
    machine_replay_end(&r->by);
    return rc;
}

static unsigned int count(enum goes to)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < IRQS; i++)
        n += plan[i].to == to;
    return n;
}

/* Everything is where it should go; then it is ended and nothing is left. */
static void finish(struct replay *r, bool all_on)
{
    struct vtdpi_irq_batch b;

    for (unsigned int i = 0; i < IRQS; i++) {
        assert_false(vtdpi_irq_is_dirty(&r->irq[i]));
        if (all_on)
            assert_goes(r, i, plan[i].to);
    }
    assert_int_equal(vtdpi_vcpu_refs(&r->m->vcpu[0]), count(TO_A));
    assert_int_equal(vtdpi_vcpu_refs(&r->m->vcpu[1]), count(TO_B));
    begin_batch(r, &b);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_irq_batch_teardown(&b, &r->irq[i]), 0);
    assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_table_free(&r->m->table, r->index[i], 1), 0);
    for (unsigned int v = 0; v < 2; v++)
        assert_int_equal(vtdpi_vcpu_detach(&r->m->vcpu[v]), 0);
    (void)machine_teardown(&(void *){r->m});
}

/* One interrupt, in exactly one place: the old one or the new one. */
static void account(struct replay *r)
{
    const struct vtdpi_model_result *res = &r->by.result;
    const unsigned int i = r->which;
    const uint64_t bit = UINT64_C(1) << ((GUEST_VECTOR + i) % 64);
    enum goes to = NOWHERE;

    if (res->outcome == VTDPI_MODEL_REMAPPED) {
        to = res->vector == HOST_VECTOR ? TO_HOST : TO_HOST2;
    } else if (res->outcome == VTDPI_MODEL_POSTED) {
        to = res->pda == PIDS_PHYS ? TO_A : TO_B;
        assert_int_equal(r->m->pids[to == TO_A ? 0 : 1].pir[1], bit);
        r->m->pids[to == TO_A ? 0 : 1].pir[1] = 0;
    } else {
        assert_int_equal(res->outcome, VTDPI_MODEL_BLOCKED);
    }
    assert_true(to == plan[i].from || to == plan[i].to);
}

/* What one replay is about. */
struct subject {
    unsigned int unit;
    unsigned int which;
    enum vtdpi_model_fault fault;
    unsigned int failed;
};

static bool replay_interrupt(void *ctx, unsigned int step)
{
    const struct subject *s = ctx;
    struct replay r;

    start(&r);
    r.which = s->which;
    r.by.unit = s->unit;
    r.by.index = r.index[s->which];
    r.by.step.at = step;
    assert_int_equal(run_batch(&r), 0);
    if (r.by.step.done)
        account(&r);
    for (int v = 0; v < MACHINE_VCPUS; v++)
        assert_int_equal(r.m->pids[v].pir[1], 0);
    finish(&r, true);
    return r.by.step.done;
}

static void test_replay_interrupt_before_every_step(void **state)
{
    (void)state;
    for (unsigned int which = 0; which < IRQS; which++) {
        for (unsigned int unit = 0; unit < UNITS; unit++) {
            struct subject s = {.unit = unit, .which = which};

            /* queues and backend calls */
            assert_true(replay_every_step(replay_interrupt, &s, 0) > 3 * IRQS);
        }
    }
}

/* The commit failed: all that was changed is dirty, and held. */
static void assert_held(struct replay *r)
{
    unsigned int a = 0;
    unsigned int b = 0;

    for (unsigned int i = 0; i < IRQS; i++) {
        a += plan[i].from == TO_A || plan[i].to == TO_A;
        b += plan[i].from == TO_B || plan[i].to == TO_B;
        assert_true(vtdpi_irq_is_dirty(&r->irq[i]));
        assert_true(vtdpi_table_is_dirty(&r->m->table, r->index[i]));
        assert_int_equal(vtdpi_irq_is_pinned(&r->irq[i]),
                         plan[i].to == NOWHERE);
        assert_int_not_equal(vtdpi_table_free(&r->m->table, r->index[i], 1), 0);
    }
    assert_int_equal(vtdpi_vcpu_refs(&r->m->vcpu[0]), a);
    assert_int_equal(vtdpi_vcpu_refs(&r->m->vcpu[1]), b);
}

/* A unit that was gone is off when it has answered and a read has shown it. */
static void repair(struct replay *r)
{
    vtdpi_model_clear_fault(&r->m->model[r->by.unit], r->by.fault);
    if (r->by.fault == VTDPI_MODEL_FAULT_ALL_ONES)
        assert_int_equal(vtdpi_unit_disable(&r->m->unit[r->by.unit]), 0);
}

static bool replay_failure(void *ctx, unsigned int step)
{
    struct subject *s = ctx;
    const bool gone = s->fault == VTDPI_MODEL_FAULT_ALL_ONES;
    struct replay r;
    int rc;

    start(&r);
    r.by.fail = true;
    r.by.unit = s->unit;
    r.by.fault = s->fault;
    r.by.step.at = step;
    rc = run_batch(&r);
    if (rc != 0) {
        struct vtdpi_irq_batch b;

        s->failed++;
        assert_held(&r);
        repair(&r);
        begin_batch(&r, &b);
        for (unsigned int i = 0; i < IRQS; i++)
            assert_int_equal(vtdpi_irq_batch_flush(&b, &r.irq[i]), 0);
        assert_int_equal(vtdpi_irq_batch_commit(&b), 0);
    } else if (r.by.step.done) {
        repair(&r);
    }
    finish(&r, !gone || !r.by.step.done);
    return r.by.step.done;
}

static void replay_failures(enum vtdpi_model_fault fault, bool can_fail)
{
    for (unsigned int unit = 0; unit < UNITS; unit++) {
        struct subject s = {.unit = unit, .fault = fault};

        (void)replay_every_step(replay_failure, &s, 0);
        assert_int_equal(s.failed > 0, can_fail);
    }
}

static void test_replay_queue_failure_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_STATUS_NEVER, true);
    replay_failures(VTDPI_MODEL_FAULT_QUEUE_STUCK, true);
    replay_failures(VTDPI_MODEL_FAULT_IQE, true);
}

static void test_replay_unit_gone_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_ALL_ONES, true);
}

static void test_replay_device_timeout_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_ITE, false);
    replay_failures(VTDPI_MODEL_FAULT_ITE_UNFETCHED, false);
    replay_failures(VTDPI_MODEL_FAULT_ICE, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay_interrupt_before_every_step),
        cmocka_unit_test(test_replay_queue_failure_before_every_step),
        cmocka_unit_test(test_replay_unit_gone_before_every_step),
        cmocka_unit_test(test_replay_device_timeout_before_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
