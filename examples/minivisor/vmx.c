/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * VT-x: what a VMCS holds, for a guest that shares the host's address space
 * (no extended page tables). Controls that posting needs are set in controls()
 * and in vmx_init(); those that are set because the processor insists come from
 * its capability registers.
 */

#include "vmx.h"

#include "minivisor.h"

#define MSR_FEATURE_CONTROL     0x3au
#define MSR_VMX_BASIC           0x480u
#define MSR_VMX_PIN             0x481u
#define MSR_VMX_PROCESSOR       0x482u
#define MSR_VMX_EXIT            0x483u
#define MSR_VMX_ENTRY           0x484u
#define MSR_VMX_MISC            0x485u
#define MSR_VMX_CR0_FIXED0      0x486u
#define MSR_VMX_CR4_FIXED0      0x488u
#define MSR_VMX_SECONDARY       0x48bu

/* Pin-based: ANV is recognised only where external interrupts exit. */
#define PIN_EXTERNAL_INTERRUPT  (1u << 0)
#define PIN_PREEMPTION_TIMER    (1u << 6)
#define PIN_POSTED_INTERRUPTS   (1u << 7)

#define CPU_HLT                 (1u << 7)
#define CPU_TPR_SHADOW          (1u << 21)
#define CPU_MSR_BITMAPS         (1u << 28)
#define CPU_SECONDARY           (1u << 31)

#define SECONDARY_X2APIC        (1u << 4)
#define SECONDARY_APIC_REGISTER (1u << 8)
#define SECONDARY_DELIVERY      (1u << 9)

/* Acknowledge on exit: posted-interrupt processing needs it. */
#define EXIT_HOST_64            (1u << 9)
#define EXIT_ACKNOWLEDGE        (1u << 15)
#define EXIT_SAVE_EFER          (1u << 20)
#define EXIT_LOAD_EFER          (1u << 21)

#define ENTRY_GUEST_64          (1u << 9)
#define ENTRY_LOAD_EFER         (1u << 15)

/* Fields, the rest of them. */
enum {
    POSTED_VECTOR = 0x0002,
    GUEST_SELECTORS = 0x0800, /* ES CS SS DS FS GS LDTR TR, two apart */
    HOST_SELECTORS = 0x0c00,  /* ES CS SS DS FS GS TR */
    MSR_BITMAP = 0x2004,
    VIRTUAL_APIC = 0x2012,
    POSTED_DESCRIPTOR = 0x2016,
    EOI_EXIT_BITMAP = 0x201c, /* four, two apart */
    LINK_POINTER = 0x2800,
    GUEST_EFER = 0x2806,
    HOST_EFER = 0x2c02,
    PIN_CONTROLS = 0x4000,
    CPU_CONTROLS = 0x4002,
    EXCEPTION_BITMAP = 0x4004,
    EXIT_CONTROLS = 0x400c,
    ENTRY_CONTROLS = 0x4012,
    TPR_THRESHOLD = 0x401c,
    SECONDARY_CONTROLS = 0x401e,
    GUEST_LIMITS = 0x4800, /* as the selectors, then GDTR and IDTR */
    GUEST_RIGHTS = 0x4814, /* as the selectors */
    PREEMPTION_TIMER = 0x482e,
    GUEST_CR0 = 0x6800,
    GUEST_CR3 = 0x6802,
    GUEST_CR4 = 0x6804,
    GUEST_BASES = 0x6806, /* as the limits */
    GUEST_DR7 = 0x681a,
    GUEST_RSP = 0x681c,
    GUEST_RFLAGS = 0x6820,
    HOST_CR0 = 0x6c00,
    HOST_CR3 = 0x6c02,
    HOST_CR4 = 0x6c04,
    HOST_GS_BASE = 0x6c08,
    HOST_TR_BASE = 0x6c0a,
    HOST_GDTR_BASE = 0x6c0c,
    HOST_IDTR_BASE = 0x6c0e,
    HOST_RIP = 0x6c16,
};

