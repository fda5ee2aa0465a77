/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One phase's unit, and the calls of the driver: in a child process. Time passes when
 * the driver reads a register, pauses, or looks at the clock; so a driver that waits can
 * be told from one that waits for ever. A driver that does none of these, and waits for
 * a word in memory to change, uses up the processor's time: then time passes by that.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "vtdpi/format.h"

/* A unit that real machines have: snoops, EIM, posting, eight fault records. */
#define CAP_BASE     UINT64_C(0x08d2078c106f0466)
#define ECAP_BASE    UINT64_C(0xf020df)

#define NO_VANISHING UINT_MAX /* no access has that number */

enum {
    PAGE = 4096,
    SLOTS = 1024,    /* of the entry cache */
    BUDGET = 100000, /* accesses, pauses and looks at the clock in a call */
    STACK = 1 << 20, /* of the driver's frames, at most */
    WORDS = 4,       /* results in words at a time */
    WORDS_BYTES = VTDPI_FORMAT_MAX + 128,
    SEEN_MAX = 32,        /* violations told of; each kind and place once */
    STEP_US = 10,         /* a look at the clock, */
    LONG_STEP_US = 20000, /* and after many in one call */
    MANY_LOOKS = 1000,
    TICK_NS = 1000000, /* between looks at a child */
    /* Of the processor's time: between looks at whether the driver has done anything;
     * for a tick if not; and which part of call_seconds may pass like that. */
    IDLE_US = 1000,
    IDLE_TICK_US = 10,
    IDLE_SHARE = 10,
    /* A part of a phase, and a phase, have the time of so many calls. */
    PART_CALLS = 3,
    PHASE_CALLS = 10,
};

struct vtdpi_model model;
const struct vtdpi_conform_driver *driver;
struct vtdpi_conform_message message;
bool has_neighbor;
const struct phase *phase;
bool verbose;
bool with_traps;
unsigned int call_seconds = 30;

static struct vtdpi_model_iec_entry cache[SLOTS];
static struct vtdpi_model_notification notifications[64];
static struct vtdpi_model_view view;
static struct vtdpi_conform_message neighbor; /* its message */

static uint64_t budget;
static bool acted;                   /* the driver has, since the latest look */
static uint64_t idle_since;          /* of the processor's time, in us */
static uint64_t idle_looked;         /* at the latest look */
static volatile sig_atomic_t inside; /* the engine or the model runs */
static unsigned int vanish_at = NO_VANISHING; /* an access of the next call */
static uint64_t looks;                        /* at the clock, in this call */
static uint64_t clock_us;
static uintptr_t last_access; /* where in the driver */
static bool hangs_count = true;
static bool watching = true;

void hangs_are_findings(bool on)
{
    hangs_count = on;
}

void watch_violations(bool on)
{
    watching = on;
}

/*
 * Ends.
 */

static _Noreturn void waits_for_ever(uintptr_t where, unsigned int steps,
                                     const char *how)
{
    if (hangs_count)
        find_where(where, VTDPI_MODEL_ROBUSTNESS,
                   "the driver waits for ever: %u %s", steps, how);
    else
        skip("the driver waits for ever; stuck-queue tells that");
    end_phase();
}

void was_at(uintptr_t where)
{
    last_access = where;
    acted = true;
}

uintptr_t driver_was_at(void)
{
    return last_access;
}

void spend(uintptr_t where)
{
    was_at(where);
    if (budget == 0)
        waits_for_ever(where, BUDGET,
                       "accesses, pauses and looks at the clock in one call");
    budget--;
}

_Noreturn void driver_died(const char *how, uintptr_t where)
{
    if (frames_are_walked()) {
        if (!has_failed())
            skip("the driver's stack cannot be read");
        end_phase(); /* of a finding that is there already */
    }
    find_where(where, VTDPI_MODEL_ROBUSTNESS, "%s", how);
    end_phase();
}

static void on_alarm(int number)
{
    (void)number;
    record->hung = true;
    waits_for_ever(inside != 0 || traps_busy() ? last_access : 0, call_seconds,
                   "seconds in one call");
}

