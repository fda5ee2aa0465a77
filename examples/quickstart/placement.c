/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Which units there are, and which unit each device is under: built in, or
 * from a DMAR table. The table names units, and devices and bridges by bus,
 * device and function; what bus is behind a bridge only the machine knows.
 * Ours makes that up. Where devices go is then asked of vtdpi_dmar_find_pci(),
 * as a host does.
 */

#include "demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ACPI tables are rarely larger than a few KiB. */
#define TABLE_MAX   (1 << 20)

#define BRIDGES_MAX 64
#define SPOTS_MAX   64

/* A bridge that a scope's path leads over, and the bus behind it. */
struct bridge {
    uint16_t segment;
    uint16_t sid;
    uint8_t bus;
};

/* A place for a device. */
struct spot {
    struct device device;
    bool used;
};

struct placement {
    struct vtdpi_dmar dmar;
    const char *path;
    struct bridge bridges[BRIDGES_MAX];
    unsigned int bridge_count;
    struct spot spots[SPOTS_MAX];
    unsigned int spot_count;
};

static const char *const names[DEVICES] = {"nic", "ssd", "gpu"};

bool placement_built_in(struct demo *d)
{
    static const struct device devices[DEVICES] = {
        {"nic", 0, VTDPI_SID(0x3b, 0, 0), 0, "behind bridge 3a:00.0"},
        {"ssd", 0, VTDPI_SID(0x5e, 0, 0), 1, "INCLUDE_PCI_ALL"},
        {"gpu", 0, VTDPI_SID(0x5f, 0, 0), 1, "INCLUDE_PCI_ALL"},
    };

    d->haw = 46;
    d->firmware_intr_remap = true;
    d->unit_count = 2;
    d->units = calloc(2, sizeof(*d->units));
    if (d->units == NULL)
        die("out of memory");
    d->units[0].base = 0xd37fc000;
    d->units[1].base = 0xc5ffc000;
    memcpy(d->devices, devices, sizeof(devices));
    return true;
}

/* Errors. */

static bool bad(const char *path, const char *why)
{
    (void)fprintf(stderr, "quickstart: %s: %s\n", path, why);
    return false;
}

static bool bad_table(const char *path, int rc, size_t offset)
{
    (void)fprintf(stderr, "quickstart: %s: offset %zu (%zxh): %s\n", path,
                  offset, offset, vtdpi_strerror(rc));
    return false;
}

