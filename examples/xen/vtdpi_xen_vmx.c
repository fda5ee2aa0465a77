/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs of HVM and PVH guests on sched.h: what vmx.c did about posted interrupts.
 *
 * Every vCPU runs on a descriptor of the library if the processor posts, whether a
 * unit posts or not. Without a unit that posts (iommu_intpost off) there is no
 * wakeup vector and no vCPU blocks through the library: then only software posts,
 * and software wakes whom it posts to.
 *
 * Rule S of sched.h, one writer, is Xen's own rule for a vCPU's state: the owner
 * is the pCPU that runs the vCPU or switches it. Only a harvest is done from
 * elsewhere, of a vCPU that is paused.
 */
#include "vtdpi_xen_vmx.h"

#include <xen/cpu.h>
#include <xen/event.h>
#include <xen/init.h>
#include <xen/keyhandler.h>
#include <xen/softirq.h>

#include <xen/iommu.h>

#include <asm/apic.h>
#include <asm/hvm/hvm.h>
#include <asm/hvm/vlapic.h>
#include <asm/hvm/vmx/vmx.h>

/* As many chunks of pages as the library has room for: 65536 pages in all. */
#define POST_CHUNKS_MAX (VTDPI_PAGES_MAX / VTDPI_CHUNK_PAGES - 1)

/* A pCPU, from when it first came until the end. Not in per-CPU memory, which Xen
 * frees while a vCPU may still name the pCPU. */
struct post_cpu {
    struct vtdpi_pcpu pcpu;
    uint64_t blocks;   /* vCPUs that it blocked */
    uint64_t wakeups;  /* wakeup vectors that came */
    uint64_t wakes;    /* vCPUs that they woke */
    uint64_t notifies; /* notifications that came outside of a guest */
};

static struct vtdpi_sched post_sched;
static struct post_cpu **post_cpus; /* by number */
static bool post_ready;

/* Over what grows: pages, chunks, pCPUs. */
static DEFINE_SPINLOCK(post_lock);
static uint32_t post_pages;
static uint32_t post_room = VTDPI_CHUNK_PAGES;

static struct vtdpi_vcpu *post_vcpu(struct vcpu *v)
{
    return &v->arch.hvm.vmx.vtdpi;
}

static struct vtdpi_pid *post_pid(const struct vcpu *v)
{
    return vtdpi_vcpu_pid(&v->arch.hvm.vmx.vtdpi);
}

static struct post_cpu *post_here(void)
{
    return post_cpus[smp_processor_id()];
}

static void cf_check post_wake(void *ctx, void *cookie)
{
    vcpu_unblock(cookie);
}

static void cf_check post_send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    const struct vtdpi_pcpu *pcpu = vtdpi_pcpu_find(&post_sched, apic_id);

    if (pcpu == NULL)
        return;
    /* The mask version leaves the sender out. */
    if (pcpu == &post_here()->pcpu)
        send_IPI_self(vector);
    else
        send_IPI_mask(cpumask_of(pcpu->number), vector);
}

static void cf_check post_relax(void *ctx)
{
    cpu_relax();
}

static const struct vtdpi_platform_ops post_ops = {
    .wake = post_wake,
    .send_ipi = post_send_ipi,
    .relax = post_relax,
};

static const struct vtdpi_platform_ops post_ops_no_wake = {
    .send_ipi = post_send_ipi,
    .relax = post_relax,
};

/* Room for one more chunk of pages; under post_lock. */
static int post_grow(void)
{
    struct vtdpi_page_ref *refs =
        xzalloc_array(struct vtdpi_page_ref, VTDPI_CHUNK_PAGES);

    if (refs == NULL)
        return -ENOMEM;
    for (unsigned int i = 0; i < nr_cpu_ids; i++) {
        uint64_t *chunk;

        if (post_cpus[i] == NULL)
            continue;
        chunk = xzalloc_array(uint64_t, VTDPI_CHUNK_WORDS);
        if (chunk == NULL)
            goto fail;
        /* EATTACHED: an earlier try gave it one, and failed later. */
        if (vtdpi_pcpu_grow(&post_cpus[i]->pcpu, chunk) != 0)
            xfree(chunk);
    }
    if (vtdpi_sched_grow(&post_sched, refs) == 0) {
        post_room += VTDPI_CHUNK_PAGES;
        return 0;
    }

fail:
    xfree(refs);
    return -ENOMEM;
}

