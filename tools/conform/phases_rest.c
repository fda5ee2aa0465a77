/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole life, of which only the model tells. */
#include "phases.h"

void phase_accesses(void)
{
    power_up(&(struct hardware){0});
    if (call_init() != 0 || call_map(VECTOR, APIC) != 0)
        skip("init or map fails");
    (void)fire(OWNER);
    if (driver->change != NULL)
        (void)call_change(VECTOR_NEW, APIC_NEW);
    (void)fire(STRANGER);
    if (driver->fault != NULL)
        call_fault();
    if (driver->free != NULL)
        (void)call_free();
    if (driver->suspend != NULL)
        (void)call_suspend();
}
