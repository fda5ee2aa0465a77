/* SPDX-License-Identifier: BSD-2-Clause */
/* The module, VMs and the run loop, in the shapes of vmm.c. */
#include "mini.h"

#include <sys/sysctl.h>

#include <machine/md_var.h>
#include <machine/segments.h>

MALLOC_DEFINE(M_MINI, "mini", "miniature bhyve");

SYSCTL_NODE(_hw, OID_AUTO, vmm, CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, "bhyve");

static int ipinum = -1;

/* In place of vtdpi_bhyve_wakeup.S. */
inthand_t Xvtdpi_wakeup, Xvtdpi_wakeup_pti;

void Xvtdpi_wakeup(void)
{
    mini_check(pti == 0);
    vtdpi_bhyve_wakeup_handler(shim_trapframe());
}

void Xvtdpi_wakeup_pti(void)
{
    mini_check(pti != 0);
    vtdpi_bhyve_wakeup_handler(shim_trapframe());
}

void mini_modinit(void)
{
    inthand_t *const nothing =
        pti != 0 ? &IDTVEC(justreturn1_pti) : &IDTVEC(justreturn);

    ipinum = lapic_ipi_alloc(nothing);
    if (ipinum < 0)
        ipinum = IPI_AST;
    mini_vmx_modinit(nothing);
}

void mini_modcleanup(void)
{
    mini_vmx_modcleanup();
    if (ipinum != IPI_AST)
        lapic_ipi_free(ipinum);
    ipinum = -1;
}

/* vCPU states; vcpu->mtx guards them. */

static void set_state(struct vcpu *v, enum mini_vcpu_state state)
{
    mtx_assert(&v->mtx, MA_OWNED);
    v->state = state;
    v->hostcpu = state == MINI_RUNNING ? curcpu : UINT32_MAX;
}

static void change_state(struct vcpu *v, enum mini_vcpu_state state)
{
    mtx_lock_spin(&v->mtx);
    set_state(v, state);
    mtx_unlock_spin(&v->mtx);
}

void vcpu_notify_event(struct vcpu *v, bool lapic_intr)
{
    mtx_lock_spin(&v->mtx);
    if (v->state == MINI_RUNNING && v->hostcpu != curcpu)
        ipi_cpu((int)v->hostcpu,
                (u_int)(lapic_intr && mini_pirvec >= 0 ? mini_pirvec : ipinum));
    else if (v->state == MINI_SLEEPING)
        wakeup_one(v);
    mtx_unlock_spin(&v->mtx);
}

void mini_vcpu_nmi(struct vcpu *v)
{
    __atomic_store_n(&v->nmi, 1, __ATOMIC_SEQ_CST);
    vcpu_notify_event(v, false);
}

static bool halt_ends(struct vcpu *v, bool intr_disabled)
{
    if (__atomic_load_n(&v->vm->suspend, __ATOMIC_SEQ_CST) != 0)
        return true;
    if (__atomic_exchange_n(&v->nmi, 0, __ATOMIC_SEQ_CST) != 0)
        return true;
    if (!intr_disabled && mini_apic_pending(v))
        return true;
    return shim_should_yield();
}

/*
 * The sleep is capped, as bhyve's. Here time passes only when nothing else can
 * happen; so if there is something to take when the cap ends a sleep, nobody
 * would ever have woken this vCPU.
 */
static void look_after_cap(struct vcpu *v, bool intr_disabled)
{
    v->capped++;
    if (!intr_disabled && mini_apic_pending(v))
        shim_fail("vCPU %u slept over an interrupt: only the cap woke it",
                  v->id);
}

static bool wanted(const struct vcpu *v)
{
    return __atomic_load_n(&v->nmi, __ATOMIC_SEQ_CST) != 0 ||
           __atomic_load_n(&v->vm->suspend, __ATOMIC_SEQ_CST) != 0;
}

/* What a scenario wants to come after the last look. */
static void send_at_block(struct vcpu *v)
{
    struct mini_device *const dev =
        __atomic_exchange_n(&v->at_block, NULL, __ATOMIC_SEQ_CST);

    if (dev != NULL)
        mini_check(mini_device_raise(dev, 0));
}

