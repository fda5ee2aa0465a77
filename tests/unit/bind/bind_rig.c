/* SPDX-License-Identifier: BSD-2-Clause */
#include "bind_rig.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define PIDS_PHYS      UINT64_C(0x520000000)

/* The host form of interrupt i: vector 51h + i % 128, x2APIC id 7. */
#define HOST_VECTOR(i) ((uint8_t)(0x51 + (i) % 128))

enum {
    PRESENT = 1,
    POSTED = 0x8000,
};

/* The tables. */

static bool refused(struct rig *r)
{
    r->calls++;
    return r->refuse != 0 && r->calls >= r->refuse && r->calls <= r->refuse_to;
}

static int table_begin(void *ctx, struct vtdpi_flush *flush)
{
    struct rig_table *t = ctx;

    assert_int_equal(flush->used, 0);
    return refused(t->rig) ? RIG_REFUSED : 0;
}

static int table_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                         const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement)
{
    struct rig_table *t = ctx;

    (void)flush;
    if (refused(t->rig))
        return RIG_REFUSED;
    if (t->no_posting && (replacement->lo & POSTED) != 0)
        return VTDPI_ENOPI;
    assert_in_range(index, RIG_FIRST, RIG_ENTRIES - 1);
    if (old != NULL)
        assert_memory_equal(&t->entry[index], old, sizeof(*old));
    t->entry[index] = *replacement;
    t->writes++;
    /* What is not present is not cached. */
    if ((t->used[index].lo & PRESENT) == 0)
        t->used[index] = *replacement;
    return 0;
}

static int table_invalidate(void *ctx, struct vtdpi_flush *flush,
                            uint32_t first, uint32_t count)
{
    struct rig_table *t = ctx;

    if (refused(t->rig))
        return RIG_REFUSED;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static void table_use(struct rig_table *t, struct vtdpi_flush *flush,
                      uint32_t index, bool *retired)
{
    if ((t->used[index].lo & (PRESENT | POSTED)) == (PRESENT | POSTED) &&
        memcmp(&t->used[index], &t->entry[index], sizeof(t->used[0])) != 0) {
        /* Postings in flight: only a drain lets them land. */
        assert_true(flush->drain);
        *retired = true;
    }
    t->used[index] = t->entry[index];
}

static int table_commit(void *ctx, struct vtdpi_flush *flush)
{
    struct rig_table *t = ctx;
    bool retired = false;

    if (refused(t->rig))
        return RIG_REFUSED;
    if (flush->global || flush->used != 0)
        t->commits++;
    for (uint32_t i = 0; i < RIG_ENTRIES && flush->global; i++)
        table_use(t, flush, i, &retired);
    for (uint32_t i = 0; i < flush->used; i++) {
        for (uint32_t j = 0; j < flush->ranges[i].count; j++)
            table_use(t, flush, flush->ranges[i].first + j, &retired);
    }
    return 0;
}

static const struct vtdpi_backend_ops table_ops = {
    .begin = table_begin,
    .replace = table_replace,
    .invalidate = table_invalidate,
    .commit = table_commit,
};

/* The host. */

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    struct rig *r = ctx;

    (void)apic_id;
    (void)vector;
    r->ipis++;
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
}

