/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * VMs: what their guests have programmed, decided on by bind.h.
 *
 * A guest changes its APIC in VM exits, where nothing may sleep. So the change is
 * recorded there, under a spin lock, and marks the interrupts that it concerns;
 * the vCPU thread applies the marks before the guest goes on.
 */

#include "vtdpi_bhyve_internal.h"

#include <machine/atomic.h>

/* Registers in a virtual-APIC page, in words of 32 bits. */
#define APIC_LDR           (0xd0 / 4)
#define APIC_DFR           (0xe0 / 4)
#define APIC_SVR           (0xf0 / 4)

/* A local APIC after power-on: enabled, in xAPIC mode, at FEE00000h. */
#define APIC_BASE_POWER_ON UINT64_C(0xfee00800)

/* The decide lock, and inside of it what deliveries are kept out by. */
static void apics_lock(struct vtdpi_bhyve_vm *gvm)
{
    mtx_lock_spin(&gvm->lock);
    mtx_lock_spin(&gvm->apics_lock);
}

/* The decide lock stays, so that the change is applied under the same hold. */
static void apics_unlock(struct vtdpi_bhyve_vm *gvm)
{
    mtx_unlock_spin(&gvm->apics_lock);
}

/* bind.h's lists by destination: as many as there are vCPUs, rounded up. */
static uint32_t buckets_of(u_int maxcpus)
{
    uint32_t buckets = 1;

    while (buckets < maxcpus)
        buckets *= 2;
    return (buckets);
}

static int pi_init(struct vtdpi_bhyve_vm *gvm)
{
    const u_int n = gvm->maxcpus;
    const uint32_t buckets = buckets_of(n);

    gvm->apics = malloc(sizeof(*gvm->apics) * n, M_VTDPI, M_WAITOK | M_ZERO);
    gvm->keys = malloc(sizeof(*gvm->keys) * VTDPI_ROUTE_MAP_KEYS(n), M_VTDPI,
                       M_WAITOK | M_ZERO);
    gvm->slots =
        malloc(sizeof(struct vtdpi_vcpu *) * n, M_VTDPI, M_WAITOK | M_ZERO);
    gvm->heads =
        malloc(sizeof(struct vtdpi_binding *) * VTDPI_VM_HEADS(buckets),
               M_VTDPI, M_WAITOK | M_ZERO);
    return (vtdpi_vm_init(&gvm->pi, &(const struct vtdpi_vm_params){
                                        .apics = gvm->apics,
                                        .keys = gvm->keys,
                                        .vcpus = gvm->slots,
                                        .vcpu_count = n,
                                        .heads = gvm->heads,
                                        .buckets = buckets,
                                        .form = VTDPI_COMPAT_DEST_8,
                                        .posting = vtdpi_bhyve.posting,
                                    }));
}

struct vtdpi_bhyve_vm *vtdpi_bhyve_vm_init(struct vm *vm, u_int maxcpus)
{
    struct vtdpi_bhyve_vm *const gvm =
        malloc(sizeof(*gvm), M_VTDPI, M_WAITOK | M_ZERO);
    int rc;

    gvm->vm = vm;
    gvm->maxcpus = maxcpus;
    mtx_init(&gvm->lock, "vtdpi decide", NULL, MTX_SPIN);
    mtx_init(&gvm->apics_lock, "vtdpi APICs", NULL, MTX_SPIN);
    gvm->vcpus =
        malloc(sizeof(*gvm->vcpus) * maxcpus, M_VTDPI, M_WAITOK | M_ZERO);
    rc = pi_init(gvm);
    KASSERT(rc == 0, ("vtdpi: %u vCPUs: %s", maxcpus, vtdpi_strerror(rc)));
    (void)rc;
    sx_xlock(&vtdpi_bhyve.lock);
    LIST_INSERT_HEAD(&vtdpi_bhyve.vms, gvm, link);
    sx_xunlock(&vtdpi_bhyve.lock);
    return (gvm);
}

void vtdpi_bhyve_vm_cleanup(struct vtdpi_bhyve_vm *gvm)
{
    KASSERT(atomic_load_int(&gvm->devs) == 0, ("vtdpi: a device is left"));
    sx_xlock(&vtdpi_bhyve.lock);
    LIST_REMOVE(gvm, link);
    sx_xunlock(&vtdpi_bhyve.lock);
    for (u_int i = 0; i < gvm->maxcpus; i++)
        KASSERT(gvm->vcpus[i] == NULL, ("vtdpi: vCPU %u is left", i));
    mtx_destroy(&gvm->apics_lock);
    mtx_destroy(&gvm->lock);
    free(gvm->heads, M_VTDPI);
    free(gvm->slots, M_VTDPI);
    free(gvm->keys, M_VTDPI);
    free(gvm->apics, M_VTDPI);
    free(gvm->vcpus, M_VTDPI);
    free(gvm, M_VTDPI);
}

