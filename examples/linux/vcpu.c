/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs: a kthread each, bound to no CPU, which enters guest mode, leaves it, is
 * preempted, halts and is woken. Read guest_mode() and halt() first: they are what
 * a hypervisor's run loop does with the library.
 */

#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/random.h>

#include "selftest.h"

struct st_vcpu st_vcpus[ST_VCPUS];
static bool stopping;

/* Takes what is posted. Only the vCPU's own thread and, on the CPU where this one is
 * in guest mode, the handler of ANV call it. */
void st_vcpu_take(struct st_vcpu *v)
{
    uint64_t words[VTDPI_PIR_WORDS];
    unsigned int i;

    if (!vtdpi_vcpu_sync(&v->vcpu, words))
        return;
    for (i = 0; i < 256; i++) {
        const unsigned int n = i - ST_FIRST_VECTOR;

        if (!(words[i / 64] >> i % 64 & 1))
            continue;
        if (i < ST_FIRST_VECTOR || n >= ST_VECTORS ||
            atomic64_inc_return(&v->taken[n]) > atomic64_read(&v->posted[n]))
            st_fail("vCPU %u took vector %#x that nobody posted", v->number, i);
    }
}

/* VM entry, a while in the guest, VM exit. Preemption is off. */
static void guest_mode(struct st_vcpu *v)
{
    struct st_cpu *const c = st_this_cpu();

    vtdpi_vcpu_run(&v->vcpu, &c->pcpu);
    atomic64_inc(&st_counts.runs);
    local_irq_disable();
    st_vcpu_take(v);
    c->guest = v;
    local_irq_enable();
    udelay(get_random_u32() % 50);
    local_irq_disable();
    c->guest = NULL;
    local_irq_enable();
}

/* The guest has halted. Returns whether the thread is to sleep. */
static bool block(struct st_vcpu *v)
{
    enum vtdpi_block_result r;

    do {
        struct st_cpu *const c =
            get_random_u32() % 2 ? st_this_cpu() : st_any_cpu();

        WRITE_ONCE(v->woken, false); /* before the block and nowhere else */
        r = vtdpi_vcpu_block(&v->vcpu, &c->pcpu);
        if (r == VTDPI_BLOCK_OFFLINE)
            atomic64_inc(&st_counts.offline);
    } while (r == VTDPI_BLOCK_OFFLINE);
    if (r == VTDPI_BLOCKED) {
        atomic64_inc(&st_counts.blocks);
        return true;
    }
    atomic64_inc(&st_counts.pending);
    return false;
}

/* Sleeps until it is woken. Nobody posts for a while near the end, so a sleep may
 * be long; it is lost only if something is posted. */
static void sleep_until_woken(struct st_vcpu *v)
{
    const unsigned long limit = msecs_to_jiffies(ST_LOST_MS);

    while (!wait_event_timeout(
        v->queue, READ_ONCE(v->woken) || READ_ONCE(stopping), limit)) {
        if (!vtdpi_pid_pending(vtdpi_vcpu_pid(&v->vcpu)))
            continue;
        st_fail("vCPU %u sleeps and something is posted", v->number);
        return;
    }
}

static int vcpu_thread(void *data)
{
    struct st_vcpu *const v = data;
    bool asleep;

    while (!READ_ONCE(stopping)) {
        preempt_disable();
        guest_mode(v);
        asleep = false;
        if (get_random_u32() % 4) {
            asleep = block(v);
        } else {
            vtdpi_vcpu_preempt(&v->vcpu);
            atomic64_inc(&st_counts.preempts);
        }
        /* Off guest mode it is blocked or preempted: no CPU that goes offline has
         * a vCPU that runs there. */
        if (!asleep)
            vtdpi_vcpu_preempt(&v->vcpu);
        preempt_enable();
        if (asleep)
            sleep_until_woken(v);
        else
            cond_resched();
    }
    preempt_disable();
    vtdpi_vcpu_preempt(&v->vcpu);
    preempt_enable();
    st_vcpu_take(v);
    while (!kthread_should_stop())
        msleep(1);
    return 0;
}

int st_vcpus_start(void)
{
    unsigned int i;

    for (i = 0; i < ST_VCPUS; i++) {
        struct st_vcpu *const v = &st_vcpus[i];

        v->number = i;
        init_waitqueue_head(&v->queue);
        if (st_host_attach(v)) {
            st_vcpus_stop();
            return -EINVAL;
        }
        v->thread = kthread_run(vcpu_thread, v, "vtdpi-vcpu/%u", i);
        if (IS_ERR(v->thread)) {
            const int rc = PTR_ERR(v->thread);

            v->thread = NULL;
            st_vcpus_stop();
            return rc;
        }
    }
    return 0;
}

void st_vcpus_stop(void)
{
    unsigned int i;

    WRITE_ONCE(stopping, true);
    for (i = 0; i < ST_VCPUS; i++) {
        struct st_vcpu *const v = &st_vcpus[i];

        if (v->thread) {
            wake_up(&v->queue);
            kthread_stop(v->thread);
            v->thread = NULL;
        }
        if (vtdpi_vcpu_attached(&v->vcpu) && vtdpi_vcpu_detach(&v->vcpu))
            st_fail("vCPU %u cannot be detached", i);
    }
}
