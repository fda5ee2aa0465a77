/* SPDX-License-Identifier: BSD-2-Clause */
/* Builder of DMAR tables; dmar_build.h says how to use it. */
#include "dmar_build.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 48

enum {
    DRHD,
    RMRR,
    ATSR,
    RHSA,
    ANDD,
    SATC,
    SIDP
};

static void store(uint8_t *to, uint64_t value, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* Appends zeros. */
static size_t extend(struct dmar_build *b, size_t count)
{
    const size_t at = b->length;

    if (count > sizeof(b->bytes) - at)
        abort();
    memset(b->bytes + at, 0, count);
    b->length += count;
    return at;
}

void dmar_put(struct dmar_build *b, size_t at, uint64_t value,
              unsigned int count)
{
    if (at + count > b->length)
        abort();
    store(b->bytes + at, value, count);
}

size_t dmar_raw(struct dmar_build *b, const void *bytes, size_t count)
{
    const size_t at = extend(b, count);

    memcpy(b->bytes + at, bytes, count);
    return at;
}

void dmar_begin(struct dmar_build *b, uint8_t flags, unsigned int haw)
{
    memset(b, 0, sizeof(*b));
    (void)extend(b, HEADER_BYTES);
    memcpy(b->bytes, "DMAR", 4);
    b->bytes[8] = 1; /* revision */
    memcpy(b->bytes + 10, "VTDPI Test tab", 14);
    dmar_put(b, 24, 0x11223344, 4); /* OEM revision */
    memcpy(b->bytes + 28, "MAKE", 4);
    dmar_put(b, 32, 1, 4); /* revision of the maker */
    b->bytes[36] = (uint8_t)(haw - 1);
    b->bytes[37] = flags;
}

void dmar_seal(uint8_t *table, size_t length)
{
    uint8_t sum = 0;

    store(table + 4, length, 4);
    table[9] = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

void dmar_end(struct dmar_build *b)
{
    dmar_seal(b->bytes, b->length);
}

size_t dmar_other(struct dmar_build *b, uint16_t type, uint16_t length)
{
    b->last = extend(b, length);
    dmar_put(b, b->last, type, 2);
    dmar_put(b, b->last + 2, length, 2);
    return b->last;
}

/* What DRHD, RMRR, ATSR, SATC and SIDP have in common. */
static size_t with_segment(struct dmar_build *b, uint16_t type, uint16_t length,
                           uint8_t flags, uint16_t segment)
{
    const size_t at = dmar_other(b, type, length);

    dmar_put(b, at + 4, flags, 1);
    dmar_put(b, at + 6, segment, 2);
    return at;
}

size_t dmar_drhd(struct dmar_build *b, uint8_t flags, uint8_t size,
                 uint16_t segment, uint64_t base)
{
    const size_t at = with_segment(b, DRHD, 16, flags, segment);

    dmar_put(b, at + 5, size, 1);
    dmar_put(b, at + 8, base, 8);
    return at;
}

size_t dmar_rmrr(struct dmar_build *b, uint16_t segment, uint64_t base,
                 uint64_t limit)
{
    const size_t at = with_segment(b, RMRR, 24, 0, segment);

    dmar_put(b, at + 8, base, 8);
    dmar_put(b, at + 16, limit, 8);
    return at;
}

size_t dmar_atsr(struct dmar_build *b, uint8_t flags, uint16_t segment)
{
    return with_segment(b, ATSR, 8, flags, segment);
}

size_t dmar_satc(struct dmar_build *b, uint8_t flags, uint16_t segment)
{
    return with_segment(b, SATC, 8, flags, segment);
}

size_t dmar_sidp(struct dmar_build *b, uint16_t segment)
{
    return with_segment(b, SIDP, 8, 0, segment);
}

size_t dmar_rhsa(struct dmar_build *b, uint64_t base, uint32_t domain)
{
    const size_t at = dmar_other(b, RHSA, 20);

    dmar_put(b, at + 8, base, 8);
    dmar_put(b, at + 16, domain, 4);
    return at;
}

size_t dmar_andd(struct dmar_build *b, uint8_t number, const char *name)
{
    const size_t bytes = strlen(name) + 1;
    const size_t at = dmar_other(b, ANDD, (uint16_t)(8 + bytes));

    dmar_put(b, at + 7, number, 1);
    memcpy(b->bytes + at + 8, name, bytes);
    return at;
}

size_t dmar_add_scope(struct dmar_build *b, enum dmar_kind kind, uint8_t id,
                      uint8_t bus, const uint8_t *path, size_t path_bytes)
{
    const size_t at = extend(b, 6);

    dmar_put(b, at, kind, 1);
    dmar_put(b, at + 1, 6 + path_bytes, 1);
    dmar_put(b, at + 4, id, 1);
    dmar_put(b, at + 5, bus, 1);
    (void)dmar_raw(b, path, path_bytes);
    dmar_put(b, b->last + 2, b->length - b->last, 2);
    return at;
}
