/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of route.h, one by one. test_route_oracle.c has them all at once. */
#include "route_rig.h"

static struct rig r;

/* Messages as a guest writes them: to id 3, vector 41h, in the 8-bit form. */
#define ADDRESS UINT32_C(0xfee03000)
#define DATA    UINT32_C(0x41)

static struct vtdpi_route_decision decide(uint32_t address, uint32_t data)
{
    const struct vtdpi_msi msi = {address, 0, data};
    const struct vtdpi_route_options options = {.posting = true};

    return vtdpi_route_decide(&r.set, &msi, &options);
}

/* vCPUs 0 to 7, ids 0 to 7, x2APIC mode. */
static int setup(void **state)
{
    (void)state;
    rig_init(&r, 8);
    for (uint32_t i = 0; i < 8; i++)
        rig_set(&r, i, x2apic(i));
    return 0;
}

static int check(void **state)
{
    (void)state;
    rig_check_guards(&r);
    return 0;
}

static void test_route_decide_one_match_is_posted(void **state)
{
    const struct vtdpi_route_decision d = decide(ADDRESS, DATA);

    (void)state;
    assert_int_equal(d.kind, VTDPI_ROUTE_POST);
    assert_int_equal(d.reason, VTDPI_ROUTE_POSTABLE);
    assert_int_equal(d.vcpu, 3);
    assert_int_equal(d.vector, 0x41);
}

static void test_route_decide_zero_options_post_nothing(void **state)
{
    const struct vtdpi_msi msi = {ADDRESS, 0, DATA};
    const struct vtdpi_route_options options = {0};
    const struct vtdpi_route_decision d =
        vtdpi_route_decide(&r.set, &msi, &options);

    (void)state;
    assert_int_equal(d.kind, VTDPI_ROUTE_REMAP);
    assert_int_equal(d.reason, VTDPI_ROUTE_POSTING_OFF);
    assert_int_equal(d.vcpu, 3);
}

