/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stand-in for FreeBSD's DMAR driver: it owns the tables and the queues, and
 * writes entries as that one does, a changed host form as a new low half. The
 * units are modelled; of the library it uses unit.h and qi.h, which the port
 * does not touch. Of table.h it uses the join alone: entries are its own.
 */
#include "mini.h"

#include <vm/vm.h>
#include <vm/pmap.h>

#include "vtdpi/irte.h"
#include "vtdpi/model.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"
#include "vtdpi_dmar.h"

/* What a real posting-capable machine has. */
#define UNIT_CAP  UINT64_C(0x08d2078c106f0466)
#define UNIT_ECAP UINT64_C(0xf020df)

enum {
    UNIT_HAW = 46,
    TABLE_BYTES = MINI_ENTRIES * 16,
    TIMEOUT_US = 1000000,
};

struct dmar_unit {
    struct mtx lock; /* DMAR_LOCK */
    struct vtdpi_model model;
    struct vtdpi_model_iec_entry iec[MINI_ENTRIES];
    struct vtdpi_unit unit;
    struct vtdpi_table joined;
    struct vtdpi_table_unit link;
    uint64_t storage[MINI_ENTRIES];
    uint64_t *table;
    void *ring;
    uint32_t *status;
    bool used[MINI_ENTRIES]; /* lock */
    u_int failing;           /* lock */
};

static struct dmar_unit *units[MINI_UNITS];
static vtdpi_dmar_rebind_t *rebind; /* under all locks */

/* FreeBSD numbers its units with holes: from here on, each has one more. */
static u_int hole = MINI_UNITS;

static u_int number_of(u_int place)
{
    return place + (place >= hole);
}

/* NULL: the hole, or beyond the last. */
static struct dmar_unit *unit_find(u_int number)
{
    for (u_int i = 0; i < MINI_UNITS; i++)
        if (number_of(i) == number)
            return units[i];
    return NULL;
}

static struct dmar_unit *unit_of(u_int number)
{
    struct dmar_unit *u = unit_find(number);

    mini_check(u != NULL);
    return u;
}

void mini_dmar_hole(u_int place)
{
    hole = place;
}

/* A kernel that does not ask before it re-binds. */
static bool hooked = true;

void mini_dmar_unhook(bool unhook)
{
    hooked = !unhook;
}

/* A unit that does not post; MINI_UNITS: all post. */
static u_int without_pi = MINI_UNITS;

void mini_dmar_without_pi(u_int place)
{
    without_pi = place;
}

/* Set and called with the unit's lock held, or while nobody is there. */
static struct {
    void (*f)(void *arg);
    void *arg;
} at[MINI_DMAR_PLACES];

void mini_dmar_at(enum mini_dmar_place place, void (*f)(void *arg), void *arg)
{
    at[place].f = f;
    at[place].arg = arg;
}

static void pass(enum mini_dmar_place place)
{
    if (at[place].f != NULL)
        at[place].f(at[place].arg);
}

/* The model, which is called with interrupts off. */

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    return shim_phys_to_virt(phys, len);
}

static void notify(void *ctx, const struct vtdpi_model_notification *n)
{
    (void)ctx;
    (void)shim_lapic_send(n->apic_id, n->nv);
}

static void relax(void *ctx)
{
    (void)ctx;
    shim_relax();
}

static uint32_t read32(void *ctx, uint32_t off)
{
    uint32_t value;

    spinlock_enter();
    value = vtdpi_model_platform_ops.read32(ctx, off);
    spinlock_exit();
    return value;
}

static void write32(void *ctx, uint32_t off, uint32_t value)
{
    spinlock_enter();
    vtdpi_model_platform_ops.write32(ctx, off, value);
    spinlock_exit();
}

static uint64_t read64(void *ctx, uint32_t off)
{
    uint64_t value;

    spinlock_enter();
    value = vtdpi_model_platform_ops.read64(ctx, off);
    spinlock_exit();
    return value;
}

