/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Passed-through devices: what ppt.c calls when the guest programs MSI and
 * MSI-X. The host interrupt stays set up beside the posted form, and takes over
 * whenever a message cannot be posted.
 */

#include "vtdpi_bhyve_internal.h"

#include <machine/atomic.h>

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
    sx_xlock(&vtdpi_bhyve.lock);
    LIST_FOREACH(gvm, &vtdpi_bhyve.vms, link)
    {
        if (gvm->vm == vm)
            break;
    }
    sx_xlock(&d->lock);
    KASSERT(d->gvm == NULL, ("vtdpi: %s is assigned", d->name));
    d->gvm = gvm;
    if (gvm != NULL)
        LIST_INSERT_HEAD(&gvm->devs, d, link);
    sx_xunlock(&d->lock);
    sx_xunlock(&vtdpi_bhyve.lock);
}

void vtdpi_bhyve_dev_unassign(struct vtdpi_bhyve_dev *d)
{
    if (!vtdpi_bhyve.up)
        return;
    sx_xlock(&vtdpi_bhyve.lock);
    sx_xlock(&d->lock);
    KASSERT(d->msgs == NULL, ("vtdpi: %s has messages", d->name));
    if (d->gvm != NULL)
        LIST_REMOVE(d, link);
    d->gvm = NULL;
    sx_xunlock(&d->lock);
    sx_xunlock(&vtdpi_bhyve.lock);
}

void vtdpi_bhyve_reroute_devs(struct vtdpi_bhyve_vm *gvm)
{
    struct vtdpi_bhyve_dev *d;

    sx_slock(&vtdpi_bhyve.lock);
    LIST_FOREACH(d, &gvm->devs, link)
    {
        sx_xlock(&d->lock);
        for (u_int i = 0; i < d->count; i++) {
            if (d->msgs[i].set)
                vtdpi_bhyve_decide(gvm, &d->msgs[i]);
        }
        vtdpi_bhyve_dmar_follow(d->msgs, d->count);
        sx_xunlock(&d->lock);
    }
    sx_sunlock(&vtdpi_bhyve.lock);
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

static struct vtdpi_bhyve_msg *msg_of(struct vtdpi_bhyve_dev *d, u_int msg)
{
    sx_assert(&d->lock, SA_XLOCKED);
    KASSERT(msg < d->count, ("vtdpi: %s: message %u", d->name, msg));
    return (&d->msgs[msg]);
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
    vtdpi_bhyve_decide(d->gvm, m);
    vtdpi_bhyve_dmar_follow(m, 1);
    return (true);
}

void vtdpi_bhyve_msg_setup(struct vtdpi_bhyve_dev *d, u_int msg, u_int irq)
{
    struct vtdpi_bhyve_msg *const m = msg_of(d, msg);

    KASSERT(!m->set, ("vtdpi: %s: message %u is set up", d->name, msg));
    vtdpi_bhyve_count(VTDPI_COUNT_SETUPS, 1);
    m->set = true;
    if (d->gvm != NULL)
        vtdpi_bhyve_dmar_adopt(m, irq);
    vtdpi_bhyve_decide(d->gvm, m);
    vtdpi_bhyve_dmar_follow(m, 1);
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
    vtdpi_bhyve_dmar_release(m);
    m->target = NULL;
    m->set = false;
}

bool vtdpi_bhyve_msg_guest(const struct vtdpi_bhyve_dev *d, u_int msg,
                           uint64_t *addr, uint32_t *data)
{
    const uint64_t word = atomic_load_acq_64(&d->msgs[msg].guest);

    *addr = word >> 32;
    *data = (uint32_t)word;
    return (word != 0);
}
