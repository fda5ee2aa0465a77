/* SPDX-License-Identifier: BSD-2-Clause */
/* bind.h: messages, masks, blocks and holds: what they do to decisions, entries
 * and counters, and what they cost. */
#include "test.h"

#include <string.h>

#include "bind_rig.h"

/* Messages. */

static void test_bind_without_a_message_is_in_host_form(void **state)
{
    struct rig *r = *state;

    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_NO_MESSAGE), RIG_IRQS);
    assert_host(r, 0, VTDPI_ROUTE_NO_MESSAGE);
    assert_int_equal(rig_update(r), 0);
    assert_int_equal(r->calls, 0);
    rig_check(r);
}

static void test_bind_bound_or_without_a_vcpu_is_refused(void **state)
{
    struct rig *r = *state;
    struct vtdpi_target target;
    struct vtdpi_binding b;

    memset(&b, 0, sizeof(b));
    memset(&target, 0, sizeof(target));
    assert_int_equal(vtdpi_target_init(&target, 0x7000, VTDPI_X2APIC), 0);
    rig_vcpus(r, 1);
    assert_int_equal(vtdpi_vm_bind(&r->vm, &r->b[0], &r->irq[0], true),
                     VTDPI_EBUSY);
    assert_int_equal(rig_unbind(r, 0), 0);
    assert_int_equal(vtdpi_irq_post_target(&r->irq[0], &target, 0x41), 0);
    assert_int_equal(vtdpi_vm_bind(&r->vm, &b, &r->irq[0], true), VTDPI_EBUSY);
    assert_int_equal(vtdpi_irq_unpost(&r->irq[0]), 0);
    assert_int_equal(vtdpi_vm_bind(NULL, &b, &r->irq[0], true), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_bind(&r->vm, NULL, &r->irq[0], true),
                     VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_bind(&r->vm, &b, NULL, true), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_NO_MESSAGE),
                     RIG_IRQS - 1);
}

/* Posted before, as vtdpi_irq_adopt() leaves an interrupt. */
static void bind_posted(struct rig *r, unsigned int i)
{
    assert_int_equal(rig_unbind(r, i), 0);
    assert_int_equal(vtdpi_irq_post(&r->irq[i], &r->vcpu[1], 0x41), 0);
    rig_hold(r);
    rig_bind(r, i);
}

static void test_bind_posted_and_the_message_agrees_costs_nothing(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);

    rig_vcpus(r, 2);
    bind_posted(r, 0);
    r->calls = 0;
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_int_equal(rig_update(r), 0);
    assert_int_equal(r->calls, 0);
    assert_post(r, 0, 1, 0x41);
    rig_check(r);
}

static void test_bind_posted_and_the_message_differs(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi vector = msi_to(1, 0x42);
    const struct vtdpi_msi vcpu = msi_to(0, 0x41);

    rig_vcpus(r, 2);
    bind_posted(r, 0);
    assert_int_equal(rig_message(r, 0, &vector), 0);
    assert_int_equal(rig_update(r), 0);
    assert_post(r, 0, 1, 0x42);
    bind_posted(r, 1);
    assert_int_equal(rig_message(r, 1, &vcpu), 0);
    assert_int_equal(rig_update(r), 0);
    assert_post(r, 1, 0, 0x41);
    rig_check(r);
}

static void test_bind_posted_without_a_message_is_unposted(void **state)
{
    struct rig *r = *state;

    rig_vcpus(r, 2);
    bind_posted(r, 0);
    assert_int_equal(rig_refs(r, 1), 1);
    assert_int_equal(rig_update(r), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MESSAGE);
    assert_int_equal(rig_refs(r, 1), 0);
    rig_check(r);
}

