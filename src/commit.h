/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_COMMIT_H
#define VTDPI_COMMIT_H

/*
 * Between table.c, table_units.c and commit.c: the units of a table, what it may
 * post, and the flush of what was changed in it.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/table.h"

/* The list may grow while it is walked: whoever misses a unit that is being
 * added has written before that unit's table is latched. */
static inline struct vtdpi_table_unit *
vtdpi_table_units_(const struct vtdpi_table *t)
{
    return (struct vtdpi_table_unit *)vtdpi_atomic_load_ptr_acquire(&t->units);
}

static inline struct vtdpi_table_unit *
vtdpi_table_next_unit_(const struct vtdpi_table_unit *link)
{
    return (struct vtdpi_table_unit *)vtdpi_atomic_load_ptr_acquire(
        &link->next);
}

/* Write cache lines back for a unit that does not snoop. */
static inline void vtdpi_table_clean_(const struct vtdpi_unit *unit,
                                      const void *p, size_t len)
{
    unit->ops->clean(unit->ctx, p, len);
}

/* Count an entry before it is written that posts; VTDPI_ENOPI if a unit of the
 * table cannot. Give the count back after the entry was replaced. */
int vtdpi_table_posted_take_(struct vtdpi_table *t);
void vtdpi_table_posted_put_(struct vtdpi_table *t);

/* Does what @p flush says on every unit of the table, and waits. 0, or the
 * error of the first unit that failed; the others were flushed then. */
int vtdpi_table_commit_(const struct vtdpi_table *t,
                        const struct vtdpi_flush *flush);

#endif
