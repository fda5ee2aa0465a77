/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of phases, in the order of a unit's life, and what phases share. */
#include "phases.h"

#define RULE_COMMAND "Global Command Register"
#define RULE_IRTE \
    "Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts"
#define RULE_POSTED \
    "Interrupt Remapping Table Entry (IRTE) for Posted Interrupts"
#define RULE_QUEUE  "Queued Invalidation Interface"
#define RULE_WAIT   "Invalidation Wait Descriptor"
#define RULE_ERRORS "Queued Invalidation Errors"
#define RULE_FAULTS "Fault Recording Registers"
#define RULE_STATUS "Fault Status Register"
#define RULE_IEC    "Interrupt Entry Cache Invalidation"

/* clang-format off */
const struct phase phases[] = {
    {"deliver", "Does an interrupt arrive at the vector and the APIC that were asked for?",
     RULE_IRTE, 0, NEEDS_NO_START, phase_deliver},
    {"source-id", "Is another device's message with the same index blocked?",
     RULE_IRTE, 0, 0, phase_source_id},
    {"cfi", "Is compatibility format switched off that firmware left on?",
     RULE_COMMAND, 0, 0, phase_cfi},
    {"eim", "Is extended interrupt mode used only where the unit has it?",
     "Interrupt Remapping Table Address Register",
     KIND(UNSUPPORTED), 0, phase_eim},
    {"sirtp-flush", "Is the whole entry cache flushed after the table pointer is set?",
     RULE_COMMAND, KIND(STALE_CACHE), 0, phase_sirtp_flush},
    {"one-shot", "Are the status bits of one-shot commands masked out of the next command?",
     RULE_COMMAND, KIND(ONE_SHOT_ECHO), 0, phase_one_shot},
    {"foreign-bits", "Does a command keep the bits that another part of the host has set?",
     RULE_COMMAND, KIND(COMMAND_DROPS) | KIND(MULTI_COMMAND), 0,
     phase_foreign_bits},
    {"slow-commands", "Is every command waited for, however slow the unit is?",
     RULE_COMMAND, KIND(COMMAND_PENDING) | KIND(COMMAND_ORDER), 0,
     phase_slow_commands},
    {"stuck-command", "Does the wait for a command have a deadline, and is the failure returned?",
     RULE_COMMAND, 0, 0, phase_stuck_command},
    {"firmware-queue", "Is a queue taken over that firmware left on?",
     RULE_QUEUE, KIND(QUEUE_LIVE) | KIND(QUEUE_TAIL), 0, phase_firmware_queue},
    {"firmware-remapping", "Is a table replaced that firmware or another kernel left in use?",
     RULE_COMMAND, 0, 0, phase_firmware_remapping},
    {"fault-event", "Does a fault raise an event, whatever firmware left in the records and the mask, and after a sleep?",
     "Fault Event Control Register", 0, NEEDS_FAULT, phase_fault_event},

    {"upper-first", "Is a new entry complete before it is present?",
     RULE_IRTE, 0, NEEDS_TRAPS, phase_upper_first},
    {"one-step", "Does an entry in use change in one step?",
     RULE_IRTE, KIND(TABLE_STORE), NEEDS_CHANGE | NEEDS_TRAPS, phase_one_step},
    {"clean-first", "On a unit that does not snoop, is an entry cleaned before it is invalidated?",
     "Extended Capability Register, page-walk coherency",
     0, NEEDS_CHANGE | NEEDS_TABLE, phase_clean_first},
    {"flush", "Is the entry cache flushed before a change returns?",
     RULE_IEC, 0, NEEDS_CHANGE, phase_flush},
    {"caching-mode", "Is a new entry flushed on a unit that caches absent entries?",
     "Capability Register, caching mode", 0, 0, phase_caching_mode},
    {"free-flush", "Is the entry cache flushed before an index is free?",
     RULE_IEC, 0, NEEDS_FREE, phase_free_flush},

    {"wait", "Is the end of an invalidation taken from a wait descriptor, not from the queue's head?",
     RULE_WAIT, 0, NEEDS_CHANGE, phase_wait},
    {"late-status", "Does the memory of a status word outlive a wait that timed out?",
     RULE_WAIT, KIND(STATUS_DEAD), NEEDS_CHANGE, phase_late_status},
    {"tail-wrap", "Does the tail wrap inside the ring?",
     "Invalidation Queue Tail Register", 0, NEEDS_CHANGE, phase_tail_wrap},
    {"stuck-queue", "Does the wait for the queue have a deadline, and is the failure returned?",
     RULE_QUEUE, 0, NEEDS_CHANGE, phase_stuck_queue},
    {"refused", "Does the driver get over a descriptor that the unit refuses (IQE)?",
     RULE_ERRORS, 0, NEEDS_CHANGE, phase_refused},
    {"aborted", "Does the driver get over a wait that the unit aborts (ITE)?",
     RULE_ERRORS, 0, NEEDS_CHANGE, phase_aborted},
    {"gone", "Does every call come back when the unit vanishes, at any access, and say so?",
     "Register access: all ones", 0, 0, phase_gone},

    {"fault-records", "Are all fault records read and cleared, also across the wrap?",
     RULE_FAULTS, 0, NEEDS_FAULT, phase_fault_records},
    {"fault-overflow", "Are faults recorded again after an overflow?",
     RULE_STATUS, 0, NEEDS_FAULT, phase_fault_overflow},

    {"resume", "Does the queue start anew after a sleep?",
     RULE_QUEUE, KIND(QUEUE_TAIL), NEEDS_RESUME, phase_resume},

    {"post-one-step", "Does an entry become a posted one in one step?",
     RULE_POSTED, KIND(TABLE_STORE), NEEDS_POST | NEEDS_TRAPS, phase_post_one_step},
    {"post-flush", "Is the entry cache flushed before post and unpost return?",
     RULE_IEC, 0, NEEDS_POST, phase_post_flush},
    {"post-drain", "Has everything that was posted arrived before the descriptor is given away?",
     RULE_POSTED, 0, NEEDS_POST, phase_post_drain},
    {"post-affinity", "Does a posted interrupt stay posted when the host's affinity changes?",
     RULE_POSTED, 0, NEEDS_POST | NEEDS_CHANGE, phase_post_affinity},

    {"accesses", "Are registers used as the specification says?",
     "Register Descriptions",
     KIND(BAD_WIDTH) | KIND(BAD_ALIGNMENT) | KIND(NO_REGISTER) |
     KIND(BEYOND_WINDOW) | KIND(READ_ONLY) | KIND(WRITE_ONLY) |
     KIND(RESERVED_BITS) | KIND(REGISTER_INVALIDATION) | KIND(QUEUE_BUSY) |
     KIND(IEC_ALIGNMENT) | KIND(TABLE_ALIGNMENT) | KIND(STATUS_ADDRESS) | KIND(VECTOR),
     0, phase_accesses},
};
/* clang-format on */
const unsigned int phase_count = sizeof(phases) / sizeof(phases[0]);

