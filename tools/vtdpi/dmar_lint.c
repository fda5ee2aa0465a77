/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that is wrong with a DMAR table. Structures and scopes are the library's
 * (vtdpi/dmar.h); its check ends at the first finding, and this one goes on.
 *
 * The header comes first, then each structure by itself, then the units against each
 * other (dmar_lint_pairs.c). A structure that cannot be decoded is left out of what
 * follows.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dmar_lint.h"
#include "dmar_lint_internal.h"
#include "tool.h"

enum {
    REVISION_AT = 8,
    CHECKSUM_AT = 9,
    WIDTH_AT = 36,
    FLAGS_AT = 37,
    RESERVED_AT = 38,
    HEADER_BYTES = 48,
    REVISION_KNOWN = 2,
    WIDTH_LOW = 32,  /* bits; a machine has at least these */
    WIDTH_HIGH = 52, /* and at most these */
    PAGE = 4096,
    RHSA_BYTES = 20,
    DEVICE_MAX = 31,
    FUNCTION_MAX = 7,
};

const char *dmar_type_name(unsigned int type)
{
    static const char *const names[] = {"DRHD", "RMRR", "ATSR", "RHSA",
                                        "ANDD", "SATC", "SIDP"};

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

const char *dmar_scope_name(unsigned int type)
{
    static const char *const names[] = {
        NULL, "endpoint", "bridge", "IOAPIC", "HPET", "ACPI device",
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

void dmar_path(const struct vtdpi_dmar *dmar,
               const struct vtdpi_dmar_scope *scope, char text[DMAR_PATH_MAX])
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned int i = 0; i < scope->hop_count; i++) {
        uint8_t device;
        uint8_t function;

        if (vtdpi_dmar_get_hop(dmar, scope, i, &device, &function) != 0)
            break;
        /* At most 7 bytes, of at most 124 hops. */
        used += (size_t)(i == 0 ? snprintf(text, DMAR_PATH_MAX, "%02x:%02x.%x",
                                           scope->start_bus, device, function)
                                : snprintf(text + used, DMAR_PATH_MAX - used,
                                           "/%02x.%x", device, function));
    }
}

json_t *dmar_problem_at(json_t *problem, size_t offset)
{
    (void)json_object_set_new(problem, "offset",
                              json_integer((json_int_t)offset));
    return problem;
}

json_t *dmar_problem_other(json_t *problem, size_t offset, size_t other)
{
    (void)dmar_problem_at(problem, offset);
    (void)json_object_set_new(problem, "other_offset",
                              json_integer((json_int_t)other));
    return problem;
}

bool dmar_fits_width(const struct vtdpi_dmar *dmar, uint64_t last)
{
    return dmar->host_address_width >= 64 ||
           last >> dmar->host_address_width == 0;
}

/* The first byte of @count at @at that is not zero is a problem. */
static void reserved_zero(struct dmar_lint *l, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++) {
        if (l->bytes[i] != 0) {
            FOUND(l, i, SEVERITY_WARNING, "reserved",
                  "a reserved byte is 0x%02x", l->bytes[i]);
            return;
        }
    }
}

static void reserved_bits(struct dmar_lint *l, size_t at, unsigned int known,
                          const char *name)
{
    const unsigned int wrong = l->bytes[at] & ~known & 0xff;

    if (wrong != 0)
        FOUND(l, at, SEVERITY_WARNING, "reserved",
              "reserved bits of the %s are set: 0x%02x", name, wrong);
}

static void lint_checksum(struct dmar_lint *l)
{
    unsigned char sum = 0;

    if (l->dmar->checksum_ok)
        return;
    for (size_t i = 0; i < l->dmar->length; i++)
        sum = (unsigned char)(sum + l->bytes[i]);
    FOUND(l, CHECKSUM_AT, SEVERITY_ERROR, "checksum",
          "the checksum is 0x%02x, and 0x%02x would be right",
          l->bytes[CHECKSUM_AT],
          (unsigned int)(unsigned char)(l->bytes[CHECKSUM_AT] - sum));
}

