/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt-remapping table entries: memory, what the unit sees of it, and the
 * interrupt entry cache. Read struct vtdpi_model_view in vtdpi/model.h, then
 * the order of files in internal.h.
 */
#include "internal.h"

#define ENTRY_SIZE  16u
#define CACHE_LINE  64u

/* Reserved bits of an entry, by format. */
#define REMAPPED_LO (VTDPI_BITS64(14, 12) | VTDPI_BITS64(31, 24))
#define REMAPPED_HI VTDPI_BITS64(63, 20)
#define POSTED_LO                                                       \
    (VTDPI_BITS64(7, 2) | VTDPI_BITS64(13, 12) | VTDPI_BITS64(31, 24) | \
     VTDPI_BITS64(37, 32))
#define POSTED_HI     VTDPI_BITS64(31, 20)

#define DLM_RESERVED1 3
#define DLM_RESERVED2 6
#define SVT_RESERVED  3

void vtdpi_model_view_init(struct vtdpi_model_view *v, uint64_t phys,
                           const void *cpu, void *shadow, size_t size)
{
    v->phys = phys;
    v->cpu = cpu;
    v->shadow = shadow;
    v->size = size;
    /* A pattern with P and reserved bits set and FPD clear: using such an entry
     * is a fault, and is recorded. */
    for (size_t i = 0; i < size / 8; i++)
        vtdpi_atomic_store64_relaxed(&v->shadow[i],
                                     UINT64_C(0xfdfdfdfdfdfdfdfd));
}

/* Where the unit finds the entry at @p phys; NULL if nothing answers. */
static const uint64_t *entry_locate(const struct vtdpi_model *m, uint64_t phys)
{
    if ((m->params.ecap & VTDPI_ECAP_C) == 0) {
        for (uint32_t i = 0; i < m->params.view_count; i++) {
            const struct vtdpi_model_view *v = &m->params.views[i];

            if (phys >= v->phys && phys - v->phys < v->size)
                return &v->shadow[(phys - v->phys) / 8];
        }
    }
    return vtdpi_model_map_(m, phys, ENTRY_SIZE);
}

/*
 * A unit reads an entry in one piece. Here both words are read twice, by turns: if
 * they are equal, they were there at the same time, unless the entry was changed
 * three times in between. There is no locked operation, because a unit never writes
 * an entry.
 */
static void entry_read(const uint64_t *from, uint64_t irte[2])
{
    uint64_t again[2];

    do {
        irte[0] = vtdpi_atomic_load64(&from[0]);
        irte[1] = vtdpi_atomic_load64(&from[1]);
        again[0] = vtdpi_atomic_load64(&from[0]);
        again[1] = vtdpi_atomic_load64(&from[1]);
    } while (irte[0] != again[0] || irte[1] != again[1]);
}

static bool entry_read_table(struct vtdpi_model *m, uint32_t index,
                             uint64_t irte[2])
{
    const uint64_t *from;

    vtdpi_model_step_(m, VTDPI_MODEL_STEP_IRTE);
    if (fault_on(m, VTDPI_MODEL_FAULT_TABLE_ACCESS))
        return false;
    from = entry_locate(m, (m->irta_latched & VTDPI_IRTA_BASE) +
                               (uint64_t)index * ENTRY_SIZE);
    if (from == NULL)
        return false;
    entry_read(from, irte);
    return true;
}

static bool entry_remapped_valid(const struct vtdpi_model *m,
                                 const uint64_t irte[2])
{
    const uint64_t dlm = VTDPI_FIELD_GET(irte[0], VTDPI_IRTE_LO_DLM);
    uint64_t reserved = REMAPPED_LO;

    if (!extended_mode(m))
        reserved |= VTDPI_IRTE_LO_DST & ~VTDPI_IRTE_LO_DST_XAPIC;
    return (irte[0] & reserved) == 0 && (irte[1] & REMAPPED_HI) == 0 &&
           dlm != DLM_RESERVED1 && dlm != DLM_RESERVED2;
}

static bool entry_posted_valid(const struct vtdpi_model *m,
                               const uint64_t irte[2])
{
    const uint32_t width = m->params.host_address_width;
    const uint64_t pda_high = VTDPI_FIELD_GET(irte[1], VTDPI_IRTE_HI_PDA);

    if ((m->params.cap & VTDPI_CAP_PI) == 0)
        return false; /* The format bit itself is reserved. */
    if (width > 32 && width < 64 && pda_high >> (width - 32) != 0)
        return false;
    return (irte[0] & POSTED_LO) == 0 && (irte[1] & POSTED_HI) == 0;
}

bool vtdpi_model_entry_valid_(const struct vtdpi_model *m,
                              const uint64_t irte[2])
{
    if (VTDPI_FIELD_GET(irte[1], VTDPI_IRTE_HI_SVT) == SVT_RESERVED)
        return false;
    return (irte[0] & VTDPI_IRTE_LO_IM) != 0 ? entry_posted_valid(m, irte)
                                             : entry_remapped_valid(m, irte);
}

/* Caching mode: what is not present or ill-formed may be cached, too. */
static bool entry_cacheable(const struct vtdpi_model *m, const uint64_t irte[2])
{
    return (m->params.cap & VTDPI_CAP_CM) != 0 ||
           ((irte[0] & VTDPI_IRTE_LO_P) != 0 &&
            vtdpi_model_entry_valid_(m, irte));
}

static void iec_insert(struct vtdpi_model *m, uint32_t index,
                       const uint64_t irte[2])
{
    struct vtdpi_model_iec_entry *e;

    if (m->params.iec_slots == 0 || !entry_cacheable(m, irte))
        return;
    e = &m->params.iec[index % m->params.iec_slots];
    if (e->valid != 0 && fault_on(m, VTDPI_MODEL_FAULT_IEC_STICKY))
        return;
    *e = (struct vtdpi_model_iec_entry){irte[0], irte[1], index, 1};
}

