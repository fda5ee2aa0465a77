/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

/* Init. */

static void test_init_bad_arguments_returns_einval(void **state)
{
    struct rig *rig = *state;
    struct vtdpi_model_params p = rig->params;

    assert_int_equal(vtdpi_model_init(NULL, &p), -22);
    assert_int_equal(vtdpi_model_init(&rig->m, NULL), -22);
    p.map = NULL;
    assert_int_equal(vtdpi_model_init(&rig->m, &p), -22);
    p = rig->params;
    p.iec_slots = 0;
    assert_int_equal(vtdpi_model_init(&rig->m, &p), -22);
    p = rig->params;
    p.iec = NULL;
    assert_int_equal(vtdpi_model_init(&rig->m, &p), -22);
    p = rig->params;
    p.notification_slots = 0;
    assert_int_equal(vtdpi_model_init(&rig->m, &p), -22);
    p = rig->params;
    p.view_count = 1;
    assert_int_equal(vtdpi_model_init(&rig->m, &p), -22);
}

static void test_init_reset_values(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_read32(&rig->m, 0x00), 0x10);
    assert_true(vtdpi_model_read64(&rig->m, 0x08) == RIG_CAP);
    assert_true(vtdpi_model_read64(&rig->m, 0x10) == RIG_ECAP);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x1c), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x20), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x28), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x34), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x38), 0x80000000);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x3c), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x40), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x44), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x80), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x88), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x90), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x9c), 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0xa0), 0x80000000);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0xb0), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0xb8), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x100), 0);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x178), 0);
    rig_expect_none(rig);
    assert_int_equal(rig_count(rig).reads, 20);
}

static void test_init_version_as_given(void **state)
{
    struct rig *rig = *state;

    rig->params.ver = 0x60;
    rig_reset(rig);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x00), 0x60);
}

/* Access rules. */

static void test_read_wrong_width_is_violation(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_read64(&rig->m, 0x18), 0);
    rig_expect(rig, VTDPI_MODEL_WRITE_ONLY, 0x18);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x38), 0);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x38);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x08), 0x106f0466);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x08);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x0c), 0x08d2078c);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x0c);
}

static void test_write_wrong_width_is_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x40, 0x1111222233334444);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x40);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x40), 0);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x44), 0);
    vtdpi_model_write32(&rig->m, 0xbc, 0x5);
    rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0xbc);
    assert_true(vtdpi_model_peek(&rig->m, 0xb8) == 0x500000000ull);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0xbc), 5);
}

static void test_halves_allowed_are_no_violation(void **state)
{
    struct rig *rig = *state;

    rig->params.allow_halves = true;
    rig_reset(rig);
    vtdpi_model_write32(&rig->m, 0x20, 0x00007000);
    vtdpi_model_write32(&rig->m, 0x24, 0x00000009);
    assert_true(vtdpi_model_read64(&rig->m, 0x20) == 0x900007000ull);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x24), 9);
    rig_expect_none(rig);
}

static void test_access_misaligned_is_violation(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_read32(&rig->m, 0x1e), 0);
    rig_expect(rig, VTDPI_MODEL_BAD_ALIGNMENT, 0x1e);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x0c), 0);
    rig_expect(rig, VTDPI_MODEL_BAD_ALIGNMENT, 0x0c);
    vtdpi_model_write32(&rig->m, 0x3e, 1);
    rig_expect(rig, VTDPI_MODEL_BAD_ALIGNMENT, 0x3e);
}

static void test_access_no_register_is_violation(void **state)
{
    static const uint32_t holes[] = {0x04, 0x30, 0x48, 0x58,  0x78,
                                     0x98, 0xc0, 0xfc, 0x180, 0xffc};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
        assert_int_equal(vtdpi_model_read32(&rig->m, holes[i]), 0);
        rig_expect(rig, VTDPI_MODEL_NO_REGISTER, holes[i]);
        vtdpi_model_write32(&rig->m, holes[i], 1);
        rig_expect(rig, VTDPI_MODEL_NO_REGISTER, holes[i]);
    }
}

