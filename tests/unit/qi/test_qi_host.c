/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h: descriptors of the host's own invalidations. Expected words are worked
 * out by hand from the positions of the fields. The model, which judges
 * reserved bits by itself, takes all of them.
 */
#include "unit_rig.h"

/* CAP and ECAP of a unit with scalable mode: SMTS, PASID, DIT. */
#define ECAP_SCALABLE (ECAP | 1ull << 43 | 1ull << 41 | 1ull << 40)

#define ORDER_ALL     52u
#define DRAIN_BOTH    (VTDPI_QI_DRAIN_WRITES | VTDPI_QI_DRAIN_READS)

/* Bus 12h, device 6, function 5 of the physical function abc4h. */
static const struct vtdpi_qi_device device = {0x1235, 0xabc4, 7};

static int setup(void **state)
{
    struct vtdpi_qi_params params = rig_qi_params();

    (void)state;
    rig_power_up(CAP, ECAP_SCALABLE);
    params.width = VTDPI_QI_256;
    params.submitters = 63;
    rig_open_queue(&params);
    return 0;
}

/* The descriptor has these words, and the unit takes it. */
static void check(const struct vtdpi_qi_desc *d, uint64_t qw0, uint64_t qw1)
{
    struct vtdpi_qi_ticket t;

    assert_int_equal(d->qw[0], qw0);
    assert_int_equal(d->qw[1], qw1);
    assert_int_equal(d->qw[2] | d->qw[3], 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 1, &t), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
}

#define ENCODED(call, qw0, qw1)                     \
    do {                                            \
        struct vtdpi_qi_desc d_ = {{~0u, 1, 2, 3}}; \
        struct vtdpi_qi_desc *const out = &d_;      \
                                                    \
        assert_int_equal((call), 0);                \
        check(out, UINT64_C(qw0), UINT64_C(qw1));   \
    } while (0)

#define REFUSED(call, code)                                    \
    do {                                                       \
        const struct vtdpi_qi_desc before_ = {{~0u, 1, 2, 3}}; \
        struct vtdpi_qi_desc d_ = before_;                     \
        struct vtdpi_qi_desc *const out = &d_;                 \
                                                               \
        assert_int_equal((call), (code));                      \
        assert_memory_equal(out, &before_, sizeof(before_));   \
    } while (0)

static int context_global(struct vtdpi_qi_desc *out)
{
    vtdpi_qi_encode_context_global(out);
    return 0;
}

static int pasid_cache_global(struct vtdpi_qi_desc *out)
{
    vtdpi_qi_encode_pasid_cache_global(out);
    return 0;
}

static void test_qi_encode_context_matches_literals(void **state)
{
    (void)state;
    ENCODED(context_global(out), 0x11, 0);
    ENCODED(vtdpi_qi_encode_context_domain(out, 0), 0x21, 0);
    ENCODED(vtdpi_qi_encode_context_domain(out, 0xfedc), 0xfedc0021, 0);
    ENCODED(vtdpi_qi_encode_context_domain(out, 0xffff), 0xffff0021, 0);
    ENCODED(vtdpi_qi_encode_context_device(out, 0xfedc, 0x1235, 0),
            0x00001235fedc0031, 0);
    ENCODED(vtdpi_qi_encode_context_device(out, 1, 0xffff, 2),
            0x0002ffff00010031, 0);
    ENCODED(vtdpi_qi_encode_context_device(out, 0, 0, 3), 0x0003000000000031,
            0);
}

