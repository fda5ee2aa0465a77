/* SPDX-License-Identifier: BSD-2-Clause */
/* Misuses: each has to end the program, with a message that says what it is. */
#include "shim_locks.h"

#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/smp.h>

MALLOC_DEFINE(M_CASE, "case", "a case of the test");

struct mtx spin_a;
struct mtx spin_b;
struct mtx def_a;
struct mtx def_b;
struct sx sx_a;
struct sx sx_b;
int channel;

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

void (*handler)(void);
int handled;

void shim_case_gate(void)
{
    handled++;
    handler();
}

void shim_case_interrupt(void (*h)(void))
{
    int v;

    handler = h;
    v = lapic_ipi_alloc(shim_case_gate);
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
    shim_case_interrupt(no_eoi);
}

static void two_eois(void)
{
    lapic_eoi();
    lapic_eoi();
}

static void handler_with_two_eois(void)
{
    shim_case_interrupt(two_eois);
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
    shim_case_interrupt(locks_mutex);
}

static void allocates(void)
{
    lapic_eoi();
    (void)malloc(16, M_CASE, M_NOWAIT);
}

static void handler_allocates(void)
{
    shim_case_interrupt(allocates);
}

static void sleeps(void)
{
    lapic_eoi();
    (void)tsleep(&channel, 0, "case", 1);
}

static void handler_sleeps(void)
{
    shim_case_interrupt(sleeps);
}

static void stays_critical(void)
{
    lapic_eoi();
    critical_enter();
}

static void handler_stays_critical(void)
{
    shim_case_interrupt(stays_critical);
}

static void stays_nested(void)
{
    lapic_eoi();
    curthread->td_intr_nesting_level++;
}

static void handler_stays_nested(void)
{
    shim_case_interrupt(stays_nested);
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
    shim_case_interrupt(keeps_lock);
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

#define CASE(name, message)  \
    {                        \
#name, name, message \
    }

const struct shim_case shim_cases[] = {
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
