/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt-remapping table: its indexes, changes of its entries, the units
 * that use it, and the backend for irq.h. Read table.h first; table_dirty.h for
 * the order of the marks against changes and flushes; table_commit.c for the
 * flush itself; index.h for the allocator.
 *
 * A change goes mark, entry, line, flush, mark away: entry_change(), then
 * vtdpi_table_commit_(), then dirty_clear().
 */
#include "vtdpi/table.h"

#include "internal.h"
#include "table_commit.h"
#include "table_dirty.h"
#include "vtdpi/atomic.h"

/* Attempts at an entry that somebody else keeps changing, against the rules. */
#define ENTRY_REPLACE_TRIES 16

/* Set up. */

size_t vtdpi_table_storage_size(uint32_t count)
{
    const size_t index = vtdpi_index_storage_size(count);

    return index == 0 ? 0 : index + dirty_words(count) * sizeof(uint64_t);
}

static int params_check(const struct vtdpi_table_params *p)
{
    const size_t storage_size = vtdpi_table_storage_size(p->count);
    uint64_t size;

    if (p->entries == NULL || p->storage == NULL || storage_size == 0 ||
        !vtdpi_apic_mode_ok_(p->mode) || !vtdpi_haw_ok_(p->haw))
        return VTDPI_EINVAL;
    size = (uint64_t)p->count * sizeof(struct vtdpi_irte);
    if (!vtdpi_is_aligned_(p->entries, sizeof(struct vtdpi_irte)) ||
        !vtdpi_is_aligned_(p->storage, sizeof(uint64_t)) ||
        p->phys % VTDPI_PAGE_BYTES_ != 0 || p->phys % size != 0)
        return VTDPI_EALIGN;
    if (p->storage_size < storage_size)
        return VTDPI_ENOSPC;
    /* Aligned to its size, so the table cannot wrap. */
    if (p->haw < 64 && (p->phys + (size - 1)) >> p->haw != 0)
        return VTDPI_ERANGE;
    return 0;
}

/*
 * An entry that is not present may have other bits: FPD, or anything in a table
 * that is adopted. An index is given out with an entry of zeros, since irq.h compares
 * before it writes. Units need not see the zeros: for them the entry is not present,
 * before and after.
 */
static void entry_zero(struct vtdpi_irte *entry)
{
    vtdpi_atomic_store64_relaxed(&entry->lo, 0);
    vtdpi_atomic_store64_relaxed(&entry->hi, 0);
}

/* Whether a unit posts by an entry; @p lo is its lower half. */
static bool entry_posts(uint64_t lo)
{
    const uint64_t both = VTDPI_IRTE_LO_P | VTDPI_IRTE_LO_IM;

    return (lo & both) == both;
}

static void entries_init(struct vtdpi_table *t, bool adopt)
{
    for (uint32_t i = 0; i < t->index.count; i++) {
        struct vtdpi_irte *e = &t->entries[i];
        const uint64_t lo = vtdpi_atomic_load64_relaxed(&e->lo);

        if (!adopt || (lo & VTDPI_IRTE_LO_P) == 0) {
            entry_zero(e);
            continue;
        }
        if (vtdpi_index_reserve(&t->index, i, 1) != 0)
            continue;
        (void)dirty_set(t, i); /* units may have it in their caches */
        if (entry_posts(lo))
            t->posted++; /* nobody else has the table yet */
    }
}

static const struct vtdpi_backend_ops backend_ops;

int vtdpi_table_init(struct vtdpi_table *t,
                     const struct vtdpi_table_params *params)
{
    uint64_t *words;
    int rc;

    if (t == NULL || params == NULL)
        return VTDPI_EINVAL;
    rc = params_check(params);
    if (rc != 0)
        return rc;

    words = (uint64_t *)params->storage;
    *t = (struct vtdpi_table){
        .backend =
            {
                .ops = &backend_ops,
                .ctx = t,
                .mode = params->mode,
                .haw = params->haw,
            },
        .entries = params->entries,
        .phys = params->phys,
        .dirty =
            words + vtdpi_index_storage_size(params->count) / sizeof(*words),
        .owners = params->owners,
        .adopted = params->adopt ? TABLE_ADOPTED : 0,
    };
    rc = vtdpi_index_init(&t->index, words, params->count);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < dirty_words(params->count); i++)
        vtdpi_atomic_store64_relaxed(&t->dirty[i], 0);
    for (uint32_t i = 0; t->owners != NULL && i < params->count; i++)
        vtdpi_atomic_store_ptr_release(&t->owners[i], NULL);
    entries_init(t, params->adopt);
    return 0;
}