static void sched_new(struct rig *r)
{
    struct vtdpi_sched_params params = {
        .max_pages = 1,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    r->ops.send_ipi = send_ipi;
    r->ops.wake = wake;
    params.ops = &r->ops;
    params.ctx = r;
    params.pages = &r->page_slot;
    params.pcpus = &r->pcpu_slot;
    r->pids = aligned_alloc(4096, 4096);
    assert_non_null(r->pids);
    assert_int_equal(vtdpi_sched_init(&r->sched, &params), 0);
    assert_int_equal(
        vtdpi_sched_add_page(&r->sched, 0, &r->page, r->pids, PIDS_PHYS), 0);
    assert_int_equal(vtdpi_pcpu_init(&r->sched, &r->pcpu, 0, 3, r->bitmap), 0);
    vtdpi_pcpu_online(&r->pcpu);
}

static struct rig_table *table_of(struct rig *r, unsigned int i)
{
    return &r->table[i / (RIG_IRQS / RIG_TABLES)];
}

static void irq_new(struct rig *r, unsigned int i)
{
    const struct vtdpi_source source = vtdpi_source_exact(0x310, VTDPI_SQ_ALL);
    const struct vtdpi_irte_remapped host = {
        .present = true,
        .vector = HOST_VECTOR(i),
        .mode = VTDPI_X2APIC,
        .dst = 7,
    };

    assert_int_equal(vtdpi_irq_init(&r->irq[i], &table_of(r, i)->backend,
                                    RIG_FIRST + i % (RIG_IRQS / RIG_TABLES),
                                    &source, NULL),
                     0);
    assert_int_equal(vtdpi_irq_set_host(&r->irq[i], &host), 0);
}

static void vm_new(struct rig *r)
{
    const struct vtdpi_vm_params params = {
        .apics = r->map_apics,
        .keys = r->map_keys,
        .vcpus = r->map_vcpus,
        .vcpu_count = RIG_VCPUS,
        .heads = r->heads,
        .buckets = RIG_BUCKETS,
        .form = r->form,
        .posting = true,
        .vector_min = r->vector_min,
    };

    assert_int_equal(vtdpi_vm_init(&r->vm, &params), 0);
    r->posting = true;
}

struct rig *rig_new(enum vtdpi_compat_dest form)
{
    return rig_new_least(form, 0);
}

struct rig *rig_new_least(enum vtdpi_compat_dest form, uint8_t vector_min)
{
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->form = form;
    r->vector_min = vector_min;
    sched_new(r);
    for (unsigned int t = 0; t < RIG_TABLES; t++) {
        r->table[t].rig = r;
        r->table[t].backend = (struct vtdpi_backend){
            .ops = &table_ops,
            .ctx = &r->table[t],
            .mode = VTDPI_X2APIC,
            .haw = 46,
        };
    }
    vm_new(r);
    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        irq_new(r, i);
        rig_bind(r, i);
    }
    assert_cost(r, RIG_IRQS, 0);
    r->calls = 0;
    return r;
}

void rig_free(struct rig *r)
{
    free(r->pids);
    free(r);
}

int rig_setup(void **state)
{
    *state = rig_new(VTDPI_COMPAT_DEST_32);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *r = *state;

    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        if (r->bound[i])
            assert_int_equal(rig_unbind(r, i), 0);
    }
    for (unsigned int i = 0; i < RIG_VCPUS; i++) {
        assert_int_equal(rig_detach(r, i), 0);
        assert_int_equal(vtdpi_vcpu_refs(&r->vcpu[i]), 0);
        assert_int_equal(vtdpi_vcpu_holds(&r->vcpu[i]), 0);
        if (vtdpi_vcpu_attached(&r->vcpu[i]))
            assert_int_equal(vtdpi_vcpu_detach(&r->vcpu[i]), 0);
    }
    rig_free(r);
    return 0;
}

/* What the guest writes. */

struct vtdpi_msi msi_to(uint32_t dest, uint8_t vector)
{
    const struct vtdpi_msi msi = {UINT32_C(0xfee00000) | (dest & 0xff) << 12,
                                  dest & 0xffffff00, vector};

    return msi;
}

struct vtdpi_msi msi_logical(uint32_t dest, uint8_t vector)
{
    struct vtdpi_msi msi = msi_to(dest, vector);

    msi.address_lo |= 4;
    return msi;
}

struct vtdpi_msi msi_lowest(uint32_t dest, uint8_t vector)
{
    struct vtdpi_msi msi = msi_logical(dest, vector);

    msi.data |= 0x100;
    return msi;
}

