/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a scan does to its neighbours: slots lie in the order of memory, so a
 * scan of pages in which most vCPUs are blocked makes the hardware fetch the
 * lines of the few that run, and their next access to their PID misses.
 *
 * Measured: a locked operation of vCPUs that run, on their own PIDs, while
 * another CPU scans, with the lines in the order of the slots (the library),
 * and scattered within each page by a fixed permutation, which no prefetcher
 * follows; and what the permutation costs the scan.
 */
#include "hot.h"

#include "measure.h"
#include "other.h"
#include "world.h"

enum {
    PAGES = 16,
    SLOTS = PAGES * VTDPI_PAGE_SLOTS,
    STEP = 37, /* odd, so that it permutes the 64 lines of a page */
    TURNS = 32,
};

static struct {
    struct vtdpi_pid *pids;
    uint64_t *leaf;
    bool scattered;
    uint32_t running[SLOTS]; /* lines of vCPUs that run */
    uint32_t count;
    uint64_t found;
    struct other other;
} n;

static uint32_t line_of(uint32_t slot)
{
    return n.scattered ? (slot & ~63U) | (slot * STEP & 63U) : slot;
}

/* The library's inner loop, over lines that may be scattered. */
static void scan(void *subject)
{
    (void)subject;
    for (uint32_t page = 0; page < PAGES; page++) {
        uint64_t on = 0;

        for (uint64_t b = n.leaf[page]; b != 0; b &= b - 1) {
            const uint32_t i = (uint32_t)__builtin_ctzll(b);
            const uint32_t line = line_of(page * 64 + i);

            on |= (vtdpi_pid_snapshot(&n.pids[line]) & VTDPI_PID_ON) << i;
        }
        n.found += on != 0;
    }
}

/* Locked operations of the vCPUs that run. A negative result is void. */
static double touch(void (*job)(void *subject))
{
    uint64_t lost = other_lost(&n.other);
    uint64_t total = 0;

    other_do(&n.other, job);
    for (int turn = 0; turn < TURNS; turn++) {
        const uint64_t passes = other_passes(&n.other);
        uint64_t begin;

        /* One scan at least since the last turn. */
        while (other_passes(&n.other) < passes + 2)
            continue;
        begin = ticks();
        for (uint32_t i = 0; i < n.count; i++)
            (void)vtdpi_pid_test_and_set_sn(&n.pids[n.running[i]]);
        total += ticks() - begin;
    }
    other_do(&n.other, NULL);
    if (other_lost(&n.other) != lost)
        return -1.0;
    return ticks_ns(total) / (TURNS * n.count);
}

static double touch_alone(void *subject)
{
    (void)subject;
    return touch(NULL);
}

static void arrange(bool scattered, bool (*blocked)(uint32_t slot));

struct pattern {
    const char *name;
    bool (*blocked)(uint32_t slot);
};

static double touch_ordered(void *subject)
{
    const struct pattern *const p = subject;

    arrange(false, p->blocked);
    return touch(scan);
}

static double touch_scattered(void *subject)
{
    const struct pattern *const p = subject;

    arrange(true, p->blocked);
    return touch(scan);
}

static void arrange(bool scattered, bool (*blocked)(uint32_t slot))
{
    n.scattered = scattered;
    n.count = 0;
    for (uint32_t page = 0; page < PAGES; page++)
        n.leaf[page] = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (blocked(slot))
            n.leaf[slot / 64] |= UINT64_C(1) << (slot % 64);
        else
            n.running[n.count++] = line_of(slot);
    }
}

static bool seven_of_eight(uint32_t slot)
{
    return slot % 8 != 5;
}

static bool every_other(uint32_t slot)
{
    return slot % 2 != 0;
}

static bool about_half(uint32_t slot)
{
    return (slot * UINT32_C(2654435761) >> 13 & 1) != 0;
}

/* The scan itself, cold. */

static double scan_cold(bool scattered)
{
    uint64_t begin;

    n.scattered = scattered;
    flush_range(n.pids, SLOTS * sizeof(*n.pids));
    flush_done();
    begin = ticks();
    scan(NULL);
    return ticks_ns(ticks() - begin);
}

static double scan_ordered(void *subject)
{
    (void)subject;
    return scan_cold(false);
}

static double scan_scattered(void *subject)
{
    (void)subject;
    return scan_cold(true);
}

static bool all(uint32_t slot)
{
    (void)slot;
    return true;
}

static void cost_of_scattering(void)
{
    static const struct design designs[] = {
        {"in order", scan_ordered, NULL},
        {"scattered", scan_scattered, NULL},
    };
    const struct series series = {"scatter-cold", "pool", SLOTS,
                                  designs,        2,      201};

    arrange(false, all);
    measure(&series);
}

void hot_neighbours(void)
{
    static struct pattern patterns[] = {
        {"7 of 8 blocked", seven_of_eight},
        {"half blocked, by chance", about_half},
        {"every other blocked", every_other},
    };

    n.pids = memory(SLOTS * sizeof(*n.pids));
    n.leaf = memory(PAGES * sizeof(*n.leaf));
    if (flush_possible())
        cost_of_scattering();
    if (!other_possible())
        return;
    other_start(&n.other, NULL, 2000);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const struct design designs[] = {
            {"no scans", touch_alone, NULL},
            {"in order", touch_ordered, &patterns[i]},
            {"scattered", touch_scattered, &patterns[i]},
        };
        const struct series series = {
            "neighbours", patterns[i].name, SLOTS, designs, 3, 101};

        arrange(false, patterns[i].blocked);
        measure(&series);
    }
    other_stop(&n.other);
}
