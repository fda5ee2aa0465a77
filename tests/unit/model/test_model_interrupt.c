/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_rig.h"

/* Remapped entry: P, fixed, vector 51h, DST = 12345678h (or xAPIC id 3). */
#define REMAPPED       0x1234567800510001ull
#define REMAPPED_XAPIC 0x0000030000510001ull

/* Posted entry: P, IM, vector 41h, PDA = 5_00010000h. */
#define POSTED_LO      0x0001000000418001ull
#define POSTED_HI      0x0000000500000000ull

static enum vtdpi_model_outcome msi(struct rig *rig, uint64_t address,
                                    uint32_t data)
{
    return vtdpi_model_msi(&rig->m, RIG_SID, address, data, &rig->r);
}

static enum vtdpi_model_outcome from(struct rig *rig, uint16_t sid)
{
    return vtdpi_model_msi(&rig->m, sid, RIG_MSI(0), 0, &rig->r);
}

/* Requests. */

static void test_msi_other_address_is_no_interrupt(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(msi(rig, 0xfed00010, 0), VTDPI_MODEL_NOT_INTERRUPT);
    assert_int_equal(msi(rig, 0xfef00010, 0), VTDPI_MODEL_NOT_INTERRUPT);
    assert_int_equal(msi(rig, 0x1fee00010, 0), VTDPI_MODEL_NOT_INTERRUPT);
    assert_int_equal(rig_count(rig).requests, 0);
}

static void test_msi_remapping_off_passes_decoded(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(msi(rig, 0xfee2a00c, 0x8531), VTDPI_MODEL_PASSED);
    assert_int_equal(rig->r.dest, 0x2a);
    assert_true(rig->r.rh);
    assert_true(rig->r.logical);
    assert_true(rig->r.level);
    assert_int_equal(rig->r.dlm, 5);
    assert_int_equal(rig->r.vector, 0x31);
    assert_int_equal(msi(rig, 0xfee01000, 0x0041), VTDPI_MODEL_PASSED);
    assert_int_equal(rig->r.dest, 1);
    assert_false(rig->r.rh);
    assert_false(rig->r.logical);
    assert_false(rig->r.level);
    assert_int_equal(rig->r.dlm, 0);
    assert_int_equal(rig->r.vector, 0x41);
    assert_int_equal(rig_count(rig).passed, 2);
}

static void test_msi_index_from_handle_and_subhandle(void **state)
{
    static const struct {
        uint64_t address;
        uint32_t data;
        uint32_t index;
    } t[] = {
        {0xfee00010, 0, 0},
        {0xfee00030, 0, 1},
        {0xfeeffff0, 0, 0x7fff},
        {0xfee00014, 0, 0x8000},
        {0xfeeffff4, 0, 0xffff},
        {0xfee00013, 0, 0},   /* Bits 1:0 do not count. */
        {0xfee00050, 0x3, 2}, /* No SHV: no subhandle. */
        {0xfee00058, 0x3, 5},
        {0xfeeffffc, 0xffff, 0x1fffe},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        (void)msi(rig, t[i].address, t[i].data);
        assert_int_equal(rig->r.index, t[i].index);
    }
}

static void test_msi_reserved_data_is_20h(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 0, REMAPPED, 0);
    assert_int_equal(msi(rig, 0xfee00010, 0x10000), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x20);
    assert_int_equal(msi(rig, 0xfee00018, 0x80000000), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x20);
    assert_int_equal(msi(rig, 0xfee00018, 0), VTDPI_MODEL_REMAPPED);
}

static void test_msi_index_beyond_table_is_21h(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 255, REMAPPED, 0);
    rig_entry(rig, 256, REMAPPED, 0); /* Memory is there, the table is not. */
    assert_int_equal(rig_fire(rig, 255), VTDPI_MODEL_REMAPPED);
    rig_expect_blocked(rig, 256, 0x21);
    assert_int_equal(msi(rig, 0xfeeffffc, 0xffff), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x21);
    assert_int_equal(msi(rig, 0xfee01ff8, 1), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x21); /* 255 + 1 */
}

