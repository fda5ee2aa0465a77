/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h: probing and enabling. Every write of a bring-up is compared with a
 * literal. Disabling and commands are test_unit_off.c's, commands that are later
 * than their deadline test_unit_late.c's.
 */
#include "unit_fixture.h"
#include "vtdpi/fault.h"

#define RWBF    UINT64_C(0x10)
#define ESIRTPS UINT64_C(0x4000000000000000)
#define SMTS    UINT64_C(0x80000000000)

/* Probing. */

static void test_unit_probe_good_unit_is_only_read(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW), 0);
    assert_int_equal(rig.traced, 4);
    assert_int_equal(rig_count(false, 0x00), 1);
    assert_int_equal(rig_count(false, 0x08), 1);
    assert_int_equal(rig_count(false, 0x10), 1);
    assert_int_equal(rig_count(false, 0x1c), 1);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_true(vtdpi_unit_caps(&rig.u)->pi);
    assert_int_equal(vtdpi_unit_caps(&rig.u)->mhmv, 15);
}

static void test_unit_probe_null_returns_einval(void **state)
{
    struct vtdpi_platform_ops ops = rig.ops;

    (void)state;
    assert_int_equal(vtdpi_unit_probe(NULL, &ops, &rig.m, RIG_WINDOW),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_unit_probe(&rig.u, NULL, &rig.m, RIG_WINDOW),
                     VTDPI_EINVAL);
    ops.lock = NULL;
    assert_int_equal(vtdpi_unit_probe(&rig.u, &ops, &rig.m, RIG_WINDOW),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, 0),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, 4095),
                     VTDPI_EINVAL);
    assert_int_equal(rig.traced, 0);
}

static int probe_caps(uint64_t cap, uint64_t ecap)
{
    rig_power_up(cap, ecap);
    return vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW);
}

static void test_unit_probe_unusable_unit_says_why(void **state)
{
    (void)state;
    assert_int_equal(probe_caps(CAP, ECAP & ~UINT64_C(2)), VTDPI_ENOQI);
    assert_true(vtdpi_unit_caps(&rig.u)->ir);
    assert_int_equal(probe_caps(CAP, ECAP & ~UINT64_C(8)), VTDPI_ENOIR);
    assert_true(vtdpi_unit_caps(&rig.u)->qi);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW),
                     VTDPI_EIO);
}

static uint32_t read32_zero(void *ctx, uint32_t off)
{
    (void)ctx;
    (void)off;
    return 0;
}

static uint64_t read64_zero(void *ctx, uint32_t off)
{
    (void)ctx;
    (void)off;
    return 0;
}

static void test_unit_probe_all_zeros_is_no_answer(void **state)
{
    struct vtdpi_platform_ops ops;

    (void)state;
    assert_int_equal(probe_caps(CAP, ECAP), 0);
    ops = rig.ops;
    ops.read32 = read32_zero;
    ops.read64 = read64_zero;
    assert_int_equal(vtdpi_unit_probe(&rig.u, &ops, &rig.m, RIG_WINDOW),
                     VTDPI_EIO);
}

/* CAP and ECAP of a unit that the model would not be. */
static uint64_t probed_cap;
static uint64_t probed_ecap;

static uint64_t read64_probed(void *ctx, uint32_t off)
{
    (void)ctx;
    return off == 0x08 ? probed_cap : probed_ecap;
}

/* CAP.FRO and CAP.NFR, ECAP.IRO: bytes, records, bytes. */
static int probe_places(uint32_t fro, uint32_t records, uint32_t iro,
                        uint32_t window)
{
    struct vtdpi_platform_ops ops = rig.ops;

    probed_cap = (CAP & ~UINT64_C(0xff03ff000000)) |
                 (uint64_t)(fro / 16) << 24 | (uint64_t)(records - 1) << 40;
    probed_ecap = (ECAP & ~UINT64_C(0x3ff00)) | (uint64_t)(iro / 16) << 8;
    ops.read64 = read64_probed;
    return vtdpi_unit_probe(&rig.u, &ops, &rig.m, window);
}

