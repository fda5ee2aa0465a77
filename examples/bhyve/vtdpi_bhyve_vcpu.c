/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * vCPUs: what vmx.c and vmm.c call while a vCPU runs, halts and is posted to.
 *
 * A descriptor is in one of three places: running (ANV, this CPU), blocked (WNV,
 * the CPU on which the vCPU went to sleep), or neither (SN set). It is in the third
 * place between two calls of vmx_run(), mostly while the thread is in user space.
 */

#include "vtdpi_bhyve_internal.h"

#include <sys/pcpu.h>

#include <machine/atomic.h>
#include <machine/frame.h>
#include <machine/vmm.h>
#if VTDPI_BHYVE_KPI >= 15
#include <dev/vmm/vmm_vm.h>
#endif

/* Registers in a virtual-APIC page, in words of 32 bits. */
#define APIC_PPR          (0xa0 / 4)

/* The class of a priority or of a vector. */
#define PRIORITY_CLASS(v) ((v)&0xf0)

void vtdpi_bhyve_notify(struct vtdpi_bhyve_vcpu *v)
{
#if VTDPI_BHYVE_KPI <= 13
    vcpu_notify_event(v->gvm->vm, (int)v->vcpuid, true);
#elif VTDPI_BHYVE_KPI == 14
    vcpu_notify_event(v->vcpu, true);
#else
    vcpu_notify_lapic(v->vcpu);
#endif
}

static struct vtdpi_pcpu *this_pcpu(void)
{
    return (&vtdpi_bhyve.pcpus[curcpu]);
}

struct vtdpi_bhyve_vcpu *vtdpi_bhyve_vcpu_init(struct vtdpi_bhyve_vm *gvm,
                                               struct vcpu *vcpu, u_int vcpuid,
                                               void *apic_page,
                                               uint64_t *pid_pa)
{
    struct vtdpi_bhyve_vcpu *const v =
        malloc(sizeof(*v), M_VTDPI, M_WAITOK | M_ZERO);

    KASSERT(vcpuid < gvm->maxcpus, ("vtdpi: vCPU number %u", vcpuid));
    v->gvm = gvm;
    v->vcpu = vcpu;
    v->vcpuid = vcpuid;
    v->apic = apic_page;
    vtdpi_bhyve_pool_attach(v);
    *pid_pa = vtdpi_vcpu_pda(&v->pi);
    vtdpi_bhyve_vm_join(gvm, v);
    return (v);
}

void vtdpi_bhyve_vcpu_cleanup(struct vtdpi_bhyve_vcpu *v)
{
    char line[VTDPI_FORMAT_MAX];
    bool told = false;
    int rc;

    vtdpi_bhyve_vm_leave(v->gvm, v);
    /*
     * BUSY: an entry names the descriptor, or a unit may have such an entry in its
     * cache. bhyve unassigns the devices first, so nothing is left then. If a VM
     * is taken apart in another order, the line above has withdrawn its messages,
     * and only a flush that failed has to be repeated. Until that succeeds the
     * unit may write the descriptor.
     */
    while ((rc = vtdpi_vcpu_detach(&v->pi)) == VTDPI_EBUSY) {
        if (!told) {
            (void)vtdpi_format_vcpu(line, sizeof(line), &v->pi);
            printf("vtdpi: vCPU %u is posted to, waiting: %s\n", v->vcpuid,
                   line);
        }
        told = true;
        pause("vtdpid", MAX(hz / 10, 1));
        vtdpi_bhyve_vm_retry(v->gvm);
    }
    KASSERT(rc == 0, ("vtdpi: detach: %s", vtdpi_strerror(rc)));
    free(v, M_VTDPI);
}

void vtdpi_bhyve_run(struct vtdpi_bhyve_vcpu *v)
{
    KASSERT(curthread->td_critnest > 0, ("vtdpi: run may be preempted"));
    vtdpi_vcpu_run(&v->pi, this_pcpu());
}

void vtdpi_bhyve_preempt(struct vtdpi_bhyve_vcpu *v)
{
    KASSERT(curthread->td_critnest > 0, ("vtdpi: preempt may be preempted"));
    vtdpi_vcpu_preempt(&v->pi);
}

int vtdpi_bhyve_inject(struct vtdpi_bhyve_vcpu *v)
{
    return (vtdpi_vcpu_merge(&v->pi, v->apic));
}

