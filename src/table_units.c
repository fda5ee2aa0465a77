/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The units that use a table, and with them whether the table may post: both
 * sides of the count of posted entries are here. Changes of entries are in
 * table.c.
 */
#include "vtdpi/table.h"

#include "commit.h"
#include "internal.h"
#include "vtdpi/atomic.h"

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
int vtdpi_table_posted_take_(struct vtdpi_table *t)
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
void vtdpi_table_posted_put_(struct vtdpi_table *t)
{
    uint64_t old = vtdpi_atomic_load64_relaxed(&t->posted);

    while (!vtdpi_atomic_cas64(&t->posted, &old, old - 1))
        ;
}

/*
 * Before a unit without CAP.PI is on the list. The CAS from 0 is ordered against
 * those of vtdpi_table_posted_take_() and vtdpi_table_posted_put_(), see there. Never opened again: the
 * unit may be removed and join once more.
 */
static int posted_close(struct vtdpi_table *t)
{
    uint64_t old = 0;

    return vtdpi_atomic_cas64(&t->posted, &old, POSTED_CLOSED) ||
                   old == POSTED_CLOSED
               ? 0
               : VTDPI_EBUSY;
}

/* A unit that reads the table already may have entries in its cache that changed
 * without it: they count as flushed. */
static int join_check(const struct vtdpi_unit *unit)
{
    if (unit->irt.order != 0)
        return VTDPI_EATTACHED;
    if (vtdpi_unit_state(unit) != VTDPI_UNIT_OFF)
        return VTDPI_ESTATE;
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
    rc = join_check(unit);
    if (rc == 0 && !unit->caps.pi)
        rc = posted_close(t);
    if (rc != 0)
        return rc;

    unit->irt = (struct vtdpi_irt){
        .phys = t->phys,
        .order = vtdpi_table_order(t),
        .mode = t->backend.mode,
    };
    link->unit = unit;
    link->next = vtdpi_table_units_(t);
    /* From here on every change cleans and flushes for this unit, ... */
    (void)vtdpi_atomic_xchg_ptr(&t->units, link);
    /* ... and what was written before is cleaned now. */
    if (!unit->caps.coherent)
        vtdpi_table_clean_(unit, t->entries,
                           t->index.count * sizeof(*t->entries));
    return 0;
}

int vtdpi_table_remove_unit(struct vtdpi_table *t, struct vtdpi_unit *unit)
{
    void **at;

    if (t == NULL || unit == NULL)
        return VTDPI_EINVAL;
    at = &t->units;
    for (struct vtdpi_table_unit *u = vtdpi_table_units_(t); u != NULL;
         u = vtdpi_table_next_unit_(u)) {
        if (u->unit == unit) {
            if (vtdpi_unit_state(unit) != VTDPI_UNIT_OFF)
                return VTDPI_EBUSY;
            unit->irt = (struct vtdpi_irt){0};
            vtdpi_atomic_store_ptr_release(at, u->next);
            return 0;
        }
        at = &u->next;
    }
    return VTDPI_ENOENT;
}
