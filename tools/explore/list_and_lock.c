/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An example of vtdpi-explore: the design of the peers, a list of blocked vCPUs with a
 * lock on each pCPU, written from its public description, and an adapter. The hooks are
 * in the first part, as a hypervisor would have them; the adapter is the second.
 *
 * Each window is a change that loses a wakeup, or worse; docs/races.md says who had it.
 * "list_and_lock --window NAME" explores the hooks with that window, and --windows lists
 * the names.
 */
#include <stdio.h>
#include <string.h>

#include "vtdpi/explore_kernel.h"

/* A posted-interrupt descriptor. */
struct pi_desc {
    u64 pir[4];
    union {
        u64 control;
        struct {
            u8 on_sn;
            u8 reserved;
            u8 nv;
            u8 reserved_too;
            u32 ndst;
        };
    };
    u64 rest[3];
} __attribute__((__aligned__(64)));

enum {
    ON,
    SN,
};

#define ON_BIT     (UINT64_C(1) << ON)
#define SN_BIT     (UINT64_C(1) << SN)
#define NV_SHIFT   16
#define NDST_SHIFT 32

enum {
    NOWHERE = VTDPI_EXPLORE_CPUS,
};

struct vcpu {
    struct pi_desc pi;
    struct list_head blocked; /* on the list of pCPU listed_on */
    u32 listed_on; /* NOWHERE; written by the owner, under the lock */
    u32 cpu;       /* where it ran last */
    u32 in_guest;  /* or on the way there */
    u32 runs;      /* scheduled in */
    u32 assigned;  /* has a device: otherwise block arms nothing */
};

struct blocked_list {
    spinlock_t lock;
    struct list_head head;
    u32 online;
};

static struct vcpu vcpus[VTDPI_EXPLORE_VCPUS];
static DEFINE_PER_CPU(struct blocked_list, blocked_lists);

/* Whether hooks can block on a pCPU on which the vCPU does not run: few designs can. */
#ifndef REMOTE_BLOCK
#define REMOTE_BLOCK true
#endif

/* What is wrong with the hooks. */
static enum window {
    NONE,
    NO_LOOK_AT_PIR,
    PIR_BEFORE_ON,
    TWO_STEPS,
    LOADED_TWICE,
    PLAIN_STORE,
    LISTED_LAST,
    NDST_ALONE,
    LISTED_TWICE,
    NO_SELF_IPI,
    WAKE_SKIPPED,
    LEFT_ARMED,
    ASSIGN_WITHOUT_WAKE,
    CLEARED_LATE,
    ONLINE_BEFORE_LISTED,
    FLAG_AFTER_SCAN,
    MOVED_UNDER_SN,
    FREED_WHILE_LISTED,
    IRQS_ON,
    UNLOCKED,
    ONE_VECTOR,
    NO_BARRIER,
    WINDOWS,
} window;

static const char *const window_names[WINDOWS] = {
    [NONE] = "none",
    [NO_LOOK_AT_PIR] = "no-look-at-pir",
    [PIR_BEFORE_ON] = "pir-before-on",
    [TWO_STEPS] = "two-steps",
    [LOADED_TWICE] = "loaded-twice",
    [PLAIN_STORE] = "plain-store",
    [LISTED_LAST] = "listed-last",
    [NDST_ALONE] = "ndst-alone",
    [LISTED_TWICE] = "listed-twice",
    [NO_SELF_IPI] = "no-self-ipi",
    [WAKE_SKIPPED] = "wake-skipped",
    [LEFT_ARMED] = "left-armed",
    [ASSIGN_WITHOUT_WAKE] = "assign-without-wake",
    [CLEARED_LATE] = "cleared-late",
    [ONLINE_BEFORE_LISTED] = "online-before-listed",
    [FLAG_AFTER_SCAN] = "flag-after-scan",
    [MOVED_UNDER_SN] = "moved-under-sn",
    [FREED_WHILE_LISTED] = "freed-while-listed",
    [IRQS_ON] = "interrupts-on",
    [UNLOCKED] = "unlocked",
    [ONE_VECTOR] = "one-vector",
    [NO_BARRIER] = "no-barrier",
};

/* Part 1: the hooks. */

static u64 control_of(u8 nv, u32 ndst)
{
    return (u64)nv << NV_SHIFT | (u64)ndst << NDST_SHIFT;
}