static void test_set_message_posts_retargets_and_disables(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);
    const struct vtdpi_msi b = msi_to(2, 0x42);

    rig_vcpus(r, 3);
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_post(r, 0, 1, 0x41);
    assert_cost(r, 1, 1);
    assert_int_equal(rig_message(r, 0, &b), 0);
    assert_post(r, 0, 2, 0x42);
    assert_cost(r, 1, 1);
    assert_int_equal(rig_refs(r, 1), 0);
    assert_int_equal(rig_message(r, 0, NULL), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MESSAGE);
    assert_cost(r, 1, 1);
    rig_check(r);
}

static void test_set_message_same_decision_costs_nothing(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);
    const struct vtdpi_msi logical = msi_logical(0x2, 0x41);
    const struct vtdpi_msi nobody = msi_to(77, 0x41);

    rig_vcpus(r, 3);
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_cost(r, 1, 1);
    r->calls = 0;
    assert_int_equal(rig_message(r, 0, &a), 0);
    /* Another message, the same vCPU. */
    assert_int_equal(rig_message(r, 0, &logical), 0);
    assert_int_equal(rig_message(r, 1, &nobody), 0);
    assert_int_equal(r->calls, 0);
    assert_post(r, 0, 1, 0x41);
    assert_host(r, 1, VTDPI_ROUTE_NO_MATCH);
    rig_check(r);
}

static void test_set_message_bad_ones_are_rejected(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi good = msi_to(1, 0x41);
    const struct vtdpi_msi elsewhere = {0xfed00000, 0, 0x41};
    const struct vtdpi_msi remappable = {0xfee00010, 0, 0};
    const struct vtdpi_msi reserved = {0xfee01000, 0, 0x10041};

    rig_vcpus(r, 2);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(rig_message(r, i, &good), 0);
    assert_int_equal(rig_message(r, 0, &elsewhere), 0);
    assert_int_equal(rig_message(r, 1, &remappable), 0);
    assert_int_equal(rig_message(r, 2, &reserved), 0);
    assert_host(r, 0, VTDPI_ROUTE_ADDRESS);
    assert_host(r, 1, VTDPI_ROUTE_FORMAT);
    assert_host(r, 2, VTDPI_ROUTE_RESERVED);
    rig_check(r);
    /* They stay so whatever the APICs do. */
    assert_int_equal(rig_apic(r, 1, x2apic(9)), 0);
    assert_int_equal(rig_posting(r, false), 0);
    rig_check(r);
    assert_int_equal(rig_posting(r, true), 0);
    assert_int_equal(rig_message(r, 0, &good), 0);
    rig_check(r);
}

static void test_set_message_not_bound_is_refused(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x41);

    assert_int_equal(rig_unbind(r, 0), 0);
    assert_int_equal(vtdpi_binding_set_message(&r->b[0], &msi), VTDPI_EINVAL);
    assert_int_equal(vtdpi_binding_set_message(NULL, &msi), VTDPI_EINVAL);
    assert_int_equal(vtdpi_binding_unmask(&r->b[0]), VTDPI_EINVAL);
    assert_int_equal(vtdpi_binding_unmask(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_unbind(&r->b[0]), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_unbind(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_unbind_end(&r->b[0]), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_unbind_end(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_unbind_end(&r->b[1]), VTDPI_EINVAL);
}

/* Masks. */

static void test_mask_keeps_the_entry_and_defers_the_message(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);
    const struct vtdpi_msi half = msi_to(2, 0x41);
    const struct vtdpi_msi b = msi_to(2, 0x42);

    rig_vcpus(r, 3);
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_cost(r, 1, 1);
    rig_mask(r, 0);
    assert_int_equal(rig_message(r, 0, &half), 0);
    assert_int_equal(rig_message(r, 0, &b), 0);
    assert_post(r, 0, 1, 0x41);
    assert_cost(r, 0, 0);
    assert_int_equal(rig_unmask(r, 0), 0);
    assert_post(r, 0, 2, 0x42);
    assert_cost(r, 1, 1);
    /* And without a change in between. */
    rig_mask(r, 0);
    assert_int_equal(rig_unmask(r, 0), 0);
    assert_cost(r, 0, 0);
    rig_check(r);
}

static void test_mask_other_events_go_by_the_message_in_force(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);
    const struct vtdpi_msi b = msi_to(2, 0x42);

    rig_vcpus(r, 3);
    assert_int_equal(rig_message(r, 0, &a), 0);
    rig_mask(r, 0);
    assert_int_equal(rig_message(r, 0, &b), 0);
    assert_int_equal(rig_detach(r, 1), 0);
    assert_host(r, 0, VTDPI_ROUTE_DETACHED);
    assert_int_equal(rig_refs(r, 1), 0);
    assert_int_equal(rig_attach(r, 1), 0);
    assert_post(r, 0, 1, 0x41);
    rig_check(r);
    /* MSI off: at once, and for the unmask, too. */
    assert_int_equal(rig_message(r, 0, NULL), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MESSAGE);
    assert_int_equal(rig_unmask(r, 0), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MESSAGE);
    rig_check(r);
}

