/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: every state times every call, with DMA translation off and on. One
 * table says which code and which state come of it; no state is a dead end. Then the
 * same with hardware that fails during the call, in every way.
 */
#include "unit_fixture.h"

enum {
    OFF = VTDPI_UNIT_OFF,
    ON = VTDPI_UNIT_ON,
    QUEUE = VTDPI_UNIT_QUEUE,
    SUSPENDED = VTDPI_UNIT_SUSPENDED,
    FAILED = VTDPI_UNIT_FAILED,
    FOREIGN = VTDPI_UNIT_FOREIGN,
    GONE = VTDPI_UNIT_GONE,
    FORSAKEN = VTDPI_UNIT_FORSAKEN,
    STATES
};

#define TE 0x80000000u

/* DMA translation is on; GCMD.SRTP comes first. */
static bool te;

static void dma_on(void)
{
    rig_gcmd((vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000) | 0x40000000);
    rig_gcmd((vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000) | TE);
}

/* The unit stops to answer, for the calls of this test or for one of them. */
static void gone(bool on)
{
    if (on)
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    else
        vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES);
}

/* The calls. */

static struct vtdpi_unit_config config;

static int call_enable(void)
{
    return vtdpi_unit_enable(&rig.u, &config);
}

static int call_open_queue(void)
{
    return vtdpi_unit_open_queue(&rig.u, &config);
}

static int call_disable(void)
{
    return vtdpi_unit_disable(&rig.u);
}

static int call_suspend(void)
{
    return vtdpi_unit_suspend(&rig.u);
}

static int call_resume(void)
{
    return vtdpi_unit_resume(&rig.u);
}

static int call_forsake(void)
{
    return vtdpi_unit_forsake(&rig.u);
}

static int call_probe(void)
{
    return vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW);
}

enum {
    ENABLE,
    OPEN_QUEUE,
    DISABLE,
    SUSPEND,
    RESUME,
    FORSAKE,
    PROBE,
    CALLS
};

static int (*const calls[CALLS])(void) = {
    call_enable, call_open_queue, call_disable, call_suspend,
    call_resume, call_forsake,    call_probe,
};

/* The states. */

static void other_kernel_has_it(void)
{
    static struct vtdpi_unit other;
    struct vtdpi_unit_config theirs = rig_config();

    theirs.qi.ring = rig_mem + RING_AT + 0x10000;
    theirs.qi.ring_phys += 0x10000;
    assert_int_equal(vtdpi_unit_probe(&other, &rig.ops, &rig.m, RIG_WINDOW), 0);
    rig_join(&other, TABLE_AT, 8, VTDPI_X2APIC);
    assert_int_equal(vtdpi_unit_enable(&other, &theirs), 0);
}

/* Remapping does not go off; afterwards it would. */
static void begin_failed(void)
{
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x02000000);
    assert_int_equal(call_disable(), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
}

static void begin_gone(void)
{
    gone(true);
    assert_int_equal(call_disable(), VTDPI_EIO);
    gone(false);
}

static void begin_forsaken(void)
{
    gone(true);
    assert_int_equal(call_disable(), VTDPI_EIO);
    assert_int_equal(call_forsake(), 0);
    gone(false);
}

static void begin(int state)
{
    rig_power_up(CAP, ECAP);
    config = rig_config();
    if (state == FOREIGN)
        other_kernel_has_it();
    rig_probe();
    if (state == QUEUE)
        assert_int_equal(call_open_queue(), 0);
    else if (state != OFF && state != FOREIGN)
        assert_int_equal(call_enable(), 0);
    if (te)
        dma_on();
    if (state == SUSPENDED)
        assert_int_equal(call_suspend(), 0);
    else if (state == FAILED)
        begin_failed();
    else if (state == GONE)
        begin_gone();
    else if (state == FORSAKEN)
        begin_forsaken();
    assert_int_equal(vtdpi_unit_state(&rig.u), state);
    rig_assert_clean();
}

/* What comes of it. */

struct outcome {
    int code;
    int state;
    int code_te; /* with DMA translation on */
    int state_te;
};

#define BOTH(code, state)                \
    {                                    \
        (code), (state), (code), (state) \
    }
#define REFUSED(state) BOTH(VTDPI_ESTATE, state)

