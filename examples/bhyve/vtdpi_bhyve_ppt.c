/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Passed-through devices: what ppt.c calls when the guest programs MSI and
 * MSI-X. The host interrupt stays set up beside the posted form, and takes over
 * whenever a message cannot be posted.
 */

#include "vtdpi_bhyve_internal.h"

#include <machine/atomic.h>

/* Of a message's data. */
#define MSI_DELIVERY_MODE(data) ((data) >> 8 & 7)

struct vtdpi_bhyve_dev *vtdpi_bhyve_dev_attach(const char *name)
{
    struct vtdpi_bhyve_dev *const d =
        malloc(sizeof(*d), M_VTDPI, M_WAITOK | M_ZERO);

    d->name = name;
    sx_init(&d->lock, "vtdpi device");
    return (d);
}

void vtdpi_bhyve_dev_detach(struct vtdpi_bhyve_dev *d)
{
    KASSERT(d->gvm == NULL && d->msgs == NULL,
            ("vtdpi: %s is in use", d->name));
    sx_destroy(&d->lock);
    free(d, M_VTDPI);
}

void vtdpi_bhyve_dev_lock(struct vtdpi_bhyve_dev *d)
{
    sx_xlock(&d->lock);
}

void vtdpi_bhyve_dev_unlock(struct vtdpi_bhyve_dev *d)
{
    sx_xunlock(&d->lock);
}

void vtdpi_bhyve_dev_assign(struct vtdpi_bhyve_dev *d, struct vm *vm)
{
    struct vtdpi_bhyve_vm *gvm;

    if (!vtdpi_bhyve.up)
        return;
    gvm = vtdpi_bhyve_vm_find(vm);
    sx_xlock(&d->lock);
    KASSERT(d->gvm == NULL, ("vtdpi: %s is assigned", d->name));
    d->gvm = gvm;
    sx_xunlock(&d->lock);
    if (gvm == NULL)
        return;
    atomic_add_int(&gvm->devs, 1);
    /* They may sleep without the wakeup vector, since there was no device. */
    vtdpi_bhyve_vm_notify(gvm);
}

void vtdpi_bhyve_dev_unassign(struct vtdpi_bhyve_dev *d)
{
    if (!vtdpi_bhyve.up)
        return;
    sx_xlock(&d->lock);
    KASSERT(d->msgs == NULL, ("vtdpi: %s has messages", d->name));
    if (d->gvm != NULL)
        atomic_subtract_int(&d->gvm->devs, 1);
    d->gvm = NULL;
    sx_xunlock(&d->lock);
}

void vtdpi_bhyve_msg_alloc(struct vtdpi_bhyve_dev *d, u_int count)
{
    sx_assert(&d->lock, SA_XLOCKED);
    KASSERT(d->msgs == NULL, ("vtdpi: %s has messages", d->name));
    d->msgs = malloc(sizeof(*d->msgs) * count, M_VTDPI, M_WAITOK | M_ZERO);
    d->count = count;
}

void vtdpi_bhyve_msg_free(struct vtdpi_bhyve_dev *d)
{
    sx_assert(&d->lock, SA_XLOCKED);
    for (u_int i = 0; i < d->count; i++)
        vtdpi_bhyve_msg_teardown(d, i);
    free(d->msgs, M_VTDPI);
    d->msgs = NULL;
    d->count = 0;
}

/*
 * One word, so that pptintr() never sees the address of one message with the
 * data of another. bhyve rejects an address above 4 GiB, which is no message;
 * so does this, by having none.
 */
static void set_guest(struct vtdpi_bhyve_msg *m, uint64_t addr, uint32_t data)
{
    const uint64_t word = addr > UINT32_MAX ? 0 : addr << 32 | data;

    atomic_store_rel_64(&m->guest, word);
}

/* The message that the guest has programmed. False: none. */
static bool get_guest(const struct vtdpi_bhyve_msg *m, struct vtdpi_msi *msi)
{
    const uint64_t word = atomic_load_acq_64(&m->guest);

    *msi = (struct vtdpi_msi){
        .address_lo = (uint32_t)(word >> 32),
        .data = (uint32_t)word,
    };
    return (word != 0);
}

static struct vtdpi_bhyve_msg *msg_of(struct vtdpi_bhyve_dev *d, u_int msg)
{
    sx_assert(&d->lock, SA_XLOCKED);
    KASSERT(msg < d->count, ("vtdpi: %s: message %u", d->name, msg));
    return (&d->msgs[msg]);
}

