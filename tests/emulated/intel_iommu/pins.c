/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of the IOAPIC: an edge from the timer, a level from the device. */

#include "kernel.h"

#define PIT_IRQ   0

/* Where Q35 wires INTA of device 1 on bus 0: PIRQF. */
#define EDU_PIN   21

#define SVT_EXACT 1

/* The last, whose bits are all set, and the one before. */
static uint32_t take(uint32_t from_end)
{
    const uint32_t index = vtdpi_table_count(&machine.table) - from_end;

    if (vtdpi_table_reserve(&machine.table, index, 1, NULL) != 0)
        panic("index %x is not free", index);
    return index;
}

static struct oracle_entry pin_entry(uint8_t vector, unsigned int cpu)
{
    struct oracle_entry e = entry_for(vector, cpu);

    e.sid = machine.io_rid;
    return e;
}

/* Without a struct vtdpi_irq, as a host does that never posts its pins. */
static bool set(uint32_t index, const struct oracle_entry *e)
{
    const struct vtdpi_irte_remapped form = form_of(e);
    struct vtdpi_irte irte;

    return vtdpi_irte_encode_remapped(&form, &irte) == 0 &&
           vtdpi_table_set(&machine.table, index, &irte) == 0 &&
           table_has(index, e) && was_cleaned(index);
}

static void clear(uint32_t index)
{
    const struct vtdpi_irte zero = {0};

    oracle_flush_one((uint16_t)index);
    check(vtdpi_table_set(&machine.table, index, &zero) == 0 &&
              vtdpi_table_free(&machine.table, index, 1) == 0,
          "its entry is cleared");
}

/* Also what a host reads back; the read-only bits are zero while the pin is
 * quiet. */
void pin_wire(unsigned int pin, const struct vtdpi_msi_rte *fields)
{
    const uint64_t want =
        oracle_rte((uint16_t)fields->index, fields->vector, fields->active_low,
                   fields->level, fields->masked);
    uint64_t rte = 0;

    if (vtdpi_msi_rte_encode(fields, &rte) != 0 || rte != want)
        panic("the entry of pin %u is %lx, not %lx", pin, rte, want);
    ioapic_write(&machine.io, pin, rte);
}

static bool edge_fires(uint32_t index, const struct oracle_entry *e,
                       unsigned int cpu)
{
    struct arrival a = arrival_expected(cpu, e->vector);

    oracle_pin((uint16_t)index, e->vector, false);
    oracle_delivery((uint16_t)index, e, true);
    pit_stop();
    pit_start();
    return arrived(&a);
}

static void test_edge(void)
{
    const unsigned int pin = ioapic_pin_of_isa(PIT_IRQ);
    const uint32_t index = take(1);
    const unsigned int last = cpu_count() - 1;
    struct oracle_entry e = pin_entry(0x81, 0);
    struct vtdpi_msi_rte rte = {.index = index, .vector = 0x81};

    pit_forget_firmware();
    oracle_new((uint16_t)index);
    check(set(index, &e), "an entry for the timer's pin %u", pin);
    pin_wire(pin, &rte);
    check(edge_fires(index, &e, 0), "the timer interrupts CPU 0");
    e = pin_entry(0x81, last);
    oracle_flush_one((uint16_t)index);
    check(set(index, &e) && edge_fires(index, &e, last),
          "its entry alone changed, it interrupts CPU %u", last);
    rte.masked = true;
    pin_wire(pin, &rte);
    clear(index);
}

/* What the handler of a level-triggered interrupt saw. */
static struct {
    bool awaits_eoi;
    bool pin_is_level;
    bool served; /* atomic: the handler has done all it does */
} seen;

static void serve_level(struct trap_frame *frame, void *arg)
{
    struct vtdpi_msi_rte rte = {0};

    (void)frame;
    (void)arg;
    seen.awaits_eoi =
        vtdpi_msi_rte_decode(ioapic_read(&machine.io, EDU_PIN), &rte) == 0 &&
        rte.remote_irr;
    seen.pin_is_level = rte.level && rte.active_low;
    edu_acknowledge();
    apic_eoi();
    __atomic_store_n(&seen.served, true, __ATOMIC_RELEASE);
}

static bool level_fires(uint32_t index, const struct oracle_entry *e,
                        unsigned int cpu)
{
    struct arrival a = arrival_expected(cpu, e->vector);

    seen.awaits_eoi = false;
    seen.pin_is_level = false;
    __atomic_store_n(&seen.served, false, __ATOMIC_RELEASE);
    oracle_pin((uint16_t)index, e->vector, true);
    oracle_delivery((uint16_t)index, e, true);
    edu_raise();
    return arrived(&a);
}

static bool eoi_is_done(void *arg)
{
    struct vtdpi_msi_rte rte;

    (void)arg;
    /* The pin is selected and read in two steps: not before the handler, on
     * another CPU, has read it. */
    if (!__atomic_load_n(&seen.served, __ATOMIC_ACQUIRE))
        return false;
    return vtdpi_msi_rte_decode(ioapic_read(&machine.io, EDU_PIN), &rte) == 0 &&
           !rte.remote_irr;
}

/* The CPU's EOI reaches the pin by the vector of its entry, which is therefore
 * that of the table's; QEMU takes the trigger mode from the table. */
static void test_level(void)
{
    const uint32_t index = take(2);
    struct oracle_entry e = pin_entry(0x91, 1);
    struct vtdpi_msi_rte rte = {
        .index = index, .vector = 0x91, .level = true, .active_low = true};

    e.tm = true;
    trap_handle(0x91, serve_level, NULL);
    oracle_new((uint16_t)index);
    check(set(index, &e), "an entry for the device's pin %u", EDU_PIN);
    edu_use_intx(true);
    pin_wire(EDU_PIN, &rte);
    for (int i = 0; i < 2; i++) {
        check(level_fires(index, &e, 1), "its level interrupts CPU 1");
        check(wait_until(eoi_is_done, NULL) && seen.awaits_eoi &&
                  seen.pin_is_level,
              "the pin awaited the EOI, and got it");
    }
    rte.masked = true;
    pin_wire(EDU_PIN, &rte);
    edu_use_intx(false);
    trap_handle(0x91, trap_count_only, NULL);
    clear(index);
}

void test_pins(void)
{
    test_edge();
    test_level();
}
