/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_ROUTE_RIG_H
#define VTDPI_ROUTE_RIG_H

/* A guest for tests of route.h: a map, and words for messages and APICs. */

#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "vtdpi/route.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    RIG_VCPUS = 1024,
    GUARD = 4, /* words behind the keys that nobody may touch */
};

struct rig {
    struct vtdpi_guest_apic apics[RIG_VCPUS + 1];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(RIG_VCPUS) + GUARD];
    uint32_t count;
    struct vtdpi_route_map map;
    struct vtdpi_apic_set set;
};

#define POISON UINT64_C(0x5a5a5a5a5a5a5a5a)

static inline void rig_init(struct rig *r, uint32_t count)
{
    memset(r, 0x5a, sizeof(*r));
    r->count = count;
    assert_int_equal(vtdpi_route_map_init(&r->map, r->apics, r->keys, count),
                     0);
    r->set = vtdpi_route_map_apics(&r->map);
}

/* Nothing behind the memory that was given has changed. */
static inline void rig_check_guards(const struct rig *r)
{
    uint64_t behind;

    memcpy(&behind, &r->apics[r->count], sizeof(behind));
    assert_true(behind == POISON);
    for (size_t i = 0; i < GUARD; i++)
        assert_true(r->keys[VTDPI_ROUTE_MAP_KEYS(r->count) + i] == POISON);
}

static inline void rig_set(struct rig *r, uint32_t vcpu,
                           struct vtdpi_guest_apic apic)
{
    assert_int_equal(vtdpi_route_map_update(&r->map, vcpu, &apic), 0);
}

static inline struct vtdpi_guest_apic apic(enum vtdpi_guest_apic_mode mode,
                                           uint32_t id, uint32_t logical_id)
{
    const struct vtdpi_guest_apic a = {
        .id = id,
        .ldr = logical_id << 24,
        .mode = mode,
        .enabled = true,
        .attached = true,
    };

    return a;
}

static inline struct vtdpi_guest_apic x2apic(uint32_t id)
{
    return apic(VTDPI_GUEST_X2APIC, id, 0);
}

static inline struct vtdpi_guest_apic flat(uint32_t id, uint32_t logical_id)
{
    return apic(VTDPI_GUEST_XAPIC_FLAT, id, logical_id);
}

static inline struct vtdpi_guest_apic cluster(uint32_t id, uint32_t logical_id)
{
    return apic(VTDPI_GUEST_XAPIC_CLUSTER, id, logical_id);
}

/* Vector 41h, edge, as from vtdpi_route_decode(). */
static inline struct vtdpi_compat_msi physical(uint32_t dest)
{
    const struct vtdpi_compat_msi msg = {
        .dest = dest, .vector = 0x41, .dlm = VTDPI_DLM_FIXED};

    return msg;
}

static inline struct vtdpi_compat_msi logical(uint32_t dest)
{
    struct vtdpi_compat_msi msg = physical(dest);

    msg.dm = true;
    return msg;
}

static inline struct vtdpi_compat_msi lowest(uint32_t dest, uint8_t vector)
{
    struct vtdpi_compat_msi msg = logical(dest);

    msg.dlm = VTDPI_DLM_LOWEST;
    msg.vector = vector;
    return msg;
}

static inline struct vtdpi_route_decision
rig_decide(const struct rig *r, struct vtdpi_compat_msi msg)
{
    const struct vtdpi_route_options options = {.posting = true};

    return vtdpi_route_decide_decoded(&r->set, &msg, &options);
}

static inline void assert_posted(const struct rig *r,
                                 struct vtdpi_compat_msi msg, uint32_t vcpu)
{
    const struct vtdpi_route_decision d = rig_decide(r, msg);

    assert_string_equal(vtdpi_route_reason_text(d.reason),
                        vtdpi_route_reason_text(VTDPI_ROUTE_POSTABLE));
    assert_int_equal(d.kind, VTDPI_ROUTE_POST);
    assert_int_equal(d.vcpu, vcpu);
    assert_int_equal(d.vector, msg.vector);
}

static inline void assert_remapped(const struct rig *r,
                                   struct vtdpi_compat_msi msg,
                                   enum vtdpi_route_reason reason)
{
    const struct vtdpi_route_decision d = rig_decide(r, msg);

    assert_string_equal(vtdpi_route_reason_text(d.reason),
                        vtdpi_route_reason_text(reason));
    assert_int_equal(d.kind, VTDPI_ROUTE_REMAP);
    assert_int_equal(d.vector, msg.vector);
}

/* Who takes a message, as digits of vCPU numbers below 10: "013". */
static inline const char *takers(const struct rig *r,
                                 struct vtdpi_compat_msi msg, char text[16])
{
    struct vtdpi_route_walk walk;
    struct vtdpi_route_candidate c;
    size_t n = 0;

    vtdpi_route_walk_begin(&walk, &r->set, &msg);
    while (vtdpi_route_walk_next(&walk, &c)) {
        assert_true(c.vcpu < 10 && n < 15);
        text[n++] = (char)('0' + c.vcpu);
    }
    text[n] = '\0';
    return text;
}

#define assert_takers(rig, msg, want)                             \
    do {                                                          \
        char takers_text[16];                                     \
                                                                  \
        assert_string_equal(takers(rig, msg, takers_text), want); \
    } while (0)

#endif