/* Back to user space at once if the vCPU is to stop, as after a signal. */
static enum mini_exit handle_hlt(struct vcpu *v, bool intr_disabled)
{
    const bool blocks = v->pi != NULL && !intr_disabled;

    mtx_lock_spin(&v->mtx);
    while (!halt_ends(v, intr_disabled)) {
        int rc;

        set_state(v, MINI_SLEEPING);
        send_at_block(v);
        if (blocks)
            vtdpi_bhyve_block(v->pi);
        v->sleeps++;
        rc = msleep_spin(v, &v->mtx, "vmidle", hz);
        if (blocks)
            vtdpi_bhyve_unblock(v->pi);
        set_state(v, MINI_FROZEN);
        if (rc == EWOULDBLOCK)
            look_after_cap(v, intr_disabled);
        else if (intr_disabled && !wanted(v))
            v->blind_wakes++;
    }
    mtx_unlock_spin(&v->mtx);
    v->guest.halted = false;
    return __atomic_load_n(&v->vm->suspend, __ATOMIC_SEQ_CST) != 0
               ? MINI_EXIT_SUSPEND
               : MINI_EXIT_HLT;
}

/* bhyve(8) emulates something; during that no thread owns the vCPU. */
static void user_space(struct vcpu *v)
{
    change_state(v, MINI_IDLE);
    for (u_int i = shim_random(8); i > 0; i--)
        shim_yield();
    change_state(v, MINI_FROZEN);
}

static void vcpu_main(void *arg)
{
    struct vcpu *v = arg;
    enum mini_exit why;

    change_state(v, MINI_FROZEN);
    do {
        if (v->pi != NULL)
            vtdpi_bhyve_reroute(v->pi);
        critical_enter();
        change_state(v, MINI_RUNNING);
        why = mini_vmx_run(v);
        change_state(v, MINI_FROZEN);
        critical_exit();
        if (why == MINI_EXIT_HLT)
            why = handle_hlt(v, !v->guest.interrupts);
        else if (why == MINI_EXIT_USER)
            user_space(v);
        else if (why == MINI_EXIT_YIELD)
            shim_yield();
    } while (why != MINI_EXIT_SUSPEND);
    change_state(v, MINI_IDLE);
}

/* vmx_vcpu_init() and vmx_vcpu_cleanup() */

static void descriptor_init(struct vcpu *v)
{
    v->pi = vtdpi_bhyve_vcpu_init(v->vm->pi, v, v->id, v->apic, &v->pid_pa);
    mini_check(v->pid_pa % 64 == 0);
    mini_check(shim_phys_to_virt(v->pid_pa, 64) != NULL);
    mini_register(v);
}

static void vcpu_init(struct vcpu *v)
{
    v->apic = contigmalloc(PAGE_SIZE, M_MINI, M_WAITOK | M_ZERO, 0,
                           ~(vm_paddr_t)0, PAGE_SIZE, 0);
    mini_apic_reset(v);
    v->rvi = -1;
    if (v->vm->pi != NULL)
        descriptor_init(v);
}

static void vcpu_cleanup(struct vcpu *v)
{
    mini_account_check(v);
    mini_account_drop(v);
    mini_unregister(v);
    if (v->pi != NULL)
        vtdpi_bhyve_vcpu_cleanup(v->pi);
    v->pi = NULL;
    contigfree(v->apic, PAGE_SIZE, M_MINI);
    v->apic = NULL;
}

static void vm_init(struct vm *vm, u_int made)
{
    vm->pi = mini_vid ? vtdpi_bhyve_vm_init(vm, vm->vcpus) : NULL;
    for (vm->made = 0; vm->made < made; vm->made++)
        vcpu_init(&vm->vcpu[vm->made]);
}

/* vm_alloc_vcpu(), for those that are left. */
void mini_vm_make(struct vm *vm)
{
    for (; vm->made < vm->vcpus; vm->made++)
        vcpu_init(&vm->vcpu[vm->made]);
}

void mini_vm_unmake(struct vm *vm)
{
    vcpu_cleanup(&vm->vcpu[--vm->made]);
}

static void vm_cleanup(struct vm *vm)
{
    for (u_int i = 0; i < vm->made; i++)
        vcpu_cleanup(&vm->vcpu[i]);
    if (vm->pi != NULL)
        vtdpi_bhyve_vm_cleanup(vm->pi);
}

