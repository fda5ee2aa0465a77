/* SPDX-License-Identifier: BSD-2-Clause */
/* A host on which accesses cannot be trapped: drivers call the functions. */
#include "engine.h"

bool traps_exist(void)
{
    return false;
}

bool traps_busy(void)
{
    return false;
}

bool traps_have_room(void)
{
    return false;
}

bool traps_up(void)
{
    return false;
}

bool traps_watch(uintptr_t base, size_t bytes,
                 void (*stored)(uint32_t index, const uint64_t before[2]),
                 void (*cleaned)(uintptr_t address))
{
    (void)base;
    (void)bytes;
    (void)stored;
    (void)cleaned;
    return false;
}