static void test_compatibility_blocked_is_25h(void **state)
{
    struct rig *rig = *state;

    rig_on(rig, false);
    assert_int_equal(msi(rig, 0xfee01000, 0x41), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x25);
    rig_command(rig, 0x00800000); /* CFI */
    assert_int_equal(msi(rig, 0xfee01000, 0x41), VTDPI_MODEL_PASSED);
    assert_int_equal(rig->r.vector, 0x41);
    assert_int_equal(vtdpi_model_rte(&rig->m, 0, 0x0100000000000041, &rig->r),
                     VTDPI_MODEL_PASSED);
}

static void test_compatibility_extended_mode_always_25h(void **state)
{
    struct rig *rig = *state;

    rig_command(rig, 0x00800000); /* CFI does not help with EIME. */
    assert_int_equal(msi(rig, 0xfee01000, 0x41), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x25);
    assert_int_equal(vtdpi_model_rte(&rig->m, 0, 0x0100000000000041, &rig->r),
                     VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x25);
}

/* Entries. */

static void test_entry_not_present_is_22h(void **state)
{
    struct rig *rig = *state;

    rig_expect_blocked(rig, 0, 0x22);
    rig_entry(rig, 1, REMAPPED & ~1ull, 0);
    rig_expect_blocked(rig, 1, 0x22);
    assert_false(rig->r.hidden);
    assert_int_equal(rig_count(rig).faults_recorded, 2);
    assert_int_equal(rig_count(rig).blocked, 2);
}

static void test_entry_table_unreadable_is_23h(void **state)
{
    struct rig *rig = *state;

    vtdpi_model_set_fault(&rig->m, VTDPI_MODEL_FAULT_TABLE_ACCESS, 0);
    rig_entry(rig, 0, REMAPPED | 2, 0); /* FPD is in what was not read. */
    rig_expect_blocked(rig, 0, 0x23);
    assert_false(rig->r.hidden);
    vtdpi_model_clear_fault(&rig->m, VTDPI_MODEL_FAULT_TABLE_ACCESS);
    assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_REMAPPED);

    vtdpi_model_write64(&rig->m, 0xb8, 0x1807); /* Nothing at 1000h. */
    rig_command(rig, 0x01000000);
    rig_invalidate_all(rig);
    rig_expect_blocked(rig, 0, 0x23);
}

static void test_entry_remapped_decoded(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 4, 0x12345678005100fdull & ~0xe0ull, 0);
    assert_int_equal(rig_fire(rig, 4), VTDPI_MODEL_REMAPPED);
    assert_int_equal(rig->r.dest, 0x12345678);
    assert_int_equal(rig->r.vector, 0x51);
    assert_int_equal(rig->r.dlm, 0);
    assert_true(rig->r.logical);
    assert_true(rig->r.rh);
    assert_true(rig->r.level);
    assert_false(rig->r.from_cache);
    assert_int_equal(rig->r.index, 4);
    assert_true(rig->r.irte[0] == 0x123456780051001dull);
    rig_entry(rig, 5, REMAPPED, 0);
    assert_int_equal(rig_fire(rig, 5), VTDPI_MODEL_REMAPPED);
    assert_false(rig->r.logical);
    assert_false(rig->r.rh);
    assert_false(rig->r.level);
    assert_int_equal(rig_count(rig).remapped, 2);
    assert_int_equal(rig_count(rig).raised, 0);
}

static void test_entry_xapic_destination(void **state)
{
    struct rig *rig = *state;

    rig_on(rig, false);
    rig_entry(rig, 0, REMAPPED_XAPIC, 0);
    assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_REMAPPED);
    assert_int_equal(rig->r.dest, 3);
    rig_entry(rig, 1, 0x0000000300510001ull, 0); /* DST 7:0 */
    rig_expect_blocked(rig, 1, 0x24);
    rig_entry(rig, 2, 0x0001030000510001ull, 0); /* DST 31:16 */
    rig_expect_blocked(rig, 2, 0x24);
}