static void test_write_read_only_is_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write32(&rig->m, 0x00, 0x77);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0x00);
    vtdpi_model_write64(&rig->m, 0x08, 1);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0x08);
    vtdpi_model_write64(&rig->m, 0x10, 1);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0x10);
    vtdpi_model_write32(&rig->m, 0x1c, 0x80000000);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0x1c);
    vtdpi_model_write64(&rig->m, 0x80, 16);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0x80);
    vtdpi_model_write64(&rig->m, 0xb0, 1);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0xb0);
    vtdpi_model_write64(&rig->m, 0x100, 1);
    rig_expect(rig, VTDPI_MODEL_READ_ONLY, 0x100);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x00), 0x10);
    assert_true(vtdpi_model_peek(&rig->m, 0x08) == RIG_CAP);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x1c), 0);
    assert_int_equal(vtdpi_model_peek(&rig->m, 0x80), 0);
}

static void test_read_gcmd_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x18), 0);
    rig_expect(rig, VTDPI_MODEL_WRITE_ONLY, 0x18);
}

static void test_write_reserved_bits_are_violations(void **state)
{
    static const struct {
        uint32_t off;
        bool wide;
        uint64_t value;
        uint64_t kept;
    } t[] = {
        {0x20, true, 0x7003, 0x7000},
        {0x34, false, 0x10000, 0},
        {0x38, false, 0x80000001, 0x80000000},
        {0x40, false, 0xfee00003, 0xfee00000},
        {0x88, true, 0x80000, 0},
        {0x88, true, 0x08, 0},
        {0x90, true, 0x500000408, 0x500000000},
        {0x90, true, 0x500000801, 0x500000001}, /* DW without SMTS */
        {0x9c, false, 0x2, 0},
        {0xa0, false, 0x80000100, 0x80000000},
        {0xa8, false, 0xfee01001, 0xfee01000},
        {0xb8, true, 0x500008407, 0x500008007},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        if (t[i].wide)
            vtdpi_model_write64(&rig->m, t[i].off, t[i].value);
        else
            vtdpi_model_write32(&rig->m, t[i].off, (uint32_t)t[i].value);
        rig_expect(rig, VTDPI_MODEL_RESERVED_BITS, t[i].off);
        assert_true(vtdpi_model_peek(&rig->m, t[i].off) == t[i].kept);
    }
}

static int violations_seen;

static void count_violation(void *ctx, const struct vtdpi_model_violation *v)
{
    (void)ctx;
    assert_int_equal(v->kind, VTDPI_MODEL_READ_ONLY);
    assert_int_equal(v->value, 0x99);
    violations_seen++;
}

static void test_violation_callback_gets_each(void **state)
{
    struct rig *rig = *state;

    violations_seen = 0;
    rig->params.violation = count_violation;
    rig_reset(rig);
    vtdpi_model_write32(&rig->m, 0x00, 0x99);
    vtdpi_model_write64(&rig->m, 0x08, 0x99);
    assert_int_equal(violations_seen, 2);
    assert_int_equal(vtdpi_model_violations(&rig->m), 2);
    assert_int_equal(vtdpi_model_first_violation(&rig->m).where, 0);
    assert_int_equal(rig_count(rig).violations, 2);
}

static void test_violation_name_each_its_own(void **state)
{
    (void)state;
    for (int i = 0; i <= VTDPI_MODEL_CLEAN_EMPTY; i++) {
        const char *a =
            vtdpi_model_violation_name((enum vtdpi_model_violation_kind)i);

        assert_non_null(a);
        assert_string_not_equal(a, "unknown");
        for (int k = 0; k < i; k++)
            assert_string_not_equal(a, vtdpi_model_violation_name(
                                           (enum vtdpi_model_violation_kind)k));
    }
    assert_string_equal(
        vtdpi_model_violation_name((enum vtdpi_model_violation_kind)99),
        "unknown");
}

/* Invalidation registers. */

static void test_iqa_live_queue_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0x90, 0x500003000);
    rig_expect(rig, VTDPI_MODEL_QUEUE_LIVE, 0x90);
    assert_true(vtdpi_model_peek(&rig->m, 0x90) == 0x500000000);
}

static void test_ccmd_completes_and_is_refused_with_queue(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x28, 0xa000000000000000);
    assert_true(vtdpi_model_read64(&rig->m, 0x28) == 0x2000000000000000);
    rig_expect_none(rig);
    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0x28, 0xa000000000000000);
    rig_expect(rig, VTDPI_MODEL_REGISTER_INVALIDATION, 0x28);
    rig->params.ver = 0x60;
    rig_reset(rig);
    vtdpi_model_write64(&rig->m, 0x28, 0xa000000000000000);
    rig_expect(rig, VTDPI_MODEL_REGISTER_INVALIDATION, 0x28);
}

