/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: disabling, suspend and resume, commands, use of an enabled unit.
 */
#include "unit_rig.h"

static int setup(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    rig_power_up(CAP, ECAP);
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig_clear_trace();
    return 0;
}

static void assert_works(void)
{
    struct vtdpi_qi_ticket t;

    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
}

/* Disabling. */

static void test_unit_disable_writes_in_order(void **state)
{
    const struct access want[] = {
        {true, 0x18, 0x04000000},    /* IRE off */
        {true, 0xb8, TABLE | 0x007}, /* EIME off */
        {true, 0x18, 0x05000000},    /* SIRTP */
        {true, 0x88, 0x30},          /* a last wait */
        {true, 0x18, 0},             /* QIE off */
    };

    (void)state;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ESTATE);
}

static void test_unit_disable_xapic_needs_no_sirtp(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {
        {true, 0x18, 0x04000000}, {true, 0x88, 0x30}, {true, 0x18, 0}};

    (void)state;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    rig_use_xapic();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    rig_assert_writes(want, 3);
}

static void test_unit_disable_late_queue_is_drained(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 100);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
}

static void test_unit_disable_stuck_queue_is_off_and_says_so(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), VTDPI_EQOFF);
    rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);
}

static void test_unit_disable_ires_stuck_keeps_the_queue(void **state)
{
    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x02000000);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x02000000);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    assert_works(); /* entries in use can be flushed */
    assert_int_equal(vtdpi_unit_suspend(&rig.u), VTDPI_ESTATE);

    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0);
}

static void test_unit_disable_qies_stuck_can_be_repeated(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x04000000);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x04000000);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_ESTATE);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), VTDPI_EQOFF);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
}

static void test_unit_disable_irtps_stuck_goes_on_to_off(void **state)
{
    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x01000000);
    /* Set from the bring-up and stuck so: SIRTP looks done, and is not. */
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
}

static void test_unit_disable_with_te_on_leaves_the_queue(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_EBUSY);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_QUEUE);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x86000000, 0x84000000);
    assert_int_equal(vtdpi_model_latched_irta(&rig.m) & 0x800, 0);
    assert_works();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_EBUSY);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x86000000, 0);
}

/* Remapping is back on when the queue has gone off: a command that was taken
 * for lost has been executed after all. */
static void remap_again(void *ctx, uintptr_t token)
{
    vtdpi_model_platform_ops.unlock(ctx, token);
    if ((rig.m.gsts & 0x04000000) == 0)
        rig.m.gsts |= 0x02000000;
}

static void test_unit_disable_found_remapping_at_the_end_is_failed(void **state)
{
    (void)state;
    rig.ops.unlock = remap_again;
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    rig.ops.unlock = vtdpi_model_platform_ops.unlock;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0);
}

/* Nobody has read such a unit to be off, so resume takes it down, unasked. */
static void test_unit_resume_failed_and_remapping_takes_it_down(void **state)
{
    (void)state;
    rig.ops.unlock = remap_again;
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    rig.ops.unlock = vtdpi_model_platform_ops.unlock;
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
    assert_works();
}

/* A waiter of the life before may still look at the old status words. */
static void test_unit_enable_again_keeps_the_queue(void **state)
{
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_stats before;
    struct vtdpi_qi_stats after;

    (void)state;
    vtdpi_qi_report(vtdpi_unit_qi(&rig.u), &before, NULL);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    rig_clear_trace();
#define REFUSED(member, value)                                                \
    do {                                                                      \
        c = rig_config();                                                     \
        c.qi.member = (value);                                                \
        assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_EINVAL);        \
        assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);           \
        assert_int_equal(vtdpi_unit_last_config(&rig.u)->qi.ring_phys, RING); \
    } while (0)
    REFUSED(ring, rig_mem + RING_AT + 0x10000);
    REFUSED(ring_phys, RING + 0x10000);
    REFUSED(order, 1);
    REFUSED(status, rig_status(256));
    REFUSED(status_phys, STATUS + 1024);
    REFUSED(submitters, 64);
    REFUSED(device_timeout_us, 1);