/* MSI-X entries are masked at reset. */
static void test_mask_before_the_first_message(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);

    rig_vcpus(r, 2);
    rig_mask(r, 0);
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MESSAGE);
    assert_int_equal(rig_unmask(r, 0), 0);
    assert_post(r, 0, 1, 0x41);
    rig_check(r);
}

/* Blocks. */

static void block(struct rig *r, unsigned int first, unsigned int n,
                  struct vtdpi_binding *b[VTDPI_MSI_BLOCK_MAX])
{
    for (unsigned int i = 0; i < n; i++)
        b[i] = &r->b[first + i];
}

static void test_set_block_is_one_update(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x48);
    struct vtdpi_binding *b[VTDPI_MSI_BLOCK_MAX];

    rig_vcpus(r, 2);
    block(r, 8, 8, b);
    assert_int_equal(rig_block(r, b, 8, &msi), 0);
    for (unsigned int i = 0; i < 8; i++)
        assert_post(r, 8 + i, 1, (uint8_t)(0x48 + i));
    assert_cost(r, 8, 1);
    assert_host(r, 16, VTDPI_ROUTE_NO_MESSAGE);
    assert_int_equal(rig_block(r, b, 8, NULL), 0);
    for (unsigned int i = 0; i < 8; i++)
        assert_host(r, 8 + i, VTDPI_ROUTE_NO_MESSAGE);
    assert_cost(r, 8, 1);
    /* Of one: what stands behind it is not looked at. */
    b[1] = NULL;
    assert_int_equal(rig_block(r, b, 1, &msi), 0);
    assert_post(r, 8, 1, 0x48);
}

/* A base that is not aligned: the device replaces bits. */
static void test_set_block_replaces_low_bits_of_data(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x4b);
    struct vtdpi_binding *b[VTDPI_MSI_BLOCK_MAX];

    rig_vcpus(r, 2);
    block(r, 0, 4, b);
    assert_int_equal(rig_block(r, b, 4, &msi), 0);
    for (unsigned int i = 0; i < 4; i++)
        assert_post(r, i, 1, (uint8_t)(0x48 + i));
    assert_int_equal(rig_block(r, b, 1, &msi), 0);
    assert_post(r, 0, 1, 0x4b);
    block(r, 0, 32, b);
    assert_int_equal(rig_block(r, b, 32, &msi), 0);
    assert_post(r, 31, 1, 0x5f);
}

/* Each message has its own mask. */
static void test_set_block_obeys_masks(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x48);
    struct vtdpi_binding *b[VTDPI_MSI_BLOCK_MAX];

    rig_vcpus(r, 2);
    block(r, 0, 2, b);
    rig_mask(r, 1);
    assert_int_equal(rig_block(r, b, 2, &msi), 0);
    assert_post(r, 0, 1, 0x48);
    assert_host(r, 1, VTDPI_ROUTE_NO_MESSAGE);
    assert_int_equal(vm_apply_one(b[1], vtdpi_binding_unmask(b[1])), 0);
    assert_post(r, 1, 1, 0x49);
}