static void
test_unit_probe_registers_outside_the_window_are_refused(void **state)
{
    static const struct {
        uint32_t fro, records, iro, window;
        int rc;
        uint32_t needed;
    } table[] = {
        /* Within the registers at fixed places, which end behind IRTA. */
        {0, 1, 0x200, 4096, VTDPI_EFRO, 4096},
        {0x10, 1, 0x200, 4096, VTDPI_EFRO, 4096},
        {0xb0, 1, 0x200, 4096, VTDPI_EFRO, 4096},
        {0xc0, 1, 0x200, 4096, 0, 4096},
        {0x100, 8, 0, 4096, VTDPI_EIRO, 4096},
        {0x100, 8, 0xb0, 4096, VTDPI_EIRO, 4096},
        {0x100, 8, 0xc0, 4096, 0, 4096},
        {0xb0, 1, 0xb0, 4096, VTDPI_EFRO, 4096},
        /* The last record that is inside, and the first that is not. */
        {0xf00, 16, 0x200, 4096, 0, 4096},
        {0xf00, 17, 0x200, 4096, VTDPI_EFRO, 8192},
        {0xf00, 17, 0x200, 8191, 0, 8192},
        {0xf10, 16, 0x200, 4096, VTDPI_EFRO, 8192},
        {0x100, 8, 0xff0, 4096, 0, 4096},
        {0x100, 8, 0x1000, 4096, VTDPI_EIRO, 8192},
        {0x100, 8, 0x1000, 0x1010, 0, 8192},
        {0x3ff0, 256, 0x3ff0, 0x4fef, VTDPI_EFRO, 20480},
        {0x3ff0, 256, 0x3ff0, 0x4ff0, 0, 20480},
        {0x3ff0, 256, 0x3ff0, UINT32_MAX, 0, 20480},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(probe_places(table[i].fro, table[i].records,
                                      table[i].iro, table[i].window),
                         table[i].rc);
        assert_int_equal(vtdpi_unit_caps(&rig.u)->register_bytes,
                         table[i].needed);
        assert_true(vtdpi_unit_caps(&rig.u)->pi);
    }
}

static void no_fault(void *ctx, const struct vtdpi_fault *fault)
{
    (void)ctx;
    (void)fault;
}

/* Clearing a record of that unit would be a write to GCMD. */
static void test_unit_probe_refused_unit_has_no_fault_reader(void **state)
{
    const struct vtdpi_fault_params p = {.unit = &rig.u, .report = no_fault};
    struct vtdpi_fault_reader reader;

    (void)state;
    assert_int_equal(probe_places(0x10, 1, 0x200, 4096), VTDPI_EFRO);
    assert_int_equal(vtdpi_fault_init(&reader, &p), VTDPI_EINVAL);
    rig_probe();
    assert_int_equal(vtdpi_fault_init(&reader, &p), 0);
}

static void test_unit_probe_not_coherent_needs_clean(void **state)
{
    (void)state;
    assert_int_equal(probe_caps(CAP, 0xf020de), 0);
    rig.ops.clean = NULL;
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW),
                     VTDPI_EOPNOTSUPP);
    assert_false(vtdpi_unit_caps(&rig.u)->coherent);
    rig_power_up(CAP, ECAP);
    rig.ops.clean = NULL;
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW), 0);
}

/* Enabling: what is written, and when. */

static void test_unit_enable_x2apic_writes_in_order(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {
        {true, 0x88, 0},             /* IQT */
        {true, 0x90, RING},          /* IQA */
        {true, 0x18, 0x04000000},    /* QIE */
        {true, 0xb8, TABLE | 0x807}, /* IRTA: EIME, 2^8 entries */
        {true, 0x18, 0x05000000},    /* SIRTP */
        {true, 0x88, 0x20},          /* global IEC and its wait */
        {true, 0x18, 0x06000000},    /* IRE, SIRTP not repeated */
    };

    (void)state;
    probe();
    assert_int_equal(enable(&c), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(rig_ring(0, 0), 0x4);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0);
    assert_int_equal(vtdpi_unit_last_config(&rig.u)->qi.ring_phys, RING);
    assert_int_equal(vtdpi_model_latched_irta(&rig.m), TABLE | 0x807);
    assert_int_equal(rig_counters().iec_global, 1);
    assert_int_equal(rig.logs, 0);
}

static void test_unit_enable_xapic_and_sizes_program_irta(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    for (unsigned int order = 1; order <= 16; order++) {
        rig_power_up(CAP, ECAP);
        probe();
        rig_join(&rig.u, TABLE_AT, order, VTDPI_XAPIC);
        assert_int_equal(enable(&c), 0);
        assert_int_equal(vtdpi_model_latched_irta(&rig.m), TABLE | (order - 1));
    }
}

