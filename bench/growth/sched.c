/* SPDX-License-Identifier: BSD-2-Clause */
#include "growth.h"

#include "../hot/measure.h"
#include "../hot/world.h"

static struct world *world(uint32_t slots, uint32_t blocked)
{
    const struct world_params params = {
        .slots = slots,
        .blocked = blocked,
        .vectors = 1,
        .stride = 4416,
        .spare = true,
    };

    return world_up(&params);
}

/* N vCPUs are blocked beside the one that is looked at. */
static void *many(uint32_t n)
{
    return world(n + 64, n);
}

/* Eight are blocked, of N slots. */
static void *few(uint32_t n)
{
    struct world *const w = world(n, 8);

    world_notify(w, 1);
    return w;
}

static void *all_quiet(uint32_t n)
{
    return world(n + 64, n);
}

static void run_again(void *subject, uint32_t n)
{
    struct world *const w = subject;

    (void)n;
    for (int i = 0; i < REPEATS; i++)
        vtdpi_vcpu_run(&w->spare->vcpu, w->pcpu);
}

static void preempt_run(void *subject, uint32_t n)
{
    struct world *const w = subject;

    (void)n;
    for (int i = 0; i < REPEATS; i++) {
        vtdpi_vcpu_preempt(&w->spare->vcpu);
        vtdpi_vcpu_run(&w->spare->vcpu, w->pcpu);
    }
}

static void block_run(void *subject, uint32_t n)
{
    struct world *const w = subject;

    (void)n;
    for (int i = 0; i < REPEATS; i++) {
        must(vtdpi_vcpu_block(&w->spare->vcpu, w->pcpu) == VTDPI_BLOCKED,
             "block");
        vtdpi_vcpu_run(&w->spare->vcpu, w->pcpu);
    }
}

static void post_harvest(void *subject, uint32_t n)
{
    struct world *const w = subject;
    uint64_t out[VTDPI_PIR_WORDS];

    (void)n;
    for (int i = 0; i < REPEATS; i++) {
        (void)vtdpi_vcpu_post(&w->spare->vcpu, 77, false);
        must(vtdpi_pid_harvest(w->spare->vcpu.pid, out), "harvest");
    }
}

static void wakeup(void *subject, uint32_t n)
{
    (void)n;
    for (int i = 0; i < REPEATS; i++) {
        world_unmark(subject);
        (void)world_scan(subject);
    }
}

static void attach_detach(void *subject, uint32_t n)
{
    struct world *const w = subject;
    struct vtdpi_vcpu *const v = &w->spare->vcpu;
    const uint32_t slot = v->slot;

    (void)n;
    for (int i = 0; i < REPEATS; i++) {
        must(vtdpi_vcpu_detach(v) == 0, "detach");
        must(vtdpi_vcpu_attach(&w->sched, v, slot, w->spare) == 0, "attach");
    }
}

const struct op growth_sched[] = {
    {"run, unchanged", "blocked vCPUs", 0, many, run_again},
    {"preempt and run", "blocked vCPUs", 0, many, preempt_run},
    {"block and run", "blocked vCPUs", 0, many, block_run},
    {"post and harvest", "blocked vCPUs", 0, many, post_harvest},
    {"detach and attach", "blocked vCPUs", 0, many, attach_detach},
    {"wakeup of one among 8 blocked", "slots", 0.25, few, wakeup},
    {"wakeup scan", "blocked vCPUs", 1, all_quiet, wakeup},
    {0},
};
