/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DMAR_SUPPORT_H
#define TESTS_DMAR_SUPPORT_H

/*
 * For everything that feeds tables to dmar.h: a walk that calls every function
 * on every part of a table and checks what must hold whatever the table
 * contains. Tables are built with tests/support/dmar_build.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vtdpi/dmar.h"

/* Leaves the function with false, and says where. */
#define DMAR_REQUIRE(expr)                                                   \
    do {                                                                     \
        if (!(expr)) {                                                       \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
            return false;                                                    \
        }                                                                    \
    } while (0)

/* Bridges whose answers depend on the question only, some of them senseless. */
static inline bool dmar_any_bridge(void *ctx, uint16_t segment, uint16_t sid,
                                   uint8_t *secondary, uint8_t *subordinate)
{
    (void)ctx;
    (void)segment;
    if (sid % 5 == 0)
        return false;
    *secondary = (uint8_t)(sid / 8 + 1);
    *subordinate = (uint8_t)(sid / 3);
    return true;
}

static inline bool dmar_walk_hops(const struct vtdpi_dmar *dmar,
                                  const struct vtdpi_dmar_scope *scope)
{
    uint8_t device;
    uint8_t function;

    for (unsigned int i = 0; i < scope->hop_count; i++)
        DMAR_REQUIRE(vtdpi_dmar_get_hop(dmar, scope, i, &device, &function) ==
                     0);
    DMAR_REQUIRE(vtdpi_dmar_get_hop(dmar, scope, scope->hop_count, &device,
                                    &function) == VTDPI_ERANGE);
    return true;
}

/* *rc: how the walk over the scopes ended. */
static inline bool dmar_walk_scopes(const struct vtdpi_dmar *dmar,
                                    const struct vtdpi_dmar_struct *s, int *rc)
{
    struct vtdpi_dmar_scope scope = {0};
    size_t end = s->offset;

    while ((*rc = vtdpi_dmar_next_scope(dmar, s, &scope)) > 0) {
        DMAR_REQUIRE(scope.offset >= end);
        DMAR_REQUIRE(scope.length >= 8);
        DMAR_REQUIRE(scope.length == 6 + 2 * scope.hop_count);
        end = scope.offset + scope.length;
        DMAR_REQUIRE(end <= s->offset + s->length);
        if (!dmar_walk_hops(dmar, &scope))
            return false;
    }
    if (*rc < 0) {
        const size_t at = scope.offset;

        DMAR_REQUIRE(at >= s->offset && at < s->offset + s->length);
        /* An error stays where it is: nobody loops around it. */
        DMAR_REQUIRE(vtdpi_dmar_next_scope(dmar, s, &scope) == *rc);
        DMAR_REQUIRE(scope.offset == at);
    }
    return true;
}

/* Every decoder, on a structure of any type. *bad is set if one refused. */
static inline bool dmar_walk_struct(const struct vtdpi_dmar *dmar,
                                    const struct vtdpi_dmar_struct *s,
                                    bool *bad)
{
    struct vtdpi_dmar_drhd drhd;
    struct vtdpi_dmar_rmrr rmrr;
    struct vtdpi_dmar_rhsa rhsa;
    struct vtdpi_dmar_andd andd;
    struct vtdpi_dmar_devices devices;
    const bool is_devices = s->type == VTDPI_DMAR_ATSR ||
                            s->type == VTDPI_DMAR_SATC ||
                            s->type == VTDPI_DMAR_SIDP;
    const int rcs[] = {
        vtdpi_dmar_get_drhd(dmar, s, &drhd),
        vtdpi_dmar_get_rmrr(dmar, s, &rmrr),
        vtdpi_dmar_get_rhsa(dmar, s, &rhsa),
        vtdpi_dmar_get_andd(dmar, s, &andd),
        vtdpi_dmar_get_devices(dmar, s, &devices),
    };
    int rc;

    DMAR_REQUIRE((rcs[0] == VTDPI_EINVAL) == (s->type != VTDPI_DMAR_DRHD));
    DMAR_REQUIRE((rcs[1] == VTDPI_EINVAL) == (s->type != VTDPI_DMAR_RMRR));
    DMAR_REQUIRE((rcs[2] == VTDPI_EINVAL) == (s->type != VTDPI_DMAR_RHSA));
    DMAR_REQUIRE((rcs[3] == VTDPI_EINVAL) == (s->type != VTDPI_DMAR_ANDD));
    DMAR_REQUIRE((rcs[4] == VTDPI_EINVAL) == !is_devices);
    if (rcs[0] == 0)
        DMAR_REQUIRE(drhd.base != 0 && drhd.base % 4096 == 0 &&
                     drhd.window_bytes >= 4096);
    if (rcs[3] == 0)
        DMAR_REQUIRE(andd.name_offset + andd.name_length <=
                     s->offset + s->length);
    if (!dmar_walk_scopes(dmar, s, &rc))
        return false;
    for (size_t i = 0; i < sizeof(rcs) / sizeof(rcs[0]); i++)
        *bad = *bad || (rcs[i] != 0 && rcs[i] != VTDPI_EINVAL);
    *bad = *bad || rc < 0;
    return true;
}