static void lint_width(struct dmar_lint *l)
{
    const unsigned int width = l->dmar->host_address_width;

    if (width > WIDTH_HIGH)
        FOUND(l, WIDTH_AT, SEVERITY_WARNING, "width",
              "a host address width of %u bits; no processor has more than "
              "%d",
              width, WIDTH_HIGH);
    if (width < WIDTH_LOW)
        FOUND(l, WIDTH_AT, SEVERITY_WARNING, "width",
              "a host address width of %u bits is less than %d", width,
              WIDTH_LOW);
}

static void lint_flags(struct dmar_lint *l)
{
    const unsigned int flags = l->dmar->flags;

    reserved_bits(l, FLAGS_AT,
                  VTDPI_DMAR_INTR_REMAP | VTDPI_DMAR_X2APIC_OPT_OUT |
                      VTDPI_DMAR_DMA_CTRL_PLATFORM_OPT_IN |
                      VTDPI_DMAR_DMA_REMAP_OPT_OUT,
                  "table flags");
    if ((flags & VTDPI_DMAR_INTR_REMAP) == 0)
        FOUND(l, FLAGS_AT, SEVERITY_NOTE, "no-remapping",
              "firmware says that the platform has no interrupt remapping; "
              "systems then use neither remapping nor posting");
    if ((flags & VTDPI_DMAR_X2APIC_OPT_OUT) == 0)
        return;
    if ((flags & VTDPI_DMAR_INTR_REMAP) == 0)
        FOUND(l, FLAGS_AT, SEVERITY_WARNING, "flags",
              "the x2APIC opt-out means nothing without interrupt "
              "remapping");
    else
        FOUND(l, FLAGS_AT, SEVERITY_NOTE, "x2apic-opt-out",
              "firmware asks for xAPIC mode (x2APIC opt-out); a system that "
              "obeys cannot send interrupts to APIC ids above 254");
}

static void lint_header(struct dmar_lint *l)
{
    const unsigned int both =
        VTDPI_DMAR_DMA_CTRL_PLATFORM_OPT_IN | VTDPI_DMAR_DMA_REMAP_OPT_OUT;

    if (l->dmar->revision == 0)
        FOUND(l, REVISION_AT, SEVERITY_WARNING, "revision",
              "revision 0; the first one is 1");
    if (l->dmar->revision > REVISION_KNOWN)
        FOUND(l, REVISION_AT, SEVERITY_NOTE, "revision",
              "revision %u; up to %d are known here", l->dmar->revision,
              REVISION_KNOWN);
    lint_checksum(l);
    lint_width(l);
    lint_flags(l);
    if ((l->dmar->flags & both) == both)
        FOUND(l, FLAGS_AT, SEVERITY_WARNING, "flags",
              "the flags ask to keep DMA protection on and to leave it off");
    reserved_zero(l, RESERVED_AT, HEADER_BYTES - RESERVED_AT);
}

/* Which types of scopes a structure may have, as bits. */
static unsigned int scopes_allowed(unsigned int type)
{
    const unsigned int endpoint = 1u << VTDPI_DMAR_SCOPE_ENDPOINT;
    const unsigned int bridge = 1u << VTDPI_DMAR_SCOPE_BRIDGE;

    switch (type) {
    case VTDPI_DMAR_ATSR:
        return bridge;
    case VTDPI_DMAR_SATC:
        return endpoint;
    case VTDPI_DMAR_RMRR:
        return endpoint | bridge | 1u << VTDPI_DMAR_SCOPE_ACPI;
    case VTDPI_DMAR_SIDP:
        return endpoint | bridge;
    default:
        return endpoint | bridge | 1u << VTDPI_DMAR_SCOPE_IOAPIC |
               1u << VTDPI_DMAR_SCOPE_HPET | 1u << VTDPI_DMAR_SCOPE_ACPI;
    }
}

static void lint_scope_type(struct dmar_lint *l,
                            const struct vtdpi_dmar_struct *s,
                            const struct vtdpi_dmar_scope *scope)
{
    const char *const name = dmar_scope_name(scope->type);

    if (name == NULL)
        FOUND(l, scope->offset, SEVERITY_WARNING, "scope-type",
              "a scope of unknown type %u", scope->type);
    else if ((scopes_allowed(s->type) >> scope->type & 1) == 0)
        FOUND(l, scope->offset, SEVERITY_WARNING, "scope-type",
              "a scope of type %u (%s) does not belong into %s", scope->type,
              name, dmar_type_name(s->type));
}