/* One more page of descriptors; under post_lock. */
static int post_add_page(void)
{
    struct vtdpi_pid_page *page = xzalloc(struct vtdpi_pid_page);
    void *memory = alloc_xenheap_page();
    int rc = page == NULL || memory == NULL ? -ENOMEM : 0;

    if (rc == 0 && post_pages == post_room)
        rc = post_grow();
    if (rc == 0 && vtdpi_sched_add_page(&post_sched, post_pages, page, memory,
                                        virt_to_maddr(memory)) != 0)
        rc = -EINVAL;
    if (rc != 0) {
        free_xenheap_page(memory);
        xfree(page);
        return rc;
    }
    post_pages++;
    return 0;
}

static int post_attach(struct vcpu *v)
{
    int rc, err = 0;

    spin_lock(&post_lock);
#ifdef VTDPI_XEN_PAGE_EACH /* a processor that wants descriptors so (a test) */
    err = post_add_page();
    rc = err != 0 ? 0
                  : vtdpi_vcpu_attach(&post_sched, post_vcpu(v),
                                      VTDPI_SLOT_IN(post_pages - 1), v);
#else
    rc = vtdpi_vcpu_attach(&post_sched, post_vcpu(v), VTDPI_SLOT_ANY, v);
    if (rc == VTDPI_ENOSPC) {
        err = post_add_page();
        if (err == 0)
            rc =
                vtdpi_vcpu_attach(&post_sched, post_vcpu(v), VTDPI_SLOT_ANY, v);
    }
#endif
    spin_unlock(&post_lock);
    if (err == 0 && rc != 0)
        err = -EINVAL;
    return err;
}

/* No entry names the vCPU any more: pci_clean_dpci_irq() saw to that. */
static void post_detach(struct vcpu *v)
{
    const int rc = vtdpi_vcpu_detach(post_vcpu(v));

    if (rc == 0)
        return;
    printk(XENLOG_ERR "%pv: an interrupt is still posted to it: %s\n", v,
           vtdpi_strerror(rc));
    ASSERT_UNREACHABLE();
}

/*
 * The vCPU is about to sleep. Xen calls this after it has set _VPF_blocked, and looks
 * for events afterwards. What was posted is moved to the virtual IRR, where Xen's look
 * finds it and calls the sleep off. The loop ends when the wakeup vector is armed.
 */
static void cf_check post_block(struct vcpu *v)
{
    struct post_cpu *here = post_here();

    while (vtdpi_vcpu_block(post_vcpu(v), &here->pcpu) == VTDPI_BLOCK_PENDING)
        vmx_sync_pir_to_irr(v);
    here->blocks++;
}

int cf_check vtdpi_xen_vcpu_initialise(struct vcpu *v)
{
    struct hvm_pi_ops *ops = &v->domain->arch.hvm.pi_ops;
    int rc = 0;

    if (cpu_has_vmx_posted_intr_processing) {
        rc = post_ready ? post_attach(v) : -ENODEV;
        if (rc != 0)
            return rc;
        ops->flags = ~0u; /* all of Xen's switches call the port */
        ops->vcpu_block = iommu_intpost ? post_block : NULL;
    }
    rc = vmx_vcpu_initialise(v);
    if (rc != 0 && vtdpi_vcpu_attached(post_vcpu(v)))
        post_detach(v);
    return rc;
}

void cf_check vtdpi_xen_vcpu_destroy(struct vcpu *v)
{
    vmx_vcpu_destroy(v);
    if (vtdpi_vcpu_attached(post_vcpu(v)))
        post_detach(v);
}

/* A vCPU that sleeps keeps its wakeup vector; any other has been preempted. */
void vmx_pi_switch_from(struct vcpu *v)
{
    if (!test_bit(_VPF_blocked, &v->pause_flags))
        vtdpi_vcpu_preempt(post_vcpu(v));
}

void vmx_pi_switch_to(struct vcpu *v)
{
    vtdpi_vcpu_run(post_vcpu(v), &post_here()->pcpu);
}

/*
 * On the way into the guest, with interrupts on.
 *
 * A vCPU that slept while only the idle vCPU ran on its pCPU was not switched away: it
 * comes here without vmx_pi_switch_to(), so run is called here. A vCPU whose
 * _VPF_blocked is set is on its way to the scheduler, and has to keep its wakeup vector.
 *
 * The harvest follows in vtdpi_xen_intr_assist(). An interrupt that comes after the
 * harvest raises a softirq, for which the caller looks with interrupts off.
 */
