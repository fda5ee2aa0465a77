/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_PLATFORM_H
#define VTDPI_PLATFORM_H

/**
 * @file
 * @brief What the library asks of its host: callbacks and their contracts.
 *
 * One constant struct vtdpi_platform_ops serves any number of objects; each
 * object (a unit, a queue, a scheduling instance) carries its own context
 * pointer. A zeroed structure is valid to start from. Each layer's init
 * function checks the members which that layer calls, and no others:
 *
 * | layer   | required                                        | optional |
 * |---------|-------------------------------------------------|----------|
 * | sched.h | wake, if there are wakeup vectors | send_ipi, relax, will_sleep |
 * | qi.h    | read32, write32, read64, write64, now_us, lock, unlock | relax, log |
 * | unit.h  | as qi.h                                         | clean, relax, log |
 * | table.h | as qi.h                                         | clean    |
 * | fault.h | as qi.h                                         |          |
 *
 * No callback may call back into the library, unless its text says so.
 */

#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/** @brief Levels of struct vtdpi_platform_ops.log. */
enum vtdpi_log_level {
    VTDPI_LOG_ERROR = 1,   /**< What was asked was not done. */
    VTDPI_LOG_WARNING = 2, /**< Done, with something amiss. */
    VTDPI_LOG_INFO = 3,    /**< Nothing is wrong. */
};

/** @brief The host's callbacks. */
struct vtdpi_platform_ops {
    /**
     * Read a 32-bit register of a remapping unit.
     *
     * @p off is relative to the unit's register base and 4-byte aligned. One
     * access of exactly this width: never split, merged, repeated or delayed;
     * in program order with all other accesses to the unit. Called by unit.h,
     * qi.h and fault.h in the context of their caller, with or without the
     * unit's lock held. Must not sleep. A unit that is gone reads as all ones.
     */
    uint32_t (*read32)(void *ctx, uint32_t off);

    /** Write a 32-bit register; as read32. All earlier stores of this CPU are
     *  visible to the unit before the write is. */
    void (*write32)(void *ctx, uint32_t off, uint32_t value);

    /** Read a 64-bit register, @p off 8-byte aligned; as read32. */
    uint64_t (*read64)(void *ctx, uint32_t off);

    /** Write a 64-bit register, @p off 8-byte aligned; as write32. */
    void (*write64)(void *ctx, uint32_t off, uint64_t value);

    /**
     * Microseconds since any fixed point; never goes back. May be coarse.
     * Called from polling loops, with or without the unit's lock held,
     * interrupts off or on. Must not sleep.
     */
    uint64_t (*now_us)(void *ctx);

    /**
     * Enter the critical section of one unit: exclude other CPUs, and
     * interrupts on this CPU. Returns a token for unlock. The library never calls
     * lock while it holds this lock or that of another unit. It holds the lock for
     * a bounded number of register accesses; commands of unit.h hold it for up to
     * VTDPI_CMD_TIMEOUT_US. Must not sleep or fail.
     */
    uintptr_t (*lock)(void *ctx);

    /** Leave the critical section; @p token is what lock returned. */
    void (*unlock)(void *ctx, uintptr_t token);

    /**
     * Write the cache lines of [p, p + len) back to memory and wait until that
     * is done, for units that do not snoop (ECAP.C = 0). Called with no
     * lock of a unit held. Must not sleep or fail. NULL: every unit is
     * coherent, and the library refuses a unit that is not.
     */
    void (*clean)(void *ctx, const void *p, size_t len);

    /** Pause between two polls. Must not sleep. NULL: nothing. */
    void (*relax)(void *ctx);

    /**
     * Send a fixed-mode interrupt, @p vector, to the processor with the local
     * APIC id @p apic_id (decoded: the id itself, not a register image). That
     * may be this processor: vtdpi_vcpu_block_committed() mostly sends to the
     * pCPU that it runs on. A function of the kernel that leaves the sender out
     * is not enough. vtdpi_pcpu_find(), which may be called here, finds the
     * host's own data of the processor.
     *
     * All earlier stores of this CPU are visible before the interrupt arrives;
     * WRMSR to the x2APIC ICR does not do that by itself, so put the fences
     * that the SDM asks for before it. Called by vtdpi_vcpu_post(), _notify(),
     * _notify_self(), _send() and _block_committed() in their caller's context,
     * nothing of the library held. Must not sleep or fail. An interrupt for a
     * processor that is offline may be dropped. NULL: the host makes none of
     * these calls, nor vtdpi_vm_deliver(); it sends what vtdpi_pid_post()
     * returns.
     */
    void (*send_ipi)(void *ctx, uint32_t apic_id, uint8_t vector);

    /**
     * Make a vCPU runnable and mark it woken. @p cookie is the one that it was
     * attached with.
     *
     * Called by vtdpi_pcpu_handle_wakeup() with interrupts off, and by
     * vtdpi_pcpu_offline() and vtdpi_pcpu_rescan() in their caller's context;
     * nothing of the library is held. Must not sleep or fail. May be called for
     * a vCPU that runs already: spurious wakes happen, lost wakes do not. After one
     * call by a handler there is perhaps no second call before the vCPU's next
     * block. So a vCPU that was woken for nothing blocks again before it sleeps.
     *
     * wake may make these calls and no others of the library:
     * vtdpi_vcpu_post() and vtdpi_vcpu_notify() for any vCPU; vtdpi_vcpu_run(),
     * vtdpi_vcpu_preempt(), vtdpi_vcpu_sync() and vtdpi_vcpu_merge() for a vCPU
     * that wake owns (rule S of sched.h). A detach within wake would wait for this
     * scan, and so for itself. Handling a wakeup vector within wake would nest in
     * this scan. A vector that a post from within wake sends to this processor stays
     * pending until the scan is over.
     */
    void (*wake)(void *ctx, void *cookie);

    /**
     * For builds with asserts (VTDPI_ASSERT): whether a vCPU's thread sleeps, or
     * is on its way to a sleep, that only wake ends. False as soon as the woken
     * mark is set or the host has called the sleep off. @p cookie as for wake.
     *
     * Called by vtdpi_vcpu_run() for a vCPU that is blocked, in the caller's
     * context, nothing of the library held, and not at all where VTDPI_ASSERT
     * is off. Has no effect, must not sleep. NULL: nothing is checked.
     */
    bool (*will_sleep)(void *ctx, void *cookie);

    /**
     * A line of diagnostics without a line end. May drop it. Never called on a
     * hot path nor with a lock held. NULL: silent.
     */
    void (*log)(void *ctx, enum vtdpi_log_level level, const char *text);
};

VTDPI_END_DECLS

#endif
