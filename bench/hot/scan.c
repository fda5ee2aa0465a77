/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wakeup scan: how long the handler takes to find who was notified among
 * N blocked vCPUs, against the peers' list and against just reading as many
 * descriptors, one behind the other.
 */
#include "hot.h"

#include "measure.h"
#include "world.h"

struct scan {
    struct world *w;
    uint32_t notified;
    uint32_t repeats; /* scans of a sample */
    bool cold;
};

/* A warm scan is repeated: each time as if after another block. */
static uint32_t scan_ours(struct scan *s)
{
    if (!s->cold)
        world_unmark(s->w);
    return world_scan(s->w);
}

static uint32_t scan_list(struct scan *s)
{
    return peer_list_scan(s->w->list);
}

/* The control words of as many PIDs as are blocked, in the order of memory,
 * four streams' worth of independent loads. What no scan can be faster than. */
static uint32_t scan_stream(struct scan *s)
{
    const struct vtdpi_pid *const pids = s->w->pids;
    uint64_t on[4] = {0};

    for (uint32_t i = 0; i + 4 <= s->w->blocked; i += 4) {
        __builtin_prefetch(&pids[i + 16].control);
        __builtin_prefetch(&pids[i + 17].control);
        __builtin_prefetch(&pids[i + 18].control);
        __builtin_prefetch(&pids[i + 19].control);
        on[0] += vtdpi_pid_snapshot(&pids[i]) & VTDPI_PID_ON;
        on[1] += vtdpi_pid_snapshot(&pids[i + 1]) & VTDPI_PID_ON;
        on[2] += vtdpi_pid_snapshot(&pids[i + 2]) & VTDPI_PID_ON;
        on[3] += vtdpi_pid_snapshot(&pids[i + 3]) & VTDPI_PID_ON;
    }
    return (uint32_t)(on[0] + on[1] + on[2] + on[3]);
}

static double timed(struct scan *s, uint32_t (*scan)(struct scan *s),
                    void (*flush)(const struct world *w))
{
    uint64_t begin;
    uint64_t end;
    uint32_t woken = 0;

    if (s->cold) {
        world_unmark(s->w);
        flush(s->w);
    }
    begin = ticks();
    for (uint32_t i = 0; i < s->repeats; i++)
        woken += scan(s);
    end = ticks();
    must(woken == s->notified * s->repeats, "a scan woke the wrong number");
    return ticks_ns(end - begin) / s->repeats;
}

static double sample_ours(void *subject)
{
    return timed(subject, scan_ours, world_flush_ours);
}

static double sample_list(void *subject)
{
    return timed(subject, scan_list, world_flush_peers);
}

static double sample_stream(void *subject)
{
    return timed(subject, scan_stream, world_flush_ours);
}

static void renotify(const struct scan *s)
{
    world_quiet(s->w);
    world_notify(s->w, s->notified);
}

static void run(const char *experiment, const char *variant, struct scan *s)
{
    const bool stream = s->w->slots == s->w->blocked;
    const struct design designs[] = {
        {"bitmap", sample_ours, s},
        {"list", sample_list, s},
        {"stream", sample_stream, s},
    };
    struct series series = {
        .experiment = experiment,
        .variant = variant,
        .n = s->w->blocked,
        .designs = designs,
        .count = stream ? 3 : 2,
        .rounds = s->w->blocked > 2000 ? 51 : 201,
    };

    renotify(s);
    measure(&series);
}

/* Enough scans that the clock's own cost is small, when they are warm. */
static uint32_t repeats(const struct scan *s)
{
    if (s->cold)
        return 1;
    return 20000 / (s->w->blocked + 20) + 1;
}

static void one_size(uint32_t n, size_t stride)
{
    const struct world_params params = {
        .slots = n,
        .blocked = n,
        .vectors = 1,
        .stride = stride,
    };
    struct scan s = {.w = world_up(&params), .notified = 1};
    const char *const layout = stride % 4096 == 0 ? "page-aligned" : "spread";

    for (int cold = 0; cold <= flush_possible(); cold++) {
        s.cold = cold != 0;
        s.repeats = repeats(&s);
        s.notified = 1;
        run(cold ? "scan-cold" : "scan-warm", layout, &s);
        if (n < 64 || stride % 4096 == 0)
            continue;
        s.notified = n / 20;
        run(cold ? "scan-cold-5%" : "scan-warm-5%", layout, &s);
    }
    world_down(s.w);
}

/* Few blocked in an instance of many slots. */
static void sparse(uint32_t slots, uint32_t blocked)
{
    const struct world_params params = {
        .slots = slots,
        .blocked = blocked,
        .vectors = 1,
        .stride = SPREAD,
    };
    struct scan s = {.w = world_up(&params), .notified = 1};

    for (int cold = 0; cold <= flush_possible(); cold++) {
        s.cold = cold != 0;
        s.repeats = repeats(&s);
        run(cold ? "sparse-cold" : "sparse-warm", "spread", &s);
    }
    world_down(s.w);
}

/* The same vCPUs behind one, four and sixteen wakeup vectors. */
static void several(uint32_t n)
{
    enum {
        WAYS = 3
    };
    static const char *const names[WAYS] = {"1 vector", "4 vectors",
                                            "16 vectors"};
    struct scan scans[WAYS];
    struct design designs[WAYS];
    const struct series series = {"vectors-cold", "spread", n,
                                  designs,        WAYS,     101};

    for (uint32_t i = 0; i < WAYS; i++) {
        const struct world_params params = {
            .slots = n,
            .blocked = n,
            .vectors = UINT32_C(1) << 2 * i,
            .stride = SPREAD,
        };

        scans[i] = (struct scan){world_up(&params), 1, 1, true};
        renotify(&scans[i]);
        designs[i] = (struct design){names[i], sample_ours, &scans[i]};
    }
    measure(&series);
    for (uint32_t i = 0; i < WAYS; i++)
        world_down(scans[i].w);
}

void hot_scan(void)
{
    static const uint32_t sizes[] = {16, 64, 256, 1024, 4096, 16384};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        one_size(sizes[i], SPREAD);
    one_size(1024, 4096);
    sparse(16384, 8);
    sparse(16384, 16);
    sparse(16384, 64);
    if (flush_possible()) {
        several(1024);
        several(16384);
    }
}
