/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's state, how it begins, and the threads that run the scripts. */
#include "world_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "support.h"

/* An APIC id is not the pCPU's number. The last vector is not always used. */
static const struct host_names host_names = {
    .mode = VTDPI_XAPIC,
    .first_id = 5,
    .stride = 4,
    .pcpus = CPUS,
    .anv = ANV,
    .wnv_count = 2,
    .wnv = {WNV, WNV_OTHER},
};
static const uint8_t vectors[VECTORS] = {65, 70, 209, 210};

const char *const host_bug_names[HOST_BUGS] = {
    [HOST_OK] = "none",
    [HOST_MARK_AFTER_BLOCK] = "mark-after-block",
    [HOST_ENTERS_AFTER_PENDING] = "enter-after-pending",
    [HOST_MOVES_WITHOUT_RUN] = "move-without-run",
    [HOST_NO_KICK_ON_ATTACH] = "no-kick-on-attach",
    [HOST_SWITCH_UNMARKED] = "switch-unmarked",
    [HOST_DETACH_AT_ONCE] = "detach-at-once",
    [HOST_UNREF_BEFORE_FLUSH] = "unref-before-flush",
    [HOST_RELEASE_BEFORE_FLUSH] = "release-before-flush",
    [HOST_HANDLERS_OVERLAP] = "handlers-overlap",
    [HOST_HANDLER_TOLD_FIRST] = "handler-told-first-vector",
    [HOST_SLEEPS_AGAIN] = "sleeps-again",
    [HOST_ARMS_PLAINLY] = "arms-plainly",
    [HOST_FREES_VECTOR_AT_ONCE] = "frees-vector-at-once",
    [HOST_HARVESTS_BEFORE_MOVE] = "harvests-before-move",
    [HOST_NO_LOOK_WHEN_ONLINE] = "no-look-when-online",
    [HOST_SETTLED_AT_ONCE] = "settled-at-once",
    [HOST_ENTERS_UNFENCED] = "enters-unfenced",
};

struct host host;
struct world_options world;

unsigned int wnvs(void)
{
    return world.scenario->wnvs == 0 ? 1 : world.scenario->wnvs;
}

static bool comes_by_growing(unsigned int page)
{
    return world.scenario->grows && page == world.leaves - 1;
}

uint32_t page_number(unsigned int page)
{
    return comes_by_growing(page) ? FIRST_PAGES : page;
}

unsigned int page_of(uint32_t slot)
{
    const uint32_t number = slot / VTDPI_PAGE_SLOTS;

    return number == FIRST_PAGES ? world.leaves - 1 : number;
}

uint32_t slot_of(unsigned int vcpu)
{
    const unsigned int page = vcpu == B ? world.leaves - 1 : 0;

    return page_number(page) * VTDPI_PAGE_SLOTS +
           (vcpu == B && world.leaves == 1);
}

/* Two leaf words: A has one vector and B the other. One word: they share. */
unsigned int wnv_number(unsigned int vcpu)
{
    return slot_of(vcpu) / VTDPI_PAGE_SLOTS % wnvs();
}

uint8_t wnv(unsigned int n)
{
    return host_names.wnv[n];
}

struct vtdpi_pid *pid_of(unsigned int vcpu)
{
    const uint32_t slot = slot_of(vcpu);
    void *const page = host.memory[page_of(slot)];

    return (struct vtdpi_pid *)page + slot % VTDPI_PAGE_SLOTS;
}

unsigned int cpu_of_ndst(uint32_t ndst)
{
    return host_of_ndst(&host_names, ndst);
}

uint64_t *leaf_word(unsigned int cpu, unsigned int page)
{
    return comes_by_growing(page) ? host.cpu[cpu].part
                                  : &host.cpu[cpu].bitmap[2 * (size_t)page];
}

uint64_t *summary_word(unsigned int cpu)
{
    return &host.cpu[cpu].bitmap[2 * host.s.first_pages];
}

uint64_t *mark_word(unsigned int cpu, unsigned int page)
{
    return leaf_word(cpu, page) + 1;
}

