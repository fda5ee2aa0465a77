/* SPDX-License-Identifier: BSD-2-Clause */
/* A pCPU's thread: its interrupts, its guest, what it does with vCPUs. */
#include "world.h"
#include "world_internal.h"
#include "vtdpi/sched.h"

static void handle(struct pcpu *p, uint8_t vector)
{
    host_handling = p;
    (void)vtdpi_pcpu_handle_wakeup(&p->lib, vector);
    host_handling = NULL;
    p->handled++;
}

/* The vectors that a local APIC delivers in host mode. */
static bool take_interrupts(struct pcpu *p)
{
    bool any = false;

    for (unsigned int i = 0; i < 4; i++) {
        uint64_t vectors = vtdpi_atomic_load64(&p->pending[i]);

        if (vectors != 0)
            vectors = vtdpi_atomic_xchg64(&p->pending[i], 0);
        any = any || vectors != 0;
        for (; vectors != 0; vectors &= vectors - 1) {
            const uint8_t vector =
                (uint8_t)(i * 64 + (unsigned int)__builtin_ctzll(vectors));

            /* ANV: EOI and nothing else. */
            if (vector == ANV)
                continue;
            handle(p, vector);
        }
    }
    return any;
}

static bool is_pending(const struct pcpu *p, uint8_t vector)
{
    return (vtdpi_atomic_load64(&p->pending[vector / 64]) &
            (UINT64_C(1) << (vector % 64))) != 0;
}

static bool wakeup_is_pending(const struct pcpu *p)
{
    bool any = false;

    for (uint32_t n = 0; n < p->w->names.wnv_count; n++)
        any = any || is_pending(p, p->w->names.wnv[n]);
    return any;
}

static bool harvest(struct vcpu *v)
{
    uint64_t pir[VTDPI_PIR_WORDS];

    return vtdpi_vcpu_sync(&v->lib, pir) && host_deliver(&v->got, pir);
}

/* What the processor does with ANV in the guest; in words of its own, since it
 * is not the library's code. */
static void process_posted(struct pcpu *p, struct vcpu *v)
{
    uint64_t *pid = (uint64_t *)(void *)vtdpi_vcpu_pid(&v->lib);
    uint64_t pir[VTDPI_PIR_WORDS];

    host_forget(p, ANV);
    (void)vtdpi_atomic_and64(&pid[4], ~UINT64_C(1)); /* ON */
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        pir[i] = vtdpi_atomic_xchg64(&pid[i], 0);
    (void)host_deliver(&v->got, pir);
    p->processed++;
}

/* One stay in the guest: interrupts are off from the harvest to the entry,
 * which here means that the local APIC is not looked at. */
static void run_guest(struct pcpu *p)
{
    uint32_t steps = race_below(&p->rng, 8);

    (void)harvest(p->current);
    p->entries++;
    for (; steps > 0 && !wakeup_is_pending(p); steps--) {
        if (is_pending(p, ANV))
            process_posted(p, p->current);
        else if (race_one_in(&p->rng, 4))
            race_yield();
    }
}

static struct vcpu *put_down(struct pcpu *p)
{
    struct vcpu *v = p->current;

    vtdpi_vcpu_preempt(&v->lib);
    p->current = NULL;
    return v;
}

static void requeue(struct pcpu *p)
{
    host_queue(p->w, put_down(p));
}

static enum vtdpi_block_result block_somewhere(struct pcpu *p, uint32_t tries)
{
    const bool choose = tries == 0 && race_one_in(&p->rng, 2);
    /* pCPU 0 is never offline. */
    const uint32_t n = tries > PCPUS ? 0 : race_below(&p->rng, PCPUS);
    struct vtdpi_pcpu *to =
        choose ? vtdpi_pcpu_choose(&p->lib, 2, NULL) : &p->w->pcpu[n].lib;

    p->blocks++;
    host_pcpu(to)->blocks_of[p->current - p->w->vcpu]++;
    /* From now on a wake prevents the sleep. */
    (void)vtdpi_atomic_xchg64(&p->current->woken, 0);
    if (race_one_in(&p->rng, 4))
        return vtdpi_vcpu_block_committed(&p->current->lib, to);
    return vtdpi_vcpu_block(&p->current->lib, to);
}

/* The vCPU is armed. It sleeps, unless it was woken since; or the host does one of
 * the odd things that are allowed here. */
