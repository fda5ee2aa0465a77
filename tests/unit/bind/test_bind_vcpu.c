/* SPDX-License-Identifier: BSD-2-Clause */
/* bind.h: what the guest's APICs and vCPUs do to decisions and entries. */
#include "test.h"

#include "bind_rig.h"

static void test_set_apic_moves_what_it_affects_in_one_update(void **state)
{
    struct rig *r = *state;

    rig_vcpus(r, 4);
    for (unsigned int i = 0; i < 12; i++) {
        const struct vtdpi_msi msi = msi_to(i % 4, (uint8_t)(0x40 + i));

        assert_int_equal(rig_message(r, i, &msi), 0);
    }
    assert_cost(r, 12, 12);
    /* vCPU 1 takes the id of another and leaves its own. */
    assert_int_equal(rig_apic(r, 1, x2apic(20)), 0);
    assert_host(r, 1, VTDPI_ROUTE_NO_MATCH);
    assert_cost(r, 3, 1);
    assert_int_equal(rig_apic(r, 2, x2apic(1)), 0);
    assert_post(r, 1, 2, 0x41);
    assert_host(r, 2, VTDPI_ROUTE_NO_MATCH);
    assert_cost(r, 6, 1);
    rig_check(r);
    assert_int_equal(rig_apic(r, 1, x2apic(1)), 0);
    assert_host(r, 1, VTDPI_ROUTE_SEVERAL);
    rig_check(r);
}

