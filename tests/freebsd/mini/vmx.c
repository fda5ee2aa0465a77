/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of vmx_run(), and a processor in guest mode. */
#include "mini.h"

enum {
    /* Steps of a guest before a timer of the host's makes it exit. */
    STEPS_MAX = 64,
};

/* Bits of the control words of a VMCS, those that matter here. */
enum {
    PIN_POSTED = 1 << 7,
    PRIMARY_TPR_SHADOW = 1 << 21,
    SECONDARY_APIC_ACCESSES = 1 << 0,
    SECONDARY_APIC_REGISTERS = 1 << 8,
    SECONDARY_INTR_DELIVERY = 1 << 9,
    SECONDARY_VID = SECONDARY_APIC_ACCESSES | SECONDARY_APIC_REGISTERS |
                    SECONDARY_INTR_DELIVERY,
};

/* What each VMCS gets; vmx_modinit() composes it. */
static struct {
    uint32_t pin;
    uint32_t primary;
    uint32_t secondary;
} controls;

int mini_pirvec = -1;
bool mini_vid;

static void without_vid(void)
{
    mini_vid = false;
    controls.secondary &= ~(uint32_t)SECONDARY_VID;
    controls.pin &= ~(uint32_t)PIN_POSTED;
    if (mini_pirvec >= 0)
        lapic_ipi_free(mini_pirvec);
    mini_pirvec = -1;
}

void mini_vmx_modinit(inthand_t *nothing)
{
    mini_vid = true;
    controls.primary = PRIMARY_TPR_SHADOW;
    controls.secondary = SECONDARY_VID;
    mini_pirvec = lapic_ipi_alloc(nothing);
    controls.pin = mini_pirvec >= 0 ? PIN_POSTED : 0;
    if (vtdpi_bhyve_modinit(mini_pirvec) != 0)
        without_vid();
}

void mini_vmx_modcleanup(void)
{
    vtdpi_bhyve_modcleanup();
    if (mini_pirvec >= 0)
        lapic_ipi_free(mini_pirvec);
    mini_pirvec = -1;
}

/* Of a vCPU. Where interrupts are not delivered virtually, bhyve drops the TPR
 * shadow when the guest goes to x2APIC mode, as guests do. */
static uint32_t primary_of(const struct vcpu *v)
{
    return v->pi != NULL ? controls.primary
                         : controls.primary & ~(uint32_t)PRIMARY_TPR_SHADOW;
}

/* What the processor checks at an entry, of SDM volume 3, 27.2.1.1. */
static void check_controls(const struct vcpu *v)
{
    const uint32_t apic = SECONDARY_APIC_REGISTERS | SECONDARY_INTR_DELIVERY;

    if ((controls.secondary & apic) != 0 &&
        (primary_of(v) & PRIMARY_TPR_SHADOW) == 0)
        shim_fail("entry: APIC virtualization without the TPR shadow");
    if ((controls.pin & PIN_POSTED) != 0 &&
        (controls.secondary & SECONDARY_INTR_DELIVERY) == 0)
        shim_fail("entry: posted interrupts without virtual delivery");
}

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
    if (pending == mini_pirvec && (controls.pin & PIN_POSTED) != 0) {
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
    check_controls(v);
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
    else if (shim_should_yield() || (v->pi != NULL && vtdpi_bhyve_stale(v->pi)))
        *why = MINI_EXIT_YIELD;
    else
        return false;
    return true;
}

enum mini_exit mini_vmx_run(struct vcpu *v)
{
    enum mini_exit why = MINI_EXIT_YIELD;
    bool handled = true;

    if (v->pi != NULL)
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
    if (v->pi != NULL)
        vtdpi_bhyve_preempt(v->pi);
    return why;
}
