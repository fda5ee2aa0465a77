/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs about dmar.h. A walk is a sequence of steps, and a step depends on the
 * table and on where the last one stopped. So each step is proved for tables of
 * any length (up to 2^32 - 1 bytes, what the header can say) and any position,
 * whether or not a walk would come to it: no step reads outside the table, and
 * each that succeeds gets ahead. Functions that loop are proved for small
 * tables on top of that.
 *
 * The table is an object of exactly its length: CBMC refuses any read beyond.
 */
#include <stdlib.h>

#include "src/dmar.c"

#include "proof.h"

/* A table of at most @p max bytes with any content behind its header. */
static struct vtdpi_dmar any_dmar(size_t max)
{
    struct vtdpi_dmar d = {0};
    uint8_t *bytes;

    d.length = nondet_u32();
    ASSUME(d.length >= HEADER_BYTES && d.length <= max);
    bytes = malloc(d.length);
    d.table_ = bytes;
    return d;
}

static struct vtdpi_dmar_struct any_struct(void)
{
    struct vtdpi_dmar_struct s;

    s.offset = nondet_u64();
    s.type = nondet_u16();
    s.length = nondet_u16();
    return s;
}

/* A structure of the table, as a walk leaves it. */
static struct vtdpi_dmar_struct walked_struct(const struct vtdpi_dmar *d)
{
    struct vtdpi_dmar_struct s = any_struct();

    ASSUME(s.offset >= HEADER_BYTES && s.offset < d->length);
    ASSUME(s.length >= STRUCT_BYTES && s.length <= d->length - s.offset);
    return s;
}

/* Any bytes of any length as a table: only those are read. */
void proof_dmar_open(void) /* unwind 82 */
{
    const size_t size = nondet_u32();
    uint8_t *bytes;
    struct vtdpi_dmar d;
    size_t bad = 999;
    int rc;

    ASSUME(size <= 80);
    bytes = malloc(size);
    rc = vtdpi_dmar_open(bytes, size, nondet_bool(), &d, &bad);
    if (rc != 0) {
        CLAIM(d.table_ == NULL && d.length == 0 && bad <= size);
        return;
    }
    CLAIM(d.table_ == bytes && d.length >= 48 && d.length <= size);
    CLAIM(d.length == (bytes[4] | bytes[5] << 8 | bytes[6] << 16 |
                       (uint32_t)bytes[7] << 24));
    CLAIM(d.oem_id[6] == '\0' && d.oem_table_id[8] == '\0');
    CLAIM(bad == 999);
    REACH(d.length == 80);
    REACH(!d.checksum_ok);
}

/* One step of the walk over structures, from anywhere a walk can be. */
void proof_dmar_next(void)
{
    const struct vtdpi_dmar d = any_dmar(UINT32_MAX);
    const bool start = nondet_bool();
    const struct vtdpi_dmar_struct before =
        start ? (struct vtdpi_dmar_struct){0} : walked_struct(&d);
    struct vtdpi_dmar_struct s = before;
    const int rc = vtdpi_dmar_next(&d, &s);

    CLAIM(rc == 1 || rc == 0 || rc == VTDPI_EDMAR_STRUCT);
    if (rc != 1) {
        CLAIM(rc != 0 || s.offset == 0);
        /* The same error again, for good. */
        CLAIM(rc == 0 || vtdpi_dmar_next(&d, &s) == rc);
        return;
    }
    /* Ahead by 4 bytes at least, so a walk ends. */
    CLAIM(s.offset == (start ? 48 : before.offset + before.length));
    CLAIM(s.length >= 4 && s.length <= d.length - s.offset);
    CLAIM(s.offset >= before.offset + 4);
    REACH(d.length == UINT32_MAX);
}

/* One step of the walk over scopes of any structure, the caller's own
 * inventions included. */
void proof_dmar_next_scope(void)
{
    const struct vtdpi_dmar d = any_dmar(UINT32_MAX);
    const struct vtdpi_dmar_struct s = any_struct();
    struct vtdpi_dmar_scope scope = {0};
    size_t before;
    int rc;

    scope.offset = nondet_u64();
    scope.length = nondet_u8();
    before = scope.offset;
    ASSUME(before == 0 || scope.length >= 8);
    rc = vtdpi_dmar_next_scope(&d, &s, &scope);
    CLAIM(rc == 1 || rc == 0 || rc == VTDPI_EDMAR_STRUCT ||
          rc == VTDPI_EDMAR_SCOPE);
    if (rc != 1)
        return;
    CLAIM(scope.offset >= s.offset && scope.offset < s.offset + s.length);
    CLAIM(scope.length >= 8 && scope.length % 2 == 0);
    CLAIM(scope.offset + scope.length <= s.offset + s.length);
    CLAIM(s.offset + s.length <= d.length);
    CLAIM(scope.hop_count == scope.length / 2 - 3 && scope.hop_count >= 1);
    CLAIM(before == 0 || scope.offset >= before + 8 ||
          before > UINT64_MAX - 512);
    REACH(before != 0 && scope.length == 254);
}

