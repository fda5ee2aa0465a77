/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that the unit blocks, what it records of them, and its queue's
 * errors. QEMU's unit has one fault record. It takes a second fault of the same
 * requester for the same one, and records an overflow for another requester's.
 */

#include "kernel.h"

#define NOT_PRESENT    0x22
#define BEYOND_TABLE   0x21
#define UNREADABLE     0x23
#define RESERVED_BIT   0x24
#define WRONG_SOURCE   0x26

#define FSTS_REG       0x34
#define FECTL_REG      0x38
#define FEDATA_REG     0x3c
#define FEADDR_REG     0x40
#define FEUADDR_REG    0x44
#define FSTS_PFO       0x1
#define FSTS_IQE       0x10
#define MASKED         0x80000000u
#define EVENT_PENDING  0x40000000u

#define EVENT_VECTOR   0xa5
#define WAIT_NO_EFFECT UINT64_C(0x65) /* status write of 0, fence */

/* A free index of a table of any size. */
#define INDEX          100

/* 4 GiB: none of these machines has so much. */
#define NO_MEMORY      UINT64_C(0x100000000)

void faults_forget(void)
{
    machine.fault_count = 0;
}

/* An entry as no encoder makes it, straight into memory. */
static void poke(uint32_t index, uint64_t lo, uint64_t hi)
{
    volatile struct vtdpi_irte *const entry = &machine.entries[index];

    entry->lo = lo;
    entry->hi = hi;
}

/* Everything pending is one fault of an interrupt, and is what it should be. */
static bool is_fault(unsigned int i, uint8_t reason, uint16_t index,
                     uint16_t sid)
{
    const struct vtdpi_fault *const f = &machine.faults[i];

    return f->kind == VTDPI_FAULT_INTERRUPT && f->reason == reason &&
           f->has_index && f->index == index && f->sid == sid &&
           f->hideable == (reason != BEYOND_TABLE && reason != UNREADABLE);
}

static bool reads_fault(uint8_t reason, uint16_t index)
{
    bool more = true;

    faults_forget();
    oracle_clear_record();
    return vtdpi_fault_handle(&machine.reader, 0, &more) == 0 && !more &&
           machine.fault_count == 1 && is_fault(0, reason, index, machine.edu);
}

/* The device asks for an index; the entry is read unless it is out of range. */
static void raises_fault(uint8_t reason, uint16_t index, uint64_t lo,
                         uint64_t hi)
{
    oracle_msi(index, 0);
    if (reason != BEYOND_TABLE)
        oracle_read_entry(index, lo, hi);
    oracle_fault(reason, index, machine.edu);
    edu_select(index);
    edu_raise();
}

static void check_fault(uint8_t reason, uint16_t index, uint64_t lo,
                        uint64_t hi)
{
    if (reason != BEYOND_TABLE)
        poke(index, lo, hi);
    raises_fault(reason, index, lo, hi);
    check(reads_fault(reason, index), "fault %x: %s", reason,
          vtdpi_fault_reason_text(reason));
}

void test_faults(void)
{
    const uint32_t count = vtdpi_table_count(&machine.table);
    const struct oracle_entry good = entry_for(0x66, 0);
    const uint64_t lo = oracle_lo(&good);
    const uint64_t hi = oracle_hi(&good);
    bool more = true;

    check(vtdpi_fault_clear_all(&machine.reader) == 0, "no fault is pending");
    check_fault(NOT_PRESENT, INDEX, 0, 0);
    check_fault(WRONG_SOURCE, INDEX, lo, hi ^ 1);
    check_fault(WRONG_SOURCE, INDEX, lo, hi ^ 0x100);
    check_fault(RESERVED_BIT, INDEX, lo | UINT64_C(1) << 12, hi);
    check_fault(RESERVED_BIT, INDEX, lo, hi | UINT64_C(1) << 63);
    /* A table of the largest size has no index beyond it. */
    if (count < 65536)
        check_fault(BEYOND_TABLE, (uint16_t)count, 0, 0);

    poke(INDEX, 2, 0);
    oracle_msi(INDEX, 0);
    oracle_read_entry(INDEX, 2, 0);
    edu_select(INDEX);
    edu_raise();
    faults_forget();
    check(vtdpi_fault_handle(&machine.reader, 0, &more) == 0 && !more &&
              machine.fault_count == 0,
          "FPD hides the fault of an entry that is not present");
    poke(INDEX, 0, 0);
}

static bool has_overflowed(void *arg)
{
    (void)arg;
    return (mmio_read32(machine.registers + FSTS_REG) & FSTS_PFO) != 0;
}