static void test_set_block_that_is_none_is_refused(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi msi = msi_to(1, 0x48);
    struct vtdpi_binding *b[VTDPI_MSI_BLOCK_MAX];

    rig_vcpus(r, 2);
    block(r, 0, 32, b);
    assert_int_equal(vtdpi_binding_set_block(NULL, 4, &msi), VTDPI_EINVAL);
    assert_int_equal(vtdpi_binding_set_block(b, 0, &msi), VTDPI_EINVAL);
    assert_int_equal(vtdpi_binding_set_block(b, 3, &msi), VTDPI_EINVAL);
    assert_int_equal(vtdpi_binding_set_block(b, 64, &msi), VTDPI_EINVAL);
    b[3] = &r->b[4];
    assert_int_equal(vtdpi_binding_set_block(b, 4, &msi), VTDPI_EINDEX);
    b[3] = NULL;
    assert_int_equal(vtdpi_binding_set_block(b, 4, &msi), VTDPI_EINVAL);
    /* The index would fit; the table does not. */
    b[0] = &r->b[RIG_IRQS / 2];
    b[1] = &r->b[1];
    assert_int_equal(vtdpi_binding_set_block(b, 2, &msi), VTDPI_EINVAL);
    assert_int_equal(rig_unbind(r, 5), 0);
    block(r, 4, 2, b);
    assert_int_equal(vtdpi_binding_set_block(b, 2, &msi), VTDPI_EINVAL);
    assert_cost(r, 0, 0);
    rig_check(r);
}

static void test_set_block_across_two_vms_is_refused(void **state)
{
    struct rig *r = *state;
    struct rig *other = rig_new(r->form);
    const struct vtdpi_msi msi = msi_to(1, 0x48);
    struct vtdpi_binding *b[2] = {&r->b[4], &other->b[0]};

    rig_vcpus(r, 2);
    assert_int_equal(rig_unbind(r, 5), 0);
    assert_int_equal(rig_unbind(other, 0), 0);
    /* One table, and the right index. */
    assert_int_equal(vtdpi_vm_bind(&other->vm, b[1], &r->irq[5], true), 0);
    assert_int_equal(vtdpi_binding_set_block(b, 2, &msi), VTDPI_EINVAL);
    assert_cost(r, 0, 0);
    rig_check(r);
    assert_int_equal(vm_unbind(b[1]), 0);
    (void)rig_teardown(&(void *){other});
}

/* Held. */

static void test_hold_makes_one_update_of_many_calls(void **state)
{
    struct rig *r = *state;

    rig_hold(r);
    rig_vcpus(r, 4);
    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        const struct vtdpi_msi msi = msi_to(i % 5, (uint8_t)(0x40 + i));

        assert_int_equal(rig_message(r, i, &msi), 0);
    }
    assert_int_equal(rig_apic(r, 3, x2apic(4)), 0);
    assert_int_equal(r->calls, 0);
    assert_true(vtdpi_binding_is_pending(&r->b[0]));
    assert_int_equal(rig_update(r), 0);
    assert_cost(r, RIG_IRQS - (RIG_IRQS + 1) / 5, RIG_TABLES);
    rig_check(r);
    /* The hold has ended. */
    assert_int_equal(rig_apic(r, 3, x2apic(3)), 0);
    rig_check(r);
}

/* What cancels out costs nothing. */
static void test_hold_there_and_back_costs_nothing(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);

    rig_vcpus(r, 2);
    assert_int_equal(rig_message(r, 0, &a), 0);
    assert_cost(r, 1, 1);
    rig_hold(r);
    assert_int_equal(rig_apic(r, 1, x2apic(7)), 0);
    assert_int_equal(rig_posting(r, false), 0);
    assert_int_equal(rig_apic(r, 1, x2apic(1)), 0);
    assert_int_equal(rig_posting(r, true), 0);
    assert_int_equal(rig_update(r), 0);
    assert_cost(r, 0, 0);
    rig_check(r);
}

