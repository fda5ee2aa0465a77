/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DMAR_BUILD_H
#define TESTS_DMAR_BUILD_H

/*
 * Builds ACPI DMAR tables for tests, well-formed or not. The numbers are the
 * specification's, written here once more: nothing of the library is used, so
 * that a wrong constant of the library does not go unnoticed.
 *
 *     struct dmar_build b;
 *
 *     dmar_begin(&b, 0x01, 39);
 *     dmar_drhd(&b, DMAR_ALL, 0, 0, 0xfe000000);
 *     dmar_scope(&b, DMAR_IOAPIC, 2, 0xf0, 31, 7);
 *     dmar_end(&b);
 *
 * A device scope goes into the structure that was added last. Each function
 * that adds something returns its offset in the table: for a malformed table
 * overwrite bytes there, before dmar_end() or after it.
 */

#include <stddef.h>
#include <stdint.h>

/* Room for a table of a hundred units. A larger table aborts. */
#define DMAR_BUILD_MAX 4096

struct dmar_build {
    uint8_t bytes[DMAR_BUILD_MAX];
    size_t length; /* bytes so far */
    size_t last;   /* offset of the structure that was added last */
};

/* Flag of dmar_drhd(): INCLUDE_PCI_ALL. */
#define DMAR_ALL 0x01

/* Types of device scopes. */
enum dmar_kind {
    DMAR_ENDPOINT = 1,
    DMAR_BRIDGE = 2,
    DMAR_IOAPIC = 3,
    DMAR_HPET = 4,
    DMAR_ACPI = 5,
};

/* The header of 48 bytes. haw: bits of an address, 1 to 256. */
void dmar_begin(struct dmar_build *b, uint8_t flags, unsigned int haw);

/* Fills in the length and the checksum. */
void dmar_end(struct dmar_build *b);

/* The same, of a table that stands elsewhere. */
void dmar_seal(uint8_t *table, size_t length);

/* size: the register window has 2^size pages. */
size_t dmar_drhd(struct dmar_build *b, uint8_t flags, uint8_t size,
                 uint16_t segment, uint64_t base);
size_t dmar_rmrr(struct dmar_build *b, uint16_t segment, uint64_t base,
                 uint64_t limit);
size_t dmar_atsr(struct dmar_build *b, uint8_t flags, uint16_t segment);
size_t dmar_rhsa(struct dmar_build *b, uint64_t base, uint32_t domain);
size_t dmar_andd(struct dmar_build *b, uint8_t number, const char *name);
size_t dmar_satc(struct dmar_build *b, uint8_t flags, uint16_t segment);
size_t dmar_sidp(struct dmar_build *b, uint16_t segment);

/* Any type, four bytes of header and as many zeros as @p length asks for. */
size_t dmar_other(struct dmar_build *b, uint16_t type, uint16_t length);

/* A scope: enumeration id, start bus, then device and function of each hop. */
#define dmar_scope(b, kind, id, bus, ...)                                    \
    dmar_add_scope((b), (kind), (id), (bus), (const uint8_t[]){__VA_ARGS__}, \
                   sizeof((const uint8_t[]){__VA_ARGS__}))
size_t dmar_add_scope(struct dmar_build *b, enum dmar_kind kind, uint8_t id,
                      uint8_t bus, const uint8_t *path, size_t path_bytes);

/* Bytes that belong to no structure, unless the caller changes a length. */
size_t dmar_raw(struct dmar_build *b, const void *bytes, size_t count);

/* Overwrites a little-endian field of @p count bytes. */
void dmar_put(struct dmar_build *b, size_t at, uint64_t value,
              unsigned int count);

#endif