/* Segments, in the order of their fields. */
enum {
    ES,
    CS,
    SS,
    DS,
    FS,
    GS,
    LDTR,
    TR,
    GDTR,
    IDTR,
    SEGMENTS
};

#define RIGHTS_CODE64   0xa09bu
#define RIGHTS_DATA     0xc093u
#define RIGHTS_TSS      0x008bu
#define RIGHTS_UNUSABLE 0x10000u

/* x2APIC registers that the processor virtualises, so that the guest's access
 * does not exit: RDMSR of the id; WRMSR of TPR, EOI. All other MSRs exit. */
#define X2APIC_ID       0x802u
#define X2APIC_TPR      0x808u
#define X2APIC_EOI      0x80bu

#define VMXE            (UINT64_C(1) << 13) /* of CR4 */

uint64_t vmx_enter(struct vmx_registers *r, uint64_t resume);
void vmx_exit(void);

/* One bitmap serves all vCPUs: 1024 bytes each for reads of MSRs 0 to 1fffh,
 * reads of C0000000h and up, and the writes of both. */
static _Alignas(PAGE) uint8_t msr_bitmap[PAGE];

/* A region for VMXON per CPU. */
static _Alignas(PAGE) uint8_t region[CPU_MAX][PAGE];

/* Instructions. CF or ZF says that one failed. */

static bool vmxon(const uint64_t *phys)
{
    bool failed;

    __asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(*phys) : "memory");
    return !failed;
}

static bool vmptrld(const uint64_t *phys)
{
    bool failed;

    __asm__ volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(*phys) : "memory");
    return !failed;
}

static bool vmclear(const uint64_t *phys)
{
    bool failed;

    __asm__ volatile("vmclear %1" : "=@ccbe"(failed) : "m"(*phys) : "memory");
    return !failed;
}

uint64_t vmx_read(uint64_t field)
{
    uint64_t value;
    bool failed;

    __asm__ volatile("vmread %2, %0"
                     : "=r"(value), "=@ccbe"(failed)
                     : "r"(field)
                     : "memory");
    if (failed)
        panic("vmread of field %lx", field);
    return value;
}

void vmx_write(uint64_t field, uint64_t value)
{
    bool failed;

    __asm__ volatile("vmwrite %2, %1"
                     : "=@ccbe"(failed)
                     : "r"(field), "r"(value)
                     : "memory");
    if (failed)
        panic("vmwrite of field %lx", field);
}

static uint64_t cr0(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static uint64_t cr3(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static uint64_t cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

/* On and off. */

static void revision(uint8_t *page)
{
    *(uint32_t *)(void *)page = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;
}

void vmx_on(void)
{
    uint8_t *const page = region[cpu_self()];
    const uint64_t phys = (uintptr_t)page;
    const uint64_t control = rdmsr(MSR_FEATURE_CONTROL);

    if ((cpuid(1, 0).ecx & 1u << 5) == 0)
        panic("this processor has no VMX");
    if ((control & 1) ==
        0) /* not locked by the firmware: lock it with VMX on */
        wrmsr(MSR_FEATURE_CONTROL, control | 5);
    else if ((control & 4) == 0)
        panic("firmware has locked VMX off");
    __asm__ volatile("mov %0, %%cr0"
                     :
                     : "r"(cr0() | rdmsr(MSR_VMX_CR0_FIXED0))
                     : "memory");
    __asm__ volatile("mov %0, %%cr4"
                     :
                     : "r"(cr4() | rdmsr(MSR_VMX_CR4_FIXED0))
                     : "memory");
    revision(page);
    if (!vmxon(&phys))
        panic("VMXON failed on CPU %u", cpu_self());
}

void vmx_off(void)
{
    __asm__ volatile("vmxoff" : : : "cc", "memory");
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4() & ~VMXE) : "memory");
}

/* Fill a VMCS. */

/* Bits that must be 1 are in the low half of a capability register, bits that
 * may be 1 in the high half. */
