/* SPDX-License-Identifier: BSD-2-Clause */
/* bind.h when tables refuse: every event, with every call of it refused. */
#include "test.h"

#include "bind_rig.h"

enum {
    SPREAD = 12, /* interrupts with a message, in each table */
    HALF = RIG_IRQS / RIG_TABLES,
};

static unsigned int pending(struct rig *r)
{
    struct vtdpi_vm_stats stats;

    vtdpi_vm_get_stats(&r->vm, &stats);
    return stats.due + stats.failed;
}

static void refuse(struct rig *r, unsigned int from, unsigned int to)
{
    r->calls = 0;
    r->refuse = from;
    r->refuse_to = to;
}

static struct rig *prepared(void)
{
    void *state;
    struct rig *r;

    (void)rig_setup(&state);
    r = state;
    rig_vcpus(r, 4);
    for (unsigned int i = 0; i < SPREAD; i++) {
        const struct vtdpi_msi msi = msi_to(i % 4, (uint8_t)(0x40 + i));

        assert_int_equal(rig_message(r, i, &msi), 0);
        assert_int_equal(rig_message(r, HALF + i, &msi), 0);
    }
    return r;
}

/* The events. */

static int event_message(struct rig *r)
{
    const struct vtdpi_msi msi = msi_to(2, 0x71);

    return rig_message(r, 0, &msi);
}

static int event_disable(struct rig *r)
{
    return rig_message(r, 0, NULL);
}

static int event_first_message(struct rig *r)
{
    const struct vtdpi_msi msi = msi_to(2, 0x71);

    return rig_message(r, SPREAD, &msi);
}

static int event_block(struct rig *r)
{
    const struct vtdpi_msi msi = msi_to(3, 0x78);
    struct vtdpi_binding *b[8];

    for (unsigned int i = 0; i < 8; i++) {
        b[i] = &r->b[i];
        r->msi[i] = msi_to(3, (uint8_t)(0x78 + i));
    }
    return rig_block(r, b, 8, &msi);
}

static int event_unmask(struct rig *r)
{
    const struct vtdpi_msi msi = msi_to(2, 0x71);

    rig_mask(r, 0);
    assert_int_equal(rig_message(r, 0, &msi), 0);
    return rig_unmask(r, 0);
}

static int event_apic_leaves(struct rig *r)
{
    return rig_apic(r, 1, x2apic(20));
}

static int event_apic_doubles(struct rig *r)
{
    return rig_apic(r, 1, x2apic(2));
}

static int event_apics_swap(struct rig *r)
{
    rig_hold(r);
    assert_int_equal(rig_apic(r, 1, x2apic(2)), 0);
    assert_int_equal(rig_apic(r, 2, x2apic(1)), 0);
    return rig_update(r);
}

static int event_detach(struct rig *r)
{
    return rig_detach(r, 1);
}

static int event_detach_and_back(struct rig *r)
{
    const int rc = rig_detach(r, 1);
    const int again = rig_attach(r, 1);

    return rc != 0 ? rc : again;
}

static int event_posting_off(struct rig *r)
{
    return rig_posting(r, false);
}

static int event_unbind(struct rig *r)
{
    return rig_unbind(r, 0);
}

static int (*const events[])(struct rig *r) = {
    event_message, event_disable,     event_first_message, event_block,
    event_unmask,  event_apic_leaves, event_apic_doubles,  event_apics_swap,
    event_detach,  event_posting_off, event_unbind,
};

/* How it is made good again. */

static int by_retry(struct rig *r)
{
    return rig_update(r);
}

/* A begin that names the bindings takes them though they have failed. */
static int by_name(struct rig *r)
{
    struct vtdpi_binding *b[RIG_IRQS];
    uint32_t n = 0;

    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        if (r->bound[i])
            b[n++] = &r->b[i];
    }
    return vm_apply(&r->vm, b, n);
}

static int (*const repairs[])(struct rig *r) = {
    by_retry,
    by_name,
};

/* Refuses call @p k, or all from there; false if there was no such call. */
static bool fails_at(int (*event)(struct rig *r), unsigned int k, bool all,
                     int (*repair)(struct rig *r))
{
    struct rig *r = prepared();
    bool reached;
    int rc;

    refuse(r, k, all ? UINT32_MAX : k);
    rc = event(r);
    reached = r->calls >= k;
    if (reached) {
        assert_int_equal(rc, RIG_REFUSED);
        assert_true(pending(r) > 0);
        rig_check_held(r);
        rig_check_decisions(r);
        /* Again in vain. */
        if (all) {
            assert_int_equal(rig_update(r), RIG_REFUSED);
            rig_check_held(r);
        }
        refuse(r, 0, 0);
        assert_int_equal(repair(r), 0);
    } else {
        assert_int_equal(rc, 0);
        refuse(r, 0, 0);
    }
    rig_check(r);
    /* And then there is nothing left to do. */
    r->calls = 0;
    assert_int_equal(rig_update(r), 0);
    assert_int_equal(r->calls, 0);
    (void)rig_teardown(&(void *){r});
    return reached;
}

