/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_HOOKS_H
#define VTDPI_EXPLORE_HOOKS_H

/*
 * How the modelled host reaches the code under test, which is the subject: library.c
 * has the hooks of this library, and foreign.c those of other hypervisors. What makes
 * sense for one subject only is checked by that subject's own checks.
 *
 * Each hook runs in the fiber whose operation it is a part of; vCPUs and pCPUs are
 * the numbers of world.h.
 */

#include "world.h"

#include "vtdpi/pid.h"

enum block_result {
    BLOCK_BLOCKED,
    BLOCK_PENDING, /* harvest, and try again if that gave nothing */
    BLOCK_IS_OFFLINE,
};

struct hooks {
    /* Another's design: it blocks a vCPU that runs, on a list maybe, and may put right
     * what is wrong for an instant. */
    bool foreign;

    /* Its memory, besides the host's. */
    void (*arenas)(struct ex_range more[EX_ARENAS]);
    /* Setup: the vCPUs that are there at first, and the parts that change. */
    void (*set_up)(void);
    void (*ranges)(void);

    struct vtdpi_pid *(*pid)(unsigned int vcpu);

    /* Of the vCPU's owner. */
    void (*run)(unsigned int vcpu, unsigned int cpu);
    void (*preempt)(unsigned int vcpu);
    void (*await_pcpu)(unsigned int cpu); /* until it may be named to block */
    /* On the way into the guest, interrupts off, and out of it; may be NULL. */
    void (*enter)(unsigned int vcpu);
    void (*leave)(unsigned int vcpu);
    enum block_result (*block)(unsigned int vcpu, unsigned int cpu,
                               bool committed);
    bool (*blocked)(unsigned int vcpu);
    bool (*sync)(unsigned int vcpu, uint64_t taken[VTDPI_PIR_WORDS]);
    void (*discard)(unsigned int vcpu);
    bool (*await_slot)(unsigned int vcpu); /* false: nothing to wait for */
    bool (*attach)(unsigned int vcpu);
    void (*detach)(unsigned int vcpu);

    /* Of posters and entries; ref fails once detach has begun. */
    void (*post)(unsigned int vcpu, uint8_t vector, bool urgent);
    bool (*ref)(unsigned int vcpu);
    void (*unref)(unsigned int vcpu);

    /* Of pCPUs. An ANV in host mode may be nobody's: NULL. */
    void (*notified)(unsigned int cpu);
    void (*handle_wakeup)(unsigned int cpu, uint8_t vector);
    void (*offline)(unsigned int cpu);
    void (*online)(unsigned int cpu);

    /* Whether a pCPU may take an interrupt now, and whether a thread cannot go on
     * because its pCPU is in one; NULL: handlers run beside threads, which is more than
     * can happen. */
    bool (*may_interrupt)(unsigned int cpu);
    bool (*held)(void *ctx, unsigned int fiber);

    /* An operation that only this subject has. */
    void (*own)(const struct op *op);

    /* Checks: of a vCPU after each step; that a pCPU can be notified; of a word that
     * is written; that nobody finds a vCPU that is gone; of a call of wake. */
    void (*check_step)(unsigned int vcpu, uint64_t control);
    bool (*may_notify)(unsigned int cpu);
    /* Whether the handler of ANV in host mode may wake; NULL: not. */
    bool (*anv_wakes)(void);
    void (*check_control)(unsigned int vcpu, uint64_t old, uint64_t value);
    void (*check_word)(const uint64_t *addr, uint64_t old, uint64_t value);
    void (*check_free)(unsigned int vcpu);
    void (*check_wake)(unsigned int vcpu);

    /* Traces. */
    void (*print_vcpu)(FILE *out, unsigned int vcpu);
    void (*print_cpu)(FILE *out, unsigned int cpu);
    void (*print_name)(FILE *out, const uint64_t *addr);
};

extern const struct hooks library_hooks;

/* Of the subject that is explored. */
extern const struct hooks *hooks;

#endif
