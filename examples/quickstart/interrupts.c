/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The interrupts of the assigned devices: how a host calls irq.h, and devices
 * that raise them. Each has a host form (a pCPU and a host vector) and, nearly
 * always, a posted form (a vCPU and a guest vector) side by side. The guest's
 * messages decide about the posted form, see vm.c.
 */

#include "demo.h"

static struct interrupt *pick(struct demo *d)
{
    return &d->interrupts[world_random(d, INTERRUPTS)];
}

/* A vector of its own range, so that lines of the timeline tell devices apart:
 * 21h and up for the first interrupt, 41h for the second, ... */
static uint8_t pick_vector(struct demo *d, const struct interrupt *i)
{
    return (uint8_t)(0x20 * (i->number + 1) + 1 + world_random(d, 0x1f));
}

/* Set up and take down. */

static void set_host_form(struct interrupt *i)
{
    const struct vtdpi_irte_remapped form = {
        .present = true,
        .dlm = VTDPI_DLM_FIXED,
        .mode = VTDPI_X2APIC,
        .vector = (uint8_t)(HOST_VECTOR + i->number),
        .dst = i->host_cpu->apic_id,
    };

    int rc;

    i->changing = true;
    rc = vtdpi_irq_set_host(&i->pi, &form); /* without the lock of the VM */
    i->changing = false;
    /* DEFERRED: on another CPU a change has the interrupt, and sets the form. */
    must(rc == VTDPI_IRQ_DEFERRED ? 0 : rc, "vtdpi_irq_set_host");
}

/* What the guest's driver writes into the registers of its device. */
static void write_message(struct demo *d, struct interrupt *i)
{
    const struct vtdpi_msi message = {
        .address_lo = UINT32_C(0xfee00000) | i->vcpu->number << 12,
        .data = (i->level ? 0xc000 : 0u) | i->vector,
    };

    vm_write_message(d, i, &message);
}

/* Another hypervisor has set it up. The entry stays as it is: only the host form
 * is set anew, since the host vector is the new hypervisor's. */
void interrupts_adopt(struct demo *d, struct interrupt *i, uint32_t index)
{
    const struct vtdpi_source source =
        vtdpi_source_exact(i->device->sid, VTDPI_SQ_ALL);
    const struct vtdpi_backend *const backend = vtdpi_table_backend(&d->table);
    const struct vtdpi_irte live = d->entries[index];

    if (vtdpi_irte_is_posted(&live))
        must(vtdpi_irq_adopt(&i->pi, backend, index, &source, &live,
                             &i->vcpu->pi),
             "vtdpi_irq_adopt");
    else
        must(vtdpi_irq_init(&i->pi, backend, index, &source, &live),
             "vtdpi_irq_init");
    set_host_form(i);
    vm_adopt(d, i);
}

static void start(struct demo *d, struct interrupt *i, uint32_t index)
{
    /* Only this device may raise it. */
    const struct vtdpi_source source =
        vtdpi_source_exact(i->device->sid, VTDPI_SQ_ALL);

    must(vtdpi_irq_init(&i->pi, vtdpi_table_backend(&d->table), index, &source,
                        NULL),
         "vtdpi_irq_init");
    i->host_cpu = &d->pcpu[i->number % HOTPLUGGED];
    set_host_form(i);
    vm_bind(d, i);
    i->vcpu = &d->vcpu[i->number % VCPUS];
    i->vector = pick_vector(d, i);
    write_message(d, i);
}

void interrupts_start(struct demo *d)
{
    for (unsigned int n = 0; n < DEVICES; n++) {
        struct vtdpi_msi msi;
        uint32_t first;

        must(vtdpi_table_alloc(&d->table, MESSAGES, &d->devices[n], &first),
             "vtdpi_table_alloc");
        must(vtdpi_msi_encode_block(first, MESSAGES, &msi),
             "vtdpi_msi_encode_block");
        for (unsigned int m = 0; m < MESSAGES; m++) {
            struct interrupt *const i = &d->interrupts[n * MESSAGES + m];

            i->device = &d->devices[n];
            i->number = n * MESSAGES + m;
            i->which = m;
            i->msi = msi;
            start(d, i, first + m);
        }
    }
}

void interrupts_stop(struct demo *d)
{
    for (unsigned int n = 0; n < INTERRUPTS; n++) {
        vm_unbind(d, &d->interrupts[n]);
        must(vtdpi_irq_teardown(&d->interrupts[n].pi), "vtdpi_irq_teardown");
    }
    for (unsigned int n = 0; n < INTERRUPTS; n += MESSAGES)
        must(vtdpi_table_free(&d->table, vtdpi_irq_index(&d->interrupts[n].pi),
                              MESSAGES),
             "vtdpi_table_free");
}

/* A device raises one. */

static struct vcpu *vcpu_of(struct demo *d, uint64_t pda)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (d->vcpu[i].pda == pda)
            return &d->vcpu[i];
    }
    return NULL;
}

