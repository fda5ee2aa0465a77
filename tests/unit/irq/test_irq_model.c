/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq.h over table.h on two modelled units: what devices get while entries
 * change, with a device interrupt, or a failure, before every step.
 */
#include "test.h"

#include <string.h>

#include "machine_fixture.h"
#include "machine_replay.h"

enum {
    HOST_VECTOR = 0x51,
    GUEST_VECTOR = 0x61
};

struct fixture {
    struct machine *m;
    struct vtdpi_irq irq;
    struct vtdpi_backend_ops ops; /* for tests that leave a call out */
    struct vtdpi_backend backend;
    uint32_t index;
};

#define A(f) (&(f)->m->vcpu[0])
#define B(f) (&(f)->m->vcpu[1])

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

static void begin(struct fixture *f, const struct vtdpi_backend *b)
{
    f->index = machine_index(f->m);
    assert_int_equal(vtdpi_irq_init(&f->irq, b, f->index, &source, NULL), 0);
}

static void begin_on_table(struct fixture *f, struct machine *m)
{
    memset(f, 0, sizeof(*f));
    f->m = m;
    begin(f, vtdpi_table_backend(&m->table));
}

/* As begin_on_table(), with a backend whose calls the test can replace. */
static void begin_on_copy(struct fixture *f, struct machine *m)
{
    memset(f, 0, sizeof(*f));
    f->m = m;
    f->backend = *vtdpi_table_backend(&m->table);
    f->ops = *f->backend.ops;
    f->backend.ops = &f->ops;
    begin(f, &f->backend);
}

static int set_host(struct fixture *f, uint8_t vector)
{
    const struct vtdpi_irte_remapped h = fields_remapped(vector);

    return vtdpi_irq_set_host(&f->irq, &h);
}

static void assert_refs(struct fixture *f, unsigned int a, unsigned int b)
{
    assert_int_equal(vtdpi_vcpu_refs(A(f)), a);
    assert_int_equal(vtdpi_vcpu_refs(B(f)), b);
}

/* Where interrupts of the device go. */
enum goes {
    NOWHERE,
    TO_HOST,
    TO_HOST2,
    TO_A,
    TO_B,
    HOST_B /* the host form, which posts to B */
};

static void assert_goes(struct fixture *f, enum goes to)
{
    for (unsigned int u = 0; u < UNITS; u++) {
        switch (to) {
        case NOWHERE:
            assert_blocked(f->m, u, f->index, VTDPI_FR_NOT_PRESENT);
            break;
        case TO_HOST:
            assert_remapped(f->m, u, f->index, HOST_VECTOR);
            break;
        case TO_HOST2:
            assert_remapped(f->m, u, f->index, HOST_VECTOR + 1);
            break;
        case TO_A:
            assert_posted(f->m, u, f->index, 0, GUEST_VECTOR);
            break;
        case TO_B:
        case HOST_B:
            assert_posted(f->m, u, f->index, 1, GUEST_VECTOR);
            break;
        }
    }
}

/* Ends the interrupt: no reference, no index and no vCPU is left over. */
static void end(struct fixture *f)
{
    assert_int_equal(vtdpi_irq_teardown(&f->irq), 0);
    assert_goes(f, NOWHERE);
    assert_refs(f, 0, 0);
    assert_int_equal(vtdpi_table_free(&f->m->table, f->index, 1), 0);
    assert_int_equal(vtdpi_vcpu_detach(A(f)), 0);
    assert_int_equal(vtdpi_vcpu_detach(B(f)), 0);
}

/* The forms, one after the other. */

static void test_forms_are_delivered_as_they_change(void **state)
{
    struct fixture f;

    begin_on_table(&f, *state);
    assert_goes(&f, NOWHERE);
    assert_int_equal(set_host(&f, HOST_VECTOR), 0);
    assert_goes(&f, TO_HOST);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    assert_goes(&f, TO_A);
    assert_int_equal(vtdpi_irq_post(&f.irq, B(&f), GUEST_VECTOR), 0);
    assert_goes(&f, TO_B);
    assert_int_equal(vtdpi_irq_unpost(&f.irq), 0);
    assert_goes(&f, TO_HOST);
    end(&f);
}

