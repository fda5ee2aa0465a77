/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host under the library: what a hypervisor in Linux has to bring. Read the
 * callbacks first, then the hotplug states.
 *
 * An IPI is an asynchronous function call on the other CPU. It runs there as an
 * interrupt, with interrupts off. A bit of irr makes it a vector: the CPU that sets the
 * bit sends, and the handler clears the bit before it does anything, so what is
 * sent after that arrives once more.
 */

#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/slab.h>

#include <asm/smp.h>

#include "selftest.h"

enum {
    IPI_ANV,
    IPI_WNV
};

static struct vtdpi_sched sched;
static struct vtdpi_pid_page page;
static struct vtdpi_page_ref page_refs[1];
static struct vtdpi_pcpu **pcpus;
static struct vtdpi_pcpu **apic_map;
static unsigned long pid_memory;
static int hotplug_state;
static DEFINE_PER_CPU(struct st_cpu, st_cpus);
/* One offline or rescan at a time: hotplug calls its states one by one, and takes
 * this as well so that the module depends on no more. */
static DEFINE_MUTEX(admin);

struct st_cpu *st_this_cpu(void)
{
    return this_cpu_ptr(&st_cpus);
}

/* Some CPU, which may be offline by now: block says so. */
struct st_cpu *st_any_cpu(void)
{
    unsigned int n = get_random_u32() % num_possible_cpus();
    unsigned int cpu;

    for_each_possible_cpu(cpu)
    {
        if (n-- == 0 && per_cpu(st_cpus, cpu).set_up)
            return per_cpu_ptr(&st_cpus, cpu);
    }
    return st_this_cpu();
}

/* ANV: in guest mode the processor itself takes what is posted. Otherwise there
 * is nothing to do, since every entry begins with a sync. */
static void anv_handler(void *info)
{
    struct st_cpu *const c = info;

    clear_bit(IPI_ANV, &c->irr);
    smp_mb__after_atomic();
    if (c->guest && !READ_ONCE(c->deaf)) {
        atomic64_inc(&st_counts.in_guest);
        st_vcpu_take(c->guest);
    }
}

static void wnv_handler(void *info)
{
    struct st_cpu *const c = info;

    clear_bit(IPI_WNV, &c->irr);
    smp_mb__after_atomic();
    if (!READ_ONCE(c->deaf))
        atomic64_add(vtdpi_pcpu_handle_wakeup(&c->pcpu, ST_WNV),
                     &st_counts.by_handler);
}

/* Callback. The caller has preemption off, so the CPU does not go away between
 * the look at it and the call. */
void st_send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    struct vtdpi_pcpu *const p = vtdpi_pcpu_find(&sched, apic_id);
    const int ipi = vector == ST_WNV ? IPI_WNV : IPI_ANV;
    struct st_cpu *c;

    (void)ctx;
    atomic64_inc(&st_counts.ipis);
    if (!p || (vector != ST_WNV && vector != ST_ANV)) {
        st_fail("IPI %#x to APIC id %u", vector, apic_id);
        return;
    }
    c = container_of(p, struct st_cpu, pcpu);
    if (READ_ONCE(c->deaf)) {
        atomic64_inc(&st_counts.ipis_lost);
        return;
    }
    if (test_and_set_bit(ipi, &c->irr))
        return;
    if (smp_call_function_single_async(c->number, &c->ipi[ipi])) {
        clear_bit(ipi, &c->irr);
        atomic64_inc(&st_counts.ipis_lost);
    }
}

/* Callback, from a handler or from offline. */
static void st_wake(void *ctx, void *cookie)
{
    struct st_vcpu *const v = cookie;

    (void)ctx;
    atomic64_inc(&st_counts.wakes);
    WRITE_ONCE(v->woken, true);
    wake_up(&v->queue);
}

static const struct vtdpi_platform_ops ops = {
    .send_ipi = st_send_ipi,
    .wake = st_wake,
};

