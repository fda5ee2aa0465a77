/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that break a precondition, each in a process of its own. Where the
 * build has asserts (WITH_ASSERTS 1) the process has to die of a signal, and
 * where the build has none the process has to go on. Prints TAP.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vtdpi/vtdpi.h"

static _Alignas(4096) uint8_t memory[4096];
static struct vtdpi_page_ref pages[1];
static struct vtdpi_pid_page page;
static struct vtdpi_pcpu *pcpus[1];
static uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
static struct vtdpi_sched sched;
static struct vtdpi_pcpu pcpu;
static struct vtdpi_vcpu vcpu;
static bool nested;
static bool going_to_sleep;

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

/* What no host may do: the handler once more, below itself. */
static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
    if (nested) {
        nested = false;
        vtdpi_pcpu_handle_wakeup(&pcpu, 0xf1);
    }
}

/* The host's scheduler knows. */
static bool will_sleep(void *ctx, void *cookie)
{
    (void)ctx;
    return cookie == &vcpu && going_to_sleep;
}

static bool world(void)
{
    static const struct vtdpi_platform_ops ops = {
        .send_ipi = send_ipi, .wake = wake, .will_sleep = will_sleep};
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = pages,
        .max_pages = 1,
        .pcpus = pcpus,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    if (vtdpi_sched_init(&sched, &params) != 0 ||
        vtdpi_sched_add_page(&sched, 0, &page, memory, 0x1000) != 0 ||
        vtdpi_pcpu_init(&sched, &pcpu, 0, 7, bitmap) != 0 ||
        vtdpi_vcpu_attach(&sched, &vcpu, 0, &vcpu) != 0) {
        return false;
    }
    vtdpi_pcpu_online(&pcpu);
    return true;
}

static void scan(void)
{
    if (vtdpi_vcpu_block(&vcpu, &pcpu) == VTDPI_BLOCKED) {
        (void)vtdpi_vcpu_post(&vcpu, 0x41, false);
    }
    vtdpi_pcpu_handle_wakeup(&pcpu, 0xf1);
}

static void nested_scans(void)
{
    nested = true;
    scan();
}

/* The entry code runs once more on the way to the scheduler. */
static void run_before_the_sleep(void)
{
    going_to_sleep = vtdpi_vcpu_block(&vcpu, &pcpu) == VTDPI_BLOCKED;
    vtdpi_vcpu_run(&vcpu, &pcpu);
}

static void run_after_the_sleep_was_called_off(void)
{
    going_to_sleep = vtdpi_vcpu_block(&vcpu, &pcpu) == VTDPI_BLOCKED;
    going_to_sleep = false;
    vtdpi_vcpu_run(&vcpu, &pcpu);
}

/* A vCPU that is not blocked has no wakeup vector to lose. */
static void run_twice(void)
{
    vtdpi_vcpu_run(&vcpu, &pcpu);
    going_to_sleep = true;
    vtdpi_vcpu_run(&vcpu, &pcpu);
}

static void reference_and_back(void)
{
    if (vtdpi_vcpu_ref(&vcpu) == 0) {
        vtdpi_vcpu_unref(&vcpu);
    }
}

static void unref_below_zero(void)
{
    vtdpi_vcpu_unref(&vcpu);
}

static void exception_recorded(void)
{
    struct vtdpi_pid pid;

    vtdpi_pid_init(&pid, 0xf2, 0);
    (void)vtdpi_pid_record(&pid, 15);
}

static int replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                   const struct vtdpi_irte *old, const struct vtdpi_irte *irte)
{
    (void)ctx;
    (void)flush;
    (void)index;
    (void)old;
    (void)irte;
    return 0;
}

static int invalidate(void *ctx, struct vtdpi_flush *flush, uint32_t first,
                      uint32_t count)
{
    (void)ctx;
    (void)flush;
    (void)first;
    (void)count;
    return 0;
}

/* What the host says of each flush. */
static int flushed;

static int commit(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    (void)flush;
    return flushed;
}

static struct vtdpi_irq irq;

static int irq_new(void)
{
    static const struct vtdpi_backend_ops ops = {
        .replace = replace, .invalidate = invalidate, .commit = commit};
    static const struct vtdpi_backend table = {
        .ops = &ops, .mode = VTDPI_X2APIC, .haw = 46};
    static const struct vtdpi_source any = {.kind = VTDPI_SOURCE_ANY};

    return vtdpi_irq_init(&irq, &table, 5, &any, NULL);
}

static void irq_new_after_teardown(void)
{
    if (irq_new() != 0 || vtdpi_irq_post(&irq, &vcpu, 0x41) != 0 ||
        vtdpi_irq_teardown(&irq) != 0 || irq_new() != 0)
        (void)printf("# not as expected\n");
}

static void irq_new_over_a_posted_form(void)
{
    if (irq_new() == 0 && vtdpi_irq_post(&irq, &vcpu, 0x41) == 0)
        (void)irq_new();
}

static void irq_new_over_a_pinned_one(void)
{
    if (irq_new() != 0 || vtdpi_irq_post(&irq, &vcpu, 0x41) != 0)
        return;
    flushed = -1;
    if (vtdpi_irq_teardown(&irq) != 0)
        (void)irq_new();
}

/* What became of a process that does this: 0, or the signal that ended it. */
static int signal_of(void (*call)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        call();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(void)
{
    static const struct {
        const char *name;
        void (*call)(void);
        bool misuse;
    } cases[] = {
        {"a scan", scan, false},
        {"a reference taken and given back", reference_and_back, false},
        {"a run after a sleep was called off",
         run_after_the_sleep_was_called_off, false},
        {"a run of who is not blocked", run_twice, false},
        {"an interrupt anew after its teardown", irq_new_after_teardown, false},
        {"a run between a block and its sleep", run_before_the_sleep, true},
        {"a scan below a scan", nested_scans, true},
        {"a reference too many given back", unref_below_zero, true},
        {"an exception's vector, inline", exception_recorded, true},
        {"an interrupt anew over its posted form", irq_new_over_a_posted_form,
         true},
        {"an interrupt anew while it is pinned", irq_new_over_a_pinned_one,
         true},
    };
    const unsigned int count = sizeof(cases) / sizeof(cases[0]);
    int failed = world() ? 0 : 1;

    (void)printf("1..%u\n", count);
    (void)fflush(stdout);
    for (unsigned int i = 0; i < count; i++) {
        const int ended = signal_of(cases[i].call);
        const bool traps = cases[i].misuse && WITH_ASSERTS;
        const bool good = failed == 0 && ended >= 0 && (ended > 0) == traps;

        (void)printf("%sok %u - %s\n# signal %d\n", good ? "" : "not ", i + 1,
                     cases[i].name, ended);
        (void)fflush(stdout);
        failed += !good;
    }
    return failed == 0 ? 0 : 1;
}
