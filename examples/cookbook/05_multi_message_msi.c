/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device has multi-message MSI: one address, one data value, and it adds the number
 * of the message. How does each message get a vCPU and a vector of its own?
 */
#include "start_unit.h"

enum {
    MESSAGES = 8,
    SID = 0x0310
};

static struct vtdpi_msi msi; /* what the device is programmed with, once */

/* Message i is recorded in the descriptor of this vCPU. */
static bool arrives(uint32_t i, unsigned int vcpu, uint32_t vector)
{
    uint64_t taken[VTDPI_PIR_WORDS];

    return device_sends(SID, &msi, i).outcome == VTDPI_MODEL_POSTED &&
           vtdpi_pid_harvest(&ram.pids[vcpu], taken) &&
           vtdpi_pir_highest(taken) == (int)vector;
}

int main(void)
{
    const struct vtdpi_source device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    const struct vtdpi_backend *const backend = vtdpi_table_backend(&table);
    static struct vtdpi_target vcpu[2]; /* sched.h has one for each vCPU */
    static struct vtdpi_irq irqs[MESSAGES];
    bool good = true;
    uint32_t first;

    start_unit();
    for (unsigned int i = 0; i < 2; i++) {
        vtdpi_pid_init(&ram.pids[i], 0xf2, 0);
        must(vtdpi_target_init(&vcpu[i], phys(&ram.pids[i]), VTDPI_X2APIC),
             "target");
    }
    /* Indexes of a run are aligned to its length, so the unit can add. */
    must(vtdpi_table_alloc(&table, MESSAGES, NULL, &first), "indexes");
    must(vtdpi_msi_encode_block(first, MESSAGES, &msi), "message");
    for (uint32_t i = 0; i < MESSAGES; i++) {
        must(vtdpi_irq_init(&irqs[i], backend, first + i, &device, NULL),
             "interrupt");
        must(vtdpi_irq_post_target(&irqs[i], &vcpu[0], (uint8_t)(0x40 + i)),
             "post");
    }
    for (uint32_t i = 0; i < MESSAGES; i++)
        good = good && arrives(i, 0, 0x40 + i);
    claim(good, "message i arrives at vCPU 0 as vector 40h + i");
    must(vtdpi_irq_post_target(&irqs[3], &vcpu[1], 0x91), "move");
    claim(arrives(3, 1, 0x91), "message 3 moves to vCPU 1, vector 91h");
    claim(arrives(2, 0, 0x42) && arrives(4, 0, 0x44),
          "its neighbours stay where they were");
    claim(!arrives(MESSAGES, 0, 0), "a ninth message is blocked");
    return vtdpi_model_violations(&chip) != 0;
}
