/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs about dmar.h. A walk is a sequence of steps, and a step depends on the
 * table and on where the last one stopped. So each step is proved for tables of
 * any length (up to 2^32 - 1 bytes, what the header can say) and any position,
 * whether or not a walk would come to it: no step reads outside the table, and
 * each that succeeds gets ahead. Functions that loop are proved as a whole for
 * small tables on top of that.
 *
 * The table ends with its object: CBMC refuses any read beyond.
 */
#include <stdlib.h>

#include "src/dmar.c"
#include "src/dmar_check.c"

#include "proof.h"

/* Where the structures begin, of a table or of a list. */
static size_t any_first(void)
{
    return nondet_bool() ? HEADER_BYTES : 0;
}

/* A table or list of at most @p max bytes with any structures. */
static struct vtdpi_dmar any_dmar(size_t max)
{
    struct vtdpi_dmar d = {0};
    uint8_t *bytes;

    d.first_ = any_first();
    d.length = nondet_u32();
    ASSUME(d.length >= d.first_ && d.length <= max);
    bytes = malloc(d.length);
    d.table_ = bytes;
    return d;
}

/* Room for a header and 24 bytes: for a unit with one scope of one hop, for 6
 * structures, or for one with two scopes; and for all that is neither. */
#define SMALL_BYTES 72

/* A table at the end of @p room: looked into at less cost than an object whose
 * size may be anything. */
static struct vtdpi_dmar small_dmar(const uint8_t *room)
{
    struct vtdpi_dmar d = {0};

    d.first_ = HEADER_BYTES;
    d.length = nondet_u32();
    ASSUME(d.length >= HEADER_BYTES && d.length <= SMALL_BYTES);
    d.table_ = room + SMALL_BYTES - d.length;
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

