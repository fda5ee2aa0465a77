/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads and the CPUs that they have. */
#include "internal.h"

#include <sys/sched.h>

enum {
    /* At a point where it may be preempted, a thread is, once in so many. */
    PREEMPT_IN = 12,
};

struct shim_cpu shim_cpus[MAXCPU];
struct shim_counters shim_counts;

u_int mp_maxid;
int mp_ncpus;
volatile int smp_started;
cpuset_t all_cpus;
int cpu_apic_ids[MAXCPU];
int bootverbose;
int cold;

static struct {
    struct shim_thread *threads; /* all; host_lock() */
    bool stop;                   /* host_lock() */
} g;

struct shim_thread *shim_self(void)
{
    return host_private();
}

struct thread *shim_curthread(void)
{
    struct shim_thread *t = shim_self();

    if (t == NULL)
        shim_fail("shim: curthread of a thread that is not the kernel's");
    return &t->td;
}

struct pcpu *shim_pcpu(void)
{
    struct shim_thread *t = shim_self();

    if (t == NULL || t->cpu == NULL)
        panic("PCPU_GET by a thread without a CPU");
    if (t->td.td_critnest == 0 && t->td.td_pinned == 0 && t->bound < 0 &&
        t->in_intr == 0 && t->interrupts)
        panic("PCPU_GET by a thread that may be moved to another CPU");
    return &t->cpu->pcpu;
}

struct pcpu *pcpu_find(u_int cpuid)
{
    return cpuid > mp_maxid || CPU_ABSENT(cpuid) ? NULL
                                                 : &shim_cpus[cpuid].pcpu;
}

/* host_lock(). */
static void give_cpu(struct shim_cpu *c, struct shim_thread *t)
{
    c->owner = t;
    t->cpu = c;
    host_unpark(t->ctx);
}

void shim_kick_locked(struct shim_cpu *c)
{
    if (c->owner == NULL)
        give_cpu(c, c->idle);
    else if (c->halted)
        host_unpark(c->owner->ctx);
}

static struct shim_cpu *pick(const struct shim_thread *t)
{
    u_int n;
    u_int i;

    if (t->idle)
        return t->last;
    if (t->bound >= 0)
        return &shim_cpus[t->bound];
    if (t->td.td_pinned > 0)
        return t->last;
    n = host_random((uint32_t)mp_ncpus);
    CPU_FOREACH(i)
    {
        if (n-- == 0)
            break;
    }
    return &shim_cpus[i];
}

void shim_cpu_acquire(struct shim_thread *t)
{
    struct shim_cpu *c = pick(t);
    bool mine;

    host_lock();
    if (c->owner == NULL) {
        c->owner = t;
        t->cpu = c;
    } else {
        t->next = NULL;
        *c->queue_end = t;
        c->queue_end = &t->next;
        (void)shim_set_pending(c, IPI_BITMAP_VECTOR);
        shim_kick_locked(c);
    }
    mine = t->cpu != NULL;
    host_unlock();
    while (!mine) {
        host_park();
        host_lock();
        mine = t->cpu != NULL;
        host_unlock();
    }
    shim_count(switches);
    if (t->last != t->cpu)
        shim_count(migrations);
    t->last = t->cpu;
}

void shim_cpu_release(struct shim_thread *t)
{
    struct shim_cpu *c = t->cpu;
    struct shim_thread *next;

    host_lock();
    must(c->owner == t);
    t->cpu = NULL;
    next = c->queue;
    if (next != NULL) {
        c->queue = next->next;
        if (c->queue == NULL)
            c->queue_end = &c->queue;
        give_cpu(c, next);
    } else if (shim_has_pending(c)) {
        give_cpu(c, c->idle);
    } else {
        c->owner = NULL;
    }
    host_unlock();
}

bool shim_should_yield(void)
{
    struct shim_thread *t = shim_self();
    bool wanted;

    host_lock();
    wanted = t->cpu->queue != NULL;
    host_unlock();
    return wanted || t->td.td_owepreempt != 0;
}

