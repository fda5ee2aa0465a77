/* SPDX-License-Identifier: BSD-2-Clause */
/* IPIs through the PID-pointer table beside changes of it. */
#include "scenarios.h"

const struct scenario scenarios_ipis[] = {
    {.name = "27a",
     .what = "two CPUs post by an entry that is cleared, and detach",
     .ipis =
         &(const struct ipis){.stays = {2, 1},
                              .each = 1,
                              .op = {IPIS_DETACH_BUSY, IPIS_CLEAR, IPIS_EXITS,
                                     IPIS_SETTLED, IPIS_DETACH}}},
    {.name = "27b",
     .what = "an entry moves to another vCPU beside a CPU that posts by it",
     .ipis = &(const struct ipis){.stays = {2},
                                  .each = 2,
                                  .op = {IPIS_SETTLED_SET, IPIS_SET_TAKEN,
                                         IPIS_CLEAR, IPIS_DETACH_BUSY,
                                         IPIS_SET_UNSETTLED, IPIS_EXITS,
                                         IPIS_SETTLED, IPIS_SETTLED_TWICE,
                                         IPIS_SET_OTHER, IPIS_DETACH}}},
    {.name = "27c",
     .what = "IPIs wake a vCPU that halts, by an entry that is cleared",
     .bound = 3,
     .ipis = &(const struct ipis){.stays = {1, 1},
                                  .each = 1,
                                  .halts = true,
                                  .op = {IPIS_CLEAR, IPIS_EXITS, IPIS_SETTLED,
                                         IPIS_JOIN, IPIS_DETACH}}},
    {.name = "27d",
     .what = "an entry is set for a vCPU that sleeps without a block",
     .bound = 3,
     .ipis =
         &(const struct ipis){.stays = {2},
                              .each = 1,
                              .halts = true,
                              .sleeps = true,
                              .op = {IPIS_JOIN}}},
    {0},
};
