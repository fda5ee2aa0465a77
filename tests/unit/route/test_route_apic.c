/* SPDX-License-Identifier: BSD-2-Clause */
/* Which destinations are an APIC's own, and what its registers make it. */
#include "route_rig.h"

static bool matches(struct vtdpi_guest_apic a, struct vtdpi_compat_msi msg)
{
    return vtdpi_guest_apic_matches(&a, &msg);
}

static void test_guest_apic_matches_physical_is_the_whole_id(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 32; bit++) {
        const uint32_t other = 5 ^ UINT32_C(1) << bit;

        assert_false(matches(x2apic(5), physical(other)));
        assert_false(matches(flat(5, 0xff), physical(other)));
        assert_false(matches(cluster(5, 0xff), physical(other)));
    }
    assert_true(matches(x2apic(5), physical(5)));
    assert_true(matches(flat(5, 0xff), physical(5)));
    assert_true(matches(cluster(5, 0xff), physical(5)));
    assert_true(matches(x2apic(0xfffffffe), physical(0xfffffffe)));
    /* In xAPIC mode still, with an id for later. */
    assert_true(matches(flat(0x105, 0), physical(0x105)));
    assert_false(matches(flat(0x105, 0), physical(0x05)));
}

static void test_guest_apic_matches_flat_is_a_common_bit(void **state)
{
    (void)state;
    for (uint32_t ldr = 0; ldr < 256; ldr++) {
        for (uint32_t dest = 0; dest < 256; dest++)
            assert_int_equal(matches(flat(77, ldr), logical(dest)),
                             (ldr & dest) != 0);
        /* All ones of the 8-bit form, widened, too. */
        assert_int_equal(matches(flat(77, ldr), logical(VTDPI_DEST_ALL)),
                         ldr != 0);
    }
    assert_false(matches(flat(77, 0xff), logical(0x101)));
    assert_false(matches(flat(77, 0xff), logical(0x10001)));
    assert_false(matches(flat(77, 0xff), logical(0xfffffffe)));
}

static void test_guest_apic_matches_cluster_is_cluster_and_member(void **state)
{
    (void)state;
    assert_true(matches(cluster(77, 0x21), logical(0x21)));
    assert_true(matches(cluster(77, 0x21), logical(0x2f)));
    assert_false(matches(cluster(77, 0x21), logical(0x2e)));
    assert_false(matches(cluster(77, 0x21), logical(0x31)));
    assert_false(matches(cluster(77, 0x21), logical(0x01)));
    assert_false(matches(cluster(77, 0x21), logical(0x121)));
    assert_false(matches(cluster(77, 0x20), logical(0x2f)));
    /* Cluster 15 is like any other, unless all members are meant. */
    assert_true(matches(cluster(77, 0xf1), logical(0xf1)));
    assert_false(matches(cluster(77, 0x21), logical(0xf1)));
    assert_true(matches(cluster(77, 0x21), logical(0xff)));
}

static void test_guest_apic_matches_x2apic_logical_follows_id(void **state)
{
    struct vtdpi_guest_apic a = x2apic(0x12345);

    (void)state;
    /* Not from the register, unless the host says that it counts. */
    a.ldr = 0x00010001;
    assert_true(matches(a, logical(0x12340020)));
    assert_true(matches(a, logical(0x1234ffff)));
    assert_false(matches(a, logical(0x1234ffdf)));
    assert_false(matches(a, logical(0x12350020)));
    assert_false(matches(a, logical(0x00010001)));
    /* The cluster is bits 19:4 of the id. */
    assert_true(matches(x2apic(0xfff12345), logical(0x12340020)));
    assert_true(matches(x2apic(0xfffff), logical(0xffff8000)));
    /* 8 bits name members 0 to 7 of cluster 0. */
    assert_true(matches(x2apic(7), logical(0x80)));
    assert_false(matches(x2apic(8), logical(0xfe)));
}

static void test_guest_apic_matches_x2apic_logical_as_given(void **state)
{
    struct vtdpi_guest_apic a = x2apic(0x12345);

    (void)state;
    a.ldr_given = true;
    a.ldr = 0x00070108;
    assert_int_equal(vtdpi_guest_x2apic_ldr(&a), 0x00070108);
    assert_true(matches(a, logical(0x00070008)));
    assert_true(matches(a, logical(0x00070100)));
    assert_false(matches(a, logical(0x0007fef7)));
    assert_false(matches(a, logical(0x00060108)));
    /* The logical id that follows from the id does not match, nor does one in the
     * form of an xAPIC, nor a destination without members of ours. */
    assert_false(matches(a, logical(0x12340020)));
    a.ldr = 0x02000000;
    assert_false(matches(a, logical(2)));
    assert_false(matches(a, logical(0x0200ffff)));
    /* All else is as before. */
    assert_true(matches(a, physical(0x12345)));
    assert_true(matches(a, logical(VTDPI_DEST_ALL)));
    assert_true(matches(a, physical(VTDPI_DEST_ALL)));
    a.ldr_given = false;
    assert_int_equal(vtdpi_guest_x2apic_ldr(&a), 0x12340020);
}

