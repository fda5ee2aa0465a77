/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of a guest's APICs: what it finds, what it costs. Linked with
 * --wrap=vtdpi_guest_apic_matches: APICs that a look-up asks are counted.
 */
#include "route_rig.h"

static struct rig r;
static uint64_t asked;

bool __real_vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                     const struct vtdpi_compat_msi *msg);
bool __wrap_vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                     const struct vtdpi_compat_msi *msg);

bool __wrap_vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                     const struct vtdpi_compat_msi *msg)
{
    asked++;
    return __real_vtdpi_guest_apic_matches(apic, msg);
}

/* APICs that one decision asks. */
static uint64_t cost(struct vtdpi_compat_msi msg)
{
    asked = 0;
    (void)rig_decide(&r, msg);
    return asked;
}

static void fill(uint32_t count, struct vtdpi_guest_apic (*make)(uint32_t i))
{
    rig_init(&r, count);
    for (uint32_t i = 0; i < count; i++)
        rig_set(&r, i, make(i));
}

static struct vtdpi_guest_apic dense(uint32_t i)
{
    return x2apic(i);
}

/* Every 32-bit id once at most, in no order; bits above 19 differ, too. */
static uint32_t scattered_id(uint32_t i)
{
    return (i + 1) * UINT32_C(0x9e3779b1);
}

static struct vtdpi_guest_apic scattered(uint32_t i)
{
    return x2apic(scattered_id(i));
}

static struct vtdpi_guest_apic all_the_same(uint32_t i)
{
    (void)i;
    return flat(5, 0xff);
}

/* As after reset: xAPIC mode, flat, no LDR; only the first vCPU runs. */
static struct vtdpi_guest_apic just_reset(uint32_t i)
{
    struct vtdpi_guest_apic a = flat(i, 0);

    a.enabled = i == 0;
    return a;
}

/* 60 vCPUs in 15 clusters, the most that xAPIC clusters hold. */
static struct vtdpi_guest_apic clustered(uint32_t i)
{
    return cluster(i, (i / 4) << 4 | 1U << i % 4);
}

static void test_map_init_bad_arguments_refused(void **state)
{
    struct vtdpi_route_map map;

    (void)state;
    assert_int_equal(vtdpi_route_map_init(NULL, r.apics, r.keys, 1),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_route_map_init(&map, NULL, r.keys, 1), VTDPI_EINVAL);
    assert_int_equal(vtdpi_route_map_init(&map, r.apics, NULL, 1),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_route_map_init(&map, r.apics, r.keys, 0),
                     VTDPI_EINVAL);
    assert_int_equal(
        vtdpi_route_map_init(&map, r.apics, r.keys, VTDPI_ROUTE_MAP_MAX + 1),
        VTDPI_EINVAL);
}

static void test_map_update_bad_arguments_change_nothing(void **state)
{
    struct vtdpi_guest_apic bad = x2apic(1);

    (void)state;
    fill(4, dense);
    bad.mode = (enum vtdpi_guest_apic_mode)4;
    assert_int_equal(vtdpi_route_map_update(&r.map, 0, &bad), VTDPI_EINVAL);
    bad.mode = VTDPI_GUEST_X2APIC;
    assert_int_equal(vtdpi_route_map_update(&r.map, 4, &bad), VTDPI_EINVAL);
    assert_int_equal(vtdpi_route_map_update(&r.map, 0, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_route_map_update(NULL, 0, &bad), VTDPI_EINVAL);
    for (uint32_t i = 0; i < 4; i++)
        assert_posted(&r, physical(i), i);
    rig_check_guards(&r);
}

static void test_map_apic_is_what_was_recorded(void **state)
{
    struct vtdpi_guest_apic a = flat(7, 0x80);

    (void)state;
    fill(4, dense);
    a.attached = false;
    rig_set(&r, 2, a);
    a = vtdpi_route_map_apic(&r.map, 2);
    assert_int_equal(a.id, 7);
    assert_int_equal(a.ldr, 0x80000000);
    assert_int_equal(a.mode, VTDPI_GUEST_XAPIC_FLAT);
    assert_true(a.enabled);
    assert_false(a.attached);
    assert_int_equal(vtdpi_route_map_apic(&r.map, 3).id, 3);
}

static void test_map_init_makes_it_empty(void **state)
{
    (void)state;
    fill(RIG_VCPUS, dense);
    rig_init(&r, RIG_VCPUS);
    assert_remapped(&r, physical(1), VTDPI_ROUTE_NO_MATCH);
    assert_remapped(&r, physical(VTDPI_DEST_ALL), VTDPI_ROUTE_NO_MATCH);
    assert_int_equal(vtdpi_route_map_apic(&r.map, 1).mode,
                     VTDPI_GUEST_APIC_DISABLED);
}

static void test_map_1024_scattered_ids_all_found(void **state)
{
    (void)state;
    fill(RIG_VCPUS, scattered);
    for (uint32_t i = 0; i < RIG_VCPUS; i++) {
        const uint32_t id = scattered_id(i);

        assert_posted(&r, physical(id), i);
        assert_remapped(&r, physical(id ^ 1), VTDPI_ROUTE_NO_MATCH);
        assert_posted(
            &r, logical((id >> 4 & 0xffff) << 16 | UINT32_C(1) << (id & 15)),
            i);
    }
    rig_check_guards(&r);
}

/* The most vCPUs, each with both keys; in an order that moves few of them. */
static void test_map_full_every_key_used(void **state)
{
    static struct vtdpi_guest_apic apics[VTDPI_ROUTE_MAP_MAX];
    static uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VTDPI_ROUTE_MAP_MAX)];
    const uint32_t count = VTDPI_ROUTE_MAP_MAX;
    const uint32_t first = UINT32_MAX - count;
    const struct vtdpi_guest_apic gone = {0};

    (void)state;
    assert_int_equal(vtdpi_route_map_init(&r.map, apics, keys, count), 0);
    r.set = vtdpi_route_map_apics(&r.map);
    for (uint32_t i = 0; i < count; i++)
        rig_set(&r, i, flat(first + i, 0));
    for (uint32_t i = 0; i < count; i++)
        rig_set(&r, i, x2apic(first + i));
    for (uint32_t i = 0; i < count; i += 31) {
        const uint32_t id = first + i;

        assert_posted(&r, physical(id), i);
        assert_posted(
            &r, logical((id >> 4 & 0xffff) << 16 | UINT32_C(1) << (id & 15)),
            i);
    }
    assert_remapped(&r, physical(VTDPI_DEST_ALL), VTDPI_ROUTE_BROADCAST);
    for (uint32_t i = count; i-- > 1;)
        rig_set(&r, i, flat(first + i, 0));
    for (uint32_t i = count; i-- > 1;)
        rig_set(&r, i, gone);
    assert_posted(&r, physical(VTDPI_DEST_ALL), 0);
}

