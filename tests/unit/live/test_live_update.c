/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel ends before any of its steps, and another takes over what was handed over:
 * the table, the PID page, the queues' memory until the unit is ours, and a list of
 * slots and indexes. The second kernel may end in the middle of that, and a third one
 * takes over what it finds. Devices send at every step of all of them. All other memory
 * of a kernel that has ended is overwritten, and must stay as it is afterwards.
 *
 * A step is a callback of the platform, or an atomic access that may change what is
 * handed over: between two of them the kernel changes at most one word that others see.
 *
 * Every vector that a unit has posted is in a PIR until a kernel harvests that PIR; and
 * none is harvested that was not posted.
 */
#include "test.h"

#include <limits.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_hook.h"
#include "machine.h"
#include "vtdpi/vtdpi.h"

enum {
    KERNELS = 3,
    VCPUS = 3,
    IRQS = 3,
    ENTRIES = 16,
    STORAGE = 4096,
    QUEUE_BYTES = 4096,
    HOST_VECTOR = 0x50, /* of interrupt 0 and the first kernel */
    HOST_VECTORS = 0x10,
    VECTOR = 0x91, /* of interrupt 0, for the guest */
    ANV = 0xf2,
    WNV = 0xf1,
    DEAD = 0x5a,
    FIRST_SLOT = 5,
    /* Steps of a kernel: fewer would mean that nothing ran. */
    WORK_STEPS_MIN = 60,
    TAKE_OVER_STEPS_MIN = 150, /* and then works */
    /* Every end of the second is tried with each so many-th end of the first. */
    FIRST_STRIDE = 9,
};

#define NEVER          UINT_MAX

/* Ring and status words of kernel n. */
#define QUEUE_PHYS(n)  (MACHINE_EXTRA_PHYS + (n)*2 * UINT64_C(4096))
#define STATUS_PHYS(n) (QUEUE_PHYS(n) + 4096)

/* A slot that no vCPU has: what its PID holds is nobody's to change, but NV and SN. */
#define OTHER_PIR      UINT64_C(0x0123456789abcdef)
#define OTHER_CONTROL \
    (VTDPI_PID_ON | VTDPI_FIELD_PUT(WNV, VTDPI_PID_NV) | UINT64_C(0x77) << 32)

/* All that a kernel has for itself. */
struct kernel {
    unsigned int number;
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

/* What the first kernel tells the others, besides memory. */
struct handover {
    uint32_t slot[VCPUS];
    uint32_t index[IRQS];
    uint32_t irqs; /* that were set up */
};

static struct world {
    struct machine *m;
    struct kernel *k[KERNELS];
    unsigned int now; /* the kernel that runs */
    struct handover handed;
    unsigned int host_of[IRQS]; /* the kernel whose host form it is, or later */
    bool posted[VCPUS][256];    /* and not harvested */
    unsigned int dead_queues;   /* their memory is not handed over any more */
    bool may_end;               /* the kernel that runs */
    unsigned int end_at[KERNELS]; /* before which of its steps */
    unsigned int steps[KERNELS];  /* that it has done */
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

static uint8_t host_vector(unsigned int kernel, unsigned int irq)
{
    return (uint8_t)(HOST_VECTOR + kernel * HOST_VECTORS + irq);
}

/* Whatever the table says, an interrupt is posted to a vCPU that was handed over, or
 * goes to the host. After vtdpi_irq_set_host() of a kernel it does not go to an earlier
 * kernel any more. Once it was set up it is never blocked. Returns the entry by which
 * the interrupt was delivered. */
static struct vtdpi_irte send(unsigned int irq)
{
    const struct vtdpi_model_result r =
        machine_send(w.m, 0, w.handed.index[irq]);
    const struct vtdpi_irte entry = {r.irte[0], r.irte[1]};
    uint64_t vcpu;

