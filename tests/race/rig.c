/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

enum {
    PAGE_BYTES = 4096,
    POISON = 0x5a,
};

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

static void foreign_join(struct rig_foreign *f, struct machine *m)
{
    struct vtdpi_table_params params = m->table_params;

    params.entries = (struct vtdpi_irte *)(void *)(m->extra + 2 * PAGE_BYTES);
    params.phys = MACHINE_EXTRA_PHYS + 2 * PAGE_BYTES;
    params.storage = f->storage;
    params.storage_size = sizeof(f->storage);
    params.owners = NULL;
    race_check(vtdpi_table_init(&f->table, &params) == 0);
    race_check(vtdpi_table_add_unit(&f->table, &f->link, &f->unit) == 0);
}

void rig_foreign_enable(struct rig_foreign *f, struct machine *m, uint32_t u)
{
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = m->extra,
                .ring_phys = MACHINE_EXTRA_PHYS,
                .status = (uint32_t *)(void *)(m->extra + PAGE_BYTES),
                .status_phys = MACHINE_EXTRA_PHYS + PAGE_BYTES,
                .submitters = 1,
            },
    };

    race_check(
        vtdpi_unit_probe(&f->unit, &m->ops, &m->model[u], MACHINE_WINDOW) == 0);
    foreign_join(f, m);
    race_check(vtdpi_unit_enable(&f->unit, &config) == 0);
}

struct machine *rig_new(uint64_t seed)
{
    struct machine_params params = {
        .units = UNITS,
        .entries = ENTRIES,
        .submitters = 64,
        .pcpu = true,
        .extra = 3 * PAGE_BYTES, /* ring, status words and table */
    };
    struct machine *m;

    for (uint32_t u = 0; u < UNITS; u++)
        params.model[u] = (struct vtdpi_model_params){
            .cap = MACHINE_CAP,
            .ecap = u == 0 ? MACHINE_ECAP : MACHINE_ECAP2,
            .notify = drop_notification,
            .relax = relax,
            .seed = seed + u,
            .concurrent = true,
        };
    m = machine_power_up(&params);
    for (uint32_t u = 0; u < UNITS; u++) {
        machine_add(m, u);
        machine_enable(m, u);
    }
    return m;
}

uint64_t rig_harvest(struct vtdpi_pid *pid)
{
    uint64_t pir[VTDPI_PIR_WORDS];
    uint64_t n = 0;

    (void)vtdpi_pid_harvest(pid, pir);
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        n += (uint64_t)__builtin_popcountll(pir[i]);
    return n;
}

void rig_poison(struct vtdpi_pid *pid)
{
    uint8_t *bytes = (uint8_t *)pid;

    for (size_t i = 0; i < sizeof(*pid); i++)
        bytes[i] = POISON;
}

void rig_check_poison(const struct vtdpi_pid *pid)
{
    const uint8_t *bytes = (const uint8_t *)pid;

    for (size_t i = 0; i < sizeof(*pid); i++) {
        if (bytes[i] != POISON)
            race_fail("byte %zu of a PID that is nobody's was written", i);
    }
}

void rig_end(struct machine *m)
{
    for (uint32_t u = 0; u < UNITS; u++) {
        struct vtdpi_model_violation v;

        race_check(vtdpi_unit_disable(&m->unit[u]) == 0);
        v = vtdpi_model_first_violation(&m->model[u]);
        if (v.kind != VTDPI_MODEL_OK)
            race_fail("unit %u: %s (%x, %llx)", (unsigned int)u,
                      vtdpi_model_violation_name(v.kind), (unsigned int)v.where,
                      (unsigned long long)v.value);
    }
    machine_free(m);
}
