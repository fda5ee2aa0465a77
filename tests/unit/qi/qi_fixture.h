/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_QI_FIXTURE_H
#define VTDPI_TEST_QI_FIXTURE_H

/* What the tests of the queue's errors share: an open queue on a unit that
 * executes only when told to. */

#include "unit_rig.h"

#define SID_A 0x1234u
#define SID_B 0x5678u

static inline int setup(void **state)
{
    const struct vtdpi_qi_params params = rig_qi_params();

    (void)state;
    rig_power_up(CAP, ECAP);
    rig_open_queue(&params);
    rig_set_manual(true);
    return 0;
}

/* Batches: @p n IECs; one device-TLB invalidation. */
static inline void submit(struct vtdpi_qi_ticket *t, uint32_t n)
{
    struct vtdpi_qi_desc d[8];

    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(vtdpi_qi_encode_iec(&d[i], (uint16_t)(16 + i), 0), 0);
    assert_int_equal(vtdpi_qi_submit(&rig.qi, d, n, t), 0);
}

static inline void submit_device(struct vtdpi_qi_ticket *t, uint64_t sid)
{
    const struct vtdpi_qi_desc d = {{3 | sid << 32, 0, 0, 0}};

    assert_int_equal(vtdpi_qi_submit(&rig.qi, &d, 1, t), 0);
}

static inline int poll(struct vtdpi_qi_ticket *t)
{
    return vtdpi_qi_poll(&rig.qi, t);
}

static inline int wait(struct vtdpi_qi_ticket *t)
{
    return vtdpi_qi_wait(&rig.qi, t, 0);
}

static inline uint64_t fsts(void)
{
    return vtdpi_model_peek(&rig.m, 0x34);
}

/* The model runs on its own from here. */
static inline void run(void)
{
    rig_set_manual(false);
    vtdpi_model_tick(&rig.m, 1);
}

static inline struct vtdpi_qi_stats stats(void)
{
    struct vtdpi_qi_stats s;

    vtdpi_qi_report(&rig.qi, &s, NULL);
    return s;
}

#endif
