/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The hypervisor: how a host calls sched.h. Each event below is one that any
 * hypervisor has: a vCPU is scheduled in or out, halts, is woken; an interrupt
 * arrives; an emulated device raises one.
 */

#include "demo.h"

#include <string.h>

/* More than can happen elsewhere while one vCPU halts. */
#define HALT_TRIES   64

/* More than can be left over when nothing new is raised. */
#define SETTLE_STEPS 10000

/* Callbacks of the library. */

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    machine_notify(ctx, apic_id, vector);
}

static void wake(void *ctx, void *cookie)
{
    struct demo *const d = ctx;
    struct vcpu *const v = cookie;

    v->woken = true;
    if (v->state == ASLEEP) {
        v->state = READY;
        d->account.wakes++;
        line_then(d, "wakes v%u", v->number);
    }
}

/* Choosing by chance: one of those that fit, or NULL. */

static struct pcpu *pick_pcpu(struct demo *d, bool (*fits)(const struct pcpu *))
{
    struct pcpu *fit[PCPUS];
    uint32_t n = 0;

    for (unsigned int i = 0; i < PCPUS; i++) {
        if (!d->pcpu[i].busy && !d->pcpu[i].offline && fits(&d->pcpu[i]))
            fit[n++] = &d->pcpu[i];
    }
    return n == 0 ? NULL : fit[world_random(d, n)];
}

static struct vcpu *pick_ready(struct demo *d)
{
    struct vcpu *fit[VCPUS];
    uint32_t n = 0;

    for (unsigned int i = 0; i < VCPUS; i++) {
        if (d->vcpu[i].state == READY)
            fit[n++] = &d->vcpu[i];
    }
    return n == 0 ? NULL : fit[world_random(d, n)];
}

static bool is_idle(const struct pcpu *p)
{
    return p->running == NULL;
}

static bool is_in_guest(const struct pcpu *p)
{
    return p->in_guest;
}

static int highest_pending(const struct pcpu *p)
{
    for (int vector = VECTORS - 1; vector >= 0; vector--) {
        if (p->pending[vector])
            return vector;
    }
    return -1;
}

static bool has_interrupt(const struct pcpu *p)
{
    return highest_pending(p) >= 0;
}

static bool can_handle(const struct pcpu *p)
{
    return p->in_guest && guest_pending(&p->running->guest);
}

static bool can_halt(const struct pcpu *p)
{
    return p->in_guest && !guest_pending(&p->running->guest);
}

/* Events. */

/* What was posted goes into the virtual APIC. Only the vCPU's owner does it. */
static bool take(struct demo *d, struct vcpu *v)
{
    uint64_t taken[VTDPI_PIR_WORDS];

    if (!vtdpi_vcpu_sync(&v->pi, taken))
        return false;
    guest_receive(&v->guest, taken);
    line_then(d, "takes");
    line_vectors(d, taken);
    return true;
}

/* With interrupts off from the harvest to the entry: a notification that
 * arrives in between stays pending, and the processor acts on it in the
 * guest. */
static void enter_guest(struct demo *d, struct pcpu *p)
{
    (void)take(d, p->running);
    p->in_guest = true;
}

static void run(struct demo *d, struct pcpu *p)
{
    struct vcpu *const v = p->running;

    v->last = p->number;
    vtdpi_vcpu_run(&v->pi, &p->pi);
    enter_guest(d, p);
}

/* Asleep, unless a wake came while it was blocking. */
static void sleep_unless_woken(struct demo *d, struct pcpu *p)
{
    struct vcpu *const v = p->running;

    v->state = v->woken ? READY : ASLEEP;
    line_then(d, v->woken ? "woken already" : "sleeps");
    p->running = NULL;
}

static void halt(struct demo *d, struct pcpu *p, struct pcpu *where)
{
    struct vcpu *const v = p->running;

    /* Before a block, and nowhere else: from now on a wake counts. */
    v->woken = false;
    for (unsigned int tries = 0; tries < HALT_TRIES; tries++) {
        switch (vtdpi_vcpu_block(&v->pi, &where->pi)) {
        case VTDPI_BLOCKED:
            sleep_unless_woken(d, p);
            return;
        case VTDPI_BLOCK_PENDING:
            if (!take(d, v))
                break; /* ON without a vector: block again */
            line_then(d, "stays");
            run(d, p);
            return;
        case VTDPI_BLOCK_OFFLINE:
            line_then(d, "p%u offline", where->number);
            where = p; /* where this thread runs is online */
            break;
        case VTDPI_BLOCK_NOVECTOR:
            must(VTDPI_EBUG, "vtdpi_vcpu_block: no wakeup vector");
            break;
        }
    }
    must(VTDPI_EBUG, "vtdpi_vcpu_block: PENDING each time, over an empty PIR");
}

/* What the thread of a vCPU does when it has a pCPU: enter the guest; or halt
 * again, if it was woken for nothing, as when a pCPU goes offline. That is a
 * new block: under the old one no handler would wake the vCPU again. */