/* NV and NDST in one step; SN becomes clear, ON stays. Returns the word before. */
static u64 set_control(struct pi_desc *pi, u8 nv, u32 ndst)
{
    u64 old = READ_ONCE(pi->control);
    u64 new;

    if (window == PLAIN_STORE) {
        WRITE_ONCE(pi->control, (old & ON_BIT) | control_of(nv, ndst));
        return old;
    }
    do {
        if (window == LOADED_TWICE) {
            new = (READ_ONCE(pi->control) & ON_BIT) | control_of(nv, ndst);
            old = READ_ONCE(pi->control);
        } else {
            new = (old & ON_BIT) | control_of(nv, ndst);
        }
    } while (!try_cmpxchg64(&pi->control, &old, new));
    return old;
}

static bool pir_is_empty(struct pi_desc *pi)
{
    for (int i = 0; i < 4; i++) {
        if (READ_ONCE(pi->pir[i]) != 0)
            return false;
    }
    return true;
}

static void enlist(struct vcpu *v, u32 cpu)
{
    struct blocked_list *const l = &per_cpu(blocked_lists, cpu);
    bool flags = false;

    if (window == IRQS_ON)
        spin_lock(&l->lock);
    else if (window == UNLOCKED)
        local_irq_save(flags);
    else
        spin_lock_irqsave(&l->lock, flags);
    list_add_tail(&v->blocked, &l->head);
    v->listed_on = cpu;
    if (window != UNLOCKED)
        spin_unlock(&l->lock);
    local_irq_restore(flags);
}

/* Where the vCPU is listed, if it is; an entry may be moved by offline at any time. */
static void delist(struct vcpu *v)
{
    for (;;) {
        const u32 cpu = READ_ONCE(v->listed_on);
        bool flags = false;
        bool same;

        if (cpu == NOWHERE)
            return;
        spin_lock_irqsave(&per_cpu(blocked_lists, cpu).lock, flags);
        same = v->listed_on == cpu;
        if (same) {
            list_del(&v->blocked);
            WRITE_ONCE(v->listed_on, (u32)NOWHERE);
        }
        spin_unlock_irqrestore(&per_cpu(blocked_lists, cpu).lock, flags);
        if (same)
            return;
    }
}

static void run(struct vcpu *v, u32 cpu)
{
    const u32 ndst = vtdpi_explore_ndst(cpu);

    WRITE_ONCE(v->cpu, cpu);
    WRITE_ONCE(v->runs, 1);
    if (window == NDST_ALONE && v->listed_on != NOWHERE) {
        WRITE_ONCE(v->pi.ndst, ndst);
        return;
    }
    if (window == LEFT_ARMED && v->listed_on != NOWHERE) {
        (void)set_control(&v->pi, VTDPI_EXPLORE_WNV, ndst);
    } else {
        /* Off the list first: a handler finds no vCPU whose NV is not WNV. */
        if (window != LISTED_TWICE && window != FREED_WHILE_LISTED)
            delist(v);
        (void)set_control(&v->pi, VTDPI_EXPLORE_ANV, ndst);
    }
    /* What was posted under SN is in PIR, and ON is clear. */
    if (window != NO_LOOK_AT_PIR && !pir_is_empty(&v->pi))
        set_bit(ON, &v->pi.control);
}

static void preempt(struct vcpu *v)
{
    WRITE_ONCE(v->runs, 0);
    set_bit(SN, &v->pi.control);
}

/* True if the pCPU is there. */
static bool enlist_if_online(struct vcpu *v, u32 cpu)
{
    struct blocked_list *const l = &per_cpu(blocked_lists, cpu);

    if (window == ONLINE_BEFORE_LISTED && !READ_ONCE(l->online))
        return false;
    if (v->listed_on != NOWHERE && window == FREED_WHILE_LISTED) {
        if (v->listed_on == cpu)
            return true;
        delist(v);
    }
    enlist(v, cpu);
    if (window == ONLINE_BEFORE_LISTED || READ_ONCE(l->online))
        return true;
    delist(v);
    return false;
}

static enum vtdpi_explore_block block(struct vcpu *v, u32 cpu)
{
    const u32 ndst = vtdpi_explore_ndst(cpu);
    u64 old;

