/* SPDX-License-Identifier: BSD-2-Clause */
/* bind.h: begin, work and end of two CPUs, interleaved by hand. */
#include "test.h"

#include "bind_rig.h"

/* A work that has begun and has something to do. */
static void begin(struct rig *r, struct vtdpi_vm_work *w,
                  struct vtdpi_binding *const *b, uint32_t count)
{
    assert_int_equal(vtdpi_vm_begin(&r->vm, w, b, count), 1);
}

static int finish(struct rig *r, struct vtdpi_vm_work *w)
{
    vtdpi_vm_apply(w);
    return vtdpi_vm_end(&r->vm, w);
}

/* A change that is recorded, and not applied. */
static void change_message(struct rig *r, unsigned int i, uint32_t dest,
                           uint8_t vector)
{
    const struct vtdpi_msi msi = msi_to(dest, vector);

    rig_hold(r);
    assert_int_equal(rig_message(r, i, &msi), 0);
    r->held = false;
}

static void change_apic(struct rig *r, unsigned int vcpu, uint32_t id)
{
    rig_hold(r);
    assert_int_equal(rig_apic(r, vcpu, x2apic(id)), 0);
    r->held = false;
}

static void test_begin_without_a_change_has_no_work(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vm_work w;
    struct vtdpi_binding *b = &r->b[0];

    rig_vcpus(r, 2);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, NULL, 0), 0);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, &b, 1), 0);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, &b, 1), 0);
    /* There and back. */
    change_message(r, 0, 0, 0x41);
    change_message(r, 0, 1, 0x41);
    r->calls = 0;
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, &b, 1), 0);
    assert_int_equal(r->calls, 0);
    rig_check(r);
}

static void test_begin_takes_what_is_named_only(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[1];
    struct vtdpi_vm_work w;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    change_message(r, 1, 1, 0x42);
    begin(r, &w, &b, 1);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 1, 1, 0x42);
    assert_true(vtdpi_binding_is_pending(&r->b[0]));
    assert_null(vtdpi_irq_vcpu(&r->irq[0]));
    assert_int_equal(rig_update(r), 0);
    rig_check(r);
}

/* The guest of another CPU changes the message while the entry is being made. */
static void test_marked_in_flight_is_taken_once_more(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    begin(r, &one, &b, 1);
    change_message(r, 0, 2, 0x42);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, &b, 1), VTDPI_EINFLIGHT);
    vtdpi_vm_apply(&one);
    assert_int_equal(vtdpi_irq_vector(&r->irq[0]), 0x41);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_vm_end(&r->vm, &one), 1);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), VTDPI_EINFLIGHT);
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_post(r, 0, 2, 0x42);
    rig_check(r);
}

static void test_marked_again_and_again_ends_with_edue(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    begin(r, &w, &b, 1);
    change_message(r, 0, 2, 0x42);
    assert_int_equal(finish(r, &w), 1);
    change_message(r, 0, 1, 0x43);
    assert_int_equal(finish(r, &w), VTDPI_EDUE);
    assert_true(vtdpi_binding_is_pending(b));
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), 1);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 0, 1, 0x43);
    rig_check(r);
}

/* Marked, and decided as before: what is in flight is what is wanted, and the
 * second take has nothing to do. */
static void test_marked_in_flight_and_decided_as_before_is_done(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work w;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &w, &b, 1);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(finish(r, &w), 0);
    assert_cost(r, 1, 1);
    rig_check(r);
}

/* A change of an APIC waits for what it concerns, and for nothing else. */
static void test_change_waits_for_what_it_concerns_only(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *first = &r->b[0];
    struct vtdpi_binding *second = &r->b[1];
    struct vtdpi_vm_work slow;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 4);
    change_message(r, 0, 1, 0x41);
    begin(r, &slow, &first, 1);
    /* Another vCPU: the message in flight is no concern of this change. */
    change_message(r, 1, 2, 0x42);
    assert_int_equal(vm_apply(&r->vm, &second, 1), 0);
    change_apic(r, 2, 20);
    begin(r, &w, NULL, 0);
    assert_int_equal(finish(r, &w), 0);
    assert_host(r, 1, VTDPI_ROUTE_NO_MATCH);
    /* The vCPU of the message in flight. */
    change_apic(r, 1, 21);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, NULL, 0), VTDPI_EINFLIGHT);
    assert_int_equal(finish(r, &slow), 1);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), VTDPI_EINFLIGHT);
    assert_int_equal(finish(r, &slow), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MATCH);
    rig_check(r);
}

