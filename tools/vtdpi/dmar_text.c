/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of vtdpi dmar as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dmar_text.h"
#include "problem.h"
#include "vtdpi/dmar.h"

static void flags_print(const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        printf("%s%s", i == 0 ? ": " : ", ",
               json_string_value(json_array_get(names, i)));
    (void)putchar('\n');
}

static void header_print(const json_t *h)
{
    printf("%sDMAR%s  %" JSON_INTEGER_FORMAT " bytes, revision "
           "%" JSON_INTEGER_FORMAT ", checksum %s, OEM \"%s\" \"%s\" "
           "0x%" PRIx64 "\n",
           tint(TINT_BOLD), tint(TINT_NONE), member_integer(h, "length"),
           member_integer(h, "revision"),
           member_boolean(h, "checksum_right") ? "right" : "wrong",
           member_string(h, "oem_id"), member_string(h, "oem_table_id"),
           (uint64_t)member_integer(h, "oem_revision"));
    printf("      host address width %" JSON_INTEGER_FORMAT " bits\n",
           member_integer(h, "host_address_width"));
    printf("      flags 0x%" PRIx64, (uint64_t)member_integer(h, "flags"));
    flags_print(json_object_get(h, "flag_names"));
}

/* "4 KiB", or bytes if there is no whole number of such. */
static void size_print(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes != 0 && bytes % 1024 == 0 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    printf("%" PRIu64 " %s", bytes, units[unit]);
}

static void drhd_print(const json_t *f)
{
    printf("unit for %ssegment %" JSON_INTEGER_FORMAT ", registers at %s, ",
           member_boolean(f, "include_all") ? "the rest of " : "",
           member_integer(f, "segment"), member_string(f, "base"));
    size_print((uint64_t)member_integer(f, "window_bytes"));
    (void)putchar('\n');
}

static void rmrr_print(const json_t *f)
{
    const char *const base = member_string(f, "base");
    const char *const limit = member_string(f, "limit");
    const uint64_t first = strtoull(base, NULL, 16);
    const uint64_t last = strtoull(limit, NULL, 16);

    printf("reserved memory %s to %s, ", base, limit);
    if (first <= last && last - first != UINT64_MAX) {
        size_print(last - first + 1);
        printf(", ");
    }
    printf("segment %" JSON_INTEGER_FORMAT "\n", member_integer(f, "segment"));
}

static void devices_print(unsigned int type, const json_t *f)
{
    const bool flag = member_integer(f, "flags") & VTDPI_DMAR_ATSR_ALL_PORTS;

    if (type == VTDPI_DMAR_ATSR)
        printf("root ports that can do ATS%s", flag ? ": all of them" : "");
    else if (type == VTDPI_DMAR_SATC)
        printf("integrated devices with ATS%s",
               flag ? ", which they cannot do without" : "");
    else
        printf("properties of integrated devices");
    printf(", segment %" JSON_INTEGER_FORMAT "\n",
           member_integer(f, "segment"));
}

static void fields_print(const json_t *s)
{
    const unsigned int type = (unsigned int)member_integer(s, "type");
    const json_t *const f = json_object_get(s, "fields");

    if (json_is_null(json_object_get(s, "name")))
        printf("unknown type %u, %" JSON_INTEGER_FORMAT " bytes\n", type,
               member_integer(s, "length"));
    else if (!json_is_object(f))
        puts(type == VTDPI_DMAR_DRHD ? "unit that cannot be used"
                                     : "cannot be read");
    else if (type == VTDPI_DMAR_DRHD)
        drhd_print(f);
    else if (type == VTDPI_DMAR_RMRR)
        rmrr_print(f);
    else if (type == VTDPI_DMAR_RHSA)
        printf("the unit at %s is in proximity domain %" JSON_INTEGER_FORMAT
               "\n",
               member_string(f, "base"), member_integer(f, "domain"));
    else if (type == VTDPI_DMAR_ANDD)
        printf("ACPI device %" JSON_INTEGER_FORMAT " is %s\n",
               member_integer(f, "device"), member_string(f, "path"));
    else
        devices_print(type, f);
}

static void scope_print(const json_t *scope)
{
    const json_int_t type = member_integer(scope, "type");

    printf("  0x%03" PRIx64 "       ",
           (uint64_t)member_integer(scope, "offset"));
    if (type >= VTDPI_DMAR_SCOPE_IOAPIC && type <= VTDPI_DMAR_SCOPE_ACPI)
        printf("%s %" JSON_INTEGER_FORMAT " as ", member_string(scope, "name"),
               member_integer(scope, "id"));
    else if (json_is_null(json_object_get(scope, "name")))
        printf("scope of type %" JSON_INTEGER_FORMAT " ", type);
    else
        printf("%s ", member_string(scope, "name"));
    printf("%s", member_string(scope, "path"));
    if (type == VTDPI_DMAR_SCOPE_BRIDGE)
        printf(" and all behind");
    if (member_integer(scope, "flags") != 0)
        printf(", flags 0x%" PRIx64, (uint64_t)member_integer(scope, "flags"));
    (void)putchar('\n');
}

static void struct_print(const json_t *s)
{
    const json_t *const scopes = json_object_get(s, "scopes");
    const json_t *const name = json_object_get(s, "name");

    printf("0x%03" PRIx64 "  %-4s  ", (uint64_t)member_integer(s, "offset"),
           json_is_null(name) ? "?" : json_string_value(name));
    fields_print(s);
    for (size_t i = 0; i < json_array_size(scopes); i++)
        scope_print(json_array_get(scopes, i));
}

static void problems_print(const json_t *report)
{
    const json_t *const problems = json_object_get(report, "problems");

    (void)putchar('\n');
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *const problem = json_array_get(problems, i);
        char place[32];

        (void)snprintf(place, sizeof(place), "0x%03" PRIx64,
                       (uint64_t)member_integer(problem, "offset"));
        problem_print(problem, place);
    }
    counts_print(json_object_get(report, "counts"));
}

void dmar_print(const json_t *report)
{
    const json_t *const structs = json_object_get(report, "structures");

    header_print(json_object_get(report, "header"));
    (void)putchar('\n');
    for (size_t i = 0; i < json_array_size(structs); i++)
        struct_print(json_array_get(structs, i));
    problems_print(report);
}
