/* SPDX-License-Identifier: BSD-2-Clause */
/* Two CPUs that change and apply one binding of a VM. */
#include "scenarios.h"

const struct scenario scenarios_bindings[] = {
    {.name = "25a",
     .what = "a message is applied by name beside two changes of APICs",
     .bindings =
         &(const struct bindings){
             0, 0, {{BINDINGS_MESSAGE}, {BINDINGS_LEAVE, BINDINGS_COME}}}},
    {.name = "25b",
     .what = "a message moves from the vCPU that is detached",
     .bound = 3,
     .bindings = &(
         const struct bindings){0, 1, {{BINDINGS_MESSAGE}, {BINDINGS_DETACH}}}},
    {.name = "25c",
     .what = "a message moves to the vCPU that is detached",
     .bound = 3,
     .bindings = &(
         const struct bindings){1, 0, {{BINDINGS_MESSAGE}, {BINDINGS_DETACH}}}},
    {.name = "25d",
     .what = "a message is written beside the unbind",
     .bindings = &(
         const struct bindings){0, 1, {{BINDINGS_MESSAGE}, {BINDINGS_UNBIND}}}},
    {0},
};