static void go_on(struct demo *d, struct pcpu *p)
{
    struct vcpu *const v = p->running;

    if (vtdpi_vcpu_is_blocked(&v->pi) && !take(d, v)) {
        line_what(d, "halts again on p%u", p->number);
        halt(d, p, p);
        return;
    }
    line_what(d, "runs on p%u", p->number);
    d->account.runs++;
    if (v->last != p->number && v->last != NOWHERE) {
        line_what(d, ", moved from p%u", v->last);
        d->account.migrations++;
    }
    run(d, p);
}

bool host_schedule(struct demo *d)
{
    struct vcpu *const v = pick_ready(d);
    struct pcpu *const p = pick_pcpu(d, is_idle);
    struct line line;

    if (v == NULL || p == NULL)
        return false;
    line_begin(d, &line, "v%u", v->number);
    p->busy = true;
    p->running = v;
    v->state = RUNNING;
    go_on(d, p);
    p->busy = false;
    line_end(d, &line);
    return true;
}

bool host_preempt(struct demo *d)
{
    struct pcpu *const p = pick_pcpu(d, is_in_guest);
    struct line line;

    if (p == NULL)
        return false;
    line_begin(d, &line, "v%u", p->running->number);
    line_what(d, "is preempted on p%u", p->number);
    d->account.preempts++;

    p->busy = true;
    p->in_guest = false;
    vtdpi_vcpu_preempt(&p->running->pi);
    p->running->state = READY;
    p->running = NULL;
    p->busy = false;
    line_end(d, &line);
    return true;
}

bool host_halt(struct demo *d)
{
    struct pcpu *const p = pick_pcpu(d, can_halt);
    struct pcpu *where = p;
    struct line line;

    if (p == NULL)
        return false;
    /* Now and then another pCPU takes the wakeup, for balance. */
    if (world_random(d, 4) == 0)
        where = &d->pcpu[world_random(d, PCPUS)];
    line_begin(d, &line, "v%u", p->running->number);
    line_what(d, "halts on p%u", p->number);
    if (where != p)
        line_what(d, ", wakeup by p%u", where->number);
    d->account.halts++;

    p->busy = true;
    p->in_guest = false;
    if (world_random(d, 4) == 0) {
        /* Preempted on the way, as any thread may be: SN is set for a while,
         * and what is posted then is recorded and nothing else. */
        line_then(d, "preempted first");
        vtdpi_vcpu_preempt(&p->running->pi);
    }
    halt(d, p, where);
    p->busy = false;
    line_end(d, &line);
    return true;
}

/* A pCPU that runs nothing goes offline. From then on its local APIC takes
 * nothing; vCPUs that were blocked there have been woken and halt elsewhere. */
bool host_hotplug(struct demo *d)
{
    struct pcpu *const p = &d->pcpu[HOTPLUGGED];
    struct line line;

    if (p->busy || p->running != NULL)
        return false;
    line_begin(d, &line, "p%u", p->number);
    p->busy = true;
    if (p->offline) {
        line_what(d, "comes online");
        vtdpi_pcpu_online(&p->pi);
        p->offline = false;
    } else {
        line_what(d, "goes offline");
        d->account.offlines++;
        (void)vtdpi_pcpu_offline(&p->pi);
        p->offline = true;
        memset(p->pending, 0, sizeof(p->pending));
    }
    p->busy = false;
    line_end(d, &line);
    return true;
}

/* As vtdpi_vcpu_post(), in its two halves, since record tells whether the
 * vector merged into one that waits already. */
static void post(struct demo *d, struct vcpu *v, uint8_t vector)
{
    const bool merged = vtdpi_pid_record(vtdpi_vcpu_pid(&v->pi), vector);

    account_raised(d, v, vector, merged);
    d->account.by_software++;
    d->account.by_software_merged += merged;
    line_what(d, "posts %02x to v%u", vector, v->number);
    if (merged)
        line_then(d, "merged");
    if (vtdpi_vcpu_notify(&v->pi, false) != VTDPI_POST_NOTIFY)
        line_none(d, v);
}

bool host_emulated_device(struct demo *d)
{
    struct vcpu *const v = &d->vcpu[world_random(d, VCPUS)];
    struct line line;

    line_begin(d, &line, "emu");
    post(d, v, (uint8_t)(0xe1 + world_random(d, 3)));
    line_end(d, &line);
    return true;
}

/* ANV in the guest: the processor acts on it by itself. */
static void active_notification(struct demo *d, struct pcpu *p)
{
    struct vcpu *const v = p->running;
    uint64_t taken[VTDPI_PIR_WORDS];

    if (!p->in_guest) {
        d->account.anv_in_host++;
        line_then(d, "EOI, nothing else");
        return;
    }
    d->account.anv_in_guest++;
    if (!processor_process_posted(vtdpi_vcpu_pid(&v->pi), taken)) {
        line_then(d, "nothing left to take");
        return;
    }
    guest_receive(&v->guest, taken);
    line_then(d, "v%u gets", v->number);
    line_vectors(d, taken);
}

/* A message that the library does not post by itself, here a level-triggered one.
 * A hypervisor sets the vector in the virtual IRR, has its EOI exit, and kicks the
 * vCPU. Here the descriptor stands for all that. */
