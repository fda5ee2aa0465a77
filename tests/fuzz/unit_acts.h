/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FUZZ_UNIT_ACTS_H
#define VTDPI_FUZZ_UNIT_ACTS_H

/*
 * What call_next() chooses from: calls with arguments from the input, and acts of
 * the hardware and of the host. An act whose precondition does not hold does
 * nothing.
 */

#include "unit_calls.h"

enum {
    ACTS_ON_UNITS = 16,
    ACTS_ON_TABLES = 18,
    ACTS_OF_HOST = 11,
};

struct act {
    const char *name;
    void (*run)(struct fuzz *f, uint32_t u);
    uint8_t weight;    /* of 256 */
    bool forsaken_too; /* also if the unit is given up */
};

extern const struct act acts_on_units[ACTS_ON_UNITS];
extern const struct act acts_on_tables[ACTS_ON_TABLES];
extern const struct act acts_of_host[ACTS_OF_HOST];

#endif