/* What was due when a work began, and was taken by another work before this one
 * came to it, is waited for. */
static void test_change_waits_for_what_others_have_taken_since(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *late = &r->b[1];
    struct vtdpi_vm_work other;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    r->vm.part = 1;
    change_message(r, 1, 1, 0x42);
    begin(r, &w, NULL, 0);
    begin(r, &other, &late, 1);
    assert_int_equal(finish(r, &w), VTDPI_EINFLIGHT);
    assert_int_equal(finish(r, &other), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), 0);
    rig_check(r);
}

/* A change that another work has taken, before its own caller comes to apply it, is
 * waited for by a begin that says since when. */
static void test_change_of_an_earlier_hold_is_waited_for(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vm_work other;
    struct vtdpi_vm_work w;
    uint64_t since;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, NULL, 0), 0);
    since = vtdpi_vm_flights(&r->vm);
    change_apic(r, 1, 21);
    begin(r, &other, NULL, 0);
    /* The flight may well be older than the change, for all that this call knows. */
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, NULL, 0), 0);
    assert_int_equal(vtdpi_vm_begin_since(&r->vm, &w, since), VTDPI_EINFLIGHT);
    /* Since after it began: another change. */
    assert_int_equal(vtdpi_vm_begin_since(&r->vm, &w, vtdpi_vm_flights(&r->vm)),
                     0);
    assert_int_equal(vtdpi_vm_begin_since(&r->vm, &w, since), VTDPI_EINFLIGHT);
    assert_int_equal(finish(r, &other), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), 0);
    assert_host(r, 0, VTDPI_ROUTE_NO_MATCH);
    /* And what is due is taken. */
    since = vtdpi_vm_flights(&r->vm);
    change_apic(r, 1, 1);
    assert_int_equal(vtdpi_vm_begin_since(&r->vm, &w, since), 1);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 0, 1, 0x41);
    rig_check(r);
}

/* What a change waited for has failed in the other work: the change is not in
 * force, and its caller is told. What fails for others is not its concern. */
static void test_change_is_told_of_what_failed_in_another_work(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *first = &r->b[0];
    struct vtdpi_binding *second = &r->b[1];
    struct vtdpi_vm_work other;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    begin(r, &other, &first, 1);
    change_apic(r, 1, 21);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, NULL, 0), VTDPI_EINFLIGHT);
    vtdpi_vm_apply(&other);
    assert_int_equal(vtdpi_vm_end(&r->vm, &other), 1);
    r->refuse = r->calls + 1;
    r->refuse_to = UINT32_MAX;
    assert_int_equal(finish(r, &other), RIG_REFUSED);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), RIG_REFUSED);
    /* A later change of another vCPU. */
    r->refuse = 0;
    change_message(r, 1, 2, 0x42);
    assert_int_equal(vm_apply(&r->vm, &second, 1), 0);
    change_apic(r, 2, 22);
    assert_int_equal(vm_apply(&r->vm, NULL, 0), 0);
    assert_int_equal(rig_update(r), 0);
    rig_check(r);
}

/* What was marked after a work has begun is no concern of that work: neither while it
 * is due, nor when another work has taken it. */
static void test_change_waits_for_no_later_change(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *late = &r->b[1];
    struct vtdpi_vm_work other;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &w, NULL, 0);
    change_message(r, 1, 1, 0x42);
    assert_int_equal(finish(r, &w), 0);
    change_message(r, 0, 1, 0x43);
    assert_int_equal(vm_apply(&r->vm, &late, 1), 0);
    begin(r, &w, NULL, 0);
    change_message(r, 1, 1, 0x44);
    begin(r, &other, &late, 1);
    assert_int_equal(finish(r, &w), 0);
    assert_int_equal(finish(r, &other), 0);
    rig_check(r);
}

/* A flight that began before a work fails after a flight that began later: the work
 * is still told of the later one. */
