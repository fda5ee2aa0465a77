/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step replay: enable, use and disable a unit, once for each step that the
 * model takes, with a failure injected before that step. Whatever the step:
 * every call ends in time with a documented code, no rule of the unit is
 * broken that the failure does not break itself, and afterwards the unit is
 * off or can be brought off, and works again.
 */
#include "replay.h"
#include "unit_rig.h"

struct injection {
    const char *name;
    enum vtdpi_model_fault fault;
    uint64_t arg;
    int allowed[4]; /* codes that a call may return, besides 0 */
    /* What the failure itself breaks. */
    enum vtdpi_model_violation_kind tolerated;
};

static const struct injection injections[] = {
    {"gone",
     VTDPI_MODEL_FAULT_ALL_ONES,
     0,
     {VTDPI_EIO, VTDPI_EQOFF},
     VTDPI_MODEL_OK},
    {"queue stuck",
     VTDPI_MODEL_FAULT_QUEUE_STUCK,
     0,
     {VTDPI_ETIMEDOUT},
     VTDPI_MODEL_QUEUE_BUSY},
    {"status never written",
     VTDPI_MODEL_FAULT_STATUS_NEVER,
     0,
     {VTDPI_ETIMEDOUT},
     VTDPI_MODEL_OK},
    {"commands stuck",
     VTDPI_MODEL_FAULT_GSTS_STUCK,
     0xffffffff,
     {VTDPI_ETIMEDOUT, VTDPI_EQOFF},
     VTDPI_MODEL_OK},
    {"IQE", VTDPI_MODEL_FAULT_IQE, 0, {VTDPI_EIQE}, VTDPI_MODEL_OK},
    {"ITE", VTDPI_MODEL_FAULT_ITE, 0, {0}, VTDPI_MODEL_OK},
    {"ITE before the wait",
     VTDPI_MODEL_FAULT_ITE_UNFETCHED,
     0,
     {0},
     VTDPI_MODEL_OK},
    {"ICE", VTDPI_MODEL_FAULT_ICE, 0, {0}, VTDPI_MODEL_OK},
    {"late", VTDPI_MODEL_FAULT_STATUS_LATE, 300, {0}, VTDPI_MODEL_OK},
};

#define INJECTIONS (sizeof(injections) / sizeof(injections[0]))

static const struct injection *injected;
static uint64_t at_step;

static void inject(void *ctx, struct vtdpi_model *m, enum vtdpi_model_step kind)
{
    (void)ctx;
    (void)kind;
    if (m->counters.steps == at_step)
        vtdpi_model_set_fault(m, injected->fault, injected->arg);
}

static void assert_allowed(int rc)
{
    if (rc == 0)
        return;
    for (size_t i = 0; i < 4; i++) {
        if (injected->allowed[i] == rc)
            return;
    }
    fail_msg("%s before step %llu: %s", injected->name,
             (unsigned long long)at_step, vtdpi_strerror(rc));
}

/* Enable, two flushes of two submitters, drain, disable. */
static void scenario(void)
{
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket a;
    struct vtdpi_qi_ticket b;
    const int enabled = vtdpi_unit_enable(&rig.u, &c);

    assert_allowed(enabled);
    if (enabled != 0)
        return;
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
    assert_allowed(vtdpi_unit_submit_iec(&rig.u, 16, 4, &a));
    assert_allowed(vtdpi_unit_submit_iec_global(&rig.u, &b));
    assert_allowed(vtdpi_unit_wait(&rig.u, &b, 0));
    assert_allowed(vtdpi_unit_wait(&rig.u, &a, 0));
    assert_allowed(vtdpi_unit_flush_write_buffer(&rig.u));
    assert_allowed(vtdpi_unit_drain(&rig.u));
    assert_allowed(vtdpi_unit_disable(&rig.u));
}

static void assert_usable(void)
{
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket t;

    /* Mended, it goes off if it is not. */
    if (vtdpi_unit_state(&rig.u) != VTDPI_UNIT_OFF)
        assert_allowed(vtdpi_unit_disable(&rig.u));
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    /* A unit that was gone for a while comes back as it was left. */
    c.take_over = injected->fault == VTDPI_MODEL_FAULT_ALL_ONES;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0);
    assert_int_equal(vtdpi_model_latched_irta(&rig.m) & 0x800, 0);
}

/* Returns whether the step was reached. */
static bool replay(void *ctx, unsigned int step)
{
    struct vtdpi_model_violation v;
    uint64_t begin;
    bool came;

    (void)ctx;
    rig_power_up(CAP | 0x10, ECAP); /* RWBF: one more command */
    vtdpi_model_set_clock_step(&rig.m, 5000);
    rig_probe();
    at_step = step;
    vtdpi_model_set_step_hook(&rig.m, inject);
    begin = rig_now();
    scenario();
    vtdpi_model_set_step_hook(&rig.m, NULL);
    came = rig_counters().steps > step;
    assert_true(rig_now() - begin <= 12 * VTDPI_CMD_TIMEOUT_US);
    v = vtdpi_model_first_violation(&rig.m);
    if (v.kind != VTDPI_MODEL_OK && v.kind != injected->tolerated)
        fail_msg("%s before step %llu: %s", injected->name,
                 (unsigned long long)at_step,
                 vtdpi_model_violation_name(v.kind));
    vtdpi_model_clear_violations(&rig.m);

    vtdpi_model_clear_fault(&rig.m, injected->fault);
    assert_usable();
    rig_assert_clean();
    return came;
}

static void test_unit_replay_failure_before_each_step_ends_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < INJECTIONS; i++) {
        uint64_t total;

        injected = &injections[i];
        at_step = UINT64_MAX;
        rig_power_up(CAP | 0x10, ECAP);
        rig_probe();
        scenario();
        rig_assert_clean();
        total = rig_counters().steps;
        assert_true(total > 40);
        assert_int_equal(replay_every_step(replay, NULL, 0), total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unit_replay_failure_before_each_step_ends_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
