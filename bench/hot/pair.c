/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU blocks and leaves again: alone, as one of many that take turns, and
 * while another CPU runs the wakeup handler over the same pCPU's structure.
 */
#include <stdlib.h>

#include "hot.h"
#include "measure.h"
#include "other.h"
#include "world.h"

enum {
    PAIRS = 1000, /* of a sample */
};

struct pair {
    struct world *w;
    uint32_t *order; /* churn: whose turn it is */
    uint32_t turns;
    uint32_t next;
};

static void block_ours(struct pair *p, struct our_vcpu *v)
{
    must(vtdpi_vcpu_block(&v->vcpu, p->w->pcpu) == VTDPI_BLOCKED, "block");
}

static void pair_ours(struct pair *p, struct our_vcpu *v)
{
    block_ours(p, v);
    vtdpi_vcpu_run(&v->vcpu, p->w->pcpu);
}

static void block_peer(struct pair *p, struct peer_vcpu *v)
{
    must(!peer_block(p->w->list, v, WNV_FIRST, APIC_ID), "block");
}

static void unblock_peer(struct pair *p, struct peer_vcpu *v)
{
    peer_unblock(p->w->list, v, ANV, APIC_ID);
}

/* One vCPU again and again. */

static double alone_ours(void *subject)
{
    struct pair *const p = subject;
    const uint64_t begin = ticks();

    for (int i = 0; i < PAIRS; i++)
        pair_ours(p, p->w->spare);
    return ticks_ns(ticks() - begin) / PAIRS;
}

static double alone_list(void *subject)
{
    struct pair *const p = subject;
    const uint64_t begin = ticks();

    for (int i = 0; i < PAIRS; i++) {
        block_peer(p, p->w->peer_spare);
        unblock_peer(p, p->w->peer_spare);
    }
    return ticks_ns(ticks() - begin) / PAIRS;
}

/* The two updates of a control word that no design can do without. */
static double alone_floor(void *subject)
{
    struct pair *const p = subject;
    struct vtdpi_pid *const pid = p->w->spare->vcpu.pid;
    const uint64_t begin = ticks();

    for (int i = 0; i < PAIRS; i++) {
        peer_one_cas(pid);
        peer_one_cas(pid);
    }
    return ticks_ns(ticks() - begin) / PAIRS;
}

/* Scheduled in again where it ran last: nothing is to be changed. */

static double same_ours(void *subject)
{
    struct pair *const p = subject;
    uint64_t begin;

    vtdpi_vcpu_run(&p->w->spare->vcpu, p->w->pcpu);
    begin = ticks();
    for (int i = 0; i < PAIRS; i++)
        vtdpi_vcpu_run(&p->w->spare->vcpu, p->w->pcpu);
    return ticks_ns(ticks() - begin) / PAIRS;
}

static double same_peer(void *subject)
{
    struct pair *const p = subject;
    struct peer_vcpu *const v = p->w->peer_spare;
    bool same = true;
    uint64_t begin;

    v->cpu = APIC_ID;
    v->pid.control = VTDPI_FIELD_PUT(ANV, VTDPI_PID_NV);
    begin = ticks();
    for (int i = 0; i < PAIRS; i++)
        same &= peer_run_same(v, WNV_FIRST, APIC_ID);
    must(same, "a run changed something");
    return ticks_ns(ticks() - begin) / PAIRS;
}

/* Churn: one leaves and another blocks, by chance; as many stay blocked. */

static double churn_ours(void *subject)
{
    struct pair *const p = subject;
    const uint64_t begin = ticks();

    for (int i = 0; i < PAIRS; i++) {
        struct our_vcpu *const v = &p->w->ours[p->order[p->next]];

        vtdpi_vcpu_run(&v->vcpu, p->w->pcpu);
        block_ours(p, v);
        p->next = (p->next + 1) % p->turns;
    }
    return ticks_ns(ticks() - begin) / PAIRS;
}

static double churn_list(void *subject)
{
    struct pair *const p = subject;
    const uint64_t begin = ticks();

    for (int i = 0; i < PAIRS; i++) {
        struct peer_vcpu *const v = world_peer(p->w, p->order[p->next]);

        unblock_peer(p, v);
        block_peer(p, v);
        p->next = (p->next + 1) % p->turns;
    }
    return ticks_ns(ticks() - begin) / PAIRS;
}

static void pair_up(struct pair *p, uint32_t blocked, size_t stride)
{
    const struct world_params params = {
        .slots = blocked + 64,
        .blocked = blocked,
        .vectors = 1,
        .stride = stride,
        .spare = true,
    };

    p->w = world_up(&params);
    p->turns = blocked;
    p->next = 0;
    p->order = malloc(sizeof(*p->order) * blocked);
    must(p->order != NULL, "out of memory");
    shuffle(p->order, blocked);
}

