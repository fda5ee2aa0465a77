/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef INTEL_IOMMU_KERNEL_H
#define INTEL_IOMMU_KERNEL_H

/* The kernel that drives QEMU's intel-iommu with the library. */

#include "oracle.h"
#include "runtime.h"
#include "vtdpi/vtdpi.h"

#define RANGES_MAX 32

/* Most faults that are kept between two looks. */
#define FAULTS_MAX 8

struct machine {
    uint64_t registers; /* of the unit */
    uint32_t registers_bytes;
    struct vtdpi_caps caps;
    struct vtdpi_unit unit;
    struct vtdpi_unit_config config;
    struct vtdpi_table table;
    struct vtdpi_table_unit link;
    struct vtdpi_irte *entries;
    struct vtdpi_fault_reader reader;
    enum vtdpi_apic_mode mode;

    uint16_t edu;     /* requester id of QEMU's device for teaching */
    uint64_t edu_bar; /* its registers */
    uint8_t edu_msi;  /* its capability */
    struct ioapic io;
    uint16_t io_rid;

    /* What the clean callback was last called with. */
    uintptr_t cleaned;
    size_t cleaned_bytes;

    /* What the reader has reported since faults_forget(). */
    struct vtdpi_fault faults[FAULTS_MAX];
    unsigned int fault_count;

    uint32_t fired; /* interrupts that had to arrive, all in all */
};

extern struct machine machine;

/* machine.c: find and set up, check what was found. */
void machine_find(enum vtdpi_apic_mode mode, unsigned int table_order,
                  unsigned int queue_order);
extern const struct vtdpi_platform_ops machine_ops;
bool ring_is_clean(void);

/* devices.c */
void edu_find(void);
void edu_program(const struct vtdpi_msi *msi);
void edu_select(uint32_t index); /* the library's message for it */
void edu_use_intx(bool on);
void edu_raise(void);
void edu_acknowledge(void);
void edu_copy(uint64_t address, bool to_memory); /* by DMA, a page */

/* The pin of ISA interrupt 0 down, and up again a millisecond later. */
void pit_stop(void);
void pit_start(void);
/* With the pin masked, once: the pin is up then, and stays so. */
void pit_forget_firmware(void);

/* deliver.c: an entry by the oracle's names, with the library's functions. */
struct vtdpi_irte_remapped form_of(const struct oracle_entry *e);
struct vtdpi_source source_of(const struct oracle_entry *e);
struct oracle_entry entry_for(uint8_t vector, unsigned int cpu);

/* Does the table hold it, and no old one of it anywhere? */
bool table_has(uint32_t index, const struct oracle_entry *e);

/* Was it written back to memory since this was asked last? */
bool was_cleaned(uint32_t index);

/* The vector arrives on the CPU, and nothing else anywhere. The device has
 * been programmed. */
bool fires(uint16_t base, uint16_t sub, const struct oracle_entry *e,
           unsigned int cpu);

/* One more interrupt of that vector there than when it was called first. */
struct arrival {
    unsigned int cpu;
    uint8_t vector;
    uint32_t before;
};
struct arrival arrival_expected(unsigned int cpu, uint8_t vector);
bool arrived(struct arrival *a);

/* All interrupts that were taken, on vectors that tests use. */
uint32_t arrivals(void);

void test_deliver(void);
void test_retargets(unsigned int rounds);
void test_formats(void);
void test_sources(void);
void test_indexes(void);
void test_batches(void);
void test_blocks(void);

/* pins.c */
void pin_wire(unsigned int pin, const struct vtdpi_msi_rte *fields);
void test_pins(void);

/* dma.c: what the host does beside the library. */
bool dma_on(void);
bool dma_off(void);
bool dma_works(void);
bool dma_forget(void);

/* faults.c */
void faults_forget(void);
void test_faults(void);
void test_unreadable_table(void);
void test_overflow(void);
void test_fault_events(void);
void test_queue_error(void);

void test_queue_error_event(void);

/* life.c */
void test_enable(void);
void test_suspend(void);
void test_disable(void);
void test_foreign(void);
void test_dma(void);

#endif
