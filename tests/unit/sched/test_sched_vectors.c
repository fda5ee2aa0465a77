/* SPDX-License-Identifier: BSD-2-Clause */
/* Several wakeup vectors: which vCPU gets which, and what each handler sees. */
#include "atomic_hook.h"
#include "test.h"
#include "world.h"

/* With two vectors: 0 and 2 on the first, 1 on the second. */
static const uint32_t slots[VCPUS] = {4, 65, 5};

/* As sched.h has it. */
static uint32_t index_of(const struct world *w, uint32_t slot)
{
    return slot / 64 % w->names.wnv_count;
}

static int set_up(void **state)
{
    hook_reset();
    *state = world_new_as(slots, 2, VTDPI_X2APIC);
    return 0;
}

static uint8_t nv_of(const struct world_vcpu *v)
{
    return (uint8_t)(vtdpi_vcpu_pid(&v->v)->control >> 16);
}

static uint32_t handle(struct world *w, unsigned int vector)
{
    return vtdpi_pcpu_handle_wakeup(&w->pcpu[2], world_wnv(vector));
}

static void test_sched_init_many_vectors_none_wrong(void **state)
{
    struct world *w = *state;
    struct vtdpi_sched_params params = {
        .ops = &w->ops,
        .pages = w->page_slots,
        .max_pages = 1,
        .pcpus = w->pcpu_slots,
        .max_pcpus = 1,
        .anv = ANV,
    };
    struct vtdpi_sched s;

    for (unsigned int i = 0; i < VTDPI_WNV_MAX; i++)
        params.wnv[i] = world_wnv(i);
    for (unsigned int n = 0; n <= 255; n++) {
        const bool good = n == 0 || (n <= 64 && 64 % n == 0);

        params.wnv_count = (uint8_t)n;
        assert_int_equal(vtdpi_sched_init(&s, &params),
                         good ? 0 : VTDPI_EINVAL);
    }
    /* The last of them is looked at like the first. */
    params.wnv_count = VTDPI_WNV_MAX;
    params.wnv[63] = params.wnv[0];
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params.wnv[63] = params.wnv[62];
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params.wnv[63] = ANV;
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EINVAL);
    params.wnv[63] = 15;
    assert_int_equal(vtdpi_sched_init(&s, &params), VTDPI_EVECTOR);
    params.wnv_count = 32;
    assert_int_equal(vtdpi_sched_init(&s, &params), 0);
}

/* Every slot of two pages, for every number of vectors: block arms the vector
 * of the slot, and the handler of that one alone wakes it. */
static void one_of_many(struct world *w, uint32_t slot)
{
    struct world_vcpu *const v = &w->vcpu[0];
    const uint32_t own = index_of(w, slot);
    unsigned int woken = 0;

    assert_int_equal(vtdpi_vcpu_detach(&v->v), 0);
    assert_int_equal(vtdpi_vcpu_attach(&w->s, &v->v, slot, v), 0);
    world_halt(v, 2, false);
    assert_int_equal(nv_of(v), world_wnv(own));
    world_device_post(v, 0x40, false);
    assert_true(w->pending[2][world_wnv(own)]);
    for (unsigned int i = 0; i < w->names.wnv_count; i++) {
        assert_int_equal(handle(w, i), i == own);
        woken += i == own;
        assert_int_equal(v->wakes, woken);
    }
    v->wakes = 0;
    world_enter(v, 1);
}

static void test_vcpu_block_every_slot_and_count_own_vector(void **state)
{
    (void)state;
    for (uint8_t count = 1; count <= 64; count = (uint8_t)(count * 2)) {
        struct world *w = world_new_as(
            (uint32_t[VCPUS]){0, 65 * 64, 65 * 64 + 1}, count, VTDPI_X2APIC);

        for (uint32_t slot = 0; slot < 128; slot++)
            one_of_many(w, slot);
        world_free(w);
    }
}

static void test_pcpu_handle_wakeup_other_vector_wakes_nobody(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    world_device_post(&w->vcpu[0], 0x40, false);
    assert_int_equal(handle(w, 1), 0);
    assert_int_equal(handle(w, 0), 1);
    world_device_post(&w->vcpu[1], 0x40, false);
    assert_int_equal(handle(w, 1), 1);
    assert_int_equal(w->vcpu[0].wakes, 1);
    assert_int_equal(w->vcpu[1].wakes, 1);
    assert_int_equal(w->vcpu[2].wakes, 0);
}