/* Until the update nothing is another than before, be it a message that can be
 * posted, one that is malformed, or none. */
static void test_hold_changes_no_decision_and_no_counter(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);
    const struct vtdpi_msi b = msi_to(0, 0x42);
    const struct vtdpi_msi bad = {0, 0, 0x43};

    rig_vcpus(r, 2);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(rig_message(r, i, &a), 0);
    rig_hold(r);
    assert_int_equal(rig_message(r, 0, &b), 0);
    assert_int_equal(rig_message(r, 1, &bad), 0);
    assert_int_equal(rig_message(r, 2, NULL), 0);
    for (unsigned int i = 0; i < 3; i++) {
        const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);

        assert_int_equal(d.kind, VTDPI_ROUTE_POST);
        assert_int_equal(d.vcpu, 1);
        assert_int_equal(d.vector, 0x41);
    }
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_POSTABLE), 3);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_ADDRESS), 0);
    assert_int_equal(rig_update(r), 0);
    assert_post(r, 0, 0, 0x42);
    assert_host(r, 1, VTDPI_ROUTE_ADDRESS);
    assert_host(r, 2, VTDPI_ROUTE_NO_MESSAGE);
    rig_check(r);
}

/* Unbound. */

static void test_unbind_gives_the_interrupt_back(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);

    rig_vcpus(r, 2);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(rig_message(r, i, &a), 0);
    assert_cost(r, 3, 3);
    assert_int_equal(rig_unbind(r, 1), 0);
    assert_cost(r, 1, 1);
    assert_null(vtdpi_irq_vcpu(&r->irq[1]));
    rig_check(r);
    /* What is not named is left as it is. */
    rig_hold(r);
    assert_int_equal(rig_apic(r, 1, x2apic(9)), 0);
    assert_int_equal(rig_unbind(r, 0), 0);
    assert_cost(r, 1, 1);
    assert_true(vtdpi_binding_is_pending(&r->b[2]));
    assert_int_equal(rig_apic(r, 1, x2apic(1)), 0);
    assert_int_equal(rig_update(r), 0);
    rig_bind(r, 1);
    assert_int_equal(rig_message(r, 1, &a), 0);
    rig_check(r);
}

static void test_unbind_after_messages_are_gone_costs_nothing(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);

    rig_vcpus(r, 2);
    for (unsigned int i = 0; i < RIG_IRQS; i++)
        assert_int_equal(rig_message(r, i, &a), 0);
    assert_cost(r, RIG_IRQS, RIG_IRQS);
    rig_hold(r);
    for (unsigned int i = 0; i < RIG_IRQS; i++)
        assert_int_equal(rig_message(r, i, NULL), 0);
    assert_int_equal(rig_update(r), 0);
    assert_cost(r, RIG_IRQS, RIG_TABLES);
    for (unsigned int i = 0; i < RIG_IRQS; i++)
        assert_int_equal(rig_unbind(r, i), 0);
    assert_cost(r, 0, 0);
    rig_check(r);
}

