/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel ends before any of its steps, and another takes over what was handed over:
 * the table, the PID page, the queue's memory until the unit is ours, and a list of
 * slots and indexes. Devices send at every step of both. All other memory of the first
 * kernel is overwritten when that kernel ends, and must stay as it is afterwards.
 *
 * A step is a callback of the platform, or an operation of the kernel: between two of
 * them the kernel changes at most one word that others see.
 *
 * Every vector that a unit has posted is in a PIR until a kernel harvests that PIR; and
 * none is harvested that was not posted.
 */
#include "test.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "vtdpi/vtdpi.h"

enum {
    VCPUS = 3,
    IRQS = 3,
    ENTRIES = 256,
    STORAGE = 4096,
    QUEUE_BYTES = 4096,
    HOST_VECTOR = 0x51,
    VECTOR = 0x61, /* of interrupt 0, for the guest */
    DEAD = 0x5a,
    STEPS_MIN = 30, /* of the first kernel: fewer would mean that nothing ran */
    FIRST_SLOT = 5,
    EXTRA_PAGES = 4,
};

#define QUEUE_PHYS(n)  (MACHINE_EXTRA_PHYS + (n)*2 * UINT64_C(4096))
#define STATUS_PHYS(n) (QUEUE_PHYS(n) + 4096)

/* All that a kernel has for itself. */
struct kernel {
    struct vtdpi_platform_ops ops;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slot;
    struct vtdpi_pid_page page;
    struct vtdpi_pcpu pcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_vcpu vcpu[VCPUS];
    struct vtdpi_table table;
    struct vtdpi_table_unit link;
    struct vtdpi_unit unit;
    struct vtdpi_irq irq[IRQS];
    uint8_t storage[STORAGE];
};

/* What the first kernel tells the second, besides memory. */
struct handover {
    uint32_t slot[VCPUS];
    uint32_t index[IRQS];
    uint32_t irqs; /* that were set up */
};

static struct world {
    struct machine *m;
    struct kernel *k; /* the one that runs */
    struct handover handed;
    bool posted[VCPUS][256]; /* and not harvested */
    unsigned int steps;      /* of the first kernel */
    unsigned int end_at;
    bool may_end;
    unsigned int taken;
    jmp_buf end;
} w;

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

/*
 * Devices.
 */

static struct vtdpi_pid *pid_of(unsigned int vcpu)
{
    return &w.m->pids[FIRST_SLOT + vcpu];
}

/* Whatever the table says, an interrupt is posted to a vCPU that was handed over, or
 * goes to the host. It is never blocked once it was set up. */
static void send(unsigned int irq)
{
    const struct vtdpi_model_result r =
        machine_send(w.m, 0, w.handed.index[irq]);
    uint64_t vcpu;

    if (r.outcome != VTDPI_MODEL_POSTED) {
        assert_int_equal(r.outcome, VTDPI_MODEL_REMAPPED);
        assert_int_equal(r.vector, HOST_VECTOR + irq);
        return;
    }
    vcpu = (r.pda - PIDS_PHYS) / sizeof(struct vtdpi_pid) - FIRST_SLOT;
    assert_in_range(vcpu, 0, VCPUS - 1);
    assert_int_equal(r.vector, VECTOR + irq);
    w.posted[vcpu][r.vector] = true;
}

static void send_all(void)
{
    if (vtdpi_model_peek(&w.m->model[0], VTDPI_GSTS_REG) & VTDPI_GSTS_IRES) {
        for (unsigned int i = 0; i < w.handed.irqs; i++)
            send(i);
    }
}

/* What is in PIR is what was posted, and the other way round. */
static void assert_all_there(void)
{
    for (unsigned int v = 0; v < VCPUS; v++) {
        for (unsigned int vector = 0; vector < 256; vector++)
            assert_int_equal(pid_of(v)->pir[vector / 64] >> vector % 64 & 1,
                             w.posted[v][vector]);
    }
}

static void harvest(unsigned int vcpu)
{
    uint64_t pir[VTDPI_PIR_WORDS];

    (void)vtdpi_pid_harvest(pid_of(vcpu), pir);
    for (unsigned int vector = 0; vector < 256; vector++) {
        assert_int_equal(pir[vector / 64] >> vector % 64 & 1,
                         w.posted[vcpu][vector]);
        w.taken += w.posted[vcpu][vector];
        w.posted[vcpu][vector] = false;
    }
}

/*
 * Steps.
 */

