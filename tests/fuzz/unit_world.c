/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit_world.h"

#include <stdlib.h>
#include <string.h>

/* Other memory of the machine, in pages. */
#define SECOND_PHYS        MACHINE_EXTRA_PHYS
#define FOREIGN_TABLE_PHYS (MACHINE_EXTRA_PHYS + 4096)

enum {
    EXTRA_BYTES = 3 * 4096,
    FOREIGN_QUEUE = 2 * 4096,
    FOREIGN_QUEUE_USED = 16,
    FREE_PID = 0xa5, /* in the descriptor of a vCPU that is detached */
    ADOPTED = 4,     /* entries that a table is adopted with */
};

uint32_t input_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

uint32_t input_below(struct input *in, uint32_t n)
{
    return input_byte(in) % n;
}

struct vtdpi_unit *unit_of(struct fuzz *f, uint32_t u)
{
    return &f->m->unit[u];
}

struct vtdpi_qi *queue_of(struct fuzz *f, uint32_t u)
{
    return vtdpi_unit_qi(unit_of(f, u));
}

bool is_in(struct fuzz *f, uint32_t u, enum vtdpi_unit_state state)
{
    return vtdpi_unit_state(unit_of(f, u)) == state;
}

bool table_has_units(const struct fuzz *f, uint32_t table)
{
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        if (f->units[u].table == table)
            return true;
    }
    return false;
}

/*
 * Hardware.
 */

struct vtdpi_model *model_of(struct fuzz *f, uint32_t u)
{
    return &f->m->model[u];
}

uint32_t gsts_of(const struct fuzz *f, uint32_t u)
{
    return (uint32_t)vtdpi_model_peek(&f->m->model[u], VTDPI_GSTS_REG);
}

bool reads_all_ones(const struct fuzz *f, uint32_t u)
{
    return vtdpi_model_fault_is_on(&f->m->model[u], VTDPI_MODEL_FAULT_ALL_ONES);
}

void hardware_reset(struct fuzz *f, uint32_t u)
{
    support_check(vtdpi_model_init(model_of(f, u), &f->m->params.model[u]) ==
                  0);
    vtdpi_model_set_clock_step(model_of(f, u), CLOCK_STEP_US);
    f->units[u].lost = false;
    f->units[u].harmed = false;
    for (uint32_t i = 0; i < TICKETS; i++)
        f->units[u].tickets[i].global = false; /* counting begins anew */
}

static void hardware_command(struct vtdpi_model *model, uint64_t bit)
{
    const uint64_t lasting = VTDPI_GSTS_TES | VTDPI_GSTS_QIES | VTDPI_GSTS_IRES;
    const uint64_t gsts = vtdpi_model_peek(model, VTDPI_GSTS_REG);

    vtdpi_model_write32(model, VTDPI_GCMD_REG,
                        (uint32_t)((gsts & lasting) | bit));
}

/* With its own queue, from which it drops what is cached. */
static void hardware_enable(struct fuzz *f, uint32_t u, uint64_t irta)
{
    struct vtdpi_model *model = model_of(f, u);
    struct vtdpi_qi_desc drop;

    vtdpi_qi_encode_iec_global(&drop);
    memcpy(f->m->extra + FOREIGN_QUEUE, drop.qw, FOREIGN_QUEUE_USED);
    vtdpi_model_write64(model, VTDPI_IQT_REG, 0);
    vtdpi_model_write64(model, VTDPI_IQA_REG,
                        MACHINE_EXTRA_PHYS + FOREIGN_QUEUE);
    hardware_command(model, VTDPI_GCMD_QIE);
    vtdpi_model_write64(model, VTDPI_IRTA_REG, irta);
    hardware_command(model, VTDPI_GCMD_SIRTP);
    vtdpi_model_write64(model, VTDPI_IQT_REG, FOREIGN_QUEUE_USED);
    hardware_command(model, VTDPI_GCMD_IRE);
    vtdpi_model_clear_violations(model);
}

void hardware_take(struct fuzz *f, uint32_t u)
{
    hardware_enable(f, u,
                    FOREIGN_TABLE_PHYS | VTDPI_IRTA_EIME |
                        VTDPI_FIELD_PUT(4, VTDPI_IRTA_S));
}

