/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the host calls somebody else's hooks. Most designs block a vCPU on the pCPU on
 * which it runs, and run it before anything else happens to it. The scripts were
 * written for hooks that ask for less, so what is missing is added here.
 */
#include "foreign.h"
#include "internal.h"

#include <string.h>

const struct vtdpi_explore_subject *foreign;

/* What the host remembers of the subject's vCPUs; an arena of the explorer. */
static struct {
    struct {
        uint64_t runs;    /* between run and the hook that ends it: pCPU, + 1 */
        uint64_t blocked; /* between block and run */
        uint64_t closed;  /* no entry may name it any more */
        uint64_t refs;    /* entries that name it */
    } vcpu[VCPUS];
} state;

/* C is created in the memory of A. */
static unsigned int index_of(unsigned int vcpu)
{
    return vcpu == C ? (unsigned int)A : vcpu;
}

/* In units of 8 bytes. */
static struct ex_range units_of(const struct vtdpi_explore_memory *m)
{
    unsigned char *const start = (unsigned char *)m->start;
    const size_t before = (uintptr_t)m->start % 8;

    return (struct ex_range){start - before, (before + m->size + 7) / 8 * 8};
}

static unsigned int parts(void)
{
    unsigned int n = 0;

    while (n < VTDPI_EXPLORE_MEMORY_MAX && foreign->memory[n].size != 0)
        n++;
    return n;
}

static void clear_memory(void)
{
    for (unsigned int i = 0; i < parts(); i++)
        memset(foreign->memory[i].start, 0, foreign->memory[i].size);
}

static bool is_named(const void *p, size_t size)
{
    for (unsigned int i = 0; i < parts(); i++) {
        const struct ex_range r = units_of(&foreign->memory[i]);

        if ((uintptr_t)p - (uintptr_t)r.addr < r.size &&
            (uintptr_t)p + size <= (uintptr_t)r.addr + r.size)
            return true;
    }
    return false;
}

const char *foreign_bad_memory(void)
{
    size_t all = sizeof host + sizeof state;

    for (unsigned int i = 0; i < parts(); i++)
        all += units_of(&foreign->memory[i]).size;
    if (all > (size_t)EX_WORDS * 8)
        return "memory: more than fits, which is about 30 KiB: fewer vCPUs and "
               "pCPUs";
    clear_memory();
    if (foreign->init != NULL)
        foreign->init();
    for (unsigned int i = A; i <= B; i++) {
        foreign->create(i);
        if ((uintptr_t)foreign->pid(i) % 64 != 0)
            return "pid: not aligned to 64 bytes";
        if (!is_named(foreign->pid(i), 64))
            return "pid: not in the memory that is named";
    }
    return foreign->pid(A) == foreign->pid(B) ? "pid: one for both vCPUs"
                                              : NULL;
}

static void arenas(struct ex_range more[EX_ARENAS])
{
    more[0] = (struct ex_range){&state, sizeof state};
    for (unsigned int i = 0; i < parts(); i++)
        more[1 + i] = units_of(&foreign->memory[i]);
}

static void set_up(void)
{
    memset(&state, 0, sizeof state);
    clear_memory();
    if (foreign->init != NULL)
        foreign->init();
    for (unsigned int i = A; i <= B; i++) {
        foreign->create(i);
        if (foreign->assign != NULL && !comes_late(i))
            foreign->assign(i);
    }
}

static void ranges(void)
{
    ex_range(&state, sizeof state);
    for (unsigned int i = 0; i < parts(); i++) {
        const struct ex_range r = units_of(&foreign->memory[i]);

        ex_range(r.addr, r.size);
    }
}

static struct vtdpi_pid *pid(unsigned int vcpu)
{
    return foreign->pid(index_of(vcpu));
}

static void run(unsigned int vcpu, unsigned int cpu)
{
    foreign->run(index_of(vcpu), cpu);
    state.vcpu[vcpu].runs = cpu + 1;
    state.vcpu[vcpu].blocked = 0;
}

/* After a block the vCPU runs first. */
static void preempt(unsigned int vcpu)
{
    if (state.vcpu[vcpu].blocked) {
        const uint64_t cpu = host.vcpu[vcpu].cpu;

        schedule_in(&host.vcpu[vcpu], cpu == 0 ? 0 : (unsigned int)cpu - 1);
    }
    if (state.vcpu[vcpu].runs == 0)
        return;
    foreign->preempt(index_of(vcpu));
    state.vcpu[vcpu].runs = 0;
}