static void test_set_apic_out_of_range_changes_nothing(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(0, 0x41);
    struct vtdpi_guest_apic apic = x2apic(7);

    rig_vcpus(r, 1);
    assert_int_equal(rig_message(r, 0, &msi), 0);
    assert_int_equal(vtdpi_vm_set_apic(&r->vm, RIG_VCPUS, &apic), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_set_apic(&r->vm, 0, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_set_apic(NULL, 0, &apic), VTDPI_EINVAL);
    apic.mode = (enum vtdpi_guest_apic_mode)4;
    assert_int_equal(vtdpi_vm_set_apic(&r->vm, 0, &apic), VTDPI_EINVAL);
    rig_check(r);
}

/* Every way in which a message can name an APIC, changed from both sides. */
static void test_set_apic_finds_every_kind_of_destination(void **state)
{
    const struct vtdpi_guest_apic states[] = {
        {0},
        flat(1, 0x02),
        flat(2, 0x06),
        flat(0x1ff, 0),
        cluster(1, 0x12),
        cluster(3, 0x21),
        x2apic(1),
        x2apic(0x21),
        x2apic(0x10041),
        x2apic(0xff),
        x2apic(0x80000001),
    };
    const struct vtdpi_msi messages[] = {
        msi_to(1, 0x41),
        msi_to(2, 0x41),
        msi_to(0xff, 0x41),
        msi_to(0x1ff, 0x41),
        msi_to(0x21, 0x41),
        msi_to(0x10041, 0x41),
        msi_to(0x80000001, 0x41),
        msi_to(0xffffffff, 0x41),
        msi_logical(0x02, 0x41),
        msi_logical(0x21, 0x41),
        msi_logical(0xff, 0x41),
        msi_logical(0x20002, 0x41),
        msi_logical(0x10040002, 0x41),
        msi_logical(0x2, 0x41),
        msi_logical(0x10, 0x41),
        msi_lowest(0x20003, 0x41),
        msi_lowest(0x06, 0x41),
        msi_lowest(0xffffffff, 0x41),
    };
    const unsigned int n = sizeof(states) / sizeof(states[0]);
    struct rig *r = *state;

    assert_int_equal(rig_apic(r, 0, flat(9, 0x80)), 0);
    assert_int_equal(rig_attach(r, 0), 0);
    assert_int_equal(rig_attach(r, 1), 0);
    for (unsigned int i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        assert_int_equal(rig_message(r, i, &messages[i]), 0);
    for (unsigned int from = 0; from < n; from++) {
        for (unsigned int to = 0; to < n; to++) {
            assert_int_equal(rig_apic(r, 1, states[from]), 0);
            rig_check(r);
            assert_int_equal(rig_apic(r, 1, states[to]), 0);
            rig_check(r);
        }
    }
}

/* All ones in the 8-bit form: a set while all are in flat mode. Every change of
 * one of them is followed. */
static void test_set_apic_follows_flat_all_ones(void **state)
{
    struct rig *r = rig_new(VTDPI_COMPAT_DEST_8);
    const struct vtdpi_msi one_of = msi_lowest(0xff, 0x61);
    const struct vtdpi_msi all_of = msi_logical(0xff, 0x61);

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(rig_apic(r, i, flat(i, (uint8_t)(1U << i))), 0);
        assert_int_equal(rig_attach(r, i), 0);
    }
    assert_int_equal(rig_message(r, 0, &one_of), 0);
    assert_int_equal(rig_message(r, 1, &all_of), 0);
    assert_post(r, 0, 0x61 % 8, 0x61);
    assert_host(r, 1, VTDPI_ROUTE_SEVERAL);
    assert_int_equal(rig_apic(r, 0, flat(0, 0)), 0);
    assert_post(r, 0, 1 + 0x61 % 7, 0x61);
    assert_int_equal(rig_apic(r, 0, cluster(0, 0)), 0);
    assert_host(r, 0, VTDPI_ROUTE_BROADCAST);
    assert_host(r, 1, VTDPI_ROUTE_BROADCAST);
    assert_int_equal(rig_apic(r, 0, flat(0, 0x01)), 0);
    assert_post(r, 0, 0x61 % 8, 0x61);
    /* Matched before and after, by another reading. */
    assert_int_equal(rig_apic(r, 0, x2apic(0)), 0);
    assert_host(r, 0, VTDPI_ROUTE_BROADCAST);
    assert_host(r, 1, VTDPI_ROUTE_BROADCAST);
    assert_int_equal(rig_apic(r, 0, flat(0, 0x01)), 0);
    assert_host(r, 1, VTDPI_ROUTE_SEVERAL);
    rig_check(r);
    (void)rig_teardown(&(void *){r});
}

static void test_set_apic_software_disable_is_followed(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x41);
    struct vtdpi_guest_apic off = x2apic(1);

    rig_vcpus(r, 2);
    off.enabled = false;
    assert_int_equal(rig_message(r, 0, &msi), 0);
    assert_int_equal(rig_apic(r, 1, off), 0);
    assert_host(r, 0, VTDPI_ROUTE_DISABLED);
    assert_int_equal(rig_apic(r, 1, x2apic(1)), 0);
    assert_post(r, 0, 1, 0x41);
    rig_check(r);
}

/* The message stays with the cluster that the LDR names, whatever the id. */
static void test_set_apic_ldr_as_given_is_followed(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi narrow = msi_logical(0x80, 0x41);
    const struct vtdpi_msi wide = msi_logical(0x00050001, 0x42);
    struct vtdpi_guest_apic given = x2apic(14);

    rig_vcpus(r, 1);
    given.ldr = 0x00050001;
    assert_int_equal(rig_apic(r, 1, given), 0);
    assert_int_equal(rig_attach(r, 1), 0);
    assert_int_equal(rig_message(r, 0, &narrow), 0);
    assert_int_equal(rig_message(r, 1, &wide), 0);
    assert_host(r, 1, VTDPI_ROUTE_NO_MATCH);
    given.ldr_given = true; /* nothing else changes */
    assert_int_equal(rig_apic(r, 1, given), 0);
    assert_post(r, 1, 1, 0x42);
    given.ldr = 0x80;
    assert_int_equal(rig_apic(r, 1, given), 0);
    assert_host(r, 1, VTDPI_ROUTE_NO_MATCH);
    assert_post(r, 0, 1, 0x41);
    given.ldr_given = false;
    assert_int_equal(rig_apic(r, 1, given), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MATCH);
    rig_check(r);
}

/* What the last change cost in looks and decisions. */
struct effort {
    uint64_t looks;
    uint64_t decisions;
};