static void test_route_decide_malformed_is_rejected(void **state)
{
    static const struct {
        uint32_t address;
        uint32_t data;
        enum vtdpi_route_reason reason;
    } table[] = {
        {0xfed03000, DATA, VTDPI_ROUTE_ADDRESS},
        {0xfee03010, DATA, VTDPI_ROUTE_FORMAT},
        {0xfee03020, DATA, VTDPI_ROUTE_RESERVED},
        {0xfee03000, 0x10041, VTDPI_ROUTE_RESERVED},
        {0xfee03000, 0x00841, VTDPI_ROUTE_RESERVED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct vtdpi_route_decision d =
            decide(table[i].address, table[i].data);

        assert_int_equal(d.kind, VTDPI_ROUTE_REJECT);
        assert_int_equal(d.reason, table[i].reason);
        assert_int_equal(d.vcpu, 0);
        assert_int_equal(d.vector, 0);
    }
}

static void test_route_decide_delivery_modes_have_their_reasons(void **state)
{
    static const enum vtdpi_route_reason want[8] = {
        VTDPI_ROUTE_POSTABLE,     VTDPI_ROUTE_POSTABLE, VTDPI_ROUTE_SMI,
        VTDPI_ROUTE_RESERVED_DLM, VTDPI_ROUTE_NMI,      VTDPI_ROUTE_INIT,
        VTDPI_ROUTE_RESERVED_DLM, VTDPI_ROUTE_EXTINT,
    };

    (void)state;
    for (uint32_t mode = 0; mode < 8; mode++)
        assert_int_equal(decide(ADDRESS, DATA | mode << 8).reason, want[mode]);
}

static void test_route_decide_level_is_not_posted(void **state)
{
    (void)state;
    assert_int_equal(decide(ADDRESS, DATA | 0xc000).reason, VTDPI_ROUTE_LEVEL);
    assert_int_equal(decide(ADDRESS, DATA | 0x8000).reason, VTDPI_ROUTE_LEVEL);
    /* The level bit means nothing for edge. */
    assert_int_equal(decide(ADDRESS, DATA | 0x4000).kind, VTDPI_ROUTE_POST);
}

static void test_route_decide_vector_below_16_is_not_posted(void **state)
{
    (void)state;
    for (uint32_t vector = 0; vector < 16; vector++)
        assert_int_equal(decide(ADDRESS, vector).reason, VTDPI_ROUTE_VECTOR);
    assert_int_equal(decide(ADDRESS, 16).kind, VTDPI_ROUTE_POST);
    assert_int_equal(decide(ADDRESS, 255).kind, VTDPI_ROUTE_POST);
}

static void test_route_decide_no_match_is_remapped(void **state)
{
    (void)state;
    assert_remapped(&r, physical(8), VTDPI_ROUTE_NO_MATCH);
    assert_remapped(&r, logical(0x10001), VTDPI_ROUTE_NO_MATCH);
    assert_remapped(&r, logical(0x00100), VTDPI_ROUTE_NO_MATCH);
    assert_remapped(&r, lowest(0, 0x41), VTDPI_ROUTE_NO_MATCH);
}

static void test_route_decide_several_are_remapped(void **state)
{
    (void)state;
    assert_remapped(&r, logical(0x0a), VTDPI_ROUTE_SEVERAL);
    rig_set(&r, 4, x2apic(3));
    assert_remapped(&r, physical(3), VTDPI_ROUTE_SEVERAL);
}

static void test_route_decide_disabled_are_told_from_absent(void **state)
{
    struct vtdpi_guest_apic off = x2apic(3);

    (void)state;
    off.enabled = false;
    rig_set(&r, 3, off);
    assert_remapped(&r, physical(3), VTDPI_ROUTE_DISABLED);
    assert_remapped(&r, lowest(0x08, 0x41), VTDPI_ROUTE_DISABLED);
    /* Of two, the one that is enabled takes it. */
    assert_posted(&r, logical(0x0a), 1);
    /* Not there at all. */
    off.mode = VTDPI_GUEST_APIC_DISABLED;
    off.enabled = true;
    rig_set(&r, 3, off);
    assert_remapped(&r, physical(3), VTDPI_ROUTE_NO_MATCH);
}

static void test_route_decide_detached_is_remapped(void **state)
{
    struct vtdpi_guest_apic bare = x2apic(3);
    const struct vtdpi_compat_msi msg = physical(3);
    const struct vtdpi_route_options off = {0};

    (void)state;
    bare.attached = false;
    rig_set(&r, 3, bare);
    assert_remapped(&r, msg, VTDPI_ROUTE_DETACHED);
    assert_int_equal(rig_decide(&r, msg).vcpu, 3);
    /* It counts for arbitration nevertheless: software delivery reaches it. */
    assert_remapped(&r, lowest(0x0a, 0x41), VTDPI_ROUTE_DETACHED);
    assert_posted(&r, lowest(0x0a, 0x42), 1);
    /* Posting off comes last of all. */
    assert_int_equal(vtdpi_route_decide_decoded(&r.set, &msg, &off).reason,
                     VTDPI_ROUTE_DETACHED);
}

static void test_route_decide_broadcast_only_to_a_single_vcpu(void **state)
{
    struct vtdpi_guest_apic off = x2apic(0);

    (void)state;
    assert_remapped(&r, physical(VTDPI_DEST_ALL), VTDPI_ROUTE_BROADCAST);
    assert_remapped(&r, logical(VTDPI_DEST_ALL), VTDPI_ROUTE_BROADCAST);
    /* No vCPU is chosen from a broadcast. */
    assert_remapped(&r, lowest(VTDPI_DEST_ALL, 0x45), VTDPI_ROUTE_BROADCAST);

    rig_init(&r, 8);
    rig_set(&r, 2, cluster(9, 0));
    assert_posted(&r, physical(VTDPI_DEST_ALL), 2);
    assert_posted(&r, logical(VTDPI_DEST_ALL), 2);
    assert_posted(&r, lowest(VTDPI_DEST_ALL, 0x45), 2);
    off.enabled = false;
    rig_set(&r, 0, off);
    assert_posted(&r, physical(VTDPI_DEST_ALL), 2);
    rig_set(&r, 0, x2apic(0));
    assert_remapped(&r, physical(VTDPI_DEST_ALL), VTDPI_ROUTE_BROADCAST);
}

static void eight_flat(void)
{
    rig_init(&r, 9);
    for (uint32_t i = 0; i < 8; i++)
        rig_set(&r, i, flat(i, 1U << i));
}

/* In the flat model all ones are a set like any other, which is what guests of
 * up to eight vCPUs program. The SDM forbids the redirection hint with FFh
 * only in physical mode and in the cluster model. */
static void test_route_decide_flat_all_ones_are_a_set(void **state)
{
    static const struct vtdpi_msi msi[] = {
        {0xfeeff004, 0, 0x161}, /* lowest priority */
        {0xfeeff00c, 0, 0x061}, /* redirection hint */
    };
    const struct vtdpi_route_options options = {.posting = true};
    struct vtdpi_compat_msi msg;

    (void)state;
    eight_flat();
    for (size_t i = 0; i < COUNT(msi); i++) {
        const struct vtdpi_route_decision d =
            vtdpi_route_decide(&r.set, &msi[i], &options);

        assert_int_equal(d.kind, VTDPI_ROUTE_POST);
        assert_int_equal(d.vcpu, 0x61 % 8);
        assert_int_equal(vtdpi_route_decode(&msi[i], VTDPI_COMPAT_DEST_8, &msg),
                         0);
        assert_takers(&r, msg, "1");
    }
    assert_takers(&r, logical(VTDPI_DEST_ALL), "01234567");
    assert_remapped(&r, logical(VTDPI_DEST_ALL), VTDPI_ROUTE_SEVERAL);
    for (uint32_t vector = 16; vector < 256; vector++) {
        assert_posted(&r, lowest(VTDPI_DEST_ALL, (uint8_t)vector), vector % 8);
        assert_posted(&r, lowest(0xff, (uint8_t)vector), vector % 8);
    }
    /* In physical mode they are the broadcast. */
    msg = lowest(VTDPI_DEST_ALL, 0x61);
    msg.dm = false;
    assert_remapped(&r, msg, VTDPI_ROUTE_BROADCAST);
    assert_remapped(&r, physical(VTDPI_DEST_ALL), VTDPI_ROUTE_BROADCAST);
}

/* An APIC without a logical id, disabled or gone, is not in the set. */
static void test_route_decide_flat_all_ones_need_an_ldr(void **state)
{
    const struct vtdpi_guest_apic gone = {0};
    struct vtdpi_guest_apic off = flat(2, 0x04);

    (void)state;
    eight_flat();
    rig_set(&r, 0, flat(0, 0));
    off.enabled = false;
    rig_set(&r, 2, off);
    rig_set(&r, 3, gone);
    assert_takers(&r, logical(VTDPI_DEST_ALL), "14567");
    assert_posted(&r, lowest(VTDPI_DEST_ALL, 0x61), 5); /* 97 mod 5 */
    for (uint32_t i = 4; i < 8; i++)
        rig_set(&r, i, flat(i, 0));
    assert_posted(&r, logical(VTDPI_DEST_ALL), 1);
    assert_posted(&r, logical(0xff), 1);
    rig_set(&r, 1, flat(1, 0));
    assert_remapped(&r, logical(VTDPI_DEST_ALL), VTDPI_ROUTE_DISABLED);
    rig_set(&r, 2, gone);
    assert_remapped(&r, logical(VTDPI_DEST_ALL), VTDPI_ROUTE_NO_MATCH);
}

/* In a guest of several modes all ones are a broadcast as soon as one that
 * takes the message reads them so, be it the last. */
static void test_route_decide_all_ones_to_mixed_modes(void **state)
{
    struct vtdpi_guest_apic last = x2apic(8);

    (void)state;
    eight_flat();
    rig_set(&r, 8, last);
    assert_takers(&r, logical(VTDPI_DEST_ALL), "012345678");
    assert_remapped(&r, lowest(VTDPI_DEST_ALL, 0x61), VTDPI_ROUTE_BROADCAST);
    assert_remapped(&r, logical(VTDPI_DEST_ALL), VTDPI_ROUTE_BROADCAST);
    /* To an x2APIC, FFh of a wider form is members of cluster 0. */
    assert_posted(&r, lowest(0xff, 0x61), 1);
    assert_remapped(&r, logical(0xff), VTDPI_ROUTE_SEVERAL);
    last.enabled = false;
    rig_set(&r, 8, last);
    assert_posted(&r, lowest(VTDPI_DEST_ALL, 0x61), 1);
    rig_set(&r, 8, cluster(8, 0x11));
    assert_remapped(&r, lowest(VTDPI_DEST_ALL, 0x61), VTDPI_ROUTE_BROADCAST);
    assert_remapped(&r, lowest(0xff, 0x61), VTDPI_ROUTE_BROADCAST);
}

static void test_route_decide_first_reason_in_order_counts(void **state)
{
    /* Everything is wrong; each line takes one thing away. */
    static const struct {
        uint32_t address;
        uint32_t data;
        enum vtdpi_route_reason reason;
    } table[] = {
        {0xfed09030, 0x1840f, VTDPI_ROUTE_ADDRESS},
        {0xfee09030, 0x1840f, VTDPI_ROUTE_FORMAT},
        {0xfee09020, 0x1840f, VTDPI_ROUTE_RESERVED},
        {0xfee09000, 0x1840f, VTDPI_ROUTE_RESERVED},
        {0xfee09000, 0x0840f, VTDPI_ROUTE_NMI},
        {0xfee09000, 0x0800f, VTDPI_ROUTE_LEVEL},
        {0xfee09000, 0x0000f, VTDPI_ROUTE_VECTOR},
        {0xfee09000, 0x00010, VTDPI_ROUTE_NO_MATCH},
        {0xfee03000, 0x00010, VTDPI_ROUTE_DETACHED},
        {0xfee02000, 0x00010, VTDPI_ROUTE_POSTING_OFF},
    };
    const struct vtdpi_route_options off = {0};
    struct vtdpi_guest_apic bare = x2apic(3);

    (void)state;
    bare.attached = false;
    rig_set(&r, 3, bare);
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct vtdpi_msi msi = {table[i].address, 0, table[i].data};

        assert_int_equal(vtdpi_route_decide(&r.set, &msi, &off).reason,
                         table[i].reason);
    }
}