struct vtdpi_guest_apic x2apic(uint32_t id)
{
    const struct vtdpi_guest_apic apic = {
        .id = id,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    return apic;
}

struct vtdpi_guest_apic flat(uint32_t id, uint8_t ldr)
{
    const struct vtdpi_guest_apic apic = {
        .id = id,
        .ldr = (uint32_t)ldr << 24,
        .mode = VTDPI_GUEST_XAPIC_FLAT,
        .enabled = true,
    };

    return apic;
}

struct vtdpi_guest_apic cluster(uint32_t id, uint8_t ldr)
{
    struct vtdpi_guest_apic apic = flat(id, ldr);

    apic.mode = VTDPI_GUEST_XAPIC_CLUSTER;
    return apic;
}

/* The calls. */

static int apply_one(struct rig *r, struct vtdpi_binding *b, int rc)
{
    return r->held ? rc : vm_apply_one(b, rc);
}

static int apply_all(struct rig *r, int rc)
{
    return r->held ? rc : vm_apply_all(&r->vm, rc);
}

void rig_hold(struct rig *r)
{
    r->held = true;
}

int rig_update(struct rig *r)
{
    r->held = false;
    vtdpi_vm_retry(&r->vm);
    return apply_all(r, 0);
}

int rig_block(struct rig *r, struct vtdpi_binding *const *b, uint32_t count,
              const struct vtdpi_msi *msi)
{
    const int rc = vtdpi_binding_set_block(b, count, msi);

    return rc != 0 || r->held ? rc : vm_apply(&r->vm, b, count);
}

int rig_message(struct rig *r, unsigned int i, const struct vtdpi_msi *msi)
{
    const struct vtdpi_msi none = {0, 0, 0};

    if (r->leaving[i])
        return rig_unbind(r, i);
    r->has_under_mask[i] = msi != NULL;
    r->under_mask[i] = msi != NULL ? *msi : none;
    if (msi == NULL || !r->masked[i]) {
        r->has[i] = r->has_under_mask[i];
        r->msi[i] = r->under_mask[i];
    }
    return apply_one(r, &r->b[i], vtdpi_binding_set_message(&r->b[i], msi));
}

int rig_apic(struct rig *r, unsigned int vcpu, struct vtdpi_guest_apic apic)
{
    r->apic[vcpu] = apic;
    return apply_all(r, vtdpi_vm_set_apic(&r->vm, vcpu, &apic));
}

int rig_attach(struct rig *r, unsigned int vcpu)
{
    struct vtdpi_vcpu *v = &r->vcpu[vcpu];

    if (!vtdpi_vcpu_attached(v))
        assert_int_equal(vtdpi_vcpu_attach(&r->sched, v, vcpu, v), 0);
    r->attached[vcpu] = true;
    return apply_all(r, vtdpi_vm_attach(&r->vm, vcpu, v));
}

int rig_detach(struct rig *r, unsigned int vcpu)
{
    r->attached[vcpu] = false;
    return apply_all(r, vtdpi_vm_detach(&r->vm, vcpu));
}

int rig_posting(struct rig *r, bool on)
{
    r->posting = on;
    return apply_all(r, vtdpi_vm_set_posting(&r->vm, on));
}

void rig_mask(struct rig *r, unsigned int i)
{
    r->masked[i] = true;
    vtdpi_binding_mask(&r->b[i]);
}

int rig_unmask(struct rig *r, unsigned int i)
{
    if (r->leaving[i])
        return rig_unbind(r, i);
    r->masked[i] = false;
    r->has[i] = r->has_under_mask[i];
    r->msi[i] = r->under_mask[i];
    return apply_one(r, &r->b[i], vtdpi_binding_unmask(&r->b[i]));
}

int rig_unbind(struct rig *r, unsigned int i)
{
    const int rc = vm_unbind(&r->b[i]);

    r->has[i] = false;
    r->has_under_mask[i] = false;
    r->bound[i] = rc != 0;
    r->leaving[i] = rc != 0;
    return rc;
}

void rig_bind(struct rig *r, unsigned int i)
{
    assert_int_equal(vtdpi_vm_bind(&r->vm, &r->b[i], &r->irq[i], true), 0);
    r->bound[i] = true;
    r->masked[i] = false;
    r->has[i] = false;
    r->has_under_mask[i] = false;
}

void rig_vcpus(struct rig *r, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        assert_int_equal(rig_apic(r, i, x2apic(i)), 0);
        assert_int_equal(rig_attach(r, i), 0);
    }
}

