/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h: several threads submit to one queue, others wait for the tickets,
 * while the unit refuses descriptors, aborts waits and is slow. A ticket that
 * says "done" is held to it: the unit reads the entry from memory again. A
 * descriptor that is refused fails its owner and nobody else.
 */
#include "rig.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PAIRS = 3, /* of a submitter and a waiter */
    JOBS = 6,  /* of each pair, in flight or not */
    DESCS_MAX = 4,
    HOST_VECTOR = 0x60,
    /* Of one ticket. A unit that is slow takes some twenty steps, one that is
     * in trouble a few hundred. */
    POLLS_MAX = 1 << 20,
};

/* Handed from the submitter to the waiter and back; plain members belong to
 * who has it. */
struct job {
    struct vtdpi_qi_ticket ticket;
    uint64_t with_waiter;
    uint32_t index;
};

struct pair {
    struct race *race;
    struct job job[JOBS];
    struct race_rng submitter_rng;
    struct race_rng waiter_rng;
    uint64_t submitted;
    uint64_t descriptors;
    uint64_t full;
    uint64_t cached; /* entries that were in the cache at submission */
    uint64_t done;
    uint64_t refused;
    uint64_t told; /* by waits that do not give up */
};

struct race {
    struct machine *rig;
    struct pair pair[PAIRS];
    uint64_t ops;
    uint64_t troubles; /* that the unit has had */
    uint64_t working;  /* threads of pairs that are not at their end */
    struct race_rng rng;
    uint64_t iqe;
    uint64_t ite;
};

static bool from_cache(struct race *r, const struct job *j)
{
    const struct vtdpi_model_result x = machine_send(r->rig, 0, j->index);

    race_check(x.outcome == VTDPI_MODEL_REMAPPED && x.vector == HOST_VECTOR);
    return x.from_cache;
}

/* Invalidates the job's entry, somewhere among others that do no harm. */
static bool submit(struct pair *p, struct job *j)
{
    struct vtdpi_qi_desc descs[DESCS_MAX];
    const uint32_t n = 1 + race_below(&p->submitter_rng, DESCS_MAX);
    const uint32_t at = race_below(&p->submitter_rng, n);
    int rc;

    /* Into the cache, so that "done" has something to show. The rest of an
     * earlier batch of this job, which was refused, may still be executed and
     * take it out again: late, but harmless. */
    (void)from_cache(p->race, j);
    if (from_cache(p->race, j))
        p->cached++;
    for (uint32_t i = 0; i < n; i++)
        race_check(vtdpi_qi_encode_iec(
                       &descs[i], (uint16_t)(i == at ? j->index : ENTRIES - 1),
                       0) == 0);
    rc = vtdpi_qi_submit(vtdpi_unit_qi(&p->race->rig->unit[0]), descs, n,
                         &j->ticket);
    race_check(rc == 0 || rc == VTDPI_EQFULL);
    if (rc != 0) {
        p->full++;
        return false;
    }
    p->submitted++;
    p->descriptors += n;
    return true;
}

static void thread_done(struct race *r)
{
    uint64_t n = vtdpi_atomic_load64(&r->working);

    while (!vtdpi_atomic_cas64(&r->working, &n, n - 1)) {
    }
}

static void submitter_main(void *arg)
{
    struct pair *p = arg;

    while (p->submitted < p->race->ops) {
        struct job *j = &p->job[p->submitted % JOBS];

        /* Not ahead of the trouble, however threads are scheduled. */
        if (p->submitted / 64 <= vtdpi_atomic_load64(&p->race->troubles) &&
            vtdpi_atomic_load64(&j->with_waiter) == 0 && submit(p, j))
            (void)vtdpi_atomic_xchg64(&j->with_waiter, 1);
        else
            race_yield();
    }
    thread_done(p->race);
}

static void count_told(void *ctx, uint64_t waited_us)
{
    struct pair *p = ctx;

    race_check(waited_us > 0);
    p->told++;
}

static int resolve(struct pair *p, struct job *j)
{
    struct vtdpi_qi *qi = vtdpi_unit_qi(&p->race->rig->unit[0]);
    int rc = VTDPI_EBUSY;

    if (race_one_in(&p->waiter_rng, 3))
        return vtdpi_qi_wait(qi, &j->ticket, UINT64_C(100000000));
    if (race_one_in(&p->waiter_rng, 2))
        return vtdpi_qi_wait_until_done(qi, &j->ticket, 1, count_told, p);
    for (uint32_t i = 0; i < POLLS_MAX; i++) {
        rc = vtdpi_qi_poll(qi, &j->ticket);
        if (rc != VTDPI_EBUSY)
            return rc;
        p->race->rig->ops.relax(&p->race->rig->model[0]);
    }
    race_fail("a ticket is still in flight after %d polls", (int)POLLS_MAX);
}

