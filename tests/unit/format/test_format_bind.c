/* SPDX-License-Identifier: BSD-2-Clause */
/* format.h: bindings, and the dump of a VM's bindings. */
#include "golden.h"
#include "test.h"

#include <string.h>

#include "apply.h"
#include "machine_fixture.h"
#include "machine_vm.h"
#include "vtdpi/format.h"

enum {
    IRQS = 5,
};

static const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, SID,
                                           VTDPI_SQ_ALL};

struct guest {
    struct machine *m;
    struct vtdpi_vm vm;
    struct machine_vm memory;
    struct vtdpi_irq irq[IRQS];
    struct vtdpi_binding b[IRQS];
};

/* Interrupt i has index i; vCPU i has the x2APIC id i. */
static void guest_new(struct guest *g, struct machine *m)
{
    *g = (struct guest){.m = m};
    assert_int_equal(machine_vm_init(&g->vm, &g->memory), 0);
    for (uint32_t i = 0; i < MACHINE_VCPUS; i++) {
        const struct vtdpi_guest_apic apic = {
            .id = i, .mode = VTDPI_GUEST_X2APIC, .enabled = true};

        assert_int_equal(vtdpi_vm_set_apic(&g->vm, i, &apic), 0);
        assert_int_equal(vtdpi_vm_attach(&g->vm, i, &m->vcpu[i]), 0);
    }
    for (uint32_t i = 0; i < IRQS; i++) {
        assert_int_equal(vtdpi_table_reserve(&m->table, i, 1, NULL), 0);
        assert_int_equal(vtdpi_irq_init(&g->irq[i],
                                        vtdpi_table_backend(&m->table), i,
                                        &source, NULL),
                         0);
        assert_int_equal(vtdpi_vm_bind(&g->vm, &g->b[i], &g->irq[i], true), 0);
    }
}

static int message(struct guest *g, uint32_t i, uint32_t dest, uint32_t data)
{
    const struct vtdpi_msi msi = {UINT32_C(0xfee00000) | dest << 12, 0, data};

    return vtdpi_binding_set_message(&g->b[i], &msi);
}

static int message_apply(struct guest *g, uint32_t i, uint32_t dest,
                         uint32_t data)
{
    return vm_apply_one(&g->b[i], message(g, i, dest, data));
}

static void guest_end(struct guest *g)
{
    for (uint32_t i = 0; i < IRQS; i++)
        assert_int_equal(vm_unbind(&g->b[i]), 0);
    for (uint32_t i = 0; i < MACHINE_VCPUS; i++)
        assert_int_equal(vtdpi_vm_detach(&g->vm, i), 0);
}

static size_t text_binding(char *buf, size_t size, const void *what)
{
    return vtdpi_format_binding(buf, size, what);
}

static void test_binding_names_each_field(void **state)
{
    struct machine *m = *state;
    struct vtdpi_binding none = {0};
    struct vtdpi_binding high;
    struct guest g;

    guest_new(&g, m);
    assert_line(text_binding, &none, "binding=unbound");
    none.vm = &g.vm; /* as a bind that is under way leaves it */
    assert_line(text_binding, &none, "binding=unbound");
    assert_line(text_binding, &g.b[2],
                "binding=done index=0x2 masked=0 host=1 decision=remap V=0x0 "
                "reason: no message is programmed");
    assert_int_equal(message_apply(&g, 2, 1, 0x41), 0);
    assert_line(text_binding, &g.b[2],
                "binding=done index=0x2 masked=0 host=1 address=0xfee01000 "
                "data=0x41 decision=post vCPU=0x1 V=0x41 reason: posted");
    high = g.b[2];
    high.message.address_hi = 0x100;
    assert_line(text_binding, &high,
                "binding=done index=0x2 masked=0 host=1 address=0x100fee01000 "
                "data=0x41 decision=post vCPU=0x1 V=0x41 reason: posted");
    vtdpi_binding_mask(&g.b[2]);
    vtdpi_binding_set_host(&g.b[2], false);
    assert_line(text_binding, &g.b[2],
                "binding=done index=0x2 masked=1 host=0 address=0xfee01000 "
                "data=0x41 decision=post vCPU=0x1 V=0x41 reason: posted");
    vtdpi_binding_set_host(&g.b[2], true);
    assert_int_equal(vm_apply_one(&g.b[2], vtdpi_binding_unmask(&g.b[2])), 0);
    /* NMI. */
    assert_int_equal(message_apply(&g, 2, 1, 0x400), 0);
    assert_line(text_binding, &g.b[2],
                "binding=done index=0x2 masked=0 host=1 address=0xfee01000 "
                "data=0x400 decision=remap V=0x0 reason: delivery mode NMI");
    guest_end(&g);
}