    ASSUME(s.offset >= d->first_ && s.offset < d->length);
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

/* Zeros up to the end are looked at one by one. At most 4 in a row are assumed
 * at @p at; proof_dmar_check() has more. */
static void assume_few_zeros(const struct vtdpi_dmar *d, size_t at)
{
    ASSUME(at > d->length || d->length - at <= 4 || table_read32(d, at) != 0);
}

/* One step of the walk over structures, from anywhere a walk can be. */
void proof_dmar_next(void) /* unwind 6 */
{
    const struct vtdpi_dmar d = any_dmar(UINT32_MAX);
    const bool start = nondet_bool();
    const struct vtdpi_dmar_struct before =
        start ? (struct vtdpi_dmar_struct){0} : walked_struct(&d);
    const size_t at = start ? d.first_ : before.offset + before.length;
    struct vtdpi_dmar_struct s = before;
    int rc;

    assume_few_zeros(&d, at);
    rc = vtdpi_dmar_next(&d, &s);
    CLAIM(rc == 1 || rc == 0 || rc == VTDPI_EDMAR_STRUCT);
    if (rc != 1) {
        CLAIM(rc != 0 || s.offset == 0);
        /* The next call begins at the same place: the same error again, for good. */
        CLAIM(rc == 0 || (s.offset == at && s.length == 0));
        return;
    }
    /* Ahead by 4 bytes at least, so a walk ends. */
    CLAIM(s.offset == at);
    CLAIM(s.length >= 4 && s.length <= d.length - s.offset);
    CLAIM(start || s.offset >= before.offset + 4);
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

    ASSUME(struct_check_type(&d, &s, VTDPI_DMAR_DRHD) == 0);
    if (vtdpi_dmar_decode_unit_(&d, &s, 7, &u) != 0)
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

    ASSUME(d.length <= d.first_ + 32);
    if (vtdpi_dmar_get_andd(&d, &s, &a) != 0)
        return;
    CLAIM(a.name_offset + a.name_length <= s.offset + s.length);
    CLAIM(s.offset + s.length <= d.length && s.type == 4);
    REACH(a.name_length == 24);
}

/* The host's bridges answer anything. */
static bool any_bridge(void *ctx, uint16_t segment, uint16_t sid,
                       uint8_t *secondary, uint8_t *subordinate)
{
    (void)ctx;
    (void)segment;
    (void)sid;
    *secondary = nondet_u8();
    *subordinate = nondet_u8();
    return nondet_bool();
}

static const struct vtdpi_source_pci_ops any_bridges = {any_bridge};

/* What is wrong with a table, when it has been opened. */
static bool is_walk_error(int rc)
{
    return rc == VTDPI_EDMAR_STRUCT || rc == VTDPI_EDMAR_SCOPE ||
           rc == VTDPI_EDMAR_BASE;
}

/* The check of all small tables by themselves: it ends, and says where it went
 * wrong. */
void proof_dmar_check(void) /* unwind 7, longer run only */
{
    /* loops struct_check.0:3 read_le.0:9 table_rest_is_zero.0:25
     * tables_check.0:2 */
    const uint8_t room[SMALL_BYTES];
    const struct vtdpi_dmar d = small_dmar(room);
    struct vtdpi_dmar_problem at = {0};
    const int rc = tables_check(&d, &at);
    const size_t bad = at.offset;

    CLAIM(at.table == (rc == 0 ? NULL : &d) && at.other_table == NULL);
    CLAIM(at.note == (rc == 0 || rc == VTDPI_EDMAR_TAIL));
    CLAIM(rc == 0 || rc == VTDPI_EDMAR_TAIL || is_walk_error(rc));
    CLAIM(rc == 0 ? bad == 0 : bad >= 48 && bad < d.length);
    REACH(rc == 0 && d.length == SMALL_BYTES);
    if (rc == VTDPI_EDMAR_TAIL)
        CLAIM(d.table_[bad] == 0 && d.table_[d.length - 1] == 0);
    REACH(rc == VTDPI_EDMAR_TAIL && bad == 48);
}

/* Bytes of a unit with two scopes of one hop, or with one of up to five. */
#define UNIT_BYTES 32

/* A unit alone in a list. */
static struct vtdpi_dmar_unit_ any_unit(struct vtdpi_dmar *list,
                                        const uint8_t *room)
{
    struct vtdpi_dmar_unit_ u = {.table = list};

    list->table_ = room;
    list->length = UNIT_BYTES;
    u.s.length = nondet_u16();
    ASSUME(vtdpi_dmar_decode_unit_(list, &u.s, 0, &u.drhd) == 0);
    return u;
}

static bool in_window(const struct vtdpi_dmar_drhd *u, uint64_t at)
{
    return at >= u->base && at - u->base < u->window_bytes;
}

/* Any two units: which contradiction is told, and that both offsets are right. */
void proof_dmar_pair(void) /* unwind 4 */
{
    /* loops read_le.0:9 */
    const uint8_t room_a[UNIT_BYTES];
    const uint8_t room_b[UNIT_BYTES];
    const uint64_t at = nondet_u64();
    struct vtdpi_dmar lists[2] = {0};
    const struct vtdpi_dmar_unit_ a = any_unit(&lists[0], room_a);
    const struct vtdpi_dmar_unit_ b = any_unit(&lists[1], room_b);
    struct vtdpi_dmar_problem p = {0};
    const int rc = pair_check(&a, &b, &p);

    CLAIM((rc == VTDPI_EDMAR_TWICE) == (a.drhd.base == b.drhd.base));
    CLAIM(rc == VTDPI_EDMAR_TWICE || rc == VTDPI_EDMAR_OVERLAP ||
          !in_window(&a.drhd, at) || !in_window(&b.drhd, at));
    if (rc == VTDPI_EDMAR_OVERLAP)
        CLAIM(in_window(&a.drhd, b.drhd.base) ||
              in_window(&b.drhd, a.drhd.base));
    if (rc == VTDPI_EDMAR_ALL)
        CLAIM((room_a[4] & room_b[4] & 1) != 0 && room_a[6] == room_b[6] &&
              room_a[7] == room_b[7]);
    CLAIM(rc == 0 || (p.table == &lists[1] && p.other_table == &lists[0]));
    if (rc != VTDPI_EDMAR_ID)
        return;
    CLAIM(p.offset < UNIT_BYTES && p.other_offset < UNIT_BYTES);
    CLAIM(room_a[p.other_offset] == room_b[p.offset] &&
          room_a[p.other_offset] >= 3 && room_a[p.other_offset] <= 5);
    CLAIM(room_a[p.other_offset + 4] == room_b[p.offset + 4]);
    REACH(p.offset == 24 && p.other_offset == 24);
}

static size_t length_at(const struct vtdpi_dmar *d, size_t at)
{
    return (size_t)(d->table_[at + 2] | d->table_[at + 3] << 8);
}

/* The whole walk to a unit, which counts those before it (of 4 bytes at least):
 * small tables, any structure, the caller's own inventions included. */
void proof_dmar_get_drhd(void) /* unwind 7 */
{
    /* loops read_le.0:9 table_rest_is_zero.0:25 */
    const uint8_t room[SMALL_BYTES];
    const struct vtdpi_dmar d = small_dmar(room);
    const struct vtdpi_dmar_struct s = any_struct();
    struct vtdpi_dmar_drhd u = {0};
    const int rc = vtdpi_dmar_get_drhd(&d, &s, &u);
    size_t second;

    CLAIM(rc == 0 || rc == VTDPI_EINVAL || rc == VTDPI_EDMAR_STRUCT ||
          rc == VTDPI_EDMAR_BASE);
    CLAIM(rc != 0 || (s.type == 0 && s.offset >= 48 && s.length >= 16 &&
                      s.offset + s.length <= d.length));
    CLAIM(rc != 0 || (u.base != 0 && u.index <= 2));
    CLAIM(rc == 0 || u.base == 0);
    if (rc != 0 || s.offset == 48)
        return;
    /* It is one that a walk comes to. */
    second = 48 + length_at(&d, 48);
    CLAIM(s.offset == second ||
          (s.offset > second && s.offset == second + length_at(&d, second)));
    REACH(u.index == 2);
    REACH(u.index == 0);
}

/* The whole search for a function's unit, in all small tables. */
void proof_dmar_find_pci(void) /* unwind 7, longer run only */
{
    /* loops read_le.0:9 vtdpi_dmar_find_pci.0:2 unit_claim.0:3 vtdpi_dmar_next_unit_.0:2
     * scope_resolve.0:3 table_rest_is_zero.0:25 */
    const uint8_t room[SMALL_BYTES];
    const struct vtdpi_dmar d = small_dmar(room);
    const uint16_t segment = nondet_u16();
    struct vtdpi_dmar_drhd u = {0};
    const int rc =
        vtdpi_dmar_find_pci(&d, &any_bridges, NULL, segment, nondet_u16(), &u);

    CLAIM(rc == 0 || rc == VTDPI_ENOENT || is_walk_error(rc));
    CLAIM(rc == 0 ? u.base != 0 && u.segment == segment : u.base == 0);
    REACH(rc == 0 && !u.include_all);
    REACH(rc == 0 && u.include_all);
}

/* The whole search for an IOAPIC, by its id and with its path. */
void proof_dmar_find_id(void) /* unwind 7, longer run only */
{
    /* loops read_le.0:9 scope_find.0:3 scope_find.1:2 vtdpi_dmar_next_unit_.0:2
     * scope_resolve.0:3 table_rest_is_zero.0:25 */
    const uint8_t room[SMALL_BYTES];
    const struct vtdpi_dmar d = small_dmar(room);
    struct vtdpi_dmar_drhd u = {0};
    uint16_t sid = 0;
    const int rc = vtdpi_dmar_find_id(
        &d, &any_bridges, NULL, VTDPI_DMAR_SCOPE_IOAPIC, nondet_u8(), &u, &sid);

    CLAIM(rc == 0 || rc == VTDPI_ENOENT || rc == VTDPI_ERANGE ||
          is_walk_error(rc));
    CLAIM(rc == 0 ? u.base != 0 : u.base == 0 && sid == 0);
    REACH(rc == 0 && sid == 0xffff);
    REACH(rc == VTDPI_ERANGE);
}