/* The judge. */

/* Every APIC is asked; in ascending order of id, then of number. */
static bool next_apic(void *ctx, const struct vtdpi_compat_msi *msg,
                      struct vtdpi_route_cursor *cursor,
                      struct vtdpi_route_candidate *out)
{
    const struct rig *r = ctx;
    uint64_t best = UINT64_MAX;

    for (uint32_t i = 0; i < RIG_VCPUS; i++) {
        const uint64_t place = (uint64_t)r->apic[i].id << 8 | i;
        const bool seen =
            cursor->word[0] != 0 &&
            place <= ((uint64_t)cursor->word[1] << 8 | cursor->word[2]);

        if (seen || place >= best ||
            !vtdpi_guest_apic_matches(&r->apic[i], msg))
            continue;
        best = place;
    }
    if (best == UINT64_MAX)
        return false;
    cursor->word[0] = 1;
    cursor->word[1] = (uint32_t)(best >> 8);
    cursor->word[2] = (uint32_t)(best & 0xff);
    out->vcpu = cursor->word[2];
    out->mode = r->apic[out->vcpu].mode;
    out->enabled = r->apic[out->vcpu].enabled;
    out->attached = r->attached[out->vcpu];
    return true;
}

static struct vtdpi_route_decision expected(struct rig *r, unsigned int i)
{
    static const struct vtdpi_apic_set_ops ops = {next_apic};
    const struct vtdpi_apic_set set = {&ops, r};
    const struct vtdpi_route_options options = {
        .form = r->form,
        .posting = r->posting,
        .vector_min = r->vector_min,
    };
    const struct vtdpi_route_decision none = {
        .kind = VTDPI_ROUTE_REMAP,
        .reason = VTDPI_ROUTE_NO_MESSAGE,
    };

    return r->has[i] ? vtdpi_route_decide(&set, &r->msi[i], &options) : none;
}

unsigned int rig_refs(const struct rig *r, unsigned int vcpu)
{
    assert_int_equal(vtdpi_vcpu_holds(&r->vcpu[vcpu]), r->attached[vcpu]);
    return vtdpi_vcpu_refs(&r->vcpu[vcpu]);
}

void rig_check_decisions(struct rig *r)
{
    unsigned int count[VTDPI_ROUTE_REASONS] = {0};
    struct vtdpi_vm_stats stats;
    unsigned int bound = 0;

    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        const struct vtdpi_route_decision want = expected(r, i);
        struct vtdpi_route_decision d;

        if (!r->bound[i])
            continue;
        d = vtdpi_binding_decision(&r->b[i]);
        assert_int_equal(d.kind, want.kind);
        assert_int_equal(d.reason, want.reason);
        assert_int_equal(d.vcpu, want.vcpu);
        assert_int_equal(d.vector, want.vector);
        count[d.reason]++;
        bound++;
    }
    for (int i = 0; i < VTDPI_ROUTE_REASONS; i++)
        assert_int_equal(vtdpi_vm_count(&r->vm, (enum vtdpi_route_reason)i),
                         count[i]);
    vtdpi_vm_get_stats(&r->vm, &stats);
    assert_int_equal(stats.bindings, bound);
}

