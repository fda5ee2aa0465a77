/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC in both modes, and the IOAPIC. */

#include "internal.h"

#define LAPIC              UINT64_C(0xfee00000)
#define BASE_ENABLE        (UINT64_C(1) << 11)
#define BASE_X2APIC        (UINT64_C(1) << 10)

/* Offsets of xAPIC mode; / 16 they are the numbers of x2APIC registers. */
#define APIC_ID            0x20u
#define APIC_TPR           0x80u
#define APIC_EOI           0xb0u
#define APIC_LDR           0xd0u
#define APIC_SVR           0xf0u
#define APIC_ISR           0x100u
#define APIC_IRR           0x200u
#define APIC_ESR           0x280u
#define APIC_ICR           0x300u
#define APIC_ICR_HI        0x310u
#define APIC_LVT_TIMER     0x320u
#define APIC_LVT_LINT0     0x350u
#define APIC_LVT_LINT1     0x360u
#define APIC_LVT_ERROR     0x370u

#define SVR_ENABLE         0x100u
#define LVT_MASKED         0x10000u
#define ICR_ASSERT         0x4000u
#define ICR_INIT           0x500u
#define ICR_STARTUP        0x600u
#define ICR_PENDING        0x1000u

#define CPUID_1_ECX_X2APIC (1u << 21)

#define MADT_IOAPIC        1
#define MADT_OVERRIDE      2

#define IOAPIC_VERSION     1u
#define IOAPIC_REDIRECTION 0x10u
#define RTE_MASKED         0x10000u

static enum apic_mode mode;
static bool started;

static uint32_t apic_read(uint32_t reg)
{
    if (mode == APIC_X2APIC)
        return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
    return mmio_read32(LAPIC + reg);
}

static void apic_write(uint32_t reg, uint32_t value)
{
    if (mode == APIC_X2APIC)
        wrmsr(MSR_X2APIC + reg / 16, value);
    else
        mmio_write32(LAPIC + reg, value);
}

bool apic_has_x2apic(void)
{
    return (cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC) != 0;
}

void apic_start(enum apic_mode wanted)
{
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | BASE_ENABLE;

    if (!started) {
        mode = wanted;
        started = true;
    }
    wrmsr(MSR_IA32_APIC_BASE, base);
    if (mode == APIC_X2APIC) {
        if (!apic_has_x2apic())
            panic("the CPU has no x2APIC mode");
        wrmsr(MSR_IA32_APIC_BASE, base | BASE_X2APIC);
    }
    if (mode == APIC_XAPIC)
        apic_write(APIC_LDR, UINT32_C(1) << cpu_self() << 24);
    apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_LINT1, LVT_MASKED);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
}

enum apic_mode apic_mode(void)
{
    return mode;
}

uint32_t apic_id(void)
{
    const uint32_t id = apic_read(APIC_ID);

    return mode == APIC_X2APIC ? id : id >> 24;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

static bool vector_bit(uint32_t reg, uint8_t vector)
{
    return (apic_read(reg + vector / 32 * 16) >> vector % 32 & 1) != 0;
}

bool apic_in_service(uint8_t vector)
{
    return vector_bit(APIC_ISR, vector);
}

bool apic_requested(uint8_t vector)
{
    return vector_bit(APIC_IRR, vector);
}

static void send(uint32_t id, uint32_t command)
{
    const uint64_t flags = interrupts_save();

    if (mode == APIC_X2APIC) {
        /* WRMSR to an x2APIC register does not wait for earlier stores. */
        __asm__ volatile("mfence; lfence" : : : "memory");
        wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)id << 32 | command);
    } else {
        while ((mmio_read32(LAPIC + APIC_ICR) & ICR_PENDING) != 0)
            pause();
        mmio_write32(LAPIC + APIC_ICR_HI, id << 24);
        mmio_write32(LAPIC + APIC_ICR, command);
    }
    interrupts_restore(flags);
}

void apic_ipi(uint32_t id, uint8_t vector)
{
    send(id, ICR_ASSERT | vector);
}

void apic_init_ipi(uint32_t id)
{
    send(id, ICR_ASSERT | ICR_INIT);
}

void apic_startup_ipi(uint32_t id, uint8_t page)
{
    send(id, ICR_ASSERT | ICR_STARTUP | page);
}

static uint32_t io_read(const struct ioapic *io, uint32_t reg)
{
    mmio_write32(io->base, reg);
    return mmio_read32(io->base + 0x10);
}

static void io_write(const struct ioapic *io, uint32_t reg, uint32_t value)
{
    mmio_write32(io->base, reg);
    mmio_write32(io->base + 0x10, value);
}

bool ioapic_find(struct ioapic *out)
{
    for (const uint8_t *e = acpi_madt_next(NULL); e != NULL;
         e = acpi_madt_next(e)) {
        if (e[0] != MADT_IOAPIC)
            continue;
        out->id = e[2];
        out->base = acpi_u32(e + 4);
        out->pins = (io_read(out, IOAPIC_VERSION) >> 16 & 0xff) + 1;
        return true;
    }
    return false;
}

uint64_t ioapic_read(const struct ioapic *io, unsigned int pin)
{
    const uint32_t reg = IOAPIC_REDIRECTION + 2 * pin;

    return (uint64_t)io_read(io, reg + 1) << 32 | io_read(io, reg);
}

void ioapic_write(const struct ioapic *io, unsigned int pin, uint64_t rte)
{
    const uint32_t reg = IOAPIC_REDIRECTION + 2 * pin;

    io_write(io, reg, RTE_MASKED);
    io_write(io, reg + 1, (uint32_t)(rte >> 32));
    io_write(io, reg, (uint32_t)rte);
}

unsigned int ioapic_pin_of_isa(uint8_t irq)
{
    for (const uint8_t *e = acpi_madt_next(NULL); e != NULL;
         e = acpi_madt_next(e)) {
        if (e[0] == MADT_OVERRIDE && e[3] == irq)
            return acpi_u32(e + 4);
    }
    return irq;
}
