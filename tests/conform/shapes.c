/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine of vtdpi-conform with phases of its own, in the place of the real ones:
 * accesses of every shape, stores to watched memory, drivers that hang or die. A phase
 * whose name begins with "bad" has to fail, with its rule in what is found; engine.py
 * sees to that. The driver does nothing; the phases are the driver.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conform.h"
#include "library.h"

enum {
    RTADDR = 0x20, /* 64 bits */
    GSTS = 0x1c,   /* read-only */
    FSTS = 0x34,
    FEDATA = 0x3c, /* 32 bits */
    FEADDR = 0x40,
    PHMBASE = 0x70, /* two of 64 bits, which keep what is written */
    PHMLIMIT = 0x78,
};

#define REGISTER(off) ((void *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + (off)))

static int (*init_calls)(void); /* NULL: init does nothing */

static void expect(uint64_t is, uint64_t wanted, const char *what)
{
    if (is != wanted)
        find(VTDPI_MODEL_ROBUSTNESS, "%s is %#llx, not %#llx", what,
             (unsigned long long)is, (unsigned long long)wanted);
}

static uint64_t peek(uint32_t off)
{
    return vtdpi_model_peek(&model, off);
}

static void begin(void)
{
    power_up(&(struct hardware){0});
    (void)call_init();
}

/*
 * Registers.
 */

static void good_moves(void)
{
    volatile uint64_t *const wide = REGISTER(RTADDR);
    volatile uint32_t *const narrow = REGISTER(FEDATA);

    begin();
    *wide = UINT64_C(0x123456789000);
    expect(peek(RTADDR), UINT64_C(0x123456789000), "RTADDR");
    expect(*wide, UINT64_C(0x123456789000), "RTADDR read");
    *narrow = 0x77;
    expect(peek(FEDATA), 0x77, "FEDATA");
    expect(*narrow, 0x77, "FEDATA read");
}

static void good_vectors(void)
{
    const uint64_t in[2] = {0x1111000, 0x2222000};
    uint64_t out[2];
    uint64_t half;

    begin();
    __asm__ volatile("movdqu %1, %%xmm0\n\tmovdqu %%xmm0, (%0)"
                     :
                     : "r"(REGISTER(PHMBASE)), "m"(in)
                     : "xmm0", "memory");
    expect(peek(PHMBASE), in[0], "PHMBASE");
    expect(peek(PHMLIMIT), in[1], "PHMLIMIT");
    __asm__ volatile("movdqu (%1), %%xmm1\n\tmovdqu %%xmm1, %0"
                     : "=m"(out)
                     : "r"(REGISTER(PHMBASE))
                     : "xmm1");
    expect(out[0], in[0], "16 bytes read, low");
    expect(out[1], in[1], "16 bytes read, high");
    __asm__ volatile("movq (%1), %%xmm1\n\tmovq %%xmm1, %0"
                     : "=m"(half)
                     : "r"(REGISTER(PHMLIMIT))
                     : "xmm1");
    expect(half, in[1], "8 bytes read");
}

static void good_changes(void)
{
    uint32_t value = 0xf0;

    begin();
    *(volatile uint32_t *)REGISTER(FEDATA) = 0x0f;
    __asm__ volatile("lock orl %1, (%0)"
                     :
                     : "r"(REGISTER(FEDATA)), "r"(value)
                     : "memory");
    expect(peek(FEDATA), 0xff, "or");
    __asm__ volatile("andl $0x3c, (%0)" : : "r"(REGISTER(FEDATA)) : "memory");
    expect(peek(FEDATA), 0x3c, "and");
    __asm__ volatile("xchgl %0, (%1)"
                     : "+r"(value)
                     : "r"(REGISTER(FEDATA))
                     : "memory");
    expect(value, 0x3c, "exchanged, old");
    expect(peek(FEDATA), 0xf0, "exchanged, new");
    __asm__ volatile("btsl $0, (%0)" : : "r"(REGISTER(FEDATA)) : "memory");
    expect(peek(FEDATA), 0xf1, "bit set");
    __asm__ volatile("incl (%0)" : : "r"(REGISTER(FEDATA)) : "memory");
    expect(peek(FEDATA), 0xf2, "increment");
}

static void good_tests(void)
{
    bool equal;

    begin();
    *(volatile uint32_t *)REGISTER(FEDATA) = 0x55;
    __asm__ volatile("cmpl $0x55, (%1)\n\tsete %0"
                     : "=q"(equal)
                     : "r"(REGISTER(FEDATA)));
    expect(equal, true, "compared");
    __asm__ volatile("testl $0xaa, (%1)\n\tsete %0"
                     : "=q"(equal)
                     : "r"(REGISTER(FEDATA)));
    expect(equal, true, "tested");
    expect(peek(FEDATA), 0x55, "FEDATA afterwards");
    /* None of these writes: the register is read-only. */
    __asm__ volatile("testl %0, (%1)\n\tbtl $3, (%1)\n\tcmpl %0, (%1)"
                     :
                     : "r"(1), "r"(REGISTER(GSTS))
                     : "cc");
}

