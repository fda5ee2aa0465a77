/* SPDX-License-Identifier: BSD-2-Clause */
/* pCPUs that go offline, vCPUs that come and go. */
#include "sources.h"

#include <string.h>

/* Asks a pCPU's thread for something, and waits until it is done. */
static void ask(struct pcpu *p, enum pcpu_mode what)
{
    (void)vtdpi_atomic_xchg64(&p->mode, (uint64_t)what);
    while (vtdpi_atomic_load64(&p->mode) == (uint64_t)what)
        race_yield();
}

static void go_offline(struct pcpu *p)
{
    ask(p, PCPU_LEAVING);
    (void)vtdpi_pcpu_offline(&p->lib);
    ask(p, PCPU_DYING);
}

static void go_online(struct pcpu *p)
{
    ask(p, PCPU_STARTING);
    vtdpi_pcpu_online(&p->lib);
}

void source_offline(struct source *s)
{
    /* pCPU 0 stays. */
    struct pcpu *p = &s->w->pcpu[1 + race_below(&s->rng, PCPUS - 1)];

    if (race_one_in(&s->rng, 4)) {
        /* Its local APIC forgets, as in S3; then the mandatory scan. */
        host_forget_wakeups(p);
        (void)vtdpi_pcpu_rescan(&p->lib);
    } else if (vtdpi_atomic_load64(&p->mode) == PCPU_UP) {
        go_offline(p);
    } else {
        go_online(p);
    }
}

/* A slot in a leaf word in which vCPUs of others have slots, too, with any wakeup
 * vector; or in the chunk that came last. */
static uint32_t slot_of(struct source *s, uint32_t n)
{
    const uint32_t grown = s->w->grown;
    uint32_t page = n % PAGES;

    if (grown != 0 && race_one_in(&s->rng, 2))
        page = ROOM + (grown - 1) * VTDPI_CHUNK_PAGES;
    return page * 64 + 40 + n;
}

static void arrive(struct source *s, struct vcpu *v)
{
    uint32_t slot;
    int rc;

    if (s->w->grown < CHUNKS && race_one_in(&s->rng, 8))
        host_grow(s->w);
    slot = slot_of(s, race_below(&s->rng, GUESTS));
    v->alive = true;
    rc = vtdpi_vcpu_attach(&s->w->sched, &v->lib, slot, v);
    if (rc != 0) {
        race_check(rc == VTDPI_ESLOTBUSY);
        v->alive = false;
        s->busy++;
    }
}

static void drain(struct vcpu *v)
{
    uint64_t pir[VTDPI_PIR_WORDS];

    (void)vtdpi_vcpu_sync(&v->lib, pir);
}

static void depart(struct source *s, struct vcpu *v)
{
    race_check(vtdpi_vcpu_ref(&v->lib) == 0);
    race_check(vtdpi_vcpu_hold(&v->lib) == 0);
    race_check(vtdpi_vcpu_detach_begin(&v->lib) == VTDPI_EBUSY);
    vtdpi_vcpu_unref(&v->lib);
    race_check(vtdpi_vcpu_detach_begin(&v->lib) == VTDPI_EBUSY);
    vtdpi_vcpu_unhold(&v->lib);
    race_check(vtdpi_vcpu_detach_begin(&v->lib) == 0);
    race_check(vtdpi_vcpu_ref(&v->lib) == VTDPI_ECLOSED);
    race_check(vtdpi_vcpu_hold(&v->lib) == VTDPI_ECLOSED);
    while (!vtdpi_vcpu_detach_poll(&v->lib)) {
        s->busy++;
        race_yield();
    }
    /* From here on no other thread may use the vCPU. All writes are plain, so
     * ThreadSanitizer reports a thread that does. */
    v->alive = false;
    v->woken = 0;
    memset(&v->lib, 0, sizeof(v->lib));
}

/* Blocks, and gives the pCPU a reason to scan. */
static void block(struct source *s, struct vcpu *v)
{
    struct pcpu *p = &s->w->pcpu[race_below(&s->rng, PCPUS)];

    (void)vtdpi_atomic_xchg64(&v->woken, 0);
    if ((race_one_in(&s->rng, 4)
             ? vtdpi_vcpu_block_committed(&v->lib, &p->lib)
             : vtdpi_vcpu_block(&v->lib, &p->lib)) != VTDPI_BLOCKED)
        drain(v);
    if (race_one_in(&s->rng, 2))
        race_yield();
    if (race_one_in(&s->rng, 2))
        (void)vtdpi_vcpu_post(&v->lib, 0x55, false);
}

void source_churn(struct source *s)
{
    struct vcpu *v = &s->w->guest[race_below(&s->rng, GUESTS)];

    if (!vtdpi_vcpu_attached(&v->lib)) {
        arrive(s, v);
        return;
    }
    switch (race_below(&s->rng, 4)) {
    case 0:
        vtdpi_vcpu_run(&v->lib, &s->w->pcpu[race_below(&s->rng, PCPUS)].lib);
        drain(v);
        vtdpi_vcpu_preempt(&v->lib);
        break;
    case 1:
        depart(s, v);
        break;
    default:
        block(s, v);
        break;
    }
}