static const struct outcome table[STATES][CALLS] = {
    [OFF] = {BOTH(0, ON), BOTH(0, QUEUE), REFUSED(OFF), REFUSED(OFF),
             REFUSED(OFF), REFUSED(OFF), BOTH(0, OFF)},
    [FOREIGN] = {BOTH(VTDPI_EFOREIGN, FOREIGN), BOTH(VTDPI_EFOREIGN, FOREIGN),
                 REFUSED(FOREIGN), REFUSED(FOREIGN), REFUSED(FOREIGN),
                 REFUSED(FOREIGN), BOTH(0, FOREIGN)},
    [QUEUE] = {BOTH(0, ON),
               REFUSED(QUEUE),
               {0, OFF, VTDPI_EBUSY, QUEUE},
               REFUSED(QUEUE),
               REFUSED(QUEUE),
               REFUSED(QUEUE),
               BOTH(0, FOREIGN)},
    [ON] = {REFUSED(ON),
            REFUSED(ON),
            {0, OFF, VTDPI_EBUSY, QUEUE},
            BOTH(0, SUSPENDED),
            REFUSED(ON),
            REFUSED(ON),
            BOTH(0, FOREIGN)},
    [SUSPENDED] = {REFUSED(SUSPENDED),
                   REFUSED(SUSPENDED),
                   REFUSED(SUSPENDED),
                   REFUSED(SUSPENDED),
                   BOTH(0, ON),
                   REFUSED(SUSPENDED),
                   {0, OFF, 0, FOREIGN}},
    [FAILED] = {REFUSED(FAILED),
                REFUSED(FAILED),
                {0, OFF, VTDPI_EBUSY, QUEUE},
                REFUSED(FAILED),
                BOTH(0, ON),
                BOTH(VTDPI_EBUSY, FAILED),
                BOTH(0, FOREIGN)},
    [GONE] = {REFUSED(GONE),
              REFUSED(GONE),
              {0, OFF, VTDPI_EBUSY, QUEUE},
              REFUSED(GONE),
              BOTH(0, ON),
              BOTH(VTDPI_EBUSY, GONE),
              BOTH(0, FOREIGN)},
    [FORSAKEN] = {REFUSED(FORSAKEN), REFUSED(FORSAKEN), REFUSED(FORSAKEN),
                  REFUSED(FORSAKEN), REFUSED(FORSAKEN), REFUSED(FORSAKEN),
                  BOTH(0, FOREIGN)},
};

/* The library's word and the unit's agree. */
static void assert_true_state(int state)
{
    const uint32_t gsts = (uint32_t)vtdpi_model_peek(&rig.m, 0x1c);
    struct vtdpi_qi_ticket t;

    assert_int_equal(vtdpi_unit_state(&rig.u), state);
    assert_int_equal((gsts & TE) != 0, te);
    if (state == OFF)
        assert_int_equal(gsts & 0x06000000, 0);
    if (state == QUEUE || state == SUSPENDED)
        assert_int_equal(gsts & 0x02000000, 0);
    if (state == ON || state == QUEUE || (state == SUSPENDED && te)) {
        assert_int_equal(gsts & 0x04000000, 0x04000000);
        assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
        assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
    }
    if (state == ON)
        assert_int_equal(gsts & 0x02000000, 0x02000000);
}

static void expect(int state, int call)
{
    const struct outcome *o = &table[state][call];
    int rc;

    begin(state);
    rc = calls[call]();
    if (rc != (te ? o->code_te : o->code))
        print_error("state %d, call %d, te %d\n", state, call, te);
    assert_int_equal(rc, te ? o->code_te : o->code);
    assert_true_state(te ? o->state_te : o->state);
    rig_assert_clean();
}

static void every_state_times_every_call(bool with_te)
{
    te = with_te;
    for (int state = 0; state < STATES; state++) {
        for (int call = 0; call < CALLS; call++)
            expect(state, call);
    }
}

static void test_states_without_dma_translation(void **state)
{
    (void)state;
    every_state_times_every_call(false);
}

static void test_states_with_dma_translation(void **state)
{
    (void)state;
    every_state_times_every_call(true);
}

/* Joining a table and leaving it. */

static const struct outcome leaving[STATES] = {
    [OFF] = BOTH(0, OFF),
    [FOREIGN] = BOTH(0, FOREIGN),
    [QUEUE] = BOTH(0, QUEUE),
    [ON] = BOTH(VTDPI_EBUSY, ON),
    [SUSPENDED] = BOTH(VTDPI_EBUSY, SUSPENDED),
    [FAILED] = BOTH(VTDPI_EBUSY, FAILED),
    [GONE] = BOTH(VTDPI_EBUSY, GONE),
    [FORSAKEN] = BOTH(0, FORSAKEN),
};

static void test_states_in_which_a_unit_leaves_its_table(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * STATES; i++) {
        const struct outcome *o = &leaving[i % STATES];

        te = i >= STATES;
        begin(i % STATES);
        rig_clear_trace();
        assert_int_equal(rig_leave(&rig.u), o->code);
        assert_int_equal(rig_leave(&rig.u),
                         o->code == 0 ? VTDPI_ENOENT : o->code);
        assert_int_equal(rig.traced, 0);
        assert_true_state(o->state);
    }
}

