/* SPDX-License-Identifier: BSD-2-Clause */
/* bind.h: delivery by software. */
#include "test.h"

#include <string.h>

#include "bind_rig.h"

/* What was left to the host. */
struct injected {
    unsigned int n;
    uint32_t vcpu[RIG_VCPUS];
    struct vtdpi_compat_msi msg;
};

static void inject(void *ctx, uint32_t vcpu, const struct vtdpi_compat_msi *msg)
{
    struct injected *j = ctx;

    assert_in_range(j->n, 0, RIG_VCPUS - 1);
    j->vcpu[j->n++] = vcpu;
    j->msg = *msg;
}

static void deliver(struct rig *r, struct vtdpi_msi msi, struct injected *j,
                    struct vtdpi_vm_delivery *out)
{
    memset(j, 0, sizeof(*j));
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &msi, inject, j, out), 0);
    assert_int_equal(out->injected, j->n);
}

static bool has(struct rig *r, unsigned int vcpu, uint8_t vector)
{
    uint64_t pir[VTDPI_PIR_WORDS];

    return vtdpi_vcpu_sync(&r->vcpu[vcpu], pir) &&
           pir[vector / 64] == UINT64_C(1) << vector % 64;
}

static void test_deliver_posts_and_says_whether_it_notified(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vm_delivery out;
    struct injected j;

    rig_vcpus(r, 3);
    /* SN is set: recorded, not notified. */
    deliver(r, msi_to(1, 0x41), &j, &out);
    assert_int_equal(out.posted, 1);
    assert_int_equal(out.suppressed, 1);
    assert_int_equal(out.notified, 0);
    assert_int_equal(r->ipis, 0);
    assert_true(has(r, 1, 0x41));
    /* It runs: one notification, and none while ON is set. */
    vtdpi_vcpu_run(&r->vcpu[1], &r->pcpu);
    deliver(r, msi_to(1, 0x41), &j, &out);
    assert_int_equal(out.suppressed, 0);
    assert_int_equal(out.notified, 1);
    assert_int_equal(r->ipis, 1);
    deliver(r, msi_to(1, 0x41), &j, &out);
    assert_int_equal(out.posted, 1);
    assert_int_equal(out.suppressed, 0);
    assert_int_equal(out.notified, 0);
    assert_int_equal(r->ipis, 1);
    assert_int_equal(out.injected, 0);
}

/* An interrupt takes the same way whether it is posted or not. */
static void test_deliver_hashes_as_the_entry_does(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vm_delivery out;
    struct injected j;

    rig_vcpus(r, 5);
    for (unsigned int vector = 0x20; vector < 0x100; vector++) {
        const struct vtdpi_msi msi = msi_lowest(0x1d, (uint8_t)vector);
        struct vtdpi_route_decision d;

        assert_int_equal(rig_message(r, 0, &msi), 0);
        d = vtdpi_binding_decision(&r->b[0]);
        assert_int_equal(d.kind, VTDPI_ROUTE_POST);
        deliver(r, msi, &j, &out);
        assert_int_equal(out.posted, 1);
        assert_true(has(r, d.vcpu, (uint8_t)vector));
    }
}

/* FFh in the flat model, as guests of up to eight vCPUs write it. */
static void test_deliver_flat_all_ones_as_the_entry_does(void **state)
{
    struct rig *r = rig_new(VTDPI_COMPAT_DEST_8);
    struct vtdpi_vm_delivery out;
    struct injected j;

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(rig_apic(r, i, flat(i, (uint8_t)(1U << i))), 0);
        assert_int_equal(rig_attach(r, i), 0);
    }
    for (unsigned int vector = 0x20; vector < 0x100; vector++) {
        const struct vtdpi_msi msi = msi_lowest(0xff, (uint8_t)vector);

        assert_int_equal(rig_message(r, 0, &msi), 0);
        assert_post(r, 0, vector % 8, (uint8_t)vector);
        deliver(r, msi, &j, &out);
        assert_int_equal(out.posted, 1);
        assert_true(has(r, vector % 8, (uint8_t)vector));
    }
    (void)rig_teardown(&(void *){r});
}

/* The hash counts a vCPU without a descriptor. When it chooses that one, the
 * message is the host's to inject there; it is neither dropped nor posted to
 * somebody else. */
static void test_deliver_hash_on_a_vcpu_without_descriptor(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vm_delivery out;
    struct injected j;

    rig_vcpus(r, 4);
    assert_int_equal(rig_detach(r, 1), 0);
    assert_int_equal(rig_apic(r, 4, x2apic(4)), 0); /* never attached */
    for (unsigned int vector = 0x20; vector < 0x100; vector++) {
        const unsigned int chosen = vector % 5;

        deliver(r, msi_lowest(0x1f, (uint8_t)vector), &j, &out);
        if (chosen == 1 || chosen == 4) {
            assert_int_equal(out.posted, 0);
            assert_int_equal(j.n, 1);
            assert_int_equal(j.vcpu[0], chosen);
            assert_int_equal(j.msg.vector, vector);
            assert_int_equal(j.msg.dlm, VTDPI_DLM_LOWEST);
        } else {
            assert_int_equal(out.posted, 1);
            assert_int_equal(j.n, 0);
            assert_true(has(r, chosen, (uint8_t)vector));
        }
    }
}