static void test_unbind_torn_down_succeeds_at_once(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_msi a = msi_to(1, 0x41);
    const struct vtdpi_msi b = msi_to(0, 0x42);

    rig_vcpus(r, 2);
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(rig_message(r, i, &a), 0);
    assert_int_equal(vtdpi_irq_teardown(&r->irq[0]), 0);
    /* Even if nothing can be flushed. */
    r->refuse = r->calls + 1;
    r->refuse_to = UINT32_MAX;
    assert_int_not_equal(vtdpi_irq_teardown(&r->irq[1]), 0);
    /* Nor does it hinder what else there is to do. */
    assert_int_equal(rig_message(r, 0, &b), 0);
    assert_int_equal(rig_message(r, 1, &b), 0);
    assert_int_equal(rig_unbind(r, 0), 0);
    assert_int_equal(rig_unbind(r, 1), 0);
    assert_int_equal(vtdpi_vm_unbind(&r->b[0]), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_unbind(&r->b[1]), VTDPI_EINVAL);
    assert_true(vtdpi_irq_is_pinned(&r->irq[1]));
    r->refuse = 0;
    assert_int_equal(vtdpi_irq_flush(&r->irq[1]), 0);
    assert_int_equal(rig_refs(r, 1), 0);
}

/* Set up. */

static void test_vm_init_out_of_range_is_refused(void **state)
{
    struct rig *r = *state;
    const struct vtdpi_vm_params good = {
        .apics = r->map_apics,
        .keys = r->map_keys,
        .vcpus = r->map_vcpus,
        .vcpu_count = RIG_VCPUS,
        .heads = r->heads,
        .buckets = RIG_BUCKETS,
    };
    struct vtdpi_vm_params p = good;
    struct vtdpi_vm vm;

    for (unsigned int i = 0; i < RIG_IRQS; i++)
        assert_int_equal(rig_unbind(r, i), 0);
    assert_int_equal(vtdpi_vm_init(NULL, &p), VTDPI_EINVAL);
    assert_int_equal(vtdpi_vm_init(&vm, NULL), VTDPI_EINVAL);
    p.buckets = 0;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p.buckets = 12;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p = good;
    p.heads = NULL;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p = good;
    p.vcpus = NULL;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p = good;
    p.keys = NULL;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p = good;
    p.vcpu_count = 0;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p = good;
    p.form = (enum vtdpi_compat_dest)3;
    assert_int_equal(vtdpi_vm_init(&vm, &p), VTDPI_EINVAL);
    p = good;
    p.buckets = 1;
    assert_int_equal(vtdpi_vm_init(&vm, &p), 0);
    assert_int_equal(vm.part, VTDPI_VM_PART);
    p.part = 3;
    assert_int_equal(vtdpi_vm_init(&vm, &p), 0);
    assert_int_equal(vm.part, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_bind_without_a_message_is_in_host_form),
        RIG_TEST(test_bind_bound_or_without_a_vcpu_is_refused),
        RIG_TEST(test_bind_posted_and_the_message_agrees_costs_nothing),
        RIG_TEST(test_bind_posted_and_the_message_differs),
        RIG_TEST(test_bind_posted_without_a_message_is_unposted),
        RIG_TEST(test_set_message_posts_retargets_and_disables),
        RIG_TEST(test_set_message_same_decision_costs_nothing),
        RIG_TEST(test_set_message_bad_ones_are_rejected),
        RIG_TEST(test_set_message_not_bound_is_refused),
        RIG_TEST(test_mask_keeps_the_entry_and_defers_the_message),
        RIG_TEST(test_mask_other_events_go_by_the_message_in_force),
        RIG_TEST(test_mask_before_the_first_message),
        RIG_TEST(test_set_block_is_one_update),
        RIG_TEST(test_set_block_replaces_low_bits_of_data),
        RIG_TEST(test_set_block_obeys_masks),
        RIG_TEST(test_set_block_that_is_none_is_refused),
        RIG_TEST(test_set_block_across_two_vms_is_refused),
        RIG_TEST(test_hold_makes_one_update_of_many_calls),
        RIG_TEST(test_hold_there_and_back_costs_nothing),
        RIG_TEST(test_hold_changes_no_decision_and_no_counter),
        RIG_TEST(test_unbind_gives_the_interrupt_back),
        RIG_TEST(test_unbind_after_messages_are_gone_costs_nothing),
        RIG_TEST(test_unbind_torn_down_succeeds_at_once),
        RIG_TEST(test_vm_init_out_of_range_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