/* Any hop of any scope. */
void proof_dmar_hop(void)
{
    const struct vtdpi_dmar d = any_dmar(UINT32_MAX);
    struct vtdpi_dmar_scope scope = {0};
    uint8_t device;
    uint8_t function;

    scope.offset = nondet_u64();
    scope.length = nondet_u8();
    scope.hop_count = nondet_u8();
    if (vtdpi_dmar_get_hop(&d, &scope, nondet_u32(), &device, &function) != 0)
        return;
    CLAIM(scope.offset < d.length);
    CLAIM(device == d.table_[scope.offset + 6] || scope.hop_count > 1);
}

static uint8_t byte(const struct vtdpi_dmar *d,
                    const struct vtdpi_dmar_struct *s, size_t i)
{
    return d->table_[s->offset + i];
}

/* The fixed parts of each type, of any structure, the caller's own inventions
 * included, in tables of up to 128 bytes. */
void proof_dmar_get(void)
{
    const struct vtdpi_dmar d = any_dmar(128);
    const struct vtdpi_dmar_struct s = any_struct();
    struct vtdpi_dmar_rmrr rmrr;
    struct vtdpi_dmar_rhsa rhsa;
    struct vtdpi_dmar_devices devices;

    if (vtdpi_dmar_get_rmrr(&d, &s, &rmrr) == 0) {
        CLAIM(s.type == 1 && s.length >= 24);
        CLAIM(rmrr.segment == (byte(&d, &s, 6) | byte(&d, &s, 7) << 8));
        CLAIM((rmrr.base & 0xff) == byte(&d, &s, 8) &&
              rmrr.base >> 56 == byte(&d, &s, 15));
        CLAIM((rmrr.limit & 0xff) == byte(&d, &s, 16) &&
              rmrr.limit >> 56 == byte(&d, &s, 23));
    }
    if (vtdpi_dmar_get_rhsa(&d, &s, &rhsa) == 0) {
        CLAIM(s.type == 3 && s.length >= 20);
        CLAIM((rhsa.base & 0xff) == byte(&d, &s, 8) &&
              rhsa.base >> 56 == byte(&d, &s, 15));
        CLAIM((rhsa.domain & 0xff) == byte(&d, &s, 16) &&
              rhsa.domain >> 24 == byte(&d, &s, 19));
    }
    if (vtdpi_dmar_get_devices(&d, &s, &devices) == 0) {
        CLAIM((s.type == 2 || s.type == 5 || s.type == 6) && s.length >= 8);
        CLAIM(devices.segment == (byte(&d, &s, 6) | byte(&d, &s, 7) << 8));
    }
}

/* A unit, as a walk decodes it; the same. */
void proof_dmar_drhd(void)
{
    const struct vtdpi_dmar d = any_dmar(128);
    const struct vtdpi_dmar_struct s = any_struct();
    struct vtdpi_dmar_drhd u;

    ASSUME(typed(&d, &s, VTDPI_DMAR_DRHD) == 0);
    if (decode_drhd(&d, &s, 7, &u) != 0)
        return;
    CLAIM(u.base != 0 && u.base % 4096 == 0);
    CLAIM(u.window_bytes == UINT32_C(4096) << (byte(&d, &s, 5) & 15));
    CLAIM(u.base <= UINT64_MAX - (u.window_bytes - 1));
    CLAIM(u.segment == (byte(&d, &s, 6) | byte(&d, &s, 7) << 8) &&
          u.include_all == (byte(&d, &s, 4) & 1));
    CLAIM((u.base >> 8 & 0xff) == byte(&d, &s, 9) &&
          u.base >> 56 == byte(&d, &s, 15));
    CLAIM(u.index == 7);
}

/* A name ends within its structure. */
void proof_dmar_andd(void) /* unwind 34 */
{
    const struct vtdpi_dmar d = any_dmar(80);
    const struct vtdpi_dmar_struct s = any_struct();
    struct vtdpi_dmar_andd a;

    if (vtdpi_dmar_get_andd(&d, &s, &a) != 0)
        return;
    CLAIM(a.name_offset + a.name_length <= s.offset + s.length);
    CLAIM(s.offset + s.length <= d.length && s.type == 4);
    REACH(a.name_length == 24);
}