static void test_deliver_to_several_posts_to_each_that_can_take_it(void **state)
{
    struct rig *r = *state;
    struct vtdpi_guest_apic off = x2apic(2);
    struct vtdpi_vm_delivery out;
    struct injected j;

    rig_vcpus(r, 4);
    off.enabled = false;
    assert_int_equal(rig_apic(r, 2, off), 0);
    assert_int_equal(rig_detach(r, 3), 0);
    assert_int_equal(rig_apic(r, 9, x2apic(9)), 0); /* never attached */
    vtdpi_vcpu_run(&r->vcpu[1], &r->pcpu);
    deliver(r, msi_to(0xffffffff, 0x77), &j, &out);
    assert_int_equal(out.posted, 2);
    assert_int_equal(out.notified, 1);
    assert_int_equal(j.n, 2);
    assert_int_equal(j.vcpu[0], 3);
    assert_int_equal(j.vcpu[1], 9);
    assert_int_equal(j.msg.vector, 0x77);
    assert_int_equal(j.msg.dlm, VTDPI_DLM_FIXED);
    assert_true(has(r, 0, 0x77));
    assert_true(has(r, 1, 0x77));
    assert_false(vtdpi_pid_pending(vtdpi_vcpu_pid(&r->vcpu[2])));
}

static void test_deliver_what_no_pid_can_hold_is_the_hosts(void **state)
{
    static const uint32_t data[] = {
        0x400,  /* NMI */
        0x200,  /* SMI */
        0x500,  /* INIT */
        0x700,  /* ExtINT */
        0xc041, /* level, asserted */
        0x00f,  /* vector below 16 */
    };
    struct rig *r = *state;
    struct vtdpi_vm_delivery out;
    struct injected j;

    rig_vcpus(r, 2);
    for (unsigned int i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        struct vtdpi_msi msi = msi_to(1, 0);

        msi.data = data[i];
        deliver(r, msi, &j, &out);
        assert_int_equal(out.posted, 0);
        assert_int_equal(j.n, 1);
        assert_int_equal(j.vcpu[0], 1);
        assert_int_equal(j.msg.dlm, data[i] >> 8 & 7);
        assert_int_equal(j.msg.vector, data[i] & 0xff);
        assert_int_equal(j.msg.level, data[i] >> 15);
    }
    assert_false(vtdpi_pid_pending(vtdpi_vcpu_pid(&r->vcpu[1])));
}

/* The same vectors as those that an entry posts. */
static void test_deliver_below_the_least_vector_is_the_hosts(void **state)
{
    struct rig *r = rig_new_least(VTDPI_COMPAT_DEST_32, 31);
    const struct vtdpi_msi below = msi_to(1, 30);
    const struct vtdpi_msi least = msi_to(1, 31);
    struct vtdpi_vm_delivery out;
    struct injected j;

    (void)state;
    rig_vcpus(r, 2);
    assert_int_equal(rig_message(r, 0, &below), 0);
    assert_int_equal(rig_message(r, 1, &least), 0);
    assert_host(r, 0, VTDPI_ROUTE_VECTOR);
    assert_post(r, 1, 1, 31);
    deliver(r, below, &j, &out);
    assert_int_equal(out.posted, 0);
    assert_int_equal(j.n, 1);
    assert_int_equal(j.vcpu[0], 1);
    deliver(r, least, &j, &out);
    assert_int_equal(out.posted, 1);
    assert_int_equal(j.n, 0);
    (void)rig_teardown(&(void *){r});
}

static void test_deliver_with_posting_off_is_the_hosts(void **state)
{
    struct rig *r = *state;
    struct vtdpi_msi msi = msi_to(1, 0x41);
    struct vtdpi_vm_delivery out;
    struct injected j;

    rig_vcpus(r, 2);
    assert_int_equal(rig_posting(r, false), 0);
    deliver(r, msi, &j, &out);
    assert_int_equal(out.posted, 0);
    assert_int_equal(j.n, 1);
    assert_int_equal(j.vcpu[0], 1);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &msi, NULL, NULL, &out), 0);
    assert_int_equal(out.injected, 1);
    deliver(r, msi_to(5, 0x41), &j, &out);
    assert_int_equal(out.injected, 0);
}

static void test_deliver_bad_messages_are_refused(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi good = msi_to(1, 0x41);
    const struct vtdpi_msi elsewhere = {0xfed00000, 0, 0x41};
    const struct vtdpi_msi remappable = {0xfee00010, 0, 0};
    const struct vtdpi_msi reserved = {0xfee01000, 0, 0x10041};
    struct vtdpi_vm_delivery out = {1, 1, 1, 1};

    rig_vcpus(r, 2);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &elsewhere, NULL, NULL, &out),
                     VTDPI_EMSI_ADDRESS);
    assert_int_equal(out.posted + out.notified, 0);
    assert_int_equal(out.suppressed + out.injected, 0);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &remappable, NULL, NULL, &out),
                     VTDPI_EMSI_FORMAT);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &reserved, NULL, NULL, &out),
                     VTDPI_EMSI_RESERVED);
    assert_int_equal(vtdpi_vm_deliver(NULL, &good, NULL, NULL, &out),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, NULL, NULL, NULL, &out),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_deliver(&r->vm, &good, NULL, NULL, NULL),
                     VTDPI_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_deliver_posts_and_says_whether_it_notified),
        RIG_TEST(test_deliver_hashes_as_the_entry_does),
        cmocka_unit_test(test_deliver_flat_all_ones_as_the_entry_does),
        RIG_TEST(test_deliver_hash_on_a_vcpu_without_descriptor),
        RIG_TEST(test_deliver_to_several_posts_to_each_that_can_take_it),
        RIG_TEST(test_deliver_what_no_pid_can_hold_is_the_hosts),
        cmocka_unit_test(test_deliver_below_the_least_vector_is_the_hosts),
        RIG_TEST(test_deliver_with_posting_off_is_the_hosts),
        RIG_TEST(test_deliver_bad_messages_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
