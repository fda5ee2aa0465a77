/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APICs, the interrupt table and inter-processor interrupts. */
#include "internal.h"

#include <machine/frame.h>
#include <machine/intr_machdep.h>
#include <machine/md_var.h>
#include <machine/segments.h>
#include <x86/apicvar.h>

struct gate {
    inthand_t *entry;           /* of lapic_ipi_alloc() */
    void (*handler)(void *arg); /* of shim_vector_set() */
    void *arg;
};

static struct gate idt[VECTORS]; /* host_lock() */

int x2apic_mode = 1;

static void check_ipi(int cpu, u_int ipi)
{
    if (cpu < 0 || (u_int)cpu > mp_maxid || CPU_ABSENT(cpu))
        panic("IPI %u to CPU %d, which is absent", ipi, cpu);
    if (ipi > IPI_BITMAP_LAST && (ipi < APIC_IPI_INTS || ipi > IPI_DYN_LAST))
        panic("IPI %u, which is no vector of IPIs", ipi);
}

static uint64_t bit(uint8_t vector)
{
    return UINT64_C(1) << (vector % 64);
}

static bool is_set(const uint64_t set[4], uint8_t vector)
{
    return (__atomic_load_n(&set[vector / 64], __ATOMIC_SEQ_CST) &
            bit(vector)) != 0;
}

bool shim_set_pending(struct shim_cpu *c, uint8_t vector)
{
    return (__atomic_fetch_or(&c->irr[vector / 64], bit(vector),
                              __ATOMIC_SEQ_CST) &
            bit(vector)) != 0;
}

static void clear_pending(struct shim_cpu *c, uint8_t vector)
{
    (void)__atomic_fetch_and(&c->irr[vector / 64], ~bit(vector),
                             __ATOMIC_SEQ_CST);
}

static int highest(const uint64_t set[4])
{
    for (int i = 3; i >= 0; i--) {
        const uint64_t word = __atomic_load_n(&set[i], __ATOMIC_SEQ_CST);

        if (word != 0)
            return i * 64 + 63 - __builtin_clzll(word);
    }
    return -1;
}

bool shim_has_pending(const struct shim_cpu *c)
{
    return highest(c->irr) >= 0;
}

static bool send(struct shim_cpu *c, uint8_t vector)
{
    const bool was = shim_set_pending(c, vector);

    host_lock();
    shim_kick_locked(c);
    host_unlock();
    return was;
}

void ipi_cpu(int cpu, u_int ipi)
{
    check_ipi(cpu, ipi);
    shim_count(ipis);
    (void)send(&shim_cpus[cpu],
               (uint8_t)(ipi <= IPI_BITMAP_LAST ? IPI_BITMAP_VECTOR : ipi));
    shim_point();
}

void ipi_selected(cpuset_t cpus, u_int ipi)
{
    int cpu;

    CPU_FOREACH_ISSET(cpu, &cpus)
    {
        ipi_cpu(cpu, ipi);
    }
}

u_int apic_cpuid(u_int apic_id)
{
    u_int i;

    CPU_FOREACH(i)
    {
        if ((u_int)cpu_apic_ids[i] == apic_id)
            return i;
    }
    panic("apic_cpuid: no CPU has the APIC id %u", apic_id);
}

bool shim_lapic_send(uint32_t apic_id, uint8_t vector)
{
    return send(&shim_cpus[apic_cpuid(apic_id)], vector);
}

/* The table. */

int lapic_ipi_alloc(inthand_t *ipifunc)
{
    int found = -1;

    shim_pti_check_entry(ipifunc);
    host_lock();
    for (int v = IPI_DYN_FIRST; v <= IPI_DYN_LAST && found < 0; v++) {
        if (idt[v].entry == NULL) {
            idt[v].entry = ipifunc;
            found = v;
        }
    }
    host_unlock();
    return found;
}

void lapic_ipi_free(int vector)
{
    if (vector < IPI_DYN_FIRST || vector > IPI_DYN_LAST)
        panic("lapic_ipi_free of vector %d", vector);
    host_lock();
    if (idt[vector].entry == NULL) {
        host_unlock();
        panic("lapic_ipi_free of vector %d, which is free", vector);
    }
    idt[vector].entry = NULL;
    host_unlock();
}

int shim_vector_within(vm_offset_t sva, vm_offset_t eva)
{
    int found = -1;

    host_lock();
    for (int v = IPI_DYN_FIRST; v <= IPI_DYN_LAST; v++) {
        const vm_offset_t entry = (vm_offset_t)idt[v].entry;

        if (entry != 0 && entry >= sva && entry < eva)
            found = v;
    }
    host_unlock();
    return found;
}

