/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef INTEL_IOMMU_ORACLE_H
#define INTEL_IOMMU_ORACLE_H

/*
 * What QEMU has to see, said by hand and from the specification: nothing of
 * the library is used here, neither its encoders nor its names for bits. Each
 * function adds lines to a list on the debug console, in the order in which the
 * unit will do things; compare.py holds the list against QEMU's own trace, and
 * every line of the one must be matched by a line of the other.
 *
 * All lines are those of one CPU, or of others while it waits for them.
 */

#include "runtime.h"

/* A remapped entry, by the names of the specification. */
struct oracle_entry {
    uint8_t vector;
    uint32_t dst; /* an APIC id, or logical */
    uint16_t sid;
    uint8_t sq;
    uint8_t svt;
    bool fpd;
    bool dm;
    bool rh;
    bool tm;
    uint8_t dlm;
    uint8_t avail;
};

/* The unit as it should be. */
struct oracle {
    uint32_t records;   /* offset of the fault record */
    uint64_t ring;      /* physical address of the queue, 4096 bytes << order */
    uint64_t status;    /* of the status words, one for each slot */
    uint64_t table;     /* of the interrupt-remapping table */
    uint64_t root;      /* of the host's root table, for DMA */
    uint32_t gsts;      /* Global Status Register */
    uint32_t tail;      /* slot that is written next */
    unsigned int order; /* of the queue */
    unsigned int table_order;
    bool eime;
    bool caching; /* CAP.CM: entries that are not present are cached, too */
    bool wide;    /* ECAP.SMTS: descriptors of 256 bits */
};

extern struct oracle oracle;

/* What the unit is like. */
void oracle_look(uint64_t registers);

/* Firmware's lines end and ours begin: writes a register nobody uses. */
void oracle_begin(uint64_t registers);

/* A write of a register, size 4 or 8. */
void oracle_write(uint32_t offset, unsigned int size, uint64_t value);

/* One bit of the Global Command Register set or cleared, all others kept, and
 * what the unit does then. */
void oracle_command(unsigned int bit, bool on);

#define GCMD_TE    31
#define GCMD_SRTP  30
#define GCMD_QIE   26
#define GCMD_IRE   25
#define GCMD_SIRTP 24

/* vtdpi_unit_enable() of a unit that is off, and vtdpi_unit_disable(). */
void oracle_enable(void);
void oracle_disable(void);

/* The steps of the first; oracle_remap() is all that is done with a queue which
 * is on. */
void oracle_queue_on(void);
void oracle_latch_table(void);
void oracle_remap(void);

/* The second, as far as it goes while the host's DMA needs the queue. */
void oracle_remap_no_more(void);

/* 2^order entries from index first on. */
struct oracle_block {
    uint16_t first;
    uint8_t order;
};

/* One submission: n blocks, or a global invalidation if n is 0, and the wait
 * behind them. */
void oracle_flush(const struct oracle_block *blocks, unsigned int n);
void oracle_flush_one(uint16_t index);

/* An entry becomes present: nothing to flush, unless the unit has cached that
 * it was not. */
void oracle_new(uint16_t index);

/* The slot that is n after another one. */
uint32_t oracle_slot(uint32_t slot, uint32_t n);

/* The parts of a submission: the register that publishes it, its
 * descriptors. */
void oracle_publish(uint32_t slots);
void oracle_block(uint32_t slot, const struct oracle_block *block);
void oracle_wait(uint32_t slot);

/* The two words of an entry. */
uint64_t oracle_lo(const struct oracle_entry *e);
uint64_t oracle_hi(const struct oracle_entry *e);

/* What a device and a pin are programmed with: the low word of the address, and
 * the redirection table entry. */
uint32_t oracle_address(uint16_t index);
uint64_t oracle_rte(uint16_t index, uint8_t vector, bool active_low, bool level,
                    bool masked);

/* An MSI request of message number sub of a block at base, subhandle valid;
 * and one of an IOAPIC pin, with the vector and trigger mode of its entry. */
void oracle_msi(uint16_t base, uint16_t sub);
void oracle_pin(uint16_t index, uint8_t vector, bool level);

/* The entry that it selects is read, and delivers. */
void oracle_delivery(uint16_t index, const struct oracle_entry *e, bool pin);

/* The entry is read, whatever it holds. */
void oracle_read_entry(uint16_t index, uint64_t lo, uint64_t hi);

/* The request is blocked, and recorded in the one record there is. */
void oracle_fault(uint8_t reason, uint16_t index, uint16_t sid);

/* The record is cleared. */
void oracle_clear_record(void);

/* The unit sends its event. */
void oracle_event(uint32_t address, uint32_t data);

/* Any other line, as compare.py has it. */
#define oracle_line debug_print

#endif
