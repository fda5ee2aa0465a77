/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The APICs of a guest, indexed: the set of APICs that route.c walks. Read
 * struct vtdpi_route_map in vtdpi/route.h first. All keys are in one sorted
 * array:
 *
 *     63            47 46          15 14      0
 *     +---------------+--------------+---------+
 *     | group         | APIC id      | vCPU    |
 *     +---------------+--------------+---------+
 *
 * Group 0 holds every APIC that is there; the others are those that a logical
 * destination can name: xAPIC flat, the 16 clusters of xAPIC, the 65536 of
 * x2APIC. An APIC is in at most one of them. Whom a message can be for is then
 * one range of keys, or three for a logical destination of at most 8 bits, and
 * each is in the order that arbitration wants. vtdpi_guest_apic_matches() has
 * the last word, so an index that is too wide costs time and nothing else.
 */
#include "vtdpi/route.h"

#define KEY_VCPU_BITS  15
#define KEY_GROUP_BIT  47
#define KEY_VCPU_MASK  ((UINT64_C(1) << KEY_VCPU_BITS) - 1)
#define KEY_ORDER_MASK ((UINT64_C(1) << KEY_GROUP_BIT) - 1)
#define KEY_NONE       UINT64_MAX

enum {
    GROUP_ALL = 0,
    GROUP_FLAT = 1,
    GROUP_CLUSTER = 2,
    GROUP_X2APIC = 18
};

/* Ranges of keys that one message needs. */
#define KEY_RANGES 3

VTDPI_STATIC_ASSERT(VTDPI_ROUTE_MAP_MAX == 1 << KEY_VCPU_BITS, "a vCPU fits");

static uint64_t key_make(uint32_t group, uint32_t id, uint32_t vcpu)
{
    return (uint64_t)group << KEY_GROUP_BIT | (uint64_t)id << KEY_VCPU_BITS |
           vcpu;
}

/* 1 or 0, to count with. */
static uint32_t apic_is_there(const struct vtdpi_guest_apic *apic)
{
    return apic->mode != VTDPI_GUEST_APIC_DISABLED;
}

static uint32_t apic_is_xapic(const struct vtdpi_guest_apic *apic)
{
    return apic_is_there(apic) && apic->mode != VTDPI_GUEST_X2APIC;
}

static uint64_t key_of_id(const struct vtdpi_guest_apic *apic, uint32_t vcpu)
{
    return apic->mode == VTDPI_GUEST_APIC_DISABLED
               ? KEY_NONE
               : key_make(GROUP_ALL, apic->id, vcpu);
}

static VTDPI_COLD uint64_t key_of_group(const struct vtdpi_guest_apic *apic,
                                        uint32_t vcpu)
{
    const uint32_t ldr = apic->ldr >> 24;

    switch (apic->mode) {
    case VTDPI_GUEST_XAPIC_FLAT:
        return ldr == 0 ? KEY_NONE : key_make(GROUP_FLAT, apic->id, vcpu);
    case VTDPI_GUEST_XAPIC_CLUSTER:
        return (ldr & 0xf) == 0
                   ? KEY_NONE
                   : key_make(GROUP_CLUSTER + (ldr >> 4), apic->id, vcpu);
    case VTDPI_GUEST_X2APIC:
        return key_make(GROUP_X2APIC + (vtdpi_guest_x2apic_ldr(apic) >> 16),
                        apic->id, vcpu);
    default:
        return KEY_NONE;
    }
}

/*
 * Where @p key would be if every APIC were in x2APIC mode with the vCPU's
 * number for an id, as guests mostly have it.
 */
static uint64_t key_guess(const struct vtdpi_route_map *map, uint64_t key)
{
    const uint64_t group = key >> KEY_GROUP_BIT;

    return group < GROUP_X2APIC ? (key & KEY_ORDER_MASK) >> KEY_VCPU_BITS
                                : map->present + (group - GROUP_X2APIC) * 16;
}