/* Hotplug: the CPU comes. Runs on it, for those that are there, too. */
static int cpu_comes(unsigned int cpu)
{
    struct st_cpu *const c = per_cpu_ptr(&st_cpus, cpu);
    int rc = 0;

    mutex_lock(&admin);
    if (!c->set_up) {
        c->number = cpu;
        INIT_CSD(&c->ipi[IPI_ANV], anv_handler, c);
        INIT_CSD(&c->ipi[IPI_WNV], wnv_handler, c);
        c->bitmap = kcalloc(VTDPI_BITMAP_WORDS(1), sizeof(u64), GFP_KERNEL);
        rc = c->bitmap ? vtdpi_pcpu_init(&sched, &c->pcpu, cpu,
                                         cpu_physical_id(cpu), c->bitmap)
                       : VTDPI_ENOSPC;
        WRITE_ONCE(c->set_up, rc == 0);
    }
    if (rc == 0) {
        WRITE_ONCE(c->deaf, false);
        vtdpi_pcpu_online(&c->pcpu);
        atomic64_inc(&st_counts.onlines);
    }
    mutex_unlock(&admin);
    return rc ? -EINVAL : 0;
}

/* Hotplug: the CPU goes. Runs on it, while it still takes interrupts; no vCPU is
 * in guest mode here, since that is done with preemption off. From the return of
 * the library's call on what is sent to the CPU may be lost, so all of it is. */
static int cpu_goes(unsigned int cpu)
{
    struct st_cpu *const c = per_cpu_ptr(&st_cpus, cpu);

    mutex_lock(&admin);
    atomic64_add(vtdpi_pcpu_offline(&c->pcpu), &st_counts.by_offline);
    WRITE_ONCE(c->deaf, true);
    atomic64_inc(&st_counts.offlines);
    mutex_unlock(&admin);
    return 0;
}

int st_host_attach(struct st_vcpu *v)
{
    return vtdpi_vcpu_attach(&sched, &v->vcpu, VTDPI_SLOT_ANY, v);
}

static int sched_start(void)
{
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = page_refs,
        .max_pages = 1,
        .pcpus = pcpus,
        .max_pcpus = nr_cpu_ids,
        .apic_mode = VTDPI_X2APIC,
        .anv = ST_ANV,
        .wnv = {ST_WNV},
        .apic_map = apic_map,
        .apic_map_size = nr_cpu_ids,
    };

    return vtdpi_sched_init(&sched, &params) ||
                   vtdpi_sched_add_page(&sched, 0, &page, (void *)pid_memory,
                                        virt_to_phys((void *)pid_memory))
               ? -EINVAL
               : 0;
}

static void memory_free(void)
{
    unsigned int cpu;

    for_each_possible_cpu(cpu) kfree(per_cpu(st_cpus, cpu).bitmap);
    kfree(pcpus);
    kfree(apic_map);
    free_page(pid_memory);
}

int st_host_start(void)
{
    int rc = -ENOMEM;

    pcpus = kcalloc(nr_cpu_ids, sizeof(*pcpus), GFP_KERNEL);
    apic_map = kcalloc(nr_cpu_ids, sizeof(*apic_map), GFP_KERNEL);
    pid_memory = get_zeroed_page(GFP_KERNEL);
    if (pcpus && apic_map && pid_memory)
        rc = sched_start();
    if (rc == 0)
        rc = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "vtdpi/selftest:online",
                               cpu_comes, cpu_goes);
    if (rc < 0) {
        memory_free();
        return rc;
    }
    hotplug_state = rc;
    return 0;
}

static void nothing(void *info)
{
}

/* All vCPUs are detached and nobody posts. An IPI that is on its way finds a CPU
 * that is deaf; when each CPU has answered none is on its way. */
void st_host_stop(void)
{
    unsigned int cpu;

    cpuhp_remove_state(hotplug_state);
    on_each_cpu(nothing, NULL, 1);
    for_each_possible_cpu(cpu)
    {
        struct st_cpu *const c = per_cpu_ptr(&st_cpus, cpu);

        if (c->set_up && vtdpi_pcpu_fini(&c->pcpu))
            st_fail("CPU %u is still in use", cpu);
    }
    if (vtdpi_sched_fini(&sched))
        st_fail("the instance is still in use");
    memory_free();
}
