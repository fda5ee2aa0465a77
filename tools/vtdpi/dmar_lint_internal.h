/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DMAR_LINT_INTERNAL_H
#define DMAR_LINT_INTERNAL_H

/* Between dmar_lint.c and dmar_lint_pairs.c. */

#include "problem.h"
#include "vtdpi/dmar.h"

/* A unit that could be decoded. */
struct dmar_lint_unit {
    struct vtdpi_dmar_struct s;
    struct vtdpi_dmar_drhd drhd;
};

struct dmar_lint_rhsa {
    uint64_t base;
    size_t offset;
};

struct dmar_lint {
    const struct vtdpi_dmar *dmar;
    const unsigned char *bytes;
    json_t *problems;
    struct dmar_lint_unit *units; /* in the order of the table */
    size_t unit_count;
    struct dmar_lint_rhsa *rhsas;
    size_t rhsa_count;
    size_t andds[256]; /* by device number: offset of the first, or 0 */
    uint16_t last_type;
    bool whole; /* the walk came to the end */
};

/* Returns @problem. */
json_t *dmar_problem_at(json_t *problem, size_t offset);
json_t *dmar_problem_other(json_t *problem, size_t offset, size_t other);

/* A problem at an offset. */
#define FOUND(l, offset, ...) \
    ((void)dmar_problem_at(problem_add((l)->problems, __VA_ARGS__), offset))

/* Whether an address is below the host address width. */
bool dmar_fits_width(const struct vtdpi_dmar *dmar, uint64_t last);

/* Structures against each other. */
void dmar_lint_pairs(struct dmar_lint *l);

#endif
