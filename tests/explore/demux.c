/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own MSIs. What must hold, by the letters of the documentation:
 *
 *  K  each vector that is taken out of a descriptor is handled once, by the pCPU that took
 *     it or by the one that got it from there
 *  L  what is recorded, and ON, have a notification under way or somebody who looks
 *     (looked at when nothing is under way)
 *  D  nothing is posted to a descriptor that is closed
 *  E  the old vector of an interrupt that was moved does not come after the last harvest
 *  G  a target that a unit may post to has a reference
 *  C  each call returns what its contract says
 *  X  nobody waits for ever, and nothing is left at the end
 */
#include "world.h"

#include <string.h>

#include "vtdpi/irq.h"

enum {
    GUEST = DEMUX_CPUS, /* after the pCPUs */
    TARGETS,
    INDEX = 7,
    NV = 0xeb,
    REFS_OPEN = 1, /* and no reference */
    CTL_ON = 1,
    CTL_SN = 2,
    V_Y = 209, /* another word of PIR */
    V_Z = 120,
    V_GUEST = 70,
};

/* Fibers, after one for the handler of each pCPU. */
enum {
    UNIT = DEMUX_CPUS,
    OTHER,
    ADMIN,
    AFFINITY,
};

struct cpu {
    uint64_t irr;   /* the notification vector waits */
    uint64_t busy;  /* its handler runs, or somebody in its place */
    uint64_t dead;  /* its local APIC drops what comes */
    uint64_t freed; /* X's vector belongs to somebody else here */
    uint64_t owed[VTDPI_PIR_WORDS]; /* taken, not handled yet */
};

/* Aligned as hostmsi.h wants it. */
static struct {
    struct vtdpi_hostmsi h[DEMUX_CPUS];
    struct vtdpi_pid guest;
    struct vtdpi_target guest_target;
    struct vtdpi_irq irq;
    struct vtdpi_irte entry;  /* in the table */
    struct vtdpi_irte cached; /* a unit may use this one until the flush */
    struct cpu cpu[DEMUX_CPUS];
    uint64_t flying[2]; /* by unit: target + 1 of a post that has not landed */
    uint64_t raising; /* software posts that have not sent their notification */
    uint64_t guest_gone;
} demux;

static const struct demux *script;
static uint32_t looks;
static unsigned int bug;

static const struct vtdpi_source source = {
    .kind = VTDPI_SOURCE_EXACT,
    .sid = 0x1a8,
};

static uint64_t pda_of(unsigned int target)
{
    return UINT64_C(0x100000040) * (target + 1);
}

/* X's, by where it goes. */
static uint8_t vector_of_target(unsigned int target)
{
    static const uint8_t vectors[TARGETS] = {65, 66, V_GUEST};

    return vectors[target];
}

static struct vtdpi_pid *pid_of(unsigned int target)
{
    return target == GUEST ? &demux.guest : &demux.h[target].pid;
}

static struct vtdpi_target *target_at(unsigned int target)
{
    return target == GUEST ? &demux.guest_target
                           : vtdpi_hostmsi_target(&demux.h[target]);
}

/* TARGETS: not present. */
static unsigned int target_in(const struct vtdpi_irte *irte)
{
    struct vtdpi_irte_posted fields;
    unsigned int t = 0;

    if (irte->lo == 0 && irte->hi == 0)
        return TARGETS;
    if (vtdpi_irte_decode_posted(irte, &fields) != 0)
        return TARGETS;
    while (t < TARGETS && pda_of(t) != fields.pda)
        t++;
    return t;
}

static uint64_t bit_of(uint8_t vector)
{
    return UINT64_C(1) << vector % 64;
}

static bool any_of(const uint64_t words[VTDPI_PIR_WORDS])
{
    return (words[0] | words[1] | words[2] | words[3]) != 0;
}

/* Within a host action. */
static void notify(uint32_t ndst, uint8_t nv)
{
    if (nv != NV || ndst - 1 >= DEMUX_CPUS)
        ex_fail("L: a notification %x for %x", nv, (unsigned int)ndst);
    else if (demux.cpu[ndst - 1].dead == 0)
        demux.cpu[ndst - 1].irr = 1;
}

