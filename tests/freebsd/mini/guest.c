/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest does between interrupts: all that the port has to cope with. */
#include "mini.h"

static enum mini_step halt(struct vcpu *v)
{
    v->guest.halted = true;
    return MINI_STEP_HLT;
}

/* An IPI of the guest to one of its vCPUs, itself included. */
static enum mini_step send_ipi(struct vcpu *v)
{
    struct vcpu *to = &v->vm->vcpu[shim_random(v->vm->vcpus)];

    mini_apic_post(to, (uint8_t)(0x31 + shim_random(2) * 0x70));
    return MINI_STEP_EXIT;
}

static enum mini_step change_apic(struct vcpu *v)
{
    if (!v->vm->apic_games)
        return MINI_STEP_EXIT;
    /* Its own bit, or that of its neighbour as well. */
    __atomic_store_n(&v->apic[APIC_LDR_REG],
                     (1u + 2 * shim_random(2)) << (24 + v->id),
                     __ATOMIC_RELAXED);
    mini_apic_changed(v, 0xfee00800);
    return MINI_STEP_EXIT;
}

/* What a scenario has asked for. */
static bool write_apic(struct vcpu *v)
{
    const uint64_t base = __atomic_load_n(&v->want_base, __ATOMIC_SEQ_CST);

    if (base == 0)
        return false;
    __atomic_store_n(&v->apic[APIC_LDR_REG],
                     __atomic_load_n(&v->want_ldr, __ATOMIC_RELAXED),
                     __ATOMIC_RELAXED);
    mini_apic_changed(v, base);
    __atomic_store_n(&v->want_base, 0, __ATOMIC_SEQ_CST);
    return true;
}

static enum mini_step deed(struct vcpu *v)
{
    switch (shim_random(16)) {
    case 0:
    case 1:
        mini_apic_set_priority(v, shim_random(MINI_TPR_MAX / 0x30 + 1) * 0x30);
        return MINI_STEP_ON;
    case 2:
        mini_apic_set_priority(v, 0);
        return MINI_STEP_ON;
    case 3:
        v->guest.interrupts = !v->guest.interrupts;
        return MINI_STEP_ON;
    case 4:
    case 5:
        return send_ipi(v);
    case 6:
        return MINI_STEP_USER;
    case 7:
        return change_apic(v);
    case 8:
        return MINI_STEP_EXIT;
    default:
        return v->guest.interrupts ? halt(v) : MINI_STEP_ON;
    }
}

enum mini_step mini_guest_step(struct vcpu *v)
{
    if (write_apic(v))
        return MINI_STEP_EXIT;
    if (mini_apic_in_service(v)) {
        if (shim_random(3) == 0 || v->guest.quiet)
            mini_apic_eoi(v);
        return MINI_STEP_ON;
    }
    if (v->guest.deaf) {
        v->guest.deaf = false;
        return halt(v);
    }
    if (v->guest.quiet || v->vm->storm == 0) {
        if (v->guest.quiet)
            mini_apic_set_priority(v, 0);
        v->guest.interrupts = true;
        /* What that lets in comes first. */
        return mini_apic_deliverable(v) ? MINI_STEP_ON : halt(v);
    }
    if (shim_random(v->vm->storm) == 0)
        return deed(v);
    return MINI_STEP_ON;
}
