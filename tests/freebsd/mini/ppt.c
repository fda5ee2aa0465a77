/* SPDX-License-Identifier: BSD-2-Clause */
/* Passed-through devices, in the shape of ppt.c. */
#include "mini.h"

/* FreeBSD 15.1 holds it around every entry of ppt.c, older versions have none. It is
 * outermost: all locks of the port are taken inside of it. */
static struct sx ppt_lock;
static bool ppt_is_locked;

void mini_ppt_start(bool locked)
{
    sx_init(&ppt_lock, "ppt");
    ppt_is_locked = locked;
}

void mini_ppt_stop(void)
{
    sx_destroy(&ppt_lock);
}

static void ppt_enter(void)
{
    if (ppt_is_locked)
        sx_xlock(&ppt_lock);
}

static void ppt_leave(void)
{
    if (ppt_is_locked)
        sx_xunlock(&ppt_lock);
}

uint64_t mini_msi_addr(u_int dest)
{
    return 0xfee00000 | (uint64_t)dest << 12;
}

/* pptintr(): a filter, in the context of the host's interrupt. */
static void pptintr(void *arg)
{
    const struct mini_ppt_arg *a = arg;
    uint64_t addr;
    uint32_t data;

    (void)__atomic_fetch_add(&a->dev->handled, 1, __ATOMIC_RELAXED);
    if (!mini_apic_deliver_msg(a->dev, a->msg) &&
        vtdpi_bhyve_msg_guest(a->dev->pi, a->msg, &addr, &data))
        mini_apic_msi(a->dev->vm, addr, data);
}

void mini_ppt_attach(struct mini_device *dev, const char *name, u_int unit,
                     u_int sid, bool msi)
{
    memset(dev, 0, sizeof(*dev));
    dev->name = name;
    dev->count = MINI_MSGS;
    dev->unit = unit;
    dev->sid = sid;
    dev->msi = msi;
    dev->pi = vtdpi_bhyve_dev_attach(name);
}

void mini_ppt_detach(struct mini_device *dev)
{
    vtdpi_bhyve_dev_detach(dev->pi);
}

void mini_ppt_assign(struct mini_device *dev, struct vm *vm)
{
    ppt_enter();
    __atomic_store_n(&dev->vm, vm, __ATOMIC_SEQ_CST);
    vtdpi_bhyve_dev_assign(dev->pi, vm);
    ppt_leave();
}

/* The device's lock is held, as below. */
static void alloc(struct mini_device *dev)
{
    u_int irq;

    if (dev->msgs != 0)
        return;
    irq = mini_irq_alloc(dev->unit, dev->count, dev->sid);
    for (u_int i = 0; i < dev->count; i++) {
        dev->msg[i].irq = irq + i;
        dev->arg[i] = (struct mini_ppt_arg){dev, i};
    }
    dev->msgs = dev->count;
    vtdpi_bhyve_msg_alloc(dev->pi, dev->count);
}

static void teardown(struct mini_device *dev, u_int msg)
{
    struct mini_message *m = &dev->msg[msg];

    if (!m->set)
        return;
    vtdpi_bhyve_msg_teardown(dev->pi, msg);
    mini_irq_teardown(m->irq, dev, msg);
    m->set = false;
}

/* What the next post must be, if the guest's message leaves no doubt. */
static void expect(struct mini_device *dev, struct mini_message *m,
                   uint64_t addr, uint32_t data)
{
    const u_int dest = (u_int)(addr >> 12) & 0xff;
    const bool sure = (addr & 0x4) == 0 && dest < dev->vm->vcpus;

    __atomic_store_n(&m->want, sure ? &dev->vm->vcpu[dest] : NULL,
                     __ATOMIC_SEQ_CST);
    __atomic_store_n(&m->want_vector, data & 0xff, __ATOMIC_SEQ_CST);
}

static void change(struct mini_device *dev, u_int msg, uint64_t addr,
                   uint32_t data)
{
    struct mini_message *m = &dev->msg[msg];

    if (vtdpi_bhyve_msg_program(dev->pi, msg, addr, data))
        return;
    teardown(dev, msg);
    mini_irq_setup(m->irq, dev, msg, pptintr, &dev->arg[msg]);
    m->set = true;
    vtdpi_bhyve_msg_setup(dev->pi, msg, m->irq);
}

void mini_ppt_setup(struct mini_device *dev, u_int msg, uint64_t addr,
                    uint32_t data, bool masked)
{
    struct mini_message *m = &dev->msg[msg];

    ppt_enter();
    vtdpi_bhyve_dev_lock(dev->pi);
    alloc(dev);
    (void)__atomic_fetch_add(&m->seq, 1, __ATOMIC_SEQ_CST);
    expect(dev, m, addr, data);
    if (masked)
        teardown(dev, msg);
    else
        change(dev, msg, addr, data);
    (void)__atomic_fetch_add(&m->seq, 1, __ATOMIC_SEQ_CST);
    vtdpi_bhyve_dev_unlock(dev->pi);
    ppt_leave();
}

void mini_ppt_unassign(struct mini_device *dev)
{
    ppt_enter();
    vtdpi_bhyve_dev_lock(dev->pi);
    for (u_int i = 0; i < dev->msgs; i++)
        teardown(dev, i);
    vtdpi_bhyve_msg_free(dev->pi);
    for (u_int i = 0; i < dev->msgs; i++)
        mini_irq_free(dev->msg[i].irq);
    dev->msgs = 0;
    vtdpi_bhyve_dev_unlock(dev->pi);
    vtdpi_bhyve_dev_unassign(dev->pi);
    __atomic_store_n(&dev->vm, NULL, __ATOMIC_SEQ_CST);
    ppt_leave();
}