static void inject(void *ctx, uint32_t vcpu, const struct vtdpi_compat_msi *msg)
{
    struct demo *const d = ctx;

    post(d, &d->vcpu[vcpu], msg->vector);
}

/* A device interrupt in remapped form: the host delivers the guest's message. */
static void relay(struct demo *d, unsigned int number)
{
    struct vtdpi_vm_delivery out;

    d->account.relayed++;
    line_what(d, ", ");
    must(vtdpi_vm_deliver(&d->vm, &d->interrupts[number].message, inject, d,
                          &out),
         "vtdpi_vm_deliver");
}

/* Any other vector in the guest is a VM exit. */
static void external_interrupt(struct demo *d, struct pcpu *p, uint8_t vector)
{
    const bool exits = p->in_guest;

    p->busy = true;
    p->in_guest = false;
    if (vector == WNV) {
        d->account.exits_wake += exits;
        if (vtdpi_pcpu_handle_wakeup(&p->pi, WNV) == 0)
            line_then(d, "wakes nobody");
    } else {
        d->account.exits_relay += exits;
        relay(d, vector - HOST_VECTOR);
    }
    if (exits)
        enter_guest(d, p);
    p->busy = false;
}

static void interrupt_on(struct demo *d, struct pcpu *p)
{
    const uint8_t vector = (uint8_t)highest_pending(p);
    struct line line;

    p->pending[vector] = false;
    line_begin(d, &line, "p%u", p->number);
    if (vector == ANV || vector == WNV)
        line_what(d, "takes %s", vector == ANV ? "ANV" : "WNV");
    else
        line_what(d, "takes %02x", vector);
    if (p->in_guest && vector != ANV)
        line_what(d, " (VM exit)");
    if (vector == ANV)
        active_notification(d, p);
    else
        external_interrupt(d, p, vector);
    line_end(d, &line);
}

bool host_interrupt(struct demo *d)
{
    struct pcpu *const p = pick_pcpu(d, has_interrupt);

    if (p == NULL)
        return false;
    interrupt_on(d, p);
    return true;
}

bool host_guest_handles(struct demo *d)
{
    struct pcpu *const p = pick_pcpu(d, can_handle);
    struct line line;

    if (p == NULL)
        return false;
    line_begin(d, &line, "v%u", p->running->number);
    line_what(d, "handles");
    line_vectors(d, p->running->guest.irr);
    guest_handle(&p->running->guest);
    line_end(d, &line);
    return true;
}

/* Everything on its way arrives, until all vCPUs sleep: what is then still in
 * a PIR is lost. */
void host_settle(struct demo *d)
{
    for (unsigned int n = 0; n < SETTLE_STEPS; n++) {
        if (!host_interrupt(d) && !host_guest_handles(d) && !host_schedule(d) &&
            !host_halt(d))
            return;
        account_check(d);
    }
}

/* Start and end. */

void host_start_pcpus(struct demo *d)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        struct pcpu *const p = &d->pcpu[i];

        p->number = i;
        p->apic_id = machine_apic_id(i);
        must(vtdpi_pcpu_init(&d->sched, &p->pi, i, p->apic_id, p->bitmap),
             "vtdpi_pcpu_init");
        if (!p->offline)
            vtdpi_pcpu_online(&p->pi);
    }
}

static void start_vcpus(struct demo *d)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        struct vcpu *const v = &d->vcpu[i];

        v->number = i;
        v->last = NOWHERE;
        /* Half of them on each page of descriptors. */
        must(vtdpi_vcpu_attach(&d->sched, &v->pi,
                               i % PID_PAGES * VTDPI_PAGE_SLOTS + i, v),
             "vtdpi_vcpu_attach");
        v->pda = vtdpi_vcpu_pda(&v->pi);
    }
}

void host_start_sched(struct demo *d)
{
    d->ops = (struct vtdpi_platform_ops){.send_ipi = send_ipi, .wake = wake};
    const struct vtdpi_sched_params params = {
        .ops = &d->ops,
        .ctx = d,
        .pages = d->pages,
        .max_pages = PID_PAGES,
        .pcpus = d->pcpu_slots,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
    };

    must(vtdpi_sched_init(&d->sched, &params), "vtdpi_sched_init");
}

void host_start(struct demo *d)
{
    host_start_sched(d);
    for (unsigned int i = 0; i < PID_PAGES; i++) {
        d->pids[i] = machine_memory(d, VTDPI_PAGE_SIZE, VTDPI_PAGE_SIZE,
                                    &d->pids_phys[i]);
        must(vtdpi_sched_add_page(&d->sched, i, &d->page[i], d->pids[i],
                                  d->pids_phys[i]),
             "vtdpi_sched_add_page");
    }
    host_start_pcpus(d);
    start_vcpus(d);
    vm_start(d);
}

void host_stop(struct demo *d)
{
    vm_stop(d);
    for (unsigned int i = 0; i < VCPUS; i++)
        must(vtdpi_vcpu_detach(&d->vcpu[i].pi), "vtdpi_vcpu_detach");
}