void shim_vector_set(uint8_t vector, void (*handler)(void *arg), void *arg)
{
    must(vector >= IDT_IO_INTS && vector < APIC_LOCAL_INTS);
    host_lock();
    must(idt[vector].handler == NULL);
    idt[vector].handler = handler;
    idt[vector].arg = arg;
    host_unlock();
}

void shim_vector_clear(uint8_t vector)
{
    u_int i;

    shim_may_sleep("bus_teardown_intr", NULL);
    CPU_FOREACH(i)
    {
        while (is_set(shim_cpus[i].irr, vector) ||
               is_set(shim_cpus[i].isr, vector))
            shim_relax();
    }
    host_lock();
    idt[vector].handler = NULL;
    host_unlock();
}

/* Handlers of the machine's own. */

void IDTVEC(justreturn)(void)
{
    lapic_eoi();
}

void IDTVEC(justreturn1_pti)(void)
{
    lapic_eoi();
}

static void bitmap_handler(struct shim_thread *t)
{
    lapic_eoi();
    t->td.td_owepreempt = 1;
}

void lapic_eoi(void)
{
    struct shim_thread *t = shim_self();
    int v;

    if (t->in_intr == 0)
        panic("lapic_eoi outside an interrupt");
    v = highest(t->cpu->isr);
    if (v < 0)
        panic("lapic_eoi twice for one interrupt");
    (void)__atomic_fetch_and(&t->cpu->isr[v / 64], ~bit((uint8_t)v),
                             __ATOMIC_SEQ_CST);
}

struct trapframe *shim_trapframe(void)
{
    return shim_self()->frame;
}

/* Delivery. */

static void run_gate(struct shim_thread *t, uint8_t vector)
{
    struct gate g;

    host_lock();
    g = idt[vector];
    host_unlock();
    if (g.entry != NULL) {
        g.entry();
    } else if (g.handler != NULL) {
        g.handler(g.arg);
        lapic_eoi();
    } else if (vector == IPI_BITMAP_VECTOR) {
        bitmap_handler(t);
    } else {
        panic("interrupt %u on CPU %u, which nobody handles", vector,
              t->cpu->pcpu.pc_cpuid);
    }
}

/* From pending to in service, with no moment in which it is neither:
 * shim_vector_clear() waits for both. */
static void accept(struct shim_cpu *c, uint8_t vector)
{
    (void)__atomic_fetch_or(&c->isr[vector / 64], bit(vector),
                            __ATOMIC_SEQ_CST);
    clear_pending(c, vector);
}

/* A handler leaves everything as it was. */
static void deliver(struct shim_thread *t, uint8_t vector)
{
    const struct shim_thread was = *t;
    struct trapframe frame = {0, 0};

    shim_count(interrupts);
    t->in_intr++;
    t->frame = &frame;
    run_gate(t, vector);
    if (is_set(t->cpu->isr, vector))
        panic("handler of vector %u returned without EOI", vector);
    if (t->td.td_critnest != was.td.td_critnest || t->spin != was.spin ||
        t->td.td_pinned != was.td.td_pinned)
        panic("handler of vector %u left a critical section", vector);
    if (t->td.td_intr_nesting_level != was.td.td_intr_nesting_level ||
        t->td.td_intr_frame != was.td.td_intr_frame)
        panic("handler of vector %u did not restore td_intr_frame or nesting",
              vector);
    if (t->held_count != was.held_count)
        panic("handler of vector %u holds a lock", vector);
    t->frame = was.frame;
    t->in_intr--;
}

void shim_take_interrupts(struct shim_thread *t)
{
    while (t->interrupts && t->spin == 0 && t->in_intr == 0) {
        const int v = highest(t->cpu->irr);

        if (v < 0)
            break;
        accept(t->cpu, (uint8_t)v);
        deliver(t, (uint8_t)v);
    }
}

/* Guest mode. */

int shim_pending_vector(void)
{
    return highest(shim_self()->cpu->irr);
}

void shim_take_vector(uint8_t vector)
{
    clear_pending(shim_self()->cpu, vector);
}

void shim_run_vector(uint8_t vector)
{
    struct shim_thread *t = shim_self();

    if (shim_interrupts_enabled())
        panic("an interrupt gate is called with interrupts on");
    accept(t->cpu, vector);
    deliver(t, vector);
}

void shim_guest_halt(void)
{
    struct shim_cpu *c = shim_self()->cpu;
    bool wait;

    host_lock();
    wait = !shim_has_pending(c);
    c->halted = wait;
    host_unlock();
    if (!wait)
        return;
    host_park();
    host_lock();
    c->halted = false;
    host_unlock();
}

void shim_intr_reset(void)
{
    memset(idt, 0, sizeof(idt));
}

void shim_intr_check_end(void)
{
    for (int v = 0; v < VECTORS; v++) {
        if (idt[v].entry != NULL || idt[v].handler != NULL)
            panic("vector %d was not freed", v);
    }
}
