/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_COMMIT_H
#define VTDPI_COMMIT_H

/*
 * Between table.c and commit.c: the units of a table, and the flush of what
 * was changed in it.
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

/* Does what @p flush says on every unit of the table, and waits. 0, or the
 * error of the first unit that failed; the others were flushed then. */
int vtdpi_table_commit_(const struct vtdpi_table *t,
                        const struct vtdpi_flush *flush);

#endif
