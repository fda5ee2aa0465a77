/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#define TABLE_PHYS     UINT64_C(0x510000000)
#define RING_PHYS(u)   (UINT64_C(0x530000000) + (u)*UINT64_C(0x10000))
#define STATUS_PHYS(u) (UINT64_C(0x540000000) + (u)*UINT64_C(0x10000))
#define FOREIGN_PHYS   UINT64_C(0x550000000)

/* What a real posting-capable machine has; the second unit does not snoop. */
#define CAP            UINT64_C(0x08d2078c106f0466)
#define ECAP           UINT64_C(0xf020df)

enum {
    PAGE_BYTES = 4096,
    STATUS_BYTES = 1024,
    TABLE_BYTES = ENTRIES * 16,
    FOREIGN_BYTES = 3 * PAGE_BYTES,
};

static void *at(void *base, uint64_t base_phys, size_t size, uint64_t phys,
                size_t len)
{
    if (phys < base_phys || phys - base_phys > size - len)
        return NULL;
    return (uint8_t *)base + (phys - base_phys);
}

static void *map(void *ctx, uint64_t phys, size_t len)
{
    struct rig *r = ctx;
    void *p = at(r->entries, TABLE_PHYS, TABLE_BYTES, phys, len);

    if (p == NULL)
        p = at(r->pids, PIDS_PHYS, PAGE_BYTES, phys, len);
    if (p == NULL)
        p = at(r->foreign, FOREIGN_PHYS, FOREIGN_BYTES, phys, len);
    for (uint32_t u = 0; u < UNITS && p == NULL; u++) {
        p = at(r->ring[u], RING_PHYS(u), PAGE_BYTES, phys, len);
        if (p == NULL)
            p = at(r->status[u], STATUS_PHYS(u), STATUS_BYTES, phys, len);
    }
    return p;
}

/* Nobody is ever blocked here: vCPUs are harvested by who owns them. */
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

static void drop_notification(void *ctx,
                              const struct vtdpi_model_notification *n)
{
    (void)ctx;
    (void)n;
}

static void relax(void *ctx)
{
    (void)ctx;
    race_yield();
}

static void sched_new(struct rig *r)
{
    const struct vtdpi_sched_params params = {
        .ops = &r->ops,
        .ctx = r,
        .pages = &r->page_slot,
        .max_pages = 1,
        .pcpus = &r->pcpu_slot,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    race_check(vtdpi_sched_init(&r->sched, &params) == 0);
    race_check(
        vtdpi_sched_add_page(&r->sched, 0, &r->page, r->pids, PIDS_PHYS) == 0);
    race_check(
        vtdpi_pcpu_init(&r->sched, &r->pcpu, 0, HOST_APIC_ID, r->bitmap) == 0);
    vtdpi_pcpu_online(&r->pcpu);
}

static void table_new(struct rig *r)
{
    const size_t size = vtdpi_table_storage_size(ENTRIES);
    const struct vtdpi_table_params params = {
        .entries = r->entries,
        .phys = TABLE_PHYS,
        .count = ENTRIES,
        .storage = race_memory(size),
        .storage_size = size,
        .owners = r->owners,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    race_check(vtdpi_table_init(&r->table, &params) == 0);
}

struct vtdpi_unit_config rig_config(struct rig *r, uint32_t unit)
{
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = r->ring[unit],
                .ring_phys = RING_PHYS(unit),
                .status = r->status[unit],
                .status_phys = STATUS_PHYS(unit),
                .submitters = 64,
            },
        .irt_phys = vtdpi_table_phys(&r->table),
        .irt_order = vtdpi_table_order(&r->table),
        .eime = true,
    };

    return config;
}

struct vtdpi_unit_config rig_foreign_config(struct rig *r)
{
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = r->foreign,
                .ring_phys = FOREIGN_PHYS,
                .status = (uint32_t *)(void *)(r->foreign + PAGE_BYTES),
                .status_phys = FOREIGN_PHYS + PAGE_BYTES,
                .submitters = 1,
            },
        .irt_phys = FOREIGN_PHYS + 2 * PAGE_BYTES,
        .irt_order = vtdpi_table_order(&r->table),
        .eime = true,
    };

    return config;
}

static void unit_new(struct rig *r, uint32_t u, uint64_t seed)
{
    const struct vtdpi_model_params params = {
        .cap = CAP,
        .ecap = u == 0 ? ECAP : ECAP & ~UINT64_C(1),
        .ctx = r,
        .map = map,
        .iec = r->iec[u],
        .iec_slots = ENTRIES,
        .notify = drop_notification,
        .relax = relax,
        .views = &r->view,
        .view_count = 1,
        .seed = seed,
        .concurrent = true,
    };
    const struct vtdpi_unit_config config = rig_config(r, u);

    race_check(vtdpi_model_init(&r->model[u], &params) == 0);
    race_check(vtdpi_unit_probe(&r->unit[u], &r->ops, &r->model[u]) == 0);
    race_check(vtdpi_table_add_unit(&r->table, &r->link[u], &r->unit[u]) == 0);
    race_check(vtdpi_unit_enable(&r->unit[u], &config) == 0);
}

struct rig *rig_new(uint64_t seed)
{
    struct rig *r = race_memory(sizeof(*r));

    r->ops = vtdpi_model_platform_ops;
    r->ops.send_ipi = drop_ipi;
    r->ops.wake = drop_wake;
    r->entries = race_memory(TABLE_BYTES);
    r->shadow = race_memory(TABLE_BYTES);
    r->pids = race_memory(PAGE_BYTES);
    r->foreign = race_memory(FOREIGN_BYTES);
    vtdpi_model_view_init(&r->view, TABLE_PHYS, r->entries, r->shadow,
                          TABLE_BYTES);
    sched_new(r);
    table_new(r);
    for (uint32_t u = 0; u < UNITS; u++) {
        r->ring[u] = race_memory(PAGE_BYTES);
        r->status[u] = race_memory(STATUS_BYTES);
        unit_new(r, u, seed + u);
    }
    return r;
}

void rig_end(struct rig *r)
{
    for (uint32_t u = 0; u < UNITS; u++) {
        struct vtdpi_model_violation v;

        race_check(vtdpi_unit_disable(&r->unit[u]) == 0);
        v = vtdpi_model_first_violation(&r->model[u]);
        if (v.kind != VTDPI_MODEL_OK)
            race_fail("unit %u: %s (%x, %llx)", (unsigned int)u,
                      vtdpi_model_violation_name(v.kind), (unsigned int)v.where,
                      (unsigned long long)v.value);
    }
}

struct vtdpi_model_result rig_raise(struct rig *r, uint32_t unit,
                                    uint32_t index)
{
    struct vtdpi_model_result result;

    (void)vtdpi_model_msi(&r->model[unit], SID,
                          UINT64_C(0xfee00010) | (uint64_t)index << 5, 0,
                          &result);
    return result;
}

struct vtdpi_irte_remapped rig_host_form(uint8_t vector)
{
    const struct vtdpi_irte_remapped form = {
        .present = true,
        .vector = vector,
        .mode = VTDPI_X2APIC,
        .dst = HOST_APIC_ID,
    };

    return form;
}