struct vm *mini_vm_create_part(u_int vcpus, u_int made, bool halt_exit)
{
    struct vm *vm = malloc(sizeof(*vm), M_MINI, M_WAITOK | M_ZERO);

    vm->vcpus = vcpus;
    vm->halt_exit = halt_exit;
    for (u_int i = 0; i < vcpus; i++) {
        struct vcpu *v = &vm->vcpu[i];

        v->vm = vm;
        v->id = i;
        mtx_init(&v->mtx, "vcpu", NULL, MTX_SPIN);
    }
    vm_init(vm, made);
    return vm;
}

struct vm *mini_vm_create(u_int vcpus, bool halt_exit)
{
    return mini_vm_create_part(vcpus, vcpus, halt_exit);
}

void mini_vm_start(struct vm *vm)
{
    __atomic_store_n(&vm->suspend, 0, __ATOMIC_SEQ_CST);
    for (u_int i = 0; i < vm->vcpus; i++) {
        struct vcpu *v = &vm->vcpu[i];

        v->guest.quiet = false;
        v->td = shim_thread_create("vcpu", vcpu_main, v);
    }
}

void mini_vm_stop(struct vm *vm)
{
    __atomic_store_n(&vm->suspend, 1, __ATOMIC_SEQ_CST);
    for (u_int i = 0; i < vm->vcpus; i++)
        vcpu_notify_event(&vm->vcpu[i], false);
    for (u_int i = 0; i < vm->vcpus; i++)
        shim_thread_join(vm->vcpu[i].td);
}

/* Devices are unassigned, threads have left; the descriptors are new. */
void mini_vm_reinit(struct vm *vm, void (*between)(void *arg), void *arg)
{
    vm_cleanup(vm);
    between(arg);
    vm_init(vm, vm->vcpus);
}

/* vlapic_reset(), as for an INIT; the thread has left. */
void mini_vcpu_reset(struct vcpu *v)
{
    mini_account_drop(v);
    if (v->pi != NULL)
        vtdpi_bhyve_discard(v->pi);
    mini_apic_reset(v);
}

void mini_vcpu_save(const struct vcpu *v, struct mini_snapshot *s)
{
    memcpy(s->page, v->apic, sizeof(s->page));
    vtdpi_bhyve_save(v->pi, &s->pi);
}

/* Where the descriptor's notifications go, and whether there are any. */
static uint64_t place_of(const struct vcpu *v)
{
    return vtdpi_pid_snapshot(
               shim_phys_to_virt(v->pid_pa, sizeof(struct vtdpi_pid))) &
           ~VTDPI_PID_ON;
}

void mini_vcpu_restore(struct vcpu *v, const struct mini_snapshot *s,
                       bool page_last)
{
    const uint64_t place = place_of(v);

    mini_account_drop(v);
    if (page_last)
        vtdpi_bhyve_restore(v->pi, &s->pi);
    memcpy(v->apic, s->page, sizeof(s->page));
    if (!page_last)
        vtdpi_bhyve_restore(v->pi, &s->pi);
    mini_check(place_of(v) == place);
    mini_account_restored(v);
}

void mini_vm_destroy(struct vm *vm)
{
    vm_cleanup(vm);
    for (u_int i = 0; i < vm->vcpus; i++)
        mtx_destroy(&vm->vcpu[i].mtx);
    free(vm, M_MINI);
}

void mini_vm_settle(struct vm *vm)
{
    __atomic_store_n(&vm->settle, 1, __ATOMIC_SEQ_CST);
    for (u_int i = 0; i < vm->vcpus; i++)
        mini_apic_post(&vm->vcpu[i], MINI_VECTOR_SETTLE);
    shim_quiesce();
    for (u_int i = 0; i < vm->vcpus; i++) {
        struct vcpu *v = &vm->vcpu[i];

        for (u_int j = 0; j < 256; j++) {
            const struct mini_account *a = &v->account[j];

            if (a->raised !=
                a->delivered + a->pir_merged + a->irr_merged + a->dropped)
                shim_fail("vCPU %u rests, and vector %02x waits", v->id, j);
        }
        mini_account_check(v);
    }
    __atomic_store_n(&vm->settle, 0, __ATOMIC_SEQ_CST);
}