static void posted(struct demo *d, const struct vtdpi_model_result *r)
{
    struct vcpu *const v = vcpu_of(d, r->pda);

    if (v == NULL) {
        d->account.blocked++;
        return;
    }
    account_raised(d, v, r->vector, r->merged);
    line_what(d, "posts %02x to v%u", r->vector, v->number);
    if (r->merged)
        line_then(d, "merged");
    if (!r->notified)
        line_none(d, v);
}

static void remapped(struct demo *d, const struct vtdpi_model_result *r)
{
    struct pcpu *const p = machine_pcpu(d, r->dest);

    d->account.remapped++;
    d->account.remapped_merged += p->pending[r->vector];
    p->pending[r->vector] = true;
    line_what(d, "remapped to p%u, host vector %02x", p->number, r->vector);
}

/* Where the guest's message says. */
static bool follows(const struct interrupt *i,
                    const struct vtdpi_model_result *r)
{
    return i->level ? r->outcome == VTDPI_MODEL_REMAPPED
                    : r->outcome == VTDPI_MODEL_POSTED &&
                          r->pda == i->vcpu->pda && r->vector == i->vector;
}

/* Once a change has returned, no unit may use the old entry. */
static bool is_stale(const struct demo *d, const struct interrupt *i,
                     const struct vtdpi_model_result *r)
{
    struct vtdpi_irte live;

    if (i->changing || d->replacing)
        return false;
    live = vtdpi_irq_live(&i->pi);
    return (r->irte[0] != live.lo || r->irte[1] != live.hi || !follows(i, r));
}

bool interrupts_raise(struct demo *d)
{
    struct interrupt *const i = pick(d);
    struct vtdpi_model *const hardware = &d->units[i->device->unit].hardware;
    struct vtdpi_model_result r;
    struct line line;

    if (i->masked)
        return false;
    line_begin(d, &line, "%s.%u", i->device->name, i->which);
    d->account.exits_remapping_only += i->host_cpu->in_guest;
    d->account.while_replaced += d->replacing;
    switch (
        vtdpi_model_msi(hardware, i->device->sid,
                        (uint64_t)i->msi.address_hi << 32 | i->msi.address_lo,
                        i->msi.data + i->which, &r)) {
    case VTDPI_MODEL_POSTED:
        posted(d, &r);
        break;
    case VTDPI_MODEL_REMAPPED:
        remapped(d, &r);
        break;
    default:
        d->account.blocked++;
        line_what(d, "is blocked, reason %02xh", r.reason);
        break;
    }
    d->account.stale += is_stale(d, i, &r);
    line_end(d, &line);
    return true;
}

/* Changes, one at a time: this host has one thread for them. */

/* The guest moves an interrupt to another vCPU. */
bool interrupts_retarget(struct demo *d)
{
    struct interrupt *const i = pick(d);
    struct line line;

    if (d->between || i->level)
        return false;
    line_begin(d, &line, "%s.%u", i->device->name, i->which);
    line_what(d, "moves from v%u to ", i->vcpu->number);
    i->vcpu = &d->vcpu[world_random(d, VCPUS)];
    i->vector = pick_vector(d, i);
    line_what(d, "v%u, vector %02x", i->vcpu->number, i->vector);
    d->account.retargets++;
    write_message(d, i);
    line_then(d, "entry flushed");
    line_end(d, &line);
    return true;
}

static bool is_on_its_way(const struct demo *d, const struct interrupt *i)
{
    for (unsigned int p = 0; p < PCPUS; p++) {
        if (d->pcpu[p].pending[HOST_VECTOR + i->number])
            return true;
    }
    return false;
}

/* The guest makes an interrupt of the last device level-triggered for a while. A
 * host has to see the EOI of such an interrupt, so it is not posted, and the host
 * relays it. None is on its way then: had it come by the other message, the library
 * would post it in vtdpi_vm_deliver(), where the account does not see whether it
 * merged. */
bool interrupts_change_form(struct demo *d)
{
    struct interrupt *const i =
        &d->interrupts[INTERRUPTS - 1 - world_random(d, MESSAGES)];
    struct line line;

    if (d->between || is_on_its_way(d, i) ||
        (!i->level && world_random(d, 2) != 0))
        return false;
    line_begin(d, &line, "%s.%u", i->device->name, i->which);
    if (i->level) {
        line_what(d, "is posted again, to v%u", i->vcpu->number);
    } else {
        line_what(d, "falls back to host form, p%u", i->host_cpu->number);
        d->account.falls++;
    }
    i->level = !i->level;
    vm_mask(d, i);
    write_message(d, i);
    vm_unmask(d, i);
    line_then(d, "entry flushed");
    line_end(d, &line);
    return true;
}

/* The host's affinity code moves a host form. */
bool interrupts_move_host_form(struct demo *d)
{
    struct interrupt *const i = pick(d);
    struct line line;

    if (d->between)
        return false;
    line_begin(d, &line, "%s.%u", i->device->name, i->which);
    i->host_cpu = &d->pcpu[world_random(d, HOTPLUGGED)];
    line_what(d, "host form moves to p%u", i->host_cpu->number);
    set_host_form(i);
    line_then(d, "%s", i->level ? "entry flushed" : "stored only");
    line_end(d, &line);
    return true;
}