/* Read the file; NULL: said why. */
static void *read_file(const char *path, size_t *size)
{
    FILE *const file = fopen(path, "rb");
    unsigned char *bytes = NULL;
    int failed = errno;

    if (file != NULL) {
        bytes = malloc(TABLE_MAX);
        if (bytes == NULL)
            die("out of memory");
        *size = fread(bytes, 1, TABLE_MAX, file);
        failed = ferror(file) != 0 ? errno : 0;
        (void)fclose(file);
    }
    if (failed != 0) {
        (void)bad(path, strerror(failed));
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* The made-up PCI. */

static bool bridge_buses(void *ctx, uint16_t segment, uint16_t sid,
                         uint8_t *secondary, uint8_t *subordinate)
{
    const struct placement *const p = ctx;

    for (unsigned int i = 0; i < p->bridge_count; i++) {
        const struct bridge *const b = &p->bridges[i];

        if (b->segment == segment && b->sid == sid) {
            *secondary = b->bus;
            *subordinate = b->bus;
            return true;
        }
    }
    return false;
}

static const struct vtdpi_source_pci_ops pci_ops = {bridge_buses};

/* Buses behind bridges: from 254 downwards, where firmware puts none. */
static bool add_bridge(struct placement *p, uint16_t segment, uint16_t sid)
{
    uint8_t unused;

    if (bridge_buses(p, segment, sid, &unused, &unused))
        return true;
    if (p->bridge_count == BRIDGES_MAX)
        return false;
    p->bridges[p->bridge_count] =
        (struct bridge){segment, sid, (uint8_t)(254 - p->bridge_count)};
    p->bridge_count++;
    return true;
}

static void add_spot(struct placement *p, uint16_t segment, uint16_t sid,
                     unsigned int unit, const char *why)
{
    struct vtdpi_dmar_drhd drhd;

    /* Another unit may have a better claim. */
    if (p->spot_count == SPOTS_MAX ||
        vtdpi_dmar_find_pci(&p->dmar, &pci_ops, p, segment, sid, &drhd) != 0 ||
        drhd.index != unit)
        return;
    p->spots[p->spot_count++] =
        (struct spot){{NULL, segment, sid, unit, why}, false};
}

/* Where a scope's path ends; each hop but the last is a bridge. */
static bool walk_path(struct placement *p, uint16_t segment,
                      const struct vtdpi_dmar_scope *scope, uint16_t *sid)
{
    uint8_t bus = scope->start_bus;

    for (unsigned int hop = 0; hop < scope->hop_count; hop++) {
        uint8_t device;
        uint8_t function;
        uint8_t unused;

        if (vtdpi_dmar_get_hop(&p->dmar, scope, hop, &device, &function) != 0 ||
            device > 31 || function > 7)
            return false;
        *sid = VTDPI_SID(bus, device, function);
        if (hop + 1U < scope->hop_count &&
            (!add_bridge(p, segment, *sid) ||
             !bridge_buses(p, segment, *sid, &bus, &unused)))
            return false;
    }
    return true;
}

static void add_scope(struct placement *p, const struct vtdpi_dmar_drhd *drhd,
                      const struct vtdpi_dmar_scope *scope)
{
    uint8_t bus;
    uint8_t unused;
    uint16_t sid = 0;

    if ((scope->type != VTDPI_DMAR_SCOPE_ENDPOINT &&
         scope->type != VTDPI_DMAR_SCOPE_BRIDGE) ||
        !walk_path(p, drhd->segment, scope, &sid))
        return;
    if (scope->type == VTDPI_DMAR_SCOPE_ENDPOINT)
        add_spot(p, drhd->segment, sid, drhd->index, "named by a scope");
    else if (add_bridge(p, drhd->segment, sid) &&
             bridge_buses(p, drhd->segment, sid, &bus, &unused))
        add_spot(p, drhd->segment, VTDPI_SID(bus, 0, 0), drhd->index,
                 "behind a bridge that a scope names");
}

/* Units, and a list of places under them. */

static void add_unit(struct demo *d, struct placement *p,
                     const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_scope scope = {0};
    struct vtdpi_dmar_drhd drhd;

    if (vtdpi_dmar_get_drhd(&p->dmar, s, &drhd) != 0)
        return;
    d->units = realloc(d->units, (d->unit_count + 1U) * sizeof(*d->units));
    if (d->units == NULL)
        die("out of memory");
    memset(&d->units[d->unit_count], 0, sizeof(*d->units));
    d->units[d->unit_count].base = drhd.base;
    d->units[d->unit_count].segment = drhd.segment;
    d->unit_count++;
    while (vtdpi_dmar_next_scope(&p->dmar, s, &scope) > 0)
        add_scope(p, &drhd, &scope);
    if (drhd.include_all) {
        for (unsigned int i = 0; i < DEVICES; i++)
            add_spot(p, drhd.segment, VTDPI_SID(1 + i, 0, 0), drhd.index,
                     "INCLUDE_PCI_ALL");
    }
}

static bool collect(struct demo *d, struct placement *p)
{
    struct vtdpi_dmar_struct s = {0};

    while (vtdpi_dmar_next(&p->dmar, &s) > 0) {
        if (s.type == VTDPI_DMAR_DRHD)
            add_unit(d, p, &s);
    }
    return d->unit_count != 0 ||
           bad(p->path, "the table names no remapping unit");
}

/* Devices: one for each unit while there are both, then wherever is room. */
static struct spot *next_spot(struct placement *p, unsigned int unit, bool any)
{
    for (unsigned int i = 0; i < p->spot_count; i++) {
        struct spot *const s = &p->spots[i];

        if (!s->used && (any || s->device.unit == unit))
            return s;
    }
    return NULL;
}

static bool place(struct demo *d, struct placement *p)
{
    unsigned int unit = 0;

    for (unsigned int n = 0; n < DEVICES; n++) {
        struct spot *s = NULL;

        while (s == NULL && unit < d->unit_count)
            s = next_spot(p, unit++, false);
        if (s == NULL)
            s = next_spot(p, 0, true);
        if (s == NULL)
            return bad(p->path, "the table has no place for three devices");
        s->used = true;
        d->devices[n] = s->device;
        d->devices[n].name = names[n];
    }
    return true;
}

static bool open_table(struct demo *d, struct placement *p, const void *bytes,
                       size_t size)
{
    struct vtdpi_dmar_problem at = {0};
    int rc = vtdpi_dmar_open(bytes, size, 0, &p->dmar, &at.offset);

    if (rc == 0)
        rc = vtdpi_dmar_check(&p->dmar, &at);
    if (rc != 0 && !at.note)
        return bad_table(p->path, rc, at.offset);
    /* machine_print() tells it. */
    d->table_note = rc;
    d->note = at;
    return true;
}

static bool take_header(struct demo *d, const struct placement *p)
{
    /* The demo's memory lies in the upper half of what the machine addresses;
     * 52 bits are what any page table can map. */
    d->haw = p->dmar.host_address_width;
    if (d->haw > 52)
        d->haw = 52;
    if (d->haw < 32)
        return bad(p->path, "host address width below 32 bits");
    d->firmware_intr_remap = (p->dmar.flags & VTDPI_DMAR_INTR_REMAP) != 0;
    d->firmware_x2apic_optout =
        (p->dmar.flags & VTDPI_DMAR_X2APIC_OPT_OUT) != 0;
    return true;
}

bool placement_from_file(struct demo *d, const char *path)
{
    struct placement p = {.path = path};
    size_t size = 0;
    void *const bytes = read_file(path, &size);
    const bool good = bytes != NULL && open_table(d, &p, bytes, size) &&
                      take_header(d, &p) && collect(d, &p) && place(d, &p);

    free(bytes);
    return good;
}
