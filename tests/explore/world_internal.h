/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_WORLD_INTERNAL_H
#define VTDPI_EXPLORE_WORLD_INTERNAL_H

/* The modelled host, for the files that make it up. */

#include "hooks.h"

/* Of host_cpu.irr, and of host_cpu.busy. */
#define IRR_ANV    UINT64_C(1)
#define IRR_WNV(n) (UINT64_C(2) << (n))
#define IRR_WNVS   (IRR_WNV(0) | IRR_WNV(1))

/* Literal bits: the units share nothing with pid.h. */
#define CTL_ON     UINT64_C(1)
#define CTL_SN     UINT64_C(2)

enum {
    VAPIC_WORDS = 0xa0, /* 32-bit words up to the end of the IRR */
    /* APIC ids: not the pCPU's number. */
    FIRST_ID = 5,
    ID_STRIDE = 4,
};

/* Changed in host actions only. */
struct host_cpu {
    uint64_t irr;      /* interrupts that are pending in the local APIC */
    uint64_t busy;     /* interrupts that are being handled */
    uint64_t irqs_off; /* by the thread that runs here */
    uint64_t guest;    /* vCPU in the guest here, + 1 */
    uint64_t current;  /* vCPU scheduled here, + 1 */
    uint64_t closed;   /* no vCPU is scheduled here any more */
    uint64_t dead;     /* the local APIC loses what it has and gets */
    uint64_t to_wake;  /* slots that a handler has marked and not yet woken */
};

/* Of host_vcpu.asleep. */
#define ASLEEP_BLOCKED 1
#define ASLEEP_NAP     2 /* by the host's own means */

/* Of host_vcpu.held. */
#define HELD           1
#define HELD_RELEASING 2 /* no entry names it: nobody posts */

/* Sets of vectors have a bit for each of VECTORS. */
struct host_vcpu {
    uint64_t came;     /* attached once */
    uint64_t attached; /* wake may be called */
    uint64_t open;     /* posts may be made */
    uint64_t held;     /* its slot was adopted, and nobody has it yet */
    uint64_t woken;    /* the sticky mark */
    uint64_t asleep;
    uint64_t cpu;     /* scheduled on, + 1 */
    uint64_t posted;  /* recorded in PIR once */
    uint64_t owed;    /* taken out of PIR, not yet accounted for */
    uint64_t got;     /* by the guest */
    uint64_t dropped; /* by discard */
};

struct host_thread {
    uint64_t next;     /* index of its operation */
    uint64_t owner;    /* of this vCPU, + 1, while the operation lasts */
    uint64_t idle;     /* waits for its turn: nothing of it is going on */
    uint64_t discards; /* what it takes out of PIR is dropped */
    uint64_t harvests; /* may clear ON */
    uint64_t forgets;  /* was the business of the slot's last vCPU */
    uint64_t unmarks;  /* may clear the wake mark, once */
};

struct host {
    struct host_cpu cpu[CPUS];
    struct host_vcpu vcpu[VCPUS];
    struct host_thread thread[EX_FIBERS];
    /* Virtual-APIC pages, as far as their IRRs. */
    _Alignas(8) uint32_t vapic[VCPUS][VAPIC_WORDS];
    uint64_t entry;    /* vCPU that the interrupt's entry names, + 1 */
    uint64_t inflight; /* requests that have read the entry */
};

extern struct host host;
extern struct world_options world;

/* world.c */
struct vtdpi_pid *pid_of(unsigned int vcpu);
bool comes_late(unsigned int vcpu); /* it is not attached at first */
bool has_c(void);
bool has_op(uint8_t kind);
unsigned int wnvs(void);                    /* how many */
unsigned int wnv_number(unsigned int vcpu); /* the one of its slot */
uint8_t wnv(unsigned int n);
uint32_t apic_id(unsigned int cpu);
unsigned int cpu_of_ndst(uint32_t ndst); /* CPUS: nobody */
uint8_t vector_of(unsigned int n);
uint64_t vectors_in(const uint64_t words[VTDPI_PIR_WORDS]);
/* The word of a vCPU's IRR that has @vector. */
uint64_t *irr_word(unsigned int vcpu, uint8_t vector);
uint64_t vectors_in_irr(unsigned int vcpu);
/* The vectors just harvested reach the guest. */
void account(struct host_vcpu *v, const uint64_t words[VTDPI_PIR_WORDS]);
const struct op *current_op(unsigned int fiber); /* NULL: an interrupt */

/* ops.c, ops_admin.c: run one operation of the calling fiber. */
void op_vcpu(const struct op *op);
void op_poster(const struct op *op);
void op_admin(const struct op *op);
/* A place in the current operation. What was read before counts for nothing from
 * here on, so states that differ in that alone are one. */
void op_phase(unsigned int n);
/* On @cpu, or elsewhere if that is being taken offline. */
void schedule_in(struct host_vcpu *v, unsigned int cpu);
void op_block(struct host_vcpu *v, const struct op *op);
/* Wait; during that time the thread has no operation under way. */
void op_idle(bool (*ready)(void *arg), void *arg);

/* interrupts.c */
void interrupt_deliver(uint32_t ndst, uint8_t nv);
/* An IPI of the subject; its call of wake. Each is a step. */
void interrupt_send(uint32_t apic, uint8_t vector);
void wake_vcpu(unsigned int vcpu);
void interrupt_anv(void *cpu);
void interrupt_wnv(void *cpu);
void interrupt_wnv_other(void *cpu);

/* checks.c */
void check_step(void *ctx);
void check_final(void *ctx);
/* The vCPU that has slot i, and so its PID: A's slot may be C's later. */
unsigned int vcpu_of_slot(unsigned int i);
/* The running fiber is the owner of the vCPU, or the processor in its guest. */
bool owns_vcpu(unsigned int vcpu);
void check_written(void *ctx, const uint64_t *addr, uint64_t old,
                   uint64_t value);

#endif