static void test_host_change_under_posted_form_touches_no_register(void **state)
{
    struct fixture f;
    uint64_t before;

    begin_on_table(&f, *state);
    assert_int_equal(set_host(&f, HOST_VECTOR), 0);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    before = machine_accesses(f.m);
    assert_int_equal(set_host(&f, HOST_VECTOR + 1), 0);
    assert_int_equal(machine_accesses(f.m), before);
    assert_goes(&f, TO_A);
    assert_int_equal(vtdpi_irq_unpost(&f.irq), 0);
    assert_goes(&f, TO_HOST2);
    end(&f);
}

static void test_source_is_verified_in_both_forms(void **state)
{
    struct fixture f;
    struct vtdpi_model_result r;

    begin_on_table(&f, *state);
    for (int posted = 0; posted < 2; posted++) {
        if (posted)
            assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
        else
            assert_int_equal(set_host(&f, HOST_VECTOR), 0);
        (void)vtdpi_model_msi(&f.m->model[1], SID ^ 0x100,
                              UINT64_C(0xfee00010) | (uint64_t)f.index << 5, 0,
                              &r);
        assert_int_equal(r.outcome, VTDPI_MODEL_BLOCKED);
        assert_int_equal(r.reason, VTDPI_FR_SOURCE_ID);
    }
    end(&f);
}

/* Steps left out: the model shows what goes wrong. */

static int no_invalidate(void *ctx, struct vtdpi_flush *flush, uint32_t first,
                         uint32_t count)
{
    (void)ctx;
    (void)flush;
    (void)first;
    (void)count;
    return 0;
}

static void
test_retarget_without_invalidation_posts_to_the_old_vcpu(void **state)
{
    struct fixture f;

    begin_on_copy(&f, *state);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    assert_goes(&f, TO_A);
    f.ops.invalidate = no_invalidate;
    assert_int_equal(vtdpi_irq_post(&f.irq, B(&f), GUEST_VECTOR), 0);
    assert_goes(&f, TO_A); /* whose PID may belong to somebody else by now */
    assert_refs(&f, 0, 1);

    f.ops.invalidate = vtdpi_table_backend(&f.m->table)->ops->invalidate;
    assert_int_equal(vtdpi_table_flush(&f.m->table, f.index, 1), 0);
    assert_goes(&f, TO_B);
    end(&f);
}

/* A commit of the table that does not wait. */
static int no_commit(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    (void)flush;
    return 0;
}

static void test_unpost_without_commit_goes_on_posting(void **state)
{
    struct fixture f;

    begin_on_copy(&f, *state);
    assert_int_equal(set_host(&f, HOST_VECTOR), 0);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    assert_goes(&f, TO_A);
    f.ops.commit = no_commit;
    assert_int_equal(vtdpi_irq_unpost(&f.irq), 0);
    assert_goes(&f, TO_A);
    assert_int_equal(vtdpi_table_flush(&f.m->table, f.index, 1), 0);
    assert_goes(&f, TO_HOST);
    f.ops.commit = vtdpi_table_backend(&f.m->table)->ops->commit;
    end(&f);
}

/* What was posted through the old entry has landed when unpost returns. */
static unsigned int in_flight_after_unpost(struct fixture *f)
{
    unsigned int n = 0;

    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), GUEST_VECTOR), 0);
    for (unsigned int u = 0; u < UNITS; u++) {
        vtdpi_model_set_fault(&f->m->model[u], VTDPI_MODEL_FAULT_POST_LATE, 0);
        assert_int_equal(machine_raise(f->m, u, f->index).outcome,
                         VTDPI_MODEL_IN_FLIGHT);
    }
    assert_int_equal(vtdpi_irq_unpost(&f->irq), 0);
    for (unsigned int u = 0; u < UNITS; u++) {
        n += vtdpi_model_in_flight(&f->m->model[u]);
        vtdpi_model_clear_fault(&f->m->model[u], VTDPI_MODEL_FAULT_POST_LATE);
        (void)vtdpi_model_drain(&f->m->model[u]);
    }
    return n;
}

