/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a change of entries has to flush, collected in as few ranges as there
 * are gaps. backend.h says who calls it, and in which order.
 */
#include "vtdpi/backend.h"

void vtdpi_flush_init(struct vtdpi_flush *flush,
                      struct vtdpi_flush_range *ranges, uint32_t capacity)
{
    flush->ranges = ranges;
    flush->capacity = capacity;
    flush->used = 0;
    flush->global = false;
    flush->write_buffer = false;
    flush->drain = false;
}

/* Grows @p r by [first, end) if the two touch or overlap. */
static bool range_extend(struct vtdpi_flush_range *r, uint32_t first,
                         uint32_t end)
{
    const uint32_t r_end = r->first + r->count;

    if (first > r_end || end < r->first)
        return false;
    if (first < r->first)
        r->first = first;
    r->count = (end > r_end ? end : r_end) - r->first;
    return true;
}

void vtdpi_flush_add(struct vtdpi_flush *flush, uint32_t first, uint32_t count)
{
    if (count == 0)
        return;
    /* Newest first: mostly the first look is the last. */
    for (uint32_t i = flush->used; i > 0; i--) {
        if (range_extend(&flush->ranges[i - 1], first, first + count))
            return;
    }
    if (flush->used == flush->capacity) {
        flush->global = true;
        return;
    }
    flush->ranges[flush->used].first = first;
    flush->ranges[flush->used].count = count;
    flush->used++;
}
