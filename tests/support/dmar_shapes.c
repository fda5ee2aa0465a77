/* SPDX-License-Identifier: BSD-2-Clause */
/* The shapes of dmar_shapes.h; read dmar_build.h first. */
#include "dmar_shapes.h"

#include <stdlib.h>
#include <string.h>

/* --- what the specification has --- */

/* Every type of structure and of scope; no field has its neighbour's value. */
static void every_type(struct dmar_build *b)
{
    size_t at;

    (void)dmar_drhd(b, 0, 0, 1, 0xfed90000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    at = dmar_scope(b, DMAR_BRIDGE, 0, 0x80, 3, 1);
    dmar_put(b, at + 2, 0x1f, 1);
    (void)dmar_drhd(b, DMAR_ALL, 0xf3, 0, 0x2fed91000);
    (void)dmar_scope(b, DMAR_IOAPIC, 2, 0xf0, 0x1f, 7);
    (void)dmar_scope(b, DMAR_HPET, 0, 0, 0x1c, 0, 0, 1);
    (void)dmar_rmrr(b, 2, 0x100008000, 0x10087ffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0x14, 0);
    (void)dmar_atsr(b, 1, 3);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 1, 0);
    (void)dmar_rhsa(b, 0xfed90000, 0x12345678);
    (void)dmar_andd(b, 5, "\\_SB.I2");
    at = dmar_other(b, 0x1234, 6);
    dmar_put(b, at + 4, 0xffff, 2);
    (void)dmar_satc(b, 1, 4);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0xb, 0);
    at = dmar_sidp(b, 5);
    dmar_put(b, at + 4, 0xffff, 2);
    at = dmar_scope(b, DMAR_ENDPOINT, 0, 0, 5, 0);
    dmar_put(b, at + 2, 0x1c, 1);
}

static void unknown_types(struct dmar_build *b)
{
    (void)dmar_other(b, 7, 4);
    (void)dmar_drhd(b, 0, 0, 0, 0xd3000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_other(b, 0x0100, 12); /* low byte: that of a unit */
    (void)dmar_other(b, 0xffff, 5);  /* what follows is not aligned */
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd3001000);
    (void)dmar_scope(b, (enum dmar_kind)6, 2, 0, 3, 0);
    (void)dmar_scope(b, DMAR_IOAPIC, 2, 0xf0, 31, 7);
    (void)dmar_other(b, 8, 4);
}

static void segments(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd4000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_drhd(b, DMAR_ALL, 0, 1, 0xd4001000);
    (void)dmar_scope(b, DMAR_IOAPIC, 1, 0xf1, 31, 0);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd4002000);
    (void)dmar_drhd(b, 0, 0, 0xffff, 0xd4003000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 0x1c, 0);
}

/* The unit that serves the rest of the segment, and one with scopes. */
static void rest(struct dmar_build *b)
{
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd5000000);
    (void)dmar_scope(b, DMAR_IOAPIC, 4, 0xf0, 31, 7);
}

static void scoped(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd5001000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 0x1c, 0);
}

/* Against the specification, which wants the unit for the rest last. */
static void all_first(struct dmar_build *b)
{
    rest(b);
    scoped(b);
}

static void all_last(struct dmar_build *b)
{
    scoped(b);
    rest(b);
}

/* An IOAPIC behind a bridge, and one that two units list. */
static void ioapics(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd6000000);
    (void)dmar_scope(b, DMAR_IOAPIC, 1, 0xf0, 31, 7);
    (void)dmar_scope(b, DMAR_IOAPIC, 2, 0, 0x1c, 0, 0, 0);
    (void)dmar_drhd(b, 0, 0, 0, 0xd6001000);
    (void)dmar_scope(b, DMAR_IOAPIC, 3, 0xf1, 0, 0);
    (void)dmar_scope(b, DMAR_IOAPIC, 1, 0xf2, 0, 0);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd6002000);
}

