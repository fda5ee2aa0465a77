/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about source.h: source ids, and the source of a function behind
 * bridges. */
#include "src/source.c"

#include "proof.h"

/* The parts of a source id put together again. */
void proof_source_sid(void)
{
    const uint16_t sid = nondet_u16();

    CLAIM(vtdpi_sid_device(sid) <= 31 && vtdpi_sid_function(sid) <= 7);
    CLAIM((vtdpi_sid_bus(sid) << 8 | vtdpi_sid_device(sid) << 3 |
           vtdpi_sid_function(sid)) == sid);
}

static bool source_ok(const struct vtdpi_source *s)
{
    switch (s->kind) {
    case VTDPI_SOURCE_ANY:
        return s->sq == 0;
    case VTDPI_SOURCE_EXACT:
        return s->sq <= 3;
    case VTDPI_SOURCE_BUS_RANGE:
        return s->sq == 0 && s->sid >> 8 <= (s->sid & 0xff);
    default:
        return false;
    }
}

/* The source for a function below any bridges, 3 at most: one that can be
 * encoded, never "any", decided by the bridge nearest to the root that replaces
 * source ids. */
void proof_source_of_pci(void)
{
    struct vtdpi_source_bridge b[3];
    struct vtdpi_source_requester r;
    struct vtdpi_source s;
    int last = -1;

    r.sid = nondet_u16();
    r.sq = (enum vtdpi_sq)nondet_u32();
    r.whole_bus = nondet_bool();
    r.bridges = b;
    r.bridge_count = nondet_u32();
    ASSUME(r.bridge_count <= 3);
    for (int i = 0; i < 3; i++) {
        b[i].kind = (enum vtdpi_source_bridge_kind)nondet_u32();
        b[i].sid = nondet_u16();
        b[i].secondary = nondet_u8();
        if ((size_t)i < r.bridge_count && b[i].kind != VTDPI_SOURCE_BRIDGE_PCIE)
            last = i;
    }
    if (vtdpi_source_of_pci(&r, &s) != 0)
        return;
    CLAIM(source_ok(&s) && s.kind != VTDPI_SOURCE_ANY);
    if (last < 0 && r.whole_bus)
        CLAIM(s.kind == VTDPI_SOURCE_BUS_RANGE &&
              s.sid == ((r.sid & 0xff00) | r.sid >> 8));
    else if (last < 0)
        CLAIM(s.kind == VTDPI_SOURCE_EXACT && s.sid == r.sid && s.sq == r.sq);
    else if (b[last].kind == VTDPI_SOURCE_BRIDGE_PCI)
        CLAIM(s.kind == VTDPI_SOURCE_EXACT && s.sid == b[last].sid &&
              s.sq == 0);
    else
        CLAIM(s.kind == VTDPI_SOURCE_BUS_RANGE &&
              s.sid == (b[last].secondary << 8 | r.sid >> 8));
}