static void test_qi_encode_context_bad_input_is_refused(void **state)
{
    (void)state;
    REFUSED(vtdpi_qi_encode_context_domain(out, 0x10000), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_context_domain(out, UINT32_MAX), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_context_device(out, 0x10000, 1, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_context_device(out, 1, 1, 4), VTDPI_ERANGE);
}

static void test_qi_encode_iotlb_matches_literals(void **state)
{
    (void)state;
    ENCODED(vtdpi_qi_encode_iotlb_global(out, 0), 0x12, 0);
    ENCODED(vtdpi_qi_encode_iotlb_global(out, VTDPI_QI_DRAIN_WRITES), 0x52, 0);
    ENCODED(vtdpi_qi_encode_iotlb_global(out, VTDPI_QI_DRAIN_READS), 0x92, 0);
    ENCODED(vtdpi_qi_encode_iotlb_global(out, DRAIN_BOTH), 0xd2, 0);
    ENCODED(vtdpi_qi_encode_iotlb_domain(out, 0xfedc, 0), 0xfedc0022, 0);
    ENCODED(vtdpi_qi_encode_iotlb_domain(out, 0xffff, DRAIN_BOTH), 0xffff00e2,
            0);
    ENCODED(vtdpi_qi_encode_iotlb_pages(out, 0xfedc, 0x12345000, 0, 0),
            0xfedc0032, 0x12345000);
    ENCODED(vtdpi_qi_encode_iotlb_pages(out, 1, 0xfffffffffffff000, 0,
                                        VTDPI_QI_LEAF_ONLY),
            0x10032, 0xfffffffffffff040);
    ENCODED(vtdpi_qi_encode_iotlb_pages(out, 1, 0x40000000, 18, DRAIN_BOTH),
            0x100f2, 0x40000012);
    ENCODED(vtdpi_qi_encode_iotlb_pages(out, 1, 0, ORDER_ALL,
                                        DRAIN_BOTH | VTDPI_QI_LEAF_ONLY),
            0x100f2, 0x74);
}

static void test_qi_encode_iotlb_bad_input_is_refused(void **state)
{
    (void)state;
    REFUSED(vtdpi_qi_encode_iotlb_global(out, VTDPI_QI_LEAF_ONLY),
            VTDPI_EINVAL);
    REFUSED(vtdpi_qi_encode_iotlb_domain(out, 1, VTDPI_QI_LEAF_ONLY),
            VTDPI_EINVAL);
    REFUSED(vtdpi_qi_encode_iotlb_domain(out, 0x10000, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_iotlb_pages(out, 0x10000, 0, 0, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_iotlb_pages(out, 1, 0, 0, 8), VTDPI_EINVAL);
    REFUSED(vtdpi_qi_encode_iotlb_pages(out, 1, 0, 53, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_iotlb_pages(out, 1, 0, UINT32_MAX, 0),
            VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_iotlb_pages(out, 1, 0x12345800, 0, 0),
            VTDPI_EALIGN);
    REFUSED(vtdpi_qi_encode_iotlb_pages(out, 1, 0x12345000, 1, 0),
            VTDPI_EALIGN);
    REFUSED(
        vtdpi_qi_encode_iotlb_pages(out, 1, UINT64_C(1) << 63, ORDER_ALL, 0),
        VTDPI_EALIGN);
}

/* ATS: S and, from the lowest bit up, as many ones as the order less one. */
static void test_qi_encode_dev_tlb_matches_literals(void **state)
{
    struct vtdpi_qi_device other = {0xffff, 0, 0};

    (void)state;
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &device, 0x12345000, 0),
            0xabc0123500074003, 0x12345000);
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &device, 0x12346000, 1),
            0xabc0123500074003, 0x12346001);
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &device, 0x12344000, 2),
            0xabc0123500074003, 0x12345001);
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &device, 0x40000000, 18),
            0xabc0123500074003, 0x5ffff001);
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &device, 0, ORDER_ALL),
            0xabc0123500074003, 0x7ffffffffffff001);
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &other, 0, 0), 0x0000ffff00000003, 0);
    other.max_pending = 31;
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &other, 0, 0), 0x0000ffff001f0003, 0);
    other.max_pending = 32;
    ENCODED(vtdpi_qi_encode_dev_tlb(out, &other, 0, 0), 0x0000ffff00000003, 0);
}

