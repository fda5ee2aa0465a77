/* SPDX-License-Identifier: BSD-2-Clause */
/* The owner of an interrupt and affinity code. */
#include "scenarios.h"

const struct scenario scenarios_claims[] = {
    {.name = "24a",
     .what = "an interrupt is posted and unposted beside two host forms",
     .bound = 5,
     .claims = &(const struct claims){2, {CLAIMS_POST, CLAIMS_UNPOST}}},
    {.name = "24b",
     .what = "an interrupt is posted beside three host forms",
     .claims = &(const struct claims){3, {CLAIMS_POST}}},
    {0},
};