/* Indexes. */

static VTDPI_COLD void owners_set(struct vtdpi_table *t, uint32_t first,
                                  uint32_t count, void *owner)
{
    if (t->owners == NULL)
        return;
    for (uint32_t i = first; i < first + count; i++)
        vtdpi_atomic_store_ptr_release(&t->owners[i], owner);
}

int vtdpi_table_alloc(struct vtdpi_table *t, uint32_t count, void *owner,
                      uint32_t *first)
{
    int rc;

    if (t == NULL)
        return VTDPI_EINVAL;
    rc = vtdpi_index_alloc(&t->index, count, first);
    if (rc == 0)
        owners_set(t, *first, count, owner);
    return rc;
}

int vtdpi_table_reserve(struct vtdpi_table *t, uint32_t first, uint32_t count,
                        void *owner)
{
    int rc;

    if (t == NULL)
        return VTDPI_EINVAL;
    rc = vtdpi_index_reserve(&t->index, first, count);
    if (rc == 0)
        owners_set(t, first, count, owner);
    return rc;
}

/* Whether the entries are out of every unit's reach. */
static int retired_check(const struct vtdpi_table *t, uint32_t first,
                         uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        if ((vtdpi_atomic_load64_relaxed(&t->entries[i].lo) &
             VTDPI_IRTE_LO_P) != 0)
            return VTDPI_EBUSY;
        if (dirty_get(t, i))
            return VTDPI_EDIRTY;
    }
    return 0;
}

int vtdpi_table_free(struct vtdpi_table *t, uint32_t first, uint32_t count)
{
    int rc;

    if (t == NULL)
        return VTDPI_EINVAL;
    rc = vtdpi_index_check(&t->index, first, count);
    if (rc == 0)
        rc = retired_check(t, first, count);
    if (rc != 0)
        return rc;
    /* Before somebody else allocates it and names another owner. */
    for (uint32_t i = first; i < first + count; i++)
        entry_zero(&t->entries[i]);
    owners_set(t, first, count, NULL);
    return vtdpi_index_free(&t->index, first, count);
}

/* Posted entries. */

/*
 * Posted entries are counted, since a unit without CAP.PI blocks each request
 * that one of them is for. The count and "there will be none" are one word: a
 * look at the count and a later mark would let a posted entry in between.
 */
#define POSTED_CLOSED UINT64_MAX

/*
 * Before an entry is written that posts. The CAS is ordered against that of
 * posted_close(), on the same word: if this one is first, the join finds a count
 * and is refused; if that one is first, this call is refused. With a plain store
 * both could succeed, and the joined unit would block what is posted.
 */
static int posted_add(struct vtdpi_table *t)
{
    uint64_t old = vtdpi_atomic_load64_relaxed(&t->posted);

    do {
        if (old == POSTED_CLOSED)
            return VTDPI_ENOPI;
    } while (!vtdpi_atomic_cas64(&t->posted, &old, old + 1));
    return 0;
}

/*
 * After an entry that posted was replaced, or was not written. The CAS orders
 * the write of the entry before the smaller count, against posted_close(): a
 * join that finds 0 finds no posted entry in memory. Given back before, the unit
 * that joins could still read one.
 */
static void posted_drop(struct vtdpi_table *t)
{
    uint64_t old = vtdpi_atomic_load64_relaxed(&t->posted);

    while (!vtdpi_atomic_cas64(&t->posted, &old, old - 1))
        ;
}

/*
 * Before a unit without CAP.PI is on the list. The CAS from 0 is ordered against
 * those of posted_add() and posted_drop(), see there. Never opened again: the unit
 * may be removed and join once more.
 */
static int posted_close(struct vtdpi_table *t)
{
    uint64_t old = 0;

    return vtdpi_atomic_cas64(&t->posted, &old, POSTED_CLOSED) ||
                   old == POSTED_CLOSED
               ? 0
               : VTDPI_EBUSY;
}

/* Changes. */

static int index_check(const struct vtdpi_table *t, uint32_t index)
{
    if (index >= t->index.count)
        return VTDPI_EINDEX;
    return vtdpi_index_is_allocated(&t->index, index) ? 0 : VTDPI_EFREE;
}

/* Replaces @p old, or, if that is NULL, whatever is there. @p found receives
 * what was replaced. */
