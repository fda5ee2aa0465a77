/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SELFTEST_H
#define VTDPI_SELFTEST_H

/*
 * What the files of the module share. README.md says what the module does.
 *
 * host.c     the host under the library: CPUs, IPIs, wakes, CPU hotplug
 * vcpu.c     kthreads that do what vCPUs do
 * poster.c   who posts: kthreads, and a device behind a unit
 * main.c     start, end, results
 */

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/wait.h>

#include <vtdpi/vtdpi.h>

/* Of the module, and of its folder in debugfs. */
#define ST_NAME          "vtdpi_selftest"

#define ST_ANV           0xf2
#define ST_WNV           0xf1
#define ST_VCPUS         8u
#define ST_FIRST_VECTOR  32u
#define ST_SOURCE_SPREAD 16u /* vectors of each source, for each vCPU */
#define ST_THREADS       2u  /* sources that are threads; then the device */
#define ST_SOURCES       (ST_THREADS + 1u)
#define ST_VECTORS       (ST_SOURCES * ST_SOURCE_SPREAD)
#define ST_LOST_MS       20000u /* nothing takes so long unless it is lost */

/* A CPU. irr is what a local APIC has: a vector waits in it once, however often
 * it was sent. */
struct st_cpu {
    struct vtdpi_pcpu pcpu;
    call_single_data_t ipi[2];
    unsigned long irr;
    struct st_vcpu *guest; /* in guest mode here; written with interrupts off */
    unsigned int number;
    bool deaf; /* offline for the library: its local APIC loses what is sent */
    bool set_up;
    u64 *bitmap;
};

/* A vCPU. Each vector has one source, which posts it again only after the vCPU
 * has taken it, so each post is taken once and can be counted. */
struct st_vcpu {
    struct vtdpi_vcpu vcpu;
    struct task_struct *thread;
    wait_queue_head_t queue;
    bool woken;
    unsigned int number;
    atomic64_t posted[ST_VECTORS];
    atomic64_t taken[ST_VECTORS];
};

/* What happened. All of it is in the results. */
struct st_counts {
    atomic64_t runs;
    atomic64_t preempts;
    atomic64_t blocks;       /* vtdpi_vcpu_block() returned BLOCKED */
    atomic64_t pending;      /* it returned PENDING */
    atomic64_t offline;      /* it returned OFFLINE */
    atomic64_t wakes;        /* calls of the library's wake callback */
    atomic64_t by_handler;   /* of these, what wakeup handlers say */
    atomic64_t by_offline;   /* and what offline says */
    atomic64_t ipis;         /* send_ipi calls */
    atomic64_t ipis_lost;    /* to a CPU that is offline for the library */
    atomic64_t in_guest;     /* vectors that arrived while in guest mode */
    atomic64_t device_posts; /* messages of the device that were posted */
    atomic64_t moves;        /* posted forms given to another vCPU */
    atomic64_t offlines;     /* CPUs that went */
    atomic64_t onlines;      /* CPUs that came */
    atomic64_t failures;
};

extern struct st_counts st_counts;
extern struct st_vcpu st_vcpus[ST_VCPUS];

/* Reports a failure, and counts it. */
#define st_fail(format, ...)                            \
    do {                                                \
        atomic64_inc(&st_counts.failures);              \
        pr_err("failure: " format "\n", ##__VA_ARGS__); \
    } while (0)

/* host.c */
int st_host_start(void);
void st_host_stop(void);
int st_host_attach(struct st_vcpu *v);
struct st_cpu *st_this_cpu(void);
struct st_cpu *st_any_cpu(void);
void st_send_ipi(void *ctx, uint32_t apic_id, uint8_t vector);

/* vcpu.c */
int st_vcpus_start(void);
void st_vcpus_stop(void);
void st_vcpu_take(struct st_vcpu *v);

/* poster.c */
int st_posters_start(void);
void st_posters_stop(void);

#endif
