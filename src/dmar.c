/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of the ACPI DMAR table. Read the rules at the top of dmar.h first.
 *
 * From the bottom up: bytes of the table, its header, structures, scopes within
 * them, units (DRHD), and then the look-ups that compare the claims of units.
 * Nothing is read that struct_is_whole() or the walk has not found to lie in the
 * table; nothing is kept between calls. Only look-ups go on to the tables that are
 * linked behind. The check of tables is in dmar_check.c.
 */
#include "vtdpi/dmar.h"

#include "dmar_walk.h"

/* Offsets and sizes of the table header. */
#define HEADER_SIGNATURE_BYTES 4u
#define HEADER_LENGTH_AT       4u
#define HEADER_REVISION_AT     8u
#define HEADER_CHECKSUM_AT     9u
#define HEADER_OEM_ID_AT       10u
#define HEADER_OEM_TABLE_ID_AT 16u
#define HEADER_OEM_REVISION_AT 24u
#define HEADER_WIDTH_AT        36u
#define HEADER_FLAGS_AT        37u
#define HEADER_BYTES           48u

/* Of a remapping structure, and of a device scope. */
#define STRUCT_BYTES           4u
#define SCOPE_BYTES            6u
#define HOP_BYTES              2u

/* Smallest unit of a register window. */
#define DRHD_WINDOW_BYTES      4096u

static uint8_t table_read8(const struct vtdpi_dmar *dmar, size_t at)
{
    return dmar->table_[at];
}

/* Byte by byte: neither alignment nor byte order of the host matters. */
static uint64_t read_le(const uint8_t *from, unsigned int bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | from[bytes];
    return value;
}

static uint16_t table_read16(const struct vtdpi_dmar *dmar, size_t at)
{
    return (uint16_t)read_le(dmar->table_ + at, 2);
}

static uint32_t table_read32(const struct vtdpi_dmar *dmar, size_t at)
{
    return (uint32_t)read_le(dmar->table_ + at, 4);
}

static uint64_t table_read64(const struct vtdpi_dmar *dmar, size_t at)
{
    return read_le(dmar->table_ + at, 8);
}

static VTDPI_COLD bool sums_to_zero(const uint8_t *bytes, size_t count)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

static void copy_text(char *to, const uint8_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (char)from[i];
    to[count] = '\0';
}

/* Everything about the header but the checksum. */
static int header_check(const uint8_t *bytes, size_t size, size_t *bad)
{
    static const uint8_t signature[HEADER_SIGNATURE_BYTES] = {'D', 'M', 'A',
                                                              'R'};
    size_t length;

    for (size_t i = 0; i < HEADER_SIGNATURE_BYTES && i < size; i++) {
        if (bytes[i] != signature[i]) {
            *bad = 0;
            return VTDPI_EDMAR_SIGNATURE;
        }
    }
    if (size < HEADER_BYTES) {
        *bad = size;
        return VTDPI_EDMAR_LENGTH;
    }
    length = (size_t)read_le(bytes + HEADER_LENGTH_AT, 4);
    if (length < HEADER_BYTES || length > size) {
        *bad = HEADER_LENGTH_AT;
        return VTDPI_EDMAR_LENGTH;
    }
    return 0;
}

static void header_decode(const uint8_t *bytes, struct vtdpi_dmar *out)
{
    out->table_ = bytes;
    out->first_ = HEADER_BYTES;
    out->length = table_read32(out, HEADER_LENGTH_AT);
    out->oem_revision = table_read32(out, HEADER_OEM_REVISION_AT);
    /* Stored as the width less one. */
    out->host_address_width = (uint16_t)(table_read8(out, HEADER_WIDTH_AT) + 1);
    out->revision = table_read8(out, HEADER_REVISION_AT);
    out->flags = table_read8(out, HEADER_FLAGS_AT);
    out->checksum_ok = sums_to_zero(bytes, out->length);
    copy_text(out->oem_id, bytes + HEADER_OEM_ID_AT, sizeof(out->oem_id) - 1);
    copy_text(out->oem_table_id, bytes + HEADER_OEM_TABLE_ID_AT,
              sizeof(out->oem_table_id) - 1);
}

