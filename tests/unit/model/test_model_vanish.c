/* SPDX-License-Identifier: BSD-2-Clause */
/* A unit that vanishes, and returns as it was or after a reset. */
#include "model_rig.h"

static const uint32_t words[] = {0x00, 0x1c, 0x34, 0x38, 0x3c, 0x40,
                                 0x44, 0x9c, 0xa0, 0xa4, 0xa8, 0xac};
static const uint32_t pairs[] = {0x08, 0x10, 0x20, 0x28,  0x80, 0x88,
                                 0x90, 0xb0, 0xb8, 0x100, 0x178};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Vector 41h of a vCPU whose notification vector is f2h, on APIC id 3. */
static void post(struct rig *rig)
{
    uint64_t *pid = rig_words(rig, RIG_PID);

    memset(pid, 0, 64);
    pid[4] = 0x0000000300f20000;
    rig_entry(rig, 1, 0x0000000000418001 | (RIG_PID & 0xffffffc0) << 32,
              RIG_PID >> 32 << 32);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE, 0);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_IN_FLIGHT);
}

static uint64_t pir(struct rig *rig)
{
    return rig_words(rig, RIG_PID)[1];
}

static void test_vanished_unit_answers_all_ones_and_takes_nothing(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_vanish(&rig->m);
    for (size_t i = 0; i < LENGTH(words); i++) {
        const uint64_t before = vtdpi_model_peek(&rig->m, words[i]);

        assert_int_equal(vtdpi_model_read32(&rig->m, words[i]), UINT32_MAX);
        vtdpi_model_write32(&rig->m, words[i], 0x01000000);
        assert_true(vtdpi_model_peek(&rig->m, words[i]) == before);
    }
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        const uint64_t before = vtdpi_model_peek(&rig->m, pairs[i]);

        assert_true(vtdpi_model_read64(&rig->m, pairs[i]) == UINT64_MAX);
        vtdpi_model_write64(&rig->m, pairs[i], 0x1000);
        assert_true(vtdpi_model_peek(&rig->m, pairs[i]) == before);
    }
    vtdpi_model_write32(&rig->m, 0x18, 0);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x1c), 0x07000000);
    rig_expect_none(rig);
}

static void test_vanished_unit_does_nothing(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 2, 0x0000030000410001, 0);
    vtdpi_model_vanish(&rig->m);
    assert_int_equal(rig_fire(rig, 2), VTDPI_MODEL_DROPPED);
    assert_int_equal(vtdpi_model_rte(&rig->m, RIG_SID, 0x41, &rig->r),
                     VTDPI_MODEL_DROPPED);
    assert_false(vtdpi_model_iec_prefetch(&rig->m, 2));
    vtdpi_model_dma_fault(&rig->m, RIG_SID, 5, 0x1000, true);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x34), 0);
    rig_put_wait(rig, 0, 7);
    rig_kick(rig);
    vtdpi_model_tick(&rig->m, 100);
    assert_int_equal(vtdpi_model_fetch(&rig->m, 1), 0);
    assert_int_equal(*rig_status(rig, 0), 0);
}

/* What is under way when the unit vanishes: a wait is fetched, TE is put aside,
 * CFI is late, a post is in flight. */
static void vanish_at_work(struct rig *rig)
{
    const uint64_t gsts = vtdpi_model_peek(&rig->m, 0x1c);

    post(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE, 10);
    rig_put_wait(rig, 0, 7);
    rig_kick(rig);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_COMMAND_LATE,
                          VTDPI_MODEL_LATE(0x80000000, 10));
    vtdpi_model_write32(&rig->m, 0x18, 0x86000000);
    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE, 10);
    vtdpi_model_write32(&rig->m, 0x18, 0x06800000);
    vtdpi_model_clear_violations(&rig->m);
    vtdpi_model_vanish(&rig->m);
    vtdpi_model_advance_clock(&rig->m, 1000);
    vtdpi_model_tick(&rig->m, 1000);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x1c), gsts);
    assert_int_equal(rig_gsts(rig), UINT32_MAX);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 1);
    assert_true(pir(rig) == 0);
}

static void test_return_kept_goes_on(void **state)
{
    struct rig *rig = *state;

    vanish_at_work(rig);
    vtdpi_model_return_kept(&rig->m);
    assert_int_equal(*rig_status(rig, 0), 7);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 1);
    assert_int_equal(rig_gsts(rig), 0x87800000);
    assert_int_equal(vtdpi_model_in_flight(&rig->m), 0);
    assert_true(pir(rig) == 2);
    assert_int_equal(rig_count(rig).posts_lost, 0);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_IN_FLIGHT);
    assert_true(rig->r.from_cache);
    rig_expect_none(rig);
}

static void assert_reset(struct rig *rig)
{
    struct vtdpi_model *fresh = malloc(sizeof(*fresh));

    assert_non_null(fresh);
    /* Its cache is the same memory, so what the unit has is looked at before. */
    assert_false(vtdpi_model_iec_lookup(&rig->m, 1, NULL));
    assert_int_equal(vtdpi_model_init(fresh, &rig->params), 0);
    for (uint32_t off = 0; off < 0x210; off += 4)
        assert_true(vtdpi_model_peek(&rig->m, off) ==
                    vtdpi_model_peek(fresh, off));
    free(fresh);
    assert_int_equal(vtdpi_model_latched_irta(&rig->m), 0);
    assert_int_equal(vtdpi_model_latched_rtaddr(&rig->m), 0);
}

