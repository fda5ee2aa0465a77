/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit_rig.h"

struct rig rig;
static _Alignas(0x100000) uint8_t memory[MEM_SIZE];
uint8_t *const rig_mem = memory;

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    if (phys < PHYS || phys - PHYS > MEM_SIZE - len)
        return NULL;
    return memory + (phys - PHYS);
}

static void note(bool write, uint32_t off, uint64_t value)
{
    if (rig.traced == TRACE_SIZE)
        return;
    rig.trace[rig.traced].write = write;
    rig.trace[rig.traced].off = off;
    rig.trace[rig.traced].value = value;
    rig.traced++;
}

static uint32_t read32(void *ctx, uint32_t off)
{
    const uint32_t v = vtdpi_model_platform_ops.read32(ctx, off);

    note(false, off, v);
    return v;
}

static uint64_t read64(void *ctx, uint32_t off)
{
    const uint64_t v = vtdpi_model_platform_ops.read64(ctx, off);

    note(false, off, v);
    return v;
}

static void write32(void *ctx, uint32_t off, uint32_t value)
{
    note(true, off, value);
    if (rig.before_write != NULL)
        rig.before_write(&rig, off, value);
    vtdpi_model_platform_ops.write32(ctx, off, value);
}

static void write64(void *ctx, uint32_t off, uint64_t value)
{
    note(true, off, value);
    if (rig.before_write != NULL)
        rig.before_write(&rig, off, value);
    vtdpi_model_platform_ops.write64(ctx, off, value);
}

static uint64_t now_us(void *ctx)
{
    if (rig.before_now != NULL)
        rig.before_now(&rig);
    return vtdpi_model_platform_ops.now_us(ctx);
}

static void relax(void *ctx)
{
    if (rig.before_relax != NULL)
        rig.before_relax(&rig);
    vtdpi_model_platform_ops.relax(ctx);
}

static void count_log(void *ctx, enum vtdpi_log_level level, const char *text)
{
    rig.logs++;
    vtdpi_model_platform_ops.log(ctx, level, text);
}

/* A table, and the unit that has joined it. */
static struct joined {
    struct vtdpi_unit *unit;
    struct vtdpi_table table;
    struct vtdpi_table_unit link;
    uint64_t storage[4096];
} joined[4];

static struct joined *joined_of(struct vtdpi_unit *u)
{
    struct joined *j = joined;

    while (j->unit != NULL && j->unit != u)
        j++;
    assert_true(j < joined + sizeof(joined) / sizeof(joined[0]));
    return j;
}

int rig_leave(struct vtdpi_unit *u)
{
    return vtdpi_table_remove_unit(&joined_of(u)->table, u);
}

int rig_try_join(struct vtdpi_unit *u, uint32_t at, unsigned int order,
                 enum vtdpi_apic_mode mode)
{
    struct joined *const j = joined_of(u);
    const struct vtdpi_table_params p = {
        .entries = (struct vtdpi_irte *)(void *)(memory + at),
        .phys = PHYS + at,
        .count = UINT32_C(1) << order,
        .storage = j->storage,
        .storage_size = sizeof(j->storage),
        .mode = mode,
        .haw = 46,
    };

    j->unit = u;
    assert_int_equal(vtdpi_table_init(&j->table, &p), 0);
    return vtdpi_table_add_unit(&j->table, &j->link, u);
}

void rig_join(struct vtdpi_unit *u, uint32_t at, unsigned int order,
              enum vtdpi_apic_mode mode)
{
    if (u->irt.order != 0)
        assert_int_equal(rig_leave(u), 0);
    assert_int_equal(rig_try_join(u, at, order, mode), 0);
}

void rig_use_xapic(void)
{
    rig_join(&rig.u, TABLE_AT, 8, VTDPI_XAPIC);
}

