/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that are not the model's business, and that a foreign driver may use: they
 * keep what is written. Read the order of files in internal.h first.
 */
#include "internal.h"

enum {
    PMEN = 0x64,
    PMEN_PRS = 1, /* protected regions are on */
};
#define PMEN_EPM (UINT32_C(1) << 31)

/* Offset and size. */
static const struct {
    uint32_t off;
    uint32_t size;
} kept[] = {
    {0x58, 8}, /* Advanced Fault Log Register */
    {PMEN, 4}, /* Protected Memory Enable Register */
    {0x68, 4}, /* Protected Low-Memory Base Register */
    {0x6c, 4}, /* Protected Low-Memory Limit Register */
    {0x70, 8}, /* Protected High-Memory Base Register */
    {0x78, 8}, /* Protected High-Memory Limit Register */
    {0xc0, 8}, /* Page Request Queue Head Register */
    {0xc8, 8}, /* Page Request Queue Tail Register */
    {0xd0, 8}, /* Page Request Queue Address Register */
    {0xdc, 4}, /* Page Request Status Register */
    {0xe0, 4}, /* Page Request Event Control Register */
    {0xe4, 4}, /* Page Request Event Data Register */
    {0xe8, 4}, /* Page Request Event Address Register */
    {0xec, 4}, /* Page Request Event Upper Address Register */
};

_Static_assert(sizeof(kept) / sizeof(kept[0]) == VTDPI_MODEL_KEPT,
               "storage of each");

static int kept_at(uint32_t off)
{
    for (int i = 0; i < VTDPI_MODEL_KEPT; i++) {
        if (off >= kept[i].off && off < kept[i].off + kept[i].size)
            return i;
    }
    return -1;
}

/* Bytes of the register that holds the byte at @p off; 0: there is none. */
uint32_t vtdpi_model_kept_size_(const struct vtdpi_model *m, uint32_t off)
{
    const int i = kept_at(off);

    return m->params.foreign && i >= 0 ? kept[i].size : 0;
}

uint64_t vtdpi_model_kept_get_(const struct vtdpi_model *m, uint32_t off)
{
    const int i = kept_at(off);

    return i >= 0 ? m->kept[i] : 0;
}

void vtdpi_model_kept_put_(struct vtdpi_model *m, uint32_t off, uint64_t value)
{
    const int i = kept_at(off);

    if (i < 0)
        return;
    /* The status follows: what a driver waits for. */
    if (kept[i].off == PMEN)
        value = (value & PMEN_EPM) != 0 ? PMEN_EPM | PMEN_PRS : 0;
    m->kept[i] = value;
}
