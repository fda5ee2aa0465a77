/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostmsi.h under irq.h and table.h, on a modelled unit: what devices of the host get
 * through the descriptors of two pCPUs, and how many notifications that takes.
 */
#include "test.h"

#include <string.h>

#include "machine_fixture.h"
#include "vtdpi/hostmsi.h"

enum {
    NV = 0xeb,
    PCPUS = 2,
    IRQS = 64,
    GUEST_VECTOR = 0x61,
    UNIT = 0
};

struct fixture {
    struct machine *m;
    struct vtdpi_hostmsi *h; /* of each pCPU, in the machine's memory */
    struct vtdpi_irq irq[IRQS + 1];
    unsigned int handled[PCPUS][256];
};

struct cpu {
    struct fixture *f;
    unsigned int number;
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

static uint32_t apic_id_of(unsigned int cpu)
{
    return 0x200 + cpu;
}

static void cpu_up(struct fixture *f, unsigned int cpu)
{
    assert_int_equal(
        vtdpi_hostmsi_init(&f->h[cpu],
                           MACHINE_EXTRA_PHYS + cpu * sizeof f->h[cpu],
                           VTDPI_X2APIC, apic_id_of(cpu), NV),
        0);
    vtdpi_hostmsi_online(&f->h[cpu]);
}

static void irq_up(struct fixture *f, unsigned int i)
{
    struct machine *const m = f->m;

    assert_int_equal(vtdpi_irq_init(&f->irq[i], vtdpi_table_backend(&m->table),
                                    machine_index(m), &source, NULL),
                     0);
}

static int setup(void **state)
{
    static struct fixture f;
    const struct machine_params params = {
        .units = 1,
        .entries = ENTRIES,
        .submitters = 4,
        .vcpus = MACHINE_VCPUS,
        .clock_step = 1000,
        .extra = 4096,
        .model = {{.cap = MACHINE_CAP, .ecap = MACHINE_ECAP}},
    };

    memset(&f, 0, sizeof f);
    f.m = machine_power_up(&params);
    f.h = (void *)f.m->extra;
    machine_add(f.m, UNIT);
    machine_enable(f.m, UNIT);
    for (unsigned int cpu = 0; cpu < PCPUS; cpu++)
        cpu_up(&f, cpu);
    for (unsigned int i = 0; i < IRQS; i++)
        irq_up(&f, i);
    *state = &f;
    return 0;
}

/* Nothing is left that names a descriptor. */
static int teardown(void **state)
{
    struct fixture *const f = *state;
    uint64_t set[VTDPI_PIR_WORDS];

    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(vtdpi_irq_teardown(&f->irq[i]), 0);
    for (unsigned int cpu = 0; cpu < PCPUS; cpu++) {
        const int rc = vtdpi_hostmsi_offline(&f->h[cpu], set);

        assert_true(rc == 0 || rc == VTDPI_ECLOSED);
    }
    assert_int_equal(vtdpi_model_first_violation(&f->m->model[UNIT]).kind,
                     VTDPI_MODEL_OK);
    machine_free(f->m);
    return 0;
}

static uint8_t vector_of(unsigned int irq)
{
    return (uint8_t)(0x30 + 3 * irq);
}

static void set_host(struct fixture *f, unsigned int irq, unsigned int cpu)
{
    assert_int_equal(vtdpi_irq_set_host_posted(&f->irq[irq],
                                               vtdpi_hostmsi_target(&f->h[cpu]),
                                               vector_of(irq)),
                     0);
    assert_int_equal(vtdpi_irq_flush(&f->irq[irq]), 0);
}

static struct vtdpi_model_result raise(struct fixture *f, unsigned int irq)
{
    return machine_raise(f->m, UNIT, vtdpi_irq_index(&f->irq[irq]));
}

static void handle(void *ctx, uint8_t vector)
{
    const struct cpu *const cpu = ctx;

    cpu->f->handled[cpu->number][vector]++;
}

/* The pCPU takes every notification that waits for it: how many those are. */
static unsigned int take(struct fixture *f, unsigned int cpu)
{
    struct vtdpi_model *const model = &f->m->model[UNIT];
    struct cpu ctx = {f, cpu};
    struct vtdpi_model_notification n;
    unsigned int taken = 0;

    while (vtdpi_model_take_notification(model, 0, &n)) {
        assert_int_equal(n.nv, NV);
        assert_int_equal(n.apic_id, apic_id_of(cpu));
        (void)vtdpi_hostmsi_handle(&f->h[cpu], VTDPI_HOSTMSI_LOOKS, handle,
                                   &ctx);
        taken++;
    }
    return taken;
}

static void last_harvest(struct fixture *f, unsigned int cpu)
{
    struct cpu ctx = {f, cpu};
    uint64_t set[VTDPI_PIR_WORDS];

    if (vtdpi_hostmsi_harvest(&f->h[cpu], set))
        (void)vtdpi_hostmsi_dispatch(set, handle, &ctx);
}

/* Of interrupt 0, to the first pCPU. Nothing lands by itself: only a drain waits. */
static void raise_late(struct fixture *f)
{
    vtdpi_model_set_fault(&f->m->model[UNIT], VTDPI_MODEL_FAULT_POST_LATE, 0);
    assert_int_equal(raise(f, 0).outcome, VTDPI_MODEL_IN_FLIGHT);
    assert_false(vtdpi_hostmsi_pending(&f->h[0], vector_of(0)));
}

/* Where the entry pointed to when it was sent. Looked at before the fault is cleared,
 * which would have the post land. */
static void assert_late_post_has_landed(struct fixture *f)
{
    assert_int_equal(vtdpi_model_in_flight(&f->m->model[UNIT]), 0);
    assert_true(vtdpi_hostmsi_pending(&f->h[0], vector_of(0)));
    vtdpi_model_clear_fault(&f->m->model[UNIT], VTDPI_MODEL_FAULT_POST_LATE);
}

static void test_burst_costs_one_notification(void **state)
{
    struct fixture *const f = *state;

    for (unsigned int i = 0; i < IRQS; i++)
        set_host(f, i, 0);
    for (unsigned int i = 0; i < IRQS; i++) {
        const struct vtdpi_model_result r = raise(f, i);

        assert_int_equal(r.outcome, VTDPI_MODEL_POSTED);
        assert_int_equal(r.pda, MACHINE_EXTRA_PHYS);
        assert_int_equal(r.notified, i == 0);
    }
    assert_int_equal(take(f, 0), 1);
    for (unsigned int i = 0; i < IRQS; i++)
        assert_int_equal(f->handled[0][vector_of(i)], 1);
    assert_true(raise(f, 5).notified);
    assert_int_equal(take(f, 0), 1);
    assert_int_equal(f->handled[0][vector_of(5)], 2);
}

static void test_move_leaves_nothing_on_the_old_pcpu(void **state)
{
    struct fixture *const f = *state;

    set_host(f, 0, 0);
    raise_late(f);
    set_host(f, 0, 1);
    assert_late_post_has_landed(f);
    last_harvest(f, 0);
    assert_int_equal(f->handled[0][vector_of(0)], 1);
    assert_int_equal(take(f, 0), 1); /* and finds nothing */
    assert_int_equal(f->handled[0][vector_of(0)], 1);
    assert_int_equal(raise(f, 0).pda, MACHINE_EXTRA_PHYS + sizeof f->h[0]);
    assert_int_equal(take(f, 1), 1);
    assert_int_equal(f->handled[1][vector_of(0)], 1);
    assert_false(vtdpi_hostmsi_pending(&f->h[0], vector_of(0)));
}

static void test_guest_form_lies_over_it_and_goes(void **state)
{
    struct fixture *const f = *state;
    struct vtdpi_vcpu *const v = &f->m->vcpu[0];
    uint64_t set[VTDPI_PIR_WORDS];

    set_host(f, 0, 0);
    assert_true(raise(f, 0).notified);
    assert_int_equal(vtdpi_irq_post(&f->irq[0], v, GUEST_VECTOR), 0);
    assert_posted(f->m, UNIT, vtdpi_irq_index(&f->irq[0]), 0, GUEST_VECTOR);
    assert_int_equal(take(f, 0), 1);
    assert_int_equal(f->handled[0][vector_of(0)], 1);

    /* Stored only, and still enough to keep the pCPU's descriptor. */
    set_host(f, 0, 1);
    assert_posted(f->m, UNIT, vtdpi_irq_index(&f->irq[0]), 0, GUEST_VECTOR);
    assert_int_equal(vtdpi_hostmsi_offline(&f->h[0], set), 0);
    assert_int_equal(vtdpi_hostmsi_offline(&f->h[1], set), VTDPI_EBUSY);

    assert_int_equal(vtdpi_irq_unpost(&f->irq[0]), 0);
    assert_int_equal(vtdpi_vcpu_detach(v), 0);
    assert_true(raise(f, 0).notified);
    assert_int_equal(take(f, 1), 1);
    assert_int_equal(f->handled[1][vector_of(0)], 1);
}

/* From a remapped form and back to one. */
static void test_remapped_beside_posted(void **state)
{
    struct fixture *const f = *state;
    const struct vtdpi_irte_remapped fields = fields_remapped(0x51);
    const uint32_t index = vtdpi_irq_index(&f->irq[0]);

    assert_int_equal(vtdpi_irq_set_host(&f->irq[0], &fields), 0);
    assert_remapped(f->m, UNIT, index, 0x51);
    set_host(f, 0, 0);
    assert_true(raise(f, 0).notified);
    assert_int_equal(vtdpi_irq_set_host(&f->irq[0], &fields), 0);
    assert_remapped(f->m, UNIT, index, 0x51);
    assert_int_equal(take(f, 0), 1);
    assert_int_equal(f->handled[0][vector_of(0)], 1);
}

/* An interrupt that goes leaves its vector to the next one, after the last harvest. */
static void test_torn_down_leaves_nothing_behind(void **state)
{
    struct fixture *const f = *state;

    set_host(f, 0, 0);
    raise_late(f);
    assert_int_equal(vtdpi_irq_teardown(&f->irq[0]), 0);
    assert_late_post_has_landed(f);
    last_harvest(f, 0);
    assert_int_equal(f->handled[0][vector_of(0)], 1);
    assert_int_equal(take(f, 0), 1); /* and finds nothing */
    assert_int_equal(f->handled[0][vector_of(0)], 1);
    irq_up(f, 0);
}

/* A new kernel finds an entry that posts to a pCPU of the old one. What the unit has
 * begun lands in the old kernel's PID before the new kernel's call returns, and nothing
 * is posted there after that. */
static void test_host_form_of_another_kernel_is_taken_over(void **state)
{
    struct fixture *const f = *state;
    struct vtdpi_irq *const next = &f->irq[IRQS]; /* of the new kernel */
    const uint32_t index = vtdpi_irq_index(&f->irq[0]);
    struct vtdpi_irte found;

    set_host(f, 0, 0);
    assert_int_equal(vtdpi_table_read(&f->m->table, index, &found), 0);
    assert_int_equal(vtdpi_irq_init(next, vtdpi_table_backend(&f->m->table),
                                    index, &source, &found),
                     0);
    raise_late(f);
    assert_int_equal(vtdpi_irq_set_host_posted(
                         next, vtdpi_hostmsi_target(&f->h[1]), vector_of(0)),
                     0);
    assert_late_post_has_landed(f);
    last_harvest(f, 0);
    assert_int_equal(take(f, 0), 1); /* and finds nothing */

    assert_int_equal(raise(f, 0).pda, MACHINE_EXTRA_PHYS + sizeof f->h[0]);
    assert_int_equal(take(f, 1), 1);
    assert_int_equal(f->handled[0][vector_of(0)], 1);
    assert_int_equal(f->handled[1][vector_of(0)], 1);
    assert_int_equal(vtdpi_irq_teardown(next), 0);

    /* Of the old kernel no memory is used. */
    memset(&f->irq[0], 0, sizeof f->irq[0]);
    vtdpi_target_unref(vtdpi_hostmsi_target(&f->h[0]));
    vtdpi_target_unref(vtdpi_hostmsi_target(&f->h[0]));
    irq_up(f, 0);
}

/* Each vector that is left goes to where its interrupt is now. */
static void hand_on(void *ctx, uint8_t vector)
{
    struct fixture *const f = ctx;

    assert_int_equal(vtdpi_hostmsi_post(&f->h[1], vector).result,
                     vector == vector_of(2) ? VTDPI_POST_NOTIFY
                                            : VTDPI_POST_ALREADY);
}

static void test_pcpu_goes_after_its_last_interrupt(void **state)
{
    struct fixture *const f = *state;
    struct cpu ctx = {f, 1};
    struct vtdpi_model_notification n;
    uint64_t set[VTDPI_PIR_WORDS];

    for (unsigned int i = 0; i < 3; i++)
        set_host(f, i, 0);
    for (unsigned int i = 0; i < 3; i++)
        (void)raise(f, i);
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(vtdpi_hostmsi_offline(&f->h[0], set), VTDPI_EBUSY);
        set_host(f, i, 1);
    }
    assert_int_equal(vtdpi_hostmsi_offline(&f->h[0], set), 0);
    assert_int_equal(vtdpi_hostmsi_dispatch(set, hand_on, f), 3);
    assert_int_equal(
        vtdpi_hostmsi_handle(&f->h[1], VTDPI_HOSTMSI_LOOKS, handle, &ctx), 3);
    assert_int_equal(vtdpi_irq_set_host_posted(
                         &f->irq[3], vtdpi_hostmsi_target(&f->h[0]), 0x77),
                     VTDPI_ECLOSED);
    /* What was sent to the pCPU is lost with it. */
    assert_true(vtdpi_model_take_notification(&f->m->model[UNIT], 0, &n));
    assert_int_equal(n.apic_id, apic_id_of(0));

    cpu_up(f, 0);
    set_host(f, 0, 0);
    assert_true(raise(f, 0).notified);
    assert_int_equal(take(f, 0), 1);
    assert_int_equal(f->handled[0][vector_of(0)], 1);
}

int main(void)
{
#define HOSTMSI_TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        HOSTMSI_TEST(test_burst_costs_one_notification),
        HOSTMSI_TEST(test_move_leaves_nothing_on_the_old_pcpu),
        HOSTMSI_TEST(test_guest_form_lies_over_it_and_goes),
        HOSTMSI_TEST(test_remapped_beside_posted),
        HOSTMSI_TEST(test_torn_down_leaves_nothing_behind),
        HOSTMSI_TEST(test_host_form_of_another_kernel_is_taken_over),
        HOSTMSI_TEST(test_pcpu_goes_after_its_last_interrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