static void test_change_is_told_of_a_failure_before_an_older_one(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *const b[] = {&r->b[0], &r->b[1], &r->b[2]};
    struct vtdpi_vm_work older;
    struct vtdpi_vm_work later;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    r->vm.part = 1;
    change_message(r, 0, 1, 0x41);
    begin(r, &older, &b[0], 1);
    change_message(r, 1, 1, 0x42);
    change_message(r, 2, 1, 0x43);
    begin(r, &w, NULL, 0); /* has taken the first of the two */
    begin(r, &later, &b[2], 1);
    r->refuse = r->calls + 1;
    r->refuse_to = UINT32_MAX;
    assert_int_equal(finish(r, &later), RIG_REFUSED);
    assert_int_equal(finish(r, &older), RIG_REFUSED);
    r->refuse = 0;
    assert_int_equal(finish(r, &w), RIG_REFUSED);
    assert_int_equal(rig_update(r), 0);
    rig_check(r);
}

/* The copy that is in flight holds its vCPU. */
static void test_detach_waits_for_the_copy_in_flight(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &one, &b, 1);
    rig_hold(r);
    assert_int_equal(rig_detach(r, 1), 0);
    r->held = false;
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, NULL, 0), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    vtdpi_vm_apply(&one);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vm_end(&r->vm, &one), 1);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    rig_check(r);
}

/* The message in flight names another vCPU; the entry still names this one. */
static void test_detach_waits_for_what_leaves_the_vcpu(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, &b, 1), 0);
    change_message(r, 0, 2, 0x42);
    begin(r, &one, &b, 1);
    rig_hold(r);
    assert_int_equal(rig_detach(r, 1), 0);
    r->held = false;
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, NULL, 0), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    rig_check(r);
}

/* After a failure it is not known which vCPU the entry names. */
static void test_detach_waits_for_what_may_leave_the_vcpu(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 4);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, &b, 1), 0);
    change_message(r, 0, 2, 0x42);
    r->refuse = r->calls + 1;
    r->refuse_to = UINT32_MAX;
    assert_int_equal(vm_apply(&r->vm, &b, 1), RIG_REFUSED);
    r->refuse = 0;
    change_message(r, 0, 3, 0x43);
    begin(r, &one, &b, 1);
    rig_hold(r);
    assert_int_equal(rig_detach(r, 1), 0);
    r->held = false;
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, NULL, 0), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    rig_check(r);
}

/* The change that the second work waits for is marked once more by another caller. It
 * is still not in force. */
static void test_later_mark_ends_no_wait(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &one, &b, 1);
    rig_hold(r);
    assert_int_equal(rig_detach(r, 1), 0);
    r->held = false;
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, NULL, 0), VTDPI_EINFLIGHT);
    change_message(r, 0, 0, 0x42);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), VTDPI_EINFLIGHT);
    vtdpi_vm_apply(&one);
    assert_int_equal(vtdpi_vm_end(&r->vm, &one), 1);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    rig_check(r);
}

/* The flight takes the interrupt to the host form; its entry still posts. */
static void test_posting_off_waits_for_what_still_posts(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *const b[] = {&r->b[0], &r->b[1]};
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, b, 1), 0);
    change_message(r, 0, 7, 0x42); /* names no vCPU */
    change_message(r, 1, 1, 0x43); /* its entry does not post yet */
    begin(r, &one, b, 2);
    rig_hold(r);
    assert_int_equal(rig_posting(r, false), 0);
    r->held = false;
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, NULL, 0), VTDPI_EINFLIGHT);
    assert_int_equal(finish(r, &one), 1); /* the second is marked */
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_null(vtdpi_irq_vcpu(&r->irq[0]));
    assert_null(vtdpi_irq_vcpu(&r->irq[1]));
    rig_check(r);
}

static void test_unbind_end_waits_for_what_is_in_flight(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    const struct vtdpi_msi msi = msi_to(1, 0x41);
    struct vtdpi_vm_work one;
    struct vtdpi_vm_work two;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &one, &b, 1);
    assert_int_equal(vtdpi_vm_unbind(b), 0);
    assert_int_equal(vtdpi_vm_unbind_end(b), VTDPI_EBUSY);
    assert_int_equal(vtdpi_binding_set_message(b, &msi), VTDPI_ESTATE);
    assert_int_equal(vtdpi_binding_unmask(b), VTDPI_ESTATE);
    assert_int_equal(vtdpi_binding_set_block(&b, 1, &msi), VTDPI_ESTATE);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &two, &b, 1), VTDPI_EINFLIGHT);
    vtdpi_vm_apply(&one);
    assert_int_equal(vtdpi_vm_unbind_end(b), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vm_end(&r->vm, &one), 1);
    assert_int_equal(finish(r, &one), 0);
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &two), 0);
    assert_int_equal(vtdpi_vm_unbind_end(b), 0);
    assert_null(vtdpi_irq_vcpu(&r->irq[0]));
    r->bound[0] = false;
    rig_check(r);
}