int vtdpi_dmar_open(const void *table, size_t size, unsigned int flags,
                    struct vtdpi_dmar *out, size_t *error_offset)
{
    size_t bad = 0;
    int rc = VTDPI_EINVAL;

    if (out != NULL)
        *out = (struct vtdpi_dmar){0};
    if (table != NULL && out != NULL &&
        (flags & ~VTDPI_DMAR_ACCEPT_BAD_CHECKSUM) == 0)
        rc = header_check(table, size, &bad);
    if (rc == 0) {
        header_decode(table, out);
        if (!out->checksum_ok &&
            (flags & VTDPI_DMAR_ACCEPT_BAD_CHECKSUM) == 0) {
            *out = (struct vtdpi_dmar){0};
            bad = HEADER_CHECKSUM_AT;
            rc = VTDPI_EDMAR_CHECKSUM;
        }
    }
    if (rc != 0 && error_offset != NULL)
        *error_offset = bad;
    return rc;
}

int vtdpi_dmar_open_list(const void *list, size_t size, struct vtdpi_dmar *out)
{
    if (out != NULL)
        *out = (struct vtdpi_dmar){0};
    if (list == NULL || out == NULL)
        return VTDPI_EINVAL;
    out->table_ = list;
    out->length = size;
    return 0;
}

/* Whether nothing but zeros follows, or nothing at all. */
static VTDPI_COLD bool table_rest_is_zero(const struct vtdpi_dmar *dmar,
                                          size_t at)
{
    while (at < dmar->length && table_read8(dmar, at) == 0)
        at++;
    return at == dmar->length;
}

int vtdpi_dmar_next(const struct vtdpi_dmar *dmar, struct vtdpi_dmar_struct *s)
{
    size_t at = s->offset + s->length;
    size_t length;

    /* Where a walk starts. */
    if (at < dmar->first_)
        at = dmar->first_;
    if (table_rest_is_zero(dmar, at)) {
        *s = (struct vtdpi_dmar_struct){0};
        return 0;
    }
    /* A length of zero keeps a repeated call at the same error. */
    *s = (struct vtdpi_dmar_struct){.offset = at};
    if (at > dmar->length || dmar->length - at < STRUCT_BYTES)
        return VTDPI_EDMAR_STRUCT;
    length = table_read16(dmar, at + 2);
    if (length < STRUCT_BYTES || length > dmar->length - at)
        return VTDPI_EDMAR_STRUCT;
    s->type = table_read16(dmar, at);
    s->length = (uint16_t)length;
    return 1;
}

/* Bytes before the device scopes, or all bytes of a type without any. */
static uint16_t struct_fixed_bytes(uint16_t type)
{
    switch (type) {
    case VTDPI_DMAR_DRHD:
        return 16;
    case VTDPI_DMAR_RMRR:
        return 24;
    case VTDPI_DMAR_RHSA:
        return 20;
    case VTDPI_DMAR_ATSR:
    case VTDPI_DMAR_ANDD: /* a name follows */
    case VTDPI_DMAR_SATC:
    case VTDPI_DMAR_SIDP:
        return 8;
    default:
        return STRUCT_BYTES;
    }
}

static bool struct_has_scopes(uint16_t type)
{
    return type == VTDPI_DMAR_DRHD || type == VTDPI_DMAR_RMRR ||
           type == VTDPI_DMAR_ATSR || type == VTDPI_DMAR_SATC ||
           type == VTDPI_DMAR_SIDP;
}