static void controls(uint64_t field, uint32_t msr, uint32_t wanted,
                     const char *name)
{
    const uint64_t able = rdmsr(msr);

    if ((wanted & ~(uint32_t)(able >> 32)) != 0)
        panic("this processor lacks %s controls %x", name,
              wanted & ~(uint32_t)(able >> 32));
    vmx_write(field, wanted | (uint32_t)able);
}

static void allow_msr(uint32_t msr, bool write)
{
    msr_bitmap[(write ? 2048 : 0) + msr / 8] &= (uint8_t) ~(1u << msr % 8);
}

static void init_controls(void)
{
    for (unsigned int i = 0; i < PAGE; i++)
        msr_bitmap[i] = 0xff;
    allow_msr(X2APIC_ID, false);
    allow_msr(X2APIC_TPR, false);
    allow_msr(X2APIC_TPR, true);
    allow_msr(X2APIC_EOI, true);

    controls(PIN_CONTROLS, MSR_VMX_PIN,
             PIN_EXTERNAL_INTERRUPT | PIN_PREEMPTION_TIMER |
                 PIN_POSTED_INTERRUPTS,
             "pin-based");
    controls(CPU_CONTROLS, MSR_VMX_PROCESSOR,
             CPU_HLT | CPU_TPR_SHADOW | CPU_MSR_BITMAPS | CPU_SECONDARY,
             "processor-based");
    controls(SECONDARY_CONTROLS, MSR_VMX_SECONDARY,
             SECONDARY_X2APIC | SECONDARY_APIC_REGISTER | SECONDARY_DELIVERY,
             "secondary");
    controls(EXIT_CONTROLS, MSR_VMX_EXIT,
             EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT_SAVE_EFER | EXIT_LOAD_EFER,
             "exit");
    controls(ENTRY_CONTROLS, MSR_VMX_ENTRY, ENTRY_GUEST_64 | ENTRY_LOAD_EFER,
             "entry");
    vmx_write(MSR_BITMAP, (uintptr_t)msr_bitmap);
    /* An exception in the guest is an error of this example. */
    vmx_write(EXCEPTION_BITMAP, 0xffffffff);
    vmx_write(LINK_POINTER, UINT64_MAX);
}

static void segment(unsigned int which, uint16_t selector, uint32_t rights)
{
    vmx_write(GUEST_SELECTORS + 2 * which, selector);
    vmx_write(GUEST_RIGHTS + 2 * which, rights);
    vmx_write(GUEST_LIMITS + 2 * which, which == TR ? 0x67 : 0xffffffff);
    vmx_write(GUEST_BASES + 2 * which, which == TR ? cpu_tss(0) : 0);
}

static void init_guest(const struct vmx_start *start)
{
    segment(CS, SELECTOR_CODE, RIGHTS_CODE64);
    segment(SS, SELECTOR_DATA, RIGHTS_DATA);
    segment(DS, SELECTOR_DATA, RIGHTS_DATA);
    segment(ES, SELECTOR_DATA, RIGHTS_DATA);
    segment(FS, SELECTOR_DATA, RIGHTS_DATA);
    segment(GS, SELECTOR_DATA, RIGHTS_DATA);
    segment(LDTR, 0, RIGHTS_UNUSABLE);
    segment(TR, SELECTOR_TSS, RIGHTS_TSS);
    vmx_write(GUEST_LIMITS + 2 * GDTR, 0xffff);
    vmx_write(GUEST_BASES + 2 * GDTR, cpu_gdt(0));
    vmx_write(GUEST_LIMITS + 2 * IDTR, 256 * 16 - 1);
    vmx_write(GUEST_BASES + 2 * IDTR, start->idt);

    vmx_write(GUEST_CR0, cr0());
    vmx_write(GUEST_CR3, cr3());
    vmx_write(GUEST_CR4, cr4());
    vmx_write(GUEST_DR7, 0x400);
    vmx_write(GUEST_EFER, rdmsr(MSR_EFER));
    vmx_write(GUEST_RFLAGS, 2);
    vmx_write(GUEST_RSP, start->rsp);
    vmx_write(VMX_GUEST_RIP, start->rip);
}

