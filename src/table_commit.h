/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TABLE_COMMIT_H
#define VTDPI_TABLE_COMMIT_H

/*
 * Between table.c and table_commit.c: the list of a table's units, and the flush
 * of what was changed in the table.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/table.h"

/* The list may grow while it is walked: a change that misses a unit that is
 * being added has written its entry before that unit's table is latched. */
static inline struct vtdpi_table_unit *
vtdpi_table_units_(const struct vtdpi_table *t)
{
    return (struct vtdpi_table_unit *)vtdpi_atomic_load_ptr_acquire(
        (void *const *)&t->units);
}

static inline struct vtdpi_table_unit *
vtdpi_table_next_unit_(const struct vtdpi_table_unit *link)
{
    return (struct vtdpi_table_unit *)vtdpi_atomic_load_ptr_acquire(
        (void *const *)&link->next);
}

/* Values of the table's word `adopted`. */
#define TABLE_ADOPTED     1u /* until a flush of everything has succeeded */
#define TABLE_WAS_ADOPTED 2u

/*
 * Units may have entries of the table in their caches that no queue of ours has
 * dropped. Acquire: pairs with adoption_end(). A commit that finds the adoption
 * over finds units at least in the states that the flush of everything has found.
 * With an older state it would skip a unit, as FOREIGN, that is ON.
 */
static inline bool vtdpi_table_is_adopted_(const struct vtdpi_table *t)
{
    return vtdpi_atomic_load64_acquire(&t->adopted) == TABLE_ADOPTED;
}

/* Write cache lines back for a unit that does not snoop. */
static inline void vtdpi_table_clean_(const struct vtdpi_unit *unit,
                                      const void *p, size_t len)
{
    unit->ops->clean(unit->ctx, p, len);
}

/* Does what @p flush says on every unit of the table, and waits. 0, or the
 * error of the first unit that failed; the others were flushed then. */
int vtdpi_table_commit_(const struct vtdpi_table *t,
                        const struct vtdpi_flush *flush);

#endif