static void test_unpost_drains(void **state)
{
    struct fixture f;

    begin_on_table(&f, *state);
    assert_int_equal(in_flight_after_unpost(&f), 0);
    assert_int_equal(f.m->pids[0].pir[1], UINT64_C(1) << 33);
    end(&f);
}

/* failing flushes */

static void test_teardown_flush_fails_pins_index_and_vcpu(void **state)
{
    struct fixture f;
    struct machine *m = *state;

    begin_on_table(&f, m);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    assert_goes(&f, TO_A);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_irq_teardown(&f.irq), VTDPI_ETIMEDOUT);
    assert_true(vtdpi_irq_is_pinned(&f.irq));
    /* Why: the unit that did not answer posts to A still. */
    assert_posted(m, 0, f.index, 0, GUEST_VECTOR);
    assert_blocked(m, 1, f.index, VTDPI_FR_NOT_PRESENT);
    assert_refs(&f, 1, 0);
    assert_int_equal(vtdpi_vcpu_detach_begin(A(&f)), VTDPI_EBUSY);
    assert_int_equal(vtdpi_table_free(&m->table, f.index, 1), VTDPI_EDIRTY);
    assert_int_equal(vtdpi_irq_flush(&f.irq), VTDPI_ETIMEDOUT);
    assert_true(vtdpi_irq_is_pinned(&f.irq));

    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(vtdpi_irq_flush(&f.irq), 0);
    assert_false(vtdpi_irq_is_pinned(&f.irq));
    end(&f);
}

static void test_pinned_is_released_after_a_global_flush(void **state)
{
    struct fixture f;
    struct machine *m = *state;

    begin_on_table(&f, m);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_irq_teardown(&f.irq), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_STATUS_NEVER);
    assert_int_equal(vtdpi_table_flush_all(&m->table), 0);
    assert_int_equal(vtdpi_irq_mark_flushed(&f.irq), 0);
    assert_false(vtdpi_irq_is_pinned(&f.irq));
    end(&f);
}

static void test_pinned_is_released_when_remapping_is_off(void **state)
{
    struct fixture f;
    struct machine *m = *state;

    begin_on_table(&f, m);
    assert_int_equal(vtdpi_irq_post(&f.irq, A(&f), GUEST_VECTOR), 0);
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_irq_teardown(&f.irq), VTDPI_ETIMEDOUT);
    assert_true(vtdpi_irq_is_pinned(&f.irq));
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_STATUS_NEVER);
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
    assert_int_equal(vtdpi_irq_flush(&f.irq), 0);
    assert_refs(&f, 0, 0);
    assert_int_equal(vtdpi_table_free(&m->table, f.index, 1), 0);
}

/* Step replay. */

/* What is replayed: a change from one form to another. */
struct change {
    enum goes from;
    enum goes to;
};

static const struct change changes[] = {
    {TO_HOST, TO_HOST2}, {TO_HOST, TO_A}, {TO_A, TO_B},      {TO_A, TO_HOST},
    {TO_A, NOWHERE},     {TO_B, NOWHERE}, {TO_HOST, TO_B},   {TO_HOST, HOST_B},
    {HOST_B, TO_A},      {TO_A, HOST_B},  {HOST_B, TO_HOST}, {HOST_B, NOWHERE},
};
enum {
    CHANGES = sizeof(changes) / sizeof(changes[0])
};

static int go_host_b(struct fixture *f)
{
    const int rc = vtdpi_irq_set_host_posted(&f->irq, vtdpi_vcpu_target(B(f)),
                                             GUEST_VECTOR);

    return rc != 0 || vtdpi_irq_vcpu(&f->irq) == NULL
               ? rc
               : vtdpi_irq_unpost(&f->irq);
}

/* References on B once the change is flushed: by the entry, by the host form. */
static unsigned int refs_on_b(const struct change *c)
{
    unsigned int n = 0;

    if (c->to == TO_B || c->to == HOST_B)
        n++;
    if (c->to == HOST_B || (c->from == HOST_B && c->to == TO_A))
        n++;
    return n;
}

