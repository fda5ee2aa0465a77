/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device a source id is, of a DMAR table: an IOAPIC, an HPET, or a PCI function
 * and the unit that serves it.
 *
 * A path of several hops, and what is below a bridge, depend on bus numbers that are
 * not in the table. A log of Linux or Xen has them, and without them the answer names the
 * bridge that it depends on. The bus numbers below a bridge are larger than that of the
 * bridge itself, so nothing is unsure of a device on a lower bus. Nor can a device that is
 * below a bridge be below another one beside it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dmar_file.h"
#include "log.h"
#include "tool.h"

#include "vtdpi/source.h"

struct log_dmar {
    struct dmar_file file;
};

/* What is looked for, and what was found on the way. */
struct search {
    const struct vtdpi_dmar *dmar;
    const struct log_boot *boot;
    uint16_t segment;
    uint16_t sid;
    bool exact; /* a scope has the source id */
    struct vtdpi_dmar_scope scope;
    struct vtdpi_dmar_drhd unit;
    unsigned int unsure; /* scopes that may have the device */
    uint16_t bridge;     /* that the first of these depends on */
};

struct log_dmar *log_dmar_open(const char *name)
{
    struct log_dmar *const d = calloc(1, sizeof(*d));

    if (d == NULL) {
        (void)complain(STATUS_INPUT, "no memory");
        return NULL;
    }
    if (dmar_load(name, &d->file) == 0)
        return d;
    free(d);
    return NULL;
}

void log_dmar_close(struct log_dmar *d)
{
    if (d == NULL)
        return;
    dmar_drop(&d->file);
    free(d);
}

/* Callback of the library. */
static bool bridge_buses(void *ctx, uint16_t segment, uint16_t sid,
                         uint8_t *secondary, uint8_t *subordinate)
{
    const struct search *const s = ctx;

    for (unsigned int i = 0; i < s->boot->bridge_count; i++) {
        const struct log_bridge *const b = &s->boot->bridges[i];

        if (b->segment == segment && b->sid == sid) {
            *secondary = b->secondary;
            *subordinate = b->subordinate;
            return true;
        }
    }
    return false;
}

/* The source id that a path leads to. False: it cannot be told, and *@sid is that of
 * the bridge whose bus numbers are missing, or there is no such path. */
static bool path_follow(struct search *s, const struct vtdpi_dmar_scope *scope,
                        uint16_t *sid, bool *missing)
{
    uint8_t bus = scope->start_bus;
    uint8_t subordinate;
    uint8_t device;
    uint8_t function;

    *missing = false;
    for (unsigned int hop = 0; hop < scope->hop_count; hop++) {
        if (hop > 0 && !bridge_buses(s, s->segment, *sid, &bus, &subordinate)) {
            *missing = true;
            return false;
        }
        if (vtdpi_dmar_get_hop(s->dmar, scope, hop, &device, &function) != 0 ||
            device > 31 || function > 7)
            return false;
        *sid = VTDPI_SID(bus, device, function);
    }
    return true;
}

/* A bridge of the bus on which @bridge is has the device below it. */
static bool is_below_sibling(const struct search *s, uint16_t bridge)
{
    const uint8_t bus = vtdpi_sid_bus(s->sid);

    for (unsigned int i = 0; i < s->boot->bridge_count; i++) {
        const struct log_bridge *const b = &s->boot->bridges[i];

        if (b->segment == s->segment &&
            vtdpi_sid_bus(b->sid) == vtdpi_sid_bus(bridge) &&
            b->secondary <= bus && bus <= b->subordinate)
            return true;
    }
    return false;
}

/* The log does not have the bus numbers of @bridge, and the device may be below. */
static void unsure(struct search *s, uint16_t bridge)
{
    if (!is_below_sibling(s, bridge) && s->unsure++ == 0)
        s->bridge = bridge;
}

