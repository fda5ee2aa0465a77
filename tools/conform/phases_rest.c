/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole life, of which only the model tells. */
#include "phases.h"

void phase_accesses(void)
{
    begin(&(struct hardware){0});
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