static uint64_t processor_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void on_idle(int number)
{
    const uint64_t us = processor_us();
    const uint64_t passed = us - idle_looked;

    (void)number;
    if (inside != 0 || traps_busy())
        return;
    idle_looked = us;
    if (acted) {
        acted = false;
        idle_since = us;
        return;
    }
    clock_us += passed;
    vtdpi_model_advance_clock(&model, passed);
    vtdpi_model_tick(&model, (uint32_t)passed / IDLE_TICK_US);
    if ((us - idle_since) * IDLE_SHARE < call_seconds * UINT64_C(1000000))
        return;
    record->hung = true;
    waits_for_ever(0, (unsigned int)(us - idle_since) / 1000,
                   "ms of the processor's time in one call, with no access to "
                   "a register");
}

/* Looks at the driver while it runs; or no more. */
static void watch_idleness(bool on)
{
    const struct timeval period = {.tv_usec = on ? IDLE_US : 0};
    const struct itimerval timer = {period, period};

    acted = true;
    (void)setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static void on_abort(int number)
{
    (void)number;
    driver_died("the driver aborts", 0);
}

/*
 * The model's side.
 */

static bool is_mapped(uintptr_t address)
{
    unsigned char vector[1];

    return mincore((void *)(address & ~(uintptr_t)(PAGE - 1)), 1, vector) == 0;
}

/* Physical is virtual. What nobody has mapped answers nobody. */
static void *map(void *ctx, uint64_t phys, size_t length)
{
    const uintptr_t address = (uintptr_t)phys;

    (void)ctx;
    if (address - VTDPI_CONFORM_REGISTERS < VTDPI_CONFORM_WINDOW ||
        !is_mapped(address) || !is_mapped(address + length - 1))
        return NULL;
    return (void *)address;
}

bool descriptor_at_head(uint64_t words[2])
{
    const uint64_t ring =
        vtdpi_model_peek(&model, VTDPI_IQA_REG) & VTDPI_IQA_BASE;
    const void *const at =
        map(NULL, ring + vtdpi_model_peek(&model, VTDPI_IQH_REG), 16);

    if (at != NULL)
        memcpy(words, at, 16);
    return at != NULL;
}

static bool is_told_already(const struct vtdpi_model_violation *v)
{
    static struct vtdpi_model_violation seen[SEEN_MAX];
    static unsigned int count;

    for (unsigned int i = 0; i < count; i++) {
        if (seen[i].kind == v->kind && seen[i].where == v->where)
            return true;
    }
    if (count < SEEN_MAX)
        seen[count++] = *v;
    return false;
}

static void on_violation(void *ctx, const struct vtdpi_model_violation *v)
{
    (void)ctx;
    if (!watching || (phase->violations >> v->kind & 1) == 0 ||
        is_told_already(v))
        return;
    find_where(last_access, vtdpi_model_violation_severity(v->kind),
               "%s: %#x, value %#llx", vtdpi_model_violation_name(v->kind),
               (unsigned int)v->where, (unsigned long long)v->value);
}

void violate(enum vtdpi_model_violation_kind kind, uint32_t where,
             uint64_t value)
{
    const struct vtdpi_model_violation v = {kind, where, value};

    on_violation(NULL, &v);
}

/* A unit that does not snoop sees the table as the driver cleaned it last. */
static void view_up(struct vtdpi_model_params *params)
{
    static void *shadow;
    size_t bytes = 0;
    void *table;

    if ((params->ecap & VTDPI_ECAP_C) != 0 || driver->table == NULL)
        return;
    table = driver->table(&bytes);
    if (table == NULL || (uintptr_t)table % 64 != 0 || bytes % 64 != 0)
        skip("the driver's table() gives no range of cache lines");
    free(shadow);
    shadow = aligned_alloc(64, bytes);
    if (shadow == NULL)
        skip("no memory");
    vtdpi_model_view_init(&view, (uintptr_t)table, table, shadow, bytes);
    params->views = &view;
    params->view_count = 1;
}

static void signals_up(void)
{
    (void)signal(SIGALRM, on_alarm);
    (void)signal(SIGVTALRM, on_idle);
    (void)signal(SIGABRT, on_abort);
    if (with_traps && !traps_up())
        skip("the page of registers cannot be mapped");
}

void power_up(const struct hardware *hw)
{
    static bool up;
    struct vtdpi_model_params params = {
        .cap = (CAP_BASE | hw->cap_set) & ~hw->cap_clear,
        .ecap = (ECAP_BASE | hw->ecap_set) & ~hw->ecap_clear,
        .map = map,
        .notifications = notifications,
        .notification_slots = 64,
        .violation = on_violation,
        .window_bytes = VTDPI_CONFORM_WINDOW,
        .foreign = true,
    };

    if (!hw->no_cache) {
        params.iec = cache;
        params.iec_slots = SLOTS;
    }
    view_up(&params);
    if (vtdpi_model_init(&model, &params) != 0)
        skip("no such unit");
    if (!up)
        signals_up();
    up = true;
}

/*
 * The driver's side: registers of any width, in pieces that the model knows.
 */

static uint64_t narrow_read(uint32_t off, unsigned int bytes)
{
    if (bytes == 8)
        return vtdpi_model_read64(&model, off);
    if (bytes == 4)
        return vtdpi_model_read32(&model, off);
    violate(VTDPI_MODEL_BAD_WIDTH, off, bytes);
    return vtdpi_model_read32(&model, off & ~3u) >> off % 4 * 8;
}

void vanish_before(unsigned int n)
{
    vanish_at = n;
}

unsigned int accesses_made(void)
{
    return record->accesses;
}

static void begin_access(uintptr_t where)
{
    spend(where);
    if (record->accesses++ == vanish_at)
        vtdpi_model_vanish(&model);
}

uint64_t unit_read(uint32_t off, unsigned int bytes, uintptr_t where)
{
    uint64_t value;

    inside++;
    begin_access(where);
    value = narrow_read(off, bytes);
    vtdpi_conform_log("read  %2u bits at %03x: %#llx", bytes * 8, off,
                      (unsigned long long)value);
    inside--;
    return value;
}

void unit_write(uint32_t off, unsigned int bytes, uint64_t value,
                uintptr_t where)
{
    inside++;
    begin_access(where);
    vtdpi_conform_log("write %2u bits at %03x: %#llx", bytes * 8, off,
                      (unsigned long long)value);
    if (bytes == 8) {
        vtdpi_model_write64(&model, off, value);
    } else if (bytes == 4) {
        vtdpi_model_write32(&model, off, (uint32_t)value);
    } else {
        const unsigned int shift = off % 4 * 8;
        const uint32_t mask = ((1u << bytes * 8) - 1) << shift;
        const uint32_t old = (uint32_t)vtdpi_model_peek(&model, off & ~3u);

        violate(VTDPI_MODEL_BAD_WIDTH, off, value);
        vtdpi_model_write32(&model, off & ~3u,
                            (old & ~mask) | ((uint32_t)value << shift & mask));
    }
    inside--;
}

#define CALLER ((uintptr_t)__builtin_return_address(0) - 1)

uint32_t vtdpi_conform_read32(uint32_t off)
{
    return (uint32_t)unit_read(off, 4, CALLER);
}

uint64_t vtdpi_conform_read64(uint32_t off)
{
    return unit_read(off, 8, CALLER);
}

void vtdpi_conform_write32(uint32_t off, uint32_t value)
{
    unit_write(off, 4, value, CALLER);
}

void vtdpi_conform_write64(uint32_t off, uint64_t value)
{
    unit_write(off, 8, value, CALLER);
}

void vtdpi_conform_clean(const void *p, size_t n)
{
    inside++;
    if (n != 0)
        vtdpi_model_platform_ops.clean(&model, p, n);
    inside--;
}

/* The first looks are close together, so that short waits are; a deadline of a minute
 * is still within the budget. */
uint64_t vtdpi_conform_now_us(void)
{
    const uint64_t step = looks++ < MANY_LOOKS ? STEP_US : LONG_STEP_US;

    inside++;
    spend(CALLER);
    vtdpi_model_advance_clock(&model, step);
    vtdpi_model_tick(&model, 1);
    clock_us += step;
    inside--;
    return clock_us;
}

void vtdpi_conform_pause(void)
{
    inside++;
    spend(CALLER);
    vtdpi_model_tick(&model, 1);
    inside--;
}

void vtdpi_conform_log(const char *format, ...)
{
    va_list arguments;

    if (!verbose)
        return;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", phase->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/*
 * Calls.
 */

/* Not inlined: the driver's frames begin where this function's does, which is behind the
 * saved frame pointer and the address of the caller. */
__attribute__((__noinline__)) static void call_begin(void)
{
    frames_begin((uintptr_t)__builtin_frame_address(0) + 2 * sizeof(void *));
    budget = BUDGET;
    record->accesses = 0;
    looks = 0;
    (void)alarm(call_seconds);
    watch_idleness(true);
}

static int call_end(const char *name, int rc)
{
    (void)alarm(0);
    watch_idleness(false);
    vanish_at = NO_VANISHING;
    if (rc != 0)
        vtdpi_conform_log("%s returns %d", name, rc);
    return rc;
}

int call_init(void)
{
    call_begin();
    return call_end("init", driver->init());
}

int call_map(uint8_t vector, uint32_t apic_id)
{
    call_begin();
    return call_end("map", driver->map(OWNER, vector, apic_id, &message));
}

int call_map_neighbor(void)
{
    int rc;

    call_begin();
    rc = driver->map(NEIGHBOR, VECTOR_NEIGHBOR, APIC_NEW, &neighbor);
    return call_end("map", rc);
}

/* In a child. */
void try_start(void)
{
    power_up(&(struct hardware){0});
    if (call_init() != 0 || call_map(VECTOR, APIC) != 0)
        skip("init or map fails");
}

/* In a child. */
void try_neighbor(void)
{
    power_up(&(struct hardware){0});
    if (call_init() != 0 || call_map_neighbor() != 0 ||
        call_map(VECTOR, APIC) != 0 || message.index == neighbor.index)
        skip("one interrupt at a time");
}

int call_change(uint8_t vector, uint32_t apic_id)
{
    call_begin();
    return call_end("change", driver->change(OWNER, vector, apic_id, &message));
}

int call_free(void)
{
    call_begin();
    return call_end("free", driver->free(OWNER, &message));
}

int call_suspend(void)
{
    call_begin();
    return call_end("suspend", driver->suspend());
}

int call_resume(void)
{
    call_begin();
    return call_end("resume", driver->resume());
}

void call_fault(void)
{
    call_begin();
    driver->fault();
    (void)call_end("fault", 0);
}

int call_post(uint8_t vector, void *pid)
{
    call_begin();
    return call_end("post", driver->post(OWNER, vector, pid, &message));
}

int call_unpost(void)
{
    call_begin();
    return call_end("unpost", driver->unpost(OWNER, &message));
}

void bring_up(void)
{
    int rc;

    watch_violations(false);
    rc = call_init();
    if (rc != 0)
        skip("init returns %d on the unit of this phase", rc);
    if (has_neighbor)
        (void)call_map_neighbor();
    rc = call_map(VECTOR, APIC);
    if (rc != 0)
        skip("map returns %d", rc);
    watch_violations(true);
}

void stack_is_dead(void)
{
    /* This function's own frame is where the driver's was. */
    const uintptr_t end = (uintptr_t)__builtin_frame_address(0);

    vtdpi_model_retire(&model, end - STACK, STACK);
}

/* How a child ended. One that did not come to the end of its part was ended by the
 * driver, with whatever status. */
static void judge_end(int status)
{
    if (WIFSIGNALED(status))
        find(VTDPI_MODEL_ROBUSTNESS, "the driver dies of signal %d (%s)",
             WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (!record->ended)
        find(VTDPI_MODEL_ROBUSTNESS, "the driver ends its process, status %d",
             WEXITSTATUS(status));
}

/*
 * A driver may block the alarm, or take it away. So the wait for a child has a deadline,
 * too: the time of so many calls. False: the child was killed, which is a finding.
 */
static bool child_wait(pid_t child, unsigned int calls, int *status)
{
    const struct timespec tick = {.tv_nsec = TICK_NS};
    uint64_t left = calls * (uint64_t)call_seconds * (1000000000 / TICK_NS);

    while (waitpid(child, status, WNOHANG) == 0) {
        if (left-- == 0) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, status, 0);
            find(VTDPI_MODEL_ROBUSTNESS,
                 "the driver waits for ever, and keeps the alarm away");
            return false;
        }
        (void)nanosleep(&tick, NULL);
    }
    return true;
}

/* Nothing is left behind when the trial is interrupted, or a phase is killed. */
static void end_with(pid_t parent)
{
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent)
        _exit(1);
}