struct vtdpi_bhyve_vm *vtdpi_bhyve_vm_find(const struct vm *vm)
{
    struct vtdpi_bhyve_vm *gvm;

    sx_slock(&vtdpi_bhyve.lock);
    LIST_FOREACH(gvm, &vtdpi_bhyve.vms, link)
    {
        if (gvm->vm == vm)
            break;
    }
    sx_sunlock(&vtdpi_bhyve.lock);
    return (gvm);
}

uint64_t vtdpi_bhyve_vm_posted(void)
{
    struct vtdpi_bhyve_vm *gvm;
    uint64_t posted = 0;

    sx_slock(&vtdpi_bhyve.lock);
    LIST_FOREACH(gvm, &vtdpi_bhyve.vms, link)
    {
        mtx_lock_spin(&gvm->lock);
        posted += vtdpi_vm_count(&gvm->pi, VTDPI_ROUTE_POSTABLE);
        mtx_unlock_spin(&gvm->lock);
    }
    sx_sunlock(&vtdpi_bhyve.lock);
    return (posted);
}

/* Applying. */

/* One step of a work. The decide lock is held, and dropped in between. */
static int step(struct vtdpi_bhyve_vm *gvm, struct vtdpi_vm_work *work, int rc)
{
    if (rc == VTDPI_EINFLIGHT) {
        (void)msleep_spin(gvm, &gvm->lock, "vtdpiw", 0);
        return (vtdpi_vm_begin_again(&gvm->pi, work));
    }
    mtx_unlock_spin(&gvm->lock);
    if (rc == VTDPI_EDUE) {
        kern_yield(PRI_USER);
        mtx_lock_spin(&gvm->lock);
        return (vtdpi_vm_begin_again(&gvm->pi, work));
    }
    vtdpi_vm_apply(work);
    mtx_lock_spin(&gvm->lock);
    rc = vtdpi_vm_end(&gvm->pi, work);
    wakeup(gvm); /* those who found an interrupt of this work in flight */
    return (rc);
}

/* The decide lock is held, and released on return. */
static int finish(struct vtdpi_bhyve_vm *gvm, struct vtdpi_vm_work *work,
                  int rc)
{
    mtx_assert(&gvm->lock, MA_OWNED);
    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE)
        rc = step(gvm, work, rc);
    mtx_unlock_spin(&gvm->lock);
    return (rc);
}

int vtdpi_bhyve_apply(struct vtdpi_bhyve_vm *gvm,
                      struct vtdpi_binding *const *b, u_int count)
{
    struct vtdpi_vm_work work;

    return (finish(gvm, &work, vtdpi_vm_begin(&gvm->pi, &work, b, count)));
}

/* What has failed is tried once more, then reported. */
static void settle(struct vtdpi_bhyve_vm *gvm, int rc,
                   struct vtdpi_binding *const *b, u_int count)
{
    if (rc == VTDPI_EIO) {
        mtx_lock_spin(&gvm->lock);
        if (b == NULL)
            vtdpi_vm_retry(&gvm->pi);
        rc = vtdpi_bhyve_apply(gvm, b, count);
    }
    if (rc == 0)
        return;
    vtdpi_bhyve_count(VTDPI_COUNT_FAILURES, 1);
    printf("vtdpi: an entry does not follow its message: %s\n",
           vtdpi_strerror(rc));
}

void vtdpi_bhyve_follow(struct vtdpi_bhyve_vm *gvm,
                        struct vtdpi_binding *const *b, u_int count)
{
    settle(gvm, vtdpi_bhyve_apply(gvm, b, count), b, count);
}

void vtdpi_bhyve_vm_retry(struct vtdpi_bhyve_vm *gvm)
{
    mtx_lock_spin(&gvm->lock);
    vtdpi_vm_retry(&gvm->pi);
    (void)vtdpi_bhyve_apply(gvm, NULL, 0); /* the caller looks */
}

/* vCPUs and their APICs. */

/* A register of the guest's APIC. Its thread may write the page at that time; each
 * register is one word. */
