/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's state, how it begins, and the threads that run the scripts. */
#include "world_internal.h"

#include <string.h>

static const uint8_t wakeup_vectors[] = {WNV, WNV_OTHER};
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
    [HOST_NO_WAKE_AFTER_SET] = "no-wake-after-set",
};

struct host host;
struct world_options world;
const struct hooks *hooks;

unsigned int wnvs(void)
{
    return world.scenario->wnvs == 0 ? 1 : world.scenario->wnvs;
}

/* Two leaf words: A has one vector and B the other. One word: they share. */
unsigned int wnv_number(unsigned int vcpu)
{
    return (vcpu == B ? world.leaves - 1 : 0) % wnvs();
}

uint8_t wnv(unsigned int n)
{
    return wakeup_vectors[n];
}

struct vtdpi_pid *pid_of(unsigned int vcpu)
{
    return hooks->pid(vcpu);
}

uint32_t apic_id(unsigned int cpu)
{
    return FIRST_ID + cpu * ID_STRIDE;
}

unsigned int cpu_of_ndst(uint32_t ndst)
{
    unsigned int cpu = 0;

    while (cpu < CPUS && apic_id(cpu) << 8 != ndst)
        cpu++;
    return cpu;
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

bool comes_late(unsigned int vcpu)
{
    return (world.scenario->later >> vcpu & 1) != 0 ||
           world.scenario->late_page || world.scenario->grows ||
           world.scenario->adopts != 0;
}

static const struct script *script_of(unsigned int fiber)
{
    return &world.scenario->script[fiber];
}

bool has_c(void)
{
    for (unsigned int i = 0; script_of(i)->role != ROLE_NONE; i++) {
        if (script_of(i)->role == ROLE_VCPU && script_of(i)->op[0].vcpu == C)
            return true;
    }
    return false;
}

bool has_op(uint8_t kind)
{
    for (unsigned int i = 0; script_of(i)->role != ROLE_NONE; i++) {
        for (const struct op *op = script_of(i)->op; op->kind != OP_END; op++) {
            if (op->kind == kind)
                return true;
        }
    }
    return false;
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
    if (has_op(OP_MERGE))
        ex_range(host.vapic, sizeof host.vapic);
    /* Written by wake, in host actions. */
    for (unsigned int i = A; i <= B; i++)
        ex_visible(&host.vcpu[i].woken, sizeof host.vcpu[i].woken);
    for (unsigned int i = 0; i < CPUS; i++)
        ex_range(&host.cpu[i], sizeof host.cpu[i]);
}

static void set_up_vcpus(void)
{
    for (unsigned int i = A; i <= B; i++) {
        struct host_vcpu *const v = &host.vcpu[i];

        if (comes_late(i))
            continue;
        v->attached = 1;
        v->open = 1;
        v->came = 1;
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
    memset(&host, 0, sizeof host);
    hooks->set_up();
    set_up_vcpus();
    hooks->ranges();
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
    w.held = hooks->held;
    hooks->arenas(w.more);
    return &w;
}