static void write64(void *ctx, uint32_t off, uint64_t value)
{
    spinlock_enter();
    vtdpi_model_platform_ops.write64(ctx, off, value);
    spinlock_exit();
}

static uint64_t now_us(void *ctx)
{
    uint64_t value;

    spinlock_enter();
    value = vtdpi_model_platform_ops.now_us(ctx);
    spinlock_exit();
    return value;
}

static uintptr_t unit_lock(void *ctx)
{
    spinlock_enter();
    return vtdpi_model_platform_ops.lock(ctx);
}

static void unit_unlock(void *ctx, uintptr_t token)
{
    vtdpi_model_platform_ops.unlock(ctx, token);
    spinlock_exit();
}

static const struct vtdpi_platform_ops platform = {
    .read32 = read32,
    .write32 = write32,
    .read64 = read64,
    .write64 = write64,
    .now_us = now_us,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .relax = relax,
};

/* Entries. DMAR_LOCK is held. */

static void invalidate(struct dmar_unit *u, u_int first, u_int count)
{
    struct vtdpi_qi_desc descs[MINI_ENTRIES];
    struct vtdpi_qi_ticket ticket;
    u_int n = 0;

    mtx_assert(&u->lock, MA_OWNED);
    mini_check(first + count <= MINI_ENTRIES);
    /* Aligned powers of two. */
    while (count > 0) {
        u_int order = 0;

        while (first % (2u << order) == 0 && 2u << order <= count)
            order++;
        mini_check(vtdpi_qi_encode_iec(&descs[n++], (uint16_t)first, order) ==
                   0);
        first += 1u << order;
        count -= 1u << order;
    }
    mini_check(vtdpi_qi_submit(&u->unit.qi, descs, n, &ticket) == 0);
    mini_check(vtdpi_qi_wait(&u->unit.qi, &ticket, TIMEOUT_US) == 0);
}

static uint64_t load(const struct dmar_unit *u, u_int index, u_int half)
{
    return __atomic_load_n(&u->table[2 * index + half], __ATOMIC_SEQ_CST);
}

static void store(struct dmar_unit *u, u_int index, u_int half, uint64_t value)
{
    shim_point();
    __atomic_store_n(&u->table[2 * index + half], value, __ATOMIC_SEQ_CST);
}

static bool posted(const struct dmar_unit *u, u_int index)
{
    const struct vtdpi_irte irte = {.lo = load(u, index, 0),
                                    .hi = load(u, index, 1)};

    return vtdpi_irte_is_posted(&irte);
}

/* dmar_ir_program_irte() */
static void program(u_int place, u_int index, const struct vtdpi_irte *irte)
{
    struct dmar_unit *u = units[place];
    const bool present = (load(u, index, 0) & VTDPI_IRTE_LO_P) != 0;

    pass(MINI_AT_QUESTION);
    if (rebind != NULL && hooked &&
        rebind(number_of(place), index, irte->lo, irte->hi))
        return;
    /* As the driver has it: a re-balancing, which changes the low half. */
    KASSERT(!present || load(u, index, 1) == irte->hi,
            ("IRTE %u is posted, and re-bound", index));
    if (!present)
        store(u, index, 1, irte->hi);
    store(u, index, 0, irte->lo);
    invalidate(u, index, 1);
}

void mini_dmar_program(u_int place, u_int index, u_int sid, u_int cpu,
                       uint8_t vector)
{
    const struct vtdpi_irte_remapped host = {
        .present = true,
        .vector = vector,
        .mode = x2apic_mode != 0 ? VTDPI_X2APIC : VTDPI_XAPIC,
        .dst = (uint32_t)cpu_apic_ids[cpu],
        .source = vtdpi_source_exact((uint16_t)sid, VTDPI_SQ_ALL),
    };
    struct dmar_unit *u = units[place];
    struct vtdpi_irte irte;

    mini_check(vtdpi_irte_encode_remapped(&host, &irte) == 0);
    mtx_lock(&u->lock);
    mini_check(u->used[index]);
    program(place, index, &irte);
    mtx_unlock(&u->lock);
}

