/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bind.h over long random runs: guests in every mode, failures and holds. After
 * every step all decisions are made anew from what has been done, and compared
 * with those of the VM, its entries, references and counters.
 */
#include "test.h"

#include "bind_rig.h"
#include "random.h"

enum {
    STEPS = 5000,
};

struct run {
    struct rig *r;
    uint64_t seed;
    bool held;
    bool flat;             /* the APICs are mostly in xAPIC flat mode */
    unsigned int flat_all; /* all ones of 8 bits, logical: posted */
    unsigned int seen[VTDPI_ROUTE_REASONS];
    unsigned int failed;
};

static uint32_t below(struct run *x, uint32_t n)
{
    return random_below(&x->seed, n);
}

static bool one_in(struct run *x, uint32_t n)
{
    return below(x, n) == 0;
}

/* Few ids, so that there are several with the same, and those whose low bytes
 * or clusters are alike. */
static uint32_t some_id(struct run *x)
{
    static const uint32_t base[] = {
        0,     0,     0,       0x10,   0x20,     0xf0,    0x100,
        0x110, 0x1f0, 0x10000, 0xfff0, 0x100000, 0xf0000, 0x80000000};

    return base[below(x, sizeof(base) / sizeof(base[0]))] + below(x, 16);
}

static void give_ldr(struct run *x, struct vtdpi_guest_apic *apic)
{
    apic->ldr_given = !one_in(x, 4);
    apic->ldr = some_id(x) >> 4 << 16 | UINT32_C(1) << below(x, 16);
}

static struct vtdpi_guest_apic some_apic(struct run *x)
{
    struct vtdpi_guest_apic apic = {.id = 0};

    switch (x->flat && !one_in(x, 64) ? 1 : below(x, 8)) {
    case 0:
        return apic;
    case 1:
    case 2:
        apic = flat(below(x, 256), (uint8_t)(1U << below(x, 9)));
        break;
    case 3:
        apic = cluster(below(x, 256), (uint8_t)below(x, 256));
        break;
    default:
        apic = x2apic(some_id(x));
        break;
    }
    if (one_in(x, 8))
        apic.enabled = false;
    if (apic.mode == VTDPI_GUEST_X2APIC && one_in(x, 3))
        give_ldr(x, &apic);
    return apic;
}

static uint32_t some_dest(struct run *x)
{
    switch (below(x, 8)) {
    case 0:
        return one_in(x, 3) ? UINT32_MAX : UINT32_C(0xff);
    case 1:
    case 2:
        return below(x, 256);
    case 3:
        return some_id(x) >> 4 << 16 | UINT32_C(1) << below(x, 16);
    case 4:
        return some_id(x) >> 4 << 16 | below(x, 0x10000);
    case 5: /* of somebody */
        return x->r->apic[below(x, RIG_VCPUS)].id;
    default:
        return some_id(x);
    }
}

static struct vtdpi_msi some_message(struct run *x)
{
    const uint8_t vector = (uint8_t)below(x, 256);
    const uint32_t dest = some_dest(x);
    struct vtdpi_msi msi = msi_to(dest, vector);

    if (one_in(x, 2))
        msi =
            one_in(x, 2) ? msi_logical(dest, vector) : msi_lowest(dest, vector);
    if (one_in(x, 4))
        msi.address_lo |= 8; /* RH */
    if (one_in(x, 12))
        msi.data |= below(x, 8) << 8;
    if (one_in(x, 12))
        msi.data |= below(x, 4) << 14;
    if (one_in(x, 30))
        msi.address_lo ^= UINT32_C(1) << below(x, 32);
    if (one_in(x, 30))
        msi.data |= UINT32_C(1) << (16 + below(x, 16));
    if (x->r->form == VTDPI_COMPAT_DEST_8)
        msi.address_hi = 0;
    return msi;
}

/* Steps. */

static int step_message(struct run *x, unsigned int i)
{
    struct rig *r = x->r;
    struct vtdpi_msi msi;

    switch (below(x, 10)) {
    case 0:
        return rig_message(r, i, NULL);
    case 1:
        rig_mask(r, i);
        return 0;
    case 2:
    case 3:
        return rig_unmask(r, i);
    default:
        msi = some_message(x);
        return rig_message(r, i, &msi);
    }
}

static int step_binding(struct run *x)
{
    const unsigned int i = below(x, RIG_IRQS);
    int rc;

    if (!x->r->bound[i]) {
        rig_bind(x->r, i);
        return 0;
    }
    if (!one_in(x, 10))
        return step_message(x, i);
    rc = rig_unbind(x->r, i);
    if (!x->r->bound[i])
        return 0; /* others may be pending */
    assert_int_not_equal(rc, 0);
    return rc;
}

static unsigned int pending(struct run *x)
{
    struct vtdpi_vm_stats stats;

    vtdpi_vm_get_stats(&x->r->vm, &stats);
    return stats.due + stats.failed;
}