/* Where the capabilities put registers. */

/* CAP without FRO and NFR; ECAP without IRO. */
#define CAP_REST  (RIG_CAP & ~0x0000ff03ff000000ull)
#define ECAP_REST (RIG_ECAP & ~0x3ff00ull)

static void place(struct rig *rig, uint64_t fro, uint64_t records, uint64_t iro)
{
    rig->params.cap = CAP_REST | fro << 24 | (records - 1) << 40;
    rig->params.ecap = ECAP_REST | iro << 8;
    rig_reset(rig);
}

static void fault(struct rig *rig)
{
    vtdpi_model_dma_fault(&rig->m, RIG_SID, 5, 0x1000, true);
}

static void test_records_at_any_legal_offset(void **state)
{
    struct rig *rig = *state;

    for (uint64_t fro = 0x0c; fro <= 0x3ff; fro++) {
        const uint32_t off = (uint32_t)fro * 16;

        place(rig, fro, 2, 0);
        fault(rig);
        fault(rig);
        assert_true(vtdpi_model_read64(&rig->m, off) == 0x1000);
        assert_true(vtdpi_model_read64(&rig->m, off + 0x18) ==
                    0xc000000500000a10);
        vtdpi_model_write64(&rig->m, off + 8, 0x8000000000000000);
        vtdpi_model_write64(&rig->m, off + 0x18, 0x8000000000000000);
        assert_int_equal(vtdpi_model_read32(&rig->m, 0x34), 0);
        rig_expect_none(rig);
    }
}

static void test_records_and_iotlb_at_the_end(void **state)
{
    struct rig *rig = *state;

    place(rig, 0x3ff, 256, 0);
    (void)vtdpi_model_read64(&rig->m, 0x4fe8);
    rig_expect_none(rig);
    (void)vtdpi_model_read64(&rig->m, 0x4ff0);
    rig_expect(rig, VTDPI_MODEL_NO_REGISTER, 0x4ff0);
    (void)vtdpi_model_read64(&rig->m, 0x5000);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0x5000);
    place(rig, 0x0c, 1, 0x3ff);
    (void)vtdpi_model_read64(&rig->m, 0x3ff8);
    rig_expect_none(rig);
    (void)vtdpi_model_read64(&rig->m, 0x4000);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0x4000);
}

/* No unit has records over other registers, but a corrupt one may say so: the
 * registers stay what they are. */
static void test_records_over_fixed_registers_are_hidden(void **state)
{
    struct rig *rig = *state;

    for (uint64_t fro = 0; fro < 0x0c; fro++) {
        place(rig, fro, 0x0c - fro, 0);
        for (uint32_t i = 0; i < 0x0c - fro; i++)
            fault(rig);
        assert_int_equal(vtdpi_model_read32(&rig->m, 0x00), 0x10);
        assert_true(vtdpi_model_read64(&rig->m, 0x08) == rig->params.cap);
        assert_true(vtdpi_model_read64(&rig->m, 0x10) == rig->params.ecap);
        assert_int_equal(vtdpi_model_read32(&rig->m, 0x1c), 0);
        assert_int_equal(vtdpi_model_read32(&rig->m, 0x34), 0x2);
        assert_int_equal(vtdpi_model_read64(&rig->m, 0xb8), 0);
        rig_expect_none(rig);
        /* What a driver clears is not a record. */
        vtdpi_model_write64(&rig->m, 0x18, 0x8000000000000000);
        rig_expect(rig, VTDPI_MODEL_BAD_WIDTH, 0x18);
        assert_int_equal(vtdpi_model_peek(&rig->m, 0x34), 0x2);
        vtdpi_model_write64(&rig->m, 0x88, 0x8000000000000010);
        rig_expect(rig, VTDPI_MODEL_RESERVED_BITS, 0x88);
        assert_int_equal(vtdpi_model_peek(&rig->m, 0x88), 0x10);
    }
}