static void test_route_hash_is_vector_mod_count_by_ascending_id(void **state)
{
    /* Numbers in the opposite order of ids. */
    static const uint32_t vcpu[] = {7, 5, 4, 2, 0};

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        rig_set(&r, i, x2apic(7 - i));
    for (uint32_t vector = 16; vector < 256; vector++)
        assert_posted(&r, lowest(0xad, (uint8_t)vector), vcpu[vector % 5]);
    assert_int_equal(vtdpi_route_hash(0xff, 7), 255 % 7);
}

static void test_route_hash_equal_ids_by_ascending_number(void **state)
{
    (void)state;
    rig_set(&r, 6, x2apic(1));
    rig_set(&r, 2, x2apic(1));
    assert_posted(&r, lowest(0x02, 0x30), 1);
    assert_posted(&r, lowest(0x02, 0x31), 2);
    assert_posted(&r, lowest(0x02, 0x32), 6);
}

static void test_route_is_arbitrated_by_mode_or_hint(void **state)
{
    /* RH 3, DM 2; the vector picks the second of 1 and 3. */
    static const struct {
        uint32_t address;
        uint32_t data;
        enum vtdpi_route_reason reason;
    } table[] = {
        {0xfee0a004, 0x041, VTDPI_ROUTE_SEVERAL},
        {0xfee0a00c, 0x041, VTDPI_ROUTE_POSTABLE},
        {0xfee0a004, 0x141, VTDPI_ROUTE_POSTABLE},
        {0xfee0a00c, 0x141, VTDPI_ROUTE_POSTABLE},
        /* The hint means nothing for a physical destination. */
        {0xfeeff008, 0x041, VTDPI_ROUTE_BROADCAST},
        {0xfeeff000, 0x141, VTDPI_ROUTE_BROADCAST},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        assert_int_equal(decide(table[i].address, table[i].data).reason,
                         table[i].reason);
    assert_int_equal(decide(0xfee0a00c, 0x041).vcpu, 3);
    assert_int_equal(decide(0xfee0a00c, 0x042).vcpu, 1);
}

/* Each delivery mode, with and without hint and logical destination. */
static void test_route_is_arbitrated_of_every_message(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 32; i++) {
        const struct vtdpi_compat_msi msg = {
            .dest = 1,
            .vector = 0x41,
            .dlm = (enum vtdpi_dlm)(i % 8),
            .rh = (i & 8) != 0,
            .dm = (i & 16) != 0,
        };

        assert_true(vtdpi_route_is_arbitrated(&msg) == (i % 8 == 1 || i >= 24));
    }
}

