/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * VMs: their vCPUs by number, and where a guest's message goes.
 *
 * The route map is made from the virtual-APIC pages, which hold what the guest
 * has programmed. Its registers change in VM exits, where nothing may sleep; so
 * a change only marks the VM, and the vCPU thread looks before it goes on.
 */

#include "vtdpi_bhyve_internal.h"

#include <machine/atomic.h>

/* Registers in a virtual-APIC page, in words of 32 bits. */
#define APIC_LDR (0xd0 / 4)
#define APIC_DFR (0xe0 / 4)
#define APIC_SVR (0xf0 / 4)

static int map_init(struct vtdpi_bhyve_vm *gvm)
{
    const u_int n = gvm->maxcpus;

    gvm->vcpus = malloc(sizeof(*gvm->vcpus) * n, M_VTDPI, M_WAITOK | M_ZERO);
    gvm->apics = malloc(sizeof(*gvm->apics) * n, M_VTDPI, M_WAITOK | M_ZERO);
    gvm->keys = malloc(sizeof(*gvm->keys) * VTDPI_ROUTE_MAP_KEYS(n), M_VTDPI,
                       M_WAITOK | M_ZERO);
    return (vtdpi_route_map_init(&gvm->map, gvm->apics, gvm->keys, n));
}

struct vtdpi_bhyve_vm *vtdpi_bhyve_vm_init(struct vm *vm, u_int maxcpus)
{
    struct vtdpi_bhyve_vm *const gvm =
        malloc(sizeof(*gvm), M_VTDPI, M_WAITOK | M_ZERO);
    int rc;

    gvm->vm = vm;
    gvm->maxcpus = maxcpus;
    mtx_init(&gvm->lock, "vtdpi VM", NULL, MTX_DEF);
    rc = map_init(gvm);
    KASSERT(rc == 0, ("vtdpi: %u vCPUs: %s", maxcpus, vtdpi_strerror(rc)));
    (void)rc;
    sx_xlock(&vtdpi_bhyve.lock);
    LIST_INSERT_HEAD(&vtdpi_bhyve.vms, gvm, link);
    sx_xunlock(&vtdpi_bhyve.lock);
    return (gvm);
}

void vtdpi_bhyve_vm_cleanup(struct vtdpi_bhyve_vm *gvm)
{
    sx_xlock(&vtdpi_bhyve.lock);
    KASSERT(LIST_EMPTY(&gvm->devs), ("vtdpi: a device is left"));
    LIST_REMOVE(gvm, link);
    sx_xunlock(&vtdpi_bhyve.lock);
    for (u_int i = 0; i < gvm->maxcpus; i++)
        KASSERT(gvm->vcpus[i] == NULL, ("vtdpi: vCPU %u is left", i));
    mtx_destroy(&gvm->lock);
    free(gvm->keys, M_VTDPI);
    free(gvm->apics, M_VTDPI);
    free(gvm->vcpus, M_VTDPI);
    free(gvm, M_VTDPI);
}

/* A register of the guest's APIC. Its thread writes the page meanwhile; each
 * register is one word. */
static uint32_t apic_read(struct vtdpi_bhyve_vcpu *v, u_int word)
{
    return (atomic_load_int(&v->apic[word]));
}

/* The state of a vCPU's APIC as its guest has programmed it. bhyve does not let
 * guests change the id. */
static struct vtdpi_guest_apic apic_of(struct vtdpi_bhyve_vcpu *v)
{
    struct vtdpi_guest_apic apic = vtdpi_guest_apic_from_registers(
        atomic_load_acq_64(&v->apic_base), v->vcpuid, apic_read(v, APIC_LDR),
        apic_read(v, APIC_DFR), apic_read(v, APIC_SVR));

    apic.attached = true;
    return (apic);
}

static void map_update(struct vtdpi_bhyve_vm *gvm, u_int vcpuid)
{
    static const struct vtdpi_guest_apic none;
    struct vtdpi_bhyve_vcpu *const v = gvm->vcpus[vcpuid];
    const struct vtdpi_guest_apic apic = v != NULL ? apic_of(v) : none;
    int rc;

    mtx_assert(&gvm->lock, MA_OWNED);
    rc = vtdpi_route_map_update(&gvm->map, vcpuid, &apic);
    KASSERT(rc == 0, ("vtdpi: map: %s", vtdpi_strerror(rc)));
    (void)rc;
}

static void set_vcpu(struct vtdpi_bhyve_vm *gvm, u_int vcpuid,
                     struct vtdpi_bhyve_vcpu *v)
{
    mtx_lock(&gvm->lock);
    gvm->vcpus[vcpuid] = v;
    map_update(gvm, vcpuid);
    mtx_unlock(&gvm->lock);
}

void vtdpi_bhyve_vm_join(struct vtdpi_bhyve_vm *gvm, struct vtdpi_bhyve_vcpu *v)
{
    set_vcpu(gvm, v->vcpuid, v);
    /* vCPUs are made when they are first used: a device may be there. */
    vtdpi_bhyve_reroute_devs(gvm);
}

void vtdpi_bhyve_vm_leave(struct vtdpi_bhyve_vm *gvm,
                          struct vtdpi_bhyve_vcpu *v)
{
    set_vcpu(gvm, v->vcpuid, NULL);
    vtdpi_bhyve_reroute_devs(gvm);
}

void vtdpi_bhyve_apic_changed(struct vtdpi_bhyve_vcpu *v, uint64_t apic_base)
{
    atomic_store_rel_64(&v->apic_base, apic_base);
    /* Release: whoever takes the mark finds the registers changed. */
    atomic_store_rel_int(&v->gvm->stale, 1);
}

bool vtdpi_bhyve_stale(const struct vtdpi_bhyve_vcpu *v)
{
    return (atomic_load_acq_int(&v->gvm->stale) != 0);
}

void vtdpi_bhyve_reroute(struct vtdpi_bhyve_vcpu *v)
{
    struct vtdpi_bhyve_vm *const gvm = v->gvm;

    if (!vtdpi_bhyve_stale(v))
        return;
    /* The mark goes before the registers are read: a change that is missed
     * sets it again. */
    if (atomic_readandclear_int(&gvm->stale) == 0)
        return;
    mtx_lock(&gvm->lock);
    for (u_int i = 0; i < gvm->maxcpus; i++)
        map_update(gvm, i);
    mtx_unlock(&gvm->lock);
    vtdpi_bhyve_count(VTDPI_COUNT_REROUTES, 1);
    vtdpi_bhyve_reroute_devs(gvm);
}

void vtdpi_bhyve_decide(struct vtdpi_bhyve_vm *gvm, struct vtdpi_bhyve_msg *msg)
{
    const uint64_t guest = atomic_load_acq_64(&msg->guest);
    const struct vtdpi_msi msi = {
        .address_lo = (uint32_t)(guest >> 32),
        .data = (uint32_t)guest,
    };
    const struct vtdpi_route_options options = {
        .form = VTDPI_COMPAT_DEST_8,
        .posting = vtdpi_bhyve.posting,
    };
    struct vtdpi_route_decision d;
    struct vtdpi_apic_set set;

    msg->target = NULL;
    if (gvm == NULL)
        return;
    mtx_lock(&gvm->lock);
    set = vtdpi_route_map_apics(&gvm->map);
    d = vtdpi_route_decide(&set, &msi, &options);
    if (d.kind == VTDPI_ROUTE_POST) {
        msg->target = gvm->vcpus[d.vcpu];
        msg->vector = d.vector;
    }
    mtx_unlock(&gvm->lock);
}