static uint32_t apic_read(struct vtdpi_bhyve_vcpu *v, u_int word)
{
    return (atomic_load_int(&v->apic[word]));
}

/* Records the state of an APIC as its guest has programmed it. bhyve does not let
 * guests change the id. */
static void set_apic(struct vtdpi_bhyve_vcpu *v, uint64_t apic_base)
{
    const struct vtdpi_guest_apic apic = vtdpi_guest_apic_from_registers(
        apic_base, v->vcpuid, apic_read(v, APIC_LDR), apic_read(v, APIC_DFR),
        apic_read(v, APIC_SVR));
    const int rc = vtdpi_vm_set_apic(&v->gvm->pi, v->vcpuid, &apic);

    KASSERT(rc == 0, ("vtdpi: APIC: %s", vtdpi_strerror(rc)));
    (void)rc;
}

void vtdpi_bhyve_vm_join(struct vtdpi_bhyve_vm *gvm, struct vtdpi_bhyve_vcpu *v)
{
    int rc;

    apics_lock(gvm);
    gvm->vcpus[v->vcpuid] = v;
    rc = vtdpi_vm_attach(&gvm->pi, v->vcpuid, &v->pi);
    KASSERT(rc == 0, ("vtdpi: vCPU: %s", vtdpi_strerror(rc)));
    (void)rc;
    set_apic(v, APIC_BASE_POWER_ON);
    apics_unlock(gvm);
    /* vCPUs are made when they are first used: a device may be there. */
    vtdpi_bhyve_follow(gvm, NULL, 0);
}

void vtdpi_bhyve_vm_leave(struct vtdpi_bhyve_vm *gvm,
                          struct vtdpi_bhyve_vcpu *v)
{
    static const struct vtdpi_guest_apic none;
    int rc;

    apics_lock(gvm);
    rc = vtdpi_vm_detach(&gvm->pi, v->vcpuid);
    if (rc == 0)
        rc = vtdpi_vm_set_apic(&gvm->pi, v->vcpuid, &none);
    KASSERT(rc == 0, ("vtdpi: vCPU: %s", vtdpi_strerror(rc)));
    (void)rc;
    gvm->vcpus[v->vcpuid] = NULL;
    apics_unlock(gvm);
    vtdpi_bhyve_follow(gvm, NULL, 0);
}

void vtdpi_bhyve_vm_notify(struct vtdpi_bhyve_vm *gvm)
{
    mtx_lock_spin(&gvm->apics_lock);
    for (u_int i = 0; i < gvm->maxcpus; i++) {
        if (gvm->vcpus[i] != NULL)
            vtdpi_bhyve_notify(gvm->vcpus[i]);
    }
    mtx_unlock_spin(&gvm->apics_lock);
}

void vtdpi_bhyve_apic_changed(struct vtdpi_bhyve_vcpu *v, uint64_t apic_base)
{
    struct vtdpi_bhyve_vm *const gvm = v->gvm;

    apics_lock(gvm);
    set_apic(v, apic_base);
    apics_unlock(gvm);
    if (v->stale == 0)
        v->since = vtdpi_vm_flights(&gvm->pi);
    /* This vCPU does not go on before the change is applied. If it does not go on
     * for long, another one of the VM applies the change. */
    atomic_store_rel_int(&v->stale, 1);
    atomic_store_rel_int(&gvm->stale, 1);
    mtx_unlock_spin(&gvm->lock);
}

bool vtdpi_bhyve_stale(const struct vtdpi_bhyve_vcpu *v)
{
    return (atomic_load_acq_int(&v->stale) != 0 ||
            atomic_load_acq_int(&v->gvm->stale) != 0);
}

void vtdpi_bhyve_reroute(struct vtdpi_bhyve_vcpu *v)
{
    struct vtdpi_bhyve_vm *const gvm = v->gvm;
    struct vtdpi_vm_work work;
    uint64_t since;

    if (!vtdpi_bhyve_stale(v))
        return;
    vtdpi_bhyve_count(VTDPI_COUNT_REROUTES, 1);
    mtx_lock_spin(&gvm->lock);
    since = v->stale != 0 ? v->since : vtdpi_vm_flights(&gvm->pi);
    atomic_store_rel_int(&v->stale, 0);
    atomic_store_rel_int(&gvm->stale, 0);
    settle(gvm,
           finish(gvm, &work, vtdpi_vm_begin_since(&gvm->pi, &work, since)),
           NULL, 0);
}
