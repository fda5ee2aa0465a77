/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to decide where a guest's interrupt goes, and to take note of
 * a change of an APIC, against the number of vCPUs.
 *
 * Built twice. With BENCH_COUNTED (and linked with
 * --wrap=vtdpi_guest_apic_matches) the APICs that a decision asks are counted;
 * without, time is measured: each number of vCPUs has a guest of its own, all
 * take turns within each round, and the medians over the rounds are compared.
 * Beside the index, a set of APICs that looks at all vCPUs, as Xen does, and
 * KVM when its map does not fit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "vtdpi/route.h"

enum {
    VCPUS_MAX = 1024,
    SIZES = 6,
    MESSAGES = 256,
    ROUNDS_MAX = 101,
};

const char *const bench_name = "bench-route";

static const uint32_t sizes[SIZES] = {1, 4, 16, 64, 256, 1024};

/* The column that others are compared with: the first with a whole cluster. */
#define BASE 2

/* How ids are chosen. */
enum ids {
    DENSE,     /* the vCPU's number */
    PADDED,    /* 6 in each 8, as 6 cores in a package have it */
    SCATTERED, /* all 32 bits */
    CLUSTERED, /* dense; xAPIC mode in clusters of 4 up to 60, then reset */
};

/* What the messages are. */
enum dests {
    PHYSICAL, /* fixed, to one id */
    MEMBER,   /* fixed, to one member of a cluster */
    ONE_OF,   /* lowest priority, to a whole cluster */
};

static const struct row {
    const char *name;
    enum ids ids;
    enum dests dests;
    bool scan; /* without the index */
    bool flat; /* must not grow with the guest */
} rows[] = {
    {"physical, ids 0 to n - 1", DENSE, PHYSICAL, false, true},
    {"physical, ids with gaps", PADDED, PHYSICAL, false, true},
    {"physical, ids of 32 bits", SCATTERED, PHYSICAL, false, true},
    {"x2APIC cluster, one member", DENSE, MEMBER, false, true},
    {"x2APIC cluster, lowest of 16", DENSE, ONE_OF, false, true},
    {"the same, ids with gaps", PADDED, ONE_OF, false, true},
    {"xAPIC cluster, one member", CLUSTERED, MEMBER, false, true},
    {"xAPIC cluster, lowest of 4", CLUSTERED, ONE_OF, false, true},
    {"physical, without the index", DENSE, PHYSICAL, true, false},
    {"cluster, without the index", DENSE, MEMBER, true, false},
};

enum {
    ROWS = sizeof(rows) / sizeof(rows[0])
};

struct subject {
    uint32_t count;
    struct vtdpi_guest_apic apics[VCPUS_MAX];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VCPUS_MAX)];
    struct vtdpi_route_map map;
    struct vtdpi_apic_set set;
    struct vtdpi_msi msi[MESSAGES];
    uint64_t posted;
};

static struct subject subjects[ROWS][SIZES];

/* Guests. */

static struct vtdpi_guest_apic apic_of(enum ids ids, uint32_t i)
{
    struct vtdpi_guest_apic apic = {
        .id = i,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
        .attached = true,
    };

    if (ids == PADDED)
        apic.id = i / 6 * 8 + i % 6;
    if (ids == SCATTERED)
        apic.id = (i + 1) * UINT32_C(0x9e3779b1);
    if (ids == CLUSTERED) {
        apic.mode = VTDPI_GUEST_XAPIC_CLUSTER;
        apic.ldr = i < 60 ? (i / 4) << 28 | UINT32_C(1) << (24 + i % 4) : 0;
    }
    return apic;
}

/* A message to vCPU @p i, or to its cluster. */
static struct vtdpi_msi message_to(const struct row *row, uint32_t i)
{
    const struct vtdpi_guest_apic apic = apic_of(row->ids, i);
    struct vtdpi_msi msi = {0xfee00000, 0, 0x30 + chance(0xc0)};
    uint32_t dest = apic.id;

