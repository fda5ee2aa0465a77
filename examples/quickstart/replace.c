/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The hypervisor is replaced: how a host calls what live update needs. The old one
 * hands over and its memory is overwritten. The new one takes over the table, the
 * units and the descriptors, while devices go on posting to them. Guests keep what
 * they have; none of their interrupts may be lost or come twice.
 *
 * docs/live-update.md has the sequence, and what each step is for.
 */

#include "demo.h"

#include <string.h>

/* What the old hypervisor's own memory holds afterwards. */
#define GARBAGE 0xa5

/* What the old hypervisor writes down for the new one. The guest's own state, and what
 * the guest has programmed, come beside this, as in any migration. */
struct handover {
    uint32_t slot[VCPUS];
    uint32_t index[INTERRUPTS];
};

/* The old hypervisor. */

/* Nobody runs: posts are recorded, and nobody is notified. No entry changes any more,
 * and all entries name descriptors that are handed over. */
static void hand_over(struct demo *d, struct handover *h)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        d->pcpu[i].in_guest = false;
        d->pcpu[i].running = NULL;
    }
    for (unsigned int i = 0; i < VCPUS; i++) {
        vtdpi_vcpu_preempt(&d->vcpu[i].pi);
        h->slot[i] = vtdpi_vcpu_slot(&d->vcpu[i].pi);
    }
    for (unsigned int i = 0; i < INTERRUPTS; i++)
        h->index[i] = vtdpi_irq_index(&d->interrupts[i].pi);
}

static void overwrite(void *memory, size_t size)
{
    memset(memory, GARBAGE, size);
}

/* All that the library has in the memory of the host. */
static void for_all_memory(struct demo *d, void (*f)(void *memory, size_t size))
{
    f(&d->sched, sizeof(d->sched));
    f(d->pages, sizeof(d->pages));
    f(d->pcpu_slots, sizeof(d->pcpu_slots));
    f(d->page, sizeof(d->page));
    for (unsigned int i = 0; i < PCPUS; i++) {
        f(&d->pcpu[i].pi, sizeof(d->pcpu[i].pi));
        f(d->pcpu[i].bitmap, sizeof(d->pcpu[i].bitmap));
    }
    for (unsigned int i = 0; i < VCPUS; i++)
        f(&d->vcpu[i].pi, sizeof(d->vcpu[i].pi));
    f(&d->table, sizeof(d->table));
    f(d->table_storage, vtdpi_table_storage_size(TABLE_ENTRIES));
    for (unsigned int i = 0; i < d->unit_count; i++) {
        f(&d->units[i].driver, sizeof(d->units[i].driver));
        f(&d->units[i].link, sizeof(d->units[i].link));
    }
    for (unsigned int i = 0; i < INTERRUPTS; i++) {
        f(&d->interrupts[i].pi, sizeof(d->interrupts[i].pi));
        f(&d->interrupts[i].binding, sizeof(d->interrupts[i].binding));
    }
    f(&d->vm, sizeof(d->vm));
    f(d->vm_apics, sizeof(d->vm_apics));
    f(d->vm_keys, sizeof(d->vm_keys));
    f(d->vm_vcpus, sizeof(d->vm_vcpus));
    f(d->vm_heads, sizeof(d->vm_heads));
}

/* The new hypervisor. */

static void zero(void *memory, size_t size)
{
    memset(memory, 0, size);
}

/* Vectors on their way to the old one get an EOI. What they tell is in PIR, and every
 * vCPU will look there. */
static void drop_notifications(struct demo *d)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        d->account.anv_in_host += d->pcpu[i].pending[ANV];
        d->pcpu[i].pending[ANV] = false;
        d->pcpu[i].pending[WNV] = false;
    }
}

static void adopt_pages(struct demo *d)
{
    host_start_sched(d);
    for (unsigned int i = 0; i < PID_PAGES; i++)
        must(vtdpi_sched_adopt_page(&d->sched, i, &d->page[i], d->pids[i],
                                    d->pids_phys[i]),
             "vtdpi_sched_adopt_page");
    drop_notifications(d);
    host_start_pcpus(d);
}

/* To exchange the queue, the unit's queue goes off while the unit remaps. The model
 * notes that as an error, since a driver that goes on with its own queue needs no such
 * thing. Anything else that it notes stays. */
static void forgive(struct unit *u, uint64_t before)
{
    if (before == 0 && vtdpi_model_violations(&u->hardware) == 1 &&
        vtdpi_model_first_violation(&u->hardware).kind ==
            VTDPI_MODEL_COMMAND_ORDER)
        vtdpi_model_clear_violations(&u->hardware);
}

static void adopt_units(struct demo *d)
{
    machine_start_table(d, true);
    for (unsigned int i = 0; i < d->unit_count; i++) {
        struct unit *const u = &d->units[i];
        const uint64_t before = vtdpi_model_violations(&u->hardware);

        machine_start_unit(d, u, true);
        forgive(u, before);
    }
    must(vtdpi_table_flush_all(&d->table), "vtdpi_table_flush_all");
}

/* All are woken: there may be something for them. */
static void adopt_vcpus(struct demo *d, const struct handover *h)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        struct vcpu *const v = &d->vcpu[i];

        must(vtdpi_vcpu_adopt(&d->sched, &v->pi, h->slot[i], v),
             "vtdpi_vcpu_adopt");
        v->last = NOWHERE;
        v->state = READY;
    }
}

static void adopt_interrupts(struct demo *d, const struct handover *h)
{
    uint32_t posted = 0;

    vm_start(d);
    for (unsigned int i = 0; i < INTERRUPTS; i++) {
        posted += d->interrupts[i].level ? 0 : 1;
        interrupts_adopt(d, &d->interrupts[i], h->index[i]);
    }
    must(vtdpi_table_posted(&d->table) == posted ? 0 : VTDPI_EBUG,
         "entries that post to nobody");
}

/* No entry names the slots that are left. */
static void release_slots(struct demo *d)
{
    uint32_t released = 0;

    for (uint32_t slot = 0; slot < PID_PAGES * VTDPI_PAGE_SLOTS; slot++)
        released += vtdpi_sched_release_slot(&d->sched, slot) == 0;
    must(released == PID_PAGES * VTDPI_PAGE_SLOTS - VCPUS ? 0 : VTDPI_EBUG,
         "slots that nobody has");
}

/* The event. */

/* While the old one hands over, while there is none, and while the new one takes over. */
static void replace(struct demo *d)
{
    struct handover h;

    hand_over(d, &h);
    for_all_memory(d, overwrite);
    world_goes_on(d);
    for_all_memory(d, zero);
    adopt_pages(d);
    adopt_units(d);
    adopt_vcpus(d, &h);
    adopt_interrupts(d, &h);
    release_slots(d);
}

bool replace_hypervisor(struct demo *d)
{
    const uint64_t before = d->account.while_replaced;
    struct line line;

    if (d->between)
        return false;
    line_begin(d, &line, "host");
    line.notable = true;
    line_what(d, "the hypervisor is replaced");
    world_begin_replacement(d);
    replace(d);
    world_end_replacement(d);
    d->account.replacements++;
    line_then(d, "devices sent %u in that time",
              (unsigned int)(d->account.while_replaced - before));
    line_end(d, &line);
    return true;
}
