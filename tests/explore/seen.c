/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of digests: open addressing, doubled when half full. The low byte of
 * the second word gives way to the cost, the number of preemptions that led to
 * the state: a state that was reached dearly is worth a second visit.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static struct ex_digest *find(const struct ex_seen *seen, struct ex_digest d)
{
    size_t i = (size_t)d.a & (seen->size - 1);

    while (seen->slot[i].a != 0 &&
           (seen->slot[i].a != d.a || seen->slot[i].b >> 8 != d.b >> 8))
        i = (i + 1) & (seen->size - 1);
    return &seen->slot[i];
}

static void grow(struct ex_seen *seen)
{
    const struct ex_seen old = *seen;

    seen->size = old.size == 0 ? 1U << 16 : old.size * 2;
    seen->slot = calloc(seen->size, sizeof seen->slot[0]);
    if (seen->slot == NULL) {
        (void)fputs(
            "out of memory: fewer preemptions, or --states, need less\n",
            stderr);
        exit(2);
    }
    for (size_t i = 0; i < old.size; i++) {
        if (old.slot[i].a != 0)
            *find(seen, old.slot[i]) = old.slot[i];
    }
    free(old.slot);
}

bool ex_seen_add(struct ex_seen *seen, struct ex_digest digest,
                 unsigned int cost)
{
    struct ex_digest *slot;

    if (seen->used >= seen->size / 2)
        grow(seen);
    digest.a |= 1; /* 0 marks a free place */
    digest.b = (digest.b & ~UINT64_C(0xff)) | (cost > 0xff ? 0xff : cost);
    slot = find(seen, digest);
    if (slot->a != 0 && (slot->b & 0xff) <= (digest.b & 0xff))
        return false;
    seen->used += slot->a == 0;
    *slot = digest;
    return true;
}

void ex_seen_clear(struct ex_seen *seen)
{
    free(seen->slot);
    memset(seen, 0, sizeof *seen);
}
