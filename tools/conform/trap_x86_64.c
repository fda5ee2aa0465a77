/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers as an inaccessible page, and memory that tells of stores: Linux on x86-64.
 *
 * An access faults (SIGSEGV). The page is opened, for a read with what the model
 * answers in it, and the instruction runs alone (TF). The trap behind it (SIGTRAP)
 * takes what was written to the model and closes the page. Both handlers may be
 * entered while they run: the model writes to memory that may be watched, too.
 */
#define _GNU_SOURCE
#include <capstone/capstone.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "engine.h"

enum {
    PAGE = 4096,
    INSTRUCTION_MAX = 15,
    ACCESS_MAX = 64, /* bytes: the widest vector */
    SLOTS_MAX = ACCESS_MAX / 16 + 1,
    STACK = 1 << 19, /* of the handlers */
    TF = 0x100,
    ERROR_WRITE = 2, /* of the page fault's error code */
};

/* The access that is being stepped over. */
struct access {
    bool on;
    bool to_registers;
    bool reads;
    bool writes;
    bool cleans; /* CLFLUSH and its siblings */
    unsigned int bytes;
    uintptr_t address;
    uintptr_t where;
    uint64_t before[SLOTS_MAX][2]; /* of the entries that are stored to */
    uint8_t answer[ACCESS_MAX];    /* of the registers that are read */
};

static struct access now;
static uintptr_t stepper; /* the thread whose access that is; 0: none */
static csh capstone;

static struct {
    uintptr_t base;
    size_t bytes;
    void (*stored)(uint32_t index, const uint64_t before[2]);
    void (*cleaned)(uintptr_t address); /* NULL: reads do not trap */
} watched;

static uint8_t *registers(void)
{
    return (uint8_t *)(uintptr_t)VTDPI_CONFORM_REGISTERS;
}

static void protect(void *page, size_t bytes, int protection)
{
    if (mprotect(page, bytes, protection) != 0)
        driver_died("memory cannot be protected", 0);
}