static inline bool dmar_walk_look_ups(const struct vtdpi_dmar *dmar,
                                      bool well_formed)
{
    static const struct vtdpi_source_pci_ops ops = {dmar_any_bridge};
    struct vtdpi_dmar_drhd drhd;
    uint8_t ids[16];
    size_t uncovered;
    uint16_t sid;
    int rc;

    for (unsigned int i = 0; i < 16; i++)
        ids[i] = (uint8_t)i;
    uncovered = vtdpi_dmar_uncovered_ioapics(dmar, &ops, NULL, ids, 16, ids);
    DMAR_REQUIRE(uncovered <= 16);
    for (unsigned int id = 0, listed = 0; id < 16; id++) {
        const bool is_listed = listed < uncovered && ids[listed] == id;

        rc = vtdpi_dmar_find_id(dmar, &ops, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                                (uint8_t)id, &drhd, &sid);
        DMAR_REQUIRE(is_listed == (rc != 0));
        DMAR_REQUIRE(rc == 0 || rc == VTDPI_ENOENT || rc == VTDPI_ERANGE ||
                     !well_formed);
        listed += is_listed;
    }
    for (unsigned int i = 0; i < 4; i++) {
        (void)!vtdpi_dmar_find_id(dmar, NULL, NULL, VTDPI_DMAR_SCOPE_HPET,
                                  (uint8_t)i, &drhd, &sid);
        (void)!vtdpi_dmar_find_id(dmar, &ops, NULL, VTDPI_DMAR_SCOPE_ACPI,
                                  (uint8_t)i, &drhd, &sid);
        rc = vtdpi_dmar_find_pci(dmar, &ops, NULL, (uint16_t)(i & 1),
                                 (uint16_t)(i * 0x2345), &drhd);
        DMAR_REQUIRE(rc == 0 || rc == VTDPI_ENOENT || !well_formed);
    }
    return true;
}

/* What the check finds in tables that are well-formed. */
static inline bool dmar_is_contradiction(int rc)
{
    return rc == VTDPI_EDMAR_TWICE || rc == VTDPI_EDMAR_OVERLAP ||
           rc == VTDPI_EDMAR_ALL || rc == VTDPI_EDMAR_ID;
}

/* Walks an open table, whose first structure is at @p first, or a list. */
static inline bool dmar_walk_opened(const struct vtdpi_dmar *dmar, size_t first)
{
    struct vtdpi_dmar_struct s = {0};
    struct vtdpi_dmar_problem at = {0};
    size_t end = first;
    bool bad = false;
    bool tail;
    int rc;

    while ((rc = vtdpi_dmar_next(dmar, &s)) > 0) {
        DMAR_REQUIRE(s.offset == end && s.length >= 4);
        end = s.offset + s.length;
        DMAR_REQUIRE(end <= dmar->length);
        if (!dmar_walk_struct(dmar, &s, &bad))
            return false;
    }
    if (rc < 0) {
        bad = true;
        DMAR_REQUIRE(s.offset == end);
        DMAR_REQUIRE(vtdpi_dmar_next(dmar, &s) == rc && s.offset == end);
    }
    tail = !bad && end != dmar->length;
    rc = vtdpi_dmar_check(dmar, &at);
    if (dmar_is_contradiction(rc)) {
        DMAR_REQUIRE(!bad && at.other_table == dmar);
        DMAR_REQUIRE(at.other_offset >= first && at.other_offset < at.offset);
    } else {
        DMAR_REQUIRE((bad || tail) == (rc != 0));
        DMAR_REQUIRE(tail == (rc == VTDPI_EDMAR_TAIL));
        DMAR_REQUIRE(!tail || at.offset == end);
        DMAR_REQUIRE(at.other_table == NULL && at.other_offset == 0);
    }
    DMAR_REQUIRE(at.table == (rc == 0 ? NULL : dmar));
    DMAR_REQUIRE(at.note == (rc != 0 && !bad));
    DMAR_REQUIRE(rc == 0 || (at.offset >= first && at.offset < dmar->length));
    return dmar_walk_look_ups(dmar, !bad);
}

/*
 * Opens and walks a table, right checksum or not. False if something does not
 * hold that must hold for any bytes.
 */
static inline bool dmar_walk(const void *bytes, size_t size)
{
    struct vtdpi_dmar dmar;
    size_t at = SIZE_MAX;

    if (vtdpi_dmar_open(bytes, size, VTDPI_DMAR_ACCEPT_BAD_CHECKSUM, &dmar,
                        &at) != 0) {
        DMAR_REQUIRE(at <= size);
        return true;
    }
    DMAR_REQUIRE(dmar.length >= 48 && dmar.length <= size);
    return dmar_walk_opened(&dmar, 48);
}

/* The same with the bytes as a list. */
static inline bool dmar_walk_list(const void *bytes, size_t size)
{
    struct vtdpi_dmar dmar;

    DMAR_REQUIRE(vtdpi_dmar_open_list(bytes, size, &dmar) == 0);
    DMAR_REQUIRE(dmar.length == size);
    return dmar_walk_opened(&dmar, 0);
}

/* The same with two lists that are linked, which are cut anywhere. */
static inline bool dmar_walk_chain(const uint8_t *bytes, size_t size,
                                   size_t cut)
{
    struct vtdpi_dmar first;
    struct vtdpi_dmar second;
    struct vtdpi_dmar_problem at = {0};
    int rc;

    DMAR_REQUIRE(vtdpi_dmar_open_list(bytes, cut, &first) == 0);
    DMAR_REQUIRE(vtdpi_dmar_open_list(bytes + cut, size - cut, &second) == 0);
    first.next = &second;
    rc = vtdpi_dmar_check(&first, &at);
    DMAR_REQUIRE(rc == 0 || at.table == &first || at.table == &second);
    DMAR_REQUIRE(rc == 0 || at.offset < at.table->length);
    DMAR_REQUIRE(dmar_is_contradiction(rc) == (at.other_table != NULL));
    DMAR_REQUIRE(at.other_table == NULL ||
                 at.other_offset < at.other_table->length);
    return dmar_walk_look_ups(&first, false);
}

#endif