static void test_unit_enable_esirtps_skips_the_flush(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {
        {true, 0x88, 0},          {true, 0x90, RING},
        {true, 0x18, 0x04000000}, {true, 0xb8, TABLE | 0x807},
        {true, 0x18, 0x05000000}, {true, 0x18, 0x06000000},
    };

    (void)state;
    rig_power_up(CAP | ESIRTPS, ECAP);
    probe();
    assert_int_equal(enable(&c), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
}

static void test_unit_enable_write_buffer_is_flushed_before_sirtp(void **state)
{
    struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {
        {true, 0x88, 0},
        {true, 0x90, RING},
        {true, 0x18, 0x04000000},
        {true, 0x18, 0x0c000000},
        {true, 0xb8, TABLE | 0x807},
        {true, 0x18, 0x05000000},
        {true, 0x88, 0x20},
        {true, 0x18, 0x06000000},
    };

    (void)state;
    rig_power_up(CAP | RWBF, ECAP);
    probe();
    assert_int_equal(enable(&c), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));

    rig_power_up(CAP, ECAP);
    probe();
    c.force_wbf = true;
    assert_int_equal(enable(&c), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
}

static void test_unit_enable_clears_cfi_and_keeps_te(void **state)
{
    const struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {
        {true, 0x88, 0},          {true, 0x90, RING},
        {true, 0x18, 0x84800000}, {true, 0xb8, TABLE | 7},
        {true, 0x18, 0x85800000}, {true, 0x88, 0x20},
        {true, 0x18, 0x86800000}, {true, 0x18, 0x86000000},
    };

    (void)state;
    rig_gcmd(0x40000000); /* SRTP; RTPS stays set */
    rig_gcmd(0x80000000); /* TE */
    rig_gcmd(0x80800000); /* CFI */
    probe();
    rig_use_xapic();
    assert_int_equal(enable(&c), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0xc7000000);
}

static void test_unit_enable_late_status_is_waited_for(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_LATE, 1000);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 1000);
    probe();
    assert_int_equal(enable(&c), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x07000000);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
}

static void test_unit_enable_wide_descriptors_need_smts(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    c.qi.width = VTDPI_QI_256;
    c.qi.submitters = 63;
    probe();
    assert_int_equal(enable(&c), VTDPI_EOPNOTSUPP);
    assert_int_equal(rig.traced, 0);
    rig_power_up(CAP, ECAP | SMTS);
    probe();
    assert_int_equal(enable(&c), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x90), RING | 0x800);
}

/* Enabling: what is refused before anything is written. */

static void test_unit_enable_bad_config_touches_nothing(void **state)
{
    struct vtdpi_unit_config c;

    (void)state;
    probe();
#define REFUSED(member, value, code)          \
    do {                                      \
        c = rig_config();                     \
        c.member = (value);                   \
        assert_int_equal(enable(&c), (code)); \
    } while (0)
    REFUSED(qi.ring, NULL, VTDPI_EINVAL);
    REFUSED(qi.status_phys, STATUS + 1, VTDPI_EALIGN);
    REFUSED(qi.submitters, 128, VTDPI_ENOSPC);
#undef REFUSED
    assert_int_equal(enable(NULL), VTDPI_EINVAL);
    assert_int_equal(rig.traced, 0);
    c = rig_config();
    assert_int_equal(enable(&c), 0);
    assert_int_equal(enable(&c), VTDPI_ESTATE);
}

/* Without a table: the queue can be opened, remapping cannot come on. */
static void test_unit_enable_without_table_returns_enotable(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW), 0);
    rig_clear_trace();
    assert_int_equal(enable(&c), VTDPI_ENOTABLE);
    assert_int_equal(enable(NULL), VTDPI_ENOTABLE);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(rig.traced, 0);
    assert_int_equal(vtdpi_unit_open_queue(&rig.u, &c), 0);
    rig_clear_trace();
    assert_int_equal(enable(&c), VTDPI_ENOTABLE);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_QUEUE);
    assert_int_equal(rig.traced, 0);

    /* Nor can it by a resume, when the unit has gone and come back. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_EIO);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_ALL_ONES);
    rig_clear_trace();
    assert_int_equal(vtdpi_unit_resume(&rig.u), VTDPI_ENOTABLE);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_GONE);
    assert_int_equal(rig.traced, 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);

    /* What was refused before is not remembered. */
    rig_join(&rig.u, TABLE_AT, 8, VTDPI_X2APIC);
    assert_int_equal(enable(&c), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    /* A failure leaves the unit on its list. */
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_NEVER);
    assert_int_equal(enable(&c), 0);
}