static void good_strings(void)
{
    uint32_t in[2] = {0xfee00000, 0x5};
    uint32_t out[2] = {0};
    void *to = REGISTER(FEADDR);
    const void *from = in;
    unsigned long count = 2;

    begin();
    __asm__ volatile("rep movsl"
                     : "+D"(to), "+S"(from), "+c"(count)
                     :
                     : "memory");
    expect(peek(FEADDR), in[0], "FEADDR");
    expect(peek(FEADDR + 4), in[1], "FEUADDR");
    to = out;
    from = REGISTER(FEADDR);
    count = 2;
    __asm__ volatile("rep movsl"
                     : "+D"(to), "+S"(from), "+c"(count)
                     :
                     : "memory");
    expect(out[0], in[0], "copied");
    expect(out[1], in[1], "copied, second");
}

static void good_stack(void)
{
    uint64_t value;

    begin();
    *(volatile uint64_t *)REGISTER(RTADDR) = 0x5000;
    __asm__ volatile("pushq (%1)\n\tpopq %0"
                     : "=r"(value)
                     : "r"(REGISTER(RTADDR))
                     : "memory");
    expect(value, 0x5000, "pushed");
}

static void good_callbacks(void)
{
    begin();
    vtdpi_conform_write64(RTADDR, 0x6000);
    expect(vtdpi_conform_read64(RTADDR), 0x6000, "RTADDR");
    vtdpi_conform_write32(FEDATA, 0x66);
    expect(vtdpi_conform_read32(FEDATA), 0x66, "FEDATA");
}

/* An access of the wrong width is answered. */
static void bad_width(void)
{
    uint32_t out;

    begin();
    *(volatile uint32_t *)REGISTER(FEDATA) = 0x12345678;
    __asm__ volatile("movzbl 1(%1), %0" : "=r"(out) : "r"(REGISTER(FEDATA)));
    expect(out, 0x56, "a byte");
    __asm__ volatile("movw %w1, 2(%0)"
                     :
                     : "r"(REGISTER(FEDATA)), "r"(0xabcd)
                     : "memory");
    expect(peek(FEDATA), 0xabcd5678, "FEDATA");
}

static void bad_end_of_page(void)
{
    begin();
    (void)*(volatile uint64_t *)REGISTER(0xffc);
}

static void bad_call(void)
{
    begin();
    ((void (*)(void))(uintptr_t)VTDPI_CONFORM_REGISTERS)();
}

/*
 * Watched memory.
 */

static _Alignas(4096) uint64_t table[512];
static volatile unsigned int stores;

static void count_store(void)
{
    stores++;
}

static void watch(void)
{
    begin();
    vtdpi_model_write64(&model, 0xb8, (uintptr_t)table | 3); /* 16 entries */
    vtdpi_model_write32(&model, 0x18, 1u << 24);
    if (!watch_table(count_store))
        find(VTDPI_MODEL_ROBUSTNESS, "the table is not watched");
}

static void good_watch(void)
{
    volatile uint64_t *const t = table;

    watch();
    t[0] = 1;
    t[1] = 2;
    t[31] = 3;
    expect(stores, 3, "stores");
    t[32] = 4; /* behind the table, in the same page */
    expect(stores, 3, "stores to the table");
    expect(t[0] + t[1] + t[31] + t[32], 10, "what was stored");
    (void)watch_table(NULL);
    t[0] = 5;
    expect(stores, 3, "stores that are watched");
}

/* What is found of a store when the driver has returned. */
static struct trace kept;

static void keep_trace(void)
{
    trace_take(&kept);
}

__attribute__((__noinline__)) static void store_one(void)
{
    *(volatile uint64_t *)table = 1;
}

__attribute__((__noinline__)) static int store_by_another(void)
{
    store_one();
    stores = 0;
    return 0;
}

static void bad_trace(void)
{
    watch();
    (void)watch_table(keep_trace);
    init_calls = store_by_another;
    (void)call_init();
    (void)watch_table(NULL);
    find_trace(&kept, VTDPI_MODEL_INTERRUPT, "stored");
}

/* A thread reads a register while the store of another is looked at. */
static volatile bool another_reads;

static void *read_register(void *argument)
{
    while (!another_reads)
        ;
    (void)*(volatile uint32_t *)REGISTER(GSTS);
    return argument;
}

static void wait_for_another(void)
{
    another_reads = true;
    sleep(60);
}

