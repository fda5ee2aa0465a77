/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wake storm: as many posts as there are sleepers, one to each, and none of
 * those that were woken runs in between. Each post is followed by the handler
 * that its notification starts. What counts is how often a sleeper is woken,
 * and how long a post takes with its handler when half of the storm is over,
 * which is the mean of all if the handler's time grows evenly.
 */
#include <stdlib.h>

#include "hot.h"
#include "measure.h"
#include "world.h"

enum {
    POSTS = 8, /* of a sample, in the middle of the storm */
};

struct storm {
    struct world *w;
    uint32_t *order; /* who is posted to, one after the other */
    uint32_t (*peer_scan)(struct peer_list *l);
};

/* Once a storm is over: all run, take what was posted, and sleep again. */
static void settle_ours(const struct storm *s)
{
    for (uint32_t i = 0; i < s->w->blocked; i++) {
        struct vtdpi_vcpu *const v = &s->w->ours[i].vcpu;
        uint64_t out[VTDPI_PIR_WORDS];

        vtdpi_vcpu_run(v, s->w->pcpu);
        (void)vtdpi_vcpu_sync(v, out);
        must(vtdpi_vcpu_block(v, s->w->pcpu) == VTDPI_BLOCKED, "block");
    }
}

static void settle_peers(const struct storm *s)
{
    uint64_t out[VTDPI_PIR_WORDS];

    peer_list_init(s->w->list);
    for (uint32_t i = 0; i < s->w->blocked; i++) {
        peer_harvest_load_first(&world_peer(s->w, i)->pid, out);
        must(!peer_block(s->w->list, world_peer(s->w, i), WNV_FIRST, APIC_ID),
             "block");
    }
}

static void post_ours(const struct storm *s, uint32_t i)
{
    (void)vtdpi_pid_post(s->w->ours[s->order[i]].vcpu.pid, 0x40, false);
}

static void post_peer(const struct storm *s, uint32_t i)
{
    (void)peer_post_two_rmw(&world_peer(s->w, s->order[i])->pid, 0x40);
}

static uint64_t storm_ours(const struct storm *s, uint32_t from, uint32_t to)
{
    uint64_t woken = 0;

    for (uint32_t i = from; i < to; i++) {
        post_ours(s, i);
        woken += world_scan(s->w);
    }
    return woken;
}

static uint64_t storm_peers(const struct storm *s, uint32_t from, uint32_t to)
{
    uint64_t woken = 0;

    for (uint32_t i = from; i < to; i++) {
        post_peer(s, i);
        woken += s->peer_scan(s->w->list);
    }
    return woken;
}

static double sample_ours(void *subject)
{
    const struct storm *const s = subject;
    const uint32_t half = s->w->blocked / 2;
    uint64_t begin;

    settle_ours(s);
    for (uint32_t i = 0; i < half; i++)
        post_ours(s, i);
    (void)world_scan(s->w);
    begin = ticks();
    (void)storm_ours(s, half, half + POSTS);
    return ticks_ns(ticks() - begin) / POSTS;
}

static double sample_peers(void *subject)
{
    const struct storm *const s = subject;
    const uint32_t half = s->w->blocked / 2;
    uint64_t begin;

    settle_peers(s);
    for (uint32_t i = 0; i < half; i++)
        post_peer(s, i);
    (void)s->peer_scan(s->w->list);
    begin = ticks();
    (void)storm_peers(s, half, half + POSTS);
    return ticks_ns(ticks() - begin) / POSTS;
}

/* A count, the same each time, in a line like those of times. */
static void print_wakes(const struct storm *s, const char *design,
                        uint64_t woken)
{
    const struct series series = {
        .experiment = "storm-wakes", .variant = "spread", .n = s->w->blocked};
    double each = (double)woken / s->w->blocked;

    measure_print(&series, design, &each, 1, 0);
}

static void one_size(uint32_t n)
{
    const struct world_params params = {
        .slots = n,
        .blocked = n,
        .vectors = 1,
        .stride = SPREAD,
    };
    struct world *const w = world_up(&params);
    uint32_t *const order = malloc(sizeof(*order) * n);
    struct storm linux_way = {w, order, peer_list_scan};
    struct storm xen_way = {w, order, peer_list_scan_unlink};
    const struct design designs[] = {
        {"library", sample_ours, &linux_way},
        {"Linux", sample_peers, &linux_way},
        {"Xen", sample_peers, &xen_way},
    };
    const struct series series = {"storm", "spread", n, designs, 3, 101};

    must(order != NULL, "out of memory");
    shuffle(order, n);
    settle_ours(&linux_way);
    print_wakes(&linux_way, "library", storm_ours(&linux_way, 0, n));
    settle_peers(&linux_way);
    print_wakes(&linux_way, "Linux", storm_peers(&linux_way, 0, n));
    settle_peers(&xen_way);
    print_wakes(&xen_way, "Xen", storm_peers(&xen_way, 0, n));
    measure(&series);
    free(order);
    world_down(w);
}

void hot_storm(void)
{
    static const uint32_t sizes[] = {16, 64, 256, 1024, 4096};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        one_size(sizes[i]);
}
