/* SPDX-License-Identifier: BSD-2-Clause */
/* What the shim has to allow, and what it gives. */
#include "shim_locks.h"

#include <sys/counter.h>
#include <sys/module.h>
#include <sys/sysctl.h>

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
    shim_case_interrupt(count_it);
    shim_thread_join(td);
    check(handled == 1);
    /* Off means off; on, and it comes at once. */
    handler = count_it;
    check(lapic_ipi_alloc(shim_case_gate) == IPI_DYN_FIRST);
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

/* Under page-table isolation; kernel text is mapped, and without isolation
 * nothing has to be. */
static void good_isolation(void)
{
    const vm_offset_t page = trunc_page((vm_offset_t)&shim_case_gate);

    pmap_pti_remove_kva(page, page + PAGE_SIZE);
    lapic_ipi_free(lapic_ipi_alloc(shim_case_gate));
    pti = 1;
    lapic_ipi_free(lapic_ipi_alloc(&IDTVEC(justreturn1_pti)));
    for (u_int i = 0; i < 3; i++) {
        handled = 0;
        pmap_pti_add_kva(page, page + PAGE_SIZE, true);
        shim_case_interrupt(count_it);
        pmap_pti_remove_kva(page, page + PAGE_SIZE);
        check(handled == 1);
    }
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

#define CASE(name)        \
    {                     \
#name, name, NULL \
    }

const struct shim_case shim_good[] = {
    CASE(good_locks),      CASE(good_sleeps),  CASE(good_timeout),
    CASE(good_interrupts), CASE(good_vectors), CASE(good_isolation),
    CASE(good_memory),     CASE(good_sysctl),  CASE(good_module),
};

const unsigned int shim_good_count = nitems(shim_good);