/* Where there is no memory: the unit is off, and is so again afterwards. */
void test_unreadable_table(void)
{
    static uint64_t storage[8192];
    static struct vtdpi_table nowhere;
    const struct vtdpi_table_params params = {
        .entries = machine.entries,
        .phys = NO_MEMORY,
        .count = vtdpi_table_count(&machine.table),
        .storage = storage,
        .storage_size = sizeof(storage),
        .mode = machine.mode,
        .haw = 39,
        .adopt = true, /* the entries are those of the other table */
    };
    const uint64_t table = oracle.table;

    oracle.table = NO_MEMORY;
    check(vtdpi_table_remove_unit(&machine.table, &machine.unit) == 0 &&
              vtdpi_table_init(&nowhere, &params) == 0 &&
              vtdpi_table_add_unit(&nowhere, &machine.link, &machine.unit) == 0,
          "the unit leaves its table for another");
    oracle_enable();
    check(vtdpi_unit_enable(&machine.unit, &machine.config) == 0,
          "the unit is enabled with a table that is not there");
    oracle_msi(INDEX, 0);
    oracle_fault(UNREADABLE, INDEX, machine.edu);
    edu_select(INDEX);
    edu_raise();
    check(reads_fault(UNREADABLE, INDEX), "fault %x: %s", UNREADABLE,
          vtdpi_fault_reason_text(UNREADABLE));
    oracle_disable();
    check(vtdpi_unit_disable(&machine.unit) == 0, "it is disabled");
    check(vtdpi_table_remove_unit(&nowhere, &machine.unit) == 0 &&
              vtdpi_table_add_unit(&machine.table, &machine.link,
                                   &machine.unit) == 0,
          "the unit is back on its table");
    machine.cleaned_bytes = 0;
    oracle.table = table;
}

/* Two requesters: the device's fault takes the record, the pin's is lost. */
void test_overflow(void)
{
    const unsigned int pin = ioapic_pin_of_isa(0);
    struct vtdpi_msi_rte rte = {.index = INDEX + 1, .vector = 0x67};
    bool more = true;

    raises_fault(NOT_PRESENT, INDEX, 0, 0);
    oracle_pin(INDEX + 1, 0x67, false);
    oracle_read_entry(INDEX + 1, 0, 0);
    pit_stop();
    pin_wire(pin, &rte);
    pit_start();
    check(wait_until(has_overflowed, NULL), "a second requester's is lost");
    rte.masked = true;
    pin_wire(pin, &rte);

    faults_forget();
    oracle_clear_record();
    oracle_write(FSTS_REG, 4, FSTS_PFO);
    oracle_line("event-not-pending\n"); /* it was masked all the time */
    check(vtdpi_fault_handle(&machine.reader, 0, &more) == 0 && !more &&
              machine.fault_count == 2 &&
              is_fault(0, NOT_PRESENT, INDEX, machine.edu) &&
              machine.faults[1].kind == VTDPI_FAULT_OVERFLOW,
          "the first is reported, and that there was an overflow");
}

/* The event's handler, as a host has it. */
static void serve_event(struct trap_frame *frame, void *arg)
{
    bool more;

    (void)frame;
    (void)arg;
    if (vtdpi_fault_handle(&machine.reader, 0, &more) != 0 || more)
        panic("the fault event's handler");
    apic_eoi();
}

static void event_control(uint32_t value, uint32_t shown)
{
    oracle_write(FECTL_REG, 4, value);
    oracle_line("event-control %x\n", shown);
}

static void event_message(uint32_t address, uint32_t upper, uint32_t data)
{
    event_control(MASKED, MASKED);
    oracle_write(FEDATA_REG, 4, data);
    oracle_write(FEADDR_REG, 4, address);
    oracle_write(FEUADDR_REG, 4, upper);
}

static bool fault_was_reported(void *arg)
{
    (void)arg;
    return __atomic_load_n(&machine.fault_count, __ATOMIC_ACQUIRE) != 0;
}

static bool event_serves(struct arrival *a)
{
    return arrived(a) && wait_until(fault_was_reported, NULL) &&
           machine.fault_count == 1 &&
           is_fault(0, NOT_PRESENT, INDEX, machine.edu);
}

static uint32_t event_address(unsigned int cpu)
{
    return 0xfee00000u | (cpu_apic_id(cpu) & 0xff) << 12;
}

static bool enable_event(unsigned int cpu)
{
    event_message(event_address(cpu), cpu_apic_id(cpu) & ~0xffu, EVENT_VECTOR);
    event_control(0, 0);
    return vtdpi_fault_event_enable(&machine.unit, machine.mode,
                                    cpu_apic_id(cpu), EVENT_VECTOR) == 0;
}

/* A CPU with an id of eight bits: QEMU sends to the lower half of the address
 * alone. That the upper half is right its trace tells. */
static unsigned int enable_some_event(void)
{
    unsigned int cpu = cpu_count() - 1;

    if (cpu_apic_id(cpu) > 0xff) {
        check(enable_event(cpu), "the fault event is enabled for APIC id %u",
              cpu_apic_id(cpu));
        cpu = 1;
    }
    check(enable_event(cpu), "the fault event is enabled for CPU %u", cpu);
    return cpu;
}

