/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_PCPU_H
#define SHIM_SYS_PCPU_H

#include <sys/types.h>
#include <sys/_cpuset.h>

struct thread;
struct shim_cpu;

struct pcpu {
    u_int pc_cpuid;
    u_int pc_apic_id;
    struct shim_cpu *shim_cpu;
};

struct pcpu *pcpu_find(u_int cpuid);

/* The caller's; a thread that may be preempted should not rely on it, so it is
 * refused to one that is neither pinned nor in a critical section. */
struct pcpu *shim_pcpu(void);
struct thread *shim_curthread(void);

#define PCPU_GET(member) (shim_pcpu()->pc_##member)
#define curcpu           PCPU_GET(cpuid)
#define curthread        shim_curthread()

#endif