void begin(const struct hardware *hw)
{
    power_up(hw);
    bring_up();
}

void begin_unmapped(const struct hardware *hw)
{
    int rc;

    power_up(hw);
    rc = call_init();
    if (rc != 0)
        skip("init returns %d on the unit of this phase", rc);
}

void sleep_over(void)
{
    if (driver->suspend != NULL && call_suspend() != 0)
        skip("suspend fails");
    power_up(&(struct hardware){0});
}

static void init_alone(void)
{
    begin_unmapped(&(struct hardware){0});
}

void needs_init(void)
{
    if (!apart(init_alone))
        skip("init fails on a unit with nothing wrong");
}

struct vtdpi_model_result fire_index(uint16_t sid, uint32_t index)
{
    struct vtdpi_model_result r;

    (void)vtdpi_model_msi(&model, sid,
                          UINT64_C(0xfee00010) | (index & 0x7fff) << 5 |
                              (index >> 15 & 1) << 2,
                          0, &r);
    return r;
}

bool passes(const struct vtdpi_model_result *r)
{
    return r->outcome == VTDPI_MODEL_REMAPPED ||
           r->outcome == VTDPI_MODEL_PASSED ||
           r->outcome == VTDPI_MODEL_POSTED ||
           r->outcome == VTDPI_MODEL_IN_FLIGHT;
}

