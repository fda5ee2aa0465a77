/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of a DMAR table and of those linked behind. dmar.c reads tables without
 * this file; a host that checks nothing need not link the file.
 */
#include "vtdpi/dmar.h"

#include "dmar_walk.h"

/* Of the register base in a DRHD. */
#define DRHD_BASE_AT 8u

/* One structure with all its scopes; *bad is where it went wrong. */
static int struct_check(const struct vtdpi_dmar *dmar,
                        const struct vtdpi_dmar_struct *s, size_t *bad)
{
    struct vtdpi_dmar_scope scope = {0};
    struct vtdpi_dmar_drhd drhd;
    int rc;

    if (s->type == VTDPI_DMAR_DRHD &&
        vtdpi_dmar_decode_unit_(dmar, s, 0, &drhd) == VTDPI_EDMAR_BASE) {
        *bad = s->offset + DRHD_BASE_AT;
        return VTDPI_EDMAR_BASE;
    }
    do {
        rc = vtdpi_dmar_next_scope(dmar, s, &scope);
    } while (rc > 0);
    *bad = scope.offset;
    return rc;
}

/* One table: whether it is well-formed, zero bytes at its end apart. */
static VTDPI_COLD int table_check(const struct vtdpi_dmar *dmar, size_t *bad)
{
    struct vtdpi_dmar_struct s = {0};
    size_t end = dmar->first_;
    int rc;

    while ((rc = vtdpi_dmar_next(dmar, &s)) > 0) {
        rc = struct_check(dmar, &s, bad);
        if (rc != 0)
            return rc;
        end = s.offset + s.length;
    }
    /* The walk is over, or what begins here is no structure. */
    *bad = end;
    return rc == 0 && end != dmar->length ? VTDPI_EDMAR_TAIL : rc;
}

int vtdpi_dmar_check(const struct vtdpi_dmar *dmar,
                     struct vtdpi_dmar_problem *where)
{
    struct vtdpi_dmar_problem p = {0};
    struct vtdpi_dmar_problem tail = {0};
    int rc = 0;

    for (p.table = dmar; p.table != NULL; p.table = p.table->next) {
        rc = table_check(p.table, &p.offset);
        if (rc != 0 && rc != VTDPI_EDMAR_TAIL)
            break;
        if (rc != 0 && tail.table == NULL)
            tail = p;
    }
    if (p.table == NULL) {
        p = tail;
        rc = tail.table != NULL ? VTDPI_EDMAR_TAIL : 0;
    }
    if (rc != 0 && where != NULL)
        *where = p;
    return rc;
}