/* Not even the sequence: detach need not wait for it. */
static void test_pcpu_handle_wakeup_foreign_vector_reads_nothing(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    world_device_post(&w->vcpu[0], 0x40, false);
    hook_reset();
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], ANV), 0);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], world_wnv(2)), 0);
    assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], 0), 0);
    assert_int_equal(hook.loads + hook.stores + hook.locked, 0);
    assert_int_equal(w->pcpu[2].scan, 0);
}

/* Each handler cleans up behind its own vCPUs, and nowhere else. */
static void test_pcpu_handle_wakeup_clears_own_summary_only(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    assert_int_equal(w->bitmap[2][2 * PAGES], 3);
    world_enter(&w->vcpu[0], 0);
    world_enter(&w->vcpu[1], 1);
    /* vCPU 2 is still blocked in the first word. */
    assert_int_equal(handle(w, 0), 0);
    assert_int_equal(w->bitmap[2][2 * PAGES], 3);
    assert_int_equal(handle(w, 1), 0);
    assert_int_equal(w->bitmap[2][2 * PAGES], 1);
    world_enter(&w->vcpu[2], 2);
    assert_int_equal(handle(w, 1), 0);
    assert_int_equal(w->bitmap[2][2 * PAGES], 1);
    assert_int_equal(handle(w, 0), 0);
    assert_int_equal(w->bitmap[2][2 * PAGES], 0);
}

static void test_vcpu_block_committed_sends_own_vector(void **state)
{
    struct world *w = *state;

    for (unsigned int i = 0; i < VCPUS; i++) {
        struct world_vcpu *const v = &w->vcpu[i];
        const uint8_t own = world_wnv(index_of(w, slots[i]));

        vtdpi_vcpu_run(&v->v, &w->pcpu[1]);
        world_device_post(v, 0x40, false);
        assert_int_equal(vtdpi_vcpu_block_committed(&v->v, &w->pcpu[2]),
                         VTDPI_BLOCKED);
        assert_true(w->pending[2][own]);
        w->pending[2][own] = false;
        assert_int_equal(vtdpi_pcpu_handle_wakeup(&w->pcpu[2], own), 1);
        vtdpi_vcpu_preempt(&v->v);
    }
}

static void test_pcpu_offline_and_rescan_wake_all_vectors(void **state)
{
    struct world *w = *state;

    world_block_all(w, 2);
    assert_int_equal(vtdpi_pcpu_rescan(&w->pcpu[2]), VCPUS);
    assert_int_equal(vtdpi_pcpu_offline(&w->pcpu[2]), VCPUS);
    for (unsigned int i = 0; i < VCPUS; i++)
        assert_int_equal(w->vcpu[i].wakes, 2);
}

/* A scan reads the PIDs of its own vector and no others. */
struct pids_read {
    const struct world *w;
    unsigned int of[VCPUS];
};

static void count_pids(void *ctx, enum hook_kind kind, const void *addr)
{
    struct pids_read *r = ctx;

    (void)kind;
    for (unsigned int i = 0; i < VCPUS; i++)
        r->of[i] += addr == &vtdpi_vcpu_pid(&r->w->vcpu[i].v)->control;
}

static void test_pcpu_handle_wakeup_touches_own_pids_only(void **state)
{
    struct world *w = *state;
    struct pids_read r = {.w = w};

    world_block_all(w, 2);
    hook.before = count_pids;
    hook.ctx = &r;
    assert_int_equal(handle(w, 1), 0);
    hook_reset();
    assert_int_equal(r.of[0], 0);
    assert_int_equal(r.of[1], 1);
    assert_int_equal(r.of[2], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sched_init_many_vectors_none_wrong),
        cmocka_unit_test(test_vcpu_block_every_slot_and_count_own_vector),
        TEST(test_pcpu_handle_wakeup_other_vector_wakes_nobody),
        TEST(test_pcpu_handle_wakeup_foreign_vector_reads_nothing),
        TEST(test_pcpu_handle_wakeup_clears_own_summary_only),
        TEST(test_vcpu_block_committed_sends_own_vector),
        TEST(test_pcpu_offline_and_rescan_wake_all_vectors),
        TEST(test_pcpu_handle_wakeup_touches_own_pids_only),
    };

    return cmocka_run_group_tests_name("sched_vectors", tests, NULL, NULL);
}