static void step(void)
{
    send_all();
    if (w.may_end && w.steps++ == w.end_at)
        longjmp(w.end, 1);
}

static uint32_t step_read32(void *ctx, uint32_t off)
{
    step();
    return vtdpi_model_platform_ops.read32(ctx, off);
}

static uint64_t step_read64(void *ctx, uint32_t off)
{
    step();
    return vtdpi_model_platform_ops.read64(ctx, off);
}

static void step_write32(void *ctx, uint32_t off, uint32_t value)
{
    step();
    vtdpi_model_platform_ops.write32(ctx, off, value);
}

static void step_write64(void *ctx, uint32_t off, uint64_t value)
{
    step();
    vtdpi_model_platform_ops.write64(ctx, off, value);
}

static void step_clean(void *ctx, const void *p, size_t n)
{
    step();
    vtdpi_model_platform_ops.clean(ctx, p, n);
}

/* Which kernel holds the lock is memory that is gone: not the model's business. */
static uintptr_t step_lock(void *ctx)
{
    (void)ctx;
    step();
    return 1;
}

static void step_unlock(void *ctx, uintptr_t token)
{
    (void)ctx;
    (void)token;
}

static void drop_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

static void drop_wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
}

/*
 * What both kernels do.
 */

static struct kernel *kernel_new(void)
{
    struct kernel *k = test_calloc(1, sizeof(*k));

    k->ops = vtdpi_model_platform_ops;
    k->ops.read32 = step_read32;
    k->ops.read64 = step_read64;
    k->ops.write32 = step_write32;
    k->ops.write64 = step_write64;
    k->ops.clean = step_clean;
    k->ops.lock = step_lock;
    k->ops.unlock = step_unlock;
    k->ops.send_ipi = drop_ipi;
    k->ops.wake = drop_wake;
    return k;
}