void vmx_intr_assist(void)
{
    struct vcpu *v = current;

    if (vtdpi_vcpu_attached(post_vcpu(v)) &&
        !test_bit(_VPF_blocked, &v->pause_flags))
        vtdpi_vcpu_run(post_vcpu(v), &post_here()->pcpu);
    vtdpi_xen_intr_assist();
}

/* A vector came for a vCPU that does not run here, or not in the guest. */
static void post_tell(struct vcpu *v, const struct vtdpi_notification *n)
{
#ifdef VTDPI_XEN_POST_AS_UNIT /* as a unit would: a test */
    vtdpi_vcpu_send(post_vcpu(v), n);
#else
    const bool running = v->is_running;
    unsigned int cpu;

    vcpu_unblock(v);
    /* This vCPU itself harvests before it enters the guest again. */
    if (!running || (v == current && !in_irq()))
        return;
    /* The vCPU may have moved since: then it was switched in, and has harvested. */
    cpu = v->processor;
    if (cpu != smp_processor_id())
        send_IPI_mask(cpumask_of(cpu), posted_intr_vector);
    else
        raise_softirq(VCPU_KICK_SOFTIRQ);
#endif
}

void cf_check vmx_deliver_posted_intr(struct vcpu *v, u8 vector)
{
    const struct vtdpi_notification n =
        vtdpi_pid_post(post_pid(v), vector, false);

    if (unlikely(v->arch.hvm.vmx.eoi_exitmap_changed))
        vcpu_kick(v); /* the guest must not take it before the next entry */
    else if (n.result == VTDPI_POST_NOTIFY)
        post_tell(v, &n);
}

/* If something is taken from a vCPU that sleeps, this wakes the vCPU: the harvest has
 * cleared ON, so the handler of a notification that is on its way does not wake it. */
void cf_check vmx_sync_pir_to_irr(struct vcpu *v)
{
    uint32_t *irr = (void *)&vcpu_vlapic(v)->regs->data[APIC_IRR];
    uint64_t taken[VTDPI_PIR_WORDS];

    if (!vtdpi_vcpu_sync(post_vcpu(v), taken))
        return;
    for (unsigned int i = 0; i < 2 * VTDPI_PIR_WORDS; i++) {
        const uint32_t bits = taken[i / 2] >> (i % 2 * 32);

        /* Others set bits with locked operations, too. */
        if (bits != 0)
            (void)vtdpi_atomic_or32(irr + i * 4, bits);
    }
    if (test_bit(_VPF_blocked, &v->pause_flags))
        vcpu_unblock(v);
}

bool cf_check vmx_test_pir(const struct vcpu *v, uint8_t vector)
{
    return vtdpi_pid_test(post_pid(v), vector);
}

void cf_check pi_wakeup_interrupt(struct cpu_user_regs *regs)
{
    struct post_cpu *here = post_here();

    ack_APIC_irq();
    this_cpu(irq_count)++;
    here->wakeups++;
    here->wakes += vtdpi_pcpu_handle_wakeup(&here->pcpu, pi_wakeup_vector);
}

/* Xen harvests with interrupts on, so this may come between harvest and entry:
 * the softirq has the entry code harvest once more. */
void cf_check pi_notification_interrupt(struct cpu_user_regs *regs)
{
    ack_APIC_irq();
    this_cpu(irq_count)++;
    post_here()->notifies++;
    raise_softirq(VCPU_KICK_SOFTIRQ);
}

/* A pCPU that is new, or comes again. */
static int post_cpu_up(unsigned int cpu)
{
    struct post_cpu *c = post_cpus[cpu];
    uint64_t *bitmap;
    int rc = 0;

    if (c != NULL)
        return 0;
    c = xzalloc(struct post_cpu);
    spin_lock(&post_lock);
    bitmap = xzalloc_array(uint64_t, vtdpi_sched_bitmap_words(&post_sched));
    if (c == NULL || bitmap == NULL ||
        vtdpi_pcpu_init(&post_sched, &c->pcpu, cpu, cpu_physical_id(cpu),
                        bitmap) != 0)
        rc = -ENOMEM;
    else
        post_cpus[cpu] = c;
    spin_unlock(&post_lock);
    if (rc != 0) {
        xfree(bitmap);
        xfree(c);
    }
    return rc;
}

static int cf_check post_cpu_callback(struct notifier_block *nfb,
                                      unsigned long action, void *hcpu)
{
    const unsigned int cpu = (unsigned long)hcpu;
    int rc = 0;

    switch (action) {
    case CPU_UP_PREPARE:
        rc = post_cpu_up(cpu);
        break;
    case CPU_STARTING:
        vtdpi_pcpu_online(&post_cpus[cpu]->pcpu);
        break;
    default:
        break;
    }
    return notifier_from_errno(rc);
}

