/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures of a DMAR table against each other; read dmar_lint.c first.
 *
 * Each structure is told of the first one before it that it contradicts, so that there
 * are never more problems than structures.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dmar_lint.h"
#include "dmar_lint_internal.h"

#define OTHER(l, offset, other, ...)                                           \
    ((void)dmar_problem_other(problem_add((l)->problems, __VA_ARGS__), offset, \
                              other))

static uint64_t last_byte(const struct dmar_lint_unit *u)
{
    return u->drhd.base + (u->drhd.window_bytes - 1);
}

/* The first unit before @i with the same base, or an overlapping window. */
static void windows_lint(struct dmar_lint *l, size_t i)
{
    const struct dmar_lint_unit *const b = &l->units[i];
    const struct dmar_lint_unit *twice = NULL;
    const struct dmar_lint_unit *overlap = NULL;

    for (const struct dmar_lint_unit *a = l->units; a < b; a++) {
        if (a->drhd.base == b->drhd.base)
            twice = twice == NULL ? a : twice;
        else if (a->drhd.base <= last_byte(b) && b->drhd.base <= last_byte(a))
            overlap = overlap == NULL ? a : overlap;
    }
    if (twice != NULL)
        OTHER(l, b->s.offset, twice->s.offset, SEVERITY_ERROR, "base-twice",
              "the unit has the register base of the one at 0x%zx, 0x%" PRIx64,
              twice->s.offset, b->drhd.base);
    if (overlap != NULL)
        OTHER(l, b->s.offset, overlap->s.offset, SEVERITY_ERROR, "base-overlap",
              "the register window 0x%" PRIx64 "-0x%" PRIx64
              " overlaps that of the unit at 0x%zx",
              b->drhd.base, last_byte(b), overlap->s.offset);
}

/* The unit for the rest of a segment: at most one, behind all others. */
static void all_lint(struct dmar_lint *l, size_t i)
{
    const struct dmar_lint_unit *const b = &l->units[i];

    for (const struct dmar_lint_unit *a = l->units; a < b; a++) {
        if (!a->drhd.include_all || a->drhd.segment != b->drhd.segment)
            continue;
        if (b->drhd.include_all)
            OTHER(l, b->s.offset, a->s.offset, SEVERITY_ERROR, "all-twice",
                  "segment %u has two units for the rest (INCLUDE_PCI_ALL); "
                  "the first is at 0x%zx",
                  b->drhd.segment, a->s.offset);
        else
            OTHER(l, b->s.offset, a->s.offset, SEVERITY_WARNING, "all-not-last",
                  "the unit comes behind that for the rest of segment %u, "
                  "which has to be the last one and is at 0x%zx",
                  b->drhd.segment, a->s.offset);
        return;
    }
}

/* Who claims an IOAPIC, an HPET or an ACPI device by its id. */
struct claim {
    size_t offset; /* of the scope; 0: nobody */
    size_t unit;
};

static void id_lint(struct dmar_lint *l, struct claim *claim, size_t unit,
                    const struct vtdpi_dmar_scope *scope)
{
    if (claim->offset == 0) {
        claim->offset = scope->offset;
        claim->unit = unit;
    } else if (claim->unit != unit) {
        OTHER(l, scope->offset, claim->offset, SEVERITY_ERROR, "id-twice",
              "two units claim %s %u; the other claim is at 0x%zx",
              dmar_scope_name(scope->type), scope->enumeration_id,
              claim->offset);
    } else if (scope->type == VTDPI_DMAR_SCOPE_IOAPIC) {
        /* An HPET may have a scope for each of its comparators. */
        OTHER(l, scope->offset, claim->offset, SEVERITY_NOTE, "id-again",
              "the unit claims IOAPIC %u once more; the first claim is at "
              "0x%zx",
              scope->enumeration_id, claim->offset);
    }
}

static void needless_lint(struct dmar_lint *l, const struct dmar_lint_unit *u,
                          const struct vtdpi_dmar_scope *scope)
{
    if (u->drhd.include_all && (scope->type == VTDPI_DMAR_SCOPE_ENDPOINT ||
                                scope->type == VTDPI_DMAR_SCOPE_BRIDGE))
        FOUND(l, scope->offset, SEVERITY_NOTE, "scope-needless",
              "the unit for the rest of the segment names a PCI device");
}

static void unnamed_lint(struct dmar_lint *l,
                         const struct vtdpi_dmar_scope *scope)
{
    if (scope->type == VTDPI_DMAR_SCOPE_ACPI && l->whole &&
        l->andds[scope->enumeration_id] == 0)
        FOUND(l, scope->offset, SEVERITY_WARNING, "acpi-unnamed",
              "no ANDD names ACPI device %u", scope->enumeration_id);
}