static bool is_closed(unsigned int target)
{
    return target == GUEST ? demux.guest_gone != 0
                           : demux.h[target].target.refs == 0;
}

/* A post by a unit is one step: written here with literal bits, not with pid.h. */
static void land(unsigned int target, uint8_t vector)
{
    struct vtdpi_pid *const pid = pid_of(target);
    uint64_t *const word = &pid->pir[vector / 64];

    if (is_closed(target)) {
        ex_fail("D: a post to a descriptor that is closed");
        return;
    }
    ex_touch(word, true);
    ex_touch(&pid->control, true);
    *word |= bit_of(vector);
    if ((pid->control & (CTL_ON | CTL_SN)) != 0)
        return;
    pid->control |= CTL_ON;
    notify((uint32_t)(pid->control >> 32), (uint8_t)(pid->control >> 16));
}

/* The handler of one vector. */
static void handle(void *ctx, uint8_t vector)
{
    struct cpu *const cpu = ctx;
    uint64_t *const owed = &cpu->owed[vector / 64];

    ex_host(NULL, NULL);
    if (cpu->busy == 0)
        ex_fail("K: handled with interrupts on");
    else if ((*owed & bit_of(vector)) == 0)
        ex_fail("K: vector %u was handled before, or never taken", vector);
    else if (cpu->freed != 0 && vector != V_Y)
        ex_fail("E: vector %u came after it was free", vector);
    *owed &= ~bit_of(vector);
}

/* A pCPU accepts its notification vector, or is free to do something in its place. */
static bool is_idle(void *arg)
{
    return ((const struct cpu *)arg)->busy == 0;
}

static bool accepts(void *arg)
{
    const struct cpu *const cpu = arg;

    return cpu->irr != 0 && cpu->busy == 0 && cpu->dead == 0;
}

static void run_handler(void *arg)
{
    struct cpu *const cpu = arg;
    struct vtdpi_hostmsi *const h = &demux.h[cpu - demux.cpu];

    for (;;) {
        ex_forget(0);
        ex_host(accepts, cpu);
        cpu->irr = 0;
        cpu->busy = 1;
        (void)vtdpi_hostmsi_handle(h, looks, handle, cpu);
        ex_host(NULL, NULL);
        cpu->busy = 0;
    }
}

/* A unit reads its entry, and later the post lands. */
static void raise_x(unsigned int unit)
{
    const struct vtdpi_irte *const irte = &demux.cached;
    unsigned int target;

    ex_host(NULL, NULL);
    target = target_in(irte);
    ex_observe(target);
    if (target == TARGETS) {
        ex_fail("C: the entry is not present");
        return;
    }
    demux.flying[unit] = target + 1;
    ex_host(NULL, NULL);
    land(target, vector_of_target(target));
    demux.flying[unit] = 0;
}

/* By software, to a pCPU. */
static void raise_by_software(unsigned int target, uint8_t vector)
{
    struct vtdpi_notification n;

    ex_host(NULL, NULL);
    demux.raising++;
    n = subject_hostmsi_post(&demux.h[target], vector);
    ex_host(NULL, NULL);
    demux.raising--;
    if (n.result == VTDPI_POST_NOTIFY)
        notify(n.ndst, n.nv);
}

static void run_posts(void *arg)
{
    const enum demux_post *const post = arg;
    const unsigned int unit = post == script->post ? 0 : 1;

    for (unsigned int i = 0; post[i] != DEMUX_NONE; i++) {
        ex_start(i + 1);
        if (post[i] == DEMUX_X) {
            raise_x(unit);
        } else if (post[i] == DEMUX_Y) {
            ex_host(NULL, NULL);
            land(0, V_Y);
        } else {
            raise_by_software(0, V_Z);
        }
    }
}

/* The table. */

static int backend_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                           const struct vtdpi_irte *old,
                           const struct vtdpi_irte *replacement)
{
    (void)ctx;
    (void)flush;
    (void)index;
    ex_host(NULL, NULL);
    if (memcmp(old, &demux.entry, sizeof *old) != 0)
        ex_fail("C: the entry is taken for another one");
    demux.entry = *replacement;
    return 0;
}