    if (!READ_ONCE(v->assigned)) {
        WRITE_ONCE(v->runs, 0);
        return test_bit(ON, &v->pi.control) ? VTDPI_EXPLORE_PENDING
                                            : VTDPI_EXPLORE_SLEEP;
    }
    if (window == TWO_STEPS && test_bit(ON, &v->pi.control))
        return VTDPI_EXPLORE_PENDING;
    /* On the list first: the wakeup may come as soon as NV has changed. */
    if (window != LISTED_LAST && !enlist_if_online(v, cpu))
        return VTDPI_EXPLORE_OFFLINE;
    old = set_control(
        &v->pi, window == ONE_VECTOR ? VTDPI_EXPLORE_ANV : VTDPI_EXPLORE_WNV,
        ndst);
    if (window == LISTED_LAST && !enlist_if_online(v, cpu))
        return VTDPI_EXPLORE_OFFLINE;
    /* Its notification went to ANV, and woke nobody. */
    if (test_bit(ON, &old) && window != NO_SELF_IPI && window != TWO_STEPS)
        vtdpi_explore_send_ipi(cpu, VTDPI_EXPLORE_WNV);
    WRITE_ONCE(v->runs, 0);
    return VTDPI_EXPLORE_SLEEP;
}

static void enter(struct vcpu *v)
{
    WRITE_ONCE(v->in_guest, 1);
    /* A poster finds in_guest, or the harvest finds ON. */
    if (window != NO_BARRIER)
        smp_mb();
}

static void harvest(struct vcpu *v, u64 taken[4])
{
    if (!test_bit(ON, &v->pi.control))
        return;
    if (window != PIR_BEFORE_ON)
        clear_bit(ON, &v->pi.control);
    for (int i = 0; i < 4; i++) {
        if (READ_ONCE(v->pi.pir[i]) != 0)
            taken[i] = xchg(&v->pi.pir[i], 0);
    }
    if (window == PIR_BEFORE_ON)
        clear_bit(ON, &v->pi.control);
}

static void post(struct vcpu *v, u8 vector)
{
    if (test_and_set_bit(vector, v->pi.pir) ||
        test_and_set_bit(ON, &v->pi.control))
        return;
    if (READ_ONCE(v->in_guest))
        vtdpi_explore_send_ipi(READ_ONCE(v->cpu), VTDPI_EXPLORE_ANV);
    else if (window != WAKE_SKIPPED || !READ_ONCE(v->runs))
        vtdpi_explore_wake((unsigned int)(v - vcpus));
}

static void wakeup(u32 cpu)
{
    struct blocked_list *const l = &per_cpu(blocked_lists, cpu);
    bool woken[VTDPI_EXPLORE_VCPUS] = {false};
    struct vcpu *v;

    spin_lock(&l->lock);
    list_for_each_entry(v, &l->head, blocked)
    {
        if (test_bit(ON, &v->pi.control)) {
            vtdpi_explore_wake((unsigned int)(v - vcpus));
            woken[v - vcpus] = true;
        }
    }
    spin_unlock(&l->lock);
    for (u32 i = 0; i < VTDPI_EXPLORE_VCPUS; i++) {
        if (window == CLEARED_LATE && woken[i])
            delist(&vcpus[i]);
    }
}

/* The vCPU goes on sleeping, on the list of another pCPU. */
static void move(struct vcpu *v, u32 cpu)
{
    struct blocked_list *const l = &per_cpu(blocked_lists, cpu);

    set_bit(SN, &v->pi.control);
    if (test_bit(ON, &v->pi.control)) {
        vtdpi_explore_wake((unsigned int)(v - vcpus));
    } else {
        spin_lock(&l->lock);
        WRITE_ONCE(v->pi.ndst, vtdpi_explore_ndst(cpu));
        list_del(&v->blocked);
        list_add_tail(&v->blocked, &l->head);
        WRITE_ONCE(v->listed_on, cpu);
        spin_unlock(&l->lock);
    }
    clear_bit(SN, &v->pi.control);
}