/*
 * Paths of several hops. In segment 0 the bridge 00:1c.0 leads to buses 2-6;
 * below it 02:00.0 leads to 3-4, and 02:01.0 was never set up; 00:1d.0 leads
 * to 7-9. Segment 1 has the first of these bridges, and two that were never
 * set up.
 */
static void bridges_of_segment_1(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 1, 0xfe005000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 9, 0);         /* not set up */
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 2, 1, 0);         /* not set up */
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);       /* 00:02.0 */
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 3, 0, 0, 0); /* no bridge */
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 28, 0, 1, 0, 4, 0); /* nor here */
    (void)dmar_scope(b, DMAR_ACPI, 3, 1, 4, 2);                  /* 01:04.2 */
}

static void bridges_that_lead_nowhere(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xfe006000);
    (void)dmar_scope(b, DMAR_IOAPIC, 13, 0, 30, 0, 0, 0); /* range turned */
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);       /* as unit 2 */
    (void)dmar_scope(b, DMAR_IOAPIC, 10, 0, 32, 0);       /* no such device */
    (void)dmar_scope(b, DMAR_IOAPIC, 11, 0, 0, 8);        /* nor function */
    (void)dmar_scope(b, DMAR_IOAPIC, 12, 0, 3, 0, 0, 0);  /* no bridge */
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 9, 0);         /* no bridge */
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 2, 1, 0);         /* not set up */
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 30, 0);        /* range turned */
}

static void bridges(struct dmar_build *b)
{
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xfe001000);
    (void)dmar_scope(b, DMAR_IOAPIC, 8, 0xf0, 31, 7);
    (void)dmar_scope(b, DMAR_HPET, 0, 0, 31, 6);
    (void)dmar_drhd(b, 0, 0, 0, 0xfe002000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 28, 0); /* to buses 2-6 */
    (void)dmar_drhd(b, 0, 0, 0, 0xfe003000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 28, 0, 0, 0); /* to buses 3-4 */
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_drhd(b, 0, 0, 0, 0xfe004000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 29, 0); /* but not below */
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 28, 0, 0, 0, 5, 1); /* 03:05.1 */
    (void)dmar_scope(b, DMAR_IOAPIC, 9, 0, 29, 0, 6, 0);         /* 07:06.0 */
    bridges_of_segment_1(b);
    bridges_that_lead_nowhere(b);
}

/* --- as machines have it --- */

/* Graphics, two Thunderbolt ports and the rest have a unit each. */
static void laptop(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd0000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_drhd(b, 0, 0, 0, 0xd0004000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 7, 0);
    (void)dmar_drhd(b, 0, 0, 0, 0xd0005000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 7, 1);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd0001000);
    (void)dmar_scope(b, DMAR_IOAPIC, 2, 0, 0x1e, 7);
    (void)dmar_scope(b, DMAR_HPET, 0, 0, 0x1e, 6);
    (void)dmar_rmrr(b, 0, 0x60000000, 0x647fffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
}

/* Graphics and the rest; serial controllers that only ACPI describes. */
static void desktop(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd1000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd1001000);
    (void)dmar_scope(b, DMAR_IOAPIC, 2, 0xf0, 0x1f, 0);
    (void)dmar_scope(b, DMAR_HPET, 0, 0, 0x1f, 0);
    (void)dmar_scope(b, DMAR_ACPI, 1, 0, 0x15, 0);
    (void)dmar_scope(b, DMAR_ACPI, 2, 0, 0x15, 1);
    (void)dmar_scope(b, DMAR_ACPI, 9, 0, 0x1e, 0);
    (void)dmar_rmrr(b, 0, 0x70000000, 0x7001ffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0x14, 0);
    (void)dmar_rmrr(b, 0, 0x78000000, 0x7bffffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_andd(b, 1, "\\_SB.BUS0.TWI0");
    (void)dmar_andd(b, 2, "\\_SB.BUS0.TWI1");
    (void)dmar_andd(b, 9, "\\_SB.BUS0.SER0");
}