/* Position of the first key that is not below @p key. */
static uint32_t key_lower_bound(const struct vtdpi_route_map *map, uint64_t key)
{
    const uint64_t at = key_guess(map, key);
    uint32_t low = 0;
    uint32_t high = map->used;

    if (at < high && map->keys[at] >= key &&
        (at == 0 || map->keys[at - 1] < key))
        return (uint32_t)at;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (map->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static VTDPI_COLD void key_change(struct vtdpi_route_map *map, uint64_t old,
                                  uint64_t key)
{
    uint32_t at;

    if (old == key)
        return;
    if (old != KEY_NONE) {
        at = key_lower_bound(map, old);
        map->used--;
        __builtin_memmove(&map->keys[at], &map->keys[at + 1],
                          (map->used - at) * sizeof(map->keys[0]));
    }
    if (key != KEY_NONE) {
        at = key_lower_bound(map, key);
        __builtin_memmove(&map->keys[at + 1], &map->keys[at],
                          (map->used - at) * sizeof(map->keys[0]));
        map->keys[at] = key;
        map->used++;
    }
}

int vtdpi_route_map_init(struct vtdpi_route_map *map,
                         struct vtdpi_guest_apic *apics, uint64_t *keys,
                         uint32_t count)
{
    if (map == NULL || apics == NULL || keys == NULL || count == 0 ||
        count > VTDPI_ROUTE_MAP_MAX)
        return VTDPI_EINVAL;
    __builtin_memset(apics, 0, count * sizeof(apics[0]));
    map->apics = apics;
    map->keys = keys;
    map->count = count;
    map->present = 0;
    map->xapics = 0;
    map->used = 0;
    return 0;
}

int vtdpi_route_map_update(struct vtdpi_route_map *map, uint32_t vcpu,
                           const struct vtdpi_guest_apic *apic)
{
    struct vtdpi_guest_apic *old;

    if (map == NULL || apic == NULL || vcpu >= map->count ||
        (unsigned int)apic->mode > VTDPI_GUEST_X2APIC)
        return VTDPI_EINVAL;
    old = &map->apics[vcpu];
    /* Unsigned: what goes below zero comes back. */
    map->present += apic_is_there(apic) - apic_is_there(old);
    map->xapics += apic_is_xapic(apic) - apic_is_xapic(old);
    key_change(map, key_of_id(old, vcpu), key_of_id(apic, vcpu));
    key_change(map, key_of_group(old, vcpu), key_of_group(apic, vcpu));
    *old = *apic;
    return 0;
}

/* Range number @p i of the keys that the message can be for: first to limit - 1. */
static bool key_range(const struct vtdpi_route_map *map,
                      const struct vtdpi_compat_msi *msg, unsigned int i,
                      uint64_t *first, uint64_t *limit)
{
    uint32_t group;

    /* FFh is all ones to xAPICs, and to others an id or a cluster. */
    if (msg->dest == VTDPI_DEST_ALL ||
        (msg->dest == 0xff && map->xapics != 0)) {
        *first = key_make(GROUP_ALL, 0, 0);
        *limit = key_make(GROUP_ALL + 1, 0, 0);
        return i == 0;
    }
    if (!msg->dm) {
        *first = key_make(GROUP_ALL, msg->dest, 0);
        *limit = *first + KEY_VCPU_MASK + 1;
        return i == 0;
    }
    if (i == 0)
        group = GROUP_X2APIC + (msg->dest >> 16);
    else if (msg->dest > 0xff)
        return false;
    else
        group = i == 1 ? GROUP_CLUSTER + (msg->dest >> 4) : GROUP_FLAT;
    *first = key_make(group, 0, 0);
    *limit = key_make(group + 1, 0, 0);
    return true;
}

/* Position of the first key from @p at on that matches, or map->used. */
static uint32_t key_seek(const struct vtdpi_route_map *map,
                         const struct vtdpi_compat_msi *msg, uint32_t at,
                         uint64_t limit)
{
    for (; at < map->used && map->keys[at] < limit; at++) {
        const uint64_t vcpu = map->keys[at] & KEY_VCPU_MASK;

        if (vtdpi_guest_apic_matches(&map->apics[vcpu], msg))
            return at;
    }
    return map->used;
}

/* Merges the ranges. cursor: the position in each, and whether it has begun. */
static VTDPI_BY_POINTER bool map_next(void *ctx,
                                      const struct vtdpi_compat_msi *msg,
                                      struct vtdpi_route_cursor *cursor,
                                      struct vtdpi_route_candidate *out)
{
    const struct vtdpi_route_map *map = (const struct vtdpi_route_map *)ctx;
    uint64_t best = KEY_NONE;
    unsigned int from = 0;
    uint64_t first;
    uint64_t limit;

    for (unsigned int i = 0;
         i < KEY_RANGES && key_range(map, msg, i, &first, &limit); i++) {
        uint32_t at = cursor->word[i];

        if (cursor->word[KEY_RANGES] == 0)
            at = key_lower_bound(map, first);
        at = key_seek(map, msg, at, limit);
        cursor->word[i] = at;
        if (at < map->used && (map->keys[at] & KEY_ORDER_MASK) < best) {
            best = map->keys[at] & KEY_ORDER_MASK;
            from = i;
        }
    }
    if (best == KEY_NONE)
        return false;
    cursor->word[KEY_RANGES] = 1;
    cursor->word[from]++;
    out->vcpu = (uint32_t)(best & KEY_VCPU_MASK);
    out->mode = map->apics[out->vcpu].mode;
    out->enabled = map->apics[out->vcpu].enabled;
    out->attached = map->apics[out->vcpu].attached;
    return true;
}

struct vtdpi_apic_set vtdpi_route_map_apics(struct vtdpi_route_map *map)
{
    static const struct vtdpi_apic_set_ops ops = {map_next};
    const struct vtdpi_apic_set set = {&ops, map};

    return set;
}
