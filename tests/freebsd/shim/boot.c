/* SPDX-License-Identifier: BSD-2-Clause */
/* Power on, SYSINITs, modules, panic, and the look at what was left behind. */
#include "internal.h"

#include <sys/module.h>
#include <x86/apicvar.h>

#include <stdarg.h>

/* Of the C library. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

extern const struct sysinit *const __start_shim_sysinit[];
extern const struct sysinit *const __stop_shim_sysinit[];

static const struct sysinit shim_init_none = {SI_SUB_DUMMY, SI_ORDER_FIRST,
                                              NULL, NULL, false};
static const struct sysinit *const
    shim_init_ptr_none __used __section("shim_sysinit") = &shim_init_none;

u_int cpu_feature2 = 0x00002000; /* CPUID2_CX16 */

static void report(const char *kind, const char *text)
{
    const struct shim_thread *t = shim_self();
    char held[256] = "";
    size_t n = 0;

    for (u_int i = 0; t != NULL && i < t->held_count; i++) {
        n += (size_t)snprintf(held + n, sizeof(held) - n, "%s%s",
                              i == 0 ? "; holds " : ", ", t->held[i]->lo_name);
        if (n >= sizeof(held))
            break;
    }
    host_fail("%s: %s\n  by %s on CPU %d%s%s", kind, text,
              t == NULL ? "no thread" : t->td.td_name,
              t == NULL || t->cpu == NULL ? -1 : (int)t->cpu->pcpu.pc_cpuid,
              t != NULL && t->in_intr != 0 ? ", in an interrupt" : "", held);
}

void panic(const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    report("panic", text);
    __builtin_unreachable();
}

void shim_fail(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report("FAILED", text);
    __builtin_unreachable();
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    (void)snprintf(to, size, "%s", from);
    return strlen(from);
}

/* Whom a run that is stuck waits for. Nobody runs any more. */
static void dump(void)
{
    (void)printf("ticks %d\n", ticks);
    for (const struct shim_thread *t = shim_all_threads(); t != NULL;
         t = t->list)
        (void)printf("  %-12s %s%s%s\n", t->td.td_name,
                     t->cpu != NULL ? "has a CPU" : "waits",
                     t->wchan != NULL ? " for " : "",
                     t->wchan != NULL ? t->wmesg : "");
}

/* Of those that come after (sub, order) in the order that is asked for, the
 * next. Ties by address. */
static const struct sysinit *next_init(const struct sysinit *last, bool down)
{
    const struct sysinit *best = NULL;

    for (const struct sysinit *const *p = __start_shim_sysinit;
         p < __stop_shim_sysinit; p++) {
        const struct sysinit *i = *p;
        const uint64_t key = (uint64_t)i->subsystem << 32 | i->order;
        uint64_t other;

        if (i->uninit != down || i->func == NULL)
            continue;
        if (last != NULL) {
            other = (uint64_t)last->subsystem << 32 | last->order;
            if (down ? key > other || (key == other && i >= last)
                     : key < other || (key == other && i <= last))
                continue;
        }
        if (best != NULL) {
            other = (uint64_t)best->subsystem << 32 | best->order;
            if (down ? key < other || (key == other && i < best)
                     : key > other || (key == other && i > best))
                continue;
        }
        best = i;
    }
    return best;
}

static void run_inits(bool down)
{
    for (const struct sysinit *i = next_init(NULL, down); i != NULL;
         i = next_init(i, down))
        i->func(i->udata);
}

void module_register_init(const void *arg)
{
    const moduledata_t *m = arg;
    const int rc = m->evhand(NULL, MOD_LOAD, m->priv);

    if (rc != 0)
        shim_fail("module %s does not load: error %d", m->name, rc);
}

void module_deregister(const void *arg)
{
    const moduledata_t *m = arg;
    const int rc = m->evhand(NULL, MOD_UNLOAD, m->priv);

    if (rc != 0)
        shim_fail("module %s does not unload: error %d", m->name, rc);
}

void shim_boot(const struct shim_options *options)
{
    const struct host_options h = {options->seed, options->lockstep,
                                   shim_time_passes, dump};

    shim_mem_reset(options->low);
    shim_lock_reset(options->lockstep);
    shim_intr_reset();
    shim_pti_reset(options->pti);
    shim_sleep_reset();
    memset(&shim_counts, 0, sizeof(shim_counts));
    x2apic_mode = !options->xapic;
    host_begin(&h);
    shim_cpus_start(options);
    shim_tunables_fetch();
    run_inits(false);
}

void shim_shutdown(void)
{
    run_inits(true);
    shim_tunables_restore();
    shim_lock_check_end();
    shim_intr_check_end();
    shim_pti_check_end();
    shim_mem_check_end();
    shim_cpus_stop();
}

struct shim_counters shim_counters(void)
{
    struct shim_counters c;

    c.interrupts = __atomic_load_n(&shim_counts.interrupts, __ATOMIC_RELAXED);
    c.switches = __atomic_load_n(&shim_counts.switches, __ATOMIC_RELAXED);
    c.migrations = __atomic_load_n(&shim_counts.migrations, __ATOMIC_RELAXED);
    c.preemptions = __atomic_load_n(&shim_counts.preemptions, __ATOMIC_RELAXED);
    c.sleeps = __atomic_load_n(&shim_counts.sleeps, __ATOMIC_RELAXED);
    c.timeouts = __atomic_load_n(&shim_counts.timeouts, __ATOMIC_RELAXED);
    c.ipis = __atomic_load_n(&shim_counts.ipis, __ATOMIC_RELAXED);
    return c;
}