#undef REFUSED
    assert_int_equal(rig.traced, 0);

    c = rig_config();
    rig_use_xapic(); /* the rest may change */
    c.force_wbf = true;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
    vtdpi_qi_report(vtdpi_unit_qi(&rig.u), &after, NULL);
    assert_true(after.submissions > before.submissions);
}

/* No flush at enable, so that nothing of the new life completes. The ring still
 * holds the device-TLB invalidation of the old one, for which a wait behind it
 * would have been patient. */
static void test_unit_enable_again_forgets_what_was_in_the_ring(void **state)
{
    const struct vtdpi_qi_desc flush = {{UINT64_C(3) | UINT64_C(0x310) << 32}};
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket t;
    uint64_t begin;

    (void)state;
    c.qi.device_timeout_us = 2000000;
    rig_power_up(CAP | UINT64_C(1) << 62, ECAP); /* ESIRTPS */
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
    assert_works();
    rig_set_manual(true);
    assert_int_equal(vtdpi_qi_submit(vtdpi_unit_qi(&rig.u), &flush, 1, &t), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);

    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    begin = rig_now();
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 5000), VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, 5000, 6000);
    rig_set_manual(false);
    assert_works();
}

static void test_unit_enable_again_wider_queue_is_refused(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    c.qi.submitters = 63;
    rig_power_up(CAP, ECAP | UINT64_C(0x80000000000)); /* SMTS */
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    c.qi.width = VTDPI_QI_256;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_EINVAL);
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
}

/* Suspend and resume. */

static void test_unit_resume_after_power_loss_is_as_before(void **state)
{
    const struct access want[] = {
        {true, 0x88, 0},          {true, 0x90, RING},
        {true, 0x18, 0x04000000}, {true, 0xb8, TABLE | 0x807},
        {true, 0x18, 0x05000000}, {true, 0x88, 0x20},
        {true, 0x18, 0x06000000},
    };

    (void)state;
    assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_ESTATE);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_SUSPENDED);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), VTDPI_ESTATE);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ESTATE);
    assert_int_equal(vtdpi_model_init(&rig.m, &rig.params), 0);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    /* Two waits were before: late writes for them must not count. */
    assert_int_equal(rig_ring(1, 0) >> 32, 3);
    assert_works();
}

static void test_unit_resume_found_enabled_is_foreign(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    /* With IQA as we left it, and another IQT. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    vtdpi_model_write64(&rig.m, 0x88, 0);
    rig_gcmd(0x04000000);
    vtdpi_model_clear_violations(&rig.m);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_EFOREIGN);
    assert_int_equal(rig_count(true, 0x18), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FOREIGN);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK);
    c.take_over = true;
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_works();
    /* A configuration with take_over takes the unit over on resume, too. */
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    vtdpi_model_write64(&rig.m, 0x88, 0);
    rig_gcmd(0x04000000);
    vtdpi_model_clear_violations(&rig.m);
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_works();
}

/* The host's flushes go on while remapping is off; the queue is not touched. */
static void test_unit_suspend_with_te_on_keeps_the_queue(void **state)
{
    const struct access want[] = {
        {true, 0xb8, TABLE | 0x807},
        {true, 0x18, 0x85000000},
        {true, 0x88, 0x80},
        {true, 0x18, 0x86000000},
    };

    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_works();
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_SUSPENDED);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x86000000, 0x84000000);
    assert_works();
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x86000000, 0x86000000);
    assert_works();
}

/* The SIRTP that clears EIME is not done in time. The host's DMA translation keeps
 * the queue, and the unit goes on from there. */
static void expect_te_on_and_sirtp_stuck(int (*call)(struct vtdpi_unit *),
                                         enum vtdpi_unit_state state)
{
    const struct vtdpi_unit_config c = rig_config();

    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_COMMAND_LATE,
                          VTDPI_MODEL_LATE(0x01000000, VTDPI_MODEL_NEVER));
    assert_int_equal(call(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x01000000);
    assert_int_equal(vtdpi_unit_state(&rig.u), state);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x86000000, 0x84000000);
    assert_works();
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_COMMAND_LATE);
    assert_int_equal(state == VTDPI_UNIT_QUEUE ? vtdpi_unit_enable(&rig.u, &c)
                                               : vtdpi_unit_resume(&rig.u),
                     0);
    assert_works();
}