/* A unit that has opened its queue without a table. */
static void begin_without_table(int state)
{
    te = false;
    begin(state == FOREIGN ? FOREIGN : OFF);
    assert_int_equal(rig_leave(&rig.u), 0);
    if (state == OFF || state == FOREIGN)
        return;
    assert_int_equal(call_open_queue(), 0);
    if (state == FAILED) {
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x04000000);
        assert_int_equal(call_disable(), VTDPI_ETIMEDOUT);
        vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    } else if (state == GONE) {
        begin_gone();
    } else if (state == FORSAKEN) {
        begin_forsaken();
    }
    assert_int_equal(vtdpi_unit_state(&rig.u), state);
}

struct joining {
    int state;
    int code;   /* of the join */
    int enable; /* without it */
    int resume;
};

static const struct joining joining[] = {
    {OFF, 0, VTDPI_ENOTABLE, VTDPI_ESTATE},
    {FOREIGN, 0, VTDPI_ENOTABLE, VTDPI_ESTATE},
    {QUEUE, 0, VTDPI_ENOTABLE, VTDPI_ESTATE},
    {FAILED, VTDPI_ESTATE, VTDPI_ESTATE, VTDPI_ENOTABLE},
    {GONE, VTDPI_ESTATE, VTDPI_ESTATE, VTDPI_ENOTABLE},
    {FORSAKEN, VTDPI_ESTATE, VTDPI_ESTATE, VTDPI_ESTATE},
};

static int join(void)
{
    return rig_try_join(&rig.u, TABLE_AT, 8, VTDPI_X2APIC);
}

static void test_states_in_which_a_unit_joins_a_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(joining) / sizeof(joining[0]); i++) {
        const struct joining *j = &joining[i];

        begin_without_table(j->state);
        rig_clear_trace();
        assert_int_equal(call_enable(), j->enable);
        assert_int_equal(call_resume(), j->resume);
        assert_int_equal(join(), j->code);
        assert_int_equal(rig.traced, 0);
        assert_true_state(j->state);
        config.take_over = true;
        if (j->code == 0)
            assert_int_equal(call_enable(), 0);
    }
    begin(ON);
    assert_int_equal(join(), VTDPI_EATTACHED);
    begin(SUSPENDED);
    assert_int_equal(join(), VTDPI_EATTACHED);
}

/* The same calls while the unit does not answer. */
static int gone_state(int state, int call)
{
    const bool is_life = call != PROBE && call != FORSAKE;

    if (table[state][call].code == VTDPI_ESTATE)
        return state;
    return is_life ? GONE : FORSAKEN;
}

static void test_states_of_a_unit_that_does_not_answer(void **state)
{
    (void)state;
    for (int i = 0; i < STATES * (CALLS - 1); i++) {
        const int from = i % STATES;
        const int call = i / STATES;
        const bool refused = table[from][call].code == VTDPI_ESTATE;
        int rc;

        te = (i & 1) != 0;
        begin(from);
        gone(true);
        rig_clear_trace();
        rc = calls[call]();
        assert_int_equal(rc, refused           ? VTDPI_ESTATE
                             : call == FORSAKE ? 0
                                               : VTDPI_EIO);
        assert_int_equal(vtdpi_unit_state(&rig.u), gone_state(from, call));
        assert_int_equal(rig_count(true, 0x18), 0);
    }
}

/* The call that the header names for a unit in @p now. */
static int call_towards(int goal, int now)
{
    switch (now) {
    case FORSAKEN:
        rig_probe();
        return 0;
    case SUSPENDED:
        return call_resume();
    case FAILED:
    case GONE:
        return goal == ON ? call_resume() : call_disable();
    case OFF:
    case FOREIGN:
        return call_enable();
    default:
        return goal == ON ? call_enable() : call_disable();
    }
}

static void assert_reaches(int goal)
{
    config.take_over = true;
    for (int i = 0; (int)vtdpi_unit_state(&rig.u) != goal; i++) {
        assert_true(i < 3);
        assert_int_equal(call_towards(goal, (int)vtdpi_unit_state(&rig.u)), 0);
    }
}

static void test_states_none_is_a_dead_end(void **state)
{
    (void)state;
    for (int from = 0; from < STATES; from++) {
        te = false;
        begin(from);
        assert_reaches(OFF);
        te = true;
        begin(from);
        assert_reaches(ON);
        vtdpi_model_clear_violations(&rig.m);
    }
}