void hardware_heal(struct fuzz *f, uint32_t u)
{
    struct vtdpi_model *model = model_of(f, u);

    for (int mode = 0; mode < VTDPI_MODEL_FAULTS; mode++) {
        if (mode != VTDPI_MODEL_FAULT_ALL_ONES || !f->units[u].gone)
            vtdpi_model_clear_fault(model, (enum vtdpi_model_fault)mode);
    }
    vtdpi_model_tick(model, 1);
}

void hardware_post_late(struct fuzz *f, uint32_t u)
{
    vtdpi_model_set_fault(model_of(f, u), VTDPI_MODEL_FAULT_POST_LATE, 0);
}

/*
 * Setting up.
 */

static uint64_t choose_cap(struct input *in)
{
    const uint32_t bits = input_byte(in);
    uint64_t cap = MACHINE_CAP & ~VTDPI_CAP_RWBF;

    if ((bits & 1) != 0)
        cap |= VTDPI_CAP_CM;
    if ((bits & 2) != 0)
        cap |= VTDPI_CAP_RWBF;
    if ((bits & 4) != 0)
        cap |= VTDPI_CAP_ESIRTPS;
    if ((bits & 0x38) == 0x38)
        cap &= ~VTDPI_CAP_PI;
    return cap;
}

static uint64_t choose_ecap(struct input *in)
{
    const uint32_t bits = input_byte(in);
    uint64_t ecap = MACHINE_ECAP | VTDPI_ECAP_DT | VTDPI_ECAP_SMTS;

    ecap &= ~VTDPI_ECAP_MHMV;
    ecap |= VTDPI_FIELD_PUT(bits & 15, VTDPI_ECAP_MHMV);
    if ((bits & 16) != 0)
        ecap &= ~VTDPI_ECAP_C;
    if ((bits & 32) != 0)
        ecap &= ~VTDPI_ECAP_SMTS;
    return ecap;
}

static void machine_choose(struct fuzz *f, struct machine_params *params)
{
    *params = (struct machine_params){
        .units = 1 + input_below(&f->in, UNITS),
        .entries = ENTRIES,
        .submitters = 4,
        .vcpus = MACHINE_VCPUS,
        .extra = EXTRA_BYTES,
    };
    for (uint32_t u = 0; u < params->units; u++) {
        params->model[u] = (struct vtdpi_model_params){
            .cap = choose_cap(&f->in),
            .ecap = choose_ecap(&f->in),
            .host_address_width = 46,
            .seed = 1 + input_byte(&f->in),
            .split_post = true,
        };
    }
}

static void second_table_up(struct fuzz *f)
{
    const size_t size = vtdpi_table_storage_size(ENTRIES);
    const struct vtdpi_table_params params = {
        .entries = (struct vtdpi_irte *)(void *)f->m->extra,
        .phys = SECOND_PHYS,
        .count = ENTRIES,
        .storage = f->second_storage = support_memory(size),
        .storage_size = size,
        .owners = f->second_owners,
        .mode = VTDPI_XAPIC,
        .haw = 46,
    };

    support_check(vtdpi_table_init(&f->second, &params) == 0);
}

/* The kernel before has left entries, and a unit that remaps with them and has
 * them in its cache. */
static void first_table_adopt(struct fuzz *f)
{
    struct machine *m = f->m;
    const struct vtdpi_irte_remapped fields = {
        .present = true,
        .vector = 0x55,
        .mode = VTDPI_X2APIC,
        .dst = HOST_APIC_ID,
        .source = vtdpi_source_exact(SID, VTDPI_SQ_ALL),
    };

    for (uint32_t i = 0; i < ADOPTED; i++)
        support_check(vtdpi_irte_encode_remapped(&fields, &m->entries[i]) == 0);
    hardware_enable(
        f, 0, TABLE_PHYS | VTDPI_IRTA_EIME | VTDPI_FIELD_PUT(4, VTDPI_IRTA_S));
    m->ops.clean(&m->model[0], m->entries, ENTRIES * sizeof(*m->entries));
    for (uint32_t i = 0; i < ENTRIES; i++)
        (void)vtdpi_model_iec_prefetch(&m->model[0], i);
    m->table_params.adopt = true;
    support_check(vtdpi_table_init(&m->table, &m->table_params) == 0);
    f->tables[0].adopted = true;
    for (uint32_t i = 0; i < ADOPTED; i++)
        f->tables[0].plain[i] = true;
    support_check(vtdpi_unit_probe(&m->unit[0], &m->ops, &m->model[0],
                                   MACHINE_WINDOW) == 0);
    /* Before an entry is changed. */
    support_check(
        vtdpi_table_add_unit(&m->table, &f->units[0].link, &m->unit[0]) == 0);
    f->units[0].table = 0;
    f->tables[0].closed = !vtdpi_unit_caps(&m->unit[0])->pi;
}