static void test_binding_names_its_state_and_error(void **state)
{
    struct machine *m = *state;
    struct vtdpi_vm_work work;
    struct vtdpi_binding *b;
    struct guest g;

    guest_new(&g, m);
    b = &g.b[0];
    assert_int_equal(message(&g, 0, 1, 0x41), 0);
    assert_line(
        text_binding, b,
        "binding=due index=0x0 masked=0 host=1 address=0xfee01000 "
        "data=0x41 decision=remap V=0x0 reason: no message is programmed");
    assert_int_equal(vtdpi_vm_begin(&g.vm, &work, &b, 1), 1);
    assert_line(text_binding, b,
                "binding=in-flight index=0x0 masked=0 host=1 "
                "address=0xfee01000 data=0x41 decision=post vCPU=0x1 V=0x41 "
                "reason: posted");
    vtdpi_vm_apply(&work);
    assert_int_equal(vtdpi_vm_end(&g.vm, &work), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(message_apply(&g, 0, 2, 0x42), VTDPI_EIO);
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_line(text_binding, b,
                "binding=failed index=0x0 masked=0 host=1 address=0xfee02000 "
                "data=0x42 decision=post vCPU=0x2 V=0x42 reason: posted wrong: "
                "hardware does not answer: it is gone or not decoded");
    assert_int_equal(vm_apply(&g.vm, &b, 1), 0);
    guest_end(&g);
}

/* The dump from where @p c stands: which indexes it shows, as a mask. An index that
 * comes twice fails. */
static unsigned int dump(const struct guest *g, struct vtdpi_format_cursor *c,
                         unsigned int lines)
{
    char line[VTDPI_FORMAT_MAX];
    unsigned int seen = 0;

    while (!c->done && lines > 0) {
        const size_t length =
            vtdpi_format_vm_next(line, sizeof(line), &g->vm, c);

        assert_int_equal(length, strlen(line));
        if (length == 0)
            continue;
        lines--;
        for (unsigned int i = 0; i < IRQS; i++) {
            char index[16] = " index=0xN ";

            index[9] = (char)('0' + i);
            if (strstr(line, index) == NULL)
                continue;
            assert_int_equal(seen & 1u << i, 0);
            seen |= 1u << i;
        }
    }
    return seen;
}

/* Lists of every kind: none, broadcast, logical, and two of one bucket. */
static void test_dump_shows_each_binding_once(void **state)
{
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];
    struct guest g;

    guest_new(&g, *state);
    assert_int_equal(dump(&g, &c, IRQS + 1), 0x1f);
    assert_true(c.done);
    assert_int_equal(vtdpi_format_vm_next(line, sizeof(line), &g.vm, &c), 0);
    assert_string_equal(line, "");

    assert_int_equal(message_apply(&g, 0, 1, 0x41), 0);
    assert_int_equal(message_apply(&g, 1, 1, 0x42), 0);
    assert_int_equal(message_apply(&g, 2, 0xff, 0x43), 0);
    assert_int_equal(message_apply(&g, 3, 2, 0x43), 0);
    c = (struct vtdpi_format_cursor){0};
    assert_int_equal(dump(&g, &c, IRQS + 1), 0x1f);
    assert_true(c.done);
    guest_end(&g);
}

/* A binding leaves its list between two calls: the rest are shown, or one is left out;
 * nothing that is gone is followed. */
static void test_dump_goes_on_over_changes(void **state)
{
    struct vtdpi_format_cursor c = {0};
    unsigned int seen;
    struct guest g;

    guest_new(&g, *state);
    for (uint32_t i = 0; i < IRQS; i++)
        assert_int_equal(message_apply(&g, i, 1, 0x41 + i), 0);
    seen = dump(&g, &c, 2);
    /* Newest first, so these are 4 and 3. */
    assert_int_equal(seen, 0x18);
    assert_int_equal(vm_unbind(&g.b[4]), 0);
    memset(&g.b[4], 0, sizeof(g.b[4]));
    /* 2 has moved to a place that was passed. */
    assert_int_equal(dump(&g, &c, IRQS), 0x3);
    assert_int_equal(vtdpi_vm_bind(&g.vm, &g.b[4], &g.irq[4], true), 0);
    guest_end(&g);
}

/* The list has become shorter than the place that the cursor has reached. */
static void test_dump_goes_on_behind_a_shorter_list(void **state)
{
    struct vtdpi_format_cursor c = {0};
    struct guest g;

    guest_new(&g, *state);
    for (uint32_t i = 0; i < IRQS; i++)
        assert_int_equal(message_apply(&g, i, 1, 0x41 + i), 0);
    assert_int_equal(dump(&g, &c, 3), 0x1c);
    /* To the broadcasts, which the cursor has passed. */
    for (uint32_t i = 1; i < IRQS; i++)
        assert_int_equal(message_apply(&g, i, 0xff, 0x41 + i), 0);
    assert_int_equal(dump(&g, &c, IRQS), 0);
    assert_true(c.done);
    guest_end(&g);
}

/* A list that leads back into itself, as after a stray write: the dump ends. */
static void test_dump_ends_on_a_ring(void **state)
{
    struct vtdpi_format_cursor c = {0};
    struct vtdpi_binding *next;
    char line[VTDPI_FORMAT_MAX];
    unsigned int lines = 0;
    unsigned int calls = 0;
    struct guest g;

    guest_new(&g, *state);
    next = g.b[0].next;
    assert_null(next); /* the oldest */
    g.b[0].next = &g.b[0];
    while (!c.done && calls++ < 100)
        lines += vtdpi_format_vm_next(line, sizeof(line), &g.vm, &c) != 0;
    assert_true(c.done);
    assert_int_equal(lines, IRQS);
    g.b[0].next = next;
    guest_end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_binding_names_each_field,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_binding_names_its_state_and_error,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_shows_each_binding_once,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_goes_on_over_changes,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_goes_on_behind_a_shorter_list,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_ends_on_a_ring, machine_setup,
                                        machine_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
