/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's parts that any thread may call: queue, wake, local APICs. */
#include "world.h"
#include "world_internal.h"

#include <pthread.h>

struct run_queue {
    pthread_mutex_t lock;
    struct vcpu *first;
    struct vcpu **end;
    struct vcpu *paused;
};

static void append(struct run_queue *q, struct vcpu *v)
{
    v->next = NULL;
    *q->end = v;
    q->end = &v->next;
}

void host_queue(struct world *w, struct vcpu *v)
{
    struct run_queue *q = w->queue;

    race_check(pthread_mutex_lock(&q->lock) == 0);
    (void)vtdpi_atomic_xchg64(&v->state, VCPU_QUEUED);
    append(q, v);
    race_check(pthread_mutex_unlock(&q->lock) == 0);
}

struct vcpu *host_dequeue(struct world *w)
{
    struct run_queue *q = w->queue;
    struct vcpu *v;

    race_check(pthread_mutex_lock(&q->lock) == 0);
    v = q->first;
    if (v != NULL) {
        q->first = v->next;
        if (q->first == NULL)
            q->end = &q->first;
        (void)vtdpi_atomic_xchg64(&v->state, VCPU_OWNED);
    }
    race_check(pthread_mutex_unlock(&q->lock) == 0);
    return v;
}

void host_pause(struct world *w, struct vcpu *v)
{
    struct run_queue *q = w->queue;

    race_check(pthread_mutex_lock(&q->lock) == 0);
    (void)vtdpi_atomic_xchg64(&v->state, VCPU_PAUSED);
    v->next = q->paused;
    q->paused = v;
    race_check(pthread_mutex_unlock(&q->lock) == 0);
}

void host_resume_one(struct world *w)
{
    struct run_queue *q = w->queue;
    struct vcpu *v;

    race_check(pthread_mutex_lock(&q->lock) == 0);
    v = q->paused;
    if (v != NULL) {
        q->paused = v->next;
        (void)vtdpi_atomic_xchg64(&v->state, VCPU_QUEUED);
        append(q, v);
    }
    race_check(pthread_mutex_unlock(&q->lock) == 0);
}

_Thread_local struct pcpu *host_handling;

/*
 * The mark, then the state. Pairs with host_sleep(): the state, then the mark.
 * The thread that takes the vCPU out of ASLEEP owns the vCPU.
 */
static void wake(void *ctx, void *cookie)
{
    struct world *w = ctx;
    struct vcpu *v = cookie;
    uint64_t state = VCPU_ASLEEP;

    /* Those that come and go get time to do so: a handler may have been
     * interrupted here by something slow. */
    if (v >= w->guest && v < w->guest + GUESTS)
        race_yield();
    if (!v->alive)
        race_fail("wake for a vCPU whose detach was done");
    if (host_handling != NULL && v >= w->vcpu && v < w->vcpu + VCPUS)
        host_handling->wakes_of[v - w->vcpu]++;
    (void)vtdpi_atomic_xchg64(&v->woken, 1);
    if (vtdpi_atomic_cas64(&v->state, &state, VCPU_OWNED))
        host_queue(w, v);
}

bool host_sleep(struct vcpu *v)
{
    uint64_t state = VCPU_ASLEEP;

    (void)vtdpi_atomic_xchg64(&v->state, VCPU_ASLEEP);
    if (vtdpi_atomic_load64(&v->woken) == 0)
        return true;
    return !vtdpi_atomic_cas64(&v->state, &state, VCPU_OWNED);
}

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    host_send(ctx, apic_id, vector);
}

void host_send(struct world *w, uint32_t apic_id, uint8_t vector)
{
    const uint32_t n = host_of_id(&w->names, apic_id);

    /* An urgent post to a vCPU that has never run anywhere. */
    if (apic_id == 0 && vector == ANV)
        return;
    if (n >= PCPUS || (vector != ANV && !host_is_wnv(&w->names, vector)))
        race_fail("vector %x sent to APIC id %x", vector, apic_id);
    (void)vtdpi_atomic_or64(&w->pcpu[n].pending[vector / 64],
                            UINT64_C(1) << (vector % 64));
}

void host_forget(struct pcpu *p, uint8_t vector)
{
    (void)vtdpi_atomic_and64(&p->pending[vector / 64],
                             ~(UINT64_C(1) << (vector % 64)));
}

void host_forget_wakeups(struct pcpu *p)
{
    for (uint32_t n = 0; n < p->w->names.wnv_count; n++)
        host_forget(p, p->w->names.wnv[n]);
}

static struct run_queue *queue_new(void)
{
    struct run_queue *q = race_memory(sizeof(*q));

    race_check(pthread_mutex_init(&q->lock, NULL) == 0);
    q->end = &q->first;
    return q;
}

static void pcpu_new(struct world *w, uint32_t n, uint64_t seed)
{
    struct pcpu *p = &w->pcpu[n];

    p->w = w;
    p->number = n;
    p->rng = race_rng(seed, n);
    host_pcpu_up(&w->sched, &w->names, &p->lib, n, p->bitmap);
}

static void page_new(struct world *w, uint32_t i, uint32_t number)
{
    race_check(vtdpi_sched_add_page(&w->sched, number, &w->page[i],
                                    race_memory(VTDPI_PAGE_SIZE),
                                    number * UINT64_C(0x1000)) == 0);
}

void host_grow(struct world *w)
{
    const uint32_t n = w->grown++;

    for (uint32_t i = 0; i < PCPUS; i++)
        race_check(vtdpi_pcpu_grow(&w->pcpu[i].lib, w->pcpu[i].part[n]) == 0);
    race_check(vtdpi_sched_grow(&w->sched, w->refs[n]) == 0);
    page_new(w, PAGES + n, ROOM + n * VTDPI_CHUNK_PAGES);
}

struct world *host_new(uint64_t seed, uint32_t wnvs, enum vtdpi_apic_mode mode)
{
    struct world *w = race_memory(sizeof(*w));
    const struct vtdpi_sched_params params = {
        .ops = &w->ops,
        .ctx = w,
        .pages = w->pages,
        .max_pages = ROOM,
        .pcpus = w->pcpus,
        .wnv_count = (uint8_t)wnvs,
        .chunks = w->chunks,
        .max_chunks = CHUNKS,
    };

    w->names = (struct host_names){
        .mode = mode,
        .first_id = mode == VTDPI_XAPIC ? 0x20 : 0x100,
        .stride = 1,
        .pcpus = PCPUS,
        .anv = ANV,
        .wnv_count = (uint8_t)wnvs,
        .wnv = {0xf1, 0x81, 0xe0, 0x33}, /* in no order */
    };
    w->ops.send_ipi = send_ipi;
    w->ops.wake = wake;
    w->queue = queue_new();
    host_sched_init(&w->sched, &w->names, params);
    for (uint32_t i = 0; i < PAGES; i++)
        page_new(w, i, i);
    for (uint32_t i = 0; i < PCPUS; i++)
        pcpu_new(w, i, seed);
    for (uint32_t i = 0; i < VCPUS; i++) {
        struct vcpu *v = &w->vcpu[i];

        v->alive = true;
        race_check(
            vtdpi_vcpu_attach(&w->sched, &v->lib, i % PAGES * 64 + i, v) == 0);
        host_queue(w, v);
    }
    return w;
}
