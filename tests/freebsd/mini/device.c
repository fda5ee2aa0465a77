/* SPDX-License-Identifier: BSD-2-Clause */
/* A device: it sends the messages that are programmed into it. */
#include "mini.h"

#include "vtdpi/model.h"

/* Writes of a device are seen before the answer to a read that follows them,
 * so nobody changes a message while it is under way. */
static void begin(struct mini_message *m)
{
    while (__atomic_exchange_n(&m->busy, 1, __ATOMIC_ACQUIRE) != 0)
        shim_relax();
}

static void end(struct mini_message *m)
{
    __atomic_store_n(&m->busy, 0, __ATOMIC_RELEASE);
}

void mini_device_mask(struct mini_device *dev, u_int msg)
{
    struct mini_message *m = &dev->msg[msg];

    begin(m);
    m->enabled = false;
    end(m);
}

void mini_device_settle(struct mini_device *dev, u_int msg)
{
    begin(&dev->msg[msg]);
    end(&dev->msg[msg]);
}

void mini_device_unmask(struct mini_device *dev, u_int msg, uint64_t addr,
                        uint32_t data)
{
    struct mini_message *m = &dev->msg[msg];

    begin(m);
    m->enabled = true;
    m->addr = addr;
    m->data = data;
    end(m);
}

static void count_post(struct mini_device *dev,
                       const struct vtdpi_model_result *r)
{
    struct vcpu *v = mini_vcpu_of(r->pda);

    dev->posted++;
    if (v == NULL)
        shim_fail("%s has posted to a descriptor that is nobody's", dev->name);
    if (v->vm != __atomic_load_n(&dev->vm, __ATOMIC_SEQ_CST))
        shim_fail("%s has posted to another VM", dev->name);
    (void)__atomic_fetch_add(&v->account[r->vector].raised, 1,
                             __ATOMIC_RELAXED);
    if (r->merged)
        (void)__atomic_fetch_add(&v->account[r->vector].pir_merged, 1,
                                 __ATOMIC_RELAXED);
}

/* While nobody changes the guest's message, an entry that is posted names what
 * the guest has asked for. */
static void check_target(const struct mini_device *dev,
                         const struct mini_message *m, uint32_t seq,
                         const struct vtdpi_model_result *r)
{
    const struct vcpu *want = __atomic_load_n(&m->want, __ATOMIC_SEQ_CST);
    const uint32_t vector = __atomic_load_n(&m->want_vector, __ATOMIC_SEQ_CST);

    if (want == NULL || dev->lenient || seq % 2 != 0 ||
        __atomic_load_n(&m->seq, __ATOMIC_SEQ_CST) != seq)
        return;
    if (r->vector != vector || mini_vcpu_of(r->pda) != want)
        shim_fail("%s has posted %02x where the guest wants %02x on vCPU %u: "
                  "an old entry is in use",
                  dev->name, r->vector, (unsigned int)vector, want->id);
}

static void send(struct mini_device *dev, struct mini_message *m)
{
    const uint32_t seq = __atomic_load_n(&m->seq, __ATOMIC_SEQ_CST);
    struct vtdpi_model_result r;

    switch (vtdpi_model_msi(mini_dmar_model(dev->unit), (uint16_t)dev->sid,
                            m->addr, m->data, &r)) {
    case VTDPI_MODEL_POSTED:
        count_post(dev, &r);
        check_target(dev, m, seq, &r);
        break;
    case VTDPI_MODEL_REMAPPED:
        dev->remapped++;
        if (shim_lapic_send(r.dest, r.vector))
            dev->merged_host++;
        break;
    case VTDPI_MODEL_IN_FLIGHT:
        break;
    default:
        shim_fail("%s: its message was not taken: outcome %d, reason %x",
                  dev->name, (int)r.outcome, r.reason);
    }
}

bool mini_device_raise(struct mini_device *dev, u_int msg)
{
    struct mini_message *m = &dev->msg[msg];
    bool enabled;

    begin(m);
    enabled = m->enabled;
    if (enabled) {
        dev->raised++;
        send(dev, m);
    } else {
        dev->masked++;
    }
    end(m);
    return enabled;
}
