/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: any bytes as a DMAR table, any bytes as the structures behind a good
 * header, as a list of structures, and as two that are linked. Everything in it is walked, decoded and looked up.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/dmar/dmar_support.h"

#include "dmar_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dmar_build header;
    uint8_t *table;

    dmar_begin(&header, 1, 39);
    /* Exactly as long as the table: ASan sees a read beyond it. */
    table = malloc(header.length + size);
    if (table == NULL)
        return 0;
    memcpy(table, header.bytes, header.length);
    if (size > 0)
        memcpy(table + header.length, data, size);
    dmar_seal(table, header.length + size);
    if (!dmar_walk(data, size) || !dmar_walk(table, header.length + size) ||
        !dmar_walk_list(table + header.length, size) ||
        !dmar_walk_chain(table + header.length, size, size / 2))
        abort();
    free(table);
    return 0;
}