/* The caller holds the structure, so its bounds are not taken on trust. */
static VTDPI_COLD bool struct_is_whole(const struct vtdpi_dmar *dmar,
                                       const struct vtdpi_dmar_struct *s)
{
    return s->offset >= dmar->first_ && s->offset <= dmar->length &&
           s->length <= dmar->length - s->offset &&
           s->length >= struct_fixed_bytes(s->type);
}

int vtdpi_dmar_next_scope(const struct vtdpi_dmar *dmar,
                          const struct vtdpi_dmar_struct *s,
                          struct vtdpi_dmar_scope *scope)
{
    const size_t first = s->offset + struct_fixed_bytes(s->type);
    const size_t end = s->offset + s->length;
    const size_t at =
        scope->offset == 0 ? first : scope->offset + scope->length;
    uint8_t length;

    *scope = (struct vtdpi_dmar_scope){0};
    if (!struct_is_whole(dmar, s)) {
        scope->offset = s->offset;
        return VTDPI_EDMAR_STRUCT;
    }
    if (!struct_has_scopes(s->type) || at == end)
        return 0;
    scope->offset = at;
    if (at < first || at > end || end - at < SCOPE_BYTES)
        return VTDPI_EDMAR_SCOPE;
    length = table_read8(dmar, at + 1);
    if (length < SCOPE_BYTES + HOP_BYTES || length > end - at ||
        length % HOP_BYTES != 0)
        return VTDPI_EDMAR_SCOPE;
    scope->type = table_read8(dmar, at);
    scope->length = length;
    scope->flags = table_read8(dmar, at + 2);
    scope->enumeration_id = table_read8(dmar, at + 4);
    scope->start_bus = table_read8(dmar, at + 5);
    scope->hop_count = (uint8_t)((length - SCOPE_BYTES) / HOP_BYTES);
    return 1;
}

int vtdpi_dmar_get_hop(const struct vtdpi_dmar *dmar,
                       const struct vtdpi_dmar_scope *scope, unsigned int hop,
                       uint8_t *device, uint8_t *function)
{
    size_t at;

    if (hop >= scope->hop_count || scope->offset < dmar->first_ ||
        scope->offset > dmar->length)
        return VTDPI_ERANGE;
    at = SCOPE_BYTES + (size_t)hop * HOP_BYTES;
    if (dmar->length - scope->offset < at + HOP_BYTES)
        return VTDPI_ERANGE;
    *device = table_read8(dmar, scope->offset + at);
    *function = table_read8(dmar, scope->offset + at + 1);
    return 0;
}

static int struct_check_type(const struct vtdpi_dmar *dmar,
                             const struct vtdpi_dmar_struct *s,
                             enum vtdpi_dmar_type type)
{
    if (s->type != (uint16_t)type)
        return VTDPI_EINVAL;
    return struct_is_whole(dmar, s) ? 0 : VTDPI_EDMAR_STRUCT;
}

VTDPI_COLD int vtdpi_dmar_decode_unit_(const struct vtdpi_dmar *dmar,
                                       const struct vtdpi_dmar_struct *s,
                                       uint32_t index,
                                       struct vtdpi_dmar_drhd *out)
{
    uint32_t window;
    uint64_t base;

    if (!struct_is_whole(dmar, s))
        return VTDPI_EDMAR_STRUCT;
    window = DRHD_WINDOW_BYTES
             << (table_read8(dmar, s->offset + 5) & VTDPI_DMAR_DRHD_SIZE);
    base = table_read64(dmar, s->offset + 8);
    if (base == 0 || base % DRHD_WINDOW_BYTES != 0 ||
        base + (window - 1) < base)
        return VTDPI_EDMAR_BASE;
    *out = (struct vtdpi_dmar_drhd){
        .base = base,
        .table = dmar,
        .window_bytes = window,
        .index = index,
        .segment = table_read16(dmar, s->offset + 6),
        .include_all = (table_read8(dmar, s->offset + 4) &
                        VTDPI_DMAR_DRHD_INCLUDE_PCI_ALL) != 0,
    };
    return 0;
}

