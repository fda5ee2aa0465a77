/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold. Messages begin with a letter, as the documentation names
 * the properties:
 *
 *  L  a sleeping vCPU with something posted is going to be woken
 *  R  a vCPU in the guest with something posted is going to be notified
 *  N  a sleeping vCPU is notified with its WNV, one in the guest with ANV there
 *  I  NV other than ANV implies that the bit is set on the pCPU NDST
 *  D  no wake and no post for a vCPU whose detach is done, no bit left; a held
 *     slot is given out once
 *  A  block arms WNV only while ON is clear (not block_committed)
 *  S  only the owner changes NV, NDST, SN and the bit, or clears ON and PIR,
 *     and ON only in a harvest; but an adopt sets SN and changes NV, before a vCPU
 *     gets the slot
 *  U  under SN only an urgent post sets ON
 *  V  each vector taken is handed over, none appears that was not posted
 *  W  a handler wakes only those whose wake mark it has set; only the owner
 *     clears a mark, once in each call of block: so the wake calls of a pCPU's
 *     handlers for a vCPU are at most one more than its blocks there
 *  X  nobody waits for ever
 */
#include "world_internal.h"

static char name(unsigned int vcpu)
{
    return (char)('A' + vcpu);
}

static uint8_t nv_of(uint64_t control)
{
    return (uint8_t)(control >> 16);
}

static uint32_t ndst_of(uint64_t control)
{
    return (uint32_t)(control >> 32);
}

/* The pCPU in whose guest mode the vCPU is, or CPUS. */
static unsigned int guest_on(unsigned int i)
{
    unsigned int cpu = 0;

    while (cpu < CPUS && host.cpu[cpu].guest != i + 1)
        cpu++;
    return cpu;
}

static bool sleeps(const struct host_vcpu *v)
{
    return v->asleep && !v->woken;
}

/* Whether somebody may wake a vCPU whose notification comes. */
static bool wakes(uint64_t control)
{
    return (control & CTL_SN) == 0 &&
           (nv_of(control) != ANV ||
            (hooks->anv_wakes != NULL && hooks->anv_wakes()));
}

static void check_place(unsigned int i, uint64_t control, bool quiet_now)
{
    const unsigned int cpu = guest_on(i);

    if (cpu < CPUS && ((control & CTL_SN) != 0 || nv_of(control) != ANV ||
                       cpu_of_ndst(ndst_of(control)) != cpu))
        ex_fail("N: %c is in the guest on %u, but not notified there", name(i),
                cpu);
    if ((!hooks->foreign || quiet_now) && sleeps(&host.vcpu[i]) &&
        host.vcpu[i].asleep == ASLEEP_BLOCKED && !wakes(control))
        ex_fail("N: %c sleeps, but is not notified with WNV", name(i));
}

/* Nothing is on its way that could notify, wake or take anything. */
static bool quiet(void)
{
    for (unsigned int i = 0; i < CPUS; i++) {
        if (host.cpu[i].irr != 0 || host.cpu[i].busy)
            return false;
    }
    for (unsigned int i = 0; i < THREADS; i++) {
        const struct script *const s = &world.scenario->script[i];
        const struct ex_fiber *const f = ex_fiber(i);

        if (s->role == ROLE_NONE)
            break;
        if (s->role != ROLE_VCPU && f->kind != EX_START && f->kind != EX_DONE &&
            !host.thread[i].idle)
            return false;
    }
    return true;
}

static void check_quiet(unsigned int i, const struct vtdpi_pid *pid)
{
    const unsigned int cpu = cpu_of_ndst(ndst_of(pid->control));
    const bool posted = vectors_in(pid->pir) != 0;

    if (guest_on(i) < CPUS && posted)
        ex_fail("R: %c is in the guest, PIR is not empty, nobody notifies",
                name(i));
    if (!sleeps(&host.vcpu[i]))
        return;
    if (posted || (pid->control & CTL_ON) != 0)
        ex_fail("L: %c sleeps, something is posted, nobody wakes it", name(i));
    else if (cpu == CPUS || host.cpu[cpu].dead || !hooks->may_notify(cpu))
        ex_fail("L: %c sleeps, notified on a pCPU that is offline", name(i));
}

