/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define RING_PHYS(u)   (UINT64_C(0x530000000) + (u)*UINT64_C(0x10000))
#define STATUS_PHYS(u) (UINT64_C(0x540000000) + (u)*UINT64_C(0x10000))
#define RING_BYTES     4096
#define STATUS_BYTES   1024
#define TABLE_BYTES    (ENTRIES * 16)

static void *at(void *base, uint64_t base_phys, size_t size, uint64_t phys,
                size_t len)
{
    if (phys < base_phys || phys - base_phys > size - len)
        return NULL;
    return (uint8_t *)base + (phys - base_phys);
}

static void *map(void *ctx, uint64_t phys, size_t len)
{
    struct machine *m = ctx;
    void *p = at(m->entries, TABLE_PHYS, TABLE_BYTES, phys, len);

    if (p == NULL)
        p = at(m->pids, PIDS_PHYS, 4096, phys, len);
    for (unsigned int u = 0; u < UNITS && p == NULL; u++) {
        p = at(m->ring[u], RING_PHYS(u), RING_BYTES, phys, len);
        if (p == NULL)
            p = at(m->status[u], STATUS_PHYS(u), STATUS_BYTES, phys, len);
    }
    return p;
}

static void step(void *ctx, struct vtdpi_model *model,
                 enum vtdpi_model_step kind)
{
    struct machine *m = ctx;

    if (m->step != NULL)
        m->step(m, model, kind);
}

static void *memory(size_t size)
{
    void *p = aligned_alloc(4096, (size + 4095) / 4096 * 4096);

    assert_non_null(p);
    memset(p, 0, size);
    return p;
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

static void sched_new(struct machine *m)
{
    struct vtdpi_sched_params params = {
        .ops = &m->ops,
        .max_pages = 1,
        .ctx = m,
        .max_pcpus = MACHINE_PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    params.pages = &m->page_slot;
    params.pcpus = m->pcpu_slots;
    assert_int_equal(vtdpi_sched_init(&m->sched, &params), 0);
    assert_int_equal(
        vtdpi_sched_add_page(&m->sched, 0, &m->page, m->pids, PIDS_PHYS), 0);
    for (uint32_t i = 0; i < MACHINE_VCPUS; i++)
        assert_int_equal(
            vtdpi_vcpu_attach(&m->sched, &m->vcpu[i], i, &m->vcpu[i]), 0);
}

static void model_new(struct machine *m, unsigned int u, uint64_t cap,
                      uint64_t ecap)
{
    const struct vtdpi_model_params params = {
        .cap = cap,
        .ecap = ecap,
        .ctx = m,
        .map = map,
        .iec = m->iec[u],
        .iec_slots = ENTRIES,
        .notifications = m->notes[u],
        .notification_slots = 64,
        .step = step,
        .views = &m->view,
        .view_count = 1,
    };

    assert_int_equal(vtdpi_model_init(&m->model[u], &params), 0);
    assert_int_equal(vtdpi_unit_probe(&m->unit[u], &m->ops, &m->model[u]), 0);
}

static void table_new(struct machine *m)
{
    m->table_params = (struct vtdpi_table_params){
        .entries = m->entries,
        .phys = TABLE_PHYS,
        .count = ENTRIES,
        .storage_size = vtdpi_table_storage_size(ENTRIES),
        .owners = m->owners,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };
    m->table_params.storage = memory(m->table_params.storage_size);
    assert_int_equal(vtdpi_table_init(&m->table, &m->table_params), 0);
}

struct machine *machine_new(uint64_t cap, unsigned int mhmv2)
{
    struct machine *m = calloc(1, sizeof(*m));
    const uint64_t ecap2 =
        (MACHINE_ECAP2 & ~UINT64_C(0xf00000)) | (uint64_t)mhmv2 << 20;

    assert_non_null(m);
    m->ops = vtdpi_model_platform_ops;
    m->ops.send_ipi = drop_ipi;
    m->ops.wake = drop_wake;
    m->entries = memory(TABLE_BYTES);
    m->shadow = memory(TABLE_BYTES);
    m->pids = memory(4096);
    for (unsigned int u = 0; u < UNITS; u++) {
        m->ring[u] = memory(RING_BYTES);
        m->status[u] = memory(STATUS_BYTES);
    }
    vtdpi_model_view_init(&m->view, TABLE_PHYS, m->entries, m->shadow,
                          TABLE_BYTES);
    sched_new(m);
    table_new(m);
    model_new(m, 0, MACHINE_CAP | cap, MACHINE_ECAP);
    model_new(m, 1, MACHINE_CAP | cap, ecap2);
    return m;
}

void machine_without_pi(struct machine *m, unsigned int unit)
{
    model_new(m, unit, MACHINE_CAP & ~VTDPI_CAP_PI,
              unit == 0 ? MACHINE_ECAP : MACHINE_ECAP2);
}

void machine_free(struct machine *m)
{
    for (unsigned int u = 0; u < UNITS; u++) {
        free(m->ring[u]);
        free(m->status[u]);
    }
    free(m->table_params.storage);
    free(m->pids);
    free(m->shadow);
    free(m->entries);
    free(m);
}

void machine_add(struct machine *m, unsigned int unit)
{
    assert_int_equal(
        vtdpi_table_add_unit(&m->table, &m->link[unit], &m->unit[unit]), 0);
}

void machine_enable(struct machine *m, unsigned int unit)
{
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = m->ring[unit],
                .ring_phys = RING_PHYS(unit),
                .status = m->status[unit],
                .status_phys = STATUS_PHYS(unit),
                .submitters = 4,
            },
        .irt_phys = vtdpi_table_phys(&m->table),
        .irt_order = vtdpi_table_order(&m->table),
        .eime = true,
    };

    assert_int_equal(vtdpi_unit_enable(&m->unit[unit], &config), 0);
    /* A thousand polls to a deadline, not a million. */
    vtdpi_model_set_clock_step(&m->model[unit], 1000);
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
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&m->model[unit], SID,
                          UINT64_C(0xfee00010) | (uint64_t)index << 5, 0, &r);
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

struct vtdpi_model_counters machine_count(const struct machine *m,
                                          unsigned int unit)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&m->model[unit], &c);
    return c;
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

struct vtdpi_irte_remapped fields_remapped(uint8_t vector)
{
    const struct vtdpi_irte_remapped fields = {
        .present = true,
        .vector = vector,
        .mode = VTDPI_X2APIC,
        .dst = 0x103,
    };

    return fields;
}

uint32_t machine_index(struct machine *m)
{
    uint32_t index;

    assert_int_equal(vtdpi_table_alloc(&m->table, 1, m, &index), 0);
    return index;
}