static void test_iotlb_registers_at_any_offset(void **state)
{
    struct rig *rig = *state;

    for (uint64_t iro = 0x0c; iro <= 0x3ff; iro++) {
        const uint32_t off = (uint32_t)iro * 16;

        if (off >= 0x100 && off < 0x110)
            continue; /* the record */
        place(rig, 0x10, 1, iro);
        vtdpi_model_write64(&rig->m, off, 0x7000);
        assert_int_equal(vtdpi_model_read64(&rig->m, off + 8), 0);
        vtdpi_model_write64(&rig->m, off + 8, 0x0003000000000000);
        assert_true(vtdpi_model_read64(&rig->m, off + 8) == 0x0003000000000000);
        /* Page-selective, done at once: IAIG tells what was done. */
        vtdpi_model_write64(&rig->m, off + 8, 0xb000000000000000);
        assert_true(vtdpi_model_read64(&rig->m, off + 8) == 0x3600000000000000);
        rig_expect_none(rig);
        (void)vtdpi_model_read64(&rig->m, off);
        rig_expect(rig, VTDPI_MODEL_WRITE_ONLY, off);
    }
}

static void test_iotlb_registers_hidden_or_absent(void **state)
{
    struct rig *rig = *state;

    place(rig, 0x10, 1, 0x10); /* over the record */
    fault(rig);
    assert_true(vtdpi_model_read64(&rig->m, 0x108) == 0xc000000500000a10);
    place(rig, 0x10, 1, 0x01); /* over ECAP and GCMD */
    assert_true(vtdpi_model_read64(&rig->m, 0x10) == rig->params.ecap);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x1c), 0);
    rig_expect_none(rig);
    place(rig, 0x10, 1, 0);
    (void)vtdpi_model_read32(&rig->m, 0x04);
    rig_expect(rig, VTDPI_MODEL_NO_REGISTER, 0x04);
}

static void test_iotlb_register_with_the_queue_on_is_violation(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_write64(&rig->m, 0x208, 0x9000000000000000);
    rig_expect_none(rig);
    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0x208, 0x9000000000000000);
    rig_expect(rig, VTDPI_MODEL_REGISTER_INVALIDATION, 0x208);
    vtdpi_model_write64(&rig->m, 0x208, 0x1000000000000000);
    rig_expect_none(rig);
}

/* The host has mapped less than the unit has. */
static void test_access_beyond_window_is_violation(void **state)
{
    struct rig *rig = *state;

    rig->params.window_bytes = 0x120;
    rig_reset(rig);
    fault(rig);
    fault(rig);
    fault(rig);
    assert_true((vtdpi_model_read64(&rig->m, 0x118) >> 63) != 0);
    rig_expect_none(rig);
    assert_int_equal(vtdpi_model_read64(&rig->m, 0x128), 0);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0x128);
    vtdpi_model_write64(&rig->m, 0x128, 0x8000000000000000);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0x128);
    assert_true((vtdpi_model_peek(&rig->m, 0x128) >> 63) != 0);
    (void)vtdpi_model_read64(&rig->m, 0xfffffff8);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0xfffffff8);

    rig->params.window_bytes = 0x11c; /* through a register */
    rig_reset(rig);
    (void)vtdpi_model_read64(&rig->m, 0x118);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0x118);
    rig->params.window_bytes = 4;
    rig_reset(rig);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x00), 0x10);
    rig_expect_none(rig);
    (void)vtdpi_model_read64(&rig->m, 0x08);
    rig_expect(rig, VTDPI_MODEL_BEYOND_WINDOW, 0x08);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_init_bad_arguments_returns_einval),
        rig_test(test_init_reset_values),
        rig_test(test_init_version_as_given),
        rig_test(test_read_wrong_width_is_violation),
        rig_test(test_write_wrong_width_is_violation),
        rig_test(test_halves_allowed_are_no_violation),
        rig_test(test_access_misaligned_is_violation),
        rig_test(test_access_no_register_is_violation),
        rig_test(test_write_read_only_is_violation),
        rig_test(test_read_gcmd_is_violation),
        rig_test(test_write_reserved_bits_are_violations),
        rig_test(test_violation_callback_gets_each),
        rig_test(test_violation_name_each_its_own),
        rig_test(test_iqa_live_queue_is_violation),
        rig_test(test_ccmd_completes_and_is_refused_with_queue),
        rig_test(test_records_at_any_legal_offset),
        rig_test(test_records_and_iotlb_at_the_end),
        rig_test(test_records_over_fixed_registers_are_hidden),
        rig_test(test_iotlb_registers_at_any_offset),
        rig_test(test_iotlb_registers_hidden_or_absent),
        rig_test(test_iotlb_register_with_the_queue_on_is_violation),
        rig_test(test_access_beyond_window_is_violation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