static void await_pcpu(unsigned int cpu)
{
    (void)cpu;
}

/* The vCPU runs: on @cpu, if it has to. */
static void make_run(unsigned int vcpu, unsigned int cpu)
{
    struct host_vcpu *const v = &host.vcpu[vcpu];

    if (foreign->remote_block && v->cpu != 0)
        cpu = (unsigned int)v->cpu - 1;
    if (state.vcpu[vcpu].runs == cpu + 1)
        return;
    if (state.vcpu[vcpu].runs != 0)
        preempt(vcpu);
    schedule_in(v, cpu);
}

static enum block_result block(unsigned int vcpu, unsigned int cpu,
                               bool committed)
{
    enum vtdpi_explore_block result;

    (void)committed;
    make_run(vcpu, cpu);
    if (!foreign->remote_block)
        cpu = (unsigned int)host.vcpu[vcpu].cpu - 1;
    result = foreign->block(index_of(vcpu), cpu);
    state.vcpu[vcpu].runs = 0;
    state.vcpu[vcpu].blocked = 1;
    if (result == VTDPI_EXPLORE_SLEEP)
        return BLOCK_BLOCKED;
    return result == VTDPI_EXPLORE_OFFLINE ? BLOCK_IS_OFFLINE : BLOCK_PENDING;
}

static bool blocked(unsigned int vcpu)
{
    return state.vcpu[vcpu].blocked != 0;
}

static void enter(unsigned int vcpu)
{
    if (foreign->enter != NULL)
        foreign->enter(index_of(vcpu));
}

static void leave(unsigned int vcpu)
{
    if (foreign->leave != NULL)
        foreign->leave(index_of(vcpu));
}

static bool harvest(unsigned int vcpu, uint64_t taken[VTDPI_PIR_WORDS])
{
    uint64_t any = 0;

    memset(taken, 0, VTDPI_PIR_WORDS * sizeof taken[0]);
    foreign->harvest(index_of(vcpu), taken);
    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        any |= taken[i];
    return any != 0;
}

static bool await_slot(unsigned int vcpu)
{
    (void)vcpu;
    return false;
}

/* The administrator's vCPUs have been there all the time, without a device. */
static bool attach(unsigned int vcpu)
{
    state.vcpu[vcpu].closed = 0;
    if (world.scenario->script[ex_running()].role == ROLE_VCPU)
        foreign->create(index_of(vcpu));
    if (foreign->assign != NULL)
        foreign->assign(index_of(vcpu));
    return true;
}

static bool unreferenced(void *refs)
{
    return *(const uint64_t *)refs == 0;
}

static void detach(unsigned int vcpu)
{
    preempt(vcpu);
    op_phase(1);
    ex_host(NULL, NULL);
    state.vcpu[vcpu].closed = 1;
    ex_host(unreferenced, &state.vcpu[vcpu].refs);
    foreign->destroy(index_of(vcpu));
}

static void post(unsigned int vcpu, uint8_t vector, bool urgent)
{
    (void)urgent;
    foreign->post(index_of(vcpu), vector);
}

static bool ref(unsigned int vcpu)
{
    ex_host(NULL, NULL);
    ex_observe(state.vcpu[vcpu].closed);
    if (state.vcpu[vcpu].closed)
        return false;
    state.vcpu[vcpu].refs++;
    return true;
}

static void unref(unsigned int vcpu)
{
    ex_host(NULL, NULL);
    state.vcpu[vcpu].refs--;
}

static bool anv_wakes(void)
{
    return foreign->notified != NULL;
}

static void notified(unsigned int cpu)
{
    if (foreign->notified != NULL)
        foreign->notified(cpu);
}

static void handle_wakeup(unsigned int cpu, uint8_t vector)
{
    (void)vector;
    foreign->wakeup(cpu);
}

static void offline(unsigned int cpu)
{
    foreign->offline(cpu);
}

static void online(unsigned int cpu)
{
    foreign->online(cpu);
}

static const struct host_vcpu *vcpu_of(unsigned int fiber)
{
    const struct op *const op = current_op(fiber);

    if (op == NULL || world.scenario->script[fiber].role != ROLE_VCPU)
        return NULL;
    return &host.vcpu[world.scenario->script[fiber].op[0].vcpu];
}