bool bit_is_set(unsigned int cpu, unsigned int vcpu)
{
    const uint32_t slot = slot_of(vcpu);

    return (*leaf_word(cpu, page_of(slot)) >> slot % 64 & 1) != 0;
}

uint8_t vector_of(unsigned int n)
{
    return vectors[n];
}

uint64_t vectors_in(const uint64_t words[VTDPI_PIR_WORDS])
{
    uint64_t set = 0;

    for (unsigned int i = 0; i < VECTORS; i++)
        set |= (words[vectors[i] / 64] >> vectors[i] % 64 & 1) << i;
    return set;
}

void account(struct host_vcpu *v, const uint64_t words[VTDPI_PIR_WORDS])
{
    const uint64_t set = vectors_in(words);

    if (v->owed != set)
        ex_fail("V: vectors %x taken from PIR, %x handed over",
                (unsigned int)v->owed, (unsigned int)set);
    v->owed = 0;
    v->got |= set;
}

uint64_t *irr_word(unsigned int vcpu, uint8_t vector)
{
    uint32_t *const irr = &host.vapic[vcpu][0x200 / 4];

    return (uint64_t *)(void *)&irr[vector / 32 * 4];
}

uint64_t vectors_in_irr(unsigned int vcpu)
{
    uint64_t set = 0;

    for (unsigned int i = 0; i < VECTORS; i++)
        set |= (*irr_word(vcpu, vectors[i]) >> vectors[i] % 32 & 1) << i;
    return set;
}

static void send_ipi(void *ctx, uint32_t to, uint8_t vector)
{
    (void)ctx;
    ex_host(NULL, NULL);
    interrupt_deliver(to << 8, vector);
}

static void wake(void *ctx, void *cookie)
{
    struct host_vcpu *const v = cookie;

    (void)ctx;
    ex_host(NULL, NULL);
    if (!v->attached)
        ex_fail("D: wake of %c, which is detached",
                (char)('A' + (v - host.vcpu)));
    check_wake((unsigned int)(v - host.vcpu));
    v->woken = 1;
}

static const struct vtdpi_platform_ops ops = {
    .send_ipi = send_ipi,
    .wake = wake,
};

/* The host cannot be set up: nothing can be explored. */
void support_fail(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: setup: %s is false\n", file, line, what);
    exit(1);
}

static void require(int err)
{
    if (err != 0)
        ex_fail("setup: error %d", err);
}

bool comes_late(unsigned int vcpu)
{
    return (world.scenario->later >> vcpu & 1) != 0 ||
           world.scenario->late_page || world.scenario->grows ||
           world.scenario->adopts != 0;
}

const struct vtdpi_page_ref *page_ref_of(unsigned int vcpu)
{
    const unsigned int page = page_of(slot_of(vcpu));

    return comes_by_growing(page) ? host.refs : &host.pages[page];
}

void add_page(unsigned int page)
{
    require(vtdpi_sched_add_page(&host.s, page_number(page), &host.page[page],
                                 host.memory[page], page * VTDPI_PAGE_SIZE));
}

void grow(void)
{
    for (unsigned int i = 0; i < CPUS; i++)
        require(vtdpi_pcpu_grow(&host.cpu[i].pcpu, host.cpu[i].part));
    require(vtdpi_sched_grow(&host.s, host.refs));
}

/* What would do harm, in those words of the chunk that are state. The others are
 * as they will be written. */
static void spoil_chunk(void)
{
    struct vtdpi_pid *const pid = (void *)host.memory[world.leaves - 1];

    for (unsigned int i = 0; i < VTDPI_PAGE_SLOTS; i++)
        vtdpi_pid_init(&pid[i], ANV, 0);
    host.wrong_page.claimed = UINT64_MAX;
    host.wrong_refs[0].page = &host.wrong_page;
    host.chunks[0] = host.wrong_refs;
    for (unsigned int i = 0; i < CPUS; i++)
        host.cpu[i].part[0] = host.cpu[i].part[1] = UINT64_MAX;
}

void add_pcpu(unsigned int cpu)
{
    host_pcpu_up(&host.s, &host_names, &host.cpu[cpu].pcpu, cpu,
                 host.cpu[cpu].bitmap);
}