unsigned int passing_indexes(uint16_t sid)
{
    unsigned int n = 0;

    for (uint32_t i = 0; i < INDEXES; i++) {
        const struct vtdpi_model_result r = fire_index(sid, i);

        n += passes(&r);
    }
    return n;
}

bool same_delivery(const struct vtdpi_model_result *a,
                   const struct vtdpi_model_result *b)
{
    return a->outcome == b->outcome && a->vector == b->vector &&
           a->dest == b->dest && a->dlm == b->dlm && a->level == b->level &&
           a->logical == b->logical && a->pda == b->pda;
}

uint64_t flushes_unfinished(void)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&model, &c);
    return c.descriptors[VTDPI_QI_IEC] - c.iec_global - c.iec_index;
}

/* The calls. */

_Alignas(4096) uint8_t pid_page[4096];

static bool always(void)
{
    return true;
}

static bool can_change(void)
{
    return driver->change != NULL;
}

static bool can_free(void)
{
    return driver->free != NULL;
}

static bool can_post(void)
{
    return driver->post != NULL && driver->unpost != NULL;
}

static bool can_suspend(void)
{
    return driver->suspend != NULL;
}

static bool can_resume(void)
{
    return driver->resume != NULL;
}

static bool can_fault(void)
{
    return driver->fault != NULL;
}

static int do_change(void)
{
    return call_change(VECTOR_NEW, APIC_NEW);
}

static int do_post(void)
{
    return call_post(VECTOR_NEW, pid_page);
}

static int do_fault(void)
{
    call_fault();
    return 0;
}

static void prepare_power(void)
{
    power_up(&(struct hardware){0});
}

static void prepare_map(void)
{
    begin(&(struct hardware){0});
}

static void prepare_unpost(void)
{
    prepare_map();
    if (do_post() != 0)
        skip("post fails");
}

static void prepare_resume(void)
{
    prepare_map();
    sleep_over();
}

/* A fault is there to be handled. */
static void prepare_fault(void)
{
    prepare_map();
    (void)fire(STRANGER);
}

static const struct operation operations[] = {
    {"init", always, prepare_power, call_init, .enables = true},
    {"change", can_change, prepare_map, do_change, .flushes = true},
    {"free", can_free, prepare_map, call_free, .flushes = true},
    {"post", can_post, prepare_map, do_post, .flushes = true},
    {"unpost", can_post, prepare_unpost, call_unpost, .flushes = true},
    {"fault", can_fault, prepare_fault, do_fault, false, false},
    {"suspend", can_suspend, prepare_map, call_suspend, false, false},
    {"resume", can_resume, prepare_resume, call_resume, .enables = true},
};
enum {
    OPERATIONS = sizeof(operations) / sizeof(operations[0]),
};

static const struct operation *current;
static void (*current_run)(const struct operation *op);

static void run_current(void)
{
    current->prepare();
    current_run(current);
}

bool prepared(const struct operation *op,
              void (*run)(const struct operation *op))
{
    current = op;
    current_run = run;
    return apart(run_current);
}

void for_each_operation(void (*run)(const struct operation *op))
{
    for (unsigned int i = 0; i < OPERATIONS; i++) {
        if (operations[i].exists())
            run(&operations[i]);
    }
}

static void (*flushing_run)(const struct operation *op);

static void run_if_flushing(const struct operation *op)
{
    if (op->flushes)
        (void)prepared(op, flushing_run);
}

void for_each_flushing(void (*run)(const struct operation *op))
{
    flushing_run = run;
    for_each_operation(run_if_flushing);
}