/* The scopes of all units: ids, and names of ACPI devices. */
static void scopes_lint(struct dmar_lint *l)
{
    static const struct claim nobody;
    struct claim claims[3][256];

    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0][0]); i++)
        claims[i / 256][i % 256] = nobody;
    for (size_t i = 0; i < l->unit_count; i++) {
        const struct dmar_lint_unit *const u = &l->units[i];
        struct vtdpi_dmar_scope scope = {0};

        while (vtdpi_dmar_next_scope(l->dmar, &u->s, &scope) > 0) {
            needless_lint(l, u, &scope);
            unnamed_lint(l, &scope);
            if (scope.type >= VTDPI_DMAR_SCOPE_IOAPIC &&
                scope.type <= VTDPI_DMAR_SCOPE_ACPI)
                id_lint(l,
                        &claims[scope.type - VTDPI_DMAR_SCOPE_IOAPIC]
                               [scope.enumeration_id],
                        i, &scope);
        }
    }
    for (size_t n = 0; n < 256; n++) {
        if (l->andds[n] != 0 &&
            claims[VTDPI_DMAR_SCOPE_ACPI - VTDPI_DMAR_SCOPE_IOAPIC][n].offset ==
                0)
            FOUND(l, l->andds[n], SEVERITY_NOTE, "andd-unused",
                  "no unit serves ACPI device %zu", n);
    }
}

/* A PCI device that a unit names, by its path. */
struct named {
    uint16_t segment;
    size_t unit;
    size_t offset;
    size_t length;              /* of bus and path */
    const unsigned char *bytes; /* start bus, then the path */
};

static int by_name(const void *a, const void *b)
{
    const struct named *const x = a;
    const struct named *const y = b;
    int order;

    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    order = memcmp(x->bytes, y->bytes, x->length);
    if (order != 0)
        return order;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static size_t names_collect(const struct dmar_lint *l, struct named *names)
{
    size_t count = 0;

    for (size_t i = 0; i < l->unit_count; i++) {
        const struct dmar_lint_unit *const u = &l->units[i];
        struct vtdpi_dmar_scope scope = {0};

        while (vtdpi_dmar_next_scope(l->dmar, &u->s, &scope) > 0) {
            if (scope.type != VTDPI_DMAR_SCOPE_ENDPOINT &&
                scope.type != VTDPI_DMAR_SCOPE_BRIDGE)
                continue;
            names[count++] = (struct named){
                .segment = u->drhd.segment,
                .unit = i,
                .offset = scope.offset,
                .length = scope.length - 5u,
                .bytes = l->bytes + scope.offset + 5,
            };
        }
    }
    return count;
}

/* PCI devices that two units name by the same path. */
static void names_lint(struct dmar_lint *l)
{
    struct named *const names =
        calloc(l->dmar->length / 8 + 1, sizeof(names[0]));
    size_t count;

    if (names == NULL)
        return;
    count = names_collect(l, names);
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 1; i < count; i++) {
        const struct named *const a = &names[i - 1];
        const struct named *const b = &names[i];

        if (a->segment == b->segment && a->length == b->length &&
            memcmp(a->bytes, b->bytes, a->length) == 0 && a->unit != b->unit)
            OTHER(l, b->offset, a->offset, SEVERITY_WARNING, "path-twice",
                  "two units name this PCI device; the other scope is at "
                  "0x%zx",
                  a->offset);
    }
    free(names);
}

static bool unit_has_base(const struct dmar_lint *l, uint64_t base)
{
    for (size_t i = 0; i < l->unit_count; i++) {
        if (l->units[i].drhd.base == base)
            return true;
    }
    return false;
}

static void rhsas_lint(struct dmar_lint *l)
{
    for (size_t i = 0; i < l->rhsa_count; i++) {
        const struct dmar_lint_rhsa *const b = &l->rhsas[i];

        if (!unit_has_base(l, b->base))
            FOUND(l, b->offset + 8, SEVERITY_WARNING, "rhsa-unit",
                  "no unit has the register base 0x%" PRIx64, b->base);
        for (const struct dmar_lint_rhsa *a = l->rhsas; a < b; a++) {
            if (a->base != b->base)
                continue;
            OTHER(l, b->offset, a->offset, SEVERITY_WARNING, "rhsa-twice",
                  "the unit at 0x%" PRIx64
                  " has a proximity domain already, at 0x%zx",
                  b->base, a->offset);
            break;
        }
    }
}

/* Memory of a region that is registers of a unit. */
static void rmrrs_lint(struct dmar_lint *l)
{
    struct vtdpi_dmar_struct s = {0};
    struct vtdpi_dmar_rmrr r;

    while (vtdpi_dmar_next(l->dmar, &s) > 0) {
        if (s.type != VTDPI_DMAR_RMRR ||
            vtdpi_dmar_get_rmrr(l->dmar, &s, &r) != 0)
            continue;
        for (size_t i = 0; i < l->unit_count; i++) {
            const struct dmar_lint_unit *const u = &l->units[i];

            if (r.base > last_byte(u) || u->drhd.base > r.limit)
                continue;
            OTHER(l, s.offset, u->s.offset, SEVERITY_ERROR, "rmrr-unit",
                  "the region contains registers of the unit at 0x%zx",
                  u->s.offset);
            break;
        }
    }
}

static bool drhd_exists(const struct vtdpi_dmar *dmar)
{
    struct vtdpi_dmar_struct s = {0};

    while (vtdpi_dmar_next(dmar, &s) > 0) {
        if (s.type == VTDPI_DMAR_DRHD)
            return true;
    }
    return false;
}

void dmar_lint_pairs(struct dmar_lint *l)
{
    for (size_t i = 0; i < l->unit_count; i++) {
        windows_lint(l, i);
        all_lint(l, i);
    }
    scopes_lint(l);
    names_lint(l);
    rhsas_lint(l);
    rmrrs_lint(l);
    if (l->whole && !drhd_exists(l->dmar))
        FOUND(l, 0, SEVERITY_ERROR, "no-unit",
              "the table has no remapping unit (DRHD)");
}