int vtdpi_dmar_get_drhd(const struct vtdpi_dmar *dmar,
                        const struct vtdpi_dmar_struct *s,
                        struct vtdpi_dmar_drhd *out)
{
    struct vtdpi_dmar_struct before = {0};
    uint32_t index = 0;
    int rc = struct_check_type(dmar, s, VTDPI_DMAR_DRHD);

    if (rc != 0)
        return rc;
    while ((rc = vtdpi_dmar_next(dmar, &before)) > 0 &&
           before.offset < s->offset) {
        if (before.type == VTDPI_DMAR_DRHD)
            index++;
    }
    if (rc < 0 || before.offset != s->offset)
        return VTDPI_EDMAR_STRUCT;
    return vtdpi_dmar_decode_unit_(dmar, s, index, out);
}

int vtdpi_dmar_get_rmrr(const struct vtdpi_dmar *dmar,
                        const struct vtdpi_dmar_struct *s,
                        struct vtdpi_dmar_rmrr *out)
{
    const int rc = struct_check_type(dmar, s, VTDPI_DMAR_RMRR);

    if (rc != 0)
        return rc;
    *out = (struct vtdpi_dmar_rmrr){
        .base = table_read64(dmar, s->offset + 8),
        .limit = table_read64(dmar, s->offset + 16),
        .segment = table_read16(dmar, s->offset + 6),
    };
    return 0;
}

int vtdpi_dmar_get_rhsa(const struct vtdpi_dmar *dmar,
                        const struct vtdpi_dmar_struct *s,
                        struct vtdpi_dmar_rhsa *out)
{
    const int rc = struct_check_type(dmar, s, VTDPI_DMAR_RHSA);

    if (rc != 0)
        return rc;
    *out = (struct vtdpi_dmar_rhsa){
        .base = table_read64(dmar, s->offset + 8),
        .domain = table_read32(dmar, s->offset + 16),
    };
    return 0;
}

int vtdpi_dmar_get_andd(const struct vtdpi_dmar *dmar,
                        const struct vtdpi_dmar_struct *s,
                        struct vtdpi_dmar_andd *out)
{
    const int rc = struct_check_type(dmar, s, VTDPI_DMAR_ANDD);
    const size_t name = s->offset + struct_fixed_bytes(VTDPI_DMAR_ANDD);
    uint16_t length = 0;

    if (rc != 0)
        return rc;
    while (name + length < s->offset + s->length &&
           table_read8(dmar, name + length) != 0)
        length++;
    *out = (struct vtdpi_dmar_andd){
        .name_offset = name,
        .name_length = length,
        .device_number = table_read8(dmar, s->offset + 7),
    };
    return 0;
}

int vtdpi_dmar_get_devices(const struct vtdpi_dmar *dmar,
                           const struct vtdpi_dmar_struct *s,
                           struct vtdpi_dmar_devices *out)
{
    if (s->type != VTDPI_DMAR_ATSR && s->type != VTDPI_DMAR_SATC &&
        s->type != VTDPI_DMAR_SIDP)
        return VTDPI_EINVAL;
    if (!struct_is_whole(dmar, s))
        return VTDPI_EDMAR_STRUCT;
    *out = (struct vtdpi_dmar_devices){
        .segment = table_read16(dmar, s->offset + 6),
        /* SIDP has no flags; the byte is reserved. */
        .flags =
            s->type == VTDPI_DMAR_SIDP ? 0 : table_read8(dmar, s->offset + 4),
    };
    return 0;
}

/* Steps to the next unit of one table; s zeroed to start with. */
static VTDPI_COLD int drhd_next(const struct vtdpi_dmar *dmar,
                                struct vtdpi_dmar_struct *s,
                                struct vtdpi_dmar_drhd *drhd)
{
    const uint32_t index = s->length == 0 ? 0 : drhd->index + 1;
    int rc;