static struct effort effort(struct rig *r, struct vtdpi_vm_stats *before)
{
    struct vtdpi_vm_stats now;
    struct effort e;

    vtdpi_vm_get_stats(&r->vm, &now);
    e.looks = now.visited - before->visited;
    e.decisions = now.decided - before->decided;
    *before = now;
    return e;
}

/* One interrupt for each of 40 vCPUs, in several modes of destination: a change
 * of one decides for one, and looks at those of its cluster and its bucket. */
static void test_set_apic_looks_at_what_it_can_affect(void **state)
{
    enum {
        N = 40
    };
    struct rig *r = *state;
    struct vtdpi_vm_stats stats;
    struct effort e;

    rig_vcpus(r, N);
    for (uint32_t i = 0; i < N; i++) {
        const struct vtdpi_msi physical = msi_to(i, 0x41);
        const struct vtdpi_msi logical =
            msi_logical((i >> 4) << 16 | UINT32_C(1) << (i & 15), 0x42);

        assert_int_equal(rig_message(r, i, &physical), 0);
        assert_int_equal(rig_message(r, N + i, &logical), 0);
    }
    vtdpi_vm_get_stats(&r->vm, &stats);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(rig_apic(r, i, x2apic(0x1000 + i)), 0);
        e = effort(r, &stats);
        assert_int_equal(e.decisions, 2);
        /* 16 of the cluster, and what shares a bucket of the 16 for 80. */
        assert_in_range(e.looks, 2, 48);
        assert_int_equal(rig_apic(r, i, x2apic(i)), 0);
        e = effort(r, &stats);
        assert_int_equal(e.decisions, 2);
        assert_in_range(e.looks, 2, 48);
    }
    /* The same as before concerns nothing. */
    assert_int_equal(rig_apic(r, 3, x2apic(3)), 0);
    assert_int_equal(effort(r, &stats).decisions, 0);
    rig_check(r);
}

static void test_attach_posts_what_waited_for_it(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x41);
    const struct vtdpi_msi hashed = msi_lowest(0x3, 0x41);

    rig_vcpus(r, 1);
    assert_int_equal(rig_apic(r, 1, x2apic(1)), 0);
    assert_int_equal(rig_message(r, 0, &msi), 0);
    assert_int_equal(rig_message(r, 1, &hashed), 0);
    assert_host(r, 0, VTDPI_ROUTE_DETACHED);
    assert_host(r, 1, VTDPI_ROUTE_DETACHED); /* 41h mod 2: the second */
    assert_cost(r, 0, 0);
    assert_int_equal(rig_attach(r, 1), 0);
    assert_post(r, 0, 1, 0x41);
    assert_post(r, 1, 1, 0x41);
    assert_cost(r, 2, 1);
    rig_check(r);
}

