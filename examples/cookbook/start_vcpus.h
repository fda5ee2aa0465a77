/* SPDX-License-Identifier: BSD-2-Clause */
/* A scheduler for vCPUs: a page of 64 descriptors, and one pCPU, which is online. */
#ifndef START_VCPUS_H
#define START_VCPUS_H

#include "start_unit.h"

enum {
    ANV = 0xf2, /* notifies a vCPU that runs */
    WNV = 0xf1, /* wakes a vCPU that sleeps */
    APIC_ID = 7 /* of the pCPU */
};

static struct vtdpi_sched sched;
static struct vtdpi_pid_page page;
static struct vtdpi_pcpu pcpu;
static uint64_t bitmap[VTDPI_BITMAP_WORDS(1)]; /* who sleeps on the pCPU */
static struct vtdpi_page_ref pages[1];
static struct vtdpi_pcpu *pcpus[1];
static struct vtdpi_sched_params sched_params = {.pages = pages,
                                                 .max_pages = 1,
                                                 .pcpus = pcpus,
                                                 .max_pcpus = 1,
                                                 .apic_mode = VTDPI_X2APIC,
                                                 .anv = ANV};

/* A host whose vCPUs never sleep has no wake callback, and no wakeup vector. */
static inline void start_vcpus(const struct vtdpi_platform_ops *ops)
{
    sched_params.ops = ops;
    sched_params.wnv[0] = ops->wake != NULL ? WNV : 0;
    must(vtdpi_sched_init(&sched, &sched_params), "scheduler");
    must(vtdpi_sched_add_page(&sched, 0, &page, ram.pids, phys(ram.pids)),
         "page");
    must(vtdpi_pcpu_init(&sched, &pcpu, 0, APIC_ID, bitmap), "pCPU");
    vtdpi_pcpu_online(&pcpu);
}

#endif
