/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_MODEL_RIG_H
#define VTDPI_TEST_MODEL_RIG_H

/*
 * A model with memory, as a driver and a device see it. Tests of the model use
 * literal numbers for registers, bits and entries: nothing of the library's
 * encoders, and no name of regs.h.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtdpi/model.h"

/* Physical addresses. Above 4 GiB, so that upper halves matter. */
#define RIG_BASE   0x500000000ull
#define RIG_SIZE   0x40000u
#define RIG_QUEUE  0x500000000ull /* 16 KiB. */
#define RIG_STATUS 0x500004000ull
#define RIG_TABLE  0x500008000ull /* 256 entries. */
#define RIG_TABLE2 0x500009000ull
#define RIG_PID    0x500010000ull
#define RIG_PID2   0x500010040ull

/* Capabilities of a posting-capable server: 8 fault records at 100h. */
#define RIG_CAP    0x08d2078c106f0466ull
#define RIG_ECAP   0x0000000000f020dfull

/* An MSI for entry n without subhandle, and the device that sends it. */
#define RIG_MSI(n) (0xfee00010ull | (uint64_t)(n) << 5)
#define RIG_SID    0x0a10

struct rig {
    struct vtdpi_model m;
    struct vtdpi_model_params params;
    struct vtdpi_model_result r;
    struct vtdpi_model_iec_entry iec[256];
    struct vtdpi_model_notification queue[4];
    uint32_t tail;
    uint64_t event_address;
    uint32_t event_data;
    enum vtdpi_model_event event;
    uint8_t *memory;
};

static inline void *rig_at(struct rig *rig, uint64_t phys)
{
    return rig->memory + (phys - RIG_BASE);
}

static inline uint64_t *rig_words(struct rig *rig, uint64_t phys)
{
    return (uint64_t *)(void *)(rig->memory + (phys - RIG_BASE));
}

static inline void *rig_map(void *ctx, uint64_t phys, size_t len)
{
    struct rig *rig = ctx;

    if (phys < RIG_BASE || phys - RIG_BASE > RIG_SIZE - len)
        return NULL;
    return rig_at(rig, phys);
}

static inline void rig_event(void *ctx, enum vtdpi_model_event event,
                             uint64_t address, uint32_t data)
{
    struct rig *rig = ctx;

    rig->event = event;
    rig->event_address = address;
    rig->event_data = data;
}

static inline void rig_reset(struct rig *rig)
{
    assert_int_equal(vtdpi_model_init(&rig->m, &rig->params), 0);
    rig->tail = 0;
}

static inline int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->memory = aligned_alloc(4096, RIG_SIZE);
    assert_non_null(rig->memory);
    memset(rig->memory, 0, RIG_SIZE);
    rig->params.cap = RIG_CAP;
    rig->params.ecap = RIG_ECAP;
    rig->params.ctx = rig;
    rig->params.map = rig_map;
    rig->params.iec = rig->iec;
    rig->params.iec_slots = 256;
    rig->params.notifications = rig->queue;
    rig->params.notification_slots = 4;
    rig->params.event = rig_event;
    rig_reset(rig);
    *state = rig;
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *rig = *state;

    free(rig->memory);
    free(rig);
    return 0;
}

/* What the model counted. */
static inline struct vtdpi_model_counters rig_count(const struct rig *rig)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&rig->m, &c);
    return c;
}

/* Exactly one violation since the last call, of this kind at that place. */
#define rig_expect(rig, what, place)                            \
    do {                                                        \
        const struct vtdpi_model_violation v_ =                 \
            vtdpi_model_first_violation(&(rig)->m);             \
        assert_int_equal(vtdpi_model_violations(&(rig)->m), 1); \
        assert_int_equal(v_.kind, what);                        \
        assert_int_equal(v_.where, place);                      \
        vtdpi_model_clear_violations(&(rig)->m);                \
    } while (0)

#define rig_expect_none(rig) \
    assert_int_equal(vtdpi_model_first_violation(&(rig)->m).kind, 0)

static inline uint32_t rig_gsts(struct rig *rig)
{
    return vtdpi_model_read32(&rig->m, 0x1c);
}

/* Turn one command bit on, as a good driver does. */
static inline void rig_command(struct rig *rig, uint32_t bit)
{
    vtdpi_model_write32(&rig->m, 0x18, (rig_gsts(rig) & 0x96ffffff) | bit);
}

/* Queue on: one page, 128-bit descriptors. */
static inline void rig_queue_on(struct rig *rig)
{
    vtdpi_model_write64(&rig->m, 0x88, 0);
    vtdpi_model_write64(&rig->m, 0x90, RIG_QUEUE);
    rig_command(rig, 0x04000000);
}

/* Put a descriptor at the tail without telling the unit. */
static inline void rig_put(struct rig *rig, uint64_t qw0, uint64_t qw1)
{
    uint64_t *d = rig_words(rig, RIG_QUEUE + rig->tail);

    d[0] = qw0;
    d[1] = qw1;
    rig->tail = (rig->tail + 16) % 4096;
}

static inline void rig_kick(struct rig *rig)
{
    vtdpi_model_write64(&rig->m, 0x88, rig->tail);
}

static inline uint32_t *rig_status(struct rig *rig, unsigned int i)
{
    return (uint32_t *)rig_at(rig, RIG_STATUS + i * 4);
}

/* A wait descriptor with a status write of @p data to status word @p i. */
static inline void rig_put_wait(struct rig *rig, unsigned int i, uint32_t data)
{
    rig_put(rig, 0x25 | (uint64_t)data << 32, RIG_STATUS + i * 4);
}

static inline void rig_invalidate_all(struct rig *rig)
{
    rig_put(rig, 0x04, 0);
    rig_kick(rig);
}

/* Remapping on with the table at RIG_TABLE, 256 entries. */
static inline void rig_on(struct rig *rig, bool extended)
{
    rig_queue_on(rig);
    vtdpi_model_write64(&rig->m, 0xb8, RIG_TABLE | (extended ? 0x800 : 0) | 7);
    rig_command(rig, 0x01000000);
    rig_invalidate_all(rig);
    rig_command(rig, 0x02000000);
    rig_expect_none(rig);
}

static inline int rig_setup_on(void **state)
{
    const int rc = rig_setup(state);

    rig_on(*state, true);
    return rc;
}

static inline void rig_entry(struct rig *rig, uint32_t index, uint64_t lo,
                             uint64_t hi)
{
    uint64_t *e = rig_words(rig, RIG_TABLE + index * 16);

    e[0] = lo;
    e[1] = hi;
}

/* Send entry @p index's MSI; the outcome. */
static inline enum vtdpi_model_outcome rig_fire(struct rig *rig, uint32_t index)
{
    return vtdpi_model_msi(&rig->m, RIG_SID, RIG_MSI(index), 0, &rig->r);
}

#define rig_expect_blocked(rig, index, why)                          \
    do {                                                             \
        assert_int_equal(rig_fire(rig, index), VTDPI_MODEL_BLOCKED); \
        assert_int_equal((rig)->r.reason, why);                      \
    } while (0)

#define rig_test(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define rig_test_on(f) \
    cmocka_unit_test_setup_teardown(f, rig_setup_on, rig_teardown)

#endif
