/* SPDX-License-Identifier: BSD-2-Clause */
#include "growth.h"

#include <stdlib.h>

#include "../hot/measure.h"
#include "vtdpi/route.h"

struct guest {
    struct vtdpi_route_map map;
    struct vtdpi_apic_set set;
};

/* N vCPUs in x2APIC mode, their ids in order. */
static void *guest(uint32_t n)
{
    struct guest *const g = calloc(1, sizeof(*g));
    struct vtdpi_guest_apic *const apics = calloc(n, sizeof(*apics));
    uint64_t *const keys = calloc(VTDPI_ROUTE_MAP_KEYS(n), sizeof(*keys));

    must(g != NULL && apics != NULL && keys != NULL, "out of memory");
    must(vtdpi_route_map_init(&g->map, apics, keys, n) == 0, "map");
    for (uint32_t i = 0; i < n; i++) {
        const struct vtdpi_guest_apic apic = {
            .id = i,
            .mode = VTDPI_GUEST_X2APIC,
            .enabled = true,
            .attached = true,
        };

        must(vtdpi_route_map_update(&g->map, i, &apic) == 0, "update");
    }
    g->set = vtdpi_route_map_apics(&g->map);
    return g;
}

static void decide(const struct guest *g, const struct vtdpi_msi *msi)
{
    static const struct vtdpi_route_options options = {
        .form = VTDPI_COMPAT_DEST_32,
        .posting = true,
    };

    must(vtdpi_route_decide(&g->set, msi, &options).kind == VTDPI_ROUTE_POST,
         "decide");
}

static void physical(void *subject, uint32_t n)
{
    for (uint32_t i = 0; i < REPEATS; i++) {
        const uint32_t id = chance(n);
        const struct vtdpi_msi msi = {0xfee00000 | (id & 0xff) << 12,
                                      id & 0xffffff00, 0x41};

        decide(subject, &msi);
    }
}

/* Lowest priority, to all sixteen of a cluster. */
static void cluster(void *subject, uint32_t n)
{
    for (uint32_t i = 0; i < REPEATS; i++) {
        const uint32_t dest = chance(n / 16) << 16 | 0xffff;
        const struct vtdpi_msi msi = {0xfee00004 | (dest & 0xff) << 12,
                                      dest & 0xffffff00, 0x141};

        decide(subject, &msi);
    }
}

const struct op growth_route[] = {
    {"decide, physical", "vCPUs", 0.05, guest, physical},
    {"decide, cluster", "vCPUs", 0.05, guest, cluster},
    {0},
};
