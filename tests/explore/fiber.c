/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fibers. Stacks have fixed addresses, so that a snapshot of their contents
 * can be put back. ucontext would do, but saves the signal mask with a system
 * call on each switch.
 */
#include "internal.h"

#include <string.h>

static _Alignas(64) unsigned char stack[EX_FIBERS][EX_STACK];
static void *engine_sp;
uint64_t ex_resumed;

/* ex_switch(save, load): push what the ABI preserves, leave the stack pointer
 * in *save, continue on `load`. */
void ex_switch(void **save, void *load);

#if !defined(__x86_64__)
#error "the explorer switches stacks in x86-64 assembly"
#endif

__asm__(".text\n"
        ".globl ex_switch\n"
        ".type ex_switch, @function\n"
        "ex_switch:\n"
        "    push %rbp\n"
        "    push %rbx\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    mov %rsp, (%rdi)\n"
        "    mov %rsi, %rsp\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbx\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size ex_switch, . - ex_switch\n");

static void fiber_main(void)
{
    struct ex_fiber *const f = &ex.fiber[ex.running];

    f->entry(f->arg);
    for (;;) {
        f->kind = EX_DONE;
        f->history[0] = f->history[1] = 0;
        ex_fiber_yield();
    }
}

void ex_fiber_prepare(unsigned int n)
{
    uint64_t *sp = (uint64_t *)(void *)(stack[n] + EX_STACK);

    *--sp = 0; /* fiber_main() has no caller */
    *--sp = (uint64_t)(uintptr_t)fiber_main;
    for (int i = 0; i < 6; i++)
        *--sp = 0;
    ex.fiber[n].sp = sp;
}

/* The stack with the registers on it is all that the fiber remembers. Turns of a loop
 * that waits so are one state, however many there were. */
static void remember_stack(struct ex_fiber *f, unsigned int n)
{
    const uint64_t *const p = f->sp;

    f->history[0] = f->history[1] = 4;
    for (size_t i = 0; i < ex_fiber_used(n) / 8; i++)
        ex_mix(f->history, p[i]);
}

void ex_fiber_resume(unsigned int n)
{
    ex.running = n;
    ex_resumed++;
    ex_switch(&engine_sp, ex.fiber[n].sp);
    ex.running = EX_NOBODY;
    if (ex.fiber[n].kind == EX_PAUSE)
        remember_stack(&ex.fiber[n], n);
}

void ex_fiber_yield(void)
{
    ex_switch(&ex.fiber[ex.running].sp, engine_sp);
}

bool ex_fiber_owns(uintptr_t addr)
{
    return ex.running != EX_NOBODY &&
           addr - (uintptr_t)stack[ex.running] < sizeof stack[ex.running];
}

size_t ex_fiber_used(unsigned int n)
{
    return (size_t)(stack[n] + EX_STACK - (unsigned char *)ex.fiber[n].sp);
}
