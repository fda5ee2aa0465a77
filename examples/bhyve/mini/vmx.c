/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of vmx_run(), and a processor in guest mode. */
#include "mini.h"

enum {
    /* Steps of a guest before a timer of the host's makes it exit. */
    STEPS_MAX = 64,
};

enum guest_exit {
    EXIT_EXTINT,
    EXIT_TIMER,
    EXIT_HLT,
    EXIT_USER,
    EXIT_HANDLED,
};

/* Not halted by an exit: in non-root mode, until something arrives. */
static bool halts_inside(const struct vcpu *v, enum mini_step step)
{
    return step == MINI_STEP_HLT && !v->vm->halt_exit;
}

/* One look at what the processor looks at between instructions. */
static bool take_physical(struct vcpu *v, enum guest_exit *why, uint8_t *vector)
{
    const int pending = shim_pending_vector();

    if (pending < 0)
        return false;
    if (pending == mini_pirvec) {
        shim_take_vector((uint8_t)pending);
        mini_apic_process_posted(v);
        return false;
    }
    *vector = (uint8_t)pending;
    *why = EXIT_EXTINT;
    return true;
}

/* Interrupts are off, so whatever is pending waits until here. */
static enum guest_exit enter_guest(struct vcpu *v, uint8_t *vector)
{
    enum guest_exit why = EXIT_TIMER;
    enum mini_step step;

    mini_check(!shim_interrupts_enabled());
    v->entries++;
    for (u_int i = 0; i < STEPS_MAX; i++) {
        shim_point();
        if (take_physical(v, &why, vector))
            break;
        if (mini_apic_deliverable(v)) {
            mini_apic_deliver(v);
            continue;
        }
        if (v->guest.halted && !v->vm->halt_exit) {
            shim_guest_halt();
            continue;
        }
        step = mini_guest_step(v);
        if (step == MINI_STEP_ON || halts_inside(v, step))
            continue;
        why = step == MINI_STEP_HLT    ? EXIT_HLT
              : step == MINI_STEP_USER ? EXIT_USER
                                       : EXIT_HANDLED;
        break;
    }
    return why;
}

static bool stop(const struct vcpu *v, enum mini_exit *why)
{
    if (__atomic_load_n(&v->vm->suspend, __ATOMIC_SEQ_CST) != 0)
        *why = MINI_EXIT_SUSPEND;
    else if (shim_should_yield() || vtdpi_bhyve_stale(v->pi))
        *why = MINI_EXIT_YIELD;
    else
        return false;
    return true;
}

enum mini_exit mini_vmx_run(struct vcpu *v)
{
    enum mini_exit why = MINI_EXIT_YIELD;
    bool handled = true;

    vtdpi_bhyve_run(v->pi);
    do {
        enum guest_exit e;
        uint8_t vector = 0;

        disable_intr();
        mini_apic_inject(v);
        if (stop(v, &why)) {
            enable_intr();
            break;
        }
        e = enter_guest(v, &vector);
        /* "Acknowledge interrupt on exit": the gate is called by hand. */
        if (e == EXIT_EXTINT)
            shim_run_vector(vector);
        enable_intr();
        if (e == EXIT_HLT) {
            why = MINI_EXIT_HLT;
            handled = false;
        } else if (e == EXIT_USER) {
            why = MINI_EXIT_USER;
            handled = false;
        }
    } while (handled);
    vtdpi_bhyve_preempt(v->pi);
    return why;
}