static void lint_path(struct dmar_lint *l, const struct vtdpi_dmar_scope *scope)
{
    for (unsigned int i = 0; i < scope->hop_count; i++) {
        uint8_t device;
        uint8_t function;

        if (vtdpi_dmar_get_hop(l->dmar, scope, i, &device, &function) != 0)
            return;
        if (device > DEVICE_MAX || function > FUNCTION_MAX)
            FOUND(l, scope->offset, SEVERITY_ERROR, "path",
                  "hop %u of the path is device %u, function %u; PCI has 0 to "
                  "%d and 0 to %d",
                  i, device, function, DEVICE_MAX, FUNCTION_MAX);
    }
}

static void lint_scope(struct dmar_lint *l, const struct vtdpi_dmar_struct *s,
                       const struct vtdpi_dmar_scope *scope)
{
    const bool pci = scope->type == VTDPI_DMAR_SCOPE_ENDPOINT ||
                     scope->type == VTDPI_DMAR_SCOPE_BRIDGE;

    lint_scope_type(l, s, scope);
    lint_path(l, scope);
    /* Properties of a device are in the flags of SIDP only. */
    if (s->type != VTDPI_DMAR_SIDP && scope->flags != 0)
        FOUND(l, scope->offset + 2, SEVERITY_WARNING, "reserved",
              "a scope of %s has flags: 0x%02x", dmar_type_name(s->type),
              scope->flags);
    reserved_zero(l, scope->offset + 3, 1);
    if (pci && scope->enumeration_id != 0)
        FOUND(l, scope->offset + 4, SEVERITY_WARNING, "reserved",
              "the scope of a PCI device has an enumeration id: %u",
              scope->enumeration_id);
}

/* The scopes; returns how many. A bad one hides those behind. */
static unsigned int lint_scopes(struct dmar_lint *l,
                                const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_scope scope = {0};
    unsigned int count = 0;
    int rc;

    while ((rc = vtdpi_dmar_next_scope(l->dmar, s, &scope)) > 0) {
        lint_scope(l, s, &scope);
        count++;
    }
    if (rc == VTDPI_EDMAR_SCOPE)
        FOUND(l, scope.offset, SEVERITY_ERROR, "scope-length",
              "a scope with an impossible length; the scopes of this "
              "structure are not read from here on");
    return rc == VTDPI_EDMAR_SCOPE ? count + 1 : count;
}

static void lint_base(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    const size_t at = s->offset + 8;
    uint64_t base = 0;

    for (int i = 7; i >= 0; i--)
        base = base << 8 | l->bytes[at + (size_t)i];
    if (base == 0)
        FOUND(l, at, SEVERITY_ERROR, "base",
              "the register base is zero: firmware has switched the unit "
              "off, or forgotten it");
    else if (base == UINT64_MAX)
        FOUND(l, at, SEVERITY_ERROR, "base",
              "the register base is all ones: the unit does not answer");
    else if (base % PAGE != 0)
        FOUND(l, at, SEVERITY_ERROR, "base",
              "the register base 0x%" PRIx64 " is not a multiple of 4 KiB",
              base);
    else
        FOUND(l, at, SEVERITY_ERROR, "base",
              "the register window at 0x%" PRIx64
              " reaches beyond the last address",
              base);
}

static void lint_drhd(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    struct dmar_lint_unit *const u = &l->units[l->unit_count];
    const int rc = vtdpi_dmar_get_drhd(l->dmar, s, &u->drhd);

    if (rc == VTDPI_EDMAR_STRUCT)
        return;
    reserved_bits(l, s->offset + 4, VTDPI_DMAR_DRHD_INCLUDE_PCI_ALL,
                  "unit's flags");
    reserved_bits(l, s->offset + 5, VTDPI_DMAR_DRHD_SIZE, "unit's size");
    if (lint_scopes(l, s) == 0 &&
        (l->bytes[s->offset + 4] & VTDPI_DMAR_DRHD_INCLUDE_PCI_ALL) == 0)
        FOUND(l, s->offset, SEVERITY_WARNING, "scope-none",
              "the unit serves no device: it has no scope, and is not the "
              "unit for the rest");
    if (rc != 0) {
        lint_base(l, s);
        return;
    }
    if (!dmar_fits_width(l->dmar, u->drhd.base + (u->drhd.window_bytes - 1)))
        FOUND(l, s->offset + 8, SEVERITY_ERROR, "base-width",
              "the registers at 0x%" PRIx64 " are above the host address width",
              u->drhd.base);
    u->s = *s;
    l->unit_count++;
}

