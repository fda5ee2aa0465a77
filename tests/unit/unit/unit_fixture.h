/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_UNIT_FIXTURE_H
#define VTDPI_TEST_UNIT_FIXTURE_H

/* What the tests of bringing a unit up share: one that nobody has probed. */

#include "unit_rig.h"

static inline int setup(void **state)
{
    (void)state;
    rig_power_up(CAP, ECAP);
    return 0;
}

static inline void probe(void)
{
    rig_probe();
    rig_clear_trace();
}

static inline int enable(const struct vtdpi_unit_config *c)
{
    return vtdpi_unit_enable(&rig.u, c);
}

/* Remapping and queue off, and no EIME, where the unit looks as well. */
static inline void assert_off(void)
{
    assert_int_equal(vtdpi_unit_state(&rig.u), VTDPI_UNIT_OFF);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0x1c) & 0x06000000, 0);
    assert_int_equal(vtdpi_model_latched_irta(&rig.m) & 0x800, 0);
    assert_int_equal(vtdpi_model_peek(&rig.m, 0xb8) & 0x800, 0);
}

#endif
