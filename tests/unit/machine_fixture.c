/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine_fixture.h"

#include "test.h"

struct machine *machine_new(uint64_t cap, unsigned int mhmv2)
{
    const struct machine_params params = {
        .units = UNITS,
        .entries = ENTRIES,
        .submitters = 4,
        .vcpus = MACHINE_VCPUS,
        .clock_step = 1000,
        .model =
            {
                {.cap = MACHINE_CAP | cap, .ecap = MACHINE_ECAP},
                {.cap = MACHINE_CAP | cap,
                 .ecap = (MACHINE_ECAP2 & ~UINT64_C(0xf00000)) | (uint64_t)mhmv2
                                                                     << 20},
            },
    };

    return machine_power_up(&params);
}

void machine_without_pi(struct machine *m, unsigned int unit)
{
    machine_replace_unit(m, unit, MACHINE_CAP & ~VTDPI_CAP_PI,
                         unit == 0 ? MACHINE_ECAP : MACHINE_ECAP2);
}

int machine_setup(void **state)
{
    struct machine *m = machine_new(0, 15);

    for (unsigned int u = 0; u < UNITS; u++) {
        machine_add(m, u);
        machine_enable(m, u);
    }
    *state = m;
    return 0;
}

int machine_teardown(void **state)
{
    struct machine *m = *state;

    m->step = NULL;
    assert_no_violation(m);
    machine_free(m);
    return 0;
}

struct vtdpi_model_result machine_raise(struct machine *m, unsigned int unit,
                                        uint32_t index)
{
    const struct vtdpi_model_result r = machine_send(m, unit, index);

    assert_int_equal(r.index, index);
    return r;
}

void assert_remapped(struct machine *m, unsigned int unit, uint32_t index,
                     uint8_t vector)
{
    const struct vtdpi_model_result r = machine_raise(m, unit, index);

    assert_int_equal(r.outcome, VTDPI_MODEL_REMAPPED);
    assert_int_equal(r.vector, vector);
    assert_int_equal(r.dest, 0x103);
}

void assert_posted(struct machine *m, unsigned int unit, uint32_t index,
                   unsigned int vcpu, uint8_t vector)
{
    const struct vtdpi_model_result r = machine_raise(m, unit, index);
    uint64_t *word = &m->pids[vcpu].pir[vector / 64];
    const uint64_t bit = UINT64_C(1) << (vector % 64);

    assert_int_equal(r.outcome, VTDPI_MODEL_POSTED);
    assert_int_equal(r.vector, vector);
    assert_int_equal(r.pda, PIDS_PHYS + 64 * vcpu);
    assert_true((*word & bit) != 0);
    *word &= ~bit; /* the guest takes it */
}

void assert_blocked(struct machine *m, unsigned int unit, uint32_t index,
                    uint8_t reason)
{
    const struct vtdpi_model_result r = machine_raise(m, unit, index);

    assert_int_equal(r.outcome, VTDPI_MODEL_BLOCKED);
    assert_int_equal(r.reason, reason);
}

uint64_t machine_accesses(const struct machine *m)
{
    uint64_t n = 0;

    for (unsigned int u = 0; u < UNITS; u++) {
        const struct vtdpi_model_counters c = machine_count(m, u);

        n += c.reads + c.writes;
    }
    return n;
}

void assert_no_violation(const struct machine *m)
{
    for (unsigned int u = 0; u < UNITS; u++) {
        const struct vtdpi_model_violation v =
            vtdpi_model_first_violation(&m->model[u]);

        assert_string_equal(vtdpi_model_violation_name(v.kind),
                            vtdpi_model_violation_name(VTDPI_MODEL_OK));
    }
}

struct vtdpi_irte entry_remapped(uint8_t vector)
{
    const struct vtdpi_irte irte = {UINT64_C(0x0000010300000001) |
                                        (uint64_t)vector << 16,
                                    UINT64_C(0x0000000000040310)};

    return irte;
}

uint32_t machine_index(struct machine *m)
{
    uint32_t index;

    assert_int_equal(vtdpi_table_alloc(&m->table, 1, m, &index), 0);
    return index;
}

uint32_t machine_cached(struct machine *m, uint8_t vector)
{
    const struct vtdpi_irte irte = entry_remapped(vector);
    const uint32_t index = machine_index(m);

    assert_int_equal(vtdpi_table_set(&m->table, index, &irte), 0);
    assert_remapped(m, 0, index, vector);
    assert_remapped(m, 1, index, vector);
    assert_true(machine_raise(m, 0, index).from_cache);
    assert_true(machine_raise(m, 1, index).from_cache);
    return index;
}

void machine_find_foreign(struct machine *m, bool adopt)
{
    struct vtdpi_table_params p = m->table_params;

    p.adopt = adopt;
    assert_int_equal(vtdpi_table_init(&m->table, &p), 0);
    for (unsigned int u = 0; u < m->params.units; u++) {
        assert_int_equal(vtdpi_unit_probe(&m->unit[u], &m->ops, &m->model[u],
                                          MACHINE_WINDOW),
                         0);
        assert_int_equal(vtdpi_unit_state(&m->unit[u]), VTDPI_UNIT_FOREIGN);
        machine_add(m, u);
    }
}