/* At the end of a phase: what became of its parts. */
static void judge_parts(void)
{
    if (record->parts != 0 && record->idle == record->parts)
        record->skipped = true;
    else if (record->idle != 0)
        note("%u of %u situations say nothing: %s", record->idle, record->parts,
             record->reason);
}

void run_child(void (*run)(void))
{
    static bool within; /* a phase: this process is a child itself */
    const pid_t parent = getpid();
    pid_t child;
    int status;

    record->ended = false;
    child = fork();
    if (child < 0)
        skip("no process");
    if (child == 0) {
        const bool is_part = within;

        within = true;
        end_with(parent);
        run();
        if (!is_part)
            judge_parts();
        end_phase();
    }
    if (child_wait(child, within ? PART_CALLS : PHASE_CALLS, &status))
        judge_end(status);
    else if (within)
        end_phase();       /* the other parts would hang as long */
    record->ended = false; /* that was the child's */
}

bool apart(void (*run)(void))
{
    bool skipped;

    run_child(run);
    skipped = record->skipped;
    record->skipped = false;
    record->parts++;
    record->idle += skipped;
    if (record->hung) {
        judge_parts(); /* the other parts would hang as long */
        end_phase();
    }
    return !skipped;
}

/*
 * Devices.
 */

struct vtdpi_model_result fire(uint16_t sid)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&model, sid, message.address, message.data, &r);
    return r;
}

