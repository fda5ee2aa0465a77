/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_INTERNAL_H
#define SHIM_INTERNAL_H

/* What the files of the shim know of each other. */

#include <sys/param.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/sx.h>
#include <sys/systm.h>

#include <machine/segments.h>

#include "host.h"
#include "shim.h"

enum {
    HELD_MAX = 16,
    VECTORS = 256,
};

/* What is sure to be all right is asserted; what a user of the kernel
 * interfaces may have done wrong is a panic. */
#define must(expr) KASSERT((expr), ("shim: %s is false", #expr))

struct shim_thread {
    struct thread td;
    struct host_ctx *ctx;
    void (*run)(void *arg);
    void *arg;
    bool idle;
    bool exited;             /* host_lock() */
    struct shim_cpu *cpu;    /* that it has; host_lock() to give it one */
    struct shim_cpu *last;   /* that it had */
    int bound;               /* CPU number, or -1 */
    u_int spin;              /* of spinlock_enter() */
    bool interrupts;         /* the flag itself */
    u_int in_intr;           /* handlers it is in */
    struct trapframe *frame; /* of the innermost */
    struct lock_object *held[HELD_MAX];
    u_int held_count;
    struct shim_thread *next; /* of the CPU's queue; host_lock() */
    struct shim_thread *list; /* of all threads; host_lock() */
    const void *wchan;        /* NULL: does not sleep; host_lock() */
    const char *wmesg;
    uint64_t deadline; /* 0: none */
    uint64_t sleep_order;
    int sleep_result;
};

struct shim_cpu {
    struct pcpu pcpu;
    struct shim_thread *owner; /* host_lock() */
    struct shim_thread *idle;
    struct shim_thread *queue; /* who waits for it; host_lock() */
    struct shim_thread **queue_end;
    bool halted;     /* the owner, in a guest; host_lock() */
    uint64_t irr[4]; /* pending; atomic */
    uint64_t isr[4]; /* in service; atomic, changed by the owner */
};

extern struct shim_cpu shim_cpus[MAXCPU];
extern struct shim_counters shim_counts; /* atomic */
#define shim_count(member) \
    ((void)__atomic_fetch_add(&shim_counts.member, 1, __ATOMIC_RELAXED))

/* The calling thread, or NULL if it is none. */
struct shim_thread *shim_self(void);

/* CPUs (sched.c). */
void shim_cpus_start(const struct shim_options *o);
void shim_cpus_stop(void);
void shim_cpu_acquire(struct shim_thread *t);
void shim_cpu_release(struct shim_thread *t);
void shim_kick_locked(struct shim_cpu *c);  /* something is pending there */
struct shim_thread *shim_all_threads(void); /* host_lock() */

/* Interrupts (intr.c). */
void shim_take_interrupts(struct shim_thread *t);
bool shim_has_pending(const struct shim_cpu *c);
bool shim_set_pending(struct shim_cpu *c, uint8_t vector);
void shim_intr_check_end(void);
void shim_intr_reset(void);
/* A vector whose entry lies there, or -1. */
int shim_vector_within(vm_offset_t sva, vm_offset_t eva);

/* Page-table isolation (pti.c). */
void shim_pti_reset(bool on);
void shim_pti_check_end(void);
/* Ends the program if user mode could not reach it. */
void shim_pti_check_entry(inthand_t *entry);

/* Sleeping (sleep.c). From shim_sleep_locked(), with host_lock(), the thread is
 * on the queue; shim_sleep_switch(), without, gives the CPU away. */
void shim_sleep_locked(const void *chan, const char *wmesg, int timo);
int shim_sleep_switch(void);
void shim_wakeup_locked(const void *chan, bool all);
bool shim_time_passes(void);
void shim_sleep_reset(void);

/* Locks (lock.c) and their order (witness.c). */
enum lock_kind {
    LOCK_NONE,
    LOCK_SPIN,
    LOCK_DEF,
    LOCK_SX,
};
u_int shim_order_class(const char *name);
/* Before the caller takes it. */
void shim_order_check(const struct shim_thread *t, const struct lock_object *l);
void shim_order_reset(void);
void shim_lock_reset(bool lockstep);
/* The caller may sleep: what for, and the one lock that it may hold. */
void shim_may_sleep(const char *what, const struct lock_object *but);
void shim_lock_check_end(void);
/* No lock lives in memory that is freed. */
void shim_lock_check_range(const void *p, size_t size);

/* Memory (mem.c). */
void shim_mem_reset(bool low);
void shim_mem_check_end(void);

/* Knobs (sysctl.c). */
void shim_tunables_fetch(void);
void shim_tunables_restore(void);

#endif
