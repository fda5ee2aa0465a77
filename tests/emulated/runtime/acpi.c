/* SPDX-License-Identifier: BSD-2-Clause */
/* Where firmware left its tables. */

#include "internal.h"

#define BIOS_START   UINT64_C(0xe0000)
#define BIOS_END     UINT64_C(0x100000)
#define HEADER_SIZE  36
#define MADT_ENTRIES 44

uint32_t acpi_u32(const void *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

uint64_t acpi_u64(const void *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static bool sums_to_zero(const uint8_t *at, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

static const uint8_t *find_rsdp(void)
{
    for (uint64_t at = BIOS_START; at < BIOS_END; at += 16) {
        const uint8_t *p = (const uint8_t *)at;

        if (memcmp(p, "RSD PTR ", 8) == 0 && sums_to_zero(p, 20))
            return p;
    }
    return NULL;
}

const void *acpi_find(const char *signature, size_t *length)
{
    const uint8_t *const rsdp = find_rsdp();
    const uint8_t *root;
    size_t width = 4;

    if (rsdp == NULL)
        return NULL;
    root = (const uint8_t *)(uintptr_t)acpi_u32(rsdp + 16);
    if (rsdp[15] >= 2 && acpi_u64(rsdp + 24) != 0) {
        root = (const uint8_t *)acpi_u64(rsdp + 24);
        width = 8;
    }
    for (size_t i = HEADER_SIZE; i + width <= acpi_u32(root + 4); i += width) {
        const uint8_t *table =
            (const uint8_t *)(uintptr_t)(width == 8 ? acpi_u64(root + i)
                                                    : acpi_u32(root + i));

        if (memcmp(table, signature, 4) == 0) {
            *length = acpi_u32(table + 4);
            return table;
        }
    }
    return NULL;
}

const uint8_t *acpi_madt_next(const uint8_t *entry)
{
    size_t length;
    const uint8_t *const madt = acpi_find("APIC", &length);
    const uint8_t *next;

    if (madt == NULL)
        return NULL;
    next = entry == NULL ? madt + MADT_ENTRIES : entry + entry[1];
    if (next + 2 > madt + length || next[1] < 2)
        return NULL;
    return next;
}
