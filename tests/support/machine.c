/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdlib.h>

#include "host.h"
#include "support.h"

#define RING_PHYS(u)   (UINT64_C(0x530000000) + (u)*UINT64_C(0x10000))
#define STATUS_PHYS(u) (UINT64_C(0x540000000) + (u)*UINT64_C(0x10000))

enum {
    RING_BYTES = 4096,
    STATUS_BYTES = 1024,
    PIDS_BYTES = 4096,
};

static size_t table_bytes(const struct machine *m)
{
    return (size_t)m->params.entries * sizeof(*m->entries);
}

static void *at(void *base, uint64_t base_phys, size_t size, uint64_t phys,
                size_t len)
{
    if (phys < base_phys || len > size || phys - base_phys > size - len)
        return NULL;
    return (uint8_t *)base + (phys - base_phys);
}

static void *map(void *ctx, uint64_t phys, size_t len)
{
    struct machine *m = ctx;
    void *p = at(m->entries, TABLE_PHYS, table_bytes(m), phys, len);

    if (p == NULL)
        p = at(m->pids, PIDS_PHYS, PIDS_BYTES, phys, len);
    if (p == NULL)
        p = at(m->extra, MACHINE_EXTRA_PHYS, m->params.extra, phys, len);
    for (uint32_t u = 0; u < m->params.units && p == NULL; u++) {
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

static void sched_up(struct machine *m)
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
    support_check(vtdpi_sched_init(&m->sched, &params) == 0);
    support_check(
        vtdpi_sched_add_page(&m->sched, 0, &m->page, m->pids, PIDS_PHYS) == 0);
    for (uint32_t i = 0; i < m->params.vcpus; i++)
        support_check(
            vtdpi_vcpu_attach(&m->sched, &m->vcpu[i], i, &m->vcpu[i]) == 0);
    if (!m->params.pcpu)
        return;
    support_check(
        vtdpi_pcpu_init(&m->sched, &m->pcpu, 0, HOST_APIC_ID, m->bitmap) == 0);
    vtdpi_pcpu_online(&m->pcpu);
}

static void table_up(struct machine *m)
{
    m->table_params = (struct vtdpi_table_params){
        .entries = m->entries,
        .phys = TABLE_PHYS,
        .count = m->params.entries,
        .storage_size = vtdpi_table_storage_size(m->params.entries),
        .owners = m->owners,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };
    m->table_params.storage = support_memory(m->table_params.storage_size);
    support_check(vtdpi_table_init(&m->table, &m->table_params) == 0);
}

static void unit_up(struct machine *m, uint32_t u)
{
    struct vtdpi_model_params *params = &m->params.model[u];

    params->ctx = m;
    params->map = map;
    params->step = step;
    params->iec = m->iec[u];
    params->iec_slots = m->params.entries;
    params->views = &m->view;
    params->view_count = 1;
    if (params->notify == NULL) {
        params->notifications = m->notes[u];
        params->notification_slots = 64;
    }
    support_check(vtdpi_model_init(&m->model[u], params) == 0);
    support_check(vtdpi_unit_probe(&m->unit[u], &m->ops, &m->model[u],
                                   MACHINE_WINDOW) == 0);
}

struct machine *machine_power_up(const struct machine_params *params)
{
    struct machine *m = support_memory(sizeof(*m));

    m->params = *params;
    m->ops = vtdpi_model_platform_ops;
    m->ops.send_ipi = host_drop_ipi;
    m->ops.wake = host_drop_wake;
    m->entries = support_memory(table_bytes(m));
    m->shadow = support_memory(table_bytes(m));
    m->owners = support_memory(params->entries * sizeof(*m->owners));
    m->pids = support_memory(PIDS_BYTES);
    if (params->extra != 0)
        m->extra = support_memory(params->extra);
    vtdpi_model_view_init(&m->view, TABLE_PHYS, m->entries, m->shadow,
                          table_bytes(m));
    sched_up(m);
    table_up(m);
    for (uint32_t u = 0; u < params->units; u++) {
        m->ring[u] = support_memory(RING_BYTES);
        m->status[u] = support_memory(STATUS_BYTES);
        m->iec[u] = support_memory(params->entries * sizeof(*m->iec[u]));
        unit_up(m, u);
    }
    return m;
}

void machine_replace_unit(struct machine *m, uint32_t unit, uint64_t cap,
                          uint64_t ecap)
{
    m->params.model[unit].cap = cap;
    m->params.model[unit].ecap = ecap;
    unit_up(m, unit);
}

void machine_free(struct machine *m)
{
    for (uint32_t u = 0; u < m->params.units; u++) {
        free(m->ring[u]);
        free(m->status[u]);
        free(m->iec[u]);
        free(m->own_storage[u]);
    }
    free(m->table_params.storage);
    free(m->extra);
    free(m->pids);
    free(m->owners);
    free(m->shadow);
    free(m->entries);
    free(m);
}

void machine_add(struct machine *m, uint32_t unit)
{
    support_check(
        vtdpi_table_add_unit(&m->table, &m->link[unit], &m->unit[unit]) == 0);
}

struct vtdpi_unit_config machine_config(const struct machine *m, uint32_t unit)
{
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = m->ring[unit],
                .ring_phys = RING_PHYS(unit),
                .status = m->status[unit],
                .status_phys = STATUS_PHYS(unit),
                .submitters = m->params.submitters,
            },
    };

    return config;
}

void machine_enable(struct machine *m, uint32_t unit)
{
    const struct vtdpi_unit_config config = machine_config(m, unit);

    support_check(vtdpi_unit_enable(&m->unit[unit], &config) == 0);
    if (m->params.clock_step != 0)
        vtdpi_model_set_clock_step(&m->model[unit], m->params.clock_step);
}

static void own_table_up(struct machine *m, uint32_t u)
{
    const uint32_t count = m->params.entries / m->params.units;
    const size_t storage_size = vtdpi_table_storage_size(count);
    struct vtdpi_table_params params = m->table_params;

    m->own_storage[u] = support_memory(storage_size);
    params.entries = &m->entries[u * count];
    params.phys = TABLE_PHYS + u * count * sizeof(struct vtdpi_irte);
    params.count = count;
    params.storage = m->own_storage[u];
    params.storage_size = storage_size;
    params.owners = NULL;
    support_check(vtdpi_table_init(&m->own[u], &params) == 0);
    support_check(vtdpi_table_add_unit(&m->own[u], &m->link[u], &m->unit[u]) ==
                  0);
}

void machine_own_tables(struct machine *m)
{
    for (uint32_t u = 0; u < m->params.units; u++) {
        own_table_up(m, u);
        machine_enable(m, u);
    }
}

struct vtdpi_model_result machine_send(struct machine *m, uint32_t unit,
                                       uint32_t index)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&m->model[unit], SID,
                          UINT64_C(0xfee00010) | (uint64_t)index << 5, 0, &r);
    return r;
}

struct vtdpi_model_counters machine_count(const struct machine *m,
                                          uint32_t unit)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&m->model[unit], &c);
    return c;
}

struct vtdpi_irte_remapped fields_remapped(uint8_t vector)
{
    const struct vtdpi_irte_remapped fields = {
        .present = true,
        .vector = vector,
        .mode = VTDPI_X2APIC,
        .dst = HOST_APIC_ID,
    };

    return fields;
}