static void protect_watched(int protection)
{
    const uintptr_t first = watched.base & ~(uintptr_t)(PAGE - 1);
    const uintptr_t end =
        (watched.base + watched.bytes + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

    protect((void *)first, end - first, protection);
}

/*
 * Decoding.
 */

/* The operand in memory that the fault is about: of two, as in a string move, the one
 * that goes the way of the fault. */
static const cs_x86_op *operand_find(const cs_x86 *x86, bool write)
{
    const cs_x86_op *found = NULL;

    for (uint8_t i = 0; i < x86->op_count; i++) {
        const cs_x86_op *op = &x86->operands[i];

        if (op->type != X86_OP_MEM)
            continue;
        if (found == NULL || ((op->access & CS_AC_WRITE) != 0) == write)
            found = op;
    }
    return found;
}

static bool instruction_decode(struct access *a, bool write)
{
    cs_insn *instruction;
    const cs_x86_op *op;

    if (cs_disasm(capstone, (const uint8_t *)a->where, INSTRUCTION_MAX,
                  a->where, 1, &instruction) != 1)
        return false;
    a->cleans = instruction->id == X86_INS_CLFLUSH ||
                instruction->id == X86_INS_CLFLUSHOPT ||
                instruction->id == X86_INS_CLWB;
    op = operand_find(&instruction->detail->x86, write);
    if (op != NULL) {
        a->bytes = op->size;
        a->writes = write;
        /* Not all of these are known to read; a plain store is known not to. */
        a->reads = !write || op->access != CS_AC_WRITE;
    }
    cs_free(instruction, 1);
    return op != NULL && a->bytes != 0 && a->bytes <= ACCESS_MAX;
}

/*
 * Registers.
 */

static unsigned int piece(unsigned int left)
{
    return left >= 8 ? 8 : left;
}

static void registers_read(struct access *a)
{
    const uint32_t off = (uint32_t)(a->address - VTDPI_CONFORM_REGISTERS);

    for (unsigned int i = 0; i < a->bytes; i += piece(a->bytes - i)) {
        const uint64_t value =
            unit_read(off + i, piece(a->bytes - i), a->where);

        memcpy(registers() + off + i, &value, piece(a->bytes - i));
    }
    memcpy(a->answer, registers() + off, a->bytes);
}

static void registers_write(const struct access *a)
{
    const uint32_t off = (uint32_t)(a->address - VTDPI_CONFORM_REGISTERS);
    uint8_t bytes[ACCESS_MAX];

    memcpy(bytes, registers() + off, a->bytes);
    protect(registers(), PAGE, PROT_NONE);
    for (unsigned int i = 0; i < a->bytes; i += piece(a->bytes - i)) {
        uint64_t value = 0;

        memcpy(&value, bytes + i, piece(a->bytes - i));
        unit_write(off + i, piece(a->bytes - i), value, a->where);
    }
}

static void registers_open(struct access *a, bool write)
{
    if (!instruction_decode(a, write))
        driver_died("the driver reaches a register by an instruction that the "
                    "harness cannot decode",
                    a->where);
    if (a->address + a->bytes > VTDPI_CONFORM_REGISTERS + PAGE)
        driver_died("the driver reaches beyond the page of registers",
                    a->where);
    protect(registers(), PAGE, PROT_READ | PROT_WRITE);
    if (a->reads)
        registers_read(a);
}

/*
 * Watched memory.
 */

static bool is_watched(uintptr_t address)
{
    return watched.bytes != 0 && address >= (watched.base & -(uintptr_t)PAGE) &&
           address <
               ((watched.base + watched.bytes + PAGE - 1) & -(uintptr_t)PAGE);
}

/* The entries of the table that the store touches, from @p first to before @p end. */
static void entries_of(const struct access *a, uintptr_t *first, uintptr_t *end)
{
    *first = a->address & ~(uintptr_t)15;
    *end = (a->address + a->bytes + 15) & ~(uintptr_t)15;
    if (*first < watched.base)
        *first = watched.base;
    if (*end > watched.base + watched.bytes)
        *end = watched.base + watched.bytes;
}

static void watched_close(void)
{
    protect_watched(watched.cleaned != NULL ? PROT_NONE : PROT_READ);
}

static void watched_open(struct access *a, bool write)
{
    uintptr_t at;
    uintptr_t end;

    if (!instruction_decode(a, write))
        driver_died("the driver reaches the table by an instruction that the "
                    "harness cannot decode",
                    a->where);
    protect_watched(PROT_READ | PROT_WRITE);
    if (a->cleans)
        watched.cleaned(a->address);
    if (!write)
        return;
    entries_of(a, &at, &end);
    for (unsigned int i = 0; at < end; i++, at += 16)
        memcpy(a->before[i], (const void *)at, 16);
}

static void watched_stored(const struct access *a)
{
    uintptr_t at;
    uintptr_t end;

    if (watched.bytes == 0)
        return;
    watched_close();
    if (!a->writes || watched.stored == NULL)
        return;
    was_at(a->where);
    entries_of(a, &at, &end);
    for (unsigned int i = 0; at < end; i++, at += 16)
        watched.stored((uint32_t)((at - watched.base) / 16), a->before[i]);
}

/*
 * Signals.
 */

/* The page is open for one access, and the model is for one thread. */
static void step_begins(void)
{
    const uintptr_t self = (uintptr_t)pthread_self();
    uintptr_t other = 0;

    if (!__atomic_compare_exchange_n(&stepper, &other, self, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
        other != self)
        skip("two threads of the driver reach registers or the table at once");
}

static void step_ends(void)
{
    __atomic_store_n(&stepper, 0, __ATOMIC_SEQ_CST);
}

static _Noreturn void driver_crashes(const struct access *a)
{
    static char how[96];

    (void)snprintf(
        how, sizeof(how),
        "the driver crashes: it reaches %#lx, where it has no memory",
        (unsigned long)a->address);
    driver_died(how, a->where);
}

static void on_segv(int number, siginfo_t *info, void *context)
{
    ucontext_t *const uc = context;
    greg_t *const regs = uc->uc_mcontext.gregs;
    const bool write = (regs[REG_ERR] & ERROR_WRITE) != 0;
    struct access a = {
        .on = true,
        .address = (uintptr_t)info->si_addr,
        .where = (uintptr_t)regs[REG_RIP],
    };

    (void)number;
    if (frames_are_walked())
        driver_died("its stack cannot be read", 0);
    step_begins();
    if (a.where == a.address)
        driver_died("the driver jumps to memory that is no code", a.where);
    if (now.on)
        driver_died("the driver reaches registers and watched memory in one "
                    "instruction",
                    a.where);
    a.to_registers = a.address - VTDPI_CONFORM_REGISTERS < PAGE;
    if (a.to_registers)
        registers_open(&a, write);
    else if (is_watched(a.address))
        watched_open(&a, write);
    else
        driver_crashes(&a);
    now = a;
    regs[REG_EFL] |= TF;
}

/* The fault says what comes first. A processor may read before it writes. */
static bool is_write(const struct access *a)
{
    const void *const now_there =
        registers() + (a->address - VTDPI_CONFORM_REGISTERS);

    return a->writes || memcmp(a->answer, now_there, a->bytes) != 0;
}

static void on_trap(int number, siginfo_t *info, void *context)
{
    ucontext_t *const uc = context;
    const struct access a = now;

    (void)number;
    (void)info;
    uc->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TF;
    if (!a.on)
        driver_died("the driver traps",
                    (uintptr_t)uc->uc_mcontext.gregs[REG_RIP]);
    now.on = false;
    if (!a.to_registers)
        watched_stored(&a);
    else if (is_write(&a))
        registers_write(&a);
    else
        protect(registers(), PAGE, PROT_NONE);
    step_ends();
}

static void on_other(int number, siginfo_t *info, void *context)
{
    const ucontext_t *const uc = context;

    (void)info;
    driver_died(number == SIGILL ? "the driver runs into an invalid instruction"
                                 : "the driver divides by zero",
                (uintptr_t)uc->uc_mcontext.gregs[REG_RIP]);
}

static void handle(int number,
                   void (*handler)(int number, siginfo_t *info, void *context))
{
    struct sigaction action = {.sa_flags =
                                   SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

    action.sa_sigaction = handler;
    (void)sigaddset(&action.sa_mask, SIGVTALRM);
    (void)sigaction(number, &action, NULL);
}

bool traps_busy(void)
{
    return now.on;
}

bool traps_exist(void)
{
    return true;
}

static bool registers_map(void)
{
    return mmap(registers(), PAGE, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                0) == registers();
}

bool traps_have_room(void)
{
    return registers_map() && munmap(registers(), PAGE) == 0;
}

bool traps_up(void)
{
    static uint8_t stack[STACK]; /* the driver's may be used up */
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};

    if (!registers_map() || sigaltstack(&own, NULL) != 0 ||
        cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK ||
        cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
        return false;
    handle(SIGSEGV, on_segv);
    handle(SIGBUS, on_segv);
    handle(SIGTRAP, on_trap);
    handle(SIGILL, on_other);
    handle(SIGFPE, on_other);
    return true;
}

bool traps_watch(uintptr_t base, size_t bytes,
                 void (*stored)(uint32_t index, const uint64_t before[2]),
                 void (*cleaned)(uintptr_t address))
{
    if (!with_traps)
        return false;
    if (watched.bytes != 0)
        protect_watched(PROT_READ | PROT_WRITE);
    watched.base = base;
    watched.bytes = bytes;
    watched.stored = stored;
    watched.cleaned = cleaned;
    if (bytes != 0)
        watched_close();
    return true;
}
