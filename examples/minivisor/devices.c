/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Who raises interrupts beside the guests themselves: the assigned devices, on
 * CPU_UNIT, whose messages go through the remapping unit; and an emulated
 * device, on CPU_MAIN, which posts by software. Chance decides when. Each
 * source waits until the guest has seen what it has raised, as a device does
 * whose driver acknowledges events; that it never does is how a lost interrupt
 * shows. Several messages can come before that, and then merge.
 */

#include "minivisor.h"

/* How many interrupts one source raises in a run. */
#define EVENTS_DEVICE   120
#define EVENTS_EMULATED 60

/* Between two events of a source, in microseconds, at most. */
#define GAP_US          400

/* A source whose interrupt is not seen within this time has lost it. Far more
 * than a vCPU ever waits for a pCPU. */
#define LATE_US         200000

/* Messages raised without waiting, at most. */
#define BURST           3

/* One source's pace. */
struct pace {
    unsigned int source;
    uint64_t next;    /* when to raise again */
    uint64_t due;     /* when what was raised last must have been seen */
    atomic_uint left; /* to raise */
    atomic_bool late;
};

static struct pace device_pace[INTERRUPTS];
static struct pace emulated_pace[VCPUS];
static uint64_t device_random;
static uint64_t emulated_random;

static void start_pace(struct pace *p, unsigned int source, unsigned int count)
{
    p->source = source;
    p->left = count;
}

/* May the source raise now? Says also if it waits in vain. */
static bool is_ready(struct pace *p)
{
    const uint64_t now = now_us();

    if (!account_is_seen(p->source)) {
        if (now > p->due && !p->late) {
            p->late = true;
            account_late(p->source);
        }
        return false;
    }
    return p->left != 0 && now >= p->next;
}

/* So many messages now. They count as raised at the end of the burst: when none
 * is left, and all events are seen, the source is silent. */
static unsigned int start_burst(struct pace *p, uint64_t *random)
{
    const unsigned int n =
        chance(random, 3) == 0 ? 1 + chance(random, BURST) : 1;

    p->next = now_us() + chance(random, GAP_US);
    p->due = now_us() + LATE_US;
    return n < p->left ? n : p->left;
}

static bool is_over(const struct pace *paces, unsigned int count)
{
    bool over = true;

    for (unsigned int i = 0; i < count; i++)
        over &= paces[i].late ||
                (paces[i].left == 0 && account_is_seen(paces[i].source));
    return over;
}

bool devices_done(void *arg)
{
    (void)arg;
    return is_over(device_pace, INTERRUPTS);
}

/* Devices. */

static struct vcpu *vcpu_of(uint64_t pda)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (host.vcpu[i].pda == pda)
            return &host.vcpu[i];
    }
    panic("posted to %lx, which is no vCPU's descriptor", pda);
}

static bool follows(const struct vtdpi_model_result *r, unsigned int route)
{
    return r->outcome == VTDPI_MODEL_POSTED && ROUTE_IS_POSTED(route) &&
           r->pda == ROUTE_VCPU(route)->pda && r->vector == ROUTE_VECTOR(route);
}

/* Once a change has returned, no unit may use the old entry. During one, either
 * will do. */
static bool is_stale(const struct interrupt *i, unsigned int generation,
                     unsigned int route, const struct vtdpi_model_result *r)
{
    return generation % 2 == 0 && atomic_load(&i->generation) == generation &&
           !follows(r, route) &&
           (r->outcome == VTDPI_MODEL_POSTED || ROUTE_IS_POSTED(route));
}

static void posted(unsigned int source, const struct vtdpi_model_result *r,
                   bool even)
{
    struct vcpu *const v = vcpu_of(r->pda);

    account_raised(v, r->vector, r->merged, even);
    atomic_fetch_add(&counts.by_unit, 1);
    atomic_fetch_add(&counts.merged_unit, r->merged);
    timeline(EVENT_POSTS, source, r->vector, v->number,
             r->notified ? r->notification.nv : timeline_why_none(v));
}

/* Remapped form: an ordinary interrupt, to the pCPU that the entry names. */
static void remapped(unsigned int source, const struct vtdpi_model_result *r)
{
    atomic_fetch_add(&counts.remapped, 1);
    timeline(EVENT_REMAPPED, source, r->vector, scheduler_pcpu(r->dest)->number,
             0);
    apic_ipi(r->dest, r->vector);
}