/* A table refuses for good while the decision is changed. */
static void test_refused_and_marked_is_decided_again(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    begin(r, &w, &b, 1);
    r->table[0].no_posting = true;
    vtdpi_vm_apply(&w);
    r->table[0].no_posting = false;
    change_message(r, 0, 2, 0x42);
    assert_int_equal(vtdpi_vm_end(&r->vm, &w), 1);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 0, 2, 0x42);
    rig_check(r);
}

static void test_no_host_form_is_told(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    vtdpi_binding_set_host(b, false);
    /* Posted: the host form is not asked for. */
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, &b, 1), 0);
    /* No vCPU has that id. */
    change_message(r, 0, 9, 0x41);
    begin(r, &w, &b, 1);
    assert_int_equal(finish(r, &w), VTDPI_ENOHOST);
    assert_false(vtdpi_binding_is_pending(b));
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, &b, 1), VTDPI_ENOHOST);
    /* The host gives a vector to the interrupt. */
    vtdpi_binding_set_host(b, true);
    assert_int_equal(vtdpi_vm_begin(&r->vm, &w, &b, 1), 0);
    /* A change of an APIC tells it as well. */
    vtdpi_binding_set_host(b, false);
    change_message(r, 0, 1, 0x41);
    assert_int_equal(vm_apply(&r->vm, &b, 1), 0);
    change_apic(r, 1, 8);
    assert_int_equal(vm_apply(&r->vm, NULL, 0), VTDPI_ENOHOST);
    /* Without a message, and with one that is malformed, nothing is to be
     * delivered. */
    assert_int_equal(rig_message(r, 0, NULL), 0);
    assert_int_equal(rig_message(r, 0, &(struct vtdpi_msi){0, 0, 0}), 0);
    assert_host(r, 0, VTDPI_ROUTE_ADDRESS);
    rig_check(r);
}

/* An error comes before the news that a host form is missing; news of another
 * work comes before both. */
static void test_results_have_their_order(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b[3] = {&r->b[0], &r->b[1], &r->b[2]};
    struct vtdpi_vm_work other;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 3);
    change_message(r, 0, 1, 0x41);
    begin(r, &other, &b[0], 1);
    vtdpi_binding_set_host(b[1], false);
    change_message(r, 1, 9, 0x42);
    change_message(r, 2, 1, 0x43);
    begin(r, &w, b, 3);
    r->refuse = r->calls + 1;
    r->refuse_to = UINT32_MAX;
    assert_int_equal(finish(r, &w), VTDPI_EINFLIGHT);
    assert_int_equal(vtdpi_binding_error(b[2]), RIG_REFUSED);
    r->refuse = 0;
    assert_int_equal(finish(r, &other), 0);
    /* What has failed in this work is not tried again, and not forgotten. */
    r->calls = 0;
    assert_int_equal(vtdpi_vm_begin_again(&r->vm, &w), RIG_REFUSED);
    assert_int_equal(r->calls, 0);
    assert_int_equal(vm_apply(&r->vm, b, 3), VTDPI_ENOHOST);
    vtdpi_binding_set_host(b[1], true);
    rig_check(r);
}

/* The decide lock is held for so many decisions at once, and each part is one
 * flush. */