static void test_guest_apic_matches_broadcast_by_mode(void **state)
{
    const struct vtdpi_guest_apic off = {.id = 1};

    (void)state;
    for (int dm = 0; dm < 2; dm++) {
        struct vtdpi_compat_msi all = physical(VTDPI_DEST_ALL);
        struct vtdpi_compat_msi ff = physical(0xff);

        all.dm = dm != 0;
        ff.dm = dm != 0;
        assert_int_equal(matches(flat(1, 0), all), dm == 0);
        assert_true(matches(cluster(1, 0), all));
        assert_true(matches(x2apic(0x300), all));
        assert_false(matches(off, all));
        /* A wide FFh: to xAPICs; id 255 or cluster 0 to others. */
        assert_int_equal(matches(flat(1, 0), ff), dm == 0);
        assert_true(matches(cluster(1, 0), ff));
        assert_false(matches(x2apic(0x300), ff));
        assert_int_equal(matches(x2apic(0xff), ff), dm == 0);
        assert_int_equal(matches(x2apic(0x07), ff), dm == 1);
        assert_false(matches(off, ff));
    }
}

static void test_guest_apic_matches_disabled_nothing(void **state)
{
    const struct vtdpi_guest_apic off = {
        .id = 3, .ldr = 0xff000000, .enabled = true, .attached = true};

    (void)state;
    assert_false(matches(off, physical(3)));
    assert_false(matches(off, logical(8)));
}

static void test_route_decode_widens_ff_of_8_bits_only(void **state)
{
    static const struct {
        enum vtdpi_compat_dest form;
        struct vtdpi_msi msi;
        uint32_t dest;
    } table[] = {
        {VTDPI_COMPAT_DEST_8, {0xfeeff000, 0, 0x41}, 0xffffffff},
        {VTDPI_COMPAT_DEST_8, {0xfeeff004, 0, 0x41}, 0xffffffff},
        {VTDPI_COMPAT_DEST_8, {0xfeefe000, 0, 0x41}, 0xfe},
        {VTDPI_COMPAT_DEST_15, {0xfeeff000, 0, 0x41}, 0xff},
        {VTDPI_COMPAT_DEST_15, {0xfeefffe0, 0, 0x41}, 0x7fff},
        {VTDPI_COMPAT_DEST_32, {0xfeeff000, 0, 0x41}, 0xff},
        {VTDPI_COMPAT_DEST_32, {0xfeeff000, 0xffffff00, 0x41}, 0xffffffff},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct vtdpi_compat_msi msg;

        assert_int_equal(vtdpi_route_decode(&table[i].msi, table[i].form, &msg),
                         0);
        assert_int_equal(msg.dest, table[i].dest);
        assert_int_equal(msg.vector, 0x41);
    }
}

static void test_route_decode_errors_leave_out_untouched(void **state)
{
    static const struct vtdpi_msi good = {0xfeeff000, 0, 0x41};
    static const struct {
        enum vtdpi_compat_dest form;
        struct vtdpi_msi msi;
        int rc;
    } table[] = {
        {VTDPI_COMPAT_DEST_8, {0xfddff000, 0, 0x41}, VTDPI_EMSI_ADDRESS},
        {VTDPI_COMPAT_DEST_8, {0xfeeff000, 0x100, 0x41}, VTDPI_EMSI_ADDRESS},
        {VTDPI_COMPAT_DEST_8, {0xfeeff010, 0, 0x41}, VTDPI_EMSI_FORMAT},
        {VTDPI_COMPAT_DEST_8, {0xfeeff020, 0, 0x41}, VTDPI_EMSI_RESERVED},
        {(enum vtdpi_compat_dest)3, {0xfeeff000, 0, 0x41}, VTDPI_EINVAL},
    };
    struct vtdpi_compat_msi msg = physical(7);

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(vtdpi_route_decode(&table[i].msi, table[i].form, &msg),
                         table[i].rc);
        assert_int_equal(msg.dest, 7);
    }
    assert_int_equal(vtdpi_route_decode(NULL, VTDPI_COMPAT_DEST_8, &msg),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_route_decode(&good, VTDPI_COMPAT_DEST_8, NULL),
                     VTDPI_EINVAL);
}

