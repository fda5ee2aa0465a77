/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_BYTES = 4096,
};

void *support_memory(size_t size)
{
    const size_t bytes = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    void *p = aligned_alloc(PAGE_BYTES, bytes);

    support_check(p != NULL);
    memset(p, 0, bytes);
    return p;
}