/* A unit that somebody else has enabled. */

static struct vtdpi_unit other;

static void enable_by_other_kernel(void)
{
    struct vtdpi_unit_config c = rig_config();

    c.qi.ring = rig_mem + RING_AT + 0x10000;
    c.qi.ring_phys += 0x10000;
    assert_int_equal(vtdpi_unit_probe(&other, &rig.ops, &rig.m, RIG_WINDOW), 0);
    rig_join(&other, TABLE_AT + 0x80000, 4, VTDPI_X2APIC);
    assert_int_equal(vtdpi_unit_enable(&other, &c), 0);
}

static void test_unit_enable_found_enabled_is_refused(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    enable_by_other_kernel();
    probe();
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FOREIGN);
    assert_int_equal(enable(&c), VTDPI_EFOREIGN);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FOREIGN);
    assert_int_equal(rig_count(true, 0x18), 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x07000000);

    /* Only the queue, as firmware leaves it that did DMA remapping. */
    rig_power_up(CAP, ECAP);
    rig_gcmd(0x04000000);
    probe();
    assert_int_equal(enable(&c), VTDPI_EFOREIGN);
}

static void test_unit_enable_take_over_takes_down_first(void **state)
{
    struct vtdpi_unit_config c = rig_config();
    const struct access want[] = {
        {true, 0x18, 0x04000000}, {true, 0x18, 0x00000000},
        {true, 0x88, 0},          {true, 0x90, RING},
        {true, 0x18, 0x04000000}, {true, 0xb8, TABLE | 7},
        {true, 0x18, 0x05000000}, {true, 0x88, 0x20},
        {true, 0x18, 0x06000000},
    };

    (void)state;
    enable_by_other_kernel();
    probe();
    rig_use_xapic();
    c.take_over = true;
    assert_int_equal(enable(&c), 0);
    rig_assert_writes(want, sizeof(want) / sizeof(want[0]));
    assert_int_equal(vtdpi_model_latched_irta(&rig.m), TABLE | 7);
}

static void test_unit_enable_take_over_lets_foreign_queue_rest(void **state)
{
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket t;

    (void)state;
    enable_by_other_kernel();
    rig_set_manual(true);
    assert_int_equal(vtdpi_unit_submit_iec_global(&other, &t), 0);
    rig_set_manual(false);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    probe();
    c.take_over = true;
    /* Stuck for good: the wait is bounded, and the unit is off afterwards. */
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);
    assert_off();

    /* Slow: waited for, so no descriptor is lost. */
    rig_power_up(CAP, ECAP);
    enable_by_other_kernel();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 100);
    for (int i = 0; i < 40; i++)
        assert_int_equal(vtdpi_unit_submit_iec_global(&other, &t), 0);
    probe();
    assert_int_not_equal(vtdpi_model_peek(&rig.m, 0x80),
                         vtdpi_model_peek(&rig.m, 0x88));
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 1);
    assert_int_equal(enable(&c), 0);
}

/* Remapping, or the queue, of the other kernel does not go off. */
static void expect_take_over_stuck(uint32_t bit)
{
    struct vtdpi_unit_config c = rig_config();
    struct vtdpi_qi_ticket t;

    rig_power_up(CAP, ECAP);
    enable_by_other_kernel();
    probe();
    c.take_over = true;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, bit);
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), bit);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    assert_int_equal(vtdpi_unit_submit_iec_global(&rig.u, &t), VTDPI_EQOFF);
    assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    assert_int_equal(enable(&c), VTDPI_ESTATE);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
    assert_int_equal(enable(&c), 0);
    rig_assert_clean();
}

static void test_unit_enable_take_over_stuck_is_failed(void **state)
{
    (void)state;
    expect_take_over_stuck(0x02000000); /* IRES */
    expect_take_over_stuck(0x04000000); /* QIES */
}

/* Enabling: what fails half-way is undone. */

/* @bit never shows. Of one that lasts nobody knows whether it still comes, so
 * the unit is called failed until it is switched off once more. */