static void sched_up(struct kernel *k)
{
    const struct vtdpi_sched_params params = {
        .ops = &k->ops,
        .pages = &k->page_slot,
        .max_pages = 1,
        .pcpus = &k->pcpu_slot,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    assert_int_equal(vtdpi_sched_init(&k->sched, &params), 0);
    assert_int_equal(
        vtdpi_pcpu_init(&k->sched, &k->pcpu, 0, HOST_APIC_ID, k->bitmap), 0);
    vtdpi_pcpu_online(&k->pcpu);
}

static void table_up(struct kernel *k, bool adopt)
{
    const struct vtdpi_table_params params = {
        .entries = w.m->entries,
        .phys = TABLE_PHYS,
        .count = ENTRIES,
        .storage = k->storage,
        .storage_size = vtdpi_table_storage_size(ENTRIES),
        .mode = VTDPI_X2APIC,
        .haw = 46,
        .adopt = adopt,
    };

    assert_true(params.storage_size <= sizeof(k->storage));
    assert_int_equal(vtdpi_table_init(&k->table, &params), 0);
}

/* The queue of kernel @p n has memory of its own. */
static void unit_up(struct kernel *k, unsigned int n, bool adopt)
{
    const struct vtdpi_unit_config config = {
        .adopt = adopt,
        .take_over = adopt,
        .qi =
            {
                .ring = w.m->extra + (QUEUE_PHYS(n) - MACHINE_EXTRA_PHYS),
                .ring_phys = QUEUE_PHYS(n),
                .status =
                    (uint32_t *)(void *)(w.m->extra +
                                         (STATUS_PHYS(n) - MACHINE_EXTRA_PHYS)),
                .status_phys = STATUS_PHYS(n),
                .submitters = 1,
            },
    };

    assert_int_equal(
        vtdpi_unit_probe(&k->unit, &k->ops, &w.m->model[0], MACHINE_WINDOW), 0);
    assert_int_equal(vtdpi_table_add_unit(&k->table, &k->link, &k->unit), 0);
    assert_int_equal(vtdpi_unit_enable(&k->unit, &config), 0);
}

static void run_and_harvest(struct kernel *k, unsigned int vcpu)
{
    vtdpi_vcpu_run(&k->vcpu[vcpu], &k->pcpu);
    step();
    harvest(vcpu);
    step();
    vtdpi_vcpu_preempt(&k->vcpu[vcpu]);
    step();
}

/*
 * The first kernel.
 */

static void first_irq(struct kernel *k, unsigned int i)
{
    const struct vtdpi_irte_remapped host =
        fields_remapped((uint8_t)(HOST_VECTOR + i));
    uint32_t index;

    assert_int_equal(vtdpi_table_alloc(&k->table, 1, NULL, &index), 0);
    assert_int_equal(vtdpi_irq_init(&k->irq[i], vtdpi_table_backend(&k->table),
                                    index, &source, NULL),
                     0);
    assert_int_equal(vtdpi_irq_set_host(&k->irq[i], &host), 0);
    w.handed.index[i] = index;
    w.handed.irqs = i + 1;
}

/* Up to here nothing is handed over yet. */
static void first_up(struct kernel *k)
{
    sched_up(k);
    assert_int_equal(
        vtdpi_sched_add_page(&k->sched, 0, &k->page, w.m->pids, PIDS_PHYS), 0);
    table_up(k, false);
    unit_up(k, 0, false);
    for (unsigned int v = 0; v < VCPUS; v++) {
        w.handed.slot[v] = FIRST_SLOT + v;
        assert_int_equal(vtdpi_vcpu_attach(&k->sched, &k->vcpu[v],
                                           w.handed.slot[v], &k->vcpu[v]),
                         0);
    }
    for (unsigned int i = 0; i < IRQS; i++)
        first_irq(k, i);
}

static void post(struct kernel *k, unsigned int irq, unsigned int vcpu)
{
    assert_int_equal(
        vtdpi_irq_post(&k->irq[irq], &k->vcpu[vcpu], (uint8_t)(VECTOR + irq)),
        0);
    step();
}

static void first_works(struct kernel *k)
{
    for (unsigned int i = 0; i < IRQS; i++)
        post(k, i, i);
    run_and_harvest(k, 0);
    vtdpi_vcpu_run(&k->vcpu[1], &k->pcpu);
    step();
    post(k, 0, 1);
    assert_int_equal(vtdpi_irq_unpost(&k->irq[2]), 0);
    step();
    harvest(1);
    /* There is something for it, posted before. */
    assert_int_equal(vtdpi_vcpu_block(&k->vcpu[2], &k->pcpu),
                     VTDPI_BLOCK_PENDING);
    step();
    harvest(2);
    if (vtdpi_vcpu_block(&k->vcpu[2], &k->pcpu) == VTDPI_BLOCKED)
        step();
    post(k, 2, 0);
    vtdpi_vcpu_preempt(&k->vcpu[1]);
    step();
}

/*
 * The second kernel.
 */

static struct vtdpi_vcpu *vcpu_of_entry(struct kernel *k,
                                        const struct vtdpi_irte *live)
{
    struct vtdpi_irte_posted fields;

    if (vtdpi_irte_decode_posted(live, &fields) != 0)
        return NULL;
    for (unsigned int v = 0; v < VCPUS; v++) {
        if (vtdpi_vcpu_pda(&k->vcpu[v]) == fields.pda)
            return &k->vcpu[v];
    }
    fail_msg("the entry names no vCPU");
    return NULL;
}

static void adopt_irq(struct kernel *k, unsigned int i)
{
    const struct vtdpi_irte_remapped host =
        fields_remapped((uint8_t)(HOST_VECTOR + i));
    const struct vtdpi_backend *backend = vtdpi_table_backend(&k->table);
    const struct vtdpi_irte live = w.m->entries[w.handed.index[i]];

    if (vtdpi_irte_is_posted(&live))
        assert_int_equal(vtdpi_irq_adopt(&k->irq[i], backend, w.handed.index[i],
                                         &source, &live,
                                         vcpu_of_entry(k, &live)),
                         0);
    else
        assert_int_equal(vtdpi_irq_init(&k->irq[i], backend, w.handed.index[i],
                                        &source, &live),
                         0);
    assert_int_equal(vtdpi_irq_set_host(&k->irq[i], &host), 0);
}

static void release_the_rest(struct kernel *k)
{
    for (uint32_t slot = 0; slot < VTDPI_PAGE_SLOTS; slot++) {
        if (slot < FIRST_SLOT || slot >= FIRST_SLOT + VCPUS)
            assert_int_equal(vtdpi_sched_release_slot(&k->sched, slot), 0);
    }
}

static void second_up(struct kernel *k)
{
    sched_up(k);
    assert_int_equal(
        vtdpi_sched_adopt_page(&k->sched, 0, &k->page, w.m->pids, PIDS_PHYS),
        0);
    step();
    assert_all_there();
    table_up(k, true);
    unit_up(k, 1, true);
    /* The queue goes off for a moment while the unit remaps: so interrupts go on. */
    assert_in_range(vtdpi_model_violations(&w.m->model[0]), 0, 1);
    if (vtdpi_model_violations(&w.m->model[0]) == 1)
        assert_int_equal(vtdpi_model_first_violation(&w.m->model[0]).kind,
                         VTDPI_MODEL_COMMAND_ORDER);
    vtdpi_model_clear_violations(&w.m->model[0]);
    assert_int_equal(vtdpi_table_flush_all(&k->table), 0);
    for (unsigned int v = 0; v < VCPUS; v++) {
        assert_int_equal(vtdpi_vcpu_adopt(&k->sched, &k->vcpu[v],
                                          w.handed.slot[v], &k->vcpu[v]),
                         0);
        step();
    }
    for (unsigned int i = 0; i < IRQS; i++)
        adopt_irq(k, i);
    release_the_rest(k);
    assert_all_there();
}

/* Every vCPU is woken once, and harvests; then life goes on. */
static void second_works(struct kernel *k)
{
    for (unsigned int v = 0; v < VCPUS; v++)
        run_and_harvest(k, v);
    for (unsigned int i = 0; i < IRQS; i++)
        post(k, i, (i + 1) % VCPUS);
    for (unsigned int v = 0; v < VCPUS; v++)
        run_and_harvest(k, v);
}

static void second_ends(struct kernel *k)
{
    w.handed.irqs = 0; /* the devices are quiet */
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_irq_teardown(&k->irq[i]), 0);
    for (unsigned int v = 0; v < VCPUS; v++) {
        harvest(v);
        assert_int_equal(vtdpi_vcpu_detach(&k->vcpu[v]), 0);
    }
    vtdpi_pcpu_offline(&k->pcpu);
    assert_int_equal(vtdpi_unit_disable(&k->unit), 0);
    assert_int_equal(vtdpi_pcpu_fini(&k->pcpu), 0);
    assert_int_equal(vtdpi_sched_fini(&k->sched), 0);
}