/* What is the same on every CPU; vmx_load() adds the rest. */
static void init_host(void)
{
    static const uint16_t selectors[] = {
        SELECTOR_DATA, SELECTOR_CODE, SELECTOR_DATA, SELECTOR_DATA,
        SELECTOR_DATA, SELECTOR_DATA, SELECTOR_TSS,
    };

    for (unsigned int i = 0; i < 7; i++)
        vmx_write(HOST_SELECTORS + 2 * i, selectors[i]);
    vmx_write(HOST_CR0, cr0());
    vmx_write(HOST_CR3, cr3());
    vmx_write(HOST_CR4, cr4());
    vmx_write(HOST_EFER, rdmsr(MSR_EFER));
    vmx_write(HOST_IDTR_BASE, trap_table());
    vmx_write(HOST_RIP, (uintptr_t)vmx_exit);
}

/* What makes this a guest that takes posted interrupts. */
static void init_posting(const struct vmx *x, const struct vmx_posting *posting)
{
    vmx_write(VIRTUAL_APIC, (uintptr_t)x->apic);
    vmx_write(POSTED_DESCRIPTOR, posting->pid);
    vmx_write(POSTED_VECTOR, posting->anv);
    vmx_write(VMX_GUEST_INTERRUPT_STATUS, 0);
    vmx_write(TPR_THRESHOLD, 0);
    for (unsigned int i = 0; i < 4; i++)
        vmx_write(EOI_EXIT_BITMAP + 2 * i, 0); /* no vector's EOI exits */
}

void vmx_init(struct vmx *x, const struct vmx_posting *posting,
              const struct vmx_start *start)
{
    const uint64_t phys = (uintptr_t)x->vmcs;

    revision(x->vmcs);
    x->registers.rdi = start->argument;
    vmx_clear(x);
    if (!vmptrld(&phys))
        panic("VMPTRLD failed");
    init_controls();
    init_guest(start);
    init_host();
    init_posting(x, posting);
    vmx_clear(x);
}

/* Run. */

void vmx_load(struct vmx *x)
{
    const uint64_t phys = (uintptr_t)x->vmcs;

    if (!vmptrld(&phys))
        panic("VMPTRLD failed");
    vmx_write(HOST_GS_BASE, rdmsr(MSR_GS_BASE));
    vmx_write(HOST_TR_BASE, cpu_tss(cpu_self()));
    vmx_write(HOST_GDTR_BASE, cpu_gdt(cpu_self()));
}

void vmx_clear(struct vmx *x)
{
    const uint64_t phys = (uintptr_t)x->vmcs;

    if (!vmclear(&phys))
        panic("VMCLEAR failed");
    x->launched = false;
}

uint32_t vmx_run(struct vmx *x)
{
    if (vmx_enter(&x->registers, x->launched) == 0)
        panic("VM entry failed, instruction error %lu",
              vmx_read(VMX_INSTRUCTION_ERROR));
    x->launched = true;
    return (uint32_t)vmx_read(VMX_EXIT_REASON);
}

void vmx_skip_instruction(void)
{
    vmx_write(VMX_GUEST_RIP,
              vmx_read(VMX_GUEST_RIP) + vmx_read(VMX_EXIT_INSTRUCTION_LENGTH));
    /* The one instruction that STI or MOV SS shadows is the one skipped. */
    vmx_write(VMX_GUEST_INTERRUPTIBILITY,
              vmx_read(VMX_GUEST_INTERRUPTIBILITY) & ~UINT64_C(3));
}

/* The preemption timer counts at the TSC's rate, divided by a power of two. */
void vmx_set_timer(uint32_t tsc_ticks)
{
    vmx_write(PREEMPTION_TIMER, tsc_ticks >> (rdmsr(MSR_VMX_MISC) & 31));
}
