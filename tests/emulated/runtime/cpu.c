/* SPDX-License-Identifier: BSD-2-Clause */
/* Processors: descriptor tables, bring-up, and work for those that idle. */

#include "internal.h"

#define STACK_SIZE        16384
#define FAULT_STACK_SIZE  4096

/* Page 8 is free below 1 MiB: neither BIOS nor loaders use it once we run. */
#define TRAMPOLINE_PAGE   8
#define TRAMPOLINE        (TRAMPOLINE_PAGE * UINT64_C(4096))

#define MADT_LOCAL_APIC   0
#define MADT_LOCAL_X2APIC 9
#define MADT_ENABLED      1u

/* As hardware has it. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
} __attribute__((__packed__));

struct cpu {
    struct cpu *self; /* at GS:0 */
    unsigned int number;
    uint32_t apic_id;
    bool up;
    bool busy;
    void (*fn)(void *arg);
    void *arg;
    uint32_t traps[256];
    uint64_t gdt[5];
    struct tss tss;
    unsigned char fault_stack[FAULT_STACK_SIZE]
        __attribute__((__aligned__(16)));
    unsigned char stack[STACK_SIZE] __attribute__((__aligned__(16)));
};

static struct cpu cpus[CPU_MAX];
static unsigned int count;

extern const unsigned char trampoline[];
extern const unsigned char trampoline_end[];
extern void *ap_stack;
void cpu_main(void);

static struct cpu *self(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Give this CPU its own descriptor table and task state segment; the table of
 * the boot code is read-only, and loading the task register writes. */
static void load(struct cpu *cpu)
{
    const uint64_t tss = (uintptr_t)&cpu->tss;
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((__packed__))
    gdtr = {sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt};

    cpu->gdt[SELECTOR_CODE / 8] = UINT64_C(0x00af9b000000ffff);
    cpu->gdt[SELECTOR_DATA / 8] = UINT64_C(0x00cf93000000ffff);
    cpu->gdt[SELECTOR_TSS / 8] = (sizeof(cpu->tss) - 1) |
                                 (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
                                 (tss >> 24 & 0xff) << 56;
    cpu->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
    cpu->tss.ist[0] = (uintptr_t)(cpu->fault_stack + FAULT_STACK_SIZE);
    cpu->tss.io_map = sizeof(cpu->tss);
    __asm__ volatile("lgdt %0" : : "m"(gdtr));
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
    cpu->self = cpu;
    wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
}

void cpu_start_boot(void)
{
    load(&cpus[0]);
    count = 1;
    cpus[0].up = true;
}

unsigned int cpu_count(void)
{
    return count;
}

unsigned int cpu_self(void)
{
    return self()->number;
}

static struct cpu *cpu_at(unsigned int number)
{
    if (number >= count)
        panic("there is no CPU %u", number);
    return &cpus[number];
}

uint32_t cpu_apic_id(unsigned int cpu)
{
    return cpu_at(cpu)->apic_id;
}

uint64_t cpu_tss(unsigned int cpu)
{
    return (uintptr_t)&cpu_at(cpu)->tss;
}

uint64_t cpu_gdt(unsigned int cpu)
{
    return (uintptr_t)cpu_at(cpu)->gdt;
}

void cpu_count_trap(uint8_t vector)
{
    uint32_t *const n = &self()->traps[vector];

    /* Read by other CPUs, written by this one alone. */
    __atomic_store_n(n, *n + 1, __ATOMIC_RELEASE);
}

uint32_t trap_count(unsigned int cpu, uint8_t vector)
{
    return __atomic_load_n(&cpu_at(cpu)->traps[vector], __ATOMIC_ACQUIRE);
}

/* Where every processor but the first begins in C, on its own stack. */
void cpu_main(void)
{
    struct cpu *const cpu = &cpus[count];

    load(cpu);
    trap_load();
    apic_start(apic_mode());
    cpu->apic_id = apic_id();
    __atomic_store_n(&cpu->up, true, __ATOMIC_RELEASE);
    for (;;) {
        interrupts_off();
        if (!__atomic_load_n(&cpu->busy, __ATOMIC_ACQUIRE)) {
            /* Nothing arrives between the two. */
            __asm__ volatile("sti; hlt" : : : "memory");
            continue;
        }
        interrupts_on();
        cpu->fn(cpu->arg);
        __atomic_store_n(&cpu->busy, false, __ATOMIC_RELEASE);
    }
}

static bool is_up(void *arg)
{
    const struct cpu *cpu = arg;

    return __atomic_load_n(&cpu->up, __ATOMIC_ACQUIRE);
}

static void delay_us(uint64_t us)
{
    const uint64_t start = now_us();

    while (now_us() - start < us)
        pause();
}

static void start_one(uint32_t id)
{
    struct cpu *cpu;

    if (count == CPU_MAX)
        panic("more than %u processors", CPU_MAX);
    cpu = &cpus[count];
    cpu->number = count;
    ap_stack = cpu->stack + STACK_SIZE;
    apic_init_ipi(id);
    delay_us(10000);
    apic_startup_ipi(id, TRAMPOLINE_PAGE);
    if (!wait_until(is_up, cpu))
        panic("the processor with APIC id %u does not come up", id);
    if (cpu->apic_id != id)
        panic("APIC id %u came up as %u", id, cpu->apic_id);
    count++;
}

void cpus_start(void)
{
    /* An address below 4096 pages is no object to the compiler. */
    void *page = (void *)TRAMPOLINE;

    __asm__("" : "+r"(page));
    memcpy(page, trampoline, (size_t)(trampoline_end - trampoline));
    cpus[0].apic_id = apic_id();
    trap_handle(VECTOR_WORK, trap_count_only, NULL);

    for (const uint8_t *e = acpi_madt_next(NULL); e != NULL;
         e = acpi_madt_next(e)) {
        uint32_t id;
        uint32_t flags;

        if (e[0] == MADT_LOCAL_APIC) {
            id = e[3];
            flags = acpi_u32(e + 4);
        } else if (e[0] == MADT_LOCAL_X2APIC) {
            id = acpi_u32(e + 4);
            flags = acpi_u32(e + 8);
        } else {
            continue;
        }
        if ((flags & MADT_ENABLED) != 0 && id != cpus[0].apic_id)
            start_one(id);
    }
}

void cpu_run(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
    struct cpu *const other = cpu_at(cpu);

    if (cpu == cpu_self() || __atomic_load_n(&other->busy, __ATOMIC_ACQUIRE))
        panic("CPU %u is not idle", cpu);
    other->fn = fn;
    other->arg = arg;
    __atomic_store_n(&other->busy, true, __ATOMIC_RELEASE);
    apic_ipi(other->apic_id, VECTOR_WORK);
}

static bool is_idle(void *arg)
{
    const struct cpu *cpu = arg;

    return !__atomic_load_n(&cpu->busy, __ATOMIC_ACQUIRE);
}

bool cpu_wait(unsigned int cpu)
{
    return wait_until(is_idle, cpu_at(cpu));
}