static void test_entry_avail_bits_are_free(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 0, REMAPPED | 0xf00, 0);
    assert_int_equal(rig_fire(rig, 0), VTDPI_MODEL_REMAPPED);
    rig_entry(rig, 1, POSTED_LO | 0xf00, POSTED_HI);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_POSTED);
}

static void test_entry_each_reserved_bit_is_24h(void **state)
{
    /* Bits that are not reserved, by format; all others are. */
    const uint64_t remapped[2] = {0xffffffff00ff8fffull, 0x00000000000fffffull};
    const uint64_t posted[2] = {0xffffffc000ffcf03ull, 0xffffffff000fffffull};
    struct rig *rig = *state;

    for (unsigned int bit = 0; bit < 128; bit++) {
        const uint64_t lo = bit < 64 ? 1ull << bit : 0;
        const uint64_t hi = bit < 64 ? 0 : 1ull << (bit - 64);

        if (((lo & ~remapped[0]) | (hi & ~remapped[1])) != 0) {
            rig_entry(rig, bit, REMAPPED | lo, hi);
            rig_expect_blocked(rig, bit, 0x24);
        }
        if (((lo & ~posted[0]) | (hi & ~posted[1])) != 0) {
            rig_entry(rig, bit + 128, POSTED_LO | lo, POSTED_HI | hi);
            rig_expect_blocked(rig, bit + 128, 0x24);
        }
    }
    assert_int_equal(rig_count(rig).blocked, 11 + 44 + 22 + 12);
}

static void test_entry_delivery_modes(void **state)
{
    struct rig *rig = *state;

    for (uint32_t dlm = 0; dlm < 8; dlm++) {
        rig_entry(rig, dlm, REMAPPED | dlm << 5, 0);
        if (dlm == 3 || dlm == 6) {
            rig_expect_blocked(rig, dlm, 0x24);
        } else {
            assert_int_equal(rig_fire(rig, dlm), VTDPI_MODEL_REMAPPED);
            assert_int_equal(rig->r.dlm, dlm);
        }
    }
}

static void test_entry_low_vector_is_violation(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 7, 0x00000003000f0001ull, 0); /* Fixed, vector 0fh */
    assert_int_equal(rig_fire(rig, 7), VTDPI_MODEL_REMAPPED);
    rig_expect(rig, VTDPI_MODEL_VECTOR, 7);
    rig_entry(rig, 8, 0x0000000300020081ull, 0); /* NMI has none */
    assert_int_equal(rig_fire(rig, 8), VTDPI_MODEL_REMAPPED);
    rig_expect_none(rig);
    rig_entry(rig, 9, 0x00010000000f8001ull, POSTED_HI);
    rig_words(rig, RIG_PID)[4] = 0x0000000000f20002; /* SN */
    assert_int_equal(rig_fire(rig, 9), VTDPI_MODEL_POSTED);
    rig_expect(rig, VTDPI_MODEL_VECTOR, 9);
}

static void test_entry_posted_without_capability_is_24h(void **state)
{
    struct rig *rig = *state;

    rig->params.cap = RIG_CAP & ~(1ull << 59);
    rig_reset(rig);
    rig_on(rig, true);
    rig_entry(rig, 0, POSTED_LO, POSTED_HI);
    rig_expect_blocked(rig, 0, 0x24);
    assert_int_equal(rig_words(rig, RIG_PID)[1], 0);
}

static void test_entry_pda_above_address_width_is_24h(void **state)
{
    struct rig *rig = *state;

    rig->params.host_address_width = 36;
    rig_reset(rig);
    rig_on(rig, true);
    rig_entry(rig, 0, POSTED_LO, 0x0000001000000000ull);
    rig_expect_blocked(rig, 0, 0x24);
    rig_entry(rig, 1, POSTED_LO, POSTED_HI);
    assert_int_equal(rig_fire(rig, 1), VTDPI_MODEL_POSTED);
}

