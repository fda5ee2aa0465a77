/* SPDX-License-Identifier: BSD-2-Clause */
/* On, off, asleep, and what others left on. */

#include "kernel.h"

#define GCMD_REG  0x18
#define GSTS_REG  0x1c
#define IQT_REG   0x88
#define IQA_REG   0x90
#define IRTA_REG  0xb8
#define EIME      0x800u
#define GSTS_IRES 0x02000000u
#define GSTS_QIES 0x04000000u

static uint32_t status(void)
{
    return mmio_read32(machine.registers + GSTS_REG);
}

void test_enable(void)
{
    oracle_enable();
    check(vtdpi_unit_enable(&machine.unit, &machine.config) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_ON,
          "the unit is enabled");
    check(status() == oracle.gsts, "its status is %x", oracle.gsts);
}

/* An interrupt that is there all the time. */
static struct vtdpi_irq irq;

static bool set(uint8_t vector, unsigned int cpu)
{
    const struct oracle_entry e = entry_for(vector, cpu);
    const struct vtdpi_irte_remapped form = form_of(&e);

    return vtdpi_irq_set_host(&irq, &form) == 0 &&
           table_has(vtdpi_irq_index(&irq), &e) &&
           was_cleaned(vtdpi_irq_index(&irq));
}

static bool still_fires(uint8_t vector, unsigned int cpu)
{
    const struct oracle_entry e = entry_for(vector, cpu);

    return fires((uint16_t)vtdpi_irq_index(&irq), 0, &e, cpu);
}

static void start(void)
{
    const struct oracle_entry e = entry_for(0x41, 0);
    const struct vtdpi_source source = source_of(&e);
    uint32_t index = 0;

    if (vtdpi_table_alloc(&machine.table, 1, NULL, &index) != 0 ||
        vtdpi_irq_init(&irq, vtdpi_table_backend(&machine.table), index,
                       &source, NULL) != 0)
        panic("no interrupt to go on with");
    edu_select(index);
}

/* Another kernel, or firmware: a queue of its own, and our table. */
static unsigned char foreign_ring[4096] __attribute__((__aligned__(4096)));
static uint32_t foreign_status;

static void foreign_write64(uint32_t offset, uint64_t value)
{
    oracle_write(offset, 8, value);
    mmio_write64(machine.registers + offset, value);
}

static void foreign_command(unsigned int bit)
{
    const uint32_t value =
        (oracle.gsts & ~(UINT32_C(1) << GCMD_SIRTP)) | UINT32_C(1) << bit;

    oracle_command(bit, true);
    mmio_write32(machine.registers + GCMD_REG, value);
}

static void foreign_on(unsigned int table_order)
{
    const uint64_t ours = oracle.ring;
    const unsigned int order = oracle.order;
    const unsigned int ours_table = oracle.table_order;
    const bool wide = oracle.wide;
    uint64_t wait[2] = {UINT64_C(0x5a00000065), (uintptr_t)&foreign_status};

    memcpy(foreign_ring, wait, sizeof(wait));
    oracle.ring = (uintptr_t)foreign_ring;
    oracle.order = 0;
    oracle.wide = false;
    oracle.table_order = table_order;
    oracle.tail = 0;
    foreign_write64(IQT_REG, 0);
    oracle_line("tail 0\n");
    foreign_write64(IQA_REG, oracle.ring);
    foreign_command(GCMD_QIE);
    foreign_write64(IRTA_REG, oracle.table | (oracle.eime ? EIME : 0) |
                                  (table_order - 1));
    foreign_command(GCMD_SIRTP);
    foreign_write64(IQT_REG, 16);
    oracle_line("tail 1\nhead 0\n");
    oracle_line("descriptor wait %016lx %016lx\n", wait[0], wait[1]);
    oracle_line("status %lx 5a\n", wait[1]);
    foreign_command(GCMD_IRE);
    oracle.ring = ours;
    oracle.order = order;
    oracle.wide = wide;
    oracle.table_order = ours_table;
}

