/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sched.h>
#include <sys/smp.h>
#include <sys/sx.h>
#include <sys/sysctl.h>
#include <sys/counter.h>
#include <vm/vm.h>
#include <vm/pmap.h>
#include <machine/cpufunc.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <x86/apicvar.h>

#include "shim.h"
#include "shim_cases.h"

#define check(expr)                                                     \
    do {                                                                \
        if (!(expr))                                                    \
            shim_fail("%s:%d: %s is false", __FILE__, __LINE__, #expr); \
    } while (0)

static MALLOC_DEFINE(M_CASE, "case", "a case of the test");

static struct mtx spin_a;
static struct mtx spin_b;
static struct mtx def_a;
static struct mtx def_b;
static struct sx sx_a;
static struct sx sx_b;
static int channel;

static void locks_new(void)
{
    mtx_init(&spin_a, "spin a", NULL, MTX_SPIN);
    mtx_init(&spin_b, "spin b", NULL, MTX_SPIN);
    mtx_init(&def_a, "def a", NULL, MTX_DEF);
    mtx_init(&def_b, "def b", NULL, MTX_DEF);
    sx_init(&sx_a, "sx a");
    sx_init(&sx_b, "sx b");
}

static void locks_end(void)
{
    mtx_destroy(&spin_a);
    mtx_destroy(&spin_b);
    mtx_destroy(&def_a);
    mtx_destroy(&def_b);
    sx_destroy(&sx_a);
    sx_destroy(&sx_b);
}

/* Locks. */

static void sleep_lock_under_spin_lock(void)
{
    mtx_lock_spin(&spin_a);
    mtx_lock(&def_a);
}

static void sx_under_mutex(void)
{
    mtx_lock(&def_a);
    sx_xlock(&sx_a);
}

static void sleep_lock_in_critical_section(void)
{
    critical_enter();
    mtx_lock(&def_a);
}

static void sleep_lock_with_interrupts_off(void)
{
    disable_intr();
    mtx_lock(&def_a);
}

static void spin_lock_twice(void)
{
    mtx_lock_spin(&spin_a);
    mtx_lock_spin(&spin_a);
}

static void mutex_twice(void)
{
    mtx_lock(&def_a);
    mtx_lock(&def_a);
}

static void unlock_not_held(void)
{
    mtx_unlock(&def_a);
}

static void other_unlocks(void *arg)
{
    (void)arg;
    mtx_unlock(&def_a);
}

static void unlock_by_another(void)
{
    mtx_lock(&def_a);
    (void)shim_thread_create("other", other_unlocks, NULL);
    for (;;)
        shim_relax();
}

static void wrong_kind(void)
{
    mtx_lock(&spin_a);
}

static void not_initialised(void)
{
    static struct mtx m;

    mtx_lock(&m);
}

static void initialised_twice(void)
{
    mtx_init(&def_a, "def a", NULL, MTX_DEF);
}

static void used_after_destroy(void)
{
    static struct mtx m;

    mtx_init(&m, "m", NULL, MTX_DEF);
    mtx_destroy(&m);
    mtx_lock(&m);
}

static void spin_order(void)
{
    mtx_lock_spin(&spin_a);
    mtx_lock_spin(&spin_b);
    mtx_unlock_spin(&spin_b);
    mtx_unlock_spin(&spin_a);
    mtx_lock_spin(&spin_b);
    mtx_lock_spin(&spin_a);
}

static void order_through_a_third(void)
{
    mtx_lock(&def_a);
    mtx_lock(&def_b);
    mtx_unlock(&def_b);
    mtx_unlock(&def_a);
    sx_xlock(&sx_a);
    mtx_lock(&def_a);
    mtx_unlock(&def_a);
    sx_xunlock(&sx_a);
    mtx_lock(&def_b);
    mtx_lock(&def_a);
}

static void same_name(void)
{
    struct mtx other;

    mtx_init(&other, "def a", NULL, MTX_DEF);
    mtx_lock(&def_a);
    mtx_lock(&other);
}

static void mutex_asserted(void)
{
    mtx_assert(&def_a, MA_OWNED);
}

static void sx_asserted(void)
{
    sx_slock(&sx_a);
    sx_assert(&sx_a, SA_XLOCKED);
}

static void sx_mode(void)
{
    sx_slock(&sx_a);
    sx_xunlock(&sx_a);
}

static void ends_with_lock(void *arg)
{
    (void)arg;
    mtx_lock(&def_a);
}

static void thread_ends_with_lock(void)
{
    shim_thread_join(shim_thread_create("other", ends_with_lock, NULL));
}

static void lock_left(void)
{
    static struct mtx m;

    mtx_init(&m, "left", NULL, MTX_DEF);
}

static void lock_freed(void)
{
    struct mtx *m = malloc(sizeof(*m), M_CASE, M_WAITOK);

    mtx_init(m, "in memory", NULL, MTX_DEF);
    free(m, M_CASE);
}

static void take_def_b(void *arg)
{
    (void)arg;
    mtx_lock(&def_b);
    wakeup(&channel);
    (void)tsleep(&def_b, 0, "for a", 0);
    mtx_unlock(&def_b);
}

static void deadlock(void)
{
    struct thread *td = shim_thread_create("other", take_def_b, NULL);

    shim_thread_join(td);
}

/* Sleeping. */

static void sleep_with_spin_lock(void)
{
    mtx_lock_spin(&spin_a);
    (void)tsleep(&channel, 0, "case", 1);
}

static void sleep_with_mutex(void)
{
    mtx_lock(&def_a);
    (void)tsleep(&channel, 0, "case", 1);
}

static void sleep_in_critical_section(void)
{
    critical_enter();
    (void)tsleep(&channel, 0, "case", 1);
}

static void msleep_spin_with_another(void)
{
    mtx_lock_spin(&spin_b);
    mtx_lock_spin(&spin_a);
    (void)msleep_spin(&channel, &spin_a, "case", 1);
}

static void msleep_spin_without(void)
{
    (void)msleep_spin(&channel, &spin_a, "case", 1);
}

static void sleeps_for_ever(void)
{
    (void)tsleep(&channel, 0, "case", 0);
}

/* Critical sections and CPUs. */

static void critical_exit_alone(void)
{
    critical_exit();
}

static void critical_exit_of_spin_lock(void)
{
    mtx_lock_spin(&spin_a);
    critical_exit();
}

static void curcpu_unpinned(void)
{
    (void)curcpu;
}

static void ipi_to_absent_cpu(void)
{
    ipi_cpu((int)mp_maxid + 1, IPI_AST);
}

static void ipi_to_gap(void)
{
    ipi_cpu(0, IPI_AST);
}

static void ipi_unknown_vector(void)
{
    ipi_cpu((int)mp_maxid, 0x55);
}

static void ipi_nobody_handles(void)
{
    const int v = lapic_ipi_alloc(&IDTVEC(justreturn));

    lapic_ipi_free(v);
    ipi_cpu((int)mp_maxid, (u_int)v);
    shim_quiesce();
}

/* Handlers. */

static void (*handler)(void);
static int handled;

static void gate(void)
{
    handled++;
    handler();
}

static void interrupt(void (*h)(void))
{
    int v;

    handler = h;
    v = lapic_ipi_alloc(gate);
    check(v == IPI_DYN_FIRST);
    ipi_cpu((int)mp_maxid, (u_int)v);
    shim_quiesce();
    lapic_ipi_free(v);
}

static void no_eoi(void)
{
}

static void handler_without_eoi(void)
{
    interrupt(no_eoi);
}

static void two_eois(void)
{
    lapic_eoi();
    lapic_eoi();
}

static void handler_with_two_eois(void)
{
    interrupt(two_eois);
}

static void eoi_outside(void)
{
    lapic_eoi();
}

static void locks_mutex(void)
{
    lapic_eoi();
    mtx_lock(&def_a);
}

static void handler_takes_mutex(void)
{
    interrupt(locks_mutex);
}

static void allocates(void)
{
    lapic_eoi();
    (void)malloc(16, M_CASE, M_NOWAIT);
}

static void handler_allocates(void)
{
    interrupt(allocates);
}

static void sleeps(void)
{
    lapic_eoi();
    (void)tsleep(&channel, 0, "case", 1);
}

static void handler_sleeps(void)
{
    interrupt(sleeps);
}

static void stays_critical(void)
{
    lapic_eoi();
    critical_enter();
}

static void handler_stays_critical(void)
{
    interrupt(stays_critical);
}

static void stays_nested(void)
{
    lapic_eoi();
    curthread->td_intr_nesting_level++;
}

static void handler_stays_nested(void)
{
    interrupt(stays_nested);
}

static void keeps_lock(void)
{
    lapic_eoi();
    /* The section as it was, so that only the lock tells. */
    mtx_lock_spin(&spin_a);
    spinlock_exit();
}

static void handler_keeps_lock(void)
{
    interrupt(keeps_lock);
}

static void vector_left(void)
{
    (void)lapic_ipi_alloc(&IDTVEC(justreturn));
}

static void vector_freed_twice(void)
{
    const int v = lapic_ipi_alloc(&IDTVEC(justreturn));

    lapic_ipi_free(v);
    lapic_ipi_free(v);
}

/* Memory. */

static void memory_left(void)
{
    (void)malloc(16, M_CASE, M_WAITOK);
}

static void malloc_waits_with_mutex(void)
{
    mtx_lock(&def_a);
    (void)malloc(16, M_CASE, M_WAITOK);
}

static void malloc_with_spin_lock(void)
{
    mtx_lock_spin(&spin_a);
    (void)malloc(16, M_CASE, M_NOWAIT);
}

static void malloc_without_wait_flag(void)
{
    (void)malloc(16, M_CASE, M_ZERO);
}

static void free_with_spin_lock(void)
{
    void *p = malloc(16, M_CASE, M_WAITOK);

    mtx_lock_spin(&spin_a);
    free(p, M_CASE);
}

static void freed_twice(void)
{
    void *p = malloc(16, M_CASE, M_WAITOK);

    free(p, M_CASE);
    free(p, M_CASE);
}

static void freed_as_another(void)
{
    free(malloc(16, M_CASE, M_WAITOK), M_TEMP);
}

static void freed_by_contigfree(void)
{
    contigfree(malloc(PAGE_SIZE, M_CASE, M_WAITOK), PAGE_SIZE, M_CASE);
}

static void contigfree_size(void)
{
    contigfree(contigmalloc(2 * PAGE_SIZE, M_CASE, M_WAITOK, 0, ~(vm_paddr_t)0,
                            PAGE_SIZE, 0),
               PAGE_SIZE, M_CASE);
}

static void written_beside(void)
{
    volatile char *p = malloc(24, M_CASE, M_WAITOK);

    p[24] = 1;
    free(__DEVOLATILE(void *, p), M_CASE);
}

static void vtophys_of_stack(void)
{
    int here;

    (void)vtophys(&here);
}

static void assertion(void)
{
    KASSERT(channel == 1, ("channel is %d", channel));
}

/* Nothing wrong: what the shim has to allow, and gives. */

enum {
    SPINS = 400,
};

static uint64_t shared; /* of spin_a, plain */
static struct sx pass;

static void adder(void *arg)
{
    (void)arg;
    for (u_int i = 0; i < SPINS; i++) {
        mtx_lock_spin(&spin_a);
        mtx_lock_spin(&spin_b);
        shared++;
        mtx_unlock_spin(&spin_b);
        mtx_unlock_spin(&spin_a);
        if (i % 8 == 0) {
            sx_slock(&sx_a);
            mtx_lock(&def_a);
            channel++;
            mtx_unlock(&def_a);
            sx_sunlock(&sx_a);
        }
    }
}

static void good_locks(void)
{
    struct thread *td[5];

    shared = 0;
    channel = 0;
    for (u_int i = 0; i < nitems(td); i++)
        td[i] = shim_thread_create("adder", adder, NULL);
    for (u_int i = 0; i < 50; i++) {
        sx_xlock(&sx_a);
        sx_xunlock(&sx_a);
    }
    for (u_int i = 0; i < nitems(td); i++)
        shim_thread_join(td[i]);
    check(shared == nitems(td) * SPINS);
    check(channel == nitems(td) * SPINS / 8);
    check(shim_counters().timeouts == 0);
}

/* Two threads and a ball, by msleep_spin(). */
static u_int ball;

static void player(void *arg)
{
    const u_int me = *(const u_int *)arg;

    for (u_int i = 0; i < SPINS; i++) {
        mtx_lock_spin(&spin_a);
        while (ball % 2 != me)
            check(msleep_spin(&ball, &spin_a, "ball", hz) == 0);
        ball++;
        wakeup_one(&ball);
        mtx_unlock_spin(&spin_a);
    }
}

static void good_sleeps(void)
{
    static const u_int who[2] = {0, 1};
    struct thread *td[2];

    ball = 0;
    for (u_int i = 0; i < 2; i++)
        td[i] =
            shim_thread_create("player", player, __DECONST(void *, &who[i]));
    for (u_int i = 0; i < 2; i++)
        shim_thread_join(td[i]);
    check(ball == 2 * SPINS);
    check(shim_counters().timeouts == 0);
    check(shim_counters().migrations > 0);
}

static void good_timeout(void)
{
    const int before = ticks;

    mtx_lock_spin(&spin_a);
    check(msleep_spin(&channel, &spin_a, "time", 5) == EWOULDBLOCK);
    mtx_unlock_spin(&spin_a);
    check(ticks == before + 5);
    check(tsleep(&channel, 0, "time", 2) == EWOULDBLOCK);
    check(shim_counters().timeouts == 2);
}

static void count_it(void)
{
    check(!shim_interrupts_enabled());
    lapic_eoi();
    mtx_lock_spin(&spin_b);
    wakeup_one(&handled);
    mtx_unlock_spin(&spin_b);
}

static void sleeper(void *arg)
{
    (void)arg;
    mtx_lock_spin(&spin_b);
    while (handled == 0)
        check(msleep_spin(&handled, &spin_b, "ipi", hz) == 0);
    mtx_unlock_spin(&spin_b);
}

static void good_interrupts(void)
{
    struct thread *td;

    handled = 0;
    td = shim_thread_create("sleeper", sleeper, NULL);
    interrupt(count_it);
    shim_thread_join(td);
    check(handled == 1);
    /* Off means off; on, and it comes at once. */
    handler = count_it;
    check(lapic_ipi_alloc(gate) == IPI_DYN_FIRST);
    critical_enter();
    disable_intr();
    ipi_cpu((int)curcpu, IPI_DYN_FIRST);
    check(handled == 1);
    enable_intr();
    check(handled == 2);
    critical_exit();
    lapic_ipi_free(IPI_DYN_FIRST);
}

static void good_vectors(void)
{
    int v[3];

    for (u_int i = 0; i < nitems(v); i++)
        v[i] = lapic_ipi_alloc(&IDTVEC(justreturn));
    check(v[0] == 252 && v[1] == 253 && v[2] == 254);
    check(lapic_ipi_alloc(&IDTVEC(justreturn)) == -1);
    for (u_int i = 0; i < nitems(v); i++)
        lapic_ipi_free(v[i]);
}

static void good_memory(void)
{
    char *p = malloc(3 * PAGE_SIZE, M_CASE, M_WAITOK);
    char *q = malloc_aligned(64, 64, M_CASE, M_WAITOK | M_ZERO);
    char *r = contigmalloc(3 * PAGE_SIZE, M_CASE, M_WAITOK | M_ZERO, 0,
                           ~(vm_paddr_t)0, 4 * PAGE_SIZE, 0);
    char *s = malloc(64, M_CASE, M_WAITOK);
    char *t =
        contigmalloc(PAGE_SIZE, M_CASE, M_WAITOK, 0, 0xffffffff, PAGE_SIZE, 0);

    check(vtophys(p + PAGE_SIZE) != vtophys(p) + PAGE_SIZE);
    check(vtophys(r + PAGE_SIZE + 5) == vtophys(r) + PAGE_SIZE + 5);
    check(vtophys(r) % (4 * PAGE_SIZE) == 0 && vtophys(r) > 0xffffffff);
    check(vtophys(t) < 0xffffffff);
    check((uintptr_t)q % 64 == 0 && (uintptr_t)s % 64 != 0);
    check(vtophys(q) % 64 == 0);
    check(shim_phys_to_virt(vtophys(q), 64) == q);
    check(shim_phys_to_virt(vtophys(q) + 64, 1) == NULL);
    check(q[63] == 0 && s[0] != 0);
    free(p, M_CASE);
    free(q, M_CASE);
    contigfree(r, 3 * PAGE_SIZE, M_CASE);
    free(s, M_CASE);
    contigfree(t, PAGE_SIZE, M_CASE);
    free(NULL, M_CASE);
}

static int knob = 3;
static counter_u64_t counted;
static SYSCTL_NODE(_hw, OID_AUTO, shimtest, CTLFLAG_RW | CTLFLAG_MPSAFE, NULL,
                   "test");
SYSCTL_INT(_hw_shimtest, OID_AUTO, knob, CTLFLAG_RDTUN, &knob, 0, "a knob");
SYSCTL_COUNTER_U64(_hw_shimtest, OID_AUTO, counted, CTLFLAG_RD, &counted, "");

static void good_sysctl(void)
{
    uint64_t v = 0;

    check(knob == 7); /* by the tunable */
    check(shim_sysctl_u64("hw.shimtest.knob", &v) && v == 7);
    counted = counter_u64_alloc(M_WAITOK);
    counter_u64_add(counted, 5);
    check(shim_sysctl_u64("hw.shimtest.counted", &v) && v == 5);
    check(!shim_sysctl_u64("hw.shimtest.none", &v));
    counter_u64_free(counted);
}

static int loaded;

static int module_event(module_t mod, int what, void *arg)
{
    (void)mod;
    (void)arg;
    check(what == (loaded == 0 ? MOD_LOAD : MOD_UNLOAD));
    sx_xlock(&pass); /* which is there before and after */
    loaded = !loaded;
    sx_xunlock(&pass);
    return 0;
}

static moduledata_t module_data = {"shimtest", module_event, NULL};
DECLARE_MODULE(shimtest, module_data, SI_SUB_SMP, SI_ORDER_ANY);
SX_SYSINIT(shimtest, &pass, "pass");

static void good_module(void)
{
    check(loaded == 1);
}

#define CASE(name, message)  \
    {                        \
#name, name, message \
    }

const struct shim_case shim_cases[] = {
    CASE(good_locks, NULL),
    CASE(good_sleeps, NULL),
    CASE(good_timeout, NULL),
    CASE(good_interrupts, NULL),
    CASE(good_vectors, NULL),
    CASE(good_memory, NULL),
    CASE(good_sysctl, NULL),
    CASE(good_module, NULL),
    CASE(sleep_lock_under_spin_lock, "with spin mutex spin a held"),
    CASE(sx_under_mutex, "with mutex def a held"),
    CASE(sleep_lock_in_critical_section, "def a is taken in a critical"),
    CASE(sleep_lock_with_interrupts_off, "taken with interrupts off"),
    CASE(spin_lock_twice, "spin mutex spin a is taken twice"),
    CASE(mutex_twice, "mutex def a is taken twice"),
    CASE(unlock_not_held, "which does not hold it"),
    CASE(unlock_by_another, "released by other, which does not hold it"),
    CASE(wrong_kind, "spin mutex where a mutex is taken"),
    CASE(not_initialised, "not initialised"),
    CASE(initialised_twice, "initialised twice"),
    CASE(used_after_destroy, "not initialised"),
    CASE(spin_order, "lock order reversal: spin a"),
    CASE(order_through_a_third, "lock order reversal: def a"),
    CASE(same_name, "two locks of the name def a"),
    CASE(mutex_asserted, "def a not owned"),
    CASE(sx_asserted, "sx a is not as asserted"),
    CASE(sx_mode, "another mode"),
    CASE(thread_ends_with_lock, "other ends and holds def a"),
    CASE(lock_left, "left was not destroyed"),
    CASE(lock_freed, "freed with mutex in memory"),
    CASE(deadlock, "sleep with mutex def b held"),
    CASE(sleep_with_spin_lock, "sleep with spin mutex spin a held"),
    CASE(sleep_with_mutex, "sleep with mutex def a held"),
    CASE(sleep_in_critical_section, "sleep in a critical section"),
    CASE(msleep_spin_with_another, "sleep with spin mutex spin b held"),
    CASE(msleep_spin_without, "without its spin lock"),
    CASE(sleeps_for_ever, "deadlock: every thread waits"),
    CASE(critical_exit_alone, "critical_exit without"),
    CASE(critical_exit_of_spin_lock, "that a spin lock entered"),
    CASE(curcpu_unpinned, "may be moved to another CPU"),
    CASE(ipi_to_absent_cpu, "which is absent"),
    CASE(ipi_to_gap, "IPI 0 to CPU 0, which is absent"),
    CASE(ipi_unknown_vector, "no vector of IPIs"),
    CASE(ipi_nobody_handles, "which nobody handles"),
    CASE(handler_without_eoi, "returned without EOI"),
    CASE(handler_with_two_eois, "lapic_eoi twice"),
    CASE(eoi_outside, "lapic_eoi outside"),
    CASE(handler_takes_mutex, "taken in an interrupt handler"),
    CASE(handler_allocates, "malloc in a critical section"),
    CASE(handler_sleeps, "sleep in an interrupt handler"),
    CASE(handler_stays_critical, "left a critical section"),
    CASE(handler_stays_nested, "did not restore td_intr_frame"),
    CASE(handler_keeps_lock, "holds a lock"),
    CASE(vector_left, "vector 252 was not freed"),
    CASE(vector_freed_twice, "which is free"),
    CASE(memory_left, "1 blocks of malloc type case were not freed"),
    CASE(malloc_waits_with_mutex, "malloc: sleep with mutex def a held"),
    CASE(malloc_with_spin_lock, "malloc in a critical section"),
    CASE(malloc_without_wait_flag, "one of M_WAITOK and M_NOWAIT"),
    CASE(free_with_spin_lock, "free in a critical section"),
    CASE(freed_twice, "no such block of case"),
    CASE(freed_as_another, "no such block of temp"),
    CASE(freed_by_contigfree, "contigfree of what is no such block"),
    CASE(contigfree_size, "contigfree of 4096 bytes, but there are 8192"),
    CASE(written_beside, "write beside a block of case"),
    CASE(vtophys_of_stack, "vtophys of what no allocation has given"),
    CASE(assertion, "channel is 0"),
};

const unsigned int shim_case_count = nitems(shim_cases);

void shim_case_run(const struct shim_case *c, int lockstep)
{
    const struct shim_options options = {
        .seed = 1,
        .lockstep = lockstep != 0,
        .cpus = 3,
        .sparse = true,
    };

    shim_setenv("hw.shimtest.knob", "7");
    shim_boot(&options);
    locks_new();
    c->run();
    locks_end();
    shim_shutdown();
}
