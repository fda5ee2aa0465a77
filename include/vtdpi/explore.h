/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_H
#define VTDPI_EXPLORE_H

/**
 * @file
 * @brief Run any scheduling hooks for posted interrupts through the interleavings of
 *        small hosts (library vtdpi-explore, for user space on x86-64).
 *
 * A hypervisor's hooks are compiled into a program, with an adapter of a page. The
 * adapter fills in a struct vtdpi_explore_subject, whose functions call the hooks, and
 * its main() calls vtdpi_explore_main(). The explorer plays the remapping unit, the
 * local APICs, the scheduler and the guests, and looks for a schedule after which a
 * vCPU sleeps although something is posted to it; see docs/foreign-hooks.md, and
 * docs/architecture.md for the words.
 *
 * **Atomics.** Each access by the functions of this header is a step, before which any
 * other CPU may go on. explore_kernel.h has the names that kernels use, from
 * READ_ONCE() to spin_lock_irqsave(). An access that goes past these functions belongs
 * to the step before it.
 *
 * **Memory.** What the hooks change is named by vtdpi_explore_subject.memory, so that the
 * explorer can go back to an earlier state. Hooks must depend on nothing else that
 * changes; a store to other memory fails.
 *
 * **Waits.** A loop that waits calls vtdpi_explore_pause() in each turn.
 *
 * **CPUs.** vCPUs run on pCPUs 0 and 1. Posters and the administrator run elsewhere, and
 * find VTDPI_EXPLORE_ELSEWHERE as the number of their pCPU. An interrupt handler
 * interrupts the thread of its pCPU, which goes on when the handler is done.
 */

#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/** vCPUs that the hooks know at the same time. */
#define VTDPI_EXPLORE_VCPUS      2u

/** pCPUs on which vCPUs run and block. */
#define VTDPI_EXPLORE_CPUS       2u

/** vtdpi_explore_cpu() of a thread that runs no vCPU. Arrays by pCPU have room for it. */
#define VTDPI_EXPLORE_ELSEWHERE  VTDPI_EXPLORE_CPUS

/** The notification vector for a vCPU in the guest. */
#define VTDPI_EXPLORE_ANV        0xf2u

/** The wakeup vector. */
#define VTDPI_EXPLORE_WNV        0xf1u

/** Parts that vtdpi_explore_subject.memory may have. */
#define VTDPI_EXPLORE_MEMORY_MAX 6u

/** @brief A part of the memory that the hooks change. */
struct vtdpi_explore_memory {
    /** For traces. */
    const char *name;
    /** Where it begins. It is extended to units of 8 bytes. */
    void *start;
    /** Bytes. 0 ends the list. */
    size_t size;
};

/** @brief What comes of an attempt to block. */
enum vtdpi_explore_block {
    /** The vCPU sleeps until vtdpi_explore_wake() is called for it. */
    VTDPI_EXPLORE_SLEEP,
    /** Something is posted. The host harvests, and runs the vCPU again. */
    VTDPI_EXPLORE_PENDING,
    /** The pCPU is offline. The host blocks on the other one. */
    VTDPI_EXPLORE_OFFLINE,
};

/**
 * @brief Scheduling hooks under test: what the adapter provides.
 *
 * vCPUs are 0 and 1. Functions that are needed say so; every other may be NULL, and
 * the scenarios that need it are skipped and named.
 */
struct vtdpi_explore_subject {
    /** For messages and the report. Not NULL. */
    const char *name;

    /** All that the hooks change. The explorer fills it with zeros before init. */
    struct vtdpi_explore_memory memory[VTDPI_EXPLORE_MEMORY_MAX];

    /** block() may name a pCPU on which the vCPU does not run. If false, @p cpu of block() is
     *  where the vCPU runs. */
    bool remote_block;

    /** @brief Set up what belongs to no vCPU, as at boot. May be NULL. */
    void (*init)(void);

    /** @brief A new vCPU, preempted; its memory may have been another's. Not NULL. */
    void (*create)(unsigned int vcpu);

    /** @brief The vCPU's posted-interrupt descriptor: 64 bytes, aligned. Not NULL. */
    void *(*pid)(unsigned int vcpu);

    /** @brief The vCPU is scheduled in on pCPU @p cpu. Not NULL. */
    void (*run)(unsigned int vcpu, unsigned int cpu);

    /** @brief The vCPU is scheduled out, and could go on. Not NULL. */
    void (*preempt)(unsigned int vcpu);

    /**
     * @brief The vCPU, which runs, is about to sleep on pCPU @p cpu. Not NULL.
     *
     * The host has cleared its mark for vtdpi_explore_wake() before, so that a wake
     * during the call ends the sleep. The next hook of the vCPU is run(), whatever was
     * returned; after VTDPI_EXPLORE_PENDING harvest() comes first.
     */
    enum vtdpi_explore_block (*block)(unsigned int vcpu, unsigned int cpu);

    /** @brief VM entry is next, interrupts are off; harvest() follows. */
    void (*enter)(unsigned int vcpu);

