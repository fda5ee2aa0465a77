/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PVH dom0 of two vCPUs that halts, is woken and is interrupted, and counts what
 * it gets. Every interrupt is one that Xen posts: a timer's, or one vCPU's to the
 * other. The verdict is printed; then Xen is asked for its counters.
 */
#include <stdbool.h>
#include <stdint.h>

#define TIMERS          200
#define HALTED          300
#define RUNNING         300

#define VECTOR_TIMER    0x41
#define VECTOR_HALTED   0x52
#define VECTOR_RUNNING  0x63

#define MSR_APIC_BASE   0x1b
#define APIC_X2APIC     0xc00
#define MSR_EOI         0x80b
#define MSR_SVR         0x80f
#define MSR_ICR         0x830
#define MSR_TIMER       0x832
#define MSR_TIMER_COUNT 0x838
#define MSR_TIMER_SCALE 0x83e

#define ICR_OTHERS      (3u << 18)
#define ICR_INIT        0x4500u
#define ICR_STARTUP     0x4600u

#define MSR_HYPERCALLS  0x40000000
#define DO_SCHED_OP     29
#define DO_SYSCTL       35
#define SCHED_SHUTDOWN  2
#define SYSCTL_VERSION  0x15
#define SYSCTL_KEYS     7

#define TRAMPOLINE      0x8000u
#define PATIENCE        20000000000ull /* ticks of the time stamp counter */

extern uint8_t hypercalls[], trampoline[], trampoline_end[];
extern void interrupt_0(void), interrupt_1(void), interrupt_2(void);
extern void exception(void);
void guest_main(void);
void guest_second(void);
void guest_interrupt(unsigned int which);
void guest_exception(uint64_t at, uint64_t more);

static uint32_t count[3];
static uint32_t second_up;
static uint32_t second_halts; /* how often it is about to */
static uint32_t second_stays; /* it is to stay awake */

struct gate {
    uint16_t low, selector, type, middle;
    uint32_t high, zero;
};
static struct gate idt[256];

static uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory");
}

static uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}

/* To Xen's console; it prints what ends with a newline. */
static void print(const char *text)
{
    for (; *text != '\0'; text++)
        __asm__ volatile("outb %%al, %%dx" : : "a"(*text), "d"(0xe9));
}

static void print_number(const char *name, uint64_t n)
{
    char digits[24];
    unsigned int at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    print(name);
    print(" ");
    print(&digits[at]);
}

static uint64_t hypercall(unsigned int nr, uint64_t a, void *b)
{
    register uint64_t rdi __asm__("rdi") = a;
    register void *rsi __asm__("rsi") = b;
    uint64_t rc;

    __asm__ volatile("call *%1"
                     : "=a"(rc)
                     : "r"(hypercalls + 32 * nr), "r"(rdi), "r"(rsi)
                     : "memory", "rcx", "r11", "rdx", "r8", "r9", "r10");
    return rc;
}

static void shut_down(void)
{
    uint32_t reason = 0; /* poweroff */

    (void)hypercall(DO_SCHED_OP, SCHED_SHUTDOWN, &reason);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void press(char key)
{
    struct {
        uint32_t command, version;
        uint64_t keys;
        uint32_t nr_keys;
        uint8_t rest[128];
    } op = {SYSCTL_KEYS, SYSCTL_VERSION, (uint64_t)&key, 1, {0}};

    (void)hypercall(DO_SYSCTL, (uint64_t)&op, 0);
}

void guest_exception(uint64_t at, uint64_t more)
{
    print_number("guest: exception at", at);
    print_number(" or", more);
    print("\nguest: done\n");
    shut_down();
}

void guest_interrupt(unsigned int which)
{
    __atomic_add_fetch(&count[which], 1, __ATOMIC_SEQ_CST);
    wrmsr(MSR_EOI, 0);
}

static uint32_t counted(unsigned int which)
{
    return __atomic_load_n(&count[which], __ATOMIC_SEQ_CST);
}

static void gate_set(unsigned int vector, void (*handler)(void))
{
    const uint64_t at = (uint64_t)handler;

    idt[vector] =
        (struct gate){(uint16_t)at,         0x08, 0x8e00, (uint16_t)(at >> 16),
                      (uint32_t)(at >> 32), 0};
}

static void apic_on(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((__packed__)) pointer = {sizeof(idt) - 1, (uint64_t)idt};

    __asm__ volatile("lidt %0" : : "m"(pointer));
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_X2APIC);
    wrmsr(MSR_SVR, 0x1ff);
}