static void lint_rmrr(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_rmrr r;

    if (vtdpi_dmar_get_rmrr(l->dmar, s, &r) != 0)
        return;
    reserved_zero(l, s->offset + 4, 2);
    if (r.base > r.limit)
        FOUND(l, s->offset + 8, SEVERITY_ERROR, "rmrr-order",
              "the region begins at 0x%" PRIx64 ", above its end 0x%" PRIx64,
              r.base, r.limit);
    if (r.base % PAGE != 0)
        FOUND(l, s->offset + 8, SEVERITY_WARNING, "rmrr-align",
              "the region does not begin at a multiple of 4 KiB: 0x%" PRIx64,
              r.base);
    if ((r.limit + 1) % PAGE != 0)
        FOUND(l, s->offset + 16, SEVERITY_WARNING, "rmrr-align",
              "the region does not end before a multiple of 4 KiB: 0x%" PRIx64,
              r.limit);
    if (!dmar_fits_width(l->dmar, r.limit))
        FOUND(l, s->offset + 16, SEVERITY_WARNING, "rmrr-width",
              "the region ends at 0x%" PRIx64 ", above the host address width",
              r.limit);
    if (lint_scopes(l, s) == 0)
        FOUND(l, s->offset, SEVERITY_WARNING, "scope-none",
              "the region is for no device: there is no scope");
}

static void lint_devices(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_devices d;
    bool all;
    unsigned int scopes;

    if (vtdpi_dmar_get_devices(l->dmar, s, &d) != 0)
        return;
    if (s->type == VTDPI_DMAR_SIDP) {
        reserved_zero(l, s->offset + 4, 2);
    } else {
        /* ALL_PORTS and ATC_REQUIRED are the same bit. */
        reserved_bits(l, s->offset + 4, VTDPI_DMAR_ATSR_ALL_PORTS, "flags");
        reserved_zero(l, s->offset + 5, 1);
    }
    all = s->type == VTDPI_DMAR_ATSR &&
          (d.flags & VTDPI_DMAR_ATSR_ALL_PORTS) != 0;
    scopes = lint_scopes(l, s);
    if (scopes == 0 && !all)
        FOUND(l, s->offset, SEVERITY_WARNING, "scope-none",
              "%s names no device: there is no scope", dmar_type_name(s->type));
    if (scopes != 0 && all)
        FOUND(l, s->offset, SEVERITY_WARNING, "scope-needless",
              "ATSR is for all root ports, and names some");
}

static void lint_rhsa(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_rhsa r;

    if (vtdpi_dmar_get_rhsa(l->dmar, s, &r) != 0)
        return;
    reserved_zero(l, s->offset + 4, 4);
    if (s->length > RHSA_BYTES)
        FOUND(l, s->offset + 2, SEVERITY_WARNING, "struct-long",
              "RHSA has %d bytes, and this one %u", RHSA_BYTES, s->length);
    l->rhsas[l->rhsa_count].base = r.base;
    l->rhsas[l->rhsa_count++].offset = s->offset;
}

static void lint_andd(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_andd a;
    size_t *seen;

    if (vtdpi_dmar_get_andd(l->dmar, s, &a) != 0)
        return;
    reserved_zero(l, s->offset + 4, 3);
    if (a.name_offset + a.name_length == s->offset + s->length)
        FOUND(l, a.name_offset, SEVERITY_WARNING, "andd-name",
              "no zero ends the device's name");
    if (a.name_length == 0 || l->bytes[a.name_offset] != '\\')
        FOUND(l, a.name_offset, SEVERITY_WARNING, "andd-name",
              "the device's name is no path from the root of the name "
              "space");
    seen = &l->andds[a.device_number];
    if (*seen != 0)
        (void)dmar_problem_other(
            problem_add(l->problems, SEVERITY_ERROR, "andd-twice",
                        "ACPI device %u is named twice; the first name is at "
                        "0x%zx",
                        a.device_number, *seen),
            s->offset, *seen);
    else
        *seen = s->offset;
}