    /**
     * @brief Take what is posted out of the descriptor. Not NULL.
     *
     * Called before each VM entry, with interrupts off, and after block() returned
     * VTDPI_EXPLORE_PENDING.
     *
     * @param vcpu   The vCPU.
     * @param taken  Zeros. Left with the vectors that were taken, as in PIR.
     */
    void (*harvest)(unsigned int vcpu, uint64_t taken[4]);

    /** @brief The vCPU has left the guest. */
    void (*leave)(unsigned int vcpu);

    /** @brief Post @p vector by software, not urgent. */
    void (*post)(unsigned int vcpu, uint8_t vector);

    /** @brief Handler of the wakeup vector on pCPU @p cpu, interrupts off. Not NULL. */
    void (*wakeup)(unsigned int cpu);

    /**
     * @brief Handler of the notification vector outside of the guest.
     *
     * With this hook a vCPU may sleep under that vector.
     */
    void (*notified)(unsigned int cpu);

    /**
     * @brief pCPU @p cpu goes: no vCPU runs there, and none will until online().
     *
     * Called elsewhere. When the call returns the pCPU takes no further interrupt.
     */
    void (*offline)(unsigned int cpu);

    /** @brief pCPU @p cpu is back. Not NULL if offline is not. */
    void (*online)(unsigned int cpu);

    /** @brief The VM of the vCPU, which may sleep by other means, gets its first device. */
    void (*assign)(unsigned int vcpu);

    /** @brief The vCPU is preempted and goes; no entry names it, nobody posts to it. */
    void (*destroy)(unsigned int vcpu);
};

/**
 * @brief The program: explores what the command line asks for.
 *
 * @return The exit status: 0 if nothing failed, 1 if something did, 2 if nothing could
 *         be run.
 */
int vtdpi_explore_main(int argc, char **argv,
                       const struct vtdpi_explore_subject *subject);

/** @name What hooks call */
/**@{*/

/** @brief Wake the vCPU: a sleep that is under way, or the one that is about to begin. */
void vtdpi_explore_wake(unsigned int vcpu);

/** @brief Send @p vector to pCPU @p cpu, which may be the own one. */
void vtdpi_explore_send_ipi(unsigned int cpu, uint8_t vector);

/** @brief The pCPU that the caller runs on, or VTDPI_EXPLORE_ELSEWHERE. */
unsigned int vtdpi_explore_cpu(void);

/** @brief NDST for pCPU @p cpu, in xAPIC format. */
uint32_t vtdpi_explore_ndst(unsigned int cpu);

/** @brief The pCPU of an NDST, or VTDPI_EXPLORE_ELSEWHERE. */
unsigned int vtdpi_explore_cpu_of(uint32_t ndst);

/** @brief Something is wrong, as by an assertion of the hooks: the schedule fails. */
void vtdpi_explore_fail(const char *what);

/**@}*/

/**
 * @name Atomic accesses
 *
 * Words of 1, 2, 4 or 8 bytes, aligned, in the memory of the subject. Each call is a
 * step. With store buffers a store becomes visible at any later time, after the stores
 * before it; every other call but the load empties the buffer first, as on x86.
 */
/**@{*/

/** @brief Load a word of @p size bytes. */
uint64_t vtdpi_explore_load(const volatile void *p, size_t size);

/** @brief A plain store. */
void vtdpi_explore_store(volatile void *p, uint64_t value, size_t size);

/** @brief Keep the bits in @p keep, and set those in @p set. @return The word before. */
uint64_t vtdpi_explore_change(volatile void *p, uint64_t keep, uint64_t set,
                              size_t size);

/** @brief Add @p n. @return The word before. */
uint64_t vtdpi_explore_add(volatile void *p, uint64_t n, size_t size);

/** @brief If the word is @p old, it becomes @p value. @return The word before. */
uint64_t vtdpi_explore_cas(volatile void *p, uint64_t old, uint64_t value,
                           size_t size);

/** @brief A full barrier. */
void vtdpi_explore_fence(void);

/**
 * @brief In each turn of a loop that waits for another thread, as by cpu_relax().
 *
 * No barrier. The caller goes on once another thread has made a step that is more than
 * a load. A loop that waits without this call counts as one that does not end.
 */
void vtdpi_explore_pause(void);

/**@}*/

/** @name Locks and interrupts */
/**@{*/

/**
 * @brief Wait for a spin lock, a word that is 0 when free.
 *
 * A step of its own, once the lock is free; a full barrier.
 */
void vtdpi_explore_lock(uint64_t *lock);

/** @brief Try to take a spin lock. @return Whether the caller has it. */
bool vtdpi_explore_trylock(uint64_t *lock);

/** @brief Give a spin lock back, by a plain store. */
void vtdpi_explore_unlock(uint64_t *lock);

/** @brief Interrupts off on the own pCPU. @return Whether they were on. */
bool vtdpi_explore_irq_save(void);

/** @brief Interrupts on again, if @p on. */
void vtdpi_explore_irq_restore(bool on);

/**@}*/

VTDPI_END_DECLS

#endif
