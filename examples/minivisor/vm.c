/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The VM: how a host calls bind.h. A vCPU moves an interrupt, which is a write of
 * a message that this host traps. The change is decided under the lock of the VM.
 * The entry follows outside of that lock, since the flush waits for the unit: so
 * pCPUs that change different interrupts wait for the unit side by side, and never
 * spin for a lock while another one waits for the unit.
 *
 * vtdpi_vm_deliver() needs no lock here: APICs, vCPUs and posting change only while
 * no pCPU runs.
 */

#include "minivisor.h"

static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct vtdpi_vm vm; /* the next four are its memory */
static struct vtdpi_guest_apic apics[VCPUS];
static uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VCPUS)];
static struct vtdpi_vcpu *vcpus[VCPUS];
static struct vtdpi_binding *heads[VTDPI_VM_HEADS(VCPUS)];

/* With interrupts off, as everywhere in this host. */
static void take_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
        pause();
}

static void give_lock(void)
{
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

/* Called with the lock held. Brings what was decided into force: for the bindings
 * that are named, or with none for all that a change has marked. */
static void apply_and_unlock(struct vtdpi_binding *const *b, uint32_t count)
{
    struct vtdpi_vm_work work;
    int rc = vtdpi_vm_begin(&vm, &work, b, count);

    give_lock();
    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) {
        if (rc > 0)
            vtdpi_vm_apply(&work); /* waits for CPU_UNIT */
        else
            pause(); /* another CPU is at it */
        take_lock();
        rc = rc > 0 ? vtdpi_vm_end(&vm, &work)
                    : vtdpi_vm_begin_again(&vm, &work);
        give_lock();
    }
    must(rc, "the entries of the VM");
}

/* vCPUs. The guest's APICs are in x2APIC mode; their ids are the numbers of the
 * vCPUs. */

static void plug(struct vcpu *v)
{
    const struct vtdpi_guest_apic apic = {
        .id = v->number,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    take_lock();
    must(vtdpi_vm_set_apic(&vm, v->number, &apic), "vtdpi_vm_set_apic");
    must(vtdpi_vm_attach(&vm, v->number, &v->pi), "vtdpi_vm_attach");
    apply_and_unlock(NULL, 0);
}

/* Afterwards nothing is posted to the vCPU any more, and it can be detached. */
static void unplug(const struct vcpu *v)
{
    const struct vtdpi_guest_apic none = {0};

    take_lock();
    must(vtdpi_vm_detach(&vm, v->number), "vtdpi_vm_detach");
    must(vtdpi_vm_set_apic(&vm, v->number, &none), "vtdpi_vm_set_apic");
    apply_and_unlock(NULL, 0);
}

void vm_start(void)
{
    const struct vtdpi_vm_params params = {
        .apics = apics,
        .keys = keys,
        .vcpus = vcpus,
        .vcpu_count = VCPUS,
        .heads = heads,
        .buckets = VCPUS,
        .form = VTDPI_COMPAT_DEST_8,
        .posting = true,
    };

    must(vtdpi_vm_init(&vm, &params), "vtdpi_vm_init");
    for (unsigned int i = 0; i < VCPUS; i++)
        plug(&host.vcpu[i]);
}

void vm_stop(void)
{
    for (unsigned int i = 0; i < VCPUS; i++)
        unplug(&host.vcpu[i]);
}

/* Interrupts. */

/* The device is assigned to the VM. Its interrupt has a host form. */
void vm_bind(struct interrupt *i)
{
    take_lock();
    must(vtdpi_vm_bind(&vm, &i->binding, &i->pi, true), "vtdpi_vm_bind");
    give_lock();
}

void vm_unbind(struct interrupt *i)
{
    struct vtdpi_binding *const b = &i->binding;

    take_lock();
    must(vtdpi_vm_unbind(b), "vtdpi_vm_unbind");
    apply_and_unlock(&b, 1);
    take_lock();
    must(vtdpi_vm_unbind_end(b), "vtdpi_vm_unbind_end");
    give_lock();
}

/* Level-triggered if it is not to be posted: a host has to see the EOI of such an
 * interrupt. */
static struct vtdpi_msi message_of(unsigned int route)
{
    return (struct vtdpi_msi){
        .address_lo = UINT32_C(0xfee00000) | ROUTE_VCPU(route)->number << 12,
        .data = (ROUTE_IS_POSTED(route) ? 0u : 0xc000u) | ROUTE_VECTOR(route),
    };
}

/* The guest has written a message. When this returns, the unit uses the old entry
 * no more, and what it posted by that entry has arrived. */
static void write_message(struct interrupt *i, unsigned int route)
{
    const struct vtdpi_msi message = message_of(route);
    struct vtdpi_binding *const b = &i->binding;

    atomic_fetch_add(&i->generation, 1);
    take_lock();
    atomic_store(&i->route, route);
    must(vtdpi_binding_set_message(b, &message), "vtdpi_binding_set_message");
    apply_and_unlock(&b, 1);
    atomic_fetch_add(&i->generation, 1);
}

/* Only one vCPU moves an interrupt. */
void vm_move(struct interrupt *i, struct vcpu *v, uint8_t vector)
{
    write_message(i, ROUTE(true, v->number, vector));
    atomic_fetch_add(&counts.moves, 1);
    timeline(EVENT_MOVES, i->number, v->number, vector, 0);
}

/* The guest's vector stays, but it cannot be posted for a while: back to the
 * host form, and this host relays. */
void vm_unpost(struct interrupt *i)
{
    write_message(i, atomic_load(&i->route) & ~ROUTE(true, 0, 0));
    atomic_fetch_add(&counts.unposts, 1);
    timeline(EVENT_UNPOSTED, i->number, 0, 0, 0);
}

/* What the library does not post by itself, here a level-triggered message. A
 * hypervisor has the EOI of that vector exit. This guest's devices do not look at the
 * EOI, so the descriptor serves here, too. */
static void inject(void *ctx, uint32_t vcpu, const struct vtdpi_compat_msi *msg)
{
    struct vcpu *const v = &host.vcpu[vcpu];
    const bool even = account_is_even(v, msg->vector);
    const bool merged = vtdpi_pid_record(vtdpi_vcpu_pid(&v->pi), msg->vector);

    (void)ctx;
    account_raised(v, msg->vector, merged, even);
    (void)vtdpi_vcpu_notify(&v->pi, false);
    atomic_fetch_add(&counts.merged_software, merged);
}

/* A device interrupt in remapped form arrived on a pCPU. By now its message may be
 * one that the library posts. Then nobody sees whether the vector merges, so the
 * account takes it that it may. */
void vm_relay(unsigned int number)
{
    const unsigned int route = atomic_load(&host.interrupts[number].route);
    const struct vtdpi_msi message = message_of(route);
    struct vtdpi_vm_delivery out;

    must(vtdpi_vm_deliver(&vm, &message, inject, NULL, &out),
         "vtdpi_vm_deliver");
    if (out.posted != 0)
        account_raised(ROUTE_VCPU(route), ROUTE_VECTOR(route), false, false);
    atomic_fetch_add(&counts.relayed, 1);
}