static void skipped_threads(void)
{
    pthread_t thread;

    watch();
    (void)watch_table(wait_for_another);
    (void)pthread_create(&thread, NULL, read_register, NULL);
    *(volatile uint64_t *)table = 1;
}

/* Two entries in one store; and a store that begins in the table, and ends behind. */
static void good_wide_stores(void)
{
    uint8_t *const t = (uint8_t *)table;

    watch();
    __asm__ volatile("movdqu %%xmm0, (%0)" : : "r"(t + 8) : "memory");
    expect(stores, 2, "entries in a store across two");
    __asm__ volatile("movdqu %%xmm0, (%0)" : : "r"(t + 15 * 16 + 8) : "memory");
    expect(stores, 3, "entries in a store across the end");
}

/* A status word of the queue beside the table: the unit's store is no driver's. */
static void good_unit_stores(void)
{
    static _Alignas(4096) uint64_t ring[512];

    watch();
    ring[0] = 0x25 | UINT64_C(7) << 32;
    ring[1] = (uintptr_t)&table[40];
    *(volatile uint64_t *)REGISTER(0x88) = 0;
    *(volatile uint64_t *)REGISTER(0x90) = (uintptr_t)ring;
    *(volatile uint32_t *)REGISTER(0x18) = 1u << 26;
    *(volatile uint64_t *)REGISTER(0x88) = 16;
    expect(table[40], 7, "the status word");
    expect(stores, 0, "stores to the table");
}

/*
 * Ends.
 */

__attribute__((__noinline__)) static int spin_on_register(void)
{
    while ((*(volatile uint32_t *)REGISTER(FSTS) & 1) == 0)
        ;
    return 0;
}

static void bad_wait(void)
{
    begin();
    (void)spin_on_register();
}

static void bad_pause(void)
{
    begin();
    for (;;)
        vtdpi_conform_pause();
}

static void good_long_deadline(void)
{
    uint64_t start;

    begin();
    start = vtdpi_conform_now_us();
    while (vtdpi_conform_now_us() - start < 60 * UINT64_C(1000000))
        vtdpi_conform_pause();
}

static volatile uintptr_t nowhere = 64;

static void bad_crash(void)
{
    begin();
    *(volatile uint32_t *)nowhere = 1;
}

static int call_abort(void)
{
    abort();
}

static void bad_abort(void)
{
    begin();
    init_calls = call_abort;
    (void)call_init();
}

static void bad_exit(void)
{
    begin();
    exit(3);
}

static void bad_quiet_exit(void)
{
    begin();
    _exit(0);
}

static int deep(volatile char *above, unsigned int depth)
{
    volatile char bytes[4096];

    bytes[0] = *above;
    return depth == 0 ? 0 : deep(bytes, depth - 1) + bytes[0];
}

static void bad_stack(void)
{
    volatile char first = 0;

    begin();
    (void)deep(&first, 1u << 30);
}

/* Nothing that the driver does is seen, and no alarm comes. */
static void block_and_spin(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;)
        ;
}

static void bad_alarm(void)
{
    begin();
    block_and_spin();
}

/* Of two parts that hang, one is waited for. */
static void bad_alarm_apart(void)
{
    begin();
    (void)apart(block_and_spin);
    (void)apart(block_and_spin);
}

static void crash_apart(void)
{
    *(volatile uint32_t *)nowhere = 1;
}

static void bad_apart(void)
{
    begin();
    (void)apart(crash_apart);
}

static void skip_apart(void)
{
    skip("nothing to say");
}

/* One part that says nothing is no reason to skip the phase, and all parts are. */
/* Both parts come to the same line: one finding. */
static void bad_twice(void)
{
    (void)apart(bad_crash);
    (void)apart(bad_crash);
}

static void good_skip_apart(void)
{
    if (apart(skip_apart) || !apart(begin))
        find(VTDPI_MODEL_ROBUSTNESS, "parts are not told apart");
}

static void skipped_apart(void)
{
    (void)apart(skip_apart);
    (void)apart(skip_apart);
}

static void skipped(void)
{
    begin();
    skip("because of this");
}

/* The unit writes 7 to the word, after that many ticks. */
static void wait_late(volatile uint32_t *word, uint32_t ticks)
{
    static _Alignas(4096) uint64_t ring[512];

    ring[0] = 0x25 | UINT64_C(7) << 32;
    ring[1] = (uintptr_t)word;
    vtdpi_model_write64(&model, 0x90, (uintptr_t)ring);
    vtdpi_model_write32(&model, 0x18, 1u << 26);
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_STATUS_LATE, ticks);
    vtdpi_model_write64(&model, 0x88, 16);
}

__attribute__((__noinline__)) static void status_dead(void)
{
    volatile uint32_t word;

    wait_late(&word, 5);
}

