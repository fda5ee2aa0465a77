/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of a DMAR table and of those linked behind: each structure by itself,
 * then every two units. dmar.c reads tables without this file; a host that checks
 * nothing need not link the file.
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

/* The scope of unit @p u, behind @p scope, that a look-up by this type and id finds. */
static VTDPI_COLD bool find_scope(const struct vtdpi_dmar_unit_ *u,
                                  uint8_t type, uint8_t id,
                                  struct vtdpi_dmar_scope *scope)
{
    while (vtdpi_dmar_next_scope(u->table, &u->s, scope) > 0) {
        if (scope->type == type && scope->enumeration_id == id)
            return true;
    }
    return false;
}

/* The offsets of the first two scopes that have an id in common, in p. */
static VTDPI_COLD int ids_check(const struct vtdpi_dmar_unit_ *a,
                                const struct vtdpi_dmar_unit_ *b,
                                struct vtdpi_dmar_problem *p)
{
    struct vtdpi_dmar_scope in_a = {0};

    while (vtdpi_dmar_next_scope(a->table, &a->s, &in_a) > 0) {
        struct vtdpi_dmar_scope in_b = {0};

        if (in_a.type >= VTDPI_DMAR_SCOPE_IOAPIC &&
            in_a.type <= VTDPI_DMAR_SCOPE_ACPI &&
            find_scope(b, in_a.type, in_a.enumeration_id, &in_b)) {
            p->offset = in_b.offset;
            p->other_offset = in_a.offset;
            return VTDPI_EDMAR_ID;
        }
    }
    return 0;
}

/* How unit b contradicts unit a. In a walk, a comes first. */
static VTDPI_COLD int pair_check(const struct vtdpi_dmar_unit_ *a,
                                 const struct vtdpi_dmar_unit_ *b,
                                 struct vtdpi_dmar_problem *p)
{
    *p = (struct vtdpi_dmar_problem){b->table, b->s.offset, a->table,
                                     a->s.offset, true};
    if (a->drhd.base == b->drhd.base)
        return VTDPI_EDMAR_TWICE;
    /* A window does not wrap. */
    if (a->drhd.base <= b->drhd.base + (b->drhd.window_bytes - 1) &&
        b->drhd.base <= a->drhd.base + (a->drhd.window_bytes - 1))
        return VTDPI_EDMAR_OVERLAP;
    if (a->drhd.include_all && b->drhd.include_all &&
        a->drhd.segment == b->drhd.segment)
        return VTDPI_EDMAR_ALL;
    return ids_check(a, b, p);
}

/* Every two units of tables that are well-formed. */
static VTDPI_COLD int units_check(const struct vtdpi_dmar *dmar,
                                  struct vtdpi_dmar_problem *p)
{
    struct vtdpi_dmar_unit_ a = {.table = dmar};
    int rc = 0;

    while (rc == 0 && vtdpi_dmar_next_unit_(&a) > 0) {
        struct vtdpi_dmar_unit_ b = a;

        while (rc == 0 && vtdpi_dmar_next_unit_(&b) > 0)
            rc = pair_check(&a, &b, p);
    }
    return rc;
}

/* Every table by itself. Zero bytes at the end of a table are reported only if
 * nothing else is wrong with any table. */
static VTDPI_COLD int tables_check(const struct vtdpi_dmar *dmar,
                                   struct vtdpi_dmar_problem *p)
{
    struct vtdpi_dmar_problem tail = {0};
    int rc;

    for (p->table = dmar; p->table != NULL; p->table = p->table->next) {
        rc = table_check(p->table, &p->offset);
        if (rc != 0 && rc != VTDPI_EDMAR_TAIL)
            return rc;
        if (rc != 0 && tail.table == NULL)
            tail = *p;
    }
    *p = tail;
    p->note = true;
    return tail.table != NULL ? VTDPI_EDMAR_TAIL : 0;
}

int vtdpi_dmar_check(const struct vtdpi_dmar *dmar,
                     struct vtdpi_dmar_problem *where)
{
    struct vtdpi_dmar_problem p = {0};
    struct vtdpi_dmar_problem pair;
    int rc = tables_check(dmar, &p);
    int found = 0;

    if (rc == 0 || rc == VTDPI_EDMAR_TAIL)
        found = units_check(dmar, &pair);
    if (found != 0) {
        rc = found;
        p = pair;
    }
    if (rc != 0 && where != NULL)
        *where = p;
    return rc;
}