static void test_attach_refuses_what_it_cannot_take(void **state)
{
    struct rig *r = *state;

    assert_int_equal(vtdpi_vm_attach(&r->vm, 0, &r->vcpu[0]), VTDPI_EDETACHED);
    rig_vcpus(r, 1);
    assert_int_equal(vtdpi_vm_attach(&r->vm, 0, &r->vcpu[0]), VTDPI_EATTACHED);
    assert_int_equal(vtdpi_vm_attach(&r->vm, RIG_VCPUS, &r->vcpu[0]),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_attach(&r->vm, 1, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_attach(NULL, 1, &r->vcpu[0]), VTDPI_EINVAL);
    /* None of the errors has taken a reference. */
    assert_int_equal(rig_refs(r, 0), 0);
    rig_check(r);
}

/* The detach has begun, so that the slot can be somebody else's at any time. */
static void test_attach_refuses_a_vcpu_on_its_way_off(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vcpu *v = &r->vcpu[0];

    assert_int_equal(rig_apic(r, 0, x2apic(0)), 0);
    assert_int_equal(vtdpi_vcpu_attach(&r->sched, v, 0, v), 0);
    assert_int_equal(vtdpi_vcpu_detach_begin(v), 0);
    assert_int_equal(vtdpi_vm_attach(&r->vm, 0, v), VTDPI_ECLOSED);
    assert_true(vtdpi_vcpu_detach_poll(v));
    rig_check(r);
    assert_int_equal(rig_attach(r, 0), 0);
    rig_check(r);
}

static void test_detach_drops_every_reference_in_one_update(void **state)
{
    struct rig *r = *state;

    rig_vcpus(r, 3);
    for (unsigned int i = 0; i < 9; i++) {
        const struct vtdpi_msi msi = msi_to(i % 3, (uint8_t)(0x40 + i));

        assert_int_equal(rig_message(r, i, &msi), 0);
    }
    assert_cost(r, 9, 9);
    assert_int_equal(rig_detach(r, 1), 0);
    assert_cost(r, 3, 1);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    assert_host(r, 1, VTDPI_ROUTE_DETACHED);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_DETACHED), 3);
    rig_check(r);
    /* A second detach changes nothing. Its APIC goes, and the vCPU comes back. */
    assert_int_equal(rig_detach(r, 1), 0);
    assert_int_equal(rig_apic(r, 1, (struct vtdpi_guest_apic){.id = 0}), 0);
    assert_host(r, 1, VTDPI_ROUTE_NO_MATCH);
    assert_int_equal(rig_attach(r, 1), 0);
    assert_cost(r, 0, 0);
    assert_int_equal(rig_apic(r, 1, x2apic(1)), 0);
    assert_cost(r, 3, 1);
    rig_check(r);
    assert_int_equal(vtdpi_vm_detach(&r->vm, RIG_VCPUS), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_detach(NULL, 0), VTDPI_EINVAL);
}

/* No interrupt names the vCPU, and yet the VM can deliver to it: the slot must
 * not become somebody else's behind the VM's back. */
static void test_vcpu_cannot_leave_behind_the_vms_back(void **state)
{
    const struct vtdpi_msi msi = msi_to(1, 0x41);
    struct rig *r = *state;
    struct vtdpi_vm_delivery out;

    rig_vcpus(r, 2);
    /* No device can post: a host need not block the vCPU on that account. */
    assert_int_equal(vtdpi_vcpu_refs(&r->vcpu[1]), 0);
    assert_int_equal(vtdpi_vcpu_holds(&r->vcpu[1]), 1);
    assert_int_equal(vtdpi_vcpu_detach_begin(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(rig_message(r, 0, &msi), 0);
    assert_post(r, 0, 1, 0x41);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &msi, NULL, NULL, &out), 0);
    assert_int_equal(out.posted, 1);
    rig_check(r);
}

/* The VM's own hold goes at once; entries keep their references until the
 * update. */
static void test_detach_under_a_hold_gives_back_the_vms_own(void **state)
{
    const struct vtdpi_msi msi = msi_to(1, 0x41);
    struct rig *r = *state;
    struct vtdpi_vm_delivery out;

    rig_vcpus(r, 2);
    assert_int_equal(rig_message(r, 0, &msi), 0);
    rig_hold(r);
    assert_int_equal(rig_detach(r, 1), 0);
    assert_int_equal(vtdpi_vcpu_refs(&r->vcpu[1]), 1);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &msi, NULL, NULL, &out), 0);
    assert_int_equal(out.injected, 1);
    assert_int_equal(rig_detach(r, 1), 0);
    assert_int_equal(vtdpi_vcpu_refs(&r->vcpu[1]), 1);
    assert_int_equal(rig_update(r), 0);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    rig_check(r);
}

/* A PID that the units of one table cannot reach. */
static void test_unreachable_pid_is_a_reason(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(0, 0x41);
    const unsigned int other = RIG_IRQS / 2;

    rig_vcpus(r, 1);
    assert_int_equal(rig_message(r, 0, &a), 0);
    r->table[0].backend.haw = 34;
    r->table[1].backend.haw = 34;
    assert_int_equal(rig_message(r, other, &a), 0);
    assert_host(r, other, VTDPI_ROUTE_UNREACHABLE);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_UNREACHABLE), 1);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_POSTABLE), 1);
    assert_cost(r, 1, 1);
    r->table[0].backend.haw = 46;
    r->table[1].backend.haw = 46;
    assert_int_equal(rig_message(r, other, &a), 0);
    assert_post(r, other, 0, 0x41);
}