void shim_yield(void)
{
    struct shim_thread *t = shim_self();

    if (t->td.td_critnest != 0 || t->in_intr != 0)
        panic("%s gives up its CPU in a critical section", t->td.td_name);
    t->td.td_owepreempt = 0;
    shim_cpu_release(t);
    shim_cpu_acquire(t);
}

void kern_yield(int prio)
{
    (void)prio;
    shim_yield();
}

static bool preemptible(const struct shim_thread *t)
{
    return !t->idle && t->td.td_critnest == 0 && t->in_intr == 0 &&
           t->interrupts && t->cpu != NULL;
}

void shim_point(void)
{
    struct shim_thread *t = shim_self();

    host_step();
    if (t == NULL || t->cpu == NULL)
        return;
    shim_take_interrupts(t);
    if (preemptible(t) &&
        (t->td.td_owepreempt != 0 || host_random(PREEMPT_IN) == 0) &&
        shim_should_yield()) {
        shim_count(preemptions);
        shim_yield();
    }
}

void critical_enter(void)
{
    shim_self()->td.td_critnest++;
}

void critical_exit(void)
{
    struct shim_thread *t = shim_self();

    if (t->td.td_critnest == 0)
        panic("critical_exit without critical_enter");
    if (t->td.td_critnest <= t->spin)
        panic("critical_exit of a section that a spin lock entered");
    t->td.td_critnest--;
    if (t->td.td_critnest == 0)
        shim_point();
}

void spinlock_enter(void)
{
    struct shim_thread *t = shim_self();

    t->spin++;
    t->td.td_critnest++;
}

void spinlock_exit(void)
{
    struct shim_thread *t = shim_self();

    if (t->spin == 0)
        panic("spinlock_exit without spinlock_enter");
    t->spin--;
    t->td.td_critnest--;
    if (t->spin == 0)
        shim_point();
}

bool shim_interrupts_enabled(void)
{
    const struct shim_thread *t = shim_self();

    return t->interrupts && t->spin == 0 && t->in_intr == 0;
}

register_t intr_disable(void)
{
    struct shim_thread *t = shim_self();
    const register_t was = t->interrupts;

    t->interrupts = false;
    return was;
}

void intr_restore(register_t flags)
{
    struct shim_thread *t = shim_self();

    t->interrupts = flags != 0;
    shim_point();
}

void disable_intr(void)
{
    (void)intr_disable();
}

void enable_intr(void)
{
    intr_restore(1);
}

void ia32_pause(void)
{
    host_relax();
}

void shim_relax(void)
{
    struct shim_thread *t = shim_self();

    host_relax();
    if (t != NULL && t->cpu != NULL) {
        shim_take_interrupts(t);
        /* Who is awaited may want this very CPU. */
        if (preemptible(t) && shim_should_yield())
            shim_yield();
    }
}

uint32_t shim_random(uint32_t n)
{
    return host_random(n);
}

void sched_pin(void)
{
    shim_self()->td.td_pinned++;
}

void sched_unpin(void)
{
    struct shim_thread *t = shim_self();

    if (t->td.td_pinned == 0)
        panic("sched_unpin without sched_pin");
    t->td.td_pinned--;
}

void sched_bind(struct thread *td, int cpu)
{
    struct shim_thread *t = td->shim;

    if (t != shim_self())
        panic("sched_bind of another thread");
    if (cpu < 0 || (u_int)cpu > mp_maxid || CPU_ABSENT(cpu))
        panic("sched_bind to CPU %d, which is absent", cpu);
    t->bound = cpu;
    if (t->cpu->pcpu.pc_cpuid != (u_int)cpu)
        shim_yield();
}

void sched_unbind(struct thread *td)
{
    td->shim->bound = -1;
}

/* Threads. */

struct shim_thread *shim_all_threads(void)
{
    return g.threads;
}

static void thread_end(struct shim_thread *t)
{
    if (t->held_count != 0)
        panic("%s ends and holds %s", t->td.td_name, t->held[0]->lo_name);
    if (t->td.td_critnest != 0 || t->td.td_pinned != 0 || !t->interrupts)
        panic("%s ends in a critical section, pinned, or with interrupts off",
              t->td.td_name);
}

