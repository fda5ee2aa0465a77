/* SPDX-License-Identifier: BSD-2-Clause */
/* Host interrupts of devices: a vector on a CPU, an entry of a table, and the
 * message of the device that leads there. */
#include "mini.h"

enum {
    FIRST_VECTOR = 0x40,
};

struct host_irq {
    bool used;
    bool active;
    u_int unit;
    u_int index;
    u_int first; /* of the block of messages, for the sub-handle */
    u_int sid;
    u_int cpu;
    u_int turn; /* which of its two vectors it has */
    void (*filter)(void *arg);
    void *arg;
    struct mini_device *dev; /* who sends it, while active */
    u_int msg;
};

static struct {
    struct sx lock;
    struct host_irq irq[MINI_IRQS];
} g;
SX_SYSINIT(mini_msi, &g.lock, "msi");

static uint8_t vector_of(u_int irq, u_int turn)
{
    return (uint8_t)(FIRST_VECTOR + 2 * irq + turn);
}

static u_int any_cpu(void)
{
    u_int n = shim_random((uint32_t)mp_ncpus);
    u_int cpu;

    CPU_FOREACH(cpu)
    {
        if (n-- == 0)
            break;
    }
    return cpu;
}

/* Ends the program if there is none. */
static bool is_free(u_int first, u_int count)
{
    if (first + count > MINI_IRQS)
        shim_fail("mini: no host interrupt left");
    for (u_int i = 0; i < count; i++)
        if (g.irq[first + i].used)
            return false;
    return true;
}

u_int mini_irq_alloc(u_int unit, u_int count, u_int sid)
{
    const u_int index = mini_dmar_alloc(unit, count);
    u_int first;

    sx_xlock(&g.lock);
    for (first = 0; !is_free(first, count); first++)
        continue;
    for (u_int i = 0; i < count; i++)
        g.irq[first + i] = (struct host_irq){.used = true,
                                             .unit = unit,
                                             .index = index + i,
                                             .first = index,
                                             .sid = sid};
    sx_xunlock(&g.lock);
    return first;
}

void mini_irq_free(u_int irq)
{
    sx_xlock(&g.lock);
    mini_check(g.irq[irq].used && !g.irq[irq].active);
    mini_dmar_free(g.irq[irq].unit, g.irq[irq].index);
    g.irq[irq].used = false;
    sx_xunlock(&g.lock);
}

bool mini_irq_entry(u_int irq, u_int *unit, u_int *index)
{
    /* Of an interrupt that is the caller's and does not go. */
    if (irq >= MINI_IRQS || !g.irq[irq].used)
        return false;
    *unit = g.irq[irq].unit;
    *index = g.irq[irq].index;
    return true;
}

/* bus_setup_intr(): the entry, then the device may send. */
void mini_irq_setup(u_int irq, struct mini_device *dev, u_int msg,
                    void (*filter)(void *arg), void *arg)
{
    struct host_irq *h = &g.irq[irq];
    u_int handle;

    sx_xlock(&g.lock);
    mini_check(h->used && !h->active);
    h->filter = filter;
    h->arg = arg;
    h->dev = dev;
    h->msg = msg;
    h->cpu = any_cpu();
    h->active = true;
    shim_vector_set(vector_of(irq, h->turn), filter, arg);
    mini_dmar_program(h->unit, h->index, h->sid, h->cpu,
                      vector_of(irq, h->turn));
    handle = dev->msi ? h->first : h->index;
    mini_device_unmask(dev, msg,
                       0xfee00000 | (uint64_t)handle << 5 | 0x10 |
                           (dev->msi ? 0x8 : 0),
                       dev->msi ? h->index - h->first : 0);
    sx_xunlock(&g.lock);
}

/* bus_teardown_intr(): the device is masked. The entry stays, as FreeBSD's
 * does, until the interrupt is freed. */
void mini_irq_teardown(u_int irq, struct mini_device *dev, u_int msg)
{
    struct host_irq *h = &g.irq[irq];

    sx_xlock(&g.lock);
    mini_check(h->active);
    h->active = false;
    mini_device_mask(dev, msg);
    shim_vector_clear(vector_of(irq, h->turn));
    sx_xunlock(&g.lock);
}

void mini_irq_rebind(u_int irq, u_int cpu)
{
    struct host_irq *h = &g.irq[irq];
    u_int old;

    sx_xlock(&g.lock);
    if (h->used && h->active) {
        old = h->turn;
        h->cpu = cpu;
        h->turn = 1 - old;
        shim_vector_set(vector_of(irq, h->turn), h->filter, h->arg);
        mini_dmar_program(h->unit, h->index, h->sid, cpu,
                          vector_of(irq, h->turn));
        /* The unit's wait stands for this: what went through the old entry
         * has arrived. Here the device carries it to the CPU itself. */
        mini_device_settle(h->dev, h->msg);
        shim_vector_clear(vector_of(irq, old));
    }
    sx_xunlock(&g.lock);
}