static int entry_replace(struct vtdpi_irte *entry, const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement,
                         struct vtdpi_irte *found)
{
    int rc = VTDPI_EAGAIN;

    if (old != NULL) {
        *found = *old;
        return vtdpi_irte_replace(entry, old, replacement);
    }
    for (int i = 0; i < ENTRY_REPLACE_TRIES && rc == VTDPI_EAGAIN; i++) {
        vtdpi_irte_read(entry, found);
        rc = vtdpi_irte_replace(entry, found, replacement);
    }
    return rc;
}

/*
 * Cleans the line once if any unit reads memory past the caches, and says
 * whether any unit may cache entries that are not present.
 */
static bool entry_publish(const struct vtdpi_table *t,
                          const struct vtdpi_irte *entry)
{
    bool caching = false;
    bool cleaned = false;

    for (const struct vtdpi_table_unit *u = vtdpi_table_units_(t); u != NULL;
         u = vtdpi_table_next_unit_(u)) {
        if (!u->unit->caps.coherent && !cleaned) {
            vtdpi_table_clean_(u->unit, entry, sizeof(*entry));
            cleaned = true;
        }
        caching = caching || u->unit->caps.cm;
    }
    return caching;
}

/* Flush what was changed. Not on a table that is being adopted: units that are not on
 * the list yet may have its entries in their caches. */
static int changes_commit(const struct vtdpi_table *t,
                          const struct vtdpi_flush *flush)
{
    return vtdpi_table_is_adopted_(t) ? VTDPI_EQOFF
                                      : vtdpi_table_commit_(t, flush);
}

/* @p found receives what was there. Unchanged, and as dirty as before, after
 * an error. */
static int entry_change(struct vtdpi_table *t, struct vtdpi_flush *flush,
                        uint32_t index, const struct vtdpi_irte *old,
                        const struct vtdpi_irte *replacement,
                        struct vtdpi_irte *found)
{
    bool was_dirty;
    bool caching;
    int rc;

    /* First the mark, so that there is no moment at which the entry is changed
     * and its index looks as if it could be freed. */
    was_dirty = dirty_set(t, index);
    rc = entry_replace(&t->entries[index], old, replacement, found);
    if (rc != 0) {
        if (!was_dirty)
            dirty_clear(t, index);
        return rc;
    }
    caching = entry_publish(t, &t->entries[index]);
    dirty_set_again(t, index);
    if ((found->lo & VTDPI_IRTE_LO_P) == 0) {
        flush->write_buffer = true;
        if (caching)
            vtdpi_flush_add(flush, index, 1);
    } else if (vtdpi_irte_is_posted(found)) {
        flush->drain = true;
    }
    return 0;
}

/* An entry that is known to post keeps its count if it goes on posting. */
static VTDPI_BY_POINTER int table_replace(void *ctx, struct vtdpi_flush *flush,
                                          uint32_t index,
                                          const struct vtdpi_irte *old,
                                          const struct vtdpi_irte *replacement)
{
    struct vtdpi_table *t = (struct vtdpi_table *)ctx;
    const bool posts = entry_posts(replacement->lo);
    const bool keeps = posts && old != NULL && entry_posts(old->lo);
    struct vtdpi_irte found;
    int rc = index_check(t, index);

    if (rc == 0 && posts && !keeps)
        rc = posted_add(t);
    if (rc != 0)
        return rc;
    rc = entry_change(t, flush, index, old, replacement, &found);
    if (!keeps && (rc != 0 ? posts : entry_posts(found.lo)))
        posted_drop(t);
    return rc;
}