void rig_probe(void)
{
    assert_int_equal(vtdpi_unit_probe(&rig.u, &rig.ops, &rig.m, RIG_WINDOW), 0);
    rig_join(&rig.u, TABLE_AT, 8,
             vtdpi_unit_caps(&rig.u)->eim ? VTDPI_X2APIC : VTDPI_XAPIC);
}

void rig_power_up(uint64_t cap, uint64_t ecap)
{
    memset(&rig, 0, sizeof(rig));
    memset(joined, 0, sizeof(joined));
    memset(memory, 0, sizeof(memory));
    rig.params.cap = cap;
    rig.params.ecap = ecap;
    rig.params.map = map;
    rig.params.iec = rig.iec;
    rig.params.iec_slots = 256;
    rig.params.notifications = rig.notifications;
    rig.params.notification_slots = 4;
    rig.ops = vtdpi_model_platform_ops;
    rig.ops.read32 = read32;
    rig.ops.read64 = read64;
    rig.ops.write32 = write32;
    rig.ops.write64 = write64;
    rig.ops.now_us = now_us;
    rig.ops.relax = relax;
    rig.ops.log = count_log;
    assert_int_equal(vtdpi_model_init(&rig.m, &rig.params), 0);
    /* Deadlines of a second are some thousand polls. */
    vtdpi_model_set_clock_step(&rig.m, 100);
}

struct vtdpi_qi_params rig_qi_params(void)
{
    const struct vtdpi_qi_params p = {
        .ring = memory + RING_AT,
        .ring_phys = RING,
        .status = (uint32_t *)(void *)(memory + STATUS_AT),
        .status_phys = STATUS,
        .submitters = 127,
    };

    return p;
}

struct vtdpi_unit_config rig_config(void)
{
    const struct vtdpi_unit_config c = {
        .qi = rig_qi_params(),
    };

    return c;
}

void rig_gcmd(uint32_t value)
{
    const uintptr_t token = rig.ops.lock(&rig.m);

    vtdpi_model_platform_ops.write32(&rig.m, 0x18, value);
    rig.ops.unlock(&rig.m, token);
}

void rig_open_queue(const struct vtdpi_qi_params *params)
{
    assert_int_equal(vtdpi_qi_init(&rig.qi, &rig.ops, &rig.m, params), 0);
    vtdpi_qi_program(&rig.qi);
    rig_gcmd(0x04000000);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c), 0x04000000);
    vtdpi_qi_open(&rig.qi);
    rig_clear_trace();
}

void rig_set_manual(bool manual)
{
    rig.m.params.manual = manual;
}

void rig_clear_trace(void)
{
    rig.traced = 0;
}

uint32_t rig_count(bool write, uint32_t off)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rig.traced; i++)
        n += rig.trace[i].write == write && rig.trace[i].off == off;
    return n;
}

void rig_assert_writes(const struct access *want, size_t n)
{
    size_t found = 0;

    assert_true(rig.traced < TRACE_SIZE);
    for (uint32_t i = 0; i < rig.traced; i++) {
        if (!rig.trace[i].write)
            continue;
        assert_true(found < n);
        assert_int_equal(rig.trace[i].off, want[found].off);
        assert_int_equal(rig.trace[i].value, want[found].value);
        found++;
    }
    assert_int_equal(found, n);
}

uint64_t rig_ring(uint32_t slot, uint32_t word)
{
    uint64_t value;

    memcpy(&value, memory + RING_AT + (size_t)slot * 16 + (size_t)word * 8,
           sizeof(value));
    return value;
}

uint32_t *rig_status(uint32_t slot)
{
    return (uint32_t *)(void *)(memory + STATUS_AT + (size_t)slot * 4);
}

struct vtdpi_model_counters rig_counters(void)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&rig.m, &c);
    return c;
}

uint64_t rig_now(void)
{
    return rig.m.clock_us;
}

int rig_teardown(void **state)
{
    (void)state;
    rig_assert_clean();
    return 0;
}
