/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library on QEMU's intel-iommu: every part of it that does not need
 * posting, which that unit has not. Words of the command line: x2apic; large,
 * for a table of 65536 entries; short, for fewer changes of one entry; brief,
 * for messages and pins alone; strict, to end with the first check that fails.
 */

#include "kernel.h"

/* Ends with the unit disabled. */
static void all_else(unsigned int retargets)
{
    test_formats();
    test_sources();
    test_indexes();
    test_batches();
    test_blocks();
    test_retargets(retargets);
    test_faults();
    test_overflow();
    test_fault_events();
    test_queue_error();
    test_queue_error_event();
    test_suspend();
    test_disable();
    test_foreign();
    test_dma();
    test_unreadable_table();
}

int main(const char *command_line)
{
    const bool x2apic = command_line_has(command_line, "x2apic");
    const bool large = command_line_has(command_line, "large");

    check_strictly(command_line_has(command_line, "strict"));
    apic_start(x2apic ? APIC_X2APIC : APIC_XAPIC);
    cpus_start();
    interrupts_on();
    print("%u CPUs, the last with APIC id %u\n", cpu_count(),
          cpu_apic_id(cpu_count() - 1));
    machine_find(x2apic ? VTDPI_X2APIC : VTDPI_XAPIC, large ? 16 : 8, large);
    oracle_begin(machine.registers);
    test_enable();
    test_deliver();
    test_pins();
    if (command_line_has(command_line, "brief"))
        test_disable();
    else
        all_else(command_line_has(command_line, "short") ? 300 : 2000);
    check(arrivals() == machine.fired, "%u interrupts arrived, of %u",
          arrivals(), machine.fired);
    return 0;
}