/* Integrated devices with address translation services and properties. */
static void soc(struct dmar_build *b)
{
    size_t at;

    (void)dmar_drhd(b, 0, 0, 0, 0xfd10000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xfd10010000);
    (void)dmar_scope(b, DMAR_IOAPIC, 2, 0, 0x1e, 7);
    (void)dmar_scope(b, DMAR_HPET, 0, 0, 0x1e, 6);
    (void)dmar_satc(b, 1, 0);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0xb, 0);
    (void)dmar_sidp(b, 0);
    at = dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    dmar_put(b, at + 2, 0x31, 1);
    at = dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0xb, 0);
    dmar_put(b, at + 2, 0x28, 1);
}

/* Socket 1 has the buses from 80h. The unit for the rest, in socket 0, is last
 * though its registers are not. */
static void server_units(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xe1000000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0x80, 2, 0);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0x80, 3, 0);
    (void)dmar_scope(b, DMAR_IOAPIC, 10, 0x80, 5, 4);
    (void)dmar_drhd(b, 0, 0, 0, 0xe1001000);
    for (uint8_t function = 0; function < 8; function++)
        (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0x80, 4, function);
    (void)dmar_drhd(b, 0, 0, 0, 0xe0001000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0x17, 0, 0);
    (void)dmar_scope(b, DMAR_IOAPIC, 9, 0x17, 5, 4);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xe0000000);
    (void)dmar_scope(b, DMAR_IOAPIC, 8, 0xf0, 0x1f, 0);
    (void)dmar_scope(b, DMAR_HPET, 0, 0xf0, 0xf, 0);
}

/* Two sockets: root ports with ATS in both, and where each unit is near. */
static void server(struct dmar_build *b)
{
    server_units(b);
    (void)dmar_rmrr(b, 0, 0x68000000, 0x6800ffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0x14, 0);
    (void)dmar_rmrr(b, 0, 0x68010000, 0x6801ffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0x1a, 0);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0x1d, 0);
    (void)dmar_atsr(b, 0, 0);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0x17, 0, 0);
    (void)dmar_atsr(b, 0, 0);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0x80, 2, 0);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0x80, 3, 0);
    (void)dmar_rhsa(b, 0xe0000000, 0);
    (void)dmar_rhsa(b, 0xe0001000, 0);
    (void)dmar_rhsa(b, 0xe1000000, 1);
    (void)dmar_rhsa(b, 0xe1001000, 1);
}

/*
 * An HPET whose comparators have a function each: eight scopes with one id. A
 * look-up gives the first, so that a source which verifies all bits of the
 * requester id would refuse seven of the eight comparators. This is why
 * vtdpi_dmar_find_id() asks for VTDPI_SQ_IGNORE_2_0. About one real table in
 * thirty has this shape.
 */
static void hpet_functions(struct dmar_build *b)
{
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd2001000);
    (void)dmar_scope(b, DMAR_IOAPIC, 0, 0xf0, 0x1f, 0);
    for (uint8_t function = 0; function < 8; function++)
        (void)dmar_scope(b, DMAR_HPET, 0, 0xf0, 0xf, function);
    (void)dmar_rmrr(b, 0, 0x50000000, 0x5001ffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 0x1d, 0);
}

/* The unit for the rest was switched off, and its address cleared. */
static void base_zero(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd7000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
    (void)dmar_drhd(b, 0, 0, 0, 0xd7001000);
    (void)dmar_scope(b, DMAR_BRIDGE, 0, 0, 7, 0);
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0);
    (void)dmar_rmrr(b, 0, 0x40000000, 0x43ffffff);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
}

/* The length in the header counts padding behind the last structure. */
static void zero_tail(struct dmar_build *b)
{
    static const uint8_t zeros[8];

    all_last(b);
    (void)dmar_raw(b, zeros, sizeof(zeros));
}