    if (row->dests != PHYSICAL) {
        const bool xapic = apic.mode != VTDPI_GUEST_X2APIC;
        const uint32_t all = xapic ? 0xf : 0xffff;

        dest = xapic ? apic.ldr >> 24
                     : (apic.id >> 4) << 16 | UINT32_C(1) << apic.id % 16;
        msi.address_lo |= 1U << 2;
        if (row->dests == ONE_OF) {
            dest |= all;
            msi.data |= 1U << 8;
        }
    }
    msi.address_lo |= (dest & 0xff) << 12;
    msi.address_hi = dest & 0xffffff00;
    return msi;
}

static bool scan_next(void *ctx, const struct vtdpi_compat_msi *msg,
                      struct vtdpi_route_cursor *cursor,
                      struct vtdpi_route_candidate *out)
{
    const struct subject *s = (const struct subject *)ctx;

    while (cursor->word[0] < s->count) {
        const uint32_t i = cursor->word[0]++;

        if (!vtdpi_guest_apic_matches(&s->apics[i], msg))
            continue;
        out->vcpu = i;
        out->mode = s->apics[i].mode;
        out->enabled = s->apics[i].enabled;
        out->attached = s->apics[i].attached;
        return true;
    }
    return false;
}

static void subject_up(struct subject *s, const struct row *row, uint32_t count)
{
    static const struct vtdpi_apic_set_ops scan = {scan_next};
    const uint32_t reached = row->ids == CLUSTERED && count > 60 ? 60 : count;

    s->count = count;
    must(vtdpi_route_map_init(&s->map, s->apics, s->keys, count) == 0, "map");
    for (uint32_t i = 0; i < count; i++) {
        const struct vtdpi_guest_apic apic = apic_of(row->ids, i);

        must(vtdpi_route_map_update(&s->map, i, &apic) == 0, "update");
    }
    s->set = vtdpi_route_map_apics(&s->map);
    if (row->scan) {
        s->set.ops = &scan;
        s->set.ctx = s;
    }
    for (uint32_t i = 0; i < MESSAGES; i++)
        s->msi[i] = message_to(row, chance(reached));
}

/* All messages of a guest, @p n times; each has one destination. */
static void decide(struct subject *s, uint32_t n)
{
    const struct vtdpi_route_options options = {
        .form = VTDPI_COMPAT_DEST_32,
        .posting = true,
    };

    for (; n != 0; n--) {
        for (uint32_t i = 0; i < MESSAGES; i++) {
            const struct vtdpi_route_decision d =
                vtdpi_route_decide(&s->set, &s->msi[i], &options);

            s->posted += d.kind == VTDPI_ROUTE_POST;
        }
    }
}

static void print_sizes(void)
{
    printf("%-30s", "vCPUs");
    for (unsigned int k = 0; k < SIZES; k++)
        printf("%9" PRIu32, sizes[k]);
    printf("\n");
}

#ifdef BENCH_COUNTED

static uint64_t asked;

bool __real_vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                     const struct vtdpi_compat_msi *msg);
bool __wrap_vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                     const struct vtdpi_compat_msi *msg);

bool __wrap_vtdpi_guest_apic_matches(const struct vtdpi_guest_apic *apic,
                                     const struct vtdpi_compat_msi *msg)
{
    asked++;
    return __real_vtdpi_guest_apic_matches(apic, msg);
}