/* One table of the VM cannot post. That is a reason and no error; the other
 * table is none the worse, and delivery by software posts as before. */
static void test_table_that_cannot_post_is_a_reason(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(0, 0x41);
    const struct vtdpi_msi b = msi_to(1, 0x42);
    const unsigned int other = RIG_IRQS / 2;
    struct vtdpi_route_decision d;
    struct vtdpi_vm_delivery out;

    rig_vcpus(r, 2);
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_int_equal(rig_message(r, other, &a), 0);
    assert_cost(r, 2, 2);
    r->table[0].no_posting = true;
    /* It does not stay with the vCPU that it was posted to. */
    assert_int_equal(rig_message(r, 0, &b), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_POSTING);
    d = vtdpi_binding_decision(&r->b[0]);
    assert_int_equal(d.vcpu, 1);
    assert_int_equal(d.vector, 0x42);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_NO_POSTING), 1);
    assert_int_equal(rig_refs(r, 0), 1);
    assert_int_equal(rig_refs(r, 1), 0);
    assert_cost(r, 1, 1);
    /* Nothing is left to be tried again. */
    r->calls = 0;
    assert_int_equal(rig_update(r), 0);
    assert_int_equal(r->calls, 0);
    assert_int_equal(rig_message(r, other, &b), 0);
    assert_post(r, other, 1, 0x42);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &b, NULL, NULL, &out), 0);
    assert_int_equal(out.posted, 1);
    /* The next decision asks again. */
    r->table[0].no_posting = false;
    assert_int_equal(rig_message(r, 0, &b), 0);
    rig_check(r);
}

static void test_set_posting_moves_all_at_once(void **state)
{
    struct rig *r = *state;

    rig_vcpus(r, 3);
    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        const struct vtdpi_msi msi = i % 8 == 0
                                         ? msi_to(0xffffffff, 0x41)
                                         : msi_to(i % 3, (uint8_t)(0x40 + i));

        assert_int_equal(rig_message(r, i, &msi), 0);
    }
    assert_cost(r, RIG_IRQS * 7 / 8, RIG_IRQS * 7 / 8);
    assert_int_equal(rig_posting(r, false), 0);
    assert_cost(r, RIG_IRQS * 7 / 8, RIG_TABLES);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_POSTING_OFF),
                     RIG_IRQS * 7 / 8);
    rig_check(r);
    assert_int_equal(rig_posting(r, false), 0);
    assert_cost(r, 0, 0);
    assert_int_equal(rig_posting(r, true), 0);
    assert_cost(r, RIG_IRQS * 7 / 8, RIG_TABLES);
    assert_int_equal(vtdpi_vm_set_posting(NULL, true), VTDPI_EINVAL);
    rig_check(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_set_apic_moves_what_it_affects_in_one_update),
        RIG_TEST(test_set_apic_out_of_range_changes_nothing),
        RIG_TEST(test_set_apic_finds_every_kind_of_destination),
        cmocka_unit_test(test_set_apic_follows_flat_all_ones),
        RIG_TEST(test_set_apic_software_disable_is_followed),
        RIG_TEST(test_set_apic_ldr_as_given_is_followed),
        RIG_TEST(test_set_apic_looks_at_what_it_can_affect),
        RIG_TEST(test_attach_posts_what_waited_for_it),
        RIG_TEST(test_attach_refuses_what_it_cannot_take),
        RIG_TEST(test_attach_refuses_a_vcpu_on_its_way_off),
        RIG_TEST(test_detach_drops_every_reference_in_one_update),
        RIG_TEST(test_vcpu_cannot_leave_behind_the_vms_back),
        RIG_TEST(test_detach_under_a_hold_gives_back_the_vms_own),
        RIG_TEST(test_unreachable_pid_is_a_reason),
        RIG_TEST(test_table_that_cannot_post_is_a_reason),
        RIG_TEST(test_set_posting_moves_all_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