static void test_map_updates_as_good_as_a_rebuild(void **state)
{
    static struct rig fresh;
    uint32_t x = 1;

    (void)state;
    rig_init(&r, 40);
    for (int round = 0; round < 2000; round++) {
        uint32_t vcpu;

        x = x * 1664525 + 1013904223;
        vcpu = (x >> 20) % 40;
        rig_set(&r, vcpu,
                apic((enum vtdpi_guest_apic_mode)(x >> 30), x >> 10 & 0x1f,
                     x >> 15 & 0xff));
        if (round % 20 != 0)
            continue;
        rig_init(&fresh, 40);
        for (uint32_t i = 40; i-- > 0;)
            rig_set(&fresh, i, vtdpi_route_map_apic(&r.map, i));
        for (uint32_t dest = 0; dest <= 0x100; dest++) {
            const struct vtdpi_compat_msi msg =
                lowest(dest, (uint8_t)(x >> 8 | 16));

            assert_int_equal(rig_decide(&r, msg).reason,
                             rig_decide(&fresh, msg).reason);
            assert_int_equal(rig_decide(&r, msg).vcpu,
                             rig_decide(&fresh, msg).vcpu);
            assert_int_equal(rig_decide(&r, physical(dest)).vcpu,
                             rig_decide(&fresh, physical(dest)).vcpu);
        }
    }
    rig_check_guards(&r);
}

static void test_map_modes_side_by_side_in_order_of_id(void **state)
{
    (void)state;
    rig_init(&r, 8);
    rig_set(&r, 0, flat(40, 0x02));
    rig_set(&r, 1, x2apic(1));
    rig_set(&r, 2, cluster(30, 0x02));
    rig_set(&r, 3, flat(0, 0x06));
    rig_set(&r, 4, cluster(2, 0x12));
    rig_set(&r, 5, x2apic(17));
    rig_set(&r, 6, flat(1, 0x02));
    /* Ids 0, 1, 1, 30, 40. */
    assert_takers(&r, logical(0x02), "31620");
    assert_posted(&r, lowest(0x02, 50), 3);
    assert_posted(&r, lowest(0x02, 53), 2);
    assert_posted(&r, lowest(0x02, 54), 0);
    assert_takers(&r, logical(0x12), "31640");
}

/* A guest from a hypervisor that took LDRs from vCPU numbers and ids from twice
 * these. */