    while ((rc = vtdpi_dmar_next(dmar, s)) > 0) {
        if (s->type != VTDPI_DMAR_DRHD)
            continue;
        rc = vtdpi_dmar_decode_unit_(dmar, s, index, drhd);
        return rc != 0 ? rc : 1;
    }
    return rc;
}

VTDPI_COLD int vtdpi_dmar_next_unit_(struct vtdpi_dmar_unit_ *u)
{
    int rc = 0;

    while (u->table != NULL && (rc = drhd_next(u->table, &u->s, &u->drhd)) == 0)
        u->table = u->table->next;
    return rc;
}

/* How the host's bridges are asked; ops and its member may be NULL. */
struct dmar_bridges {
    const struct vtdpi_source_pci_ops *ops;
    void *ctx;
    uint16_t segment;
};

/*
 * Buses behind a bridge. One that was never set up answers zeros, which would
 * claim bus 0: what is behind a bridge always has a higher number.
 */
static bool bridge_buses_behind(const struct dmar_bridges *b, uint16_t sid,
                                uint8_t *secondary, uint8_t *subordinate)
{
    if (b->ops == NULL || b->ops->bridge_buses == NULL ||
        !b->ops->bridge_buses(b->ctx, b->segment, sid, secondary, subordinate))
        return false;
    return *secondary > vtdpi_sid_bus(sid) && *subordinate >= *secondary;
}

/* Follows the path of a scope to the function it names. */
static VTDPI_COLD int scope_resolve(const struct vtdpi_dmar *dmar,
                                    const struct dmar_bridges *b,
                                    const struct vtdpi_dmar_scope *scope,
                                    uint16_t *sid)
{
    uint8_t bus = scope->start_bus;
    uint8_t subordinate;
    uint8_t device;
    uint8_t function;
    uint16_t at = 0;

    for (unsigned int hop = 0; hop < scope->hop_count; hop++) {
        if (hop > 0 && !bridge_buses_behind(b, at, &bus, &subordinate))
            return VTDPI_ERANGE;
        if (vtdpi_dmar_get_hop(dmar, scope, hop, &device, &function) != 0 ||
            device > 31 || function > 7)
            return VTDPI_ERANGE;
        at = VTDPI_SID(bus, device, function);
    }
    *sid = at;
    return 0;
}

/* How specific a unit's claim to a function is; larger wins. */
#define CLAIM_NONE  0u
#define CLAIM_ALL   1u
/* Plus the secondary bus, which grows from a bridge to those below it. */
#define CLAIM_BELOW 1u
#define CLAIM_EXACT 0x1000u

static unsigned int scope_claim(const struct vtdpi_dmar *dmar,
                                const struct dmar_bridges *b,
                                const struct vtdpi_dmar_scope *scope,
                                uint16_t sid)
{
    const uint8_t bus = vtdpi_sid_bus(sid);
    uint8_t secondary;
    uint8_t subordinate;
    uint16_t named;

    if ((scope->type != VTDPI_DMAR_SCOPE_ENDPOINT &&
         scope->type != VTDPI_DMAR_SCOPE_BRIDGE) ||
        scope_resolve(dmar, b, scope, &named) != 0)
        return CLAIM_NONE;
    if (named == sid)
        return CLAIM_EXACT;
    if (scope->type == VTDPI_DMAR_SCOPE_BRIDGE &&
        bridge_buses_behind(b, named, &secondary, &subordinate) &&
        secondary <= bus && bus <= subordinate)
        return CLAIM_BELOW + secondary;
    return CLAIM_NONE;
}