/* Take a page away again, and leave what would do harm in those of its words
 * that are state. The others stay as add_page() writes them. */
static void spoil_page(uint32_t page)
{
    struct vtdpi_pid_page *const p = &host.page[page];

    p->claimed = UINT64_MAX;
    p->cookie[0] = p->cookie[1] = &host.vcpu[A];
    p->pids = NULL;
    pid_of(B)->control = UINT64_MAX;
    host.pages[page].page = NULL;
    host.pages[page].pids = NULL;
}

static void spoil_pcpu(unsigned int cpu)
{
    host.cpu[cpu].pcpu.scan = 1;
    host.cpu[cpu].pcpu.online = 0;
    *summary_word(cpu) = UINT64_MAX;
    host.pcpus[cpu] = NULL;
}

static void set_up_library(void)
{
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = host.pages,
        .max_pages = world.scenario->grows ? FIRST_PAGES : world.leaves,
        .pcpus = host.pcpus,
        .wnv_count = (uint8_t)world.scenario->wnvs,
        .chunks = host.chunks,
        .max_chunks = world.scenario->grows,
    };

    memset(&host, 0, sizeof host);
    host_sched_init(&host.s, &host_names, params);
    for (unsigned int i = 0; i < world.leaves; i++) {
        if (!comes_by_growing(i))
            add_page(i);
    }
    for (unsigned int i = 0; i < CPUS; i++)
        add_pcpu(i);
    if (world.scenario->late_page)
        spoil_page(page_of(slot_of(B)));
    if (world.scenario->adopts != 0)
        set_up_adoption();
    if (world.scenario->grows)
        spoil_chunk();
    if (world.scenario->late_pcpu)
        spoil_pcpu(1);
    for (unsigned int i = A; i <= B; i++) {
        struct host_vcpu *const v = &host.vcpu[i];

        if (comes_late(i))
            continue;
        require(vtdpi_vcpu_attach(&host.s, &v->v, slot_of(i), v));
        v->attached = 1;
        v->open = 1;
    }
}

static const struct script *script_of(unsigned int fiber)
{
    return &world.scenario->script[fiber];
}

static bool has_c(void)
{
    for (unsigned int i = 0; script_of(i)->role != ROLE_NONE; i++) {
        if (script_of(i)->role == ROLE_VCPU && script_of(i)->op[0].vcpu == C)
            return true;
    }
    return false;
}

static bool has_op(uint8_t kind)
{
    for (unsigned int i = 0; script_of(i)->role != ROLE_NONE; i++) {
        for (const struct op *op = script_of(i)->op; op->kind != OP_END; op++) {
            if (op->kind == kind)
                return true;
        }
    }
    return false;
}

/* Those that few scenarios change. */
static void set_up_rare_ranges(void)
{
    if (world.scenario->late_page || world.scenario->adopts != 0)
        ex_range(host.pages, world.leaves * sizeof host.pages[0]);
    for (uint32_t i = 0; i < world.leaves && world.scenario->adopts != 0; i++) {
        ex_range(&host.page[i].pids, 2 * sizeof(uint64_t));
        ex_range(&host.page[i].held, sizeof host.page[i].held);
    }
    if (world.scenario->grows) {
        ex_range(&host.s.room, sizeof host.s.room);
        ex_range(host.chunks, sizeof host.chunks);
        ex_range(host.refs, sizeof host.refs[0]);
        ex_range(&host.page[world.leaves - 1].pids, 2 * sizeof(uint64_t));
    }
    for (unsigned int i = 0; i < CPUS && world.scenario->grows; i++)
        ex_range(host.cpu[i].part, 2 * sizeof(uint64_t));
    if (world.scenario->late_pcpu)
        ex_range(host.pcpus, sizeof host.pcpus);
    if (has_op(OP_MERGE))
        ex_range(host.vapic, sizeof host.vapic);
    for (unsigned int i = 0; i < CPUS && has_op(OP_CHOOSE); i++)
        ex_range(&host.cpu[i].pcpu.here_left, 3 * sizeof(uint64_t));
}