static void test_guest_apic_from_registers_each_mode(void **state)
{
    static const struct {
        uint64_t apic_base;
        uint32_t dfr;
        enum vtdpi_guest_apic_mode mode;
        uint32_t ldr;
    } table[] = {
        {0xfee00000, 0xffffffff, VTDPI_GUEST_APIC_DISABLED, 0x21000000},
        {0xfee00400, 0xffffffff, VTDPI_GUEST_APIC_DISABLED, 0x21000000},
        {0xfee00800, 0xffffffff, VTDPI_GUEST_XAPIC_FLAT, 0x21000000},
        {0xfee00900, 0xf0000000, VTDPI_GUEST_XAPIC_FLAT, 0x21000000},
        {0xfee00800, 0x0fffffff, VTDPI_GUEST_XAPIC_CLUSTER, 0x21000000},
        {0xfee00800, 0x00000000, VTDPI_GUEST_XAPIC_CLUSTER, 0x21000000},
        {0xfee00c00, 0x0fffffff, VTDPI_GUEST_X2APIC, 0x21000000},
        {0xfee00d00, 0x7fffffff, VTDPI_GUEST_X2APIC, 0x21000000},
        /* Reserved models. */
        {0xfee00800, 0x7fffffff, VTDPI_GUEST_XAPIC_FLAT, 0},
        {0xfee00800, 0x1fffffff, VTDPI_GUEST_XAPIC_FLAT, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        for (uint32_t svr = 0; svr < 0x400; svr += 0x80) {
            const struct vtdpi_guest_apic a = vtdpi_guest_apic_from_registers(
                table[i].apic_base, 0x1234, 0x21000000, table[i].dfr, svr);

            assert_int_equal(a.mode, table[i].mode);
            assert_int_equal(a.ldr, table[i].ldr);
            assert_int_equal(a.id, 0x1234);
            assert_int_equal(a.enabled, (svr & 0x100) != 0);
            assert_false(a.attached);
        }
    }
}

static void test_route_affects_each_cause(void **state)
{
    const struct vtdpi_compat_msi msg = physical(3);
    const struct vtdpi_guest_apic base = x2apic(3);
    const struct vtdpi_guest_apic elsewhere = x2apic(4);
    const struct vtdpi_guest_apic gone = {0};
    struct vtdpi_guest_apic a = base;

    (void)state;
    assert_false(vtdpi_route_affects(&base, &base, &msg));
    assert_true(vtdpi_route_affects(&base, &elsewhere, &msg));
    assert_true(vtdpi_route_affects(&elsewhere, &base, &msg));
    assert_true(vtdpi_route_affects(&base, &gone, &msg));
    assert_true(vtdpi_route_affects(&gone, &base, &msg));
    a.enabled = false;
    assert_true(vtdpi_route_affects(&base, &a, &msg));
    a = base;
    a.attached = false;
    assert_true(vtdpi_route_affects(&base, &a, &msg));
    /* What the destination does not depend on. */
    a = base;
    a.ldr = 0xff000000;
    assert_false(vtdpi_route_affects(&base, &a, &msg));
    a = elsewhere;
    a.enabled = false;
    assert_false(vtdpi_route_affects(&elsewhere, &a, &msg));
    a = flat(3, 0);
    assert_false(vtdpi_route_affects(&base, &a, &msg));
}

/* The same APIC is meant before and after, and now as one of a set. */
static void test_route_affects_reading_all_ones_otherwise(void **state)
{
    const struct vtdpi_guest_apic one = flat(1, 0xf1);
    const struct vtdpi_guest_apic other = cluster(1, 0xf1);
    const struct vtdpi_guest_apic wide = x2apic(1);
    const struct vtdpi_compat_msi physically = physical(VTDPI_DEST_ALL);
    const struct vtdpi_compat_msi logically = logical(VTDPI_DEST_ALL);
    const struct vtdpi_compat_msi ff = logical(0xff);

    (void)state;
    assert_true(vtdpi_route_affects(&one, &other, &logically));
    assert_true(vtdpi_route_affects(&other, &one, &logically));
    assert_true(vtdpi_route_affects(&one, &wide, &logically));
    assert_false(vtdpi_route_affects(&other, &wide, &logically));
    assert_false(vtdpi_route_affects(&one, &other, &physically));
    assert_true(vtdpi_route_affects(&one, &other, &ff));
    assert_false(vtdpi_route_affects(&one, &wide, &ff));
}

static void test_route_affects_order_of_arbitration(void **state)
{
    const struct vtdpi_guest_apic low = flat(1, 0x01);
    const struct vtdpi_guest_apic high = flat(9, 0x01);
    const struct vtdpi_compat_msi msg = lowest(0x03, 0x41);

    (void)state;
    assert_true(vtdpi_route_affects(&low, &high, &msg));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_apic_matches_physical_is_the_whole_id),
        cmocka_unit_test(test_guest_apic_matches_flat_is_a_common_bit),
        cmocka_unit_test(test_guest_apic_matches_cluster_is_cluster_and_member),
        cmocka_unit_test(test_guest_apic_matches_x2apic_logical_follows_id),
        cmocka_unit_test(test_guest_apic_matches_x2apic_logical_as_given),
        cmocka_unit_test(test_guest_apic_matches_broadcast_by_mode),
        cmocka_unit_test(test_guest_apic_matches_disabled_nothing),
        cmocka_unit_test(test_route_decode_widens_ff_of_8_bits_only),
        cmocka_unit_test(test_route_decode_errors_leave_out_untouched),
        cmocka_unit_test(test_guest_apic_from_registers_each_mode),
        cmocka_unit_test(test_route_affects_each_cause),
        cmocka_unit_test(test_route_affects_reading_all_ones_otherwise),
        cmocka_unit_test(test_route_affects_order_of_arbitration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