void check_step(void *ctx)
{
    const bool q = quiet();

    (void)ctx;
    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct vtdpi_pid *const pid = pid_of(i);

        if (!host.vcpu[i].attached)
            continue;
        hooks->check_step(i, pid->control);
        check_place(i, pid->control, q);
        if (q)
            check_quiet(i, pid);
    }
}

/* Each vector posted has reached the guest, was dropped, or is in PIR of a
 * vCPU that is neither in the guest nor asleep. */
static void check_account(unsigned int i)
{
    const struct host_vcpu *const v = &host.vcpu[i];
    uint64_t seen = v->got | v->dropped;

    if (v->attached || v->held == HELD)
        seen |= vectors_in(pid_of(i)->pir) | vectors_in_irr(i);
    if (v->owed != 0 || seen != v->posted)
        ex_fail("V: %c: posted %x, accounted for %x, owed %x", name(i),
                (unsigned int)v->posted, (unsigned int)seen,
                (unsigned int)v->owed);
}

void check_final(void *ctx)
{
    (void)ctx;
    for (unsigned int i = 0; i < THREADS; i++) {
        const struct op *const op = current_op(i);

        if (op == NULL)
            break;
        if (ex_fiber(i)->kind != EX_DONE && !host.thread[i].idle &&
            (world.scenario->script[i].role != ROLE_VCPU ||
             !sleeps(&host.vcpu[op->vcpu])))
            ex_fail("X: thread %s waits for ever", ex_fiber(i)->name);
    }
    for (unsigned int i = 0; i < CPUS; i++) {
        if (host.cpu[i].busy)
            ex_fail("X: a handler on pCPU %u waits for ever", i);
    }
    for (unsigned int i = 0; i < VCPUS; i++)
        check_account(i);
}

bool owns_vcpu(unsigned int i)
{
    return host.thread[ex_running()].owner == i + 1;
}

static void check_pir(unsigned int i, unsigned int word, uint64_t old,
                      uint64_t value)
{
    struct host_vcpu *const v = &host.vcpu[i];
    struct host_thread *const t = &host.thread[ex_running()];
    const struct op *const op = current_op(ex_running());
    uint64_t set[VTDPI_PIR_WORDS] = {0, 0, 0, 0};
    uint64_t cleared[VTDPI_PIR_WORDS] = {0, 0, 0, 0};

    set[word] = value & ~old;
    cleared[word] = old & ~value;
    if (cleared[word] != 0 && !owns_vcpu(i))
        ex_fail("S: %s clears PIR of %c", ex_fiber(ex_running())->name,
                name(i));
    if (set[word] != 0 &&
        (op == NULL || (op->kind != OP_DEVICE && op->vcpu != i) ||
         word != vector_of(op->cpu) / 64U ||
         set[word] != UINT64_C(1) << vector_of(op->cpu) % 64))
        ex_fail("V: a vector of %c appears that nobody posts", name(i));
    v->posted |= vectors_in(set);
    if (t->forgets)
        return;
    if (t->discards)
        v->dropped |= vectors_in(cleared);
    else
        v->owed |= vectors_in(cleared);
}

unsigned int vcpu_of_slot(unsigned int i)
{
    return i == A && host.vcpu[C].attached ? C : i;
}

void check_written(void *ctx, const uint64_t *addr, uint64_t old,
                   uint64_t value)
{
    const struct op *const op = current_op(ex_running());

    (void)ctx;
    /* Of a page or a pCPU that is not there yet. */
    if (op != NULL && (op->kind == OP_ADD_PAGE || op->kind == OP_ADD_PCPU ||
                       op->kind == OP_GROW))
        return;
    for (unsigned int s = A; s <= B; s++) {
        const struct vtdpi_pid *const pid = pid_of(s);

        if (addr == &pid->control)
            hooks->check_control(vcpu_of_slot(s), old, value);
        for (unsigned int w = 0; w < VTDPI_PIR_WORDS; w++) {
            if (addr == &pid->pir[w])
                check_pir(vcpu_of_slot(s), w, old, value);
        }
    }
    hooks->check_word(addr, old, value);
}