static VTDPI_BY_POINTER int table_invalidate(void *ctx,
                                             struct vtdpi_flush *flush,
                                             uint32_t first, uint32_t count)
{
    const struct vtdpi_table *t = (const struct vtdpi_table *)ctx;

    if (first >= t->index.count || count > t->index.count - first)
        return VTDPI_EINDEX;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static VTDPI_BY_POINTER int table_commit(void *ctx, struct vtdpi_flush *flush)
{
    return changes_commit((const struct vtdpi_table *)ctx, flush);
}

static VTDPI_BY_POINTER void table_settled(void *ctx, uint32_t index)
{
    dirty_clear((struct vtdpi_table *)ctx, index);
}

static const struct vtdpi_backend_ops backend_ops = {
    .replace = table_replace,
    .invalidate = table_invalidate,
    .commit = table_commit,
    .settled = table_settled,
};

int vtdpi_table_set(struct vtdpi_table *t, uint32_t index,
                    const struct vtdpi_irte *irte)
{
    struct vtdpi_flush_range range;
    struct vtdpi_flush flush;
    struct vtdpi_irte old;
    bool dirty;
    int rc;

    if (t == NULL || irte == NULL)
        return VTDPI_EINVAL;
    rc = index_check(t, index);
    if (rc == 0)
        rc = vtdpi_irte_validate(irte, t->backend.mode, t->backend.haw);
    if (rc != 0)
        return rc;
    vtdpi_irte_read(&t->entries[index], &old);
    dirty = dirty_get(t, index);
    if (vtdpi_irte_equal_(&old, irte))
        return dirty ? vtdpi_table_flush(t, index, 1) : 0;

    vtdpi_flush_init(&flush, &range, 1);
    rc = table_replace(t, &flush, index, &old, irte);
    if (rc != 0)
        return rc;
    if (dirty || (old.lo & VTDPI_IRTE_LO_P) != 0)
        vtdpi_flush_add(&flush, index, 1);
    flush.drain = flush.drain || dirty; /* what the failed flush retired */
    rc = changes_commit(t, &flush);
    if (rc == 0)
        dirty_clear(t, index);
    return rc;
}

int vtdpi_table_flush(struct vtdpi_table *t, uint32_t first, uint32_t count)
{
    struct vtdpi_flush_range range;
    struct vtdpi_flush flush;
    int rc;

    if (t == NULL || count == 0)
        return VTDPI_EINVAL;
    vtdpi_flush_init(&flush, &range, 1);
    flush.drain = true;
    rc = table_invalidate(t, &flush, first, count);
    if (rc == 0)
        rc = changes_commit(t, &flush);
    for (uint32_t i = first; rc == 0 && i < first + count; i++)
        dirty_clear(t, i);
    return rc;
}

/*
 * Release: pairs with vtdpi_table_is_adopted_(). The states of units that the
 * flush of everything has found are stored before the end of the adoption.
 */
static VTDPI_COLD void adoption_end(struct vtdpi_table *t)
{
    vtdpi_atomic_store64_release(&t->adopted, TABLE_WAS_ADOPTED);
}

int vtdpi_table_flush_all(struct vtdpi_table *t)
{
    struct vtdpi_flush flush;
    bool adopted;
    uint32_t words;
    int rc;

    if (t == NULL)
        return VTDPI_EINVAL;
    words = dirty_words(t->index.count);
    if (vtdpi_atomic_xchg64(&t->flushing, 1) != 0)
        return VTDPI_EBUSY;
    for (uint32_t i = 0; i < words; i++)
        dirty_flush_begin(&t->dirty[i]);
    vtdpi_flush_init(&flush, NULL, 0);
    flush.global = true;
    flush.drain = true;
    adopted = vtdpi_table_is_adopted_(t);
    rc = adopted && vtdpi_table_units_(t) == NULL
             ? VTDPI_EQOFF
             : vtdpi_table_commit_(t, &flush);
    if (adopted && rc == 0)
        adoption_end(t);
    for (uint32_t i = 0; rc == 0 && i < words; i++)
        dirty_flush_done(&t->dirty[i]);
    vtdpi_atomic_store64_release(&t->flushing, 0);
    return rc;
}

/* Units. */

/*
 * In these states a unit may join a table and leave it, since no cached entry of
 * that table can matter.
 *
 * OFF and QUEUE: a read has shown that remapping is off. Remapping comes on only in
 * vtdpi_unit_enable(), which latches the table that the unit has joined and then
 * drops all that is cached. So a change before the join is in memory by then, and the
 * unit does not read a change after it has left.
 *
 * FOREIGN: the unit remaps with another kernel's table, or with ours if that is being
 * adopted.
 */
static bool unit_is_between_tables(const struct vtdpi_unit *unit)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(unit);

    return state == VTDPI_UNIT_OFF || state == VTDPI_UNIT_QUEUE ||
           state == VTDPI_UNIT_FOREIGN;
}

/* A FOREIGN unit may join only while the table is being adopted. After that it may
 * have entries in its cache that were changed without it, and that count as flushed. */