/* Brings the interrupt to a form. Going nowhere is the teardown. */
static int go(struct fixture *f, enum goes to)
{
    switch (to) {
    case TO_HOST:
        return vtdpi_irq_vcpu(&f->irq) == NULL ? set_host(f, HOST_VECTOR)
                                               : vtdpi_irq_unpost(&f->irq);
    case TO_HOST2:
        return set_host(f, HOST_VECTOR + 1);
    case TO_A:
        return vtdpi_irq_post(&f->irq, A(f), GUEST_VECTOR);
    case TO_B:
        return vtdpi_irq_post(&f->irq, B(f), GUEST_VECTOR);
    case HOST_B:
        return go_host_b(f);
    case NOWHERE:
        break;
    }
    return vtdpi_irq_teardown(&f->irq);
}

static struct machine *started(struct fixture *f, const struct change *c)
{
    void *state;

    (void)machine_setup(&state);
    begin_on_table(f, state);
    assert_int_equal(go(f, TO_HOST), 0);
    assert_int_equal(go(f, c->from), 0);
    assert_goes(f, c->from); /* and is in the caches */
    return f->m;
}

/* Runs the change with the act before its step. */
static int replay_change(struct fixture *f, struct machine_replay *r,
                         const struct change *c)
{
    int rc;

    machine_replay_begin(r);
    rc = go(f, c->to);
    machine_replay_end(r);
    return rc;
}

/* One interrupt, exactly one place, the old or the new. */
static void assert_was_at(struct fixture *f, const struct machine_replay *i,
                          enum goes to)
{
    const struct vtdpi_model_result *r = &i->result;
    uint64_t *pir = &f->m->pids[to == TO_A ? 0 : 1].pir[1];

    switch (to) {
    case NOWHERE:
        assert_int_equal(r->outcome, VTDPI_MODEL_BLOCKED);
        break;
    case TO_HOST:
    case TO_HOST2:
        assert_int_equal(r->outcome, VTDPI_MODEL_REMAPPED);
        assert_int_equal(r->vector, HOST_VECTOR + (to == TO_HOST2 ? 1 : 0));
        break;
    case TO_A:
    case TO_B:
    case HOST_B:
        assert_int_equal(r->outcome, VTDPI_MODEL_POSTED);
        assert_int_equal(*pir, UINT64_C(1) << 33);
        *pir = 0;
        break;
    }
}

static enum goes went(const struct machine_replay *i, const struct change *c)
{
    const struct vtdpi_model_result *r = &i->result;

    switch (r->outcome) {
    case VTDPI_MODEL_POSTED:
        if (r->pda == PIDS_PHYS)
            return TO_A;
        return c->from == HOST_B || c->to == HOST_B ? HOST_B : TO_B;
    case VTDPI_MODEL_REMAPPED:
        return r->vector == HOST_VECTOR ? TO_HOST : TO_HOST2;
    case VTDPI_MODEL_BLOCKED:
        return NOWHERE;
    default:
        fail_msg("outcome %d from %d to %d", (int)r->outcome, (int)c->from,
                 (int)c->to);
        return NOWHERE;
    }
}

/* What one replay is about. */
struct subject {
    const struct change *change;
    unsigned int unit;
    enum vtdpi_model_fault fault;
    unsigned int failed;
};

static bool replay_interrupt(void *ctx, unsigned int step)
{
    const struct subject *s = ctx;
    const struct change *c = s->change;
    struct machine_replay i;
    struct fixture f;
    struct machine *m = started(&f, c);
    enum goes to;

    machine_replay_init(&i, m);
    i.step.at = step;
    i.unit = s->unit;
    i.index = f.index;
    assert_int_equal(replay_change(&f, &i, c), 0);
    assert_false(vtdpi_irq_is_dirty(&f.irq));
    if (i.step.done) {
        to = went(&i, c);
        assert_true(to == c->from || to == c->to);
        assert_was_at(&f, &i, to);
    }
    /* Nothing landed anywhere else, and from now on it is the new form. */
    for (int v = 0; v < MACHINE_VCPUS; v++)
        assert_int_equal(m->pids[v].pir[1], 0);
    assert_goes(&f, c->to);
    assert_refs(&f, c->to == TO_A, refs_on_b(c));
    end(&f);
    (void)machine_teardown(&(void *){m});
    return i.step.done;
}