u_int mini_dmar_alloc(u_int place, u_int count)
{
    struct dmar_unit *u = units[place];
    u_int first = 0;
    u_int n = 0;

    mtx_lock(&u->lock);
    while (n < count) {
        if (first + n >= MINI_ENTRIES)
            shim_fail("mini: no entry left in unit %u", place);
        if (u->used[first + n]) {
            /* Multi-message MSI comes in powers of two. */
            first = powerof2(count) ? roundup2(first + n + 1, count)
                                    : first + n + 1;
            n = 0;
        } else {
            n++;
        }
    }
    for (n = 0; n < count; n++)
        u->used[first + n] = true;
    mtx_unlock(&u->lock);
    return first;
}

void mini_dmar_free(u_int place, u_int index)
{
    struct dmar_unit *u = units[place];

    mtx_lock(&u->lock);
    mini_check(u->used[index]);
    if (posted(u, index))
        shim_fail("IRTE %u of unit %u is freed, and is posted", index, place);
    store(u, index, 0, 0);
    store(u, index, 1, 0);
    invalidate(u, index, 1);
    u->used[index] = false;
    mtx_unlock(&u->lock);
}

bool mini_dmar_is_posted(u_int place, u_int index)
{
    bool is;

    mtx_lock(&units[place]->lock);
    is = posted(units[place], index);
    mtx_unlock(&units[place]->lock);
    return is;
}

struct vtdpi_model *mini_dmar_model(u_int place)
{
    return &units[place]->model;
}

void mini_dmar_fail(u_int place, u_int n)
{
    mtx_lock(&units[place]->lock);
    units[place]->failing = n;
    mtx_unlock(&units[place]->lock);
}

/* The operations for the port; irq's entry is msi.c's to say. */

static int port_invalidate(u_int number, u_int first, u_int count)
{
    struct dmar_unit *u = unit_of(number);

    mtx_assert(&u->lock, MA_OWNED);
    if (u->failing > 0) {
        u->failing--;
        return EIO;
    }
    invalidate(u, first, count);
    pass(MINI_AT_FLUSH);
    return 0;
}

static u_int unit_count(void)
{
    return number_of(MINI_UNITS - 1) + 1;
}

static int unit_info(u_int number, struct vtdpi_dmar_unit_info *info)
{
    const struct vtdpi_dmar_unit_info known = {
        .cap = number_of(without_pi) == number ? UNIT_CAP & ~VTDPI_CAP_PI
                                               : UNIT_CAP,
        .ecap = UNIT_ECAP,
        .ver = 0x10,
        .irte_cnt = MINI_ENTRIES,
        .haw = UNIT_HAW,
        .ir_enabled = true,
        .eime = x2apic_mode != 0,
    };

    if (unit_find(number) == NULL)
        return ENXIO;
    *info = known;
    return 0;
}

static int lookup(u_int irq, struct vtdpi_dmar_entry *entry)
{
    u_int place;

    if (!mini_irq_entry(irq, &place, &entry->index))
        return ENOENT;
    entry->unit = number_of(place);
    return 0;
}

static void *irte(u_int number, u_int index)
{
    struct dmar_unit *u = unit_of(number);

    mtx_assert(&u->lock, MA_OWNED);
    mini_check(u->used[index]);
    return &u->table[2 * index];
}

static void lock(u_int number)
{
    mtx_lock(&unit_of(number)->lock);
}

static void unlock(u_int number)
{
    mtx_unlock(&unit_of(number)->lock);
}

static void drain(u_int number)
{
    struct dmar_unit *u = unit_of(number);

    mtx_assert(&u->lock, MA_OWNED);
    (void)read32(&u->model, VTDPI_GSTS_REG);
}

/* Takes all locks, in their order: a caller of the function holds one of them. */
static void set_rebind(vtdpi_dmar_rebind_t *function)
{
    for (u_int i = 0; i < MINI_UNITS; i++)
        mtx_lock(&units[i]->lock);
    rebind = function;
    for (u_int i = MINI_UNITS; i-- > 0;)
        mtx_unlock(&units[i]->lock);
}