static void unit_left(struct fuzz *f, uint32_t u, uint32_t how)
{
    f->units[u].table = NOWHERE;
    vtdpi_model_set_clock_step(model_of(f, u), CLOCK_STEP_US);
    if (how == 0 && u == 0)
        first_table_adopt(f);
    else if (how == 1)
        hardware_take(f, u);
    if (how == 1)
        support_check(vtdpi_unit_probe(&f->m->unit[u], &f->m->ops,
                                       model_of(f, u), MACHINE_WINDOW) == 0);
}

void world_up(struct fuzz *f, const uint8_t *data, size_t size)
{
    struct machine_params params;

    memset(f, 0, sizeof(*f));
    f->in = (struct input){data, size};
    f->batch_table = NOWHERE;
    machine_choose(f, &params);
    f->m = machine_power_up(&params);
    second_table_up(f);
    f->tables[0].t = &f->m->table;
    f->tables[0].entries = f->m->entries;
    f->tables[1].t = &f->second;
    f->tables[1].entries = (struct vtdpi_irte *)(void *)f->m->extra;
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++)
        f->attached[v] = true;
    for (uint32_t u = 0; u < params.units; u++)
        unit_left(f, u, input_below(&f->in, 6));
    for (uint32_t i = 0; i < ENTRIES; i++)
        f->tables[0].values[i].now = f->m->entries[i];
}

void world_down(struct fuzz *f)
{
    free(f->second_storage);
    machine_free(f->m);
}

/*
 * Promises.
 */

static bool irte_is(const struct vtdpi_irte *a, const uint64_t b[2])
{
    return a->lo == b[0] && a->hi == b[1];
}

static void values_push(struct values *v, const struct vtdpi_irte *now)
{
    if (v->count < OLD_VALUES)
        v->old[v->count] = v->now;
    v->count++;
    v->now = *now;
}

static bool values_had(const struct values *v, const uint64_t irte[2])
{
    for (uint32_t i = 0; i < v->count && i < OLD_VALUES; i++) {
        if (irte_is(&v->old[i], irte))
            return true;
    }
    return v->count > OLD_VALUES;
}

static void table_look(struct fuzz_table *t)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct values *v = &t->values[i];

        if (v->now.lo != t->entries[i].lo || v->now.hi != t->entries[i].hi)
            values_push(v, &t->entries[i]);
        if (!vtdpi_table_is_dirty(t->t, i))
            v->count = 0;
    }
}

/* The table that a unit reads; NULL if that is somebody else's. */
static struct fuzz_table *table_in_use(struct fuzz *f, uint32_t u)
{
    const uint64_t base =
        vtdpi_model_latched_irta(model_of(f, u)) & VTDPI_IRTA_BASE;

    for (uint32_t i = 0; i < TABLES; i++) {
        if (vtdpi_table_phys(f->tables[i].t) == base)
            return &f->tables[i];
    }
    return NULL;
}

/* Its state says so, and nothing has happened to it since that the host knows. */
static bool unit_is_on(struct fuzz *f, uint32_t u)
{
    return vtdpi_unit_state(&f->m->unit[u]) == VTDPI_UNIT_ON &&
           !reads_all_ones(f, u) && !f->units[u].off_by_host &&
           !f->units[u].lost;
}

static bool reads_fail(struct fuzz *f, uint32_t u)
{
    const struct vtdpi_model *model = model_of(f, u);

    return vtdpi_model_fault_is_on(model, VTDPI_MODEL_FAULT_ALL_ONES) ||
           vtdpi_model_fault_is_on(model, VTDPI_MODEL_FAULT_TABLE_ACCESS) ||
           vtdpi_model_fault_is_on(model, VTDPI_MODEL_FAULT_PID_ACCESS);
}

