/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_MACHINE_REPLAY_H
#define VTDPI_SUPPORT_MACHINE_REPLAY_H

/*
 * Step replay on the modelled machine: the steps are those of the units, and
 * those between the calls of the table's backend. Before one of them a device
 * sends an interrupt, or a unit begins to fail.
 */

#include "machine.h"
#include "replay.h"

struct machine_replay {
    struct machine *m;
    struct vtdpi_backend backend; /* the table's, with steps between calls */
    struct replay_step step;
    /* What is done before the step, at which unit: the device behind the unit
     * sends the message of @p index, or the unit fails. */
    unsigned int unit;
    uint32_t index;
    bool fail;
    enum vtdpi_model_fault fault;
    struct vtdpi_model_result result; /* of the message */
};

/* Over @p m; what is done before which step is left to the caller. */
void machine_replay_init(struct machine_replay *r, struct machine *m);

/* Steps count between these two. */
void machine_replay_begin(struct machine_replay *r);
void machine_replay_end(struct machine_replay *r);

#endif