/* Whether a counter gets to n in time. */
static bool comes_to(const uint32_t *at, uint32_t n)
{
    const uint64_t start = rdtsc();

    while (__atomic_load_n(at, __ATOMIC_SEQ_CST) < n) {
        if (rdtsc() - start > PATIENCE)
            return false;
        __asm__ volatile("pause");
    }
    return true;
}

/* One look, and a halt that the interrupt ends: sti covers the halt. */
static void halt_once(unsigned int which, uint32_t until)
{
    __asm__ volatile("cli" : : : "memory");
    if (counted(which) < until)
        __asm__ volatile("sti; hlt; nop; nop" : : : "memory");
    __asm__ volatile("sti; nop" : : : "memory");
}

/* Halt for a timer, of another length each time. */
static void timers(void)
{
    wrmsr(MSR_TIMER_SCALE, 0xb); /* by 1 */
    wrmsr(MSR_TIMER, VECTOR_TIMER);
    for (uint32_t i = 1; i <= TIMERS; i++) {
        wrmsr(MSR_TIMER_COUNT, 20000 + i * 977 % 30000);
        while (counted(0) < i)
            halt_once(0, i);
    }
}

void guest_second(void)
{
    apic_on();
    __atomic_store_n(&second_up, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&second_stays, __ATOMIC_SEQ_CST) == 0) {
        const uint32_t next = counted(1) + 1;

        __atomic_store_n(&second_halts, next, __ATOMIC_SEQ_CST);
        halt_once(1, next);
    }
    __asm__ volatile("sti");
    for (;;)
        __asm__ volatile("pause");
}

/* Interrupt the other vCPU, which has said that it halts. */
static uint32_t to_halted(void)
{
    for (uint32_t i = 1; i <= HALTED; i++) {
        if (!comes_to(&second_halts, i))
            return i - 1;
        /* Once close behind its look, once when it sleeps. */
        for (uint32_t spin = i % 2 * 4000; spin != 0; spin--)
            __asm__ volatile("pause");
        if (i == HALTED)
            __atomic_store_n(&second_stays, 1, __ATOMIC_SEQ_CST);
        wrmsr(MSR_ICR, ICR_OTHERS | VECTOR_HALTED);
        if (!comes_to(&count[1], i))
            return i - 1;
    }
    return HALTED;
}

static uint32_t to_running(void)
{
    for (uint32_t i = 1; i <= RUNNING; i++) {
        wrmsr(MSR_ICR, ICR_OTHERS | VECTOR_RUNNING);
        if (!comes_to(&count[2], i))
            return i - 1;
    }
    return RUNNING;
}

static void start_second(void)
{
    uint8_t *to = (uint8_t *)(uintptr_t)TRAMPOLINE;

    for (const uint8_t *from = trampoline; from != trampoline_end; from++)
        *to++ = *from;
    wrmsr(MSR_ICR, ICR_OTHERS | ICR_INIT);
    wrmsr(MSR_ICR, ICR_OTHERS | ICR_STARTUP | TRAMPOLINE >> 12);
    if (!comes_to(&second_up, 1))
        print("guest: the second vCPU does not come\n");
}

void guest_main(void)
{
    uint32_t halted, running;

    wrmsr(MSR_HYPERCALLS, (uint64_t)hypercalls);
    for (unsigned int vector = 0; vector < 32; vector++)
        gate_set(vector, exception);
    gate_set(VECTOR_TIMER, interrupt_0);
    gate_set(VECTOR_HALTED, interrupt_1);
    gate_set(VECTOR_RUNNING, interrupt_2);
    apic_on();
    print("guest: start\n");
    timers();
    start_second();
    halted = to_halted();
    running = to_running();
    press('y');
    print_number("guest: timers", counted(0));
    print_number(" of", TIMERS);
    print_number("; to halted", halted);
    print_number(" of", HALTED);
    print_number("; to running", running);
    print_number(" of", RUNNING);
    print_number("; taken", counted(0) + counted(1) + counted(2));
    print("\nguest: done\n");
    shut_down();
}