static int backend_invalidate(void *ctx, struct vtdpi_flush *flush,
                              uint32_t first, uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static bool has_landed(void *arg)
{
    (void)arg;
    return (demux.flying[0] | demux.flying[1]) == 0;
}

/* The wait does not order posts; the register read after it does. */
static int backend_commit(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    ex_host(NULL, NULL);
    demux.cached = demux.entry;
    if (flush->drain)
        ex_host(has_landed, NULL);
    return 0;
}

static const struct vtdpi_backend_ops backend_ops = {
    .replace = backend_replace,
    .invalidate = backend_invalidate,
    .commit = backend_commit,
};

static const struct vtdpi_backend backend = {
    .ops = &backend_ops,
    .mode = VTDPI_X2APIC,
    .haw = 48,
};

/* The administrator. What it does on a pCPU is done while that is in no handler. */

static void begin_on(struct cpu *cpu)
{
    ex_host(is_idle, cpu);
    cpu->busy = 1;
}

static void end_on(struct cpu *cpu)
{
    ex_host(NULL, NULL);
    cpu->busy = 0;
}

static void move_to(unsigned int target)
{
    int rc = vtdpi_irq_set_host_posted(&demux.irq, target_at(target),
                                       vector_of_target(target));

    if (rc == 0)
        rc = vtdpi_irq_flush(&demux.irq);
    if (rc != 0 && !(rc == VTDPI_ECLOSED && target == 0))
        ex_fail("C: the move returns %d", rc);
}

static void free_vector(struct cpu *cpu)
{
    ex_host(NULL, NULL);
    cpu->freed = 1;
}

static void harvest(struct cpu *cpu)
{
    uint64_t set[VTDPI_PIR_WORDS];

    begin_on(cpu);
    if (subject_hostmsi_harvest(&demux.h[0], set))
        (void)vtdpi_hostmsi_dispatch(set, handle, cpu);
    end_on(cpu);
}

/* The old pCPU's vector is handed on, and comes there as the new one's. */
static void hand_on(void *ctx, uint8_t vector)
{
    handle(ctx, vector);
    raise_by_software(1, vector_of_target(1));
}

static bool is_unnamed(void *arg)
{
    (void)arg;
    return demux.h[0].target.refs == REFS_OPEN;
}

static void go_offline(struct cpu *cpu)
{
    uint64_t set[VTDPI_PIR_WORDS];
    int rc;

    begin_on(cpu);
    while ((rc = vtdpi_hostmsi_offline(&demux.h[0], set)) == VTDPI_EBUSY) {
        end_on(cpu);
        ex_host(is_unnamed, NULL);
        begin_on(cpu);
    }
    if (rc != 0)
        ex_fail("C: offline returns %d", rc);
    else
        (void)vtdpi_hostmsi_dispatch(set, hand_on, cpu);
    ex_host(NULL, NULL);
    if (any_of(demux.h[0].pid.pir))
        ex_fail("K: the pCPU goes and leaves a vector behind");
    cpu->dead = 1;
    cpu->irr = 0;
    cpu->busy = 0;
}

static void die(struct cpu *cpu)
{
    uint64_t set[VTDPI_PIR_WORDS];
    int rc;

    begin_on(cpu);
    rc = vtdpi_hostmsi_offline(&demux.h[0], set);
    if (rc != VTDPI_EBUSY)
        ex_fail("C: offline with an interrupt returns %d", rc);
    ex_host(NULL, NULL);
    cpu->dead = 1;
    cpu->irr = 0;
    cpu->busy = 0;
}

static void go_online(struct cpu *cpu)
{
    begin_on(cpu);
    cpu->dead = 0;
    vtdpi_hostmsi_online(&demux.h[0]);
    if (bug != HOST_NO_LOOK_WHEN_ONLINE)
        (void)vtdpi_hostmsi_handle(&demux.h[0], looks, handle, cpu);
    end_on(cpu);
}

static void lay_guest(void)
{
    const int rc = vtdpi_irq_post_target(&demux.irq, target_at(GUEST),
                                         vector_of_target(GUEST));

    if (rc != 0)
        ex_fail("C: the guest's form returns %d", rc);
}

static void lift_guest(void)
{
    const int rc = vtdpi_irq_unpost(&demux.irq);

    ex_host(NULL, NULL);
    demux.guest_gone = 1;
    if (rc != 0)
        ex_fail("C: unpost returns %d", rc);
}

static void last_harvest(struct cpu *cpu)
{
    if (bug != HOST_FREES_VECTOR_AT_ONCE && bug != HOST_HARVESTS_BEFORE_MOVE)
        harvest(cpu);
    free_vector(cpu);
}

static void move_away(struct cpu *cpu)
{
    if (bug == HOST_HARVESTS_BEFORE_MOVE)
        harvest(cpu);
    move_to(1);
}

static void administer(enum demux_op op)
{
    struct cpu *const cpu = &demux.cpu[0];

    switch (op) {
    case DEMUX_MOVE:
        move_away(cpu);
        break;
    case DEMUX_BACK:
        move_to(0);
        break;
    case DEMUX_HARVEST:
        last_harvest(cpu);
        break;
    case DEMUX_OFFLINE:
        go_offline(cpu);
        break;
    case DEMUX_DIE:
        die(cpu);
        break;
    case DEMUX_ONLINE:
        go_online(cpu);
        break;
    case DEMUX_GUEST:
        lay_guest();
        break;
    case DEMUX_HOST:
        lift_guest();
        break;
    case DEMUX_END:
        break;
    }
}

static void run_admin(void *arg)
{
    const enum demux_op *const op = arg;

    for (unsigned int i = 0; op[i] != DEMUX_END; i++) {
        ex_start(i + 1);
        administer(op[i]);
    }
}

/* What must hold. */

/* Nobody is about to look at the descriptor, or to send its notification. */
static bool is_quiet(const struct cpu *cpu)
{
    return cpu->busy == 0 && cpu->irr == 0 && cpu->dead == 0 &&
           demux.raising == 0;
}

static void check_cpu(unsigned int i)
{
    const struct cpu *const cpu = &demux.cpu[i];
    const struct vtdpi_pid *const pid = &demux.h[i].pid;

    if (!is_quiet(cpu))
        return;
    if (any_of(pid->pir))
        ex_fail("L: pCPU %u has interrupts, and no notification is sent", i);
    else if ((pid->control & CTL_ON) != 0)
        ex_fail("L: pCPU %u is deaf: ON is set, no notification is sent", i);
    else if (any_of(cpu->owed))
        ex_fail("K: pCPU %u has taken a vector and not handled it", i);
}

static void check_named(const struct vtdpi_irte *irte)
{
    const unsigned int t = target_in(irte);

    if (t < TARGETS && vtdpi_target_refs(target_at(t)) == 0)
        ex_fail("G: a unit may post to a target that has no reference");
}

static void check_step(void *ctx)
{
    (void)ctx;
    check_named(&demux.entry);
    check_named(&demux.cached);
    for (unsigned int i = 0; i < DEMUX_CPUS; i++)
        check_cpu(i);
}

static void check_final(void *ctx)
{
    (void)ctx;
    for (unsigned int i = UNIT; i <= AFFINITY; i++) {
        if (ex_fiber(i)->kind != EX_DONE)
            ex_fail("X: %s waits for ever", ex_fiber(i)->name);
    }
    for (unsigned int i = 0; i < DEMUX_CPUS; i++) {
        if (any_of(demux.h[i].pid.pir) || any_of(demux.cpu[i].owed))
            ex_fail("X: pCPU %u leaves a vector behind", i);
    }
}

/* A bit that leaves PIR is owed by the pCPU, also one that a plain store drops. */
static void written(void *ctx, const uint64_t *addr, uint64_t old,
                    uint64_t value)
{
    (void)ctx;
    for (unsigned int i = 0; i < DEMUX_CPUS; i++) {
        for (unsigned int w = 0; w < VTDPI_PIR_WORDS; w++) {
            uint64_t *const owed = &demux.cpu[i].owed[w];

            if (addr != &demux.h[i].pid.pir[w])
                continue;
            if ((*owed & old & ~value) != 0)
                ex_fail("K: a vector is taken again before it is handled");
            *owed |= old & ~value;
        }
    }
}

static void set_up_cpu(unsigned int i)
{
    ex_require(
        vtdpi_hostmsi_init(&demux.h[i], pda_of(i), VTDPI_X2APIC, i + 1, NV));
    vtdpi_hostmsi_online(&demux.h[i]);
    (void)ex_spawn(i == 0 ? "cpu0" : "cpu1", run_handler, &demux.cpu[i]);
}

static void set_up(void *ctx)
{
    const unsigned int first = script->starts_on_1 ? 1 : 0;

    (void)ctx;
    memset(&demux, 0, sizeof demux);
    for (unsigned int i = 0; i < DEMUX_CPUS; i++)
        set_up_cpu(i);
    demux.guest.control = CTL_SN;
    ex_require(
        vtdpi_target_init(&demux.guest_target, pda_of(GUEST), VTDPI_X2APIC));
    ex_require(vtdpi_irq_init(&demux.irq, &backend, INDEX, &source, NULL));
    ex_require(vtdpi_irq_set_host_posted(&demux.irq, target_at(first),
                                         vector_of_target(first)));
    ex_range(&demux, sizeof demux);
    ex_plain(&demux.irq, offsetof(struct vtdpi_irq, batch));
    (void)ex_spawn("unit", run_posts, (void *)(uintptr_t)script->post);
    (void)ex_spawn("other", run_posts, (void *)(uintptr_t)script->other);
    (void)ex_spawn("admin", run_admin, (void *)(uintptr_t)script->op);
    (void)ex_spawn("host", run_admin, (void *)(uintptr_t)script->affinity);
}

const struct ex_world *demux_new(const struct demux *s, uint32_t how_often,
                                 unsigned int of_the_host)
{
    static struct ex_world w = {
        .arena = &demux,
        .arena_size = sizeof demux,
        .setup = set_up,
        .check = check_step,
        .check_final = check_final,
        .written = written,
    };

    script = s;
    looks = how_often;
    bug = of_the_host;
    return &w;
}

/* Traces. */

void demux_print(FILE *out)
{
    static const char names[TARGETS + 1] = {'0', '1', 'G', '-'};

    (void)fprintf(out, " entry=%c cached=%c", names[target_in(&demux.entry)],
                  names[target_in(&demux.cached)]);
    for (unsigned int i = 0; i < DEMUX_CPUS; i++) {
        const struct cpu *const cpu = &demux.cpu[i];
        const struct vtdpi_pid *const pid = &demux.h[i].pid;

        (void)fprintf(
            out, "; cpu%u%s%s%s%s pir=%llx,%llx owed=%llx,%llx", i,
            (pid->control & CTL_ON) != 0 ? " ON" : "",
            cpu->irr != 0 ? " NV" : "", cpu->busy != 0 ? " busy" : "",
            cpu->dead != 0 ? " dead" : "", (unsigned long long)pid->pir[1],
            (unsigned long long)pid->pir[3], (unsigned long long)cpu->owed[1],
            (unsigned long long)cpu->owed[3]);
    }
    (void)fputc('\n', out);
}

void demux_print_name(FILE *out, const uint64_t *addr)
{
    for (unsigned int t = 0; t < TARGETS; t++) {
        if (addr == &pid_of(t)->control)
            (void)fprintf(out, "%c.control", "01G"[t]);
        if (addr == &target_at(t)->refs)
            (void)fprintf(out, "%c.refs", "01G"[t]);
        for (unsigned int w = 0; w < VTDPI_PIR_WORDS; w++) {
            if (addr == &pid_of(t)->pir[w])
                (void)fprintf(out, "%c.pir[%u]", "01G"[t], w);
        }
    }
    if (addr == &demux.irq.claim)
        (void)fputs("claim", out);
}

const char *demux_doing(unsigned int fiber)
{
    if (fiber < UNIT)
        return "handle";
    return fiber >= ADMIN ? "administer" : "post";
}