    if (r.outcome != VTDPI_MODEL_POSTED) {
        assert_int_equal(r.outcome, VTDPI_MODEL_REMAPPED);
        assert_int_equal(r.vector % HOST_VECTORS, irq);
        assert_in_range(r.vector, host_vector(w.host_of[irq], irq),
                        host_vector(w.now, irq));
        return entry;
    }
    vcpu = (r.pda - PIDS_PHYS) / sizeof(struct vtdpi_pid) - FIRST_SLOT;
    assert_in_range(vcpu, 0, VCPUS - 1);
    assert_int_equal(r.vector, VECTOR + irq);
    w.posted[vcpu][r.vector] = true;
    return entry;
}

static void send_all(void)
{
    for (unsigned int i = 0; i < w.handed.irqs; i++)
        (void)send(i);
}

/* No change is under way: a unit that has another entry than the table was not told, or
 * does not see what is in the processor's cache. */
static void assert_unit_has_the_entries(void)
{
    for (unsigned int i = 0; i < IRQS; i++) {
        const struct vtdpi_irte entry = send(i);
        const struct vtdpi_irte *live = &w.m->entries[w.handed.index[i]];

        assert_int_equal(entry.lo, live->lo);
        assert_int_equal(entry.hi, live->hi);
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

    /* One step: a vector that was taken is the guest's, also if the kernel ends. */
    hook.inside = true;
    (void)vtdpi_pid_harvest(pid_of(vcpu), pir);
    hook.inside = false;
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
    if (w.may_end && w.steps[w.now]++ == w.end_at[w.now])
        longjmp(w.end, 1);
}

static bool is_within(const void *p, const void *base, size_t size)
{
    return (uintptr_t)p - (uintptr_t)base < size;
}

/*
 * What a kernel does in memory of its own is no step: nothing of that is handed over,
 * and no unit sees it. A load is a step of the devices only. A plain store into a PID
 * would lose what a unit posts beside it.
 */
static void before_access(void *ctx, enum hook_kind kind, const void *addr)
{
    (void)ctx;
    if (is_within(addr, w.k[w.now], sizeof(struct kernel)))
        return;
    if (kind == HOOK_STORE && w.handed.irqs != 0)
        assert_false(
            is_within(addr, pid_of(0), VCPUS * sizeof(struct vtdpi_pid)));
    if (kind == HOOK_LOAD)
        send_all();
    else
        step();
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

static struct kernel *kernel_new(unsigned int number)
{
    struct kernel *k = test_calloc(1, sizeof(*k));

    k->number = number;
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
        .anv = ANV,
        .wnv = {WNV},
    };

    assert_int_equal(vtdpi_sched_init(&k->sched, &params), 0);
    assert_int_equal(
        vtdpi_pcpu_init(&k->sched, &k->pcpu, 0, HOST_APIC_ID, k->bitmap), 0);
    vtdpi_pcpu_online(&k->pcpu);
}

static void table_up(struct kernel *k)
{
    const struct vtdpi_table_params params = {
        .entries = w.m->entries,
        .phys = TABLE_PHYS,
        .count = ENTRIES,
        .storage = k->storage,
        .storage_size = vtdpi_table_storage_size(ENTRIES),
        .mode = VTDPI_X2APIC,
        .haw = 46,
        .adopt = k->number != 0,
    };

    assert_true(params.storage_size <= sizeof(k->storage));
    assert_int_equal(vtdpi_table_init(&k->table, &params), 0);
}

/* Each kernel's queue has memory of its own. Those of before are free afterwards. */
static void unit_up(struct kernel *k)
{
    const unsigned int n = k->number;
    const struct vtdpi_unit_config config = {
        .adopt = n != 0,
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
    w.dead_queues = n;
    memset(w.m->extra, DEAD, QUEUE_PHYS(n) - MACHINE_EXTRA_PHYS);
}

static void set_host(struct kernel *k, unsigned int i)
{
    const struct vtdpi_irte_remapped host =
        fields_remapped(host_vector(k->number, i));

    assert_int_equal(vtdpi_irq_set_host(&k->irq[i], &host), 0);
    w.host_of[i] = k->number;
}

static void run_and_harvest(struct kernel *k, unsigned int vcpu)
{
    vtdpi_vcpu_run(&k->vcpu[vcpu], &k->pcpu);
    harvest(vcpu);
    vtdpi_vcpu_preempt(&k->vcpu[vcpu]);
}

static void post(struct kernel *k, unsigned int irq, unsigned int vcpu)
{
    assert_int_equal(
        vtdpi_irq_post(&k->irq[irq], &k->vcpu[vcpu], (uint8_t)(VECTOR + irq)),
        0);
}

/* Every vCPU is woken once, and harvests; then life goes on. The last thing that a
 * kernel does is to preempt all. */
static void kernel_works(struct kernel *k)
{
    const unsigned int a = k->number % VCPUS;
    const unsigned int b = (a + 1) % VCPUS;
    const unsigned int c = (a + 2) % VCPUS;

    for (unsigned int v = 0; v < VCPUS; v++)
        run_and_harvest(k, v);
    for (unsigned int i = 0; i < IRQS; i++)
        post(k, i, (a + i) % VCPUS);
    run_and_harvest(k, a);
    vtdpi_vcpu_run(&k->vcpu[b], &k->pcpu);
    post(k, 0, b);
    assert_int_equal(vtdpi_irq_unpost(&k->irq[2]), 0);
    harvest(b);
    /* There is something for it, posted before. */
    assert_int_equal(vtdpi_vcpu_block(&k->vcpu[c], &k->pcpu),
                     VTDPI_BLOCK_PENDING);
    harvest(c);
    if (vtdpi_vcpu_block(&k->vcpu[c], &k->pcpu) == VTDPI_BLOCKED)
        step();
    post(k, 2, a);
    for (unsigned int v = 0; v < VCPUS; v++)
        vtdpi_vcpu_preempt(&k->vcpu[v]);
    assert_unit_has_the_entries();
}

/*
 * The first kernel.
 */

static void first_irq(struct kernel *k, unsigned int i)
{
    uint32_t index;

    assert_int_equal(vtdpi_table_alloc(&k->table, 1, NULL, &index), 0);
    assert_int_equal(vtdpi_irq_init(&k->irq[i], vtdpi_table_backend(&k->table),
                                    index, &source, NULL),
                     0);
    set_host(k, i);
    w.handed.index[i] = index;
    w.handed.irqs = i + 1;
}

static bool is_handed_over(uint32_t slot)
{
    return slot >= FIRST_SLOT && slot < FIRST_SLOT + VCPUS;
}

/* What the vCPUs of before have left in the slots that are free now. */
static void fill_other_pids(void)
{
    for (uint32_t slot = 0; slot < VTDPI_PAGE_SLOTS; slot++) {
        struct vtdpi_pid *const pid = &w.m->pids[slot];

        if (is_handed_over(slot))
            continue;
        for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
            pid->pir[i] = OTHER_PIR;
        pid->control = OTHER_CONTROL;
    }
}

static void assert_other_pids(uint64_t control)
{
    for (uint32_t slot = 0; slot < VTDPI_PAGE_SLOTS; slot++) {
        const struct vtdpi_pid *const pid = &w.m->pids[slot];

        if (is_handed_over(slot))
            continue;
        for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
            assert_int_equal(pid->pir[i], OTHER_PIR);
        assert_int_equal(pid->control, control);
    }
}

/* Up to here nothing is handed over yet. */
static void first_up(struct kernel *k)
{
    sched_up(k);
    assert_int_equal(
        vtdpi_sched_add_page(&k->sched, 0, &k->page, w.m->pids, PIDS_PHYS), 0);
    fill_other_pids();
    table_up(k);
    unit_up(k);
    for (unsigned int v = 0; v < VCPUS; v++) {
        w.handed.slot[v] = FIRST_SLOT + v;
        assert_int_equal(vtdpi_vcpu_attach(&k->sched, &k->vcpu[v],
                                           w.handed.slot[v], &k->vcpu[v]),
                         0);
    }
    for (unsigned int i = 0; i < IRQS; i++)
        first_irq(k, i);
}

/*
 * The kernels after that one.
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
    set_host(k, i);
}

static void release_the_rest(struct kernel *k)
{
    for (uint32_t slot = 0; slot < VTDPI_PAGE_SLOTS; slot++) {
        if (!is_handed_over(slot))
            assert_int_equal(vtdpi_sched_release_slot(&k->sched, slot), 0);
    }
}

/* The queue goes off for a moment while the unit remaps: so interrupts go on. That
 * happens once for each kernel that takes over, and nothing else is wrong. */
static void check_violations(void)
{
    const uint64_t count = vtdpi_model_violations(&w.m->model[0]);

    assert_in_range(count, 0, 1);
    if (count == 1)
        assert_int_equal(vtdpi_model_first_violation(&w.m->model[0]).kind,
                         VTDPI_MODEL_COMMAND_ORDER);
    vtdpi_model_clear_violations(&w.m->model[0]);
}

static void take_over(struct kernel *k)
{
    sched_up(k);
    assert_int_equal(
        vtdpi_sched_adopt_page(&k->sched, 0, &k->page, w.m->pids, PIDS_PHYS),
        0);
    step();
    assert_all_there();
    assert_other_pids((OTHER_CONTROL & ~VTDPI_PID_NV) |
                      VTDPI_FIELD_PUT(ANV, VTDPI_PID_NV) | VTDPI_PID_SN);
    table_up(k);
    unit_up(k);
    assert_int_equal(vtdpi_table_flush_all(&k->table), 0);
    assert_unit_has_the_entries();
    check_violations();
    for (unsigned int v = 0; v < VCPUS; v++)
        assert_int_equal(vtdpi_vcpu_adopt(&k->sched, &k->vcpu[v],
                                          w.handed.slot[v], &k->vcpu[v]),
                         0);
    for (unsigned int i = 0; i < IRQS; i++)
        adopt_irq(k, i);
    release_the_rest(k);
    assert_all_there();
}

static void last_ends(struct kernel *k)
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

static void begin(uint64_t ecap)
{
    const struct machine_params params = {
        .units = 1,
        .entries = ENTRIES,
        .submitters = 1,
        .extra = KERNELS * 2 * QUEUE_BYTES,
        .model = {{.cap = MACHINE_CAP, .ecap = ecap, .allow_unlocked = true}},
    };

    memset(&w, 0, sizeof(w));
    w.m = machine_power_up(&params);
    hook_reset();
    hook.before = before_access;
}

static void assert_untouched(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes[i], DEAD);
}

/* What kernels had for themselves, and queues after the unit was taken over. */
static void assert_dead_untouched(void)
{
    for (unsigned int n = 0; n < w.now; n++)
        assert_untouched((const uint8_t *)w.k[n], sizeof(*w.k[n]));
    assert_untouched(w.m->extra,
                     QUEUE_PHYS(w.dead_queues) - MACHINE_EXTRA_PHYS);
}

/* Runs until the kernel ends, by itself or before a step. */
static void live(unsigned int number, unsigned int end_at)
{
    w.now = number;
    w.end_at[number] = end_at;
    w.k[number] = kernel_new(number);
    if (number == 0)
        first_up(w.k[0]);
    if (setjmp(w.end) == 0) {
        w.may_end = true;
        if (w.now != 0)
            take_over(w.k[w.now]);
        kernel_works(w.k[w.now]);
    }
    hook.inside = false; /* it may have ended there */
    w.may_end = false;
    check_violations();
    assert_all_there();
    assert_dead_untouched();
}

static void die(void)
{
    memset(w.k[w.now], DEAD, sizeof(*w.k[w.now]));
}

static void finish(void)
{
    last_ends(w.k[w.now]);
    assert_dead_untouched();
    assert_true(w.taken > 0);
    assert_int_equal(vtdpi_model_first_violation(&w.m->model[0]).kind,
                     VTDPI_MODEL_OK);
    hook_reset();
    for (unsigned int n = 0; n <= w.now; n++)
        test_free(w.k[n]);
    machine_free(w.m);
}

/* True: the first kernel came to that step. */
static bool first_ends(unsigned int at, uint64_t ecap)
{
    begin(ecap);
    live(0, at);
    die();
    live(1, NEVER);
    finish();
    return w.steps[0] > at;
}

static bool first_and_second_end(unsigned int first, unsigned int second,
                                 uint64_t ecap)
{
    begin(ecap);
    live(0, first);
    die();
    live(1, second);
    die();
    live(2, NEVER);
    finish();
    return w.steps[1] > second;
}

/* How many ends the second kernel had. */
static unsigned int second_ends_before_any_step(unsigned int first,
                                                uint64_t ecap)
{
    unsigned int at = 0;

    while (first_and_second_end(first, at, ecap))
        at++;
    assert_true(at >= TAKE_OVER_STEPS_MIN);
    return at;
}

static void kernels_end(uint64_t ecap)
{
    unsigned int runs = 0;
    unsigned int at = 0;

    for (; first_ends(at, ecap); at++) {
        if (at % FIRST_STRIDE == 0)
            runs += second_ends_before_any_step(at, ecap);
    }
    assert_true(at >= WORK_STEPS_MIN);
    runs += second_ends_before_any_step(NEVER, ecap);
    print_message("the first of two kernels ended before each of %u steps, "
                  "the second of three in %u runs\n",
                  at, runs);
}

static void test_kernels_end_before_any_step(void **state)
{
    (void)state;
    kernels_end(MACHINE_ECAP);
}

/* An entry may be stored and not cleaned when a kernel ends. */
static void test_kernels_of_a_unit_that_does_not_snoop_end(void **state)
{
    (void)state;
    kernels_end(MACHINE_ECAP2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels_end_before_any_step),
        cmocka_unit_test(test_kernels_of_a_unit_that_does_not_snoop_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