static void fall_asleep(struct pcpu *p)
{
    struct vcpu *v = p->current;

    if (race_one_in(&p->rng, 8) && harvest(v)) {
        vtdpi_vcpu_run(&v->lib, &p->lib);
        return;
    }
    if (race_one_in(&p->rng, 16)) {
        requeue(p);
        return;
    }
    p->current = NULL;
    p->sleeps++;
    if (host_sleep(v))
        return; /* not ours any more */
    p->current = v;
    if (race_one_in(&p->rng, 2))
        vtdpi_vcpu_run(&v->lib, &p->lib);
    else
        requeue(p);
}

/* The guest has halted with nothing deliverable. Afterwards the vCPU sleeps, is
 * queued, or runs here. */
static void halt(struct pcpu *p)
{
    for (uint32_t tries = 0;; tries++) {
        const enum vtdpi_block_result r = block_somewhere(p, tries);

        if (r == VTDPI_BLOCKED && !race_one_in(&p->rng, 8)) {
            fall_asleep(p);
            return;
        }
        /* Offline: elsewhere. Blocked: once more, from the blocked state. */
        if (r == VTDPI_BLOCK_PENDING &&
            (harvest(p->current) || race_one_in(&p->rng, 4))) {
            vtdpi_vcpu_run(&p->current->lib, &p->lib);
            return;
        }
    }
}

static void decide(struct pcpu *p)
{
    struct vcpu *v = p->current;

    switch (race_below(&p->rng, 16)) {
    case 0:
    case 1:
        requeue(p);
        break;
    case 2:
        host_pause(p->w, put_down(p));
        break;
    case 3:
        vtdpi_vcpu_preempt(&v->lib);
        vtdpi_vcpu_run(&v->lib, &p->lib);
        break;
    case 4:
        vtdpi_vcpu_preempt(&v->lib);
        halt(p);
        break;
    case 5:
        vtdpi_vcpu_run(&v->lib, &p->lib);
        break;
    case 6:
    case 7:
        break;
    default:
        halt(p);
        break;
    }
}

static bool pick_up(struct pcpu *p)
{
    p->current = host_dequeue(p->w);
    if (p->current == NULL)
        return false;
    vtdpi_vcpu_run(&p->current->lib, &p->lib);
    return true;
}

static void drop_interrupts(struct pcpu *p)
{
    host_forget(p, ANV);
    host_forget_wakeups(p);
}

/* On the way down, or down. */
static void leave(struct pcpu *p, uint64_t mode)
{
    if (mode == PCPU_LEAVING && p->current != NULL)
        requeue(p);
    if (mode == PCPU_LEAVING || mode == PCPU_EMPTY)
        (void)take_interrupts(p);
    else
        drop_interrupts(p);
    if (mode == PCPU_LEAVING || mode == PCPU_DYING)
        (void)vtdpi_atomic_xchg64(&p->mode, mode + 1);
    /* This thread says so itself: it has dropped for the last time. */
    if (mode == PCPU_STARTING)
        (void)vtdpi_atomic_xchg64(&p->mode, PCPU_UP);
    race_yield();
}

void host_storm(struct pcpu *p)
{
    const uint64_t mode = vtdpi_atomic_load64(&p->mode);

    if (mode != PCPU_UP) {
        leave(p, mode);
        return;
    }
    (void)take_interrupts(p);
    if (race_one_in(&p->rng, 16))
        host_resume_one(p->w);
    if (p->current == NULL && !pick_up(p)) {
        race_yield();
        return;
    }
    run_guest(p);
    (void)take_interrupts(p);
    decide(p);
}

void host_settle_begin(struct pcpu *p)
{
    /* pCPU 0 is left to run those who are woken. */
    p->in_guest =
        p->current != NULL && p->number != 0 && race_one_in(&p->rng, 2);
    if (p->in_guest)
        (void)harvest(p->current);
}

/* The guest goes on; only a wakeup makes it exit. */
static bool settle_in_guest(struct pcpu *p)
{
    if (wakeup_is_pending(p)) {
        (void)take_interrupts(p);
        (void)harvest(p->current);
        return true;
    }
    if (!is_pending(p, ANV))
        return false;
    process_posted(p, p->current);
    return true;
}

bool host_settle(struct pcpu *p)
{
    bool any;

    if (vtdpi_atomic_load64(&p->mode) != PCPU_UP) {
        drop_interrupts(p);
        return false;
    }
    if (p->in_guest)
        return settle_in_guest(p);
    any = take_interrupts(p);
    if (p->current == NULL && !pick_up(p))
        return any;
    (void)harvest(p->current);
    halt(p);
    return true;
}