static void test_route_is_postable_of_every_message(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 8 * 256 * 2; i++) {
        const unsigned int vector = i % 256;
        const struct vtdpi_compat_msi msg = {
            .vector = (uint8_t)vector,
            .dlm = (enum vtdpi_dlm)(i / 256 % 8),
            .level = i >= 8 * 256,
        };
        const bool fits = i < 2 * 256;
        struct vtdpi_route_options options = {.form = VTDPI_COMPAT_DEST_8};

        assert_true(vtdpi_route_is_postable(&msg, &options) ==
                    (fits && vector >= 16));
        options.vector_min = 15;
        assert_true(vtdpi_route_is_postable(&msg, &options) ==
                    (fits && vector >= 16));
        options.vector_min = 31;
        assert_true(vtdpi_route_is_postable(&msg, &options) ==
                    (fits && vector >= 31));
        options.vector_min = 255;
        assert_true(vtdpi_route_is_postable(&msg, &options) ==
                    (fits && vector == 255));
    }
}

static void test_walk_next_nmi_smi_init_reach_the_disabled(void **state)
{
    static const char *const want[8] = {"13",  "1",   "123", "",
                                        "123", "123", "",    "13"};
    struct vtdpi_guest_apic off = x2apic(2);
    struct vtdpi_compat_msi msg = logical(0x0e);

    (void)state;
    off.enabled = false;
    rig_set(&r, 2, off);
    msg.vector = 0x40;
    for (unsigned int mode = 0; mode < 8; mode++) {
        msg.dlm = (enum vtdpi_dlm)mode;
        assert_takers(&r, msg, want[mode]);
    }
    /* With the hint, one of them. */
    msg.rh = true;
    msg.dlm = VTDPI_DLM_NMI;
    assert_takers(&r, msg, "2");
}

