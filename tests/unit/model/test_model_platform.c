/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

static void test_platform_registers_and_clock(void **state)
{
    const struct vtdpi_platform_ops *ops = &vtdpi_model_platform_ops;
    struct rig *rig = *state;
    uintptr_t token;
    uint64_t t;

    assert_int_equal(ops->read32(&rig->m, 0x00), 0x10);
    assert_true(ops->read64(&rig->m, 0x10) == RIG_ECAP);
    ops->write64(&rig->m, 0x20, 0x7000);
    assert_int_equal(ops->read64(&rig->m, 0x20), 0x7000);
    token = ops->lock(&rig->m);
    ops->write32(&rig->m, 0x18, 0x80000000);
    ops->unlock(&rig->m, token);
    assert_int_equal(ops->read32(&rig->m, 0x1c), 0x80000000);
    t = ops->now_us(&rig->m);
    assert_int_equal(ops->now_us(&rig->m) - t, 1);
    vtdpi_model_set_clock_step(&rig->m, 50);
    t = ops->now_us(&rig->m);
    assert_int_equal(ops->now_us(&rig->m) - t, 50);
    vtdpi_model_advance_clock(&rig->m, 1000);
    assert_int_equal(ops->now_us(&rig->m) - t, 1100);
    rig_expect_none(rig);
    assert_int_equal(rig_count(rig).locks, 1);
}

static void test_platform_clock_and_relax_are_ticks(void **state)
{
    const struct vtdpi_platform_ops *ops = &vtdpi_model_platform_ops;
    struct rig *rig = *state;

    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_GSTS_LATE, 2);
    vtdpi_model_write32(&rig->m, 0x18, 0x80000000);
    (void)ops->now_us(&rig->m);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x1c), 0);
    ops->relax(&rig->m);
    assert_true(vtdpi_model_peek(&rig->m, 0x1c) == 0x80000000);
}

static void test_platform_lock_misuse_is_violation(void **state)
{
    const struct vtdpi_platform_ops *ops = &vtdpi_model_platform_ops;
    struct rig *rig = *state;
    uintptr_t token = ops->lock(&rig->m);

    (void)ops->lock(&rig->m);
    rig_expect(rig, VTDPI_MODEL_LOCK_NESTED, 0);
    ops->unlock(&rig->m, token + 1);
    rig_expect(rig, VTDPI_MODEL_LOCK_TOKEN, 0);
    ops->unlock(&rig->m, token);
    rig_expect(rig, VTDPI_MODEL_LOCK_NOT_HELD, 0);
    token = ops->lock(&rig->m);
    rig_expect_none(rig);
    ops->log(&rig->m, VTDPI_LOG_INFO, "text");
    rig_expect(rig, VTDPI_MODEL_LOCK_LOG, 0);
    ops->unlock(&rig->m, token);
    ops->log(&rig->m, VTDPI_LOG_INFO, "text");
    rig_expect_none(rig);
    assert_int_equal(rig_count(rig).logs, 2);
}

static void test_platform_unlocked_write_is_violation(void **state)
{
    const struct vtdpi_platform_ops *ops = &vtdpi_model_platform_ops;
    struct rig *rig = *state;

    ops->write32(&rig->m, 0x18, 0x80000000);
    rig_expect(rig, VTDPI_MODEL_LOCK_MISSING, 0x18);
    ops->write64(&rig->m, 0x88, 0);
    rig_expect(rig, VTDPI_MODEL_LOCK_MISSING, 0x88);
    ops->write64(&rig->m, 0x90, 0);
    rig_expect_none(rig);
    rig->params.allow_unlocked = true;
    rig_reset(rig);
    ops->write32(&rig->m, 0x18, 0x80000000);
    rig_expect_none(rig);
}

static void test_platform_clean_nothing_is_violation(void **state)
{
    const struct vtdpi_platform_ops *ops = &vtdpi_model_platform_ops;
    struct rig *rig = *state;

    ops->clean(&rig->m, NULL, 16);
    rig_expect(rig, VTDPI_MODEL_CLEAN_EMPTY, 0);
    ops->clean(&rig->m, rig->memory, 0);
    rig_expect(rig, VTDPI_MODEL_CLEAN_EMPTY, 0);
    ops->clean(&rig->m, rig->memory + 60, 8);
    rig_expect_none(rig);
    assert_int_equal(rig_count(rig).cleans, 3);
    assert_int_equal(rig_count(rig).clean_lines, 2);
}

/* Steps. */

static struct {
    unsigned int calls;
    unsigned int by_kind[VTDPI_MODEL_STEPS];
    uint64_t last;
    bool nest;
} hook;

static void count_step(void *ctx, struct vtdpi_model *m,
                       enum vtdpi_model_step kind)
{
    struct rig *rig = ctx;
    struct vtdpi_model_result r;

    hook.calls++;
    hook.by_kind[kind]++;
    hook.last = rig_count(rig).steps;
    if (hook.nest)
        (void)vtdpi_model_msi(m, RIG_SID, RIG_MSI(9), 0, &r);
}

static void test_step_hook_sees_each_step_once(void **state)
{
    struct rig *rig = *state;

    rig_on(rig, true);
    rig_entry(rig, 1, 0x0001000000418001, 0x0000000500000000);
    rig_words(rig, RIG_PID)[4] = 0x0000000300f20000;
    memset(&hook, 0, sizeof(hook));
    vtdpi_model_set_step_hook(&rig->m, count_step);
    rig_put(rig, 0x04, 0);
    rig_put_wait(rig, 0, 1);
    rig_kick(rig);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_WRITE], 1);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_FETCH], 2);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_COMPLETE], 2);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_STATUS], 1);
    (void)rig_gsts(rig);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_READ], 1);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_POSTED);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_REQUEST], 1);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_IRTE], 1);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_PID], 1);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_CONTROL], 0);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_NOTIFY], 1);
    vtdpi_model_write32(&rig->m, 0x38, 0); /* Unmask. */
    assert_int_equal(rig_fire(rig, 2), VTDPI_MODEL_BLOCKED);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_FAULT], 1);
    assert_int_equal(hook.by_kind[VTDPI_MODEL_STEP_EVENT], 1);
    assert_int_equal(rig_count(rig).steps, hook.last + 1);
}

static void test_step_hook_acts_without_counting(void **state)
{
    struct rig *rig = *state;
    uint64_t plain;

    rig_on(rig, true);
    rig_entry(rig, 9, 0x0001000000428001, 0x0000000500000000);
    plain = rig_count(rig).steps;
    (void)rig_gsts(rig);
    assert_int_equal(rig_count(rig).steps - plain, 1);

    memset(&hook, 0, sizeof(hook));
    hook.nest = true;
    vtdpi_model_set_step_hook(&rig->m, count_step);
    plain = rig_count(rig).steps;
    (void)rig_gsts(rig);
    assert_int_equal(hook.calls, 1);
    assert_int_equal(rig_count(rig).steps - plain, 1);
    assert_int_equal(rig_count(rig).posted, 1);
    vtdpi_model_set_step_hook(&rig->m, NULL);
    (void)rig_gsts(rig);
    assert_int_equal(hook.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_platform_registers_and_clock),
        rig_test(test_platform_clock_and_relax_are_ticks),
        rig_test(test_platform_lock_misuse_is_violation),
        rig_test(test_platform_unlocked_write_is_violation),
        rig_test(test_platform_clean_nothing_is_violation),
        rig_test(test_step_hook_sees_each_step_once),
        rig_test(test_step_hook_acts_without_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