/* One message. False: in remapped form, of which the local APIC merges several
 * before any software can count them. */
static bool raise(struct interrupt *i)
{
    const unsigned int generation = atomic_load(&i->generation);
    const unsigned int route = atomic_load(&i->route);
    const bool even = account_is_even(ROUTE_VCPU(route), ROUTE_VECTOR(route));
    struct vtdpi_model_result r;

    atomic_fetch_add(&guest.events[i->number], 1);
    switch (
        vtdpi_model_msi(&host.model, i->rid,
                        (uint64_t)i->msi.address_hi << 32 | i->msi.address_lo,
                        i->msi.data, &r)) {
    case VTDPI_MODEL_POSTED:
        posted(i->number, &r, even && follows(&r, route));
        break;
    case VTDPI_MODEL_REMAPPED:
        remapped(i->number, &r);
        break;
    default:
        panic("device interrupt %u is blocked, reason %x", i->number, r.reason);
    }
    if (is_stale(i, generation, route, &r))
        account_stale();
    return r.outcome == VTDPI_MODEL_POSTED;
}

static void device_step(struct interrupt *i, struct pace *p)
{
    unsigned int n;
    unsigned int raised = 1;

    if (!is_ready(p))
        return;
    n = start_burst(p, &device_random);
    while (raise(i) && raised < n)
        raised++;
    p->left -= raised;
}

void devices_loop(void *arg)
{
    (void)arg;
    interrupts_off();
    device_random = chance_start(100);
    for (unsigned int i = 0; i < INTERRUPTS; i++)
        start_pace(&device_pace[i], i, EVENTS_DEVICE);
    for (unsigned int turn = 0; !atomic_load(&host.stop_unit); turn++) {
        /* The unit's work: the invalidation queue. */
        (void)vtdpi_model_fetch(&host.model, VTDPI_MODEL_FETCH_MAX);
        (void)vtdpi_model_complete(&host.model, VTDPI_MODEL_FETCH_MAX);
        if (!atomic_load(&host.start_devices))
            continue;
        for (unsigned int i = 0; i < INTERRUPTS; i++)
            device_step(&host.interrupts[i], &device_pace[i]);
        account_watch(&host.vcpu[turn % VCPUS]);
    }
}

/* The emulated device. */

/* As vtdpi_vcpu_post(), in its two halves, since record tells whether the
 * vector merged into one that waits already. */
static void post(struct vcpu *v, uint8_t vector)
{
    const bool even = account_is_even(v, vector);
    struct vtdpi_notification n;
    bool merged;

    atomic_fetch_add(&guest.events[SOURCE_EMULATED + v->number], 1);
    merged = vtdpi_pid_record(vtdpi_vcpu_pid(&v->pi), vector);
    if (chance(&emulated_random, 2) == 0)
        dawdle(&emulated_random); /* PIR without ON, for a while */
    n = vtdpi_pid_notify(vtdpi_vcpu_pid(&v->pi), false);
    if (n.result == VTDPI_POST_NOTIFY)
        vtdpi_vcpu_send(&v->pi, &n);
    account_raised(v, vector, merged, even);
    atomic_fetch_add(&counts.by_software, 1);
    atomic_fetch_add(&counts.merged_software, merged);
    timeline(EVENT_POSTS, SOURCE_EMULATED + v->number, vector, v->number,
             timeline_post(n.result, n.nv));
}

static void emulated_step(struct vcpu *v, struct pace *p)
{
    unsigned int n;

    if (!is_ready(p))
        return;
    n = start_burst(p, &emulated_random);
    for (unsigned int i = 0; i < n; i++)
        post(v, (uint8_t)(VECTOR_EMULATED + v->number));
    p->left -= n;
}

void emulated_loop(void)
{
    emulated_random = chance_start(101);
    for (unsigned int i = 0; i < VCPUS; i++)
        start_pace(&emulated_pace[i], SOURCE_EMULATED + i, EVENTS_EMULATED);
    while (!is_over(emulated_pace, VCPUS)) {
        for (unsigned int i = 0; i < VCPUS; i++)
            emulated_step(&host.vcpu[i], &emulated_pace[i]);
    }
}