/* Flat: not more at any size than a cluster, counted and chosen from. */
static bool report(uint32_t n, uint32_t rounds)
{
    bool ok = true;

    (void)rounds;
    printf("APICs asked by one decision\n\n");
    print_sizes();
    for (unsigned int r = 0; r < ROWS; r++) {
        printf("%-30s", rows[r].name);
        for (unsigned int k = 0; k < SIZES; k++) {
            double each;

            asked = 0;
            decide(&subjects[r][k], n);
            each = (double)asked / n / MESSAGES;
            printf("%9.2f", each);
            /* One for each destination; FFh, which an xAPIC reads as the
             * broadcast, asks one more. It is one of 256 here. */
            if (rows[r].flat &&
                each > (rows[r].dests == PHYSICAL ? 1 + 2.0 / 256 : 32))
                ok = false;
        }
        printf("\n");
    }
    printf("\nA binary search reads at most 12 keys more among 1024 vCPUs; "
           "none with ids\n0 to n - 1. A cluster is asked twice where one of "
           "it is chosen: to count, and\nto get there.\n");
    return ok;
}

#else

/* Each vCPU in turn changes its id to one that is not taken, and back. */
static void change(struct subject *s, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t vcpu = i % s->count;
        const struct vtdpi_guest_apic old = vtdpi_route_map_apic(&s->map, vcpu);
        struct vtdpi_guest_apic apic = old;

        apic.id ^= 0x80000;
        must(vtdpi_route_map_update(&s->map, vcpu, &apic) == 0 &&
                 vtdpi_route_map_update(&s->map, vcpu, &old) == 0,
             "change");
    }
}

/* Nanoseconds of a decision, or of a change. */
static double timed(void (*what)(struct subject *s, uint32_t n),
                    struct subject *s, uint32_t n, uint32_t each)
{
    double begin;

    what(s, 1); /* into the caches */
    begin = seconds();
    what(s, n);
    return (seconds() - begin) * 1e9 / n / each;
}

static void print_row(const char *name, double (*ns)[ROUNDS_MAX],
                      uint32_t rounds)
{
    double t[SIZES];

    for (unsigned int k = 0; k < SIZES; k++)
        t[k] = median(ns[k], rounds);
    printf("%-30s", name);
    for (unsigned int k = 0; k < SIZES; k++)
        printf("%9.2f", t[k] / t[BASE]);
    printf("%9.1f\n", t[BASE]);
}

static bool report(uint32_t n, uint32_t rounds)
{
    static double ns[ROWS + 1][SIZES][ROUNDS_MAX];

    for (uint32_t round = 0; round < rounds; round++) {
        for (unsigned int k = 0; k < SIZES; k++) {
            for (unsigned int r = 0; r < ROWS; r++)
                ns[r][k][round] = timed(decide, &subjects[r][k], n, MESSAGES);
            ns[ROWS][k][round] = timed(change, &subjects[0][k], n * 64, 2);
        }
    }
    printf("time of one decision, decoding included, as a ratio to that with "
           "%" PRIu32 " vCPUs;\nmedians of %" PRIu32 " rounds\n\n",
           sizes[BASE], rounds);
    print_sizes();
    for (unsigned int r = 0; r < ROWS; r++)
        print_row(rows[r].name, ns[r], rounds);
    print_row("an APIC's id changes", ns[ROWS], rounds);
    printf("\nThe last column: ns with %" PRIu32 " vCPUs, on this machine.\n",
           sizes[BASE]);
    return true; /* time proves nothing */
}

#endif

int main(int argc, char **argv)
{
    const bool smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;
    const uint32_t n = smoke ? 1 : 20;
    const uint32_t rounds = smoke ? 3 : 31;
    bool ok;

    if (argc > 1 && !smoke) {
        (void)fputs("usage: route [--smoke]\n", stderr);
        return 2;
    }
    for (unsigned int r = 0; r < ROWS; r++) {
        for (unsigned int k = 0; k < SIZES; k++)
            subject_up(&subjects[r][k], &rows[r], sizes[k]);
    }
    ok = report(n, rounds);
    for (unsigned int r = 0; r < ROWS; r++) {
        for (unsigned int k = 0; k < SIZES; k++)
            must(subjects[r][k].posted % MESSAGES == 0 &&
                     subjects[r][k].posted != 0,
                 "a message was not posted");
    }
    return ok ? 0 : 1;
}
