/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt descriptor table, and who is called for a vector. */

#include "internal.h"

#define VECTORS        256
#define EXCEPTIONS     32
#define ENTRY_SIZE     16
#define DOUBLE_FAULT   8
#define GATE_INTERRUPT 0x8e00u /* present, interrupts off */

struct gate {
    uint64_t lo;
    uint64_t hi;
};

static struct gate table[VECTORS] __attribute__((__aligned__(16)));
static struct {
    trap_handler handler;
    void *arg;
} handlers[VECTORS];

extern const unsigned char trap_entries[];
void trap_dispatch(struct trap_frame *frame);

static void spurious(struct trap_frame *frame, void *arg)
{
    /* Not in service, so without EOI. */
    (void)frame;
    (void)arg;
}

void trap_count_only(struct trap_frame *frame, void *arg)
{
    (void)frame;
    (void)arg;
    apic_eoi();
}

void trap_start(void)
{
    for (unsigned int v = 0; v < VECTORS; v++) {
        const uint64_t at = (uintptr_t)trap_entries + v * ENTRY_SIZE;
        /* A double fault may be due to the stack: it has one of its own. */
        const uint64_t stack = v == DOUBLE_FAULT ? 1 : 0;

        table[v].lo = (at & 0xffff) | (uint64_t)SELECTOR_CODE << 16 |
                      (stack | GATE_INTERRUPT) << 32 |
                      (at >> 16 & 0xffff) << 48;
        table[v].hi = at >> 32;
    }
    trap_handle(VECTOR_SPURIOUS, spurious, NULL);
    trap_load();
}

void trap_load(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((__packed__)) idtr = {sizeof(table) - 1, (uintptr_t)table};

    __asm__ volatile("lidt %0" : : "m"(idtr));
}

uint64_t trap_table(void)
{
    return (uintptr_t)table;
}

void trap_handle(uint8_t vector, trap_handler handler, void *arg)
{
    const uint64_t flags = interrupts_save();

    handlers[vector].arg = arg;
    /* The argument first: another CPU may take the vector right now. */
    __atomic_store_n(&handlers[vector].handler, handler, __ATOMIC_RELEASE);
    interrupts_restore(flags);
}

static void unexpected(const struct trap_frame *f)
{
    uint64_t cr2;

    __asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
    panic("CPU %u: %s %u (error %lx) at %lx, rflags %lx, rsp %lx, cr2 %lx",
          cpu_self(), f->vector < EXCEPTIONS ? "exception" : "interrupt",
          (unsigned int)f->vector, f->error, f->rip, f->rflags, f->rsp, cr2);
}

void trap_dispatch(struct trap_frame *frame)
{
    const trap_handler handler =
        __atomic_load_n(&handlers[frame->vector].handler, __ATOMIC_ACQUIRE);

    cpu_count_trap((uint8_t)frame->vector);
    if (handler == NULL)
        unexpected(frame);
    else
        handler(frame, handlers[frame->vector].arg);
}