/* Asleep: entries change in memory alone, and firmware leaves a mess. */
void test_suspend(void)
{
    struct vtdpi_unit_config config = machine.config;

    start();
    oracle_new((uint16_t)vtdpi_irq_index(&irq));
    check(set(0x41, 0) && still_fires(0x41, 0), "an interrupt before sleep");
    oracle_disable();
    check(vtdpi_unit_suspend(&machine.unit) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_SUSPENDED &&
              status() == oracle.gsts,
          "the unit is suspended");
    check(set(0x42, 1), "an entry changes: the unit is left alone");
    oracle_enable();
    check(vtdpi_unit_resume(&machine.unit) == 0 && status() == oracle.gsts,
          "resumed");
    check(still_fires(0x42, 1), "the new entry is in effect");

    oracle_disable();
    check(vtdpi_unit_suspend(&machine.unit) == 0, "suspended again");
    foreign_on(oracle.table_order);
    oracle_command(GCMD_IRE, false);
    oracle_command(GCMD_QIE, false);
    oracle_enable();
    config.take_over = true;
    check(vtdpi_unit_resume(&machine.unit) == VTDPI_EFOREIGN &&
              vtdpi_unit_enable(&machine.unit, &config) == 0 &&
              still_fires(0x42, 1),
          "taken over, since firmware had switched the unit on");
}

void test_disable(void)
{
    oracle_disable();
    check(vtdpi_unit_disable(&machine.unit) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_OFF,
          "the unit is disabled");
    check((status() & (GSTS_IRES | GSTS_QIES)) == 0 && status() == oracle.gsts,
          "its status is %x", oracle.gsts);
}

static int enable(bool take_over, bool adopt)
{
    struct vtdpi_unit_config config = machine.config;

    config.take_over = take_over;
    config.adopt = adopt;
    return vtdpi_unit_enable(&machine.unit, &config);
}

void test_foreign(void)
{
    foreign_on(oracle.table_order);
    check(still_fires(0x42, 1), "another kernel remaps");
    check(enable(false, false) == VTDPI_EFOREIGN,
          "the unit is not ours, and not touched");
    oracle_command(GCMD_IRE, false);
    oracle_command(GCMD_QIE, false);
    oracle_enable();
    check(enable(true, false) == 0 && still_fires(0x42, 1), "it is taken over");
    test_disable();

    foreign_on(oracle.table_order);
    oracle_command(GCMD_QIE, false);
    oracle_enable();
    check(enable(false, true) == 0 && still_fires(0x42, 1),
          "it is adopted: remapping was never off");
    oracle_flush_one((uint16_t)vtdpi_irq_index(&irq));
    check(set(0x43, 0) && still_fires(0x43, 0), "it is ours now");
    test_disable();

    foreign_on(oracle.table_order - 1);
    check(enable(false, true) == VTDPI_EFOREIGN,
          "one with a table of another size is not adopted");
    oracle_command(GCMD_IRE, false);
    oracle_command(GCMD_QIE, false);
    oracle_enable();
    check(enable(true, true) == 0 && still_fires(0x43, 0),
          "it is taken over instead");
    test_disable();
}

/* With the host's DMA translation on, from before the first remapping to after
 * the last: remapping goes off and comes back, the queue stays. */
void test_dma(void)
{
    oracle_queue_on();
    check(vtdpi_unit_open_queue(&machine.unit, &machine.config) == 0 &&
              dma_on() && status() == oracle.gsts,
          "the queue is on, and DMA is translated");
    check(dma_works() && dma_forget(), "by the host's tables");
    oracle_remap();
    check(vtdpi_unit_enable(&machine.unit, &machine.config) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_ON &&
              status() == oracle.gsts,
          "remapping comes on");
    check(still_fires(0x43, 0) && dma_works(), "beside it");

    oracle_remap_no_more();
    check(vtdpi_unit_suspend(&machine.unit) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_SUSPENDED &&
              status() == oracle.gsts,
          "suspended: remapping alone goes off");
    check(dma_works() && dma_forget(), "the host goes on");
    check(set(0x44, 1), "an entry changes in memory alone");
    oracle_remap();
    check(vtdpi_unit_resume(&machine.unit) == 0 && status() == oracle.gsts &&
              still_fires(0x44, 1) && dma_works(),
          "resumed, with the new entry");

    oracle_remap_no_more();
    check(vtdpi_unit_disable(&machine.unit) == VTDPI_EBUSY &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_QUEUE &&
              status() == oracle.gsts,
          "disabled as far as the host lets it");
    check(dma_works() && dma_forget(), "the host goes on");
    oracle_remap();
    check(vtdpi_unit_enable(&machine.unit, &machine.config) == 0 &&
              status() == oracle.gsts && still_fires(0x44, 1) && dma_works(),
          "enabled with the queue it has");
    check(dma_off() && still_fires(0x44, 1), "DMA is not translated any more");
    test_disable();
}