/* VMX is on again on this pCPU. If it never went offline (the first one, when the
 * host resumes), its APIC has forgotten notifications. */
void vmx_pi_per_cpu_init(unsigned int cpu)
{
    if (post_ready && post_cpus[cpu] != NULL)
        (void)vtdpi_pcpu_rescan(&post_cpus[cpu]->pcpu);
}

/* A pCPU is gone: vCPUs that it had to wake are woken, and block elsewhere. */
void vmx_pi_desc_fixup(unsigned int cpu)
{
    if (post_ready && post_cpus[cpu] != NULL)
        (void)vtdpi_pcpu_offline(&post_cpus[cpu]->pcpu);
}

/* A domain gets its first device, or loses its last. Its vCPUs run and block by the
 * library all the time, so nothing changes for them. */
void vmx_pi_hooks_assign(struct domain *d)
{
}

void vmx_pi_hooks_deassign(struct domain *d)
{
}

static struct notifier_block post_cpu_nfb = {
    .notifier_call = post_cpu_callback,
};

static void cf_check post_show(unsigned char key)
{
    char line[VTDPI_FORMAT_MAX];
    const struct domain *d;
    const struct vcpu *v;
    unsigned int cpu;

    for_each_online_cpu(cpu)
    {
        const struct post_cpu *c = post_cpus[cpu];

        printk("CPU%u: %lu blocks, %lu wakeup vectors, %lu wakes,"
               " %lu notifications, %u blocked\n",
               cpu, c->blocks, c->wakeups, c->wakes, c->notifies,
               vtdpi_pcpu_blocked(&c->pcpu));
    }
    rcu_read_lock(&domlist_read_lock);
    for_each_domain(d) for_each_vcpu(
        d, v) if (is_hvm_vcpu(v) && vtdpi_vcpu_attached(&v->arch.hvm.vmx.vtdpi))
    {
        (void)vtdpi_format_vcpu(line, sizeof(line), &v->arch.hvm.vmx.vtdpi);
        printk("%pv: %s\n", v, line);
    }
    rcu_read_unlock(&domlist_read_lock);
}

static int __init post_sched_init(void)
{
    struct vtdpi_sched_params params = {
        .ops = iommu_intpost ? &post_ops : &post_ops_no_wake,
        .pages = xzalloc_array(struct vtdpi_page_ref, VTDPI_CHUNK_PAGES),
        .max_pages = VTDPI_CHUNK_PAGES,
        .pcpus = xzalloc_array(struct vtdpi_pcpu *, nr_cpu_ids),
        .max_pcpus = nr_cpu_ids,
        .apic_mode = x2apic_enabled ? VTDPI_X2APIC : VTDPI_XAPIC,
        .anv = posted_intr_vector,
        .wnv = {pi_wakeup_vector},
        .wnv_count = iommu_intpost ? 1 : 0,
        .apic_map = xzalloc_array(struct vtdpi_pcpu *, nr_cpu_ids),
        .apic_map_size = nr_cpu_ids,
        .chunks = xzalloc_array(struct vtdpi_page_ref *, POST_CHUNKS_MAX),
        .max_chunks = POST_CHUNKS_MAX,
    };

    post_cpus = xzalloc_array(struct post_cpu *, nr_cpu_ids);
    if (post_cpus == NULL || params.pages == NULL || params.pcpus == NULL ||
        params.apic_map == NULL || params.chunks == NULL)
        return -ENOMEM;
    return vtdpi_sched_init(&post_sched, &params) == 0 ? 0 : -EINVAL;
}

/* After the CPUs are up, before there is any domain. */
static int __init cf_check post_init(void)
{
    unsigned int cpu;
    int rc;

    if (!cpu_has_vmx_posted_intr_processing)
        return 0;
    rc = post_sched_init();
    for_each_online_cpu(cpu)
    {
        if (rc == 0)
            rc = post_cpu_up(cpu);
        if (rc == 0)
            vtdpi_pcpu_online(&post_cpus[cpu]->pcpu);
    }
    if (rc != 0) {
        printk(XENLOG_ERR "posted interrupts: no set-up, error %d\n", rc);
        return rc;
    }
    register_cpu_notifier(&post_cpu_nfb);
    register_keyhandler('y', post_show, "dump posted interrupts", 1);
    post_ready = true;
    return 0;
}
__initcall(post_init);
