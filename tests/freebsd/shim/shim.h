/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_H
#define SHIM_H

/*
 * The machine below the kernel interfaces, for the tests that drive it: CPUs,
 * threads, interrupts, time. Include it after sys/param.h.
 *
 * A CPU is a thing that one thread at a time has. A thread gives it up when it
 * sleeps, waits for a lock or is preempted, and may come back on another one.
 * A CPU that no thread wants is had by its idle thread while it takes an
 * interrupt. Interrupts arrive at points: at every operation of the kernel
 * interfaces and at every atomic access, if they are enabled.
 *
 * Time stands still as long as anything can happen. When all threads wait, the
 * nearest timeout is what happens next.
 */

#include <sys/types.h>

#include <sys/proc.h>

enum {
    SHIM_CPUS_MAX = 8,
};

struct shim_options {
    uint64_t seed;
    bool lockstep; /* one thread at a time, repeatable */
    u_int cpus;    /* at most SHIM_CPUS_MAX */
    bool sparse;   /* leave gaps between CPU numbers */
    bool xapic;    /* local APICs in xAPIC mode, not x2APIC */
    bool pti;      /* page-table isolation */
    bool low;      /* contigmalloc() gives memory below 4 GB */
};

/* Power on; the caller becomes a kernel thread. Runs SYSINITs. */
void shim_boot(const struct shim_options *options);

/* Runs SYSUNINITs and looks for what was left behind. */
void shim_shutdown(void);

/* Tunables; before shim_boot(). NULL removes all. */
void shim_setenv(const char *name, const char *value);

/* Reads a sysctl by its full name; false if there is none of that kind. */
bool shim_sysctl_u64(const char *name, uint64_t *value);
bool shim_sysctl_text(const char *name, char *text, size_t size);

/* Threads. */
struct thread *shim_thread_create(const char *name, void (*run)(void *arg),
                                  void *arg);
void shim_thread_join(struct thread *td);

/* Waits until every other thread waits, and for nothing but time. */
void shim_quiesce(void);

/* A thread that is no kernel thread and has no CPU: a device. */
void shim_device_create(void (*run)(void *arg), void *arg);

/* Random numbers of the caller: 0 to n - 1. */
uint32_t shim_random(uint32_t n);

/* A pause in a loop that waits for another thread. */
void shim_relax(void);

/* Whether somebody else waits for the caller's CPU, or it was told to yield. */
bool shim_should_yield(void);

/* Gives the CPU to another thread, if one wants it; maybe to come back on
 * another CPU. */
void shim_yield(void);

/* Whether the caller could take an interrupt now. */
bool shim_interrupts_enabled(void);

/* Local APICs. True: the vector was pending already. */
bool shim_lapic_send(uint32_t apic_id, uint8_t vector);

/* The ordinary interrupts of devices: what a vector runs, on any CPU. */
void shim_vector_set(uint8_t vector, void (*handler)(void *arg), void *arg);
/* Returns when no CPU has the vector pending or in service. */
void shim_vector_clear(uint8_t vector);

/* A vector that is pending on the caller's CPU, highest first; -1: none. */
int shim_pending_vector(void);

/* In guest mode: takes a vector without a handler (posted processing). */
void shim_take_vector(uint8_t vector);

/* After an exit for an external interrupt: what the gate would do. */
void shim_run_vector(uint8_t vector);

/* In guest mode, halted: until something is pending here. */
void shim_guest_halt(void);

/* The frame of the interrupt that the caller handles. */
struct trapframe *shim_trapframe(void);

/* Memory: what is at a physical address, or NULL. */
void *shim_phys_to_virt(uint64_t phys, size_t len);

/* Output. */
_Noreturn void shim_fail(const char *format, ...) __printflike(1, 2);

/* What happened. */
struct shim_counters {
    uint64_t interrupts;
    uint64_t switches;
    uint64_t migrations;
    uint64_t preemptions;
    uint64_t sleeps;
    uint64_t timeouts;
    uint64_t ipis;
};
struct shim_counters shim_counters(void);

#endif