static void test_unit_with_te_on_and_sirtp_stuck_keeps_the_queue(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    expect_te_on_and_sirtp_stuck(vtdpi_unit_disable, VTDPI_UNIT_QUEUE);
    expect_te_on_and_sirtp_stuck(vtdpi_unit_suspend, VTDPI_UNIT_SUSPENDED);
}

/* What was on before a call that fails stays on. */
static void test_unit_enable_fails_and_leaves_the_queue_as_found(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_open_queue(&rig.u, &c), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_QUEUE);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_QUEUE);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0x04000000);
    assert_works();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
}

/* Somebody has submitted to our ring behind our back. */
static void test_unit_resume_queue_with_another_tail_is_foreign(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    rig_set_manual(true);
    vtdpi_model_write64(&rig.m, 0x88, 0x80);
    assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_EFOREIGN);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FOREIGN);
}

/* Power is lost in between: nothing of the old queue is left in the unit. */
static void test_unit_suspend_with_te_on_then_power_loss(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    assert_int_equal(vtdpi_model_init(&rig.m, &rig.params), 0);
    rig_set_manual(true);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    rig_set_manual(false);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), VTDPI_EQOFF);
    assert_int_equal(rig_count(true, 0x90), 1);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
    assert_works();
    vtdpi_model_clear_violations(&rig.m); /* IQT of a queue that is off */
}

/* The unit does not answer for a moment; the queue is still on, and in use. */
static void test_unit_gone_with_te_on_comes_back(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    for (int i = 0; i < 2; i++) {
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
        assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_EIO);
        assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_EIO);
        assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_GONE);
        vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES);
        rig_clear_trace();
        if (i == 0)
            assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
        else
            assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_EBUSY);
        assert_int_equal(rig_count(true, 0x90), 0);
        assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x84000000,
                         0x84000000);
        assert_works();
    }
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_QUEUE);
}

static void test_unit_suspend_stuck_queue_still_resumes(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_SUSPENDED);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), VTDPI_EQOFF);
    assert_int_equal(vtdpi_model_init(&rig.m, &rig.params), 0);
    assert_int_equal(vtdpi_unit_resume(&rig.u), 0);
    assert_works();
}

static void test_unit_resume_failed_can_be_switched_off(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x02000000);
    assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
}

/* Firmware has switched the unit on, and it does not go off. */
static void test_unit_resume_found_enabled_and_stuck_is_failed(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    c.take_over = true;
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    vtdpi_model_write64(&rig.m, 0x88, 0);
    rig_gcmd(0x04000000);
    vtdpi_model_clear_violations(&rig.m);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x04000000);
    assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
}

/* The host's commands. */

static void test_unit_command_host_bits_write_one_command(void **state)
{
    const struct access want[] = {
        {true, 0x18, 0x46000000}, /* SRTP; RTPS and IRTPS are set now */
        {true, 0x18, 0x86000000}, /* TE alone */
        {true, 0x18, 0xc6000000}, /* SRTP again */
        {true, 0x18, 0x8e000000}, /* WBF */
        {true, 0x18, 0x06000000}, /* TE off */
    };

    (void)state;
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x08000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x47000000);
}

static void test_unit_command_library_bits_are_refused(void **state)
{
    const uint32_t bad[] = {0,          0x04000000, 0x02000000,
                            0x01000000, 0x00800000, 0xc0000000,
                            0x00000001, 0x84000000, 0x20000000};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(vtdpi_unit_command(&rig.u, bad[i], true),
                         VTDPI_EINVAL);
        assert_int_equal(vtdpi_unit_command(&rig.u, bad[i], false),
                         VTDPI_EINVAL);
    }
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x40000000, false),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x10000000, true),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x90000000, false),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x08000000, false),
                     VTDPI_EINVAL);
    assert_int_equal(rig.traced, 0);
}

/* Faults would go to a log in memory, and fault.h reads registers. */
static void test_unit_command_advanced_fault_logging_goes_off(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    rig_power_up(CAP | 0x8, ECAP); /* AFL */
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig.m.gsts |= 0x10000000;
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x10000000, false), 0);
    assert_int_equal(rig_count(true, 0x18), 1);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x10000000, 0);
}