static void test_replay_interrupt_before_every_step(void **state)
{
    (void)state;
    for (int c = 0; c < CHANGES; c++) {
        for (unsigned int unit = 0; unit < UNITS; unit++) {
            struct subject s = {.change = &changes[c], .unit = unit};

            /* both queues were driven */
            assert_true(replay_every_step(replay_interrupt, &s, 0) >= 6);
        }
    }
}

/* A form that holds a reference still holds it while a unit may use it. */
static void assert_held(struct fixture *f, const struct change *c)
{
    if (c->from == TO_A || c->to == TO_A)
        assert_int_equal(vtdpi_vcpu_refs(A(f)), 1);
    /* The old entry's besides. */
    assert_int_equal(vtdpi_vcpu_refs(B(f)),
                     refs_on_b(c) +
                         (c->from == TO_B || c->from == HOST_B ? 1 : 0));
    assert_int_equal(vtdpi_irq_is_pinned(&f->irq), c->to == NOWHERE);
}

static bool replay_failure(void *ctx, unsigned int step)
{
    struct subject *s = ctx;
    const struct change *c = s->change;
    struct machine_replay i;
    struct fixture f;
    struct machine *m = started(&f, c);
    int rc;

    machine_replay_init(&i, m);
    i.step.at = step;
    i.unit = s->unit;
    i.fail = true;
    i.fault = s->fault;
    rc = replay_change(&f, &i, c);
    assert_int_equal(vtdpi_irq_is_dirty(&f.irq), rc != 0);
    assert_int_equal(vtdpi_table_is_dirty(&m->table, f.index), rc != 0);
    if (rc != 0) {
        s->failed++;
        assert_held(&f, c);
        vtdpi_model_clear_fault(&m->model[s->unit], s->fault);
        assert_int_equal(vtdpi_irq_flush(&f.irq), 0);
    }
    vtdpi_model_clear_fault(&m->model[s->unit], s->fault);
    assert_goes(&f, c->to);
    assert_refs(&f, c->to == TO_A, refs_on_b(c));
    end(&f);
    (void)machine_teardown(&(void *){m});
    return i.step.done;
}

static void replay_failures(enum vtdpi_model_fault fault, bool can_fail)
{
    for (int c = 0; c < CHANGES; c++) {
        for (unsigned int unit = 0; unit < UNITS; unit++) {
            struct subject s = {
                .change = &changes[c], .unit = unit, .fault = fault};

            (void)replay_every_step(replay_failure, &s, 0);
            assert_int_equal(s.failed > 0, can_fail);
        }
    }
}

static void test_replay_status_never_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_STATUS_NEVER, true);
}

static void test_replay_queue_stuck_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_QUEUE_STUCK, true);
}

static void test_replay_descriptor_refused_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_IQE, true);
}

/* Another device's time-out: a caller that flushes entries gets no error. */
static void test_replay_device_timeout_before_every_step(void **state)
{
    (void)state;
    replay_failures(VTDPI_MODEL_FAULT_ITE, false);
    replay_failures(VTDPI_MODEL_FAULT_ITE_UNFETCHED, false);
    replay_failures(VTDPI_MODEL_FAULT_ICE, false);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_forms_are_delivered_as_they_change),
        TEST(test_host_change_under_posted_form_touches_no_register),
        TEST(test_source_is_verified_in_both_forms),
        TEST(test_retarget_without_invalidation_posts_to_the_old_vcpu),
        TEST(test_unpost_without_commit_goes_on_posting),
        TEST(test_unpost_drains),
        TEST(test_teardown_flush_fails_pins_index_and_vcpu),
        TEST(test_pinned_is_released_after_a_global_flush),
        TEST(test_pinned_is_released_when_remapping_is_off),
        TEST(test_replay_interrupt_before_every_step),
        TEST(test_replay_status_never_before_every_step),
        TEST(test_replay_queue_stuck_before_every_step),
        TEST(test_replay_descriptor_refused_before_every_step),
        TEST(test_replay_device_timeout_before_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