/* Its slot is given up if nothing refers to it. What has failed before may. */
static int step_detach(struct run *x, unsigned int v)
{
    struct rig *r = x->r;
    const int rc = rig_detach(r, v);

    if (vtdpi_vcpu_refs(&r->vcpu[v]) == 0)
        assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[v]), 0);
    else
        assert_true(rc != 0 || x->held || pending(x) != 0);
    return rc;
}

static int step_vcpu(struct run *x)
{
    const unsigned int v = below(x, RIG_VCPUS);
    struct vtdpi_guest_apic apic = x->r->apic[v];

    if (apic.mode == VTDPI_GUEST_X2APIC && one_in(x, 4)) {
        give_ldr(x, &apic); /* and nothing else has changed */
        return rig_apic(x->r, v, apic);
    }
    if (one_in(x, 2))
        return rig_apic(x->r, v, some_apic(x));
    return x->r->attached[v] ? step_detach(x, v) : rig_attach(x->r, v);
}

static int step(struct run *x)
{
    switch (below(x, 40)) {
    case 0:
        return rig_posting(x->r, !x->r->posting);
    case 1:
        rig_hold(x->r);
        x->held = true;
        return 0;
    case 2:
    case 3:
    case 4:
        x->held = false;
        return rig_update(x->r);
    default:
        return one_in(x, 3) ? step_vcpu(x) : step_binding(x);
    }
}

static void count_flat_all(struct run *x)
{
    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        if (x->r->has[i] && (x->r->msi[i].address_lo & 0xff004) == 0xff004 &&
            vtdpi_binding_decision(&x->r->b[i]).kind == VTDPI_ROUTE_POST)
            x->flat_all++;
    }
}

static void judge(struct run *x, int rc)
{
    rig_check_held(x->r);
    if (x->held)
        return;
    assert_true(rc == 0 || rc == RIG_REFUSED || rc == VTDPI_EDIRTY);
    if (rc == 0 && pending(x) == 0)
        rig_check(x->r);
    else
        x->failed++;
    for (int i = 0; i < VTDPI_ROUTE_REASONS; i++)
        x->seen[i] += vtdpi_vm_count(&x->r->vm, (enum vtdpi_route_reason)i);
    if (x->flat)
        count_flat_all(x);
}

/* @p refusals: one step in so many has a call refused. */
static void run(struct run *x, enum vtdpi_compat_dest form, uint32_t refusals)
{
    x->r = rig_new_least(form, (uint8_t)(one_in(x, 2) ? 0 : below(x, 64)));
    x->held = false;
    for (unsigned int i = 0; i < STEPS; i++) {
        int rc;

        x->r->calls = 0;
        x->r->refuse = 0;
        if (refusals != 0 && one_in(x, refusals)) {
            x->r->refuse = 1 + below(x, 8);
            x->r->refuse_to = one_in(x, 2) ? UINT32_MAX : x->r->refuse;
        }
        rc = step(x);
        judge(x, rc);
    }
    x->r->refuse = 0;
    assert_int_equal(rig_update(x->r), 0);
    rig_check(x->r);
    (void)rig_teardown(&(void *){x->r});
}

static void test_random_runs_follow_the_oracle(void **state)
{
    struct run x = {.seed = UINT64_C(0x5eed0123456789ab)};

    (void)state;
    run(&x, VTDPI_COMPAT_DEST_8, 0);
    run(&x, VTDPI_COMPAT_DEST_15, 0);
    run(&x, VTDPI_COMPAT_DEST_32, 0);
    assert_int_equal(x.failed, 0);
    /* Every reason that a table does not give has occurred. */
    for (int i = 0; i < VTDPI_ROUTE_REASONS; i++) {
        if (i != VTDPI_ROUTE_UNREACHABLE && i != VTDPI_ROUTE_NO_POSTING)
            assert_true(x.seen[i] > 0);
    }
}

/* What small guests program: FFh, logical, to APICs in xAPIC flat mode. */
static void test_random_runs_in_flat_mode_follow_the_oracle(void **state)
{
    struct run x = {.seed = UINT64_C(0xf1a7f1a7f1a7f1a7), .flat = true};

    (void)state;
    run(&x, VTDPI_COMPAT_DEST_8, 0);
    run(&x, VTDPI_COMPAT_DEST_8, 8);
    assert_true(x.seen[VTDPI_ROUTE_BROADCAST] > 0);
    assert_true(x.flat_all > STEPS / 10);
}

static void test_random_runs_with_failures_lose_nothing(void **state)
{
    struct run x = {.seed = UINT64_C(0xfa11fa11fa11fa11)};

    (void)state;
    run(&x, VTDPI_COMPAT_DEST_32, 4);
    run(&x, VTDPI_COMPAT_DEST_32, 2);
    run(&x, VTDPI_COMPAT_DEST_8, 8);
    assert_true(x.failed > STEPS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_runs_follow_the_oracle),
        cmocka_unit_test(test_random_runs_in_flat_mode_follow_the_oracle),
        cmocka_unit_test(test_random_runs_with_failures_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
