/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.h with real threads: four pCPUs, three that post by software, a
 * device, one that takes pCPUs offline, one that attaches and detaches. After
 * every round nobody may sleep over a posted vector, and every vector posted
 * has been delivered. Half of the rounds with one wakeup vector and x2APIC ids,
 * half with several and xAPIC ids.
 */
#include "world.h"
#include "judge.h"
#include "sources.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum {
    POSTERS = 3,
    SOURCES = POSTERS + 3,
    POSTS_A_ROUND = 256,
    PROBE_VECTOR = 0x99,
    /* A round comes to rest within some dozen sweeps. */
    SWEEPS_MAX = 100000,
};

struct race {
    struct world *w;
    struct source *source;
    pthread_barrier_t round; /* all threads, and main */
    pthread_barrier_t sweep; /* pCPUs, and main */
    /* Written by main while the others wait at a barrier. */
    bool more_rounds;
    bool more_sweeps;
};

struct pcpu_thread {
    struct race *race;
    struct pcpu *p;
};

struct source_thread {
    struct race *race;
    struct source *s;
};

static void meet(pthread_barrier_t *b)
{
    const int rc = pthread_barrier_wait(b);

    race_check(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void pcpu_main(void *arg)
{
    const struct pcpu_thread *t = arg;
    struct race *r = t->race;

    for (;;) {
        meet(&r->round);
        if (!r->more_rounds)
            return;
        while (vtdpi_atomic_load64(&r->w->sources) != 0)
            host_storm(t->p);
        meet(&r->sweep);
        host_settle_begin(t->p);
        for (;;) {
            meet(&r->sweep);
            if (!r->more_sweeps)
                break;
            t->p->worked = host_settle(t->p);
            meet(&r->sweep);
        }
    }
}

static void source_done(struct world *w)
{
    uint64_t n = vtdpi_atomic_load64(&w->sources);

    while (!vtdpi_atomic_cas64(&w->sources, &n, n - 1)) {
    }
}

static void source_main(void *arg)
{
    const struct source_thread *t = arg;
    struct race *r = t->race;
    struct source *s = t->s;

    for (;;) {
        meet(&r->round);
        if (!r->more_rounds)
            return;
        for (uint32_t i = 0; i < s->share; i++) {
            s->act(s);
            if (race_one_in(&s->rng, 3))
                race_yield();
        }
        s->done += s->share;
        source_done(r->w);
    }
}

static bool anyone_worked(const struct world *w)
{
    bool any = false;

    for (uint32_t i = 0; i < PCPUS; i++)
        any = any || w->pcpu[i].worked;
    return any;
}

/* Each event follows from another one. So when no pCPU has had anything to do for a
 * whole sweep, nothing happens any more. */
static void rest(struct race *r)
{
    for (uint32_t n = 0;; n++) {
        if (n == SWEEPS_MAX)
            race_fail("does not come to rest");
        meet(&r->sweep);
        meet(&r->sweep);
        if (!anyone_worked(r->w))
            break;
    }
    judge(r->w, r->source, SOURCES + 1);
}

/* One post to each vCPU: every sleeper must be found, also one to which nothing was
 * posted since it went to sleep. */
static void probe(struct race *r)
{
    struct source *s = &r->source[SOURCES];

    for (uint32_t i = 0; i < VCPUS; i++) {
        struct vtdpi_vcpu *v = &r->w->vcpu[i].lib;

        if (!vtdpi_pid_record(vtdpi_vcpu_pid(v), PROBE_VECTOR))
            s->fresh[i][PROBE_VECTOR]++;
        (void)vtdpi_vcpu_notify(v, false);
    }
}

static void settle(struct race *r)
{
    meet(&r->sweep);
    r->more_sweeps = true;
    rest(r);
    probe(r);
    rest(r);
    r->more_sweeps = false;
    meet(&r->sweep);
}

static void sources_new(struct race *r, uint64_t seed)
{
    static const struct {
        void (*act)(struct source *s);
        uint32_t share;
    } kind[SOURCES] = {
        {source_post, POSTS_A_ROUND}, {source_post, POSTS_A_ROUND},
        {source_post, POSTS_A_ROUND}, {source_device, POSTS_A_ROUND},
        {source_offline, 24},         {source_churn, POSTS_A_ROUND / 2},
    };

    /* The last one is main's. */
    r->source = race_memory((SOURCES + 1) * sizeof(*r->source));
    for (uint32_t i = 0; i < SOURCES; i++) {
        struct source *s = &r->source[i];

        s->w = r->w;
        s->rng = race_rng(seed, 100 + i);
        s->act = kind[i].act;
        s->share = kind[i].share;
        s->number = i;
    }
}

static void start(struct race *r, struct race_threads *threads)
{
    struct pcpu_thread *p = race_memory(PCPUS * sizeof(*p));
    struct source_thread *s = race_memory(SOURCES * sizeof(*s));

    race_check(pthread_barrier_init(&r->round, NULL, PCPUS + SOURCES + 1) == 0);
    race_check(pthread_barrier_init(&r->sweep, NULL, PCPUS + 1) == 0);
    for (uint32_t i = 0; i < PCPUS; i++) {
        p[i] = (struct pcpu_thread){r, &r->w->pcpu[i]};
        race_start(threads, pcpu_main, &p[i]);
    }
    for (uint32_t i = 0; i < SOURCES; i++) {
        s[i] = (struct source_thread){r, &r->source[i]};
        race_start(threads, source_main, &s[i]);
    }
}

static void report(const struct race *r, uint64_t rounds)
{
    uint64_t posts = 0, merged = 0, entries = 0, blocks = 0, sleeps = 0;
    uint64_t handled = 0, processed = 0, busy = 0;

    for (uint32_t i = 0; i < SOURCES; i++) {
        merged += r->source[i].merged;
        busy += r->source[i].busy;
        posts += i <= POSTERS ? r->source[i].done : 0;
    }
    for (uint32_t i = 0; i < PCPUS; i++) {
        const struct pcpu *p = &r->w->pcpu[i];

        entries += p->entries;
        blocks += p->blocks;
        sleeps += p->sleeps;
        handled += p->handled;
        processed += p->processed;
    }
    printf("wakeup vectors %" PRIu32 ", rounds %" PRIu64 ", posts %" PRIu64
           " (%" PRIu64 " merged), entries %" PRIu64 ", blocks %" PRIu64
           ", sleeps %" PRIu64 ", handled %" PRIu64 ", ANV in guest %" PRIu64
           ", offline %" PRIu64 ", churn %" PRIu64 " (%" PRIu64
           " waits); lost: 0\n",
           r->w->names.wnv_count, rounds, posts, merged, entries, blocks,
           sleeps, handled, processed, r->source[POSTERS + 1].done,
           r->source[POSTERS + 2].done, busy);
    /* A run in which nothing happened proves nothing. */
    race_check(rounds < 10 || (sleeps > 0 && handled > 0 && processed > 0 &&
                               r->w->grown == CHUNKS));
}

static void run(const struct race_options *o, uint32_t wnvs,
                enum vtdpi_apic_mode mode)
{
    const uint64_t rounds = o->ops / POSTS_A_ROUND / 2 + 1;
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));

    r->w = host_new(o->seed, wnvs, mode);
    sources_new(r, o->seed);
    start(r, threads);
    for (uint64_t i = 0; i < rounds; i++) {
        (void)vtdpi_atomic_xchg64(&r->w->sources, SOURCES);
        r->more_rounds = true;
        meet(&r->round);
        settle(r);
    }
    r->more_rounds = false;
    meet(&r->round);
    race_join(threads);
    report(r, rounds);
}

static void play(const struct race_options *o)
{
    run(o, 1, VTDPI_X2APIC);
    run(o, WNVS_MAX, VTDPI_XAPIC);
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 250000, play);
}