bool vtdpi_bhyve_pending(struct vtdpi_bhyve_vcpu *v)
{
    /*
     * Everything goes to the IRR first, also what the guest's priority masks:
     * that clears ON, so that the next post to a vCPU which goes to sleep now
     * notifies again. The VMCS is not current here and RVI stays as it is;
     * vtdpi_bhyve_inject() returns the highest vector of the IRR, not of what
     * it has moved, so the next entry makes up for it.
     */
    const u_int highest = vtdpi_vcpu_merge(&v->pi, v->apic);

    return (PRIORITY_CLASS(highest) > PRIORITY_CLASS(v->apic[APIC_PPR]));
}

void vtdpi_bhyve_post(struct vtdpi_bhyve_vcpu *v, int vector)
{
    struct vtdpi_notification n;

    /* From setting ON to sending: until then nobody else notifies. */
    critical_enter();
    n = vtdpi_pid_post(vtdpi_vcpu_pid(&v->pi), (uint8_t)vector, false);
    vtdpi_bhyve_count(VTDPI_COUNT_SOFT_POSTS, 1);
    if (n.result == VTDPI_POST_NOTIFY && n.nv == vtdpi_bhyve.anv &&
        vtdpi_bhyve.active) {
        vtdpi_vcpu_send(&v->pi, &n);
    } else if (n.result != VTDPI_POST_ALREADY) {
        /*
         * The vCPU sleeps, with the wakeup vector or without: bhyve's own way wakes
         * it without an interrupt. If it is only not running, the call finds
         * nothing to do.
         */
        vtdpi_bhyve_notify(v);
    }
    critical_exit();
}

void vtdpi_bhyve_discard(struct vtdpi_bhyve_vcpu *v)
{
    vtdpi_pid_discard(vtdpi_vcpu_pid(&v->pi));
}

void vtdpi_bhyve_save(const struct vtdpi_bhyve_vcpu *v,
                      struct vtdpi_bhyve_saved *out)
{
    *out = (struct vtdpi_bhyve_saved){0};
    out->pending = vtdpi_pid_peek(vtdpi_vcpu_pid(&v->pi), out->pir);
}

void vtdpi_bhyve_restore(struct vtdpi_bhyve_vcpu *v,
                         const struct vtdpi_bhyve_saved *in)
{
    vtdpi_bhyve_discard(v);
    /* Take PIR, whatever "pending" says: bhyve clears "pending" before it empties PIR. */
    for (int i = 0; i < 256; i++) {
        if ((in->pir[i / 64] >> (i % 64) & 1) != 0)
            vtdpi_bhyve_post(v, i);
    }
}

void vtdpi_bhyve_block(struct vtdpi_bhyve_vcpu *v)
{
    enum vtdpi_block_result rc;

    KASSERT(curthread->td_critnest > 0, ("vtdpi: block may be preempted"));
    /*
     * Without a device, or without a wakeup vector, only vtdpi_bhyve_post() posts to
     * the vCPU, and that function wakes the vCPU by bhyve's own means. When the VM
     * gets its first device the vCPU is woken once, under its lock, and comes here
     * again.
     */
    if (!vtdpi_bhyve.posting || atomic_load_int(&v->gvm->devs) == 0)
        return;
    /*
     * bhyve has looked for pending interrupts just before, under this lock.
     * What was posted since then makes this call send the wakeup vector to its
     * own CPU. The handler waits for the vCPU's lock, which msleep_spin() drops
     * when the thread is on the sleep queue.
     */
    rc = vtdpi_vcpu_block_committed(&v->pi, this_pcpu());
    KASSERT(rc == VTDPI_BLOCKED, ("vtdpi: CPU %d is offline", curcpu));
    (void)rc;
    vtdpi_bhyve_count(VTDPI_COUNT_BLOCKS, 1);
}

void vtdpi_bhyve_unblock(struct vtdpi_bhyve_vcpu *v)
{
    vtdpi_vcpu_preempt(&v->pi);
}

/* The wakeup vector, on the CPU that a blocked vCPU has named. */
void vtdpi_bhyve_wakeup_handler(struct trapframe *frame)
{
    struct thread *const td = curthread;
    struct trapframe *const outer = td->td_intr_frame;
    uint32_t woken;

    /* On leaving it, a thread that was woken may take this CPU over. */
    critical_enter();
    td->td_intr_nesting_level++;
    td->td_intr_frame = frame;
    lapic_eoi();
    vtdpi_bhyve_count(VTDPI_COUNT_WAKEUP_INTRS, 1);
    woken = vtdpi_pcpu_handle_wakeup(this_pcpu(), (uint8_t)vtdpi_bhyve.wnv);
    vtdpi_bhyve_count(VTDPI_COUNT_WAKEUPS, woken);
    td->td_intr_frame = outer;
    td->td_intr_nesting_level--;
    critical_exit();
}
