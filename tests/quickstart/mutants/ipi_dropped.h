/* SPDX-License-Identifier: BSD-2-Clause */
/* One notification of software in eight is not sent. */
#include "demo.h"

static inline void mutant_notify(struct demo *d, uint32_t apic_id,
                                 uint8_t vector)
{
    static unsigned int n;

    if (++n % 8 != 0)
        machine_notify(d, apic_id, vector);
}

#define machine_notify mutant_notify