static void lint_struct(struct dmar_lint *l, const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_scope none = {0};

    if (dmar_type_name(s->type) == NULL) {
        FOUND(l, s->offset, SEVERITY_NOTE, "type",
              "a structure of unknown type %u; systems pass over it", s->type);
        return;
    }
    if (vtdpi_dmar_next_scope(l->dmar, s, &none) == VTDPI_EDMAR_STRUCT)
        FOUND(l, s->offset, SEVERITY_ERROR, "struct-short",
              "%s of %u bytes is too short for its fields",
              dmar_type_name(s->type), s->length);
    if (s->type < l->last_type)
        FOUND(l, s->offset, SEVERITY_NOTE, "order",
              "%s comes behind %s; the specification wants the order of "
              "types",
              dmar_type_name(s->type), dmar_type_name(l->last_type));
    l->last_type = s->type;
    if (s->type == VTDPI_DMAR_DRHD)
        lint_drhd(l, s);
    else if (s->type == VTDPI_DMAR_RMRR)
        lint_rmrr(l, s);
    else if (s->type == VTDPI_DMAR_RHSA)
        lint_rhsa(l, s);
    else if (s->type == VTDPI_DMAR_ANDD)
        lint_andd(l, s);
    else
        lint_devices(l, s);
}

/* What a walk cannot pass. */
static void lint_stop(struct dmar_lint *l, size_t at)
{
    const size_t left = l->dmar->length - at;
    unsigned int length;

    if (left < 4) {
        FOUND(l, at, SEVERITY_ERROR, "struct-length",
              "%zu bytes are left, too few for a structure", left);
        return;
    }
    length = l->bytes[at + 2] | (unsigned int)l->bytes[at + 3] << 8;
    if (length < 4)
        FOUND(l, at, SEVERITY_ERROR, "struct-length",
              "a structure of %u bytes, less than its header has; what "
              "follows is not read",
              length);
    else
        FOUND(l, at, SEVERITY_ERROR, "struct-length",
              "a structure of %u bytes where %zu are left; it is not read",
              length, left);
}

static void lint_structs(struct dmar_lint *l)
{
    struct vtdpi_dmar_struct s = {0};
    size_t end = HEADER_BYTES;
    int rc;

    while ((rc = vtdpi_dmar_next(l->dmar, &s)) > 0) {
        lint_struct(l, &s);
        end = s.offset + s.length;
    }
    if (rc < 0)
        lint_stop(l, end);
    else if (end != l->dmar->length)
        FOUND(l, end, SEVERITY_WARNING, "tail",
              "%zu zero bytes follow the last structure",
              l->dmar->length - end);
    l->whole = rc == 0;
}

struct place {
    json_int_t offset;
    size_t found; /* when */
    json_t *problem;
};

static int by_place(const void *a, const void *b)
{
    const struct place *const x = a;
    const struct place *const y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->found < y->found ? -1 : x->found > y->found;
}

/* The same problems, in the order of offsets; the array given goes away. */
static json_t *sorted(json_t *problems)
{
    const size_t count = json_array_size(problems);
    struct place *const list = calloc(count + 1, sizeof(list[0]));
    json_t *result;

    if (list == NULL)
        return problems;
    result = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *const problem = json_array_get(problems, i);

        list[i] = (struct place){
            json_integer_value(json_object_get(problem, "offset")), i, problem};
    }
    qsort(list, count, sizeof(list[0]), by_place);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append(result, list[i].problem);
    free(list);
    json_decref(problems);
    return result;
}

json_t *dmar_lint(const struct dmar_file *file)
{
    /* A structure has at least four bytes; a unit and an RHSA have more. */
    const size_t room = file->dmar.length / 16 + 1;
    struct dmar_lint l = {
        .dmar = &file->dmar,
        .bytes = file->bytes,
        .units = calloc(room, sizeof(l.units[0])),
        .rhsas = calloc(room, sizeof(l.rhsas[0])),
        .problems = json_array(),
    };

    if (l.units != NULL && l.rhsas != NULL) {
        lint_header(&l);
        lint_structs(&l);
        dmar_lint_pairs(&l);
        if (file->size > l.dmar->length)
            FOUND(&l, l.dmar->length, SEVERITY_NOTE, "behind",
                  "%zu bytes follow the table", file->size - l.dmar->length);
    }
    free(l.units);
    free(l.rhsas);
    return sorted(l.problems);
}