static void scope_look(struct search *s, const struct vtdpi_dmar_drhd *unit,
                       const struct vtdpi_dmar_scope *scope)
{
    const bool below = vtdpi_sid_bus(s->sid) > scope->start_bus;
    uint8_t secondary;
    uint8_t subordinate;
    uint16_t sid = 0;
    bool missing;

    if (!path_follow(s, scope, &sid, &missing)) {
        if (missing && below)
            unsure(s, sid);
        return;
    }
    if (sid == s->sid) {
        if (!s->exact) {
            s->exact = true;
            s->scope = *scope;
            s->unit = *unit;
        }
        return;
    }
    if (scope->type == VTDPI_DMAR_SCOPE_BRIDGE && below &&
        !bridge_buses(s, s->segment, sid, &secondary, &subordinate))
        unsure(s, sid);
}

/* The scopes of the units; those of @but do not make the answer @but unsure. */
static void scopes_look(struct search *s, const struct vtdpi_dmar_drhd *but)
{
    struct vtdpi_dmar_struct at = {0};

    while (vtdpi_dmar_next(s->dmar, &at) > 0) {
        struct vtdpi_dmar_scope scope = {0};
        struct vtdpi_dmar_drhd unit;

        if (at.type != VTDPI_DMAR_DRHD ||
            vtdpi_dmar_get_drhd(s->dmar, &at, &unit) != 0 ||
            unit.segment != s->segment ||
            (but != NULL && unit.index == but->index))
            continue;
        while (vtdpi_dmar_next_scope(s->dmar, &at, &scope) > 0)
            scope_look(s, &unit, &scope);
    }
}

static void exact_name(const struct search *s, char *text, size_t size)
{
    const unsigned int id = s->scope.enumeration_id;
    const unsigned int unit = s->unit.index;

    switch (s->scope.type) {
    case VTDPI_DMAR_SCOPE_IOAPIC:
        (void)snprintf(text, size, "IOAPIC %u, unit %u", id, unit);
        return;
    case VTDPI_DMAR_SCOPE_HPET:
        (void)snprintf(text, size, "HPET %u, unit %u", id, unit);
        return;
    case VTDPI_DMAR_SCOPE_ACPI:
        (void)snprintf(text, size, "ACPI device %u, unit %u", id, unit);
        return;
    case VTDPI_DMAR_SCOPE_BRIDGE:
        (void)snprintf(text, size, "bridge, unit %u", unit);
        return;
    default:
        (void)snprintf(text, size, "endpoint, unit %u", unit);
        return;
    }
}

static void unsure_name(const struct search *s, char *text, size_t size)
{
    char more[32] = "";

    if (s->unsure > 1)
        (void)snprintf(more, sizeof(more), " and of %u other%s", s->unsure - 1,
                       s->unsure > 2 ? "s" : "");
    (void)snprintf(text, size,
                   ", unless below a bridge that another unit names: the log "
                   "does not have the bus numbers of %02x:%02x.%u%s",
                   vtdpi_sid_bus(s->bridge), s->bridge >> 3 & 31,
                   s->bridge & 7u, more);
}

void log_dmar_name(const struct log_dmar *d, const struct log_boot *boot,
                   uint16_t segment, uint16_t sid, char *text, size_t size)
{
    static const struct vtdpi_source_pci_ops bridges = {bridge_buses};
    struct search s = {
        .dmar = &d->file.dmar, .boot = boot, .segment = segment, .sid = sid};
    struct vtdpi_dmar_drhd unit;
    int used;
    int rc;

    scopes_look(&s, NULL);
    if (s.exact) {
        exact_name(&s, text, size);
        return;
    }
    rc = vtdpi_dmar_find_pci(s.dmar, &bridges, &s, segment, sid, &unit);
    s.unsure = 0;
    scopes_look(&s, rc == 0 ? &unit : NULL);
    if (rc == 0)
        used = snprintf(text, size, "endpoint, unit %u", unit.index);
    else if (rc == VTDPI_ENOENT)
        used = snprintf(text, size, "named by no unit of the table");
    else
        used = snprintf(text, size,
                        "not resolved: the table is malformed (vtdpi dmar)");
    if (s.unsure > 0 && (rc == 0 || rc == VTDPI_ENOENT))
        unsure_name(&s, text + used, size - (size_t)used);
}