static void test_part_bounds_what_is_decided_at_once(void **state)
{
    struct rig *r = *state;
    unsigned int rounds = 0;
    struct vtdpi_vm_work w;
    struct vtdpi_vm_stats before;
    struct vtdpi_vm_stats now;
    int rc;

    rig_vcpus(r, 2);
    r->vm.part = 10;
    for (unsigned int i = 0; i < RIG_IRQS / 2; i++)
        change_message(r, i, 1, (uint8_t)(0x40 + i));
    vtdpi_vm_get_stats(&r->vm, &before);
    rc = vtdpi_vm_begin(&r->vm, &w, NULL, 0);
    while (rc > 0) {
        vtdpi_vm_get_stats(&r->vm, &now);
        assert_in_range(now.decided - before.decided, 1, 10);
        before = now;
        rounds++;
        rc = finish(r, &w);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(rounds, (RIG_IRQS / 2 + 9) / 10);
    assert_cost(r, RIG_IRQS / 2, rounds);
    rig_check(r);
}

/* A part in which all is as decided already is not the last one. */
static void test_part_without_a_flight_goes_on(void **state)
{
    struct rig *r = *state;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 2);
    r->vm.part = 1;
    change_message(r, 0, 1, 0x41);
    change_message(r, 0, 7, 0x41); /* as before the first change */
    change_message(r, 1, 1, 0x42);
    begin(r, &w, NULL, 0);
    assert_cost(r, 0, 0);
    assert_int_equal(finish(r, &w), 1);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 1, 1, 0x42);
    rig_check(r);
}

/* A batch of affinity code has the interrupt while the work comes to it. */
static void test_interrupt_of_another_batch_is_taken_once_more(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    struct vtdpi_irq_batch batch;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &w, &b, 1);
    assert_int_equal(
        vtdpi_irq_batch_begin(&batch, vtdpi_irq_backend(&r->irq[0]), NULL, 0),
        0);
    assert_int_equal(
        vtdpi_irq_batch_post(&batch, &r->irq[0], &r->vcpu[0], 0x55), 0);
    assert_int_equal(finish(r, &w), 1);
    assert_int_equal(vtdpi_irq_batch_commit(&batch), 0);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 0, 1, 0x41);
    rig_check(r);
}

/* Affinity code changes the host form of a bound interrupt at any time. */
static void test_host_form_under_a_flight_is_kept(void **state)
{
    struct rig *r = *state;
    struct vtdpi_binding *b = &r->b[0];
    const struct vtdpi_irte_remapped host = {
        .present = true,
        .vector = 0x99,
        .mode = VTDPI_X2APIC,
        .dst = 3,
    };
    struct vtdpi_irte live;
    struct vtdpi_vm_work w;

    rig_vcpus(r, 2);
    change_message(r, 0, 1, 0x41);
    begin(r, &w, &b, 1);
    assert_int_equal(vtdpi_irq_set_host(&r->irq[0], &host), 0);
    assert_int_equal(finish(r, &w), 0);
    assert_post(r, 0, 1, 0x41);
    assert_int_equal(rig_message(r, 0, NULL), 0);
    live = vtdpi_irq_live(&r->irq[0]);
    assert_int_equal(live.lo >> 16 & 0xff, 0x99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_begin_without_a_change_has_no_work),
        RIG_TEST(test_begin_takes_what_is_named_only),
        RIG_TEST(test_marked_in_flight_is_taken_once_more),
        RIG_TEST(test_marked_again_and_again_ends_with_edue),
        RIG_TEST(test_marked_in_flight_and_decided_as_before_is_done),
        RIG_TEST(test_change_waits_for_what_it_concerns_only),
        RIG_TEST(test_change_waits_for_what_others_have_taken_since),
        RIG_TEST(test_change_of_an_earlier_hold_is_waited_for),
        RIG_TEST(test_change_is_told_of_what_failed_in_another_work),
        RIG_TEST(test_change_waits_for_no_later_change),
        RIG_TEST(test_change_is_told_of_a_failure_before_an_older_one),
        RIG_TEST(test_detach_waits_for_the_copy_in_flight),
        RIG_TEST(test_detach_waits_for_what_leaves_the_vcpu),
        RIG_TEST(test_detach_waits_for_what_may_leave_the_vcpu),
        RIG_TEST(test_later_mark_ends_no_wait),
        RIG_TEST(test_posting_off_waits_for_what_still_posts),
        RIG_TEST(test_unbind_end_waits_for_what_is_in_flight),
        RIG_TEST(test_refused_and_marked_is_decided_again),
        RIG_TEST(test_no_host_form_is_told),
        RIG_TEST(test_results_have_their_order),
        RIG_TEST(test_part_bounds_what_is_decided_at_once),
        RIG_TEST(test_part_without_a_flight_goes_on),
        RIG_TEST(test_interrupt_of_another_batch_is_taken_once_more),
        RIG_TEST(test_host_form_under_a_flight_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