static void pair_down(struct pair *p)
{
    world_down(p->w);
    free(p->order);
}

static void alone(size_t stride, const char *layout)
{
    struct pair p;
    const struct design one[] = {
        {"bitmap", alone_ours, &p},
        {"list", alone_list, &p},
        {"floor", alone_floor, &p},
    };
    const struct design many[] = {
        {"bitmap", churn_ours, &p},
        {"list", churn_list, &p},
    };
    const struct design same[] = {
        {"library", same_ours, &p},
        {"Linux", same_peer, &p},
    };
    struct series series = {"pair-alone", layout, 0, one, 3, 201};

    pair_up(&p, 1024, stride);
    measure(&series);
    series = (struct series){"pair-churn", layout, 1024, many, 2, 201};
    measure(&series);
    series = (struct series){"run-same", layout, 0, same, 2, 201};
    measure(&series);
    pair_down(&p);
}

/* Contended. */

static void scan_ours(void *subject)
{
    (void)world_scan(subject);
}

static void scan_list(void *subject)
{
    (void)peer_list_scan(((struct world *)subject)->list);
}

enum {
    BATCHES_MAX = 64, /* of a sample, each timed by itself */
    BATCH = 8,        /* pairs; the clock is too coarse for one */
};

struct contended {
    struct pair pair;
    struct other *scanner;
    uint64_t empty;
    double *all[2]; /* times of the batches of both sides */
    size_t count[2];
    size_t room;
    int batches; /* fewer where one takes long: nobody is left alone for long */
    double batch[BATCHES_MAX];
};

static void keep(struct contended *c, int side)
{
    for (int i = 0; i < c->batches && c->count[side] < c->room; i++)
        c->all[side][c->count[side]++] = c->batch[i];
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void batch(struct contended *c, int side)
{
    struct world *const w = c->pair.w;

    for (int i = 0; i < BATCH; i++) {
        if (side == 0) {
            pair_ours(&c->pair, w->spare);
        } else {
            block_peer(&c->pair, w->peer_spare);
            unblock_peer(&c->pair, w->peer_spare);
        }
    }
}

/* A sample: the median batch, while the other CPU is known to have scanned and
 * not to have been switched out. */
static double contended_sample(struct contended *c, int side)
{
    struct other *const s = c->scanner;
    const uint64_t lost = other_lost(s);
    uint64_t scans;

    other_do(s, side == 0 ? scan_ours : scan_list);
    scans = other_passes(s);
    for (int i = 0; i < c->batches; i++) {
        const uint64_t begin = ticks();
        uint64_t t;

        batch(c, side);
        t = ticks() - begin;
        c->batch[i] = ticks_ns(t > c->empty ? t - c->empty : 0) / BATCH;
    }
    scans = other_passes(s) - scans;
    other_do(s, NULL);
    if (scans == 0 || other_lost(s) != lost)
        return -1.0;
    keep(c, side);
    qsort(c->batch, (size_t)c->batches, sizeof(double), by_value);
    return c->batch[c->batches / 2];
}

static double contended_ours(void *subject)
{
    return contended_sample(subject, 0);
}

static double contended_list(void *subject)
{
    return contended_sample(subject, 1);
}

static void contended(uint32_t blocked, uint64_t gap_ns, const char *variant)
{
    enum {
        ROUNDS = 101
    };
    struct contended c = {
        .batches = blocked <= 64 ? BATCHES_MAX : 16,
        .room = (size_t)ROUNDS * BATCHES_MAX,
    };
    struct other scanner;
    const struct design designs[] = {
        {"bitmap", contended_ours, &c},
        {"list", contended_list, &c},
    };
    struct series series = {"pair-contended", variant, blocked,
                            designs,          2,       ROUNDS};

    pair_up(&c.pair, blocked, SPREAD);
    c.scanner = &scanner;
    c.empty = ticks_empty();
    for (int side = 0; side < 2; side++) {
        c.all[side] = malloc(sizeof(double) * c.room);
        must(c.all[side] != NULL, "out of memory");
    }
    other_start(&scanner, c.pair.w, gap_ns);
    measure(&series);
    other_stop(&scanner);
    series.experiment = "pair-contended-batches";
    measure_print(&series, "bitmap", c.all[0], c.count[0], 0);
    measure_print(&series, "list", c.all[1], c.count[1], 0);
    free(c.all[0]);
    free(c.all[1]);
    pair_down(&c.pair);
}

void hot_pair(void)
{
    static const uint32_t sizes[] = {16, 64, 256, 1024};

    alone(SPREAD, "spread");
    alone(4096, "page-aligned");
    if (!other_possible())
        return;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        contended(sizes[i], 0, "back-to-back");
        contended(sizes[i], 1000, "1 us apart");
    }
}