static void test_qi_encode_dev_tlb_bad_input_is_refused(void **state)
{
    const struct vtdpi_qi_device many = {1, 0, 33};

    (void)state;
    REFUSED(vtdpi_qi_encode_dev_tlb(out, &many, 0, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_dev_tlb(out, &device, 0, 53), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_dev_tlb(out, &device, 0x1000, 1), VTDPI_EALIGN);
    REFUSED(vtdpi_qi_encode_dev_tlb(out, &device, 1, 0), VTDPI_EALIGN);
}

static void test_qi_encode_pasid_cache_matches_literals(void **state)
{
    (void)state;
    ENCODED(pasid_cache_global(out), 0x37, 0);
    ENCODED(vtdpi_qi_encode_pasid_cache_domain(out, 0xfedc), 0xfedc0007, 0);
    ENCODED(vtdpi_qi_encode_pasid_cache(out, 0xfedc, 0x98765),
            0x00098765fedc0017, 0);
    ENCODED(vtdpi_qi_encode_pasid_cache(out, 0xffff, 0xfffff),
            0x000fffffffff0017, 0);
}

static void test_qi_encode_pasid_iotlb_matches_literals(void **state)
{
    (void)state;
    ENCODED(vtdpi_qi_encode_pasid_iotlb(out, 0xfedc, 0x98765),
            0x00098765fedc0026, 0);
    ENCODED(vtdpi_qi_encode_pasid_iotlb_pages(out, 0xfedc, 0x98765, 0x12345000,
                                              0, false),
            0x00098765fedc0036, 0x12345000);
    ENCODED(vtdpi_qi_encode_pasid_iotlb_pages(out, 1, 0, 0x40000000, 18, true),
            0x0000000000010036, 0x40000052);
    ENCODED(vtdpi_qi_encode_pasid_iotlb_pages(out, 1, 0, 0, ORDER_ALL, false),
            0x0000000000010036, 0x34);
}

static void test_qi_encode_pasid_dev_tlb_matches_literals(void **state)
{
    const struct vtdpi_qi_device other = {0xffff, 0, 32};

    (void)state;
    ENCODED(vtdpi_qi_encode_pasid_dev_tlb(out, &device, 0x98765, 0x12345000, 0),
            0xabc9876512354078, 0x12345000);
    ENCODED(vtdpi_qi_encode_pasid_dev_tlb(out, &device, 0x98765, 0x12346000, 1),
            0xabc9876512354078, 0x12346800);
    ENCODED(
        vtdpi_qi_encode_pasid_dev_tlb(out, &device, 0x98765, 0x40000000, 18),
        0xabc9876512354078, 0x5ffff800);
    ENCODED(vtdpi_qi_encode_pasid_dev_tlb(out, &other, 0xfffff, 0, ORDER_ALL),
            0x000fffffffff0008, 0x7ffffffffffff800);
}

static void test_qi_encode_pasid_bad_input_is_refused(void **state)
{
    const struct vtdpi_qi_device many = {1, 0, 33};

    (void)state;
    REFUSED(vtdpi_qi_encode_pasid_cache_domain(out, 0x10000), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_cache(out, 0x10000, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_cache(out, 0, 0x100000), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_iotlb(out, 0x10000, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_iotlb(out, 0, 0x100000), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_iotlb_pages(out, 0x10000, 0, 0, 0, false),
            VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_iotlb_pages(out, 0, 0x100000, 0, 0, false),
            VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_iotlb_pages(out, 0, 0, 0, 53, false),
            VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_iotlb_pages(out, 0, 0, 0x1000, 1, false),
            VTDPI_EALIGN);
    REFUSED(vtdpi_qi_encode_pasid_dev_tlb(out, &device, 0x100000, 0, 0),
            VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_dev_tlb(out, &many, 0, 0, 0), VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_dev_tlb(out, &device, 0, 0, 53),
            VTDPI_ERANGE);
    REFUSED(vtdpi_qi_encode_pasid_dev_tlb(out, &device, 0, 0x1000, 1),
            VTDPI_EALIGN);
}

static void test_qi_check_pages_says_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_qi_check_pages(0, 52), 0);
    assert_int_equal(vtdpi_qi_check_pages(UINT64_C(1) << 63, 51), 0);
    assert_int_equal(vtdpi_qi_check_pages(UINT64_C(1) << 62, 51), VTDPI_EALIGN);
    assert_int_equal(vtdpi_qi_check_pages(1, 0), VTDPI_EALIGN);
    assert_int_equal(vtdpi_qi_check_pages(1, 53), VTDPI_ERANGE);
}

/* A unit with 128-bit descriptors takes those without PASID, too. */
static void test_qi_encode_narrow_queue_takes_a_batch(void **state)
{
    const struct vtdpi_qi_params params = rig_qi_params();
    const struct vtdpi_qi_device plain = {0x1235, 0, 0};
    struct vtdpi_qi_desc d[3];
    struct vtdpi_qi_ticket t;

    (void)state;
    rig_power_up(CAP, ECAP);
    rig_open_queue(&params);
    vtdpi_qi_encode_context_global(&d[0]);
    assert_int_equal(vtdpi_qi_encode_iotlb_global(&d[1], DRAIN_BOTH), 0);
    assert_int_equal(vtdpi_qi_encode_dev_tlb(&d[2], &plain, 0, ORDER_ALL), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, 3, &t), 0);
    assert_int_equal(vtdpi_qi_wait(&rig.qi, &t, 0), 0);
    assert_int_equal(rig_counters().descriptors[1], 1);
    assert_int_equal(rig_counters().descriptors[2], 1);
    assert_int_equal(rig_counters().descriptors[3], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_qi_encode_context_matches_literals),
        TEST(test_qi_encode_context_bad_input_is_refused),
        TEST(test_qi_encode_iotlb_matches_literals),
        TEST(test_qi_encode_iotlb_bad_input_is_refused),
        TEST(test_qi_encode_dev_tlb_matches_literals),
        TEST(test_qi_encode_dev_tlb_bad_input_is_refused),
        TEST(test_qi_encode_pasid_cache_matches_literals),
        TEST(test_qi_encode_pasid_iotlb_matches_literals),
        TEST(test_qi_encode_pasid_dev_tlb_matches_literals),
        TEST(test_qi_encode_pasid_bad_input_is_refused),
        TEST(test_qi_check_pages_says_what_is_wrong),
        TEST(test_qi_encode_narrow_queue_takes_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
