/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs whose virtual APIC the host cannot touch, as a trust domain's is. The
 * host harvests nothing: only an ANV that arrives in the guest moves PIR, which
 * world_interrupts() does as the processor would.
 */
#include "atomic_hook.h"
#include "test.h"
#include "world.h"

#include <stdlib.h>

static int private_set_up(void **state)
{
    const int rc = world_set_up(state);
    struct world *w = *state;

    for (unsigned int i = 0; i < VCPUS; i++)
        w->vcpu[i].private_apic = true;
    return rc;
}

static unsigned int delivered(const struct world_vcpu *v, uint8_t vector)
{
    return v->taken.delivered[vector];
}

/* PIR is not empty, ON is clear: SN was set. */
static void test_private_posted_while_out_is_delivered(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    world_enter(v, 0);
    world_leave(v);
    world_device_post(v, 0x41, false);
    world_software_post(v, 0x42, false);
    world_enter(v, 1);
    assert_int_equal(delivered(v, 0x41), 1);
    assert_int_equal(delivered(v, 0x42), 1);
    world_finish(w);
}

/* The ANV arrived in host mode, where its handler does EOI and nothing else. ON
 * stays set, so no further post notifies. */
static void test_private_anv_taken_by_the_host_is_made_up_for(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[0]);
    world_device_post(v, 0x41, false);
    world_interrupts(w, 0);
    world_device_post(v, 0x42, false);
    assert_false(w->pending[0][ANV]);
    world_enter(v, 0);
    assert_int_equal(delivered(v, 0x41), 1);
    assert_int_equal(delivered(v, 0x42), 1);
    world_finish(w);
}

/* ON is set, PIR is empty: a poster was overtaken. Left like that, the vCPU would
 * be deaf in the guest. */
static void on_over_empty_pir(struct world_vcpu *v)
{
    vtdpi_vcpu_run(&v->v, &v->w->pcpu[0]);
    assert_int_equal(vtdpi_vcpu_notify(&v->v, false), VTDPI_POST_NOTIFY);
    world_interrupts(v->w, 0);
    assert_false(vtdpi_pid_pir_pending(vtdpi_vcpu_pid(&v->v)));
}

static void test_private_on_over_empty_pir_is_cleared(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    on_over_empty_pir(v);
    world_enter(v, 0);
    world_device_post(v, 0x41, false);
    assert_true(w->pending[0][ANV]);
    world_finish(w);
}

static void test_private_nothing_posted_nothing_sent(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    vtdpi_vcpu_run(&v->v, &w->pcpu[0]);
    hook_reset();
    assert_false(vtdpi_vcpu_notify_self(&v->v, &w->pcpu[0]));
    assert_int_equal(hook.locked, 0);
    assert_int_equal(hook.stores, 0);
    assert_int_equal(w->ipis, 0);
    world_device_post(v, 0x41, false);
    assert_true(vtdpi_vcpu_notify_self(&v->v, &w->pcpu[0]));
    assert_int_equal(w->ipis, 1);
}

/* Both kinds of pending keep the vCPU from sleeping, and the entry resolves
 * both; then it sleeps, and a WNV wakes it. */
static void test_private_block(void **state)
{
    struct world *w = *state;
    struct world_vcpu *v = &w->vcpu[0];

    world_enter(v, 0);
    world_leave(v);
    world_device_post(v, 0x41, false);
    world_halt(v, 1, false);
    assert_int_equal(v->state, GUEST);
    assert_int_equal(delivered(v, 0x41), 1);

    world_leave(v);
    on_over_empty_pir(v);
    world_halt(v, 1, false);
    assert_int_equal(v->state, GUEST);

    world_halt(v, 1, false);
    assert_int_equal(v->state, SLEEPING);
    world_device_post(v, 0x42, false);
    world_settle(w);
    assert_int_equal(v->state, GUEST);
    assert_int_equal(delivered(v, 0x42), 1);
    world_finish(w);
}

static void step(struct world *w)
{
    struct world_vcpu *v = &w->vcpu[rand() % VCPUS];
    const unsigned int p = (unsigned int)rand() % (PCPUS - 1);
    const uint8_t vector = (uint8_t)(16 + rand() % 240);

    switch (rand() % 8) {
    case 0:
    case 1:
        world_device_post(v, vector, rand() % 8 == 0);
        break;
    case 2:
        world_software_post(v, vector, rand() % 8 == 0);
        break;
    case 3:
        world_interrupts(w, p);
        break;
    case 4:
        if (v->state == OUT)
            world_enter(v, p);
        break;
    case 5:
        if (v->state == GUEST)
            world_leave(v);
        break;
    case 6:
        if (v->state == OUT) /* in the host, SN clear */
            vtdpi_vcpu_run(&v->v, &w->pcpu[p]);
        break;
    default:
        if (v->state != SLEEPING)
            world_halt(v, p, rand() % 2 == 0);
        break;
    }
    world_check_never(w);
}

static void test_private_random_nothing_lost(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed <= 200; seed++) {
        struct world *w;

        srand(seed);
        assert_int_equal(private_set_up((void **)&w), 0);
        /* Before its first run an urgent post goes to a pCPU of nobody. */
        for (unsigned int i = 0; i < VCPUS; i++)
            world_enter(&w->vcpu[i], i % (PCPUS - 1));
        for (unsigned int i = 0; i < 200; i++)
            step(w);
        world_finish(w);
        world_free(w);
    }
}

#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, private_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_private_posted_while_out_is_delivered),
        TEST(test_private_anv_taken_by_the_host_is_made_up_for),
        TEST(test_private_on_over_empty_pir_is_cleared),
        TEST(test_private_nothing_posted_nothing_sent),
        TEST(test_private_block),
        cmocka_unit_test(test_private_random_nothing_lost),
    };

    return cmocka_run_group_tests_name("sched_private", tests, NULL, NULL);
}
