/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: any bytes as a DMAR table, and any bytes as the structures behind
 * a good header. Everything in it is walked, decoded and looked up.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/dmar_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t header[] = {DMAR_HEADER(1)};
    /* Exactly as long as the table: ASan sees a read beyond it. */
    uint8_t *const table = malloc(sizeof(header) + size);

    if (table == NULL)
        return 0;
    memcpy(table, header, sizeof(header));
    if (size > 0)
        memcpy(table + sizeof(header), data, size);
    dmar_seal(table, sizeof(header) + size);
    if (!dmar_walk(data, size) || !dmar_walk(table, sizeof(header) + size))
        abort();
    free(table);
    return 0;
}