static bool disable_event(void)
{
    event_message(0, 0, 0);
    return vtdpi_fault_event_disable(&machine.unit) == 0;
}

void test_fault_events(void)
{
    unsigned int cpu;
    struct arrival a;

    trap_handle(EVENT_VECTOR, serve_event, NULL);
    cpu = enable_some_event();

    faults_forget();
    a = arrival_expected(cpu, EVENT_VECTOR);
    raises_fault(NOT_PRESENT, INDEX, 0, 0);
    oracle_event(event_address(cpu), EVENT_VECTOR);
    oracle_clear_record();
    check(event_serves(&a), "a fault interrupts it, and is read there");

    event_control(MASKED, MASKED);
    check(vtdpi_fault_event_mask(&machine.unit) == 0, "it is masked");
    faults_forget();
    a = arrival_expected(cpu, EVENT_VECTOR);
    raises_fault(NOT_PRESENT, INDEX, 0, 0);
    check(vtdpi_fault_event_pending(&machine.unit) && machine.fault_count == 0,
          "a fault is held back");
    event_control(0, EVENT_PENDING);
    oracle_event(event_address(cpu), EVENT_VECTOR);
    oracle_clear_record();
    check(vtdpi_fault_event_unmask(&machine.unit) == 0 && event_serves(&a),
          "unmasked, it interrupts after all");
    check(disable_event(), "the event is disabled");
    trap_handle(EVENT_VECTOR, trap_count_only, NULL);
}

static const struct vtdpi_qi_desc bad = {{0xf, 0, 0, 0}};

/* The unit stops at the descriptor. */
static void oracle_refused(void)
{
    oracle_publish(2);
    oracle_line("head %x\n", oracle.tail);
}

/* The descriptor is replaced by a wait without effect, and the error cleared.
 * QEMU goes on when the tail is written again. */
static void oracle_repaired(uint32_t submitted)
{
    const uint64_t word = oracle.status + 4 * oracle.tail;

    oracle_publish(submitted);
    oracle_line("head %x\n", oracle.tail);
    oracle_line("descriptor wait %016lx %016lx\n", WAIT_NO_EFFECT, word);
    oracle_line("status %lx 0\n", word);
    oracle_wait(oracle_slot(oracle.tail, 1));
}

static bool reports_queue_error(void)
{
    const struct vtdpi_fault *const f = &machine.faults[0];

    return machine.fault_count == 1 && f->kind == VTDPI_FAULT_QUEUE &&
           f->queue.iqe == 1 && f->queue.code == VTDPI_EIQE &&
           f->queue.error.desc.qw[0] == bad.qw[0];
}

/* Refused, it fails alone; what is behind it is executed. */
void test_queue_error(void)
{
    struct vtdpi_qi *const qi = vtdpi_unit_qi(&machine.unit);
    struct vtdpi_qi_ticket refused;
    struct vtdpi_qi_ticket fine;
    bool more = true;

    oracle_refused();
    oracle_publish(4);
    oracle_write(FSTS_REG, 4, FSTS_IQE);
    oracle_line("event-not-pending\n");
    oracle_repaired(4);
    oracle_block(oracle.tail, NULL);
    oracle_wait(oracle_slot(oracle.tail, 1));
    check(vtdpi_qi_submit(qi, &bad, 1, &refused) == 0 &&
              vtdpi_unit_submit_iec_global(&machine.unit, &fine) == 0,
          "a descriptor that does not exist, and one that does");
    check(vtdpi_qi_wait(qi, &refused, 0) == VTDPI_EIQE, "one is refused");
    check(vtdpi_qi_wait(qi, &fine, 0) == 0, "the other is executed");
    faults_forget();
    check(vtdpi_fault_handle(&machine.reader, 0, &more) == 0 && !more &&
              reports_queue_error(),
          "the error is reported");
}

/* The same, found by the fault event's handler on another CPU. */
void test_queue_error_event(void)
{
    struct vtdpi_qi *const qi = vtdpi_unit_qi(&machine.unit);
    struct vtdpi_qi_ticket refused;
    unsigned int cpu;
    struct arrival a;

    trap_handle(EVENT_VECTOR, serve_event, NULL);
    cpu = enable_some_event();
    faults_forget();
    a = arrival_expected(cpu, EVENT_VECTOR);
    oracle_refused();
    oracle_event(event_address(cpu), EVENT_VECTOR);
    oracle_write(FSTS_REG, 4, FSTS_IQE);
    oracle_repaired(2);
    check(vtdpi_qi_submit(qi, &bad, 1, &refused) == 0 && arrived(&a) &&
              wait_until(fault_was_reported, NULL) && reports_queue_error(),
          "a refused descriptor interrupts it");
    check(vtdpi_qi_wait(qi, &refused, 0) == VTDPI_EIQE,
          "its submitter is told");
    check(disable_event(), "the event is disabled");
    trap_handle(EVENT_VECTOR, trap_count_only, NULL);
}