static void test_return_reset_forgets(void **state)
{
    struct rig *rig = *state;
    struct vtdpi_model_counters c;

    vtdpi_model_write64(&rig->m, 0x20, 0x7000);
    rig_command(rig, 0x40000000);
    vtdpi_model_write32(&rig->m, 0x40, 0xfee00000);
    vtdpi_model_write64(&rig->m, 0x208, 0x1000000000000000);
    rig_put(rig, 0x15, 0); /* a wait that interrupts: ICS */
    rig_kick(rig);
    vtdpi_model_dma_fault(&rig->m, RIG_SID, 5, 0x1000, true);
    vanish_at_work(rig);
    vtdpi_model_return_reset(&rig->m);
    assert_reset(rig);
    vtdpi_model_advance_clock(&rig->m, 1000);
    vtdpi_model_tick(&rig->m, 1000);
    assert_int_equal(rig_gsts(rig), 0);
    assert_int_equal(*rig_status(rig, 0), 0);
    assert_true(pir(rig) == 0);
    c = rig_count(rig);
    assert_int_equal(c.posts_lost, 1);
    assert_int_equal(c.raised, c.posted + c.pid_faults + c.posts_lost);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_PASSED);

    /* The next fault goes into the first record; and the unit works. */
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_STATUS_LATE);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_POST_LATE);
    vtdpi_model_dma_fault(&rig->m, RIG_SID, 5, 0x1000, true);
    assert_true((vtdpi_model_read64(&rig->m, 0x108) >> 63) != 0);
    rig->tail = 0;
    rig_on(rig, true);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_POSTED);
    assert_true(pir(rig) == 2);
}

static void test_return_reset_after_drain_loses_no_post(void **state)
{
    struct rig *rig = *state;

    post(rig);
    vtdpi_model_vanish(&rig->m);
    assert_int_equal(vtdpi_model_drain(&rig->m), 1);
    assert_true(pir(rig) == 2);
    vtdpi_model_return_reset(&rig->m);
    assert_int_equal(rig_count(rig).posts_lost, 0);
}

static void test_reset_without_vanishing(void **state)
{
    struct rig *rig = *state;
    const uint64_t steps = rig_count(rig).steps;

    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_FSTS_STUCK, 1);
    vtdpi_model_return_reset(&rig->m);
    assert_reset(rig);
    assert_int_equal(rig_count(rig).steps, steps);
    assert_true(vtdpi_model_fault_is_on(&rig->m, VTDPI_MODEL_FAULT_FSTS_STUCK));
}

/* From a step hook, with descriptors fetched. */

static enum vtdpi_model_step hooked_step;
static void (*hooked_act)(struct vtdpi_model *m);

static void act_at_step(void *ctx, struct vtdpi_model *m,
                        enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind != hooked_step || hooked_act == NULL)
        return;
    hooked_act(m);
    hooked_act = NULL;
}

static void submit_with_act(struct rig *rig, enum vtdpi_model_step step,
                            void (*act)(struct vtdpi_model *m))
{
    hooked_step = step;
    hooked_act = act;
    vtdpi_model_set_step_hook(&rig->m, act_at_step);
    rig_put_wait(rig, 0, 7);
    rig_put_wait(rig, 1, 8);
    rig_kick(rig);
    vtdpi_model_set_step_hook(&rig->m, NULL);
}

static void test_unit_vanishes_within_its_queue(void **state)
{
    static const enum vtdpi_model_step steps[] = {
        VTDPI_MODEL_STEP_FETCH,
        VTDPI_MODEL_STEP_COMPLETE,
        VTDPI_MODEL_STEP_STATUS,
    };

    for (size_t i = 0; i < LENGTH(steps); i++) {
        struct rig *rig = *state;

        rig_reset(rig);
        rig_on(rig, true);
        memset(rig_status(rig, 0), 0, 8);
        submit_with_act(rig, steps[i], vtdpi_model_vanish);
        assert_int_equal(*rig_status(rig, 0), 0);
        assert_int_equal(*rig_status(rig, 1), 0);
        vtdpi_model_return_kept(&rig->m);
        assert_int_equal(*rig_status(rig, 0), 7);
        assert_int_equal(*rig_status(rig, 1), 8);

        rig_reset(rig);
        rig_on(rig, true);
        memset(rig_status(rig, 0), 0, 8);
        submit_with_act(rig, steps[i], vtdpi_model_return_reset);
        assert_int_equal(*rig_status(rig, 0), 0);
        assert_int_equal(*rig_status(rig, 1), 0);
        assert_reset(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test_on(test_vanished_unit_answers_all_ones_and_takes_nothing),
        rig_test_on(test_vanished_unit_does_nothing),
        rig_test_on(test_return_kept_goes_on),
        rig_test_on(test_return_reset_forgets),
        rig_test_on(test_return_reset_after_drain_loses_no_post),
        rig_test_on(test_reset_without_vanishing),
        rig_test_on(test_unit_vanishes_within_its_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