/*
 * One run.
 */

static void begin(unsigned int end_at, uint64_t ecap)
{
    const struct machine_params params = {
        .units = 1,
        .entries = ENTRIES,
        .submitters = 1,
        .extra = EXTRA_PAGES * QUEUE_BYTES,
        .model = {{.cap = MACHINE_CAP, .ecap = ecap, .allow_unlocked = true}},
    };

    memset(&w, 0, sizeof(w));
    w.end_at = end_at;
    w.m = machine_power_up(&params);
}

/* What the first kernel had for itself, and the queue after its unit was taken over. */
static void assert_untouched(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes[i], DEAD);
}

static void take_over(struct kernel *first)
{
    struct kernel *const second = kernel_new();

    memset(first, DEAD, sizeof(*first));
    second_up(second);
    memset(w.m->extra, DEAD, 2 * QUEUE_BYTES);
    second_works(second);
    second_ends(second);
    assert_untouched((const uint8_t *)first, sizeof(*first));
    assert_untouched(w.m->extra, 2 * QUEUE_BYTES);
    test_free(second);
}

/* True: the first kernel came to that step. */
static bool end_and_take_over(unsigned int at, uint64_t ecap)
{
    struct kernel *volatile first;
    volatile bool ended = true;

    begin(at, ecap);
    first = kernel_new();
    first_up(first);
    if (setjmp(w.end) == 0) {
        w.may_end = true;
        first_works(first);
        ended = false; /* by itself: it has preempted its vCPUs */
    }
    w.may_end = false;
    assert_all_there();
    take_over(first);
    assert_true(w.taken > 0);
    assert_int_equal(vtdpi_model_first_violation(&w.m->model[0]).kind,
                     VTDPI_MODEL_OK);
    test_free(first);
    machine_free(w.m);
    return ended;
}

static void end_before_any_step(uint64_t ecap)
{
    unsigned int at = 0;

    while (end_and_take_over(at, ecap))
        at++;
    print_message("ended before each of %u steps\n", at);
    assert_true(at >= STEPS_MIN);
}

static void test_kernel_ends_before_any_step(void **state)
{
    (void)state;
    end_before_any_step(MACHINE_ECAP);
}

/* An entry may be stored and not cleaned when the kernel ends. */
static void test_kernel_of_a_unit_that_does_not_snoop_ends(void **state)
{
    (void)state;
    end_before_any_step(MACHINE_ECAP2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_ends_before_any_step),
        cmocka_unit_test(test_kernel_of_a_unit_that_does_not_snoop_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
