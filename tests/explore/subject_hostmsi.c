/* SPDX-License-Identifier: BSD-2-Clause */
/* The code under test of the host's own MSIs. */
#include "hostmsi.c"

#include "demux.h"

bool subject_hostmsi_harvest(struct vtdpi_hostmsi *h,
                             uint64_t out[VTDPI_PIR_WORDS])
{
    return vtdpi_hostmsi_harvest(h, out);
}

struct vtdpi_notification subject_hostmsi_post(struct vtdpi_hostmsi *h,
                                               uint8_t vector)
{
    return vtdpi_hostmsi_post(h, vector);
}