static void expect_stuck(uint64_t cap, uint32_t bit)
{
    const struct vtdpi_unit_config c = rig_config();
    uint64_t begin;

    rig_power_up(cap, ECAP);
    probe();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, bit);
    begin = rig_now();
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), bit);
    assert_in_range(rig_now() - begin, VTDPI_CMD_TIMEOUT_US,
                    5 * VTDPI_CMD_TIMEOUT_US);
    assert_true(rig.logs > 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    /* EIME is cleared with a SIRTP, which is stuck once more, and once again. */
    for (int i = 0; i < 2 && bit == 0x01000000; i++) {
        assert_int_equal(vtdpi_unit_disable(&rig.u), VTDPI_ETIMEDOUT);
        assert_int_equal(vtdpi_unit_stuck(&rig.u), bit);
        assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_FAILED);
    }
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
    rig_assert_clean();

    /* And it can be enabled once the unit is in order. */
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK);
    assert_int_equal(enable(&c), 0);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);
    assert_off();
    rig_assert_clean();
}

static void test_unit_enable_stuck_bit_is_rolled_back(void **state)
{
    (void)state;
    expect_stuck(CAP, 0x04000000); /* QIES */
    expect_stuck(CAP, 0x01000000); /* IRTPS */
    expect_stuck(CAP, 0x02000000); /* IRES */
}

static void test_unit_enable_flush_timeout_is_rolled_back(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    probe();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    assert_int_equal(enable(&c), VTDPI_ETIMEDOUT);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0);
    assert_off();
    rig_assert_violation(VTDPI_MODEL_QUEUE_BUSY);
    vtdpi_model_clear_violations(&rig.m);
    vtdpi_model_clear_fault(&rig.m, VTDPI_MODEL_FAULT_QUEUE_STUCK);
    assert_int_equal(enable(&c), 0);
}

static void test_unit_enable_flush_refused_is_rolled_back(void **state)
{
    const struct vtdpi_unit_config c = rig_config();

    (void)state;
    probe();
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_IQE, 0);
    assert_int_equal(enable(&c), VTDPI_EIQE);
    assert_off();
    assert_int_equal(rig_count(true, 0x18), 4); /* QIE, SIRTP, SIRTP, off */
}

static void test_unit_enable_cfis_stuck_must_be_accepted(void **state)
{
    struct vtdpi_unit_config c = rig_config();

    (void)state;
    rig_gcmd(0x00800000);
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_GSTS_STUCK, 0x00800000);
    probe();
    rig_use_xapic();
    assert_int_equal(enable(&c), VTDPI_ECFIS);
    assert_int_equal(vtdpi_unit_stuck(&rig.u), 0x00800000);
    assert_off();

    /* It is not in the way of the commands that follow. */
    c.accept_cfi = true;
    assert_int_equal(enable(&c), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, true), 0);
    assert_int_equal(vtdpi_unit_command(&rig.u, 0x80000000, false), 0);
    assert_int_equal(vtdpi_unit_disable(&rig.u), 0);

    /* Extended interrupt mode blocks the format by itself. */
    c.accept_cfi = false;
    rig_join(&rig.u, TABLE_AT, 8, VTDPI_X2APIC);
    assert_int_equal(enable(&c), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unit_probe_good_unit_is_only_read),
        TEST(test_unit_probe_null_returns_einval),
        TEST(test_unit_probe_unusable_unit_says_why),
        TEST(test_unit_probe_all_zeros_is_no_answer),
        TEST(test_unit_probe_registers_outside_the_window_are_refused),
        TEST(test_unit_probe_refused_unit_has_no_fault_reader),
        TEST(test_unit_probe_not_coherent_needs_clean),
        TEST(test_unit_enable_x2apic_writes_in_order),
        TEST(test_unit_enable_xapic_and_sizes_program_irta),
        TEST(test_unit_enable_esirtps_skips_the_flush),
        TEST(test_unit_enable_write_buffer_is_flushed_before_sirtp),
        TEST(test_unit_enable_clears_cfi_and_keeps_te),
        TEST(test_unit_enable_late_status_is_waited_for),
        TEST(test_unit_enable_wide_descriptors_need_smts),
        TEST(test_unit_enable_bad_config_touches_nothing),
        TEST(test_unit_enable_without_table_returns_enotable),
        TEST(test_unit_enable_found_enabled_is_refused),
        TEST(test_unit_enable_take_over_takes_down_first),
        TEST(test_unit_enable_take_over_lets_foreign_queue_rest),
        TEST(test_unit_enable_take_over_stuck_is_failed),
        TEST(test_unit_enable_stuck_bit_is_rolled_back),
        TEST(test_unit_enable_flush_timeout_is_rolled_back),
        TEST(test_unit_enable_flush_refused_is_rolled_back),
        TEST(test_unit_enable_cfis_stuck_must_be_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
