/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_DMAR_WALK_H
#define VTDPI_DMAR_WALK_H

/* Between dmar.c and dmar_check.c: units, and the walk over those of a machine. */

#include "vtdpi/dmar.h"

/* Decodes a structure of type DRHD; index is copied. 0, or as vtdpi_dmar_get_drhd(). */
int vtdpi_dmar_decode_unit_(const struct vtdpi_dmar *dmar,
                            const struct vtdpi_dmar_struct *s, uint32_t index,
                            struct vtdpi_dmar_drhd *out);

/* Where a walk over the units of a table, and of those linked behind, stands. */
struct vtdpi_dmar_unit_ {
    const struct vtdpi_dmar *table; /* NULL: the walk is over */
    struct vtdpi_dmar_struct s;     /* zeroed: before the first of the table */
    struct vtdpi_dmar_drhd drhd;
};

/* Steps to the next unit: 1, 0 at the end, or an error of dmar.h. */
int vtdpi_dmar_next_unit_(struct vtdpi_dmar_unit_ *u);

#endif
