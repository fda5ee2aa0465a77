/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The VM: how a host calls bind.h. What the guest changes is decided under the
 * lock of the VM. The entries follow outside of that lock, since their flush waits
 * for the units.
 */

#include "demo.h"

/* The decide lock. A hypervisor has a spin lock here. This program makes all changes
 * in one thread, so the lock only shows where it stands. */
static void lock(struct demo *d)
{
    must(d->vm_locked ? VTDPI_EBUSY : 0, "the lock of the VM");
    d->vm_locked = true;
}

static void unlock(struct demo *d)
{
    d->vm_locked = false;
}

/* Called with the lock held. Brings what was decided into force: for the bindings
 * that are named, or with none for all that a change has marked. */
static void apply_and_unlock(struct demo *d, struct vtdpi_binding *const *b,
                             uint32_t count)
{
    struct vtdpi_vm_work work;
    int rc = vtdpi_vm_begin(&d->vm, &work, b, count);

    unlock(d);
    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) {
        /* In the other two cases another CPU is at it: a hypervisor yields. */
        if (rc > 0)
            vtdpi_vm_apply(&work);
        lock(d);
        rc = rc > 0 ? vtdpi_vm_end(&d->vm, &work)
                    : vtdpi_vm_begin_again(&d->vm, &work);
        unlock(d);
    }
    /* A hypervisor lets the guest go on after an error, too, and logs it. */
    must(rc, "the entries of the VM");
}

/* The guest's vCPUs. Its APICs are in x2APIC mode; their ids are the numbers of
 * the vCPUs. */

static void plug(struct demo *d, struct vcpu *v)
{
    const struct vtdpi_guest_apic apic = {
        .id = v->number,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    lock(d);
    must(vtdpi_vm_set_apic(&d->vm, v->number, &apic), "vtdpi_vm_set_apic");
    must(vtdpi_vm_attach(&d->vm, v->number, &v->pi), "vtdpi_vm_attach");
    apply_and_unlock(d, NULL, 0);
}

/* Afterwards nothing is posted to the vCPU any more, and it can be detached. */
static void unplug(struct demo *d, const struct vcpu *v)
{
    const struct vtdpi_guest_apic none = {0};

    lock(d);
    must(vtdpi_vm_detach(&d->vm, v->number), "vtdpi_vm_detach");
    must(vtdpi_vm_set_apic(&d->vm, v->number, &none), "vtdpi_vm_set_apic");
    apply_and_unlock(d, NULL, 0);
}

void vm_start(struct demo *d)
{
    const struct vtdpi_vm_params params = {
        .apics = d->vm_apics,
        .keys = d->vm_keys,
        .vcpus = d->vm_vcpus,
        .vcpu_count = VCPUS,
        .heads = d->vm_heads,
        .buckets = VCPUS,
        .form = VTDPI_COMPAT_DEST_8,
        .posting = true,
    };

    must(vtdpi_vm_init(&d->vm, &params), "vtdpi_vm_init");
    for (unsigned int i = 0; i < VCPUS; i++)
        plug(d, &d->vcpu[i]);
}

void vm_stop(struct demo *d)
{
    for (unsigned int i = 0; i < VCPUS; i++)
        unplug(d, &d->vcpu[i]);
}

/* The guest's interrupts: what a host does where it traps their registers. */

/* The device is assigned to the VM. Its interrupt has a host form. */
void vm_bind(struct demo *d, struct interrupt *i)
{
    lock(d);
    must(vtdpi_vm_bind(&d->vm, &i->binding, &i->pi, true), "vtdpi_vm_bind");
    unlock(d);
}

/* The same for an interrupt that another hypervisor has set up. Its entry may be
 * posted, as the guest's message says. So nothing changes. */
void vm_adopt(struct demo *d, struct interrupt *i)
{
    struct vtdpi_binding *const b = &i->binding;

    lock(d);
    must(vtdpi_vm_bind(&d->vm, b, &i->pi, true), "vtdpi_vm_bind");
    must(vtdpi_binding_set_message(b, &i->message),
         "vtdpi_binding_set_message");
    apply_and_unlock(d, &b, 1);
}

void vm_unbind(struct demo *d, struct interrupt *i)
{
    struct vtdpi_binding *const b = &i->binding;

    lock(d);
    must(vtdpi_vm_unbind(b), "vtdpi_vm_unbind");
    apply_and_unlock(d, &b, 1);
    lock(d);
    must(vtdpi_vm_unbind_end(b), "vtdpi_vm_unbind_end");
    unlock(d);
}

/* Under the mask the message is only stored. */
void vm_write_message(struct demo *d, struct interrupt *i,
                      const struct vtdpi_msi *message)
{
    struct vtdpi_binding *const b = &i->binding;

    i->changing = true;
    lock(d);
    i->message = *message;
    must(vtdpi_binding_set_message(b, message), "vtdpi_binding_set_message");
    apply_and_unlock(d, &b, 1);
    i->changing = false;
}

/* First the device is masked, then the binding; unmasked in the other order. */
void vm_mask(struct demo *d, struct interrupt *i)
{
    i->masked = true;
    lock(d);
    vtdpi_binding_mask(&i->binding);
    unlock(d);
}

void vm_unmask(struct demo *d, struct interrupt *i)
{
    struct vtdpi_binding *const b = &i->binding;

    lock(d);
    must(vtdpi_binding_unmask(b), "vtdpi_binding_unmask");
    apply_and_unlock(d, &b, 1);
    i->masked = false;
}
