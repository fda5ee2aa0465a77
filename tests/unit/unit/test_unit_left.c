/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: what others left in the Fault Status Register, in the control of the
 * fault event, and of advanced fault logging when a unit is brought up.
 */
#include "unit_fixture.h"

#define FSTS     0x34
#define FECTL    0x38
#define GCMD     0x18

/* A unit that has AFO, APF and PRO: CAP.AFL, ECAP.PRS. */
#define CAP_ALL  (CAP | UINT64_C(0x8))
#define ECAP_ALL (ECAP | UINT64_C(0x20000000))

/* Values written to @p off, by one. */
static uint32_t writes(uint32_t off, uint64_t *last)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rig.traced; i++) {
        if (!rig.trace[i].write || rig.trace[i].off != off)
            continue;
        *last = rig.trace[i].value;
        n++;
    }
    return n;
}

static void test_enable_clears_exactly_what_reads_as_one(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    for (unsigned int bit = 0; bit < 16; bit++) {
        const uint32_t left = UINT32_C(1) << bit;
        const bool clearable = (left & 0xfd) != 0;
        uint64_t written = 0;

        rig_power_up(CAP_ALL, ECAP_ALL);
        probe();
        assert_int_equal(vtdpi_model_raise_status(&rig.m, left),
                         clearable ? left : 0);
        assert_int_equal(enable(&c), 0);
        assert_int_equal(writes(FSTS, &written), clearable);
        assert_int_equal(written, clearable ? left : 0);
        assert_int_equal(vtdpi_model_peek(&rig.m, FSTS), 0);
        rig_assert_clean();
    }
}

static void test_enable_clears_all_in_one_write(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    uint64_t written = 0;

    (void)state;
    rig_power_up(CAP_ALL, ECAP_ALL);
    probe();
    assert_int_equal(vtdpi_model_raise_status(&rig.m, 0xfd), 0xfd);
    assert_int_equal(enable(&c), 0);
    assert_int_equal(writes(FSTS, &written), 1);
    assert_int_equal(written, 0xfd);
    assert_int_equal(vtdpi_model_peek(&rig.m, FSTS), 0);
}

static void check_masked(struct rig *r, uint32_t off, uint64_t value)
{
    unsigned int *seen = r->arg;

    if (off != GCMD || (value & 0x01000000) == 0) /* SIRTP */
        return;
    assert_int_equal(r->m.event[0][0] & 0x80000000, 0x80000000);
    (*seen)++;
}

/* The old kernel's event is masked before our table is latched, and stays so. */
static void assert_masks(int (*call)(void))
{
    unsigned int seen = 0;

    vtdpi_model_write32(&rig.m, FECTL, 0);
    rig.arg = &seen;
    rig.before_write = check_masked;
    rig_clear_trace();
    assert_int_equal(call(), 0);
    rig.before_write = NULL;
    assert_true(seen > 0);
    assert_int_equal(rig_count(true, FECTL), 1);
    assert_int_equal(vtdpi_model_peek(&rig.m, FECTL), 0x80000000);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
}

static struct vtdpi_unit_config config;

static int call_enable(void)
{
    return enable(&config);
}

static int call_resume(void)
{
    return vtdpi_unit_resume(&rig.u);
}

static void test_event_is_masked_by_enable_and_resume(void **state)
{
    (void)state;
    config = rig_config();
    probe();
    assert_masks(call_enable);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    assert_masks(call_resume);
}

/* Another kernel has left the unit remapping. */
static void test_event_is_masked_by_take_over_and_adopt(void **state)
{
    static struct vtdpi_unit other;
    struct vtdpi_unit_config theirs = rig_config();

    (void)state;
    config = rig_config();
    theirs.qi.ring = rig_mem + RING_AT + 0x10000;
    theirs.qi.ring_phys += 0x10000;
    for (int adopt = 0; adopt < 2; adopt++) {
        rig_power_up(CAP, ECAP);
        assert_int_equal(vtdpi_unit_probe(&other, &rig.ops, &rig.m, RIG_WINDOW),
                         0);
        rig_join(&other, TABLE_AT, 8, VTDPI_X2APIC);
        assert_int_equal(vtdpi_unit_enable(&other, &theirs), 0);
        probe();
        config.adopt = adopt != 0;
        config.take_over = !config.adopt;
        assert_masks(call_enable);
        /* The queue goes off under a unit that remaps. */
        vtdpi_model_clear_violations(&rig.m);
    }
}

static void test_event_that_is_masked_is_not_written(void **state)
{
    (void)state;
    config = rig_config();
    probe();
    assert_int_equal(call_enable(), 0);
    assert_int_equal(rig_count(true, FECTL), 0);
}

/* The kernel before has its faults written to a log in memory. */
static void test_advanced_fault_logging_is_cleared(void **state)
{
    (void)state;
    config = rig_config();
    rig_power_up(CAP | 0x8, ECAP); /* AFL */
    probe();
    rig.m.gsts |= 0x10000000;
    assert_int_equal(call_enable(), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x07000000);
    assert_int_equal(vtdpi_unit_suspend(&rig.u), 0);
    rig.m.gsts |= 0x10000000;
    assert_int_equal(call_resume(), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x07000000);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);

    rig.m.gsts |= 0x10000000;
    assert_int_equal(vtdpi_unit_open_queue(&rig.u, &config), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x10000000, 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);

    /* Advanced fault logging stays on, whatever is written. */
    rig.m.gsts |= 0x10000000;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x10000000);
    assert_int_equal(call_enable(), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x10000000);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_int_equal(call_enable(), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x07000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_enable_clears_exactly_what_reads_as_one),
        TEST(test_enable_clears_all_in_one_write),
        TEST(test_event_is_masked_by_enable_and_resume),
        TEST(test_event_is_masked_by_take_over_and_adopt),
        TEST(test_event_that_is_masked_is_not_written),
        TEST(test_advanced_fault_logging_is_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