bool vtdpi_model_iec_lookup(const struct vtdpi_model *m, uint32_t index,
                            uint64_t out[2])
{
    const struct vtdpi_model_iec_entry *e;

    if (m->params.iec_slots == 0)
        return false;
    e = &m->params.iec[index % m->params.iec_slots];
    if (e->valid == 0 || e->index != index)
        return false;
    if (out != NULL) {
        out[0] = e->lo;
        out[1] = e->hi;
    }
    return true;
}

static void iec_evict_by_chance(struct vtdpi_model *m, uint32_t index)
{
    const uint64_t period = m->fault_arg[VTDPI_MODEL_FAULT_IEC_EVICT];

    if (fault_on(m, VTDPI_MODEL_FAULT_IEC_EVICT) && period != 0 &&
        vtdpi_model_random_(m) % period == 0)
        vtdpi_model_iec_invalidate_(m, index, 1);
}

bool vtdpi_model_entry_(struct vtdpi_model *m, uint32_t index, uint64_t irte[2],
                        bool *from_cache)
{
    iec_evict_by_chance(m, index);
    *from_cache = vtdpi_model_iec_lookup(m, index, irte);
    if (*from_cache) {
        m->counters.iec_hits++;
        return true;
    }
    m->counters.iec_misses++;
    if (!entry_read_table(m, index, irte))
        return false;
    iec_insert(m, index, irte);
    return true;
}

bool vtdpi_model_iec_prefetch(struct vtdpi_model *m, uint32_t index)
{
    const uint64_t entries = UINT64_C(2)
                             << VTDPI_FIELD_GET(m->irta_latched, VTDPI_IRTA_S);
    uint64_t irte[2];
    bool cached;

    vtdpi_model_enter_(m);
    cached = vtdpi_model_iec_lookup(m, index, NULL);
    if (!cached && !fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES) &&
        index < entries && entry_read_table(m, index, irte)) {
        iec_insert(m, index, irte);
        cached = vtdpi_model_iec_lookup(m, index, NULL);
    }
    vtdpi_model_leave_(m);
    return cached;
}

void vtdpi_model_iec_invalidate_(struct vtdpi_model *m, uint32_t index,
                                 uint32_t count)
{
    for (uint32_t i = 0; i < m->params.iec_slots; i++) {
        struct vtdpi_model_iec_entry *e = &m->params.iec[i];

        if (e->valid != 0 && e->index - index < count)
            e->valid = 0;
    }
}

void vtdpi_model_iec_invalidate_all_(struct vtdpi_model *m)
{
    for (uint32_t i = 0; i < m->params.iec_slots; i++)
        m->params.iec[i].valid = 0;
}

void vtdpi_model_table_stored(struct vtdpi_model *m, uint32_t index,
                              const uint64_t before[2])
{
    const uint64_t phys = (m->irta_latched & VTDPI_IRTA_BASE) + index * 16ull;
    const uint64_t *now;

    vtdpi_model_enter_(m);
    now = vtdpi_model_map_(m, phys, 16);
    if (now == NULL || (before[0] & now[0] & VTDPI_IRTE_LO_P) == 0) {
        if (m->stored == index + 1)
            m->stored = 0; /* any number of stores is allowed */
    } else if (before[0] != now[0] || before[1] != now[1]) {
        if (m->stored == index + 1)
            vtdpi_model_violate_(m, VTDPI_MODEL_TABLE_STORE, index, before[0]);
        m->stored = index + 1;
    }
    vtdpi_model_leave_(m);
}

static void view_clean_pair(uint64_t *shadow, const uint64_t *cpu)
{
    uint64_t seen[2];
    uint64_t now[2];

    do {
        entry_read(cpu, now);
        entry_read(shadow, seen);
        /* In one piece, for a unit that reads it at the same time. */
    } while (VTDPI_HAVE_CX16 && !vtdpi_atomic_cas128(shadow, seen, now));
    if (!VTDPI_HAVE_CX16) {
        vtdpi_atomic_store64_relaxed(&shadow[0], now[0]);
        vtdpi_atomic_store64_release(&shadow[1], now[1]);
    }
}

/* Write the lines of [first, last], offsets in the view, back. */
static void view_clean_lines(const struct vtdpi_model_view *v, size_t first,
                             size_t last)
{
    const size_t end = (last / CACHE_LINE + 1) * CACHE_LINE / 8;

    for (size_t i = first / CACHE_LINE * CACHE_LINE / 8; i < end; i += 2)
        view_clean_pair(&v->shadow[i], &v->cpu[i]);
}

void vtdpi_model_clean_(struct vtdpi_model *m, const void *p, size_t len)
{
    const uintptr_t from = (uintptr_t)p;

    m->counters.cleans++;
    if (p == NULL || len == 0) {
        vtdpi_model_violate_(m, VTDPI_MODEL_CLEAN_EMPTY, 0, len);
        return;
    }
    m->counters.clean_lines +=
        (from + len - 1) / CACHE_LINE - from / CACHE_LINE + 1;
    for (uint32_t i = 0; i < m->params.view_count; i++) {
        const struct vtdpi_model_view *v = &m->params.views[i];
        const uintptr_t low = (uintptr_t)v->cpu;
        const uintptr_t high = low + v->size;

        if (from < high && from + len > low)
            view_clean_lines(v, from > low ? from - low : 0,
                             (from + len < high ? from + len : high) - low - 1);
    }
}