static void waiter_main(void *arg)
{
    struct pair *p = arg;

    for (uint64_t n = 0; n < p->race->ops; n++) {
        struct job *j = &p->job[n % JOBS];
        int rc;

        while (vtdpi_atomic_load64(&j->with_waiter) == 0)
            race_yield();
        rc = resolve(p, j);
        if (rc == 0) {
            if (from_cache(p->race, j))
                race_fail("done, and the unit still uses the old entry");
            p->done++;
        } else if (rc == VTDPI_EIQE) {
            p->refused++;
        } else {
            race_fail("a wait ended with %d", rc);
        }
        race_check(vtdpi_qi_poll(vtdpi_unit_qi(&p->race->rig->unit[0]),
                                 &j->ticket) == rc);
        (void)vtdpi_atomic_xchg64(&j->with_waiter, 0);
    }
    thread_done(p->race);
}

/* A unit with bad days. */
static void trouble_main(void *arg)
{
    struct race *r = arg;
    struct vtdpi_model *m = &r->rig->model[0];

    for (uint64_t n = 1; vtdpi_atomic_load64(&r->working) != 0; n++) {
        (void)vtdpi_atomic_xchg64(&r->troubles, n);
        switch (race_below(&r->rng, 8)) {
        case 0:
            vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_IQE, 0);
            r->iqe++;
            break;
        case 1:
            vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ITE, 0);
            r->ite++;
            break;
        case 2:
            vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ITE_UNFETCHED, 0);
            r->ite++;
            break;
        case 3:
            vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_ICE, 0);
            break;
        case 4:
            vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_STATUS_LATE,
                                  race_below(&r->rng, 20));
            break;
        case 5:
            (void)vtdpi_qi_recover(vtdpi_unit_qi(&r->rig->unit[0]));
            break;
        default:
            vtdpi_model_clear_fault(m, VTDPI_MODEL_FAULT_STATUS_LATE);
            break;
        }
        for (uint32_t i = race_below(&r->rng, 32); i > 0; i--)
            race_yield();
    }
}

static void quiet(struct race *r)
{
    static const enum vtdpi_model_fault faults[] = {
        VTDPI_MODEL_FAULT_IQE, VTDPI_MODEL_FAULT_ITE,
        VTDPI_MODEL_FAULT_ITE_UNFETCHED, VTDPI_MODEL_FAULT_ICE,
        VTDPI_MODEL_FAULT_STATUS_LATE};

    for (unsigned int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        vtdpi_model_clear_fault(&r->rig->model[0], faults[i]);
}

static void pairs_new(struct race *r, uint64_t seed)
{
    for (uint32_t i = 0; i < PAIRS; i++) {
        struct pair *p = &r->pair[i];

        p->race = r;
        p->submitter_rng = race_rng(seed, 10 + i);
        p->waiter_rng = race_rng(seed, 20 + i);
        for (uint32_t k = 0; k < JOBS; k++) {
            const struct vtdpi_irte entry = {(uint64_t)HOST_APIC_ID << 32 |
                                                 HOST_VECTOR << 16 | 1,
                                             UINT64_C(0x40000) | SID};

            race_check(
                vtdpi_table_alloc(&r->rig->table, 1, p, &p->job[k].index) == 0);
            race_check(
                vtdpi_table_set(&r->rig->table, p->job[k].index, &entry) == 0);
        }
    }
}

static void report(struct race *r)
{
    uint64_t done = 0, refused = 0, descriptors = 0, full = 0, cached = 0;
    uint64_t told = 0;
    struct vtdpi_qi_stats s;

    for (uint32_t i = 0; i < PAIRS; i++) {
        done += r->pair[i].done;
        refused += r->pair[i].refused;
        descriptors += r->pair[i].descriptors;
        full += r->pair[i].full;
        cached += r->pair[i].cached;
        told += r->pair[i].told;
    }
    vtdpi_qi_report(vtdpi_unit_qi(&r->rig->unit[0]), &s, NULL);
    printf("submissions %" PRIu64 " (%" PRIu64
           " descriptors, ring full %" PRIu64 "), done %" PRIu64
           ", refused %" PRIu64 ", IQE %" PRIu64 ", ITE %" PRIu64
           ", ICE %" PRIu64 ", resubmitted %" PRIu64 ", told %" PRIu64 "\n",
           s.submissions, descriptors, full, done, refused, s.iqe, s.ite, s.ice,
           s.resubmitted, told);
    race_check(done + refused == r->ops * PAIRS);
    /* One refusal fails one owner at most, and none without one. */
    race_check(refused <= s.iqe && s.iqe <= r->iqe && s.ite <= r->ite);
    race_check(s.given_up == 0);
    /* "done" was worth checking nearly always. */
    race_check(cached >= (done + refused) / 2);
    race_check(r->ops < 5000 || (s.iqe > 0 && s.resubmitted > 0 && told > 0));
}

static void play(const struct race_options *o)
{
    struct race_threads *threads = race_threads_new();
    struct race *r = race_memory(sizeof(*r));

    r->rig = rig_new(o->seed);
    r->ops = o->ops;
    r->rng = race_rng(o->seed, 1);
    r->working = UINT64_C(2) * PAIRS;
    pairs_new(r, o->seed);
    for (uint32_t i = 0; i < PAIRS; i++) {
        race_start(threads, submitter_main, &r->pair[i]);
        race_start(threads, waiter_main, &r->pair[i]);
    }
    race_start(threads, trouble_main, r);
    race_join(threads);
    quiet(r);
    report(r);
    rig_end(r->rig);
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 30000, play);
}