/* The best claim of a unit, or a negative error. */
static int unit_claim(const struct vtdpi_dmar_unit_ *u,
                      const struct dmar_bridges *b, uint16_t sid)
{
    struct vtdpi_dmar_scope scope = {0};
    unsigned int best = u->drhd.include_all ? CLAIM_ALL : CLAIM_NONE;
    unsigned int claim;
    int rc;

    while ((rc = vtdpi_dmar_next_scope(u->table, &u->s, &scope)) > 0) {
        claim = scope_claim(u->table, b, &scope, sid);
        if (claim > best)
            best = claim;
    }
    return rc < 0 ? rc : (int)best;
}

int vtdpi_dmar_find_pci(const struct vtdpi_dmar *dmar,
                        const struct vtdpi_source_pci_ops *ops, void *ctx,
                        uint16_t segment, uint16_t sid,
                        struct vtdpi_dmar_drhd *out)
{
    const struct dmar_bridges bridges = {ops, ctx, segment};
    struct vtdpi_dmar_unit_ u = {.table = dmar};
    struct vtdpi_dmar_drhd found = {0};
    int best = CLAIM_NONE;
    int claim;
    int rc;

    if (ops == NULL || ops->bridge_buses == NULL)
        return VTDPI_EINVAL;
    while ((rc = vtdpi_dmar_next_unit_(&u)) > 0) {
        if (u.drhd.segment != segment)
            continue;
        claim = unit_claim(&u, &bridges, sid);
        if (claim < 0)
            return claim;
        if (claim > best) {
            best = claim;
            found = u.drhd;
        }
    }
    if (rc < 0)
        return rc;
    if (best == CLAIM_NONE)
        return VTDPI_ENOENT;
    *out = found;
    return 0;
}

/* The first scope of that type and id in any unit from u on, and the unit; 1, 0 or
 * an error. */
static VTDPI_COLD int scope_find(struct vtdpi_dmar_unit_ *u, uint8_t type,
                                 uint8_t id, struct vtdpi_dmar_scope *scope)
{
    int rc;

    while ((rc = vtdpi_dmar_next_unit_(u)) > 0) {
        *scope = (struct vtdpi_dmar_scope){0};
        while ((rc = vtdpi_dmar_next_scope(u->table, &u->s, scope)) > 0) {
            if (scope->type == type && scope->enumeration_id == id)
                return 1;
        }
        if (rc < 0)
            return rc;
    }
    return rc;
}

int vtdpi_dmar_find_id(const struct vtdpi_dmar *dmar,
                       const struct vtdpi_source_pci_ops *ops, void *ctx,
                       enum vtdpi_dmar_scope_type type, uint8_t id,
                       struct vtdpi_dmar_drhd *out, uint16_t *sid)
{
    struct vtdpi_dmar_unit_ u = {.table = dmar};
    struct vtdpi_dmar_scope scope;
    int rc;

    if (type != VTDPI_DMAR_SCOPE_IOAPIC && type != VTDPI_DMAR_SCOPE_HPET &&
        type != VTDPI_DMAR_SCOPE_ACPI)
        return VTDPI_EINVAL;
    rc = scope_find(&u, (uint8_t)type, id, &scope);
    if (rc <= 0)
        return rc == 0 ? VTDPI_ENOENT : rc;
    rc = scope_resolve(
        u.table, &(struct dmar_bridges){ops, ctx, u.drhd.segment}, &scope, sid);
    if (rc == 0)
        *out = u.drhd;
    return rc;
}

size_t vtdpi_dmar_uncovered_ioapics(const struct vtdpi_dmar *dmar,
                                    const struct vtdpi_source_pci_ops *ops,
                                    void *ctx, const uint8_t *ids, size_t count,
                                    uint8_t *uncovered)
{
    struct vtdpi_dmar_drhd drhd;
    size_t written = 0;
    uint16_t sid;

    for (size_t i = 0; i < count; i++) {
        if (vtdpi_dmar_find_id(dmar, ops, ctx, VTDPI_DMAR_SCOPE_IOAPIC, ids[i],
                               &drhd, &sid) != 0)
            uncovered[written++] = ids[i];
    }
    return written;
}