static void test_every_event_with_every_call_refused(void **state)
{
    (void)state;
    for (unsigned int e = 0; e < sizeof(events) / sizeof(events[0]); e++) {
        for (unsigned int j = 0; j < sizeof(repairs) / sizeof(repairs[0]);
             j++) {
            unsigned int k = 1;

            while (fails_at(events[e], k, false, repairs[j]))
                k++;
            assert_true(k > 2); /* a replace and a commit at least */
            while (--k > 0)
                assert_true(fails_at(events[e], k, true, repairs[j]));
        }
    }
}

/* Refused once, and then again anywhere in the repair. */
static void test_every_repair_with_every_call_refused(void **state)
{
    (void)state;
    for (unsigned int e = 0; e < sizeof(events) / sizeof(events[0]); e++) {
        for (unsigned int k = 1, more = 1; more != 0; k++) {
            struct rig *r = prepared();

            refuse(r, 3, UINT32_MAX);
            assert_int_equal(events[e](r), RIG_REFUSED);
            refuse(r, k, k);
            if (rig_update(r) == 0) {
                assert_true(r->calls < k);
                more = 0;
            }
            rig_check_held(r);
            refuse(r, 0, 0);
            assert_int_equal(rig_update(r), 0);
            rig_check(r);
            (void)rig_teardown(&(void *){r});
        }
    }
}

/* The flush fails: both vCPUs are held, and neither can be detached. */
static void test_retarget_not_flushed_holds_both_vcpus(void **state)
{
    struct rig *r = prepared();
    const struct vtdpi_msi to_c = msi_to(3, 0x73);

    (void)state;
    assert_int_equal(rig_refs(r, 0), 2 * SPREAD / 4);
    refuse(r, 4, UINT32_MAX); /* begin, replace, invalidate, commit */
    assert_int_equal(event_message(r), RIG_REFUSED);
    assert_true(vtdpi_irq_is_dirty(&r->irq[0]));
    assert_int_equal(rig_refs(r, 0), 2 * SPREAD / 4);
    assert_int_equal(rig_refs(r, 2), 2 * SPREAD / 4 + 1);
    /* The next one is stored and decided, but cannot be written. */
    assert_int_equal(rig_message(r, 0, &to_c), RIG_REFUSED);
    assert_ptr_equal(vtdpi_irq_vcpu(&r->irq[0]), &r->vcpu[2]);
    assert_int_equal(vtdpi_binding_decision(&r->b[0]).vcpu, 3);
    assert_int_equal(pending(r), 1);
    refuse(r, 0, 0);
    r->table[0].writes = r->table[0].commits = 0;
    assert_int_equal(rig_update(r), 0);
    assert_post(r, 0, 3, 0x73);
    assert_int_equal(r->table[0].writes, 1);
    assert_int_equal(r->table[0].commits, 2); /* the old one, the new one */
    assert_int_equal(rig_refs(r, 0), 2 * SPREAD / 4 - 1);
    rig_check(r);
    (void)rig_teardown(&(void *){r});
}

static void test_detach_not_flushed_keeps_the_vcpu(void **state)
{
    struct rig *r = prepared();

    (void)state;
    refuse(r, 1, UINT32_MAX);
    assert_int_equal(rig_detach(r, 1), RIG_REFUSED);
    /* Entries hold the vCPU, and the VM does not any more. */
    assert_int_equal(vtdpi_vcpu_refs(&r->vcpu[1]), 2 * SPREAD / 4);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), VTDPI_EBUSY);
    assert_int_equal(vtdpi_vm_count(&r->vm, VTDPI_ROUTE_DETACHED),
                     2 * SPREAD / 4);
    refuse(r, 0, 0);
    assert_int_equal(rig_update(r), 0);
    assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[1]), 0);
    rig_check(r);
    (void)rig_teardown(&(void *){r});
}