/*
 * Hardware that fails during the call, in each of the model's ways that concern a
 * unit's life. A bit stuck in GSTS is one way for each bit.
 */
static const struct fault {
    enum vtdpi_model_fault mode;
    uint32_t argument;
} faults[] = {
    {VTDPI_MODEL_FAULT_GSTS_STUCK, 0x04000000}, /* QIES */
    {VTDPI_MODEL_FAULT_GSTS_STUCK, 0x02000000}, /* IRES */
    {VTDPI_MODEL_FAULT_GSTS_STUCK, 0x01000000}, /* IRTPS */
    {VTDPI_MODEL_FAULT_GSTS_STUCK, 0x00800000}, /* CFIS */
    {VTDPI_MODEL_FAULT_GSTS_STUCK, 0x07800000},
    {VTDPI_MODEL_FAULT_GSTS_LATE, 3},
    {VTDPI_MODEL_FAULT_IQE, 0},
    {VTDPI_MODEL_FAULT_ITE, 0},
    {VTDPI_MODEL_FAULT_ICE, 0},
    {VTDPI_MODEL_FAULT_STATUS_LATE, 3},
    {VTDPI_MODEL_FAULT_STATUS_NEVER, 0},
    {VTDPI_MODEL_FAULT_QUEUE_STUCK, 0},
    {VTDPI_MODEL_FAULT_IQH_STUCK, 0},
    {VTDPI_MODEL_FAULT_ALL_ONES, 0},
    {VTDPI_MODEL_FAULT_FSTS_STUCK, 0x10},
};

/* The codes that unit.h lists for a call that its state allows. */
static bool is_documented(int call, int rc)
{
    switch (rc) {
    case 0:
    case VTDPI_EIO:
        return true;
    case VTDPI_ETIMEDOUT:
        return call != FORSAKE;
    case VTDPI_EFOREIGN:
        return call == ENABLE || call == OPEN_QUEUE || call == RESUME;
    case VTDPI_EIQE:
        return call != FORSAKE && call != OPEN_QUEUE;
    case VTDPI_ECFIS:
        return call == ENABLE || call == RESUME;
    case VTDPI_EBUSY:
        return call == DISABLE || call == FORSAKE;
    default:
        return false;
    }
}

/* What a state says of the registers; FAILED and GONE say nothing. */
static void assert_registers_agree(void)
{
    const uint32_t gsts = (uint32_t)vtdpi_model_peek(&rig.m, 0x1c);

    switch ((int)vtdpi_unit_state(&rig.u)) {
    case OFF:
        assert_int_equal(gsts & 0x06000000, 0);
        break;
    case SUSPENDED:
        assert_int_equal(gsts & 0x02000000, 0);
        break;
    case QUEUE:
        assert_int_equal(gsts & 0x06000000, 0x04000000);
        break;
    case ON:
        assert_int_equal(gsts & 0x06000000, 0x06000000);
        break;
    default:
        break;
    }
}

/* With hardware that is well again; a command that was lost costs a call. */
static void assert_recovers_to(int goal)
{
    config.take_over = true;
    for (int i = 0; (int)vtdpi_unit_state(&rig.u) != goal; i++) {
        assert_true(i < 6);
        (void)call_towards(goal, (int)vtdpi_unit_state(&rig.u));
        assert_registers_agree();
    }
}

static void expect_survives(int state, int call, const struct fault *f)
{
    const bool refused = table[state][call].code == VTDPI_ESTATE;
    int rc;

    begin(state);
    vtdpi_model_set_fault(&rig.m, f->mode, f->argument);
    rc = calls[call]();
    if (refused) {
        assert_int_equal(rc, VTDPI_ESTATE);
        assert_int_equal(vtdpi_unit_state(&rig.u), state);
    } else if (!is_documented(call, rc)) {
        print_error("state %d, call %d, fault %d: %d\n", state, call,
                    (int)f->mode, rc);
        fail();
    }
    assert_registers_agree();
    vtdpi_model_clear_fault(&rig.m, f->mode);
    assert_recovers_to(te ? ON : OFF);
    vtdpi_model_clear_violations(&rig.m); /* commands that were given up */
}

static void test_states_with_every_fault(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * STATES * (CALLS - 1); i++) {
        te = (i & 1) != 0;
        for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++)
            expect_survives(i / 2 % STATES, i / 2 / STATES, &faults[f]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_states_without_dma_translation),
        TEST(test_states_with_dma_translation),
        TEST(test_states_in_which_a_unit_leaves_its_table),
        TEST(test_states_in_which_a_unit_joins_a_table),
        TEST(test_states_of_a_unit_that_does_not_answer),
        TEST(test_states_none_is_a_dead_end),
        TEST(test_states_with_every_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