static int unit_join_check(const struct vtdpi_table *t,
                           const struct vtdpi_unit *unit)
{
    if (unit->irt.order != 0)
        return VTDPI_EATTACHED;
    if (!unit_is_between_tables(unit))
        return VTDPI_ESTATE;
    /* The flush that ended the adoption has missed the unit. */
    if (vtdpi_unit_state(unit) == VTDPI_UNIT_FOREIGN &&
        vtdpi_atomic_load64_acquire(&t->adopted) == TABLE_WAS_ADOPTED)
        return VTDPI_ESTATE;
    if (t->backend.mode == VTDPI_X2APIC && !unit->caps.eim)
        return VTDPI_ENOEIM;
    if (!unit->caps.coherent && unit->ops->clean == NULL)
        return VTDPI_EOPNOTSUPP;
    return 0;
}

int vtdpi_table_add_unit(struct vtdpi_table *t, struct vtdpi_table_unit *link,
                         struct vtdpi_unit *unit)
{
    int rc;

    if (t == NULL || link == NULL || unit == NULL)
        return VTDPI_EINVAL;
    rc = unit_join_check(t, unit);
    if (rc == 0 && !unit->caps.pi)
        rc = posted_close(t);
    if (rc != 0)
        return rc;

    unit->irt = (struct vtdpi_unit_irt){
        .phys = t->phys,
        .order = vtdpi_table_order(t),
        .mode = t->backend.mode,
    };
    link->unit = unit;
    link->next = vtdpi_table_units_(t);
    /*
     * An exchange, so a full barrier: the unit is on the list before the entries
     * are cleaned. Pairs with vtdpi_table_units_() in a change. From here on
     * every change cleans for this unit, and flushes unless it finds the unit
     * off. A change that still misses the unit has written its entry before,
     * which vtdpi_unit_enable() latches later. With a plain store such an entry
     * could reach memory after that. ...
     */
    (void)vtdpi_atomic_xchg_ptr((void **)&t->units, link);
    /* ... and what was written before is cleaned now. */
    if (!unit->caps.coherent)
        vtdpi_table_clean_(unit, t->entries,
                           t->index.count * sizeof(*t->entries));
    return 0;
}

/* Whether a unit neither reads the table any more nor comes back with it. One
 * that is FOREIGN may read a table that is being adopted. */
static bool unit_can_leave(const struct vtdpi_table *t,
                           const struct vtdpi_unit *unit)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(unit);

    return state == VTDPI_UNIT_FORSAKEN ||
           (unit_is_between_tables(unit) &&
            (state != VTDPI_UNIT_FOREIGN || !vtdpi_table_is_adopted_(t)));
}

int vtdpi_table_remove_unit(struct vtdpi_table *t, struct vtdpi_unit *unit)
{
    struct vtdpi_table_unit **at;

    if (t == NULL || unit == NULL)
        return VTDPI_EINVAL;
    at = &t->units;
    for (struct vtdpi_table_unit *u = vtdpi_table_units_(t); u != NULL;
         u = vtdpi_table_next_unit_(u)) {
        if (u->unit == unit) {
            if (!unit_can_leave(t, unit))
                return VTDPI_EBUSY;
            unit->irt = (struct vtdpi_unit_irt){0};
            /* Release: pairs with vtdpi_table_next_unit_(). A change that walks
             * the list at this moment finds the rest of it initialised. */
            vtdpi_atomic_store_ptr_release((void **)at, u->next);
            return 0;
        }
        at = &u->next;
    }
    return VTDPI_ENOENT;
}

/* Queries. */

bool vtdpi_table_is_allocated(const struct vtdpi_table *t, uint32_t index)
{
    return vtdpi_index_is_allocated(&t->index, index);
}

bool vtdpi_table_is_dirty(const struct vtdpi_table *t, uint32_t index)
{
    return index < t->index.count && dirty_get(t, index);
}

int vtdpi_table_read(const struct vtdpi_table *t, uint32_t index,
                     struct vtdpi_irte *out)
{
    if (index >= t->index.count)
        return VTDPI_EINDEX;
    vtdpi_irte_read(&t->entries[index], out);
    return 0;
}

/* Relaxed: the count orders nothing for who reads it. */
uint32_t vtdpi_table_posted(const struct vtdpi_table *t)
{
    const uint64_t posted = vtdpi_atomic_load64_relaxed(&t->posted);

    return posted == POSTED_CLOSED ? 0 : (uint32_t)posted;
}

void *vtdpi_table_owner(const struct vtdpi_table *t, uint32_t index)
{
    if (index >= t->index.count || t->owners == NULL)
        return NULL;
    return vtdpi_atomic_load_ptr_acquire(&t->owners[index]);
}