static void test_unit_command_stuck_times_out(void **state)
{
    uint64_t begin = rig_now();

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x80000000);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true),
                     VTDPI_ETIMEDOUT);
    assert_in_range(rig_now() - begin, VTDPI_CMD_TIMEOUT_US,
                    VTDPI_CMD_TIMEOUT_US + 1000);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x80000000);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);

    /* It may still be executing, so nothing is written, that bit included. */
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true),
                     VTDPI_ETIMEDOUT);
    assert_int_equal(rig_count(true, 0x18), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), VTDPI_EIO);
    /* A read of all ones does not mean that the bit is set already. */
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), VTDPI_EIO);
    assert_int_equal(rig_count(true, 0x18), 0);
}

/* The lock: a command done late is not a command lost. */
static void jump(struct rig *r)
{
    uint32_t *countdown = r->arg;

    if (--*countdown != 0)
        return;
    r->before_now = NULL;
    vtdpi_model_tick(&r->m, 200);
    vtdpi_model_advance_clock(&r->m, 10 * VTDPI_CMD_TIMEOUT_US);
}

static void test_unit_command_preempted_caller_gets_no_timeout(void **state)
{
    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE, 100);
    for (uint32_t when = 1; when < 8; when++) {
        uint32_t countdown = when;

        rig.arg = &countdown;
        rig.before_now = jump;
        assert_int_equal(
            vtdpi_unit_command(&rig.u, 0x80000000, (when & 1) != 0), 0);
        assert_int_equal(countdown, 0);
    }
}

static unsigned int lock_turn;

/* Another CPU got the lock first, and its command is late. */
static uintptr_t lock_second(void *ctx)
{
    if (lock_turn != 0 && --lock_turn == 0) {
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE, 45000);
        assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true),
                         VTDPI_ETIMEDOUT);
        /* Clearing the fault would complete it. */
        vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE, 0);
    }
    return vtdpi_model_platform_ops.lock(ctx);
}

/* A caller that waits for the lock finds a command under way. */
static void test_unit_command_behind_a_late_one_waits_for_it(void **state)
{
    (void)state;
    rig.ops.lock = lock_second;
    for (unsigned int when = 1; when < 4; when++) {
        lock_turn = when;
        assert_int_equal(vtdpi_unit_command(&rig.u, 0x08000000, true), 0);
        lock_turn = 0;
        assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    }
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    rig_assert_clean();
}

/* Use. */

static void test_unit_flush_write_buffer_only_where_needed(void **state)
{
    struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {{true, 0x18, 0x0e000000}};

    (void)state;
    assert_int_equal(vtdpi_unit_flush_write_buffer(&rig.u), 0);
    assert_int_equal(rig.traced, 0);

    rig_power_up(CAP | 0x10, ECAP);
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig_clear_trace();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE, 50);
    assert_int_equal(vtdpi_unit_flush_write_buffer(&rig.u), 0);
    rig_assert_writes(want, 1);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x08000000, 0);
}

static void test_unit_drain_is_one_read(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_drain(&rig.u), 0);
    assert_int_equal(rig.traced, 1);
    assert_false(rig.trace[0].write);
}

/* Fill the model's cache with present entries 0 to 255. */
static void fill_cache(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        const uint64_t irte[2] = {0x0000000000300001, 0};

        memcpy(rig_mem + TABLE_AT + (size_t)i * 16, irte, sizeof(irte));
        assert_true(vtdpi_model_iec_prefetch(&rig.m, i));
    }
}

