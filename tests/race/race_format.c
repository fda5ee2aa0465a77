/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dumps of format.h beside everything that changes what they show: entries of a
 * table, and vCPUs that run, block and are posted to. No line is too long, none shows
 * halves of two entries, and ThreadSanitizer sees no plain access.
 */
#include "race.h"
#include "vtdpi/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ENTRIES = 16,
    CHANGED = 2, /* entries that one thread changes */
    VCPUS = 4,
    PCPUS = 2,
    DUMPERS = 2,
    ANV = 0xf2,
    WNV = 0xf1,
};

struct race {
    struct vtdpi_table table;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_ref;
    struct vtdpi_pcpu *pcpus[PCPUS];
    struct vtdpi_pid_page page;
    struct vtdpi_pcpu pcpu[PCPUS];
    uint64_t bitmap[PCPUS][VTDPI_BITMAP_WORDS(1)];
    struct vtdpi_vcpu vcpu[VCPUS];
    uint64_t ops;
};

struct thread {
    struct race *race;
    struct race_rng rng;
    uint32_t number;
    uint64_t rows;
    uint64_t changing;
    uint64_t blocked;
};

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
}

static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                              .wake = wake};

/* Each value of an entry has a number in both of its words, and never comes back. */
static void entries_change(void *arg)
{
    struct thread *const t = arg;

    for (uint64_t n = 1; n <= t->race->ops; n++) {
        const struct vtdpi_irte irte = {
            .lo = n << 32 | UINT64_C(0x310001),
            .hi = UINT64_C(0x40000) | (n & 0xffff),
        };
        const uint32_t index = race_below(&t->rng, CHANGED);

        race_check(vtdpi_table_set(&t->race->table, index, &irte) == 0);
    }
}

/* The owner of a vCPU. */
static void vcpu_move(void *arg)
{
    struct thread *const t = arg;
    struct vtdpi_vcpu *const v = &t->race->vcpu[t->number];

    for (uint64_t n = 0; n < t->race->ops; n++) {
        struct vtdpi_pcpu *const p = &t->race->pcpu[race_below(&t->rng, PCPUS)];
        uint64_t taken[VTDPI_PIR_WORDS];

        if (race_one_in(&t->rng, 2)) {
            race_check(vtdpi_vcpu_block(v, p) != VTDPI_BLOCK_OFFLINE);
        } else if (race_one_in(&t->rng, 2)) {
            vtdpi_vcpu_preempt(v);
        } else {
            vtdpi_vcpu_run(v, p);
            (void)vtdpi_vcpu_sync(v, taken);
        }
    }
}

static void vectors_post(void *arg)
{
    struct thread *const t = arg;

    for (uint64_t n = 0; n < t->race->ops; n++) {
        const uint8_t vector = (uint8_t)(0x20 + race_below(&t->rng, 0xd0));

        (void)vtdpi_vcpu_post(&t->race->vcpu[race_below(&t->rng, VCPUS)],
                              vector, false);
    }
}

/* A wakeup handler of each pCPU sets wake marks. */
static void wakeups_handle(void *arg)
{
    struct thread *const t = arg;

    for (uint64_t n = 0; n < t->race->ops; n++)
        (void)vtdpi_pcpu_handle_wakeup(&t->race->pcpu[n % PCPUS], WNV);
}

static void line_check(const char *line, size_t length)
{
    race_check(length < VTDPI_FORMAT_MAX && strlen(line) == length);
    race_check(strchr(line, '\n') == NULL);
}

static void row_check(struct thread *t, const char *line)
{
    const char *const dst = strstr(line, " DST=0x");
    uint32_t number, sid;

    t->rows++;
    if (dst == NULL)
        return; /* not set yet */
    if (strstr(line, " changing=1") != NULL) {
        t->changing++;
        return;
    }
    race_check(sscanf(dst, " DST=%" SCNx32 " SID=%" SCNx32, &number, &sid) ==
               2);
    if ((number & 0xffff) != sid)
        race_fail("halves of two entries: %s", line);
    if (strstr(line, " wrong: ") != NULL)
        race_fail("%s", line);
}

static void table_dump(struct thread *t)
{
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];

    while (!c.done) {
        const size_t length =
            vtdpi_format_table_next(line, sizeof(line), &t->race->table, &c);

        line_check(line, length);
        if (length != 0)
            row_check(t, line);
    }
}

