/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_X86_APICREG_H
#define SHIM_X86_APICREG_H

/* Registers of a local APIC, in units of 16 bytes. */
enum LAPIC_REGISTERS {
    LAPIC_ID = 0x2,
    LAPIC_VERSION = 0x3,
    LAPIC_TPR = 0x8,
    LAPIC_PPR = 0xa,
    LAPIC_EOI = 0xb,
    LAPIC_LDR = 0xd,
    LAPIC_DFR = 0xe,
    LAPIC_SVR = 0xf,
    LAPIC_ISR0 = 0x10,
    LAPIC_TMR0 = 0x18,
    LAPIC_IRR0 = 0x20,
};

#define APIC_SVR_ENABLE        0x00000100
#define APIC_SVR_SWEN          0x00000100
#define APIC_DFR_MODEL_MASK    0xf0000000
#define APIC_DFR_MODEL_FLAT    0xf0000000
#define APIC_DFR_MODEL_CLUSTER 0x00000000
#define APIC_ID_SHIFT          24

#endif
