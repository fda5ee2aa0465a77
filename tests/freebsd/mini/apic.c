/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual APICs: what the processor does with a virtual-APIC page, and whom a
 * guest's message is for. */
#include "mini.h"

/* Others read the registers of a page while its thread writes them. */
static uint32_t reg(const struct vcpu *v, u_int r)
{
    return __atomic_load_n(&v->apic[r], __ATOMIC_RELAXED);
}

static void set_reg(struct vcpu *v, u_int r, uint32_t value)
{
    __atomic_store_n(&v->apic[r], value, __ATOMIC_RELAXED);
}

static int highest(const struct vcpu *v, u_int first)
{
    for (int i = 7; i >= 0; i--) {
        const uint32_t word = reg(v, first + 4 * (u_int)i);

        if (word != 0)
            return i * 32 + 31 - __builtin_clz(word);
    }
    return -1;
}

static void set_bit(struct vcpu *v, u_int first, int vector)
{
    (void)__atomic_fetch_or(&v->apic[first + 4 * ((u_int)vector / 32)],
                            1u << (u_int)vector % 32, __ATOMIC_RELAXED);
}

static void clear_bit(struct vcpu *v, u_int first, int vector)
{
    (void)__atomic_fetch_and(&v->apic[first + 4 * ((u_int)vector / 32)],
                             ~(1u << (u_int)vector % 32), __ATOMIC_RELAXED);
}

static void update_ppr(struct vcpu *v)
{
    const uint32_t tpr = reg(v, APIC_TPR_REG);
    const int isr = highest(v, APIC_ISR_REG);
    const uint32_t service = isr < 0 ? 0 : (uint32_t)isr & 0xf0;

    set_reg(v, APIC_PPR_REG, (tpr & 0xf0) >= service ? tpr : service);
}

void mini_apic_reset(struct vcpu *v)
{
    for (u_int i = 0; i < PAGE_SIZE / 4; i++)
        set_reg(v, i, 0);
    set_reg(v, APIC_ID_REG, v->id << 24);
    set_reg(v, APIC_LDR_REG, 1u << (24 + v->id));
    set_reg(v, APIC_DFR_REG, 0xffffffff);
    set_reg(v, APIC_SVR_REG, 0x1ff);
    v->guest = (struct mini_guest){.interrupts = true};
}

void mini_apic_set_priority(struct vcpu *v, uint32_t tpr)
{
    set_reg(v, APIC_TPR_REG, tpr);
    update_ppr(v);
}

void mini_apic_changed(struct vcpu *v, uint64_t base)
{
    if (v->pi != NULL)
        vtdpi_bhyve_apic_changed(v->pi, base);
}

int mini_apic_requested(const struct vcpu *v)
{
    return highest(v, APIC_IRR_REG);
}

bool mini_apic_unmasked(const struct vcpu *v, int vector)
{
    return vector >= 0 &&
           ((uint32_t)vector & 0xf0) > (reg(v, APIC_PPR_REG) & 0xf0);
}

/* By RVI, as the processor decides; not by the IRR. */
bool mini_apic_deliverable(const struct vcpu *v)
{
    return v->guest.interrupts && mini_apic_unmasked(v, v->rvi);
}

void mini_apic_deliver(struct vcpu *v)
{
    const int vector = v->rvi;

    mini_check((reg(v, APIC_IRR_REG + 4 * ((u_int)vector / 32)) >>
                    ((u_int)vector % 32) &
                1) != 0);
    clear_bit(v, APIC_IRR_REG, vector);
    set_bit(v, APIC_ISR_REG, vector);
    v->rvi = highest(v, APIC_IRR_REG);
    update_ppr(v);
    v->account[vector].delivered++;
    v->guest.halted = false;
    v->guest.nested++;
    /* Some handlers let others in. */
    v->guest.interrupts = shim_random(2) == 0;
    if (vector == MINI_VECTOR_SETTLE) {
        v->guest.quiet = __atomic_load_n(&v->vm->settle, __ATOMIC_RELAXED) != 0;
        v->guest.interrupts = true;
    }
}

void mini_apic_eoi(struct vcpu *v)
{
    const int vector = highest(v, APIC_ISR_REG);

    clear_bit(v, APIC_ISR_REG, vector);
    update_ppr(v);
    v->guest.nested--;
    v->guest.interrupts = true;
}

bool mini_apic_in_service(const struct vcpu *v)
{
    return v->guest.nested > 0;
}

/* A notification vector in guest mode, with the descriptor that the VMCS
 * names. */
void mini_apic_process_posted(struct vcpu *v)
{
    uint64_t *pid = shim_phys_to_virt(v->pid_pa, 64);
    uint64_t pir[4];

    mini_check(pid != NULL);
    (void)__atomic_fetch_and(&pid[4], ~UINT64_C(1), __ATOMIC_SEQ_CST);
    for (u_int i = 0; i < 4; i++) {
        shim_point();
        pir[i] = __atomic_exchange_n(&pid[i], 0, __ATOMIC_SEQ_CST);
    }
    mini_irr_or(v, pir);
    for (int i = 3; i >= 0; i--) {
        if (pir[i] != 0) {
            v->rvi = MAX(v->rvi, i * 64 + 63 - __builtin_clzll(pir[i]));
            break;
        }
    }
    v->processed++;
}

static bool is_for(const struct vcpu *v, uint64_t addr)
{
    const uint32_t dest = (uint32_t)(addr >> 12) & 0xff;

    if (dest == 0xff)
        return true;
    if ((addr & 0x4) == 0)
        return dest == v->id;
    return (dest & reg(v, APIC_LDR_REG) >> 24) != 0;
}

void mini_apic_msi(struct vm *vm, uint64_t addr, uint32_t data)
{
    const bool lowest = (data >> 8 & 7) == 1;
    const uint8_t vector = (uint8_t)data;

    for (u_int i = 0; i < vm->vcpus; i++) {
        if (!is_for(&vm->vcpu[i], addr))
            continue;
        mini_apic_post(&vm->vcpu[i], vector);
        if (lowest)
            break;
    }
}