static void offline(u32 cpu)
{
    struct blocked_list *const l = &per_cpu(blocked_lists, cpu);
    struct vcpu *v;
    struct vcpu *next;

    if (window != FLAG_AFTER_SCAN)
        WRITE_ONCE(l->online, 0);
    spin_lock_irq(&l->lock);
    list_for_each_entry_safe(v, next, &l->head, blocked)
    {
        if (window == MOVED_UNDER_SN)
            move(v, 1 - cpu);
        else
            vtdpi_explore_wake((unsigned int)(v - vcpus));
    }
    spin_unlock_irq(&l->lock);
    if (window == FLAG_AFTER_SCAN)
        WRITE_ONCE(l->online, 0);
}

/* Part 2: the adapter. */

static void my_init(void)
{
    for (u32 cpu = 0; cpu < VTDPI_EXPLORE_CPUS; cpu++) {
        spin_lock_init(&blocked_lists[cpu].lock);
        INIT_LIST_HEAD(&blocked_lists[cpu].head);
        blocked_lists[cpu].online = 1;
    }
}

static void my_create(unsigned int n)
{
    struct vcpu *const v = &vcpus[n];

    memset(v, 0, sizeof *v);
    v->listed_on = NOWHERE;
    v->pi.control =
        control_of(VTDPI_EXPLORE_ANV, vtdpi_explore_ndst(0)) | SN_BIT;
}

static void *my_pid(unsigned int n)
{
    return &vcpus[n].pi;
}

static void my_run(unsigned int n, unsigned int cpu)
{
    run(&vcpus[n], cpu);
}

static void my_preempt(unsigned int n)
{
    preempt(&vcpus[n]);
}

static enum vtdpi_explore_block my_block(unsigned int n, unsigned int cpu)
{
    return block(&vcpus[n], cpu);
}

static void my_enter(unsigned int n)
{
    enter(&vcpus[n]);
}

static void my_harvest(unsigned int n, uint64_t taken[4])
{
    harvest(&vcpus[n], taken);
    if (window == LEFT_ARMED) {
        delist(&vcpus[n]);
        (void)set_control(&vcpus[n].pi, VTDPI_EXPLORE_ANV,
                          vtdpi_explore_ndst(vcpus[n].cpu));
    }
}

static void my_leave(unsigned int n)
{
    WRITE_ONCE(vcpus[n].in_guest, 0);
}

static void my_post(unsigned int n, uint8_t vector)
{
    post(&vcpus[n], vector);
}

static void my_online(unsigned int cpu)
{
    WRITE_ONCE(blocked_lists[cpu].online, 1);
}

static void my_assign(unsigned int n)
{
    WRITE_ONCE(vcpus[n].assigned, 1);
    /* It may sleep, and has armed nothing. */
    if (window != ASSIGN_WITHOUT_WAKE)
        vtdpi_explore_wake(n);
}

static void my_destroy(unsigned int n)
{
    if (window != FREED_WHILE_LISTED)
        BUG_ON(vcpus[n].listed_on != NOWHERE);
}

static struct vtdpi_explore_subject subject = {
    .name = "list and lock",
    .memory = {{"vcpus", vcpus, sizeof vcpus},
               {"blocked_lists", blocked_lists, sizeof blocked_lists}},
    .remote_block = REMOTE_BLOCK,
    .init = my_init,
    .create = my_create,
    .pid = my_pid,
    .run = my_run,
    .preempt = my_preempt,
    .block = my_block,
    .enter = my_enter,
    .harvest = my_harvest,
    .leave = my_leave,
    .post = my_post,
    .wakeup = wakeup,
    .offline = offline,
    .online = my_online,
    .assign = my_assign,
    .destroy = my_destroy,
};

static int open_window(const char *name)
{
    for (unsigned int i = 0; i < WINDOWS; i++) {
        if (strcmp(window_names[i], name) == 0) {
            window = (enum window)i;
            if (window == ONE_VECTOR)
                subject.notified = wakeup;
            return 0;
        }
    }
    (void)fprintf(stderr, "no window '%s'\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    static char program[256]; /* how a failure is told to be run again */

    if (argc == 2 && strcmp(argv[1], "--windows") == 0) {
        for (unsigned int i = 1; i < WINDOWS; i++)
            (void)puts(window_names[i]);
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "--window") == 0) {
        if (open_window(argv[2]) != 0)
            return 2;
        (void)snprintf(program, sizeof(program), "%s --window %s", argv[0],
                       argv[2]);
        argv[2] = program;
        argc -= 2;
        argv += 2;
    }
    return vtdpi_explore_main(argc, argv, &subject);
}