/* --- good tables at the borders of what the demo takes --- */

static void only_all(struct dmar_build *b)
{
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xfed90000);
}

static void no_unit(struct dmar_build *b)
{
    (void)b;
}

static void one_device(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd8000000);
    (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0);
}

static void hundred_units(struct dmar_build *b)
{
    for (uint8_t i = 0; i < 100; i++) {
        (void)dmar_drhd(b, 0, 0, 0, 0xc0000000 + 0x1000 * (uint64_t)i);
        (void)dmar_scope(b, DMAR_ENDPOINT, 0, 0, i % 32, i / 32);
    }
}

/* --- one thing wrong --- */

static void cut_short(struct dmar_build *b)
{
    b->length--;
}

static void other_signature(struct dmar_build *b)
{
    memcpy(b->bytes, "APIC", 4);
    dmar_end(b);
}

static void wrong_checksum(struct dmar_build *b)
{
    b->bytes[9]++;
}

static void unit_length_zero(struct dmar_build *b)
{
    only_all(b);
    dmar_put(b, dmar_drhd(b, 0, 0, 0, 0xd9000000) + 2, 0, 2);
}

static void scope_too_long(struct dmar_build *b)
{
    (void)dmar_drhd(b, 0, 0, 0, 0xd9000000);
    dmar_put(b, dmar_scope(b, DMAR_ENDPOINT, 0, 0, 2, 0) + 1, 20, 1);
}

static void base_unaligned(struct dmar_build *b)
{
    (void)dmar_drhd(b, DMAR_ALL, 0, 0, 0xd9000234);
}

/* Sorted, as in meson.build. */
const struct dmar_shape dmar_shapes[] = {
    {"all_first", 0x01, 0, all_first, NULL},
    {"all_last", 0x01, 0, all_last, NULL},
    {"base_unaligned", 0x01, 0, base_unaligned, NULL},
    {"base_zero", 0x00, 0, base_zero, NULL},
    {"bridges", 0x01, 0, bridges, NULL},
    {"cut_short", 0x01, 0, laptop, cut_short},
    {"desktop", 0x01, 0, desktop, NULL},
    {"every_type", 0x05, 0, every_type, NULL},
    {"hpet_functions", 0x01, 36, hpet_functions, NULL},
    {"hundred_units", 0x01, 46, hundred_units, NULL},
    {"ioapics", 0x01, 0, ioapics, NULL},
    {"laptop", 0x05, 0, laptop, NULL},
    {"narrow", 0x01, 20, only_all, NULL},
    {"no_remapping", 0x00, 0, only_all, NULL},
    {"no_unit", 0x01, 0, no_unit, NULL},
    {"one_device", 0x01, 0, one_device, NULL},
    {"other_signature", 0x01, 0, laptop, other_signature},
    {"scope_too_long", 0x01, 0, scope_too_long, NULL},
    {"segments", 0x01, 0, segments, NULL},
    {"server", 0x01, 46, server, NULL},
    {"soc", 0x05, 42, soc, NULL},
    {"unit_length_zero", 0x01, 0, unit_length_zero, NULL},
    {"unknown_types", 0x01, 0, unknown_types, NULL},
    {"wrong_checksum", 0x01, 0, laptop, wrong_checksum},
    {"zero_tail", 0x01, 0, zero_tail, NULL},
};
const size_t dmar_shape_count = sizeof(dmar_shapes) / sizeof(dmar_shapes[0]);

void dmar_shape_build(const char *name, struct dmar_build *b)
{
    for (size_t i = 0; i < dmar_shape_count; i++) {
        const struct dmar_shape *const shape = &dmar_shapes[i];

        if (strcmp(shape->name, name) != 0)
            continue;
        dmar_begin(b, shape->flags, shape->haw == 0 ? 39 : shape->haw);
        shape->build(b);
        dmar_end(b);
        if (shape->spoil != NULL)
            shape->spoil(b);
        return;
    }
    abort();
}
