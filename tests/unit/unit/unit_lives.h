/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_UNIT_LIVES_H
#define VTDPI_TEST_UNIT_LIVES_H

/* The four calls of a unit's life, each from the state that it is for; and what
 * must hold whenever one of them has returned. */

#include "unit_fixture.h"

static inline int call_enable(void)
{
    const struct vtdpi_unit_config c = rig_config();

    return enable(&c);
}

static inline int call_disable(void)
{
    return vtdpi_unit_disable(&rig.u);
}

static inline int call_suspend(void)
{
    return vtdpi_unit_suspend(&rig.u);
}

static inline int call_resume(void)
{
    return vtdpi_unit_resume(&rig.u);
}

static inline void begin_off(void)
{
}

static inline void begin_on(void)
{
    assert_int_equal(call_enable(), 0);
}

static inline void begin_suspended(void)
{
    begin_on();
    assert_int_equal(call_suspend(), 0);
}

static const struct life {
    const char *name;
    void (*begin)(void);
    int (*call)(void);
} lives[] = {
    {"enable", begin_off, call_enable},
    {"disable", begin_on, call_disable},
    {"suspend", begin_on, call_suspend},
    {"resume", begin_suspended, call_resume},
};

#define LIVES (sizeof(lives) / sizeof(lives[0]))

/* Entry 5: vector 41h, to APIC id 3. */
static inline enum vtdpi_model_outcome fire(void)
{
    static const uint64_t entry[2] = {0x0000000300410001, 0};
    struct vtdpi_model_result r;

    memcpy(rig_mem + TABLE_AT + 5 * sizeof(entry), entry, sizeof(entry));
    return vtdpi_model_msi(&rig.m, 0x10, 0xfee000b0, 0, &r);
}

/* The registers are as the state says. */
static inline void assert_state_is_true(void)
{
    const enum vtdpi_unit_state state = vtdpi_unit_state(&rig.u);
    const uint64_t on = vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000;

    if (state == VTDPI_UNIT_OFF || state == VTDPI_UNIT_SUSPENDED) {
        assert_int_equal(on, 0);
    } else if (state == VTDPI_UNIT_ON) {
        assert_int_equal(on, 0x06000000);
        assert_true(vtdpi_model_latched_irta(&rig.m) == (TABLE | 0x807));
        assert_int_equal(fire(), VTDPI_MODEL_REMAPPED);
    } else {
        assert_true(state == VTDPI_UNIT_FAILED || state == VTDPI_UNIT_GONE);
    }
}

/* From whatever a call has left: off, on, off. */
static inline void assert_lives_on(void)
{
    if (vtdpi_unit_state(&rig.u) == VTDPI_UNIT_SUSPENDED)
        assert_int_equal(call_resume(), 0);
    else if (vtdpi_unit_state(&rig.u) == VTDPI_UNIT_OFF)
        assert_int_equal(call_enable(), 0);
    assert_state_is_true();
    assert_int_equal(call_disable(), 0);
    assert_off();
    assert_int_equal(call_enable(), 0);
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_ON);
    assert_state_is_true();
    assert_int_equal(call_disable(), 0);
    assert_off();
}

#endif