struct vtdpi_model_result fire_neighbor(void)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&model, NEIGHBOR, neighbor.address, neighbor.data,
                          &r);
    return r;
}

bool delivers(const struct vtdpi_model_result *r, uint8_t vector,
              uint32_t apic_id)
{
    return r->outcome == VTDPI_MODEL_REMAPPED && r->vector == vector &&
           r->dlm == 0 && !r->level && r->logical == driver->logical &&
           (driver->logical || r->dest == apic_id);
}

const char *words(const struct vtdpi_model_result *r)
{
    static const char *const outcomes[] = {
        "no interrupt's address",
        "masked",
        "dropped",
        "passed unremapped",
        "delivered",
        "posted",
        "posted",
        "blocked",
    };
    static char texts[WORDS][WORDS_BYTES];
    static unsigned int next;
    const bool x2apic =
        (vtdpi_model_latched_irta(&model) & VTDPI_IRTA_EIME) != 0;
    const struct vtdpi_irte entry = {.lo = r->irte[0], .hi = r->irte[1]};
    char *const text = texts[next++ % WORDS];
    size_t n = (size_t)snprintf(text, WORDS_BYTES, "%s, index %u%s",
                                outcomes[r->outcome], (unsigned int)r->index,
                                r->from_cache ? ", from the cache" : "");

    if (r->outcome == VTDPI_MODEL_BLOCKED)
        n += (size_t)snprintf(text + n, WORDS_BYTES - n, ", reason %#x (%s)",
                              r->reason, vtdpi_fault_reason_text(r->reason));
    if (entry.lo != 0 || entry.hi != 0) {
        n += (size_t)snprintf(text + n, WORDS_BYTES - n, ": ");
        (void)vtdpi_format_irte(text + n, WORDS_BYTES - n, &entry,
                                x2apic ? VTDPI_X2APIC : VTDPI_XAPIC, 64);
    }
    return text;
}

/*
 * Stores to the table.
 */

static void (*on_store)(void);

static void stored(uint32_t index, const uint64_t before[2])
{
    vtdpi_model_table_stored(&model, index, before);
    on_store();
}

bool watch_table(void (*callback)(void))
{
    const uint64_t irta = vtdpi_model_latched_irta(&model);

    on_store = callback;
    if (callback == NULL)
        return traps_watch(0, 0, NULL, NULL);
    if (irta == 0)
        return false;
    return traps_watch((uintptr_t)(irta & VTDPI_IRTA_BASE),
                       (size_t)32 << VTDPI_FIELD_GET(irta, VTDPI_IRTA_S),
                       stored, NULL);
}

static void cleaned(uintptr_t address)
{
    vtdpi_conform_clean((const void *)address, 1);
}

void watch_cleans(void)
{
    size_t bytes;
    void *const table = driver->table(&bytes);

    (void)traps_watch((uintptr_t)table, bytes, NULL, cleaned);
}