static void test_source_id_exact_and_qualified(void **state)
{
    static const struct {
        uint64_t hi; /* SVT, SQ, SID */
        uint16_t sid;
        bool good;
    } t[] = {
        {0x00000, 0xffff, true},                           /* SVT 0: any */
        {0x00a10, 0xffff, true},  {0x40a10, 0x0a10, true}, /* SVT 1, SQ 0 */
        {0x40a10, 0x0a11, false}, {0x40a10, 0x0a14, false},
        {0x40a10, 0x8a10, false}, {0x50a10, 0x0a14, true}, /* SQ 1: not bit 2 */
        {0x50a10, 0x0a12, false}, {0x50a10, 0x0a11, false},
        {0x60a10, 0x0a16, true}, /* SQ 2: not bits 2:1 */
        {0x60a10, 0x0a11, false}, {0x60a10, 0x0a18, false},
        {0x70a10, 0x0a17, true}, /* SQ 3: not bits 2:0 */
        {0x70a10, 0x0a18, false}, {0x70a10, 0x0b10, false},
        {0x80a0c, 0x0a00, true}, /* SVT 2: buses 0ah to 0ch */
        {0x80a0c, 0x0cff, true},  {0x80a0c, 0x0b10, true},
        {0x80a0c, 0x09ff, false}, {0x80a0c, 0x0d00, false},
        {0x80a0a, 0x0a12, true},  {0x80a0a, 0x0b00, false},
        {0xc0a10, 0x0a10, false}, /* SVT 3: 24h */
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        rig_entry(rig, 0, REMAPPED, t[i].hi);
        rig_invalidate_all(rig);
        assert_int_equal(from(rig, t[i].sid), t[i].good ? VTDPI_MODEL_REMAPPED
                                                        : VTDPI_MODEL_BLOCKED);
        if (!t[i].good)
            assert_int_equal(rig->r.reason, t[i].hi == 0xc0a10 ? 0x24 : 0x26);
    }
}

static void test_source_id_checked_for_posted(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 0, POSTED_LO, POSTED_HI | 0x40a10);
    assert_int_equal(from(rig, 0x0a11), VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x26);
    assert_int_equal(rig_words(rig, RIG_PID)[1], 0);
    assert_int_equal(from(rig, 0x0a10), VTDPI_MODEL_POSTED);
}

static void test_checks_in_order(void **state)
{
    struct rig *rig = *state;

    /* Not present before ill-formed before wrong source. */
    rig_entry(rig, 0, (REMAPPED & ~1ull) | 0x1000, 0x4ffff);
    rig_expect_blocked(rig, 0, 0x22);
    rig_entry(rig, 1, REMAPPED | 0x1000, 0x4ffff);
    rig_expect_blocked(rig, 1, 0x24);
    rig_entry(rig, 2, REMAPPED, 0x4ffff);
    rig_expect_blocked(rig, 2, 0x26);
}

static void test_fpd_hides_what_it_may(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 0, 2, 0);
    rig_expect_blocked(rig, 0, 0x22);
    assert_true(rig->r.hidden);
    rig_entry(rig, 1, REMAPPED | 2 | 0x1000, 0);
    rig_expect_blocked(rig, 1, 0x24);
    assert_true(rig->r.hidden);
    rig_entry(rig, 2, REMAPPED | 2, 0x4ffff);
    rig_expect_blocked(rig, 2, 0x26);
    assert_true(rig->r.hidden);
    rig_entry(rig, 3, POSTED_LO | 2, 0); /* PDA 10000h: nothing there */
    rig_expect_blocked(rig, 3, 0x27);
    assert_true(rig->r.hidden);
    rig_words(rig, RIG_PID)[7] = 1;
    rig_entry(rig, 4, POSTED_LO | 2, POSTED_HI);
    rig_expect_blocked(rig, 4, 0x28);
    assert_true(rig->r.hidden);
    assert_int_equal(rig_count(rig).faults_hidden, 5);
    assert_int_equal(rig_count(rig).faults_recorded, 0);
    assert_int_equal(vtdpi_model_read32(&rig->m, 0x34), 0);
}