static void blocked_dump(struct thread *t, const struct vtdpi_pcpu *p)
{
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];
    uint32_t lines = 0;

    while (!c.done) {
        const size_t length =
            vtdpi_format_blocked_next(line, sizeof(line), p, &c);

        line_check(line, length);
        if (strstr(line, " wrong: ") != NULL)
            race_fail("%s", line);
        lines += length != 0;
    }
    race_check(lines <= VCPUS);
    t->blocked += lines;
}

static void dump(void *arg)
{
    struct thread *const t = arg;
    char line[VTDPI_FORMAT_MAX];

    for (uint64_t n = 0; n < t->race->ops / 4 + 1; n++) {
        table_dump(t);
        for (uint32_t i = 0; i < PCPUS; i++) {
            blocked_dump(t, &t->race->pcpu[i]);
            line_check(
                line, vtdpi_format_pcpu(line, sizeof(line), &t->race->pcpu[i]));
        }
        for (uint32_t i = 0; i < VCPUS; i++)
            line_check(
                line, vtdpi_format_vcpu(line, sizeof(line), &t->race->vcpu[i]));
    }
}

static void race_new(struct race *r, uint64_t count)
{
    const size_t size = vtdpi_table_storage_size(ENTRIES);
    const struct vtdpi_table_params table = {
        .entries = race_memory(ENTRIES * sizeof(struct vtdpi_irte)),
        .phys = UINT64_C(0x510000000),
        .count = ENTRIES,
        .storage = race_memory(size),
        .storage_size = size,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };
    const struct vtdpi_sched_params sched = {
        .ops = &ops,
        .pages = &r->page_ref,
        .max_pages = 1,
        .pcpus = r->pcpus,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
    };
    uint32_t first;

    r->ops = count;
    race_check(vtdpi_table_init(&r->table, &table) == 0);
    race_check(vtdpi_table_alloc(&r->table, CHANGED, NULL, &first) == 0);
    race_check(first == 0);
    race_check(vtdpi_sched_init(&r->sched, &sched) == 0);
    race_check(vtdpi_sched_add_page(&r->sched, 0, &r->page,
                                    race_memory(VTDPI_PAGE_SIZE),
                                    UINT64_C(0x520000000)) == 0);
    for (uint32_t i = 0; i < PCPUS; i++) {
        race_check(
            vtdpi_pcpu_init(&r->sched, &r->pcpu[i], i, i, r->bitmap[i]) == 0);
        vtdpi_pcpu_online(&r->pcpu[i]);
    }
    for (uint32_t i = 0; i < VCPUS; i++)
        race_check(vtdpi_vcpu_attach(&r->sched, &r->vcpu[i], i, &r->vcpu[i]) ==
                   0);
}

static void play(const struct race_options *o)
{
    static void (*const roles[])(void *) = {
        dump,      dump,      entries_change, vectors_post, wakeups_handle,
        vcpu_move, vcpu_move, vcpu_move,      vcpu_move,
    };
    enum {
        THREADS = sizeof(roles) / sizeof(roles[0]),
        FIRST_OWNER = 5
    };
    struct race_threads *const threads = race_threads_new();
    struct race *const r = race_memory(sizeof(*r));
    struct thread *const t = race_memory(THREADS * sizeof(*t));
    uint64_t rows = 0, changing = 0, blocked = 0;

    race_new(r, o->ops);
    for (uint32_t i = 0; i < THREADS; i++) {
        t[i].race = r;
        t[i].number = i - FIRST_OWNER;
        t[i].rng = race_rng(o->seed, i);
        race_start(threads, roles[i], &t[i]);
    }
    race_join(threads);
    for (uint32_t i = 0; i < DUMPERS; i++) {
        rows += t[i].rows;
        changing += t[i].changing;
        blocked += t[i].blocked;
    }
    printf("operations %" PRIu64 ", rows %" PRIu64 ", of them changing %" PRIu64
           ", blocked vCPUs %" PRIu64 "\n",
           o->ops, rows, changing, blocked);
    race_check(rows > 0);
}

int main(int argc, char **argv)
{
    return race_main(argc, argv, 20000, play);
}
