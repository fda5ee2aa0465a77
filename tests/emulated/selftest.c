/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernels take for granted: that the runtime works. */

#include "runtime.h"

#define VECTOR 0x55

static bool has_arrived(void *arg)
{
    return trap_count(*(unsigned int *)arg, VECTOR) == 1;
}

static void note_cpu(void *arg)
{
    *(unsigned int *)arg = cpu_self();
}

static void interrupts_reach_every_cpu(void)
{
    trap_handle(VECTOR, trap_count_only, NULL);
    for (unsigned int c = 0; c < cpu_count(); c++) {
        apic_ipi(cpu_apic_id(c), VECTOR);
        check(wait_until(has_arrived, &c), "an IPI reaches CPU %u, APIC id %u",
              c, cpu_apic_id(c));
    }
    trap_handle(VECTOR, NULL, NULL);
}

static void work_runs_where_it_should(void)
{
    for (unsigned int c = 1; c < cpu_count(); c++) {
        unsigned int where = 0;

        cpu_run(c, note_cpu, &where);
        check(cpu_wait(c) && where == c, "work runs on CPU %u", c);
    }
}

/* ud2 is two bytes long. */
static void skip_instruction(struct trap_frame *frame, void *arg)
{
    frame->rip += 2;
    *(bool *)arg = true;
}

static void exceptions_are_handled(void)
{
    bool taken = false;

    trap_handle(6, skip_instruction, &taken);
    __asm__ volatile("ud2" : : : "memory");
    trap_handle(6, NULL, NULL);
    check(taken, "an exception reaches its handler and returns");
}

static void time_goes_on(void)
{
    const uint64_t start = now_us();
    uint64_t last = start;
    bool ordered = true;

    while (last - start < 2000) {
        const uint64_t now = now_us();

        ordered = ordered && now >= last;
        last = now;
    }
    check(ordered, "the clock never goes back");
}

int main(const char *command_line)
{
    struct ioapic io;
    size_t length;

    apic_start(command_line_has(command_line, "x2apic") ? APIC_X2APIC
                                                        : APIC_XAPIC);
    cpus_start();
    interrupts_on();
    interrupts_reach_every_cpu();
    work_runs_where_it_should();
    exceptions_are_handled();
    time_goes_on();
    check(ioapic_find(&io) && io.pins >= 16, "there is an IOAPIC with pins");
    check(acpi_find("APIC", &length) != NULL && length > 44, "there is a MADT");
    check(acpi_find("NONE", &length) == NULL, "there is no table NONE");
    return 0;
}
