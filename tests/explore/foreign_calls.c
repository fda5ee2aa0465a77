/* SPDX-License-Identifier: BSD-2-Clause */
/* What somebody else's hooks call: the host, atomics, locks. */
#include "foreign.h"

/* Nobody sleeps yet, and no interrupt is taken. */
static bool in_setup(void)
{
    return ex_running() >= EX_FIBERS;
}

void vtdpi_explore_wake(unsigned int vcpu)
{
    if (in_setup())
        return;
    if (vcpu >= VTDPI_EXPLORE_VCPUS)
        ex_fail("D: wake of a vCPU %u, which nobody is", vcpu);
    else
        wake_vcpu(vcpu_of_slot(vcpu));
}

void vtdpi_explore_send_ipi(unsigned int cpu, uint8_t vector)
{
    if (cpu < CPUS && !in_setup())
        interrupt_send(apic_id(cpu), vector);
}

unsigned int vtdpi_explore_cpu(void)
{
    return foreign_cpu();
}

uint32_t vtdpi_explore_ndst(unsigned int cpu)
{
    return apic_id(cpu) << 8;
}

unsigned int vtdpi_explore_cpu_of(uint32_t ndst)
{
    return cpu_of_ndst(ndst);
}

void vtdpi_explore_fail(const char *what)
{
    ex_fail("E: %s", what);
}

/* A word of 1 to 8 bytes, as a part of one of 8 bytes. */
struct part {
    uint64_t *word;
    unsigned int shift;
    uint64_t mask;
};

static struct part part_of(const volatile void *p, size_t size)
{
    const uintptr_t at = (uintptr_t)p % 8;
    struct part part = {(uint64_t *)((uintptr_t)p - at), 0, 0};

    if ((size != 1 && size != 2 && size != 4 && size != 8) || at % size != 0)
        ex_fail("E: an access of %zu bytes, not aligned", size);
    part.shift = (unsigned int)at * 8;
    part.mask = (size >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << size * 8) - 1)
                << part.shift;
    return part;
}

static uint64_t value_in(const struct part *part, uint64_t word)
{
    return (word & part->mask) >> part->shift;
}

static uint64_t word_of(const struct part *part, uint64_t value)
{
    return value << part->shift & part->mask;
}

uint64_t vtdpi_explore_load(const volatile void *p, size_t size)
{
    const struct part part = part_of(p, size);

    return value_in(&part, ex_load(part.word));
}

void vtdpi_explore_store(volatile void *p, uint64_t value, size_t size)
{
    const struct part part = part_of(p, size);

    ex_store_part(part.word, part.mask, word_of(&part, value));
}

uint64_t vtdpi_explore_change(volatile void *p, uint64_t keep, uint64_t set,
                              size_t size)
{
    const struct part part = part_of(p, size);

    return value_in(&part,
                    ex_change(part.word, word_of(&part, keep) | ~part.mask,
                              word_of(&part, set)));
}

uint64_t vtdpi_explore_add(volatile void *p, uint64_t n, size_t size)
{
    const struct part part = part_of(p, size);

    return value_in(&part, ex_add(part.word, part.mask, word_of(&part, n)));
}

uint64_t vtdpi_explore_cas(volatile void *p, uint64_t old, uint64_t value,
                           size_t size)
{
    const struct part part = part_of(p, size);

    return value_in(&part,
                    ex_cas_part(part.word, part.mask, word_of(&part, old),
                                word_of(&part, value)));
}

void vtdpi_explore_fence(void)
{
    ex_host(NULL, NULL);
}

void vtdpi_explore_pause(void)
{
    ex_pause();
}

void vtdpi_explore_lock(uint64_t *lock)
{
    ex_lock(lock);
}

bool vtdpi_explore_trylock(uint64_t *lock)
{
    return ex_cas_part(lock, ~UINT64_C(0), 0, ex_running() + 1) == 0;
}

void vtdpi_explore_unlock(uint64_t *lock)
{
    ex_unlock(lock);
}

bool vtdpi_explore_irq_save(void)
{
    const unsigned int cpu = foreign_cpu();

    /* In a handler they are off. */
    if (cpu == CPUS || current_op(ex_running()) == NULL ||
        host.cpu[cpu].irqs_off)
        return false;
    ex_local();
    host.cpu[cpu].irqs_off = 1;
    return true;
}

void vtdpi_explore_irq_restore(bool on)
{
    const unsigned int cpu = foreign_cpu();

    if (on && cpu < CPUS)
        host.cpu[cpu].irqs_off = 0;
}
