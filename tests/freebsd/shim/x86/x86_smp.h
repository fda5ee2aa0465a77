/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_X86_X86_SMP_H
#define SHIM_X86_X86_SMP_H

#include <sys/types.h>
#include <sys/_cpuset.h>
#include <machine/param.h>
#include <x86/apicvar.h>

extern int cpu_apic_ids[MAXCPU];

void ipi_cpu(int cpu, u_int ipi);
void ipi_selected(cpuset_t cpus, u_int ipi);

#endif