static void test_walk_next_deassert_reaches_nobody(void **state)
{
    struct vtdpi_compat_msi msg = logical(0x06);

    (void)state;
    msg.level = true;
    msg.assert_level = true;
    assert_takers(&r, msg, "12");
    msg.assert_level = false;
    assert_takers(&r, msg, "");
    msg.level = false;
    assert_takers(&r, msg, "12");
}

static void test_walk_next_agrees_with_decision(void **state)
{
    struct vtdpi_route_walk walk;
    struct vtdpi_route_candidate c;

    (void)state;
    for (uint32_t vector = 16; vector < 256; vector++) {
        const struct vtdpi_compat_msi msg = lowest(0x5b, (uint8_t)vector);

        vtdpi_route_walk_begin(&walk, &r.set, &msg);
        assert_true(vtdpi_route_walk_next(&walk, &c));
        assert_posted(&r, msg, c.vcpu);
        assert_false(vtdpi_route_walk_next(&walk, &c));
        assert_false(vtdpi_route_walk_next(&walk, &c));
    }
}

static void test_route_reason_text_each_has_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < VTDPI_ROUTE_REASONS; i++) {
        const char *const text =
            vtdpi_route_reason_text((enum vtdpi_route_reason)i);

        assert_true(strlen(text) > 5);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(
                text, vtdpi_route_reason_text((enum vtdpi_route_reason)k));
    }
    assert_string_equal(vtdpi_route_reason_text(VTDPI_ROUTE_POSTING_OFF),
                        "posting is off for the VM");
    assert_string_equal(
        vtdpi_route_reason_text((enum vtdpi_route_reason)VTDPI_ROUTE_REASONS),
        "unknown reason");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, check)
    const struct CMUnitTest tests[] = {
        TEST(test_route_decide_one_match_is_posted),
        TEST(test_route_decide_zero_options_post_nothing),
        TEST(test_route_decide_malformed_is_rejected),
        TEST(test_route_decide_delivery_modes_have_their_reasons),
        TEST(test_route_decide_level_is_not_posted),
        TEST(test_route_decide_vector_below_16_is_not_posted),
        TEST(test_route_decide_no_match_is_remapped),
        TEST(test_route_decide_several_are_remapped),
        TEST(test_route_decide_disabled_are_told_from_absent),
        TEST(test_route_decide_detached_is_remapped),
        TEST(test_route_decide_broadcast_only_to_a_single_vcpu),
        TEST(test_route_decide_flat_all_ones_are_a_set),
        TEST(test_route_decide_flat_all_ones_need_an_ldr),
        TEST(test_route_decide_all_ones_to_mixed_modes),
        TEST(test_route_decide_first_reason_in_order_counts),
        TEST(test_route_hash_is_vector_mod_count_by_ascending_id),
        TEST(test_route_hash_equal_ids_by_ascending_number),
        TEST(test_route_is_arbitrated_by_mode_or_hint),
        TEST(test_route_is_arbitrated_of_every_message),
        TEST(test_route_is_postable_of_every_message),
        TEST(test_walk_next_nmi_smi_init_reach_the_disabled),
        TEST(test_walk_next_deassert_reaches_nobody),
        TEST(test_walk_next_agrees_with_decision),
        TEST(test_route_reason_text_each_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