/* The entry as its words: posted to a vCPU, or in the host form. */
static struct vtdpi_irte words(unsigned int i,
                               const struct vtdpi_route_decision *d)
{
    const uint64_t pda = PIDS_PHYS + UINT64_C(64) * d->vcpu;
    const struct vtdpi_irte host = {UINT64_C(0x0000000700000001) |
                                        (uint64_t)HOST_VECTOR(i) << 16,
                                    UINT64_C(0x0000000000040310)};
    const struct vtdpi_irte posted = {
        UINT64_C(0x8001) | (uint64_t)d->vector << 16 |
            (pda >> 6 & 0x3ffffff) << 38,
        UINT64_C(0x0000000000040310) | pda >> 32 << 32};

    return d->kind == VTDPI_ROUTE_POST ? posted : host;
}

static void check_entry(struct rig *r, unsigned int i)
{
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);
    const struct vtdpi_irte want = words(i, &d);
    const uint32_t index = vtdpi_irq_index(&r->irq[i]);
    const struct rig_table *t = table_of(r, i);

    assert_int_equal(t->entry[index].lo, want.lo);
    assert_int_equal(t->entry[index].hi, want.hi);
    assert_memory_equal(&t->used[index], &want, sizeof(want));
    assert_false(vtdpi_irq_is_dirty(&r->irq[i]));
    assert_false(vtdpi_binding_is_pending(&r->b[i]));
}

void rig_check(struct rig *r)
{
    unsigned int refs[RIG_VCPUS] = {0};
    struct vtdpi_vm_stats stats;

    rig_check_decisions(r);
    vtdpi_vm_get_stats(&r->vm, &stats);
    assert_int_equal(stats.due, 0);
    assert_int_equal(stats.failed, 0);
    for (unsigned int i = 0; i < RIG_IRQS; i++) {
        const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);

        if (!r->bound[i])
            continue;
        check_entry(r, i);
        if (d.kind == VTDPI_ROUTE_POST)
            refs[d.vcpu]++;
    }
    for (unsigned int v = 0; v < RIG_VCPUS; v++)
        assert_int_equal(rig_refs(r, v), refs[v]);
}

static void check_reference(struct rig *r, const struct vtdpi_irte *irte)
{
    const uint64_t pda = (irte->lo >> 38) << 6 | irte->hi >> 32 << 32;
    const uint64_t vcpu = (pda - PIDS_PHYS) / 64;

    if ((irte->lo & (PRESENT | POSTED)) != (PRESENT | POSTED))
        return;
    assert_true(vcpu < RIG_VCPUS);
    assert_true(rig_refs(r, (unsigned int)vcpu) > 0);
}

void rig_check_held(struct rig *r)
{
    for (unsigned int t = 0; t < RIG_TABLES; t++) {
        for (unsigned int i = 0; i < RIG_ENTRIES; i++) {
            check_reference(r, &r->table[t].entry[i]);
            check_reference(r, &r->table[t].used[i]);
        }
    }
}

void assert_cost(struct rig *r, unsigned int writes, unsigned int commits)
{
    unsigned int w = 0;
    unsigned int c = 0;

    for (unsigned int t = 0; t < RIG_TABLES; t++) {
        w += r->table[t].writes;
        c += r->table[t].commits;
        r->table[t].writes = 0;
        r->table[t].commits = 0;
    }
    assert_int_equal(w, writes);
    assert_int_equal(c, commits);
}

void assert_post(struct rig *r, unsigned int i, unsigned int vcpu,
                 uint8_t vector)
{
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);

    assert_int_equal(d.kind, VTDPI_ROUTE_POST);
    assert_int_equal(d.reason, VTDPI_ROUTE_POSTABLE);
    assert_int_equal(d.vcpu, vcpu);
    assert_int_equal(d.vector, vector);
    check_entry(r, i);
}

void assert_host(struct rig *r, unsigned int i, enum vtdpi_route_reason why)
{
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&r->b[i]);

    assert_int_not_equal(d.kind, VTDPI_ROUTE_POST);
    assert_int_equal(d.reason, why);
    check_entry(r, i);
}
