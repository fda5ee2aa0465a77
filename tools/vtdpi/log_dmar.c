/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device a source id is, of a DMAR table: an IOAPIC, an HPET, or a PCI function
 * and the unit that serves it. No bridge can be asked here, so paths of several hops
 * are not followed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "tool.h"

#include "vtdpi/dmar.h"
#include "vtdpi/source.h"

enum {
    TABLE_BYTES_MAX = 1 << 20,
};

struct log_dmar {
    unsigned char *bytes;
    struct vtdpi_dmar dmar;
};

/* What was found on the way. */
struct search {
    uint16_t segment;
    uint16_t sid;
    bool exact; /* a scope has the source id */
    struct vtdpi_dmar_scope scope;
    struct vtdpi_dmar_drhd unit;
    bool has_all;
    struct vtdpi_dmar_drhd all;
    bool bridges; /* a scope that may have the device below it */
};

struct log_dmar *log_dmar_open(const char *name)
{
    struct log_dmar *const d = calloc(1, sizeof(*d));
    size_t size = 0;
    size_t at = 0;
    int rc;

    if (d == NULL) {
        (void)complain(STATUS_INPUT, "no memory");
        return NULL;
    }
    d->bytes = file_read(name, TABLE_BYTES_MAX, &size);
    if (d->bytes == NULL) {
        free(d);
        return NULL;
    }
    rc = vtdpi_dmar_open(d->bytes, size, VTDPI_DMAR_ACCEPT_BAD_CHECKSUM,
                         &d->dmar, &at);
    if (rc == 0)
        return d;
    (void)complain(STATUS_INPUT, "%s: no DMAR table: %s, at byte %zu", name,
                   vtdpi_strerror(rc), at);
    log_dmar_close(d);
    return NULL;
}

void log_dmar_close(struct log_dmar *d)
{
    if (d == NULL)
        return;
    free(d->bytes);
    free(d);
}

static void scope_look(const struct vtdpi_dmar *dmar, struct search *s,
                       const struct vtdpi_dmar_drhd *unit,
                       const struct vtdpi_dmar_scope *scope)
{
    uint8_t device;
    uint8_t function;

    if (unit->segment != s->segment)
        return;
    if (scope->type == VTDPI_DMAR_SCOPE_BRIDGE || scope->hop_count > 1) {
        s->bridges = s->bridges || !unit->include_all;
        return;
    }
    if (vtdpi_dmar_get_hop(dmar, scope, 0, &device, &function) != 0 ||
        device > 31 || function > 7 ||
        VTDPI_SID(scope->start_bus, device, function) != s->sid || s->exact)
        return;
    s->exact = true;
    s->scope = *scope;
    s->unit = *unit;
}

static void search_run(const struct vtdpi_dmar *dmar, struct search *s)
{
    struct vtdpi_dmar_struct at = {0};

    while (vtdpi_dmar_next(dmar, &at) > 0) {
        struct vtdpi_dmar_scope scope = {0};
        struct vtdpi_dmar_drhd unit;

        if (at.type != VTDPI_DMAR_DRHD ||
            vtdpi_dmar_get_drhd(dmar, &at, &unit) != 0)
            continue;
        if (unit.include_all && unit.segment == s->segment && !s->has_all) {
            s->has_all = true;
            s->all = unit;
        }
        while (vtdpi_dmar_next_scope(dmar, &at, &scope) > 0)
            scope_look(dmar, s, &unit, &scope);
    }
}

void log_dmar_name(const struct log_dmar *d, uint16_t segment, uint16_t sid,
                   char *text, size_t size, int *unit)
{
    struct search s = {.segment = segment, .sid = sid};

    search_run(&d->dmar, &s);
    *unit = -1;
    if (s.exact) {
        *unit = (int)s.unit.index;
        switch (s.scope.type) {
        case VTDPI_DMAR_SCOPE_IOAPIC:
            (void)snprintf(text, size, "IOAPIC %u, unit %d",
                           s.scope.enumeration_id, *unit);
            return;
        case VTDPI_DMAR_SCOPE_HPET:
            (void)snprintf(text, size, "HPET %u, unit %d",
                           s.scope.enumeration_id, *unit);
            return;
        case VTDPI_DMAR_SCOPE_ACPI:
            (void)snprintf(text, size, "ACPI device %u, unit %d",
                           s.scope.enumeration_id, *unit);
            return;
        default:
            (void)snprintf(text, size, "endpoint, unit %d", *unit);
            return;
        }
    }
    if (!s.has_all) {
        (void)snprintf(text, size, "named by no unit of the table");
        return;
    }
    *unit = (int)s.all.index;
    (void)snprintf(
        text, size, "endpoint, unit %d%s", *unit,
        s.bridges ? " (unless below a bridge that another unit names)" : "");
}
