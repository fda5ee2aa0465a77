/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold of this library and need not of other designs; see checks.c for the
 * letters. And what traces say of the library's words. */
#include "library.h"

static char name(unsigned int vcpu)
{
    return (char)('A' + vcpu);
}

static uint8_t nv_of(uint64_t control)
{
    return (uint8_t)(control >> 16);
}

static void check_invariant(unsigned int i, uint64_t control)
{
    const unsigned int cpu = cpu_of_ndst((uint32_t)(control >> 32));

    if (nv_of(control) == ANV)
        return;
    if (nv_of(control) != wnv(wnv_number(i)))
        ex_fail("N: %c has NV %x", name(i), nv_of(control));
    else if (cpu == CPUS || !bit_is_set(cpu, i))
        ex_fail("I: %c has NV = WNV, but no bit on its NDST", name(i));
}

void library_check_step(unsigned int vcpu, uint64_t control)
{
    bool in_guest = false;

    check_invariant(vcpu, control);
    for (unsigned int i = 0; i < CPUS; i++)
        in_guest = in_guest || host.cpu[i].guest == vcpu + 1;
    for (unsigned int i = 0; i < CPUS; i++) {
        if (in_guest && bit_is_set(i, vcpu))
            ex_fail("N: %c is in the guest, its bit is set on %u", name(vcpu),
                    i);
    }
}

bool library_may_notify(unsigned int cpu)
{
    return library.cpu[cpu].pcpu.online != 0;
}

/* The running fiber adopts a page. */
static bool adopts_page(void)
{
    const struct op *const op = current_op(ex_running());

    return op != NULL && op->kind == OP_ADOPT_PAGE;
}

static void check_owner(unsigned int i, uint64_t old, uint64_t value)
{
    const uint64_t changed = old ^ value;

    if ((changed & ~(CTL_ON | CTL_SN | UINT64_C(0xffffffff00ff0000))) != 0)
        ex_fail("S: reserved bits of %c's PID change", name(i));
    else if ((changed & ~CTL_ON) != 0 && !owns_vcpu(i) && !adopts_page())
        ex_fail("S: %s changes NV, NDST or SN of %c",
                ex_fiber(ex_running())->name, name(i));
    else if ((old & changed & CTL_ON) != 0 &&
             (!owns_vcpu(i) || !host.thread[ex_running()].harvests))
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

void library_check_control(unsigned int vcpu, uint64_t old, uint64_t value)
{
    check_owner(vcpu, old, value);
    check_notified(vcpu, old, value);
    check_armed(vcpu, old, value);
}

static void check_leaf(unsigned int cpu, unsigned int word, uint64_t changed)
{
    for (unsigned int s = A; s <= B; s++) {
        const uint32_t slot = slot_of(s);

        if (page_of(slot) != word || (changed >> slot % 64 & 1) == 0)
            continue;
        changed &= ~(UINT64_C(1) << slot % 64);
        if (!owns_vcpu(vcpu_of_slot(s)))
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
    else if (!owns_vcpu(vcpu) || !t->unmarks)
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

void library_check_wake(unsigned int vcpu)
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

void library_check_word(const uint64_t *addr, uint64_t old, uint64_t value)
{
    for (unsigned int i = 0; i < CPUS; i++) {
        for (unsigned int w = 0; w < world.leaves; w++) {
            if (addr == leaf_word(i, w))
                check_leaf(i, w, old ^ value);
            if (addr == mark_word(i, w))
                check_marks(i, w, old, value);
        }
    }
}

/* Nobody may find the vCPU under its slot. */
void library_check_free(unsigned int vcpu)
{
    for (unsigned int i = 0; i < CPUS; i++) {
        if (bit_is_set(i, vcpu))
            ex_fail("D: a free slot's bit is set on %u", i);
    }
}

void library_print_vcpu(FILE *out, unsigned int vcpu)
{
    (void)fputs(" bits=", out);
    for (unsigned int cpu = 0; cpu < CPUS; cpu++)
        (void)fputc(bit_is_set(cpu, vcpu) ? '1' : '0', out);
}

void library_print_cpu(FILE *out, unsigned int cpu)
{
    (void)fprintf(out, " online=%u", library.cpu[cpu].pcpu.online != 0);
}

void library_print_name(FILE *out, const uint64_t *addr)
{
    for (unsigned int i = 0; i < CPUS; i++) {
        const struct library_cpu *const cpu = &library.cpu[i];

        for (unsigned int w = 0; w < world.leaves; w++) {
            if (addr == leaf_word(i, w))
                (void)fprintf(out, "cpu%u.leaf[%u]", i, w);
            if (addr == mark_word(i, w))
                (void)fprintf(out, "cpu%u.marks[%u]", i, w);
        }
        if (addr == summary_word(i))
            (void)fprintf(out, "cpu%u.summary", i);
        if (addr == &cpu->pcpu.online)
            (void)fprintf(out, "cpu%u.online", i);
        if (addr == &cpu->pcpu.scan)
            (void)fprintf(out, "cpu%u.scan", i);
    }
    if (addr == &library.s.scan)
        (void)fputs("scan", out);
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (addr == &library.vcpu[i].target.refs)
            (void)fprintf(out, "%c.refs", name(i));
    }
}