/* IOAPIC entries. */

static void test_rte_masked_is_silent(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_rte(&rig->m, 0, 0x0101000000010051, &rig->r),
                     VTDPI_MODEL_MASKED);
    assert_int_equal(rig_count(rig).requests, 0);
}

static void test_rte_index_and_delivery(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 5, REMAPPED, 0x4f0f8);
    /* Index 5: 63:49 = 5; format 48; level 15; vector 17h is the pin. */
    assert_int_equal(
        vtdpi_model_rte(&rig->m, 0xf0f8, 0x000b000000008017, &rig->r),
        VTDPI_MODEL_REMAPPED);
    assert_int_equal(rig->r.index, 5);
    assert_int_equal(rig->r.vector, 0x51);
    assert_int_equal(
        vtdpi_model_rte(&rig->m, 0xf0f0, 0x000b000000008017, &rig->r),
        VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.reason, 0x26);
    /* Bit 11 is index bit 15. */
    assert_int_equal(
        vtdpi_model_rte(&rig->m, 0xf0f8, 0x000b000000008817, &rig->r),
        VTDPI_MODEL_BLOCKED);
    assert_int_equal(rig->r.index, 0x8005);
    assert_int_equal(rig->r.reason, 0x21);
}

static void test_rte_reserved_bits_are_20h(void **state)
{
    struct rig *rig = *state;

    rig_entry(rig, 5, REMAPPED, 0);
    for (unsigned int bit = 8; bit < 48; bit++) {
        const bool reserved = bit <= 10 || bit >= 17;

        if (bit == 11 || bit == 16)
            continue;
        (void)vtdpi_model_rte(&rig->m, 0, 0x000b000000000017 | 1ull << bit,
                              &rig->r);
        assert_int_equal(rig->r.reason, reserved ? 0x20 : 0);
    }
}

static void test_rte_compatibility_decoded(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vtdpi_model_rte(&rig->m, 0, 0x2a00000000008931, &rig->r),
                     VTDPI_MODEL_PASSED);
    assert_int_equal(rig->r.dest, 0x2a);
    assert_int_equal(rig->r.vector, 0x31);
    assert_int_equal(rig->r.dlm, 1);
    assert_true(rig->r.logical);
    assert_true(rig->r.level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(test_msi_other_address_is_no_interrupt),
        rig_test(test_msi_remapping_off_passes_decoded),
        rig_test_on(test_msi_index_from_handle_and_subhandle),
        rig_test_on(test_msi_reserved_data_is_20h),
        rig_test_on(test_msi_index_beyond_table_is_21h),
        rig_test(test_compatibility_blocked_is_25h),
        rig_test_on(test_compatibility_extended_mode_always_25h),
        rig_test_on(test_entry_not_present_is_22h),
        rig_test_on(test_entry_table_unreadable_is_23h),
        rig_test_on(test_entry_remapped_decoded),
        rig_test(test_entry_xapic_destination),
        rig_test_on(test_entry_avail_bits_are_free),
        rig_test_on(test_entry_each_reserved_bit_is_24h),
        rig_test_on(test_entry_delivery_modes),
        rig_test_on(test_entry_low_vector_is_violation),
        rig_test(test_entry_posted_without_capability_is_24h),
        rig_test(test_entry_pda_above_address_width_is_24h),
        rig_test_on(test_source_id_exact_and_qualified),
        rig_test_on(test_source_id_checked_for_posted),
        rig_test_on(test_checks_in_order),
        rig_test_on(test_fpd_hides_what_it_may),
        rig_test_on(test_rte_masked_is_silent),
        rig_test_on(test_rte_index_and_delivery),
        rig_test_on(test_rte_reserved_bits_are_20h),
        rig_test(test_rte_compatibility_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