static void check_delivered(struct fuzz *f, struct fuzz_table *t,
                            const struct vtdpi_model_result *r)
{
    const struct values *v = &t->values[r->index];
    const uint64_t vcpu = (r->pda - PIDS_PHYS) / sizeof(struct vtdpi_pid);

    support_check(vtdpi_table_is_allocated(t->t, r->index));
    support_check(irte_is(&v->now, r->irte) || values_had(v, r->irte));
    if (r->outcome != VTDPI_MODEL_REMAPPED)
        support_check(vcpu < MACHINE_VCPUS && f->attached[vcpu]);
}

static void check_blocked(struct fuzz *f, uint32_t u, struct fuzz_table *t,
                          const struct vtdpi_model_result *r)
{
    const struct values *v = &t->values[r->index];

    if (unit_is_on(f, u) && !reads_fail(f, u) &&
        !vtdpi_table_is_dirty(t->t, r->index))
        support_check((v->now.lo & VTDPI_IRTE_LO_P) == 0);
}

void world_raise(struct fuzz *f, uint32_t u, uint32_t index)
{
    const struct vtdpi_model_result r = machine_send(f->m, u, index);
    struct vtdpi_model_notification drop;
    struct fuzz_table *t = table_in_use(f, u);

    while (vtdpi_model_take_notification(model_of(f, u), 0, &drop))
        ;
    if (unit_is_on(f, u))
        support_check(r.outcome != VTDPI_MODEL_PASSED &&
                      t == &f->tables[f->units[u].table]);
    if (t == NULL)
        return;
    switch (r.outcome) {
    case VTDPI_MODEL_REMAPPED:
    case VTDPI_MODEL_POSTED:
    case VTDPI_MODEL_IN_FLIGHT:
        check_delivered(f, t, &r);
        break;
    case VTDPI_MODEL_BLOCKED:
        check_blocked(f, u, t, &r);
        break;
    default:
        break;
    }
}

void world_raise_all(struct fuzz *f)
{
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        for (uint32_t i = 0; i < ENTRIES; i++)
            world_raise(f, u, i);
    }
}

static void check_pids(const struct fuzz *f)
{
    for (uint32_t v = 0; v < MACHINE_VCPUS; v++) {
        const uint8_t *bytes = (const uint8_t *)&f->m->pids[v];

        for (size_t i = 0; !f->attached[v] && i < sizeof(*f->m->pids); i++)
            support_check(bytes[i] == FREE_PID);
    }
}

static void check_lock(struct fuzz *f, uint32_t u)
{
    const uintptr_t token = f->m->ops.lock(model_of(f, u));

    f->m->ops.unlock(model_of(f, u), token);
}

/* What fault modes, or an adoption, do to the rules by themselves. */
static bool violation_is_excused(const struct fuzz *f, uint32_t u,
                                 enum vtdpi_model_violation_kind kind)
{
    switch (kind) {
    case VTDPI_MODEL_OK:
        return true;
    case VTDPI_MODEL_COMMAND_PENDING: /* written over a command that was lost */
    case VTDPI_MODEL_COMMAND_DROPS:
    case VTDPI_MODEL_MULTI_COMMAND: /* executed between a read and the write */
    case VTDPI_MODEL_ONE_SHOT_ECHO:
        return f->units[u].lost;
    case VTDPI_MODEL_QUEUE_BUSY: /* switched off with a queue that stands still */
        return f->units[u].harmed;
    case VTDPI_MODEL_COMMAND_ORDER: /* an adopted unit's queue */
        return f->tables[0].adopted || f->units[u].lost;
    case VTDPI_MODEL_STALE_CACHE:
    case VTDPI_MODEL_QUEUE_LIVE: /* switched on by a command that was lost */
    case VTDPI_MODEL_QUEUE_TAIL:
        return f->units[u].lost;
    default:
        return false;
    }
}

static void check_model(struct fuzz *f, uint32_t u)
{
    struct vtdpi_model *model = model_of(f, u);
    enum vtdpi_model_violation_kind kind;

    check_lock(f, u);
    kind = vtdpi_model_first_violation(model).kind;
    if (!violation_is_excused(f, u, kind))
        support_fail(__FILE__, __LINE__, vtdpi_model_violation_name(kind));
    vtdpi_model_clear_violations(model);
}

void world_check(struct fuzz *f)
{
    for (uint32_t i = 0; i < TABLES; i++)
        table_look(&f->tables[i]);
    for (uint32_t u = 0; u < f->m->params.units; u++)
        check_model(f, u);
    check_pids(f);
}