/* What fails in one table is no reason to leave the other as it was. */
static void test_other_table_goes_on(void **state)
{
    struct rig *r = prepared();
    unsigned int calls;
    unsigned int clean = 0;

    (void)state;
    refuse(r, 0, 0);
    assert_int_equal(event_posting_off(r), 0);
    calls = r->calls;
    assert_int_equal(rig_posting(r, true), 0);
    refuse(r, calls, calls); /* the commit of the second table */
    assert_int_equal(event_posting_off(r), RIG_REFUSED);
    assert_int_equal(pending(r), SPREAD);
    for (unsigned int i = 0; i < RIG_IRQS; i++)
        clean += !vtdpi_irq_is_dirty(&r->irq[i]);
    assert_int_equal(clean, RIG_IRQS - SPREAD);
    refuse(r, 0, 0);
    assert_int_equal(rig_update(r), 0);
    rig_check(r);
    /* The first table's commit. */
    assert_int_equal(rig_posting(r, true), 0);
    refuse(r, calls / 2, calls / 2);
    assert_int_equal(event_posting_off(r), RIG_REFUSED);
    assert_int_equal(pending(r), SPREAD);
    refuse(r, 0, 0);
    assert_int_equal(rig_update(r), 0);
    rig_check(r);
    (void)rig_teardown(&(void *){r});
}

/* What has failed costs nobody else a call, and nobody else gets its error. */
static void test_what_has_failed_is_nobody_elses_concern(void **state)
{
    struct rig *r = prepared();
    const struct vtdpi_msi spare = msi_to(0, 0x99);
    unsigned int calls;

    (void)state;
    assert_int_equal(rig_message(r, RIG_IRQS - 1, &spare), 0);
    calls = r->calls;
    assert_int_equal(rig_message(r, RIG_IRQS - 1, NULL), 0);
    calls = r->calls - calls;
    refuse(r, 4, 4);
    assert_int_equal(event_message(r), RIG_REFUSED);
    assert_int_equal(vtdpi_binding_error(&r->b[0]), RIG_REFUSED);
    refuse(r, 0, 0);
    assert_int_equal(rig_message(r, RIG_IRQS - 1, &spare), 0);
    assert_int_equal(r->calls, calls);
    assert_int_equal(rig_apic(r, 30, x2apic(30)), 0);
    assert_int_equal(r->calls, calls);
    assert_int_equal(vm_apply(&r->vm, NULL, 0), 0);
    assert_int_equal(r->calls, calls);
    assert_true(vtdpi_binding_is_pending(&r->b[0]));
    /* A change that concerns the binding tries again. */
    assert_int_equal(rig_apic(r, 2, x2apic(2)), 0);
    assert_true(vtdpi_binding_is_pending(&r->b[0]));
    assert_int_equal(rig_apic(r, 2, x2apic(40)), 0);
    assert_int_equal(vtdpi_binding_error(&r->b[0]), 0);
    rig_check(r);
    (void)rig_teardown(&(void *){r});
}

/* A vCPU that goes and comes back under a failure. */
static void test_detach_and_attach_refused_ends_as_it_was(void **state)
{
    (void)state;
    for (unsigned int k = 1; k < 12; k++) {
        struct rig *r = prepared();

        refuse(r, k, k);
        (void)event_detach_and_back(r);
        rig_check_held(r);
        refuse(r, 0, 0);
        assert_int_equal(rig_update(r), 0);
        rig_check(r);
        (void)rig_teardown(&(void *){r});
    }
}

/* The host's own change of the host form has failed. */
static void test_interrupt_left_dirty_by_the_host_is_flushed(void **state)
{
    struct rig *r = prepared();
    const struct vtdpi_irte_remapped host = {
        .present = true,
        .vector = 0x51 + SPREAD,
        .mode = VTDPI_X2APIC,
        .dst = 7,
    };

    (void)state;
    assert_int_equal(vtdpi_irq_set_host(&r->irq[SPREAD], NULL), 0);
    assert_int_equal(vtdpi_irq_set_host(&r->irq[SPREAD], &host), 0);
    assert_int_equal(event_disable(r), 0);
    refuse(r, 3, UINT32_MAX);
    assert_int_equal(vtdpi_irq_set_host(&r->irq[SPREAD], NULL), RIG_REFUSED);
    assert_true(vtdpi_irq_is_dirty(&r->irq[SPREAD]));
    refuse(r, 0, 0);
    assert_int_equal(event_first_message(r), 0);
    assert_post(r, SPREAD, 2, 0x71);
    assert_int_equal(vtdpi_irq_set_host(&r->irq[SPREAD], &host), 0);
    rig_check(r);
    (void)rig_teardown(&(void *){r});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_event_with_every_call_refused),
        cmocka_unit_test(test_every_repair_with_every_call_refused),
        cmocka_unit_test(test_retarget_not_flushed_holds_both_vcpus),
        cmocka_unit_test(test_detach_not_flushed_keeps_the_vcpu),
        cmocka_unit_test(test_other_table_goes_on),
        cmocka_unit_test(test_what_has_failed_is_nobody_elses_concern),
        cmocka_unit_test(test_detach_and_attach_refused_ends_as_it_was),
        cmocka_unit_test(test_interrupt_left_dirty_by_the_host_is_flushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