/* The entry follows the guest's message, if it is one of ours. */
static void msg_follow(struct vtdpi_bhyve_dev *d, struct vtdpi_bhyve_msg *m)
{
    struct vtdpi_binding *const b = &m->binding;
    struct vtdpi_msi msi;
    bool any;
    int rc;

    if (m->unit == NULL)
        return;
    any = get_guest(m, &msi);
    mtx_lock_spin(&d->gvm->lock);
    rc = vtdpi_binding_set_message(b, any ? &msi : NULL);
    KASSERT(rc == 0, ("vtdpi: %s: %s", d->name, vtdpi_strerror(rc)));
    (void)rc;
    vtdpi_bhyve_follow(d->gvm, &b, 1);
}

bool vtdpi_bhyve_msg_program(struct vtdpi_bhyve_dev *d, u_int msg,
                             uint64_t addr, uint32_t data)
{
    struct vtdpi_bhyve_msg *const m = msg_of(d, msg);

    /* The new message first: what the host still takes while the entry
     * changes, or before it can be adopted, is delivered by it. */
    set_guest(m, addr, data);
    if (!m->set)
        return (false);
    vtdpi_bhyve_count(VTDPI_COUNT_CHANGES, 1);
    msg_follow(d, m);
    return (true);
}

void vtdpi_bhyve_msg_setup(struct vtdpi_bhyve_dev *d, u_int msg, u_int irq)
{
    struct vtdpi_bhyve_msg *const m = msg_of(d, msg);

    KASSERT(!m->set, ("vtdpi: %s: message %u is set up", d->name, msg));
    vtdpi_bhyve_count(VTDPI_COUNT_SETUPS, 1);
    m->set = true;
    if (d->gvm != NULL)
        vtdpi_bhyve_dmar_adopt(d->gvm, m, irq);
    msg_follow(d, m);
}

void vtdpi_bhyve_msg_teardown(struct vtdpi_bhyve_dev *d, u_int msg)
{
    struct vtdpi_bhyve_msg *m;

    /* ppt.c takes down all that there might be when a set-up has failed. */
    sx_assert(&d->lock, SA_XLOCKED);
    if (msg >= d->count)
        return;
    /* The guest's message stays: until bus_teardown_intr() the device may
     * still interrupt the host, which is from before the guest's change. */
    m = &d->msgs[msg];
    vtdpi_bhyve_dmar_release(d->gvm, m);
    m->set = false;
}

bool vtdpi_bhyve_msg_guest(const struct vtdpi_bhyve_dev *d, u_int msg,
                           uint64_t *addr, uint32_t *data)
{
    struct vtdpi_msi msi;
    const bool any = get_guest(&d->msgs[msg], &msi);

    *addr = msi.address_lo;
    *data = msi.data;
    return (any);
}

/* A vCPU to which bind.h does not post: the VM has posting off, or the message is
 * level-triggered. The lock of vtdpi_bhyve_msg_deliver() is held. */
static void inject(void *ctx, uint32_t vcpu, const struct vtdpi_compat_msi *msg)
{
    const struct vtdpi_bhyve_vm *const gvm = ctx;
    struct vtdpi_bhyve_vcpu *const v = gvm->vcpus[vcpu];

    mtx_assert(&gvm->apics_lock, MA_OWNED);
    if (v != NULL && msg->vector >= VTDPI_VECTOR_MIN)
        vtdpi_bhyve_post(v, msg->vector);
}

bool vtdpi_bhyve_msg_deliver(const struct vtdpi_bhyve_dev *d, u_int msg)
{
    struct vtdpi_bhyve_vm *const gvm = d->gvm;
    struct vtdpi_vm_delivery out;
    struct vtdpi_msi msi;
    int rc;

    if (gvm == NULL || !get_guest(&d->msgs[msg], &msi) ||
        MSI_DELIVERY_MODE(msi.data) > VTDPI_DLM_LOWEST)
        return (false);
    mtx_lock_spin(&gvm->apics_lock);
    rc = vtdpi_vm_deliver(&gvm->pi, &msi, inject, gvm, &out);
    mtx_unlock_spin(&gvm->apics_lock);
    vtdpi_bhyve_count(VTDPI_COUNT_SOFT_POSTS, out.posted);
    return (rc == 0);
}