/* The parts of the host that change, and those a check looks at each time. */
static void set_up_ranges(void)
{
    unsigned int threads = 0;

    while (script_of(threads)->role != ROLE_NONE)
        threads++;
    ex_range(host.thread, threads * sizeof host.thread[0]);
    ex_range(host.vcpu, (has_c() ? VCPUS : VCPUS - 1) * sizeof host.vcpu[0]);
    ex_range(&host.entry, 2 * sizeof host.entry);
    ex_range(&host.s.scan, sizeof host.s.scan);
    set_up_rare_ranges();
    for (uint32_t i = 0; i < world.leaves; i++) {
        ex_range(&host.page[i].claimed, sizeof host.page[i].claimed);
        ex_range(&host.page[i].cookie, 2 * sizeof host.page[i].cookie[0]);
    }
    for (unsigned int i = A; i <= B; i++) {
        struct vtdpi_pid *const pid = pid_of(i);

        ex_range(pid, sizeof *pid);
        ex_visible(pid, offsetof(struct vtdpi_pid, reserved));
        /* Written by wake, in host actions. */
        ex_visible(&host.vcpu[i].woken, sizeof host.vcpu[i].woken);
    }
    for (unsigned int i = 0; i < CPUS; i++) {
        struct host_cpu *const cpu = &host.cpu[i];

        ex_range(&cpu->pcpu.scan, sizeof cpu->pcpu.scan);
        ex_range(&cpu->pcpu.online, sizeof cpu->pcpu.online);
        if (world.scenario->grows)
            ex_range(summary_word(i), 3 * sizeof(uint64_t));
        ex_range(cpu->bitmap, (2 * world.leaves + 1) * sizeof(uint64_t));
        ex_range(&cpu->irr, sizeof *cpu - offsetof(struct host_cpu, irr));
        for (uint32_t w = 0; w < world.leaves; w++)
            ex_visible(leaf_word(i, w), sizeof(uint64_t));
        ex_visible(&host.cpu[i].pcpu.online, sizeof(uint64_t));
    }
}

const struct op *current_op(unsigned int fiber)
{
    if (fiber >= THREADS || script_of(fiber)->role == ROLE_NONE)
        return NULL;
    return &script_of(fiber)->op[host.thread[fiber].next];
}

void op_phase(unsigned int n)
{
    ex_forget(host.thread[ex_running()].next << 8 | n);
}

void op_idle(bool (*ready)(void *arg), void *arg)
{
    struct host_thread *const t = &host.thread[ex_running()];

    t->idle = 1;
    ex_host(ready, arg);
    t->idle = 0;
}

static void run_script(void *arg)
{
    const struct script *const script = arg;
    struct host_thread *const t = &host.thread[ex_running()];

    while (script->op[t->next].kind != OP_END) {
        const struct op *const op = &script->op[t->next];

        ex_start(t->next << 8);
        if (script->role == ROLE_POSTER)
            op_poster(op);
        else if (script->role == ROLE_ADMIN)
            op_admin(op);
        else
            op_vcpu(op);
        t->owner = 0;
        t->next++;
    }
}

static void set_up(void *ctx)
{
    static const char *const names[CPUS][3] = {
        {"anv0", "wnv0", "wnv0'"},
        {"anv1", "wnv1", "wnv1'"},
    };

    (void)ctx;
    set_up_library();
    set_up_ranges();
    for (unsigned int i = 0; script_of(i)->role != ROLE_NONE; i++) {
        union {
            const void *in;
            void *out;
        } arg = {script_of(i)};

        (void)ex_spawn(script_of(i)->name, run_script, arg.out);
    }
    for (unsigned int i = 0; i < CPUS; i++) {
        (void)ex_spawn(names[i][0], interrupt_anv, &host.cpu[i]);
        (void)ex_spawn(names[i][1], interrupt_wnv, &host.cpu[i]);
        if (wnvs() == 2)
            (void)ex_spawn(names[i][2], interrupt_wnv_other, &host.cpu[i]);
    }
}

const struct ex_world *world_new(const struct world_options *options)
{
    static struct ex_world w = {
        .arena = &host,
        .arena_size = sizeof host,
        .setup = set_up,
        .check = check_step,
        .check_final = check_final,
        .written = check_written,
    };

    world = *options;
    return &w;
}