static void test_unit_submit_iec_drops_exactly_the_block(void **state)
{
    struct vtdpi_qi_ticket t;

    (void)state;
    fill_cache();
    assert_int_equal(vtdpi_unit_submit_iec(&rig.u, 0x40, 3, &t), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
    for (uint32_t i = 0; i < 256; i++)
        assert_int_equal(vtdpi_model_iec_lookup(&rig.m, i, NULL),
                         i < 0x40 || i > 0x47);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
    for (uint32_t i = 0; i < 256; i++)
        assert_false(vtdpi_model_iec_lookup(&rig.m, i, NULL));
}

static void test_unit_submit_iec_bad_block_resolves_ticket(void **state)
{
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_power_up(CAP, (ECAP & ~UINT64_C(0xf00000)) | 0x300000); /* MHMV = 3 */
    rig_probe();
    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_submit_iec(&rig.u, 0, 4, &t), VTDPI_ERANGE);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), VTDPI_ERANGE);
    assert_int_equal(vtdpi_unit_submit_iec(&rig.u, 4, 3, &t), VTDPI_EALIGN);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), VTDPI_EALIGN);
    assert_int_equal(rig.traced, 0);
    assert_int_equal(vtdpi_unit_submit_iec(&rig.u, 8, 3, &t), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &t, 0), 0);
}

static void test_unit_qi_is_shared_with_the_host(void **state)
{
    /* IOTLB and context invalidations, global granularity. */
    const struct vtdpi_qi_desc d[2] = {{{0x12, 0, 0, 0}}, {{0x11, 0, 0, 0}}};
    struct vtdpi_qi_ticket host;
    struct vtdpi_qi_ticket ours;

    (void)state;
    assert_int_equal(vtdpi_qi_submit(vtdpi_unit_qi(&rig.u), d, 2, &host), 0);
    assert_int_equal(vtdpi_unit_submit_iec(&rig.u, 0, 0, &ours), 0);
    assert_int_equal(vtdpi_unit_wait(&rig.u, &ours, 0), 0);
    assert_int_equal(vtdpi_qi_wait(vtdpi_unit_qi(&rig.u), &host, 0), 0);
    assert_int_equal(rig_counters().descriptors[1], 1);
    assert_int_equal(rig_counters().descriptors[2], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unit_disable_writes_in_order),
        TEST(test_unit_disable_xapic_needs_no_sirtp),
        TEST(test_unit_disable_late_queue_is_drained),
        TEST(test_unit_disable_stuck_queue_is_off_and_says_so),
        TEST(test_unit_disable_ires_stuck_keeps_the_queue),
        TEST(test_unit_disable_qies_stuck_can_be_repeated),
        TEST(test_unit_disable_irtps_stuck_goes_on_to_off),
        TEST(test_unit_disable_with_te_on_leaves_the_queue),
        TEST(test_unit_disable_found_remapping_at_the_end_is_failed),
        TEST(test_unit_resume_failed_and_remapping_takes_it_down),
        TEST(test_unit_enable_again_keeps_the_queue),
        TEST(test_unit_enable_again_forgets_what_was_in_the_ring),
        TEST(test_unit_enable_again_wider_queue_is_refused),
        TEST(test_unit_resume_after_power_loss_is_as_before),
        TEST(test_unit_resume_found_enabled_is_foreign),
        TEST(test_unit_suspend_with_te_on_keeps_the_queue),
        TEST(test_unit_with_te_on_and_sirtp_stuck_keeps_the_queue),
        TEST(test_unit_enable_fails_and_leaves_the_queue_as_found),
        TEST(test_unit_resume_queue_with_another_tail_is_foreign),
        TEST(test_unit_suspend_with_te_on_then_power_loss),
        TEST(test_unit_gone_with_te_on_comes_back),
        TEST(test_unit_suspend_stuck_queue_still_resumes),
        TEST(test_unit_resume_failed_can_be_switched_off),
        TEST(test_unit_resume_found_enabled_and_stuck_is_failed),
        TEST(test_unit_command_host_bits_write_one_command),
        TEST(test_unit_command_library_bits_are_refused),
        TEST(test_unit_command_advanced_fault_logging_goes_off),
        TEST(test_unit_command_stuck_times_out),
        TEST(test_unit_command_preempted_caller_gets_no_timeout),
        TEST(test_unit_command_behind_a_late_one_waits_for_it),
        TEST(test_unit_flush_write_buffer_only_where_needed),
        TEST(test_unit_drain_is_one_read),
        TEST(test_unit_submit_iec_drops_exactly_the_block),
        TEST(test_unit_submit_iec_bad_block_resolves_ticket),
        TEST(test_unit_qi_is_shared_with_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
