/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_QI_OPEN_FIXTURE_H
#define VTDPI_TEST_QI_OPEN_FIXTURE_H

/* What the tests of the queue share: an open queue on a unit that executes by
 * itself. With errors: qi_fixture.h. */

#include "unit_rig.h"

static inline int setup(void **state)
{
    const struct vtdpi_qi_params params = rig_qi_params();

    (void)state;
    rig_power_up(CAP, ECAP);
    rig_open_queue(&params);
    return 0;
}

static inline struct vtdpi_qi_desc iec(uint16_t index)
{
    struct vtdpi_qi_desc d;

    assert_int_equal(vtdpi_qi_encode_iec(&d, index, 0), 0);
    return d;
}

static inline void submit(struct vtdpi_qi_ticket *t)
{
    const struct vtdpi_qi_desc d = iec(5);

    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, t), 0);
}

#endif
