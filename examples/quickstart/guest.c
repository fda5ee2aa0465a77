/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The guest's side: the processor's posted-interrupt processing, the virtual
 * APIC, the guest's handlers and their count. Nothing of libvtdpi is used, so
 * that this side of the account is kept by somebody else.
 */

#include "demo.h"

/*
 * What a processor does on ANV in the guest, without a VM exit: clear ON, then
 * move PIR to the virtual IRR.
 */
bool processor_process_posted(struct vtdpi_pid *pid,
                              uint64_t taken[VTDPI_PIR_WORDS])
{
    uint64_t any = 0;

    pid->control &= ~UINT64_C(1);
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        taken[i] = pid->pir[i];
        pid->pir[i] = 0;
        any |= taken[i];
    }
    return any != 0;
}

void guest_receive(struct guest *g, const uint64_t taken[VTDPI_PIR_WORDS])
{
    for (unsigned int vector = 0; vector < VECTORS; vector++) {
        const uint64_t bit = UINT64_C(1) << vector % 64;

        if ((taken[vector / 64] & bit) == 0)
            continue;
        g->received[vector]++;
        if ((g->irr[vector / 64] & bit) != 0)
            g->coalesced++;
        g->irr[vector / 64] |= bit;
    }
}

bool guest_pending(const struct guest *g)
{
    return (g->irr[0] | g->irr[1] | g->irr[2] | g->irr[3]) != 0;
}

/* The guest has interrupts enabled for a while: its handlers run. */
void guest_handle(struct guest *g)
{
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        g->handled += (unsigned int)__builtin_popcountll(g->irr[i]);
        g->irr[i] = 0;
    }
}