static void test_map_finds_ldrs_as_given(void **state)
{
    struct vtdpi_guest_apic a;

    (void)state;
    rig_init(&r, 20);
    for (uint32_t i = 0; i < 20; i++) {
        a = x2apic(2 * i);
        a.ldr = (i >> 4) << 16 | UINT32_C(1) << (i & 15);
        a.ldr_given = true;
        rig_set(&r, i, a);
    }
    assert_posted(&r, logical(2), 1);
    assert_posted(&r, logical(0x80), 7);
    assert_posted(&r, logical(0x00010008), 19);
    assert_remapped(&r, logical(0x00020001), VTDPI_ROUTE_NO_MATCH);
    assert_posted(&r, physical(38), 19);
    assert_posted(&r, lowest(0x11, 0x41), 4);
    /* It comes up anew, in a hypervisor that follows the id. */
    rig_set(&r, 1, x2apic(2));
    assert_remapped(&r, logical(2), VTDPI_ROUTE_NO_MATCH);
    assert_remapped(&r, logical(4), VTDPI_ROUTE_SEVERAL);
    rig_check_guards(&r);
}

static void test_map_physical_asks_one_whatever_the_size(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= RIG_VCPUS; n *= 2) {
        fill(n, dense);
        /* FFh once more: the APIC could have read it as the broadcast. */
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(cost(physical(i)), i == 0xff ? 2 : 1);
        assert_int_equal(cost(physical(n)), 0);
        assert_int_equal(cost(logical((n + 15) / 16 << 16 | 1)), 0);
        fill(n, scattered);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(cost(physical(scattered_id(i))), 1);
    }
}

static void test_map_cluster_asks_members_whatever_the_size(void **state)
{
    (void)state;
    for (uint32_t n = 16; n <= RIG_VCPUS; n *= 2) {
        fill(n, dense);
        for (uint32_t c = 0; c < n / 16; c++) {
            /* Once to find each, once to see that it was the last. */
            assert_true(cost(logical(c << 16 | 0x0100)) <= 16);
            /* Twice: to count, and to get at the one that was chosen. */
            assert_true(cost(lowest(c << 16 | 0xff00, 0x41)) <= 32);
        }
    }
    fill(60, clustered);
    for (uint32_t c = 0; c < 15; c++) {
        assert_true(cost(logical(c << 4 | 1)) <= 4);
        assert_true(cost(lowest(c << 4 | 15, 0x41)) <= 8);
    }
    assert_true(cost(physical(17)) == 1);
}

/* A flat destination in a guest whose other vCPUs have no LDR yet. */
static void test_map_flat_asks_those_with_an_ldr(void **state)
{
    (void)state;
    fill(RIG_VCPUS, just_reset);
    for (uint32_t i = 0; i < 8; i++)
        rig_set(&r, i, flat(i, 1U << i));
    assert_true(cost(logical(0x10)) <= 8);
    assert_posted(&r, logical(0x10), 4);
}

/* As a large guest does it: all start in xAPIC mode, then all leave it. */
static void test_map_wide_ff_is_an_id_once_xapic_mode_is_left(void **state)
{
    (void)state;
    fill(RIG_VCPUS, just_reset);
    assert_int_equal(cost(physical(0xff)), RIG_VCPUS + 1);
    for (uint32_t i = 0; i < RIG_VCPUS; i++)
        rig_set(&r, i, x2apic(i));
    assert_int_equal(cost(physical(0xff)), 2);
    assert_posted(&r, physical(0xff), 0xff);
    /* Once more: one of them could have read it as the broadcast. */
    assert_true(cost(lowest(0xff, 0x41)) <= 48);
    rig_set(&r, 3, flat(3, 0));
    assert_remapped(&r, physical(0xff), VTDPI_ROUTE_BROADCAST);
}

/* A guest that gives all its vCPUs one id and one LDR: a step for each. */
static void test_map_hostile_guest_costs_a_step_per_vcpu(void **state)
{
    (void)state;
    fill(RIG_VCPUS, all_the_same);
    assert_int_equal(cost(physical(5)), 2);
    assert_true(cost(lowest(0x80, 0xff)) <= 2 * RIG_VCPUS);
    assert_int_equal(cost(physical(6)), 0);
    assert_posted(&r, lowest(0x80, 0xff), 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_init_bad_arguments_refused),
        cmocka_unit_test(test_map_update_bad_arguments_change_nothing),
        cmocka_unit_test(test_map_apic_is_what_was_recorded),
        cmocka_unit_test(test_map_init_makes_it_empty),
        cmocka_unit_test(test_map_1024_scattered_ids_all_found),
        cmocka_unit_test(test_map_full_every_key_used),
        cmocka_unit_test(test_map_updates_as_good_as_a_rebuild),
        cmocka_unit_test(test_map_modes_side_by_side_in_order_of_id),
        cmocka_unit_test(test_map_finds_ldrs_as_given),
        cmocka_unit_test(test_map_physical_asks_one_whatever_the_size),
        cmocka_unit_test(test_map_cluster_asks_members_whatever_the_size),
        cmocka_unit_test(test_map_flat_asks_those_with_an_ldr),
        cmocka_unit_test(test_map_wide_ff_is_an_id_once_xapic_mode_is_left),
        cmocka_unit_test(test_map_hostile_guest_costs_a_step_per_vcpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