static void bad_dead_stack(void)
{
    begin();
    status_dead();
    stack_is_dead();
    vtdpi_model_tick(&model, 10);
}

/* The driver of these waits in memory, and does nothing by which time passes. */
static volatile uint32_t late_word;

static int spin_on_memory(void)
{
    while (late_word != 7)
        ;
    return 0;
}

static void good_spin(void)
{
    begin();
    wait_late(&late_word, 50);
    init_calls = spin_on_memory;
    (void)call_init();
    expect(late_word, 7, "the status word");
}

static void spin_apart(void)
{
    begin();
    init_calls = spin_on_memory;
    (void)call_init();
}

static void bad_spin(void)
{
    (void)apart(spin_apart);
    (void)apart(spin_apart);
}

/* A name as C++ and Rust make them: longer than the report has room for. */
#define TIMES_8(x) x##x##x##x##x##x##x##x
#define LONG_NAME  TIMES_8(a_name_of_twenty_chr)

__attribute__((__noinline__)) static int LONG_NAME(void)
{
    return *(volatile uint16_t *)REGISTER(GSTS) & 1;
}

static void bad_long_name(void)
{
    begin();
    init_calls = LONG_NAME;
    (void)call_init();
}

/* A function that is inlined, what that is inlined into, and who calls that. */
__attribute__((__always_inline__)) static inline int access_narrow(void)
{
    return *(volatile uint16_t *)REGISTER(GSTS);
}

static volatile int narrow_sum;

__attribute__((__noinline__)) static void use_access(void)
{
    narrow_sum += access_narrow();
}

__attribute__((__noinline__)) static int use_twice(void)
{
    use_access();
    use_access();
    narrow_sum = 0;
    return 0;
}

static void bad_callers(void)
{
    begin();
    init_calls = use_twice;
    (void)call_init();
}

/* The line of a library is not the driver's. */
static int use_library(void)
{
    return library_read(VTDPI_CONFORM_REGISTERS + GSTS) & 1;
}

static void bad_library(void)
{
    begin();
    init_calls = use_library;
    (void)call_init();
}

#define ALL (~UINT64_C(0))
#define GOOD(function)                       \
    {                                        \
#function, "?", "", ALL, 0, function \
    }
#define BAD(function, found)                    \
    {                                           \
#function, "?", found, ALL, 0, function \
    }

const struct phase phases[] = {
    GOOD(good_moves),
    GOOD(good_vectors),
    GOOD(good_changes),
    GOOD(good_tests),
    GOOD(good_strings),
    GOOD(good_stack),
    GOOD(good_callbacks),
    BAD(bad_width, "wrong width"),
    BAD(bad_end_of_page, "beyond the page"),
    BAD(bad_call, "jumps"),
    GOOD(good_watch),
    BAD(bad_trace, "stored"),
    GOOD(good_wide_stores),
    GOOD(good_unit_stores),
    BAD(bad_wait, "waits for ever"),
    BAD(bad_pause, "waits for ever"),
    GOOD(good_long_deadline),
    BAD(bad_crash, "0x40, where it has no memory"),
    BAD(bad_abort, "aborts"),
    BAD(bad_exit, "status 3"),
    BAD(bad_quiet_exit, "status 0"),
    BAD(bad_stack, "crashes"),
    BAD(bad_alarm, "keeps the alarm away"),
    BAD(bad_alarm_apart, "keeps the alarm away"),
    BAD(bad_apart, "crashes"),
    BAD(bad_twice, "crashes"),
    GOOD(good_skip_apart),
    BAD(bad_dead_stack, "has died"),
    BAD(bad_long_name, "wrong width"),
    BAD(bad_callers, "wrong width"),
    BAD(bad_library, "wrong width"),
    GOOD(good_spin),
    BAD(bad_spin, "no access"),
    {"skipped", "?", "because of this", 0, 0, skipped},
    {"skipped_threads", "?",
     "two threads of the driver reach registers or the table at once", 0, 0,
     skipped_threads},
    {"skipped_apart", "?", "nothing to say", 0, 0, skipped_apart},
};
const unsigned int phase_count = sizeof(phases) / sizeof(phases[0]);

static int init(void)
{
    return init_calls != NULL ? init_calls() : 0;
}

static int map(uint16_t sid, uint8_t vector, uint32_t apic_id,
               struct vtdpi_conform_message *out)
{
    (void)sid;
    (void)vector;
    (void)apic_id;
    (void)out;
    return 0;
}

int main(int argc, char **argv)
{
    static struct vtdpi_conform_driver idle = {
        .name = "the engine",
        .init = init,
        .map = map,
    };

    if (argc > 1 && strcmp(argv[1], "--unfit") == 0) {
        idle.map = NULL;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return vtdpi_conform_main(argc, argv, &idle);
}
