/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source to verify for a PCI function: what the bridges above it leave of
 * its source id. Pure; source.h has the rules. irte.c writes the result into
 * entries.
 */
#include "vtdpi/source.h"

VTDPI_COLD int vtdpi_source_of_pci(const struct vtdpi_source_requester *r,
                                   struct vtdpi_source *out)
{
    struct vtdpi_source s;
    uint8_t bus;

    if (r == NULL || out == NULL ||
        (r->bridges == NULL && r->bridge_count != 0))
        return VTDPI_EINVAL;
    if ((unsigned int)r->sq > VTDPI_SQ_IGNORE_2_0)
        return VTDPI_ERANGE;
    bus = vtdpi_sid_bus(r->sid);
    s = r->whole_bus ? vtdpi_source_bus_range(bus, bus)
                     : vtdpi_source_exact(r->sid, r->sq);
    for (size_t i = 0; i < r->bridge_count; i++) {
        const struct vtdpi_source_bridge *b = &r->bridges[i];

        if (b->kind == VTDPI_SOURCE_BRIDGE_PCI)
            s = vtdpi_source_exact(b->sid, VTDPI_SQ_ALL);
        else if (b->kind == VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI &&
                 b->secondary > bus)
            return VTDPI_EIRTE_BUS;
        else if (b->kind == VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI)
            s = vtdpi_source_bus_range(b->secondary, bus);
        else if (b->kind != VTDPI_SOURCE_BRIDGE_PCIE)
            return VTDPI_EINVAL;
    }
    *out = s;
    return 0;
}