static const struct vtdpi_dmar_ops ops = {
    .unit_count = unit_count,
    .unit_info = unit_info,
    .lookup = lookup,
    .irte = irte,
    .lock = lock,
    .unlock = unlock,
    .invalidate = port_invalidate,
    .drain = drain,
    .set_rebind = set_rebind,
};

const struct vtdpi_dmar_ops *vtdpi_dmar_ops;

/* Attach and detach. */

static void *pages(size_t size)
{
    return contigmalloc(size, M_MINI, M_WAITOK | M_ZERO, 0, ~(vm_paddr_t)0,
                        PAGE_SIZE, 0);
}

static void unit_join(struct dmar_unit *u)
{
    const struct vtdpi_table_params params = {
        .entries = (struct vtdpi_irte *)u->table,
        .phys = vtophys(u->table),
        .count = MINI_ENTRIES,
        .storage = u->storage,
        .storage_size = sizeof(u->storage),
        .mode = x2apic_mode != 0 ? VTDPI_X2APIC : VTDPI_XAPIC,
        .haw = UNIT_HAW,
    };

    mini_check(vtdpi_table_init(&u->joined, &params) == 0);
    mini_check(vtdpi_table_add_unit(&u->joined, &u->link, &u->unit) == 0);
}

static void unit_start(struct dmar_unit *u, uint64_t seed)
{
    const struct vtdpi_model_params params = {
        .cap = UNIT_CAP,
        .ecap = UNIT_ECAP,
        .map = map,
        .iec = u->iec,
        .iec_slots = MINI_ENTRIES,
        .notify = notify,
        .relax = relax,
        .seed = seed,
        .concurrent = true,
    };
    struct vtdpi_unit_config config = {
        .qi = {.submitters = 8},
    };

    mtx_init(&u->lock, "DMAR", NULL, MTX_DEF | MTX_DUPOK);
    u->table = pages(TABLE_BYTES);
    u->ring = pages(PAGE_SIZE);
    u->status = pages(PAGE_SIZE);
    config.qi.ring = u->ring;
    config.qi.ring_phys = vtophys(u->ring);
    config.qi.status = u->status;
    config.qi.status_phys = vtophys(u->status);
    mini_check(vtdpi_model_init(&u->model, &params) == 0);
    mini_check(vtdpi_unit_probe(&u->unit, &platform, &u->model, PAGE_SIZE) ==
               0);
    unit_join(u);
    mini_check(vtdpi_unit_enable(&u->unit, &config) == 0);
}

void mini_dmar_start(uint64_t seed)
{
    for (u_int i = 0; i < MINI_UNITS; i++) {
        units[i] = malloc(sizeof(*units[i]), M_MINI, M_WAITOK | M_ZERO);
        unit_start(units[i], seed + i);
    }
    rebind = NULL;
    vtdpi_dmar_ops = &ops;
}

static void unit_stop(struct dmar_unit *u)
{
    struct vtdpi_model_violation v;

    mini_check(vtdpi_unit_disable(&u->unit) == 0);
    v = vtdpi_model_first_violation(&u->model);
    if (v.kind != VTDPI_MODEL_OK)
        shim_fail("unit: %s (%x, %llx)", vtdpi_model_violation_name(v.kind),
                  v.where, (unsigned long long)v.value);
    for (u_int i = 0; i < MINI_ENTRIES; i++)
        mini_check(!u->used[i]);
    contigfree(u->table, TABLE_BYTES, M_MINI);
    contigfree(u->ring, PAGE_SIZE, M_MINI);
    contigfree(u->status, PAGE_SIZE, M_MINI);
    mtx_destroy(&u->lock);
}

void mini_dmar_stop(void)
{
    vtdpi_dmar_ops = NULL;
    mini_check(rebind == NULL);
    for (u_int i = 0; i < MINI_UNITS; i++) {
        unit_stop(units[i]);
        free(units[i], M_MINI);
        units[i] = NULL;
    }
}