unsigned int foreign_cpu(void)
{
    const unsigned int fiber = ex_running();
    const struct host_vcpu *const v = vcpu_of(fiber);

    if (fiber >= EX_FIBERS)
        return CPUS; /* setup */
    if (current_op(fiber) == NULL)
        return (unsigned int)((const struct host_cpu *)ex_fiber(fiber)->arg -
                              host.cpu);
    return v == NULL || v->cpu == 0 ? (unsigned int)CPUS
                                    : (unsigned int)v->cpu - 1;
}

/* The handler finds the stores of the thread that it interrupts. */
static bool may_interrupt(unsigned int cpu)
{
    for (unsigned int i = 0; i < THREADS; i++) {
        const struct host_vcpu *const v = vcpu_of(i);

        if (v != NULL && v->cpu == cpu + 1 && ex_fiber(i)->stored != 0)
            return false;
    }
    return true;
}

static bool held(void *ctx, unsigned int fiber)
{
    const struct host_vcpu *const v = vcpu_of(fiber);

    (void)ctx;
    return v != NULL && v->cpu != 0 && host.cpu[v->cpu - 1].busy != 0;
}

static void no_op(const struct op *op)
{
    (void)op;
    ex_fail("not an operation of these hooks");
}

static bool may_notify(unsigned int cpu)
{
    (void)cpu;
    return true;
}

static void no_check(unsigned int vcpu)
{
    (void)vcpu;
}

static void no_check_control(unsigned int vcpu, uint64_t old, uint64_t value)
{
    (void)vcpu;
    (void)old;
    (void)value;
}

static void no_check_step(unsigned int vcpu, uint64_t control)
{
    (void)vcpu;
    (void)control;
}

static void no_check_word(const uint64_t *addr, uint64_t old, uint64_t value)
{
    (void)addr;
    (void)old;
    (void)value;
}

static void print_vcpu(FILE *out, unsigned int vcpu)
{
    if (state.vcpu[vcpu].blocked)
        (void)fputs(" blocked", out);
    else if (state.vcpu[vcpu].runs != 0)
        (void)fprintf(out, " on %u", (unsigned int)state.vcpu[vcpu].runs - 1);
}

static void print_cpu(FILE *out, unsigned int cpu)
{
    if (host.cpu[cpu].closed)
        (void)fputs(" offline", out);
    if (host.cpu[cpu].irqs_off)
        (void)fputs(" interrupts off", out);
}

/* By the part of the memory. False if @at is in none. */
static bool print_part(FILE *out, uintptr_t at)
{
    for (unsigned int i = 0; i < parts(); i++) {
        const struct ex_range r = units_of(&foreign->memory[i]);
        const uintptr_t offset = at - (uintptr_t)r.addr;

        if (offset < r.size) {
            (void)fprintf(out, "%s+%zu", foreign->memory[i].name, offset);
            return true;
        }
    }
    return false;
}

static void print_name(FILE *out, const uint64_t *addr)
{
    for (unsigned int i = A; i <= B; i++) {
        const uintptr_t at = (uintptr_t)addr - (uintptr_t)foreign->pid(i);

        if (at <= offsetof(struct vtdpi_pid, control))
            return; /* its words have names already */
    }
    if (!print_part(out, (uintptr_t)addr))
        (void)fputs("memory that is not named", out);
}

void foreign_print_value(FILE *out, uint64_t value)
{
    if (!print_part(out, (uintptr_t)value))
        (void)fprintf(out, "%llx", (unsigned long long)value);
}

const struct hooks foreign_hooks = {
    .foreign = true,
    .arenas = arenas,
    .set_up = set_up,
    .ranges = ranges,
    .pid = pid,
    .run = run,
    .preempt = preempt,
    .await_pcpu = await_pcpu,
    .enter = enter,
    .leave = leave,
    .block = block,
    .blocked = blocked,
    .sync = harvest,
    .await_slot = await_slot,
    .attach = attach,
    .detach = detach,
    .post = post,
    .ref = ref,
    .unref = unref,
    .notified = notified,
    .anv_wakes = anv_wakes,
    .handle_wakeup = handle_wakeup,
    .offline = offline,
    .online = online,
    .may_interrupt = may_interrupt,
    .held = held,
    .own = no_op,
    .check_step = no_check_step,
    .may_notify = may_notify,
    .check_control = no_check_control,
    .check_word = no_check_word,
    .check_free = no_check,
    .check_wake = no_check,
    .print_vcpu = print_vcpu,
    .print_cpu = print_cpu,
    .print_name = print_name,
};
