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

static void check_invariant(unsigned int i, uint64_t control)
{
    const unsigned int cpu = cpu_of_ndst(ndst_of(control));

    if (nv_of(control) == ANV)
        return;
    if (nv_of(control) != wnv(wnv_number(i)))
        ex_fail("N: %c has NV %x", name(i), nv_of(control));
    else if (cpu == CPUS || !bit_is_set(cpu, i))
        ex_fail("I: %c has NV = WNV, but no bit on its NDST", name(i));
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

static void check_place(unsigned int i, uint64_t control)
{
    const unsigned int cpu = guest_on(i);

    if (cpu < CPUS && ((control & CTL_SN) != 0 || nv_of(control) != ANV ||
                       cpu_of_ndst(ndst_of(control)) != cpu))
        ex_fail("N: %c is in the guest on %u, but not notified there", name(i),
                cpu);
    for (unsigned int n = 0; cpu < CPUS && n < CPUS; n++) {
        if (bit_is_set(n, i))
            ex_fail("N: %c is in the guest, its bit is set on %u", name(i), n);
    }
    if (sleeps(&host.vcpu[i]) && host.vcpu[i].asleep == ASLEEP_BLOCKED &&
        ((control & CTL_SN) != 0 || nv_of(control) == ANV))
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
    else if (cpu == CPUS || !host.cpu[cpu].pcpu.online || host.cpu[cpu].dead)
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
        check_invariant(i, pid->control);
        check_place(i, pid->control);
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
    for (unsigned int i = 0; i < VCPUS; i++)
        check_account(i);
}

/* The running fiber is the owner of the vCPU, or the processor in its guest. */
static bool owns(unsigned int i)
{
    return host.thread[ex_running()].owner == i + 1;
}

/* The running fiber adopts a page. */
static bool adopts_page(void)
{
    const struct op *const op = current_op(ex_running());

    return op != NULL && op->kind == OP_ADOPT_PAGE;
}

static void check_control(unsigned int i, uint64_t old, uint64_t value)
{
    const uint64_t changed = old ^ value;

    if ((changed & ~(CTL_ON | CTL_SN | UINT64_C(0xffffffff00ff0000))) != 0)
        ex_fail("S: reserved bits of %c's PID change", name(i));
    else if ((changed & ~CTL_ON) != 0 && !owns(i) && !adopts_page())
        ex_fail("S: %s changes NV, NDST or SN of %c",
                ex_fiber(ex_running())->name, name(i));
    else if ((old & changed & CTL_ON) != 0 &&
             (!owns(i) || !host.thread[ex_running()].harvests))
        ex_fail("S: %s clears ON of %c", ex_fiber(ex_running())->name, name(i));
}

/* A CPU that posts sets ON only where a unit would. */
static void check_notified(unsigned int i, uint64_t old, uint64_t value)
{
    const struct op *const op = current_op(ex_running());

    if (op != NULL && op->kind == OP_POST && (old & CTL_SN) != 0 &&
        (~old & value & CTL_ON) != 0)
        ex_fail("U: a post that is not urgent sets ON of %c under SN", name(i));
}

static void check_armed(unsigned int i, uint64_t old, uint64_t value)
{
    const struct op *const op = current_op(ex_running());

    if (op != NULL && op->kind != OP_HALT_COMMITTED &&
        op->kind != OP_BLOCK_COMMITTED && nv_of(old) == ANV &&
        nv_of(value) != ANV && (old & CTL_ON) != 0)
        ex_fail("A: %c is armed although ON is set", name(i));
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
    if (cleared[word] != 0 && !owns(i))
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

/* A PID belongs to whoever has its slot; A's slot may be C's. */
static unsigned int vcpu_of_slot(unsigned int i)
{
    return i == A && host.vcpu[C].attached ? C : i;
}

static void check_leaf(unsigned int cpu, unsigned int word, uint64_t changed)
{
    for (unsigned int s = A; s <= B; s++) {
        const uint32_t slot = slot_of(s);

        if (page_of(slot) != word || (changed >> slot % 64 & 1) == 0)
            continue;
        changed &= ~(UINT64_C(1) << slot % 64);
        if (!owns(vcpu_of_slot(s)))
            ex_fail("S: %s changes %c's bit on %u",
                    ex_fiber(ex_running())->name, name(vcpu_of_slot(s)), cpu);
    }
    if (changed != 0)
        ex_fail("S: a bit of nobody changes on %u", cpu);
}

/* The pCPU whose handler the running fiber is, or CPUS. */
static unsigned int handler_of(void)
{
    const struct ex_fiber *const f = ex_fiber(ex_running());

    if (current_op(ex_running()) != NULL)
        return CPUS;
    return (unsigned int)((const struct host_cpu *)f->arg - host.cpu);
}

static void check_mark(unsigned int cpu, unsigned int s, bool set)
{
    struct host_thread *const t = &host.thread[ex_running()];
    const unsigned int vcpu = vcpu_of_slot(s);

    if (set && handler_of() != cpu)
        ex_fail("W: %s marks %c on %u", ex_fiber(ex_running())->name,
                name(vcpu), cpu);
    else if (set)
        host.cpu[cpu].to_wake |= UINT64_C(1) << s;
    else if (!owns(vcpu) || !t->unmarks)
        ex_fail("W: %s clears the mark of %c on %u",
                ex_fiber(ex_running())->name, name(vcpu), cpu);
    else
        t->unmarks = 0;
}

static void check_marks(unsigned int cpu, unsigned int page, uint64_t old,
                        uint64_t value)
{
    for (unsigned int s = A; s <= B; s++) {
        const uint32_t slot = slot_of(s);
        const uint64_t bit = UINT64_C(1) << slot % 64;

        if (page_of(slot) == page && ((old ^ value) & bit) != 0)
            check_mark(cpu, s, (value & bit) != 0);
    }
}

void check_wake(unsigned int vcpu)
{
    const unsigned int cpu = handler_of();
    const uint64_t bit = UINT64_C(1) << (vcpu == C ? (unsigned int)A : vcpu);

    if (cpu == CPUS) /* offline, rescan */
        return;
    if ((host.cpu[cpu].to_wake & bit) == 0)
        ex_fail("W: a handler of %u wakes %c, which it has not marked", cpu,
                name(vcpu));
    host.cpu[cpu].to_wake &= ~bit;
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

        if (addr == &pid->control) {
            check_control(vcpu_of_slot(s), old, value);
            check_notified(vcpu_of_slot(s), old, value);
            check_armed(vcpu_of_slot(s), old, value);
        }
        for (unsigned int w = 0; w < VTDPI_PIR_WORDS; w++) {
            if (addr == &pid->pir[w])
                check_pir(vcpu_of_slot(s), w, old, value);
        }
    }
    for (unsigned int i = 0; i < CPUS; i++) {
        for (unsigned int w = 0; w < world.leaves; w++) {
            if (addr == leaf_word(i, w))
                check_leaf(i, w, old ^ value);
            if (addr == mark_word(i, w))
                check_marks(i, w, old, value);
        }
    }
}