static void thread_main(void *arg)
{
    struct shim_thread *t = arg;

    host_set_private(t);
    shim_cpu_acquire(t);
    t->run(t->arg);
    thread_end(t);
    shim_cpu_release(t);
    /* The one that joins frees it. */
    host_set_private(NULL);
    host_lock();
    t->exited = true;
    shim_wakeup_locked(t, true);
    host_unlock();
}

static void idle_main(void *arg)
{
    struct shim_thread *t = arg;

    host_set_private(t);
    for (;;) {
        bool mine;
        bool stop;

        host_lock();
        mine = t->cpu != NULL;
        stop = g.stop;
        host_unlock();
        if (mine) {
            shim_take_interrupts(t);
            shim_cpu_release(t);
        } else if (stop) {
            break;
        } else {
            host_park();
        }
    }
}

static struct shim_thread *thread_alloc(const char *name)
{
    struct shim_thread *t = host_alloc(sizeof(*t), 64);

    memset(t, 0, sizeof(*t));
    t->td.td_name = name;
    t->td.shim = t;
    t->bound = -1;
    t->interrupts = true;
    host_lock();
    t->list = g.threads;
    g.threads = t;
    host_unlock();
    return t;
}

static void thread_free(struct shim_thread *t)
{
    struct shim_thread **at = &g.threads;

    host_lock();
    while (*at != t)
        at = &(*at)->list;
    *at = t->list;
    host_unlock();
    host_free(t);
}

struct thread *shim_thread_create(const char *name, void (*run)(void *arg),
                                  void *arg)
{
    struct shim_thread *t = thread_alloc(name);

    t->run = run;
    t->arg = arg;
    host_spawn(&t->ctx, thread_main, t);
    return &t->td;
}

void shim_thread_join(struct thread *td)
{
    struct shim_thread *t = td->shim;
    bool waits;

    shim_may_sleep("join", NULL);
    host_lock();
    waits = !t->exited;
    if (waits)
        shim_sleep_locked(t, "join", 0);
    host_unlock();
    if (waits)
        (void)shim_sleep_switch();
    thread_free(t);
}

void shim_device_create(void (*run)(void *arg), void *arg)
{
    struct host_ctx *ctx;

    host_spawn(&ctx, run, arg);
}

static void cpu_start(u_int id)
{
    struct shim_cpu *c = &shim_cpus[id];

    memset(c, 0, sizeof(*c));
    c->pcpu.pc_cpuid = id;
    /* Not the number of the CPU, so that nobody takes one for the other. */
    c->pcpu.pc_apic_id = 2 * id + 0x10;
    c->pcpu.shim_cpu = c;
    c->queue_end = &c->queue;
    cpu_apic_ids[id] = (int)c->pcpu.pc_apic_id;
    CPU_SET(id, &all_cpus);
    mp_maxid = id;
    mp_ncpus++;
    c->idle = thread_alloc("idle");
    c->idle->idle = true;
    c->idle->last = c;
    host_spawn(&c->idle->ctx, idle_main, c->idle);
}

void shim_cpus_start(const struct shim_options *o)
{
    struct shim_thread *t = thread_alloc("boot");

    if (o->cpus == 0 || o->cpus > SHIM_CPUS_MAX)
        shim_fail("shim: %u CPUs", o->cpus);
    CPU_ZERO(&all_cpus);
    mp_ncpus = 0;
    g.stop = false;
    for (u_int i = 0; i < o->cpus; i++)
        cpu_start(o->sparse ? 3 * i + 1 : i);
    smp_started = 1;
    t->ctx = host_self();
    host_set_private(t);
    shim_cpu_acquire(t);
}

void shim_cpus_stop(void)
{
    struct shim_thread *t = shim_self();
    u_int i;

    thread_end(t);
    shim_cpu_release(t);
    host_set_private(NULL);
    thread_free(t);
    host_lock();
    g.stop = true;
    host_unlock();
    CPU_FOREACH(i)
    {
        host_unpark(shim_cpus[i].idle->ctx);
    }
    host_end();
    CPU_FOREACH(i)
    {
        thread_free(shim_cpus[i].idle);
    }
    if (g.threads != NULL)
        shim_fail("shim: thread %s was not joined", g.threads->td.td_name);
}
